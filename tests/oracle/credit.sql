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

create or replace table last_named as
select metric, opportunity_id, coalesce(max(place) filter (channel != 'direct'), max(place)) as last_named from touched_by group by all;

-- Positions: thousandths at places, for the rest one row each. A place of 0 is a stage that no touch came before.
create or replace table positions as
select * from (values
    ('first', 'first', 1000), ('last', 'last', 1000), ('last_non_direct', 'named', 1000),
    ('u_first_lead', 'first', 500), ('u_first_lead', 'lead', 500), ('u_first_lead_rest', 'first', 400), ('u_first_lead_rest', 'lead', 400),
    ('u_first_last', 'first', 400), ('u_first_last', 'last', 400), ('j', 'first', 200), ('j', 'last', 600),
    ('inverse_j', 'first', 600), ('inverse_j', 'last', 200), ('w', 'first', 300), ('w', 'lead', 300), ('w', 'created', 300),
    ('full_path', 'first', 225), ('full_path', 'lead', 225), ('full_path', 'created', 225), ('full_path', 'won', 225)) t (model, anchor, weight);

create or replace table anchored as
with journeys as (
    select distinct metric, opportunity_id, touches, last_named, until_lead, until_created, until_won from touched_by join last_named using (metric, opportunity_id))
select model, metric, opportunity_id, touches, weight,
    case anchor when 'first' then 1 when 'last' then touches when 'named' then last_named when 'lead' then until_lead
        when 'created' then until_created else until_won end as place
from journeys, positions;

create or replace table weighed as
with shape as (
    select model, metric, opportunity_id, any_value(touches) - count(distinct nullif(place, 0)) as between, 1000 - sum(weight) as rest,
        count(*) filter (place > 0) as anchors, sum(weight) filter (place > 0) as placed
    from anchored group by all),
given as (
    select *, rest * (between > 0)::int as kept, 1000 - placed - rest * (between > 0)::int as lacking from shape)
select given.model, touched_by.metric, touched_by.opportunity_id, channel, campaign, cents,
    coalesce(held.weight / 1000.0 + held.anchors_here * lacking / 1000.0 / given.anchors, kept / 1000.0 / greatest(between, 1)) as weight
from touched_by join given using (metric, opportunity_id)
left join (select model, metric, opportunity_id, place, sum(weight) as weight, count(*) as anchors_here from anchored where place > 0 group by all) held
    on held.model = given.model and held.metric = given.metric and held.opportunity_id = given.opportunity_id and held.place = touched_by.place
union all
select 'linear', metric, opportunity_id, channel, campaign, cents, 1.0 / touches from touched_by
union all
select 'time_decay', metric, opportunity_id, channel, campaign, cents,
    2.0 ** (-(last_day - day) / 90.0) / sum(2.0 ** (-(last_day - day) / 90.0)) over (partition by metric, opportunity_id) from touched_by
union all
select 'shapley', metric, opportunity_id, channel, campaign, cents,
    1.0 / of_channel / sum(1.0 / of_channel) over (partition by metric, opportunity_id) from touched_by
union all
select 'markov', metric, opportunity_id, channel, campaign, cents,
    effect / of_channel / sum(effect / of_channel) over (partition by metric, opportunity_id) from touched_by join effects using (metric, channel);

-- Whole cents that run on over channels and campaigns, so that none is lost.
create or replace table credit as
with parts as (
    select model, metric, opportunity_id, channel, campaign, any_value(cents) as cents, sum(weight) as weight
    from weighed semi join (from to_credit where counts) using (metric, opportunity_id) group by model, metric, opportunity_id, channel, campaign),
running as (
    select *, sum(weight) over (partition by model, metric, opportunity_id order by channel, campaign) as until_here from parts)
select model, metric, opportunity_id, channel, campaign,
    cast(floor(cents * until_here + 1e-4) - floor(cents * (until_here - weight) + 1e-4) as bigint) as cents, weight
from running where weight > 1e-12
union all
select model, metric, opportunity_id, '(none)', '(none)', cast(money * 100 as bigint), 1.0
from to_credit anti join touched_by using (metric, opportunity_id), (select distinct model from weighed) where counts;

insert into readings
select metric, slice_by, model || '/' || replace(slice, '/', '%2F'), sum(cents) / 100 as money, money, null, count(distinct opportunity_id)
from (
    select metric, model, opportunity_id, cents,
        unnest([{'slice_by': 'model/channel', 'slice': channel}, {'slice_by': 'model/campaign', 'slice': campaign}], recursive := true)
    from credit)
group by metric, slice_by, model, slice having count(cents) > 0
union all
select 'attributed_opportunities', 'model/channel', model || '/' || channel, sum(weight), sum(weight), null, count(distinct opportunity_id)
from credit where metric = 'attributed_pipeline' group by model, channel;

insert into readings
with counted as (
    select created.opportunity_id, money, count(touched_at) filter (is_response and local_day(touched_at) >= created.day - 180) as responses
    from created left join touched using (opportunity_id) where business_type = 'new' and created.day >= getvariable('q_from') group by all)
select 'influenced_pipeline_by_touches', 'least_touches', printf('%02d', least), sum(money) filter (responses >= least) / sum(money),
    coalesce(sum(money) filter (responses >= least), 0), sum(money), count(*)
from counted, (values (1), (2), (3), (5), (8), (13)) l (least) group by least having sum(money) > 0;

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

-- Contests of eight quarters whose account a campaign had touched before, against all others.
insert into readings
with contests as (
    select closed.opportunity_id, closed.account_id, qualified.qualified_at, qualified_on, is_won
    from closed join qualified using (opportunity_id)
    where business_type = 'new' and not is_disqualified and closed.day >= (select min(day_from) from quarters join last_eight using (label))),
met as (
    select distinct campaigns.name as campaign, contests.opportunity_id, is_won
    from contests join acts on acts.account_id = contests.account_id and acts.touched_at <= qualified_at and acts.day >= qualified_on - 365
    join campaigns using (campaign_id)),
counted as (
    select campaign, count(*) as n1, count(*) filter (is_won) as k1, (select count(*) from contests) as n, (select count(*) filter (is_won) from contests) as k
    from met group by campaign)
select 'campaign_win_rate_difference', 'campaign', campaign, k1 / n1 - (k - k1) / (n - n1), k1, n1, n from counted where n1 >= 10 and n - n1 >= 10;
