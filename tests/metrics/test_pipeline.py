"""Pipeline: every metric worked out by hand on a few deals, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, deals, read, reading, slices, value

from abm_lib.attribution import MODELS

ACCOUNTS = {
    "accounts": """
        account_id | name  | segment    | region
        a1         | One   | enterprise | north
        a2         | Two   | mid        |
        a3         | Three | mid        |
        a4         | Four  | mid        |
        a5         | Five  | mid        |
        """,
    "account_lists": """
        account_id | is_target | tier | programme  | valid_from
        a1         | yes       | 1    | one_to_one | 2025-01-01
        a2         | yes       | 2    | one_to_few | 2025-01-01
        """,
    "campaigns": """
        campaign_id | name
        c1          | Launch
        """,
}

# What was created

CREATED = """
deal | account_id | business_type | qualified  | ended      | stage | amount | source    | source_detail | campaign_id
o1   | a1         | new           | 2026-07-01 |            |       | 100    | LinkedIn  | video         | c1
o2   | a1         | new           | 2026-08-01 |            |       | 200    | linkedin  | image         |
o3   | a2         | new           | 2026-09-30 |            |       | 600    | Cold Call |               |
o4   | a2         | new           | 2026-09-30 |            |       |        |           |               |
o5   | a3         | expansion     | 2026-07-05 |            |       | 1000   |           |               |
o6   | a3         | new           | 2026-10-01 |            |       | 5000   | LinkedIn  |               |
o7   | a3         | new           |            | 2026-09-01 | lost  | 5000   | LinkedIn  |               |
x1   | a3         | new           | 2025-11-01 |            |       |        | LinkedIn  |               |
"""
LATER = """
o1 | 2026-08-01 | proposal  | 900 | EUR | 2027-12-31
o2 | 2026-08-10 | lost      | 200 | EUR | 2026-08-10
o2 | 2026-08-20 | qualified | 250 | EUR | 2027-12-31
"""


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = ACCOUNTS | deals(CREATED)
    drawn["opportunity_changes"] += LATER
    metrics = ("opportunities_created", "pipeline_created", "marketing_sourced_opportunities", "marketing_sourced_pipeline",
               "marketing_sourced_pipeline_share", "average_deal_size")  # fmt: skip
    by = ("month", "source_owner", "channel", "tier", "business_type", "segment", "campaign", "source_detail", "target", "region",
          "statistic", "source_owner/statistic")  # fmt: skip
    return read(company(tmp_path_factory.mktemp("created"), drawn), *metrics, by=by)


def test_opportunities_created_are_new_business_at_its_first_qualified_stage(created):
    assert value(created, "opportunities_created") == 4  # the one lost and reopened once, the one lost unqualified not
    assert slices(created, "opportunities_created", "month") == {"2026-07": 1, "2026-08": 1, "2026-09": 2}
    assert slices(created, "opportunities_created", "source_owner") == {"marketing": 2, "sales": 1, "unknown": 1}
    assert slices(created, "opportunities_created", "business_type") == {"new": 4, "expansion": 1}
    assert slices(created, "opportunities_created", "target") == {"target": 4, "not on the list": 0}
    assert slices(created, "opportunities_created", "region") == {"north": 2, "unknown": 2}


def test_opportunities_created_in_a_quiet_quarter_are_0_and_before_the_data_missing(created):
    assert value(created, "opportunities_created", quarter="2026Q1") == 0
    assert value(created, "opportunities_created", quarter="2025Q3") == "no_data"


def test_pipeline_created_is_the_amount_on_the_day_of_qualification(created):
    assert value(created, "pipeline_created") == 900  # 100 + 200 + 600: later amounts are movements
    assert slices(created, "pipeline_created", "month") == {"2026-07": 100, "2026-08": 200, "2026-09": 600}
    assert slices(created, "pipeline_created", "tier") == {"1": 300, "2": 600, "not on the list": 0}
    assert slices(created, "pipeline_created", "business_type") == {"new": 900, "expansion": 1000}
    found = reading(created, "pipeline_created")
    said = "1 of 4 carry no amount or no exchange rate; the largest of 4 opportunities is 67% of it"
    assert (found["n"], found["caveats"]) == (2, said)  # two accounts with two opportunities each
    assert reading(created, "opportunities_created")["n"] == 2
    assert reading(created, "opportunities_created", "month", "2026-09")["n"] == 1


def test_pipeline_created_is_missing_where_nothing_carries_an_amount(created):
    assert value(created, "opportunities_created", quarter="2025Q4") == 1
    assert value(created, "pipeline_created", quarter="2025Q4") == "no_data"
    assert value(created, "pipeline_created", quarter="2026Q1") == 0
    assert value(created, "pipeline_created", quarter="2025Q3") == "no_data"


def test_marketing_sourced_opportunities_are_those_whose_source_marketing_owns(created):
    assert value(created, "marketing_sourced_opportunities") == 2
    assert slices(created, "marketing_sourced_opportunities", "source_detail") == {"video": 1, "image": 1, "unknown": 0}
    assert slices(created, "marketing_sourced_opportunities", "segment") == {"enterprise": 2, "mid": 0}
    assert value(created, "marketing_sourced_opportunities", quarter="2026Q1") == 0
    assert value(created, "marketing_sourced_opportunities", quarter="2025Q3") == "no_data"


def test_marketing_sourced_pipeline_is_their_amount(created):
    assert value(created, "marketing_sourced_pipeline") == 300
    assert slices(created, "marketing_sourced_pipeline", "channel") == {
        "linkedin_ads": 300,
        "outbound": 0,
        "unknown": 0,
    }
    assert slices(created, "marketing_sourced_pipeline", "campaign") == {"Launch": 100, "unknown": 200}
    assert value(created, "marketing_sourced_pipeline", quarter="2025Q4") == "no_data"
    assert value(created, "marketing_sourced_pipeline", quarter="2026Q1") == 0


def test_marketing_sourced_pipeline_share_splits_the_whole_by_owner_and_its_part_by_channel(created):
    assert value(created, "marketing_sourced_pipeline_share") == 0.333333333
    owners = slices(created, "marketing_sourced_pipeline_share", "source_owner")
    assert owners == {"marketing": 0.333333333, "sales": 0.666666667, "unknown": "no_data"}
    channels = slices(created, "marketing_sourced_pipeline_share", "channel")
    assert (channels["linkedin_ads"], channels["outbound"]) == (0.333333333, 0)
    campaigns = slices(created, "marketing_sourced_pipeline_share", "campaign")
    assert campaigns == {"Launch": 0.111111111, "unknown": 0.222222222}  # of all that was created
    segments = slices(created, "marketing_sourced_pipeline_share", "segment")
    assert segments == {"enterprise": 1, "mid": 0}  # of what was created in the segment
    assert value(created, "marketing_sourced_pipeline_share", quarter="2026Q1") == "undefined"


def test_average_deal_size_is_a_mean_with_the_median_beside_it(created):
    assert value(created, "average_deal_size") == 300  # 100, 200, 600; the one without an amount is left out
    assert value(created, "average_deal_size", "statistic", "median") == 200
    sizes = slices(created, "average_deal_size", "source_owner")
    assert (sizes["marketing"], sizes["sales"]) == (150, 600)
    assert value(created, "average_deal_size", "source_owner/statistic", "marketing/median") == 150
    assert sizes["unknown"] == "no_data"  # its one opportunity carries no amount
    assert value(created, "average_deal_size", quarter="2026Q1") == "undefined"


# What is open

OPEN = """
opportunity_id | changed_at | stage     | amount | currency | close_on
o1             | 2026-08-01 | qualified | 100    | EUR      | 2026-12-15
o2             | 2026-08-01 | proposal  | 200    | EUR      | 2027-02-01
o3             | 2026-08-01 | qualified | 300    | EUR      | 2026-09-15
o4             | 2026-08-01 | qualified | 400    | EUR      |
o5             | 2026-05-01 | discovery | 5000   | EUR      | 2026-12-15
o6             | 2026-08-01 | qualified | 1000   | EUR      | 2026-12-20
o6             | 2026-10-01 | won       | 1000   | EUR      | 2026-10-01
"""
OPENED = """
opportunity_id | account_id | business_type | last_activity_at
o1             | a1         | new           |
o2             | a2         | new           | 2026-09-01
o3             | a2         | new           |
o4             | a3         | new           | 2026-07-01
o5             | a3         | new           |
o6             | a1         | expansion     | 2026-09-20
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = ACCOUNTS | {"opportunities": OPENED, "opportunity_changes": OPEN}
    return read(company(tmp_path_factory.mktemp("open"), drawn), "open_pipeline", "stale_pipeline_share")


def test_open_pipeline_is_what_was_qualified_and_open_when_the_quarter_ended(opened):
    assert value(opened, "open_pipeline") == 2000  # the win of the first of October comes after it
    assert slices(opened, "open_pipeline", "stage") == {"qualified": 1800, "proposal": 200}
    assert slices(opened, "open_pipeline", "tier") == {"1": 1100, "2": 500, "not on the list": 400}
    assert slices(opened, "open_pipeline", "business_type") == {"new": 1000, "expansion": 1000}
    due = {"2026Q4": 1100, "2027Q1": 200, "overdue": 300, "no close date": 400}
    assert slices(opened, "open_pipeline", "close_quarter") == due


def test_open_pipeline_is_0_where_none_is_qualified_and_missing_before_the_data(opened):
    assert value(opened, "open_pipeline", quarter="2026Q2") == 0
    assert value(opened, "open_pipeline", quarter="2026Q1") == "no_data"


def test_stale_pipeline_share_counts_overdue_deals_and_those_without_activity_for_60_days(opened):
    assert value(opened, "stale_pipeline_share") == 0.35  # 300 overdue and 400 quiet, of 2,000
    assert slices(opened, "stale_pipeline_share", "stage") == {"qualified": 0.388888889, "proposal": 0}
    due = {"2026Q4": 0, "2027Q1": 0, "overdue": 1, "no close date": 1}
    assert slices(opened, "stale_pipeline_share", "close_quarter") == due
    assert value(opened, "stale_pipeline_share", quarter="2026Q2") == "undefined"


# At the exchange rates of the year before

RATES = """
currency | day        | rate
USD      | 2025-07-10 | 0.8
USD      | 2025-09-27 | 0.5
USD      | 2026-07-10 | 0.9
USD      | 2026-08-01 | 0.95
USD      | 2026-09-29 | 0.6
GBP      | 2026-09-30 | 1.2
"""
ABROAD = """
deal | business_type | qualified  | ended      | stage | amount | currency | source
o1   | new           | 2026-07-10 | 2026-08-10 | lost  | 100    | USD      | LinkedIn
o2   | new           | 2026-07-17 |            |       | 200    | USD      | Cold Call
o3   | new           | 2026-08-01 |            |       | 400    | USD      | LinkedIn
o4   | new           | 2026-08-01 |            |       | 1000   | EUR      | Cold Call
o5   | expansion     | 2026-07-10 |            |       | 600    | USD      |
o6   | expansion     | 2026-07-10 |            |       | 50     | GBP      |
x1   | new           | 2025-12-01 | 2025-12-02 | lost  | 10     | EUR      |
"""
BEFORE = ("exchange_rates", "of the year before")


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = deals(ABROAD) | {"fx": RATES}
    drawn["opportunity_changes"] += "\no2 | 2026-08-20 | proposal | 900 | USD | 2027-12-31"
    metrics = ("pipeline_created", "marketing_sourced_pipeline", "open_pipeline")
    return read(company(tmp_path_factory.mktemp("abroad"), drawn), *metrics, by=["exchange_rates"])


def test_pipeline_created_at_the_rates_of_the_year_before_has_the_amounts_of_qualification(abroad):
    now, before = reading(abroad, "pipeline_created"), reading(abroad, "pipeline_created", *BEFORE)
    assert now["value"] == 1650  # 90, 180, 380 and 1,000 EUR
    assert before["value"] == 1240  # 80, 160 and 1,000 EUR; of 1 August of 2025 there is no rate
    assert before["caveats"] == "1 of 4 carry no amount or no exchange rate"
    assert now["n"] == before["n"] == 0  # none names its account
    assert value(abroad, "pipeline_created", *BEFORE, quarter="2026Q1") == 0
    assert value(abroad, "pipeline_created", *BEFORE, quarter="2025Q3") == "no_data"


def test_marketing_sourced_pipeline_at_the_rates_of_the_year_before_is_of_the_same_opportunities(abroad):
    now, before = (reading(abroad, "marketing_sourced_pipeline", *of) for of in ((), BEFORE))
    assert (now["value"], now["n"]) == (470, 2)  # 90 and 380
    assert (before["value"], before["n"]) == (80, 2)
    assert before["caveats"] == "1 of 2 carry no amount or no exchange rate"


def test_open_pipeline_at_the_rates_of_the_year_before_is_that_of_the_quarter_s_last_day(abroad):
    now, before = reading(abroad, "open_pipeline"), reading(abroad, "open_pipeline", *BEFORE)
    assert now["value"] == 2200  # 1,900 USD at 0.6, 50 GBP at 1.2, 1,000 EUR
    assert before["value"] == 1950  # 1,900 USD at the 0.5 of three days before; of GBP there is no rate
    assert before["caveats"] == "1 of 5 carry no amount or no exchange rate"
    assert (now["n"], before["n"]) == (5, 5)
    assert value(abroad, "open_pipeline", *BEFORE, quarter="2026Q2") == 0


# Whether it is enough

DUE = """
opportunity_id | changed_at       | stage     | amount | currency | close_on
e1             | 2025-12-01       | qualified | 100    | EUR      | 2026-01-02
e1             | 2026-01-02       | won       | 100    | EUR      | 2026-01-02
o1             | 2026-07-05 23:59 | qualified | 1500   | EUR      | 2026-09-01
o2             | 2026-07-06       | qualified | 500    | EUR      | 2026-09-01
o3             | 2026-06-01       | qualified | 500    | EUR      | 2026-08-01
o4             | 2026-06-01       | qualified | 200    | EUR      | 2026-07-03
o4             | 2026-07-03       | won       | 200    | EUR      | 2026-07-03
o5             | 2026-06-01       | qualified | 9000   | EUR      | 2026-09-01
o6             | 2026-08-01       | qualified | 1000   | EUR      | 2026-10-01
o7             | 2026-08-01       | qualified | 1000   | EUR      | 2027-03-31
"""
DUE_BY = """
opportunity_id | account_id | business_type | created_at
e1             | a1         | new           | 2025-12-01
o1             | a1         | new           | 2026-06-01
o2             | a2         | new           | 2026-06-01
o3             | a2         | new           | 2026-06-01
o4             | a2         | new           | 2026-06-01
o5             | a1         | expansion     | 2026-06-01
o6             | a1         | new           | 2026-06-01
o7             | a2         | new           | 2026-06-01
"""
TARGETS = """
metric             | period | slice_by              | slice          | value
closed_won_revenue | 2026Q1 | business_type         | new            | 100
closed_won_revenue | 2026Q2 |                       |                | 9000
closed_won_revenue | 2026Q3 |                       |                | 9000
closed_won_revenue | 2026Q3 | business_type         | new            | 1000
closed_won_revenue | 2026Q3 | business_type/segment | new/enterprise | 500
closed_won_revenue | 2026Q4 | business_type         | new            | 2000
closed_won_revenue | 2027Q1 | business_type         | new            | 4000
"""


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = ACCOUNTS | {"opportunities": DUE_BY, "opportunity_changes": DUE, "targets": TARGETS}
    metrics = ("pipeline_coverage", "pipeline_coverage_remaining", "pipeline_coverage_next_quarter",
               "pipeline_coverage_in_two_quarters")  # fmt: skip
    return read(company(tmp_path_factory.mktemp("due"), drawn), *metrics)


def test_pipeline_coverage_is_new_business_due_in_the_quarter_after_day_five_over_its_target(due):
    found = reading(due, "pipeline_coverage")
    assert (found["value"], found["numerator"], found["denominator"]) == (2, 2000, 1000)  # 1,500 + 500
    assert value(due, "pipeline_coverage", "segment", "enterprise") == 3  # 1,500 over the segment's own 500
    assert value(due, "pipeline_coverage", "segment", "mid") == "undefined"


def test_pipeline_coverage_by_day_shows_the_track(due):
    track = slices(due, "pipeline_coverage", "as_of_day")
    assert (track["01"], track["05"], track["15"]) == (0.7, 2, 2.5)  # the deal won on the third leaves, others come


def test_pipeline_coverage_without_a_target_for_new_business_is_undefined(due):
    assert (
        value(due, "pipeline_coverage", quarter="2026Q2") == "undefined"
    )  # the target of all business is no such target
    assert "target for new business" in reading(due, "pipeline_coverage", quarter="2026Q2")["caveats"]
    assert value(due, "pipeline_coverage", quarter="2026Q1") == 0
    assert value(due, "pipeline_coverage", quarter="2025Q3") == "no_data"


def test_pipeline_coverage_remaining_takes_what_is_won_by_then_off_the_target(due):
    assert value(due, "pipeline_coverage_remaining") == 2.5  # 2,000 over 1,000 less 200
    segments = slices(due, "pipeline_coverage_remaining", "segment")
    assert (segments["enterprise"], segments["mid"]) == (3, "undefined")  # 1,500 over 500, of which nothing was won yet
    assert value(due, "pipeline_coverage_remaining", quarter="2026Q1") == "undefined"  # all 100 were won on the second
    assert value(due, "pipeline_coverage_remaining", quarter="2026Q2") == "undefined"


def test_pipeline_coverage_next_quarter_is_read_when_this_one_ends(due):
    assert value(due, "pipeline_coverage_next_quarter") == 0.5  # 1,000 due on the first of October, over 2,000
    assert value(due, "pipeline_coverage_next_quarter", quarter="2026Q1") == "undefined"


def test_pipeline_coverage_in_two_quarters_is_read_when_this_one_ends(due):
    assert value(due, "pipeline_coverage_in_two_quarters") == 0.25  # 1,000 over 4,000
    assert value(due, "pipeline_coverage_in_two_quarters", quarter="2025Q4") == "undefined"


# In each of four quarters 400 were due when it began, of which 100 were won, and 100 more were created and won inside it.
RECORD = """
deal | qualified  | ended      | stage | amount
a1   | 2025-01-15 | 2025-08-15 | won   | 100
a2   | 2025-01-15 | 2025-08-15 | lost  | 300
a3   | 2025-07-20 | 2025-08-15 | won   | 100
b1   | 2025-01-15 | 2025-11-15 | won   | 100
b2   | 2025-01-15 | 2025-11-15 | lost  | 300
b3   | 2025-10-20 | 2025-11-15 | won   | 100
c1   | 2025-01-15 | 2026-02-15 | won   | 100
c2   | 2025-01-15 | 2026-02-15 | lost  | 300
c3   | 2026-01-20 | 2026-02-15 | won   | 100
d1   | 2025-01-15 | 2026-05-15 | won   | 100
d2   | 2025-01-15 | 2026-05-15 | lost  | 300
d3   | 2026-04-20 | 2026-05-15 | won   | 100
e1   | 2026-02-15 | 2026-08-15 | won   | 200
e2   | 2026-02-15 | 2026-08-15 | lost  | 600
f1   | 2026-02-15 | 2026-11-15 | won   | 1200
"""
GOALS = """
metric             | period | slice_by      | slice | value
closed_won_revenue | 2026Q3 | business_type | new   | 300
closed_won_revenue | 2026Q4 | business_type | new   | 1000
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = deals(RECORD) | {"targets": GOALS}
    metrics = ("quarter_start_conversion", "required_pipeline_coverage", "pipeline_gap")
    return read(company(tmp_path_factory.mktemp("record"), drawn), *metrics, by=["horizon", "segment", "method"])


def test_quarter_start_conversion_is_all_that_was_won_over_what_was_due(record):
    found = reading(record, "quarter_start_conversion")
    assert (found["numerator"], found["denominator"]) == (800, 1600)
    assert found["n"] == 5  # the second quarter of 2025 could be read as well, and had nothing due
    assert slices(record, "quarter_start_conversion", "horizon") == {"current": 0.5, "next": 0.5, "in_two": 0.5}
    assert slices(record, "quarter_start_conversion", "segment") == {"unknown": 0.5}
    assert value(record, "quarter_start_conversion", quarter="2025Q3") == "undefined"


def test_required_pipeline_coverage_is_one_over_the_own_record_of_four_quarters(record):
    assert value(record, "required_pipeline_coverage") == 2
    # Of the amounts won or lost in the third quarter, 200 of 800 were won.
    methods = {"quarter_start_conversion": 2, "win_rate": 4}
    assert slices(record, "required_pipeline_coverage", "method") == methods
    assert slices(record, "required_pipeline_coverage", "horizon") == {"current": 2, "next": 2, "in_two": 2}
    assert slices(record, "required_pipeline_coverage", "segment") == {"unknown": 2}


def test_required_pipeline_coverage_falls_back_on_the_win_rate_while_the_record_is_short(record):
    # Three quarters of history only; of 500 won or lost in the quarter 200 were won.
    assert value(record, "required_pipeline_coverage", quarter="2026Q1") == 2.5
    assert value(record, "required_pipeline_coverage", "method", "quarter_start_conversion", quarter="2026Q1") == 2
    assert value(record, "required_pipeline_coverage", quarter="2025Q2") == "undefined"


def test_a_segment_without_a_record_falls_back_on_its_own_win_rate_and_not_on_that_of_all(tmp_path):
    small = """
deal | account_id | qualified  | ended      | stage | amount
a1   | a1         | 2026-07-02 | 2026-08-15 | won   | 100
a2   | a1         | 2026-07-02 | 2026-08-15 | lost  | 300
b1   | a2         | 2026-07-02 | 2026-08-15 | won   | 100
b2   | a2         | 2026-07-02 | 2026-08-15 | lost  | 100
c1   | a3         | 2026-01-02 | 2026-12-15 | won   | 100
"""
    accounts = "account_id | name | segment\na1 | One | large\na2 | Two | small\na3 | Three | none closed"
    drawn = {"accounts": accounts} | deals(small)
    metrics = ("quarter_start_conversion", "required_pipeline_coverage", "win_rate_closed_value")
    table = read(company(tmp_path, drawn), *metrics, by=["segment"])
    assert value(table, "required_pipeline_coverage") == 3  # of 600 won or lost 200 were won
    own = slices(table, "required_pipeline_coverage", "segment")
    assert (own.get("large"), own.get("small"), own.get("none closed")) == (4, 2, "no_data")


def test_pipeline_gap_is_what_the_required_coverage_of_the_next_target_still_lacks(record):
    assert value(record, "pipeline_gap") == 800  # 2 x 1,000 less the 1,200 due
    gaps = {"current": 0, "next": 800, "in_two": "undefined"}  # 2 x 300 less 800 is no gap; no target in two quarters
    assert slices(record, "pipeline_gap", "horizon") == gaps
    assert value(record, "pipeline_gap", quarter="2025Q4") == "undefined"


# How it moved

MOVED = """
opportunity_id | changed_at | stage     | amount | currency | close_on
o1             | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01
o1             | 2026-08-01 | qualified | 150    | EUR      | 2026-09-01
o1             | 2026-09-01 | won       | 140    | EUR      | 2026-09-01
o2             | 2026-06-01 | qualified | 200    | EUR      | 2026-09-01
o2             | 2026-08-01 | qualified | 200    | EUR      | 2026-12-01
o3             | 2026-07-01 | qualified | 300    | EUR      | 2026-12-01
"""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    given = """
        opportunity_id | account_id | business_type
        o1             | a1         | new
        o2             | a2         | new
        o3             | a3         | expansion
        """
    drawn = ACCOUNTS | {"opportunities": given, "opportunity_changes": MOVED}
    return read(company(tmp_path_factory.mktemp("moved"), drawn), "pipeline_movement")


def test_pipeline_movement_leads_from_opening_to_closing(moved):
    steps = slices(moved, "pipeline_movement", "movement")
    expected = {
        "opening": 300,
        "created": 300,
        "amount_up": 50,
        "amount_down": -10,
        "won": -140,
        "closing": 500,
        "residual": 0,
    }
    assert {name: steps[name] for name in expected} == expected
    assert not any(amount for name, amount in steps.items() if name not in expected)


def test_pipeline_movement_of_what_is_due_in_the_quarter_knows_pushed_out(moved):
    steps = slices(moved, "pipeline_movement", "bridge/movement")
    expected = {"opening": 300, "amount_up": 50, "amount_down": -10, "won": -140, "pushed_out": -200, "residual": 0}
    assert {name: steps[f"due_in_quarter/{name}"] for name in expected} == expected
    assert steps.get("due_in_quarter/closing", 0) == 0 and steps["all_open/closing"] == 500


def test_pipeline_movement_closes_within_each_tier_and_business_type(moved):
    tiers = slices(moved, "pipeline_movement", "movement/tier")
    assert (tiers["opening/1"], tiers["won/1"], tiers["closing/2"], tiers["residual/2"]) == (100, -140, 200, 0)
    types = slices(moved, "pipeline_movement", "movement/business_type")
    assert (types["opening/new"], types["created/expansion"], types["closing/expansion"]) == (300, 300, 300)


def test_pipeline_movement_has_no_value_before_the_data(moved):
    assert set(slices(moved, "pipeline_movement", "movement", "2026Q1").values()) == {"no_data"}


# What was done towards it

JUDGED = """
deal | account_id | qualified  | ended | stage | amount
o1   | a1         | 2026-08-01 |       |       | 100
o2   | a2         | 2026-08-01 |       |       | 200
o3   | a3         | 2026-08-01 |       |       | 300
o4   | a4         | 2026-08-01 |       |       | 400
o5   | a5         | 2026-08-01 |       |       | 1000
"""
TOUCHES = """
touch_id | touched_at | account_id | person_id | channel      | kind        | is_response
t01      | 2025-06-01 | a1         | p1        | webinar      | webinar     | yes
t02      | 2026-07-02 | a1         | p1        | linkedin_ads | form        | yes
t03      | 2026-07-10 | a1         | p2        | webinar      | webinar     | yes
t04      | 2026-07-20 | a1         | p1        | linkedin_ads | form        | yes
t05      | 2026-07-22 | a2         | p3        | webinar      | webinar     | yes
t06      | 2026-07-23 | a2         | p3        | webinar      | webinar     | yes
t07      | 2026-07-24 | a2         | p3        | webinar      | webinar     | yes
t13      | 2026-07-25 | a2         | p8        | webinar      | visit       | no
t08      | 2026-07-01 | a3         | p4        | linkedin_ads | impression  | no
t09      | 2026-08-02 | a4         | p5        | webinar      | webinar     | yes
t10      | 2026-01-13 | a5         | p6        | webinar      | webinar     | yes
t11      | 2026-07-01 | a5         | p6        | webinar      | webinar     | yes
t12      | 2026-07-01 | a5         | p7        | webinar      | webinar     | yes
"""
REACHED = """
account_id | stage | entered_at
a1         | mqa   | 2026-07-12
a4         | mqa   | 2026-09-01
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = ACCOUNTS | deals(JUDGED) | {"touches": TOUCHES, "account_stages": REACHED}
    drawn["opportunity_changes"] += "\no1 | 2026-05-01 | discovery | 100 | EUR | 2027-12-31"
    metrics = (
        "influenced_pipeline",
        "influenced_pipeline_share",
        "influenced_target_accounts",
        "pipeline_generation_days",
    )
    return read(company(tmp_path_factory.mktemp("judged"), drawn), *metrics)


def test_influenced_pipeline_asks_for_three_answers_of_two_people_before_qualification(judged):
    assert (
        value(judged, "influenced_pipeline") == 100
    )  # Two: one of its people never answered. Three: only saw. Four: after. Five: one too early
    rules = {"any_touch": 1300, "one_response": 1300, "default": 100, "strict": 0}
    assert slices(judged, "influenced_pipeline", "rule") == rules
    assert slices(judged, "influenced_pipeline", "channel") == {"linkedin_ads": 100, "webinar": 100}  # do not add up
    assert value(judged, "influenced_pipeline", quarter="2026Q2") == 0
    assert value(judged, "influenced_pipeline", quarter="2026Q1") == "no_data"


def test_influenced_pipeline_share_is_of_all_that_was_created(judged):
    assert value(judged, "influenced_pipeline_share") == 0.05
    rules = {"any_touch": 0.65, "one_response": 0.65, "default": 0.05, "strict": 0}
    assert slices(judged, "influenced_pipeline_share", "rule") == rules
    channels = {"linkedin_ads": 0.05, "webinar": 0.05}  # 100 of 2,000 each: the same opportunity
    assert slices(judged, "influenced_pipeline_share", "channel") == channels
    assert value(judged, "influenced_pipeline_share", quarter="2026Q2") == "undefined"


def test_influenced_target_accounts_are_those_on_the_list(judged):
    assert value(judged, "influenced_target_accounts") == 1
    rules = {"any_touch": 2, "one_response": 2, "default": 1, "strict": 0}  # Five is not on it
    assert slices(judged, "influenced_target_accounts", "rule") == rules
    assert slices(judged, "influenced_target_accounts", "tier") == {"1": 1, "2": 0, "not on the list": 0}
    assert value(judged, "influenced_target_accounts", quarter="2026Q1") == "no_data"


def test_pipeline_generation_days_run_from_the_first_touch_after_a_year_of_silence(judged):
    found = reading(judged, "pipeline_generation_days")
    # 30, 10 and 200 days. The touch of 2025 began a wait of its own, which the next beginning cut short after 396 days.
    # Four was touched after it had qualified, of Three an impression alone is known.
    assert (found["value"], found["n"]) == (30, 4)
    assert slices(judged, "pipeline_generation_days", "from") == {"first touch": 30, "mqa": 20}
    assert slices(judged, "pipeline_generation_days", "naive") == {"mean of those that came": 80}
    assert slices(judged, "pipeline_generation_days", "channel") == {"linkedin_ads": 30, "webinar": 10}
    assert value(judged, "pipeline_generation_days", quarter="2026Q2") == "undefined"
    assert value(judged, "pipeline_generation_days", quarter="2026Q1") == "no_data"


STILL_WAITING = """
touch_id | touched_at | account_id | person_id | channel | kind    | is_response
t1       | 2026-07-02 | a1         | p1        | webinar | webinar | yes
t2       | 2026-07-10 | a1         | p1        | webinar | webinar | yes
t3       | 2026-07-22 | a2         | p2        | webinar | webinar | yes
t4       | 2026-01-13 | a3         | p3        | webinar | webinar | yes
t5       | 2026-07-22 | a4         | p4        | webinar | webinar | yes
t6       | 2026-06-22 | a5         | p5        | webinar | webinar | yes
"""


def test_pipeline_generation_days_count_accounts_that_still_wait(tmp_path):
    kept = [line for line in JUDGED.strip().splitlines() if line.split()[0] in ("deal", "o1", "o2", "o3")]
    again = ["o6 | a2 | 2026-09-20 | | | 500", "o7 | a1 | 2026-07-05 | | | 1 | renewal"]
    lines = [kept[0] + " | business_type", *(f"{line} | new" for line in kept[1:]), again[0] + " | new", again[1]]
    table = read(
        company(tmp_path, ACCOUNTS | deals("\n".join(lines)) | {"touches": STILL_WAITING}), "pipeline_generation_days"
    )
    found = reading(table, "pipeline_generation_days")
    # After 10 days 1/5 of five, after 30 of 4/5 one in four: 1/5 more. Four has waited 70 days and Five 100: at 200 days the
    # third of three is alone, so that what is left, 3/5, comes with it. Half of all that will come is one half.
    assert (found["value"], found["n"]) == (200, 5)
    assert slices(table, "pipeline_generation_days", "naive") == {"mean of those that came": 80}


def test_the_rules_of_influence_ask_for_more_and_more(tmp_path):
    touches = ["touch_id | touched_at | account_id | person_id | channel | kind | is_response"]
    answers = {"a1": (), "a2": ("",), "a3": ("p1", "p1", "p2"), "a4": ("p3", "p4", "p5", "p3", "p4")}
    touches += [
        f"{a}-{n} | 2026-07-20 | {a} | {p} | webinar | webinar | yes" for a in answers for n, p in enumerate(answers[a])
    ]
    touches += ["seen | 2026-07-20 | a1 | p6 | website | visit | no"]
    # Five answered as often as Four, but to two of our own people.
    touches += [f"a5-{n} | 2026-07-20 | a5 | {p} | webinar | webinar | yes" for n, p in enumerate(("u1", "u2") * 3)]
    people = "person_id | is_internal\nu1 | yes\nu2 | yes\n" + "\n".join(f"p{n} | no" for n in range(1, 7))
    amounts = "deal | account_id | qualified | ended | stage | amount\n" + "\n".join(
        f"o{n} | a{n} | 2026-08-01 | | | {amount}" for n, amount in enumerate((1, 10, 100, 1000, 10000), 1)
    )
    drawn = ACCOUNTS | deals(amounts) | {"touches": "\n".join(touches), "people": people}
    table = read(company(tmp_path, drawn), "influenced_pipeline", by=["rule"])
    rules = {"any_touch": 1111, "one_response": 1110, "default": 1100, "strict": 1000}
    assert slices(table, "influenced_pipeline", "rule") == rules


# Who gets the credit: the worked account of attribution has nine touches; it was qualified on its day 31.

CREDITED = """
deal | account_id | business_type | qualified  | ended | stage | amount
o1   | a1         | new           | 2026-07-16 |       |       | 1000
o2   | a2         | new           | 2026-08-01 |       |       | 100
o3   | a3         | new           | 2026-08-01 |       |       | 300
o4   | a4         | new           | 2026-08-01 |       |       | 50
o5   | a4         | new           | 2026-08-01 |       |       |
o6   | a4         | expansion     | 2026-08-01 |       |       | 9000
o7   | a4         | expansion     | 2025-11-01 |       |       | 9000
"""
JOURNEYS = """
touch_id | touched_at       | account_id | person_id | channel      | kind       | campaign_id
t1       | 2026-06-15       | a1         | kate      | paid_search  | ad_click   | c1
t2       | 2026-06-20       | a1         | austin    | linkedin_ads | social     |
t3       | 2026-06-25       | a1         | hillary   | organic      | visit      |
t4       | 2026-07-05       | a1         | austin    | webinar      | webinar    |
t5       | 2026-07-15       | a1         | hillary   | email        | email_click |
t6       | 2026-07-25       | a1         | elizabeth | event        | event      |
t11      | 2026-07-31 12:00 | a2         |           | webinar      | webinar    |
t10      | 2026-07-31 12:00 | a2         |           | email        | email_click |
t12      | 2026-08-01 00:00 | a2         |           | website      | visit      |
t13      | 2026-08-01 00:01 | a2         |           | event        | event      |
t20      | 2025-07-31       | a3         |           | email        | email_click |
t21      | 2026-07-01       | a3         |           | linkedin_ads | impression |
t22      | 2026-07-01       | a3         | u1        | outbound     | call       |
t30      | 2026-07-01       | a4         |           | email        | email_click |
t31      | 2026-07-20       | a4         |           | direct       | visit      |
"""


@pytest.fixture(scope="module")
def credited(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    people = "person_id | is_internal\nu1 | yes\n" + "\n".join(
        f"{p} |" for p in ("kate", "austin", "hillary", "elizabeth")
    )
    drawn = ACCOUNTS | deals(CREDITED) | {"touches": JOURNEYS, "people": people}
    return read(
        company(tmp_path_factory.mktemp("credited"), drawn),
        *CREDIT,
        "pipeline_created",
        "opportunities_created",
        by=ATTRIBUTED,
    )


ATTRIBUTED = ["model/channel", "model/campaign", "models", "channel"]
CREDIT = ("attributed_pipeline", "attributed_opportunities", "attribution_model_distance")


def _of(
    table: pd.DataFrame, model: str, by: str = "model/channel", metric: str = "attributed_pipeline"
) -> dict[str, object]:
    every = slices(table, metric, by)
    return {name.removeprefix(f"{model}/"): amount for name, amount in every.items() if name.startswith(f"{model}/")}


def test_attributed_pipeline_of_the_first_and_the_last_touch_goes_to_one_channel(credited):
    # Two: equal instants by touch id; the instant of qualification is in time. Three: an impression, our own, and a year and a day.
    assert _of(credited, "first") == {"paid_search": 1000, "email": 150, "(none)": 300}
    assert _of(credited, "last") == {"email": 1000, "website": 100, "direct": 50, "(none)": 300}
    # Four: the direct visit is passed over for the mail before it.
    assert _of(credited, "last_non_direct") == {"email": 1050, "website": 100, "(none)": 300}


def test_attributed_pipeline_of_the_linear_model_loses_no_cent(credited):
    # Two's three thirds of 100: the cents run over its channels from a to z.
    shared = {"paid_search": 200, "linkedin_ads": 200, "organic": 200, "webinar": 233.33, "email": 258.33, "website": 33.34,
              "direct": 25, "(none)": 300}  # fmt: skip
    assert _of(credited, "linear") == shared


def test_attributed_pipeline_of_positions_has_the_weights_that_it_prints(credited):
    one = {"paid_search": 400, "linkedin_ads": 66.66, "organic": 66.67, "webinar": 66.67, "email": 400}
    found = _of(credited, "u_first_last")
    # Two: 40 to the mail, 40 to the visit, 20 to the webinar between them. Four: half and half, for nothing is in between.
    assert [found[c] for c in ("paid_search", "linkedin_ads", "organic")] == [400, 66.66, 66.67]
    assert found["webinar"] == round(one["webinar"] + 20, 2) and found["direct"] == 25 and found["website"] == 40
    # Nobody is known before the touches: lead creation has no touch, and its share goes to those that have one.
    assert _of(credited, "u_first_lead") == _of(credited, "first")


def test_attributed_pipeline_of_shapley_gives_each_channel_of_a_journey_the_same(credited):
    found = _of(credited, "shapley")
    assert (found["paid_search"], found["direct"]) == (200, 25)


def test_attributed_pipeline_of_markov_follows_what_the_removal_of_a_channel_does(credited):
    # Four journeys, all of which convert, and no account came to nothing: a removal effect is the share that visits the channel,
    # so for One paid search, LinkedIn, organic 1/4 each, webinar 2/4, mail 4/4 of 9/4.
    found = _of(credited, "markov")
    assert found["paid_search"] == pytest.approx(found["linkedin_ads"], abs=0.011)
    assert found["paid_search"] < found["webinar"] < found["email"]


def test_attributed_pipeline_of_each_model_adds_up_to_pipeline_created(credited):
    assert value(credited, "pipeline_created") == 1450
    for model in MODELS:
        for by in ("model/channel", "model/campaign"):
            assert round(sum(_of(credited, model, by).values()), 2) == 1450
        assert sum(_of(credited, model, metric="attributed_opportunities").values()) == pytest.approx(5, abs=1e-8)
    assert value(credited, "opportunities_created") == 5


def test_attributed_opportunities_are_parts_of_opportunities(credited):
    # One has five touches, Two three, and both of Four two each.
    found = _of(credited, "linear", metric="attributed_opportunities")
    assert found["email"] == pytest.approx(1 / 5 + 1 / 3 + 1, abs=1e-9) and found["(none)"] == 1


def test_attributed_pipeline_by_campaign_names_those_without_one(credited):
    assert _of(credited, "first", "model/campaign") == {"Launch": 1000, "no campaign": 150, "(none)": 300}
    assert value(credited, "attributed_pipeline", "model/campaign", "linear/Launch") == 200


def test_attribution_model_distance_is_the_share_of_pairs_that_stand_the_other_way_round(credited):
    # First ranks paid search, then mail, and ties the other five at nothing; last non-direct mail, then the website, and ties the
    # others. Of 21 pairs paid search against mail is turned, against the website too, and mail against the website agrees;
    # half of a pair for each of the four with paid search and the four with the website that one side alone ties.
    found = reading(credited, "attribution_model_distance", "models", "first and last_non_direct")
    assert (found["numerator"], found["denominator"]) == (2 + (4 + 4) / 2, 21)
    whole = reading(credited, "attribution_model_distance")
    assert round(whole["value"], 9) == max(slices(credited, "attribution_model_distance", "models").values())
    assert whole["n"] == 14
    assert 0 < value(credited, "attribution_model_distance", "channel", "paid_search") < 1


def test_rules_of_attribution_can_be_set(tmp_path):
    second = "t2       | 2026-06-20       | a1         | austin    | linkedin_ads | social     |"
    assert second in JOURNEYS
    again = "t2       | 2026-06-15 06:00 | a1         | austin    | paid_search | ad_click     | c1"
    journeys = JOURNEYS.replace(second, again)
    rules = """
        [attribution]
        one_per_campaign_and_day = true
        look_back_days = 30
        excluded_kinds = ["visit"]
        ties = "channel"
    """
    drawn = ACCOUNTS | deals(CREDITED) | {"touches": journeys}
    table = read(company(tmp_path, drawn, rules), "attributed_pipeline", by=["model/channel"])
    # One: the search at the edge of 31 days is too old. Two: mail before webinar at one instant, and no visit. Three: the impression
    # is 31 days old as well. Four: the mail too, and the direct visit does not count.
    assert _of(table, "first") == {"webinar": 1000, "email": 100, "(none)": 350}


def test_half_life_maturity_and_order_of_the_chain_can_be_set(tmp_path):
    # A fifth account has been touched and has no opportunity: by the quarter's end for 107 days.
    touches = JOURNEYS + "t50 | 2026-06-15 | a5 | | webinar | webinar |\n"
    drawn = ACCOUNTS | deals(CREDITED) | {"touches": touches}

    def given(name: str, rules: str = "") -> pd.DataFrame:
        folder = company(tmp_path / name, drawn, f"[attribution]\n{rules}\n")
        return read(folder, "attributed_pipeline", by=["model/channel"])

    plain = given("plain")
    # One's third touch of five is twenty days before the last: a millionth of its weight, not most of it.
    quick = _of(given("quick", "half_life_days = 1"), "time_decay")
    assert quick["organic"] == pytest.approx(1000 / 2**20, abs=0.011)
    assert _of(plain, "time_decay")["organic"] > 150
    young, grown = _of(plain, "markov"), _of(given("grown", "maturity_days = 107"), "markov")
    assert young != grown and sum(grown.values()) == pytest.approx(sum(young.values()))
    assert _of(given("longer", "maturity_days = 108"), "markov") == young
    assert _of(given("pairs", "markov_order = 2"), "markov") != young


def test_attributed_pipeline_counts_an_opportunity_without_an_amount_and_does_not_price_it(credited):
    found = reading(credited, "attributed_pipeline", "model/channel", "last_non_direct/email")
    assert found["n"] == 3 and "1 of 3 carry no amount" in found["caveats"]


def test_attributed_pipeline_stands_for_the_quarter_reported_since_models_times_channels_are_many(credited):
    assert set(credited[credited["metric"] == "attributed_pipeline"]["quarter"]) == {"2026Q3"}


def test_without_touches_influence_and_attribution_are_not_collected(tmp_path):
    metrics = ("influenced_pipeline", "pipeline_generation_days", "attributed_pipeline")
    table = read(company(tmp_path, ACCOUNTS | deals(JUDGED)), *metrics, by=[])
    assert value(table, "influenced_pipeline") == "not_collected"
    assert value(table, "pipeline_generation_days") == "not_collected"
    assert value(table, "attributed_pipeline") == "not_collected"


def test_without_account_stages_the_days_from_the_first_touch_stand_alone(tmp_path):
    drawn = ACCOUNTS | deals(JUDGED) | {"touches": TOUCHES}
    table = read(company(tmp_path, drawn), "pipeline_generation_days", by=["from"])
    assert value(table, "pipeline_generation_days") == 30


def test_without_a_source_nothing_is_sourced_and_nothing_is_claimed(tmp_path):
    metrics = ("marketing_sourced_opportunities", "marketing_sourced_pipeline", "marketing_sourced_pipeline_share")
    table = read(company(tmp_path, deals(JUDGED)), *metrics)
    assert set(table["metric"]) == set(metrics)
    assert set(table["missing_because"]) == {"not_collected"}


def test_without_opportunity_changes_no_pipeline_metric_is_collected(tmp_path):
    table = read(company(tmp_path, ACCOUNTS, 'switched_off = ["open_pipeline"]'), "pipeline")
    assert value(table, "open_pipeline") == "switched_off"
    worked = ("required_pipeline_coverage", "pipeline_gap")  # say what the metrics they read from say
    first = table[(table["slice_by"] == "") & ~table["metric"].isin(["open_pipeline", *worked])]
    assert set(first["missing_because"]) == {"not_collected"}
    assert table["value"].isna().all()


def test_the_four_quarters_before_a_lift_are_whole_in_a_leap_year_as_well(tmp_path):
    accounts = "account_id | name | segment | industry\n" + "\n".join(
        f"o{n:02} | {n} | large | steel" for n in range(41)
    )
    listed = "account_id | valid_from | is_target | tier\no00 | 2023-01-01 | yes | 1"
    lines = "d1 | o00 | 2024-01-01 | | | 1\nd2 | o01 | 2025-12-01 | | | 1\nd3 | o02 | 2023-12-31 | | | 1"
    begun = "deal | account_id | qualified | ended | stage | amount\n" + lines
    drawn = {"accounts": accounts, "account_lists": listed} | deals(begun)
    table = read(company(tmp_path, drawn), "target_account_lift", by=["period"], quarter="2025Q4")
    before = reading(table, "target_account_lift", "period", "before")  # 2024: 366 days
    assert (before["value"], before["numerator"]) == (1, 1)


def test_target_account_lift_weighs_the_others_by_the_cells_of_the_target_accounts(tmp_path):
    # Six targets: four large, two small. Forty others: ten large, of which five, and thirty small, of which three have an opportunity.
    names = {f"t{n}": "large" if n < 4 else "small" for n in range(6)}
    names |= {f"o{n:02}": "large" if n < 10 else "small" for n in range(40)}
    accounts = "account_id | name | segment | industry\n" + "\n".join(
        f"{n} | {n} | {s} | steel" for n, s in names.items()
    )
    listed = "account_id | valid_from | is_target | tier\n" + "\n".join(
        f"t{n} | 2025-01-01 | yes | 1" for n in range(6)
    )
    had = ["t0", "t1", "t2", "t4", *(f"o{n:02}" for n in (0, 1, 2, 3, 4, 10, 11, 12))]
    lines = [f"d{n} | {n} | 2026-07-0{1 + i % 9} | | | 1" for i, n in enumerate(had)]
    begun = "\n".join(["deal | account_id | qualified | ended | stage | amount", *lines])
    drawn = {"accounts": accounts, "account_lists": listed} | deals(begun)
    found = reading(read(company(tmp_path, drawn), "target_account_lift", by=["period"]), "target_account_lift")
    # 4 of 6, less 5/10 for four sixths and 3/30 for two: 0.3667.
    assert round(found["value"], 9) == 0.3
    assert found["low"] < 0.3 < found["high"] and (found["numerator"], found["denominator"]) == (4, 6)
    won = "\n".join(
        [begun, "w0 | t5 | 2025-05-02 | 2025-06-01 | won | 1"]
    )  # t5 bought before the four quarters: no prospect
    bought = read(company(tmp_path / "bought", drawn | deals(won)), "target_account_lift", by=[])
    assert reading(bought, "target_account_lift")["denominator"] == 5
    fewer = drawn | {"accounts": "\n".join(accounts.splitlines()[:30])}
    assert (
        value(read(company(tmp_path / "fewer", fewer), "target_account_lift", by=[]), "target_account_lift")
        == "undefined"
    )


def test_influenced_pipeline_by_touches_falls_as_more_responses_are_asked_for(tmp_path):
    judged = """
        deal | account_id | qualified  | ended | stage | amount
        o1   | a1         | 2026-07-16 |       |       | 900
        o2   | a2         | 2026-07-16 |       |       | 100
        """
    touches = """
        touch_id | touched_at | account_id | channel | kind        | is_response
        t1       | 2026-07-01 | a1         | email   | email_click | yes
        t2       | 2026-07-02 | a1         | email   | email_click | yes
        t3       | 2026-07-03 | a1         | email   | email_click | yes
        t4       | 2026-07-03 | a2         | email   | email_click | yes
        t5       | 2026-07-04 | a2         | email   | visit       | no
        """
    table = read(company(tmp_path, ACCOUNTS | deals(judged) | {"touches": touches}), "influenced_pipeline_by_touches")
    curve = slices(table, "influenced_pipeline_by_touches", "least_touches")
    assert curve == {"01": 1, "02": 0.9, "03": 0.9, "05": 0, "08": 0, "13": 0}
