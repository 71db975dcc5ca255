"""Run notebooks with papermill: parameters checked first, completeness checked after."""

from __future__ import annotations

import ast
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from ..errors import AbmError, EnvironmentFault, Fault, KernelDied, PublishRefused, UsageError, nearest, printable
from ..pages import EDITION_FOLDER
from .forkserver import Child
from .kernels import ADDRESS, ENGINE
from .reuse import Parts
from .workers import Died, Late, Tell, Told, Workers

ASKED = 'getattr(globals().get("page"), "asked", lambda: None)()'
DIED = "it was killed; by the system when memory runs out"
PRIVATE = "This copy may hold personal data. It is for the analysts of the company alone: pass on the report, never this notebook."
MORE_MEMORY = "fewer notebooks at once (--jobs 1), or more memory; then run again"


@dataclass(frozen=True)
class Executed:
    """One notebook that ran to its end: its family, where its copy with outputs lies, and the seconds it took."""

    family: str
    path: Path
    seconds: float
    read: list[str] | None = None  # the metrics that its page asked for; None where that cannot be told
    page: str = ""  # the sha256 of its page, once it is written
    parts: Parts | None = None  # … and what it was put together from
    peak: int = 0  # the most memory that its kernel held, in bytes


@dataclass(frozen=True)
class Limits:
    """Seconds that one cell, and reading, computing and all notebooks together may take."""

    cell: int = 600
    total: int = 3600
    spent: float = 0  # of the total, before the first notebook


LIMITS = Limits()


def notebooks_folder() -> Path:
    """Where the notebooks lie: inside the installed package, or beside it in the project."""
    package = Path(__file__).resolve().parents[1]
    folder = next((f for f in (package / "notebooks", package.parent / "notebooks") if f.is_dir()), None)
    if folder is None:
        raise EnvironmentFault(
            Fault("P21", "no-notebooks", str(package), "no notebooks", "the folder notebooks/", "install again")
        )
    return folder


def parameter_faults(path: Path, given: dict[str, str]) -> list[Fault]:
    """What keeps a notebook from being given its parameters. papermill only warns of a name that it does not know."""
    import papermill

    if not path.is_file():
        return [Fault("P21", "no-notebook", str(path), "no such file", "one notebook for each family", "install again")]
    declared = set(papermill.inspect_notebook(str(path)))
    return [
        Fault("C02", "unknown-parameter", path.name, name, nearest(name, declared) if declared else "no parameters cell",
              "correct the name, or add it to the cell tagged `parameters`")
        for name in given if name not in declared
    ]  # fmt: skip


def run_all(families: list[str], parameters: dict[str, str], edition: Path, out: Path, jobs: int,
            ran: Callable[[Executed], None], folder: Path | None = None,
            then: Callable[[Executed], Executed] | None = None, server: str = "",
            limits: Limits = LIMITS, now: Tell = lambda _: None) -> list[Executed]:  # fmt: skip
    """Run the notebook of every family, `jobs` at once, each in a fresh kernel; all are checked before the first one starts.

    The notebooks are the project's own unless `folder` names others. `then` is done with each in the process that ran it, `ran` here;
    `now` is told each cell that begins.
    `server` is the address of a fork server; without one every kernel does its own imports.

    Raises UsageError for parameters, PublishRefused naming every notebook that failed and its cell.
    """
    folder = folder or notebooks_folder()
    if faults := [fault for family in families for fault in parameter_faults(folder / f"{family}.ipynb", parameters)]:
        raise UsageError(faults)
    tasks = {
        f: partial(_run_then, then, folder / f"{f}.ipynb", out / f"{f}.analyst.ipynb", parameters, edition, limits)
        for f in families
    }
    done, died = [], False
    with Workers(min(jobs, len(families)), server) as workers:
        for family, answer in workers.each(tasks, max(limits.total - limits.spent, 0)):
            if isinstance(answer, Executed):
                done.append(answer)
                ran(answer)
            elif isinstance(answer, Told):
                now(f"{len(done)} of {len(families)} pages, {answer.what}")
            elif isinstance(answer, AbmError):
                faults += answer.faults
            elif isinstance(answer, Died):
                faults.append(_fault("runner-died", family, "its runner", DIED))
            elif isinstance(answer, Late):
                faults.append(_late(f"{family}.ipynb", f"not done after {limits.total} s for all notebooks"))
            died |= isinstance(answer, KernelDied | Died)
    if faults:
        raise KernelDied(faults) if died else PublishRefused(faults)
    return sorted(done, key=lambda e: families.index(e.family))


def _run_then(then: Callable[[Executed], Executed] | None, source: Path, target: Path, parameters: dict[str, str],
              edition: Path, limits: Limits, tell: Tell) -> Executed:  # fmt: skip
    executed = run_one(source, target, parameters, edition, limits, tell)
    tell(f"{executed.family}, its page")
    return then(executed) if then else executed


def run_one(source: Path, target: Path, parameters: dict[str, str], edition: Path, limits: Limits = LIMITS,
            now: Tell = lambda _: None) -> Executed:  # fmt: skip
    """Run one notebook into `target`. Raises PublishRefused when a cell failed or was skipped, KernelDied when it died."""
    import papermill
    from nbclient.exceptions import CellTimeoutError
    from papermill.exceptions import PapermillExecutionError

    logging.disable(logging.CRITICAL)
    os.environ[EDITION_FOLDER] = str(edition)
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    Child.last_peak = 0  # of this one's kernel, if it is forked
    began, failed, begun = time.monotonic(), None, ["its start"]
    published = target.with_name(source.name)
    nbformat.write(_without_exploring(source), published)

    def begin(cell: str) -> None:
        begun.append(cell)
        now(f"{source.stem}, {cell}")

    try:
        papermill.execute_notebook(
            str(published), str(target), parameters, kernel_name="python3", progress_bar=False, cwd=str(source.parent.parent),
            request_save_on_cell_execute=False, extra_arguments=["--IPKernelApp.log_level=50"],
            execution_timeout=limits.cell, engine_name=ENGINE if os.environ.get(ADDRESS) else None,
            on_cell_execute=lambda cell, cell_index: begin(f"cell {cell.get('id')}"),
        )  # fmt: skip
    except PapermillExecutionError as error:
        failed = _masked(f"{error.ename}: {error.evalue}")
    except CellTimeoutError:
        raise PublishRefused(_late(f"{source.name}  {begun[-1]}", f"still running after {limits.cell} s")) from None
    except RuntimeError:  # nbclient's DeadKernelError, or its word for a kernel that never answered
        raise KernelDied(_fault("kernel-died", source.stem, begun[-1], f"{DIED}; {_at_most()}")) from None
    if failed or unfinished(target):
        found = failed or "it did not run to its end"
        found += f"; {_at_most()}" if "MemoryError" in found else ""
        raise PublishRefused(_fault("cell-failed", source.stem, unfinished(target), found))
    return Executed(source.stem, target, time.monotonic() - began, _read(target), peak=_peak())


def _peak() -> int:
    """The most memory in bytes that the kernel which ended last held; of a kernel that was not forked, any before it counts too."""
    unit = 1 if sys.platform == "darwin" else 1024
    return Child.last_peak or resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def _at_most() -> str:
    return f"its kernel held {_peak() / 1e6:,.0f} MB at most"


def _without_exploring(source: Path) -> nbformat.NotebookNode:
    """The notebook without the analyst's corner: rows of people have no place in a run, and nobody would look at them.

    In its stead stands a cell that tells which metrics the page asked for. The first cell and the metadata say whom the copy is for.
    """
    notebook = nbformat.read(source, as_version=4)
    page = [cell for cell in notebook.cells if "explore" not in cell.metadata.get("tags", [])]
    warning = new_markdown_cell(f"**{PRIVATE}**", id="private", metadata={"tags": ["explore"]})
    notebook.cells = [warning, *page, new_code_cell(ASKED, id="asked", metadata={"tags": ["explore"]})]
    notebook.metadata["abm"] = {"personal_data": PRIVATE}
    return notebook


def _read(path: Path) -> list[str] | None:
    """What the last cell told: a list, or nothing."""
    outputs = nbformat.read(path, as_version=4).cells[-1].outputs
    return list(ast.literal_eval(outputs[0]["data"]["text/plain"])) if outputs else None


def unfinished(path: Path) -> str:
    """The first code cell that did not run to its end, by its id; empty where all did.

    papermill's own marks look complete after a cell exited, so the outputs and counts are read.
    """
    for cell in _code_cells(path):
        if cell.execution_count is None or any(output.output_type == "error" for output in cell.outputs):
            return f"cell {cell.get('id')}"
    return ""


def _code_cells(path: Path) -> list[nbformat.NotebookNode]:
    cells = nbformat.read(path, as_version=4).cells if path.is_file() else []
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def _fault(name: str, family: str, where: str, found: str) -> Fault:
    place = f"{family}.ipynb  {where}".strip()
    fix = MORE_MEMORY if DIED in found or "MemoryError" in found else "open the notebook and run it there"
    return Fault("P03", name, place, found, "every cell runs to its end", fix)


def _late(place: str, found: str) -> Fault:
    return Fault("P05", "too-slow", place, found, "an end", "open the notebook and run it there, or raise the limit")


@contextmanager
def within(seconds: float, step: str, limit: int) -> Iterator[None]:
    """Raises PublishRefused in the block once the time is up; `limit` is what the user gave. A thread has no alarm, and no limit."""

    fix = "raise --total-limit, or let it run where fewer others do"
    refused = PublishRefused(Fault("P05", "too-slow", step, f"not done after {limit} s", "an end", fix))
    rung = []

    def late(*_: object) -> None:
        rung.append(True)
        raise refused

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    except Exception as error:
        if rung:  # a query that is interrupted raises an error of its own
            raise refused from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _masked(text: str) -> str:
    """An error's text on one line, without what may be a person's address."""
    return " ".join("…@…" if "@" in word else word for word in printable(text).split(" "))
