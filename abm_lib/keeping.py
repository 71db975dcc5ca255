"""How long copies of the inputs are kept, and how a person is taken out of them (S8, S10).

`COMPANY/forgotten.toml` names who was forgotten, by id and by the hash of their address: it joins the table `suppressions`
whenever inputs are read, so that an export that still holds them does not bring them back.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from .errors import Fault, UsageError
from .sources.suspects import sha256
from .store import EDITION, connect
from .tables import quoted, quoted_name, tables

FORGOTTEN = "forgotten.toml"
REMOVED = "removed.log"
SNAPSHOTS = "snapshots"  # COMPANY/.abm/snapshots: nobody else has what they tell
CODES, PULLED = "account-codes.key", "pulled"
# What `abm clean` leaves in COMPANY/.abm, and why.
LEFT = {
    SNAPSHOTS: "what nobody else knows of past opportunities",
    PULLED: "the only copy of what was pulled; --pulled removes it too",
    CODES: "without it accounts get other codes in editions that travel; --codes removes it too",
    REMOVED: "what was removed, and when",
    EDITION: "what the inputs of the last edition were like, that later ones are held against",
}


@dataclass(frozen=True)
class Place:
    """Where a person was found: a file against the company folder, how often, and what was done."""

    name: str
    count: int
    done: str


def suppress(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Add who was forgotten to `canonical.suppressions`, which is made where no source delivers it."""
    gone = _forgotten(folder)
    if not gone:
        return
    columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in tables()["suppressions"].columns.values())
    con.execute(f"create table if not exists canonical.suppressions ({columns})")
    con.executemany("insert into canonical.suppressions (person_id, email_hash, since) values (?, ?, ?)", gone)


def forget(folder: Path, person: str, today: date) -> list[Place]:
    """Take a person, named by e-mail address or id, out of everything kept of a company, and keep them out.

    Delivered files are not changed: they belong to their sources, and are named where they still hold the person.
    Raises UsageError where nothing tells of such a person.
    """
    ids, addresses = _known_as(folder, person)
    words = sorted(ids | addresses)
    found = [
        *_in_store(folder, words),
        *_in_snapshots(folder, words),
        *_in_set_aside(folder, words),
        *_in_runs(folder, words),
        *_in_pulled(folder, words),
        *_in_inputs(folder, words),
    ]
    if not found:
        expected, fix = "an e-mail address or a person_id of the inputs", "check how it is written"
        raise UsageError(Fault("S10", "nobody", "abm forget", "nobody of that name in anything kept", expected, fix))
    _remember(folder, ids, addresses, today)
    _log(folder, today, [f"{place.name}: a person, {place.count}" for place in found if place.done])
    return found


def expire(folder: Path, keep: str, run_days: int, input_days: int, now: datetime) -> list[str]:
    """Remove run folders, rows set aside and frozen states past their days, but never the state `keep`; returns what went."""
    gone = []
    inner = folder / ".abm"
    for place, days in (("runs", run_days), ("set_aside", run_days)):
        for path in sorted((inner / place).glob("*")):
            if _age(path, now) > timedelta(days=days):
                gone.append(f"{place}/{path.name}")
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    states = sorted((inner / "store").glob("*.json"))
    old = [path for path in states if path.stem != keep and _age(path, now) > timedelta(days=input_days)]
    used = {digest for path in states if path not in old for digest in _tables_of(path).values()}
    for path in old:
        gone.append(f"store/{path.name}")
        for digest in set(_tables_of(path).values()) - used:
            (path.parent / f"{digest}.parquet").unlink(missing_ok=True)
        path.unlink()
    _log(folder, now.date(), gone)
    return gone


def clean(folder: Path, also: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Remove all that can be made again from the inputs, and what is named in `also`; returns what went and what is LEFT."""
    inner = folder / ".abm"
    there = sorted(path.name for path in inner.glob("*"))
    left = [name for name in there if name in LEFT and name not in also]
    gone = [name for name in there if name not in left]
    for path in [inner / name for name in gone]:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if not left:
        shutil.rmtree(inner, ignore_errors=True)
    return gone, left


def _age(path: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _log(folder: Path, day: date, lines: Sequence[str]) -> None:
    if lines:
        with (folder / ".abm" / REMOVED).open("a", encoding="utf-8") as log:
            log.writelines(f"{day} {line}\n" for line in lines)


def _forgotten(folder: Path) -> list[tuple[str | None, str | None, date]]:
    path = folder / FORGOTTEN
    told = tomllib.loads(path.read_text("utf-8")).get("person", []) if path.is_file() else []
    return [(one.get("person_id") or None, one.get("email_hash") or None, one["since"]) for one in told]


def _remember(folder: Path, ids: set[str], addresses: set[str], today: date) -> None:
    hashes = {hashlib.sha256(address.encode()).hexdigest() for address in addresses}
    known = {name for person_id, email_hash, _ in _forgotten(folder) for name in (person_id, email_hash)}
    lines = [f"person_id = {json.dumps(name)}" for name in sorted(ids - known)]
    lines += [f"email_hash = {json.dumps(name)}" for name in sorted(hashes - known)]
    with (folder / FORGOTTEN).open("a", encoding="utf-8") as file:
        file.writelines(f"[[person]]\n{line}\nsince = {today}\n" for line in lines)


def _known_as(folder: Path, person: str) -> tuple[set[str], set[str]]:
    """The ids and addresses of a person in every kept table of people: one address may have several ids, and the other way round."""
    person, con = person.strip(), connect()
    ids, addresses = (set(), {person.lower()}) if "@" in person else ({person}, set())
    known: set[tuple[str, str]] = set()
    for name in [quoted(str(path)) for table, path in _frozen(folder) if table == "people"]:
        known.update(con.execute(f"select person_id, coalesce(lower(trim(email)), '') from {name}").fetchall())
    while found := {pair for pair in known if pair[0] in ids or pair[1] in addresses}:
        known -= found
        ids |= {person_id for person_id, _ in found}
        addresses |= {email for _, email in found if email}
    return ids, addresses


def _frozen(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every frozen table that is there, once: its name and file."""
    seen = set()
    for state in sorted((folder / ".abm" / "store").glob("*.json")):
        for table, digest in _tables_of(state).items():
            path = state.parent / f"{digest}.parquet"
            if path not in seen and path.is_file():
                seen.add(path)
                yield table, path


def _tables_of(state: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(state.read_text("utf-8"))["tables"]
    return found


def _in_store(folder: Path, words: Sequence[str]) -> Iterator[Place]:
    """Frozen tables without the person: rows about them alone go, in others they become nobody. Their hashes change with them."""
    renamed = {}
    for table, path in list(_frozen(folder)):
        if count := _rewritten(table, path, words):
            renamed[path.stem] = digest = sha256(path)
            path.replace(path.with_name(f"{digest}.parquet"))
            yield Place(f".abm/store, table {table}", count, "taken out")
    for state in sorted((folder / ".abm" / "store").glob("*.json")) if renamed else []:
        text = json.loads(state.read_text("utf-8"))
        text["tables"] = {table: renamed.get(digest, digest) for table, digest in text["tables"].items()}
        state.write_text(json.dumps(text, indent=1), encoding="utf-8")


def _in_snapshots(folder: Path, words: Sequence[str]) -> Iterator[Place]:
    """Our own snapshots without the person, under their names; the states made of them are made anew."""
    for path in sorted((folder / ".abm" / SNAPSHOTS).glob("*/*.parquet")):
        if count := _rewritten(path.parent.name, path, words):
            yield Place(f".abm/{SNAPSHOTS}/{path.parent.name}/{path.name}", count, "taken out")


def _rewritten(table: str, path: Path, words: Sequence[str]) -> int:
    """How many rows of a table held the person; where any did, the file no longer does."""
    con, known, source = connect(), tables().get(table), quoted(str(path))
    described = con.execute(f"describe select * from {source}").fetchall()
    hit = {name: _hit(table, name, words) for name, kind, *_ in described if kind == "VARCHAR"}
    hit = {name: condition for name, condition in hit.items() if condition}
    found = con.execute(f"select count(*) from {source} where {' or '.join(hit.values())}").fetchone() if hit else None
    if not found or not found[0]:
        return 0
    needed = [n for n in hit if known and n in known.columns and (known.columns[n].required or n in known.key)]
    blanked = ", ".join(f'case when not {hit[n]} then "{n}" end as "{n}"' for n in hit if n not in needed)
    kept = f"where not ({' or '.join(hit[n] for n in needed)})" if needed else ""
    columns = f"* replace ({blanked})" if blanked else "*"
    draft = path.with_suffix(".draft")
    con.execute(
        f"copy (select {columns} from {source} {kept}) to {quoted(str(draft))} (format parquet, compression zstd)"
    )
    draft.replace(path)
    return int(found[0])


def _hit(table: str, column: str, words: Sequence[str]) -> str:
    """SQL for whether a column holds the person: an address in any text, an id where ids of people stand."""
    found = [f'contains(lower("{column}"), {quoted(word.lower())})' for word in words if "@" in word]
    if _names_people(table, column):
        found += [f'"{column}" = {quoted(word)}' for word in words if "@" not in word]
    return f"coalesce({' or '.join(found)}, false)" if found else ""


def _names_people(table: str, column: str) -> bool:
    return column == "person_id" or (table, column) == ("people", "survivor_id")


def _holds(cell: str, words: Sequence[str], is_id: bool) -> bool:
    return any(word.lower() in cell.lower() if "@" in word else is_id and word == cell.strip() for word in words)


def _in_set_aside(folder: Path, words: Sequence[str]) -> Iterator[Place]:
    for path in sorted((folder / ".abm" / "set_aside").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        ids = [_names_people(path.stem, name) for name in head]
        kept = [row for row in rows if not any(map(_holds, row, [words] * len(row), ids))]
        if len(kept) < len(rows):
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([head, *kept])
            yield Place(f".abm/set_aside/{path.name}", len(rows) - len(kept), "rows removed")


def _in_runs(folder: Path, words: Sequence[str]) -> Iterator[Place]:
    for path in sorted((folder / ".abm" / "runs").glob("*/*")):
        text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
        if count := len(re.findall("|".join(rf"\b{re.escape(word)}\b" for word in words), text, re.IGNORECASE)):
            path.unlink()
            yield Place(f".abm/runs/{path.parent.name}/{path.name}", count, "file removed")


def _in_pulled(folder: Path, words: Sequence[str]) -> Iterator[Place]:
    """Tables of a server that hold the person still, or did when they were pulled; nothing is done to them."""
    for path in sorted((folder / ".abm" / PULLED).glob("*/*.parquet")):
        con, source = connect(), f"read_parquet({quoted(str(path))})"
        texts = [
            quoted_name(n) for n, kind, *_ in con.execute(f"describe from {source}").fetchall() if kind == "VARCHAR"
        ]
        hits = [
            f"contains(lower({n}), {quoted(w.lower())})" if "@" in w else f"{n} = {quoted(w)}"
            for n in texts
            for w in words
        ]
        query = f"select count(*) from {source} where {' or '.join(hits) or 'false'}"
        if count := con.execute(query).fetchall()[0][0]:
            yield Place(path.relative_to(folder).as_posix(), int(count), "")


def _in_inputs(folder: Path, words: Sequence[str]) -> Iterator[Place]:
    """Delivered files that hold the person still; nothing is done to them."""
    inner = folder / ".abm"
    for path in sorted(p for p in folder.rglob("*.csv") if inner not in p.parents):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            count = sum(any(_holds(cell, words, True) for cell in row) for row in csv.reader(file))
        if count:
            yield Place(path.relative_to(folder).as_posix(), count, "")
