"""Dialects as SQL: a column's delivered text into its type, by what abm.toml and the map declare, never by a guess.

A value that is not written as declared becomes NULL; `accept` then sets its row aside with the text as it was delivered.
"""

from __future__ import annotations

import re

from ..settings import OpportunityStages
from ..source_settings import Dialect
from ..tables import TIMESTAMP, YEARS, Column, quoted

NUMBERS = ("money", "share", "rate", "number", "whole")
# How a moment or day may be counted instead of written: the name in `dates` or `times`, and the timestamp of the number {n}.
COUNTED = {
    "epoch": "make_timestamp(({n}::DECIMAL(22,6) * 1000000)::BIGINT)",
    "epoch_ms": "make_timestamp(({n}::DECIMAL(22,6) * 1000)::BIGINT)",
    "epoch_us": "make_timestamp(({n})::BIGINT)",
    "serial": "timestamp '1899-12-30' + to_milliseconds(round({n}::DOUBLE * 86400000))",
    "serial_1904": "timestamp '1904-01-01' + to_milliseconds(round({n}::DOUBLE * 86400000))",
}
MINUS = "\N{MINUS SIGN}"
# One of the parameters of a GA4 event, a list of keys and values as JSON.
PARAM = """(select coalesce(p->'value'->>'string_value', p->'value'->>'int_value', p->'value'->>'double_value', p->'value'->>'float_value')
    from (select unnest(params::JSON[]) as p) where p->>'key' = name limit 1)"""
OFFSET = r"^\d{4}-\d\d-\d\d[ T].*(Z|[+-]\d\d(:?\d\d)?)$"


def typed(dialect: Dialect, column: Column) -> str:
    """SQL that turns the column's delivered text into its type, or into NULL where it is not written as declared."""
    name, plain = f'"{column.name}"', column.typed()
    if column.type == "on" and dialect.dates:
        return _within(f"({_parsed(name, dialect.dates)})::DATE")
    if column.type == "at" and (moment := _in_utc(dialect, name)):
        offset = f"case when regexp_matches({name}, '{OFFSET}') then {plain} end"
        return f"coalesce({_within(moment)}, {offset})"
    return plain.replace(name, _number(dialect, name)) if column.type in NUMBERS else plain


def _within(moment: str) -> str:
    """The moment or day, where it is one of the calendar."""
    return f"case when year({moment}) {YEARS} then {moment} end"


def may_be_blank(dialect: Dialect, column: Column) -> bool:
    """Whether one of the declared blanks may stand in the column: an account may well be called NA."""
    return bool(dialect.blanks) and (column.type not in ("id", "text", "currency") or bool(column.choices))


def is_blank(dialect: Dialect, column: Column) -> str:
    """SQL that is true where the column holds one of the declared blanks."""
    return stands_for_blank(dialect, f'"{column.name}"') if may_be_blank(dialect, column) else "false"


def expected(dialect: Dialect, column: Column) -> str:
    """What a user would call a value of the column, written as declared."""
    formats = {"on": dialect.dates, "at": [*dialect.times, *dialect.dates]}.get(column.type, [])
    if formats:
        return f"written as {' or '.join(formats)}"
    if column.type in NUMBERS and (dialect.decimal, dialect.thousands) != (".", ""):
        groups = f" and {dialect.thousands!r} between thousands" if dialect.thousands else ""
        return f"{column.expected}, with {dialect.decimal!r} before the decimals{groups}"
    return column.expected


def macros(dialect: Dialect, stages: OpportunityStages, bots: list[str]) -> dict[str, str]:
    """What the queries of maps may call: the same conversions by name, and what abm.toml says of stages.

    `as_number(cost)`, `as_day(day)`, `as_moment(created)`, `as_yes(flag)`, `domain_of(url)`, `path_of(url)`,
    `param(event_params, name)` of GA4, `is_bot(user_agent)`, `first_stage()`, `is_closing(stage)`.
    """
    blank = stands_for_blank(dialect, "t")
    text = f"(case when not {blank} then t end)" if dialect.blanks else "t"
    return {
        "as_number(t)": f"try_cast({_number(dialect, text)} as DECIMAL(28,8))",
        "as_day(t)": f"try_cast({_day(dialect, text)} as DATE)",
        "as_moment(t)": f"try_cast({_moment(dialect, text)} as TIMESTAMPTZ)::TIMESTAMP",
        "as_yes(t)": "case when lower(trim(t)) in ('true', '1', 'yes', 't') then true "
        "when lower(trim(t)) in ('false', '0', 'no', 'f') then false end",
        "is_told(t)": f"coalesce(trim(t), '') <> '' and not {blank}",
        "domain_of(t)": r"nullif(regexp_extract(lower(trim(t)), '^(?:[a-z]+://)?(?:www\.)?([^/:?#\s]+)', 1), '')",
        "path_of(t)": r"coalesce(nullif(regexp_extract(trim(t), '^[a-zA-Z]+://[^/?#]*([^?#]*)', 1), ''), '/')",
        "param(params, name)": PARAM,
        "is_bot(t)": f"regexp_matches(lower(t), {quoted('|'.join(map(re.escape, bots)) or '^$')})",
        "first_stage()": quoted(stages.order[0]),
        "is_closing(t)": f"t in ({', '.join(map(quoted, [*stages.won, *stages.lost]))})",
    }


def stands_for_blank(dialect: Dialect, name: str) -> str:
    """SQL for whether the text is one of the declared blanks, spaces around it or not."""
    if not dialect.blanks:
        return "false"
    begins = "".join(f" or starts_with({name}, {quoted(blank)})" for blank in dialect.blanks)
    # Only what begins with a space, which sorts outside of these, or with a blank is worth a trim.
    listed = ", ".join(map(quoted, dialect.blanks))
    spaced = f"when {name} not between '!' and '~'{begins} then trim({name}) in ({listed})"
    return f"coalesce(case when {name} in ({listed}) then true {spaced} end, false)"


def _number(dialect: Dialect, text: str) -> str:
    """The number in plain form; NULL where its marks stand elsewhere than declared."""
    if (dialect.decimal, dialect.thousands, dialect.signs, dialect.percent) == (".", "", [], False):
        return text
    bare = f"replace(trim({text}), {quoted(MINUS)}, '-')"
    for sign in dialect.signs:
        bare = f"trim(replace({bare}, {quoted(sign)}, ''))"
    bare = rf"regexp_replace(regexp_replace({bare}, '^\((.*)\)$', '-\1'), '^([^-].*)-$', '-\1')"
    bare = rf"regexp_replace({bare}, '\s*%$', '')" if dialect.percent else bare
    mark, point = f"[{''.join(map(_escaped, dialect.thousands))}]", _escaped(dialect.decimal)
    grouped = f"[0-9]{{1,3}}({mark}[0-9]{{3}})+|" if dialect.thousands else ""
    form = quoted(f"^[+-]?({grouped}[0-9]+)({point}[0-9]+)?([eE][+-]?[0-9]+)?$")
    number = _plain_number(dialect, bare)
    if dialect.percent:
        hundredth = f"(try_cast({number} as DECIMAL(28,8)) / 100)::VARCHAR"
        number = f"case when trim({text})[-1] = '%' then {hundredth} else {number} end"
    number = f"case when regexp_matches({bare}, {form}) then {number} end"
    if not (dialect.signs or dialect.percent):  # most need no mending
        number = f"case when regexp_matches({text}, {form}) then {_plain_number(dialect, text)} else {number} end"
    return f"({number})"


def _plain_number(dialect: Dialect, text: str) -> str:
    for mark in dialect.thousands:
        text = f"replace({text}, {quoted(mark)}, '')"
    return f"replace({text}, {quoted(dialect.decimal)}, '.')"


def _day(dialect: Dialect, text: str) -> str:
    """The day as ISO text. A day is one of the calendar wherever it is: the source's zone moves moments alone."""
    return f"strftime({_parsed(text, dialect.dates)}, '%Y-%m-%d')" if dialect.dates else text


def _moment(dialect: Dialect, text: str) -> str:
    """The moment as ISO text in UTC, by its own offset or as declared."""
    moment = _in_utc(dialect, text)
    has_offset = f"regexp_matches({text}, '{OFFSET}')"
    return (
        f"(case when {has_offset} then {text} else strftime({moment}, '%Y-%m-%d %H:%M:%S.%f') end)" if moment else text
    )


def _in_utc(dialect: Dialect, text: str) -> str:
    """SQL for the timestamp in UTC of a moment without an offset; empty where that is the plain form.

    Of an hour that a clock change repeats the later one is meant; one that it leaves out is moved on by the gap.
    """
    formats = [*dialect.times, *dialect.dates]
    if not formats and dialect.timezone == "UTC":
        return ""
    plain = f"regexp_matches({text}, '{TIMESTAMP}') and not regexp_matches({text}, '{OFFSET}')"
    iso = f"case when {plain} then try_cast({text} as TIMESTAMP) end"
    local = _parsed(text, formats) if formats else iso
    return local if dialect.timezone == "UTC" else f"(({local}) at time zone {quoted(dialect.timezone)})::TIMESTAMP"


def has_offset(text: str) -> str:
    """SQL for whether a moment says its offset; few characters are worth the expression."""
    ends = " or ".join([f"{text}[-1] = 'Z'", *(f"{text}[-{place}] in ('+', '-')" for place in (3, 5, 6))])
    said = f"case when {ends} then regexp_matches({text}, '{OFFSET}') else false end"
    return f"(case when {text} like '____-%' then {said} else false end)"


def _parsed(text: str, formats: list[str]) -> str:
    """SQL for the timestamp that the text means in the first declared format that fits, a counted one within the calendar."""
    written = [form for form in formats if form not in COUNTED]
    counted = [
        COUNTED[form].replace("{n}", f"try_cast({text} as DECIMAL(28,10))") for form in formats if form in COUNTED
    ]
    digits = f"regexp_matches({text}, '^[0-9]+([.][0-9]+)?$')"
    tries = [f"try_strptime({text}, [{', '.join(map(quoted, written))}])"] if written else []
    tries += [f"case when {digits} and year(try({moment})) {YEARS} then try({moment}) end" for moment in counted]
    return f"coalesce({', '.join(tries)})"


def _escaped(mark: str) -> str:
    return mark if mark.isspace() or mark == "'" else f"\\{mark}"
