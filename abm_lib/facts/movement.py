"""How open pipeline got from one edge of the quarter to the other: every recorded change, told apart by what it did."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, fact
from .opportunities import ORDER, known_history

# (bridge) -> which states count; `due_in_quarter` asks for a close date inside the quarter as well.
FLOWS = (
    "created",
    "reopened",
    "pulled_in",
    "amount_up",
    "amount_down",
    "pushed_out",
    "won",
    "lost",
    "deleted",
    "merged",
)


@fact(
    one_row_per=("bridge", "movement", "tier", "opportunity_id", "effective_at"),
    needs=("opportunity_changes", "opportunities"),
)
def pipeline_changes(cut: Cut) -> Frame:
    """Signed amounts that carry open pipeline from the quarter's start to its end, one row per change and movement.

    Everything is valued at the rate of the quarter's last day; `fx` revalues the opening from the rate of the day before
    the quarter. `residual` is closing − opening − everything between, for each opportunity, and must be 0.
    """
    base = cut.base
    changes = base.once("pipeline changes", lambda: _changes(base))
    return changes.join(cut.windows, on="quarter")


def _changes(base: Base) -> Frame:
    steps = base.once("pipeline steps", lambda: _steps(base))
    bridges = [_bridge(base, steps, name) for name in ("all_open", "due_in_quarter")]
    return nw.concat(bridges)


def _steps(base: Base) -> Frame:
    """Each known state with the one before it: stage, value at the end's rate, and whether it is open pipeline."""
    accounts.at_edge(base, "end")  # held first: DuckDB binds what was begun before a table was made once more
    history = known_history(base, "end").filter(base.is_shown).select(
        "quarter", "opportunity_id", *ORDER, "amount", "currency", "close_on", "is_won", "is_lost", "is_qualified", "is_deleted",
        "rated_on", is_live=nw.col("is_open") & nw.col("is_qualified"),
    )  # fmt: skip
    history = base.priced(history, "amount", "rated_on", "value")
    windows = base.windows.frame("quarter").select("quarter", "start_on", "end_on")
    starts = base.windows.moments("start").select("quarter", start_at="read_at", start_rated_on="rated_on")
    history = history.join(windows, on="quarter").join(starts, on="quarter")
    history = base.priced(history, "amount", "start_rated_on", "start_value")
    opportunity = base.tables.opportunities.select("opportunity_id", "account_id", "business_type", "survivor_id")
    history = history.join(opportunity, on="opportunity_id")
    due = (nw.col("close_on") >= nw.col("start_on")) & (nw.col("close_on") < nw.col("end_on"))
    history = _placed(base, history).with_columns(
        value=nw.col("value").fill_null(0.0),
        start_value=nw.col("start_value").fill_null(0.0),
        is_due=due.fill_null(False),
    )
    over = {"order_by": ORDER}
    key = ("quarter", "opportunity_id")
    counted = nw.col("is_live") | (nw.col("is_won") & nw.col("is_qualified"))
    history = history.with_columns(_counted=nw.when(counted).then(1).otherwise(0))
    return history.with_columns(
        _next=nw.col("effective_at").shift(-1).over(*key, **over),
        _seen=nw.col("_counted").cum_sum().over(*key, **over),
        **{f"was_{c}": nw.col(c).shift(1).over(*key, **over) for c in ("value", "is_live", "is_due", "is_won")},
    ).with_columns(
        _seen=nw.col("_seen") - nw.col("_counted"),
        was_value=nw.col("was_value").fill_null(0.0),
        was_is_live=nw.col("was_is_live").fill_null(False),
        was_is_due=nw.col("was_is_due").fill_null(False),
        was_is_won=nw.col("was_is_won").fill_null(False),
    )


def _bridge(base: Base, steps: Frame, bridge: str) -> Frame:
    """All rows of one bridge: opening, fx, flows, closing, re_tiered and residual, with tier and business type."""
    was, now = nw.col("was_is_live"), nw.col("is_live")
    if bridge == "due_in_quarter":
        was, now = was & nw.col("was_is_due"), now & nw.col("is_due")
    steps = steps.with_columns(was=was, now=now)
    in_quarter = nw.col("effective_at") >= nw.col("start_at")
    last_before = nw.col("_next").is_null() | (nw.col("_next") >= nw.col("start_at"))
    opening = steps.filter(~in_quarter, last_before, nw.col("now"))
    closing = steps.filter(nw.col("_next").is_null(), nw.col("now"))
    revalued = _row(opening, "fx", nw.col("value") - nw.col("start_value")).filter(nw.col("amount") != 0)
    rows = [_row(opening, "opening", nw.col("start_value")), revalued]
    changed = steps.filter(in_quarter)
    rows += [_row(changed.filter(happened), name, amount) for name, (happened, amount) in _flows(bridge).items()]
    rows.append(_row(closing, "closing", nw.col("value")))
    # Held, since what follows reads it several times.
    known = base.once(f"bridge {bridge}", lambda: nw.concat(rows).with_columns(bridge=nw.lit(bridge)))
    flows, end = known.filter(nw.col("movement") != "closing"), known.filter(nw.col("movement") == "closing")
    moved = end.filter(nw.col("tier") != nw.col("end_tier"))
    back = [moved.with_columns(amount=-nw.col("amount")), moved.with_columns(tier=nw.col("end_tier"))]
    re_tiered = nw.concat(back).with_columns(movement=nw.lit("re_tiered")).select(*BARE, "tier")
    flows, end = flows.select(*BARE, "tier"), end.with_columns(tier=nw.col("end_tier")).select(*BARE, "tier")
    signed = nw.concat(
        [flows.with_columns(amount=-nw.col("amount")), re_tiered.with_columns(amount=-nw.col("amount")), end]
    )
    key = ("quarter", "opportunity_id", "account_id", "business_type", "bridge", "tier")
    residual = signed.group_by(*key).agg(
        amount=nw.col("amount").sum().round(2), effective_at=nw.col("effective_at").max()
    )
    residual = residual.with_columns(movement=nw.lit("residual")).select(*BARE, "tier")
    return nw.concat([flows, re_tiered, end, residual])


BARE = ("quarter", "opportunity_id", "account_id", "business_type", "effective_at", "movement", "amount", "bridge")


def _row(frame: Frame, movement: str, amount: nw.Expr) -> Frame:
    return frame.select(
        "quarter",
        "opportunity_id",
        "account_id",
        "business_type",
        "effective_at",
        "tier",
        "end_tier",
        movement=nw.lit(movement),
        amount=amount,
    )


def _flows(bridge: str) -> dict[str, tuple[nw.Expr, nw.Expr]]:
    """What one change did to the bridge: when, and the signed amount; together they add up to `now` − `was`.

    A win first takes on the final amount (up or down) and then leaves with it, so `won` is what was won.
    """
    was, now, before, value = nw.col("was"), nw.col("now"), nw.col("was_value"), nw.col("value")
    won = nw.col("is_won") & nw.col("is_qualified")
    fresh = nw.col("_seen") == 0
    left = was & ~now
    gone = left & ~won & ~nw.col("is_lost")
    out = nw.col("is_live") & gone
    step = nw.when(was & (now | won)).then(value - before).otherwise(0.0)
    # A deal that is won from outside the bridge (not due, never open, or lost before) comes in and leaves at once.
    straight = won & ~was & ~nw.col("was_is_won")
    if bridge == "due_in_quarter":
        straight = straight & nw.col("is_due")
    arrived = (now & ~was) | straight
    was_open, merged = nw.col("was_is_live"), ~nw.col("survivor_id").is_null()
    return {
        "created": (arrived & fresh, value),
        "reopened": (arrived & ~fresh & ~was_open, value),
        "pulled_in": (arrived & ~fresh & was_open, value),
        "amount_up": (step > 0, step),
        "amount_down": (step < 0, step),
        "pushed_out": (out, -before),
        "won": ((was & won) | straight, -value),
        "lost": (left & nw.col("is_lost"), -before),
        "deleted": (gone & ~out & ~merged, -before),
        "merged": (gone & ~out & merged, -before),
    }


def _placed(base: Base, frame: Frame) -> Frame:
    """The tier that the account had at the quarter's start, and the `end_tier` that it has at its end."""
    for name, edge in (("tier", "start"), ("end_tier", "end")):
        held = (
            accounts.at_edge(base, edge)
            .filter(base.is_shown)
            .select("quarter", "account_id", nw.col("tier").alias(name))
        )
        frame = frame.join(held, on=["quarter", "account_id"], how="left")
    return frame.with_columns(*(nw.col(name).fill_null(accounts.OUTSIDE) for name in ("tier", "end_tier")))
