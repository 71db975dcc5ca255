"""Whether leading indicators lead: target accounts that showed one, and how they progressed in the quarter after (S2-08)."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from . import Base, Cut, Frame, fact
from .comparisons import quarters_before
from .engagement import engaged
from .influence import acts
from .stages import stage_moves

# The leading metric that counts an indicator, and the acts that an account shows it by.
ACTS = {
    "ad_target_engagement_rate": ("ad_click",),
    "target_account_visit_rate": ("visit", "pricing_visit"),
    "content_downloads": ("download",),
    "email_click_rate": ("email_click",),
}
RULES = {"engaged_target_account_rate": 0, "multithreaded_account_rate": 2}  # people who acted at an engaged account
CELL = ("quarter", "indicator", "tier")


@fact(one_row_per=("indicator", "account_id"), needs=("account_stages", "account_lists", "touches", "accounts"))
def indicator_lift(cut: Cut) -> Frame:
    """Target accounts of the last eight quarters, once per indicator: in `pairs` quarters, with their part in the lift.

    Summed over accounts, `lift` ÷ `pairs` is the progression of accounts with the indicator in the quarter before minus
    that of those without, compared within tiers and weighted by the tiers' sizes. Each row also carries how far the account
    itself lies from its group, which sums to 0, so that drawing accounts anew gives the interval of the standardised lift.
    A tier where all accounts had the indicator, or none, compares nothing and is out.
    """
    return lifts(pooled(cut.base)).join(cut.windows, on="quarter")


def lifts(rows: Frame) -> Frame:
    """quarter, indicator, account_id, lift, pairs: what `indicator_lift` says, of pooled rows."""
    with_it, progressed = nw.col("has_it"), nw.col("is_progressed")
    sizes = {"n1": with_it, "n0": ~with_it, "k1": with_it & progressed, "k0": ~with_it & progressed}
    counts = {name: nw.when(rule).then(1.0).otherwise(0.0) for name, rule in sizes.items()}
    rows = rows.with_columns(**counts)
    rows = rows.with_columns(*(nw.col(name).sum().over(*CELL).alias(f"all_{name}") for name in sizes))
    rows = rows.filter(nw.col("all_n1") > 0, nw.col("all_n0") > 0)
    rate, rate_without = nw.col("all_k1") / nw.col("all_n1"), nw.col("all_k0") / nw.col("all_n0")
    size = nw.col("all_n1") + nw.col("all_n0")
    own = nw.when(with_it).then((nw.col("k1") - rate) * size / nw.col("all_n1") * _freely("all_n1"))
    others = (rate_without - nw.col("k0")) * size / nw.col("all_n0") * _freely("all_n0")
    rows = rows.with_columns(_lift=rate - rate_without + own.otherwise(others))
    return rows.group_by("quarter", "indicator", "account_id").agg(lift=nw.col("_lift").sum(), pairs=nw.len())


def _freely(number: str) -> nw.Expr:
    """Deviations from a group's own mean are too small by this: in a group of two by the root of two."""
    size = nw.col(number)
    return (size / nw.when(size > 1).then(size - 1).otherwise(1.0)) ** 0.5


def pooled(base: Base) -> Frame:
    """quarter, indicator, account_id, tier, is_progressed, has_it: for each of the eight quarters up to the one reported."""
    known = [quarter.label for quarter in base.quarters if quarter.start >= _first_day(base)]
    moves = stage_moves(Cut(base, "quarter")).select("quarter", "account_id", "tier", "is_progressed")
    moves = moves.join(quarters_before(base), on="quarter").filter(nw.col("before").is_in([*known, ""]))
    names = (*ACTS, *RULES)
    moves = nw.concat([moves.with_columns(indicator=nw.lit(name)) for name in names])
    shown = base.once("indicators", lambda: _shown(base)).rename({"quarter": "before"})
    moves = moves.join(shown, on=["before", "indicator", "account_id"], how="left")
    moves = moves.with_columns(has_it=nw.col("has_it").fill_null(False)).rename({"quarter": "window"})
    reported = base.windows.frame("cohort").filter(nw.col("quarter").is_in([quarter.label for quarter in base.shown]))
    return reported.select("quarter", "window").join(moves, on="window")


def _shown(base: Base) -> Frame:
    """quarter, indicator, account_id, has_it: which accounts showed which indicator in a quarter."""
    cut = Cut(base, "quarter")
    seen = acts(base).select("account_id", "kind", day="touched_on").join(cut.days, on="day")
    of = [
        seen.filter(nw.col("kind").is_in(list(kinds))).with_columns(indicator=nw.lit(name))
        for name, kinds in ACTS.items()
    ]
    people = engaged(cut)
    of += [
        people.filter(nw.col("people") >= least).with_columns(indicator=nw.lit(name)) for name, least in RULES.items()
    ]
    rows = [frame.select("quarter", "indicator", "account_id") for frame in of]
    return nw.concat(rows).unique().with_columns(has_it=nw.lit(True))


def _first_day(base: Base) -> date:
    """The first day that touches are known of: before it an account without an act says nothing."""
    first, _ = base.company.span("touches") or (date.max, date.max)
    return first
