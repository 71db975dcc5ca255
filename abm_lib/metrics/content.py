"""Content, mail and events: what target accounts took in and answered. Leading, never an outcome."""

from __future__ import annotations

from ..metric import family

metric = family("content", kind="leading", pillar="reputation", counts="accounts", activity="activity")
