"""New business: which account became an opportunity when, from which source, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from numpy.random import Generator

from . import words
from .rates import Rates
from .shape import Row, Shape, around, between, chance, one, pick, shift, working
from .target_list import TargetList

MEDIAN_AMOUNT = {"enterprise": 168_000, "mid_market": 61_000, "small": 19_000}
# Days from created to won; enterprise takes nine months, mid-market four, small firms two.
CYCLE = {"enterprise": 262, "mid_market": 118, "small": 52}
WIN_RATE = {"enterprise": 0.18, "mid_market": 0.335, "small": 0.18}
CHAMPION_LIFT = 0.16
# Longest time from the first touch to an opportunity.
LEAD_DAYS = 245
WANDER = (0.93, 0.84, 0.98, 0.8, 0.88, 1.03, 0.91, 0.79, 0.96, 1.06, 0.86, 0.97)


@dataclass
class Deal:
    """One opportunity as it will have been; history.py turns it into what the CRM recorded."""

    account: Row
    business_type: str
    segment: str
    created: date
    currency: str
    owner_id: str
    close: date
    won: bool
    amount: float
    term: int
    qualified: date | None = None
    source_owner: str = "unknown"
    channel: str | None = None
    source: str | None = None
    champion: bool = False
    expansion_kind: str | None = None
    reason: str | None = None
    opportunity_id: str = ""
    changes: list[Row] = field(default_factory=list)

    @property
    def arr(self) -> float:
        """Recurring value a year; the one-off part is outside it."""
        return float(round((self.amount - self.one_off) / self.term * 12))

    @property
    def one_off(self) -> float:
        return round(self.amount * 0.08, -2) if self.business_type == "new" else 0.0


def new_deals(shape: Shape, rates: Rates, accounts: list[Row], target_list: TargetList, taken: set[str]) -> list[Deal]:
    """Opportunities for new business in order of creation; `taken` accounts are customers already.

    They run on past the last known day: the accounts that will buy next are looking around already.
    """
    rng = shape.rng("new deals")
    last = shape.known + timedelta(days=LEAD_DAYS)
    full = 1080 * (last - shape.begin).days / (shape.known - shape.begin).days
    days = shape.spread(rng, shape.size(full, 24), shape.begin, last, growth=0.08)
    free_from: dict[str, date] = dict.fromkeys(taken, date.max)
    rows = {row["account_id"]: row for row in accounts}
    deals = []
    for day in days:
        account = _choose(shape, rng, rows, accounts, target_list, free_from, day)
        if account is None:
            continue
        deal = _deal(shape, rng, rates, account, target_list, day)
        free_from[account["account_id"]] = date.max if deal.won else shift(deal.close, 200)
        deals.append(deal)
    _steady_bookings(shape, rates, deals)
    return deals


def _choose(
    shape: Shape,
    rng: Generator,
    rows: dict[str, Row],
    accounts: list[Row],
    target_list: TargetList,
    free_from: dict[str, date],
    day: date,
) -> Row | None:
    """An account that is old enough, not a customer and not in another deal; targets are drawn half of the time."""

    def free(account: Row) -> bool:
        fit = not account["is_test"] and not account.get("survivor_id")
        old = account["created_at"].date() + timedelta(days=40) < day
        return fit and old and free_from.get(account["account_id"], date.min) < day

    if chance(rng, 0.42 + 0.16 * shape.progress(day)):
        targets = [account for spell in target_list.members(day) if free(account := rows[spell.account_id])]
        if targets:
            return one(rng, targets)
    for _ in range(400):
        account = one(rng, accounts)
        if free(account) and (account["segment"] != "small" or chance(rng, 0.75)):
            return account
    return None


def _deal(shape: Shape, rng: Generator, rates: Rates, account: Row, target_list: TargetList, day: date) -> Deal:
    segment, target = account["segment"], target_list.on(account["account_id"], day)
    champion = bool(target) and day > shape.quarters[2].start and chance(rng, 0.4)
    won = chance(rng, WIN_RATE[segment] + CHAMPION_LIFT * champion + 0.02 * shape.progress(day))
    cycle = around(rng, CYCLE[segment] * (1 if won else 0.92), 0.24 if won else 0.42)
    waited = min(around(rng, 24 if segment == "enterprise" else 12, 0.5), cycle * 0.4)
    reached = won or chance(rng, 0.84)
    close = working(shift(day, cycle if reached else waited + 20))
    growth = 1.05 ** ((day - shape.begin).days / 365) * (1.15 if target else 1.0)
    euros = around(rng, MEDIAN_AMOUNT[segment], 0.55) * growth
    owner = pick(rng, _source_owners(shape, day, champion))
    channel, source = _source(rng, owner, champion)
    return Deal(
        account=account, business_type="new", segment=segment, created=day, currency=account["currency"],
        owner_id=account["owner_id"] if chance(rng, 0.8) else f"r{between(rng, 1, 24):02}", close=close, won=won,
        amount=round(rates.from_eur(euros, account["currency"]), -2), term=pick(rng, {12: 0.25, 24: 0.3, 36: 0.45}),
        qualified=working(shift(day, waited)) if reached else None, champion=champion,
        source_owner=owner, channel=channel, source=source,
        reason=None if won else "duplicate" if chance(rng, 0.045) else pick(rng, words.LOSS_REASONS),
    )  # fmt: skip


def _source_owners(shape: Shape, day: date, champion: bool) -> dict[str, float]:
    """Marketing's part drifts up over the twelve quarters, at the cost of sales."""
    drift = shape.progress(day)
    return {
        "marketing": 0.31 + 0.17 * drift + 0.1 * champion,
        "sales": 0.42 - 0.15 * drift,
        "partner": 0.11,
        "other": 0.07,
        "unknown": 0.09 - 0.02 * drift,
    }


def _source(rng: Generator, owner: str, champion: bool) -> tuple[str | None, str | None]:
    """Channel and the raw text that the CRM holds; blank or unreadable text has no channel."""
    if owner == "unknown":
        return None, one(rng, words.UNMATCHED) if chance(rng, 0.3) else None
    if owner == "marketing":
        channel = "linkedin_ads" if champion and chance(rng, 0.5) else pick(rng, words.MARKETING_MIX)
    else:
        channel = words.OWNER_CHANNEL[owner]
    raw = words.CHANNELS[channel].raw
    return channel, raw[0] if chance(rng, 0.72) else one(rng, raw)


def _steady_bookings(shape: Shape, rates: Rates, deals: list[Deal]) -> None:
    """Pull each quarter's won amounts part of the way towards a growing line, so that attainment wanders, not jumps."""
    won = [[deal for deal in deals if deal.won and quarter.holds(deal.close)] for quarter in shape.quarters]
    booked = [sum(deal.amount * rates.rate(deal.currency, deal.close) for deal in part) for part in won]
    level = sum(booked) / len(booked)
    for number, part in enumerate(won):
        wanted = level * 1.025 ** (number - 5.5) * WANDER[number] / 0.92
        factor = min(1.42, max(0.7, wanted / booked[number])) if booked[number] else 1.0
        for deal in part:
            deal.amount = round(deal.amount * factor, -2)
