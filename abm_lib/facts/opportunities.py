"""Opportunities as known at a moment, and the cuts of them that metrics count: qualified, closed, open, due, by cohort."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, day_number, fact, within

KEY = ("quarter", "moment", "opportunity_id")


def states(base: Base, moment: str) -> Frame:
    """One row per quarter, moment and opportunity known by then: its last state, and what its history says.

    Amounts are in the reporting currency: `amount_qualified` at the rate of that day, `amount_closed` and
    `amount_contested` (the last amount above zero before the close) at that of the close, `amount_open` at that of the
    day read.
    """
    return base.once(f"states at {moment}", lambda: _states(base, moment))


def known_history(base: Base, moment: str) -> Frame:
    """Every recorded state that had taken effect and was known at the moment, oldest first within (quarter, opportunity)."""
    moments = base.windows.moments(moment)
    known = (nw.col("effective_at") < nw.col("read_at")) & (nw.col("known_at") < nw.col("known_until"))
    return moments.join(base.tables.opportunity_history, how="cross").filter(known)


ORDER = ["effective_at", "known_at", "changed_at"]


def _states(base: Base, moment: str) -> Frame:
    """The last row of each history, with the first qualified and the last priced row's facts beside it."""
    history = known_history(base, moment)
    qualified = nw.col("is_qualified")
    worth = nw.col("amount") > 0
    marked = history.with_columns(
        _next=nw.col("effective_at").shift(-1).over(*KEY, order_by=ORDER),
        qualified_at=nw.when(qualified).then(nw.col("effective_at")).min().over(*KEY),
        qualified_on=nw.when(qualified).then(nw.col("effective_on")).min().over(*KEY),
        _first_on=nw.col("effective_on").min().over(*KEY),
        _worth_at=nw.when(worth).then(nw.col("effective_at")).max().over(*KEY),
    )
    marked = marked.with_columns(
        _qualified=nw.when(nw.col("effective_at") == nw.col("qualified_at")).then(nw.col("amount")).max().over(*KEY),
        _contested=nw.when(nw.col("effective_at") == nw.col("_worth_at")).then(nw.col("amount")).max().over(*KEY),
    )
    last = marked.filter(nw.col("_next").is_null())
    closed_on = nw.when(nw.col("is_won") | nw.col("is_lost")).then(
        nw.coalesce(nw.col("close_on"), nw.col("effective_on"))
    )
    last = last.with_columns(closed_on=closed_on)
    for amount, day, into in (
        ("_qualified", "qualified_on", "amount_qualified"),
        ("amount", "closed_on", "amount_closed"),
        ("_contested", "closed_on", "amount_contested"),
        ("amount", "rated_on", "amount_open"),
    ):
        last = base.priced(last, amount, day, into)
    return _described(base, last)


def _described(base: Base, last: Frame) -> Frame:
    """Names and origins joined to the last state. A merged opportunity lives on in its survivor and is left out."""
    tables = base.tables
    given = tables.opportunities.select(
        "opportunity_id", "account_id", "created_on", "expansion_kind", "competitor", "loss_reason", "win_reason",
        "source_detail", "campaign_id", "promotion", "term_months", "annual_value", "last_activity_at", "survivor_id",
        _type="business_type", _owner="owner_id", is_promotion=nw.col("is_promotion").fill_null(False),
        _qualified_at="qualified_at",
    )  # fmt: skip
    owners = tables.owners.select("owner_id", owner="label")
    campaigns = tables.campaigns.select("campaign_id", campaign="name")
    origins = tables.opportunity_origins.select("opportunity_id", "source_owner", "channel")
    joined = (
        last.join(given, on="opportunity_id").join(origins, on="opportunity_id", how="left")
        .with_columns(business_type=nw.coalesce(nw.col("business_type"), nw.col("_type")),
                      owner_id=nw.coalesce(nw.col("owner_id"), nw.col("_owner")))
        .join(owners, on="owner_id", how="left").join(campaigns, on="campaign_id", how="left")
    )  # fmt: skip
    worded = {
        c: nw.col(c).fill_null(accounts.UNKNOWN)
        for c in ("owner", "campaign", "source_owner", "channel", "source_detail")
    }
    return joined.select(
        *KEY, "account_id", "stage", "currency", "amount", "close_on", "closed_on", "qualified_on", "qualified_at", "rated_on",
        "is_won", "is_lost", "is_deleted", "expansion_kind", "loss_reason", "win_reason", "is_promotion", "promotion",
        "term_months", "annual_value", "last_activity_at", "survivor_id", "amount_qualified", "amount_closed",
        "amount_contested", "amount_open", "business_type", "read_at",
        competitor=nw.col("competitor").fill_null("none named"),
        created_on=nw.coalesce(nw.col("created_on"), nw.col("_first_on")),
        is_open=nw.col("is_open") & nw.col("is_qualified"), **worded,
    )  # fmt: skip


def described(cut: Cut, moment: str) -> Frame:
    """States at a moment with the account as it stood at the quarter's start; deleted and merged ones are left out."""
    base = cut.base
    return base.once(f"described at {moment}", lambda: with_accounts(
        base, states(base, moment).filter(~nw.col("is_deleted"), nw.col("survivor_id").is_null())
    ))  # fmt: skip


def with_accounts(base: Base, frame: Frame) -> Frame:
    """The account's attributes at the quarter's start beside each row; unknown where a row names no account."""
    at_start = accounts.at_edge(base, "start")
    words = {c: nw.col(c).fill_null(accounts.UNKNOWN) for c in ("segment", "industry", "region", "icp")}
    words |= {c: nw.col(c).fill_null(accounts.OUTSIDE) for c in ("target", "tier", "programme")}
    return frame.join(at_start, on=["quarter", "account_id"], how="left").with_columns(**words)


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes"))
def opportunities_qualified(cut: Cut) -> Frame:
    """Opportunities that entered the qualified stage in the window, at the amount they entered with (definitions 2.6).

    Counts: first entry only; reopened ones once; deleted and merged ones not.
    """
    known = described(cut, "end").join(cut.windows, on="quarter")
    return known.filter(within("qualified_on")).with_columns(amount=nw.col("amount_qualified"))


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes"))
def opportunities_closed(cut: Cut) -> Frame:
    """Opportunities won or lost with a close date in the window, as known when the quarter had settled.

    Counts: `is_contest` leaves out those never qualified and those lost for a reason that abm.toml calls disqualified.
    """
    base = cut.base
    known = described(cut, "end").filter(nw.col("is_won") | nw.col("is_lost"))
    disqualified = nw.col("loss_reason").fill_null("").is_in(cut.config.win_rate.disqualified_reasons)
    first = nw.when(nw.col("is_won")).then(nw.col("closed_on")).min().over("quarter", "account_id")
    fresh = nw.col("customer_since").is_null() | (nw.col("customer_since") >= nw.col("closed_on"))
    known = known.with_columns(
        is_contest=~nw.col("qualified_on").is_null() & ~(nw.col("is_lost") & disqualified),
        is_first_win=nw.col("is_won") & (nw.col("closed_on") == first) & fresh,
        cycle_days=(day_number("closed_on") - day_number("qualified_on")).cast(nw.Float64),
        amount=nw.col("amount_closed"),
        is_promotion=nw.col("is_promotion") | ~nw.col("promotion").is_null(),
        promotion=nw.col("promotion").fill_null("no promotion"),
        loss_reason=nw.col("loss_reason").fill_null("not stated"), win_reason=nw.col("win_reason").fill_null("not stated"),
    )  # fmt: skip
    known = base.priced(known, "annual_value", "closed_on", "_annual_value")
    annualised = nw.col("amount") * 12 / nw.when(nw.col("term_months") > 0).then(nw.col("term_months"))
    known = known.with_columns(contract_value=((nw.coalesce(nw.col("_annual_value"), annualised)) * 100).round() / 100)
    return known.join(cut.windows, on="quarter").filter(within("closed_on"))


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes"))
def open_opportunities(cut: Cut) -> Frame:
    """Qualified opportunities open at the end of the quarter, at the rate of its last day."""
    known = described(cut, "end").filter(nw.col("is_open")).join(cut.windows, on="quarter")
    named = cut.base.windows.quarter_days().select(close_on="day", _due="due_in")
    overdue = (nw.col("close_on") <= nw.col("rated_on")).fill_null(False)
    due = nw.when(nw.col("close_on").is_null()).then(nw.lit("no close date")).when(overdue).then(nw.lit("overdue"))
    known = known.join(named, on="close_on", how="left").with_columns(
        amount=nw.col("amount_open"),
        close_quarter=due.otherwise(nw.col("_due").fill_null("later")),
        _active_on=nw.col("last_activity_at").dt.date(),
    )
    quiet = day_number("rated_on") - day_number("_active_on") > cut.config.stale_after_days
    return known.with_columns(is_stale=overdue | quiet.fill_null(False))


@fact(one_row_per=("horizon", "opportunity_id"), needs=("opportunities", "opportunity_changes"))
def due_pipeline(cut: Cut) -> Frame:
    """Open pipeline due in a quarter: this one read at the end of day `coverage.read_on_day`, the next two at its end."""
    base = cut.base
    moments = [described(cut, moment) for moment in ("read_on_day", "end")]
    known = nw.concat([frame.filter(nw.col("is_open")) for frame in moments])
    due = known.join(base.windows.ahead(), on=["quarter", "moment"])
    due = due.filter(nw.col("close_on") >= nw.col("due_from"), nw.col("close_on") < nw.col("due_to"))
    return due.join(cut.windows, on="quarter").with_columns(amount=nw.col("amount_open"))


@fact(one_row_per=("as_of_day", "opportunity_id"), needs=("opportunities", "opportunity_changes"))
def due_by_day(cut: Cut) -> Frame:
    """Open pipeline due in the quarter, read on several days of it: the track that coverage takes."""
    known = described(cut, "as_of_day").filter(nw.col("is_open")).join(cut.windows, on="quarter")
    return known.filter(within("close_on")).with_columns(amount=nw.col("amount_open"), as_of_day=nw.col("moment"))


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes"))
def won_by_reading_day(cut: Cut) -> Frame:
    """Won with a close date in the quarter by the end of day `coverage.read_on_day`: what its target already has."""
    known = described(cut, "read_on_day").filter(nw.col("is_won")).join(cut.windows, on="quarter")
    return known.filter(within("closed_on")).with_columns(amount=nw.col("amount_closed"))


@fact(one_row_per=("horizon", "past_quarter", "segment"), needs=("opportunities", "opportunity_changes"))
def past_conversion(cut: Cut) -> Frame:
    """For each of the eight quarters before: new business due in it when it was read, and new business won in it (S0-64)."""
    base = cut.base
    new = nw.col("business_type") == "new"
    due = (
        due_pipeline(Cut(base, "quarter"))
        .filter(new)
        .group_by("horizon", "due_in", "segment")
        .agg(due=nw.col("amount").sum())
    )
    won = opportunities_closed(Cut(base, "quarter")).filter(new, nw.col("is_won"))
    won = won.group_by("quarter", "segment").agg(won=nw.col("amount").sum())
    horizons = due.select("horizon").unique()
    won = won.join(horizons, how="cross").select(
        "horizon", "segment", "won", due=nw.lit(0.0), past_quarter=nw.col("quarter")
    )
    due_rows = due.select("horizon", "segment", "due", won=nw.lit(0.0), past_quarter=nw.col("due_in"))
    columns = ["horizon", "past_quarter", "segment"]
    both = nw.concat([due_rows, won.select("horizon", "segment", "due", "won", "past_quarter")])
    both = both.group_by(*columns).agg(due=nw.col("due").fill_null(0.0).sum(), won=nw.col("won").fill_null(0.0).sum())
    # A past quarter counts only where its own reading could be taken: the data must reach back to it.
    read = base.windows.past(8).join(due.select("horizon", past_quarter="due_in").unique(), on="past_quarter")
    return read.join(both, on=["horizon", "past_quarter"]).join(cut.windows, on="quarter")


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes"))
def opportunity_cohorts(cut: Cut) -> Frame:
    """Opportunities by the quarter they were qualified in, each with its state at the end of the quarter reported.

    `window` is the quarter of qualification. `is_headline` marks the newest mature cohort: four fifths closed, or older
    than one and a half times the median days to win.
    """
    known = described(cut, "end").join(cut.windows, on="quarter").filter(within("qualified_on"))
    new = nw.col("business_type") == "new"
    closed = nw.when(new & (nw.col("is_won") | nw.col("is_lost"))).then(1).otherwise(0).sum().over("quarter", "window")
    size = nw.when(new).then(1).otherwise(0).sum().over("quarter", "window")
    known = known.with_columns(_closed=closed, _size=size, _age=day_number("rated_on") - day_number("end_on") + 1)
    known = known.join(_median_cycle(cut), on="quarter", how="left")
    old = (nw.col("_age") >= nw.col("_median_cycle") * 1.5).fill_null(False)
    known = known.with_columns(is_mature=(nw.col("_closed") * 5 >= nw.col("_size") * 4) & (nw.col("_size") > 0) | old)
    newest = nw.when(nw.col("is_mature") & (nw.col("_size") > 0)).then(nw.col("window")).max().over("quarter")
    return known.with_columns(is_headline=nw.col("window") == newest, creation_quarter=nw.col("window"))


def _median_cycle(cut: Cut) -> Frame:
    """Median days from qualified to won, per quarter, over the trailing eight."""
    won = opportunities_closed(Cut(cut.base, "trailing_8_quarters")).filter(
        nw.col("is_won"), nw.col("business_type") == "new"
    )
    return cut.base.once(
        "median cycle", lambda: won.group_by("quarter").agg(_median_cycle=nw.col("cycle_days").median())
    )


@fact(one_row_per=("opportunity_id",), needs=("opportunities", "opportunity_changes"))
def opportunity_ages(cut: Cut) -> Frame:
    """Opportunities qualified in the window, with the days until they closed or, still open, until the quarter's end."""
    known = described(cut, "end").join(cut.windows, on="quarter").filter(within("qualified_on"))
    until = nw.when(nw.col("is_open")).then(nw.col("rated_on")).otherwise(nw.col("closed_on"))
    known = known.with_columns(_until=until, promotion=nw.col("promotion").fill_null("no promotion"))
    days = (day_number("_until") - day_number("qualified_on")).cast(nw.Float64)
    return known.with_columns(age_days=days).filter(nw.col("age_days") >= 0)


@fact(one_row_per=("horizon", "goal", "segment"), needs=("targets",))
def revenue_targets(cut: Cut) -> Frame:
    """New-business revenue targets of the quarters that pipeline is due in, and all revenue targets of the quarter itself.

    Source: targets of `closed_won_revenue`. `goal` is `all`, `new`, or `marketing` (the target of marketing_sourced_revenue).
    """
    base = cut.base
    targets = base.tables.targets.filter(nw.coalesce(nw.col("kind"), nw.lit("target")) == "target").with_columns(
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
    targets = targets.with_columns(segment=nw.col("slice").str.replace_all("new/", "", literal=True))
    targets = targets.with_columns(source_owner=nw.when(sourced).then(nw.lit("marketing")).otherwise(nw.lit("")))
    ahead = base.windows.ahead().select("quarter", "horizon", "due_in")
    return targets.join(ahead, on="due_in").join(cut.windows, on="quarter").with_columns(amount=nw.col("value"))
