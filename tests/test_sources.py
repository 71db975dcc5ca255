"""Files into canonical tables: what is accepted, what is set aside and counted, and how each fault is told."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_company import ACCOUNTS, CHANGES, DEALS, FILES, SETTINGS, frozen, write

from abm_lib import company as companies
from abm_lib import config, sources, store
from abm_lib.errors import Fault, InputRefused, UsageError
from abm_lib.sources import mapping
from abm_lib.tables import Accepted

MAPPED = SETTINGS + 'folder = "files"\nmap = "crm"\n'
LOOSE = "\n[thresholds]\nset_aside_share = 1.0\nunmatched_share = 1.0\n"


def deliver(folder: Path) -> sources.Delivery:
    """What `read` makes of a company folder, with all faults, refused or not; the rows set aside in its `aside`."""
    company, con = config.load(folder), store.connect()
    delivery = sources.read(con, company, folder, mapping.load_maps(folder, company))
    sources.keep_set_aside(con, folder / "aside", delivery)
    for report in delivery.reports.values():
        assert report.read == report.accepted + report.repeated + report.set_aside or delivery.is_refused, report
    return delivery


def faults(folder: Path, **files: str | bytes) -> list[Fault]:
    return deliver(write(folder, files, LOOSE)).faults


def only_fault(folder: Path, **files: str | bytes) -> Fault:
    (fault,) = faults(folder, **files)
    return fault


def accounts(*lines: str) -> str:
    return "account_id,name\n" + "".join(f"{line}\n" for line in lines)


# What is accepted


def test_a_sound_delivery_has_no_fault_and_every_row(tmp_path: Path) -> None:
    delivery = deliver(write(tmp_path))
    assert delivery.faults == []
    assert {name: report.accepted for name, report in delivery.reports.items()} == {
        "accounts": 3, "people": 2, "opportunities": 2, "opportunity_changes": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        ACCOUNTS.encode(),
        b"\xef\xbb\xbf" + ACCOUNTS.encode(),
        ACCOUNTS.replace("\n", "\r\n").encode(),
        ACCOUNTS.replace("\n", "\r").encode(),
        ACCOUNTS.rstrip("\n").encode(),
        ACCOUNTS.encode("utf-16"),
        ACCOUNTS.replace("account_id,name,segment", '"account_id","name","segment"').encode(),
    ],
    ids=["plain", "byte order mark", "CRLF", "CR", "no last line end", "UTF-16 with its mark", "header in quotes"],
)
def test_the_same_table_in_other_bytes_is_the_same_table(tmp_path: Path, text: bytes) -> None:
    company = companies.open_company(write(tmp_path, {**FILES, "accounts": text}))
    found = frozen(company, "select account_id, name, segment from accounts order by 1")
    assert found == [("A1", "Alpha", "large"), ("A2", "Beta", "small"), ("A3", "Gamma", "small")]


def test_words_that_other_tools_take_for_blanks_or_numbers_stay_text(tmp_path: Path) -> None:
    names = [
        "NA",
        "Null",
        "None",
        "True",
        "007",
        "1E5",
        " spaced ",
        "-",
        "=1+1",
        "İstanbul ß 家具 \u202eRTL",
        'a "b" c, d',
    ]
    lines = [f'X{i},"{name.replace(chr(34), chr(34) * 2)}"' for i, name in enumerate(names)]
    company = companies.open_company(write(tmp_path, {**FILES, "accounts": accounts("A1,a", "A2,b", *lines)}))
    assert [name for (name,) in frozen(company, "select name from accounts where account_id like 'X%'")] == names


def test_ids_that_differ_in_case_or_leading_zeros_are_different_accounts(tmp_path: Path) -> None:
    delivery = deliver(write(tmp_path, {"accounts": accounts("001,a", "1,b", "ab,c", "aB,d")}))
    assert delivery.reports["accounts"].accepted == 4


def test_a_blank_cell_is_missing_and_sets_no_row_aside_where_nothing_is_required(tmp_path: Path) -> None:
    changes = "opportunity_id,changed_at,stage,amount,currency,close_on\nO1,2026-01-10,offer,,,\n"
    company = companies.open_company(write(tmp_path, {**FILES, "opportunity_changes": changes}))
    assert frozen(company, "select amount, close_on from opportunity_changes") == [(None, None)]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-29", "2026-03-29 00:00:00"),
        ("2026-03-29 02:30", "2026-03-29 02:30:00"),
        ("2026-03-29T02:30:00Z", "2026-03-29 02:30:00"),
        ("2026-03-29 02:30:00.250", "2026-03-29 02:30:00.25"),
        ("2026-03-29T02:30:00+02:00", "2026-03-29 00:30:00"),
        ("2026-03-29 02:30:00-0500", "2026-03-29 07:30:00"),
    ],
)
def test_a_time_is_utc_or_turned_into_it_by_its_offset(tmp_path: Path, written: str, instant: str) -> None:
    deals = f"opportunity_id,business_type,created_at\nO1,new,{written}\n"
    company = companies.open_company(write(tmp_path, {"opportunities": deals}))
    assert frozen(company, "select created_at::varchar from opportunities") == [(instant,)]


def test_parquet_is_read_as_the_csv_would_be(tmp_path: Path) -> None:
    con = store.connect()
    folder = write(tmp_path, {name: text for name, text in FILES.items() if name != "opportunity_changes"})
    (tmp_path / "x.tmp").write_text(CHANGES)
    con.execute(f"copy (from read_csv('{tmp_path / 'x.tmp'}')) to '{tmp_path / 'opportunity_changes.parquet'}'")
    plain = companies.open_company(write(tmp_path / "plain"))
    query = "select * from opportunity_changes order by all"
    assert frozen(companies.open_company(folder), query) == frozen(plain, query)


def test_identical_rows_are_kept_once_and_counted(tmp_path: Path) -> None:
    delivery = deliver(write(tmp_path, {"accounts": accounts("A1,Alpha", "A1,Alpha", "A2,Beta", "A1,Alpha")}))
    report = delivery.reports["accounts"]
    assert (report.read, report.accepted, report.repeated, report.set_aside) == (4, 2, 2, 0)
    assert delivery.faults == []


# Wrong values


@pytest.mark.parametrize(
    ("column", "value", "rule", "expected"),
    [
        ("created_at", "2026-02-30", "F031", "a timestamp such as"),
        ("created_at", "30/04/2026", "F031", "a timestamp such as"),
        ("created_at", "45383", "F031", "a timestamp such as"),
        ("created_at", "1767225600000", "F031", "a timestamp such as"),
        ("created_at", "0000-00-00", "F031", "from 1900 to 2199"),
        ("created_at", "9999-12-31", "F031", "from 1900 to 2199"),
        ("business_type", "New", "F031", "one of new, expansion, renewal"),
        ("business_type", "", "F087", "one of new, expansion, renewal"),
        ("is_promotion", "perhaps", "F031", "true or false"),
        ("term_months", "NaN", "F031", "a number"),
        ("term_months", "inf", "F031", "a number"),
        ("term_months", "12 months", "F031", "a number"),
        ("annual_value", "1.234,56", "F031", "an amount such as 1250.50"),
        ("annual_value", "€1200", "F031", "an amount such as 1250.50"),
        ("annual_value", "(1,234)", "F031", "an amount such as 1250.50"),
        ("annual_value", "\u22125", "F031", "an amount such as 1250.50"),
        ("annual_value", "1e15", "F031", "an amount such as 1250.50"),
        ("opportunity_id", "", "F087", "an id"),
    ],
)
def test_a_value_of_another_type_sets_its_row_aside_and_is_shown_with_its_place(
    tmp_path: Path, column: str, value: str, rule: str, expected: str
) -> None:
    row = {"opportunity_id": "O2", "business_type": "new", column: value}
    cells = ",".join(f'"{cell}"' for cell in row.values())
    fault = only_fault(tmp_path, opportunities=f"{','.join(row)}\n{cells}\n")
    assert (fault.rule, fault.level) == (rule, "Q")
    assert fault.where == f'opportunities.csv:2  column "{column}"'
    assert fault.found == (value or "blank")
    assert expected in fault.expected and fault.fix


@pytest.mark.parametrize(
    ("value", "typed"),
    [("TRUE ", True), ("Yes", True), ("0", False), ("no", False)],
)
def test_the_usual_ways_to_write_yes_and_no_are_understood(tmp_path: Path, value: str, typed: bool) -> None:
    deals = f"opportunity_id,business_type,is_promotion\nO1,new,{value}\n"
    company = companies.open_company(write(tmp_path, {"opportunities": deals, "people": FILES["people"]}))
    assert frozen(company, "select is_promotion from opportunities") == [(typed,)]


@pytest.mark.parametrize("rate", ["0", "-1.1", "inf", "1,1"])
def test_an_exchange_rate_is_above_zero(tmp_path: Path, rate: str) -> None:
    fault = only_fault(tmp_path, fx=f'currency,day,rate\nUSD,2026-01-01,"{rate}"\n')
    assert (fault.rule, fault.expected) == ("F031", "a rate above zero")


def test_faults_of_one_column_are_one_message_with_the_first_place_and_the_count(tmp_path: Path) -> None:
    deals = "opportunity_id,business_type\nO1,new\nO2,nw\nO3,new\nO4,newer\nO5,old\n"
    fault = only_fault(tmp_path, opportunities=deals)
    assert fault.where == 'opportunities.csv:3  column "business_type"'
    assert fault.found == "nw (and 2 more)"


def test_ids_that_a_spreadsheet_rewrote_are_refused_whatever_the_threshold(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, accounts=accounts("4.68769E+17,Alpha", "1E+15,Beta", "7e12,Gamma"))
    assert (fault.rule, fault.name, fault.level) == ("F056", "ids-damaged", "E")
    assert fault.where == 'accounts.csv:2  column "account_id"'
    assert fault.found == "4.68769E+17 (and 1 more)"
    assert "spreadsheet" in fault.why and "spreadsheet" in fault.fix


# Keys and references


def test_rows_of_one_key_that_differ_are_all_set_aside(tmp_path: Path) -> None:
    delivery = deliver(write(tmp_path, {"accounts": accounts("A1,Alpha", "A2,Beta", "A1,Alfa", "A1,Alpha")}, LOOSE))
    report = delivery.reports["accounts"]
    assert (report.read, report.accepted, report.repeated, report.set_aside) == (4, 1, 1, 2)
    (fault,) = delivery.faults
    assert (fault.rule, fault.level, fault.where) == ("F074", "Q", 'accounts.csv:2  column "account_id"')
    assert "A1" in fault.found and "account_id" in fault.fix


def test_a_key_with_an_optional_blank_part_is_still_a_key(tmp_path: Path) -> None:
    budgets = "period,channel,campaign_id,programme,amount,currency\n2026Q1,ads,,,5,EUR\n2026Q1,ads,,,6,EUR\n"
    assert only_fault(tmp_path, budgets=budgets).rule == "F074"


def test_a_reference_that_leads_nowhere_is_counted_and_above_the_threshold_refused(tmp_path: Path) -> None:
    deals = DEALS.replace("A2", "A9")
    delivery = deliver(write(tmp_path / "loose", {**FILES, "opportunities": deals}, LOOSE))
    (fault,) = delivery.faults
    assert (fault.rule, fault.level) == ("F081", "D")
    assert fault.where == 'table opportunities  column "account_id"'
    assert fault.found == "1 of 2 lead to no row of accounts, such as A9"
    assert delivery.reports["opportunities"].accepted == 2
    strict = deliver(write(tmp_path / "strict", {**FILES, "opportunities": deals}))
    assert [(f.rule, f.level) for f in strict.faults] == [("F081", "E")]


def test_a_reference_to_a_table_that_was_not_delivered_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, opportunities=DEALS, opportunity_changes=CHANGES) == []


def test_intervals_that_hold_on_the_same_day_are_refused(tmp_path: Path) -> None:
    head = "account_id,is_target,tier,valid_from,valid_to\n"
    sound = head + "A1,true,1,2026-01-01,2026-03-01\nA1,true,2,2026-03-01,\nA2,true,1,2026-01-01,\n"
    assert faults(tmp_path / "sound", account_lists=sound) == []
    for name, row in {"inside": "A1,true,1,2026-02-01,2026-02-15\n", "open end": "A2,true,3,2026-05-01,\n"}.items():
        fault = only_fault(tmp_path / name, account_lists=sound + row)
        assert (fault.rule, fault.level) == ("F085", "E")
        assert fault.found == f"1, such as {row[:2]}"


def test_a_stage_that_abm_toml_does_not_place_is_told_and_refused_where_it_holds_the_money(tmp_path: Path) -> None:
    told, refused = faults(tmp_path / "a", opportunity_changes=CHANGES.replace("qualified", "qualfied"))
    assert (told.rule, told.level, told.found) == ("F097", "D", "qualfied (2 rows)")
    assert told.expected == "did you mean 'qualified'?"
    assert (refused.rule, refused.level, refused.found) == ("F097", "E", "29.4% of the money in stages not placed")
    allowed = LOOSE.rstrip("\n") + "\nunplaced_money_share = 1.0\n"
    files = {"opportunity_changes": CHANGES.replace("qualified", "qualfied")}
    assert [fault.level for fault in deliver(write(tmp_path / "b", files, allowed)).faults] == ["D"]


# Whole files


PAGE = b"\n <!doctype html><title>Log in</title>"
UTF16 = ACCOUNTS.encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "rule", "words"),
    [
        (b"", "F017", "an empty file"),
        (PAGE, "F018", "a web page"),
        (b'{"error": "token expired"}', "F018", "JSON"),
        (b"PK\x03\x04\x14\x00", "F019", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "F019", "Excel"),
        (b"\x1f\x8b\x08\x00abc", "F022", "compressed"),
        (UTF16, "F003", "every second one is empty"),
        (b"account_id,name\nA1,Al\x00pha\n", "F007", "an empty byte at 21"),
        ("account_id,straße\nA1,x\n".encode("cp1252"), "F004", "perhaps Windows-1252"),
        (b"account_id;name\nA1;Alpha\n", "F008", "columns apart by ';'"),
        (b"account_id\tname\nA1\tAlpha\n", "F008", "columns apart by '\\t'"),
        (b"account_id,name\nA1,Alpha\r\nA2,Beta\n", "F008", "2 ending in LF, 1 ending in CRLF"),
        (b"account_id,name,name\nA1,Alpha,x\n", "F012", "name at 2, name at 3"),
        (b"account_id,name,Name\nA1,Alpha,x\n", "F012", "name at 2, Name at 3"),
        (b"account_id,name,\nA1,Alpha,x\n", "F014", "no name for column 3"),
        (b"A1,Alpha\nA2,Beta\n", "F014", "no known column in the first line"),
        (b"_row,account_id,name\n1,A1,Alpha\n", "F012", "_row"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes, rule: str, words: str) -> None:
    fault = only_fault(tmp_path, accounts=content)
    assert (fault.rule, fault.level) == (rule, "E")
    assert fault.where.startswith("accounts.csv")
    assert words in fault.found and fault.fix and "\n" not in fault.found


def test_a_workbook_named_parquet_is_refused_and_not_quoted(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, **{"accounts.parquet": b"PK\x03\x04 secret"})
    assert (fault.rule, fault.level, fault.where) == ("F007", "E", "accounts.parquet")
    assert "secret" not in str(fault)


def test_a_header_without_rows_is_told_and_refused_where_abm_toml_asks_for_the_table(tmp_path: Path) -> None:
    (told,) = faults(tmp_path / "told", accounts="account_id,name\n")
    assert (told.rule, told.level) == ("F017", "D")
    settings = 'tables = ["accounts"]\n' + LOOSE
    (refused,) = deliver(write(tmp_path / "refused", {"accounts": "account_id,name\n"}, settings)).faults
    assert (refused.rule, refused.level) == ("F017", "E")


def test_a_missing_table_that_abm_toml_asks_for_is_refused_with_the_nearest_file(tmp_path: Path) -> None:
    files = {"acounts": ACCOUNTS, "people": FILES["people"]}
    found = deliver(write(tmp_path, files, 'tables = ["accounts"]\n' + LOOSE)).faults
    assert [(f.rule, f.level, f.where) for f in found] == [
        ("F105", "E", "./accounts.csv"), ("F105", "D", "./acounts.csv"),
    ]  # fmt: skip
    assert "did you mean 'acounts'?" in found[0].found
    assert found[1].expected == "did you mean 'accounts'?"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    (fault,) = deliver(write(tmp_path, {}, 'folder = "exports"\n')).faults
    assert (fault.rule, fault.level, fault.where) == ("F105", "E", "exports")


def test_one_table_in_two_forms_is_refused(tmp_path: Path) -> None:
    store.connect().execute(f"copy (select 'A1' as account_id, 'x' as name) to '{tmp_path / 'accounts.parquet'}'")
    fault = only_fault(tmp_path, accounts=ACCOUNTS)
    assert (fault.rule, fault.level) == ("F025", "E")


def test_one_table_from_two_sources_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "more", {"accounts": ACCOUNTS})
    (fault,) = deliver(write(tmp_path, None, '[sources.other]\nfolder = "more"\n')).faults
    assert (fault.rule, fault.level, fault.where) == ("C11", "E", "more/accounts.csv")


@pytest.mark.parametrize(("header", "level"), [("Account_ID", "E"), ("account id ", "E"), ("acount_id", "E")])
def test_a_required_column_under_another_name_is_refused_with_the_nearest(
    tmp_path: Path, header: str, level: str
) -> None:
    found = faults(tmp_path, accounts=f"{header},name\nA1,Alpha\n")
    assert {fault.level for fault in found} == {"E", "D"} if header == "acount_id" else {"E"}
    missing = found[0]
    assert (missing.rule, missing.where) == ("F096", 'accounts.csv  column "account_id"')
    assert [fault.rule for fault in found[1:]] == ["F013"]


def test_an_optional_column_under_another_case_is_refused_and_not_read_as_blank(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, accounts="account_id,name,\u00a0Segment\nA1,Alpha,large\n")
    assert (fault.rule, fault.level, fault.where) == ("F013", "E", "accounts.csv:1")
    assert fault.expected == "did you mean 'segment'?"


def test_a_column_that_nobody_knows_is_listed_and_harms_nothing(tmp_path: Path) -> None:
    delivery = deliver(write(tmp_path, {"accounts": "account_id,name,shoe size\nA1,Alpha,44\n"}))
    assert delivery.faults == []
    assert delivery.reports["accounts"].added_columns == ["shoe size"]
    assert "segment" in delivery.reports["accounts"].missing_columns


# Lines


def test_short_and_long_lines_are_set_aside_with_the_line_they_stand_on(tmp_path: Path) -> None:
    text = 'account_id,name\nA1,"Al\npha\n\nGmbH"\nA2\n\nA3,Gamma\nA4,Delta,x\nA5,Epsilon\nA6\n'
    delivery = deliver(write(tmp_path, {"accounts": text}, LOOSE))
    report = delivery.reports["accounts"]
    assert (report.read, report.accepted, report.set_aside) == (6, 3, 3)
    assert [(f.rule, f.level, f.where, f.found) for f in delivery.faults] == [
        ("F011", "Q", "accounts.csv:6", "too few values (and 1 more lines)"),
        ("F011", "Q", "accounts.csv:9", "too many values"),
    ]  # fmt: skip


def test_the_line_of_a_row_is_right_after_line_breaks_blank_lines_and_broken_lines(tmp_path: Path) -> None:
    text = (
        b"\xef\xbb\xbfopportunity_id,business_type,product\r\n"  # 1
        b'O1,new,"two\r\nlines"\r\n'  # 2, 3
        b"\r\n"  # 4
        b"O2\r\n"  # 5, broken
        b'O3,new,"a ""quoted"" word"\r\n'  # 6
        b"O4,new,Jos\xe9\r\n"  # 7, no UTF-8
        b"O5,wrong,x\r\n"  # 8
    )
    found = faults(tmp_path, opportunities=text)
    assert [(f.rule, f.where) for f in found] == [
        ("F011", "opportunities.csv:5"), ("F011", "opportunities.csv:7"),
        ("F031", 'opportunities.csv:8  column "business_type"'),
    ]  # fmt: skip
    assert "Windows-1252" in found[1].found


def test_a_quote_that_stays_open_is_refused_at_the_line_where_it_opens(tmp_path: Path) -> None:
    text = 'account_id,name\nA1,Alpha\nA2,"Beta\n' + "".join(f"B{i},x\n" for i in range(500))
    fault = only_fault(tmp_path, accounts=text)
    assert (fault.rule, fault.level, fault.where) == ("F010", "E", "accounts.csv:3")
    assert "500 more lines" in fault.found


@settings(max_examples=40)
@given(
    st.lists(
        st.sampled_from(["G{i},plain", 'G{i},"two\nlines"', 'G{i},"a ""b"" c"', "", "S{i}", "L{i},a,b", "G{i},", ",no key"]),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_every_line_is_accounted_for_and_found_again(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    lines = [kind.format(i=i) for i, kind in enumerate(kinds)]
    delivery = deliver(write(folder, {"owners": "\n".join(["owner_id,label", *lines]) + "\n"}, LOOSE))
    report = delivery.reports["owners"]
    assert report.read == sum(bool(line) for line in lines)
    assert report.accepted == sum(line.startswith("G") and not line.endswith(",") for line in lines)
    physical = {}
    at = 2
    for line in lines:
        physical[at] = line
        at += 1 + line.count("\n")
    if report.set_aside:
        with (folder / "aside" / "owners.csv").open(newline="") as text:
            kept = list(csv.DictReader(text))
        assert len(kept) == report.set_aside
        for row in kept:
            line = physical[int(row["_where"].split(":")[1])]
            assert (
                row["_line"].rstrip("\n") == line if row["_rules"] == "F011" else line.split(",")[0] == row["owner_id"]
            )


# What is set aside


def test_rows_set_aside_are_kept_with_their_place_and_rules_and_go_when_mended(tmp_path: Path) -> None:
    deals = "opportunity_id,business_type,term_months\nO1,new,12\nO2,nw,x\nO3\n"
    folder = write(tmp_path, {"opportunities": deals, "people": FILES["people"]}, LOOSE)
    company = companies.open_company(folder)
    kept = (folder / ".abm" / "set_aside" / "opportunities.csv").read_text().splitlines()
    assert kept == [
        "_where,_rules,_line,opportunity_id,business_type,term_months",
        "opportunities.csv:4,F011,O3",
        "opportunities.csv:3,F031 business_type; F031 term_months,,O2,nw,x",
    ]
    assert company.notes["tables"]["opportunities"]["set_aside"] == 2
    companies.open_company(write(tmp_path, FILES, LOOSE))
    assert not list((folder / ".abm" / "set_aside").iterdir())


def test_above_the_threshold_the_table_is_refused_and_the_rows_can_be_looked_up(tmp_path: Path) -> None:
    folder = write(tmp_path, {"accounts": accounts(*(f"A{i},x" for i in range(98)), "B,", "C,")})
    with pytest.raises(InputRefused) as caught:
        companies.open_company(folder)
    assert [(f.rule, f.level) for f in caught.value.faults] == [("F087", "Q"), ("F092", "E")]
    refused = caught.value.faults[1]
    assert refused.found == "2 of 100 rows set aside" and refused.expected == "at most 1.0%"
    assert len((folder / ".abm" / "set_aside" / "accounts.csv").read_text().splitlines()) == 3
    assert not list((folder / ".abm").glob("store/*.json"))


def test_at_the_threshold_the_table_is_accepted(tmp_path: Path) -> None:
    rows = accounts(*(f"A{i},x" for i in range(99)), "B,")
    delivery = deliver(write(tmp_path, {"accounts": rows}))
    assert not delivery.is_refused
    assert delivery.reports["accounts"].set_aside == 1


def test_what_names_a_person_is_in_no_message(tmp_path: Path) -> None:
    secret = "s3cret-person"
    files = {
        "people": f"person_id,account_id,email,created_at,buying_role\n{secret},A1,{secret}@x.example,never,boss\n"
                  f"{secret}2,A9,a@x.example,2026-01-01,\n{secret}2,A9,b@x.example,2026-01-01,\n",
        "person_stages": f"person_id,stage,entered_at\n{secret}9,lead,2026-01-01\n4.2E+17,mql,2026-01-01\n",
        "person_accounts": f"person_id,account_id,valid_from,valid_to\n{secret},A1,2026-01-01,\n{secret},A2,2026-02-01,\n",
        "surveys": f"response_id,person_id,answered_at,kind,score,comment\nR1,{secret},then,nps,9,{secret}\n",
        "notes": f"note_id,noted_on,source,text\nN1,{secret},community,x\n",
        "accounts": ACCOUNTS,
    }  # fmt: skip
    found = [f for f in faults(tmp_path, **files) if not f.where.startswith("notes")]
    assert len(found) >= 7
    assert not [fault for fault in found if secret in str(fault) or "4.2E" in str(fault)]


# Maps


def mapped(folder: Path, text: str, files: dict[str, str] | None = None) -> Path:
    write(folder / "files", files or {"deals": "id,who,kind,size\nD1,A1,neu,10\nD2,A2,alt,20\n"})
    write(folder, {}, base=MAPPED + LOOSE)
    (folder / "crm.toml").write_text(text)
    return folder


def test_a_map_renames_adds_constants_and_translates_values(tmp_path: Path) -> None:
    text = """[tables.opportunities]
    file = "deals"
    columns = { opportunity_id = "id", account_id = "who", self_reported_source = "who", business_type = "kind" }
    constants = { product = "it's" }
    values.business_type = { neu = "new", alt = "renewal" }
    """
    company = companies.open_company(mapped(tmp_path, text))
    query = (
        "select opportunity_id, account_id, self_reported_source, business_type, product from opportunities order by 1"
    )
    assert frozen(company, query) == [("D1", "A1", "A1", "new", "it's"), ("D2", "A2", "A2", "renewal", "it's")]


def test_a_query_builds_rows_and_its_columns_may_be_renamed_and_translated(tmp_path: Path) -> None:
    text = """[tables.opportunities]
    files = ["deals"]
    sql = "select id, kind, row_number() over (order by id) as n from deals where size::int > 15"
    columns = { opportunity_id = "id", business_type = "kind" }
    constants = { product = "x" }
    values.business_type = { alt = "renewal" }
    """
    company = companies.open_company(mapped(tmp_path, text))
    query = "select opportunity_id, business_type, product from opportunities"
    assert frozen(company, query) == [("D2", "renewal", "x")]


def test_a_row_of_a_query_is_named_by_its_key(tmp_path: Path) -> None:
    text = """[tables.opportunities]
    files = ["deals"]
    sql = "select id as opportunity_id, kind as business_type from deals order by id"
    """
    delivery = deliver(mapped(tmp_path, text))
    assert delivery.faults[0].where == 'crm  the query of opportunities, opportunity_id D1  column "business_type"'
    assert delivery.reports["opportunities"].set_aside == 2


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ('[tables.oportunities]\nfile = "deals"\n', "C11", "did you mean 'opportunities'?"),
        ('[tables.accounts]\nfile = "deals"\ncolumns = { acount_id = "id" }\n', "C11", "did you mean 'account_id'?"),
        ('[tables.accounts]\nfile = "deals"\nconstants = { nam = "x" }\n', "C11", "did you mean 'name'?"),
        ('[tables.accounts]\nfile = "deals"\nvalues.nam = { a = "b" }\n', "C11", "did you mean 'name'?"),
        ('[tables.accounts]\nfile = "deals"\ncolumn = { name = "x" }\n', "C01", "did you mean 'columns'?"),
        ('[tables.accounts]\nfile = "deals"\nconstants = { employees = 5 }\n', "C01", "valid string"),
        ('[table.accounts]\nfile = "deals"\n', "C01", "did you mean 'tables'?"),
        ("[tables.accounts]\n", "C11", "`file`, or `files` and `sql`"),
        ('[tables.accounts]\nsql = "select 1"\n', "C11", "`file`, or `files` and `sql`"),
        ('[tables.accounts]\nfile = "deals"\nsql = "select 1"\nfiles = ["deals"]\n', "C11", "`file`, or"),
        (
            '[tables.accounts]\nfile = "deals"\ncolumns = { name = "a" }\nconstants = { name = "b" }\n',
            "C11",
            "a column, an expression or a",
        ),
        ("[tables.accounts\n", "C00", "TOML"),
    ],
)
def test_a_fault_of_a_map_is_a_usage_error_with_its_place(tmp_path: Path, text: str, rule: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        companies.open_company(mapped(tmp_path, text))
    (fault,) = [fault for fault in caught.value.faults if words in fault.expected]
    assert fault.rule == rule
    assert fault.where.startswith(str(tmp_path / "crm.toml"))


def test_faults_of_maps_and_of_wanted_tables_are_listed_at_once(tmp_path: Path) -> None:
    folder = mapped(tmp_path, '[tables.acounts]\nfile = "x"\n[tables.people]\nfile = "y"\ncolumns = { nme = "x" }\n')
    settings_ = '[sources.web]\nmap = "ga4"\n[sources.ads]\ntables = ["ad_dayz"]\n'
    write(folder, {}, settings_, base=MAPPED.replace('map = "crm"', 'map = "crm"\ntables = ["owners"]'))
    with pytest.raises(UsageError) as caught:
        companies.open_company(folder)
    assert [fault.name for fault in caught.value.faults] == [
        "unknown-table", "unknown-column", "table-not-mapped", "no-map", "unknown-table",
    ]  # fmt: skip


def test_a_column_or_file_that_a_map_reads_and_is_not_there_is_refused(tmp_path: Path) -> None:
    text = """[tables.accounts]
    file = "firms"
    [tables.opportunities]
    file = "deals"
    columns = { opportunity_id = "id", business_type = "knd" }
    constants = { term_months = "12" }
    """
    found = deliver(mapped(tmp_path, text)).faults
    assert [(f.rule, f.level, f.where) for f in found] == [
        ("F105", "E", "files/firms.csv"),
        ("F096", "E", 'files/deals.csv  column "business_type"'),
        ("F096", "E", 'files/deals.csv  column "knd"'),
    ]
    assert "did you mean 'kind'?" in found[2].found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("selec id from deals", "Parser Error"),
        ("select nope from deals", "nope"),
        ("select id from elsewhere", "elsewhere"),
        ("select id::int as opportunity_id, 'new' as business_type from deals", "a value that it cannot turn"),
    ],
)
def test_a_query_that_fails_is_told_without_the_value_it_failed_on(tmp_path: Path, query: str, words: str) -> None:
    (fault,) = deliver(mapped(tmp_path, f'[tables.opportunities]\nfiles = ["deals"]\nsql = "{query}"\n')).faults
    assert (fault.rule, fault.level, fault.where) == ("C10", "E", "crm  the query of opportunities")
    assert words in fault.found and "D1" not in fault.found


def test_broken_lines_of_a_file_that_only_a_query_reads_count_against_the_threshold(tmp_path: Path) -> None:
    text = '[tables.owners]\nfiles = ["reps"]\nsql = "select id as owner_id, id as label from reps"\n'
    mapped(tmp_path, text, {"reps": "id,x\n1,a\n2\n3,c\n"})
    write(tmp_path, {}, base=MAPPED)
    found = deliver(tmp_path).faults
    assert [(f.rule, f.level, f.where) for f in found] == [
        ("F011", "Q", "files/reps.csv:3"), ("F092", "E", "files/reps.csv"),
    ]  # fmt: skip


# All at once


def test_every_fault_of_a_delivery_is_listed_in_one_run(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "accounts": "account_id,name,employees,currency,is_icp,owner_id\nA1,Alpha,ten,eur,maybe,W9\nA2,,5,EUR,yes,W1\n"
                    "A3,c,1,EUR,no,W1\nA3,d,1,EUR,no,W1\n",
        "owners": "owner_id,label,label\nW1,x,y\n",
        "people": "person_id,account_id,created_at,mql_at,buying_role\nP1,A1,soon,later,king\n",
        "opportunities": "opportunity_id,business_type,created_at,term_months\nO1,nw,x,y\nO2\n",
        "opportunity_changes": "opportunity_id,changed_at,stage,amount,close_on,probability\n1E+15,2026-01-01,odd,1,2026-02-30,3\n",
        "account_lists": "account_id,is_target,tier,valid_from\nA1,true,4,2026-01-01\n",
        "campaigns": b"",
        "ad_days": b"<html>",
        "ad_account_days": b'{"error": 1}',
        "page_views": b"PK\x03\x04",
        "emails": b"email_id;name\n1;x\n",
        "email_events": "event_id,email_id,person_id,occurred_at\nV1,E1,P1,2026-01-01\n",
        "touches": "V1,2026-01-01\nV2,2026-01-02\n",
        "meetings": 'meeting_id,kind,booked_at,starts_at,outcome\nM1,"demo,2026-01-01,2026-01-02,held\nM2,x,y,z,w\n',
        "subscriptions": "event_id,account_id,effective_on,kind,arr_change,Currency\nS1,A1,2026-01-01,new,5,EUR\n",
        "fx": "currency,day,rate\nUSD,2026-01-01,0\n",
        "notes": b"note_id,noted_on\x00,source\n",
        "targetz": "metric\n",
    }  # fmt: skip
    settings_ = 'tables = ["accounts", "budgets", "costs"]\n'
    with pytest.raises(InputRefused) as caught:
        companies.open_company(write(tmp_path, files, settings_))
    found = {(fault.rule, fault.where) for fault in caught.value.faults}
    assert found == {
        ("F105", "./budgets.csv"), ("F105", "./costs.csv"), ("F105", "./targetz.csv"),
        ("F031", 'accounts.csv:2  column "employees"'), ("F031", 'accounts.csv:2  column "currency"'),
        ("F031", 'accounts.csv:2  column "is_icp"'), ("F087", 'accounts.csv:3  column "name"'),
        ("F074", 'accounts.csv:4  column "account_id"'), ("F092", "table accounts"),
        ("F012", "owners.csv:1"),
        ("F031", 'people.csv:2  column "created_at"'), ("F031", 'people.csv:2  column "mql_at"'),
        ("F031", 'people.csv:2  column "buying_role"'), ("F092", "table people"),
        ("F031", 'opportunities.csv:2  column "business_type"'), ("F031", 'opportunities.csv:2  column "created_at"'),
        ("F031", 'opportunities.csv:2  column "term_months"'), ("F011", "opportunities.csv:3"), ("F092", "table opportunities"),
        ("F056", 'opportunity_changes.csv:2  column "opportunity_id"'), ("F031", 'opportunity_changes.csv:2  column "close_on"'),
        ("F031", 'opportunity_changes.csv:2  column "probability"'), ("F092", "table opportunity_changes"),
        ("F031", 'account_lists.csv:2  column "tier"'), ("F092", "table account_lists"),
        ("F017", "campaigns.csv"), ("F018", "ad_days.csv"), ("F018", "ad_account_days.csv"), ("F019", "page_views.csv"),
        ("F008", "emails.csv:1"), ("F096", 'email_events.csv  column "kind"'), ("F014", "touches.csv"),
        ("F010", "meetings.csv:2"), ("F096", 'subscriptions.csv  column "currency"'), ("F013", "subscriptions.csv:1"),
        ("F031", 'fx.csv:2  column "rate"'), ("F092", "table fx"), ("F007", "notes.csv:1"),
    }  # fmt: skip
    assert len(caught.value.faults) == len(found) >= 30
    for fault in caught.value.faults:
        assert all((fault.rule, fault.name, fault.where, fault.found, fault.expected, fault.fix)), fault
        assert len(str(fault).splitlines()) <= 5


def test_a_row_that_nobody_accounts_for_does_not_go_unnoticed() -> None:
    whole = Accepted("accounts", read=10, accepted=5, repeated=2, set_aside=1, excluded={"totals": 2})
    assert whole.adds_up
    assert not replace(whole, read=11).adds_up and not replace(whole, excluded={}).adds_up
