-- Ads: ad_days in the spans of the quarter, companies and titles of the quarter.

create or replace table ads_sliced as
with priced_days as (
    select ad_days.*, campaigns.name as campaign, campaigns.programme, priced(cost, ad_days.currency, day) as spend
    from ad_days left join campaigns using (campaign_id)),
timed as (
    select spans.slice_by, spans.slice, priced_days.*
    from priced_days join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to),
dimensions as (
    select unnest([
        {'slice_by': 'channel', 'slice': channel}, {'slice_by': 'ad_type', 'slice': ad_type},
        {'slice_by': 'campaign', 'slice': campaign}, {'slice_by': 'programme', 'slice': programme}], recursive := true), timed.* exclude (slice_by, slice)
    from timed where slice_by = '')
select slice_by, coalesce(slice, 'unknown') as slice, sum(impressions) as impressions, sum(clicks) as clicks, sum(spend) as spend, count(spend) as priced_rows,
    count(*) as all_rows
from (select * from timed union all by name select * from dimensions)
group by all;

insert into readings
select 'ad_impressions', slice_by, slice, impressions, impressions, null, impressions from ads_sliced where slice_by in ('', 'channel', 'ad_type', 'campaign')
union all
select 'ad_clicks', slice_by, slice, clicks, clicks, null, clicks from ads_sliced where slice_by in ('', 'channel', 'ad_type', 'campaign')
union all
select 'ad_spend', slice_by, slice, spend, spend, null, all_rows from ads_sliced where slice_by in ('', 'channel', 'ad_type', 'campaign')
union all
select 'ad_click_rate', slice_by, slice, clicks / impressions, clicks, impressions, impressions from ads_sliced where impressions > 0
union all
select 'ad_cost_per_thousand', slice_by, slice, spend * 1000 / impressions, spend, impressions / 1000, impressions from ads_sliced where impressions > 0
union all
select 'ad_cost_per_click', slice_by, slice, spend / clicks, spend, clicks, clicks from ads_sliced where clicks > 0;

-- Target accounts at the quarter's start, and what each was served in the quarter.
create or replace table served as
select account_id, channel, sum(impressions) as impressions, sum(clicks) + sum(coalesce(reactions, 0)) > 0 as engaged
from ad_account_days where account_id is not null and day >= getvariable('q_from') and day < getvariable('q_to')
group by all;

create or replace table target_ads as
select attributes.*, coalesce(sum(served.impressions), 0) as impressions, coalesce(bool_or(served.engaged), false) as engaged
from attributes left join served using (account_id) where attributes.target = 'target' group by all;

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'programme', 'slice': programme}], recursive := true),
        impressions, engaged
    from target_ads)
select 'ad_target_reach_rate', slice_by, slice, count(*) filter (impressions > 0) / count(*), count(*) filter (impressions > 0), count(*), count(*)
from sliced group by all
union all
select 'ad_frequency', slice_by, slice, sum(impressions) / count(*), sum(impressions), count(*), count(*)
from sliced where impressions > 0 and slice_by in ('', 'tier') group by all
union all
select 'ad_target_engagement_rate', slice_by, slice, count(*) filter (engaged) / count(*), count(*) filter (engaged), count(*), count(*)
from sliced where impressions > 0 and slice_by in ('', 'tier') group by all
union all
select 'ad_target_engagement_rate', 'channel', channel, count(*) filter (served.engaged) / count(*), count(*) filter (served.engaged), count(*), count(*)
from served join attributes using (account_id) where attributes.target = 'target' and served.impressions > 0 group by all;

insert into readings
with arms as (
    select experiments.name, ad_days.variant = experiments.control_variant as is_control, sum(clicks) as clicks, sum(impressions) as impressions
    from ad_days join experiments using (experiment_id)
    where day < getvariable('q_to') and day between starts_on and ends_on
    group by all
    having max(day) >= getvariable('q_from'))
select 'ad_experiment_difference', 'experiment', tried.name, tried.clicks / tried.impressions - control.clicks / control.impressions,
    tried.clicks, tried.impressions, tried.impressions + control.impressions
from arms tried join arms control on tried.name = control.name and not tried.is_control and control.is_control
where tried.impressions > 0 and control.impressions > 0;

-- Titles: a cell under 3 clicks is hidden, the hidden ones stand together.
insert into readings
with cells as (
    select unnest([{'slice_by': 'title', 'slice': title}, {'slice_by': 'seniority', 'slice': seniority}], recursive := true), clicks
    from ad_title_months where month >= getvariable('q_from') and month < getvariable('q_to')),
summed as (select slice_by, slice, sum(clicks) as clicks from cells where slice is not null group by all),
kept as (select slice_by, case when clicks < 3 then 'under 3' else slice end as slice, clicks from summed)
select 'ad_click_share_by_title', slice_by, slice, sum(clicks) / any_value(whole), sum(clicks), any_value(whole), any_value(whole)
from kept join (select slice_by, sum(clicks) as whole from summed group by all) using (slice_by)
where whole > 0 group by all;

insert into readings
with companies as (
    select coalesce(account_id, company_name) as company, any_value(account_id) as account_id, any_value(company_name) as company_name
    from ad_account_days where day >= getvariable('q_from') and day < getvariable('q_to')
    group by 1 having sum(clicks) + sum(coalesce(reactions, 0)) > 0),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': coalesce(tier, 'not on the list')},
        {'slice_by': 'industry', 'slice': coalesce(attributes.industry, 'unknown')},
        {'slice_by': 'account', 'slice': coalesce(accounts.name, company_name)}], recursive := true)
    from companies left join attributes using (account_id) left join accounts using (account_id)
    where not coalesce(accounts.is_test, false))
select 'ad_engaged_companies', slice_by, slice, count(*), count(*), null, count(*) from sliced group by all;

insert into readings
with arms as (
    select experiments.name, planned_split, sum(impressions) filter (variant = control_variant) as control, sum(impressions) as impressions
    from ad_days join experiments using (experiment_id)
    where day < getvariable('q_to') and day between starts_on and ends_on
    group by all
    having max(day) >= getvariable('q_from'))
select 'ad_experiment_control_share', 'experiment', name, control / impressions, control, impressions, impressions from arms where impressions > 0;

