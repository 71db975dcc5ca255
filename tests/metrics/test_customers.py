"""Customers: every metric worked out by hand on a few rows, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, deals, read, reading, slices, value

from abm_lib.lifetime import fitted

LISTED = {
    "accounts": """
        account_id | name  | segment    | customer_since
        a1         | One   | enterprise |
        a2         | Two   | small      | 2019-05-01
        a3         | Three | small      |
        a4         | Four  | small      |
        a5         | Five  | small      |
        a6         | Six   | small      |
        b1         | B one | enterprise |
        b2         | B two | enterprise |
        b3         | B 3   | small      |
        b4         | B 4   | small      | 2020-01-01
        b5         | B 5   | small      |
        """,
    "account_lists": """
        account_id | is_target | tier | programme   | valid_from | valid_to
        a1         | yes       | 1    | one_to_one  | 2025-01-01 |
        a2         | yes       | 2    | one_to_few  | 2025-01-01 |
        b1         | yes       | 1    | one_to_one  | 2025-01-01 |
        b2         | yes       | 1    | one_to_one  | 2025-01-01 |
        b3         | yes       | 2    | one_to_few  | 2026-08-01 |
        b5         | yes       | 2    | one_to_few  | 2025-01-01 |
        """,
    "fx": """
        currency | day        | rate
        USD      | 2026-07-01 | 0.5
        USD      | 2026-08-01 | 0.9
        USD      | 2026-09-28 | 0.5
        """,
}
# At the quarter's start One pays 100, Two 200, Five 80 and Six 100 dollars = 50. Three left last year, Four comes in August.
PAYING = {
    "subscriptions": """
        event_id | account_id | effective_on | kind        | expansion_kind | arr_change | currency | recorded_at
        s01      | a1         | 2025-01-01   | opening     |                | 100        | EUR      |
        s02      | a2         | 2025-02-01   | new         |                | 200        | EUR      |
        s03      | a3         | 2025-03-01   | new         |                | 50         | EUR      |
        s04      | a3         | 2025-11-01   | churn       |                | -50        | EUR      |
        s05      | a5         | 2026-05-01   | new         |                | 80         | EUR      |
        s06      | a6         | 2026-06-01   | new         |                | 100        | USD      |
        s07      | a1         | 2026-07-01   | expansion   | upsell         | 30         | EUR      | 2026-07-02
        s08      | a5         | 2026-07-10   | expansion   |                | 20         | EUR      | 2026-07-10
        s09      | a6         | 2026-08-01   | expansion   | upsell         | 100        | USD      | 2026-08-01
        s10      | a2         | 2026-08-01   | contraction |                | -40        | EUR      | 2026-08-01
        s11      | a4         | 2026-08-15   | new         |                | 70         | EUR      | 2026-08-15
        s12      | a4         | 2026-09-01   | expansion   | cross_sell     | 10         | EUR      | 2026-09-01
        s13      | a5         | 2026-09-30   | churn       |                | -100       | EUR      | 2026-10-11
        s14      | a1         | 2026-09-15   | churn       |                | -130       | EUR      | 2026-10-12
        s15      | a2         | 2026-10-01   | churn       |                | -160       | EUR      | 2026-10-01
        """,
}
DEALS = deals(
    """
    deal | account_id | business_type | qualified  | ended      | stage | amount
    v0   | b5         | new           | 2025-08-01 | 2025-09-01 | won   | 100
    v1   | b1         | new           | 2025-10-15 | 2026-02-01 | won   | 10000
    v2   | b4         | new           | 2025-11-01 | 2026-02-15 | won   | 99999
    v3   | b1         | renewal       | 2025-12-01 | 2026-03-01 | won   | 5000
    v4   | b2         | new           | 2025-12-10 | 2026-01-10 | lost  | 700
    d1   | b2         | new           | 2026-07-10 | 2026-08-01 | won   | 3000
    d2   | b3         | new           | 2026-07-11 | 2026-08-02 | won   | 8000
    d3   | b2         | new           | 2026-07-12 | 2026-09-01 | won   | 1000
    d4   | b5         | new           | 2026-08-01 |            |       | 900
    """,
    """
    deal | annual_value
    d1   | 1000
    d2   | 2000
    d3   | 1500
    """,
)
SPENT = {
    "costs": """
        quarter | kind     | programme         | amount | currency
        2025Q3  | media    | one_to_few        | 50     | EUR
        2025Q4  | media    | one_to_one        | 1000   | EUR
        2026Q1  | media    | one_to_many       | 0      | EUR
        2026Q3  | media    | one_to_one        | 600    | EUR
        2026Q3  | people   | one_to_one        | 400    | EUR
        2026Q3  | overhead | one_to_one        | 500    | EUR
        2026Q3  | media    | one_to_few        | 900    | EUR
        2026Q3  | agency   | demand_generation | 600    | USD
        """,
}
ASKED = {
    "people": """
        person_id | account_id | is_internal | created_at
        p1        | a1         | no          | 2025-01-01
        p2        | a2         | no          | 2025-01-01
        p9        | a2         | yes         | 2025-01-01
        """,
    "surveys": """
        response_id | account_id | person_id | answered_at         | kind  | score | scale_max | theme
        n1          | a1         | p1        | 2026-07-01 00:00:00 | nps   | 10    | 10        | price
        n2          | a2         | p2        | 2026-08-01 12:00:00 | nps   | 9     | 10        | price
        n3          | a2         | p2        | 2026-08-02 12:00:00 | nps   | 9     | 10        | help
        n4          |            |           | 2026-08-03 12:00:00 | nps   | 8     | 10        |
        n5          | a3         |           | 2026-09-30 23:59:59 | nps   | 6     | 10        | help
        n6          | a2         | p9        | 2026-08-01 12:00:00 | nps   | 0     | 10        | price
        n7          | a2         | p2        | 2026-10-01 00:00:00 | nps   | 0     | 10        | price
        m1          | a1         |           | 2026-05-01 12:00:00 | nps   | 9     | 10        |
        m2          | a2         |           | 2026-05-02 12:00:00 | nps   | 3     | 10        |
        c1          | a1         | p1        | 2026-07-05 12:00:00 | csat  | 5     | 5         | price
        c2          | a2         | p2        | 2026-07-06 12:00:00 | csat  | 4     | 5         | help
        c3          | a2         | p2        | 2026-07-07 12:00:00 | csat  | 2     | 5         | help
        c4          | a2         | p2        | 2026-07-08 12:00:00 | csat  | 5     |           | help
        z1          | a1         | p1        | 2026-05-05 12:00:00 | csat  | 0     | 10        |
        i1          |            |           | 2026-07-09 12:00:00 | brand | 8     | 10        |
        i4          | a2         |           | 2026-10-11 23:00:00 | brand | 8     | 10        |
        i5          | a2         |           | 2026-10-12 00:00:00 | brand | 8     | 10        |
        """,
    "survey_invites": """
        response_id | kind  | account_id | invited_at
        n1          | nps   | a1         | 2026-06-30 23:00:00
        n2          | nps   | a2         | 2026-07-01 00:00:00
        i1          | brand |            | 2026-07-01 12:00:00
        i3          | brand | a1         | 2026-08-01 12:00:00
        i4          | brand | a2         | 2026-09-01 12:00:00
        i5          | brand | a2         | 2026-09-02 12:00:00
        i6          | brand | a2         | 2026-05-02 12:00:00
        """,
    "touches": """
        touch_id | touched_at          | account_id | person_id | channel | kind
        t0       | 2026-02-01 12:00:00 | a1         | p1        | web     | visit
        t1       | 2026-07-01 00:00:00 | a1         | p1        | word    | advocacy
        t2       | 2026-08-01 12:00:00 | a1         | p1        | word    | advocacy
        t3       | 2026-08-02 12:00:00 | a2         | p2        | word    | advocacy
        t4       | 2026-08-03 12:00:00 | a2         | p9        | word    | advocacy
        t5       | 2026-08-04 12:00:00 | a2         |           | word    | advocacy
        t6       | 2026-07-31 12:00:00 | a2         | p2        | word    | referral
        t7       | 2026-09-01 12:00:00 | a2         | p2        | word    | referral
        t8       | 2026-10-01 00:00:00 | a2         | p2        | word    | referral
        """,
}
HALF = "[lifetime]\ngross_margin = 0.5"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("customers"), LISTED | PAYING | DEALS | SPENT | ASKED, HALF)
    return read(folder, "customers")


# Who stays and who grows


def test_customers_pay_something_when_the_quarter_ends(table):
    assert value(table, "customers") == 4  # One, Two, Four, Six: Five's churn was recorded in time, that of One was not
    assert slices(table, "customers", "tier") == {"1": 1, "2": 1, "not on the list": 2}
    assert slices(table, "customers", "segment") == {"enterprise": 1, "small": 3}
    assert slices(table, "customers", "rule") == {"recurring revenue above 0": 4}
    assert value(table, "customers", quarter="2025Q3") == 3
    assert value(table, "customers", quarter="2024Q4") == "no_data"


def test_customers_are_0_when_the_last_one_has_left(tmp_path):
    left = """
        event_id | account_id | effective_on | kind  | arr_change | currency
        s1       | a1         | 2026-01-01   | new   | 0.1        | EUR
        s2       | a1         | 2026-02-01   | new   | 0.2        | EUR
        s3       | a1         | 2026-09-01   | churn | -0.3       | EUR
        """
    table = read(company(tmp_path, LISTED | {"subscriptions": left}), "customers", "customer_retention_rate", by=[])
    assert value(table, "customers") == 0
    assert value(table, "customers", quarter="2026Q2") == 1
    assert value(table, "customer_retention_rate") == "undefined"  # nobody was a customer a year ago


def test_customers_without_subscriptions_are_those_in_the_stage_of_a_customer(tmp_path):
    stages = """
        account_id | stage       | entered_at          | recorded_at
        a1         | customer    | 2026-05-01 12:00:00 |
        a2         | customer    | 2026-05-01 12:00:00 |
        a2         | renewal     | 2026-08-01 12:00:00 |
        a3         | customer    | 2026-05-01 12:00:00 |
        a3         | opportunity | 2026-08-01 12:00:00 |
        a4         | customer    | 2026-10-01 00:00:00 |
        a5         | customer    | 2026-09-30 12:00:00 | 2026-10-12 00:00:00
        """
    table = read(company(tmp_path, LISTED | {"account_stages": stages}), "customers", "net_revenue_retention")
    assert value(table, "customers") == 2
    assert slices(table, "customers", "rule") == {"stage customer or renewal": 2}
    assert value(table, "customers", quarter="2026Q1") == "no_data"
    assert value(table, "net_revenue_retention") == "not_collected"


def test_customers_without_either_table_are_not_collected(tmp_path):
    table = read(company(tmp_path, LISTED), "customers")
    assert value(table, "customers") == "not_collected"
    assert "subscriptions or account_stages" in reading(table, "customers")["caveats"]


def test_net_revenue_retention_is_what_the_customers_of_the_start_still_pay(table):
    found = reading(table, "net_revenue_retention")
    # 430 + 30 + 20 + 50 - 40 - 100; Six's dollars at the rate of July; Four is nobody's opening.
    assert (found["numerator"], found["denominator"], found["n"]) == (390, 430, 4)
    assert slices(table, "net_revenue_retention", "segment") == {"enterprise": 1.3, "small": 0.787878788}
    assert slices(table, "net_revenue_retention", "cohort") == {
        "before the data": 1.3,
        "2019": 0.8,
        "2025": "undefined",
        "2026": 0.769230769,
    }


def test_net_revenue_retention_over_four_quarters_stands_beside_it(table):
    found = reading(table, "net_revenue_retention", "window", "trailing_4_quarters")
    assert (found["numerator"], found["denominator"]) == (290, 350)  # 130 + 160 + 0 of 100 + 200 + 50
    assert (found["period_start"], found["period_end"]) == ("2025-10-01", "2026-10-01")


def test_net_revenue_retention_of_nobody_is_undefined_and_of_those_who_all_left_0(table, tmp_path):
    assert value(table, "net_revenue_retention", quarter="2025Q1") == "undefined"
    assert value(table, "net_revenue_retention", quarter="2024Q4") == "no_data"
    assert value(table, "net_revenue_retention", quarter="2025Q4") == 0.857142857  # Three left
    left = """
        event_id | account_id | effective_on | kind  | arr_change | currency
        s1       | a1         | 2026-01-01   | new   | 100        | EUR
        s2       | a1         | 2026-07-15   | churn | -100       | EUR
        s3       | a1         | 2026-08-15   | new   | 500        | EUR
        """
    gone = read(company(tmp_path, LISTED | {"subscriptions": left}), "net_revenue_retention", "retained_revenue", by=[])
    assert value(gone, "net_revenue_retention") == 0  # what comes back is new
    assert value(gone, "retained_revenue") == 0


def test_gross_revenue_retention_leaves_growth_out_and_loses_no_more_than_there_was(table):
    found = reading(table, "gross_revenue_retention")
    assert (found["numerator"], found["denominator"]) == (310, 430)  # 100 + 160 + 0 + 50: Five lost 100 but had 80
    assert slices(table, "gross_revenue_retention", "segment") == {"enterprise": 1, "small": 0.636363636}
    assert slices(table, "gross_revenue_retention", "cohort")["2019"] == 0.8
    assert value(table, "gross_revenue_retention", "window", "trailing_4_quarters") == 0.742857143  # 260 of 350
    assert value(table, "gross_revenue_retention", quarter="2025Q1") == "undefined"


def test_retained_revenue_is_the_sum_of_its_movements(table):
    assert value(table, "retained_revenue") == 390
    assert slices(table, "retained_revenue", "movement") == {
        "opening": 430, "upsell": 80, "other_expansion": 20, "contraction": -40, "churn": -100,
    }  # fmt: skip
    assert slices(table, "retained_revenue", "segment") == {"enterprise": 130, "small": 260}
    assert value(table, "retained_revenue", quarter="2025Q1") == 0
    assert value(table, "retained_revenue", quarter="2024Q4") == "no_data"


def test_a_renewal_counts_by_what_it_changed(tmp_path):
    renewed = """
        event_id | account_id | effective_on | kind    | arr_change | currency
        s1       | a1         | 2026-01-01   | new     | 100        | EUR
        s2       | a2         | 2026-01-01   | new     | 100        | EUR
        s3       | a3         | 2026-01-01   | new     | 100        | EUR
        s4       | a1         | 2026-08-01   | renewal | 0          | EUR
        s5       | a2         | 2026-08-01   | renewal | 5          | EUR
        s6       | a3         | 2026-08-01   | renewal | -20        | EUR
        """
    found = read(company(tmp_path, LISTED | {"subscriptions": renewed}), "retained_revenue", "gross_revenue_retention")
    assert slices(found, "retained_revenue", "movement") == {"opening": 300, "other_expansion": 5, "contraction": -20}
    assert reading(found, "gross_revenue_retention")["numerator"] == 280


def test_expansion_revenue_adds_what_customers_old_and_new_took_on(table):
    assert value(table, "expansion_revenue") == 150  # 30 + 20 + 10 and Six's 100 dollars at the rate of that day
    assert slices(table, "expansion_revenue", "expansion_kind") == {"upsell": 120, "not stated": 20, "cross_sell": 10}
    assert slices(table, "expansion_revenue", "month") == {"2026-07": 50, "2026-08": 90, "2026-09": 10}
    assert slices(table, "expansion_revenue", "segment") == {"enterprise": 30, "small": 120}
    assert reading(table, "expansion_revenue")["n"] == 4
    assert value(table, "expansion_revenue", quarter="2026Q2") == 0
    assert value(table, "expansion_revenue", quarter="2024Q4") == "no_data"


def test_an_expansion_without_a_rate_is_counted_and_not_priced(tmp_path):
    grown = """
        event_id | account_id | effective_on | kind      | arr_change | currency
        s1       | a1         | 2026-07-10   | expansion | 100        | EUR
        s2       | a2         | 2026-07-10   | expansion | 100        | GBP
        """
    found = reading(
        read(company(tmp_path, LISTED | {"subscriptions": grown}), "expansion_revenue", by=[]), "expansion_revenue"
    )
    assert found["value"] == 100 and found["caveats"].startswith("1 of 2")


def test_customer_retention_rate_keeps_those_of_a_year_ago_who_still_pay(table):
    found = reading(table, "customer_retention_rate")
    assert (found["numerator"], found["denominator"], found["method"]) == (2, 3, "Wilson, 95%")  # Three has left
    assert slices(table, "customer_retention_rate", "segment") == {"enterprise": 1, "small": 0.5}
    assert (found["period_start"], found["period_end"]) == ("2025-10-01", "2026-10-01")
    assert value(table, "customer_retention_rate", quarter="2025Q2") == "undefined"


# What a customer is worth, and what it costs


def test_customer_lifetime_value_is_a_year_of_contract_times_the_years_it_lasts(table):
    assert value(table, "customer_lifetime_value") == 4500  # 1,500 a year; a third leaves each year, so three years
    assert slices(table, "customer_lifetime_value", "method") == {
        "simple": 4500,
        "margin_churn": 161.25,  # 430 of 4 customers x one half x 3
        "with_expansion": 176.25,  # and 30 of 3 customers a year more
        "sbg": "undefined",  # a handful of customers fits nothing
        "sbg_residual": "undefined",
    }
    # Nobody of the enterprise left: 7 years; of the small ones one of two: 2 years.
    assert slices(table, "customer_lifetime_value", "segment") == {"enterprise": 8750, "small": 4000}
    assert (
        "the longest that abm.toml allows"
        in reading(table, "customer_lifetime_value", "segment", "enterprise")["caveats"]
    )
    assert reading(table, "customer_lifetime_value")["caveats"] == "lifespan 3.0 years"
    assert (
        "gross margin 50%, as set in abm.toml"
        in reading(table, "customer_lifetime_value", "method", "margin_churn")["caveats"]
    )


def test_customer_lifetime_value_without_a_contract_or_a_customer_has_the_reason_of_what_is_missing(table, tmp_path):
    assert value(table, "customer_lifetime_value", quarter="2026Q2") == "undefined"  # nothing won
    assert slices(table, "customer_lifetime_value", "method", quarter="2026Q2") == {
        "simple": "undefined",
        "margin_churn": 225,  # 300 of 2 customers x one half x 3
        "with_expansion": 225,
        "sbg": "undefined",
        "sbg_residual": "undefined",
    }
    assert value(table, "customer_lifetime_value", quarter="2025Q3") == "withheld"  # won without a yearly value
    young = """
        event_id | account_id | effective_on | kind | arr_change | currency
        s1       | a1         | 2026-08-01   | new  | 100        | EUR
        """
    fresh = read(company(tmp_path, LISTED | DEALS | {"subscriptions": young}), "customer_lifetime_value", by=["method"])
    assert value(fresh, "customer_lifetime_value") == "undefined"
    assert reading(fresh, "customer_lifetime_value")["caveats"] == "no customers a year ago"
    assert slices(fresh, "customer_lifetime_value", "method")["with_expansion"] == "undefined"


def test_customer_lifetime_value_by_the_fit_discounts_those_who_will_still_be_there(tmp_path):
    # Sixty start three years before: ten leave after one year, five after two; the others stay.
    names = [f"n{n:02}" for n in range(60)]
    accounts = "account_id | name | customer_since\n" + "\n".join(f"{name} | {name} | 2023-09-30" for name in names)
    accounts += "".join(f"\n{name} | {name} | " for name in ("b1", "b2", "b3", "b4", "b5"))  # of the deals
    moves = ["event_id | account_id | effective_on | kind | arr_change | currency"]
    moves += [f"{name} | {name} | 2023-09-30 | new | 1000 | EUR" for name in names]
    ends = {**dict.fromkeys(names[:10], "2024-09-30"), **dict.fromkeys(names[10:15], "2025-09-28")}
    moves += [f"x{name} | {name} | {day} | churn | -1000 | EUR" for name, day in ends.items()]
    moves += ["y59 | n59 | 2026-09-01 | expansion | 0 | EUR"]  # so that the table reaches into the quarter
    drawn = {"accounts": accounts, "subscriptions": "\n".join(moves)} | DEALS
    table = read(company(tmp_path, drawn, HALF), "customer_lifetime_value", by=["method"])
    fit = fitted([1] * 10 + [2] * 5 + [0] * 45, [0] * 15 + [3] * 45)
    assert value(table, "customer_lifetime_value", "method", "sbg") == pytest.approx(500 * fit.lifetime(0.1), rel=1e-6)
    residual = reading(table, "customer_lifetime_value", "method", "sbg_residual")
    assert residual["value"] == pytest.approx(500 * fit.residual(4, 0.1), rel=1e-6) and residual["n"] == 45
    assert "10% discount" in residual["caveats"] and "gross margin 50%" in residual["caveats"]


def test_customer_lifetime_value_where_everybody_left_is_a_year_s_worth(tmp_path):
    left = """
        event_id | account_id | effective_on | kind  | arr_change | currency
        s1       | a1         | 2025-01-01   | new   | 100        | EUR
        s2       | a1         | 2026-08-01   | churn | -100       | EUR
        """
    gone = read(company(tmp_path, LISTED | DEALS | {"subscriptions": left}), "customer_lifetime_value", by=["method"])
    assert value(gone, "customer_lifetime_value") == 1500
    assert slices(gone, "customer_lifetime_value", "method")["margin_churn"] == 75


def test_customer_acquisition_cost_is_the_simple_costs_for_each_new_customer(table):
    found = reading(table, "customer_acquisition_cost")
    assert (found["value"], found["numerator"], found["n"]) == (1100, 2200, 2)  # b2 and b3 once; overhead is out
    assert slices(table, "customer_acquisition_cost", "timing") == {"same_quarter": 1100, "lagged": 500}
    assert slices(table, "customer_acquisition_cost", "programme") == {
        "one_to_one": 1000,
        "one_to_few": "undefined",  # b3 joined the list in August: it was won off the list
        "one_to_many": "undefined",
        "demand_generation": 300,  # 600 dollars at the last rate of September
    }


def test_customer_acquisition_cost_of_nothing_spent_is_0_and_without_costs_or_customers_undefined(table):
    assert value(table, "customer_acquisition_cost", quarter="2026Q1") == 0
    assert value(table, "customer_acquisition_cost", quarter="2025Q4") == "undefined"  # costs, and nobody won
    assert value(table, "customer_acquisition_cost", quarter="2026Q2") == "undefined"
    assert value(table, "customer_acquisition_cost", quarter="2025Q3") == 50


def test_customer_acquisition_cost_full_adds_overheads(table):
    assert value(table, "customer_acquisition_cost_full") == 1350
    assert slices(table, "customer_acquisition_cost_full", "timing") == {"same_quarter": 1350, "lagged": 500}
    assert slices(table, "customer_acquisition_cost_full", "programme")["one_to_one"] == 1500
    assert value(table, "customer_acquisition_cost_full", quarter="2026Q1") == 0
    assert value(table, "customer_acquisition_cost_full", quarter="2026Q2") == "undefined"


def test_the_kinds_and_the_lag_of_acquisition_cost_are_settings(tmp_path):
    settings = '[cac]\nsimple_kinds = ["media"]\nfull_kinds = ["media", "overhead"]\nlag_quarters = 4'
    found = read(
        company(tmp_path, LISTED | DEALS | SPENT, settings),
        "customer_acquisition_cost",
        "customer_acquisition_cost_full",
    )
    assert value(found, "customer_acquisition_cost") == 750  # 600 + 900 for two
    assert value(found, "customer_acquisition_cost_full") == 1000
    assert slices(found, "customer_acquisition_cost", "timing")["lagged"] == 25  # 50 of the third quarter of 2025


def test_costs_without_a_rate_make_no_acquisition_cost(tmp_path):
    spent = {"costs": SPENT["costs"].rstrip() + "\n2026Q3 | tools | one_to_one | 1 | GBP"}
    found = read(company(tmp_path, LISTED | DEALS | spent), "customer_acquisition_cost", by=["programme"])
    assert value(found, "customer_acquisition_cost") == "no_data"
    assert value(found, "customer_acquisition_cost", "programme", "demand_generation") == 300


def test_lifetime_value_to_acquisition_cost_takes_the_simple_value_and_the_full_cost(table):
    found = reading(table, "lifetime_value_to_acquisition_cost")
    assert (round(found["value"], 9), round(found["numerator"]), found["denominator"]) == (3.333333333, 4500, 1350)
    assert value(table, "lifetime_value_to_acquisition_cost", quarter="2026Q2") == "undefined"


def test_payback_months_is_the_full_cost_over_a_month_of_margin(table):
    assert value(table, "payback_months") == 21.6  # 1,350 over 1,500 / 12 x one half
    assert value(table, "payback_months", quarter="2026Q2") == "undefined"
    assert reading(table, "payback_months")["caveats"].endswith("gross margin 50%, as set in abm.toml")


def test_a_margin_that_nobody_set_is_called_assumed(tmp_path):
    table = read(company(tmp_path, LISTED | PAYING | DEALS | SPENT), "payback_months", by=[])
    assert value(table, "payback_months") == 14.4
    assert reading(table, "payback_months")["caveats"] == "gross margin 75%, assumed: not set in abm.toml"


def test_payback_months_with_no_margin_is_undefined(tmp_path):
    none = "[lifetime]\ngross_margin = 0.0"
    assert (
        value(read(company(tmp_path, LISTED | PAYING | DEALS | SPENT, none), "payback_months", by=[]), "payback_months")
        == "undefined"
    )


def test_programme_return_holds_each_deal_against_the_quarter_it_began_in(table):
    # The newest mature vintage is the last quarter of 2025: 10,000 x one half less 1,000. The deal of b4, off the list, and
    # the renewal are left out.
    found = reading(table, "programme_return")
    assert (found["value"], found["numerator"], found["denominator"], found["n"]) == (4, 4000, 1000, 1)
    assert slices(table, "programme_return", "vintage") == {
        "2025Q3": 0,  # 100 x one half less 50
        "2025Q4": 4,
        "2026Q1": "undefined",  # nothing was spent
        "2026Q3": -0.166666667,  # 4,000 x one half less 1,500 and 900; demand generation has no list
    }
    assert slices(table, "programme_return", "matured_share") == {
        "2025Q3": 1,
        "2025Q4": 1,
        "2026Q1": "undefined",
        "2026Q3": 0.666666667,
    }
    assert slices(table, "programme_return", "programme")["one_to_one"] == 4


def test_half_a_cent_of_margin_goes_away_from_zero(tmp_path):
    won = deals("deal | qualified | ended | stage | amount | account_id\nd1 | 2025-11-01 | 2025-12-01 | won | 1 | a1")
    spent = {"costs": "quarter | kind | programme | amount | currency\n2025Q4 | media | one_to_one | 0.10 | EUR"}
    listed = {
        "account_lists": "account_id | is_target | tier | programme | valid_from\na1 | yes | 1 | one_to_one | 2025-01-01"
    }
    folder = company(tmp_path, LISTED | won | spent | listed, "[lifetime]\ngross_margin = 0.145")
    found = read(folder, "programme_return", by=["vintage"])
    assert (
        value(found, "programme_return", "vintage", "2025Q4") == 0.5
    )  # 0.145 is 0.15: in binary it lies below the half


def test_programme_return_before_any_vintage_is_mature_is_undefined(table):
    assert value(table, "programme_return", quarter="2024Q4") == "undefined"
    assert value(table, "programme_return", quarter="2025Q3") == 0


# What they say


def test_net_promoter_score_is_promoters_less_detractors_for_each_hundred(table):
    found = reading(table, "net_promoter_score")
    assert (found["value"], found["n"], found["method"]) == (40, 5, "adjusted Wald, 95%")  # 3 less 1 of 5
    assert (round(found["low"], 2), round(found["high"], 2)) == (-29.78, 79.78)
    assert slices(table, "net_promoter_score", "tier") == {"1": 100, "2": 100, "not on the list": -50}
    assert slices(table, "net_promoter_score", "segment") == {"enterprise": 100, "small": 33.333333333, "unknown": 0}
    assert slices(table, "net_promoter_score", "theme") == {"price": 100, "help": 0, "not stated": 0}


def test_net_promoter_score_of_as_many_against_as_for_is_0_and_of_no_answers_undefined(table):
    assert value(table, "net_promoter_score", quarter="2026Q2") == 0
    assert value(table, "net_promoter_score", quarter="2026Q1") == "no_data"
    assert value(table, "net_promoter_score", "tier", "2", quarter="2026Q2") == -100


def test_survey_response_rate_counts_the_invitations_of_the_quarter_that_were_answered_in_time(table):
    found = reading(table, "survey_response_rate")
    assert (found["numerator"], found["denominator"]) == (3, 5)  # n2, i1, i4; i5 answered when the quarter had settled
    assert slices(table, "survey_response_rate", "survey") == {"nps": 1, "brand": 0.5}
    assert slices(table, "survey_response_rate", "tier") == {"1": 0, "2": 0.666666667, "not on the list": 1}
    assert slices(table, "survey_response_rate", "segment") == {"enterprise": 0, "small": 0.666666667, "unknown": 1}
    assert value(table, "survey_response_rate", quarter="2026Q1") == "no_data"


def test_customer_satisfaction_is_the_mean_share_of_the_highest_score(table):
    assert value(table, "customer_satisfaction") == 0.733333333  # 5, 4 and 2 of 5; a score without a scale is left out
    assert slices(table, "customer_satisfaction", "measure") == {"top two scores": 0.666666667}
    assert slices(table, "customer_satisfaction", "survey") == {"csat": 0.733333333, "brand": 0.8, "nps": 0.84}
    assert slices(table, "customer_satisfaction", "tier") == {"1": 1, "2": 0.6, "not on the list": "undefined"}
    assert slices(table, "customer_satisfaction", "theme")["help"] == 0.6
    assert slices(table, "customer_satisfaction", "segment")["enterprise"] == 1
    assert value(table, "customer_satisfaction", quarter="2026Q2") == 0
    assert value(table, "customer_satisfaction", quarter="2026Q1") == "no_data"


def test_customer_satisfaction_without_the_scale_is_not_collected(tmp_path):
    told = """
        response_id | answered_at         | kind | score
        c1          | 2026-07-05 12:00:00 | csat | 5
        """
    table = read(company(tmp_path, {"surveys": told}), "customer_satisfaction", by=[])
    assert value(table, "customer_satisfaction") == "not_collected"


HEALTH = {
    "accounts": "account_id | name\n" + "\n".join(f"h{n} | H {n}" for n in range(1, 9)),
    "account_lists": """
        account_id | is_target | tier | valid_from
        h1         | yes       | 1    | 2026-01-01
        h3         | yes       | 1    | 2026-01-01
        """,
    "subscriptions": "event_id | account_id | effective_on | kind | arr_change | currency\n"
    + "\n".join(f"s{n} | h{n} | 2026-01-15 | new | 100 | EUR" for n in range(1, 9))
    + """
        s11 | h5 | 2026-08-15 | contraction | -10  | EUR
        s12 | h2 | 2026-06-15 | contraction | -10  | EUR
        s13 | h7 | 2026-09-15 | churn       | -100 | EUR
        """,
    "surveys": """
        response_id | account_id | answered_at         | kind | score
        r1          | h1         | 2026-02-01 12:00:00 | nps  | 3
        r2          | h1         | 2026-05-01 12:00:00 | nps  | 7
        r3          | h2         | 2026-02-01 12:00:00 | nps  | 8
        r4          | h3         | 2026-02-01 12:00:00 | nps  | 9
        r5          | h4         | 2026-02-01 12:00:00 | nps  | 6
        r6          | h5         | 2026-02-01 12:00:00 | nps  | 10
        r7          | h6         | 2026-10-01 00:00:00 | nps  | 10
        r8          | h7         | 2026-02-01 12:00:00 | nps  | 10
        r9          | h8         | 2026-02-01 12:00:00 | nps  | 10
        """,
    "page_views": """
        view_id | session_id | visitor_id | viewed_at           | page | account_id | is_bot
        v1      | w1         | y1         | 2026-09-30 23:00:00 | /    | h1         | no
        v3      | w3         | y3         | 2026-07-02 23:00:00 | /    | h3         | no
        v4      | w4         | y4         | 2026-09-01 12:00:00 | /    | h4         | no
        v5      | w5         | y5         | 2026-09-01 12:00:00 | /    | h5         |
        v6      | w6         | y6         | 2026-09-01 12:00:00 | /    | h6         | no
        v7      | w7         | y7         | 2026-09-01 12:00:00 | /    | h7         | no
        v8      | w8         | y8         | 2026-09-01 12:00:00 | /    | h8         | yes
        """,
    "meetings": """
        meeting_id | kind    | account_id | booked_at           | starts_at           | outcome
        m2         | meeting | h2         | 2026-05-01 12:00:00 | 2026-07-03 00:00:00 | held
        m8         | meeting | h8         | 2026-08-01 12:00:00 | 2026-08-03 12:00:00 | no_show
        """,
}


def test_customer_health_asks_for_a_good_score_a_recent_act_and_nothing_taken_back(tmp_path):
    table = read(company(tmp_path, HEALTH), "customer_health")
    found = reading(table, "customer_health")
    # h1 and h2 are well; h3 was last seen on day 91, h4 gave a 6, h5 shrank, h8 did not come; h6 has no score, h7 is gone.
    assert (found["numerator"], found["denominator"]) == (2, 6)
    assert slices(table, "customer_health", "tier") == {"1": 0.5, "not on the list": 0.25}
    assert slices(table, "customer_health", "segment") == {"unknown": 0.333333333}
    assert value(table, "customer_health", quarter="2026Q1") == 0  # nobody was seen
    assert value(table, "customer_health", quarter="2025Q4") == "no_data"


def test_customer_health_goes_by_the_rule_in_abm_toml(tmp_path):
    strict = "[health]\nlowest_score = 8\nactive_days = 30"
    table = read(company(tmp_path, HEALTH, strict), "customer_health", by=[])
    assert value(table, "customer_health") == 0.166666667  # h5 alone: it shrank more than 30 days ago, and was seen


def test_customer_health_without_meetings_and_visits_is_not_collected_and_without_scores_undefined(tmp_path):
    unseen = {name: drawing for name, drawing in HEALTH.items() if name not in ("page_views", "meetings")}
    assert value(read(company(tmp_path / "a", unseen), "customer_health", by=[]), "customer_health") == "not_collected"
    silent = HEALTH | {"surveys": "response_id | account_id | answered_at | kind | score"}
    assert value(read(company(tmp_path / "b", silent), "customer_health", by=[]), "customer_health") == "undefined"


def test_advocates_are_people_once_and_none_of_our_own(table):
    assert value(table, "advocates") == 2
    assert slices(table, "advocates", "month") == {"2026-07": 1, "2026-08": 2, "2026-09": 0}
    assert slices(table, "advocates", "year") == {"2026": 2}
    assert value(table, "advocates", quarter="2026Q2") == 0
    assert value(table, "advocates", quarter="2025Q4") == "no_data"


def test_referrals_are_counted_each(table):
    assert value(table, "referrals") == 2
    assert slices(table, "referrals", "month") == {"2026-07": 1, "2026-08": 0, "2026-09": 1}
    assert value(table, "referrals", quarter="2026Q2") == 0
    assert value(table, "referrals", quarter="2025Q4") == "no_data"
