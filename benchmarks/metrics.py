"""The three families against SQL written by hand: the same numbers of the same frozen tables, on the same machine, in turn.

    python benchmarks/metrics.py                 20 million ad rows and 20 million touches
    python benchmarks/metrics.py --quick         a thousandth of it, to see that it runs

Each run is a process of its own, imports and all; CPU seconds count, since the wall clock hears the neighbours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import measure
import numpy as np
import pandas as pd
from measure import Figure

LARGE, QUICK = 1.0, 0.001
QUARTER = "2026Q3"
KEY = ["metric", "quarter", "slice_by", "slice"]
# Slices that a metric counts in its own way, which the SQL does not repeat; and metrics worked out from others.
OTHERWISE = {("marketing_sourced_pipeline_share", "channel"), ("marketing_sourced_pipeline_share", "source_owner"),
             ("marketing_sourced_revenue_share", "source_owner"), ("sourced_opportunity_win_rate", "source_owner"),
             ("promotion_wins", "promotion"), ("promotion_win_share", "promotion")}  # fmt: skip


def benchmark(scale: float, rounds: int) -> list[Figure]:
    """The figures of one size, after the numbers of both were found equal."""
    folder = company(scale)
    results = {name: folder / f"{name}.pickle" for name in ("readings", "values", "by_hand")}
    costs: dict[str, list[measure.Cost]] = {name: [] for name in results}
    for _ in range(rounds):
        for name, result in results.items():
            costs[name].append(measure.run(sys.executable, __file__, name, str(folder), str(result)))
    compared = differences(pd.read_pickle(results["readings"]), pd.read_pickle(results["by_hand"]))
    if compared["differs"].any():
        raise SystemExit(f"the numbers differ:\n{compared[compared['differs']].head(20).to_string()}")
    whole, values, hand = (measure.middle(costs[name]) for name in ("readings", "values", "by_hand"))
    small = scale < LARGE
    return [
        Figure("numbers found equal to SQL by hand", len(compared), "numbers"),
        Figure("readings, CPU", whole.cpu, "s"),
        Figure("readings without resampled intervals, CPU", values.cpu, "s"),
        Figure("SQL by hand, CPU", hand.cpu, "s"),
        Figure(
            "readings without resampled intervals / SQL by hand", values.cpu / hand.cpu, "x", None if small else 1.3
        ),
        Figure("readings / SQL by hand", whole.cpu / hand.cpu, "x"),
        Figure("readings, peak memory", whole.peak, "MB", 2000),
        Figure("SQL by hand, peak memory", hand.peak, "MB"),
    ]


def company(scale: float) -> Path:
    """A company folder with a frozen store of that size, written again only when the library would freeze it otherwise."""
    from abm_lib import store

    folder = Path(__file__).parent / ".abm" / f"stream-{scale:g}"
    if not (folder / "abm.toml").exists() or store.recall(folder, store.key_of(folder, [])) is None:
        # In a process of its own, so that its memory is not ours.
        measure.run(sys.executable, __file__, "write", str(folder), str(scale))
    return folder


def differences(ours: pd.DataFrame, by_hand: pd.DataFrame) -> pd.DataFrame:
    """Every reading that the SQL gives too, and whether the two values differ by more than 1e-9 of them."""
    ours = ours[ours["value"].notna() & ~pd.MultiIndex.from_frame(ours[["metric", "slice_by"]]).isin(OTHERWISE)]
    asked = pd.MultiIndex.from_frame(by_hand[["metric", "slice_by"]].drop_duplicates())
    ours = ours[pd.MultiIndex.from_frame(ours[["metric", "slice_by"]]).isin(asked)]
    hand = by_hand.assign(by_hand=by_hand["value"].astype(float)).drop(columns="value")
    both = ours[[*KEY, "value"]].merge(hand, on=KEY, how="left")
    # A group without rows has no line in SQL; its sums and counts are 0 here.
    both["differs"] = ~np.isclose(both["value"], both["by_hand"].fillna(0), rtol=1e-9, atol=1e-9)
    return both


def child(name: str, folder: Path, result: str) -> None:
    """One side of the comparison, in its own process."""
    if name == "write":
        from abm_lib.sample import stream

        whole = stream.Size()
        stream.write(folder, stream.Size(*(int(n * float(result)) for n in vars(whole).values())))
    elif name == "by_hand":
        import by_hand

        path = max((folder / ".abm" / "store").glob("*.json"), key=lambda p: p.stat().st_mtime)
        by_hand.read(path.parent, json.loads(path.read_text(encoding="utf-8"))["tables"]).to_pickle(result)
    else:
        import abm_lib as abm
        from abm_lib import intervals

        if name == "values":
            intervals.bootstrap = lambda *_, **__: intervals.UNKNOWN
        abm.read(str(folder), QUARTER).to_pickle(result)


def main(arguments: list[str]) -> list[Figure]:
    quick = "--quick" in arguments
    return benchmark(QUICK if quick else LARGE, 1 if quick else 3)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        child(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    else:
        print(measure.table(main(sys.argv[1:])))
