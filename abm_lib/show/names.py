"""What slices are called, and in what order they stand."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .html import clean
from .numbers import month_name, quarter_name

TIME = r"\d{4}(Q[1-4]|-\d\d|-W\d\d|$)"
NATURAL = re.compile(TIME + r"|\d+$")  # times and numbers stand in their order
# Words of our own codes that are not written small, and codes that are more than their words.
SPELLED = {word.lower(): word for word in "MQA MQL ICP VP CTA NPS CSAT CRM LinkedIn sBG".split()}
CODES = {
    "c_level": "C-level",
    "cross_sell": "Cross-sell",
    "mid_market": "Mid-market",
    "moved_in": "Day moved in",
    "moved_out": "Day moved out",
    "re_tiered": "Tier changed",
    "fx": "Exchange rate",
}
NUMBERED = {"least_touches": "{} or more touches", "people": "{} or more people"}  # others are called Tier 1
NESTED = {"as_of_day", "depth", "least_touches", "people", "within_days"}  # who scrolled to 75 also did to 50
ONE = {"people": "person"}
STAGES = ("cold", "engaged", "mqa", "demo", "opportunity", "customer", "renewal")
# From one stock to the next.
MOVEMENTS = tuple(
    "opening joined left created reopened recorded_late cross_sell upsell contraction churn pulled_in moved_in amount_up "
    "amount_down pushed_out moved_out won lost no_longer_won deleted merged re_tiered fx closing".split()
)
ORDERS = {
    "stage": STAGES,
    "movement": MOVEMENTS,
    "close_quarter": ("overdue",),
    "funnel": ("top", "middle", "bottom"),
    "programme": ("one_to_one", "one_to_few", "one_to_many"),
    "rule": ("strict", "default", "one_response", "any_touch"),
}


def heading(dimension: str) -> str:
    """A dimension as the heading of a column: source_owner is Source owner, several are listed."""
    others, _, last = clean(dimension).removeprefix("as_of_").rpartition("/")
    return _spelled(f"{others.replace('/', ', ')} and {last}" if others else last)


def within(text: str) -> str:
    """A label inside a sentence; one that begins with an abbreviation stays as it is."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def identifier(dimension: str) -> str:
    """A dimension as part of an element's id."""
    return dimension.replace("/", "-").replace("_", "-")


def names_of(slice_by: str, slice_: str) -> list[str]:
    """Each part of a slice as words: tier 1 of a grid by tier and stage is Tier 1."""
    return [
        NUMBERED.get(by, f"{heading(by)} {{}}").format(int(value)) if value.isdigit() else words(value)
        for by, value in _parts(slice_by, slice_)
    ]


def words(code: str) -> str:
    """A slice's code as words: tier_1 is Tier 1; text with capitals of its own is kept as the company writes it."""
    text = clean(code).replace("%2F", "/")
    if not text:
        return "Unknown"
    if found := re.fullmatch(r"(\d{4}Q[1-4])(.*)", text):
        return quarter_name(found[1]) + found[2]
    if found := re.fullmatch(r"\d{4}-(?:W(\d\d)|\d\d)", text):
        return f"Week {int(found[1])}" if found[1] else month_name(text)
    return CODES.get(text) or (_spelled(text) if text == text.lower() else text)


def one_of(counted: str) -> str:
    """What is counted, for one of it: an account of accounts."""
    return ONE.get(counted) or (counted[:-3] + "y" if counted.endswith("ies") else counted.removesuffix("s"))


def has_order(dimension: str, slices: Sequence[str]) -> bool:
    """Whether slices have an order of their own, that no ranking should break; a company's own stages have none here."""
    return (
        dimension.endswith("_band")
        or not set(ORDERS.get(dimension, ())).isdisjoint(slices)
        or any(map(NATURAL.match, slices))
    )


def are_steps(slice_by: str, slices: Sequence[str]) -> bool:
    """Whether slices differ by what they are: the quarters in which something began, or each a part of the one before."""
    return not NESTED.isdisjoint(slice_by.split("/")) or any(re.match(TIME, each) for each in slices)


def order(slice_by: str, slice_: str) -> tuple[float, ...]:
    """Where a slice stands among others: as ORDERS says, bands by their lower end, times and numbers by themselves."""
    return tuple(_rank(by, value) for by, value in _parts(slice_by, slice_))


def _rank(by: str, value: str) -> float:
    if by.endswith("_band"):
        number = re.search(r"\d[\d,.]*", value)
        return float(re.sub(r"\D", "", number[0])) - value.startswith("under") if number else math.inf
    if found := NATURAL.match(value):
        return float(re.sub(r"\D", "", found[0]))
    known = ORDERS.get(by, ())
    return known.index(value) if value in known else math.inf


def _parts(slice_by: str, slice_: str) -> list[tuple[str, str]]:
    by = slice_by.split("/")
    return list(zip(by, slice_.split("/", len(by) - 1), strict=False))


def _spelled(code: str) -> str:
    text = " ".join(SPELLED.get(word, word) for word in code.replace("_", " ").split(" "))
    return text[:1].upper() + text[1:]
