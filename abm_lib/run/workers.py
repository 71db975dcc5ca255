"""Processes that do the runner's tasks, one after the other: forked where there is a fork server, else started anew."""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from ..errors import AbmError
from . import forkserver
from .kernels import ADDRESS

Tell = Callable[[Any], None]
Task = Callable[[Tell], Any]


class Told:
    """What a task said while it was at work."""

    def __init__(self, what: Any) -> None:
        self.what = what


class Died:
    """The worker ended before its task did."""


class Late:
    """The task was not done when the time was up."""


class Workers:
    """Up to `count` processes; `address` is that of the fork server, empty where there is none."""

    def __init__(self, count: int, address: str) -> None:
        self.count, self.address = count, address
        self._processes: dict[Connection, Any] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for line, process in self._processes.items():
            process.kill()
            line.close()

    def each(self, tasks: Mapping[str, Task], seconds: float = math.inf) -> Iterator[tuple[str, Any]]:
        """The answers by name as they come: Told, then what the task returned, an AbmError that it raised, Died or Late.

        Raises RuntimeError with the traceback for any other error of a task: it is a fault of ours.
        """
        left, until = list(tasks), time.monotonic() + seconds
        busy: dict[Connection, str] = {}
        while left or busy:
            while left and len(busy) < self.count:
                line = next((line for line in self._processes if line not in busy), None) or self._start()
                busy[line] = left.pop(0)
                line.send(tasks[busy[line]])
            heard = cast(list[Connection], wait(list(busy), None if math.isinf(until) else until - time.monotonic()))
            if not heard:
                yield from ((name, Late()) for name in (*busy.values(), *left))
                return
            for line in heard:
                answer = self._hear(line)
                name = busy[line] if isinstance(answer, Told) else busy.pop(line)
                if isinstance(answer, str):
                    raise RuntimeError(answer)
                yield name, answer

    def _hear(self, line: Connection) -> Any:
        try:
            return line.recv()
        except (EOFError, OSError):
            del self._processes[line]
            line.close()
            return Died()

    def _start(self) -> Connection:
        """A new worker, and the line to it."""
        try:
            line, process = self._fork()
        except forkserver.NoFork:
            context = get_context("spawn")
            line, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, os.getpid()), daemon=True)
            process.start()
            theirs.close()
        self._processes[line] = process
        return line

    def _fork(self) -> tuple[Connection, Any]:
        if not self.address:
            raise forkserver.NoFork
        ours, theirs = socket.socketpair()
        with ours, theirs:
            env = os.environ | {ADDRESS: self.address}
            child = forkserver.start(
                self.address, "abm_lib.run.workers:forked", sys.path, env=env, fds=[theirs.fileno()]
            )
            return Connection(ours.detach()), child


def forked(path: list[str], descriptor: int) -> None:
    """A worker that was forked, to import from where its runner does; the number is of its end of the line."""
    sys.path[:] = path
    work(Connection(descriptor), os.getppid())


def work(line: Connection, parent: int) -> None:
    """A worker's life: do each task that comes down the line and answer, until the line is closed."""
    forkserver.die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides
    while True:
        try:
            answer = line.recv()(lambda what: line.send(Told(what)))
        except (EOFError, ConnectionError):
            return
        except AbmError as error:
            answer = error
        except Exception:
            answer = traceback.format_exc()
        line.send(answer)
