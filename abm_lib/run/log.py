"""What a run says of itself: a line for each step, and run.json whatever its end."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import AbmError, EnvironmentFault

Say = Callable[[str], None]


class Log:
    """The steps of one run and their seconds by a clock that does not jump; written to `path` when the run ends."""

    def __init__(self, path: Path, run: str, now: Say) -> None:
        self.path, self.run, self.now = path, run, now
        self.steps: dict[str, float] = {}
        self.notebooks: dict[str, float] = {}
        self.peaks: dict[str, int] = {}  # megabytes that a notebook's kernel held
        self._began, self._at = time.monotonic(), "start"

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def megabytes(self) -> int:
        """The most memory that the runner or one of its own children held; kernels that were forked are in `peaks`."""
        unit = 1 if sys.platform == "darwin" else 1024
        peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return round(max(peaks) * unit / 1e6)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step of the run; the last one begun is the one it failed in."""
        self._at, began = name, time.monotonic()
        self.now(name)
        yield
        self.steps[name] = round(self.steps.get(name, 0) + time.monotonic() - began, 2)

    def write(self, path: Path, **ending: Any) -> None:
        said = {
            "run": self.run, "seconds": round(self.seconds, 1), "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "steps": self.steps, "notebooks": self.notebooks, "peak_megabytes": self.megabytes,
            "peaks_megabytes": self.peaks, **ending,
        }  # fmt: skip
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not self.path.parent.is_dir():
            return  # there is no company folder to say it in
        ending: dict[str, Any] = {"exit": exit_code(error)}
        if isinstance(error, AbmError):
            ending |= {"step": self._at, "faults": [fault.as_dict() for fault in error.faults]}
        elif error is not None and kind is not None:
            ending |= {"step": self._at, "faults": [kind.__name__]}
        with suppress(OSError):  # a full disk is told by its own fault
            self.write(self.path, **ending)


def exit_code(error: BaseException | None) -> int:
    """What the process ends with after that error."""
    match error:
        case None:
            return 0
        case AbmError():
            return error.exit_code
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(error.code is not None)
        case KeyboardInterrupt():
            return 130
        case OSError():
            return EnvironmentFault.exit_code
        case _:
            return 1
