-- Influence by each rule, and pipeline and revenue shared out over the touches before them.

create or replace table influence_rules as
select * from (values ('one_response', 1, 0), ('strict', 5, 3)) rules (rule, least_touches, least_people);

create or replace table influenced_too as
select influence_rules.rule, created.*
from influence_rules, (
    select opportunity_id, count(*) as touches, count(distinct person_id) as people
    from touched join created using (opportunity_id) where is_response and local_day(touched_at) >= created.day - 180 group by all) responses
join created using (opportunity_id)
where responses.touches >= least_touches and responses.people >= least_people;

insert into readings
with whole as (select sum(money) as money, count(*) as n from created where business_type = 'new' and day >= getvariable('q_from'))
select 'influenced_pipeline', 'rule', rule, sum(money), sum(money), null, count(*) from influenced_too group by rule having count(money) > 0
union all
select 'influenced_pipeline_share', 'rule', rule, coalesce(sum(influenced_too.money), 0) / any_value(whole.money), coalesce(sum(influenced_too.money), 0),
    any_value(whole.money), any_value(whole.n)
from influenced_too, whole where whole.money > 0 group by rule
union all
select 'influenced_target_accounts', 'rule', rule, count(distinct account_id), count(distinct account_id), null, count(distinct account_id)
from influenced_too where target = 'target' group by rule;

-- What is to be shared out, and the moment that ends it; touches go back a year from that day.
create or replace table to_credit as
select 'attributed_pipeline' as metric, opportunity_id, account_id, money, day, qualified_at as ends_at from created
where business_type = 'new' and day >= getvariable('q_from')
union all
select 'attributed_revenue', opportunity_id, account_id, money, day, instant(day + 1) - interval 1 microsecond from closed
where is_won and day >= getvariable('q_from');

-- Linear parts are whole cents that run on from touch to touch, so that none is lost.
create or replace table credit as
with before as (
    select to_credit.metric, to_credit.opportunity_id, cast(to_credit.money * 100 as bigint) as cents, acts.channel, coalesce(campaigns.name, 'no campaign') as campaign,
        count(*) over (partition by to_credit.metric, to_credit.opportunity_id) as touches, row_number() over whole as place,
        row_number() over (partition by to_credit.metric, to_credit.opportunity_id order by acts.channel = 'direct', touched_at desc, touch_id desc) = 1 as is_last
    from to_credit join acts on acts.account_id = to_credit.account_id and acts.touched_at <= to_credit.ends_at and acts.day >= to_credit.day - 365
    left join campaigns using (campaign_id)
    window whole as (partition by to_credit.metric, to_credit.opportunity_id order by touched_at, touch_id))
select 'first' as model, metric, opportunity_id, channel, campaign, cents from before where place = 1
union all
select 'last', metric, opportunity_id, channel, campaign, cents from before where is_last
union all
select 'linear', metric, opportunity_id, channel, campaign, cents * place // touches - cents * (place - 1) // touches from before
union all
select model, metric, opportunity_id, 'unattributed', 'unattributed', cast(money * 100 as bigint)
from to_credit anti join before using (metric, opportunity_id), (values ('first'), ('last'), ('linear')) models (model);

insert into readings
select metric, slice_by, model || '/' || replace(slice, '/', '%2F'), sum(cents) / 100 as money, money, null, count(distinct opportunity_id)
from (
    select metric, model, opportunity_id, cents,
        unnest([{'slice_by': 'model/channel', 'slice': channel}, {'slice_by': 'model/campaign', 'slice': campaign}], recursive := true)
    from credit)
group by metric, slice_by, model, slice having count(cents) > 0;

-- Opportunities of engaged accounts over the responses of engaged accounts.
insert into readings
with engaged as (select account_id from acted where engaged),
responses as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'channel', 'slice': channel}], recursive := true)
    from acts semi join engaged using (account_id) where is_response and day >= getvariable('q_from') and day < getvariable('q_to')),
begun as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'channel', 'slice': source_channel}], recursive := true)
    from created semi join engaged using (account_id) where business_type = 'new' and day >= getvariable('q_from'))
select 'engagement_conversion_rate', slice_by, slice, k / n, k, n, n
from (select slice_by, slice, count(*) as n from responses group by all) left join (select slice_by, slice, count(*) as k from begun group by all) using (slice_by, slice);
