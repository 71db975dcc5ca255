"""What may be said of a reading: above, below or no clear change, never a cause.

A verdict has a tone (good, bad or grey), a sign and words. It takes a tone only when the metric has a better direction,
enough units stand behind it, and either the number is a known total or its likely range clears the target (or, with no
clear gap to a target, last year's value). Everything else is grey.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from .html import clean, tag
from .numbers import MINUS, change, missing_words, size
from .rows import Row

MIN_N = 10
UP, DOWN, SAME, NONE = "▲", "▼", "≈", "○"
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

    def html(self) -> Markup:
        sign = tag("span", self.sign, class_="sign", aria_hidden="true")
        return tag("span", sign, " ", self.words, class_=f"verdict {self.tone}")


def verdict(row: Row, band: tuple[float, float] | None = None) -> Verdict:
    """The verdict on a reading; `band` is the range needed where need is a range and not a point."""
    if row.value is None:
        return Verdict(
            "grey", NONE, clean(row.caveat_list[0]) if row.caveat_list else missing_words(row.missing_because)
        )
    if too_few(row):
        return Verdict("grey", NONE, f"Too few to judge: {row.text('n')}" if row.n is not None else "Too few to judge")
    if band is not None:
        return _against_band(row, band)
    if row.target is not None and (row.better in ("higher", "lower")):
        return _against_target(row)
    return _against_last_year(row) or _moved(row)


def too_few(row: Row) -> bool:
    """Whether so few units stand behind a rate that it cannot be judged; a total is what it is."""
    return row.status == "small_n" or (row.unit not in TOTALS and row.n is not None and row.n < MIN_N)


def clears(row: Row, mark: float) -> int:
    """1 or -1 when a reading lies clearly above or below a mark, else 0."""
    if row.value is None or row.value == mark:
        return 0
    if row.low is not None and row.high is not None:
        return 1 if row.low > mark else -1 if row.high < mark else 0
    exact = (row.unit in TOTALS and row.denominator is None) or row.status in ("good", "bad")
    return (1 if row.value > mark else -1) if exact else 0


def last_year(row: Row) -> str:
    """The quarter a year before, as cards name it: Q3 2025."""
    return f"{row.quarter[4:]} {int(row.quarter[:4]) - 1}"


def last_quarter(row: Row) -> str:
    """The quarter before, without its year: Q2."""
    return f"Q{(int(row.quarter[5]) + 2) % 4 + 1}"


def moved(row: Row) -> str:
    """Up or down on the quarter before and by how much, in words that fit into a sentence."""
    if row.value is None or row.previous is None:
        return "without an earlier value"
    by = change(row.value - row.previous, row.unit, row.currency, row.n)
    if by == "–":
        return f"as in {last_quarter(row)}"
    return f"{'down' if by.startswith(MINUS) else 'up'} {by.lstrip('+' + MINUS)} on {last_quarter(row)}"


def _against_target(row: Row) -> Verdict:
    assert row.value is not None and row.target is not None
    side = clears(row, row.target)
    if side:
        gap = size(row.value - row.target, row.unit, row.currency, row.n)
        above, below = ("over", "under") if row.better == "lower" else ("above", "short of")
        how = (
            f"{gap} {above if side > 0 else below} target"
            if not row.ranged
            else f"Clearly {'above' if side > 0 else 'below'} target"
        )
        return Verdict(_tone(row, side), UP if side > 0 else DOWN, how)
    if row.value == row.target:
        return Verdict("grey", SAME, "On target")
    return _against_last_year(row, clear_only=True) or Verdict("grey", SAME, "No clear gap to target")


def _against_band(row: Row, band: tuple[float, float]) -> Verdict:
    assert row.value is not None
    low, high = band
    needs = (
        f"{_plain(row, low)}–{_plain(row, high)}x" if row.unit == "times" else f"{_plain(row, low)}–{_plain(row, high)}"
    )
    if low <= row.value <= high:
        return Verdict("grey", SAME, f"Inside what is needed ({needs})")
    side = 1 if row.value > high else -1
    return Verdict(_tone(row, side), UP if side > 0 else DOWN, f"{'Above' if side > 0 else 'Below'} need ({needs})")


def against_point(row: Row, need: Row) -> Verdict:
    """Against a need known as a point without a range: said with its sign, but never coloured."""
    if row.value is None or need.value is None or too_few(row):
        return verdict(row)
    if row.value >= need.value:
        return Verdict("grey", UP, f"Above the {need.text()} needed")
    return Verdict("grey", DOWN, f"Below the {need.text()} needed")


def _against_last_year(row: Row, clear_only: bool = False) -> Verdict | None:
    if row.year_ago is None or row.value is None or row.better not in ("higher", "lower"):
        return None
    side = clears(row, row.year_ago) if row.ranged or not clear_only else 0
    if side and row.ranged:
        return Verdict(
            _tone(row, side), UP if side > 0 else DOWN, f"Clearly {'up' if side > 0 else 'down'} on {last_year(row)}"
        )
    if side:
        gap = size(row.value - row.year_ago, row.unit, row.currency, row.n)
        return Verdict(
            _tone(row, side), UP if side > 0 else DOWN, f"{gap} {'more' if side > 0 else 'less'} than {last_year(row)}"
        )
    return None if clear_only else Verdict("grey", SAME, "No clear change")


def _moved(row: Row) -> Verdict:
    """Words for a number without a better direction or without anything to judge it by: what moved, in grey."""
    assert row.value is not None
    if row.previous is None:
        return Verdict("grey", "", "No target, no earlier value")
    if (row.ranged and not clears(row, row.previous)) or row.value == row.previous:
        return Verdict("grey", SAME, "No clear change" if row.ranged else f"Same as {last_quarter(row)}")
    words = moved(row)
    return Verdict("grey", "", words[0].upper() + words[1:])


def _tone(row: Row, side: int) -> str:
    """Good or bad by the metric's direction, unless the reading itself was judged otherwise: then grey."""
    tone = "good" if (side > 0) == (row.better == "higher") else "bad"
    other = {"good": "bad", "bad": "good"}[tone]
    return tone if row.better in ("higher", "lower") and row.status not in (other, "unclear", "small_n") else "grey"


def _plain(row: Row, value: float) -> str:
    return f"{value:.1f}" if row.unit == "times" else size(value, row.unit, row.currency)
