"""The other forms of an edition that `abm run` was asked for, each made from the pages and readings of that edition."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from .. import edition as editions
from ..metric import REGISTER
from ..pages import ROLES
from ..show.html import clean, tag
from ..show.numbers import quarter_name
from . import digest, forms, pdf, workbook

FORMS = ("static", "single", "pdf", "xlsx", "digest")
SCRIPTS = re.compile(r"<script\b[^>]*>.*?</script>\n?", re.DOTALL)
HASHED = re.compile(r"script-src 'sha256-[^']*'; ")
TITLE = re.compile(r"<title>[^<]*</title>")
BESIDE = re.compile(r"(<a\b[^>]*?) href=(?:\"(?!#|https:)[^\"]*\"|(?!#|https:|\")[^\s>]+)")


def ready(asked: Collection[str]) -> None:
    """Whether this machine can make the forms asked for. Raises EnvironmentFault before anything is computed."""
    if "pdf" in asked:
        pdf.browser()


def write(folder: Path, asked: Collection[str], said: Callable[[str], None]) -> None:
    """Write the forms into an edition's folder, beside its pages; with `static` nothing in it has a script any more."""
    readings, edition = editions.read(folder)
    pages, before = sorted(folder.glob("*.html")), set(folder.iterdir())
    if {"single", "pdf"} & set(asked):
        title = f"{clean(edition['company'])}, {quarter_name(edition['quarter'])}: account-based marketing"
        text = single(folder, edition["families"], title)
        if "single" in asked:
            shown = _without_scripts(text) if "static" in asked else text
            (folder / "report.html").write_text(shown, encoding="utf-8")
        if "pdf" in asked:
            _print(_without_scripts(text), folder / "report.pdf")
    if "xlsx" in asked:
        workbook.write(folder / "report.xlsx", readings, edition, REGISTER)
    if "digest" in asked:
        digest.write(folder, readings, edition, REGISTER)
    if "static" in asked:
        for page in pages:
            page.write_text(forms.without_scripts(page.read_text("utf-8")), encoding="utf-8")
        (folder / forms.SCRIPT).unlink(missing_ok=True)
    for path in sorted(set(folder.iterdir()) - before):
        said(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def single(folder: Path, families: Collection[str], title: str) -> str:
    """Every page of the folder but the readers' own in one file; what does not travel with it is no link."""
    names = {family: "index" if family == "summary" else family for family in families if family not in ROLES}
    pages = {family: (folder / f"{name}.html").read_text("utf-8") for family, name in names.items()}
    text = TITLE.sub(lambda _: str(tag("title", title)), forms.in_one_file(pages), count=1)
    return BESIDE.sub(r"\1", text)


def _without_scripts(text: str) -> str:
    """One file of pages without the scripts inside it."""
    return HASHED.sub("", SCRIPTS.sub("", forms.CONTROLS.sub("", text)))


def _print(text: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="abm-print-") as place:
        page = Path(place) / "report.html"
        page.write_text(text, encoding="utf-8")
        pdf.write(page, target)
