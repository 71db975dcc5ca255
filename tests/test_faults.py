"""What goes wrong around a run: killed, stopped, starved or shut out, it leaves the old edition or the new one, whole.

P01 to P26 of the fault corpus; process_faults.py says where each is provoked.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_company import write
from test_kernels import gone
from test_run import notebook

from abm_lib import metrics, readings
from abm_lib.company import open_company
from abm_lib.run import forkserver, gate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Linux: faults are provoked by its means"),
]

SCRIPT = Path(__file__).with_name("one_run.py")
KILLS = 200
HANG = "import time\ntime.sleep(600)"


@dataclass(frozen=True)
class Desk:
    """A company of two pages, its reports, and a fork server that every run uses."""

    place: Path
    address: str

    @property
    def out(self) -> Path:
        return self.place / "reports"

    def settings(self, **changed: object) -> Path:
        said = {"company": str(self.place / "firm"), "out": str(self.out), "notebooks": str(self.place / "notebooks"),
                "table": str(self.place / "table.parquet"), "server": self.address}  # fmt: skip
        path = self.place / "settings.json"
        path.write_text(json.dumps(said | changed))
        return path

    def fork(self) -> forkserver.Child:
        return forkserver.start(self.address, "runpy:run_path", str(SCRIPT), {"ASKED": str(self.settings())}, "forked")

    def run(
        self, *options: str, before: list[str] | None = None, **changed: object
    ) -> subprocess.CompletedProcess[str]:
        command = [*(before or []), sys.executable, str(SCRIPT), str(self.settings(**changed)), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def pages(self, *cells: str) -> None:
        for name in ("summary", "ads"):
            notebook(self.place / "notebooks", name, *(cells if name == "ads" else ("one = 1",)))

    def published(self) -> Path:
        """The folder in force, as a reader sees it: whole, at any moment."""
        folder = (self.out / "2026Q1").resolve(strict=True)
        assert gate.verify(folder) == []
        return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = tmp_path_factory.mktemp("desk")
    company = open_company(write(place / "firm"))
    assert metrics.FAMILIES
    readings.read(company, company.quarter("2026Q1"), families=["ads"]).to_parquet(place / "table.parquet")
    with forkserver.Server() as server:
        yield Desk(place, server.address)


@pytest.fixture
def desk(made: Desk) -> Desk:
    """The desk with an edition in force."""
    shutil.rmtree(made.out, ignore_errors=True)
    made.pages("one = 1")
    done = made.run()
    assert done.returncode == 0, done.stderr
    return made


def born(process: str) -> str:
    """The tick at which the process of a number began, or nothing: over so many runs numbers are given out again."""
    try:
        return Path("/proc", process, "stat").read_text().split()[21]
    except OSError:
        return ""


def test_killed_at_any_moment_a_reader_sees_the_old_edition_or_the_new_one_whole(desk: Desk) -> None:
    luck, seen, wrong, stop = random.Random(20260401), set(), [], threading.Event()
    marks, private = desk.place / "kernels", desk.place / "firm" / ".abm"
    desk.pages(
        f"import os\nprint(os.getpid(), open('/proc/self/stat').read().split()[21], file=open({str(marks)!r}, 'a'))"
    )

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add(desk.published().name)
            except (AssertionError, OSError) as error:
                wrong.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        began = time.monotonic()
        assert desk.fork().wait() == 0
        whole = time.monotonic() - began
        for number in range(KILLS):
            if number % 3 == 0:  # else nothing has changed, and no notebook runs
                shutil.rmtree(private if number % 30 == 0 else private / "made", ignore_errors=True)
            run = desk.fork()
            time.sleep(luck.uniform(0, 1.1 * whole))
            run.kill()
            run.wait()
    finally:
        stop.set()
        reader.join()
    assert wrong == []
    assert desk.fork().wait() == 0, "the next run needs no cleaning"
    assert not list((desk.out / ".editions" / "2026Q1").glob(".*"))
    assert not list(desk.out.glob(".index.*")) and not list(desk.out.glob(".2026Q1.2*"))
    assert not list((private / "store").glob("draft-*"))
    kernels = [line.split() for line in marks.read_text().splitlines()]
    assert len(kernels) > 1 and gone([int(process) for process, began in kernels if born(process) == began])
    assert len(seen) > 1


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_stopped_it_ends_its_kernels_frees_the_lock_and_says_so_by_its_exit_code(
    desk: Desk, sent: signal.Signals, code: int
) -> None:
    before = desk.published()
    marks = desk.place / "kernel"
    desk.pages(f"import os, pathlib\npathlib.Path({str(marks)!r}).write_text(str(os.getpid()))", HANG)
    command = [sys.executable, str(SCRIPT), str(desk.settings(server=""))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        until = time.monotonic() + 90
        while not (marks.is_file() and marks.read_text()) and time.monotonic() < until:
            time.sleep(0.05)
        kernel = int(marks.read_text())
        run.send_signal(sent)
        assert run.wait(20) == code
        assert run.stderr and "Traceback" not in run.stderr.read()
    marks.unlink()
    assert gone([kernel])
    assert desk.published() == before
    desk.pages("one = 1")
    assert desk.run().returncode == 0


def test_a_cell_that_hangs_is_named_when_its_time_is_up(desk: Desk) -> None:
    before = desk.published()
    desk.pages("one = 1", HANG)
    done = desk.run("--cell-limit", "2")
    assert done.returncode == 5
    assert "E P05 too-slow  ads.ipynb  cell two" in done.stderr
    done = desk.run("--total-limit", "3")
    assert (done.returncode, "not done after 3 s" in done.stderr) == (5, True)
    assert desk.published() == before


def test_a_cell_out_of_memory_is_refused_with_its_cell(desk: Desk) -> None:
    before = desk.published()
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))"
    desk.pages(limit, "len(bytearray(2**33))")
    done = desk.run()
    assert (done.returncode, "cell two" in done.stderr and "MemoryError" in done.stderr) == (5, True)
    assert desk.published() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="root: a file system is mounted")
def test_a_full_disk_is_told_before_the_work_and_while_writing(desk: Desk) -> None:
    small = desk.place / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)])
    if mounted.returncode:
        pytest.skip("mount: not allowed here")
    try:
        done = desk.run(out=str(small))
        assert (done.returncode, "E P06 no-room" in done.stderr) == (7, True)
        assert desk.run(out=str(small), space=0).returncode == 0
        before = gate.verify((small / "2026Q1").resolve())
        (small / "filler").write_bytes(b"x" * (shutil.disk_usage(small).free - 30_000))
        done = desk.run(out=str(small), space=-(10**9))
        assert (before, done.returncode, "No space left" in done.stderr) == ([], 7, True), done.stderr
        assert gate.verify((small / "2026Q1").resolve()) == []
        (small / "filler").unlink()
        assert desk.run(out=str(small), space=0).returncode == 0
    finally:
        subprocess.run(["umount", str(small)])


@pytest.mark.skipif(os.geteuid() != 0, reason="root: a file system is mounted")
def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(desk: Desk) -> None:
    before, out = desk.published(), str(desk.out)
    for words in (
        ["--bind", out, out],
        ["-o", "remount,ro,bind", out],
    ):  # root may write wherever the file system lets it
        if subprocess.run(["mount", *words]).returncode:
            pytest.skip("mount: not allowed here")
    try:
        began = time.monotonic()
        done = desk.run()
        assert (done.returncode, "E P07" in done.stderr, "notebook" in done.stderr) == (7, True, False), done.stderr
        assert time.monotonic() - began < 60
    finally:
        subprocess.run(["umount", out])
    assert desk.published() == before


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="unshare: a namespace without network is needed"
)
def test_without_any_network_it_publishes(desk: Desk) -> None:
    before = desk.published()
    done = desk.run(before=["unshare", "--net"], server="")
    assert done.returncode == 0, done.stderr
    assert desk.published() != before


@pytest.mark.parametrize(
    "given", [{"LC_ALL": "C"}, {"TZ": "Pacific/Apia"}, {"PYTHONHASHSEED": "1"}, {"HOME": "/nowhere"}]
)
def test_whatever_the_environment_the_bytes_are_the_same(
    desk: Desk, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.published()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert desk.run(server="").returncode == 0
    after = desk.published()
    for name in ("index.html", "ads.html", "readings.csv"):
        old, new = ((folder / name).read_text().replace(folder.name, "") for folder in (before, after))
        assert old == new
