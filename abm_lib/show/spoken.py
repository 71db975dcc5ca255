"""What a page says outside its `data` elements: whether each number is made of the readings that stand around it.

A `data` element names its reading and its field. Other words (titles, changes, ranges, labels of drawings) name theirs by where
they stand: in a row of a table, on a card, in a figure with its table, in a sentence. They may say a field of one of those
readings, a difference or a ratio of two of them, or how many there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from html.parser import HTMLParser
from itertools import accumulate, combinations
from typing import Any

from babel.dates import format_date, get_month_names

from .html import clean, short
from .names import NESTED, names_of
from .read_back import Said, said_in

Key = tuple[str, str, str, str]  # metric, quarter, dimension, slice
TRACE = ("data-metric", "data-quarter", "data-slice-by", "data-slice")
# Elements whose words speak of the readings inside them, and those beyond which no words look for readings.
HEADINGS = {"h1", "h2", "h3"}  # of figures, they are a part of them
SPEAKS = {"article", "details", "figure", "table", "tr", "p", "li", "dl", *HEADINGS}
SPEAKS_CLASSES = {"block", "prose"}
ENDS = {"main", "section", "body"}
# What is no result: definitions and rules in force, names of pages and times, how many rows were read, charts of an analyst's own.
SILENT = {"head", "title", "style", "script", "nav", "footer", "header", "time", "code", "select", "template", "data"}
SILENT_CLASSES = {"definition", "evidence", "weights", "touches", "reads", "menu", "only", "record"}
# What ends a paragraph whose end is left out.
AFTER_P = {"p", "div", "table", "ul", "dl", "article", "details", "section", "figcaption", "figure", "main", "body"}
SILENT_TABLES = ("table-attribution-rules", "table-influence-rules", "table-deliveries")
# How many things a page lists or leaves out is counted on the page itself.
LISTED = re.compile(
    r"\bOf \d+ numbers|[▼▲≈○] \d+ (?:worse|better|with no|not)|\b\d+ not (?:judged|printed)|\b\d+ (?:more|other)(?: rows| models)?"
    r"(?=[.;)]| in\b| and\b| give\b|\s*$)|\bOther \(\d+\)|One row in \d+ is shown"
)
QUARTERS = re.compile(r"\bQ[1-4](?: \d{4})?|\b\d{4}(?:Q[1-4]|-\d\d)\b")
SHORT = (24, 28, 40)  # letters at which names are cut in drawings
FIELDS = ("value", "numerator", "denominator", "n", "low", "high", "target", "previous", "year_ago", "as_reported")


@dataclass(frozen=True)
class Words:
    """A piece of text with the readings that it may speak of; `drawn` in a drawing, whose axis has numbers of its own.

    What is bold in a drawing is a value and stands on no axis.
    """

    text: str
    readings: frozenset[Key]
    drawn: bool = False


def words(page: str) -> list[Words]:
    """Every piece of text with a digit that a reader of a page sees outside its `data` elements."""
    seen = _Words()
    seen.feed(page)
    seen.close()
    seen.end("")
    return seen.found


@dataclass(frozen=True)
class Sayable:
    """What may be said in an edition: the fields of every reading, the metrics' labels, and the locale that pages are written in."""

    known: Mapping[Key, Mapping[str, Any]]
    labels: Mapping[str, str]
    locale: str = "en"

    @cached_property
    def caveats(self) -> re.Pattern[str]:
        """What the readings' caveats say with numbers in it: pages repeat it word for word."""
        every = {str(row.get("caveats") or "") for row in self.known.values()}
        bare = {_bare(clean(part), self.locale) for each in every for part in each.split("; ")}
        told = sorted((each for each in bare if re.search(r"\d", each)), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, told)) or r"(?!)", re.IGNORECASE)

    def unspoken(self, said: Words) -> list[str]:
        """The numbers of a piece of text that the readings around it do not say."""
        if said.drawn and said.text in {quarter[:4] for _, quarter, *_ in said.readings}:
            return []
        rows = {key: self.known[key] for key in said.readings if key in self.known}
        numbers = list(said_in(self._without_names(said.text, rows), self.locale))
        sizes = _sizes(rows) if numbers else set()
        return [
            number.text
            for number in numbers
            if not (said.drawn and _is_step(number)) and not any(number.means(size) for size in sizes)
        ]

    def _without_names(self, text: str, rows: Collection[Key]) -> str:
        """A text without what is no number: names, days, quarters, counts of what is listed, and a caveat that is repeated."""
        text = _bare(text, self.locale)
        text = self.caveats.sub("", text)
        names = {form for _, _, by, of in rows if by for form in _forms(names_of, self.locale, by, of)}
        names |= {form for metric, *_ in rows for form in _forms(list, self.locale, (self.labels.get(metric, ""),))}
        for name in sorted(names, key=len, reverse=True):
            text = re.sub(rf"(?<!\d){re.escape(name)}(?!\d)", "", text, flags=re.IGNORECASE)
        return LISTED.sub("", text)


def _sizes(rows: Mapping[Key, Mapping[str, Any]]) -> set[float]:
    """What may be said of readings: their fields, differences and ratios of what is of one kind, sums, and how many they are."""
    sizes = {0.0, float(len(rows))}
    reached = [row["value"] - row["target"] for row in rows.values() if "target" in row]
    sizes |= {float(sum(gap >= 0 for gap in reached)), float(sum(gap <= 0 for gap in reached))}
    values: list[float] = []
    parts: dict[tuple[str, str], list[float]] = {}
    wholes: dict[tuple[str, str], float] = {}
    for (metric, quarter, by, of), row in rows.items():
        sizes |= {
            float(each)
            for name, each in zip(by.split("/"), of.split("/"), strict=False)
            if name in NESTED and each.isdigit()
        }
        told = {name: float(row[name]) for name in FIELDS if row.get(name) is not None and not math.isnan(row[name])}
        sizes.update(map(abs, told.values()))
        if "value" not in told:
            continue
        value = told["value"]
        values.append(value)
        sizes.add(abs(1 - value))
        if by:
            parts.setdefault((metric, quarter), []).append(value)
        else:
            wholes[metric, quarter] = value
        for other in (told[name] for name in ("previous", "year_ago", "target") if name in told):
            sizes |= {abs(value - other), *((abs(value / other), abs(1 - value / other)) if other else ())}
    sizes.update(abs(a - b) for a, b in combinations(values, 2))
    for key, each in parts.items():
        # The largest are drawn one by one, the others as one.
        others = [*accumulate(sorted(each))]
        for total in {others[-1], wholes.get(key, 0.0)} - {0.0}:
            sizes |= {abs(total), *(abs(part / total) for part in (*each, *others))}
        sizes.update(others)
    return sizes


def _is_step(number: Said) -> bool:
    """Whether it may stand on an axis: a round step (1, 2, 2.5 or 5 times a power of ten) or one of its first multiples."""
    digits = f"{number.shown:.10g}".replace(".", "").strip("0")
    return len(digits) <= 1 or digits in {"25", "75", "125"} or (len(digits) == 2 and digits < "20")


@cache
def _forms(named: Callable[..., list[str]], locale: str, *of: Any) -> frozenset[str]:
    """The forms in which pages write names that have digits, whole or cut, without days and quarters."""
    forms = {form for name in named(*of) for form in (clean(name), *(short(name, most) for most in SHORT))}
    return frozenset(bare for form in forms if re.search(r"\d", bare := _bare(form, locale)))


def _bare(text: str, locale: str) -> str:
    """A text without days and quarters."""
    return QUARTERS.sub("", _days(locale).sub("", text))


@cache
def _days(locale: str) -> re.Pattern[str]:
    """30 Sep 2026, 30 Sep and Sep 2026, as a locale writes them."""
    months = "|".join(
        re.escape(name)
        for name in sorted(get_month_names("abbreviated", locale=locale).values(), key=len, reverse=True)
    )
    forms = []
    for form in ("d MMM y", "d MMM", "MMM y"):
        told = re.escape(format_date(date(2033, 5, 22), form, locale=locale))
        named = re.escape(format_date(date(2033, 5, 22), "MMM", locale=locale))
        forms.append(told.replace(named, f"(?:{months})").replace("2033", r"\d{4}").replace("22", r"\d{1,2}"))
    return re.compile("|".join(rf"\b{form}(?!\d)" for form in forms))


@dataclass
class _Block:
    """An open element: what it names, the readings inside it, and words that have found none yet."""

    tag: str
    speaks: bool = True
    trace: dict[str, str] = field(default_factory=dict)
    readings: set[Key] = field(default_factory=set)
    texts: list[tuple[str, bool]] = field(default_factory=list)


class _Words(HTMLParser):
    """Follows the elements that name readings, those whose words speak of them, and those whose ends may be left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Words] = []
        self.open = [_Block("")]
        self.silent: list[str] = []
        self.in_head = self.is_bold = False
        self.drawings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        trace = {key: given[key] for key in TRACE if key in given}
        if self.silent == ["p"] and tag in AFTER_P:
            self.silent = []
        if self.silent:
            self.silent += [tag] if tag == self.silent[0] else []
        elif (
            tag in SILENT
            or given.get("id", "").endswith(SILENT_TABLES)
            or not SILENT_CLASSES.isdisjoint(given.get("class", "").split())
        ):
            self.silent = [tag]
        self.drawings += tag == "svg"
        self.is_bold = (self.is_bold or given.get("font-weight") == "600") and tag in ("g", "text", "svg")
        self.in_head = (self.in_head or tag == "thead") and tag != "tbody"
        top = self.open[-1].tag
        if (tag in ("tr", "li") and top == tag) or (tag == "tbody" and top == "tr") or (top == "p" and tag in AFTER_P):
            self._leave()
        if tag in SPEAKS or tag in ENDS or tag == "div":
            around = self._around() if tag == "tr" else {}
            speaks = tag != "div" or not SPEAKS_CLASSES.isdisjoint(given.get("class", "").split())
            speaks &= tag not in HEADINGS or "figure" not in {block.tag for block in self.open}
            self.open.append(_Block(tag, speaks, around | trace))
            if (trace and tag != "table") or (tag == "tr" and around and not self.in_head):
                self._name(self.open[-1].trace)
        elif tag == "data" or trace:
            self._name(trace if "data-metric" in trace else self._around() | trace)

    def _around(self) -> dict[str, str]:
        """What the nearest element around names."""
        return next((block.trace for block in reversed(self.open) if block.trace), {})

    def _name(self, trace: Mapping[str, str]) -> None:
        metric, quarter, by, of = (trace.get(key, "") for key in TRACE)
        self.open[-1].readings.add((metric, quarter, by, of))

    def handle_endtag(self, tag: str) -> None:
        if self.silent == ["p"] and tag in AFTER_P:
            self.silent = []
        elif self.silent and tag == self.silent[-1]:
            self.silent.pop()
        self.drawings -= tag == "svg"
        self.is_bold = self.is_bold and tag != "g"
        self.in_head = self.in_head and tag != "thead"
        if tag in SPEAKS or tag in ENDS or tag == "div":
            self.end(tag)
        elif tag == "ul" and self.open[-1].tag == "li":
            self._leave()

    def end(self, tag: str) -> None:
        """Leave every element up to the named one."""
        if tag and tag not in {block.tag for block in self.open}:
            return
        while len(self.open) > 1 and self._leave() != tag:
            pass
        if not tag:
            self._emit(self.open[0])

    def _leave(self) -> str:
        left = self.open.pop()
        if (left.readings and left.speaks) or left.tag in ENDS:
            self._emit(left)
        else:
            self.open[-1].texts += left.texts
        if left.tag not in ENDS:
            self.open[-1].readings |= left.readings
        return left.tag

    def _emit(self, block: _Block) -> None:
        # A page's parts share no readings: what is said between them has to name its own.
        readings = frozenset() if block.tag in ENDS | {""} else frozenset(block.readings)
        self.found += [Words(text, readings, drawn) for text, drawn in block.texts]

    def handle_data(self, data: str) -> None:
        if not self.silent and re.search(r"\d", data):
            self.open[-1].texts.append((" ".join(data.split()), self.drawings > 0 and not self.is_bold))
