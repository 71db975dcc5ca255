"""The people at the accounts, their leads' stages, and where they worked."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, datetime, timedelta

from numpy.random import Generator

from . import words
from .deals import Deal
from .shape import Row, Shape, between, chance, moment, one, pick, shift
from .target_list import TargetList

STAFF = {1: 9, 2: 5, 3: 3}
BUYERS = {"enterprise": 5, "mid_market": 4, "small": 2}


class People:
    """Everyone, by account, with the day on which each was first met."""

    def __init__(self, shape: Shape, accounts: list[Row], target_list: TargetList, deals: list[Deal]) -> None:
        rng = shape.rng("people")
        self.staff: dict[str, list[Row]] = {}
        self.rows: list[Row] = []
        buying = {deal.account["account_id"]: BUYERS[deal.segment] for deal in deals}
        for account in accounts:
            tiers = [spell.tier for spell in target_list.by_account.get(account["account_id"], [])]
            least = max([buying.get(account["account_id"], 0), *(STAFF[tier] for tier in tiers)])
            count = 0 if account.get("survivor_id") else least + between(rng, -1, 1) if least else between(rng, 0, 2)
            self.staff[account["account_id"]] = [self._person(shape, rng, account) for _ in range(count)]
        for number in range(12):
            row = self._person(shape, rng, None)
            row.update(
                email=f"staff{number + 1}@norrvind.example", is_internal=True, department="Sales", buying_role=None
            )

    def group(self, rng: Generator, account_id: str, size: int, day: date) -> list[str]:
        """People of an account who act together: those known by the day, then those who become known by acting."""
        staff = self.staff.get(account_id, [])
        mixed = [staff[int(number)] for number in rng.permutation(len(staff))]
        mixed.sort(key=lambda person: max(0, (person["created_at"].date() - day).days))
        return [person["person_id"] for person in mixed[:size]]

    def _person(self, shape: Shape, rng: Generator, account: Row | None) -> Row:
        title = pick(rng, {title: facts[3] for title, facts in words.TITLES.items()})
        seniority, department, role, _ = words.TITLES[title]
        born = account["created_at"].date() if account else shape.begin
        first = max(born, shape.begin - timedelta(days=420))
        day = shift(first, (shape.known - first).days * float(rng.random()) ** 0.9)
        home = account or {"account_id": None, "country": "DE", "region": "DACH"}
        row: Row = {
            "person_id": f"p{len(self.rows) + 1:04}",
            "title": title if chance(rng, 0.95) else None,
            "seniority": seniority,
            "department": department,
            "buying_role": role if chance(rng, 0.5) else None,
            "is_internal": False,
            "created_at": moment(rng, day),
            "score": between(rng, 0, 40),
            "is_advocate": False,
        }
        row |= {name: home[name] for name in ("account_id", "country", "region")} | _origin(shape, rng, day)
        if account:
            row["email"] = f"{'test' if account['is_test'] else 'p'}{row['person_id'][1:]}@{account['domain']}"
        self.rows.append(row)
        return row


def _origin(shape: Shape, rng: Generator, day: date) -> Row:
    """Where a person came from: channel, the raw text, and what the person says."""
    owner = pick(rng, {"marketing": 0.6 + 0.1 * shape.progress(day), "sales": 0.22, "other": 0.04, "unknown": 0.1})
    channel = pick(rng, words.MARKETING_MIX) if owner == "marketing" else words.OWNER_CHANNEL.get(owner)
    detail = one(rng, tuple(words.THEMES)) if channel and chance(rng, 0.5) else None
    said = self_reported(rng, channel) if chance(rng, 0.22) else None
    source = one(rng, words.CHANNELS[channel].raw) if channel else None
    return {"source": source, "source_detail": detail, "channel": channel, "self_reported_source": said}


def self_reported(rng: Generator, channel: str | None) -> str:
    """What people say when asked: the channel that we measured six times in ten."""
    said = words.SELF_REPORTED.get(channel or "")
    return said if said and chance(rng, 0.6) else one(rng, (*words.SELF_REPORTED.values(), "A colleague", "Podcast"))


def meet(rows: list[Row], acts: list[tuple[str | None, datetime]]) -> None:
    """Nobody acts before they are known: the first act creates the person."""
    first: dict[str, datetime] = {}
    for person_id, at in acts:
        if person_id:
            first[person_id] = min(at, first.get(person_id, at))
    for row in rows:
        if row["person_id"] in first:
            row["created_at"] = min(row["created_at"], first[row["person_id"]] - timedelta(seconds=1))


def praise(rows: list[Row], touches: list[Row]) -> None:
    """Whoever spoke for us once is an advocate."""
    spoke = {touch["person_id"] for touch in touches if touch["kind"] == "advocacy"}
    for row in rows:
        row["is_advocate"] = row["person_id"] in spoke


def finish(shape: Shape, people: People, acts: list[tuple[str | None, datetime]], buyers: dict[str, date]) -> list[Row]:
    """Leads' stages; fills mql_at, sql_at, score, the recent source and the merged duplicates of the people."""
    rng = shape.rng("person stages")
    busy = Counter(person_id for person_id, _ in acts if person_id)
    stages: list[Row] = []
    for row in people.rows:
        if chance(rng, 0.3) and row["source"]:
            channel = pick(rng, words.MARKETING_MIX)
            row |= {
                "recent_source": words.CHANNELS[channel].raw[0],
                "recent_source_detail": one(rng, tuple(words.THEMES)),
            }
        if row["is_internal"] or row["created_at"].date() < shape.begin:
            continue
        stages.append(_stage(row, "lead", row["created_at"]))
        likely = 0.8 if row["person_id"] in buyers else min(0.6, 0.13 * busy[row["person_id"]] + 0.04)
        if chance(rng, likely) and row["account_id"]:
            stages += _qualify(shape, rng, row, buyers.get(row["person_id"]))
    known = [stage for stage in stages if stage["entered_at"] <= shape.cut]
    _merge(rng, people, busy)
    return sorted(known, key=lambda stage: (stage["entered_at"], stage["person_id"], stage["stage"]))


def _merge(rng: Generator, people: People, busy: Counter[str]) -> None:
    """One in a hundred turned out to be a colleague recorded twice; only people who never acted."""
    for staff in people.staff.values():
        if len(staff) > 2 and not busy[staff[-1]["person_id"]] and chance(rng, 0.15):
            staff[-1]["survivor_id"] = staff[0]["person_id"]


def _stage(row: Row, stage: str, at: datetime) -> Row:
    return {"person_id": row["person_id"], "stage": stage, "entered_at": at, "score": row["score"], "recorded_at": at}


def _qualify(shape: Shape, rng: Generator, row: Row, buys_on: date | None) -> list[Row]:
    """MQL some weeks after the first meeting (or before the opportunity), then accepted and SQL, or recycled."""
    day = shift(buys_on, -between(rng, 25, 80)) if buys_on else shift(row["created_at"].date(), between(rng, 4, 60))
    at = max(moment(rng, day), row["created_at"] + timedelta(hours=1))
    row["score"] = between(rng, 55, 98)
    stages = [_stage(row, "mql", at)]
    if at <= shape.cut:
        row["mql_at"] = at
    if chance(rng, 0.85 if buys_on else 0.5):
        at += timedelta(days=between(rng, 1, 9), minutes=7)
        stages.append(_stage(row, "sales_accepted", at))
        if chance(rng, 0.8 if buys_on else 0.4):
            at += timedelta(days=between(rng, 2, 20), minutes=7)
            stages.append(_stage(row, "sql", at))
            if at <= shape.cut:
                row["sql_at"] = at
    elif chance(rng, 0.6):
        stages.append(_stage(row, "recycled", at + timedelta(days=between(rng, 10, 40))))
        if chance(rng, 0.2):
            stages.append(_stage(row, "mql", at + timedelta(days=between(rng, 90, 300))))
    return stages


def person_accounts(shape: Shape, people: People) -> list[Row]:
    """Where each person worked from when; one in a hundred came from another account."""
    rng = shape.rng("person accounts")
    rows = []
    employed = [row for row in people.rows if row["account_id"]]
    for row in employed:
        since = row["created_at"].date()
        if chance(rng, 0.01):
            before = one(rng, employed)["account_id"]
            moved = shift(since, -between(rng, 60, 400))
            rows.append({"person_id": row["person_id"], "account_id": before, "valid_from": moved, "valid_to": since})
        rows.append({"person_id": row["person_id"], "account_id": row["account_id"], "valid_from": since})
    return rows


def suppressions(shape: Shape, people: People) -> list[Row]:
    """Two people who withdrew: one by id, one by the hash of the address."""
    known, hashed = people.rows[5], people.rows[9]
    digest = hashlib.sha256((hashed["email"] or "").lower().encode()).hexdigest()
    return [
        {"person_id": known["person_id"], "since": shape.quarters[6].start + timedelta(days=12)},
        {"email_hash": digest, "since": shape.quarters[8].start + timedelta(days=40)},
    ]
