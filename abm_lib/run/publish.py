"""The run: lock, readings, notebooks, pages, gate, then one rename. A reader sees the old edition or the new one, whole."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock, Timeout

from .. import edition as editions
from .. import readings as reading
from ..company import Company, open_company
from ..errors import Busy, EnvironmentFault, Fault
from ..metrics import FAMILIES
from ..sources.reading import sha256
from .execute import Executed, run_all
from .kernels import forking
from .render import index_page, render

LIBRARIES = ("pandas", "altair", "papermill", "nbconvert", "jupyterlab", "duckdb", "narwhals", "vl-convert-python")
Say = Callable[[str], None]


def run(company_folder: str, *, quarter: str = "", as_of: date | None = None, out: Path = Path("reports"), engine: str = "duckdb",
        only: tuple[str, ...] = (), jobs: int = 2, profile: str = "internal", said: Say = lambda _: None,
        notebooks: Path | None = None) -> Path:  # fmt: skip
    """Publish the edition of a quarter under OUT/QUARTER and return its folder. Nothing there changes unless all went well.

    `notebooks` is the folder of the notebooks, the project's own by default.
    """
    began = time.monotonic()
    company = open_company(company_folder, engine)
    asked = company.quarter(quarter)
    said(
        f"inputs: {len(company.notes['files'])} files, {sum(t['accepted'] for t in company.notes['tables'].values()):,} rows frozen"
    )
    out = out.resolve()
    # It imports what the notebooks need while the readings are computed.
    with _locked(out, asked.label), forking(said) as server:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        staging = out / ".editions" / asked.label / f".{name}"
        private = company.folder / ".abm" / "runs" / name
        try:
            for folder in (staging, private):
                folder.mkdir(parents=True, mode=0o700)
            described = _compute(company, asked.label, as_of, staging, name, profile, out, said)
            _pages(company, described, staging, private, only, jobs, said, notebooks, server)
            (staging / "edition.json").unlink()
            _write_manifest(company, described, staging, time.monotonic() - began)
            final = _promote(out, asked.label, staging, name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    said(f"published {final} in {time.monotonic() - began:.1f} s")
    return final


@contextmanager
def _locked(out: Path, quarter: str) -> Iterator[None]:
    """The lock of one quarter; runs of two quarters may go on together. Nobody else can be at work in its hidden folders."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / f".{quarter}.lock", timeout=0):
            for left in (out / ".editions" / quarter).glob(".*"):
                shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
            yield
    except Timeout:
        raise Busy(
            Fault("P08", "locked", str(out / quarter), "another run holds the lock", "one run at a time", "wait for it")
        ) from None
    except OSError as error:
        raise EnvironmentFault(_no_room(out, error)) from None


def _no_room(out: Path, error: OSError) -> Fault:
    place, fix = str(error.filename or out), "make room, or let this user write there"
    return Fault("P07", "cannot-write", place, str(error.strerror), "a folder that can be written to", fix)


def _compute(company: Company, quarter: str, as_of: date | None, staging: Path, name: str, profile: str, out: Path,
             said: Say) -> dict[str, Any]:  # fmt: skip
    asked = company.calendar.quarter(quarter)
    table = reading.read(company, asked, as_of=as_of)
    described = editions.describe(
        company, asked, table, as_of=as_of, run=name, profile=profile, quarters=published(out)
    )
    editions.write(staging, table, described)
    said(f"readings: {len(table):,} of {table['metric'].nunique()} metrics")
    return described


def _pages(
    company: Company,
    described: dict[str, Any],
    staging: Path,
    private: Path,
    only: tuple[str, ...],
    jobs: int,
    said: Say,
    notebooks: Path | None,
    server: str,
) -> None:
    """Run the notebooks, render them and write the pages; summary is the edition's index."""
    families = [family for family in ("summary", *FAMILIES) if not only or family in ("summary", *only)]
    described["families"] = families
    (staging / "edition.json").write_text(json.dumps(described, indent=1, ensure_ascii=False), encoding="utf-8")
    parameters = {"quarter": described["quarter"], "company": str(company.folder)}
    write = partial(_write_page, described, staging)
    run_all(families, parameters, staging, private, jobs, said, notebooks, write, server)
    for page in sorted(staging.glob("*.html")):
        said(f"page {page.name}: {page.stat().st_size / 1000:.0f} kB")


def _write_page(described: dict[str, Any], staging: Path, executed: Executed) -> Executed:
    """The page of a notebook that ran, in the folder that is published. Raises PublishRefused for what it may not hold."""
    page = render(nbformat.read(executed.path, as_version=4), executed.family, described)
    name = "index.html" if executed.family == "summary" else f"{executed.family}.html"
    (staging / name).write_text(page, encoding="utf-8")
    return executed


def _write_manifest(company: Company, described: dict[str, Any], staging: Path, seconds: float) -> None:
    """manifest.json, last of all: inputs, versions, parameters, and the sha256 of every other file."""
    notes = company.notes
    manifest = {
        "edition": described, "parameters": {"quarter": described["quarter"], "as_of": described["as_of"]},
        "inputs": notes["files"], "tables": notes["tables"], "faults": notes["faults"], "store": company.frozen.key,
        "frozen_tables": company.frozen.tables,
        "versions": {"abm_lib": described["version"], "python": platform.python_version(), **{n: version(n) for n in LIBRARIES}},
    }  # fmt: skip
    log = {"run": described["run"], "seconds": round(seconds, 1), "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    (staging / "run.json").write_text(json.dumps(log, indent=1), encoding="utf-8")
    manifest["files"] = {path.name: sha256(path) for path in sorted(staging.iterdir())}
    (staging / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")


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


def published(out: Path) -> list[str]:
    """The quarters that have an edition in force."""
    return sorted(path.parent.name for path in out.glob("[0-9][0-9][0-9][0-9]Q[1-4]/manifest.json"))


def _write_index(out: Path) -> None:
    found = [json.loads((out / q / "manifest.json").read_text(encoding="utf-8"))["edition"] for q in published(out)]
    draft = out / f".index.{os.getpid()}"
    draft.write_text(index_page(found), encoding="utf-8")
    draft.replace(out / "index.html")


def verify(folder: Path) -> list[Fault]:
    """Every file of an edition that is missing, was added, or no longer is what was published."""
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
    return faults


if sys.platform == "win32":  # pragma: no cover
    raise ImportError("abm run needs Linux or macOS: it points a quarter at its edition by a symbolic link")
