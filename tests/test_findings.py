"""What a page says stands out: a planted difference is found, and where nothing differs hardly anything is said."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup

from abm_lib.pages import Page
from abm_lib.readings import COLUMNS
from abm_lib.show.findings import Finding, findings
from abm_lib.show.rows import Readings

QUARTERS = [f"{year}Q{n}" for year in (2025, 2026) for n in (1, 2, 3, 4)]
Counts = dict[tuple[str, str, str, str], tuple[int, int]]  # metric, quarter, slice_by, slice -> k of n


@dataclass
class Known:
    """What the register says of a metric."""

    name: str
    by: tuple[str, ...] = ("segment",)
    family: str = "revenue"
    unit: str = "share"
    better: str = "higher"
    window: str = "quarter"
    label: str = "Win rate"
    of: tuple[str, ...] = ()
    formula: None = None


def told(counts: Counts, *metrics: Known) -> Readings:
    """Readings of these shares, with Wilson's method and no more than a page looks at."""
    rows = []
    for (metric, quarter, by, name), (k, n) in counts.items():
        row = dict.fromkeys(COLUMNS, None) | {"metric": metric, "quarter": quarter, "slice_by": by, "slice": name}
        row |= {"version": 1, "family": "revenue", "unit": "share", "counts": "opportunities", "status": "no_target"}
        rows.append(row | {"value": k / n, "numerator": k, "denominator": n, "n": n, "method": "Wilson, 95%"})
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Readings(frame, {m.name: m for m in metrics}, QUARTERS[-1])  # type: ignore[dict-item]


def with_whole(metric: str, slices: dict[tuple[str, str], tuple[int, int]], quarter: str = QUARTERS[-1]) -> Counts:
    found = {(metric, quarter, by, name): kn for (by, name), kn in slices.items()}
    first = next(iter(slices))[0]
    parts = [kn for (by, _), kn in slices.items() if by == first]
    return found | {(metric, quarter, "", ""): (sum(k for k, _ in parts), sum(n for _, n in parts))}


def sentences(readings: Readings) -> list[str]:
    return [found.sentence().striptags() for found in findings(readings, ["revenue"])]


def test_a_slice_that_clearly_differs_is_said_with_its_rate_and_that_of_all() -> None:
    slices = {("segment", "large"): (60, 100), ("segment", "small"): (30, 100), ("segment", "mid_market"): (32, 100)}
    assert sentences(told(with_whole("wins", slices), Known("wins"))) == [
        "Win rate: 60% for Large, clearly above the rest (all: 41%)."
    ]


def test_a_clear_difference_is_held_against_0() -> None:
    readings = told(
        {("lift", QUARTERS[-1], "theme", "demo_day"): (11, 100)}, Known("lift", by=("theme",), label="More forward")
    )
    row = replace(readings.slices("lift", "theme")[0], unit="points")
    assert Finding(row, None, 0.11, 2.0).sentence().striptags() == "More forward, Demo day: 11 points, clearly above 0."
    assert Finding(row, None, -0.11, 2.0).sentence("<b>").startswith("&lt;b&gt;, Demo day: ")


def test_a_difference_inside_the_noise_is_not_said() -> None:
    slices = {("segment", "large"): (38, 100), ("segment", "small"): (30, 100), ("segment", "mid_market"): (32, 100)}
    assert sentences(told(with_whole("wins", slices), Known("wins"))) == []


def test_the_more_slices_are_compared_the_clearer_one_must_be() -> None:
    pair = {("segment", "large"): (46, 100), ("segment", "small"): (30, 100)}
    assert sentences(told(with_whole("wins", pair), Known("wins")))
    many = pair | {("region", f"r{n}"): (4 if n < 16 else 3, 10) for n in range(20)}
    assert not sentences(told(with_whole("wins", many), Known("wins", by=("segment", "region"))))


@pytest.mark.parametrize("blank", ["unknown", "not stated", "none named"])
def test_a_blank_is_never_what_stands_out(blank: str) -> None:
    slices = {("segment", blank): (90, 100), ("segment", "small"): (30, 100), ("segment", "large"): (29, 100)}
    said = sentences(told(with_whole("wins", slices), Known("wins")))
    assert not any(f" for {blank.capitalize()}" in sentence for sentence in said)


def test_people_are_not_compared() -> None:
    slices = {("owner", "A. Name"): (60, 100), ("owner", "B. Name"): (10, 100)}
    assert sentences(told(with_whole("wins", slices), Known("wins", by=("owner",)))) == []


def test_slices_that_overlap_are_not_held_against_a_rest() -> None:
    counts = with_whole("wins", {("channel", "ads"): (60, 100), ("channel", "mail"): (10, 100)})
    counts["wins", QUARTERS[-1], "", ""] = (60, 120)  # an account that both channels reached
    assert sentences(told(counts, Known("wins", by=("channel",)))) == []


def test_deals_are_compared_over_windows_that_share_no_day() -> None:
    """One window of four quarters says nothing; this one and that of a year ago together do. Those between overlap both."""
    slices = {("segment", "large"): (40, 80), ("segment", "small"): (28, 80)}
    now = with_whole("wins", slices)
    assert not sentences(told(now, Known("wins", window="canonical")))
    year_ago = with_whole("wins", {("segment", "large"): (44, 80), ("segment", "small"): (25, 80)}, QUARTERS[-5])
    overlapping = {("segment", "large"): (0, 80), ("segment", "small"): (80, 80)}
    between: Counts = {}
    for quarter in (*QUARTERS[:-5], *QUARTERS[-4:-1]):
        between |= with_whole("wins", overlapping, quarter)
    assert sentences(told(now | year_ago | between, Known("wins", window="canonical")))


def test_a_page_on_which_nothing_differs_says_otherwise_once_in_twenty_at_most() -> None:
    random = np.random.default_rng(5)
    dimensions = {"segment": 4, "tier": 3, "channel": 8, "region": 5}
    said = 0
    for _ in range(400):
        outcome = random.random(240) < 0.3
        counts: Counts = {("wins", QUARTERS[-1], "", ""): (int(outcome.sum()), 240)}
        for name, size in dimensions.items():
            group = random.integers(0, size, 240)
            for place in range(size):
                member = group == place
                counts["wins", QUARTERS[-1], name, f"g{place}"] = (int(outcome[member].sum()), int(member.sum()))
        said += bool(sentences(told(counts, Known("wins", by=tuple(dimensions)))))
    assert 0 < said <= 20


Lift = tuple[str, float | None, float | None, float | None, str]  # name, value, low, high, caveat


def indicators(*rows: Lift) -> BeautifulSoup:
    """The tables of leading indicators on a page of these lifts."""
    frame, known = lifted(*rows)
    page = Page("quality", frame, {**invented.EDITION, "quarter": NOW}, {known.name: known})  # type: ignore[dict-item]
    return BeautifulSoup(str(page.indicators().html), "html.parser")


def lifted(*rows: Lift) -> tuple[pd.DataFrame, Known]:
    """Readings of these lifts, and the metric that they are of."""
    records = []
    for name, value, low, high, caveat in rows:
        row = dict.fromkeys(COLUMNS, None) | {
            "metric": "leading_indicator_lift",
            "quarter": NOW,
            "slice_by": "indicator",
        }
        row |= {
            "version": 1,
            "family": "quality",
            "unit": "points",
            "counts": "account quarters",
            "status": "no_target",
        }
        reason = "undefined" if value is None else ""
        row |= {
            "slice": name,
            "value": value,
            "low": low,
            "high": high,
            "caveats": caveat,
            "n": 400,
            "better": "neither",
        }
        records.append(row | {"missing_because": reason})
    frame = pd.DataFrame(records, columns=list(COLUMNS))
    return frame, Known("leading_indicator_lift", ("indicator",), "quality", "points", "neither")


NOW = QUARTERS[-1]
CALLED = {"Mails": "the likely range of the difference covers 0", "Visits": "accounts that showed it progressed less",
          "Calls": "no tier with accounts of both kinds", "Ads": "among so many comparisons, chance gives as much",
          "Talks": "too few accounts for a likely range"}  # fmt: skip


def test_an_indicator_that_did_not_lead_is_in_the_appendix_with_its_reason() -> None:
    page = indicators(
        ("teams", 0.10, 0.07, 0.13, ""),
        ("mails", 0.02, -0.01, 0.05, ""),
        ("visits", -0.09, -0.12, -0.06, ""),
        ("calls", None, None, None, "no tier with accounts of both kinds"),
        # 3.0 points with 2.9 below: clear alone (low 0.1), not where four share the page's one in twenty (3.7 below).
        ("ads", 0.030, 0.001, 0.060, ""),
        ("talks", 0.08, None, None, ""),
    )
    earned, appendix = (page.select(f"#table-{name} tbody tr") for name in ("indicators-earned", "indicators-appendix"))
    assert [row.find(["th", "td"]).get_text() for row in earned] == ["Teams"]
    assert {row.find(["th", "td"]).get_text(): row.find_all(["th", "td"])[-1].get_text() for row in appendix} == CALLED


def test_where_all_indicators_led_there_is_no_appendix() -> None:
    page = indicators(("teams", 0.10, 0.07, 0.13, ""))
    assert page.select("#table-indicators-earned") and not page.select("#table-indicators-appendix")


@pytest.mark.parametrize(("low", "high", "said"), [(0.07, 0.13, 0), (-0.02, 0.22, 1)])
def test_the_page_of_an_indicator_says_once_that_it_did_not_lead(low: float, high: float, said: int) -> None:
    frame, known = lifted(("ad_click_rate", 0.10, low, high, ""))
    told = pd.concat([invented.frame(), frame.assign(quarter=invented.NOW)], ignore_index=True)
    register = {**invented.REGISTER, known.name: known}
    page = Page("ads", told, invented.EDITION, register)  # type: ignore[arg-type]
    card, chart = page.scorecard("ad_click_rate", "ad_spend"), page.trend("ad_click_rate")._under()  # type: ignore[union-attr]
    line = "Not shown to go before progress of accounts: the likely range of the difference covers 0."
    assert BeautifulSoup(str(card.html), "html.parser").get_text().count(line) == said
    assert line not in BeautifulSoup(str(chart), "html.parser").get_text()
    first = Page("ads", told, invented.EDITION, register).trend("ad_click_rate")._under()  # type: ignore[arg-type, union-attr]
    assert BeautifulSoup(str(first), "html.parser").get_text().count(line) == said
