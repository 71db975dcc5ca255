"""An invented readings frame for the tests of what people see: no clock, no randomness, sums that tie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

QUARTERS = [f"{year}Q{n}" for year in (2024, 2025, 2026) for n in (1, 2, 3, 4)][3:11]
NOW = QUARTERS[-1]
STARTS = {q: date(int(q[:4]), 3 * int(q[5]) - 2, 1) for q in QUARTERS}
ENDS = {"1": "03-31", "2": "06-30", "3": "09-30", "4": "12-31"}


@dataclass(frozen=True)
class FakeMetric:
    """What the show package needs to know of a registered metric."""

    name: str
    family: str
    label: str
    unit: str
    better: str = ""
    kind: str = "funnel"
    pillar: str = "revenue"
    counts: str = "opportunities"
    scope: str = "new"
    additive: bool = False
    version: int = 1
    facts: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    doc: str = ""


def _doc(what: str) -> str:
    return f"{what}\n\nSource: an invented table, one row per deal (S0-11).\nCounts: whatever the test needs.\nMissing: nothing to divide by.\n"


def _metric(name: str, family: str, label: str, unit: str, better: str, **more: Any) -> tuple[str, FakeMetric]:
    return name, FakeMetric(name, family, label, unit, better, doc=_doc(f"{label} of the quarter."), **more)


REGISTER = dict(
    [
        _metric(
            "ad_impressions",
            "ads",
            "Ad impressions",
            "count",
            "neither",
            additive=True,
            kind="leading",
            counts="impressions",
        ),
        _metric("ad_clicks", "ads", "Ad clicks", "count", "neither", additive=True, kind="leading", counts="clicks"),
        _metric("ad_spend", "ads", "Ad spend", "money", "neither", additive=True, kind="leading", counts="ads"),
        _metric(
            "ad_click_rate", "ads", "Ad click-through rate", "share", "higher", kind="leading", counts="impressions"
        ),
        _metric("ad_cost_per_click", "ads", "Cost per click", "money", "lower", kind="leading", counts="clicks"),
        _metric(
            "ad_cost_per_thousand",
            "ads",
            "Cost per thousand impressions",
            "money",
            "lower",
            kind="leading",
            counts="impressions",
        ),
        _metric(
            "ad_target_reach_rate",
            "ads",
            "Target accounts reached",
            "share",
            "higher",
            kind="leading",
            counts="accounts",
        ),
        _metric(
            "ad_frequency",
            "ads",
            "Impressions per reached account",
            "times",
            "neither",
            kind="leading",
            counts="accounts",
        ),
        _metric(
            "ad_target_engagement_rate",
            "ads",
            "Reached accounts that engaged",
            "share",
            "higher",
            kind="leading",
            counts="accounts",
        ),
        _metric(
            "ad_engaged_companies",
            "ads",
            "Companies that engaged with ads",
            "count",
            "higher",
            kind="leading",
            counts="accounts",
        ),
        _metric(
            "ad_experiment_difference",
            "ads",
            "Advertising experiment difference",
            "points",
            "higher",
            kind="leading",
            counts="impressions",
        ),
        _metric(
            "ad_click_share_by_title",
            "ads",
            "Ad clicks by job title",
            "share",
            "neither",
            kind="leading",
            counts="clicks",
        ),
        _metric("opportunities_created", "pipeline", "Opportunities created", "count", "higher", additive=True),
        _metric("pipeline_created", "pipeline", "Pipeline created", "money", "higher", additive=True),
        _metric("marketing_sourced_opportunities", "pipeline", "Marketing-sourced opportunities", "count", "higher"),
        _metric("marketing_sourced_pipeline", "pipeline", "Marketing-sourced pipeline", "money", "higher"),
        _metric("marketing_sourced_pipeline_share", "pipeline", "Marketing share of new pipeline", "share", "higher"),
        _metric("average_deal_size", "pipeline", "Average deal size", "money", "higher"),
        _metric("open_pipeline", "pipeline", "Open pipeline", "money", "higher", additive=True, scope="all"),
        _metric("stale_pipeline_share", "pipeline", "Stale pipeline", "share", "lower"),
        _metric("pipeline_movement", "pipeline", "Pipeline movement", "money", "neither", scope="all"),
        _metric("pipeline_coverage", "pipeline", "Coverage on day five", "times", "higher"),
        _metric("pipeline_coverage_remaining", "pipeline", "Coverage of what remains", "times", "higher"),
        _metric("pipeline_coverage_next_quarter", "pipeline", "Coverage for next quarter", "times", "higher"),
        _metric("pipeline_coverage_in_two_quarters", "pipeline", "Coverage in two quarters", "times", "higher"),
        _metric("required_pipeline_coverage", "pipeline", "Coverage our record requires", "times", "neither"),
        _metric("pipeline_gap", "pipeline", "Pipeline gap", "money", "neither"),
        _metric("influenced_pipeline", "pipeline", "Influenced pipeline", "money", "neither"),
        _metric("influenced_pipeline_share", "pipeline", "Influenced share of new pipeline", "share", "neither"),
        _metric(
            "influenced_target_accounts",
            "pipeline",
            "Target accounts influenced",
            "count",
            "neither",
            counts="accounts",
        ),
        _metric("attributed_pipeline", "pipeline", "Attributed pipeline", "money", "neither"),
        _metric("attributed_revenue", "pipeline", "Attributed revenue", "money", "neither"),
        _metric("pipeline_generation_days", "pipeline", "Days to generate an opportunity", "days", "neither"),
        _metric(
            "closed_won_revenue", "revenue", "Bookings", "money", "higher", kind="return", additive=True, scope="all"
        ),
        _metric("deals_won", "revenue", "Deals won", "count", "higher", kind="return", additive=True, scope="all"),
        _metric("new_customers", "revenue", "New customers", "count", "higher", kind="return", counts="accounts"),
        _metric("marketing_sourced_revenue", "revenue", "Marketing-sourced bookings", "money", "higher", kind="return"),
        _metric(
            "marketing_sourced_revenue_share",
            "revenue",
            "Marketing share of bookings",
            "share",
            "higher",
            kind="return",
        ),
        _metric(
            "sourced_opportunity_win_rate", "revenue", "Win rate of sourced deals", "share", "higher", kind="return"
        ),
        _metric("revenue_target_attainment", "revenue", "Revenue target reached", "share", "higher", kind="return"),
        _metric("win_rate_closed", "revenue", "Win rate, closed deals", "share", "higher", kind="return"),
        _metric("win_rate_closed_value", "revenue", "Win rate by value", "share", "higher", kind="return"),
        _metric("win_rate_cohort", "revenue", "Win rate of the cohort", "share", "higher", kind="return"),
        _metric("win_rate_mix_effect", "revenue", "Win rate change from mix", "points", "neither", kind="return"),
        _metric(
            "win_rate_rate_effect", "revenue", "Win rate change within segments", "points", "neither", kind="return"
        ),
        _metric("loss_reason_share", "revenue", "Reasons for losing", "share", "neither", kind="return"),
        _metric("win_reason_share", "revenue", "Reasons for winning", "share", "neither", kind="return"),
        _metric("average_selling_price", "revenue", "Average selling price", "money", "higher", kind="return"),
        _metric("average_contract_value", "revenue", "Average contract value", "money", "higher", kind="return"),
        _metric("sales_cycle_days", "revenue", "Sales cycle, open deals included", "days", "neither", kind="return"),
        _metric("sales_cycle_days_won", "revenue", "Sales cycle of won deals", "days", "neither", kind="return"),
    ]
)

# metric: values of the eight quarters, with what stands behind the last of them.
SERIES: dict[str, dict[str, Any]] = {
    "ad_impressions": {"values": [410e3, 432e3, 455e3, 470e3, 468e3, 491e3, 505e3, 523e3], "n": 523000},
    "ad_clicks": {"values": [2378, 2549, 2594, 2820, 2855, 2946, 3081, 3242], "n": 3242},
    "ad_spend": {"values": [61e3, 63e3, 64e3, 67e3, 70e3, 71e3, 74e3, 78.2e3], "n": 240, "target": 80e3},
    "ad_click_rate": {"values": [0.0058, 0.0059, 0.0057, 0.006, 0.0061, 0.006, 0.0061, 0.006199], "numerator": 3242, "denominator": 523000, "n": 523000, "width": 0.0002, "target": 0.0058},
    "ad_cost_per_click": {"values": [25.6, 24.7, 24.7, 23.8, 24.5, 24.1, 24.0, 24.12], "numerator": 78200, "denominator": 3242, "n": 3242, "target": 22.0},
    "ad_cost_per_thousand": {"values": [148.8, 145.8, 140.7, 142.6, 149.6, 144.6, 146.5, 149.5], "numerator": 78200, "denominator": 523.0, "n": 523000},
    "ad_target_reach_rate": {"values": [0.51, 0.53, 0.55, 0.58, 0.6, 0.61, 0.63, 0.68], "numerator": 109, "denominator": 160, "n": 160, "width": 0.07, "target": 0.7},
    "ad_frequency": {"values": [3.1, 3.3, 3.2, 3.4, 3.6, 3.5, 3.7, 3.9], "numerator": 425, "denominator": 109, "n": 109},
    "ad_target_engagement_rate": {"values": [0.2, 0.21, 0.2, 0.23, 0.24, 0.26, 0.29, 0.339], "numerator": 37, "denominator": 109, "n": 109, "width": 0.088},
    "ad_engaged_companies": {"values": [40, 44, 43, 47, 52, 55, 61, 66], "n": 66, "target": 60},
    "opportunities_created": {"values": [30, 31, 29, 28, 27, 26, 25, 23], "n": 23, "target": 28},
    "pipeline_created": {"values": [4.9e6, 4.7e6, 4.5e6, 4.4e6, 4.3e6, 4.0e6, 3.8e6, 3.62e6], "n": 23, "target": 4.4e6},
    "marketing_sourced_opportunities": {"values": [7, 8, 9, 8, 8, 7, 8, 8], "n": 8, "target": 9},
    "marketing_sourced_pipeline": {"values": [1.2e6, 1.2e6, 1.3e6, 1.1e6, 1.2e6, 1.1e6, 1.2e6, 1.13e6], "n": 8, "target": 1.2e6},
    "marketing_sourced_pipeline_share": {"values": [0.25, 0.28, 0.29, 0.31, 0.33, 0.35, 0.36, 0.39], "numerator": 1.13e6, "denominator": 2.9e6, "n": 18, "width": 0.17, "target": 0.4},
    "average_deal_size": {"values": [150e3, 152e3, 155e3, 151e3, 149e3, 158e3, 153e3, 157e3], "numerator": 3.62e6, "denominator": 23, "n": 23, "width": 30e3},
    "open_pipeline": {"values": [9.9e6, 9.8e6, 9.7e6, 9.6e6, 9.8e6, 9.5e6, 9.4e6, 8.08e6], "n": 59},
    "stale_pipeline_share": {"values": [0.1, 0.11, 0.1, 0.12, 0.13, 0.12, 0.14, 0.15], "numerator": 1.21e6, "denominator": 8.08e6, "n": 59, "width": 0.08, "target": 0.1},
    "pipeline_coverage": {"values": [3.0, 2.8, 3.1, 2.9, 3.1, 2.9, 2.9, 2.6], "numerator": 6.5e6, "denominator": 2.5e6, "n": 41, "target": 3.1, "money": True},
    "pipeline_coverage_remaining": {"values": [3.2, 3.0, 3.3, 3.0, 3.3, 3.1, 3.0, 2.7], "numerator": 6.1e6, "denominator": 2.26e6, "n": 39, "money": True},
    "pipeline_coverage_next_quarter": {"values": [2.8, 3.1, 2.9, 3.1, 2.9, 2.9, 2.6, 1.9], "numerator": 4.94e6, "denominator": 2.6e6, "n": 33, "target": 3.1, "money": True},
    "pipeline_coverage_in_two_quarters": {"values": [1.4, 1.5, 1.4, 1.3, 1.5, 1.2, 1.1, 0.9], "numerator": 2.24e6, "denominator": 2.49e6, "n": 17, "money": True},
    "required_pipeline_coverage": {"values": [3.0, 3.0, 3.1, 3.0, 3.1, 3.1, 3.1, 3.1], "numerator": 50.0e6, "denominator": 16.1e6, "n": 140, "low": 2.7, "high": 3.7, "money": True},
    "influenced_pipeline": {"values": [1.3e6, 1.4e6, 1.4e6, 1.5e6, 1.6e6, 1.5e6, 1.5e6, 1.48e6], "n": 10},
    "influenced_pipeline_share": {"values": [0.4, 0.41, 0.43, 0.44, 0.46, 0.47, 0.5, 0.51], "numerator": 1.48e6, "denominator": 2.9e6, "n": 18, "width": 0.2},
    "influenced_target_accounts": {"values": [7, 7, 8, 8, 9, 8, 9, 9], "n": 9},
    "pipeline_generation_days": {"values": [120, 118, 122, 119, 117, 121, 118, 116], "n": 23},
    "closed_won_revenue": {"values": [1.7e6, 1.9e6, 2.2e6, 1.92e6, 2.3e6, 2.1e6, 2.27e6, 2.05e6], "n": 9, "target": 2.5e6, "caveats": "Q2 was reported as €2.34M"},
    "deals_won": {"values": [8, 8, 10, 9, 11, 9, 10, 9], "n": 9},
    "new_customers": {"values": [4, 4, 6, 5, 7, 6, 7, 6], "n": 6, "target": 8},
    "marketing_sourced_revenue": {"values": [0.5e6, 0.5e6, 0.6e6, 0.55e6, 0.7e6, 0.7e6, 0.78e6, 0.71e6], "n": 3, "target": 0.9e6},
    "marketing_sourced_revenue_share": {"values": [0.29, 0.26, 0.27, 0.29, 0.3, 0.33, 0.34, 0.346], "numerator": 0.71e6, "denominator": 2.05e6, "n": 9, "width": 0.2},
    "sourced_opportunity_win_rate": {"values": [0.3, 0.32, 0.31, 0.3, 0.34, 0.33, 0.35, 0.333], "numerator": 5, "denominator": 15, "n": 15, "width": 0.2},
    "revenue_target_attainment": {"values": [0.97, 0.88, 1.05, 0.91, 1.0, 0.92, 0.95, 0.82], "numerator": 2.05e6, "denominator": 2.5e6, "n": 9, "target": 1.0, "money": True},
    "win_rate_closed": {"values": [0.31, 0.34, 0.3, 0.31, 0.36, 0.31, 0.33, 0.333], "numerator": 9, "denominator": 27, "n": 27, "width": 0.165, "target": 0.35, "caveats": "3 of 18 losses have no reason"},
    "win_rate_closed_value": {"values": [0.4, 0.39, 0.41, 0.4, 0.42, 0.4, 0.41, 0.397], "numerator": 2.05e6, "denominator": 5.17e6, "n": 27, "width": 0.2},
    "win_rate_cohort": {"values": [0.24, 0.26, 0.25, 0.24, 0.27, 0.25, 0.26, 0.25], "numerator": 9, "denominator": 36, "n": 36, "width": 0.14},
    "win_rate_mix_effect": {"values": [0.01, -0.01, 0.0, 0.01, 0.02, -0.02, 0.01, -0.004], "n": 27},
    "win_rate_rate_effect": {"values": [0.01, 0.02, -0.04, 0.0, 0.03, -0.03, 0.01, 0.007], "n": 27},
    "average_selling_price": {"values": [212e3, 237e3, 220e3, 213e3, 209e3, 233e3, 227e3, 227.8e3], "numerator": 2.05e6, "denominator": 9, "n": 9},
    "average_contract_value": {"values": [118e3, 119e3, 121e3, 124e3, 122e3, 128e3, 131e3, None], "missing": "withheld", "n": 9, "target": 130e3, "caveats": "Term missing on 4 of 9 deals; this number needs 20% or less"},
    "sales_cycle_days": {"values": [122, 120, 119, 121, 118, 120, 117, 118], "n": 140},
    "sales_cycle_days_won": {"values": [96, 94, 95, 99, 92, 93, 95, 94], "n": 9},
}  # fmt: skip

SLICES: dict[tuple[str, str], dict[str, Any]] = {
    ("ad_spend", "channel"): {"linkedin_ads": 42.1e3, "google_ads": 21.6e3, "display": 9.2e3, "facebook": 5.3e3},
    ("ad_clicks", "channel"): {"linkedin_ads": 1210, "google_ads": 1450, "display": 322, "facebook": 260},
    ("ad_impressions", "channel"): {"linkedin_ads": 181e3, "google_ads": 120e3, "display": 162e3, "facebook": 60e3},
    ("ad_spend", "campaign"): {f"campaign_{n:02}": 12e3 / n for n in range(1, 15)},
    ("ad_click_rate", "channel"): {"linkedin_ads": (1210, 181000), "google_ads": (1450, 120000), "display": (322, 162000), "facebook": (260, 60000)},
    ("ad_target_reach_rate", "tier"): {"tier_1": (21, 24), "tier_2": (42, 56), "tier_3": (46, 80)},
    ("ad_target_engagement_rate", "tier"): {"tier_1": (11, 21), "tier_2": (15, 42), "tier_3": (11, 46)},
    ("ad_target_engagement_rate", "channel"): {"linkedin_ads": (24, 80), "google_ads": (9, 41), "display": (3, 62), "facebook": (1, 7)},
    ("ad_click_share_by_title", "title"): {"IT director": 0.31, "Head of operations": 0.22, "Plant manager": 0.17, "Buyer": 0.12, "Remainder": 0.18},
    ("ad_click_share_by_title", "seniority"): {"Director": 0.38, "Manager": 0.34, "C-level": None, "Staff": 0.22},
    ("ad_experiment_difference", "experiment"): {"Headline with a number": (0.0012, 0.0003, 0.0021), "Video against still": (-0.0004, -0.0013, 0.0005)},
    ("marketing_sourced_pipeline_share", "source_owner"): {"marketing": 0.39, "sales": 0.37, "partner": 0.14, "other": 0.04, "unknown": 0.06},
    ("pipeline_created", "channel"): {"linkedin_ads": 0.8e6, "events": 0.7e6, "outbound": 1.3e6, "referral": 0.5e6, "unknown": 0.32e6},
    ("pipeline_created", "source_owner"): {"marketing": 1.13e6, "sales": 1.57e6, "partner": 0.6e6, "unknown": 0.32e6},
    ("pipeline_created", "month"): {"2026-07": 1.4e6, "2026-08": 0.9e6, "2026-09": 1.32e6},
    ("average_deal_size", "source_owner"): {"marketing": (1.13e6, 8), "sales": (1.57e6, 9), "partner": (0.6e6, 4), "unknown": (0.32e6, 2)},
    ("open_pipeline", "stage"): {"discovery": 2.9e6, "proposal": 3.1e6, "negotiation": 2.08e6},
    ("stale_pipeline_share", "stage"): {"discovery": (0.7e6, 2.9e6), "proposal": (0.4e6, 3.1e6), "negotiation": (0.11e6, 2.08e6)},
    ("pipeline_movement", "movement"): {"opening": (9.4e6, 62), "created": (3.62e6, 23), "reopened": (0.18e6, 1), "pulled_in": (0.0, 0), "amount_up": (0.41e6, 4), "amount_down": (-0.36e6, 3), "pushed_out": (0.0, 0), "won": (-2.05e6, 9), "lost": (-3.12e6, 18), "deleted": (0.0, 0), "merged": (0.0, 0), "re_tiered": (0.0, 0), "fx": (0.0, 0), "closing": (8.08e6, 59), "residual": (0.0, 0)},
    ("pipeline_coverage", "as_of_day"): {f"{day:02}": 2.7 - day / 100 for day in (1, 5, 10, 20, 30, 45, 60, 75, 90)},
    ("pipeline_coverage", "segment"): {"enterprise": (4.1e6, 1.6e6), "mid_market": (2.4e6, 0.9e6)},
    ("required_pipeline_coverage", "horizon"): {"current": (3.1, 2.7, 3.7), "next": (3.1, 2.7, 3.7), "in_two": (1.4, 1.1, 1.9)},
    ("pipeline_gap", "horizon"): {"current": 1.26e6, "next": 3.13e6, "in_two": 1.18e6},
    ("influenced_pipeline", "rule"): {"strict": 0.84e6, "default": 1.48e6, "one_response": 2.32e6, "any_touch": 2.67e6},
    ("closed_won_revenue", "segment"): {"enterprise": 1.2e6, "mid_market": 0.65e6, "small": 0.2e6},
    ("closed_won_revenue", "business_type"): {"new": 1.47e6, "expansion": 0.58e6, "renewal": 0.0},
    ("win_rate_closed", "tier"): {"tier_1": (4, 9), "tier_2": (3, 10), "tier_3": (2, 8)},
    ("win_rate_closed", "segment"): {"enterprise": (5, 13), "mid_market": (3, 10), "small": (1, 4)},
    ("win_rate_closed", "source_owner"): {"marketing": (3, 9), "sales": (5, 14), "partner": (1, 4)},
    ("win_rate_cohort", "cohort"): {"2025Q3": (9, 36), "2025Q4": (8, 33), "2026Q1": (5, 31)},
    ("loss_reason_share", "reason"): {"price": 0.39, "no_decision": 0.28, "competitor": 0.17, "unknown": 0.16},
    ("win_reason_share", "reason"): {"product_fit": 0.44, "references": 0.33, "unknown": 0.23},
    ("average_contract_value", "source_owner"): {"marketing": (390e3, 3), "sales": (620e3, 5), "partner": (118e3, 1)},
    ("average_selling_price", "source_owner"): {"marketing": (710e3, 3), "sales": (1.2e6, 5), "partner": (0.14e6, 1)},
    ("sales_cycle_days", "segment"): {"enterprise": 141, "mid_market": 97, "small": None},
    ("sales_cycle_days_won", "source_owner"): {"marketing": 88, "sales": 101},
}  # fmt: skip

EDITION: dict[str, Any] = {
    "company": "Halden Systems", "quarter": NOW, "period_start": "2026-07-01", "period_end": "2026-09-30", "as_of": "2026-10-10", "state": "final",
    "profile": "internal", "currency": "EUR", "timezone": "Europe/Berlin", "run": "7f3a91c2", "version": "0.1.0",
    "families": ["summary", "ads", "pipeline", "revenue"], "quarters": ["2026Q1", "2026Q2", "2026Q3"], "caveats": 3, "generated": "11 Oct 2026",
    "sources": [{"name": "crm", "newest": "2026-10-09", "rows": 1234}, {"name": "linkedin_ads", "newest": "2026-10-08", "rows": 52100}],
}  # fmt: skip


def frame() -> pd.DataFrame:
    """The whole invented readings frame, with the columns of the contract in order."""
    rows = [_whole(name, i) for name, series in SERIES.items() for i in range(8) if i < len(series["values"])]
    rows += [
        _slice(metric, dimension, name, spec)
        for (metric, dimension), parts in SLICES.items()
        for name, spec in parts.items()
    ]
    return pd.DataFrame(rows)


def row(metric: str, **changes: Any) -> dict[str, Any]:
    """One record of the newest quarter, the whole, with the fields that a test sets."""
    return _base(metric, NOW) | changes


def _base(metric: str, quarter: str) -> dict[str, Any]:
    m = REGISTER[metric]
    money = (
        m.unit in ("money", "money_per_day")
        or SERIES.get(metric, {}).get("money")
        or metric
        in (
            "marketing_sourced_pipeline_share",
            "stale_pipeline_share",
            "win_rate_closed_value",
            "marketing_sourced_revenue_share",
            "influenced_pipeline_share",
        )
    )
    return {
        "metric": metric, "version": str(m.version), "family": m.family, "quarter": quarter, "period_start": pd.Timestamp(STARTS[quarter]),
        "period_end": pd.Timestamp(f"{quarter[:4]}-{ENDS[quarter[5]]}"), "as_of": pd.Timestamp("2026-10-10"), "slice_by": "", "slice": "", "unit": m.unit,
        "currency": "EUR" if money else "", "scope": m.scope, "value": None, "numerator": None, "denominator": None, "n": None, "counts": m.counts,
        "low": None, "high": None, "method": "", "missing_because": "", "caveats": "", "target": None, "previous": None, "year_ago": None,
        "as_reported": None, "better": m.better, "status": "no_target",
    }  # fmt: skip


def _whole(metric: str, i: int) -> dict[str, Any]:
    series, values = SERIES[metric], SERIES[metric]["values"]
    record = _base(metric, QUARTERS[i]) | {"value": values[i], "n": series.get("n"), "target": series.get("target")}
    record |= {"previous": values[i - 1] if i >= 1 else None, "year_ago": values[i - 4] if i >= 4 else None}
    if i == 7:
        record |= {
            "numerator": series.get("numerator"),
            "denominator": series.get("denominator"),
            "caveats": series.get("caveats", ""),
        }
    if values[i] is not None and "width" in series:
        record |= {"low": values[i] - series["width"], "high": values[i] + series["width"], "method": "wilson"}
    if "low" in series:
        record |= {"low": series["low"], "high": series["high"], "method": "bootstrap"}
    return _judged(record | {"missing_because": series.get("missing", "no_data") if values[i] is None else ""})


def _slice(metric: str, dimension: str, name: str, spec: Any) -> dict[str, Any]:
    record = _base(metric, NOW) | {"slice_by": dimension, "slice": name}
    if spec is None:
        return record | {"missing_because": "suppressed", "status": "none"}
    if not isinstance(spec, tuple):
        return _judged(record | {"value": float(spec), "n": 40})
    if len(spec) == 3:
        return _judged(record | {"value": spec[0], "low": spec[1], "high": spec[2], "n": 2000})
    if metric == "pipeline_movement":
        return record | {"value": spec[0], "n": spec[1]}
    value = spec[0] / spec[1]
    spread = (
        1.96 * (value * (1 - value) / spec[1]) ** 0.5
        if record["unit"] == "share" and not record["currency"]
        else 0.2 * value
    )
    return _judged(
        record
        | {
            "value": value,
            "numerator": spec[0],
            "denominator": spec[1],
            "n": spec[1] if not record["currency"] or record["unit"] == "money" else 20,
            "low": value - spread,
            "high": value + spread,
            "previous": value * 0.93,
        }
    )


def _judged(record: dict[str, Any]) -> dict[str, Any]:
    """The status column by the rules of the contract."""
    value, target, low, high = (record[name] for name in ("value", "target", "low", "high"))
    if value is None:
        return record | {"status": "none"}
    if record["unit"] in ("share", "times") and (record["n"] or 99) < 10:
        return record | {"status": "small_n"}
    if target is None or record["better"] not in ("higher", "lower"):
        return record | {"status": "no_target"}
    if low is not None and low <= target <= high:
        return record | {"status": "unclear"}
    return record | {"status": "good" if (value >= target) == (record["better"] == "higher") else "bad"}


def run_cells(notebook: Any, page: Any) -> Any:
    """A copy of a notebook as a kernel would leave it, without starting one: `abm.page` gives back `page`."""
    import ast
    import copy
    import types

    done = copy.deepcopy(notebook)
    names: dict[str, Any] = {}
    library = types.SimpleNamespace(page=lambda family, quarter, company: page)
    for count, cell in enumerate(
        (c for c in done.cells if c.cell_type == "code" and "explore" not in c.metadata.get("tags", [])), 1
    ):
        tree = ast.parse(cell.source.replace("import abm_lib as abm", ""))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        names["abm"] = library
        exec(compile(tree, cell.id, "exec"), names)
        cell.execution_count = count
        if (
            isinstance(last, ast.Expr)
            and (shown := eval(compile(ast.Expression(last.value), cell.id, "eval"), names)) is not None
        ):
            cell.outputs = [_output(shown._repr_mimebundle_(), count)]
    for cell in done.cells:
        if cell.cell_type == "code" and "explore" in cell.metadata.get("tags", []):
            cell.execution_count = 0
    return done


def _output(bundle: dict[str, Any], count: int) -> Any:
    import json

    import nbformat

    return nbformat.from_dict(
        {
            "output_type": "execute_result",
            "data": json.loads(json.dumps(bundle)),
            "metadata": {},
            "execution_count": count,
        }
    )
