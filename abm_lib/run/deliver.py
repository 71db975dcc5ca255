"""The other forms of an edition that `abm run` was asked for, each made from the pages and readings of that edition."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from .. import edition as editions
from ..metric import REGISTER
from ..show.html import clean
from ..show.numbers import quarter_name
from . import digest, pdf, standalone, workbook

FORMS = ("static", "single", "pdf", "xlsx", "digest")


def ready(forms: Collection[str]) -> None:
    """Whether this machine can make the forms. Raises EnvironmentFault before anything is computed."""
    if "pdf" in forms:
        pdf.browser()


def write(folder: Path, forms: Collection[str], said: Callable[[str], None]) -> None:
    """Write the forms into an edition's folder, beside its pages; with `static` the pages themselves lose their scripts."""
    readings, edition = editions.read(folder)
    if "static" in forms:
        standalone.make_static(folder)
    before = set(folder.iterdir())
    if {"single", "pdf"} & set(forms):
        title = f"{clean(edition['company'])}, {quarter_name(edition['quarter'])}: account-based marketing"
        text = standalone.single(folder, edition["families"], title)
        if "single" in forms:
            (folder / "report.html").write_text(text, encoding="utf-8")
        if "pdf" in forms:
            _print(text, folder / "report.pdf")
    if "xlsx" in forms:
        workbook.write(folder / "report.xlsx", readings, edition, REGISTER)
    if "digest" in forms:
        digest.write(folder, readings, edition, REGISTER)
    for path in sorted(set(folder.iterdir()) - before):
        said(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def _print(text: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="abm-print-") as place:
        page = Path(place) / "report.html"
        page.write_text(standalone.without_scripts(text), encoding="utf-8")
        pdf.write(page, target)
