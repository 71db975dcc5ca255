"""Customers: who stays, who grows, what one is worth and what one costs to win."""

from __future__ import annotations

from ..metric import family

metric = family(
    "customers", kind="return", pillar="revenue", counts="accounts", audience=("marketing", "sales", "finance")
)
