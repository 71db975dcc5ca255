"""What stands beside a number: that one deal is most of it, that its quarter was longer, that nobody filtered it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tiny import company, deals, opened_small, read

from abm_lib import readings
from abm_lib.disclosure import PROFILES

ACCOUNTS = {"accounts": "account_id | name\na1 | One\na2 | Two\na3 | Three"}
MOSTLY_ONE = deals("""
deal | account_id | qualified  | ended | stage | amount
o1   | a1         | 2026-07-01 |       |       | 920
o2   | a3         | 2026-08-01 |       |       | 50
o3   | a2         | 2026-08-01 |       |       | 30
o4   | a2         | 2026-04-01 |       |       | 500
o5   | a2         | 2026-04-01 |       |       | 500
o6   | a2         | 2026-01-05 |       |       | 70
""")


def said(table: pd.DataFrame, metric: str, quarter: str, by: str = "") -> list[str]:
    rows = table[(table["metric"] == metric) & (table["quarter"] == quarter) & (table["slice_by"] == by)]
    return rows["caveats"].tolist()


def test_a_total_that_is_mostly_one_deal_says_so_and_not_where_the_edition_travels(tmp_path: Path) -> None:
    """920 of 1,000 in the third quarter; half of 1,000 is not most of it; of one deal the count says it."""
    folder = company(tmp_path, ACCOUNTS | MOSTLY_ONE)
    told = read(folder, "pipeline_created", by=("segment",))
    assert said(told, "pipeline_created", "2026Q3") == ["the largest of 3 opportunities is 92% of it"]
    assert said(told, "pipeline_created", "2026Q2") == said(told, "pipeline_created", "2026Q1") == [""]
    assert said(told, "pipeline_created", "2026Q3", "segment") == [""]
    opened = opened_small(folder)
    shared = readings.read(opened, opened.calendar.quarter("2026Q3"), families=["none"], also=["pipeline_created"],
                           profile=PROFILES["shared"])  # fmt: skip
    assert said(shared, "pipeline_created", "2026Q3") == [""]


def test_a_quarter_of_14_weeks_says_so_and_so_do_those_that_are_held_against_it(tmp_path: Path) -> None:
    """The retail year 2023 has 53 weeks: its last quarter ends on 3 February 2024 and has 14."""
    fiscal = '[fiscal]\nfirst_month = 2\npattern = "454"\nnamed_by = "start"\nyear_end = "nearest"\n'
    days = ("2023-12-01", "2024-03-01", "2025-01-10", "2024-06-01")
    lines = [f"o{i} | a1 | {day} | | | 10" for i, day in enumerate(days)]
    drawn = deals("\n".join(["deal | account_id | qualified | ended | stage | amount", *lines]))
    folder = company(tmp_path, ACCOUNTS | drawn, fiscal)
    told = read(folder, "opportunities_created", by=("segment",), quarter="2024Q4")
    assert said(told, "opportunities_created", "2023Q4") == ["of 14 weeks"]
    assert said(told, "opportunities_created", "2024Q1") == ["the quarter before had 14 weeks"]
    assert said(told, "opportunities_created", "2024Q2") == [""]
    assert said(told, "opportunities_created", "2024Q4") == ["the same quarter last year had 14 weeks"]


def test_an_open_rate_that_nobody_filters_says_so(tmp_path: Path) -> None:
    events = "event_id | email_id | person_id | occurred_at | kind{}\n" + "\n".join(
        f"{kind}{i} | n1 | p{i} | 2026-07-0{day} | {kind}{{}}"
        for i in (1, 2)
        for day, kind in ((1, "sent"), (2, "delivered"), (3, "open"))
    )
    drawn = ACCOUNTS | {
        "emails": "email_id | name | sent_on\nn1 | News | 2026-07-01",
        "people": "person_id | account_id\np1 | a1\np2 | a1",
    }
    unknown = read(
        company(tmp_path / "a", drawn | {"email_events": events.format("", *[""] * 6)}), "email_open_rate", by=()
    )
    assert "opens of machines are in" in said(unknown, "email_open_rate", "2026Q3")[0]
    flagged = read(
        company(tmp_path / "b", drawn | {"email_events": events.format(" | is_machine", *[" | no"] * 6)}),
        "email_open_rate",
        by=(),
    )
    assert "machines" not in said(flagged, "email_open_rate", "2026Q3")[0]
