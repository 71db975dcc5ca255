"""The same opportunities looked at in two ways: won and created, closed and by cohort, this quarter and the one before."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, fact, to_the_cent
from .cohorts import opportunity_cohorts
from .opportunities import opportunities_closed, opportunities_qualified

NEEDS = ("opportunity_changes", "opportunities")


@fact(one_row_per=("population", "opportunity_id"), needs=NEEDS)
def contract_values(cut: Cut) -> Frame:
    """Yearly contract values of the opportunities won in the window and of those created in it (S0-88), at their own day's rate."""
    columns = ("quarter", "window", "opportunity_id", "business_type", "source_owner", "contract_value")
    created = cut.base.priced(opportunities_qualified(cut), "annual_value", "qualified_on", "_annual_value")
    annualised = nw.col("amount") * 12 / nw.when(nw.col("term_months") > 0).then(nw.col("term_months"))
    value = to_the_cent(nw.coalesce(nw.col("_annual_value"), annualised))
    found = {
        "created": created.with_columns(contract_value=value),
        "won": opportunities_closed(cut).filter(nw.col("is_won")),
    }
    return nw.concat([frame.select(*columns, population=nw.lit(name)) for name, frame in found.items()])


@fact(one_row_per=("form", "opportunity_id"), needs=NEEDS)
def win_rate_forms(cut: Cut) -> Frame:
    """Opportunities as two win rates count them: those closed in the window, and the newest mature cohort with its open ones."""
    columns = ("quarter", "opportunity_id", "business_type", "source_owner", "is_won")
    cohort = opportunity_cohorts(Cut(cut.base, "cohort")).filter(nw.col("is_headline"))
    closed = opportunities_closed(cut).filter(nw.col("is_contest"))
    cohort = cohort.select(*columns, form=nw.lit("cohort")).join(cut.windows, on="quarter")
    closed = closed.select(*columns, form=nw.lit("closed")).join(cut.windows, on="quarter")
    return nw.concat([closed, cohort])


@fact(one_row_per=("segment", "tier"), needs=NEEDS)
def win_rate_cells(cut: Cut) -> Frame:
    """The change of the win rate on the quarter before, split over segment and tier (Kitagawa), new business.

    Of each cell's part, `mix_effect` is what its share of the contests did and `rate_effect` what its own rate did, each
    at the mean of the two quarters. A cell that had no contest in one of them keeps its rate of the other: all mix.
    There are no rows where one of the two quarters had no contest.
    """
    key = ["quarter", "segment", "tier"]
    contests = opportunities_closed(cut).filter(nw.col("is_contest"), nw.col("business_type") == "new")
    won = nw.when(nw.col("is_won")).then(1).otherwise(0)
    now = contests.group_by(*key).agg(n=nw.len(), k=won.sum())
    before = now.rename({"quarter": "before"}).join(quarters_before(cut.base), on="before").select(*key, m="n", j="k")
    cells = nw.concat([now.select(*key), before.select(*key)]).unique()
    cells = cells.join(now, on=key, how="left").join(before, on=key, how="left")
    cells = cells.with_columns(*(nw.col(c).fill_null(0).cast(nw.Float64) for c in ("n", "k", "m", "j")))
    cells = cells.with_columns(
        **{f"all_{c}": nw.col(c).sum().over("quarter") for c in ("n", "m")},
        rate=_over("k", "n"),
        was_rate=_over("j", "m"),
    ).filter(nw.col("all_n") > 0, nw.col("all_m") > 0)
    cells = cells.with_columns(
        rate=nw.coalesce(nw.col("rate"), nw.col("was_rate")), was_rate=nw.coalesce(nw.col("was_rate"), nw.col("rate")),
        part=nw.col("n") / nw.col("all_n"), was_part=nw.col("m") / nw.col("all_m"),
    )  # fmt: skip
    rate, was_rate, part, was_part = (nw.col(c) for c in ("rate", "was_rate", "part", "was_part"))
    return cells.join(cut.windows, on="quarter").with_columns(
        mix_effect=(part - was_part) * (rate + was_rate) / 2, rate_effect=(rate - was_rate) * (part + was_part) / 2,
        weight=(part + was_part) / 2, contests=nw.col("n"),
    )  # fmt: skip


def quarters_before(base: Base) -> Frame:
    """quarter, before: each quarter and the one before it."""
    spans = base.windows.frame("quarter")
    ended = spans.select("end_on", before="quarter")
    return spans.select("quarter", end_on="start_on").join(ended, on="end_on").select("quarter", "before")


def _over(part: str, whole: str) -> nw.Expr:
    return nw.col(part) / nw.when(nw.col(whole) > 0).then(nw.col(whole))
