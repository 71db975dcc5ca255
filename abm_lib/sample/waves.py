"""Why accounts act: buying journeys, care for the named accounts, customers, and interest that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from .customers import Contract
from .deals import LEAD_DAYS, Deal
from .people import People
from .shape import Row, Shape, between, chance, moment, one, pick, shift
from .target_list import TargetList

BUYING = {
    "visit": 0.36, "webinar": 0.1, "event": 0.06, "download": 0.1, "social": 0.08, "form": 0.08, "call": 0.07,
    "meeting": 0.05, "direct_mail": 0.03, "content_share": 0.02,
}  # fmt: skip
QUIET = {
    "visit": 0.42,
    "download": 0.1,
    "social": 0.16,
    "webinar": 0.09,
    "event": 0.04,
    "call": 0.06,
    "direct_mail": 0.03,
}
CARE = {
    "visit": 0.32,
    "webinar": 0.12,
    "social": 0.15,
    "event": 0.08,
    "download": 0.1,
    "direct_mail": 0.09,
    "call": 0.06,
}
CUSTOMER = {
    "visit": 0.34,
    "meeting": 0.16,
    "event": 0.12,
    "webinar": 0.1,
    "referral": 0.06,
    "advocacy": 0.07,
    "call": 0.15,
}
# The act by which a channel's people are first met.
FIRST_ACT = {
    "webinar": "webinar",
    "event": "event",
    "content_syndication": "download",
    "outbound": "call",
    "customer_referral": "referral",
}
ACTS = {"enterprise": 10, "mid_market": 6, "small": 4}
GROUP = {"enterprise": 5, "mid_market": 3, "small": 2}
# tier: chance of care in a quarter at first and at last, people, acts
CARED = {1: (0.5, 0.78, 4, 5), 2: (0.2, 0.28, 2, 3), 3: (0.06, 0.07, 1, 2)}


@dataclass
class Act:
    """One thing that one person did."""

    at: datetime
    account: Row
    person_id: str | None
    kind: str
    channel: str | None = None
    championed: bool = False


class Waves:
    """All acts of all accounts in the activity window."""

    def __init__(
        self, shape: Shape, people: People, target_list: TargetList, accounts: list[Row], deals: list[Deal],
        contracts: list[Contract],
    ) -> None:  # fmt: skip
        self.shape, self.people, self.rng = shape, people, shape.rng("waves")
        self.acts: list[Act] = []
        self.warm: dict[str, list[tuple[date, date]]] = {}
        self.championed: dict[str, date] = {}
        self.by_id = {row["account_id"]: row for row in accounts}
        for deal in deals:
            if deal.business_type == "new":
                self._journey(deal)
        self._quiet(accounts, target_list)
        self._care(target_list)
        self._customers(contracts)
        self.acts.sort(key=lambda act: (act.at, act.account["account_id"], act.person_id or ""))

    def _group(self, account: Row, size: int, day: date) -> list[str]:
        return self.people.group(self.rng, account["account_id"], size, day)

    def _add(
        self,
        account: Row,
        person_id: str | None,
        day: date,
        kind: str,
        channel: str | None = None,
        championed: bool = False,
    ) -> None:
        born = account["created_at"].date()
        if self.shape.start <= day <= self.shape.known and day > born:
            self.acts.append(Act(moment(self.rng, day), account, person_id, kind, channel, championed))

    def _wave(
        self, account: Row, first: date, last: date, acts: int, group: list[str], kinds: dict[str, float], late: float
    ) -> None:
        """Acts of a group; the first two people come first, so that a second person is an early sign."""
        for number in range(acts):
            part = float(self.rng.random()) ** late
            person = (
                group[number % 2 if number < 4 and len(group) > 1 else int(self.rng.integers(len(group)))]
                if group
                else None
            )
            part = part * 0.4 if number < 3 else part
            self._add(account, person, shift(first, part * (last - first).days), pick(self.rng, kinds))

    def _journey(self, deal: Deal) -> None:
        """About six months from the first touch to the opportunity, then fewer acts until it closes."""
        rng, account = self.rng, deal.account
        first = shift(deal.created, -between(rng, 125, LEAD_DAYS))
        self.warm.setdefault(account["account_id"], []).append((shift(first, 30), deal.created))
        group = self._group(account, GROUP[deal.segment], first)
        opener = FIRST_ACT.get(deal.channel or "", "visit")
        self._add(account, group[0] if group else None, first, opener, deal.channel)
        count = max(3, int(rng.poisson(ACTS[deal.segment] * (1.2 if deal.champion else 0.9))))
        self._wave(account, first, deal.created, count, group, BUYING, 0.65)
        during = int(rng.poisson(ACTS[deal.segment] * 0.4))
        self._wave(account, deal.created, deal.close, during, group, BUYING, 1.0)
        if deal.champion:
            middle = shift(first, 0.4 * (deal.created - first).days)
            self._champion(account, group, max(middle, shift(self.shape.quarters[2].start, 1)))

    def _champion(self, account: Row, group: Iterable[str], day: date) -> None:
        """The champion campaign reaches two people with its page and its webinar."""
        self.championed[account["account_id"]] = min(day, self.championed.get(account["account_id"], day))
        for number, person_id in enumerate(list(group)[:2]):
            self._add(account, person_id, shift(day, 4 + 11 * number), "visit", "linkedin_ads", True)
            self._add(
                account,
                person_id,
                shift(day, 12 + 9 * number),
                one(self.rng, ("webinar", "download")),
                "linkedin_ads",
                True,
            )

    def _quiet(self, accounts: list[Row], target_list: TargetList) -> None:
        """Interest without a deal: mostly one person, two or three acts."""
        rng, shape = self.rng, self.shape
        for day in shape.spread(rng, shape.size(900, 20), shape.start, shape.known, growth=0.06):
            members = target_list.members(day)
            account = self.by_id[one(rng, members).account_id] if chance(rng, 0.5) and members else one(rng, accounts)
            if account["is_test"] or self._buys_soon(account, day):
                continue
            group = self._group(account, 1 if chance(rng, 0.88) else 2, day)
            self._wave(account, day, shift(day, 55), 1 + int(rng.poisson(1.5)), group, QUIET, 1.0)
            if target_list.on(account["account_id"], day) and day > shape.quarters[3].start and chance(rng, 0.07):
                self._champion(account, group[:1], day)

    def _buys_soon(self, account: Row, day: date) -> bool:
        """A stray act long before a journey would blur its first touch."""
        return any(shift(first, -250) < day < last for first, last in self.warm.get(account["account_id"], []))

    def _care(self, target_list: TargetList) -> None:
        """What marketing does for the named accounts every quarter; it reaches more people as time goes on."""
        rng = self.rng
        for quarter in self.shape.quarters:
            ripe = self.shape.progress(quarter.start)
            for spell in target_list.members(quarter.start):
                low, high, people, acts = CARED[spell.tier]
                if not chance(rng, low + (high - low) * ripe):
                    continue
                account = self.by_id[spell.account_id]
                day = shift(quarter.start, between(rng, 0, 60))
                group = self._group(account, between(rng, 1, people + (spell.tier == 1) * round(2 * ripe)), day)
                self._wave(account, day, shift(day, 45), 1 + int(rng.poisson(acts * 0.7)), group, CARE, 1.0)

    def _customers(self, contracts: list[Contract]) -> None:
        rng = self.rng
        for contract in contracts:
            for quarter in self.shape.quarters:
                active = contract.first < quarter.start and not (contract.left and contract.left < quarter.end)
                if active and chance(rng, 0.3):
                    day = shift(quarter.start, between(rng, 0, 70))
                    group = self._group(contract.account, between(rng, 1, 2), day)
                    self._wave(contract.account, day, shift(day, 30), 1 + int(rng.poisson(1.2)), group, CUSTOMER, 1.0)
