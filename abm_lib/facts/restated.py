"""What was reported as won in earlier quarters, and what records say of the same days by now."""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, fact
from .opportunities import closed, described

BEFORE = 4  # quarters before the one reported


@fact(one_row_per=("movement", "restated_quarter", "opportunity_id"), needs=("opportunity_changes", "opportunities"))
def restated_wins(cut: Cut) -> Frame:
    """Signed amounts that carry what each of the four quarters before reported as won to what is known of it now.

    `opening` is what was known when that quarter had settled, `closing` what is when this one has. Between them stands each
    opportunity that is worth another amount to the quarter by now, under what became of it; opening and these make closing.
    """
    return cut.base.once("restated wins", lambda: _movements(cut)).join(cut.windows, on="quarter")


def _movements(cut: Cut) -> Frame:
    pairs = _before_and_after(cut)
    changed = ~(nw.col("was") & nw.col("now") & (nw.col("before") == nw.col("after")))
    rows = {
        "opening": pairs.filter(nw.col("was")).with_columns(movement=nw.lit("opening"), amount=nw.col("before")),
        "closing": pairs.filter(nw.col("now")).with_columns(movement=nw.lit("closing"), amount=nw.col("after")),
        "change": pairs.filter(changed).with_columns(movement=_cause(), amount=nw.col("after") - nw.col("before")),
    }
    names = ("quarter", "restated_quarter", "opportunity_id", "account_id", "movement", "amount")
    return nw.concat([each.select(*names, is_change=nw.lit(kind == "change")) for kind, each in rows.items()])


def _before_and_after(cut: Cut) -> Frame:
    """One row per quarter, earlier quarter and opportunity won in it by either knowledge: its worth by both, and its fate."""
    key, of_quarter = ("quarter", "restated_quarter", "opportunity_id", "account_id"), ["quarter", "opportunity_id"]
    pairs = nw.concat(_told_twice(cut)).group_by(*key).agg(nw.col("before", "after", "_was", "_now").sum())
    fate = described(cut, "end").select(*of_quarter, _kept=nw.lit(1), _won=nw.when(nw.col("is_won")).then(1))
    then = fate.select("opportunity_id", restated_quarter="quarter", _won_then="_won")
    merged = cut.tables.opportunities.select("opportunity_id", "survivor_id")
    pairs = pairs.join(fate, on=of_quarter, how="left").join(merged, on="opportunity_id", how="left")
    pairs = pairs.join(then, on=["restated_quarter", "opportunity_id"], how="left")
    flags = {name: ~nw.col(f"_{name}").is_null() for name in ("won", "kept", "won_then")}
    counted = {"was": nw.col("_was"), "now": nw.col("_now"), "told": nw.col("_was").sum().over(*of_quarter)}
    return pairs.with_columns(**flags, **{name: count > 0 for name, count in counted.items()})


def _told_twice(cut: Cut) -> tuple[Frame, Frame]:
    """What each earlier quarter showed itself, and what is known of it when the later one has settled."""
    days = cut.base.windows.quarter_days().select(closed_on="day", restated_quarter="due_in")
    won = closed(cut).filter(nw.col("is_won")).join(days, on="closed_on")
    won = won.with_columns(worth=nw.col("amount").fill_null(0.0), nothing=nw.lit(0.0), yes=nw.lit(1), no=nw.lit(0))
    earlier = cut.base.windows.past(BEFORE).filter(nw.col("horizon") == "current")
    earlier = earlier.select("quarter", restated_quarter="past_quarter")
    own = won.filter(nw.col("quarter") == nw.col("restated_quarter")).drop("quarter")
    names = ("quarter", "restated_quarter", "opportunity_id", "account_id")
    before = own.join(earlier, on="restated_quarter").select(
        *names, before="worth", after="nothing", _was="yes", _now="no"
    )
    after = won.join(earlier, on=["quarter", "restated_quarter"])
    return before, after.select(*names, before="nothing", after="worth", _was="no", _now="yes")


def _cause() -> nw.Expr:
    """What became of an opportunity that is worth another amount to an earlier quarter than was reported."""
    up = nw.when(nw.col("after") > nw.col("before")).then(nw.lit("amount_up")).otherwise(nw.lit("amount_down"))
    gone = nw.when(nw.col("survivor_id").is_null()).then(nw.lit("deleted")).otherwise(nw.lit("merged"))
    not_won = nw.when(nw.col("kept")).then(nw.lit("no_longer_won")).otherwise(gone)
    left = nw.when(nw.col("won")).then(nw.lit("moved_out")).otherwise(not_won)
    known = nw.when(nw.col("told") | nw.col("won_then")).then(nw.lit("moved_in")).otherwise(nw.lit("recorded_late"))
    return nw.when(nw.col("was") & nw.col("now")).then(up).otherwise(nw.when(nw.col("was")).then(left).otherwise(known))
