"""The tests' own tools: what is skipped is counted by reason, and fails the run where that is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import conftest
import pytest

pytest_plugins = "pytester"

ONE_SKIP = """
import pytest

def test_one():
    pass

def test_two():
    pytest.skip("Java: not here")

@pytest.mark.skip(reason="Java: not here")
def test_three():
    pass
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test folder of its own with this project's conftest, apart from the run it is part of."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    return pytester


@pytest.mark.parametrize(
    "workers", [(), pytest.param(("-n", "1"), marks=pytest.mark.slow)], ids=["one process", "workers"]
)
def test_a_skip_fails_the_run_only_where_no_skips_are_allowed(inner, workers):
    inner.makepyfile(ONE_SKIP)
    allowed = inner.runpytest_subprocess(*workers)
    refused = inner.runpytest_subprocess("--no-skips", *workers)
    assert (allowed.ret, refused.ret) == (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    refused.stdout.fnmatch_lines(["failed: --no-skips was asked for"])
    allowed.stdout.no_fnmatch_line("*--no-skips was asked for*")


def test_a_module_skipped_whole_fails_a_run_without_skips(inner):
    inner.makepyfile(test_here="def test_one(): pass", test_whole="import pytest\npytest.importorskip('no_such_thing')")
    assert inner.runpytest("--no-skips").ret == pytest.ExitCode.TESTS_FAILED
    assert inner.runpytest().ret == pytest.ExitCode.OK


def test_a_run_without_skips_passes_when_nothing_is_skipped(inner):
    inner.makepyfile("def test_one(): pass")
    assert inner.runpytest("--no-skips").ret == pytest.ExitCode.OK


def test_the_closing_lines_count_the_skips_by_reason(inner):
    inner.makepyfile(ONE_SKIP)
    inner.runpytest().stdout.fnmatch_lines(["2 skipped: Java: not here", "*1 passed, 2 skipped*"])


def test_a_missing_tool_is_a_skip_with_its_name(inner, monkeypatch):
    monkeypatch.setenv("PATH", str(inner.path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("ABM_EXTERNAL_DATA", str(inner.path / "nowhere"))
    inner.makepyfile(
        "def test_one(spark): pass\ndef test_two(external_data): pass\n"
        "import conftest\nconftest.CHROMIUMS = ('chromium',)\ndef test_three(chromium): pass"
    )
    run = inner.runpytest()
    run.assert_outcomes(skipped=3)
    for reason in (conftest.NO_EXTERNAL_DATA, conftest.NO_JAVA, conftest.NO_CHROMIUM):
        run.stdout.fnmatch_lines([f"1 skipped: {reason}"])


def test_a_fixture_marks_its_test_so_that_it_can_be_selected(inner):
    inner.makepyfile("def test_one(spark): pass\ndef test_two(external_data): pass\ndef test_three(chromium): pass")
    for marker in ("spark", "external", "browser"):
        inner.runpytest("-m", marker, "--collect-only", "-q").stdout.fnmatch_lines(["1/3 tests collected*"])


def test_a_drawn_table_gives_typed_rows():
    drawn = conftest.rows(
        """
        id  | count | share | won | on         | at               | note
        001 | -3    | 0.25  | yes | 2026-07-01 | 2026-07-01 09:30 | '7'
        a b | 0     |       | no  |            |                  | none yet
        """
    )
    assert drawn == [
        {
            "id": "001",
            "count": -3,
            "share": 0.25,
            "won": True,
            "on": date(2026, 7, 1),
            "at": datetime(2026, 7, 1, 9, 30, tzinfo=UTC),
            "note": "7",
        },
        {"id": "a b", "count": 0, "share": None, "won": False, "on": None, "at": None, "note": "none yet"},
    ]


def test_a_drawn_table_with_a_ragged_row_is_refused():
    with pytest.raises(ValueError, match="zip"):
        conftest.rows("a | b\n1")


@pytest.mark.slow
def test_the_spark_session_counts_in_utc(spark):
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    (row,) = spark.sql("select cast(timestamp_seconds(0) as string) as start, count(*) as n from range(3)").collect()
    assert (row.start, row.n) == ("1970-01-01 00:00:00", 3)
