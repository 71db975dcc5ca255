"""The movement of open pipeline: each step drawn, and random histories against a slow loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from tiny import Change, company, facts, histories, known, slices, with_histories
from tiny import read as readings_of

from abm_lib.facts.movement import FLOWS

START, END, UNTIL = datetime(2026, 7, 1), datetime(2026, 10, 1), datetime(2026, 10, 12)
ALL, DUE = "all_open", "due_in_quarter"
Moved = dict[tuple[str, str], dict[str, float]]  # (opportunity, bridge) -> movement -> amount


def moved_in(folder: Path) -> Moved:
    """What the fact says of the third quarter of 2026; a movement of 0 is left out."""
    table = facts(folder, "pipeline_changes")["pipeline_changes"]
    assert (table.loc[table["movement"] == "residual", "amount"] == 0).all()
    sums = table.groupby(["opportunity_id", "bridge", "movement"])["amount"].sum()
    found: Moved = {}
    for (name, bridge, movement), amount in sums[sums.round(2) != 0].items():
        found.setdefault((name, bridge), {})[movement] = round(amount, 2)
    return found


# Each step, drawn

STEPS = """
opportunity_id | changed_at | stage     | amount | currency | close_on   | is_deleted
kept           | 2026-06-01 | qualified | 100    | EUR      | 2026-12-01 |
created        | 2026-07-01 | qualified | 100    | EUR      | 2026-09-30 |
created later  | 2026-08-01 | qualified | 100    | EUR      | 2026-12-01 |
before         | 2026-06-30 | qualified | 100    | EUR      | 2026-10-01 |
raised         | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
raised         | 2026-07-10 | proposal  | 150    | EUR      | 2026-09-01 |
lowered        | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
lowered        | 2026-07-10 | qualified | 40     | EUR      | 2026-09-01 |
up and down    | 2026-06-01 | qualified | 100    | EUR      | 2026-12-01 |
up and down    | 2026-07-10 | qualified | 130    | EUR      | 2026-12-01 |
up and down    | 2026-07-11 | qualified | 80     | EUR      | 2026-12-01 |
priced         | 2026-06-01 | qualified |        | EUR      | 2026-12-01 |
priced         | 2026-07-10 | qualified | 70     | EUR      | 2026-12-01 |
pulled         | 2026-06-01 | qualified | 100    | EUR      | 2026-12-01 |
pulled         | 2026-07-10 | qualified | 110    | EUR      | 2026-09-30 |
pushed         | 2026-06-01 | qualified | 100    | EUR      | 2026-07-01 |
pushed         | 2026-07-10 | qualified | 110    | EUR      | 2026-10-01 |
won            | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
won            | 2026-08-01 | won       | 90     | EUR      | 2026-08-01 |
won from afar  | 2026-06-01 | qualified | 100    | EUR      | 2026-12-01 |
won from afar  | 2026-08-01 | won       | 100    | EUR      | 2026-08-01 |
won at once    | 2026-08-01 | won       | 100    | EUR      | 2026-08-01 |
lost           | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
lost           | 2026-08-01 | lost      | 0      | EUR      | 2026-08-01 |
lost unready   | 2026-06-01 | discovery | 100    | EUR      | 2026-09-01 |
lost unready   | 2026-08-01 | lost      | 100    | EUR      | 2026-08-01 |
reopened       | 2026-05-01 | qualified | 100    | EUR      | 2026-09-01 |
reopened       | 2026-06-01 | lost      | 100    | EUR      | 2026-06-01 |
reopened       | 2026-08-01 | qualified | 120    | EUR      | 2026-09-01 |
deleted        | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
deleted        | 2026-08-01 | qualified | 100    | EUR      | 2026-09-01 | yes
moved back     | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
moved back     | 2026-08-01 | discovery | 100    | EUR      | 2026-09-01 |
merged         | 2026-06-01 | qualified | 100    | EUR      | 2026-09-01 |
merged         | 2026-08-01 | qualified | 100    | EUR      | 2026-09-01 | yes
late           | 2026-06-01 | qualified | 100    | EUR      | 2026-12-01 |
late           | 2026-10-05 | lost      | 100    | EUR      | 2026-09-20 |
"""
# name: (in the bridge of all open pipeline, in the bridge of what is due in the quarter)
EXPECTED: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "kept": ({"opening": 100, "closing": 100}, {}),
    "created": ({"created": 100, "closing": 100}, {"created": 100, "closing": 100}),
    "created later": ({"created": 100, "closing": 100}, {}),
    "before": ({"opening": 100, "closing": 100}, {}),
    "raised": ({"opening": 100, "amount_up": 50, "closing": 150}, {"opening": 100, "amount_up": 50, "closing": 150}),
    "lowered": (
        {"opening": 100, "amount_down": -60, "closing": 40},
        {"opening": 100, "amount_down": -60, "closing": 40},
    ),
    "up and down": ({"opening": 100, "amount_up": 30, "amount_down": -50, "closing": 80}, {}),
    "priced": ({"amount_up": 70, "closing": 70}, {}),
    "pulled": ({"opening": 100, "amount_up": 10, "closing": 110}, {"pulled_in": 110, "closing": 110}),
    "pushed": ({"opening": 100, "amount_up": 10, "closing": 110}, {"opening": 100, "pushed_out": -100}),
    "won": ({"opening": 100, "amount_down": -10, "won": -90}, {"opening": 100, "amount_down": -10, "won": -90}),
    "won from afar": ({"opening": 100, "won": -100}, {"pulled_in": 100, "won": -100}),
    "won at once": ({"created": 100, "won": -100}, {"created": 100, "won": -100}),
    "lost": ({"opening": 100, "lost": -100}, {"opening": 100, "lost": -100}),
    "lost unready": ({}, {}),
    "reopened": ({"reopened": 120, "closing": 120}, {"reopened": 120, "closing": 120}),
    "deleted": ({"opening": 100, "deleted": -100}, {"opening": 100, "deleted": -100}),
    "moved back": ({"opening": 100, "deleted": -100}, {"opening": 100, "deleted": -100}),
    "merged": ({"opening": 100, "merged": -100}, {"opening": 100, "merged": -100}),
    "late": ({"opening": 100, "lost": -100}, {}),
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    given = [f"{name} | new | {'kept' if name == 'merged' else ''}" for name in EXPECTED]
    opportunities = "\n".join(["opportunity_id | business_type | survivor_id", *given])
    folder = tmp_path_factory.mktemp("steps")
    return moved_in(company(folder, {"opportunities": opportunities, "opportunity_changes": STEPS}))


@pytest.mark.parametrize("name", EXPECTED)
def test_each_step_is_told_by_what_it_did(moved: Moved, name: str) -> None:
    assert (moved.get((name, ALL), {}), moved.get((name, DUE), {})) == EXPECTED[name]


def test_every_movement_is_drawn() -> None:
    drawn = {step for bridges in EXPECTED.values() for steps in bridges for step in steps}
    assert drawn == {"opening", *FLOWS, "closing"}  # re_tiered and fx are drawn below


CORRECTED = """
opportunity_id | changed_at | stage     | amount | currency | close_on
o1             | 2026-05-01 | qualified | 100    | EUR      | 2026-06-01
o1             | 2026-06-01 | lost      | 100    | EUR      | 2026-06-01
o1             | 2026-08-01 | won       | 100    | EUR      | 2026-08-01
"""


def test_what_is_won_in_the_bridge_is_what_revenue_counts(tmp_path: Path) -> None:
    one = "opportunity_id | business_type\no1 | new"
    folder = company(tmp_path, {"opportunities": one, "opportunity_changes": CORRECTED})
    table = readings_of(folder, "pipeline_movement", "closed_won_revenue", by=["movement", "business_type"])
    assert slices(table, "closed_won_revenue", "business_type") == {"new": 100}
    assert slices(table, "pipeline_movement", "movement").get("won") == -100


TIED = """
opportunity_id | changed_at | stage     | amount | currency | close_on
o1             | 2026-06-01 | qualified | 100    | EUR      | 2026-06-15
o1             | 2026-06-15 | proposal  | 100    | EUR      | 2026-06-15
o1             | 2026-06-18 | lost      | 100    | EUR      | 2026-06-15
o2             | 2026-07-01 | qualified | 50     | EUR      | 2026-12-01
"""


def test_a_deal_closed_at_the_instant_of_another_change_does_not_open_the_next_quarter(tmp_path: Path) -> None:
    """Days without a time of day are midnight, and so is the close date of a late close."""
    two = "opportunity_id | business_type\no1 | new\no2 | new"
    table = facts(company(tmp_path, {"opportunities": two, "opportunity_changes": TIED}), "pipeline_changes")[
        "pipeline_changes"
    ]
    assert set(table.loc[table["amount"] != 0, "opportunity_id"]) == {"o2"}


def test_tiers_are_those_of_both_edges_with_re_tiered_between_them(tmp_path: Path) -> None:
    drawn = {
        "accounts": """
            account_id | name
            a1         | One
            a2         | Two
            """,
        "account_lists": """
            account_id | is_target | tier | valid_from | valid_to
            a1         | yes       | 2    | 2026-01-01 | 2026-08-01
            a1         | yes       | 1    | 2026-08-01 |
            a2         | yes       | 2    | 2026-01-01 |
            """,
        "opportunities": """
            opportunity_id | account_id | business_type
            o1             | a1         | new
            o2             | a2         | expansion
            """,
        "opportunity_changes": """
            opportunity_id | changed_at | stage     | amount | currency | close_on
            o1             | 2026-06-01 | qualified | 100    | EUR      | 2026-12-01
            o1             | 2026-09-01 | qualified | 130    | EUR      | 2026-12-01
            o2             | 2026-06-01 | qualified | 1000   | EUR      | 2026-12-01
            """,
    }
    table = readings_of(company(tmp_path, drawn), "pipeline_movement", by=["movement", "movement/tier"])
    tiers = {name: amount for name, amount in slices(table, "pipeline_movement", "movement/tier").items() if amount}
    assert tiers == {
        "opening/2": 1100,
        "amount_up/2": 30,
        "re_tiered/2": -130,
        "closing/2": 1000,
        "re_tiered/1": 130,
        "closing/1": 130,
    }
    assert slices(table, "pipeline_movement", "movement")["re_tiered"] == 0


def test_an_opening_in_another_currency_is_revalued_by_fx_and_everything_else_is_at_the_last_rate(
    tmp_path: Path,
) -> None:
    drawn = {
        "fx": """
            currency | day        | rate
            USD      | 2026-06-30 | 0.8
            USD      | 2026-08-01 | 5
            USD      | 2026-09-30 | 0.9
            """,
        "opportunities": """
            opportunity_id | business_type
            o1             | new
            o2             | new
            """,
        "opportunity_changes": """
            opportunity_id | changed_at | stage     | amount | currency | close_on
            o1             | 2026-06-01 | qualified | 100    | USD      | 2026-09-01
            o1             | 2026-08-01 | qualified | 200    | USD      | 2026-09-01
            o2             | 2026-08-01 | qualified | 1000   | USD      | 2026-12-01
            o2             | 2026-09-01 | lost      | 1000   | USD      | 2026-09-01
            """,
    }
    moved = moved_in(company(tmp_path, drawn))
    revalued = {"opening": 80, "fx": 10, "amount_up": 90, "closing": 180}
    assert moved["o1", ALL] == moved["o1", DUE] == revalued
    assert moved["o2", ALL] == {"created": 900, "lost": -900}


# Random histories against a slow loop

MOMENTS = [datetime(2026, 6, 1), datetime(2026, 6, 15, 9), datetime(2026, 7, 1), datetime(2026, 7, 20, 9), datetime(2026, 8, 10, 9),
           datetime(2026, 9, 1, 9), datetime(2026, 9, 30, 23, 59, 59), datetime(2026, 10, 5, 9), datetime(2026, 10, 12)]  # fmt: skip
DAYS = [date(2026, 6, 20), date(2026, 7, 2), date(2026, 9, 30), date(2026, 10, 1), date(2026, 12, 1)]


def walked(history: list[Change], inside: Callable[[Change], bool], is_merged: bool) -> dict[str, float]:
    """The movements of one opportunity, by walking its history once; `inside` says which states the bridge is of."""
    steps: Counter[str] = Counter()
    before: Change | None = None
    has_counted = False
    for change in known(history, END, UNTIL):
        was, now = before is not None and inside(before), inside(change)
        old, new = (before.amount or 0) if before else 0, change.amount or 0
        if change.effective_at < START:
            steps["opening"] = new if now else 0
        elif was and change.is_won:
            steps["amount_up" if new > old else "amount_down"] += new - old
            steps["won"] -= new
        elif was and now:
            steps["amount_up" if new > old else "amount_down"] += new - old
        elif was:
            gone = (
                "lost" if change.is_lost else "pushed_out" if change.is_live else "merged" if is_merged else "deleted"
            )
            steps[gone] -= old
        elif now or _won_past_the_bridge(before, change, inside, has_counted):
            came = "created" if not has_counted else "pulled_in" if before and before.is_live else "reopened"
            steps[came] += new
            steps["won"] -= 0 if now else new
        has_counted = has_counted or change.is_live or change.is_won
        before = change
        steps["closing"] = new if now else 0
    return {name: amount for name, amount in steps.items() if amount}


def _won_past_the_bridge(
    before: Change | None, change: Change, inside: Callable[[Change], bool], has_counted: bool
) -> bool:
    """A win of a deal that was open but not in this bridge, or was never open: it comes in and leaves at once."""
    as_if_open = Change(change.changed_at, "qualified", change.amount, change.close_on)
    return change.is_won and inside(as_if_open) and (not has_counted or (before is not None and before.is_live))


def told_apart(history: list[Change]) -> bool:
    """No two changes of one instant, and no win straight out of a loss: these have tests of their own."""
    order = known(history, END, UNTIL)
    counted = [change.is_live or change.is_won for change in order]
    straight = any(
        one.is_won and not before.is_live and not before.is_won and any(counted[:n])
        for n, (before, one) in enumerate(pairwise(order), 1)
    )
    return len({change.effective_at for change in order}) == len(order) and not straight


@pytest.mark.parametrize("recorded", [False, True], ids=["one time axis", "two time axes"])
@pytest.mark.parametrize("seed", [3, 4])
def test_movements_are_what_a_slow_walk_through_the_history_says(seed: int, recorded: bool, tmp_path: Path) -> None:
    drawn = [history for history in histories(seed, MOMENTS, DAYS, recorded) if told_apart(history)]
    merged = [n % 3 == 0 for n in range(len(drawn))]
    survivors = ["'1'" if is_merged else None for is_merged in merged]
    moved = moved_in(company(tmp_path, with_histories(drawn, survivor_id=survivors)))
    quarter = range(START.toordinal(), END.toordinal())
    met: set[str] = set()
    for n, history in enumerate(drawn):
        if merged[n] and not any(change.is_deleted for change in history):
            assert (str(n), ALL) not in moved  # it counts in its survivor alone
            continue
        expected = {
            ALL: walked(history, lambda c: c.is_live, merged[n]),
            DUE: walked(
                history,
                lambda c: c.is_live and c.close_on is not None and c.close_on.toordinal() in quarter,
                merged[n],
            ),
        }
        for bridge, steps in expected.items():
            assert moved.get((str(n), bridge), {}) == steps, (bridge, history)
            met.update(steps)
    assert len(drawn) > 50 and met | {"merged"} == {"opening", *FLOWS, "closing"}
