-- Target accounts against accounts alike: who had new business qualified within four quarters, and within the four before.

create or replace table lift_spans as
select * from (
    select 'after' as period, min(day_from) as day_from, max(day_to) as day_to from every_quarter where place > (select max(place) - 4 from every_quarter)
    union all
    select 'before', min(day_from), max(day_to) from every_quarter
    where place between (select max(place) - 7 from every_quarter) and (select max(place) - 4 from every_quarter));

set variable lift_from = (select day_from from lift_spans where period = 'after');
set variable lift_start = (select instant(getvariable('lift_from')));

-- Accounts as they stood then, without those that had been won, with whether somebody there had acted in the 90 days before.
create or replace table lift_accounts as
with won as (
    select opportunities.account_id, min(close_on) as won_on
    from state join opportunities using (opportunity_id) where is_won and not is_deleted group by all),
busy as (select distinct account_id from acts where day >= getvariable('lift_from') - 90 and day < getvariable('lift_from'))
select stood.account_id, stood.segment, stood.industry, busy.account_id is not null as was_busy, listed.account_id is not null as is_target
from wide_then(getvariable('lift_start')) stood join accounts using (account_id)
left join listed_on(getvariable('lift_from')) listed using (account_id) left join won using (account_id) left join busy using (account_id)
where stood.lives and not coalesce(least(won_on, accounts.customer_since) < getvariable('lift_from'), false);

create or replace table lift_business as
select distinct period, facts.account_id
from qualified join state using (opportunity_id) join facts using (opportunity_id)
join lift_spans on local_day(qualified.qualified_at) >= day_from and local_day(qualified.qualified_at) < day_to
where business_type = 'new' and not state.is_deleted;

-- Of each cell that has both kinds; an account off the list weighs as many targets as its cell has for each of it.
insert into readings
with cells as (
    select period, segment, industry, was_busy, count(*) filter (is_target) as targets, count(*) filter (not is_target) as others,
        count(*) filter (is_target and lift_business.account_id is not null) as targets_had,
        count(*) filter (not is_target and lift_business.account_id is not null) as others_had
    from lift_accounts cross join lift_spans left join lift_business using (period, account_id) group by all
    having targets > 0 and others > 0),
sums as (
    select period, sum(targets_had) as k, sum(targets) as n, sum(targets * others_had / others) / sum(targets) as rate,
        sum(targets) ** 2 / sum(targets ** 2 / others) as worth, sum(others) as counted
    from cells group by all)
select 'target_account_lift', slice_by, slice, k / n - rate, k, n, n + worth from (
    select *, 'period' as slice_by, period as slice from sums
    union all select *, '', '' from sums where period = 'after')
where counted >= 30;
