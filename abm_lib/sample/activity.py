"""The acts that sales and field marketing log: meetings, demos, calls, and the touches no other table holds."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from numpy.random import Generator

from . import words
from .campaigns import Campaigns
from .deals import Deal
from .people import People
from .shape import Row, Shape, around, between, chance, moment, one, pick, shift
from .waves import Act, Waves

OWN_CHANNEL = {
    "event": "event", "webinar": "webinar", "social": "linkedin_ads", "download": "website", "direct_mail": "outbound",
    "referral": "customer_referral", "advocacy": "customer_referral", "content_share": "website",
}  # fmt: skip
RESPONSES = ("download", "event", "webinar", "referral", "content_share", "advocacy")
DETAIL = {
    "social": ("like", "comment", "repost", "share"),
    "direct_mail": ("gift", "letter"),
    "content_share": ("forwarded link",),
}
MINUTES = {"webinar": 38, "event": 55, "download": 6}
IN_DEAL = {"enterprise": 3.0, "mid_market": 1.8, "small": 0.9}
OUTCOMES = {"held": 0.8, "no_show": 0.09, "cancelled": 0.11}


def own_touches(shape: Shape, campaigns: Campaigns, waves: Waves, assets: list[Row]) -> list[Row]:
    """Events, webinars, downloads, social acts and the like, in order of time."""
    rng = shape.rng("own touches")
    content = {
        "webinar": [a for a in assets if a["kind"] == "webinar"],
        "download": [a for a in assets if a["is_gated"] or a["kind"] == "case study"],
    }
    rows = []
    for act in waves.acts:
        if act.kind not in OWN_CHANNEL:
            continue
        channel = act.channel or OWN_CHANNEL[act.kind]
        campaign = campaigns.champion if act.championed else campaigns.some(rng, channel, act.at.date())
        row: Row = {"touched_at": act.at, "account_id": act.account["account_id"], "person_id": act.person_id}
        row |= {"channel": channel, "kind": act.kind, "is_response": act.kind in RESPONSES}
        row["campaign_id"] = campaign["campaign_id"] if campaign else None
        row["asset_id"] = _asset(rng, content[act.kind])["asset_id"] if act.kind in content else None
        row["detail"] = one(rng, DETAIL[act.kind]) if act.kind in DETAIL else None
        row["minutes"] = round(around(rng, MINUTES[act.kind], 0.4)) if act.kind in MINUTES else None
        rows.append(row)
    return [{"touch_id": f"t{number + 1:06}", **row} for number, row in enumerate(rows)]


def _asset(rng: Generator, assets: list[Row]) -> Row:
    return one(rng, [a for a in assets if a["theme"] == pick(rng, words.THEMES)] or assets)


class Meetings:
    """Demos before opportunities, meetings in them, and calls that were only calls."""

    def __init__(self, shape: Shape, campaigns: Campaigns, people: People, waves: Waves, deals: list[Deal]) -> None:
        self.shape, self.campaigns, self.people, self.rng = shape, campaigns, people, shape.rng("meetings")
        self.rows: list[Row] = []
        for act in waves.acts:
            if act.kind in ("call", "meeting"):
                self._logged(act)
        for deal in deals:
            self._of_deal(deal)
        self._without_deal(waves)
        self.rows.sort(key=lambda row: (row["booked_at"], row["starts_at"], row.get("account_id") or ""))
        for number, row in enumerate(self.rows):
            row["meeting_id"] = f"m{number + 1:04}"
        for row in self.rows:
            row["rescheduled_from"] = row.pop("after")["meeting_id"] if row.get("after") else None

    def _add(self, row: Row) -> Row | None:
        """Keep a meeting that is booked inside the window; one that lies ahead is only scheduled."""
        kept: Row = {"is_internal": False, "is_two_way": chance(self.rng, 0.93)} | row
        if not datetime.combine(self.shape.start, time()) <= kept["booked_at"] <= self.shape.cut:
            return None
        if kept["starts_at"] > self.shape.cut:
            kept["outcome"] = "scheduled"
        self.rows.append(kept)
        return kept

    def _meeting(
        self, account: Row, starts: datetime, kind: str, channel: str | None, person_id: str | None, **more: object
    ) -> None:
        rng = self.rng
        booked = starts - timedelta(
            days=between(rng, 0 if kind == "call" else 2, 2 if kind == "call" else 14), minutes=25
        )
        campaign = self.campaigns.some(rng, channel, booked.date()) if chance(rng, 0.6) else None
        row = {
            "kind": kind,
            "account_id": account["account_id"],
            "person_id": person_id,
            "booked_at": booked,
            "starts_at": starts,
        }
        row |= {
            "channel": channel if chance(rng, 0.88) else None,
            "campaign_id": campaign["campaign_id"] if campaign else None,
        }
        kept = self._add(row | {"outcome": pick(rng, OUTCOMES)} | more)
        if kept and kept["outcome"] in ("no_show", "cancelled") and chance(rng, 0.55):
            again = starts + timedelta(days=between(rng, 2, 12))
            when = {"booked_at": starts + timedelta(hours=3), "starts_at": again, "outcome": pick(rng, OUTCOMES)}
            self._add(kept | when | {"requested_at": None, "after": kept})

    def _logged(self, act: Act) -> None:
        channel = act.channel or pick(
            self.rng, {"outbound": 0.6, "website": 0.15, "linkedin_ads": 0.1, "webinar": 0.08, "event": 0.07}
        )
        self._meeting(act.account, act.at, act.kind, channel, act.person_id)

    def _of_deal(self, deal: Deal) -> None:
        rng, account = self.rng, deal.account
        if deal.business_type == "new" and chance(rng, 0.78 if deal.qualified else 0.4):
            self._demo(deal, self._someone(deal, deal.created))
        count = int(rng.poisson(IN_DEAL[deal.segment])) if deal.business_type == "new" else between(rng, 0, 2)
        for _ in range(count):
            day = shift(deal.created, float(rng.random()) * (deal.close - deal.created).days)
            kind = pick(rng, {"meeting": 0.6, "call": 0.4})
            opportunity = deal.opportunity_id if day > deal.created else None
            self._meeting(
                account, moment(rng, day), kind, deal.channel, self._someone(deal, day), opportunity_id=opportunity
            )

    def _without_deal(self, waves: Waves) -> None:
        """One demo in three convinces nobody; and our own people meet too."""
        rng, shape = self.rng, self.shape
        lookers = [act for act in waves.acts if act.kind == "visit" and act.person_id and not act.championed]
        for _ in range(shape.size(230, 3) if lookers else 0):
            act = one(rng, lookers)
            starts = act.at + timedelta(days=between(rng, 6, 20))
            booked = starts - timedelta(days=between(rng, 2, 7))
            requested = booked - timedelta(hours=between(rng, 4, 140))
            more = {"booked_at": booked, "requested_at": requested}
            self._meeting(act.account, starts, "demo", act.channel or "website", act.person_id, **more)
        for day in shape.spread(rng, shape.size(60, 2), shape.start, shape.known):
            at = moment(rng, day)
            row = {"kind": "meeting", "booked_at": at - timedelta(days=2), "starts_at": at}
            self._add(row | {"outcome": "held", "is_internal": True})

    def _someone(self, deal: Deal, day: date) -> str | None:
        return next(iter(self.people.group(self.rng, deal.account["account_id"], 1, day)), None)

    def _demo(self, deal: Deal, person_id: str | None) -> None:
        """Requested, scheduled some days later, then the opportunity; both waits get a little shorter."""
        rng = self.rng
        quicker = 1.25 - 0.4 * self.shape.progress(deal.created)
        starts = moment(rng, shift(deal.created, -max(1, around(rng, 11 * quicker, 0.5))))
        booked = starts - timedelta(days=between(rng, 2, 8))
        requested = booked - timedelta(hours=round(24 * around(rng, 3.2 * quicker, 0.6)))
        outcome = pick(rng, {"held": 0.9, "no_show": 0.05, "cancelled": 0.05})
        channel = deal.channel or "website"
        self._meeting(
            deal.account, starts, "demo", channel, person_id, booked_at=booked, requested_at=requested, outcome=outcome
        )
