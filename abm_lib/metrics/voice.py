"""Voice: what customers and buyers say themselves, counted and never read as a rate of all."""

from __future__ import annotations

from ..metric import family

metric = family("voice", kind="leading", pillar="reputation", counts="answers")
