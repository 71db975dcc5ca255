"""Ads: what was served, what it cost, and whether it reached the accounts on the list. Leading, never an outcome (C2)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .. import intervals
from ..formula import Columns, Formula, ratio, share, total, whole
from ..metric import Look, family
from ..reading import Reading, Worked, missing

metric = family("ads", kind="leading", pillar="reputation", activity="activity", audience=("marketing",))
DELIVERY = ("channel", "ad_type", "campaign")
OVER_TIME = ("month", "quarter", "year")
# A split so unlikely was not made by lot; nearer than a point it is let pass, since one person is shown many impressions.
MISMATCH, POINT = 0.001, 0.01
MISMATCHED = "sample-ratio mismatch: no verdict on the difference"


@metric(
    facts="ad_days",
    label="Ad impressions",
    unit="count",
    better="neither",
    counts="impressions",
    by=DELIVERY,
    additive=True,
)
def ad_impressions(ads: Columns) -> Formula:
    """Times an ad was served in the quarter.

    Source: ad_days, one row per day, ad and channel (S0-11).
    Counts: impressions as the platform bills them; invalid traffic is already out.
    Missing: no ad data for the quarter.
    """
    return total(ads.total("impressions"))


@metric(facts="ad_days", label="Ad clicks", unit="count", better="neither", counts="clicks", by=DELIVERY, additive=True)
def ad_clicks(ads: Columns) -> Formula:
    """Clicks on ads in the quarter.

    Source: ad_days (S0-11).
    Counts: all clicks that the platform bills, wherever they lead; clicks to the landing page alone are another column.
    Missing: no ad data for the quarter.
    """
    return total(ads.total("clicks"))


@metric(facts="ad_days", label="Ad spend", unit="money", better="neither", counts="money", by=(*DELIVERY, "exchange_rates"),
        additive=True)  # fmt: skip
def ad_spend(ads: Columns) -> Formula:
    """What the ad platforms charged for the quarter's delivery.

    Source: ad_days; fx at each day's rate (S0-41).
    Counts: platform cost; taxes and agency fees are out. The budget of the period stands beside it as its target. The slice
        `exchange_rates` has the same delivery at the rates of the same days a year before.
    Missing: no ad data for the quarter. Days without an exchange rate are counted, not priced.
    """
    n = ads.count()
    return total(ads.money("cost"), n=n).but(exchange_rates=total(ads.money("at_earlier_rates"), n=n))


@metric(facts="ad_days", label="Ad click-through rate", unit="share", better="higher", counts="impressions",
        by=(*DELIVERY, "programme", *OVER_TIME), core=True)  # fmt: skip
def ad_click_rate(ads: Columns) -> Formula:
    """Clicks for each impression served in the quarter.

    Source: ad_days, one row per day, ad and channel (S0-11, S0-12).
    Counts: clicks as billed by the platform; invalid clicks are already out.
    Missing: no impressions. No clicks on some impressions is 0, not missing.
    """
    return share(ads.total("clicks"), ads.total("impressions"), nothing="no impressions")


@metric(facts="ad_days", label="Cost per thousand impressions", unit="money", better="lower", counts="impressions",
        by=(*DELIVERY, "programme", *OVER_TIME), core=True)  # fmt: skip
def ad_cost_per_thousand(ads: Columns) -> Formula:
    """Ad spend for each thousand impressions served.

    Source: ad_days; fx at each day's rate (S0-11, S0-12).
    Counts: as ad_spend and ad_impressions; the denominator is in thousands.
    Missing: no impressions.
    """
    return ratio(
        ads.money("cost"), ads.total("impressions") / 1000, nothing="no impressions", n=ads.total("impressions")
    )


@metric(facts="ad_days", label="Cost per click", unit="money", better="lower", counts="clicks",
        by=(*DELIVERY, "programme", *OVER_TIME), core=True)  # fmt: skip
def ad_cost_per_click(ads: Columns) -> Formula:
    """Ad spend for each click.

    Source: ad_days; fx at each day's rate (S0-11, S0-12).
    Counts: the same clicks as ad_click_rate.
    Missing: no clicks.
    """
    return ratio(ads.money("cost"), ads.total("clicks"), nothing="no clicks")


@metric(facts="target_account_ads", label="Target accounts reached by ads", unit="share", better="higher",
        counts="accounts", by=("tier", "programme"), pillar="relationships")  # fmt: skip
def ad_target_reach_rate(accounts: Columns) -> Formula:
    """Target accounts that were served at least one ad, of all target accounts at the start of the quarter.

    Source: target_account_ads, one row per target account and channel that reached it (S0-17).
    Counts: accounts, not people; an account reached on two channels once.
    Missing: no target accounts.
    Beware: platforms leave out companies with very few events: an unmeasured account may have been reached.
    """
    reached = accounts.distinct("account_id", where=accounts.impressions > 0)
    return share(reached, accounts.distinct("account_id"), nothing="no target accounts")


@metric(facts="target_account_ads", label="Ad impressions per reached target account", unit="times", better="neither",
        counts="accounts", by="tier", pillar="relationships")  # fmt: skip
def ad_frequency(accounts: Columns) -> Formula:
    """Impressions served to each target account that was reached.

    Source: target_account_ads (S0-17).
    Counts: impressions on reached target accounts, over those accounts; accounts, not people.
    Missing: no target account was reached.
    """
    reached = accounts.distinct("account_id", where=accounts.impressions > 0)
    return ratio(accounts.total("impressions"), reached, nothing="no target account reached")


@metric(facts="target_account_ads", label="Target accounts engaging with ads", unit="share", better="higher",
        counts="accounts", by=("tier", "channel"), pillar="relationships")  # fmt: skip
def ad_target_engagement_rate(accounts: Columns) -> Formula:
    """Target accounts with at least one click or reaction, of those that were served an ad.

    Source: target_account_ads (S1-21).
    Counts: a click or a reaction engages; an impression never does. Reached = measured with one impression or more.
    Missing: no target account was reached.
    Beware: an account may engage on two channels, so channels do not add up to the whole.
    """
    engaged = accounts.distinct(
        "account_id", where=(accounts.clicks + accounts.reactions > 0) & (accounts.impressions > 0)
    )
    reached = accounts.distinct("account_id", where=accounts.impressions > 0)
    return share(engaged, reached, nothing="no target account reached")


@metric(facts="experiment_results", label="Ad experiment: part served to the control", unit="share", better="neither", counts="impressions",
        by=("experiment",), has_whole=False, version=2)  # fmt: skip
def ad_experiment_control_share(ads: Columns) -> Formula:
    """Impressions of the control, of all impressions under a planned comparison: it should be the planned split.

    Source: experiment_results (S1-22).
    Counts: impressions of both variants from the planned start to the quarter's end, or the planned end.
    Missing: nothing was served.
    """
    shown = ads.total("impressions")
    return share(ads.total("impressions", where=ads.is_control), shown, nothing="nothing was served")


@metric(of="ad_experiment_control_share", looks_up=("experiment_plans", "experiment_results"),
        label="Ad experiment: variant minus control", unit="points", better="higher", counts="impressions", by=("experiment",),
        has_whole=False, version=2)  # fmt: skip
def ad_experiment_difference(read: Look) -> Worked:
    """Click-through rate of the tried variant minus that of the control, from the planned start on.

    Source: experiment_results, ads under a planned comparison (S1-22).
    Counts: clicks and impressions of both variants from the planned start to the quarter's end, or the planned end.
    Missing: one of the two was not served.
    Beware: no interval, and so no verdict, before the planned end or where the split was not the planned one.
    """
    plans = {row["experiment"]: row for row in read.rows("experiment_plans")}
    results = read.rows("experiment_results")
    slices = {}
    for name in dict.fromkeys(row["experiment"] for row in results):
        sides = {row["is_control"]: row for row in results if row["experiment"] == name}
        why = _not_judged(plans[name], read("ad_experiment_control_share", "experiment", name))
        slices["experiment", name] = _against_control(sides.get(False), sides.get(True), why)
    return Worked(missing("undefined", "by experiment only"), slices)


def _not_judged(plan: dict[str, Any], served: Reading) -> str:
    """Why nothing may be said of the difference yet, or at all; empty where it may."""
    if pd.isna(plan["ends_on"]):
        return "no end was planned: no verdict on the difference"
    if not plan["is_over"]:
        return f"runs until {plan['ends_on']:%Y-%m-%d}: no verdict before"
    chance = _chance(served, plan["planned_split"])
    return MISMATCHED if chance is not None and _is_mismatch(served, plan["planned_split"], chance) else ""


def _against_control(tried: dict[str, Any] | None, control: dict[str, Any] | None, why: str) -> Reading:
    n = sum(side["impressions"] for side in (tried, control) if side)
    if not (tried and control and tried["impressions"] and control["impressions"]):
        return missing("undefined", "one variant not served", n=n)
    (k1, n1), (k2, n2) = ((float(side["clicks"]), float(side["impressions"])) for side in (tried, control))
    low, high = (None, None) if why else map(float, intervals.newcombe(k1, n1, k2, n2))
    return Reading(k1 / n1 - k2 / n2, k1, n1, n, low, high, f"Newcombe, 95%, against {k2:.0f} of {n2:.0f}", caveat=why)


@metric(of="ad_experiment_control_share", looks_up="experiment_plans", label="Ad experiment: sample-ratio check", unit="share",
        better="neither", counts="impressions", by=("experiment",), has_whole=False, version=2)  # fmt: skip
def ad_experiment_sample_ratio(read: Look) -> Worked:
    """How likely a split as uneven as this one is, had ads been served by lot as planned: a check, no result.

    Source: ad_experiment_control_share; experiments.planned_split (S1-22). Chi-squared test with one degree of freedom.
    Counts: as ad_experiment_control_share. Below 0.001, and more than a point off the plan, the difference is not to be trusted.
    Missing: no planned split, or nothing was served.
    """
    slices = {}
    for row in read.rows("experiment_plans"):
        served = read("ad_experiment_control_share", "experiment", row["experiment"])
        if served.value is None or not served.denominator:
            continue
        slices["experiment", row["experiment"]] = _ratio(served, row["planned_split"])
    return Worked(missing("undefined", "by experiment only"), slices)


def _ratio(served: Reading, planned: float) -> Reading:
    chance = _chance(served, planned)
    if chance is None:
        return missing("undefined", "no planned split", n=served.n)
    said = f"{served.value:.1%} served to the control, {planned:.1%} planned"
    off = f"; {MISMATCHED}" if _is_mismatch(served, planned, chance) else ""
    return Reading(chance, None, None, served.denominator, caveat=said + off)


def _chance(served: Reading, planned: float) -> float | None:
    """How likely a split as uneven as the one served is; None without a planned one, or where nothing was served."""
    if not 0 < planned < 1 or not served.denominator:
        return None
    return intervals.sample_ratio(served.numerator or 0.0, served.denominator, planned)


def _is_mismatch(served: Reading, planned: float, chance: float) -> bool:
    return chance < MISMATCH and abs((served.value or 0.0) - planned) > POINT


@metric(facts="ad_titles", label="Share of ad clicks by title", unit="share", better="neither", counts="clicks",
        by=("title", "seniority"), has_whole=False, smallest_cell=3)  # fmt: skip
def ad_click_share_by_title(titles: Columns) -> Formula:
    """Clicks of one job title or seniority, of all clicks that the platform could break down.

    Source: ad_titles, one row per month, campaign, title, seniority and function (S0-14).
    Counts: cells under 3 clicks are hidden; what they hold together is the row "under 3".
    Missing: no clicks with a title.
    Beware: approximate figures of the platform; titles do not add up to all clicks.
    """
    clicks = titles.total("clicks")
    return share(clicks, whole(clicks), nothing="no clicks with a title")


@metric(facts="company_ads", label="Companies engaging with ads", unit="count", better="higher", counts="companies",
        by=("tier", "industry", "account"), additive=True)  # fmt: skip
def ad_engaged_companies(companies: Columns) -> Formula:
    """Companies with at least one click or reaction on an ad, on the target list or not.

    Source: company_ads, one row per company that the platforms named (S0-15).
    Counts: companies that match no account go by the platform's name for them.
    Missing: no company figures for the quarter.
    """
    return total(companies.distinct("company", where=companies.clicks + companies.reactions > 0))
