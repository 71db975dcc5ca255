"""Which delivered file, sheet or table of a database holds which table of the map."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import Fault, nearest, printable
from ..source_settings import Source
from . import forms, suspects

PULLED = Path(".abm") / "pulled"  # where `abm pull` puts the tables of a server, a folder for each source
SUFFIXES = (".csv", ".csv.gz", *forms.READERS)
LARGEST_PATTERN = 10_000  # files that one pattern may mean


@dataclass(frozen=True)
class Found:
    """Where a table's rows are: files, of which a table may be split over several, or a query over a database file."""

    paths: tuple[Path, ...]
    sheet: str = ""
    query: str = ""


def folder_of(company: Path, name: str, source: Source) -> Path:
    return company / PULLED / name if source.is_pulled else company / source.folder


def input_files(company: Path, sources: Mapping[str, Source]) -> list[Path]:
    """Every file that a source may be read from."""
    places = {folder_of(company, name, source) for name, source in sources.items()}
    files = {path for place in places if place.is_dir() for path in place.iterdir() if stem_of(path)}
    for name, source in sources.items():
        place = folder_of(company, name, source)
        files |= {place / source.database} if source.database else set()
        for pattern in source.files.values():
            files |= set(_matching(place, pattern.partition("#")[0]))
    return sorted(path for path in files if path.is_file())


def stem_of(path: Path) -> str:
    """The name of the table that a file holds; empty for a file of another kind."""
    suffix = next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), "")
    return path.name.removesuffix(suffix) if suffix else ""


def find(
    place: Path,
    source: Source,
    wanted: Mapping[str, Sequence[str]],
    needed: Iterable[str],
    label: str,
    faults: list[Fault],
) -> dict[str, Found]:
    """The files of a source by table. `wanted` holds each table's other names; those needed and not there are faults."""
    if not place.is_dir():
        fix = f"abm pull {place.parents[2]}" if source.is_pulled else "correct `folder` in abm.toml"
        faults.append(Fault("F105", "folder-missing", label, "no such folder", "the folder of the source's files", fix))
        return {}
    if source.database:
        return _in_database(place / source.database, source, wanted, needed, f"{label}/{source.database}", faults)
    found = {stem: _declared(place, stem, given, label, faults) for stem, given in source.files.items()}
    there = _by_stem(place, label, faults)
    for stem, names in wanted.items():
        if stem not in found and (name := named(stem, names, there)):
            found[stem] = Found((there[name],))
    for stem in sorted(set(needed) - set(found)):
        faults.append(
            Fault("F105", "file-missing", f"{label}/{stem}.csv", f"no such file; {nearest(stem, there)}", f"the file {stem}",
                  "deliver the file, or correct the map or abm.toml that asks for it")
        )  # fmt: skip
    return {stem: where for stem, where in found.items() if where.paths and stem in wanted}


def _by_stem(place: Path, label: str, faults: list[Fault]) -> dict[str, Path]:
    there: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        stem = stem_of(path)
        if stem and stem in there:
            faults.append(Fault("F025", "file-twice", f"{label}/{path.name}", f"{there[stem].name} is there too",
                                "one file for each table", "take one of them away"))  # fmt: skip
        if stem:
            there.setdefault(stem, path)
    return there


def unread(place: Path, wanted: Mapping[str, Sequence[str]], found: Mapping[str, Found]) -> dict[str, str]:
    """The files of a source's folder that no table is read from; of each table that lacks one the file whose name holds the table's."""
    read = {path for where in found.values() for path in where.paths}
    files = sorted(path.name for path in place.iterdir() if stem_of(path) and path not in read)
    fits = [
        (-len(known), len(file), file, stem)
        for file in files for stem, names in wanted.items() if stem not in found
        for known in (stem, *names) if _words(known) in _words(file)
    ]  # fmt: skip
    told = dict.fromkeys(files, "")
    for _, _, name, stem in sorted(fits):
        if not told[name] and stem not in told.values():
            told[name] = stem
    return told


def _words(name: str) -> str:
    return f"_{'_'.join(re.findall('[a-z0-9]+', name.casefold()))}_"


def named(stem: str, names: Sequence[str], there: Iterable[str]) -> str:
    """The delivered name that is the table's: as it stands, or one of its other names but for case and signs."""
    known = list(there)
    if stem in known:
        return stem
    wanted = [suspects.folded(name) for name in (stem, *names)] if names else []
    return next((name for each in wanted for name in known if suspects.folded(name) == each), "")


def _declared(place: Path, stem: str, given: str, label: str, faults: list[Fault]) -> Found:
    """The files that abm.toml names for a table: every one lies in the source's folder, and none counts twice."""
    pattern, _, sheet = given.partition("#")
    paths = _matching(place, pattern)
    where, kept, seen = f"{label}/{pattern}", [], dict[str, Path]()
    if not paths:
        fix = "deliver the file, or correct `files` in abm.toml"
        faults.append(Fault("F105", "file-missing", where, "no such file", f"the file of {stem}", fix))
    for path in paths:
        if not path.resolve().is_relative_to(place.resolve()):
            fix = "put the file there, or make its folder the source's"
            faults.append(
                Fault(
                    "F024",
                    "file-outside",
                    printable(where),
                    "a file outside of it",
                    "a file in the source's folder",
                    fix,
                )
            )
            continue
        digest = suspects.sha256(path)
        if digest in seen:
            faults.append(Fault("F025", "file-again", f"{label}/{path.name}", f"the same bytes as {seen[digest].name}",
                                "each file once", "nothing: it is read once", level="N"))  # fmt: skip
        else:
            seen[digest] = path
            kept.append(path)
    return Found(tuple(kept), sheet)


def _matching(place: Path, pattern: str) -> list[Path]:
    if not glob.has_magic(pattern):
        return [place / pattern] if (place / pattern).is_file() else []
    return sorted(path for path in place.glob(pattern) if path.is_file())[:LARGEST_PATTERN]


def _in_database(
    path: Path,
    source: Source,
    wanted: Mapping[str, Sequence[str]],
    needed: Iterable[str],
    label: str,
    faults: list[Fault],
) -> dict[str, Found]:
    if not path.is_file():
        faults.append(
            Fault("F105", "file-missing", label, "no such file", "the database", "correct `database` in abm.toml")
        )
        return {}
    list_tables = forms.sqlite_tables if forms.is_sqlite(path) else lambda p: forms.duckdb_tables(p, source.db_schema)
    try:
        there = list_tables(path)
    except forms.UNREADABLE as error:
        faults.append(
            suspects.fault(
                "F019", "no-database", label, f"no database ({type(error).__name__})", "a DuckDB or SQLite file"
            )
        )
        return {}
    found = {stem: Found((path,), query=query) for stem, query in source.queries.items()}
    for stem, names in wanted.items():
        if stem not in found and (name := named(stem, names, there)):
            within = f'"{source.db_schema}".' if source.db_schema else ""
            found[stem] = Found((path,), query=f'select * from {within}"{name}"')
    for stem in sorted(set(needed) - set(found)):
        fix = "add it, or a query for it to abm.toml"
        faults.append(
            Fault(
                "F105",
                "table-missing",
                f"{label}  {stem}",
                f"no such table; {nearest(stem, there)}",
                f"the table {stem}",
                fix,
            )
        )
    return {stem: where for stem, where in found.items() if stem in wanted}
