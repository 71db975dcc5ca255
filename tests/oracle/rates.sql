-- The same amounts, each at the rate of the same day a year before (29 February: of the 28th).

create or replace table at_earlier_rates as
with won as (
    select closed.*, state.amount as own, day as rated_on from closed join state using (opportunity_id)
    where closed.is_won and day >= getvariable('q_from')),
made as (
    select created.*, qualified.amount as own, qualified.currency as own_currency, day as rated_on
    from created join qualified using (opportunity_id) where business_type = 'new' and day >= getvariable('q_from')),
sums as (
    select 'closed_won_revenue' as metric, own, currency, rated_on, opportunity_id as counted from won
    union all
    select 'marketing_sourced_revenue', own, currency, rated_on, opportunity_id from won where business_type = 'new' and source_owner = 'marketing'
    union all
    select 'pipeline_created', own, own_currency, rated_on, account_id from made
    union all
    select 'marketing_sourced_pipeline', own, own_currency, rated_on, opportunity_id from made where source_owner = 'marketing'
    union all
    select 'open_pipeline', state.amount, state.currency, getvariable('q_to') - 1, opportunity_id from open_now join state using (opportunity_id)
    union all
    select 'ad_spend', cost, currency, day, rowid::varchar from ad_days where day >= getvariable('q_from') and day < getvariable('q_to'))
select metric, counted, priced(own, currency, cast(rated_on - interval 1 year as date)) as money from sums;

insert into readings
select metric, 'exchange_rates', 'of the year before', sum(money), sum(money), null, count(distinct counted)
from at_earlier_rates group by metric having count(money) > 0;
