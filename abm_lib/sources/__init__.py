"""From a company's files to canonical tables in one DuckDB connection.

mapfile.py   a map as it is written; maps/ holds those that ship with abm
mapping.py   a map as it is used: which file and column becomes which canonical one
finding.py   which file, sheet or table of a database is meant
reading.py   a file as text, line by line; books.py and forms.py the files that are no text
shaping.py   a system's table as its map knows it
lines.py     where the lines and records of a text begin
dialects.py  text into types, as declared
identity.py  ids: one record, one id
inputs.py    the files that queries read, and rows of which a query could not read a value
suspects.py  files that only look like a table
checks.py    what can be judged only when every table is there
doubts.py    what can be read and looks wrong
own_slices.py columns of accounts and opportunities that only the company knows
caveats.py   what a doubt says beside the numbers of its table
drift.py     what changed since the inputs were last frozen
pulling.py   `abm pull`: tables of a database server, fetched once; rest.py lists of a REST server
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from .. import tables
from ..config import Config
from ..errors import Fault, masked, printable
from ..source_settings import Dialect, Source
from ..tables import Accepted, Form
from . import checks, dialects, doubts, forms, identity, inputs, own_slices, shaping
from .finding import find, folder_of, unread
from .inputs import Input
from .mapping import Map, TableMap, delivered_columns
from .reading import File, read_table
from .shaping import Shaped


@dataclass(frozen=True)
class Part:
    """What one source gave of a canonical table: the name of its raw table, what became of its rows, its file (none for a query).

    `timezone` is the one that the source declares; empty where it declares none, and means UTC.
    """

    key: str
    report: Accepted
    file: File | None
    timezone: str = ""


@dataclass
class Delivery:
    """What was read: a report per canonical table and the parts it is made of, every file and input, and all faults.

    `as_now` holds a sentence for each table of which only today's state is known, `extracted_at` the time of which each source
    speaks where it says so, `described` each source with its map and files, `headers` the columns of each file as delivered,
    `room` files in UTF-8 where they were not.
    """

    reports: dict[str, Accepted] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    inputs: list[Input] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    as_now: dict[str, str] = field(default_factory=dict)
    extracted_at: dict[str, str] = field(default_factory=dict)
    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    room: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)

    @property
    def read_whole(self) -> set[str]:
        """The labels of the inputs that a table is, each of its rows one of the table's."""
        return {part.file.label for part in self.parts if part.file}

    @property
    def is_refused(self) -> bool:
        return any(fault.level == "E" for fault in self.faults)


@dataclass
class _Source:
    """One source while it is read: what abm.toml says of it, its map, its tables of text, and what was found of each."""

    name: str
    asked: Source
    mapping: Map
    files: dict[str, File] = field(default_factory=dict)
    shaped: dict[str, Shaped] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def read(con: duckdb.DuckDBPyConnection, config: Config, folder: Path, maps: dict[str, Map]) -> Delivery:
    """Read every source of the company into `canonical.*`, and the rows left out into `set_aside.*`.

    Every fault of the run is in the delivery, those of level E too: the caller refuses it.
    """
    delivery = Delivery()
    for schema in ("raw", "canonical", "set_aside"):
        con.execute(f"create schema if not exists {schema}")
    for name, mapping in maps.items():
        con.execute(f'create schema if not exists "source {name}"; set schema = {tables.quoted(f"source {name}")}')
        source = _read_files(con, config, name, mapping, folder, delivery)
        ways = [way for way in _ways(mapping, source.files) if _is_readable(source, way)]
        for way in ways:
            _take_out_unreadable(con, config, source, way, delivery)
        delivery.described[name] = _described(source)
        for way in ways:
            _accept(con, config, source, way, delivery)
        con.execute(f'set schema = main; drop schema "source {name}" cascade')
    files = [one.file for one in delivery.inputs]
    queried = [file for file in files if file.is_sound and file.label not in delivery.read_whole]
    delivery.faults += checks.losses(config, [part.report for part in delivery.parts], queried)
    sound = {name for name, report in delivery.reports.items() if not any(f.level == "E" for f in report.faults)}
    delivery.faults += checks.references(con, config, sound)
    delivery.faults += checks.overlaps(con, sound)
    delivery.faults += checks.stages(con, config, sound)
    delivery.faults += checks.loops(con, sound)
    taken = [
        (p.report.table, p.key, p.file.dialect if p.file else Dialect())
        for p in delivery.parts
        if p.report.table in sound
    ]
    delivery.faults += own_slices.carry(con, config, taken)
    reports = {name: report for name, report in delivery.reports.items() if name in sound}
    delivery.faults += doubts.doubts(con, config, reports, delivery.files.values(), delivery.extracted_at.values())
    return delivery


def _read_files(
    con: duckdb.DuckDBPyConnection, config: Config, name: str, mapping: Map, folder: Path, delivery: Delivery
) -> _Source:
    """The source's files as tables of text named for their stems; in messages they are named against the company folder."""
    asked, known = config.sources[name], mapping.wanted
    source = _Source(name, asked, mapping)
    place = folder_of(folder, name, asked)
    label = asked.folder if not asked.is_pulled else f"what was pulled of {name}"
    found = find(place, asked, known, mapping.needed, label, delivery.faults)
    if mapping.is_canonical and place.is_dir() and not asked.database:
        delivery.faults += checks.strays(place, label, known, found)
    elif place.is_dir() and not asked.database:
        source.unread = unread(place, known, found)
    for stem, where in found.items():
        entry = mapping.files.get(stem)
        known_of_it = asked.dialect.over((entry.dialect if entry else Dialect()).over(mapping.shape.dialect))
        own = asked.dialects.get(stem, Dialect()).over(known_of_it)
        source.files[stem] = file = read_table(con, stem, where, folder, own, Path(delivery.room.name))
        delivery.files |= {part.label: part for part in file.parts or [file]}
        delivery.inputs.append(Input(name, stem, file))
        if file.is_sound:
            delivery.headers[f"{name}.{stem}"] = delivered_columns(con, tables.quoted_name(stem))
        if entry and file.is_sound:
            source.shaped[stem] = shaped = shaping.shape(con, stem, entry, mapping.shape)
            if shaped.conflicts and any(way.sql and stem in (*way.files, *way.also) for way in _ways(mapping, found)):
                file.faults.append(checks.key_twice(file, entry, shaped.conflicts))
        delivery.faults += file.faults + checks.no_rows(file, stem in mapping.needed)
    for stem, entry in mapping.files.items():
        if stem not in found:
            shaping.blank(con, stem, entry)
    read = [shaped.newest for shaped in source.shaped.values() if shaped.newest]
    moment = str(asked.extracted_on or max(read, default=""))
    delivery.extracted_at |= {name: moment} if moment else {}
    extracted = {"extracted_at()": f"try_cast({tables.quoted(moment)} as TIMESTAMP)"}
    _define(con, identity.MACROS | extracted)
    return source


def _define(con: duckdb.DuckDBPyConnection, macros: dict[str, str]) -> None:
    for macro, sql in macros.items():
        con.execute(f"create or replace temp macro {macro} as {sql}")


def _spoken(con: duckdb.DuckDBPyConnection, config: Config, source: _Source, way: TableMap) -> Dialect:
    """The dialect of the way's first file, in which its query now converts text."""
    file, dialect = source.files[way.files[0]], _dialect(source)
    dialect = file.dialect if file.is_text else forms.without_marks(dialect)
    _define(con, dialects.macros(dialect, config.opportunity_stages, config.machines.bots))
    return dialect


def _is_readable(source: _Source, way: TableMap) -> bool:
    """Whether the table is wanted, and no file of it is refused already: its rows are not there to be judged."""
    read = [source.files[stem] for stem in (*way.files, *way.also) if stem in source.files]
    return way.name not in source.asked.skip and all(file.is_sound for file in read)


def _take_out_unreadable(
    con: duckdb.DuckDBPyConnection, config: Config, source: _Source, way: TableMap, delivery: Delivery
) -> None:
    if way.sql or way.expressions:
        dialect, stems = _spoken(con, config, source, way), (*way.files, *way.also)
        read = [one for one in delivery.inputs if one.source == source.name and one.stem in stems]
        delivery.faults += inputs.set_unreadable_aside(con, way, read, dialect)


def _dialect(source: _Source) -> Dialect:
    return source.asked.dialect.over(source.mapping.shape.dialect)


def _zone(dialect: Dialect) -> str:
    return dialect.timezone if "timezone" in dialect.model_fields_set else ""


def _described(source: _Source) -> dict[str, Any]:
    """The source as `abm check` tells it: its map, what the map was tried on, and of each of its files what is there."""
    files = {}
    for stem in source.mapping.wanted:
        file, shaped = source.files.get(stem), source.shaped.get(stem, Shaped())
        files[stem] = _told(file, shaped) if file else None
    mapping = source.mapping
    look_back = source.asked.look_back_days
    return {"map": source.asked.map, "title": mapping.title, "proven": mapping.shape.proven, "pages": mapping.shape.pages,
            "is_shipped": mapping.is_shipped, "files": {} if mapping.is_canonical else files, "unread": source.unread,
            "look_back_days": mapping.look_back_days if look_back is None else look_back}  # fmt: skip


def _told(file: File, shaped: Shaped) -> dict[str, Any]:
    """A file of a map: its rows, those among them that no longer count or cannot be read, and its lines that are no rows."""
    counts = dict(shaped.excluded) | {
        "unreadable": file.unreadable,
        "totals": file.left_out,
        "broken": len(file.broken),
    }
    left_out = {why: count for why, count in counts.items() if count}
    return {"file": file.label, "rows": file.rows, "left_out": left_out, "absent": list(shaped.absent)}


def _ways(mapping: Map, files: Collection[str]) -> Iterator[TableMap]:
    """For each table the first way in which it can come about; its files are delivered, sound or not."""
    for ways in mapping.tables.values():
        yield from [way for way in ways if set(way.files) <= set(files)][:1]


def _accept(
    con: duckdb.DuckDBPyConnection, config: Config, source: _Source, table: TableMap, delivery: Delivery
) -> None:
    file = None if table.sql else source.files[table.files[0]]
    where = file.label if file else f"{source.name}  the query of {table.name}"
    if table.name in delivery.reports and not source.mapping.is_shipped:
        found = f"another source delivers {table.name} too"
        fix = "keep one (`skip` in abm.toml leaves a source's table), or join them in a map by one query"
        delivery.faults.append(Fault("C11", "table-twice", where, found, "one source for each table", fix))
        return
    key = f"{table.name} of {source.name}" if table.name in delivery.reports else table.name
    if table.sql or table.expressions:
        _spoken(con, config, source, table)
    try:
        delivered = _raw_table(con, source, table, key)
        left_out, told = _counted(con, table.left_out), _counted(con, table.told)
    except duckdb.Error as error:
        delivery.faults.append(_query_fault(where, error))
        return
    may_lack = source.mapping.is_shipped and table.name not in source.asked.tables
    if may_lack and (untold := checks.untold(con, table.name, key, where)):
        delivery.faults.append(untold)
        return
    own_slices.hold(con, config, table.name, key)
    report = _typed(con, source, table, key, file, where, delivered)
    report.excluded |= left_out
    report.read += sum(left_out.values())
    report.faults += [checks.not_said(where, what, count) for what, count in told.items()]
    if table.as_now:
        delivery.as_now[table.name] = table.as_now
    delivery.parts.append(Part(key, report, file, _zone(file.dialect if file else _dialect(source))))
    delivery.faults += report.faults
    delivery.reports[table.name] = report if key == table.name else _joined(con, key, delivery, report)


def _counted(con: duckdb.DuckDBPyConnection, queries: dict[str, str]) -> dict[str, int]:
    """What each query counts, where that is anything."""
    counts = {what: con.execute(sql).fetchall()[0][0] for what, sql in queries.items()}
    return {what: count for what, count in counts.items() if count}


def _typed(
    con: duckdb.DuckDBPyConnection,
    source: _Source,
    table: TableMap,
    key: str,
    file: File | None,
    where: str,
    delivered: list[str],
) -> Accepted:
    """The canonical table of one source, its values read as the source writes them."""
    plain = {*table.expressions, *table.constants}
    dialect = file.dialect if file else Dialect()
    found, without_blanks = checks.blanks(con, table.name, key, where, dialect, plain) if file else ([], {})
    form = Form(
        lambda column: column.typed() if column.name in plain else dialects.typed(dialect, column),
        lambda column: column.expected if column.name in plain else dialects.expected(dialect, column),
        identity.WRONG if source.mapping.ids == "salesforce" else "",
        without_blanks,
    )
    place = file.place if file else lambda row: f"{where}, {_named_by_key(con, table.name, key, row)}"
    found += checks.lost_case(con, table.name, key, where) if source.mapping.ids == "salesforce" else []
    found += checks.unclear_marks(con, table.name, key, where, dialect) if file and file.text else []
    found += checks.mixed_zones(con, table.name, key, where, dialect) if file and file.is_text else []
    report = tables.accept(con, table.name, where, place, form, key)
    report.faults += found + checks.unmapped(table, where, delivered)
    if source.mapping.is_canonical:
        report.faults += checks.near_misses(where, report)
    if file:
        _count_file(source, table, file, report)
    assert report.adds_up, f"{where}: {report.read} rows read, and not as many accounted for"
    return report


def _named_by_key(con: duckdb.DuckDBPyConnection, table: str, key: str, row: int) -> str:
    names = delivered_columns(con, f'raw."{key}"')
    listed = ", ".join(map(tables.quoted_name, names))
    values = con.execute(f'select {listed} from raw."{key}" where _row = ?', [row]).fetchall()[0]
    return _called(table, row, dict(zip(names, values, strict=True)))


def _called(table: str, row: int, values: dict[str, Any]) -> str:
    """What a row of a query is called: its key but for what names a person, else its number."""
    known = tables.tables()[table]
    key = [name for name in known.key if values.get(name) is not None and not known.columns[name].personal]
    return masked(", ".join(f"{name} {values[name]}" for name in key)) or f"row {row}"


def _joined(con: duckdb.DuckDBPyConnection, key: str, delivery: Delivery, report: Accepted) -> Accepted:
    """One more source's rows of a table, such as the ads of a second platform, beside those that were there."""
    earlier = delivery.reports[report.table]
    if any(fault.level == "E" for fault in report.faults):
        return earlier
    delivery.faults += checks.same_keys(con, report.table, key)
    con.execute(f'insert into canonical."{report.table}" select * from canonical."{key}"; drop table canonical."{key}"')
    both = {
        name: getattr(earlier, name) + getattr(report, name)
        for name in ("read", "accepted", "repeated", "set_aside", "faults")
    }
    reasons = {
        why: earlier.excluded.get(why, 0) + report.excluded.get(why, 0) for why in earlier.excluded | report.excluded
    }
    missing = [column for column in earlier.missing_columns if column in report.missing_columns]
    return replace(report, **both, excluded=reasons, missing_columns=missing)


def _raw_table(con: duckdb.DuckDBPyConnection, source: _Source, table: TableMap, key: str) -> list[str]:
    """Make the view `raw.KEY` by the map; returns the columns that were delivered for it."""
    delivered = delivered_columns(con, table.relation)
    absent = source.shaped[table.files[0]].absent if not table.sql and table.files[0] in source.shaped else ()
    schema = tables.quoted_name(f"source {source.name}")
    query = table.query(delivered, absent, f"{schema}.")
    if source.mapping.ids == "salesforce":
        query = identity.with_long_ids(table.name, con, query)
    made = f'{schema}."{key} as mapped"'
    # What is only named anew is read where it lies; what is worked out, is worked out once.
    kind = "view" if table.is_plain and source.mapping.ids != "salesforce" else "table"
    con.execute(f"create {kind} {made} as {query}")
    if table.sql and source.mapping.is_shipped:
        _drop_unknown(con, table, made)
    con.execute(f'create or replace view raw."{key}" as from {made}')
    return delivered


def _drop_unknown(con: duckdb.DuckDBPyConnection, table: TableMap, made: str) -> None:
    """What a query of a shipped map gives of columns that nobody delivered is blank throughout: it is not known, not missing."""
    optional = [c.name for c in tables.tables()[table.name].columns.values() if not c.required]
    columns = [name for name in delivered_columns(con, made) if name in optional]
    if not columns:
        return
    counts = con.execute(f'select {", ".join(f"""count("{name}")""" for name in columns)} from {made}').fetchall()[0]
    for name, count in zip(columns, counts, strict=True):
        if not count:
            con.execute(f'alter table {made} drop column "{name}"')


def _count_file(source: _Source, table: TableMap, file: File, report: Accepted) -> None:
    """Add what the file held beside the rows that reached the table: broken lines, totals, deleted and older records."""
    excluded = dict(source.shaped[table.files[0]].excluded) if table.files[0] in source.shaped else {}
    if file.left_out:
        excluded["totals"] = file.left_out
    report.excluded = excluded
    report.read += file.set_aside + sum(excluded.values())
    report.set_aside += file.set_aside


def _query_fault(where: str, error: duckdb.Error) -> Fault:
    """A query that failed. Where it failed on a value, the value stays unsaid: it may name a person."""
    on_value = isinstance(error, duckdb.DataError)
    found = "a value that it cannot turn into another type" if on_value else printable(str(error).splitlines()[0])
    return Fault("C10", "map-query", where, found, "a query over the source's files", "correct the query in the map")


def keep_set_aside(con: duckdb.DuckDBPyConnection, place: Path, delivery: Delivery) -> None:
    """PLACE/TABLE.csv for every table that lost rows: where each stood, the rules it broke, and what it held.

    Lines that are no rows stand first, as text. Rows that were lost before a query are in PLACE/SOURCE.FILE.csv. Files of an
    earlier run are removed.
    """
    for old in place.glob("*.csv"):
        old.unlink()
    inputs.keep_set_aside(con, place, delivery.inputs, delivery.read_whole)
    for part in [part for part in delivery.parts if part.report.set_aside]:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        file, columns = part.file, delivered_columns(con, f'raw."{part.key}"')
        with (place / f"{part.key}.csv").open("w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["_where", "_rules", "_line", *columns])
            for where, broken in file.lines_that_are_no_rows() if file else ():
                writer.writerow([where, "F011", broken])
            for row, why, *values in _rows_set_aside(con, part.key, columns):
                named = _called(part.report.table, row, dict(zip(columns, values, strict=True)))
                writer.writerow([file.place(row) if file else named, "; ".join(why), "", *values])


def _rows_set_aside(con: duckdb.DuckDBPyConnection, name: str, columns: list[str]) -> list[tuple[Any, ...]]:
    known = "select 1 from duckdb_tables() where schema_name = 'set_aside' and table_name = ?"
    if not con.execute(known, [name]).fetchall():
        return []
    listed = "".join(f", r.{tables.quoted_name(column)}" for column in columns)
    query = f'select a._row, a._why{listed} from set_aside."{name}" a join raw."{name}" r using (_row) order by a._row'
    return con.execute(query).fetchall()
