-- The three families as an analyst would write them for this company: calendar quarters, defaults of abm.toml, all quarters at once.
-- The frozen tables are there as views; by_hand.py asks the slices of what is made here.

create macro at_(day) as (day::timestamp at time zone 'Europe/Berlin') at time zone 'UTC';
create macro day_(moment) as ((moment at time zone 'UTC') at time zone 'Europe/Berlin')::date;

-- To the cent; half a cent goes up, though its double may lie a hair below.
create macro eur(amount, currency, rate) as round(amount::double * if(currency = 'EUR', 1.0, rate) + 1e-8, 2);

create temp table quarters as
select year(start_on) || 'Q' || quarter(start_on) as quarter, start_on, (start_on + interval 3 month)::date as end_on, n >= 8 as shown
from (select n, (date '2022-10-01' + to_months(3 * n::int))::date as start_on from range(16) r(n));

create temp table windows as
with months as (select strftime(start_on, '%Y-%m') as "window", start_on, (start_on + interval 1 month)::date as end_on
    from (select (date '2022-10-01' + to_months(n::int))::date as start_on from range(48) r(n)))
select 'quarter' as kind, quarter, quarter as "window", start_on, end_on from quarters where shown
union all select 'month', quarter, "window", m.start_on, m.end_on from quarters q join months m
    on m.start_on >= q.start_on and m.start_on < q.end_on where shown
union all select 'year', quarter, year(start_on)::varchar, date_trunc('year', start_on)::date, end_on from quarters where shown
union all select 'canonical', quarter, quarter, (start_on - interval 9 month)::date, end_on from quarters where shown
union all select 'trailing_8', quarter, quarter, (start_on - interval 21 month)::date, end_on from quarters where shown
union all select 'cohort', q.quarter, c.quarter, c.start_on, c.end_on from quarters q join quarters c
    on c.start_on <= q.start_on and c.start_on > q.start_on - interval 24 month where q.shown;

-- Every window is made of months: the large table is read once.
create temp table delivery as
select date_trunc('month', a.day)::date as month, channel, coalesce(ad_type, 'not stated') as ad_type, campaign_id,
    sum(impressions) as impressions, sum(clicks) as clicks, sum(eur(cost, a.currency, rate)) as cost_eur
from ad_days a left join fx_days r on r.currency = a.currency and r.day = a.day
where a.day >= (select min(start_on) from windows where kind = 'year') group by all;

create temp table moments as
with read as (
    select quarter, 'end' as moment, 'end' as kind, end_on as day from quarters
    union all select quarter, 'read_on_day', 'read_on_day', start_on + 5 from quarters
    union all select quarter, lpad(n::varchar, 2, '0'), 'as_of_day', start_on + n
        from quarters, (select unnest([1, 5, 15, 30, 45, 60, 75, 90]) as n) where shown and n <= end_on - start_on)
select quarter, kind, moment, at_(day) as read_at, at_(day + 11) as known_until, day - 1 as rated_on from read;

create temp table accounts_at as
with edges as (
    select quarter, 'start' as edge, start_on as edge_on, at_(start_on) as edge_at, at_(end_on + 11) as known_until from quarters
    union all select quarter, 'end', end_on, at_(end_on), at_(end_on + 11) from quarters),
first as (select account_id, arg_min(c, changed_at) as c from account_changes c group by 1),
listed as (
    select quarter, edge, account_id, tier, programme from edges join account_lists
    on valid_from <= edge_on and edge_on < coalesce(valid_to, date '9999-01-01') and is_target and recorded_at < known_until)
select e.quarter, e.edge, a.account_id, a.customer_since, coalesce(c.segment, f.c.segment, a.segment, 'unknown') as segment,
    if(coalesce(c.is_icp, f.c.is_icp, a.is_icp, false), 'ICP', 'not ICP') as icp,
    if(l.account_id is null, 'not on the list', 'target') as target, coalesce(l.tier, 'not on the list') as tier,
    coalesce(l.programme, 'not on the list') as programme
from edges e cross join accounts a
asof left join account_changes c on c.account_id = a.account_id and c.changed_at <= e.edge_at
left join first f on f.account_id = a.account_id
left join listed l on l.quarter = e.quarter and l.edge = e.edge and l.account_id = a.account_id;

-- Opportunities as they were known at each moment.
create temp table states as
with known as (
    select m.quarter, m.kind, m.moment, m.rated_on, h.* from moments m join opportunity_history h
    on h.effective_at < m.read_at and h.known_at < m.known_until),
last as (
    select quarter, kind, moment, opportunity_id, any_value(rated_on) as rated_on, min(effective_on) as first_on,
        min(effective_at) filter (is_qualified) as qualified_at, min(effective_on) filter (is_qualified) as qualified_on,
        arg_min_null(amount, effective_at) filter (is_qualified) as was_worth,
        arg_max(amount, effective_at) filter (amount > 0) as contested,
        arg_max({'stage': stage, 'amount': amount, 'currency': currency, 'close_on': close_on, 'effective_on': effective_on,
            'is_won': is_won, 'is_lost': is_lost, 'is_deleted': is_deleted, 'is_open': is_open and is_qualified},
            (effective_at, known_at, changed_at)) as l
    from known group by all),
closed as (
    select * exclude (l), unnest(l), if(l.is_won or l.is_lost, coalesce(l.close_on, l.effective_on), null) as closed_on from last)
select s.quarter, s.kind, s.moment, s.opportunity_id, s.rated_on, s.qualified_at, s.qualified_on, stage, close_on, closed_on, is_won, is_lost, is_open,
    o.account_id, o.business_type, coalesce(o.loss_reason, 'not stated') as loss_reason, coalesce(o.win_reason, 'not stated') as win_reason,
    coalesce(o.competitor, 'none named') as competitor, coalesce(o.source_detail, 'unknown') as source_detail,
    coalesce(o.promotion, 'no promotion') as promotion, o.is_promotion, o.term_months, o.last_activity_at,
    coalesce(c.name, 'unknown') as campaign, coalesce(w.label, 'unknown') as owner, g.source_owner, g.channel,
    eur(was_worth, s.currency, rq.rate) as amount_qualified, eur(s.amount, s.currency, rc.rate) as amount_closed,
    eur(contested, s.currency, rc.rate) as amount_contested, eur(s.amount, s.currency, ro.rate) as amount_open,
    a.customer_since, a.segment, a.icp, a.target, a.tier, a.programme
from closed s join opportunities o using (opportunity_id) left join opportunity_origins g using (opportunity_id)
left join campaigns c using (campaign_id) left join owners w using (owner_id)
left join fx_days rq on rq.currency = s.currency and rq.day = s.qualified_on
left join fx_days rc on rc.currency = s.currency and rc.day = s.closed_on
left join fx_days ro on ro.currency = s.currency and ro.day = s.rated_on
left join accounts_at a on a.quarter = s.quarter and a.account_id = o.account_id and a.edge = 'start'
where not is_deleted and o.survivor_id is null;

create temp table closed as
select *, qualified_on is not null as is_contest, closed_on - qualified_on as cycle_days, round(amount_closed * 12 / term_months + 1e-8, 2) as yearly,
    is_won and closed_on = min(closed_on) filter (is_won) over (partition by quarter, account_id)
        and (customer_since is null or customer_since >= closed_on) as is_first_win
from states where kind = 'end' and (is_won or is_lost);

create temp table open_ as
select s.*, s.quarter as "window", coalesce(close_on <= rated_on, false) or coalesce(rated_on - day_(last_activity_at) > 60, false) as is_stale,
    case when close_on is null then 'no close date' when close_on <= rated_on then 'overdue'
        else year(close_on) || 'Q' || quarter(close_on) end as close_quarter
from states s join quarters q using (quarter) where shown and kind = 'end' and is_open;

create temp table due as
with ahead as (
    select q.quarter, shown, n, if(n = 0, 'read_on_day', 'end') as moment, ['current', 'next', 'in_two'][n + 1] as horizon,
        (q.start_on + to_months(3 * n::int))::date as due_from, (q.start_on + to_months(3 * n::int + 3))::date as due_to
    from quarters q, range(3) r(n))
select s.*, s.quarter as "window", shown, horizon, year(due_from) || 'Q' || quarter(due_from) as due_in, due_from
from states s join ahead h on s.quarter = h.quarter and s.moment = h.moment and s.kind = h.moment
where is_open and close_on >= due_from and close_on < due_to;

create temp table goals as
select period, slice_by, slice, sum(value) as goal from targets where metric = 'closed_won_revenue' and kind = 'target' group by all;

create temp table won_early as
select s.quarter, sum(amount_closed) as won from states s join quarters q using (quarter)
where kind = 'read_on_day' and is_won and business_type = 'new' and closed_on >= start_on and closed_on < end_on group by 1;

create temp table past as
with due_then as (
    select horizon, due_in as past_quarter, segment, sum(amount_open) as due from due where business_type = 'new' group by all),
won_then as (
    select q.quarter as past_quarter, segment, sum(amount_closed) as won from closed join quarters q using (quarter)
    where is_won and business_type = 'new' and closed_on >= start_on and closed_on < end_on group by all),
read as (
    select q.quarter, p.quarter as past_quarter, horizon from quarters q
    join quarters p on p.start_on < q.start_on and p.start_on >= q.start_on - interval 24 month, (select unnest(['current', 'next', 'in_two']) as horizon)
    where q.shown and p.start_on - if(horizon = 'in_two', interval 3 month, interval 0 day) > date '2023-10-01'),  -- history begins
segments as (select segment from due_then union select segment from won_then)
select quarter, past_quarter, horizon, segment, coalesce(due, 0) as due, coalesce(won, 0) as won
from read cross join segments left join due_then using (horizon, past_quarter, segment) left join won_then using (past_quarter, segment);

create temp table created as
select s.*, shown, s.quarter as "window" from states s join quarters q using (quarter)
where kind = 'end' and qualified_on >= start_on and qualified_on < end_on;

-- What was done towards an account in the year before its opportunity qualified.
create temp table touches_before as
select c.quarter, c.opportunity_id, t.channel as touch_channel, person_id, min(touched_on) as first_on,
    count(*) filter (qualified_on - touched_on <= 180 and is_response) as responses,
    count(*) filter (qualified_on - touched_on <= 180) as touches
from touches t join created c using (account_id)
where shown and t.kind <> 'impression' and touched_at < qualified_at and qualified_on - touched_on <= 365 group by all;

create temp table judged as
with counted as (
    select quarter, opportunity_id, sum(responses) as responses, count(distinct person_id) as people
    from touches_before where responses > 0 group by all),
met as (
    select quarter, opportunity_id, rule from counted, (values ('one_response', 1, 0), ('default', 3, 2), ('strict', 5, 3))
        r(rule, fewest, fewest_people) where responses >= fewest and people >= fewest_people
    union all select distinct quarter, opportunity_id, 'any_touch' from touches_before where touches > 0)
select c.*, r.rule, m.rule is not null as is_influenced
from created c cross join (values ('any_touch'), ('one_response'), ('default'), ('strict')) r(rule)
left join met m on m.quarter = c.quarter and m.opportunity_id = c.opportunity_id and m.rule = r.rule
where shown;

-- Accounts on their way to their first new business, from the first touch after a year without one and from each MQA.
create temp table generation as
-- What lies in one stretch of 365 days is no year apart: a row per account and stretch is enough.
with stretches as (
    select account_id, (touched_on - date '2000-01-01') // 365 as stretch, min(touched_at) as began_at, min(touched_on) as began_on,
        max(touched_on) as last_on, arg_min(channel, struct_pack(at := touched_at, channel := channel)) as channel
    from touches where kind <> 'impression' and account_id is not null group by all),
begun as (
    select 'first touch' as "from", account_id, began_at, began_on, channel from stretches
    qualify coalesce(began_on - lag(last_on) over (partition by account_id order by began_at) > 365, true)
    union all select 'mqa', account_id, entered_at, entered_on, null from account_stages where stage = 'mqa'),
following as (
    select *, lead(began_at) over later as next_at, lead(began_on) over later as next_on from begun
    window later as (partition by "from", account_id order by began_at)),
first_new as (
    select quarter, account_id, min(qualified_at) as qualified_at, min(qualified_on) as qualified_on from states
    where kind = 'end' and business_type = 'new' and qualified_on is not null group by all),
waits as (
    select w.quarter, f.*, qualified_on, coalesce(qualified_at <= next_at, qualified_at is not null) as is_won
    from following f join windows w on w.kind = 'trailing_8' and began_on >= start_on and began_on < end_on
    left join first_new n on n.quarter = w.quarter and n.account_id = f.account_id
    where qualified_at is null or qualified_at > began_at or ("from" = 'mqa' and qualified_at = began_at))
select w.quarter, "from", coalesce(channel, 'unknown') as channel, tier, is_won, false as is_lost,
    case when is_won then qualified_on when next_on <= rated_on then next_on else rated_on end - began_on as age
from waits w join moments m on m.quarter = w.quarter and m.kind = 'end'
join accounts_at a on a.quarter = w.quarter and a.account_id = w.account_id and a.edge = 'start';

-- How open pipeline got from one edge of the quarter to the other, at the rate of its last day.
create temp table steps as
with known as (
    select m.quarter, h.* exclude (business_type), h.is_open and h.is_qualified as is_live, q.start_on, q.end_on,
        coalesce(eur(h.amount, h.currency, r.rate), 0) as value, coalesce(eur(h.amount, h.currency, s.rate), 0) as start_value,
        coalesce(h.close_on >= q.start_on and h.close_on < q.end_on, false) as is_due
    from moments m join quarters q using (quarter)
    join opportunity_history h on h.effective_at < m.read_at and h.known_at < m.known_until
    left join fx_days r on r.currency = h.currency and r.day = m.rated_on
    left join fx_days s on s.currency = h.currency and s.day = q.start_on - 1 where m.kind = 'end')
select k.*, o.account_id, o.business_type, effective_at >= at_(start_on) as in_quarter, lead(effective_at) over later as next_at,
    lead(effective_at >= at_(start_on), 1, true) over later as is_last_before,
    count(*) filter (is_live or (is_won and is_qualified)) over (later rows between unbounded preceding and 1 preceding) > 0 as seen,
    lag(value, 1, 0) over later as was_value, lag(is_live, 1, false) over later as was_live, lag(is_due, 1, false) over later as was_due
from known k join opportunities o using (opportunity_id)
window later as (partition by quarter, opportunity_id order by effective_at, known_at, changed_at);

create temp table bridges as
with each_bridge as (
    select *, 'all_open' as bridge, was_live as was, is_live as now, not seen as comes_straight from steps
    union all select *, 'due_in_quarter', was_live and was_due, is_live and is_due, is_due and (was_live or not seen) from steps),
flows as (
    select *, is_won and is_qualified as won, is_won and is_qualified and not was and comes_straight as straight,
        was and not now and not (is_won and is_qualified) and not is_lost as gone from each_bridge),
moved as (
    select quarter, opportunity_id, account_id, business_type, bridge, 'start' as edge, unnest([
        {'movement': if(in_quarter and (now and not was or straight),
            case when not seen then 'created' when was_live then 'pulled_in' else 'reopened' end, null), 'amount': value},
        {'movement': if(in_quarter and was and (now or won), if(value > was_value, 'amount_up', 'amount_down'), null), 'amount': value - was_value},
        {'movement': case when not in_quarter then null when was and won or straight then 'won' end, 'amount': -value},
        {'movement': case when not in_quarter then null when was and not now and is_lost then 'lost'
            when gone and is_live then 'pushed_out' when gone then 'deleted' end, 'amount': -was_value},
        {'movement': if(not in_quarter and is_last_before and now, 'opening', null), 'amount': start_value},
        {'movement': if(not in_quarter and is_last_before and now, 'fx', null), 'amount': value - start_value}], recursive := true)
    from flows
    union all select quarter, opportunity_id, account_id, business_type, bridge, 'end', 'closing', value from each_bridge where next_at is null and now
    union all select quarter, opportunity_id, account_id, business_type, bridge, edge, 're_tiered', if(edge = 'end', value, -value)
        from each_bridge, (values ('start'), ('end')) e(edge) where next_at is null and now)
select m.quarter, m.quarter as "window", opportunity_id, bridge, movement, amount, business_type, coalesce(tier, 'not on the list') as tier
from moved m join quarters q using (quarter) left join accounts_at a using (quarter, account_id, edge)
where shown and movement is not null and amount <> 0;

create temp table entries as
with first as (select account_id, arg_min(l, valid_from) as l from account_lists l where is_target group by 1),
won as (select quarter, account_id, min(closed_on) as won_on from closed where is_won group by all)
select w.quarter, w."window", w."window" as entry_quarter, first.l.tier, first.l.programme, won_on is not null as is_won,
    w."window" = max(if(q.end_on - w.end_on >= 364, w."window", null)) over (partition by w.quarter) as is_headline
from windows w join quarters q using (quarter) join first on first.l.valid_from >= w.start_on and first.l.valid_from < w.end_on
join accounts a on a.account_id = first.account_id left join won on won.quarter = w.quarter and won.account_id = first.account_id
where w.kind = 'cohort' and not coalesce(a.customer_since < first.l.valid_from, false) and not coalesce(won_on < first.l.valid_from, false);

create temp table ages as
select s.*, w."window", if(is_open, rated_on, closed_on) - qualified_on as age from states s join windows w using (quarter)
where s.kind = 'end' and w.kind = 'trailing_8' and qualified_on >= start_on and qualified_on < end_on and business_type = 'new'
    and if(is_open, rated_on, closed_on) >= qualified_on;

create temp table cohorts as
with known as (
    select s.*, w."window", w.end_on from states s join windows w using (quarter)
    where s.kind = 'end' and w.kind = 'cohort' and qualified_on >= w.start_on and qualified_on < w.end_on and business_type = 'new'),
days as (
    select quarter, age, count(*) filter (is_won) as wins, count(*) filter (is_won or is_lost) as ended, count(*) as leaving from ages group by all),
left_over as (select *, sum(leaving) over (partition by quarter order by age desc) as at_risk from days),
waiting as (
    select *, exp(coalesce(sum(ln(greatest(1 - ended / at_risk, 1e-300))) over (partition by quarter order by age
        rows between unbounded preceding and 1 preceding), 0)) as waiting from left_over),
curve as (select *, sum(waiting * wins / at_risk) over (partition by quarter order by age) as share from waiting),
whole as (select *, max(share) over (partition by quarter) as in_all from curve),
ripe as (
    select quarter, greatest(1.5 * min(age) filter (share >= in_all / 2 - 1e-12), min(age) filter (share >= 0.9 * in_all - 1e-12)) as days
    from whole where in_all > 0 group by 1),
mature as (
    select quarter, "window", count(*) filter (is_won or is_lost) * 5 >= count(*) * 4
        or coalesce(any_value(rated_on) - any_value(end_on) + 1 >= any_value(ripe.days), false) as is_mature
    from known left join ripe using (quarter) group by all)
select k.*, k."window" as creation_quarter,
    k."window" = max(if(is_mature, k."window", null)) over (partition by k.quarter) as is_headline
from known k join mature using (quarter, "window");
