"""Meetings, demos and calls: booked, started, what came of them, and how soon a qualified account had one."""

from __future__ import annotations

from datetime import timedelta

import narwhals as nw
import pandas as pd

from . import Base, Cut, Frame, day_number, fact
from .accounts import UNKNOWN
from .leads import qualified_accounts
from .opportunities import described, opportunities_qualified, with_accounts


@fact(one_row_per=("meeting_id",), needs=("meetings",))
def meetings_by_booking(cut: Cut) -> Frame:
    """Meetings, demos and calls booked in the window; a rescheduled one on the day of its first booking, internal ones never."""
    booked = _meetings(cut.base).filter(~nw.col("is_rescheduling")).with_columns(day=nw.col("booked_on"))
    return with_accounts(cut.base, booked.join(cut.days, on="day"))


@fact(one_row_per=("meeting_id",), needs=("meetings",))
def meetings_by_start(cut: Cut) -> Frame:
    """Meetings, demos and calls that began, or were to begin, in the window; a rescheduled one on its last day."""
    started = _meetings(cut.base).filter(~nw.col("is_rescheduled")).with_columns(day=nw.col("starts_on"))
    return with_accounts(cut.base, started.join(cut.days, on="day"))


def _meetings(base: Base) -> Frame:
    """Every meeting with people outside, whether it follows or was followed by another booking of the same meeting, and when."""
    return base.once("meetings", lambda: _described(base))


def _described(base: Base) -> Frame:
    meetings, paid = base.tables.meetings, base.tables.channels.select("channel", "is_paid")
    earlier = meetings.select(rescheduled_from="meeting_id", _earlier=nw.lit(True))
    later = meetings.filter(~nw.col("rescheduled_from").is_null())
    later = later.group_by("rescheduled_from").agg(rebooked_on=nw.col("booked_on").min(), _later=nw.len())
    later = later.rename({"rescheduled_from": "meeting_id"})
    joined = meetings.filter(~nw.col("is_internal").fill_null(False)).join(paid, on="channel", how="left")
    joined = joined.join(earlier, on="rescheduled_from", how="left").join(later, on="meeting_id", how="left")
    origin = nw.when(nw.col("is_paid").fill_null(False)).then(nw.lit("paid"))
    origin = origin.when(nw.col("channel") == "website").then(nw.lit("website"))
    origin = origin.when(nw.col("channel").is_null()).then(nw.lit(UNKNOWN))
    return joined.select(
        "meeting_id", "kind", "account_id", "booked_at", "booked_on", "starts_at", "starts_on", "outcome",
        is_rescheduling=nw.col("_earlier").fill_null(False), is_rescheduled=~nw.col("_later").is_null(), rebooked_on="rebooked_on",
        channel=nw.col("channel").fill_null(UNKNOWN), paid_or_website=origin.otherwise(nw.lit("other")),
    )  # fmt: skip


def _cohorts(cut: Cut, days: int) -> Frame:
    """quarter, window, cohort, is_headline: whether the last of a window had `days` days by the end of the quarter reported."""
    spans = cut.base.windows.spans(cut.kind)
    grown = {q.label: [w.label for quarter, w in spans if quarter == q and w.end + timedelta(days=days - 1) <= q.end]
             for q, _ in spans}  # fmt: skip
    rows = [
        (q.label, w.label, w.label if w.label in grown[q.label] else f"{w.label}, not yet {days} days old",
         w.label == max(grown[q.label], default=""))
        for q, w in spans
    ]  # fmt: skip
    types = {"quarter": "VARCHAR", "window": "VARCHAR", "cohort": "VARCHAR", "is_headline": "BOOLEAN"}
    return cut.base.tables.engine.frame(pd.DataFrame(rows, columns=list(types), dtype=object), types)


def _with_accounts_then(base: Base, frame: Frame) -> Frame:
    """The account as it stood at the start of the quarter that the row's window is, not of the one reported."""
    frame = frame.with_columns(_reported=nw.col("quarter"), quarter=nw.col("window"))
    return with_accounts(base, frame).with_columns(quarter=nw.col("_reported")).drop("_reported")


@fact(one_row_per=("meeting_id",), needs=("meetings", "opportunities", "opportunity_changes"))
def meeting_cohorts(cut: Cut) -> Frame:
    """Meetings held, by the quarter they were held in, and whether the account had an opportunity created soon after.

    Soon is from the meeting on, within `meeting_to_opportunity_days`. `is_headline` marks the newest cohort whose last
    meeting is that old at the end of the quarter reported; `cohort` names each, and says which are younger.
    """
    base, longest = cut.base, cut.config.meeting_to_opportunity_days
    held = _meetings(base).filter(nw.col("outcome") == "held").with_columns(day=nw.col("starts_on"))
    held = held.join(cut.days, on="day").join(_cohorts(cut, longest), on=["quarter", "window"])
    created = described(cut, "end").select("quarter", "opportunity_id", "account_id", "created_on")
    created = created.join(base.tables.opportunities.select("opportunity_id", "created_at"), on="opportunity_id")
    after = held.select("quarter", "meeting_id", "account_id", "starts_at", "starts_on")
    after = after.join(created, on=["quarter", "account_id"]).filter(nw.col("created_at") >= nw.col("starts_at"))
    after = after.filter(day_number("created_on") - day_number("starts_on") < longest)
    after = after.select("quarter", "meeting_id", _later=nw.lit(True)).unique()
    held = _with_accounts_then(base, held).join(after, on=["quarter", "meeting_id"], how="left")
    return held.with_columns(has_opportunity=nw.col("_later").fill_null(False))


@fact(one_row_per=("account_id",), needs=("account_stages", "meetings"))
def mqa_cohorts(cut: Cut) -> Frame:
    """Accounts by the quarter in which they became marketing-qualified, and whether a meeting was held soon after.

    A call is no meeting. Soon is within `mqa_meeting_days`; `cohort` and `is_headline` as in meeting_cohorts.
    """
    base, longest = cut.base, cut.config.mqa_meeting_days
    reached = qualified_accounts(cut).select("quarter", "window", "account_id", "entered_on")
    reached = reached.join(_cohorts(cut, longest), on=["quarter", "window"])
    held = _meetings(base).filter(nw.col("outcome") == "held", nw.col("kind") != "call")
    met = reached.join(held.select("account_id", "starts_on"), on="account_id")
    ends = base.windows.moments("end").select("quarter", "rated_on")
    met = met.join(ends, on="quarter").filter(nw.col("starts_on") <= nw.col("rated_on"))
    wait = day_number("starts_on") - day_number("entered_on")
    met = met.filter(wait >= 0, wait < longest).select("quarter", "account_id", _met=nw.lit(True)).unique()
    joined = _with_accounts_then(base, reached).join(met, on=["quarter", "account_id"], how="left")
    return joined.with_columns(has_met=nw.col("_met").fill_null(False))


@fact(one_row_per=("account_id",), needs=("account_stages", "meetings"))
def mqa_waits(cut: Cut) -> Frame:
    """Accounts that became marketing-qualified in the window, with the days to the first meeting booked or call made.

    A new date for a meeting booked earlier is none. Those without one have waited until the end of the quarter;
    `is_followed_up` tells them apart.
    """
    base = cut.base
    reached = qualified_accounts(cut).join(base.windows.moments("end").select("quarter", "rated_on"), on="quarter")
    booked = _meetings(base).filter(~nw.col("is_rescheduling")).select("account_id", "booked_on")
    after = reached.select("quarter", "account_id", "entered_on", "rated_on").join(booked, on="account_id")
    after = after.filter(nw.col("booked_on") >= nw.col("entered_on"), nw.col("booked_on") <= nw.col("rated_on"))
    after = after.group_by("quarter", "account_id").agg(_first_on=nw.col("booked_on").min())
    waits = reached.join(after, on=["quarter", "account_id"], how="left")
    waits = waits.with_columns(_until=nw.coalesce(nw.col("_first_on"), nw.col("rated_on")))
    days = (day_number("_until") - day_number("entered_on")).cast(nw.Float64)
    return waits.with_columns(days=days, is_followed_up=~nw.col("_first_on").is_null())


@fact(one_row_per=("creation_quarter",), needs=("meetings", "opportunity_changes", "opportunities"))
def meetings_and_pipeline(cut: Cut) -> Frame:
    """Every quarter so far: new business qualified in it, the meetings held in the quarter before it, and those booked for it by then.

    `after_*` is of accounts that had a meeting held in that quarter before, `booked_*` of others for which one was booked,
    `other_*` the rest. `booked_ahead` are the meetings booked for the quarter after the one reported. A quarter counts where
    meetings are known from the first day of the one before.
    """
    base = cut.base
    pairs = base.once("meetings before quarters", lambda: _pairs(base))
    held = _meetings(base).filter(nw.col("outcome") == "held").with_columns(day=nw.col("starts_on"))
    held = held.join(base.windows.days("quarter"), on="day").select("account_id", before="quarter")
    counted = held.group_by("before").agg(meetings=nw.len())
    booked = _booked_ahead(base)
    due = booked.group_by("before").agg(booked_meetings=nw.len())
    met, expected = (
        frame.filter(~nw.col("account_id").is_null()).unique().with_columns(nw.lit(True).alias(name))
        for name, frame in (("is_after", held), ("is_booked", booked))
    )
    created = opportunities_qualified(Cut(base, "quarter")).filter(nw.col("business_type") == "new")
    created = created.select("account_id", "amount", creation_quarter="quarter").join(
        pairs.select("creation_quarter", "before").unique(), on="creation_quarter"
    )
    created = created.join(met, on=["before", "account_id"], how="left")
    created = created.join(expected, on=["before", "account_id"], how="left")
    after = nw.col("is_after").fill_null(False)
    only_booked = ~after & nw.col("is_booked").fill_null(False)
    parts = {"after": after, "booked": only_booked, "other": ~after & ~only_booked}
    summed = created.group_by("creation_quarter").agg(
        **{f"{name}_count": nw.when(part).then(1).otherwise(0).sum() for name, part in parts.items()},
        **{f"{name}_amount": nw.when(part).then(nw.col("amount")).sum() for name, part in parts.items()},
    )
    ahead = due.select(quarter="before", booked_ahead="booked_meetings")
    joined = pairs.join(counted, on="before").join(due, on="before", how="left").join(ahead, on="quarter", how="left")
    joined = joined.join(summed, on="creation_quarter", how="left").join(cut.windows, on="quarter")
    numbers = ("booked_meetings", "booked_ahead", *(f"{name}_{what}" for name in parts for what in ("count", "amount")))
    return joined.with_columns(*(nw.col(c).fill_null(0) for c in numbers))


def _booked_ahead(base: Base) -> Frame:
    """before, account_id: each meeting that at the end of quarter `before` stood booked for the one after it.

    Cancelled ones too: when a meeting was cancelled is not known.
    """
    following = base.windows.ahead().filter(nw.col("horizon") == "next").select("due_in", "due_from", before="quarter")
    due = _meetings(base).join(base.windows.quarter_days(), left_on="starts_on", right_on="day")
    due = due.join(following, on="due_in")
    stands = nw.col("rebooked_on").is_null() | (nw.col("rebooked_on") >= nw.col("due_from"))
    return due.filter(nw.col("booked_on") < nw.col("due_from"), stands).select("before", "account_id")


def _pairs(base: Base) -> Frame:
    """quarter, creation_quarter, before: for each quarter reported, those up to it with the quarter before each."""
    first = (base.company.span("meetings") or (base.quarters[-1].end, None))[0]
    known = [(q, before) for before, q in zip(base.quarters, base.quarters[1:], strict=False) if before.start >= first]
    rows = [
        (q.label, made.label, before.label) for q in base.quarters for made, before in known if made.start <= q.start
    ]
    types = dict.fromkeys(("quarter", "creation_quarter", "before"), "VARCHAR")
    return base.tables.engine.frame(pd.DataFrame(rows, columns=list(types), dtype=object), types)
