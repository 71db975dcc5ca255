"""What the report is asked, and which readings answer it: questions.toml. And the numbers of the executive page."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# The twelve cards of the executive page, in its order: the headline number of each, as metric, slice_by and slice.
HEADLINES: tuple[tuple[str, str, str], ...] = (
    ("closed_won_revenue", "", ""),
    ("marketing_sourced_revenue", "", ""),
    ("average_contract_value", "", ""),
    ("net_revenue_retention", "", ""),
    ("pipeline_coverage", "", ""),
    ("pipeline_coverage_next_quarter", "", ""),
    ("marketing_sourced_pipeline_share", "", ""),
    ("win_rate_closed", "", ""),
    ("accounts_progressed_rate", "", ""),
    ("mqa_meeting_rate", "", ""),
    ("buying_group_penetration", "tier", "1"),
)

# The inputs that name the slices of a dimension, and what they are called without them: such slices answer nothing.
SLICED_FROM = {
    "segment": ("accounts.segment",),
    "icp": ("accounts.is_icp",),
    "tier": ("account_lists.tier",),
    "target": ("account_lists.is_target",),
    "campaign": ("campaigns.name", "campaign_members.campaign_id"),
    "subject": ("emails.subject",),
    "competitor": ("opportunities.competitor",),
}
UNNAMED = {"unknown", "not stated", "none named", "no campaign", "not on the list", "not ICP"}


@dataclass(frozen=True)
class Question:
    """One question: who asks it (`source`), the page that answers it, and the readings it needs as (metric, slice_by)."""

    name: str
    ask: str
    source: str
    page: str
    shows: tuple[tuple[str, str], ...]


@cache
def questions() -> tuple[Question, ...]:
    """Every question, in order."""
    text = tomllib.loads((Path(__file__).parent / "questions.toml").read_text(encoding="utf-8"))
    return tuple(Question(name, **told | {"shows": _readings(told["shows"])}) for name, told in text.items())


def _readings(shows: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((metric, by) for metric, _, by in (each.partition(" by ") for each in shows))
