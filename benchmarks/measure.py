"""CPU seconds and peak memory of a child process, and the table that figures are printed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).resolve().parent.parent
# Bytecode is cached as on any machine, but never in the project.
CACHE = Path(tempfile.gettempdir()) / "abm-benchmarks-bytecode"
PEERS = Path(tempfile.gettempdir()) / "abm-benchmarks-peers"
PATIENCE = 1_800  # seconds that a peer may take, to be installed or to run


@dataclass(frozen=True)
class Cost:
    """What one process took: user and system CPU seconds, wall seconds, peak resident megabytes."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Figure:
    """One line of the results: what was measured, how much, and what it must not exceed, or with `is_least` must reach."""

    name: str
    value: float
    unit: str
    target: float | None = None
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.target is None or (self.value >= self.target if self.is_least else self.value <= self.target)

    def cells(self) -> list[str]:
        shown = f"{self.value:.2f}" if self.value < 100 else f"{self.value:,.0f}"
        if self.target is None:
            return [self.name, f"{shown} {self.unit}", "", ""]
        return [
            self.name,
            f"{shown} {self.unit}",
            f"at {'least' if self.is_least else 'most'} {self.target:g} {self.unit}",
            "met" if self.is_met else "MISSED",
        ]


def installed(name: str, packages: Sequence[str]) -> str:
    """The Python of an environment of its own that has the packages of a peer. Raises SubprocessError with what pip said."""
    folder = PEERS / name
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "-q", *packages]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
        (folder / "done").touch()
    return str(python)


def told(error: subprocess.SubprocessError | OSError) -> str:
    """The last line of what a process that failed said, or of what was said of it."""
    said = getattr(error, "stderr", "") or str(error)
    said = said.decode(errors="replace") if isinstance(said, bytes) else said  # of one whose time was up
    return " ".join(said.strip().splitlines()[-1:])[:160]


def environment() -> dict[str, str]:
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return without | {"PYTHONPYCACHEPREFIX": str(CACHE), "PYTHONPATH": str(PROJECT)}


def run(*command: str) -> Cost:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    # A child's peak starts at the size of whoever starts it, so a process that holds nothing does.
    starter = [sys.executable, "-S", __file__, *command]
    done = subprocess.run(starter, env=environment(), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command)
    return Cost(**json.loads(done.stdout))


def start(command: list[str]) -> int:
    """In the process that holds nothing: run the command and print its cost. Gives the command's exit code."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=sys.stderr)
    _, status, usage = os.wait4(child.pid, 0)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes there, kilobytes elsewhere
    cpu, wall = usage.ru_utime + usage.ru_stime, time.perf_counter() - begun
    print(json.dumps({"cpu": cpu, "wall": wall, "peak": usage.ru_maxrss * unit / 1e6}))
    return os.waitstatus_to_exitcode(status)


def middle(costs: list[Cost]) -> Cost:
    """Each part's median; the peak is the highest."""
    return Cost(median(c.cpu for c in costs), median(c.wall for c in costs), max(c.peak for c in costs))


def table(figures: list[Figure]) -> str:
    rows = [["what", "figure", "target", ""], ["---"] * 4, *(figure.cells() for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    filled = [
        [cell.ljust(w) if cell != "---" else "-" * w for cell, w in zip(row, widths, strict=True)] for row in rows
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in filled)


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
