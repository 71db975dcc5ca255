"""Attribution models: anchors and their weights, and how the rest is shared out. A name alone says nothing, so both are printed.

What vendors call U, W or full path differs (three things are called U), so a model is its weights and not its name.

An anchor is the latest touch of anyone in the account at or before a stage; weights add where one touch holds several.
The rest goes to the touches that hold no anchor. What has no taker (no touch in between, a stage never reached) is spread
evenly over the anchors that are there, so that every journey with a touch is given out whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Anchor = Literal["first", "last", "last_non_direct", "lead", "created", "won"]
ANCHORS: dict[Anchor, str] = {
    "first": "first touch", "last": "last touch", "last_non_direct": "last touch that is not direct",
    "lead": "last touch until the first person was known", "created": "last touch until the opportunity was created",
    "won": "last touch until the deal was won",
}  # fmt: skip
Sharing = Literal["evenly", "by recency", "by channel", "by removal effect"]
WHOLE = 1000


@dataclass(frozen=True)
class Model:
    """One rule: thousandths for each anchor, the others for the rest, and how the rest is shared out."""

    name: str
    anchors: tuple[tuple[Anchor, int], ...] = ()
    sharing: Sharing = "evenly"

    def __post_init__(self) -> None:
        if self.rest < 0 or any(weight <= 0 for _, weight in self.anchors):
            raise ValueError(f"{self.name}: weights above 0 that add up to at most {WHOLE} thousandths")
        if self.anchors and self.sharing != "evenly":
            raise ValueError(f"{self.name}: the rest beside anchors is shared out evenly")

    @property
    def rest(self) -> int:
        """Thousandths for the touches that hold no anchor."""
        return WHOLE - sum(weight for _, weight in self.anchors)

    def __str__(self) -> str:
        return self.told()

    def told(self, half_life: str = "half-life") -> str:
        """The weights in words: `first touch 40 %, last touch 40 %, touches between 20 %`."""
        parts = [f"{ANCHORS[anchor]} {weight / 10:g} %" for anchor, weight in self.anchors]
        if self.rest:
            every = f"every touch {HOW[self.sharing].format(half_life=half_life)}"
            parts.append(f"touches between {self.rest / 10:g} %" if self.anchors else every)
        return ", ".join(parts)

    def weights(self, places: dict[Anchor, int | None], count: int) -> list[Fraction]:
        """The exact weight of each of `count` touches of one journey; `places` says which touch, from 1, holds an anchor.

        For models that share evenly. Raises ValueError where the sharing needs more than places.
        """
        if self.sharing != "evenly":
            raise ValueError(f"{self.name} shares {self.sharing}")
        held = [(place, weight) for anchor, weight in self.anchors if (place := places.get(anchor)) is not None]
        between = set(range(1, count + 1)) - {place for place, _ in held}
        given = dict.fromkeys(range(1, count + 1), Fraction(0))
        for place, weight in held:
            given[place] += Fraction(weight, WHOLE)
        for place in between:
            given[place] += Fraction(self.rest, WHOLE * len(between))
        lacking = 1 - sum(given.values(), Fraction(0))
        for place, _ in held:
            given[place] += lacking / len(held)
        return list(given.values())


HOW: dict[Sharing, str] = {
    "evenly": "the same", "by recency": "half as much for each {half_life} before the last one",
    "by channel": "its channel's part, each channel the same (Shapley value of the subset game)",
    "by removal effect": "by what removing its channel does to the Markov chain",
}  # fmt: skip

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("first", (("first", 1000),)),
        Model("last", (("last", 1000),)),
        Model("last_non_direct", (("last_non_direct", 1000),)),
        Model("linear"),
        Model("u_first_lead", (("first", 500), ("lead", 500))),
        Model("u_first_lead_rest", (("first", 400), ("lead", 400))),
        Model("u_first_last", (("first", 400), ("last", 400))),
        Model("j", (("first", 200), ("last", 600))),
        Model("inverse_j", (("first", 600), ("last", 200))),
        Model("w", (("first", 300), ("lead", 300), ("created", 300))),
        Model("full_path", (("first", 225), ("lead", 225), ("created", 225), ("won", 225))),
        Model("time_decay", sharing="by recency"),
        Model("shapley", sharing="by channel"),
        Model("markov", sharing="by removal effect"),
    )
}
