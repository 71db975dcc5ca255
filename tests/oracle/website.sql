-- Sessions, made of page views without programs and our own people; landing pages; who came.

create or replace table page_views as
select views.* exclude (account_id, person_id), coalesce(survivors.lives_on_as, views.account_id) as account_id,
    coalesce(same_person.lives_on_as, views.person_id) as person_id, local_day(viewed_at) as day
from read_csv(getvariable('folder') || '/page_views.csv', types = {
    'view_id': 'varchar', 'session_id': 'varchar', 'visitor_id': 'varchar', 'viewed_at': 'timestamp', 'page': 'varchar', 'account_id': 'varchar',
    'person_id': 'varchar', 'channel': 'varchar', 'campaign_id': 'varchar', 'session_number': 'integer', 'is_key_event': 'boolean', 'is_landing': 'boolean',
    'utm_source': 'varchar', 'utm_medium': 'varchar', 'utm_campaign': 'varchar', 'utm_content': 'varchar', 'utm_term': 'varchar',
    'scroll_percent': 'double', 'engaged_seconds': 'double', 'is_bot': 'boolean'}) views
left join survivors using (account_id) left join same_person using (person_id)
where not coalesce(is_bot, false) and not coalesce(ours, false) and is_real(coalesce(survivors.lives_on_as, views.account_id))
    and viewed_at < getvariable('known');

create or replace table sessions as
with ordered as (
    select *, row_number() over (partition by session_id order by viewed_at, view_id) as step from page_views),
whole as (
    select session_id, count(*) as views, sum(engaged_seconds) as seconds, coalesce(bool_or(is_key_event), false) as has_key_event,
        min_by(account_id, step) filter (account_id is not null) as account_id, max(page) filter (step = 2) as next_page
    from ordered group by session_id)
select whole.*, first.day, coalesce(first.channel, 'unknown') as channel, first.page as landing_page, first.session_number, first.scroll_percent,
    campaigns.campaign_id, coalesce(campaigns.name, 'no campaign') as campaign, coalesce(campaigns.programme, 'no programme') as programme,
    coalesce(campaigns.goal, 'not stated') as goal,
    first.utm_source, first.utm_medium, first.utm_campaign,
    coalesce(first.utm_source, first.utm_medium, first.utm_campaign, first.utm_content, first.utm_term) is not null as has_utm,
    coalesce(regexp_matches(first.utm_source, getvariable('utm_pattern')) and regexp_matches(first.utm_medium, getvariable('utm_pattern'))
        and regexp_matches(first.utm_campaign, getvariable('utm_pattern')), false)
        and (first.utm_source in (from utm_sources) or not exists (from utm_sources))
        and (first.utm_medium in (from utm_mediums) or not exists (from utm_mediums)) as fits
from whole join ordered first on first.session_id = whole.session_id and first.step = 1
left join campaigns on campaigns.campaign_id = coalesce(first.campaign_id,
    (select max(named.campaign_id) from campaigns named where named.utm_campaign = first.utm_campaign));

create or replace table sessions_sliced as
with timed as (
    select spans.slice_by, spans.slice, sessions.*
    from sessions join spans on spans.window = 'quarter' and day >= spans.day_from and day < spans.day_to)
select * from timed
union all by name
select unnest([
    {'slice_by': 'channel', 'slice': channel}, {'slice_by': 'campaign', 'slice': campaign}, {'slice_by': 'landing_page', 'slice': landing_page},
    {'slice_by': 'next_page', 'slice': coalesce(next_page, 'no further page')}, {'slice_by': 'programme', 'slice': programme},
    {'slice_by': 'goal', 'slice': goal}], recursive := true), timed.* exclude (slice_by, slice)
from timed where slice_by = '';

insert into readings
select 'website_sessions', slice_by, slice, count(*), count(*), null, count(*)
from sessions_sliced where slice_by not in ('programme', 'goal') group by all
union all
select 'campaign_sessions', slice_by, slice, count(*), count(*), null, count(*)
from sessions_sliced where campaign_id is not null and slice_by not in ('landing_page', 'next_page') group by all
union all
select 'new_visitor_share', slice_by, slice, count(*) filter (session_number = 1) / count(*), count(*) filter (session_number = 1), count(*), count(*)
from sessions_sliced where session_number is not null and slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all
union all
select 'engaged_visit_rate', slice_by, slice, count(*) filter (stayed) / count(*), count(*) filter (stayed), count(*), count(*)
from (select *, coalesce(seconds >= 10, false) or views >= 2 or has_key_event as stayed from sessions_sliced)
where slice_by in ('', 'channel', 'campaign', 'landing_page', 'month', 'quarter', 'year') group by all
union all
select 'pages_per_visit', slice_by, slice, sum(views) / count(*), sum(views), count(*), count(*)
from sessions_sliced where slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all
union all
select 'right_traffic_share', slice_by, slice, count(*) filter (is_right) / count(*), count(*) filter (is_right), count(*), count(*)
from (select sessions_sliced.*, coalesce(is_icp, false) or target = 'target' as is_right from sessions_sliced join attributes using (account_id))
where slice_by in ('', 'channel', 'campaign', 'month', 'quarter', 'year') group by all
union all
select 'visit_match_rate', slice_by, slice, count(account_id) / count(*), count(account_id), count(*), count(*)
from sessions_sliced where slice_by in ('', 'channel', 'month', 'quarter', 'year') group by all;

-- Whether UTMs keep the house format.
insert into readings
with typed as (
    select *, concat_ws(' · ', coalesce(utm_source, 'blank'), coalesce(utm_medium, 'blank'), coalesce(utm_campaign, 'blank')) as as_typed
    from sessions_sliced where has_utm),
whole as (select count(*) as n from typed where slice_by = '')
select 'utm_hygiene_rate', slice_by, slice, count(*) filter (fits) / count(*), count(*) filter (fits), count(*), count(*)
from typed where slice_by in ('', 'channel') group by all
union all
select 'utm_hygiene_rate', 'source', coalesce(utm_source, 'blank'), count(*) filter (fits) / count(*), count(*) filter (fits), count(*), count(*)
from typed where slice_by = '' group by utm_source
union all
select 'utm_hygiene_rate', 'faulty', as_typed, count(*) / any_value(whole.n), count(*), any_value(whole.n), any_value(whole.n)
from typed, whole where slice_by = '' and not fits group by as_typed;

-- Landing-page views whose depth is known: whole, and by step of depth.
create or replace table depths as
select sessions_sliced.*, steps.step, scroll_percent >= steps.step as reached
from sessions_sliced, (values (25), (50), (75), (100)) steps (step)
where scroll_percent is not null and slice_by in ('', 'channel', 'campaign', 'landing_page');

insert into readings
select 'scroll_depth_rate', slice_by, slice, count(*) filter (reached) / count(*), count(*) filter (reached), count(*), count(*)
from depths where step = 50 and slice_by in ('', 'channel') group by all
union all
select 'scroll_depth_rate', case slice_by when '' then 'depth' else 'depth/' || slice_by end,
    step || case slice_by when '' then '' else '/' || replace(slice, '/', '%2F') end,
    count(*) filter (reached) / count(*), count(*) filter (reached), count(*), count(*)
from depths group by slice_by, slice, step;

create or replace table paid_pages as
with paid as (select * from sessions_sliced join paid_channels using (channel) where slice_by = '' and scroll_percent is not null)
select landing_page, '' as campaign, median(scroll_percent) as depth, count(*) as views from paid group by landing_page having count(*) >= 30
union all
select landing_page, campaign, median(scroll_percent), count(*) from paid group by landing_page, campaign having count(*) >= 30;

insert into readings
select 'landing_pages_mismatched', slice_by, slice, count(*), count(*), null, count(*)
from (
    select '' as slice_by, '' as slice from paid_pages where campaign = '' and depth <= 50
    union all select 'campaign', campaign from paid_pages where campaign <> '' and depth <= 50
    union all select 'severity', case when depth <= 25 then 'red' else 'flagged' end from paid_pages where campaign = '' and depth <= 50
    union all select 'landing_page', landing_page from paid_pages where campaign = '' and depth <= 50)
group by all;

-- Target accounts when a window began, and whether they came in it.
create or replace macro listed_on(day) as table
    select account_lists.* from account_lists semi join attributes using (account_id)
    where is_target and valid_from <= day and (valid_to is null or valid_to > day) and recorded_at < getvariable('known');

create or replace table visiting as
select windows.name as window, listed.account_id, listed.tier, listed.programme, attributes.industry,
    exists (from sessions where sessions.account_id = listed.account_id and sessions.day >= windows.day_from and sessions.day < getvariable('q_to')) as came
from (select 'last 60 days' as name, getvariable('q_to') - 60 as day_from union all select 'quarter', getvariable('q_from')) windows
join (select 'last 60 days' as name, * from listed_on(getvariable('q_to') - 60) union all select 'quarter', * from listed_on(getvariable('q_from'))) listed
    on listed.name = windows.name
join attributes using (account_id);

insert into readings
with sliced as (
    select unnest([{'slice_by': '', 'slice': ''}, {'slice_by': 'tier', 'slice': tier}, {'slice_by': 'programme', 'slice': programme},
        {'slice_by': 'industry', 'slice': industry}], recursive := true), came
    from visiting where "window" = 'last 60 days'
    union all
    select 'window', 'quarter', came from visiting where "window" = 'quarter')
select 'target_accounts_visiting', slice_by, slice, count(*), count(*), null, count(*) from sliced where came group by all
union all
select 'target_account_visit_rate', slice_by, slice, count(*) filter (came) / count(*), count(*) filter (came), count(*), count(*)
from sliced where slice_by <> 'industry' group by all;
