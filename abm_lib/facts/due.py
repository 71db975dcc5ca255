"""Pipeline due in a quarter, the targets it is held against, and what past quarters made of theirs."""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, fact, within
from .opportunities import described, opportunities_closed


@fact(one_row_per=("horizon", "opportunity_id"), needs=("opportunity_changes", "opportunities"))
def due_pipeline(cut: Cut) -> Frame:
    """Open pipeline due in a quarter: this one read at the end of day `coverage.read_on_day`, the next two at its end."""
    base = cut.base
    moments = [described(cut, moment) for moment in ("read_on_day", "end")]
    known = nw.concat([frame.filter(nw.col("is_open")) for frame in moments])
    due = known.join(base.windows.ahead(), on=["quarter", "moment"])
    due = due.filter(nw.col("close_on") >= nw.col("due_from"), nw.col("close_on") < nw.col("due_to"))
    return due.join(cut.windows, on="quarter").with_columns(amount=nw.col("amount_open"))


@fact(one_row_per=("as_of_day", "opportunity_id"), needs=("opportunity_changes", "opportunities"))
def due_by_day(cut: Cut) -> Frame:
    """Open pipeline due in the quarter, read on several days of it: the track that coverage takes."""
    known = described(cut, "as_of_day").filter(nw.col("is_open")).join(cut.windows, on="quarter")
    return known.filter(within("close_on")).with_columns(amount=nw.col("amount_open"), as_of_day=nw.col("moment"))


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities"))
def won_by_reading_day(cut: Cut) -> Frame:
    """Won with a close date in the quarter by the end of day `coverage.read_on_day`: what its target already has."""
    known = described(cut, "read_on_day").filter(nw.col("is_won")).join(cut.windows, on="quarter")
    return known.filter(within("closed_on")).with_columns(amount=nw.col("amount_closed"))


@fact(one_row_per=("as_of_day", "opportunity_id"), needs=("opportunity_changes", "opportunities"))
def won_by_day(cut: Cut) -> Frame:
    """Won in the quarter, once for each of several days of it; `is_by_then` says whether it had closed by the end of that day."""
    days = cut.base.windows.moments("as_of_day").select("quarter", as_of_day="moment", last_day="rated_on")
    won = opportunities_closed(cut).filter(nw.col("is_won")).join(days, on="quarter")
    return won.with_columns(is_by_then=nw.col("closed_on") <= nw.col("last_day"))


@fact(one_row_per=("horizon", "past_quarter", "segment"), needs=("opportunity_changes", "opportunities"))
def past_conversion(cut: Cut) -> Frame:
    """For each of the eight quarters before: new business due in it when it was read, and new business won in it (S0-64).

    A past quarter counts where the data reach back to the day of its reading, also when nothing was due or won in it.
    """
    base = cut.base
    past = base.windows.past(8)
    new = nw.col("business_type") == "new"
    due = due_pipeline(Cut(base, "quarter")).filter(new).with_columns(past_quarter=nw.col("due_in"))
    due = due.group_by("horizon", "segment", "past_quarter").agg(due=nw.col("amount").sum())
    won = opportunities_closed(Cut(base, "quarter")).filter(new, nw.col("is_won"))
    won = won.with_columns(past_quarter=nw.col("quarter"))
    won = won.group_by("segment", "past_quarter").agg(won=nw.col("amount").sum())
    segments = nw.concat([due.select("segment"), won.select("segment")]).unique()
    grid = past.join(segments, how="cross")
    both = grid.join(due, on=["horizon", "past_quarter", "segment"], how="left")
    both = both.join(won, on=["past_quarter", "segment"], how="left")
    zeros = {name: nw.col(name).fill_null(0.0) for name in ("due", "won")}
    return both.with_columns(**zeros).join(cut.windows, on="quarter")


@fact(one_row_per=("horizon", "due_in", "goal", "segment"), needs=("targets",))
def revenue_targets(cut: Cut) -> Frame:
    """Revenue targets of the periods that a window is held against: its own, and those that pipeline is due in.

    Source: targets of `closed_won_revenue`. `goal` is `all`, `new`, each of these by segment, or `marketing` (the target of
    marketing_sourced_revenue). Benchmarks and targets in another currency are no targets.
    """
    base = cut.base
    reporting = cut.config.company.currency
    agreed = (nw.col("kind").fill_null("target") == "target") & (nw.col("currency").fill_null(reporting) == reporting)
    targets = base.tables.targets.filter(agreed).with_columns(
        slice_by=nw.col("slice_by").fill_null(""), slice=nw.col("slice").fill_null("")
    )
    whole = nw.col("slice_by") == ""
    revenue, sourced = nw.col("metric") == "closed_won_revenue", nw.col("metric") == "marketing_sourced_revenue"
    by_type, by_segment = nw.col("slice_by") == "business_type", nw.col("slice_by") == "business_type/segment"
    goal = (
        nw.when(revenue & whole).then(nw.lit("all")).when(sourced & whole).then(nw.lit("marketing"))
        .when(revenue & by_type & (nw.col("slice") == "new")).then(nw.lit("new"))
        .when(revenue & by_segment & nw.col("slice").str.starts_with("new/")).then(nw.lit("new by segment"))
        .when(revenue & (nw.col("slice_by") == "segment")).then(nw.lit("all by segment"))
    )  # fmt: skip
    targets = targets.with_columns(goal=goal, due_in=nw.col("period")).filter(~nw.col("goal").is_null())
    # After `new/`; in a slice of several parts a `/` of a name is written %2F.
    second = nw.col("slice").str.slice(len("new/"))
    for code, character in (("%2F", "/"), ("%25", "%")):
        second = second.str.replace_all(code, character, literal=True)
    targets = targets.with_columns(
        segment=nw.when(nw.col("goal") == "new by segment")
        .then(second)
        .when(nw.col("goal") == "all by segment")
        .then(nw.col("slice")),
        source_owner=nw.when(nw.col("goal") == "marketing").then(nw.lit("marketing")),
    )
    return targets.join(base.windows.goals(cut.kind), on="due_in").with_columns(amount=nw.col("value"))
