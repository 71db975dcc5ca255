"""The twelve notebooks into twelve pages, the same readings present: `abm run`'s way, one process, a loop in the shell, a book.

python benchmarks/report.py [--quick] [--edition FOLDER --company FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import exporter
import measure
from measure import PROJECT, Figure

HERE = Path(__file__).resolve().parent
ROUNDS = 3
BOOK = ["jupyter-book==1.0.4.post1"]
CONFIG = """
only_build_toc_files: true
execute: {execute_notebooks: force, timeout: 600}
sphinx: {config: {nb_execution_raise_on_error: true}}
"""


def main(arguments: list[str]) -> list[Figure]:
    asked = argparse.ArgumentParser()
    asked.add_argument("--quick", action="store_true", help="two notebooks of a small company, once")
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    asked.add_argument("--edition", type=Path, help="a folder with readings.parquet and edition.json")
    asked.add_argument("--company", default="data/sample")
    asked.add_argument("--way", choices=WAYS, help="be one of the ways, in FOLDER")
    asked.add_argument("--folder", type=Path)
    options = asked.parse_args(arguments)
    if options.way:
        WAYS[options.way](options.folder, str(options.company))
        return []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if options.quick:
            options.company = str(small(folder / "small"))
        prepare(folder, options.edition, options.company, 2 if options.quick else 12)
        company = str(Path(options.company).resolve())
        walls = {way: [] for way in WAYS}
        for _ in range(1 if options.quick else options.rounds):
            for way in WAYS:  # in turn, so that other work on the machine falls on all of them
                walls[way].append(seconds(way, folder, company))
                print(f"{way}: {walls[way][-1]:.1f} s", file=sys.stderr)
        cold = [] if options.quick else [Figure("abm run from nothing, every page", from_nothing(folder, company), "s")]
        peer = [] if options.quick else book(folder, median(walls["forked"]))
        alike = {
            p.name: {(folder / way / p.name).read_bytes() for way in WAYS} for p in (folder / "forked").glob("*.html")
        }
    middle = {way: median(times) for way, times in walls.items()}
    tenth, third = (None, None) if options.quick else (0.1, 1 / 3)  # of two notebooks the imports are too large a part
    return [
        Figure("pages that are not the same in every way", sum(len(found) > 1 for found in alike.values()), "pages", 0),
        *(Figure(name, middle[way], "s") for way, name in NAMES.items()),
        Figure("forked / loop in the shell", middle["forked"] / middle["shell"], "x", tenth),
        Figure("forked / one process", middle["forked"] / middle["one"], "x", third),
        *peer,
        *cold,
    ]


def small(folder: Path) -> Path:
    from abm_lib import sample

    sample.write(folder, scale=0.05)
    return folder


def prepare(folder: Path, edition: Path | None, company: str, most: int) -> None:
    """The notebooks as they run, without the analyst's corner, beside the readings and what is said of them."""
    import nbformat

    from abm_lib.metrics import FAMILIES
    from abm_lib.run.execute import notebooks_folder

    if edition is None:
        from abm_lib import edition as editions
        from abm_lib import open_company, readings

        opened = open_company(company)
        quarter = opened.quarter()
        table = readings.read(opened, quarter)
        editions.write(folder, table, editions.describe(opened, quarter, table))
    else:
        for name in ("readings.parquet", "edition.json"):
            shutil.copy(edition / name, folder / name)
    (folder / "notebooks").mkdir()
    for family in ("summary", *FAMILIES)[:most]:
        path = notebooks_folder() / f"{family}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if "explore" not in cell.metadata.get("tags", [])]
        nbformat.write(notebook, folder / "notebooks" / path.name)


def seconds(way: str, folder: Path, company: str) -> float:
    """The wall seconds of one way from a fresh process to the last page."""
    shutil.rmtree(folder / way, ignore_errors=True)
    (folder / way).mkdir()
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder), "--company", company]
    environment = measure.environment() | {"ABM_EDITION": str(folder)}
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return time.perf_counter() - began


def book(folder: Path, ours: float) -> list[Figure]:
    """Jupyter Book on the same notebooks: it runs them one after the other and writes its own pages, with its own theme."""
    source = folder / "book"
    kernel = source / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    pages = [Path(shutil.copy(path, source)).stem for path in sorted((folder / "notebooks").glob("*.ipynb"))]
    (source / "_config.yml").write_text(CONFIG)
    toc = {"format": "jb-book", "root": pages[0], "chapters": [{"file": page} for page in pages[1:]]}
    (source / "_toc.yml").write_text(json.dumps(toc))
    environment = measure.environment() | {"ABM_EDITION": str(folder), "JUPYTER_PATH": str(source / "jupyter")}
    try:
        jupyter_book = Path(measure.installed("jupyter-book", BOOK)).with_name("jupyter-book")
        began = time.perf_counter()
        subprocess.run([jupyter_book, "build", "-q", source], env=environment, cwd=PROJECT, check=True,
                       capture_output=True, text=True, timeout=measure.PATIENCE)  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        return [Figure(f"Jupyter Book could not be compared: {measure.told(error)}", float("nan"), "s")]
    wall = time.perf_counter() - began
    return [Figure("Jupyter Book", wall, "s"), Figure("forked / Jupyter Book", ours / wall, "x")]


def from_nothing(folder: Path, company: str) -> float:
    """The wall seconds of `abm run` on a copy of the company of which nothing is frozen or kept."""
    copy = folder / "company"
    shutil.copytree(company, copy, ignore=shutil.ignore_patterns(".abm"))
    command = [sys.executable, "-m", "abm_lib.cli", "run", str(copy), "--out", str(folder / "cold")]
    began = time.perf_counter()
    subprocess.run(command, env=measure.environment(), cwd=PROJECT, check=True, capture_output=True)
    return time.perf_counter() - began


def forked(folder: Path, company: str) -> None:
    """As `abm run` does: a fork server, two workers, each renders what it ran."""
    from abm_lib.run.kernels import forking

    with forking(print) as server:
        from abm_lib.run.execute import run_all

        notebooks, edition = folder / "notebooks", json.loads((folder / "edition.json").read_text("utf-8"))
        families = sorted(path.stem for path in notebooks.glob("*.ipynb"))
        given = {"quarter": edition["quarter"], "company": company}
        write = partial(exporter.write, edition, folder / "forked")
        run_all(
            families, given, folder, folder / "forked", os.cpu_count() or 2, lambda _: None, notebooks, write, server
        )


def one(folder: Path, company: str) -> None:
    """One Python process: papermill's own engine, then the page, for each notebook in turn."""
    import nbformat
    import papermill

    from abm_lib.run.render import render

    edition = json.loads((folder / "edition.json").read_text("utf-8"))
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        out = folder / "one" / path.name
        given = {"quarter": edition["quarter"], "company": company}
        papermill.execute_notebook(
            str(path), str(out), given, progress_bar=False, kernel_name="python3", cwd=str(PROJECT)
        )
        text = render(nbformat.read(out, as_version=4), path.stem, edition)
        out.with_suffix(".html").write_text(text, encoding="utf-8")


def shell(folder: Path, company: str) -> None:
    """A loop in the shell: `papermill`, then `jupyter nbconvert`, for each notebook."""
    quarter = json.loads((folder / "edition.json").read_text("utf-8"))["quarter"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), os.environ["PYTHONPATH"]])}
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        out = folder / "shell" / path.name
        given = ["-p", "quarter", quarter, "-p", "company", company, "-k", "python3", "--no-progress-bar"]
        for words in (
            ["papermill", str(path), str(out), *given],
            ["nbconvert", "--to", "exporter.Page", str(out)],
        ):
            subprocess.run(
                [sys.executable, "-m", *words], env=environment, cwd=PROJECT, check=True, capture_output=True
            )


WAYS = {"forked": forked, "one": one, "shell": shell}
NAMES = {
    "forked": "abm run's way: forked kernels, two at once",
    "one": "one Python process, papermill's own engine",
    "shell": "a loop in the shell: papermill, then jupyter nbconvert",
}

if __name__ == "__main__":
    if figures := main(sys.argv[1:]):
        print(measure.table(figures))
