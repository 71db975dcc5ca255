"""Traps of the engine, of joins, of time and of money, each drawn and stepped over."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tiny import company, deals, facts, opened_small, read, reading, slices, value

import abm_lib as abm
from abm_lib.errors import InputRefused

# The engine: an analyst's own frames go through it as the store's tables do

ADS: dict[str, list[Any]] = {"clicks": [10, 10, 20], "impressions": [1000, 3000, 4000], "cost": [20.0, 40.0, 100.0]}
DEALS: dict[str, list[Any]] = {
    "account_id": ["a1", "a1", None, "a2"],
    "source_owner": ["marketing", "sales", "marketing", "unknown"],
    "amount": [0.1, 5.0, 0.2, None],
    "is_won": [True, True, True, False],
    "is_first_win": [True, True, True, False],
}


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_a_metric_reads_any_kind_of_frame_in_place(frame_of: Any) -> None:
    assert abm.ad_click_rate(frame_of(ADS)).value == 0.005  # 40 of 8,000
    assert abm.ad_cost_per_click(frame_of(ADS)).value == 4
    assert round(abm.marketing_sourced_pipeline(frame_of(DEALS)).value, 9) == 0.3


def test_a_metric_reads_a_query_of_the_analyst() -> None:
    query = duckdb.sql("select 1 as clicks, 4 as impressions union all select 1, 4")
    assert abm.ad_click_rate(query).value == 0.25


def test_a_condition_inside_a_sum_is_never_dropped() -> None:
    assert abm.marketing_sourced_opportunities(pd.DataFrame(DEALS)).value == 2
    assert abm.marketing_sourced_opportunities(pd.DataFrame(DEALS).assign(source_owner="sales")).value == 0


def test_blank_is_no_value_among_the_distinct_ones() -> None:
    """`n_unique` of narwhals counts null as one."""
    assert abm.new_customers(pd.DataFrame(DEALS)).value == 1
    blank = pd.DataFrame(DEALS).assign(account_id=pd.Series([None] * 4, dtype="str"))
    assert abm.new_customers(blank).value == 0


def test_sums_come_back_as_floats_whatever_the_engine_made_of_them() -> None:
    """A sum of whole numbers is a HUGEINT in DuckDB, and a Decimal in pandas."""
    large = abm.ad_impressions(pd.DataFrame({"impressions": [5 * 10**18, 5 * 10**18]}))
    assert type(large.value) is float and large.value == 1e19
    exact = abm.ad_spend(pd.DataFrame({"cost": [Decimal("0.10"), Decimal("0.20"), None]}))
    assert type(exact.value) is float and round(exact.value, 9) == 0.3


def test_money_adds_up_to_the_cent_in_any_order() -> None:
    costs = [0.1, 0.2, 0.3, 1e9, -1e9] * 100
    sums = {abm.ad_spend(pd.DataFrame({"cost": order})).value for order in (costs, costs[::-1], sorted(costs))}
    assert sums == {60.0}


def test_a_rate_over_nothing_is_missing_and_not_0() -> None:
    nothing = pd.DataFrame({"clicks": pd.Series(dtype="int64"), "impressions": pd.Series(dtype="int64")})
    assert abm.ad_click_rate(nothing).missing_because == "undefined"


@pytest.mark.parametrize(
    "frame", [DEALS | {"amount": [None] * 4}, {name: [] for name in DEALS}], ids=["no amount", "no row"]
)
def test_a_sum_over_nothing_is_missing_and_not_0(frame: dict[str, list[Any]]) -> None:
    types = {"amount": "float64", "source_owner": "str"}
    assert abm.pipeline_created(pd.DataFrame(frame).astype(types)).missing_because == "no_data"


# Joins that multiply

TWICE = {
    "accounts": """
        account_id | name
        a1         | One
        """,
    "people": """
        person_id | account_id
        p1        | a1
        p2        | a1
        """,
    "opportunity_roles": """
        opportunity_id | person_id | role
        o1             | p1        | champion
        o1             | p2        | decision_maker
        """,
    "touches": """
        touch_id | touched_at | account_id | person_id | channel      | kind    | is_response
        t1       | 2026-07-01 | a1         | p1        | linkedin_ads | form    | yes
        t2       | 2026-07-01 | a1         | p2        | linkedin_ads | form    | yes
        t3       | 2026-07-02 | a1         | p1        | webinar      | webinar | yes
        t4       | 2026-07-02 | a1         |           | webinar      | webinar | yes
        """,
    "account_stages": """
        account_id | stage | entered_at
        a1         | mqa   | 2026-07-03
        a1         | mqa   | 2026-07-04
        """,
}
ONE_DEAL = "deal | account_id | qualified | ended | stage | amount\no1 | a1 | 2026-08-01 | 2026-09-01 | won | 100"
ON_A_LIST = """
account_id | is_target | tier | list_name | valid_from | valid_to
a1         | yes       | 1    | named     | 2026-01-01 |
"""
ON_TWO = ON_A_LIST + "a1         | yes       | 2    | regional  | 2026-02-01 |\n"
MONEY = ("pipeline_created", "closed_won_revenue", "influenced_pipeline", "pipeline_generation_days")


def test_two_people_two_touches_and_two_stages_of_an_account_do_not_double_its_money(tmp_path: Path) -> None:
    drawn = TWICE | deals(ONE_DEAL) | {"account_lists": ON_A_LIST}
    table = read(company(tmp_path, drawn), *MONEY, by=["rule", "tier", "channel"])
    assert value(table, "pipeline_created") == value(table, "closed_won_revenue") == 100
    assert slices(table, "influenced_pipeline", "rule") == {
        "default": 100,
        "any_touch": 100,
        "one_response": 100,
        "strict": 0,
    }
    assert slices(table, "influenced_pipeline", "channel") == {"linkedin_ads": 100, "webinar": 100}
    assert slices(table, "closed_won_revenue", "tier") == {"1": 100}
    assert reading(table, "pipeline_generation_days")["n"] == 1


def test_a_touch_of_nobody_is_no_second_person(tmp_path: Path) -> None:
    drawn = TWICE | deals(ONE_DEAL)
    drawn["touches"] = drawn["touches"].replace("| p2 ", "|    ")
    table = read(company(tmp_path, drawn), "influenced_pipeline", by=["rule"])
    assert slices(table, "influenced_pipeline", "rule") == {
        "default": 0,
        "any_touch": 100,
        "one_response": 100,
        "strict": 0,
    }


def test_an_account_on_two_lists_at_once_is_refused_before_it_doubles_its_money(tmp_path: Path) -> None:
    drawn = TWICE | deals(ONE_DEAL) | {"account_lists": ON_TWO}
    with pytest.raises(InputRefused, match="F085"):
        read(company(tmp_path, drawn), "pipeline_created", by=[])


# Time


EDGES = {
    "UTC": {"2026-09-30 23:59:59": "2026Q3", "2026-10-01 00:00": "2026Q4"},
    "Europe/Berlin": {"2026-09-30 21:59:59": "2026Q3", "2026-09-30 22:00": "2026Q4", "2026-09-30 23:30": "2026Q4"},
    "America/New_York": {"2026-09-30 23:30": "2026Q3", "2026-10-01 03:59:59": "2026Q3", "2026-10-01 04:00": "2026Q4"},
}


@pytest.mark.parametrize("zone", EDGES)
def test_a_quarter_begins_at_midnight_of_the_company_s_own_zone(tmp_path: Path, zone: str) -> None:
    names = [f"'{n}'" for n in range(len(EDGES[zone]))]
    changes = [
        f"{name} | {moment} | qualified | 100 | EUR | 2027-12-31"
        for name, moment in zip(names, EDGES[zone], strict=True)
    ]
    drawn = {
        "opportunities": "\n".join(["opportunity_id | business_type", *(f"{name} | new" for name in names)]),
        "opportunity_changes": "\n".join(
            ["opportunity_id | changed_at | stage | amount | currency | close_on", *changes]
        ),
    }
    folder = company(tmp_path, drawn, f'[company]\ntimezone = "{zone}"')
    found = facts(folder, "opportunities_qualified", "open_opportunities", quarter="2026Q4", shown=2)
    qualified = found["opportunities_qualified"].sort_values("opportunity_id")
    assert qualified["quarter"].to_list() == list(EDGES[zone].values())
    opened = found["open_opportunities"]
    assert (opened["quarter"] == "2026Q3").sum() == (qualified["quarter"] == "2026Q3").sum()
    assert (opened["quarter"] == "2026Q4").sum() == len(names)


# Money

RATES = """
currency | day        | rate
USD      | 2026-07-10 | 0.5
USD      | 2026-08-14 | 0.8
"""
CHANGES = """
opportunity_id | changed_at | stage     | amount | currency | close_on
eur            | 2026-07-10 | qualified | 100    | EUR      | 2026-12-01
eur            | 2026-08-20 | won       | 100    | EUR      | 2026-08-20
usd            | 2026-07-10 | qualified | 100    | USD      | 2026-12-01
usd            | 2026-08-20 | won       | 100    | USD      | 2026-08-20
gbp            | 2026-07-10 | qualified | 100    | GBP      | 2026-12-01
gbp            | 2026-08-20 | won       | 100    | GBP      | 2026-08-20
away           | 2026-07-10 | qualified | 100    | USD      | 2026-12-01
away           | 2026-08-20 | lost      | 100    | USD      | 2026-08-20
stale          | 2026-07-18 | qualified | 100    | USD      | 2026-12-01
"""
GIVEN = """
opportunity_id | business_type
eur            | new
usd            | new
gbp            | new
away           | new
stale          | new
"""


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = {"opportunities": GIVEN, "opportunity_changes": CHANGES, "fx": RATES}
    metrics = (
        "opportunities_created",
        "pipeline_created",
        "closed_won_revenue",
        "deals_won",
        "win_rate_closed_value",
        "average_selling_price",
        "open_pipeline",
    )
    return read(company(tmp_path_factory.mktemp("priced"), drawn), *metrics, by=[])


def test_each_amount_is_converted_at_the_rate_of_its_own_day(priced: pd.DataFrame) -> None:
    assert value(priced, "pipeline_created") == 200  # 100 EUR, and 200 USD at 0.5
    assert value(priced, "closed_won_revenue") == 180  # 100 EUR, and 100 USD at the 0.8 of six days before
    assert value(priced, "win_rate_closed_value") == round(180 / 260, 9)  # 100 USD lost, at that rate too


def test_what_has_no_rate_is_counted_and_not_priced(priced: pd.DataFrame) -> None:
    created, won = reading(priced, "pipeline_created"), reading(priced, "closed_won_revenue")
    assert created["n"] == 0  # accounts: none of the five names its own
    assert created["caveats"] == "2 of 5 carry no amount or no exchange rate"  # GBP, and a rate 8 days old
    assert won["n"] == 3
    assert won["caveats"].split("; ") == [
        "1 of 3 carry no amount or no exchange rate",
        "the largest of 3 opportunities is 56% of it",  # 100 of 180
    ]
    assert value(priced, "opportunities_created") == 5 and value(priced, "deals_won") == 3
    assert value(priced, "average_selling_price") == 90  # of two


def test_a_stock_without_any_rate_is_missing_and_not_0(priced: pd.DataFrame) -> None:
    assert value(priced, "open_pipeline") == "no_data"  # USD, and the last rate is of August


def test_spend_in_two_currencies_is_never_added_as_it_stands(tmp_path: Path) -> None:
    drawn = {
        "fx": RATES,
        "ad_days": """
            day        | platform | channel      | impressions | clicks | cost | currency
            2026-07-10 | linkedin | linkedin_ads | 1           | 1      | 100  | USD
            2026-07-17 | linkedin | linkedin_ads | 1           | 1      | 100  | USD
            2026-07-18 | linkedin | linkedin_ads | 1           | 1      | 100  | USD
            2026-07-18 | google   | google_ads   | 1           | 1      | 100  | EUR
            """,
    }
    table = read(company(tmp_path, drawn), "ad_spend", by=["channel"])
    assert (
        value(table, "ad_spend") == 200
    )  # 50 on the day of the rate, 50 a week later, none on the eighth day, 100 EUR
    assert slices(table, "ad_spend", "channel") == {"linkedin_ads": 100, "google_ads": 100}
    assert reading(table, "ad_spend")["caveats"] == "1 of 4 carry no amount or no exchange rate"


def test_the_most_days_that_a_rate_holds_are_the_company_s_choice(tmp_path: Path) -> None:
    drawn = {"opportunities": GIVEN, "opportunity_changes": CHANGES, "fx": RATES}
    table = read(company(tmp_path, drawn, "[fx]\nmax_age_days = 8"), "pipeline_created", by=[])
    assert value(table, "pipeline_created") == 250


# Delivery


def test_rows_delivered_twice_are_counted_once(tmp_path: Path) -> None:
    rows = """
        day        | platform | channel      | ad_id | impressions | clicks | cost | currency
        2026-07-10 | linkedin | linkedin_ads | ad1   | 1000        | 10     | 5    | EUR
        2026-07-11 | linkedin | linkedin_ads | ad1   | 1000        | 10     | 5    | EUR
        """
    doubled = rows.rstrip() + "\n" + "\n".join(rows.strip().splitlines()[1:])
    folder = company(tmp_path, {"ad_days": doubled} | {n: _twice(d) for n, d in deals(ONE_DEAL).items()})
    table = read(folder, "ad_impressions", "ad_spend", "closed_won_revenue", by=[])
    assert (value(table, "ad_impressions"), value(table, "ad_spend"), value(table, "closed_won_revenue")) == (
        2000,
        10,
        100,
    )
    counted = opened_small(folder).notes["tables"]["ad_days"]
    assert (counted["read"], counted["accepted"], counted["repeated"], counted["set_aside"]) == (4, 2, 2, 0)


def _twice(drawing: str) -> str:
    first, *rest = drawing.strip().splitlines()
    return "\n".join([first, *rest, *rest])
