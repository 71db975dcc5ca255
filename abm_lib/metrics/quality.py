"""Quality: how far the numbers may be trusted, and which questions they answer."""

from __future__ import annotations

from ..metric import family

metric = family("quality", kind="quality", pillar="revenue", counts="rows")
