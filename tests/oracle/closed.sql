-- Opportunities won and lost, by their close date.

create or replace table closed as
select facts.*, state.is_won, state.close_on as day, state.amount, state.currency, priced(state.amount, state.currency, state.close_on) as money,
    local_day(qualified.qualified_at) as qualified_on,
    priced(last_amounts.amount, last_amounts.currency, state.close_on) as last_money,
    not state.is_won and coalesce(facts.loss_reason in (select reason from disqualified), false) as is_disqualified
from state join facts using (opportunity_id) join qualified using (opportunity_id)
left join (
    select * from changes where changed_at < getvariable('q_end') and recorded_at < getvariable('known') and amount > 0
    qualify row_number() over (partition by opportunity_id order by changed_at desc) = 1) last_amounts using (opportunity_id)
where (state.is_won or state.is_lost) and not state.is_deleted and state.close_on < getvariable('q_to');

create or replace table closed_sliced as
with timed as (
    select spans.window, spans.slice_by, spans.slice, closed.*
    from closed join spans on day >= spans.day_from and day < spans.day_to),
dimensions as (
    select unnest([
        {'slice_by': 'source_owner', 'slice': source_owner}, {'slice_by': 'channel', 'slice': source_channel}, {'slice_by': 'tier', 'slice': tier},
        {'slice_by': 'business_type', 'slice': business_type}, {'slice_by': 'segment', 'slice': segment}, {'slice_by': 'programme', 'slice': programme},
        {'slice_by': 'target', 'slice': target}, {'slice_by': 'campaign', 'slice': coalesce(campaign, 'unknown')},
        {'slice_by': 'icp', 'slice': case is_icp when true then 'ICP' when false then 'not ICP' else 'unknown' end},
        {'slice_by': 'competitor', 'slice': coalesce(competitor, 'none named')}, {'slice_by': 'owner', 'slice': coalesce(owner_label, 'unknown')},
        {'slice_by': 'loss_reason', 'slice': coalesce(loss_reason, 'not stated')}, {'slice_by': 'win_reason', 'slice': coalesce(win_reason, 'not stated')},
        {'slice_by': 'promotion', 'slice': coalesce(promotion, 'no promotion')}, {'slice_by': 'region', 'slice': region}], recursive := true), timed.* exclude (slice_by, slice)
    from timed where slice_by = '')
select * from timed union all by name select * from dimensions;

insert into readings
with won as (select * from closed_sliced where is_won and "window" = 'quarter'
    and slice_by in ('', 'month', 'quarter', 'year', 'segment', 'tier', 'business_type', 'source_owner', 'programme', 'target', 'region')),
marketing as (select * from closed_sliced where is_won and "window" = 'quarter' and business_type = 'new' and source_owner = 'marketing'
    and slice_by in ('', 'month', 'quarter', 'year', 'segment', 'channel', 'campaign'))
select 'closed_won_revenue', slice_by, slice, sum(money), sum(money), null, count(*) from won group by all
union all
select 'deals_won', slice_by, slice, count(*), count(*), null, count(*) from won group by all
union all
select 'marketing_sourced_revenue', slice_by, slice, sum(money), sum(money), null, count(*) from marketing group by all;

-- A new customer's first deal ever; one that was a customer before the data begin is none.
insert into readings
with firsts as (
    select account_id, min(day) as first_day from closed where is_won group by all),
customers as (
    select closed_sliced.* from closed_sliced join firsts using (account_id) join accounts using (account_id)
    where is_won and "window" = 'quarter' and closed_sliced.day = firsts.first_day
        and (accounts.customer_since is null or accounts.customer_since >= firsts.first_day))
select 'new_customers', slice_by, slice, count(distinct account_id), count(distinct account_id), null, count(distinct account_id)
from customers where slice_by in ('', 'month', 'quarter', 'year', 'segment', 'tier', 'business_type', 'source_owner', 'programme', 'target') group by all;

insert into readings
with won as (select * from closed_sliced where is_won and "window" = 'quarter' and business_type = 'new')
select 'marketing_sourced_revenue_share', slice_by, slice, coalesce(sum(money) filter (source_owner = 'marketing'), 0) / sum(money),
    coalesce(sum(money) filter (source_owner = 'marketing'), 0), sum(money), count(*)
from won where slice_by in ('', 'month', 'quarter', 'year', 'segment') group by all having sum(money) > 0
union all
select 'marketing_sourced_revenue_share', slice_by, slice, coalesce(sum(money) filter (source_owner = 'marketing'), 0) / any_value(whole),
    coalesce(sum(money) filter (source_owner = 'marketing'), 0), any_value(whole), count(*)
from won, (select sum(money) as whole from won where slice_by = '') where slice_by in ('channel', 'campaign') and whole > 0 group by all
union all
select 'marketing_sourced_revenue_share', slice_by, slice, sum(money) / any_value(whole), sum(money), any_value(whole), count(*)
from won, (select sum(money) as whole from won where slice_by = '') where slice_by = 'source_owner' and whole > 0 group by all;

-- Win rates over the canonical period; time slices over their own spans.
create or replace table contests as
select * from closed_sliced where business_type = 'new' and not is_disqualified
    and "window" = case when slice_by in ('month', 'quarter', 'year') then 'quarter' else 'canonical' end;

insert into readings
select 'win_rate_closed', slice_by, slice, count(*) filter (is_won) / count(*), count(*) filter (is_won), count(*), count(*)
from contests where slice_by in ('', 'month', 'quarter', 'year', 'segment', 'icp', 'competitor', 'source_owner', 'tier', 'target', 'owner') group by all
union all
select 'sourced_opportunity_win_rate', slice_by, slice, count(*) filter (is_won) / count(*), count(*) filter (is_won), count(*), count(*)
from contests where (slice_by = 'source_owner' or source_owner = 'marketing') and slice_by in ('', 'month', 'quarter', 'year', 'channel', 'source_owner') group by all
union all
select 'sourced_opportunity_win_rate', 'form', 'closed', count(*) filter (is_won) / count(*), count(*) filter (is_won), count(*), count(*)
from contests where source_owner = 'marketing' and slice_by = '' having count(*) > 0
union all
select 'win_rate_closed_value', slice_by, slice, coalesce(sum(last_money) filter (is_won), 0) / sum(last_money), coalesce(sum(last_money) filter (is_won), 0), sum(last_money), count(last_money)
from contests where slice_by in ('', 'month', 'quarter', 'year', 'segment', 'icp', 'competitor', 'source_owner', 'tier', 'target', 'owner') group by all
having sum(last_money) > 0 and (count(*) filter (not is_won) = 0
    or count(last_money) filter (not is_won) >= 0.9 * count(*) filter (not is_won));

-- Reasons, in the quarter.
insert into readings
with lost as (select * from closed_sliced where "window" = 'quarter' and business_type = 'new' and not is_won and not is_disqualified),
won as (select * from closed_sliced where "window" = 'quarter' and business_type = 'new' and is_won)
select 'loss_reason_share', slice_by, slice, count(*) / any_value(whole), count(*), any_value(whole), any_value(whole)
from lost, (select count(*) as whole from lost where slice_by = '') where slice_by in ('loss_reason', 'competitor') group by all
union all
select 'win_reason_share', slice_by, slice, count(*) / any_value(whole), count(*), any_value(whole), any_value(whole)
from won, (select count(*) as whole from won where slice_by = '') where slice_by = 'win_reason' group by all;

-- Prices, yearly values and days of the deals won.
insert into readings
with won as (
    select *, case when annual_value is not null then priced(annual_value, currency, day)
        when term_months > 0 then priced((amount - coalesce(one_off_amount, 0)) * 12 / term_months, currency, day) end as yearly,
        date_diff('day', qualified_on, day) as days
    from closed_sliced where "window" = 'quarter' and business_type = 'new' and is_won)
select 'average_selling_price', slice_by, slice, avg(cast(money as double)), sum(money), count(money), count(money)
from won where slice_by in ('', 'source_owner', 'tier', 'target', 'month', 'quarter', 'year') group by all having count(money) > 0
union all
select 'average_selling_price', 'statistic', 'median', median(cast(money as double)), null, null, count(money)
from won where slice_by = '' having count(money) > 0
union all
select 'average_contract_value', slice_by, slice, avg(cast(yearly as double)), sum(yearly), count(yearly), count(yearly)
from won where slice_by in ('', 'source_owner', 'target', 'segment', 'quarter', 'year') group by all having count(yearly) >= 0.8 * count(*)
union all
select 'average_contract_value', 'statistic', 'median', median(cast(yearly as double)), null, null, count(yearly)
from won where slice_by = '' having count(yearly) >= 0.8 * count(*) and count(*) > 0
union all
select 'sales_cycle_days_won', slice_by, slice, sum(days) / count(*), sum(days), count(*), count(*)
from won where slice_by in ('', 'segment', 'source_owner', 'target', 'promotion') group by all
union all
select 'sales_cycle_days_won', slice_by, slice, avg(days), sum(days), count(*), count(*)
from (select *, date_diff('day', qualified_on, day) as days from closed_sliced where "window" = 'quarter' and is_won and slice_by = 'business_type') group by all
union all
select 'promotion_wins', slice_by, slice, count(distinct account_id), count(distinct account_id), null, count(distinct account_id)
from won where is_promotion and slice_by in ('', 'promotion') group by all
union all
select 'promotion_win_share', slice_by, slice, count(*) filter (is_promotion) / any_value(whole), count(*) filter (is_promotion), any_value(whole), any_value(whole)
from won, (select count(*) as whole from won where slice_by = '') where slice_by in ('', 'promotion') and whole > 0 group by all;

-- Yearly values of what was won beside those of what was created, each at its own day's rate; half of them suffice.
insert into readings
with both_populations as (
    select 'won' as population, opportunity_id, source_owner, amount, currency, one_off_amount, term_months, annual_value, day
    from closed_sliced where slice_by = '' and "window" = 'quarter' and business_type = 'new' and is_won
    union all
    select 'created', created.opportunity_id, source_owner, qualified.amount, state.currency, one_off_amount, term_months, annual_value, day
    from created join qualified using (opportunity_id) join state using (opportunity_id)
    where business_type = 'new' and day >= getvariable('q_from') and day < getvariable('q_to')),
valued as (
    select *, case when annual_value is not null then priced(annual_value, currency, day)
        when term_months > 0 then priced((amount - coalesce(one_off_amount, 0)) * 12 / term_months, currency, day) end as yearly
    from both_populations),
sliced as (
    select unnest([{'slice_by': 'population', 'slice': population}, {'slice_by': 'population/source_owner', 'slice': population || '/' || source_owner}], recursive := true), yearly
    from valued)
select 'average_contract_value', slice_by, slice, avg(cast(yearly as double)), sum(yearly), count(yearly), count(yearly)
from sliced group by all having count(yearly) >= 0.5 * count(*);

-- Attainment against the quarter's targets.
insert into readings
with goals as (
    select metric, coalesce(slice_by, '') as slice_by, coalesce(slice, '') as slice, value from targets
    where period = getvariable('quarter') and coalesce(kind, 'target') = 'target'),
won as (
    select slice_by, slice, sum(money) as money, count(*) as n from closed_sliced
    where is_won and "window" = 'quarter' and slice_by in ('', 'segment') group by all
    union all
    select 'source_owner', 'marketing', sum(money), count(*) from closed_sliced
    where is_won and "window" = 'quarter' and slice_by = '' and business_type = 'new' and source_owner = 'marketing')
select 'revenue_target_attainment', 'year', getvariable('quarter')[:4], sum(money) / goal, sum(money), goal, count(*)
from closed_sliced, (
    select sum(value) as goal from targets join quarters on quarters.label = period
    where metric = 'closed_won_revenue' and slice_by is null and coalesce(kind, 'target') = 'target'
        and quarters.label[:4] = getvariable('quarter')[:4] and quarters.label <= getvariable('quarter'))
where is_won and "window" = 'quarter' and slice_by = 'year' and goal > 0 group by goal
union all
select 'revenue_target_attainment', 'as_of_day', lpad(n::varchar, 2, '0'), coalesce(sum(money) filter (by_then), 0) / value,
    coalesce(sum(money) filter (by_then), 0), value, count(*) filter (by_then)
from (
    select n, money, day - getvariable('q_from') < n as by_then
    from closed_sliced, (select unnest([1, 5, 15, 30, 45, 60, 75, 90]) as n)
    where is_won and "window" = 'quarter' and slice_by = '' and n <= getvariable('q_to') - getvariable('q_from')), goals
where goals.metric = 'closed_won_revenue' and goals.slice_by = '' and value > 0 group by n, value
union all
select 'revenue_target_attainment', closed_sliced.slice_by, closed_sliced.slice, sum(money) / value, sum(money), value, count(*)
from closed_sliced join targets on targets.period = closed_sliced.slice
where is_won and "window" = 'quarter' and closed_sliced.slice_by = 'month' and targets.metric = 'closed_won_revenue' and targets.slice_by is null
    and coalesce(kind, 'target') = 'target' and value > 0 group by closed_sliced.slice_by, closed_sliced.slice, value
union all
select 'revenue_target_attainment', won.slice_by, won.slice, money / value, money, value, n
from won join goals on (goals.metric = 'closed_won_revenue' and goals.slice_by = won.slice_by and goals.slice = won.slice)
    or (goals.metric = 'marketing_sourced_revenue' and goals.slice_by = '' and won.slice_by = 'source_owner')
where value > 0;
