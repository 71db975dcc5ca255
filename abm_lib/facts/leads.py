"""People and accounts on their way to sales: created, marketing-qualified, and the campaign that first held them."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from . import Base, Cut, Frame, day_number, fact
from .accounts import UNKNOWN
from .opportunities import with_accounts
from .people import title_role

BELOW, ABOVE = ("cold", "engaged"), ("demo", "opportunity", "customer", "renewal")
NO_CAMPAIGN = "no campaign"
A_YEAR = 365
FOR_EVER = date(9999, 1, 1)
SOURCES = ("channel", "source", "source_detail", "recent_source", "recent_source_detail")


@fact(one_row_per=("person_id",), needs=("people",))
def leads(cut: Cut) -> Frame:
    """People first created in the window; our own people and those who came with an imported list are left out."""
    return _placed(cut, cut.base.once("leads", lambda: _created(cut.base)).join(cut.days, on="day"))


def _created(base: Base) -> Frame:
    imported = nw.col("source").str.to_lowercase().is_in([source.lower() for source in base.config.leads.imported])
    return employed(
        base, _people(base).filter(~nw.col("is_internal"), ~imported).with_columns(day=nw.col("created_on"))
    )


@fact(one_row_per=("person_id", "entered_at"), needs=("person_stages", "people"))
def qualified_leads(cut: Cut) -> Frame:
    """Entries of people into the stage `mql` in the window, as recorded by the as-of day; our own people are left out.

    `is_first` marks one without another in the 365 days before it; the others were recycled and came again. `is_right`
    marks a title of a role that the buying group of some tier needs.
    """
    entries = cut.base.once("qualified leads", lambda: _qualified(cut.base)).join(cut.days, on="day")
    return _placed(cut, _known_in_time(cut.base, entries))


def _qualified(base: Base) -> Frame:
    """Every entry into `mql` of people who are not ours, once: merged people may have entered twice at one instant."""
    stages = base.tables.person_stages.filter(nw.col("stage") == "mql")
    entries = stages.group_by("person_id", "entered_at", "entered_on").agg(recorded_at=nw.col("recorded_at").min())
    before = nw.col("entered_on").shift(1).over("person_id", order_by="entered_at")
    entries = entries.with_columns(_before=before, day=nw.col("entered_on"))
    apart = day_number("entered_on") - day_number("_before") >= A_YEAR
    entries = entries.with_columns(is_first=nw.col("_before").is_null() | apart.fill_null(True)).drop("_before")
    people = entries.join(_people(base), on="person_id", how="left").filter(~nw.col("is_internal").fill_null(False))
    return employed(base, people.with_columns(**{c: nw.col(c).fill_null(UNKNOWN) for c in SOURCES}))


def _people(base: Base) -> Frame:
    """Everyone with where they came from, in words, and whether the title is of a role that some buying group needs."""
    needed = {role for group in base.config.buying_group.values() for role in group.roles}
    people = base.tables.people.with_columns(
        is_internal=nw.col("is_internal").fill_null(False), has_title=~nw.col("title").is_null(),
        is_right=title_role(base.config).is_in(sorted(needed)).fill_null(False),
    )  # fmt: skip
    words = {c: nw.col(c).fill_null(UNKNOWN) for c in SOURCES}
    return people.select("person_id", "account_id", "created_on", "is_internal", "has_title", "is_right", **words)


def employed(base: Base, people: Frame) -> Frame:
    """account_id of the interval of person_accounts that holds `day`; the person's own where none does."""
    spells = base.tables.person_accounts.select(
        "person_id", "valid_from", _held="account_id", valid_to=nw.col("valid_to").fill_null(FOR_EVER)
    )
    held = people.select("person_id", "day").unique().join(spells, on="person_id")
    held = held.filter(nw.col("valid_from") <= nw.col("day"), nw.col("day") < nw.col("valid_to"))
    held = held.group_by("person_id", "day").agg(_held=nw.col("_held").max())
    people = people.join(held, on=["person_id", "day"], how="left")
    return people.with_columns(account_id=nw.coalesce(nw.col("_held"), nw.col("account_id"))).drop("_held")


def _placed(cut: Cut, people: Frame) -> Frame:
    """Beside each row its account at the quarter's start, and the first campaign that the person joined by the window's end."""
    ends = cut.windows.select("quarter", "window", "end_on")
    placed = people.join(ends, on=["quarter", "window"]).join(_first_campaigns(cut.base), on="person_id", how="left")
    joined = (nw.col("joined_on") < nw.col("end_on")).fill_null(False)
    placed = placed.with_columns(campaign=nw.when(joined).then(nw.col("campaign")).otherwise(nw.lit(NO_CAMPAIGN)))
    known = nw.when(nw.col("account_id").is_null()).then(nw.lit("no account")).otherwise(nw.lit("account known"))
    return with_accounts(cut.base, placed.with_columns(account_match=known))


def _first_campaigns(base: Base) -> Frame:
    """person_id, campaign, joined_on: the first campaign that each person was a member of."""
    return base.once("first campaigns", lambda: _joined_first(base))


def _joined_first(base: Base) -> Frame:
    members = base.tables.campaign_members.with_columns(_first=nw.col("joined_at").min().over("person_id"))
    first = members.filter(nw.col("joined_at") == nw.col("_first")).group_by("person_id", "joined_on")
    names = base.tables.campaigns.select("campaign_id", campaign="name")
    chosen = first.agg(campaign_id=nw.col("campaign_id").min()).join(names, on="campaign_id", how="left")
    return chosen.select("person_id", "joined_on", campaign=nw.col("campaign").fill_null(UNKNOWN))


@fact(one_row_per=("account_id",), needs=("account_stages",))
def qualified_accounts(cut: Cut) -> Frame:
    """Accounts that became marketing-qualified for the first time in the window, as recorded by the as-of day.

    One that jumped from below over `mqa` became it on that day; one first seen above it is not known to have.
    """
    first = cut.base.once("first mqa", lambda: _first_mqa(cut.base)).with_columns(day=nw.col("entered_on"))
    return with_accounts(cut.base, _known_in_time(cut.base, first.join(cut.days, on="day")))


def _first_mqa(base: Base) -> Frame:
    """account_id, entered_at, entered_on, recorded_at: the first entry into `mqa`, or past it from below."""
    stage = nw.col("stage")
    moves = base.tables.account_stages.with_columns(_before=stage.shift(1).over("account_id", order_by="entered_at"))
    from_below = nw.col("_before").is_in(BELOW).fill_null(False)
    reached = moves.filter(
        ((stage == "mqa") & (from_below | nw.col("_before").is_null())) | (stage.is_in(ABOVE) & from_below)
    )
    reached = reached.with_columns(_first=nw.col("entered_at").min().over("account_id"))
    return reached.filter(nw.col("entered_at") == nw.col("_first")).select(
        "account_id", "entered_at", "entered_on", "recorded_at"
    )


def _known_in_time(base: Base, entries: Frame) -> Frame:
    """The entries recorded by the as-of day of their quarter."""
    known = entries.join(base.windows.moments("end").select("quarter", "known_until"), on="quarter")
    return known.filter(nw.col("recorded_at").is_null() | (nw.col("recorded_at") < nw.col("known_until")))
