"""Journey: the stage each target account has reached, how they move, and how long they stay."""

from __future__ import annotations

from ..metric import family

metric = family("journey", kind="funnel", pillar="relationships", counts="accounts")
