"""Demos: how long they took to schedule, and how long until an opportunity came of them."""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, day_number, fact
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
