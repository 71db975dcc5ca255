"""Voice: every metric worked out by hand on a few answers and notes, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, read, reading, slices, value

FEW = "[min_n]\nqualitative = 5\n"
SAID = {
    "accounts": "account_id | name\na1 | One\na2 | Two\na3 | Three",
    # LinkedIn means linkedin_ads, Cold Call outbound, whatever the case and the spaces around; a podcast is no channel.
    "people": """
        person_id | account_id | created_at          | self_reported_source | is_internal | survivor_id
        p1        | a1         | 2026-07-01 00:00:00 | LinkedIn             | no          |
        p2        | a1         | 2026-07-02 10:00:00 | COLD call            |             |
        p3        | a2         | 2026-08-01 10:00:00 | partner              | no          |
        p4        |            | 2026-09-30 23:59:59 | A podcast about pumps| no          |
        p5        | a2         | 2026-08-01 10:00:00 |                      | no          |
        p6        | a2         | 2026-08-01 10:00:00 | LinkedIn             | yes         |
        p7        | a2         | 2026-08-01 10:00:00 | LinkedIn             | no          | p3
        p8        | a2         | 2026-10-01 00:00:00 | LinkedIn             | no          |
        p9        | a3         | 2026-06-30 23:59:59 | LinkedIn             | no          |
        p0        | a3         | 2025-12-31 10:00:00 |                      | no          |
        """,
    "opportunities": """
        opportunity_id | account_id | business_type | created_at          | self_reported_source | deleted_at | survivor_id
        o1             | a3         | new           | 2026-08-15 10:00:00 | linkedin_ads         |            |
        o2             | a3         | expansion     | 2026-08-15 10:00:00 | outbound             |            |
        o3             | a3         | new           | 2026-08-15 10:00:00 | LinkedIn             | 2026-08-20 |
        o4             | a3         | new           | 2026-08-15 10:00:00 | LinkedIn             |            | o1
        o5             | a3         | new           | 2026-08-15 10:00:00 |                      |            |
        """,
    "opportunity_changes": "opportunity_id | changed_at | stage\no1 | 2026-08-15 | qualified",
    # a1: LinkedIn on the day of p1's answer and before p2's; a3: an impression, then outbound a year and more before.
    "touches": """
        touch_id | touched_at          | account_id | person_id | channel      | kind
        t2       | 2026-07-01 18:00:00 | a1         |           | outbound     | call
        t1       | 2026-07-01 18:00:00 | a1         |           | linkedin_ads | ad_click
        t3       | 2026-08-02 00:00:00 | a2         |           | partner      | referral
        t4       | 2026-09-01 10:00:00 |            | p4        | email        | form
        t5       | 2025-08-14 10:00:00 | a3         |           | partner      | referral
        t6       | 2025-08-15 10:00:00 | a3         |           | outbound     | call
        t7       | 2025-08-16 10:00:00 | a3         |           | linkedin_ads | ad_click
        t8       | 2026-01-01 10:00:00 | a2         |           | linkedin_ads | impression
        t9       | 2026-01-02 10:00:00 | a2         | p6        | linkedin_ads | ad_click
        """,
}
NOTES = {
    "accounts": "account_id | name | is_test\na1 | One | no\na9 | Test | yes",
    "notes": """
        note_id | noted_on   | source     | account_id | theme  | sentiment | text
        n1      | 2026-07-01 | community  |            | uptime | positive  | secret words
        n2      | 2026-09-30 | community  |            | uptime | positive  | secret words
        n3      | 2026-08-01 | podcast    |            | energy | negative  | secret words
        n4      | 2026-08-01 | ad_comment |            |        |           | secret words
        n5      | 2026-10-01 | podcast    |            | energy | negative  | secret words
        n6      | 2026-03-31 | sales_call | a1         | energy | neutral   | secret words
        n7      | 2026-08-01 | sales_call | a9         | energy | neutral   | secret words
        """,
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("said"), SAID, FEW), "voice")


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("noted"), NOTES), "note_mentions")


def test_self_reported_source_share_is_of_the_answers_of_people_and_opportunities(said):
    """p1 to p4, o1 and o2: not our own, the merged, the deleted, the blank, nor those of other quarters."""
    third = round(1 / 3, 9)
    assert slices(said, "self_reported_source_share", "source") == {
        "linkedin_ads": third,
        "outbound": third,
        "partner": round(1 / 6, 9),
        "other": round(1 / 6, 9),
    }
    found = reading(said, "self_reported_source_share", "source", "linkedin_ads")
    assert (found["numerator"], found["denominator"], found["method"]) == (2, 6, "Wilson, 95%")


def test_self_reported_source_share_does_not_show_what_was_said(said):
    assert not said["slice"].str.contains("podcast|Cold|LinkedIn").any()


def test_self_reported_source_share_of_few_answers_is_withheld_and_of_none_undefined(said, tmp_path):
    second = slices(said, "self_reported_source_share", "source", quarter="2026Q2")
    assert set(second.values()) == {"withheld"}  # p9 alone
    assert set(slices(said, "self_reported_source_share", "source", quarter="2026Q1").values()) == {"undefined"}
    assert set(slices(said, "self_reported_source_share", "source", quarter="2025Q3").values()) == {"no_data"}
    thirty = read(company(tmp_path, SAID), "self_reported_source_share")
    assert set(slices(thirty, "self_reported_source_share", "source").values()) == {"withheld"}  # six, of thirty needed


def test_a_channel_that_nobody_named_in_a_quarter_is_0_there(tmp_path):
    answers = "\n".join(f"q{n} | 2026-04-{n + 1:02} | LinkedIn" for n in range(5))
    answers += "\n" + "\n".join(f"r{n} | 2026-07-{n + 1:02} | Cold Call" for n in range(5))
    people = {"people": f"person_id | created_at | self_reported_source\n{answers}"}
    found = read(company(tmp_path, people, FEW), "self_reported_source_share")
    assert slices(found, "self_reported_source_share", "source") == {"linkedin_ads": 0, "outbound": 1}


def test_self_reported_agreement_is_of_the_answers_with_a_first_touch(said):
    """p1 agrees (t1 before t2 by its key), p2 does not, p4 has an email of its own, o1 does not, o2 does: 2 of 5.

    p3's only touch came the day after and the impression is none; t5 lies a day beyond the look-back of o1 and o2.
    """
    found = reading(said, "self_reported_agreement")
    assert (found["numerator"], found["denominator"], found["value"]) == (2, 5, 0.4)
    assert slices(said, "self_reported_agreement", "channel") == {
        "linkedin_ads": 0.5,
        "outbound": 0.5,
        "partner": "undefined",
        "other": 0,
    }
    assert slices(said, "self_reported_agreement", "asked") == {"sign-up": round(1 / 3, 9), "opportunity": 0.5}


def test_self_reported_agreement_asks_the_account_that_the_person_worked_at_on_that_day(tmp_path):
    moved = {
        "people": "person_id | account_id | created_at | self_reported_source\np1 | a1 | 2026-07-02 | LinkedIn",
        "person_accounts": """
            person_id | account_id | valid_from | valid_to
            p1        | a2         | 2026-01-01 | 2026-08-01
            p1        | a1         | 2026-08-01 |
            """,
        "touches": """
            touch_id | touched_at | account_id | channel      | kind
            t1       | 2026-06-01 | a1         | outbound     | call
            t2       | 2026-07-01 | a2         | linkedin_ads | ad_click
            """,
    }
    found = read(company(tmp_path, SAID | moved, "[min_n]\nqualitative = 1\n"), "self_reported_agreement")
    assert value(found, "self_reported_agreement", "asked", "sign-up") == 1


def test_self_reported_agreement_sets_what_was_said_against_what_was_tracked(said):
    found = slices(said, "self_reported_agreement", "channel/first_touch")
    assert {pair: part for pair, part in found.items() if part} == {
        "linkedin_ads/linkedin_ads": 0.2,
        "linkedin_ads/outbound": 0.2,
        "outbound/linkedin_ads": 0.2,
        "outbound/outbound": 0.2,
        "other/email": 0.2,
    }


def test_self_reported_agreement_of_few_answers_is_withheld_and_of_none_undefined(said):
    assert value(said, "self_reported_agreement", quarter="2026Q2") == "withheld"
    assert value(said, "self_reported_agreement", quarter="2026Q1") == "undefined"


def test_self_reported_agreement_where_nobody_agrees_is_0(tmp_path):
    people = {"people": "person_id | created_at | self_reported_source\np1 | 2026-07-02 | LinkedIn"}
    touches = {"touches": "touch_id | touched_at | person_id | channel | kind\nt1 | 2026-07-01 | p1 | email | form"}
    folder = company(tmp_path, people | touches, "[min_n]\nqualitative = 1\n")
    assert value(read(folder, "self_reported_agreement"), "self_reported_agreement") == 0


def test_note_mentions_are_counted_by_source_theme_and_sentiment(noted):
    assert slices(noted, "note_mentions", "source") == {
        "community": 2,
        "podcast": 1,
        "ad_comment": 1,
        "sales_call": 0,
    }
    assert slices(noted, "note_mentions", "theme") == {"uptime": 2, "energy": 1, "not stated": 1}
    assert slices(noted, "note_mentions", "sentiment") == {
        "positive": 2,
        "negative": 1,
        "neutral": 0,
        "not stated": 1,
    }
    assert slices(noted, "note_mentions", "month") == {"2026-07": 1, "2026-08": 2, "2026-09": 1}
    together = slices(noted, "note_mentions", "source/theme/sentiment")
    assert together["community/uptime/positive"] == 2 and together["ad_comment/not stated/not stated"] == 1


def test_note_mentions_of_a_quarter_without_a_note_are_0_and_before_the_first_one_missing(noted):
    assert set(slices(noted, "note_mentions", "source", quarter="2026Q2").values()) == {0}
    assert slices(noted, "note_mentions", "source", quarter="2026Q1")["sales_call"] == 1  # the test account's is none
    assert set(slices(noted, "note_mentions", "source", quarter="2025Q4").values()) == {"no_data"}


def test_notes_are_never_quoted(noted):
    assert not noted.astype(str).apply(lambda column: column.str.contains("secret")).any(axis=None)


def test_without_answers_and_notes_nothing_is_collected(tmp_path):
    found = read(company(tmp_path, {"people": "person_id | created_at\np1 | 2026-07-01"}), "voice")
    for metric in ("self_reported_source_share", "self_reported_agreement", "note_mentions"):
        assert value(found, metric) == "not_collected"
