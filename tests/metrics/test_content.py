"""Content, mail and acts: every metric worked out by hand on a few rows, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, read, reading, slices, value

LISTED = {
    "accounts": """
        account_id | name  | segment
        a1         | One   | large
        a2         | Two   | small
        a3         | Three | small
        a4         | Four  | large
        a5         | Five  | large
        a6         | Six   |
        """,
    "account_lists": """
        account_id | is_target | tier | programme  | valid_from | valid_to
        a1         | yes       | 1    | one_to_one | 2026-01-01 |
        a2         | yes       | 1    | one_to_few | 2026-01-01 |
        a3         | yes       | 2    | one_to_few | 2026-01-01 |
        a4         | yes       | 2    | one_to_few | 2026-01-01 | 2026-10-01
        a5         | yes       | 2    | one_to_few | 2026-08-01 |
        """,
    "people": """
        person_id | account_id | is_internal
        p1        | a1         | no
        p2        | a2         | no
        p3        | a6         |
        p4        |            | no
        p9        | a2         | yes
        """,
    "campaigns": """
        campaign_id | name
        c1          | Launch
        """,
}
VIEWS = """
    view_id | viewed_at        | page   | account_id | person_id | channel | campaign_id | scroll_percent | is_bot | engaged_seconds
    v0      | 2026-04-10 09:00 | /      | a4         |           | email   |             |                |        | 5
    v1      | 2026-07-01 00:00 | /guide | a1         | p1        | email   |             | 75             | no     | 10
    v2      | 2026-07-02 09:00 | /guide | a1         | p1        | email   |             | 74             | no     | 9
    v3      | 2026-08-01 09:00 | /story | a2         |           |         |             | 100            |        | 30
    v4      | 2026-08-02 09:00 | /guide | a2         |           | email   |             | 100            | yes    | 60
    v5      | 2026-08-03 09:00 | /guide | a3         | p9        | email   |             | 100            | no     | 60
    v6      | 2026-09-30 23:59 | /story | a6         |           | email   |             |                | no     | 40
    v7      | 2026-07-10 09:00 | /guide | a5         |           | email   |             | 10             | no     | 20
    v8      | 2026-10-01 00:00 | /guide | a3         |           | email   |             | 100            | no     | 60
    v9      | 2026-07-05 09:00 | /lp    | a3         |           | email   | c1          | 0              | no     | 5
    v10     | 2026-07-06 09:00 | /lp    |            |           | email   |             | 25             | no     | 15
    v11     | 2026-07-07 09:00 | /      | a1         |           | email   |             | 100            | no     | 99
    """


def viewed(drawing: str) -> str:
    """Page views, each a session and a visitor of its own."""
    head, *lines = drawing.strip().splitlines()
    rows = [f"{line} | s{number} | y{number}" for number, line in enumerate(lines)]
    return "\n".join([f"{head} | session_id | visitor_id", *rows])


CONTENT = {
    "assets": """
        asset_id | title   | page     | theme | funnel | kind         | is_gated | message | value_proposition
        g1       | Guide   | /guide   | time  | top    | guide        | yes      | faster  | saves hours
        w1       | Webinar | /webinar | time  | middle | webinar      | yes      | faster  | saves hours
        s1       | Story   | /story   | cost  | bottom | case study   | no       |         |
        l1       | Landing | /lp      |       |        | landing_page | no       |         |
        """,
    "page_views": viewed(VIEWS),
    "touches": """
        touch_id | touched_at       | account_id | person_id | channel      | kind        | asset_id | detail
        t0       | 2026-04-10 09:00 | a4         |           | outbound     | call        |          |
        t1       | 2026-08-10 09:00 | a1         | p1        | website      | download    | g1       |
        t2       | 2026-08-11 09:00 | a1         | p1        | website      | download    | g1       |
        t3       | 2026-08-12 09:00 |            |           | website      | download    |          |
        t4       | 2026-08-13 09:00 | a4         |           | webinar      | webinar     | w1       |
        t5       | 2026-08-14 09:00 | a6         | p3        | website      | download    | s1       |
        t6       | 2026-08-15 09:00 | a2         | p9        | website      | download    | g1       |
        t7       | 2026-10-01 00:00 | a2         |           | website      | download    | g1       |
        t8       | 2026-07-01 00:00 | a1         | p1        | linkedin_ads | social      |          | like
        t9       | 2026-07-02 09:00 |            |           | linkedin_ads | social      |          | repost
        t10      | 2026-07-03 09:00 | a6         | p3        | linkedin_ads | social      |          |
        t11      | 2026-07-04 09:00 | a2         | p9        | linkedin_ads | social      |          | like
        t12      | 2026-07-05 09:00 | a1         | p1        | event        | event       |          |
        t13      | 2026-07-06 09:00 | a5         |           | outbound     | direct_mail |          | gift
        t14      | 2026-07-07 09:00 | a1         | p1        | outbound     | call        |          |
        """,
}
ACTS = {
    "cta_events": """
        event_id | cta_id | occurred_at      | visitor_id | person_id | kind      | journey_step | form_id | is_machine | position
        q0       | guide  | 2026-04-10 09:00 | y1         | p1        | exposed   | awareness    | f1      |            | 2
        q1       | guide  | 2026-07-01 00:00 | y1         | p1        | exposed   | awareness    | f1      | no         | 2
        q2       | guide  | 2026-07-01 00:01 | y1         | p1        | completed | awareness    | f1      | no         | 2
        q3       | guide  | 2026-07-02 09:00 | y1         | p1        | exposed   | awareness    | f1      | no         | 2
        q4       | guide  | 2026-07-02 09:01 | y1         | p1        | completed | awareness    | f1      | no         | 2
        q5       | guide  | 2026-07-03 09:00 | y2         |           | exposed   | awareness    | f1      | no         | 2
        q6       | guide  | 2026-07-03 09:01 | y2         |           | completed | awareness    | f1      | no         | 2
        q7       | guide  | 2026-07-04 09:00 | y3         |           | exposed   | awareness    | f1      |            | 2
        q8       | guide  | 2026-07-05 09:00 | y4         |           | exposed   | awareness    | f1      | yes        | 2
        q9       | guide  | 2026-07-05 09:01 | y4         |           | completed | awareness    | f1      | yes        | 2
        q10      | guide  | 2026-07-06 09:00 | y5         | p9        | exposed   | awareness    | f1      | no         | 2
        q11      | demo   | 2026-08-01 09:00 | y1         | p1        | exposed   | decision     |         | no         | 10
        q12      | demo   | 2026-08-01 09:01 | y1         | p1        | completed | decision     |         | no         | 10
        q13      | demo   | 2026-08-02 09:00 | y2         |           | exposed   | decision     |         | no         | 10
        q14      | chat   | 2026-09-30 23:59 | y6         |           | completed |              | f2      | no         |
        q15      | chat   | 2026-10-01 00:00 | y7         |           | completed |              | f2      | no         |
        """,
}
MAIL = {
    "person_accounts": """
        person_id | account_id | valid_from | valid_to
        p2        | a1         | 2026-01-01 | 2026-08-01
        p2        | a2         | 2026-08-01 |
        """,
    "emails": """
        email_id | name        | subject | call_to_action | campaign_id | asset_id | sent_on
        e0       | Spring news | Hello   | Read           |             |          | 2026-04-10
        e1       | Summer news | Hello   | Read           | c1          | g1       | 2026-07-06
        e2       | Autumn news | Hurry   |                |             |          | 2026-09-30
        """,
    "email_events": """
        event_id | email_id | person_id | occurred_at      | kind      | is_machine | campaign_id
        m01      | e0       | p1        | 2026-04-10 09:00 | sent      |            |
        m02      | e0       | p1        | 2026-04-10 09:01 | delivered |            |
        m03      | e0       | p2        | 2026-04-10 09:00 | sent      |            |
        m11      | e1       | p1        | 2026-07-06 09:00 | sent      | no         |
        m12      | e1       | p1        | 2026-07-06 09:01 | delivered | yes        |
        m13      | e1       | p1        | 2026-07-06 09:02 | open      | yes        |
        m14      | e1       | p1        | 2026-07-06 12:00 | open      | no         |
        m15      | e1       | p1        | 2026-07-06 12:01 | click     | no         |
        m16      | e1       | p1        | 2026-07-06 12:02 | click     | no         |
        m21      | e1       | p2        | 2026-07-06 09:00 | sent      | no         |
        m22      | e1       | p2        | 2026-07-06 09:01 | delivered | no         |
        m23      | e1       | p2        | 2026-07-06 09:02 | open      | yes        |
        m24      | e1       | p2        | 2026-07-06 09:02 | click     | yes        |
        m31      | e1       | p3        | 2026-07-06 09:00 | sent      | no         |
        m32      | e1       | p3        | 2026-07-06 09:01 | bounce    | no         |
        m33      | e1       | p3        | 2026-07-06 09:02 | open      | no         |
        m41      | e1       | p4        | 2026-07-06 09:00 | sent      | no         |
        m42      | e1       | p4        | 2026-07-06 09:01 | delivered | no         |
        m43      | e1       | p4        | 2026-07-06 13:00 | reply     | no         |
        m51      | e1       | p9        | 2026-07-06 09:00 | sent      | no         |
        m52      | e1       | p9        | 2026-07-06 09:01 | delivered | no         |
        m53      | e1       | p9        | 2026-07-06 09:05 | click     | no         |
        m61      | e2       | p1        | 2026-09-30 23:59 | sent      | no         | c1
        m62      | e2       | p1        | 2026-10-01 00:01 | delivered | no         | c1
        m63      | e2       | p1        | 2026-10-05 09:00 | open      | no         | c1
        m64      | e2       | p1        | 2026-10-05 09:01 | click     | no         | c1
        m71      | e2       | p2        | 2026-09-30 23:59 | sent      | no         | c1
        m72      | e2       | p2        | 2026-09-30 23:59 | delivered | no         | c1
        m73      | e2       | p2        | 2026-10-12 00:00 | click     | no         | c1
        m82      | e2       | p4        | 2026-09-30 23:59 | delivered | no         | c1
        """,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("content"), LISTED | CONTENT | ACTS | MAIL)
    return read(folder, "content")


# Content


def test_content_engaged_accounts_are_target_accounts_that_read_downloaded_or_watched(table):
    """One read ten seconds, Two read a story, Four watched; Three is one of ours and Five joined during the quarter."""
    assert value(table, "content_engaged_accounts") == 3
    assert slices(table, "content_engaged_accounts", "asset") == {"Guide": 1, "Story": 1, "Webinar": 1}
    assert slices(table, "content_engaged_accounts", "theme") == {"time": 2, "cost": 1}
    assert slices(table, "content_engaged_accounts", "funnel") == {"top": 1, "middle": 1, "bottom": 1}
    assert slices(table, "content_engaged_accounts", "message") == {"faster": 2, "not stated": 1}
    assert slices(table, "content_engaged_accounts", "value_proposition") == {"saves hours": 2, "not stated": 1}
    assert slices(table, "content_engaged_accounts", "segment") == {"large": 2, "small": 1}
    assert slices(table, "content_engaged_accounts", "tier") == {"1": 2, "2": 1}


def test_content_engaged_accounts_tell_the_channel_and_how_far_each_account_got(table):
    by_channel = {"email": 1, "unknown": 1, "website": 1, "webinar": 1}  # One by e-mail and again on the website
    assert slices(table, "content_engaged_accounts", "channel") == by_channel
    by_account = {"One/top": 1, "Two/bottom": 1, "Four/middle": 1}
    assert slices(table, "content_engaged_accounts", "account/funnel") == by_account


def test_content_engaged_accounts_of_a_quarter_in_which_nobody_read_are_0_and_before_the_data_missing(table):
    assert value(table, "content_engaged_accounts", quarter="2026Q2") == 0
    assert value(table, "content_engaged_accounts", quarter="2026Q1") == "no_data"


def test_content_engagement_rate_holds_accounts_against_the_list_as_it_was_when_the_quarter_began(table):
    found = reading(table, "content_engagement_rate")
    assert (found["numerator"], found["denominator"], found["method"]) == (3, 4, "Wilson, 95%")
    assert slices(table, "content_engagement_rate", "segment") == {"large": 1, "small": 0.5}
    assert slices(table, "content_engagement_rate", "tier") == {"1": 1, "2": 0.5}
    assert slices(table, "content_engagement_rate", "account") == {"One": 1, "Two": 1, "Three": 0, "Four": 1}
    assert value(table, "content_engagement_rate", quarter="2026Q2") == 0


def test_content_engagement_rate_of_an_asset_step_or_channel_is_a_part_of_all_target_accounts(table):
    assert slices(table, "content_engagement_rate", "funnel") == {"top": 0.25, "middle": 0.25, "bottom": 0.25}
    assert slices(table, "content_engagement_rate", "asset") == {"Guide": 0.25, "Story": 0.25, "Webinar": 0.25}
    assert slices(table, "content_engagement_rate", "channel")["webinar"] == 0.25


def test_content_engagement_rate_without_target_accounts_is_undefined(tmp_path):
    nobody = LISTED["account_lists"].replace("| yes ", "| no ")
    found = read(company(tmp_path, LISTED | CONTENT | {"account_lists": nobody}), "content_engagement_rate", by=[])
    assert reading(found, "content_engagement_rate")["caveats"] == "no target accounts"


def test_content_median_seconds_is_the_median_over_views_short_ones_too(table):
    assert value(table, "content_median_seconds") == 15  # 5, 9, 10, 15, 20, 30, 40
    assert reading(table, "content_median_seconds")["n"] == 7
    assert slices(table, "content_median_seconds", "asset") == {"Guide": 10, "Story": 35, "Landing": 10}
    assert slices(table, "content_median_seconds", "landing_page") == {"/lp": 10}
    assert slices(table, "content_median_seconds", "target") == {"target": 9.5, "not on the list": 20}
    assert value(table, "content_median_seconds", quarter="2026Q2") == "undefined"


def test_content_consumption_rate_is_of_the_views_whose_depth_is_known(table):
    found = reading(table, "content_consumption_rate")
    assert (found["numerator"], found["denominator"]) == (2, 6)  # 75 and 100; the story that was not measured is out
    assert slices(table, "content_consumption_rate", "asset") == {"Guide": 0.333333333, "Story": 1, "Landing": 0}
    assert value(table, "content_consumption_rate", quarter="2026Q2") == "undefined"


def test_content_downloads_are_acts_and_n_is_the_accounts_behind_them(table):
    found = reading(table, "content_downloads")
    assert (found["value"], found["n"]) == (4, 2)  # One twice, Six, and somebody unknown; our own do not count
    assert slices(table, "content_downloads", "asset") == {"Guide": 2, "Story": 1, "not stated": 1}
    assert slices(table, "content_downloads", "gated") == {"gated": 2, "open": 1, "not stated": 1}
    assert slices(table, "content_downloads", "target") == {"target": 2, "not on the list": 2}
    assert value(table, "content_downloads", quarter="2026Q2") == 0
    assert value(table, "content_downloads", quarter="2026Q1") == "no_data"


def test_top_theme_share_is_of_the_engagements_of_target_accounts(table):
    found = reading(table, "top_theme_share")
    assert (found["numerator"], found["denominator"]) == (4, 5)  # time: One three times, Four; cost: Two
    assert slices(table, "top_theme_share", "segment") == {"large": 1, "small": 1}
    assert value(table, "top_theme_share", quarter="2026Q2") == "undefined"


def test_effective_themes_is_1_over_the_squared_shares(table):
    assert value(table, "effective_themes") == round(1 / (0.8**2 + 0.2**2), 9)
    assert slices(table, "effective_themes", "segment") == {"large": 1, "small": 1}
    assert reading(table, "effective_themes")["n"] == 5
    assert value(table, "effective_themes", quarter="2026Q2") == "undefined"


def test_one_theme_that_brings_four_fifths_says_so_and_of_two_equal_ones_the_first_is_the_top(tmp_path):
    views = """
        view_id | viewed_at  | page   | account_id | engaged_seconds
        v1      | 2026-07-01 | /guide | a1         | 30
        v2      | 2026-07-01 | /guide | a1         | 30
        v3      | 2026-07-01 | /guide | a1         | 30
        v4      | 2026-07-01 | /guide | a1         | 30
        v5      | 2026-07-02 | /story | a1         | 30
        v6      | 2026-04-01 | /guide | a1         | 30
        v7      | 2026-04-02 | /story | a1         | 30
        """
    tables = LISTED | {"assets": CONTENT["assets"], "page_views": viewed(views)}
    found = read(company(tmp_path, tables), "top_theme_share", "effective_themes", by=[])
    assert value(found, "top_theme_share") == 0.8
    assert (value(found, "top_theme_share", quarter="2026Q2"), value(found, "effective_themes", quarter="2026Q2")) == (
        0.5,
        2,
    )


def test_landing_page_reach_rate_asks_for_any_view_of_a_landing_page(table):
    found = reading(table, "landing_page_reach_rate")
    assert (found["numerator"], found["denominator"]) == (1, 4)  # Three, for five seconds
    assert slices(table, "landing_page_reach_rate", "tier") == {"1": 0, "2": 0.5}
    assert slices(table, "landing_page_reach_rate", "campaign") == {"Launch": 0.25}
    assert value(table, "landing_page_reach_rate", quarter="2026Q2") == 0
    assert value(table, "landing_page_reach_rate", quarter="2026Q1") == "no_data"


# Progression

STAGED = {
    "accounts": "account_id | name\n" + "\n".join(f"b{n} | B{n}" for n in range(1, 13)),
    "account_lists": "account_id | is_target | tier | valid_from\n"
    + "\n".join(f"b{n} | {'no' if n == 12 else 'yes'} | 1 | 2026-01-01" for n in range(1, 13)),
    "assets": CONTENT["assets"],
    "account_stages": """
        account_id | stage    | entered_at
        b1         | cold     | 2026-01-01
        b1         | engaged  | 2026-09-01
        b3         | mqa      | 2026-09-30 23:59
        b4         | engaged  | 2026-10-01
        b5         | engaged  | 2026-09-10
        b5         | cold     | 2026-09-20
        b7         | engaged  | 2026-08-31
        b7         | demo     | 2026-09-15
        b8         | engaged  | 2026-08-31
        b9         | renewal  | 2026-01-01
        b10        | mqa      | 2026-01-01
        b10        | demo     | 2026-09-15
        b12        | engaged  | 2026-09-15
        """,
    "page_views": viewed("""
        view_id | viewed_at        | page   | account_id | engaged_seconds
        v0      | 2026-04-10 09:00 | /      | b1         | 30
        v1      | 2026-07-01 00:00 | /guide | b1         | 30
        v2      | 2026-08-31 23:59 | /guide | b2         | 30
        v7      | 2026-08-01 09:00 | /story | b7         | 30
        v9      | 2026-08-01 09:00 | /guide | b9         | 30
        v10     | 2026-08-01 09:00 | /guide | b10        | 30
        v11     | 2026-09-01 00:00 | /guide | b11        | 30
        v12     | 2026-08-01 09:00 | /guide | b12        | 30
        """),
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("moved"), STAGED), "content_progression_difference")


def test_content_progression_difference_compares_accounts_of_the_same_stage(moved):
    """Took content in by August: B1 and B2 (cold; B1 moved up) and B7 (engaged; moved up).

    Did not: B3, B4, B5 and B11 (cold; only B3 is higher at the end) and B8 (engaged; stayed). Left out: B9, at the last
    stage; B10, alone at its stage; B12, not on the list; B6 is cold, did not and stayed.
    """
    found = reading(moved, "content_progression_difference")
    others = 2 / 3 * 1 / 5 + 1 / 3 * 0
    assert round(found["value"], 9) == round(2 / 3 - others, 9)
    assert (found["numerator"], found["denominator"]) == (2, 3)
    assert found["n"] == pytest.approx(
        3 + 9 / (4 / 5 + 1)
    )  # the others are worth the square of 3 over sums of took²/others
    assert found["low"] < found["value"] < found["high"] and found["method"].startswith("Newcombe, 95%, against")


def test_content_progression_difference_of_a_theme_or_asset_looks_at_the_stages_of_those_who_took_it_in(moved):
    by_theme = {"time": round(1 / 2 - 1 / 5, 9), "cost": 1}  # B7 is the only one for cost, B8 the only one like it
    assert slices(moved, "content_progression_difference", "theme") == by_theme
    by_asset = {"Guide": round(1 / 2 - 1 / 5, 9), "Story": 1}
    assert slices(moved, "content_progression_difference", "asset") == by_asset


def test_content_progression_difference_where_nobody_took_anything_in_is_undefined(moved):
    assert value(moved, "content_progression_difference", quarter="2026Q2") == "undefined"
    assert value(moved, "content_progression_difference", quarter="2026Q1") == "no_data"


# Mail


def test_email_delivery_rate_is_of_people_and_emails_that_were_sent(table):
    found = reading(table, "email_delivery_rate")
    assert (found["numerator"], found["denominator"]) == (
        5,
        6,
    )  # one bounced; a delivery without a sending is in neither
    assert slices(table, "email_delivery_rate", "email")["Summer news"] == 0.75
    assert (
        slices(table, "email_delivery_rate", "campaign")["Launch"] == 0.833333333
    )  # Autumn news takes that of its events
    assert value(table, "email_delivery_rate", quarter="2026Q2") == 0.5
    assert value(table, "email_delivery_rate", quarter="2026Q1") == "no_data"


def test_email_click_rate_counts_each_person_once_for_each_email_and_no_machine(table):
    found = reading(table, "email_click_rate")
    assert (found["numerator"], found["denominator"]) == (2, 6)
    assert slices(table, "email_click_rate", "filter") == {"machines removed": 0.333333333, "unfiltered": 0.5}
    assert slices(table, "email_click_rate", "subject") == {"Hello": 0.333333333, "Hurry": 0.333333333}
    assert slices(table, "email_click_rate", "call_to_action") == {"Read": 0.333333333, "not stated": 0.333333333}
    assert slices(table, "email_click_rate", "asset") == {"Guide": 0.333333333, "not stated": 0.333333333}
    assert value(table, "email_click_rate", quarter="2026Q2") == 0


def test_email_click_rate_goes_by_the_day_of_sending_and_what_was_known_in_time(table):
    """The click of 5 October belongs to September's mailing; that of 12 October came after the quarter was settled."""
    by_month = {"2026-07": 0.333333333, "2026-08": "undefined", "2026-09": 0.333333333}
    assert slices(table, "email_click_rate", "month") == by_month
    assert slices(table, "email_click_rate", "year")["2026"] == 0.285714286  # two of seven
    assert slices(table, "email_click_rate", "email")["Autumn news"] == 0.333333333


def test_email_click_rate_by_segment_goes_by_where_a_person_worked_that_day(table):
    """The second person was at One until August, at Two from then on; the fourth works nowhere known."""
    by_segment = {"large": 0.666666667, "small": 0, "unknown": 0}
    assert slices(table, "email_click_rate", "segment") == by_segment


def test_email_reply_rate_is_replies_over_deliveries(table):
    assert value(table, "email_reply_rate") == 0.166666667
    assert slices(table, "email_reply_rate", "segment") == {"large": 0, "small": 0, "unknown": 0.5}
    assert value(table, "email_reply_rate", quarter="2026Q2") == 0
    assert slices(table, "email_reply_rate", "month")["2026-08"] == "undefined"


def test_email_open_rate_leaves_machines_out_and_is_never_judged(table):
    found = reading(table, "email_open_rate")
    assert (found["numerator"], found["denominator"]) == (2, 6)  # what bounced cannot be opened
    assert slices(table, "email_open_rate", "filter") == {"machines removed": 0.333333333, "unfiltered": 0.5}
    assert (found["better"], found["status"]) == ("neither", "none")
    assert value(table, "email_open_rate", quarter="2026Q2") == 0


# Forms and calls to action


def test_form_fill_rate_is_people_over_views_of_the_form(table):
    found = reading(table, "form_fill_rate")
    assert (found["numerator"], found["denominator"]) == (
        3,
        4,
    )  # the first twice and once counted; machines and ours are out
    assert slices(table, "form_fill_rate", "form") == {"f1": 0.5, "f2": "undefined"}  # views of f2 are not recorded
    assert slices(table, "form_fill_rate", "journey_step")["awareness"] == 0.5
    assert value(table, "form_fill_rate", quarter="2026Q2") == 0


def test_form_fills_are_people_or_visitors_once(table):
    assert value(table, "form_fills") == 3
    assert slices(table, "form_fills", "form") == {"f1": 2, "f2": 1}
    assert slices(table, "form_fills", "journey_step") == {"awareness": 2, "decision": 0, "not stated": 1}
    assert value(table, "form_fills", quarter="2026Q2") == 0
    assert value(table, "form_fills", quarter="2026Q1") == "no_data"


def test_cta_conversion_rate_is_completions_over_exposures_in_the_order_of_the_journey(table):
    found = reading(table, "cta_conversion_rate")
    assert (found["numerator"], found["denominator"]) == (
        4,
        6,
    )  # the chat, of which no exposure is known, is in neither
    by_call = {"guide": 0.75, "demo": 0.5, "chat": "undefined"}
    assert slices(table, "cta_conversion_rate", "call_to_action") == by_call
    by_step = {"awareness": 0.75, "decision": 0.5, "not stated": "undefined"}
    assert slices(table, "cta_conversion_rate", "journey_step") == by_step
    assert list(slices(table, "cta_conversion_rate", "position/call_to_action")) == [
        "02/guide",
        "10/demo",
        "not stated/chat",
    ]
    assert value(table, "cta_conversion_rate", quarter="2026Q2") == 0
    assert value(table, "cta_conversion_rate", quarter="2026Q1") == "no_data"


# Social, offline, channels


def test_social_engagements_are_acts_by_their_detail(table):
    assert value(table, "social_engagements") == 3  # our own like is none
    assert slices(table, "social_engagements", "kind") == {"like": 1, "repost": 1, "not stated": 1}
    assert slices(table, "social_engagements", "target") == {"target": 1, "not on the list": 2}
    assert value(table, "social_engagements", quarter="2026Q2") == 0
    assert value(table, "social_engagements", quarter="2026Q1") == "no_data"


def test_offline_engagements_are_of_the_kinds_that_the_company_names(table, tmp_path):
    assert slices(table, "offline_engagements", "kind") == {"event": 1, "direct_mail": 1}
    assert slices(table, "offline_engagements", "target") == {"target": 1, "not on the list": 1}  # Five joined later
    assert value(table, "offline_engagements", quarter="2026Q2") == 0
    own = read(company(tmp_path, LISTED | CONTENT, 'offline_kinds = ["call"]'), "offline_engagements")
    assert slices(own, "offline_engagements", "kind") == {"call": 1}
    assert value(own, "offline_engagements", quarter="2026Q2") == 1


def test_channels_per_engaged_account_counts_channels_in_the_days_of_the_engaged_rule(tmp_path):
    """One, by its form, on two channels: the click is a day too old and an impression is no touch. Two, by two people, on one.

    Three had one person only, Six is not on the list.
    """
    touches = """
        touch_id | touched_at       | account_id | person_id | channel      | kind
        t1       | 2026-08-01 09:00 | a1         | p1        | website      | form
        t2       | 2026-07-03 00:00 | a1         | p1        | linkedin_ads | social
        t3       | 2026-07-02 23:59 | a1         | p1        | email        | email_click
        t4       | 2026-08-01 09:00 | a1         | p1        | display      | impression
        t5       | 2026-08-01 09:00 | a2         | p1        | outbound     | call
        t6       | 2026-09-30 23:59 | a2         | p2        | outbound     | call
        t7       | 2026-08-01 09:00 | a3         | p4        | event        | event
        t8       | 2026-08-01 09:00 | a6         | p3        | website      | form
        t9       | 2026-10-01 00:00 | a2         | p2        | website      | form
        t0       | 2026-02-01 09:00 | a1         | p1        | website      | visit
        """
    lists = LISTED["account_lists"].replace("a2         | yes       | 1", "a2         | yes       | 2")
    found = read(
        company(tmp_path, LISTED | {"touches": touches, "account_lists": lists}), "channels_per_engaged_account"
    )
    assert value(found, "channels_per_engaged_account") == 1.5
    assert reading(found, "channels_per_engaged_account")["n"] == 2
    assert slices(found, "channels_per_engaged_account", "tier") == {"1": 2, "2": 1}
    assert value(found, "channels_per_engaged_account", quarter="2026Q2") == "undefined"
    assert value(found, "channels_per_engaged_account", quarter="2025Q4") == "no_data"


# What a source does not give


def test_content_metrics_without_their_tables_or_columns_are_not_collected(tmp_path):
    untimed = viewed("\n".join(line.rpartition("|")[0] for line in VIEWS.strip().splitlines()))
    found = read(company(tmp_path, LISTED | CONTENT | {"page_views": untimed}), "content", by=[])
    assert value(found, "landing_page_reach_rate") == 0.25
    for metric in ("content_engaged_accounts", "content_median_seconds", "content_progression_difference"):
        assert value(found, metric) == "not_collected"
    for metric in ("email_open_rate", "form_fills", "cta_conversion_rate"):
        assert value(found, metric) == "not_collected"
    assert "page_views.engaged_seconds" in reading(found, "content_engagement_rate")["caveats"]
