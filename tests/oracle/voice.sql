-- What buyers say: how they heard of us, set against the first touch, and notes.

create or replace table answers as
with asked as (
    select 'sign-up' as asked, people.person_id as id, people.created_at as said_at, self_reported_source as said, place.account_id
    from people left join (
        select person_id, working.account_id from people, lateral (
            select account_id from person_places where person_places.person_id = people.person_id and valid_from <= local_day(people.created_at)
                and (valid_to is null or valid_to > local_day(people.created_at)) limit 1) working) place using (person_id)
    where self_reported_source is not null and not ours and survivor_id is null and is_real(people.account_id)
        and person_id not in (from suppressed)
    union all
    select 'opportunity', opportunity_id, facts.created_at, self_reported_source, account_id from facts join state using (opportunity_id)
    where self_reported_source is not null and not state.is_deleted),
mapped as (
    select asked.* exclude (account_id), coalesce(survivors.lives_on_as, asked.account_id) as account_id, coalesce(meant.channel, 'other') as channel
    from asked left join (select distinct channel, lower(answer) as answer from answer_channels) meant on meant.answer = lower(said) left join survivors using (account_id)
    where local_day(said_at) >= getvariable('q_from') and local_day(said_at) < getvariable('q_to'))
select mapped.*, (
    select arg_min(acts.channel, (touched_at, touch_id)) from acts where acts.account_id = mapped.account_id and acts.day <= local_day(mapped.said_at)
        and acts.day >= local_day(mapped.said_at) - 365) as first_touch
from mapped;

insert into readings
with whole as (select count(*) as n from answers)
select 'self_reported_source_share', 'source', channel, count(*) / any_value(n), count(*), any_value(n), any_value(n) from answers, whole where n >= 30 group by channel;

insert into readings
with tracked as (select *, channel = first_touch as agrees from answers where first_touch is not null),
whole as (select count(*) as n from tracked having (select count(*) from answers) >= 30),
sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'channel', 'slice': channel}, {'slice_by': 'asked', 'slice': asked}], recursive := true), agrees
    from tracked)
select 'self_reported_agreement', slice_by, slice, count(*) filter (agrees) / count(*), count(*) filter (agrees), count(*), count(*)
from sliced, whole group by all
union all
select 'self_reported_agreement', 'channel/first_touch', channel || '/' || first_touch, count(*) / any_value(n), count(*), any_value(n), any_value(n)
from tracked, whole group by channel, first_touch;

insert into readings
with noted as (
    select noted_on as day, source, coalesce(theme, 'not stated') as theme, coalesce(sentiment, 'not stated') as sentiment
    from read_csv(getvariable('folder') || '/notes.csv', types = {
        'noted_on': 'date', 'source': 'varchar', 'account_id': 'varchar', 'theme': 'varchar', 'sentiment': 'varchar'})
    where is_real(account_id)),
timed as (select spans.slice_by, spans.slice, noted.* from noted join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to)
select 'note_mentions', slice_by, slice, count(*), count(*), null, count(*)
from (
    select slice_by, slice from timed where slice_by = 'month'
    union all
    select unnest([{'slice_by': 'source', 'slice': source}, {'slice_by': 'theme', 'slice': theme}, {'slice_by': 'sentiment', 'slice': sentiment},
        {'slice_by': 'source/theme/sentiment', 'slice': source || '/' || replace(theme, '/', '%2F') || '/' || sentiment}], recursive := true)
    from timed where slice_by = '')
group by all;
