"""Revenue: what was won, for how much, and what it is credited to; winning.py asks how often. Return, lagging by its nature (S2-04)."""

from __future__ import annotations

from .. import rankings
from ..formula import Columns, Formula, mean, median, ratio, share, total, whole
from ..metric import Look, family
from ..reading import Worked

metric = family(
    "revenue", kind="return", pillar="revenue", counts="opportunities", audience=("marketing", "sales", "finance")
)
SOURCE = "opportunity_sources.owner|opportunities.source|opportunities.channel"
WON = ("month", "quarter", "year", "segment", "tier", "business_type", "source_owner", "programme", "target", "region")
SOURCED = ("month", "quarter", "year", "segment", "channel", "campaign")
PROMOTION = "opportunities.is_promotion|opportunities.promotion"
NOTHING_WON = "nothing won"


@metric(facts="opportunities_closed", label="Closed-won revenue", unit="money", better="higher", by=(*WON, "exchange_rates"),
        additive=True)  # fmt: skip
def closed_won_revenue(closed: Columns) -> Formula:
    """The amount of all opportunities won with a close date in the quarter (bookings).

    Source: opportunities_closed; fx at the close date (S3-11).
    Counts: new business, expansion and renewals; by the close date, not the day of entry. The slice `exchange_rates` has the same
        deals at the rates of the same days a year before.
    Missing: no opportunity data for the quarter.
    """
    n = closed.count(where=closed.is_won)
    before = total(closed.money("at_earlier_rates", where=closed.is_won), n=n)
    return total(closed.money("amount", where=closed.is_won), n=n).but(exchange_rates=before)


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
    by=(*SOURCED, "exchange_rates"),
    scope="new",
    additive=True,
    core=True,
)
def marketing_sourced_revenue(closed: Columns) -> Formula:
    """New-business revenue won in the quarter whose frozen source belongs to marketing.

    Source: opportunities_closed; the same source as marketing_sourced_pipeline (S0-70, S0-71).
    Counts: new business only. The slice `exchange_rates` is as that of closed_won_revenue.
    Missing: no opportunity data for the quarter.
    """
    won = closed.is_won & (closed.source_owner == "marketing")
    n = closed.count(where=won)
    before = total(closed.money("at_earlier_rates", where=won), n=n)
    return total(closed.money("amount", where=won), n=n).but(exchange_rates=before)


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


@metric(facts=("opportunities_closed", "revenue_targets"), label="Revenue target attainment", unit="share", better="higher",
        by=("segment", "source_owner", "as_of_day", "month", "year"))  # fmt: skip
def revenue_target_attainment(closed: Columns, targets: Columns) -> Formula:
    """Closed-won revenue over the quarter's target.

    Source: opportunities_closed; targets of closed_won_revenue, whole (S0-76).
    Counts: all business; marketing's own goal stands in the slice `source_owner`; a month has its own target; `year` is the year to date;
        `as_of_day` is what was won by that day of the quarter, over the quarter's whole target.
    Missing: no target for the quarter, or for the month.
    """
    won, n = closed.money("amount", where=closed.is_won), closed.count(where=closed.is_won)
    new = closed.money("amount", where=closed.is_won & (closed.business_type == "new"))
    current, goals = targets.horizon == "current", ("all", "all by segment", "marketing")
    of_all, by_segment, marketing = (targets.money("amount", where=current & (targets.goal == goal)) for goal in goals)
    nothing, by_day = "no target for the period", Columns("won_by_day")
    by_then = by_day.money("amount", where=by_day.is_by_then)
    return ratio(won, of_all, nothing=nothing, n=n).but(
        as_of_day=ratio(by_then, whole(of_all), nothing=nothing, n=by_day.count(where=by_day.is_by_then)),
        segment=ratio(won, by_segment, nothing=nothing, n=n),
        source_owner=ratio(new, marketing, nothing=nothing, n=n),
    )


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
