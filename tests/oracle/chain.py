"""What removing a channel does: the walks once more, with everyone who would enter it lost, solved anew for each channel."""

from __future__ import annotations

import numpy as np
import pandas as pd


def removal_effects(walks: pd.DataFrame) -> dict[str, float]:
    """channel -> share of the chain's conversions that is gone without it; `walk`, `place`, `channel`, `won`."""
    walks = walks.sort_values(["walk", "place"])
    following = walks.groupby("walk")["channel"].shift(-1)
    ends = np.where(walks["won"], "won", "lost")
    counted = pd.crosstab(walks["channel"], following.fillna(pd.Series(ends, index=walks.index)))
    first = walks[walks["place"] == 1]["channel"].value_counts(normalize=True)
    moves = counted.div(counted.sum(axis=1), axis=0)

    def converts(without: str = "") -> float:
        kept = [channel for channel in counted.index if channel != without]
        inside = np.eye(len(kept)) - moves.reindex(index=kept, columns=kept, fill_value=0.0).to_numpy()
        wins = moves["won"].reindex(kept).to_numpy()
        return float(first.reindex(kept, fill_value=0.0).to_numpy() @ np.linalg.solve(inside, wins))

    whole = converts() if "won" in moves else 0.0
    return {channel: 1 - converts(channel) / whole if whole else 0.0 for channel in counted.index}
