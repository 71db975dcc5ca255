"""Numbers, words, tiles, tables and charts: what a reading looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib import intervals
from abm_lib.errors import UsageError
from abm_lib.metric import REGISTER
from abm_lib.pages import Page
from abm_lib.show import numbers, svg, theme
from abm_lib.show.bridges import bridge
from abm_lib.show.coverages import Horizon, coverage
from abm_lib.show.fragment import LAB_WIDTH, TEMPLATE, VEGA, Figure, lab_style
from abm_lib.show.html import clean, plain, short, tag
from abm_lib.show.models import side_by_side
from abm_lib.show.outcomes import HEIGHT, outcomes
from abm_lib.show.rates import rates
from abm_lib.show.rows import Readings, Row
from abm_lib.show.tables import Column, cut, first_shown, left_out, likely, table
from abm_lib.show.tiles import Tile, scorecard
from abm_lib.show.trends import trend
from abm_lib.show.variances import variance
from abm_lib.show.verdict import differs, verdict
from abm_lib.show.wholes import ranked

HOSTILE = "<script>alert(1)</script>\"' onload=x </svg></style>\u202eevil\u200b\u2066"


def reading(metric: str = "win_rate_closed", **changes: Any) -> Row:
    frame = pd.DataFrame([invented.row(metric, **changes)])
    found = Readings(frame, invented.REGISTER, invented.NOW).rows(metric)
    return found[0]


def slices(metric: str, dimension: str, **values: float) -> list[Row]:
    records = [invented.row(metric, slice_by=dimension, slice=name, value=v, n=20) for name, v in values.items()]
    return Readings(pd.DataFrame(records), invented.REGISTER, invented.NOW).slices(metric, dimension)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page("pipeline", invented.frame(), invented.EDITION, invented.REGISTER)


@pytest.mark.parametrize(
    ("value", "unit", "n", "text"),
    [
        (2_053_000, "money", None, "€2.05M"),
        (9_999_999, "money", None, "€10.0M"),
        (999_600, "money", None, "€1.00M"),
        (130_400, "money", None, "€130k"),
        (12_340, "money", None, "€12.3k"),
        (4_872.4, "money", None, "€4,872"),
        (24.12, "money", None, "€24.12"),
        (0, "money", None, "€0"),
        (-1_320_000, "money", None, "−€1.32M"),
        (9_534, "money_per_day", None, "€9,534 a day"),
        (0.3333, "share", 27, "33%"),
        (0.3333, "share", 5000, "33.3%"),
        (0.0062, "share", 523_000, "0.62%"),
        (0.996, "share", 50, "99.6%"),
        (1.08, "share", None, "108%"),
        (0, "share", 30, "0%"),
        (1, "share", 30, "100%"),
        (1.94, "times", None, "1.9x"),
        (118, "days", None, "118 days"),
        (1, "days", None, "1 day"),
        (6.04, "months", None, "6.0 months"),
        (0.031, "points", None, "3.1 points"),
        (-0.0004, "points", None, "−0.04 points"),
        (42, "score", None, "42"),
        (75, "seconds", None, "75 s"),
        (100, "seconds", None, "1 min 40 s"),
        (1234, "count", None, "1,234"),
        (1_715_969, "count", None, "1.72M"),
    ],
)
def test_a_value_is_written_by_its_unit(value: float, unit: str, n: float | None, text: str) -> None:
    assert numbers.amount(value, unit, "EUR" if "money" in unit else "", n) == text


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.sampled_from(["share", "count", "money", "days", "months", "times", "points", "score", "seconds"]),
    st.one_of(st.none(), st.integers(0, 10**7)),
)
def test_no_number_is_written_as_a_code_or_with_a_hyphen(value: float, unit: str, n: int | None) -> None:
    text = numbers.amount(value, unit, "EUR", n)
    assert not re.search(r"nan|None|inf|[0-9]e[+-]?[0-9]|-", text)
    assert re.search(r"\d", text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_value_of_a_data_element_reads_back_as_the_same_number(value: float) -> None:
    assert float(numbers.machine(value)) == value


def test_each_reason_for_a_missing_value_has_its_own_mark_and_its_own_words() -> None:
    marks, texts = zip(*numbers.MISSING.values(), strict=True)
    assert len(set(marks)) == len(set(texts)) == len(numbers.MISSING) == 7
    assert not [text for text in (*marks, *texts) if re.search(r"\d|nan|none$|null", text, re.IGNORECASE)]


@pytest.mark.parametrize("code", numbers.MISSING)
def test_a_missing_value_never_looks_like_a_number(code: str) -> None:
    row = reading(value=None, missing_because=code, target=0.35, previous=0.3)
    text = BeautifulSoup(str(scorecard("", [Tile(row, [row])]).html), "html.parser").select_one(".value").get_text()
    assert text.lower() == numbers.missing_mark(code)


def test_a_change_says_its_sign_and_a_change_of_nothing_is_a_dash() -> None:
    assert numbers.change(0.021, "share") == "+2.1 points"
    assert numbers.change(-4, "count") == "−4"
    assert numbers.change(0.0, "money", "EUR") == "–"


def test_a_range_has_one_unit_and_an_en_dash() -> None:
    assert numbers.span(0.22, 0.57, "share", "", 40) == "22–57%"
    assert numbers.span(1_300_000, 1_800_000, "money", "EUR") == "€1.30–1.80M"
    assert numbers.span(-0.001, 0.002, "points") == "−0.10 points to 0.20 points"
    row = reading(value=0.333, low=0.19, high=0.52, n=27)
    assert str(likely(row).striptags()) == "19–52%"


@pytest.fixture
def in_locale() -> Iterator[Callable[[str], None]]:
    yield numbers.write_as
    numbers.write_as("en")


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("en", ["€5,000", "€2.5M", "2.5x", "10x", "€2.05M", "€9,534 a day", "€1.30–1.80M", "−€4,872", "+3.1 points", "€0.18M"]),
        ("de", ["5.000 €", "2,5M €", "2,5x", "10x", "2,05M €", "9.534 € a day", "1,30–1,80M €", "−4.872 €", "+3,1 points", "0,18M €"]),
        ("fr", ["5 000 €", "2,5M €", "2,5x", "10x", "2,05M €", "9 534 € a day", "1,30–1,80M €", "−4 872 €", "+3,1 points", "0,18M €"]),
        (
            "de_CH",
            ["EUR 5’000", "EUR 2.5M", "2.5x", "10x", "EUR 2.05M", "EUR 9’534 a day", "EUR 1.30–1.80M", "−EUR 4’872", "+3.1 points",
             "EUR 0.18M"],
        ),
    ],
)  # fmt: skip
def test_marks_and_the_sign_of_money_stand_as_the_locale_writes_them(
    locale: str, texts: list[str], in_locale: Callable[[str], None]
) -> None:
    in_locale(locale)
    said = [
        numbers.tick(5_000, "money", "EUR"),
        numbers.tick(2_500_000, "money", "EUR"),
        numbers.tick(2.5, "times"),
        numbers.tick(10, "times"),
        numbers.amount(2_053_000, "money", "EUR"),
        numbers.amount(9_534, "money_per_day", "EUR"),
        numbers.span(1_300_000, 1_800_000, "money", "EUR"),
        numbers.change(-4_872.4, "money", "EUR"),
        numbers.change(0.031, "share"),
        numbers.in_scale(180_000, 9_400_000, "EUR"),
    ]
    assert [re.sub(r"\s", " ", text) for text in said] == texts


@pytest.mark.parametrize(("locale", "texts"), [("de", ["0,62%", "2.000"]), ("de_CH", ["0.62%", "2’000"])])
def test_a_group_of_thousands_on_an_axis_keeps_its_zeros(
    locale: str, texts: list[str], in_locale: Callable[[str], None]
) -> None:
    in_locale(locale)
    assert [numbers.tick(0.0062, "share"), numbers.tick(2_000, "count")] == texts


def test_a_page_in_german_writes_no_number_the_english_way(in_locale: Callable[[str], None]) -> None:
    page = Page("pipeline", invented.frame(), {**invented.EDITION, "locale": "de"}, invented.REGISTER)
    shown = [page.header(), page.scorecard("open_pipeline", "win_rate_closed", "pipeline_coverage")]
    html = "".join(str(fragment.html) for fragment in shown)
    html += json.dumps(
        [page.bridge()._repr_mimebundle_(), page.trend("open_pipeline")._repr_mimebundle_()], ensure_ascii=False
    )
    assert re.search(r"\d,\d+M?\s€", html)
    assert not re.search(r"€\d|\d\.\d+[MkBx]\b", html)


def texts_and_rules(shown: Figure) -> tuple[dict[str, tuple[float, float]], list[float]]:
    """Where a figure's first drawing has its texts, and where its dotted lines stand."""
    layers = shown.drawings[0].spec["layer"]
    marks = [(layer["mark"], record) for layer in layers for record in layer.get("data", {}).get("values", [])]
    texts = {r["text"]: (r["x"], r["y"]) for mark, r in marks if mark["type"] == "text" and "x" in r}
    return texts, [r["x"] for mark, r in marks if mark.get("strokeDash") == [1, 3]]


def test_remarks_stand_at_their_day_above_one_another_and_under_the_chart() -> None:
    frame = invented.frame()
    said = [
        ("2026-07-01", "Price list"),
        ("2026-08-16", "Banner <b>changed</b> for all of our visitors"),
        ("2023-01-01", "Long ago"),
    ]
    remarks = [{"on": on, "text": text, "about": []} for on, text in said]
    shown = Page("pipeline", frame, {**invented.EDITION, "remarks": remarks}, invented.REGISTER).trend("open_pipeline")
    assert isinstance(shown, Figure)
    texts, lines = texts_and_rules(shown)
    newest = max(x for x, _ in texts.values())
    # A quarter reaches half a step to both sides of its dot: its first day, and the 46th of its 92 days.
    assert lines == [newest - 0.5, newest]
    assert texts["Price list"] == (newest - 0.5, -12) and texts["Banner <b>changed</b> f…"] == (newest, -26)
    assert [str(note) for note in shown.notes][:2] == [
        "1 Jul 2026: Price list.", "16 Aug 2026: Banner <b>changed</b> for all of our visitors.",
    ]  # fmt: skip
    under = shown._repr_mimebundle_()["application/vnd.abm+json"]["after"]
    assert "16 Aug 2026: Banner &lt;b&gt;changed&lt;/b&gt; for all" in under and "Long ago" not in under


def test_what_a_drawing_leaves_out_is_said_to_be_in_the_readings() -> None:
    assert left_out([], 2) == ["2 more in readings.csv."]
    assert left_out([], 2, "The largest are drawn; ") == ["The largest are drawn; 2 more in readings.csv."]


def owners(**told: tuple[float, int]) -> list[Row]:
    """Rates by owner: name=(rate, of how many)."""
    records = [
        invented.row("win_rate_closed", slice_by="owner", slice=name, value=v, numerator=v * n, denominator=n, n=n)
        for name, (v, n) in told.items()
    ]
    return Readings(pd.DataFrame(records), invented.REGISTER, invented.NOW).slices("win_rate_closed", "owner")


MANY = {f"seller_{i}": (0.2 + i / 100, 30 + i) for i in range(7)}


def test_of_many_rates_those_with_most_behind_them_are_drawn_and_not_the_luckiest_few() -> None:
    figure = rates(owners(lucky=(1.0, 1), **MANY), None, "owner")
    texts = [
        r["text"]
        for la in figure.drawings[0].spec["layer"]
        if la["mark"]["type"] == "text"
        for r in la["data"]["values"]
    ]
    assert [text for text in texts if text.startswith(("Seller", "Lucky"))] == [
        f"Seller {i}" for i in (6, 5, 4, 3, 2, 1)
    ]
    assert figure.notes == ["The largest are drawn; 2 more in readings.csv."]


def test_a_table_that_is_cut_has_the_rows_with_most_behind_them_and_never_leaves_out_one_alone() -> None:
    rows = owners(lucky=(1.0, 1), **MANY)
    shown, left = cut(first_shown(rows))
    assert [row.slice for row in shown] == [f"seller_{i}" for i in (6, 5, 4, 3, 2, 1)] and left == 2
    assert first_shown(rows[:7]) == rows[:7] and cut(rows[:7]) == (rows[:7], 0)
    months = slices("win_rate_closed", "month", **{f"2026-0{i}": i / 10 for i in range(1, 10)})
    assert first_shown(months) == months


def test_in_a_grid_each_column_has_its_name_on_a_phone_and_elsewhere_all_but_the_first_figure(page: Page) -> None:
    columns = [Column("Tier", ["1"], number=False), Column("Cold", ["5"]), Column("Won", ["7"])]
    assert "--c2:" not in table("a", "", columns).html and "--c3:" in table("a", "", columns).html
    grid = page.quarters("closed_won_revenue", "segment").html
    assert 'class="grid"' in grid and "--c2:" in grid
    credited = slices("attributed_revenue", "model/channel", **{"first/website": 3.0, "linear/website": 5.0})
    assert "--c2:" in side_by_side("credit", credited, "channel", [], {}).html


def test_bars_of_stages_stand_in_the_order_of_the_journey_and_the_longest_leads() -> None:
    figure = ranked(slices("deals_won", "stage", cold=5, engaged=2, mqa=9), None, "stage")
    assert "Cold 5, Engaged 2, MQA 9" in figure.description and "MQA leads with 9" in figure.title
    own = ranked(slices("open_pipeline", "stage", evaluation=5, negotiation=2, qualified=9), None, "stage")
    assert own.description.endswith("Qualified €9, Evaluation €5, Negotiation €2")


def test_a_difference_fills_no_bar() -> None:
    drawn = BeautifulSoup(scorecard("", [Tile(reading("win_rate_mix_effect", value=-0.02), [])]).html, "html.parser")
    assert not drawn.select(".bullet span") and drawn.select_one(".bullet.none")


def test_a_short_table_of_numbers_takes_half_a_page_and_one_with_words_or_many_columns_all_of_it() -> None:
    numbers, words = Column("Value", ["1", "2"]), Column("Why", ["a", "b"], number=False)
    names = Column("Tier", ["Tier 1", "Tier 2"], number=False)
    assert not table("a", "By tier", [names, *[numbers] * 4]).wide
    assert all(table("a", "By tier", [names, *rest]).wide for rest in ([numbers] * 5, [numbers, words]))
    assert table(
        "a", "By page", [Column("Page", ["a rather long name of a page"], number=False), Column("Value", ["1"])]
    ).wide


def test_flows_of_one_sum_share_the_unit_of_the_largest() -> None:
    assert [numbers.in_scale(v, 9_400_000, "EUR") for v in (9_400_000, 180_000, -360_000, 0)] == [
        "€9.40M", "€0.18M", "−€0.36M", "€0.00M",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "tone", "words"),
    [
        ({"value": 0.5, "low": 0.4, "high": 0.6, "n": 90, "target": 0.35, "status": "good"}, "good", "Clearly above target"),
        ({"value": 0.2, "low": 0.1, "high": 0.3, "n": 90, "target": 0.35, "status": "bad"}, "bad", "Clearly below target"),
        ({"value": 0.33, "low": 0.2, "high": 0.5, "n": 27, "target": 0.35, "status": "unclear"}, "grey", "No clear gap to target"),
        ({"value": 0.9, "low": 0.8, "high": 1.0, "n": 6, "target": 0.35, "status": "good"}, "grey", "Too few to judge: 6"),
        ({"value": 0.5, "low": 0.4, "high": 0.6, "n": 90, "target": 0.35, "status": "unclear"}, "grey", "Clearly above target"),
        ({"value": 0.4, "n": 90, "year_ago": 0.3}, "grey", "10 points more than Q3 2025"),
        ({"value": 0.4, "n": 90}, "grey", "No target, no earlier value"),
        ({"value": 0.4, "low": 0.3, "high": 0.5, "n": 90, "better": "neither", "previous": 0.39}, "grey", "No clear change"),
        ({"value": None, "missing_because": "withheld", "caveats": "term missing on 4 of 9"}, "grey", "Term missing on 4 of 9"),
        ({"value": None, "missing_because": "suppressed"}, "grey", "Hidden: too few people or deals"),
    ],
)  # fmt: skip
def test_a_verdict_takes_colour_only_where_the_range_clears(changes: dict[str, Any], tone: str, words: str) -> None:
    said = verdict(reading(**changes))
    assert (said.tone, said.words) == (tone, words)


def of_two_years(now: dict[str, Any], then: dict[str, Any], metric: str = "win_rate_closed") -> Row:
    """A reading whose year before is known with its range."""
    records = [invented.row(metric, "2025Q3", **then), invented.row(metric, **now, year_ago=then["value"])]
    return Readings(pd.DataFrame(records), invented.REGISTER, invented.NOW).rows(metric)[0]


def rate(k: int, n: int, **more: Any) -> dict[str, Any]:
    low, high = intervals.wilson(k, n)
    return {"value": k / n, "numerator": k, "denominator": n, "n": n, "low": low, "high": high} | more


@pytest.mark.parametrize(("n", "words"), [(29, "Too few to tell a trend: 29"), (30, "Clearly down on Q3 2025")])
def test_a_rate_of_few_is_not_held_against_last_year(n: int, words: str) -> None:
    assert verdict(of_two_years(rate(6, n), rate(18, 30))).words == words


@pytest.mark.parametrize(
    ("now", "then", "tone", "words"),
    [
        (rate(45, 90, target=0.45), rate(27, 90), "good", "Clearly up on Q3 2025"),
        # Clearly up, yet short of the target by as much as chance gives: neither good nor bad.
        (rate(40, 90, target=0.45), rate(20, 90), "grey", "No clear gap to target"),
        # 40 of 100 has 31 to 50 %, which misses 30 %; but 30 of 100 has a range as wide, and both could be 35 %.
        (rate(40, 100), rate(30, 100), "grey", "No clear change"),
        (rate(30, 100), rate(45, 100), "bad", "Clearly down on Q3 2025"),
        # The range of a year ago is not known.
        (rate(90, 100), {"value": 0.3, "n": 100}, "grey", "No clear change"),
    ],
)
def test_a_change_is_clear_where_the_range_of_the_difference_leaves_0_out(
    now: dict[str, Any], then: dict[str, Any], tone: str, words: str
) -> None:
    said = verdict(of_two_years(now, then))
    assert (said.tone, said.words) == (tone, words)


def test_an_amount_is_held_against_the_range_that_it_had_a_year_ago() -> None:
    then = {"value": 100.0, "low": 90.0, "high": 130.0, "n": 40}
    near, far = ({"value": v, "low": v - 40, "high": v + 9, "n": 40} for v in (149.0, 151.0))
    # Half-widths that face each other: 40 below this year's, 30 above last year's; together 50.
    assert verdict(of_two_years(near, then, "average_selling_price")).words == "No clear change"
    assert verdict(of_two_years(far, then, "average_selling_price")).words == "Clearly up on Q3 2025"


def test_a_word_on_the_quarter_before_needs_the_range_of_both() -> None:
    records = [invented.row("win_rate_closed", "2026Q2", **rate(30, 100)),
               invented.row("win_rate_closed", **rate(41, 100), previous=0.3)]  # fmt: skip
    assert verdict(
        Readings(pd.DataFrame(records), invented.REGISTER, invented.NOW).rows("win_rate_closed")[0]
    ).words == ("No clear change")


def test_the_range_of_a_difference_of_rates_is_newcombes() -> None:
    for k, n, j, m in ((56, 70, 48, 80), (9, 30, 3, 30), (45, 90, 27, 90), (5, 56, 0, 29), (33, 100, 20, 100)):
        low, _ = intervals.newcombe(k, n, j, m)
        row = of_two_years(rate(k, n), rate(j, m))
        assert differs(row, row.in_quarter("2025Q3")) == (low > 0)


def groups(*counted: tuple[int, int]) -> list[Row]:
    records = [invented.row("win_rate_closed", slice_by="segment", slice=f"group {i}", **rate(*kn))
               for i, kn in enumerate(counted)]  # fmt: skip
    return Readings(pd.DataFrame(records), invented.REGISTER, invented.NOW).slices("win_rate_closed", "segment")


def test_two_groups_are_clearly_apart_where_more_of_the_same_are_not() -> None:
    two = (28, 100), (45, 100)  # 17 points apart; the difference of one pair reaches from 3.6 to 29 points
    assert rates(groups(*two), None, "segment").title.endswith("; clearly apart")
    many = rates(groups(*two, *[(36, 100)] * 8), None, "segment")  # one of 45 pairs
    assert many.title.endswith("; no clear difference")


@pytest.mark.slow
def test_of_charts_of_equal_groups_at_most_one_title_in_twenty_says_clearly_apart() -> None:
    random, said = np.random.default_rng(13), 0
    for _ in range(400):
        counted = [(int(random.binomial(n, 0.3)), int(n)) for n in random.integers(30, 300, random.integers(2, 11))]
        said += rates(groups(*counted), None, "segment").title.endswith("; clearly apart")
    assert said <= 20


@pytest.mark.slow
def test_of_equal_rates_at_most_one_in_twenty_is_said_to_have_changed_clearly() -> None:
    random, said = np.random.default_rng(11), 0
    for _ in range(2000):
        n, m, share = int(random.integers(30, 400)), int(random.integers(30, 400)), random.uniform(0.05, 0.95)
        row = of_two_years(rate(int(random.binomial(n, share)), n), rate(int(random.binomial(m, share)), m))
        said += verdict(row).words.startswith("Clearly")
    assert 0 < said <= 100


def test_of_a_short_record_a_rate_of_many_is_not_judged() -> None:
    row = reading(
        "win_rate_closed",
        value=0.2,
        numerator=20,
        denominator=100,
        n=100,
        low=0.1,
        high=0.3,
        target=0.5,
        status="small_n",
    )
    assert (verdict(row).tone, verdict(row).words) == ("grey", "Too short a record to judge")


def test_a_total_is_judged_without_a_range_but_a_mean_of_few_is_not() -> None:
    total = reading("closed_won_revenue", value=2.05e6, n=9, target=2.5e6, status="bad")
    assert verdict(total).text == "▼ €450k short of target"
    mean = reading("average_selling_price", value=2e5, numerator=1.8e6, denominator=9, n=9, year_ago=1e5)
    assert verdict(mean).tone == "grey"


def test_a_lower_value_is_the_better_one_where_the_metric_says_so() -> None:
    cheap = reading(
        "ad_cost_per_click", value=4.8, numerator=96000, denominator=20000, n=20000, target=5, status="good"
    )
    assert (verdict(cheap).tone, verdict(cheap).text) == ("good", "▼ €0.20 under target")


def test_a_need_colours_only_as_a_range() -> None:
    have = reading("pipeline_coverage", value=1.9, n=33)
    as_range = reading("required_pipeline_coverage", value=3.1, low=2.7, high=3.7, n=140)
    as_point = reading("required_pipeline_coverage", value=3.1, n=140)
    assert (verdict(have, as_range).tone, verdict(have, as_range).words) == ("bad", "Below need (2.7–3.7x)")
    assert (verdict(have, as_point).tone, verdict(have, as_point).words) == ("grey", "Below the 3.1x needed")


def test_no_verdict_names_a_cause(page: Page) -> None:
    said = " ".join(tile.get_text() for tile in BeautifulSoup(everything(page), "html.parser").select(".judged"))
    assert not re.search(r"because|due to|caused|thanks to|led to|driven", said, re.IGNORECASE)


def test_every_coloured_verdict_has_a_sign_and_a_word(page: Page) -> None:
    for found in BeautifulSoup(everything(page), "html.parser").select(".judged .good, .judged .bad"):
        assert found.select_one(".sign").get_text() in "▲▼" and len(found.get_text(strip=True)) > 3


def everything(page: Page) -> str:
    return str(page.scorecard("pipeline_coverage", "pipeline_created", "marketing_sourced_pipeline_share").html)


@pytest.mark.parametrize(
    ("previous", "arrow", "said"),
    [(9_000_000, "▼", "down"), (1_000_000, "▲", "up"), (None, None, "")],
    ids=["down", "up", "nothing to compare with"],
)
def test_a_tile_says_its_change_by_an_arrow_and_in_words(previous: float | None, arrow: str | None, said: str) -> None:
    frame = invented.frame()
    now = (frame["metric"] == "pipeline_created") & (frame["quarter"] == invented.NOW) & (frame["slice_by"] == "")
    frame.loc[now, "previous"] = previous
    page = Page("pipeline", frame, invented.EDITION, invented.REGISTER)
    line = BeautifulSoup(str(page.scorecard("pipeline_created").html), "html.parser").select_one(".tile .moved")
    assert (line.span.get_text() if line else None) == arrow
    assert line is None or (line.span["aria-hidden"] == "true" and said in line.get_text().lower())


def test_a_withheld_tile_keeps_its_past_its_reason_and_its_height() -> None:
    page = Page("revenue", invented.frame(), invented.EDITION, invented.REGISTER)
    soup = BeautifulSoup(str(page.scorecard("average_contract_value", "closed_won_revenue").html), "html.parser")
    withheld, other = soup.select(".tile")
    assert withheld.select_one(".value").get_text() == "Withheld?"
    assert [dd.get_text() for dd in withheld.select("dd")] == ["€130k", "€131k", "€124k"]
    assert "Term missing on 4 of 9 deals" in withheld.get_text()
    assert withheld.select_one(".bullet.empty") and not withheld.select_one(".bar")
    assert [child.name for child in withheld.find_all(recursive=False)] == [
        c.name for c in other.find_all(recursive=False)
    ]


def test_targets_stand_at_the_same_place_in_every_tile() -> None:
    page = Page("revenue", invented.frame(), invented.EDITION, invented.REGISTER)
    html = str(page.scorecard("closed_won_revenue", "new_customers", "marketing_sourced_revenue").html)
    assert set(re.findall(r'class="tick" style="(.*?)"', html)) == {"left:62.0%"}


@pytest.mark.parametrize("hostile", [HOSTILE, "a@b.example", "name\x00\x1b[31m", "＜b＞"])
def test_text_from_data_cannot_become_markup(hostile: str) -> None:
    html = str(tag("p", hostile, data_slice=hostile))
    soup = BeautifulSoup(html, "html.parser")
    assert [found.name for found in soup.find_all()] == ["p"] and set(soup.p.attrs) == {"data-slice"}


def test_shown_text_has_no_reordering_marks_no_addresses_and_no_controls() -> None:
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x1f]", clean(HOSTILE + "\x1b\n"))
    assert clean("write to jane.doe@example.com now") == "write to (address hidden) now"
    assert len(short("x" * 90)) == 28 and short("x" * 90).endswith("…")


@pytest.mark.parametrize(
    ("slice_by", "code", "name"),
    [
        ("stage", "mqa", "MQA"),
        ("channel", "linkedin_ads", "LinkedIn ads"),
        ("seniority", "c_level", "C-level"),
        ("landing_page", "/lp/safe-stop", "/lp/safe-stop"),
        ("tier", "1", "Tier 1"),
        ("as_of_day", "05", "Day 5"),
        ("cohort", "2026Q3, not yet 90 days old", "Q3 2026, not yet 90 days old"),
        ("month", "2026-07", "Jul 2026"),
        ("week", "2026-W05", "Week 5"),
        ("stage/tier", "mqa/2", "MQA, Tier 2"),
        ("segment", "Mid market EMEA", "Mid market EMEA"),
    ],
)
def test_a_slice_is_named_as_a_reader_would(slice_by: str, code: str, name: str) -> None:
    assert reading("deals_won", slice_by=slice_by, slice=code).name == name


def test_stages_and_bands_stand_in_their_own_order_and_other_slices_in_that_of_the_frame() -> None:
    stages = slices("deals_won", "stage", customer=1, cold=2, mqa=3)
    assert [row.slice for row in stages] == ["cold", "mqa", "customer"]
    bands = ["1,000 and more", "250 to 1,000", "50 to 250", "under 50"]
    found = slices("deals_won", "employees_band", **dict.fromkeys(bands, 1.0))
    assert [row.slice for row in found] == bands[::-1]
    assert [row.slice for row in slices("deals_won", "segment", small=1, large=2)] == ["small", "large"]


def test_what_all_slices_of_a_grid_share_is_said_once() -> None:
    grid = slices("deals_won", "stage/naive", **{"cold/all of them": 3.0, "mqa/all of them": 5.0})
    figure = rates(grid, None, "stage/naive")
    assert figure.title.replace("\N{NO-BREAK SPACE}", " ") == "Deals won: MQA 5, Cold 3"
    assert "all of them" in figure.subtitle


@pytest.mark.parametrize(("least", "most"), [(4200, 11_900), (2.4e6, 5.2e6), (180, 390), (0.12, 0.34)])
def test_labels_under_the_dots_keep_apart_on_the_narrowest_page(least: float, most: float) -> None:
    unit = "average_deal_size" if most > 1 else "win_rate_closed"
    figure = rates(slices(unit, "segment", enterprise=least, mid=most), None, "segment")
    for drawing in figure.drawings:
        spec = drawing.spec
        labels = sorted((x, text) for text, (x, y) in texts_and_rules(figure)[0].items() if y > spec["height"])
        (low, high), width = (0.0, most), spec["width"]
        ends = [((x - low) / (high - low) * width, len(text) * 6.9 / 2) for x, text in labels]
        assert len(ends) >= 2
        assert all(b - half_b - (a + half_a) >= 8 for (a, half_a), (b, half_b) in pairwise(ends)), labels


def test_what_nobody_named_leads_no_ranking() -> None:
    title = ranked(slices("deals_won", "channel", other=6, webinar=3, unknown=1), None, "channel").title
    assert title == "Deals won: Webinar leads those named with 3, 30% of 10"
    assert "Webinar leads with 3" in ranked(slices("deals_won", "channel", other=1, webinar=3), None, "channel").title


def week(label: str, first: str, after: str, value: float) -> Row:
    days = {"period_start": first, "period_end": after}
    return reading("deals_won", slice_by="week", slice=label, value=value, **days)


def test_a_week_that_the_quarter_cuts_is_in_the_table_but_not_in_the_line() -> None:
    rows = [
        week("2026-W27", "2026-07-01", "2026-07-06", 4),
        week("2026-W28", "2026-07-06", "2026-07-13", 7),
        week("2026-W29", "2026-07-13", "2026-07-20", 9),
    ]
    figure = trend(rows, "week")
    assert figure.title == "Deals won: 7 in week 28, 9 in week 29"
    assert figure.notes == ["Not drawn: week 27, of which 5 days lie in the quarter."]
    assert "week 27" not in figure.description and "Week 27" in figure.table.html
    assert "4" in BeautifulSoup(figure.table.html, "html.parser").select_one("td").get_text()
    assert trend(rows[:1], "week").title == "Deals won: 4 in week 27"  # nothing else to draw


def test_a_line_is_judged_by_what_its_card_is_judged_by() -> None:
    row = reading("pipeline_coverage", value=2.9, target=3.0)
    needed = reading("required_pipeline_coverage", value=3.6, low=3.1, high=4.0)
    assert trend([row], need=needed).title == f"{row.label}: 2.9x in Q3, below need (3.1–4.0x)"
    assert "to target" in trend([row]).title


def in_quarters(metric: str, *records: dict[str, Any]) -> list[Row | None]:
    """The newest quarters of a metric, oldest first, one for each record."""
    quarters = invented.QUARTERS[-len(records) :]
    frame = pd.DataFrame([invented.row(metric, q, **r) for q, r in zip(quarters, records, strict=True)])
    return Readings(frame, invented.REGISTER, invented.NOW).history(metric)[-len(records) :]


def variance_bars(figure: Figure) -> list[tuple[float, float, str, str]]:
    """Top and bottom, fill and edge of each bar, oldest first."""
    layers = figure.drawings[0].spec["layer"]
    bars = next(layer["data"]["values"] for layer in layers if layer["mark"]["type"] == "rect")
    return [(bar["y1"], bar["y2"], bar["colour"], bar["edge"]) for bar in bars]


def test_a_total_stands_above_or_below_its_target_by_its_gap_and_takes_its_colour() -> None:
    over, under = {"value": 120.0, "target": 100.0}, {"value": 60.0, "target": 100.0}
    figure = variance(in_quarters("closed_won_revenue", over, under))
    (up, zero, *blue), (same, down, *orange) = variance_bars(figure)
    assert zero == same and (down - zero) == pytest.approx(2 * (zero - up))
    assert blue == [theme.ink("good")] * 2 and orange == [theme.ink("bad")] * 2
    assert figure.title == "Bookings: €40 short of target in Q3; 1 of 2 quarters reached it"
    assert figure.description == "Bookings less target by quarter: Q2 2026 +€20, Q3 2026 −€40"
    cells = [td.get_text() for td in BeautifulSoup(figure.table.html, "html.parser").select("td")]
    assert cells == ["€120", "€100", "+€20", "€60", "€100", "−€40"]


def test_a_gap_has_colour_only_where_the_range_clears_the_target_and_enough_stand_behind_it() -> None:
    clear = {"value": 0.6, "low": 0.5, "high": 0.7, "target": 0.4, "n": 60}
    figure = variance(in_quarters("win_rate_closed", clear, {**clear, "low": 0.39}, {**clear, "n": 4}))
    grey = theme.ink("paper"), theme.ink("bar")
    assert [bar[2:] for bar in variance_bars(figure)] == [(theme.ink("good"), theme.ink("good")), grey, grey]
    assert "outlined: no clear gap" in figure.subtitle and "Percentage points" in figure.subtitle
    assert "Q1 2026 +20 points, likely 10–30 points" in figure.description


def test_a_gap_below_the_line_is_blue_where_lower_is_better_and_grey_where_neither_is() -> None:
    rate = {"value": 0.1, "low": 0.08, "high": 0.12, "target": 0.2, "n": 90}
    ((zero, low, fill, _),) = variance_bars(variance(in_quarters("stale_pipeline_share", rate)))
    assert low > zero and fill == theme.ink("good")
    ((*_, fill, edge),) = variance_bars(variance(in_quarters("ad_spend", {"value": 90.0, "target": 100.0})))
    assert (fill, edge) == (theme.ink("paper"), theme.ink("bar"))


def test_a_quarter_without_target_has_no_bar_and_a_metric_without_any_leaves_a_line(page: Page) -> None:
    figure = variance(in_quarters("closed_won_revenue", {"value": 1.0, "target": 2.0}, {"value": 3.0}))
    assert len(variance_bars(figure)) == 1 and figure.notes == ["Not drawn: Q3 2026, without a target."]
    assert "No target in eight quarters" in page.variance("open_pipeline").text


def test_where_every_quarter_met_its_target_to_the_digit_there_is_a_chart_all_the_same() -> None:
    figure = variance(in_quarters("closed_won_revenue", *[{"value": 2.0, "target": 2.0}] * 3))
    assert len(variance_bars(figure)) == 3


def test_deals_won_lie_below_those_lost_above_and_between_them_those_still_open() -> None:
    won = slices("win_rate_within_days", "within_days", **{"365": 0.3, "090": 0.1, "180": 0.2})
    lost = slices("loss_rate_within_days", "within_days", **{"090": 0.25, "180": 0.4})
    figure = outcomes(won, lost, "180")
    assert figure.title == "20% of deals won and 40% lost within 180 days, the others still open"
    assert figure.description.endswith("within 90 days 10% won, 25% lost, within 180 days 20% won, 40% lost")
    below, above = (la["data"]["values"] for la in figure.drawings[0].spec["layer"] if la["mark"]["type"] == "area")
    assert [(p["x"], p["y"], p["y2"]) for p in below] == [
        (0, HEIGHT, HEIGHT),
        (90, HEIGHT, 0.9 * HEIGHT),
        (180, HEIGHT, 0.8 * HEIGHT),
    ]
    assert [(p["x"], p["y"], round(p["y2"], 6)) for p in above] == [
        (0, 0, 0),
        (90, 0, 0.25 * HEIGHT),
        (180, 0, 0.4 * HEIGHT),
    ]
    cells = [td.get_text() for td in BeautifulSoup(figure.table.html, "html.parser").select("td")]
    assert [text for text in cells if "%" in text] == ["10%", "25%", "20%", "40%"]


@pytest.mark.parametrize(("won", "lost"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.02, 0.96)])
def test_the_names_of_won_open_and_lost_keep_apart_and_inside_the_plot(won: float, lost: float) -> None:
    rows = (
        slices(f"{came}_rate_within_days", "within_days", **{"180": share})
        for came, share in (("win", won), ("loss", lost))
    )
    layers = outcomes(*rows, "180").drawings[0].spec["layer"]
    texts = [r for la in layers if la["mark"]["type"] == "text" for r in la["data"]["values"]]
    places = [r["y"] for word in ("lost", "still open", "won") for r in texts if r["text"].endswith(word)]
    assert all(b - a >= 15 for a, b in pairwise(places)) and places[0] >= 0 and places[-1] <= HEIGHT


def test_a_number_over_one_is_not_explained_by_itself() -> None:
    row = reading("win_rate_mix_effect", value=0.009, numerator=0.009, denominator=1.0, previous=0.001)
    assert "÷" not in scorecard("", [Tile(row, [])]).html


def test_a_table_names_its_rows_and_columns_and_its_sum() -> None:
    made = table("t", "Caption", [Column("Name", ["a", "All"], number=False), Column("Value", [1, 1])], total=[1])
    soup = BeautifulSoup(str(made.html), "html.parser")
    assert [th["scope"] for th in soup.select("th")] == ["col", "col", "row", "row"]
    assert soup.caption.get_text() == "Caption" and soup.select("tr.total th")[0].get_text() == "All"
    assert made.tables == 1


def test_bars_beyond_six_become_one_that_makes_them_sum_to_the_whole() -> None:
    rows = slices("ad_spend", "channel", **{f"c{n:02}": float(1000 * n) for n in range(1, 15)})
    drawn = ranked(rows, None, "channel").drawings[0].spec
    bars = next(r for r in drawn["datasets"].values() if "x2" in r[0]) if "datasets" in drawn else _bars(drawn)
    assert len(bars) == 7 and sum(bar["x2"] for bar in bars) == sum(row.value or 0 for row in rows)


def _bars(spec: dict[str, Any]) -> list[dict[str, Any]]:
    layers = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rect"]
    return list(layers[0]["data"]["values"])


def test_the_bridge_hangs_each_flow_where_the_one_before_ended(page: Page) -> None:
    spec = page.bridge().drawings[0].spec
    bars = _bars(spec)
    ends = [bar["y1"] for bar in bars], [bar["y2"] for bar in bars]
    for (top, bottom), (next_top, next_bottom) in pairwise(zip(*ends, strict=True)):
        assert min(abs(a - b) for a in (top, bottom) for b in (next_top, next_bottom)) < 1.6
    assert "€9.40M + €3.62M + €0.18M + €0.41M − €0.36M − €2.05M − €3.12M = €8.08M. Residual €0.00M." in str(
        page.bridge().notes
    )


def test_a_bridge_without_stocks_says_so() -> None:
    rows = slices("pipeline_movement", "movement", created=5.0)
    assert bridge(rows).title == "Pipeline movement: no stock on record"


def real(metric: str, **values: float) -> Readings:
    """Readings of a metric of the catalogue, its movements and the `whole`."""
    named = [("", "", v) if name == "whole" else ("movement", name, v) for name, v in values.items()]
    like = invented.row("pipeline_movement", n=20) | {"metric": metric}
    records = [like | {"slice_by": by, "slice": name, "value": v} for by, name, v in named]
    return Readings(pd.DataFrame(records), REGISTER, invented.NOW)


def test_the_bridge_of_restated_revenue_leads_from_what_was_reported_to_what_is_known() -> None:
    read = real("revenue_restatement", opening=6e6, recorded_late=3e5, deleted=-1e5, moved_in=0, closing=6.2e6)
    figure = bridge(read.slices("revenue_restatement", "movement"))
    assert (
        figure.title == "Revenue of the four quarters before: €6.00M as reported, €6.20M by today's records, up €0.20M"
    )
    assert figure.notes == ["€6.00M + €0.30M − €0.10M = €6.20M.", "Zero: day moved in."]
    assert "recorded late +€0.30M, deleted −€0.10M, known now €6.20M" in figure.description
    same = real("revenue_restatement", opening=6e6, closing=6e6).slices("revenue_restatement", "movement")
    assert bridge(same).title.endswith("€6.00M by today's records, nothing restated")


def test_the_bridge_of_recurring_revenue_closes_with_the_whole_and_counts_no_customers_at_its_end() -> None:
    read = real("retained_revenue", opening=16e6, upsell=3e5, churn=-2e5, whole=16.1e6)
    figure = bridge(read.slices("retained_revenue", "movement"), read.whole("retained_revenue"))
    assert "€16.00M + €0.30M − €0.20M = €16.10M." in figure.notes
    written = [text["text"] for layer in figure.drawings[0].spec["layer"] if layer["mark"]["type"] == "text"
               for text in layer["data"]["values"]]  # fmt: skip
    assert written.count("20 customers") == 3 and "At end" in written


def test_a_bridge_of_what_has_no_movements_names_those_that_have(page: Page) -> None:
    with pytest.raises(UsageError, match="open_pipeline"):
        page.bridge("open_pipeline", "stage")


def test_a_quarter_without_a_value_leaves_a_gap_in_the_line() -> None:
    values = [1.0, 2.0, None, 4.0, 5.0]
    frame = pd.DataFrame(
        [
            invented.row("open_pipeline", q, value=v, missing_because="" if v else "no_data")
            for q, v in zip(invented.QUARTERS[-5:], values, strict=True)
        ]
    )
    history = Readings(frame, invented.REGISTER, invented.NOW).history("open_pipeline")
    spec = trend(history).drawings[0].spec
    pieces = next(la["data"]["values"] for la in spec["layer"] if la["mark"].get("strokeCap") == "round")
    assert [(round(p["x"]), round(p["x2"])) for p in pieces] == [(0, 1), (3, 4)]


def test_each_quarter_to_cover_stands_against_its_own_yardstick(page: Page) -> None:
    spec = page.coverage().drawings[0].spec
    dotted = next(la["data"]["values"] for la in spec["layer"] if la["mark"].get("strokeDash") == [2, 3])
    assert [line["x"] for line in dotted] == [3.0, 3.5, 3.0]
    assert "3x yardstick" in str(spec)


@pytest.mark.parametrize(
    ("covered", "steps"),
    [(2.9, ["0x", "1x", "2x", "3x"]), (8, ["0x", "2x", "4x", "6x", "8x"]), (116, ["0x", "25x", "50x", "75x", "100x"])],
)  # fmt: skip
def test_the_axis_of_coverage_has_round_steps(covered: float, steps: list[str]) -> None:
    quarter = reading("pipeline_coverage", value=covered)
    horizon = Horizon("Q3 2026", "on day five", quarter, None, None, 3.0)
    layers = coverage([horizon]).drawings[0].spec["layer"]
    texts = [[p["text"] for p in layer["data"]["values"]] for layer in layers if layer["mark"]["type"] == "text"]
    assert steps in texts


FIGURES = [
    ("trend", ("pipeline_coverage",)), ("trend", ("pipeline_coverage", "as_of_day")), ("by", ("pipeline_created", "channel")),
    ("rates", ("average_deal_size", "source_owner")), ("range", ("influenced_pipeline", "rule")), ("bridge", ()),
    ("coverage", ()), ("shares", ("marketing_sourced_pipeline_share", "source_owner")),
    ("outcomes", ()), ("variance", ("closed_won_revenue",)), ("variance", ("marketing_sourced_pipeline_share",)),
]  # fmt: skip


@pytest.mark.parametrize(("method", "arguments"), FIGURES)
def test_every_chart_is_valid_vega_lite_says_what_it_shows_and_has_its_numbers(
    page: Page, method: str, arguments: tuple[str, ...]
) -> None:
    figure = getattr(page, method)(*arguments)
    for drawing in figure.drawings:
        alt.LayerChart.from_dict(drawing.spec).to_dict(validate=True)
    assert figure.title and figure.subtitle and figure.table.tables == 1
    assert re.search(r"\d", figure.description) and not re.search(r"nan|None", figure.description)
    assert {d.room for d in figure.drawings} in ({"any"}, {"wide", "narrow"})
    assert next(iter(figure._repr_mimebundle_())) == VEGA


def begun(path: str) -> list[float]:
    """How far right each piece of a path begins; one of curves is not followed further."""
    starts, x = [], 0.0
    for letter, rest in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        given = [float(number) for number in re.findall(r"-?\d*\.?\d+", rest)]
        if letter in "Mm":
            x = given[0] if letter == "M" else x + given[0]
            starts.append(x)
        x += given[0] if letter in "hl" else 0
    return starts


def test_pieces_of_a_path_lie_where_they_lie_alone() -> None:
    pieces = ["M121.8 24v28", "M121.8 82v28", "M0 110h5.5", "M3-2.5h0", "M1 1L2 2z", "M7 8v-3"]
    drawn = svg._joined(pieces)
    assert drawn == "M121.8 24v28m0 30v28M0 110h5.5M3-2.5h0M1 1L2 2zM7 8v-3"
    assert begun(drawn) == [121.8, 121.8, 0, 3, 1, 7]


@pytest.mark.parametrize(("method", "arguments"), FIGURES)
def test_a_drawing_keeps_its_texts_and_its_marks_inside_the_plot(
    page: Page, method: str, arguments: tuple[str, ...]
) -> None:
    for drawing in getattr(page, method)(*arguments).drawings:
        drawn = BeautifulSoup(svg.draw(drawing.spec, svg.compiled(drawing.spec), drawing.room, "d"), "html.parser")
        layers = [layer for layer in drawing.spec["layer"] if layer["mark"]["type"] == "text"]
        texts = [record["text"] for layer in layers for record in layer["data"]["values"]]
        assert [text.get_text() for text in drawn.select("text")] == texts
        plot = drawn.select_one("svg svg")
        assert plot["viewbox"] == f"0 0 {drawing.spec['width']} {drawing.spec['height']}" and plot.select("path[d]")
        starts = [x for path in plot.select("path") for x in begun(path["d"])]
        assert all(-1 <= x <= drawing.spec["width"] + 1 for x in starts)


def test_a_figure_without_a_text_alternative_is_refused(page: Page) -> None:
    with pytest.raises(UsageError, match="text alternative"):
        Figure("title", "subtitle", " ", [], page.table("pipeline_coverage"), [])


def test_in_jupyterlab_a_chart_begins_at_the_left_under_a_title_that_has_room(page: Page) -> None:
    for method, arguments in FIGURES:
        figure = getattr(page, method)(*arguments)
        spec = figure._repr_mimebundle_()[VEGA]
        before, after, title = figure.drawings[0].spec["padding"], spec["padding"], spec["title"]
        assert spec["width"] + after["left"] + after["right"] == LAB_WIDTH
        assert title["dx"] == -before["left"] and " ".join(title["text"]) == figure.title
        high = 20 * len(title["text"]) + 16 * len(title["subtitle"])
        assert after["top"] >= before["top"] + high + title["offset"]


def test_in_jupyterlab_everything_follows_the_theme_that_jupyterlab_has() -> None:
    style = lab_style()
    assert '[data-jp-theme-light="false"] :is(.abm.abm, .jp-RenderedVegaCommon5) {color-scheme: dark}' in style
    assert re.search(r"\.jp-RenderedVegaCommon5 \{[^}]*--paper: light-dark", style)


def test_an_analysts_chart_becomes_vega_lite_that_jupyterlab_draws_offline() -> None:
    chart = alt.Chart(pd.DataFrame({"a": [1], "b": [2]}), description="One point").mark_point().encode(x="a", y="b")
    bundle = chart._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert set(data) == {VEGA, "text/plain"} and data["text/plain"] == "One point"


def palette() -> list[tuple[str, str, str]]:
    """Every colour of the page: its name, its light value and its dark one."""
    return re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", (TEMPLATE / "parts.css").read_text("utf-8")
    )


def test_the_palette_of_charts_is_that_of_the_page() -> None:
    assert {name: light for name, light, _ in palette()} == theme.LIGHT


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("part", [0, 1])
def test_text_can_be_read_on_paper_and_marks_can_be_seen(part: int) -> None:
    colours = {name: both[part] for name, *both in palette()}

    def contrast(name: str, ground: str = "paper") -> float:
        high, low = sorted((_luminance(colours[name]), _luminance(colours[ground])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert min(contrast(name) for name in ("ink", "ink2", "ink3", "good", "bad")) >= 4.5
    assert min(contrast("good", "good-tint"), contrast("bad", "bad-tint"), contrast("bar")) >= 3


def test_a_number_in_a_table_under_a_chart_keeps_the_space_that_does_not_break() -> None:
    assert plain(Markup("<data value=1753>1\u202f753</data> &amp; <b>2</b>\xa0€")) == "1\u202f753 & 2\xa0€"
