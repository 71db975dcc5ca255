"""Where the lines and records of a text begin: what a message names when a row is wrong, and where a text may be cut."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

CHUNK = 1 << 20
LF, CR = 10, 13
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """The byte and the line on which each record begins, the header's first.

    `is_certain` says that every quote stands around a value or, doubled, inside one, so that counting them tells records.
    """

    bytes: Places
    lines: Places
    is_certain: bool

    def line_of(self, byte: int) -> int:
        """The line of the record that holds a byte."""
        return int(self.lines[np.searchsorted(self.bytes, byte, side="right") - 1])

    def cuts(self, first: int, size: int) -> list[int]:
        """Bytes at which records begin, from the record `first` on, each at least `size` behind the one before."""
        places = self.bytes[first:]
        if not len(places):
            return []
        steps = np.searchsorted(places, np.arange(places[0], places[-1] + 1, size))
        return np.unique(places[steps]).tolist()


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


def of_text(path: Path, quote: str, delimiter: str, blank_too: bool) -> Records:
    """Where each record begins, the header's first; a blank line is a record only where `blank_too`."""
    quickly = by_quotes(path, quote, delimiter, blank_too)
    return quickly if quickly.is_certain else by_fields(path, quote, delimiter, blank_too)


def by_fields(path: Path, quote: str, delimiter: str, blank_too: bool) -> Records:
    """As `of_text`, where a quote stands inside a value: only a reader that knows fields can tell which quote ends one."""
    places, lines, line, read = list[int](), list[int](), 1, [0]

    def counted(text: Iterable[str]) -> Iterator[str]:
        for part in text:
            read[0] += len(part)
            yield part

    with path.open(encoding="latin-1", newline="") as text:  # a letter for each byte
        begin, records = 0, csv.reader(counted(text), delimiter=delimiter, quotechar=quote)
        for record in records:
            if record or blank_too:
                places.append(begin)
                lines.append(line)
            begin, line = read[0], records.line_num + 1
    return Records(np.array(places, np.int64), np.array(lines, np.int64), is_certain=False)


def by_quotes(path: Path, quote: str, delimiter: str, blank_too: bool, chunk: int = CHUNK) -> Records:
    """As `of_text`: a line end closes a record when an even number of quotes stands before it.

    That is right where quotes stand around values and, doubled, inside them. Lines end in LF or CRLF; a text that ends them
    in CR is one record.
    """
    places, on = list[Places](), list[Places]()
    begin, line, is_certain = 0, 1, True  # of the record
    ended, quotes = 0, 0  # lines and quotes before the part
    for first, part in _parts(path, chunk):
        inner = part[1:-1]
        marks = np.flatnonzero((inner == LF) | (inner == ord(quote)))
        is_end = inner[marks] == LF
        closes = is_end & ((np.cumsum(~is_end) + quotes) % 2 == 0)
        is_certain = is_certain and _stand_around_values(part, marks[~is_end] + 1, quotes, delimiter, quote)
        ends, following = marks[closes], (ended + np.cumsum(is_end) + 1)[closes]
        begins, numbers = np.append(begin, ends + first + 1), np.append(line, following)
        length, last = ends + first - begins[:-1], part[ends]
        is_blank = (length == 0) | ((length == 1) & (last == CR))
        kept = ~is_blank | blank_too
        places.append(begins[:-1][kept])
        on.append(numbers[:-1][kept])
        begin, line = int(begins[-1]), int(numbers[-1])
        ended, quotes = ended + int(is_end.sum()), quotes + int((~is_end).sum())
    if begin < path.stat().st_size:
        places.append(np.array([begin]))
        on.append(np.array([line]))
    none = np.array([], np.int64)
    return Records(np.concatenate([none, *places]), np.concatenate([none, *on]), is_certain and quotes % 2 == 0)


def _stand_around_values(part: npt.NDArray[np.uint8], quotes: Places, before: int, delimiter: str, quote: str) -> bool:
    """Whether quotes that open stand where a value begins and those that close where it ends; a doubled one closes and opens."""
    mark, before_value, behind_value = delimiter.encode(), np.zeros(256, bool), np.zeros(256, bool)
    before_value[[LF, ord(quote), mark[-1]]] = behind_value[[LF, CR, ord(quote), mark[0]]] = True
    opening, closing = quotes[before % 2 :: 2], quotes[1 - before % 2 :: 2]
    return bool(before_value[part[opening - 1]].all() and behind_value[part[closing + 1]].all())


def _parts(path: Path, size: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The bytes of a file in parts, each between the byte before and the one behind, and the place of its first.

    Before and behind the file stand line ends.
    """
    first, before = 0, b"\n"
    with path.open("rb") as file:
        part = file.read(size)
        while part:
            following = file.read(size)
            yield first, np.frombuffer(before + part + (following[:1] or b"\n"), np.uint8)
            first, before, part = first + len(part), part[-1:], following
