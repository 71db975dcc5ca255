"""What may be said of a reading: above, below or no clear change, never a cause.

A verdict has a tone (good, bad or grey), a sign and words. It takes a tone only when the metric has a better direction,
enough units stand behind it, and either the number is a known total or its likely range clears the target (or, with no
clear gap to a target, the range of its difference from last year leaves 0 out). Everything else is grey.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from .html import clean, tag
from .numbers import MINUS, change, missing_words, size, span
from .rows import Row

_fewest = {"colour": 10, "trend": 30}
UP, DOWN, SAME, NONE = "▲", "▼", "≈", "○"
NO_GAP = "No clear gap to target"
TOTALS = {"count", "money", "money_per_day"}


@dataclass(frozen=True)
class Verdict:
    """Tone is good, bad or grey; `sign` and `words` say the same without colour."""

    tone: str
    sign: str
    words: str

    @property
    def text(self) -> str:
        return f"{self.sign} {self.words}".strip()

    @property
    def inline(self) -> str:
        """The words inside a sentence."""
        return self.words[:1].lower() + self.words[1:]

    def html(self) -> Markup:
        sign = tag("span", self.sign, class_="sign", aria_hidden="true")
        return tag("span", sign, " ", self.words, class_=f"verdict {self.tone}")


def judge_from(fewest: Mapping[str, int]) -> None:
    """The counts below which a rate or mean takes no colour and says nothing of a trend, from here on: [min_n] of abm.toml."""
    _fewest.update(fewest)


def verdict(row: Row, need: Row | None = None) -> Verdict:
    """Against what is needed where that is a range or there is no target, else the target, else last year."""
    if row.value is None:
        said = clean(row.caveat_list[0]) if row.caveat_list else missing_words(row.missing_because)
        return Verdict("grey", NONE, said[:1].upper() + said[1:])
    if too_few(row):
        is_few = row.n is not None and row.n < _fewest["colour"]
        return Verdict("grey", NONE, f"Too few to judge: {row.text('n')}" if is_few else "Too short a record to judge")
    if need is not None and need.value is not None and (need.ranged or row.target is None):
        return _against_need(row, need)
    if row.target is not None and row.better in ("higher", "lower"):
        return _against_target_or_last_year(row, row.target)
    return _against_last_year(row) or _moved(row)


def too_few(row: Row) -> bool:
    """Whether so few units stand behind a rate or a mean that it cannot be judged; a total is what it is."""
    return row.status == "small_n" or _fewer(row, "colour")


def _fewer(row: Row, floor: str) -> bool:
    return not is_total(row) and row.n is not None and row.n < _fewest[floor]


def is_total(row: Row) -> bool:
    """Whether the value is a sum or a count, known without error."""
    return row.unit in TOTALS and row.denominator is None and not row.ranged


def clears(row: Row, mark: float) -> int:
    """1 or -1 when a reading lies clearly above or below a mark, else 0."""
    if row.value is None or row.value == mark:
        return 0
    if row.low is not None and row.high is not None:
        return 1 if row.low > mark else -1 if row.high < mark else 0
    exact = is_total(row) or row.status in ("good", "bad")
    return (1 if row.value > mark else -1) if exact else 0


def differs(row: Row, other: Row | None, widen: float = 1.0) -> int:
    """1 or -1 where a reading lies clearly above or below another, such as its own of a year ago; else 0.

    Both ranges stand behind the difference: it must exceed the root of the two squared half-widths that face each other,
    which for shares of k of n is Newcombe's interval. Without a range of either nothing is claimed.
    """
    if row.value is None or other is None or other.value is None:
        return 0
    high, low = (row, other) if row.value > other.value else (other, row)
    if high.value is None or low.value is None or high.low is None or low.high is None:
        return 0
    if high.value - low.value <= math.hypot(high.value - high.low, low.high - low.value) * widen:
        return 0
    return 1 if high is row else -1


def a_year_before(quarter: str) -> str:
    """2025Q3 for 2026Q3."""
    return f"{int(quarter[:4]) - 1}{quarter[4:]}"


def a_quarter_before(quarter: str) -> str:
    """2026Q2 for 2026Q3."""
    return f"{quarter[:5]}{int(quarter[5]) - 1}" if quarter[5] != "1" else f"{int(quarter[:4]) - 1}Q4"


def last_year(row: Row) -> str:
    """The quarter a year before, as cards name it: Q3 2025."""
    before = a_year_before(row.quarter)
    return f"{before[4:]} {before[:4]}"


def last_quarter(row: Row) -> str:
    """The quarter before, without its year: Q2."""
    return a_quarter_before(row.quarter)[4:]


def moved(row: Row) -> str:
    """Up or down on the quarter before and by how much, in words that fit into a sentence."""
    if row.value is None or row.previous is None:
        return "without an earlier value"
    by = change(row.value - row.previous, row.unit, row.currency, row.n)
    if by == "–":
        return f"as in {last_quarter(row)}"
    return f"{'down' if by.startswith(MINUS) else 'up'} {by.lstrip('+' + MINUS)} on {last_quarter(row)}"


def against_target(row: Row, target: float) -> Verdict:
    """Against the target alone, whatever last year was: grey where the likely range holds it or too few stand behind it."""
    if row.value is None or too_few(row):
        return verdict(row)
    side = clears(row, target)
    if row.value == target:
        return Verdict("grey", SAME, "On target")
    if not side:
        return Verdict("grey", SAME, NO_GAP)
    above, below = ("over", "under") if row.better == "lower" else ("above", "short of")
    gap = size(row.value - target, row.unit, row.currency, row.n)
    words = f"{gap} {above if side > 0 else below} target"
    if row.ranged:
        words = f"Clearly {'above' if side > 0 else 'below'} target"
    # A status that speaks of the same target and disagrees takes the colour away.
    tone = _direction(row, side)
    veto = row.status in ("unclear", {"good": "bad", "bad": "good"}.get(tone))
    return Verdict("grey" if veto else tone, UP if side > 0 else DOWN, words)


def _against_target_or_last_year(row: Row, target: float) -> Verdict:
    judged = against_target(row, target)
    since = _against_last_year(row, clear_only=True) if judged.words == NO_GAP else None
    # Clearly better than last year, though on the wrong side of the target, is no good news to a reader of colours.
    agrees = since and since.tone == _direction(row, 1 if (row.value or 0.0) > target else -1)
    return since if since and agrees else judged


def _against_need(row: Row, need: Row) -> Verdict:
    """A range that is needed can be cleared; a point without a range is said with its sign but never coloured."""
    value = row.value if row.value is not None else 0.0
    if need.low is None or need.high is None:
        above = value >= (need.value or 0.0)
        return Verdict("grey", UP if above else DOWN, f"{'Above' if above else 'Below'} the {need.text()} needed")
    needed = span(need.low, need.high, need.unit, need.currency, need.n)
    if need.low <= value <= need.high:
        return Verdict("grey", SAME, f"Inside what is needed ({needed})")
    side = 1 if value > need.high else -1
    return Verdict(
        _direction(row, side), UP if side > 0 else DOWN, f"{'Above' if side > 0 else 'Below'} need ({needed})"
    )


def _against_last_year(row: Row, clear_only: bool = False) -> Verdict | None:
    """Clearly up or down, or no clear change; a value without a range only says by how much, in colour if it is a total."""
    if row.year_ago is None or row.value is None or row.better not in ("higher", "lower"):
        return None
    if _fewer(row, "trend"):
        return None if clear_only else Verdict("grey", NONE, f"Too few to tell a trend: {row.text('n')}")
    side = differs(row, row.in_quarter(a_year_before(row.quarter))) if row.ranged else 0
    if is_total(row):
        side = clears(row, row.year_ago)
    if clear_only:
        return _year_on_year(row, side) if side and row.ranged else None
    if row.ranged and not side:
        return Verdict("grey", SAME, "No clear change")
    if row.value == row.year_ago:
        return Verdict("grey", SAME, f"Same as {last_year(row)}")
    return _year_on_year(row, side)


def _year_on_year(row: Row, side: int) -> Verdict:
    up = (row.value or 0.0) > (row.year_ago or 0.0)
    gap = size((row.value or 0.0) - (row.year_ago or 0.0), row.unit, row.currency, row.n)
    words = f"{gap} {'more' if up else 'fewer' if row.unit == 'count' else 'less'} than {last_year(row)}"
    if row.ranged:
        words = f"Clearly {'up' if up else 'down'} on {last_year(row)}"
    return Verdict(_direction(row, side) if side else "grey", UP if up else DOWN, words)


def _moved(row: Row) -> Verdict:
    """Words for a number with nothing to judge it by: what moved, in grey."""
    if row.value is None or row.previous is None:
        return Verdict("grey", "", "No target, no earlier value")
    clear = not row.ranged or differs(row, row.in_quarter(a_quarter_before(row.quarter)))
    if not clear or row.value == row.previous:
        return Verdict("grey", SAME, "No clear change" if row.ranged else f"Same as {last_quarter(row)}")
    words = moved(row)
    return Verdict("grey", "", words[0].upper() + words[1:])


def _direction(row: Row, side: int) -> str:
    """Whether that side is the better one; grey for a metric without a better direction."""
    if row.better not in ("higher", "lower"):
        return "grey"
    return "good" if (side > 0) == (row.better == "higher") else "bad"
