"""Plans and books: budgets, costs, what finance states, and the remarks and deliveries of the data."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from .rates import Rates
from .shape import Row, Shape, Tables, around

# kind of cost: EUR a quarter at the start; media come from the ad platforms
COSTS = {
    "people": 165_000,
    "tools": 28_000,
    "agency": 24_000,
    "overhead": 30_000,
    "onboarding": 16_000,
    "support": 21_000,
}
PROGRAMMES = {"one_to_one": 0.3, "one_to_few": 0.3, "one_to_many": 0.25, "demand_generation": 0.15}
# Finance books some media a little differently: invoices are rounded and one discount is not in the platforms.
FINANCE_DIFFERENCE = 0.006
UNPAID_BUDGET = {"email": 2600, "webinar": 9000, "event": 24000, "content_syndication": 3000, "organic_search": 5000}


def spend(shape: Shape, tables: Tables, by: str) -> dict[tuple[str, str], float]:
    """Ad cost by quarter and a column of the campaign."""
    campaigns = {row["campaign_id"]: row for row in tables["campaigns"]}
    found: dict[tuple[str, str], float] = {}
    for row in tables["ad_days"]:
        key = shape.calendar.quarter_of(row["day"]).label, campaigns[row["campaign_id"]][by]
        found[key] = found.get(key, 0.0) + row["cost"]
    return found


def costs(shape: Shape, rates: Rates, tables: Tables) -> list[Row]:
    rng = shape.rng("costs")
    media = spend(shape, tables, "programme")
    rows = []
    for number, quarter in enumerate(shape.quarters):
        for programme in PROGRAMMES:
            paid = media.get((quarter.label, programme), 0.0)
            if paid:
                rows.append(
                    _cost(shape, quarter.label, "media", programme, paid * (1 + FINANCE_DIFFERENCE * (-1) ** number))
                )
        for kind, euros in COSTS.items():
            for programme, part in PROGRAMMES.items():
                amount = rates.from_eur(euros * part * 1.02**number * around(rng, 1, 0.05)) * shape.scale
                rows.append(_cost(shape, quarter.label, kind, programme, amount))
    return rows


def _cost(shape: Shape, quarter: str, kind: str, programme: str, amount: float) -> Row:
    return {
        "quarter": quarter,
        "kind": kind,
        "programme": programme,
        "amount": round(amount, 2),
        "currency": shape.currency,
    }


def budgets(shape: Shape, rates: Rates, tables: Tables) -> list[Row]:
    """Per quarter and channel; what was spent wanders from 85 to 108 % of it."""
    rng = shape.rng("budgets")
    paid = spend(shape, tables, "channel")
    rows = []
    for number, quarter in enumerate([*shape.quarters, shape.ahead[0]]):
        planned = {
            c: rates.from_eur(e * 1.02**number * around(rng, 1, 0.05)) * shape.scale for c, e in UNPAID_BUDGET.items()
        }
        for channel in ("linkedin_ads", "google_ads", "display"):
            last = shape.quarters[min(number, len(shape.quarters) - 1)].label
            planned[channel] = paid.get((last, channel), 0.0) / float(rng.uniform(0.85, 1.08))
        for channel, amount in planned.items():
            row = {
                "period": quarter.label,
                "channel": channel,
                "amount": max(100.0, round(amount, -2)),
                "currency": shape.currency,
            }
            rows.append(row)
    return rows


def control_totals(shape: Shape, booked: dict[str, float], spent: dict[tuple[str, str], float]) -> list[Row]:
    """What finance states; equal to the CRM but for one credit note a year and the media difference."""
    rows = []
    for number, quarter in enumerate(shape.quarters):
        value = booked[quarter.label] * (1 if number % 4 else 0.997)
        media = sum(cost for (label, _), cost in spent.items() if label == quarter.label) * (
            1 + FINANCE_DIFFERENCE * (-1) ** number
        )
        for metric, amount in (("closed_won_revenue", value), ("ad_spend", media)):
            row = {"period": quarter.label, "metric": metric, "value": round(amount, 2), "currency": shape.currency}
            rows.append(row | {"source": "finance ledger"})
    return rows


SYSTEM = {
    "ad_days": "ads", "ad_account_days": "ads", "ad_title_months": "ads", "experiments": "ads", "page_views": "web",
    "cta_events": "web", "assets": "web", "emails": "mail", "email_events": "mail", "subscriptions": "billing",
    "costs": "finance", "budgets": "finance", "targets": "finance", "control_totals": "finance", "fx": "finance",
    "surveys": "survey", "survey_invites": "survey", "notes": "survey",
}  # fmt: skip
ACTIVITY = (
    "ad_days",
    "ad_account_days",
    "ad_title_months",
    "page_views",
    "cta_events",
    "email_events",
    "touches",
    "meetings",
)


def loads(shape: Shape, tables: Tables) -> list[Row]:
    """One delivery of every table, on the last known day."""
    rows = []
    for table in [*tables, "loads"]:
        row = {
            "table": table,
            "source": SYSTEM.get(table, "crm"),
            "extracted_at": datetime.combine(shape.known, time(21)),
        }
        row |= {"covers_from": shape.start if table in ACTIVITY else shape.begin, "covers_to": shape.known}
        rows.append(row | {"rows_expected": len(tables[table]) if table != "loads" else len(tables) + 1})
    return rows


def events_log(shape: Shape) -> list[Row]:
    """Dated remarks that readers of the charts should know."""
    remarks = (
        (2, 5, "Uptime guarantee campaign for named plants starts", "marketing"),
        (5, 33, "Consent banner changed: fewer visits can be resolved to a company", "website"),
        (7, 20, "Target list reviewed with sales", "accounts"),
        (9, 12, "Ad tracking down for two days", "ads"),
        (11, 40, "New price list", "sales"),
    )
    return [
        {"day": shape.quarters[q].start + timedelta(days=n), "text": text, "source": source}
        for q, n, text, source in remarks
    ]
