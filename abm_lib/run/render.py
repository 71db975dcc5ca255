"""A run notebook becomes one self-contained HTML page.

Only what the page's own methods made is published, read from their `application/vnd.abm+json` part: code, prompts,
plain HTML and cells tagged `explore` or `parameters` are left out. Charts are drawn here, once for each page. The bytes
are checked before they are returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from ..errors import Fault, PublishRefused
from ..show import published, svg
from ..show.fragment import MIME, TEMPLATE, VEGA
from ..show.html import clean, css_text, tag
from ..show.numbers import day, quarter_name, write_as
from . import forms
from .reuse import Parts

LEFT_OUT = {"explore", "parameters", "injected-parameters"}
QUESTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r'<abm-block name="(\d+)"></abm-block>')
# What HTML lets one leave out: the end of a cell, a row or an item, and quotes around plain values.
ENDS = re.compile(
    r"</(?:td|th|tr|thead|tbody|li|dt|dd)>|</p>(?=</?(?:p|div|article|details|section|table|figcaption|ul)\b)"
)
EMPTY = re.compile(r"></(?:path|circle)>")
QUOTED = re.compile(r'="([\w./#+%(),;:-]+)"(?=[ >])|(?<= defer)=""|(?<= hidden)=""')
HALF = re.compile('<(figure|div) class="half')
MARKUP = re.compile(r"<[a-z][^<>]*>")


@dataclass
class Gathered:
    """What a notebook becomes on the way: blocks of HTML, the charts for the script, and what the page must hold."""

    family: str
    blocks: list[tuple[str, Markup]] = field(default_factory=list)
    charts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=lambda: {"figure": 0, "table": 0})

    def add(self, kind: str, html: Markup, figures: int = 0, tables: int = 0) -> None:
        self.blocks.append((kind, html))
        self.made["figure"] += figures
        self.made["table"] += tables


def render(notebook: NotebookNode, family: str, edition: Mapping[str, Any]) -> str:
    """The page of a family as HTML, for a folder that holds forms.SCRIPT; `forms` makes the other forms of it.

    Raises PublishRefused listing every fault of the notebook or of the bytes.
    """
    return page(parts(notebook, family), edition)


def parts(notebook: NotebookNode, family: str) -> Parts:
    """What the page is put together from, by the notebook alone. Raises PublishRefused listing every fault of the notebook."""
    if faults := _unfinished(notebook):
        raise PublishRefused(faults)
    found = _gathered(notebook, family)
    return Parts(family, [str(block) for block in _sections(found.blocks)], forms.packed(found.charts), found.made)


def page(parts: Parts, edition: Mapping[str, Any]) -> str:
    """The parts with the head and the foot of an edition. Raises PublishRefused listing every fault of the bytes."""
    write_as(str(edition.get("locale", "en")))
    cells = [
        NotebookNode(cell_type="raw", id=f"block-{i}", source="", metadata=NotebookNode(html=tag("abm-block", name=str(i))))
        for i in range(len(parts.blocks))
    ]  # fmt: skip
    body, _ = _exporter().from_notebook_node(
        NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(), cells=cells),
        resources={"abm": _chrome(parts.family, edition) | {"charts": parts.charts}},
    )
    # nbconvert parses and writes the page once more; our own blocks are put in after that, as they were made.
    body = BLOCK.sub(lambda found: parts.blocks[int(found[1])], body)
    text = _slim("\n".join(line for line in body.splitlines() if line.strip()) + "\n")
    if faults := published.faults(text, parts.made):
        raise PublishRefused(faults)
    return text


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(template_name=TEMPLATE.name, extra_template_basedirs=[str(TEMPLATE.parent)])


def _slim(page: str) -> str:
    """The page without what HTML lets one leave out. Text from data is escaped, so every `<` opens markup of ours."""
    head, style, rest = page.partition("</style>")
    rest = EMPTY.sub("/>", ENDS.sub("", rest.replace("&#39;", "'")))
    return head + style + MARKUP.sub(lambda found: QUOTED.sub(_bare, found[0]), rest)


def _bare(found: re.Match[str]) -> str:
    return f"={found[1]}" if found[1] else ""


def index_page(editions: Sequence[Mapping[str, Any]]) -> str:
    """reports/index.html: every published quarter, newest first, with its state and its day."""
    newest = sorted(editions, key=lambda e: str(e["quarter"]), reverse=True)
    company = clean(newest[0]["company"]) if newest else "This company"
    rows = [
        tag(
            "li", tag("a", quarter_name(e["quarter"]), href=f"{e['quarter']}/index.html"), tag("span", _edition_line(e))
        )
        for e in newest
    ]
    title = f"{company}: account-based marketing"
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", _style("")),
    ]
    listed = tag("ul", rows, class_="editions") if rows else tag("p", "No quarter has been published yet.")
    heading = tag(
        "div", tag("h1", title), tag("p", "One report for each quarter.", class_="standfirst"), class_="message"
    )
    body = tag("main", heading, listed, id="main")
    return "<!doctype html>\n" + str(tag("html", tag("head", head), tag("body", body), lang="en")) + "\n"


def _unfinished(notebook: NotebookNode) -> list[Fault]:
    """Cells that failed or never ran: what a killed kernel leaves looks finished, but has no execution count."""
    faults = []
    for i, cell in enumerate(notebook.cells):
        where = f"cell {cell.get('id', i)}"
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.get("execution_count") is None:
            faults.append(published.fault("not_run", "a cell did not run", "no execution count", "it has run", where))
        errors = [str(o.get("ename", "an error")) for o in cell.outputs if o.output_type == "error"]
        faults += [published.fault("error", "a cell failed", name, "no error", where) for name in errors]
    return faults or [*_of_no_reading(notebook), *_typed(notebook)]


def _typed(notebook: NotebookNode) -> Iterator[Fault]:
    """Numbers that somebody typed into the prose: they lead back to no reading, and stay when the quarter goes."""
    for cell in _published(notebook):
        if cell.cell_type == "markdown" and not cell.source.startswith("# "):
            for number in published.TYPED.findall(cell.source):
                yield published.typed(number, f"cell {cell.get('id', '')}")


def _of_no_reading(notebook: NotebookNode) -> list[Fault]:
    """Outputs that the page's methods did not make: their numbers lead back to no reading, and may be of single people."""
    fix = "tag the cell `explore`, which is left out, or show it by a method of the page"
    return [
        Fault("not_traced", "an output that no reading is behind", f"cell {cell.get('id', '')}",
              "a chart of its own" if VEGA in output.get("data", {}) else "plain output", "what a method of `page` gives", fix)
        for cell in _published(notebook) for output in _outputs(cell) if MIME not in output.get("data", {})
    ]  # fmt: skip


def _gathered(notebook: NotebookNode, family: str) -> Gathered:
    """What is published of each cell, in order."""
    parts = Gathered(family)
    for cell in _published(notebook):
        if cell.cell_type == "markdown":
            for kind, html in _markdown(cell.source):
                parts.add(kind, html)
        for output in _outputs(cell):
            _add_output(parts, output["data"][MIME])
    return parts


def _published(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if not LEFT_OUT & set(cell.metadata.get("tags", [])))


def _outputs(cell: NotebookNode) -> list[NotebookNode]:
    """A cell's outputs but for what libraries grumble."""
    return [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]


def _add_output(parts: Gathered, block: Mapping[str, Any]) -> None:
    """One output of the page's own methods: a figure, or a fragment that is HTML already."""
    if block["kind"] != "figure":
        html = Markup(block["html"])
        if block["kind"] == "table":
            html = tag("div", html, class_="wide block" if block["wide"] else "half block")
        parts.add(block["kind"], html, block["figures"], block["tables"])
        return
    views = [{d["room"]: d["spec"] for d in view} for view in block["views"]]
    html = _figure(parts, views, block["description"], "wide" if block["wide"] else "half", block)
    parts.add("figure", html, 1, block["tables"])


def _figure(parts: Gathered, views: list[dict[str, Any]], text: str, room: str, around: Mapping[str, Any]) -> Markup:
    """A figure with its first view drawn for every room; the script draws them alive, and the other views."""
    name = f"{parts.family}-{len(parts.charts)}"
    compiled = [{each: svg.compiled(spec) for each, spec in view.items()} for view in views]
    drawn = [
        Markup(svg.draw(spec, vega, each, f"{name}-{each}"))
        for (each, spec), vega in zip(views[0].items(), compiled[0].values(), strict=True)
    ]
    parts.charts[name] = compiled
    drawing = tag("div", drawn, class_="drawing", role="img", aria_label=text, data_chart=name)
    return tag("figure", Markup(around["before"]), drawing, Markup(around["after"]), class_=room)


def _markdown(source: str) -> Iterator[tuple[str, Markup]]:
    """A Markdown cell as questions and prose; the notebook's own title cell is left out."""
    if source.startswith("# "):
        return
    pieces = QUESTION.split(source)
    for i, piece in enumerate(pieces):
        if i % 2:
            yield "question", Markup(tag("span", piece.strip()))
        elif piece.strip():
            yield "prose", Markup(markdown2html(piece.strip()))


def _sections(blocks: Sequence[tuple[str, Markup]]) -> list[Markup]:
    """Blocks put into sections: a question opens one; the answer right after it becomes its heading."""
    out: list[Markup] = []
    opened = 0
    for i, (kind, html) in enumerate(_filled(blocks)):
        if kind == "question":
            answer = blocks[i + 1][1] if blocks[i + 1 :] and blocks[i + 1][0] == "answer" else None
            out.append(Markup("</div></section>") if opened else Markup(""))
            opened += 1
            out.append(_opening(opened, html, answer))
        elif kind != "answer" or blocks[i - 1][0] != "question":
            out.append(
                html
                if kind in ("figure", "header", "scorecard", "table")
                else tag("div", html, class_="prose" if kind == "prose" else "block")
            )
    return [*out, Markup("</div></section>")] if opened else out


def _filled(blocks: Sequence[tuple[str, Markup]]) -> list[tuple[str, Markup]]:
    """The blocks; of halves after one another whose number is odd, the last is as wide as the page."""
    out = list[tuple[str, Markup]]()
    for is_half, group in groupby(blocks, key=lambda block: bool(HALF.match(block[1]))):
        run = list(group)
        if is_half and len(run) % 2:
            kind, html = run[-1]
            run[-1] = kind, Markup(str(html).replace('class="half', 'class="wide', 1))
        out += run
    return out


def _opening(number: int, question: Markup, answer: Markup | None) -> Markup:
    name = f"section-{number}"
    asked = tag("p", question, class_="question") if answer else None
    heading = tag("h2", answer or question, id=name)
    opening = Markup('<section aria-labelledby="{}">').format(name)
    return opening + (asked or "") + heading + Markup('<div class="blocks">')


def _chrome(family: str, edition: Mapping[str, Any]) -> dict[str, Any]:
    """What stands around the page: title, navigation, footer and style."""
    links = [
        (f.removeprefix("for-").capitalize(), "index.html" if f == "summary" else f"{f}.html", f == family)
        for f in edition["families"]
    ]
    families, roles = [each for each in links if not _is_role(each)], [each for each in links if _is_role(each)]
    quarters = [("All quarters", "../index.html", False)]  # an older page does not know the newer ones
    quarters += [(quarter_name(q), f"../{q}/index.html", q == edition["quarter"]) for q in edition["quarters"]]
    name, as_of, count = quarter_name(edition["quarter"]), day(edition["as_of"]), edition["caveats"]
    company, profile = clean(edition["company"]), edition["profile"].capitalize()
    dates = f"{day(edition['period_start'])} – {day(edition['period_end'])}"
    running = (
        f"{company}, ABM report {name}. {_edition_line(edition)}. {profile}: {edition['disclosure']} "
        f"Quarter: {dates}, money in {edition['currency']}. Every number is in readings.csv."
    )
    return {
        "edition": edition,
        "company": company,
        "family": family.replace("-", " ").capitalize(),
        "quarter": name,
        "title": f"{family.replace('-', ' ').capitalize()}, {name}: {company}",
        "state": _state(edition),
        "as_of": as_of,
        "profile": profile,
        "dates": dates,
        "caveats": f"{count} caveat{'' if count == 1 else 's'}",
        "fresh": _fresh(edition),
        "sources": _oldest(edition.get("sources", [])),
        "generated": _day(str(edition["generated"])),
        "pages": len(links),
        "menu": _nav("Pages, as a menu", families) + _nav("Pages by role, as a menu", roles, "roles") * bool(roles),
        "roles": _nav("Pages by role", roles, "roles") if roles else "",
        "families": _nav("Pages", families),
        "quarters": _nav("Quarters", quarters, "quarters"),
        "style": _style(running),
        "policy": forms.policy("'self'"),
        "script": forms.SCRIPT,
    }


def _is_role(link: tuple[str, str, bool]) -> bool:
    return link[1].startswith("for-")


def _fresh(edition: Mapping[str, Any]) -> Markup:
    """How far each table reaches, the oldest first, and by which catalogue the numbers were counted."""
    tables: dict[str, list[str]] = {}
    for source in sorted(edition.get("sources", []), key=lambda source: str(source["newest"])):
        tables.setdefault(str(source["newest"]), []).append(clean(source["name"]).replace("_", " "))
    rows = [tag("div", tag("dt", _day(last)), tag("dd", ", ".join(names))) for last, names in tables.items()]
    return tag("dl", rows) + tag(
        "p", f"The day of each table's newest row. Catalogue of metrics {edition['catalogue']}."
    )


def _oldest(sources: Sequence[Mapping[str, Any]]) -> str:
    """How far the source that lags most reaches."""
    if not sources:
        return ""
    last = min(sources, key=lambda source: str(source["newest"]))
    return f"Oldest of {len(sources)} tables: {clean(last['name'])}, {_day(str(last['newest']))}"


def _day(text: str) -> str:
    return day(text) if re.fullmatch(r"\d{4}-\d\d-\d\d.*", text) else text


def _nav(label: str, links: Sequence[tuple[str, str, bool]], class_: str | None = None) -> Markup:
    items = [tag("li", tag("a", name, href=href, aria_current="page" if here else None)) for name, href, here in links]
    return tag("nav", tag("ul", items), aria_label=label, class_=class_)


def _style(running: str) -> Markup:
    """The whole style; the running foot of print is text from the settings, so it is written as a CSS string."""
    css = "".join((TEMPLATE / name).read_text("utf-8") for name in ("parts.css", "page.css"))
    css = re.sub(r"\s*([{};:,>])\s+", r"\1", re.sub(r"/\*.*?\*/", "", css)).replace(";}", "}")
    return Markup(f":root{{--running:{css_text(running)}}}" + css)


def _edition_line(edition: Mapping[str, Any]) -> str:
    return f"{_state(edition)}, data as of {day(edition['as_of'])}"


def _state(edition: Mapping[str, Any]) -> str:
    named = {"to_date": "Quarter to date", "restated": f"Restatement {edition.get('restatement', 1)}"}
    return named.get(edition["state"], str(edition["state"]).capitalize())
