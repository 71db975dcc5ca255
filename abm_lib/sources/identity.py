"""Ids: one record, one id. A Salesforce id of 15 letters and the same one of 18 are one record; their case tells them apart."""

from __future__ import annotations

import duckdb

from ..tables import tables

SHORT, LONG = "^[a-zA-Z0-9]{15}$", "^[a-zA-Z0-9]{18}$"
# Three letters, each telling which of five letters are upper case (Salesforce help, "Record IDs").
SUFFIX = """array_to_string([substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + list_sum([
    case when substr(t, 5 * i + j + 1, 1) between 'A' and 'Z' then (1 << j) else 0 end for j in range(5)])::INT, 1)
    for i in range(3)], '')"""
MACROS = {
    "id_suffix(t)": SUFFIX,
    "long_id(t)": f"case when regexp_matches(t, '{SHORT}') then t || id_suffix(t) else t end",
}
WRONG = f"regexp_matches({{c}}, '{LONG}') and {{c}}[16:18] <> id_suffix({{c}}[1:15])"


def with_long_ids(table: str, con: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query with every id of the table in its long form."""
    given = [name for name, *_ in con.execute(f"describe {query}").fetchall()]
    ids = [name for name in given if name in (columns := tables()[table].columns) and columns[name].type == "id"]
    longer = ", ".join(f'long_id("{name}") as "{name}"' for name in ids)
    return f"select * replace ({longer}) from ({query})" if ids else query
