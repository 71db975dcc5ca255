"""The form of a message, what may stand in it, and the exit code that each failure has."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm_lib import errors
from abm_lib.errors import AbmError, Fault, UsageError, nearest, printable

many = settings(max_examples=200)

DAMAGED = Fault(
    rule="F056",
    name="ids-damaged",
    where='opportunities.csv:1204  column "Opportunity ID"',
    found="4.68769E+17 (and 311 more of 9 870)",
    expected="15 or 18 letters and digits",
    why="a spreadsheet program has rewritten the ids; they cannot be recovered",
    fix="export again from Salesforce and do not open the file in Excel before `abm run`",
)


# The form


def test_a_fault_reads_as_a_heading_and_four_named_lines() -> None:
    assert str(DAMAGED).splitlines() == [
        'E F056 ids-damaged  opportunities.csv:1204  column "Opportunity ID"',
        "  found    4.68769E+17 (and 311 more of 9 870)",
        "  expected 15 or 18 letters and digits",
        "  why      a spreadsheet program has rewritten the ids; they cannot be recovered",
        "  fix      export again from Salesforce and do not open the file in Excel before `abm run`",
    ]


def test_a_line_with_nothing_to_say_is_left_out() -> None:
    assert str(Fault("C45", "quarter-form", "quarter", "Q1-26", "YYYYQn", "")).splitlines() == [
        "E C45 quarter-form  quarter",
        "  found    Q1-26",
        "  expected YYYYQn",
    ]


@pytest.mark.parametrize("level", ["E", "Q", "D"])
def test_the_level_stands_first(level: str) -> None:
    fault = Fault("F001", "name", "where", "found", "expected", "fix", level=level)
    assert str(fault).startswith(f"{level} F001 name  where\n")


def test_a_fault_can_be_written_as_json_with_every_field() -> None:
    assert json.loads(json.dumps(DAMAGED.as_dict())) == {
        "rule": "F056",
        "name": "ids-damaged",
        "where": 'opportunities.csv:1204  column "Opportunity ID"',
        "found": "4.68769E+17 (and 311 more of 9 870)",
        "expected": "15 or 18 letters and digits",
        "why": "a spreadsheet program has rewritten the ids; they cannot be recovered",
        "fix": "export again from Salesforce and do not open the file in Excel before `abm run`",
        "level": "E",
    }


def test_a_fault_cannot_be_changed_once_told() -> None:
    with pytest.raises(FrozenInstanceError):
        DAMAGED.rule = "F000"


def test_an_error_tells_all_its_faults_in_order() -> None:
    second = Fault("C01", "unknown-key", "abm.toml", "x", "y", "z")
    error = UsageError(fault for fault in (DAMAGED, second))
    assert error.faults == [DAMAGED, second]
    assert str(error) == f"{DAMAGED}\n{second}"
    assert UsageError(DAMAGED).faults == [DAMAGED]


# Exit codes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UsageError", 2),
        ("InputRefused", 3),
        ("CaveatsFound", 4),
        ("PublishRefused", 5),
        ("EnvironmentFault", 7),
        ("Busy", 75),
        ("KernelDied", 138),
    ],
)
def test_each_failure_has_its_exit_code_and_is_caught_as_one_family(name: str, code: int) -> None:
    kind = getattr(errors, name)
    assert kind.exit_code == code
    with pytest.raises(AbmError) as caught:
        raise kind(DAMAGED)
    assert caught.value.exit_code == code


def test_no_two_failures_share_an_exit_code_and_none_looks_like_success_or_a_bug() -> None:
    codes = [kind.exit_code for kind in AbmError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert not {0, 1} & set(codes)
    assert AbmError.exit_code == 1


# What may stand in a message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("one\ntwo\r\tthree", r"one\x0atwo\x0d\x09three"),
        ("\x00\x07\x7f", r"\x00\x07\x7f"),
        ("\x9b2J", r"\x9b2J"),
        ("right\u202eleft", r"right\x202eleft"),
        ("a\u2028b\u200bc", r"a\x2028b\x200bc"),
        ("Łódź 家具 é ✓", "Łódź 家具 é ✓"),
        (3.5, "3.5"),
        (None, "None"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: object, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(max_size=400))
@many
def test_text_from_data_becomes_one_short_printable_line(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 200
    assert printable(shown) == shown


def test_long_text_is_cut_with_a_sign_that_it_was() -> None:
    assert printable("a" * 200) == "a" * 200
    assert printable("a" * 201) == "a" * 199 + "…"
    assert printable("abcdef", longest=4) == "abc…"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
@many
def test_nothing_found_can_add_a_line_to_a_message(found: str, expected: str, why: str, fix: str) -> None:
    fault = Fault("F001", "name", "where", found, expected, fix, why)
    assert len(str(fault).splitlines()) == 1 + sum(bool(text) for text in (found, expected, why, fix))


@pytest.mark.parametrize("where", ["abm.toml  [sources] \x1b[2J", "odd.csv\nE F999 forged  by.csv"])
def test_a_file_or_key_name_cannot_add_a_line_or_a_command_to_the_heading(where: str) -> None:
    head = str(Fault("F001", "name", where, "found", "expected", "fix")).split("\n  found")[0]
    assert head.isprintable()


# The nearest word


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("curency", ["currency", "name"], "did you mean 'currency'?"),
        ("first_mnth", ["first_month", "named_by"], "did you mean 'first_month'?"),
        ("xyz", ["named_by", "first_month"], "known: first_month, named_by"),
        ("xyz", iter(["b", "a"]), "known: a, b"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_or_with_all(word: str, known: list[str], answer: str) -> None:
    assert nearest(word, known) == answer
