"""What an earlier run left that this one may use again: readings and pages, each kept under the digest of all it was made of.

The parts of a page are made of its notebook, our code, what a page is told of its edition, and the readings that its kernel
asked for: it leaves a list of their metrics behind. Head and foot are put around them anew in every run. `COMPANY/.abm/made/`
holds both, each file named for its bytes: one that is not what was written is not there. `abm clean` removes it, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from .. import store
from ..company import Company
from ..pages import of_edition
from ..readings import Unfinished
from ..sources.suspects import sha256
from ..tables import quoted

PACKAGE = Path(__file__).resolve().parents[1]
NUMBERS = ("duckdb", "narwhals", "numpy", "pandas", "scipy")  # the libraries that numbers come from
PAGES = ("altair", "babel", "nbconvert", "papermill", "vl-convert-python")  # … and those that draw pages
PAGES_ALONE = {"run", "show", "template", "sample", "cli.py", "pages.py", "catalogue.py", "edition.py"}
KEPT = 60  # files, the newest
UNFINISHED = ("read", "made_of")  # columns beside kept rows: what their metric read, and the digest of that


@dataclass(frozen=True)
class Parts:
    """A page without its head and foot: blocks of HTML, charts packed for the script, and how many elements must be in it."""

    family: str
    blocks: list[str]
    charts: str
    made: dict[str, int]


@cache
def code(whole: bool = False) -> str:
    """The digest of our code: all of it, or what readings come from."""
    digest = hashlib.sha256()
    for path in sorted(p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        part = path.relative_to(PACKAGE)
        if whole or part.parts[0] not in PAGES_ALONE:
            digest.update(f"{part} ".encode() + path.read_bytes())
    return digest.hexdigest()


def drawing(notebooks: Path) -> str:
    """The digest of what pages are made with: all of our code, and the notebooks."""
    return _digest(code(True), {path.name: sha256(path) for path in notebooks.glob("*.ipynb")})


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Made:
    """What is kept for one company and one quarter with its parameters."""

    def __init__(self, company: Company, quarter: str, as_of: date | None, engine: str, profile: str) -> None:
        self.folder = company.folder / ".abm" / "made"
        self.company = company
        said = {name: part for name, part in company.notes.items() if name != "files"}
        settings = hashlib.sha256((company.folder / "abm.toml").read_bytes()).hexdigest()
        libraries = [f"{name} {version(name)}" for name in NUMBERS]
        self.parameters = (quarter, as_of, engine, profile)
        ours = (quarter, as_of, engine, settings, code(False), libraries)
        self.key = _digest(profile, company.frozen.tables, said, *ours)
        delivered = {name: table["missing_columns"] for name, table in company.notes["tables"].items()}
        until = min(
            company.known_until, company.calendar.quarter(quarter).end
        )  # windows of a running quarter end there
        self.common = _digest(sorted(company.frozen.tables), delivered, until, *ours)  # what every metric is made of

    def readings(self) -> pd.DataFrame | None:
        """The readings as they were computed; None where something that they are made of has changed."""
        path = self._kept(self.key, "parquet")
        return store.connect().read_parquet(str(path)).df() if path else None

    def keep_readings(self, table: pd.DataFrame) -> None:
        self._keep_table(self.key, table)

    def _keep_table(self, name: str, table: pd.DataFrame) -> None:
        con = store.connect()
        con.register("readings", table)
        self._keep(name, "parquet", lambda draft: con.execute(
            f"copy readings to {quoted(str(draft))} (format parquet, compression zstd)"))  # fmt: skip

    def unfinished(self) -> Unfinished:
        """The rows of metrics that are made of what they were made of when they were kept."""
        path = self._kept(f"rows-{_digest(self.parameters[:3])}", "parquet")
        rows = store.connect().read_parquet(str(path)).df() if path else pd.DataFrame(columns=[*UNFINISHED, "metric"])
        read = {metric: set(filter(None, names.split(","))) for metric, names, made_of
                in rows[["metric", *UNFINISHED]].drop_duplicates().itertuples(index=False)
                if made_of == self._made_of(names)}  # fmt: skip
        return Unfinished(rows[rows["metric"].isin(read)].drop(columns=list(UNFINISHED)), read)

    def keep_unfinished(self, made: Unfinished) -> None:
        names = made.rows["metric"].map({metric: ",".join(sorted(read)) for metric, read in made.read.items()})
        made_of = {each: self._made_of(each) for each in names.unique()}
        self._keep_table(
            f"rows-{_digest(self.parameters[:3])}", made.rows.assign(read=names, made_of=names.map(made_of))
        )

    def _made_of(self, names: str) -> str:
        """The digest of what is read by these names, which are parted by commas."""
        return _digest(self.common, [self._part(name) for name in names.split(",")])

    def _part(self, name: str) -> Any:
        if name == store.EVERYTHING:
            return self.key
        kind, _, table = name.rpartition(" ")
        if not kind:
            return name, self.company.frozen.tables.get(table)
        span, end = self.company.span(table), self.company.calendar.quarter(self.parameters[0]).end
        return name, span and (span[0], min(span[1], end))  # no reading looks beyond the quarter

    def page(self, family: str, notebook: Path, edition: Mapping[str, Any], table: pd.DataFrame) -> Parts | None:
        """The parts of the family's page; None where they have to be made."""
        path = self._kept(self._name(family), "json")
        last = json.loads(path.read_text("utf-8")) if path else {}
        if not last or last["key"] != self._page_key(notebook, edition, table, last["metrics"]):
            return None
        return Parts(**last["parts"])

    def keep_page(self, parts: Parts, notebook: Path, edition: Mapping[str, Any], table: pd.DataFrame,
                  metrics: Iterable[str]) -> None:  # fmt: skip
        metrics = sorted(metrics)
        kept = {"key": self._page_key(notebook, edition, table, metrics), "metrics": metrics, "parts": asdict(parts)}
        text = json.dumps(kept, ensure_ascii=False)
        self._keep(self._name(parts.family), "json", lambda draft: draft.write_text(text, encoding="utf-8"))

    def _name(self, family: str) -> str:
        return f"{family}-{_digest(self.parameters)}"

    def _page_key(self, notebook: Path, edition: Mapping[str, Any], table: pd.DataFrame, metrics: list[str]) -> str:
        rows = table[table["metric"].isin(metrics)]
        read = hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()
        libraries = [f"{name} {version(name)}" for name in (*NUMBERS, *PAGES)]
        text = notebook.read_text("utf-8")
        return _digest(notebook.stem, text, of_edition(edition, text), metrics, read, code(True), libraries)

    def _kept(self, name: str, kind: str) -> Path | None:
        """The file kept under a name, whole: its bytes are those that it is named for."""
        return next((path for path in self.folder.glob(f"{name}.*.{kind}") if sha256(path) in path.name), None)

    def _keep(self, name: str, kind: str, write: Callable[[Path], Any]) -> None:
        """Whole or not at all, instead of what was kept under the name; the oldest files go."""
        with store.writing(self.folder.parent.parent):
            self.folder.mkdir(exist_ok=True)
            draft = self.folder / f".{name}.{os.getpid()}"
            write(draft)
            target = self.folder / f"{name}.{sha256(draft)}.{kind}"
            draft.replace(target)
            files = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for path in {*files[KEPT:], *self.folder.glob(f"{name}.*.{kind}")} - {target}:
                path.unlink(missing_ok=True)
