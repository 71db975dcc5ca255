"""The target list at both ends of a window: who is on it, who joined, who left, who changed tier."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import narwhals as nw

from . import Base, Cut, Frame, fact
from .accounts import UNKNOWN, at_edge


@fact(one_row_per=("account_id",), needs=("account_lists", "accounts"))
def target_list(cut: Cut) -> Frame:
    """Accounts on the target list on the last day of the quarter, or on the day before it began, and how they moved.

    `is_target` tells those on it at the end; `movement` is joined, left, re_tiered, or nothing. Tier and programme are
    those at the end, of an account that left the last ones it had.
    """
    key = ["quarter", "window", "account_id"]
    before = _listed(cut, "start_on").select(*key, _tier="tier", _programme="programme", was_target="is_target")
    accounts = at_edge(cut.base, "end").select("quarter", "account_id", "account", "segment", "industry", "region")
    every = accounts.join(cut.windows, on="quarter").join(_listed(cut, "end_on"), on=key, how="left")
    every = every.join(before, on=key, how="left").join(_sizes(cut.base), on=["quarter", "account_id"], how="left")
    now, was = nw.col("is_target").fill_null(False), nw.col("was_target").fill_null(False)
    movement = nw.when(~was).then(nw.lit("joined")).when(~now).then(nw.lit("left"))
    return every.filter(now | was).with_columns(
        is_target=now, intent_level=nw.col("intent_level").fill_null(UNKNOWN),
        movement=movement.when(nw.col("tier") != nw.col("_tier")).then(nw.lit("re_tiered")),
        tier=nw.coalesce(nw.col("tier"), nw.col("_tier")),
        programme=nw.coalesce(nw.col("programme"), nw.col("_programme")),
        employees_band=_band("employees", cut.config.bands.employees),
        revenue_band=_band("annual_revenue", cut.config.bands.revenue),
    ).drop("_tier", "_programme", "was_target")  # fmt: skip


def _listed(cut: Cut, edge: str) -> Frame:
    """The list on the day before a window begins or ends: a list renewed on its first day belongs to the window."""
    known_until = cut.base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "known_until")
    lists = cut.tables.account_lists.filter(nw.col("is_target")).with_columns(
        valid_to=nw.col("valid_to").fill_null(date(9999, 1, 1))
    )
    held = (nw.col("valid_from") < nw.col(edge)) & (nw.col("valid_to") >= nw.col(edge))
    known = nw.col("recorded_at").is_null() | (nw.col("recorded_at") < nw.col("known_until"))
    rows = cut.windows.join(known_until, on="quarter").join(lists, how="cross").filter(held, known)
    return rows.select(
        "quarter", "window", "account_id", "is_target", "intent_level",
        tier=nw.col("tier").fill_null(UNKNOWN), programme=nw.col("programme").fill_null(UNKNOWN),
    )  # fmt: skip


def _sizes(base: Base) -> Frame:
    """quarter, account_id, employees, annual_revenue as last told before the quarter's end, at its last day's rate."""
    return base.once("account sizes", lambda: _sized(base))


def _sized(base: Base) -> Frame:
    edges = base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "edge_at")
    edges = edges.join(base.windows.moments("end").select("quarter", "rated_on"), on="quarter")
    key = ["quarter", "account_id"]
    told = edges.join(base.tables.account_changes, how="cross").filter(nw.col("changed_at") < nw.col("edge_at"))
    newest = told.with_columns(_newest=nw.col("changed_at").max().over(*key))
    newest = newest.filter(nw.col("changed_at") == nw.col("_newest"))
    newest = newest.select(*key, _employees="employees", _revenue="annual_revenue")
    now = base.tables.accounts.select("account_id", "employees", "annual_revenue", "currency")
    every = edges.join(now, how="cross").join(newest, on=key, how="left")
    every = every.with_columns(
        employees=nw.coalesce(nw.col("_employees"), nw.col("employees")),
        annual_revenue=nw.coalesce(nw.col("_revenue"), nw.col("annual_revenue")),
    )
    return base.priced(every, "annual_revenue", "rated_on").select(*key, "employees", "annual_revenue")


def _band(column: str, bounds: list[int]) -> nw.Expr:
    """The band of a size, in words that sort by size; unknown where it is not told."""
    band = nw.when(nw.col(column) >= bounds[-1]).then(nw.lit(f"{bounds[-1]:,} and more"))
    for low, high in reversed(list(pairwise(bounds))):
        band = band.when(nw.col(column) >= low).then(nw.lit(f"{low:,} to {high:,}"))
    return band.when(nw.col(column) < bounds[0]).then(nw.lit(f"under {bounds[0]:,}")).otherwise(nw.lit(UNKNOWN))
