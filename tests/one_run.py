"""`abm run` on the tests' small company as a process: the notebooks of a folder, readings that were computed before.

python one_run.py SETTINGS.json [OPTION …]: SETTINGS names `company`, `out`, `notebooks`, `table`, and `server`, a fork
server to be used instead of one of its own.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pandas as pd

from abm_lib import cli
from abm_lib.run import place, publish


def main(settings: str, *options: str) -> None:
    asked = json.loads(Path(settings).read_text())
    publish.reading.read = lambda *_, **__: pd.read_parquet(asked["table"])
    publish.notebooks_folder = lambda: Path(asked["notebooks"])
    place.SPACE = asked.get("space", place.SPACE)
    if asked.get("server"):
        publish.forking = lambda said: nullcontext(asked["server"])
    sys.argv = ["abm", "run", asked["company"], "--quarter", "2026Q1", "--out", asked["out"], "--only", "ads", *options]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
elif "ASKED" in globals():
    main(globals()["ASKED"])  # by runpy, in a process that was forked
