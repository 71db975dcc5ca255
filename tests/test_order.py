"""In what order slices stand, which of many are shown, and what they are called."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
import readings_fixture as invented

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib.metric import REGISTER
from abm_lib.show.fragment import Figure
from abm_lib.show.names import heading
from abm_lib.show.rates import rates
from abm_lib.show.rows import Readings, Row
from abm_lib.show.tables import behind, crossed, first_shown, of_slices
from abm_lib.show.tiles import Tile, scorecard
from abm_lib.show.trends import HEIGHT, Remark, placed, trend
from abm_lib.show.verdict import verdict
from abm_lib.show.wholes import ranked


def slices(metric: str, dimension: str, values: dict[str, float | None], **more: Any) -> list[Row]:
    """Readings of slices in the alphabet's order, in which readings.csv has them."""
    records = [
        invented.row(metric, slice_by=dimension, slice=name, value=value, n=20) | more
        for name, value in sorted(values.items())
    ]
    return Readings(pd.DataFrame(records), invented.REGISTER, invented.NOW).slices(metric, dimension)


def cells(html: str, of: str) -> list[str]:
    """The texts of the elements that a pattern of an opening tag finds."""
    return [re.sub("<.*?>", "", text) for text in re.findall(rf"<{of}>(.*?)</t[hd]>", html)]


def heads(html: str) -> list[str]:
    return cells(html, 'th scope="col"(?: class="text")?')


def names(html: str) -> list[str]:
    return cells(html, 'th scope="row"')


def texts(figure: Figure) -> list[str]:
    layers = figure.drawings[0].spec["layer"]
    return [r["text"] for layer in layers if layer["mark"]["type"] == "text" for r in layer["data"]["values"]]


def test_numbers_stand_in_their_order_across_a_grid_and_times_down_it() -> None:
    depths = crossed("a", slices("ad_clicks", "depth/landing_page", {f"{d}/p{i}": d for d in (25, 50, 75, 100) for i in range(5)}),
                     "depth/landing_page")  # fmt: skip
    assert heads(depths.html) == ["Landing page", "Depth 25", "Depth 50", "Depth 75", "Depth 100"]
    sums = {"2025Q4": 9, "2026Q1": 1, "2026Q2": 5}
    record = {f"{quarter}/{what}": value for quarter, value in sums.items() for what in ("came", "expected")}
    past = crossed("b", slices("ad_clicks", "creation_quarter/record", record), "creation_quarter/record")
    assert names(past.html) == ["Q4 2025", "Q1 2026", "Q2 2026"]


def test_the_movements_of_a_grid_stand_from_the_opening_to_the_closing_and_those_of_nothing_are_left_out() -> None:
    moves = {
        "opening": 9,
        "created": 5,
        "amount_up": 1,
        "won": -4,
        "lost": -3,
        "fx": 1,
        "re_tiered": 2,
        "closing": 11,
        "deleted": 0,
    }
    rows = slices("pipeline_movement", "movement/tier", {f"{move}/{t}": v for move, v in moves.items() for t in "12"})
    html = crossed("a", rows, "movement/tier").html
    assert names(html) == ["Opening", "Created", "Amount up", "Won", "Lost", "Tier changed", "Exchange rate", "Closing"]
    assert "1 more in" in html


def test_of_many_lines_without_an_order_the_largest_are_shown_and_the_others_counted() -> None:
    values = {f"{theme}/{t}": float(i) for i, theme in enumerate("abcdefghij") for t in "12"}
    html = crossed("a", slices("ad_clicks", "theme/tier", values), "theme/tier").html
    assert names(html) == ["J", "I", "H", "G", "F", "E"] and "4 more in" in html


def test_a_table_of_quarters_has_the_newest_ones_too() -> None:
    quarters = dict.fromkeys(invented.QUARTERS, 5.0)
    rows = slices("ad_clicks", "entry_quarter", quarters)
    assert len(names(of_slices("a", rows, None, "Entry quarter").html)) == len(quarters) == 8
    many = slices(
        "ad_clicks", "entry_quarter", {f"{year}Q{n}": 5.0 for year in range(2021, 2026) for n in (1, 2, 3, 4)}
    )
    assert names(of_slices("a", many, None, "Entry quarter").html)[0::12] == ["Q4 2022", "Q4 2025"]
    owners = slices("ad_clicks", "owner", {f"o{i}": float(i) for i in range(8)})
    assert len(names(of_slices("a", owners, None, "Owner").html)) == 6


def test_of_many_years_the_last_are_drawn_and_the_note_says_so() -> None:
    figure = rates(slices("win_rate_closed", "cohort", {str(year): 0.4 for year in range(2016, 2026)}), None, "cohort")
    assert [text for text in texts(figure) if text.startswith("Cohort")] == [f"Cohort {y}" for y in range(2018, 2026)]
    assert figure.notes == ["The last are drawn; 2 more in readings.csv."]
    assert names(figure.table.html)[0] == "Cohort 2016", "the table has them in order"


def test_of_many_parts_of_one_whole_the_largest_are_shown() -> None:
    parts = {name: 0.01 + i / 100 for i, name in enumerate("abcdefghij")}
    rows = slices("ad_click_rate", "channel", parts, n=175.0, denominator=175.0)
    assert names(of_slices("a", first_shown(rows), None, "Channel").html) == ["J", "I", "H", "G", "F", "E"]
    assert {"J", "E"} <= set(texts(rates(rows, None, "channel"))) and "A" not in texts(rates(rows, None, "channel"))


def test_of_cohorts_none_is_called_apart_from_others_that_are_older() -> None:
    quarters = {"2025Q4": 0.9, "2026Q1": 0.5, "2026Q2": 0.01}
    rows = slices("win_rate_cohort", "creation_quarter", quarters, low=0.0, high=0.001, denominator=500.0, n=500.0)
    title = rates(rows, None, "creation_quarter").title.replace("\N{NO-BREAK SPACE}", " ")
    assert title == "Win rate of the cohort: Q4 2025 90%, Q2 2026 1.0%"


@pytest.mark.parametrize("n", [500.0, 2.0])
def test_of_depths_none_is_called_apart_for_who_scrolled_to_the_next_is_in_both(n: float) -> None:
    depths = {"25/display": 0.9, "50/display": 0.5, "100/display": 0.01}
    rows = slices("win_rate_cohort", "depth/channel", depths, low=0.0, high=0.001, denominator=n, n=n)
    title = rates(rows, None, "depth/channel").title.replace("\N{NO-BREAK SPACE}", " ")
    assert title == "Win rate of the cohort: Depth 25 90%, Depth 100 1.0%"


def test_bars_of_quarters_stand_in_time_and_those_in_which_nothing_is_due_are_left_to_the_table() -> None:
    due = {f"{year}Q{n}": 0.0 for year in (2024, 2025) for n in (1, 2, 3, 4)} | {
        "2026Q4": 8.0,
        "2027Q1": 9.0,
        "overdue": 1.0,
    }
    figure = ranked(slices("open_pipeline", "close_quarter", due), None, "close_quarter")
    assert [t for t in texts(figure) if re.match("Q|Overdue", t)] == ["Overdue", "Q4 2026", "Q1 2027"]
    assert names(figure.table.html)[:2] == ["Overdue", "Q1 2024"], "the table has all of them in order"


def test_a_name_over_its_bar_is_cut_where_the_page_ends_and_not_before() -> None:
    figure = ranked(
        slices("ad_spend", "campaign", {"Energy sponsored content, li 2026-04": 3.0, "b": 2.0}), None, "campaign"
    )
    assert "Energy sponsored content, li 2026-04" in texts(figure)


def test_bars_of_the_rest_that_is_nothing_are_not_drawn() -> None:
    many = slices(
        "ad_clicks", "channel", dict(zip("abcdefghi", (9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 0.0, 0.0, 0.0), strict=True))
    )
    assert not any(text.startswith("Other") for text in texts(ranked(many, None, "channel")))
    more = slices(
        "ad_clicks", "channel", dict(zip("abcdefghi", (9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 1.0, 0.0, 0.0), strict=True))
    )
    assert "Other (3)" in texts(ranked(more, None, "channel"))


def test_what_belongs_to_no_campaign_leads_nothing() -> None:
    figure = ranked(slices("ad_clicks", "campaign", {"no campaign": 9.0, "Uptime": 3.0}), None, "campaign")
    assert figure.title == "Ad clicks: Uptime leads those named with 3, 25% of 12"


def test_a_slice_that_is_another_number_than_its_metric_is_not_called_by_it_alone() -> None:
    figure = rates(slices("win_rate_cohort", "matured_share", {"2026Q1": 1.0, "2026Q2": 0.4}), None, "matured_share")
    assert figure.title.startswith("Win rate of the cohort, matured share: ")


def test_one_is_said_of_one() -> None:
    def row(n: float, counts: str) -> Row:
        record = invented.row("sales_cycle_days", value=5.0, n=n, counts=counts)
        return Readings(pd.DataFrame([record]), invented.REGISTER, invented.NOW).rows("sales_cycle_days")[0]

    counts = {"accounts": "1 account", "people": "1 person", "opportunities": "1 opportunity", "stays": "1 stay"}
    assert {many: row(1, many).made_of for many in counts} == counts
    assert row(2, "people").made_of == "2 people"


def test_of_what_is_counted_there_are_fewer_and_of_money_there_is_less() -> None:
    def words(metric: str, **told: float) -> str:
        record = invented.row(metric, value=5.0, year_ago=6.0, target=None, better="higher", **told)
        return verdict(Readings(pd.DataFrame([record]), invented.REGISTER, invented.NOW).rows(metric)[0]).words

    assert words("deals_won") == "1 fewer than Q3 2025" and words("closed_won_revenue") == "€1 less than Q3 2025"


def test_sources_that_differ_by_a_capital_alone_are_called_as_they_are_written() -> None:
    rows = slices(
        "ad_clicks", "source", {"outbound": 3.0, "Outbound": 2.0, "review_site": 1.0, "linkedin": 1.0, "Linkedin": 1.0}
    )
    assert {row.name for row in rows} == {"outbound", "Outbound", "Review site", "linkedin", "Linkedin"}


def test_names_stand_after_the_numbers_beside_them() -> None:
    tiers = slices("ad_clicks", "tier", {"1": 1.0, "2": 1.0, "not on the list": 9.0})
    assert [row.name for row in tiers] == ["Tier 1", "Tier 2", "Not on the list"]
    touches = slices("win_rate_closed", "least_touches", {"13": 0.1, "2": 0.2})
    assert [row.name for row in touches] == ["2 or more touches", "13 or more touches"]


def test_each_remark_over_a_line_has_a_line_of_its_own() -> None:
    rows = [
        Readings(pd.DataFrame([invented.row("ad_clicks", q, value=5.0)]), invented.REGISTER, invented.NOW).rows("ad_clicks", q)[0]
        for q in invented.QUARTERS
    ]  # fmt: skip
    said = [Remark(f"{row.period_start[:8]}10", f"What happened in {row.quarter}") for row in rows]
    layers = trend(rows, remarks=said).drawings[0].spec["layer"]
    places = [r["y"] for layer in layers if layer["mark"]["type"] == "text"
              for r in layer["data"]["values"] if str(r["text"]).startswith("What happened")]  # fmt: skip
    assert len(places) == len(set(places)) == 8 and max(places) < 0 < HEIGHT


def test_a_score_and_a_mean_say_of_how_many_answers_they_are_and_no_parts_that_nobody_can_count() -> None:
    def read(metric: str, **told: Any) -> Row:
        record = invented.row("ad_clicks") | {"metric": metric, "counts": "answers", "n": 24.0} | told
        return Readings(pd.DataFrame([record]), REGISTER, invented.NOW).rows(metric)[0]

    score = read("net_promoter_score", unit="score", value=50.0, numerator=12.0, denominator=0.24)
    mean = read("customer_satisfaction", unit="share", value=0.8, numerator=19.2, denominator=24.0)
    rate = read("survey_response_rate", unit="share", value=0.5, numerator=12.0, denominator=24.0)
    change = read("win_rate_mix_effect", unit="points", value=0.01, numerator=0.01, denominator=1.0)
    assert [behind(row).striptags() for row in (score, mean, change, rate)] == ["24", "24", "24", "12 of 24"]
    assert [row.made_of for row in (score, mean, rate)] == ["24 answers", "24 answers", "12 of 24"]
    tile = scorecard("", [Tile(score, [])]).html
    assert "answers" in tile and "÷" not in tile


def test_only_a_multiple_of_money_is_written_with_an_x() -> None:
    def text(metric: str, **told: Any) -> str:
        record = invented.row("ad_clicks") | {"metric": metric, "unit": "times", "currency": "EUR"} | told
        return Readings(pd.DataFrame([record]), REGISTER, invented.NOW).rows(metric)[0].text()

    assert text("pipeline_coverage", value=2.9, numerator=29.0, denominator=10.0) == "2.9x"
    assert text("contacts_per_target_account", value=5.0, numerator=3000.0, denominator=600.0) == "5.0"


def test_a_day_of_trailing_quarters_stands_in_the_quarter_in_which_it_was() -> None:
    def of_a_year(quarter: str) -> Row:
        end = pd.Period(quarter).end_time.normalize() + pd.Timedelta(days=1)
        days = {"period_start": str((end - pd.DateOffset(years=1)).date()), "period_end": str(end.date())}
        record = invented.row("ad_clicks", quarter, value=5.0) | days
        return Readings(pd.DataFrame([record]), invented.REGISTER, invented.NOW).rows("ad_clicks", quarter)[0]

    rows = [of_a_year(quarter) for quarter in invented.QUARTERS]
    newest = len(rows) - 1
    ((place, _),) = placed(
        rows, [Remark(f"{invented.NOW[:4]}-{3 * int(invented.NOW[5]) - 2:02}-01", "the quarter's first day")]
    )
    assert place == newest - 0.5


def test_an_arrow_points_where_the_words_do() -> None:
    def told(value: float) -> str:
        record = invented.row("pipeline_coverage", value=value, previous=2.90, n=20.0)
        return str(
            scorecard(
                "",
                [
                    Tile(
                        Readings(pd.DataFrame([record]), invented.REGISTER, invented.NOW).rows("pipeline_coverage")[0],
                        [],
                    )
                ],
            ).html
        )

    assert "▲</span> Up 0.2x" in told(3.1) and "▼</span> Down 0.2x" in told(2.7) and "≈</span> As in" in told(2.91)


def test_three_dimensions_are_listed() -> None:
    assert heading("source/theme/sentiment") == "Source, theme and sentiment" and heading("a/b") == "A and b"
