"""The target list: who was on it when, in which tier, and how strongly they seemed to be buying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from numpy.random import Generator

from .shape import Row, Shape, between, chance, moment, one, pick, shift

LIST_SIZE = {1: 60, 2: 180, 3: 360}
PROGRAMME = {1: "one_to_one", 2: "one_to_few", 3: "one_to_many"}
LIST = "Named accounts"
TEAM_SIZE = {1: 12, 2: 7, 3: 3}


@dataclass
class Spell:
    """A stay on the target list in one tier, half open."""

    account_id: str
    tier: int
    first: date
    last: date | None = None
    left: bool = False

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day < self.last)


class TargetList:
    """Who was a target account when: 600 at any time, with joins, leaves and re-tierings in every quarter."""

    def __init__(self, shape: Shape, accounts: list[Row]) -> None:
        rng = shape.rng("target list")
        self.spells: list[Spell] = []
        self.by_account: dict[str, list[Spell]] = {}
        fit = {"enterprise": 0.0, "mid_market": 0.45, "small": 0.95}
        ranked = [(fit[a["segment"]] + rng.random(), a) for a in accounts if a["is_icp"] and not a.get("survivor_id")]
        self.waiting = [a for _, a in sorted(ranked, key=lambda pair: (pair[0], pair[1]["account_id"]))]
        for tier, full in LIST_SIZE.items():
            for _ in range(shape.size(full, 2)):
                self._join(rng, shape.begin, tier)
        for quarter in shape.history:
            self._turn(rng, quarter.start, (quarter.end - quarter.start).days)

    def _join(self, rng: Generator, day: date, tier: int) -> None:
        known = [n for n, account in enumerate(self.waiting) if account["created_at"].date() < day][:60]
        if known:
            account = self.waiting.pop(known[int(len(known) * rng.random() ** 2)])
            self._open(Spell(account["account_id"], tier, day))

    def _open(self, spell: Spell) -> None:
        self.spells.append(spell)
        self.by_account.setdefault(spell.account_id, []).append(spell)

    def _turn(self, rng: Generator, start: date, days: int) -> None:
        """One quarter of joins, leaves and re-tierings."""
        for spell in [spell for spell in self.spells if spell.last is None]:
            day, dice = start + timedelta(days=between(rng, 2, days - 1)), rng.random()
            if dice < 0.042:
                spell.last, spell.left = day, True
                self._join(rng, shift(day, between(rng, 0, 9)), spell.tier)
            elif dice < 0.062:
                spell.last = day
                self._open(Spell(spell.account_id, {1: 2, 2: one(rng, (1, 3)), 3: 2}[spell.tier], day))
        for _ in range(between(rng, 0, max(1, len(self.spells) // 300))):
            self._join(rng, start + timedelta(days=between(rng, 2, days - 1)), 3)

    def on(self, account_id: str, day: date) -> Spell | None:
        return next((spell for spell in self.by_account.get(account_id, []) if spell.covers(day)), None)

    def members(self, day: date) -> list[Spell]:
        return [spell for spell in self.spells if spell.covers(day)]


def list_rows(shape: Shape, target_list: TargetList, warm: dict[str, list[tuple[date, date]]]) -> list[Row]:
    """The list as intervals, cut where the bought intent signal changed; `warm` = when each account was buying."""
    rng = shape.rng("intent")
    rows = []
    for account_id in sorted(target_list.by_account):
        team = {tier: size + between(rng, -2, 2) * (tier < 3) for tier, size in TEAM_SIZE.items()}
        stated = chance(rng, 0.85)
        for spell in target_list.by_account[account_id]:
            rows += _spell_rows(shape, rng, spell, team[spell.tier] if stated else None, warm.get(account_id, []))
    return rows


def _spell_rows(
    shape: Shape, rng: Generator, spell: Spell, team: int | None, warm: list[tuple[date, date]]
) -> list[Row]:
    rows: list[Row] = []
    days = _cuts(shape, rng, spell, warm)
    for day, until in zip(days, [*days[1:], spell.last], strict=True):
        hot = any(first <= day < last for first, last in warm)
        high = (0.55 if hot else 0.05) + 0.08 * shape.progress(day)
        row: Row = {
            "account_id": spell.account_id,
            "is_target": True,
            "tier": spell.tier,
            "programme": PROGRAMME[spell.tier],
        }
        row |= {"intent_level": pick(rng, {"high": high, "medium": 0.25, "low": 1 - high}), "buying_team_size": team}
        row |= {"source_of_intent": one(rng, ("topic surge", "review site", "own website"))}
        rows.append(row | {"list_name": LIST, "valid_from": day, "valid_to": until, "recorded_at": moment(rng, day)})
    if spell.left and spell.last:
        row = {"account_id": spell.account_id, "is_target": False, "list_name": LIST}
        rows.append(row | {"valid_from": spell.last, "recorded_at": moment(rng, spell.last)})
    return rows


def _cuts(shape: Shape, rng: Generator, spell: Spell, warm: list[tuple[date, date]]) -> list[date]:
    """The days from which a row of the spell holds: its first, those on which buying began or ended, some others."""
    edges = [edge for pair in warm for edge in pair] + [
        shift(spell.first, int(n)) for n in rng.integers(60, 1500, size=3)
    ]
    last = spell.last or shape.known
    return sorted({spell.first, *(edge for edge in edges if spell.first < edge < last)})
