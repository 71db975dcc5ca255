-- What is open at a moment, and what of it is due.

create or replace table open_now as
select facts.*, state.stage, state.close_on, state.changed_at, priced(state.amount, state.currency, getvariable('q_to') - 1) as money
from state join facts using (opportunity_id) where state.is_open;

create or replace table open_sliced as
select unnest([
    {'slice_by': '', 'slice': ''}, {'slice_by': 'stage', 'slice': stage}, {'slice_by': 'tier', 'slice': tier},
    {'slice_by': 'business_type', 'slice': business_type}, {'slice_by': 'segment', 'slice': segment}, {'slice_by': 'programme', 'slice': programme},
    {'slice_by': 'close_quarter', 'slice': case when open_now.close_on < getvariable('q_to') then 'overdue' else coalesce(quarters.label, 'unknown') end}], recursive := true),
    open_now.*,
    coalesce(open_now.close_on < getvariable('q_to'), false)
        or coalesce(open_now.last_activity_at < getvariable('stale_before'), false) as is_stale
from open_now left join quarters on open_now.close_on >= quarters.day_from and open_now.close_on < quarters.day_to;

insert into readings
select 'open_pipeline', slice_by, slice, sum(money), sum(money), null, count(*) from open_sliced group by all having count(money) > 0
union all
select 'stale_pipeline_share', slice_by, slice, coalesce(sum(money) filter (is_stale), 0) / sum(money), coalesce(sum(money) filter (is_stale), 0), sum(money), count(*)
from open_sliced where slice_by in ('', 'stage', 'tier', 'close_quarter', 'business_type') group by all having sum(money) > 0;

-- Segments of the past quarters, each as of its own start.
create or replace table past_segments as
select past.quarter, accounts.account_id, coalesce(case when seen.account_id is null then accounts.segment else seen.segment end, 'unknown') as segment
from past cross join accounts
left join (
    select past.quarter, account_changes.* from past cross join account_changes
    qualify row_number() over (partition by past.quarter, account_id order by changed_at <= past.starts_at desc,
        case when changed_at <= past.starts_at then -epoch(changed_at) else epoch(changed_at) end) = 1) seen
on seen.quarter = past.quarter and seen.account_id = accounts.account_id;

-- One row for each reading of due new-business pipeline: what was read, of which quarter, at which moment, known when.
create or replace table due as
select looks.look, looks.quarter, facts.opportunity_id, coalesce(segments.segment, facts.segment) as segment, priced(states.amount, states.currency, looks.priced_on) as money
from looks, lateral (
    select * from changes where changed_at < looks.moment and recorded_at < looks.known
    qualify row_number() over (partition by opportunity_id order by changed_at desc) = 1) states
join facts using (opportunity_id)
left join past_segments segments on segments.account_id = facts.account_id and segments.quarter = looks.quarter and looks.look like 'past %'
where states.is_open and facts.business_type = 'new' and states.close_on >= looks.due_from and states.close_on < looks.due_to;

create or replace table goals as
select period, coalesce(slice_by, '') as slice_by, coalesce(slice, '') as slice, value from targets
where metric = 'closed_won_revenue' and coalesce(kind, 'target') = 'target';

create or replace table due_summed as
select looks.look, looks.quarter, '' as segment, coalesce(sum(money), 0) as money, count(opportunity_id) as n
from looks left join due using (look, quarter) group by all
union all
select look, quarter, segment, sum(money), count(*) from due group by all;

create or replace table coverage as
select due_summed.*, goals.value as goal
from due_summed left join goals on goals.period = due_summed.quarter and goals.value > 0
    and goals.slice_by = case when segment = '' then 'business_type' else 'business_type/segment' end
    and goals.slice = case when segment = '' then 'new' else 'new/' || segment end;

insert into readings
select case look when 'current' then 'pipeline_coverage' when 'next' then 'pipeline_coverage_next_quarter' else 'pipeline_coverage_in_two_quarters' end,
    case when segment = '' then '' else 'segment' end, segment, money / goal, money, goal, n
from coverage where goal > 0 and look in ('current', 'next', 'in_two')
union all
select 'pipeline_coverage', 'as_of_day', look[5:], money / goal, money, goal, n
from coverage where goal > 0 and segment = '' and look like 'day %'
union all
select 'pipeline_coverage_remaining', case when segment = '' then '' else 'segment' end, segment,
    money / (goal - coalesce(won, 0)), money, goal - coalesce(won, 0), n
from coverage left join (
    select segment, sum(money) as won from (
        select unnest(['', segment]) as segment, priced(amount, currency, close_on) as money
        from state_at(getvariable('read_at'), getvariable('read_known')) join facts using (opportunity_id)
        where is_won and not is_deleted and business_type = 'new' and close_on >= getvariable('q_from') and close_on < getvariable('read_day'))
    group by all) using (segment)
where look = 'current' and goal > coalesce(won, 0);

-- Won for each unit due, over the eight quarters before: the horizons differ in the day of reading.
create or replace table past_won as
select past.quarter, segments.segment, priced(states.amount, states.currency, states.close_on) as money
from past, lateral (
    select * from changes where changed_at < past.ends_at and recorded_at < past.known
    qualify row_number() over (partition by opportunity_id order by changed_at desc) = 1) states
join facts using (opportunity_id)
join past_segments segments on segments.account_id = facts.account_id and segments.quarter = past.quarter
where states.is_won and not states.is_deleted and facts.business_type = 'new' and states.close_on >= past.day_from and states.close_on < past.day_to;

-- A past quarter counts where there were data to read; one where nothing was due counts as well.
create or replace table readable as
select look[6:] as horizon, quarter from looks
where look like 'past %' and moment > (select min(changed_at) from changes);

create or replace table conversion as
with due_by as (
    select horizon, segment, sum(money) as due from readable join due_summed on look = 'past ' || horizon and due_summed.quarter = readable.quarter
    group by all),
won_by as (
    select horizon, segment, sum(money) as won from readable join past_won using (quarter) group by all
    union all
    select horizon, '', sum(money) from readable join past_won using (quarter) group by all)
select horizon, segment, coalesce(won, 0) as won, due, quarters
from due_by join (select horizon, count(*) as quarters from readable group by all) using (horizon)
left join won_by using (horizon, segment) where due > 0;

insert into readings
select 'quarter_start_conversion', case when segment = '' then '' else 'segment' end, segment, won / due, won, due, quarters
from conversion where horizon = 'current'
union all
select 'quarter_start_conversion', 'horizon', horizon, won / due, won, due, quarters from conversion where segment = '';
