"""Website: who came, from where, and whether they stayed. Leading, never an outcome."""

from __future__ import annotations

from ..metric import family

metric = family("website", kind="leading", pillar="reputation", counts="sessions", activity="activity")
