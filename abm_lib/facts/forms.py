"""Calls to action and their forms, and what people did on social networks and offline."""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, accounts, fact
from .content import BLANK, NONE

CALL = ("call_to_action", "form", "journey_step", "position")


@fact(one_row_per=(*CALL, "who"), needs=("cta_events",))
def calls_to_action(cut: Cut) -> Frame:
    """Calls to action by who met them: how often each was seen and completed. `form` is blank where it has none.

    `who` is a person, else a visitor, else the event itself. `is_seen` tells whether its exposures are recorded at all.
    """
    events = cut.base.of_others(cut.tables.cta_events.filter(~nw.col("is_machine").fill_null(False)))
    place = nw.col("position").cast(nw.String)
    place = nw.when(nw.col("position") < 10).then(nw.concat_str([nw.lit("0"), place])).otherwise(place)
    events = events.select(
        "kind", day="occurred_on", call_to_action="cta_id", form="form_id", position=place.fill_null(BLANK),
        journey_step=nw.col("journey_step").fill_null(BLANK),
        who=nw.coalesce(nw.col("person_id"), nw.col("visitor_id"), nw.col("event_id")),
    )  # fmt: skip
    seen, done = (nw.when(nw.col("kind") == kind).then(1).otherwise(0).sum() for kind in ("exposed", "completed"))
    met = (
        events.join(cut.days, on="day")
        .group_by("quarter", "window", *CALL, "who")
        .agg(exposures=seen, completions=done)
    )
    return met.with_columns(is_seen=nw.col("exposures").sum().over("quarter", "window", "call_to_action") > 0)


@fact(one_row_per=("account_id", "kind"), needs=("touches",))
def social_acts(cut: Cut) -> Frame:
    """Reposts, likes, comments and shares by account; an account that is not known has an empty id."""
    return _acts(cut, cut.tables.touches.filter(nw.col("kind") == "social"), nw.col("detail").fill_null(BLANK))


@fact(one_row_per=("account_id", "kind"), needs=("touches",))
def offline_acts(cut: Cut) -> Frame:
    """Touches of the kinds in `offline_kinds` by account; an account that is not known has an empty id."""
    return _acts(cut, cut.tables.touches.filter(nw.col("kind").is_in(cut.config.offline_kinds)), nw.col("kind"))


def _acts(cut: Cut, touches: Frame, kind: nw.Expr) -> Frame:
    acts = cut.base.of_others(touches).select(
        day="touched_on", kind=kind, account_id=nw.col("account_id").fill_null(NONE)
    )
    acts = acts.join(cut.days, on="day").group_by("quarter", "window", "account_id", "kind").agg(acts=nw.len())
    at_start = accounts.at_edge(cut.base, "start").select("quarter", "account_id", "target", "tier")
    acts = acts.join(at_start, on=["quarter", "account_id"], how="left")
    return acts.with_columns(nw.col(c).fill_null(accounts.OUTSIDE) for c in ("target", "tier"))
