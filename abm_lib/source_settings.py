"""What abm.toml says of one source: where its files lie, which map reads them, and the dialect they are written in."""

from __future__ import annotations

import codecs
import re
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from .errors import nearest
from .settings import NO_PLACE, Days, Settings, expression

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
        return [expression(pattern) for pattern in given]

    @model_validator(mode="after")
    def marks_differ(self) -> Dialect:
        if self.decimal in self.thousands:
            raise ValueError(f"{self.decimal!r} cannot stand before the decimals and in thousands too")
        return self

    def over(self, other: Dialect) -> Dialect:
        """This dialect where it says something, the other one where it does not."""
        return Dialect(**other.model_dump(exclude_unset=True) | self.model_dump(exclude_unset=True))


class RestAuth(Settings):
    """How a REST server knows us. `secret` names the environment variable or keyring entry that holds the token or password.

    `user` goes with http_basic; `name` and `location` say where an api_key stands.
    """

    type: Literal["bearer", "api_key", "http_basic"]
    secret: str = Field(pattern="^[A-Z][A-Z0-9_]*$")
    user: str = ""
    name: str = "Authorization"
    location: Literal["header", "query", "cookie"] = "header"


class Paginator(Settings, extra="allow"):
    """How a list goes on, in the words of dlt's REST source: its type and what that type takes; "" stands for None."""

    type: Literal["single_page", "page_number", "offset", "cursor", "json_link", "header_link", "header_cursor"]


class RestResource(Settings):
    """One list of a REST server, which becomes the table of its name: its path, its parameters, and where in an answer the rows are.

    `total` is where an answer says how many rows the list has: what was read is held against it.
    """

    path: str = Field(pattern="^[^{}:]+$")
    params: dict[str, str | int | float | bool] = Field(default={})
    data_selector: str = Field(min_length=1)
    total: str = ""
    paginator: Paginator | None = None


class Rest(Settings):
    """A REST server, fetched by `abm pull` with dlt: see docs/sources.md. Every list is fetched whole, from that server alone."""

    base_url: str
    headers: dict[str, str] = Field(default={})
    auth: RestAuth | None = None
    paginator: Paginator | None = None
    resources: dict[str, RestResource] = Field(min_length=1)

    @field_validator("base_url")
    @classmethod
    def closed_to_others(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme, parts.hostname) not in (
            ("http", "127.0.0.1"),
            ("http", "localhost"),
        ):
            raise ValueError("an address that begins with https://")
        if parts.username or parts.query or not parts.hostname:
            raise ValueError("an address without a user, a password and parameters")
        return url

    @field_validator("headers")
    @classmethod
    def no_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        if {"authorization", "cookie"} & {name.lower() for name in headers}:
            raise ValueError("headers that hold no secret: say it in `auth`")
        return headers

    @field_validator("resources")
    @classmethod
    def plain_names(cls, given: dict[str, RestResource]) -> dict[str, RestResource]:
        if strange := [name for name in given if not re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", name)]:
            raise ValueError(f"names of small letters, figures and single underscores; not {strange[0]!r}")
        return given

    @model_validator(mode="after")
    def every_list_ends(self) -> Rest:
        if unsaid := [name for name, resource in self.resources.items() if not (resource.paginator or self.paginator)]:
            raise ValueError(f"a `paginator` for {', '.join(unsaid)}: how a list goes on is not guessed")
        return self


class Source(Settings):
    """One system's files: a folder, the map that turns them into canonical tables, and the tables that must be there.

    `skip` are tables that the map could give and that another source delivers. `dialect` is how all its files are written,
    `dialects` how one of them is.
    `files` names a table's file where it is called otherwise: `NAME`, a pattern for several (`deals-*.csv`), or
    `BOOK.xlsx#SHEET`. `database` is a DuckDB or SQLite file of the folder, `connection` the environment variable or keyring
    entry that holds the address of a server; `queries` and `db_schema` say what is read there. `rest` is a server that gives
    lists instead of tables. `extracted_on` is the day of
    which the data speak, where they do not say so themselves. `look_back_days`: for so long after a day the system still
    changes what it tells of it; the map's by default.
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
    rest: Rest | None = None
    extracted_on: Annotated[date | None, Field(strict=False)] = None
    look_back_days: Days | None = None

    @property
    def is_pulled(self) -> bool:
        """Whether `abm pull` fetches its tables."""
        return bool(self.connection or self.rest)

    @model_validator(mode="after")
    def one_server(self) -> Source:
        if self.connection and self.rest:
            raise ValueError("`connection` or `rest`: a source has one server")
        return self
