"""Journey: every metric worked out by hand on a few accounts, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, deals, read, reading, slices, value

ACCOUNTS = "account_id | name\n" + "\n".join(f"a{n} | Account {n}" for n in range(1, 11))
LISTED = """
account_id | is_target | tier | programme   | valid_from | valid_to
a1         | yes       | 1    | one_to_one  | 2026-01-15 |
a2         | yes       | 1    | one_to_one  | 2026-01-15 |
a3         | yes       | 2    | one_to_few  | 2026-01-15 |
a4         | yes       | 2    | one_to_few  | 2026-01-15 |
a5         | yes       | 3    | one_to_many | 2026-01-15 |
a6         | yes       | 3    | one_to_many | 2026-01-15 |
a7         | yes       | 3    | one_to_many | 2026-09-15 |
a8         | yes       | 3    |             | 2026-07-15 |
a10        | yes       | 2    | one_to_few  | 2026-01-15 | 2026-08-15
"""
# Thirty days lie between the first of September and the end of the quarter.
STAGES = """
account_id | stage       | entered_at          | recorded_at
a1         | cold        | 2026-01-01          |
a1         | engaged     | 2026-09-01          |
a2         | engaged     | 2026-05-01          |
a2         | mqa         | 2026-08-31 23:59:59 |
a3         | renewal     | 2026-01-01          |
a3         | customer    | 2026-09-10          |
a4         | opportunity | 2026-06-01          |
a4         | engaged     | 2026-09-20          |
a5         | customer    | 2026-01-01          |
a5         | cold        | 2026-09-05          |
a6         | engaged     | 2026-09-15          | 2026-10-20
a7         | demo        | 2026-09-20          |
a8         | engaged     | 2026-07-20          |
a8         | demo        | 2026-09-30 12:00    |
a8         | cold        | 2026-10-01          |
a9         | cold        | 2025-11-01          |
a9         | customer    | 2026-09-10          |
a10        | cold        | 2026-01-01          |
a10        | engaged     | 2026-08-20          |
"""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = {"accounts": ACCOUNTS, "account_lists": LISTED, "account_stages": STAGES}
    metrics = ("accounts_by_stage", "accounts_progressed_rate", "accounts_regressed_rate")
    return read(company(tmp_path_factory.mktemp("moved"), drawn), *metrics)


def test_accounts_by_stage_are_target_accounts_at_the_stage_they_have_at_the_quarter_s_end(moved):
    assert value(moved, "accounts_by_stage") == 8  # Nine is not on the list, Ten has left it, Seven has joined
    stages = {"cold": 2, "engaged": 2, "mqa": 1, "demo": 2, "opportunity": 0, "customer": 1, "renewal": 0}
    assert slices(moved, "accounts_by_stage", "stage") == stages  # Six was recorded too late: nothing known, so cold
    assert slices(moved, "accounts_by_stage", "tier") == {"1": 2, "2": 2, "3": 4}
    assert value(moved, "accounts_by_stage", "stage/tier", "demo/3") == 2


def test_accounts_by_stage_without_a_listed_account_are_0_and_before_the_data_missing(moved):
    assert value(moved, "accounts_by_stage", quarter="2025Q4") == 0
    assert value(moved, "accounts_by_stage", quarter="2025Q3") == "no_data"


def test_accounts_progressed_rate_is_of_all_target_accounts_of_thirty_days_before(moved):
    found = reading(moved, "accounts_progressed_rate")
    # One moved on the first of the thirty days, Two a second before them, Eight on their last day.
    assert (found["numerator"], found["denominator"]) == (2, 7)
    assert (found["period_start"], found["period_end"]) == ("2026-09-01", "2026-10-01")
    tiers = {"1": 0.5, "2": 0, "3": 0.333333333}
    assert slices(moved, "accounts_progressed_rate", "tier") == tiers
    programmes = {"one_to_one": 0.5, "one_to_few": 0, "one_to_many": 0, "unknown": 1}
    assert slices(moved, "accounts_progressed_rate", "programme") == programmes


def test_accounts_progressed_rate_of_those_that_can_still_progress_leaves_out_renewals(moved):
    assert slices(moved, "accounts_progressed_rate", "denominator") == {"eligible": 0.333333333}  # 2 of 6


def test_accounts_progressed_rate_over_the_quarter_compares_with_its_start(moved):
    found = reading(moved, "accounts_progressed_rate", "window", "quarter")
    assert (found["numerator"], found["denominator"]) == (3, 7)  # One, Two, and Ten, which left the list in between


def test_accounts_progressed_rate_without_target_accounts_is_undefined(moved):
    assert value(moved, "accounts_progressed_rate", quarter="2025Q4") == "undefined"
    assert value(moved, "accounts_progressed_rate", quarter="2025Q3") == "no_data"
    assert value(moved, "accounts_progressed_rate", quarter="2026Q1") == 0


def test_accounts_regressed_rate_counts_losses_and_churn_but_no_renewed_customer(moved):
    found = reading(moved, "accounts_regressed_rate")
    assert (found["numerator"], found["denominator"]) == (2, 7)  # Four and Five; Three is a customer still
    assert slices(moved, "accounts_regressed_rate", "tier") == {"1": 0, "2": 0.5, "3": 0.333333333}
    assert value(moved, "accounts_regressed_rate", "window", "quarter") == 0.285714286
    assert value(moved, "accounts_regressed_rate", quarter="2025Q4") == "undefined"


# How far an entry led. The entries of the first quarter are the newest that are all 180 days old.

ENTERED = """
account_id | stage       | entered_at
a1         | engaged     | 2026-01-01
a1         | mqa         | 2026-06-30
a2         | engaged     | 2026-01-01
a2         | mqa         | 2026-07-01
a3         | engaged     | 2026-02-01
a3         | opportunity | 2026-03-01
a3         | cold        | 2026-04-01
a3         | engaged     | 2026-05-01
a4         | engaged     | 2026-03-31
a4         | cold        | 2026-04-10
a4         | mqa         | 2026-05-01
a5         | engaged     | 2026-02-01
a5         | mqa         | 2026-02-10
a6         | mqa         | 2026-02-01
a6         | mqa         | 2026-02-20
a7         | renewal     | 2026-02-01
"""
SINCE = "account_id | is_target | tier | valid_from\n" + "\n".join(
    f"a{n} | yes | 1 | {'2026-01-02' if n == 5 else '2025-10-01'}" for n in range(1, 8)
)


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = {"accounts": ACCOUNTS, "account_lists": SINCE, "account_stages": ENTERED}
    return read(company(tmp_path_factory.mktemp("entered"), drawn), "stage_conversion_rate")


def test_stage_conversion_rate_is_of_the_newest_quarter_whose_entries_are_all_180_days_old(entered):
    # One moved on after 180 days, Two after 181, Three over two stages, Four by way of cold; Five was not listed yet.
    found = reading(entered, "stage_conversion_rate", "stage", "engaged")
    assert (found["numerator"], found["denominator"]) == (3, 4)
    # Six is one entry though recorded twice. No cold entry in the first quarter. From renewal there is no further stage.
    rates = {"engaged": 0.75, "mqa": 0, "opportunity": 0, "cold": "undefined"}
    assert slices(entered, "stage_conversion_rate", "stage") == rates


def test_stage_conversion_rate_of_a_younger_quarter_is_withheld_and_says_how_mature_it_is(entered):
    assert value(entered, "stage_conversion_rate", "stage/entry_quarter", "engaged/2026Q1") == 0.75
    young = reading(entered, "stage_conversion_rate", "stage/entry_quarter", "cold/2026Q2")
    assert (young["missing_because"], young["n"]) == ("withheld", 2)
    assert "1 of 2 entries are 180 days old" in young["caveats"]
    early = reading(entered, "stage_conversion_rate", "stage/entry_quarter", "engaged/2026Q1", quarter="2026Q2")
    assert early["missing_because"] == "withheld"


# How long they stayed

STAYED = """
account_id | stage | entered_at
a1         | mqa   | 2026-01-01
a1         | mqa   | 2026-01-05
a1         | demo  | 2026-01-11
a2         | mqa   | 2026-01-01
a2         | cold  | 2026-01-21
a3         | mqa   | 2026-01-01
a3         | demo  | 2026-01-31
a4         | mqa   | 2026-01-01
a5         | mqa   | 2025-09-30
a5         | demo  | 2025-10-01
a5         | cold  | 2025-10-04
a6         | mqa   | 2026-01-01
a6         | demo  | 2026-01-02
a7         | mqa   | 2026-09-20
"""


def test_stage_median_days_wait_with_the_stays_that_still_go_on(tmp_path):
    since = SINCE.replace("2025-10-01", "2025-01-01").replace("a6 | yes | 1 | 2025-01-01", "a6 | yes | 1 | 2025-10-02")
    drawn = {"accounts": ACCOUNTS, "account_lists": since.replace("2026-01-02", "2025-01-01"), "account_stages": STAYED}
    table = read(company(tmp_path, drawn), "stage_median_days")
    # Left after 10, 20 and 30 days, open for 272 and for 10: 4/5, then 2/3 and 1/2 of that. Without the open ones it were 20.
    found = reading(table, "stage_median_days", "stage", "mqa")
    assert (found["value"], found["n"]) == (30, 5)
    assert value(table, "stage_median_days", "stage/naive", "mqa/mean of those that are over") == 20
    demos = reading(table, "stage_median_days", "stage", "demo")
    assert (demos["missing_because"], demos["n"]) == ("undefined", 3)  # 3 days, and two that go on
    assert value(table, "stage_median_days", "stage", "mqa", quarter="2025Q2") == "no_data"


def test_stage_median_days_by_the_owner_of_the_accounts_first_opportunity(tmp_path):
    since = SINCE.replace("2025-10-01", "2025-01-01").replace("a6 | yes | 1 | 2025-01-01", "a6 | yes | 1 | 2025-10-02")
    drawn = {"accounts": ACCOUNTS, "account_lists": since.replace("2026-01-02", "2025-01-01"), "account_stages": STAYED}
    made = deals("""
        deal | qualified  | ended | stage | amount | account_id | business_type | source
        d2   | 2026-02-01 |       |       | 100    | a1         | new           | outbound
        d1   | 2026-02-01 |       |       | 100    | a1         | new           | linkedin_ads
        d3   | 2026-01-15 |       |       | 100    | a1         | renewal       | outbound
        d4   | 2026-03-01 |       |       | 100    | a2         | new           | outbound
        d5   | 2026-01-20 |       |       | 100    | a2         | new           |
        d6   | 2026-03-01 |       |       | 100    | a3         | new           | linkedin_ads
        d7   | 2026-03-02 |       |       | 100    | a3         | new           | outbound
        """)
    table = read(company(tmp_path, drawn | made), "stage_median_days")
    owned = {
        key: found
        for key, found in slices(table, "stage_median_days", "stage/source_owner").items()
        if key.startswith("mqa")
    }
    # a1 and a3 left after 10 and 30 days: half of them by day 10; a2 after 20; a4 and a7 never had an opportunity, and still stay.
    assert owned == {"mqa/marketing": 10, "mqa/unknown": 20, "mqa/no opportunity": "undefined"}
    numbers = {key: reading(table, "stage_median_days", "stage/source_owner", key)["n"] for key in owned}
    assert numbers == {"mqa/marketing": 2, "mqa/unknown": 1, "mqa/no opportunity": 2}
    assert reading(table, "stage_median_days", "stage", "mqa")["n"] == 5
    alone = read(company(tmp_path / "alone", drawn), "stage_median_days")
    assert (
        value(alone, "stage_median_days", "stage/source_owner", "mqa/unknown") == 30
    )  # without opportunities no owner is known


# Demos

MEETINGS = """
meeting_id | kind    | account_id | requested_at | booked_at  | starts_at        | outcome | channel      | is_internal | rescheduled_from
m1         | demo    | a1         | 2026-07-01   | 2026-07-03 | 2026-07-05 10:00 | held    | linkedin_ads |             |
m2         | demo    | a2         | 2026-07-10   | 2026-07-14 | 2026-07-22 10:00 | held    | outbound     |             |
m3         | demo    | a3         | 2026-08-01   | 2026-08-10 | 2026-08-12 10:00 | no_show | linkedin_ads | no          |
m4         | demo    | a4         |              | 2026-08-10 | 2026-08-20 10:00 | held    |              |             |
m5         | demo    | a8         | 2026-08-20   | 2026-08-15 | 2026-09-01 08:00 | held    | linkedin_ads |             |
m6         | meeting | a8         | 2026-07-01   | 2026-08-15 | 2026-08-25 10:00 | held    | linkedin_ads |             |
m7         | demo    | a8         | 2026-07-01   | 2026-08-15 | 2026-08-25 10:00 | held    | linkedin_ads | yes         |
m8         | demo    | a1         | 2026-07-01   | 2026-09-20 | 2026-09-25 10:00 | held    | linkedin_ads |             | m1
m9         | demo    | a5         | 2026-06-29   | 2026-06-30 | 2026-07-31 10:00 | held    | linkedin_ads |             |
m10        | demo    | a7         |              | 2025-08-01 | 2025-08-31 10:00 | held    | linkedin_ads |             |
m11        | demo    | a1         |              | 2026-06-01 | 2026-07-01 10:00 | held    | linkedin_ads |             |
"""
MADE = """
deal | account_id | business_type | created_at       | qualified  | ended | stage | amount | source
o1   | a1         | new           | 2026-07-11 09:00 | 2026-07-20 |       |       | 100    | LinkedIn
o2   | a2         | new           | 2026-08-01 09:00 | 2026-08-01 |       |       | 100    | Cold Call
o3   | a3         | new           | 2026-08-20 09:00 | 2026-08-20 |       |       | 100    | LinkedIn
o4   | a4         | new           | 2026-08-19 09:00 | 2026-08-20 |       |       | 100    | LinkedIn
o5   | a5         | expansion     | 2026-08-01 09:00 | 2026-08-01 |       |       | 100    | LinkedIn
o6   | a1         | new           |                  | 2026-08-01 |       |       | 100    | LinkedIn
o7   | a7         | new           | 2026-09-01 09:00 | 2026-09-01 |       |       | 100    | LinkedIn
o8   | a8         | new           | 2026-09-01 09:00 | 2026-09-01 |       |       | 100    |
o9   | a9         | new           | 2025-11-01 09:00 | 2025-11-01 |       |       | 100    |
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = {"accounts": ACCOUNTS, "meetings": MEETINGS} | deals(MADE)
    metrics = ("demo_request_to_schedule_days", "demo_to_opportunity_days")
    return read(company(tmp_path_factory.mktemp("shown"), drawn), *metrics)


def test_demo_request_to_schedule_days_are_the_median_of_demos_booked_in_the_quarter(shown):
    found = reading(shown, "demo_request_to_schedule_days")
    # 2, 4 and 9 days. Not: never requested, booked before it was, no demo, our own, and the one moved to another day.
    assert (found["value"], found["n"]) == (4, 3)
    channels = slices(shown, "demo_request_to_schedule_days", "channel")
    assert channels == {"linkedin_ads": 5.5, "outbound": 4, "unknown": "undefined"}
    owners = slices(shown, "demo_request_to_schedule_days", "source_owner")
    assert owners == {"marketing": 5.5, "sales": 4, "unknown": "undefined"}
    months = {"2026-07": 3, "2026-08": 9, "2026-09": "undefined"}
    assert slices(shown, "demo_request_to_schedule_days", "month") == months
    assert slices(shown, "demo_request_to_schedule_days", "year") == {"2026": 3}  # with the 1 day of the second quarter


def test_demo_request_to_schedule_days_without_a_request_are_undefined_and_before_the_data_missing(shown):
    assert value(shown, "demo_request_to_schedule_days", quarter="2026Q2") == 1
    assert value(shown, "demo_request_to_schedule_days", quarter="2025Q3") == "undefined"
    assert value(shown, "demo_request_to_schedule_days", quarter="2025Q2") == "no_data"


def test_demo_to_opportunity_days_let_demos_wait_that_nothing_followed_yet(shown):
    found = reading(shown, "demo_to_opportunity_days")
    # On the day itself 1/7 of seven (One's first demo gives way to its second after 4 days, its third has waited 5), after 6
    # days of 6/7 one in four, after 10 of 9/14 one in three: 4/7 in all, of which 5/14 come by the sixth day.
    # Not: no show, our own, a year and a month ago. Four's had its opportunity before, Five's an expansion: 41 and 61 days so far.
    assert (found["value"], found["n"]) == (6, 7)
    assert slices(shown, "demo_to_opportunity_days", "naive") == {"mean of those that came": 5.333333333}
    assert slices(shown, "demo_to_opportunity_days", "channel") == {
        "linkedin_ads": 6,
        "outbound": 10,
        "unknown": "undefined",
    }
    owners = {"marketing": 6, "sales": 10, "unknown": "undefined"}
    assert slices(shown, "demo_to_opportunity_days", "source_owner") == owners
    assert value(shown, "demo_to_opportunity_days", quarter="2025Q4") == "undefined"
    assert value(shown, "demo_to_opportunity_days", quarter="2025Q3") == "no_data"


def test_demo_to_opportunity_days_by_the_month_are_those_of_the_opportunities_created_in_it(shown):
    # 6 since the later of two demos, 10, and 0 on the same day. Not: no show, after it, expansion, no date, a year and a day.
    months = {"2026-07": 6, "2026-08": 10, "2026-09": 0}
    assert slices(shown, "demo_to_opportunity_days", "month") == months
    assert slices(shown, "demo_to_opportunity_days", "quarter") == {"2026Q3": 6}


def test_without_stages_or_requests_the_journey_is_not_collected(tmp_path):
    meetings = "meeting_id | kind | booked_at | starts_at | outcome\nm1 | demo | 2026-07-01 | 2026-07-02 | held"
    table = read(company(tmp_path, {"accounts": ACCOUNTS, "account_lists": LISTED, "meetings": meetings}), "journey")
    assert set(table["missing_because"]) == {"not_collected"}
    lacking = {"account_stages", "meetings.requested_at", "opportunities"}
    assert all(any(name in text for text in table["caveats"]) for name in lacking)
