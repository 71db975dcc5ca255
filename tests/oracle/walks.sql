-- Touches before what is to be credited, and every walk that a chain is counted from.

-- What is to be shared out (`counts`), or only walks, and the moment that ends it; touches go back a year from that day.
create or replace table to_credit as
select 'attributed_pipeline' as metric, opportunity_id, account_id, money, day, qualified_at as ends_at, business_type = 'new' as counts from created
where day >= getvariable('q_from')
union all
select 'attributed_revenue', opportunity_id, account_id, money, day, instant(day + 1) - interval 1 microsecond, true from closed
where is_won and day >= getvariable('q_from');

-- A touch has a place; the account's lead is its first person known by then. Of the models the SQL has those that need no chain.
create or replace table touched_by as
with records as (
    select coalesce(same_person.lives_on_as, person_id) as lives_on_as, min(created_at) as created_at
    from people left join same_person using (person_id) group by all),
known as (
    select people.account_id, min(records.created_at) as lead_at
    from people join records on records.lives_on_as = people.person_id
    where not ours and person_id not in (from suppressed) group by people.account_id)
select to_credit.metric, to_credit.opportunity_id, to_credit.counts, cast(to_credit.money * 100 as bigint) as cents, acts.channel,
    coalesce(campaigns.name, 'no campaign') as campaign, acts.day, count(*) over own as touches, row_number() over whole as place,
    max(acts.day) over own as last_day, count(*) over (partition by to_credit.metric, to_credit.opportunity_id, acts.channel) as of_channel,
    sum(case when acts.channel != 'direct' then 1 end) over own as named,
    count(case when acts.touched_at <= lead_at then 1 end) over own as until_lead,
    count(case when acts.touched_at <= qualified.qualified_at then 1 end) over own as until_created,
    case when to_credit.metric = 'attributed_revenue' then count(*) over own else 0 end as until_won
from to_credit join acts on acts.account_id = to_credit.account_id and acts.touched_at <= to_credit.ends_at and acts.day >= to_credit.day - 365
left join campaigns using (campaign_id) left join known on known.account_id = to_credit.account_id
left join qualified on qualified.opportunity_id = to_credit.opportunity_id
window own as (partition by to_credit.metric, to_credit.opportunity_id),
    whole as (partition by to_credit.metric, to_credit.opportunity_id order by touched_at, touch_id);

-- Those that walk without arriving: accounts never qualified, touched for the first time in a year at least 180 days ago; deals lost.
create or replace table walks as
with seen as (
    select account_id, channel, touched_at, touch_id, min(day) over (partition by account_id) as first_day
    from acts anti join ages using (account_id)
    where touched_at <= getvariable('q_end') and day < getvariable('q_to') and day >= getvariable('q_to') - 366)
select 'attributed_pipeline' as metric, account_id as walk, channel, row_number() over (partition by account_id order by touched_at, touch_id) as place, false as won
from seen where first_day <= getvariable('q_to') - 181
union all
select 'attributed_revenue', closed.opportunity_id, acts.channel, row_number() over (partition by closed.opportunity_id order by touched_at, touch_id), false
from closed join acts on acts.account_id = closed.account_id and acts.day <= closed.day and acts.day >= closed.day - 365
where not is_won and not is_disqualified and closed.day >= getvariable('q_from')
union all
select metric, opportunity_id, channel, place, true from touched_by;
