"""What was reported of earlier quarters and what is known of them now: random histories against a slow loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tiny import Change, company, facts, histories, known, with_histories

STARTS = [date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1)]
QUARTERS = dict(zip(("2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"), pairwise(STARTS), strict=True))
EARLIER = tuple(QUARTERS)[:4]
DAYS = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30)]
MADE = [*DAYS, date(2025, 6, 1), date(2026, 1, 20), date(2026, 7, 1), date(2026, 7, 20), date(2026, 9, 2)]
MOMENTS = [datetime.combine(day, time(9)) for day in MADE]
Steps = dict[tuple[str, str, str], float]  # (opportunity, quarter, movement) -> amount


def seen(history: Sequence[Change], end: date) -> Change | None:
    """The last state at the end of a quarter, by what is known ten days after it."""
    states = known(history, datetime.combine(end, time()), datetime.combine(end, time()) + timedelta(days=11))
    return states[-1] if states else None


def worth(state: Change | None, quarter: str) -> float | None:
    """What a state counts for in a quarter's revenue; None where it is no win of it."""
    if state is None or not state.is_won:
        return None
    start, end = QUARTERS[quarter]
    return (state.amount or 0) if start <= (state.close_on or state.effective_at.date()) < end else None


def slowly(name: str, history: Sequence[Change]) -> Steps:
    now, found = seen(history, STARTS[-1]), Counter[tuple[str, str, str]]()
    then = {quarter: seen(history, QUARTERS[quarter][1]) for quarter in EARLIER}
    told = {quarter: worth(then[quarter], quarter) for quarter in EARLIER}
    for quarter, before in told.items():
        after, state = worth(now, quarter), then[quarter]
        if before is not None:
            found[name, quarter, "opening"] += before
        if after is not None:
            found[name, quarter, "closing"] += after
        if before is not None and after is not None:
            step = "amount_up" if after > before else "amount_down"
        elif before is not None:
            still = now is not None and not now.is_deleted
            step = "moved_out" if still and now.is_won else "no_longer_won" if still else "deleted"
        else:
            was_won = any(value is not None for value in told.values()) or (state is not None and state.is_won)
            step = "moved_in" if was_won else "recorded_late"
        found[name, quarter, step] += (after or 0) - (before or 0)
    return {key: amount for key, amount in found.items() if amount}


CAUSES = {"recorded_late", "moved_in", "moved_out", "amount_up", "amount_down", "no_longer_won", "deleted"}


@pytest.mark.parametrize("recorded", [True, False], ids=["with days of recording", "without"])
def test_random_histories_are_restated_as_a_slow_loop_restates_them(tmp_path: Path, recorded: bool) -> None:
    drawn = [history for seed in range(21) for history in histories(seed, MOMENTS, DAYS, recorded)]
    table = facts(company(tmp_path, with_histories(drawn)), "restated_wins")["restated_wins"]
    found = table.groupby(["opportunity_id", "restated_quarter", "movement"])["amount"].sum()
    expected: Steps = {}
    for name, history in enumerate(drawn):
        expected |= slowly(str(name), history)
    assert {key: amount for key, amount in found.items() if amount} == expected
    assert {step for _, _, step in expected} == {"opening", "closing", *CAUSES}
