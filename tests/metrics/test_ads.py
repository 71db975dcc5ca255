"""Ads: every metric worked out by hand on a few rows, and every reason for having none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import scipy.stats
from tiny import company, read, reading, slices, value

from abm_lib.metric import REGISTER
from abm_lib.show.findings import findings
from abm_lib.show.rows import Readings

LISTED = {
    "accounts": """
        account_id | name  | industry | customer_since
        a1         | One   | steel    |
        a2         | Two   | steel    |
        a3         | Three | steel    |
        a4         | Four  | steel    |
        a5         | Five  | paper    |
        """,
    "account_lists": """
        account_id | is_target | tier | programme    | valid_from | valid_to
        a1         | yes       | 1    | one_to_one   | 2026-01-01 |
        a2         | yes       | 1    | one_to_few   | 2026-01-01 |
        a3         | yes       | 2    | one_to_few   | 2026-01-01 |
        a4         | yes       | 2    | one_to_few   | 2026-01-01 | 2026-10-01
        a5         | yes       | 2    | one_to_few   | 2026-08-01 |
        """,
}
DELIVERY = {
    "campaigns": """
        campaign_id | name   | programme
        c1          | Launch | one_to_one
        """,
    "ad_days": """
        day        | platform | channel      | campaign_id | ad_id | ad_type | impressions | clicks | cost | currency
        2026-04-10 | linkedin | linkedin_ads | c1          | ad1   | video   | 0           | 0      | 5    | EUR
        2026-07-01 | linkedin | linkedin_ads | c1          | ad1   | video   | 1000        | 10     | 20   | EUR
        2026-08-15 | linkedin | linkedin_ads | c1          | ad2   | image   | 3000        | 10     | 40   | EUR
        2026-09-30 | google   | google_ads   |             | ad3   |         | 4000        | 20     | 100  | EUR
        2026-10-01 | google   | google_ads   |             | ad3   |         | 9000        | 90     | 900  | EUR
        """,
    "ad_account_days": """
        day        | platform | channel      | account_id | company_name | impressions | clicks | reactions
        2025-11-01 | linkedin | linkedin_ads | a1         |              | 1           | 0      | 0
        2026-07-05 | linkedin | linkedin_ads | a1         |              | 10          | 0      | 0
        2026-07-06 | linkedin | linkedin_ads | a1         |              | 20          | 0      | 1
        2026-07-06 | google   | google_ads   | a1         |              | 10          | 1      |
        2026-07-06 | linkedin | linkedin_ads | a2         |              | 20          | 0      | 0
        2026-08-06 | linkedin | linkedin_ads | a5         |              | 50          | 5      | 0
        2026-09-30 | linkedin | linkedin_ads |            | Acme         | 5           | 1      | 0
        """,
    "ad_title_months": """
        month      | platform | title | seniority | impressions | clicks
        2026-04-01 | linkedin | CFO   | chief     | 50          | 0
        2026-07-01 | linkedin | CFO   | chief     | 100         | 4
        2026-08-01 | linkedin | CFO   | chief     | 100         | 2
        2026-08-01 | linkedin | CTO   | chief     | 100         | 2
        2026-09-01 | linkedin | Clerk | junior    | 100         | 1
        2026-09-01 | linkedin |       | junior    | 100         | 3
        """,
    "budgets": """
        period | channel      | amount | currency
        2026Q3 | linkedin_ads | 50     | EUR
        2026Q3 | google_ads   | 150    | EUR
        """,
}
TRIALS = {
    "experiments": """
        experiment_id | name        | control_variant | starts_on  | ends_on    | planned_split
        x1            | Blue button | grey            | 2026-07-10 | 2026-08-31 | 0.4
        x2            | Long text   | short           |            |            |
        x3            | Fair split  | old             | 2026-05-01 | 2026-08-31 | 0.5
        x4            | Still on    | old             | 2026-05-01 | 2026-10-31 | 0.5
        """,
    "ad_days": """
        day        | platform | channel      | ad_id | variant | experiment_id | impressions | clicks | cost | currency
        2026-07-09 | linkedin | linkedin_ads | ad1   | blue    | x1            | 1000        | 900    | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad1   | blue    | x1            | 1000        | 30     | 1    | EUR
        2026-08-31 | linkedin | linkedin_ads | ad2   | grey    | x1            | 1000        | 10     | 1    | EUR
        2026-09-01 | linkedin | linkedin_ads | ad2   | grey    | x1            | 1000        | 900    | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad3   | short   | x2            | 1000        | 10     | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad4   |         |               | 1000        | 10     | 1    | EUR
        2026-06-30 | linkedin | linkedin_ads | ad5   | new     | x3            | 1000        | 40     | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad5   | new     | x3            | 1000        | 20     | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad5   | old     | x3            | 2000        | 20     | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad6   | new     | x4            | 1000        | 90     | 1    | EUR
        2026-07-10 | linkedin | linkedin_ads | ad6   | old     | x4            | 1000        | 10     | 1    | EUR
        """,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("ads"), LISTED | DELIVERY, 'switched_off = ["ad_frequency"]'), "ads")


@pytest.fixture(scope="module")
def on_frequency(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("frequency"), LISTED | DELIVERY), "ad_frequency")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("trials"), TRIALS), "ads")


def test_ad_impressions_are_added_over_the_days_of_the_quarter(table):
    assert value(table, "ad_impressions") == 8000
    assert slices(table, "ad_impressions", "channel") == {"linkedin_ads": 4000, "google_ads": 4000}
    assert slices(table, "ad_impressions", "ad_type") == {"video": 1000, "image": 3000, "not stated": 4000}
    assert slices(table, "ad_impressions", "campaign") == {"Launch": 4000, "no campaign": 4000}


def test_ad_clicks_that_nobody_made_are_0_and_before_the_data_they_are_missing(table):
    assert value(table, "ad_clicks") == 40
    assert value(table, "ad_clicks", quarter="2026Q2") == 0
    assert value(table, "ad_clicks", quarter="2026Q1") == "no_data"
    assert value(table, "ad_impressions", quarter="2026Q1") == "no_data"
    assert slices(table, "ad_clicks", "channel", quarter="2026Q1") == {
        "linkedin_ads": "no_data",
        "google_ads": "no_data",
    }


def test_ad_spend_has_its_budget_beside_it_and_no_verdict(table):
    assert value(table, "ad_spend") == 160
    assert value(table, "ad_spend", quarter="2026Q2") == 5
    assert value(table, "ad_spend", quarter="2026Q1") == "no_data"
    assert reading(table, "ad_spend")["target"] == 200
    assert reading(table, "ad_spend", "channel", "google_ads")["target"] == 150
    assert reading(table, "ad_spend")["status"] == "none"


# A leap day is priced as the 28th; no rate is older than seven days.
ABROAD = {
    "fx": """
        currency | day        | rate
        USD      | 2023-02-20 | 0.5
        USD      | 2023-02-28 | 0.6
        USD      | 2023-03-01 | 0.7
        USD      | 2024-02-24 | 0.9
        USD      | 2024-03-10 | 0.8
        """,
    "ad_days": """
        day        | platform | channel      | impressions | clicks | cost  | currency
        2023-12-31 | linkedin | linkedin_ads | 1           | 1      | 100   | USD
        2024-02-27 | linkedin | linkedin_ads | 1           | 1      | 10    | USD
        2024-02-28 | linkedin | linkedin_ads | 1           | 1      | 100   | USD
        2024-02-29 | linkedin | linkedin_ads | 1           | 1      | 1000  | USD
        2024-03-01 | linkedin | linkedin_ads | 1           | 1      | 10000 | USD
        2024-03-10 | linkedin | linkedin_ads | 1           | 1      | 1     | USD
        2024-03-10 | google   | google_ads   | 1           | 1      | 5     | EUR
        """,
}


def test_ad_spend_at_the_rates_of_the_year_before_takes_the_28th_for_a_leap_day(tmp_path: Path):
    table = read(company(tmp_path, ABROAD), "ad_spend", by=["exchange_rates"], quarter="2024Q1")
    now, before = (reading(table, "ad_spend", *of) for of in ((), ("exchange_rates", "of the year before")))
    assert value(table, "ad_spend") == 10004.8  # 9, 90, 900 and 9,000 at the 0.9 of up to six days before, 0.8, 5 EUR
    assert before["value"] == 7670  # 5, 60, 600, 7,000, 5 EUR; the dollar of 10 March has no rate
    assert before["caveats"] == "1 of 6 carry no amount or no exchange rate"
    assert (now["n"], before["n"]) == (6, 6)
    assert value(table, "ad_spend", "exchange_rates", "of the year before", quarter="2023Q4") == "no_data"


def test_ad_click_rate_is_clicks_over_impressions_and_not_a_mean_of_rates(table):
    assert value(table, "ad_click_rate") == 0.005  # 40 of 8,000; the mean of the three days would be 0.0061
    assert slices(table, "ad_click_rate", "ad_type") == {"video": 0.01, "image": 0.003333333, "not stated": 0.005}
    assert slices(table, "ad_click_rate", "programme") == {"one_to_one": 0.005, "no programme": 0.005}
    assert slices(table, "ad_click_rate", "month") == {"2026-07": 0.01, "2026-08": 0.003333333, "2026-09": 0.005}
    found = reading(table, "ad_click_rate")
    assert (found["numerator"], found["denominator"], found["n"]) == (40, 8000, 8000)
    assert found["low"] < 0.005 < found["high"] and found["method"] == "Wilson, 95%"


def test_ad_click_rate_without_impressions_is_undefined(table):
    assert value(table, "ad_click_rate", quarter="2026Q2") == "undefined"
    assert reading(table, "ad_click_rate", quarter="2026Q2")["caveats"] == "no impressions"


def test_ad_cost_per_thousand_is_spend_for_each_thousand_impressions(table):
    assert value(table, "ad_cost_per_thousand") == 20  # 160 for 8 thousand
    assert slices(table, "ad_cost_per_thousand", "channel") == {"linkedin_ads": 15, "google_ads": 25}
    assert value(table, "ad_cost_per_thousand", quarter="2026Q2") == "undefined"


def test_ad_cost_per_click_is_spend_for_each_click(table):
    assert value(table, "ad_cost_per_click") == 4
    assert slices(table, "ad_cost_per_click", "campaign") == {"Launch": 3, "no campaign": 5}
    assert value(table, "ad_cost_per_click", quarter="2026Q2") == "undefined"
    assert reading(table, "ad_cost_per_click", quarter="2026Q2")["caveats"] == "no clicks"


def test_ad_target_reach_rate_counts_the_accounts_listed_when_the_quarter_began(table):
    found = reading(table, "ad_target_reach_rate")
    assert (found["numerator"], found["denominator"]) == (2, 4)  # One and Two of the first four; Five joined in August
    assert slices(table, "ad_target_reach_rate", "tier") == {"1": 1, "2": 0}
    assert slices(table, "ad_target_reach_rate", "programme") == {"one_to_one": 1, "one_to_few": 0.333333333}


def test_ad_target_reach_rate_is_0_where_nobody_was_reached_and_undefined_without_a_list(table):
    assert value(table, "ad_target_reach_rate", quarter="2026Q2") == 0
    assert value(table, "ad_target_reach_rate", quarter="2025Q4") == "undefined"  # the list begins in 2026
    assert value(table, "ad_target_reach_rate", quarter="2025Q3") == "no_data"


def test_ad_frequency_is_impressions_on_reached_target_accounts_over_those_accounts(on_frequency):
    assert value(on_frequency, "ad_frequency") == 30  # 40 on One and 20 on Two
    assert slices(on_frequency, "ad_frequency", "tier") == {"1": 30, "2": "undefined"}
    assert value(on_frequency, "ad_frequency", quarter="2026Q2") == "undefined"


def test_ad_frequency_switched_off_says_so(table):
    assert value(table, "ad_frequency") == "switched_off"


def test_ad_target_engagement_rate_asks_for_a_click_or_a_reaction(table):
    found = reading(table, "ad_target_engagement_rate")
    assert (found["numerator"], found["denominator"]) == (1, 2)  # One reacted and clicked, Two only saw
    assert slices(table, "ad_target_engagement_rate", "channel") == {
        "linkedin_ads": 0.5,
        "google_ads": 1,
        "none measured": "undefined",
    }
    assert slices(table, "ad_target_engagement_rate", "tier") == {"1": 0.5, "2": "undefined"}
    assert value(table, "ad_target_engagement_rate", quarter="2026Q2") == "undefined"


def test_ad_experiment_difference_is_the_variant_minus_the_control_from_the_planned_start(trials):
    found = reading(trials, "ad_experiment_difference", "experiment", "Fair split")
    assert round(found["value"], 9) == 0.02  # 60 of 2,000, half of the impressions served in June, less 20 of 2,000
    assert 0 < found["low"] < 0.02 < found["high"] and found["n"] == 4000
    assert value(trials, "ad_experiment_difference", "experiment", "Long text") == "undefined"  # the variant never ran


def test_ad_experiment_difference_has_no_range_before_the_planned_end_or_where_the_split_was_not_made_by_lot(trials):
    told = {}
    for name in ("Still on", "Blue button"):
        found = reading(trials, "ad_experiment_difference", "experiment", name)
        assert pd.isna(found["low"]) and pd.isna(found["high"])
        told[name] = round(found["value"], 9), found["caveats"]
    assert told["Still on"] == (0.08, "runs until 2026-10-31: no verdict before")
    # 30 of 1,000 less 10 of 1,000; the first and last row lie outside the plan. Half was the control's, 40 % planned.
    assert told["Blue button"] == (0.02, "sample-ratio mismatch: no verdict on the difference")
    said = findings(Readings(trials.assign(status="no_target"), REGISTER, "2026Q3"), ["ads"])
    assert [each.row.slice for each in said if each.row.metric == "ad_experiment_difference"] == ["Fair split"]


def test_ad_experiment_control_share_is_what_the_control_was_served(trials):
    assert slices(trials, "ad_experiment_control_share", "experiment") == {
        "Blue button": 0.5, "Long text": 1, "Fair split": 0.5, "Still on": 0.5,
    }  # fmt: skip


def test_ad_experiment_sample_ratio_says_when_a_split_was_not_made_by_lot(trials):
    # 1,000 of 2,000 where 800 were planned: chi-squared is 200² ÷ 480.
    found = reading(trials, "ad_experiment_sample_ratio", "experiment", "Blue button")
    assert found["value"] == pytest.approx(scipy.stats.chisquare([1000, 1000], [800, 1200]).pvalue, rel=1e-9)
    assert "50.0% served to the control, 40.0% planned; sample-ratio mismatch" in found["caveats"]
    other = reading(trials, "ad_experiment_sample_ratio", "experiment", "Long text")
    assert other["missing_because"] == "undefined" and other["caveats"] == "no planned split"


def test_ad_click_share_by_title_puts_cells_under_three_clicks_together(table):
    assert slices(table, "ad_click_share_by_title", "title") == {"CFO": 0.5, "not stated": 0.25, "under 3": 0.25}
    assert slices(table, "ad_click_share_by_title", "seniority") == {"chief": 0.666666667, "junior": 0.333333333}


def test_ad_click_share_by_title_without_a_click_has_no_share(table):
    found = slices(table, "ad_click_share_by_title", "title", quarter="2026Q2")
    assert not [share for share in found.values() if not isinstance(share, str)]


def test_ad_engaged_companies_counts_companies_on_the_list_or_not_once(table):
    assert value(table, "ad_engaged_companies") == 3  # One on two channels, Five, and Acme that is no account
    assert slices(table, "ad_engaged_companies", "tier") == {"1": 1, "not on the list": 2}
    assert slices(table, "ad_engaged_companies", "industry") == {"steel": 1, "paper": 1, "unknown": 1}
    assert slices(table, "ad_engaged_companies", "account") == {"One": 1, "Five": 1, "Acme": 1}
    assert value(table, "ad_engaged_companies", quarter="2026Q2") == 0
    assert value(table, "ad_engaged_companies", quarter="2025Q3") == "no_data"


def test_metrics_of_a_table_that_nobody_delivers_are_not_collected(trials):
    assert value(trials, "ad_impressions") == 11000
    for metric in ("ad_target_reach_rate", "ad_click_share_by_title", "ad_engaged_companies"):
        assert value(trials, metric) == "not_collected"
    assert "ad_account_days" in reading(trials, "ad_target_reach_rate")["caveats"]


def test_more_clicks_than_impressions_are_no_share_and_no_crash(tmp_path):
    """Platforms bill clicks a day after the impression they belong to."""
    late = {
        "ad_days": """
            day        | platform | channel      | ad_id | impressions | clicks | cost | currency
            2026-07-31 | linkedin | linkedin_ads | ad1   | 100         | 0      | 1    | EUR
            2026-08-01 | linkedin | linkedin_ads | ad1   | 1           | 2      | 1    | EUR
            """
    }
    table = read(company(tmp_path, late), "ad_click_rate", by=["month"])
    assert value(table, "ad_click_rate") == round(2 / 101, 9)
    assert isinstance(value(table, "ad_click_rate", "month", "2026-08"), str)
