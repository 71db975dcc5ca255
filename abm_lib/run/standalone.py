"""Other forms of the pages: without scripts (`--static`), and all of them in one file (`--single`).

Both are made from the bytes of the folder site, so no number is written twice.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import Script, Stylesheet

REFERS = ("aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "headers", "for", "list")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline';{} base-uri 'none'; form-action 'none'"
WITHIN = re.compile(r"url\(#([^)]+)\)")
LOCAL = re.compile(r"([\w.-]+)\.html(?:#(.+))?")
STYLE = """
.page { margin-top: 72px; }
.page .message h2 { font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -.02em; }
@media print { .page { break-before: page; margin-top: 0; } .page .message h2 { font-size: 21px; } }
"""


def without_scripts(text: str) -> str:
    """A page as it is with its scripts taken out: nothing may run, and nothing says that it could."""
    page = BeautifulSoup(text, "html.parser")
    for script in page.find_all(["script", "noscript", "template"]):
        script.decompose()
    for button in page.select("button"):
        button.decompose()
    _set_policy(page, [])
    return str(page)


def make_static(folder: Path) -> None:
    """Every page of the folder without scripts, and no script beside them."""
    for path in folder.glob("*.html"):
        path.write_text(without_scripts(path.read_text("utf-8")), encoding="utf-8")
    for path in folder.glob("*.js"):
        path.unlink()


def single(folder: Path, families: list[str], title: str) -> str:
    """Every page of the folder in one: navigation inside it, one style, the shared scripts inlined once by their hashes."""
    pages = {family: BeautifulSoup(_file(folder, family).read_text("utf-8"), "html.parser") for family in families}
    first = pages[families[0]]
    _inline_scripts(first, folder)
    for family, page in pages.items():
        if family != families[0]:
            for script in page.select("head script, script[src]"):
                script.decompose()
        _renamed(page, family)
    main = first.select_one("main")
    assert main is not None
    for family in families[1:]:
        main.append(_as_section(first, pages[family], family))
    main.insert(0, first.new_tag("span", id=families[0]))
    for quarters in first.select("nav.quarters"):
        quarters.decompose()
    if first.title:
        first.title.string = title
    style = first.new_tag("style")
    style.append(Stylesheet(STYLE))
    assert first.head is not None
    first.head.append(style)
    _set_policy(first, [str(script.string) for script in first.select("script:not([type])")])
    return str(first)


def _file(folder: Path, family: str) -> Path:
    return folder / ("index.html" if family == "summary" else f"{family}.html")


def _inline_scripts(page: BeautifulSoup, folder: Path) -> None:
    for script in page.select("script[src]"):
        code = (folder / str(script["src"])).read_text("utf-8")
        inline = page.new_tag("script")
        inline.append(Script(code.replace("</script", "<\\/script").replace("<!--", "<\\!--")))
        script.extract()
        assert page.body is not None
        page.body.append(inline)


def _set_policy(page: BeautifulSoup, scripts: list[str]) -> None:
    """The page's policy: no script but those inside it, each by its hash."""
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in scripts]
    allowed = f" script-src {' '.join(f'{chr(39)}sha256-{digest}{chr(39)}' for digest in hashes)};" if hashes else ""
    for meta in page.select("meta[http-equiv=Content-Security-Policy]"):
        meta["content"] = POLICY.format(allowed)


def _renamed(page: BeautifulSoup, family: str) -> None:
    """Ids that no other page has, references to them, and links between pages as links within the file."""
    own = {str(found["id"]) for found in page.select("[id]")}

    def named(name: str) -> str:
        return f"{family}.{name}" if name in own and family != "summary" else name

    for element in page.find_all(True):
        for key, value in list(element.attrs.items()):
            if key == "id":
                element[key] = named(str(value))
            elif key in REFERS:
                words = value if isinstance(value, list) else str(value).split()
                element[key] = " ".join(map(named, words))
            elif key in ("href", "xlink:href"):
                _relink(element, key, str(value), named)
            elif isinstance(value, str) and "url(#" in value:
                element[key] = WITHIN.sub(lambda found: f"url(#{named(found[1])})", value)


def _relink(element: Tag, key: str, href: str, named: Callable[[str], str]) -> None:
    """A link to a page or a place in it; what does not travel with the file is plain text."""
    if href.startswith("#"):
        element[key] = f"#{named(href[1:])}"
    elif found := LOCAL.fullmatch(href):
        family = "summary" if found[1] == "index" else found[1]
        place = found[2] or ""
        element[key] = f"#{place if family == 'summary' else f'{family}.{place}'}" if place else f"#{family}"
    elif not href.startswith(("https:", "mailto:", "data:")):
        element.name = "span"
        del element[key]


def _as_section(whole: BeautifulSoup, page: BeautifulSoup, family: str) -> Tag:
    section = whole.new_tag("div", id=family, attrs={"class": "page"})
    main = page.select_one("main")
    assert main is not None
    for heading in main.select("h1"):
        heading.name = "h2"
    for child in list(main.contents):
        section.append(child)
    return section
