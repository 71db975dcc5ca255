"""Every number that the four articles work out, reproduced: one company in variants, each number with its parts put in.

F01 to F17 are the ids by which the requirements name them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from tiny import company, deals, read, reading, value

from abm_lib.metric import REGISTER
from abm_lib.show.rows import Readings, Row

DAYS_A_MONTH = 30.4375
ACCOUNTS = range(1, 21)
BASE = {
    "accounts": "account_id | name | segment\n" + "\n".join(f"a{n} | Account {n} | enterprise" for n in ACCOUNTS),
    "account_lists": "account_id | is_target | tier | valid_from\n"
    + "\n".join(f"a{n} | yes | {1 if n <= 10 else 3} | 2025-01-01" for n in ACCOUNTS),
}
TARGETS = """
    metric             | period | slice_by      | slice | value    | currency | kind   | agreed_by
    closed_won_revenue | 2026Q3 | business_type | new   | 10000000 | EUR      | target | CFO
    """


def told(tables: dict[str, str], *metrics: str, settings: str = "") -> pd.DataFrame:
    """The readings of the company with these tables beside its accounts and target list."""
    with TemporaryDirectory() as folder:
        return read(company(Path(folder), BASE | tables, settings), *metrics)


def shown(found: pd.DataFrame, metric: str, by: str = "", label: str = "") -> str:
    """A reading as a page prints it, its parts put in."""
    readings = Readings(found, REGISTER, "2026Q3")
    rows: list[Row] = [r for r in readings.rows(metric) if (r.slice_by, r.slice) == (by, label)]
    assert len(rows) == 1
    return rows[0].substituted


def due(amount: int) -> str:
    """Four open deals, due in the quarter, that were qualified before it."""
    lines = [f"d{n} | a{n} | 2026-05-01 | | | {amount // 4} | 2026-09-15" for n in range(1, 5)]
    lines.append("x1 | a5 | | 2026-08-01 | lost | | ")  # never qualified; it shows that the data reach into the quarter
    return "\n".join(["deal | account_id | qualified | ended | stage | amount | due", *lines])


def test_f01_forty_million_open_over_a_target_of_ten_is_four_times() -> None:
    found = told(deals(due(40_000_000)) | {"targets": TARGETS}, "pipeline_coverage", "open_pipeline")
    assert shown(found, "pipeline_coverage") == "€40.0M ÷ €10.0M = 4.0x"


@pytest.mark.parametrize(("amount", "by_quarter", "status", "printed"), [
    (29_000_000, "", "bad", "€29.0M ÷ €10.0M = 2.9x"),
    (30_000_000, "", "good", "€30.0M ÷ €10.0M = 3.0x"),
    (30_000_000, "2026Q3 = 3.5", "bad", "€30.0M ÷ €10.0M = 3.0x"),
])  # fmt: skip
def test_f02_the_yardstick_of_three_tells_2_9_from_3_0_and_may_be_moved_for_a_quarter(
    amount: int, by_quarter: str, status: str, printed: str
) -> None:
    agreed = f'[coverage]\nyardstick = 3.0\nagreed_by = "CFO"\n[coverage.yardstick_by_quarter]\n{by_quarter}'
    found = told(
        deals(due(amount)) | {"targets": TARGETS},
        "pipeline_coverage",
        "open_pipeline",
        settings=agreed + "\n[min_n]\ncolour = 1\nquarters = 0\ndeals = 0",
    )
    row = reading(found, "pipeline_coverage")
    assert shown(found, "pipeline_coverage") == printed
    assert row["status"] == status
    assert row["target"] == (3.5 if by_quarter else 3.0)


@cache
def created() -> pd.DataFrame:
    """Twenty opportunities of 125,000 qualified on 1 September: 14 by marketing, 12 after three responses of two people."""
    lines = [f"o{n} | a{n} | 2026-09-01 | | | 125000 | {'LinkedIn' if n <= 14 else 'Cold Call'}" for n in ACCOUNTS]
    touched = [
        f"t{n}-{k} | 2026-08-0{k + 1} 10:00 | a{n} | a{n}-p{k % 2} | linkedin_ads | {'form' if n <= 12 else 'impression'} | yes"
        for n in range(1, 14)
        for k in range(3)
    ]
    booked = [f"m{n} | demo | a{1 + n % 20} | 2026-08-10 10:00 | 2026-08-{10 + n % 15} 10:00 | held" for n in range(30)]
    tables = deals("\n".join(["deal | account_id | qualified | ended | stage | amount | source", *lines]))
    return told(tables | {
        "touches": "\n".join(["touch_id | touched_at | account_id | person_id | channel | kind | is_response", *touched]),
        "meetings": "\n".join(["meeting_id | kind | account_id | booked_at | starts_at | outcome", *booked]),
    }, "marketing_sourced_pipeline_share", "meetings_booked", "opportunities_created", "pipeline_created", "influenced_pipeline",
       "influenced_pipeline_share")  # fmt: skip


def test_f03_marketing_brings_seventy_per_cent_of_new_business_pipeline() -> None:
    assert shown(created(), "marketing_sourced_pipeline_share") == "€1.75M ÷ €2.50M = 70%"


def test_f04_the_steps_of_a_landing_page_never_rise() -> None:
    views = [f"v{n} | s{n} | u{n} | 2026-08-01 10:00 | /start | yes | {depth}"
             for n, depth in enumerate([10, 25, 40, 50, 60, 75, 80, 100])]  # fmt: skip
    drawn = {
        "page_views": "\n".join(
            ["view_id | session_id | visitor_id | viewed_at | page | is_landing | scroll_percent", *views]
        )
    }
    found = told(drawn, "scroll_depth_rate")
    depths = [value(found, "scroll_depth_rate", "depth", str(step)) for step in (25, 50, 75, 100)]
    assert depths == [7 / 8, 5 / 8, 3 / 8, 1 / 8]
    printed = [shown(found, "scroll_depth_rate", "depth", str(step)) for step in (25, 50, 75, 100)]
    assert printed == ["7 ÷ 8 = 88%", "5 ÷ 8 = 62%", "3 ÷ 8 = 38%", "1 ÷ 8 = 12%"]


def test_f05_ten_conversions_over_a_hundred_interactions_are_ten_per_cent() -> None:
    """Ten accounts are engaged; each answers ten times in the quarter and has one opportunity created."""
    touched = [
        f"t{n}-{k} | 2026-08-{k + 1:02} 10:00 | a{n} | a{n}-p{k % 2} | email | email_reply | yes"
        for n in range(1, 11)
        for k in range(10)
    ]
    lines = [f"o{n} | a{n} | 2026-09-01 | | | 1000" for n in range(1, 11)]
    drawn = deals("\n".join(["deal | account_id | qualified | ended | stage | amount", *lines]))
    drawn["touches"] = "\n".join(
        ["touch_id | touched_at | account_id | person_id | channel | kind | is_response", *touched]
    )
    assert shown(told(drawn, "engagement_conversion_rate"), "engagement_conversion_rate") == "10 ÷ 100 = 10%"


def test_f06_half_a_million_over_five_years_is_a_contract_value_of_100_000_a_year() -> None:
    drawn = "deal | account_id | qualified | ended | stage | amount | term_months\nd1 | a1 | 2026-02-01 | 2026-08-01 | won | 500000 | 60"
    found = told(deals(drawn), "average_contract_value")
    assert value(found, "average_contract_value") == 100_000
    assert shown(found, "average_contract_value") == "€100k ÷ 1 = €100k"  # of one deal: 500,000 over 60 months


def test_f07_ten_target_accounts_visited_within_sixty_days_and_an_eleventh_on_day_61_is_out() -> None:
    first, before = date(2026, 10, 1) - timedelta(days=60), date(2026, 10, 1) - timedelta(days=61)
    views = [f"v{n} | s{n} | u{n} | {first} 12:00 | / | a{n}" for n in range(1, 11)]
    views.append(f"v11 | s11 | u11 | {before} 12:00 | / | a11")
    drawn = {"page_views": "\n".join(["view_id | session_id | visitor_id | viewed_at | page | account_id", *views])}
    found = told(drawn, "target_accounts_visiting", "target_account_visit_rate")
    assert value(found, "target_accounts_visiting") == 10
    assert value(found, "target_accounts_visiting", "window", "quarter") == 11
    assert shown(found, "target_accounts_visiting") == "10"
    assert shown(found, "target_account_visit_rate") == "10 ÷ 20 = 50%"


def engaged(people: dict[str, int]) -> dict[str, str]:
    """So many people of each account acted in September; tier 1 has a team of 12, tier 3 of 3."""
    acts = [
        f"{a}-{n} | 2026-09-02 10:00 | {a} | {a}-p{n} | email | email_reply | yes"
        for a, k in people.items()
        for n in range(k)
    ]
    told_people = [f"{a}-p{n} | {a}" for a, k in people.items() for n in range(k)]
    listed = [f"a{n} | yes | {1 if n == 1 else 3} | 2025-01-01" for n in (1, 2)]
    return {
        "touches": "\n".join(["touch_id | touched_at | account_id | person_id | channel | kind | is_response", *acts]),
        "people": "\n".join(["person_id | account_id", *told_people]),
        "account_lists": "\n".join(["account_id | is_target | tier | valid_from", *listed]),
    }


def test_f08_nine_of_a_team_of_twelve_are_75_per_cent() -> None:
    found = told(engaged({"a1": 9}), "buying_group_penetration")
    assert shown(found, "buying_group_penetration", "tier", "1") == "9 ÷ 12 = 75%"
    assert shown(found, "buying_group_penetration", "tier", "3") == "0 ÷ 3 = 0%"  # its team is of three


def test_f09_sixty_per_cent_of_target_accounts_progressed_in_thirty_days() -> None:
    stages = [f"a{n} | cold | 2026-01-01 00:00" for n in ACCOUNTS]
    stages += [f"a{n} | engaged | 2026-09-{n + 5:02} 00:00" for n in range(1, 13)]
    drawn = {"account_stages": "\n".join(["account_id | stage | entered_at", *stages])}
    assert shown(told(drawn, "accounts_progressed_rate"), "accounts_progressed_rate") == "12 ÷ 20 = 60%"


def test_f10_thirty_meetings_twenty_opportunities_two_and_a_half_million_of_which_one_and_a_half_influenced() -> None:
    assert value(created(), "meetings_booked") == 30
    assert value(created(), "opportunities_created") == 20
    assert value(created(), "pipeline_created") == 2_500_000
    assert value(created(), "influenced_pipeline") == 1_500_000
    totals = ("meetings_booked", "opportunities_created", "pipeline_created", "influenced_pipeline")
    assert [shown(created(), metric) for metric in totals] == ["30", "20", "€2.50M", "€1.50M"]
    assert shown(created(), "influenced_pipeline_share") == "€1.50M ÷ €2.50M = 60%"


def test_f11_six_months_to_an_opportunity_and_ten_to_win_it() -> None:
    """Months are days over 30.4375; a mean of 304.375 days over eight deals is ten, a middle of 182 and 183 is six."""
    lines, touched = [], []
    for n in range(1, 9):
        qualified = date(2025, 10, 20) if n <= 5 else date(2025, 10, 21)
        lines.append(
            f"d{n} | a{n} | {qualified} | {date(2025, 10, 20) + timedelta(days=304 + (n > 5) * 2)} | won | 1000"
        )
        created_on = date(2026, 9, 1)
        lines.append(f"o{n} | a{n + 8} | {created_on} | | | 1000")
        touched.append(
            f"t{n} | {created_on - timedelta(days=182 + n % 2)} 10:00 | a{n + 8} | p{n} | email | email_reply | yes"
        )
    drawn = deals("\n".join(["deal | account_id | qualified | ended | stage | amount", *lines]))
    drawn["touches"] = "\n".join(
        ["touch_id | touched_at | account_id | person_id | channel | kind | is_response", *touched]
    )
    found = told(drawn, "sales_cycle_days_won", "pipeline_generation_days")
    assert value(found, "sales_cycle_days_won") == 304.375
    assert shown(found, "sales_cycle_days_won") == "2,435 ÷ 8 = 304 days"
    assert shown(found, "pipeline_generation_days") == "182 days"
    assert round(304.375 / DAYS_A_MONTH, 1) == 10.0
    assert round(value(found, "pipeline_generation_days") / DAYS_A_MONTH, 1) == 6.0


def closed(won: int, lost: int, amount: int) -> dict[str, str]:
    ends = ["won"] * won + ["lost"] * lost
    lines = [
        f"c{n} | a{1 + n % 20} | 2026-02-01 | 2026-08-{1 + n % 28:02} | {end} | {amount}" for n, end in enumerate(ends)
    ]
    return deals("\n".join(["deal | account_id | qualified | ended | stage | amount", *lines]))


def test_f12_a_price_of_100_000_a_win_rate_of_60_per_cent_and_a_million_retained() -> None:
    subscriptions = "\n".join(
        ["event_id | account_id | effective_on | kind | arr_change | currency"]
        + [f"s{n} | a{n} | 2026-01-01 | new | 100000 | EUR" for n in range(1, 11)]
        + ["x1 | a1 | 2026-08-01 | expansion | 50000 | EUR", "x2 | a2 | 2026-08-01 | contraction | -50000 | EUR"]
    )
    metrics = ("average_selling_price", "win_rate_closed", "net_revenue_retention", "retained_revenue")
    found = told(closed(6, 4, 100_000) | {"subscriptions": subscriptions}, *metrics)
    assert value(found, "average_selling_price") == 100_000
    assert shown(found, "average_selling_price") == "€600k ÷ 6 = €100k"
    assert shown(found, "win_rate_closed") == "6 ÷ 10 = 60%"
    assert value(found, "retained_revenue") == 1_000_000
    assert shown(found, "retained_revenue") == "€1.00M"
    assert shown(found, "net_revenue_retention") == "€1.00M ÷ €1.00M = 100%"


def test_f13_one_theme_brings_eighty_per_cent_of_the_results() -> None:
    views = [
        f"v{n} | s{n} | u{n} | 2026-08-01 1{n}:00 | /{'time' if n < 8 else 'cost'} | a{n + 1} | 30" for n in range(10)
    ]
    drawn = {
        "assets": "asset_id | title | page | theme\nx1 | Saving time | /time | productivity\nx2 | Cost | /cost | price",
        "page_views": "\n".join(
            ["view_id | session_id | visitor_id | viewed_at | page | account_id | engaged_seconds", *views]
        ),
    }
    assert shown(told(drawn, "top_theme_share"), "top_theme_share") == "8 ÷ 10 = 80%"


def test_f14_half_of_tier_1_is_worth_more_than_half_of_tier_3() -> None:
    half, whole = (told(engaged(people), "tier_weighted_penetration") for people in ({"a1": 6}, {"a2": 3}))
    first, third = (value(found, "tier_weighted_penetration") for found in (half, whole))
    assert first == 0.375  # (3 x 50% + 1 x 0%) over weights of 3 and 1
    assert third / 2 == 0.125  # half of tier 3, where all of it gives a quarter
    assert first > third / 2
    assert shown(half, "tier_weighted_penetration") == "1.5 ÷ 4 = 38%"
    assert shown(whole, "tier_weighted_penetration") == "1 ÷ 4 = 25%"


@pytest.mark.parametrize(
    ("period", "rate", "printed"),
    [("quarter", 0.6, "6 ÷ 10 = 60%"), ("trailing_4_quarters", 0.375, "6 ÷ 16 = 38%")],
)
def test_f15_the_canonical_period_is_named_once_and_every_headline_win_rate_follows_it(
    period: str, rate: float, printed: str
) -> None:
    drawn = closed(6, 4, 1000)
    lines = [f"p{n} | a{n} | 2026-01-05 | 2026-05-05 | lost | 1000" for n in range(1, 7)]
    earlier = deals("\n".join(["deal | account_id | qualified | ended | stage | amount", *lines]))
    drawn = {name: text + "\n" + earlier[name].split("\n", 1)[1] for name, text in drawn.items()}
    found = told(
        drawn, "win_rate_closed", "win_rate_closed_value", settings=f'[win_rate]\ncanonical_period = "{period}"'
    )
    assert value(found, "win_rate_closed") == rate
    assert shown(found, "win_rate_closed") == printed
    assert value(found, "win_rate_closed_value") == rate
    assert value(found, "win_rate_closed", "segment", "enterprise") == rate


def test_f16_one_impression_alone_influences_nothing() -> None:
    found = created()  # the thirteenth opportunity has three impressions and no more
    assert value(found, "influenced_pipeline", "rule", "any_touch") == 12 * 125_000
    assert shown(found, "influenced_pipeline", "rule", "any_touch") == "€1.50M"


@pytest.mark.parametrize(("won", "lost", "needed"), [(6, 4, "1.7x"), (3, 6, "3.0x"), (3, 9, "4.0x")])
def test_f17_a_win_rate_says_how_much_pipeline_a_target_needs(won: int, lost: int, needed: str) -> None:
    found = told(closed(won, lost, 1000), "required_pipeline_coverage")
    assert value(found, "required_pipeline_coverage", "method", "win_rate") == pytest.approx((won + lost) / won)
    assert shown(found, "required_pipeline_coverage", "method", "win_rate").endswith(f"= {needed}")
