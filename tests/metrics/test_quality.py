"""Quality: what the numbers rest on, worked out by hand on a few rows, and every reason for having none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tiny import company, deals, read, reading, slices, value

from abm_lib.metrics import quality

ACTS = {
    "accounts": """
        account_id | name | segment
        a1         | One  | large
        a2         | Two  | small
        """,
    "people": """
        person_id | account_id | created_at | channel      | is_internal
        p1        | a1         | 2026-07-02 | linkedin_ads |
        p2        |            | 2026-07-03 |              |
        p3        | a1         | 2026-07-03 |              | yes
        p4        | a1         | 2026-06-30 |              |
        """,
    "page_views": """
        view_id | session_id | visitor_id | viewed_at        | page | account_id | is_bot
        v1      | s1         | u1         | 2026-07-01 10:00 | /    | a1         |
        v2      | s2         | u2         | 2026-07-02 10:00 | /    |            | no
        v3      | s3         | u3         | 2026-09-30 10:00 | /    |            | yes
        v4      | s4         | u4         | 2026-10-01 10:00 | /    | a1         | yes
        """,
    "email_events": """
        event_id | email_id | person_id | occurred_at      | kind  | is_machine
        e1       | m1       | p1        | 2026-08-01 10:00 | open  | yes
        e2       | m1       | p1        | 2026-08-01 11:00 | click | no
        """,
}
DEALS = deals(
    """
    deal | qualified  | ended      | stage | amount | account_id | source    | channel      | loss_reason | term_months
    d1   | 2026-07-05 | 2026-08-05 | won   | 100    | a1         | LinkedIn  | linkedin_ads |             | 12
    d2   | 2026-07-06 | 2026-08-06 | won   |        | a2         |           |              |             |
    d3   | 2026-04-06 | 2026-08-07 | lost  | 0      | a2         | Cold Call | outbound     | price       | 12
    d4   | 2026-04-07 | 2026-08-08 | lost  | 50     | a1         | Cold Call | outbound     |             | 12
    d5   | 2026-07-07 |            |       | 70     | a1         | gossip    |              |             | 12
    """
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("quality"), ACTS | DEALS)
    return read(
        folder, "account_match_rate", "unknown_source_share", "amount_missing_share", "loss_reason_missing_share",
        "term_missing_share", "machine_activity_share", "source_age_days", "rows_set_aside_share",
    )  # fmt: skip


def parts(found: pd.DataFrame, metric: str, by: str = "", label: str = "") -> tuple[float, float]:
    one = reading(found, metric, by, label)
    return one["numerator"], one["denominator"]


def test_account_match_rate_is_rows_with_an_account_over_rows_that_should_have_one(made: pd.DataFrame) -> None:
    # Views v1 and v2 (a bot is no row), people p1 and p2, opportunities d1, d2, d5 (created in the quarter).
    assert parts(made, "account_match_rate", "table", "page_views") == (1, 2)
    assert parts(made, "account_match_rate", "table", "people") == (1, 2)  # p3 is one of our own
    assert set(slices(made, "account_match_rate", "table")) == {"page_views", "people", "opportunities"}


def test_account_match_rate_asks_no_account_of_our_own_meetings(tmp_path: Path) -> None:
    held = """
        meeting_id | kind    | account_id | booked_at        | starts_at        | outcome | is_internal
        m1         | meeting | a1         | 2026-07-01 10:00 | 2026-07-02 10:00 | held    |
        m2         | meeting |            | 2026-07-01 10:00 | 2026-07-02 10:00 | held    | no
        m3         | meeting |            | 2026-07-01 10:00 | 2026-07-02 10:00 | held    | yes
        """
    found = read(company(tmp_path, {"accounts": ACTS["accounts"], "meetings": held}), "account_match_rate")
    assert parts(found, "account_match_rate", "table", "meetings") == (1, 2)


def test_unknown_source_share_keeps_a_blank_and_a_value_in_no_list_unknown(made: pd.DataFrame) -> None:
    assert parts(made, "unknown_source_share") == (2, 3)  # d2 is blank, d5 says "gossip"
    assert parts(made, "unknown_source_share", "table", "people") == (1, 2)  # p2; p3 is one of our own, p4 came before


def test_amount_missing_share_counts_a_blank_and_a_zero(made: pd.DataFrame) -> None:
    assert parts(made, "amount_missing_share") == (2, 5)
    assert slices(made, "amount_missing_share", "state") == {
        "lost": 0.5,
        "open": 0,
        "won": 0.5,
    }


def test_loss_reason_missing_share_is_of_lost_deals_alone(made: pd.DataFrame) -> None:
    assert parts(made, "loss_reason_missing_share") == (1, 2)
    assert slices(made, "loss_reason_missing_share", "segment") == {"large": 1, "small": 0}


def test_term_missing_share_is_of_won_deals_alone(made: pd.DataFrame) -> None:
    assert parts(made, "term_missing_share") == (1, 2)


def test_machine_activity_share_is_flagged_events_over_all(made: pd.DataFrame) -> None:
    assert parts(made, "machine_activity_share") == (2, 5)
    assert parts(made, "machine_activity_share", "table", "page_views") == (1, 3)
    assert parts(made, "machine_activity_share", "table", "email_events") == (1, 2)


def test_source_age_days_runs_from_the_newest_row_to_the_day_the_quarter_is_told(made: pd.DataFrame) -> None:
    # Told as of 2026-10-11: mail is of 1 August, the newest view known of 1 October.
    assert value(made, "source_age_days", "table", "email_events") == 71
    assert value(made, "source_age_days", "table", "page_views") == 10
    assert value(made, "source_age_days") == 100  # people: p2, created on 3 July


def test_rows_set_aside_share_is_of_the_delivery_and_of_no_earlier_quarter(tmp_path: Path) -> None:
    drawn = ACTS | {"people": ACTS["people"] + "    p5        | a1         | someday    |              |\n"}
    found = read(company(tmp_path, drawn, "[thresholds]\nset_aside_share = 0.5"), "rows_set_aside_share")
    assert parts(found, "rows_set_aside_share", "table", "people") == (1, 5)
    assert parts(found, "rows_set_aside_share", "table", "accounts") == (0, 2)
    assert set(found["quarter"]) == {"2026Q3"}


def test_a_company_without_events_has_no_machine_activity_share(tmp_path: Path) -> None:
    found = read(
        company(tmp_path, {"accounts": ACTS["accounts"]} | DEALS), "machine_activity_share", "term_missing_share"
    )
    assert reading(found, "machine_activity_share")["missing_because"] == "not_collected"


PROMISED = """
    promise_id | made_in | due_in | metric                | slice_by | slice | bound | value | owner_role | confidence
    g1         | 2026Q2  | 2026Q3 | deals_won             |          |       | >=    | 2     | CRO        | 0.8
    g2         | 2026Q2  | 2026Q3 | deals_won             | segment  | large | >=    | 2     | CRO        | 0.5
    g3         | 2026Q2  | 2026Q3 | opportunities_created |          |       | <=    | 3     | CMO        | 0.9
    g4         | 2026Q2  | 2026Q3 | ad_clicks             |          |       | >=    | 9     | CMO        |
    g5         | 2026Q2  | 2026Q4 | deals_won             |          |       | >=    | 9     | CMO        |
    """


def test_promises_kept_share_holds_each_promise_against_its_reading(tmp_path: Path) -> None:
    by = ["owner_role", "promise"]
    found = read(company(tmp_path, ACTS | DEALS | {"promises": PROMISED}), "promises_kept_share", by=by)
    assert parts(found, "promises_kept_share") == (2, 3)  # g4 has no reading and g5 is not due
    assert slices(found, "promises_kept_share", "owner_role") == {"CMO": 1, "CRO": 0.5}
    assert value(found, "promises_kept_share", "promise", "g2") == 0
    unscored = reading(found, "promises_kept_share", "promise", "g4")
    assert unscored["missing_because"] == "not_collected" and "Ad clicks at least 9" in unscored["caveats"]
    assert reading(found, "promises_kept_share")["caveats"] == "1 of 4 could not be scored"


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (58.0, "count", "58"),
        (0.34, "share", "34.0%"),
        (-0.021, "points", "-2.1 points"),
        (5_329_000.0, "money", "EUR 5,329,000"),
        (4.87, "money", "EUR 4.87"),
        (2.9, "times", "2.9x"),
        (86.0, "days", "86 days"),
        (None, "count", ""),
    ],
)
def test_a_promised_number_is_said_in_its_unit(number: float | None, unit: str, text: str) -> None:
    assert quality._plain(number, unit, "EUR") == text


def test_promises_kept_share_without_promises_says_which_table_would_tell(tmp_path: Path) -> None:
    found = read(company(tmp_path, ACTS | DEALS), "promises_kept_share", by=[])
    assert "promises" in reading(found, "promises_kept_share")["caveats"]


def test_finance_tie_out_is_our_total_over_finance_s(tmp_path: Path) -> None:
    stated = """
        period | metric             | value | currency
        2026Q3 | closed_won_revenue | 125   | EUR
        2026Q3 | ad_spend           | 10    | EUR
        2026Q2 | closed_won_revenue | 1     | EUR
        """
    found = read(company(tmp_path, ACTS | DEALS | {"control_totals": stated}), "finance_tie_out")
    assert slices(found, "finance_tie_out", "metric") == {"closed_won_revenue": 0.8}
    assert value(found, "finance_tie_out", "metric", "closed_won_revenue", "2026Q2") == 0


LISTED = "account_id | is_target | tier | valid_from\n" + "\n".join(
    f"a{n} | yes | {tier} | 2026-01-01" for n, tier in enumerate("1111223", 1)
)
VISITED = "touch_id | touched_at | account_id | channel | kind\n" + "\n".join(
    f"t{n} | {on} | {account} | website | visit"
    for n, (account, on) in enumerate(
        {"a1": "2026-04-01", "a2": "2026-06-30", "a5": "2026-05-01", "a6": "2026-07-01"}.items()
    )
)
PROGRESSED = """
account_id | stage   | entered_at
a1         | cold    | 2026-01-01
a1         | engaged | 2026-08-01
a5         | engaged | 2026-09-30
a6         | engaged | 2026-07-10
a6         | mqa     | 2026-10-20
"""


@pytest.fixture(scope="module")
def leading(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    names = "account_id | name\n" + "\n".join(f"a{n} | {n}" for n in range(1, 8))
    drawn = {"accounts": names, "account_lists": LISTED, "touches": VISITED, "account_stages": PROGRESSED}
    return read(company(tmp_path_factory.mktemp("leading"), drawn), "leading_indicator_lift", quarter="2026Q4")


def test_leading_indicator_lift_compares_within_tiers_and_weights_them_by_size(leading: pd.DataFrame) -> None:
    # Tier 1: one of two visitors progressed, none of the two others. Tier 2: the visitor did, and the other one as well.
    # Tier 3 had no visitor and compares nothing. (4 x 1/2 + 2 x 0) / 6; all tiers in one it were 2/3 - 1/4.
    found = reading(leading, "leading_indicator_lift", "indicator", "target_account_visit_rate", "2026Q3")
    assert (round(found["value"], 9), found["n"]) == (0.333333333, 6)
    assert found["low"] <= found["value"] <= found["high"]


def test_leading_indicator_lift_pools_the_quarters_whose_forerunner_is_known(leading: pd.DataFrame) -> None:
    # In the fourth quarter only Six progressed, and it alone had visited: tier 2 is 2 of 2 against 1 of 2, tier 1 1 of 2 against 0 of 6.
    assert slices(leading, "leading_indicator_lift", "indicator") == {
        "target_account_visit_rate": 0.5
    }  # (8 + 4) x 1/2 / 12
    assert value(leading, "leading_indicator_lift", "indicator", "target_account_visit_rate", "2026Q2") == "undefined"
    assert value(leading, "leading_indicator_lift", "indicator", "target_account_visit_rate", "2025Q4") == "no_data"


def test_leading_indicator_lift_holds_an_account_engaged_by_one_act_of_nobody_in_particular_for_engaged(
    tmp_path: Path,
) -> None:
    filled = """
        touch_id | touched_at | account_id | channel | kind
        t1       | 2026-04-01 | a1         | website | visit
        t2       | 2026-05-01 | a1         | website | form
        t3       | 2026-05-01 | a5         | website | form
        """
    names = "account_id | name\n" + "\n".join(f"a{n} | {n}" for n in range(1, 8))
    drawn = {"accounts": names, "account_lists": LISTED, "touches": filled, "account_stages": PROGRESSED}
    found = read(company(tmp_path, drawn), "leading_indicator_lift")
    # Tier 1: One progressed, none of three others; tier 2: Five did, and Six without it as well. (4 x 1 + 2 x 0) / 6.
    assert value(found, "leading_indicator_lift", "indicator", "engaged_target_account_rate") == 0.666666667
    assert "multithreaded_account_rate" not in slices(found, "leading_indicator_lift", "indicator")


def test_readiness_counts_headline_numbers_that_rest_on_enough(tmp_path: Path) -> None:
    folder = company(tmp_path, ACTS | DEALS, "[min_n]\ncolour = 2")
    found = read(folder, "readiness")
    assert value(found, "readiness", "headline", "closed_won_revenue") == 1  # two deals
    assert value(found, "readiness", "headline", "pipeline_coverage") == 0  # no target
    assert value(found, "readiness", "headline", "net_revenue_retention") == 0  # nobody delivers subscriptions


def test_questions_answered_says_of_each_question_which_input_it_lacks(tmp_path: Path) -> None:
    found = read(company(tmp_path, ACTS | DEALS), "questions_answered")
    assert value(found, "questions_answered", "question", "Q29") == 1
    lacking = reading(found, "questions_answered", "question", "Q38")
    assert lacking["value"] == 0 and "ad_days" in lacking["caveats"]
    whole = reading(found, "questions_answered")
    assert whole["denominator"] == 47
    assert whole["numerator"] == sum(slices(found, "questions_answered", "question").values())
