"""Our own snapshots of opportunities: what they tell of days gone by, when they are kept, and that they stay."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import tiny
from delivering import written
from small_company import frozen
from tiny import value
from typer.testing import CliRunner

from abm_lib import checklist, cli, keeping
from abm_lib.company import Company, open_company
from abm_lib.derive import snapshots
from abm_lib.errors import InputRefused

CRM = '\n[sources.crm]\nmap = "salesforce-native"\n\n[sources.loads]\ntables = ["loads"]\n'
HEAD = "Id,AccountId,Type,StageName,Amount,CurrencyIsoCode,CloseDate,CreatedDate,OwnerId\n"
FIRST = """O1,A1,New Business,offer,500,EUR,2026-09-30,2026-05-01,
O2,A1,New Business,offer,300,EUR,2026-07-31,2026-05-02,
O3,A1,New Business,offer,200,EUR,2026-12-01,2026-05-03,
O4,A1,New Business,discovery,150,EUR,2026-12-31,2026-05-04,
"""
# In August O1 is worth 700, O2 was won on July 20, O4 has moved on, O5 is new.
SECOND = """O1,A1,New Business,offer,700,EUR,2026-09-30,2026-05-01,
O2,A1,New Business,won,300,EUR,2026-07-20,2026-05-02,
O3,A1,New Business,offer,200,EUR,2026-12-01,2026-05-03,
O4,A1,New Business,offer,150,EUR,2026-12-31,2026-05-04,
O5,A1,New Business,offer,50,EUR,2026-12-31,2026-07-10,
"""
# In October O1 is worth 900 and due in December, and O3 is gone.
THIRD = """O1,A1,New Business,offer,900,EUR,2026-12-15,2026-05-01,
O2,A1,New Business,won,300,EUR,2026-07-20,2026-05-02,
O4,A1,New Business,offer,150,EUR,2026-12-31,2026-05-04,
O5,A1,New Business,offer,50,EUR,2026-12-31,2026-07-10,
"""
DELIVERIES = {"2026-06-15": FIRST, "2026-08-03": SECOND, "2026-10-03": THIRD}
HISTORY = """select opportunity_id, changed_at::date::varchar, stage, amount::int, close_on::varchar, coalesce(is_deleted, false)
    from opportunity_changes order by opportunity_id, changed_at"""


def delivered(folder: Path, moment: str, deals: str, settings: str = "") -> Company:
    """The company with today's table as it was exported at a moment."""
    written(folder, CRM + settings, Account="Id,Name\nA1,Alpha\n", Opportunity=HEAD + deals)
    (folder / "loads.csv").write_text(f"table,source,extracted_at\nopportunities,crm,{moment}\n")
    return open_company(folder)


def after_all(folder: Path, deliveries: dict[str, str] | None = None) -> Company:
    for moment, deals in (deliveries or DELIVERIES).items():
        company = delivered(folder, moment, deals)
    return company


def of(company: Company, opportunity: str) -> list[tuple[Any, ...]]:
    return [row[1:] for row in frozen(company, HISTORY) if row[0] == opportunity]


def read(company: Company) -> Any:
    return tiny.read(company.folder, "open_pipeline", "closed_won_revenue", "pipeline_movement", by=["movement"])


def names(folder: Path) -> list[str]:
    return [path.name for path in snapshots.kept(folder).values()]


# What they tell


@pytest.fixture(scope="module")
def thrice(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return after_all(tmp_path_factory.mktemp("thrice"))


def test_each_change_is_dated_where_it_was_first_seen_and_a_close_on_its_close_date(thrice: Company) -> None:
    """What the snapshot of October 3 shows first counts at the end of September: the quarter was settling."""
    assert of(thrice, "O1") == [
        ("2026-05-01", "offer", 500, "2026-09-30", False),
        ("2026-08-03", "offer", 700, "2026-09-30", False),
        ("2026-09-30", "offer", 900, "2026-12-15", False),
    ]
    assert of(thrice, "O2") == [
        ("2026-05-02", "offer", 300, "2026-07-31", False),
        ("2026-07-20", "won", 300, "2026-07-20", False),
    ]
    assert of(thrice, "O3") == [
        ("2026-05-03", "offer", 200, "2026-12-01", False),
        ("2026-09-30", "offer", 200, "2026-12-01", True),
    ]
    assert of(thrice, "O4") == [
        ("2026-05-04", "discovery", 150, "2026-12-31", False),
        ("2026-08-03", "offer", 150, "2026-12-31", False),
    ]
    assert of(thrice, "O5") == [("2026-07-10", "offer", 50, "2026-12-31", False)]
    (gone,) = frozen(thrice, "select deleted_at::date::varchar from opportunities where opportunity_id = 'O3'")
    assert gone == ("2026-09-30",)


def test_what_was_seen_late_was_known_late(thrice: Company) -> None:
    seen = "select recorded_at::varchar from opportunity_changes where opportunity_id = 'O1' order by changed_at"
    assert frozen(thrice, seen) == [(None,), ("2026-08-03 00:00:00",), ("2026-10-03 00:00:00",)]


def test_open_pipeline_at_the_end_of_an_earlier_quarter_is_what_it_then_was(thrice: Company, tmp_path: Path) -> None:
    """End of June: O1 500 + O2 300 + O3 200. Of October's table alone it would be O1 900 + O4 150: O2 stands in its first stage."""
    told = read(thrice)
    assert value(told, "open_pipeline", quarter="2026Q2") == 1000
    assert value(told, "open_pipeline") == 900 + 150 + 50
    assert value(told, "closed_won_revenue") == 300
    alone = read(delivered(tmp_path, "2026-10-03", THIRD))
    assert value(alone, "open_pipeline", quarter="2026Q2") == 900 + 150
    assert value(alone, "open_pipeline") == 900 + 150 + 50


def test_the_bridge_of_the_quarter_names_each_change(thrice: Company) -> None:
    """1000 + O4 150 and O5 50 created + O1 400 up − O2 300 won − O3 200 deleted = 1100."""
    told = read(thrice)
    moved = told[(told.metric == "pipeline_movement") & (told.quarter == "2026Q3") & (told.slice_by == "movement")]
    parts = {row.slice: row.value for row in moved.itertuples() if row.value}
    expected = {"opening": 1000, "created": 200, "amount_up": 400, "won": -300, "deleted": -200, "closing": 1100}
    assert {name.removeprefix("all_open: "): amount for name, amount in parts.items() if name in expected} == expected
    assert parts.get("residual", 0) == 0


def test_a_change_seen_after_the_quarter_settled_is_of_the_next_one(tmp_path: Path) -> None:
    company = after_all(tmp_path, {"2026-08-03": SECOND, "2026-10-20": THIRD})
    assert of(company, "O1")[-1] == ("2026-10-20", "offer", 900, "2026-12-15", False)
    told = read(company)
    assert value(told, "open_pipeline") == 700 + 200 + 150 + 50


def test_a_close_that_was_entered_late_counts_on_its_close_date_and_was_known_when_seen(tmp_path: Path) -> None:
    """O1 is open on October 3 and on October 8 won on September 28; O4 too, but edited on October 3: no sooner than that."""
    edited = FIRST.replace("discovery,150", "offer,160")
    won = edited.replace("offer,500,EUR,2026-09-30", "won,500,EUR,2026-09-28").replace(
        "offer,160,EUR,2026-12-31", "won,160,EUR,2026-09-28"
    )
    company = after_all(tmp_path, {"2026-09-01": FIRST, "2026-10-03": edited, "2026-10-08": won})
    closed = "select opportunity_id, changed_at::varchar, recorded_at::date::varchar from opportunity_changes "
    closed += "where stage = 'won' order by 1"
    assert frozen(company, closed) == [
        ("O1", "2026-09-28 00:00:00", "2026-10-08"),
        ("O4", "2026-10-01 00:00:00", "2026-10-08"),
    ]
    told = read(company)
    assert value(told, "closed_won_revenue") == 500


def test_an_amount_corrected_after_the_close_counts_where_it_was_seen_before_the_quarter_settled(
    tmp_path: Path,
) -> None:
    """O1 is won on September 15 at 500, on October 8 it says 600, and on November 1 650."""
    won = FIRST.replace("offer,500,EUR,2026-09-30", "won,500,EUR,2026-09-15")
    deliveries = {
        "2026-09-01": FIRST,
        "2026-10-03": won,
        "2026-10-08": won.replace("500", "600"),
        "2026-11-01": won.replace("500", "650"),
    }
    company = after_all(tmp_path, deliveries)
    assert [(row[0], row[1], row[2]) for row in of(company, "O1")] == [
        ("2026-05-01", "offer", 500),
        ("2026-09-15", "won", 500),
        ("2026-09-15", "won", 600),
        ("2026-09-15", "won", 650),
    ]
    assert value(read(company), "closed_won_revenue") == 600


def test_a_deal_that_comes_back_or_is_opened_again_is_open_from_then_on(tmp_path: Path) -> None:
    back = SECOND.replace("won,300,EUR,2026-07-20", "offer,300,EUR,2026-12-20")
    company = after_all(tmp_path, {"2026-06-15": FIRST, "2026-08-03": SECOND, "2026-08-10": THIRD, "2026-08-17": back})
    assert [(row[0], row[1], row[4]) for row in of(company, "O2")][1:] == [
        ("2026-07-20", "won", False),
        ("2026-08-17", "offer", False),
    ]
    assert [(row[0], row[4]) for row in of(company, "O3")] == [
        ("2026-05-03", False),
        ("2026-08-10", True),
        ("2026-08-17", False),
    ]


def test_a_close_date_still_to_come_holds_nothing_back(tmp_path: Path) -> None:
    """O1 is won on June 15 with a close date of September 30, and open again in August."""
    early = FIRST.replace("offer,500,EUR", "won,500,EUR")
    company = after_all(tmp_path, {"2026-06-15": early, "2026-08-03": SECOND})
    assert [row[:3] for row in of(company, "O1")] == [
        ("2026-05-01", "discovery", 500),
        ("2026-06-15", "won", 500),
        ("2026-08-03", "offer", 700),
    ]


def test_of_stages_with_a_history_only_amounts_are_told_by_snapshots(tmp_path: Path) -> None:
    settings = '\n[sources.crm]\nmap = "hubspot-fivetran"\n\n[sources.loads]\ntables = ["loads"]\n'
    stage = "deal_id,value,date_entered,_fivetran_synced\n1,offer,2026-05-01 10:00:00,2026-06-15\n"
    deal = "deal_id,dealname,deal_pipeline_stage_id,property_amount,property_closedate,property_createdate\n"
    deal += "1,Deal,{},{},2026-12-31,2026-05-01\n"
    for day, amount, now, more in (
        ("2026-06-15", 100, "offer", ""),
        ("2026-08-03", 150, "offer", ""),
        ("2026-09-01", 150, "won", "1,won,2026-08-01 09:00:00,2026-09-01\n"),
    ):
        written(
            tmp_path,
            settings,
            deal_stage=stage + more,
            deal=deal.format(now, amount),
            company="id,property_name\n1,Alpha\n",
        )
        (tmp_path / "loads.csv").write_text(f"table,source,extracted_at\nopportunities,crm,{day}\n")
        company = open_company(tmp_path)
    found = frozen(
        company,
        "select changed_at::varchar, stage, amount::int, recorded_at::varchar from opportunity_changes order by 1",
    )
    assert found == [
        ("2026-05-01 10:00:00", "offer", 100, None),
        ("2026-08-03 00:00:00", "offer", 150, "2026-08-03 00:00:00"),
        ("2026-08-03 00:00:00.000001", "won", 150, "2026-09-01 00:00:00"),
    ]


@pytest.mark.slow
def test_at_the_moment_of_each_snapshot_the_history_says_what_it_said(tmp_path: Path) -> None:
    """Forty deals that move, close early and late, are opened again, go and come back, at random."""
    random = Random(20261122)
    moments = ["2026-05-20", "2026-06-15", "2026-06-29", "2026-07-02", "2026-07-09", "2026-08-03", "2026-10-20"]
    days = ["2026-05-10", "2026-06-20", "2026-06-30", "2026-07-01", "2026-07-05", "2026-09-30", "2026-12-31"]
    created = {f"O{n:02}": random.choice(["2026-04-01", "2026-05-12", "2026-06-30"]) for n in range(40)}
    said: dict[str, dict[str, tuple[str, int, str]]] = {}
    for moment in moments:
        there = [name for name, day in created.items() if day < moment and random.random() < 0.85]
        said[moment] = {
            name: (
                random.choice(["discovery", "offer", "offer", "won", "lost"]),
                random.choice([100, 200]),
                random.choice(days),
            )
            for name in there
        }
        rows = [f"{name},A1,New Business,{s},{a},EUR,{d},{created[name]}," for name, (s, a, d) in said[moment].items()]
        company = delivered(tmp_path, moment, "\n".join(rows) + "\n")
    seen: set[object] = set()  # a deal that no snapshot held yet is dated by its source alone
    for moment, deals in said.items():
        last = f"""select opportunity_id, arg_max((stage, amount::int, close_on::varchar), (effective_at, known_at, changed_at))
            from opportunity_history where effective_at <= '{moment}' and known_at <= '{moment}' group by 1
            having not arg_max(is_deleted, (effective_at, known_at, changed_at))"""
        seen |= deals.keys()
        assert {name: state for name, state in frozen(company, last) if name in seen} == deals, moment


# When they are kept


def test_the_first_run_keeps_a_snapshot_and_changes_no_number(tmp_path: Path) -> None:
    company = delivered(tmp_path, "2026-06-15", FIRST)
    assert names(tmp_path) == ["2026-06-15T000000.parquet"]
    assert of(company, "O1") == [("2026-05-01", "offer", 500, "2026-09-30", False)]
    for place in ("snapshots", "snapshots/opportunity_changes", "snapshots/opportunities"):
        assert (tmp_path / ".abm" / place).stat().st_mode & 0o077 == 0


def test_unchanged_inputs_are_not_read_again_for_a_snapshot_they_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = after_all(tmp_path)
    monkeypatch.setattr("abm_lib.sources.read", None)
    assert open_company(tmp_path).frozen == first.frozen


def test_another_snapshot_is_another_state(tmp_path: Path) -> None:
    """The same files beside fewer snapshots tell another history, and are not taken for the one before."""
    first = after_all(tmp_path)
    next(iter(snapshots.kept(tmp_path).values())).unlink()
    second = open_company(tmp_path)
    assert second.frozen.key != first.frozen.key
    assert of(second, "O1")[0] == ("2026-05-01", "offer", 700, "2026-09-30", False)


def test_what_did_not_change_is_not_written_again_and_a_moment_told_anew_is_replaced(tmp_path: Path) -> None:
    delivered(tmp_path, "2026-06-15", FIRST)
    delivered(tmp_path, "2026-06-22", FIRST)
    assert names(tmp_path) == ["2026-06-15T000000.parquet"]
    delivered(tmp_path, "2026-08-03", FIRST.replace("500", "7000"))
    company = delivered(tmp_path, "2026-08-03", SECOND)
    assert names(tmp_path) == ["2026-06-15T000000.parquet", "2026-08-03T000000.parquet"]
    assert [row[2] for row in of(company, "O1")] == [500, 700]


def test_an_older_delivery_takes_its_place_among_those_that_are_there(tmp_path: Path) -> None:
    company = after_all(tmp_path / "mixed", dict(reversed(DELIVERIES.items())))
    assert frozen(company, HISTORY) == frozen(after_all(tmp_path / "in order"), HISTORY)
    assert frozen(company, "select count(*) from opportunities where opportunity_id = 'O5'") == [(1,)]


def test_without_a_moment_of_the_source_it_is_now(tmp_path: Path) -> None:
    settings = CRM.partition("\n[sources.loads]")[0]
    began = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for deals in (FIRST, SECOND):
        written(tmp_path, settings, Account="Id,Name\nA1,Alpha\n", Opportunity=HEAD + deals)
        company = open_company(tmp_path)
        time.sleep(1.1)
    moments = list(snapshots.kept(tmp_path))
    assert len(moments) == 2 and began <= moments[0] < moments[1]
    assert [row[2] for row in of(company, "O1")] == [500, 700]
    written(tmp_path, settings + '\nextracted_on = "2026-06-15"\n', Opportunity=HEAD + FIRST)
    open_company(tmp_path)
    assert next(iter(snapshots.kept(tmp_path))) == datetime(2026, 6, 15)


def test_keys_stay_unique_over_many_deliveries_in_any_order(tmp_path: Path) -> None:
    """Runs of one day and moments out of order, with deals that close, come back, are deleted and change."""
    order = [THIRD, FIRST, SECOND, FIRST.replace("offer,500", "won,500"), THIRD.replace("offer,150", "lost,150")]
    moments = ["2026-10-03 06:00", "2026-06-15", "2026-10-03 18:00", "2026-07-02", "2026-10-03 07:00"]
    for n, (moment, deals) in enumerate(zip(moments, order, strict=True)):
        company = delivered(tmp_path, moment, deals)
        assert len(snapshots.kept(tmp_path)) == n + 1
        keys = "select count(*), count(distinct (opportunity_id, changed_at)) from opportunity_changes"
        ((rows, distinct),) = frozen(company, keys)
        assert rows == distinct
    last = "select opportunity_id, arg_max(stage, changed_at) from opportunity_changes group by 1 order by 1"
    assert dict(frozen(company, last)) == {"O1": "offer", "O2": "won", "O3": "offer", "O4": "offer", "O5": "offer"}


def test_refused_inputs_are_not_kept(tmp_path: Path) -> None:
    delivered(tmp_path, "2026-06-15", FIRST)
    (tmp_path / "Account.csv").write_text("<html>")
    (tmp_path / "Opportunity.csv").write_text(HEAD + SECOND)
    (tmp_path / "loads.csv").write_text("table,source,extracted_at\nopportunities,crm,2026-08-03\n")
    with pytest.raises(InputRefused):
        open_company(tmp_path)
    assert names(tmp_path) == ["2026-06-15T000000.parquet"]


def test_a_table_without_rows_is_no_snapshot_and_deletes_nothing(tmp_path: Path) -> None:
    delivered(tmp_path, "2026-06-15", FIRST)
    delivered(tmp_path, "2026-07-01", "")
    company = delivered(tmp_path, "2026-08-03", SECOND)
    assert names(tmp_path) == ["2026-06-15T000000.parquet", "2026-08-03T000000.parquet"]
    assert frozen(company, "select count(*) from opportunity_changes where is_deleted") == [(0,)]


def test_a_history_of_the_source_keeps_no_snapshots(tmp_path: Path) -> None:
    history = "Id,OpportunityId,StageName,Amount,CurrencyIsoCode,CloseDate,Probability,CreatedDate\n"
    history += "1,O1,offer,500,EUR,2026-09-30,40,2026-05-01T10:00:00Z\n"
    written(tmp_path, CRM, Account="Id,Name\nA1,Alpha\n", Opportunity=HEAD + FIRST, OpportunityHistory=history)
    (tmp_path / "loads.csv").write_text("table,source,extracted_at\nopportunities,crm,2026-06-15\n")
    company = open_company(tmp_path)
    assert company.notes["as_now"] == {} and names(tmp_path) == []
    assert not any(line.startswith("snapshots") for line in checklist.lines(company))


def test_a_snapshot_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    after_all(tmp_path)
    next(iter(snapshots.kept(tmp_path).values())).write_bytes(b"PAR1")
    with pytest.raises(InputRefused, match="a file that is no snapshot"):
        open_company(tmp_path)


def test_a_stage_that_only_snapshots_know_is_told(tmp_path: Path) -> None:
    delivered(tmp_path, "2026-06-15", FIRST.replace("discovery,150", "intro,"))
    company = delivered(tmp_path, "2026-08-03", SECOND)
    (told,) = [fault for fault in company.notes["faults"] if fault["rule"] == "F097" and "intro" in fault["found"]]
    assert told["where"] == ".abm/snapshots/opportunity_changes"


# What is said of them


def test_the_caveat_says_up_to_which_day_numbers_are_as_now(thrice: Company, tmp_path: Path) -> None:
    told = read(thrice)
    (row,) = told[(told.metric == "open_pipeline") & (told.quarter == "2026Q3") & (told.slice_by == "")].itertuples()
    assert "as now, not as then" in row.caveats
    assert "up to 2026-06-15; later ones are told by 3 snapshots of our own, up to 2026-10-03" in row.caveats
    first = delivered(tmp_path, "2026-06-15", FIRST).notes["as_now"]["opportunity_changes"]
    assert first.endswith(
        "as now, not as then; a closed deal counts on its close date; snapshots of our own are kept from 2026-06-15 on"
    )


def test_check_lists_how_many_there_are_and_their_days(thrice: Company) -> None:
    said = list(checklist.lines(thrice))
    assert (
        "snapshots of opportunity_changes: 3, the first of 2026-06-15, the last of 2026-10-03, in .abm/snapshots"
        in said
    )
    assert any("later ones are told by 3 snapshots" in line for line in said if line.startswith("as now: "))


# That they stay, and that nobody stays in them


def test_they_neither_expire_nor_are_cleaned_away(tmp_path: Path) -> None:
    company = after_all(tmp_path)
    long_ago = (datetime.now(UTC) - timedelta(days=9000)).timestamp()
    for path in snapshots.files(tmp_path):
        os.utime(path, (long_ago, long_ago))
    keeping.expire(tmp_path, company.frozen.key, 1, 1, datetime.now(UTC))
    assert len(snapshots.files(tmp_path)) == 6
    assert CliRunner().invoke(cli.app, ["clean", str(tmp_path)]).exit_code == 0
    assert [path.name for path in (tmp_path / ".abm").iterdir()] == ["snapshots"]
    assert frozen(open_company(tmp_path), HISTORY) == frozen(company, HISTORY)


def test_who_is_forgotten_is_in_no_snapshot_and_the_deals_are(tmp_path: Path) -> None:
    """A deal without an owner's id names the owner by address."""
    named = FIRST.replace("2026-05-01,", "2026-05-01,ann@alpha.example")
    before = after_all(tmp_path, {"2026-06-15": named, "2026-08-03": SECOND})
    places = {place.name: place.done for place in keeping.forget(tmp_path, "ann@alpha.example", date(2026, 11, 1))}
    assert any(name.startswith(".abm/snapshots/opportunities/2026-06-15") for name in places)
    for path in snapshots.files(tmp_path):
        assert "ann@" not in duckdb.read_parquet(str(path)).df().to_csv()
    again = open_company(tmp_path)
    assert again.frozen.key != before.frozen.key
    assert [row[2] for row in of(again, "O1")] == [500, 700]
