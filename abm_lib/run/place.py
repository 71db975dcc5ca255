"""Where editions lie: its lock, what it must be able to take, and what runs that were killed left there."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from .. import store
from ..errors import Busy, EnvironmentFault, Fault, UsageError

SPACE = 20_000_000  # bytes that must be free beside twice the edition in force
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def locked(out: Path, quarter: str, run: str) -> Iterator[None]:
    """The lock of one quarter; runs of two quarters may go on together. The lock file says who holds it.

    Raises Busy where another run does, EnvironmentFault for what cannot be written while it is held.
    """
    lock = out / f".{quarter}.lock"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=0):
            lock.write_text(f"run {run} holds the lock since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", "utf-8")
            _clear(out, quarter)
            yield
    except Timeout:
        holder = lock.read_text("utf-8") or "another run holds the lock"
        raise Busy(Fault("P08", "locked", str(out / quarter), holder, "one run at a time", "wait for it")) from None
    except OSError as error:
        place, fix = str(error.filename or out), "make room, or let this user write there"
        fault = Fault("P07", "cannot-write", place, str(error.strerror), "a folder that can be written to", fix)
        raise EnvironmentFault(fault) from None


def _clear(out: Path, quarter: str) -> None:
    """Remove what a run of the quarter that was killed left: nobody else can be at work in its hidden folders."""
    for left in (out / ".editions" / quarter).glob(".*"):
        shutil.rmtree(left, ignore_errors=True)
    for link in out.glob(f".{quarter}.2*-*"):
        link.unlink(missing_ok=True)
    store.clear_drafts(out, ".index.*")


def fits(out: Path, quarter: str, run: str, profile: str) -> None:
    """Raises, before the work, where the new edition could not stand beside those that are there.

    EnvironmentFault for room and for symbolic links, UsageError for editions made for other readers.
    """
    old = [path.stat().st_size for path in (out / quarter).glob("*")]
    needed, free = 2 * sum(old) + SPACE, shutil.disk_usage(out).free
    if free < needed:
        fault = ("P06", "no-room", str(out), f"{free / 1e6:,.0f} MB", f"{needed / 1e6:,.0f} MB", "make room")
        raise EnvironmentFault(Fault(*fault))
    _linkable(out, out / f".{quarter}.{run}")
    if others := [label for label in published(out) if described(out / label)["profile"] != profile]:
        found = f"editions of profile {described(out / others[0])['profile']}, such as {others[0]}"
        fix = "name another folder: --out"
        raise UsageError(Fault("C12", "another-profile", str(out), found, f"editions of profile {profile} alone", fix))


def _linkable(out: Path, link: Path) -> None:
    try:
        link.symlink_to(out.name)
        link.unlink()
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        expected = "a file system with symbolic links: an edition is put in force by one"
        fix = "publish to a folder of this machine, and copy the edition to the share"
        raise EnvironmentFault(Fault("P12", "no-symlinks", str(out), str(error.strerror), expected, fix)) from None


def published(out: Path) -> list[str]:
    """The quarters that have an edition in force."""
    return sorted(path.parent.name for path in out.glob("[0-9][0-9][0-9][0-9]Q[1-4]/manifest.json"))


def described(edition: Path) -> dict[str, str]:
    """What the manifest of an edition says of it."""
    return dict(json.loads((edition / "manifest.json").read_text(encoding="utf-8"))["edition"])
