"""abm.toml: what is accepted, and that every fault is named at once, with its place and the way out."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pydantic
import pytest

from abm_lib import config
from abm_lib.errors import Fault, UsageError

SMALLEST = """
stale_after_days = 45

[company]
name = "Lathe & Loom"
currency = "EUR"

[opportunity_stages]
order = ["Discovery", "Offer"]
qualified_from = "Discovery"
won = ["Won"]
lost = ["Lost"]

[sources.crm]
"""


def load(folder: Path, text: str | bytes) -> config.Config:
    (folder / "abm.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(folder)


def faults(folder: Path, text: str | bytes) -> list[Fault]:
    with pytest.raises(UsageError) as caught:
        load(folder, text)
    return caught.value.faults


def only_fault(folder: Path, text: str | bytes) -> Fault:
    (fault,) = faults(folder, text)
    return fault


# What is accepted


def test_a_company_that_says_little_gets_the_defaults(tmp_path: Path) -> None:
    company = load(tmp_path, SMALLEST)
    assert company.company.zone == ZoneInfo("UTC")
    assert company.stale_after_days == 45
    assert (company.fiscal.first_month, company.fiscal.pattern, company.fiscal.named_by) == (1, "months", "end")
    assert (company.as_of.settle_days, company.coverage.read_on_day) == (10, 5)
    assert company.win_rate.canonical_period == "trailing_4_quarters"
    assert (company.sourced.rule, company.sourced.look_back_days) == ("field", 365)
    assert (company.engaged.window_days, company.engaged.min_people) == (90, 2)
    assert company.engaged.high_intent == ["form", "meeting", "demo_request", "pricing_visit"]
    assert (company.min_n.colour, company.min_n.trend, company.fx.max_age_days) == (10, 30, 7)
    assert company.coverage.agreed_by == ""


def test_what_a_company_sets_is_what_it_gets(tmp_path: Path) -> None:
    text = SMALLEST + (
        '[fiscal]\nfirst_month = 2\npattern = "454"\nnamed_by = "start"\nweekday = "sunday"\nyear_end = "nearest"\n'
        '[channels.linkedin]\nowner = "marketing"\npaid = true\nmatch = ["li", "LinkedIn Ads"]\n'
        '[definitions.mqa]\nagreed_by = "Head of Sales"\nagreed_on = "2026-01-15"\n'
    )
    company = load(tmp_path, text)
    assert company.fiscal.model_dump() == {
        "first_month": 2, "pattern": "454", "named_by": "start", "weekday": "sunday", "year_end": "nearest",
    }  # fmt: skip
    assert company.channels["linkedin"].match == ["li", "LinkedIn Ads"]
    assert company.channels["linkedin"].paid
    assert company.definitions["mqa"].agreed_by == "Head of Sales"


def test_settings_cannot_be_changed_after_reading(tmp_path: Path) -> None:
    company = load(tmp_path, SMALLEST)
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        company.fiscal.first_month = 4


def test_text_beyond_ascii_is_kept(tmp_path: Path) -> None:
    assert load(tmp_path, SMALLEST.replace("Lathe & Loom", "Möbel Łódź 家具")).company.name == "Möbel Łódź 家具"


# Unknown keys


@pytest.mark.parametrize(
    ("wrong", "place", "key", "known"),
    [
        ("[fiscal]\nfirstmonth = 2\n", "[fiscal] firstmonth", "firstmonth", "first_month"),
        ("[coverge]\nread_on_day = 3\n", "coverge", "coverge", "coverage"),
        ("[channels.ads]\nowner = 'sales'\npayed = true\n", "[channels.ads] payed", "payed", "paid"),
        ("[influence.defualt]\nmin_touches = 1\n", "[influence] defualt", "defualt", "default"),
        ("[sources.web]\nfoldr = 'web'\n", "[sources.web] foldr", "foldr", "folder"),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_nearest_known_one(
    tmp_path: Path, wrong: str, place: str, key: str, known: str
) -> None:
    fault = only_fault(tmp_path, SMALLEST + wrong)
    assert (fault.rule, fault.name, fault.found) == ("C01", "unknown-key", key)
    assert fault.where == f"{tmp_path / 'abm.toml'}  {place}"
    assert fault.expected == f"did you mean {known!r}?"


def test_a_key_like_no_other_is_answered_with_all_that_are_known_there(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, SMALLEST + "[as_of]\nzzz = 1\n")
    assert fault.expected == "known: settle_days"


# Wrong and missing values


@pytest.mark.parametrize(
    ("wrong", "place", "found", "expected"),
    [
        ("[fiscal]\nfirst_month = 13\n", "[fiscal] first_month", "13", "less than or equal to 12"),
        ("[fiscal]\nfirst_month = 0\n", "[fiscal] first_month", "0", "greater than or equal to 1"),
        ("[fiscal]\nfirst_month = 'May'\n", "[fiscal] first_month", "'May'", "integer"),
        ("[fiscal]\nfirst_month = 2.5\n", "[fiscal] first_month", "2.5", "integer"),
        ("[fiscal]\npattern = '446'\n", "[fiscal] pattern", "'446'", "'445', '454' or '544'"),
        ("[fiscal]\npattern = 445\n", "[fiscal] pattern", "445", "'445', '454' or '544'"),
        ("[fiscal]\nweekday = 'Saturday'\n", "[fiscal] weekday", "'Saturday'", "'saturday'"),
        ("[as_of]\nsettle_days = -1\n", "[as_of] settle_days", "-1", "greater than or equal to 0"),
        ("[win_rate]\ndisqualified_reasons = 'spam'\n", "[win_rate] disqualified_reasons", "'spam'", "list"),
        ("[thresholds]\nunmatched_share = 5\n", "[thresholds] unmatched_share", "5", "less than or equal to 1"),
        ("[thresholds]\nunmatched_share = nan\n", "[thresholds] unmatched_share", "nan", "less than or equal to 1"),
        ("[channels.ads]\nowner = 'agency'\n", "[channels.ads] owner", "'agency'", "'partner' or 'other'"),
        ("[channels]\nads = true\n", "[channels] ads", "True", "dictionary"),
        ("[channels.ads]\npaid = true\n", "[channels.ads] owner", "nothing", "required"),
        ("[definitions.mqa]\nagreed_on = '2026-01-15'\n", "[definitions.mqa] agreed_by", "nothing", "required"),
    ],
)
def test_a_wrong_value_is_shown_with_its_place_and_what_was_expected(
    tmp_path: Path, wrong: str, place: str, found: str, expected: str
) -> None:
    fault = only_fault(tmp_path, SMALLEST + wrong)
    assert (fault.rule, fault.name, fault.found) == ("C01", "wrong-setting", found)
    assert fault.where == f"{tmp_path / 'abm.toml'}  {place}"
    assert expected in fault.expected


@pytest.mark.parametrize("currency", ["eur", "EURO", "€", "", "EUR\\n"])
def test_a_currency_is_three_capital_letters(tmp_path: Path, currency: str) -> None:
    fault = only_fault(tmp_path, SMALLEST.replace('"EUR"', f'"{currency}"'))
    assert fault.where.endswith("[company] currency")


def test_an_unknown_zone_is_answered_with_the_nearest_known_one(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, SMALLEST.replace("[company]", '[company]\ntimezone = "Europe/Berln"'))
    assert fault.where.endswith("[company] timezone")
    assert fault.found == "'Europe/Berln'"
    assert "no such time zone; did you mean 'Europe/Berlin'?" in fault.expected


def test_an_empty_file_lacks_exactly_what_has_no_default(tmp_path: Path) -> None:
    found = faults(tmp_path, "")
    assert [fault.where.split()[-1] for fault in found] == ["company", "opportunity_stages", "sources"]
    assert {(fault.name, fault.found) for fault in found} == {("wrong-setting", "nothing")}


def test_a_company_without_sources_is_refused(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, SMALLEST.replace("[sources.crm]", "[sources]"))
    assert fault.where.endswith("  sources")


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    text = (
        SMALLEST.replace('currency = "EUR"', 'curency = "EUR"\ntimezone = "Mars/Olympus"')
        + '[fiscal]\npattern = "446"\n[as_of]\nsettle = 3\n[channels.ads]\nowner = "agency"\n'
    )
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    places = {(fault.name, fault.where.split("  ")[1]) for fault in caught.value.faults}
    assert places == {
        ("wrong-setting", "[company] currency"),
        ("unknown-key", "[company] curency"),
        ("wrong-setting", "[company] timezone"),
        ("wrong-setting", "[fiscal] pattern"),
        ("unknown-key", "[as_of] settle"),
        ("wrong-setting", "[channels.ads] owner"),
    }
    assert str(caught.value).count("\n  fix ") == 6
    assert caught.value.exit_code == 2


# The file itself


def test_a_folder_without_abm_toml_is_answered_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        config.load(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.rule, fault.name, fault.where) == ("C00", "no-abm-toml", str(tmp_path / "abm.toml"))
    assert fault.fix == f"abm init {tmp_path}"


@pytest.mark.parametrize(
    ("text", "line"),
    [("[company\n", 1), (SMALLEST + "[company]\n", 15), (SMALLEST + "folder = crm\n", 15), ("a = 1\na = 2\n", 2)],
)
def test_broken_toml_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    fault = only_fault(tmp_path, text)
    assert (fault.rule, fault.name) == ("C00", "not-toml")
    assert f"line {line}," in fault.found


def test_a_file_that_is_not_utf8_is_refused_as_broken(tmp_path: Path) -> None:
    assert only_fault(tmp_path, SMALLEST.replace("&", "ü").encode("latin-1")).rule == "C00"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + SMALLEST.encode()).company.currency == "EUR"


def test_a_path_to_the_file_instead_of_its_folder_is_a_usage_error(tmp_path: Path) -> None:
    load(tmp_path, SMALLEST)
    with pytest.raises(UsageError):
        config.load(tmp_path / "abm.toml")


@pytest.mark.parametrize("wrong", ["[fx]\nmax_age_days = '7'\n", "[min_n]\ncolour = true\n"])
def test_a_number_must_be_written_as_one(tmp_path: Path, wrong: str) -> None:
    assert only_fault(tmp_path, SMALLEST + wrong).name == "wrong-setting"


def test_a_date_may_be_written_as_toml_writes_dates(tmp_path: Path) -> None:
    load(tmp_path, SMALLEST + '[definitions.mqa]\nagreed_by = "Sales"\nagreed_on = 2026-01-15\n')


@pytest.mark.parametrize(
    "text",
    [
        SMALLEST.replace('qualified_from = "Discovery"', 'qualified_from = "Discovry"'),
        SMALLEST.replace('lost = ["Lost"]', 'lost = ["Won"]'),
        SMALLEST.replace('["Discovery", "Offer"]', '["Discovery", "Offer", "Discovery"]'),
        SMALLEST.replace('won = ["Won"]', "won = []"),
        SMALLEST + '[coverage.yardstick_by_quarter]\n"2026Q5" = 3.0\n',
        SMALLEST + "[coverage]\nyardstick = nan\n",
        SMALLEST + "[min_n]\ncolour = -3\n",
        SMALLEST.replace("[company]", '[company]\ntimezone = "Factory"'),
    ],
    ids=[
        "stage not in order",
        "won and lost",
        "a stage twice",
        "nothing is won",
        "no such quarter",
        "not a number",
        "below nothing",
        "no real zone",
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)
