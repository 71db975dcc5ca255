"""Fiscal calendars against properties, known years of known companies, pandas and fiscal445."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import fiscal445
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm_lib.errors import UsageError
from abm_lib.period import WEEKDAYS, Calendar, Period, Quarter, instant
from abm_lib.settings import Fiscal

many = settings(max_examples=150)
DAY = timedelta(days=1)

days = st.dates(date(1950, 1, 1), date(2150, 12, 31))
month_calendars = st.builds(
    Calendar, first_month=st.integers(1, 12), pattern=st.just("months"), named_by=st.sampled_from(["end", "start"])
)
week_calendars = st.builds(
    Calendar,
    first_month=st.integers(1, 12),
    pattern=st.sampled_from(["445", "454", "544"]),
    named_by=st.sampled_from(["end", "start"]),
    weekday=st.sampled_from(WEEKDAYS),
    year_end=st.sampled_from(["last", "nearest"]),
)
calendars = st.one_of(month_calendars, week_calendars)

APPLE = Calendar(first_month=10, pattern="445", named_by="end", weekday="saturday", year_end="last")
RETAIL = Calendar(first_month=2, pattern="454", named_by="start", weekday="saturday", year_end="nearest")
JOHNSON = Calendar(first_month=1, pattern="445", weekday="sunday", year_end="nearest")


def edges(periods: list[Any]) -> list[tuple[date, date]]:
    return [(period.start, period.end) for period in periods]


def tiles(parts: list[Any], start: date, end: date) -> bool:
    joints = [(a.end, b.start) for a, b in itertools.pairwise(parts)]
    filled = all(part.days > 0 for part in parts)
    return filled and parts[0].start == start and parts[-1].end == end and all(a == b for a, b in joints)


# Periods and labels


def test_a_period_holds_its_first_day_and_not_its_end() -> None:
    july = Period("2026-07", date(2026, 7, 1), date(2026, 8, 1))
    assert july.days == 31
    near = [date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 31), date(2026, 8, 1)]
    assert [july.holds(day) for day in near] == [False, True, True, False]


def test_a_period_refuses_a_moment_so_that_zones_are_never_guessed() -> None:
    with pytest.raises(TypeError):
        Calendar().quarter("2026Q1").holds(datetime(2026, 1, 1))
    with pytest.raises(TypeError):
        Calendar().quarter_of(datetime(2026, 1, 1))


def test_a_calendar_quarter_is_what_everybody_thinks() -> None:
    quarter = Calendar().quarter("2026Q3")
    assert quarter == Quarter("2026Q3", date(2026, 7, 1), date(2026, 10, 1))
    assert (quarter.year, quarter.number, quarter.days) == (2026, 3, 92)


@pytest.mark.parametrize(
    "label", ["2026Q5", "2026Q0", "Q1-26", "2026-Q1", "26Q1", "2026q1", "2026Q1\n", " 2026Q1", "2026Q12", "", "२०२६Q1"]
)
def test_any_other_form_of_a_quarter_is_refused_with_the_form_expected(label: str) -> None:
    with pytest.raises(UsageError) as caught:
        Calendar().quarter(label)
    (fault,) = caught.value.faults
    assert (fault.rule, fault.name, fault.found) == ("C45", "quarter-form", label)
    assert "YYYYQn" in fault.expected


@pytest.mark.parametrize("label", ["1899Q4", "2200Q1", "0206Q3", "9999Q4"])
def test_a_year_far_off_is_refused_as_a_slip_of_the_pen(label: str) -> None:
    with pytest.raises(UsageError, match="1900 to 2199"):
        Calendar(first_month=2).quarter(label)


@pytest.mark.parametrize("day", [date(9999, 12, 31), date.min])
def test_a_placeholder_day_has_no_quarter(day: date) -> None:
    with pytest.raises(UsageError, match="quarter-form"):
        Calendar().quarter_of(day)


@pytest.mark.parametrize("label", ["1900Q1", "2199Q4"])
def test_the_outermost_quarters_are_whole(label: str) -> None:
    for calendar in (Calendar(), Calendar(first_month=7, named_by="start"), APPLE, RETAIL, JOHNSON):
        quarter = calendar.quarter(label)
        assert calendar.quarter_of(quarter.start) == calendar.quarter_of(quarter.end - DAY) == quarter
        assert calendar.year(quarter).holds(quarter.start)


def test_the_settings_of_a_company_make_its_calendar_as_they_are() -> None:
    assert Calendar(**Fiscal().model_dump()) == Calendar()
    fiscal = Fiscal(first_month=2, pattern="454", named_by="start", weekday="saturday", year_end="nearest")
    assert Calendar(**fiscal.model_dump()) == RETAIL
    assert {field.name for field in dataclasses.fields(Calendar)} == set(Fiscal.model_fields)


# Naming of years


@pytest.mark.parametrize(("named_by", "label"), [("end", "2027Q1"), ("start", "2026Q1")])
def test_a_year_from_february_is_named_by_its_end_or_its_start(named_by: Any, label: str) -> None:
    assert Calendar(first_month=2, named_by=named_by).quarter_of(date(2026, 2, 1)).label == label


@given(days, st.sampled_from(["months", "445", "454", "544"]))
@many
def test_a_year_from_january_has_one_name(day: date, pattern: Any) -> None:
    assert Calendar(1, pattern, "end").quarter_of(day) == Calendar(1, pattern, "start").quarter_of(day)


@given(days, st.integers(2, 12), st.sampled_from(["months", "445"]))
@many
def test_the_name_by_the_end_is_one_more_than_by_the_start(day: date, first_month: int, pattern: Any) -> None:
    by_end = Calendar(first_month, pattern, "end").quarter_of(day)
    by_start = Calendar(first_month, pattern, "start").quarter_of(day)
    assert (by_end.year, by_end.number, by_end.start) == (by_start.year + 1, by_start.number, by_start.start)


# Every day in exactly one


@given(calendars, days)
@many
def test_each_day_is_in_exactly_one_quarter(calendar: Calendar, day: date) -> None:
    quarter = calendar.quarter_of(day)
    around = [calendar.step(quarter, n) for n in range(-5, 6)]
    assert [near.label for near in around if near.holds(day)] == [quarter.label]
    assert tiles(around, around[0].start, around[-1].end)
    assert all(near.number in (1, 2, 3, 4) for near in around)


@given(calendars, days)
@many
def test_each_day_is_in_exactly_one_month_and_one_week(calendar: Calendar, day: date) -> None:
    quarter = calendar.quarter_of(day)
    months, weeks = calendar.months(quarter), calendar.weeks(quarter)
    assert len(months) == 3
    for parts in (months, weeks):
        assert tiles(parts, quarter.start, quarter.end)
        assert sum(part.holds(day) for part in parts) == 1
        assert len({part.label for part in parts}) == len(parts)


@given(calendars, days)
@many
def test_a_year_is_its_four_quarters(calendar: Calendar, day: date) -> None:
    year = calendar.year(calendar.quarter_of(day))
    quarters = [calendar.quarter(f"{year.label}Q{n}") for n in (1, 2, 3, 4)]
    assert year.holds(day)
    assert tiles(quarters, year.start, year.end)
    assert {calendar.year(quarter) for quarter in quarters} == {year}


@given(calendars, days, st.integers(-80, 80))
@many
def test_steps_there_and_back_end_where_they_began(calendar: Calendar, day: date, n: int) -> None:
    quarter = calendar.quarter_of(day)
    there = calendar.step(quarter, n)
    assert calendar.step(there, -n) == quarter == calendar.quarter(quarter.label)
    assert (there.year * 4 + there.number) - (quarter.year * 4 + quarter.number) == n
    assert calendar.quarter_of(there.start) == calendar.quarter_of(there.end - DAY) == there


@given(calendars, days)
@many
def test_the_last_complete_quarter_is_over_and_the_next_is_not(calendar: Calendar, day: date) -> None:
    last = calendar.last_complete(day)
    assert last.end <= day < calendar.step(last, 1).end
    assert calendar.current(day) == calendar.step(last, 1)


def test_a_quarter_is_complete_on_the_day_after_its_last() -> None:
    assert Calendar().last_complete(date(2026, 9, 30)).label == "2026Q2"
    assert Calendar().last_complete(date(2026, 10, 1)).label == "2026Q3"


# Runs of quarters


def test_quarters_in_a_row_end_with_the_one_asked_for() -> None:
    calendar = Calendar()
    row = calendar.quarters("2026Q2", 6)
    assert [quarter.label for quarter in row] == ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2"]
    assert calendar.quarters(calendar.quarter("2026Q2"), 6) == row
    assert calendar.quarters("2026Q2", 1) == [calendar.quarter("2026Q2")]
    assert calendar.quarters("2026Q2", 0) == []


def test_year_to_date_and_trailing_quarters_end_with_the_quarter_and_bear_its_label() -> None:
    calendar = Calendar(first_month=2)
    quarter = calendar.quarter("2026Q3")
    assert calendar.year_to_date(quarter) == Period("2026Q3", date(2025, 2, 1), date(2025, 11, 1))
    assert calendar.trailing(quarter) == Period("2026Q3", date(2024, 11, 1), date(2025, 11, 1))
    assert calendar.trailing(quarter, 1) == Period("2026Q3", quarter.start, quarter.end)


@given(calendars, days)
@many
def test_trailing_four_quarters_at_the_fourth_are_the_year(calendar: Calendar, day: date) -> None:
    last = calendar.quarter(f"{calendar.quarter_of(day).year}Q4")
    year = calendar.year(last)
    assert edges([calendar.trailing(last), calendar.year_to_date(last)]) == [(year.start, year.end)] * 2


# Calendar months


@given(month_calendars, days)
@many
def test_fiscal_quarters_of_whole_months_are_those_of_pandas(calendar: Calendar, day: date) -> None:
    last_month = (calendar.first_month - 2) % 12 + 1
    theirs = pd.Period(pd.Timestamp(day), freq=f"Q-{date(2000, last_month, 1):%b}".upper())
    ours = calendar.quarter_of(day)
    named_later = calendar.named_by == "start" and calendar.first_month > 1
    assert (ours.year + named_later, ours.number) == (theirs.qyear, theirs.quarter)
    assert (ours.start, ours.end - DAY) == (theirs.start_time.date(), theirs.end_time.date())


def test_months_bear_their_calendar_names_whatever_the_fiscal_year() -> None:
    calendar = Calendar(first_month=2)
    months = calendar.months(calendar.quarter("2026Q4"))
    assert [month.label for month in months] == ["2025-11", "2025-12", "2026-01"]
    assert edges(months)[1] == (date(2025, 12, 1), date(2026, 1, 1))


@pytest.mark.parametrize(("year", "length"), [(2023, 90), (2024, 91), (1900, 90), (2000, 91), (2100, 90)])
def test_the_leap_day_belongs_to_the_first_quarter(year: int, length: int) -> None:
    quarter = Calendar().quarter(f"{year}Q1")
    assert quarter.days == length
    assert Calendar().year(quarter).days == length + 275


def test_a_year_from_march_ends_on_the_leap_day() -> None:
    year = Calendar(first_month=3).year(Calendar(first_month=3).quarter("2024Q4"))
    assert (year.label, year.start, year.end - DAY) == ("2024", date(2023, 3, 1), date(2024, 2, 29))


# Weeks


def test_weeks_are_cut_at_the_quarters_edge_and_both_parts_bear_the_label() -> None:
    calendar = Calendar()
    before, after = (calendar.weeks(calendar.quarter(label)) for label in ("2026Q2", "2026Q3"))
    assert before[-1] == Period("2026-W27", date(2026, 6, 29), date(2026, 7, 1))
    assert after[0] == Period("2026-W27", date(2026, 7, 1), date(2026, 7, 6))
    assert after[4] == Period("2026-W31", date(2026, 7, 27), date(2026, 8, 3))


def test_the_first_days_of_january_may_lie_in_the_last_week_of_the_year_before() -> None:
    first = Calendar().weeks(Calendar().quarter("2027Q1"))[0]
    assert first == Period("2026-W53", date(2027, 1, 1), date(2027, 1, 4))


@given(calendars, days)
@many
def test_a_week_holds_days_of_its_iso_week_only(calendar: Calendar, day: date) -> None:
    (week,) = [week for week in calendar.weeks(calendar.quarter_of(day)) if week.holds(day)]
    assert week.label == f"{day:%G-W%V}"
    assert f"{week.start:%G-W%V}" == f"{week.end - DAY:%G-W%V}" == week.label


# Week patterns


@given(week_calendars, days)
@many
def test_week_years_have_52_or_53_whole_weeks_and_the_extra_one_is_the_last(calendar: Calendar, day: date) -> None:
    year = calendar.year(calendar.quarter_of(day))
    quarters = [calendar.quarter(f"{year.label}Q{n}") for n in (1, 2, 3, 4)]
    weeks = [[month.days / 7 for month in calendar.months(quarter)] for quarter in quarters]
    pattern = [float(digit) for digit in calendar.pattern]
    extra = year.days // 7 - 52
    assert year.days in (364, 371)
    assert weeks == [pattern] * 3 + [[*pattern[:2], pattern[2] + extra]]
    assert [int(month.label[-2:]) for quarter in quarters for month in calendar.months(quarter)] == list(range(1, 13))


@given(week_calendars, days)
@many
def test_week_quarters_end_where_pandas_ends_them(calendar: Calendar, day: date) -> None:
    theirs = pd.offsets.FY5253Quarter(
        weekday=WEEKDAYS.index(calendar.weekday),
        startingMonth=(calendar.first_month - 2) % 12 + 1,
        qtr_with_extra_week=4,
        variation=calendar.year_end,
    )
    quarter = calendar.quarter_of(day)
    ends = [then for then in pd.date_range(quarter.start, quarter.end - DAY) if theirs.is_on_offset(then)]
    assert [end.date() for end in ends] == [quarter.end - DAY]


@given(st.sampled_from(WEEKDAYS), st.integers(1, 12), st.sampled_from(["last", "nearest"]), st.integers(1990, 2060))
@many
def test_445_months_and_quarters_are_those_of_fiscal445(weekday: str, first: int, year_end: Any, year: int) -> None:
    ours = Calendar(first, "445", weekday=weekday, year_end=year_end)
    whole = ours.year(ours.quarter(f"{year}Q1"))
    table = fiscal445.Calendar(whole.start.isoformat(), weekday[:3]).build()
    quarters = [ours.quarter(f"{year}Q{n}") for n in (1, 2, 3, 4)]
    # The package knows years of 52 weeks only, so our end of a longer year is left to the tests above.
    last_days = [(q.start.isoformat(), (q.end - DAY).isoformat()) for q in quarters]
    assert [table.show.quarter_dates(n) for n in (1, 2, 3)] == last_days[:3]
    assert table.show.quarter_dates(4)[0] == last_days[3][0]
    # A month ends in the row before the week count falls back to 1; rows 1 to 52 are the weeks.
    counts = table["fiscal_week"].tolist()
    month_ends = [table["week_ending"][row].date() for row in range(1, 53) if counts[row + 1 : row + 2] in ([1], [])]
    assert month_ends[:11] == [month.end - DAY for q in quarters for month in ours.months(q)][:11]
    assert (month_ends[11] - whole.start).days + 1 == 364


@pytest.mark.parametrize(
    ("year", "first", "last", "weeks"),
    [
        (2017, date(2016, 9, 25), date(2017, 9, 30), 53),
        (2022, date(2021, 9, 26), date(2022, 9, 24), 52),
        (2023, date(2022, 9, 25), date(2023, 9, 30), 53),
        (2024, date(2023, 10, 1), date(2024, 9, 28), 52),
    ],
)
def test_the_last_saturday_of_september_ends_the_years_that_apple_published(
    year: int, first: date, last: date, weeks: int
) -> None:
    found = APPLE.year(APPLE.quarter(f"{year}Q1"))
    assert (found.label, found.start, found.end - DAY, found.days) == (str(year), first, last, weeks * 7)


def test_the_retail_year_2023_has_its_53rd_week_in_the_last_month() -> None:
    quarters = [RETAIL.quarter(f"2023Q{n}") for n in (1, 2, 3, 4)]
    assert edges(quarters) == [
        (date(2023, 1, 29), date(2023, 4, 30)),
        (date(2023, 4, 30), date(2023, 7, 30)),
        (date(2023, 7, 30), date(2023, 10, 29)),
        (date(2023, 10, 29), date(2024, 2, 4)),
    ]
    assert RETAIL.months(quarters[0])[0] == Period("2023-P01", date(2023, 1, 29), date(2023, 2, 26))
    assert RETAIL.months(quarters[0])[1] == Period("2023-P02", date(2023, 2, 26), date(2023, 4, 2))
    assert RETAIL.months(quarters[3])[2] == Period("2023-P12", date(2023, 12, 31), date(2024, 2, 4))
    assert [RETAIL.year(RETAIL.quarter(f"{y}Q1")).days // 7 for y in range(2006, 2025)] == [
        53, 52, 52, 52, 52, 52, 53, 52, 52, 52, 52, 53, 52, 52, 52, 52, 52, 53, 52,
    ]  # fmt: skip


def test_a_year_that_runs_into_january_keeps_its_nominal_name() -> None:
    year = JOHNSON.year(JOHNSON.quarter_of(date(2021, 1, 3)))
    assert (year.label, year.start, year.end - DAY, year.days) == ("2020", date(2019, 12, 30), date(2021, 1, 3), 371)
    assert JOHNSON.quarter_of(date(2021, 1, 4)).label == "2021Q1"


# Instants


@pytest.mark.parametrize(
    ("zone", "label", "hours"),
    [
        ("UTC", "2026Q1", 2160),
        ("America/New_York", "2026Q1", 2159),
        ("America/New_York", "2026Q4", 2209),
        ("Europe/London", "2026Q1", 2159),
        ("Europe/Berlin", "2026Q4", 2209),
        ("Asia/Kolkata", "2026Q1", 2160),
        ("Australia/Sydney", "2026Q2", 2185),
        ("Australia/Lord_Howe", "2026Q2", 2184.5),
        ("America/Sao_Paulo", "2018Q4", 2207),
        ("America/Sao_Paulo", "2026Q4", 2208),
        ("Africa/Cairo", "2026Q2", 2183),
        ("Asia/Beirut", "2026Q1", 2159),
        ("Pacific/Apia", "2011Q4", 2184),
    ],
)
def test_a_quarter_has_the_hours_that_its_clocks_showed(zone: str, label: str, hours: float) -> None:
    quarter = Calendar().quarter(label)
    local = ZoneInfo(zone)
    assert instant(quarter.end, local) - instant(quarter.start, local) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", date(2026, 1, 1), datetime(2026, 1, 1)),
        ("America/New_York", date(2026, 7, 1), datetime(2026, 7, 1, 4)),
        ("Asia/Kolkata", date(2026, 7, 1), datetime(2026, 6, 30, 18, 30)),
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3)),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22)),
        ("Asia/Beirut", date(2026, 3, 29), datetime(2026, 3, 28, 22)),
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4)),
    ],
)
def test_a_day_begins_at_its_first_instant_even_where_midnight_is_skipped_or_comes_twice(
    zone: str, day: date, begins: datetime
) -> None:
    assert instant(day, ZoneInfo(zone)) == begins


def test_a_day_that_a_zone_left_out_holds_nothing() -> None:
    samoa = ZoneInfo("Pacific/Apia")
    assert instant(date(2011, 12, 30), samoa) == instant(date(2011, 12, 31), samoa)
    assert instant(date(2011, 12, 29), samoa) < instant(date(2011, 12, 30), samoa)


ZONES = [
    "UTC", "America/New_York", "America/Sao_Paulo", "America/Havana", "Europe/London", "Africa/Cairo", "Asia/Beirut",
    "Asia/Tehran", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Kiritimati",
]  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
def test_instants_strictly_increase_and_fall_on_the_first_moment_of_their_day(zone: str) -> None:
    local = ZoneInfo(zone)
    day, last, before = date(2005, 1, 1), date(2030, 1, 1), instant(date(2004, 12, 31), local)
    while day < last:
        begins = instant(day, local)
        assert begins > before
        assert begins.tzinfo is None
        aware = begins.replace(tzinfo=UTC)
        assert aware.astimezone(local).date() == day
        assert (aware - timedelta(seconds=1)).astimezone(local).date() < day
        day, before = day + DAY, begins


@given(calendars, days, st.sampled_from(ZONES))
@many
def test_quarters_meet_in_one_instant_in_every_zone(calendar: Calendar, day: date, zone: str) -> None:
    local, quarter = ZoneInfo(zone), calendar.quarter_of(day)
    assert instant(quarter.start, local) < instant(quarter.end, local)
    assert instant(quarter.end, local) == instant(calendar.step(quarter, 1).start, local)
