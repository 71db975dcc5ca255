"""A quarter on its 20th day: what is read of it, over which days, and what that is held against."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from tiny import company, read, reading, slices, value

from abm_lib.company import open_company
from abm_lib.edition import state
from abm_lib.metric import REGISTER

DAY_20 = """
    table    | source | extracted_at
    accounts | files  | 2026-07-20 06:00
    """
FOUR = {
    "accounts": """
        account_id | name
        a1         | One
        a2         | Two
        a3         | Three
        a4         | Four
        """,
    "account_lists": """
        account_id | is_target | tier | valid_from
        a1         | yes       | 1    | 2025-01-01
        a2         | yes       | 1    | 2025-01-01
        a3         | yes       | 2    | 2025-01-01
        a4         | yes       | 2    | 2025-01-01
        """,
    # Sixty days back from the end of 20 July is 22 May, ninety days back is 22 April.
    "page_views": """
        view_id | session_id | visitor_id | viewed_at        | page     | account_id | person_id
        v1      | s1         | x1         | 2026-07-10 10:00 | /pricing | a1         | p1
        v2      | s2         | x2         | 2026-05-22 00:00 | /pricing | a2         | p2
        v3      | s3         | x3         | 2026-05-21 23:59 | /pricing | a3         | p3
        v4      | s4         | x4         | 2026-04-21 23:59 | /pricing | a4         | p4
        v5      | s5         | x5         | 2026-06-25 10:00 | /        | a1         | p1
        """,
    "touches": """
        touch_id | account_id | person_id | touched_at       | kind | channel
        t1       | a1         | p1        | 2026-07-20 12:00 | form | email
        t2       | a2         | p2        | 2026-04-22 00:00 | form | email
        t3       | a3         | p3        | 2026-04-21 23:59 | form | email
        """,
    "opportunities": """
        opportunity_id | created_at | business_type | account_id
        d1             | 2026-06-01 | new           | a1
        """,
    "opportunity_changes": """
        opportunity_id | changed_at | stage     | amount | currency | close_on
        d1             | 2026-06-01 | qualified | 100    | EUR      | 2026-07-15
        d1             | 2026-07-15 | won       | 100    | EUR      | 2026-07-15
        """,
    "targets": """
        period | metric                   | value
        2026Q3 | website_sessions         | 10
        2026Q3 | target_accounts_visiting | 3
        2026Q2 | website_sessions         | 2
        """,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("running"), FOUR | {"loads": DAY_20}), by=["month"])


def test_the_last_sixty_days_end_with_the_last_day_known(table: pd.DataFrame) -> None:
    found = reading(table, "target_accounts_visiting")
    assert (found["period_start"], found["period_end"], found["value"]) == ("2026-05-22", "2026-07-21", 2)  # One, Two
    assert value(table, "target_account_visit_rate") == 0.5
    assert value(table, "target_accounts_visiting", quarter="2026Q2") == 3  # since 2 May: One, Two, Three


def test_the_ninety_days_of_engagement_end_with_the_last_day_known(table: pd.DataFrame) -> None:
    assert value(table, "engaged_target_accounts") == 2  # One and Two; Three acted on the 91st day
    assert value(table, "engaged_target_account_rate") == 0.5


def test_a_total_so_far_is_held_against_no_whole_quarter_and_not_against_its_target(table: pd.DataFrame) -> None:
    found = reading(table, "website_sessions")
    assert (found["value"], found["caveats"], found["status"]) == (1, "quarter to date", "small_n")
    assert (found["target"], found["previous"], found["year_ago"]) == (None, None, None)
    before = reading(table, "website_sessions", quarter="2026Q2")
    assert (before["value"], before["target"], before["caveats"]) == (4, 2, None or "")


def test_a_window_that_has_ended_is_held_against_what_it_always_is(table: pd.DataFrame) -> None:
    found = reading(table, "target_accounts_visiting")
    assert (found["target"], found["previous"], found["caveats"]) == (3, 3, "")


def test_months_that_have_not_begun_have_no_number(table: pd.DataFrame) -> None:
    months = slices(table, "website_sessions", "month")
    assert months == {"2026-07": 1, "2026-08": "not_applicable", "2026-09": "not_applicable"}
    july, august = (reading(table, "website_sessions", "month", month) for month in ("2026-07", "2026-08"))
    assert (july["caveats"], july["previous"]) == ("quarter to date", None)
    assert august["caveats"] == "has not begun"


def test_only_leading_metrics_have_numbers_while_the_quarter_runs(table: pd.DataFrame) -> None:
    now = table[table["quarter"] == "2026Q3"]
    told = {REGISTER[name].kind for name in now.loc[now["value"].notna(), "metric"]}
    assert told == {"leading"}
    assert value(table, "closed_won_revenue") == "not_applicable"  # though 100 was won on the 15th
    assert reading(table, "closed_won_revenue")["caveats"] == "the quarter is not over"
    assert value(table, "open_pipeline", quarter="2026Q2") == 100


def test_nothing_is_read_as_of_a_day_after_the_last_one_known(table: pd.DataFrame) -> None:
    assert reading(table, "website_sessions")["as_of"] == "2026-07-20"
    assert reading(table, "website_sessions", quarter="2026Q2")["as_of"] == "2026-07-11"  # ten days to settle


@pytest.mark.parametrize(
    ("extracted", "expected"),
    [("2026-09-29", "to_date"), ("2026-09-30", "provisional"), ("2026-10-11", "provisional"), ("2026-10-12", "final")],
)
def test_a_quarter_runs_until_its_last_day_is_known(tmp_path, extracted: str, expected: str) -> None:
    opened = open_company(company(tmp_path, FOUR | {"loads": DAY_20.replace("2026-07-20", extracted)}))
    assert opened.known_until == date.fromisoformat(extracted)
    assert state(opened, opened.calendar.quarter("2026Q3")) == expected
