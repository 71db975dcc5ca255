"""Who came to the website when: people of accounts, companies without a name, clicks on ads, and bots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from . import words
from .campaigns import Campaigns
from .shape import Row, Shape, between, chance, moment, one, pick
from .target_list import TargetList
from .waves import Act, Waves

VISIT_CHANNEL = {
    "organic_search": 0.3, "website": 0.24, "linkedin_ads": 0.16, "google_ads": 0.13, "email": 0.09, "webinar": 0.05,
    None: 0.03,
}  # fmt: skip
TAGGED = ("linkedin_ads", "google_ads", "display", "email", "webinar", "content_syndication", "event")
INNER = {
    "/": 0.2, "/products/drive-control": 0.16, "/products/line-monitor": 0.14, "/pricing": 0.07, "/resources": 0.33,
    "/blog/notes": 0.1,
}  # fmt: skip


@dataclass
class Session:
    """One visit; `pages` in order, the landing page first."""

    at: datetime
    account_id: str | None
    person_id: str | None
    channel: str | None
    campaign: Row | None
    pages: list[str]
    form: bool = False
    is_bot: bool = False


class Visits:
    """All sessions in order of time."""

    def __init__(self, shape: Shape, campaigns: Campaigns, assets: list[Row]) -> None:
        self.shape, self.campaigns, self.rng = shape, campaigns, shape.rng("visits")
        self.resources = {a["page"]: words.THEMES[a["theme"]] for a in assets if a["kind"] != "landing_page"}

    def all(self, waves: Waves, target_list: TargetList, accounts: list[Row]) -> list[Session]:
        sessions = [self._of_act(act) for act in waves.acts if act.kind in ("visit", "form")]
        sessions += self._nameless(target_list, accounts) + self._paid() + self._bots()
        return sorted(sessions, key=lambda s: (s.at, s.account_id or "", s.person_id or "", s.pages))

    def _of_act(self, act: Act) -> Session:
        rng, form = self.rng, act.kind == "form"
        channel = act.channel or pick(rng, VISIT_CHANNEL)
        campaign = self.campaigns.champion if act.championed else self._campaign(channel, act.at.date())
        person = act.person_id if form or act.championed or chance(rng, 0.8) else None
        pages = self._pages(campaign, 0.9 if form else 0.42)
        if form and "/pricing" not in pages and chance(rng, 0.25):
            pages.append("/pricing/request")
        return Session(act.at, act.account["account_id"], person, channel, campaign, pages, form)

    def _campaign(self, channel: str | None, day: date) -> Row | None:
        return self.campaigns.some(self.rng, channel, day) if channel in TAGGED else None

    def _pages(self, campaign: Row | None, more: float) -> list[str]:
        """A landing page, mostly the campaign's, and on average `more` pages after it."""
        own = campaign and chance(self.rng, 0.85)
        landing = self.campaigns.page[campaign["campaign_id"]] if campaign and own else self._inner()
        return [landing, *(self._inner() for _ in range(int(self.rng.poisson(more))))]

    def _inner(self) -> str:
        page = pick(self.rng, INNER)
        return pick(self.rng, self.resources) if page == "/resources" else page

    def _nameless(self, target_list: TargetList, accounts: list[Row]) -> list[Session]:
        """Visitors of whom only the company is known, or nothing at all; they come at any hour."""
        rng, shape, sessions = self.rng, self.shape, []
        for day in shape.spread(rng, shape.size(640, 10), shape.start, shape.known, growth=0.1):
            known = pick(rng, {"target": 0.2 + 0.08 * shape.progress(day), "any": 0.2, "none": 0.6})
            members = target_list.members(day) if known == "target" else []
            account_id = one(rng, members).account_id if members else None
            if known == "any":
                account_id = one(rng, accounts)["account_id"]
            channel = pick(rng, VISIT_CHANNEL)
            campaign = self._campaign(channel, day)
            at = datetime.combine(day, time()) + timedelta(seconds=between(rng, 0, 72_000))
            sessions.append(Session(at, account_id, None, channel, campaign, self._pages(campaign, 0.4)))
        return sessions

    def _paid(self) -> list[Session]:
        """Clicks on ads by nobody in particular: each landing page gets enough of them to be judged."""
        rng, shape, sessions = self.rng, self.shape, []
        for quarter in [*shape.quarters, shape.ahead[0]]:
            last = min(quarter.end, shape.known)
            count = shape.size(35 * (last - quarter.start).days / 91, 1)
            for page in words.LANDING_PAGES:
                for day in shape.spread(rng, count, quarter.start, last):
                    campaign = self._advertiser(page, day)
                    pages = [page, self._inner()] if chance(rng, 0.1) else [page]
                    sessions.append(Session(moment(rng, day), None, None, campaign["channel"], campaign, pages))
        return sessions

    def _advertiser(self, page: str, day: date) -> Row:
        """A paid campaign that runs on the day, one for this page if there is any."""
        rows = [row for row in self.campaigns.rows if row["is_paid"] and row["starts_on"] <= day <= row["ends_on"]]
        rows = [row for row in rows if row is not self.campaigns.champion]
        fitting = [row for row in rows if self.campaigns.page[row["campaign_id"]] == page]
        return one(self.rng, fitting or [row for row in rows if row["channel"] == "google_ads"])

    def _bots(self) -> list[Session]:
        rng, shape = self.rng, self.shape
        days = shape.spread(rng, shape.size(200, 3), shape.start, shape.known)
        return [Session(moment(rng, day), None, None, None, None, [self._inner()], is_bot=True) for day in days]
