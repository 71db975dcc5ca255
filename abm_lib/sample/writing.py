"""Files of the company folder: CSV, settings, data dictionary, planted truths. Byte for byte the same every time."""

from __future__ import annotations

import csv
import json
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from .shape import Row, Shape, Tables

HERE = Path(__file__).parent
DECLARED = HERE.parent / "tables.toml"
NOT_COLUMNS = {"one_row_per", "key", "dated", "stands"}


@cache
def declared() -> dict[str, dict[str, Any]]:
    """abm_lib/tables.toml: the tables with their columns, in order."""
    return tomllib.loads(DECLARED.read_text(encoding="utf-8"))


def columns(table: str) -> dict[str, str]:
    """Column: type, in the declared order."""
    return {name: kind for name, kind in declared()[table].items() if name not in NOT_COLUMNS}


def write_tables(folder: Path, tables: Tables) -> None:
    for table in declared():
        names = list(columns(table))
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([text(row.get(name)) for name in names] for row in _checked(table, tables[table], names))


def _checked(table: str, rows: list[Row], names: list[str]) -> list[Row]:
    unknown = {name for row in rows for name in row} - set(names)
    if unknown:
        raise KeyError(f"{table} has no columns {sorted(unknown)}")
    return rows


def text(value: Any) -> str:
    """A cell: blank for missing, true and false, UTC without a zone, no needless decimals."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)


def write_settings(folder: Path, shape: Shape, match: dict[str, list[str]]) -> None:
    """abm.toml from the template beside this module."""
    filled = Template((HERE / "company.toml").read_text(encoding="utf-8")).substitute(
        currency=shape.currency,
        first_month=shape.first_month,
        agreed_on=str(shape.start),
        **{f"match_{name}": json.dumps(values) for name, values in match.items()},
    )
    (folder / "abm.toml").write_text(filled, encoding="utf-8", newline="\n")


def write_truth(folder: Path, truth: dict[str, Any]) -> None:
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8", newline="\n")


def write_dictionary(folder: Path, shape: Shape, tables: Tables) -> None:
    """README.md: one row per, key, and every column with its type and meaning."""
    meanings = tomllib.loads((HERE / "meanings.toml").read_text(encoding="utf-8"))
    facts = {"first": shape.quarters[0].label, "last": shape.last_quarter, "known": shape.known}
    facts |= {"currency": shape.currency, "seed": shape.seed, "scale": shape.scale}
    parts = [Template(meanings["head"]).substitute(facts)]
    for table, entry in declared().items():
        key = ", ".join(entry["key"])
        parts.append(f"\n## {table}\n\nOne row per {entry['one_row_per']}; {len(tables[table])} rows. Key: {key}.\n")
        parts.append("| column | type | meaning |\n|---|---|---|")
        for name, kind in columns(table).items():
            meaning = meanings.get(table, {}).get(name) or meanings["common"][name]
            parts.append(f"| `{name}` | {kind.replace('|', ', ')} | {meaning} |")
    (folder / "README.md").write_text("\n".join(parts) + "\n", encoding="utf-8", newline="\n")
