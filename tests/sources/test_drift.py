"""What is told of inputs that changed since the last edition, or before there is one since they were last frozen."""

from __future__ import annotations

from pathlib import Path

import pytest
from delivering import written

from abm_lib import store
from abm_lib.company import Company, open_company
from abm_lib.errors import InputRefused

LOADS = "table,source,extracted_at\naccounts,crm,2027-01-01\n"


def accounts(
    count: int, line: str = "A{i},Name {i},{kind},DE", header: str = "account_id,name,industry,country"
) -> str:
    return (
        header
        + "\n"
        + "".join(line.format(i=i, kind="machinery" if i % 2 else "chemicals") + "\n" for i in range(count))
    )


def opened(folder: Path, text: str, settings: str = "") -> Company:
    return open_company(written(folder, f"{settings}\n[sources.crm]\n", accounts=text, loads=LOADS))


def published(folder: Path, text: str) -> None:
    store.keep_last_edition(folder, "2026Q3", opened(folder, text).notes)


def told(folder: Path, *deliveries: str) -> list[tuple[str, str, str]]:
    """What the last of several deliveries is told of, in one folder."""
    for text in deliveries:
        company = opened(folder, text)
    return [(f["rule"], f["where"], f["found"]) for f in company.notes["faults"] if f["name"] == "changed-since"]


def test_the_first_delivery_and_an_equal_one_are_told_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, accounts(100)) == []
    assert told(tmp_path, accounts(100), accounts(101)) == []


@pytest.mark.parametrize(("count", "found"), [(50, "50 rows, 100 before"), (200, "200 rows, 100 before")])
def test_a_table_that_lost_half_or_doubled_is_told(tmp_path: Path, count: int, found: str) -> None:
    assert told(tmp_path, accounts(100), accounts(count)) == [("F092", "table accounts", found)]


def test_a_column_that_went_came_or_emptied_is_told(tmp_path: Path) -> None:
    other = accounts(100, "A{i},Name {i},{kind},EMEA", "account_id,name,industry,region")
    assert told(tmp_path, accounts(100), other) == [
        ("F099", 'table accounts  column "country"', "blank throughout, or gone; it held values before"),
        ("F096", 'table accounts  column "region"', "it holds values now; it held none before"),
    ]
    half = accounts(100).replace("chemicals", "")
    assert told(tmp_path / "b", accounts(100), half) == [
        ("F099", 'table accounts  column "industry"', "50% blank, 0% before")
    ]


def test_a_new_value_of_a_list_is_told_and_names_of_accounts_are_no_list(tmp_path: Path) -> None:
    found = told(tmp_path, accounts(100), accounts(100).replace("A7,Name 7,machinery", "A7,New name,Machinery (old)"))
    assert found == [("F097", 'table accounts  column "industry"', "new: Machinery (old)")]


def test_what_names_a_person_is_never_told(tmp_path: Path) -> None:
    people = "person_id,email\n" + "".join(f"p{i},x@example.com\n" for i in range(40))
    for text in (people, people.replace("x@", "secret@")):
        company = open_company(written(tmp_path, "\n[sources.crm]\n", accounts=accounts(40), people=text, loads=LOADS))
    assert "secret" not in str(company.notes)


def test_a_table_that_is_no_longer_delivered_is_told(tmp_path: Path) -> None:
    told(tmp_path, accounts(100))
    folder = written(tmp_path, "\n[sources.crm]\n", owners="owner_id,label\nr1,One\n")
    (folder / "accounts.csv").unlink()
    company = open_company(folder)
    assert ("F104", "table accounts") in {(f["rule"], f["where"]) for f in company.notes["faults"]}


# Against the last edition


def test_inputs_are_held_against_the_last_edition_however_often_they_were_looked_at_since(tmp_path: Path) -> None:
    published(tmp_path, accounts(100))
    found = [("F092", "table accounts", "50 rows, 100 before")]
    assert told(tmp_path, accounts(50), accounts(51), accounts(50)) == found
    (fault,) = [f for f in opened(tmp_path, accounts(50)).notes["faults"] if f["name"] == "changed-since"]
    assert fault["expected"] == "as in the edition of 2026Q3"


def test_a_column_that_lost_every_value_since_the_last_edition_is_refused_until_it_is_allowed(tmp_path: Path) -> None:
    published(tmp_path, accounts(100))
    blank = accounts(100, "A{i},Name {i},{kind},")
    with pytest.raises(InputRefused) as caught:
        opened(tmp_path, blank)
    (fault,) = [fault for fault in caught.value.faults if fault.level == "E"]
    assert (fault.rule, fault.where) == ("F099", 'table accounts  column "country"')
    assert "thresholds.changed_columns" in fault.fix
    allowed = opened(tmp_path, blank, 'changed_columns = ["accounts.country"]')
    assert ("D", "F099") in {(f["level"], f["rule"]) for f in allowed.notes["faults"]}


def test_of_few_rows_a_column_without_a_value_is_told_and_not_refused(tmp_path: Path) -> None:
    published(tmp_path, accounts(20))
    assert told(tmp_path, accounts(20, "A{i},Name {i},{kind},")) == [
        ("F099", 'table accounts  column "country"', "blank throughout, or gone; it held values before")
    ]


def test_a_column_that_may_change_has_the_name_of_one(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as caught:
        opened(tmp_path, accounts(20), 'changed_columns = ["accounts.county"]')
    assert caught.value.faults[0].expected == "did you mean 'accounts.country'?"


def test_a_header_that_went_or_came_is_told_with_the_name_that_it_may_have_now(tmp_path: Path) -> None:
    heads = "account_id,name,industry,country,{}"
    before, now = (
        accounts(40, "A{i},Name {i},{kind},DE,x", heads.format(name)) for name in ("Zone code", "Zone codes")
    )
    assert told(tmp_path, before, now) == [
        ("F096", "file crm.accounts  column 'Zone code'", "no longer there; perhaps it is 'zone codes' now"),
        ("F096", "file crm.accounts  column 'Zone codes'", "new"),
    ]
