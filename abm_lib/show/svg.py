"""A Vega-Lite spec as inline SVG. Used by the publisher alone: starting the drawing engine takes over half a second."""

from __future__ import annotations

import re
from typing import Any

from .html import clean

VEGA_LITE = "6.4"
# What only a screen reader of single marks would need (the figure has its own text), and empty scaffolding.
SCAFFOLD = re.compile(
    r'<rect width="[\d.]+" height="[\d.]+" fill="transparent"/>'
    r'|<path class="(?:background|foreground)"(?![^>]* fill="(?!none))[^>]*/>'
    r'| (?:class|role|aria-[a-z]+|pointer-events|version|xmlns(?::\w+)?|style)="[^"]*"'
)
# What the style of `.drawing` says once for all of our own drawings; an analyst's chart keeps its own.
TYPE = re.compile(
    r' (?:font-family|font-size)="[^"]*"| font-weight="400"| opacity="1"| stroke-(?:width="1"|miterlimit="10")'
)
FALLBACK = re.compile(r"var\((--[a-z0-9-]+), #[0-9a-f]{6}\)")
DIGITS = re.compile(r"-?\d+\.\d+")


def draw(spec: dict[str, Any], room: str, name: str) -> str:
    """One drawing for a room; `name` keeps its ids apart from those of the page's other drawings."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg({**spec, "background": "transparent"}, vl_version=VEGA_LITE)
    # Coordinates only: what stands between tags is text and keeps its digits.
    drawn = re.sub(r"<[^>]+>", lambda mark: DIGITS.sub(_tenths, mark[0]), SCAFFOLD.sub("", drawn))
    if room != "only":
        drawn = FALLBACK.sub(r"var(\1)", TYPE.sub("", drawn))
    drawn = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', drawn)
    drawn = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", drawn)
    return drawn.replace("<svg", f'<svg class="{clean(room)}" aria-hidden="true" focusable="false"', 1)


def _tenths(number: re.Match[str]) -> str:
    """A tenth of a pixel is enough."""
    text = f"{float(number[0]):.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
