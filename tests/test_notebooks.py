"""The notebooks run unchanged in every way that somebody runs them, and show the same numbers in each.

`abm run`, plain papermill, nbconvert and Run All in JupyterLab; on a small invented company, and on the sample.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import Lab, drawings, finish, scorecards, server, shoot, start

from abm_lib.sample import write
from abm_lib.show.fragment import MIME, VEGA

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [path.stem for path in NOTEBOOKS]
# The ways that work each page out anew take long: each page goes through one of them, one page of each shape through two more.
FEW = ["summary", "ads", "pipeline", "revenue", "content", "quality"]
FEWER = ["summary", "pipeline", "content"]
QUARTER = "2026Q3"
# What an analyst does below a page, in its kernel.
EXPLORE = (
    "callable(abm.page)",  # so that the first cell can be run again
    "{name: len(getattr(page.facts, name)) for name in dir(page.facts)}",
    "page.readings.query('metric == \"ad_clicks\" and slice_by == \"channel\"')[['slice', 'value']]",
    "import altair as alt\n\nalt.Chart(page.facts.ad_days).mark_line().encode(x='day:T', y='sum(clicks)', color='channel')",
)
EDITION = re.compile(r'<p class="edition-line">.*?</p>')
Notebook = nbformat.NotebookNode
Run = Callable[[str], dict[str, Notebook]]

pytestmark = pytest.mark.slow


# The ways


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An analyst's folder: copies of the notebooks, one of them explored further, and a small company where they look for it."""
    folder = tmp_path_factory.mktemp("desk")
    write(folder / "data" / "sample", scale=0.05, seed=3)
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    explored = nbformat.read(ROOT / "notebooks" / "ads.ipynb", 4)
    explored.cells = explored.cells[:3] + [nbformat.v4.new_code_cell(source) for source in EXPLORE]
    nbformat.write(explored, folder / "explored.ipynb")
    return folder


@pytest.fixture(scope="module")
def ran(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The notebooks with their outputs, by name, after they were run in one of the WAYS; each is done once."""

    @cache
    def run(way: str) -> dict[str, Notebook]:
        out = tmp_path_factory.mktemp("out")
        return {path.stem.removesuffix(".analyst"): nbformat.read(path, 4) for path in WAYS[way](desk, out)}

    return run


def papermill_elsewhere(desk: Path, out: Path) -> list[Path]:
    company = ["-p", "company", str(desk / "data" / "sample"), "-p", "quarter", QUARTER]
    return _papermill([[str(path), str(out / path.name), *company] for path in NOTEBOOKS], out)


def papermill_defaults(desk: Path, out: Path) -> list[Path]:
    return _papermill([[f"notebooks/{name}.ipynb", str(out / f"{name}.ipynb")] for name in FEWER], ROOT)


def nbconvert(desk: Path, out: Path) -> list[Path]:
    names = [str(desk / f"{name}.ipynb") for name in (*FEWER, "explored")]
    _command(["nbconvert", "--execute", "--to", "notebook", "--output-dir", str(out), *names], out)
    return list(out.glob("*.ipynb"))


def abm_run(desk: Path, out: Path) -> list[Path]:
    company = desk / "data" / "sample"
    _command(["abm_lib.cli", "run", str(company), "--quarter", QUARTER, "--out", str(out)], out)
    return list((company / ".abm" / "runs").glob("*/*.analyst.ipynb"))


WAYS = {way.__name__: way for way in (papermill_elsewhere, papermill_defaults, nbconvert, abm_run)}


def _papermill(runs: list[list[str]], folder: Path) -> list[Path]:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda words: _command(["papermill", *words, "--no-progress-bar"], folder), runs))
    return [Path(words[1]) for words in runs]


def _command(words: list[str], folder: Path) -> None:
    plain = {name: value for name, value in os.environ.items() if name != "ABM_EDITION"}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=plain, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stderr[-3000:]


# What a run notebook must be


def outputs(notebook: Notebook) -> list[tuple[str, Any]]:
    """Every output with the source of its cell."""
    return [(cell.source, output) for cell in notebook.cells for output in cell.get("outputs", [])]


def faults(notebook: Notebook) -> list[str]:
    """What an analyst would see go wrong: cells that did not run, errors, warnings and other talk."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    unrun = [f"did not run: {cell.source}" for cell in code if cell.execution_count is None]
    return unrun + [
        f"{source}: {output}" for source, output in outputs(notebook) if output.output_type in ("error", "stream")
    ]


def published(notebook: Notebook) -> dict[str, Any]:
    """What each cell gives to the published page; the line that names the edition stands in that page's own head."""
    return {
        cell.id: output.data[MIME] | {"html": EDITION.sub("", output.data[MIME].get("html", ""))}
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    }


def charts(notebook: Notebook) -> int:
    """How many outputs are charts that JupyterLab draws without help from outside."""
    return sum(VEGA in output.get("data", {}) for _, output in outputs(notebook))


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) for way in WAYS for name in (PAGES if way in ("papermill_elsewhere", "abm_run") else FEWER)],
)
def test_a_notebook_runs_to_its_end_and_carries_its_charts(name: str, way: str, ran: Run) -> None:
    notebook = ran(way)[name]
    assert faults(notebook) == []
    figures = [block for block in published(notebook).values() if block["kind"] == "figure"]
    assert len(figures) == charts(notebook) >= 2


@pytest.mark.parametrize(
    ("name", "way"), [*((name, "papermill_elsewhere") for name in PAGES), *((name, "nbconvert") for name in FEWER)]
)
def test_a_page_says_the_same_in_a_notebook_as_it_publishes(name: str, way: str, ran: Run) -> None:
    here, there = published(ran(way)[name]), published(ran("abm_run")[name])
    assert here.keys() == there.keys()
    assert [(cell, here[cell], there[cell]) for cell in here if here[cell] != there[cell]] == []


def test_an_analyst_explores_in_the_kernel_of_a_page(ran: Run) -> None:
    notebook = ran("nbconvert")["explored"]
    assert faults(notebook) == []
    again, facts, slices, chart = [output.data for _, output in outputs(notebook)][-4:]
    assert again["text/plain"] == "True"
    assert "'ad_days': " in facts["text/plain"] and "'opportunities_closed': " in facts["text/plain"]
    assert "linkedin" in slices["text/plain"]
    assert VEGA in chart and "text/html" not in chart


# JupyterLab


@pytest.fixture(scope="module")
def lab(desk: Path, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, dict[str, Any]]]:
    """JupyterLab with every notebook open in a tab of its own and run to its end, and a picture of each in build/look/."""
    from playwright.sync_api import sync_playwright

    with server(desk, tmp_path_factory.mktemp("lab")) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        lab = Lab(browser, address)
        tabs = {name: lab.open(name) for name in (*FEW, "explored")}
        for tab in tabs.values():
            start(tab)
        for name, tab in tabs.items():
            finish(tab, seconds=400)
            shoot(tab, ROOT / "build" / "look" / f"lab-{name}.png")
        yield lab, tabs
        browser.close()


@pytest.mark.parametrize("name", [*FEW, "explored"])
def test_run_all_in_jupyterlab_runs_to_the_end_and_draws_every_chart(
    name: str, lab: tuple[Lab, dict[str, Any]], desk: Path
) -> None:
    notebook = nbformat.read(desk / f"{name}.ipynb", 4)
    assert faults(notebook) == []
    drawn = drawings(lab[1][name])
    assert len(drawn) == charts(notebook) > 0
    assert [chart for chart in drawn if not chart["texts"] or chart["cut"]] == []


@pytest.mark.parametrize("name", FEW)
def test_a_chart_in_jupyterlab_bears_its_message(name: str, lab: tuple[Lab, dict[str, Any]], desk: Path) -> None:
    notebook = nbformat.read(desk / f"{name}.ipynb", 4)
    titles = [output.data[VEGA]["title"]["text"] for _, output in outputs(notebook) if VEGA in output.get("data", {})]
    drawn = drawings(lab[1][name])
    written = [" ".join(chart["texts"]).replace(" ", "") for chart in drawn]
    assert [
        title for title, text in zip(titles, written, strict=True) if "".join(title).replace(" ", "") not in text
    ] == []


@pytest.mark.parametrize("name", FEW)
def test_tiles_are_laid_out_in_jupyterlab_as_they_are_published(name: str, lab: tuple[Lab, dict[str, Any]]) -> None:
    rows = scorecards(lab[1][name])
    assert rows
    for row in rows:
        assert len(set(row["lefts"])) > 1, "tiles stand below one another"
        assert row["overlaps"] == [], "texts lie on one another"
        assert row["size"] > 20 and row["ink"], "the style is lost"


def test_jupyterlab_asks_nothing_of_other_machines_and_complains_of_nothing(lab: tuple[Lab, dict[str, Any]]) -> None:
    assert lab[0].outside == []
    assert lab[0].faults == []
