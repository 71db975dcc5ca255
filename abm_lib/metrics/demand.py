"""Demand: leads, qualified accounts and meetings, what they cost and what came of them."""

from __future__ import annotations

from ..metric import family

metric = family("demand", kind="leading", pillar="relationships", counts="people")
