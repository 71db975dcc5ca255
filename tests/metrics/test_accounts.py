"""Accounts: every metric worked out by hand on a few rows, and every reason for having none."""

from __future__ import annotations

import pandas as pd
import pytest
from tiny import company, deals, facts, read, reading, slices, value

from abm_lib.errors import UsageError

# Seven accounts are on the list when the third quarter begins: 1, 2, 3, 4, 6, 7 and 8, which came on its first day.
LISTED = {
    "accounts": """
        account_id | name  | industry | segment    | region | employees | annual_revenue | currency
        a1         | One   | steel    | enterprise | North  | 1000      | 250000000      | EUR
        a2         | Two   | steel    | enterprise | North  | 999       | 249999999      | EUR
        a3         | Three | paper    | small      | North  | 49        | 9999999        | EUR
        a4         | Four  | paper    | small      |        | 50        | 10000000       | EUR
        a5         | Five  | paper    | small      | South  |           |                |
        a6         | Six   | paper    | small      | South  | 10        | 1              | EUR
        a7         | Seven | paper    | small      | South  | 10        | 1              | USD
        a8         | Eight |          | small      | South  | 10        | 1              | EUR
        a9         | Nine  | paper    | small      | South  | 10        | 1              | EUR
        b1         | Other | steel    | enterprise | North  | 10        | 1              | EUR
        """,
    "account_changes": """
        account_id | changed_at | segment | industry | employees | region
        a6         | 2020-01-01 | small   | paper    | 10        | South
        a8         | 2020-01-01 | small   |          | 10        | South
        a8         | 2026-09-30 | small   |          | 300       | South
        a8         | 2026-10-01 | small   |          | 2000      | South
        """,
    "account_lists": """
        account_id | is_target | tier | programme   | buying_team_size | intent_level | valid_from | valid_to   | recorded_at
        a1         | yes       | 1    | one_to_one  | 4                | high         | 2026-01-01 |            |
        a2         | yes       | 1    | one_to_one  |                  | low          | 2026-01-01 |            |
        a3         | yes       | 3    | one_to_many |                  | low          | 2026-01-01 | 2026-09-30 |
        a3         | yes       | 3    | one_to_many |                  | high         | 2026-09-30 |            |
        a4         | yes       | 2    | one_to_few  |                  | high         | 2026-01-01 | 2026-10-01 |
        a5         | yes       | 2    | one_to_few  |                  |              | 2026-08-01 |            |
        a6         | yes       | 2    | one_to_few  |                  | high         | 2026-01-01 | 2026-09-30 |
        a7         | yes       | 3    | one_to_many |                  |              | 2026-01-01 | 2026-09-01 |
        a7         | yes       | 2    | one_to_few  |                  |              | 2026-09-01 |            |
        a8         | yes       | 3    | one_to_many |                  |              | 2026-07-01 |            |
        a9         | yes       | 3    | one_to_many |                  | high         | 2026-10-01 |            |
        b1         | no        |      |             |                  | high         | 2026-01-01 | 2026-09-02 |
        b1         | yes       | 1    | one_to_one  |                  | high         | 2026-09-02 |            | 2026-10-12
        """,
}
KNOWN = {
    "people": """
        person_id | account_id | title                   | buying_role | department  | is_internal | created_at       | survivor_id
        p11       | a1         | Head of Automation      |             | Engineering |             | 2026-01-01       |
        p12       | a1         | CFO                     |             | Finance     |             | 2026-01-01       |
        p13       | a1         | Vice President, Sales   |             | Sales       |             |                  |
        p14       | a1         | Head of Maintenance     |             | Engineering |             | 2026-10-01       |
        p15       | a1         |                         |             |             |             | 2026-09-30 23:00 |
        p16       | a1         | Head of Automation      |             | Engineering |             | 2026-01-01       | p11
        p21       | a2         | Student                 | user        | Other       |             | 2026-01-01       |
        p31       | a3         | Director of Engineering |             | Engineering |             | 2026-01-01       |
        p32       | a3         | Engineer                |             | Engineering |             | 2026-01-01       |
        p33       | a3         | Engineer                |             | Engineering |             | 2026-01-01       |
        p34       | a3         | Engineer                |             | Engineering |             | 2026-01-01       |
        p61       | a6         | IT Director             |             | IT          |             | 2026-01-01       |
        p71       | a7         | Procurement Manager     |             | Procurement |             | 2026-01-01       |
        p81       | a8         | Managing Director       |             | Board       |             | 2026-01-01       |
        p82       | a8         | Director                |             | Sales       |             | 2026-01-01       |
        p51       | a5         | CEO                     |             | Board       |             | 2026-01-01       |
        p91       | b1         | CEO                     |             | Board       |             | 2026-01-01       |
        s1        | a7         | Director                | champion    | Sales       | yes         | 2026-01-01       |
        """,
    "person_accounts": """
        person_id | account_id | valid_from | valid_to
        p71       | a7         | 2026-01-01 | 2026-09-01
        p71       | a4         | 2026-09-01 |
        """,
    "touches": """
        touch_id | touched_at       | account_id | person_id | channel | kind
        t01      | 2025-12-01       | a1         | p11       | website | impression
        t02      | 2026-06-30 12:00 | a1         | p12       | website | impression
        t11      | 2026-07-03 00:00 | a1         | p11       | website | visit
        t12      | 2026-09-30 23:59 | a1         | p12       | website | download
        t13      | 2026-08-01 12:00 | a1         | p12       | email   | email_click
        t14      | 2026-07-02 23:59 | a1         | p13       | website | visit
        t15      | 2026-10-01 00:00 | a1         | p15       | website | visit
        t21      | 2026-08-01 12:00 | a2         | p21       | website | visit
        t22      | 2026-08-02 12:00 | a2         |           | display | ad_click
        t31      | 2026-08-01 12:00 | a3         | p31       | website | visit
        t32      | 2026-08-01 12:00 | a3         | p32       | website | visit
        t33      | 2026-08-01 12:00 | a3         | p33       | website | visit
        t34      | 2026-08-01 12:00 | a3         | p34       | website | visit
        t41      | 2026-08-01 12:00 | a4         |           | website | form
        t51      | 2026-08-01 12:00 | a5         | p51       | website | demo_request
        t61      | 2026-10-01 00:00 | a6         | p61       | website | form
        t71      | 2026-08-01 12:00 | a7         | s1        | website | demo_request
        t81      | 2026-08-01 12:00 | a8         | p81       | display | impression
        t82      | 2026-08-01 12:00 | a8         | p82       | display | impression
        t91      | 2026-08-01 12:00 | b1         | p91       | website | pricing_visit
        """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return company(tmp_path_factory.mktemp("accounts"), LISTED | KNOWN)


@pytest.fixture(scope="module")
def table(folder) -> pd.DataFrame:
    return read(folder, "accounts")


# The list


def test_target_accounts_are_those_on_the_list_on_the_last_day_of_the_quarter(table):
    assert (
        value(table, "target_accounts") == 7
    )  # 1, 2, 3, 4, 5, 7 and 8; Six left the day before, Nine comes the day after
    assert slices(table, "target_accounts", "tier") == {"1": 2, "2": 3, "3": 2}
    assert slices(table, "target_accounts", "programme") == {"one_to_one": 2, "one_to_few": 3, "one_to_many": 2}
    assert slices(table, "target_accounts", "segment") == {"enterprise": 2, "small": 5}
    assert slices(table, "target_accounts", "region") == {"North": 3, "South": 3, "unknown": 1}


def test_target_accounts_that_joined_left_and_changed_tier_stand_in_the_slice_movement(table):
    assert slices(table, "target_accounts", "movement") == {"joined": 2, "left": 1, "re_tiered": 1}  # 5 and 8, 6, 7
    # All that were listed in January joined then: 1, 2, 3, 4, 6 and 7.
    assert slices(table, "target_accounts", "movement", quarter="2026Q1") == {"joined": 6, "left": 0, "re_tiered": 0}
    assert slices(table, "target_accounts", "movement", quarter="2026Q2") == {"joined": 0, "left": 0, "re_tiered": 0}


def test_an_entry_recorded_after_the_quarter_had_settled_is_no_part_of_it_and_no_later_join(folder):
    """Other is on the list since the 2nd of September and was entered on the 12th of October: a restatement, not a movement."""
    later = read(folder, "target_accounts", quarter="2026Q4")
    assert value(later, "target_accounts", quarter="2026Q3") == 7
    assert value(later, "target_accounts") == 8
    assert slices(later, "target_accounts", "movement") == {
        "joined": 1,
        "left": 1,
        "re_tiered": 0,
    }  # Nine came, Four left


def test_target_accounts_by_size_are_as_last_told_before_the_end_of_the_quarter(table):
    sizes = slices(table, "target_accounts", "employees_band")
    # Eight grew to 300 on the last day; the 2,000 of the next day are not known yet.
    assert sizes == {"under 50": 2, "50 to 250": 1, "250 to 1,000": 2, "1,000 and more": 1, "unknown": 1}
    revenue = slices(table, "target_accounts", "revenue_band")
    assert revenue["250,000,000 and more"] == revenue["50,000,000 to 250,000,000"] == 1
    assert revenue["10,000,000 to 50,000,000"] == 1 and revenue["under 10,000,000"] == 2
    assert revenue["unknown"] == 2  # Five tells none, and there is no rate for the dollars of Seven


def test_target_accounts_by_revenue_are_converted_at_the_rate_of_the_last_day(tmp_path):
    rates = {"fx": "currency | day | rate\nUSD | 2026-09-30 | 5000000\nUSD | 2026-10-01 | 50000000"}
    revenue = slices(read(company(tmp_path, LISTED | rates), "target_accounts"), "target_accounts", "revenue_band")
    assert revenue["under 10,000,000"] == 3 and revenue["50,000,000 to 250,000,000"] == 1  # Seven makes one dollar


def test_the_bands_of_size_are_the_company_s(tmp_path):
    table = read(
        company(tmp_path, LISTED, "[bands]\nemployees = [300, 1000]"), "target_accounts", by=["employees_band"]
    )
    bands = {"under 300": 3, "300 to 1,000": 2, "1,000 and more": 1, "unknown": 1}
    assert slices(table, "target_accounts", "employees_band") == bands
    falling = company(tmp_path / "falling", LISTED, "[bands]\nemployees = [1000, 300]")
    with pytest.raises(UsageError, match="above the one before"):
        read(falling, "target_accounts")


def test_target_accounts_before_the_list_begins_are_missing_and_not_0(table):
    assert value(table, "target_accounts", quarter="2025Q3") == "no_data"
    assert "account_lists" in reading(table, "target_accounts", quarter="2025Q3")["caveats"]


def test_high_intent_accounts_are_target_accounts_at_the_level_of_the_last_day(table):
    assert value(table, "high_intent_accounts") == 3  # One, Four, and Three since the last day; Six has left
    assert slices(table, "high_intent_accounts", "tier") == {"1": 1, "2": 1, "3": 1}
    assert slices(table, "high_intent_accounts", "industry") == {"steel": 1, "paper": 2, "unknown": 0}
    assert value(table, "high_intent_accounts", quarter="2025Q3") == "no_data"


def test_high_intent_accounts_without_a_level_from_anyone_are_not_collected(tmp_path):
    lists = {
        "accounts": "account_id | name\na1 | One",
        "account_lists": "account_id | is_target | valid_from\na1 | yes | 2026-08-01",
    }
    table = read(company(tmp_path, lists), "high_intent_accounts", "target_accounts")
    assert value(table, "high_intent_accounts") == "not_collected"
    assert value(table, "target_accounts") == 1
    assert slices(table, "target_accounts", "tier") == {"unknown": 1}


# Engagement


def test_an_account_is_engaged_by_enough_people_or_by_one_act_of_high_intent(folder):
    found = facts(folder, "target_account_engagement")["target_account_engagement"].set_index("account_id")
    engaged = found["is_engaged"]
    assert set(engaged[engaged].index) == {"a1", "a3", "a4"}  # two people, four people, a form that names nobody
    assert found["people_engaged"].to_dict() == {"a1": 2, "a2": 1, "a3": 4, "a4": 0, "a6": 0, "a7": 0, "a8": 0}


def test_engaged_target_accounts_look_back_ninety_days_from_the_end_of_the_quarter(table):
    assert value(table, "engaged_target_accounts") == 3
    assert slices(table, "engaged_target_accounts", "tier") == {"1": 1, "2": 1, "3": 1}
    assert slices(table, "engaged_target_accounts", "programme") == {"one_to_one": 1, "one_to_few": 1, "one_to_many": 1}
    assert slices(table, "engaged_target_accounts", "industry") == {"steel": 1, "paper": 2, "unknown": 0}
    assert value(table, "engaged_target_accounts", quarter="2026Q2") == 0  # an impression is no act
    assert value(table, "engaged_target_accounts", quarter="2025Q3") == "no_data"


def test_engaged_target_account_rate_counts_the_accounts_listed_when_the_quarter_began(table):
    found = reading(table, "engaged_target_account_rate")
    assert (found["numerator"], found["denominator"]) == (3, 7)  # Five joined in August and is in neither
    assert found["low"] < 3 / 7 < found["high"] and found["method"] == "Wilson, 95%"
    assert slices(table, "engaged_target_account_rate", "tier") == {"1": 0.5, "2": 0.5, "3": 0.333333333}
    assert slices(table, "engaged_target_account_rate", "industry") == {"steel": 0.5, "paper": 0.5, "unknown": 0}
    rates = slices(table, "engaged_target_account_rate", "programme")
    assert rates == {"one_to_one": 0.5, "one_to_few": 0.5, "one_to_many": 0.333333333}


def test_engaged_target_account_rate_without_a_list_is_undefined(table):
    assert value(table, "engaged_target_account_rate", quarter="2025Q4") == "undefined"
    assert reading(table, "engaged_target_account_rate", quarter="2025Q4")["caveats"] == "no target accounts"


def test_the_rule_of_engagement_is_the_company_s(tmp_path):
    rule = '[engaged]\nwindow_days = 61\nmin_people = 4\nhigh_intent = ["pricing_visit"]'
    table = read(company(tmp_path, LISTED | KNOWN, rule), "engaged_target_accounts", by=[])
    assert (
        value(table, "engaged_target_accounts") == 1
    )  # Three, on the first of the 61 days; a form is no high intent here
    none = "[engaged]\nwindow_days = 60\nmin_people = 4\nhigh_intent = []"
    table = read(company(tmp_path / "none", LISTED | KNOWN, none), "engaged_target_accounts", by=[])
    assert value(table, "engaged_target_accounts") == 0


# Buying groups


def test_buying_group_penetration_is_people_who_acted_over_people_in_the_teams(table):
    found = reading(table, "buying_group_penetration")
    # 2 of 4 stated, 1 of 12, 3 of 3 although four acted, 0 of 7, 0 of 7, 0 of 3, 0 of 3
    assert (found["numerator"], found["denominator"], found["n"]) == (6, 39, 7)
    assert slices(table, "buying_group_penetration", "tier") == {"1": 0.1875, "2": 0, "3": 0.333333333}
    accounts = slices(table, "buying_group_penetration", "account")
    assert accounts == {"One": 0.5, "Two": 0.083333333, "Three": 1} | dict.fromkeys(
        ("Four", "Six", "Seven", "Eight"), 0
    )


def test_buying_group_penetration_says_what_its_team_sizes_rest_on(table):
    assert slices(table, "buying_group_penetration", "team_size") == {"stated": 0.5, "assumed": 0.03125, "too small": 1}
    sizes = table[(table["metric"] == "buying_group_penetration") & (table["slice_by"] == "team_size")]
    assert dict(zip(sizes["slice"], sizes["n"], strict=True))["assumed"] is not None
    assert reading(table, "buying_group_penetration", "team_size", "assumed")["n"] == 5


def test_buying_group_penetration_without_acts_is_0_and_without_a_list_undefined(table):
    assert value(table, "buying_group_penetration", quarter="2026Q2") == 0
    assert value(table, "buying_group_penetration", quarter="2025Q4") == "undefined"
    assert value(table, "buying_group_penetration", quarter="2025Q3") == "no_data"


def test_nine_of_a_team_of_twelve_are_three_quarters(tmp_path):
    acts = [f"t{n} | 2026-08-01 | a1 | p{n} | event | event" for n in range(1, 10)]
    tables = {
        "accounts": "account_id | name\na1 | One",
        "account_lists": "account_id | is_target | tier | valid_from\na1 | yes | 1 | 2026-07-01",
        "touches": "\n".join(["touch_id | touched_at | account_id | person_id | channel | kind", *acts]),
    }
    table = read(company(tmp_path, tables), "buying_group_penetration")
    assert value(table, "buying_group_penetration") == 0.75
    larger = read(company(tmp_path / "larger", tables, "[buying_group.1]\nteam_size = 18"), "buying_group_penetration")
    assert value(larger, "buying_group_penetration") == 0.5


def test_an_account_without_a_tier_or_a_team_size_is_in_no_penetration(tmp_path):
    tables = {
        "accounts": "account_id | name\na1 | One\na2 | Two",
        "account_lists": """
            account_id | is_target | tier | buying_team_size | valid_from
            a1         | yes       |      |                  | 2026-07-01
            a2         | yes       |      | 2                | 2026-07-01
            """,
        "touches": """
            touch_id | touched_at | account_id | person_id | channel | kind
            t1       | 2026-08-01 | a1         | p1        | event   | event
            t2       | 2026-08-01 | a2         | p2        | event   | event
            """,
    }
    table = read(company(tmp_path, tables), "tier_weighted_penetration", "buying_group_penetration")
    found = reading(table, "buying_group_penetration")
    assert (found["numerator"], found["denominator"], found["n"]) == (1, 2, 1)
    assert value(table, "tier_weighted_penetration") == "undefined"


def test_tier_weighted_penetration_weighs_the_tiers_own_rates_three_two_one(table):
    found = reading(table, "tier_weighted_penetration")
    assert round(found["value"], 9) == round((3 * 3 / 16 + 2 * 0 / 14 + 1 * 3 / 9) / 6, 9)
    assert (found["denominator"], found["n"]) == (6, 7)
    assert value(table, "tier_weighted_penetration", quarter="2026Q2") == 0
    assert value(table, "tier_weighted_penetration", quarter="2025Q4") == "undefined"
    assert value(table, "tier_weighted_penetration", quarter="2025Q3") == "no_data"


def test_half_of_tier_1_outranks_half_of_tier_3(tmp_path):
    """Two accounts with a team of two; one person acts at the one or at the other."""
    drawn = LISTED | {
        "account_lists": """
            account_id | is_target | tier | buying_team_size | valid_from
            a1         | yes       | 1    | 2                | 2026-07-01
            a3         | yes       | 3    | 2                | 2026-07-01
            """
    }
    for account, expected in (("a1", 3 * 0.5 / 4), ("a3", 1 * 0.5 / 4)):
        acted = f"touch_id | touched_at | account_id | person_id | channel | kind\nt1 | 2026-08-01 | {account} | p1 | event | event"
        table = read(company(tmp_path / account, drawn | {"touches": acted}), "tier_weighted_penetration")
        assert value(table, "tier_weighted_penetration") == expected


def test_buying_role_penetration_is_needed_roles_in_which_someone_acted(table):
    found = reading(table, "buying_role_penetration")
    # Five roles at each of two accounts of tier 1, four at two of tier 2, two at three of tier 3. Champion and economic buyer
    # act at One, a user at Two, a decision maker at Three; its engineers are in no role that tier 3 needs.
    assert (found["numerator"], found["denominator"]) == (4, 24)
    assert slices(table, "buying_role_penetration", "tier") == {"1": 0.3, "2": 0, "3": 0.166666667}
    by_role = slices(table, "buying_role_penetration", "role")
    assert by_role == {
        "champion": round(1 / 7, 9), "decision_maker": round(1 / 7, 9), "economic_buyer": 0.25, "influencer": 0, "user": 0.25
    }  # fmt: skip
    assert slices(table, "buying_role_penetration", "role/tier")["economic_buyer/1"] == 0.5
    assert value(table, "buying_role_penetration", quarter="2026Q2") == 0
    assert value(table, "buying_role_penetration", quarter="2025Q4") == "undefined"
    assert value(table, "buying_role_penetration", quarter="2025Q3") == "no_data"


def test_the_words_of_titles_and_the_roles_of_a_tier_are_the_company_s(tmp_path):
    settings = '[titles]\ndecision_maker = ["engineer"]\n\n[buying_group.3]\nroles = ["decision_maker", "blocker"]'
    table = read(company(tmp_path, LISTED | KNOWN, settings), "buying_role_penetration", "right_contact_share")
    assert slices(table, "buying_role_penetration", "role")["blocker"] == 0
    assert reading(table, "buying_role_penetration", "tier", "3")["numerator"] == 1
    found = reading(table, "right_contact_share", "tier", "3")
    assert (found["numerator"], found["denominator"]) == (3, 6)  # the three engineers; "Engineering" is another word


def test_contacts_per_target_account_counts_people_where_they_worked_when_the_quarter_ended(table):
    found = reading(table, "contacts_per_target_account")
    # 4 at One (not the merged one, nor the one met in October), 1, 4, 1 who came from Seven, 1, 0 (our own), 2
    assert (found["numerator"], found["denominator"], found["n"]) == (13, 7, 7)
    assert slices(table, "contacts_per_target_account", "statistic") == {"median": 1}
    assert slices(table, "contacts_per_target_account", "tier") == {"1": 2.5, "2": 1, "3": 2}
    assert slices(table, "contacts_per_target_account", "tier/statistic")["3/median"] == 2
    assert value(table, "contacts_per_target_account", quarter="2025Q4") == "no_data"


def test_contacts_per_target_account_is_0_where_nobody_is_known(tmp_path):
    others = {"people": "person_id | account_id | created_at\np1 | b1 | 2026-08-01"}
    table = read(company(tmp_path, LISTED | others), "contacts_per_target_account")
    assert value(table, "contacts_per_target_account") == 0
    assert value(table, "contacts_per_target_account", quarter="2026Q2") == "no_data"


def test_right_contact_share_is_people_in_a_role_that_their_account_s_tier_needs(table):
    found = reading(table, "right_contact_share")
    # Champion, economic buyer and vice president at One, the user at Two, the directors at Three and Eight
    assert (found["numerator"], found["denominator"]) == (6, 13)
    assert slices(table, "right_contact_share", "tier") == {"1": 0.8, "2": 0, "3": 0.333333333}
    assert slices(table, "right_contact_share", "department")["Engineering"] == 0.4
    assert slices(table, "right_contact_share", "department")["not stated"] == 0


def test_right_contact_share_with_nobody_known_is_undefined_and_without_titles_not_collected(tmp_path):
    nobody = {"people": "person_id | account_id | title | created_at\np1 | b1 | CFO | 2026-08-01"}
    found = read(company(tmp_path / "nobody", LISTED | nobody), "right_contact_share")
    assert value(found, "right_contact_share") == "undefined"
    untitled = {"people": "person_id | account_id | created_at\np1 | a1 | 2026-08-01"}
    found = read(company(tmp_path / "untitled", LISTED | untitled), "right_contact_share")
    assert value(found, "right_contact_share") == "not_collected"


def test_multithreaded_account_rate_asks_for_two_people_who_acted_and_for_three(table):
    found = reading(table, "multithreaded_account_rate")
    assert (found["numerator"], found["denominator"]) == (2, 7)  # One and Three; a form without a person is no thread
    assert slices(table, "multithreaded_account_rate", "people") == {"2": round(2 / 7, 9), "3": round(1 / 7, 9)}
    assert slices(table, "multithreaded_account_rate", "tier") == {"1": 0.5, "2": 0, "3": 0.333333333}
    assert value(table, "multithreaded_account_rate", quarter="2026Q2") == 0
    assert value(table, "multithreaded_account_rate", quarter="2025Q4") == "undefined"


# Accounts with open opportunities

IN_PLAY = deals("""
    deal | qualified  | ended      | stage | amount | account_id
    d1   | 2026-08-01 |            |       | 1      | a1
    d1b  | 2026-08-01 |            |       | 1      | a1
    d2   | 2026-08-01 |            |       | 1      | a2
    d3   | 2026-08-01 | 2026-09-01 | won   | 1      | a3
    d4   | 2026-08-01 |            |       | 1      | a4
    d5   | 2026-08-01 |            |       | 1      | b1
    d6   | 2026-08-01 |            |       | 1      |
    d7   | 2026-02-01 | 2026-03-01 | won   | 1      | a1
    """) | {
    "people": """
        person_id | account_id | buying_role | is_internal | title    | created_at
        p1        | a1         |             |             | Head of  | 2026-01-01
        p2        | a2         |             |             | Head of  | 2026-01-01
        p4        | a4         | champion    |             |          | 2026-01-01
        p5        | b1         | blocker     |             |          | 2026-01-01
        p6        | a2         | blocker     |             |          | 2026-10-01
        s1        | b1         |             | yes         |          | 2026-01-01
        """,
    "opportunity_roles": """
        opportunity_id | person_id | role     | added_at
        d1b            | p1        | champion | 2026-09-30
        d2             | p2        | champion | 2026-10-01
        d3             | p2        | blocker  | 2026-08-01
        d5             | s1        | champion | 2026-08-01
        """,
}  # fmt: skip


@pytest.fixture(scope="module")
def in_play(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = company(tmp_path_factory.mktemp("in play"), LISTED | IN_PLAY)
    return read(folder, "champion_known_rate", "blocker_known_rate")


def test_champion_known_rate_asks_for_a_record_on_an_open_opportunity_or_with_a_person_there(in_play):
    found = reading(in_play, "champion_known_rate")
    # One by its second deal, Four by a person; at Two it came in October, at Other it is one of us
    assert (found["numerator"], found["denominator"]) == (2, 4)
    assert slices(in_play, "champion_known_rate", "tier") == {"1": 0.5, "2": 1, "not on the list": 0}


def test_champion_known_rate_without_an_open_opportunity_is_undefined(in_play):
    assert value(in_play, "champion_known_rate", quarter="2026Q1") == "undefined"
    assert reading(in_play, "champion_known_rate", quarter="2026Q1")["caveats"] == "no open opportunity"


def test_blocker_known_rate_counts_the_same_accounts(in_play):
    found = reading(in_play, "blocker_known_rate")
    assert (found["numerator"], found["denominator"]) == (1, 4)
    assert slices(in_play, "blocker_known_rate", "tier") == {"1": 0, "2": 0, "not on the list": 1}
    assert reading(in_play, "blocker_known_rate")["status"] == "none"


def test_a_champion_that_no_source_records_is_not_collected(tmp_path):
    unrecorded = {name: drawn for name, drawn in IN_PLAY.items() if name not in ("people", "opportunity_roles")}
    table = read(company(tmp_path, LISTED | unrecorded), "champion_known_rate", "blocker_known_rate")
    assert value(table, "champion_known_rate") == value(table, "blocker_known_rate") == "not_collected"


# Conversations


def test_sales_conversations_are_meetings_held_and_calls_in_which_both_sides_spoke(tmp_path):
    meetings = {
        "meetings": """
            meeting_id | kind    | account_id | booked_at  | starts_at        | outcome   | is_internal | is_two_way
            m0         | meeting | a1         | 2026-05-01 | 2026-05-02       | no_show   |             |
            m1         | meeting | a1         | 2026-06-01 | 2026-07-01 00:00 | held      |             | no
            m2         | demo    | a1         | 2026-09-01 | 2026-09-30 23:00 | held      |             |
            m3         | call    | a2         | 2026-09-01 | 2026-09-01       | held      |             | yes
            m4         | call    | a2         | 2026-09-01 | 2026-09-01       | held      |             | no
            m5         | call    | a2         | 2026-09-01 | 2026-09-01       | held      |             |
            m6         | meeting | a2         | 2026-09-01 | 2026-09-01       | cancelled |             | yes
            m7         | meeting | a2         | 2026-09-01 | 2026-09-01       | held      | yes         | yes
            m8         | meeting | a2         | 2026-09-20 | 2026-10-01 00:00 | held      |             | yes
            m9         | meeting | b1         | 2026-09-20 | 2026-09-20       | held      |             | yes
            """
    }
    table = read(company(tmp_path, LISTED | meetings), "sales_conversations")
    found = reading(table, "sales_conversations")
    assert (found["value"], found["n"]) == (4, 3)  # n is the accounts
    assert slices(table, "sales_conversations", "tier") == {"1": 3, "not on the list": 1}
    assert slices(table, "sales_conversations", "kind") == {"meeting": 2, "demo": 1, "call": 1}
    assert value(table, "sales_conversations", quarter="2026Q2") == 0
    assert value(table, "sales_conversations", quarter="2026Q1") == "no_data"


# The market

MARKET = {
    "accounts": """
        account_id | name | segment    | is_addressable
        e1         | E1   | enterprise | yes
        e2         | E2   | enterprise | yes
        m1         | M1   | mid        | yes
        m2         | M2   | mid        | no
        s1         | S1   | small      | yes
        s2         | S2   | small      |
        """,
    "account_changes": """
        account_id | changed_at | segment | is_addressable
        s1         | 2020-01-01 | small   | yes
        s2         | 2020-01-01 | small   | no
        s2         | 2026-07-15 | small   | yes
        """,
    "subscriptions": """
        event_id | account_id | effective_on | kind    | arr_change | currency | recorded_at
        r1       | e1         | 2026-01-01   | opening | 70         | EUR      |
        r2       | m2         | 2026-09-30   | new     | 70         | EUR      |
        r3       | s1         | 2026-01-01   | opening | 70         | EUR      |
        r4       | s1         | 2026-09-30   | churn   | -70        | EUR      |
        r5       | m1         | 2026-10-01   | new     | 70         | EUR      |
        r6       | e2         | 2026-09-01   | new     | 70         | EUR      | 2026-10-12
        """,
    "touches": """
        touch_id | touched_at | account_id | person_id | channel | kind
        t1       | 2026-08-01 | e2         | p1        | website | visit
        t2       | 2026-08-01 | e2         | p2        | website | visit
        t3       | 2026-08-01 | m2         | p3        | website | form
        t4       | 2026-08-01 | s1         | p4        | website | visit
        t5       | 2026-05-01 | s1         | p4        | website | impression
        """,
}
# Enterprise contracts are worth 150 a year, the middle one 400; of the small one too little is known, all together 200.
WON = deals(
    """
    deal | qualified  | ended      | stage | amount | account_id | business_type
    w0   | 2025-01-01 | 2025-09-30 | won   | 1      | e1         | new
    w1   | 2025-09-01 | 2025-10-01 | won   | 1      | e1         | new
    w2   | 2026-07-01 | 2026-09-30 | won   | 1      | e1         | new
    w3   | 2026-07-01 | 2026-08-01 | won   | 1      | e2         | new
    w4   | 2026-07-01 | 2026-08-01 | won   | 400    | e2         | new
    w5   | 2026-07-01 | 2026-08-01 | won   | 1      | m1         | new
    w6   | 2026-07-01 | 2026-08-01 | won   | 1      | s1         | new
    w7   | 2026-07-01 | 2026-08-01 | won   | 1      | s1         | expansion
    """,
    """
    deal | annual_value | term_months
    w0   | 9999         |
    w1   | 100          |
    w2   | 200          |
    w3   | 100          |
    w4   |              | 24
    w5   | 400          |
    w7   | 9999         |
    """,
)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    names = ("total_addressable_market", "installed_base_value", "market_penetration", "addressable_engagement_rate")
    return read(company(tmp_path_factory.mktemp("market"), MARKET | WON), *names)


def test_total_addressable_market_is_addressable_accounts_at_the_price_of_their_segment(market):
    found = reading(market, "total_addressable_market")
    assert (found["value"], found["n"], found["currency"]) == (2 * 150 + 400 + 200, 4, "EUR")  # S2 came in July
    sums = {"enterprise": 300, "mid": 400, "small": 200}
    assert slices(market, "total_addressable_market", "segment") == sums


def test_total_addressable_market_without_a_price_is_no_data_and_not_0(market, tmp_path):
    assert (
        value(market, "total_addressable_market", quarter="2025Q4") == 4 * (9999 + 100) / 2
    )  # two deals make the price of all
    assert value(market, "total_addressable_market", quarter="2025Q2") == "no_data"
    unvalued = read(company(tmp_path, MARKET | deals("deal | qualified | ended | stage | amount | account_id\n"
                    "w1 | 2026-07-01 | 2026-08-01 | won | 5 | e1")), "total_addressable_market")  # fmt: skip
    assert value(unvalued, "total_addressable_market") == "no_data"
    assert "none of 4" in reading(unvalued, "total_addressable_market")["caveats"]


def test_installed_base_value_is_customers_at_the_same_prices(market):
    found = reading(market, "installed_base_value")
    assert (found["value"], found["n"]) == (
        150 + 400,
        2,
    )  # E1 and M2; S1 has left, M1 comes in October, E2 was entered late
    assert slices(market, "installed_base_value", "segment") == {"enterprise": 150, "mid": 400, "small": 0}
    assert value(market, "installed_base_value", quarter="2025Q4") == 0


def test_market_penetration_is_customers_among_the_addressable_accounts(market):
    found = reading(market, "market_penetration")
    assert (found["numerator"], found["denominator"]) == (1, 4)  # M2 pays and is not addressable
    assert slices(market, "market_penetration", "segment") == {"enterprise": 0.5, "mid": 0, "small": 0}
    assert value(market, "market_penetration", quarter="2025Q4") == "undefined"  # the subscriptions begin in 2026


def test_market_penetration_goes_by_stages_where_nobody_delivers_subscriptions(tmp_path):
    stages = {
        "accounts": MARKET["accounts"],
        "account_stages": """
            account_id | stage    | entered_at
            e1         | customer | 2026-01-01
            e1         | renewal  | 2026-09-30
            e2         | customer | 2026-01-01
            e2         | cold     | 2026-08-01
            m1         | customer | 2026-10-01
            s1         | mqa      | 2026-08-01
            """,
    }
    table = read(company(tmp_path, stages), "market_penetration")
    assert value(table, "market_penetration") == 0.25
    assert value(table, "market_penetration", quarter="2026Q2") == 0.5
    bare = read(company(tmp_path / "bare", {"accounts": MARKET["accounts"], "loads": LOADS}), "market_penetration")
    assert value(bare, "market_penetration") == "not_collected"


LOADS = """
    table    | source | extracted_at     | covers_from | covers_to
    accounts | files  | 2027-01-31 06:00 |             |
    """


def test_addressable_engagement_rate_is_engaged_among_the_addressable_accounts(market):
    found = reading(market, "addressable_engagement_rate")
    assert (found["numerator"], found["denominator"]) == (
        1,
        4,
    )  # E2; M2 is not addressable, one person at S1 is too few
    assert slices(market, "addressable_engagement_rate", "segment") == {"enterprise": 0.5, "mid": 0, "small": 0}
    assert value(market, "addressable_engagement_rate", quarter="2026Q2") == 0
    assert value(market, "addressable_engagement_rate", quarter="2026Q1") == "no_data"


def test_without_a_word_on_who_is_addressable_there_is_no_market(tmp_path):
    accounts = "account_id | name\ne1 | E1\ne2 | E2\nm2 | M2\ns1 | S1"
    unsaid = {"accounts": accounts, "touches": MARKET["touches"]}
    table = read(company(tmp_path, unsaid), "addressable_engagement_rate", "market_penetration")
    assert value(table, "addressable_engagement_rate") == value(table, "market_penetration") == "not_collected"
