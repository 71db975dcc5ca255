"""The altair theme and renderer.

Colours are CSS variables with a light fallback, so that a drawing made once follows the reader's light or dark setting
and print; only SVG can do that. Two hues: good is blue, bad is orange.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from .fragment import VEGA
from .html import clean

LIGHT = {
    "paper": "#ffffff",
    "ink": "#15191e",
    "ink2": "#444b54",
    "ink3": "#5c646e",
    "hairline": "#e2e5e9",
    "strong": "#aeb5bd",
    "bar": "#59626d",
    "track": "#e3e7ec",
    "pale": "#c9cfd6",
    "good": "#1a5fb0",
    "good-tint": "#dbe8f7",
    "bad": "#ad4a06",
    "bad-tint": "#f8e3d2",
}
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
# The least width in pixels of each room of the page: any width, from a tablet up, a phone. Drawings stretch from there.
ROOMS = {"any": 288, "wide": 672, "narrow": 288}


def ink(name: str) -> str:
    """A colour of the palette as a CSS variable with its light value to fall back on."""
    return f"var(--{name}, {LIGHT[name]})"


def tone(name: str) -> str:
    """The colour of a verdict: good and bad are hues, grey is the data bar."""
    return ink(name) if name in ("good", "bad") else ink("bar")


@alt.theme.register("abm", enable=False)
def _theme() -> alt.theme.ThemeConfig:
    label = {"labelColor": ink("ink3"), "labelFontSize": 12, "labelPadding": 6}
    named = {"titleColor": ink("ink3"), "titleFontSize": 12, "titleFontWeight": "normal"}
    lines = {"gridColor": ink("hairline"), "domainColor": ink("strong"), "ticks": False, "tickCount": 4}
    title = {"color": ink("ink"), "fontSize": 16, "fontWeight": 600, "anchor": "start", "offset": 16}
    config = {
        "font": FONT,
        "background": "transparent",
        "aria": False,
        "view": {"stroke": None},
        "axis": {**label, **named, **lines},
        "title": {**title, "subtitleColor": ink("ink3"), "subtitleFontSize": 13},
        "text": {"fontSize": 12, "color": ink("ink")},
        "bar": {"color": ink("bar")},
        "line": {"color": ink("ink"), "strokeWidth": 2},
        "point": {"color": ink("ink"), "filled": True, "size": 60},
        "rule": {"color": ink("ink3")},
        "legend": {"disable": True},
        "range": {"category": [ink("bar"), ink("ink"), ink("pale"), ink("strong")]},
    }
    return {"config": config}  # type: ignore[typeddict-item]


def render(spec: dict[str, Any], **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An analyst's chart as Vega-Lite 5, which JupyterLab draws offline, with its description as text.

    The SVG is drawn once per published page: starting the drawing engine in every kernel would cost more than the page.
    """
    text = clean(spec.get("description") or "") or "chart without a description"
    how = {"embed_options": {"renderer": "svg", "actions": False}}
    return {VEGA: spec, "text/plain": text}, {VEGA: how}


alt.renderers.register("abm", render)


def use() -> None:
    """The theme and the renderer for every chart of this process: a page does so, not an import that was done for all of them."""
    alt.theme.enable("abm")
    alt.renderers.enable("abm")
