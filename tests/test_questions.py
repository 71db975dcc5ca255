"""The questions that the report is asked: each has a page, its page shows what it needs, and without its input it stays open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import ROOT
from drawn import shown
from tiny import read

import abm_lib.metrics
from abm_lib import sample
from abm_lib.catalogue import cited, no_number
from abm_lib.metric import REGISTER
from abm_lib.questions import HEADLINES, Question, questions

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

WITHOUT = {
    "ad_days": "Q1 Q10 Q11 Q38",
    "meetings": "Q14 Q15 Q16 Q17 Q18 Q34 Q42",
    "subscriptions": "Q40 Q47",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    sample.write(folder, scale=0.05, seed=5)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("table", ["", *WITHOUT])
def test_without_a_table_the_questions_that_need_it_stay_open_and_no_other(
    table: str, small: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "without"
    shutil.copytree(small, folder, ignore=shutil.ignore_patterns(".abm", f"{table}.csv"))
    by = {"question", *(by for question in questions() for _, by in question.shows if by)}
    told = read(folder, "questions_answered", by=by)
    told = told[
        (told["metric"] == "questions_answered") & (told["slice_by"] == "question") & (told["quarter"] == "2026Q3")
    ]
    still_open = told[told["value"] == 0].set_index("slice")["caveats"]
    assert set(still_open.index) == set(WITHOUT.get(table, "").split())
    assert all(table in why for why in still_open), still_open.to_dict()
