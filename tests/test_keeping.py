"""Forgetting a person, and how long copies are kept."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from small_company import FILES, frozen, write
from typer.testing import CliRunner

from abm_lib import cli, keeping
from abm_lib.company import open_company
from abm_lib.disclosure import code_key
from abm_lib.errors import UsageError

TODAY = date(2026, 10, 11)
PEOPLE = FILES["people"] + "P3,A2,Ann@Alpha.example,2026-02-05\n"
MEETINGS = """meeting_id,kind,account_id,person_id,booked_at,starts_at,outcome
M1,call,A1,P1,2026-01-20,2026-01-21,held
M2,call,A2,P2,2026-02-20,2026-02-21,held
"""
ROLES = "opportunity_id,person_id,role\nO1,P1,champion\nO2,P2,user\n"
SURVEYS = """response_id,account_id,person_id,answered_at,kind,score,comment
S1,A2,P2,2026-03-01,nps,9,ask ann@alpha.example
"""
BROKEN = "event_id,email_id,person_id,occurred_at,kind\nE1,N1,P1,never,open\nE2,N1,P2,never,open\n"
MAIL = "email_id,name\nN1,Mailing\n"


@pytest.fixture
def firm(tmp_path: Path) -> Path:
    """A company that knows Ann twice, as P1 and P3, with a meeting, a role, a mention, a broken row and a notebook that ran."""
    files = FILES | {"people": PEOPLE, "meetings": MEETINGS, "opportunity_roles": ROLES, "surveys": SURVEYS,
                     "email_events": BROKEN, "emails": MAIL}  # fmt: skip
    folder = write(tmp_path / "firm", dict(files), settings="\n[thresholds]\nset_aside_share = 1.0\n")
    open_company(folder)
    run = folder / ".abm" / "runs" / "20260101T000000Z-aaaaaa"
    run.mkdir(parents=True)
    (run / "ads.analyst.ipynb").write_text('{"text": "ann@alpha.example said"}')
    (run / "summary.analyst.ipynb").write_text('{"text": "nobody"}')
    return folder


def kept(folder: Path) -> str:
    """Everything that is kept of a company, as text."""
    inner = folder / ".abm"
    found = [duckdb.read_parquet(str(path)).df().to_csv() for path in inner.rglob("*.parquet")]
    return "\n".join([*found, *(p.read_text() for p in inner.rglob("*") if p.suffix in (".csv", ".ipynb", ".log"))])


@pytest.mark.parametrize("person", ["ann@alpha.example", " Ann@ALPHA.example ", "P1"])
def test_a_forgotten_person_is_nowhere_in_what_is_kept_and_everybody_else_is(firm: Path, person: str) -> None:
    before = kept(firm)
    assert "ann@alpha.example" in before.lower() and "bob@beta.example" in before
    places = keeping.forget(firm, person, TODAY)
    after = kept(firm)
    assert "ann@" not in after.lower() and "P1" not in after and "P3" not in after
    assert "bob@beta.example" in after and "P2" in after and "nobody" in after
    done = {place.name: (place.count, place.done) for place in places}
    assert done[".abm/store, table people"] == (2, "taken out")
    assert done[".abm/store, table opportunity_roles"] == (1, "taken out")
    assert done[".abm/set_aside/email_events.csv"] == (1, "rows removed")
    assert done[".abm/runs/20260101T000000Z-aaaaaa/ads.analyst.ipynb"][1] == "file removed"
    assert done["people.csv"] == (2, "") and "ann@alpha.example" in (firm / "people.csv").read_text()


def test_acts_stay_without_the_person_and_frozen_tables_are_still_what_their_names_say(firm: Path) -> None:
    keeping.forget(firm, "P1", TODAY)
    for path in (firm / ".abm" / "store").glob("*.parquet"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
    (state,) = (firm / ".abm" / "store").glob("*.json")
    store = {
        table: state.parent / f"{digest}.parquet" for table, digest in json.loads(state.read_text())["tables"].items()
    }
    assert all(path.is_file() for path in store.values())
    meetings = duckdb.read_parquet(str(store["meetings"])).select("meeting_id, person_id").fetchall()
    assert sorted(meetings) == [("M1", None), ("M2", "P2")]
    assert duckdb.read_parquet(str(store["opportunity_roles"])).select("person_id").fetchall() == [("P2",)]
    assert duckdb.read_parquet(str(store["surveys"])).select("score, comment").fetchall() == [(9.0, None)]


def test_an_export_that_still_holds_the_person_does_not_bring_them_back(firm: Path) -> None:
    keeping.forget(firm, "ann@alpha.example", TODAY)
    again = open_company(firm)
    assert frozen(again, "select person_id from people") == [("P2",)]
    assert frozen(again, "select meeting_id, person_id from meetings order by 1") == [("M1", None), ("M2", "P2")]
    keeping.forget(firm, "P2", TODAY)
    assert frozen(open_company(firm), "select count(*) from people") == [(0,)]


def test_the_list_of_the_forgotten_names_nobody_by_address_and_joins_the_companys_own(firm: Path) -> None:
    (firm / "suppressions.csv").write_text("person_id,email_hash,since\nP2,,2026-01-01\n")
    keeping.forget(firm, "ann@alpha.example", TODAY)
    keeping.forget(firm, "ann@alpha.example", TODAY)
    text = (firm / keeping.FORGOTTEN).read_text()
    assert "@" not in text and text.count("[[person]]") == 3
    assert frozen(open_company(firm), "select count(*) from people") == [(0,)]


def test_a_person_whom_nothing_knows_is_said_so_without_the_name(firm: Path) -> None:
    with pytest.raises(UsageError) as caught:
        keeping.forget(firm, "carol@gamma.example", TODAY)
    assert "carol" not in str(caught.value) and caught.value.exit_code == 2
    assert not (firm / keeping.FORGOTTEN).exists()


def test_the_command_says_where_and_never_whom(firm: Path) -> None:
    done = CliRunner().invoke(cli.app, ["forget", str(firm), "ann@alpha.example"])
    assert done.exit_code == 0 and "ann@" not in done.output
    assert ".abm/store, table people: 2, taken out" in done.output
    assert "people.csv: 2, still there: delete it at its source" in done.output
    assert "a person, 2" in (firm / ".abm" / keeping.REMOVED).read_text()


def aged(path: Path, days: int) -> None:
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))


def test_old_copies_go_with_a_log_and_the_state_in_use_never(firm: Path) -> None:
    first = open_company(firm).frozen
    (firm / "accounts.csv").write_text((firm / "accounts.csv").read_text() + "A4,Delta,large\n")
    second = open_company(firm).frozen
    shared = set(first.tables.values()) & set(second.tables.values())
    assert shared and first.key != second.key
    store, now = firm / ".abm" / "store", datetime.now(UTC)
    assert keeping.expire(firm, second.key, 30, 800, now) == []
    for path in (store / f"{first.key}.json", store / f"{second.key}.json"):
        aged(path, 801)
    aged(firm / ".abm" / "runs" / "20260101T000000Z-aaaaaa", 31)
    aged(firm / ".abm" / "set_aside" / "email_events.csv", 29)
    gone = keeping.expire(firm, second.key, 30, 800, now)
    assert gone == ["runs/20260101T000000Z-aaaaaa", f"store/{first.key}.json"]
    assert {path.stem for path in store.glob("*.parquet")} == set(second.tables.values())
    assert open_company(firm).frozen.key == second.key
    assert len((firm / ".abm" / keeping.REMOVED).read_text().splitlines()) == 2
    assert (firm / ".abm" / "set_aside" / "email_events.csv").is_file()


def test_what_is_kept_is_for_its_owner_alone(firm: Path) -> None:
    assert (firm / ".abm").stat().st_mode & 0o077 == 0


def inner_of(folder: Path) -> set[str]:
    return {path.name for path in (folder / ".abm").iterdir()}


def test_cleaning_leaves_what_cannot_be_made_again_until_it_is_named(firm: Path) -> None:
    """A new key would give every account another code in the next edition that travels, and nobody would be told."""
    key = code_key(firm)
    pulled = firm / ".abm" / "pulled" / "crm"
    pulled.mkdir(parents=True)
    (pulled / "account.parquet").write_bytes(b"rows")
    done = CliRunner().invoke(cli.app, ["clean", str(firm)])
    assert inner_of(firm) == {"account-codes.key", "pulled"} and code_key(firm) == key
    assert "removed of firm/.abm: runs, set_aside, store" in done.output
    assert "left firm/.abm/account-codes.key" in done.output and "left firm/.abm/pulled" in done.output
    assert CliRunner().invoke(cli.app, ["clean", str(firm), "--pulled"]).exit_code == 0
    assert inner_of(firm) == {"account-codes.key"}
    assert CliRunner().invoke(cli.app, ["clean", str(firm), "--codes"]).exit_code == 0
    assert not (firm / ".abm").exists()


@pytest.mark.parametrize("person", ["ann@alpha.example", "P1"])
def test_tables_that_were_pulled_are_named_where_they_hold_the_person(firm: Path, person: str) -> None:
    pulled = firm / ".abm" / "pulled" / "crm"
    pulled.mkdir(parents=True)
    con = duckdb.connect()
    con.execute(
        "create table t as from (values ('P1', 'Ann@alpha.example', 1), ('P2', 'bob@beta.example', 2)) t (id, mail, n)"
    )
    con.execute(f"copy t to '{pulled}/contact.parquet'")
    places = {place.name: (place.count, place.done) for place in keeping.forget(firm, person, TODAY)}
    assert places[".abm/pulled/crm/contact.parquet"] == (1, "")
