-- Why the win rate changed, and what leads to progression.

-- Contests of the canonical period as each of two quarters knew them, by segment and tier at its own start.
create or replace table contests_of_two as
with two as (
    select 'now' as which, getvariable('quarter') as label, (select min(day_from) from spans where "window" = 'canonical') as day_from,
        getvariable('q_to') as day_to, getvariable('q_end') as ends_at, getvariable('known') as known
    union all
    select 'before', quarter, (
            select min(past_spans.day_from) from (select day_from from past order by day_from desc limit 4) past_spans), day_to, ends_at, known
    from past where day_to = getvariable('q_from')),
states as (
    select which, two.label, two.day_from, two.day_to, changes.* from two join changes on changed_at < two.ends_at and recorded_at < two.known
    qualify row_number() over (partition by which, opportunity_id order by changed_at desc) = 1),
qualified_then as (
    select distinct which, opportunity_id from two join changes on changed_at < two.ends_at and recorded_at < two.known where is_open or is_won)
select states.which, states.opportunity_id, states.is_won, listed.segment, listed.tier
from states semi join qualified_then using (which, opportunity_id) join facts using (opportunity_id)
join attributes_then listed on listed.quarter = states.label and listed.account_id = facts.account_id
where (is_won or is_lost) and not is_deleted and close_on >= day_from and close_on < day_to and business_type = 'new'
    and not (not is_won and coalesce(loss_reason in (select reason from disqualified), false));

-- Kitagawa's split with mean weights; a cell that is there only once has no change of rate.
insert into readings
with cells as (
    select segment, tier, count(*) filter (which = 'now') / any_value(n_now) as weight, count(*) filter (which = 'before') / any_value(n_before) as weight_before,
        coalesce(avg(cast(is_won as integer)) filter (which = 'now'), avg(cast(is_won as integer)) filter (which = 'before')) as rate,
        coalesce(avg(cast(is_won as integer)) filter (which = 'before'), avg(cast(is_won as integer)) filter (which = 'now')) as rate_before
    from contests_of_two, (select count(*) filter (which = 'now') as n_now, count(*) filter (which = 'before') as n_before from contests_of_two)
    where n_now > 0 and n_before > 0 group by segment, tier),
sums as (
    select sum((weight - weight_before) * (rate + rate_before) / 2) as mix, sum((rate - rate_before) * (weight + weight_before) / 2) as rate,
        (select count(*) from contests_of_two where which = 'now') as n
    from cells having count(*) > 0)
select 'win_rate_mix_effect', '', '', mix, mix, 1, n from sums
union all
select 'win_rate_rate_effect', '', '', rate, rate, 1, n from sums;

-- Target accounts of eight quarters: what each showed in the quarter before, and whether it rose in this one.
create or replace table pairs as
with covered as (
    select covers_from from read_csv(getvariable('folder') || '/loads.csv', types = {'table': 'varchar', 'covers_from': 'date'}) where "table" = 'touches'),
nine as (select place, label, day_from, day_to, instant(day_from) as starts_at, ends_at from every_quarter),
listed as (
    select nine.*, before.day_from as before_from, account_id, tier
    from nine semi join last_eight using (label) join nine before on before.place = nine.place - 1 and before.day_from >= (select min(covers_from) from covered)
    join account_lists on is_target and valid_from <= nine.day_from and (valid_to is null or valid_to > nine.day_from)
        and account_lists.recorded_at < getvariable('known')
    semi join attributes using (account_id)),
ranked as (
    select label, account_id, tier, before_from, day_from,
        coalesce(arg_max(rank, entered_at) filter (entered_at < starts_at), 1) as rank_before, coalesce(arg_max(rank, entered_at) filter (entered_at < ends_at), 1) as rank_after
    from listed left join account_stages_ranked using (account_id) group by all),
shown as (
    select label, ranked.account_id,
        count(distinct person_id) filter (acts.day >= day_from - 90) as people,
        coalesce(bool_or(kind in ('form', 'meeting', 'demo_request', 'pricing_visit')) filter (acts.day >= day_from - 90), false) as high_intent,
        coalesce(bool_or(kind = 'download') filter (acts.day >= before_from), false) as downloaded,
        coalesce(bool_or(kind = 'email_click') filter (acts.day >= before_from), false) as clicked_mail,
        coalesce(bool_or(kind = 'ad_click') filter (acts.day >= before_from), false) as clicked_ad,
        coalesce(bool_or(kind in ('visit', 'pricing_visit')) filter (acts.day >= before_from), false) as visited
    from ranked left join acts on acts.account_id = ranked.account_id and acts.day < day_from and acts.day >= least(before_from, day_from - 90)
    group by all)
select ranked.label, ranked.account_id, tier, rank_after > rank_before as rose, unnest([
    {'indicator': 'engaged_target_account_rate', 'showed': people >= 2 or high_intent}, {'indicator': 'multithreaded_account_rate', 'showed': people >= 2},
    {'indicator': 'content_downloads', 'showed': downloaded}, {'indicator': 'email_click_rate', 'showed': clicked_mail},
    {'indicator': 'ad_target_engagement_rate', 'showed': clicked_ad}, {'indicator': 'target_account_visit_rate', 'showed': visited}], recursive := true)
from ranked join shown using (label, account_id);

insert into readings
with tiers as (
    select indicator, tier, count(*) as n, avg(cast(rose as integer)) filter (showed) - avg(cast(rose as integer)) filter (not showed) as lift
    from pairs group by all having count(*) filter (showed) > 0 and count(*) filter (not showed) > 0)
select 'leading_indicator_lift', 'indicator', indicator, sum(lift * n) / sum(n), sum(lift * n), sum(n), sum(n) from tiers group by indicator;
