"""What the CRM recorded of a deal: every state with the moment it took effect and the moment it was entered."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

from numpy.random import Generator

from .deals import CYCLE, Deal
from .shape import SETTLE_DAYS, Row, Shape, around, between, chance, moment, pick, shift, working

STAGES = {
    "discovery": 0.1,
    "qualified": 0.2,
    "evaluation": 0.4,
    "proposal": 0.6,
    "negotiation": 0.8,
    "won": 1.0,
    "lost": 0.0,
}
OPEN = tuple(STAGES)[:5]
FORECAST = {"discovery": "pipeline", "qualified": "pipeline", "evaluation": "pipeline", "proposal": "best_case"}
FORECAST |= {"negotiation": "commit", "won": "closed", "lost": "omitted"}


def record(shape: Shape, rng: Generator, deal: Deal) -> None:
    """Fill `deal.changes` with what is known by the last day."""
    points = [*_stage_days(rng, deal), *_review_days(rng, deal)]
    rows: list[Row] = []
    amount, expected, stage = deal.amount * around(rng, 1.0, 0.18), _first_guess(rng, deal), "discovery"
    for day, reached in sorted(points, key=lambda point: point[0]):
        rows += _pushed(rng, deal, rows, day)
        stage = reached or stage
        part = (day - deal.created).days / max(1, (deal.close - deal.created).days)
        expected = _expected(rng, deal, day, part, rows[-1]["close_on"] if rows else expected)
        amount = deal.amount if part > 0.75 else amount * (around(rng, 1.0, 0.1) if part and chance(rng, 0.5) else 1.0)
        rows.append(_state(rng, deal, day, stage, amount, expected))
    rows += _pushed(rng, deal, rows, deal.close)
    rows.append(_closed(rng, deal, deal.close, deal.won))
    if chance(rng, 0.025) and not deal.won and deal.qualified:
        rows = _deleted(rng, deal, rows)
    elif chance(rng, 0.035) and not deal.won and deal.qualified:
        rows += _reopened(rng, deal)
    known = _distinct([row for row in rows if row["changed_at"] <= shape.cut])
    deal.changes = [row | {"recorded_at": min(row["recorded_at"], shape.cut)} for row in known]


def _stage_days(rng: Generator, deal: Deal) -> list[tuple[date, str | None]]:
    """The days on which the deal moved on; a lost one stops somewhere on the way, now and then a stage is skipped."""
    points: list[tuple[date, str | None]] = [(deal.created, "discovery")]
    if deal.qualified is None:
        return points
    points.append((deal.qualified, "qualified"))
    last = 3 if deal.won else int(pick(rng, {0: 0.22, 1: 0.3, 2: 0.3, 3: 0.18}))
    left = (deal.close - deal.qualified).days
    for number, (stage, part) in enumerate((("evaluation", 0.3), ("proposal", 0.6), ("negotiation", 0.84))):
        day = working(shift(deal.qualified, left * (part + float(rng.uniform(-0.09, 0.09)))))
        if number < last and not chance(rng, 0.06) and deal.qualified < day < deal.close:
            points.append((day, stage))
    return points


def _review_days(rng: Generator, deal: Deal) -> list[tuple[date, str | None]]:
    """Days on which only amount or close date were looked at again."""
    length = (deal.close - deal.created).days
    days = rng.integers(5, max(length, 6), size=int(rng.poisson(length / 130)))
    return [(day, None) for n in days if (day := working(shift(deal.created, int(n)))) < deal.close]


def _first_guess(rng: Generator, deal: Deal) -> date:
    usual = CYCLE[deal.segment] if deal.business_type == "new" else (deal.close - deal.created).days
    return working(shift(deal.created, max(8, usual * float(rng.uniform(0.78, 1.18)))))


def _expected(rng: Generator, deal: Deal, day: date, part: float, before: date) -> date:
    """Early the seller keeps the first guess; late the expected day closes in on the real one, lost or won."""
    if part < 0.5:
        return before if before > shift(day, 6) else working(shift(day, between(rng, 20, 60)))
    guess = shift(deal.close, float(rng.normal(0, 40 * (1.1 - part))))
    return working(max(guess, shift(day, 3)))


def _pushed(rng: Generator, deal: Deal, rows: list[Row], until: date) -> list[Row]:
    """A close date that passed unnoticed is moved some days later, if nothing else happened before."""
    if not rows or rows[-1]["close_on"] >= until:
        return []
    day = working(shift(rows[-1]["close_on"], between(rng, -6, 18)))
    if not rows[-1]["changed_at"].date() < day < until:
        return []
    new_day = working(shift(day, between(rng, 18, 75)))
    return [_state(rng, deal, day, rows[-1]["stage"], rows[-1]["amount"], new_day)]


def _state(rng: Generator, deal: Deal, day: date, stage: str, amount: float | None, close_on: date) -> Row:
    at = moment(rng, day)
    lag = timedelta(minutes=between(rng, 1, 90)) if chance(rng, 0.8) else timedelta(hours=between(rng, 3, 47))
    blank = stage in OPEN[:2] and chance(rng, 0.06)
    return {
        "changed_at": at,
        "recorded_at": at + lag,
        "stage": stage,
        "amount": None if blank or amount is None else round(amount, -2),
        "currency": deal.currency,
        "close_on": close_on,
        "probability": STAGES[stage],
        "forecast_category": FORECAST[stage],
        "owner_id": deal.owner_id,
        "business_type": deal.business_type,
        "is_deleted": False,
    }


def _closed(rng: Generator, deal: Deal, day: date, won: bool) -> Row:
    """The last state. One in twelve is entered days late, with the real day as its date."""
    kept = 1.0 if won else pick(rng, {1.0: 0.9, 0.0: 0.06, None: 0.04})
    row = _state(rng, deal, day, "won" if won else "lost", None if kept is None else deal.amount * kept, day)
    if chance(rng, 0.08):
        row["recorded_at"] = row["changed_at"] + timedelta(days=between(rng, 1, 8), hours=between(rng, 0, 5))
    return row


def _deleted(rng: Generator, deal: Deal, rows: list[Row]) -> list[Row]:
    """Cut the history short at a random open state, with a last row that says the opportunity was deleted."""
    kept = rows[: between(rng, 2, max(2, len(rows) - 1))]
    kept = kept if kept[-1]["stage"] in OPEN else kept[:-1]
    gone = kept[-1]["changed_at"] + timedelta(days=between(rng, 2, 12))
    return [*kept, kept[-1] | {"changed_at": gone, "recorded_at": gone + timedelta(minutes=5), "is_deleted": True}]


def _reopened(rng: Generator, deal: Deal) -> list[Row]:
    """Lost, then open again in proposal, then lost for good."""
    again = working(shift(deal.close, between(rng, 14, 50)))
    close = working(shift(again, between(rng, 25, 80)))
    expected = working(shift(close, between(rng, -10, 20)))
    return [_state(rng, deal, again, "proposal", deal.amount, expected), _closed(rng, deal, close, False)]


def _distinct(rows: list[Row]) -> list[Row]:
    """In order of time, never two states at one moment."""
    rows.sort(key=lambda row: row["changed_at"])
    for before, row in pairwise(rows):
        if row["changed_at"] <= before["changed_at"]:
            row["changed_at"] = before["changed_at"] + timedelta(seconds=61)
            row["recorded_at"] = max(row["recorded_at"], row["changed_at"] + timedelta(minutes=1))
    return rows


def restate(shape: Shape, deals: list[Deal]) -> list[Row]:
    """Enter some states of each quarter only after its books were settled; one row of truth for each of them."""
    rng = shape.rng("restated")
    told = []
    for quarter in shape.quarters:
        settled = quarter.end + timedelta(days=SETTLE_DAYS)
        late = [deal for deal in deals if _may_be_late(deal, shift(quarter.end, -20), quarter.end)]
        for _ in range(min(len(late), max(1, shape.size(2)))):
            deal = late.pop(int(rng.integers(len(late))))
            row = deal.changes[-1]
            last = min(shape.known, settled + timedelta(days=18))
            day = settled + timedelta(days=between(rng, 1, max(1, (last - settled).days)))
            row["recorded_at"] = datetime.combine(min(day, shape.known), time(9, between(rng, 0, 59)))
            told.append({"deal": deal, "quarter": quarter.label, **row})
    return told


def _may_be_late(deal: Deal, first: date, last: date) -> bool:
    row = deal.changes[-1] if deal.changes else None
    return bool(row and row["stage"] in ("won", "lost") and row["amount"] and first <= row["changed_at"].date() < last)


def sign_after_midnight(shape: Shape, deals: list[Deal]) -> None:
    """The first deal won in three of the quarters is signed at night: in UTC it is still the day before."""
    for quarter in shape.quarters[::4]:
        won = [
            deal for deal in deals if deal.changes and deal.changes[-1]["stage"] == "won" and quarter.holds(deal.close)
        ]
        if won:
            deal = min(won, key=lambda deal: (deal.close, deal.opportunity_id))
            row = deal.changes[-1]
            row["changed_at"] = datetime.combine(deal.close - timedelta(days=1), time(23, 20))
            row["recorded_at"] = max(row["recorded_at"], row["changed_at"] + timedelta(minutes=20))
