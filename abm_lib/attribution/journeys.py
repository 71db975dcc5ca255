"""Journeys in the memory of one machine: touches ordered by one packed key, and every model by scans over their codes.

The same numbers as `relation`, without a database: for a path table, or for tens of millions of raw touches. A journey is
converted, lost or both (a grouped row of a path table), and may carry a value. Work goes in blocks of journeys, so that
memory stays that of the codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .chain import Chain, State, chain, first_order
from .models import Anchor, Model
from .scan import Numbers, Places, Scan

BLOCK = 1 << 18  # journeys, or touches, looked at together: they stay in the processor's cache
BITS = 63
Codes = NDArray[Any]


@dataclass(frozen=True)
class Journeys:
    """Channel codes of all touches, journey after journey: journey j has those from `ends[j - 1]` to `ends[j]`.

    `channels` names the codes. `converted` and `lost` count how often each journey was gone, `value` is what it brought in all.
    `days` (of each touch) is for decay; `at` has for an anchor the place of its touch, from 1, in each journey, 0 for none.
    """

    channels: tuple[str, ...]
    codes: Codes
    ends: Places
    converted: Numbers
    lost: Numbers
    value: Numbers
    days: Numbers | None = None
    at: dict[Anchor, Places] | None = None

    @classmethod
    def from_touches(cls, journey: ArrayLike, at: ArrayLike, channel: ArrayLike, channels: Sequence[str], *, converted: ArrayLike,
                     value: ArrayLike | None = None, seconds_a_day: float = 86_400) -> Journeys:  # fmt: skip
        """Journeys out of touches in any order: journey number from 0, time as a whole number, channel number.

        Equal times of a journey go by channel. Raises ValueError where the three do not fit into 63 bits.
        """
        won = np.asarray(converted, float)
        numbers, times, codes = np.asarray(journey), np.asarray(at), np.asarray(channel)
        since = int(times.min()) if len(times) else 0
        width_of_channel, width_of_time = _bits(len(channels) - 1), _bits(int(times.max()) - since if len(times) else 0)
        if _bits(len(won) - 1) + width_of_time + width_of_channel > BITS:
            raise ValueError("journeys, times and channels do not fit into one key; use coarser times")
        packed = np.empty(len(codes), np.int64)
        for part in _parts(len(packed)):
            key = packed[part]
            key[:] = numbers[part]
            key <<= width_of_time
            key += times[part]
            key -= since
            key <<= width_of_channel
            key |= codes[part].astype(np.int64, copy=False)
        packed.sort()
        ordered = np.empty(len(packed), np.uint8 if len(channels) <= 256 else np.int32)
        days = np.empty(len(packed), np.float32)  # doubles would cost twice the memory
        for part in _parts(len(packed)):
            key = packed[part]
            np.bitwise_and(key, (1 << width_of_channel) - 1, out=ordered[part], casting="unsafe")
            key >>= width_of_channel
            np.divide(key & ((1 << width_of_time) - 1), seconds_a_day, out=days[part], casting="unsafe")
            key >>= width_of_time
        ends = np.cumsum(np.bincount(packed, minlength=len(won)))
        brought = np.zeros(len(won)) if value is None else np.asarray(value, float)
        return cls(tuple(channels), ordered, ends, won, 1 - won, brought, days)

    @classmethod
    def from_paths(cls, paths: Sequence[Sequence[str]], converted: ArrayLike, lost: ArrayLike | None = None,
                   value: ArrayLike | None = None) -> Journeys:  # fmt: skip
        """Journeys out of a table of paths, each row with how often it converted and how often it came to nothing."""
        names = tuple(sorted({channel for path in paths for channel in path}))
        number = {channel: code for code, channel in enumerate(names)}
        won = np.asarray(converted, float)
        codes = np.array([number[channel] for path in paths for channel in path], np.int32)
        return cls(names, codes, np.cumsum([len(path) for path in paths], dtype=np.int64), won,
                   np.zeros(len(won)) if lost is None else np.asarray(lost, float),
                   np.zeros(len(won)) if value is None else np.asarray(value, float))  # fmt: skip

    def credit(
        self, models: Sequence[Model], of: str = "converted", half_life_days: float = 7, order: int = 1
    ) -> dict[str, Numbers]:
        """What each model gives each channel, in the order of `channels`: of what was `converted`, or of the `value`.

        A model by removal effect gives each journey's to its channels in proportion to their effects. Raises ValueError
        where a model needs days or stages that the journeys do not have.
        """
        effects: Numbers | None = None
        if any(model.sharing == "by removal effect" for model in models):
            told = self.chain(order).removal_effects(self.channels)
            effects = np.array([told[name] for name in self.channels])
        given: dict[str, Numbers] = {model.name: np.zeros(len(self.channels)) for model in models}
        for whole in self._blocks():
            block = whole.only(getattr(whole, of) != 0)
            scan = Scan(block.codes, block.starts(), block.ends, len(self.channels))
            for model in models:
                given[model.name] += block._given(model, scan, getattr(block, of), half_life_days, effects)
        return given

    def only(self, kept: NDArray[np.bool_]) -> Journeys:
        """These journeys alone."""
        lengths = self.ends - self.starts()
        own = np.repeat(kept, lengths)
        return replace(
            self, codes=self.codes[own], ends=np.cumsum(lengths[kept]), converted=self.converted[kept], lost=self.lost[kept],
            value=self.value[kept], days=None if self.days is None else self.days[own],
            at=None if self.at is None else {anchor: place[kept] for anchor, place in self.at.items()},
        )  # fmt: skip

    def none(self, of: str = "converted") -> float:
        """What journeys without any touch brought: nobody's, and never dropped."""
        return float(getattr(self, of)[self.ends == self.starts()].sum())

    def _given(
        self, model: Model, scan: Scan, amount: Numbers, half_life_days: float, effects: Numbers | None
    ) -> Numbers:
        if model.sharing == "by removal effect":
            return scan.by_channel(amount, effects)
        if model.sharing == "by channel":
            return scan.by_channel(amount)
        if model.sharing == "by recency":
            if self.days is None:
                raise ValueError("decay needs the days of the touches")
            return scan.recent(amount, self.days, half_life_days)
        last = scan.lengths
        ends: dict[Anchor, Places] = {"first": np.minimum(last, 1), "last": last}
        known = ends | (self.at or {})
        if lacking := [anchor for anchor, _ in model.anchors if anchor not in known]:
            raise ValueError(f"{model.name} needs the places of {', '.join(lacking)}: `at` says them")
        return scan.anchored(model, amount, known)

    def chain(self, order: int = 1) -> Chain:
        """The Markov chain of these journeys. Order 1 is counted by scans; of a higher order each state is spelled out."""
        if order > 1:
            return chain(self._spelled_out(order))
        size = len(self.channels)
        starts, won, lost, steps = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size * size)
        for block in self._blocks():
            gone, begins, ends = block.converted + block.lost, block.starts(), block.ends
            has = ends > begins
            first, last = block.codes[begins[has]], block.codes[ends[has] - 1]
            starts += np.bincount(first, gone[has], size)
            won += np.bincount(last, block.converted[has], size)
            lost += np.bincount(last, block.lost[has], size)
            pairs = block.codes[:-1].astype(np.int32) * size + block.codes[1:]
            pairs[ends[has][:-1] - 1] = size * size  # from one journey to the next is no step
            weights = None if np.all(gone == 1) else np.repeat(gone, ends - begins)[:-1]
            steps += np.bincount(pairs, weights, size * size + 1)[:-1]
        return first_order(self.channels, starts, steps.reshape(size, size), won, lost)

    def _spelled_out(self, order: int) -> Iterator[tuple[State, State, float, float, float, float]]:
        begins = self.starts()
        for begin, end, won, lost in zip(begins, self.ends, self.converted, self.lost, strict=True):
            path = [self.channels[code] for code in self.codes[begin:end]]
            for place in range(1, len(path) + 1):
                state, more = tuple(path[max(0, place - order) : place]), place < len(path)
                after = tuple(path[max(0, place + 1 - order) : place + 1]) if more else ()
                begun = won + lost if place == 1 else 0.0
                yield state, after, begun, (won + lost) * more, won * (not more), lost * (not more)

    def starts(self) -> Places:
        return np.concatenate([np.zeros(min(1, len(self.ends)), np.int64), self.ends[:-1]])

    def _blocks(self) -> Iterator[Journeys]:
        for first in range(0, len(self.ends), BLOCK):
            some = slice(first, first + BLOCK)
            since = int(self.ends[first - 1]) if first else 0
            touches = slice(since, int(self.ends[some][-1]))
            yield replace(
                self, codes=self.codes[touches], ends=self.ends[some] - since, converted=self.converted[some],
                lost=self.lost[some], value=self.value[some], days=None if self.days is None else self.days[touches],
                at=None if self.at is None else {anchor: place[some] for anchor, place in self.at.items()},
            )  # fmt: skip


def _parts(touches: int) -> Iterator[slice]:
    """All touches, some at a time: fresh memory for a number of every touch costs as much as sorting them."""
    for first in range(0, touches, BLOCK):
        yield slice(first, first + BLOCK)


def _bits(largest: int) -> int:
    return max(1, int(largest).bit_length())
