"""`abm pull`: the tables of a server, fetched once into the company folder; from then on they are files like any other.

Each table of a database is one query, by its name in the source's schema or as abm.toml says. All queries of a source run in one
transaction that sees one state of the server, and a table that has other rows than the server counts is not kept. Lists of a REST
server are fetched by rest.py. Addresses with their passwords, and tokens, come from the environment or the keyring and are written
nowhere.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from ..config import Config
from ..errors import EnvironmentFault, Fault, InputRefused, UsageError
from ..source_settings import Source
from ..tables import quoted
from . import forms, rest
from .finding import folder_of, named
from .mapping import Map

KEYRING = "abm"  # the service under which `keyring set abm NAME` keeps an address
ONE_STATE = {"postgresql": "REPEATABLE READ", "snowflake": "AUTOCOMMIT", "bigquery": "AUTOCOMMIT"}


def pull(folder: Path, config: Config, maps: dict[str, Map], said: Callable[[str], None]) -> None:
    """Fetch the tables of every source that has a `connection` or `rest`; what was fetched before is replaced when all is there.

    Raises UsageError where no source has one or its address is not to be found, EnvironmentFault where the server does not
    answer or a program is missing, InputRefused where a table changed while it was read.
    """
    asked = {name: source for name, source in config.sources.items() if source.is_pulled}
    if not asked:
        fault = Fault(
            "C08",
            "nothing-to-pull",
            str(folder / "abm.toml"),
            "no source with a `connection` or `rest`",
            "at least one",
            "see docs/sources.md",
        )
        raise UsageError(fault)
    secrets = {name: _secret(folder, name, source) for name, source in asked.items()}
    for name, source in asked.items():
        target = folder_of(folder, name, source)
        draft = target.with_name(f"{name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        try:
            if source.rest:
                rest.pull(draft, name, source.rest, secrets[name], said)
            else:
                _pull_source(draft, name, source, maps[name], secrets[name], said)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _secret(folder: Path, name: str, source: Source) -> str:
    """The address of the server or its token, from the environment or else the keyring; empty where none is asked for."""
    auth = source.rest.auth if source.rest else None
    if source.rest and not auth:
        return ""
    asked, key = (auth.secret, "rest.auth.secret") if auth else (source.connection, "connection")
    if found := os.environ.get(asked):
        return found
    try:
        import keyring

        if found := keyring.get_password(KEYRING, asked):
            return found
    except Exception:
        pass  # no keyring, or none that can be opened: said below
    where, fix = f"{folder / 'abm.toml'}  [sources.{name}] {key}", f"set {asked}, or `keyring set {KEYRING} {asked}`"
    expected = "a token or a password" if auth else "an address such as postgresql://user@host/base"
    raise UsageError(Fault("C08", "no-secret" if auth else "no-address", where, f"nothing in {asked}", expected, fix))


def _pull_source(
    draft: Path, name: str, source: Source, mapping: Map, address: str, said: Callable[[str], None]
) -> None:
    try:
        import sqlalchemy as sa
    except ImportError:
        raise EnvironmentFault(
            Fault(
                "P21",
                "no-sqlalchemy",
                f"source {name}",
                "sqlalchemy is not installed",
                "the extra `pull`",
                "pip install 'abm_lib[pull]'",
            )
        ) from None
    try:
        url = sa.make_url(address)
        engine = sa.create_engine(url, isolation_level=ONE_STATE.get(url.get_backend_name(), "SERIALIZABLE"))
        with engine.connect() as server, server.begin():
            there = sorted(
                {
                    *sa.inspect(server).get_table_names(source.db_schema or None),
                    *sa.inspect(server).get_view_names(source.db_schema or None),
                }
            )
            for stem, query in _queries(source, mapping, there, engine.dialect.identifier_preparer.quote).items():
                said(f"pulled {name}.{stem}: {_pull_table(draft, stem, server, query, sa.text)} rows")
    except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
        found = f"{type(error).__name__}: {str(getattr(error, 'orig', None) or error).splitlines()[0]}".replace(
            address, source.connection
        )
        raise EnvironmentFault(
            Fault(
                "P13",
                "server",
                f"source {name}",
                found,
                "a server that answers the query",
                "mend the address, the rights or the query",
            )
        ) from None


def _queries(source: Source, mapping: Map, there: list[str], quote: Callable[[str], str]) -> dict[str, str]:
    """A query for each table of the map that the schema holds, or that abm.toml has one for."""
    within = f"{quote(source.db_schema)}." if source.db_schema else ""
    known = {stem: named(stem, names, there) for stem, names in mapping.wanted.items()}
    found = {stem: f"select * from {within}{quote(name)}" for stem, name in known.items() if name}
    return found | source.queries


def _pull_table(draft: Path, stem: str, server: Any, query: str, text: Callable[[str], Any]) -> int:
    """Write PLACE/STEM.parquet of text; returns its rows, which are as many as the server counts in the same state."""
    (expected,) = server.execute(text(f"select count(*) from ({query}) counted")).one()
    result = server.execution_options(stream_results=True, yield_per=forms.BATCH).execute(text(query))
    con = duckdb.connect(config=forms.CLOSED)
    forms.from_rows(con, stem, list(result.keys()), result)
    (count,) = con.execute(f'select count(*) from "{stem}"').fetchall()[0]
    if count != expected:
        fix = "pull again"
        raise InputRefused(
            Fault("F095", "count-differs", stem, f"{count} rows read", f"{expected}, as the server counts", fix)
        )
    con.execute(
        f'copy (select * exclude (_row) from "{stem}" order by _row) to {quoted(str(draft / f"{stem}.parquet"))} (format parquet)'
    )
    return int(count)
