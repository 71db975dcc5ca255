"""docs/metrics.md and docs/settings.md, written from the register and the settings: the code's own words."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .config import Config
from .facts import FACTS
from .metric import Metric

WRITTEN = "Written by `make docs` from the code; do not edit."


def pages(metrics: Iterable[Metric]) -> dict[str, str]:
    """Every generated document by its file name."""
    return {"metrics.md": metrics_page(metrics), "settings.md": settings_page()}


def metrics_page(metrics: Iterable[Metric]) -> str:
    """The catalogue, family by family."""
    parts, family = ["# Metrics", WRITTEN], ""
    for metric in metrics:
        if metric.family != family:
            family = metric.family
            parts.append(f"## {family.capitalize()}")
        parts.append(entry(metric))
    return "\n\n".join(parts) + "\n"


def entry(metric: Metric) -> str:
    """One metric: its definition as printed on the page, and what its decorator says."""
    tables = sorted({table for fact in metric.facts for table in FACTS[fact].needs})
    facts = f"facts {', '.join(metric.facts)}; tables {', '.join(tables)}"
    said = {
        "unit": metric.unit, "better": metric.better, "kind": metric.kind, "pillar": metric.pillar,
        "counts": metric.counts, "business": metric.scope, "window": metric.window.replace("_", " "),
        "slices": ", ".join(metric.by) or "none", "slices add up": "yes" if metric.additive else "no",
        "reads": facts if metric.facts else f"metrics {', '.join(metric.of)}", "version": str(metric.version),
    }  # fmt: skip
    line = " · ".join(f"{name}: {value}" for name, value in said.items())
    return f"### {metric.name}\n\n**{metric.label}.** {metric.doc}\n\n{line}"


def settings_page() -> str:
    """Every key of abm.toml with its type and default."""
    parts = ["# Settings of abm.toml", WRITTEN]
    plain = {name: field for name, field in Config.model_fields.items() if _model(field) is None}
    parts.append("## At the top of the file\n\n" + _table(plain))
    for name, field in Config.model_fields.items():
        if model := _model(field):
            heading = f"## [{name}.NAME]" if get_origin(field.annotation) is dict else f"## [{name}]"
            parts.append(f"{heading}\n\n{inspect.cleandoc(model.__doc__ or '')}\n\n{_table(model.model_fields)}")
    return "\n\n".join(parts) + "\n"


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """The settings class behind a section, or behind each entry of a section of named ones."""
    kind: Any = field.annotation
    kind = get_args(kind)[1] if get_origin(kind) is dict else kind
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = [f"| `{name}` | {_type(field.annotation)} | {_default(field)} |" for name, field in fields.items()]
    return "\n".join(["| key | type | default |", "|---|---|---|", *rows])


def _type(kind: Any) -> str:
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return str(kind).replace("typing.", "").replace("|", "or")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return f"`{field.default!r}`" if not isinstance(field.default, BaseModel) else "see below"
