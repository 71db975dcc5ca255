"""Revenue: what was won, how often, how large, how long it took. Return, lagging by its nature (S2-04)."""

from __future__ import annotations

import narwhals as nw

from .. import rankings
from ..formula import (
    Columns,
    Formula,
    difference,
    mean,
    mean_to_come,
    median,
    median_to_come,
    ratio,
    share,
    share_within,
    total,
    whole,
)
from ..metric import Look, family
from ..reading import Reading, Worked, missing

metric = family(
    "revenue", kind="return", pillar="revenue", counts="opportunities", audience=("marketing", "sales", "finance")
)
SOURCE = "opportunity_sources.owner|opportunities.source|opportunities.channel"
WON = ("month", "quarter", "year", "segment", "tier", "business_type", "source_owner", "programme", "target", "region")
RATE = ("month", "quarter", "year", "segment", "icp", "competitor", "source_owner", "tier", "target", "owner")
SOURCED = ("month", "quarter", "year", "segment", "channel", "campaign")
PROMOTION = "opportunities.is_promotion|opportunities.promotion"
NOTHING_WON = "nothing won"
NO_CONTEST = "nothing won or lost"


@metric(facts="opportunities_closed", label="Closed-won revenue", unit="money", better="higher", by=WON, additive=True)
def closed_won_revenue(closed: Columns) -> Formula:
    """The amount of all opportunities won with a close date in the quarter (bookings).

    Source: opportunities_closed; fx at the close date (S3-11).
    Counts: new business, expansion and renewals; by the close date, not the day of entry.
    Missing: no opportunity data for the quarter.
    """
    return total(closed.money("amount", where=closed.is_won), n=closed.count(where=closed.is_won))


@metric(facts="opportunities_closed", label="Deals won", unit="count", better="higher", by=WON, additive=True)
def deals_won(closed: Columns) -> Formula:
    """Opportunities won with a close date in the quarter.

    Source: opportunities_closed (S3-11).
    Counts: new business, expansion and renewals.
    Missing: no opportunity data for the quarter.
    """
    return total(closed.count(where=closed.is_won))


@metric(
    facts="restated_wins",
    label="Restatement of revenue",
    unit="money",
    better="neither",
    by="movement",
    has_whole=False,
)
def revenue_restatement(restated: Columns) -> Formula:
    """How the revenue reported for the four quarters before became what records say of them now: opening, every cause, closing.

    Source: restated_wins; closed_won_revenue of each quarter as known when it had settled, and as known now (S3-11).
    Counts: all business; a deal entered or signed with a day of a quarter already told stands here and in no quarter's trend.
    Missing: no quarter before in the opportunity history.
    """
    return total(restated.money("amount"), n=restated.count())


@metric(facts="restated_wins", label="Restated share of revenue", unit="share", better="neither", by="restated_quarter")
def restated_revenue_share(restated: Columns) -> Formula:
    """What the revenue of the four quarters before is more or less by today's records, over what was reported of it.

    Source: restated_wins, as revenue_restatement (S3-11).
    Counts: more and less against each other; n are the deals whose amount, day or outcome is another now.
    Missing: nothing reported as won in those quarters.
    """
    changed, reported = restated.is_change, restated.movement == "opening"
    return ratio(
        restated.money("amount", where=changed),
        restated.money("amount", where=reported),
        nothing="nothing reported as won in the quarters before",
        n=restated.distinct("opportunity_id", where=changed),
    )


@metric(facts="opportunities_closed", label="New customers", unit="count", better="higher", counts="accounts",
        by=("month", "quarter", "year", "segment", "tier", "business_type", "source_owner", "programme", "target"))  # fmt: skip
def new_customers(closed: Columns) -> Formula:
    """Accounts that won their first deal ever in the quarter.

    Source: opportunities_closed; accounts.customer_since for those won before the data begin (S3-11).
    Counts: accounts, once.
    Missing: no opportunity data for the quarter.
    """
    return total(closed.distinct("account_id", where=closed.is_first_win))


@metric(
    needs=SOURCE,
    facts="opportunities_closed",
    label="Marketing-sourced revenue",
    unit="money",
    better="higher",
    by=SOURCED,
    scope="new",
    additive=True,
    core=True,
)
def marketing_sourced_revenue(closed: Columns) -> Formula:
    """New-business revenue won in the quarter whose frozen source belongs to marketing.

    Source: opportunities_closed; the same source as marketing_sourced_pipeline (S0-70, S0-71).
    Counts: new business only.
    Missing: no opportunity data for the quarter.
    """
    won = closed.is_won & (closed.source_owner == "marketing")
    return total(closed.money("amount", where=won), n=closed.count(where=won))


@metric(needs=SOURCE, facts="opportunities_closed", label="Marketing-sourced share of new revenue", unit="share", better="higher",
        by=("source_owner", "segment", "channel", "campaign", "month", "quarter", "year"), scope="new")  # fmt: skip
def marketing_sourced_revenue_share(closed: Columns) -> Formula:
    """Marketing's part of the new-business revenue won in the quarter.

    Source: opportunities_closed (S0-70).
    Counts: marketing + sales + partner + other + unknown = 1; channels, and campaigns, add up to marketing's part.
    Missing: no new-business revenue.
    """
    marketing = closed.money("amount", where=closed.is_won & (closed.source_owner == "marketing"))
    everything, n = closed.money("amount", where=closed.is_won), closed.count(where=closed.is_won)
    part = ratio(marketing, whole(everything), nothing=NOTHING_WON, n=n)
    return ratio(marketing, everything, nothing=NOTHING_WON, n=n, spread=True, unit="account_id").but(
        source_owner=ratio(everything, whole(everything), nothing=NOTHING_WON, n=n), channel=part, campaign=part
    )


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


@metric(facts=("opportunities_closed", "revenue_targets"), label="Revenue target attainment", unit="share", better="higher",
        by=("segment", "source_owner", "month", "year"))  # fmt: skip
def revenue_target_attainment(closed: Columns, targets: Columns) -> Formula:
    """Closed-won revenue over the quarter's target.

    Source: opportunities_closed; targets of closed_won_revenue, whole (S0-76).
    Counts: all business; marketing's own goal stands in the slice `source_owner`; a month has its own target; `year` is the year to date.
    Missing: no target for the quarter, or for the month.
    """
    won, n = closed.money("amount", where=closed.is_won), closed.count(where=closed.is_won)
    new = closed.money("amount", where=closed.is_won & (closed.business_type == "new"))
    current, goals = targets.horizon == "current", ("all", "all by segment", "marketing")
    of_all, by_segment, marketing = (targets.money("amount", where=current & (targets.goal == goal)) for goal in goals)
    nothing = "no target for the period"
    return ratio(won, of_all, nothing=nothing, n=n).but(
        segment=ratio(won, by_segment, nothing=nothing, n=n),
        source_owner=ratio(new, marketing, nothing=nothing, n=n),
    )


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


@metric(facts="opportunities_closed", label="Average selling price", unit="money", better="higher",
        by=("source_owner", "tier", "target", "month", "quarter", "year", "statistic"), scope="new")  # fmt: skip
def average_selling_price(closed: Columns) -> Formula:
    """The mean amount of the new-business deals won in the quarter; the median stands beside it.

    Source: opportunities_closed; fx at the close date (S2-26).
    Counts: the price as booked; deals without an amount are left out and counted.
    Missing: nothing won.
    """
    priced = closed.is_won & ~closed.amount.is_null()
    middle = median(closed.money("amount", where=priced), nothing=NOTHING_WON)
    average = mean(
        closed.money("amount", where=priced), closed.count(where=priced), nothing=NOTHING_WON, unit="account_id"
    )
    return average.but(statistic=middle)


@metric(facts="opportunities_closed", label="Average contract value per year", unit="money", better="higher",
        by=("source_owner", "target", "segment", "quarter", "year", "statistic", "population", "population/source_owner"),
        scope="new")  # fmt: skip
def average_contract_value(closed: Columns) -> Formula:
    """The mean yearly value of the new-business contracts won in the quarter.

    Source: opportunities_closed; the CRM's annual value, else amount × 12 ÷ term in months (S0-87, S0-89, S1-29, S1-30). The slice
        `population` holds the opportunities created in the quarter beside those won (S0-88).
    Counts: one-off fees are out where the CRM tells them apart; a deal without a term is left out and counted.
    Missing: nothing won, or fewer than four fifths of the deals have a yearly value or a term.
    """
    valued = closed.is_won & ~closed.contract_value.is_null()
    given = (closed.count(where=valued), closed.count(where=closed.is_won), 0.8, "deals have a term")
    worth, number = closed.money("contract_value", where=valued), closed.count(where=valued)
    middle = median(worth, nothing=NOTHING_WON)
    average = mean(worth, number, nothing=NOTHING_WON, unit="account_id", given=given)
    both = Columns("contract_values")
    told = both.count(where=~both.contract_value.is_null())
    given = (told, both.count(), 0.5, "opportunities have a term")
    nothing = "none has a yearly value"
    beside = mean(both.money("contract_value"), told, nothing=nothing, unit="account_id", given=given)
    return average.but(**{"statistic": middle, "population": beside, "population/source_owner": beside})


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


@metric(
    needs=PROMOTION,
    facts="opportunities_closed",
    label="Deals won with a promotion",
    unit="count",
    better="neither",
    counts="accounts",
    by=("promotion"),
    scope="new",
)
def promotion_wins(closed: Columns) -> Formula:
    """Customers won in the quarter on a special promotion.

    Source: opportunities_closed (S3-18).
    Counts: accounts with a deal won that carries a promotion.
    Missing: no opportunity data for the quarter.
    """
    return total(closed.distinct("account_id", where=closed.is_won & closed.is_promotion))


@metric(
    needs=PROMOTION,
    facts="opportunities_closed",
    label="Share of deals won with a promotion",
    unit="share",
    better="neither",
    by=("promotion"),
    scope="new",
)
def promotion_win_share(closed: Columns) -> Formula:
    """Deals won on a special promotion, of all new-business deals won in the quarter.

    Source: opportunities_closed (S3-18).
    Counts: deals; each promotion by name in its slice.
    Missing: nothing won.
    """
    won, promoted = closed.count(where=closed.is_won), closed.count(where=closed.is_won & closed.is_promotion)
    return share(promoted, won, nothing=NOTHING_WON).but(promotion=share(promoted, whole(won), nothing=NOTHING_WON))


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


@metric(facts="revenue_credit", label="Attributed revenue", unit="money", better="neither", version=2,
        by=("model/channel", "model/campaign"), has_whole=False, additive=True)  # fmt: skip
def attributed_revenue(credit: Columns) -> Formula:
    """Closed-won revenue, shared out over the touches before it by each model; the models stand side by side, and none is the truth.

    Source: revenue_credit; models with their weights and the rules `[attribution]` of abm.toml (S0-36, S0-55).
    Counts: all business; touches of anyone in the account until the day of the close, no impressions by default; what has no taker
        goes evenly to the anchors that are there; what nothing was done towards is `(none)`, so that each model adds up to
        closed-won revenue.
    Missing: no touches, or no opportunity data.
    Beware: models differ, and none says what caused a deal.
    """
    return total(credit.money("amount"), n=credit.distinct("opportunity_id"))


@metric(of="attributed_revenue", label="Distance between attribution models of revenue", unit="share", better="neither",
        counts="models", by=("models", "channel"))  # fmt: skip
def attributed_revenue_model_distance(read: Look) -> Worked:
    """How differently two models rank the channels by revenue: of all pairs, those that stand the other way round (Kendall).

    Source: attributed_revenue by model and channel. The whole is the largest distance of any two models.
    Counts: as attribution_model_distance.
    Missing: fewer than two channels.
    """
    return rankings.of_models(read, "attributed_revenue")


@metric(facts=("engaged_opportunities", "engaged_responses"), label="Opportunities per response of engaged accounts", unit="share",
        better="higher", counts="responses", by="channel", scope="new")  # fmt: skip
def engagement_conversion_rate(created: Columns, responses: Columns) -> Formula:
    """Opportunities created by engaged accounts in the quarter, over the responses of engaged accounts in the quarter.

    Source: engaged_opportunities, engaged_responses; accounts engaged when the quarter ended (S1-27, S1-28). For the appendix only (C4).
    Counts: new business; touches that were answered. By channel, that of the opportunity's source over that of the touches.
    Missing: no response. More opportunities than responses are no share.
    Beware: an opportunity is no part of the responses, and one takes many; never read it as a win rate.
    """
    return share(created.count(), responses.total("responses"), nothing="no response of an engaged account")
