"""The frozen copy of a company's inputs: Parquet files named for their content, and the engines that open them.

`COMPANY/.abm/store/<sha256>.parquet` holds a table, `<key>.json` lists the tables of one state of the inputs. The key is
made of the input files, abm.toml, the maps and the library's own definitions, so unchanged input is not read again and
unchanged tables are not written again. Everything after this module reads only what it opens.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd

from .errors import EnvironmentFault, Fault, InputRefused
from .sources.suspects import sha256, sha256_of_input
from .tables import Table, quoted
from .tables import tables as canonical_tables

EDITION = "last_edition.json"
MEMORY = "1400MB"  # that reading may hold; what is more goes to the disk and comes back
READ_BY = ("tables.toml", "tables.py", "company.py", "store.py", "keeping.py", "config.py", "source_settings.py",
           "settings.py", "period.py", "errors.py")  # fmt: skip
EVERYTHING = "everything"
SPARK_TYPES = {"VARCHAR": "string", "TIMESTAMP": "timestamp_ntz", "DATE": "date", "DECIMAL(18,4)": "decimal(18,4)",
               "DOUBLE": "double", "BIGINT": "bigint", "BOOLEAN": "boolean"}  # fmt: skip


DRAFT = re.compile(r"[-.](\d+)(?:\.parquet)?$")  # a draft's name ends with the id of the process that writes it


@dataclass(frozen=True)
class Frozen:
    """One frozen state: where its Parquet files lie, and what was said when they were made (files, counts, faults)."""

    folder: Path
    key: str
    tables: dict[str, str]
    notes: dict[str, Any]


def key_of(folder: Path, files: Sequence[Path]) -> str:
    """The key of the inputs: abm.toml, every map, every input file, the modules that read and derive, and the engine."""
    package = Path(__file__).parent
    ours = [
        *(package / name for name in READ_BY),
        *sorted(path for path in (package / "derive").iterdir() if path.is_file()),
        *sorted((package / "sources").glob("*.py")),
        *sorted((package / "sources" / "maps").glob("*.toml")),
    ]
    theirs = sorted({*folder.glob("*.toml"), *files})
    digest = hashlib.sha256(f"duckdb {duckdb.__version__}\n".encode())
    for path in [*ours, *theirs]:
        digest.update(f"{path.name} {sha256_of_input(path)}\n".encode())
    return digest.hexdigest()[:16]


def with_more(key: str, files: Sequence[Path]) -> str:
    """The key of inputs that are read together with more files of our own; the same key where there are none."""
    digest = hashlib.sha256(f"{key}\n".encode())
    for path in files:
        digest.update(f"{path.parent.name}/{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()[:16] if files else key


def recall(folder: Path, key: str) -> Frozen | None:
    """The frozen state of that key, None where it is not there. Raises InputRefused when a table is no longer what was frozen."""
    path = folder / ".abm" / "store" / f"{key}.json"
    try:
        state = json.loads(path.read_bytes())
        frozen = Frozen(path.parent, key, state["tables"], state["notes"])
    except (OSError, ValueError, KeyError):
        return None
    tables = {name: path.parent / f"{digest}.parquet" for name, digest in frozen.tables.items()}
    if not all(table.is_file() for table in tables.values()):
        return None
    changed = [(name, table) for name, table in tables.items() if sha256(table) != table.stem]
    if changed:
        raise InputRefused(
            Fault("P24", "frozen-table-changed", str(table), f"other bytes than were frozen of {name}", f"sha256 {table.stem[:12]}…",
                  f"abm clean {folder}, then run again: the inputs are read anew") for name, table in changed
        )  # fmt: skip
    return frozen


def freeze(con: duckdb.DuckDBPyConnection, folder: Path, key: str, notes: dict[str, Any]) -> Frozen:
    """Write every table of schema `frozen` as Parquet under its content hash, then the list of them.

    Raises EnvironmentFault when the company folder cannot be written to.
    """
    store = folder / ".abm" / "store"
    query = "select table_name from information_schema.tables where table_schema = 'frozen' order by 1"
    names = con.execute(query).fetchall()
    with writing(folder):
        store.mkdir(parents=True, exist_ok=True)
        clear_killed(folder)
        written = {name: _write(con, store, name) for (name,) in names}
        draft = store / f"{key}.json.{os.getpid()}"
        draft.write_text(json.dumps({"tables": written, "notes": notes}, indent=1, default=str), encoding="utf-8")
        draft.replace(store / f"{key}.json")
    return Frozen(store, key, written, notes)


def last_notes(folder: Path) -> dict[str, Any]:
    """What was said of the inputs of the last edition, else of the newest frozen state; nothing where there is neither."""
    states = sorted((folder / ".abm" / "store").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    notes = _json(folder / ".abm" / EDITION) or (_json(states[-1]).get("notes", {}) if states else {})
    return dict(notes)


def _json(path: Path) -> dict[str, Any]:
    """What a file of our own holds; nothing where it is not there or broken."""
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return {}


def keep_last_edition(folder: Path, quarter: str, notes: dict[str, Any]) -> None:
    """Keep what later inputs are held against (`COMPANY/.abm/last_edition.json`)."""
    kept = {"edition": quarter} | {name: notes[name] for name in ("profile", "settings", "headers")}
    with writing(folder):
        draft = folder / ".abm" / f"{EDITION}.{os.getpid()}"
        draft.write_text(json.dumps(kept, indent=1, default=str), encoding="utf-8")
        draft.replace(folder / ".abm" / EDITION)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What goes wrong while FOLDER/.abm is written to, said in words."""
    try:
        (folder / ".abm").mkdir(mode=0o700, exist_ok=True)
        yield
    except (OSError, duckdb.IOException) as error:
        found = error.strerror if isinstance(error, OSError) else "no space, or no permission"
        fix = "make room, or let this user write there"
        fault = Fault("P07", "cannot-write", str(folder / ".abm"), str(found), "a folder that can be written to", fix)
        raise EnvironmentFault(fault) from None


def clear_drafts(folder: Path, pattern: str) -> None:
    """Remove the drafts of processes that were killed: they may hold rows of people. A draft is named for its process."""
    for path in folder.glob(pattern):
        process = DRAFT.search(path.name)
        if process and not _is_running(int(process[1])):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def clear_killed(folder: Path) -> None:
    """Remove what killed processes left in FOLDER/.abm: what they had spilled, and drafts. It may hold rows of people."""
    for place, pattern in (
        ("", "spill-*"),
        ("", f"{EDITION}.*"),
        ("store", "draft-*"),
        ("store", "*.json.*"),
        ("made", ".*"),
        ("snapshots", "*/draft-*"),
    ):
        clear_drafts(folder / ".abm" / place, pattern)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _write(con: duckdb.DuckDBPyConnection, store: Path, name: str) -> str:
    """The table's sha256, which names its file. An equal table that is there already is left as it is."""
    draft = store / f"draft-{os.getpid()}.parquet"
    con.execute(f'copy frozen."{name}" to {quoted(str(draft))} (format parquet, compression zstd)')
    digest = sha256(draft)
    target = store / f"{digest}.parquet"
    if target.exists() and sha256(target) == digest:
        draft.unlink()
    else:
        draft.replace(target)
    return digest


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB of our own in memory, in UTC, that never reaches for an extension from outside.

    With a folder to spill to it holds no more than a bounded part of its tables in memory.
    """
    con = duckdb.connect()
    if spill:
        con.execute(f"set memory_limit = '{MEMORY}'; set temp_directory = {quoted(str(spill))}")
    con.execute("set TimeZone = 'UTC'; set autoinstall_known_extensions = false")
    return con


class Engine:
    """Tables on DuckDB or Spark as narwhals lazy frames; the only place that knows which engine it is."""

    def table(self, path: Path) -> nw.LazyFrame[Any]:
        raise NotImplementedError

    def frame(self, rows: pd.DataFrame, types: dict[str, str]) -> nw.LazyFrame[Any]:
        """A small frame of our own (a calendar, the quarters) with SQL types per column."""
        raise NotImplementedError

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """The same rows, computed once and held for the queries to come."""
        raise NotImplementedError

    def collect(self, frame: nw.LazyFrame[Any]) -> pd.DataFrame:
        raise NotImplementedError


class DuckDB(Engine):
    """DuckDB in this process, in memory, in UTC; spilling to `.abm` when memory runs short."""

    def __init__(self) -> None:
        self.con = connect()
        self._kept = 0

    def table(self, path: Path) -> nw.LazyFrame[Any]:
        return nw.from_native(self.con.read_parquet(str(path))).lazy()

    def frame(self, rows: pd.DataFrame, types: dict[str, str]) -> nw.LazyFrame[Any]:
        typed = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in types.items())
        self.con.register("rows_given", rows)
        self._kept += 1
        self.con.execute(f"create temp table given_{self._kept} as select {typed} from rows_given")
        self.con.unregister("rows_given")
        return nw.from_native(self.con.table(f"given_{self._kept}")).lazy()

    def scan(self, frame: Any) -> duckdb.DuckDBPyRelation:
        """An analyst's pandas, Polars or Arrow frame, or a DuckDB relation, read in place."""
        if isinstance(frame, duckdb.DuckDBPyRelation):
            return frame
        self._kept += 1
        self.con.register(f"scanned_{self._kept}", frame)
        return self.con.table(f"scanned_{self._kept}")

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        self._kept += 1
        name = f"kept_{self._kept}"
        self.con.execute(f"create temp table {name} as {frame.to_native().sql_query()}")
        return nw.from_native(self.con.table(name)).lazy()

    def collect(self, frame: nw.LazyFrame[Any]) -> pd.DataFrame:
        return frame.collect("pandas").to_native()


class Spark(Engine):
    """PySpark, for more than one machine; needs the extra `spark` and a Java runtime.

    Only what changes numbers is set here; where it runs and how wide it shuffles is for the session or spark-defaults.conf.
    """

    def __init__(self) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise EnvironmentFault(
                Fault("P21", "no-spark", "engine spark", "pyspark is not installed", "the extra `spark`",
                      "pip install 'abm_lib[spark]', and a Java runtime of version 17")
            ) from None  # fmt: skip
        settings: dict[str, bool | float | int | str | None] = {
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.timestampType": "TIMESTAMP_NTZ",
            "spark.sql.ansi.enabled": "true",
        }
        self.session = SparkSession.builder.appName("abm_lib").config(map=settings).getOrCreate()

    def table(self, path: Path) -> nw.LazyFrame[Any]:
        return nw.from_native(self.session.read.parquet(str(path))).lazy()

    def frame(self, rows: pd.DataFrame, types: dict[str, str]) -> nw.LazyFrame[Any]:
        from pyspark.sql import functions

        # As JSON in the query itself: rows handed over as Python objects would start a Python worker for each query.
        schema = f"array<struct<{', '.join(f'`{name}`: {SPARK_TYPES[kind]}' for name, kind in types.items())}>>"
        plain = rows[list(types)].astype(object)
        text = json.dumps(plain.where(plain.notna(), None).to_dict("records"), default=lambda day: day.isoformat())
        parsed = functions.from_json(functions.lit(text), schema, {"mode": "FAILFAST"})
        return nw.from_native(self.session.range(1).select(functions.inline(parsed))).lazy()

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return nw.from_native(frame.to_native().localCheckpoint()).lazy()

    def collect(self, frame: nw.LazyFrame[Any]) -> pd.DataFrame:
        from pyspark.sql import functions

        native = frame.to_native()
        decimals = [name for name, kind in native.dtypes if kind.startswith("decimal")]
        doubles = {name: functions.col(f"`{name}`").cast("double") for name in decimals}
        return native.withColumns(doubles).toPandas()


ENGINES: dict[str, Callable[[], Engine]] = {"duckdb": DuckDB, "spark": Spark}


class Tables:
    """The frozen tables as lazy frames: `tables.ad_days`. A table that was not delivered is there, empty and typed."""

    def __init__(self, frozen: Frozen, engine: Engine) -> None:
        self.engine = engine
        self.delivered = set(frozen.tables)
        self._frozen = frozen
        self._opened: dict[str, nw.LazyFrame[Any]] = {}
        self._noting: list[set[str]] = []

    def __getattr__(self, name: str) -> nw.LazyFrame[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        self.note({name})
        if name not in self._opened:
            digest = self._frozen.tables.get(name)
            if digest is None and name not in canonical_tables():
                raise AttributeError(f"no canonical table {name!r}")
            path = self._frozen.folder / f"{digest}.parquet"
            self._opened[name] = self.engine.table(path) if digest else _empty(self.engine, canonical_tables()[name])
        return self._opened[name]

    def note(self, names: Collection[str]) -> None:
        """Something was read: a table by its name, `span TABLE` for the days that one covers, EVERYTHING for all that is known."""
        for noted in self._noting:
            noted.update(names)

    @contextmanager
    def noted(self) -> Iterator[set[str]]:
        """What is read while this is open."""
        found: set[str] = set()
        self._noting.append(found)
        try:
            yield found
        finally:
            self._noting.pop()


def _empty(engine: Engine, table: Table) -> nw.LazyFrame[Any]:
    """A table of no rows, with the local day that derive puts beside a dating timestamp."""
    types = {column.name: column.sql_type for column in table.columns.values()}
    types |= dict.fromkeys(table.days.values(), "DATE")
    return engine.frame(pd.DataFrame({name: pd.Series(dtype="object") for name in types}), types)
