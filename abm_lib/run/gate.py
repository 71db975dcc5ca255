"""The gate: what the final bytes of an edition must be before it is published, and still are when `abm verify` looks again."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from ..errors import Fault
from ..metric import REGISTER
from ..show import published, read_back, spoken
from ..sources.suspects import sha256
from ..store import connect
from . import forms

# Bytes of each form; of a page of the folder where nothing is said.
LARGEST = {"report.html": 3_000_000, "report.pdf": 20_000_000, "report.xlsx": 20_000_000, "digest.html": 100_000,
           "digest.eml": 100_000, "digest.txt": 20_000}  # fmt: skip
LARGEST_PAGE = 1_200_000
KEY = ("metric", "quarter", "slice_by", "slice")
# What never belongs in a report, whoever wrote it there: keys, passwords in addresses, people's mail addresses.
SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an access key": re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{10,})"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"<]+:[^\s/@\"<]+@"),
}
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
FIX = "mend the notebook or the page's method, then run again"


def check(
    folder: Path, checked: Mapping[str, str], private: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[Fault]]:
    """The sha256 of every file, and what keeps the folder from being published.

    `checked` are the pages' sha256 as they were when their figures, tables and references were counted; `private` are
    words that no file may hold, such as the path of the company folder.
    """
    digests = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    faults = [
        fault("changed", folder / name, "other bytes than were checked", f"sha256 {digest[:12]}…")
        for name, digest in checked.items() if digests.get(name) != digest
    ]  # fmt: skip
    faults += [fault("unchecked", folder / name, "a page that was not checked", "none")
               for name in digests if name.endswith(".html") and name not in checked]  # fmt: skip
    if forms.SCRIPT in digests and (folder / forms.SCRIPT).read_text("utf-8") != forms.script():
        faults.append(fault("changed", folder / forms.SCRIPT, "another script", "the one that abm makes"))
    return digests, [*faults, *untraced(folder), *_unfit(folder, private)]


def untraced(folder: Path) -> list[Fault]:
    """Numbers of the pages that are not, to the last digit, the reading that they name, or whose text says another.

    Those outside `data` elements are held against the readings that stand around them.
    """
    if not (folder / "readings.parquet").is_file():
        return []
    known, locale = _readings(folder), _locale(folder)
    sayable = spoken.Sayable(known, {name: metric.label for name, metric in REGISTER.items()}, locale)
    faults: list[Fault] = []
    for page in sorted(folder.glob("*.html")):
        text = page.read_text("utf-8")
        wrong = [(number, *_wrong(number, known, locale)) for number in published.numbers(text)]
        faults += [fault(name, page, _named(number), expected) for number, name, expected in wrong if name]
        # A page without scripts has lost its traces: it says, word for word, what the page says that it was made of.
        if "<script" in text:
            faults += [fault("unspoken", page, f"{number} in {said.text}", "a number of the readings that stand around it")
                       for said in spoken.words(text) for number in sayable.unspoken(said)]  # fmt: skip
    return faults[:20]


def _locale(folder: Path) -> str:
    """The locale that the pages were written in."""
    try:
        edition = json.loads((folder / "manifest.json").read_text("utf-8"))["edition"]
    except (OSError, ValueError, KeyError):
        edition = _json(folder / "edition.json")  # before it is published
    return str(edition.get("locale", "en"))


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def _readings(folder: Path) -> dict[spoken.Key, dict[str, Any]]:
    """Every reading by metric, quarter, dimension and slice. A file that cannot be read holds none."""
    try:
        columns = connect().read_parquet(str(folder / "readings.parquet")).df()
    except duckdb.Error:
        return {}
    keys = zip(*(columns[name].astype(str) for name in KEY), strict=True)
    values = columns[[*columns.select_dtypes("number"), "caveats"]]
    lists = {str(name): values[name].tolist() for name in values}
    return {key: {name: column[i] for name, column in lists.items()} for i, key in enumerate(keys)}


def _named(number: published.Number) -> str:
    return " ".join(
        filter(None, (number.metric, number.quarter, number.slice_by, number.slice, number.field, number.text))
    )


def _wrong(number: published.Number, known: Mapping[spoken.Key, Mapping[str, Any]], locale: str) -> tuple[str, str]:
    """What is wrong with a number and what was expected of it; both empty where nothing is."""
    reading = known.get((number.metric, number.quarter, number.slice_by, number.slice), {})
    if reading.get(number.field, math.nan) != number.value:
        return "untraced", "the reading in readings.parquet"
    if not read_back.says(number.text, number.value, locale, number.field):
        return "said-otherwise", f"a text that says {number.value}"
    return "", ""


def _unfit(folder: Path, private: tuple[str, ...]) -> Iterator[Fault]:
    """Files over their size, and text that no reader may be sent."""
    for path in sorted(folder.iterdir()):
        largest = LARGEST.get(path.name, LARGEST_PAGE if path.suffix == ".html" else math.inf)
        if path.stat().st_size > largest:
            yield fault("too-large", path, f"{path.stat().st_size:,} bytes", f"at most {largest:,}")
        if path.suffix in (".html", ".csv", ".json", ".txt"):
            yield from unfit_text(path, path.read_text("utf-8"), private, path.suffix in (".html", ".txt"))


def unfit_text(path: Path, text: str, private: tuple[str, ...], addresses: bool = True) -> Iterator[Fault]:
    """What no reader may be sent of the text of a file."""
    found = [name for name, pattern in SECRETS.items() if pattern.search(text)]
    found += ["a path of this machine" for word in private if word in text]
    if addresses and ADDRESS.search(text):
        found.append("a mail address")
    yield from (fault("not-for-readers", path, name, "nothing of the kind") for name in found)


def caveats(readings: pd.DataFrame, quarter: str) -> list[Fault]:
    """Every caveat of the quarter's numbers, with how many carry it."""
    now = readings[(readings["quarter"] == quarter) & readings["value"].notna()]
    said = now.assign(caveat=now["caveats"].str.split("; ")).explode("caveat")
    groups = said[said["caveat"] != ""].groupby("caveat", sort=False)["metric"]
    fix = "mend what it tells of, or run without --fail-on caveat"
    return [
        Fault(
            "R12", "caveat", f"{quarter}  {metrics.iloc[0]}", f"{sentence} ({len(metrics)} numbers)", "no caveat", fix
        )
        for sentence, metrics in groups
    ]


def verify(folder: Path) -> list[Fault]:
    """Every file of an edition that is missing, was added, or no longer is what was published; and the gate's trace again."""
    listed, again = folder / "manifest.json", "publish the quarter again"
    try:
        files = json.loads(listed.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError):
        return [Fault("P24", "manifest-broken", str(listed), "no list of files", "a whole manifest", again)]
    faults = []
    for name in sorted({*files, *(path.name for path in folder.iterdir())} - {"manifest.json"}):
        digest = sha256(folder / name) if (folder / name).is_file() else ""
        if digest != files.get(name, ""):
            found = "missing" if not digest else "other bytes" if name in files else "not published"
            expected = f"sha256 {files[name][:12]}…" if name in files else "no such file"
            faults.append(Fault("P24", "file-changed", str(folder / name), found, expected, again))
    return faults or untraced(folder)


def fault(name: str, path: Path, found: str, expected: str) -> Fault:
    """What the gate says of a file."""
    return Fault("G01", name, path.name, found, expected, FIX)
