"""The frozen copy: recalled when nothing changed, written only where something did, and noticed when it is not what it was."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from small_company import ACCOUNTS, CHANGES, FILES, frozen, write

from abm_lib import store
from abm_lib.company import open_company
from abm_lib.errors import EnvironmentFault, InputRefused
from abm_lib.sources import suspects
from abm_lib.tables import tables


def stored(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of the store: when it was written and what is in it."""
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in (folder / ".abm" / "store").iterdir()}


# Recalled or written


def test_unchanged_inputs_are_recalled_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_company(write(tmp_path))
    before = stored(tmp_path)
    monkeypatch.setattr("abm_lib.sources.read", lambda *_: pytest.fail("the inputs were read again"))
    again = open_company(tmp_path)
    assert (again.frozen.key, again.frozen.tables, again.notes) == (first.frozen.key, first.frozen.tables, first.notes)
    assert stored(tmp_path) == before


def test_files_that_were_only_touched_or_copied_are_the_same_inputs(tmp_path: Path) -> None:
    first = open_company(write(tmp_path / "here"))
    write(tmp_path / "here")
    os.utime(tmp_path / "here" / "accounts.csv", (0, 0))
    assert open_company(tmp_path / "here").frozen.key == first.frozen.key
    assert open_company(write(tmp_path / "there")).frozen.tables == first.frozen.tables


def test_one_changed_file_changes_only_what_comes_from_it(tmp_path: Path) -> None:
    first = open_company(write(tmp_path))
    before = stored(tmp_path)
    second = open_company(write(tmp_path, FILES | {"opportunity_changes": CHANGES.replace("1200.00", "1300.00")}))
    changed = {name for name, digest in second.frozen.tables.items() if first.frozen.tables[name] != digest}
    assert changed == {"opportunity_changes", "opportunity_history"}
    assert second.frozen.key != first.frozen.key
    after = stored(tmp_path)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("settings", ["[fx]\nmax_age_days = 3\n", '[channels.ads]\nowner = "marketing"\n'])
def test_settings_are_part_of_the_key(tmp_path: Path, settings: str) -> None:
    assert open_company(write(tmp_path)).frozen.key != open_company(write(tmp_path, FILES, settings)).frozen.key


def test_the_same_rows_make_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    rows = "".join(f"A{i},Account {i * 7919 % 1000},{'large' if i % 3 else 'small'}\n" for i in range(20_000))
    files = FILES | {"accounts": "account_id,name,segment\n" + rows}
    here = open_company(write(tmp_path / "here", files)).frozen.tables
    code = f"from abm_lib.company import open_company; print(open_company({str(write(tmp_path / 'there', files))!r}).frozen.tables)"
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert there.stdout.strip() == str(here)


def test_rows_are_stored_in_the_order_of_the_file(tmp_path: Path) -> None:
    ids = [f"A{i * 7919 % 5000}" for i in range(5000)]
    files = FILES | {"accounts": "account_id,name\n" + "".join(f"{i},x\n" for i in ids)}
    company = open_company(write(tmp_path, files))
    assert [i for (i,) in frozen(company, "select account_id from accounts")] == ids


# Damaged or lost


def test_a_stored_table_with_other_bytes_is_refused_by_name(tmp_path: Path) -> None:
    company = open_company(write(tmp_path))
    path = company.frozen.folder / f"{company.frozen.tables['accounts']}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputRefused) as caught:
        open_company(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.rule, fault.name, fault.where) == ("P24", "frozen-table-changed", str(path))
    assert "accounts" in fault.found and "abm clean" in fault.fix


def test_a_stored_table_that_is_gone_is_made_again(tmp_path: Path) -> None:
    company = open_company(write(tmp_path))
    path = company.frozen.folder / f"{company.frozen.tables['accounts']}.parquet"
    path.unlink()
    assert open_company(tmp_path).frozen.tables == company.frozen.tables
    assert path.is_file()


@pytest.mark.parametrize("text", ["", "{", '{"tables": {}}'])
def test_a_list_of_tables_that_was_cut_is_made_again(tmp_path: Path, text: str) -> None:
    company = open_company(write(tmp_path))
    path = company.frozen.folder / f"{company.frozen.key}.json"
    whole = path.read_text()
    path.write_text(text)
    assert open_company(tmp_path).notes == company.notes
    assert path.read_text() == whole


def test_a_damaged_table_is_written_anew_where_another_state_holds_it_too(tmp_path: Path) -> None:
    company = open_company(write(tmp_path))
    path = company.frozen.folder / f"{company.frozen.tables['accounts']}.parquet"
    good = path.read_bytes()
    path.write_bytes(b"damaged")
    open_company(write(tmp_path, FILES | {"opportunity_changes": CHANGES.replace("1200.00", "1300.00")}))
    assert path.read_bytes() == good


def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    company = open_company(write(tmp_path))
    expected = {f"{digest}.parquet" for digest in company.frozen.tables.values()} | {f"{company.frozen.key}.json"}
    assert set(stored(tmp_path)) == expected
    assert json.loads((company.frozen.folder / f"{company.frozen.key}.json").read_text())["notes"] == company.notes


# Folders that cannot be written to


def test_a_store_that_cannot_be_written_to_is_an_environment_fault(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / ".abm").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentFault) as caught:
        open_company(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.rule, fault.name, fault.where) == ("P07", "cannot-write", str(tmp_path / ".abm"))


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write anywhere: for a moment this process is `nobody`."""
    is_root = os.getuid() == 0
    if is_root:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_folder_that_may_only_be_read_is_exit_7_until_its_inputs_are_frozen(tmp_path: Path) -> None:
    open_company(write(tmp_path))  # what is imported on the way may not be readable by another user
    with tempfile.TemporaryDirectory() as name:
        place = write(Path(name))
        place.chmod(0o555)
        with ordinary_user(), pytest.raises(EnvironmentFault) as caught:
            open_company(place)
        assert caught.value.exit_code == 7
        assert [(f.rule, f.name, f.where) for f in caught.value.faults] == [("P07", "cannot-write", f"{place}/.abm")]
        place.chmod(0o755)
        first = open_company(place)
        for path in [place / ".abm", *(place / ".abm").rglob("*"), place]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        with ordinary_user():
            assert open_company(place).frozen.tables == first.frozen.tables
        for path in (place, place / ".abm", place / ".abm" / "store"):
            path.chmod(0o755)


def test_a_private_folder_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    open_company(write(tmp_path))
    assert (tmp_path / ".abm").stat().st_mode & 0o077 == 0


# Opened


def test_a_table_that_was_not_delivered_is_there_empty_and_typed(tmp_path: Path) -> None:
    company = open_company(write(tmp_path, {"accounts": ACCOUNTS, "people": FILES["people"]}))
    schema = dict(company.tables.touches.collect_schema())
    wanted = [*tables()["touches"].columns, "touched_on"]
    assert list(schema) == wanted
    assert str(schema["touched_on"]) == "Date"
    assert len(company.tables.engine.collect(company.tables.touches)) == 0
    assert "touches" not in company.tables.delivered


def test_a_name_that_is_no_table_is_no_attribute(tmp_path: Path) -> None:
    company = open_company(write(tmp_path))
    with pytest.raises(AttributeError, match="no canonical table 'acounts'"):
        _ = company.tables.acounts


def test_connections_are_in_utc_and_fetch_nothing_from_outside() -> None:
    con = store.connect()
    assert con.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]
    assert con.execute("select current_setting('autoinstall_known_extensions')").fetchall() == [(False,)]


def test_an_analysts_frame_is_read_in_place() -> None:
    pandas = pytest.importorskip("pandas")
    engine = store.DuckDB()
    assert engine.scan(pandas.DataFrame({"a": [1, 2]})).sum("a").fetchall() == [(3,)]
    assert engine.scan(duckdb.connect().sql("select 5 as a")).fetchall() == [(5,)]


def test_what_memory_cannot_hold_finds_its_folder_in_a_company_that_was_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, found = store.connect, []
    monkeypatch.setattr(
        store, "connect", lambda spill=None: found.append(spill and spill.parent.is_dir()) or connect(spill)
    )
    open_company(write(tmp_path))
    assert True in found and False not in found


def test_the_hash_of_an_input_is_worked_out_anew_when_it_was_written_to(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text in ("a,b\n1,2\n", "a,b\n1,3\n"):  # as long as before
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(1, 1))  # and no younger
        assert suspects.sha256_of_input(path) == suspects.sha256_of_input(path) == suspects.sha256(path)


def test_drafts_of_a_killed_process_go_with_the_next_freeze_and_those_of_a_living_one_stay(tmp_path: Path) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    kept = tmp_path / ".abm" / "store"
    kept.mkdir(parents=True)
    dead = {f"draft-{done.pid}.parquet", f"0123456789abcdef.json.{done.pid}"}
    alive = {f"draft-{os.getppid()}.parquet", "2026.parquet", "20260401.json"}
    for name in dead | alive:
        (kept / name).write_text("rows of people")
    open_company(write(tmp_path))
    there = {path.name for path in kept.iterdir()}
    assert not dead & there
    assert alive <= there
