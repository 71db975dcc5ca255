"""Everything that can go wrong in a way the user can mend.

    AbmError
    ├── UsageError        exit 2   a wrong command, parameter or abm.toml
    ├── InputRefused      exit 3   the inputs cannot be trusted; nothing was computed
    ├── PublishRefused    exit 5   computed, but the gate found a fault; the old edition stays
    ├── EnvironmentFault  exit 7   space, permission or a missing program
    ├── Busy              exit 75  another run holds the lock
    └── KernelDied        exit 138 a notebook's process was killed; the old edition stays

An error carries one `Fault` for each thing to mend, so that one run lists them all. Exit 1 is kept for bugs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Fault:
    """One thing to mend: where it is, what was found, what was expected and what to do.

    `level` is E (refused), Q (row set aside) or D (published with a caveat); `rule` is stable and may be searched for.
    """

    rule: str
    name: str
    where: str
    found: str
    expected: str
    fix: str
    why: str = ""
    level: str = "E"

    def __str__(self) -> str:
        head = printable(f"{self.level} {self.rule} {self.name}  {self.where}", longest=1000)
        rows = [(word, getattr(self, word)) for word in ("found", "expected", "why", "fix")]
        return "\n".join([head, *(f"  {word:<8} {printable(text)}" for word, text in rows if text)])

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class AbmError(Exception):
    """A failure that the user can mend; `faults` lists every one that was found."""

    exit_code = 1

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class UsageError(AbmError):
    exit_code = 2


class InputRefused(AbmError):
    exit_code = 3


class PublishRefused(AbmError):
    exit_code = 5


class EnvironmentFault(AbmError):
    exit_code = 7


class Busy(AbmError):
    exit_code = 75


class KernelDied(AbmError):
    exit_code = 138


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence naming the known word closest to `word`, or all of them when none is close."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def printable(text: object, longest: int = 200) -> str:
    """Text from data made safe for a log or a terminal: one line, no control characters, not too long."""
    line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(text))
    return line if len(line) <= longest else line[: longest - 1] + "…"
