"""The lists of a REST server, by dlt's REST source: each becomes a Parquet file of text, as dlt names and flattens it.

dlt pages, waits and tries again. What this adds: no server but the declared one is reached, nothing is said about the run to
anybody, every value stays the text that it was in the answer, and what was read is counted against the server's own count.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from ..errors import AbmError, EnvironmentFault, Fault, InputRefused, UsageError
from ..source_settings import Paginator, Rest, RestAuth, RestResource
from ..tables import quoted, quoted_name
from . import forms

ATTEMPTS, SECONDS = 5, 60  # how often an answer is asked for, and how long one may take
AUTH = {"bearer": "token", "api_key": "api_key", "http_basic": "password"}


@dataclass
class Told:
    """What the server said of one list while it was read: how many rows it has, the page before, and the rows received."""

    totals: set[str] = field(default_factory=set)
    page: str = ""
    rows: int = 0


def pull(draft: Path, name: str, rest: Rest, secret: str, said: Callable[[str], None]) -> None:
    """Fetch every list of the source NAME into DRAFT/LIST.parquet, the lists inside its rows into DRAFT/LIST__FIELD.parquet.

    Raises EnvironmentFault where dlt is not installed or the server does not answer, UsageError where the settings are none
    that dlt knows, InputRefused where rows are missing or the server leads elsewhere.
    """
    place = draft / "dlt"
    with _closed_off(place):
        try:
            import dlt  # noqa: F401
        except ImportError:
            raise EnvironmentFault(
                Fault(
                    "P21",
                    "no-dlt",
                    f"source {name}",
                    "dlt is not installed",
                    "the extra `pull`",
                    "pip install 'abm_lib[pull]'",
                )
            ) from None
        told = {resource: Told() for resource in rest.resources}
        source = _source(name, rest, secret, told)
        try:
            stems = _loaded(place, source)
        except Exception as error:
            raise _what_went_wrong(error, name, rest) from None
    for stem in stems:
        rows = _to_parquet(place / "out" / "lists", stem, stems[stem], draft / f"{stem}.parquet")
        if stem in told:
            said(
                f"pulled {name}.{stem}: {rows} rows{_reconciled(f'{name}.{stem}', rows, told[stem], rest.resources[stem])}"
            )
    shutil.rmtree(place)


@contextmanager
def _closed_off(place: Path) -> Iterator[None]:
    """dlt keeps its files in `place`, reads no settings of the machine and tells its makers nothing."""
    ours = {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "RUNTIME__HTTP_SHOW_ERROR_BODY": "false",
        "DLT_DATA_DIR": str(place),
        "DLT_PROJECT_DIR": str(place),
    }
    before = {key: os.environ.get(key) for key in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def _source(name: str, rest: Rest, secret: str, told: Mapping[str, Told]) -> Any:
    """The server as dlt knows it. Raises UsageError where it does not understand the settings."""
    from dlt.sources.rest_api import rest_api_source

    client = {"base_url": rest.base_url, "headers": dict(rest.headers), "session": _session(rest.base_url)}
    client |= {"auth": _auth(rest.auth, secret)} if rest.auth else {}
    lists = [_list(name, one, rest.paginator, told[name]) for name, one in rest.resources.items()]
    try:
        asked: Any = {"client": client, "resources": lists}
        source = rest_api_source(asked, name="lists")
    except Exception as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        found = found.replace(secret, "…") if secret else found
        where = f"abm.toml  [sources.{name}.rest]"
        raise UsageError(
            Fault("C01", "wrong-setting", where, found, "settings of dlt's REST source", "see docs/sources.md")
        ) from None
    source.schema.settings["detections"] = []
    for resource, known in told.items():
        source.resources[resource].add_map(_counted(known))
    return source


def _loaded(place: Path, source: Any) -> dict[str, list[str]]:
    """Let dlt load every list into files under `place`; returns the columns of each table that it made."""
    import dlt

    pipeline = dlt.pipeline(
        "lists",
        pipelines_dir=str(place / "state"),
        destination=dlt.destinations.filesystem(str(place / "out")),
        dataset_name="lists",
    )
    pipeline.run(source, loader_file_format="jsonl", write_disposition="replace")
    schema = pipeline.default_schema
    return {table: list(schema.get_table_columns(table)) for table in schema.data_table_names()}


class _Elsewhere:
    """In the place of every server but the declared one: whatever an answer links to, nobody else is asked, nor told the secret."""

    def send(self, *_: Any, **__: Any) -> None:
        expected, fix = "addresses under `base_url`", "correct `base_url` or `paginator` in abm.toml"
        raise InputRefused(Fault("S6", "other-server", "rest", "an answer that leads to another server", expected, fix))

    def close(self) -> None:
        pass


def _session(base_url: str) -> Any:
    from dlt.sources.helpers.requests import Client

    session = Client(raise_for_status=False, request_max_attempts=ATTEMPTS, request_timeout=SECONDS).session
    parts, adapter, elsewhere = urlsplit(base_url), session.get_adapter(base_url), _Elsewhere()
    for prefix in ("http://", "https://"):
        session.mount(prefix, elsewhere)  # type: ignore[arg-type]
    session.mount(f"{parts.scheme}://{parts.netloc}/", adapter)
    return session


def _auth(auth: RestAuth, secret: str) -> dict[str, str]:
    said = {"http_basic": {"username": auth.user}, "api_key": {"name": auth.name, "location": auth.location}}
    return {"type": auth.type, AUTH[auth.type]: secret} | said.get(auth.type, {})


def _list(name: str, asked: RestResource, paginator: Paginator | None, told: Told) -> dict[str, Any]:
    goes_on = (asked.paginator or paginator or Paginator(type="single_page")).model_dump()
    return {
        "name": name,
        "endpoint": {
            "path": asked.path,
            "params": dict(asked.params),
            "data_selector": asked.data_selector,
            "paginator": {key: None if value == "" else value for key, value in goes_on.items()},
            "response_actions": [_watched(name, asked, told)],
        },
    }


def _watched(name: str, asked: RestResource, told: Told) -> Callable[..., None]:
    """What looks at each answer of a list: the count that it states, and whether the server begins to repeat itself."""
    from dlt.common import jsonpath

    def look(response: Any, *_: Any, **__: Any) -> None:
        if response.status_code != 200:
            return
        answer, page = response.json(), hashlib.sha256(response.content).hexdigest()
        rows = jsonpath.find_values(asked.data_selector, answer)
        if not rows and "*" not in asked.data_selector:
            found, fix = (
                f"an answer without {asked.data_selector}",
                "correct `data_selector` in abm.toml, or pull again",
            )
            raise InputRefused(Fault("F018", "no-list", name, found, "a list of rows", fix))
        if page == told.page and rows not in ([], [[]]):
            fix = "correct `paginator` in abm.toml"
            raise InputRefused(Fault("F095", "page-twice", name, "the same page twice", "a list that goes on", fix))
        told.page = page
        if asked.total:
            told.totals |= {str(total) for total in jsonpath.find_values(asked.total, answer)}

    return look


def _counted(told: Told) -> Callable[[Any], Any]:
    def one(row: Any) -> Any:
        told.rows += 1
        return _as_text(row)

    return one


def _as_text(value: Any) -> Any:
    """A value of JSON with every number and yes or no as the text that it was, so that dlt need not find one type for a column."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _to_parquet(out: Path, stem: str, columns: list[str], path: Path) -> int:
    """Write the lines that dlt left of a table; returns how many there were."""
    named = "{" + ", ".join(f"{quoted_name(column)}: 'VARCHAR'" for column in columns) + "}"
    files = quoted(f"{out}/{stem}/*.jsonl*")
    con = duckdb.connect(config=forms.CLOSED)
    if not list((out / stem).glob("*.jsonl*")):
        con.execute(f"create table lines ({', '.join(f'{quoted_name(column)} VARCHAR' for column in columns)})")
    else:
        con.execute(
            f"create table lines as select * from read_json({files}, format = 'newline_delimited', columns = {named})"
        )
    con.execute(f"copy lines to {quoted(str(path))} (format parquet)")
    return int(con.execute("select count(*) from lines").fetchall()[0][0])


def _reconciled(where: str, rows: int, told: Told, asked: RestResource) -> str:
    """What to say of the count; raises InputRefused where it is not the one that was received and that the server states."""
    fault = None
    if rows != told.rows:
        fault = Fault("F095", "count-differs", where, f"{rows} rows kept", f"{told.rows}, as received", "pull again")
    elif asked.total and not told.totals:
        fix = "correct `total` in abm.toml"
        fault = Fault("F095", "no-count", where, f"nothing at {asked.total}", "how many rows the list has", fix)
    elif asked.total and told.totals != {str(rows)}:
        expected = f"{' and then '.join(sorted(told.totals))}, as the server counts"
        fault = Fault("F095", "count-differs", where, f"{rows} rows read", expected, "pull again")
    if fault:
        raise InputRefused(fault)
    return ", as the server counts" if asked.total else ", which the server does not count"


def _what_went_wrong(error: Exception, name: str, rest: Rest) -> Exception:
    """The failure under dlt's own, as a fault that holds no address with parameters, no secret and no row."""
    from dlt.sources.helpers.requests import HTTPError, RequestException

    where, server, causes = f"source {name}", f"an answer of {urlsplit(rest.base_url).hostname}", _causes(error)
    for kind in (AbmError, HTTPError, json.JSONDecodeError, RequestException, OSError):
        cause = next((cause for cause in causes if isinstance(cause, kind)), None)
        if isinstance(cause, HTTPError):
            return _refused_by_server(cause.response, where, server, rest)
        if isinstance(cause, json.JSONDecodeError):
            found, fix = "an answer that is no JSON, or was cut", "pull again"
            return EnvironmentFault(Fault("P13", "server", where, found, server, fix))
        if isinstance(cause, RequestException):
            fix = "correct `base_url`, or pull again"
            return EnvironmentFault(Fault("P13", "server", where, type(cause).__name__, server, fix))
        if isinstance(cause, AbmError | OSError):
            return cause
    found, expected = f"dlt stopped with {type(causes[0]).__name__}", "answers that fit `data_selector` and `paginator`"
    fix = "hold abm.toml against the server's documentation"
    return UsageError(Fault("C01", "wrong-setting", f"abm.toml  [sources.{name}.rest]", found, expected, fix))


def _causes(error: BaseException) -> list[BaseException]:
    """The failure that began it, then what was made of it."""
    chain, inner = list[BaseException](), error
    while inner and not any(inner is known for known in chain):
        chain.insert(0, inner)
        inner = inner.__cause__ or inner.__context__  # type: ignore[assignment]
    return chain


def _refused_by_server(response: Any, where: str, server: str, rest: Rest) -> EnvironmentFault:
    found = f"HTTP {response.status_code} for {urlsplit(response.url).path}"
    fix = (
        "pull again later"
        if response.status_code == 429 or response.status_code >= 500
        else "correct `path` and `params`"
    )
    if response.status_code in (401, 403):
        fix = f"mend {rest.auth.secret} or its rights" if rest.auth else "say how the server knows you: `auth`"
    return EnvironmentFault(Fault("P13", "server", where, found, server, fix))
