"""The digest (`--digest`): the executive page's message and its cards as a short mail, in HTML and in text.

Written for mail programs: one table, styles on the elements, no script, nothing remote, pictures of a few hundred bytes.
`digest.eml` is the whole message ready to send, its pictures attached by content id; `digest.html` and `digest.txt` are the
same to look at.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from ..metric import Metric
from ..pages import Page
from ..show.html import clean, short, tag
from ..show.numbers import day, quarter_name
from ..show.rows import Readings, Row
from ..show.sentences import SUMMARY, needed
from ..show.verdict import verdict

LONGEST = 60  # characters of a company's name in a subject line
COLOUR = {"good": "#1a5fb0", "bad": "#ad4a06", "grey": "#444b54"}
FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
CELL = "padding:10px 8px;border-bottom:1px solid #e2e5e9;vertical-align:top;font-size:14px;line-height:1.4;overflow-wrap:anywhere"
POLICY = "default-src 'none'; img-src data: cid:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Card:
    """One line of the digest: the reading, what it is held against and the curve of its eight quarters as PNG."""

    row: Row
    against: Sequence[tuple[str, Markup, str]]
    tone: str
    said: str
    curve: bytes

    @property
    def name(self) -> str:
        return f"{self.row.metric}.png"


def write(folder: Path, readings: pd.DataFrame, edition: Mapping[str, Any], register: Mapping[str, Metric]) -> None:
    """digest.html, digest.txt and digest.eml of an edition."""
    message = Page("summary", readings, edition, register).header().text
    cards = _cards(Readings(readings, register, edition["quarter"]))
    title = f"{short(edition['company'], LONGEST)}, {quarter_name(edition['quarter'])}"
    text = _text(title, message, cards, edition)
    data = {card.name: "data:image/png;base64," + base64.b64encode(card.curve).decode() for card in cards}
    (folder / "digest.html").write_text(_html(title, message, cards, edition, data), encoding="utf-8")
    (folder / "digest.txt").write_text(text, encoding="utf-8")
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = f"{title}: account-based marketing"
    mail.set_content(text)
    attached = {card.name: f"cid:{card.name}" for card in cards}
    mail.add_alternative(_html(title, message, cards, edition, attached), subtype="html")
    related = mail.get_payload()[1]  # type: ignore[index]
    for card in cards:
        related.add_related(card.curve, "image", "png", cid=f"<{card.name}>")  # type: ignore[union-attr]
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"abm-{number}")  # the same bytes for the same edition
    (folder / "digest.eml").write_bytes(bytes(mail))


def _cards(readings: Readings) -> list[Card]:
    cards = []
    for name in SUMMARY:
        if (row := readings.whole(name)) is None:
            continue
        judged = verdict(row, needed(readings, name))
        fields = (("target", "target"), ("previous", "last quarter"), ("year_ago", "a year ago"))
        against = [
            (label, row.data(field), row.text(field)) for field, label in fields if getattr(row, field) is not None
        ]
        history = [past.value if past else None for past in readings.history(name)]
        cards.append(Card(row, against, judged.tone, judged.text, _curve(history)))
    return cards


def _curve(values: Sequence[float | None]) -> bytes:
    """Eight quarters as a small picture; the last one, where it has a value, as a dot."""
    import vl_convert

    points = [{"x": x, "y": y} for x, y in enumerate(values) if y is not None]
    bare: dict[str, Any] = {"axis": None, "scale": {"zero": False}}
    at = {"x": {"field": "x", "type": "quantitative", **bare}, "y": {"field": "y", "type": "quantitative", **bare}}
    line = {"mark": {"type": "line", "color": "#59626d", "strokeWidth": 1.5}, "encoding": at}
    last = {"mark": {"type": "circle", "color": "#15191e", "size": 30, "opacity": 1}, "encoding": at,
            "data": {"values": [point for point in points if point["x"] == len(values) - 1]}}  # fmt: skip
    spec = {"width": 80, "height": 24, "padding": 3, "background": "white", "view": {"stroke": None},
            "config": {"view": {"stroke": None}}, "data": {"values": points}, "layer": [line, last]}  # fmt: skip
    return bytes(vl_convert.vegalite_to_png(spec, scale=1.5))


def _text(title: str, message: str, cards: Sequence[Card], edition: Mapping[str, Any]) -> str:
    lines = [title, "", message, ""]
    for card in cards:
        past = ", ".join(f"{label} {text}" for label, _, text in card.against)
        lines.append(f"{card.row.label}: {card.row.text()}" + (f" ({past})" if past else ""))
        lines.append(f"  {card.said}")
    return "\n".join([*lines, "", _foot(edition), ""])


def _html(
    title: str, message: str, cards: Sequence[Card], edition: Mapping[str, Any], pictures: Mapping[str, str]
) -> str:
    rows = [_line(card, pictures[card.name]) for card in cards]
    table = tag(
        "table", tag("tbody", rows), style="border-collapse:collapse;width:100%;margin-top:16px", cellpadding="0"
    )
    body = tag(
        "main",
        tag("h1", title, style="font-size:22px;line-height:1.25;margin:0 0 8px;overflow-wrap:anywhere"),
        tag("p", message, style="font-size:15px;line-height:1.5;margin:0;color:#444b54"),
        table,
        tag("p", _foot(edition), style="font-size:12px;line-height:1.5;color:#5c646e;margin:16px 0 0"),
        style=f"display:block;max-width:640px;margin:0 auto;padding:16px;background:#ffffff;color:#15191e;{FONT}",
    )
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
    ]
    whole = tag("html", tag("head", head), tag("body", body, style="margin:0;background:#ffffff"), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _line(card: Card, picture: str) -> Markup:
    past = Markup(", ").join(Markup("{} {}").format(label, html) for label, html, _ in card.against)
    values = ", ".join(text for _, _, text in card.against)
    alternative = f"Eight quarters of {card.row.label}, now {card.row.text()}" if values else card.row.label
    small = "display:block;font-size:12px;color:#5c646e"
    judged = tag("span", card.said, style=f"display:block;color:{COLOUR[card.tone]}")
    name = tag("td", tag("b", card.row.label), judged, tag("span", past, style=small), style=CELL)
    value = tag("b", card.row.data(), style="display:block;font-size:18px;white-space:nowrap")
    image = tag("img", src=picture, alt=alternative, width=86, height=30)
    return tag("tr", name, tag("td", value, image, style=f"{CELL};width:96px"))


def _foot(edition: Mapping[str, Any]) -> str:
    state = str(edition["state"]).replace("_", " ").capitalize()
    known = f"{state} edition, data as of {day(edition['as_of'])}, {edition['caveats']} caveats."
    return f"{known} {clean(edition['profile']).capitalize()}. {edition.get('disclosure', '')}".strip()
