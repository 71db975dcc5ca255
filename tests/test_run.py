"""The run: what is published, what never is, and what a reader sees when something fails half way."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import pandas as pd
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from small_company import write

from abm_lib import edition, metrics, readings, store
from abm_lib.company import open_company
from abm_lib.errors import (
    Busy,
    CaveatsFound,
    EnvironmentFault,
    InputRefused,
    KernelDied,
    PublishRefused,
    UsageError,
)
from abm_lib.run import execute, gate, kernels, log, make, place, publish
from abm_lib.run.forkserver import Child

PARAMETERS = 'quarter = "2026Q1"\ncompany = ""'
KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
GIVEN = {"quarter": "2026Q1", "company": "firm"}


def notebook(folder: Path, name: str, *cells: str, parameters: str = PARAMETERS) -> Path:
    """A notebook whose code cells are named one, two, three, four."""
    names = ("one", "two", "three", "four")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = new_notebook(metadata={"kernelspec": kernel})
    made.cells.append(new_markdown_cell("# A page", id="title"))
    if parameters:
        made.cells.append(new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}))
    made.cells += [new_code_cell(source, id=cell) for cell, source in zip(names, cells, strict=False)]
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A company folder, and its readings computed once."""
    folder = write(tmp_path_factory.mktemp("firm"))
    company = open_company(folder)
    assert metrics.FAMILIES
    return folder, readings.read(company, company.quarter("2026Q1"), families=["revenue"])


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """One fork server for all runs of the module, as `kernels.forking` gives it to one."""
    with kernels.forking(lambda _: None) as address:
        yield lambda said: nullcontext(address)


@pytest.fixture
def run(
    small: tuple[Path, pd.DataFrame], server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """`publish.run` on the small company with notebooks of the test's own and readings that were computed before."""
    folder, table = small
    monkeypatch.setattr(publish, "forking", server)
    monkeypatch.setattr(publish.reading, "read", lambda *_, **__: table)

    def go(*cells: str, said: Callable[[str], None] = lambda _: None, **settings: Any) -> Path:
        for name in ("summary", "ads"):
            notebook(tmp_path / "notebooks", name, *(cells if name == "ads" else ("one = 1",)))
        return publish.run(str(folder), quarter="2026Q1", out=tmp_path / "reports", only=("ads",), said=said,
                           notebooks=tmp_path / "notebooks", **settings)  # fmt: skip

    return go


@pytest.fixture
def without_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run with one page that no notebook made: for what is the same whatever the pages hold."""

    def one_page(self: make.Pages, *_: Any) -> dict[str, str]:
        (self.staging / "edition.json").write_text('{"families": ["summary"]}')
        (self.staging / "index.html").write_text("<h1>x</h1>")
        return {"index.html": sha256(b"<h1>x</h1>").hexdigest()}

    monkeypatch.setattr(make.Pages, "make", one_page)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder by its path, symbolic links by where they lead; lock files left out."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in [*files, *folders]:
            path = Path(parent, name)
            if path.is_symlink():
                found[str(path.relative_to(folder))] = str(path.readlink()).encode()
            elif path.is_file() and path.suffix != ".lock":
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


# One notebook


@pytest.mark.parametrize(
    ("cells", "error", "cell", "found"),
    [
        (("one = 1", "1 / 0", "three = 3"), PublishRefused, "two", "ZeroDivisionError: division by zero"),
        (("one = 1", "import sys\nsys.exit(0)", "three = 3"), PublishRefused, "two", "it did not run to its end"),
        (("one = 1", "import sys\nsys.exit('no more')", "three = 3"), PublishRefused, "two", "SystemExit: no more"),
        (("one = 1", KILL, "three = 3"), KernelDied, "two", "it was killed"),
        (("one = 1", KILL), KernelDied, "two", "it was killed"),
        (("raise ValueError('ann@alpha.example was here')",), PublishRefused, "one", "ValueError: …@… was here"),
    ],
    ids=["raises", "exits with 0", "exits with words", "is killed", "is killed in the last cell", "names a person"],
)
def test_a_notebook_that_does_not_reach_its_end_is_refused_with_its_cell(
    tmp_path: Path, cells: tuple[str, ...], error: type[Exception], cell: str, found: str
) -> None:
    source = notebook(tmp_path / "notebooks", "ads", *cells)
    with pytest.raises(error) as caught:
        execute.run_one(source, tmp_path / "out.ipynb", GIVEN, tmp_path)
    (fault,) = caught.value.faults  # type: ignore[attr-defined]
    assert fault.where == f"ads.ipynb  cell {cell}"
    assert fault.found.startswith(found)
    if error is KernelDied:
        held = re.search(r"its kernel held ([\d,]+) MB at most", fault.found)
        assert held and int(held[1].replace(",", "")) > 20
        assert "memory" in fault.fix


def test_a_cell_out_of_memory_says_how_much_its_own_kernel_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "last_peak", 162_000_000)  # of the kernel before it, which was forked
    source = notebook(tmp_path / "notebooks", "ads", "full = bytearray(400_000_000)", "raise MemoryError")
    with pytest.raises(PublishRefused) as caught:
        execute.run_one(source, tmp_path / "out.ipynb", GIVEN, tmp_path)
    (fault,) = caught.value.faults
    held = re.search(r"MemoryError.*held ([\d,]+) MB at most", fault.found)
    assert fault.where == "ads.ipynb  cell two" and held and int(held[1].replace(",", "")) > 400
    assert "--jobs 1" in fault.fix


def test_a_query_that_the_limit_interrupts_is_too_slow_and_no_bug() -> None:
    query = "select sum(a.range * b.range % 7) from range(10000000) a, range(10000000) b"
    with pytest.raises(PublishRefused) as caught, execute.within(0.2, "readings", 9):
        store.connect().execute(query).fetchall()
    assert [(fault.where, fault.found) for fault in caught.value.faults] == [("readings", "not done after 9 s")]


def test_the_copy_that_a_run_leaves_says_that_it_is_for_analysts_alone(tmp_path: Path) -> None:
    source = notebook(tmp_path / "notebooks", "ads", "raise ValueError('of whom?')")
    with pytest.raises(PublishRefused):
        execute.run_one(source, tmp_path / "ads.analyst.ipynb", GIVEN, tmp_path)
    for copy in (tmp_path / "ads.analyst.ipynb", tmp_path / "ads.ipynb"):
        left = nbformat.read(copy, as_version=4)
        first = next(cell for cell in left.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", []))
        assert "may hold personal data" in first.source and first.cell_type == "markdown"
        assert left.metadata["abm"]["personal_data"] in first.source
    assert "abm" not in nbformat.read(source, as_version=4).metadata


def test_a_notebook_gets_its_parameters_and_the_runs_folder(tmp_path: Path) -> None:
    source = notebook(tmp_path / "notebooks", "ads", "import os\nprint(quarter, company, os.environ['ABM_EDITION'])")
    done = execute.run_one(source, tmp_path / "out.ipynb", GIVEN, tmp_path / "edition")
    assert (done.family, done.path) == ("ads", tmp_path / "out.ipynb")
    (output,) = nbformat.read(done.path, as_version=4).cells[-2].outputs
    assert output.text == f"2026Q1 firm {tmp_path / 'edition'}\n"


def test_every_notebook_is_checked_for_its_parameters_before_one_runs(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    notebook(folder, "summary", "1", parameters='quater = "2026Q1"\ncompany = ""')
    notebook(folder, "ads", "1", parameters="")
    with pytest.raises(UsageError) as caught:
        execute.run_all(["summary", "ads", "web"], GIVEN, tmp_path, tmp_path, 1, lambda _: None, folder)
    found = [(fault.rule, fault.where, fault.found, fault.expected) for fault in caught.value.faults]
    assert found == [
        ("C02", "summary.ipynb", "quarter", "did you mean 'quater'?"),
        ("C02", "ads.ipynb", "quarter", "no parameters cell"),
        ("C02", "ads.ipynb", "company", "no parameters cell"),
        ("P21", str(folder / "web.ipynb"), "no such file", "one notebook for each family"),
    ]
    assert not list(tmp_path.glob("*.ipynb"))


def test_the_projects_own_notebooks_take_the_parameters_that_are_given() -> None:
    folder = execute.notebooks_folder()
    for path in folder.glob("*.ipynb"):
        assert execute.parameter_faults(path, GIVEN) == []


# Published or not


def test_what_is_published_is_whole_and_its_hashes_are_right(run: Callable[..., Path], tmp_path: Path) -> None:
    said: list[str] = []
    folder = run("one = 1", said=said.append)
    assert folder == tmp_path / "reports" / "2026Q1"
    assert folder.is_symlink() and folder.resolve().parent == tmp_path / "reports" / ".editions" / "2026Q1"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "index.html",
        "ads.html",
        "abm.js",
        "readings.csv",
        "readings.parquet",
        "run.json",
        "manifest.json",
    }
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"] == {
        name: sha256((folder / name).read_bytes()).hexdigest() for name in names - {"manifest.json"}
    }
    firm = folder.parent.parent
    assert manifest["inputs"]["accounts.csv"]["rows"] == 3
    assert str(firm) not in (folder / "manifest.json").read_text()
    assert gate.verify(folder) == []
    assert "2026Q1/index.html" in (tmp_path / "reports" / "index.html").read_text()
    assert said[0].startswith("inputs: 4 files") and said[-1].startswith(f"published {folder}")
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o644"}


def test_later_inputs_are_held_against_those_of_the_edition_and_a_failed_run_changes_nothing_of_that(
    run: Callable[..., Path], small: tuple[Path, pd.DataFrame]
) -> None:
    kept = small[0] / ".abm" / store.EDITION
    kept.unlink(missing_ok=True)
    with pytest.raises(PublishRefused):
        run("1 / 0")
    assert not kept.exists()
    run("one = 1")
    last = store.last_notes(small[0])
    assert last["edition"] == "2026Q1"
    assert last["profile"]["accounts"]["rows"] == 3
    assert last["headers"]["crm.accounts"] == ["account_id", "name", "segment"]


def test_a_failed_run_publishes_nothing_and_leaves_the_old_edition_as_it_was(
    run: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(PublishRefused):
        run("1 / 0")
    assert place.published(tmp_path / "reports") == []
    assert contents(tmp_path / "reports") == {}
    run("one = 1")
    before = contents(tmp_path / "reports")
    with pytest.raises(KernelDied) as caught:
        run("one = 1", KILL)
    assert caught.value.exit_code == 138
    assert [fault.where for fault in caught.value.faults] == ["ads.ipynb  cell two"]
    with pytest.raises(PublishRefused) as refused:
        run("1 / 0")
    assert refused.value.exit_code == 5
    assert contents(tmp_path / "reports") == before


def test_with_fail_on_caveat_nothing_is_published_while_a_number_carries_one(
    run: Callable[..., Path], small: tuple[Path, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = small[1].reset_index(drop=True).assign(caveats="")
    monkeypatch.setattr(publish.Made, "readings", lambda self: table)
    now = table["quarter"] == "2026Q1"
    table.loc[table[now & table["value"].isna()].index[:1], "caveats"] = "why there is no number"
    table.loc[table[~now].index[:1], "caveats"] = "of another quarter"
    assert run("one = 1", fail_on="caveat").is_dir()
    before = contents(tmp_path / "reports")
    table.loc[table[now & table["value"].notna()].index[:2], "caveats"] = ["one", "one; two"]
    with pytest.raises(CaveatsFound) as caught:
        run("one = 1", fail_on="caveat")
    assert caught.value.exit_code == 4
    assert [fault.found for fault in caught.value.faults] == ["one (2 numbers)", "two (1 numbers)"]
    assert contents(tmp_path / "reports") == before


def test_what_was_told_of_the_inputs_is_said_in_short() -> None:
    faults = [{"level": level, "rule": "F118", "name": "utm-misspelt"} for level in "DND"]
    assert publish._in_short([*faults, {"level": "Q", "rule": "F031", "name": "wrong-value"}]) == (
        "2 D F118 utm-misspelt, 1 Q F031 wrong-value"
    )
    assert publish._in_short([]) == ""


HOSTILE = """
from IPython.display import display
page = {"kind": "prose", "html": "<script>x</script>", "figures": 0, "tables": 0, "wide": True}
display({"application/vnd.abm+json": page}, raw=True)
"""


def test_a_page_that_holds_what_it_may_not_is_not_published(run: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(PublishRefused) as caught:
        run(HOSTILE)
    assert {fault.rule for fault in caught.value.faults} >= {"script"} or "script" in str(caught.value)
    assert contents(tmp_path / "reports") == {}


@pytest.mark.usefixtures("without_notebooks")
def test_a_form_with_a_fault_in_its_bytes_is_not_published(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("one = 1")
    before = contents(tmp_path / "reports")

    def planted(staging: Path, *_: Any) -> None:
        (staging / "report.html").write_text("<main>other words</main>")

    monkeypatch.setattr(publish.deliver, "write", planted)
    with pytest.raises(PublishRefused) as caught:
        run("2 + 2", forms=("single",))
    assert caught.value.exit_code == 5
    assert [(fault.name, fault.where) for fault in caught.value.faults] == [("other-text", "report.html")]
    assert contents(tmp_path / "reports") == before


@pytest.mark.usefixtures("without_notebooks")
def test_readings_that_take_longer_than_the_whole_run_may_are_refused(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("one = 1")
    before = contents(tmp_path / "reports")
    monkeypatch.setattr(publish.reading, "read", lambda *_, **__: time.sleep(60))
    monkeypatch.setattr(publish.Made, "readings", lambda _: None)
    with pytest.raises(PublishRefused) as caught:
        run("2 + 2", limits=execute.Limits(total=1))
    (fault,) = caught.value.faults
    assert (fault.rule, fault.name, fault.found) == ("P05", "too-slow", "not done after 1 s")
    assert fault.where in ("inputs", "readings") and "--total-limit" in fault.fix
    assert contents(tmp_path / "reports") == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.usefixtures("without_notebooks")
def test_a_new_edition_replaces_the_link_and_keeps_the_old_folder_for_its_readers(
    run: Callable[..., Path], tmp_path: Path
) -> None:
    first = run("one = 1").resolve()
    before = contents(first)
    second = run("2 + 2").resolve()
    assert second != first
    assert contents(first) == before
    assert gate.verify(tmp_path / "reports" / "2026Q1") == []
    assert sorted(p.name for p in (tmp_path / "reports").iterdir() if not p.name.startswith(".")) == [
        "2026Q1",
        "index.html",
    ]


def test_a_second_run_at_once_is_told_to_wait_and_touches_nothing(run: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "reports"
    out.mkdir()
    working = out / ".editions" / "2026Q1" / ".20260101T000000Z-aaaaaa"
    working.mkdir(parents=True)
    with FileLock(out / ".2026Q1.lock"), pytest.raises(Busy) as caught:
        run("one = 1")
    assert caught.value.exit_code == 75
    assert [(fault.rule, fault.where) for fault in caught.value.faults] == [("P08", str(out / "2026Q1"))]
    assert working.is_dir()


@pytest.mark.usefixtures("without_notebooks")
def test_the_one_that_waits_is_told_who_holds_the_lock_before_it_reads_an_input(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = run("one = 1").resolve().name
    monkeypatch.setattr(publish, "open_company", lambda *_: pytest.fail("inputs come after the lock"))
    with FileLock(tmp_path / "reports" / ".2026Q1.lock"), pytest.raises(Busy) as caught:
        run("one = 1")
    assert caught.value.faults[0].found.startswith(f"run {held} holds the lock since 20")


@pytest.mark.usefixtures("without_notebooks")
def test_a_lock_file_of_a_process_that_is_gone_holds_nobody_up(run: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / ".2026Q1.lock").write_text("run 20260101T000000Z-aaaaaa holds the lock since long ago")
    assert run("one = 1").is_dir()


@pytest.mark.usefixtures("without_notebooks")
def test_another_quarter_may_be_published_meanwhile(run: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    with FileLock(tmp_path / "reports" / ".2025Q4.lock"):
        assert run("one = 1").is_dir()


def runs(folder: Path) -> dict[str, dict[str, Any]]:
    """run.json of every run of a company folder."""
    return {path.parent.name: json.loads(path.read_text()) for path in (folder / ".abm" / "runs").glob("*/run.json")}


@pytest.mark.usefixtures("without_notebooks")
@pytest.mark.parametrize(
    ("step", "name", "error", "code"),
    [
        ("open_company", "inputs", InputRefused([]), 3),
        ("_compute", "readings", SystemExit(143), 143),
        ("_compute", "readings", ValueError("a bug"), 1),
        ("Pages", "pages", KeyboardInterrupt(), 130),
        ("_pass", "gate", PublishRefused([]), 5),
        ("_promote", "promote", OSError(28, "No space left on device"), 7),
    ],
    ids=["refused", "stopped", "bug", "interrupted", "gate", "full"],
)
def test_however_a_run_ends_run_json_says_the_exit_of_the_process_and_the_step(
    run: Callable[..., Path], small: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch, step: str, name: str,
    error: BaseException, code: int
) -> None:  # fmt: skip
    def fail(*_: Any) -> None:
        raise error

    before = runs(small[0])
    monkeypatch.setattr(publish, step, fail)
    with pytest.raises(EnvironmentFault if code == 7 else type(error)):
        run("one = 1")
    (said,) = (each for run_id, each in runs(small[0]).items() if run_id not in before)
    assert (said["exit"], said["step"]) == (code, name)


@pytest.mark.usefixtures("without_notebooks")
def test_run_json_of_a_run_that_published_has_the_seconds_of_each_step(
    run: Callable[..., Path], small: tuple[Path, pd.DataFrame]
) -> None:
    name = run("one = 1").resolve().name
    said = runs(small[0])[name]
    assert said["exit"] == 0
    assert list(said["steps"]) == ["inputs", "readings", "pages", "gate", "forms", "promote"]


def test_a_run_that_waits_or_is_asked_for_what_is_not_there_says_so_in_run_json(tmp_path: Path) -> None:
    firm, out = write(tmp_path / "firm"), tmp_path / "reports"
    with pytest.raises(UsageError):
        publish.run(str(firm), quarter="2031Q1", out=out)
    with FileLock(out / ".2026Q1.lock"), pytest.raises(Busy):
        publish.run(str(firm), quarter="2026Q1", out=out)
    (firm / "abm.toml").write_text("[company]\n")
    with pytest.raises(UsageError):
        publish.run(str(firm), out=out)
    assert [runs(firm)[name]["exit"] for name in sorted(runs(firm))] in ([2, 75, 2], [2, 2, 75], [75, 2, 2])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        publish.run(str(tmp_path / "empty"), out=out)
    assert list((tmp_path / "empty").iterdir()) == [], "what is no company folder is left alone"


@pytest.mark.parametrize(
    ("error", "code"),
    [(None, 0), (SystemExit(), 0), (SystemExit("words"), 1), (SystemExit(143), 143), (OSError(28, "full"), 7)],
)
def test_an_error_has_the_exit_of_its_process(error: BaseException | None, code: int) -> None:
    assert log.exit_code(error) == code


@pytest.mark.usefixtures("without_notebooks")
def test_one_folder_holds_editions_for_the_same_readers_alone(run: Callable[..., Path], tmp_path: Path) -> None:
    folder = run("one = 1")
    before = contents(tmp_path / "reports")
    with pytest.raises(UsageError) as caught:
        run("one = 1", profile="shared")
    (fault,) = caught.value.faults
    assert (fault.found, fault.expected) == (
        "editions of profile internal, such as 2026Q1", "editions of profile shared alone",
    )  # fmt: skip
    assert (folder.is_symlink(), contents(tmp_path / "reports")) == (True, before)


@pytest.mark.usefixtures("without_notebooks")
def test_a_folder_without_symbolic_links_is_told_before_the_work(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(publish, "open_company", lambda *_: pytest.fail("no work was to be done"))
    with pytest.raises(EnvironmentFault) as caught:
        run("one = 1")
    assert [fault.rule for fault in caught.value.faults] == ["P12"]
    assert contents(tmp_path / "reports") == {}


@pytest.mark.usefixtures("without_notebooks")
def test_what_a_killed_run_left_behind_is_cleared_by_the_next(run: Callable[..., Path], tmp_path: Path) -> None:
    left = tmp_path / "reports" / ".editions" / "2026Q1" / ".20260101T000000Z-aaaaaa"
    left.mkdir(parents=True)
    (left / "readings.csv").write_text("half")
    out, dead = tmp_path / "reports", dead_process()
    link, other = out / ".2026Q1.20260101T000000Z-aaaaaa", out / ".2025Q4.20260101T000000Z-aaaaaa"
    for each in (link, other):
        each.symlink_to("nowhere")
    index, working = out / f".index.{dead}", out / f".index.{os.getppid()}"
    for each in (index, working):
        each.write_text("half")
    run("one = 1")
    there = {path for path in (left, link, other, index, working) if os.path.lexists(path)}
    assert there == {other, working}, "another quarter's run and another process may be at work"


@pytest.mark.usefixtures("without_notebooks")
def test_what_a_killed_run_had_spilled_and_its_drafts_are_cleared_by_the_next(
    run: Callable[..., Path], small: tuple[Path, pd.DataFrame]
) -> None:
    kept, dead = small[0] / ".abm", dead_process()
    there = []
    for process in (dead, os.getppid()):
        (kept / f"spill-{process}").mkdir()
        (kept / f"spill-{process}" / "duckdb_temp_storage-0.tmp").write_text("rows of people")
        (kept / "made").mkdir(exist_ok=True)
        drafts = [
            f"spill-{process}",
            f"last_edition.json.{process}",
            f"store/draft-{process}.parquet",
            f"made/.ads.{process}",
        ]
        there += [kept / place for place in drafts]
        for draft in drafts[1:]:
            (kept / draft).write_text("half")
    run("one = 1")
    assert [path for path in there if path.exists()] == there[4:], "another process may be at work"
    shutil.rmtree(there[4])
    for path in there[5:]:
        path.unlink()


def dead_process() -> int:
    """The id of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


@pytest.mark.usefixtures("without_notebooks")
def test_the_lock_is_free_again_after_a_run(run: Callable[..., Path], tmp_path: Path) -> None:
    run("one = 1")
    with FileLock(tmp_path / "reports" / ".2026Q1.lock", timeout=0):
        pass


@pytest.mark.usefixtures("without_notebooks")
def test_a_disk_that_is_full_is_an_environment_fault_and_publishes_nothing(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("one = 1")
    before = contents(tmp_path / "reports")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "reports" / "x"))

    monkeypatch.setattr(publish, "_write_manifest", full)
    with pytest.raises(EnvironmentFault) as caught:
        run("2 + 2")
    (fault,) = caught.value.faults
    assert (fault.rule, fault.found, caught.value.exit_code) == ("P07", "No space left on device", 7)
    assert contents(tmp_path / "reports") == before


@pytest.mark.usefixtures("without_notebooks")
@pytest.mark.parametrize("step", ["_compute", "Pages", "_write_manifest", "_promote"])
def test_whatever_step_fails_the_reader_sees_the_old_edition(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run("one = 1")
    before = contents(tmp_path / "reports")

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, step, fail)
    with pytest.raises(KeyboardInterrupt):
        run("2 + 2")
    assert contents(tmp_path / "reports") == before


@pytest.mark.usefixtures("without_notebooks")
@pytest.mark.parametrize(
    ("owner", "step", "of", "seen"),
    [
        (Path, "rename", "2026Q1/.2", "old"),
        (Path, "symlink_to", ".2026Q1.2", "old"),
        (Path, "replace", ".2026Q1.2", "old"),
        (publish, "_write_index", "reports", "new"),
    ],
    ids=["before the folder is named", "before the pointer", "before the pointer is turned", "before the index"],
)
def test_interrupted_while_it_is_put_in_force_a_reader_sees_the_old_edition_or_the_new_one(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str, of: str, seen: str
) -> None:
    out = tmp_path / "reports"
    old, real = run("one = 1").resolve(), getattr(owner, step)

    def stop(path: Path, *given: Any, **more: Any) -> Any:
        if of in str(path) and not (
            step == "symlink_to" and given == (out.name,)
        ):  # that one only asks whether links work
            raise KeyboardInterrupt
        return real(path, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, stop)
        with pytest.raises(KeyboardInterrupt):
            run("2 + 2")
    now = (out / "2026Q1").resolve(strict=True)
    assert (now == old) is (seen == "old")
    assert gate.verify(now) == []
    assert gate.verify(run("2 + 2")) == [], "the next run needs no cleaning"
    assert not list(out.glob(".2026Q1.2*")) and not list((out / ".editions" / "2026Q1").glob(".*"))


@pytest.mark.usefixtures("without_notebooks")
def test_a_clock_that_jumps_back_gives_no_negative_seconds_and_no_id_twice(
    run: Callable[..., Path], small: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        told: ClassVar[int] = 0

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            cls.told += 1
            return datetime(2026, 4, 1, 12, tzinfo=tz) - timedelta(hours=cls.told)

    monkeypatch.setattr(log, "datetime", Clock)
    first = run("one = 1").resolve()
    monkeypatch.setattr(publish, "datetime", Clock)
    Clock.told = 0
    second = run("one = 1").resolve()
    Clock.told = 0
    third = run("one = 1").resolve()
    assert second.name[:16] == third.name[:16] and len({first, second, third}) == 3
    said = [runs(small[0])[folder.name] for folder in (first, second, third)]
    assert all(seconds >= 0 for each in said for seconds in (each["seconds"], *each["steps"].values()))


@pytest.mark.usefixtures("without_notebooks")
def test_reports_on_another_file_system_than_the_company_are_put_in_force_in_one_step(
    run: Callable[..., Path], tmp_path: Path
) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm: no other file system on this machine")
    with tempfile.TemporaryDirectory(dir=memory) as elsewhere:
        (tmp_path / "reports").symlink_to(elsewhere)
        folder = run("one = 1")
        assert folder == Path(elsewhere) / "2026Q1"
        assert gate.verify(folder) == []
        assert folder.resolve().stat().st_dev == memory.stat().st_dev


# Afterwards


@pytest.mark.usefixtures("without_notebooks")
def test_a_changed_added_or_missing_file_of_an_edition_is_noticed(
    run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run("one = 1")
    page = bytearray((folder / "index.html").read_bytes())
    page[1] ^= 1
    (folder / "index.html").write_bytes(page)
    (folder / "readings.csv").unlink()
    (folder / "extra.html").write_text("x")
    found = {(fault.rule, Path(fault.where).name, fault.found) for fault in gate.verify(folder)}
    assert found == {
        ("P24", "index.html", "other bytes"), ("P24", "readings.csv", "missing"), ("P24", "extra.html", "not published"),
    }  # fmt: skip
    (folder / "manifest.json").write_text("{")
    assert [fault.name for fault in gate.verify(folder)] == ["manifest-broken"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a\r=1", "a\n=1", '=HYPERLINK("x")', "plain", "5-1"]
)
def test_no_text_of_the_readings_is_a_formula_to_a_spreadsheet(tmp_path: Path, text: str) -> None:
    table = pd.DataFrame({"metric": ["m"], "slice": [text], "value": [-1.5]})
    edition.write(tmp_path, table, {})
    with (tmp_path / "readings.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["slice"].lstrip("'").split() == text.split()
    assert row["slice"][0] not in "=+-@\t\r" and not set(row["slice"]) & set("\r\n")
    assert row["value"] == "-1.5"
    assert pd.read_parquet(tmp_path / "readings.parquet")["slice"][0] == text


REVENUE = 'import abm_lib as abm\npage = abm.page("revenue", quarter, company)'


def test_two_runs_with_the_same_readings_publish_the_same_pages(run: Callable[..., Path]) -> None:
    editions = [run(REVENUE, "page.scorecard('deals_won')").resolve() for _ in range(2)]
    first, second = (but_for_its_name(edition) for edition in editions)
    assert first == second
    assert b"deals_won" in first["ads.html"]
    ran = [set(json.loads((edition / "run.json").read_text())["notebooks"]) for edition in editions]
    assert ran == [{"summary", "ads"}, {"summary"}], "the other page asked for nothing that could be told"


def but_for_its_name(edition: Path) -> dict[str, bytes]:
    """The files of an edition with its run's id taken out, but for what speaks of the run itself."""
    told = {name: data.replace(edition.name.encode(), b"") for name, data in contents(edition).items()}
    return {name: data for name, data in told.items() if name not in ("manifest.json", "run.json")}


def test_a_kept_page_with_another_byte_is_never_published(run: Callable[..., Path], small: tuple[Path, Any]) -> None:
    first = but_for_its_name(run(REVENUE, "page.scorecard('deals_won')").resolve())
    for path in (small[0] / ".abm" / "made").glob("ads-*.json"):
        data = path.read_bytes()
        path.write_bytes(data.replace(b"deals_won", b"deals_wan"))
    assert but_for_its_name(run(REVENUE, "page.scorecard('deals_won')").resolve()) == first


# The real thing


@pytest.mark.slow
def test_a_small_sample_company_is_published_from_end_to_end(tmp_path: Path) -> None:
    from abm_lib import sample

    sample.write(tmp_path / "firm", scale=0.02)
    folder = publish.run(str(tmp_path / "firm"), out=tmp_path / "reports", only=("ads",))
    assert gate.verify(folder) == []
    assert {"index.html", "ads.html"} <= {path.name for path in folder.iterdir()}
    described = json.loads((folder / "manifest.json").read_text())["edition"]
    assert date.fromisoformat(described["period_start"]) < date.fromisoformat(described["period_end"])
    told = _abm("notify", str(folder), "--to", "json://127.0.0.1/x", "--link", "https://reports.firm.example/q3")
    assert told.returncode == 0 and "not sent" in told.stdout
    assert (
        f"ABM report Q3 2026, {described['state']}" in told.stdout and "https://reports.firm.example/q3" in told.stdout
    )
    assert not list(folder.resolve().parent.glob("*.sent"))
    (folder / "ads.html").write_text("another page")
    assert _abm("notify", str(folder), "--to", "json://127.0.0.1/x", "--send").returncode == 5


def _abm(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "abm_lib.cli", *words], capture_output=True, text=True)


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_the_old_edition_and_the_next_run_is_clean(tmp_path: Path) -> None:
    from abm_lib import sample

    sample.write(tmp_path / "firm", scale=0.02)
    out = tmp_path / "reports"
    command = [sys.executable, "-m", "abm_lib.cli", "run", str(tmp_path / "firm"), "--out", str(out), "--only", "ads"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    before = contents(out)
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    for _ in _until(lambda: any((out / ".editions").glob("*/.*/edition.json")), started):
        pass
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    now = {name: content for name, content in contents(out).items() if "/." not in name.removeprefix(".editions")}
    assert now == before
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert gate.verify(next(out.glob("2*"))) == []
    assert not list((out / ".editions").glob("*/.*"))


def _until(reached: Callable[[], bool], process: Any) -> Iterator[None]:
    """Wait for a step of a run that is going on."""
    for _ in range(3000):
        if reached() or process.poll() is not None:
            return
        time.sleep(0.05)
        yield
