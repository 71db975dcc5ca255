"""Forked kernels: what papermill's engine `abm-fork` gives is what its own gives, in a fresh process each, and none is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from abm_lib.errors import UsageError
from abm_lib.run import forkserver, kernels, workers

pytestmark = pytest.mark.skipif(
    kernels.ENGINE not in entry_points(group="papermill.engine").names, reason="entry points: install abm_lib again"
)
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """One fork server for the module, named as a runner names it."""
    with forkserver.Server() as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv(kernels.ADDRESS, started.address)
        yield started.address


def ran(folder: Path, engine: str | None, *cells: str) -> list[Any]:
    """The outputs of each cell, run by papermill with an engine."""
    source, target = folder / "in.ipynb", folder / f"{engine}.ipynb"
    made = new_notebook(metadata=KERNEL, cells=[new_code_cell(text) for text in cells])
    nbformat.write(made, source)
    papermill.execute_notebook(
        str(source), str(target), engine_name=engine, progress_bar=False, cwd=str(folder),
        extra_arguments=["--IPKernelApp.log_level=50"],
    )  # fmt: skip
    return [cell.outputs for cell in nbformat.read(target, 4).cells]


TELLING = (
    "import os, sys, threading\nprint('out'); print('err', file=sys.stderr); os.write(1, b'from below')",
    "sorted(name for name in globals() if not name.startswith('_'))",
    "__name__, os.getcwd(), sys.stdin.read(), sys.path[1:], os.environ.get('ABM_FORK_SERVER')",
    "import pandas as pd\n\npd.DataFrame({'a': [1, 2]})",
    "import altair as alt\n\nalt.Chart(pd.DataFrame({'a': [1]})).mark_point().encode(x='a:Q').to_dict()",
    "import duckdb\n\nduckdb.sql('select count(*) from range(1000000)').fetchall(), threading.active_count() > 0",
    "import numpy as np\n\nfloat(np.linalg.norm(np.arange(12.0).reshape(3, 4) @ np.ones((4, 2))))",
    "get_ipython().user_module.__name__, __import__('__main__').__dict__ is globals()",
    "import logging\nlogging.getLogger().handlers, logging.getLogger().level",
)


def test_a_forked_kernel_says_what_a_kernel_of_its_own_says(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forked = ran(tmp_path, kernels.ENGINE, *TELLING)
    monkeypatch.delenv(kernels.ADDRESS)
    assert forked == ran(tmp_path, None, *TELLING)


def test_each_notebook_has_a_fresh_process_and_its_own_luck(tmp_path: Path, server: str) -> None:
    cells = (
        "import os, random, uuid\nimport numpy as np\nimport pandas",
        "hasattr(pandas, 'left_behind'), setattr(pandas, 'left_behind', 1)",
        "os.getpid(), random.random(), np.random.rand(), uuid.uuid4()",
    )
    first, second = (ran(tmp_path, kernels.ENGINE, *cells) for _ in range(2))
    assert first[1] == second[1]
    one, two = (outputs[2][0].data["text/plain"].strip("()").split(", ") for outputs in (first, second))
    assert all(a != b for a, b in zip(one, two, strict=True))


def test_plain_papermill_has_the_engine_and_starts_a_server_that_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(kernels.ADDRESS, raising=False)
    nbformat.write(
        new_notebook(metadata=KERNEL, cells=[new_code_cell("import os\nos.getppid()")]), tmp_path / "in.ipynb"
    )
    command = [
        sys.executable,
        "-m",
        "papermill",
        "--engine",
        kernels.ENGINE,
        "--no-progress-bar",
        "in.ipynb",
        "out.ipynb",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    server = int(nbformat.read(tmp_path / "out.ipynb", 4).cells[0].outputs[0].data["text/plain"])
    assert not alive(server)


def test_a_parameter_that_the_notebook_does_not_know_is_refused_and_not_only_warned_of(
    tmp_path: Path, server: str
) -> None:
    cells = [new_code_cell('quarter = ""', metadata={"tags": ["parameters"]}), new_code_cell("quarter")]
    nbformat.write(new_notebook(metadata=KERNEL, cells=cells), source := tmp_path / "in.ipynb")

    def run(**given: str) -> Any:
        out = str(tmp_path / "out.ipynb")
        return papermill.execute_notebook(str(source), out, given, engine_name=kernels.ENGINE, progress_bar=False)

    with pytest.raises(UsageError, match=r"quater[\s\S]*did you mean 'quarter'"):
        run(quater="2026Q1")
    assert run(quarter="2026Q1").cells[-1].outputs[0].data["text/plain"] == "'2026Q1'"


def test_what_the_user_can_mend_stands_in_a_notebook_without_a_traceback(tmp_path: Path, server: str) -> None:
    raising = (
        "from abm_lib.errors import Fault, UsageError\nraise UsageError(Fault('C01', 'no', 'here', 'a', 'b', 'c'))"
    )
    with pytest.raises(papermill.PapermillExecutionError) as raised:
        ran(tmp_path, kernels.ENGINE, raising)
    said = "\n".join(raised.value.traceback)
    assert said.splitlines() == ["E C01 no  here", "  found    a", "  expected b", "  fix      c"]


# No forking


def test_where_nothing_forks_a_kernel_is_started_as_ever_and_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(kernels.ADDRESS, str(tmp_path / "nobody"))
    assert ran(tmp_path, kernels.ENGINE, "1 + 1")[0][0].data["text/plain"] == "2"
    said = [line for line in capsys.readouterr().err.splitlines() if "a kernel of its own" in line]
    assert said == ["a kernel of its own for each notebook: the process that forks is not there (FileNotFoundError)"]


def test_a_server_that_finds_a_second_thread_forks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60], daemon=True).start()"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with forkserver.Server(["threaded"]) as broken, pytest.raises(forkserver.NoFork):
        forkserver.start(broken.address, "os:getpid")


def test_a_system_without_fork_is_told_so_and_given_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    said: list[str] = []
    with kernels.forking(said.append) as address:
        assert address == ""
    assert said == ["each notebook imports its own libraries: this system cannot fork"]


@pytest.mark.parametrize("way", ["forked", "started anew"])
def test_workers_answer_by_name_and_a_lost_one_is_replaced(way: str, server: str) -> None:
    tasks = {"sum": add, "lost": die, "wrong": wrong, "more": add}
    with workers.Workers(2, server if way == "forked" else "") as crew:
        answers = list(crew.each(tasks))
    last = dict(answers)
    assert (last["sum"], last["more"], str(last["wrong"])) == (
        3,
        3,
        "E C01 no  here\n  found    a\n  expected b\n  fix      c",
    )
    assert isinstance(last["lost"], workers.Died)
    assert [answer.what for _, answer in answers if isinstance(answer, workers.Told)] == ["adding", "adding"]


def test_a_fault_of_our_own_in_a_worker_is_raised_with_its_traceback(server: str) -> None:
    with workers.Workers(1, server) as crew, pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(crew.each({"broken": broken}))


def add(tell: workers.Tell) -> int:
    tell("adding")
    return 1 + 2


def die(tell: workers.Tell) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wrong(tell: workers.Tell) -> None:
    from abm_lib.errors import Fault, UsageError

    raise UsageError(Fault("C01", "no", "here", "a", "b", "c"))


def broken(tell: workers.Tell) -> float:
    return 1 / 0


# Nobody is left behind


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pids: list[int], within: float = 10) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not any(map(alive, pids)):
            return True
        time.sleep(0.02)
    return False


BUSY = """
import sys
from abm_lib.run import forkserver
with forkserver.Server(["numpy"]) as server:
    children = [forkserver.start(server.address, "time:sleep", 600) for _ in range(2)]
    print(server.process.pid, *(child.pid for child in children), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux: processes are looked up in /proc")
@pytest.mark.parametrize("who", ["runner", "server"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_whoever_is_killed_the_children_end(who: str, how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as runner:
        assert runner.stdout
        server, *children = map(int, runner.stdout.readline().split())
        folder = Path(Path(f"/proc/{server}/cmdline").read_bytes().split(b"\0")[-3].decode())
        assert folder.is_dir()
        os.kill(runner.pid if who == "runner" else server, how)
        if who == "server" and how != signal.SIGKILL:
            assert all(map(alive, [server, *children])), "what is sent to a whole group is for its runner to decide"
            runner.kill()
        assert gone([*children, server])
        runner.kill()
    assert who == "server" or not folder.exists()
    shutil.rmtree(folder, ignore_errors=True)  # nobody was left who could


@pytest.mark.skipif(sys.platform != "linux", reason="Linux: processes are looked up in /proc")
def test_a_child_whose_asker_is_killed_ends_while_the_server_lives(server: str) -> None:
    asks = f"""
import sys
from abm_lib.run import forkserver
print(forkserver.start({server!r}, "time:sleep", 600).pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", asks], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asker:
        assert asker.stdout
        child = int(asker.stdout.readline())
        assert alive(child)
        asker.kill()
        assert gone([child])
    assert forkserver.start(server, "os:getpid").wait() == 0


def test_an_asker_that_is_gone_before_its_answer_does_the_server_no_harm(server: str) -> None:
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as asker:
            asker.connect(server)
            socket.send_fds(asker, [b"."], [])
            connection = Connection(asker.detach())
        connection.send(("time:sleep", (600,), dict(os.environ), "/"))
        connection.close()
    assert forkserver.start(server, "os:getpid").wait() == 0


@pytest.mark.parametrize("number", forkserver.ASKED_TO_END)
def test_a_child_hears_a_signal_sent_at_any_moment_of_its_life(server: str, number: signal.Signals) -> None:
    # Naps and no long sleep: Python itself hears no signal that comes between its last look and the system's call.
    naps = ("time.sleep(0.01)", "import time", time.perf_counter, 60_000)
    for moment in range(20):
        child = forkserver.start(server, "timeit:timeit", *naps)
        time.sleep(moment / 10_000)
        child.send_signal(number)
        assert child.connection.poll(10), f"{number!r} was lost {moment / 10:.1f} ms after the fork"
        assert child.wait() in (-number, 1)


def test_a_child_that_ended_a_moment_ago_is_killed_without_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Pipe()
    child = forkserver.Child(ours, 1)
    theirs.close()
    monkeypatch.setattr(child, "poll", lambda: None)
    child.kill()
    assert child.wait() == -signal.SIGKILL


def test_a_child_is_signalled_and_tells_how_it_ended(server: str) -> None:
    slept = forkserver.start(server, "time:sleep", 600)
    assert slept.poll() is None
    slept.terminate()
    assert slept.wait() == -signal.SIGTERM
    left = forkserver.start(server, "sys:exit", 3)
    assert left.wait() == 3
    assert left.peak > 10_000_000
    left.kill()  # too late, and no matter
