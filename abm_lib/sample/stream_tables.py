"""What `stream` writes: the company's settings, and one query over `range()` for each of its tables.

`u(row, salt)` is a draw from 0 to 1, `pick(words, x)` a word by such a draw; `n_…()` are the sizes and days asked for.
"""

SETTINGS = """\
# An invented company of any size, for benchmarks.
[company]
name = "Long Haul Bearings"
currency = "EUR"
timezone = "Europe/Berlin"

[opportunity_stages]
order = ["discovery", "qualified", "proposal", "negotiation", "won", "lost"]
qualified_from = "qualified"
won = ["won"]
lost = ["lost"]

[channels.linkedin_ads]
owner = "marketing"
paid = true
[channels.google_ads]
owner = "marketing"
paid = true
[channels.website]
owner = "marketing"
[channels.event]
owner = "marketing"
[channels.outbound]
owner = "sales"
[channels.referral_partner]
owner = "partner"

[sources.stream]
"""

CHANNELS = "['linkedin_ads', 'google_ads', 'website', 'event', 'outbound', 'referral_partner']"
KINDS = """['impression', 'ad_click', 'visit', 'visit', 'visit', 'download', 'form', 'email_click', 'webinar', 'event',
    'call', 'meeting']"""
PROGRAMMES = "['one_to_one', 'one_to_few', 'one_to_many']"
SEGMENTS = "['enterprise', 'large', 'mid', 'small']"
# Few accounts get most of what happens: the square of an even draw. Two in five are never touched.
ACCOUNT = "'a' || floor(n_accounts() * u(i, 'account') ** 2)::bigint"
TOUCHED = "'a' || floor(0.6 * n_accounts() * u(i, 'account') ** 2)::bigint"

OPPORTUNITIES = f"""
    select i, 'o' || i as opportunity_id, {ACCOUNT} as account_id,
        n_first_day() + to_seconds(floor(u(i, 'created') * n_days() * 86400)::bigint) as created_at,
        pick(['new', 'new', 'new', 'new', 'expansion', 'renewal'], u(i, 'type')) as business_type,
        20 + 40 * u(i, 'pace') as pace, pick([1, 2, 2, 3, 4, 4, 4, 4], u(i, 'steps')) as steps,
        round(5000 * exp(3 * u(i, 'amount')), 2) as amount, pick(['EUR', 'EUR', 'USD', 'GBP'], u(i, 'money')) as currency
    from range(n_opportunities()) r(i)"""

TABLES = {
    "accounts": f"""
        select 'a' || i as account_id, 'Company ' || i as name, pick({SEGMENTS}, u(i, 'segment')) as segment,
            pick(['machines', 'food', 'paper', 'energy', 'rail'], u(i, 'industry')) as industry,
            pick(['north', 'south', 'east', 'west'], u(i, 'region')) as region, u(i, 'icp') < 0.4 as is_icp,
            u(i, 'icp') < 0.8 as is_addressable, n_first_day()::timestamp as created_at,
            case when u(i, 'old') < 0.1 then n_first_day() - 400 end as customer_since
        from range(n_accounts()) r(i)""",
    "account_changes": f"""
        select 'a' || i as account_id, n_first_day() + to_days(floor((k * 0.5 + u(i, 'change') * 0.5) * n_days())::int)
            as changed_at, pick({SEGMENTS}, u(i, 'segment' || k)) as segment,
            pick(['machines', 'food', 'paper', 'energy', 'rail'], u(i, 'industry')) as industry,
            pick(['north', 'south', 'east', 'west'], u(i, 'region')) as region, u(i, 'icp' || k) < 0.4 as is_icp,
            u(i, 'icp') < 0.8 as is_addressable
        from range(n_accounts()) r(i), range(2) s(k) where k = 0 or u(i, 'changes') < 0.3""",
    "account_lists": f"""
        select 'a' || i as account_id, true as is_target, pick(['1', '2', '3'], u(i, 'tier' || k)) as tier,
            pick({PROGRAMMES}, u(i, 'programme' || k)) as programme, 5 as buying_team_size,
            (n_first_day() + floor((k + u(i, 'listed')) * n_days() / 4)::int)::date as valid_from,
            (n_first_day() + floor((k + 1 + u(i, 'listed')) * n_days() / 4)::int)::date as valid_to,
            valid_from::timestamp as recorded_at
        from range(n_accounts()) r(i), range(3) s(k) where u(i, 'target') < 0.1""",
    "account_stages": """
        select 'a' || i as account_id, 'mqa' as stage,
            n_first_day() + to_seconds(floor(u(i, 'mqa') * n_days() * 86400)::bigint) as entered_at, entered_at as recorded_at
        from range(n_accounts()) r(i) where u(i, 'engaged') < 0.3""",
    "owners": "select 'w' || i as owner_id, 'Owner ' || i as label, true as active from range(40) r(i)",
    "campaigns": f"""
        select 'c' || i as campaign_id, 'Campaign ' || i as name, pick({CHANNELS}, u(i, 'channel')) as channel,
            pick({PROGRAMMES}, u(i, 'programme')) as programme, true as is_paid
        from range(200) r(i)""",
    "fx": """
        select currency, (n_first_day() + day::int)::date as day, 0.8 + 0.3 * u(day, currency) as rate
        from range(-400, n_days() + 30) r(day), (values ('USD'), ('GBP')) c(currency) where day % 7 not in (5, 6)""",
    "targets": f"""
        select 'closed_won_revenue' as metric, label as period, slice_by, slice, part * n_opportunities() * 1000 as value,
            'EUR' as currency, 'target' as kind
        from quarters, (select '' as slice_by, '' as slice, 1.2 as part
            union all select 'business_type', 'new', 0.8
            union all select 'business_type/segment', 'new/' || unnest({SEGMENTS}), 0.2)""",
    "opportunities": f"""
        select opportunity_id, account_id, business_type, created_at, 'w' || (i % 40) as owner_id,
            pick({CHANNELS}, u(i, 'channel')) as channel, channel as source, 'c' || floor(200 * u(i, 'campaign'))::bigint as
            campaign_id, pick([null, 'Rival', 'Other'], u(i, 'competitor')) as competitor,
            pick(['price', 'no decision', 'product'], u(i, 'loss')) as loss_reason,
            pick(['product', 'people'], u(i, 'win')) as win_reason, u(i, 'promotion') < 0.1 as is_promotion,
            case when is_promotion then 'autumn' end as promotion, pick([12, 24, 36], u(i, 'term')) as term_months,
            created_at + to_days(floor(90 * u(i, 'last'))::int) as last_activity_at
        from ({OPPORTUNITIES})""",
    "opportunity_changes": f"""
        select opportunity_id, created_at + to_seconds(floor((k * pace + 5 * u(i, k)) * 86400)::bigint) as changed_at,
            changed_at + case when u(i, 'late' || k) < 0.05 then interval 15 day else interval 1 hour end as recorded_at,
            case when k < steps then ['discovery', 'qualified', 'proposal', 'negotiation'][k + 1]
                when steps = 4 and u(i, 'won') < 0.55 then 'won' else 'lost' end as stage,
            case when u(i, 'blank') > 0.03 then amount * (1 + (u(i, 'step' || k) - 0.5) * (k > 1)::int) end as amount, currency,
            case when k < steps then (created_at + to_days((4 * pace)::int))::date else changed_at::date end as close_on
        from ({OPPORTUNITIES}), range(5) s(k) where k <= steps and changed_at < n_end_day()""",
    "ad_days": f"""
        with shape as (select ceil(n_ad_days() / n_days())::bigint + 1 as in_a_day),
        ads as (select i, i * n_days() // n_ad_days() as day, i % in_a_day as ad, (i % in_a_day) % 200 as campaign
            from range(n_ad_days()) r(i), shape),
        served as (select *, floor(2000 * u(i, 'shown') ** 3)::bigint as shown from ads)
        select (n_first_day() + day::int)::date as day, pick(['linkedin', 'google', 'display'], u(campaign, 'platform')) as
            platform, pick({CHANNELS}[1:2], u(campaign, 'channel')) as channel, 'c' || campaign as campaign_id, 'ad' || ad as
            ad_id, pick(['image', 'video', 'text'], u(ad, 'type')) as ad_type, shown as impressions,
            floor(shown * 0.03 * u(i, 'clicked'))::bigint as clicks, (shown * (10 + 20 * u(i, 'price')) / 1000)::decimal(18, 2)
            as cost, pick(['EUR', 'USD', 'GBP'], u(campaign, 'money')) as currency
        from served""",
    "touches": f"""
        select 't' || i as touch_id, n_first_day() + to_seconds(i * n_days() * 86400 // n_touches()) as touched_at,
            {TOUCHED} as account_id, account_id || '-' || floor(8 * u(i, 'person'))::bigint as person_id,
            pick({CHANNELS}, u(i, 'channel')) as channel, pick({KINDS}, u(i, 'kind')) as kind,
            u(i, 'response') < 0.3 as is_response
        from range(n_touches()) r(i)""",
}
