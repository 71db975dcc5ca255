"""Other countries' and other systems' ways to write a value, as declared; and what is written otherwise."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from delivering import Read, deliver, written

SOURCE = "\n[sources.export]\n"


def targets(tmp_path: Path, dialect: str, *values: str) -> Read:
    """Costs of 2026 with these amounts."""
    lines = "".join(f'2026Q{i},media,"{value}",EUR\n' for i, value in enumerate(values, 1))
    return deliver(
        written(
            tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{dialect}\n", costs=f"quarter,kind,amount,currency\n{lines}"
        )
    )


def amounts(read: Read) -> list[Decimal]:
    return [amount for (amount,) in read.rows("select amount from canonical.costs order by quarter")]


@pytest.mark.parametrize(
    ("dialect", "value"),
    [
        ('decimal = ","\nthousands = "."', "1.234,56"),
        ('decimal = ","\nthousands = " \\u00a0\\u202f"', "1 234,56"),
        ('decimal = ","\nthousands = " \\u00a0\\u202f"', "1\u00a0234,56"),
        ('decimal = ","\nthousands = " \\u00a0\\u202f"', "1\u202f234,56"),
        ('thousands = "\'"', "1'234.56"),
        ('thousands = ","', "1,234.56"),
        ('decimal = ","', "1234,56"),
        ('signs = ["€"]', "€1234.56"),
        ('signs = ["€", "EUR"]', "1234.56 EUR"),
        ('thousands = ","\nsigns = ["$"]', "$ 1,234.56"),
        ("", "1234.56"),
    ],
)
def test_an_amount_written_as_declared_is_that_amount(tmp_path: Path, dialect: str, value: str) -> None:
    assert amounts(targets(tmp_path, dialect, value)) == [Decimal("1234.56")]


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("(1,234)", "-1234"),
        ("1,234-", "-1234"),
        ("\u22125", "-5"),
        ("-5", "-5"),
        ("+5", "5"),
        ("1e3", "1000"),
        ("1,234,567.5", "1234567.5"),
    ],
)
def test_the_ways_to_write_less_than_nothing_are_understood(tmp_path: Path, value: str, amount: str) -> None:
    assert amounts(targets(tmp_path, 'thousands = ","', value)) == [Decimal(amount)]


@pytest.mark.parametrize(
    ("dialect", "value"),
    [
        ('decimal = ","\nthousands = "."', "1,234.56"),
        ('decimal = ","\nthousands = "."', "12.34,5"),
        ('thousands = ","', "1,23"),
        ('thousands = ","', "1.2k"),
        ('decimal = ","', "1.234,56"),
        ("", "1,234.56"),
        ("", "€5"),
    ],
)
def test_an_amount_written_otherwise_is_set_aside_as_it_was_delivered(tmp_path: Path, dialect: str, value: str) -> None:
    read = targets(tmp_path, dialect, value)
    (fault,) = read.faults
    assert (fault.rule, fault.level, fault.found, fault.where) == ("F031", "Q", value, 'costs.csv:2  column "amount"')
    assert read.counts["costs"] == (1, 0, 0, 1, 0)


def test_a_thousand_with_a_point_is_a_thousand_where_that_is_declared_and_one_point_two_where_not(
    tmp_path: Path,
) -> None:
    assert amounts(targets(tmp_path / "a", 'decimal = ","\nthousands = "."', "1.234")) == [Decimal("1234")]
    assert amounts(targets(tmp_path / "b", "", "1.234")) == [Decimal("1.234")]


def test_a_column_of_money_with_three_decimals_throughout_is_refused_until_its_marks_are_declared(
    tmp_path: Path,
) -> None:
    read = targets(tmp_path / "a", "", "1.234", "5.678", "9.000")
    assert [(f.rule, f.level) for f in read.faults] == [("F051", "E")]
    assert targets(tmp_path / "b", 'decimal = "."', "1.234", "5.678", "9.000").faults == []


def shares(tmp_path: Path, dialect: str, value: str) -> Read:
    changes = f'opportunity_id,changed_at,stage,probability\nO1,2026-01-10,offer,"{value}"\n'
    return deliver(written(tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{dialect}\n", opportunity_changes=changes))


@pytest.mark.parametrize(
    ("dialect", "value"),
    [("percent = true", "12%"), ("percent = true", "12 %"), ("", "0.12"), ('decimal = ","\npercent = true', "12,0%")],
)
def test_a_share_is_written_in_the_declared_unit(tmp_path: Path, dialect: str, value: str) -> None:
    assert shares(tmp_path, dialect, value).rows("select probability from canonical.opportunity_changes") == [(0.12,)]


@pytest.mark.parametrize(("dialect", "value"), [("", "12%"), ("", "12"), ("percent = true", "120%")])
def test_a_share_in_another_unit_is_set_aside(tmp_path: Path, dialect: str, value: str) -> None:
    assert [(f.rule, f.level) for f in shares(tmp_path, dialect, value).faults] == [("F031", "Q")]


# Days and moments


def lists(tmp_path: Path, dialect: str, *days: str) -> Read:
    lines = "".join(f"A{i},true,{day}\n" for i, day in enumerate(days))
    files = {"account_lists": f"account_id,is_target,valid_from\n{lines}"}
    return deliver(written(tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{dialect}\n", **files))


@pytest.mark.parametrize(
    ("formats", "value"),
    [
        ('["%d/%m/%Y"]', "05/04/2026"), ('["%m/%d/%Y"]', "04/05/2026"), ('["%d.%m.%y"]', "05.04.26"), ('["serial"]', "46117"),
        ('["serial_1904"]', "44655"), ('["epoch"]', "1775347200"), ('["epoch_ms"]', "1775347200000"), ('["%Y%m%d"]', "20260405"),
        ('["%b %d, %Y"]', '"Apr 05, 2026"'),
    ],
)  # fmt: skip
def test_a_day_is_the_one_that_its_declared_format_means(tmp_path: Path, formats: str, value: str) -> None:
    assert lists(tmp_path, f"dates = {formats}", value).rows("select valid_from from canonical.account_lists") == [
        (date(2026, 4, 5),)
    ]


@pytest.mark.parametrize(
    ("dialect", "value"),
    [
        ('dates = ["%d/%m/%Y"]', "05/13/2026"), ('dates = ["%d/%m/%Y"]', "31/06/2026"),
        ('dates = ["%d/%m/%Y"]', "29/02/2026"), ("", "46117"),
        ("", "05/04/2026"), ('dates = ["epoch"]', "1775347200000"), ("", "0000-00-00"), ("", "9999-12-31"), ("", "1899-12-31"),
    ],
)  # fmt: skip
def test_a_day_written_otherwise_is_set_aside(tmp_path: Path, dialect: str, value: str) -> None:
    read = lists(tmp_path, dialect, value)
    assert [(f.rule, f.level, f.found) for f in read.faults] == [("F031", "Q", value)]


def test_the_message_says_how_a_day_was_declared(tmp_path: Path) -> None:
    (fault,) = lists(tmp_path, 'dates = ["%d/%m/%Y"]', "2026-13-05").faults
    assert fault.expected == "written as %d/%m/%Y"


@pytest.mark.parametrize("blank", ["9999-12-31", "0000-00-00", "n/a", "--"])
def test_declared_blanks_are_missing_and_counted(tmp_path: Path, blank: str) -> None:
    files = {"account_lists": f"account_id,is_target,valid_from,valid_to\nA1,true,2026-01-01,{blank}\n"}
    read = deliver(written(tmp_path, f'{SOURCE}\n[sources.export.dialect]\nblanks = ["{blank}"]\n', **files))
    assert read.rows("select valid_to from canonical.account_lists") == [(None,)]
    assert [(f.rule, f.level, f.found) for f in read.faults] == [
        ("F054", "N", "1 values such as the dialect calls blank")
    ]


def test_an_account_may_be_called_what_stands_for_a_blank_elsewhere(tmp_path: Path) -> None:
    accounts = "account_id,name,country,employees\nA1,NA,NA,NA\nNone,Null,None,5\n"
    read = deliver(
        written(tmp_path, f'{SOURCE}\n[sources.export.dialect]\nblanks = ["NA", "None"]\n', accounts=accounts)
    )
    found = read.rows("select account_id, name, country, employees from canonical.accounts order by 1")
    assert found == [("A1", "NA", "NA", None), ("None", "Null", "None", 5)]


def moments(tmp_path: Path, dialect: str, value: str) -> list[tuple[object, ...]]:
    files = {"opportunities": f"opportunity_id,business_type,created_at\nO1,new,{value}\n"}
    read = deliver(written(tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{dialect}\n", **files))
    return read.rows("select created_at from canonical.opportunities")


@pytest.mark.parametrize(
    ("zone", "value", "utc"),
    [
        ("Europe/Berlin", "2026-07-01 01:30:00", datetime(2026, 6, 30, 23, 30)),
        ("America/Los_Angeles", "2026-06-30 23:30:00", datetime(2026, 7, 1, 6, 30)),
        ("Asia/Kolkata", "2026-07-01 05:00:00", datetime(2026, 6, 30, 23, 30)),
        ("Pacific/Auckland", "2026-07-01 11:00:00", datetime(2026, 6, 30, 23, 0)),
        ("America/Sao_Paulo", "2026-06-30 22:00:00", datetime(2026, 7, 1, 1, 0)),
        ("Europe/Berlin", "2026-07-01T01:30:00Z", datetime(2026, 7, 1, 1, 30)),
        ("Europe/Berlin", "2026-07-01 01:30:00+05:30", datetime(2026, 6, 30, 20, 0)),
        ("Europe/Berlin", "2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30)),
        ("Europe/Berlin", "2026-10-25 02:30:00", datetime(2026, 10, 25, 1, 30)),
        ("Europe/Berlin", "2026-07-01", datetime(2026, 6, 30, 22, 0)),
    ],
)
def test_a_time_without_an_offset_is_one_of_the_sources_zone(
    tmp_path: Path, zone: str, value: str, utc: datetime
) -> None:
    assert moments(tmp_path, f'timezone = "{zone}"', value) == [(utc,)]


@pytest.mark.parametrize(
    ("times", "value"),
    [
        ('["epoch_ms"]', "1782862200000"), ('["epoch_us"]', "1782862200000000"), ('["epoch"]', "1782862200"),
        ('["%d.%m.%Y %H:%M"]', "30.06.2026 23:30"),
        ('["%m/%d/%Y %I:%M %p"]', "06/30/2026 11:30 PM"), ('["%d.%m.%Y %H:%M"]', "2026-06-30T23:30:00Z"),
        ('["serial"]', "46203.9791666667"),
    ],
)  # fmt: skip
def test_a_moment_is_the_one_that_its_declared_format_means(tmp_path: Path, times: str, value: str) -> None:
    ((found,),) = moments(tmp_path, f"times = {times}", value)
    assert abs((found - datetime(2026, 6, 30, 23, 30)).total_seconds()) < 0.001


def test_seconds_taken_for_milliseconds_are_set_aside_and_no_day_of_1970(tmp_path: Path) -> None:
    assert moments(tmp_path / "a", 'times = ["epoch"]', "1782862200000") == []
    assert (
        moments(tmp_path / "b", 'times = ["epoch_us"]', "1782862200") != []
    )  # 1970 is a year like any other: declare it a blank


# Lines

NOTES = (
    b"name of the report;;\r\nmade by nobody;;\r\n\r\n"
    b"account_id;name;country\r\nA1;Alpha;DE\r\nA2;Jos\xe9;FR\r\nTotal;2;\r\nCopyright (c) us\r\n"
)
DECLARED = 'encoding = "cp1252"\ndelimiter = ";"\nheader = "Account ID"\ntotals = ["^Total;", "^Copyright"]'


def test_a_report_with_preamble_totals_and_another_encoding_is_read_as_declared(tmp_path: Path) -> None:
    read = deliver(written(tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{DECLARED}\n", accounts=NOTES))
    assert read.faults == []
    assert read.rows("select account_id, name, country from canonical.accounts order by 1") == [
        ("A1", "Alpha", "DE"),
        ("A2", "José", "FR"),
    ]
    assert read.counts["accounts"] == (4, 2, 0, 0, 2)
    assert read.delivery.reports["accounts"].excluded == {"totals": 2}


def test_lines_are_counted_from_the_top_of_the_file_as_delivered(tmp_path: Path) -> None:
    bad = NOTES.replace(b"A2;Jos\xe9;FR", b"A2;;FR")
    (fault,) = deliver(written(tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{DECLARED}\n", accounts=bad)).faults
    assert (fault.rule, fault.where) == ("F087", 'accounts.csv:6  column "name"')


@pytest.mark.parametrize(
    ("line", "where"),
    [("Total: 2,5", 4), ("Grand Total,", 4), ("Copyright (c) 2026 a company", 4), ("Report generated by a user", 4)],
)
def test_a_line_that_looks_like_a_total_is_refused_until_it_is_declared(tmp_path: Path, line: str, where: int) -> None:
    read = deliver(written(tmp_path, SOURCE, accounts=f"account_id,name\nA1,Alpha\nA2,Beta\n{line}\n"))
    assert [(f.rule, f.level, f.where) for f in read.told("F016")] == [("F016", "E", f"accounts.csv:{where}")]
    assert "totals" in read.told("F016")[0].fix


def test_an_account_called_total_is_no_total(tmp_path: Path) -> None:
    assert (
        deliver(
            written(tmp_path, SOURCE, accounts="account_id,name\nA1,Alpha\nA2,Total\nTotalEnergies,TotalEnergies SE\n")
        ).faults
        == []
    )


def test_a_header_that_is_not_found_is_refused(tmp_path: Path) -> None:
    (fault,) = deliver(
        written(tmp_path, f'{SOURCE}\n[sources.export.dialect]\nheader = "Day"\n', accounts="account_id,name\nA1,x\n")
    ).faults
    assert (fault.rule, fault.level, fault.where) == ("F015", "E", "accounts.csv")


def test_a_file_in_another_encoding_than_declared_is_refused_with_its_line(tmp_path: Path) -> None:
    text = b"account_id,name\nA1,x\nA2,\x81\n"
    (fault,) = deliver(
        written(tmp_path, f'{SOURCE}\n[sources.export.dialect]\nencoding = "cp1252"\n', accounts=text)
    ).faults
    assert (fault.rule, fault.level, fault.where) == ("F004", "E", "accounts.csv:3")


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ('encoding = "latin-55"', "an encoding"), ('timezone = "Mars/Base"', "no such time zone"),
        ('totals = ["("]', "a regular expression"),
        (r"totals = ['^(\w+)\1$']", "a regular expression of RE2"), ("totals = ['a(?=b)']", "a regular expression of RE2"),
        ('decimal = ","\nthousands = ","', "cannot stand before the decimals"), ('decimals = ","', "did you mean"),
    ],
)  # fmt: skip
def test_a_dialect_that_cannot_be_meant_is_a_usage_error(tmp_path: Path, dialect: str, words: str) -> None:
    from abm_lib.errors import UsageError

    with pytest.raises(UsageError) as caught:
        deliver(
            written(tmp_path, f"{SOURCE}\n[sources.export.dialect]\n{dialect}\n", accounts="account_id,name\nA1,x\n")
        )
    assert words in str(caught.value)


def test_a_few_lines_in_another_encoding_are_refused_where_none_beyond_ascii_is_utf_8(tmp_path: Path) -> None:
    """Of 300 lines two have accents: set aside, they would be under 1%, and all accounts with accents gone."""
    rows = [f"A{i},Firm {i}" for i in range(1, 301)]
    rows[99], rows[199] = "A100,Soci\u00e9t\u00e9", "A200,M\u00fcller"
    text = "\n".join(["account_id,name", *rows, ""])
    (fault, *_) = deliver(written(tmp_path / "none", SOURCE, accounts=text.encode("cp1252"))).faults
    assert (fault.rule, fault.level, fault.where) == ("F004", "E", "accounts.csv:101")
    assert fault.found.startswith("2 lines that are not UTF-8") and 'encoding = "cp1252"' in fault.fix
    mixed = text.replace("M\u00fcller", "Muller").encode("cp1252") + "A301,M\u00fcller\n".encode()
    read = deliver(written(tmp_path / "mixed", SOURCE, accounts=mixed))
    assert [(f.rule, f.level, f.where) for f in read.faults] == [("F011", "Q", "accounts.csv:101")]
    assert read.counts["accounts"] == (301, 300, 0, 1, 0)
