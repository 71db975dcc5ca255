"""What happens after the first sale: renewals, expansions, contractions and churn, as deals and recurring revenue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from numpy.random import Generator

from . import words
from .deals import MEDIAN_AMOUNT, Deal
from .rates import Rates
from .shape import Row, Shape, around, between, chance, moment, pick, shift, working

RENEWED = 0.9
EXPANSIONS_A_YEAR = 0.34
CONTRACTIONS_A_YEAR = 0.05


@dataclass
class Contract:
    """One customer's life; `deals` and `events` fill up as it is lived."""

    account: Row
    first: date
    arr: float
    term: int
    ends: date
    owner_id: str
    segment: str
    left: date | None = None
    deals: list[Deal] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)


def opening(shape: Shape, rates: Rates, accounts: list[Row]) -> list[Contract]:
    """Customers won before the data begin: half of them enterprise and mid-market."""
    rng = shape.rng("opening")
    older = [
        a for a in accounts if a["created_at"].date() < shape.begin and not a["is_test"] and not a.get("survivor_id")
    ]
    weights = [{"enterprise": 2.0, "mid_market": 1.4, "small": 0.7}[account["segment"]] for account in older]
    chosen = rng.choice(len(older), size=shape.size(170, 8), replace=False, p=[w / sum(weights) for w in weights])
    contracts = []
    for number in sorted(int(index) for index in chosen):
        account = older[number]
        account["customer_since"] = account["created_at"].date() + timedelta(days=between(rng, 40, 250))
        euros = around(rng, MEDIAN_AMOUNT[account["segment"]] * 0.42, 0.5)
        arr = round(rates.from_eur(euros, account["currency"]), -2)
        ends = shift(shape.begin, between(rng, 20, 1000))
        contract = Contract(account, shape.begin, arr, 24, ends, account["owner_id"], account["segment"])
        contract.events.append(_event(rng, contract, shape.begin, "opening", arr))
        contracts.append(contract)
    return contracts


def from_won(rng: Generator, deal: Deal) -> Contract:
    """The contract that a won deal for new business opens on its close day."""
    ends = shift(deal.close, deal.term * 30.4375)
    contract = Contract(deal.account, deal.close, deal.arr, deal.term, ends, deal.owner_id, deal.segment)
    contract.events.append(_event(rng, contract, deal.close, "new", deal.arr))
    deal.account["customer_since"] = deal.close
    return contract


def live(shape: Shape, rng: Generator, contract: Contract) -> None:
    """Play a contract out to the last known day, in order of dates: its renewals change what expansions build on."""
    until = shape.known
    plan = [
        (day, "expansion") for day in _some_days(shape, rng, contract.first, shift(until, 80), EXPANSIONS_A_YEAR, 0.35)
    ]
    plan += [(day, "contraction") for day in _some_days(shape, rng, contract.first, until, CONTRACTIONS_A_YEAR)]
    renewal = contract.ends
    while renewal < until + timedelta(days=100):
        term = pick(rng, {12: 0.35, 24: 0.3, 36: 0.35})
        plan.append((renewal, f"renewal {term}"))
        renewal = shift(renewal, term * 30.4375)
    for day, what in sorted(plan):
        if contract.left:
            break
        _step(shape, rng, contract, day, what)


def _some_days(shape: Shape, rng: Generator, first: date, last: date, a_year: float, growth: float = 0.0) -> list[date]:
    first = shift(first, 100)
    if first >= last:
        return []
    mean = a_year * (last - first).days / 365 * (1 + growth * shape.progress(first))
    return [shift(first, float(part) * (last - first).days) for part in rng.random(int(rng.poisson(mean)))]


def _step(shape: Shape, rng: Generator, contract: Contract, day: date, what: str) -> None:
    if what == "expansion":
        _expand(shape, rng, contract, day)
    elif what == "contraction":
        if contract.arr > 0:
            _contract(rng, contract, working(day))
    else:
        _renew(shape, rng, contract, day, int(what.split()[1]))


def _expand(shape: Shape, rng: Generator, contract: Contract, day: date) -> None:
    """An expansion that closes on `day` or, if it is lost, does not."""
    added = round(contract.arr * around(rng, 0.38, 0.4), -2)
    deal = _follow_up(rng, contract, "expansion", shift(day, -around(rng, 62, 0.4)), working(day), chance(rng, 0.6))
    deal.term, deal.amount = 12, max(added, 500.0)
    deal.expansion_kind = pick(rng, {"cross_sell": 0.45, "upsell": 0.55})
    if deal.created <= shape.known:
        contract.deals.append(deal)
    if deal.won and deal.close <= shape.known:
        contract.arr += deal.amount
        event = _event(rng, contract, deal.close, "expansion", deal.amount)
        contract.events.append(event | {"expansion_kind": deal.expansion_kind})


def _renew(shape: Shape, rng: Generator, contract: Contract, day: date, term: int) -> None:
    """A renewal is decided in the month before the term ends; a lost one ends the contract on that day."""
    close = working(shift(day, -between(rng, 3, 28)))
    won = chance(rng, RENEWED + 0.03 * (contract.segment == "enterprise"))
    deal = _follow_up(rng, contract, "renewal", shift(close, -between(rng, 50, 110)), close, won)
    deal.term, deal.amount = term, round(contract.arr * term / 12, -2)
    # Small customers' renewals run without an opportunity: nobody sells them.
    tracked = contract.segment != "small" or chance(rng, 0.25)
    if tracked and deal.created <= shape.known:
        contract.deals.append(deal)
    if deal.close > shape.known:
        return
    if not won:
        # An expansion agreed shortly before must not outlive the contract.
        contract.left = max(working(day), *(event["effective_on"] for event in contract.events))
        contract.events.append(_event(rng, contract, contract.left, "churn", -contract.arr))
        return
    contract.ends = shift(day, term * 30.4375)
    if not tracked:
        return
    contract.events.append(_event(rng, contract, deal.close, "renewal", 0.0))
    if chance(rng, 0.1):
        _contract(rng, contract, deal.close)


def _contract(rng: Generator, contract: Contract, day: date) -> None:
    less = round(contract.arr * float(rng.uniform(0.08, 0.3)), -2)
    contract.arr -= less
    contract.events.append(_event(rng, contract, day, "contraction", -less))


def _follow_up(rng: Generator, contract: Contract, kind: str, created: date, close: date, won: bool) -> Deal:
    account, created = contract.account, working(max(created, contract.first))
    return Deal(
        account=account, business_type=kind, segment=contract.segment, created=created, currency=account["currency"],
        owner_id=contract.owner_id, close=max(close, working(shift(created, 8))), won=won, amount=0.0, term=12,
        qualified=working(shift(created, between(rng, 1, 4))), source_owner="sales", channel="outbound",
        source="Outbound" if chance(rng, 0.6) else None,
        reason=None if won else pick(rng, words.LOSS_REASONS),
    )  # fmt: skip


def _event(rng: Generator, contract: Contract, day: date, kind: str, change: float) -> Row:
    return {
        "account_id": contract.account["account_id"],
        "effective_on": day,
        "kind": kind,
        "arr_change": round(change, 2),
        "currency": contract.account["currency"],
        "product": pick(rng, words.PRODUCTS),
        "term_end_on": contract.ends,
        "recorded_at": moment(rng, day),
    }


def subscription_rows(shape: Shape, contracts: list[Contract]) -> list[Row]:
    """Every change of recurring revenue known by the last day, in order of dates."""
    known = [event for contract in contracts for event in contract.events if event["effective_on"] <= shape.known]
    known.sort(key=lambda event: (event["effective_on"], event["account_id"], event["kind"]))
    return [{"event_id": f"s{number + 1:05}", **event} for number, event in enumerate(known)]
