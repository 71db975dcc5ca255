"""A company folder, opened: which days its data cover, and which quarter is meant."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from small_company import CHANGES, DEALS, FILES, write

from abm_lib import company as companies
from abm_lib.company import Company, find, open_company
from abm_lib.errors import InputRefused, UsageError

LOADS = "table,source,extracted_at,covers_from,covers_to\n"


def with_loads(folder: Path, *lines: str) -> Company:
    return open_company(write(folder, FILES | {"loads": LOADS + "".join(f"{line}\n" for line in lines)}))


# Finding it


def test_a_folder_is_found_against_the_working_directory_then_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "firm").mkdir(parents=True)
    (tmp_path / "project" / "firm").mkdir(parents=True)
    (tmp_path / "project" / "other").mkdir()
    monkeypatch.setattr(companies, "PROJECT", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "here")
    assert find("firm") == tmp_path / "here" / "firm"
    assert find("other") == tmp_path / "project" / "other"
    with pytest.raises(UsageError, match="abm init"):
        find("nowhere")


# The days that the data cover


def test_a_table_covers_from_its_first_row_to_its_last(tmp_path: Path) -> None:
    company = open_company(write(tmp_path))
    assert company.spans == {
        "opportunities": (date(2026, 1, 10), date(2026, 4, 2)),
        "opportunity_changes": (date(2026, 1, 10), date(2026, 4, 15)),
        "people": (date(2026, 1, 5), date(2026, 2, 3)),
    }
    assert company.known_until == date(2026, 4, 15)


def test_what_loads_says_goes_before_what_the_rows_show(tmp_path: Path) -> None:
    company = with_loads(
        tmp_path,
        "opportunities,crm,2026-10-02 06:00:00,2026-03-01,2026-09-30",
        "opportunities,crm,2026-10-01 06:00:00,2026-04-01,2026-09-15",
        "people,crm,2026-10-01 06:00:00,,",
        "ad_days,ads,2026-10-01 06:00:00,2026-01-01,2026-09-30",
    )
    assert company.spans["opportunities"] == (date(2026, 3, 1), date(2026, 9, 30))
    assert company.spans["people"] == (date(2026, 1, 5), date(2026, 2, 3))
    assert "ad_days" not in company.spans
    assert company.known_until == date(2026, 10, 2)


def test_rates_remarks_and_what_stands_do_not_say_until_when_the_data_are_known(tmp_path: Path) -> None:
    later = {
        "fx": "currency,day,rate\nUSD,2030-01-01,0.9\n",
        "events_log": "day,text\n2030-01-01,Fair\n",
        "subscriptions": "event_id,account_id,effective_on,kind,arr_change,currency\nS1,A1,2026-01-01,new,5,EUR\n"
        "S2,A1,2062-01-01,churn,-5,EUR\n",
    }
    company = open_company(write(tmp_path, FILES | later))
    assert company.known_until == date(2026, 4, 15)
    assert company.quarter().label == "2026Q1"
    assert company.spans["subscriptions"] == (date(2026, 1, 1), date(2026, 4, 15))


# The quarter


def test_without_a_label_the_last_quarter_that_is_over_is_meant(tmp_path: Path) -> None:
    assert with_loads(tmp_path / "a", "people,crm,2026-10-01 06:00:00,,").quarter().label == "2026Q3"
    assert with_loads(tmp_path / "b", "people,crm,2026-09-30 23:00:00,,").quarter().label == "2026Q2"


def test_a_label_within_the_data_is_that_quarter(tmp_path: Path) -> None:
    company = with_loads(tmp_path, "people,crm,2026-10-01 06:00:00,,")
    assert [company.quarter(label).label for label in ("2026Q1", "2026Q4")] == ["2026Q1", "2026Q4"]


@pytest.mark.parametrize("label", ["2025Q4", "2027Q1"])
def test_a_quarter_outside_the_data_is_refused_with_the_range(tmp_path: Path, label: str) -> None:
    company = with_loads(tmp_path, "people,crm,2026-10-01 06:00:00,,")
    with pytest.raises(UsageError) as caught:
        company.quarter(label)
    (fault,) = caught.value.faults
    assert (fault.rule, fault.where, fault.expected) == ("F045", f"--quarter {label}", "2026Q1 to 2026Q4")
    assert fault.found.startswith(label[:4] if label.endswith("Q1") else "2025-10-01 to 2025-12-31")


@pytest.mark.parametrize("label", ["2026Q5", "2026", "Q1-26", "2026q1", "26Q1", "2026Q3 ", "٢٠٢٦Q1"])
def test_a_label_of_another_form_is_refused_with_the_form(tmp_path: Path, label: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_company(write(tmp_path)).quarter(label)
    assert "YYYYQn" in caught.value.faults[0].expected


def test_data_of_one_running_quarter_hold_no_complete_one(tmp_path: Path) -> None:
    files = FILES | {
        "opportunities": DEALS.replace("2026-01-10", "2026-04-10"),
        "opportunity_changes": CHANGES.replace("2026-01-10", "2026-04-10"),
        "people": "person_id,account_id,email,created_at\nP1,A1,a@b.example,2026-04-05\n",
    }
    company = open_company(write(tmp_path, files))
    with pytest.raises(UsageError) as caught:
        company.quarter()
    (fault,) = caught.value.faults
    assert (fault.rule, fault.expected) == ("F045", "2026Q2")
    assert fault.fix.endswith("--quarter 2026Q2")
    assert company.quarter("2026Q2").label == "2026Q2"


def test_data_without_a_date_are_refused(tmp_path: Path) -> None:
    company = open_company(write(tmp_path, {"accounts": FILES["accounts"]}))
    with pytest.raises(InputRefused, match="no table with dated rows"):
        company.quarter()


def test_readings_know_every_metric_whoever_asks_first(tmp_path: Path) -> None:
    """A program that imports the readings and nothing else gets rows, not a fault of pandas about nothing to concatenate."""
    code = (
        "import sys; from pathlib import Path; from abm_lib import readings; from abm_lib.company import open_company\n"
        "opened = open_company(sys.argv[1]); found = readings.read(opened, opened.quarter(), families=['pipeline'])\n"
        "print(found['metric'].nunique())"
    )
    folder = write(tmp_path, FILES)
    told = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 20
