"""What is worked out between the delivered tables and the store: merges, rates, time, origins, touches and stages."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest
from small_company import ACCOUNTS, DEALS, FILES, SETTINGS, frozen, write

from abm_lib.company import Company, open_company
from abm_lib.errors import InputRefused

SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample"
LOOSE = "\n[thresholds]\nset_aside_share = 1.0\nunmatched_share = 1.0\n"
CHANNELS = """
[channels.ads]
owner = "marketing"
paid = true
match = ["LinkedIn Ads", "AdWords"]

[channels.outbound]
owner = "sales"
match = ["Cold Call"]
"""


def company(folder: Path, settings: str = "", base: str = SETTINGS, **files: str) -> Company:
    return open_company(write(folder, {**FILES, **files}, settings + LOOSE, base))


# The sample's own touches and stages are those that its event tables make


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Company]:
    """The sample as it is given, and with its touches and account stages derived; with those who withdrew still in it."""
    text, files = (SAMPLE / "abm.toml").read_text(), tmp_path_factory.mktemp("files")
    for path in SAMPLE.glob("*.csv"):
        if path.stem != "suppressions":
            (files / path.name).symlink_to(path)
    assert 'folder = "."' in text and "[derive]" not in text
    made = []
    for name, settings in {
        "given": "",
        "derived": '\n[derive]\ntouches = "derived"\naccount_stages = "derived"\n',
    }.items():
        folder = tmp_path_factory.mktemp(name)
        (folder / "abm.toml").write_text(text.replace('folder = "."', f'folder = "{files}"') + settings)
        made.append(open_company(folder))
    return made[0], made[1]


def differences(pair: tuple[Company, Company], query: str) -> tuple[int, int, int]:
    """Rows of a query on the given company, and how many are only in it or only in the derived one."""
    con = duckdb.connect()
    for name, opened in zip(("given", "derived"), pair, strict=True):
        path = opened.frozen.folder / f"{opened.frozen.tables[query.split()[-1]]}.parquet"
        con.read_parquet(str(path)).create_view(name)
    columns = query.rsplit(" from ", 1)[0]
    sides = [
        f"{columns} from given except all {columns} from derived",
        f"{columns} from derived except all {columns} from given",
    ]
    counts = [
        con.execute(f"select count(*) from ({side})").fetchall()[0][0] for side in (f"{columns} from given", *sides)
    ]
    return counts[0], counts[1], counts[2]


@pytest.mark.slow
def test_touches_made_from_event_tables_are_those_of_the_sample(sample: tuple[Company, Company]) -> None:
    rows, only_given, only_derived = differences(sample, "select * from touches")
    assert rows > 20_000
    assert (only_given, only_derived) == (0, 0)


@pytest.mark.slow
def test_account_stages_made_from_acts_are_those_of_the_sample(sample: tuple[Company, Company]) -> None:
    rows, only_given, only_derived = differences(
        sample, "select account_id, stage, entered_at, entered_on from account_stages"
    )
    assert rows > 5_000
    assert (only_given, only_derived) == (0, 0)


# Merged records


MERGED = """account_id,name,survivor_id
A1,Alpha,
A2,Alpha Ltd,A1
A3,Alpha GmbH,A2
A6,Alone,
"""


def test_a_chain_of_merges_is_followed_to_its_end(tmp_path: Path) -> None:
    deals = "opportunity_id,account_id,business_type\n" + "".join(f"O{i},A{i},new\n" for i in (1, 2, 3, 6))
    opened = company(tmp_path, accounts=MERGED, opportunities=deals)
    found = frozen(opened, "select opportunity_id, account_id from opportunities order by 1")
    assert found == [("O1", "A1"), ("O2", "A1"), ("O3", "A1"), ("O6", "A6")]
    assert frozen(opened, "select account_id from accounts where account_id < 'A4' order by 1") == [("A1",)]


def test_a_loop_of_merges_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as caught:
        company(tmp_path, accounts=MERGED + "A4,Left,A5\nA5,Right,A4\n")
    assert [(fault.rule, fault.level) for fault in caught.value.faults] == [("F075", "E")]


def test_a_record_that_was_merged_into_nothing_known_keeps_its_rows_findable(tmp_path: Path) -> None:
    accounts = "account_id,name,survivor_id\nA1,Alpha,A9\n"
    opened = company(tmp_path, accounts=accounts, opportunities="opportunity_id,account_id,business_type\nO1,A1,new\n")
    assert frozen(opened, "select account_id from opportunities") == [("A9",)]


def test_people_are_followed_too_and_counted_once(tmp_path: Path) -> None:
    people = (
        "person_id,account_id,created_at,survivor_id\nP1,A1,2026-01-05,\nP2,A1,2026-01-06,P1\nP3,A2,2026-01-07,P2\n"
    )
    meetings = "meeting_id,kind,person_id,booked_at,starts_at,outcome\n" + "".join(
        f"M{i},call,P{i},2026-02-01,2026-02-02,held\n" for i in (1, 2, 3)
    )
    opened = company(tmp_path, people=people, meetings=meetings)
    assert frozen(opened, "select count(*), count(distinct person_id) from meetings") == [(3, 1)]
    assert frozen(opened, "select person_id from people") == [("P1",)]
    assert opened.notes["identity"] == {"people merged into others": 2}


def test_who_was_recorded_twice_is_known_since_the_earlier_record(tmp_path: Path) -> None:
    people = """person_id,account_id,created_at,survivor_id
P1,A1,2026-03-05 10:00:00,
P2,A1,2026-02-28 23:30:00,P1
P3,A1,,P2
P4,A1,,
P5,A1,2026-01-01 10:00:00,P4
P6,A1,2026-01-02 10:00:00,
P7,A1,2026-01-03 10:00:00,P6
"""
    base = SETTINGS.replace('currency = "EUR"', 'currency = "EUR"\ntimezone = "Europe/Berlin"')
    opened = company(tmp_path, base=base, people=people)
    assert frozen(opened, "select person_id, created_at::varchar, created_on::varchar from people order by 1") == [
        ("P1", "2026-02-28 23:30:00", "2026-03-01"),
        ("P4", "2026-01-01 10:00:00", "2026-01-01"),
        ("P6", "2026-01-02 10:00:00", "2026-01-02"),
    ]


def test_where_someone_worked_before_the_surviving_record_the_merged_one_says(tmp_path: Path) -> None:
    people = "person_id,account_id,survivor_id\nP1,A1,\nP2,A1,P1\nP3,A1,\nP4,A2,P3\n"
    stays = """person_id,account_id,valid_from,valid_to
P1,A1,2026-03-01,
P2,A2,2026-01-01,2026-02-01
P2,A1,2026-02-01,2026-04-01
P2,A2,2026-04-01,
P3,A1,2026-01-01,
P4,A2,2026-01-01,
"""
    opened = company(tmp_path, people=people, person_accounts=stays)
    query = "select person_id, account_id, valid_from::varchar, valid_to::varchar from person_accounts order by 1, 3"
    assert frozen(opened, query) == [
        ("P1", "A2", "2026-01-01", "2026-02-01"),
        ("P1", "A1", "2026-02-01", "2026-03-01"),
        ("P1", "A1", "2026-03-01", None),
        ("P3", "A1", "2026-01-01", None),
    ]


# Test accounts


def test_what_was_done_by_people_at_test_accounts_goes_with_them(tmp_path: Path) -> None:
    opened = company(
        tmp_path,
        accounts="account_id,name,is_test\nA1,Alpha,no\nT1,Try,yes\n",
        people="person_id,account_id,survivor_id\nP1,A1,\nP2,T1,\nP3,T1,P2\nP4,,\n",
        email_events="event_id,email_id,person_id,occurred_at,kind\n"
        + "".join(f"E{n},M1,P{n},2026-02-01,open\n" for n in (1, 2, 3, 4)),
        person_stages="person_id,stage,entered_at\nP1,mql,2026-02-01\nP2,mql,2026-02-01\n",
        touches="touch_id,touched_at,account_id,person_id,channel,kind\n"
        "T1,2026-02-01,A1,P2,email,visit\nT2,2026-02-01,,P2,email,visit\nT3,2026-02-01,,,email,visit\nT4,2026-02-01,T1,,email,visit\n",
    )
    assert frozen(opened, "select event_id from email_events order by 1") == [("E1",), ("E4",)]
    assert frozen(opened, "select person_id from person_stages") == [("P1",)]
    # An act at an account of the company stays, whoever did it.
    assert frozen(opened, "select touch_id from touches order by 1") == [("T1",), ("T3",)]
    assert opened.notes["identity"] == {
        "test accounts left out, with all that they did": 1,
        "people merged into others": 1,
    }


# Exchange rates


FX = "currency,day,rate\nUSD,2026-03-02,0.90\nUSD,2026-03-06,0.92\nUSD,2026-03-20,0.95\nGBP,2026-03-02,1.15\n"


def rate(opened: Company, currency: str, day: str) -> float | None:
    found = frozen(opened, f"select rate from fx_days where currency = '{currency}' and day = '{day}'")
    assert len(found) <= 1
    return float(str(found[0][0])) if found else None


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-01", None), ("2026-03-02", 0.90), ("2026-03-05", 0.90), ("2026-03-06", 0.92),
        ("2026-03-13", 0.92), ("2026-03-14", None), ("2026-03-19", None), ("2026-03-20", 0.95), ("2026-03-27", 0.95),
        ("2026-03-28", None),
    ],
)  # fmt: skip
def test_a_rate_holds_for_seven_days_or_until_the_next_one(tmp_path: Path, day: str, expected: float | None) -> None:
    assert rate(company(tmp_path, fx=FX), "USD", day) == expected


def test_how_long_a_rate_holds_is_a_setting(tmp_path: Path) -> None:
    opened = company(tmp_path, "[fx]\nmax_age_days = 0\n", fx=FX)
    assert [rate(opened, "USD", f"2026-03-0{n}") for n in (2, 3, 6, 7)] == [0.90, None, 0.92, None]


LEAP = "currency,day,rate\nUSD,2027-02-28,0.90\nUSD,2028-02-28,0.92\nUSD,2028-02-29,0.93\n"


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2028-02-27", None), ("2028-02-28", 0.90), ("2028-02-29", 0.90), ("2028-03-01", None), ("2029-02-28", 0.92), ("2029-03-01", None)],
)  # fmt: skip
def test_the_rate_of_the_year_before_is_that_of_the_same_day(tmp_path: Path, day: str, expected: float | None) -> None:
    opened = company(tmp_path, "[fx]\nmax_age_days = 0\n", fx=LEAP)
    found = frozen(opened, f"select earlier_rate from fx_days where currency = 'USD' and day = '{day}'")
    assert len(found) <= 1
    assert (found[0][0] if found else None) == expected


def test_without_rates_there_are_none(tmp_path: Path) -> None:
    assert frozen(company(tmp_path), "select count(*) from fx_days") == [(0,)]


# The two time axes


def states(opened: Company, deal: str = "O1") -> list[tuple[object, ...]]:
    query = f"""select stage, effective_at::varchar, known_at::varchar, is_qualified, is_won, is_lost, is_open
        from opportunity_history where opportunity_id = '{deal}' order by effective_at, known_at"""
    return frozen(opened, query)


def test_where_the_source_says_when_a_change_was_recorded_it_took_effect_when_it_says(tmp_path: Path) -> None:
    changes = """opportunity_id,changed_at,recorded_at,stage,close_on
    O1,2026-03-01 10:00:00,2026-03-02 08:00:00,qualified,2026-03-31
    O1,2026-04-02 09:00:00,2026-04-20 08:00:00,won,2026-03-31
    """.replace("    ", "")
    assert [(s[0], s[1], s[2]) for s in states(company(tmp_path, opportunity_changes=changes))] == [
        ("qualified", "2026-03-01 10:00:00", "2026-03-02 08:00:00"), ("won", "2026-04-02 09:00:00", "2026-04-20 08:00:00"),
    ]  # fmt: skip


def test_where_it_does_not_a_late_close_takes_effect_on_its_close_date_and_was_known_when_made(tmp_path: Path) -> None:
    changes = """opportunity_id,changed_at,stage,close_on
    O1,2026-03-01 10:00:00,qualified,2026-02-01
    O1,2026-04-02 09:00:00,won,2026-03-31
    O2,2026-04-02 09:00:00,lost,2026-04-30
    """.replace("    ", "")
    opened = company(tmp_path, opportunity_changes=changes)
    assert [(s[0], s[1], s[2]) for s in states(opened)] == [
        ("qualified", "2026-03-01 10:00:00", "2026-03-01 10:00:00"), ("won", "2026-03-31 00:00:00", "2026-04-02 09:00:00"),
    ]  # fmt: skip
    assert [(s[0], s[1]) for s in states(opened, "O2")] == [("lost", "2026-04-02 09:00:00")]


def test_a_late_close_takes_effect_at_local_midnight_of_its_close_date(tmp_path: Path) -> None:
    changes = "opportunity_id,changed_at,stage,close_on\nO1,2026-07-05 09:00:00,won,2026-06-30\n"
    base = SETTINGS.replace('currency = "EUR"', 'currency = "EUR"\ntimezone = "America/New_York"')
    opened = company(tmp_path, base=base, opportunity_changes=changes)
    query = "select effective_at::varchar, effective_on::varchar from opportunity_history"
    assert frozen(opened, query) == [("2026-06-30 04:00:00", "2026-06-30")]


def test_what_a_stage_means_follows_from_abm_toml(tmp_path: Path) -> None:
    names = ("new", "qualified", "offer", "won", "lost", "unheard of")
    rows = "".join(f"O{i},2026-03-01,{name},\n" for i, name in enumerate(names))
    opened = company(tmp_path, opportunity_changes="opportunity_id,changed_at,stage,is_deleted\n" + rows)
    meaning = {s[0]: s[3:] for i in range(len(names)) for s in states(opened, f"O{i}")}
    #                    qualified won    lost   open
    assert meaning == {
        "new": (False, False, False, True), "qualified": (True, False, False, True), "offer": (True, False, False, True),
        "won": (True, True, False, False), "lost": (False, False, True, False), "unheard of": (False, False, False, True),
    }  # fmt: skip


def test_a_won_stage_outside_the_order_was_qualified_and_a_deleted_deal_is_nothing(tmp_path: Path) -> None:
    base = SETTINGS.replace('"offer", "won", "lost"', '"offer"')
    changes = "opportunity_id,changed_at,stage,is_deleted\nO1,2026-03-01,won,\nO2,2026-03-01,won,true\n"
    opened = company(tmp_path, base=base, opportunity_changes=changes)
    assert states(opened)[0][3:] == (True, True, False, False)
    assert states(opened, "O2")[0][3:] == (False, False, False, False)


# Local days


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        ("Europe/Berlin", "2026-03-31 21:59:59", "2026-03-31"),
        ("Europe/Berlin", "2026-03-31 22:00:00", "2026-04-01"),
        ("Europe/Berlin", "2026-03-28 23:00:00", "2026-03-29"),  # the clock jumps that night
        ("Europe/Berlin", "2026-03-29 22:00:00", "2026-03-30"),
        ("Europe/Berlin", "2026-10-24 22:00:00", "2026-10-25"),  # and falls back that one
        ("Europe/Berlin", "2026-10-25 22:59:59", "2026-10-25"),
        ("America/New_York", "2026-07-01 03:59:59", "2026-06-30"),
        ("America/New_York", "2026-01-01 04:59:59", "2025-12-31"),
        ("Pacific/Auckland", "2026-06-30 12:00:00", "2026-07-01"),
        ("Asia/Kathmandu", "2026-06-30 18:15:00", "2026-07-01"),
        ("America/Santiago", "2026-09-06 04:00:00", "2026-09-06"),  # there the clock jumps at midnight
        ("UTC", "2026-06-30 23:59:59", "2026-06-30"),
    ],
)
def test_a_moment_belongs_to_its_day_in_the_reporting_zone(tmp_path: Path, zone: str, instant: str, day: str) -> None:
    base = SETTINGS.replace('currency = "EUR"', f'currency = "EUR"\ntimezone = "{zone}"')
    deals = f"opportunity_id,business_type,created_at\nO1,new,{instant}\n"
    opened = company(tmp_path, base=base, opportunities=deals)
    assert frozen(opened, "select created_on::varchar from opportunities") == [(day,)]


# Where an opportunity came from


SOURCED = """opportunity_id,account_id,business_type,qualified_at,source,channel
O1,A1,new,2026-03-01,LinkedIn Ads,
O2,A1,new,2026-03-01, cold call ,
O3,A2,new,2026-03-01,,
O4,A2,new,2026-03-01,Carrier Pigeon,
O5,A3,new,2026-03-01,Cold Call,ads
"""
TOUCHES = """touch_id,touched_at,account_id,channel,kind,is_response
T0,2026-01-01,A1,ads,impression,false
T1,2026-02-01,A1,outbound,call,true
T2,2026-02-02,A1,ads,ad_click,true
T3,2026-03-02,A2,ads,form,true
T4,2024-02-01,A3,outbound,call,true
T5,2026-02-20,A3,ads,form,true
"""


def origins(opened: Company) -> dict[object, tuple[object, ...]]:
    rows = frozen(opened, "select opportunity_id, source_owner, channel, first_touch_channel from opportunity_origins")
    return {deal: tuple(rest) for deal, *rest in rows}


def test_by_field_a_source_word_means_its_channel_and_a_blank_or_strange_one_stays_unknown(tmp_path: Path) -> None:
    found = origins(company(tmp_path, CHANNELS, opportunities=SOURCED, touches=TOUCHES))
    assert {deal: where[:2] for deal, where in found.items()} == {
        "O1": ("marketing", "ads"), "O2": ("sales", "outbound"), "O3": ("unknown", "unknown"),
        "O4": ("unknown", "unknown"), "O5": ("marketing", "ads"),
    }  # fmt: skip


def test_by_first_touch_the_first_act_before_qualification_within_the_look_back_decides(tmp_path: Path) -> None:
    settings = CHANNELS + '[sourced]\nrule = "first_touch"\n'
    found = origins(company(tmp_path, settings, opportunities=SOURCED, touches=TOUCHES))
    assert {deal: where[:2] for deal, where in found.items()} == {
        "O1": ("sales", "outbound"), "O2": ("sales", "outbound"), "O3": ("unknown", "unknown"),
        "O4": ("unknown", "unknown"), "O5": ("marketing", "ads"),
    }  # fmt: skip
    wide = origins(company(tmp_path, settings + "look_back_days = 1000\n", opportunities=SOURCED, touches=TOUCHES))
    assert wide["O5"][:2] == ("sales", "outbound")


def test_the_first_touch_stands_beside_the_field_as_a_check(tmp_path: Path) -> None:
    found = origins(company(tmp_path, CHANNELS, opportunities=SOURCED, touches=TOUCHES))
    assert (found["O1"][2], found["O5"][2], found["O3"][2]) == ("outbound", "ads", None)


def test_a_source_frozen_at_qualification_goes_before_what_the_field_says_now(tmp_path: Path) -> None:
    frozen_sources = "opportunity_id,frozen_at,owner,channel,rule\nO1,2026-03-01,sales,outbound,field\n"
    found = origins(company(tmp_path, CHANNELS, opportunities=SOURCED, opportunity_sources=frozen_sources))
    assert (found["O1"][:2], found["O5"][:2]) == (("sales", "outbound"), ("marketing", "ads"))


# Absent tables


def test_what_was_not_delivered_does_not_come_into_being(tmp_path: Path) -> None:
    opened = open_company(write(tmp_path, {"opportunities": DEALS, "accounts": ACCOUNTS}))
    assert opened.tables.delivered & {"touches", "people", "opportunity_sources", "opportunity_changes", "fx"} == set()
    assert frozen(opened, "select count(*) from opportunity_history") == [(0,)]


@pytest.mark.parametrize("files", [{"accounts": ACCOUNTS}, {"accounts": ACCOUNTS, "opportunities": DEALS}])
def test_derived_tables_need_no_event_table(tmp_path: Path, files: dict[str, str]) -> None:
    settings = '[derive]\ntouches = "derived"\naccount_stages = "derived"\n'
    opened = open_company(write(tmp_path, files, settings))
    assert frozen(opened, "select count(*) from touches") == [(0,)]
    assert frozen(opened, "select count(*) from account_stages") == [(0,)]


def test_own_acts_of_the_file_stay_beside_those_of_the_event_tables_and_repeats_do_not(tmp_path: Path) -> None:
    touches = """touch_id,touched_at,account_id,channel,kind,detail
    T1,2026-02-01 23:30:00,A1,event,event,trade show
    meetings:M1,2026-02-02,A1,outbound,meeting,a copy
    """.replace("    ", "")
    meetings = """meeting_id,kind,account_id,booked_at,starts_at,outcome,is_internal
    M1,meeting,A1,2026-02-01,2026-02-02 09:00:00,held,false
    M2,call,A1,2026-02-01,2026-02-03 09:00:00,no_show,false
    M3,call,A1,2026-02-01,2026-02-03 23:30:00,held,
    M4,call,A1,2026-02-01,2026-02-03 09:00:00,held,true
    """.replace("    ", "")
    base = SETTINGS.replace('currency = "EUR"', 'currency = "EUR"\ntimezone = "Europe/Berlin"')
    settings = '[derive]\ntouches = "derived"\n'
    opened = company(tmp_path, settings, base=base, touches=touches, meetings=meetings)
    assert frozen(opened, "select touch_id, kind, detail, touched_on::varchar from touches order by 1") == [
        ("T1", "event", "trade show", "2026-02-02"), ("meetings:M1", "meeting", None, "2026-02-02"),
        ("meetings:M3", "call", None, "2026-02-04"),
    ]  # fmt: skip


def test_an_account_moves_up_by_its_acts_and_back_when_it_falls_quiet(tmp_path: Path) -> None:
    touches = """touch_id,touched_at,account_id,person_id,channel,kind
    T1,2026-01-10,A1,P1,ads,ad_click
    T2,2026-01-20,A1,P2,ads,ad_click
    T3,2026-01-21,A2,P3,ads,form
    """.replace("    ", "")
    changes = """opportunity_id,changed_at,stage,amount
    O1,2026-02-01,qualified,10
    O1,2026-02-11,lost,10
    """.replace("    ", "")
    loads = "table,source,extracted_at,covers_from,covers_to\ntouches,x,2026-12-31,2026-01-01,2026-12-31\n"
    accounts = "account_id,name,created_at\nA1,Alpha,2026-01-01\nA2,Beta,2026-01-01\nA3,Gamma,2026-01-01\n"
    settings = '[derive]\naccount_stages = "derived"\n'
    files = {"touches": touches, "opportunity_changes": changes, "loads": loads, "accounts": accounts}
    opened = company(tmp_path, settings, **files)
    query = "select account_id, stage, entered_at::date::varchar from account_stages order by 1, 3"
    assert frozen(opened, query) == [
        ("A1", "cold", "2026-01-01"), ("A1", "engaged", "2026-01-20"), ("A1", "opportunity", "2026-02-01"),
        ("A1", "engaged", "2026-02-11"), ("A1", "cold", "2026-04-10"),
        ("A2", "cold", "2026-01-01"), ("A2", "engaged", "2026-01-21"), ("A2", "cold", "2026-04-21"),
    ]  # fmt: skip


def test_a_source_without_changes_still_opens(tmp_path: Path) -> None:
    opened = open_company(write(tmp_path, {"opportunities": DEALS, "touches": TOUCHES}, CHANNELS))
    assert set(origins(opened)) == {"O1", "O2"}


# Who withdrew


WITHDRAWN = {
    "people": "person_id,account_id,email\nP1,A1,ann@alpha.example\nP2,A1, Bob@Alpha.example \nP3,A1,cid@alpha.example\nP4,A1,\n",
    "touches": "touch_id,touched_at,account_id,person_id,channel,kind\n"
    + "".join(f"T{n},2026-02-0{n} 10:00:00,A1,P{n},email,email_reply\n" for n in (1, 2, 3)),
    "email_events": "event_id,email_id,person_id,occurred_at,kind\n"
    + "".join(f"E{n},M1,P{n},2026-02-0{n} 10:00:00,open\n" for n in (1, 2, 3)),
    "suppressions": "person_id,email_hash,since\nP1,,2026-03-01\n,"
    + hashlib.sha256(b"bob@alpha.example").hexdigest()
    + ",2026-03-01\n",
}


def test_who_withdrew_is_nobody_and_what_they_did_stays_without_them(tmp_path: Path) -> None:
    opened = company(tmp_path, **WITHDRAWN)
    assert frozen(opened, "select person_id from people order by 1") == [("P3",), ("P4",)]
    assert frozen(opened, "select touch_id, person_id from touches order by 1") == [
        ("T1", None),
        ("T2", None),
        ("T3", "P3"),
    ]
    assert frozen(opened, "select person_id from email_events") == [("P3",)]  # an event of nobody's would say nothing


def test_who_lives_on_as_one_who_withdrew_withdrew_as_well(tmp_path: Path) -> None:
    merged = "person_id,account_id,survivor_id\nP1,A1,P2\nP2,A1,\nP3,A1,\n"
    opened = company(tmp_path, people=merged, suppressions="person_id,email_hash,since\nP1,,2026-03-01\n")
    assert frozen(opened, "select person_id from people") == [("P3",)]
