"""What customers and the market say: surveys, their invitations, and coded notes."""

from __future__ import annotations

from datetime import date, timedelta

from numpy.random import Generator

from . import words
from .customers import Contract
from .people import People
from .shape import Row, Shape, between, chance, moment, one, pick
from .target_list import TargetList

# kind: invitations a quarter, share answered, highest score
SURVEYS = {"nps": (84, 0.38, 10), "csat": (56, 0.42, 5), "brand": (44, 0.3, 10)}
NOTE_SOURCES = {
    "sales_call": 0.28, "community": 0.16, "social": 0.15, "review_site": 0.12, "customer": 0.11, "podcast": 0.06,
    "word_of_mouth": 0.07, "ad_comment": 0.05,
}  # fmt: skip
SAYINGS = {
    "positive": "Praised {theme} after the first months.",
    "neutral": "Asked how {theme} is measured.",
    "negative": "Doubts the promise about {theme}.",
}


def surveys(
    shape: Shape, contracts: list[Contract], people: People, target_list: TargetList
) -> tuple[list[Row], list[Row]]:
    """Answers and invitations; customers rate us, target accounts say what they know of the brand."""
    rng = shape.rng("surveys")
    answers: list[Row] = []
    invites: list[Row] = []
    for quarter in shape.quarters:
        customers = [
            c.account["account_id"]
            for c in contracts
            if c.first <= quarter.start and not (c.left and c.left < quarter.end)
        ]
        for kind, (full, answered, top) in SURVEYS.items():
            pool = customers if kind != "brand" else [spell.account_id for spell in target_list.members(quarter.start)]
            for day in shape.spread(
                rng, shape.size(full, 2) if pool else 0, quarter.start, quarter.end - timedelta(days=12)
            ):
                invite = {"kind": kind, "account_id": one(rng, pool), "invited_at": moment(rng, day)}
                invite["response_id"] = f"u{len(invites) + 1:04}"
                invites.append(invite)
                if chance(rng, answered):
                    answers.append(_answer(shape, rng, invite, people, top, day))
    return answers, invites


def _answer(shape: Shape, rng: Generator, invite: Row, people: People, top: int, day: date) -> Row:
    warm = 0.06 * shape.progress(day)
    share = min(1.0, max(0.0, float(rng.normal(0.81 + warm, 0.17))))
    score = max(1 if top == 5 else 0, round(share * top))
    staff = people.staff[invite["account_id"]]
    theme = pick(rng, words.THEMES)
    mood = "positive" if share > 0.85 else "negative" if share < 0.65 else "neutral"
    return {
        "response_id": invite["response_id"],
        "account_id": invite["account_id"],
        "person_id": one(rng, staff)["person_id"] if staff else None,
        "answered_at": invite["invited_at"] + timedelta(days=between(rng, 0, 10), hours=1),
        "kind": invite["kind"],
        "score": score,
        "scale_max": top,
        "theme": theme,
        "comment": SAYINGS[mood].format(theme=theme) if chance(rng, 0.4) else None,
    }


def notes(shape: Shape, accounts: list[Row], answers: list[Row]) -> list[Row]:
    """About forty coded notes a quarter; survey comments among them point to their answer."""
    rng = shape.rng("notes")
    rows = []
    commented = [answer for answer in answers if answer["comment"]]
    for day in shape.spread(rng, shape.size(480, 12), shape.start, shape.known, growth=0.1):
        source, theme = pick(rng, NOTE_SOURCES), pick(rng, words.THEMES)
        mood = pick(rng, {"positive": 0.4 + 0.12 * shape.progress(day), "neutral": 0.33, "negative": 0.22})
        row = {
            "noted_on": day,
            "source": source,
            "theme": theme,
            "sentiment": mood,
            "text": SAYINGS[mood].format(theme=theme),
        }
        row["account_id"] = one(rng, accounts)["account_id"] if source in ("sales_call", "customer") else None
        if source == "customer" and commented and chance(rng, 0.4):
            answer = one(rng, commented)
            row |= {"response_id": answer["response_id"], "account_id": answer["account_id"]}
        rows.append(row | {"redacted_text": row["text"], "consent": chance(rng, 0.7), "coder": one(rng, ("K1", "K2"))})
    return [{"note_id": f"b{number + 1:04}", **row} for number, row in enumerate(rows)]
