"""The metric families, in the order of their pages. Importing this package fills the register in that order."""

# ruff: noqa: I001  (the order of the pages, not of the alphabet)
from . import ads, website, content, accounts, demand, journey, pipeline, revenue, winning, customers, voice, quality

FAMILIES = tuple("ads website content accounts demand journey pipeline revenue customers voice quality".split())

__all__ = [
    "FAMILIES", "accounts", "ads", "content", "customers", "demand", "journey", "pipeline", "quality", "revenue",
    "voice", "website", "winning",
]  # fmt: skip
