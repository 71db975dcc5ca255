"""What is installed, held against a lock file (C07)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def differences(lock: Path) -> Iterator[str]:
    """`pandas 3.0.0, and requirements.lock has 3.1.1`; a package that is not there may be one of another system."""
    pinned = defaultdict[str, list[str]](list)
    for name, number in PINNED.findall(lock.read_text(encoding="utf-8")):
        pinned[name].append(number)
    for name, numbers in pinned.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        if found not in numbers:
            yield f"{name} {found}, and {lock.name} has {' or '.join(numbers)}"
