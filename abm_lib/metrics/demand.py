"""Demand: leads, qualified accounts and meetings, what they cost and what came of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import narwhals as nw

from .. import intervals
from ..formula import Amount, Columns, Formula, ratio, share, survival_median, total, whole
from ..metric import Look, family
from ..reading import Reading, Worked, missing

metric = family("demand", kind="leading", pillar="relationships", counts="people", audience=("marketing", "sales"))
OVER_TIME = ("month", "quarter", "year")
ORIGIN = ("campaign", "channel", "source", "source_detail", "recent_source", "recent_source_detail", *OVER_TIME)
MEETINGS = ("kind", "channel", "paid_or_website", "icp", "target", "tier", "week", *OVER_TIME)
COSTS = ("channel", "campaign", "spend", *OVER_TIME)
ICP = ("accounts.account_id", "accounts.is_icp|account_changes.is_icp")
LISTED = ("accounts.account_id", "account_lists.account_id")
NO_MQL = "no marketing-qualified leads"
TOO_FEW = "fewer than four past quarters with meetings to learn from"
LEARNED_FROM, FEWEST = 8, 4  # past quarters that a forecast learns from, and the fewest that it may


@metric(facts="meetings_by_booking", label="Meetings booked", unit="count", better="higher", counts="meetings", by=MEETINGS,
        additive=True, core=True)  # fmt: skip
def meetings_booked(meetings: Columns) -> Formula:
    """Meetings, demos and calls booked in the quarter, whenever they take place.

    Source: meetings_by_booking (S0-45, S0-46, S0-47, S0-50, S0-52, S3-10).
    Counts: a rescheduled one once, on its first booking; cancelled ones too; our own people among themselves never.
    Missing: no meetings for the quarter.
    """
    return total(meetings.count())


@metric(facts="meetings_by_start", label="Meetings held", unit="count", better="higher", counts="meetings", by=MEETINGS,
        additive=True, core=True)  # fmt: skip
def meetings_held(meetings: Columns) -> Formula:
    """Meetings, demos and calls that began in the quarter and were held.

    Source: meetings_by_start (S0-45).
    Counts: by the day they began, whenever they were booked.
    Missing: no meetings for the quarter.
    """
    return total(meetings.count(where=meetings.outcome == "held"))


@metric(facts="meetings_by_start", label="Meetings held of those due", unit="share", better="higher", counts="meetings",
        by=("channel", "kind", *OVER_TIME))  # fmt: skip
def meeting_held_rate(meetings: Columns) -> Formula:
    """Meetings held, of those that were to begin in the quarter.

    Source: meetings_by_start (S0-45).
    Counts: cancelled ones and no-shows are not held; a rescheduled one counts by its last date; without an outcome it is out.
    Missing: no meeting was due.
    """
    due = meetings.count(where=meetings.outcome != "scheduled")
    return share(meetings.count(where=meetings.outcome == "held"), due, nothing="no meeting was due")


@metric(facts="meetings_by_booking", needs=ICP, label="Meetings booked by ICP accounts", unit="share",
        better="higher", counts="meetings", by=("channel", "kind", *OVER_TIME))  # fmt: skip
def icp_meeting_share(meetings: Columns) -> Formula:
    """Meetings booked by accounts that fit the ideal customer profile, of those booked with a known account.

    Source: meetings_by_booking; the profile at the quarter's start (S0-52).
    Counts: as meetings_booked; meetings without an account are left out.
    Missing: no meeting booked with a known account.
    """
    return _share_of_booked(meetings, meetings.icp == "ICP")


@metric(facts="meetings_by_booking", needs=LISTED, label="Meetings booked by target accounts", unit="share", better="higher",
        counts="meetings", by=("channel", "kind", *OVER_TIME))  # fmt: skip
def target_account_meeting_share(meetings: Columns) -> Formula:
    """Meetings booked by accounts on the target list, of those booked with a known account.

    Source: meetings_by_booking; the list as it stood at the quarter's start (S0-52).
    Counts: as meetings_booked; meetings without an account are left out.
    Missing: no meeting booked with a known account.
    """
    return _share_of_booked(meetings, meetings.target == "target")


def _share_of_booked(meetings: Columns, chosen: nw.Expr) -> Formula:
    known = ~meetings.account_id.is_null()
    nothing = "no meeting booked with a known account"
    return share(meetings.count(where=known & chosen), meetings.count(where=known), nothing=nothing)


@metric(facts="meeting_cohorts", label="Meetings that led to an opportunity", unit="share", better="higher", counts="meetings",
        kind="funnel", by=("cohort", "channel", "kind", "icp", "target"), window="cohort", core=True)  # fmt: skip
def meeting_to_opportunity_rate(meetings: Columns) -> Formula:
    """Meetings held whose account had an opportunity created within 90 days from the meeting on, of all held in one quarter.

    Source: meeting_cohorts, by the quarter in which they were held; `meeting_to_opportunity_days` in abm.toml (S0-49, S0-51).
    Counts: the newest quarter that is old enough; the slice `cohort` has each and says which are too young. All business.
    Missing: no quarter with meetings is old enough.
    """
    return _of_cohort(meetings, meetings.has_opportunity, "no meeting held in a quarter old enough")


@metric(facts="qualified_accounts", label="Marketing-qualified accounts", unit="count", better="higher", counts="accounts",
        by=("tier", "industry", "segment", "programme", "target", *OVER_TIME), additive=True)  # fmt: skip
def marketing_qualified_accounts(accounts: Columns) -> Formula:
    """Accounts that met the rule for the first time: enough people of the buying unit acted, not one alone.

    Source: qualified_accounts, from the history of account stages (S2-06, S2-07).
    Counts: accounts once, ever; one that jumps over the stage counts on the day of the jump.
    Missing: no account stages for the quarter.
    """
    return total(accounts.count())


@metric(facts="mqa_cohorts", label="Qualified accounts that had a meeting", unit="share", better="higher", counts="accounts",
        kind="funnel", by=("cohort", "tier"), window="cohort")  # fmt: skip
def mqa_meeting_rate(accounts: Columns) -> Formula:
    """Accounts with a meeting or demo held within 90 days from becoming marketing-qualified, of all that became it in one quarter.

    Source: mqa_cohorts, by the quarter in which they qualified; `mqa_meeting_days` in abm.toml (S2-20).
    Counts: the newest quarter that is old enough; the slice `cohort` has each and says which are too young.
    Missing: no account qualified in a quarter old enough.
    """
    return _of_cohort(accounts, accounts.has_met, "no account qualified in a quarter old enough")


def _of_cohort(cohorts: Columns, done: nw.Expr, nothing: str) -> Formula:
    newest = cohorts.is_headline
    each = share(cohorts.count(where=done), cohorts.count(), nothing=nothing)
    return share(cohorts.count(where=newest & done), cohorts.count(where=newest), nothing=nothing).but(cohort=each)


@metric(facts="mqa_waits", label="Days until a qualified account is followed up", unit="days", better="lower",
        counts="accounts", kind="funnel", by="tier", window="trailing_4_quarters")  # fmt: skip
def mqa_follow_up_days(accounts: Columns) -> Formula:
    """Median days from becoming marketing-qualified to the first meeting booked or call; who still waits counts as waiting.

    Source: mqa_waits, accounts that became it in the trailing four quarters (S2-25).
    Counts: a booking on the same day is 0 days; meetings booked before are none, nor are new dates for them.
    Missing: fewer than half were followed up within the time seen.
    """
    return survival_median(accounts.total("days"), accounts.is_followed_up, nothing="no account qualified")


@metric(of=("meetings_held",), looks_up="meetings_and_pipeline", label="Opportunities expected next quarter", unit="count",
        better="neither", counts="meetings", kind="funnel", by=("creation_quarter/record",), version=2)  # fmt: skip
def next_quarter_opportunities_forecast(read: Look) -> Worked:
    """New-business opportunities to be expected next quarter, given the meetings held in this one and those booked for it.

    Source: as next_quarter_pipeline_forecast (S0-48).
    Counts: as next_quarter_pipeline_forecast, in opportunities.
    Missing: as next_quarter_pipeline_forecast.
    """
    expected, record = _forecast(read, "count", 0)
    return Worked(expected, record)


@metric(of=("meetings_held", "win_rate_cohort", "open_pipeline"), looks_up="meetings_and_pipeline", label="Pipeline expected next quarter",
        unit="money", better="neither", counts="meetings", kind="funnel", by=("outcome", "creation_quarter/record"), version=2)  # fmt: skip
def next_quarter_pipeline_forecast(read: Look) -> Worked:
    """Meetings held and meetings booked for next quarter × the new pipeline that each was followed by, plus what came without one.

    Source: meetings_and_pipeline, up to eight past quarters; meetings_held (S0-48).
    Counts: new business, of an account with both once, with the meetings held; a meeting is booked as long as no later
        booking had replaced it when the quarter ended. The slice `outcome` has the revenue to come of it at win_rate_cohort,
        whenever it closes, and what there will be to work with: what is open now with what is expected, of which the latter
        alone gives the range; `creation_quarter/record` what was expected of past quarters, and what came.
    Missing: fewer than four past quarters, or no meetings.
    Beware: a light forecast; its range is as wide as its past errors, and is left out until there are four. How many past ranges,
        as they were given then, held what came stands in its caveat.
    """
    expected, record = _forecast(read, "amount", 2)
    rate = read("win_rate_cohort")
    revenue = _times(expected, rate) if rate.value is not None else missing(rate.missing_because, rate.caveat)
    both = _with_open(expected, read("open_pipeline", "business_type", "new"))
    outcomes = {"pipeline": expected, "revenue": revenue, "with_open_pipeline": both}
    return Worked(expected, record | {("outcome", name): told for name, told in outcomes.items()})


def _with_open(expected: Reading, opened: Reading) -> Reading:
    """What is open when the quarter ends is known: the range is that of what will be added."""
    for part in (expected, opened):
        if part.value is None:
            return missing(part.missing_because, part.caveat)
    value, low, high = (
        None if part is None else _rounded(part + (opened.value or 0.0), 2)
        for part in (expected.value, expected.low, expected.high)
    )
    return Reading(value, n=expected.n, low=low, high=high, method=expected.method)


def _times(expected: Reading, rate: Reading) -> Reading:
    if expected.value is None:
        return expected
    parts = [
        None if part is None else _rounded(part * (rate.value or 0), 2)
        for part in (expected.value, expected.low, expected.high)
    ]
    return Reading(parts[0], n=expected.n, low=parts[1], high=parts[2], method=expected.method)


def _forecast(read: Look, what: str, places: int) -> tuple[Reading, dict[tuple[str, str], Reading]]:
    """What next quarter brings, with the range of past errors; and for past quarters what was expected and what came."""
    past = _past(read)
    record: dict[tuple[str, str], Reading] = {}
    errors: list[float] = []
    held_it: list[bool] = []
    for place in range(FEWEST, len(past)):
        row = past[place]
        came = sum(row[f"{part}_{what}"] for part in ("after", "booked", "other"))
        expected = _expected(past[:place], row["meetings"], row["booked_meetings"], what)
        n = float(row["meetings"])
        # The range that was given then: as wide as the errors before it.
        then = _ranged(expected, _width(errors), places, n)
        record["creation_quarter/record", f"{row['creation_quarter']}/expected"] = then
        record["creation_quarter/record", f"{row['creation_quarter']}/came"] = Reading(_rounded(came, places), n=n)
        if then.low is not None and then.high is not None:
            held_it.append(then.low <= _rounded(came, places) <= then.high)
        errors += [came / expected - 1] if expected else []
    held = read("meetings_held")
    if held.value is None:
        return missing(held.missing_because, held.caveat), record
    meetings = held.value
    if len(past) < FEWEST:
        return missing("undefined", TOO_FEW), record
    said = _ranged(_expected(past, meetings, past[-1]["booked_ahead"], what), _width(errors), places, meetings)
    return replace(said, caveat=_hit_rate(held_it)), record


def _past(read: Look) -> list[dict[str, Any]]:
    """Past quarters that began after one with meetings, the oldest first."""
    known = (row for row in read.rows("meetings_and_pipeline") if row["meetings"])
    return sorted(known, key=lambda row: row["creation_quarter"])


def _ranged(expected: float, wide: float | None, places: int, n: float) -> Reading:
    """What is expected, with a range of that part of it to both sides where past errors give one."""
    value = _rounded(expected, places)
    if wide is None:
        return Reading(value, n=n)
    low, high = (_rounded(end, places) for end in (max(0.0, expected * (1 - wide)), expected * (1 + wide)))
    return Reading(value, n=n, low=low, high=high, method="past errors, 95%")


def _hit_rate(held_it: list[bool]) -> str:
    """How many past ranges, each worked out of what was known then, held what came; empty before the first."""
    if not held_it:
        return ""
    low, high = (float(end) for end in intervals.wilson(sum(held_it), len(held_it)))
    return f"{sum(held_it)} of {len(held_it)} past ranges held what came (95% range of that {low:.0%} to {high:.0%})"


@metric(of=("pipeline_gap", "meeting_held_rate"), looks_up="meetings_and_pipeline", label="Meetings to book to close the gap",
        unit="count", better="neither", counts="meetings", kind="funnel", version=2)  # fmt: skip
def meetings_to_close_gap(read: Look) -> Worked:
    """Meetings that must be booked for the pipeline still missing for next quarter to be made up.

    Source: pipeline_gap; meeting_held_rate; meetings_and_pipeline, up to eight past quarters (S0-48, S0-69).
    Counts: pipeline_gap over the new pipeline that a meeting held was followed by a quarter later, over the part of the meetings
        due in the quarter that were held, rounded up; 0 where nothing is missing.
    Missing: no pipeline gap is known, fewer than four past quarters with meetings, no pipeline came after one, or none was held.
    Beware: pipeline that comes of a meeting may be due later than next quarter; and no meeting says that it caused a deal.
    """
    gap, past = read("pipeline_gap"), _past(read)[-LEARNED_FROM:]
    if gap.value is None:
        return Worked(missing(gap.missing_because, gap.caveat))
    if len(past) < FEWEST:
        return Worked(missing("undefined", TOO_FEW))
    held, followed = (sum(row[name] for row in past) for name in ("meetings", "after_amount"))
    if not followed:
        return Worked(missing("undefined", "no pipeline came after a meeting", n=float(held)))
    rate = read("meeting_held_rate")
    if not rate.value:
        return Worked(missing(rate.missing_because or "undefined", rate.caveat or "no meeting was held", n=float(held)))
    return Worked(Reading(float(math.ceil(gap.value * held / followed / rate.value - 1e-9)), n=float(held)))


def _rounded(number: float, places: int) -> float:
    """Half goes away from zero, as in to_the_cent."""
    steps = math.floor(abs(number) * 10**places + 0.5 + 1e-6)
    return math.copysign(steps / 10**places, number)


def _expected(past: list[dict[str, Any]], meetings: float, booked: float, what: str) -> float:
    """Meetings held, and booked, × what each was followed by in the last quarters, plus what came without in a mean quarter."""
    known = past[-LEARNED_FROM:]
    after, of_booked, without = (sum(row[f"{part}_{what}"] for row in known) for part in ("after", "booked", "other"))
    held, due = (sum(row[name] for row in known) for name in ("meetings", "booked_meetings"))
    return float(meetings * after / held + (booked * of_booked / due if due else 0.0) + without / len(known))


def _width(errors: list[float]) -> float | None:
    """Student's t for the number of past errors, times their root mean square; None below four."""
    if len(errors) < FEWEST:
        return None
    from scipy.special import stdtrit

    return float(stdtrit(len(errors), 0.975)) * (sum(error**2 for error in errors) / len(errors)) ** 0.5


@metric(facts="qualified_leads", label="Marketing-qualified leads", unit="count", better="higher",
        by=(*ORIGIN, "icp", "target", "account_match"), additive=True)  # fmt: skip
def marketing_qualified_leads(people: Columns) -> Formula:
    """People who met the agreed rule for the first time in twelve months.

    Source: qualified_leads, entries into the stage MQL (S0-33, S0-37, S0-38, S3-16).
    Counts: by the day of entry; who was recycled and came again within 365 days is counted apart. One row per person and entry.
    Missing: no stages of people for the quarter.
    """
    return total(people.count(where=people.is_first))


@metric(facts="qualified_leads", label="Leads qualified again", unit="count", better="neither", by=("channel", *OVER_TIME),
        additive=True)  # fmt: skip
def requalified_leads(people: Columns) -> Formula:
    """Recycled people who met the rule for marketing-qualified leads again within twelve months.

    Source: qualified_leads (S0-33).
    Counts: entries that marketing_qualified_leads leaves out.
    Missing: no stages of people for the quarter.
    """
    return total(people.count(where=~people.is_first))


@metric(facts="qualified_leads", needs=ICP, label="Share of MQLs at ICP accounts", unit="share", better="higher",
        by=("channel", "account_match", *OVER_TIME))  # fmt: skip
def icp_mql_share(people: Columns) -> Formula:
    """Marketing-qualified leads at accounts that fit the ideal customer profile, of all of them.

    Source: qualified_leads; the account of the day, its profile at the quarter's start (S0-42, S0-43, S0-44).
    Counts: people without a known account are in the denominator; their share stands in the slice `account_match`.
    Missing: no marketing-qualified leads.
    """
    return _share_of_mqls(people, people.icp == "ICP")


@metric(facts="qualified_leads", needs=LISTED, label="Share of MQLs at target accounts", unit="share", better="higher",
        by=("channel", "account_match", *OVER_TIME))  # fmt: skip
def target_account_mql_share(people: Columns) -> Formula:
    """Marketing-qualified leads at accounts on the target list, of all of them.

    Source: qualified_leads; the list as it stood at the quarter's start (S0-43, S0-44).
    Counts: people without a known account are in the denominator; their share stands in the slice `account_match`.
    Missing: no marketing-qualified leads.
    """
    return _share_of_mqls(people, people.target == "target")


def _share_of_mqls(people: Columns, chosen: nw.Expr) -> Formula:
    every = people.count(where=people.is_first)
    matched = share(every, whole(every), nothing=NO_MQL)
    return share(people.count(where=people.is_first & chosen), every, nothing=NO_MQL).but(account_match=matched)


@metric(facts="qualified_leads", needs="people.title", label="Share of MQLs in a buying role", unit="share", better="higher",
        by=("channel", *OVER_TIME))  # fmt: skip
def buying_role_mql_share(people: Columns) -> Formula:
    """Marketing-qualified leads whose title is of a role that the buying group needs, of those with a title.

    Source: qualified_leads; `titles` and `buying_group` in abm.toml (S0-42).
    Counts: the role that the title says; a role that any tier needs.
    Missing: no marketing-qualified lead has a title.
    """
    titled = people.is_first & people.has_title
    return share(people.count(where=titled & people.is_right), people.count(where=titled), nothing="no titles")


def _cost_of(outcome: str, spend: Columns, all_of_them: Amount, nothing: str) -> Formula:
    """Ad spend for each; by channel and campaign only where ads ran; with finance's costs in the slice `spend`."""
    brought, costs = Columns("ad_outcomes"), Columns("spend_kinds")
    here, cost = brought.distinct("id", where=brought.outcome == outcome), spend.money("cost")
    by_ads = ratio(cost, here, nothing=nothing)
    return ratio(cost, all_of_them, nothing=nothing).but(
        channel=by_ads, campaign=by_ads, spend=ratio(costs.money("amount"), whole(all_of_them), nothing=nothing)
    )


@metric(facts=("ad_days", "qualified_accounts"), label="Cost per marketing-qualified account", unit="money", better="lower",
        counts="accounts", by=COSTS, also_window="trailing_4_quarters")  # fmt: skip
def cost_per_mqa(spend: Columns, accounts: Columns) -> Formula:
    """What the ad platforms charged in the quarter, for each account that became marketing-qualified in it.

    Source: ad_days, qualified_accounts; ad_outcomes by channel and campaign (S0-40).
    Counts: by channel, the accounts that it touched within `engaged.window_days` before the moment they qualified; several may have.
    Missing: no marketing-qualified accounts.
    Beware: spend comes before its accounts; the slice `window` has four quarters together.
    """
    return _cost_of("mqa", spend, accounts.count(), "no account qualified")


@metric(facts=("ad_days", "qualified_leads"), label="Cost per marketing-qualified lead", unit="money", better="lower", by=COSTS,
        also_window="trailing_4_quarters")  # fmt: skip
def cost_per_mql(spend: Columns, people: Columns) -> Formula:
    """What the ad platforms charged in the quarter, for each marketing-qualified lead of the quarter, however it came.

    Source: ad_days, qualified_leads; ad_outcomes by channel and campaign (S0-40, S0-41).
    Counts: as cost_per_lead and marketing_qualified_leads.
    Missing: no marketing-qualified leads.
    Beware: spend comes before its leads; the slice `window` has four quarters together.
    """
    return _cost_of("mql", spend, people.count(where=people.is_first), NO_MQL)


@metric(facts=("ad_days", "leads"), label="Cost per lead", unit="money", better="lower", by=COSTS,
        also_window="trailing_4_quarters")  # fmt: skip
def cost_per_lead(spend: Columns, people: Columns) -> Formula:
    """What the ad platforms charged in the quarter, for each lead of the quarter, however it came.

    Source: ad_days, leads; ad_outcomes by channel and campaign; the slice `spend` has finance's full costs beside it (S0-40).
    Counts: a channel's spend over the leads that came through it, where ads ran.
    Missing: no leads.
    Beware: spend comes before its leads; the slice `window` has four quarters together.
    """
    return _cost_of("lead", spend, people.count(), "no leads")


@metric(facts=("ad_days", "ad_budgets"), label="Budget used", unit="share", better="neither", counts="money",
        by=("channel", "year"))  # fmt: skip
def budget_used_share(spend: Columns, budgets: Columns) -> Formula:
    """What the ad platforms charged in the quarter, of the budget of their channels.

    Source: ad_days, ad_budgets (S0-41).
    Counts: channels in which an ad platform reports a cost; above 1 the budget is overspent; `year` is the year to date.
    Missing: no budget for the quarter.
    """
    return ratio(spend.money("cost"), budgets.money("amount"), nothing="no budget", n=spend.count())


@metric(
    facts="channel_budgets",
    label="Budget in untracked channels",
    unit="share",
    better="neither",
    counts="money",
    by=("year",),
)
def untracked_budget_share(budgets: Columns) -> Formula:
    """Budget of the channels of which nobody can count what they bring, of the whole budget of the quarter.

    Source: channel_budgets (S0-41).
    Counts: channels with `tracked = false` in abm.toml; without one the share is 0. `year` is the year to date.
    Missing: no budget for the quarter.
    Beware: what cannot be counted may work all the same; to fund only what can be counted favours the wrong tactics.
    """
    untracked = budgets.money("amount", where=~budgets.is_tracked)
    return ratio(untracked, budgets.money("amount"), nothing="no budget", n=budgets.count())


@metric(facts="leads", label="Leads", unit="count", better="neither", by=ORIGIN, additive=True, activity="activity")
def leads(people: Columns) -> Formula:
    """People first created in the quarter. Nothing to brag about: what counts is who qualifies.

    Source: leads, one row per person (S0-33, S0-35, S0-38, S3-16).
    Counts: everyone once, by the first campaign that they joined; our own people, test records and imported lists are out.
    Missing: no people data for the quarter.
    """
    return total(people.count())
