"""Attribution at account level: exact, deterministic, and giving out neither more nor less than there is.

    models.py     a model is anchors and their weights, and how the rest is shared; all of them by name
    relation.py   touch x journey on the engine: windows once, one expression for each rule; facts/credit.py stands on it
    chain.py      removal effects of an order-k Markov chain, in closed form
    journeys.py   the same in the memory of one machine, for a path table or tens of millions of raw touches
    scan.py       what a block of those gives each channel

It knows nothing of opportunities or accounts: facts say which touches count, and what the stages are.
"""

from .chain import Chain, chain, shared_by_effect
from .journeys import Journeys
from .models import ANCHORS, MODELS, Model
from .relation import chain_of, one_of_many, parts, placed, shared_out, steps

__all__ = [
    "ANCHORS", "MODELS", "Chain", "Journeys", "Model", "chain", "chain_of", "one_of_many", "parts", "placed", "shared_by_effect",
    "shared_out", "steps",
]  # fmt: skip
