"""People at accounts: who is known, in which role of the buying group, and who of them acted."""

from __future__ import annotations

import re

import narwhals as nw
import pandas as pd

from ..config import Config
from . import Base, Cut, Frame, fact
from .accounts import accounts_at_start
from .engagement import engaged_people
from .opportunities import open_opportunities

KEY = ("quarter", "window", "account_id")


def title_role(config: Config) -> nw.Expr:
    """The role that `[titles]` reads from the column `title`; null where it holds none of the words."""
    role: nw.Expr = nw.lit(None, nw.String)
    for name, words in reversed(config.titles.items()):
        if words:
            pattern = rf"\b({'|'.join(re.escape(word.lower()) for word in words)})\b"
            role = nw.when(nw.col("title").str.to_lowercase().str.contains(pattern)).then(nw.lit(name)).otherwise(role)
    return role


def members(base: Base) -> Frame:
    """Every person at an account who is not one of us, once for each stay: from when to when, and in which role.

    The role is the one that the source gives, else the one that the title tells. Where `person_accounts` says when someone
    worked where, it is believed; for everyone else the account that the person carries.
    """
    return base.once("members", lambda: _members(base))


def _members(base: Base) -> Frame:
    tables = base.tables
    people = tables.people.filter(~nw.col("is_internal").fill_null(False)).select(
        "person_id", "created_on", given_role="buying_role", department=nw.col("department").fill_null("not stated"),
        role=nw.coalesce(nw.col("buying_role"), title_role(base.config)), carried="account_id",
    )  # fmt: skip
    stays = tables.person_accounts.select("person_id", "valid_from", "valid_to", stayed="account_id")
    placed = people.join(stays, on="person_id", how="left")
    return placed.with_columns(account_id=nw.coalesce(nw.col("stayed"), nw.col("carried"))).filter(
        ~nw.col("account_id").is_null()
    )


def _known(cut: Cut, accounts: Frame) -> Frame:
    """The members of these accounts who were known, and there, on the last day of the window."""
    met = nw.col("created_on").is_null() | (nw.col("created_on") < nw.col("end_on"))
    came = nw.col("valid_from").is_null() | (nw.col("valid_from") < nw.col("end_on"))
    stayed = nw.col("valid_to").is_null() | (nw.col("valid_to") >= nw.col("end_on"))
    here = accounts.join(members(cut.base), on="account_id").filter(met, came, stayed)
    return here.drop("created_on", "valid_from", "valid_to", "stayed", "carried").unique()


def _targets(cut: Cut) -> Frame:
    return accounts_at_start(cut).filter(nw.col("is_target"))


def _needed_roles(cut: Cut) -> Frame:
    """tier, role: the roles that the buying group of a tier must have."""
    rows = [(tier, role) for tier, group in cut.config.buying_group.items() for role in dict.fromkeys(group.roles)]
    types = {"tier": "VARCHAR", "role": "VARCHAR"}
    return cut.tables.engine.frame(pd.DataFrame(rows, columns=list(types), dtype=object), types)


@fact(one_row_per=("account_id", "person_id"), needs=("people", "account_lists", "accounts"))
def target_contacts(cut: Cut) -> Frame:
    """People known at the quarter's end at accounts that were targets when it began; `is_right`: in a role the tier needs."""
    needed = _needed_roles(cut).with_columns(is_right=nw.lit(True))
    known = _known(cut, _targets(cut)).join(needed, on=["tier", "role"], how="left")
    return known.with_columns(is_right=nw.col("is_right").fill_null(False))


@fact(one_row_per=("account_id",), needs=("people", "account_lists", "accounts"))
def target_account_contacts(cut: Cut) -> Frame:
    """Target accounts as the quarter began, with the number of people known there at its end; 0 where nobody is."""
    counted = _known(cut, _targets(cut)).group_by(*KEY).agg(contacts=nw.len())
    return _targets(cut).join(counted, on=list(KEY), how="left").with_columns(contacts=nw.col("contacts").fill_null(0))


@fact(one_row_per=("account_id", "role"), needs=("touches", "people", "account_lists", "accounts"))
def needed_roles(cut: Cut) -> Frame:
    """Target accounts as the quarter began, once for each role that their tier needs, and whether someone in it acted."""
    roles = members(cut.base).filter(~nw.col("role").is_null()).select("person_id", "role").unique()
    acted = engaged_people(cut).join(roles, on="person_id").select(*KEY, "role", is_engaged=nw.lit(True)).unique()
    every = _targets(cut).join(_needed_roles(cut), on="tier").join(acted, on=[*KEY, "role"], how="left")
    return every.with_columns(is_engaged=nw.col("is_engaged").fill_null(False))


@fact(one_row_per=("account_id",), needs=("opportunity_changes", "opportunities"))
def accounts_in_play(cut: Cut) -> Frame:
    """Accounts with an open opportunity at the quarter's end, and whether a champion and a blocker are recorded there.

    Recorded on one of the open opportunities, or with a person known at the account; what a title suggests is not recorded.
    """
    opened = open_opportunities(cut).filter(~nw.col("account_id").is_null())
    accounts = opened.select(*KEY, "tier", "segment", "end_on").unique()
    ours = cut.tables.people.filter(nw.col("is_internal")).select("person_id", ours=nw.lit(True))
    named = cut.tables.opportunity_roles.join(ours, on="person_id", how="left").filter(nw.col("ours").is_null())
    named = opened.select(*KEY, "end_on", "opportunity_id").join(named, on="opportunity_id")
    named = named.filter(nw.col("added_on").is_null() | (nw.col("added_on") < nw.col("end_on")))
    people = _known(cut, accounts).select(*KEY, role="given_role")
    recorded = nw.concat([named.select(*KEY, "role"), people]).group_by(*KEY).agg(
        has_champion=_any(nw.col("role") == "champion"), has_blocker=_any(nw.col("role") == "blocker"))  # fmt: skip
    found = accounts.join(recorded, on=list(KEY), how="left")
    return found.with_columns(
        has_champion=(nw.col("has_champion") > 0).fill_null(False),
        has_blocker=(nw.col("has_blocker") > 0).fill_null(False),
    )


def _any(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(1).otherwise(0).max()
