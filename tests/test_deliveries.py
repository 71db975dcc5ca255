"""The forms of an edition: each parsed and held against the readings, and each safe to pass on."""

from __future__ import annotations

import base64
import email
import re
import shutil
from collections.abc import Iterator
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

import html5lib
import openpyxl
import pandas as pd
import pypdf
import pypdfium2
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup
from pages import name_of, published_pages
from tiny import sample_readings

from abm_lib import edition as editions
from abm_lib.catalogue import records
from abm_lib.errors import EnvironmentFault
from abm_lib.metric import REGISTER
from abm_lib.run import deliver, digest, forms, pdf, workbook
from abm_lib.show import published
from abm_lib.show.rows import NUMBERS, Readings

FAMILIES = ("summary", "ads", "pipeline", "quality")  # those that other tests publish as well
EDITION = invented.EDITION | {"families": list(FAMILIES)}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return sample_readings(tmp_path_factory)


@pytest.fixture(scope="module")
def site(sample: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition's folder with its pages, as the run leaves it to the deliveries."""
    folder = tmp_path_factory.mktemp("site")
    made = published_pages(tmp_path_factory, FAMILIES)
    for name in (*map(name_of, FAMILIES), forms.SCRIPT):
        shutil.copyfile(made / name, folder / name)
    editions.write(folder, sample, EDITION)
    return folder


@pytest.fixture(scope="module")
def delivered(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every form but the PDF and the pages without scripts."""
    folder = tmp_path_factory.mktemp("delivered") / "site"
    shutil.copytree(site, folder)
    said: list[str] = []
    deliver.write(folder, ["single", "xlsx", "digest"], said.append)
    assert [line.split(":")[0] for line in said] == [
        "digest.eml",
        "digest.html",
        "digest.txt",
        "report.html",
        "report.xlsx",
    ]
    return folder


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html5lib")


def numbers(path: Path) -> list[published.Number]:
    return published.numbers(path.read_text("utf-8"))


def held_against(found: list[published.Number], sample: pd.DataFrame) -> None:
    keys = sample.set_index(["metric", "quarter", "slice_by", "slice"])[list(NUMBERS)].sort_index()
    for number in found:
        row = keys.loc[(number.metric, number.quarter, number.slice_by, number.slice)]
        assert number.value == pytest.approx(float(row[number.field])), number


# Without scripts


def test_static_pages_say_the_same_without_anything_that_runs(site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    deliver.write(folder, ["static", "single"], lambda _: None)
    assert not list(folder.glob("*.js"))
    for family in FAMILIES:
        page, before = soup(folder / name_of(family)), soup(site / name_of(family))
        for control in before.select("label.choice"):
            control.decompose()
        assert page.main.get_text() == before.main.get_text()
        assert (folder / name_of(family)).stat().st_size <= 150_000
    for path in folder.glob("*.html"):
        assert not soup(path).select("script, noscript, template, button, select, [onclick]"), path.name
        assert "script-src" not in path.read_text("utf-8") and "default-src 'none'" in path.read_text("utf-8")
        assert published.faults(path.read_text("utf-8"), {}) == []


# One file


def test_one_file_has_every_number_of_every_page(delivered: Path, sample: pd.DataFrame) -> None:
    apart = [number for family in FAMILIES for number in numbers(delivered / name_of(family))]
    one = numbers(delivered / "report.html")
    assert one == apart and len(one) > 200
    held_against(one, sample)
    html5lib.HTMLParser(strict=True).parse((delivered / "report.html").read_text("utf-8"))


def test_one_file_finds_its_way_within_itself_alone(delivered: Path) -> None:
    one = soup(delivered / "report.html")
    ids = [found["id"] for found in one.select("[id]")]
    assert len(ids) == len(set(ids)) and set(FAMILIES) < set(ids)
    links = [str(a["href"]) for a in one.select("a[href]")]
    assert {f"#{family}" for family in FAMILIES} | {"#main"} <= set(links)
    assert all(link[1:] in ids for link in links)
    assert "readings.csv" in one.footer.get_text(), "what does not travel with the file is told, but is no link"
    for key in ("aria-labelledby", "aria-describedby", "for", "headers"):
        assert {word for found in one.select(f"[{key}]") for word in str(found[key]).split()} <= set(ids)
    drawn = re.findall(r"url\(#([^)]+)\)", str(one.main))
    assert set(drawn) <= set(ids)


def test_one_file_carries_the_shared_script_once_by_its_hash_and_loads_nothing(delivered: Path) -> None:
    text = (delivered / "report.html").read_text("utf-8")
    (script,) = [s for s in soup(delivered / "report.html").select("script") if not s.get("type")]
    digest = base64.b64encode(sha256(str(script.string).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in text and "unsafe-eval" not in text
    shown = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"""https?://|\bsrc=["']?(?!data:)""", shown)
    assert (delivered / "report.html").stat().st_size <= 3_000_000


# The workbook


def test_the_workbook_holds_every_reading_and_definition_as_they_are(delivered: Path, sample: pd.DataFrame) -> None:
    book = openpyxl.load_workbook(delivered / "report.xlsx")
    assert book.sheetnames == ["About", "Readings", "Definitions"]
    head, *cells = book["Readings"].iter_rows(values_only=True)
    assert list(head) == list(sample.columns) and len(cells) == len(sample)
    for place, name in enumerate(head):
        told, true = pd.Series([row[place] for row in cells]), sample[name].reset_index(drop=True)
        if pd.api.types.is_numeric_dtype(true):
            pd.testing.assert_series_equal(
                told.astype("float64"), true.astype("float64"), check_names=False, rtol=1e-14
            )
        else:
            assert list(told.fillna("").astype(str)) == [workbook.plain(text) for text in true.fillna("")]
    head, *cells = book["Definitions"].iter_rows(values_only=True)
    assert [row[0] for row in cells] == [record["metric"] for record in records(REGISTER)]
    about = dict(book["About"].iter_rows(values_only=True, min_row=2))
    assert about["profile"] == "internal" and about["disclosure"] == EDITION["disclosure"]


FORMULAS = ['=HYPERLINK("http://x","y")', "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "＝1+1", ";=cmd|x", "'=1",
            "x" * 40_000, "\ud800", "https://x.example", "12", "_x003D_1"]  # fmt: skip


def test_no_text_of_a_workbook_is_a_formula_a_link_or_a_number(tmp_path: Path) -> None:
    frame = invented.frame().head(len(FORMULAS)).assign(slice=pd.Series(FORMULAS, dtype=object))
    workbook.write(tmp_path / "x.xlsx", frame, EDITION | {"company": FORMULAS[0]}, REGISTER)
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"} and not any(cell.hyperlink for cell in cells)
    slices = [cell for cell in book["Readings"]["I"] if cell.row > 1]
    assert {cell.data_type for cell in slices if cell.value is not None} == {"s"}
    assert [cell.row - 2 for cell in slices if cell.value is None] == [FORMULAS.index("\ud800")]
    assert slices[0].value == FORMULAS[0] and slices[0].quotePrefix
    assert len(slices[11].value) == workbook.LONGEST and slices[11].value.endswith("…")
    assert all(sheet.sheet_state == "visible" for sheet in book) and not book.defined_names
    assert not book.properties.creator and "T00:00:00" in book.properties.created.isoformat()


def test_the_same_readings_make_the_same_workbook(tmp_path: Path) -> None:
    frame = invented.frame().head(5)
    for name in ("one", "two"):
        workbook.write(tmp_path / name, frame, EDITION, {"leads": REGISTER["leads"]})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


# The digest


def test_the_digest_tells_the_same_numbers_in_html_and_text_under_100_kb(delivered: Path, sample: pd.DataFrame) -> None:
    page, text = soup(delivered / "digest.html"), (delivered / "digest.txt").read_text("utf-8")
    found = numbers(delivered / "digest.html")
    assert len(found) > 30
    held_against(found, sample)
    readings = Readings(sample, REGISTER, EDITION["quarter"])
    for number in found:
        row = readings.whole(number.metric)
        assert row is not None and number.text == row.text(number.field) and number.text in text
    assert (delivered / "digest.html").stat().st_size < 100_000 and (delivered / "digest.eml").stat().st_size < 100_000
    pictures = [str(img["src"]) for img in page.select("img")]
    assert len(pictures) == 12 and all(src.startswith("data:image/png;base64,") for src in pictures)
    assert all(img["alt"] for img in page.select("img")) and not page.select("script, style, link")
    assert published.faults((delivered / "digest.html").read_text("utf-8"), {"img": 12}) == []


def parts(path: Path) -> Iterator[Any]:
    yield from email.message_from_bytes(path.read_bytes(), policy=default).walk()


def test_the_mail_has_both_texts_and_every_picture_that_it_shows(delivered: Path) -> None:
    found = list(parts(delivered / "digest.eml"))
    kinds = [part.get_content_type() for part in found]
    assert kinds[:4] == ["multipart/alternative", "text/plain", "multipart/related", "text/html"]
    assert kinds[4:] == ["image/png"] * 12
    page = BeautifulSoup(found[3].get_content(), "html5lib")
    assert {str(img["src"]).removeprefix("cid:") for img in page.select("img")} == {
        p["Content-ID"][1:-1] for p in found[4:]
    }
    text = (delivered / "digest.txt").read_text("utf-8")
    assert found[1].get_content().strip().splitlines() == text.strip().splitlines()
    assert published.numbers(found[3].get_content()) == numbers(delivered / "digest.html")


def test_a_company_that_is_called_like_a_mail_header_stays_in_the_subject(tmp_path: Path, sample: pd.DataFrame) -> None:
    name = "Halden\r\nBcc: everyone@x.example\r\n\r\n<script>alert(1)</script>"
    digest.write(tmp_path, sample, EDITION | {"company": name}, REGISTER)
    mail = next(parts(tmp_path / "digest.eml"))
    assert mail["Bcc"] is None and "\n" not in mail["Subject"] and "everyone" not in str(mail["Subject"])
    assert not soup(tmp_path / "digest.html").select("script")


def test_the_same_readings_make_the_same_mail(delivered: Path, sample: pd.DataFrame, tmp_path: Path) -> None:
    digest.write(tmp_path, sample, EDITION, REGISTER)
    for name in ("digest.html", "digest.txt", "digest.eml"):
        assert (tmp_path / name).read_bytes() == (delivered / name).read_bytes()


# The PDF


@pytest.mark.slow
def test_the_pdf_is_tagged_has_bookmarks_and_the_numbers_of_the_executive_page(
    site: Path, chromium: str, tmp_path: Path, sample: pd.DataFrame
) -> None:
    folder = tmp_path / "a place of its own"
    shutil.copytree(site, folder)
    deliver.write(folder, ["pdf"], lambda _: None)
    read = pypdf.PdfReader(folder / "report.pdf")
    catalogue: Any = read.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"] and catalogue["/Lang"] == "en" and "/StructTreeRoot" in catalogue
    assert (
        len(read.outline) >= 1 and read.metadata is not None and read.metadata.title.endswith("account-based marketing")
    )
    leaves = [leaf.get_textpage() for leaf in pypdfium2.PdfDocument(folder / "report.pdf")]
    text = "\n".join(leaf.get_text_range() for leaf in leaves)
    readings = Readings(sample, REGISTER, EDITION["quarter"])
    for metric in digest.SUMMARY:
        row = readings.whole(metric)
        assert row is None or row.value is None or row.text() in text.replace("\n", ""), metric
    links = [a.get_object()["/A"] for page in read.pages for a in page.get("/Annots", []) if "/A" in a.get_object()]
    assert not any("/URI" in link for link in links)
    said = str(read.metadata) + "".join(
        str(read.get_object(i)) for i in range(1, len(read.xref[0]) + 1) if i in read.xref[0]
    )
    assert "a place of its own" not in said and str(tmp_path) not in said


@pytest.mark.slow
def test_each_page_of_the_pdf_begins_on_a_leaf_of_its_own(site: Path, chromium: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    deliver.write(folder, ["single", "pdf"], lambda _: None)
    pages = BeautifulSoup((folder / "report.html").read_text("utf-8"), "html5lib").select("article.page .message")
    leaves = [leaf.get_textpage() for leaf in pypdfium2.PdfDocument(folder / "report.pdf")]
    for page in pages[1:]:
        words = page.select_one("h1, h2").get_text(" ", strip=True)[:24]
        found = [(leaf, at[0]) for leaf in leaves if (at := leaf.search(words).get_next())]
        assert any(leaf.get_charbox(at)[3] > 760 for leaf, at in found), words  # of 842 points


def test_without_a_browser_the_run_says_so_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(EnvironmentFault) as caught:
        deliver.ready(["xlsx", "pdf"])
    (fault,) = caught.value.faults
    assert (caught.value.exit_code, fault.rule, fault.where) == (7, "P21", "--pdf") and "chromium" in fault.fix
    deliver.ready(["xlsx", "digest"])


def test_a_browser_that_gives_no_pdf_is_named_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "x.html").write_text("<h1>x</h1>")
    monkeypatch.setattr(pdf, "browser", lambda: "false")
    with pytest.raises(EnvironmentFault) as caught:
        pdf.write(tmp_path / "x.html", tmp_path / "x.pdf")
    assert [fault.found for fault in caught.value.faults] == ["exit code 1"]
