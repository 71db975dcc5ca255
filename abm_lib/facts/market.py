"""The addressable market: which accounts could be sold to, which are customers, which are engaged, what a contract is worth."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from . import Cut, Frame, fact
from .accounts import accounts_at_start
from .customers import customers_at_end
from .engagement import engaged
from .opportunities import opportunities_closed

VALUED = 0.8  # of the deals won must have a yearly value for their mean to be a price, as in average_contract_value


@fact(one_row_per=("account_id",), needs=("opportunity_changes", "opportunities", "accounts"))
def market_value(cut: Cut) -> Frame:
    """Accounts as the quarter began, each with the yearly contract value usual in its segment: `price`."""
    return _with_customers(cut).join(_prices(cut, "segment"), on=["quarter", "segment"], how="left").join(
        _prices(cut).select("quarter", usual="price"), on="quarter", how="left"
    ).with_columns(price=nw.coalesce(nw.col("price"), nw.col("usual")))  # fmt: skip


@fact(one_row_per=("account_id",), needs=("accounts",))
def addressable_customers(cut: Cut) -> Frame:
    """Accounts that were addressable when the quarter began, and whether they are customers at its end.

    Quarters that end before anything of customers is known are left out.
    """
    table = "subscriptions" if "subscriptions" in cut.tables.delivered else "account_stages"
    first, _ = cut.base.company.span(table) or (date.max, date.max)
    known = [q.label for q in cut.base.quarters if q.end > first]
    return _with_customers(cut).filter(nw.col("is_addressable"), nw.col("quarter").is_in(known))


@fact(one_row_per=("account_id",), needs=("touches", "accounts"))
def addressable_engagement(cut: Cut) -> Frame:
    """Accounts that were addressable when the quarter began, and whether they are engaged at its end."""
    key = ["quarter", "window", "account_id"]
    rule = engaged(cut).select(*key, is_engaged=nw.lit(True))
    every = accounts_at_start(cut).filter(nw.col("is_addressable")).join(rule, on=key, how="left")
    return every.with_columns(is_engaged=nw.col("is_engaged").fill_null(False))


def _with_customers(cut: Cut) -> Frame:
    key = ["quarter", "window", "account_id"]
    customers = customers_at_end(cut).select(*key, is_customer=nw.lit(True))
    every = accounts_at_start(cut).join(customers, on=key, how="left")
    return every.with_columns(is_customer=nw.col("is_customer").fill_null(False))


def _prices(cut: Cut, *by: str) -> Frame:
    """quarter, …, price: the mean yearly value of new business won in four quarters; none where too few deals have one."""
    won = opportunities_closed(Cut(cut.base, "trailing_4_quarters"))
    won = won.filter(nw.col("is_won"), nw.col("business_type") == "new")
    cents = (nw.col("contract_value") * 100).round().cast(nw.Int64)
    has = nw.when(nw.col("contract_value").is_null()).then(0).otherwise(1)
    sums = won.group_by("quarter", *by).agg(cents=cents.sum(), valued=has.sum(), won=nw.len())
    enough = sums.filter(nw.col("valued") > 0, nw.col("valued") >= nw.col("won") * VALUED)
    price = nw.col("cents").cast(nw.Float64) / nw.col("valued").cast(nw.Float64) / 100
    return enough.select("quarter", *by, price=price)
