"""What the programmes cost, beside the customers that were won, and beside what the accounts on their lists brought."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from . import Base, Cut, Frame, accounts, fact, to_the_cent
from .cohorts import opportunity_cohorts
from .opportunities import opportunities_closed

SAME, LAGGED = "same_quarter", "lagged"
OFF_THE_LIST = "demand_generation"  # who answers for the accounts that no programme names (S0-10)


def quarter_costs(base: Base) -> Frame:
    """spent_in, programme, simple, full: costs of a quarter at the rate of its last day, by the kinds that abm.toml names.

    A sum is null where one of its amounts has no rate.
    """
    return base.once("quarter costs", lambda: _quarter_costs(base))


def _quarter_costs(base: Base) -> Frame:
    last = base.windows.quarter_days().group_by("due_in").agg(last_on=nw.col("day").max())
    costs = base.tables.costs.select(
        "kind", "amount", "currency", spent_in="quarter", programme=nw.col("programme").fill_null("no programme")
    )
    costs = base.priced(costs.join(last, left_on="spent_in", right_on="due_in"), "amount", "last_on")
    kinds = {"simple": base.config.cac.simple_kinds, "full": base.config.cac.full_kinds}
    return costs.group_by("spent_in", "programme").agg(
        **{name: _sum_of_all(nw.col("kind").is_in(chosen)) for name, chosen in kinds.items()}
    )


def _sum_of_all(chosen: nw.Expr) -> nw.Expr:
    unpriced = nw.when(chosen & nw.col("amount").is_null()).then(1).otherwise(0).max()
    return nw.when(unpriced == 0).then(nw.when(chosen).then(nw.col("amount")).otherwise(0.0).sum())


@fact(one_row_per=("timing", "programme"), needs=("costs", "opportunity_changes", "opportunities"))
def acquisition(cut: Cut) -> Frame:
    """Costs and the new customers they are held against: of the company (its programme is blank), and of each programme.

    `timing`: costs of the same quarter, or of `cac.lag_quarters` before. New customers off the target list stand beside
    the costs of demand generation; a programme without costs has no row.
    """
    keys = ["quarter", "programme"]
    costs = quarter_costs(cut.base).join(_spent(cut.base), on="spent_in")
    first = opportunities_closed(cut).filter(nw.col("is_first_win"))
    off = nw.col("programme") == accounts.OUTSIDE
    first = first.with_columns(programme=nw.when(off).then(nw.lit(OFF_THE_LIST)).otherwise(nw.col("programme")))
    won = first.group_by(*keys).agg(new_customers=nw.col("account_id").n_unique())
    each = costs.join(won, on=keys, how="left")
    sums = {name: _sum_of_rows(name) for name in ("simple", "full")}
    company = costs.group_by("quarter", "timing").agg(**sums)
    company = company.join(
        first.group_by("quarter").agg(new_customers=nw.col("account_id").n_unique()), on="quarter", how="left"
    )
    names = ("quarter", "timing", "simple", "full")
    rows = [
        company.select(
            *names, programme=nw.lit(None).cast(nw.String), new_customers=nw.col("new_customers").fill_null(0)
        ),
        each.select(*names, programme="programme", new_customers=nw.col("new_customers").fill_null(0)),
    ]
    return nw.concat(rows).join(cut.windows, on="quarter")


def _sum_of_rows(name: str) -> nw.Expr:
    unpriced = nw.when(nw.col(name).is_null()).then(1).otherwise(0).max()
    return nw.when(unpriced == 0).then(nw.col(name).sum())


def _spent(base: Base) -> Frame:
    """quarter, timing, spent_in: the quarters whose costs are held against each quarter's new customers."""
    steps = {SAME: 0, LAGGED: -base.config.cac.lag_quarters}
    calendar = base.company.calendar
    rows = [(q.label, timing, calendar.step(q, n).label) for q in base.quarters for timing, n in steps.items()]
    types = dict.fromkeys(("quarter", "timing", "spent_in"), "VARCHAR")
    return base.once("spent", lambda: base.tables.engine.frame(pd.DataFrame(rows, columns=list(types)), types))


@fact(one_row_per=("programme",), needs=("costs", "account_lists", "opportunity_changes", "opportunities", "accounts"))
def programme_vintages(cut: Cut) -> Frame:
    """Each programme's costs of one quarter, and what the deals brought that its accounts began in that quarter.

    `window` is the quarter of the investment. Its accounts are those on the programme's list when it began; their new
    business and expansions that were qualified in it count once they are won, whenever that is, so each deal answers to one
    quarter. `gain` is their gross margin less all costs. `is_headline` is the newest mature cohort, as in opportunity_cohorts.
    """
    deals, gross_margin = opportunity_cohorts(cut), cut.config.lifetime.gross_margin
    mature = deals.filter(nw.col("is_headline")).select("quarter", "window").unique().with_columns(_newest=nw.lit(True))
    spent = quarter_costs(cut.base).filter(~nw.col("programme").is_in([OFF_THE_LIST, "no programme"]))
    spent = cut.windows.join(spent.select("programme", window="spent_in", cost="full"), on="window")
    made = spent.join(_brought(cut, deals), on=["quarter", "window", "programme"], how="left")
    zeros = {name: nw.col(name).fill_null(0) for name in ("opportunities", "closed", "won")}
    margin = to_the_cent(nw.col("revenue").fill_null(0.0) * gross_margin)
    return made.join(mature, on=["quarter", "window"], how="left").with_columns(
        **zeros, gain=margin - nw.col("cost"), is_headline=nw.col("_newest").fill_null(False),
        vintage=nw.col("window"), matured_share=nw.col("window"),
    )  # fmt: skip


def _brought(cut: Cut, deals: Frame) -> Frame:
    """quarter, window, programme: the deals that accounts on the list began in the vintage, and what was won of them."""
    listed = accounts.at_edge(cut.base, "start").filter(nw.col("is_target"))
    listed = listed.select("account_id", "programme", window="quarter")
    own = deals.filter(nw.col("business_type") != "renewal").select(
        "quarter", "window", "account_id", "is_won", "is_lost", "amount_closed"
    )
    won, closed = nw.col("is_won"), nw.col("is_won") | nw.col("is_lost")
    return own.join(listed, on=["window", "account_id"]).group_by("quarter", "window", "programme").agg(
        opportunities=nw.len(), closed=nw.when(closed).then(1).otherwise(0).sum(), won=nw.when(won).then(1).otherwise(0).sum(),
        revenue=nw.when(won).then(nw.col("amount_closed")).otherwise(0.0).sum(),
    )  # fmt: skip
