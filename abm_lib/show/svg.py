"""A chart as the page has it: its Vega spec and that drawn as inline SVG.

Used by the publisher alone: starting the drawing engine takes over half a second. Vega-Lite is compiled here, so that no
reader's browser does it for every chart.

Vega draws the marks of our own charts once, and they are written again: marks of one style as one path, stretched to the
width that the reader has with strokes and dots kept as they are, and texts at a share of that width. So one drawing fits
every page, and nothing is scaled. An analyst's chart is kept as Vega draws it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from .html import clean, tag

VEGA_LITE = "6.4"
STYLE = ("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity")
PLAIN = {
    "fill": "none",
    "stroke-width": "1",
    "stroke-linecap": "butt",
    "font-weight": "400",
    "text-anchor": "start",
    "opacity": "1",
}
FALLBACK = re.compile(r"var\((--[a-z0-9-]+), #[0-9a-f]{6}\)")
TRANSLATE = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)$")
BOX = re.compile(r"M(-?[\d.]+),(-?[\d.]+)h(-?[\d.]+)v(-?[\d.]+)h-?[\d.]+Z$")
DOT = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0$")
POINT = re.compile(r"(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)")
STRAIGHT = re.compile(r"M(-?[\d.]+)[ ]?(-?[\d.]+)([hv])(-?[\d.]+)")
Style = tuple[tuple[str, str], ...]


def compiled(spec: dict[str, Any]) -> dict[str, Any]:
    """A Vega-Lite spec as Vega, for drawing and for the page's script."""
    import vl_convert

    made = vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE)
    made.pop("$schema", None)
    return made


def draw(spec: dict[str, Any], vega: dict[str, Any], room: str, name: str) -> str:
    """One drawing for a room; `name` keeps the ids of an analyst's chart apart from those of the page's others."""
    return _as_drawn(vega, name) if room == "only" else _written_again(spec, vega, room)


def _as_drawn(vega: dict[str, Any], name: str) -> str:
    """An analyst's chart: only what would collide or speak twice is changed."""
    import vl_convert

    drawn = vl_convert.vega_to_svg({**vega, "background": "transparent"})
    drawn = re.sub(r' (?:role|aria-[a-z]+|version|xmlns(?::\w+)?)="[^"]*"', "", drawn)
    drawn = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', drawn)
    drawn = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", drawn)
    return f'<div class="only">{drawn}</div>'


def _written_again(spec: dict[str, Any], vega: dict[str, Any], room: str) -> str:
    import vl_convert

    width, height, padding = spec["width"], spec["height"], spec["padding"]
    bare = {**vega, "padding": 0, "marks": [mark for mark in vega["marks"] if mark["type"] != "text"]}
    root = ElementTree.fromstring(vl_convert.vega_to_svg(bare))
    marks = groupby(_marks(root, 0.0, 0.0), key=lambda mark: mark[0])
    drawn = "".join(_path(style, [d for _, d in group]) for style, group in marks)
    plot = f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none">{drawn}</svg>'
    texts = groupby(_texts(spec, width), key=lambda text: text[0])
    said = "".join(_group(style, right, [text for _, text in group]) for (style, right), group in texts)
    around = " ".join(f"{padding[side]}px" for side in ("top", "right", "bottom", "left"))
    return f'<div class="{clean(room)}" style="padding:{around}"><svg height="{height}">{plot}{said}</svg></div>'


def _texts(spec: dict[str, Any], width: float) -> Iterator[tuple[tuple[Style, bool], str]]:
    """The texts of a spec: at a share of the width, or so many pixels from its left edge or, then True, its right one."""
    for layer in (layer for layer in spec["layer"] if layer["mark"]["type"] == "text"):
        mark, x = layer["mark"], layer["encoding"]["x"]
        for record in layer["data"]["values"]:
            fill = FALLBACK.sub(r"var(\1)", record["colour"])
            style = {"fill": fill if fill != "var(--ink3)" else "", "font-weight": str(mark["fontWeight"])}
            style["text-anchor"] = {"left": "start", "center": "middle", "right": "end"}[mark["align"]]
            right = x.get("value", 0) >= width
            place = _place(x, record, width * right, mark["dx"])
            yield (
                (_key(style), right),
                str(tag("text", record["text"], **place, y=_tenth(record["y"] + mark["dy"] + 4))),
            )


def _place(x: dict[str, Any], record: dict[str, Any], edge: float, dx: float) -> dict[str, str]:
    if "value" in x:
        return {"x": _tenth(x["value"] - edge + dx)}
    low, high = x["scale"]["domain"]
    place = {"x": f"{_tenth((record['x'] - low) / (high - low) * 100)}%"}
    return place | ({"dx": _tenth(dx)} if dx else {})


def _marks(node: ElementTree.Element, x: float, y: float) -> Iterator[tuple[Style, str]]:
    """Each visible mark as a path in the plot, its place summed up from the groups around it.

    A hollow dot is two marks; the inner ones of a layer come together after the outer ones.
    """
    inner = []
    for child in node:
        kind = child.tag.rpartition("}")[2]
        found = TRANSLATE.match(child.get("transform", ""))
        left, down = (x + float(found[1]), y + float(found[2])) if found else (x, y)
        if kind == "g":
            yield from _marks(child, left, down)
        elif child.get("class") not in ("background", "foreground") and kind in ("path", "line"):
            style = {name: FALLBACK.sub(r"var(\1)", child.get(name, "")) for name in STYLE}
            outer, *within = _mark(child, style, left, down)
            inner += within
            yield outer
    yield from inner


def _mark(node: ElementTree.Element, style: dict[str, str], x: float, y: float) -> Iterator[tuple[Style, str]]:
    d = node.get("d", "")
    if node.get("x2") is not None:
        yield _key(style), f"M{_pair(x, y)}{_to(float(node.get('x2', 0)), float(node.get('y2', 0)))}"
    elif found := BOX.match(d):
        dx, dy, width, height = map(float, found.groups())
        yield _key(style), f"M{_pair(x + dx, y + dy)}h{_tenth(width)}v{_tenth(height)}h{_tenth(-width)}z"
    elif found := DOT.match(d):
        # A dot is a line of no length with round ends: it stays round when the plot is stretched.
        thick, edge = 2 * float(found[1]), float(style["stroke-width"] or 1)
        round_ends = {"stroke": style["stroke"], "stroke-width": _tenth(thick + edge), "stroke-linecap": "round"}
        yield _key(round_ends), f"M{_pair(x, y)}h0"
        if style["fill"] != style["stroke"]:
            inner = {"stroke": style["fill"], "stroke-width": _tenth(thick - edge), "stroke-linecap": "round"}
            yield _key(inner), f"M{_pair(x, y)}h0"
    else:
        yield _key(style), _shifted(d, x, y)


def _shifted(d: str, x: float, y: float) -> str:
    """A path of absolute commands moved: every pair of numbers is a point."""
    return POINT.sub(lambda found: _pair(float(found[1]) + x, float(found[2]) + y), d)


def _key(style: dict[str, str]) -> Style:
    return tuple((name, value) for name, value in style.items() if value and value != PLAIN.get(name))


def _path(style: Style, pieces: list[str]) -> str:
    """Marks of one style as one path."""
    return f'<path{_attributes(style)} d="{_joined(pieces)}"/>'


def _joined(pieces: list[str]) -> str:
    """Pieces as one path; a straight one begins from the end of the one before where that is said in fewer bytes."""
    joined, end = "", None
    for piece in pieces:
        found = STRAIGHT.fullmatch(piece)
        if not found:
            joined, end = joined + piece, None
            continue
        x, y, far = float(found[1]), float(found[2]), float(found[4])
        moved = f"m{_pair(x - end[0], y - end[1])}{found[3]}{found[4]}" if end else piece
        joined += min(piece, moved, key=len)
        end = (x + far, y) if found[3] == "h" else (x, y + far)
    return joined


def _group(style: Style, right: bool, texts: list[str]) -> str:
    if right:
        return f'<svg x="100%"{_attributes(style)}>{"".join(texts)}</svg>'
    return f"<g{_attributes(style)}>{''.join(texts)}</g>" if style else "".join(texts)


def _attributes(style: Style) -> str:
    """A round end is a class, as most of a drawing's paths have one."""
    said = "".join(f' {name}="{clean(value)}"' for name, value in style if name != "stroke-linecap")
    return said + (' class="o"' if ("stroke-linecap", "round") in style else "")


def _to(x: float, y: float) -> str:
    if abs(y) < 0.05:
        return f"h{_tenth(x)}"
    return f"v{_tenth(y)}" if abs(x) < 0.05 else f"l{_pair(x, y)}"


def _pair(x: float, y: float) -> str:
    """Two numbers as a path takes them: the sign of the second parts them."""
    second = _tenth(y)
    return _tenth(x) + ("" if second.startswith("-") else " ") + second


def _tenth(number: float) -> str:
    """A tenth of a pixel is enough."""
    text = f"{number:.1f}".removesuffix(".0")
    return text if text != "-0" else "0"
