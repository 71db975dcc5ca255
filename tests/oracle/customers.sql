-- Customers and their recurring revenue, what winning them cost, surveys, health, word of mouth, and what programmes returned.

create or replace table paying as
select account_id from subscriptions where effective_on < getvariable('q_to') and recorded_at < getvariable('known') and is_real(account_id)
group by account_id having sum(arr_change) > 0;

insert into readings
select 'customers', slice_by, slice, count(*), count(*), null, count(*)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'segment', 'slice': segment},
        {'slice_by': 'rule', 'slice': 'recurring revenue above 0'}], recursive := true)
    from paying join attributes using (account_id))
group by all;

-- What those that paid on a day paid then, and each change from then on, at that day's rate.
create or replace macro revenue_since(since) as table
    with known_then as (
        select * from subscriptions where recorded_at < getvariable('known') and effective_on < getvariable('q_to') and is_real(account_id)),
    openings as (
        select account_id, any_value(currency) as currency, sum(arr_change) as opening
        from known_then where effective_on < since group by account_id having sum(arr_change) > 0),
    moves as (
        select account_id, case when kind = 'expansion' then coalesce(expansion_kind, kind) else kind end as movement, any_value(currency) as currency,
            sum(arr_change) as change
        from known_then semi join openings using (account_id) where effective_on >= since and kind in ('expansion', 'contraction', 'churn') group by all),
    losses as (select account_id, sum(change) as lost from moves where movement in ('contraction', 'churn') group by account_id)
    select account_id, 'opening' as movement, priced(opening, currency, since) as money,
        priced(greatest(opening + coalesce(lost, 0), 0), currency, since) as gross
    from openings left join losses using (account_id)
    union all
    select account_id, movement, priced(change, currency, since), 0 from moves;

create or replace table since_start as select * from revenue_since(getvariable('q_from'));

create or replace table since_year as select * from revenue_since((select min(day_from) from quarters join last_four using (label)));

create or replace table kept as
with summed as (
    select 'quarter' as window, account_id, sum(money) filter (movement = 'opening') as opening, sum(money) as closing, sum(gross) as gross
    from since_start group by account_id
    union all
    select 'year', account_id, sum(money) filter (movement = 'opening'), sum(money), sum(gross) from since_year group by account_id)
select summed.*, listed.segment, summed.account_id in (from paying) as still_pays,
    coalesce(year(coalesce(customer_since, (select min(effective_on) from subscriptions where subscriptions.account_id = summed.account_id))), 0) as joined_in
from summed join accounts using (account_id) join attributes_then listed on listed.account_id = summed.account_id
    and listed.quarter = case "window" when 'quarter' then getvariable('quarter') else (select min(label) from last_four) end;

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': kept.segment}, {'slice_by': 'cohort', 'slice': cast(joined_in as varchar)}],
        recursive := true), opening, closing, gross
    from kept where "window" = 'quarter'
    union all
    select 'window', 'trailing_4_quarters', opening, closing, gross from kept where "window" = 'year')
select 'net_revenue_retention', slice_by, slice, sum(closing) / sum(opening), sum(closing), sum(opening), count(*) from sliced group by all
union all
select 'gross_revenue_retention', slice_by, slice, sum(gross) / sum(opening), sum(gross), sum(opening), count(*) from sliced group by all
union all
select 'retained_revenue', slice_by, slice, sum(closing), sum(closing), null, count(*) from sliced where slice_by in ('', 'segment') group by all
union all
select 'retained_revenue', 'movement', movement, sum(money), sum(money), null, count(distinct account_id) from since_start group by movement
union all
select 'customer_retention_rate', slice_by, slice, count(*) filter (still_pays) / count(*), count(*) filter (still_pays), count(*), count(*)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': segment}], recursive := true), still_pays from kept where "window" = 'year')
group by all;

insert into readings
with expansions as (
    select effective_on as day, account_id, coalesce(expansion_kind, 'unknown') as expansion_kind, segment, priced(arr_change, currency, effective_on) as money
    from subscriptions join attributes using (account_id) where kind = 'expansion' and recorded_at < getvariable('known')),
timed as (
    select spans.slice_by, spans.slice, expansions.* from expansions join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to),
sliced as (
    select slice_by, slice, account_id, money from timed
    union all
    select unnest([{'slice_by': 'expansion_kind', 'slice': expansion_kind}, {'slice_by': 'segment', 'slice': segment}], recursive := true), account_id, money
    from timed where slice_by = '')
select 'expansion_revenue', slice_by, slice, sum(money), sum(money), null, count(distinct account_id) from sliced group by all;

-- The worth of a customer over its life: yearly contract value × lifespan, at most the longest that is believed.
create or replace table lifespans as
select slice_by, slice, n, least(case when value < 1 then 1 / (1 - value) end, getvariable('longest_years')) as years
from readings where metric = 'customer_retention_rate';

insert into readings
with simple as (
    select contracts.slice_by, contracts.slice, contracts.value * years as value, lifespans.n
    from readings contracts join lifespans using (slice_by, slice) where contracts.metric = 'average_contract_value'),
per_customer as (
    select sum(opening) filter ("window" = 'quarter') / count(*) filter ("window" = 'quarter') as revenue,
        sum(closing - gross) filter ("window" = 'year') / count(*) filter ("window" = 'year') as growth
    from kept)
select 'customer_lifetime_value', slice_by, slice, value, null, null, n from simple
union all
select 'customer_lifetime_value', 'method', 'simple', value, null, null, n from simple where slice_by = ''
union all
select 'customer_lifetime_value', 'method', 'margin_churn', revenue * getvariable('gross_margin') * years, null, null, n from per_customer, lifespans where slice_by = ''
union all
select 'customer_lifetime_value', 'method', 'with_expansion', (revenue + growth) * getvariable('gross_margin') * years, null, null, n
from per_customer, lifespans where slice_by = '';

-- What winning a customer cost: costs of the quarter, or of three quarters before.
create or replace table won_first as
with firsts as (
    select account_id, min(day) as first_day from closed where is_won group by all)
select distinct account_id, case when attributes.programme = 'not on the list' then 'demand_generation' else attributes.programme end as programme
from closed join firsts using (account_id) join accounts using (account_id) join attributes using (account_id)
where is_won and closed.day = first_day and first_day >= getvariable('q_from') and (customer_since is null or customer_since >= first_day);

create or replace table spent_on as
select case when quarter = getvariable('quarter') then 'same_quarter' else 'lagged' end as timing, programme, kind,
    priced(amount, costs.currency, quarters.day_to - 1) as money
from costs join quarters on quarters.label = costs.quarter
where quarter in (getvariable('quarter'), (select quarter from past order by day_from desc limit 1 offset 2));

insert into readings
with sums as (
    select timing, programme, sum(money) filter (kind in ('media', 'agency', 'people', 'tools')) as simple, sum(money) as whole from spent_on group by all),
sliced as (
    select '' as slice_by, '' as slice, sum(simple) as simple, sum(whole) as whole, (select count(*) from won_first) as n from sums where timing = 'same_quarter'
    union all
    select 'timing', timing, sum(simple), sum(whole), (select count(*) from won_first) from sums group by timing
    union all
    select 'programme', programme, simple, whole, (select count(*) from won_first where won_first.programme = sums.programme) from sums where timing = 'same_quarter')
select 'customer_acquisition_cost', slice_by, slice, simple / n, simple, n, n from sliced where n > 0 and simple is not null
union all
select 'customer_acquisition_cost_full', slice_by, slice, whole / n, whole, n, n from sliced where n > 0 and whole is not null;

insert into readings
select 'lifetime_value_to_acquisition_cost', '', '', life.value / cost.value, life.value, cost.value, cost.n
from readings life, readings cost
where life.metric = 'customer_lifetime_value' and life.slice_by = '' and cost.metric = 'customer_acquisition_cost_full' and cost.slice_by = ''
union all
select 'payback_months', '', '', cost.value / (contract.value / 12 * getvariable('gross_margin')), cost.value, contract.value / 12 * getvariable('gross_margin'), cost.n
from readings contract, readings cost
where contract.metric = 'average_contract_value' and contract.slice_by = '' and cost.metric = 'customer_acquisition_cost_full' and cost.slice_by = '';

-- Surveys: answers by the day they were given, invitations by the day they were sent.
create or replace table survey_answers as
select surveys.* exclude (account_id), coalesce(survivors.lives_on_as, surveys.account_id) as account_id, local_day(answered_at) as day
from read_csv(getvariable('folder') || '/surveys.csv', types = {
    'response_id': 'varchar', 'account_id': 'varchar', 'person_id': 'varchar', 'answered_at': 'timestamp', 'kind': 'varchar', 'score': 'double',
    'scale_max': 'double', 'theme': 'varchar', 'comment': 'varchar'}) surveys
left join survivors using (account_id) left join same_person using (person_id)
where not coalesce(ours, false) and is_real(coalesce(survivors.lives_on_as, surveys.account_id));

create or replace table answers_sliced as
with answered as (
    select survey_answers.*, coalesce(tier, 'not on the list') as tier, coalesce(segment, 'unknown') as segment
    from survey_answers left join attributes using (account_id) where day >= getvariable('q_from') and day < getvariable('q_to'))
select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'segment', 'slice': segment},
    {'slice_by': 'theme', 'slice': coalesce(theme, 'unknown')}, {'slice_by': 'survey', 'slice': kind}], recursive := true), answered.*
from answered;

insert into readings
select 'net_promoter_score', slice_by, slice, 100 * (count(*) filter (score >= 9) - count(*) filter (score <= 6)) / count(*),
    count(*) filter (score >= 9) - count(*) filter (score <= 6), count(*) / 100, count(*)
from answers_sliced where kind = 'nps' and slice_by <> 'survey' group by all
union all
select 'customer_satisfaction', slice_by, slice, sum(score / scale_max) / count(*), sum(score / scale_max), count(*), count(*)
from answers_sliced where scale_max is not null and (kind = 'csat' or slice_by = 'survey') group by all
union all
select 'customer_satisfaction', 'measure', 'top two scores', count(*) filter (score >= scale_max - 1) / count(*), count(*) filter (score >= scale_max - 1), count(*), count(*)
from answers_sliced where scale_max is not null and kind = 'csat' and slice_by = '' group by all;

insert into readings
with invitations as (
    select invites.kind, coalesce(tier, 'not on the list') as tier, coalesce(segment, 'unknown') as segment, exists (
        from survey_answers where survey_answers.response_id = invites.response_id and answered_at < getvariable('known')) as is_answered
    from read_csv(getvariable('folder') || '/survey_invites.csv', types = {
        'response_id': 'varchar', 'kind': 'varchar', 'account_id': 'varchar', 'invited_at': 'timestamp'}) invites
    left join survivors using (account_id) left join attributes on attributes.account_id = coalesce(survivors.lives_on_as, invites.account_id)
    where is_real(coalesce(survivors.lives_on_as, invites.account_id)) and local_day(invited_at) >= getvariable('q_from') and local_day(invited_at) < getvariable('q_to')),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'survey', 'slice': kind}, {'slice_by': 'tier', 'slice': tier},
        {'slice_by': 'segment', 'slice': segment}], recursive := true), is_answered
    from invitations)
select 'survey_response_rate', slice_by, slice, count(*) filter (is_answered) / count(*), count(*) filter (is_answered), count(*), count(*) from sliced group by all;

-- Health of the customers that ever answered a recommendation survey.
insert into readings
with scored as (
    select account_id, arg_max(score, (answered_at, response_id)) as last_score from survey_answers where kind = 'nps' and answered_at < getvariable('q_end') group by all),
judged as (
    select attributes.tier, attributes.segment, last_score >= 7
        and (account_id in (select meetings.account_id from meetings where outcome = 'held' and local_day(starts_at) >= getvariable('q_to') - 90 and local_day(starts_at) < getvariable('q_to'))
            or account_id in (select page_views.account_id from page_views where page_views.day >= getvariable('q_to') - 90 and page_views.day < getvariable('q_to')
                and page_views.account_id is not null))
        and account_id not in (select subscriptions.account_id from subscriptions where subscriptions.kind = 'contraction' and recorded_at < getvariable('known')
            and effective_on >= getvariable('q_to') - 90 and effective_on < getvariable('q_to')) as is_healthy
    from paying join scored using (account_id) join attributes using (account_id)),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'segment', 'slice': segment}], recursive := true), is_healthy
    from judged)
select 'customer_health', slice_by, slice, count(*) filter (is_healthy) / count(*), count(*) filter (is_healthy), count(*), count(*) from sliced group by all;

insert into readings
select case kind when 'advocacy' then 'advocates' else 'referrals' end, slice_by, slice,
    case kind when 'advocacy' then count(distinct person_id) else count(*) end as value, value, null, value
from acts join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to
where kind in ('advocacy', 'referral') group by kind, slice_by, slice having value > 0;

-- Programmes by the quarter invested in: what accounts on the list began in it and has been won by now, against its costs.
create or replace table vintages as
with began as (
    select quarters.label, listed.programme, state.is_won and state.close_on < getvariable('q_to') as is_won,
        (state.is_won or state.is_lost) and state.close_on < getvariable('q_to') as is_closed, priced(state.amount, state.currency, state.close_on) as money
    from qualified join facts using (opportunity_id) join state using (opportunity_id)
    join quarters on local_day(qualified.qualified_at) >= day_from and local_day(qualified.qualified_at) < quarters.day_to semi join last_eight using (label)
    join attributes_then listed on listed.quarter = quarters.label and listed.account_id = facts.account_id
    where listed.target = 'target' and facts.business_type in ('new', 'expansion') and not state.is_deleted),
invested as (
    select quarter as label, programme, sum(priced(amount, costs.currency, quarters.day_to - 1)) as cost
    from costs join quarters on quarters.label = costs.quarter where programme in ('one_to_one', 'one_to_few', 'one_to_many') group by all)
select label, programme, any_value(cost) as cost, round(getvariable('gross_margin') * coalesce(sum(money) filter (is_won), 0), 2) - any_value(cost) as gain,
    count(began.label) as n, count(*) filter (is_closed) as closed, count(*) filter (is_won) as won
from invested left join began using (label, programme) semi join last_eight using (label) group by all;

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'programme', 'slice': programme}], recursive := true), cost, gain, won as n from vintages join mature_cohort using (label)
    union all
    select 'vintage', label, cost, gain, won from vintages)
select 'programme_return', slice_by, slice, sum(gain) / sum(cost), sum(gain), sum(cost), sum(n) from sliced group by all having sum(cost) > 0
union all
select 'programme_return', 'matured_share', label, sum(closed) / sum(n), sum(closed), sum(n), sum(n) from vintages group by label having sum(n) > 0;
