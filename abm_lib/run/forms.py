"""The forms of a page: in a folder beside one shared script, without any script, or all pages of a quarter in one file.

A page is rendered once, for the folder; the other two are made of its bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..show.fragment import TEMPLATE
from ..show.svg import FALLBACK

SCRIPT = "abm.js"
POLICY = "default-src 'none'; {}img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STORE = re.compile(r"<script class=charts type=application/json>[^<]*</script>\n?")
LOADED = re.compile(r"<script [^>]*\bsrc=[^>]*></script>\n?")
# What only a script shows: the button for dark and light, the choice of what a chart highlights.
CONTROLS = re.compile(r"<button [^>]*></button>\n?|<label class=choice hidden>.*?</label>", re.DOTALL)
# Names of columns for narrow screens, of our own words alone, and how most texts and marks of drawings are set.
REPEATED = re.compile(
    r"(?<=<table )style=\"(--c[\w :;'.%-]*)\""
    r"|(?<=<g )(fill=var\(--ink\) font-weight=600|text-anchor=middle)(?=[ >])"
    r"|(?<=<svg x=100% )((?:fill=var\(--ink\) font-weight=600 )?text-anchor=end)(?=>)"
    r"|(?<=<path )((?:fill|stroke)=[\w()-]+(?: stroke-width=[\d.]+)?(?: stroke-dasharray=[\d,]+)?(?: class=o)?)(?= d=)"
)
RULE = re.compile(r"(?<=[{}])[^{}@]*\.[^{}]*\{[^{}]*\}")
TRACES = re.compile(
    r"</?data(?: [^>]*)?>| id=table-[\w-]+| scope=(?:row|col)(?=[ >])"
    r"|(?<=[^>]) data-(?:metric|quarter|slice-by|slice|chart)=(?:\"[^\"]*\"|[^ >]*)(?=[^<]*>)"
)
SPLIT = re.compile(r"(.*<main id=main>)(.*)(</main>.*)", re.DOTALL)
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@cache
def script() -> str:
    """The one script of an edition: Vega as vl-convert carries it, and what the pages do with it."""
    import vl_convert

    made = (
        vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;") + "\n" + (TEMPLATE / "app.js").read_text("utf-8")
    )
    # Nothing in it may end or open a script element where it stands inside one.
    return re.sub(r"<(?=/?script|!--)", r"\\x3c", made, flags=re.IGNORECASE)


def policy(script_source: str = "") -> str:
    """The content security policy; `script_source` is empty where nothing may run."""
    return POLICY.format(f"script-src {script_source}; " if script_source else "")


def packed(charts: Mapping[str, Any]) -> str:
    """The charts of a page for its script: JSON with what could end an element escaped, then gzip, then base64.

    The specs repeat themselves: packed they take a twelfth of the bytes, and no character of the data stands in the page.
    """
    text = json.dumps(charts, ensure_ascii=False, separators=(",", ":"))
    text = FALLBACK.sub(r"var(\1)", text)
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def without_scripts(page: str) -> str:
    """The same page without any script, and without what only programs read: what numbers lead back to is in the folder's."""
    for made in (STORE, LOADED, CONTROLS, TRACES):
        page = made.sub("", page)
    return _said_once(_in_use(page)).replace(policy("'self'"), policy())


def _in_use(page: str) -> str:
    """The same page without rules on classes that nothing in it has: those of what a script makes, and of other pages."""
    head, style, rest = page.partition("</style>")
    used = {name for names in re.findall(r'\bclass=(?:"([^"]*)"|([^ >]*))', rest) for name in " ".join(names).split()}

    def kept(found: re.Match[str]) -> str:
        selectors = found[0].partition("{")[0]
        named = all("." in selector for selector in selectors.split(","))
        return "" if named and not used & set(re.findall(r"\.([a-z][\w-]*)", selectors)) else found[0]

    return RULE.sub(kept, head) + style + rest


def _said_once(page: str) -> str:
    """The same page with styles that stand in it many times said once, as classes."""
    rules: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        rule = found[1] or found[found.lastindex or 0].replace("class=o", "stroke-linecap=round")
        rule = rule if found[1] else rule.replace("=", ":").replace(" ", ";")
        return f"class={rules.setdefault(rule, f'r{len(rules)}')}"

    page = REPEATED.sub(named, page)
    return page.replace("</style>", "".join(f".{name}{{{rule}}}" for rule, name in rules.items()) + "</style>", 1)


def in_one_file(pages: Mapping[str, str]) -> str:
    """All pages of an edition, by family, the executive one first, as one file that needs nothing beside it."""
    families = list(pages)
    split = {family: SPLIT.fullmatch(page) for family, page in pages.items()}
    mains = [_one_of_many(found[2], family, families) for family, found in split.items() if found]
    first = split[families[0]]
    if first is None or len(mains) < len(pages):
        raise ValueError("a page without a main part")
    head, foot = _links(first[1], families), _links(first[3], families)
    stores = "".join(_renamed(found[0], family) for family, page in pages.items() for found in STORE.finditer(page))
    code = script()
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    head = LOADED.sub("", STORE.sub("", head)).replace(policy("'self'"), policy(f"'sha256-{digest}'"))
    foot = STORE.sub("", foot).replace("</body>", f"{stores}<script>{code}</script>\n</body>")
    return head + "".join(mains) + foot


def _one_of_many(main: str, family: str, families: list[str]) -> str:
    """A page's main part as one article of the file; every heading of all but the first goes down one level.

    Its sections are no landmarks there: two pages may ask the same question.
    """
    main = _links(_renamed(main, family), families)
    main = re.sub(r"(<section) aria-labelledby=[\w-]+", r"\1", main)
    if family != families[0]:
        main = re.sub(r"<(/?)h([1-5])(?=[ >])", lambda found: f"<{found[1]}h{int(found[2]) + 1}", main)
    return f"<article class=page id={family}>{main}</article>\n"


def _renamed(html: str, family: str) -> str:
    """Ids of a page kept apart from those of the others."""
    html = re.sub(r"(<[a-z][^>]*? )(id|for|aria-labelledby)=([\w-]+)", rf"\1\2={family}-\3", html)
    return re.sub(r"href=#([\w-]+)", rf"href=#{family}-\1", html)


def _links(html: str, families: list[str]) -> str:
    """Links between the pages lead inside the file."""
    for family in families:
        name = "index" if family == "summary" else family
        html = re.sub(rf'href="?{name}\.html#([\w-]+)"?(?=[ >])', rf"href=#{family}-\1", html)
        html = re.sub(rf'href="?{name}\.html"?(?=[ >])', f"href=#{family}", html)
    return html
