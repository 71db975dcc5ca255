"""What the bytes of a published page may hold: checked last, on what is written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from ..errors import Fault

LOADS = {"src", "srcset", "poster", "data", "action", "background", "formaction", "ping", "xlink:href"}
ACTIVE = {"script", "iframe", "object", "embed", "base", "form"}
# The shared file beside the pages, and the charts' data that it reads; no other script element is known.
SCRIPTS = ({"src": "abm.js", "defer": None}, {"class": "charts", "type": "application/json"})
# A number in words of our own; one that is part of a name, such as Q3, GA4 or S0-11, is none.
TYPED = re.compile(r"(?<![\w-])[€$£]?\d[\d.,]*\s?%?")
# A number wherever it stands, with the marks of any locale inside it.
NUMBER = re.compile(r"\d(?:[\d.,\u202f\xa0’]*\d)?")
BARE_CODES = {"nan", "None", "NaT", "inf", "-inf", "<NA>"}
STYLE_LOADS = re.compile(r"@import|url\(\s*['\"]?(?!data:|#)", re.IGNORECASE)
RUNS = re.compile(r"\s*(?:javascript|vbscript):", re.IGNORECASE)


def faults(text: str, made: Mapping[str, int]) -> list[Fault]:
    """Lost or added figures and tables, scripts, remote loads, and bare codes for something missing.

    `made` maps element names to how many of them the notebook produced.
    """
    seen = _Seen()
    seen.feed(text)
    seen.close()
    counts = {kind: (seen.counts.get(kind, 0), n) for kind, n in made.items()}
    lost = [
        fault("count", f"{k}s published differ from those produced", str(a), str(b))
        for k, (a, b) in counts.items()
        if a != b
    ]
    return lost + [fault("bytes", "the page holds what it may not", found, "none of it") for found in seen.forbidden]


def fault(rule: str, name: str, found: str, expected: str, where: str = "page") -> Fault:
    return Fault(rule, name, where, found, expected, "mend the notebook or the page's method, then run again")


def typed(number: str, where: str) -> Fault:
    """What is said of a number that no reading is behind."""
    fix = "name its reading, as in page.say('{metric}'), or write it as a word"
    return Fault(
        "typed_number", "a number that no reading is behind", where, number.strip(), "numbers of readings alone", fix
    )


@dataclass(frozen=True)
class Shown:
    """What a page says: the text of its main part as a reader sees it, and how many figures and tables it has.

    `numbers` are those of its words and drawings, wherever they stand on it.
    """

    text: str
    figure: int
    table: int
    numbers: frozenset[str] = frozenset()

    @property
    def made(self) -> dict[str, int]:
        return {"figure": self.figure, "table": self.table}


def shown(text: str) -> Shown:
    """What a page says, whatever its form; the words of scripts and styles are nothing that it says."""
    seen = _Seen()
    seen.feed(text)
    seen.close()
    figures, tables = seen.counts.get("figure", 0), seen.counts.get("table", 0)
    return Shown("".join(seen.said), figures, tables, frozenset(seen.numbers))


@dataclass(frozen=True)
class Number:
    """A number as a page shows it: the reading and the field that it leads back to, its exact value and its text."""

    metric: str
    quarter: str
    slice_by: str
    slice: str
    field: str
    value: float
    text: str


def numbers(text: str) -> list[Number]:
    """Every `data` element of a page, with what it inherits from the row, table, tile or definition around it."""
    seen = _Numbers()
    seen.feed(text)
    seen.close()
    return seen.found


class _Numbers(HTMLParser):
    """Follows the elements that carry a trace, and those whose ends may be left out."""

    TRACE = ("data-metric", "data-quarter", "data-slice-by", "data-slice")
    HOLDERS = ("article", "details", "table", "tr")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Number] = []
        self.open: list[tuple[str, dict[str, str]]] = []
        self.now: tuple[dict[str, str], list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "tr" and self.open and self.open[-1][0] == "tr":
            self.open.pop()
        if tag in self.HOLDERS:
            around = self.open[-1][1] if self.open and tag == "tr" else {}
            self.open.append((tag, around | {key: given[key] for key in self.TRACE if key in given}))
        elif tag == "data":
            around = {} if "data-metric" in given else self.open[-1][1]
            self.now = {**around, **given}, []

    def handle_endtag(self, tag: str) -> None:
        if tag == "data" and self.now:
            given, texts = self.now
            where = [given.get(key, "") for key in self.TRACE]
            value, field = _number(given.get("value", "")), given.get("data-field", "value")
            self.found.append(Number(where[0], where[1], where[2], where[3], field, value, "".join(texts)))
            self.now = None
        elif tag in self.HOLDERS:
            while self.open and self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.now:
            self.now[1].append(data)


def _number(text: str) -> float:
    """What is no number equals no reading."""
    try:
        return float(text)
    except ValueError:
        return math.nan


class _Seen(HTMLParser):
    """Counts elements, and collects the text of the main part and what no page may hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.counts: dict[str, int] = {}
        self.forbidden: list[str] = []
        self.in_style = self.in_main = self.in_label = False
        self.said: list[str] = []
        self.numbers: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.in_style, self.in_label = tag == "style", self.in_label or tag == "label"
        self.in_main |= tag == "main"
        if tag in ACTIVE and not (tag == "script" and dict(attrs) in SCRIPTS):
            self.forbidden.append(f"<{tag}>")
        self.forbidden += [
            f"{key}={(value or '')[:60]} on <{tag}>" for key, value in attrs if _acts(tag, key, value or "")
        ]

    def handle_endtag(self, tag: str) -> None:
        self.in_style = self.in_style and tag != "style"
        self.in_main = self.in_main and tag != "main"
        self.in_label = self.in_label and tag != "label"  # hidden until a script shows what there is to choose

    def handle_data(self, data: str) -> None:
        if self.in_main and not self.in_label:
            self.said.append(data)
        self.numbers.update(NUMBER.findall(data))
        if self.in_style and STYLE_LOADS.search(data):
            self.forbidden.append("a remote reference in a style")
        if data.strip() in BARE_CODES:
            self.forbidden.append(f"the bare code {data.strip()!r}")


def _acts(tag: str, key: str, value: str) -> bool:
    """Whether an attribute runs something or loads something from elsewhere."""
    told = key.startswith(("data-", "aria-")) or key in ("alt", "title")  # text from data, which nothing follows
    if key.startswith("on") or (RUNS.match(value) and not told):
        return True
    if key == "style":
        return bool(STYLE_LOADS.search(value))
    # Drawings may load through a presentation attribute too: fill="url(https://…)".
    if "url(" in value and STYLE_LOADS.search(value) and not told:
        return True
    loads = (key in LOADS and tag != "script") or (key == "href" and tag != "a")
    return loads and bool(value) and not value.startswith(("#", "data:"))
