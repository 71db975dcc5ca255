"""What one block of journeys gives each channel, by each rule: bincounts over codes, no loop over journeys or touches."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models import WHOLE, Anchor, Model

Numbers = NDArray[Any]  # of doubles
Places = NDArray[Any]  # of whole numbers


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
    def visited(self) -> NDArray[Any]:
        """journeys x channels: whether the journey met the channel."""
        if self.channels > 64:
            met = np.zeros(len(self.ends) * self.channels, bool)
            met[self.owner.astype(np.int64) * self.channels + self.codes] = True
            return met.reshape(len(self.ends), self.channels)
        bits, masks = np.left_shift(np.uint64(1), np.arange(64, dtype=np.uint64)), np.zeros(len(self.ends), np.uint64)
        walked = self.lengths > 0
        if walked.any():
            masks[walked] = np.bitwise_or.reduceat(bits[self.codes], self.begins[walked])
        apart = np.unpackbits(masks.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
        return apart[:, : self.channels]

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
        share = _over(amount, self.visited @ weights)
        return weights * (share @ self.visited)

    def _each(self, amount: Numbers) -> Numbers:
        return np.bincount(self.codes, amount[self.owner], self.channels)


def _over(part: Numbers, whole: Numbers) -> Numbers:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
