"""docs/metrics.md, written from the register: the definitions are the code's own."""

from __future__ import annotations

from collections.abc import Iterable

from .facts import FACTS
from .metric import Metric


def page(metrics: Iterable[Metric]) -> str:
    """The whole catalogue as Markdown, family by family."""
    parts = ["# Metrics", "Written by `make docs` from the code; do not edit."]
    family = ""
    for metric in metrics:
        if metric.family != family:
            family = metric.family
            parts.append(f"## {family.capitalize()}")
        parts.append(entry(metric))
    return "\n\n".join(parts) + "\n"


def entry(metric: Metric) -> str:
    """One metric: its definition as printed on the page, and what the decorator says."""
    tables = sorted({table for fact in metric.facts for table in FACTS[fact].needs})
    reads = (
        f"facts {', '.join(metric.facts)}; tables {', '.join(tables)}"
        if metric.facts
        else f"metrics {', '.join(metric.of)}"
    )
    facts = {
        "unit": metric.unit, "better": metric.better, "kind": metric.kind, "pillar": metric.pillar, "counts": metric.counts,
        "scope": f"{metric.scope} business", "window": metric.window.replace("_", " "), "slices": ", ".join(metric.by) or "none",
        "slices add up": "yes" if metric.additive else "no", "reads": reads, "version": str(metric.version),
    }  # fmt: skip
    said = " · ".join(f"{name}: {value}" for name, value in facts.items())
    return f"### {metric.name}\n\n**{metric.label}.** {metric.doc}\n\n{said}"
