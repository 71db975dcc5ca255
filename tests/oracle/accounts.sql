-- The target list, who acted there, who is known there, and what the market is worth.

create or replace macro wide_then(moment) as table
    select attributes.* exclude (segment, industry, region),
        coalesce(case when seen.account_id is null then accounts.segment else seen.segment end, 'unknown') as segment,
        coalesce(case when seen.account_id is null then accounts.industry else seen.industry end, 'unknown') as industry,
        coalesce(case when seen.account_id is null then accounts.region else seen.region end, 'unknown') as region,
        case when seen.account_id is null then accounts.employees else seen.employees end as employees,
        case when seen.account_id is null then accounts.annual_revenue else seen.annual_revenue end as annual_revenue, accounts.currency,
        coalesce(case when seen.account_id is null then accounts.is_addressable else seen.is_addressable end, false) as is_addressable,
        accounts.name, accounts.survivor_id is null as lives
    from attributes join accounts using (account_id)
    left join (
        select * from account_changes
        qualify row_number() over (partition by account_id order by changed_at <= moment desc,
            case when changed_at <= moment then -epoch(changed_at) else epoch(changed_at) end) = 1) seen using (account_id);

create or replace table wide as from wide_then(getvariable('q_start'));

-- The list at both ends of the quarter: the day before its first, so that a list renewed on that day belongs to it, and its last.
create or replace table target_list as
select wide.*, coalesce(at_end.tier, at_start.tier) as list_tier, coalesce(at_end.programme, at_start.programme) as list_programme, at_end.intent_level,
    at_start.account_id is not null as was_on, at_end.account_id is not null as is_on, at_start.tier <> at_end.tier as re_tiered,
    case when employees < 50 then 'under 50' when employees < 250 then '50 to 250' when employees < 1000 then '250 to 1,000'
        when employees >= 1000 then '1,000 and more' else 'unknown' end as employees_band,
    case when revenue < 10000000 then 'under 10,000,000' when revenue < 50000000 then '10,000,000 to 50,000,000'
        when revenue < 250000000 then '50,000,000 to 250,000,000' when revenue >= 250000000 then '250,000,000 and more' else 'unknown' end as revenue_band
from (
    select *, annual_revenue * if(currency = getvariable('currency'), 1, cast(rate_on(currency, getvariable('q_to') - 1) as double)) as revenue
    from wide_then(getvariable('q_end'))) wide
left join listed_on(getvariable('q_from') - 1) at_start using (account_id)
left join listed_on(getvariable('q_to') - 1) at_end using (account_id)
where at_start.account_id is not null or at_end.account_id is not null;

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': list_tier}, {'slice_by': 'programme', 'slice': list_programme},
        {'slice_by': 'segment', 'slice': segment}, {'slice_by': 'region', 'slice': region}, {'slice_by': 'industry', 'slice': industry},
        {'slice_by': 'employees_band', 'slice': employees_band}, {'slice_by': 'revenue_band', 'slice': revenue_band}], recursive := true), intent_level
    from target_list where is_on)
select 'target_accounts', slice_by, slice, count(*), count(*), null, count(*) from sliced where slice_by <> 'industry' group by all
union all
select 'high_intent_accounts', slice_by, slice, count(*), count(*), null, count(*)
from sliced where intent_level = 'high' and slice_by in ('', 'tier', 'industry') group by all
union all
select 'target_accounts', 'movement', movement, count(*), count(*), null, count(*)
from (
    select 'joined' as movement from target_list where is_on and not was_on union all select 'left' from target_list where was_on and not is_on
    union all select 're_tiered' from target_list where was_on and is_on and re_tiered)
group by all;

-- Acts: every touch but an impression; people as they live on.
create or replace table acts as
select touches.* exclude (person_id),
    if(person_id in (from suppressed), null, coalesce(same_person.lives_on_as, touches.person_id)) as person_id, local_day(touched_at) as day
from touches left join same_person using (person_id)
where touches.kind <> 'impression' and not coalesce(ours, false) and is_real(touches.account_id);

create or replace table acted as
select account_id, count(distinct person_id) as people, bool_or(kind in ('form', 'meeting', 'demo_request', 'pricing_visit')) as high_intent,
    count(distinct channel) as channels, people >= 2 or high_intent as engaged
from acts where account_id is not null and day >= getvariable('q_to') - 90 and day < getvariable('q_to')
group by account_id;

create or replace table engagement as
select wide.*, lists.buying_team_size, teams.size as tier_size, teams.weight, coalesce(buying_team_size, tier_size) as team,
    coalesce(acted.people, 0) as people, coalesce(acted.engaged, false) as engaged, coalesce(acted.channels, 0) as channels
from listed_on(getvariable('q_from')) lists join wide using (account_id) join teams on teams.tier = lists.tier left join acted using (account_id);

create or replace table engagement_sliced as
select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'industry', 'slice': industry},
    {'slice_by': 'programme', 'slice': programme}, {'slice_by': 'account', 'slice': name}], recursive := true), engagement.*
from engagement;

insert into readings
select 'engaged_target_accounts', slice_by, slice, count(*), count(*), null, count(*)
from engagement_sliced where engaged and slice_by <> 'account' group by all
union all
select 'engaged_target_account_rate', slice_by, slice, count(*) filter (engaged) / count(*), count(*) filter (engaged), count(*), count(*)
from engagement_sliced where slice_by <> 'account' group by all
union all
select 'buying_group_penetration', slice_by, slice, sum(least(people, team)) / sum(team), sum(least(people, team)), sum(team), count(*)
from engagement_sliced where slice_by in ('', 'tier', 'account') group by all
union all
select 'buying_group_penetration', 'team_size', size_is, sum(least(people, team)) / sum(team), sum(least(people, team)), sum(team), count(*)
from (select *, case when people > team then 'too small' when buying_team_size is null then 'assumed' else 'stated' end as size_is from engagement)
group by size_is
union all
select 'multithreaded_account_rate', slice_by, slice, count(*) filter (people >= 2) / count(*), count(*) filter (people >= 2), count(*), count(*)
from engagement_sliced where slice_by in ('', 'tier') group by all
union all
select 'multithreaded_account_rate', 'people', cast(least_people as varchar), count(*) filter (people >= least_people) / count(*),
    count(*) filter (people >= least_people), count(*), count(*)
from engagement, (values (2), (3)) threads (least_people) group by least_people
union all
select 'addressable_engagement_rate', slice_by, slice, count(*) filter (engaged) / count(*), count(*) filter (engaged), count(*), count(*)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': segment}], recursive := true), coalesce(engaged, false) as engaged
    from wide left join acted using (account_id) where is_addressable and lives)
group by all;

insert into readings
select 'tier_weighted_penetration', '', '', sum(value * weight) / sum(weight), sum(value * weight), sum(weight), sum(n)
from readings join teams on teams.tier = slice where metric = 'buying_group_penetration' and slice_by = 'tier' having sum(weight) > 0;

-- The role of a person: the recorded one, else the first whose words the title holds.
create or replace table roles as
select person_id, coalesce(buying_role, (
    select arg_min(role, place) from title_words where regexp_matches(lower(title), '\b' || word || '\b'))) as role, buying_role, title, department
from people;

create or replace table needed as
select engagement.account_id, engagement.tier, buying_roles.role, exists (
    from acts join roles using (person_id)
    where acts.account_id = engagement.account_id and roles.role = buying_roles.role and day >= getvariable('q_to') - 90 and day < getvariable('q_to')) as acted
from engagement join buying_roles using (tier);

insert into readings
select 'buying_role_penetration', slice_by, slice, count(*) filter (acted) / count(*), count(*) filter (acted), count(*), count(*)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'role', 'slice': role}, {'slice_by': 'tier', 'slice': tier},
        {'slice_by': 'role/tier', 'slice': role || '/' || tier}], recursive := true), acted
    from needed)
group by all;

-- Where people worked on the quarter's last day, once each; our own left out.
create or replace table person_accounts as
select * from read_csv(getvariable('folder') || '/person_accounts.csv', types = {
    'person_id': 'varchar', 'account_id': 'varchar', 'valid_from': 'date', 'valid_to': 'date'});

create or replace table person_places as
select same_person.lives_on_as as person_id, place.account_id, place.valid_from, place.valid_to
from (
    from person_accounts
    union all by name
    select person_id, account_id, date '1900-01-01' as valid_from from people anti join person_accounts using (person_id) where account_id is not null) place
join same_person using (person_id) where not ours;

create or replace macro working_on(day) as table
    select distinct person_id, coalesce(survivors.lives_on_as, place.account_id) as account_id
    from person_places place left join survivors using (account_id)
    where valid_from <= day and (valid_to is null or valid_to > day) and is_real(coalesce(survivors.lives_on_as, place.account_id));

create or replace table known_people as
select working.person_id, working.account_id, roles.* exclude (person_id)
from working_on(getvariable('q_to') - 1) working join people using (person_id) join roles using (person_id) anti join suppressed using (person_id)
where people.created_at < getvariable('q_end');

create or replace table contacts as
select engagement.account_id, engagement.tier, count(person_id) as contacts
from engagement left join known_people using (account_id) group by all;

insert into readings
select 'contacts_per_target_account', slice_by, slice, sum(contacts) / count(*), sum(contacts), count(*), count(*)
from (select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}], recursive := true), contacts from contacts) group by all
union all
select 'contacts_per_target_account', 'statistic', 'median', median(contacts), null, null, count(*) from contacts having count(*) > 0
union all
select 'contacts_per_target_account', 'tier/statistic', tier || '/median', median(contacts), null, null, count(*) from contacts group by tier
union all
select 'right_contact_share', slice_by, slice, count(*) filter (is_right) / count(*), count(*) filter (is_right), count(*), count(*)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': engagement.tier},
        {'slice_by': 'department', 'slice': coalesce(department, 'not stated')}], recursive := true),
        (engagement.tier, coalesce(role, '')) in (select (tier, role) from buying_roles) as is_right
    from known_people join engagement using (account_id))
group by all;

-- Accounts with an open opportunity, and whether a champion or a blocker is recorded there.
create or replace table opportunity_roles as
select * from read_csv(getvariable('folder') || '/opportunity_roles.csv', types = {
    'opportunity_id': 'varchar', 'person_id': 'varchar', 'role': 'varchar', 'added_at': 'timestamp'});

insert into readings
with recorded as (
    select open_now.account_id, opportunity_roles.role from open_now join opportunity_roles using (opportunity_id)
    where added_at < getvariable('q_end') and person_id not in (from suppressed)
    union
    select account_id, buying_role from known_people),
in_play as (
    select distinct account_id, tier, (account_id, 'champion') in (select (account_id, role) from recorded) as champion,
        (account_id, 'blocker') in (select (account_id, role) from recorded) as blocker
    from open_now),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}], recursive := true), champion, blocker from in_play)
select 'champion_known_rate', slice_by, slice, count(*) filter (champion) / count(*), count(*) filter (champion), count(*), count(*) from sliced group by all
union all
select 'blocker_known_rate', slice_by, slice, count(*) filter (blocker) / count(*), count(*) filter (blocker), count(*), count(*) from sliced group by all;

create or replace table meetings as
select meetings.* exclude (account_id), coalesce(survivors.lives_on_as, meetings.account_id) as account_id
from read_csv(getvariable('folder') || '/meetings.csv', types = {
    'meeting_id': 'varchar', 'kind': 'varchar', 'account_id': 'varchar', 'person_id': 'varchar', 'requested_at': 'timestamp', 'booked_at': 'timestamp',
    'starts_at': 'timestamp', 'outcome': 'varchar', 'rescheduled_from': 'varchar', 'is_internal': 'boolean', 'is_two_way': 'boolean',
    'channel': 'varchar'}) meetings
left join survivors using (account_id)
where not coalesce(is_internal, false) and is_real(coalesce(survivors.lives_on_as, meetings.account_id));

insert into readings
select 'sales_conversations', slice_by, slice, count(*), count(*), null, count(distinct account_id)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'kind', 'slice': kind}, {'slice_by': 'tier', 'slice': coalesce(tier, 'not on the list')}],
        recursive := true), account_id
    from meetings left join attributes using (account_id)
    where outcome = 'held' and (kind <> 'call' or is_two_way) and local_day(starts_at) >= getvariable('q_from') and local_day(starts_at) < getvariable('q_to'))
group by all;

-- Prices: the yearly value of new business won in four quarters, by segment where four fifths of its deals have one.
create or replace table prices as
with won as (
    select segment, case when annual_value is not null then priced(annual_value, currency, day)
        when term_months > 0 then priced((amount - coalesce(one_off_amount, 0)) * 12 / term_months, currency, day) end as yearly
    from closed where is_won and business_type = 'new' and day >= (select min(day_from) from quarters join last_four using (label)) and day < getvariable('q_to')),
grouped as (
    select '' as segment, avg(cast(yearly as double)) as price, count(yearly) as priced_deals, count(*) as deals from won
    union all
    select segment, avg(cast(yearly as double)), count(yearly), count(*) from won group by segment)
select segment, round(price, 2) as price from grouped where priced_deals > 0 and priced_deals >= 0.8 * deals;

create or replace table subscriptions as
select subscriptions.* exclude (account_id), coalesce(survivors.lives_on_as, subscriptions.account_id) as account_id
from read_csv(getvariable('folder') || '/subscriptions.csv', types = {
    'account_id': 'varchar', 'effective_on': 'date', 'kind': 'varchar', 'arr_change': 'decimal(18,2)', 'currency': 'varchar', 'recorded_at': 'timestamp'}) subscriptions
left join survivors using (account_id);

create or replace table customers_now as
select account_id from subscriptions where effective_on < getvariable('q_to') and recorded_at < getvariable('known')
group by account_id having sum(arr_change) > 0;

insert into readings
with valued as (
    select wide.*, account_id in (from customers_now) as is_customer, coalesce(own.price, whole.price) as price
    from wide left join prices own on own.segment = wide.segment left join prices whole on whole.segment = ''
    where lives),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': segment}], recursive := true), is_addressable, is_customer, price
    from valued)
select 'total_addressable_market', slice_by, slice, sum(price), sum(price), null, count(*) from sliced where is_addressable and price is not null group by all
union all
select 'installed_base_value', slice_by, slice, sum(price), sum(price), null, count(*) from sliced where is_customer and price is not null group by all
union all
select 'market_penetration', slice_by, slice, count(*) filter (is_customer) / count(*), count(*) filter (is_customer), count(*), count(*)
from sliced where is_addressable group by all;
