"""Tables of readings.

Numbers stand right, text left; a missing number says why. On a phone a row becomes its name, one figure and one grey
line: the table carries its columns' names for that. A table is cut where nobody reads on; readings.csv has every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .fragment import Fragment
from .html import css_text, plain, said, short, tag
from .names import has_order, heading, within
from .numbers import quarter_name, span
from .rows import Row, weightiest_first

MOST_ROWS = 6
MOST_TIMES = 13
MOST_COLUMNS = 8
FEW_COLUMNS, LONGEST_NAME = 4, 24  # beside the names; letters


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its cells from top to bottom, and whether they are numbers."""

    heading: str
    cells: Sequence[object]
    number: bool = True


def table(
    name: str,
    caption: str,
    columns: Sequence[Column],
    total: Sequence[int] = (),
    traced: Sequence[Row] = (),
    more: str = "",
    is_grid: bool = False,
) -> Fragment:
    """A table with a fixed id; the first column names the rows, `total` holds the indexes of rows that are sums.

    Under a chart, which names it, a table has no `caption`.

    `traced` has the reading of each row: table and row then carry what the numbers in it lead back to. `more` is a line
    under the table on the rows that it leaves out. In a grid no column is more than another: on a phone each says its name.
    """
    heads = [tag("th", c.heading, scope="col", class_=None if c.number else "text") for c in columns]
    lines = zip(*(c.cells for c in columns), strict=True)
    shared = {name: value for name, value in traced[0].trace.items() if name != "data_slice"} if traced else {}
    traces = [_beyond(shared, row) for row in traced] or [{}] * len(columns[0].cells)
    body = [_line(columns, cells, i in total, traces[i]) for i, cells in enumerate(lines)]
    names = ";".join(f"--c{i}:{css_text(c.heading + ' ')}" for i, c in enumerate(columns, 1) if i > 2 - is_grid)
    inner = (
        tag("caption", caption) if caption else None,
        tag("thead", tag("tr", heads)),
        tag("tbody", body),
    )
    grid = "grid" if is_grid else None
    html = tag("table", *inner, id=f"table-{name}", class_=grid, style=names or None, **shared)
    return Fragment("table", html + _more(more), caption, tables=1, wide=not caption or _is_wide(columns))


def _is_wide(columns: Sequence[Column]) -> bool:
    """Whether a table needs more than half of a page: few columns of numbers with short names do not."""
    name, *rest = columns
    is_long = any(len(Markup(str(cell)).striptags()) > LONGEST_NAME for cell in name.cells)
    return is_long or len(rest) > FEW_COLUMNS or not all(column.number for column in rest)


def cut(lines: Sequence[Any], ordered: bool = False) -> tuple[Sequence[Any], int]:
    """The lines that a table shows, and how many it leaves out: never one alone; of `ordered` ones the first of very many."""
    most = MOST_TIMES if ordered else MOST_ROWS
    if len(lines) <= most + 1:
        return lines, 0
    return lines[-most:] if ordered else lines[:most], len(lines) - most


def _is_ordered(rows: Sequence[Row]) -> bool:
    return bool(rows) and has_order(rows[0].slice_by, [row.slice for row in rows])


def first_shown(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows in the order in which a table cuts them: as they are where none is left out."""
    return weightiest_first(rows) if cut(rows)[1] else rows


def of_slices(name: str, rows: Sequence[Row], whole: Row | None, first: str, folded: bool = True) -> Fragment:
    """Slices under one another: value, what it is made of, likely range, target, the quarter and year before.

    Under a chart (`folded`) the table has no caption and its numbers are plain text: its rows say which reading they are.
    """
    kept, left = cut(rows, _is_ordered(rows))
    lines = [*kept, *([whole] if whole else [])]
    columns = [Column(first, [said(row.name) for row in lines], number=False), *_reading_columns(lines, folded)]
    caption = "" if folded else f"{lines[0].label} by {within(first)}" if lines else first
    more = f"{left} more" if left else ""
    return table(name, caption, columns, [len(kept)] if whole else [], lines, more)


def of_quarters(name: str, rows: Sequence[Row], first: str = "Quarter", folded: bool = True) -> Fragment:
    """One reading through time: value, what stands behind it, likely range and target."""
    step = -(-len(rows) // MOST_TIMES)
    kept = _each(rows, step)
    names = [said(row.name) if row.slice_by else f"{row.quarter[4:]} {row.quarter[:4]}" for row in kept]
    columns = [Column(first, names, number=False), *_reading_columns(kept, folded, earlier=False)]
    caption = "" if folded else f"{rows[0].label} by {within(first)}" if rows else first
    more = f"One row in {step} is shown; {len(rows) - len(kept)} more" if step > 1 else ""
    return table(name, caption, columns, (), kept, more)


def _each(rows: Sequence[Row], step: int) -> list[Row]:
    """One row in so many, the newest among them."""
    return [row for i, row in enumerate(rows) if (len(rows) - 1 - i) % step == 0] if step else []


def beyond(rows: Sequence[Row], through_time: bool = False) -> list[Row]:
    """The rows that a table of slices, or of one number through time, leaves out."""
    kept = _each(rows, -(-len(rows) // MOST_TIMES)) if through_time else cut(rows, _is_ordered(rows))[0]
    return [row for row in rows if row not in kept]


def through_quarters(name: str, histories: Sequence[Sequence[Row | None]], first: str) -> Fragment:
    """Slices down, quarters across; each history has the same quarters, oldest first, and ends with a reading."""
    kept, left = cut(histories)
    last = [row for history in kept if (row := history[-1])]
    columns = [Column(first, [said(row.name) for row in last], number=False)]
    for quarter in zip(*kept, strict=True):
        if there := [row for row in quarter if row]:
            cells = [row.data() if row else "" for row in quarter]
            columns.append(Column(quarter_name(there[0].quarter), cells))
    more = f"{left} more" if left else ""
    return table(name, f"{last[0].label} by {within(first)}, quarter by quarter", columns, more=more, is_grid=True)


def crossed(name: str, rows: Sequence[Row], dimension: str) -> Fragment:
    """A metric by two dimensions as a grid: the one with more values down, the other across, k of n under a share."""
    down, across = _sides(rows)
    values = {(row.slice.split("/")[down], row.slice.split("/")[across]): row for row in rows}
    lines, heads = (list(dict.fromkeys(key[i] for key in values)) for i in (0, 1))
    by = dimension.split("/")
    ordered, total = has_order(by[down], lines), len(lines)
    if any(row.unit in ("count", "money") for row in rows) and not ordered:
        sums = {line: sum(values[line, h].value or 0 for h in heads if (line, h) in values) for line in lines}
        lines.sort(key=lambda line: -sums[line])
    if total > MOST_ROWS + 1:  # of many, those that say something
        lines = [line for line in lines if any((row := values.get((line, h))) and row.value for h in heads)]
    kept = cut(lines, ordered)[0]
    heads = [head for head in heads if any((line, head) in values for line in kept)][-MOST_COLUMNS:]
    left = total - len(kept)
    columns = [Column(heading(by[down]), [said(_part(values, line, down, by)) for line in kept], number=False)]
    for head in heads:
        cells = [_cell(values[line, head]) if (line, head) in values else "" for line in kept]
        columns.append(Column(_part(values, head, across, by), cells))
    more = f"{left} more" if left else ""
    return table(name, f"{rows[0].label} by {within(heading(dimension))}", columns, more=more, is_grid=True)


def _sides(rows: Sequence[Row]) -> tuple[int, int]:
    """Which part of the slice goes down and which across: the one with fewer values across."""
    first, second = ({row.slice.split("/")[i] for row in rows} for i in (0, 1))
    return (0, 1) if len(second) <= len(first) else (1, 0)


def _part(values: dict[tuple[str, str], Row], code: str, side: int, by: Sequence[str]) -> str:
    """A part of a slice as words, as the row itself says it."""
    row = next(row for row in values.values() if row.slice.split("/")[side] == code)
    names = row.names
    return names[side] if len(names) == len(by) else code


def _cell(row: Row) -> Markup:
    made = tag("small", row.made_of) if row.unit in ("share", "days") and row.value is not None and row.made_of else ""
    return row.data() + made


def _reading_columns(rows: Sequence[Row], folded: bool, earlier: bool = True) -> list[Column]:
    """The columns that any list of readings has; one with nothing in it, or with the whole's alone, is left out."""
    slices = [row for row in rows if row.slice_by] or rows
    columns = [Column("Value", [row.text() if folded else row.data(inside=True) for row in rows])]
    if any(row.numerator is not None and row.denominator for row in rows):
        columns.append(Column("From", [plain(behind(row)) for row in rows]))
    if any(row.ranged for row in rows):
        columns.append(Column("Likely", [plain(likely(row)) for row in rows]))
    past = [("Quarter before", "previous"), ("Year before", "year_ago")] if earlier else []
    for title, field in [("Target", "target"), *past]:
        if any(getattr(row, field) is not None for row in slices):
            columns.append(Column(title, [row.text(field) for row in rows]))
    if any(row.caveats for row in rows):
        columns.append(Column("Read with care", [said(row.caveats) for row in rows], number=False))
    return columns


def left_out(rows: Sequence[Row], more: int, drawn: str = "") -> list[object]:
    """Notes on slices that a drawing leaves out: without a value, or so many `more` than fit; `drawn` says which do."""
    notes: list[object] = []
    missing = [row for row in rows if row.value is None]
    if missing:
        named = ", ".join(f"{short(r.name)} ({r.text()})" for r in missing[:6])
        rest = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        notes.append(f"Not drawn: {named}{rest}.")
    if more:
        notes.append(f"{drawn}{more} more in readings.csv.")
    return notes


def behind(row: Row, inside: bool = False) -> Markup:
    """What a value is made of: k of n for counts, money ÷ money; nothing where it is not a quotient."""
    if not row.has_parts:
        return row.data("n", inside=inside) if row.n is not None else Markup("")
    sign = " of " if row.unit == "share" else " ÷ "
    return row.data("numerator", inside=inside) + sign + row.data("denominator", inside=inside)


def likely(row: Row, inside: bool = False) -> Markup:
    """The likely range with one unit, each end traceable."""
    if row.low is None or row.high is None:
        return Markup("")
    low, _, high = span(row.low, row.high, row.unit, row.currency, row.n).partition("–")
    if not high:
        return row.data("low", inside=inside) + " to " + row.data("high", inside=inside)
    return row.data("low", low, inside) + "–" + row.data("high", high, inside)


def _beyond(shared: dict[str, str], row: Row) -> dict[str, str]:
    """What a row's reading does not share with its table."""
    own = {"data_slice_by": "", "data_slice": "", **row.trace}
    return {name: value for name, value in own.items() if value != shared.get(name, "")}


def _more(text: str) -> Markup:
    where = tag("a", "readings.csv", href="readings.csv")
    return tag("p", text, " in ", where, ".", class_="note") if text else Markup("")


def _line(columns: Sequence[Column], cells: Sequence[object], total: bool, trace: dict[str, str]) -> Markup:
    name, *rest = cells
    others = [
        tag("td", cell, class_=None if column.number else "text")
        for column, cell in zip(columns[1:], rest, strict=True)
    ]
    return tag("tr", tag("th", name, scope="row"), others, class_="total" if total else None, **trace)
