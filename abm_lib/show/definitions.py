"""How each number is counted: the metric's docstring as it stands and its formula with the numbers in it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from .fragment import Fragment
from .html import join, said, tag
from .numbers import day
from .rows import Known, Row
from .tables import likely

SCOPES = {
    "leading": "Progress so far",
    "funnel": "Potential, not a return",
    "return": "Return",
    "quality": "How far to trust it",
}
SENTENCE = re.compile(r"(?<=\.)\s")
PARAGRAPH = re.compile(r"^([A-Z][a-z]+): ")


def definitions(
    metrics: Sequence[tuple[Known, Row | None]], agreed: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> Fragment:
    """One closed disclosure for each metric; they open on the page and are left out of print.

    `agreed` says who agreed what: `Definition` and `Target`, each by metric.
    """
    told = {m.name: [_agreed(what, by[m.name]) for what, by in agreed.items() if m.name in by] for m, _ in metrics}
    html = [_one(metric, row, told[metric.name]) for metric, row in metrics]
    return Fragment("definitions", tag("div", html, class_="definitions"), f"{len(metrics)} definitions")


def in_short(metrics: Sequence[Known], family: str) -> Markup:
    """The first sentence of each metric's definition, and a link to all of it from the page of `family`."""
    pieces: list[object] = []
    for metric in metrics:
        sentence = SENTENCE.split(paragraphs(metric.doc)[0][1], 1)[0]
        where = place(metric, here=family in ("summary", metric.family))
        pieces += [sentence, " ", tag("a", metric.name, href=where), " "]
    return join(pieces[:-1])


def place(metric: Known, here: bool) -> str:
    """A link to the whole definition of a metric: on this page, or on that of the metric's family."""
    return f"{'' if here else f'{metric.family}.html'}#how-{metric.name}"


def caveats(letters: dict[str, str], metrics: dict[str, list[str]]) -> Fragment:
    """Every caveat with its letter and the numbers it touches."""
    items = [
        tag(
            "li",
            tag("span", letter, class_="letter", aria_hidden="true"),
            tag("span", said(text), " ", tag("span", f"Touches: {', '.join(metrics[text])}.", class_="touches")),
            id=f"caveat-{letter}",
        )
        for text, letter in letters.items()
    ]
    none = tag("p", "No caveat touches a number of this page.", class_="no-caveat")
    html = tag("ul", items, class_="caveat-list") if items else none
    return Fragment("caveats", html, f"{len(letters)} caveats")


def letter(index: int) -> str:
    """The letter of a caveat: a to z, then aa, ab and so on."""
    head, tail = divmod(index, 26)
    return (letter(head - 1) if head else "") + chr(ord("a") + tail)


def scope(metrics: Sequence[Known]) -> Fragment:
    """Which numbers show progress, which show potential and which are a return (S2-16)."""
    kinds: dict[str, list[str]] = {}
    for metric in metrics:
        kinds.setdefault(SCOPES.get(metric.kind, metric.kind), []).append(metric.label)
    lines = [tag("p", tag("b", f"{kind}: "), ", ".join(labels) + ".") for kind, labels in kinds.items()]
    return Fragment("prose", tag("div", lines, class_="scope"), "What kind of numbers these are")


def paragraphs(doc: str) -> list[tuple[str, str]]:
    """A docstring as (label, text) pairs; the opening sentences have an empty label. A label starts a line."""
    pairs: list[tuple[str, list[str]]] = [("", [])]
    for line in inspect.cleandoc(doc).splitlines():
        if found := PARAGRAPH.match(line):
            pairs.append((found[1], [line[found.end() :]]))
        elif line.strip():
            pairs[-1][1].append(line.strip())
        elif pairs[-1][0]:
            pairs.append(("", []))
    return [(label, " ".join(lines)) for label, lines in pairs if lines]


def _agreed(what: str, by: Mapping[str, str]) -> Markup:
    """Who agreed a definition or a target, when, and when it was changed after that (S0-34, S0-58, S2-01)."""
    when = f" on {day(by['agreed_on'])}" if by.get("agreed_on") else ""
    changed = f", changed on {day(by['amended_on'])}" if by.get("amended_on") else ""
    return tag("p", what, " agreed by ", said(by.get("agreed_by") or "nobody named"), when, changed, ".")


def _one(metric: Known, row: Row | None, agreed: Sequence[Markup]) -> Markup:
    text = [
        tag("p", tag("b", f"{label}: ") if label else None, _with_code(words))
        for label, words in paragraphs(metric.doc)
    ]
    version = row.version if row else str(getattr(metric, "version", 1))
    trace = tag("p", tag("code", metric.name), f", version {version}", class_="trace")
    value = row.data(inside=True) if row else "by slice only"
    summary = tag("summary", tag("span", metric.label, class_="what"), " ", value)
    inner = tag("div", _formula(row) if row else None, text, agreed, trace, class_="definition")
    return tag("details", summary, inner, id=f"how-{metric.name}", **(row.trace if row else {}))


def _with_code(words: str) -> list[Markup]:
    """Text with what stands between backticks as code."""
    pieces = words.split("`")
    return [tag("code", piece) if i % 2 else escape(piece) for i, piece in enumerate(pieces)]


def _formula(row: Row) -> Markup | None:
    """€4.94M ÷ €2.60M = 1.9x, each number traceable."""
    if row.numerator is None or row.denominator is None or row.value is None:
        return None
    tail = tag("span", "likely ", likely(row, inside=True), class_="aside") if row.ranged else None
    parts = row.data("numerator", inside=True), " ÷ ", row.data("denominator", inside=True)
    terms = [*parts, " = ", row.data(inside=True), " ", tail]
    return tag("p", terms, class_="formula")
