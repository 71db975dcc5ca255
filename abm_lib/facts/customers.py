"""Customers and their recurring revenue: who paid at a window's edge, and what became of what they paid by its end."""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, accounts, day_number, fact, within
from .opportunities import with_accounts

OPENING, GROWN, LOST = "opening", ("cross_sell", "upsell", "other_expansion"), ("contraction", "churn")
HALF_A_CENT = 0.005  # sums of doubles miss 0 by less


def known_changes(cut: Cut) -> Frame:
    """Every change of recurring revenue that took effect before the end of each window and was recorded in time.

    A quarter's start is seen with the knowledge of its end, so that a late record leaves no gap between the two.
    """
    ends = cut.base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "known_until")
    changes = cut.tables.subscriptions.select(
        "event_id", "account_id", "effective_on", "kind", "arr_change", "currency", "recorded_at",
        expansion_kind=nw.col("expansion_kind").fill_null("not stated"),
    )  # fmt: skip
    known = nw.col("recorded_at").is_null() | (nw.col("recorded_at") < nw.col("known_until"))
    windows = cut.windows.join(ends, on="quarter")
    return windows.join(changes, how="cross").filter(nw.col("effective_on") < nw.col("end_on"), known)


@fact(one_row_per=("account_id",), needs=("subscriptions|account_stages",))
def customers_at_end(cut: Cut) -> Frame:
    """Customers at the end of the window: accounts with recurring revenue above 0.

    Where nobody delivers subscriptions, accounts whose last stage is customer or renewal; `rule` says which of the two it is.
    """
    by_revenue = "subscriptions" in cut.tables.delivered
    found = _with_revenue(cut) if by_revenue else _in_stage(cut)
    rule = "recurring revenue above 0" if by_revenue else "stage customer or renewal"
    return with_accounts(cut.base, found).with_columns(rule=nw.lit(rule))


def _with_revenue(cut: Cut) -> Frame:
    sums = (
        known_changes(cut).group_by("quarter", "window", "account_id", "currency").agg(arr=nw.col("arr_change").sum())
    )
    return sums.filter(nw.col("arr") > 0).select("quarter", "window", "account_id").unique()


def _in_stage(cut: Cut) -> Frame:
    ends = cut.base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "edge_at", "known_until")
    stages = cut.tables.account_stages.select("account_id", "stage", "entered_at", "recorded_at")
    known = nw.col("recorded_at").is_null() | (nw.col("recorded_at") < nw.col("known_until"))
    past = ends.join(stages, how="cross").filter(nw.col("entered_at") < nw.col("edge_at"), known)
    after = nw.col("entered_at").shift(-1).over("quarter", "account_id", order_by="entered_at")
    last = past.with_columns(_after=after).filter(nw.col("_after").is_null())
    customers = last.filter(nw.col("stage").is_in(["customer", "renewal"])).select("quarter", "account_id")
    return cut.windows.select("quarter", "window").join(customers, on="quarter")


@fact(one_row_per=("account_id", "currency", "movement"), needs=("subscriptions",))
def recurring_revenue(cut: Cut) -> Frame:
    """What the customers at the window's start paid then, and every movement of it until the window's end.

    Yearly revenue at the rate of the window's first day, so that no exchange rate moves it. `movement` is opening,
    cross_sell, upsell, other_expansion, contraction or churn; `amount` is signed, and the movements of an account add up to
    what is left. `gross` stands on the opening row: what is left of it without any growth, at least 0. What an account
    newly buys after the start belongs to no cohort. `is_retained`: the account pays anything at the end.
    """
    keys = ("quarter", "window", "account_id")
    moved = known_changes(cut).with_columns(movement=_movement()).filter(~nw.col("movement").is_null())
    moved = moved.group_by(*keys, "start_on", "currency", "movement").agg(amount=nw.col("arr_change").sum())
    moved = _with_cohort(moved.with_columns(amount=nw.col("amount").cast(nw.Float64)), keys)
    left = nw.col("_opening") + nw.col("_lost")
    gross = nw.when(nw.col("movement") == OPENING).then(nw.when(left > 0).then(left).otherwise(0.0))
    held = moved.filter(nw.col("_was") == 1, nw.col("movement") != "new").with_columns(
        gross=gross, is_retained=nw.col("_is") == 1
    )
    priced = cut.base.priced(cut.base.priced(held, "amount", "start_on"), "gross", "start_on")
    return _described(cut, priced.drop("start_on")).join(_since(cut), on="account_id", how="left")


def _movement() -> nw.Expr:
    """Its kind before the window is of no matter; a renewal counts by what it changed."""
    kind, grows = nw.col("kind"), nw.col("arr_change") > 0
    named = nw.col("expansion_kind").is_in(["cross_sell", "upsell"])
    return (
        nw.when(nw.col("effective_on") < nw.col("start_on")).then(nw.lit(OPENING))
        .when((kind == "expansion") & named).then(nw.col("expansion_kind"))
        .when((kind == "expansion") | ((kind == "renewal") & grows)).then(nw.lit("other_expansion"))
        .when(kind == "churn").then(nw.lit("churn"))
        .when((kind == "contraction") | ((kind == "renewal") & (nw.col("arr_change") < 0))).then(nw.lit("contraction"))
        .when(kind.is_in(["new", "opening"])).then(nw.lit("new"))
    )  # fmt: skip


def _with_cohort(moved: Frame, keys: tuple[str, ...]) -> Frame:
    """Per account and currency what it opened with, lost and ends with; per account whether it was and is a customer."""
    own, amount, movement = (*keys, "currency"), nw.col("amount"), nw.col("movement")
    moved = moved.with_columns(
        _opening=nw.when(movement == OPENING).then(amount).otherwise(0.0).sum().over(*own),
        _lost=nw.when(movement.is_in(LOST)).then(amount).otherwise(0.0).sum().over(*own),
        _end=amount.sum().over(*own),
    )
    return moved.with_columns(
        _was=nw.when(nw.col("_opening") > HALF_A_CENT).then(1).otherwise(0).max().over(*keys),
        _is=nw.when(nw.col("_end") > HALF_A_CENT).then(1).otherwise(0).max().over(*keys),
    )


def _described(cut: Cut, frame: Frame) -> Frame:
    """The account's attributes when the window began; unknown where the accounts have none of that id."""
    names = {"segment": accounts.UNKNOWN, "target": accounts.OUTSIDE, "tier": accounts.OUTSIDE}
    at_start = accounts.accounts_at_start(cut).select("quarter", "window", "account_id", *names)
    words = {name: nw.col(name).fill_null(word) for name, word in names.items()}
    return frame.join(at_start, on=["quarter", "window", "account_id"], how="left").with_columns(**words)


def _since(cut: Cut) -> Frame:
    """account_id, cohort: the year in which the account became a customer."""
    opened = nw.when(nw.col("kind") == "opening").then(nw.col("effective_on"))
    first = cut.tables.subscriptions.group_by("account_id").agg(
        first_on=nw.col("effective_on").min(), opened=opened.min()
    )
    first = first.join(cut.tables.accounts.select("account_id", "customer_since"), on="account_id", how="left")
    given, year = nw.col("customer_since"), nw.col("first_on").dt.year().cast(nw.String)
    return first.select(
        "account_id",
        cohort=nw.when(~given.is_null()).then(given.dt.year().cast(nw.String))
        .when(~nw.col("opened").is_null()).then(nw.lit("before the data")).otherwise(year),
    )  # fmt: skip


@fact(one_row_per=("event_id",), needs=("subscriptions",))
def expansions(cut: Cut) -> Frame:
    """Expansions of recurring revenue that took effect in the window, at the rate of that day."""
    grown = known_changes(cut).filter(nw.col("kind") == "expansion", within("effective_on"))
    priced = cut.base.priced(grown, "arr_change", "effective_on", "amount")
    return with_accounts(cut.base, priced)


@fact(one_row_per=("account_id",), needs=("subscriptions",))
def customer_tenures(cut: Cut) -> Frame:
    """Everyone who ever paid and whose start is known, in renewals of a year: how many they stayed for, or at which they left.

    `left_at` is the year's end nearest to the end of the revenue, 0 for those who still pay; `stayed` the years since the start;
    `seen_from` the years gone when the records begin, for who left before is in none.
    """
    changes, keys = known_changes(cut), ("quarter", "window", "account_id")
    opened = nw.when(nw.col("kind") == "opening").then(nw.col("effective_on")).min()
    lost = nw.when(nw.col("arr_change") < 0).then(nw.col("effective_on")).max()
    own = changes.group_by(*keys, "end_on").agg(
        _first_on=nw.col("effective_on").min(), _opened_on=opened, _lost_on=lost, _arr=nw.col("arr_change").sum()
    )
    own = own.join(cut.tables.accounts.select("account_id", "customer_since"), on="account_id", how="left")
    fresh = nw.when(nw.col("_opened_on").is_null()).then(nw.col("_first_on"))
    own = own.with_columns(
        _since=nw.coalesce(nw.col("customer_since"), fresh), _gone=nw.col("_arr").cast(nw.Float64) <= HALF_A_CENT
    )
    own = own.filter(~nw.col("_since").is_null(), nw.col("_since") <= nw.col("_first_on"))
    days = {
        name: day_number(until) - day_number("_since")
        for name, until in (("_left", "_lost_on"), ("_age", "end_on"), ("_seen", "_first_on"))
    }
    own = own.with_columns(**days).with_columns(seen_from=_years("_seen"))
    nearest = (nw.col("_left") * 8 + 1461) // 2922
    at_least = nw.col("seen_from") + 1
    left = nw.when(nearest < at_least).then(at_least).otherwise(nearest)
    return own.with_columns(left_at=nw.when(nw.col("_gone")).then(left).otherwise(0), stayed=_years("_age"))


def _years(days: str) -> nw.Expr:
    """Whole years of 365.25 days."""
    return (nw.col(days) * 4) // 1461
