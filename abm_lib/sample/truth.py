"""What was planted, with ids and sizes, so that a reader can check whether the report finds it."""

from __future__ import annotations

from datetime import date
from typing import Any

from . import words
from .ads import LIFT
from .campaigns import Campaigns
from .deals import CHAMPION_LIFT, WIN_RATE, Deal
from .journey import JOURNEY, WINDOW
from .money import FINANCE_DIFFERENCE
from .rates import Rates
from .shape import Row, Shape, Tables
from .waves import Waves


def truth(
    shape: Shape, rates: Rates, tables: Tables, campaigns: Campaigns, waves: Waves, deals: list[Deal], late: list[Row]
) -> dict[str, Any]:
    """The planted truths as one JSON object: each names its ids, its planned size and the size it came out at."""
    return {
        "company": "Norrvind Controls (invented)",
        "seed": shape.seed,
        "scale": shape.scale,
        "campaign_that_works": _campaign(campaigns, waves, deals),
        "segment_that_wins": _segment(deals),
        "leading_indicator": _indicator(shape, tables),
        "experiments": _experiments(tables),
        "restated_after_settling": [_restated(rates, row) for row in late],
        "marketing_sourced_share": _drift(shape, tables),
        "landing_page_mismatched": _page(tables, campaigns),
        "finance_media_difference": FINANCE_DIFFERENCE,
    }


def _campaign(campaigns: Campaigns, waves: Waves, deals: list[Deal]) -> dict[str, Any]:
    touched = [deal for deal in deals if deal.champion and _ended(deal)]
    others = [
        deal for deal in deals if not deal.champion and deal.business_type == "new" and deal.qualified and _ended(deal)
    ]
    return {
        "campaign_id": campaigns.champion["campaign_id"],
        "accounts_touched": len(waves.championed),
        "opportunities_of_touched": len([deal for deal in deals if deal.champion]),
        "planned_win_rate_lift": CHAMPION_LIFT,
        "win_rate_touched": _won_share(touched),
        "win_rate_others": _won_share(others),
    }


def _page(tables: Tables, campaigns: Campaigns) -> dict[str, Any]:
    asset = next(row for row in tables["assets"] if row["page"] == words.MISMATCHED_PAGE)
    seen = [
        row["scroll_percent"] for row in tables["page_views"] if row["page"] == asset["page"] and row["scroll_percent"]
    ]
    return {
        "page": asset["page"],
        "asset_id": asset["asset_id"],
        "campaign_id": campaigns.mismatch["campaign_id"],
        "median_scroll_percent": sorted(seen)[len(seen) // 2] if seen else None,
    }


def _ended(deal: Deal) -> bool:
    return bool(deal.qualified) and deal.changes[-1]["stage"] in ("won", "lost") and deal.reason != "duplicate"


def _won_share(deals: list[Deal]) -> float | None:
    return round(sum(deal.won for deal in deals) / len(deals), 4) if deals else None


def _segment(deals: list[Deal]) -> dict[str, Any]:
    ended = [deal for deal in deals if deal.business_type == "new" and _ended(deal)]
    return {
        "segment": "mid_market",
        "planned_points_above_others": round(WIN_RATE["mid_market"] - WIN_RATE["small"], 2),
        "win_rate": {s: _won_share([deal for deal in ended if deal.segment == s]) for s in words.SEGMENTS},
    }


def _indicator(shape: Shape, tables: Tables) -> dict[str, Any]:
    """Progression of target accounts in the quarter after, with two engaged people or more and without."""
    moved: dict[bool, list[bool]] = {True: [], False: []}
    for start, end in ((q.start, q.end) for q in shape.quarters[4:]):
        listed = {r["account_id"] for r in tables["account_lists"] if r["is_target"] and _covers(r, start)}
        people: dict[str, set[str]] = {}
        for row in tables["touches"]:
            if row.get("person_id") and start - WINDOW <= row["touched_at"].date() < start:
                people.setdefault(row["account_id"], set()).add(row["person_id"])
        before, after = _ranks(tables, start), _ranks(tables, end)
        for account_id in sorted(listed):
            engaged = len(people.get(account_id, ())) >= 2
            moved[engaged].append(after.get(account_id, 0) > before.get(account_id, 0))
    share = {engaged: round(sum(found) / len(found), 4) if found else None for engaged, found in moved.items()}
    found = {"indicator": "two or more engaged people", "leads": "accounts_progressed_rate", "quarters_ahead": 1}
    return found | {"progressed_with": share[True], "progressed_without": share[False]}


def _covers(row: Row, day: date) -> bool:
    return bool(row["valid_from"] <= day and (row["valid_to"] is None or day < row["valid_to"]))


def _ranks(tables: Tables, day: date) -> dict[str, int]:
    """The stage of each account at the beginning of a day, as its place in the journey."""
    return {
        r["account_id"]: JOURNEY.index(r["stage"]) for r in tables["account_stages"] if r["entered_at"].date() < day
    }


def _experiments(tables: Tables) -> list[dict[str, Any]]:
    found = []
    for experiment in tables["experiments"]:
        row: dict[str, Any] = {
            "experiment_id": experiment["experiment_id"],
            "planned_ratio": LIFT[experiment["experiment_id"]],
        }
        for variant in ("A", "B"):
            shown = [
                r
                for r in tables["ad_days"]
                if r["experiment_id"] == experiment["experiment_id"] and r["variant"] == variant
            ]
            clicks, seen = sum(r["clicks"] for r in shown), sum(r["impressions"] for r in shown)
            row[f"click_rate_{variant}"] = round(clicks / seen, 6) if seen else None
        verdict = {"x4": "B wins clearly", "x3": "no difference"}
        found.append(row | {"verdict": verdict.get(experiment["experiment_id"], "small difference")})
    return found


def _restated(rates: Rates, row: Row) -> dict[str, Any]:
    deal: Deal = row["deal"]
    day = row["close_on"]
    return {
        "opportunity_id": deal.opportunity_id,
        "quarter": row["quarter"],
        "stage": row["stage"],
        "changed_at": str(row["changed_at"]),
        "recorded_at": str(row["recorded_at"]),
        "amount": row["amount"],
        "currency": row["currency"],
        "amount_in_reporting_currency": round(row["amount"] * rates.rate(row["currency"], day), 2),
    }


def _drift(shape: Shape, tables: Tables) -> dict[str, float | None]:
    """Marketing's share of new opportunities qualified in each quarter, by number."""
    new = {row["opportunity_id"] for row in tables["opportunities"] if row["business_type"] == "new"}
    counts: dict[str, list[int]] = {quarter.label: [] for quarter in shape.quarters}
    for row in tables["opportunity_sources"]:
        label = shape.calendar.quarter_of(row["frozen_at"].date()).label
        if row["opportunity_id"] in new and label in counts:
            counts[label].append(row["owner"] == "marketing")
    return {label: round(sum(found) / len(found), 4) if found else None for label, found in counts.items()}
