"""CPU seconds and peak memory of a child process, and the table that figures are printed in."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).resolve().parent.parent
# Bytecode is cached as on any machine, but never in the project.
CACHE = Path(tempfile.gettempdir()) / "abm-benchmarks-bytecode"


@dataclass(frozen=True)
class Cost:
    """What one process took: user and system CPU seconds, wall seconds, peak resident megabytes."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Figure:
    """One line of the results: what was measured, how much, and what it must not exceed."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_met(self) -> bool:
        return self.target is None or self.value <= self.target

    def cells(self) -> list[str]:
        shown = f"{self.value:.2f}" if self.value < 100 else f"{self.value:,.0f}"
        if self.target is None:
            return [self.name, f"{shown} {self.unit}", "", ""]
        return [
            self.name,
            f"{shown} {self.unit}",
            f"at most {self.target:g} {self.unit}",
            "met" if self.is_met else "MISSED",
        ]


def environment() -> dict[str, str]:
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return without | {"PYTHONPYCACHEPREFIX": str(CACHE), "PYTHONPATH": str(PROJECT)}


def run(*command: str) -> Cost:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    before = os.times()
    child = subprocess.Popen(command, env=environment())
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    # ru_maxrss counts kilobytes on Linux, bytes on macOS.
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, os.times().elapsed - before.elapsed, usage.ru_maxrss * unit / 1e6)


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
