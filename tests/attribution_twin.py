"""Attribution the slow and obvious way: one journey after the other, in fractions, each channel removed by walking on without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

ANCHORED: dict[str, dict[str, int]] = {
    "first": {"first": 100},
    "last": {"last": 100},
    "last_non_direct": {"last_non_direct": 100},
    "u_first_lead": {"first": 50, "lead": 50},
    "u_first_lead_rest": {"first": 40, "lead": 40, "between": 20},
    "u_first_last": {"first": 40, "last": 40, "between": 20},
    "j": {"first": 20, "last": 60, "between": 20},
    "inverse_j": {"first": 60, "last": 20, "between": 20},
    "w": {"first": 30, "lead": 30, "created": 30, "between": 10},
}
FULL_PATH = {"first": Fraction(225, 1000), "lead": Fraction(225, 1000), "created": Fraction(225, 1000),
             "won": Fraction(225, 1000), "between": Fraction(1, 10)}  # fmt: skip
NAMES = [*ANCHORED, "full_path", "linear", "time_decay", "shapley", "markov"]


@dataclass(frozen=True)
class Walk:
    """One journey: its channels in order, the day of each touch, how often it converted, and how many touches until a stage."""

    channels: tuple[str, ...]
    days: tuple[int, ...]
    converted: int = 1
    until: dict[str, int] = field(default_factory=dict)
    lost: int = 0


def weights(walk: Walk, model: str, half_life: float, effects: dict[str, Fraction]) -> list[Fraction]:
    """The part of each touch of one journey; together 1."""
    count = len(walk.channels)
    if model == "linear":
        return [Fraction(1, count)] * count
    if model == "time_decay":
        raw = [Fraction(2.0 ** (-(walk.days[-1] - day) / half_life)) for day in walk.days]
        return [each / sum(raw) for each in raw]
    if model in ("shapley", "markov"):
        worth = {c: Fraction(1) if model == "shapley" else effects[c] for c in set(walk.channels)}
        return [worth[c] / sum(worth.values()) / walk.channels.count(c) for c in walk.channels]
    shares = FULL_PATH if model == "full_path" else {k: Fraction(v, 100) for k, v in ANCHORED[model].items()}
    return _anchored(walk, shares)


def _anchored(walk: Walk, shares: dict[str, Fraction]) -> list[Fraction]:
    count = len(walk.channels)
    named = [place for place, channel in enumerate(walk.channels) if channel != "direct"]
    places = {"first": 0, "last": count - 1, "last_non_direct": named[-1] if named else count - 1}
    places |= {stage: until - 1 for stage, until in walk.until.items() if until}
    there = {anchor: places[anchor] for anchor in shares if anchor in places}
    given = [Fraction(0)] * count
    nobodys = sum(
        (share for anchor, share in shares.items() if anchor not in there and anchor != "between"), Fraction(0)
    )
    for anchor, place in there.items():
        given[place] += shares[anchor]
    free = [place for place in range(count) if place not in there.values()]
    for place in free:
        given[place] += shares.get("between", Fraction(0)) / len(free)
    if not free:
        nobodys += shares.get("between", Fraction(0))
    for place in there.values():
        given[place] += nobodys / len(there)
    return given


def credit(walks: Sequence[Walk], model: str, half_life: float = 7, order: int = 1) -> dict[str, Fraction]:
    """What each channel is given of the conversions."""
    effects = removal_effects(walks, order) if model == "markov" else {}
    found: Counter[str] = Counter()
    for walk in walks:
        if walk.channels and walk.converted:
            for channel, weight in zip(walk.channels, weights(walk, model, half_life, effects), strict=True):
                found[channel] += weight * walk.converted  # type: ignore[assignment]
    return dict(found)  # type: ignore[arg-type]


def removal_effects(walks: Sequence[Walk], order: int = 1) -> dict[str, Fraction]:
    """One minus what still converts when nobody may enter a state of the channel, by the chance of the whole chain."""
    channels = {channel for walk in walks for channel in walk.channels}
    whole = conversion(walks, order)
    if not whole:
        return dict.fromkeys(channels, Fraction(0))
    return {c: 1 - conversion(walks, order, lambda state, c=c: c in state) / whole for c in channels}


def conversion(
    walks: Sequence[Walk], order: int = 1, closed: Callable[[tuple[str, ...]], bool] = lambda _: False
) -> Fraction:
    """The chance to convert of the chain counted from the walks, whose `closed` states lead nowhere."""
    moves: dict[object, Counter[object]] = {}
    for walk in walks:
        times = walk.converted + walk.lost
        if not walk.channels or not times:
            continue
        states = [tuple(walk.channels[max(0, n - order) : n]) for n in range(1, len(walk.channels) + 1)]
        for here, there in zip(["start", *states], states, strict=False):
            moves.setdefault(here, Counter())[there] += times
        moves.setdefault(states[-1], Counter())["won"] += walk.converted
        moves[states[-1]]["lost"] += walk.lost
    return _solved(moves, closed)


def _solved(moves: dict[object, Counter[object]], closed: Callable[[tuple[str, ...]], bool]) -> Fraction:
    """The chance from the start, by elimination in fractions."""
    open_ = [state for state in moves if state == "start" or not closed(state)]  # type: ignore[arg-type]
    rows = {}
    for state in open_:
        total = sum(moves[state].values())
        rows[state] = ({there: Fraction(n, total) for there, n in moves[state].items() if there in open_},
                       Fraction(moves[state]["won"], total))  # fmt: skip
    for state in reversed(open_):
        onward, wins = rows[state]
        stays = onward.pop(state, Fraction(0))
        rows[state] = ({there: p / (1 - stays) for there, p in onward.items()}, wins / (1 - stays))
        for other in open_:
            if other != state and state in rows[other][0]:
                before, won = rows[other]
                through = before.pop(state)
                for there, p in rows[state][0].items():
                    before[there] = before.get(there, Fraction(0)) + through * p
                rows[other] = (before, won + through * rows[state][1])
    return rows["start"][1] if "start" in rows else Fraction(0)
