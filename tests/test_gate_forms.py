"""The gate on the other forms of an edition: each fault is planted in the final bytes, and refused."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest
import readings_fixture as invented
from hypothesis import given
from hypothesis import strategies as some
from pypdf.annotations import Link
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject

from abm_lib import edition as editions
from abm_lib.run import deliver, forms, gate, gate_forms
from abm_lib.show import numbers, published, read_back

FAMILIES = ["summary", "ads"]
PAGE = """<!doctype html>
<html lang=en><head><meta http-equiv=Content-Security-Policy content="{policy}"><title>A page</title><style>p{{}}</style>
<script src=abm.js defer></script></head><body><main id=main><h1>{family}</h1><figure></figure><table><tr><td>39%</table><p>Sessions
came from 1&#x202f;994 accounts</p></main><footer>readings</footer></body></html>
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, published.Shown]]:
    """An edition of two short pages in every form but the PDF, and what its pages said before."""
    folder = tmp_path_factory.mktemp("site")
    for family, name in zip(FAMILIES, ("index.html", "ads.html"), strict=True):
        (folder / name).write_text(PAGE.format(family=family, policy=forms.policy("'self'")))
    (folder / forms.SCRIPT).write_text(forms.script())
    editions.write(folder, invented.frame(), invented.EDITION | {"families": FAMILIES})
    before = gate_forms.shown(folder)
    deliver.write(folder, ["single", "xlsx", "digest"], lambda _: None)
    return folder, before


Plant = Callable[[Path], None]


def swapped(name: str, old: str, new: str) -> Plant:
    """One place of a text file in other words."""

    def plant(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert re.search(old, text)
        (folder / name).write_text(re.sub(old, lambda _: new, text, count=1), "utf-8")

    return plant


def in_workbook(part: str, old: str, new: str) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / "report.xlsx"
        with zipfile.ZipFile(path) as book:
            files = {name: book.read(name).decode() for name in book.namelist()}
        assert re.search(old, files.get(part, ""))
        files[part] = re.sub(old, new, files.get(part, ""), count=1)
        with zipfile.ZipFile(path, "w") as book:
            for name, text in files.items():
                book.writestr(name, text)

    return plant


def with_macro(folder: Path) -> None:
    with zipfile.ZipFile(folder / "report.xlsx", "a") as book:
        book.writestr("xl/vbaProject.bin", "")


def test_forms_as_they_were_made_pass(made: tuple[Path, dict[str, published.Shown]]) -> None:
    folder, before = made
    assert gate_forms.check(folder, ["single", "xlsx", "digest"], before, ("/home/ann/firm",)) == []


@pytest.mark.parametrize(
    ("form", "plant", "fault"),
    [
        ("single", swapped("report.html", "39%", "93%"), "other-text"),
        ("single", swapped("report.html", "<p>Sessions", "<p>Visits"), "other-text"),
        ("single", swapped("report.html", "<figure></figure>", ""), "count"),
        ("single", swapped("report.html", "<table><tr>", "<p>"), "count"),
        ("single", swapped("report.html", "<p>S", "<img src=https://x.example/a.png><p>S"), "bytes"),
        ("single", swapped("report.html", "<p>S", "<script>1</script><p>S"), "bytes"),
        ("single", swapped("report.html", "vegaEmbed", "vegaEmbel"), "bytes"),
        ("single", lambda folder: (folder / "report.html").unlink(), "missing"),
        ("xlsx", in_workbook("xl/worksheets/sheet2.xml", r"<v>(\d+)\.", r"<v>1\1."), "untraced"),
        ("xlsx", in_workbook("xl/worksheets/sheet2.xml", "<v>", "<f>1+1</f><v>"), "live"),
        ("xlsx", in_workbook("xl/_rels/workbook.xml.rels", "/>", ' TargetMode="External"/>'), "live"),
        ("xlsx", in_workbook("xl/sharedStrings.xml", "<t>", "<t>ann@alpha.example "), "not-for-readers"),
        ("xlsx", in_workbook("xl/sharedStrings.xml", "<t>", "<t>/home/ann/firm "), "not-for-readers"),
        ("xlsx", with_macro, "live"),
        ("digest", swapped("digest.txt", r"\d%", "7531%"), "untraced"),
        ("digest", swapped("digest.html", "<img [^>]*>", "<img src=https://x.example/a.png>"), "bytes"),
        ("digest", swapped("digest.html", "<table", "<script>1</script><table"), "bytes"),
        ("digest", swapped("digest.eml", "Subject: ", "Subject: ann@alpha.example "), "not-for-readers"),
        ("digest", swapped("digest.eml", '"cid:', '"https://x.example/'), "bytes"),
        ("digest", swapped("digest.eml", "Content-Type: image/png", "Content-Type: application/zip"), "attachment"),
        ("digest", lambda folder: (folder / "digest.eml").write_text("Subject: x\n\nother words"), "other-text"),
        ("digest", lambda folder: (folder / "digest.txt").unlink(), "missing"),
    ],
)
def test_what_is_planted_in_a_form_is_refused(
    made: tuple[Path, dict[str, published.Shown]], tmp_path: Path, form: str, plant: Plant, fault: str
) -> None:
    folder = tmp_path / "site"
    shutil.copytree(made[0], folder)
    plant(folder)
    assert fault in [
        found.name for found in gate_forms.check(folder, [form], made[1], ("/home/ann/firm",))
    ] or fault in [found.rule for found in gate_forms.check(folder, [form], made[1])]


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        (swapped("ads.html", "39%", "93%"), "other-text"),
        (swapped("ads.html", "<main", "<script src=abm.js defer></script><main"), "count"),
        (swapped("ads.html", "<table><tr>", "<p>"), "count"),
        (lambda folder: (folder / "abm.js").write_text(""), "script"),
    ],
)
def test_what_is_planted_in_a_page_without_scripts_is_refused(
    made: tuple[Path, dict[str, published.Shown]], tmp_path: Path, plant: Plant, fault: str
) -> None:
    folder = tmp_path / "site"
    shutil.copytree(made[0], folder)
    editions.write(folder, invented.frame(), invented.EDITION | {"families": FAMILIES})
    deliver.write(folder, ["static"], lambda _: None)
    for name in ("report.html", "digest.html"):
        (folder / name).unlink()
    assert gate_forms.check(folder, ["static"], made[1]) == []
    plant(folder)
    found = gate_forms.check(folder, ["static"], made[1])
    assert fault in [one.name for one in found] or fault in [one.rule for one in found]


def printed(text: str) -> Callable[[pypdf.PdfWriter], Any]:
    """One line of words on the first leaf."""

    def write(writer: pypdf.PdfWriter) -> None:
        font = {NameObject(f"/{key}"): NameObject(f"/{name}")
                for key, name in (("Type", "Font"), ("Subtype", "Type1"), ("BaseFont", "Helvetica"))}  # fmt: skip
        fonts = DictionaryObject({NameObject("/F"): DictionaryObject(font)})
        drawn = DecodedStreamObject()
        drawn.set_data(f"BT /F 9 Tf 5 50 Td ({text}) Tj ET".encode())
        writer.pages[0][NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        writer.pages[0][NameObject("/Contents")] = writer._add_object(drawn)

    return write


def pdf(path: Path, leaves: int = 2, change: Callable[[pypdf.PdfWriter], Any] = lambda _: None) -> None:
    writer = pypdf.PdfWriter()
    for _ in range(leaves):
        writer.add_blank_page(100, 100)
    change(writer)
    writer.write(path)


def opens(writer: pypdf.PdfWriter) -> None:
    action = {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("x")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)


def scripted(writer: pypdf.PdfWriter) -> None:
    names = DictionaryObject({NameObject("/JavaScript"): DictionaryObject()})
    writer.root_object[NameObject("/Names")] = names


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda w: w.add_annotation(0, Link(rect=(0, 0, 9, 9), target_page_index=1)), []),
        (lambda w: w.add_annotation(0, Link(rect=(0, 0, 9, 9), url="https://x.example")), [("live", "/URI")]),
        (opens, [("live", "/Launch")]),
        (scripted, [("live", "/JavaScript")]),
        (lambda w: w.add_attachment("a.csv", b"1"), [("live", "/EmbeddedFiles")]),
        (lambda w: w.add_metadata({"/Title": "/home/ann/firm"}), [("not-for-readers", "a path of this machine")]),
        (printed("1 of 2, 39%"), []),
        (printed("1 of 2, 40%"), [("untraced", "40")]),
        (printed("1994 accounts, 1 994 accounts"), []),
        (printed("199 accounts"), [("untraced", "199")]),
        (printed("2 of 2, 39%"), [("untraced", "2")]),
        (printed("kept in /home/ann/firm"), [("not-for-readers", "a path of this machine")]),
    ],
)  # fmt: skip
def test_a_pdf_that_reaches_outside_itself_or_says_something_else_is_refused(
    made: tuple[Path, dict[str, published.Shown]], tmp_path: Path, change: Any, found: list[tuple[str, str]]
) -> None:
    pdf(tmp_path / "report.pdf", change=change)
    faults = gate_forms.check(tmp_path, ["pdf"], made[1], ("/home/ann/firm",))
    assert [(fault.name, fault.found) for fault in faults] == found


@pytest.mark.parametrize("harm", ["short", "cut", "empty", "text", "gone"])
def test_a_pdf_that_is_not_whole_is_refused(
    made: tuple[Path, dict[str, published.Shown]], tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "report.pdf"
    pdf(path, 1 if harm == "short" else 2)
    data = path.read_bytes()
    path.write_bytes({"cut": data[:60], "empty": b"", "text": b"no PDF"}.get(harm, data))
    if harm == "gone":
        path.unlink()
    (fault,) = gate_forms.check(tmp_path, ["pdf"], made[1])
    assert (fault.name, fault.where) == (
        {"short": "pages", "gone": "missing"}.get(harm, "broken"),
        "report.pdf",
    )


@pytest.mark.parametrize("name", ["report.html", "report.pdf", "report.xlsx", "digest.html", "digest.eml"])
def test_a_form_over_its_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_text("x" * 60)
    checked = {name: gate.sha256(tmp_path / name)}
    assert gate.check(tmp_path, checked)[1] == []
    monkeypatch.setitem(gate.LARGEST, name, 50)
    assert [(found.name, found.where) for found in gate.check(tmp_path, checked)[1]] == [("too-large", name)]


def test_another_script_than_ours_beside_the_pages_is_refused(tmp_path: Path) -> None:
    (tmp_path / forms.SCRIPT).write_text(forms.script() + "fetch('x')")
    assert [found.name for found in gate.check(tmp_path, {})[1]] == ["changed"]


# A number's text


@given(
    value=some.floats(-1e10, 1e10).filter(lambda value: value == 0 or abs(value) > 1e-4),
    unit=some.sampled_from(["count", "money", "share", "points", "days", "months", "times", "seconds", "score"]),
    locale=some.sampled_from(["en", "de", "fr", "sv", "de_CH", "pt_BR"]),
    n=some.sampled_from([None, 5.0, 5000.0]),
)
def test_every_number_that_we_write_reads_back_as_itself_and_not_as_another(
    value: float, unit: str, locale: str, n: float | None
) -> None:
    numbers.write_as(locale)
    try:
        text = numbers.amount(value, unit, "EUR", n)
    finally:
        numbers.write_as("en")
    assert read_back.says(text, value, locale)
    if any(digit in text for digit in "123456789"):
        assert not read_back.says(text, -value, locale)
        assert not read_back.says(text, value * 1.6 + (value > 0) - (value < 0), locale)


@pytest.mark.parametrize(
    ("text", "value", "field", "expected"),
    [
        ("22", 0.22, "low", True), ("22", 0.22, "high", False), ("€1.3", 1.31e6, "low", True), ("39%", 0.394, "value", True),
        ("39%", 0.396, "value", False), ("yes", 1, "value", True), ("yes", 0, "value", False), ("−4", -4, "value", True),
        ("4", -4, "value", False), ("", 4, "value", False), ("many", 4, "value", False), ("2 min 05 s", 125, "value", True),
        ("2 min 05 s", 128, "value", False), ("€1.13M", 1_134_999, "value", True), ("€1.13M", 1_136_000, "value", False),
        ("€0.18M", 180_100, "value", True), ("1,204", 1204, "value", True), ("1,204", 1.204, "value", False),
    ],
)  # fmt: skip
def test_a_text_says_its_value_to_the_digits_that_it_shows(text: str, value: float, field: str, expected: bool) -> None:
    assert read_back.says(text, value, "en", field) is expected
