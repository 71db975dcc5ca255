"""Demos: how long they took to schedule, and how long until an opportunity came of them."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, day_number, fact
from .accounts import UNKNOWN
from .opportunities import described


@fact(one_row_per=("meeting_id",), needs=("meetings",))
def demos_booked(cut: Cut) -> Frame:
    """Demos booked in the window, each once and none of our own, with the days since the request (S0-91).

    Counts: a demo moved to another day by its first booking; one booked before it was asked for has no days.
    """
    owners = cut.tables.channels.select("channel", source_owner="owner")
    demos = cut.tables.meetings.filter(nw.col("kind") == "demo", ~nw.col("is_internal").fill_null(False))
    demos = demos.filter(nw.col("rescheduled_from").is_null())
    demos = demos.select("meeting_id", "requested_on", "booked_on", "channel", day="booked_on").join(cut.days, on="day")
    demos = demos.join(owners, on="channel", how="left").with_columns(
        channel=nw.col("channel").fill_null(UNKNOWN), source_owner=nw.col("source_owner").fill_null(UNKNOWN),
    )  # fmt: skip
    days = day_number("booked_on") - day_number("requested_on")
    return demos.with_columns(days=nw.when(days >= 0).then(days.cast(nw.Float64)))


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes", "meetings"))
def opportunities_after_demo(cut: Cut) -> Frame:
    """Opportunities created in the window after a demo was held with the account, and the days since the last such demo.

    Counts: by the CRM's day of creation (S0-91); demos of the last `sourced.look_back_days` days. One created on an unknown day is out.
    """
    held = cut.tables.meetings.filter(
        nw.col("kind") == "demo", nw.col("outcome") == "held", ~nw.col("is_internal").fill_null(False)
    ).select("account_id", held_at="starts_at", held_on="starts_on")
    dated = cut.tables.opportunities.select("opportunity_id", "created_at", "created_on", day="created_on").join(
        cut.days, on="day"
    )
    made = described(cut, "end").select(
        "quarter", "opportunity_id", "account_id", "business_type", "channel", "source_owner", "segment", "tier"
    )
    made = made.join(dated, on=["quarter", "opportunity_id"])
    last = made.join(held, on="account_id").filter(nw.col("held_at") <= nw.col("created_at"))
    key = ["quarter", "window", "opportunity_id"]
    made = made.join(last.group_by(*key).agg(held_on=nw.col("held_on").max()), on=key)
    days = day_number("created_on") - day_number("held_on")
    return made.with_columns(days=days.cast(nw.Float64)).filter(days <= cut.config.sourced.look_back_days)


@fact(one_row_per=("meeting_id",), needs=("opportunities", "opportunity_changes", "meetings"))
def demos_held(cut: Cut) -> Frame:
    """Demos held in the window, with the days until new business was created at the account (S0-91).

    Counts: by the CRM's day of creation. A wait without one lasts until the next demo with the account, `sourced.look_back_days`
    or, open, until the quarter's end: `is_created` tells.
    """
    base = cut.base
    held = base.once("demos held", lambda: _held(base)).join(cut.days.rename({"day": "held_on"}), on="held_on")
    held = held.join(base.windows.moments("end").select("quarter", "rated_on"), on="quarter")
    dated = base.tables.opportunities.select("opportunity_id", "created_at", _created_on="created_on")
    made = described(cut, "end").filter(nw.col("business_type") == "new")
    made = made.select("quarter", "opportunity_id", "account_id").join(dated, on="opportunity_id")
    after = held.select("quarter", "window", "meeting_id", "account_id", "held_at", "held_on", "next_at")
    after = after.join(made, on=["quarter", "account_id"]).filter(
        nw.col("created_at") >= nw.col("held_at"),
        (nw.col("created_at") < nw.col("next_at")).fill_null(True),
        day_number("_created_on") - day_number("held_on") <= cut.config.sourced.look_back_days,
    )
    key = ["quarter", "window", "meeting_id"]
    held = held.join(after.group_by(*key).agg(_created_on=nw.col("_created_on").min()), on=key, how="left")
    anew = nw.when(nw.col("next_on") <= nw.col("rated_on")).then(nw.col("next_on")).otherwise(nw.col("rated_on"))
    held = held.with_columns(
        is_created=~nw.col("_created_on").is_null(), _until=nw.coalesce(nw.col("_created_on"), anew)
    )
    days, longest = day_number("_until") - day_number("held_on"), cut.config.sourced.look_back_days
    days = nw.when(days > longest).then(nw.lit(longest)).otherwise(days)
    return held.with_columns(days=days.cast(nw.Float64), naive=nw.lit("mean of those that came"))


def _held(base: Base) -> Frame:
    """Demos held with an account, none of our own: when, by which channel and whose, and the next one with the account."""
    owners = base.tables.channels.select("channel", source_owner="owner")
    demos = base.tables.meetings.filter(
        nw.col("kind") == "demo", nw.col("outcome") == "held", ~nw.col("is_internal").fill_null(False),
        ~nw.col("account_id").is_null(),
    ).select("meeting_id", "account_id", "channel", held_at="starts_at", held_on="starts_on")  # fmt: skip
    order = {"order_by": ["held_at", "meeting_id"]}
    following = {f"next_{c}": nw.col(f"held_{c}").shift(-1).over("account_id", **order) for c in ("at", "on")}
    demos = demos.with_columns(**following).join(owners, on="channel", how="left")
    return demos.with_columns(
        channel=nw.col("channel").fill_null(UNKNOWN), source_owner=nw.col("source_owner").fill_null(UNKNOWN)
    )
