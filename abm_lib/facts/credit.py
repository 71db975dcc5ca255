"""Credit for an opportunity, shared out over the touches before it by three plain models: sensitivity, never the truth (C11).

`first` and `last` give all of it to one touch, `linear` gives each the same. Touches of anyone in the account count, also
those of another opportunity of it; equal instants go by touch id. Cents are shared out so that no cent is lost.
"""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, day_number, fact
from .influence import acts
from .opportunities import opportunities_closed, opportunities_qualified

MODELS = ("first", "last", "linear")
UNATTRIBUTED = "unattributed"
KEY = ("quarter", "window", "opportunity_id")
ROW = ("model", "opportunity_id", "channel", "campaign")
NEEDS = ("opportunity_changes", "opportunities", "touches")


@fact(one_row_per=ROW, needs=NEEDS)
def pipeline_credit(cut: Cut) -> Frame:
    """The amount of each opportunity qualified in the window, by model, over its touches until it was qualified (S2-23)."""
    created = opportunities_qualified(cut).with_columns(_until_on=nw.col("qualified_on"))
    in_time = nw.col("touched_at") <= nw.col("qualified_at")
    return _shared_out(
        created, cut.base.once(f"touches of created {cut.kind}", lambda: _ordered(cut, created, in_time))
    )


@fact(one_row_per=ROW, needs=NEEDS)
def revenue_credit(cut: Cut) -> Frame:
    """The amount of each opportunity won in the window, by model, over its touches until the day it closed (S0-36)."""
    won = opportunities_closed(cut).filter(nw.col("is_won")).with_columns(_until_on=nw.col("closed_on"))
    in_time = nw.col("touched_on") <= nw.col("closed_on")
    return _shared_out(won, cut.base.once(f"touches of won {cut.kind}", lambda: _ordered(cut, won, in_time)))


def _ordered(cut: Cut, earned: Frame, in_time: nw.Expr) -> Frame:
    """One row per opportunity and touch in time and within `attribution.look_back_days`, with its place in their order.

    `last` is the place of the last touch that is not direct, of the last one at all where every one is.
    """
    setting, order = cut.config.attribution, {"order_by": ["touched_at", "touch_id"]}
    campaigns = cut.tables.campaigns.select("campaign_id", campaign="name")
    touches = acts(cut.base).select(
        "account_id", "touch_id", "touched_at", "touched_on", "campaign_id", touch_channel="channel"
    )
    shown = earned.filter(cut.base.is_shown)
    near = shown.select(*KEY, "account_id", "amount", "qualified_at", "closed_on", "_until_on").join(
        touches, on="account_id"
    )
    near = near.filter(in_time, day_number("_until_on") - day_number("touched_on") <= setting.look_back_days)
    near = near.with_columns(_one=nw.lit(1), _named=~nw.col("touch_channel").is_in(setting.direct))
    near = near.with_columns(place=nw.col("_one").cum_sum().over(*KEY, **order), count=nw.col("_one").sum().over(*KEY))
    named = nw.when(nw.col("_named")).then(nw.col("place")).max().over(*KEY)
    near = near.join(campaigns, on="campaign_id", how="left")
    return near.select(*KEY, "place", "count", channel="touch_channel", campaign=nw.col("campaign").fill_null("no campaign"),
                       last=nw.coalesce(named, nw.col("count")), cents=_cents())  # fmt: skip


def _shared_out(earned: Frame, ordered: Frame) -> Frame:
    """One row per model, opportunity, channel and campaign with its part of the amount; `unattributed` where nothing was touched."""
    parts = [_credited(ordered, model) for model in MODELS]
    touched = ordered.select(*KEY, _touched=nw.lit(True)).unique()
    alone = earned.join(touched, on=list(KEY), how="left").filter(nw.col("_touched").is_null())
    nobody = {"channel": nw.lit(UNATTRIBUTED), "campaign": nw.lit(UNATTRIBUTED)}
    parts += [alone.select(*KEY, model=nw.lit(model), credit=_cents(), **nobody) for model in MODELS]
    shared = nw.concat([part.select(*KEY, "model", "channel", "campaign", "credit") for part in parts])
    shared = shared.join(earned.select(*KEY, "business_type", "amount"), on=list(KEY))
    # The sum of no amounts is 0: an opportunity without one stays without.
    return shared.with_columns(
        amount=nw.when(~nw.col("amount").is_null()).then(nw.col("credit").cast(nw.Float64) / 100)
    )


def _credited(ordered: Frame, model: str) -> Frame:
    """The cents that each channel and campaign of an opportunity is given. Linear parts run on, so that they add up to the cent."""
    cents, place, count = nw.col("cents"), nw.col("place"), nw.col("count")
    chosen = {"first": place == 1, "last": place == nw.col("last"), "linear": place >= 1}[model]
    given = cents * place // count - cents * (place - 1) // count if model == "linear" else cents
    rows = ordered.filter(chosen).with_columns(_given=given)
    credit = rows.group_by(*KEY, "channel", "campaign").agg(credit=nw.col("_given").sum().cast(nw.Int64))
    return credit.with_columns(model=nw.lit(model))


def _cents() -> nw.Expr:
    return (nw.col("amount") * 100).round().cast(nw.Int64)
