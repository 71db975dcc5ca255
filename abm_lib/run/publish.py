"""The run: lock, inputs, readings, pages, gate, then one rename. A reader sees the old edition or the new one, whole."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256 as text_digest
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from .. import config, keeping, store
from .. import edition as editions
from .. import readings as reading
from ..company import Company, find, open_company
from ..disclosure import PROFILES
from ..errors import CaveatsFound, Fault, PublishRefused
from ..period import Calendar
from ..sources.suspects import sha256
from . import deliver, gate, gate_forms, place
from . import forms as page_forms
from .execute import LIMITS, Limits, notebooks_folder, within
from .kernels import forking
from .log import Log, Say
from .make import Pages
from .reuse import Made, code, drawing

LIBRARIES = ("pandas", "altair", "papermill", "nbconvert", "jupyterlab", "duckdb", "narwhals", "vl-convert-python")
LAST = "last"  # the quarter that ended last by today's date


def run(company_folder: str, *, quarter: str = "", as_of: date | None = None, out: Path = Path("reports"), engine: str = "duckdb",
        only: tuple[str, ...] = (), jobs: int = 2, profile: str = "internal", forms: tuple[str, ...] = (), said: Say = lambda _: None,
        now: Say = lambda _: None, notebooks: Path | None = None, limits: Limits = LIMITS, fail_on: str = "") -> Path:  # fmt: skip
    """Publish the edition of a quarter under OUT/QUARTER and return its folder. Nothing there changes unless all went well.

    `notebooks` is the folder of the notebooks, the project's own by default; `forms` are those of deliver.FORMS; `said` is given a
    line for each thing done, `now` a word on each thing begun. With `fail_on` "caveat" an edition with one is not published.
    """
    folder, out = find(company_folder), out.resolve()
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    private = _private(folder, name)
    with Log(private / "run.json", name, now) as log, ExitStack() as stack:
        deliver.ready(forms)
        with log.step("inputs"):
            label = _asked(folder, quarter)
        stack.enter_context(place.locked(out, label, name))
        place.fits(out, label, name, profile)
        with log.step("inputs"), within(limits.total - log.seconds, "inputs", limits.total):
            company = _opened(folder, engine, said)
            asked = company.quarter(label)
        staging = out / ".editions" / asked.label / f".{name}"
        stack.callback(shutil.rmtree, staging, ignore_errors=True)
        staging.mkdir(parents=True, mode=0o700)
        made = Made(company, asked.label, as_of, engine, profile)
        table = made.readings()
        # It imports what the notebooks need while the readings are computed.
        server = stack.enter_context(forking(said)) if table is None else None
        with log.step("readings"), within(limits.total - log.seconds, "readings", limits.total):
            described, table = _compute(company, asked.label, as_of, staging, name, profile, out, table, made, said)
        if fail_on == "caveat" and (caveats := gate.caveats(table, asked.label)):
            raise CaveatsFound(caveats)
        with log.step("pages"):
            limits = replace(limits, spent=log.seconds)
            task = Pages(
                described, table, made, staging, private, notebooks or notebooks_folder(), jobs, limits, said, now
            )
            checked = task.make(only, str(company.folder), lambda: server or stack.enter_context(forking(said)))
            (staging / page_forms.SCRIPT).write_text(page_forms.script(), encoding="utf-8")
        with log.step("gate"):
            digests = _pass(staging, company, checked)
        with log.step("forms"):
            digests = _delivered(staging, company, forms, said) if forms else digests
            (staging / "edition.json").unlink()
        log.notebooks, log.peaks = task.seconds, task.peaks
        log.write(staging / "run.json")
        _write_manifest(company, described, staging, digests, task.notebooks)
        with log.step("promote"):
            final = _promote(out, asked.label, staging, name)
        store.keep_last_edition(company.folder, asked.label, company.notes)
        kept = company.config.keeping
        keeping.expire(company.folder, company.frozen.key, kept.run_days, kept.input_days, datetime.now(UTC))
        said(
            f"published {final} in {log.seconds:.1f} s, {max([log.megabytes, *log.peaks.values()]):,} MB at most in one process"
        )
    return final


def _opened(folder: Path, engine: str, said: Say) -> Company:
    """The company, its inputs frozen, and what there is to say of them."""
    company = open_company(folder, engine)
    accepted = sum(table["accepted"] for table in company.notes["tables"].values())
    said(f"inputs: {len(company.notes['files'])} files, {accepted:,} rows frozen")
    if told := _in_short(company.notes["faults"]):
        said(f"told: {told}; see abm check")
    return company


def _in_short(faults: list[dict[str, str]]) -> str:
    """`2 D F118 utm-misspelt, 1 Q F031 wrong-value`: how often each thing was told when the inputs were frozen."""
    counts = Counter(f"{fault['level']} {fault['rule']} {fault['name']}" for fault in faults if fault["level"] != "N")
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _pass(staging: Path, company: Company, checked: dict[str, str], more: Sequence[Fault] = ()) -> dict[str, str]:
    """The sha256 of every file that is published. Raises PublishRefused for what may not be.

    `checked` are the pages as they were when they were held against what they are made of, `more` what was found then.
    """
    digests, faults = gate.check(staging, checked, _words(company))
    if faults or more:
        raise PublishRefused([*faults, *more])
    return {name: digest for name, digest in digests.items() if name != "edition.json"}  # its content is the manifest's


def _delivered(staging: Path, company: Company, forms: Sequence[str], said: Say) -> dict[str, str]:
    """The forms asked for, made and held against the pages that they are made of; the sha256 of every file."""
    before = gate_forms.shown(staging)
    deliver.write(staging, forms, said)
    checked = {page.name: sha256(page) for page in staging.glob("*.html")}
    return _pass(staging, company, checked, gate_forms.check(staging, forms, before, _words(company)))


def _words(company: Company) -> tuple[str, ...]:
    """What no file may hold: where the company's folder and this user's own lie."""
    return str(company.folder), str(Path.home())


def _private(folder: Path, name: str) -> Path:
    """The run's own folder in a company folder; it is not made in a folder that is none."""
    private = folder / ".abm" / "runs" / name
    if (folder / "abm.toml").is_file():
        with store.writing(folder):
            private.mkdir(parents=True, mode=0o700)
        store.clear_killed(folder)
    return private


def _asked(folder: Path, quarter: str) -> str:
    """The quarter's label. One that is not named is that of the data as they are before the lock is held."""
    if quarter not in ("", LAST):
        return Calendar(**config.load(folder).fiscal.model_dump()).quarter(quarter).label
    company = open_company(folder)
    return (company.last_ended() if quarter == LAST else company.quarter()).label


def _compute(company: Company, quarter: str, as_of: date | None, staging: Path, name: str, profile: str, out: Path,
             table: pd.DataFrame | None, made: Made, said: Say) -> tuple[dict[str, Any], pd.DataFrame]:  # fmt: skip
    """The readings and what is said of the edition: those of an earlier run where nothing has changed."""
    asked, again = company.calendar.quarter(quarter), table is not None
    if table is None:
        table = reading.read(company, asked, as_of=as_of, profile=PROFILES[profile], kept=made)
        made.keep_readings(table)
    table = editions.as_reported(table, profile, out)
    described = editions.describe(
        company, asked, table, as_of=as_of, run=name, profile=profile, quarters=place.published(out)
    )
    described = editions.restated(described, table, out / quarter)
    editions.write(staging, table, described)
    said(f"readings: {len(table):,} of {table['metric'].nunique()} metrics{', unchanged' if again else ''}")
    return described, table


def _write_manifest(
    company: Company, described: dict[str, Any], staging: Path, digests: dict[str, str], notebooks: Path
) -> None:
    """manifest.json, last of all: inputs, versions, parameters, and the sha256 of every other file."""
    notes = company.notes
    manifest = {
        "edition": described, "parameters": {"quarter": described["quarter"], "as_of": described["as_of"]},
        "inputs": notes["files"], "tables": notes["tables"], "faults": notes["faults"], "store": company.frozen.key,
        "frozen_tables": company.frozen.tables, "code": code(), "pages": drawing(notebooks),
        "settings": sha256(company.folder / "abm.toml"), "sections": _sections(company.folder),
        "maps": {path.name: sha256(path) for path in sorted(company.folder.glob("*.toml")) if path.name != "abm.toml"},
        "versions": {"abm_lib": described["version"], "python": platform.python_version(), **{n: version(n) for n in LIBRARIES}},
    }  # fmt: skip
    if PROFILES[described["profile"]].travels:  # how many rows a table has may be how many people
        inputs = {name: {"sha256": file["sha256"]} for name, file in notes["files"].items()}
        manifest |= {"tables": {}, "faults": [], "inputs": inputs}
    manifest["files"] = {**digests, "run.json": sha256(staging / "run.json")}
    (staging / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")


def _sections(folder: Path) -> dict[str, str]:
    """What tells whether a section of abm.toml says what it said."""
    settings = tomllib.loads((folder / "abm.toml").read_text("utf-8"))
    return {f"[{name}]": text_digest(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]
            for name, said in settings.items()}  # fmt: skip


def _promote(out: Path, quarter: str, staging: Path, name: str) -> Path:
    """Sync, rename, and point the quarter at the new folder in one step; then the index of quarters."""
    for path in [*staging.iterdir(), staging]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    final = staging.parent / name
    staging.rename(final)
    link = out / f".{quarter}.{name}"
    link.symlink_to(final.relative_to(out), target_is_directory=True)
    link.replace(out / quarter)
    _write_index(out)
    return out / quarter


def _write_index(out: Path) -> None:
    found = [place.described(out / quarter) for quarter in place.published(out)]
    draft = out / f".index.{os.getpid()}"
    from .render import index_page  # nbconvert takes its time

    draft.write_text(index_page(found), encoding="utf-8")
    draft.replace(out / "index.html")


if sys.platform == "win32":  # pragma: no cover
    raise ImportError("abm run needs Linux or macOS: it points a quarter at its edition by a symbolic link")
