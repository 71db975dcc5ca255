"""Ad platforms: what each ad did a day, which companies saw it, and which job titles clicked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from . import words
from .campaigns import Campaigns
from .rates import Rates
from .shape import Row, Shape, around, between, chance, one, pick
from .target_list import TargetList
from .waves import Waves

PLATFORM = {"linkedin_ads": "linkedin", "google_ads": "google", "display": "display"}
# impressions a day, click rate, cost of a click in EUR; by channel and kind or programme
DELIVERY = {
    ("linkedin_ads", "one_to_many"): (2600, 0.0046, 7.6),
    ("linkedin_ads", "one_to_few"): (1500, 0.006, 8.2),
    ("google_ads", "search"): (950, 0.031, 3.9),
    ("google_ads", "brand search"): (420, 0.07, 1.7),
    ("display", "banner"): (9000, 0.0012, 3.4),
}
AD_TYPE = {
    "one_to_many": "single_image",
    "one_to_few": "video",
    "search": "text",
    "brand search": "text",
    "banner": "banner",
}
# How much better variant B does than A, by experiment: the last one is a clear win, the third makes no difference.
LIFT = {"x1": 1.06, "x2": 0.93, "x3": 1.0, "x4": 1.32}
REACH = {1: 0.8, 2: 0.58, 3: 0.4}


class Market:
    """What clicks cost and how readily people click: a mood for each quarter, and slow trends."""

    def __init__(self, shape: Shape) -> None:
        self.shape, self.rng = shape, shape.rng("ad days")
        quarters = [*shape.quarters, shape.ahead[0]]
        self.mood = {q.label: (around(self.rng, 1.0, 0.07), around(self.rng, 1.0, 0.06)) for q in quarters}

    def terms(self, kind: tuple[str, str], day: date) -> tuple[float, float, float]:
        """Impressions a day, click rate and the price of a click in EUR."""
        seen, rate, price = DELIVERY[kind]
        years = (day - self.shape.start).days / 365
        eager, dear = self.mood[self.shape.calendar.quarter_of(day).label]
        better = 1 + 0.12 * self.shape.progress(day)
        return seen * self.shape.scale * 1.08**years, rate * eager * better, price * dear * 1.03**years


def ad_days(shape: Shape, rates: Rates, campaigns: Campaigns, experiments: list[Row]) -> list[Row]:
    """One row per ad (and variant) and day of delivery; LinkedIn and display pause at week-ends."""
    market = Market(shape)
    rows = []
    for number in range((shape.known - shape.start).days + 1):
        day = shape.start + timedelta(days=number)
        tested = next((e for e in experiments if e["starts_on"] <= day <= e["ends_on"]), None)
        for campaign in campaigns.rows:
            if campaign["channel"] not in PLATFORM or not campaign["starts_on"] <= day <= campaign["ends_on"]:
                continue
            if day.weekday() < 5 or campaign["channel"] == "google_ads":
                rows += _ad_rows(market, rates, campaign, day, tested, 1.7 if campaign is campaigns.champion else 1.0)
    return rows


def _ad_rows(market: Market, rates: Rates, campaign: Row, day: date, tested: Row | None, appeal: float) -> list[Row]:
    """The ad's day; two rows where its variants are being compared."""
    rng, social = market.rng, campaign["channel"] == "linkedin_ads"
    kind = campaign["programme"] if social else campaign["kind"]
    seen, rate, price = market.terms((campaign["channel"], kind), day)
    tested = tested if kind == "one_to_many" else None
    rows = []
    for variant in ("A", "B") if tested else (None,):
        lift = LIFT[tested["experiment_id"]] if tested and variant == "B" else 1.0
        impressions = int(rng.poisson(seen * around(rng, 1.0, 0.22)))
        clicks = int(rng.binomial(impressions, min(0.5, rate * lift * appeal)))
        row: Row = {"day": day, "platform": PLATFORM[campaign["channel"]], "channel": campaign["channel"]}
        row |= {"campaign_id": campaign["campaign_id"], "ad_id": f"ad{campaign['campaign_id'][1:]}"}
        row |= {
            "ad_type": AD_TYPE[kind],
            "variant": variant,
            "experiment_id": tested["experiment_id"] if tested else None,
        }
        row |= {"impressions": impressions, "clicks": clicks, "landing_clicks": int(rng.binomial(clicks, 0.8))}
        row["reactions"] = int(rng.poisson(impressions * 0.0016)) if social else None
        row["comments"] = int(rng.poisson(impressions * 0.0001)) if social else None
        cost = rates.from_eur(clicks * price * around(rng, 1.0, 0.05) + impressions * 0.0004)
        rows.append(row | {"cost": round(cost, 2), "currency": rates.reporting})
    return rows


class Companies:
    """What the platforms tell about single companies: mostly targets, some others, some without a match."""

    def __init__(self, shape: Shape, campaigns: Campaigns, waves: Waves) -> None:
        self.shape, self.campaigns, self.waves, self.rng = shape, campaigns, waves, shape.rng("ad account days")
        self.found: dict[tuple[Any, ...], Row] = {}

    def rows(self, target_list: TargetList, accounts: list[Row]) -> list[Row]:
        rng, shape = self.rng, self.shape
        for quarter in [*shape.quarters, shape.ahead[0]]:
            days = (min(quarter.end, shape.known) - quarter.start).days
            for spell in target_list.members(quarter.start):
                reach = REACH[spell.tier] * (0.8 + 0.25 * shape.progress(quarter.start)) * min(1, days / 40)
                if chance(rng, reach):
                    self._seen(spell.account_id, None, quarter.start, days)
            for _ in range(shape.size(70 * days / 90, 2)):
                self._seen(one(rng, accounts)["account_id"], None, quarter.start, days)
            for _ in range(shape.size(28 * days / 90, 1)):
                stranger = f"{one(rng, words.NAME_HEADS)}{one(rng, words.NAME_TAILS)} Holding"
                self._seen(None, stranger, quarter.start, days)
        for account_id in sorted(self.waves.championed):
            for _ in range(2):
                day = self.waves.championed[account_id] + timedelta(days=between(rng, 0, 45))
                if shape.start <= day <= shape.known:
                    self._add(self.campaigns.champion, account_id, None, day, 0.5)
        order = ("day", "campaign_id", "account_id", "company_name")
        return sorted(self.found.values(), key=lambda row: tuple(str(row[name] or "") for name in order))

    def _seen(self, account_id: str | None, company: str | None, start: date, days: int) -> None:
        rng = self.rng
        for _ in range(between(rng, 1, 2)):
            day = start + timedelta(days=between(rng, 0, max(0, days - 1)))
            campaign = self.campaigns.some(rng, pick(rng, {"linkedin_ads": 0.75, "display": 0.25}), day)
            hot = any(first <= day < last for first, last in self.waves.warm.get(account_id or "", []))
            if campaign:
                self._add(campaign, account_id, company, day, 0.4 if hot else 0.14)

    def _add(self, campaign: Row, account_id: str | None, company: str | None, day: date, rate: float) -> None:
        rng, social = self.rng, campaign["channel"] == "linkedin_ads"
        clicks = between(rng, 1, 3) if chance(rng, rate) else 0
        row: Row = {"day": day, "platform": PLATFORM[campaign["channel"]], "channel": campaign["channel"]}
        row |= {"campaign_id": campaign["campaign_id"], "account_id": account_id, "company_name": company}
        row |= {"impressions": int(rng.poisson(14)) + 3, "clicks": clicks}
        row["reactions"] = int(chance(rng, rate / 2)) if social else None
        self.found[day, campaign["campaign_id"], account_id, company] = row


def ad_title_months(shape: Shape, campaigns: Campaigns) -> list[Row]:
    """LinkedIn's monthly counts by job title; cells below three impressions are not given."""
    rng = shape.rng("ad titles")
    rows = []
    months = [month for quarter in shape.quarters for month in shape.calendar.months(quarter)]
    for month in months:
        for campaign in campaigns.running("linkedin_ads", month.start):
            for title, (seniority, function, role, weight) in words.TITLES.items():
                seen = int(rng.poisson(2600 * 21 * weight * shape.scale * 0.4 * around(rng, 1.0, 0.2)))
                rate = 0.006 if role in ("champion", "decision_maker") else 0.004
                if seen >= 3:
                    row = {
                        "month": month.start,
                        "platform": "linkedin",
                        "campaign_id": campaign["campaign_id"],
                        "title": title,
                    }
                    row |= {"seniority": seniority, "function": function, "impressions": seen}
                    rows.append(row | {"clicks": int(rng.binomial(seen, rate))})
    return rows
