"""The project's page as an exporter of nbconvert: `jupyter nbconvert --to exporter.Page NOTEBOOK`, for the loop that is compared."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter

from abm_lib.run.execute import Executed
from abm_lib.run.render import render


class Page(HTMLExporter):
    """The same page as `abm run` makes: same template, same drawings, same checks of the bytes."""

    def from_notebook_node(self, nb: Any, resources: Any = None, **_: Any) -> tuple[str, dict[str, Any]]:
        edition = json.loads(Path(os.environ["ABM_EDITION"], "edition.json").read_text("utf-8"))
        resources = self._init_resources(resources)
        return render(nb, resources["metadata"]["name"], edition), resources


def write(edition: dict[str, Any], folder: Path, executed: Executed) -> Executed:
    """The page of a notebook that ran."""
    text = render(nbformat.read(executed.path, as_version=4), executed.family, edition)
    (folder / f"{executed.family}.html").write_text(text, encoding="utf-8")
    return executed
