"""What moved between two editions, and why: `abm diff OLD NEW`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .. import store

KEY = ["metric", "quarter", "slice_by", "slice"]


def lines(old: Path, new: Path) -> Iterator[str]:
    """The causes, then every whole number that moved with the causes that it can have, then how many slices did."""
    before, after = (json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (old, new))
    causes = dict(_causes(before, after))
    yield f"{_name(before)} → {_name(after)}"
    yield from (f"{name}: {said}" for name, said in causes.items())
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
    for name in ("settings", "code"):
        if before.get(name) != after.get(name):
            yield name, f"{str(before.get(name))[:12]} → {str(after.get(name))[:12]}"
    if versions := _differences(before["versions"], after["versions"]):
        yield "versions", "; ".join(versions)
    if parameters := _differences(before["parameters"], after["parameters"]):
        yield "parameters", "; ".join(parameters)


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
