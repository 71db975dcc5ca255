"""The three families against SQL written by hand: the same numbers of the same frozen tables, on the same machine, in turn.

    python benchmarks/metrics.py                 20 million ad rows and 20 million touches
    python benchmarks/metrics.py --quick         a thousandth of it, to see that it runs

Each run is a process of its own, imports and all; CPU seconds count, since the wall clock hears the neighbours. Both sides
read the metrics and slices of by_hand.ASKED and no others.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import by_hand
import measure
import numpy as np
import pandas as pd
from measure import Figure

LARGE, QUICK = 1.0, 0.001
QUARTER = "2026Q3"
FAMILIES = ("ads", "pipeline", "revenue")
KEY = ["metric", "quarter", "slice_by", "slice"]
SIDES = ("readings", "values", "by_hand")  # `values`: the readings without intervals, which the SQL has not either


def benchmark(scale: float, rounds: int) -> list[Figure]:
    """The figures of one size, after the numbers of both were found equal."""
    with tempfile.TemporaryDirectory(prefix="abm-benchmark-") as folder:
        results = {name: Path(folder) / f"{name}.pickle" for name in SIDES}
        # In a process of its own, so that its memory is not ours.
        measure.run(sys.executable, __file__, "write", folder, str(scale))
        costs: dict[str, list[measure.Cost]] = {name: [] for name in SIDES}
        for _ in range(rounds):
            for name, result in results.items():
                costs[name].append(measure.run(sys.executable, __file__, name, folder, str(result)))
        hand = pd.read_pickle(results["by_hand"])
        compared = [differences(pd.read_pickle(results[name]), hand) for name in ("readings", "values")]
    for found in compared:
        if found["differs"].any():
            raise SystemExit(f"the numbers differ:\n{found[found['differs']].head(20).to_string()}")
    return figures(compared[0], {name: measure.middle(each) for name, each in costs.items()}, is_small=scale < LARGE)


def figures(compared: pd.DataFrame, costs: dict[str, measure.Cost], *, is_small: bool) -> list[Figure]:
    whole, values, hand = (costs[name] for name in SIDES)
    largest = compared["difference"].max()
    return [
        Figure("numbers compared", len(compared), "numbers"),
        Figure("numbers that differ by more than 1e-9 of them", int(compared["differs"].sum()), "numbers", 0),
        Figure("largest difference, in 1e-12 of the number", largest * 1e12, "", 1000),
        Figure("SQL by hand, CPU", hand.cpu, "s"),
        Figure("abm_lib without intervals, CPU", values.cpu, "s"),
        Figure("abm_lib without intervals / SQL by hand", values.cpu / hand.cpu, "x", None if is_small else 1.3),
        Figure("abm_lib, CPU", whole.cpu, "s"),
        Figure("abm_lib / SQL by hand", whole.cpu / hand.cpu, "x"),
        Figure("SQL by hand, wall", hand.wall, "s"),
        Figure("abm_lib without intervals, wall", values.wall, "s"),
        Figure("abm_lib, wall", whole.wall, "s"),
        Figure("SQL by hand, peak memory", hand.peak, "MB"),
        Figure("abm_lib, peak memory", max(whole.peak, values.peak), "MB", 2000),
    ]  # fmt: skip


def differences(ours: pd.DataFrame, hand: pd.DataFrame) -> pd.DataFrame:
    """Every number asked for that either side gives, and whether the two values differ by more than 1e-9 of them.

    A group without rows has no line in SQL; its sums and counts are 0 here. What SQL divides by 0 is missing here. Under a
    millionth, only rounding is left of 0.
    """
    asked = pd.MultiIndex.from_frame(ours[["metric", "slice_by"]]).isin(by_hand.ASKED)
    both = ours[ours["value"].notna() & asked][[*KEY, "value"]].merge(
        hand.assign(by_hand=hand["value"].astype(float).replace([np.inf, -np.inf], np.nan))[[*KEY, "by_hand"]].dropna(),
        on=KEY,
        how="outer",
    )
    here, there = both["value"].fillna(0), both["by_hand"].fillna(0)
    size = np.maximum(here.abs(), there.abs())
    both["difference"] = (here - there).abs() / size.where(size > 1e-6, 1)
    both["differs"] = (both["difference"] > 1e-9) | (here.eq(0) & there.abs().gt(1e-6))
    return both


def restricted() -> None:
    """Leave only the metrics and slices in the register that the SQL gives too."""
    import abm_lib.metrics  # noqa: F401  (fills the register)
    from abm_lib.metric import REGISTER

    for name in set(REGISTER) - {metric for metric, _ in by_hand.ASKED}:
        del REGISTER[name]
    for name, metric in REGISTER.items():
        REGISTER[name] = replace(metric, by=tuple(by for by in metric.by if (name, by) in by_hand.ASKED))


def child(name: str, folder: Path, result: str) -> None:
    """One side of the comparison, in its own process."""
    if name == "write":
        from abm_lib.sample import stream

        whole = stream.Size()
        stream.write(folder, stream.Size(*(int(n * float(result)) for n in vars(whole).values())))
    elif name == "by_hand":
        path = max((folder / ".abm" / "store").glob("*.json"), key=lambda p: p.stat().st_mtime)
        by_hand.read(path.parent, json.loads(path.read_text(encoding="utf-8"))["tables"]).to_pickle(result)
    else:
        restricted()
        from abm_lib import intervals, open_company, reading, readings

        if name == "values":
            reading._interval = lambda *_: (np.nan, np.nan, "")
            intervals.median_interval = lambda _: intervals.UNKNOWN
        company = open_company(str(folder))
        readings.read(company, company.quarter(QUARTER), families=FAMILIES).to_pickle(result)


def main(arguments: list[str]) -> list[Figure]:
    quick = "--quick" in arguments
    return benchmark(QUICK if quick else LARGE, 1 if quick else 3)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        child(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    else:
        print(measure.table(main(sys.argv[1:])))
