"""Pipeline: what was created, what is open, how it moved, whether it is enough. Funnel impact, not return (S2-16)."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw

from .. import rankings
from ..formula import Columns, Formula, difference, mean, median, median_to_come, ratio, share, total, whole
from ..metric import Look, family
from ..reading import Reading, Worked, missing

metric = family("pipeline", kind="funnel", pillar="revenue", audience=("marketing", "sales", "finance"))
SOURCE = "opportunity_sources.owner|opportunities.source|opportunities.channel"
ORIGIN = (
    "month",
    "quarter",
    "year",
    "source_owner",
    "channel",
    "tier",
    "business_type",
    "segment",
    "programme",
    "target",
    "region",
)
COVERED = "closed_won_revenue has no target for new business in the quarter"
HORIZONS = {
    "current": "pipeline_coverage",
    "next": "pipeline_coverage_next_quarter",
    "in_two": "pipeline_coverage_in_two_quarters",
}


@metric(facts="opportunities_qualified", label="Opportunities created", unit="count", better="higher",
        counts="accounts", by=ORIGIN, scope="new", additive=True)  # fmt: skip
def opportunities_created(created: Columns) -> Formula:
    """New-business opportunities that entered the qualified stage in the quarter.

    Source: opportunities_qualified (S2-21).
    Counts: by the first entry into the qualified stage; reopened ones once; deleted and merged ones not. n is their accounts.
    Missing: no opportunity data for the quarter.
    """
    return total(created.count(), n=created.distinct("account_id"))


@metric(facts="opportunities_qualified", label="Pipeline created", unit="money", better="higher",
        counts="accounts", by=(*ORIGIN, "exchange_rates"), scope="new", additive=True)  # fmt: skip
def pipeline_created(created: Columns) -> Formula:
    """The amount of the opportunities created, as it stood when they were qualified.

    Source: opportunities_qualified; fx at the day of qualification (S2-22).
    Counts: the amount recorded on that day, unweighted; later revisions are in pipeline_movement. n is their accounts. The slice
        `exchange_rates` has the same opportunities at the rates of the same days a year before.
    Missing: no opportunity data for the quarter, or none of them carries an amount.
    """
    n = created.distinct("account_id")
    return total(created.money("amount"), n=n).but(exchange_rates=total(created.money("at_earlier_rates"), n=n))


@metric(needs=SOURCE, facts="opportunities_qualified", label="Marketing-sourced opportunities", unit="count", better="higher",
        counts="opportunities", by=("month", "quarter", "year", "channel", "source_detail", "segment", "campaign"), scope="new",
        additive=True, core=True)  # fmt: skip
def marketing_sourced_opportunities(created: Columns) -> Formula:
    """Opportunities created whose frozen source belongs to marketing.

    Source: opportunities_qualified; the ownership of sources is set in abm.toml (S0-53, S0-56, S0-57).
    Counts: one source for each opportunity, frozen at qualification; a blank source stays unknown.
    Missing: no opportunity data for the quarter.
    """
    return total(created.count(where=created.source_owner == "marketing"))


@metric(needs=SOURCE, facts="opportunities_qualified", label="Marketing-sourced pipeline", unit="money", better="higher",
        counts="opportunities", by=("month", "quarter", "year", "channel", "source_detail", "segment", "campaign", "exchange_rates"),
        scope="new", additive=True, core=True)  # fmt: skip
def marketing_sourced_pipeline(created: Columns) -> Formula:
    """The amount of marketing-sourced opportunities, as it stood when they were qualified.

    Source: opportunities_qualified; fx at the day of qualification (S0-54).
    Counts: as marketing_sourced_opportunities and pipeline_created.
    Missing: no opportunity data for the quarter, or none of them carries an amount.
    """
    marketing = created.source_owner == "marketing"
    n = created.count(where=marketing)
    before = total(created.money("at_earlier_rates", where=marketing), n=n)
    return total(created.money("amount", where=marketing), n=n).but(exchange_rates=before)


@metric(needs=SOURCE, facts="opportunities_qualified", label="Marketing-sourced share of pipeline created", unit="share", better="higher",
        counts="opportunities", by=("source_owner", "channel", "segment", "campaign", "month", "quarter", "year"), scope="new")  # fmt: skip
def marketing_sourced_pipeline_share(created: Columns) -> Formula:
    """Marketing's part of all new-business pipeline created in the quarter.

    Source: opportunities_qualified (S0-59).
    Counts: marketing + sales + partner + other + unknown = 1; channels, and campaigns, add up to marketing's part.
    Missing: no pipeline was created.
    """
    marketing, everything = created.money("amount", where=created.source_owner == "marketing"), created.money("amount")
    n, nothing = created.count(), "no pipeline created"
    part = ratio(marketing, whole(everything), nothing=nothing, n=n)
    return ratio(marketing, everything, nothing=nothing, n=n, spread=True, unit="account_id").but(
        source_owner=ratio(everything, whole(everything), nothing=nothing, n=n), channel=part, campaign=part
    )


@metric(facts="opportunities_qualified", label="Average deal size", unit="money", better="higher", counts="opportunities",
        by=("source_owner", "tier", "target", "segment", "statistic", "source_owner/statistic"), scope="new")  # fmt: skip
def average_deal_size(created: Columns) -> Formula:
    """The mean amount of the opportunities created in the quarter; the median stands beside it.

    Source: opportunities_qualified (S0-61).
    Counts: the amount at qualification; opportunities without one are left out and counted.
    Missing: no opportunity with an amount.
    """
    priced = created.count(where=~created.amount.is_null())
    middle = median(created.money("amount"), nothing="no opportunity with an amount")
    average = mean(created.money("amount"), priced, nothing="no opportunity with an amount", unit="account_id")
    return average.but(**{"statistic": middle, "source_owner/statistic": middle})


@metric(facts="open_opportunities", label="Open pipeline", unit="money", better="higher", counts="opportunities",
        by=("stage", "tier", "close_quarter", "business_type", "segment", "programme", "exchange_rates"), additive=True)  # fmt: skip
def open_pipeline(opened: Columns) -> Formula:
    """The amount of all qualified opportunities open at the end of the quarter.

    Source: open_opportunities; fx at the quarter's last day.
    Counts: unweighted by stage, all business; those below the qualified stage are not pipeline yet. The slice `exchange_rates` has
        the same opportunities at the rates of that day a year before.
    Missing: no opportunity data for the quarter, or none of them carries an amount.
    """
    n = opened.count()
    return total(opened.money("amount"), n=n).but(exchange_rates=total(opened.money("at_earlier_rates"), n=n))


@metric(facts="open_opportunities", label="Stale share of open pipeline", unit="share", better="lower", counts="opportunities",
        by=("stage", "tier", "close_quarter", "business_type"))  # fmt: skip
def stale_pipeline_share(opened: Columns) -> Formula:
    """Open pipeline whose close date has passed or where nothing happened for long, of all open pipeline.

    Source: open_opportunities; `stale_after_days` in abm.toml.
    Counts: by amount; shown as at risk, never taken out.
    Missing: no open pipeline with an amount.
    """
    stale = opened.money("amount", where=opened.is_stale)
    everything, nothing = opened.money("amount"), "no open pipeline"
    return ratio(stale, everything, nothing=nothing, n=opened.count(), spread=True, unit="account_id")


@metric(facts="pipeline_changes", label="Pipeline movement", unit="money", better="neither", counts="changes", has_whole=False,
        by=("movement", "bridge/movement", "movement/tier", "movement/business_type"), additive=True)  # fmt: skip
def pipeline_movement(changes: Columns) -> Formula:
    """How open pipeline got from the quarter's start to its end: opening, every movement, closing, and a residual of 0.

    Source: pipeline_changes, one row per recorded change (field of origin: opportunity history).
    Counts: all business, at the rate of the quarter's last day; pushed and pulled only in the bridge of pipeline due in the quarter.
    Missing: no opportunity history.
    """
    one_bridge = changes.bridge == "all_open"
    all_open = total(changes.money("amount", where=one_bridge), n=changes.count(where=one_bridge))
    every = total(changes.money("amount"), n=changes.count())
    return every.but(**dict.fromkeys(("movement", "movement/tier", "movement/business_type"), all_open))


def _coverage(due: Columns, targets: Columns, horizon: str) -> Formula:
    """Open new-business pipeline due in a quarter over that quarter's target; by segment against the segment's own."""
    opened, count = due.money("amount", where=due.horizon == horizon), due.count(where=due.horizon == horizon)
    ahead = targets.horizon == horizon
    goal = targets.money("amount", where=ahead & (targets.goal == "new"))
    by_segment = targets.money("amount", where=ahead & (targets.goal == "new by segment"))
    return ratio(opened, goal, nothing=COVERED, n=count).but(
        segment=ratio(opened, by_segment, nothing=COVERED, n=count)
    )


@metric(facts=("due_pipeline", "revenue_targets"), label="Pipeline coverage", unit="times", better="higher",
        counts="opportunities", by=("segment", "as_of_day"), scope="new", core=True)  # fmt: skip
def pipeline_coverage(due: Columns, targets: Columns) -> Formula:
    """Open pipeline due in the quarter, read early in it, over the quarter's new-business target.

    Source: due_pipeline, read at the end of day `coverage.read_on_day`; targets of closed_won_revenue (S0-62, S0-63, S0-65, S0-66).
    Counts: qualified new business with a close date in the quarter, unweighted.
    Missing: no target for new business in the quarter.
    """
    by_day, goal = (
        Columns("due_by_day"),
        targets.money("amount", where=(targets.goal == "new") & (targets.horizon == "current")),
    )
    track = ratio(by_day.money("amount"), whole(goal), nothing=COVERED, n=by_day.count())
    return _coverage(due, targets, "current").but(as_of_day=track)


@metric(facts=("due_pipeline", "revenue_targets", "won_by_reading_day"), label="Pipeline coverage of the remaining target",
        unit="times", better="higher", counts="opportunities", by=("segment",), scope="new")  # fmt: skip
def pipeline_coverage_remaining(due: Columns, targets: Columns, won: Columns) -> Formula:
    """Open pipeline due in the quarter, read early in it, over what is still to be won of the target.

    Source: as pipeline_coverage; won_by_reading_day (S0-68).
    Counts: the target less new business already won by the day of reading.
    Missing: no target, or the target is already met.
    """
    current = due.horizon == "current"
    opened, count = due.money("amount", where=current), due.count(where=current)

    def over(goal: str) -> Formula:
        agreed = targets.money("amount", where=(targets.goal == goal) & (targets.horizon == "current"))
        left = agreed - won.money("amount", where=won.business_type == "new")
        return ratio(opened, left, nothing="no target left to cover", n=count)

    return over("new").but(segment=over("new by segment"))


@metric(facts=("due_pipeline", "revenue_targets"), label="Pipeline coverage of next quarter", unit="times", better="higher",
        counts="opportunities", by=("segment",), scope="new", core=True)  # fmt: skip
def pipeline_coverage_next_quarter(due: Columns, targets: Columns) -> Formula:
    """Open pipeline due next quarter at the end of this one, over next quarter's new-business target.

    Source: due_pipeline; targets of closed_won_revenue (S0-68).
    Counts: as pipeline_coverage.
    Missing: no target for new business next quarter.
    """
    return _coverage(due, targets, "next")


@metric(facts=("due_pipeline", "revenue_targets"), label="Pipeline coverage of the quarter after next", unit="times",
        better="higher", counts="opportunities", by=("segment",), scope="new")  # fmt: skip
def pipeline_coverage_in_two_quarters(due: Columns, targets: Columns) -> Formula:
    """Open pipeline due in the quarter after next at the end of this one, over that quarter's new-business target.

    Source: due_pipeline; targets of closed_won_revenue (S0-68).
    Counts: as pipeline_coverage.
    Missing: no target for new business in that quarter.
    """
    return _coverage(due, targets, "in_two")


@metric(facts="past_conversion", label="Won for each unit of due pipeline", unit="share", better="neither", counts="quarters",
        by=("horizon", "segment"))  # fmt: skip
def quarter_start_conversion(past: Columns) -> Formula:
    """New business won in a quarter for each unit of pipeline that was due in it when it was read, over past quarters.

    Source: past_conversion, the eight quarters before this one (S0-64).
    Counts: everything won in the quarter, also what was created in it; the day of reading is that of the pipeline coverage asked for.
    Missing: no past quarter could be read.
    """

    every = _conversion(past, None)
    return _conversion(past, past.horizon == "current").but(horizon=every)


def _conversion(past: Columns, rows: nw.Expr | None) -> Formula:
    n = past.distinct("past_quarter", where=rows)
    won, due = past.money("won", where=rows), past.money("due", where=rows)
    return ratio(won, due, nothing="no past quarter", n=n, spread=True, unit="past_quarter")


@metric(of=("quarter_start_conversion", "win_rate_closed_value"), parts_in_money=True, label="Pipeline coverage that our own record needs",
        unit="times", better="neither", counts="quarters", by=("horizon", "segment", "method"), version=2)  # fmt: skip
def required_pipeline_coverage(read: Look) -> Worked:
    """How many times its target a quarter's due pipeline must be for the target to be met, by our own past conversion.

    Source: quarter_start_conversion over at least four past quarters; else 1 ÷ win_rate_closed_value (S0-64, C5).
    Counts: both methods stand in the slice `method`; a segment needs what its own record says.
    Missing: no past conversion and no win rate by value.
    """
    record, win_rate = _inverse(read("quarter_start_conversion")), _by_win_rate(read("win_rate_closed_value"))
    slices = {("method", "quarter_start_conversion"): record, ("method", "win_rate"): win_rate}
    for slice_by in ("horizon", "segment"):
        for name in read.values("quarter_start_conversion", slice_by):
            instead = win_rate if slice_by == "horizon" else _by_win_rate(read("win_rate_closed_value", slice_by, name))
            own = _inverse(read("quarter_start_conversion", slice_by, name))
            slices[slice_by, name] = _long_enough(own, instead)
    return Worked(_long_enough(record, win_rate), slices)


def _long_enough(record: Reading, instead: Reading) -> Reading:
    return record if (record.n or 0) >= 4 and record.value is not None else instead


def _by_win_rate(rate: Reading) -> Reading:
    return replace(_inverse(rate), n=None)  # it counts deals, and not quarters


def _inverse(rate: Reading) -> Reading:
    if not rate.value:
        return missing(rate.missing_because or "undefined", rate.caveat or "nothing won", n=rate.n)
    low, high = (1 / rate.high if rate.high else None), (1 / rate.low if rate.low else None)
    return Reading(1 / rate.value, rate.denominator, rate.numerator, rate.n, low, high, rate.method)


@metric(of=("required_pipeline_coverage", *HORIZONS.values()), label="Pipeline still missing", unit="money", better="neither",
        counts="opportunities", by=("horizon",))  # fmt: skip
def pipeline_gap(read: Look) -> Worked:
    """What must be added to next quarter's pipeline for our own record to carry it to its target; 0 when there is enough.

    Source: required_pipeline_coverage, pipeline coverage of each horizon (S0-64, S0-69).
    Counts: required pipeline coverage × target − open pipeline due; the whole is next quarter, the slice `horizon` all three.
    Missing: no target, or no required pipeline coverage.
    """
    slices = {("horizon", horizon): _gap(read, horizon, coverage) for horizon, coverage in HORIZONS.items()}
    return Worked(slices["horizon", "next"], slices)


def _gap(read: Look, horizon: str, coverage: str) -> Reading:
    needed, have = read("required_pipeline_coverage", "horizon", horizon), read(coverage)
    if needed.value is None or have.value is None:
        lacking = needed if needed.value is None else have
        return missing(lacking.missing_because, lacking.caveat)
    required = round(needed.value * (have.denominator or 0), 2)
    return Reading(max(0.0, round(required - (have.numerator or 0), 2)), required, None, have.n)


@metric(facts="opportunity_influence", label="Influenced pipeline", unit="money", better="neither", counts="opportunities",
        by=("rule", "channel"), scope="new")  # fmt: skip
def influenced_pipeline(judged: Columns) -> Formula:
    """Pipeline created after enough touches of enough people in the account: a range over rules, never one truth.

    Source: opportunity_influence; the rules are in abm.toml (S0-02, S0-03, S0-04, S1-13, S1-14, S2-23).
    Counts: touches before qualification within the rule's window; an impression never qualifies; once for each opportunity.
    Missing: no touches, or no opportunity data.
    Beware: says nothing of cause; never added to sourced pipeline; channels do not add up.
    """
    default = judged.rule == "default"
    part = Columns("influence_channels")
    return total(
        judged.money("amount", where=judged.is_influenced & default),
        n=judged.count(where=judged.is_influenced & default),
    ).but(
        rule=total(judged.money("amount", where=judged.is_influenced), n=judged.count(where=judged.is_influenced)),
        channel=total(part.money("amount"), n=part.count()),
    )


@metric(facts="opportunity_influence", label="Influenced share of pipeline created", unit="share", better="neither",
        counts="opportunities", by=("rule", "channel"), scope="new")  # fmt: skip
def influenced_pipeline_share(judged: Columns) -> Formula:
    """Influenced pipeline, of all new-business pipeline created in the quarter.

    Source: opportunity_influence (S1-13, S2-23).
    Counts: as influenced_pipeline; never above 1. Channels do not add up: several may have a part in one opportunity.
    Missing: no pipeline was created.
    """
    default = judged.rule == "default"
    created, n = judged.money("amount", where=default), judged.count(where=default)
    nothing, influenced = "no pipeline created", judged.is_influenced
    rule = ratio(judged.money("amount", where=influenced), judged.money("amount"), nothing=nothing, n=judged.count())
    part = Columns("influence_channels").money("amount")
    return ratio(judged.money("amount", where=influenced & default), created, nothing=nothing, n=n).but(
        rule=rule, channel=ratio(part, whole(created), nothing=nothing, n=whole(n))
    )


@metric(facts="opportunity_influence", label="Influenced target accounts", unit="count", better="neither", counts="accounts",
        needs=("accounts.account_id", "account_lists.account_id"),
        by=("rule", "tier"), scope="new")  # fmt: skip
def influenced_target_accounts(judged: Columns) -> Formula:
    """Target accounts with an opportunity created in the quarter that meets the default influence rule.

    Source: opportunity_influence (S1-13).
    Counts: accounts on the list when the quarter began; the slice `rule` counts them by each rule.
    Missing: no touches, or no opportunity data.
    """
    met = judged.is_influenced & judged.is_target
    by_rule = total(judged.distinct("account_id", where=met))
    return total(judged.distinct("account_id", where=met & (judged.rule == "default"))).but(rule=by_rule)


@metric(facts="pipeline_generation", label="Days from first touch to opportunity", unit="days", better="neither", version=2,
        counts="accounts", by=("from", "tier", "channel", "naive"), scope="new", window="trailing_8_quarters")  # fmt: skip
def pipeline_generation_days(waits: Columns) -> Formula:
    """Median days from the account's first touch to its first opportunity, of those that will have one; who waits still counts.

    Source: pipeline_generation, accounts first touched in the trailing eight quarters (S2-24).
    Counts: half of all that will come has come by that day. A touch of anyone in the account, after `sourced.look_back_days`
        without one, by its channel; from the MQA in the slice `from`. Accounts that had new business before are out.
    Missing: no account touched, or none of them has an opportunity yet.
    Beware: the slice `naive` has the mean of those alone that came by now: too short, since whoever still waits is not in it.
        A touch before the records begin is not known.
    """
    nothing = "no account touched"
    first, came = nw.col("from") == "first touch", waits.is_qualified

    def to_come(rows: nw.Expr | None) -> Formula:
        return median_to_come(waits.total("days", where=rows), came, nw.lit(False), nothing=nothing)

    naive = mean(waits.total("days", where=first & came), waits.count(where=first & came), nothing=nothing)
    return to_come(first).but(**{"from": to_come(None)}, naive=naive)


@metric(facts="alike_accounts", label="Target accounts with an opportunity, minus accounts alike", unit="points", better="higher",
        counts="accounts", by=("period",))  # fmt: skip
def target_account_lift(accounts: Columns) -> Formula:
    """Share of target accounts with new business qualified within four quarters, minus that of look-alike accounts off the list.

    Source: alike_accounts, the four quarters that end with this one (S2-03).
    Counts: accounts as they stood before, no customers then; others of the same segment, industry and earlier engagement, weighted to
        the target accounts' mix. The slice `period` has `before`, the same for the four quarters before those: the balance.
    Missing: fewer than 30 look-alike accounts.
    Beware: matched on what is recorded, not drawn by lot: accounts are chosen for the list because they look promising. Where
        `before` differs from 0 as well, so far as it does the list found them rather than made them.
    """
    after, nothing = accounts.period == "after", "fewer than 30 accounts alike off the list"

    def against(rows: nw.Expr | None) -> Formula:
        listed = share(
            accounts.total("targets_had", where=rows), accounts.total("targets", where=rows), nothing=nothing
        )
        return difference(
            listed, share(accounts.total("alike_had", where=rows), accounts.total("alike", where=rows), nothing=nothing)
        )

    return against(after).but(period=against(None))


@metric(facts="pipeline_credit", label="Attributed pipeline", unit="money", better="neither", counts="opportunities", version=2,
        by=("model/channel", "model/campaign"), scope="new", has_whole=False, additive=True)  # fmt: skip
def attributed_pipeline(credit: Columns) -> Formula:
    """Pipeline created, shared out over the touches before it by each model; the models stand side by side, and none is the truth.

    Source: pipeline_credit; models with their weights and the rules `[attribution]` of abm.toml (S0-36, S0-55, S2-23).
    Counts: touches of anyone in the account until qualification, no impressions by default; a model is its anchors and weights, and
        what has no taker goes evenly to the anchors that are there; what nothing was done towards is `(none)`, so that each
        model adds up to pipeline created.
    Missing: no touches, or no opportunity data.
    Beware: models differ, and none says what caused a deal; sourced pipeline follows one frozen rule instead.
    """
    return total(credit.money("amount"), n=credit.distinct("opportunity_id"))


@metric(facts="pipeline_credit", label="Attributed opportunities", unit="count", better="neither", counts="opportunities",
        by=("model/channel",), scope="new", has_whole=False, additive=True)  # fmt: skip
def attributed_opportunities(credit: Columns) -> Formula:
    """Opportunities created, each shared out over the touches before it by each model: the same credit, every deal counted alike.

    Source: pipeline_credit (S0-36, S0-55, S2-23).
    Counts: as attributed_pipeline, with 1 for each opportunity; each model adds up to opportunities created.
    Missing: no touches, or no opportunity data.
    Beware: as attributed_pipeline.
    """
    return total(credit.total("given") / 10**12, n=credit.distinct("opportunity_id"))


@metric(of="attributed_pipeline", label="Distance between attribution models", unit="share", better="neither", counts="models",
        by=("models", "channel"))  # fmt: skip
def attribution_model_distance(read: Look) -> Worked:
    """How differently two models rank the channels: of all pairs of channels, those that stand the other way round (Kendall).

    Source: attributed_pipeline by model and channel. The whole is the largest distance of any two models.
    Counts: a pair that only one of the two models ties counts half; `(none)` is no channel. The slice `channel` is the share of pairs
        of models under which the channel has another rank.
    Missing: fewer than two channels.
    """
    return rankings.of_models(read, "attributed_pipeline")


@metric(facts="influence_curve", label="Influenced share by touches asked for", unit="share", better="neither", counts="opportunities",
        by=("least_touches",), scope="new", has_whole=False)  # fmt: skip
def influenced_pipeline_by_touches(judged: Columns) -> Formula:
    """Of all new-business pipeline created, the part whose account had at least so many responses before: the credibility curve.

    Source: influence_curve; window and responses as in the default rule of `[influence]` (S0-03, S2-23).
    Counts: responses of anyone, whoever they are; each opportunity once, so never above 1.
    Missing: no pipeline was created.
    Beware: falls as more is asked for; says nothing of cause, and is never added to sourced pipeline.
    """
    met = judged.money("amount", where=judged.is_influenced)
    return ratio(met, judged.money("amount"), nothing="no pipeline created", n=judged.count())
