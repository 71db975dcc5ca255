-- What every family reads. Variables: folder, zone, and per quarter q_from, q_to (local days), q_start, q_end (UTC), known.

create or replace table accounts as
select * from read_csv(getvariable('folder') || '/accounts.csv', types = {
    'account_id': 'varchar', 'survivor_id': 'varchar', 'customer_since': 'date', 'segment': 'varchar', 'industry': 'varchar', 'region': 'varchar', 'is_icp': 'boolean', 'is_test': 'boolean'});

create or replace table account_changes as
select * from read_csv(getvariable('folder') || '/account_changes.csv',
    types = {'account_id': 'varchar', 'changed_at': 'timestamp', 'segment': 'varchar', 'industry': 'varchar', 'region': 'varchar', 'is_icp': 'boolean'});

create or replace table account_lists as
select * from read_csv(getvariable('folder') || '/account_lists.csv',
    types = {'account_id': 'varchar', 'tier': 'varchar', 'programme': 'varchar', 'valid_from': 'date', 'valid_to': 'date', 'recorded_at': 'timestamp'});

create or replace table account_stages as
select * from read_csv(getvariable('folder') || '/account_stages.csv',
    types = {'account_id': 'varchar', 'entered_at': 'timestamp', 'recorded_at': 'timestamp'});

create or replace table opportunities as
select * from read_csv(getvariable('folder') || '/opportunities.csv', types = {
    'opportunity_id': 'varchar', 'account_id': 'varchar', 'source_detail': 'varchar', 'campaign_id': 'varchar', 'competitor': 'varchar',
    'loss_reason': 'varchar', 'win_reason': 'varchar', 'promotion': 'varchar', 'is_promotion': 'boolean', 'survivor_id': 'varchar',
    'term_months': 'decimal(12,4)', 'annual_value': 'decimal(18,2)', 'one_off_amount': 'decimal(18,2)', 'owner_id': 'varchar',
    'deleted_at': 'timestamp', 'last_activity_at': 'timestamp'});

create or replace table opportunity_sources as
select * from read_csv(getvariable('folder') || '/opportunity_sources.csv', types = {'opportunity_id': 'varchar', 'channel': 'varchar'});

create or replace table campaigns as
select * from read_csv(getvariable('folder') || '/campaigns.csv', types = {'campaign_id': 'varchar', 'programme': 'varchar'});

create or replace table owners as
select * from read_csv(getvariable('folder') || '/owners.csv', types = {'owner_id': 'varchar', 'label': 'varchar'});

create or replace table fx as
select * from read_csv(getvariable('folder') || '/fx.csv', types = {'currency': 'varchar', 'day': 'date', 'rate': 'decimal(18,8)'});

create or replace table targets as
select * from read_csv(getvariable('folder') || '/targets.csv',
    types = {'slice_by': 'varchar', 'slice': 'varchar', 'period': 'varchar', 'kind': 'varchar', 'value': 'decimal(18,6)', 'currency': 'varchar'});

create or replace table ad_days as
select * from read_csv(getvariable('folder') || '/ad_days.csv', types = {
    'day': 'date', 'campaign_id': 'varchar', 'variant': 'varchar', 'experiment_id': 'varchar', 'impressions': 'bigint', 'clicks': 'bigint',
    'cost': 'decimal(18,2)', 'currency': 'varchar'});

-- An account that was merged into another stands for the one that survived.
create or replace table survivors as
with recursive follow as (
    select account_id, account_id as lives_on_as from accounts
    union all
    select follow.account_id, accounts.survivor_id
    from follow join accounts on accounts.account_id = follow.lives_on_as where accounts.survivor_id is not null)
select follow.account_id, follow.lives_on_as
from follow join accounts on accounts.account_id = follow.lives_on_as where accounts.survivor_id is null;

create or replace table people as
select people.*, coalesce(is_internal, false) as ours
from read_csv(getvariable('folder') || '/people.csv', types = {
    'person_id': 'varchar', 'account_id': 'varchar', 'title': 'varchar', 'department': 'varchar', 'buying_role': 'varchar', 'is_internal': 'boolean',
    'created_at': 'timestamp', 'self_reported_source': 'varchar', 'survivor_id': 'varchar'}) people;

create or replace table same_person as
with recursive follow as (
    select person_id, person_id as lives_on_as from people
    union all
    select follow.person_id, people.survivor_id from follow join people on people.person_id = follow.lives_on_as where people.survivor_id is not null)
select follow.person_id, follow.lives_on_as, people.ours
from follow join people on people.person_id = follow.lives_on_as where people.survivor_id is null;

-- Whoever was recorded twice is known since the earlier record.
update people set created_at = firsts.created_at
from (select lives_on_as, min(created_at) as created_at from same_person join people using (person_id) group by all) firsts where firsts.lives_on_as = people.person_id;

-- Nobody who withdrew consent is counted as a person.
create or replace table suppressed as
select people.person_id from people, (
    select * from read_csv(getvariable('folder') || '/suppressions.csv', types = {'person_id': 'varchar', 'email_hash': 'varchar', 'since': 'date'})) out
where out.person_id = people.person_id or out.email_hash = sha256(lower(people.email));

-- Test accounts and what they did are left out.
create or replace macro is_real(account) as account is null or account not in (select account_id from accounts where is_test);
create or replace macro is_real_person(person) as person not in (
    select person_id from people join accounts using (account_id) where is_test);

create or replace table ad_account_days as
select days.* exclude (account_id), coalesce(survivors.lives_on_as, days.account_id) as account_id
from read_csv(getvariable('folder') || '/ad_account_days.csv', types = {
    'day': 'date', 'account_id': 'varchar', 'company_name': 'varchar', 'impressions': 'bigint', 'clicks': 'bigint', 'reactions': 'bigint'}) days
left join survivors using (account_id);

create or replace table ad_title_months as
select * from read_csv(getvariable('folder') || '/ad_title_months.csv', types = {
    'month': 'date', 'title': 'varchar', 'seniority': 'varchar', 'impressions': 'bigint', 'clicks': 'bigint'});

create or replace table experiments as
select * from read_csv(getvariable('folder') || '/experiments.csv', types = {'control_variant': 'varchar', 'starts_on': 'date', 'ends_on': 'date'});

create or replace table touches as
select touches.* exclude (account_id, person_id), coalesce(survivors.lives_on_as, touches.account_id) as account_id,
    if(person_id in (from suppressed), null, coalesce(same_person.lives_on_as, touches.person_id)) as person_id
from read_csv(getvariable('folder') || '/touches.csv', types = {
    'touched_at': 'timestamp', 'account_id': 'varchar', 'person_id': 'varchar', 'is_response': 'boolean', 'channel': 'varchar'}) touches
left join survivors using (account_id) left join same_person using (person_id);

-- Each recorded state of an opportunity, with what its stage means.
create or replace table changes as
select opportunity_id, changed_at, recorded_at, stage, amount, currency, close_on, coalesce(is_deleted, false) as is_deleted,
    stage in (select stage from won_stages) as is_won,
    stage in (select stage from lost_stages) as is_lost,
    stage in (select stage from open_stages) and not coalesce(is_deleted, false) as is_open
from read_csv(getvariable('folder') || '/opportunity_changes.csv', types = {
    'opportunity_id': 'varchar', 'changed_at': 'timestamp', 'recorded_at': 'timestamp', 'amount': 'decimal(18,2)', 'currency': 'varchar',
    'close_on': 'date', 'is_deleted': 'boolean'});

create or replace macro local_day(moment) as cast(timezone(getvariable('zone'), timezone('UTC', moment)) as date);

-- The rate of a day, or the nearest earlier one within a week; one amount is rounded to the cent.
create or replace macro rate_on(money, on_day) as (
    select arg_max(rate, day) from fx where fx.currency = money and fx.day <= on_day and fx.day >= on_day - 7);

create or replace macro priced(amount, money, on_day) as case
    when money = getvariable('currency') then cast(amount as decimal(18,2))
    when getvariable('decimal_money') then round(cast(amount as decimal(18,2)) * rate_on(money, on_day), 2)
    else cast(round(cast(amount as double) * cast(rate_on(money, on_day) as double), 2) as decimal(18,2)) end;

-- The last state that took effect before a moment and was recorded by another.
create or replace macro state_at(moment, knowledge) as table
    select * from changes where changed_at < moment and recorded_at < knowledge
    qualify row_number() over (partition by opportunity_id order by changed_at desc) = 1;

-- The first entry into the qualified stage or, for one won at once, that day; a blank amount stays blank.
create or replace macro qualified_by(moment, knowledge) as table
    select opportunity_id, min(changed_at) as qualified_at, arg_min({'amount': amount, 'currency': currency}, changed_at) as first_state
    from changes where (is_open or is_won) and changed_at < moment and recorded_at < knowledge
    group by opportunity_id;
