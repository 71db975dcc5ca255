"""Tables of readings.

Numbers stand right, text left; a missing number says why. On a phone a row becomes its name, one figure and one grey
line: the cells carry their column's name for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .fragment import Fragment
from .html import said, short, tag
from .numbers import span
from .rows import Row


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its cells from top to bottom, and whether they are numbers."""

    heading: str
    cells: Sequence[object]
    number: bool = True


def table(
    name: str, caption: str, columns: Sequence[Column], total: Sequence[int] = (), shown: bool = False
) -> Fragment:
    """A table with a fixed id; the first column names the rows, `total` holds the indexes of rows that are sums."""
    head = tag("tr", [tag("th", c.heading, scope="col", class_="number" if c.number else None) for c in columns])
    rows = zip(*(c.cells for c in columns), strict=True)
    body = [_line(columns, cells, i in total) for i, cells in enumerate(rows)]
    caption_class = None if shown else "hidden"
    html = tag(
        "table",
        tag("caption", caption, class_=caption_class),
        tag("thead", head),
        tag("tbody", body),
        id=f"table-{name}",
    )
    return Fragment("table", html, caption, tables=1)


def of_slices(name: str, rows: Sequence[Row], whole: Row | None, first: str) -> Fragment:
    """Slices under one another: value, what it is made of, likely range, target, the quarter and year before."""
    lines = [*rows, *([whole] if whole else [])]
    columns = [Column(first, [said(row.name) for row in lines], number=False), *_reading_columns(lines)]
    return table(
        name, f"{lines[0].label} by {first.lower()}" if lines else first, columns, total=[len(rows)] if whole else []
    )


def of_quarters(name: str, rows: Sequence[Row], first: str = "Quarter") -> Fragment:
    """One reading through time: value, what stands behind it, likely range and target."""
    names = [said(row.name) if row.slice_by else f"{row.quarter[4:]} {row.quarter[:4]}" for row in rows]
    columns = [Column(first, names, number=False), *_reading_columns(rows, earlier=False)]
    return table(name, f"{rows[0].label} by {first.lower()}" if rows else first, columns)


def _reading_columns(rows: Sequence[Row], earlier: bool = True) -> list[Column]:
    """The columns that any list of readings has; a column with nothing in it is left out."""
    columns = [Column("Value", [row.data() for row in rows])]
    if any(row.numerator is not None and row.denominator for row in rows):
        columns.append(Column("From", [behind(row) for row in rows]))
    if any(row.ranged for row in rows):
        columns.append(Column("Likely", [likely(row) for row in rows]))
    fields = [("Target", "target")] + ([("Quarter before", "previous"), ("Year before", "year_ago")] if earlier else [])
    for heading, field in fields:
        if any(getattr(row, field) is not None for row in rows):
            columns.append(
                Column(
                    heading,
                    [
                        row.data(field) if getattr(row, field) is not None else tag("span", "none", class_="missing")
                        for row in rows
                    ],
                )
            )
    if any(row.caveats for row in rows):
        columns.append(Column("Read with care", [said(row.caveats) for row in rows], number=False))
    return columns


def left_out(rows: Sequence[Row], more: Sequence[Row]) -> list[object]:
    """Notes on slices that a drawing leaves out: without a value, or beyond what fits."""
    notes: list[object] = []
    if missing := [row for row in rows if row.value is None]:
        notes.append("Not drawn: " + ", ".join(f"{short(r.name)} ({r.text()})" for r in missing) + ".")
    if more:
        notes.append(f"{len(more)} more in the table.")
    return notes


def behind(row: Row) -> Markup:
    """What a value is made of: k of n for counts, money ÷ money; nothing where it is not a quotient."""
    if row.numerator is None or not row.denominator:
        return row.data("n") if row.n is not None else Markup("")
    return row.data("numerator") + (" of " if row.unit == "share" else " ÷ ") + row.data("denominator")


def likely(row: Row) -> Markup:
    """The likely range with one unit, each end traceable."""
    if row.low is None or row.high is None:
        return Markup("")
    low, _, high = span(row.low, row.high, row.unit, row.currency, row.n).partition("–")
    if not high:
        return row.data("low") + " to " + row.data("high")
    return row.data("low", low) + "–" + row.data("high", high)


def _line(columns: Sequence[Column], cells: Sequence[object], total: bool) -> Markup:
    name, *rest = cells
    others = [
        tag("td", cell, data_label=c.heading, class_="number" if c.number else None)
        for c, cell in zip(columns[1:], rest, strict=True)
    ]
    return tag("tr", tag("th", name, scope="row"), others, class_="total" if total else None)
