"""How far rankings lie apart: Kendall's distance between those of several models, and which names change place."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from .metric import Look
from .reading import Reading, Worked, missing

Ranking = Mapping[str, float]


def distance(one: Ranking, other: Ranking) -> tuple[float, int]:
    """Pairs of names that stand the other way round, and all pairs; one that only one side ties counts half. No name is 0."""
    pairs = list(combinations(sorted({*one, *other}), 2))
    turned = 0.0
    for a, b in pairs:
        here, there = (_sign(side.get(a, 0.0) - side.get(b, 0.0)) for side in (one, other))
        turned += 1.0 if here * there < 0 else 0.5 * (abs(here) != abs(there))
    return turned, len(pairs)


def ranks(values: Ranking) -> dict[str, int]:
    """The place of each name, the largest first; equal ones share the better place."""
    return {name: 1 + sum(other > value for other in values.values()) for name, value in values.items()}


def of_models(read: Look, credit: str) -> Worked:
    """The channels of `credit`, a metric by model and channel, as each model ranks them, compared; `(none)` is no channel."""
    given: dict[str, dict[str, float]] = {}
    for name in read.values(credit, "model/channel"):
        model, channel = name.split("/", 1)
        if channel != "(none)":
            given.setdefault(model, {})[channel] = read(credit, "model/channel", name).value or 0.0
    whole = read(credit)
    return Worked(whole) if whole.missing_because in ("not_collected", "switched_off") else compared(given)


def compared(given: Mapping[str, Ranking]) -> Worked:
    """The largest distance of two models; all of them as slices `models`, and by `channel` how often its place changes."""
    channels = sorted({channel for ranking in given.values() for channel in ranking})
    if len(given) < 2 or len(channels) < 2:
        return Worked(missing("undefined", "fewer than two channels to rank"))
    full = {model: {channel: ranking.get(channel, 0.0) for channel in channels} for model, ranking in given.items()}
    slices = {}
    for one, other in combinations(full, 2):
        turned, pairs = distance(full[one], full[other])
        slices["models", f"{one} and {other}"] = Reading(turned / pairs, turned, pairs, 2)
    apart = max(slices.values(), key=lambda reading: reading.value or 0.0)
    places = {model: ranks(ranking) for model, ranking in full.items()}
    for channel in channels:
        moved = [places[one][channel] != places[other][channel] for one, other in combinations(full, 2)]
        slices["channel", channel] = Reading(sum(moved) / len(moved), sum(moved), len(moved), len(full))
    return Worked(Reading(apart.value, apart.numerator, apart.denominator, len(full)), slices)


def _sign(number: float) -> int:
    # Amounts are cents: nearer than half a cent is a tie.
    return 0 if abs(number) < 0.005 else 1 if number > 0 else -1
