"""A number's text read back: whether what a page writes is what its reading says, to the last digit shown."""

from __future__ import annotations

import re
from functools import cache

from babel.numbers import get_decimal_symbol, get_group_symbol

from .numbers import MINUS

WORDS = {"yes": 1.0, "kept": 1.0, "no": 0.0, "missed": 0.0}
SCALES = {"k": 1e3, "M": 1e6, "B": 1e9}
LEFT_OUT = (1, 0.01, *SCALES.values())
MINUTES = re.compile(r"(\d+) min (\d\d) s")
PER_CENT = re.compile(r"%|points")


def says(text: str, value: float, locale: str = "en", field: str = "value") -> bool:
    """Whether the text, as `numbers` writes it in that locale, is the value rounded to the digits that it shows.

    The lower end of a range leaves its unit to the upper one: 22–57%, €1.3–1.8M.
    """
    if text in WORDS:
        return WORDS[text] == value
    if minutes := MINUTES.search(text):
        seconds = int(minutes[1]) * 60 + int(minutes[2])
        return abs((-seconds if text.startswith(MINUS) else seconds) - value) <= 0.5
    number = _form(locale).search(text)
    if number is None:
        return False
    whole = re.sub(r"\D", "", number["whole"])
    part = (number["part"] or "")[1:]
    scale = SCALES.get(number["scale"] or "", 0.01 if PER_CENT.search(text) else 1)
    shown = float(f"{whole}.{part or 0}") * (-1 if MINUS in text[: number.start()] else 1)
    last = 10.0 ** -len(part) / 2 * (1 + 1e-6)
    scales = LEFT_OUT if field == "low" and scale == 1 else (scale,)
    return any(abs(shown * scale - value) <= last * scale for scale in scales)


@cache
def _form(locale: str) -> re.Pattern[str]:
    group, point = re.escape(get_group_symbol(locale)), re.escape(get_decimal_symbol(locale))
    return re.compile(rf"(?P<whole>\d(?:\d|{group}(?=\d))*)(?P<part>{point}\d+)?(?P<scale>[kMB](?![^\W\d_]))?")
