"""Numbers that a page says outside its `data` elements: each is made of the readings that stand around it, or it is refused."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pages import name_of, published_pages
from tiny import sample_readings

from abm_lib.metric import REGISTER
from abm_lib.run import gate
from abm_lib.show import spoken
from abm_lib.show.read_back import said_in

FAMILIES = ("summary", "ads", "pipeline", "quality", "for-sales")  # the shapes that there are
LABELS = {"win_rate": "Win rate", "won_within": "Won within 180 days"}
RATE = {"value": 0.25, "numerator": 10.0, "denominator": 40.0, "n": 40.0, "low": 0.141, "high": 0.402, "target": 0.3,
        "previous": 0.22, "year_ago": 0.31, "caveats": "2 of 42 carry no day; promised in 2026Q2"}  # fmt: skip
TIERS = {("win_rate", "2026Q3", "tier", str(n)): {"value": value} for n, value in ((1, 120.0), (2, 60.0), (3, 15.0))}
WHOLE = ("win_rate", "2026Q3", "", "")


def said(text: str, rows: dict[Any, Any] | None = None, drawn: bool = False, locale: str = "en") -> list[str]:
    """The numbers of a text that these readings, one rate by default, do not say."""
    rows = {WHOLE: RATE} if rows is None else rows
    return spoken.Sayable(rows, LABELS, locale).unspoken(spoken.Words(text, frozenset(rows), drawn))


def places(page: str) -> set[tuple[str, str]]:
    """Each text that is asked about, with the slices, or metrics, that it may speak of."""
    return {
        (each.text, ", ".join(sorted("/".join(filter(None, key)) for key in each.readings)))
        for each in spoken.words(page)
    }


def test_a_cell_speaks_of_its_row_and_a_title_of_all_rows_of_its_figure() -> None:
    page = """<main><section><figure><figcaption><h3>80 and 20</h3></figcaption>
        <table data-metric=a data-quarter=2026Q3 data-slice-by=tier><thead><tr><th>2026<tbody><tr data-slice=1><th>x<td>80
        <tr data-slice=2><th>y<td>20</table></figure><p>100 in all</main>"""
    tiers = "a/2026Q3/tier/1, a/2026Q3/tier/2"
    assert places(page) == {
        ("80", "a/2026Q3/tier/1"), ("20", "a/2026Q3/tier/2"), ("80 and 20", tiers), ("2026", tiers), ("100 in all", ""),
    }  # fmt: skip


def test_a_card_and_a_sentence_speak_of_the_readings_inside_them() -> None:
    page = """<article data-metric=a data-quarter=2026Q3><p>up 3<div><p>with <data data-metric=b data-quarter=2026Q3 value=7>7</data>
        of 9</div></article><h1><span data-metric=c data-quarter=2026Q3>5% over</span> and 4</h1>"""
    assert places(page) == {
        ("of 9", "b/2026Q3"), ("up 3", "a/2026Q3, b/2026Q3"), ("5% over", "c/2026Q3"), ("and 4", "c/2026Q3"),
    }  # fmt: skip


@pytest.mark.parametrize("silent", [
    "<div class=definition><p>within 180 days</div>", "<p class=evidence>in 90 days<div></div>", "<nav><ul><li>Q3 12</ul></nav>",
    "<table id=table-deliveries><tr><td>800</table>", "<style>.a{b:1}</style>", "<div class=only><div>17</div>18</div>",
])  # fmt: skip
def test_definitions_rules_and_names_of_pages_are_no_results(silent: str) -> None:
    assert places(f"<main>{silent}<p>9</p></main>") == {("9", "")}


@pytest.mark.parametrize("text", [
    "25%", "10 of 40", "14–40%", "target 30%", "down 6 points on Q3 2025", "up 3.0 points on Q2", "83% of target", "17% under target",
    "2 of 42 carry no day; promised in Q2 2026", "on 10 Aug 2026, in Sep 2026 and Q4 2026", "S0-11 and GA4", "and 4 more.",
])  # fmt: skip
def test_what_a_reading_says_is_said(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(("text", "not_said"), [
    ("26%", ["26%"]), ("10 of 41", ["41"]), ("14–41%", ["41%"]), ("15–40%", ["15"]), ("down 7 points", ["7 points"]),
    ("84% of target", ["84%"]), ("3 of 42 carry no day", ["3", "42"]), ("25", ["25"]), ("€25k", ["25k"]), ("47 more accounts", ["47"]),
])  # fmt: skip
def test_what_no_reading_says_is_found(text: str, not_said: list[str]) -> None:
    assert said(text) == not_said


def test_sums_parts_and_what_the_others_add_up_to_are_said_and_no_other_sum() -> None:
    assert said("Tier 1 leads with 120, 62% of 195; Other (2) 75, 38%; 60 more than the next", TIERS) == []
    assert said("Tier 1 leads with 120, 61% of 196", TIERS) == ["61%", "196"]


def test_names_are_no_numbers_and_only_those_of_the_readings_around() -> None:
    rows = {("won_within", "2026Q3", "campaign", "Energy search, ga 2026-04, part 77"): {"value": 5.0}}
    assert said("Won within 180 days: Energy search, ga 2026-04, part 77 has 5", rows) == []
    assert said("Energy search, ga 2026-04,…: 5", rows) == []
    assert said("Safety search, part 78: 5", rows) == ["78"]


def test_an_axis_has_its_own_round_numbers_and_a_value_beside_a_mark_has_not() -> None:
    assert said("€2M", drawn=True) == said("2026", drawn=True) == said("75%", drawn=True) == []
    assert said("€2M") == ["2M"]
    page = "<figure><svg><g font-weight=600><text>37%</text></g><text>50%</text></svg></figure>"
    assert [(each.text, each.drawn) for each in spoken.words(page)] == [("37%", False), ("50%", True)]


def test_numbers_and_days_are_read_as_the_page_s_locale_writes_them() -> None:
    money = {WHOLE: {"value": 1234.5}}
    assert said("1.234,50 € am 10 Aug. 2026", money, locale="de") == []
    assert said("1.234,60 €", money, locale="de") == ["1.234,60"]
    (spaced,) = spoken.words("<p>1\u202f234,50\xa0€</p>")
    assert said(spaced.text, money, locale="fr") == [] and said("1\u202f243,50\xa0€", money, locale="fr") == [
        "1\u202f243,50"
    ]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> spoken.Sayable:
    frame = sample_readings(tmp_path_factory)
    columns = [*gate.KEY, *spoken.FIELDS, "caveats"]
    rows = (
        frame[columns]
        .assign(**{name: frame[name].fillna("").astype(str) for name in (*gate.KEY, "caveats")})
        .to_dict("records")
    )
    return spoken.Sayable(
        {tuple(row[name] for name in gate.KEY): row for row in rows}, {n: m.label for n, m in REGISTER.items()}
    )  # type: ignore[misc]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[spoken.Words]]:
    folder = published_pages(tmp_path_factory, FAMILIES)
    return {family: spoken.words((folder / name_of(family)).read_text("utf-8")) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_number_of_the_sample_s_pages_is_made_of_the_readings_around_it(
    pages: dict[str, list[spoken.Words]], sample: spoken.Sayable, family: str
) -> None:
    assert len(pages[family]) > 200
    assert [(each.text, lacking) for each in pages[family] if (lacking := sample.unspoken(each))] == []


def test_of_wrong_digits_most_are_found(pages: dict[str, list[spoken.Words]], sample: spoken.Sayable) -> None:
    """One digit of every text outside of axes is changed: what stays unseen happens to be another number of the same readings."""
    chance, seen, asked = random.Random(7), 0, 0
    for each in (each for texts in pages.values() for each in texts if not each.drawn):
        numbers = list(said_in(sample._without_names(each.text, each.readings)))
        for number in numbers[:1]:
            place = chance.choice([i for i, letter in enumerate(number.text) if letter.isdigit()])
            digit = chance.choice([digit for digit in "0123456789" if digit != number.text[place]])
            wrong = number.text[:place] + digit + number.text[place + 1 :]
            asked += 1
            seen += bool(sample.unspoken(replace(each, text=each.text.replace(number.text, wrong, 1))))
    assert asked > 2000 and seen / asked > 0.85


def test_the_gate_refuses_a_page_that_says_what_its_readings_do_not(tmp_path: Path) -> None:
    reading = {
        "metric": "win_rate",
        "quarter": "2026Q3",
        "slice_by": "",
        "slice": "",
        "value": 0.25,
        "target": 0.3,
        "caveats": "",
    }
    pd.DataFrame([reading]).to_parquet(tmp_path / "readings.parquet")
    trace = "data-metric=win_rate data-quarter=2026Q3"
    page = f"<script src=abm.js defer></script><main><h1><span {trace}>25% won, 5.0 points short</span></h1></main>"
    (tmp_path / "index.html").write_text(page)
    assert gate.untraced(tmp_path) == []
    (tmp_path / "index.html").write_text(page.replace("5.0", "4.0"))
    (found,) = gate.untraced(tmp_path)
    assert (found.name, found.where) == ("unspoken", "index.html") and re.search("4.0 points", found.found)
