"""Who acted, and which accounts are engaged: the `[engaged]` rule as it stood when a window ended.

What is read here are touches of the last `engaged.window_days` days before the end of the window; an impression is no act,
and what our own people did is none either.
"""

from __future__ import annotations

from datetime import timedelta

import narwhals as nw
import pandas as pd

from . import Cut, Frame, fact
from .accounts import accounts_at_start

THREADS = (2, 3)  # how many people make an account multithreaded (S1-10)
NOBODY = ""  # the person of an act that names none; grouped rows would lose a blank


def engaged(cut: Cut) -> Frame:
    """quarter, window, account_id, people: every account, on the list or not, that meets the rule; and how many people acted.

    At least `engaged.min_people` people acted, or one act, whoever made it, was of a kind in `engaged.high_intent`.
    """
    return cut.base.once(f"engaged {cut.kind}", lambda: _engaged(cut))


def engaged_people(cut: Cut) -> Frame:
    """quarter, window, account_id, person_id: everyone known who acted, whether or not the account as a whole is engaged."""
    return _acts(cut).filter(nw.col("person_id") != NOBODY).select("quarter", "window", "account_id", "person_id")


def _engaged(cut: Cut) -> Frame:
    one = nw.when(nw.col("person_id") != NOBODY).then(1).otherwise(0)
    accounts = (
        _acts(cut).group_by("quarter", "window", "account_id").agg(people=one.sum(), intents=nw.col("intents").sum())
    )
    enough = (nw.col("people") >= cut.config.engaged.min_people) | (nw.col("intents") > 0)
    return accounts.filter(enough).select("quarter", "window", "account_id", "people")


def _acts(cut: Cut) -> Frame:
    """quarter, window, account_id, person_id, intents: who acted at which account, and how many acts showed high intent."""
    return cut.base.once(f"acts {cut.kind}", lambda: _acted(cut))


def _acted(cut: Cut) -> Frame:
    ours = cut.tables.people.filter(nw.col("is_internal")).select("person_id", ours=nw.lit(True))
    kinds = cut.config.engaged.high_intent
    intent = nw.when(nw.col("kind").is_in(kinds)).then(1).otherwise(0)
    touches = cut.tables.touches.filter(nw.col("kind") != "impression", ~nw.col("account_id").is_null())
    touches = touches.join(ours, on="person_id", how="left").filter(nw.col("ours").is_null())
    acts = touches.select(
        "account_id", person_id=nw.col("person_id").fill_null(NOBODY), day="touched_on", intent=intent
    )
    return (
        acts.join(days_looked_at(cut), on="day")
        .group_by("quarter", "window", "account_id", "person_id")
        .agg(intents=nw.col("intent").sum())
    )


def days_looked_at(cut: Cut) -> Frame:
    """day, quarter, window: the days that the rule looks back on from the end of each window."""
    days = range(1, cut.config.engaged.window_days + 1)
    windows = cut.base.windows
    spans = [(q.label, w.label, windows.until(w.end)) for q, w in windows.spans(cut.kind)]
    rows = [(end - timedelta(days=n), quarter, window) for quarter, window, end in spans for n in days]
    types = {"day": "DATE", "quarter": "VARCHAR", "window": "VARCHAR"}
    return cut.tables.engine.frame(pd.DataFrame(rows, columns=list(types), dtype=object), types)


@fact(one_row_per=("account_id",), needs=("touches", "account_lists", "accounts"))
def target_account_engagement(cut: Cut) -> Frame:
    """Target accounts as the quarter began: engaged or not, how many people acted, and how many the buying team has.

    `team` is the list's own size, else the tier's; `members` are the people who acted, never more than the team. `team_size`
    says which it was: stated, assumed, or too small for the people who acted.
    """
    return cut.base.once(f"target engagement {cut.kind}", lambda: _target_engagement(cut))


def _target_engagement(cut: Cut) -> Frame:
    key = ["quarter", "window", "account_id"]
    people = engaged_people(cut).group_by(*key).agg(people_engaged=nw.len())
    rule = engaged(cut).select(*key, is_engaged=nw.lit(True))
    targets = accounts_at_start(cut).filter(nw.col("is_target")).join(people, on=key, how="left")
    team, acted = nw.col("team"), nw.col("people_engaged")
    stated = nw.when(nw.col("buying_team_size") > 0).then(nw.col("buying_team_size"))
    word = nw.when(acted > team).then(nw.lit("too small")).when(stated.is_null()).then(nw.lit("assumed"))
    return (
        targets.join(rule, on=key, how="left")
        .with_columns(team=nw.coalesce(stated, _usual_team(cut)), people_engaged=acted.fill_null(0))
        .with_columns(
            is_engaged=nw.col("is_engaged").fill_null(False),
            members=nw.when(acted <= team).then(acted).otherwise(team),
            team_size=word.otherwise(nw.lit("stated")),
        )
    )


def _usual_team(cut: Cut) -> nw.Expr:
    """The size of the buying team that the company expects in the account's tier; null outside the tiers."""
    size: nw.Expr = nw.lit(None, nw.Int64)
    for tier, group in cut.config.buying_group.items():
        size = nw.when(nw.col("tier") == tier).then(nw.lit(group.team_size)).otherwise(size)
    return size


@fact(one_row_per=("people", "account_id"), needs=("touches", "account_lists", "accounts"))
def target_account_threads(cut: Cut) -> Frame:
    """Target accounts as the quarter began, once for each number of `people` asked for, and whether that many acted."""
    found = target_account_engagement(cut)
    asked = [found.with_columns(people=nw.lit(str(n)), is_met=nw.col("people_engaged") >= n) for n in THREADS]
    return nw.concat(asked)
