-- How open pipeline got from the quarter's start to its end, with the knowledge of its end.
-- Two bridges: all that is open, and what of it is due in the quarter. All amounts at the rate of the last day.

create or replace table steps as
with known_changes as (
    select * from changes where changed_at < getvariable('q_end') and recorded_at < getvariable('known')),
seen as (
    select *,
        coalesce(bool_or(is_open) over (partition by opportunity_id order by changed_at rows between unbounded preceding and 1 preceding), false) as was_ever_open,
        coalesce(lag(is_won) over later, false) as was_won_before,
        coalesce(lag(is_open) over later, false) as was_open, lag(amount) over later as amount_before, lag(currency) over later as currency_before,
        lag(close_on) over later as close_before
    from known_changes window later as (partition by opportunity_id order by changed_at)),
valued as (
    select seen.*, facts.tier, facts.business_type, facts.survivor_id,
        coalesce(priced(amount, currency, getvariable('q_to') - 1), 0) as after_money,
        coalesce(priced(amount_before, currency_before, getvariable('q_to') - 1), 0) as before_money
    from seen join facts using (opportunity_id) where changed_at >= getvariable('q_start'))
select * from valued;

create or replace table opening as
select facts.*, close_on, coalesce(priced(amount, currency, getvariable('q_from') - 1), 0) as then_money,
    coalesce(priced(amount, currency, getvariable('q_to') - 1), 0) as now_money, amount is not null as has_amount
from state_at(getvariable('q_start'), getvariable('known')) join facts using (opportunity_id) where is_open;

create or replace table movements as
with entries as (
    select opportunity_id, tier, business_type, close_before, close_on,
        unnest(case
            when was_open and is_open then [{'movement': 'amount', 'money': after_money - before_money}]
            when not was_open and is_open then [{'movement': case when was_ever_open then 'reopened' else 'created' end, 'money': after_money}]
            when is_won and not is_deleted then [
                {'movement': case when was_open then 'amount' when was_ever_open then 'reopened' else 'created' end,
                 'money': case when amount is null then 0 when was_open then after_money - before_money else after_money end},
                {'movement': 'won', 'money': -case when amount is null then before_money else after_money end}]
            when was_open and is_lost and not is_deleted then [{'movement': 'lost', 'money': -before_money}]
            when was_open and survivor_id is not null then [{'movement': 'merged', 'money': -before_money}]
            when was_open then [{'movement': 'deleted', 'money': -before_money}]
            else [] end, recursive := true)
    from steps where was_open or is_open or (is_won and not is_deleted and not was_open and not was_won_before))
select 'all_open' as bridge, opportunity_id, tier, business_type,
    case movement when 'amount' then case when money > 0 then 'amount_up' else 'amount_down' end else movement end as movement, money
from entries where movement <> 'amount' or money <> 0;

-- What is due in the quarter: the same walk, where a close date that leaves the quarter pushes out and one that enters pulls in.
insert into movements
with dated as (
    select *, was_open and close_before >= getvariable('q_from') and close_before < getvariable('q_to') as was_in,
        is_open and close_on >= getvariable('q_from') and close_on < getvariable('q_to') as is_in,
        close_on >= getvariable('q_from') and close_on < getvariable('q_to') as falls_in
    from steps),
entries as (
    select opportunity_id, tier, business_type,
        unnest(case
            when was_in and is_in then [{'movement': 'amount', 'money': after_money - before_money}]
            when was_in and is_open then [{'movement': 'pushed_out', 'money': -before_money}]
            when is_in and was_open then [{'movement': 'pulled_in', 'money': after_money}]
            when is_in then [{'movement': case when was_ever_open then 'reopened' else 'created' end, 'money': after_money}]
            when is_won and not is_deleted and not was_won_before then [
                {'movement': case when was_in then 'none' when was_open then 'pulled_in' when was_ever_open then 'reopened' else 'created' end,
                 'money': case when amount is null then before_money else after_money end},
                {'movement': 'amount', 'money': case when was_in and amount is not null then after_money - before_money else 0 end},
                {'movement': 'won', 'money': -case when amount is null then before_money else after_money end}]
            when was_in and is_lost and not is_deleted then [{'movement': 'lost', 'money': -before_money}]
            when was_in and survivor_id is not null then [{'movement': 'merged', 'money': -before_money}]
            when was_in then [{'movement': 'deleted', 'money': -before_money}]
            else [] end, recursive := true)
    from dated)
select 'due_in_quarter', opportunity_id, tier, business_type,
    case movement when 'amount' then case when money > 0 then 'amount_up' else 'amount_down' end else movement end, money
from entries where movement <> 'none' and (movement <> 'amount' or money <> 0);

create or replace table edges as
with closing_rows as (
    select facts.*, end_lists.tier as end_tier, state.close_on, coalesce(priced(state.amount, state.currency, getvariable('q_to') - 1), 0) as money
    from state join facts using (opportunity_id) left join end_lists using (account_id) where state.is_open)
select 'all_open' as bridge, 'opening' as movement, tier, business_type, then_money as money from opening
union all
select 'all_open', 'fx', tier, business_type, now_money - then_money from opening where now_money <> then_money
union all
select 'all_open', 'closing', end_tier, business_type, money from closing_rows
union all
select 'all_open', 're_tiered', tier, business_type, -money from closing_rows where tier <> end_tier
union all
select 'all_open', 're_tiered', end_tier, business_type, money from closing_rows where tier <> end_tier
union all
select 'due_in_quarter', 'opening', tier, business_type, then_money from opening where close_on >= getvariable('q_from') and close_on < getvariable('q_to')
union all
select 'due_in_quarter', 'fx', tier, business_type, now_money - then_money from opening
where close_on >= getvariable('q_from') and close_on < getvariable('q_to') and now_money <> then_money
union all
select 'due_in_quarter', 'closing', end_tier, business_type, money from closing_rows where close_on >= getvariable('q_from') and close_on < getvariable('q_to');

insert into readings
with every as (select bridge, movement, tier, business_type, money from movements union all by name select * from edges),
sliced as (
    select 'bridge/movement' as slice_by, bridge || '/' || movement as slice, money from every
    union all select 'movement', movement, money from every where bridge = 'all_open'
    union all select 'movement/tier', movement || '/' || tier, money from every where bridge = 'all_open'
    union all select 'movement/business_type', movement || '/' || business_type, money from every where bridge = 'all_open')
select 'pipeline_movement', slice_by, slice, sum(money), sum(money), null, count(*) from sliced group by all;
