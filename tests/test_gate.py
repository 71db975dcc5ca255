"""The gate, what is used again, and what is said of two editions."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_company import FILES, write

from abm_lib import edition as editions
from abm_lib.company import open_company
from abm_lib.run import diff, gate
from abm_lib.run.reuse import Made, Parts

READING = {"metric": "win_rate", "version": 1, "quarter": "2026Q1", "slice_by": "", "slice": "", "value": 0.25, "n": 8.0,
           "missing_because": "", "caveats": ""}  # fmt: skip
NUMBER = '<data data-field="value" data-metric="win_rate" data-quarter="2026Q1" data-slice="" data-slice-by="" value="0.25">25%</data>'


def folder(place: Path, page: str = NUMBER, **reading: Any) -> dict[str, str]:
    """An edition of one page and one reading; the sha256 of the page as it was checked."""
    place.mkdir(exist_ok=True)
    pd.DataFrame([READING | reading]).to_parquet(place / "readings.parquet")
    (place / "index.html").write_text(page, encoding="utf-8")
    return {"index.html": sha256(page.encode()).hexdigest()}


def names(faults: list[Any]) -> list[tuple[str, str]]:
    return [(fault.name, fault.where) for fault in faults]


def test_a_page_whose_numbers_are_readings_passes_with_the_sha256_of_every_file(tmp_path: Path) -> None:
    checked = folder(tmp_path)
    digests, faults = gate.check(tmp_path, checked)
    assert faults == []
    assert digests == {p.name: sha256(p.read_bytes()).hexdigest() for p in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('value="0.25"', 'value="0.2500000001"'), ("win_rate", "loss_rate"), ("2026Q1", "2025Q4"), ('"value" data', '"high" data'),
        ('data-slice=""', 'data-slice="1"'), ('value="0.25"', 'value="much"'), (' value="0.25"', ""), ('"value" data', '"nonsense" data'),
    ],
)  # fmt: skip
def test_a_number_that_is_not_the_reading_it_names_is_refused(tmp_path: Path, was: str, now: str) -> None:
    assert was in NUMBER
    checked = folder(tmp_path, NUMBER.replace(was, now))
    assert names(gate.check(tmp_path, checked)[1]) == [("untraced", "index.html")]


def test_a_reading_without_a_value_traces_nothing(tmp_path: Path) -> None:
    checked = folder(tmp_path, value=float("nan"))
    assert names(gate.check(tmp_path, checked)[1]) == [("untraced", "index.html")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"), ("AKIAABCDEFGHIJKLMNOP", "an access key"),
        ("postgres://me:pa55@db/x", "a password in an address"), ("<p>ann@alpha.example</p>", "a mail address"),
        ("<p>/home/ann/firm</p>", "a path of this machine"),
    ],
)  # fmt: skip
def test_what_no_reader_may_be_sent_is_refused(tmp_path: Path, text: str, found: str) -> None:
    checked = folder(tmp_path, NUMBER + text)
    faults = gate.check(tmp_path, checked, ("/home/ann/firm",))[1]
    assert [(fault.name, fault.found) for fault in faults] == [("not-for-readers", found)]


def test_bytes_other_than_were_checked_and_pages_that_were_not_are_refused(tmp_path: Path) -> None:
    checked = folder(tmp_path)
    (tmp_path / "index.html").write_text(NUMBER + " ")
    (tmp_path / "extra.html").write_text("<p></p>")
    assert names(gate.check(tmp_path, checked)[1]) == [("changed", "index.html"), ("unchecked", "extra.html")]


def test_a_page_over_its_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = folder(tmp_path)
    monkeypatch.setattr(gate, "LARGEST_PAGE", 100)
    assert names(gate.check(tmp_path, checked)[1]) == [("too-large", "index.html")]


def test_verify_repeats_the_trace(tmp_path: Path) -> None:
    folder(tmp_path, NUMBER.replace("0.25", "0.3"))
    files = {p.name: sha256(p.read_bytes()).hexdigest() for p in tmp_path.iterdir()}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    assert names(gate.verify(tmp_path)) == [("untraced", "index.html")]


# Used again


SAID = {"quarter": "2026Q1", "run": "20260401T000000Z-abcdef", "as_of": "2026-04-10"}
PARTS = Parts("ads", ["<p>a win rate</p>"], "", {"figure": 0, "table": 0})
TABLE = pd.DataFrame([READING, READING | {"metric": "ad_clicks", "value": 3.0}])


def made(place: Path, **files: str) -> Made:
    return Made(open_company(write(place, FILES | files)), "2026Q1", None, "duckdb", "internal")


def test_readings_are_used_again_until_a_table_a_setting_or_a_parameter_changes(tmp_path: Path) -> None:
    first = made(tmp_path)
    assert first.readings() is None
    first.keep_readings(TABLE)
    again = made(tmp_path).readings()
    assert again is not None
    pd.testing.assert_frame_equal(again, TABLE, check_dtype=False)
    company = open_company(tmp_path)
    assert Made(company, "2026Q1", date(2026, 5, 1), "duckdb", "internal").readings() is None
    assert Made(company, "2026Q1", None, "duckdb", "shared").readings() is None
    assert made(tmp_path, accounts=FILES["accounts"].replace("large", "small")).readings() is None
    assert made(tmp_path).readings() is not None, "the old inputs are back"
    (tmp_path / "abm.toml").write_text((tmp_path / "abm.toml").read_text() + "[min_n]\ncolour = 9\n")
    assert Made(open_company(tmp_path), "2026Q1", None, "duckdb", "internal").readings() is None


def test_a_page_is_used_again_until_a_reading_that_it_asked_for_changes(tmp_path: Path) -> None:
    notebook = tmp_path / "ads.ipynb"
    notebook.write_text("{}")
    kept = made(tmp_path / "firm")
    kept.keep_page(PARTS, notebook, SAID, TABLE, ["win_rate"])
    other = TABLE.assign(value=[0.25, 4.0])
    assert kept.page("ads", notebook, SAID, other) == PARTS
    assert kept.page("ads", notebook, SAID, TABLE.assign(value=[0.26, 3.0])) is None
    assert kept.page("ads", notebook, SAID | {"is_short": True}, TABLE) is None
    assert kept.page("content", notebook, SAID, TABLE) is None
    notebook.write_text("{} ")
    assert kept.page("ads", notebook, SAID, TABLE) is None


def test_what_stands_in_head_and_foot_alone_makes_no_page_anew(tmp_path: Path) -> None:
    notebook = tmp_path / "ads.ipynb"
    notebook.write_text("{}")
    kept = made(tmp_path / "firm")
    kept.keep_page(PARTS, notebook, SAID, TABLE, ["win_rate"])
    sources = [{"name": "ad_days", "newest": "2026-04-09", "rows": 7}]
    told = {
        "run": "20260402T000000Z-fedcba",
        "state": "restated",
        "as_of": "2026-04-11",
        "sources": sources,
        "caveats": 3,
        "generated": "2026-04-12",
        "quarters": ["2026Q1"],
    }
    assert kept.page("ads", notebook, SAID | told, TABLE) == PARTS


@pytest.mark.parametrize("kind", ["json", "parquet"])
@pytest.mark.parametrize("harm", ["flipped", "cut", "empty"])
def test_a_kept_file_whose_bytes_changed_is_not_used_but_made_anew(tmp_path: Path, kind: str, harm: str) -> None:
    notebook = tmp_path / "ads.ipynb"
    notebook.write_text("{}")
    kept = made(tmp_path / "firm")
    kept.keep_page(PARTS, notebook, SAID, TABLE, ["win_rate"])
    kept.keep_readings(TABLE)
    (path,) = (tmp_path / "firm" / ".abm" / "made").glob(f"*.{kind}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"flipped": bytes(data), "cut": bytes(data[:100]), "empty": b""}[harm])
    found = {"json": kept.page("ads", notebook, SAID, TABLE), "parquet": kept.readings()}
    assert found[kind] is None
    assert [name for name, each in found.items() if each is None] == [kind]
    kept.keep_page(PARTS, notebook, SAID, TABLE, ["win_rate"])
    kept.keep_readings(TABLE)
    assert kept.page("ads", notebook, SAID, TABLE) == PARTS and kept.readings() is not None
    assert len(list(path.parent.glob(f"*.{kind}"))) == 1


# Two editions


def published(place: Path, state: str = "final", inputs: str = "a", restatement: int = 0, **reading: Any) -> Path:
    folder(place, **reading)
    described = {"quarter": "2026Q1", "state": state, "run": place.name, "as_of": "2026-04-10"}
    described |= {"restatement": restatement} if restatement else {}  # type: ignore[dict-item]
    manifest = {"edition": described, "inputs": {"deals.csv": {"sha256": inputs}}, "versions": {"pandas": "3"},
                "parameters": {"as_of": "x"}, "code": "c", "settings": "s"}  # fmt: skip
    (place / "manifest.json").write_text(json.dumps(manifest))
    return place


def test_a_diff_names_what_moved_and_the_input_that_changed(tmp_path: Path) -> None:
    old, new = published(tmp_path / "old"), published(tmp_path / "new", inputs="b", value=0.5)
    assert list(diff.lines(old, new)) == [
        "2026Q1 final old → 2026Q1 final new", "inputs: deals.csv changed",
        "win_rate 2026Q1: 0.25 → 0.5  (inputs)", "1 numbers and 0 of their slices moved, of 1",
    ]  # fmt: skip


def told_of(place: Path, name: str, **manifest: Any) -> Path:
    """An edition whose manifest says more."""
    folder = published(place / name)
    said = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(said | manifest))
    return folder


def test_a_diff_names_the_table_the_section_and_the_map_that_changed(tmp_path: Path) -> None:
    store = tmp_path / "firm" / ".abm" / "store"
    store.mkdir(parents=True)
    pd.DataFrame({"id": ["a", "b", "c"], "amount": [1, 2, 3]}).to_parquet(store / "x.parquet")
    pd.DataFrame({"id": ["a", "b", "d", "e"], "amount": [1, 5, 3, 3]}).to_parquet(store / "y.parquet")
    first = {"frozen_tables": {"deals": "x", "same": "z"}, "tables": {"deals": {"accepted": 3}}, "settings": "1",
             "sections": {"[fiscal]": "1", "[min_n]": "1"}, "maps": {"crm.toml": "1"}}  # fmt: skip
    then = {"frozen_tables": {"deals": "y", "same": "z", "leads": "l"}, "tables": {"deals": {"accepted": 4}}, "settings": "2",
            "sections": {"[fiscal]": "1", "[min_n]": "2"}, "maps": {"crm.toml": "2"}}  # fmt: skip
    old, new = told_of(tmp_path, "old", **first), told_of(tmp_path, "new", **then)
    assert list(diff.lines(old, new))[1:5] == [
        "settings: [min_n] changed", "maps: crm.toml changed", "  table deals: 3 → 4 rows", "  table leads: added",
    ]  # fmt: skip
    assert (
        list(diff.lines(old, new, tmp_path / "firm"))[3]
        == "  table deals: 3 → 4 rows; 3 rows are new and 2 gone, a changed one being both"
    )


def test_a_diff_blames_the_definition_where_its_version_moved(tmp_path: Path) -> None:
    old, new = published(tmp_path / "old"), published(tmp_path / "new", inputs="b", value=0.5, version=2)
    assert list(diff.lines(old, new))[2] == "win_rate 2026Q1: 0.25 → 0.5  (definition 1 → 2)"


def test_a_diff_of_equal_editions_says_so(tmp_path: Path) -> None:
    told = list(diff.lines(published(tmp_path / "old"), published(tmp_path / "new")))
    assert told[1:] == ["nothing that numbers are made of has changed", "0 numbers and 0 of their slices moved, of 1"]


def test_a_diff_says_that_pages_are_drawn_otherwise_and_blames_no_number_on_it(tmp_path: Path) -> None:
    old, new = published(tmp_path / "old"), published(tmp_path / "new", value=0.5)
    for name, drawn in ((old, "a"), (new, "b")):
        manifest = json.loads((name / "manifest.json").read_text())
        (name / "manifest.json").write_text(json.dumps(manifest | {"pages": drawn}))
    told = list(diff.lines(old, new))
    assert told[2] == "pages: drawn by other code or notebooks, of which no number is made"
    assert told[3].endswith("(nothing)")


@pytest.mark.parametrize(
    ("before", "now", "value", "expected"),
    [
        ("provisional", "final", 0.3, {"state": "final"}), ("final", "final", 0.25, {"state": "final"}),
        ("final", "final", 0.3, {"state": "restated", "restatement": 1}), ("final", "provisional", 0.3, {"state": "provisional"}),
        ("restated", "final", 0.3, {"state": "restated", "restatement": 3}),
        ("restated", "final", 0.25, {"state": "restated", "restatement": 2}),
    ],
)  # fmt: skip
def test_a_final_edition_whose_numbers_changed_is_restated_and_counted(
    tmp_path: Path, before: str, now: str, value: float, expected: dict[str, Any]
) -> None:
    old = published(tmp_path / "old", before, restatement=2 if before == "restated" else 0)
    table = pd.DataFrame([READING | {"value": value}])
    got = editions.restated({"state": now, "as_of": "2026-04-10"}, table, old)
    assert {name: got[name] for name in got if name != "as_of"} == expected


def in_force(out: Path, table: pd.DataFrame, state: str = "final", profile: str = "internal") -> None:
    """The edition in force of each quarter in the table."""
    for quarter, rows in table.groupby("quarter"):
        (out / str(quarter)).mkdir(parents=True, exist_ok=True)
        rows.to_parquet(out / str(quarter) / "readings.parquet")
        said = {"edition": {"state": state, "profile": profile}}
        (out / str(quarter) / "manifest.json").write_text(json.dumps(said))


REPORTED = {"unit": "share", "as_reported": float("nan")}
TWO_QUARTERS = pd.DataFrame(
    [READING | REPORTED, READING | REPORTED | {"quarter": "2025Q4", "value": 0.5, "caveats": "few"}]
)


def test_what_a_final_edition_said_otherwise_is_told_beside_the_number(tmp_path: Path) -> None:
    in_force(tmp_path, TWO_QUARTERS.assign(value=[0.25, 0.4]))
    got = editions.as_reported(TWO_QUARTERS, "internal", tmp_path)
    assert got["value"].tolist() == [0.25, 0.5], "the number stays the one of today"
    assert got["as_reported"].isna().tolist() == [True, False] and got["as_reported"][1] == 0.4
    assert got["caveats"].tolist() == ["", "few; reported as 40.0% before"]


def test_the_same_numbers_again_tell_the_same_of_what_was_reported(tmp_path: Path) -> None:
    in_force(tmp_path, TWO_QUARTERS.assign(value=[0.3, 0.5]))
    first = editions.as_reported(TWO_QUARTERS, "internal", tmp_path)
    assert first["as_reported"].tolist()[0] == 0.3
    in_force(tmp_path, first, "restated")
    pd.testing.assert_frame_equal(editions.as_reported(TWO_QUARTERS, "internal", tmp_path), first)


@pytest.mark.parametrize(
    ("state", "profile"), [("provisional", "internal"), ("to_date", "internal"), ("final", "shared")]
)
def test_numbers_that_were_said_to_move_or_told_to_others_were_not_reported(
    tmp_path: Path, state: str, profile: str
) -> None:
    in_force(tmp_path, TWO_QUARTERS.assign(value=9.0), state, profile)
    pd.testing.assert_frame_equal(editions.as_reported(TWO_QUARTERS, "internal", tmp_path), TWO_QUARTERS)


def test_an_edition_whose_readings_were_harmed_has_reported_nothing(tmp_path: Path) -> None:
    in_force(tmp_path, TWO_QUARTERS.assign(value=9.0))
    for path in tmp_path.glob("*/readings.parquet"):
        path.write_bytes(path.read_bytes()[:50])
    pd.testing.assert_frame_equal(editions.as_reported(TWO_QUARTERS, "internal", tmp_path), TWO_QUARTERS)
    old, now = published(tmp_path / "2026Q1"), {"state": "final", "as_of": "2026-04-10"}
    table = editions.read_readings(old)
    assert editions.restated(now, table, old)["state"] == "final"
    (old / "readings.parquet").write_bytes((old / "readings.parquet").read_bytes()[:50])
    assert editions.restated(now, table, old)["state"] == "restated"


def test_a_number_that_is_not_given_now_is_not_given_as_reported_either(tmp_path: Path) -> None:
    in_force(tmp_path, TWO_QUARTERS)
    hidden = TWO_QUARTERS.assign(value=float("nan"), missing_because="suppressed")
    assert editions.as_reported(hidden, "internal", tmp_path)["as_reported"].isna().all()


def test_where_nothing_was_published_the_state_stands(tmp_path: Path) -> None:
    assert editions.restated({"state": "final"}, TABLE, tmp_path / "none") == {"state": "final"}
