"""What a notebook cell displays: a `Fragment` of escaped HTML or a `Figure` with its drawings.

JupyterLab shows the plain bundle (text/html, or Vega-Lite 5 which draws offline). The publisher reads only the
`application/vnd.abm+json` part, so no other HTML can reach a page; figures and tables are declared there and counted.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import Any, Protocol

from markupsafe import Markup, escape

from ..errors import Fault, UsageError
from .html import clean, tag

MIME = "application/vnd.abm+json"
VEGA = "application/vnd.vegalite.v5+json"
LAB_WIDTH, LAB_MARGIN = 760, 10  # the margin is for texts that reach over an edge, which a page shows all the same
TEMPLATE = Path(__file__).parents[1] / "template"


@dataclass(frozen=True)
class Fragment:
    """A piece of a page: `html` is already escaped, `text` says the same in a terminal.

    `kind` names the piece (header, answer, scorecard, table ...); `figures` and `tables` are what a page must hold.
    """

    kind: str
    html: Markup
    text: str = ""
    figures: int = 0
    tables: int = 0
    wide: bool = True

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        style = tag("style", Markup(lab_style())) if self.kind == "header" else ""
        published = {
            "kind": self.kind,
            "html": str(self.html),
            "figures": self.figures,
            "tables": self.tables,
            "wide": self.wide,
        }
        return {
            "text/html": str(style + tag("div", self.html, class_="abm answer" if self.kind == "answer" else "abm")),
            "text/plain": self.text or self.kind,
            MIME: published,
        }


class Traced(Protocol):
    """A reading, as far as an element leads back to it."""

    @property
    def trace(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Drawing:
    """One Vega-Lite spec and the room it was drawn for: wide, middle or narrow."""

    room: str
    spec: dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A chart with its message, its evidence and its numbers as a table.

    `description` is the text alternative: a figure without one is refused. `drawings` hold one spec for each room, `views`
    the same for each part of the whole that a reader may choose, and `counted` says how its metrics are counted. What a figure
    says is made of the readings of its table, and of those `beside` that the table leaves out.
    """

    title: str
    subtitle: str
    description: str
    drawings: list[Drawing]
    table: Fragment
    metrics: list[str]
    notes: list[object] = field(default_factory=list)
    wide: bool = False
    views: dict[str, list[Drawing]] = field(default_factory=dict)
    counted: Markup | None = None
    beside: Sequence[Traced] = ()

    def __post_init__(self) -> None:
        if not self.description.strip():
            raise UsageError(
                Fault(
                    "figure_without_text",
                    "figure without a text alternative",
                    self.title or "a chart",
                    "no description",
                    "a sentence that says what the chart shows",
                    "pass description=",
                )
            )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        published = {
            "kind": "figure",
            "before": str(self._caption()),
            "after": str(self._under()),
            "figures": 1,
            "tables": self.table.tables,
            "wide": self.wide,
            "description": clean(self.description),
            "views": [
                [{"room": d.room, "spec": d.spec} for d in view] for view in (self.drawings, *self.views.values())
            ],
        }
        return {VEGA: self._in_lab(), "text/plain": f"{self.title}. {self.description}", MIME: published}

    def _in_lab(self) -> dict[str, Any]:
        """The first drawing under its title, as wide as a notebook, for JupyterLab's own Vega."""
        spec = in_width(self.drawings[0].spec, LAB_WIDTH - 2 * LAB_MARGIN)
        padding, title, subtitle = spec["padding"], wrap(self.title, 68), wrap(self.subtitle, 92)
        above = 20 * len(title) + 16 * len(subtitle) + 12
        return {
            **spec,
            "background": "var(--paper, #ffffff)",
            "padding": {
                "left": padding["left"] + LAB_MARGIN, "right": padding["right"] + LAB_MARGIN,
                "top": padding["top"] + above, "bottom": padding["bottom"],
            },
            "title": {
                "text": title, "subtitle": subtitle, "anchor": "start", "frame": "group", "dx": -padding["left"],
                "offset": 12,
            },
            # The palette's variables do not resolve on a canvas.
            "usermeta": {"embedOptions": {"renderer": "svg", "actions": False}},
        }  # fmt: skip

    def _caption(self) -> Markup:
        title = escape(self.title)
        for reading in self.beside:
            title = tag("span", title, **reading.trace)
        return tag("figcaption", tag("h3", title), tag("p", self.subtitle, class_="subtitle"))

    def _under(self) -> Markup:
        notes = [tag("p", note, class_="note") for note in self.notes]
        counted = tag("p", self.counted or ", ".join(self.metrics), class_="evidence")
        folded = tag("details", tag("summary", "Numbers and definition"), self.table.html, counted)
        return tag("div", self._choice(), notes, folded, class_="under")

    def _choice(self) -> Markup | None:
        """Which part is drawn; hidden until the script that draws it has started."""
        if not self.views:
            return None
        options = [tag("option", name, value=str(i)) for i, name in enumerate(["All", *self.views])]
        return tag("label", "Show ", tag("select", options), class_="choice", hidden=True)


def in_width(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """A drawing as wide as asked: the plot takes what is added, and texts at its right edge go with it."""
    more = width - spec["padding"]["left"] - spec["padding"]["right"] - spec["width"]
    layers = copy.deepcopy(spec["layer"])
    for x in (layer["encoding"]["x"] for layer in layers):
        if x.get("value", -1) >= spec["width"]:
            x["value"] += more
    return {**spec, "width": spec["width"] + more, "layer": layers}


@cache
def lab_style() -> str:
    """The pages' style for a notebook, nested so that it outranks JupyterLab's own rules for lists and headings.

    It follows JupyterLab's theme, not the reader's system, and so do the charts, which JupyterLab draws.
    """
    parts = (TEMPLATE / "parts.css").read_text("utf-8")
    palette = parts[parts.index("{") : parts.index("}") + 1]
    places = ":is(.abm.abm, .jp-RenderedVegaCommon5)"
    themes = "".join(
        f'[data-jp-theme-light="{light}"] {places} {{color-scheme: {scheme}}}'
        for light, scheme in (("true", "light"), ("false", "dark"))
    )
    parts = parts.replace(":root, .abm {", "& {").replace(":scope, body, .abm {", "& {")
    plain = "dt, dd {float: none; width: auto; margin: 0; font-weight: inherit} tbody th {text-align: left}"
    plain += "tbody tr:nth-child(n), tbody tr:nth-child(n):hover {background: none}"
    answer = ".abm.abm.answer {font-size: 21px; line-height: 1.28; font-weight: 640; letter-spacing: -.015em}"
    charts = f".jp-RenderedVegaCommon5 {palette}"
    return ".abm.abm {" + plain + parts + "} .abm.abm {padding: 8px 16px}" + answer + charts + themes
