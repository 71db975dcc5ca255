"""Reading 5 million rows of messy CSV into the frozen store: time against DuckDB's own reader, and the most memory held.

    python benchmarks/reading.py                 5 million rows, 400 MB
    python benchmarks/reading.py --quick         20,000 rows, to see that it runs

The file has decimal commas, days before months, quoted text with line breaks, declared blanks, broken lines and wrong values.
Timed in turn, each in a process of its own and without its imports: DuckDB's reader with types and rejects into Parquet, which
is what cannot be undercut; reading, converting and freezing with every line accounted for; and apart from that keys and
references, which DuckDB's reader does not judge.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import measure
from measure import Figure

ROWS, QUICK = 5_000_000, 20_000
TOLD = "told.json"
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
            day = f"{chosen.randrange(1, 29):02}.{chosen.randrange(1, 13):02}.202{chosen.randrange(2, 6)}"
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
    con = duckdb.connect()
    con.execute(f"set memory_limit = '1GB'; set temp_directory = '{folder}/spill'")
    types = "touch_id: VARCHAR, touched_at: TIMESTAMP, account_id: VARCHAR, person_id: VARCHAR, channel: VARCHAR, campaign_id: VARCHAR, "
    types += "kind: VARCHAR, detail: VARCHAR, is_response: BOOLEAN, minutes: VARCHAR"
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in (part.split(": ") for part in types.split(", ")))
    con.execute(
        f"copy (select * replace (try_cast(replace(replace(nullif(minutes, '--'), '.', ''), ',', '.') as DOUBLE) as minutes) from read_csv("
        f"'{folder}/touches.csv', columns = {{{columns}}}, auto_detect = false, header = true, delim = ';', quote = '\"', escape = '\"', "
        f"timestampformat = '%d.%m.%Y %H:%M:%S', store_rejects = true, new_line = '\\r\\n')) "
        f"to '{folder}/plain.parquet' (format parquet, compression zstd)"
    )
    return {}


def ours(folder: Path) -> dict[str, float]:
    """What `abm check` does with the same file: freeze it with every line accounted for."""
    from abm_lib import tables
    from abm_lib.company import open_company
    from abm_lib.sources import checks

    apart: list[dict[str, float]] = []
    tables._settle_keys = timed(tables._settle_keys, apart)
    checks.references = timed(checks.references, apart)
    counts = open_company(folder).notes["tables"]["touches"]
    keys = {f"keys {name}": sum(spent[name] for spent in apart) for name in ("wall", "cpu")}
    return keys | {"read": counts["read"], "set_aside": counts["set_aside"]}


def timed(function: Callable[..., Any], spent: list[dict[str, float]]) -> Callable[..., Any]:
    """The function, adding to `spent` what each call takes: wall and CPU seconds."""

    def called(*given: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = function(*given)
        spent.append({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu})
        return result

    return called


WAYS = {"plain": plain, "ours": ours}


def measured(way: str, folder: Path) -> dict[str, float]:
    """One of the ways in a process of its own."""
    shutil.rmtree(folder / ".abm", ignore_errors=True)
    cost = measure.run(sys.executable, __file__, way, str(folder))
    return json.loads((folder / TOLD).read_text()) | {"peak": cost.peak}


def child(way: str, folder: Path) -> None:
    """Go the way and write down what it took."""
    import abm_lib.company  # noqa: F401  (imports are no reading)

    spent: list[dict[str, float]] = []
    told = timed(WAYS[way], spent)(folder)
    (folder / TOLD).write_text(json.dumps(told | spent[0]))


def main(arguments: list[str]) -> list[Figure]:
    quick = "--quick" in arguments
    rows, rounds = (QUICK, 1) if quick else (ROWS, 5)
    with tempfile.TemporaryDirectory(prefix="abm-benchmark-") as name:
        folder = Path(name)
        wrong, costs = write(folder, rows), {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:  # in turn, so that other work on the machine falls on both
                costs[way].append(measured(way, folder))
                print(f"{way}: {costs[way][-1]}", file=sys.stderr)
    reader, read = ({name: median(cost[name] for cost in costs[way]) for name in costs[way][0]} for way in WAYS)
    alone = {name: read[name] - read[f"keys {name}"] for name in ("wall", "cpu")}
    least, most = (None, None) if quick else (0.5, 2000)
    return [
        Figure("rows", rows, ""),
        Figure("lines not accounted for", abs(rows - read["read"]), "", 0),
        Figure("lines set aside that are sound, or the other way round", abs(wrong - read["set_aside"]), "", 0),
        Figure("DuckDB's reader into Parquet", reader["wall"], "s"),
        Figure("abm_lib without keys and references", alone["wall"], "s"),
        Figure("keys and references", read["keys wall"], "s"),
        Figure("speed without keys / DuckDB's reader", reader["wall"] / alone["wall"], "x", least, is_least=True),
        Figure("DuckDB's reader into Parquet, CPU", reader["cpu"], "s"),
        Figure("abm_lib without keys and references, CPU", alone["cpu"], "s"),
        Figure("CPU of DuckDB's reader / without keys", reader["cpu"] / alone["cpu"], "x"),
        Figure("DuckDB's reader, peak memory", max(cost["peak"] for cost in costs["plain"]), "MB"),
        Figure("abm_lib, peak memory", max(cost["peak"] for cost in costs["ours"]), "MB", most),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        child(sys.argv[1], Path(sys.argv[2]))
    else:
        print(measure.table(main(sys.argv[1:])))
