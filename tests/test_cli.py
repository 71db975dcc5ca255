"""The `abm` command: exit codes, where its words go, their form, and never a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from small_company import ACCOUNTS, FILES, SETTINGS, write

from abm_lib import cli, explain, readings
from abm_lib.company import open_company
from abm_lib.reader import Reader
from abm_lib.run import doctor, publish


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code, data and talk."""

    code: int
    out: str
    err: str

    @property
    def rules(self) -> list[str]:
        return [line.split()[1] for line in self.err.splitlines() if line[:2] in ("E ", "Q ", "D ")]


@pytest.fixture
def abm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command in this process."""

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["abm", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Said(int(left.value.code or 0), out, err)

    return run


def started(*words: object, **settings: Any) -> Said:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "abm_lib.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, **settings)
    assert "Traceback" not in done.stdout + done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def assert_form(said: Said) -> None:
    """Each message is a heading and named lines, and nothing else was said."""
    for line in said.err.splitlines():
        assert line[:2] in ("E ", "Q ", "D ") or line.startswith(
            ("  found    ", "  expected ", "  why      ", "  fix      ")
        )


# As a process


def test_a_sound_folder_is_checked_with_data_on_stdout_and_exit_0(tmp_path: Path) -> None:
    said = started("check", write(tmp_path), cwd="/")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "accounts               read 3 = accepted 3 + repeated 0 + set aside 0"
    assert "touches                not delivered" in lines
    assert lines[-1] == "quarters up to 2026Q1, known until 2026-04-15"


def test_bad_inputs_are_exit_3_with_every_fault_and_no_data(tmp_path: Path) -> None:
    files = FILES | {
        "accounts": "account_id,name\nA1\n1E+15,x\n", "people": b"<html>", "opportunities": "opportunity_id\nO1\n",
        "fx": "currency,day,rate\nUSD,today,1\n",
    }  # fmt: skip
    said = started("check", write(tmp_path, files, 'tables = ["touches"]\n'))
    assert (said.code, said.out) == (3, "")
    assert sorted(said.rules) == ["F011", "F018", "F031", "F056", "F092", "F092", "F096", "F105"]
    assert_form(said)


def test_a_wrong_abm_toml_is_exit_2_and_as_json_one_fault_a_line(tmp_path: Path) -> None:
    base = SETTINGS.replace("currency", "curency") + "[coverge]\n"
    said = started("--json", "run", write(tmp_path, base=base), "--quarter", "2026Q1")
    assert (said.code, said.out) == (2, "")
    found = [json.loads(line) for line in said.err.splitlines()]
    assert {(fault["rule"], fault["name"]) for fault in found} == {("C01", "unknown-key"), ("C01", "wrong-setting")}
    assert len(found) == 3
    assert all(fault["fix"] and fault["level"] == "E" for fault in found)


# Exit 2: what the user typed


@pytest.mark.parametrize(
    "words",
    [
        ("nope",), ("run",), ("run", "x", "--nope"), ("run", "x", "--jobs", "0"), ("run", "x", "--as-of", "yesterday"),
        ("run", "/nowhere"), ("check", "/nowhere"), ("metrics", "show", "win_rate_clsed"), ("verify", "/nowhere"),
        ("run", "x", "--only", "adz"), ("run", "x", "--engine", "sqlite"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_read_is_exit_2_in_the_form_of_a_fault(abm: Any, words: tuple[str, ...]) -> None:
    said = abm(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("E C")
    assert_form(said)


def test_an_unknown_name_is_answered_with_the_nearest(abm: Any) -> None:
    assert "did you mean 'ads'?" in abm("run", "x", "--only", "adz").err
    assert "did you mean 'win_rate_closed'?" in abm("metrics", "show", "win_rate_clsed").err


@pytest.mark.parametrize(
    ("quarter", "rule"), [("2026Q5", "C45"), ("Q1-26", "C45"), ("2031Q1", "F045"), ("2020Q1", "F045")]
)
def test_a_quarter_of_another_form_or_outside_the_data_is_exit_2(
    abm: Any, tmp_path: Path, quarter: str, rule: str
) -> None:
    said = abm("run", write(tmp_path / "firm"), "--quarter", quarter, "--out", tmp_path / "reports")
    assert (said.code, said.rules) == (2, [rule])
    left = [path.name for path in tmp_path.glob("reports/*")]
    assert left == ([f".{quarter}.lock"] if rule == "F045" else []), "the data are read under the lock"


def test_help_is_shown_on_stdout_and_is_no_fault(abm: Any) -> None:
    said = abm("--help")
    assert (said.code, said.err) == (0, "")
    assert "run" in said.out and "check" in said.out


# Exits 5, 7, 75, 1


def test_an_edition_with_a_changed_byte_is_exit_5_and_a_sound_one_0(abm: Any, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>x</h1>")
    digest = publish.sha256(tmp_path / "index.html")
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"index.html": digest}}))
    assert abm("verify", tmp_path).code == 0
    (tmp_path / "index.html").write_text("<h1>y</h1>")
    said = abm("verify", tmp_path)
    assert (said.code, said.rules) == (5, ["P24"])
    assert_form(said)


def test_a_place_that_cannot_be_written_to_is_exit_7(abm: Any, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    said = abm("run", write(tmp_path / "firm"), "--out", tmp_path / "reports")
    assert (said.code, said.rules) == (7, ["P07"])


def test_an_input_that_this_user_may_not_read_is_exit_7(
    abm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("abm_lib.store.sha256", refuse)
    said = abm("check", write(tmp_path))
    assert (said.code, said.rules) == (7, ["P07"])
    assert "Permission denied" in said.err


def test_a_second_run_at_once_is_exit_75(abm: Any, tmp_path: Path) -> None:
    out = tmp_path / "reports"
    out.mkdir()
    with FileLock(out / ".2026Q1.lock"):
        said = abm("run", write(tmp_path / "firm"), "--quarter", "2026Q1", "--out", out)
    assert (said.code, said.rules) == (75, ["P08"])
    assert [path.name for path in out.iterdir()] == [".2026Q1.lock"]


def test_a_bug_is_exit_1_with_its_details_in_a_file_and_not_on_the_screen(
    abm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("abm_lib.company.open_company", lambda *_: 1 / 0)
    said = abm("check", "firm")
    assert (said.code, said.rules) == (1, ["B01"])
    (log,) = tmp_path.glob("abm-bug-*.log")
    assert str(log) in said.err and "ZeroDivisionError" in log.read_text()


def test_an_interrupted_command_is_exit_130_and_says_nothing(abm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("abm_lib.company.open_company", interrupt)
    assert abm("check", "firm") == Said(130, "", "")


# What is said of sound folders


def test_faults_that_refuse_nothing_are_told_and_the_exit_is_0(abm: Any, tmp_path: Path) -> None:
    accounts = "account_id,name\n" + "".join(f"A{i},x\n" for i in range(1, 150)) + "B\n"
    said = abm("check", write(tmp_path, FILES | {"accounts": accounts, "acounts": ACCOUNTS}))
    assert (said.code, sorted(said.rules)) == (0, ["F011", "F105"])
    assert "read 150 = accepted 149 + repeated 0 + set aside 1" in said.out
    assert_form(said)
    again = abm("check", tmp_path, "--json")
    assert [json.loads(line)["rule"] for line in again.err.splitlines()] == ["F105", "F011"]


def test_doctor_says_where_it_may_write_and_what_each_missing_program_is_for(
    abm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    (tmp_path / "a file").write_text("")
    done = abm("doctor", "--out", str(tmp_path / "a file" / "reports"), "--company", str(tmp_path / "firm"))
    assert done.code == 0
    told = dict(line.split(": ", 1) for line in done.out.splitlines() if ": " in line)
    assert told["reports"].endswith(f"this user may not write to {tmp_path / 'a file'}: let it, or name another folder")
    assert told["inputs kept"].startswith(str(tmp_path / "firm" / ".abm")) and told["inputs kept"].endswith("MB free")
    assert "--pdf" in told["chromium"] and "--engine spark" in told["java"] and "--pdf" in told["fonts"]
    assert "texts as" in told["locale"]
    monkeypatch.setattr(doctor, "SPACE", 10**18)
    assert "make room" in abm("doctor", "--out", str(tmp_path)).out


def test_clean_takes_the_frozen_inputs_and_nothing_else(abm: Any, tmp_path: Path) -> None:
    before = {path.name for path in write(tmp_path).iterdir()}
    abm("check", tmp_path)
    assert (tmp_path / ".abm").is_dir()
    assert abm("clean", tmp_path).code == 0
    assert {path.name for path in tmp_path.iterdir()} == before


def test_init_writes_a_folder_that_passes_the_check_and_never_overwrites(abm: Any, tmp_path: Path) -> None:
    made = abm("init", tmp_path / "firm", "--scale", "0.01")
    assert (made.code, made.out.strip()) == (0, str(tmp_path / "firm"))
    assert abm("check", tmp_path / "firm").code == 0
    refused = abm("init", tmp_path / "firm")
    assert refused.code == 2 and "not empty" in refused.err


# What a run is about to do


def test_explain_says_how_each_metric_is_read_and_which_input_the_others_lack(
    abm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, FILES, base='switched_off = ["win_rate_cohort"]\n' + SETTINGS)
    monkeypatch.setattr(publish, "run", lambda *_, **__: tmp_path)
    said = abm("run", folder, "--explain")
    lines = dict(line.split(": ", 1) for line in said.err.splitlines() if ": " in line)
    assert said.out.strip() == str(tmp_path / "index.html")
    assert "win_rate_closed" in lines["opportunities_closed"]
    resampled = next(line for line in said.err.splitlines() if "resampled intervals of" in line)
    waits = next(line for line in said.err.splitlines() if "(Aalen–Johansen) of" in line)
    assert "average_selling_price" in resampled and "sales_cycle_days" in waits and "win_rate_closed," not in resampled
    assert "no number: win_rate_cohort, switched off in abm.toml" in said.err
    assert "no number: ad_clicks, needs ad_days" in said.err
    assert "ad_days" not in lines


def test_explain_counts_the_queries_that_the_reader_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[Reader] = []
    monkeypatch.setattr(readings, "Reader", lambda base: readers.append(Reader(base)) or readers[-1])
    company = open_company(str(write(tmp_path, FILES)))
    readings.read(company, company.quarter())
    counts = re.findall(r"\d+ queries|\d+ pulls", next(explain.lines(company)))
    queries, pulls = (int(count.split()[0]) for count in counts)
    assert queries < readers[0].queries <= queries + pulls  # rows of which none is there are not pulled
