"""The sample company's tables written out as a system and a tool would deliver them, and what of them the system can hold.

`kept` reduces each canonical table to what the system has a place for; `files` writes the system's tables from the reduced ones,
their columns spelled as in the maps; `fivetran` are those that Fivetran alone gives in another form; `own` is what the company's map
adds. A column after `->` is a property of HubSpot.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from abm_lib.sources import mapfile

ALIVE = "(select person_id from people where survivor_id is null)"


@dataclass(frozen=True)
class System:
    kept: dict[str, str]
    files: dict[str, str]
    own: str = ""
    fivetran: dict[str, str] = field(default_factory=dict)


SALESFORCE = System(
    kept={
        "accounts": "select account_id, name, domain, parent_id, survivor_id, industry, segment, employees, "
        "annual_revenue, currency, country, "
        "owner_id, created_at from accounts",
        "people": "select person_id, account_id, email, title, case when account_id is not null then department end as department, "
        "case when account_id is not null then buying_role end as buying_role, country, created_at, source, survivor_id from people",
        "owners": "select owner_id, label, team, active from owners",
        "opportunities": "select opportunity_id, account_id, business_type, created_at, owner_id, source, "
        "campaign_id, annual_value from opportunities",
        "opportunity_changes": "select opportunity_id, changed_at, stage, amount, currency, close_on, probability, "
        "forecast_category, is_deleted "
        "from opportunity_changes",
        "opportunity_roles": "select * from opportunity_roles",
        "campaigns": "select campaign_id, name, kind, starts_on, ends_on, budget, currency from campaigns",
        "campaign_members": "select * from campaign_members",
        "meetings": "select meeting_id, kind, account_id, person_id, opportunity_id, booked_at, starts_at, outcome from meetings",
    },
    files={
        "account": "select account_id as id, name, 'https://www.' || domain as website, parent_id, survivor_id as master_record_id, "
        "survivor_id is not null as is_deleted, industry, segment as segment_c, employees as number_of_employees, annual_revenue, "
        "currency as currency_iso_code, country as billing_country, owner_id, created_at as created_date from accounts",
        "contact": "select person_id as id, account_id, email, title, department, buying_role as buying_role_c, "
        "country as mailing_country, "
        "created_at as created_date, source as lead_source, survivor_id as master_record_id, survivor_id is not null as is_deleted "
        "from people where account_id is not null or survivor_id is not null",
        "lead": "select person_id as id, email, title, country, created_at as created_date, source as lead_source, false as is_deleted "
        "from people where account_id is null and survivor_id is null",
        "user": "select owner_id as id, label as name, team as department, active as is_active from owners",
        "opportunity": "select opportunity_id as id, account_id, business_type as type, created_at as created_date, owner_id, "
        "source as lead_source, campaign_id, annual_value as arr_c, is_deleted, stage as stage_name, amount, "
        "currency as currency_iso_code, "
        "close_on as close_date, probability::double * 100 as probability, forecast_category, changed_at as last_modified_date "
        "from opportunities left join (select * from opportunity_changes qualify row_number() over "
        "(partition by opportunity_id order by changed_at desc) = 1) using (opportunity_id)",
        "opportunity_history": "select row_number() over () as id, opportunity_id, stage as stage_name, amount, "
        "currency as currency_iso_code, "
        "close_on as close_date, probability::double * 100 as probability, forecast_category, changed_at as created_date "
        "from opportunity_changes where is_deleted <> 'true'",
        "opportunity_contact_role": "select row_number() over () as id, opportunity_id, person_id as contact_id, role, is_primary, "
        "added_at as created_date from opportunity_roles",
        "campaign": "select campaign_id as id, name, kind as type, starts_on as start_date, ends_on as end_date, budget as budgeted_cost, "
        "currency as currency_iso_code from campaigns",
        "campaign_member": "select row_number() over () as id, campaign_id, person_id as contact_id, status, responded_at as "
        "first_responded_date, joined_at as created_date from campaign_members",
        "event": "select meeting_id as id, kind as type, account_id, person_id as who_id, opportunity_id as what_id, "
        "booked_at as created_date, "
        "starts_at as start_date_time, outcome as outcome_c from meetings",
    },
    own="""
[files.account]
columns = ["segment_c"]
[files.contact]
columns = ["buying_role_c"]
[files.opportunity]
columns = ["arr_c"]
[files.event]
columns = ["outcome_c"]
[tables.accounts]
columns = { segment = "segment_c" }
[tables.people]
columns = { buying_role = "buying_role_c" }
[tables.opportunities]
columns = { annual_value = "arr_c" }
[tables.opportunity_roles.values.role]
champion = "champion"
economic_buyer = "economic_buyer"
decision_maker = "decision_maker"
influencer = "influencer"
user = "user"
blocker = "blocker"
[tables.meetings]
columns = { outcome = "outcome_c" }
expressions = { opportunity_id = "what_id" }
""",
)
HUBSPOT = System(
    kept={
        "accounts": "select account_id, name, domain, parent_id, industry, employees, annual_revenue, country, "
        "owner_id, created_at from accounts",
        "people": "select person_id, account_id, email, title, country, created_at, source, score, mql_at, sql_at, survivor_id from people",
        "owners": "select owner_id, label from owners",
        "opportunities": "select opportunity_id, account_id, business_type, created_at, owner_id, source from opportunities",
        "opportunity_changes": "select opportunity_id, changed_at, stage, amount, "
        "any_value(currency) over (partition by opportunity_id) as "
        "currency, close_on from opportunity_changes where is_deleted <> 'true'",
        "emails": "select email_id, name, subject from emails",
        "email_events": "select event_id, email_id, person_id, occurred_at, kind, is_machine from email_events "
        "where kind <> 'reply' and person_id "
        "in (select min(person_id) from people where email is not null group by lower(trim(email)))",
        "cta_events": "select event_id, cta_id, person_id, occurred_at, kind from cta_events "
        "where kind = 'completed' and person_id is not null",
        "meetings": "select meeting_id, kind, account_id, person_id, opportunity_id, booked_at, starts_at, "
        "outcome from meetings where kind = 'meeting'",
    },
    files={
        "company": 'select account_id as id, name as "->name", domain as "->domain", parent_id as "->hs_parent_company_id", industry as '
        '"->industry", employees as "->numberofemployees", annual_revenue as "->annualrevenue", country as "->country", owner_id as '
        '"->hubspot_owner_id", created_at as "->createdate" from accounts',
        "contact": 'select person_id as id, account_id as company_id, email as "->email", title as "->jobtitle", country as "->country", '
        'created_at as "->createdate", source as "->hs_analytics_source", score as "->hubspotscore", mql_at as '
        '"->hs_date_entered_marketingqualifiedlead", sql_at as "->hs_date_entered_salesqualifiedlead" from people',
        "contact_merge_audit": "select survivor_id as canonical_vid, person_id as vid_to_merge from people where survivor_id is not null",
        "owner": "select owner_id, label as first_name from owners",
        "deal": 'select opportunity_id as deal_id, business_type as "->dealtype", created_at as "->createdate", owner_id, '
        'source as "->hs_analytics_source", any_value(currency) as "->deal_currency_code" '
        "from opportunities left join opportunity_changes using (opportunity_id) group by all",
        "deal_company": "select opportunity_id as deal_id, account_id as company_id, '5' as type_id "
        "from opportunities where account_id is not null "
        "union all select opportunity_id, 'a0001', '341' from opportunities where opportunity_id like '%3'",
        "deal_property_history": "select opportunity_id as deal_id, 'dealstage' as name, stage as value, changed_at as timestamp "
        "from opportunity_changes union all select opportunity_id, 'amount', amount, changed_at from opportunity_changes "
        "union all select opportunity_id, 'closedate', close_on || 'T00:00:00Z', changed_at from opportunity_changes",
        "email_campaign": "select email_id as id, name, subject from emails",
        "email_event": "select event_id as id, "
        "case kind when 'unsubscribe' then 'STATUSCHANGE' else upper(kind) end as type, occurred_at as "
        "created, email as recipient, email_id as email_campaign_id, is_machine as filtered_event "
        "from email_events join people using (person_id)",
        "contact_form_submission": "select event_id as conversion_id, cta_id as form_id, person_id as contact_id, "
        "occurred_at as timestamp from cta_events",
        "engagement_meeting": "select meeting_id as engagement_id, starts_at as start_time, booked_at as created_at, "
        "case outcome when 'held' then "
        "'COMPLETED' when 'cancelled' then 'CANCELED' else upper(outcome) end as meeting_outcome from meetings",
        "engagement_contact": "select meeting_id as engagement_id, person_id as contact_id from meetings",
        "engagement_company": "select meeting_id as engagement_id, account_id as company_id from meetings",
        "engagement_deal": "select meeting_id as engagement_id, opportunity_id as deal_id from meetings",
    },
)
MARKETO = System(
    kept={
        "people": "select person_id, email, title, country, created_at, source, score, survivor_id from people",
        "campaigns": "select campaign_id, name, kind, starts_on, ends_on, channel from campaigns",
        "emails": "select email_id, name, subject from emails",
        "email_events": "select event_id, email_id, person_id, occurred_at, kind from email_events where kind <> 'reply'",
    },
    files={
        "lead": "select person_id as id, email, title, country, created_at, source as lead_source, score as lead_score from people",
        "activity_merge_leads": "select survivor_id as lead_id, '[' || string_agg(person_id, ', ') || ']' as merge_ids from people "
        "where survivor_id is not null group by 1",
        "program": "select campaign_id as id, name, kind as type, channel, starts_on as start_date, ends_on as end_date from campaigns",
        "email_template_history": "select email_id as id, name, subject from emails",
    }
    | {
        f"activity_{name}": "select event_id as id, person_id as lead_id, occurred_at as activity_date, "
        f"email_id as primary_attribute_value_id "
        f"from email_events where kind = '{kind}'"
        for name, kind in (("send_email", "sent"), ("email_delivered", "delivered"), ("open_email", "open"), ("click_email", "click"),
                           ("email_bounced", "bounce"), ("unsubscribe_email", "unsubscribe"))
    },
)  # fmt: skip
LINKEDIN = System(
    kept={
        "campaigns": "select campaign_id, name, channel, is_paid from campaigns where channel = 'linkedin_ads'",
        "ad_days": "select day, platform, channel, campaign_id, sum(impressions::int) as impressions, sum(clicks::int) as clicks, "
        "sum(landing_clicks::int) "
        "as landing_clicks, sum(reactions::int) as reactions, sum(comments::int) as comments, sum(cost::decimal(18,4)) as cost, currency "
        "from ad_days where platform = 'linkedin' group by all",
    },
    files={
        "ad_analytics_by_campaign": "select campaign_id, day, impressions, clicks, "
        "landing_clicks as landing_page_clicks, reactions, comments, "
        "cost as cost_in_local_currency, (cost::double * 1.1)::varchar as cost_in_usd, currency from ad_days",
        "campaign_history": "select campaign_id as id, name from campaigns",
    },
)
GOOGLE = System(
    kept={
        "campaigns": "select campaign_id, name, channel, is_paid, starts_on, ends_on from campaigns where channel = 'google_ads'",
        "ad_days": "select day, platform, channel, campaign_id, sum(impressions::int) as impressions, sum(clicks::int) as clicks, "
        "sum(cost::decimal(18,4)) as cost, currency from ad_days where platform = 'google' group by all",
    },
    files={
        "campaign_stats": "select campaign_id as id, 'k1' as customer_id, day as date, device, "
        "case device when 'MOBILE' then impressions::int - 1 "
        "else 1 end as impressions, case device when 'MOBILE' then clicks else 0 end as clicks, "
        "case device when 'MOBILE' then (cost::decimal(18,4) * 1000000)::bigint else 0 end as cost_micros "
        "from ad_days, (values ('MOBILE'), ('DESKTOP')) d (device)",
        "campaign_history": "select campaign_id as id, name, starts_on as start_date, ends_on as end_date from campaigns",
        "account_history": "select 'k1' as id, any_value(currency) as currency_code from ad_days",
    },
)
# Each view is a page_view event, and where they are known the scroll and the stay that follow it. An event's parameters are one
# column of JSON in the export, each a column of its own with Fivetran.
PARAMETERS = {
    "ga_session_id": ("int", "split_part(session_id, '.', 2)", "1, 2, 3"), "ga_session_number": ("int", "session_number", "1, 2, 3"),
    "page_location": ("string", "'https://www.example.com' || page || '?a=1'", "1, 2, 3"),
    "page_referrer": ("string", "'https://www.' || referrer_host || '/x'", "1"),
    "entrances": ("int", "case is_landing when 'true' then '1' end", "1"),
    "source": ("string", "utm_source", "1"), "medium": ("string", "utm_medium", "1"), "campaign": ("string", "utm_campaign", "1"),
    "content": ("string", "utm_content", "1"), "term": ("string", "utm_term", "1"), "gclid": ("string", "click_id", "1"),
    "percent_scrolled": ("int", "scroll_percent", "2"), "engagement_time_msec": ("int", "(engaged_seconds::int * 1000)::varchar", "3"),
}  # fmt: skip
PARAMETER = {name: f"case when step in ({steps}) then {sql} end" for name, (_, sql, steps) in PARAMETERS.items()}
AS_JSON = ", ".join(
    f"case when {PARAMETER[name]} is not null then {{'key': '{name}', 'value': {{'{kind}_value': {PARAMETER[name]}}}}}::JSON end"
    for name, (kind, *_) in PARAMETERS.items()
)
EVENTS = (
    "strftime(viewed_at::timestamp, '%Y%m%d') as event_date, (epoch_us(viewed_at::timestamp) + step - 1)::varchar as event_timestamp, "
    "['page_view', 'scroll', 'user_engagement'][step] as event_name, visitor_id as user_pseudo_id"
)
OF_VIEWS = (
    "from page_views, unnest([1, 2, 3]) steps (step) where step = 1 or (step = 2 and scroll_percent is not null) "
    "or (step = 3 and engaged_seconds is not null)"
)
GA4 = System(
    kept={
        "page_views": "select concat_ws('.', visitor_id, ltrim(session_id, 'w0'), row_number() over (partition by session_id order by "
        "viewed_at)) as view_id, concat_ws('.', visitor_id, ltrim(session_id, 'w0')) as session_id, visitor_id, viewed_at, page, "
        "session_number, is_landing, referrer_host, utm_source, utm_medium, utm_campaign, utm_content, utm_term, click_id, "
        "scroll_percent, engaged_seconds from page_views",
    },
    files={"events": f"select {EVENTS}, to_json(list_filter([{AS_JSON}], lambda p: p is not null))::varchar as event_params {OF_VIEWS}"},
    fivetran={"events": f"select {EVENTS.replace('as event_', 'as ')}, "
                        f"{', '.join(f'{sql} as param_{name}' for name, sql in PARAMETER.items())} {OF_VIEWS}"},
)  # fmt: skip
SYSTEMS = {
    "ga4": GA4,
    "salesforce": SALESFORCE,
    "hubspot": HUBSPOT,
    "marketo": MARKETO,
    "linkedin_ads": LINKEDIN,
    "google_ads": GOOGLE,
}
SYNCED = {"fivetran": "_fivetran_synced", "airbyte": "_airbyte_extracted_at", "dlt": "_dlt_load_id"}


def tables(con: duckdb.DuckDBPyConnection, folder: Path, system: System) -> None:
    """The company's tables as views of text, those that the system holds reduced to what it has a place for."""
    for path in folder.glob("*.csv"):
        con.execute(f"create table \"all {path.stem}\" as select * from read_csv('{path}', all_varchar = true)")
        con.execute(f'create view "{path.stem}" as from "all {path.stem}"')
    for name, query in system.kept.items():
        con.execute(f'create table "kept {name}" as {query}')
    for name in system.kept:
        con.execute(f'create or replace view "{name}" as from "kept {name}"')


def write(con: duckdb.DuckDBPyConnection, folder: Path, name: str, shape: str, system: System) -> None:
    """The system's tables as files of the shape, each with a row that is older and one that is deleted where the tool has such."""
    written = mapfile.systems()[name]
    for stem, query in (system.files | (system.fivetran if shape == "fivetran" else {})).items():
        found = con.execute(query)
        columns = [column[0] for column in found.description]
        rows = [[_text(columns[place], value, shape) for place, value in enumerate(row)] for row in found.fetchall()]
        entry = written.files[stem]
        header = [_spelled(column, entry, name, shape) for column in columns]
        if shape in SYNCED:
            newest, older = ("1767225600.5", "1700000000.5") if shape == "dlt" else ("2026-01-01", "2020-01-01")
            was = [
                f"{cell}x" if column in ("name", "->name") else cell
                for column, cell in zip(columns, rows[0], strict=True)
            ]
            header = [*header, SYNCED[shape]]
            rows = [*([[*was, older]] if entry.key else []), *([*row, newest] for row in rows)]
        if shape == "fivetran" and entry.key:
            gone = ["gone", *[""] * (len(header) - 2), "2026-01-01", "true"]
            header, rows = [*header, "_fivetran_deleted"], [*([*row, "false"] for row in rows), gone]
        with (folder / f"{_named(stem, entry, name, shape)}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])


def _named(stem: str, entry: mapfile.FileEntry, system: str, shape: str) -> str:
    if system == "salesforce":
        return {"airbyte": _camel(stem), "native": _camel(stem)}.get(shape, stem)
    return entry.names[0] if entry.names and shape in ("airbyte", "dlt") else stem


def _spelled(column: str, entry: mapfile.FileEntry, system: str, shape: str) -> str:
    """The column as the tool spells it."""
    bare = column.removeprefix("->")
    if column.startswith("->"):
        labels = entry.labels.get(bare, [])
        return {"fivetran": f"property_{bare}", "airbyte": f"properties_{bare}", "dlt": f"properties__{bare}"}.get(
            shape, (labels or [bare])[0]
        )
    if shape == "native" and (labels := entry.labels.get(column)):
        return labels[0]
    if shape == "airbyte" and system == "google_ads":
        own = {"id": "campaign.id", "date": "segments.date", "device": "segments.device"}
        return own.get(bare, f"metrics.{bare}") if "cost_micros" in entry.columns and bare != "customer_id" else bare
    if shape in ("airbyte", "native") and system in ("salesforce", "linkedin_ads", "marketo"):
        camel = _camel(bare.removesuffix("_c")) + ("__c" if bare.endswith("_c") else "")
        return camel if system == "salesforce" else camel[:1].lower() + camel[1:]
    return bare


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _text(column: str, value: object, shape: str) -> str:
    """A cell; moments as the tool writes them."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
        return {
            "airbyte": f"{text.replace(' ', 'T')}.000+0000",
            "dlt": f"{text}+00:00",
            "native": f"{text.replace(' ', 'T')}Z",
        }.get(shape, text)
    if shape == "fivetran" and re.fullmatch(r"\d{4}-\d\d-\d\d", text) and column.endswith(("date", "day")):
        return f"{text} 00:00:00"
    return text
