"""Campaigns by half-year, the ads' experiments, and the content they lead to."""

from __future__ import annotations

from datetime import date, timedelta

from numpy.random import Generator

from . import words
from .rates import Rates
from .shape import Row, Shape, around, one, pick

# channel, kind, programme, goal, weekly budget in EUR
PLAN = (
    ("linkedin_ads", "sponsored content", "one_to_many", "traffic", 1700),
    ("linkedin_ads", "sponsored content", "one_to_few", "on_platform", 700),
    ("google_ads", "search", "demand_generation", "traffic", 800),
    ("google_ads", "brand search", "demand_generation", "traffic", 350),
    ("display", "banner", "one_to_many", "traffic", 300),
    ("email", "nurture", "one_to_many", "traffic", 120),
    ("webinar", "series", "one_to_many", "on_platform", 400),
    ("event", "trade show", "one_to_few", "on_platform", 1500),
    ("content_syndication", "syndication", "demand_generation", "on_platform", 250),
    ("outbound", "sequence", "one_to_one", "on_platform", 100),
)
# kind of content: place in the funnel, behind a form
CONTENT = {
    "article": ("top", False),
    "guide": ("top", True),
    "webinar": ("middle", True),
    "case study": ("bottom", False),
    "calculator": ("bottom", True),
}
CODE = {
    "linkedin_ads": "li", "google_ads": "ga", "display": "dp", "email": "em", "webinar": "wb", "event": "ev",
    "content_syndication": "cs", "outbound": "ob",
}  # fmt: skip


class Campaigns:
    """The campaigns as rows, and which of them ran on a day."""

    def __init__(self, shape: Shape, rates: Rates) -> None:
        self.shape, self.rates, self.rng = shape, rates, shape.rng("campaigns")
        self.rows: list[Row] = []
        self.page: dict[str, str] = {}
        quarters = [*shape.quarters, *shape.ahead]
        halves = [(first.start, last.end) for first, last in zip(quarters[::2], quarters[1::2], strict=True)]
        for start, end in halves:
            for channel, kind, programme, goal, weekly in PLAN:
                theme = pick(self.rng, words.THEMES)
                self._add(channel, kind, programme, goal, weekly, theme, start, end)
        last = quarters[-1].end
        self.champion = self._add(
            "linkedin_ads", "sponsored content", "one_to_few", "traffic", 900, "uptime", quarters[2].start, last
        )
        self.champion["name"] = "Uptime guarantee for named plants"
        self.mismatch = self._add(
            "google_ads", "search", "demand_generation", "traffic", 250, "compliance", quarters[3].start, last
        )
        self.mismatch["name"] = "Remote audit search"
        self.page[self.champion["campaign_id"]] = "/lp/line-monitor"
        self.page[self.mismatch["campaign_id"]] = words.MISMATCHED_PAGE

    def _add(
        self, channel: str, kind: str, programme: str, goal: str, weekly: float, theme: str, start: date, end: date
    ) -> Row:
        number = len(self.rows) + 1
        weeks = (end - start).days / 7
        budget = self.rates.from_eur(weekly * weeks * around(self.rng, 1.0, 0.08)) * self.shape.scale
        row: Row = {
            "campaign_id": f"c{number:02}",
            "name": f"{theme.capitalize()} {kind}, {CODE[channel]} {start:%Y-%m}",
            "channel": channel,
            "kind": kind,
            "programme": programme,
            "theme": theme,
            "goal": goal,
            "utm_campaign": f"{CODE[channel]}-{theme}-{number:02}",
            "is_paid": words.CHANNELS[channel].paid,
            "starts_on": start,
            "ends_on": end - timedelta(days=1),
            "budget": round(budget, -2) or 100,
            "currency": self.shape.currency,
        }
        self.rows.append(row)
        self.page[row["campaign_id"]] = next(page for page, about in words.LANDING_PAGES.items() if about == theme)
        return row

    def running(self, channel: str | None, day: date) -> list[Row]:
        """The channel's campaigns on a day, without the two that single accounts are put into on purpose."""
        special = (self.champion, self.mismatch)
        return [
            r
            for r in self.rows
            if r["channel"] == channel and r["starts_on"] <= day <= r["ends_on"] and r not in special
        ]

    def some(self, rng: Generator, channel: str | None, day: date) -> Row | None:
        running = self.running(channel, day)
        return one(rng, running) if running else None


def experiments(shape: Shape) -> list[Row]:
    """Four comparisons of two ad variants, three quarters each."""
    names = (
        "Headline: cost or downtime",
        "Picture: plant or person",
        "Button: see or book",
        "Headline: guarantee or feature",
    )
    rows = []
    for number, name in enumerate(names):
        part = shape.quarters[number * 3 : number * 3 + 3]
        row = {"experiment_id": f"x{number + 1}", "name": name, "metric": "ad_click_rate", "control_variant": "A"}
        rows.append(
            row | {"planned_split": 0.5, "starts_on": part[0].start, "ends_on": part[-1].end - timedelta(days=1)}
        )
    return rows


def assets(shape: Shape, campaigns: Campaigns) -> list[Row]:
    """Landing pages, and for each theme content from the top to the bottom of the funnel."""
    rng = shape.rng("assets")
    rows = [_landing(campaigns, page, theme) for page, theme in words.LANDING_PAGES.items()]
    for theme in words.THEMES:
        for kind, (funnel, gated) in CONTENT.items():
            row: Row = {"title": f"{theme.capitalize()} {kind}", "page": f"/resources/{theme}-{kind.replace(' ', '-')}"}
            row |= {"theme": theme, "funnel": funnel, "kind": kind, "is_gated": gated}
            row |= {"message": f"{theme} without standstill", "play": f"{theme} play"}
            row |= {"value_proposition": one(rng, ("less downtime", "lower cost", "proof"))}
            programme = one(rng, ("one_to_one", "one_to_few", "one_to_many"))
            rows.append(row | {"programme": programme, "is_personalised": programme == "one_to_one"})
    return [{"asset_id": f"k{number + 1:02}", **row} for number, row in enumerate(rows)]


def _landing(campaigns: Campaigns, page: str, theme: str) -> Row:
    campaign = next((row for row in campaigns.rows if campaigns.page[row["campaign_id"]] == page), campaigns.champion)
    # The mismatched page promises what its ads do not speak of.
    message = "see all certificates" if page == words.MISMATCHED_PAGE else f"{theme} without standstill"
    return {
        "title": f"Landing page {page[4:]}",
        "page": page,
        "theme": theme,
        "funnel": "middle",
        "kind": "landing_page",
        "is_gated": False,
        "message": message,
        "value_proposition": "less downtime",
        "campaign_id": campaign["campaign_id"],
        "programme": "one_to_few" if page == "/lp/line-monitor" else "one_to_many",
        "is_personalised": page == "/lp/line-monitor",
        "play": f"{theme} play",
    }
