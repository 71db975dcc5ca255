"""Companies of which little is known: every page still opens, and says what it cannot say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup
from conftest import ROOT
from tiny import company, deals, read

from abm_lib import edition as editions
from abm_lib.company import open_company
from abm_lib.metric import REGISTER
from abm_lib.pages import FAMILIES, Page
from abm_lib.run.render import render

ACCOUNTS = """
    account_id | name | segment
    a1         | One  | large
    a2         | Two  | {other}
    """
EVER = """
    deal | account_id | qualified  | ended      | stage | amount
    d1   | a1         | 2025-02-01 | 2025-08-01 | won   | 100
    d2   | a2         | 2025-03-01 | 2026-08-01 | lost  | 200
    d3   | a1         | 2026-07-15 |            |       | 300
    """
ONLY_NOW = """
    deal | account_id | qualified  | ended      | stage | amount
    d1   | a1         | 2026-07-10 | 2026-09-01 | won   | 100
    d2   | a2         | 2026-08-01 |            |       | 200
    """
LONG_AGO = """
    deal | account_id | qualified  | ended      | stage | amount
    d1   | a1         | 2025-01-10 | 2025-03-01 | won   | 100
    """
COVERED = """
    table               | source | extracted_at     | covers_from | covers_to
    opportunity_changes | crm    | 2026-10-20 06:00 | 2025-01-01  | 2026-10-19
    opportunities       | crm    | 2026-10-20 06:00 | 2025-01-01  | 2026-10-19
    """
ONE = {"accounts": "account_id | name | segment\na1 | One | large"}
COMPANIES = {
    "nothing but a CRM": {"accounts": ACCOUNTS.format(other="small")} | deals(EVER),
    "the first quarter ever": {"accounts": ACCOUNTS.format(other="small")} | deals(ONLY_NOW),
    "an empty quarter": ONE | deals(LONG_AGO) | {"loads": COVERED},
    "one account": ONE
    | deals("deal | account_id | qualified | ended | stage | amount\nd1 | a1 | 2026-07-10 | | | 100"),
    "one segment": {"accounts": ACCOUNTS.format(other="large")} | deals(EVER),
}


@pytest.fixture(scope="module", params=COMPANIES)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, pd.DataFrame]:
    folder: Path = company(tmp_path_factory.mktemp("small"), COMPANIES[request.param])
    return request.param, read(folder)


def opened(family: str, frame: pd.DataFrame) -> Any:
    notebook = nbformat.read(ROOT / "notebooks" / f"{family}.ipynb", 4)
    return invented.run_cells(notebook, Page(family, frame, invented.EDITION, REGISTER))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_page_opens_and_says_what_it_cannot_say(told: tuple[str, pd.DataFrame], family: str) -> None:
    _, frame = told
    page = BeautifulSoup(render(opened(family, frame), family, invented.EDITION), "html5lib")
    missing = frame[(frame["quarter"] == invented.NOW) & (frame["family"] == family) & frame["value"].isna()]
    said = page.main.get_text(" ")
    assert page.h1.get_text().strip()
    assert not missing.empty or family in ("summary", "pipeline", "revenue", "quality")
    assert missing.empty or any(
        words in said for words in ("Not collected", "not collected", "No data", "Nothing to divide")
    )


def test_a_quarter_without_a_deal_reads_0_where_the_data_reach_and_says_so_where_they_do_not(tmp_path: Path) -> None:
    found = read(company(tmp_path, COMPANIES["an empty quarter"]), "closed_won_revenue", "win_rate_closed", by=[])
    now = found[found["quarter"] == "2026Q3"].set_index("metric")
    assert now.loc["closed_won_revenue", "value"] == 0
    assert now.loc["win_rate_closed", "missing_because"] == "undefined"


def test_in_the_first_quarter_ever_nothing_is_compared(tmp_path: Path) -> None:
    found = read(company(tmp_path, COMPANIES["the first quarter ever"]), "closed_won_revenue", by=[])
    now = found[found["quarter"] == "2026Q3"].iloc[0]
    assert now["value"] == 100 and pd.isna(now["previous"]) and pd.isna(now["year_ago"])


@pytest.mark.parametrize(
    ("settings", "status"),
    [("", "small_n"), ("[min_n]\nquarters = 0\ndeals = 1\n", "bad"), ("[min_n]\nquarters = 0\n", "small_n")],
)
def test_of_a_short_record_nothing_is_called_better_or_worse(tmp_path: Path, settings: str, status: str) -> None:
    agreed = {"targets": "metric | period | value\nclosed_won_revenue | 2026Q3 | 5000"}
    folder = company(tmp_path, COMPANIES["the first quarter ever"] | agreed, settings=settings)
    found = read(folder, "closed_won_revenue", by=[])
    now = found[found["quarter"] == "2026Q3"].iloc[0]
    assert (now["value"], now["target"], now["status"]) == (100, 5000, status)
    opened = open_company(folder)
    told = editions.describe(opened, opened.quarter("2026Q3"), found)
    page = Page("revenue", found, told, REGISTER)
    assert ("none is called better or worse" in page.header().text) == (status == "small_n")


LOGGED = """
    day        | text                                                                                     | source
    2024-09-30 | The day before the eight quarters                                                        | web
    2024-10-01 | Banner changed                                                                           | ads
    2026-08-10 | New price list, ask ann@alpha.example who knows every line of it and of the ones that were before it | sales
    2026-08-10 | Fair                                                                                     | sales
    2026-10-01 | The day after them                                                                       |
    """


@pytest.mark.parametrize(
    ("profile", "told"), [("internal", ["Banner changed", "Fair", "New price list"]), ("shared", [])]
)
def test_what_is_logged_in_the_eight_quarters_is_remarked_without_addresses(
    tmp_path: Path, profile: str, told: list[str]
) -> None:
    opened = open_company(company(tmp_path, COMPANIES["the first quarter ever"] | {"events_log": LOGGED}))
    found = pd.DataFrame({"quarter": [], "caveats": []})
    remarks = editions.describe(opened, opened.quarter("2026Q3"), found, profile=profile)["remarks"]
    assert [remark["text"].partition(",")[0] for remark in remarks] == told
    assert [(remark["on"], remark["about"]) for remark in remarks[:2]] == [("2024-10-01", ["ads"]), ("2026-08-10", [])][
        : len(told)
    ]
    assert all(len(remark["text"]) <= 80 and "alpha" not in remark["text"] for remark in remarks)


LIST_KEPT = """
    account_id | is_target | tier | valid_from | valid_to   | recorded_at
    a1         | yes       | 1    | 2025-01-01 |            | 2025-01-01
    a2         | yes       | 2    | 2025-01-01 | 2025-12-31 | 2025-01-01
    """
PAID_ON = """
    event_id | account_id | effective_on | kind    | arr_change | currency
    s1       | a1         | 2025-03-01   | opening | 1200       | EUR
    """


def test_what_stands_is_known_though_nothing_was_added_since(tmp_path: Path) -> None:
    given = {
        "accounts": ACCOUNTS.format(other="small"),
        "account_lists": LIST_KEPT,
        "subscriptions": PAID_ON,
        **deals(EVER),
    }
    told = read(company(tmp_path, given), "target_accounts", "retained_revenue")
    whole = told[(told["quarter"] == "2026Q3") & (told["slice_by"] == "")].set_index("metric")
    assert whole["missing_because"].to_dict() == {"target_accounts": "", "retained_revenue": ""}
    assert whole["value"].to_dict() == {"target_accounts": 1, "retained_revenue": 1200}


AGREED = """
    metric             | period | slice_by | slice | value | agreed_by   | agreed_on  | amended_on | kind
    closed_won_revenue | 2026Q3 |          |       | 5000  | CFO and CRO | 2026-06-11 | 2026-07-21 | target
    closed_won_revenue | 2026Q2 |          |       | 4000  | CFO         | 2026-03-11 |            | target
    win_rate_closed    | 2026Q3 |          |       | 0.3   |             |            |            | target
    win_rate_closed    | 2026Q3 | tier     | 1     | 0.4   | CRO         |            |            | target
    deals_won          | 2026Q3 |          |       | 4     | CRO         |            |            | benchmark
    """


def test_an_edition_says_who_agreed_its_targets_and_definitions_and_when(tmp_path: Path) -> None:
    settings = """
        [coverage]
        agreed_by = "CFO"
        [definitions.win_rate_closed]
        agreed_by = "CRO"
        agreed_on = "2026-01-15"
        """
    folder = company(tmp_path, COMPANIES["the first quarter ever"] | {"targets": AGREED}, settings=settings)
    opened = open_company(folder)
    told = editions.describe(opened, opened.quarter("2026Q3"), read(folder, "closed_won_revenue", by=[]))
    assert told["definitions"] == {"win_rate_closed": {"agreed_by": "CRO", "agreed_on": "2026-01-15"}}
    assert told["targets"] == {
        "closed_won_revenue": {"agreed_by": "CFO and CRO", "agreed_on": "2026-06-11", "amended_on": "2026-07-21"},
        "pipeline_coverage": {"agreed_by": "CFO"},
        "win_rate_closed": {},
    }
    assert told["influence"]["strict"] == {
        "min_touches": 5,
        "min_people": 3,
        "window_days": 180,
        "responses_only": True,
    }
    assert told["models"]["time_decay"] == "every touch half as much for each 90 days before the last one"


OFF = ("new_customers", "promotion_wins", "sales_cycle_days", "win_rate_cohort")  # cards, tables, a rate and a trend


def test_a_metric_that_is_switched_off_leaves_a_plain_sentence_wherever_its_page_had_it(tmp_path: Path) -> None:
    folder = company(tmp_path, COMPANIES["nothing but a CRM"], f"switched_off = {list(OFF)}")
    frame = read(folder, "revenue")
    page = BeautifulSoup(render(opened("revenue", frame), "revenue", invented.EDITION), "html5lib")
    for metric in OFF:
        assert not page.main.select(f'data[data-metric="{metric}"]'), f"{metric} has a number"
        assert REGISTER[metric].label in page.main.get_text(" ")
    said = " ".join(page.main.get_text(" ").split())
    assert "Win rate by cohort Switched off in the settings." in said  # in place of its bars, once
    assert re.search("New customers . Off .{0,60}Switched off in abm.toml", said)  # in its card
    assert (
        "New customers by segment Segment Value Read with care All off switched off in abm.toml" in said
    )  # in its table
