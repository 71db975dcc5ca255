"""Where the lines and records of a text begin: what a message names when a row is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

CHUNK = 1 << 24
LF, CR = 10, 13


def at(path: Path, places: list[int]) -> list[int]:
    """The line, counted from 1, that holds each of some byte positions in rising order."""
    lines, line, done = [], 1, 0
    with path.open("rb") as file:
        for place in places:
            part = file.read(place - done)
            line += part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
            done = place
            lines.append(line)
    return lines


def of_records(path: Path, quote: str, blank_too: bool, chunk: int = CHUNK) -> list[int]:
    """The line on which each record begins, the header's first; a blank line is a record only where `blank_too`.

    A line end closes a record when an even number of quotes stands before it: right where quotes stand around values and,
    doubled, inside them. Lines end in LF or CRLF; a text that ends them in CR is one record.
    """
    found: list[npt.NDArray[np.int64]] = []
    begin, line, ended, quotes, before = (
        0,
        1,
        0,
        0,
        0,
    )  # the record's byte and line; lines, quotes and byte before this part
    for first, part in _parts(path, chunk):
        marks = np.flatnonzero((part == LF) | (part == ord(quote)))
        is_end = part[marks] == LF
        closes = is_end & ((np.cumsum(~is_end) + quotes) % 2 == 0)
        ends, following = marks[closes], (ended + np.cumsum(is_end) + 1)[closes]
        begins, on = np.append(begin, ends[:-1] + first + 1), np.append(line, following[:-1])
        length = ends + first - begins[: len(ends)]
        last = np.where(ends > 0, part[ends - 1], before)
        blank = (length == 0) | ((length == 1) & (last == CR))
        found.append(on[: len(ends)][~blank | blank_too])
        if len(ends):
            begin, line = int(ends[-1]) + first + 1, int(following[-1])
        ended, quotes, before = ended + int(is_end.sum()), quotes + int((~is_end).sum()), int(part[-1])
    if begin < path.stat().st_size:
        found.append(np.array([line]))
    return np.concatenate(found).tolist() if found else []


def _parts(path: Path, size: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The bytes of a file in parts, each with the place of its first."""
    first = 0
    with path.open("rb") as file:
        while data := file.read(size):
            yield first, np.frombuffer(data, np.uint8)
            first += len(data)
