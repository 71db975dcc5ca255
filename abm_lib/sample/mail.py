"""E-mails to many: sends, what the servers answered, and who opened, clicked or replied, human or machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from .campaigns import Campaigns
from .people import People
from .shape import Row, Shape, between, chance, moment, one, pick, working
from .waves import Waves

SUBJECTS = (
    "What an hour of standstill costs",
    "Three plants, one winter",
    "Before the audit",
    "Your retrofit in five steps",
    "Meet us",
)
CALLS = ("Read the guide", "Book a seat", "See the case", "Calculate it")


class Mail:
    """Two mailings a month, most of them to people at accounts that are looking around anyway."""

    def __init__(self, shape: Shape, campaigns: Campaigns, people: People, waves: Waves, assets: list[Row]) -> None:
        self.shape, self.rng = shape, shape.rng("mail")
        self.emails: list[Row] = []
        self.events: list[Row] = []
        reachable = [p for p in people.rows if p["account_id"] and not p.get("survivor_id")]
        active = self._active(waves)
        home = {p["person_id"]: p for p in reachable}
        for number, day in enumerate(self._days()):
            campaign = campaigns.some(self.rng, pick(self.rng, {"email": 0.7, "webinar": 0.3}), day)
            self._email(number + 1, day, campaign, assets)
            busy = [home[p] for p in active.get((day.year, day.month), []) if p in home]
            known = [person for person in reachable if person["created_at"].date() < day]
            for person in self._readers(known, busy):
                self._send(self.emails[-1], person, day, person in busy)
        self.events = [event for event in self.events if event["occurred_at"] <= shape.cut]
        self.events.sort(key=lambda event: (event["occurred_at"], event["person_id"], event["kind"]))
        for number, event in enumerate(self.events):
            event["event_id"] = f"e{number + 1:05}"

    def _days(self) -> list[date]:
        months = [m for q in [*self.shape.quarters, self.shape.ahead[0]] for m in self.shape.calendar.months(q)]
        days = [working(month.start + timedelta(days=offset)) for month in months for offset in (5, 19)]
        return [day for day in days if day < self.shape.known]

    def _active(self, waves: Waves) -> dict[tuple[int, int], list[str]]:
        """The people who acted, by month."""
        found: dict[tuple[int, int], dict[str, None]] = {}
        for act in waves.acts:
            if act.person_id:
                found.setdefault((act.at.year, act.at.month), {})[act.person_id] = None
        return {month: list(people) for month, people in found.items()}

    def _email(self, number: int, day: date, campaign: Row | None, assets: list[Row]) -> None:
        theme = campaign["theme"] if campaign else "uptime"
        asset = one(self.rng, [a for a in assets if a["theme"] == theme])
        row = {"email_id": f"n{number:02}", "name": f"{theme.capitalize()} mailing {day:%Y-%m}", "sent_on": day}
        row |= {
            "subject": one(self.rng, SUBJECTS),
            "call_to_action": one(self.rng, CALLS),
            "asset_id": asset["asset_id"],
        }
        self.emails.append(row | {"campaign_id": campaign["campaign_id"] if campaign else None})

    def _readers(self, reachable: list[Row], busy: list[Row]) -> list[Row]:
        chosen: dict[str, Row] = {}
        for pool, full in ((busy, 28), (reachable, 20)):
            for _ in range(self.shape.size(full, 1) if pool else 0):
                person = one(self.rng, pool)
                chosen[person["person_id"]] = person
        return list(chosen.values())

    def _send(self, email: Row, person: Row, day: date, busy: bool) -> None:
        rng, at = self.rng, moment(self.rng, day)
        subject = f"j{SUBJECTS.index(email['subject']) + 1}"

        def event(kind: str, when: datetime, machine: bool = False) -> None:
            row = {"email_id": email["email_id"], "person_id": person["person_id"], "occurred_at": when, "kind": kind}
            self.events.append(
                row | {"is_machine": machine, "subject_id": subject, "campaign_id": email["campaign_id"]}
            )

        event("sent", at)
        if chance(rng, 0.035):
            return event("bounce", at + timedelta(seconds=9))
        event("delivered", at + timedelta(seconds=between(rng, 2, 40)))
        if chance(rng, 0.13):
            event("open", at + timedelta(seconds=43), True)
            if chance(rng, 0.3):
                event("click", at + timedelta(seconds=45), True)
        self._read(event, at, busy)
        return None

    def _read(self, event: Callable[[str, datetime], None], at: datetime, busy: bool) -> None:
        rng, ripe = self.rng, self.shape.progress(at.date())
        when = at + timedelta(minutes=between(rng, 4, 600))
        if not chance(rng, (0.5 if busy else 0.24) + 0.05 * ripe):
            return
        event("open", when)
        if chance(rng, (0.34 if busy else 0.1) + 0.06 * ripe):
            event("click", when + timedelta(seconds=between(rng, 5, 60)))
        if chance(rng, (0.09 if busy else 0.02) + 0.02 * ripe):
            event("reply", when + timedelta(minutes=between(rng, 5, 300)))
        if chance(rng, 0.012):
            event("unsubscribe", when + timedelta(minutes=2))
