"""What one block of journeys gives each channel, by each rule: bincounts over codes, no loop over journeys or touches."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models import WHOLE, Anchor, Model

Numbers = NDArray[Any]  # of doubles
Places = NDArray[Any]  # of whole numbers


FEW = 16  # channels of which every set can be told by a short number


class Scan:
    """One block: codes of its touches, where its journeys begin and end, and what the rules share of that."""

    def __init__(self, codes: NDArray[Any], begins: Places, ends: Places, channels: int) -> None:
        self.codes, self.begins, self.ends, self.channels = codes, begins, ends, channels
        self.lengths = ends - begins

    @cached_property
    def owner(self) -> NDArray[np.int32]:
        """The journey of each touch."""
        return np.repeat(np.arange(len(self.ends), dtype=np.int32), self.lengths)

    @cached_property
    def sets(self) -> NDArray[Any]:
        """The channels that each journey met, as bits of one number; for up to 16 channels."""
        bits, met = np.left_shift(1, np.arange(self.channels)).astype(np.uint16), np.zeros(len(self.ends), np.uint16)
        walked = self.lengths > 0
        if walked.any():
            met[walked] = np.bitwise_or.reduceat(bits[self.codes], self.begins[walked])
        return met

    @cached_property
    def visited(self) -> NDArray[Any]:
        """journeys x channels: whether the journey met the channel."""
        met = np.zeros(len(self.ends) * self.channels, bool)
        met[self.owner.astype(np.int64) * self.channels + self.codes] = True
        return met.reshape(len(self.ends), self.channels)

    def anchored(self, model: Model, amount: Numbers, at: dict[Anchor, Places]) -> Numbers:
        """Anchors and the rest between them; without anchors, each touch alike. `at` has 0 where no touch holds the anchor."""
        places = [at[anchor] for anchor, _ in model.anchors]
        between, given = self.lengths.astype(float), np.zeros(self.channels)
        new = []
        for number, place in enumerate(places):
            alone = place > 0
            for earlier in places[:number]:
                alone = alone & (place != earlier)
            new.append(alone)
            between = between - alone
        each = _over(np.full(len(amount), model.rest / WHOLE), between) if model.rest else np.zeros(len(amount))
        there = sum(((place > 0).astype(float) for place in places), np.zeros(len(amount)))
        held = sum(
            (weight / WHOLE * (place > 0) for place, (_, weight) in zip(places, model.anchors, strict=True)),
            np.zeros(len(amount)),
        )
        lacking = _over(1 - held - each * between, there)
        for place, alone, (_, weight) in zip(places, new, model.anchors, strict=True):
            here = (place > 0) & (amount != 0)
            codes = self.codes[(self.begins + place - 1)[here]]
            given += np.bincount(codes, ((weight / WHOLE + lacking - each * alone) * amount)[here], self.channels)
        if model.rest:
            given += self._each(each * amount)
        return given

    def recent(self, amount: Numbers, days: NDArray[Any], half_life_days: float) -> Numbers:
        """Half as much for each half-life before the journey's last touch."""
        last = np.zeros(len(amount), days.dtype)
        last[self.lengths > 0] = days[self.ends[self.lengths > 0] - 1]
        weights = np.exp2((days - last[self.owner]) / half_life_days).astype(np.float64)
        share = _over(amount, np.bincount(self.owner, weights, len(amount)))
        return np.bincount(self.codes, weights * share[self.owner], self.channels)

    def by_channel(self, amount: Numbers, effects: Numbers | None = None) -> Numbers:
        """Each channel of a journey once: alike (Shapley), or in proportion to its effect."""
        weights = np.ones(self.channels) if effects is None else effects
        if self.channels <= FEW:
            # Journeys that met the same channels are alike here, and there are far fewer such sets than journeys.
            visited, amount = _every_set(self.channels), np.bincount(self.sets, amount, 1 << self.channels)
        else:
            visited = self.visited
        share = _over(amount, visited @ weights)
        return weights * (share @ visited)

    def _each(self, amount: Numbers) -> Numbers:
        return np.bincount(self.codes, amount[self.owner], self.channels)


@cache
def _every_set(channels: int) -> Numbers:
    """sets x channels: 1 where the bit of the channel is set in the number of the set."""
    return ((np.arange(1 << channels)[:, None] >> np.arange(channels)) & 1).astype(float)


def _over(part: Numbers, whole: Numbers) -> Numbers:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
