"""The pages of the sample company as they are published, made once in a test run, whichever worker asks first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
import readings_fixture as invented
from filelock import FileLock
from tiny import sample_readings

from abm_lib.metric import REGISTER
from abm_lib.pages import Page
from abm_lib.run import forms
from abm_lib.run.render import render

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def name_of(family: str) -> str:
    return "index.html" if family == "summary" else f"{family}.html"


def published_pages(temporary: pytest.TempPathFactory, families: Sequence[str]) -> Path:
    """The folder in which the pages of these families lie with their script."""
    place = temporary.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    folder = place / "pages"
    readings = sample_readings(temporary)
    with FileLock(place / "pages.lock"):
        folder.mkdir(exist_ok=True)
        (folder / forms.SCRIPT).write_text(forms.script(), "utf-8")
        for family in families:
            if not (folder / name_of(family)).exists():
                notebook = nbformat.read(NOTEBOOKS / f"{family}.ipynb", 4)
                done = invented.run_cells(notebook, Page(family, readings, invented.EDITION, REGISTER))
                (folder / name_of(family)).write_text(render(done, family, invented.EDITION), "utf-8")
    return folder
