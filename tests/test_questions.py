"""The questions that the report is asked: each has a page, its page shows what it needs, and without its input it stays open."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
from conftest import ROOT
from drawn import shown
from tiny import SAMPLE, opened_small

import abm_lib.metrics
from abm_lib import readings, sample
from abm_lib.catalogue import cited, no_number
from abm_lib.company import Company
from abm_lib.metric import REGISTER, tables_of
from abm_lib.questions import HEADLINES, Question, questions
from abm_lib.readings import Unfinished

ASKED = """
    S0-16 S0-21 S0-22 S0-23 S0-24 S0-25 S0-26 S0-30 S0-39 S0-40 S0-41 S0-42 S0-43 S0-48 S0-49 S0-50 S0-51 S0-52 S0-59 S0-60
    S0-61 S0-67 S0-68 S0-73 S0-74 S0-75 S0-76 S0-81 S0-82 S0-83 S0-84 S0-85 S0-88 S0-92 S1-17 S1-19 S1-21 S1-22 S1-23 S1-35
    S1-40 S2-25 S3-05 S3-06 S3-07 S3-09 S3-14
    """.split()


# How many requirements each of the four articles has.
REQUIREMENTS = {"S0": 94, "S1": 41, "S2": 37, "S3": 18}


def test_every_requirement_is_cited_by_a_metric_or_a_question_or_says_how_it_is_met_without() -> None:
    every = {f"{article}-{n:02}" for article, most in REQUIREMENTS.items() for n in range(1, most + 1)}
    metrics = {requirement for requirement in cited(REGISTER) if requirement.startswith("S")}
    assert len(every) == 190
    assert metrics | {q.source for q in questions()} | no_number().keys() == every
    assert not metrics & no_number().keys() and all(no_number().values())


def test_there_are_47_questions_each_with_its_requirement() -> None:
    assert abm_lib.metrics.FAMILIES
    assert [q.source for q in questions()] == ASKED
    assert [q.name for q in questions()] == [f"Q{n}" for n in range(1, 48)]
    assert len({q.ask for q in questions()}) == 47


@pytest.mark.parametrize("question", questions(), ids=lambda q: q.name)
def test_a_question_names_metrics_and_slices_that_exist(question: Question) -> None:
    for metric, by in question.shows:
        assert metric in REGISTER
        assert not by or by in REGISTER[metric].by, f"{metric} by {by}"


@pytest.mark.parametrize("question", questions(), ids=lambda q: q.name)
def test_the_page_of_a_question_shows_every_reading_that_answers_it(question: Question) -> None:
    assert set(question.shows) - shown(question.page) == set()


def test_a_headline_number_is_a_card_of_the_executive_page() -> None:
    notebook = (ROOT / "notebooks" / "summary.ipynb").read_text(encoding="utf-8")
    for metric, by, value in HEADLINES:
        assert f'\\"{metric}{f":{by}={value}" if by else ""}\\"' in notebook


def test_influence_is_never_on_the_executive_page() -> None:
    assert not {metric for metric, _ in shown("summary") if "influence" in metric or "attributed" in metric}


# Without its input

# For each table of the sample company, the questions that stay open without it. coverage.md, "Needs", with settled.md above it:
# spend is what the ad platforms charged (Q10 and Q11 need no costs); a frozen source falls back on the source field; a rate is
# needed for foreign money alone; ads, meetings and visits carry their channel, visits their campaign's own id.
WITHOUT = {
    "account_changes": "",  # the accounts as they are now
    "account_lists": "Q1 Q13 Q18 Q31 Q35 Q37 Q39 Q40 Q41 Q44 Q45 Q46",
    "account_stages": "Q41 Q42 Q44 Q46",
    "accounts": "Q7 Q12 Q13 Q18 Q26 Q28 Q29 Q31 Q35 Q39 Q40 Q41 Q44 Q45 Q46",
    "ad_account_days": "Q1 Q37",
    "ad_days": "Q1 Q10 Q11 Q38",
    "ad_title_months": "Q1",
    "assets": "Q35 Q39 Q41 Q44",
    "budgets": "Q11",
    "campaign_members": "Q9",
    "campaigns": "Q9 Q10 Q39 Q43",
    "control_totals": "",
    "costs": "Q40",
    "cta_events": "Q3 Q45 Q46",
    "email_events": "Q43",
    "emails": "Q43",
    "events_log": "",
    "experiments": "Q1 Q38",
    "fx": "Q19",  # every amount in a quarter of so small a company is foreign
    "loads": "",
    "meetings": "Q14 Q15 Q16 Q17 Q18 Q34 Q42",
    "notes": "",
    "opportunities": "Q14 Q15 Q17 Q19 Q20 Q21 Q22 Q23 Q24 Q25 Q26 Q27 Q28 Q29 Q30 Q31 Q32 Q33 Q34 Q35 Q40",
    "opportunity_changes": "Q14 Q15 Q17 Q19 Q20 Q21 Q22 Q23 Q24 Q25 Q26 Q27 Q28 Q29 Q30 Q31 Q32 Q33 Q34 Q35 Q40",
    "opportunity_roles": "",  # a title says a role as well
    "opportunity_sources": "",
    "owners": "",
    "page_views": "Q2 Q3 Q4 Q5 Q6 Q7 Q8 Q35 Q39 Q41 Q44",
    "people": "Q9 Q10 Q11 Q12 Q13 Q45",
    "person_accounts": "",
    "person_stages": "Q9 Q10 Q11 Q12 Q13",
    "promises": "Q42",
    "subscriptions": "Q40 Q47",
    "suppressions": "",
    "survey_invites": "",
    "surveys": "",
    "targets": "Q22 Q23 Q27",
    "touches": "Q35 Q36 Q39 Q41 Q45",
}
SLICES = {"question", *(by for question in questions() for _, by in question.shows if by)}


class Rest:
    """The readings of metrics that nothing taken away was part of, as they were: what is left is read anew."""

    def __init__(self) -> None:
        self.made = Unfinished(pd.DataFrame(), {})
        self.company: Company | None = None

    def without(self, table: str, company: Company) -> Rest:
        before = self.company.frozen.tables if self.company else {}
        gone = {name for name, digest in before.items() if company.frozen.tables.get(name) != digest} | {table}
        kept = {name: read for name, read in self.made.read.items() if not _touched(name, read, gone)}
        rest = Rest()
        rest.made = Unfinished(self.made.rows[self.made.rows["metric"].isin(kept)], kept)
        return rest

    def unfinished(self) -> Unfinished:
        return self.made

    def keep_unfinished(self, made: Unfinished) -> None:
        self.made = made


def _touched(metric: str, read: set[str], gone: set[str]) -> bool:
    """Whether a metric was made of what is gone, or asks for it."""
    asked = {need.split(".")[0] for needs in REGISTER[metric].needs for need in needs.split("|")}
    asked |= {name for table in tables_of(REGISTER[metric]) for name in table.split("|")}
    made_of_it = {name.removeprefix("span ") for name in read} | asked
    return metric == "questions_answered" or not gone.isdisjoint(made_of_it)


def answers(folder: Path, kept: Rest) -> pd.DataFrame:
    """Each question in the last quarter: 1 where the company's data answer it, else the reason in its caveats."""
    company = opened_small(folder)
    sliced = {
        name: replace(metric, by=tuple(by for by in metric.by if by in SLICES)) for name, metric in REGISTER.items()
    }
    with patch.object(readings, "REGISTER", sliced), patch.object(readings, "SHOWN", 1):
        kept.company = kept.company or company
        found = readings.read(company, company.calendar.quarter("2026Q3"), families=["quality"], kept=kept)
    return found[(found["metric"] == "questions_answered") & (found["slice_by"] == "question")].set_index("slice")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rest]:
    """A small sample company that answers every question, and its readings."""
    folder, everything = tmp_path_factory.mktemp("asked") / "firm", Rest()
    sample.write(folder, scale=0.05, seed=5)
    assert set(answers(folder, everything)["value"]) == {1}
    return folder, everything


def test_every_table_of_the_sample_company_is_taken_away_once() -> None:
    assert set(WITHOUT) == {path.stem for path in SAMPLE.glob("*.csv")}


@pytest.mark.slow
@pytest.mark.parametrize("table", [table for table, needed_by in WITHOUT.items() if needed_by])
def test_without_a_table_the_questions_that_need_it_stay_open_and_no_other(
    table: str, small: tuple[Path, Rest], tmp_path: Path
) -> None:
    folder = shutil.copytree(small[0], tmp_path / "without")
    (folder / f"{table}.csv").unlink()
    told = answers(folder, small[1].without(table, opened_small(folder)))
    still_open = told[told["value"] == 0]["caveats"]
    assert sorted(still_open.index, key=number) == WITHOUT[table].split()
    if table != "fx":  # a missing rate is told by the number of amounts without one
        assert all(table in why for why in still_open), still_open.to_dict()


def number(question: str) -> int:
    return int(question.removeprefix("Q"))
