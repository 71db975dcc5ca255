"""Files that only look like a table: what they are, in words that say how to get the right one."""

from __future__ import annotations

import mmap
import re
from collections import Counter
from pathlib import Path

from ..errors import Fault, printable

EXPECTED = "a CSV file in UTF-8 with a header line, or Parquet"
AGAIN = "export the file again"
# The first bytes of a file that is not what its name says (F018, F019, F022).
BEGINNINGS = (
    (b"<", "F018", "web-page", "a web page: the export failed, or asked for a login"),
    (b"{", "F018", "json", "JSON, often an error message instead of the data"),
    (b"[", "F018", "json", "JSON, often an error message instead of the data"),
    (b"PK\x03\x04", "F019", "workbook", "an Excel workbook or a zip file"),
    (b"\xd0\xcf\x11\xe0", "F019", "workbook", "an old Excel workbook"),
    (b"\x1f\x8b", "F022", "compressed", "a compressed file"),
    (b"PAR1", "F019", "parquet", "Parquet, named .csv"),
    (b"\xff\xfe", "F002", "utf-16", "UTF-16"),
    (b"\xfe\xff", "F002", "utf-16", "UTF-16"),
)
BREAK = re.compile(rb"\r\n|\r|\n")


def fault(rule: str, name: str, where: str, found: str, expected: str = EXPECTED, fix: str = AGAIN) -> Fault:
    return Fault(rule, name, where, found, expected, fix)


def no_csv(path: Path, label: str) -> list[Fault]:
    """What is wrong with a file as a whole, judged by its bytes; nothing when it may be a CSV file."""
    if not path.stat().st_size:
        return [fault("F017", "file-empty", label, "an empty file")]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head, zero = data[:200], data.find(b"\0")
        line = 1 + len(BREAK.findall(data[: max(zero, 0)]))
    for beginning, rule, name, found in BEGINNINGS:
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(beginning):
            return [fault(rule, name, label, found)]
    if zero >= 0 and head.count(b"\0") * 3 > len(head):
        return [fault("F003", "utf-16", label, "bytes as in UTF-16: every second one is empty")]
    if zero >= 0:
        return [fault("F007", "binary", f"{label}:{line}", f"an empty byte at {zero}, as in a binary file")]
    return []


def header_faults(header: list[str], label: str) -> list[Fault]:
    """A header line that cannot name columns: another separator, a name missing, or one that stands twice."""
    where = f"{label}:1"
    if any("\udc80" <= letter <= "\udcff" for name in header for letter in name):  # as surrogateescape leaves them
        return [fault("F004", "not-utf-8", where, "a header line that is not UTF-8; perhaps Windows-1252")]
    if len(header) == 1 and (found := next((mark for mark in ";\t|" if mark in header[0]), None)):
        return [fault("F008", "separator", where, f"columns apart by {found!r}", "columns apart by a comma", AGAIN)]
    names = Counter(name.casefold() for name in header)
    blank = [str(place) for place, name in enumerate(header, 1) if not name.strip()]
    twice = [name for name in header if name.strip() and names[name.casefold()] > 1]
    faults = []
    if blank:
        faults.append(fault("F014", "header-blank", where, f"no name for column {', '.join(blank)}", "a name for each column",
                            "name the column, or take it out"))  # fmt: skip
    if twice:
        places = ", ".join(f"{printable(name)} at {place}" for place, name in enumerate(header, 1) if name in twice)
        faults.append(fault("F012", "header-twice", where, places, "each column once", "rename the second one"))
    if "_row" in names:
        faults.append(
            fault("F012", "header-taken", where, "_row", "another name: this one is ours", "rename the column")
        )
    return faults


def unreadable(path: Path, label: str, error: Exception) -> Fault:
    """A file that the reader gave up on. Its own words are not repeated: they may quote what the file holds."""
    kinds = Counter(BREAK.findall(path.read_bytes())) if path.suffix == ".csv" else Counter()
    if len(kinds) > 1:
        named = {b"\r\n": "CRLF", b"\n": "LF", b"\r": "CR"}
        found = ", ".join(f"{count} ending in {named[kind]}" for kind, count in kinds.most_common())
        return fault("F008", "line-ends", label, f"lines of several kinds: {found}", "one kind of line end", AGAIN)
    return fault("F007", "file-unreadable", label, f"the reader gave up ({type(error).__name__})")


def lines_at(path: Path, places: list[int]) -> list[int]:
    """The line, counted from 1, that holds each of some byte positions in rising order."""
    lines, line, done = [], 1, 0
    with path.open("rb") as file:
        for place in places:
            line += len(BREAK.findall(file.read(place - done)))
            done = place
            lines.append(line)
    return lines
