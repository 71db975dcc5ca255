"""What was done towards an account before its opportunity qualified: for influence, and for the days it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from . import Base, Cut, Frame, day_number, fact
from .accounts import UNKNOWN
from .engagement import engaged
from .opportunities import described, opportunities_qualified, with_accounts

LEAST = (1, 2, 3, 5, 8, 13)  # touches asked for, from generous to strict
RULES = ("any_touch", "one_response", "default", "strict")


def acts(base: Base, but: Sequence[str] = ("impression",)) -> Frame:
    """Touches that may count for anything: impressions do not (S0-03), nor does what our own people did."""
    touches = base.tables.touches.filter(~nw.col("kind").is_in(list(but)), ~nw.col("account_id").is_null())
    return base.of_others(touches)


def touches_before(base: Base) -> Frame:
    """One row per quarter, opportunity qualified in it, channel and person: touches before qualification, per rule.

    Touches of anyone in the account count. `first_on` is the first within `sourced.look_back_days`.
    """
    return base.once("touches before", lambda: _touches_before(base))


def _touches_before(base: Base) -> Frame:
    created = opportunities_qualified(Cut(base, "quarter"))
    look_back = base.config.sourced.look_back_days
    lengths = {look_back, *(rule(base, name).window_days for name in RULES)}
    since = base.windows.days_back("qualified_on", {_since(days): days for days in sorted(lengths)})
    created = created.filter(base.is_shown).join(since, on="qualified_on").select(
        "quarter", "opportunity_id", "account_id", "qualified_at", *map(_since, sorted(lengths)))  # fmt: skip
    touches = acts(base).select(
        "account_id", "person_id", "touched_at", "touched_on", "is_response", touch_channel="channel"
    )
    near = touches.join(created, on="account_id").filter(nw.col("touched_at") < nw.col("qualified_at"))
    near = near.filter(nw.col("touched_on") >= nw.col(_since(max(lengths))))
    counted = {f"touches_{name}": nw.when(_qualifies(base, name)).then(1).otherwise(0).sum() for name in RULES}
    first = nw.when(nw.col("touched_on") >= nw.col(_since(look_back))).then(nw.col("touched_on")).min()
    return near.group_by("quarter", "opportunity_id", "touch_channel", "person_id").agg(first_on=first, **counted)


def rule(base: Base, name: str) -> Any:
    return getattr(base.config.influence, name)


def _qualifies(base: Base, name: str) -> nw.Expr:
    setting = rule(base, name)
    answered = nw.col("is_response").fill_null(False) if setting.responses_only else nw.lit(True)
    return (nw.col("touched_on") >= nw.col(_since(setting.window_days))) & answered


def _since(days: int) -> str:
    """The column with the first day of a window that ends with the qualification: a date to compare, not one to reckon with."""
    return f"_since_{days}_days"


@fact(one_row_per=("rule", "opportunity_id"), needs=("opportunity_changes", "opportunities", "touches"))
def opportunity_influence(cut: Cut) -> Frame:
    """Opportunities qualified in the window, once for each named influence rule, and whether they meet it (C1)."""
    base = cut.base
    created = opportunities_qualified(cut)
    judged = nw.concat([created.with_columns(rule=nw.lit(name)) for name in RULES])
    met = nw.concat([_met(base, name) for name in RULES])
    judged = judged.join(met, on=["quarter", "opportunity_id", "rule"], how="left")
    return judged.with_columns(is_influenced=nw.col("met").fill_null(False))


def _met(base: Base, name: str) -> Frame:
    """Which opportunities have the touches and the people that the rule asks for."""
    counted = touches_before(base).filter(nw.col(f"touches_{name}") > 0).group_by("quarter", "opportunity_id").agg(
        touches=nw.col(f"touches_{name}").sum(), people=_distinct("person_id"))  # fmt: skip
    enough = (nw.col("touches") >= rule(base, name).min_touches) & (nw.col("people") >= rule(base, name).min_people)
    return counted.select("quarter", "opportunity_id", rule=nw.lit(name), met=enough)


@fact(one_row_per=("least_touches", "opportunity_id"), needs=("opportunity_changes", "opportunities", "touches"))
def influence_curve(cut: Cut) -> Frame:
    """Opportunities qualified in the window, once for each number of touches asked for, with the default rule's window."""
    counted = (
        touches_before(cut.base).group_by("quarter", "opportunity_id").agg(touches=nw.col("touches_default").sum())
    )
    created = opportunities_qualified(cut).join(counted, on=["quarter", "opportunity_id"], how="left")
    met = [(nw.col("touches") >= least).fill_null(False) for least in LEAST]
    asked = [
        created.with_columns(least_touches=nw.lit(f"{least:02}"), is_influenced=rule)
        for least, rule in zip(LEAST, met, strict=True)
    ]
    return nw.concat(asked)


@fact(one_row_per=("touch_channel", "opportunity_id"), needs=("opportunity_changes", "opportunities", "touches"))
def influence_channels(cut: Cut) -> Frame:
    """Opportunities that meet the default rule, once for each channel that had a part in it: not additive over channels."""
    influenced = opportunity_influence(cut).filter(nw.col("is_influenced"), nw.col("rule") == "default")
    channels = (
        touches_before(cut.base)
        .filter(nw.col("touches_default") > 0)
        .select("quarter", "opportunity_id", "touch_channel")
        .unique()
    )
    joined = influenced.join(channels, on=["quarter", "opportunity_id"])
    return joined.with_columns(channel=nw.col("touch_channel"))


@fact(one_row_per=("from", "account_id", "began_at"), needs=("opportunity_changes", "opportunities", "touches"))
def pipeline_generation(cut: Cut) -> Frame:
    """Accounts that began to wait for their first new business in the window, and the days until it was qualified (S2-24).

    A wait is `from` the first touch after `sourced.look_back_days` without one, or from an MQA. Without an opportunity it lasts
    until the next such beginning or, open, until the quarter's end. Accounts that had had new business before are out.
    """
    base = cut.base
    ends = base.windows.moments("end").select("quarter", "rated_on", "known_until")
    begun = base.once("waits begun", lambda: _begun(base)).join(cut.days.rename({"day": "began_on"}), on="began_on")
    first = described(cut, "end").filter(nw.col("business_type") == "new", ~nw.col("qualified_on").is_null())
    first = first.group_by("quarter", "account_id").agg(nw.col("qualified_at").min(), nw.col("qualified_on").min())
    waits = begun.join(ends, on="quarter").join(first, on=["quarter", "account_id"], how="left")
    waits = waits.filter((nw.col("known_at") < nw.col("known_until")).fill_null(True))
    after = (nw.col("qualified_at") > nw.col("began_at")) | (
        (nw.col("from") == "mqa") & (nw.col("qualified_at") == nw.col("began_at"))
    )
    waits = waits.filter(after.fill_null(True))
    sooner = (nw.col("qualified_at") <= nw.col("next_at")).fill_null(True)
    waits = waits.with_columns(is_qualified=~nw.col("qualified_at").is_null() & sooner)
    anew = nw.when(nw.col("next_on") <= nw.col("rated_on")).then(nw.col("next_on")).otherwise(nw.col("rated_on"))
    waits = waits.with_columns(_until=nw.when(nw.col("is_qualified")).then(nw.col("qualified_on")).otherwise(anew))
    days = (day_number("_until") - day_number("began_on")).cast(nw.Float64)
    waits = waits.with_columns(days=days, naive=nw.lit("mean of those that came"))
    return with_accounts(base, waits)


def _begun(base: Base) -> Frame:
    """account_id, from, began_at, began_on, known_at, channel, and the beginning after it: first touches, and MQAs."""
    first = _first_touches(base).with_columns(nw.lit("first touch").alias("from"), known_at="began_at")
    mqa = base.tables.account_stages.filter(nw.col("stage") == "mqa").select(
        "account_id", began_at="entered_at", began_on="entered_on", channel=nw.lit(None, nw.String),
        known_at=nw.coalesce(nw.col("recorded_at"), nw.col("entered_at")),
    ).with_columns(nw.lit("mqa").alias("from"))  # fmt: skip
    columns = ("account_id", "from", "began_at", "began_on", "known_at", "channel")
    begun = nw.concat([first.select(*columns), mqa.select(*columns)])
    later = {f"next_{c}": nw.col(f"began_{c}").shift(-1) for c in ("at", "on")}
    return begun.with_columns(**{c: e.over("account_id", "from", order_by="began_at") for c, e in later.items()})


def _first_touches(base: Base) -> Frame:
    """account_id, began_at, began_on, channel of each touch after a silence longer than `sourced.look_back_days`.

    Touches that lie in one stretch of as many days are no silence apart, so that a row per account and stretch is enough.
    """
    silence = base.config.sourced.look_back_days
    touches = acts(base).select("account_id", "touched_at", "touched_on", channel=nw.col("channel").fill_null(UNKNOWN))
    stretched = touches.with_columns(_stretch=day_number("touched_on") // max(silence, 1))
    stretches = stretched.group_by("account_id", "_stretch").agg(
        began_at=nw.col("touched_at").min(), began_on=nw.col("touched_on").min(), _last_on=nw.col("touched_on").max()
    )
    stretches = stretches.with_columns(_before_on=nw.col("_last_on").shift(1).over("account_id", order_by="began_at"))
    silent = day_number("began_on") - day_number("_before_on") > silence
    first = stretches.filter(silent.fill_null(True)).select("account_id", "began_at", "began_on")
    at_once = touches.rename({"touched_at": "began_at"}).select("account_id", "began_at", "channel")
    at_once = at_once.join(first, on=["account_id", "began_at"])
    return at_once.group_by("account_id", "began_at", "began_on").agg(nw.col("channel").min())


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities", "touches"))
def engaged_opportunities(cut: Cut) -> Frame:
    """Opportunities qualified in the window by accounts that were engaged when it ended."""
    accounts = engaged(cut).select("quarter", "window", "account_id")
    return opportunities_qualified(cut).join(accounts, on=["quarter", "window", "account_id"])


@fact(one_row_per=("account_id", "channel"), needs=("touches",))
def engaged_responses(cut: Cut) -> Frame:
    """Responses of the window from accounts that were engaged when it ended, by channel (S1-27)."""
    answered = acts(cut.base).filter(nw.col("is_response")).select("account_id", "channel", day="touched_on")
    answered = answered.join(cut.days, on="day")
    counted = answered.group_by("quarter", "window", "account_id", "channel").agg(responses=nw.len())
    accounts = engaged(cut).select("quarter", "window", "account_id")
    return counted.join(accounts, on=["quarter", "window", "account_id"])


def _distinct(column: str) -> nw.Expr:
    """Distinct values that are not null: n_unique counts null as one."""
    missing = nw.when(nw.col(column).is_null()).then(1).otherwise(0).max()
    return nw.col(column).n_unique() - missing
