"""Opportunities as known at a moment, and the cuts of them that metrics count: qualified, closed, open, due, by cohort."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, day_number, fact, to_the_cent, within

KEY = ("quarter", "moment", "opportunity_id")


def known_history(base: Base, moment: str) -> Frame:
    """Every recorded state that had taken effect and was known at the moment, for each quarter."""
    moments = base.windows.moments(moment)
    if moment == "as_of_day":  # no past quarter is read for its track
        moments = moments.filter(base.is_shown)
    known = (nw.col("effective_at") < nw.col("read_at")) & (nw.col("known_at") < nw.col("known_until"))
    return moments.join(_numbered(base), how="cross").filter(known)


ORDER = ["effective_at", "known_at", "changed_at"]
FIRST, LAST = "_largest_first", "_largest_last"


def _numbered(base: Base) -> Frame:
    """Every recorded state with its place in its opportunity's history, counted once for all moments.

    Of states that took effect at one instant, FIRST counts the largest amount first and LAST counts it last.
    """

    def numbered() -> Frame:
        history = base.tables.opportunity_history.with_columns(
            _one=nw.lit(1), _less=(-nw.col("amount").cast(nw.Float64)).fill_null(float("inf"))
        )
        orders = {"_place": ORDER, FIRST: ["effective_at", "_less"], LAST: ["effective_at", "amount"]}
        places = {
            name: nw.col("_one").cum_sum().over("opportunity_id", order_by=order) for name, order in orders.items()
        }
        return history.with_columns(**places).drop("_one", "_less")

    return base.once("numbered history", numbered)


def states(base: Base, moment: str) -> Frame:
    """One row per quarter, moment and opportunity known by then: its last state, and what its history says.

    `amount` and `own_qualified`, that of the day of qualification, are in the currency of the opportunity. In the reporting
    currency: `amount_closed` and `amount_contested` (the last amount above zero before the close) at the rate of the close,
    `amount_open` at that of the day read.
    """
    qualified, worth = nw.when(nw.col("is_qualified")), nw.when(nw.col("amount") > 0)
    seen = known_history(base, moment).group_by(*KEY).agg(
        nw.col("_place").max(),
        qualified.then(nw.col(FIRST)).min().alias(FIRST),
        worth.then(nw.col(LAST)).max().alias(LAST),
        qualified_at=qualified.then(nw.col("effective_at")).min(),
        qualified_on=qualified.then(nw.col("effective_on")).min(),
        _first_on=nw.col("effective_on").min(),
    )  # fmt: skip
    history = _numbered(base)
    last = seen.join(history.drop(FIRST, LAST), on=["opportunity_id", "_place"])
    last = last.join(base.windows.moments(moment), on=["quarter", "moment"])
    for place, amount in ((FIRST, "_qualified"), (LAST, "_contested")):
        held = history.select("opportunity_id", place, nw.col("amount").alias(amount))
        last = last.join(held, on=["opportunity_id", place], how="left")
    closed_on = nw.when(nw.col("is_won") | nw.col("is_lost")).then(
        nw.coalesce(nw.col("close_on"), nw.col("effective_on"))
    )
    last = last.with_columns(closed_on=closed_on)
    for amount, day, into in (
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
        "source_detail", "campaign_id", "promotion", "term_months", "annual_value", "one_off_amount", "last_activity_on", "survivor_id",
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
        "term_months", "annual_value", "one_off_amount", "last_activity_on", "survivor_id", "amount_closed",
        "amount_contested", "amount_open", "business_type", "read_at",
        own_qualified=nw.col("_qualified"), competitor=nw.col("competitor").fill_null("none named"),
        created_on=nw.coalesce(nw.col("created_on"), nw.col("_first_on")),
        is_open=nw.col("is_open") & nw.col("is_qualified"), **worded,
    )  # fmt: skip


def described(cut: Cut, moment: str) -> Frame:
    """States at a moment with the account as it stood at the quarter's start; deleted and merged ones are left out."""
    base = cut.base

    def known() -> Frame:
        accounts.at_edge(base, "start")  # held first: DuckDB binds what was begun before a table was made once more
        return with_accounts(base, states(base, moment).filter(~nw.col("is_deleted")))

    # The many days of the track have one reader, who asks for few of their rows.
    return known() if moment == "as_of_day" else base.once(f"described at {moment}", known)


def with_accounts(base: Base, frame: Frame) -> Frame:
    """The account's attributes at the quarter's start beside each row; unknown where a row names no account."""
    at_start = accounts.at_edge(base, "start")
    words = {c: nw.col(c).fill_null(accounts.UNKNOWN) for c in ("segment", "industry", "region", "icp")}
    words |= {c: nw.col(c).fill_null(accounts.OUTSIDE) for c in ("target", "tier", "programme")}
    return frame.join(at_start, on=["quarter", "account_id"], how="left").with_columns(**words)


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities"), is_held=False)
def opportunities_qualified(cut: Cut) -> Frame:
    """Opportunities that entered the qualified stage in the window, at the amount they entered with (definitions 2.6).

    Counts: first entry only; reopened ones once; deleted and merged ones not.
    """

    def created() -> Frame:
        known = described(cut, "end").join(cut.windows, on="quarter").filter(within("qualified_on"))
        return cut.base.priced(known, "own_qualified", "qualified_on", "amount", earlier=True)

    # Held here, since other facts begin with it.
    return cut.base.once(f"qualified {cut.kind}", created)


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities"))
def opportunities_closed(cut: Cut) -> Frame:
    """Opportunities won or lost with a close date in the window, as known when the quarter had settled.

    Counts: `is_contest` leaves out those never qualified and those lost for a reason that abm.toml calls disqualified.
    """
    return closed(cut).join(cut.windows, on="quarter").filter(within("closed_on"))


def closed(cut: Cut) -> Frame:
    """Every opportunity known as closed at the end of each quarter, whenever it closed."""
    return cut.base.once("closed", lambda: _closed(cut))


def _closed(cut: Cut) -> Frame:
    base = cut.base
    known = described(cut, "end").filter(nw.col("is_won") | nw.col("is_lost"))
    disqualified = nw.col("loss_reason").fill_null("").is_in(cut.config.win_rate.disqualified_reasons)
    first = nw.when(nw.col("is_won")).then(nw.col("closed_on")).min().over("quarter", "account_id")
    fresh = nw.col("customer_since").is_null() | (nw.col("customer_since") >= nw.col("closed_on"))
    known = base.priced(known, "amount", "closed_on", earlier=True).with_columns(
        is_contest=~nw.col("qualified_on").is_null() & ~(nw.col("is_lost") & disqualified),
        is_first_win=nw.col("is_won") & (nw.col("closed_on") == first) & fresh,
        cycle_days=(day_number("closed_on") - day_number("qualified_on")).cast(nw.Float64),
        is_promotion=nw.col("is_promotion") | ~nw.col("promotion").is_null(),
        promotion=nw.col("promotion").fill_null("no promotion"),
        loss_reason=nw.col("loss_reason").fill_null("not stated"), win_reason=nw.col("win_reason").fill_null("not stated"),
    )  # fmt: skip
    return valued(base, known, "closed_on")


def valued(base: Base, deals: Frame, day: str) -> Frame:
    """`contract_value` of a year: what the source says, else the amount without one-off fees, for twelve months of its term."""
    for amount in ("annual_value", "one_off_amount"):
        deals = base.priced(deals, amount, day, f"_{amount}")
    lasting = nw.col("amount") - nw.when(nw.col("one_off_amount").is_null()).then(0.0).otherwise(
        nw.col("_one_off_amount")
    )
    annualised = lasting * 12 / nw.when(nw.col("term_months") > 0).then(nw.col("term_months"))
    return deals.with_columns(contract_value=to_the_cent(nw.coalesce(nw.col("_annual_value"), annualised)))


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities"))
def open_opportunities(cut: Cut) -> Frame:
    """Qualified opportunities open at the end of the quarter, at the rate of its last day."""
    known = described(cut, "end").filter(nw.col("is_open")).join(cut.windows, on="quarter")
    named = cut.base.windows.quarter_days().select(close_on="day", _due="due_in")
    overdue = (nw.col("close_on") <= nw.col("rated_on")).fill_null(False)
    due = nw.when(nw.col("close_on").is_null()).then(nw.lit("no close date")).when(overdue).then(nw.lit("overdue"))
    known = cut.base.priced(known, "amount", "rated_on", earlier=True)
    known = known.join(named, on="close_on", how="left").with_columns(
        close_quarter=due.otherwise(nw.col("_due").fill_null("later")),
    )
    quiet = day_number("rated_on") - day_number("last_activity_on") > cut.config.stale_after_days
    return known.with_columns(is_stale=overdue | quiet.fill_null(False))
