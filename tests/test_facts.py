"""Facts: each keeps the key that it promises, and a state at a moment is what a slow loop over the history says."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import narwhals as nw
import pandas as pd
import pytest
from tiny import SAMPLE, Change, company, deals, facts, histories, known, opened_small, read, with_histories

from abm_lib.facts import FACTS, Base, Cut, influence
from abm_lib.metric import REGISTER
from abm_lib.slices import slice_sets

# Keys


def _used() -> list[tuple[str, str]]:
    """Each fact with each kind of windows that a metric cuts it into."""
    found: dict[tuple[str, str], None] = {}
    for metric in REGISTER.values():
        found |= dict.fromkeys((fact, "quarter") for fact in metric.looks_up)
        for chosen in slice_sets(metric) if metric.facts else ():
            for amount in metric.formula.in_slice(chosen.name).amounts():
                found |= dict.fromkeys((term.fact, chosen.kind) for term in amount.terms)
    return sorted(found)


@pytest.fixture(scope="module")
def base() -> Base:
    opened = opened_small(SAMPLE)
    return Base(opened, opened.calendar.quarter("2026Q3"), None, 2)


def test_every_fact_is_used_and_promises_a_key_and_what_it_is() -> None:
    assert {name for name, _ in _used()} | {"accounts_at_start"} == set(FACTS)
    for found in FACTS.values():
        assert found.one_row_per[:2] == ("quarter", "window") and len(found.one_row_per) > 2
        assert found.doc.strip()


@pytest.mark.parametrize(("name", "kind"), [("accounts_at_start", "quarter"), *_used()])
def test_every_fact_has_one_row_for_each_key_on_the_sample(base: Base, name: str, kind: str) -> None:
    key = FACTS[name].one_row_per
    counted = FACTS[name].cut(Cut(base, kind)).group_by(*key).agg(rows=nw.len())
    sums = base.tables.engine.collect(
        counted.select(keys=nw.len(), rows=nw.col("rows").sum(), most=nw.col("rows").max())
    )
    assert sums["keys"][0] > 0
    assert sums["rows"][0] == sums["keys"][0] and sums["most"][0] == 1


# States, drawn

STATES = ("opportunities_qualified", "opportunities_closed", "open_opportunities")
MADE = """
opportunity_id | changed_at | stage     | amount | currency | close_on   | is_deleted
in time        | 2026-07-01 | qualified | 100    | EUR      | 2026-09-30 |
in time        | 2026-10-11 | won       | 100    | EUR      | 2026-09-30 |
too late       | 2026-07-01 | qualified | 100    | EUR      | 2026-09-30 |
too late       | 2026-10-12 | won       | 100    | EUR      | 2026-09-30 |
after          | 2026-07-01 | qualified | 100    | EUR      | 2026-10-01 |
after          | 2026-10-01 | won       | 100    | EUR      | 2026-10-01 |
new            | 2026-10-01 | qualified | 100    | EUR      | 2026-12-01 |
reopened       | 2026-07-01 | qualified | 100    | EUR      | 2027-12-01 |
reopened       | 2026-08-01 | lost      | 100    | EUR      | 2026-08-01 |
reopened       | 2026-09-01 | proposal  | 100    | EUR      | 2027-12-01 |
back           | 2026-07-01 | qualified | 100    | EUR      | 2027-12-01 |
back           | 2026-09-01 | discovery | 100    | EUR      | 2027-12-01 |
deleted        | 2026-07-01 | qualified | 100    | EUR      | 2027-12-01 |
deleted        | 2026-08-01 | qualified | 100    | EUR      | 2027-12-01 | yes
deleted later  | 2026-07-01 | won       | 100    | EUR      | 2026-07-01 |
deleted later  | 2026-10-20 | won       | 100    | EUR      | 2026-07-01 | yes
never          | 2026-07-01 | discovery | 100    | EUR      | 2026-12-01 |
never          | 2026-08-01 | lost      | 100    | EUR      | 2026-08-01 |
at once        | 2026-07-01 | discovery | 100    | EUR      | 2026-12-01 |
at once        | 2026-08-01 | won       | 100    | EUR      | 2026-08-01 |
merged         | 2026-08-01 | qualified | 100    | EUR      | 2027-12-01 |
merged         | 2026-11-01 | qualified | 100    | EUR      | 2027-12-01 | yes
"""
SAID = """
opportunity_id | changed_at | recorded_at | stage     | amount | currency | close_on
in time        | 2026-07-01 | 2026-07-01  | qualified | 100    | EUR      | 2026-09-30
in time        | 2026-09-30 | 2026-10-11  | won       | 100    | EUR      | 2026-09-30
too late       | 2026-07-01 | 2026-07-01  | qualified | 100    | EUR      | 2026-09-30
too late       | 2026-09-30 | 2026-10-12  | lost      | 100    | EUR      | 2026-09-30
after          | 2026-07-01 | 2026-07-01  | qualified | 100    | EUR      | 2026-09-30
after          | 2026-10-01 | 2026-10-01  | lost      | 100    | EUR      | 2026-10-01
"""
Told = dict[str, dict[str, set[str]]]


def told_of(folder: Path, changes: str) -> Told:
    """fact -> quarter -> the opportunities in it, for the third and fourth quarter of 2026."""
    names = dict.fromkeys(line.split("|")[0].strip() for line in changes.strip().splitlines()[1:])
    given = [f"{name} | new | {'in time' if name == 'merged' else ''}" for name in names]
    opportunities = "\n".join(["opportunity_id | business_type | survivor_id", *given])
    company(folder, {"opportunities": opportunities, "opportunity_changes": changes})
    read = facts(folder, *STATES, quarter="2026Q4", shown=2)
    return {
        name: {
            quarter: set(table.loc[table["quarter"] == quarter, "opportunity_id"]) for quarter in ("2026Q3", "2026Q4")
        }
        for name, table in read.items()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A source that does not say when it recorded what."""
    return told_of(tmp_path_factory.mktemp("made"), MADE)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A source that does."""
    return told_of(tmp_path_factory.mktemp("recorded"), SAID)


def places(told: Told, name: str) -> set[str]:
    """`closed 2026Q3` and the like: everything that is said of an opportunity."""
    return {
        f"{fact.split('_')[-1]} {q}" for fact, found in told.items() for q, names in found.items() if name in names
    } - {"qualified 2026Q3"}


def test_a_close_recorded_within_the_days_to_settle_belongs_to_its_quarter(made: Told) -> None:
    assert places(made, "in time") == {"closed 2026Q3"}  # on the tenth day after the quarter's end


def test_a_close_recorded_after_the_days_to_settle_leaves_the_quarter_as_it_was_known(made: Told) -> None:
    assert places(made, "too late") == {"opportunities 2026Q3"}  # open


def test_a_real_change_after_the_end_of_the_quarter_is_not_in_it(made: Told) -> None:
    assert places(made, "after") == {"opportunities 2026Q3", "closed 2026Q4"}
    assert places(made, "new") == {"qualified 2026Q4", "opportunities 2026Q4"}


def test_where_the_source_says_when_it_recorded_a_change_it_took_effect_when_it_says(recorded: Told) -> None:
    assert places(recorded, "in time") == {"closed 2026Q3"}
    assert places(recorded, "too late") == {"opportunities 2026Q3"}
    assert places(recorded, "after") == {"opportunities 2026Q3", "closed 2026Q4"}


def test_a_reopened_deal_is_open_and_no_longer_lost(made: Told) -> None:
    assert places(made, "reopened") == {"opportunities 2026Q3", "opportunities 2026Q4"}


def test_a_deal_moved_back_below_the_qualified_stage_is_no_pipeline(made: Told) -> None:
    assert places(made, "back") == set()
    assert "back" in made["opportunities_qualified"]["2026Q3"]


def test_a_deleted_deal_is_neither_open_nor_closed_nor_created(made: Told) -> None:
    assert places(made, "deleted") == set()
    assert "deleted" not in made["opportunities_qualified"]["2026Q3"]
    assert places(made, "deleted later") == {"closed 2026Q3"}  # deleted when the quarter was already known


def test_a_deal_lost_before_it_was_qualified_was_never_qualified_and_one_won_at_once_was(made: Told) -> None:
    assert "never" not in made["opportunities_qualified"]["2026Q3"]
    assert "at once" in made["opportunities_qualified"]["2026Q3"]
    assert places(made, "never") == places(made, "at once") == {"closed 2026Q3"}


def test_a_deal_merged_after_the_quarter_was_known_is_still_open_at_its_end(made: Told) -> None:
    assert places(made, "merged") == {"opportunities 2026Q3"}


def test_the_amount_at_qualification_is_that_of_the_change_that_qualified(tmp_path: Path) -> None:
    changes = """
        opportunity_id | changed_at | stage     | amount | currency | close_on
        o1             | 2026-07-01 | qualified | 100    | EUR      | 2026-07-01
        o1             | 2026-07-03 | lost      | 500    | EUR      | 2026-07-01
        """
    company(tmp_path, {"opportunities": "opportunity_id | business_type\no1 | new", "opportunity_changes": changes})
    (amount,) = facts(tmp_path, "opportunities_qualified")["opportunities_qualified"]["amount"]
    assert amount == 100


def test_account_attributes_and_the_list_are_those_of_the_start_of_the_quarter(tmp_path: Path) -> None:
    drawn = {
        "accounts": """
            account_id | name  | segment
            a1         | One   | now
            a2         | Two   | now
            """,
        "account_changes": """
            account_id | changed_at       | segment
            a1         | 2026-01-01       | first
            a1         | 2026-06-30 23:59 | before
            a1         | 2026-07-01 00:01 | during
            a2         | 2026-08-01       | described later
            """,
        "account_lists": """
            account_id | is_target | tier | valid_from | valid_to   | recorded_at
            a1         | yes       | 1    | 2026-01-01 | 2026-07-01 | 2026-01-01
            a1         | yes       | 2    | 2026-07-01 |            | 2026-07-01
            a2         | yes       | 3    | 2026-07-01 |            | 2026-12-01
            """,
    }
    found = facts(company(tmp_path, drawn), "accounts_at_start")["accounts_at_start"].set_index("account_id")
    assert found["segment"].to_dict() == {"a1": "before", "a2": "described later"}
    assert found["tier"].to_dict() == {"a1": "2", "a2": "not on the list"}  # the second was recorded too late


# States, against a slow loop

MOMENTS = [datetime(2026, 6, 15), datetime(2026, 6, 30, 23, 59, 59), datetime(2026, 7, 1), datetime(2026, 8, 10, 12),
           datetime(2026, 9, 30, 23, 59, 59), datetime(2026, 10, 1), datetime(2026, 10, 5), datetime(2026, 10, 12)]  # fmt: skip
DAYS = [date(2026, 6, 15), date(2026, 7, 1), date(2026, 9, 30), date(2026, 10, 1), date(2026, 12, 1)]
QUARTERS = {
    "2026Q2": (date(2026, 4, 1), datetime(2026, 7, 1), datetime(2026, 7, 12)),
    "2026Q3": (date(2026, 7, 1), datetime(2026, 10, 1), datetime(2026, 10, 12)),
}  # first day, end, and the end of the tenth day after it


def told(history: list[Change], quarter: str) -> dict[str, object]:
    """What the facts should say of one opportunity in a quarter, by reading its history from the first line to the last."""
    first_day, end, until = QUARTERS[quarter]
    kept = known(history, end, until)
    said: dict[str, object] = {}
    if not kept or kept[-1].is_deleted:
        return said
    qualified = None
    for change in kept:
        if qualified is None and (change.is_live or change.is_won):
            qualified = change
    if qualified and first_day <= qualified.effective_at.date() < end.date():
        # Two changes of one instant are told apart in a test of their own.
        tied = [change for change in kept if change.effective_at == qualified.effective_at]
        said["qualified"] = (qualified.effective_at.date(), qualified.amount if len(tied) == 1 else "tied")
    last = kept[-1]
    if last.is_won or last.is_lost:
        closed_on = last.close_on or last.effective_at.date()
        if first_day <= closed_on < end.date():
            said["closed"] = (closed_on, last.is_won, last.amount, qualified is not None)
    if last.is_live:
        said["open"] = last.amount
    return said


def whole(amount: float) -> int | None:
    return None if pd.isna(amount) else int(amount)


def as_read(folder: Path) -> dict[tuple[str, str], dict[str, object]]:
    """(quarter, opportunity) -> what the facts do say."""
    found: dict[tuple[str, str], dict[str, object]] = defaultdict(dict)
    read = facts(folder, *STATES, shown=2)
    for row in read["opportunities_qualified"].itertuples():
        found[row.quarter, row.opportunity_id]["qualified"] = (row.qualified_on.date(), whole(row.amount))
    for row in read["opportunities_closed"].itertuples():
        said = (row.closed_on.date(), row.is_won, whole(row.amount), row.is_contest)
        found[row.quarter, row.opportunity_id]["closed"] = said
    for row in read["open_opportunities"].itertuples():
        found[row.quarter, row.opportunity_id]["open"] = whole(row.amount)
    return found


@pytest.mark.parametrize("has_recorded", [False, True], ids=["one time axis", "two time axes"])
@pytest.mark.parametrize("seed", [1, 2])
def test_states_are_what_a_slow_loop_over_the_history_says(seed: int, has_recorded: bool, tmp_path: Path) -> None:
    drawn = histories(seed, MOMENTS, DAYS, has_recorded)
    found = as_read(company(tmp_path, with_histories(drawn)))
    told_right = 0
    for n, history in enumerate(drawn):
        for quarter in QUARTERS:
            expected, said = told(history, quarter), found.get((quarter, str(n)), {})
            if "tied" in expected.get("qualified", ()):
                said["qualified"] = (said["qualified"][0], "tied")
            assert said == expected, (quarter, history)
            told_right += len(expected)
    assert told_right > 100


def test_an_edit_between_the_close_date_and_its_entry_does_not_open_the_deal_again(tmp_path: Path) -> None:
    drawn = {
        "accounts": "account_id | name\na1 | One",
        "opportunities": "opportunity_id | account_id | created_at | business_type\no1 | a1 | 2026-03-02 | new",
        "opportunity_changes": """
            opportunity_id | changed_at       | stage     | amount | currency | close_on
            o1             | 2026-03-02 09:00 | qualified | 100    | EUR      | 2026-06-30
            o1             | 2026-07-01 09:00 | qualified | 120    | EUR      | 2026-07-31
            o1             | 2026-07-05 09:00 | won       | 120    | EUR      | 2026-06-28
            """,
    }
    told = read(company(tmp_path, drawn), "closed_won_revenue", "open_pipeline", by=[])
    found = told[told["slice_by"] == ""].set_index(["metric", "quarter"])["value"]
    assert (found["closed_won_revenue", "2026Q2"], found["open_pipeline", "2026Q2"]) == (120, 0)
    assert (found["closed_won_revenue", "2026Q3"], found["open_pipeline", "2026Q3"]) == (0, 0)


@pytest.mark.parametrize("silence", [0, 1, 7, 40, 365])
def test_a_wait_begins_at_every_touch_after_a_silence_and_at_no_other(tmp_path: Path, silence: int) -> None:
    chosen = Random(silence)
    begin = datetime(2025, 1, 1)
    touched = {
        (f"a{chosen.randrange(4)}", begin + timedelta(hours=chosen.randrange(0, 15000, 6)), chosen.choice("xyz"))
        for _ in range(120)
    }
    lines = [f"t{i} | {account} | {at} | {channel} | visit" for i, (account, at, channel) in enumerate(sorted(touched))]
    given = {
        "accounts": "account_id | name\na0 | A\na1 | B\na2 | C\na3 | D",
        "touches": "\n".join(["touch_id | account_id | touched_at | channel | kind", *lines]),
        **deals("deal | qualified | ended | stage | amount\nd1 | 2026-07-10 | 2026-09-01 | won | 100"),
    }
    opened = opened_small(company(tmp_path, given, f"[sourced]\nlook_back_days = {silence}"))
    base = Base(opened, opened.calendar.quarter("2026Q3"), None, 1)
    found = base.tables.engine.collect(influence._first_touches(base))

    expected, last = {}, {}
    for account, at, channel in sorted(touched):
        if account not in last or (at.date() - last[account].date()).days > silence:
            expected[account, at] = channel
        last[account] = at
    told = {(row.account_id, row.began_at.to_pydatetime()): row.channel for row in found.itertuples()}
    assert told == expected
