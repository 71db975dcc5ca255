"""Quality: how far the numbers may be trusted, and which questions they answer."""

from __future__ import annotations

from typing import Any

from ..facts.quality import MACHINES, OF_ACCOUNTS
from ..formula import Columns, Formula, ratio, share
from ..intervals import wilson
from ..metric import REGISTER, Look, family
from ..questions import HEADLINES, SLICED_FROM, UNNAMED, questions
from ..reading import Reading, Worked, missing

metric = family("quality", kind="quality", pillar="revenue", counts="rows", audience=("marketing", "sales", "finance"))
WHOLE_FROM = 100  # from here on a promise is written without cents
NO_INPUT = ("not_collected", "no_data", "switched_off")


@metric(facts="deliveries", label="Rows set aside", unit="share", better="lower", by="table", window="delivery")
def rows_set_aside_share(tables: Columns) -> Formula:
    """Rows that could not be read as what they claim to be, of all rows delivered.

    Source: deliveries, one row per table (S2-36).
    Counts: rows set aside with their reason, in the delivery that the edition was made from; the earlier ones are not kept.
    Missing: nothing was delivered.
    """
    return share(tables.total("set_aside"), tables.total("rows"), nothing="no rows delivered")


@metric(
    needs="|".join(f"{table}.account_id" for table in OF_ACCOUNTS),
    facts="account_matches",
    label="Rows matched to an account",
    unit="share",
    better="higher",
    by="table",
)
def account_match_rate(rows: Columns) -> Formula:
    """Rows of the quarter that name an account, of those that should name one.

    Source: account_matches, one row per table (S0-05, S3-01, S2-36).
    Counts: ads by company, calls to action, meetings, opportunities, page views, people, survey answers and touches; no bots,
        none of our own meetings and people.
    Missing: no such rows in the quarter.
    Beware: most page views of strangers can never be matched: read it by table.
    """
    return share(rows.total("matched"), rows.total("rows"), nothing="no rows in the quarter")


@metric(facts="sources_told", label="Opportunities of unknown source", unit="share", better="lower", by="table",
        counts="opportunities", scope="new")  # fmt: skip
def unknown_source_share(rows: Columns) -> Formula:
    """New-business opportunities created in the quarter whose source maps to no channel.

    Source: sources_told, one row per opportunity created and per person (S0-57, S2-36).
    Counts: blank sources and values in no channel's list; the slice `table` shows people beside opportunities.
    Missing: no opportunity was created.
    """
    deals = rows.table == "opportunities"
    return share(
        rows.count(where=deals & ~rows.is_known), rows.count(where=deals), nothing="no opportunity created"
    ).but(table=share(rows.count(where=~rows.is_known), rows.count(), nothing="no rows in the quarter"))


@metric(facts="amounts_told", label="Opportunities without an amount", unit="share", better="lower", by="state",
        counts="opportunities")  # fmt: skip
def amount_missing_share(deals: Columns) -> Formula:
    """Opportunities open at the quarter's end or closed in it that carry no amount above zero.

    Source: amounts_told, one row per opportunity and state (S2-36).
    Counts: a blank, a zero and an amount without an exchange rate are all missing.
    Missing: no opportunity is open and none was closed.
    """
    return share(deals.count(where=~deals.has_amount), deals.count(), nothing="no opportunity open or closed")


@metric(facts="opportunities_closed", label="Lost deals without a reason", unit="share", better="lower", by="segment",
        counts="opportunities")  # fmt: skip
def loss_reason_missing_share(closed: Columns) -> Formula:
    """Deals lost in the quarter for which no reason was written down.

    Source: opportunities_closed (S0-85, S2-36).
    Counts: every lost deal, of all business types; "not stated" is a blank.
    Missing: no deal was lost.
    """
    blank = closed.is_lost & (closed.loss_reason == "not stated")
    return share(closed.count(where=blank), closed.count(where=closed.is_lost), nothing="no deal lost")


@metric(needs="opportunities.term_months", facts="opportunities_closed", label="Won deals without a term", unit="share", better="lower",
        by="segment", counts="opportunities")  # fmt: skip
def term_missing_share(closed: Columns) -> Formula:
    """Deals won in the quarter without a contract term, so that no annual value can be told.

    Source: opportunities_closed (S1-29, S2-36).
    Counts: won deals of all business types whose term is blank.
    Missing: no deal was won.
    """
    blank = closed.is_won & closed.term_months.is_null()
    return share(closed.count(where=blank), closed.count(where=closed.is_won), nothing="no deal won")


@metric(
    needs="|".join(f"{table}.{flag}" for table, flag in MACHINES.items()),
    facts="machine_rows",
    label="Events made by machines",
    unit="share",
    better="lower",
    by="table",
)
def machine_activity_share(rows: Columns) -> Formula:
    """Web and mail events that the source flags as made by machines.

    Source: machine_rows, one row per table (S2-36).
    Counts: bots among page views, scanners and prefetching among mail events and calls to action; all are left out elsewhere.
    Missing: no such events in the quarter.
    Beware: a source that flags nothing reads 0.
    """
    return share(rows.total("by_machines"), rows.total("rows"), nothing="no events in the quarter")


@metric(
    facts="table_ages",
    label="Age of the oldest table",
    unit="days",
    better="lower",
    by=("table", "source"),
    counts="tables",
)
def source_age_days(ages: Columns) -> Formula:
    """Days from the newest row of a table to the day as of which the quarter is told; the whole is the oldest table.

    Source: table_ages, one row per dated table (S1-38, S2-36).
    Counts: by the rows' own dates, not by the day they were loaded. Left out: tables about the data or what is to come (rates,
        loads, remarks, targets), and those that know the month or quarter alone.
    Missing: no dated table.
    Beware: a table of rare events is old without being stale.
    """
    oldest, of_source = ages.is_oldest, ages.is_oldest_of_source
    return ratio(
        ages.total("days", where=oldest), ages.count(where=oldest), nothing="no dated table", n=ages.count()
    ).but(
        table=ratio(ages.total("days"), ages.count(), nothing="no rows"),
        source=ratio(
            ages.total("days", where=of_source), ages.count(where=of_source), nothing="no rows", n=ages.count()
        ),
    )


@metric(of=tuple(name for name, _, _ in HEADLINES if name in REGISTER),
        label="Headline numbers above their floor", unit="share", better="higher",
        by="headline", counts="numbers")  # fmt: skip
def readiness(look: Look) -> Worked:
    """Of the headline numbers of the executive page, those that rest on enough to be read.

    Source: the readings of the headline cards (S2-36).
    Counts: a number that is given and counts at least `min_n.colour` units.
    Missing: never.
    """
    floor = look.config.min_n.colour
    given = {name: _below(look(name, by, value), floor) for name, by, value in HEADLINES}
    slices = {
        ("headline", name): Reading(float(not why), float(not why), 1.0, 1.0, caveat=why) for name, why in given.items()
    }
    ready, asked = float(sum(not why for why in given.values())), float(len(given))
    return Worked(Reading(ready / asked, ready, asked, asked), slices)


def _below(reading: Reading, floor: int) -> str:
    """Why a headline number is below its floor; empty where it is not."""
    if reading.value is None:
        return reading.caveat or reading.missing_because
    return f"it counts {reading.n:.0f}; {floor} are needed" if reading.n is not None and reading.n < floor else ""


@metric(of=tuple(REGISTER), looks_up="promises_due", label="Promises kept", unit="share", better="higher",
        by=("owner_role", "promise"), counts="promises")  # fmt: skip
def promises_kept_share(look: Look) -> Worked:
    """Promises that fell due in the quarter and were kept.

    Source: promises_due, one row per promise; each is held against the reading that it names (S2-25).
    Counts: kept when the reading is on the promised side of its value; promises whose number cannot be told are left out.
    Missing: none fell due, or none can be scored.
    """
    scored = [(promise, _kept(look, promise)) for promise in look.rows("promises_due")]
    slices = {("promise", p["promise_id"]): one for p, one in scored}
    for role in sorted({p["owner_role"] for p, _ in scored}):
        slices["owner_role", role] = _share_kept([one for p, one in scored if p["owner_role"] == role])
    return Worked(_share_kept([one for _, one in scored]), slices)


def _kept(look: Look, promise: dict[str, Any]) -> Reading:
    """One promise scored: 1 kept, 0 not, or why it cannot be said; the two numbers stand in the caveat."""
    found, bound = look(promise["metric"], promise["slice_by"], promise["slice"]), promise["bound"]
    known = REGISTER.get(promise["metric"])
    name, unit = (known.label, known.unit) if known else (promise["metric"], "")
    name += f" ({promise['slice']})" if promise["slice"] else ""
    asked, came = (_plain(value, unit, look.config.company.currency) for value in (promise["value"], found.value))
    said = f"{name} at {'least' if bound == '>=' else 'most'} {asked}, promised in {promise['made_in']}"
    said += f" by the {promise['owner_role']}"
    if found.value is None:
        return missing(found.missing_because, f"{said}; {found.caveat}")
    kept = found.value >= promise["value"] if bound == ">=" else found.value <= promise["value"]
    return Reading(float(kept), float(kept), 1.0, 1.0, caveat=f"{said}; it was {came}")


def _plain(value: float | None, unit: str, currency: str) -> str:
    """A number of a promise as text, with its unit; both of them stand in one caveat, so neither is rounded away."""
    if value is None:
        return ""
    if unit in ("share", "points"):
        return f"{value * 100:.1f}{'%' if unit == 'share' else ' points'}"
    if unit == "times":
        return f"{value:.1f}x"
    number = f"{value:,.0f}" if abs(value) >= WHOLE_FROM or value.is_integer() else f"{value:,.2f}"
    if unit.startswith("money"):
        return f"{currency} {number}{' a day' * (unit == 'money_per_day')}"
    return number + {"days": " days", "months": " months", "seconds": " s"}.get(unit, "")


def _share_kept(promises: list[Reading]) -> Reading:
    scored = [one for one in promises if one.value is not None]
    if not scored:
        return missing("undefined", "no promise fell due that can be scored", n=float(len(promises)))
    kept, due = sum(one.value or 0.0 for one in scored), float(len(scored))
    low, high = wilson(kept, due)
    left_out = len(promises) - len(scored)
    why = f"{left_out} of {len(promises)} could not be scored" if left_out else ""
    return Reading(kept / due, kept, due, due, float(low), float(high), "Wilson, 95%", caveat=why)


@metric(of=("ad_spend", "closed_won_revenue"), looks_up="totals_of_finance", parts_in_money=True,
        label="Report against finance", unit="share",
        better="neither", by="metric", has_whole=False, counts="money")  # fmt: skip
def finance_tie_out(look: Look) -> Worked:
    """What the report counts, over what finance states for the same metric and quarter: 1 when they agree.

    Source: totals_of_finance, one row per metric that finance states (S2-36).
    Counts: closed-won revenue by close date, ad spend as the platforms charge it; taxes, fees and cut-off dates differ.
    Missing: finance states none of them for the quarter.
    """
    slices = {}
    for stated in look.rows("totals_of_finance"):
        ours, finance = look(stated["metric"]), stated["value"]
        if ours.value is not None and finance > 0:
            slices["metric", stated["metric"]] = Reading(ours.value / finance, ours.value, finance, ours.n)
    return Worked(missing("not_applicable", "told by metric"), slices)


@metric(facts="indicator_lift", label="Lift of a leading indicator", unit="points", better="neither", by="indicator", has_whole=False,
        pillar="relationships", counts="account quarters")  # fmt: skip
def leading_indicator_lift(accounts: Columns) -> Formula:
    """Progression of target accounts that showed an indicator in the quarter before, minus that of those that did not.

    Source: indicator_lift, the eight quarters up to this one (S2-08).
    Counts: a higher stage at a quarter's end than at its start; compared within tiers and weighted by their size, accounts drawn anew.
    Missing: no tier where some accounts showed it and some did not.
    Beware: goes together, which is not to say that one brings the other about.
    """
    nothing = "no tier with accounts of both kinds"
    return ratio(accounts.total("lift"), accounts.total("pairs"), nothing=nothing, spread=True, unit="account_id")


@metric(
    of=tuple(REGISTER), label="Questions answered", unit="share", better="higher", by="question", counts="questions"
)
def questions_answered(look: Look) -> Worked:
    """Of the questions that the report is asked, those that the company's data answer.

    Source: the readings that each question needs, in questions.toml (S2-36).
    Counts: a question is answered when none of its readings lacks its input; a number that is undefined says so and answers.
    Missing: never.
    """
    lacking = {q.name: _lacking(look, q.shows) for q in questions()}
    slices = {
        ("question", name): Reading(float(not why), float(not why), 1.0, 1.0, caveat=why)
        for name, why in lacking.items()
    }
    answered, asked = float(sum(not why for why in lacking.values())), float(len(lacking))
    return Worked(Reading(answered / asked, answered, asked, asked), slices)


def _lacking(look: Look, shows: tuple[tuple[str, str], ...]) -> str:
    """Why a question cannot be answered: the first of its readings that lacks its input. Empty where it can."""
    for name, by in shows:
        values = look.values(name, by)
        told = [look(name, by, value) for value in values] or [look(name)]
        if all(reading.missing_because in NO_INPUT for reading in told):
            return f"{name} {told[0].caveat}"
        unread = [source for source in SLICED_FROM.get(by.rpartition("/")[2], ()) if not look.delivers(source)]
        if unread and UNNAMED.issuperset(values):
            return f"{name} by {by} needs {unread[0]}, which no source delivers"
    return ""
