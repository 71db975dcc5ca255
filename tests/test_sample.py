"""The invented company: it is complete, agrees with itself, and is the same every time."""

from __future__ import annotations

import csv
import json
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from abm_lib.config import load
from abm_lib.period import Calendar
from abm_lib.sample import journey, write, writing
from abm_lib.sample.shape import Shape

PROJECT = Path(__file__).parent.parent
COMMITTED = PROJECT / "data" / "sample"
DECLARED = tomllib.loads((PROJECT / "abm_lib" / "tables.toml").read_text(encoding="utf-8"))
Read = Callable[[str], list[dict[str, str]]]


def reader(folder: Path) -> Read:
    kept: dict[str, list[dict[str, str]]] = {}

    def read(table: str) -> list[dict[str, str]]:
        if table not in kept:
            with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
                kept[table] = list(csv.DictReader(file))
        return kept[table]

    return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company whose fiscal year begins in February, in another currency, by another seed."""
    folder = tmp_path_factory.mktemp("small")
    write(folder, seed=11, scale=0.02, first_month=2, currency="USD", last_quarter="2027Q2")
    return folder


@pytest.fixture(scope="module")
def small(folder: Path) -> Read:
    return reader(folder)


@pytest.fixture(scope="module")
def committed() -> Read:
    return reader(COMMITTED)


@pytest.fixture(params=["small", "committed"])
def read(request: pytest.FixtureRequest) -> Read:
    found: Read = request.getfixturevalue(request.param)
    return found


def last_states(read: Read) -> dict[str, dict[str, str]]:
    rows = sorted(read("opportunity_changes"), key=lambda row: row["changed_at"])
    return {row["opportunity_id"]: row for row in rows}


def quarter_label(day: str) -> str:
    return Calendar().quarter_of(date.fromisoformat(day)).label


def test_the_same_arguments_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, seed=11, scale=0.02, first_month=2, currency="USD", last_quarter="2027Q2")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in folder.iterdir())
    assert [name for name in names if (tmp_path / name).read_bytes() != (folder / name).read_bytes()] == []


def test_another_seed_gives_another_company(tmp_path: Path, small: Read) -> None:
    write(tmp_path, seed=12, scale=0.02, first_month=2, currency="USD", last_quarter="2027Q2")
    assert reader(tmp_path)("opportunities") != small("opportunities")


@pytest.mark.parametrize("place", ["small", "committed"])
def test_every_table_has_every_column_in_the_declared_order(place: str, folder: Path) -> None:
    root = folder if place == "small" else COMMITTED
    for table in DECLARED:
        with (root / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(writing.columns(table)), table


def test_every_table_has_rows(read: Read) -> None:
    assert [table for table in DECLARED if not read(table)] == []


def test_keys_are_unique_and_required_cells_are_filled(read: Read) -> None:
    for table, facts in DECLARED.items():
        rows, key = read(table), facts["key"]
        counted = Counter(tuple(row[name] for name in key) for row in rows)
        assert [found for found, count in counted.items() if count > 1] == [], table
        for name, kind in writing.columns(table).items():
            if "required" in kind or (name in key and "optional" not in kind):
                assert all(row[name] for row in rows), f"{table}.{name}"


def test_values_are_of_the_declared_type(read: Read) -> None:
    checks: dict[str, Callable[[str], Any]] = {
        "at": lambda cell: datetime.strptime(cell, "%Y-%m-%d %H:%M:%S"),
        "on": date.fromisoformat,
        "yes_no": {"true": True, "false": False}.__getitem__,
        "whole": int,
        "money": float,
        "number": float,
        "share": float,
        "currency": {"EUR": 1, "USD": 1, "GBP": 1}.__getitem__,
    }
    for table in DECLARED:
        for name, kind in writing.columns(table).items():
            first = kind.split(",")[0]
            check = checks.get(first)
            if first.startswith("one of "):
                check = dict.fromkeys(first.removeprefix("one of ").split("|"), True).__getitem__
            for cell in {row[name] for row in read(table)} - {""} if check else ():
                check(cell)


def test_references_hold(read: Read) -> None:
    for table in DECLARED:
        for name, kind in writing.columns(table).items():
            if "references " in kind:
                target = kind.split("references ")[1].split(",")[0]
                known = {row[DECLARED[target]["key"][0]] for row in read(target)} | {""}
                assert {row[name] for row in read(table)} <= known, f"{table}.{name}"


def test_the_settings_are_valid_and_name_every_raw_source_that_has_a_channel(folder: Path) -> None:
    settings = load(folder)
    assert settings.company.currency == "USD"
    assert settings.fiscal.first_month == 2
    assert load(COMMITTED).company.currency == "EUR"
    known = {word: name for name, channel in settings.channels.items() for word in channel.match}
    rows = [row for row in reader(COMMITTED)("opportunities") if row["channel"]]
    assert {row["channel"] for row in rows if known[row["source"]] != row["channel"]} == set()


def test_the_fiscal_labels_follow_the_first_month(small: Read) -> None:
    quarters = Calendar(2).quarters("2027Q2", 12)
    assert quarters[-1].end == date(2026, 8, 1)
    assert sorted({row["quarter"] for row in small("costs")}) == [quarter.label for quarter in quarters]
    assert max(row["day"] for row in small("fx")) == "2026-08-12"


def test_every_column_is_explained_in_the_data_dictionary() -> None:
    words = (COMMITTED / "README.md").read_text(encoding="utf-8")
    assert "invented" in words.splitlines()[0]
    parts = dict(part.split("\n", 1) for part in words.split("\n## ")[1:])
    for table, facts in DECLARED.items():
        assert f"One row per {facts['one_row_per']}" in parts[table]
        assert [name for name in writing.columns(table) if f"| `{name}` |" not in parts[table]] == []


def test_won_deals_and_recurring_revenue_agree(read: Read) -> None:
    account = {row["opportunity_id"]: row["account_id"] for row in read("opportunities")}
    for business, kind in (("new", "new"), ("expansion", "expansion"), ("renewal", "renewal")):
        states = [
            row for row in last_states(read).values() if row["business_type"] == business and row["stage"] == "won"
        ]
        won = Counter((account[row["opportunity_id"]], row["close_on"]) for row in states)
        begun = Counter(
            (row["account_id"], row["effective_on"]) for row in read("subscriptions") if row["kind"] == kind
        )
        assert states
        assert won == begun, business


def test_some_deals_are_signed_after_midnight_so_that_utc_has_another_day(committed: Read) -> None:
    states = [row for row in committed("opportunity_changes") if row["stage"] == "won"]
    assert sum(row["changed_at"][:10] < row["close_on"] for row in states) == 3


def test_no_contract_is_worth_less_than_nothing(read: Read) -> None:
    worth: dict[str, float] = defaultdict(float)
    for row in sorted(read("subscriptions"), key=lambda row: row["effective_on"]):
        worth[row["account_id"]] += float(row["arr_change"])
        assert worth[row["account_id"]] >= 0
        assert row["kind"] != "churn" or worth[row["account_id"]] == 0


def test_a_deal_closes_on_the_day_its_last_state_took_effect_and_keeps_its_currency(read: Read) -> None:
    currencies = defaultdict(set)
    for row in read("opportunity_changes"):
        currencies[row["opportunity_id"]].add(row["currency"])
        if row["stage"] in ("won", "lost"):
            at = datetime.fromisoformat(row["changed_at"]).replace(tzinfo=UTC)
            assert str(at.astimezone(ZoneInfo("Europe/Berlin")).date()) == row["close_on"]
        assert row["recorded_at"] >= row["changed_at"]
    assert max(len(found) for found in currencies.values()) == 1


def test_opportunities_repeat_what_their_first_states_say(read: Read) -> None:
    first: dict[str, str] = {}
    qualified: dict[str, str] = {}
    for row in sorted(read("opportunity_changes"), key=lambda row: row["changed_at"]):
        first.setdefault(row["opportunity_id"], row["changed_at"])
        if row["stage"] not in ("discovery", "lost"):
            qualified.setdefault(row["opportunity_id"], row["changed_at"])
    for row in read("opportunities"):
        assert row["created_at"] == first[row["opportunity_id"]]
        assert row["qualified_at"] == qualified.get(row["opportunity_id"], "")
    frozen = {row["opportunity_id"]: row["frozen_at"] for row in read("opportunity_sources")}
    assert frozen == qualified


def test_touches_hold_every_act_of_the_event_tables_once(read: Read) -> None:
    home = {row["person_id"]: row["account_id"] for row in read("people")}
    views = [row for row in read("page_views") if row["is_bot"] == "false" and row["account_id"]]
    mails = [row for row in read("email_events") if row["kind"] in ("click", "reply") and row["is_machine"] == "false"]
    forms = [row for row in read("cta_events") if row["kind"] == "completed" and row["is_machine"] == "false"]
    held = [row for row in read("meetings") if row["outcome"] == "held" and row["is_internal"] == "false"]
    clicks = [row for row in read("ad_account_days") if row["account_id"] and row["clicks"] != "0"]
    expected = {
        "page_views": {row["session_id"] for row in views},
        "email_events": {row["event_id"] for row in mails if home[row["person_id"]]},
        "cta_events": {row["event_id"] for row in forms if row["account_id"] or home.get(row["person_id"])},
        "meetings": {row["meeting_id"] for row in held if row["account_id"]},
        "ad_account_days": {"|".join((r["day"], r["platform"], r["campaign_id"], r["account_id"])) for r in clicks},
    }
    found = defaultdict(set)
    for row in read("touches"):
        table, _, key = row["touch_id"].partition(":")
        found[table if key else "own"].add(key or row["touch_id"])
    for table, keys in expected.items():
        assert keys
        assert found[table] == keys, table
    assert found["own"]


def test_a_visit_to_the_prices_is_a_response_and_a_visit_without_channel_came_by_the_website() -> None:
    def view(view_id: str, session: str, minute: int, page: str, **more: Any) -> dict[str, Any]:
        row = {"view_id": view_id, "session_id": session, "viewed_at": datetime(2026, 1, 5, 9, minute), "page": page}
        return (
            row | {"account_id": "a1", "person_id": None, "channel": None, "campaign_id": None, "is_bot": False} | more
        )

    views = [
        view("v2", "w1", 4, "/pricing/request"),
        view("v1", "w1", 2, "/", channel="email", person_id="p1"),
        view("v3", "w2", 9, "/"),
        view("v4", "w3", 9, "/", account_id=None),
        view("v5", "w4", 9, "/", is_bot=True),
    ]
    rows = journey._visits(views)
    seen = [
        (row["touch_id"], row["touched_at"].minute, row["kind"], row["is_response"], row["channel"]) for row in rows
    ]
    assert seen == [
        ("page_views:w1", 2, "pricing_visit", True, "email"),
        ("page_views:w2", 9, "visit", False, "website"),
    ]
    assert rows[0]["person_id"] == "p1"


def test_an_account_walks_up_the_stages_and_falls_back_when_its_window_is_over() -> None:
    def touch(day: int, person: str) -> dict[str, Any]:
        return {"account_id": "a1", "touched_at": datetime(2026, 1, day, 9), "person_id": person, "kind": "webinar"}

    tables = {name: [] for name in ("account_lists", "opportunities", "opportunity_changes", "meetings")} | {
        "accounts": [{"account_id": "a1", "created_at": datetime(2026, 1, 1, 8)}],
        "touches": [touch(2, "p1"), touch(3, "p2"), touch(4, "p1"), touch(5, "p1"), touch(6, "p2")],
        "subscriptions": [
            {"account_id": "a1", "effective_on": date(2026, 7, 1), "kind": "new", "arr_change": 10.0},
            {"account_id": "a1", "effective_on": date(2026, 8, 1), "kind": "renewal", "arr_change": 0.0},
            {"account_id": "a1", "effective_on": date(2026, 9, 1), "kind": "churn", "arr_change": -10.0},
        ],
    }
    rows = journey.account_stages(Shape(7, 1.0, "EUR", 1, "2026Q3"), tables)
    assert [(row["entered_at"].date(), row["stage"]) for row in rows] == [
        (date(2026, 1, 1), "cold"),
        (date(2026, 1, 3), "engaged"),
        (date(2026, 1, 6), "mqa"),
        (date(2026, 4, 2), "engaged"),
        (date(2026, 4, 5), "cold"),
        (date(2026, 7, 1), "customer"),
        (date(2026, 8, 1), "renewal"),
        (date(2026, 9, 1), "cold"),
    ]


def test_list_intervals_of_an_account_never_overlap_and_about_six_hundred_are_targets(committed: Read) -> None:
    spans = defaultdict(list)
    for row in committed("account_lists"):
        spans[row["account_id"]].append((row["valid_from"], row["valid_to"] or "9999-12-31"))
    for account_id, found in spans.items():
        ordered = sorted(found)
        assert all(before[1] <= after[0] for before, after in pairwise(ordered)), account_id
        assert all(first < last for first, last in ordered)
    for day in ("2024-01-01", "2025-06-15", "2026-10-01"):
        rows = [r for r in committed("account_lists") if r["valid_from"] <= day < (r["valid_to"] or "9999")]
        assert 570 <= sum(row["is_target"] == "true" for row in rows) <= 650


def test_media_costs_follow_the_ad_platforms_up_to_the_stated_difference(committed: Read) -> None:
    truth = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    spent: dict[str, float] = defaultdict(float)
    booked: dict[str, float] = defaultdict(float)
    for row in committed("ad_days"):
        spent[quarter_label(row["day"])] += float(row["cost"])
    for row in committed("costs"):
        if row["kind"] == "media":
            booked[row["quarter"]] += float(row["amount"])
    assert len(booked) == 12
    for quarter, amount in booked.items():
        assert abs(amount / spent[quarter] - 1) == pytest.approx(truth["finance_media_difference"], abs=1e-5), quarter


def test_rates_are_missing_at_week_ends_and_there_for_every_currency_of_a_deal(committed: Read) -> None:
    days = {row["day"] for row in committed("fx")}
    assert all(date.fromisoformat(day).weekday() < 5 for day in days)
    rated = {row["currency"] for row in committed("fx")}
    dealt = {row["currency"] for row in committed("opportunity_changes")}
    assert dealt <= rated
    assert len(dealt) >= 3


def test_the_planted_truths_name_rows_that_are_there(committed: Read) -> None:
    truth = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    campaigns = {row["campaign_id"] for row in committed("campaigns")}
    assert truth["campaign_that_works"]["campaign_id"] in campaigns
    assert truth["landing_page_mismatched"]["campaign_id"] in campaigns
    assert truth["landing_page_mismatched"]["page"] in {row["page"] for row in committed("assets")}
    experiments = {row["experiment_id"] for row in committed("experiments")}
    assert {row["experiment_id"] for row in truth["experiments"]} == experiments
    states = last_states(committed)
    for row in truth["restated_after_settling"]:
        state = states[row["opportunity_id"]]
        settled = Calendar().quarter(row["quarter"]).end + timedelta(days=10)
        assert state["recorded_at"] == row["recorded_at"] > str(settled) > row["changed_at"]
        assert float(state["amount"]) == row["amount"]
    assert {row["quarter"] for row in truth["restated_after_settling"]} == set(truth["marketing_sourced_share"])


def test_the_planted_truths_are_large_enough_to_be_found(committed: Read) -> None:
    truth = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    rates = truth["segment_that_wins"]["win_rate"]
    assert rates["mid_market"] - max(rates["enterprise"], rates["small"]) > 0.1
    assert truth["campaign_that_works"]["win_rate_touched"] - truth["campaign_that_works"]["win_rate_others"] > 0.1
    shares = list(truth["marketing_sourced_share"].values())
    assert sum(shares[-4:]) / 4 - sum(shares[:4]) / 4 > 0.08
    ratio = {r["experiment_id"]: r["click_rate_B"] / r["click_rate_A"] for r in truth["experiments"]}
    assert ratio["x4"] > 1.2
    assert abs(ratio["x3"] - 1) < 0.04
    indicator = truth["leading_indicator"]
    assert indicator["progressed_with"] - indicator["progressed_without"] > 0.05
    assert truth["landing_page_mismatched"]["median_scroll_percent"] <= 50


def test_targets_lie_so_that_attainment_wanders_and_coverage_stays_plausible(committed: Read) -> None:
    rate = {(row["currency"], row["day"]): float(row["rate"]) for row in committed("fx")}
    target = {
        row["period"]: float(row["value"])
        for row in committed("targets")
        if row["metric"] == "closed_won_revenue" and row["slice"] == "new"
    }
    assert {"2026Q4", "2027Q1"} <= set(target)
    won: dict[str, float] = defaultdict(float)
    for row in last_states(committed).values():
        if row["stage"] == "won" and row["business_type"] == "new":
            day = date.fromisoformat(row["close_on"])
            day -= timedelta(days=max(0, day.weekday() - 4))
            won[quarter_label(row["close_on"])] += float(row["amount"]) * rate.get((row["currency"], str(day)), 1.0)
    attained = {label: won[label] / target[label] for label in [q.label for q in Calendar().quarters("2026Q3", 12)]}
    assert 0.72 < min(attained.values()) < 0.85
    assert 1.0 < max(attained.values()) < 1.12


def test_the_committed_company_is_small_enough_to_keep_and_large_enough_to_show(committed: Read) -> None:
    files = [path for path in COMMITTED.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 15_000_000
    assert len(committed("accounts")) == 3000
    assert 7000 <= len(committed("people")) <= 9000
    assert 1650 <= len(committed("opportunities")) <= 1950
    assert max(row["changed_at"] for row in committed("opportunity_changes")) <= "2026-10-12 20:00:00"


def test_the_committed_files_are_what_the_defaults_write_today() -> None:
    head = (COMMITTED / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert "seed 7, scale 1.0" in head
    assert "2023Q4 to 2026Q3" in head


@pytest.mark.slow
def test_the_defaults_write_the_committed_files_again(tmp_path: Path) -> None:
    write(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.read_bytes() != (COMMITTED / path.name).read_bytes()] == []


def test_the_company_is_plausible(committed: Read) -> None:
    """Enterprise deals take 8 to 10 months to win, seasons show, and the data are as dirty as data are."""
    segment = {row["account_id"]: row["segment"] for row in committed("accounts")}
    states = last_states(committed)
    won = {
        row["opportunity_id"]: row
        for row in committed("opportunities")
        if states[row["opportunity_id"]]["stage"] == "won"
    }
    cycles = [
        (date.fromisoformat(states[name]["close_on"]) - date.fromisoformat(row["qualified_at"][:10])).days
        for name, row in won.items()
        if segment[row["account_id"]] == "enterprise" and row["business_type"] == "new" and row["qualified_at"]
    ]
    assert len(cycles) > 30 and 240 <= sum(cycles) / len(cycles) <= 305
    by_month = Counter(date.fromisoformat(states[name]["close_on"]).month for name in won)
    assert max(by_month.values()) > 1.3 * min(by_month.values())
    sources = Counter(not row["source"] for row in committed("opportunities"))
    assert 0.05 < sources[True] / sources.total() < 0.3
    opens = Counter(row["is_machine"] for row in committed("email_events") if row["kind"] == "open")
    assert 0.02 < opens["true"] / opens.total() < 0.5
    landings = [row for row in committed("page_views") if row["utm_source"]]
    spelled = {(row["utm_source"].lower(), row["utm_source"]) for row in landings}
    assert len(spelled) > len({plain for plain, _ in spelled}), "no source is written in two ways"
    amounts = sorted(float(states[name]["amount"]) for name in won if states[name]["amount"])
    assert amounts[-1] > 8 * amounts[len(amounts) // 2], "no long tail"
