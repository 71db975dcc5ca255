"""The fault corpus: broken deliveries through the real command, each ends in its class with its rule, place, finding and fix."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import process_faults
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup
from conftest import ROOT
from fault_cases import CASES, HEADLINES, SOUND, Case, Files, more
from fault_elsewhere import ASKED, ELSEWHERE, NOT_DONE, NOT_HERE, OTHERWISE_THAN_ASKED
from small_company import SETTINGS, write
from tiny import opened_small, read, reading, value

from abm_lib import cli, store
from abm_lib import edition as editions
from abm_lib.pages import Page
from abm_lib.sources import suspects

LOOSE = "\n[thresholds]\nset_aside_share = 1.0\nunmatched_share = 1.0\n"
LEVELS = {"A": "", "N": "N", "Q": "Q", "D": "D", "E": "E", "R": "E"}


@dataclass(frozen=True)
class Said:
    """What `abm check --json` left: its exit code, its lines and every fault."""

    code: int
    out: str
    faults: list[dict[str, str]]

    def told(self, rule: str) -> list[dict[str, str]]:
        return [fault for fault in self.faults if fault["rule"] == rule]


Check = Callable[[Path], Said]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Check]:
    """The command in this process, on one thread."""
    connect = store.connect

    def on_one_thread(*spill: Path) -> object:
        con = connect(*spill)
        con.execute("set threads = 1")
        return con

    def run(folder: Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["abm", "check", str(folder), "--json"])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Said(int(left.value.code or 0), out, [json.loads(line) for line in err.splitlines()])

    with patch.object(store, "connect", on_one_thread):
        yield run


def folder_of(case: Case, folder: Path, files: Files) -> Path:
    """The sound company with these files instead of its own; None leaves one away."""
    settings, own = SETTINGS, case.settings
    if files is case.files:
        assert case.base[0] in settings
        settings = settings.replace(*case.base) if case.base[0] else settings
        own += LOOSE if case.ends in ("Q", "D") else ""
    else:
        own = LOOSE
    given = {name: text for name, text in (SOUND | dict(files)).items() if text is not None}
    return write(folder, given, own, settings)


def headlines(folder: Path) -> dict[str, float]:
    table = read(folder, *HEADLINES, by=[])
    return {name: value(table, name) for name in HEADLINES}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The frozen tables of the sound company by their digests, once its headline numbers are those worked out in the head."""
    folder = write(tmp_path_factory.mktemp("sound"), dict(SOUND), "", SETTINGS)
    assert headlines(folder) == HEADLINES
    return opened_small(folder).frozen.tables


def test_the_sound_company_has_no_fault(check: Check, tmp_path: Path) -> None:
    said = check(write(tmp_path, dict(SOUND), "", SETTINGS))
    assert (said.code, said.faults) == (0, [])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_broken_delivery_ends_in_its_class(case: Case, check: Check, sound: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "firm"
    if case.before is not None:
        assert check(folder_of(case, folder, case.before)).code == 0
    if case.edition:
        store.keep_last_edition(folder, "2026Q3", opened_small(folder).notes)
    said = check(folder_of(case, folder, case.files))
    assert said.code == (3 if case.ends in ("E", "R") else 0)
    assert bool(said.out) == (said.code == 0)  # what is refused computes nothing
    if case.rule:
        (fault,) = [fault for fault in said.told(case.rule) if fault["where"] == case.where]
        assert case.found in fault["found"] and case.fix in fault["fix"]
        assert fault["level"] == ("Q" if case.ends == "R" else LEVELS[case.ends])
    for fault in said.faults:
        assert all(fault[part] for part in ("rule", "name", "where", "found", "expected", "fix")), fault
    assert bool(said.told("F092")) == (case.ends == "R")
    assert case.counted in said.out
    if case.ends == "A":
        assert said.faults == []
    if case.ends in ("A", "N") and (case.moved or opened_small(folder).frozen.tables != sound):
        assert headlines(folder) == HEADLINES | case.moved


@pytest.mark.parametrize("case", [case for case in CASES if case.beside[0]], ids=str)
def test_what_was_told_of_a_table_stands_beside_the_numbers_that_read_it(
    case: Case, check: Check, tmp_path: Path
) -> None:
    if case.before is not None:
        check(folder_of(case, tmp_path, case.before))
    metric, sentence = case.beside
    untouched = "website_sessions" if metric != "website_sessions" else "ad_spend"
    table = read(folder_of(case, tmp_path, case.files), metric, untouched, by=[])
    assert sentence in reading(table, metric)["caveats"].split("; ")
    assert sentence not in reading(table, untouched)["caveats"]


def test_a_file_that_is_still_being_written_is_refused(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, look = write(tmp_path, dict(SOUND), "", SETTINGS), suspects.no_csv

    def while_it_grows(path: Path, label: str) -> object:
        if path.stem == "accounts":
            path.write_text(SOUND["accounts"] + "A4,Delta,,,\n")
        return look(path, label)

    monkeypatch.setattr(suspects, "no_csv", while_it_grows)
    said = check(folder)
    assert (said.code, said.out) == (3, "")
    assert [(f["level"], f["where"], f["name"]) for f in said.told("F027")] == [("E", "accounts.csv", "still-changing")]


# What the reader sees of it


def deliveries(folder: Path, profile: str) -> tuple[dict[str, Any], str]:
    """The edition's own account of the small company, and the fragment of the quality page that shows it."""
    opened = opened_small(folder)
    nothing = pd.DataFrame({"quarter": [], "caveats": []})
    edition = editions.describe(opened, opened.quarter("2026Q3"), nothing, profile=profile)
    return edition, str(
        Page("quality", invented.frame(), {**invented.EDITION, **edition}, invented.REGISTER).deliveries().html
    )


def test_the_quality_page_says_of_each_table_what_became_of_its_rows(tmp_path: Path) -> None:
    """Of five views one is there twice and one has no moment; Beta belongs to Alpha, and counts for itself."""
    views = more("page_views", SOUND["page_views"].splitlines()[1], "V9,S9,X9,soon,/")
    accounts = "account_id,name,parent_id\nA1,Alpha,\nA2,Beta,A1\nA3,Gamma,\n"
    edition, html = deliveries(write(tmp_path, SOUND | views | {"accounts": accounts}, LOOSE, SETTINGS), "internal")
    assert edition["deliveries"]["page_views"] == {
        "read": 5,
        "accepted": 3,
        "repeated": 1,
        "set_aside": 1,
        "left_out": 0,
    }
    for told in edition["deliveries"].values():
        assert told["read"] == sum(count for fate, count in told.items() if fate != "read")
    rows = [
        [cell.text for cell in row.find_all(["th", "td"])] for row in BeautifulSoup(html, "html.parser").find_all("tr")
    ]
    assert rows[0] == ["Table", "Read", "Accepted", "Repeated", "Set aside", "Left out by a rule"]
    assert ["page_views", "5", "3", "1", "1", "0"] in rows
    sums = [str(sum(int(row[i]) for row in rows[1:-1])) for i in range(1, 6)]
    assert rows[-1] == ["All", *sums]
    assert (
        '1 accounts that identity.rollup = "parent" would count for their parents'
        in BeautifulSoup(html, "html.parser").text
    )


def test_an_edition_that_travels_tells_no_counts_of_rows(tmp_path: Path) -> None:
    edition, html = deliveries(write(tmp_path, dict(SOUND), "", SETTINGS), "shared")
    assert (edition["deliveries"], edition["identity"]) == ({}, {})
    assert "not said in an edition that travels" in html and "<table" not in html


# All at once

BAD = {
    "accounts": ("account_id,name,employees,annual_revenue,currency,is_icp,is_addressable,is_test,created_at,customer_since,owner_id",
                 "A1,One,ten,1.2k,eur,maybe,perhaps,no?,today,30/04/2026,W9"),
    "account_changes": ("account_id,changed_at,employees,annual_revenue,is_icp", "A1,soon,x,y,z"),
    "account_lists": ("account_id,is_target,tier,programme,buying_team_size,intent_level,valid_from,valid_to",
                      "A1,si,4,one,few,huge,2026-02-30,never"),
    "account_stages": ("account_id,stage,entered_at", "A1,warm,2026-13-01"),
    "people": ("person_id,created_at,buying_role,mql_at,sql_at,score,is_advocate,is_internal", "P1,x,king,x,x,x,x,x"),
    "opportunities": ("opportunity_id,business_type,created_at,term_months,annual_value,is_promotion", "1E+15,nw,x,y,€5,z"),
    "opportunity_changes": ("opportunity_id,changed_at,stage,amount,currency,close_on,probability,is_deleted",
                            "O1,2026-01-01 25:00,odd,1.234.5,€,2026-02-30,120%,gone"),
    "ad_days": ("day,platform,channel,impressions,clicks,cost,currency", "0000-00-00,x,,ten,1.5,,EUR"),
    "meetings": ("meeting_id,kind,booked_at,starts_at,outcome", "M1,lunch,x,y,fine"),
    "surveys": ("response_id,answered_at,kind,score,scale_max", "R1,then,vote,high,ten"),
    "fx": ("currency,day,rate", "USD,2026-01-01,0"),
}  # fmt: skip
WHOLE: dict[str, tuple[str | bytes, str, str]] = {
    "campaigns": (b"", "F017", "campaigns.csv"),
    "ad_account_days": (b"<html>", "F018", "ad_account_days.csv"),
    "ad_title_months": (b'{"error": 1}', "F018", "ad_title_months.csv"),
    "page_views": (b"PK\x03\x04", "F019", "page_views.csv"),
    "assets": ("asset_id,title,title\nX,y,z\n", "F012", "assets.csv:1"),
    "emails": ("email_id;name\n1;x\n", "F008", "emails.csv:1"),
    "email_events": ("event_id,email_id,person_id,occurred_at\nV,E,P,2026-01-01\n", "F096", 'email_events.csv  column "kind"'),
    "cta_events": ("V1,2026-01-01\n", "F014", "cta_events.csv"),
    "touches": ('touch_id,touched_at,channel,kind\nT1,"x,y,z\nT2,x,y,z\n', "F010", "touches.csv:2"),
    "subscriptions": ("event_id,account_id,effective_on,kind,arr_change,Currency\nS1,A1,2026-01-01,new,5,EUR\n", "F013",
         "subscriptions.csv:1"),
    "notes": (b"note_id,noted_on\x00,source\n", "F007", "notes.csv:1"),
    "owners": ("owner_id,label\nW1,x\nW1,y\nW2\n", "F074", 'owners.csv:2  column "owner_id"'),
    "promises": ("promise_id\n", "F017", "promises.csv"),
    "experiments": ("experiment_id,name,control_variant\nE1,x,a\nTotal: 2\n", "F016", "experiments.csv:3"),
    "budgets": ("period,amount\n".encode("utf-16-le"), "F003", "budgets.csv"),
    "events_log": (b"\x1f\x8b\x08\x00abc", "F022", "events_log.csv"),
    "suppressions": ("stra\xdfe\n".encode("cp1252"), "F004", "suppressions.csv:1"),
    "targetz": ("metric\n", "F105", "./targetz.csv"),
}  # fmt: skip


def test_more_than_fifty_faults_of_one_delivery_are_all_listed_in_one_run(check: Check, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {name: f"{head}\n{row}\n" for name, (head, row) in BAD.items()}
    said = check(write(tmp_path, files | {name: text for name, (text, _, _) in WHOLE.items()}, 'tables = ["costs"]\n'))
    found, seeded = {(fault["rule"], fault["where"]) for fault in said.faults}, set[tuple[str, str]]()
    sound_values = {"A1", "One", "P1", "O1", "W9", "M1", "R1", "x platform", "USD", "EUR"}
    for name, (head, row) in BAD.items():
        for column, cell in zip(head.split(","), row.split(","), strict=True):
            if cell in sound_values or (name, column) in {
                ("ad_days", "platform"),
                ("opportunity_changes", "stage"),
                ("fx", "day"),
            }:
                continue
            rule = "F056" if cell == "1E+15" else "F087" if not cell else "F031"
            seeded.add((rule, f'{name}.csv:2  column "{column}"'))
    seeded |= {(rule, where) for _, rule, where in WHOLE.values()}
    seeded |= {("F105", "./costs.csv"), ("F011", "owners.csv:4"), ("F092", "table accounts")}
    assert seeded <= found
    assert len(seeded) >= 50 and len({where.split(".csv")[0] for _, where in seeded}) >= 25
    assert said.code == 3 and said.out == ""
    assert len({rule for rule, _ in seeded}) >= 18
    for fault in said.faults:
        assert all(fault[part] for part in ("rule", "name", "where", "found", "expected", "fix")), fault


# What lies near the edge of the quarter


def test_rows_near_the_ends_of_the_quarter_are_counted_with_their_money(check: Check, tmp_path: Path) -> None:
    """The quarter of Berlin begins at 22:00 UTC; its last day ends at 22:00 UTC, which Los Angeles writes as 15:00."""
    states = {
        "2026-06-29 14:59:59": 1, "2026-06-29 15:00:00": 10, "2026-06-30 15:00:00": 20, "2026-07-01 14:59:59": 40,
        "2026-07-01 15:00:00": 2, "2026-09-29 15:00:00": 80, "2026-10-01 14:59:59": 160, "2026-10-01 15:00:00": 4,
    }  # fmt: skip
    lines = [f"O1,{at},qualified,{amount},{'USD' if amount == 20 else 'EUR'}" for at, amount in states.items()]
    days = [f"2026-{day},x,y,1,1,{cost},EUR" for day, cost in
            {"06-29": 1, "06-30": 10, "07-01": 20, "07-02": 2, "09-29": 3, "09-30": 40, "10-01": 80, "10-02": 4}.items()]  # fmt: skip
    files = {
        "opportunities": "opportunity_id,business_type\nO1,new\n",
        "opportunity_changes": "\n".join(["opportunity_id,changed_at,stage,amount,currency", *lines, ""]),
        "ad_days": "\n".join(["day,platform,channel,impressions,clicks,cost,currency", *days, ""]),
        "loads": SOUND["loads"],
    }
    zone = 'dialect.timezone = "America/Los_Angeles"\ndialects.loads.timezone = "UTC"\n'
    said = check(write(tmp_path, files, zone, SETTINGS.replace('"EUR"\n', '"EUR"\ntimezone = "Europe/Berlin"\n')))
    assert [line for line in said.out.splitlines() if line.startswith("edge")] == [
        "edge 2026Q3: ad_days has 4 rows on the days beside its ends, 150.00 EUR; "
        "written in America/Los_Angeles, reported in Europe/Berlin",
        "edge 2026Q3: opportunity_changes has 5 rows within 24 hours of its ends, 290.00 EUR and 20.00 USD; "
        "written in America/Los_Angeles, reported in Europe/Berlin",
    ]  # fmt: skip


def test_of_sources_in_the_reporting_zone_nothing_is_said_of_edges(check: Check, tmp_path: Path) -> None:
    said = check(write(tmp_path, dict(SOUND), "", SETTINGS))
    assert "edge" not in said.out


# The whole of the corpus

GROUPS = [
    *range(1, 28),
    *range(30, 47),
    *range(50, 66),
    *range(70, 89),
    *range(90, 108),
    *range(110, 125),
    *range(130, 141),
    *range(150, 168),
    *range(170, 181),
]
CORPUS = {f"F{number:03}" for number in GROUPS} | {f"C{number:02}" for number in range(1, 9)}


def test_every_rule_of_the_corpus_is_a_case_an_existing_test_or_cannot_happen() -> None:
    generated = {case.id for case in CASES}
    assert generated | ELSEWHERE.keys() | NOT_HERE.keys() | NOT_DONE.keys() == CORPUS
    assert not (NOT_HERE | NOT_DONE).keys() & (generated | ELSEWHERE.keys())
    assert OTHERWISE_THAN_ASKED.keys() <= generated | ELSEWHERE.keys()
    assert all(len(reason.split()) > 5 for reason in (NOT_HERE | NOT_DONE | OTHERWISE_THAN_ASKED).values())


def test_every_case_ends_as_the_corpus_asks_or_is_said_to_end_otherwise() -> None:
    assert ASKED.keys() == CORPUS
    faulty = {case.id for case in CASES if case.rule}
    ends = {case.id: set[str]() for case in CASES}
    for case in CASES:
        if (
            case.ends != "A" or case.id not in faulty
        ):  # of a rule that has faulty cases the accepted ones are the counterexamples
            ends[case.id].add("E" if case.ends == "R" else case.ends)
    otherwise = {rule for rule, found in ends.items() if not found <= set(ASKED[rule])}
    assert otherwise <= OTHERWISE_THAN_ASKED.keys()


def test_every_process_fault_is_provoked_or_cannot_be_here() -> None:
    provoked, not_here = process_faults.PROVOKED, process_faults.NOT_HERE
    assert provoked.keys() | not_here.keys() == {f"P{number:02}" for number in range(1, 27)}
    assert not provoked.keys() & not_here.keys()
    assert all(len(reason.split()) > 5 for reason in not_here.values())


@pytest.mark.parametrize(
    "named",
    sorted({name for told in (ELSEWHERE, process_faults.PROVOKED) for names in told.values() for name in names}),
)
def test_a_test_that_is_named_for_a_rule_is_there(named: str) -> None:
    file, name = named.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE)
