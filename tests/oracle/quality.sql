-- What the numbers rest on: rows read, accounts and sources told, amounts and reasons given, machines, age, and finance's own totals.

create or replace table files as
select regexp_extract(filename, '([a-z_]+)\.csv$', 1) as "table", count(*) - 1 as rows
from read_csv(getvariable('folder') || '/*.csv', columns = {'line': 'varchar'}, delim = '\x01', quote = '', escape = '', header = false, filename = true, null_padding = true)
group by all;

insert into readings
select 'rows_set_aside_share', '', '', 0, 0, sum(rows), sum(rows) from files
union all
select 'rows_set_aside_share', 'table', "table", 0, 0, rows, rows from files where rows > 0;

-- Rows of the quarter that should name an account, and those that do.
create or replace table named as
with bare as (
    select 'ad_account_days' as "table", day, account_id from ad_account_days
    union all
    select 'cta_events', local_day(occurred_at), account_id from read_csv(getvariable('folder') || '/cta_events.csv', types = {
        'occurred_at': 'timestamp', 'account_id': 'varchar', 'is_machine': 'boolean'}) where not coalesce(is_machine, false)
    union all
    select 'meetings', local_day(booked_at), account_id from meetings
    union all
    select 'opportunities', local_day(created_at), account_id from opportunities
    union all
    select 'page_views', day, account_id from page_views
    union all
    select 'people', local_day(created_at), account_id from living
    union all
    select 'surveys', day, account_id from survey_answers
    union all
    select 'touches', local_day(touched_at), account_id from touches)
select * from bare where is_real(account_id) and day >= getvariable('q_from') and day < getvariable('q_to');

insert into readings
select 'account_match_rate', slice_by, slice, count(account_id) / count(*), count(account_id), count(*), count(*)
from (select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'table', 'slice': "table"}], recursive := true), account_id from named)
group by all;

insert into readings
with told as (
    select '' as slice_by, '' as slice, source_channel = 'unknown' as is_unknown from created_sliced where slice_by = ''
    union all
    select 'table', 'opportunities', source_channel = 'unknown' from created_sliced where slice_by = ''
    union all
    select 'table', 'people', channel = 'unknown' from living
    where local_day(created_at) >= getvariable('q_from') and local_day(created_at) < getvariable('q_to'))
select 'unknown_source_share', slice_by, slice, count(*) filter (is_unknown) / count(*), count(*) filter (is_unknown), count(*), count(*) from told group by all;

-- Every deal won or lost in the quarter, also one that was never qualified.
create or replace table ended as
select facts.segment, facts.loss_reason, facts.term_months, state.is_won, priced(state.amount, state.currency, state.close_on) as money
from state join facts using (opportunity_id)
where (state.is_won or state.is_lost) and not state.is_deleted and state.close_on >= getvariable('q_from') and state.close_on < getvariable('q_to');

insert into readings
with amounts as (
    select 'open' as state, money from open_now
    union all
    select case when is_won then 'won' else 'lost' end, money from ended),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'state', 'slice': state}], recursive := true), coalesce(money, 0) <= 0 as is_missing from amounts)
select 'amount_missing_share', slice_by, slice, count(*) filter (is_missing) / count(*), count(*) filter (is_missing), count(*), count(*) from sliced group by all;

insert into readings
with ended_sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': segment}], recursive := true), loss_reason, term_months, is_won from ended)
select 'loss_reason_missing_share', slice_by, slice, count(*) filter (loss_reason is null) / count(*), count(*) filter (loss_reason is null), count(*), count(*)
from ended_sliced where not is_won group by all
union all
select 'term_missing_share', slice_by, slice, count(*) filter (term_months is null) / count(*), count(*) filter (term_months is null), count(*), count(*)
from ended_sliced where is_won group by all;

insert into readings
with events as (
    select 'page_views' as "table", local_day(viewed_at) as day, coalesce(is_bot, false) as by_machine, account_id
    from read_csv(getvariable('folder') || '/page_views.csv', types = {'viewed_at': 'timestamp', 'is_bot': 'boolean', 'account_id': 'varchar'})
    union all
    select 'email_events', local_day(occurred_at), coalesce(is_machine, false), people.account_id
    from read_csv(getvariable('folder') || '/email_events.csv', types = {'occurred_at': 'timestamp', 'person_id': 'varchar', 'is_machine': 'boolean'})
    left join people using (person_id) where person_id not in (from suppressed)
    union all
    select 'cta_events', local_day(occurred_at), coalesce(is_machine, false), account_id
    from read_csv(getvariable('folder') || '/cta_events.csv', types = {'occurred_at': 'timestamp', 'is_machine': 'boolean', 'account_id': 'varchar'})),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'table', 'slice': "table"}], recursive := true), by_machine
    from events where is_real(account_id) and day >= getvariable('q_from') and day < getvariable('q_to'))
select 'machine_activity_share', slice_by, slice, count(*) filter (by_machine) / count(*), count(*) filter (by_machine), count(*), count(*) from sliced group by all;

-- Days from the newest row of each dated table but rates, remarks and months to the day as of which the quarter is told.
create or replace table ages_of_tables as
with loads as (select distinct "table", source from read_csv(getvariable('folder') || '/loads.csv', types = {'table': 'varchar', 'source': 'varchar'})),
dated as (
    select 'account_changes' as "table", local_day(changed_at) as day from read_csv(getvariable('folder') || '/account_changes.csv', types = {'changed_at': 'timestamp'})
    union all
    select 'account_lists' as "table", cast(valid_from as date) as day from read_csv(getvariable('folder') || '/account_lists.csv', types = {'valid_from': 'date'})
    union all
    select 'account_stages' as "table", local_day(entered_at) as day from read_csv(getvariable('folder') || '/account_stages.csv', types = {'entered_at': 'timestamp'})
    union all
    select 'ad_account_days' as "table", cast(day as date) as day from read_csv(getvariable('folder') || '/ad_account_days.csv', types = {'day': 'date'})
    union all
    select 'ad_days' as "table", cast(day as date) as day from read_csv(getvariable('folder') || '/ad_days.csv', types = {'day': 'date'})
    union all
    select 'campaign_members' as "table", local_day(joined_at) as day from read_csv(getvariable('folder') || '/campaign_members.csv', types = {'joined_at': 'timestamp'})
    union all
    select 'cta_events' as "table", local_day(occurred_at) as day from read_csv(getvariable('folder') || '/cta_events.csv', types = {'occurred_at': 'timestamp'})
    union all
    select 'email_events' as "table", local_day(occurred_at) as day from read_csv(getvariable('folder') || '/email_events.csv', types = {'occurred_at': 'timestamp'})
    union all
    select 'emails' as "table", cast(sent_on as date) as day from read_csv(getvariable('folder') || '/emails.csv', types = {'sent_on': 'date'})
    union all
    select 'meetings' as "table", local_day(booked_at) as day from read_csv(getvariable('folder') || '/meetings.csv', types = {'booked_at': 'timestamp'})
    union all
    select 'notes' as "table", cast(noted_on as date) as day from read_csv(getvariable('folder') || '/notes.csv', types = {'noted_on': 'date'})
    union all
    select 'opportunities' as "table", local_day(created_at) as day from read_csv(getvariable('folder') || '/opportunities.csv', types = {'created_at': 'timestamp'})
    union all
    select 'opportunity_changes' as "table", local_day(changed_at) as day from read_csv(getvariable('folder') || '/opportunity_changes.csv', types = {'changed_at': 'timestamp'})
    union all
    select 'opportunity_roles' as "table", local_day(added_at) as day from read_csv(getvariable('folder') || '/opportunity_roles.csv', types = {'added_at': 'timestamp'})
    union all
    select 'opportunity_sources' as "table", local_day(frozen_at) as day from read_csv(getvariable('folder') || '/opportunity_sources.csv', types = {'frozen_at': 'timestamp'})
    union all
    select 'page_views' as "table", local_day(viewed_at) as day from read_csv(getvariable('folder') || '/page_views.csv', types = {'viewed_at': 'timestamp'})
    union all
    select 'people' as "table", local_day(created_at) as day from read_csv(getvariable('folder') || '/people.csv', types = {'created_at': 'timestamp'})
    union all
    select 'person_accounts' as "table", cast(valid_from as date) as day from read_csv(getvariable('folder') || '/person_accounts.csv', types = {'valid_from': 'date'})
    union all
    select 'person_stages' as "table", local_day(entered_at) as day from read_csv(getvariable('folder') || '/person_stages.csv', types = {'entered_at': 'timestamp'})
    union all
    select 'subscriptions' as "table", cast(effective_on as date) as day from read_csv(getvariable('folder') || '/subscriptions.csv', types = {'effective_on': 'date'})
    union all
    select 'survey_invites' as "table", local_day(invited_at) as day from read_csv(getvariable('folder') || '/survey_invites.csv', types = {'invited_at': 'timestamp'})
    union all
    select 'surveys' as "table", local_day(answered_at) as day from read_csv(getvariable('folder') || '/surveys.csv', types = {'answered_at': 'timestamp'})
    union all
    select 'touches' as "table", local_day(touched_at) as day from read_csv(getvariable('folder') || '/touches.csv', types = {'touched_at': 'timestamp'})),
told as (select local_day(getvariable('known')) - 1 as as_of)
select "table", any_value(source) as source, date_diff('day', max(day), any_value(as_of)) as days
from dated join loads using ("table"), told where day <= as_of group by "table";

insert into readings
select 'source_age_days', slice_by, slice, max(days), max(days) * count(*) filter (is_oldest), count(*) filter (is_oldest), count(*)
from (
    select *, days = max(days) over (partition by slice_by, slice) as is_oldest
    from (
        select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'table', 'slice': "table"}, {'slice_by': 'source', 'slice': source}], recursive := true), days
        from ages_of_tables))
group by all;

insert into readings
with totals as (
    select metric, value from read_csv(getvariable('folder') || '/control_totals.csv', types = {'period': 'varchar', 'metric': 'varchar', 'value': 'decimal(18,2)'})
    where period = getvariable('quarter'))
select 'finance_tie_out', 'metric', metric, ours.value / totals.value, ours.value, totals.value, ours.n
from readings ours join totals using (metric) where ours.slice_by = '' and totals.value > 0;
