"""What demand costs: budgets of the channels that ad platforms report, costs of every kind, and what ads brought."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from . import Cut, Frame, day_number, fact
from .ads import ad_days
from .costs import quarter_costs
from .leads import NO_CAMPAIGN, leads, qualified_accounts, qualified_leads


@fact(one_row_per=("period", "channel", "campaign_id", "programme"), needs=("budgets",))
def channel_budgets(cut: Cut) -> Frame:
    """Budgets of the window's own period, at its first day's rate. A year to date has the budgets of its quarters so far.

    `is_tracked` is false for a channel of which abm.toml says that nobody can count what it brings.
    """
    periods = cut.base.windows.goals(cut.kind).filter(nw.col("horizon") == "current")
    budgets = cut.tables.budgets.with_columns(due_in=nw.col("period"))
    budgets = budgets.join(periods, on="due_in").join(cut.windows, on=["quarter", "window"])
    untracked = [name for name, channel in cut.config.channels.items() if not channel.tracked]
    known = ~nw.col("channel").is_in(untracked) if untracked else nw.lit(True)
    return cut.base.priced(budgets, "amount", "start_on").with_columns(is_tracked=known)


@fact(one_row_per=("period", "channel", "campaign_id", "programme"), needs=("budgets",))
def ad_budgets(cut: Cut) -> Frame:
    """The budgets of the channels in which ad platforms report a cost; others have no spend to hold against theirs."""
    return channel_budgets(cut).join(cut.tables.ad_days.select("channel").unique(), on="channel")


@fact(one_row_per=("spend", "programme", "spent_in"), needs=("costs",))
def spend_kinds(cut: Cut) -> Frame:
    """The window's spend twice: `media` as ad platforms charged it, and `full`, finance's costs of `cac.full_kinds`.

    Costs are kept by quarter, so that a window holds those of its whole quarters.
    """
    columns = ("quarter", "window", "spend", "programme", "spent_in", "amount")
    media = ad_days(cut).group_by("quarter", "window").agg(amount=nw.col("cost").sum())
    media = media.with_columns(spend=nw.lit("media"), programme=nw.lit("all"), spent_in=nw.col("window"))
    full = quarter_costs(cut.base).join(_whole_quarters(cut), on="spent_in")
    full = full.with_columns(spend=nw.lit("full"), amount=nw.col("full"))
    return nw.concat([media.select(*columns), full.select(*columns)])


def _whole_quarters(cut: Cut) -> Frame:
    """quarter, window, spent_in: the quarters that lie whole in each window."""
    rows = [
        (quarter.label, window.label, inside.label)
        for quarter, window in cut.base.windows.spans(cut.kind)
        for inside in cut.base.quarters
        if window.start <= inside.start and inside.end <= window.end
    ]
    types = dict.fromkeys(("quarter", "window", "spent_in"), "VARCHAR")
    return cut.base.tables.engine.frame(pd.DataFrame(rows, columns=list(types), dtype=object), types)


@fact(one_row_per=("outcome", "id", "channel", "campaign"), needs=("ad_days",))
def ad_outcomes(cut: Cut) -> Frame:
    """Leads, MQLs and MQAs by the channel and campaign they came through, named only where ads ran there in the window.

    A lead or MQL has its own channel and first campaign; an MQA each one that touched the account within
    `engaged.window_days` before it qualified, so that it may be there several times.
    """
    columns = ("quarter", "window", "id", "channel", "campaign")
    born = leads(cut).with_columns(id=nw.col("person_id")).select(*columns, outcome=nw.lit("lead"))
    mqls = qualified_leads(cut).filter(nw.col("is_first")).with_columns(id=nw.col("person_id"))
    mqls = mqls.select(*columns, outcome=nw.lit("mql"))
    mqas = _touched(cut).with_columns(id=nw.col("account_id")).select(*columns, outcome=nw.lit("mqa"))
    every = nw.concat([born, mqls, mqas])
    ran = ad_days(cut).filter(nw.col("campaign") != NO_CAMPAIGN)
    for by, ads in (("channel", ad_days(cut)), ("campaign", ran)):
        there = ads.select("quarter", "window", by).unique().with_columns(_ran=nw.lit(True))
        every = every.join(there, on=["quarter", "window", by], how="left")
        every = every.with_columns(nw.when(nw.col("_ran")).then(nw.col(by)).alias(by)).drop("_ran")
    return every.select(*columns, "outcome").unique()


def _touched(cut: Cut) -> Frame:
    """quarter, window, account_id, channel, campaign: how people outside at each new MQA were touched before it qualified."""
    reached = qualified_accounts(cut).select("quarter", "window", "account_id", "entered_at", "entered_on")
    names = cut.tables.campaigns.select("campaign_id", campaign="name")
    touches = cut.base.of_others(cut.tables.touches.filter(nw.col("kind") != "impression")).select(
        "account_id", "touched_at", "touched_on", "channel", "campaign_id"
    )
    near = touches.join(reached, on="account_id").filter(nw.col("touched_at") < nw.col("entered_at"))
    near = near.filter(day_number("entered_on") - day_number("touched_on") < cut.config.engaged.window_days)
    near = near.join(names, on="campaign_id", how="left")
    return near.select(
        "quarter", "window", "account_id", "channel", campaign=nw.col("campaign").fill_null(NO_CAMPAIGN)
    ).unique()
