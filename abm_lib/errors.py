"""Everything that can go wrong in a way the user can mend.

    AbmError
    ├── UsageError        exit 2   a wrong command, parameter or abm.toml
    ├── InputRefused      exit 3   the inputs cannot be trusted; nothing was computed
    ├── CaveatsFound      exit 4   computed; numbers carry caveats and --fail-on caveat was given; the old edition stays
    ├── PublishRefused    exit 5   computed, but the gate found a fault; the old edition stays
    ├── NotAnnounced      exit 6   published, but somebody could not be told
    ├── EnvironmentFault  exit 7   space, permission or a missing program
    ├── Busy              exit 75  another run holds the lock
    └── KernelDied        exit 138 a notebook's process was killed; the old edition stays

An error carries one `Fault` for each thing to mend, so that one run lists them all. Exit 1 is kept for bugs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# A mail address; in a link its sign may be written otherwise. Bounded, so that a word of a megabyte is read once.
ADDRESS = re.compile(r"[^\s@/<>()]{1,64}(?:@|%40)[^\s@/<>()]{1,255}\.[^\s@/<>()]{1,64}", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """One thing to mend: where it is, what was found, what was expected and what to do.

    `level` is E (refused), Q (row set aside), D (published with a caveat) or N (put right by a declared rule, and counted);
    `rule` is stable and may be searched for.
    """

    rule: str
    name: str
    where: str
    found: str
    expected: str
    fix: str
    why: str = ""
    level: str = "E"

    def __post_init__(self) -> None:
        for part in ("found", "expected"):
            object.__setattr__(self, part, masked(getattr(self, part)))

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

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the faults, and no traceback."""
        return str(self).splitlines()

    def __reduce__(self) -> tuple[type[AbmError], tuple[list[Fault]]]:
        return type(self), (self.faults,)  # whole again in another process


class UsageError(AbmError):
    exit_code = 2


class InputRefused(AbmError):
    exit_code = 3


class CaveatsFound(AbmError):
    exit_code = 4


class PublishRefused(AbmError):
    exit_code = 5


class NotAnnounced(AbmError):
    exit_code = 6


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


def setting_faults(path: Path, model: Any, found: Iterable[Any]) -> list[Fault]:
    """What pydantic found in a settings file: each key that `model` does not know, and each value that is wrong or missing."""
    faults = []
    for item in found:
        *parents, key = [str(part) for part in item["loc"] if part != "[key]"]
        where = f"{path}  [{'.'.join(parents)}] {key}" if parents else f"{path}  {key}"
        if item["type"] == "extra_forbidden":
            close = nearest(key, _keys_at(model, parents))
            faults.append(Fault("C01", "unknown-key", where, key, close, "correct or remove the key"))
        else:
            value = "nothing" if item["type"] == "missing" else repr(item["input"])
            faults.append(Fault("C01", "wrong-setting", where, value, item["msg"], "correct the value"))
    return faults


def _keys_at(model: Any, parents: Iterable[str]) -> list[str]:
    """The keys known at a place; names that a company chooses (a channel's, a source's, a table's) are passed over."""
    for parent in parents:
        inner: Any = model.model_fields[parent].annotation if parent in model.model_fields else None
        kinds = [kind for kind in getattr(inner, "__args__", ()) if kind is not type(None)]
        inner = kinds[-1] if kinds else inner
        if hasattr(inner, "model_fields"):
            model = inner
    return list(model.model_fields)


def masked(text: str) -> str:
    """Text without what may be a person's address."""
    return ADDRESS.sub("…@…", text)


def printable(text: object, longest: int = 200) -> str:
    """Text from data made safe for a log or a terminal: one line, no control characters, not too long."""
    line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(text))
    return line if len(line) <= longest else line[: longest - 1] + "…"
