"""What abm.toml says of one source: where its files lie, which map reads them, and the dialect they are written in."""

from __future__ import annotations

import codecs
import re
from datetime import date
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from .errors import nearest
from .settings import NO_PLACE, Settings

Mark = Annotated[str, Field(min_length=1, max_length=1)]


class Dialect(Settings):
    """How lines and values are written. Every default is the plain form: UTF-8, commas, a decimal point, ISO dates, UTC.

    `header` is the name of one column, where lines stand before the line of the names. `totals` are regular expressions for
    lines that are no rows, such as `^Total`: left out and counted. `signs` are taken off amounts, such as a currency's.
    `dates` and `times` are in strptime's letters, or counted: epoch, epoch_ms, epoch_us, serial, serial_1904.
    `blanks` mean that nothing is known; in columns of free text and ids they stay what they are.
    """

    encoding: str = "utf-8"
    delimiter: Mark = ","
    quote: Mark = '"'
    header: str = ""
    totals: list[str] = Field(default=[])
    decimal: Mark = "."
    thousands: str = ""
    signs: list[str] = Field(default=[])
    percent: bool = False
    dates: list[str] = Field(default=[])
    times: list[str] = Field(default=[])
    timezone: str = "UTC"
    blanks: list[str] = Field(default=[])

    @field_validator("encoding")
    @classmethod
    def known_encoding(cls, name: str) -> str:
        try:
            return codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"an encoding that Python knows; {nearest(name, ['utf-8', 'utf-16', 'cp1252'])}") from None

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, name: str) -> str:
        if name not in (zones := available_timezones() - NO_PLACE):
            raise ValueError(f"no such time zone; {nearest(name, zones)}")
        return name

    @field_validator("totals")
    @classmethod
    def patterns(cls, given: list[str]) -> list[str]:
        for pattern in given:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"a regular expression; {error}") from None
        return given

    @model_validator(mode="after")
    def marks_differ(self) -> Dialect:
        if self.decimal in self.thousands:
            raise ValueError(f"{self.decimal!r} cannot stand before the decimals and in thousands too")
        return self

    def over(self, other: Dialect) -> Dialect:
        """This dialect where it says something, the other one where it does not."""
        return Dialect(**other.model_dump(exclude_unset=True) | self.model_dump(exclude_unset=True))


class Source(Settings):
    """One system's files: a folder, the map that turns them into canonical tables, and the tables that must be there.

    `skip` are tables that the map could give and that another source delivers. `dialect` is how all its files are written,
    `dialects` how one of them is.
    `files` names a table's file where it is called otherwise: `NAME`, a pattern for several (`deals-*.csv`), or
    `BOOK.xlsx#SHEET`. `database` is a DuckDB or SQLite file of the folder, `connection` the environment variable or keyring
    entry that holds the address of a server; `queries` and `db_schema` say what is read there. `extracted_on` is the day of
    which the data speak, where they do not say so themselves.
    """

    folder: str = "."
    map: str = "canonical"
    tables: list[str] = Field(default=[])
    skip: list[str] = Field(default=[])
    dialect: Dialect = Dialect()
    dialects: dict[str, Dialect] = Field(default={})
    files: dict[str, str] = Field(default={})
    database: str = ""
    connection: str = ""
    db_schema: str = ""
    queries: dict[str, str] = Field(default={})
    extracted_on: Annotated[date | None, Field(strict=False)] = None
