"""What an edition tells of single people and accounts: the two profiles, and the attack on what they hide."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attack
import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest
import readings_fixture as invented_page
from bs4 import BeautifulSoup
from canaries import charts
from conftest import ROOT
from tiny import company, opened_small, rows, sample_readings

from abm_lib import edition as editions
from abm_lib import readings, sample
from abm_lib.company import Company, open_company
from abm_lib.disclosure import ANSWERS, NUMBERS, PEOPLE, PROFILES, _named, account_code, code_key, protected
from abm_lib.intervals import wilson
from abm_lib.metric import REGISTER
from abm_lib.pages import Page
from abm_lib.run import workbook
from abm_lib.run.render import render
from abm_lib.run.reuse import Made
from abm_lib.show.rows import NUMBERS as SHOWN
from abm_lib.show.rows import Readings

INTERNAL, SHARED = PROFILES["internal"], PROFILES["shared"]
KEY = b"a key of the company's own"
NOT_PEOPLE = {
    "account quarters", "accounts", "acts", "changes", "clicks", "companies", "conversations", "demos", "engagements",
    "entries", "exposures", "impressions", "meetings", "models", "money", "numbers", "opportunities", "pages", "promises", "quarters",
    "questions", "sessions", "stays", "tables", "views",
}  # fmt: skip
PARTS = ("numerator", "denominator", "n")
BLANK: dict[str, Any] = dict.fromkeys(NUMBERS) | {"method": "", "missing_because": "", "caveats": ""}


def drawn(metric: str, drawing: str, quarter: str = "2026Q3") -> pd.DataFrame:
    """Rows of one metric before comparison, drawn with some of `by`, `slice`, `quarter` and the parts; a share is worked out."""
    made = []
    for given in rows(drawing):
        row = BLANK | {"slice_by": "", "slice": "", "quarter": quarter, "metric": metric} | given
        row |= {"slice_by": row.pop("by", None) or row["slice_by"] or "", "unit": REGISTER[metric].unit}
        row |= {name: row[name] or "" for name in ("slice", "caveats", "method", "missing_because")}
        row["window"] = row["quarter"]
        made.append(_worked_out(row))
    return pd.DataFrame(made)


def _worked_out(row: dict[str, Any]) -> dict[str, Any]:
    k, n = row["numerator"], row["denominator"]
    if row["value"] is None and k is not None:
        row["value"] = k if n is None else k / n if n else None
        row["n"] = row["n"] if row["n"] is not None else (k if n is None else n)
        if row["unit"] == "share" and n and not row["method"]:
            low, high = wilson(np.array([float(k)]), np.array([float(n)]))
            row |= {"low": float(low[0]), "high": float(high[0]), "method": "Wilson, 95%"}
    if row["value"] is None and not row["missing_because"]:
        row["missing_because"] = "undefined"
    return row


def told(table: pd.DataFrame, by: str = "", field: str = "numerator") -> dict[str, Any]:
    """slice -> a field, or the reason why the row has no value."""
    chosen = table[table["slice_by"] == by]
    return {
        name: why if why else value
        for name, value, why in zip(chosen["slice"], chosen[field], chosen["missing_because"], strict=True)
    }


LEADS = """
by      | slice | numerator
        |       | 43
channel | email | 22
channel | web   | 18
channel | event | 3
tier    | 1     | 31
tier    | 2     | 12
tier    | 3     | 0
"""


def test_every_word_for_what_is_counted_is_known_as_people_or_not() -> None:
    counted = {metric.counts for metric in REGISTER.values()}
    assert counted == (counted & PEOPLE) | (counted & NOT_PEOPLE)
    assert not PEOPLE & NOT_PEOPLE and ANSWERS < PEOPLE


def test_shared_hides_the_whole_table_of_a_small_cell_and_rounds_the_rest() -> None:
    shared = protected(drawn("leads", LEADS), SHARED, KEY)
    assert told(shared) == {"": 45}
    assert told(shared, "channel") == dict.fromkeys(("email", "web", "event"), "suppressed")
    assert told(shared, "tier") == {"1": 30, "2": 10, "3": 0}
    hidden = shared[shared["missing_because"] == "suppressed"]
    assert hidden[list(NUMBERS)].isna().all(axis=None) and set(hidden["caveats"]) == {
        "too few people or deals to be shared"
    }
    assert (shared["value"].dropna() == shared["numerator"].dropna()).all()


def test_internal_hides_single_small_cells_and_tells_the_rest_exactly() -> None:
    table = drawn("leads", LEADS.replace("event | 3", "event | 2"))
    internal = protected(table, INTERNAL)
    assert told(internal) == {"": 43}
    assert told(internal, "channel") == {"email": 22, "web": 18, "event": "suppressed"}


def test_a_small_whole_hides_everything_under_it_and_nobody_is_not_hidden() -> None:
    small = protected(
        drawn("leads", "by | slice | numerator\n | | 4\nchannel | web | 4\nchannel | email | 0"), SHARED, KEY
    )
    assert set(small["missing_because"]) == {"suppressed"}
    nobody = protected(drawn("leads", "by | slice | numerator\n | | 0\nchannel | web | 0"), SHARED, KEY)
    assert list(nobody["numerator"]) == [0, 0]


def test_a_share_is_worked_out_anew_from_rounded_counts_with_its_range() -> None:
    (row,) = protected(drawn("icp_mql_share", "numerator | denominator\n23 | 41"), SHARED, KEY).to_dict("records")
    assert (row["numerator"], row["denominator"], row["n"], row["value"]) == (25, 40, 40, 25 / 40)
    low, high = wilson(np.array([25.0]), np.array([40.0]))
    assert (row["low"], row["high"]) == (low[0], high[0])


@pytest.mark.parametrize(
    ("k", "n", "why"),
    [(8, 19, "too few of whom it is a share"), (3, 60, "few have it"), (57, 60, "few lack it")],
)
def test_a_share_of_few_or_that_singles_few_out_is_hidden(k: int, n: int, why: str) -> None:
    shared = protected(drawn("icp_mql_share", f"numerator | denominator\n{k} | {n}"), SHARED, KEY)
    assert list(shared["missing_because"]) == ["suppressed"], why


def test_a_cost_by_person_is_worked_out_anew_so_that_it_does_not_tell_how_many() -> None:
    table = drawn("cost_per_lead", "numerator | denominator | n | value | method\n1000 | 13 | 13 | 76.923 | x")
    (row,) = protected(table, SHARED, KEY).to_dict("records")
    assert (row["value"], row["denominator"], row["n"]) == (1000 / 15, 15, 15)


def test_sums_over_quarters_of_people_are_not_told_beside_the_quarters() -> None:
    table = drawn(
        "leads", "by | slice | quarter | numerator\n | | 2026Q2 | 12\n | | 2026Q3 | 14\nyear | '2026' | 2026Q3 | 26"
    )
    shared = protected(table, SHARED, KEY)
    assert told(shared, "year") == {"2026": "suppressed"} and sorted(told(shared).values()) == [15]


def test_few_answers_are_hidden_in_both_and_a_score_tells_nothing_of_its_parts() -> None:
    table = drawn(
        "net_promoter_score", "value | numerator | denominator | n | low | high\n50.123 | 16 | 0.32 | 32 | 20.5 | 71.3"
    )
    (row,) = protected(table, SHARED, KEY).to_dict("records")
    assert np.isnan(row["numerator"]) and np.isnan(row["denominator"]) and row["n"] == 30
    assert (row["value"], row["low"], row["high"]) == (pytest.approx(50.1), 20, 72)
    for n, profile, hidden in ((9, SHARED, True), (10, SHARED, False), (4, INTERNAL, True), (5, INTERNAL, False)):
        few = drawn("net_promoter_score", f"value | numerator | denominator | n\n50 | 2 | {n / 100} | {n}")
        assert (protected(few, profile, KEY)["missing_because"] == "suppressed").all() == hidden, n


MONEY = """
by      | slice | numerator | n
        |       | 812345    | 14
segment | large | 700000    | 12
segment | small | 112345    | 2
tier    | 1     | 500000    | 8
tier    | 2     | 312345    | 6
"""


def test_amounts_of_deals_that_name_no_account_are_hidden_and_nothing_of_nothing_is_told() -> None:
    found = drawn("pipeline_created", "by | slice | value | numerator | n\n | | 70000 | 70000 | 0")
    assert told(protected(found, SHARED, KEY)) == {"": "suppressed"}
    nothing = drawn("pipeline_created", "by | slice | value | numerator | n\n | | 0 | 0 | 0")
    assert told(protected(nothing, SHARED, KEY)) == {"": 0}


def test_amounts_of_fewer_than_three_deals_are_hidden_in_every_metric_of_those_deals() -> None:
    won = drawn("closed_won_revenue", MONEY)
    mean = drawn(
        "average_selling_price",
        "by | slice | value | numerator | denominator | n\nsegment | large | 58333 | 700000 | 12 | 12",
    )
    other = drawn("open_pipeline", "by | slice | numerator | n\nsegment | large | 900000 | 9")
    shared = protected(pd.concat([won, mean, other], ignore_index=True), SHARED, KEY)
    by_metric = dict(iter(shared.groupby("metric")))
    assert set(told(by_metric["closed_won_revenue"], "segment").values()) == {"suppressed"}
    assert told(by_metric["closed_won_revenue"], "tier") == {"1": 500000, "2": 312000}
    assert told(by_metric["closed_won_revenue"]) == {"": 812000}
    assert told(by_metric["average_selling_price"], "segment") == {"large": "suppressed"}
    assert told(by_metric["open_pipeline"], "segment") == {"large": 900000}
    assert not (protected(won, INTERNAL)["missing_because"] == "suppressed").any()


def test_the_part_that_marketing_sourced_goes_with_the_table_it_is_a_cell_of() -> None:
    won = drawn(
        "closed_won_revenue",
        "by | slice | numerator | n\n | | 90000 | 9\nsource_owner | sales | 20000 | 2\nsource_owner | marketing | 70000 | 7",
    )
    part = drawn("marketing_sourced_revenue", "numerator | n\n70000 | 7")
    shared = protected(pd.concat([won, part], ignore_index=True), SHARED, KEY)
    assert list(shared["missing_because"]) == ["", "suppressed", "suppressed", "suppressed"]


def test_accounts_go_by_code_where_the_edition_travels_and_a_code_cannot_be_guessed() -> None:
    table = drawn("content_engaged_accounts", "by | slice | numerator\naccount/funnel | Ann Lee Consulting/top | 7")
    (coded,) = protected(table, SHARED, KEY)["slice"]
    assert coded == f"{account_code('Ann Lee Consulting', KEY)}/top" and "Lee" not in coded
    assert account_code("Ann Lee Consulting", KEY) != account_code("Ann Lee Consulting", b"another")
    assert list(protected(table, INTERNAL)["slice"]) == ["Ann Lee Consulting/top"]


def test_the_key_of_the_codes_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    key = code_key(tmp_path)
    assert len(key) == 32 and code_key(tmp_path) == key
    assert (tmp_path / ".abm" / "account-codes.key").stat().st_mode & 0o077 == 0


def test_owners_are_left_out_where_the_edition_travels() -> None:
    table = drawn(
        "win_rate_closed",
        "by | slice | numerator | denominator\nowner | A. Lind | 20 | 40\nsource_owner | sales | 20 | 40",
    )
    assert list(protected(table, SHARED, KEY)["slice_by"]) == ["source_owner"]
    assert list(protected(table, INTERNAL)["slice_by"]) == ["owner", "source_owner"]


def test_addresses_in_campaign_names_and_utms_are_masked_and_stay_apart() -> None:
    table = drawn(
        "campaign_sessions",
        "by | slice | numerator\ncampaign | jane@x.example | 30\ncampaign | to bob%40y.example now | 20",
    )
    for profile in (INTERNAL, SHARED):
        names = list(protected(table, profile, KEY)["slice"])
        assert names == ["(address hidden 1)", "to (address hidden 2) now"]


def test_a_name_of_a_megabyte_is_cut_and_two_of_them_stay_apart() -> None:
    table = drawn("campaign_sessions", "by | slice | numerator\ncampaign | a | 30\ncampaign | b | 20")
    table["slice"] = ["w" * 1_000_000 + "a", "w" * 1_000_000 + "b"]
    first, second = protected(table, INTERNAL)["slice"]
    assert first != second and len(first) < 210


def test_remarks_of_people_lose_their_counts_where_the_edition_travels() -> None:
    remark = "3 of 18 carry no source; it counts 14; 5 are needed"
    table = drawn("leads", "numerator | caveats\n43 | X").assign(caveats=remark)
    assert list(protected(table, SHARED, KEY)["caveats"]) == ["some carry no source; it counts 14; 5 are needed"]
    promise = drawn("promises_kept_share", "by | slice | numerator | denominator\npromise | g1 | 1 | 1")
    promise["caveats"] = "Leads at least 40 promised in 2026Q2 by the CMO; it was 3"
    assert list(protected(promise, SHARED, KEY)["caveats"]) == ["Leads at least 40 promised in 2026Q2 by the CMO"]


# Nothing hidden shines through


def invented(random: np.random.Generator) -> pd.DataFrame:
    """Eight quarters of leads by channel, tier and both, with cells of nobody, of few and of many; some share of them MQLs."""
    found = []
    for quarter in [f"{year}Q{q}" for year in (2025, 2026) for q in (1, 2, 3, 4)]:
        cube = random.choice([0, 1, 3, 6, 12, 30], size=(3, 3), p=[0.2, 0.1, 0.1, 0.2, 0.2, 0.2])
        some = random.binomial(cube, 0.6)
        lines = [("", "", cube.sum(), some.sum())]
        lines += [("channel", f"c{i}", cube[i].sum(), some[i].sum()) for i in range(3)]
        lines += [("tier", f"{i + 1}", cube[:, i].sum(), some[:, i].sum()) for i in range(3)]
        lines += [("tier/channel", f"{j + 1}/c{i}", cube[i, j], some[i, j]) for i in range(3) for j in range(3)]
        for metric in ("leads", "icp_mql_share"):
            text = "\n".join(
                f"{by} | '{name}' | {n} |" if metric == "leads" else f"{by} | '{name}' | {k} | {n}"
                for by, name, n, k in lines
            )
            found.append(drawn(metric, f"by | slice | numerator | denominator\n{text}", quarter))
    return pd.concat(found, ignore_index=True)


@pytest.mark.parametrize("seed", range(6))
def test_an_attacker_with_all_sums_and_margins_recovers_no_hidden_number(seed: int) -> None:
    exact = invented(np.random.default_rng(seed))
    cells = attack.cells(exact, protected(exact, SHARED, KEY), "people")
    assert cells["hidden"].any() and not cells["hidden"].all()
    assert attack.recovered([cells]) == []


def test_the_same_attacker_recovers_what_is_hidden_cell_by_cell() -> None:
    exact = invented(np.random.default_rng(1))
    naive = exact.copy()
    naive.loc[naive["numerator"].between(1, 4) | naive["n"].between(1, 4), list(NUMBERS)] = np.nan
    cells = attack.cells(exact, naive, "people")
    told_exactly = cells["low"].notna()
    cells.loc[told_exactly, ["low", "high"]] = np.repeat(cells.loc[told_exactly, ["true"]].to_numpy(), 2, axis=1)
    assert len(attack.recovered([cells])) > 5


@pytest.mark.parametrize("seed", range(4))
def test_what_is_hidden_has_no_influence_on_what_is_told(seed: int) -> None:
    """Two companies that differ only in cells that both hide have one and the same edition, down to the last byte."""
    random = np.random.default_rng(seed)
    one = drawn("leads", LEADS)
    small = random.integers(1, 5)
    other = drawn("leads", LEADS.replace("22", str(25 - small)).replace("event | 3", f"event | {small}"))
    pd.testing.assert_frame_equal(protected(one, SHARED, KEY), protected(other, SHARED, KEY))


def test_no_count_of_fewer_than_five_people_is_in_the_shared_readings_of_the_sample(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    whole = sample_readings(tmp_path_factory).assign(window="")
    shared = protected(whole, SHARED, KEY)
    people = shared["metric"].map({m.name: m.counts in PEOPLE for m in REGISTER.values()})
    parts = shared.loc[people & ~shared["unit"].isin(["money", "score"]), ["numerator", "denominator", "n"]]
    assert not parts.isin([1, 2, 3, 4]).any(axis=None)
    known = shared[people & (shared["slice_by"] == "") & (shared["quarter"] == "2026Q3")]
    assert (known["missing_because"] != "suppressed").mean() > 0.5, "most headline numbers of people can be shared"
    assert not shared["slice_by"].isin(["owner"]).any()
    accounts = shared[shared["slice_by"].str.split("/").map(lambda by: "account" in by)]
    assert len(accounts) > 100 and accounts["slice"].str.fullmatch(r"Account [A-Z2-7]{8}(/\w+)?").all()


PEOPLE_DRAWN = """
person_id | account_id | email | created_at | source
"""


def test_comparisons_and_colours_are_made_from_what_is_told(tmp_path: Path) -> None:
    """The quarter before and the year before are hidden with the row they come from (F175)."""
    made = "\n".join(
        f"p{i} | A1 | p{i}@alpha.example | {day} | Webinar"
        for i, day in enumerate(["2026-05-01"] * 3 + ["2026-08-01"] * 12)
    )
    folder = company(tmp_path / "firm", {"accounts": "account_id | name\nA1 | Alpha", "people": PEOPLE_DRAWN + made})
    opened = opened_small(folder)
    asked = opened.calendar.quarter("2026Q3")
    exact = readings.read(opened, asked, also=["leads"], families=["none"])
    shared = readings.read(opened, asked, also=["leads"], families=["none"], profile=SHARED)

    def row(table: pd.DataFrame, quarter: str) -> dict[str, Any]:
        chosen = table[(table["slice_by"] == "") & (table["quarter"] == quarter)]
        return chosen.to_dict("records")[0]  # type: ignore[return-value]

    assert (row(exact, "2026Q3")["value"], row(exact, "2026Q3")["previous"]) == (12, 3)
    assert row(shared, "2026Q3")["value"] == 10 and np.isnan(row(shared, "2026Q3")["previous"])
    assert row(shared, "2026Q2")["missing_because"] == "suppressed" and row(shared, "2026Q2")["status"] == "none"


@pytest.fixture(scope="module")
def four_editions(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[pd.DataFrame]]:
    """What an attacker reads in the last four editions of a small company, beside the truth."""
    folder = tmp_path_factory.mktemp("four") / "firm"
    sample.write(folder, seed=3, scale=0.02)
    opened = open_company(folder)
    truth: list[pd.DataFrame] = []
    finished = readings._finished

    def kept(base: Any, table: pd.DataFrame, profile: Any) -> pd.DataFrame:
        for name in ("unit", "counts"):
            table[name] = table["metric"].map({m.name: getattr(m, name) for m in REGISTER.values()})
        truth.append(table.assign(slice=table["slice"].fillna("").astype(str)))
        return finished(base, table, profile)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readings, "_finished", kept)
        for quarter in ("2025Q4", "2026Q1", "2026Q2", "2026Q3"):
            readings.read(opened, opened.calendar.quarter(quarter))
    for table in truth:
        table[list(NUMBERS)] = table[list(NUMBERS)].astype("float64")

    def of(kind: str) -> list[pd.DataFrame]:
        left_out = "^owner$" if kind == "people" else "account|^owner$"  # money by account is told nowhere
        kept = [t[~t["slice_by"].str.contains(left_out)].reset_index(drop=True) for t in truth]
        coded = [t.assign(slice=_named(t["slice"], t["slice_by"], SHARED, KEY)) for t in kept]
        return [attack.cells(c, protected(t, SHARED, KEY), kind) for c, t in zip(coded, kept, strict=True)]

    return of


@pytest.mark.slow
def test_the_last_four_editions_together_give_no_hidden_person_away(
    four_editions: Callable[[str], list[pd.DataFrame]],
) -> None:
    told = four_editions("people")
    assert all(cells["hidden"].sum() > 100 for cells in told)
    assert all(cells["slice_by"].str.contains("account").sum() > 50 for cells in told)
    assert attack.recovered(told) == []


@pytest.mark.slow
def test_the_last_four_editions_together_give_no_hidden_amount_away(
    four_editions: Callable[[str], list[pd.DataFrame]],
) -> None:
    told = four_editions("money")
    assert all(cells["hidden"].sum() > 100 for cells in told)
    assert attack.recovered(told, tolerance=1) == []


# What is drawn, said aloud and handed on


PAGES = ("summary", "accounts", "demand", "pipeline", "revenue", "for-sales")


@pytest.fixture(scope="module")
def two_readings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, pd.DataFrame, pd.DataFrame]:
    """A small company, all its readings, and those that may travel."""
    folder = tmp_path_factory.mktemp("two") / "firm"
    sample.write(folder, seed=3, scale=0.02)
    opened = open_company(folder)
    asked, kept = opened.calendar.quarter("2026Q3"), Made(opened, "2026Q3", None, "duckdb", "internal")
    exact = readings.read(opened, asked, kept=kept)
    return opened, exact, readings.read(opened, asked, profile=SHARED, kept=kept)


Cell = tuple[str, str, str, str]


def written(table: pd.DataFrame) -> dict[Cell, dict[str, str]]:
    """Each number of each row as pages write it, by metric, quarter and slice."""
    read = Readings(table, REGISTER, "2026Q3")
    every = [row for quarter in read.quarters for name in table["metric"].unique() for row in read.rows(name, quarter)]
    return {
        (row.metric, row.quarter, row.slice_by, row.slice): {
            field: row.text(field) for field in SHOWN if getattr(row, field) is not None
        }
        for row in every
    }


def only_hidden(opened: Company, exact: pd.DataFrame, shared: pd.DataFrame) -> tuple[set[str], set[str]]:
    """What is hidden and stands for nothing that is told: as it would be written, and its exact digits.

    Small whole numbers and round ones stand for too much (days, weeks, ticks of an axis) to be looked for.
    """
    coded = exact.assign(slice=_named(exact["slice"], exact["slice_by"], SHARED, code_key(opened.folder)))
    true, told = written(coded), written(shared)
    hidden = [cell for cell, texts in told.items() if "value" not in texts and "value" in true.get(cell, {})]
    texts = {true[cell][field] for cell in hidden for field in ("value", *PARTS) if field in true[cell]}
    texts -= {text for cells in told.values() for text in cells.values()}
    both = coded.merge(shared, on=attack.KEY, suffixes=("", "_told"))
    gone = both[both["missing_because_told"] == "suppressed"]
    digits = {f"{number:.9g}" for number in gone[["value", *PARTS]].stack() if number % 1 or abs(number) >= 1000}
    digits -= {f"{number:.9g}" for number in shared[list(SHOWN)].stack()}
    digits = {number for number in digits if sum(map(str.isdigit, number)) > 3}  # 1.7 is also where a bar begins
    exactly = {text for text in texts if len(re.sub(r"\D", "", text).strip("0")) > 1}
    return {text for text in exactly if sum(map(str.isdigit, text)) > 3 or re.search(r"[€%x]", text)}, digits


def leaks(page: str, hidden: tuple[set[str], set[str]]) -> set[str]:
    """What of it a page holds: in its text, in what is read aloud, in its drawings, or packed for its script."""
    found = BeautifulSoup(page, "html5lib")
    for unread in found.select("style, script"):
        unread.decompose()
    named = [
        str(value) for tag in found.find_all(True) for name, value in tag.attrs.items() if name not in ("d", "style")
    ]
    data = "\n".join(charts(page))
    everything = "\n".join([found.body.get_text(" "), *named, data])
    tokens = set(re.findall(r"[−]?[€$]?\d[\d.,]*(?:[%kMBx]\b|%)?", everything))
    numbers = {f"{float(number):.9g}" for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", data)}
    return (hidden[0] & {token.rstrip(".,") for token in tokens}) | (hidden[1] & numbers)


def drawn_page(opened: Company, family: str, table: pd.DataFrame, profile: str) -> str:
    edition = editions.describe(opened, opened.calendar.quarter("2026Q3"), table, profile=profile)
    notebook = nbformat.read(ROOT / "notebooks" / f"{family}.ipynb", 4)
    return render(invented_page.run_cells(notebook, Page(family, table, edition, REGISTER)), family, edition)


@pytest.mark.slow
def test_no_hidden_number_stands_in_a_page_a_drawing_its_data_or_the_workbook(
    two_readings: tuple[Company, pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    opened, exact, shared = two_readings
    hidden = only_hidden(opened, exact, shared)
    assert min(map(len, hidden)) > 300
    assert len(leaks(drawn_page(opened, "pipeline", exact, "internal"), hidden)) > 30, "they would be seen"
    for family in PAGES:
        assert leaks(drawn_page(opened, family, shared, "shared"), hidden) == set(), family
    edition = editions.describe(opened, opened.calendar.quarter("2026Q3"), shared, profile="shared")
    workbook.write(tmp_path / "report.xlsx", shared, edition, REGISTER)
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert [(sheet.title, sheet.sheet_state) for sheet in book] == [
        (name, "visible") for name in ("About", "Readings", "Definitions")
    ]
    head, *rows = book["Readings"].iter_rows(values_only=True)
    assert len(rows) == len(shared) and not any(
        sheet.column_dimensions[c].hidden for sheet in book for c in sheet.column_dimensions
    )
    for row in (dict(zip(head, row, strict=True)) for row in rows):
        if row["missing_because"] == "suppressed":
            assert {row[name] for name in NUMBERS} == {None}


def test_every_pair_of_profiles_agrees_on_what_neither_hides() -> None:
    table = pd.concat([drawn("closed_won_revenue", MONEY), drawn("deals_won", "numerator\n14")], ignore_index=True)
    for one, other in itertools.permutations((INTERNAL, SHARED), 2):
        a, b = protected(table, one, KEY), protected(table, other, KEY)
        both = (a["missing_because"] == "") & (b["missing_because"] == "")
        assert np.allclose(a.loc[both, "value"], b.loc[both, "value"], rtol=0.005)
