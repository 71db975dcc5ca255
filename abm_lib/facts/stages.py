"""The journey: the stage of each target account at a moment, how it moved, and how long it stayed."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, day_number, fact
from .calendar import EDGES
from .opportunities import described
from .target_list import target_list

STAGES = ("cold", "engaged", "mqa", "demo", "opportunity", "customer", "renewal")
COLD, CUSTOMER, RENEWAL = STAGES.index("cold"), STAGES.index("customer"), STAGES.index("renewal")
CONVERSION_DAYS = 180
NO_OPPORTUNITY = "no opportunity"
NEEDS = ("account_stages", "account_lists", "accounts")


def entries(base: Base) -> Frame:
    """One row per change of an account's stage: the stage, its `place` in the journey, and the change that ended it.

    A stage recorded twice in a row is one stay. Whether the next change was known yet is for the reader to ask.
    """
    return base.once("stage entries", lambda: _entries(base))


def _entries(base: Base) -> Frame:
    place = nw.lit(COLD)
    for number, name in enumerate(STAGES):
        place = nw.when(nw.col("stage") == name).then(nw.lit(number)).otherwise(place)
    rows = base.tables.account_stages.with_columns(
        known_at=nw.coalesce(nw.col("recorded_at"), nw.col("entered_at")), place=place
    )
    order = {"order_by": "entered_at"}
    rows = rows.with_columns(_before=nw.col("place").shift(1).over("account_id", **order))
    rows = rows.filter(nw.col("_before").is_null() | (nw.col("_before") != nw.col("place")))
    following = {f"next_{c}": nw.col(c).shift(-1).over("account_id", **order) for c in LATER}
    return rows.select("account_id", "stage", "place", *LATER).with_columns(**following)


LATER = ("entered_at", "entered_on", "known_at")


def stages_at(base: Base, edge: str) -> Frame:
    """quarter, account_id, stage, place: the last stage entered before an edge, as known when the quarter had settled."""
    return base.once(f"stages at {edge}", lambda: _stages_at(base, edge))


def _stages_at(base: Base, edge: str) -> Frame:
    edges = base.windows.edges().filter(nw.col("edge") == edge).select("quarter", "edge_at", "known_until")
    rows = entries(base).select("account_id", "stage", "place", "entered_at", "known_at")
    known = edges.join(rows, how="cross").filter(
        nw.col("entered_at") < nw.col("edge_at"), nw.col("known_at") < nw.col("known_until")
    )
    last = known.group_by("quarter", "account_id").agg(entered_at=nw.col("entered_at").max())
    return last.join(rows, on=["account_id", "entered_at"]).select("quarter", "account_id", "stage", "place")


@fact(one_row_per=("account_id",), needs=NEEDS)
def staged_accounts(cut: Cut) -> Frame:
    """Target accounts on the quarter's last day with the stage they had reached (S2-18); without a recorded one, cold."""
    listed = target_list(cut).filter(nw.col("is_target"))
    staged = listed.join(stages_at(cut.base, "end"), on=["quarter", "account_id"], how="left")
    return staged.with_columns(stage=nw.col("stage").fill_null(STAGES[COLD]))


@fact(one_row_per=("account_id",), needs=NEEDS)
def stage_moves(cut: Cut) -> Frame:
    """Target accounts at the start of the window, and whether the stage at its end is a higher or a lower one (S2-19).

    An account without a recorded stage is cold. From renewal to customer is no step back. `denominator` is `eligible`
    for accounts that are not at the last stage already.
    """
    edge = cut.kind if cut.kind in EDGES else "start"
    moved = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    for name, at in (("was", edge), ("now", "end")):
        place = stages_at(cut.base, at).select("quarter", "account_id", nw.col("place").alias(name))
        moved = moved.join(place, on=["quarter", "account_id"], how="left")
        moved = moved.with_columns(nw.col(name).fill_null(COLD))
    was, now = nw.col("was"), nw.col("now")
    return moved.with_columns(
        is_progressed=now > was,
        is_regressed=(now < was) & ~((was == RENEWAL) & (now == CUSTOMER)),
        denominator=nw.when(was < RENEWAL).then(nw.lit("eligible")),
    )


@fact(one_row_per=("account_id", "entered_at"), needs=NEEDS)
def stage_cohorts(cut: Cut) -> Frame:
    """Entries into a stage by the quarter they fell in, and whether a later stage was reached within 180 days (S3-08).

    Counts: accounts on the target list when that quarter began; a jump over the next stage counts, the last stage is out.
    `is_mature`: the 180 days are over. `is_headline`: of the newest quarter of which all of them are.
    """
    base, shown = cut.base, [quarter.label for quarter in cut.base.shown]
    ends = base.windows.moments("end").select("quarter", "read_at", "known_until", "rated_on")
    spans = cut.windows.filter(nw.col("quarter").is_in(shown)).join(ends, on="quarter")
    old = day_number("rated_on") - day_number("end_on") + 1 >= CONVERSION_DAYS
    newest = nw.when(old).then(nw.col("window")).max().over("quarter")
    spans = spans.with_columns(is_headline=(nw.col("window") == newest).fill_null(False))
    days = cut.days.select("quarter", "window", entered_on="day").join(spans, on=["quarter", "window"])
    known = nw.col("known_at") < nw.col("known_until")
    entered = entries(base).select("account_id", "stage", "place", *LATER).join(days, on="entered_on")
    entered = entered.filter(known, nw.col("place") < RENEWAL)
    listed = accounts.at_edge(base, "start").filter(nw.col("is_target"))
    listed = listed.select("account_id", "tier", "programme", window="quarter")
    entered = entered.join(listed, on=["window", "account_id"])
    key = ["quarter", "window", "account_id", "entered_at"]
    further = _further(base, entered).group_by(*key).agg(further_on=nw.col("later_on").min())
    return entered.join(further, on=key, how="left").with_columns(
        is_converted=~nw.col("further_on").is_null(), entry_quarter=nw.col("window"),
        is_mature=day_number("rated_on") - day_number("entered_on") >= CONVERSION_DAYS,
    )  # fmt: skip


def _further(base: Base, entered: Frame) -> Frame:
    """Each entry with every higher stage that the account is known to have entered in time."""
    later = {"later_at": nw.col("entered_at"), "later_on": nw.col("entered_on"), "later_known_at": nw.col("known_at")}
    pairs = entered.join(entries(base).select("account_id", later_place="place", **later), on="account_id")
    pairs = pairs.filter(nw.col("later_place") > nw.col("place"), nw.col("later_at") > nw.col("entered_at"))
    return pairs.filter(
        nw.col("later_at") < nw.col("read_at"),
        nw.col("later_known_at") < nw.col("known_until"),
        day_number("later_on") - day_number("entered_on") <= CONVERSION_DAYS,
    )


@fact(one_row_per=("account_id", "entered_at"), needs=NEEDS)
def stage_stays(cut: Cut) -> Frame:
    """Stays that target accounts began in the window, with the days until they left or, still there, until its end (S0-91).

    Counts: accounts on the list when the window began; any other stage ends a stay, be it higher or lower. `source_owner` is
    that of the account's first opportunity.
    """
    ends = cut.base.windows.moments("end").select("quarter", "read_at", "known_until", "rated_on")
    listed = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    listed = listed.select("quarter", "window", "account_id", "tier", "programme")
    stays = entries(cut.base).join(cut.days.select("quarter", "window", entered_on="day"), on="entered_on")
    stays = stays.join(listed, on=["quarter", "window", "account_id"]).join(ends, on="quarter")
    stays = stays.filter(nw.col("known_at") < nw.col("known_until"))
    left = (nw.col("next_entered_at") < nw.col("read_at")) & (nw.col("next_known_at") < nw.col("known_until"))
    stays = stays.with_columns(is_over=left.fill_null(False))
    until = nw.when(nw.col("is_over")).then(nw.col("next_entered_on")).otherwise(nw.col("rated_on"))
    stays = stays.with_columns(_until=until)
    days = (day_number("_until") - day_number("entered_on")).cast(nw.Float64)
    stays = stays.with_columns(days=days, naive=nw.lit("mean of those that are over"))
    if not cut.tables.delivered.issuperset(("opportunities", "opportunity_changes")):
        return stays.with_columns(source_owner=nw.lit(accounts.UNKNOWN))
    stays = stays.join(_first_owners(cut), on=["quarter", "account_id"], how="left")
    return stays.with_columns(nw.col("source_owner").fill_null(NO_OPPORTUNITY))


def _first_owners(cut: Cut) -> Frame:
    """quarter, account_id, source_owner: of the new business known at the quarter's end, that which qualified first."""
    known = described(cut, "end").filter(nw.col("business_type") == "new", ~nw.col("qualified_at").is_null())
    known = known.with_columns(_first=nw.col("qualified_at").min().over("quarter", "account_id"))
    first = known.filter(nw.col("qualified_at") == nw.col("_first"))
    first = first.group_by("quarter", "account_id").agg(nw.col("opportunity_id").min())
    return first.join(known.select("quarter", "opportunity_id", "source_owner"), on=["quarter", "opportunity_id"]).drop(
        "opportunity_id"
    )
