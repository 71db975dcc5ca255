"""Hostile text and the names of people: neither comes alive, changes a number or reaches what is published."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import html5lib
import nbformat
import numpy as np
import pandas as pd
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup
from canaries import CANARY, everything_written, with_canaries
from conftest import find_chromium
from hostile import ALERT, LONG, MATCHED, PAYLOADS, free_text, poisoned
from small_company import ACCOUNTS, CHANGES, DEALS, write
from tiny import sample_readings

from abm_lib import edition as editions
from abm_lib import readings, sample
from abm_lib.company import open_company
from abm_lib.disclosure import CONTROLS, PROFILES
from abm_lib.errors import Fault
from abm_lib.metric import REGISTER
from abm_lib.pages import FAMILIES, ROLES, Page
from abm_lib.run import deliver, digest, forms
from abm_lib.run.render import render
from abm_lib.show import published
from abm_lib.tables import tables

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
# Slices that pages look up by name.
NAMED = ("movement", "bridge/movement", "horizon", "as_of_day", "question", "tier", "source_owner", "headline", "rule",
         "method", "promise")  # fmt: skip
TITLE = "Halden Systems"


def site(folder: Path, frame: pd.DataFrame, families: tuple[str, ...], company: str = TITLE) -> dict[str, Any]:
    """The pages of a frame of readings, as the run leaves them to the deliveries; returns the edition."""
    edition = invented.EDITION | {"families": list(families), "company": company}
    for family in families:
        notebook = nbformat.read(NOTEBOOKS / f"{family}.ipynb", 4)
        executed = invented.run_cells(notebook, Page(family, frame, edition, REGISTER))
        name = "index.html" if family == "summary" else f"{family}.html"
        (folder / name).write_text(render(executed, family, edition), encoding="utf-8")
    (folder / forms.SCRIPT).write_text(forms.script(), encoding="utf-8")
    editions.write(folder, frame, edition)
    return edition


def alive(text: str) -> list[str]:
    """What an HTML parser takes for more than text: elements and attributes that no page of ours has."""
    page = BeautifulSoup(text, "html5lib")
    for script in page.select("script"):
        if script.get("src") == forms.SCRIPT or script.get("class") == ["charts"] or script.string == forms.script():
            script.decompose()
    live = "script, iframe, object, embed, base, form, input, link, math, foreignObject, animate"
    found = [str(tag)[:80] for tag in page.select(live)]
    found += [f"{tag.name} {key}" for tag in page.find_all(True) for key in tag.attrs if key.startswith("on")]
    links = [str(a["href"]) for a in page.select("a[href]")]
    found += [link for link in links if ":" in link and not link.startswith("https:")]
    pictures = [str(img["src"])[:60] for img in page.select("img[src]")]
    found += [picture for picture in pictures if not picture.startswith(("data:image/png", "cid:"))]
    body = [child.name for child in page.body.find_all(recursive=False)]
    return found + [name for name in body if name not in ("a", "header", "div", "main", "footer")]


def values(text: str) -> list[tuple[str, str, float]]:
    """The numbers of a page with their metrics and fields, whatever their slices are called."""
    return sorted((number.metric, number.field, number.value) for number in published.numbers(text))


def attacked(frame: pd.DataFrame) -> pd.DataFrame:
    """Every payload in turn before the slices of the frame, and in what is counted and remarked."""
    names = frame["slice"].where(~frame["slice_by"].isin([*NAMED, "", "month", "week", "quarter", "year"]), "").unique()
    payloads = [payload.replace("/", "%2F").translate(CONTROLS) for payload in PAYLOADS]
    became = {name: f"{payloads[i % len(payloads)]} {name}" for i, name in enumerate(names) if name}
    became[next(name for name in names if name)] = LONG[:3000]  # what is longer is cut where readings are written
    named = frame["slice"].where(frame["slice_by"].isin(NAMED), frame["slice"].map(became).fillna(frame["slice"]))
    caveats = [f"{PAYLOADS[i % len(PAYLOADS)]} {text}" if text else "" for i, text in enumerate(frame["caveats"])]
    return frame.assign(slice=named, caveats=caveats)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    whole = sample_readings(tmp_path_factory)
    return whole, attacked(whole)


@pytest.fixture(scope="module")
def sites(frames: tuple[pd.DataFrame, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Pages of the sample as it is, and with hostile text wherever text may stand."""
    made = []
    for name, frame, company in zip(("plain", "hostile"), frames, (TITLE, "".join(PAYLOADS)), strict=True):
        folder = tmp_path_factory.mktemp(name)
        site(folder, frame, ("summary", "ads"), company)
        deliver.write(folder, ["single", "xlsx", "digest"], lambda _: None)
        made.append(folder)
    return made[0], made[1]


@pytest.mark.parametrize("name", ["index.html", "ads.html", "report.html", "digest.html"])
def test_no_hostile_text_comes_alive_and_no_number_changes(sites: tuple[Path, Path], name: str) -> None:
    plain, hostile = ((folder / name).read_text("utf-8") for folder in sites)
    assert alive(hostile) == [] and alive(plain) == []
    assert ALERT in BeautifulSoup(hostile, "html5lib").get_text()
    assert values(hostile) == values(plain)
    html5lib.HTMLParser(strict=True).parse(hostile)
    if name in ("index.html", "ads.html"):
        assert published.faults(hostile, {}) == []
    assert len(hostile) < 3 * len(plain) + 200_000


def test_no_hostile_text_is_a_formula_in_the_csv_and_every_row_is_still_there(
    sites: tuple[Path, Path], frames: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    with (sites[1] / "readings.csv").open(encoding="utf-8", newline="") as file:
        csv.field_size_limit(2**31 - 1)
        head, *rows = csv.reader(file)
    assert len(rows) == len(frames[1]) and {len(row) for row in rows} == {len(head)}
    numeric = {place for place, name in enumerate(head) if pd.api.types.is_numeric_dtype(frames[1][name])}
    for row in rows:
        assert not any(
            cell.startswith(editions.FORMULA_STARTS) for place, cell in enumerate(row) if place not in numeric
        )


def test_what_the_gate_lets_pass_is_what_a_parser_finds_harmless() -> None:
    """Each payload as it stands is markup that is refused, or plain text: none is let through alive."""
    for payload in PAYLOADS:
        text = f"<!doctype html><html lang=en><title>x</title><body><main><p>{payload}</p></main></body></html>"
        lives = [found for found in alive(text) if ":" not in found or "javascript" in found]
        assert (
            not lives or published.faults(text, {"h1": 0, "footer": 0}) or "<meta" in payload or "<link" in payload
        ), payload


def test_hostile_headers_and_values_cannot_forge_a_message_or_paint_the_terminal(tmp_path: Path) -> None:
    bad = "\x1b[31mE F001 forged  x.csv:1\n  found    nothing"
    head = f'opportunity_id,account_id,business_type,created_at,"{bad}"\n'
    folder = write(
        tmp_path / "firm",
        {"opportunities": head + f'"{bad}",A1,"{bad}",2026-13-45,x\n', "opportunity_changes": CHANGES},
    )
    done = subprocess.run([sys.executable, "-m", "abm_lib.cli", "check", str(folder)], capture_output=True, text=True)
    said = done.stderr + done.stdout
    assert "\x1b" not in said and "Traceback" not in said
    assert not any(line.startswith("E F001 forged") for line in said.splitlines())


# People


def test_a_fault_never_says_an_address() -> None:
    fault = Fault("F1", "x", "people.csv:3", "a date ann.lee@alpha.example!", "not bob@b.example", "mend it")
    assert "@a" not in str(fault) + json.dumps(fault.as_dict()) and "…@…" in fault.found


BROKEN = """person_id,account_id,email,created_at,title,is_internal,survivor_id
canary-1,A1,canary1@birds.example,canary2@birds.example,Director CanaryTitle3,no,canary-2
canary-2,A2,canary4@birds.example,2026-02-03,Head of Canaries,perhaps,canary-1
canary-2,A1,canary6@birds.example,2026-02-03,CanaryTitle5,no,
4.6876E+17,A1,canary6@birds.example,2026-02-03,CanaryTitle6,no,canary-9
Total: 4,canary-3,CanaryTitle7
canary7@birds.example,canary8@birds.example,"unfinished canary9@birds.example,2026-02-03
"""
UNFITTING = {
    "owners": "owner_id,label\ncanary-w1,Owner\ncanary-w1,CanaryLabel1\n",
    "person_stages": "person_id,stage,entered_at\ncanary-lost,lead,2026-02-03\n",
    "person_accounts": "person_id,account_id,valid_from,valid_to\ncanary-2,A1,2026-01-01,\ncanary-2,A2,2026-02-01,\n",
    "notes": "note_id,noted_on,source,text,text\nN1,2026-01-02,social,CanaryText1,CanaryText2\n",
    "surveys": "R1,2026-01-02,nps,9,CanaryComment1,CanaryComment1\n",  # without its header
}
OWNED = DEALS.replace("\n", ",canary-nobody\n").replace("created_at,canary-nobody", "created_at,owner_id")


@pytest.mark.parametrize("command", ["check", "run"])
def test_inputs_that_are_refused_are_explained_without_naming_anyone(tmp_path: Path, command: str) -> None:
    files = {"people": BROKEN, **UNFITTING, "opportunities": OWNED, "opportunity_changes": CHANGES}
    folder = write(tmp_path / "firm", files)
    done = subprocess.run(
        [sys.executable, "-m", "abm_lib.cli", command, str(folder), *(["--out", str(tmp_path / "out")] if command == "run" else [])],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 3
    told = ("F012", "F016", "F074", "F081", "F085", "people.csv", "owners.csv", "notes.csv", "surveys.csv")
    assert all(name in done.stderr for name in told), done.stderr
    assert not CANARY.search(done.stdout + done.stderr), done.stderr


def test_a_bug_is_logged_without_the_address_that_it_carried(tmp_path: Path) -> None:
    code = "import sys; from abm_lib import cli, company\ndef bug(*_): raise KeyError('canary1@birds.example')\n"
    code += "company.open_company = bug; sys.argv = ['abm', 'check', 'x']; cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment(tmp_path))
    assert done.returncode == 1 and "birds" not in done.stderr
    (log,) = tmp_path.glob("abm-bug-*.log")
    assert "KeyError" in log.read_text() and "birds" not in log.read_text() and log.stat().st_mode & 0o077 == 0


def _environment(temporary: Path) -> dict[str, str]:
    import os

    return {**os.environ, "TMPDIR": str(temporary)}


@pytest.fixture(scope="module")
def told_apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company in which every person is a canary."""
    folder = tmp_path_factory.mktemp("canaries") / "firm"
    sample.write(folder, seed=3, scale=0.02)
    assert with_canaries(folder) > 4000
    return folder


FORMS = ["--single", "--xlsx", "--digest"]
DELIVERIES = {"internal": FORMS, "shared": [*FORMS, "--static"]}  # pages with the data of their charts, and without


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_no_person_of_any_source_reaches_anything_that_is_published_or_said(
    told_apart: Path, tmp_path: Path, profile: str
) -> None:
    """All pages in all forms; what is said; the run's own log and the notebooks that it leaves."""
    forms_asked = [*DELIVERIES[profile], *(["--pdf"] if find_chromium() else [])]
    command = [sys.executable, "-m", "abm_lib.cli", "run", str(told_apart), *forms_asked, "--profile", profile,
               "--out", str(tmp_path / "reports")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not CANARY.search(done.stdout + done.stderr)
    files = dict(everything_written(tmp_path / "reports"))
    expected = {"index.html", *(f"{family}.html" for family in FAMILIES[1:]), "readings.csv", "readings.parquet",
                "manifest.json", "run.json", "report.xlsx", "report.html", "digest.html", "digest.txt", "digest.eml"}  # fmt: skip
    assert expected < set(files) and ("report.pdf" in files) == ("--pdf" in forms_asked)
    assert any(text for name, text in files.items() if name.startswith("charts of")) == (profile == "internal")
    assert "address hidden" in files["readings.csv"], "what was masked is told, and counted by its numbers"
    runs = dict(everything_written(max((told_apart / ".abm" / "runs").iterdir())))
    assert {"run.json", "summary.analyst.ipynb"} < set(runs)
    assert [name for name, text in [*files.items(), *runs.items()] if CANARY.search(text)] == []


# The whole way, from the sources to twelve pages


@pytest.fixture(scope="module")
def whole_way(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """The readings of a company, those of the same one poisoned in every free text, and what became of each text."""
    found, became = [], {}
    for name in ("plain", "poisoned"):
        folder = tmp_path_factory.mktemp(name) / "firm"
        sample.write(folder, seed=3, scale=0.02)
        if name == "poisoned":
            became = poisoned(folder)
        opened = open_company(folder)
        found.append(readings.read(opened, opened.calendar.quarter("2026Q3"), profile=PROFILES["internal"]))
    return found[0], found[1], became


@pytest.mark.slow
def test_hostile_text_in_every_free_column_changes_no_number(
    whole_way: tuple[pd.DataFrame, pd.DataFrame, dict[str, str]],
) -> None:
    plain, hostile, became = whole_way
    assert len(became) > 100 and len(plain) == len(hostile)
    columns = ["value", "numerator", "denominator", "n", "low", "high", "previous", "year_ago", "target"]
    keys = ["metric", "slice_by", "quarter"]
    plain, hostile = (table.sort_values([*keys, *columns], ignore_index=True) for table in (plain, hostile))
    pd.testing.assert_frame_equal(plain[keys], hostile[keys])
    assert (
        hostile["slice"].str.contains("%1B").any() and not hostile["slice"].str.contains(r"[\x00-\x1f\x7f-\x9f]").any()
    )
    # The odd cent of a deal shared out goes by the names of campaigns.
    shared_out = plain["metric"].str.startswith("attributed_").to_numpy()
    for column in columns:
        one, other = hostile[column].to_numpy(float), plain[column].to_numpy(float)
        np.testing.assert_allclose(one[~shared_out], other[~shared_out], rtol=1e-9, err_msg=column)
        np.testing.assert_allclose(one[shared_out], other[shared_out], atol=0.011, err_msg=column)


def test_every_text_of_every_table_is_attacked() -> None:
    texts = {
        (name, c.name) for name, t in tables().items() for c in t.columns.values() if c.type == "text" and not c.choices
    }
    matched = {(name, column) for name, columns in MATCHED.items() for column in columns}
    assert matched <= texts and {(name, column) for name in tables() for column in free_text(name)} == texts - matched


@pytest.mark.parametrize("payload", [payload for payload in PAYLOADS if '"' in payload])
def test_a_quote_in_the_name_of_a_column_is_part_of_the_name(tmp_path: Path, payload: str) -> None:
    head, *rows = (line.split(",") for line in ACCOUNTS.splitlines())
    folder = write(tmp_path / "firm", {"accounts": "", "opportunities": DEALS, "opportunity_changes": CHANGES})
    with (folder / "accounts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*head, payload], *([*row, ALERT] for row in rows)])
    assert open_company(folder).notes["tables"]["accounts"]["accepted"] == len(rows)


@pytest.mark.slow
def test_pages_of_hostile_text_are_safe_in_a_browser_on_a_phone_and_on_a_desk(
    whole_way: tuple[pd.DataFrame, pd.DataFrame, dict[str, str]], chromium: str, tmp_path: Path
) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    edition = site(tmp_path, whole_way[1], (*FAMILIES, *ROLES), "".join(PAYLOADS))
    (tmp_path / "report.html").write_text(deliver.single(tmp_path, edition["families"], "x"), encoding="utf-8")
    digest.write(tmp_path, whole_way[1], edition, REGISTER)
    found: list[str] = []
    requests: list[str] = []
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(offline=True)
        for path, width in product(sorted(tmp_path.glob("*.html")), (390, 1280)):
            assert alive(path.read_text("utf-8")) == [], path.name
            tab = context.new_page()
            tab.set_viewport_size({"width": width, "height": 800})
            tab.on("dialog", lambda dialog, name=path.name: (found.append(f"{name}: dialog"), dialog.dismiss()))
            tab.on("request", lambda asked, name=path.name: requests.append(f"{name}: {asked.url[:60]}"))
            tab.goto(path.as_uri())
            for drawing in tab.locator("figure .drawing").all()[
                :2
            ]:  # drawn alive when seen, and told about when pointed at
                drawing.hover()
            wide = tab.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                found.append(f"{path.name}: {wide} px wide of {width}")
            tab.close()
        browser.close()
    assert found == []
    assert [asked for asked in requests if ": file:" not in asked and ": data:" not in asked] == []
