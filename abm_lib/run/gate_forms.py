"""The gate on the other forms: each read back as its readers' programs read it, and held against the pages and readings it is of."""

from __future__ import annotations

import email
import json
import math
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from email.policy import default
from pathlib import Path
from typing import Any

import numpy as np

from .. import edition as editions
from ..errors import Fault
from ..pages import ROLES
from ..show import published
from . import forms
from .gate import fault, unfit_text

MADE = {
    "single": ["report.html"],
    "pdf": ["report.pdf"],
    "xlsx": ["report.xlsx"],
    "digest": ["digest.html", "digest.txt", "digest.eml"],
}
# What a PDF may do when it is opened or clicked: go to a place of its own.
ACTIONS = {"/GoTo"}
CARRIES = ("/JavaScript", "/EmbeddedFiles", "/EF", "/XFA")
# What no cell of a workbook is, and no part of its file.
LIVE = re.compile(rb"<f[ >/]|<hyperlink\b|<oleObject|TargetMode=\"External\"")
PARTS = re.compile(r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(?:core|app)\.xml|xl/(?:_rels/workbook\.xml\.rels|workbook\.xml|"
                   r"sharedStrings\.xml|styles\.xml|theme/theme1\.xml|worksheets/sheet[123]\.xml)")  # fmt: skip


def shown(folder: Path) -> dict[str, published.Shown]:
    """What each page of a folder says before other forms are made of it, in the order of its families."""
    families = json.loads((folder / "edition.json").read_text("utf-8"))["families"]
    names = {family: "index.html" if family == "summary" else f"{family}.html" for family in families}
    return {family: published.shown((folder / name).read_text("utf-8")) for family, name in names.items()}


def check(
    folder: Path, asked: Collection[str], before: Mapping[str, published.Shown], private: tuple[str, ...] = ()
) -> list[Fault]:
    """What keeps the forms asked for from being published; `before` is what the pages said that they are made of."""
    gone = [name for form in asked for name in MADE.get(form, []) if not (folder / name).is_file()]
    if gone:
        return [fault("missing", folder / name, "no such file", "the form that was asked for") for name in gone]
    return [
        found for form, look in CHECKS.items() if form in asked for found in look(folder, before, private, "static" in asked)
    ]  # fmt: skip


def _static(folder: Path, before: Mapping[str, published.Shown], _: object, __: object) -> Iterator[Fault]:
    """Every page says what it said, and nothing of it runs."""
    for family, said in before.items():
        path = folder / ("index.html" if family == "summary" else f"{family}.html")
        yield from _same(path, path.read_text("utf-8"), said, runs=False)
    yield from (fault("script", path, "a script", "none") for path in folder.glob("*.js"))


def _single(folder: Path, before: Mapping[str, published.Shown], _: object, static: bool) -> Iterator[Fault]:
    """One file says what the pages said one after the other; what runs in it is the one script, whole, or nothing."""
    path, pages = folder / "report.html", [said for family, said in before.items() if family not in ROLES]
    text = path.read_text("utf-8")
    whole = published.Shown("\n".join(p.text for p in pages), sum(p.figure for p in pages), sum(p.table for p in pages))
    if not static:
        text = text.replace(f"<script>{forms.script()}</script>", "", 1)
    yield from _same(path, text, whole, runs=not static)


def _same(path: Path, text: str, said: published.Shown, runs: bool) -> Iterator[Fault]:
    """A page of another form: the text, figures and tables that it had, nothing remote, and no script where none runs."""
    made = said.made | ({} if runs else {"script": 0})
    yield from (replace(found, where=path.name) for found in published.faults(text, made))
    now, then = published.shown(text).text.split(), said.text.split()
    if now != then:
        at = next((i for i, (a, b) in enumerate(zip(now, then, strict=False)) if a != b), min(len(now), len(then)))
        yield fault("other-text", path, " ".join(now[at : at + 6]), " ".join(then[at : at + 6]))


def _digest(folder: Path, _: object, private: tuple[str, ...], __: object) -> Iterator[Fault]:
    """The mail is its HTML and its text, and the text has no number that the HTML does not lead back to a reading."""
    paths = [folder / f"digest.{kind}" for kind in ("html", "txt", "eml")]
    page, text = (path.read_text("utf-8") for path in paths[:2])
    yield from (replace(found, where=paths[0].name) for found in published.faults(page, {"script": 0, "table": 1}))
    unknown = sorted(set(published.NUMBER.findall(text)) - published.shown(page).numbers)
    yield from (fault("untraced", paths[1], number, "a number of digest.html") for number in unknown)
    yield from _mail(paths[2], page, text, private)


def _mail(path: Path, page: str, text: str, private: tuple[str, ...]) -> Iterator[Fault]:
    """The parts of the message: the two texts as they were written beside it, and pictures that travel with it."""
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    told = {part.get_content_type(): part.get_content() for part in leaves if part.get_content_maintype() == "text"}
    yield from unfit_text(path, "\n".join([str(message["Subject"]), *told.values()]), private)
    html = re.sub(r'src="cid:[\w.-]+"', 'src="data:,"', told.get("text/html", ""))
    yield from (replace(found, where=path.name) for found in published.faults(html, {"script": 0}))
    if published.numbers(html) != published.numbers(page) or told.get("text/plain", "").split() != text.split():
        yield fault("other-text", path, "another text", "those of digest.html and digest.txt")
    kinds = sorted({part.get_content_type() for part in leaves} - {"text/plain", "text/html", "image/png"})
    yield from (fault("attachment", path, kind, "pictures alone") for kind in kinds)


def _workbook(folder: Path, _: object, private: tuple[str, ...], __: object) -> Iterator[Fault]:
    """The numbers of every reading, and neither a formula nor a link."""
    path = folder / "report.xlsx"
    with zipfile.ZipFile(path) as book:
        files = {name: book.read(name) for name in book.namelist()}
    live = sorted(name for name, data in files.items() if not PARTS.fullmatch(name) or LIVE.search(data))
    yield from (fault("live", path, name, "numbers and text alone") for name in live)
    words = re.sub(r"<[^>]*>", " ", files.get("xl/sharedStrings.xml", b"").decode("utf-8"))
    yield from unfit_text(path, words, private)
    if live:
        return
    readings = editions.read_readings(folder)
    told = _cells(path)
    for name in map(str, readings.select_dtypes("number")):
        true = readings[name].astype(float)
        if len(told.get(name, [])) != len(true) or not np.allclose(
            told[name], true, rtol=1e-14, atol=0, equal_nan=True
        ):
            yield fault("untraced", path, f"column {name}", "the readings in readings.parquet")


def _cells(path: Path) -> dict[str, list[float]]:
    """The columns of the readings' sheet as numbers; what is none is not a number."""
    import openpyxl

    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        names, *rows = book["Readings"].iter_rows(values_only=True)
    columns = zip(*rows, strict=True)
    return {name: [float(cell) if isinstance(cell, int | float) else math.nan for cell in column]
            for name, column in zip(map(str, names), columns, strict=True)}  # fmt: skip


def _pdf(folder: Path, before: Mapping[str, published.Shown], private: tuple[str, ...], _: object) -> Iterator[Fault]:
    """A whole PDF of at least a leaf for each page, whose numbers are those of the pages, and which reaches for nothing outside itself."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError
    from pypdfium2 import PdfDocument, PdfiumError

    path = folder / "report.pdf"
    try:
        read = PdfReader(path)
        actions = sorted({str(action) for action in _actions(read)} - ACTIONS)
        words = "\n".join(map(str, (read.metadata or {}).values()))
        # pypdf does not know ActualText, by which a browser tells digits of one width.
        with closing(PdfDocument(path)) as document:
            leaves = [leaf.get_textpage().get_text_range() for leaf in document]
    except (PyPdfError, PdfiumError, ValueError, KeyError, TypeError) as error:
        yield fault("broken", path, type(error).__name__, "a whole PDF")
        return
    pages = [said for family, said in before.items() if family not in ROLES]
    if len(leaves) < len(pages):
        yield fault("pages", path, f"{len(leaves)} leaves", f"at least {len(pages)}, one for each page")
        return
    yield from _leaves(path, leaves, pages)
    yield from (fault("live", path, action, "links within the file alone") for action in actions)
    yield from unfit_text(path, "\n".join([words, *leaves]), private)


def _leaves(path: Path, leaves: Collection[str], pages: Collection[published.Shown]) -> Iterator[Fault]:
    """Each number of a leaf is one of the pages, but for the leaf's own. A narrow space in it may be told as any space, or as none."""
    bare = [leaf.replace(f"{place} of {len(leaves)}", "", 1) for place, leaf in enumerate(leaves, start=1)]
    told = {number for page in pages for number in page.numbers}
    known = {part for number in told for part in ("".join(number.split()), *number.split())}
    unknown = {"".join(number.split()) for leaf in bare for number in published.NUMBER.findall(leaf)} - known
    yield from (fault("untraced", path, number, "a number of the pages") for number in sorted(unknown))


def _actions(read: Any) -> Iterator[object]:
    """What a PDF may do when it is opened or clicked, and what it carries beside its pages."""
    root = read.trailer["/Root"]
    links = [found.get_object() for page in read.pages for found in page.get("/Annots", [])]
    for holder in (root, *read.pages, *links):
        actions = [holder[key].get_object() for key in ("/A", "/OpenAction", "/AA") if key in holder]
        actions += [value.get_object() for action in actions if isinstance(action, dict) for value in action.values()]
        yield from (action["/S"] for action in actions if isinstance(action, dict) and "/S" in action)
        yield from (key for key in CARRIES if key in holder or key in holder.get("/Names", {}))


Check = Callable[[Path, Mapping[str, published.Shown], tuple[str, ...], bool], Iterator[Fault]]
CHECKS: dict[str, Check] = {"static": _static, "single": _single, "digest": _digest, "xlsx": _workbook, "pdf": _pdf}
