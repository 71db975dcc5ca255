"""A company folder, opened: its settings, calendar and frozen tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from . import config as settings
from . import derive, keeping, sources, store
from .derive import snapshots
from .errors import Fault, InputRefused, UsageError
from .period import Calendar, Quarter
from .sources import drift, mapping
from .sources.finding import input_files
from .tables import ABOUT_DATA, tells_until
from .tables import tables as canonical_tables

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Company:
    """What facts read: `tables` on an engine, in the company's `calendar` and by its `config`."""

    folder: Path
    config: settings.Config
    calendar: Calendar
    frozen: store.Frozen
    tables: store.Tables

    @property
    def notes(self) -> dict[str, Any]:
        """What was said when the inputs were frozen: files, counts per table, faults, and the days each table covers."""
        self.tables.note({store.EVERYTHING})
        return self.frozen.notes

    def delivers(self, column: str) -> bool:
        """Whether a source delivers `table.column`."""
        table, name = column.split(".")
        return table in self.notes["tables"] and name not in self.notes["tables"][table]["missing_columns"]

    @cached_property
    def spans(self) -> dict[str, tuple[date, date]]:
        """The first and last day that each dated table covers: by its loads where they say so, else by its rows."""
        return {
            name: (date.fromisoformat(first), date.fromisoformat(last))
            for name, (first, last) in self.frozen.notes["spans"].items()
        }

    def span(self, table: str) -> tuple[date, date] | None:
        """The first and last day that a table covers; None where it has no dated row. Facts ask here, so that it is noted."""
        self.tables.note({f"span {table}"})
        return self.spans.get(table)

    @cached_property
    def known_until(self) -> date:
        """The last day of which the data may speak: the newest extraction, else the newest row of what happened by then."""
        if self.notes["extracted_at"]:
            return datetime.fromisoformat(self.notes["extracted_at"]).date()
        newest = _newest(self.notes["spans"])
        return date.fromisoformat(newest) if newest else date.min

    @property
    def today(self) -> date:
        """The day that it is where the company reports."""
        return datetime.now(self.config.company.zone).date()

    def settled_on(self, quarter: Quarter) -> date:
        """The last day whose records count in a quarter: when the look-back windows of all sources have closed."""
        windows = [source["look_back_days"] for source in self.notes["sources"].values()]
        return quarter.end + timedelta(days=max(self.config.as_of.settle_days, *windows))

    def last_ended(self) -> Quarter:
        """The quarter that ended last by today's date. Raises InputRefused where the data do not reach its end."""
        quarter = self.calendar.last_complete(self.today)
        if self.known_until < quarter.end - timedelta(days=1):
            found, expected = f"data until {self.known_until}", f"data until {quarter.end - timedelta(days=1)} at least"
            fix = "deliver newer exports, then run again"
            raise InputRefused(Fault("P16", "stale-data", str(self.folder), found, expected, fix))
        return quarter

    def quarter(self, label: str = "") -> Quarter:
        """The quarter asked for, or the last complete one in the data. Raises UsageError when the data hold no day of it."""
        dated = [span for name, span in self.spans.items() if name not in ABOUT_DATA]
        if not dated:
            where, found = str(self.folder), "no table with dated rows"
            raise InputRefused(Fault("F017", "no-dated-rows", where, found, "at least one", "deliver data"))
        first = self.calendar.quarter_of(min(start for start, _ in dated))
        quarter = self.calendar.quarter(label) if label else self.calendar.last_complete(self.known_until)
        if quarter.end <= first.start or quarter.start > self.known_until:
            where = f"--quarter {label}" if label else f"{quarter.label}, the last complete quarter"
            newest = self.calendar.quarter_of(self.known_until).label
            span = first.label if newest == first.label else f"{first.label} to {newest}"
            raise UsageError(
                Fault("F045", "quarter-out-of-range", where, f"{quarter.start} to {quarter.end - timedelta(days=1)}", span,
                      f"ask for a quarter of the data: --quarter {newest}")
            )  # fmt: skip
        return quarter


def find(company: str | Path) -> Path:
    """The company folder: against the working directory, then against the project's root.

    Raises UsageError when neither holds it.
    """
    for folder in (Path(company), PROJECT / company):
        if folder.is_dir():
            return folder.resolve()
    expected = "a company folder with an abm.toml"
    raise UsageError(Fault("C08", "no-company", str(company), "no such folder", expected, "abm init FOLDER"))


def open_company(company: str | Path, engine: str = "duckdb") -> Company:
    """Open a company folder, freezing its inputs first when they changed.

    Raises UsageError for abm.toml and maps, InputRefused for the inputs: every fault at once.
    """
    folder = find(company)
    config = settings.load(folder)
    maps = mapping.load_maps(folder, config)
    key = store.key_of(folder, input_files(folder, config.sources))
    frozen = store.recall(folder, store.with_more(key, snapshots.files(folder))) or _freeze(folder, config, maps, key)
    calendar = Calendar(**config.fiscal.model_dump())
    return Company(folder, config, calendar, frozen, store.Tables(frozen, store.ENGINES[engine]()))


def _freeze(folder: Path, config: settings.Config, maps: dict[str, mapping.Map], key: str) -> store.Frozen:
    """Read, judge and freeze the inputs. The rows set aside are written before anything is refused: they say why.

    The state is named for its snapshots as well, with the one that is written here: the next run finds it.
    """
    with store.writing(folder):  # what memory cannot hold goes there
        con = store.connect(folder / ".abm" / f"spill-{os.getpid()}")
    delivery = sources.read(con, config, folder, maps)
    with store.writing(folder):
        sources.keep_set_aside(con, folder / ".abm" / "set_aside", delivery)
    if delivery.is_refused:
        raise InputRefused(delivery.faults)
    compared = {
        "profile": drift.profile(con, delivery.reports),
        "settings": drift.settings(config),
        "headers": delivery.headers,
    }
    allowed = config.thresholds.changed_columns
    delivery.faults += [*drift.unknown(allowed), *drift.since(store.last_notes(folder), compared, allowed)]
    if delivery.is_refused:
        raise InputRefused(delivery.faults)
    _tell_history(con, config, folder, maps, delivery)
    keeping.suppress(con, folder)
    identity = derive.complete(con, config)
    notes = {
        "files": {label: file.described for label, file in sorted(delivery.files.items())},
        "tables": {name: {"read": r.read, "accepted": r.accepted, "repeated": r.repeated, "set_aside": r.set_aside, "excluded": r.excluded,
                          "missing_columns": r.missing_columns, "added_columns": r.added_columns}
                   for name, r in delivery.reports.items()},
        "faults": [fault.as_dict() for fault in delivery.faults],
        "spans": _spans(con, set(delivery.reports)),
        "extracted_at": _extracted_at(con, set(delivery.reports)) or max(delivery.extracted_at.values(), default=""),
        "as_now": delivery.as_now,
        "sources": delivery.described,
        "zones": _zones(delivery, config.company.timezone),
        "identity": identity,
        **compared,
    }  # fmt: skip
    return store.freeze(con, folder, store.with_more(key, snapshots.files(folder)), notes)


def _tell_history(
    con: duckdb.DuckDBPyConnection,
    config: settings.Config,
    folder: Path,
    maps: dict[str, mapping.Map],
    delivery: sources.Delivery,
) -> None:
    """Where a source tells today's opportunities alone: keep them, and let what was kept before tell their history."""
    table = snapshots.CHANGES
    if table not in delivery.as_now:
        return
    read = [delivery.extracted_at.get(name, "") for name, each in maps.items() if table in each.tables]
    told = _extracted_at(con, set(delivery.reports), (table, snapshots.OPPORTUNITIES))
    with store.writing(folder):
        snapshots.keep(con, folder, told or max(read, default=""))
    delivery.faults += snapshots.tell(con, config, folder)
    delivery.as_now[table] = snapshots.sentence(delivery.as_now[table], list(snapshots.kept(folder)))


def _zones(delivery: sources.Delivery, reporting: str) -> dict[str, str]:
    """The zone of each dated table that is written in another one than the company reports in.

    Moments without a declared zone are UTC; of days without one it is not known whose they are, and nothing is said.
    """
    found = {}
    for part in delivery.parts:
        table = canonical_tables()[part.report.table]
        moments = table.dated and table.columns[table.dated].type == "at"
        zone = part.timezone or ("UTC" if moments else "")
        if table.dated and zone not in ("", reporting):
            found[table.name] = zone
    return dict(sorted(found.items()))


def _spans(con: duckdb.DuckDBPyConnection, given: set[str]) -> dict[str, list[str]]:
    """First and last day per dated table: what `loads` says that it covers, else those of its rows.

    Rows of a table that stands hold as far as what happened is known.
    """
    spans: dict[str, list[str]] = {}
    for name in given - {"loads"}:
        if column := canonical_tables()[name].dated:
            query = f'select min("{column}")::date, max("{column}")::date from canonical."{name}"'
            (ends,) = con.execute(query).fetchall()
            if ends[0]:
                spans[name] = [str(ends[0]), str(ends[1])]
    newest = _newest(spans)
    spans = {
        name: [first, max(first, newest) if canonical_tables()[name].stands else last]
        for name, (first, last) in spans.items()
    }
    if "loads" in given:
        covered = con.execute(
            'select "table", min(covers_from), max(covers_to) from canonical.loads group by 1'
        ).fetchall()
        spans |= {name: [str(first), str(last)] for name, first, last in covered if name in given and first and last}
    return dict(sorted(spans.items()))


def _newest(spans: Mapping[str, Sequence[str]]) -> str:
    """The newest day of what happened; where nothing is told of that, of what holds. Empty without a dated row."""
    happened = [last for name, (_, last) in spans.items() if tells_until(name)]
    held = [last for name, (_, last) in spans.items() if name not in ABOUT_DATA]
    return max(happened or held, default="")


def _extracted_at(con: duckdb.DuckDBPyConnection, given: set[str], of: Sequence[str] = ()) -> str:
    """The newest extraction that `loads` tells: of some tables where it names any of them, else of all; empty without it."""
    if "loads" not in given:
        return ""
    query = """select coalesce(max(extracted_at) filter (where list_contains(?, "table")), max(extracted_at))::varchar
        from canonical.loads"""
    return str(con.execute(query, [list(of)]).fetchall()[0][0] or "")
