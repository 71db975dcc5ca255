-- Cohorts: opportunities by the quarter they were qualified in, accounts by the quarter they joined the list in.

create or replace table cohorts as
select quarters.label, quarters.day_from, quarters.day_to, count(*) filter (is_won) as won, count(*) as n,
    count(*) filter (is_won and source_owner = 'marketing') as won_of_marketing, count(*) filter (source_owner = 'marketing') as n_of_marketing,
    count(*) filter (is_won or is_lost) >= 0.8 * count(*)
        or date_diff('day', quarters.day_to, getvariable('q_to')) >= greatest(1.5 * getvariable('usual_days'), getvariable('most_days')) as is_mature,
    count(*) filter (is_won or is_lost) as over
from ages join quarters on qualified_on >= quarters.day_from and qualified_on < quarters.day_to
where business_type = 'new' group by quarters.label, quarters.day_from, quarters.day_to;

create or replace table mature_cohort as
select max(label) as label from cohorts where is_mature;

insert into readings
select 'win_rate_cohort', 'creation_quarter', label, won / n, won, n, n
from cohorts where label in (select label from last_eight)
union all
select 'win_rate_cohort', 'matured_share', label, over / n, over, n, n
from cohorts where label in (select label from last_eight)
union all
(select 'win_rate_cohort', '', '', won / n, won, n, n from cohorts where is_mature order by label desc limit 1)
union all
select 'sourced_opportunity_win_rate', 'form', 'cohort', won_of_marketing / n_of_marketing, won_of_marketing, n_of_marketing, n_of_marketing
from (select * from cohorts where is_mature order by label desc limit 1) where n_of_marketing > 0;

create or replace table joined as
with spells as (
    select *, lag(valid_to) over (partition by account_id order by valid_from) as left_on,
        coalesce(lag(is_target) over (partition by account_id order by valid_from), false) as was_target
    from account_lists where recorded_at < getvariable('known'))
select account_id, valid_from as joined_on, tier, programme
from spells where is_target and not (was_target and left_on = valid_from) and valid_from < getvariable('q_to')
qualify row_number() over (partition by account_id order by valid_from) = 1;

create or replace table list_cohorts as
with firsts as (
    select opportunities.account_id, min(close_on) as won_on
    from state join opportunities using (opportunity_id) where is_won and not is_deleted and close_on < getvariable('q_to') group by all)
select quarters.label, quarters.day_to, joined.*, won_on is not null as is_won
from joined join quarters on joined_on >= quarters.day_from and joined_on < quarters.day_to
join accounts using (account_id) left join firsts using (account_id)
where not coalesce(least(won_on, customer_since) < joined_on, false);

create or replace table whole_cohort as
select max(label) as label from list_cohorts where day_to + interval 1 year <= getvariable('q_to');

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'programme', 'slice': programme}], recursive := true), is_won
    from list_cohorts join whole_cohort using (label)
    union all
    select 'entry_quarter', label, is_won from list_cohorts where label in (select label from last_eight))
select 'target_account_conversion_rate', slice_by, slice, count(*) filter (is_won) / count(*), count(*) filter (is_won), count(*), count(*)
from sliced group by all;
