"""The website's tables: page views with the UTMs people really type, and what was done with calls to action."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from . import words
from .shape import Row, Shape, around, between, chance, pick
from .visits import Session

UTM = {
    "linkedin_ads": ("linkedin", "paid_social"), "google_ads": ("google", "cpc"), "display": ("adnet", "display"),
    "email": ("newsletter", "email"), "webinar": ("newsletter", "webinar"), "event": ("event", "qr"),
    "content_syndication": ("syndication", "cpl"),
}  # fmt: skip
REFERRER = {
    "linkedin_ads": "linkedin.com", "google_ads": "google.com", "organic_search": "google.com",
    "display": "adnet.example",
}  # fmt: skip
DIRT = {"case": 0.06, "typo": 0.04, "gap": 0.05, "all": 0.04}
# The tag tells 10 % too: a visit that left at once.
DEEP = {10: 0.05, 25: 0.08, 50: 0.18, 75: 0.33, 100: 0.36}
SHALLOW = {10: 0.12, 25: 0.36, 50: 0.27, 75: 0.15, 100: 0.1}
# Which page disappointed in which of the twelve quarters; the mismatched one does so as long as it is advertised.
SHALLOW_IN = {"/lp/retrofit-check": range(4, 8), "/lp/safe-stop": range(6, 9), "/lp/energy-audit": range(11, 12)}
# call to action: position, journey step, form, share of exposures completed
CTAS = {
    "newsletter": (1, "awareness", "f1", 0.04),
    "guide_download": (2, "awareness", "f2", 0.08),
    "webinar_signup": (3, "consideration", "f3", 0.07),
    "pricing_contact": (4, "decision", "f4", 0.05),
    "demo_request": (5, "decision", "f5", 0.035),
}
FORM_ACT = {"guide_download": 0.3, "webinar_signup": 0.25, "pricing_contact": 0.2, "demo_request": 0.25}


class Website:
    """`views` and `ctas` of the sessions."""

    def __init__(self, shape: Shape, sessions: list[Session]) -> None:
        self.shape, self.rng = shape, shape.rng("web")
        self.views: list[Row] = []
        self.ctas: list[Row] = []
        self.visits: Counter[str] = Counter()
        for number, session in enumerate(sessions):
            visitor = self._visitor(session, number + 1)
            self._view(session, f"w{number + 1:05}", visitor)
            if not session.is_bot:
                self._call(session, visitor)
        for table, key, sign in ((self.views, "view_id", "v"), (self.ctas, "event_id", "q")):
            for number, row in enumerate(table):
                row[key] = f"{sign}{number + 1:05}"

    def _visitor(self, session: Session, number: int) -> str:
        """A known person keeps one browser; one nameless visitor in five has been here before."""
        if session.person_id:
            return f"y{session.person_id[1:]}"
        again = not session.is_bot and chance(self.rng, 0.2)
        return f"z{max(1, number // 2) if again else number:05}"

    def _view(self, session: Session, session_id: str, visitor: str) -> None:
        self.visits[visitor] += 1
        campaign, at = session.campaign, session.at
        utm = self._utm(session)
        for number, page in enumerate(session.pages):
            row: Row = {"session_id": session_id, "visitor_id": visitor, "viewed_at": at, "page": page}
            row |= {"account_id": session.account_id, "person_id": session.person_id, "channel": session.channel}
            row |= {"campaign_id": campaign["campaign_id"] if campaign else None, "is_bot": session.is_bot}
            row |= {"session_number": self.visits[visitor], "is_landing": number == 0}
            row |= {"is_key_event": page.startswith("/pricing") or (session.form and number == 0)}
            self.views.append(row | self._depth(session, page) | (utm if number == 0 else {}))
            at += timedelta(seconds=between(self.rng, 15, 300))

    def _depth(self, session: Session, page: str) -> Row:
        """How far the page was read; blank where the script did not run."""
        rng = self.rng
        if session.is_bot or chance(rng, 0.12):
            return {"scroll_percent": None, "engaged_seconds": 0 if session.is_bot else round(around(rng, 9, 0.8))}
        quarter = next((n for n, q in enumerate(self.shape.quarters) if q.holds(session.at.date())), 11)
        shallow = page == words.MISMATCHED_PAGE or quarter in SHALLOW_IN.get(page, ())
        depth = pick(rng, SHALLOW if shallow else DEEP)
        seconds = around(rng, 2 + depth * (0.3 if shallow else 0.45), 0.85)
        return {"scroll_percent": depth, "engaged_seconds": round(seconds)}

    def _utm(self, session: Session) -> Row:
        """UTMs as they arrive: one in six with wrong case, a typo or a part missing."""
        rng, channel = self.rng, session.channel or ""
        facts: Row = {"referrer_host": REFERRER.get(channel)}
        if channel == "google_ads":
            facts["click_id"] = f"Cj0{rng.integers(36**5, 36**6):x}"
        dirt = pick(rng, {"none": 0.8 + 0.07 * self.shape.progress(session.at.date())} | DIRT)
        if channel not in UTM or not session.campaign or dirt == "all":
            return facts
        source, medium = UTM[channel]
        if dirt == "case":
            source, medium = source.capitalize(), medium.upper()
        elif dirt == "typo":
            source = source[:-2] + source[-1]
        name = None if dirt == "gap" else session.campaign["utm_campaign"]
        if channel == "linkedin_ads":
            facts["utm_content"] = f"ad{session.campaign['campaign_id'][1:]}"
        facts |= {"utm_source": source, "utm_medium": medium, "utm_campaign": name}
        return facts | {"utm_term": "plc uptime" if channel == "google_ads" and chance(rng, 0.4) else None}

    def _call(self, session: Session, visitor: str) -> None:
        """Exposures in journey order, deeper ones for known people; a form act completes one for sure."""
        rng, at = self.rng, session.at
        known = 1.0 if session.person_id else 0.55
        wanted = pick(rng, FORM_ACT) if session.form else None
        for cta, (position, step, form, rate) in CTAS.items():
            shown = 0.13 if position < 4 else 0.4 if "/pricing" in session.pages else 0.08
            if cta == wanted or chance(rng, shown * known):
                at += timedelta(seconds=between(rng, 2, 90))
                row: Row = {"cta_id": cta, "visitor_id": visitor, "journey_step": step, "form_id": form}
                row |= {"person_id": session.person_id, "account_id": session.account_id, "position": position}
                row |= {"is_machine": chance(rng, 0.02)}
                done = cta == wanted or chance(rng, rate * (1 + 0.3 * self.shape.progress(at.date())))
                self._write(row, at, done)

    def _write(self, row: Row, at: datetime, done: bool) -> None:
        self.ctas.append(row | {"kind": "exposed", "occurred_at": at})
        if done:
            self.ctas.append(
                row | {"kind": "completed", "occurred_at": at + timedelta(seconds=between(self.rng, 20, 120))}
            )
