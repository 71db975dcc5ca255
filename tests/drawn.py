"""What the pages draw, read from their notebooks."""

from __future__ import annotations

import json
import re
from pathlib import Path

from abm_lib.metric import REGISTER

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
# What one call of a page draws without naming each: metric, slice.
DRAWN = {
    "page.coverage()": {("pipeline_coverage", ""), ("pipeline_coverage_next_quarter", ""), ("pipeline_gap", "horizon"),
                        ("pipeline_coverage_in_two_quarters", ""), ("required_pipeline_coverage", ""),
                        ("required_pipeline_coverage", "horizon")},
    "page.outcomes()": {("win_rate_within_days", "within_days"), ("loss_rate_within_days", "within_days")},
    "page.bridge()": {("pipeline_movement", "movement")},
    'page.bridge("revenue_restatement")': {("revenue_restatement", "movement")},
    "page.indicators()": {("leading_indicator_lift", "indicator")},
    "page.questions()": {("questions_answered", "question")},
    "page.promises()": {("promises_kept_share", "promise")},
    'page.models("attributed_pipeline", "model/channel")': {("attribution_model_distance", "channel")},
    'page.models("attributed_revenue", "model/channel")': {("attributed_revenue_model_distance", "channel")},
}  # fmt: skip


def shown(page: str) -> set[tuple[str, str]]:
    """Every metric and slice that a notebook shows."""
    notebook = json.loads((NOTEBOOKS / f"{page}.ipynb").read_text(encoding="utf-8"))
    cells = [
        c for c in notebook["cells"] if c["cell_type"] == "code" and "explore" not in c["metadata"].get("tags", [])
    ]
    found: set[tuple[str, str]] = set()
    for source in ("".join(cell["source"]) for cell in cells):
        found |= {pair for call, drawn in DRAWN.items() if call in source for pair in drawn}
        found |= {
            (metric, by) for metric, by in re.findall(r'"([a-z_0-9]+)", "([a-z_/]+)"\)', source) if metric in REGISTER
        }
        if source == "page.at_earlier_rates()":
            found |= {(name, "exchange_rates") for name, metric in REGISTER.items() if "exchange_rates" in metric.by}
        found |= {(metric, "") for metric in re.findall(r'["{]([a-z_0-9]+)["}:]', source) if metric in REGISTER}
    return found
