"""Website: every metric worked out by hand on a few page views, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, read, reading, slices, value

SETTINGS = """
[channels.google_ads]
owner = "marketing"
paid = true
"""
ACCOUNTS = {
    "accounts": """
        account_id | name  | industry | is_icp
        a1         | One   | steel    | no
        a2         | Two   | steel    | yes
        a3         | Three | paper    | no
        a4         | Four  | paper    | no
        a5         | Five  |          | no
        """,
    "account_lists": """
        account_id | is_target | tier | programme  | valid_from | valid_to
        a1         | yes       | 1    | one_to_one | 2026-01-01 |
        a3         | yes       | 2    | one_to_few | 2026-01-01 | 2026-09-30
        a4         | yes       | 2    | one_to_few | 2026-08-10 |
        a5         | yes       | 2    |            | 2026-07-15 |
        """,
    "people": """
        person_id | account_id | is_internal
        p1        | a1         | no
        p2        |            | yes
        """,
    "campaigns": """
        campaign_id | name   | programme  | goal        | utm_campaign
        c1          | Launch | one_to_one | traffic     | launch-01
        c2          | Inbox  |            | on_platform | inbox-02
        c3          | Bare   |            |             |
        """,
}
# s1: two pages on the last second of the quarter and after it. s2: ten seconds. s3: five seconds and gone. s4: a key
# event. s5: a bot's first view comes before a person's. s6: our own. s7: a bot. s8: the quarter after. s0: the one before.
VIEWS = """
view_id | session_id | visitor_id | viewed_at           | page     | account_id | person_id | channel      | campaign_id
v2      | s1         | x1         | 2026-10-01 00:00:05 | /pricing | a1         | p1        | direct       | c2
v1      | s1         | x1         | 2026-09-30 23:59:59 | /lp      |            |           | google_ads   |
v3      | s2         | x2         | 2026-07-01 00:00:00 | /lp      | a2         |           | google_ads   | c1
v4      | s3         | x3         | 2026-07-02 10:00:00 | /        | a3         |           |              |
v5      | s4         | x4         | 2026-08-01 10:00:00 | /        | a4         |           | linkedin_ads | c3
v6      | s5         | x5         | 2026-08-02 10:00:00 | /bot     |            |           | direct       | c2
v7      | s5         | x5         | 2026-08-02 10:00:01 | /blog    |            |           | email        | c2
v8      | s6         | x6         | 2026-08-03 10:00:00 | /blog    |            | p2        | email        | c2
v9      | s7         | x7         | 2026-08-04 10:00:00 | /blog    |            |           | email        | c2
v10     | s8         | x8         | 2026-10-01 00:00:00 | /blog    | a1         |           | email        | c2
v11     | s0         | x0         | 2026-06-30 23:59:59 | /blog    |            |           | email        |
"""
# The same views, line by line.
TOLD = """
session_number | is_key_event | engaged_seconds | is_bot | utm_source | utm_medium | utm_campaign
1              |              | 1               | no     | late       | late       | late
1              |              | 1               |        | google     | cpc        | Launch-01
2              |              | 10              | no     | Google     | cpc        | launch-01
               |              | 5               | no     |            |            |
1              | yes          |                 | no     | linkedin   |            | bare-03
1              | yes          | 90              | yes    | bot        | bot        | bot
1              | no           | 9               | no     | jo@acme.io | email      | inbox-02
1              | no           | 99              | no     | mail       | email      | inbox-02
1              | no           | 99              | yes    | mail       | email      | inbox-02
1              | no           | 99              | no     | mail       | email      | inbox-02
               | no           | 1               | no     |            |            |
"""
SESSIONS = "\n".join(
    f"{one} | {two}" for one, two in zip(VIEWS.strip().splitlines(), TOLD.strip("\n").splitlines(), strict=True)
)
# Depths of /lp under c1: 25, 25, 50, 75 and one unknown; /deep under no campaign: 50, 75 (a median of 62.5); and one page that
# somebody only passed through. /free is not paid for.
DEPTHS = """
view_id | session_id | visitor_id | viewed_at        | page  | is_landing | channel      | campaign_id | scroll_percent | is_bot
d1      | t1         | x1         | 2026-07-01 10:00 | /lp   | yes        | google_ads   | c1          | 25             | no
d2      | t2         | x2         | 2026-07-01 10:00 | /lp   | yes        | google_ads   | c1          | 25             | no
d3      | t3         | x3         | 2026-07-01 10:00 | /lp   | yes        | google_ads   | c1          | 50             | no
d4      | t4         | x4         | 2026-09-30 23:59 | /lp   | yes        | google_ads   | c2          | 75             | no
d5      | t5         | x5         | 2026-07-01 10:00 | /lp   | yes        | google_ads   | c1          |                | no
d6      | t6         | x6         | 2026-07-01 10:00 | /lp   | yes        | google_ads   | c1          | 100            | yes
d7      | t7         | x7         | 2026-07-01 10:00 | /deep | yes        | google_ads   |             | 50             | no
d8      | t8         | x8         | 2026-07-01 10:00 | /deep | yes        | google_ads   |             | 75             | no
d9      | t8         | x8         | 2026-07-01 10:01 | /next | no         | google_ads   |             | 10             | no
d10     | t9         | x9         | 2026-07-01 10:00 | /free | yes        | organic      |             | 10             | no
d11     | t10        | x1         | 2026-07-01 10:00 | /free | yes        | organic      |             | 10             | no
d12     | t11        | x1         | 2026-10-01 00:00 | /lp   | yes        | google_ads   | c1          | 100            | no
d13     | t12        | x1         | 2026-06-30 23:59 | /lp   | yes        | google_ads   | c1          |                | no
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read(company(tmp_path_factory.mktemp("visits"), ACCOUNTS | {"page_views": SESSIONS}, SETTINGS), "website")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    settings = SETTINGS + "[scroll]\nmin_views = 2\n"
    folder = company(tmp_path_factory.mktemp("pages"), ACCOUNTS | {"page_views": DEPTHS}, settings)
    return read(folder, "scroll_depth_rate", "landing_pages_mismatched")


def test_website_sessions_belong_to_the_day_of_their_first_view_by_a_person(table):
    assert value(table, "website_sessions") == 5  # s1 to s5; not our own, not the bot's, not the ones of other quarters
    assert slices(table, "website_sessions", "month") == {"2026-07": 2, "2026-08": 2, "2026-09": 1}
    assert slices(table, "website_sessions", "quarter") == {"2026Q3": 5}
    assert slices(table, "website_sessions", "year") == {"2026": 6}
    assert value(table, "website_sessions", quarter="2026Q2") == 1
    assert value(table, "website_sessions", quarter="2026Q1") == "no_data"


def test_website_sessions_take_channel_campaign_and_landing_page_from_the_first_view(table):
    channels = {"google_ads": 2, "linkedin_ads": 1, "email": 1, "unknown": 1}
    assert slices(table, "website_sessions", "channel") == channels
    assert slices(table, "website_sessions", "campaign") == {"Launch": 2, "Bare": 1, "Inbox": 1, "no campaign": 1}
    assert slices(table, "website_sessions", "landing_page") == {"/lp": 2, "/": 2, "/blog": 1}
    assert slices(table, "website_sessions", "next_page") == {"/pricing": 1, "no further page": 4}


def test_website_sessions_of_a_quarter_in_which_nobody_came_are_0(tmp_path):
    gap = """
        view_id | session_id | visitor_id | viewed_at        | page | channel
        v1      | s1         | x1         | 2026-01-10 10:00 | /    | email
        v2      | s2         | x2         | 2026-07-10 10:00 | /    | email
        """
    found = read(company(tmp_path, {"page_views": gap}), "website_sessions", "campaign_sessions", "pages_per_visit")
    assert value(found, "website_sessions", quarter="2026Q2") == 0
    assert value(found, "website_sessions", "channel", "email", quarter="2026Q2") == 0
    assert value(found, "campaign_sessions") == 0
    assert value(found, "pages_per_visit", quarter="2026Q2") == "undefined"


def test_a_session_of_two_views_at_the_same_time_begins_with_the_first_of_them_by_key(tmp_path):
    tie = """
        view_id | session_id | visitor_id | viewed_at        | page | channel
        v2      | s1         | x1         | 2026-07-10 10:00 | /b   | email
        v1      | s1         | x1         | 2026-07-10 10:00 | /a   | direct
        """
    found = read(company(tmp_path, {"page_views": tie}), "website_sessions")
    assert slices(found, "website_sessions", "channel") == {"direct": 1}
    assert slices(found, "website_sessions", "landing_page") == {"/a": 1}
    assert slices(found, "website_sessions", "next_page") == {"/b": 1}


def test_a_day_begins_at_midnight_of_the_company_and_not_of_greenwich(tmp_path):
    views = """
        view_id | session_id | visitor_id | viewed_at        | page
        v1      | s1         | x1         | 2026-06-30 22:30 | /
        v2      | s2         | x2         | 2026-09-30 22:30 | /
        """
    folder = company(tmp_path, {"page_views": views}, '[company]\ntimezone = "Europe/Berlin"')
    assert slices(read(folder, "website_sessions"), "website_sessions", "month") == {
        "2026-07": 1,
        "2026-08": 0,
        "2026-09": 0,
    }


def test_campaign_sessions_know_a_campaign_by_its_id_or_by_the_name_in_the_utm(table):
    assert value(table, "campaign_sessions") == 4  # s1 by its UTM, whatever the case; s2, s4 and s5 by the id
    assert value(table, "campaign_sessions", quarter="2026Q2") == 0
    assert value(table, "campaign_sessions", quarter="2026Q1") == "no_data"
    assert slices(table, "campaign_sessions", "campaign") == {"Launch": 2, "Bare": 1, "Inbox": 1}
    assert slices(table, "campaign_sessions", "goal") == {"traffic": 2, "on_platform": 1, "not stated": 1}
    assert slices(table, "campaign_sessions", "programme") == {"one_to_one": 2, "no programme": 2}
    assert slices(table, "campaign_sessions", "month") == {"2026-07": 1, "2026-08": 2, "2026-09": 1}
    assert value(table, "campaign_sessions", "channel", "unknown") == 0


def test_new_visitor_share_goes_by_the_number_of_the_session_where_it_is_known(table):
    found = reading(table, "new_visitor_share")
    assert (found["numerator"], found["denominator"]) == (3, 4)  # s1, s4, s5 of those and s2; nobody knows of s3
    assert slices(table, "new_visitor_share", "channel") == {
        "google_ads": 0.5,
        "linkedin_ads": 1,
        "email": 1,
        "unknown": "undefined",
    }
    assert value(table, "new_visitor_share", quarter="2026Q2") == "undefined"


def test_new_visitor_share_of_returning_visitors_alone_is_0(table):
    assert value(table, "new_visitor_share", "month", "2026-07") == 0


def test_engaged_visit_rate_asks_for_ten_seconds_or_two_pages_or_a_key_event(table):
    found = reading(table, "engaged_visit_rate")
    assert (found["numerator"], found["denominator"]) == (3, 5)  # s1 two pages, s2 ten seconds, s4 a key event
    assert slices(table, "engaged_visit_rate", "channel") == {
        "google_ads": 1,
        "linkedin_ads": 1,
        "email": 0,
        "unknown": 0,
    }
    assert slices(table, "engaged_visit_rate", "landing_page") == {"/lp": 1, "/": 0.5, "/blog": 0}
    assert slices(table, "engaged_visit_rate", "campaign") == {"Launch": 1, "Bare": 1, "Inbox": 0, "no campaign": 0}
    assert value(table, "engaged_visit_rate", quarter="2026Q2") == 0
    assert found["low"] < 0.6 < found["high"] and found["method"] == "Wilson, 95%"


def test_engaged_visit_rate_follows_the_rule_of_the_company(tmp_path):
    settings = "[engaged_visit]\nmin_seconds = 11\nmin_pages = 3\n"
    found = read(company(tmp_path, {"page_views": SESSIONS}, settings), "engaged_visit_rate", by=["landing_page"])
    assert (
        reading(found, "engaged_visit_rate")["numerator"] == 2
    )  # s4's key event, and s6: without people nobody is ours


def test_pages_per_visit_counts_every_view_of_the_sessions_that_began_in_the_quarter(table):
    assert value(table, "pages_per_visit") == 1.2  # 6 views of 5 sessions; s1's second view came after midnight
    assert slices(table, "pages_per_visit", "channel") == {
        "google_ads": 1.5,
        "linkedin_ads": 1,
        "email": 1,
        "unknown": 1,
    }
    assert value(table, "pages_per_visit", quarter="2026Q1") == "no_data"


def test_right_traffic_share_asks_whether_the_account_was_icp_or_a_target_when_the_quarter_began(table):
    found = reading(table, "right_traffic_share")
    assert (found["numerator"], found["denominator"]) == (
        3,
        4,
    )  # One listed, Two ICP, Three listed; Four came in August
    assert slices(table, "right_traffic_share", "channel") == {"google_ads": 1, "linkedin_ads": 0, "unknown": 1}
    assert slices(table, "right_traffic_share", "campaign") == {"Launch": 1, "Bare": 0, "no campaign": 1}
    assert value(table, "right_traffic_share", "month", "2026-08") == 0
    assert value(table, "right_traffic_share", quarter="2026Q2") == "undefined"


def test_utm_hygiene_rate_is_of_the_sessions_that_have_a_utm(table):
    """`Launch-01` and `Google` have capitals, `linkedin` has no medium, and an address is no source."""
    found = reading(table, "utm_hygiene_rate")
    assert (found["numerator"], found["denominator"]) == (0, 4)
    assert slices(table, "utm_hygiene_rate", "source") == {"google": 0, "Google": 0, "linkedin": 0, "an address": 0}
    assert value(table, "utm_hygiene_rate", quarter="2026Q2") == "undefined"


def test_utm_hygiene_rate_lists_what_does_not_fit_and_never_an_address(table):
    assert slices(table, "utm_hygiene_rate", "faulty") == {
        "google · cpc · Launch-01": 0.25,
        "Google · cpc · launch-01": 0.25,
        "linkedin · blank · bare-03": 0.25,
        "an address · email · inbox-02": 0.25,
    }
    assert not table["slice"].str.contains("@").any()


def test_utm_hygiene_rate_goes_by_the_format_that_the_company_sets(tmp_path):
    settings = '[utm]\nrequired = ["source", "medium"]\npattern = "^[A-Za-z]+$"\nsources = ["google", "linkedin"]\n'
    found = read(company(tmp_path, ACCOUNTS | {"page_views": SESSIONS}, settings), "utm_hygiene_rate")
    assert value(found, "utm_hygiene_rate") == 0.25  # `Google` is not among the sources, `linkedin` has no medium
    assert slices(found, "utm_hygiene_rate", "channel") == {
        "google_ads": 0.5,
        "linkedin_ads": 0,
        "email": 0,
        "unknown": "undefined",
    }


def test_scroll_depth_rate_is_of_the_landing_page_views_whose_depth_is_known(pages):
    assert value(pages, "scroll_depth_rate") == 0.5  # 50, 75, 50, 75 of eight; two read a tenth, two a quarter
    assert slices(pages, "scroll_depth_rate", "depth") == {"25": 0.75, "50": 0.5, "75": 0.25, "100": 0}
    assert reading(pages, "scroll_depth_rate")["denominator"] == 8  # unknown, a bot's, passed through: none of them
    assert value(pages, "scroll_depth_rate", quarter="2026Q2") == "undefined"
    assert value(pages, "scroll_depth_rate", quarter="2026Q1") == "no_data"


def test_scroll_depth_rate_by_page_campaign_and_channel_never_grows_with_the_depth(pages):
    by_page = slices(pages, "scroll_depth_rate", "depth/landing_page")
    assert [by_page[f"{depth}/%2Flp"] for depth in (25, 50, 75, 100)] == [1, 0.5, 0.25, 0]
    assert by_page["50/%2Fdeep"] == 1 and by_page["25/%2Ffree"] == 0
    by_campaign = slices(pages, "scroll_depth_rate", "depth/campaign")
    assert by_campaign["50/Launch"] == 0.333333333 and by_campaign["75/Inbox"] == 1 and by_campaign["25/Inbox"] == 1
    assert by_campaign["75/no campaign"] == 0.25
    assert slices(pages, "scroll_depth_rate", "channel") == {"google_ads": 0.666666667, "organic": 0}
    assert slices(pages, "scroll_depth_rate", "depth/channel")["75/google_ads"] == 0.333333333


def test_scroll_depth_rate_of_a_tag_that_gives_90_percent_alone_is_that_and_no_guess(tmp_path):
    views = """
        view_id | session_id | visitor_id | viewed_at        | page | is_landing | scroll_percent
        v1      | s1         | x1         | 2026-07-10 10:00 | /    | yes        | 90
        v2      | s2         | x2         | 2026-07-10 10:00 | /    | yes        | 0
        """
    found = read(company(tmp_path, {"page_views": views}, "[scroll]\nsteps = [90]\n"), "scroll_depth_rate")
    assert value(found, "scroll_depth_rate") == 0.5
    assert slices(found, "scroll_depth_rate", "depth") == {"90": 0.5}


def test_landing_pages_mismatched_are_paid_pages_whose_median_view_stops_at_half(pages):
    found = reading(pages, "landing_pages_mismatched")
    assert (found["value"], found["n"]) == (1, 1)  # /lp at 37.5; /deep is read to 62.5; nobody pays for /free
    assert slices(pages, "landing_pages_mismatched", "landing_page") == {"/lp": 1}
    assert slices(pages, "landing_pages_mismatched", "severity") == {"flagged": 1}
    assert slices(pages, "landing_pages_mismatched", "campaign") == {"Launch": 1}  # Inbox: one view
    assert value(pages, "landing_pages_mismatched", quarter="2026Q2") == 0
    assert value(pages, "landing_pages_mismatched", quarter="2026Q1") == "no_data"


def test_landing_pages_mismatched_at_a_quarter_are_red_and_at_exactly_half_flagged(tmp_path):
    views = """
        view_id | session_id | visitor_id | viewed_at        | page  | is_landing | channel    | scroll_percent
        v1      | s1         | x1         | 2026-07-10 10:00 | /red  | yes        | google_ads | 25
        v2      | s2         | x2         | 2026-07-10 10:00 | /half | yes        | google_ads | 50
        v3      | s3         | x3         | 2026-07-10 10:00 | /fine | yes        | google_ads | 51
        """
    folder = company(tmp_path, {"page_views": views}, SETTINGS + "[scroll]\nmin_views = 1\n")
    found = read(folder, "landing_pages_mismatched")
    assert slices(found, "landing_pages_mismatched", "severity") == {"red": 1, "flagged": 1}
    assert slices(found, "landing_pages_mismatched", "landing_page") == {"/red": 1, "/half": 1}


def test_landing_pages_mismatched_need_thirty_views_to_be_judged(tmp_path):
    head = "view_id | session_id | visitor_id | viewed_at | page | is_landing | channel | scroll_percent"
    views = [
        f"{page}{n} | {page}{n} | x{n} | 2026-07-10 10:00 | /{page} | yes | google_ads | 10"
        for page, count in (("a", 29), ("b", 30))
        for n in range(count)
    ]
    found = read(company(tmp_path, {"page_views": "\n".join([head, *views])}, SETTINGS), "landing_pages_mismatched")
    assert reading(found, "landing_pages_mismatched")["n"] == 1
    assert slices(found, "landing_pages_mismatched", "landing_page") == {"/b": 1}


# The last sixty days of the third quarter begin on 2 August. Ten accounts came from then on, the eleventh on the day before.
def _visits(days: dict[str, str]) -> dict[str, str]:
    listed = [f"{name} | yes | {1 if name < 'b04' else 2} | one_to_few | 2026-01-01" for name in days]
    views = [f"{n} | {n} | x{n} | {day} 12:00 | / | {name}" for n, (name, day) in enumerate(days.items())]
    head = "view_id | session_id | visitor_id | viewed_at | page | account_id"
    return {
        "accounts": "\n".join(["account_id | name | industry", *(f"{name} | {name} | steel" for name in days)]),
        "account_lists": "\n".join(["account_id | is_target | tier | programme | valid_from", *listed]),
        "page_views": "\n".join([head, "f | f | f | 2026-04-01 12:00 | / |", *views]),
    }


TEN = {f"b{n:02}": "2026-08-02" if n < 9 else "2026-09-30" for n in range(10)}


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("visited"), _visits(TEN | {"b10": "2026-08-01", "b11": "2026-10-01"}))
    return read(folder, "target_accounts_visiting", "target_account_visit_rate")


def test_target_accounts_visiting_are_ten_in_sixty_days_and_the_eleventh_came_on_day_61(visited):
    assert value(visited, "target_accounts_visiting") == 10
    assert slices(visited, "target_accounts_visiting", "window") == {"quarter": 11}
    assert slices(visited, "target_accounts_visiting", "tier") == {"1": 4, "2": 6}
    assert slices(visited, "target_accounts_visiting", "programme") == {"one_to_few": 10}
    assert slices(visited, "target_accounts_visiting", "industry") == {"steel": 10}
    assert reading(visited, "target_accounts_visiting")["period_start"] == "2026-08-02"
    assert value(visited, "target_accounts_visiting", quarter="2026Q2") == 0
    assert value(visited, "target_accounts_visiting", quarter="2026Q1") == "no_data"


def test_target_account_visit_rate_is_of_all_target_accounts(visited):
    assert value(visited, "target_account_visit_rate") == round(10 / 12, 9)
    assert slices(visited, "target_account_visit_rate", "window") == {"quarter": round(11 / 12, 9)}
    assert slices(visited, "target_account_visit_rate", "tier") == {"1": 1, "2": 0.75}
    assert slices(visited, "target_account_visit_rate", "programme") == {"one_to_few": round(10 / 12, 9)}
    assert value(visited, "target_account_visit_rate", quarter="2026Q2") == 0


def test_target_account_visit_rate_leaves_out_accounts_that_join_after_its_time_began(table):
    """Four joined on 10 August and came on the first. One came on the last day, Three in July; Five, of 15 July, never."""
    found = reading(table, "target_account_visit_rate")
    assert (found["numerator"], found["denominator"]) == (1, 3)  # of One, Three and Five, listed on 2 August
    quarter = reading(table, "target_account_visit_rate", "window", "quarter")
    assert (quarter["numerator"], quarter["denominator"]) == (2, 2)  # One and Three; Five joined in the quarter
    assert slices(table, "target_accounts_visiting", "tier") == {"1": 1, "2": 0}


def test_target_account_visit_rate_without_a_list_is_undefined(tmp_path):
    views = _visits({"b01": "2026-09-01"}) | {"account_lists": "account_id | is_target | tier | valid_from"}
    found = read(company(tmp_path, views), "target_accounts_visiting", "target_account_visit_rate")
    assert value(found, "target_account_visit_rate") == "undefined"
    assert value(found, "target_accounts_visiting") == 0


def test_visit_match_rate_is_the_sessions_with_an_account_on_any_view(table):
    assert value(table, "visit_match_rate") == 0.8  # all but s5
    assert slices(table, "visit_match_rate", "channel") == {
        "google_ads": 1,
        "linkedin_ads": 1,
        "email": 0,
        "unknown": 1,
    }
    assert value(table, "visit_match_rate", quarter="2026Q2") == 0
    assert value(table, "visit_match_rate", quarter="2026Q1") == "no_data"


def test_what_the_tag_does_not_give_is_not_collected(tmp_path):
    bare = """
        view_id | session_id | visitor_id | viewed_at        | page
        v1      | s1         | x1         | 2026-07-10 10:00 | /
        """
    found = read(company(tmp_path, {"page_views": bare}), "website")
    assert value(found, "website_sessions") == 1
    for metric in ("new_visitor_share", "engaged_visit_rate", "utm_hygiene_rate", "scroll_depth_rate", "visit_match_rate",
                   "right_traffic_share", "landing_pages_mismatched", "target_account_visit_rate"):  # fmt: skip
        assert value(found, metric) == "not_collected", metric


def test_sessions_in_a_merged_account_are_those_of_its_survivor(tmp_path):
    merged = {
        "accounts": "account_id | name | is_icp | survivor_id\na1 | One | no | a2\na2 | Two | yes |",
        "page_views": """
            view_id | session_id | visitor_id | viewed_at        | page | account_id
            v1      | s1         | x1         | 2026-07-10 10:00 | /    | a1
            """,
    }
    assert value(read(company(tmp_path, merged), "right_traffic_share"), "right_traffic_share") == 1
