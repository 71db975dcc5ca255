"""Demand: every metric worked out by hand on a few rows, and every reason for having none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tiny import company, deals, read, reading, slices, value

LISTED = {
    "accounts": """
        account_id | name  | industry | is_icp | customer_since
        a1         | One   | steel    | yes    |
        a2         | Two   | steel    | no     |
        a3         | Three | paper    | yes    |
        a4         | Four  | paper    | no     |
        a5         | Five  |          | no     |
        """,
    "account_lists": """
        account_id | is_target | tier | programme  | valid_from | valid_to
        a1         | yes       | 1    | one_to_one | 2026-01-01 |
        a2         | yes       | 2    | one_to_few | 2026-01-01 |
        a3         | yes       | 2    | one_to_few | 2026-08-01 |
        """,
}
PEOPLE: dict[str, str] = {
    "people": """
        person_id | account_id | is_internal | created_at       | channel      | source       | source_detail | recent_source | title
        p1        | a1         | no          | 2026-07-01 00:00 | linkedin_ads | LinkedIn Ads | guide         | Event         | Plant Chief
        p2        | a2         |             | 2026-09-30 23:59 | website      |              |               |               | Procurement
        p3        |            | no          | 2026-08-10 10:00 |              |              |               |               |
        p4        | a1         | yes         | 2026-08-10 10:00 | website      |              |               |               | Sales Chief
        p5        | a3         | no          | 2026-08-11 10:00 |              | List Import  |               |               |
        p6        | a1         | no          | 2026-10-01 00:00 | website      |              |               |               |
        p8        | a1         | no          | 2026-05-05 10:00 | linkedin_ads |              |               |               | Engineer
        p9        | a2         | no          | 2025-11-01 10:00 | outbound     |              |               |               |
        p10       |            | no          | 2025-11-05 10:00 | website      |              |               |               | IT Director
        """,
    "person_accounts": """
        person_id | account_id | valid_from | valid_to
        p9        | a3         | 2025-11-01 | 2026-07-02
        p9        | a2         | 2026-07-02 |
        """,
    "person_stages": """
        person_id | stage | entered_at       | recorded_at
        p1        | lead  | 2026-07-02 10:00 |
        p1        | mql   | 2026-07-20 10:00 |
        p2        | mql   | 2026-07-02 10:00 | 2026-10-11 23:59
        p3        | mql   | 2026-09-15 10:00 | 2026-10-12 00:00
        p4        | mql   | 2026-08-01 10:00 |
        p1        | mql   | 2026-09-01 10:00 |
        p8        | mql   | 2025-10-01 10:00 |
        p8        | mql   | 2026-09-30 10:00 |
        p9        | mql   | 2025-07-01 10:00 |
        p9        | mql   | 2026-07-01 10:00 |
        p10       | mql   | 2026-08-20 10:00 |
        """,
    "campaigns": """
        campaign_id | name
        c1          | Launch
        c2          | Fair
        """,
    "campaign_members": """
        person_id | campaign_id | joined_at
        p1        | c2          | 2026-08-01 10:00
        p1        | c1          | 2026-07-01 10:00
        p2        | c2          | 2026-10-05 10:00
        """,
}
STAGES = {
    "account_stages": """
        account_id | stage       | entered_at       | recorded_at
        a1         | cold        | 2026-01-01 00:00 |
        a1         | engaged     | 2026-05-01 00:00 |
        a1         | mqa         | 2026-07-01 00:00 |
        a1         | cold        | 2026-08-01 00:00 |
        a1         | mqa         | 2026-09-01 00:00 |
        a2         | cold        | 2026-01-01 00:00 |
        a2         | opportunity | 2026-09-30 23:00 |
        a3         | customer    | 2026-07-02 00:00 |
        a3         | renewal     | 2026-07-05 00:00 |
        a4         | cold        | 2026-01-01 00:00 |
        a4         | mqa         | 2026-08-08 00:00 | 2026-10-12 00:00
        a5         | mqa         | 2026-08-01 00:00 |
        """,
}
SPENT = {
    "ad_days": """
        day        | platform | channel      | campaign_id | ad_id | impressions | clicks | cost | currency
        2026-01-10 | linkedin | linkedin_ads | c1          | ad1   | 10          | 0      | 0    | EUR
        2026-04-10 | linkedin | linkedin_ads | c1          | ad1   | 10          | 0      | 50   | EUR
        2026-07-10 | linkedin | linkedin_ads | c1          | ad1   | 10          | 0      | 300  | EUR
        2026-08-10 | google   | google_ads   |             | ad2   | 10          | 0      | 90   | EUR
        """,
    "budgets": """
        period | channel      | amount | currency
        2026Q1 | linkedin_ads | 100    | EUR
        2026Q2 | linkedin_ads | 100    | EUR
        2026Q3 | linkedin_ads | 250    | EUR
        2026Q3 | google_ads   | 100    | EUR
        2026Q3 | event        | 999    | EUR
        """,
    "costs": """
        quarter | kind    | programme  | amount | currency
        2026Q3  | media   |            | 400    | EUR
        2026Q3  | people  | one_to_one | 200    | EUR
        2026Q3  | support |            | 60     | EUR
        """,
    "touches": """
        touch_id | touched_at       | account_id | channel      | campaign_id | kind       | person_id
        t1       | 2026-06-20 10:00 | a1         | linkedin_ads | c1          | ad_click   | p1
        t2       | 2026-03-01 10:00 | a1         | google_ads   |             | ad_click   |
        t3       | 2026-09-30 10:00 | a2         | linkedin_ads |             | visit      |
        t4       | 2026-09-01 10:00 | a2         | google_ads   |             | impression |
        t5       | 2026-08-02 10:00 | a5         | linkedin_ads | c1          | ad_click   |
        t6       | 2026-09-30 23:00 | a2         | google_ads   |             | visit      |
        t7       | 2026-06-21 10:00 | a1         | google_ads   |             | visit      | p4
        """,
}
MEETINGS = {
    "meetings": """
        meeting_id | kind    | account_id | booked_at        | starts_at        | outcome   | channel      | rescheduled_from | is_internal
        m1         | demo    | a1         | 2026-07-01 00:00 | 2026-07-03 10:00 | held      | linkedin_ads |                  | no
        m2         | meeting | a2         | 2026-07-20 10:00 | 2026-10-02 10:00 | scheduled | website      |                  |
        m3         | call    | a3         | 2026-08-03 10:00 | 2026-08-04 10:00 | no_show   | outbound     |                  | no
        m4         | call    | a3         | 2026-08-05 10:00 | 2026-08-06 10:00 | held      | outbound     | m3               | no
        m5         | meeting |            | 2026-09-30 23:59 | 2026-10-01 00:00 | held      |              |                  | no
        m6         | meeting | a1         | 2026-08-01 10:00 | 2026-08-02 10:00 | held      | website      |                  | yes
        m7         | meeting | a1         | 2026-06-30 10:00 | 2026-07-08 10:00 | cancelled | website      |                  | no
        m8         | demo    | a5         | 2026-06-01 10:00 | 2026-09-30 23:30 | held      | linkedin_ads |                  | no
        m9         | meeting | a2         | 2026-09-01 10:00 | 2026-09-10 10:00 | scheduled | website      |                  | no
        """,
}
WEBSITE = '[channels.website]\nowner = "marketing"'
HELD = {
    "meetings": """
        meeting_id | kind    | account_id | booked_at        | starts_at        | outcome | channel
        h1         | demo    | a1         | 2026-04-01 10:00 | 2026-04-10 10:00 | held    | website
        h2         | demo    | a2         | 2026-04-10 10:00 | 2026-05-01 10:00 | held    | website
        h3         | call    | a3         | 2026-04-10 10:00 | 2026-05-01 10:00 | held    | outbound
        h4         | meeting | a2         | 2026-06-20 10:00 | 2026-06-30 10:00 | no_show | website
        h5         | call    | a2         | 2026-05-10 10:00 | 2026-06-01 10:00 | held    | outbound
        h6         | meeting |            | 2026-05-10 10:00 | 2026-06-02 10:00 | held    | outbound
        h7         | meeting | a4         | 2026-05-01 10:00 | 2026-05-05 10:00 | held    | outbound
        h8         | demo    | a1         | 2026-07-01 10:00 | 2026-07-10 10:00 | held    | website
        """,
    **deals(
        """
        deal | qualified  | ended | stage | amount
        o1   | 2026-04-20 |       |       | 10
        o2   | 2026-08-01 |       |       | 10
        o3   | 2026-08-01 |       |       | 10
        o4   | 2026-05-20 |       |       | 10
        o5   | 2026-08-01 |       |       | 10
        """,
        """
        deal | account_id | created_at       | business_type
        o1   | a1         | 2026-04-10 09:00 | new
        o2   | a2         | 2026-07-29 23:00 | expansion
        o3   | a3         | 2026-07-30 09:00 | new
        o4   | a4         | 2026-05-10 09:00 | new
        o5   | a1         | 2026-07-20 09:00 | new
        """,
    ),
}
HELD["opportunity_changes"] = "\n".join(
    [
        line + (" | is_deleted" if line.startswith("opportunity_id") else " | ")
        for line in HELD["opportunity_changes"].splitlines()
    ]
    + ["o4 | 2026-06-01 | qualified | 10 | EUR | 2027-12-31 | yes"]
)
FOLLOWED = {
    "account_stages": """
        account_id | stage | entered_at
        a1         | cold  | 2026-01-01 00:00
        a1         | mqa   | 2026-04-01 00:00
        a2         | mqa   | 2026-05-01 00:00
        a3         | mqa   | 2026-06-01 00:00
        a4         | mqa   | 2026-06-30 00:00
        a5         | mqa   | 2026-07-05 00:00
        """,
    "meetings": """
        meeting_id | kind    | account_id | booked_at        | starts_at        | outcome   | rescheduled_from
        m1         | demo    | a1         | 2026-03-20 10:00 | 2026-04-01 10:00 | held      |
        m2         | call    | a1         | 2026-04-04 10:00 | 2026-04-04 10:00 | no_show   |
        m3         | call    | a2         | 2026-05-01 10:00 | 2026-05-02 10:00 | held      |
        m4         | meeting | a2         | 2026-07-01 10:00 | 2026-07-30 10:00 | held      |
        m5         | meeting | a3         | 2026-06-03 10:00 | 2026-06-05 10:00 | cancelled |
        m6         | meeting | a3         | 2026-08-01 10:00 | 2026-08-29 10:00 | held      |
        m7         | demo    | a5         | 2026-07-01 10:00 | 2026-07-20 10:00 | cancelled |
        m8         | demo    | a5         | 2026-07-06 10:00 | 2026-12-20 10:00 | scheduled | m7
        """,
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("people"), LISTED | PEOPLE)
    return read(folder, "leads", "marketing_qualified_leads", "requalified_leads", "icp_mql_share",
                "target_account_mql_share", "buying_role_mql_share")  # fmt: skip


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    untracked = "[channels.event]\nowner = 'marketing'\ntracked = false\n"
    folder = company(tmp_path_factory.mktemp("costs"), LISTED | PEOPLE | STAGES | SPENT, untracked)
    metrics = ("marketing_qualified_accounts", "cost_per_lead", "cost_per_mql", "cost_per_mqa", "budget_used_share",
               "untracked_budget_share")  # fmt: skip
    return read(folder, *metrics)


@pytest.fixture(scope="module")
def meetings(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("meetings"), LISTED | MEETINGS, WEBSITE)
    return read(folder, "meetings_booked", "meetings_held", "meeting_held_rate", "icp_meeting_share",
                "target_account_meeting_share")  # fmt: skip


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("cohorts"), LISTED | HELD), "meeting_to_opportunity_rate")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("followed"), LISTED | FOLLOWED)
    return read(folder, "mqa_meeting_rate", "mqa_follow_up_days")


# Leads


def test_leads_are_people_first_created_in_the_quarter(people):
    assert value(people, "leads") == 3  # p1, p2, p3; ours, imported and October's are out
    assert slices(people, "leads", "month") == {"2026-07": 1, "2026-08": 1, "2026-09": 1}
    assert slices(people, "leads", "channel") == {"linkedin_ads": 1, "website": 1, "unknown": 1, "outbound": 0}
    assert slices(people, "leads", "source") == {"LinkedIn Ads": 1, "unknown": 2}
    assert slices(people, "leads", "source_detail") == {"guide": 1, "unknown": 2}
    assert slices(people, "leads", "recent_source") == {"Event": 1, "unknown": 2}
    assert slices(people, "leads", "recent_source_detail") == {"unknown": 3}
    assert slices(people, "leads", "year") == {"2026": 4}


def test_leads_that_nobody_was_are_0_and_before_the_data_they_are_missing(people):
    assert value(people, "leads", quarter="2026Q1") == 0
    assert value(people, "leads", quarter="2025Q3") == "no_data"


def test_leads_belong_to_the_first_campaign_that_they_joined_by_the_quarter_s_end(people):
    assert slices(people, "leads", "campaign") == {"Launch": 1, "no campaign": 2}  # p2 joined in October


def test_marketing_qualified_leads_count_once_in_twelve_months(people):
    assert value(people, "marketing_qualified_leads") == 4  # p1, p2, p9 after 365 days, p10
    assert value(people, "marketing_qualified_leads", quarter="2026Q2") == 0
    assert value(people, "marketing_qualified_leads", quarter="2025Q4") == 1
    assert value(people, "marketing_qualified_leads", quarter="2025Q2") == "no_data"
    assert slices(people, "marketing_qualified_leads", "campaign") == {"Launch": 1, "no campaign": 3}
    assert slices(people, "marketing_qualified_leads", "channel") == {"linkedin_ads": 1, "website": 2, "outbound": 1}


def test_marketing_qualified_leads_belong_to_the_account_they_worked_at_on_that_day(people):
    assert slices(people, "marketing_qualified_leads", "icp") == {"ICP": 2, "not ICP": 1, "unknown": 1}  # p9 at Three
    assert slices(people, "marketing_qualified_leads", "target") == {"target": 2, "not on the list": 2}
    assert slices(people, "marketing_qualified_leads", "account_match") == {"account known": 3, "no account": 1}


def test_requalified_leads_are_those_who_came_again_within_a_year(people):
    assert value(people, "requalified_leads") == 2  # p8 after 364 days, and p1
    assert slices(people, "requalified_leads", "channel") == {"linkedin_ads": 2, "website": 0, "outbound": 0}
    assert value(people, "requalified_leads", quarter="2026Q2") == 0
    assert value(people, "requalified_leads", quarter="2025Q2") == "no_data"


def test_icp_mql_share_has_people_without_an_account_below_the_line(people):
    found = reading(people, "icp_mql_share")
    assert (found["numerator"], found["denominator"], found["method"]) == (2, 4, "Wilson, 95%")
    assert slices(people, "icp_mql_share", "channel") == {"linkedin_ads": 1, "website": 0, "outbound": 1}
    assert slices(people, "icp_mql_share", "account_match") == {"account known": 0.75, "no account": 0.25}
    assert value(people, "icp_mql_share", quarter="2026Q2") == "undefined"


def test_target_account_mql_share_leaves_out_accounts_listed_during_the_quarter(people):
    assert value(people, "target_account_mql_share") == 0.5  # One and Two; Three joined in August
    assert slices(people, "target_account_mql_share", "channel") == {"linkedin_ads": 1, "website": 0.5, "outbound": 0}
    assert slices(people, "target_account_mql_share", "month") == {
        "2026-07": 0.666666667,
        "2026-08": 0,
        "2026-09": "undefined",
    }
    assert value(people, "target_account_mql_share", quarter="2026Q2") == "undefined"


def test_buying_role_mql_share_reads_the_role_from_the_title(people):
    found = reading(people, "buying_role_mql_share")
    assert (found["numerator"], found["denominator"]) == (2, 3)  # a chief and a director; procurement blocks
    assert slices(people, "buying_role_mql_share", "channel") == {
        "linkedin_ads": 1,
        "website": 0.5,
        "outbound": "undefined",
    }
    assert value(people, "buying_role_mql_share", quarter="2026Q2") == "undefined"


def test_without_titles_nobody_can_tell_the_right_people(tmp_path):
    tables = {
        "people": "person_id | created_at\np1 | 2026-07-01 10:00",
        "person_stages": "person_id | stage | entered_at\np1 | mql | 2026-07-02 10:00",
    }
    table = read(company(tmp_path, tables), "buying_role_mql_share", "leads", by=[])
    assert value(table, "buying_role_mql_share") == "not_collected"
    assert value(table, "leads") == 1


def test_a_day_is_a_day_where_the_company_is(tmp_path):
    tables = {
        "people": "person_id | created_at\np1 | 2026-06-30 22:30\np2 | 2026-09-30 22:30",
        "meetings": """
            meeting_id | kind | booked_at        | starts_at        | outcome
            m1         | demo | 2026-06-30 22:30 | 2026-07-01 10:00 | held
            m2         | demo | 2026-07-02 10:00 | 2026-09-30 22:30 | held
            m3         | demo | 2026-06-30 21:30 | 2026-06-30 22:30 | held
            """,
    }
    folder = company(tmp_path, tables, '[company]\ntimezone = "Europe/Berlin"')
    table = read(folder, "leads", "meetings_booked", "meetings_held", by=["month"])
    assert value(table, "leads") == 1
    assert value(table, "meetings_booked") == 2 and value(table, "meetings_held") == 2
    assert slices(table, "meetings_held", "month") == {"2026-07": 2, "2026-08": 0, "2026-09": 0}


def test_people_merged_into_another_are_one_person(tmp_path):
    tables = {
        "people": """
            person_id | created_at       | survivor_id
            p1        | 2026-07-01 10:00 |
            p2        | 2026-07-05 10:00 | p1
            """,
        "person_stages": """
            person_id | stage | entered_at
            p1        | mql   | 2026-07-20 10:00
            p2        | mql   | 2026-07-20 10:00
            p2        | mql   | 2026-09-01 10:00
            """,
    }
    table = read(company(tmp_path, tables), "leads", "marketing_qualified_leads", "requalified_leads", by=[])
    found = [value(table, metric) for metric in ("leads", "marketing_qualified_leads", "requalified_leads")]
    assert found == [1, 1, 1]


def test_people_recorded_twice_are_leads_of_the_quarter_of_the_earlier_record(tmp_path):
    people = """
        person_id | created_at       | survivor_id
        p1        | 2026-07-01 10:00 |
        p2        | 2026-06-30 10:00 | p1
        p3        | 2026-07-03 10:00 |
        p4        | 2026-07-09 10:00 | p3
        """
    table = read(company(tmp_path, {"people": people}), "leads", by=["month"])
    assert (value(table, "leads"), value(table, "leads", quarter="2026Q2")) == (1, 1)
    assert slices(table, "leads", "month")["2026-07"] == 1


def test_raw_sources_that_mean_an_import_are_a_setting(tmp_path):
    folder = company(tmp_path, LISTED | PEOPLE, '[leads]\nimported = ["linkedin ads"]')
    assert value(read(folder, "leads", by=[]), "leads") == 3  # without p1, with p5


# Accounts


def test_marketing_qualified_accounts_count_once_and_by_a_jump(costs):
    assert value(costs, "marketing_qualified_accounts") == 3  # One, Two by a jump, Five; Four was recorded too late
    assert slices(costs, "marketing_qualified_accounts", "tier") == {"1": 1, "2": 1, "not on the list": 1}
    assert slices(costs, "marketing_qualified_accounts", "industry") == {"steel": 2, "unknown": 1}
    assert slices(costs, "marketing_qualified_accounts", "target") == {"target": 2, "not on the list": 1}
    assert slices(costs, "marketing_qualified_accounts", "month") == {"2026-07": 1, "2026-08": 1, "2026-09": 1}
    assert value(costs, "marketing_qualified_accounts", quarter="2026Q2") == 0
    assert value(costs, "marketing_qualified_accounts", quarter="2025Q4") == "no_data"


# Costs


def test_cost_per_lead_is_ad_spend_over_all_leads(costs):
    assert value(costs, "cost_per_lead") == 130  # 390 for p1, p2 and p3
    assert value(costs, "cost_per_lead", quarter="2026Q2") == 50
    assert value(costs, "cost_per_lead", "window", "trailing_4_quarters") == 73.333333333  # 440 for six
    assert value(costs, "cost_per_lead", quarter="2025Q4") == "no_data"


def test_cost_per_lead_by_channel_asks_only_where_ads_ran(costs):
    assert slices(costs, "cost_per_lead", "channel") == {"linkedin_ads": 300, "google_ads": "undefined"}
    assert reading(costs, "cost_per_lead", "channel", "google_ads")["numerator"] == 90
    assert slices(costs, "cost_per_lead", "campaign") == {"Launch": 300, "no campaign": "undefined"}


def test_cost_per_lead_has_the_full_costs_of_finance_beside_it(costs):
    assert slices(costs, "cost_per_lead", "spend") == {"media": 130, "full": 220}
    assert slices(costs, "cost_per_lead", "spend", quarter="2026Q2") == {"media": 50, "full": 0}


def test_cost_per_mql_is_undefined_with_the_spend_beside_it_where_nobody_qualified(costs):
    assert value(costs, "cost_per_mql") == 97.5
    assert slices(costs, "cost_per_mql", "channel") == {"linkedin_ads": 300, "google_ads": "undefined"}
    found = reading(costs, "cost_per_mql", quarter="2026Q2")
    assert (found["value"], found["missing_because"], found["numerator"]) == (None, "undefined", 50)
    assert value(costs, "cost_per_mql", "spend", "full") == 165


def test_cost_per_mqa_by_channel_counts_accounts_touched_before_they_qualified(costs):
    assert value(costs, "cost_per_mqa") == 130
    assert slices(costs, "cost_per_mqa", "channel") == {
        "linkedin_ads": 150,
        "google_ads": "undefined",
    }  # One and Two; t7 was ours
    assert slices(costs, "cost_per_mqa", "campaign") == {"Launch": 300, "no campaign": "undefined"}
    assert (
        value(costs, "cost_per_mqa", "spend", "full") == 220
    )  # t6 came at the moment itself, and brought nothing about
    assert value(costs, "cost_per_mqa", quarter="2026Q2") == "undefined"


def test_budget_used_share_holds_spend_against_the_budget_of_its_channels(costs):
    assert value(costs, "budget_used_share") == 1.114285714  # 390 of 350; the fair's budget has no ad platform
    assert slices(costs, "budget_used_share", "channel") == {"linkedin_ads": 1.2, "google_ads": 0.9}
    assert value(costs, "budget_used_share", "year", "2026") == 0.8  # 440 of 550
    assert value(costs, "budget_used_share", quarter="2026Q1") == 0
    assert value(costs, "budget_used_share", quarter="2025Q4") == "no_data"


def test_untracked_budget_share_counts_the_channels_that_the_company_calls_untracked(costs):
    assert value(costs, "untracked_budget_share") == 0.740548554  # the fair's 999 of 1,349
    assert value(costs, "untracked_budget_share", "year", "2026") == 0.644932214  # 999 of 1,549
    assert value(costs, "untracked_budget_share", quarter="2026Q2") == 0
    assert value(costs, "untracked_budget_share", quarter="2025Q4") == "undefined"


def test_untracked_budget_share_is_0_where_no_channel_is_called_so_and_undefined_without_a_budget(tmp_path):
    declared = read(company(tmp_path / "declared", SPENT), "untracked_budget_share", by=[])
    assert value(declared, "untracked_budget_share") == 0
    tables = SPENT | PEOPLE | {"budgets": "period | channel | amount | currency\n2026Q1 | linkedin_ads | 100 | EUR"}
    assert (
        value(read(company(tmp_path / "none", tables), "untracked_budget_share", by=[]), "untracked_budget_share")
        == "undefined"
    )


def test_budget_used_share_without_a_budget_is_undefined(tmp_path):
    tables = SPENT | PEOPLE | {"budgets": "period | channel | amount | currency\n2026Q1 | linkedin_ads | 100 | EUR"}
    assert value(read(company(tmp_path, tables), "budget_used_share", by=[]), "budget_used_share") == "undefined"


# Meetings


def test_meetings_booked_count_a_rescheduled_one_once_and_ours_never(meetings):
    assert value(meetings, "meetings_booked") == 5  # m1, m2, m3, m5, m9
    assert slices(meetings, "meetings_booked", "kind") == {"demo": 1, "meeting": 3, "call": 1}
    assert slices(meetings, "meetings_booked", "month") == {"2026-07": 2, "2026-08": 1, "2026-09": 2}
    assert slices(meetings, "meetings_booked", "quarter") == {"2026Q3": 5}
    weeks = slices(meetings, "meetings_booked", "week")
    assert {week for week, count in weeks.items() if count} == {
        "2026-W27",
        "2026-W30",
        "2026-W32",
        "2026-W36",
        "2026-W40",
    }
    assert value(meetings, "meetings_booked", quarter="2026Q2") == 2
    assert value(meetings, "meetings_booked", quarter="2026Q1") == "no_data"


def test_meetings_booked_come_from_paid_channels_the_website_or_elsewhere(meetings):
    by_channel = {"linkedin_ads": 1, "website": 2, "outbound": 1, "unknown": 1}
    assert slices(meetings, "meetings_booked", "channel") == by_channel
    assert slices(meetings, "meetings_booked", "paid_or_website") == {"paid": 1, "website": 2, "other": 1, "unknown": 1}


def test_meetings_booked_are_told_apart_by_profile_and_list(meetings):
    assert slices(meetings, "meetings_booked", "icp") == {"ICP": 2, "not ICP": 2, "unknown": 1}
    assert slices(meetings, "meetings_booked", "target") == {"target": 3, "not on the list": 2}
    assert slices(meetings, "meetings_booked", "tier") == {"1": 1, "2": 2, "not on the list": 2}


def test_meetings_held_count_by_the_day_they_began(meetings):
    assert value(meetings, "meetings_held") == 3  # m1, m4, m8
    assert slices(meetings, "meetings_held", "kind") == {"demo": 2, "call": 1, "meeting": 0}
    assert value(meetings, "meetings_held", quarter="2026Q2") == 0
    assert value(meetings, "meetings_held", quarter="2026Q1") == "no_data"


def test_meeting_held_rate_has_cancelled_ones_below_the_line_and_open_ones_out(meetings):
    found = reading(meetings, "meeting_held_rate")
    assert (found["numerator"], found["denominator"]) == (
        3,
        4,
    )  # m7 was cancelled; m3 took place as m4; m9 has no outcome
    assert slices(meetings, "meeting_held_rate", "channel") == {"linkedin_ads": 1, "outbound": 1, "website": 0}
    assert value(meetings, "meeting_held_rate", quarter="2026Q2") == "undefined"


def test_icp_meeting_share_leaves_out_meetings_without_an_account(meetings):
    found = reading(meetings, "icp_meeting_share")
    assert (found["numerator"], found["denominator"]) == (2, 4)
    by_channel = {"linkedin_ads": 1, "website": 0, "outbound": 1, "unknown": "undefined"}
    assert slices(meetings, "icp_meeting_share", "channel") == by_channel
    assert value(meetings, "icp_meeting_share", quarter="2026Q1") == "no_data"


def test_target_account_meeting_share_reads_the_list_of_the_quarter_s_start(meetings):
    found = reading(meetings, "target_account_meeting_share")
    assert (found["numerator"], found["denominator"]) == (3, 4)
    assert slices(meetings, "target_account_meeting_share", "kind") == {"demo": 1, "meeting": 1, "call": 0}


def test_a_meeting_whose_first_booking_was_not_delivered_counts(tmp_path):
    tables = {
        "meetings": """
        meeting_id | kind | booked_at        | starts_at        | outcome | rescheduled_from
        m2         | demo | 2026-07-02 10:00 | 2026-07-05 10:00 | held    | m1
        """
    }
    folder = company(tmp_path, tables, "[thresholds]\nunmatched_share = 1.0")
    assert value(read(folder, "meetings_booked", by=[]), "meetings_booked") == 1


# What came of meetings


def test_meeting_to_opportunity_rate_is_that_of_the_newest_quarter_old_enough(cohorts):
    found = reading(cohorts, "meeting_to_opportunity_rate")
    assert (found["numerator"], found["denominator"]) == (2, 6)  # h2 on day 89 and h5; h3 on day 90, h1 an hour before
    young = "2026Q3, not yet 90 days old"
    assert slices(cohorts, "meeting_to_opportunity_rate", "cohort") == {"2026Q2": 0.333333333, young: 1}
    assert value(cohorts, "meeting_to_opportunity_rate", quarter="2026Q2") == "undefined"
    assert value(cohorts, "meeting_to_opportunity_rate", quarter="2026Q1") == "no_data"


def test_meeting_to_opportunity_rate_by_kind_channel_profile_and_list(cohorts):
    rate = "meeting_to_opportunity_rate"
    assert slices(cohorts, rate, "kind") == {"demo": 0.5, "call": 0.5, "meeting": 0}
    assert slices(cohorts, rate, "channel") == {"website": 0.5, "outbound": 0.25}
    assert slices(cohorts, rate, "icp") == {"ICP": 0, "not ICP": 0.666666667, "unknown": 0}
    assert slices(cohorts, rate, "target") == {"target": 0.666666667, "not on the list": 0}


def test_meeting_to_opportunity_days_are_a_setting(tmp_path):
    table = read(
        company(tmp_path, LISTED | HELD, "meeting_to_opportunity_days = 91"), "meeting_to_opportunity_rate", by=[]
    )
    assert value(table, "meeting_to_opportunity_rate") == 0.5  # h3 too


def test_mqa_meeting_rate_asks_for_a_meeting_held_in_time_and_a_call_is_none(followed):
    found = reading(followed, "mqa_meeting_rate")
    assert (found["numerator"], found["denominator"]) == (2, 4)  # One on the day, Three on day 89; Two on day 90
    assert slices(followed, "mqa_meeting_rate", "tier") == {"1": 1, "2": 0, "not on the list": 0.5}
    assert slices(followed, "mqa_meeting_rate", "cohort") == {"2026Q2": 0.5, "2026Q3, not yet 90 days old": 0}
    assert value(followed, "mqa_meeting_rate", quarter="2026Q2") == "undefined"
    assert value(followed, "mqa_meeting_rate", quarter="2025Q4") == "no_data"


def test_mqa_follow_up_days_have_those_who_still_wait(followed):
    assert value(followed, "mqa_follow_up_days") == 3  # waits of 0, 2 and 3 days; two have waited 87 and 92, m8 is m7
    assert reading(followed, "mqa_follow_up_days")["n"] == 5
    assert slices(followed, "mqa_follow_up_days", "tier") == {"1": 3, "2": 0, "not on the list": "undefined"}
    assert value(followed, "mqa_follow_up_days", quarter="2026Q1") == "undefined"
    assert value(followed, "mqa_follow_up_days", quarter="2025Q4") == "no_data"


# What is to be expected

RECORD = "creation_quarter/record"


def met_and_made(met: dict[str, str], made: str) -> dict[str, str]:
    """Meetings of these accounts (`a1 a2`) on these days, and deals from lines of `deal qualified ended stage amount account`."""
    drawn = ["meeting_id | kind | account_id | booked_at | starts_at | outcome"]
    drawn += [
        f"{day}{who} | demo | {who} | {day} 09:00 | {day} 10:00 | held"
        for day, all_of_them in met.items()
        for who in all_of_them.split()
    ]
    return {"meetings": "\n".join(drawn)} | deals(made)


MET = {"2025-01-01": "a1", "2025-04-10": "a1", "2025-07-10": "a1 a2", "2025-10-10": "a1", "2026-01-10": "a1",
       "2026-04-10": "a1 a2", "2026-07-10": "a1 a2 a3"}  # fmt: skip
MADE = """
    deal | qualified  | ended      | stage | amount | account_id | business_type
    d1   | 2025-05-01 | 2026-06-20 | won   | 100    | a1         | new
    d2   | 2025-05-01 | 2026-06-20 | lost  | 50     | a4         | new
    d3   | 2025-08-01 |            |       | 100    | a1         | new
    d4   | 2025-08-01 |            |       | 50     | a4         | new
    d5   | 2025-11-01 |            |       | 100    | a1         | new
    d6   | 2025-11-01 |            |       | 100    | a2         | new
    d7   | 2025-11-01 |            |       | 50     | a4         | new
    d8   | 2026-02-01 |            |       | 100    | a1         | new
    d9   | 2026-02-01 |            |       | 50     | a4         | new
    d10  | 2026-05-01 |            |       | 120    | a1         | new
    d11  | 2026-05-01 |            |       | 60     | a4         | new
    d12  | 2026-08-01 |            |       | 200    | a1         | new
    d13  | 2026-08-01 |            |       | 50     | a3         | new
    d14  | 2026-08-01 |            |       | 999    | a1         | renewal
    """


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("expected"), LISTED | met_and_made(MET, MADE))
    return read(folder, "next_quarter_opportunities_forecast", "next_quarter_pipeline_forecast")


def test_next_quarter_pipeline_forecast_is_meetings_times_what_followed_plus_what_comes_without(expected):
    found = reading(expected, "next_quarter_pipeline_forecast")
    assert found["value"] == 359.17  # 3 meetings x 820 / 8, and 310 / 6 without a meeting
    assert (found["n"], found["low"]) == (3, None)  # two past forecasts say nothing of its range
    assert value(expected, "next_quarter_pipeline_forecast", "outcome", "pipeline") == 359.17
    revenue = value(expected, "next_quarter_pipeline_forecast", "outcome", "revenue")
    assert revenue == pytest.approx(179.585, abs=0.006)  # half of a cohort was won


def test_next_quarter_pipeline_forecast_stands_with_what_is_open_already(expected):
    found = reading(expected, "next_quarter_pipeline_forecast", "outcome", "with_open_pipeline")
    assert found["value"] == 1339.17  # d3 to d13 are open with 980; a renewal is no new business
    early = reading(expected, "next_quarter_pipeline_forecast", "outcome", "with_open_pipeline", "2025Q4")
    assert (early["missing_because"], "four past quarters" in early["caveats"]) == ("undefined", True)


def test_next_quarter_pipeline_forecast_is_held_against_what_came(expected):
    assert slices(expected, "next_quarter_pipeline_forecast", RECORD) == {
        "2026Q2/expected": 150, "2026Q2/came": 180, "2026Q3/expected": 258.67, "2026Q3/came": 250,
    }  # fmt: skip


def test_next_quarter_opportunities_forecast_is_a_whole_number(expected):
    assert value(expected, "next_quarter_opportunities_forecast") == 4  # 3 x 7 / 8 + 1
    assert slices(expected, "next_quarter_opportunities_forecast", RECORD)["2026Q3/came"] == 2


# b2 was moved after its quarter had ended, b5 before: b6 stands for it. Of all that are due next quarter b6 alone is booked.
BOOKED = """
    b1 | demo | a4 | 2025-03-20 09:00 | 2025-04-20 10:00 | no_show   |    | false
    b2 | demo | a4 | 2025-06-21 09:00 | 2025-07-21 10:00 | cancelled |    | false
    b3 | demo | a4 | 2025-07-02 09:00 | 2025-08-21 10:00 | no_show   | b2 | false
    b4 | demo | a4 | 2025-07-01 09:00 | 2025-07-22 10:00 | cancelled |    | false
    b5 | demo | a2 | 2026-09-01 09:00 | 2026-10-05 10:00 | cancelled |    | false
    b6 | demo | a2 | 2026-09-15 09:00 | 2026-11-05 10:00 | scheduled | b5 | false
    b7 | demo | a1 | 2026-09-02 09:00 | 2026-10-06 10:00 | scheduled |    | true
    b8 | demo | a1 | 2026-09-02 09:00 | 2027-01-06 10:00 | scheduled |    | false
    """


def test_a_forecast_has_meetings_booked_for_next_quarter_beside_those_held(tmp_path):
    drawn = met_and_made(MET, MADE)
    head, *held = drawn["meetings"].split("\n")
    lines = [f"{head} | rescheduled_from | is_internal", *(f"{line} | | false" for line in held)]
    drawn["meetings"] = "\n".join(lines) + BOOKED
    metrics = ("next_quarter_opportunities_forecast", "next_quarter_pipeline_forecast")
    found = read(company(tmp_path, LISTED | drawn), *metrics)
    # 3 held x 820 / 8, 1 booked x (50 + 50) / 2, and 210 / 6 of neither
    assert value(found, "next_quarter_pipeline_forecast") == 392.5
    assert value(found, "next_quarter_opportunities_forecast") == 4  # 3 x 7 / 8 + 1 x 2 / 2 + 4 / 6 is 4.29
    assert reading(found, "next_quarter_pipeline_forecast")["n"] == 3
    # 1 x 500 / 5 and 100 / 4; 2 x 620 / 6 and 160 / 5: none was booked for these two. What came has all three parts.
    assert slices(found, "next_quarter_pipeline_forecast", RECORD) == {
        "2026Q2/expected": 125, "2026Q2/came": 180, "2026Q3/expected": 238.67, "2026Q3/came": 250,
    }  # fmt: skip


def test_half_a_cent_of_a_forecast_goes_away_from_zero(tmp_path):
    met = dict.fromkeys(("2025-01-01", "2025-04-10", "2025-07-10", "2025-10-10", "2026-01-10"), "a1")
    amounts = {"2025-05-01": "0.02", "2025-08-01": "1", "2025-11-01": "1", "2026-02-01": "2"}
    lines = [f"d{day} | {day} | | | {amount} | a4" for day, amount in amounts.items()]
    made = "\n".join(["deal | qualified | ended | stage | amount | account_id", *lines])
    folder = company(tmp_path, LISTED | met_and_made(met, made))
    found = read(folder, "next_quarter_pipeline_forecast", by=[], quarter="2026Q1")
    # 4.02 over four quarters is 1.005, which lies below the half in binary.
    assert value(found, "next_quarter_pipeline_forecast", quarter="2026Q1") == 1.01


def test_a_forecast_needs_four_past_quarters(expected):
    assert value(expected, "next_quarter_pipeline_forecast", quarter="2025Q4") == "undefined"
    assert value(expected, "next_quarter_opportunities_forecast", quarter="2025Q4") == "undefined"
    assert value(expected, "next_quarter_pipeline_forecast", quarter="2026Q1") == 150


NEXT_GOAL = """
metric             | period | slice_by      | slice | value | currency | kind
closed_won_revenue | 2026Q4 | business_type | new   | 1000  | EUR      | target
"""
THREE_DUE = """
m1 | demo | a4 | 2026-07-01 09:00 | 2026-08-01 10:00 | held
m2 | demo | a4 | 2026-07-01 09:00 | 2026-08-02 10:00 | held
m3 | demo | a4 | 2026-07-01 09:00 | 2026-08-03 10:00 | no_show
"""
MADE_AFTER = """
deal | qualified  | ended      | stage | amount | account_id | due
d0   | 2025-02-01 | 2026-02-20 | won   | 400    | a4         | 2026-03-31
d1   | 2025-05-01 | 2026-05-20 | won   | 150    | a1         | 2026-06-30
d2   | 2025-08-01 | 2026-09-20 | lost  | 250    | a1         | 2026-09-30
d3   | 2025-11-01 |            |       | 200    | a1         | 2026-10-31
d4   | 2026-02-01 |            |       | 210    | a1         | 2027-10-31
"""


def test_meetings_to_close_gap_where_none_was_held_are_unknown(tmp_path):
    met = dict.fromkeys(("2025-01-01", "2025-04-10", "2025-07-10", "2025-10-10", "2026-01-10"), "a1")
    drawn = LISTED | met_and_made(met, MADE_AFTER) | {"targets": NEXT_GOAL}
    drawn["meetings"] += THREE_DUE.replace("held", "cancelled")
    found = reading(read(company(tmp_path, drawn), "meetings_to_close_gap", by=["horizon"]), "meetings_to_close_gap")
    assert (found["value"], found["missing_because"], found["caveats"]) == (None, "undefined", "no meeting was held")


def test_meetings_to_close_gap_are_as_many_as_bring_the_pipeline_still_missing(tmp_path):
    met = dict.fromkeys(("2025-01-01", "2025-04-10", "2025-07-10", "2025-10-10", "2026-01-10"), "a1")
    drawn = LISTED | met_and_made(met, MADE_AFTER) | {"targets": NEXT_GOAL}
    drawn["meetings"] += THREE_DUE
    metrics = ("meetings_to_close_gap", "pipeline_gap", "required_pipeline_coverage")
    table = read(company(tmp_path, drawn), *metrics, by=["horizon"])
    found = reading(table, "meetings_to_close_gap")
    # Five meetings were followed by 150 + 250 + 200 + 210, which is 162 each: 800 take 4.9 of them, of which two in three are held.
    assert value(table, "pipeline_gap") == 800
    assert (found["value"], found["n"]) == (8, 5)
    assert value(table, "meetings_to_close_gap", quarter="2026Q2") == "undefined"  # no target for the quarter after it
    assert reading(table, "meetings_to_close_gap", quarter="2026Q2")["caveats"] == reading(
        table, "pipeline_gap", quarter="2026Q2")["caveats"]  # fmt: skip


def test_meetings_to_close_gap_without_pipeline_after_any_is_undefined(tmp_path):
    met = dict.fromkeys(("2025-01-01", "2025-04-10", "2025-07-10", "2025-10-10", "2026-01-10"), "a2")
    drawn = LISTED | met_and_made(met, MADE_AFTER) | {"targets": NEXT_GOAL}
    table = read(company(tmp_path, drawn), "meetings_to_close_gap", by=["horizon"])
    assert value(table, "meetings_to_close_gap") == "undefined"
    assert "no pipeline came after a meeting" in reading(table, "meetings_to_close_gap")["caveats"]


def ten_quarters(folder: Path, last: int) -> pd.DataFrame:
    """One meeting in each of ten quarters, and what was created a quarter later, `last` in the tenth."""
    days = [date(2024, 4, 1), *(date(2024 + n // 4, n % 4 * 3 + 1, 10) for n in range(2, 11))]
    amounts = [100, 100, 100, 100, 110, 102, 102, 102, last]  # one error of a tenth, then of nothing
    made = [f"d{day} | {day} | | | {amount} | a1" for day, amount in zip(days[1:], amounts, strict=True)]
    lines = "\n".join(["deal | qualified | ended | stage | amount | account_id", *made])
    drawn = LISTED | met_and_made(dict.fromkeys(map(str, days), "a1"), lines)
    return read(company(folder, drawn), "next_quarter_pipeline_forecast", by=["creation_quarter/record"])


def test_a_forecast_says_how_many_of_its_past_ranges_held_what_came(tmp_path):
    # Four errors are known before the tenth quarter alone: 102 were expected, give or take 2.7764 x 0.1 / root of 4.
    table = ten_quarters(tmp_path / "held", 102)
    then = reading(table, "next_quarter_pipeline_forecast", RECORD, "2026Q3/expected")
    assert (then["value"], then["low"], then["high"]) == (102, 87.84, 116.16)
    said = "1 of 1 past ranges held what came (95% range of that 21% to 100%)"
    assert said in reading(table, "next_quarter_pipeline_forecast")["caveats"]
    missed = ten_quarters(tmp_path / "missed", 120)
    assert reading(missed, "next_quarter_pipeline_forecast", RECORD, "2026Q3/expected")["high"] == 116.16
    assert "0 of 1 past ranges" in reading(missed, "next_quarter_pipeline_forecast")["caveats"]
    early = reading(table, "next_quarter_pipeline_forecast", RECORD, "2026Q2/expected")
    assert (early["value"], early["low"], early["method"]) == (102, None, "")


def test_the_range_of_a_forecast_is_as_wide_as_its_past_errors(tmp_path):
    days = [date(2024, 4, 1), *(date(2024 + n // 4, n % 4 * 3 + 1, 10) for n in range(2, 11))]
    amounts = [100, 100, 100, 100, 110, 102, 102, 102, 102]  # one error of a tenth, then four of nothing
    made = [f"d{day} | {day} | | | {amount} | a1" for day, amount in zip(days[1:], amounts, strict=True)]
    lines = "\n".join(["deal | qualified | ended | stage | amount | account_id", *made])
    folder = company(tmp_path, LISTED | met_and_made(dict.fromkeys(map(str, days), "a1"), lines))
    table = read(folder, "next_quarter_pipeline_forecast", by=["outcome", "business_type"])
    found = reading(table, "next_quarter_pipeline_forecast")
    assert (found["value"], found["n"], found["method"]) == (102.25, 1, "past errors, 95%")  # 818 / 8
    both = reading(table, "next_quarter_pipeline_forecast", "outcome", "with_open_pipeline")
    for end in ("value", "low", "high"):  # all nine deals are open, and sure: the range is that of what will be added
        assert both[end] == pytest.approx(918 + found[end], abs=1e-6)
    assert found["low"] == pytest.approx(90.50, abs=0.01)  # 2.5706 x 0.1 / root of 5 below
    assert found["high"] == pytest.approx(114.00, abs=0.01)
