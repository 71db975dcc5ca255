"""Maps as they are written: the files of abm_lib/sources/maps, one a system, and those of a company folder.

A system's file says for each table of the system its columns (as Fivetran spells them), its other names and labels, and for each
canonical table where its rows come from. Its shapes are the ways in which the system is delivered: as its own export, by
Fivetran, by Airbyte, by dlt; SYSTEM-SHAPE names a map. shapes.toml holds what is the same for all systems.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..config import read_toml
from ..errors import Fault, UsageError, nearest
from ..settings import Days, Settings
from ..source_settings import Dialect

MAPS = Path(__file__).parent / "maps"
COMMON = "shapes"


class Shape(Settings):
    """One way in which a system's tables are delivered.

    `pages` are what was read to write it; `proven` names the rows it was tried on, and is empty where there were none.
    `newest`: the column that tells the newest row of a key; `active`: the one that says which row of a key holds now; `gone`:
    those that mark a row as deleted; `prefixes` stand before column names and are no part of them; `reason` says why the shape
    cannot be read.
    """

    pages: list[str] = Field(default_factory=list)
    proven: str = ""
    newest: str = ""
    active: str = ""
    gone: list[str] = Field(default_factory=list)
    prefixes: list[str] = Field(default_factory=list)
    dialect: Dialect = Dialect()
    reason: str = ""


class FileEntry(Settings):
    """One table of a system: the columns that the map reads, their labels in exports, and the table's other names.

    A row that `gone` marks as deleted stays where `merged` says into which record it went: it leads there.
    """

    names: list[str] = Field(default_factory=list)
    columns: list[str] = Field(default_factory=list)
    labels: dict[str, list[str]] = Field(default_factory=dict)
    key: list[str] = Field(default_factory=list)
    newest: str = ""
    gone: list[str] = Field(default_factory=list)
    merged: str = ""
    dialect: Dialect = Dialect()


class Entry(Settings):
    """Where the rows of one canonical table come from; see mapping.py.

    `also` are files that the query reads and that may be absent; `otherwise` is the entry that counts where the files of this
    one were not delivered; `as_now` says what is not known where only today's state is; `left_out` are queries for the number of
    rows that a rule of the query leaves out, by the rule; `told` for the number of which the source does not say all, by what becomes
    of them.
    """

    file: str = ""
    files: list[str] = Field(default_factory=list)
    also: list[str] = Field(default_factory=list)
    sql: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    expressions: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    as_now: str = ""
    left_out: dict[str, str] = Field(default_factory=dict)
    told: dict[str, str] = Field(default_factory=dict)
    otherwise: Entry | None = None


class MapFile(Settings):
    """A map as written. `ids` says how the system writes ids, `title` what it is called, `base` which map it changes.

    `look_back_days`: for so long after a day the system still changes what it tells of it.
    """

    title: str = ""
    base: str = ""
    ids: Literal["", "salesforce"] = ""
    look_back_days: Days = 0
    shapes: dict[str, Shape] = Field(default_factory=dict)
    files: dict[str, FileEntry] = Field(default_factory=dict)
    tables: dict[str, Entry] = Field(default_factory=dict)

    def entries(self, table: str) -> list[Entry]:
        """The table's entry, and those that count otherwise."""
        found, entry = list[Entry](), self.tables.get(table)
        while entry:
            found.append(entry)
            entry = entry.otherwise
        return found


@cache
def systems() -> dict[str, MapFile]:
    """Every system whose map ships with abm, by name."""
    return {path.stem: read_toml(path, MapFile) for path in sorted(MAPS.glob("*.toml")) if path.stem != COMMON}


@cache
def _common() -> dict[str, Shape]:
    written = tomllib.loads((MAPS / f"{COMMON}.toml").read_text(encoding="utf-8"))
    return {name: Shape.model_validate(shape) for name, shape in written.items()}


def shipped() -> dict[str, Shape]:
    """Every shipped map by its name SYSTEM-SHAPE, with what its shape says, common and of the system."""
    return {
        f"{system}-{name}": _over(_common().get(name, Shape()), shape)
        for system, written in systems().items() for name, shape in written.shapes.items()
    }  # fmt: skip


def load(folder: Path, name: str) -> tuple[MapFile, Shape, bool]:
    """The map of that name with all that it is based on, its shape, and whether abm ships (the base of) it.

    Raises UsageError for a map that is not there, cannot be read, or is based on one that is not.
    """
    path, known = folder / f"{name}.toml", shipped()
    if path.is_file():
        own = read_toml(path, MapFile)
        if not own.base:
            return own, Shape(), False
        if own.base in known:
            return _based(own, systems()[own.base.partition("-")[0]]), known[own.base], True
        raise UsageError(Fault("C11", "no-map", f"{path}  base", own.base, nearest(own.base, known), "correct `base`"))
    if name not in known:
        there = ["canonical", *known, *(p.stem for p in folder.glob("*.toml") if p.stem != "abm")]
        raise UsageError(
            Fault("C11", "no-map", str(path), "no such file", nearest(name, there), "correct `map` in abm.toml")
        )
    return systems()[name.partition("-")[0]], known[name], True


def _over(common: Shape, own: Shape) -> Shape:
    """A shape of a system over what is the same for all: its lists are added, the rest replaced."""
    lists = {name: [*getattr(common, name), *getattr(own, name)] for name in ("pages", "gone", "prefixes")}
    said = common.model_dump(exclude_unset=True) | own.model_dump(exclude_unset=True)
    return Shape(**said | lists | {"dialect": own.dialect.over(common.dialect)})


def _based(own: MapFile, base: MapFile) -> MapFile:
    """A company's changes over a shipped map: columns, labels and values are added, an entry of its own replaces."""
    files = dict(base.files)
    for stem, file in own.files.items():
        files[stem] = _file_over(file, files[stem]) if stem in files else file
    found = dict(base.tables)
    for table, entry in own.tables.items():
        replaces = table not in found or entry.file or entry.sql
        found[table] = entry if replaces else _entry_over(entry, found[table])
    look_back = own.look_back_days or base.look_back_days
    return MapFile(title=base.title, base=own.base, ids=base.ids, look_back_days=look_back, files=files, tables=found)


def _file_over(own: FileEntry, base: FileEntry) -> FileEntry:
    labels = {name: [*own.labels.get(name, []), *base.labels.get(name, [])] for name in {**base.labels, **own.labels}}
    return FileEntry(
        names=[*own.names, *base.names],
        columns=list(dict.fromkeys([*base.columns, *own.columns])),
        labels=labels,
        key=own.key or base.key,
        newest=own.newest or base.newest,
        gone=[*base.gone, *own.gone],
        merged=own.merged or base.merged,
        dialect=own.dialect.over(base.dialect),
    )


def _entry_over(own: Entry, base: Entry) -> Entry:
    values = {
        column: base.values.get(column, {}) | own.values.get(column, {}) for column in {**base.values, **own.values}
    }
    mine = {*own.columns, *own.expressions, *own.constants}
    kept = {
        kind: {n: v for n, v in getattr(base, kind).items() if n not in mine}
        for kind in ("columns", "expressions", "constants")
    }
    merged = {kind: kept[kind] | getattr(own, kind) for kind in kept}
    otherwise = _entry_over(own, base.otherwise) if base.otherwise else None
    return base.model_copy(update=merged | {"values": values, "otherwise": otherwise})
