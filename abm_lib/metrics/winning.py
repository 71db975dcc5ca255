"""Winning: how often, why and how soon deals are won. The second half of the revenue page (S2-04)."""

from __future__ import annotations

import narwhals as nw

from ..formula import (
    Columns,
    Formula,
    difference,
    mean,
    mean_to_come,
    median_to_come,
    ratio,
    share,
    share_within,
    whole,
)
from ..metric import Look
from ..reading import Reading, Worked, missing
from .revenue import NOTHING_WON, SOURCE, metric

RATE = ("month", "quarter", "year", "segment", "icp", "competitor", "source_owner", "tier", "target", "owner")
NO_CONTEST = "nothing won or lost"


@metric(needs=SOURCE, facts="opportunities_closed", label="Win rate of marketing-sourced opportunities", unit="share", better="higher",
        by=("source_owner", "channel", "form", "month", "quarter", "year"), scope="new", window="canonical")  # fmt: skip
def sourced_opportunity_win_rate(closed: Columns) -> Formula:
    """Marketing-sourced opportunities won, of those won or lost.

    Source: opportunities_closed over the canonical period (S0-73, S0-74).
    Counts: as win_rate_closed; the slice `source_owner` has every owner, `form` the rate of the newest mature cohort beside it.
    Missing: none won or lost.
    """
    contest, won = closed.is_contest, closed.is_contest & closed.is_won
    marketing = closed.source_owner == "marketing"
    every_owner = share(closed.count(where=won), closed.count(where=contest), nothing=NO_CONTEST)
    sourced = share(closed.count(where=won & marketing), closed.count(where=contest & marketing), nothing=NO_CONTEST)
    forms = Columns("win_rate_forms")
    owned = forms.source_owner == "marketing"
    form = share(forms.count(where=forms.is_won & owned), forms.count(where=owned), nothing=NO_CONTEST)
    return sourced.but(source_owner=every_owner, form=form)


@metric(facts="opportunities_closed", label="Win rate, closed deals", unit="share", better="higher", by=RATE, scope="new",
        window="canonical", core=True)  # fmt: skip
def win_rate_closed(closed: Columns) -> Formula:
    """Opportunities won, of all won or lost with a close date in the canonical period.

    Source: opportunities_closed over `win_rate.canonical_period` of abm.toml (S0-77, S0-80, S0-86, S2-27).
    Counts: qualified new business; no decision is a loss; reasons that abm.toml calls disqualified are left out.
    Missing: none won or lost.
    Beware: closed deals alone flatter a growing pipeline; win_rate_cohort stands under it.
    """
    won = closed.count(where=closed.is_contest & closed.is_won)
    return share(won, closed.count(where=closed.is_contest), nothing=NO_CONTEST)


@metric(facts="opportunities_closed", label="Win rate by value", unit="share", better="higher", by=RATE, scope="new",
        window="canonical")  # fmt: skip
def win_rate_closed_value(closed: Columns) -> Formula:
    """The amount won, of all amounts won or lost in the canonical period.

    Source: opportunities_closed (S0-80).
    Counts: the last amount above zero before the close; a lost deal that never had one is left out.
    Missing: fewer than nine in ten of the lost deals ever had an amount: the rate would flatter.
    """
    lost = closed.is_contest & closed.is_lost
    worth = closed.amount_contested > 0
    given = (closed.count(where=lost & worth), closed.count(where=lost), 0.9, "lost deals have an amount")
    won, every = closed.is_contest & closed.is_won & worth, closed.is_contest & worth
    return ratio(closed.money("amount_contested", where=won), closed.money("amount_contested", where=every), nothing=NO_CONTEST,
                 n=closed.count(where=every), spread=True, unit="account_id", given=given)  # fmt: skip


@metric(facts="opportunity_cohorts", label="Win rate by cohort", unit="share", better="higher",
        by=("creation_quarter", "matured_share"), scope="new", window="cohort", version=3)  # fmt: skip
def win_rate_cohort(cohorts: Columns) -> Formula:
    """Opportunities won, of all that were qualified in one quarter, open ones included.

    Source: opportunity_cohorts (S0-78). The whole is the newest mature cohort; the slice holds each.
        `matured_share` is the part of each cohort that is closed: the rate of one that is mostly open says how young it is.
    Counts: mature when four fifths are closed, or when older than one and a half times the median days to win, sales_cycle_days,
        and than nine tenths of the deals that will be won take.
    Missing: no cohort is mature.
    """
    whole_cohort = share(
        cohorts.count(where=cohorts.is_won & cohorts.is_headline),
        cohorts.count(where=cohorts.is_headline),
        nothing="no cohort is mature",
    )
    closed = cohorts.count(where=cohorts.is_won | cohorts.is_lost)
    return whole_cohort.but(
        creation_quarter=share(cohorts.count(where=cohorts.is_won), cohorts.count(), nothing="none qualified"),
        matured_share=share(closed, cohorts.count(), nothing="none qualified"),
    )


@metric(facts="list_cohorts", label="Target accounts won", unit="share", better="higher", counts="accounts",
        by=("entry_quarter", "tier", "programme"), window="cohort")  # fmt: skip
def target_account_conversion_rate(cohorts: Columns) -> Formula:
    """Accounts won for the first time by the quarter's end, of those that joined the target list in one quarter.

    Source: list_cohorts, by the quarter of entry (S1-13). The whole is the newest cohort a year old.
    Counts: accounts that were customers before they joined are left out.
    Missing: no account joined a year ago.
    """
    headline = share(
        cohorts.count(where=cohorts.is_won & cohorts.is_headline),
        cohorts.count(where=cohorts.is_headline),
        nothing="no cohort is a year old",
    )
    return headline.but(
        entry_quarter=share(cohorts.count(where=cohorts.is_won), cohorts.count(), nothing="none joined")
    )


@metric(
    needs="opportunities.loss_reason",
    facts="opportunities_closed",
    label="Loss reasons",
    unit="share",
    better="neither",
    by=("loss_reason", "competitor"),
    scope="new",
    has_whole=False,
)
def loss_reason_share(closed: Columns) -> Formula:
    """Deals lost for one reason, of all deals lost in a contest in the quarter.

    Source: opportunities_closed (S0-85).
    Counts: one reason for each deal; a blank one is its own row; reasons that abm.toml calls disqualified are left out.
    Missing: nothing lost.
    """
    lost = closed.count(where=closed.is_contest & closed.is_lost)
    return share(lost, whole(lost), nothing="nothing lost")


@metric(
    needs="opportunities.win_reason",
    facts="opportunities_closed",
    label="Win reasons",
    unit="share",
    better="neither",
    by=("win_reason"),
    scope="new",
    has_whole=False,
)
def win_reason_share(closed: Columns) -> Formula:
    """Deals won for one reason, of all deals won in the quarter.

    Source: opportunities_closed (S0-79).
    Counts: one reason for each deal; a blank one is its own row.
    Missing: nothing won.
    """
    won = closed.count(where=closed.is_won)
    return share(won, whole(won), nothing=NOTHING_WON)


@metric(facts="opportunity_ages", label="Sales cycle, open deals included", unit="days", better="neither", version=2,
        by=("segment", "source_owner", "target", "promotion", "business_type"), scope="new", window="trailing_8_quarters")  # fmt: skip
def sales_cycle_days(ages: Columns) -> Formula:
    """Median days from qualified to won of the deals that will be won; a deal still open counts for as long as it has been seen.

    Source: opportunity_ages, opportunities qualified in the trailing eight quarters (S0-72, S2-28).
    Context only: no target, no colour (S3-17).
    Counts: by Aalen and Johansen, won and lost compete: half of all that will be won is won by that day.
    Missing: none won.
    """
    return median_to_come(ages.total("age_days"), ages.is_won, ages.is_lost, nothing="none qualified")


@metric(facts="opportunity_ages", label="Mean sales cycle, open deals included", unit="days", better="neither", scope="new",
        window="trailing_8_quarters")  # fmt: skip
def sales_cycle_days_mean(ages: Columns) -> Formula:
    """Mean days from qualified to won of the deals that will be won; a deal still open counts for as long as it has been seen.

    Source: opportunity_ages, opportunities qualified in the trailing eight quarters (S2-28). Context only: no target, no colour (S3-17).
    Counts: as sales_cycle_days; the mean of won deals alone, sales_cycle_days_won, is too short while the pipeline grows.
    Missing: none won.
    """
    return mean_to_come(ages.total("age_days"), ages.is_won, ages.is_lost, nothing="none qualified")


@metric(facts="opportunity_deadlines", label="Won within 180 days", unit="share", better="higher",
        by=("within_days", "segment", "source_owner", "target"), scope="new", window="trailing_8_quarters")  # fmt: skip
def win_rate_within_days(ages: Columns) -> Formula:
    """Opportunities won within 180 days of qualifying, of all qualified; those still open are seen for as long as they can be.

    Source: opportunity_deadlines, opportunities qualified in the trailing eight quarters (S0-78).
    Counts: by Aalen and Johansen, won and lost compete; the slice `within_days` asks for 30 to 540 days.
    Missing: none qualified, or none seen for so long.
    """
    return _within(ages, ages.is_won, ages.is_lost)


@metric(facts="opportunity_deadlines", label="Lost within 180 days", unit="share", better="neither", by=("within_days",), scope="new",
        window="trailing_8_quarters")  # fmt: skip
def loss_rate_within_days(ages: Columns) -> Formula:
    """Opportunities lost within 180 days of qualifying, of all qualified; those still open are seen for as long as they can be.

    Source: opportunity_deadlines, opportunities qualified in the trailing eight quarters (S3-17).
    Counts: as win_rate_within_days; what is in neither share after so many days is still open.
    Missing: none qualified, or none seen for so long.
    """
    return _within(ages, ages.is_lost, ages.is_won)


def _within(ages: Columns, came: nw.Expr, instead: nw.Expr) -> Formula:
    """The share to which it came by each deadline; the whole asks for the headline's alone."""
    days, half_a_year = ages.total("age_days"), ages.total("age_days", where=ages.is_headline)
    asked = share_within(half_a_year, came, instead, ages.limit, nothing="none qualified")
    return asked.but(within_days=share_within(days, came, instead, ages.limit, nothing="none qualified"))


@metric(facts="opportunities_closed", label="Sales cycle of won deals", unit="days", better="neither",
        by=("segment", "source_owner", "target", "promotion", "business_type"), scope="new")  # fmt: skip
def sales_cycle_days_won(closed: Columns) -> Formula:
    """Mean days from qualified to won, for the new-business deals won in the quarter: the naive number, beside sales_cycle_days.

    Source: opportunities_closed (S2-28). Context only: no target, no colour (S3-17).
    Counts: won deals only.
    Missing: nothing won.
    Beware: leaves out every deal still open, and so is too short while the pipeline grows.
    """
    dated = closed.is_won & ~closed.cycle_days.is_null()
    return mean(closed.total("cycle_days", where=dated), closed.count(where=dated), nothing=NOTHING_WON)


@metric(of=("opportunities_created", "win_rate_cohort", "average_selling_price", "sales_cycle_days_won"),
        label="Sales velocity", unit="money_per_day", better="neither")  # fmt: skip
def sales_velocity(read: Look) -> Worked:
    """Opportunities created × win rate × average selling price ÷ days to win.

    Source: opportunities_created, win_rate_cohort, average_selling_price, sales_cycle_days_won (S1-39).
    Counts: new business; the cohort win rate, since closed deals alone flatter a growing pipeline.
    Missing: one of the four is missing.
    Beware: a composite hides its causes; read the four.
    """
    names = ("opportunities_created", "win_rate_cohort", "average_selling_price", "sales_cycle_days_won")
    parts = [read(name) for name in names]
    lacking = next((part for part in parts if part.value is None), None)
    if lacking:
        return Worked(missing("undefined", lacking.caveat))
    created, rate, price, days = (part.value or 0.0 for part in parts)
    return Worked(
        Reading(created * rate * price / days, created * rate * price, days, created)
        if days
        else missing("undefined", "won on the day")
    )


@metric(facts="win_rate_cells", needs="accounts.account_id", label="Win rate change from the mix of deals", unit="points",
        better="neither", scope="new", window="canonical")  # fmt: skip
def win_rate_mix_effect(cells: Columns) -> Formula:
    """What the change of win_rate_closed on the quarter before owes to more or fewer contests in strong segments and tiers.

    Source: win_rate_cells, Kitagawa's split over segment and tier with mean weights (S0-81).
    Counts: with win_rate_rate_effect it adds up to the change; a segment or tier that is new or gone counts here alone. n is
        this quarter's contests: the period before may hold many of them as well.
    Missing: none won or lost in one of the two quarters.
    """
    return ratio(cells.total("mix_effect"), cells.total("weight"), nothing=NO_CONTEST, n=cells.total("contests"))


@metric(facts="win_rate_cells", needs="accounts.account_id", label="Win rate change within segments and tiers", unit="points",
        better="neither", scope="new", window="canonical")  # fmt: skip
def win_rate_rate_effect(cells: Columns) -> Formula:
    """What the change of win_rate_closed on the quarter before owes to other win rates within each segment and tier.

    Source: win_rate_cells, Kitagawa's split over segment and tier with mean weights (S0-81).
    Counts: with win_rate_mix_effect it adds up to the change; n as there.
    Missing: none won or lost in one of the two quarters.
    """
    return ratio(cells.total("rate_effect"), cells.total("weight"), nothing=NO_CONTEST, n=cells.total("contests"))


@metric(facts="campaign_contests", label="Win rate after a campaign, minus the rest", unit="points", better="higher",
        by=("campaign",), scope="new", window="trailing_8_quarters", has_whole=False)  # fmt: skip
def campaign_win_rate_difference(campaigns: Columns) -> Formula:
    """Win rate of opportunities whose account the campaign had touched before they qualified, minus that of all others.

    Source: campaign_contests, won or lost in the trailing eight quarters (S0-36, S2-23).
    Counts: touches of anyone in the account within `attribution.look_back_days`; an opportunity that several campaigns touched
        counts for each; campaigns with enough contests on both sides (`min_n.colour`).
    Missing: no campaign has enough.
    Beware: goes together, which is not to say that the campaign won them; many are compared, and what stands out on a page
        has been held to the stricter limit that this asks for.
    """
    nothing = "not enough contests on both sides"
    touched = share(campaigns.total("touched_won"), campaigns.total("touched"), nothing=nothing)
    return difference(touched, share(campaigns.total("others_won"), campaigns.total("others"), nothing=nothing))
