-- Stages of target accounts: where they stand, how they moved, how long they stayed; demos.

insert into readings
select 'accounts_by_stage', slice_by, slice, count(*), count(*), null, count(*)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'stage', 'slice': coalesce(stage, 'cold')}, {'slice_by': 'tier', 'slice': tier},
        {'slice_by': 'stage/tier', 'slice': coalesce(stage, 'cold') || '/' || tier}], recursive := true)
    from listed_on(getvariable('q_to') - 1) left join stage_before(getvariable('q_end')) using (account_id))
group by all;

insert into readings
with over_quarter as (
    select coalesce(before.rank, 1) as rank_before, coalesce(after.rank, 1) as rank_after
    from listed_on(getvariable('q_from')) left join stage_before(getvariable('q_start')) before using (account_id)
    left join stage_before(getvariable('q_end')) after using (account_id)),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'programme', 'slice': programme}], recursive := true), rose, fell
    from moved
    union all
    select 'window', 'quarter', rank_after > rank_before, rank_after < rank_before and not (rank_before = 7 and rank_after = 6) from over_quarter
    union all
    select 'denominator', 'eligible', rose, fell from moved where rank_before < 7)
select 'accounts_progressed_rate', slice_by, slice, count(*) filter (rose) / count(*), count(*) filter (rose), count(*), count(*) from sliced group by all
union all
select 'accounts_regressed_rate', slice_by, slice, count(*) filter (fell) / count(*), count(*) filter (fell), count(*), count(*)
from sliced where slice_by in ('', 'tier', 'window') group by all;

-- Entries into a stage by accounts on the list when the quarter of entry began, and whether a later stage followed within 180 days.
create or replace table cohorts as
with entries as (
    select quarters.label, quarters.day_to, entered.*, local_day(entered.entered_at) as day
    from account_stages_ranked entered join quarters on local_day(entered_at) >= quarters.day_from and local_day(entered_at) < quarters.day_to
    semi join last_eight using (label)
    semi join account_lists on account_lists.account_id = entered.account_id and is_target and valid_from <= quarters.day_from
        and (valid_to is null or valid_to > quarters.day_from) and account_lists.recorded_at < getvariable('known')),
followed as (
    select entries.*, exists (
        from account_stages_ranked later where later.account_id = entries.account_id and later.rank > entries.rank
            and later.entered_at > entries.entered_at and local_day(later.entered_at) <= entries.day + 180) as rose
    from entries where stage <> 'renewal')
select label, stage, count(*) as n, count(*) filter (rose) as k, any_value(day_to) + 180 <= getvariable('q_to') as is_over from followed group by label, stage;

insert into readings
select 'stage_conversion_rate', 'stage/entry_quarter', stage || '/' || label, k / n, k, n, n from cohorts where is_over
union all
select 'stage_conversion_rate', 'stage', stage, k / n, k, n, n from cohorts
where is_over and label = (select max(label) from last_eight join quarters using (label) where day_to + 180 <= getvariable('q_to'));

create or replace table stays as
with following as (
    select *, lead(entered_at) over (partition by account_id order by entered_at) as left_at from account_stages_ranked),
first_owners as (
    select account_id, arg_min(source_owner, (qualified_at, opportunity_id)) as source_owner from created where business_type = 'new' group by all)
select account_id, stage, left_at is not null as is_won, coalesce(source_owner, 'no opportunity') as source_owner,
    date_diff('day', local_day(entered_at), coalesce(local_day(left_at), getvariable('q_to') - 1)) as days
from following left join first_owners using (account_id) semi join (
    select account_id from listed_on((select min(day_from) from quarters join last_four using (label)))) listed using (account_id)
where local_day(entered_at) >= (select min(day_from) from quarters join last_four using (label));

-- Demos: request to booking, and demo to opportunity.
insert into readings
with demos as (
    select date_diff('day', local_day(requested_at), local_day(booked_at)) as days, local_day(booked_at) as day, coalesce(meetings.channel, 'unknown') as channel,
        coalesce(owner, 'unknown') as source_owner
    from meetings left join channel_owners on channel_owners.channel = meetings.channel
    where kind = 'demo' and requested_at is not null and rescheduled_from is null),
timed as (
    select spans.slice_by, spans.slice, demos.* from demos join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to),
sliced as (
    select slice_by, slice, days from timed
    union all
    select unnest([{'slice_by': 'channel', 'slice': channel}, {'slice_by': 'source_owner', 'slice': source_owner}], recursive := true), days
    from timed where slice_by = '')
select 'demo_request_to_schedule_days', slice_by, slice, median(days), null, null, count(*) from sliced group by all;

insert into readings
with held as (
    select facts.opportunity_id, local_day(facts.created_at) as day, max(meetings.starts_at) as demo_at,
        coalesce(sources.channel, facts.channel, answer_channels.channel, 'unknown') as source_channel,
        coalesce(sources.owner, channel_owners.owner, 'unknown') as source_owner
    from facts left join opportunity_sources sources using (opportunity_id) left join answer_channels on answer_channels.answer = facts.source
    left join channel_owners on channel_owners.channel = coalesce(facts.channel, answer_channels.channel)
    join state using (opportunity_id) join meetings using (account_id)
    where business_type = 'new' and not state.is_deleted and meetings.kind = 'demo' and outcome = 'held' and starts_at <= facts.created_at
        and local_day(starts_at) >= local_day(facts.created_at) - 365
    group by all),
timed as (
    select spans.slice_by, spans.slice, held.*, date_diff('day', local_day(demo_at), day) as days
    from held join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to)
select 'demo_to_opportunity_days', slice_by, slice, median(days), null, null, count(*) from timed where slice_by <> '' group by all;

-- Demos held, each until new business was created at the account, the next demo with it, a year, or the quarter's last day.
create or replace table demo_waits as
with held as (
    select meeting_id, account_id, starts_at, coalesce(meetings.channel, 'unknown') as channel, coalesce(owner, 'unknown') as source_owner,
        lead(starts_at) over (partition by account_id order by starts_at, meeting_id) as next_at
    from meetings left join channel_owners on channel_owners.channel = meetings.channel
    where kind = 'demo' and outcome = 'held' and account_id is not null),
made as (
    select meeting_id, min(local_day(facts.created_at)) as made_on
    from held join facts using (account_id) join state using (opportunity_id)
    where business_type = 'new' and not state.is_deleted and facts.created_at >= starts_at and coalesce(facts.created_at < next_at, true)
        and local_day(facts.created_at) <= local_day(starts_at) + 365
    group by all)
select held.*, made_on is not null as is_won, false as is_lost, least(365, date_diff('day', local_day(starts_at), coalesce(made_on,
    case when local_day(next_at) < getvariable('q_to') then local_day(next_at) else getvariable('q_to') - 1 end))) as days
from held left join made using (meeting_id)
where local_day(starts_at) >= (select min(day_from) from quarters join last_four using (label)) and local_day(starts_at) < getvariable('q_to');

insert into readings
select 'demo_to_opportunity_days', 'naive', 'mean of those that came', sum(days) / count(*), sum(days), count(*), count(*)
from demo_waits where is_won having count(*) > 0
union all
select 'stage_median_days', 'stage/naive', stage || '/mean of those that are over', sum(days) / count(*), sum(days), count(*), count(*)
from stays where is_won group by stage;
