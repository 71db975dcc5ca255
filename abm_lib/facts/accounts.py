"""Accounts as they stood at a quarter's edge: attributes from account_changes, the target list from account_lists."""

from __future__ import annotations

from datetime import date, datetime

import narwhals as nw

from . import Base, Cut, Frame, fact
from .calendar import EDGES

ATTRIBUTES = ("segment", "industry", "region", "is_icp", "is_addressable")
OUTSIDE = "not on the list"
UNKNOWN = "unknown"
ALWAYS, NEVER = datetime(1900, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001  (timestamps are UTC without a zone)


@fact(one_row_per=("account_id",), needs=("accounts",))
def accounts_at_start(cut: Cut) -> Frame:
    """Every account as it stood when the quarter began, or a trailing window: the population that rates are counted in."""
    return at_edge(cut.base, cut.kind if cut.kind in EDGES else "start").join(cut.windows, on="quarter")


def at_edge(base: Base, edge: str) -> Frame:
    """One row per quarter and account at an edge: attributes, tier, programme, and whether it is a target.

    `start` and `end` are the quarter's; a kind of EDGES is the start of that window.
    """
    return base.once(f"accounts at {edge}", lambda: _at_edge(base, edge))


def _at_edge(base: Base, edge: str) -> Frame:
    edges = base.windows.edges().filter(nw.col("edge") == edge)
    names = base.tables.accounts.select(
        "account_id", "name", "customer_since", *(nw.col(c).alias(f"_{c}") for c in ATTRIBUTES)
    )
    every = edges.join(names, how="cross").join(_attributes(base, edges), on=["quarter", "account_id"], how="left")
    every = every.join(_listed(base, edges), on=["quarter", "account_id"], how="left")
    now = [nw.coalesce(nw.col(c), nw.col(f"_{c}")).alias(c) for c in ATTRIBUTES]
    return every.with_columns(*now).select(
        "quarter", "account_id", account="name", customer_since="customer_since",
        segment=nw.col("segment").fill_null(UNKNOWN), industry=nw.col("industry").fill_null(UNKNOWN),
        region=nw.col("region").fill_null(UNKNOWN),
        icp=nw.when(nw.col("is_icp")).then(nw.lit("ICP")).otherwise(nw.lit("not ICP")),
        is_addressable=nw.col("is_addressable").fill_null(False),
        is_target=nw.col("is_target").fill_null(False),
        target=nw.when(nw.col("is_target")).then(nw.lit("target")).otherwise(nw.lit(OUTSIDE)),
        tier=nw.when(nw.col("is_target")).then(nw.col("tier").fill_null(UNKNOWN)).otherwise(nw.lit(OUTSIDE)),
        programme=nw.when(nw.col("is_target")).then(nw.col("programme").fill_null(UNKNOWN)).otherwise(nw.lit(OUTSIDE)),
        buying_team_size="buying_team_size",
    )  # fmt: skip


def _attributes(base: Base, edges: Frame) -> Frame:
    """The last change before the edge; for an account first described later, its first description."""
    changes = base.tables.account_changes.select("account_id", "changed_at", *ATTRIBUTES)
    order = {"order_by": "changed_at"}
    spans = changes.with_columns(
        _before=nw.col("changed_at").shift(1).over("account_id", **order),
        until_at=nw.col("changed_at").shift(-1).over("account_id", **order).fill_null(NEVER),
    ).with_columns(from_at=nw.when(nw.col("_before").is_null()).then(nw.lit(ALWAYS)).otherwise(nw.col("changed_at")))
    held = (nw.col("from_at") <= nw.col("edge_at")) & (nw.col("edge_at") < nw.col("until_at"))
    return (
        edges.select("quarter", "edge_at")
        .join(spans, how="cross")
        .filter(held)
        .select("quarter", "account_id", *ATTRIBUTES)
    )


def _listed(base: Base, edges: Frame) -> Frame:
    """The interval on the target list that holds the edge, if it was recorded in time."""
    lists = base.tables.account_lists.select(
        "account_id", "is_target", "tier", "programme", "buying_team_size", "recorded_at", "valid_from",
        valid_to=nw.col("valid_to").fill_null(date(9999, 1, 1)),
    )  # fmt: skip
    held = (nw.col("valid_from") <= nw.col("edge_on")) & (nw.col("edge_on") < nw.col("valid_to"))
    known = nw.col("recorded_at").is_null() | (nw.col("recorded_at") < nw.col("known_until"))
    return (
        edges.select("quarter", "edge_on", "known_until").join(lists, how="cross").filter(held, known, nw.col("is_target"))
        .select("quarter", "account_id", "is_target", "tier", "programme", "buying_team_size")
    )  # fmt: skip
