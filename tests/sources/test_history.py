"""What an opportunity was on a day gone by: from each kind of history that a system keeps, and from today's table alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from delivering import Read, deliver, written

import abm_lib.metrics  # noqa: F401  (fills the register)
from abm_lib import readings
from abm_lib.company import open_company

CRM = '\n[sources.crm]\nmap = "salesforce-native"\n'
TODAY = """Id,AccountId,Type,StageName,Amount,CurrencyIsoCode,CloseDate,Probability,CreatedDate,IsClosed,IsDeleted,LastModifiedDate
O1,A1,New Business,won,900,EUR,2026-05-20,100,2026-01-05T10:00:00Z,true,false,2026-05-20T10:00:00Z
O2,A1,New Business,offer,,EUR,2026-09-01,40,2026-02-05T10:00:00Z,false,false,2026-04-01T10:00:00Z
"""
STATES = "select opportunity_id, changed_at::varchar, stage, amount::int, close_on::varchar, probability "
STATES += "from canonical.opportunity_changes order by 1, 2"


def read(tmp_path: Path, **files: str) -> Read:
    found = deliver(written(tmp_path, CRM, **{"Account": "Id,Name\nA1,Alpha\n", "Opportunity": TODAY} | files))
    assert [fault for fault in found.faults if fault.level == "E"] == []
    return found


def test_opportunity_history_gives_each_state_as_it_then_was(tmp_path: Path) -> None:
    history = """Id,OpportunityId,StageName,Amount,CurrencyIsoCode,CloseDate,Probability,CreatedDate
1,O1,discovery,500,EUR,2026-04-01,10,2026-01-05T10:00:00Z
2,O1,offer,900,EUR,2026-05-01,40,2026-03-01T09:00:00.000+0000
3,O1,won,900,EUR,2026-05-20,100,2026-05-20T10:00:00Z
"""
    found = read(tmp_path, OpportunityHistory=history)
    assert found.rows(STATES) == [
        ("O1", "2026-01-05 10:00:00", "discovery", 500, "2026-04-01", 0.1),
        ("O1", "2026-03-01 09:00:00", "offer", 900, "2026-05-01", 0.4),
        ("O1", "2026-05-20 10:00:00", "won", 900, "2026-05-20", 1.0),
    ]
    assert found.delivery.as_now == {}


def test_field_history_is_played_back_from_what_each_change_says(tmp_path: Path) -> None:
    """O2's amount was cleared on April 1; its close date never changed; O1's stage before its first change is the old value."""
    changes = """Id,OpportunityId,Field,OldValue,NewValue,CreatedDate
1,O1,StageName,discovery,offer,2026-03-01T09:00:00Z
2,O1,StageName,offer,won,2026-05-20T10:00:00Z
3,O1,Amount,500,900,2026-03-01T09:00:00Z
4,O1,Probability,40,100,2026-05-20T10:00:00Z
5,O2,Amount,700,,2026-04-01T10:00:00Z
6,O2,NextStep,call,mail,2026-03-03T10:00:00Z
"""
    assert read(tmp_path, OpportunityFieldHistory=changes).rows(STATES) == [
        ("O1", "2026-01-05 10:00:00", "discovery", 500, "2026-05-20", 0.4),
        ("O1", "2026-03-01 09:00:00", "offer", 900, "2026-05-20", 0.4),
        ("O1", "2026-05-20 10:00:00", "won", 900, "2026-05-20", 1.0),
        ("O2", "2026-02-05 10:00:00", "offer", 700, "2026-09-01", 0.4),
        ("O2", "2026-04-01 10:00:00", "offer", None, "2026-09-01", 0.4),
    ]


def test_of_todays_table_alone_a_deal_is_as_now_and_the_report_says_so(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.rows(STATES) == [
        ("O1", "2026-01-05 10:00:00", "discovery", 900, "2026-05-20", None),
        ("O1", "2026-05-20 00:00:00", "won", 900, "2026-05-20", 1.0),
        ("O2", "2026-02-05 10:00:00", "offer", None, "2026-09-01", 0.4),
    ]
    loads = '\n[sources.loads]\ntables = ["loads"]\n'
    folder = written(tmp_path / "told", CRM + loads, Account="Id,Name\nA1,Alpha\n", Opportunity=TODAY)
    (folder / "loads.csv").write_text("table,source,extracted_at\nopportunities,crm,2026-08-15\n")
    company = open_company(folder)
    told = readings.read(company, company.quarter("2026Q2"), families=["revenue"])
    row = told[(told.metric == "closed_won_revenue") & (told.quarter == "2026Q2") & (told.slice_by == "")].iloc[0]
    assert row.value == 900
    assert "as now, not as then" in row.caveats


def test_the_history_mode_of_fivetran_is_a_state_for_each_version(tmp_path: Path) -> None:
    versions = """id,_fivetran_start,stage_name,amount,close_date,probability,is_deleted
O1,2026-01-05 10:00:00,discovery,500,2026-04-01 00:00:00,10,false
O1,2026-03-01 09:00:00,offer,900,2026-05-01 00:00:00,40,true
"""
    settings = '\n[sources.crm]\nmap = "salesforce-fivetran"\n'
    found = deliver(written(tmp_path, settings, opportunity_versions=versions))
    assert found.rows(STATES) == [
        ("O1", "2026-01-05 10:00:00", "discovery", 500, "2026-04-01", 0.1),
        ("O1", "2026-03-01 09:00:00", "offer", 900, "2026-05-01", 0.4),
    ]
    assert found.rows("select is_deleted from canonical.opportunity_changes order by changed_at") == [(False,), (True,)]


ACCOUNT = "id,name,_fivetran_start,_fivetran_active,_fivetran_synced\n"


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ("1,Now,2026-03-01,true,2026-01-01\n1,Old,2026-01-01,false,2026-09-01\n", "Now"),
        ("1,Now,2026-03-01,TRUE,2026-09-01\n1,Old,2026-01-01,false,2026-09-01\n", "Now"),
        ("1,Old,2026-01-01,false,2026-08-01\n1,Last,2026-03-01,false,2026-09-01\n1,Blank,2026-02-01,false,\n", "Last"),
        ("1,Last,2026-03-01,true,2026-09-01T10:00:00\n1,Old,2026-01-01,true,2026-09-01 11:00:00 -03\n", "Old"),
        ("1,Old,2026-03-01,true,2026-09-01T09:00:00\n1,Last,2026-01-01,true,2026-09-01 11:00:00\n", "Last"),
    ],
)
def test_of_a_record_in_history_mode_the_active_row_counts_then_the_one_read_last(
    tmp_path: Path, rows: str, name: str
) -> None:
    found = deliver(written(tmp_path, '\n[sources.crm]\nmap = "salesforce-fivetran"\n', account=ACCOUNT + rows))
    assert found.rows("select name from canonical.accounts") == [(name,)]
    assert found.delivery.reports["accounts"].excluded == {"older states": rows.count("\n") - 1}


def test_without_the_time_of_reading_two_active_rows_that_differ_are_no_older_states(tmp_path: Path) -> None:
    rows = "id,name,_fivetran_active\n1,Now,true\n1,Old,false\n2,This,true\n2,That,true\n"
    found = deliver(written(tmp_path, '\n[sources.crm]\nmap = "salesforce-fivetran"\n', account=rows))
    assert found.rows("select name from canonical.accounts") == [("Now",)]
    assert found.delivery.reports["accounts"].excluded == {"older states": 1}
    assert [fault.rule for fault in found.faults if fault.level == "Q"] == ["F074"]
