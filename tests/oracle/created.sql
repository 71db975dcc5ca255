-- Opportunities that became qualified: counts, money, averages.

create or replace table created as
select facts.*, local_day(qualified.qualified_at) as day, qualified.qualified_at, priced(qualified.amount, qualified.currency, local_day(qualified.qualified_at)) as money
from qualified join facts using (opportunity_id) join state using (opportunity_id)
where not state.is_deleted;

create or replace table created_sliced as
with timed as (
    select spans.slice_by, spans.slice, created.*
    from created join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to),
dimensions as (
    select unnest([
        {'slice_by': 'source_owner', 'slice': source_owner}, {'slice_by': 'channel', 'slice': source_channel}, {'slice_by': 'tier', 'slice': tier},
        {'slice_by': 'business_type', 'slice': business_type}, {'slice_by': 'segment', 'slice': segment}, {'slice_by': 'programme', 'slice': programme},
        {'slice_by': 'target', 'slice': target}, {'slice_by': 'source_detail', 'slice': source_detail}, {'slice_by': 'campaign', 'slice': campaign},
        {'slice_by': 'region', 'slice': region}],
        recursive := true), timed.* exclude (slice_by, slice)
    from timed where slice_by = '')
select * replace (coalesce(slice, 'unknown') as slice) from (select * from timed union all by name select * from dimensions)
where business_type = 'new' or slice_by = 'business_type';

insert into readings
select 'opportunities_created', slice_by, slice, count(*), count(*), null, count(distinct account_id)
from created_sliced where slice_by not in ('source_detail', 'campaign') group by all
union all
select 'pipeline_created', slice_by, slice, sum(money), sum(money), null, count(distinct account_id)
from created_sliced where slice_by not in ('source_detail', 'campaign') group by all having count(money) > 0
union all
select 'marketing_sourced_opportunities', slice_by, slice, count(*), count(*), null, count(*)
from created_sliced where source_owner = 'marketing' and slice_by in ('', 'month', 'quarter', 'year', 'channel', 'source_detail', 'segment', 'campaign') group by all
union all
select 'marketing_sourced_pipeline', slice_by, slice, sum(money), sum(money), null, count(*)
from created_sliced where source_owner = 'marketing' and slice_by in ('', 'month', 'quarter', 'year', 'channel', 'source_detail', 'segment', 'campaign')
group by all having count(money) > 0
union all
select 'marketing_sourced_pipeline_share', slice_by, slice, coalesce(sum(money) filter (source_owner = 'marketing'), 0) / sum(money),
    coalesce(sum(money) filter (source_owner = 'marketing'), 0), sum(money), count(*)
from created_sliced where slice_by in ('', 'month', 'quarter', 'year', 'segment') group by all having sum(money) > 0
union all
select 'marketing_sourced_pipeline_share', slice_by, slice,
    coalesce(sum(money) filter (slice_by = 'source_owner' or source_owner = 'marketing'), 0) / any_value(whole),
    coalesce(sum(money) filter (slice_by = 'source_owner' or source_owner = 'marketing'), 0), any_value(whole), count(*)
from created_sliced, (select sum(money) as whole from created_sliced where slice_by = '')
where slice_by in ('source_owner', 'channel', 'campaign') and whole > 0 group by all
having count(money) filter (slice_by = 'source_owner' or source_owner = 'marketing') > 0 or count(*) filter (slice_by = 'source_owner' or source_owner = 'marketing') = 0
union all
select 'average_deal_size', slice_by, slice, avg(cast(money as double)), sum(money), count(money), count(money)
from created_sliced where slice_by in ('', 'source_owner', 'tier', 'target', 'segment') group by all having count(money) > 0
union all
select 'average_deal_size', 'statistic', 'median', median(cast(money as double)), null, null, count(money)
from created_sliced where slice_by = '' having count(money) > 0
union all
select 'average_deal_size', 'source_owner/statistic', slice || '/median', median(cast(money as double)), null, null, count(money)
from created_sliced where slice_by = 'source_owner' group by slice having count(money) > 0;

-- Touches of the account before qualification: who was influenced, and how long it took.
create or replace table touched as
select created.opportunity_id, touches.channel, touches.person_id, touches.is_response, touches.touched_at
from created join touches on touches.account_id = created.account_id and touches.touched_at < created.qualified_at
where created.business_type = 'new' and created.day >= getvariable('q_from') and touches.kind <> 'impression';

create or replace table influenced as
with windowed as (
    select touched.* from touched join created using (opportunity_id)
    where local_day(touched_at) >= created.day - 180),
by_rule as (
    select 'default' as rule, opportunity_id from windowed where is_response group by opportunity_id
    having count(*) >= 3 and count(distinct person_id) >= 2
    union all
    select 'any_touch', opportunity_id from windowed group by opportunity_id having count(*) >= 1)
select by_rule.rule, created.* from by_rule join created using (opportunity_id);

insert into readings
with sliced as (
    select '' as slice_by, '' as slice, opportunity_id, money from influenced where rule = 'default'
    union all
    select 'rule', rule, opportunity_id, money from influenced
    union all
    select distinct 'channel', touched.channel, influenced.opportunity_id, money
    from influenced join touched using (opportunity_id)
    where rule = 'default' and touched.is_response and local_day(touched.touched_at) >= influenced.day - 180),
whole as (select sum(money) as money, count(*) as n from created where business_type = 'new' and day >= getvariable('q_from'))
select 'influenced_pipeline', slice_by, slice, sum(money), sum(money), null, count(*) from sliced group by all having count(money) > 0
union all
select 'influenced_pipeline_share', slice_by, slice, coalesce(sum(sliced.money), 0) / any_value(whole.money), coalesce(sum(sliced.money), 0), any_value(whole.money), any_value(whole.n)
from sliced, whole where whole.money > 0 group by all having count(sliced.money) > 0;

insert into readings
select 'influenced_target_accounts', slice_by, slice, count(distinct account_id), count(distinct account_id), null, count(distinct account_id)
from (
    select '' as slice_by, '' as slice, account_id from influenced where rule = 'default' and target = 'target'
    union all select 'rule', rule, account_id from influenced where target = 'target'
    union all select 'tier', tier, account_id from influenced where rule = 'default' and target = 'target')
group by all;

-- Accounts on their way to their first new business: from the first touch after a year without one, and from each MQA.
create or replace table generation_waits as
with first_new as (
    select account_id, min(qualified_at) as qualified_at, min(day) as day from created where business_type = 'new' group by all),
moments as (
    select account_id, touched_at as began_at, min(coalesce(channel, 'unknown')) as channel
    from touches where kind <> 'impression' and account_id is not null and is_real(account_id) group by all),
spells as (
    select * from moments
    qualify coalesce(local_day(began_at) - lag(local_day(began_at)) over (partition by account_id order by began_at) > 365, true)),
begun as (
    select 'first touch' as began, account_id, began_at, channel, null as recorded_at from spells
    union all
    select 'mqa', account_id, entered_at, null, recorded_at from account_stages where stage = 'mqa' and is_real(account_id)),
following as (
    select *, lead(began_at) over (partition by began, account_id order by began_at) as next_at from begun)
select began, account_id, began_at, channel, tier, coalesce(qualified_at <= next_at, qualified_at is not null) as is_won, false as is_lost,
    date_diff('day', local_day(began_at), case when coalesce(qualified_at <= next_at, qualified_at is not null) then first_new.day
        when local_day(next_at) < getvariable('q_to') then local_day(next_at) else getvariable('q_to') - 1 end) as days
from following left join first_new using (account_id) join attributes using (account_id)
where (qualified_at is null or qualified_at > began_at or (began = 'mqa' and qualified_at = began_at))
    and coalesce(following.recorded_at < getvariable('known'), true)
    and local_day(began_at) >= (select min(day_from) from quarters join last_eight using (label)) and local_day(began_at) < getvariable('q_to');

insert into readings
select 'pipeline_generation_days', 'naive', 'mean of those that came', sum(days) / count(*), sum(days), count(*), count(*)
from generation_waits where began = 'first touch' and is_won having count(*) > 0;
