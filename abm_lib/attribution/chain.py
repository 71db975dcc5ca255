"""Removal effects of an order-k Markov chain, in closed form: one inverse of the chain gives every channel.

A journey is a walk from a start to `converted` or `lost`. Its state is the last k channels. With N = (I - Q)^-1, s the first
states and r the chance to convert from a state, P = s N r converts; those that never enter a state of channel c convert as
before, so what c's removal takes away is what flows through its first entry into the set C of states that hold c:

    removal effect = s N[:, C] N[C, C]^-1 (N r)[C] / P

For order 1 that is N[s, c] / N[c, c] x (N r)[c] / P. Nothing is simulated, so two runs are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

State = tuple[str, ...]
Numbers = NDArray[Any]  # of doubles


@dataclass(frozen=True)
class Chain:
    """Counted steps of journeys: into each state from the start, between states, and from a state to converted or lost."""

    states: tuple[State, ...]
    starts: Numbers
    steps: Numbers
    converted: Numbers
    lost: Numbers

    def conversion(self) -> float:
        """The chance that the fitted chain converts: the observed rate, since every journey was counted. nan without one."""
        reach, _ = self._solved()
        return float(reach @ self._rates(self.converted)) if self.starts.sum() > 0 else float("nan")

    def removal_effects(self, channels: Iterable[str] = ()) -> dict[str, float]:
        """The share of conversions lost without each channel: of those in a state, and 0 for others of `channels`.

        All are 0 where nothing converts.
        """
        effects = dict.fromkeys(sorted({*channels, *(name for state in self.states for name in state)}), 0.0)
        if not self.states or self.converted.sum() == 0:
            return effects
        reach, visits = self._solved()
        ahead = visits @ self._rates(self.converted)
        whole = float(reach @ self._rates(self.converted))
        for channel in effects:
            held = np.flatnonzero([channel in state for state in self.states])
            if len(held):
                entered = np.linalg.solve(visits[np.ix_(held, held)].T, reach[held])
                effects[channel] = float(entered @ ahead[held]) / whole
        return effects

    def _solved(self) -> tuple[Numbers, Numbers]:
        """Expected visits of each state from the start, and from each state: the one factorisation."""
        if not self.states:
            return np.zeros(0), np.zeros((0, 0))
        size = len(self.states)
        visits = np.linalg.inv(np.eye(size) - self.steps * self._per_visit()[:, None])
        return (self.starts / self.starts.sum()) @ visits, visits

    def _per_visit(self) -> Numbers:
        out = self.steps.sum(axis=1) + self.converted + self.lost
        return np.divide(1.0, out, out=np.zeros_like(out), where=out > 0)

    def _rates(self, counts: Numbers) -> Numbers:
        return counts * self._per_visit()


def chain(counts: Iterable[tuple[State, State, float, float, float, float]]) -> Chain:
    """The chain of counted steps: (state, next state, starts, steps, converted, lost).

    `starts`, `converted` and `lost` speak of the state itself; the next state is empty where the journey ended. Rows of one
    pair add up.
    """
    rows = list(counts)
    states = tuple(sorted({state for row in rows for state in row[:2] if state}))
    place = {state: number for number, state in enumerate(states)}
    starts, converted, lost = (np.zeros(len(states)) for _ in range(3))
    steps = np.zeros((len(states), len(states)))
    for state, following, begun, moved, won, ended in rows:
        here = place[state]
        starts[here] += begun
        converted[here] += won
        lost[here] += ended
        if following:
            steps[here, place[following]] += moved
    return Chain(states, starts, steps, converted, lost)


def first_order(names: Sequence[str], starts: Any, steps: Any, converted: Any, lost: Any) -> Chain:
    """A chain of order 1 from counts by channel number, as arrays: what a scan of journeys counts."""
    arrays = (np.asarray(each, float) for each in (starts, steps, converted, lost))
    return Chain(tuple((name,) for name in names), *arrays)


def shared_by_effect(effects: dict[str, float], total: float) -> dict[str, float]:
    """A total given to channels in proportion to their removal effects: the share that textbooks print."""
    whole = sum(effects.values())
    return {channel: total * effect / whole if whole else 0.0 for channel, effect in effects.items()}
