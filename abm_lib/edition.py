"""An edition: the readings of one quarter with all that is said of them, as files that pages open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from textwrap import shorten
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd

from . import __version__, store
from .attribution import MODELS
from .company import Company
from .comparison import agreements, is_short
from .disclosure import PROFILES
from .errors import masked
from .facts import Base
from .facts.calendar import SHOWN
from .metric import REGISTER
from .metrics import FAMILIES
from .period import Quarter
from .tables import quoted
from .tables import tables as canonical_tables

LONGEST = 80  # characters of a remark
KEY = ["metric", "quarter", "slice_by", "slice"]
FINAL = ("final", "restated")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def catalogue_version() -> str:
    """Eight digits that change when the definition of any metric does."""
    known = sorted(f"{metric.name} {metric.version}" for metric in REGISTER.values())
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:8]


def state(company: Company, quarter: Quarter) -> str:
    """`to_date` while the quarter runs, `provisional` until the last day that counts in it is over, then `final`."""
    if company.known_until < quarter.end - timedelta(days=1):
        return "to_date"
    return "final" if company.known_until > company.settled_on(quarter) else "provisional"


def describe(company: Company, quarter: Quarter, readings: pd.DataFrame, *, as_of: date | None = None, run: str = "",
             profile: str = "internal", quarters: Sequence[str] = ()) -> dict[str, Any]:  # fmt: skip
    """What stands in the head and foot of every page, as plain values."""
    now = readings[readings["quarter"] == quarter.label]
    counted = not PROFILES[profile].travels
    said = {text for cell in now["caveats"] for text in cell.split("; ") if text}
    settings = company.config.company
    known = as_of or quarter.end + timedelta(days=company.config.as_of.settle_days)
    return {
        "company": settings.name, "quarter": quarter.label, "period_start": quarter.start.isoformat(),
        "period_end": (quarter.end - timedelta(days=1)).isoformat(), "as_of": min(known, company.known_until).isoformat(),
        "state": state(company, quarter), "profile": profile, "disclosure": PROFILES[profile].said,
        "currency": settings.currency, "timezone": settings.timezone,
        "run": run, "version": __version__, "catalogue": catalogue_version(), "families": ["summary", *FAMILIES],
        "quarters": sorted({*quarters, quarter.label}),
        "attribution": company.config.attribution.model_dump(mode="json"),
        "models": {name: model.told(f"{company.config.attribution.half_life_days:g} days") for name, model in MODELS.items()},
        "influence": company.config.influence.model_dump(mode="json"),
        "gated_content": company.config.gated_content, "yardstick": _yardsticks(company, quarter),
        "definitions": {name: agreed.model_dump(mode="json") for name, agreed in company.config.definitions.items()},
        "targets": agreements(company, quarter.label),
        "caveats": len(said), "generated": company.known_until.isoformat(),
        "locale": company.config.report.locale, "is_short": is_short(Base(company, quarter, as_of, 1)),
        "min_n": company.config.min_n.model_dump(include={"colour", "trend", "quarters", "deals"}),
        "remarks": [remark.model_dump(mode="json") for remark in company.config.report.remarks]
                   + ([] if PROFILES[profile].travels else logged(company, quarter)),
        "sources": [{"name": name, "newest": str(last)} | ({"rows": company.notes["tables"][name]["accepted"]} if counted else {})
                    for name, (_, last) in sorted(company.spans.items()) if canonical_tables()[name].dated],
        "deliveries": _deliveries(company.notes["tables"]) if counted else {},
        "identity": company.notes["identity"] if counted else {},
    }  # fmt: skip


def _deliveries(noted: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What became of the rows of each table, by what was done with them: together they are `read`."""
    found = {}
    for name, told in sorted(noted.items()):
        left_out = told.get("excluded", {})
        fates = {fate: told[fate] for fate in ("accepted", "repeated", "set_aside")} | {
            "left_out": sum(left_out.values())
        }
        assert sum(fates.values()) == told["read"], f"{name}: rows read and not accounted for"
        found[name] = {"read": told["read"], **fates}
    return found


def _yardsticks(company: Company, quarter: Quarter) -> dict[str, float]:
    """The yardstick of coverage for each horizon (S0-66)."""
    setting, step = company.config.coverage, company.calendar.step
    ahead = {horizon: step(quarter, n).label for n, horizon in enumerate(("current", "next", "in_two"))}
    return {horizon: setting.yardstick_by_quarter.get(label, setting.yardstick) for horizon, label in ahead.items()}


def logged(company: Company, quarter: Quarter) -> list[dict[str, Any]]:
    """The events_log of the quarters shown, as remarks: about the page that its `source` names, else about every chart."""
    first = company.calendar.quarters(quarter, SHOWN)[0].start
    events = company.tables.events_log.filter(
        nw.col("day") >= first, nw.col("day") < quarter.end, ~nw.col("text").is_null()
    )
    rows = company.tables.engine.collect(events.select("day", "text", "source").sort("day", "text"))
    return [
        {
            "on": str(day)[:10],
            "text": shorten(masked(text), LONGEST, placeholder="…"),
            "about": [source] if source in FAMILIES else [],
        }
        for day, text, source in rows.itertuples(index=False)
    ]


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


def read_readings(folder: Path) -> pd.DataFrame:
    """The readings of an edition in a folder."""
    return store.connect().read_parquet(str(folder / "readings.parquet")).df()


def as_reported(readings: pd.DataFrame, profile: str, out: Path) -> pd.DataFrame:
    """The readings with `as_reported`: what the final edition in force of a row's own quarter says, where that is another number.

    What that edition itself had told so of an earlier one stays told, so that the same numbers again are the same edition.
    """
    said = [rows for quarter in readings["quarter"].unique() if len(rows := _final(out / quarter, quarter, profile))]
    if not said:
        return readings
    both = readings[KEY].merge(pd.concat(said), on=KEY, how="left", validate="one_to_one")
    old, now = both["value"].to_numpy(float), readings["value"].to_numpy(float)
    told = np.where(np.isclose(old, now, rtol=1e-9, atol=0), both["as_reported"].to_numpy(float), old)
    reported = pd.Series(np.where(np.isnan(now), np.nan, told), index=readings.index)
    rows = readings.assign(as_reported=reported)
    whole = reported.notna() & (rows["slice_by"] == "")
    sentences = [
        f"reported as {_plain(value, unit)} before"
        for value, unit in rows.loc[whole, ["as_reported", "unit"]].to_numpy()
    ]
    caveats = rows.loc[whole, "caveats"] + "; " + pd.Series(sentences, index=rows.index[whole], dtype="object")
    rows.loc[whole, "caveats"] = caveats.str.removeprefix("; ")
    return rows


def _final(folder: Path, quarter: str, profile: str) -> pd.DataFrame:
    """The numbers of a quarter by its own final edition in force, if there is one of the profile."""
    edition = _in_force(folder)
    if edition.get("profile") != profile or edition["state"] not in FINAL:
        return pd.DataFrame()
    rows = _numbers_in_force(folder)
    return rows.loc[rows["quarter"] == quarter, [*KEY, "value", "as_reported"]]


def _numbers_in_force(folder: Path) -> pd.DataFrame:
    """The readings of an edition; none of one whose file was harmed since."""
    try:
        return read_readings(folder)
    except duckdb.Error:
        return pd.DataFrame(columns=[*KEY, "value", "as_reported"])


def _in_force(folder: Path) -> dict[str, Any]:
    """What was said of the edition in a folder; nothing where there is none."""
    try:
        return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["edition"])
    except (OSError, ValueError, KeyError):
        return {}


def _plain(value: float, unit: str) -> str:
    return f"{value:.1%}" if unit == "share" else f"{value:,.2f}".removesuffix(".00")


def restated(described: dict[str, Any], readings: pd.DataFrame, old: Path) -> dict[str, Any]:
    """The description, against the edition in force: a final one whose numbers changed is restated, and counted."""
    before = _in_force(old)
    if described["state"] != "final" or before.get("state") not in FINAL:
        return described
    changed = before["as_of"] != described["as_of"] or not _numbers_in_force(old).equals(readings)
    number = before.get("restatement", 0) + changed
    return described | ({"state": "restated", "restatement": number} if number else {})


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The readings and the description of an edition in a folder."""
    con = store.connect()
    readings = con.read_parquet(str(folder / "readings.parquet")).df()
    return readings, json.loads((folder / "edition.json").read_text(encoding="utf-8"))
