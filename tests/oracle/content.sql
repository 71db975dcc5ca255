-- Content taken in, emails, forms and calls to action, acts on social media and offline.

create or replace table assets as
select * from read_csv(getvariable('folder') || '/assets.csv', types = {
    'asset_id': 'varchar', 'title': 'varchar', 'page': 'varchar', 'theme': 'varchar', 'funnel': 'varchar', 'kind': 'varchar', 'is_gated': 'boolean',
    'message': 'varchar', 'value_proposition': 'varchar'});

create or replace table in_quarter_acts as
select * from acts where day >= getvariable('q_from') and day < getvariable('q_to');

create or replace table content_views as
select page_views.*, coalesce(page_views.channel, 'unknown') as view_channel, assets.asset_id, assets.title, assets.kind,
    coalesce(attributes.target, 'not on the list') as target, sessions.campaign, sessions.campaign_id as session_campaign
from page_views join assets using (page) join sessions using (session_id) left join attributes on attributes.account_id = page_views.account_id
where page_views.day >= getvariable('q_from') and page_views.day < getvariable('q_to');

-- One row per act of taking content in, by anyone.
create or replace table taken_in as
select account_id, asset_id, view_channel as channel, day from content_views where engaged_seconds >= 10
union all
select account_id, asset_id, channel, day from in_quarter_acts where kind in ('download', 'webinar') and asset_id is not null;

create or replace table target_content as
select wide.account_id, wide.name, wide.segment, wide.tier, taken_in.channel, taken_in.day, assets.*
from taken_in join wide using (account_id) join assets using (asset_id) where wide.target = 'target';

create or replace table content_sliced as
select unnest([
    {'slice_by': '', 'slice': ''}, {'slice_by': 'asset', 'slice': title}, {'slice_by': 'theme', 'slice': theme}, {'slice_by': 'funnel', 'slice': funnel},
    {'slice_by': 'message', 'slice': message}, {'slice_by': 'value_proposition', 'slice': value_proposition}, {'slice_by': 'channel', 'slice': channel},
    {'slice_by': 'segment', 'slice': segment}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'account', 'slice': name},
    {'slice_by': 'account/funnel', 'slice': replace(name, '/', '%2F') || '/' || funnel}], recursive := true), account_id
from target_content;

insert into readings
with everyone as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': segment}, {'slice_by': 'tier', 'slice': tier},
        {'slice_by': 'account', 'slice': name}], recursive := true), account_id
    from wide where target = 'target'),
counted as (select slice_by, slice, count(distinct account_id) as took from content_sliced group by all),
own as (select slice_by, slice, count(*) as accounts from everyone group by all),
whole as (select count(*) as accounts from everyone where slice_by = '')
select 'content_engaged_accounts', slice_by, slice, took, took, null, took from counted where slice_by <> 'account'
union all
select 'content_engagement_rate', slice_by, slice, coalesce(took, 0) / accounts, coalesce(took, 0), accounts, accounts
from own left join counted using (slice_by, slice)
union all
select 'content_engagement_rate', slice_by, slice, took / accounts, took, accounts, accounts
from counted, whole where slice_by in ('funnel', 'asset', 'channel');

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'asset', 'slice': title},
        {'slice_by': 'landing_page', 'slice': case when kind = 'landing_page' then page end}, {'slice_by': 'target', 'slice': target}], recursive := true),
        engaged_seconds, scroll_percent
    from content_views)
select 'content_median_seconds', slice_by, slice, median(engaged_seconds), null, null, count(*)
from sliced where engaged_seconds is not null and slice is not null group by all
union all
select 'content_consumption_rate', slice_by, slice, count(*) filter (scroll_percent >= 75) / count(*), count(*) filter (scroll_percent >= 75), count(*), count(*)
from sliced where scroll_percent is not null and slice_by in ('', 'asset') group by all;

insert into readings
select 'content_downloads', slice_by, slice, count(*), count(*), null, count(distinct account_id)
from (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'asset', 'slice': title}, {'slice_by': 'gated', 'slice': if(is_gated, 'gated', 'open')},
        {'slice_by': 'target', 'slice': coalesce(target, 'not on the list')}], recursive := true), account_id
    from in_quarter_acts acts left join assets using (asset_id) left join attributes using (account_id) where acts.kind = 'download')
group by all;

-- Themes: every engagement counts.
insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'segment', 'slice': segment}], recursive := true), theme
    from target_content where theme is not null),
counted as (select slice_by, slice, theme, count(*) as engagements from sliced group by all),
shares as (select *, sum(engagements) over (partition by slice_by, slice) as whole from counted)
select 'top_theme_share', slice_by, slice, max(engagements) / any_value(whole), max(engagements), any_value(whole), any_value(whole) from shares group by all
union all
select 'effective_themes', slice_by, slice, 1 / sum((engagements / whole) ** 2), any_value(whole) ** 2, sum(engagements ** 2), any_value(whole)
from shares group by all;

-- Progression in the last 30 days of those that took content in before them, against those of the same stage that took in none.
create or replace table account_stages_ranked as
select coalesce(survivors.lives_on_as, account_stages.account_id) as account_id, stage, entered_at,
    list_position(['cold', 'engaged', 'mqa', 'demo', 'opportunity', 'customer', 'renewal'], stage) as rank
from account_stages left join survivors using (account_id)
where recorded_at < getvariable('known') and entered_at < getvariable('q_end') and is_real(coalesce(survivors.lives_on_as, account_stages.account_id));

create or replace macro stage_before(moment) as table
    select account_id, arg_max(stage, entered_at) as stage, arg_max(rank, entered_at) as rank from account_stages_ranked
    where entered_at < moment group by account_id;

create or replace table moved as
select listed.account_id, listed.tier, listed.programme, coalesce(before.rank, 1) as rank_before, coalesce(after.rank, 1) as rank_after,
    rank_after > rank_before as rose, rank_after < rank_before and not (rank_before = 7 and rank_after = 6) as fell
from listed_on(getvariable('q_to') - 30) listed left join stage_before(getvariable('thirty_before')) before using (account_id)
left join stage_before(getvariable('q_end')) after using (account_id);

insert into readings
with earlier as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'asset', 'slice': title}, {'slice_by': 'theme', 'slice': theme}], recursive := true),
        account_id
    from taken_in join assets using (asset_id) where day < getvariable('q_to') - 30),
takers as (select distinct slice_by, slice, account_id from earlier),
took as (select slice_by, slice, rank_before, count(*) as n, count(*) filter (rose) as k from takers join moved using (account_id) group by all),
without as (
    select slices.slice_by, slices.slice, rank_before, count(*) as n, count(*) filter (rose) as k
    from (select distinct slice_by, slice from takers) slices cross join moved anti join takers using (slice_by, slice, account_id)
    where rank_before < 7 group by all)
select 'content_progression_difference', slice_by, slice, sum(took.k) / sum(took.n) - sum(took.n * without.k / without.n) / sum(took.n),
    sum(took.k), sum(took.n), sum(took.n) + sum(took.n) ** 2 / sum(took.n ** 2 / without.n)
from took join without using (slice_by, slice, rank_before) group by all;

-- Landing pages, however short the view.
insert into readings
with whole as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}], recursive := true), account_id,
        account_id in (select account_id from content_views where kind = 'landing_page' and account_id is not null) as reached
    from wide where target = 'target')
select 'landing_page_reach_rate', slice_by, slice, count(*) filter (reached) / count(*), count(*) filter (reached), count(*), count(*) from whole group by all
union all
select 'landing_page_reach_rate', 'campaign', campaign, count(distinct account_id) / any_value(n), count(distinct account_id), any_value(n), any_value(n)
from content_views join attributes using (account_id), (select count(*) as n from wide where target = 'target') everyone
where attributes.target = 'target' and kind = 'landing_page' and session_campaign is not null group by campaign;

-- One row per email and person, by the day of sending.
create or replace table mailings as
with events as (
    select events.email_id, same_person.lives_on_as as person_id, events.occurred_at, events.kind, coalesce(events.is_machine, false) as is_machine
    from read_csv(getvariable('folder') || '/email_events.csv', types = {
        'email_id': 'varchar', 'person_id': 'varchar', 'occurred_at': 'timestamp', 'kind': 'varchar', 'is_machine': 'boolean'}) events
    join same_person using (person_id) where not ours and person_id not in (from suppressed) and is_real_person(lives_on_as)
        and occurred_at < getvariable('known')),
pairs as (
    select email_id, person_id, min(local_day(occurred_at)) filter (kind = 'sent') as sent_day,
        bool_or(kind = 'sent') as sent, bool_or(kind = 'delivered') as delivered,
        bool_or(kind = 'click' and not is_machine) as clicked, bool_or(kind = 'click') as clicked_any,
        bool_or(kind = 'open' and not is_machine) as opened, bool_or(kind = 'open') as opened_any, bool_or(kind = 'reply' and not is_machine) as replied
    from events group by all)
select pairs.*, coalesce(sent_day, emails.sent_on) as day, emails.name as mailing, emails.subject, emails.call_to_action, assets.title as asset,
    campaigns.name as campaign, coalesce(attributes.segment, 'unknown') as segment
from pairs left join read_csv(getvariable('folder') || '/emails.csv', types = {
    'email_id': 'varchar', 'name': 'varchar', 'subject': 'varchar', 'call_to_action': 'varchar', 'campaign_id': 'varchar', 'asset_id': 'varchar',
    'sent_on': 'date'}) emails using (email_id)
left join assets using (asset_id) left join campaigns on campaigns.campaign_id = emails.campaign_id
left join lateral (
    select coalesce(survivors.lives_on_as, place.account_id) as account_id
    from person_places place left join survivors using (account_id)
    where place.person_id = pairs.person_id and place.valid_from <= coalesce(pairs.sent_day, emails.sent_on)
        and (place.valid_to is null or place.valid_to > coalesce(pairs.sent_day, emails.sent_on)) limit 1) working on true
left join attributes on attributes.account_id = working.account_id;

create or replace table mailings_sliced as
with timed as (
    select spans.slice_by, spans.slice, mailings.*
    from mailings join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to)
select * from timed
union all by name
select unnest([
    {'slice_by': 'email', 'slice': mailing}, {'slice_by': 'subject', 'slice': subject}, {'slice_by': 'call_to_action', 'slice': call_to_action},
    {'slice_by': 'asset', 'slice': asset}, {'slice_by': 'campaign', 'slice': campaign}, {'slice_by': 'segment', 'slice': segment},
    {'slice_by': 'filter', 'slice': 'machines removed'}, {'slice_by': 'filter', 'slice': 'unfiltered'}], recursive := true),
    timed.* exclude (slice_by, slice)
from timed where slice_by = '';

insert into readings
select 'email_delivery_rate', slice_by, slice, count(*) filter (delivered) / count(*), count(*) filter (delivered), count(*), count(*)
from mailings_sliced where sent and slice_by in ('', 'email', 'campaign') group by all
union all
select 'email_click_rate', slice_by, slice, count(*) filter (did) / count(*), count(*) filter (did), count(*), count(*)
from (select *, if(slice = 'unfiltered', clicked_any, clicked) as did from mailings_sliced where delivered) group by all
union all
select 'email_open_rate', slice_by, slice, count(*) filter (did) / count(*), count(*) filter (did), count(*), count(*)
from (select *, if(slice = 'unfiltered', opened_any, opened) as did from mailings_sliced where delivered) group by all
union all
select 'email_reply_rate', slice_by, slice, count(*) filter (replied) / count(*), count(*) filter (replied), count(*), count(*)
from mailings_sliced where delivered and slice_by <> 'filter' group by all;

-- Forms and calls to action.
create or replace table cta_events as
select events.* exclude (person_id), coalesce(same_person.lives_on_as, events.person_id) as person_id,
    coalesce(if(person_id in (from suppressed), null, coalesce(same_person.lives_on_as, events.person_id)), events.visitor_id) as who
from read_csv(getvariable('folder') || '/cta_events.csv', types = {
    'event_id': 'varchar', 'cta_id': 'varchar', 'occurred_at': 'timestamp', 'visitor_id': 'varchar', 'person_id': 'varchar', 'account_id': 'varchar',
    'kind': 'varchar', 'journey_step': 'varchar', 'form_id': 'varchar', 'is_machine': 'boolean', 'position': 'integer'}) events
left join same_person using (person_id)
where not coalesce(is_machine, false) and not coalesce(ours, false) and is_real(events.account_id)
    and local_day(occurred_at) >= getvariable('q_from') and local_day(occurred_at) < getvariable('q_to');

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'form', 'slice': form_id}, {'slice_by': 'journey_step', 'slice': journey_step}],
        recursive := true), who, kind
    from cta_events where form_id is not null)
select 'form_fill_rate', slice_by, slice, count(distinct who) filter (kind = 'completed') / count(*) filter (kind = 'exposed'),
    count(distinct who) filter (kind = 'completed'), count(*) filter (kind = 'exposed'), count(*) filter (kind = 'exposed')
from sliced group by all having count(*) filter (kind = 'exposed') > 0
union all
select 'form_fills', slice_by, slice, count(distinct who), count(distinct who), null, count(distinct who) from sliced where kind = 'completed' group by all;

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'call_to_action', 'slice': cta_id}, {'slice_by': 'journey_step', 'slice': journey_step},
        {'slice_by': 'position/call_to_action', 'slice': printf('%02d', position) || '/' || replace(cta_id, '/', '%2F')}], recursive := true), kind
    from cta_events where cta_id in (select cta_id from cta_events where kind = 'exposed'))
select 'cta_conversion_rate', slice_by, slice, count(*) filter (kind = 'completed') / count(*) filter (kind = 'exposed'),
    count(*) filter (kind = 'completed'), count(*) filter (kind = 'exposed'), count(*) filter (kind = 'exposed')
from sliced group by all having count(*) filter (kind = 'exposed') > 0;

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'kind', 'slice': if(kind = 'social', coalesce(detail, 'not stated'), kind)},
        {'slice_by': 'target', 'slice': coalesce(target, 'not on the list')}], recursive := true), kind
    from in_quarter_acts left join attributes using (account_id))
select 'social_engagements', slice_by, slice, count(*), count(*), null, count(*) from sliced where kind = 'social' group by all
union all
select 'offline_engagements', slice_by, slice, count(*), count(*), null, count(*) from sliced where kind in ('event', 'direct_mail') group by all
union all
select 'channels_per_engaged_account', slice_by, slice, sum(channels) / count(*), sum(channels), count(*), count(*)
from engagement_sliced where engaged and slice_by in ('', 'tier') group by all;
