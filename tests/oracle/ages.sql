-- What was qualified, and how long each has waited to be won.

create or replace table ages as
select facts.*, state.is_won, state.is_lost, local_day(qualified.qualified_at) as qualified_on,
    case when state.is_won or state.is_lost then state.close_on end as closed_on
from qualified join state using (opportunity_id) join facts using (opportunity_id)
where not state.is_deleted;

create or replace table cycle_ages as
select opportunity_id, is_won, is_lost, date_diff('day', qualified_on, coalesce(closed_on, getvariable('q_to') - 1)) as days,
    business_type, segment, source_owner, target, coalesce(promotion, 'no promotion') as promotion
from ages where qualified_on >= (select min(day_from) from quarters join last_eight using (label)) and qualified_on < getvariable('q_to');
