"""Accounts: who is on the list, who is engaged, and how much of each buying group we know."""

from __future__ import annotations

from ..metric import family

metric = family("accounts", kind="leading", pillar="relationships", counts="accounts")
