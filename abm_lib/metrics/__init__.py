"""The metric families, in the order of their pages. Importing this package fills the register."""

from . import ads, pipeline, revenue

FAMILIES = ("ads", "pipeline", "revenue")

__all__ = ["FAMILIES", "ads", "pipeline", "revenue"]
