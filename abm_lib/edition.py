"""An edition: the readings of one quarter with all that is said of them, as files that pages open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from . import __version__, store
from .company import Company
from .metrics import FAMILIES
from .period import Quarter
from .tables import quoted
from .tables import tables as canonical_tables

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def state(company: Company, quarter: Quarter) -> str:
    """`to_date` while the quarter runs, `provisional` until late records no longer count in it, then `final`."""
    if company.known_until < quarter.end - timedelta(days=1):
        return "to_date"
    settled = quarter.end + timedelta(days=company.config.as_of.settle_days)
    return "provisional" if company.known_until < settled else "final"


def describe(company: Company, quarter: Quarter, readings: pd.DataFrame, *, as_of: date | None = None, run: str = "",
             profile: str = "internal", quarters: Sequence[str] = ()) -> dict[str, Any]:  # fmt: skip
    """What stands in the head and foot of every page, as plain values."""
    now = readings[readings["quarter"] == quarter.label]
    said = {text for cell in now["caveats"] for text in cell.split("; ") if text}
    settings = company.config.company
    known = as_of or quarter.end + timedelta(days=company.config.as_of.settle_days)
    return {
        "company": settings.name, "quarter": quarter.label, "period_start": quarter.start.isoformat(),
        "period_end": (quarter.end - timedelta(days=1)).isoformat(), "as_of": min(known, company.known_until).isoformat(),
        "state": state(company, quarter), "profile": profile, "currency": settings.currency, "timezone": settings.timezone,
        "run": run, "version": __version__, "families": ["summary", *FAMILIES], "quarters": sorted({*quarters, quarter.label}),
        "attribution": company.config.attribution.model_dump(mode="json"),
        "caveats": len(said), "generated": company.known_until.isoformat(),
        "sources": [{"name": name, "newest": str(last), "rows": company.notes["tables"][name]["accepted"]}
                    for name, (_, last) in sorted(company.spans.items()) if canonical_tables()[name].dated],
    }  # fmt: skip


def write(folder: Path, readings: pd.DataFrame, edition: dict[str, Any]) -> None:
    """readings.parquet, readings.csv and edition.json. No text of the CSV can be taken for a formula by a spreadsheet."""
    con = store.connect()
    con.register("readings", readings)
    con.execute(f"copy readings to {quoted(str(folder / 'readings.parquet'))} (format parquet, compression zstd)")
    safe = readings.copy()
    for column in safe.columns[[not pd.api.types.is_numeric_dtype(t) for t in safe.dtypes]]:
        # A line break inside a cell may begin a line for a spreadsheet that reads it otherwise than we wrote it.
        safe[column] = safe[column].str.replace(r"[\r\n]+", " ", regex=True)
        live = safe[column].str.startswith(FORMULA_STARTS, na=False)
        safe[column] = safe[column].mask(live, "'" + safe[column])
    safe.to_csv(folder / "readings.csv", index=False, lineterminator="\n")
    (folder / "edition.json").write_text(json.dumps(edition, indent=1, ensure_ascii=False), encoding="utf-8")


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The readings and the description of an edition in a folder."""
    con = store.connect()
    readings = con.read_parquet(str(folder / "readings.parquet")).df()
    return readings, json.loads((folder / "edition.json").read_text(encoding="utf-8"))
