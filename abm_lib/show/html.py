"""A tiny HTML builder: whatever is not markup already is escaped where it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from ..errors import ADDRESS

VOID = {"img", "br", "hr", "meta", "link", "input", "wbr"}
# Marks that reorder or hide text on the screen; joiners inside a word (U+200C, U+200D) are kept, scripts need them.
TRICKS = re.compile("[\u200b\u200e\u200f\u061c\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u00ad]")


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element; `class_` and `data_metric` become class and data-metric, None and False are left out."""
    opening = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in VOID:
        return Markup("<{}{}>").format(Markup(name), Markup(opening))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), Markup(opening), join(children))


def join(children: Iterable[object]) -> Markup:
    """Children one after another: nested lists are flattened, None is nothing, text is escaped."""
    return Markup("").join(
        join(child) if isinstance(child, (list, tuple)) else escape("" if child is None else child)
        for child in children
    )


def clean(text: object) -> str:
    """Text from data as it may be shown: composed, on one line, no control or reordering marks, no mail address."""
    line = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in str(text))
    return ADDRESS.sub("(address hidden)", TRICKS.sub("", unicodedata.normalize("NFC", line))).strip()


def short(text: object, longest: int = 28) -> str:
    """Cleaned text cut at a length, with an ellipsis; the whole stands in the table."""
    line = clean(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def plain(html: Markup) -> str:
    """The text of some markup, with its spaces as they are: those inside a number must not break."""
    return Markup(re.sub(r"<[^>]*>", "", html)).unescape()


def said(text: object) -> Markup:
    """Cleaned text from data inside running text: its direction cannot change what stands around it."""
    line = clean(text)
    turns = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in line)
    return tag("bdi", line) if turns else escape(line)


def listed(parts: Sequence[str], most: int = 5) -> str:
    """Parts as one text that somebody can listen to: the first ones, and how many more stand in the table."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return ", ".join(parts[:most]) + more


def css_text(text: str) -> str:
    """Text as a CSS string that nothing can leave: all but plain letters and digits is written by its number."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .,") else f"\\{ord(c):x} " for c in text)
    return f"'{plain}'"


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
