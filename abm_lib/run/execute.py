"""Run notebooks with papermill: parameters checked first, completeness checked after."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import nbformat

from ..errors import AbmError, EnvironmentFault, Fault, PublishRefused, UsageError, nearest, printable
from ..page import EDITION_FOLDER


@dataclass(frozen=True)
class Executed:
    """One notebook that ran to its end: its family, where its copy with outputs lies, and the seconds it took."""

    family: str
    path: Path
    seconds: float


def notebooks_folder() -> Path:
    """Where the notebooks lie: inside the installed package, or beside it in the project."""
    package = Path(__file__).resolve().parents[1]
    folder = next((f for f in (package / "notebooks", package.parent / "notebooks") if f.is_dir()), None)
    if folder is None:
        raise EnvironmentFault(
            Fault("P21", "no-notebooks", str(package), "no notebooks", "the folder notebooks/", "install again")
        )
    return folder


def check_parameters(path: Path, given: dict[str, str]) -> None:
    """Refuse a parameter that the notebook does not declare, or one that it declares and nobody gives: papermill only warns."""
    import papermill

    declared = set(papermill.inspect_notebook(str(path)))
    faults = [
        Fault("C02", "unknown-parameter", path.name, name, nearest(name, declared) if declared else "no parameters cell",
              "correct the name, or add it to the cell tagged `parameters`")
        for name in given if name not in declared
    ]  # fmt: skip
    if faults:
        raise UsageError(faults)


def run_all(families: list[str], parameters: dict[str, str], edition: Path, out: Path, jobs: int,
            said: Callable[[str], None]) -> list[Executed]:  # fmt: skip
    """Run the notebook of every family, `jobs` at once, each in a fresh kernel; all are checked before the first one starts.

    Raises UsageError for parameters, PublishRefused naming every notebook that failed and its cell.
    """
    folder = notebooks_folder()
    for family in families:
        check_parameters(folder / f"{family}.ipynb", parameters)
    faults, done = [], []
    # Processes, not threads: papermill changes the working directory and the loggers of its process.
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(run_one, folder / f"{f}.ipynb", out / f"{f}.analyst.ipynb", parameters, edition): f
            for f in families
        }
        for future in as_completed(waiting):
            try:
                done.append(future.result())
                said(f"notebook {waiting[future]}: {done[-1].seconds:.1f} s")
            except AbmError as error:
                faults += error.faults
    if faults:
        raise PublishRefused(faults)
    return sorted(done, key=lambda e: families.index(e.family))


def run_one(source: Path, target: Path, parameters: dict[str, str], edition: Path) -> Executed:
    """Run one notebook into `target`. Raises PublishRefused when a cell failed, was skipped, or the kernel died."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.disable(logging.CRITICAL)
    os.environ[EDITION_FOLDER] = str(edition)
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    began = time.monotonic()
    try:
        papermill.execute_notebook(str(source), str(target), parameters, kernel_name="python3", progress_bar=False,
                                   request_save_on_cell_execute=False, cwd=str(source.parent.parent))  # fmt: skip
    except PapermillExecutionError as error:
        found = printable(f"{error.ename}: {error.evalue}")
        raise PublishRefused(_fault("cell-failed", source, f"cell {error.exec_count}", _masked(found))) from None
    except DeadKernelError:
        raise PublishRefused(_fault("kernel-died", source, "the kernel", "it died (out of memory?)")) from None
    check_complete(target)
    return Executed(source.stem, target, time.monotonic() - began)


def check_complete(path: Path) -> None:
    """Every code cell ran to its end: papermill's own marks look complete after a kernel was killed or a cell exited."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    faults = [
        _fault("cell-not-run", path, f"cell {cell.get('id', place)}", "it did not run to its end")
        for place, cell in enumerate(code)
        if cell.execution_count is None or any(output.output_type == "error" for output in cell.outputs)
    ]
    if faults:
        raise PublishRefused(faults)


def _fault(name: str, path: Path, where: str, found: str) -> Fault:
    return Fault(
        "P03", name, f"{path.name}  {where}", found, "every cell runs to its end", "open the notebook and run it there"
    )


def _masked(text: str) -> str:
    """An error's text without what may be a person's address."""
    return " ".join("…@…" if "@" in word else word for word in text.split(" "))
