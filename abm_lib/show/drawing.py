"""How a chart is drawn: a canvas of a least width, stretched to the page's, so that text never shrinks with it.

Positions across are data, positions down are pixels from the top; names, values and axis labels are text marks with the
text as data. Nothing from data reaches a Vega expression, and nothing depends on measuring the reader's font.

Every channel is an object: altair finds the class of a bare string by hashing its whole schema, 10 ms each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
from altair.utils.schemapi import debug_mode

from .fragment import Drawing
from .theme import ROOMS, ink

Records = list[dict[str, Any]]


@dataclass(frozen=True)
class Room:
    """Where a drawing stands: in any width, wide (from a tablet up) or narrow (on a phone). `width` is the least."""

    name: str

    @property
    def width(self) -> int:
        return ROOMS[self.name]

    @property
    def narrow(self) -> bool:
        return self.name == "narrow"


@dataclass(frozen=True)
class Canvas:
    """Pixels: the plot's height and the margins around it; `across` is the domain of the data from left to right."""

    room: Room
    height: int
    across: tuple[float, float]
    left: int = 0
    right: int = 0
    top: int = 8
    bottom: int = 26

    @property
    def width(self) -> int:
        return self.room.width - self.left - self.right

    def x(self, name: str = "x") -> alt.X:
        return alt.X(f"{name}:Q", scale=alt.Scale(domain=list(self.across), nice=False, zero=False), axis=None)

    def y(self, name: str = "y") -> alt.Y:
        return alt.Y(f"{name}:Q", scale=alt.Scale(domain=[self.height, 0], nice=False, zero=False), axis=None)

    def pixels(self, value: float) -> float:
        """How far right a value of the data lies, in pixels of the plot."""
        return (value - self.across[0]) / (self.across[1] - self.across[0]) * self.width

    def spec(self, layers: Sequence[alt.Chart | None]) -> dict[str, Any]:
        """The layers as one spec. alt.layer() would copy each of them whole, again and again, which is half of the time."""
        padding = {"left": self.left, "right": self.right, "top": self.top, "bottom": self.bottom}
        frame = alt.LayerChart(
            layer=[], width=self.width, height=self.height, padding=padding, autosize=alt.AutoSizeParams(type="none")
        ).to_dict(validate=False)
        # Every place is worked out here: Vega need not ask of each record whether it has one.
        frame["config"] = {**frame.get("config", {}), "mark": {"invalid": None}}
        drawn = [layer.to_dict(validate=False, context={"top_level": False}) for layer in layers if layer is not None]
        return _pointed_at({**frame, "layer": drawn})

    def bars(
        self, records: Records, thick: int, fill: str = "", outline: bool = False, dash: Sequence[int] = ()
    ) -> alt.Chart | None:
        """Horizontal bars from x to x2, centred on y; `colour` and `edge` may stand in the records."""
        if not records:
            return None
        rows = [
            {
                "y1": r["y"] - thick / 2,
                "y2": r["y"] + thick / 2,
                "colour": ink("bar"),
                "edge": r.get("colour", ink("bar")),
                **r,
            }
            for r in records
        ]
        mark = (
            _chart(rows).mark_rect(strokeWidth=1.5, strokeDash=list(dash) or alt.Undefined)
            if outline
            else _chart(rows).mark_rect()
        )
        drawn = mark.encode(
            x=self.x(),
            x2=alt.X2("x2:Q"),
            y=self.y("y1"),
            y2=alt.Y2("y2:Q"),
            fill=alt.FillValue(fill) if fill else alt.Fill("colour:N", scale=None),
        )
        drawn = drawn.encode(stroke=alt.Stroke("edge:N", scale=None)) if outline else drawn
        return _told(drawn, rows)

    def rules(
        self, records: Records, colour: str, thick: float = 1, dash: Sequence[int] = (), upright: bool = False
    ) -> alt.Chart | None:
        """Lines: across from x to x2 at y, or upright from y to y2 at x."""
        if not records:
            return None
        mark = _chart(records).mark_rule(color=colour, strokeWidth=thick, strokeDash=list(dash) or alt.Undefined)
        return (
            mark.encode(x=self.x(), y=self.y(), y2=alt.Y2("y2:Q"))
            if upright
            else mark.encode(x=self.x(), x2=alt.X2("x2:Q"), y=self.y())
        )

    def slopes(self, records: Records) -> alt.Chart | None:
        """Straight pieces from (x, y) to (x2, y2): a quarter without a value leaves a gap."""
        if not records:
            return None
        mark = _chart(records).mark_rule(color=ink("ink"), strokeWidth=2, strokeCap="round")
        return mark.encode(x=self.x(), y=self.y(), x2=alt.X2("x2:Q"), y2=alt.Y2("y2:Q"))

    def area(self, records: Records, fill: str) -> alt.Chart | None:
        """The surface between y and y2, straight from each x to the next."""
        if not records:
            return None
        return _chart(records).mark_area(color=fill).encode(x=self.x(), y=self.y(), y2=alt.Y2("y2:Q"))

    def dots(self, records: Records, size: int = 70, hollow: bool = False) -> alt.Chart | None:
        if not records:
            return None
        mark = _chart([{"colour": ink("ink"), **r} for r in records]).mark_point(
            filled=True, size=size, opacity=1, strokeWidth=1.5
        )
        drawn = mark.encode(x=self.x(), y=self.y(), stroke=alt.Stroke("colour:N", scale=None))
        drawn = drawn.encode(fill=alt.FillValue(ink("paper")) if hollow else alt.Fill("colour:N", scale=None))
        return _told(drawn, records)

    def text(
        self,
        records: Records,
        align: Literal["left", "center", "right"] = "left",
        at: float | None = None,
        dx: int = 0,
        dy: int = 0,
        bold: bool = False,
        colour: str = "ink",
    ) -> alt.Chart | None:
        """Text marks; `at` sets all of them at one pixel of the plot (negative: in the left margin)."""
        records = [r for r in records if r.get("text")]
        if not records:
            return None
        mark = _chart([{"colour": ink(colour), **r} for r in records]).mark_text(
            align=align, dx=dx, dy=dy, baseline="middle", fontSize=12, fontWeight=600 if bold else 400
        )
        where = alt.XValue(at) if at is not None else self.x()  # type: ignore[no-untyped-call]
        return mark.encode(x=where, y=self.y(), text=alt.Text("text:N"), color=alt.Color("colour:N", scale=None))


def drawings(draw: Callable[[Room], dict[str, Any]], *rooms: str) -> list[Drawing]:
    """One spec for each room; by default one that fits any width."""
    # altair would check every mark against its schema, which is half of the time; a test does that once for each chart.
    with debug_mode(False):
        return [Drawing(name, draw(Room(name))) for name in rooms or ("any",)]


def _told(drawn: alt.Chart, records: Records) -> alt.Chart:
    """Marks that say what they are when pointed at."""
    return drawn.encode(tooltip=alt.Tooltip("tip:N")) if any(record.get("tip") for record in records) else drawn


def _pointed_at(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec whose marks step back while a neighbour that says what it is is pointed at."""
    telling = [layer for layer in spec["layer"] if "tooltip" in layer["encoding"]]
    for layer in telling:
        layer["encoding"]["opacity"] = {"condition": {"param": "pointed", "value": 1}, "value": 0.35}
    if telling:
        # One selection listens to the whole plot: a second of the same name would be refused.
        select = {"type": "point", "fields": ["tip"], "on": "pointerover", "clear": "pointerout"}
        telling[0]["params"] = [{"name": "pointed", "select": select}]
    return spec


def _chart(records: Records) -> alt.Chart:
    """Records inline: nothing is inferred from them, every channel names its type. altair copies a list again and again."""
    return alt.Chart(alt.Data(values=tuple(records)))  # type: ignore[no-untyped-call]


def aside(texts: Sequence[str]) -> int:
    """The margin in pixels that the longest of these texts needs beside a plot; one text may be given alone."""
    longest = len(texts) if isinstance(texts, str) else max(map(len, texts), default=0)
    return min(int(longest * 6.9) + 14, 148)


def ticks(largest: float, most: int = 4) -> list[float]:
    """Round steps from 0 that reach just below or at the largest value, at most so many above 0."""
    if largest <= 0:
        return [0.0]
    raw = largest / most
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= raw * 0.999)
    return [round(i * step, 12) for i in range(int(largest / step + 1e-9) + 1)]
