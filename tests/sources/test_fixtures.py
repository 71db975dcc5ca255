"""Rows of real connectors, read by the maps that ship: the counts, and records that were worked out by hand from the files."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from delivering import COMPANIES, Read, deliver, of_others

pytestmark = pytest.mark.external


@pytest.fixture(scope="module")
def salesforce(external_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return deliver(
        of_others("salesforce_fivetran", external_data / "fivetran_salesforce", tmp_path_factory.mktemp("sf"))
    )


@pytest.fixture(scope="module")
def hubspot(external_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return deliver(of_others("hubspot_fivetran", external_data / "fivetran_hubspot", tmp_path_factory.mktemp("hs")))


@pytest.fixture(scope="module")
def ads(external_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return deliver(of_others("ads_fivetran", external_data / "fivetran_ads", tmp_path_factory.mktemp("ads")))


@pytest.fixture(scope="module")
def small_org(external_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return deliver(of_others("small_org", external_data / "agentic_salesforce", tmp_path_factory.mktemp("org")))


@pytest.fixture(scope="module")
def snowplow(external_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return deliver(of_others("snowplow", external_data / "snowplow_web_apache", tmp_path_factory.mktemp("web")))


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "company", ["salesforce_fivetran", "hubspot_fivetran", "ads_fivetran", "small_org", "snowplow"]
)
def test_the_committed_folders_name_no_place_of_this_machine(company: str, external_data: Path) -> None:
    texts = [path.read_text() for path in (COMPANIES / company).iterdir()]
    assert texts and not [text for text in texts if str(external_data) in text or '"/' in text]


# Salesforce


def test_salesforce_counts_every_row_and_leaves_deleted_ones_out_by_name(salesforce: Read) -> None:
    assert salesforce.counts == {
        "accounts": (10, 2, 0, 0, 8), "people": (5, 5, 0, 0, 0), "owners": (10, 5, 0, 0, 5), "opportunities": (10, 10, 0, 0, 0),
        "opportunity_changes": (10, 9, 0, 1, 0), "campaigns": (4, 4, 0, 0, 0), "campaign_members": (5, 5, 0, 0, 0),
        "meetings": (10, 10, 0, 0, 0),
    }  # fmt: skip
    assert salesforce.delivery.reports["accounts"].excluded == {"deleted": 8}
    assert not [fault for fault in salesforce.faults if fault.level == "E"]


def test_a_probability_of_a_thousand_percent_sets_its_row_aside(salesforce: Read) -> None:
    assert [(fault.found, fault.level) for fault in salesforce.told("F031")] == [("10.0", "Q")]


def test_five_salesforce_records_are_what_their_rows_say(salesforce: Read) -> None:
    assert salesforce.rows(
        "select name, starts_on, ends_on, budget, kind from canonical.campaigns where campaign_id = 'camp001AAA000001'"
    ) == [("Q1 Webinar Campaign", date(2024, 1, 1), date(2024, 3, 31), Decimal("5000"), "Webinar")]
    query = "select account_id, business_type, created_at, source from canonical.opportunities where opportunity_id = '006q000000HdPzpAAF'"
    assert salesforce.rows(query) == [
        ("wfQo3+JVfsNIdcz/mUkZkA==", "new", datetime(2018, 12, 18, 21, 21, 17), "Fbu50LvyXo0peN4RaMdJ3A==")
    ]
    query = "select stage, amount, close_on, probability, is_deleted, changed_at from canonical.opportunity_changes"
    query += " where opportunity_id = '006q000000HdPzpAAF'"
    assert salesforce.rows(query) == [
        ("GavUFuuf4DrnQAoiRGlWpQ==", None, date(2018, 12, 18), 1.0, True, datetime(2019, 10, 17, 21, 33))
    ]
    query = "select kind, account_id, person_id, opportunity_id, starts_at, outcome from canonical.meetings"
    query += " where meeting_id = '00U1G00000DEaypUAD'"
    assert salesforce.rows(query) == [
        ("call", "0011G00000eLwuWQAS", "0031G00001Pji7ZQAR", None, datetime(2019, 11, 11, 17, 23, 34), "held")
    ]
    assert salesforce.rows("select label, active from canonical.owners where owner_id = '0051G000005Mx8dQAC'") == [
        ("Eric Welsh", True)
    ]


def test_a_converted_lead_is_the_contact_that_it_became(salesforce: Read) -> None:
    query = "select account_id, survivor_id, email from canonical.people where person_id = '00Q1G00000nDnM5UAK'"
    assert salesforce.rows(query) == [("0011G00000tLWKnQAO", "0031G00001QtDPlQAN", "h@gmail.com")]


def test_ids_of_fifteen_letters_are_the_same_records_in_their_long_form(salesforce: Read) -> None:
    found = salesforce.rows("select count(*), min(length(campaign_id)) from canonical.campaign_members")
    assert found == [(5, 16)]  # the ids of campaigns are no ids of Salesforce, and stay what they are


# HubSpot


def test_hubspot_counts_every_row(hubspot: Read) -> None:
    assert hubspot.counts == {
        "accounts": (24, 24, 0, 0, 0), "people": (22, 22, 0, 0, 0), "owners": (100, 100, 0, 0, 0), "opportunities": (44, 44, 0, 0, 0),
        "opportunity_changes": (14, 14, 0, 0, 0), "opportunity_roles": (11, 11, 0, 0, 0), "emails": (100, 100, 0, 0, 0),
        "cta_events": (5, 5, 0, 0, 0),
    }  # fmt: skip
    assert not [fault for fault in hubspot.faults if fault.level == "E"]


def test_a_meeting_without_an_outcome_and_events_of_nobody_are_not_delivered_and_said_so(hubspot: Read) -> None:
    told = {fault.where: (fault.level, fault.found) for fault in hubspot.told("F104")}
    assert told == {
        "crm  the query of email_events": ("D", "no row"),
        "crm  the query of meetings": ("D", "nobody says outcome"),
    }


def test_five_hubspot_records_are_what_their_rows_say(hubspot: Read) -> None:
    query = "select name, country, annual_revenue, created_at from canonical.accounts where account_id = '2182162682'"
    assert hubspot.rows(query) == [
        ("4b2c13cca3eb58ee49bbddcf00417130", "United States", Decimal("10000000"), datetime(2019, 7, 5, 20, 35, 26))
    ]
    query = "select email, created_at, survivor_id from canonical.people where person_id = '78971951'"
    assert hubspot.rows(query) == [("fcb67ef339b691956cc85fa12be6490c", datetime(2021, 4, 1, 17, 32, 47), None)]
    query = "select stage, changed_at from canonical.opportunity_changes where opportunity_id = '3954780486'"
    assert hubspot.rows(query) == [("09a969da1d61b38bd3746f0f49c1475a", datetime(2021, 1, 7, 8, 0, 46))]
    query = "select business_type, created_at from canonical.opportunities where opportunity_id = '1244495215'"
    assert hubspot.rows(query) == [("new", datetime(2019, 12, 4, 12, 48, 22))]
    query = "select cta_id, person_id, occurred_at, kind from canonical.cta_events where event_id = '101'"
    assert hubspot.rows(query) == [("123", "001", datetime(2023, 11, 1, 10, 20), "completed")]


def test_merged_contacts_lead_to_the_one_that_stayed(hubspot: Read) -> None:
    query = "select survivor_id from canonical.people where person_id = '76340251'"
    assert hubspot.rows(query) == [("78971951",)]


def test_it_is_said_that_amounts_of_hubspot_are_as_now(hubspot: Read) -> None:
    assert "as now, not as then" in hubspot.delivery.as_now["opportunity_changes"]


# Ads


@pytest.mark.parametrize(
    ("platform", "clicks", "impressions", "cost"),
    [("linkedin", 919, 1359, "530.62"), ("google", 280, 1854, "231.33")],
)
def test_ads_give_the_published_totals(ads: Read, platform: str, clicks: int, impressions: int, cost: str) -> None:
    query = f"select sum(clicks), sum(impressions), sum(cost), list(distinct currency) from canonical.ad_days where platform = '{platform}'"
    assert ads.rows(query) == [(clicks, impressions, Decimal(cost), ["USD"])]


@pytest.mark.parametrize(
    ("platform", "file", "clicks"),
    [("bing", "microsoft_ads_campaign_performance_daily_report_data.csv", "clicks"),
     ("meta", "facebook_ads_basic_ad_data.csv", "inline_link_clicks")],
)  # fmt: skip
def test_other_platforms_through_the_ads_map_sum_to_their_files(
    ads: Read, external_data: Path, platform: str, file: str, clicks: str
) -> None:
    rows = records(external_data / "fivetran_ads" / file)
    expected = (
        sum(int(r[clicks]) for r in rows),
        sum(int(r["impressions"]) for r in rows),
        sum(Decimal(r["spend"]) for r in rows),
    )
    query = f"select sum(clicks), sum(impressions), sum(cost) from canonical.ad_days where platform = '{platform}'"
    assert ads.rows(query) == [expected]


def test_of_a_campaigns_states_the_newest_counts_and_the_others_are_counted(ads: Read) -> None:
    assert ads.counts["campaigns"] == (110, 13, 0, 0, 97)
    assert ads.delivery.reports["campaigns"].excluded == {"older states": 97}


def test_figures_by_creative_are_read_where_those_by_campaign_are_not_there(
    external_data: Path, tmp_path: Path
) -> None:
    folder = of_others("ads_fivetran", external_data / "fivetran_ads", tmp_path)
    settings = (folder / "abm.toml").read_text()
    by_creative = settings.replace(
        'files.ad_analytics_by_campaign = "linkedin_ad_analytics_by_campaign_data.csv"',
        'files.ad_analytics_by_creative = "linkedin_ad_analytics_by_creative_data.csv"',
    )
    (folder / "abm.toml").write_text(by_creative)
    query = (
        "select sum(clicks), sum(impressions), sum(cost), count(*) from canonical.ad_days where platform = 'linkedin'"
    )
    assert deliver(folder).rows(query) == [(389, 13265, Decimal(0), 100)]


# A small org


def test_the_small_org_counts_every_row_without_a_fault(small_org: Read) -> None:
    assert small_org.counts == {
        "accounts": (8, 8, 0, 0, 0), "people": (24, 24, 0, 0, 0), "opportunities": (16, 16, 0, 0, 0),
        "opportunity_changes": (16, 16, 0, 0, 0),
    }  # fmt: skip
    assert small_org.faults == []


def test_five_records_of_the_small_org_are_what_their_rows_say(small_org: Read) -> None:
    query = "select name, domain, industry, annual_revenue, segment, customer_since from canonical.accounts"
    query += " where account_id = 'RC-ACCT-0003'"
    assert small_org.rows(query) == [
        (
            "Greenfield Logistics",
            "greenfieldlogistics.example",
            "Logistics",
            Decimal("45000000"),
            "Mid-Market",
            date(2024, 9, 10),
        )
    ]
    query = (
        "select account_id, email, title, department, buying_role from canonical.people where person_id = 'RC-CON-0002'"
    )
    assert small_org.rows(query) == [
        ("RC-ACCT-0001", "michael.reed@acmehealth.example", "Director of IT Operations", "IT", "influencer")
    ]
    query = "select account_id, business_type, annual_value, term_months from canonical.opportunities where opportunity_id = 'RC-OPP-0002'"
    assert small_org.rows(query) == [("RC-ACCT-0001", "renewal", Decimal("330000"), 12.0)]
    query = "select stage, changed_at, amount, currency, close_on, probability from canonical.opportunity_changes where opportunity_id = "
    assert small_org.rows(query + "'RC-OPP-0003'") == [
        ("Closed Won", datetime(2024, 9, 5), Decimal("420000"), "USD", date(2024, 9, 5), 1.0)
    ]
    assert small_org.rows(query + "'RC-OPP-0002'") == [
        ("Negotiation/Review", datetime(2025, 10, 1), Decimal("330000"), "USD", date(2025, 7, 15), 0.7)
    ]


def test_roles_that_the_report_does_not_know_are_blank(small_org: Read) -> None:
    query = "select buying_role, count(*) from canonical.people group by 1 order by 1 nulls last"
    assert small_org.rows(query) == [("decision_maker", 8), ("influencer", 13), (None, 3)]


# Snowplow


def test_snowplow_gives_every_page_view_with_its_scroll_depth(snowplow: Read, external_data: Path) -> None:
    expected = {
        row["page_view_id"]: (row["domain_sessionid"], row["page_urlpath"], float(row["vertical_percentage_scrolled"]))
        for row in records(external_data / "snowplow_web_apache" / "snowplow_web_page_views_expected.csv")
    }
    found = snowplow.rows("select view_id, session_id, page, scroll_percent from canonical.page_views")
    assert len(found) == len(expected) == 43
    assert {view: rest for view, *rest in found} == {view: list(told) for view, told in expected.items()}


def test_snowplow_gives_its_sessions_and_users_but_those_of_stray_page_pings(
    snowplow: Read, external_data: Path
) -> None:
    told = external_data / "snowplow_web_apache"
    sessions = records(told / "snowplow_web_sessions_expected.csv")
    users = records(told / "snowplow_web_users_expected.csv")
    assert (len(sessions), len(users)) == (18, 11)
    events = records(told / "snowplow_web_events.csv")
    seen = {e["domain_sessionid"] for e in events if e["event"] == "page_view"}
    stray = [s for s in sessions if s["domain_sessionid"] not in seen]  # pings of a page that was never viewed
    assert len(stray) == 3
    viewed = {s["domain_sessionid"]: int(s["page_views"]) for s in sessions if s not in stray}
    of_users = Counter({u["domain_userid"]: int(u["page_views"]) for u in users})
    of_users.subtract(s["domain_userid"] for s in stray)
    found = "select {}, count(*) from canonical.page_views group by 1"
    assert dict(snowplow.rows(found.format("session_id"))) == viewed
    assert {user: n for user, n in snowplow.rows(found.format("visitor_id")) if user in of_users} == of_users
