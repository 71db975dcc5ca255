"""docs/metrics.md and docs/settings.md, written from the register and the settings: the code's own words."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .attribution import MODELS
from .config import Config
from .facts import FACTS
from .formula import Term
from .metric import Metric
from .questions import questions
from .show.rows import Readings

MANY = 20
REQUIREMENT = re.compile(r"\b(?:S[0-3]-\d\d|C\d{1,2})\b")
OF_ROWS = {"median": "median", "survival": "Kaplan-Meier median", "to come": "Aalen-Johansen median",
           "mean to come": "Aalen-Johansen mean", "within": "Aalen-Johansen share within a limit"}  # fmt: skip
WRITTEN = "Written by `make docs` from the code; do not edit."


def pages(metrics: Mapping[str, Metric], readings: Readings) -> dict[str, str]:
    """Every generated document by its file name; the examples are the readings of the sample company."""
    return {
        "metrics.md": metrics_page(metrics, readings),
        "requirements.md": requirements_page(metrics),
        "settings.md": settings_page(),
    }


def metrics_page(metrics: Mapping[str, Metric], readings: Readings) -> str:
    """The catalogue, family by family."""
    parts, family = ["# Metrics", WRITTEN], ""
    for metric in metrics.values():
        if metric.family != family:
            family = metric.family
            parts.append(f"## {family.capitalize()}")
        parts.append(entry(metric, example(metric, readings)))
    models = [f"| {name} | {model} |" for name, model in MODELS.items()]
    told = ["| model | what it gives its weight to |", "|---|---|", *models]
    return "\n\n".join([*parts, "## Models of attribution", "\n".join(told)]) + "\n"


def requirements_page(metrics: Mapping[str, Metric]) -> str:
    """Each question with its page and readings, each requirement with the metrics that cite it, and those that ask for no number."""
    asked = [
        f"| {q.name} | {q.source} | {q.ask} | {q.page} | {', '.join(f'{m} by {by}' if by else m for m, by in q.shows)} |"
        for q in questions()
    ]
    lines = [f"| {requirement} | {', '.join(names)} |" for requirement, names in sorted(cited(metrics).items())]
    others = [f"| {requirement} | {met} |" for requirement, met in no_number().items()]
    return "\n".join([
        "# Requirements", "", WRITTEN, "", "## Questions", "", "| question | requirement | asked | page | readings |",
        "|---|---|---|---|---|", *asked, "", "## Metrics by requirement", "", "| requirement | metrics |", "|---|---|", *lines, "",
        "## Requirements that ask for no number", "", "| requirement | how it is met |", "|---|---|", *others, "",
    ])  # fmt: skip


def cited(metrics: Mapping[str, Metric]) -> dict[str, list[str]]:
    """The metrics whose definitions cite each requirement."""
    found: dict[str, list[str]] = {}
    for metric in metrics.values():
        for requirement in sorted(set(REQUIREMENT.findall(metric.doc))):
            found.setdefault(requirement, []).append(metric.name)
    return found


def no_number() -> dict[str, str]:
    """The requirements that ask for no number of their own, each with how it is met."""
    return tomllib.loads((Path(__file__).parent / "requirements.toml").read_text(encoding="utf-8"))


def entry(metric: Metric, shown: str = "") -> str:
    """One metric: its definition as printed on the page, its formula, an example, and what its decorator says."""
    line = " · ".join(f"{name}: {value}" for name, value in described(metric).items())
    parts = [f"### {metric.name}", f"**{metric.label}.** {metric.doc}", f"Formula: {formula(metric)}.", shown, line]
    return "\n\n".join(part for part in parts if part)


def described(metric: Metric) -> dict[str, str]:
    """What a metric's decorator says, as text."""
    return {
        "unit": metric.unit, "better": metric.better, "kind": metric.kind, "pillar": metric.pillar,
        "activity or outcome": metric.activity, "audience": ", ".join(metric.audience), "core": _yes(metric.core),
        "counts": metric.counts, "business": metric.scope, "window": metric.window.replace("_", " "),
        "slices": ", ".join(metric.by) or "none", "slices add up": _yes(metric.additive),
        "reads": _reads(metric), "version": str(metric.version),
    }  # fmt: skip


def formula(metric: Metric) -> str:
    """How the value is made of its parts; what each part counts stands in the definition."""
    if metric.of:
        return "worked out from other readings"
    made = metric.formula
    top = " + ".join(_part(term) for term in made.numerator.terms)
    if made.statistic != "ratio":
        return f"{OF_ROWS[made.statistic]} of {top}"
    if made.denominator is None:
        return top
    share = f"{top} ÷ {' + '.join(_part(term) for term in made.denominator.terms)}"
    return f"{share}, less the same of the group compared against" if made.against else share


def example(metric: Metric, readings: Readings) -> str:
    """A reading of the sample company with its parts put in: 40.0M ÷ 10.0M = 4.0x. Empty where it has none."""
    told = [row for row in readings.rows(metric.name) if row.value is not None]
    if not told:
        return ""
    row = min(told, key=lambda row: bool(row.slice_by))
    where = f", {row.slice_by} {row.slice}" if row.slice_by else ""
    return f"Example: {row.substituted} (sample company, {row.quarter}{where})."


def records(metrics: Mapping[str, Metric]) -> list[dict[str, str]]:
    """The catalogue as one record for each metric, for spreadsheets and data catalogues."""
    return [
        {"metric": m.name, "family": m.family, "label": m.label, "definition": m.doc, "formula": formula(m)}
        | described(m)
        for m in metrics.values()
    ]


def _part(term: Term) -> str:
    how = {"total": "sum of", "money": "money of", "count": "number of", "distinct": "distinct"}[term.how]
    what = repr(term.column).removeprefix("col(").removesuffix(")") if term.column is not None else term.fact
    return f"{how} {what}{' that qualify' if term.where is not None else ''}"


def _reads(metric: Metric) -> str:
    if metric.of:
        return "metrics of every family" if len(metric.of) > MANY else f"metrics {', '.join(metric.of)}"
    tables = sorted({table.replace("|", " or ") for fact in metric.facts for table in FACTS[fact].needs})
    return f"facts {', '.join(metric.facts)}; tables {', '.join(tables) or 'all'}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def settings_page() -> str:
    """Every key of abm.toml with its type and default."""
    parts = ["# Settings of abm.toml", WRITTEN]
    plain = {name: field for name, field in Config.model_fields.items() if _model(field) is None}
    parts.append("## At the top of the file\n\n" + _table(plain))
    for name, field in Config.model_fields.items():
        if model := _model(field):
            parts += _sections(f"{name}{_named(field)}", model)
    return "\n\n".join(parts) + "\n"


def _sections(place: str, model: type[BaseModel]) -> list[str]:
    """A section of abm.toml, then those within it; what stands in two places is told at the first."""
    found = [f"## [{place}]\n\n{inspect.cleandoc(model.__doc__ or '')}\n\n{_table(model.model_fields)}"]
    inner = {_model(field): f"{key}{_named(field)}" for key, field in reversed(model.model_fields.items())}
    for within, key in inner.items():
        found += _sections(f"{place}.{key}", within) if within else []
    return found


def _named(field: FieldInfo) -> str:
    return ".NAME" if get_origin(field.annotation) is dict else ""


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """The settings class behind a section, or behind each entry of a section of named ones."""
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    kind = kinds[-1]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = [f"| `{name}` | {_type(field.annotation)} | {_default(field)} |" for name, field in fields.items()]
    return "\n".join(["| key | type | default |", "|---|---|---|", *rows])


def _type(kind: Any) -> str:
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return re.sub(r"abm_lib\.\w+\.", "", str(kind)).replace("typing.", "").replace("|", "or")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return f"`{field.default!r}`" if not isinstance(field.default, BaseModel) else "see below"
