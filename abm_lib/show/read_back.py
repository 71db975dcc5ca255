"""A number's text read back: whether what a page writes is what its reading says, to the last digit shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from babel.numbers import get_decimal_symbol, get_group_symbol

from .numbers import MINUS

WORDS = {"yes": 1.0, "kept": 1.0, "no": 0.0, "missed": 0.0}
SCALES = {"k": 1e3, "M": 1e6, "B": 1e9}
LEFT_OUT = (1, 0.01, *SCALES.values())


@dataclass(frozen=True)
class Said:
    """A number as it is written, without its sign: what its digits say, half of the last of them, and by what that may be scaled."""

    text: str
    start: int
    shown: float
    last: float
    scales: tuple[float, ...]

    def means(self, size: float) -> bool:
        """Whether it is that size, rounded to the digits shown."""
        return any(abs(self.shown * scale - size) <= self.last * scale for scale in self.scales)


def says(text: str, value: float, locale: str = "en", field: str = "value") -> bool:
    """Whether the text, as `numbers` writes it in that locale, is the value rounded to the digits that it shows.

    The lower end of a range leaves its unit to the upper one: 22–57%, €1.3–1.8M.
    """
    if text in WORDS:
        return WORDS[text] == value
    said = next(said_in(text, locale, leaves_unit=field == "low"), None)
    if said is None:
        return False
    sign = -1 if MINUS in text[: said.start] else 1
    return said.means(sign * value)


def said_in(text: str, locale: str = "en", leaves_unit: bool = False) -> Iterator[Said]:
    """Every number of a text; a digit that is part of a name, such as Q3 or S0-11, is none."""
    for found in _form(locale).finditer(text):
        if found["minutes"]:
            yield Said(
                found[0], found.start(), int(found["minutes"]) * 60 + int(found["seconds"]), 0.5 * (1 + 1e-6), (1,)
            )
            continue
        whole, part = re.sub(r"\D", "", found["whole"]), (found["part"] or "")[1:]
        scale = SCALES.get(found["scale"] or "", 0.01 if found["share"] else 1)
        is_low = leaves_unit or found["range"] is not None
        scales = LEFT_OUT if is_low and scale == 1 else (scale,)
        yield Said(found[0], found.start(), float(f"{whole}.{part or 0}"), 10.0 ** -len(part) / 2 * (1 + 1e-6), scales)


@cache
def _form(locale: str) -> re.Pattern[str]:
    group, point = get_group_symbol(locale), re.escape(get_decimal_symbol(locale))
    group = (
        r"\s" if group.isspace() else re.escape(group)
    )  # a space that does not break, or the plain one that it became
    return re.compile(
        r"(?<![\w-])(?:(?P<minutes>\d+) min (?P<seconds>\d\d) s"
        rf"|(?P<whole>\d(?:\d|{group}(?=\d))*)(?P<part>{point}\d+)?(?P<scale>[kMB](?![^\W\d_]))?"
        r"(?P<share>\s?%|\spoints?)?(?P<range>(?=\N{EN DASH}))?)"
    )
