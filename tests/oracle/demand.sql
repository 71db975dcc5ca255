-- Leads, qualified leads and accounts, what they cost, meetings, and what next quarter may bring.

-- Where a person worked on a day: the latest place that held then; the person's own account where no places are recorded.
create or replace table places as
select same_person.lives_on_as as person_id, coalesce(survivors.lives_on_as, person_accounts.account_id) as account_id, valid_from, valid_to
from person_accounts join same_person using (person_id) left join survivors using (account_id);

create or replace table living as
select same_person.lives_on_as as person_id, min(same.created_at) as created_at, any_value(kept.source) as source, any_value(kept.source_detail) as source_detail,
    any_value(kept.recent_source) as recent_source, any_value(kept.recent_source_detail) as recent_source_detail, any_value(kept.title) as title,
    coalesce(any_value(kept.channel), any_value(sources.channel), 'unknown') as channel,
    any_value(coalesce(survivors.lives_on_as, kept.account_id)) as account_id
from same_person join people same using (person_id) join people kept on kept.person_id = same_person.lives_on_as
left join survivors on survivors.account_id = kept.account_id
left join answer_channels sources on sources.answer = kept.source
where not same_person.ours and is_real(coalesce(survivors.lives_on_as, kept.account_id))
    and same_person.lives_on_as not in (from suppressed)
group by same_person.lives_on_as;

create or replace table first_campaigns as
select same_person.lives_on_as as person_id, arg_min(campaigns.name, (joined_at, campaign_id)) as campaign
from read_csv(getvariable('folder') || '/campaign_members.csv', types = {'person_id': 'varchar', 'campaign_id': 'varchar', 'joined_at': 'timestamp'}) members
join same_person using (person_id) join campaigns using (campaign_id)
where joined_at < getvariable('q_end') group by all;

create or replace table leads as
select living.*, coalesce(campaign, 'no campaign') as campaign, local_day(created_at) as day
from living left join first_campaigns using (person_id)
where lower(coalesce(source, '')) not in ('import', 'imported', 'list import', 'data import');

-- Entries into the stage; one within a year of the one before is the same person again.
create or replace table qualified_leads as
with entries as (
    select same_person.lives_on_as as person_id, entered_at, local_day(entered_at) as day
    from read_csv(getvariable('folder') || '/person_stages.csv', types = {
        'person_id': 'varchar', 'stage': 'varchar', 'entered_at': 'timestamp', 'recorded_at': 'timestamp'})
    join same_person using (person_id) where stage = 'mql' and recorded_at < getvariable('known') and entered_at < getvariable('q_end')),
counted as (
    select *, coalesce(day - lag(day) over (partition by person_id order by entered_at) <= 365, false) as is_again from entries),
placed as (
    select counted.*, living.* exclude (person_id, account_id), coalesce(campaign, 'no campaign') as campaign,
        case when exists (from places where places.person_id = counted.person_id) then (
            select arg_max(places.account_id, valid_from) from places
            where places.person_id = counted.person_id and valid_from <= day and (valid_to is null or valid_to > day))
        else living.account_id end as place
    from counted join living using (person_id) left join first_campaigns using (person_id))
select placed.*, attributes.target, attributes.is_icp, attributes.account_id is not null as is_known,
    (select arg_min(role, place) from title_words where regexp_matches(lower(placed.title), '\b' || word || '\b')) as role
from placed left join attributes on attributes.account_id = placed.place;

create or replace table people_sliced as
with timed as (
    select spans.slice_by, spans.slice, 'lead' as what, leads.* exclude (account_id)
    from leads join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to
    union all by name
    select spans.slice_by, spans.slice, case when is_again then 'again' else 'mql' end as what, qualified_leads.* exclude (place)
    from qualified_leads join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to),
dimensions as (
    select unnest([
        {'slice_by': 'campaign', 'slice': campaign}, {'slice_by': 'channel', 'slice': channel}, {'slice_by': 'source', 'slice': coalesce(source, 'unknown')},
        {'slice_by': 'source_detail', 'slice': coalesce(source_detail, 'unknown')}, {'slice_by': 'recent_source', 'slice': coalesce(recent_source, 'unknown')},
        {'slice_by': 'recent_source_detail', 'slice': coalesce(recent_source_detail, 'unknown')},
        {'slice_by': 'icp', 'slice': case is_icp when true then 'ICP' when false then 'not ICP' else 'unknown' end},
        {'slice_by': 'target', 'slice': coalesce(target, 'not on the list')},
        {'slice_by': 'account_match', 'slice': case when is_known then 'account known' else 'no account known' end}], recursive := true),
        timed.* exclude (slice_by, slice)
    from timed where slice_by = '')
select * from timed union all by name select * from dimensions;

insert into readings
select 'leads', slice_by, slice, count(*), count(*), null, count(*) from people_sliced
where what = 'lead' and slice_by not in ('icp', 'target', 'account_match') group by all
union all
select 'marketing_qualified_leads', slice_by, slice, count(*), count(*), null, count(*) from people_sliced where what = 'mql' group by all
union all
select 'requalified_leads', slice_by, slice, count(*), count(*), null, count(*) from people_sliced
where what = 'again' and slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all
union all
select 'icp_mql_share', slice_by, slice, count(*) filter (is_icp) / count(*), count(*) filter (is_icp), count(*), count(*) from people_sliced
where what = 'mql' and slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all
union all
select 'target_account_mql_share', slice_by, slice, count(*) filter (target = 'target') / count(*), count(*) filter (target = 'target'), count(*), count(*)
from people_sliced where what = 'mql' and slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all
union all
select metric, slice_by, slice, count(*) / any_value(whole), count(*), any_value(whole), any_value(whole)
from people_sliced, (values ('icp_mql_share'), ('target_account_mql_share')) shares (metric),
    (select count(*) as whole from people_sliced where what = 'mql' and slice_by = '')
where what = 'mql' and slice_by = 'account_match' group by all
union all
select 'buying_role_mql_share', slice_by, slice, count(*) filter (is_needed) / count(*), count(*) filter (is_needed), count(*), count(*)
from (select *, coalesce(role in (select role from buying_roles), false) as is_needed from people_sliced where what = 'mql' and title is not null)
where slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all;

-- Accounts that reached the stage, or jumped over it, for the first time ever.
create or replace table qualified_accounts as
select account_id, min(entered_at) as qualified_at, local_day(min(entered_at)) as day from account_stages_ranked where rank >= 3 group by account_id;

create or replace table mqas_sliced as
with timed as (
    select spans.slice_by, spans.slice, qualified_accounts.day, attributes.*
    from qualified_accounts join attributes using (account_id)
    join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to)
select * from timed
union all by name
select unnest([
    {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'industry', 'slice': industry}, {'slice_by': 'segment', 'slice': segment},
    {'slice_by': 'programme', 'slice': programme}, {'slice_by': 'target', 'slice': target}], recursive := true), timed.* exclude (slice_by, slice)
from timed where slice_by = '';

insert into readings
select 'marketing_qualified_accounts', slice_by, slice, count(*), count(*), null, count(*) from mqas_sliced group by all;

-- What ads cost for each of them, in the quarter, its months, the year to date, and four quarters; finance's costs beside it.
create or replace table costs as
select * from read_csv(getvariable('folder') || '/costs.csv', types = {'quarter': 'varchar', 'kind': 'varchar', 'programme': 'varchar', 'amount': 'decimal(18,2)'});

create or replace table cost_spans as
select slice_by, slice, day_from, day_to from spans where "window" = 'quarter'
union all
select 'window', 'trailing_4_quarters', (select min(day_from) from quarters join last_four using (label)), getvariable('q_to');

create or replace table outcomes as
select 'cost_per_lead' as metric, day, channel, campaign, person_id as id from leads
union all
select 'cost_per_mql', day, channel, campaign, person_id from qualified_leads where not is_again
union all
select 'cost_per_mqa', day, null, null, account_id from qualified_accounts join attributes using (account_id);

create or replace table mqa_touches as
select distinct qualified_accounts.account_id, acts.channel, campaigns.name as campaign
from qualified_accounts join attributes using (account_id) join acts using (account_id) left join campaigns using (campaign_id)
where qualified_accounts.day >= getvariable('q_from') and qualified_accounts.day < getvariable('q_to')
    and acts.touched_at < qualified_accounts.qualified_at and acts.day >= qualified_accounts.day - 90;

insert into readings
with spent as (
    select slice_by, slice, sum(priced(cost, ad_days.currency, day)) as money from ad_days join cost_spans on day >= day_from and day < day_to group by all),
counted as (
    select metric, slice_by, slice, count(*) as n from outcomes join cost_spans on day >= day_from and day < day_to group by all),
by_part as (
    select metric, slice_by, slice, count(*) as n
    from (
        select metric, unnest([{'slice_by': 'channel', 'slice': channel}, {'slice_by': 'campaign', 'slice': campaign}], recursive := true)
        from outcomes where metric <> 'cost_per_mqa' and day >= getvariable('q_from') and day < getvariable('q_to')
        union all
        select * exclude (account_id) from (
            select distinct * from (
                select 'cost_per_mqa', unnest([{'slice_by': 'channel', 'slice': channel}, {'slice_by': 'campaign', 'slice': campaign}], recursive := true),
                    account_id
                from mqa_touches)))
    group by all),
spent_by_part as (select slice_by, slice, spend as money from ads_sliced where slice_by in ('channel', 'campaign')),
full_costs as (select sum(priced(amount, costs.currency, getvariable('q_to') - 1)) as money from costs where quarter = getvariable('quarter')),
sliced as (
    select metric, slice_by, slice, money, n from counted join spent using (slice_by, slice)
    union all
    select metric, slice_by, slice, money, n from by_part join spent_by_part using (slice_by, slice)
    union all
    select metric, 'spend', 'media', money, n from counted join spent using (slice_by, slice) where slice_by = ''
    union all
    select metric, 'spend', 'full', full_costs.money, n from counted, full_costs where slice_by = '')
select metric, slice_by, slice, money / n, money, n, n from sliced where money is not null and n > 0;

insert into readings
with budgets as (
    select * from read_csv(getvariable('folder') || '/budgets.csv', types = {'period': 'varchar', 'channel': 'varchar', 'amount': 'decimal(18,2)', 'currency': 'varchar'})),
due as (
    select period, channel, priced(amount, budgets.currency, quarters.day_to - 1) as money
    from budgets join quarters on quarters.label = period semi join (select distinct channel from ad_days) using (channel)),
spent as (select *, priced(cost, currency, day) as money from ad_days),
budget_sliced as (
    select '' as slice_by, '' as slice, getvariable('q_from') as day_from, getvariable('q_to') as day_to, null as only_channel, sum(money) as budget
    from due where period = getvariable('quarter')
    union all
    select 'channel', channel, getvariable('q_from'), getvariable('q_to'), channel, sum(money) from due where period = getvariable('quarter') group by channel
    union all
    select 'year', slice, day_from, day_to, null, (select sum(money) from due where period[:4] = slice and period <= getvariable('quarter'))
    from spans where slice_by = 'year' and "window" = 'quarter'),
both_sides as (
    select budget_sliced.slice_by, slice, any_value(budget) as budget, sum(money) as spent, count(*) as n
    from budget_sliced join spent on spent.day >= day_from and spent.day < day_to and (only_channel is null or spent.channel = only_channel)
    group by all)
select 'budget_used_share', slice_by, slice, spent / budget, spent, budget, n from both_sides where budget > 0;

insert into readings
with planned as (
    select period, priced(amount, budgets.currency, quarters.day_to - 1) as money, channel in (from untracked_channels) as untracked
    from read_csv(getvariable('folder') || '/budgets.csv', types = {'period': 'varchar', 'channel': 'varchar', 'amount': 'decimal(18,2)', 'currency': 'varchar'}) budgets
    join quarters on quarters.label = period),
sliced as (
    select '' as slice_by, '' as slice, money, untracked from planned where period = getvariable('quarter')
    union all
    select 'year', slice, money, untracked from planned, spans
    where slice_by = 'year' and "window" = 'quarter' and period[:4] = slice and period <= getvariable('quarter'))
select 'untracked_budget_share', slice_by, slice, coalesce(sum(money) filter (untracked), 0) / sum(money), coalesce(sum(money) filter (untracked), 0),
    sum(money), count(*) from sliced group by all having sum(money) > 0;

-- Meetings by the day they were booked, and by the day they began.
create or replace table weeks as
select 'week' as slice_by, strftime(day_from, '%G-W%V') as slice, greatest(day_from, getvariable('q_from')) as day_from, least(day_from + 7, getvariable('q_to')) as day_to
from (select cast(unnest(generate_series(date_trunc('week', getvariable('q_from')), getvariable('q_to') - 1, interval 7 day)) as date) as day_from);

create or replace table meetings_sliced as
with marked as (
    select 'booked' as what, local_day(booked_at) as day, meetings.* from meetings where rescheduled_from is null
    union all
    select 'begun', local_day(starts_at), meetings.* from meetings
    where meeting_id not in (select rescheduled_from from meetings where rescheduled_from is not null)),
timed as (
    select times.slice_by, times.slice, marked.* exclude (channel), coalesce(marked.channel, 'unknown') as channel, is_icp, target, tier,
        attributes.account_id is not null as is_known
    from marked join (
        select slice_by, slice, day_from, day_to from spans where "window" = 'quarter' union all from weeks) times on day >= day_from and day < day_to
    left join attributes using (account_id)),
dimensions as (
    select unnest([
        {'slice_by': 'kind', 'slice': kind}, {'slice_by': 'channel', 'slice': channel},
        {'slice_by': 'paid_or_website', 'slice': case when channel = 'unknown' then 'unknown' when channel in (select channel from paid_channels) then 'paid'
            when channel = 'website' then 'website' else 'other' end},
        {'slice_by': 'icp', 'slice': case is_icp when true then 'ICP' when false then 'not ICP' else 'unknown' end},
        {'slice_by': 'target', 'slice': coalesce(target, 'not on the list')}, {'slice_by': 'tier', 'slice': coalesce(tier, 'not on the list')}],
        recursive := true), timed.* exclude (slice_by, slice)
    from timed where slice_by = '')
select * from timed union all by name select * from dimensions;

insert into readings
select 'meetings_booked', slice_by, slice, count(*), count(*), null, count(*) from meetings_sliced where what = 'booked' group by all
union all
select 'meetings_held', slice_by, slice, count(*), count(*), null, count(*) from meetings_sliced where what = 'begun' and outcome = 'held' group by all
union all
select 'meeting_held_rate', slice_by, slice, count(*) filter (outcome = 'held') / count(*), count(*) filter (outcome = 'held'), count(*), count(*)
from meetings_sliced where what = 'begun' and outcome <> 'scheduled' and slice_by in ('', 'channel', 'kind', 'month', 'quarter', 'year') group by all
union all
select 'icp_meeting_share', slice_by, slice, count(*) filter (is_icp) / count(*), count(*) filter (is_icp), count(*), count(*)
from meetings_sliced where what = 'booked' and is_known and slice_by in ('', 'channel', 'kind', 'month', 'quarter', 'year') group by all
union all
select 'target_account_meeting_share', slice_by, slice, count(*) filter (target = 'target') / count(*), count(*) filter (target = 'target'), count(*), count(*)
from meetings_sliced where what = 'booked' and is_known and slice_by in ('', 'channel', 'kind', 'month', 'quarter', 'year') group by all;

-- Attributes as of the start of this quarter and of each of the eight before.
create or replace table attributes_then as
with moments as (
    select quarter, day_from, starts_at from past union all select getvariable('quarter'), getvariable('q_from'), getvariable('q_start'))
select moments.quarter, accounts.account_id, case when seen.account_id is null then accounts.is_icp else seen.is_icp end as is_icp,
    coalesce(case when seen.account_id is null then accounts.segment else seen.segment end, 'unknown') as segment,
    coalesce(listed.tier, 'not on the list') as tier, coalesce(listed.programme, 'not on the list') as programme,
    case when listed.account_id is null then 'not on the list' else 'target' end as target
from moments cross join accounts
left join (
    select moments.quarter, account_changes.* from moments cross join account_changes
    qualify row_number() over (partition by moments.quarter, account_id order by changed_at <= moments.starts_at desc,
        case when changed_at <= moments.starts_at then -epoch(changed_at) else epoch(changed_at) end) = 1) seen
on seen.quarter = moments.quarter and seen.account_id = accounts.account_id
left join account_lists listed on listed.account_id = accounts.account_id and listed.is_target and listed.valid_from <= moments.day_from
    and (listed.valid_to is null or listed.valid_to > moments.day_from) and listed.recorded_at < getvariable('known')
where not coalesce(accounts.is_test, false);

-- Meetings held and what their accounts began within ninety days; accounts qualified and their meetings within ninety days.
create or replace table begun as
select account_id, created_at, local_day(created_at) as day from opportunities join attributes using (account_id) join state using (opportunity_id)
where not state.is_deleted;

create or replace table followed as
with held as (
    select meetings.*, local_day(starts_at) as day from meetings where outcome = 'held' and starts_at < getvariable('q_end'))
select 'meeting_to_opportunity_rate' as metric, quarters.label, quarters.day_to + 89 <= getvariable('q_to') as is_over, listed.tier,
    coalesce(channel, 'unknown') as channel, kind, case is_icp when true then 'ICP' when false then 'not ICP' else 'unknown' end as icp,
    coalesce(listed.target, 'not on the list') as target,
    exists (from begun where begun.account_id = held.account_id and begun.created_at >= held.starts_at and begun.day < held.day + 90) as is_followed
from held join quarters on day >= day_from and day < quarters.day_to semi join last_eight using (label)
left join attributes_then listed on listed.quarter = quarters.label and listed.account_id = held.account_id
union all
select 'mqa_meeting_rate', quarters.label, quarters.day_to + 89 <= getvariable('q_to'), listed.tier, null, null, null, null,
    exists (from held where held.account_id = qualified_accounts.account_id and kind <> 'call' and held.day >= qualified_accounts.day
        and held.starts_at >= qualified_accounts.qualified_at and held.day < qualified_accounts.day + 90)
from qualified_accounts join quarters on day >= day_from and day < quarters.day_to semi join last_eight using (label)
join attributes_then listed on listed.quarter = quarters.label and listed.account_id = qualified_accounts.account_id;

insert into readings
with newest as (
    select max(label) as label from last_eight join quarters using (label) where day_to + 89 <= getvariable('q_to')),
sliced as (
    select metric, unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'channel', 'slice': channel}, {'slice_by': 'kind', 'slice': kind},
        {'slice_by': 'icp', 'slice': icp}, {'slice_by': 'target', 'slice': target}], recursive := true), is_followed
    from followed join newest using (label) where metric = 'meeting_to_opportunity_rate'
    union all
    select metric, unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}], recursive := true), is_followed
    from followed join newest using (label) where metric = 'mqa_meeting_rate'
    union all
    select metric, 'cohort', label || if(is_over, '', ', not yet 90 days old'), is_followed from followed)
select metric, slice_by, slice, count(*) filter (is_followed) / count(*), count(*) filter (is_followed), count(*), count(*) from sliced group by all;

-- Days from qualifying to the first meeting booked from then on; whoever still waits has waited to the quarter's last day.
create or replace table mqa_waits as
with booked as (
    select qualified_accounts.account_id, min(local_day(booked_at)) as booked_on
    from qualified_accounts join meetings using (account_id)
    where rescheduled_from is null and booked_at >= qualified_at and booked_at < getvariable('q_end') group by all)
select account_id, tier, booked_on is not null as is_won, date_diff('day', day, coalesce(booked_on, getvariable('q_to') - 1)) as days
from qualified_accounts join attributes using (account_id) left join booked using (account_id)
where day >= (select min(day_from) from quarters join last_four using (label));

-- Next quarter: what a meeting was followed by a quarter later, and what came without one; each past quarter as it knew itself.
create or replace macro instant(day) as timezone('UTC', timezone(getvariable('zone'), cast(day as timestamp)));

create or replace table every_quarter as
select row_number() over (order by day_from) as place, quarters.*, instant(day_to) as ends_at,
    instant(day_to + cast(local_day(getvariable('known')) - getvariable('q_to') as integer)) as known
from quarters where day_to <= getvariable('q_to');

create or replace table created_then as
with qualified_then as (
    select place, opportunity_id, min(changed_at) as qualified_at, arg_min({'amount': amount, 'currency': currency}, changed_at) as first_state
    from every_quarter join changes on changed_at < ends_at and changes.recorded_at < every_quarter.known
    where is_open or is_won group by all),
state_then as (
    select place, opportunity_id, is_deleted from every_quarter join changes on changed_at < ends_at and changes.recorded_at < every_quarter.known
    qualify row_number() over (partition by place, opportunity_id order by changed_at desc) = 1)
select every_quarter.place, facts.opportunity_id, facts.account_id,
    priced(first_state.amount, first_state.currency, local_day(qualified_then.qualified_at)) as money
from qualified_then join every_quarter using (place) join state_then using (place, opportunity_id) join facts using (opportunity_id)
where local_day(qualified_then.qualified_at) >= day_from and business_type = 'new' and not state_then.is_deleted;

-- Each meeting that stood booked, when a quarter ended, for the one after it: the last booking of its chain by then.
create or replace table booked_ahead as
select place, account_id
from every_quarter join quarters following on following.day_from = every_quarter.day_to
join meetings on local_day(starts_at) >= following.day_from and local_day(starts_at) < following.day_to and local_day(booked_at) < every_quarter.day_to
where not exists (
    from meetings later where later.rescheduled_from = meetings.meeting_id and local_day(later.booked_at) < every_quarter.day_to);

create or replace table meetings_and_pipeline as
with held as (
    select place, count(*) as meetings, list(distinct account_id) as accounts
    from meetings join every_quarter on local_day(starts_at) >= day_from and local_day(starts_at) < day_to where outcome = 'held' group by all),
booked as (
    select place, count(*) as meetings, list(distinct account_id) as accounts from booked_ahead group by all),
split as (
    select created_then.*, list_contains(held.accounts, account_id) as is_after,
        not coalesce(list_contains(held.accounts, account_id), false) and list_contains(booked.accounts, account_id) as is_booked
    from created_then left join held on held.place = created_then.place - 1 left join booked on booked.place = created_then.place - 1)
select every_quarter.place, every_quarter.label, any_value(held.meetings) as meetings, count(opportunity_id) as opportunities,
    coalesce(any_value(booked.meetings), 0) as booked, count(opportunity_id) filter (is_booked) as opportunities_booked,
    coalesce(sum(money) filter (is_booked), 0) as money_booked,
    count(opportunity_id) filter (is_after) as opportunities_with, coalesce(sum(money), 0) as money,
    coalesce(sum(money) filter (is_after), 0) as money_with
from every_quarter join held on held.place = every_quarter.place - 1 left join booked on booked.place = every_quarter.place - 1
left join split on split.place = every_quarter.place
group by all;

insert into readings
with now as (select place, meetings, booked from (
    select max(place) + 1 as place from meetings_and_pipeline) join (
    select count(*) as meetings from meetings_sliced where what = 'begun' and outcome = 'held' and slice_by = '') on true join (
    select count(*) as booked from booked_ahead where place = (select max(place) from every_quarter)) on true),
asked as (
    select place, label, meetings, booked, opportunities, money from meetings_and_pipeline
    union all select place, '', meetings, booked, null, null from now),
learned as (
    select asked.label, any_value(asked.opportunities) as opportunities, any_value(asked.money) as money, any_value(asked.meetings) as n,
        round(any_value(asked.meetings) * sum(past.opportunities_with) / sum(past.meetings)
            + coalesce(any_value(asked.booked) * sum(past.opportunities_booked) / nullif(sum(past.booked), 0), 0)
            + sum(past.opportunities - past.opportunities_with - past.opportunities_booked) / count(*), 0) as expected_count,
        round(any_value(asked.meetings) * sum(past.money_with) / sum(past.meetings)
            + coalesce(any_value(asked.booked) * sum(past.money_booked) / nullif(sum(past.booked), 0), 0)
            + sum(past.money - past.money_with - past.money_booked) / count(*), 2) as expected_money
    from asked join meetings_and_pipeline past on past.place < asked.place and past.place >= asked.place - 8
    group by asked.label having count(*) >= 4)
select 'next_quarter_opportunities_forecast', '', '', expected_count, null, null, n from learned where label = ''
union all
select 'next_quarter_pipeline_forecast', '', '', expected_money, null, null, n from learned where label = ''
union all
select 'next_quarter_pipeline_forecast', 'outcome', 'pipeline', expected_money, null, null, n from learned where label = ''
union all
select 'next_quarter_pipeline_forecast', 'outcome', 'revenue', round(expected_money * rate.value, 2), null, null, learned.n from learned, readings rate
where label = '' and rate.metric = 'win_rate_cohort' and rate.slice_by = ''
union all
select 'next_quarter_pipeline_forecast', 'outcome', 'with_open_pipeline', round(expected_money + stock.value, 2), null, null, learned.n
from learned, readings stock where label = '' and stock.metric = 'open_pipeline' and stock.slice_by = 'business_type' and stock.slice = 'new'
union all
select 'next_quarter_opportunities_forecast', 'creation_quarter/record', label || '/expected', expected_count, null, null, n
from learned where label in (select label from last_eight)
union all
select 'next_quarter_opportunities_forecast', 'creation_quarter/record', label || '/came', opportunities, null, null, n
from learned where label in (select label from last_eight)
union all
select 'next_quarter_pipeline_forecast', 'creation_quarter/record', label || '/expected', expected_money, null, null, n
from learned where label in (select label from last_eight)
union all
select 'next_quarter_pipeline_forecast', 'creation_quarter/record', label || '/came', money, null, null, n
from learned where label in (select label from last_eight);

insert into readings
with learned as (
    select sum(meetings) as meetings, sum(money_with) as money_with from meetings_and_pipeline
    where place > (select max(place) - 8 from meetings_and_pipeline) having count(*) >= 4)
select 'meetings_to_close_gap', '', '', ceil(gap.value * meetings / money_with / rate.value - 1e-9), null, null, meetings
from readings gap, readings rate, learned
where gap.metric = 'pipeline_gap' and gap.slice_by = '' and rate.metric = 'meeting_held_rate' and rate.slice_by = '' and rate.value > 0 and money_with > 0;
