"""The same opportunities looked at in two ways: won and created, closed and by cohort, this quarter and the one before."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, day_number, fact
from .cohorts import opportunity_cohorts
from .influence import acts
from .opportunities import described, opportunities_closed, opportunities_qualified, valued

NEEDS = ("opportunity_changes", "opportunities")


@fact(one_row_per=("population", "opportunity_id"), needs=NEEDS)
def contract_values(cut: Cut) -> Frame:
    """Yearly contract values of the opportunities won in the window and of those created in it (S0-88), at their own day's rate."""
    columns = ("quarter", "window", "opportunity_id", "account_id", "business_type", "source_owner", "contract_value")
    found = {
        "created": valued(cut.base, opportunities_qualified(cut), "qualified_on"),
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


@fact(one_row_per=("campaign",), needs=("opportunity_changes", "opportunities", "touches", "campaigns"))
def campaign_contests(cut: Cut) -> Frame:
    """Contests of the window by campaign: those whose account it touched before they were qualified, and the others.

    New business; a touch counts within `attribution.look_back_days`. Campaigns with fewer than `min_n.colour` contests on
    either side compare nothing and are out.
    """
    fewest, won = cut.config.min_n.colour, nw.when(nw.col("is_won")).then(1).otherwise(0).sum()
    every = _contests(cut).group_by(*SPAN).agg(_n=nw.len(), _k=won)
    found = (
        touched_contests(cut).group_by(*SPAN, "campaign").agg(touched=nw.len(), touched_won=won).join(every, on=SPAN)
    )
    found = found.with_columns(others=nw.col("_n") - nw.col("touched"), others_won=nw.col("_k") - nw.col("touched_won"))
    return found.filter(nw.col("touched") >= fewest, nw.col("others") >= fewest)


def touched_contests(cut: Cut) -> Frame:
    """quarter, window, campaign, opportunity_id, is_won: each contest once for each name of a campaign that touched its account before."""
    setting = cut.config.attribution
    touches = acts(cut.base, setting.excluded_kinds).filter(~nw.col("campaign_id").is_null())
    met = _contests(cut).join(touches.select("account_id", "campaign_id", "touched_at", "touched_on"), on="account_id")
    age = day_number("qualified_on") - day_number("touched_on")
    met = met.filter(nw.col("touched_at") <= nw.col("qualified_at"), age <= setting.look_back_days)
    names = cut.tables.campaigns.select("campaign_id", campaign="name")
    return met.join(names, on="campaign_id").select(*SPAN, "campaign", "opportunity_id", "is_won").unique()


def _contests(cut: Cut) -> Frame:
    closed = opportunities_closed(cut).filter(nw.col("is_contest"), nw.col("business_type") == "new", cut.base.is_shown)
    return closed.select(*SPAN, "opportunity_id", "account_id", "qualified_at", "qualified_on", "is_won")


@fact(
    one_row_per=("period", "segment", "industry", "was_engaged"),
    needs=("opportunity_changes", "opportunities", "account_lists", "accounts"),
)
def alike_accounts(cut: Cut) -> Frame:
    """Target accounts and others like them, by cells of segment, industry and whether somebody there had acted.

    `period` is `after`, the four quarters that end with this one, or `before`, the four before those, for the balance. Of a cell
    that has both kinds: `targets` and how many of them had an opportunity qualified in the period, and the others' numbers
    weighted to the targets' cells, worth as many accounts as they are worth so. There are no rows below 30 others.
    """
    every, qualified = _comparable(cut), _qualified_in(cut)
    rows = []
    for period in ("before", "after"):
        had = qualified.filter(nw.col("period") == period).select("quarter", "account_id", had=nw.lit(1))
        own = every.join(had, on=["quarter", "account_id"], how="left").with_columns(nw.col("had").fill_null(0))
        rows.append(_weighted(own).with_columns(period=nw.lit(period)))
    return nw.concat(rows).join(cut.windows, on="quarter")


CELL = ["quarter", "segment", "industry", "was_engaged"]
FEWEST_ALIKE = 30
SPAN = ["quarter", "window"]


def _comparable(cut: Cut) -> Frame:
    """Accounts as they stood four quarters ago that were no customers then, and whether somebody there had acted in the 90 days before."""
    edges = cut.base.windows.edges().filter(nw.col("edge") == "trailing_4_quarters").select("quarter", "edge_on")
    listed = accounts.at_edge(cut.base, "trailing_4_quarters").join(edges, on="quarter").filter(cut.base.is_shown)
    won = (
        described(cut, "end")
        .filter(nw.col("is_won"))
        .group_by("quarter", "account_id")
        .agg(_won=nw.col("closed_on").min())
    )
    listed = listed.join(won, on=["quarter", "account_id"], how="left")
    for first in ("customer_since", "_won"):
        listed = listed.filter(nw.col(first).is_null() | (nw.col(first) >= nw.col("edge_on")))
    seen = edges.join(acts(cut.base).select("account_id", "touched_on"), how="cross").filter(
        nw.col("touched_on") < nw.col("edge_on")
    )
    seen = seen.filter(day_number("edge_on") - day_number("touched_on") <= cut.config.engaged.window_days)
    seen = seen.select("quarter", "account_id", _seen=nw.lit(True)).unique()
    known = listed.join(seen, on=["quarter", "account_id"], how="left")
    return known.with_columns(was_engaged=nw.col("_seen").fill_null(False))


def _qualified_in(cut: Cut) -> Frame:
    """quarter, account_id, period: accounts with new business qualified in the four quarters that end with this one, or before."""
    known = described(cut, "end").filter(nw.col("business_type") == "new", ~nw.col("qualified_on").is_null())
    edges = cut.base.windows.edges().filter(nw.col("edge") == "trailing_4_quarters").select("quarter", "edge_on")
    eight = cut.base.windows.frame("trailing_8_quarters").select("quarter", eight_from="start_on")
    known = known.join(edges, on="quarter").join(eight, on="quarter")
    after, before = (nw.col("qualified_on") >= nw.col(first) for first in ("edge_on", "eight_from"))
    period = nw.when(after).then(nw.lit("after")).when(before).then(nw.lit("before"))
    return known.with_columns(period=period).select("quarter", "account_id", "period").unique()


def _weighted(own: Frame) -> Frame:
    """Per cell with both kinds: targets, and the others weighted so that their cells weigh as the targets' do (Kish's effective number)."""
    target = nw.when(nw.col("is_target")).then(1).otherwise(0)
    cells = own.group_by(*CELL).agg(
        targets=target.sum(),
        targets_had=(target * nw.col("had")).sum(),
        _others=(1 - target).sum(),
        _had=((1 - target) * nw.col("had")).sum(),
    )
    cells = cells.filter(nw.col("targets") > 0, nw.col("_others") > 0)
    numbers = ("targets", "targets_had", "_others", "_had")
    cells = cells.with_columns(*(nw.col(name).cast(nw.Float64) for name in numbers))
    cells = cells.with_columns(
        _weight=nw.col("targets") / nw.col("_others"), _found=nw.col("_others").sum().over("quarter")
    )
    spread = (nw.col("targets") * nw.col("_weight")).sum().over("quarter")
    cells = cells.with_columns(_worth=nw.col("_weight") * nw.col("targets").sum().over("quarter") / spread)
    cells = cells.filter(nw.col("_found") >= FEWEST_ALIKE)
    return cells.with_columns(alike=nw.col("_others") * nw.col("_worth"), alike_had=nw.col("_had") * nw.col("_worth"))


def quarters_before(base: Base) -> Frame:
    """quarter, before: each quarter and the one before it."""
    spans = base.windows.frame("quarter")
    ended = spans.select("end_on", before="quarter")
    return spans.select("quarter", end_on="start_on").join(ended, on="end_on").select("quarter", "before")


def _over(part: str, whole: str) -> nw.Expr:
    return nw.col(part) / nw.when(nw.col(whole) > 0).then(nw.col(whole))
