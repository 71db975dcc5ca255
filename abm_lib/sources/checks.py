"""What can be judged only when every table is there: what was lost, what leads nowhere, what overlaps."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import duckdb

from ..config import Config
from ..errors import Fault, nearest, printable
from ..source_settings import Dialect
from ..tables import Accepted, Column, Table, quoted, tables
from . import dialects, identity
from .finding import Found, stem_of
from .mapfile import FileEntry
from .mapping import TableMap
from .reading import File

FEW = 3  # values of one kind from which a column's form may be judged


def strays(place: Path, label: str, known: Iterable[str], found: Mapping[str, Found]) -> list[Fault]:
    """Files whose name is no table: delivered, and read by nobody."""
    read = {path for where in found.values() for path in where.paths}
    names = [
        path for path in sorted(place.iterdir()) if path not in read and stem_of(path) and stem_of(path) not in known
    ]
    return [
        Fault("F105", "file-unknown", f"{label}/{path.name}", "a file that is no table", nearest(stem_of(path), known),
              "rename it, or leave it: it is not read", level="D") for path in names
    ]  # fmt: skip


def no_rows(file: File, is_needed: bool) -> list[Fault]:
    """A file with a header and no row: refused where it must be there, else said."""
    if file.rows or file.broken or file.left_out or not file.is_sound:
        return []
    level = "E" if is_needed else "D"
    fix = "export it again; an empty table that is no mistake is left away, file and all"
    return [Fault("F017", "no-rows", file.label, "a header and no row", "at least one row", fix, level=level)]


def key_twice(file: File, entry: FileEntry, conflicts: int) -> Fault:
    """Rows of one key that differ in a file that a query joins: each join would count its row as often as the key stands there."""
    found = f"{conflicts} rows beside another one of their {', '.join(entry.key)}"
    fix = "deliver the column that tells the newest row, or one row of each"
    return Fault("F074", "key-conflict", file.label, found, "one row of each key", fix)


def unmapped(table: TableMap, where: str, delivered: list[str]) -> list[Fault]:
    """Columns that the map reads and the file does not have."""
    lacking = {name: column for name, column in table.columns.items() if column not in delivered}
    return [
        Fault("F096", "column-missing", f'{where}  column "{column}"', f"no such column; {nearest(column, delivered)}",
              f"the column that the map reads as {name}", "correct the map, or deliver the column")
        for name, column in lacking.items()
    ]  # fmt: skip


def near_misses(where: str, report: Accepted) -> list[Fault]:
    """Columns that are nearly a canonical one that is missing: the same but for case and spaces is refused (F013)."""
    faults = []
    for column in report.added_columns:
        plain = "_".join(column.casefold().replace("\N{NO-BREAK SPACE}", " ").split())
        close = difflib.get_close_matches(plain, report.missing_columns, n=1, cutoff=0.85)
        if close:
            found, level = printable(repr(column)), "E" if plain == close[0] else "D"
            faults.append(Fault("F013", "column-nearly", f"{where}:1", found, f"did you mean {close[0]!r}?",
                                "rename the column, or map it", level=level))  # fmt: skip
    return faults


def losses(config: Config, reports: Iterable[Accepted], queried: Iterable[File]) -> list[Fault]:
    """Tables, and files that only queries read, of which more was set aside than abm.toml allows."""
    limit = config.thresholds.set_aside_share
    counts = [(f"table {report.table}", report.set_aside, report.read) for report in reports]
    counts += [(file.label, file.set_aside, file.rows + len(file.broken)) for file in queried]
    return [
        Fault("F092", "too-many-set-aside", where, f"{lost} of {read} rows set aside", f"at most {limit:.1%}",
              "mend the rows listed above, or raise thresholds.set_aside_share in abm.toml")
        for where, lost, read in counts if lost > limit * read
    ]  # fmt: skip


def references(con: duckdb.DuckDBPyConnection, config: Config, present: set[str]) -> list[Fault]:
    """Columns whose values lead to no row of the table they point to, where that table was delivered."""
    limit, faults = config.thresholds.unmatched_share, []
    pairs = [(table, column) for table in sorted(present) for column in tables()[table].columns.values()]
    for name, column in [(t, c) for t, c in pairs if c.references in present]:
        unmatched, filled, example = _unmatched(con, name, column.name, tables()[column.references])
        if unmatched:
            shown = "an id that names a person" if column.personal else example
            faults.append(
                Fault("F081", "reference-unmatched", f'table {name}  column "{column.name}"',
                      f"{unmatched} of {filled} lead to no row of {column.references}, such as {shown}",
                      f"a key of {column.references}",
                      f"deliver the missing {column.references}, or raise thresholds.unmatched_share in abm.toml",
                      level="E" if unmatched > limit * filled else "D")
            )  # fmt: skip
    return faults


def _unmatched(con: duckdb.DuckDBPyConnection, name: str, column: str, target: Table) -> tuple[int, int, str]:
    unmatched, filled, example = con.execute(
        f'select count(*) filter (where t."{target.key[0]}" is null), count(*), '
        f'min(c."{column}") filter (where t."{target.key[0]}" is null) '
        f'from canonical."{name}" c left join canonical."{target.name}" t on c."{column}" = t."{target.key[0]}" '
        f'where c."{column}" is not null'
    ).fetchall()[0]
    return unmatched, filled, example or ""


def overlaps(con: duckdb.DuckDBPyConnection, present: set[str]) -> list[Fault]:
    """Intervals of one account or person that hold on the same day: which of them is true cannot be told (F085)."""
    faults = []
    for name in [n for n in sorted(present) if {"valid_from", "valid_to"} <= tables()[n].columns.keys()]:
        key = tables()[name].columns[tables()[name].key[0]]
        found, example = con.execute(
            f'select count(*), min("{key.name}") from (select "{key.name}", valid_to, '
            f'lead(valid_from) over (partition by "{key.name}" order by valid_from) as next_from from canonical."{name}") '
            "where next_from is not null and (valid_to is null or valid_to > next_from)"
        ).fetchall()[0]
        if found:
            faults.append(
                Fault("F085", "intervals-overlap", f'table {name}  column "{key.name}"', f"{found}, such as {_shown(key, example)}",
                      "one interval at a time, [valid_from, valid_to)", "end each interval where the next one begins")
            )  # fmt: skip
    return faults


def _shown(column: Column, example: str) -> str:
    return "one of a person" if column.personal else example


def stages(con: duckdb.DuckDBPyConnection, config: Config, present: set[str]) -> list[Fault]:
    """Stages of opportunities that abm.toml does not place: they are open and never qualified (F097)."""
    if "opportunity_changes" not in present:
        return []
    known = config.opportunity_stages
    placed = {*known.order, *known.won, *known.lost}
    counts = con.execute("select stage, count(*) from canonical.opportunity_changes group by 1 order by 1").fetchall()
    faults = [
        Fault("F097", "stage-unknown", 'table opportunity_changes  column "stage"', f"{stage} ({count} rows)",
              nearest(stage, placed), "add it to opportunity_stages in abm.toml", level="D")
        for stage, count in counts if stage not in placed
    ]  # fmt: skip
    if faults and (share := _money_unplaced(con, placed)) > config.thresholds.unplaced_money_share:
        fix = "add these stages to opportunity_stages in abm.toml, or raise thresholds.unplaced_money_share"
        faults.append(
            Fault("F097", "money-unplaced", "table opportunity_changes", f"{share:.1%} of the money in stages not placed",
                  f"at most {config.thresholds.unplaced_money_share:.1%}", fix)
        )  # fmt: skip
    return faults


def _money_unplaced(con: duckdb.DuckDBPyConnection, placed: Collection[str]) -> float:
    """The share of the money of all opportunities, each by its newest state with an amount, that is in other stages."""
    listed = ", ".join(map(quoted, sorted(placed)))
    (share,) = con.execute(
        f"select coalesce(sum(abs(amount)) filter (where stage not in ({listed})) / nullif(sum(abs(amount)), 0), 0) from ("
        "select arg_max(stage, changed_at) as stage, arg_max(amount, changed_at) as amount from canonical.opportunity_changes "
        "group by opportunity_id)"
    ).fetchall()[0]
    return float(share)


def loops(con: duckdb.DuckDBPyConnection, present: set[str]) -> list[Fault]:
    """Records merged into each other, or parents of themselves, in a ring: nobody can be told to be the one that stays."""
    pairs = [(name, column) for name in sorted(present) for column in ("survivor_id", "parent_id")]
    rules = {"survivor_id": "F075", "parent_id": "F080"}
    faults = []
    for name, column in [
        (n, c) for n, c in pairs if c in tables()[n].columns and tables()[n].columns[c].references == n
    ]:
        if ring := _ring(con, name, column):
            shown = "ids that name people" if tables()[name].columns[column].personal else " → ".join(ring[:6])
            faults.append(
                Fault(rules[column], "loop", f'table {name}  column "{column}"', f"{len(ring) - 1} in a ring: {shown}",
                      "a chain that ends", "correct the column in the source, so that one of them leads nowhere")
            )  # fmt: skip
    return faults


def _ring(con: duckdb.DuckDBPyConnection, name: str, column: str) -> list[str]:
    """One ring of records that lead to each other, begun at its smallest key; empty where there is none."""
    key = tables()[name].key[0]
    pairs = con.execute(
        f'select "{key}", "{column}" from canonical."{name}" where "{column}" is not null order by 1'
    ).fetchall()
    leads, done = dict(pairs), set[str]()
    for start in leads:
        path: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in done and at not in path:
            path[at] = None
            at = leads.get(at)
        if at in path:
            ring = list(path)[list(path).index(at) :]
            first = ring.index(min(ring))
            return [*ring[first:], *ring[: first + 1]]
        done |= path.keys()
    return []


def blanks(
    con: duckdb.DuckDBPyConnection, name: str, key: str, where: str, dialect: Dialect, plain: set[str]
) -> tuple[list[Fault], dict[str, str]]:
    """How many values the dialect calls blank, and SQL for the text of the columns that have any, with these as NULL."""
    columns = [c for c in _delivered(con, name, key) if c.name not in plain and dialects.may_be_blank(dialect, c)]
    if not columns:
        return [], {}
    parts = ", ".join(f"count(*) filter (where {dialects.is_blank(dialect, column)})" for column in columns)
    counts = con.execute(f'select {parts} from raw."{key}"').fetchall()[0]
    found = {column: count for column, count in zip(columns, counts, strict=True) if count}
    faults = [
        taken_as_blank(f'{where}  column "{column.name}"', count, column.expected) for column, count in found.items()
    ]
    return faults, {c.name: f'case when not {dialects.is_blank(dialect, c)} then "{c.name}" end' for c in found}


def taken_as_blank(where: str, count: int, expected: str) -> Fault:
    found, fix = f"{count} values such as the dialect calls blank", "nothing, if they mean that nothing is known"
    return Fault("F054", "taken-as-blank", where, found, expected, fix, level="N")


def not_said(where: str, what: str, count: int) -> Fault:
    """Rows of which the source does not say all: what a map makes of them is its rule, and no guess."""
    fix = "say it in the source, or leave it: the rows are counted so"
    return Fault("F087", "not-said", where, f"{count} {what}", "a source that says which", fix, level="N")


def lost_case(con: duckdb.DuckDBPyConnection, name: str, key: str, where: str) -> list[Fault]:
    """Columns of Salesforce ids in which no letter is upper case and the checksums say that some were: it cannot be undone."""
    faults = []
    for column in [c for c in _delivered(con, name, key) if c.type == "id"]:
        wrong = identity.WRONG.replace("{c}", f'"{column.name}"')
        lower, upper = con.execute(
            f'select count(*) filter (where {wrong}), count(*) filter (where "{column.name}" <> lower("{column.name}")) '
            f'from raw."{key}" '
            f"""where regexp_matches("{column.name}", '{identity.LONG}')"""
        ).fetchall()[0]
        if lower and not upper:
            found, said = f"{lower} ids in lower case throughout", "ids with their upper and lower case letters"
            fix = "export again without the tool that changed them"
            faults.append(Fault("F072", "case-lost", f'{where}  column "{column.name}"', found, said, fix))
    return faults


def _delivered(con: duckdb.DuckDBPyConnection, name: str, key: str) -> list[Column]:
    """The canonical columns that a raw table has."""
    there = con.execute(f'select column_name from (describe raw."{key}")').fetchall()
    return [tables()[name].columns[column] for (column,) in there if column in tables()[name].columns]


def untold(con: duckdb.DuckDBPyConnection, name: str, key: str, where: str) -> Fault | None:
    """Why a table that a shipped map could give is not there: a required column that nobody fills, or no row at all.

    It is then not delivered, which is not the same as empty.
    """
    delivered = con.execute(f'select column_name from (describe raw."{key}")').fetchall()
    there = [column for (column,) in delivered]
    required = [column.name for column in tables()[name].columns.values() if column.required]
    counts = ", ".join(f'count("{column}")' if column in there else "0" for column in required)
    rows, *filled = con.execute(f'select count(*), {counts} from raw."{key}"').fetchall()[0]
    lacking = [column for column, count in zip(required, filled, strict=True) if not count]
    if rows and not lacking:
        return None
    found = f"nobody says {', '.join(lacking)}" if rows else "no row"
    fix = (
        f"say under [tables.{name}] of the company's map what {lacking[0]} is (`columns`, or `constants` where it is always the same), "
        f"or leave it: {name} is then not delivered"
        if rows
        else "nothing, if there is none"
    )
    return Fault("F104", "table-untold", where, found, f"rows of {name}", fix, level="D")


def same_keys(con: duckdb.DuckDBPyConnection, name: str, key: str) -> list[Fault]:
    """Rows of one key that two sources deliver: which of them is true cannot be told (F026)."""
    keys = ", ".join(f'"{column}"' for column in tables()[name].key)
    query = (
        f'select count(*) from (select {keys} from canonical."{name}" intersect select {keys} from canonical."{key}")'
    )
    (count,) = con.execute(query).fetchall()[0]
    fix = f'leave {name} away from one of them: skip = ["{name}"] in abm.toml'
    found = f"{count} rows of {key} that another source delivers too"
    return [Fault("F026", "key-in-two-sources", f"table {name}", found, "each record once", fix)] if count else []


def unclear_marks(con: duckdb.DuckDBPyConnection, name: str, key: str, where: str, dialect: Dialect) -> list[Fault]:
    """Columns of money in which every point has three digits behind it: thousands, as likely as not (F051)."""
    delivered = {column for (column,) in con.execute(f'select column_name from (describe raw."{key}")').fetchall()}
    money = [c.name for c in tables()[name].columns.values() if c.type == "money" and c.name in delivered]
    return [
        fault for c in money
        for fault in unclear_marks_of(con, f'raw."{key}"', f'"{c}"', f'{where}  column "{c}"', dialect)
    ]  # fmt: skip


def mixed_zones(con: duckdb.DuckDBPyConnection, name: str, key: str, where: str, dialect: Dialect) -> list[Fault]:
    """Columns of moments of which some say their offset and others are taken as of the source's zone (F032)."""
    texts = {c.name: f'"{c.name}"' for c in _delivered(con, name, key) if c.type == "at"}
    return mixed_zones_of(con, f'raw."{key}"', texts, where, dialect)


def mixed_zones_of(
    con: duckdb.DuckDBPyConnection, relation: str, texts: dict[str, str], where: str, dialect: Dialect
) -> list[Fault]:
    """As `mixed_zones`, of columns and their text in SQL, all in one pass."""
    if not texts:
        return []
    parts = ", ".join(
        f"count(*) filter (where {dialects.has_offset(text)}), count(*) filter (where length({text}) > 10)"
        for text in texts.values()
    )
    counts = con.execute(f"select {parts} from {relation}").fetchall()[0]
    faults = []
    for column, zoned, moments in zip(texts, counts[::2], counts[1::2], strict=True):
        if 0 < zoned < moments:
            found, zone = f"{moments - zoned} of {moments} moments without an offset", dialect.timezone
            fix = f"nothing, if they are of {zone}; else say `timezone` in the source's dialect"
            faults.append(Fault("F032", "zones-mixed", f'{where}  column "{column}"', found,
                                f"an offset, or none and {zone} is meant", fix, level="N"))  # fmt: skip
    return faults


def unclear_marks_of(
    con: duckdb.DuckDBPyConnection, relation: str, text: str, where: str, dialect: Dialect
) -> list[Fault]:
    """As `unclear_marks`, of one column's text in SQL."""
    if {"decimal", "thousands"} & dialect.model_fields_set:
        return []
    form = rf"regexp_matches({text}, '^-?[1-9]\d{{0,2}}(\.\d{{3}})+$')"
    others, unclear, example = con.execute(
        f"select count(*) filter (where not {form}), count(*) filter (where {form}), any_value({text}) filter (where {form}) "
        f"from {relation} where {text} is not null and not {dialects.stands_for_blank(dialect, text)}"
    ).fetchall()[0]
    if unclear < FEW or others:
        return []
    expected = "it declared whether the point stands before decimals or in thousands"
    fix = "say `decimal` and `thousands` in the source's dialect"
    return [Fault("F051", "marks-unclear", where, f"{unclear} values such as {example}", expected, fix)]
