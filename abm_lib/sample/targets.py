"""Targets by quarter and month, set so that attainment wanders from 75 to 110 %, and the promises made on them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from ..period import Period
from .figures import Figures
from .shape import Row, Shape

ATTAINED = (0.93, 0.84, 0.98, 0.8, 0.88, 1.03, 0.91, 0.79, 0.96, 1.06, 0.86, 0.97)
AGREED_BY = "CFO and CRO"
MONTHS = (0.27, 0.31)  # of the quarter's revenue target; the third has the rest
COUNTED = ("opportunities_created", "new_customers", "meetings_booked")
# metric, slice_by, slice; the last two empty for the whole
Name = tuple[str, str, str]
# metric, slice_by, slice: value in the first shown quarter and in the last
STEADY = {
    ("marketing_sourced_pipeline_share", "", ""): (0.34, 0.48),
    ("win_rate_closed", "", ""): (0.31, 0.34),
    ("pipeline_coverage", "", ""): (3.0, 3.0),
    ("ad_click_rate", "", ""): (0.0084, 0.0099),
    ("accounts_progressed_rate", "", ""): (0.085, 0.1),
    ("mqa_meeting_rate", "", ""): (0.45, 0.5),
    ("meeting_to_opportunity_rate", "", ""): (0.22, 0.24),
    ("buying_group_penetration", "tier", "1"): (0.14, 0.2),
    ("net_revenue_retention", "", ""): (1.005, 1.012),
}
# How the new-business target is shared out; coverage by segment is held against these.
SEGMENTS = {"enterprise": 0.5, "mid_market": 0.44, "small": 0.06}
OWED = (
    ("pipeline_created", ">=", 0.9, "CMO"),
    ("meetings_booked", ">=", 0.85, "CMO"),
    ("opportunities_created", ">=", 0.95, "CRO"),
    ("closed_won_revenue", ">=", 0.9, "CRO"),
    ("ad_cost_per_click", "<=", 1.02, "CMO"),
)


def targets(shape: Shape, figures: Figures) -> list[Row]:
    """All targets, agreed three weeks before their quarter; one was amended afterwards."""
    moving = _moving(figures)
    rows = [row for name, values in moving.items() for row in _grown(shape, name, values)]
    rows += [part for row in rows if row["slice"] == "new" for part in _by_segment(row)]
    for name, (first, last) in STEADY.items():
        for number, quarter in enumerate([*shape.quarters, *shape.ahead]):
            value = round(first + (last - first) * min(number, 11) / 11, 4)
            rows.append(_target(shape, name, quarter, value, None) | {"value": value})
    benchmark = {"kind": "benchmark", "source": "rule of thumb"}
    rows += [row | benchmark for row in rows if row["metric"] == "pipeline_coverage"]
    amended = next(row for row in rows if row["period"] == shape.quarters[9].label)
    amended["amended_on"] = shape.quarters[9].start + timedelta(days=20)
    booked = [row for row in rows if row["metric"] == "closed_won_revenue" and not row["slice_by"]]
    return rows + _months(shape, moving["meetings_booked", "", ""]) + _months_of_revenue(shape, booked)


def _by_segment(row: Row) -> list[Row]:
    """A new-business target shared out to the segments."""
    parts = {"slice_by": "business_type/segment"}
    return [
        row | parts | {"slice": f"new/{name}", "value": round(row["value"] * part, -3)}
        for name, part in SEGMENTS.items()
    ]


def _grown(shape: Shape, name: Name, values: dict[str, float]) -> list[Row]:
    """Targets for the quarters behind, set on their actuals, and for those ahead, a little above the last year's."""
    places = (
        0
        if name[0] in COUNTED
        else 2
        if name[0] == "ad_cost_per_click"
        else -2
        if name[0] == "average_contract_value"
        else -3
    )
    rows = []
    for number, quarter in enumerate(shape.quarters):
        value = values[quarter.label] / ATTAINED[(number + len(name[2])) % len(ATTAINED)]
        rows.append(_target(shape, name, quarter, value, places))
    level = sum(row["value"] for row in rows[-4:]) / 4
    for number, quarter in enumerate(shape.ahead):
        rows.append(_target(shape, name, quarter, level * (1.03 + 0.03 * number), places))
    return rows


def _moving(figures: Figures) -> dict[Name, dict[str, float]]:
    """Actuals by quarter of the metrics whose targets follow the size of the business."""
    marketing = {opportunity for opportunity, owner in figures.owner.items() if owner == "marketing"}
    won = [row for row in figures.won if row["business_type"] == "new"]
    meetings = [row for row in figures.tables["meetings"] if not row["is_internal"]]
    found: dict[Name, dict[str, float]] = {("closed_won_revenue", "", ""): figures.booked()}
    found["closed_won_revenue", "business_type", "new"] = figures.booked(_is_new)
    for segment in ("enterprise", "mid_market", "small"):
        found["closed_won_revenue", "segment", segment] = figures.booked(partial(_is_in, figures, segment))
    sourced = figures.booked(lambda deal: _is_new(deal) and deal["opportunity_id"] in marketing)
    found["marketing_sourced_revenue", "", ""] = sourced
    found["marketing_sourced_pipeline", "", ""] = figures.pipeline(lambda row: row["opportunity_id"] in marketing)
    found["pipeline_created", "", ""] = figures.pipeline()
    found["opportunities_created", "", ""] = figures.pipeline(count=True)
    found["new_customers", "", ""] = figures.by_quarter(lambda row: row["close_on"], won, lambda row: 1.0)
    found["average_contract_value", "", ""] = _contract_values(figures, won)
    found["ad_cost_per_click", "", ""] = _click_prices(figures)
    found["meetings_booked", "", ""] = figures.by_quarter(
        lambda row: row["booked_at"].date(), meetings, lambda row: 1.0
    )
    return found


def _is_new(deal: Row) -> bool:
    return bool(deal["business_type"] == "new")


def _is_in(figures: Figures, segment: str, deal: Row) -> bool:
    return bool(figures.segment[deal["account_id"]] == segment)


def _contract_values(figures: Figures, rows: list[Row]) -> dict[str, float]:
    """Mean recurring value of a year of the deals won, where it is known."""
    valued = [row for row in rows if figures.deal[row["opportunity_id"]]["annual_value"]]

    def value(row: Row) -> float:
        rate = figures.rates.rate(row["currency"], row["close_on"])
        return float(figures.deal[row["opportunity_id"]]["annual_value"] * rate)

    worth = figures.by_quarter(lambda row: row["close_on"], valued, value)
    count = figures.by_quarter(lambda row: row["close_on"], valued, lambda row: 1.0)
    return {label: total / max(1.0, count[label]) for label, total in worth.items()}


def _click_prices(figures: Figures) -> dict[str, float]:
    ads = figures.tables["ad_days"]
    cost = figures.by_quarter(lambda row: row["day"], ads, lambda row: row["cost"])
    clicks = figures.by_quarter(lambda row: row["day"], ads, lambda row: row["clicks"])
    return {label: value / max(1, clicks[label]) for label, value in cost.items()}


def _target(shape: Shape, name: Name, period: Period, value: float, places: int | None) -> Row:
    """One target; `places` is what its value is rounded to, a share has none. Only money has a currency."""
    metric, slice_by, of = name
    money = places is not None and metric not in COUNTED
    if value < 20_000:
        places = max(places or 0, 0)
    return {
        "metric": metric,
        "period": period.label,
        "slice_by": slice_by or None,
        "slice": of or None,
        "value": round(value, places),
        "currency": shape.currency if money else None,
        "kind": "target",
        "agreed_by": AGREED_BY if money else "CMO and CRO",
        "agreed_on": period.start - timedelta(days=20),
        "source": "plan",
    }


def _months(shape: Shape, booked: dict[str, float]) -> list[Row]:
    """Monthly goals for meetings, a third of the quarter's each."""
    name = ("meetings_booked", "", "")
    return [
        _target(shape, name, month, booked[quarter.label] / 3 / 0.93, 0)
        for quarter in shape.quarters
        for month in shape.calendar.months(quarter)
    ]


def _months_of_revenue(shape: Shape, rows: list[Row]) -> list[Row]:
    """The quarter's revenue target shared out to its months; most of it is due in the last."""
    found = []
    for quarter, row in zip([*shape.quarters, *shape.ahead], rows, strict=True):
        parts = [round(row["value"] * part, -3) for part in MONTHS]
        parts.append(row["value"] - sum(parts))
        found += [
            row | {"period": month.label, "value": value, "amended_on": None}
            for month, value in zip(shape.calendar.months(quarter), parts, strict=True)
        ]
    return found


def promises(shape: Shape, rows: list[Row]) -> list[Row]:
    """What marketing and sales promised each other a quarter ahead: a part of the target, with odds."""
    rng = shape.rng("promises")
    target = {(row["metric"], row["period"]): row for row in rows if not row["slice_by"]}
    found: list[Row] = []
    for made, quarter in zip(shape.quarters, [*shape.quarters[1:], shape.ahead[0]], strict=True):
        for metric, bound, part, role in OWED:
            owed = target[metric, quarter.label]
            value = owed["value"] * part * float(rng.uniform(0.95, 1.12))
            places = 0 if metric in COUNTED else 2 if metric == "ad_cost_per_click" else -3
            row: Row = {"promise_id": f"g{len(found) + 1:02}", "made_in": made.label, "due_in": quarter.label}
            row |= {"metric": metric, "bound": bound, "value": round(value, places)}
            found.append(row | {"owner_role": role, "confidence": round(float(rng.uniform(0.55, 0.9)), 2)})
    return found
