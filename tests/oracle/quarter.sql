-- What one quarter reads: populations and attributes as of its start, its facts, and where rows are gathered.

create or replace table attributes as
select accounts.account_id,
    coalesce(case when seen.account_id is null then accounts.segment else seen.segment end, 'unknown') as segment,
    coalesce(case when seen.account_id is null then accounts.industry else seen.industry end, 'unknown') as industry,
    coalesce(case when seen.account_id is null then accounts.region else seen.region end, 'unknown') as region,
    case when seen.account_id is null then accounts.is_icp else seen.is_icp end as is_icp,
    coalesce(on_list.tier, 'not on the list') as tier,
    coalesce(on_list.programme, 'not on the list') as programme,
    case when on_list.account_id is not null then 'target' else 'not on the list' end as target
from accounts
left join (
    select * from account_changes
    qualify row_number() over (partition by account_id order by changed_at <= getvariable('q_start') desc,
        case when changed_at <= getvariable('q_start') then -epoch(changed_at) else epoch(changed_at) end) = 1) seen using (account_id)
left join (
    select * from account_lists
    where is_target and valid_from <= getvariable('q_from') and (valid_to is null or valid_to > getvariable('q_from'))
        and recorded_at < getvariable('known')) on_list using (account_id)
where not coalesce(accounts.is_test, false);

create or replace table facts as
select opportunities.*, coalesce(sources.owner, 'unknown') as source_owner, coalesce(sources.channel, 'unknown') as source_channel,
    campaigns.name as campaign, attributes.segment, attributes.tier, attributes.programme, attributes.target, attributes.is_icp, attributes.region,
    owners.label as owner_label
from opportunities
left join opportunity_sources sources using (opportunity_id)
left join campaigns using (campaign_id)
left join owners on owners.owner_id = opportunities.owner_id
join attributes using (account_id);

create or replace table state as select * from state_at(getvariable('q_end'), getvariable('known'));

create or replace table qualified as
select opportunity_id, qualified_at, first_state.amount as amount, first_state.currency as currency
from qualified_by(getvariable('q_end'), getvariable('known'));

create or replace table readings (metric varchar, slice_by varchar, slice varchar, value double, numerator double, denominator double, n double);

create or replace table end_lists as
select accounts.account_id, coalesce(account_lists.tier, 'not on the list') as tier
from accounts left join account_lists on account_lists.account_id = accounts.account_id and is_target and valid_from <= getvariable('q_to')
    and (valid_to is null or valid_to > getvariable('q_to')) and recorded_at < getvariable('known');
