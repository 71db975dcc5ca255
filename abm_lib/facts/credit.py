"""Credit for an opportunity, shared out over the touches before it by each model: sensitivity, never the truth (C11).

Touches of anyone in the account count, also those of another opportunity of it, so that an account's opportunities share its
first touch; what came after the asked stage counts for nothing. The rules (look-back, ties, direct, one of many, half-life,
order and maturity of the chain) are `[attribution]` of abm.toml. No cent is lost.

The chain of a quarter walks the touches of its opportunities, and for nulls those of accounts that came to nothing: for
pipeline the accounts never qualified whose first touch is `maturity_days` old (younger ones are left out: they may still come),
for revenue the contests lost in the quarter.
"""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from ..attribution import MODELS, chain_of, one_of_many, placed, shared_out, steps
from . import Cut, Frame, day_number, fact
from .influence import acts
from .opportunities import described, opportunities_closed, opportunities_qualified

NONE = "(none)"
SPAN = ["quarter", "window"]
KEY = [*SPAN, "journey"]
ROW = ("model", "opportunity_id", "channel", "campaign")
NEEDS = ("opportunity_changes", "opportunities", "touches")
ONE = 10**12  # an opportunity in parts, for the number of opportunities that a channel is given


@fact(one_row_per=ROW, needs=NEEDS)
def pipeline_credit(cut: Cut) -> Frame:
    """The amount of each opportunity qualified in the window, by model, over its touches until it was qualified (S2-23)."""
    earned = opportunities_qualified(cut).filter(cut.base.is_shown).with_columns(_until_on=nw.col("qualified_on"))
    journeys = earned.with_columns(_in_time=nw.col("qualified_at"), is_converted=nw.lit(True))
    return _credit(cut, earned, nw.concat([_narrow(journeys), _narrow(_never_qualified(cut))]))


@fact(one_row_per=ROW, needs=NEEDS)
def revenue_credit(cut: Cut) -> Frame:
    """The amount of each opportunity won in the window, by model, over its touches until the day it closed (S0-36)."""
    closed = opportunities_closed(cut).filter(cut.base.is_shown, nw.col("is_won") | nw.col("is_contest"))
    closed = closed.with_columns(_until_on=nw.col("closed_on"))
    # Each journey ends with a day; within it, no instant of the close is known.
    journeys = closed.with_columns(_in_time=nw.lit(None).cast(nw.Datetime("us")), is_converted=nw.col("is_won"))
    return _credit(cut, closed.filter(nw.col("is_won")), _narrow(journeys))


JOURNEY = ("opportunity_id", "account_id", "amount", "qualified_at", "is_converted")


def _narrow(journeys: Frame) -> Frame:
    """One row per journey: an opportunity, or for a null that has none its account."""
    named = nw.coalesce(nw.col("opportunity_id"), nw.col("account_id"))
    return journeys.select(*SPAN, *JOURNEY, "_until_on", "_in_time", journey=named)


def _never_qualified(cut: Cut) -> Frame:
    """Accounts touched within the look-back whose first touch there is old enough, and of which nothing was ever qualified."""
    setting = cut.config.attribution
    ends = cut.base.windows.moments("end").select("quarter", "rated_on", "read_at")
    seen = cut.windows.join(ends, on="quarter").filter(cut.base.is_shown)
    touches = acts(cut.base, setting.excluded_kinds).select("account_id", "touched_on")
    seen = seen.join(touches, how="cross").filter(nw.col("touched_on") <= nw.col("rated_on"))
    age = day_number("rated_on") - day_number("touched_on")
    first = seen.filter(age <= setting.look_back_days).group_by(*SPAN, "account_id", "rated_on", "read_at").agg(
        _first_on=nw.col("touched_on").min()
    )  # fmt: skip
    old = first.filter(day_number("rated_on") - day_number("_first_on") >= setting.maturity_days)
    came = opportunities_of(cut)
    return old.join(came, on=["quarter", "account_id"], how="anti").with_columns(
        opportunity_id=nw.lit(None).cast(nw.String), amount=nw.lit(None).cast(nw.Float64), is_converted=nw.lit(False),
        qualified_at=nw.lit(None).cast(nw.Datetime("us")), _in_time=nw.col("read_at"), _until_on=nw.col("rated_on"),
    )  # fmt: skip


def opportunities_of(cut: Cut) -> Frame:
    """quarter, account_id: the accounts of which anything was known as qualified by the end of each quarter."""
    known = described(cut, "end").filter(~nw.col("qualified_on").is_null())
    return known.select("quarter", "account_id").unique()


def _credit(cut: Cut, earned: Frame, journeys: Frame) -> Frame:
    """One row per model, opportunity, channel and campaign with its part; all of it to `(none)` where nothing was touched."""
    setting, engine = cut.config.attribution, cut.tables.engine
    rows = engine.keep(_touches(cut, journeys))
    won = rows.filter(nw.col("is_converted")).join(_effects(cut, rows), on=[*SPAN, "channel"], how="left")
    campaigns = cut.tables.campaigns.select("campaign_id", campaign="name")
    won = won.join(campaigns, on="campaign_id", how="left").with_columns(
        campaign=nw.col("campaign").fill_null("no campaign"), cents=(nw.col("amount") * 100).round().cast(nw.Int64),
        effect=nw.col("effect").fill_null(0.0), one=nw.lit(ONE),
    )  # fmt: skip
    models, own = list(MODELS.values()), ["channel", "campaign"]
    money, counts = (
        engine.keep(shared_out(won, KEY, own, models, of, setting.half_life_days)) for of in ("cents", "one")
    )
    parts = [_of_model(money, counts, name) for name in MODELS]
    shared = nw.concat([*parts, *_untouched(earned, won)])
    shared = shared.join(
        earned.select(*SPAN, "opportunity_id", "business_type", "amount"), on=[*SPAN, "opportunity_id"]
    )
    # The sum of no amounts is 0: an opportunity without one stays without.
    priced = nw.when(~nw.col("amount").is_null()).then(nw.col("credit").cast(nw.Float64) / 100)
    return shared.with_columns(amount=priced)


def _of_model(money: Frame, counts: Frame, name: str) -> Frame:
    given = money.filter(nw.col(f"{name}_parts") > 0).select(*KEY, "channel", "campaign", credit=name)
    beside = counts.select(*KEY, "channel", "campaign", given=name)
    joined = given.join(beside, on=[*KEY, "channel", "campaign"])
    return joined.select(*SPAN, "channel", "campaign", "credit", "given", opportunity_id="journey", model=nw.lit(name))


def _untouched(earned: Frame, touched: Frame) -> list[Frame]:
    alone = earned.join(
        touched.select(*SPAN, opportunity_id="journey").unique(), on=[*SPAN, "opportunity_id"], how="anti"
    )
    whole = {"credit": (nw.col("amount") * 100).round().cast(nw.Int64), "given": nw.lit(ONE).cast(nw.Int64)}
    return [
        alone.select(*SPAN, channel=nw.lit(NONE), campaign=nw.lit(NONE), **whole, opportunity_id="opportunity_id", model=nw.lit(name))
        for name in MODELS
    ]  # fmt: skip


def _touches(cut: Cut, journeys: Frame) -> Frame:
    """Touch x journey in time and within `attribution.look_back_days`, placed once for every model."""
    setting = cut.config.attribution
    order = ["touched_at", *([] if setting.ties == "touch_id" else [setting.ties]), "touch_id"]
    touches = acts(cut.base, setting.excluded_kinds).select(
        "account_id", "touch_id", "touched_at", "touched_on", "campaign_id", "channel"
    )
    touches = one_of_many(touches, order) if setting.one_per_campaign_and_day else touches
    lead = cut.tables.people.filter(~nw.col("is_internal").fill_null(False), ~nw.col("account_id").is_null())
    lead = lead.group_by("account_id").agg(_lead_at=nw.col("created_at").min())
    near = journeys.join(touches, on="account_id").join(lead, on="account_id", how="left")
    near = near.filter(
        nw.col("touched_on") <= nw.col("_until_on"),
        (nw.col("touched_at") <= nw.col("_in_time")) | nw.col("_in_time").is_null(),
        day_number("_until_on") - day_number("touched_on") <= setting.look_back_days,
    )
    until = {"until_lead": "_lead_at", "until_created": "qualified_at"}
    stages = {name: (nw.col("touched_at") <= nw.col(at)).fill_null(False) for name, at in until.items()}
    near = near.with_columns(day=day_number("touched_on"), until_won=nw.col("_in_time").is_null(), **stages)
    return placed(near.drop("_lead_at", "_until_on", "_in_time"), KEY, order, setting.direct)


def _effects(cut: Cut, rows: Frame) -> Frame:
    """quarter, window, channel, effect: what removing the channel does to the chain of each window."""
    engine, order = cut.tables.engine, cut.config.attribution.markov_order
    counted = engine.collect(steps(rows, SPAN, KEY, order))
    counted = counted.sort_values(list(counted.columns))  # so that sums always add in one order
    told = [
        (quarter, window, channel, effect)
        for (quarter, window), own in counted.groupby(SPAN)
        for channel, effect in chain_of(own.to_dict("records"), order).removal_effects().items()
    ]
    types = {"quarter": "VARCHAR", "window": "VARCHAR", "channel": "VARCHAR", "effect": "DOUBLE"}
    return engine.frame(pd.DataFrame(told, columns=list(types)), types)
