"""What moved between two editions, and why: `abm diff OLD NEW`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .. import store

KEY = ["metric", "quarter", "slice_by", "slice"]


def lines(old: Path, new: Path, company: Path | None = None) -> Iterator[str]:
    """The causes, every table that changed, every whole number that moved with the causes it can have, and how many slices did.

    With the company's folder also how many rows of a table are new or gone, where its frozen tables are still kept.
    """
    before, after = (json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (old, new))
    causes = dict(_causes(before, after))
    yield f"{_name(before)} → {_name(after)}"
    yield from (f"{name}: {said}" for name, said in causes.items())
    yield from _tables(before, after, company)
    if not causes:
        yield "nothing that numbers are made of has changed"
    if before.get("pages") and before["pages"] != after.get("pages"):
        yield "pages: drawn by other code or notebooks, of which no number is made"
    yield from _moved(old, new, " and ".join(causes) or "nothing")


def _name(manifest: Mapping[str, Any]) -> str:
    edition = manifest["edition"]
    return f"{edition['quarter']} {edition['state']} {edition['run']}"


def _causes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What differs of all that numbers are made of."""
    inputs = _differences({k: v.get("sha256") for k, v in before["inputs"].items()},
                          {k: v.get("sha256") for k, v in after["inputs"].items()})  # fmt: skip
    if inputs:
        yield "inputs", "; ".join(inputs)
    if before.get("settings") != after.get("settings"):
        named = _differences(before.get("sections", {}), after.get("sections", {}))
        yield "settings", "; ".join(named) or "abm.toml, its comments or order alone"
    if maps := _differences(before.get("maps", {}), after.get("maps", {})):
        yield "maps", "; ".join(maps)
    if before.get("code") != after.get("code"):
        yield "code", f"{str(before.get('code'))[:12]} → {str(after.get('code'))[:12]}"
    if versions := _differences(before["versions"], after["versions"]):
        yield "versions", "; ".join(versions)
    if parameters := _differences(before["parameters"], after["parameters"]):
        yield "parameters", "; ".join(parameters)


def _tables(before: Mapping[str, Any], after: Mapping[str, Any], company: Path | None) -> Iterator[str]:
    """Each table whose rows are others than before: how many it had and has, and how many rows are new and gone."""
    frozen = [manifest.get("frozen_tables", {}) for manifest in (before, after)]
    for name in sorted({*frozen[0], *frozen[1]}):
        digests = [tables.get(name) for tables in frozen]
        if digests[0] == digests[1]:
            continue
        counts = [manifest.get("tables", {}).get(name, {}).get("accepted") for manifest in (before, after)]
        rows = [f"{count:,}" if count is not None else "not told" for count in counts]
        said = (
            f"{rows[0]} rows, as many as before"
            if rows[0] == rows[1] and counts[0] is not None
            else " → ".join(rows) + " rows"
        )
        kept = (
            [company / ".abm" / "store" / f"{digest}.parquet" for digest in digests] if company and all(digests) else []
        )
        new_and_gone = _rows(*kept) if kept and all(path.is_file() for path in kept) else ""
        said = "changed" if counts == [None, None] else said
        how = "added" if digests[0] is None else "removed" if digests[1] is None else said
        yield f"  table {name}: {how}{new_and_gone}"


def _rows(old: Path, new: Path) -> str:
    """How many rows are in one of two frozen tables alone; one that was changed is gone and new."""
    con = store.connect()
    tables = [con.read_parquet(str(path)) for path in (old, new)]
    shared = ", ".join(f'"{name}"' for name in tables[1].columns if name in tables[0].columns)
    first, last = (table.project(shared) for table in tables)
    counts = [len(a.except_(b)) for a, b in ((last, first), (first, last))]
    return f"; {counts[0]:,} rows are new and {counts[1]:,} gone, a changed one being both"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} {'added' if name not in before else 'removed' if name not in after else 'changed'}"
        for name in sorted({*before, *after}) if before.get(name) != after.get(name)
    ]  # fmt: skip


def _moved(old: Path, new: Path, causes: str) -> Iterator[str]:
    frames = [store.connect().read_parquet(str(folder / "readings.parquet")).df() for folder in (old, new)]
    both = frames[0].merge(frames[1], on=KEY, how="outer", suffixes=("_old", "_new"), indicator=True)
    same = (both["value_old"] == both["value_new"]) | (both["value_old"].isna() & both["value_new"].isna())
    moved = both[~same | (both["_merge"] != "both")]
    whole = moved[moved["slice_by"] == ""]
    for row in whole.to_dict("records"):
        versions = [row[f"version_{end}"] for end in ("old", "new")]
        redefined = versions[0] != versions[1] and not any(pd.isna(v) for v in versions)
        why = f"definition {versions[0]} → {versions[1]}" if redefined else causes
        yield f"{row['metric']} {row['quarter']}: {_said(row, 'old')} → {_said(row, 'new')}  ({why})"
    yield f"{len(whole)} numbers and {len(moved) - len(whole)} of their slices moved, of {len(both)}"


def _said(row: Mapping[Any, Any], end: str) -> str:
    value = row[f"value_{end}"]
    if not pd.isna(value):
        return f"{value:,.6g}"
    reason = row[f"missing_because_{end}"]
    return "not there" if pd.isna(reason) else str(reason)
