"""Reading 5 million rows of messy CSV into the frozen store: time against DuckDB's own reader, and the most memory held.

    python benchmarks/reading.py [ROWS]

The file has decimal commas, days before months, quoted text with line breaks, declared blanks, broken lines and wrong values.
Timed in one run, each in a process of its own: DuckDB's reader with types and rejects into Parquet, which is what cannot be
undercut; reading and converting with every line accounted for; and keys and references, which DuckDB's reader does not judge.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS = 5_000_000
SETTINGS = """
[company]
name = "Benchmark"
currency = "EUR"

[opportunity_stages]
order = ["open"]
qualified_from = "open"
won = ["won"]
lost = ["lost"]

[thresholds]
set_aside_share = 0.05

[sources.export]
dialect.delimiter = ";"
dialect.decimal = ","
dialect.thousands = "."
dialect.dates = ["%d.%m.%Y"]
dialect.times = ["%d.%m.%Y %H:%M:%S"]
dialect.blanks = ["--"]
"""
COLUMNS = "touch_id;touched_at;account_id;person_id;channel;campaign_id;kind;detail;is_response;minutes"


def write(folder: Path, rows: int) -> int:
    """The company folder; returns how many lines are no sound row."""
    (folder / "abm.toml").write_text(SETTINGS)
    chosen, wrong = random.Random(7), 0
    with (folder / "touches.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(COLUMNS + "\r\n")
        for i in range(rows):
            day = f"{chosen.randrange(1, 29):02}.{chosen.randrange(1, 13):02}.202{chosen.randrange(3, 7)}"
            minutes = chosen.choice(["--", "1.250,5", "12,25", "7", ""])
            detail = chosen.choice(['"two\r\nlines; and ""quotes"""', "plain", "Größe", ""])
            line = f"t{i:09};{day} {i % 24:02}:15:0{i % 10};a{i % 3000};p{i % 40000};linkedin;c{i % 60};visit;{detail};{i % 2};{minutes}"
            if i % 997 == 0:
                line, wrong = (
                    chosen.choice([f"t{i:09};short", line.replace(day, "31.02.2026"), line.replace("visit", "visitt")]),
                    wrong + 1,
                )
            file.write(line + "\r\n")
    return wrong


def plain(folder: Path) -> dict[str, float]:
    """DuckDB's own reader with types, into Parquet. Its formats are those of the file; what does not fit is rejected."""
    con, began = connect(folder), time.perf_counter()
    types = "touch_id: VARCHAR, touched_at: TIMESTAMP, account_id: VARCHAR, person_id: VARCHAR, channel: VARCHAR, campaign_id: VARCHAR, "
    types += "kind: VARCHAR, detail: VARCHAR, is_response: BOOLEAN, minutes: VARCHAR"
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in (part.split(": ") for part in types.split(", ")))
    con.execute(
        f"copy (select * replace (try_cast(replace(replace(nullif(minutes, '--'), '.', ''), ',', '.') as DOUBLE) as minutes) from read_csv("
        f"'{folder}/touches.csv', columns = {{{columns}}}, auto_detect = false, header = true, delim = ';', quote = '\"', escape = '\"', "
        f"timestampformat = '%d.%m.%Y %H:%M:%S', store_rejects = true, new_line = '\\r\\n')) "
        f"to '{folder}/plain.parquet' (format parquet, compression zstd)"
    )
    return {"seconds": time.perf_counter() - began}


def ours(folder: Path) -> dict[str, float]:
    """What `abm check` does with the same file: freeze it with every line accounted for."""
    from abm_lib import tables
    from abm_lib.company import open_company

    spent = {"keys": 0.0}
    settle = tables._settle_keys

    def timed(*given: object) -> int:
        began = time.perf_counter()
        repeated = settle(*given)
        spent["keys"] += time.perf_counter() - began
        return repeated

    tables._settle_keys = timed
    began = time.perf_counter()
    company = open_company(folder)
    counts = company.notes["tables"]["touches"]
    return {
        "seconds": time.perf_counter() - began,
        "keys": spent["keys"],
        "read": counts["read"],
        "set_aside": counts["set_aside"],
    }


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(f"set memory_limit = '1GB'; set temp_directory = '{folder}/spill'")
    return con


def measured(what: str, folder: Path) -> dict[str, float]:
    """One of the functions above in a process of its own, with the most memory that it held."""
    done = subprocess.run([sys.executable, __file__, what, str(folder)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrong = write(folder, rows)
        size = (folder / "touches.csv").stat().st_size
        print(f"{rows:,} rows, {size / 1e6:,.0f} MB, {wrong:,} of them broken or wrong")
        reader, read = measured("plain", folder), measured("ours", folder)
        alone = read["seconds"] - read["keys"]
        print(f"DuckDB's reader into Parquet      {reader['seconds']:6.1f} s   {reader['megabytes']:6,.0f} MB at most")
        print(f"read, converted, frozen           {alone:6.1f} s   {read['megabytes']:6,.0f} MB at most")
        print(f"keys                              {read['keys']:6.1f} s")
        print(f"read {read['read']:,.0f}, set aside {read['set_aside']:,.0f}")
        print(f"{reader['seconds'] / alone:.2f} of the reader's speed (at least 0.5)")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        told = {"plain": plain, "ours": ours}[sys.argv[1]](Path(sys.argv[2]))
        told["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(told))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
