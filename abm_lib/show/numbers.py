"""How a number is written: by unit, with its sign, never as a bare code for something missing.

Shares are stored 0 to 1 and shown as per cent, `points` are differences of shares and shown times one hundred. Money
has three significant digits on a card. Minus is the true minus sign, ranges take an en dash.
"""

from __future__ import annotations

import math
import re
from datetime import date
from functools import cache
from typing import Any

import pandas as pd
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_decimal_symbol

_locale = "en"
MINUS = "\N{MINUS SIGN}"
MANY = 1000  # from here on a rate has a third digit

# The mark of a table cell and the words of a card, one pair for each reason a reading can lack its value.
MISSING = {
    "no_data": ("no data", "No data for this period"),
    "undefined": ("none to count", "Nothing to divide by"),
    "not_collected": ("not collected", "Not collected by any source"),
    "not_applicable": ("n/a", "Does not apply here"),
    "suppressed": ("hidden", "Hidden: too few people or deals"),
    "withheld": ("withheld", "Withheld"),
    "switched_off": ("off", "Switched off in the settings"),
}


def write_as(locale: str) -> None:
    """The locale of all numbers and dates from here on; a process writes the pages of one edition."""
    global _locale
    _locale = locale


def missing_mark(code: str) -> str:
    return MISSING.get(code, MISSING["no_data"])[0]


def missing_words(code: str) -> str:
    return MISSING.get(code, MISSING["no_data"])[1]


def unit_name(unit: str, currency: str = "") -> str:
    """The unit as a subtitle says it."""
    names = {
        "share": "Share",
        "count": "Number",
        "mean": "Number",
        "money": currency,
        "money_per_day": f"{currency} a day",
        "days": "Days",
        "months": "Months",
    }
    return (names | {"times": "Times", "points": "Percentage points", "score": "Score", "seconds": "Seconds"}).get(
        unit, unit
    )


def in_scale(value: float, largest: float, currency: str) -> str:
    """Money in the unit of the largest of its neighbours, so that a sum can be followed: €0.18M beside €9.40M."""
    scale, suffix = next(((s, x) for s, x in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if abs(largest) >= s), (1, ""))
    number = decimals(abs(value) / scale, 2 if scale >= 1e6 else 0)
    before, after = _sign(currency, _locale)
    minus = MINUS if value < 0 and any(d in number for d in "123456789") else ""
    return minus + before + number + suffix + after


def known(value: Any) -> bool:
    """Whether a cell holds a finite number."""
    return value is not None and not pd.isna(value) and math.isfinite(value)


def amount(value: float, unit: str, currency: str = "", n: float | None = None) -> str:
    """A value with its unit as one text: €2.05M, 39%, 1.9x, 118 days."""
    number, suffix = parts(value, unit, currency, n)
    return number + suffix


def parts(value: float, unit: str, currency: str = "", n: float | None = None) -> tuple[str, str]:
    """A value as its number and its unit, for two sizes of type; `n` decides how many digits a rate deserves."""
    sign = MINUS if value < 0 and _any_digit(float(abs(value)), unit, n) else ""
    number, suffix = _UNITS.get(unit, _count)(float(abs(value)), currency, n)
    return sign + number, suffix


def exact(count: int) -> str:
    """A number of rows to the last one, for sums that are read line by line."""
    return str(format_decimal(count, locale=_locale))


def tick(value: float, unit: str, currency: str = "") -> str:
    """A value on an axis: no zeros after the point that say nothing, and no word that the subtitle has said."""
    text = amount(value, unit, currency).removesuffix(" points")
    point = get_decimal_symbol(_locale)
    zeros = re.escape(point) + r"(\d*?)0+(?=\D|$)"
    return re.sub(zeros, lambda found: point + found[1] if found[1] else "", text)


def change(value: float, unit: str, currency: str = "", n: float | None = None) -> str:
    """A difference with its sign; that of two shares is in points; none is an en dash."""
    unit = "points" if unit == "share" else unit
    text = amount(value, unit, currency, n)
    if not any(digit in text for digit in "123456789"):
        return "–"
    return text if value < 0 else "+" + text


def size(value: float, unit: str, currency: str = "", n: float | None = None) -> str:
    """A difference without its sign, for sentences that say the direction in words."""
    return amount(abs(value), "points" if unit == "share" else unit, currency, n)


def span(low: float, high: float, unit: str, currency: str = "", n: float | None = None) -> str:
    """A range with an en dash and one unit: 22–57%, €1.3–1.8M."""
    (first, first_unit), (last, last_unit) = parts(low, unit, currency, n), parts(high, unit, currency, n)
    if low < 0:
        return f"{first}{first_unit} to {last}{last_unit}"
    if first_unit != last_unit:
        return f"{first}{first_unit}–{last}{last_unit}"
    return f"{first}–{last.removeprefix(_sign(currency, _locale)[0])}{last_unit}"


def day(value: date | pd.Timestamp | str, year: bool = True) -> str:
    """30 Sep 2026."""
    return str(format_date(pd.Timestamp(value).date(), "d MMM y" if year else "d MMM", locale=_locale))


def quarter_name(label: str, year: bool = True) -> str:
    """2026Q3 as Q3 2026, or Q3 where the year is plain."""
    return f"{label[4:]} {label[:4]}" if year else label[4:]


def month_name(label: str) -> str:
    """2026-07 as Jul 2026."""
    return str(format_date(date(int(label[:4]), int(label[5:]), 1), "MMM y", locale=_locale))


def machine(value: float) -> str:
    """The full value for a `data` element: shortest text that reads back as the same number."""
    return repr(float(value)) if not float(value).is_integer() else str(int(value))


def decimals(value: float, places: int) -> str:
    """Grouped thousands and exactly so many places."""
    return str(format_decimal(round(value, places), "#,##0." + "0" * places if places else "#,##0", locale=_locale))


def _any_digit(value: float, unit: str, n: float | None) -> bool:
    return any(digit in _UNITS.get(unit, _count)(value, "", n)[0] for digit in "123456789")


def _three_digits(value: float) -> tuple[str, str]:
    """Three significant digits with k, M or B; a value that rounds up to the next unit takes it."""
    rounded = float(f"{value:.3g}")
    scale, suffix = next(((s, x) for s, x in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if rounded >= s), (1, ""))
    scaled = rounded / scale
    return decimals(scaled, 0 if scaled >= 100 else 1 if scaled >= 10 else 2), suffix


@cache
def _sign(currency: str, locale: str) -> tuple[str, str]:
    """What a locale writes before and after an amount of a currency, spaces included: one of the two is empty."""
    text = format_currency(0, currency, locale=locale) if currency else "0"
    around = re.split(r"\d.*\d|\d", text)
    return around[0], around[-1]


def _money(value: float, currency: str, n: float | None) -> tuple[str, str]:
    if value >= 10_000:
        number, suffix = _three_digits(value)
    else:
        number, suffix = (decimals(value, 2) if 0 < value < 100 and not value.is_integer() else decimals(value, 0)), ""
    before, after = _sign(currency, _locale)
    return before + number, suffix + after


def _money_per_day(value: float, currency: str, n: float | None) -> tuple[str, str]:
    number, suffix = _money(value, currency, n)
    return number, suffix + " a day"


def _share(value: float, currency: str, n: float | None) -> tuple[str, str]:
    return decimals(value * 100, _places_of_percent(value * 100, n)), "%"


def _places_of_percent(percent: float, n: float | None) -> int:
    """Small rates need decimals to say anything; large ones only where many units stand behind them."""
    if percent == 0 or percent == 100:
        return 0
    if percent < 1:
        return 2
    if percent < 10:
        return 2 if n is not None and n >= MANY else 1
    return 1 if (n is not None and n >= MANY) or 99 <= percent < 100 else 0


def _points(value: float, currency: str, n: float | None) -> tuple[str, str]:
    percent = value * 100
    return decimals(percent, 2 if 0 < percent < 0.995 else 1 if percent < 9.95 else 0), " points"


def _count(value: float, currency: str, n: float | None) -> tuple[str, str]:
    if value >= 100_000:
        return _three_digits(value)
    return decimals(value, 0 if value.is_integer() or value >= 100 else 1), ""


def _times(value: float, currency: str, n: float | None) -> tuple[str, str]:
    return decimals(value, 0 if value >= 100 else 1), "x"


def _mean(value: float, currency: str, n: float | None) -> tuple[str, str]:
    return _times(value, currency, n)[0], ""


def _days(value: float, currency: str, n: float | None) -> tuple[str, str]:
    return decimals(value, 0 if value >= 10 or value.is_integer() else 1), " day" if value == 1 else " days"


def _months(value: float, currency: str, n: float | None) -> tuple[str, str]:
    return decimals(value, 1), " months"


def _seconds(value: float, currency: str, n: float | None) -> tuple[str, str]:
    if value < 90:
        return decimals(value, 0), " s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds:02}", " s"


def _score(value: float, currency: str, n: float | None) -> tuple[str, str]:
    return decimals(value, 0), ""


_UNITS = {
    "share": _share,
    "count": _count,
    "money": _money,
    "money_per_day": _money_per_day,
    "days": _days,
    "months": _months,
    "times": _times,
    "mean": _mean,
    "points": _points,
    "score": _score,
    "seconds": _seconds,
}
