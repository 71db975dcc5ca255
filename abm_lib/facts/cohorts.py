"""Opportunities and accounts by the quarter they began in, with what had become of them when a quarter ended."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from .. import survival
from . import Base, Cut, Frame, day_number, fact, within
from .accounts import UNKNOWN
from .opportunities import described

DEADLINES, HEADLINE_DAYS = (30, 60, 90, 120, 180, 240, 300, 365, 540), 180
RIPE = 0.9  # of all that will be won: a cohort that is younger than these take says too little


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities"))
def opportunity_cohorts(cut: Cut) -> Frame:
    """Opportunities by the quarter they were qualified in, each with its state at the end of the quarter reported.

    `window` is the quarter of qualification. `is_headline` marks the newest mature cohort: four fifths closed, or older
    than one and a half times the median days to win and than nine tenths of those that will be won take.
    """
    known = described(cut, "end").join(cut.windows, on="quarter").filter(within("qualified_on"))
    new = nw.col("business_type") == "new"
    closed = nw.when(new & (nw.col("is_won") | nw.col("is_lost"))).then(1).otherwise(0).sum()
    cohorts = known.group_by("quarter", "window", "rated_on", "end_on").agg(
        _closed=closed, _size=nw.when(new).then(1).otherwise(0).sum()
    )
    cohorts = cohorts.with_columns(_age=day_number("rated_on") - day_number("end_on") + 1)
    cohorts = cohorts.join(_ripe_after(cut), on="quarter", how="left")
    old = (nw.col("_age") >= nw.col("_ripe_after")).fill_null(False)
    cohorts = cohorts.with_columns(
        is_mature=(nw.col("_closed") * 5 >= nw.col("_size") * 4) & (nw.col("_size") > 0) | old
    )
    newest = nw.when(nw.col("is_mature") & (nw.col("_size") > 0)).then(nw.col("window")).max().over("quarter")
    cohorts = cohorts.with_columns(
        is_headline=nw.col("window") == newest, creation_quarter=nw.col("window"), matured_share=nw.col("window")
    )
    told = ("is_mature", "is_headline", "creation_quarter", "matured_share")
    return known.join(cohorts.select("quarter", "window", *told), on=["quarter", "window"])


def _ripe_after(cut: Cut) -> Frame:
    """Days after which a cohort is old enough, per quarter, by those qualified in the trailing eight; open deals wait on."""
    return cut.base.once("ripe after", lambda: _days_to_ripen(cut))


def _days_to_ripen(cut: Cut) -> Frame:
    base, waits = cut.base, opportunity_ages(Cut(cut.base, "trailing_8_quarters"))
    waits = waits.filter(nw.col("business_type") == "new").select("quarter", "age_days", "is_won", "is_lost")
    rows = []
    for quarter, own in base.tables.engine.collect(waits).groupby("quarter"):
        known = own["age_days"], own["is_won"], own["is_lost"]
        # Half as long again as the median asks little of waits of which some are very long.
        median, most = survival.median_of_those_to_come(*known)[0], survival.day_of_most_to_come(*known, RIPE)
        rows.append((quarter, max(1.5 * median, most)))
    table = pd.DataFrame(rows, columns=["quarter", "_ripe_after"]).dropna()
    return base.tables.engine.frame(table, {"quarter": "VARCHAR", "_ripe_after": "DOUBLE"})


@fact(one_row_per=("opportunity_id",), needs=("opportunity_changes", "opportunities"))
def opportunity_ages(cut: Cut) -> Frame:
    """Opportunities qualified in the window, with the days until they closed or, still open, until the quarter's end."""
    known = described(cut, "end").join(cut.windows, on="quarter").filter(within("qualified_on"))
    until = nw.when(nw.col("is_open")).then(nw.col("rated_on")).otherwise(nw.col("closed_on"))
    known = known.with_columns(_until=until, promotion=nw.col("promotion").fill_null("no promotion"))
    days = (day_number("_until") - day_number("qualified_on")).cast(nw.Float64)
    return known.with_columns(age_days=days).filter(nw.col("age_days") >= 0)


@fact(one_row_per=("within_days", "opportunity_id"), needs=("opportunity_changes", "opportunities"))
def opportunity_deadlines(cut: Cut) -> Frame:
    """The rows of opportunity_ages once for each number of days asked for: `limit`, and the same in words."""
    ages = opportunity_ages(cut)
    asked = [ages.with_columns(limit=nw.lit(float(days)), within_days=nw.lit(f"{days:03}")) for days in DEADLINES]
    return nw.concat(asked).with_columns(is_headline=nw.col("limit") == HEADLINE_DAYS)


@fact(one_row_per=("account_id",), needs=("opportunity_changes", "opportunities", "account_lists", "accounts"))
def list_cohorts(cut: Cut) -> Frame:
    """Accounts by the quarter in which they first joined the target list, and whether they were won by the quarter's end.

    `window` is the quarter of entry. Those that were customers before are left out. `is_headline` marks the newest cohort
    whose quarter ended a year ago or more.
    """
    base = cut.base
    entry = _first_joins(base)
    won = (
        described(cut, "end")
        .filter(nw.col("is_won"))
        .group_by("quarter", "account_id")
        .agg(won_on=nw.col("closed_on").min())
    )
    since = base.tables.accounts.select("account_id", "customer_since")
    joined = cut.windows.join(entry, on="quarter").filter(within("entered_on"))
    joined = joined.join(since, on="account_id").join(won, on=["quarter", "account_id"], how="left")
    before = (nw.col("customer_since") < nw.col("entered_on")).fill_null(False) | (
        nw.col("won_on") < nw.col("entered_on")
    ).fill_null(False)
    ends = base.windows.frame("quarter").select("quarter", quarter_end="end_on")
    joined = joined.filter(~before).join(ends, on="quarter")
    old = day_number("quarter_end") - day_number("end_on") >= 364
    newest = nw.when(old).then(nw.col("window")).max().over("quarter")
    return joined.with_columns(
        is_won=~nw.col("won_on").is_null(), is_headline=(nw.col("window") == newest).fill_null(False), entry_quarter=nw.col("window"),
        tier=nw.col("tier").fill_null(UNKNOWN), programme=nw.col("programme").fill_null(UNKNOWN),
    )  # fmt: skip


def _first_joins(base: Base) -> Frame:
    """quarter, account_id, entered_on, tier, programme: the first time an account joined the list, by what was recorded in time."""
    known = base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "known_until")
    listed = base.tables.account_lists.filter(nw.col("is_target")).select(
        "account_id", "tier", "programme", "recorded_at", entered_on="valid_from"
    )
    listed = known.join(listed, how="cross")
    listed = listed.filter(nw.col("recorded_at").is_null() | (nw.col("recorded_at") < nw.col("known_until")))
    first = listed.group_by("quarter", "account_id").agg(entered_on=nw.col("entered_on").min())
    return listed.drop("known_until", "recorded_at").join(first, on=["quarter", "account_id", "entered_on"])
