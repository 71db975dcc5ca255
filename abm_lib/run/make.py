"""Pages out of notebooks: those of an earlier run where nothing that they are made of has changed, the rest run and rendered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from ..metrics import FAMILIES
from ..pages import ROLES
from .execute import Executed, Limits, run_all
from .log import Say
from .reuse import Made, Parts


@dataclass
class Pages:
    """The pages of one run: what they are made from, and the folders of the edition and of the analyst's copies."""

    described: dict[str, Any]
    table: pd.DataFrame
    made: Made
    staging: Path
    private: Path
    notebooks: Path
    jobs: int
    limits: Limits
    said: Say
    now: Say
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)

    def make(self, only: tuple[str, ...], company: str, server: Callable[[], str]) -> dict[str, str]:
        """Write every page; summary is the edition's index. The sha256 of each file as its text was checked."""
        families = [family for family in ("summary", *FAMILIES) if not only or family in ("summary", *only)]
        families += [] if only else ROLES
        self.described["families"] = families
        (self.staging / "edition.json").write_text(
            json.dumps(self.described, indent=1, ensure_ascii=False), encoding="utf-8"
        )
        checked = {}
        for family in families:
            if parts := self._again(family):
                checked[_name(family)] = _put_together(parts, self.described, self.staging)
        missing = [family for family in families if _name(family) not in checked]
        if checked:
            self.said(f"pages: {len(checked)} of {len(families)} unchanged")
        if missing:
            checked |= self._run(missing, company, server())
        for name in sorted(checked):
            self.said(f"page {name}: {(self.staging / name).stat().st_size / 1000:.0f} kB")
        return checked

    def _again(self, family: str) -> Parts | None:
        return self.made.page(family, self.notebooks / f"{family}.ipynb", self.described, self.table)

    def _run(self, families: list[str], company: str, server: str) -> dict[str, str]:
        given = {"quarter": self.described["quarter"], "company": company}
        write = partial(write_page, self.described, self.staging)
        done = run_all(
            families,
            given,
            self.staging,
            self.private,
            self.jobs,
            self._ran,
            self.notebooks,
            write,
            server,
            self.limits,
            self.now,
        )
        for executed in done:
            if executed.read is not None and executed.parts:
                source = self.notebooks / f"{executed.family}.ipynb"
                self.made.keep_page(executed.parts, source, self.described, self.table, executed.read)
        return {_name(executed.family): executed.page for executed in done}

    def _ran(self, executed: Executed) -> None:
        self.seconds[executed.family] = round(executed.seconds, 2)
        self.peaks[executed.family] = round(executed.peak / 1e6)
        rows = len(self.table if executed.read is None else self.table[self.table["metric"].isin(executed.read)])
        self.said(
            f"notebook {executed.family}: {rows:,} rows of readings, {executed.seconds:.1f} s, {executed.peak / 1e6:,.0f} MB"
        )


def write_page(described: dict[str, Any], staging: Path, executed: Executed) -> Executed:
    """The page of a notebook that ran, in the folder that is published. Raises PublishRefused for what it may not hold."""
    import nbformat

    from .render import parts  # in the process that ran it: nbconvert takes its time

    made = parts(nbformat.read(executed.path, as_version=4), executed.family)
    return replace(executed, page=_put_together(made, described, staging), parts=made)


def _put_together(parts: Parts, described: dict[str, Any], staging: Path) -> str:
    """Write the page. The sha256 of its text, not of the file: what was checked is the text."""
    from .render import page

    data = page(parts, described).encode()
    (staging / _name(parts.family)).write_bytes(data)
    return sha256(data).hexdigest()


def _name(family: str) -> str:
    return "index.html" if family == "summary" else f"{family}.html"
