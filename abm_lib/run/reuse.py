"""What an earlier run left that this one may use again: readings and pages, each kept under the digest of all it was made of.

A page is made of its notebook, our code, what is said of the edition, and the readings that its kernel asked for: it leaves
a list of their metrics behind (`READ`). `COMPANY/.abm/made/` holds both; `abm clean` removes it, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from .. import store
from ..company import Company
from ..tables import quoted

PACKAGE = Path(__file__).resolve().parents[1]
NUMBERS = ("duckdb", "narwhals", "numpy", "pandas", "scipy")  # the libraries that numbers come from
PAGES = ("altair", "babel", "nbconvert", "papermill", "vl-convert-python")  # … and those that draw pages
PAGES_ALONE = {"run", "show", "template", "sample", "cli.py", "pages.py", "catalogue.py", "questions.py", "edition.py"}
KEPT = 60  # files, the newest


@cache
def code(whole: bool = False) -> str:
    """The digest of our code: all of it, or what readings come from."""
    digest = hashlib.sha256()
    for path in sorted(p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".toml", ".css", ".j2", ".json")):
        part = path.relative_to(PACKAGE)
        if whole or part.parts[0] not in PAGES_ALONE:
            digest.update(f"{part} ".encode() + path.read_bytes())
    return digest.hexdigest()


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Made:
    """What is kept for one company and one quarter with its parameters."""

    def __init__(self, company: Company, quarter: str, as_of: date | None, engine: str, profile: str) -> None:
        self.folder = company.folder / ".abm" / "made"
        said = {name: part for name, part in company.notes.items() if name != "files"}
        settings = hashlib.sha256((company.folder / "abm.toml").read_bytes()).hexdigest()
        libraries = [f"{name} {version(name)}" for name in NUMBERS]
        self.parameters = (quarter, as_of, engine, profile)
        self.key = _digest(self.parameters, company.frozen.tables, said, settings, code(False), libraries)

    def readings(self) -> pd.DataFrame | None:
        """The readings as they were computed; None where something that they are made of has changed."""
        path = self.folder / f"{self.key}.parquet"
        return store.connect().read_parquet(str(path)).df() if path.is_file() else None

    def keep_readings(self, table: pd.DataFrame) -> None:
        con = store.connect()
        con.register("readings", table)
        self._write(f"{self.key}.parquet", lambda draft: con.execute(
            f"copy readings to {quoted(str(draft))} (format parquet, compression zstd)"))  # fmt: skip

    def page(self, family: str, notebook: Path, described: Mapping[str, Any], table: pd.DataFrame) -> str | None:
        """The page of the family with this run's id in it; None where it has to be made."""
        try:
            last = json.loads((self.folder / f"{self._name(family)}.json").read_text("utf-8"))
            text = (self.folder / f"{last['key']}.html").read_text("utf-8")
        except (OSError, ValueError, KeyError):
            return None
        if last["key"] != self._page_key(notebook, described, table, last["metrics"]):
            return None
        return text.replace(last["run"], described["run"])

    def keep_page(self, family: str, notebook: Path, described: Mapping[str, Any], table: pd.DataFrame,
                  text: str, metrics: Iterable[str]) -> None:  # fmt: skip
        metrics = sorted(metrics)
        key = self._page_key(notebook, described, table, metrics)
        self._write(f"{key}.html", lambda draft: draft.write_text(text, encoding="utf-8"))
        said = json.dumps({"key": key, "metrics": metrics, "run": described["run"]})
        self._write(f"{self._name(family)}.json", lambda draft: draft.write_text(said, encoding="utf-8"))

    def _name(self, family: str) -> str:
        return f"{family}-{_digest(self.parameters)}"

    def _page_key(self, notebook: Path, described: Mapping[str, Any], table: pd.DataFrame, metrics: list[str]) -> str:
        rows = table[table["metric"].isin(metrics)]
        read = hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()
        said = {name: part for name, part in described.items() if name != "run"}
        libraries = [f"{name} {version(name)}" for name in (*NUMBERS, *PAGES)]
        return _digest(notebook.stem, notebook.read_text("utf-8"), said, metrics, read, code(True), libraries)

    def _write(self, name: str, write: Any) -> None:
        """Whole or not at all; the oldest files go."""
        with store.writing(self.folder.parent.parent):
            self.folder.mkdir(exist_ok=True)
            draft = self.folder / f".{name}.{os.getpid()}"
            write(draft)
            draft.replace(self.folder / name)
            files = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for path in files[KEPT:]:
                path.unlink(missing_ok=True)
