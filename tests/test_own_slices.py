"""A company's own slices: columns that no canonical table has, carried through to readings, and what may not be one."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
from delivering import written
from tiny import company, deals, opened_small, read, slices

from abm_lib import checklist, cli, readings, sample
from abm_lib.company import open_company
from abm_lib.disclosure import PROFILES
from abm_lib.errors import InputRefused, UsageError

ACCOUNTS = {
    "accounts": """
        account_id | name  | segment | Sales Region
        a1         | One   | large   | North
        a2         | Two   | small   | South
        a3         | Three | small   |
        """
}
DEALS = deals("""
deal | account_id | business_type | qualified  | ended      | stage | amount | product_line
o1   | a1         | new           | 2026-07-01 |            |       | 100    | crane
o2   | a1         | new           | 2026-08-01 | 2026-09-01 | won   | 250    | winch
o3   | a2         | new           | 2026-09-30 |            |       | 600    | winch 2
o4   | a3         | new           | 2026-09-30 |            |       | 40     |
o5   | a2         | expansion     | 2026-07-05 |            |       | 1000   | crane
""")
SLICES = """
[slices.product_line]
table = "opportunities"
values = { "winch 2" = "winch" }

[slices.sales_region]
table = "accounts"
column = "Sales Region"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("sliced"), ACCOUNTS | DEALS, SLICES)
    return read(folder, "pipeline_created", "closed_won_revenue", "target_accounts", by=("segment",))


def test_a_metric_is_sliced_by_a_column_that_only_the_company_knows(told: pd.DataFrame) -> None:
    """New business alone: the crane of o5 is an expansion. Both winches are one, as `values` says."""
    assert slices(told, "pipeline_created", "product_line") == {"crane": 100, "winch": 850, "unknown": 40}
    assert slices(told, "pipeline_created", "sales_region") == {"North": 350, "South": 600, "unknown": 40}
    assert slices(told, "closed_won_revenue", "product_line") == {"winch": 250}


def test_the_slices_add_up_to_the_whole_and_say_that_they_are_of_now(told: pd.DataFrame) -> None:
    created = told[(told["metric"] == "pipeline_created") & (told["quarter"] == "2026Q3")]
    (whole,) = created.loc[created["slice_by"] == "", "value"]
    for name in ("product_line", "sales_region", "segment"):
        assert created.loc[created["slice_by"] == name, "value"].sum() == whole == 990
    said = created.loc[created["slice_by"] == "product_line", "caveats"]
    assert all("by product_line as it is now" in caveat for caveat in said)


def test_a_metric_whose_records_have_no_such_column_is_not_sliced_by_it(told: pd.DataFrame) -> None:
    of_accounts = told[told["metric"] == "target_accounts"]
    assert "product_line" not in set(of_accounts["slice_by"])


def test_a_target_may_be_set_for_such_a_slice(tmp_path: Path) -> None:
    targets = """
        metric           | period | slice_by     | slice | value | kind   | currency
        pipeline_created | 2026Q3 | product_line | winch | 1000  | target | EUR
        """
    found = read(company(tmp_path, ACCOUNTS | DEALS | {"targets": targets}, SLICES), "pipeline_created", by=())
    row = found[(found["quarter"] == "2026Q3") & (found["slice"] == "winch")].iloc[0]
    assert (row["value"], row["target"]) == (850, 1000)


def test_the_check_lists_them(tmp_path: Path) -> None:
    lines = list(checklist.lines(opened_small(company(tmp_path, ACCOUNTS | DEALS, SLICES))))
    assert "slice product_line of opportunities: 2 values (crane, winch); 1 of 5 without one" in lines
    assert "slice sales_region of accounts: 2 values (North, South); 1 of 3 without one" in lines


def test_without_any_nothing_is_frozen_for_them(tmp_path: Path) -> None:
    opened = opened_small(company(tmp_path, ACCOUNTS | DEALS))
    assert "slice_values" not in opened.frozen.tables


def many(values: list[str]) -> dict[str, str]:
    rows = "\n".join(f"a{i} | Account {i} | {value}" for i, value in enumerate([*values, "", ""], 1))
    return {"accounts": f"account_id | name | note\n{rows}"}


@pytest.mark.parametrize(
    ("settings", "values", "rule", "found"),
    [
        ('[slices.note]\ntable = "accounts"', [f"v{i}" for i in range(51)], "C01", "more than 50 values in note"),
        ('[slices.note]\ntable = "accounts"', ["x", "ann@one.example"], "C01", "mail addresses in note"),
        ('[slices.ids]\ntable = "accounts"\ncolumn = "account_id"', ["x", ""], "C01", "account_id holds ids"),
        ('[slices.nots]\ntable = "accounts"', ["x", ""], "F096", "no source delivers nots"),
        ("[slices.evil]\ntable = \"accounts\"\ncolumn = '\" from x; drop table y; --'", ["x", ""], "F096", "no source delivers \""),
    ],
)  # fmt: skip
def test_what_is_no_slice_is_refused_by_name(
    tmp_path: Path, settings: str, values: list[str], rule: str, found: str
) -> None:
    with pytest.raises(InputRefused) as caught:
        opened_small(company(tmp_path, many(values) | DEALS, settings))
    (fault,) = [fault for fault in caught.value.faults if fault.level == "E"]
    assert fault.rule == rule and fault.found.startswith(found) and fault.where.startswith("abm.toml  [slices.")


def test_fifty_values_are_a_slice(tmp_path: Path) -> None:
    settings = '[slices.note]\ntable = "accounts"'
    opened_small(company(tmp_path, many([f"v{i}" for i in range(50)]) | DEALS, settings))


@pytest.mark.parametrize("name", ["Region", "account_region", "owner_team", "a b", "x;--", "1st", ""])
def test_a_name_that_could_be_mistaken_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        opened_small(company(tmp_path, ACCOUNTS | DEALS, f'[slices."{name}"]\ntable = "accounts"\ncolumn = "name"'))


@pytest.mark.parametrize("name", ["segment", "month", "statistic", "source_detail", "window"])
def test_a_name_that_metrics_are_sliced_by_already_is_refused(tmp_path: Path, name: str) -> None:
    folder = company(tmp_path, ACCOUNTS | DEALS, f'[slices.{name}]\ntable = "accounts"\ncolumn = "name"')
    opened = opened_small(folder)
    with pytest.raises(UsageError) as caught:
        readings.read(opened, opened.calendar.quarter("2026Q3"))
    assert caught.value.faults[0].where == "abm.toml  [slices]" and caught.value.faults[0].found == name


def test_a_name_with_hostile_values_is_text(tmp_path: Path) -> None:
    drawn = deals("deal | account_id | qualified | ended | stage | amount | line\n"
                  "o1 | a1 | 2026-07-01 | | | 10 | <script>x</script>\no2 | a1 | 2026-07-01 | | | 20 | a/b'\"%")  # fmt: skip
    found = read(
        company(tmp_path, ACCOUNTS | drawn, '[slices.line]\ntable = "opportunities"'), "pipeline_created", by=()
    )
    assert slices(found, "pipeline_created", "line") == {"<script>x</script>": 10, "a/b'\"%": 20}


def test_two_rows_of_one_record_that_differ_only_in_the_slice_leave_it_unknown(tmp_path: Path) -> None:
    rows = ACCOUNTS["accounts"] + "        a1         | One   | large   | West\n"
    found = read(company(tmp_path, {"accounts": rows} | DEALS, SLICES), "pipeline_created", by=())
    assert slices(found, "pipeline_created", "sales_region") == {"South": 600, "unknown": 390}


def test_where_the_edition_travels_a_small_cell_hides_the_slice(tmp_path: Path) -> None:
    """Two won deals behind an amount: the whole table by product line goes."""
    opened = opened_small(company(tmp_path, ACCOUNTS | DEALS, SLICES))
    found = readings.read(opened, opened.calendar.quarter("2026Q3"), also=["pipeline_created"], families=["none"],
                          profile=PROFILES["shared"])  # fmt: skip
    rows = found[(found["quarter"] == "2026Q3") & (found["slice_by"] == "product_line")]
    assert len(rows) == 3 and set(rows["missing_because"]) == {"suppressed"} and rows["value"].isna().all()


SALESFORCE = (
    '\n[sources.crm]\nmap = "crm"\nfolder = "crm"\n[slices.line]\ntable = "opportunities"\ncolumn = "Product_Line__c"\n'
)


def test_a_custom_field_of_a_system_comes_through_its_shipped_map(tmp_path: Path) -> None:
    folder = written(tmp_path, SALESFORCE)
    (folder / "crm.toml").write_text('base = "salesforce-fivetran"\n')
    (folder / "crm").mkdir()
    (folder / "crm" / "account.csv").write_text("id,name,_fivetran_synced\n1,One,2026-10-01\n")
    (folder / "crm" / "opportunity.csv").write_text(
        "id,account_id,type,stage_name,amount,currency_iso_code,created_date,close_date,product_line_c,_fivetran_synced\n"
        "7,1,New Business,offer,5,EUR,2026-07-01,2026-12-01,crane,2026-10-01\n"
    )
    opened = open_company(folder)
    found = opened.tables.engine.collect(opened.tables.slice_values)
    assert found.to_dict("records") == [
        {"table_name": "opportunities", "record_id": "7", "name": "line", "value": "crane"}
    ]


@pytest.mark.slow
def test_from_a_column_of_a_file_to_the_published_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "company"
    sample.write(folder, scale=0.01, seed=5)
    path = folder / "opportunities.csv"
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    with path.open("w", newline="") as file:
        lines = [[*row, ("crane", "winch", "")[i % 3]] for i, row in enumerate(rows)]
        csv.writer(file).writerows([[*head, "product_line"], *lines])
    (folder / "abm.toml").write_text(
        (folder / "abm.toml").read_text() + '\n[slices.product_line]\ntable = "opportunities"\n'
    )
    monkeypatch.setattr(
        sys, "argv", ["abm", "run", str(folder), "--out", str(tmp_path / "reports"), "--only", "pipeline"]
    )
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert not left.value.code, capfd.readouterr().err
    (edition,) = [p for p in (tmp_path / "reports").iterdir() if re.fullmatch(r"\d{4}Q\d", p.name)]
    published = pd.read_csv(edition / "readings.csv", keep_default_na=False)
    found = published[(published["metric"] == "open_pipeline") & (published["slice_by"] == "product_line")]
    assert set(found["slice"]) == {"crane", "winch", "unknown"} and found["quarter"].nunique() == 8
