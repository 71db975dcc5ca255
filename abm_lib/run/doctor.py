"""What a run needs of this machine: room and permission where it writes, and the programs of its other forms."""

from __future__ import annotations

import locale
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import pdf
from .place import SPACE


def lines(out: Path, company: Path | None = None) -> Iterator[str]:
    """One line for each thing, with what to do where something is lacking; `out` is where editions lie."""
    yield _writable("reports", out)
    if company:
        yield _writable("inputs kept", company / ".abm")
    browser = next((path for name in pdf.CHROMIUMS if (path := shutil.which(name))), "")
    yield f"chromium: {browser or 'not found; needed for --pdf only: install chromium'}"
    yield f"java: {shutil.which('java') or 'not found; needed for --engine spark only: install a Java runtime of version 17'}"
    yield _fonts()
    told = locale.setlocale(locale.LC_CTYPE, None)
    yield f"locale: {told}, texts as {locale.getpreferredencoding(False)}; the pages' own is [report] locale in abm.toml"


def _writable(what: str, folder: Path) -> str:
    """Whether this user may write there, and how much room there is; a folder that is not there is made in the nearest one."""
    folder = folder.absolute()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return f"{what}: {folder}: this user may not write to {there}: let it, or name another folder"
    free = shutil.disk_usage(there).free
    room = f"{free / 1e6:,.0f} MB free"
    return f"{what}: {folder}: {room}" + ("" if free >= SPACE else f", {SPACE / 1e6:,.0f} MB are needed: make room")


def _fonts() -> str:
    """A PDF is set in the fonts of this machine; the pages in those of their readers."""
    program = shutil.which("fc-list")
    if not program:
        return "fonts: cannot be told without fontconfig; needed for --pdf only"
    listed = subprocess.run(
        [program, ":lang=en", "family"], capture_output=True, text=True, timeout=30, check=False
    ).stdout
    families = {line for line in listed.splitlines() if line}
    return (
        f"fonts: {len(families)} families" if families else "fonts: none; needed for --pdf only: install fonts-dejavu"
    )
