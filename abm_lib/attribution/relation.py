"""Touch x journey on the engine: windows computed once, then one expression for each rule; DuckDB and Spark alike.

A journey is what is to be credited: an opportunity, or in a chain also an account that never had one. Weights are whole
numbers of parts, so that sums do not depend on the order of rows, and money is shared out by running floors, so that what a
journey is given adds up to its amount to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import narwhals as nw

from .chain import Chain, State, chain
from .models import WHOLE, Anchor, Model

Frame = nw.LazyFrame[Any]
STAGES: tuple[Anchor, ...] = ("lead", "created", "won")
# Weights that are no fractions, as whole parts: fine enough for cents of a hundred million, and sums stay below 2**63.
FINE = 2.0**44
HAIR = 1e-4  # a floor must not fall on the wrong side of a whole cent for a rounding of the double


def one_of_many(touches: Frame, order: Sequence[str]) -> Frame:
    """Touches of one account, campaign and day as the first of them; those of no campaign stay."""
    same, one = ["account_id", "campaign_id", "touched_on"], nw.lit(1).alias("_nth")
    counted = touches.with_columns(one).with_columns(nw.col("_nth").cum_sum().over(*same, order_by=list(order)))
    return counted.filter((nw.col("_nth") == 1) | nw.col("campaign_id").is_null()).drop("_nth")


def placed(touches: Frame, key: Sequence[str], order: Sequence[str], direct: Sequence[str] = ()) -> Frame:
    """Each touch of each journey with its place in it, and the places that hold the journey's anchors.

    `touches` has a row for each journey (`key`) and touch: `channel`, `day` (a number), the columns of `order`, and for each
    of the STAGES a column `until_<stage>`: whether the touch came at or before it. `at_<anchor>` is null where no touch did.
    The last touch that is not direct is the last at all where every one is direct.
    """
    own = list(key)
    rows = touches.with_columns(_one=nw.lit(1), _named=~nw.col("channel").is_in(list(direct)))
    rows = rows.with_columns(
        place=nw.col("_one").cum_sum().over(*own, order_by=list(order)), count=nw.col("_one").sum().over(*own),
        of_channel=nw.col("_one").sum().over(*own, "channel"), days_before=nw.col("day").max().over(*own) - nw.col("day"),
    )  # fmt: skip
    named = nw.when(nw.col("_named")).then(nw.col("place")).max().over(*own)
    stages = {
        f"at_{stage}": nw.when(nw.col(f"until_{stage}")).then(nw.col("place")).max().over(*own) for stage in STAGES
    }
    rows = rows.with_columns(
        **stages, at_first=nw.lit(1), at_last=nw.col("count"), at_last_non_direct=nw.coalesce(named, nw.col("count"))
    )
    return rows.drop("_one", "_named", *(f"until_{stage}" for stage in STAGES))


def parts(model: Model, half_life_days: float = 0) -> nw.Expr:
    """What a touch weighs within its journey, in parts that only mean something beside the journey's others.

    By recency needs a half-life; by removal effect the column `effect` of its channel.
    """
    if model.sharing == "by recency":
        return (FINE * nw.lit(2.0) ** (-(nw.col("days_before") / half_life_days))).round().cast(nw.Int64)
    if model.sharing == "by channel":
        return (FINE / nw.col("of_channel")).round().cast(nw.Int64)
    if model.sharing == "by removal effect":
        return (FINE * nw.col("effect") / nw.col("of_channel")).round().cast(nw.Int64)
    return _anchored(model) if model.anchors else nw.when(nw.col("place") > 0).then(1)


def _anchored(model: Model) -> nw.Expr:
    """The exact weight times 1,000 x anchors there x touches between, so that it is a whole number."""
    places = [nw.col(f"at_{anchor}") for anchor, _ in model.anchors]
    there = [nw.when(~place.is_null()).then(1).otherwise(0) for place in places]
    holds = [nw.when(place == nw.col("place")).then(1).otherwise(0) for place in places]
    weights = [weight for _, weight in model.anchors]
    anchors, held = _sum(there), _sum(holds)
    lacking = WHOLE - model.rest - _sum(weight * one for weight, one in zip(weights, there, strict=True))
    own = _sum(weight * one for weight, one in zip(weights, holds, strict=True))
    if not model.rest:
        return own * anchors + held * lacking
    between = nw.col("count") - _distinct(places)
    lacking = lacking + nw.when(between == 0).then(model.rest).otherwise(0)
    each = nw.when(between > 0).then(between).otherwise(1)
    return nw.when(held > 0).then((own * anchors + held * lacking) * each).otherwise(model.rest * anchors)


def _sum(each: Iterable[Any]) -> Any:
    first, *others = each
    for other in others:
        first = first + other
    return first


def _distinct(places: list[nw.Expr]) -> nw.Expr:
    """How many touches hold an anchor: the places that none before them names."""
    counted = nw.lit(0)
    for number, place in enumerate(places):
        new = ~place.is_null()
        for earlier in places[:number]:
            new = new & (earlier.is_null() | (earlier != place))
        counted = counted + nw.when(new).then(1).otherwise(0)
    return counted


def shared_out(
    rows: Frame, key: Sequence[str], columns: Sequence[str], models: Sequence[Model], amount: str, half_life_days: float
) -> Frame:
    """What each model gives to the touches of a journey that agree in `columns`: one column for each model, in whole units.

    Beside it stands `<model>_parts`, which is 0 where the model's rule gives these touches nothing. `amount` is a whole
    number of its journey (cents); what a model gives out is exactly that. One row for each journey and value of `columns`.
    """
    own, names = [*key, *columns], [model.name for model in models]
    weighed = {model.name: parts(model, half_life_days).sum() for model in models}
    given = rows.group_by(*own).agg(_amount=nw.col(amount).max(), **weighed)
    before = {f"_{name}": nw.col(name).cum_sum().over(*key, order_by=list(columns)) for name in names}
    whole = {f"_all_{name}": nw.col(name).sum().over(*key) for name in names}
    given = given.with_columns(**before, **whole)
    units = {name: _floor(f"_{name}", name) - _floor(f"_{name}", name, own=True) for name in names}
    return given.select(*own, **units, **{f"{name}_parts": nw.col(name) for name in names})


def _floor(running: str, name: str, own: bool = False) -> nw.Expr:
    """The whole units given out until this row, or until the one before it."""
    until = nw.col(running) - nw.col(name) if own else nw.col(running)
    part = until.cast(nw.Float64) / nw.col(f"_all_{name}").cast(nw.Float64)
    return (nw.col("_amount").cast(nw.Float64) * part + HAIR).floor().cast(nw.Int64)


def steps(rows: Frame, by: Sequence[str], key: Sequence[str], order: int = 1) -> Frame:
    """Counted steps of journeys, `by` for example the quarter: `state_1` (the channel) to `state_<order>`, `following`.

    `rows` are placed touches with `is_converted`, which says how their journey ended.
    """
    back = {f"state_{n + 1}": nw.col("channel").shift(n).over(*key, order_by="place") for n in range(1, order)}
    rows = rows.with_columns(
        state_1=nw.col("channel"), **back, following=nw.col("channel").shift(-1).over(*key, order_by="place")
    )
    ended, won = nw.col("following").is_null(), nw.col("is_converted")
    counted = {"starts": nw.col("place") == 1, "steps": ~ended, "converted": ended & won, "lost": ended & ~won}
    states = [f"state_{n}" for n in range(1, order + 1)]
    return rows.group_by(*by, *states, "following").agg(
        **{name: nw.when(rule).then(1).otherwise(0).sum() for name, rule in counted.items()}
    )


def chain_of(rows: Iterable[dict[str, Any]], order: int = 1) -> Chain:
    """The chain of collected `steps`; a state is told oldest channel first."""
    return chain(_step(row, order) for row in rows)


def _step(row: dict[str, Any], order: int) -> tuple[State, State, float, float, float, float]:
    told = [row[f"state_{n}"] for n in range(order, 0, -1)]
    state = tuple(channel for channel in told if isinstance(channel, str))
    following = row["following"]
    after = (*state, following)[-order:] if isinstance(following, str) else ()
    return state, after, row["starts"], row["steps"], row["converted"], row["lost"]
