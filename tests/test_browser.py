"""The published pages in a real browser with the network off: what is seen, reached, drawn and run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pypdf
import pytest
import readings_fixture as invented
from pages import name_of, published_pages
from tiny import sample_readings

from abm_lib.metric import REGISTER
from abm_lib.pages import FAMILIES, ROLES
from abm_lib.run import deliver, digest, forms, render

pytestmark = pytest.mark.slow
EVERY = (*FAMILIES, *ROLES)
Open = Callable[..., Any]
SAID = re.compile("[▲▼≈○]|clearly|short|over|under|below|above|more|less|better|worse")
QUIET = "*, ::before, ::after { transition: none !important; animation: none !important; }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page of the sample, and beside them the same without scripts and all of them in one file."""
    made = published_pages(tmp_path_factory, EVERY)
    pages = {family: (made / name_of(family)).read_text("utf-8") for family in EVERY}
    for family, page in pages.items():
        (made / f"static-{family}.html").write_text(forms.without_scripts(page), "utf-8")
    (made / "single.html").write_text(deliver.single(made, EVERY, "Every page"), "utf-8")
    digest.write(made, sample_readings(tmp_path_factory), invented.EDITION, REGISTER)
    (made / "quarters.html").write_text(render.index_page([invented.EDITION]), "utf-8")
    return made


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Open]:
    """Opens an address in a window of its own; a fault in the page or a request to elsewhere fails the test."""
    contexts, faults = [], []

    def opened(address: str, width: int = 1280, scheme: str = "light", **settings: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: faults.append(request.url) if not is_here(request.url) else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def is_here(address: str) -> bool:
    return address.startswith(("file://", "data:", "blob:", "http://127.0.0.1"))


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    """The folder over http, from this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def alive(page: Any, wanted: int = 1) -> int:
    """How many charts were drawn alive, as soon as there are enough of them."""
    for _ in range(60):
        found = page.evaluate(
            "document.querySelectorAll('.drawing.live > .alive > svg, .drawing.live > .alive svg.marks').length"
        )
        if found >= wanted:
            return int(found)
        page.wait_for_timeout(50)
    return int(found)


def see_all(page: Any) -> None:
    """Scrolls through a page, so that every chart is drawn, and back up."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 700):
        page.evaluate(f"scrollTo(0, {y})")
        page.wait_for_timeout(30)
    alive(page, page.locator("[data-chart]").count())
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("family", EVERY)
def test_axe_finds_nothing_light_or_dark_and_nothing_scrolls_sideways(folder: Path, tab: Open, family: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme, width in (("light", 1280), ("dark", 390)):
        page = tab((folder / name_of(family)).as_uri(), width, scheme, bypass_csp=True)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = axe.run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
        for narrow in (width, 820, 320):
            page.set_viewport_size({"width": narrow, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= narrow + 1, (family, narrow)


@pytest.mark.parametrize("name", ["quarters.html", "single.html", "digest.html"])
def test_the_list_of_quarters_the_one_file_and_the_mail_are_as_good(folder: Path, tab: Open, name: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme in ("light", "dark"):
        page = tab((folder / name).as_uri(), 390, scheme, bypass_csp=True)
        found = axe.run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
        page.set_viewport_size({"width": 320, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 321


# Boxes of what is read, in the page's own pixels: texts of drawings, and the smallest elements that hold text.
OVERLAPS = """() => {
    const shown = (e) => e.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true });
    const boxes = [];
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode, parent = node.parentElement;
        if (!node.textContent.trim() || !shown(parent) || parent.closest(".hidden, .sign, style, option")) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
            if (box.width > 1 && box.height > 1) boxes.push([node.textContent.trim().slice(0, 30), box]);
        }
    }
    const faults = [];
    boxes.sort((a, b) => a[1].top - b[1].top);
    boxes.forEach(([text, a], i) => {
        if (a.left < -1 || a.right > innerWidth + 1) faults.push(`cut: ${text}`);
        for (let j = i + 1; j < boxes.length && boxes[j][1].top < a.bottom; j++) {
            const b = boxes[j][1];
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (wide > 3 && high > 5) faults.push(`overlap: ${text} / ${boxes[j][0]}`);
        }
    });
    for (const place of document.querySelectorAll(".drawing")) {
        const drawn = [...place.children].find((child) => shown(child));
        const marks = drawn ? [...drawn.querySelectorAll("path[d], circle, rect, line")] : [];
        if (!marks.some((mark) => { const box = mark.getBoundingClientRect(); return box.width + box.height > 2; })) {
            faults.push(`empty: ${place.getAttribute("aria-label")}`);
        }
    }
    return [...new Set(faults)];
}"""


@pytest.mark.parametrize("family", EVERY)
def test_no_text_overlaps_or_is_cut_and_no_chart_is_empty(folder: Path, tab: Open, family: str) -> None:
    """As a reader sees it on a phone, a desktop and A4, once drawn alive and once without any script."""
    for name in (name_of(family), f"static-{family}.html"):
        page = tab((folder / name).as_uri())
        for width, medium in ((1280, "screen"), (390, "screen"), (703, "print")):
            page.emulate_media(media=medium)
            page.set_viewport_size({"width": width, "height": 900})
            if medium == "screen" and not name.startswith("static"):
                page.wait_for_timeout(200)
                see_all(page)
            assert page.evaluate(OVERLAPS) == [], (name, width)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            "<p style='position:absolute;top:9px'>one text</p><p style='position:absolute;top:9px'>another</p>",
            "overlap",
        ),
        ("<p style='position:absolute;left:380px;white-space:nowrap'>a label that leaves the sheet</p>", "cut"),
        ("<div class=drawing aria-label='a chart'><svg><g></g></svg></div>", "empty"),
    ],
)
def test_a_page_with_one_of_these_faults_is_seen(tmp_path: Path, tab: Open, body: str, fault: str) -> None:
    (tmp_path / "page.html").write_text(f"<title>x</title><main>{body}</main>", "utf-8")
    found = tab((tmp_path / "page.html").as_uri(), 390).evaluate(OVERLAPS)
    assert [each.split(":")[0] for each in found] == [fault]


@pytest.mark.parametrize("form", ["folder", "single"])
@pytest.mark.parametrize("way", ["file", "http"])
def test_charts_come_alive_from_disk_and_from_a_server(
    folder: Path, served: str, tab: Open, form: str, way: str
) -> None:
    name = "pipeline.html" if form == "folder" else "single.html"
    page = tab(f"{served}/{name}" if way == "http" else (folder / name).as_uri())
    page.locator("[data-chart^=pipeline]").first.scroll_into_view_if_needed()
    assert alive(page) >= 1


@pytest.mark.parametrize("way", ["file", "http"])
@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_without_scripts_is_the_page_as_it_is_read(
    folder: Path, served: str, tab: Open, way: str, scripts: bool
) -> None:
    name = "static-pipeline.html"
    page = tab(f"{served}/{name}" if way == "http" else (folder / name).as_uri(), java_script_enabled=scripts)
    assert page.locator("figure svg").first.is_visible() and page.locator(".theme").count() == 0
    assert page.locator("h1").inner_text() and page.locator("script").count() == 0


@pytest.mark.parametrize("family", EVERY)
def test_a_page_is_read_with_scripts_off_and_in_grey(folder: Path, tab: Open, family: str) -> None:
    """Every drawing stands there, and what a colour says stands in a sign or a word as well."""
    page = tab((folder / name_of(family)).as_uri(), java_script_enabled=False)
    assert page.locator("h1").inner_text()
    drawn = page.evaluate(
        "[...document.querySelectorAll('.drawing')].map(d => [...d.children].some(c => c.checkVisibility()))"
    )
    assert all(drawn), f"{drawn.count(False)} of {len(drawn)} drawings are not seen"
    told = page.locator("main .good:not(svg *), main .bad:not(svg *)").all_inner_texts()
    assert [text for text in told if text.strip() and not SAID.search(text)] == []


@pytest.mark.parametrize(("family", "width"), [("summary", 1280), ("pipeline", 390)])
def test_the_keyboard_reaches_the_skip_link_every_page_and_every_disclosure(
    folder: Path, tab: Open, family: str, width: int
) -> None:
    page = tab((folder / name_of(family)).as_uri(), width)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(400):
        page.keyboard.press("Tab")
        place = page.evaluate("(e => e === document.body ? '' : e.outerHTML.slice(0, 60))(document.activeElement)")
        if not place:
            break
        seen.append(place)
        outlined = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outlined != "none", place
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], summary, button:not([hidden]), select')]"
        ".filter(e => e.checkVisibility() && !e.closest('.skip')).length"
    )
    assert len(seen) == wanted


def test_the_button_turns_the_page_dark_and_the_choice_is_kept(folder: Path, tab: Open) -> None:
    page = tab((folder / "index.html").as_uri())
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.locator(".theme").click()
    assert page.evaluate(paper) == "rgb(18, 21, 24)"
    page.goto((folder / "ads.html").as_uri())
    assert page.evaluate(paper) == "rgb(18, 21, 24)"


def test_the_pages_stay_in_sight_while_a_page_is_scrolled(folder: Path, tab: Open) -> None:
    page = tab((folder / "pipeline.html").as_uri())
    page.evaluate("scrollTo(0, 3000)")
    assert page.locator(".navs").bounding_box()["y"] == 0
    assert page.locator(".navs > nav [aria-current=page]").first.is_visible()  # the menu is for phones


def test_a_mark_says_what_it_is_when_pointed_at_and_its_neighbours_step_back(folder: Path, tab: Open) -> None:
    page = tab((folder / "pipeline.html").as_uri())
    place = page.locator("figure.half .drawing").first
    place.scroll_into_view_if_needed()
    alive(page)
    dots = place.locator(".alive path[aria-label], .alive .mark-symbol path")
    opacities = "dots => dots.map(dot => getComputedStyle(dot).opacity)"
    assert set(dots.evaluate_all(opacities)) == {"1"}
    dots.last.hover()
    tip = page.locator(".tip")
    assert tip.is_visible() and any(c.isdigit() for c in tip.inner_text())
    page.wait_for_function("document.querySelectorAll('.alive [opacity=\"0.35\"]').length > 0")
    pointed = dots.evaluate_all(opacities)
    assert pointed[-1] == "1" and "0.35" in pointed


def test_a_part_can_be_chosen_of_a_chart_that_nobody_has_come_to_yet(folder: Path, tab: Open) -> None:
    page = tab((folder / "pipeline.html").as_uri())
    alive(page, 0)
    figure = page.locator("figure:has(select)").last
    assert figure.locator(".alive").count() == 0
    figure.locator("select").evaluate("s => { s.value = '1'; s.dispatchEvent(new Event('change')); }")
    figure.locator(".alive svg").wait_for(state="attached")
    chosen = figure.locator(".alive").inner_html()
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert figure.locator(".alive").inner_html() == chosen
    figure.locator("select").select_option("0")
    page.wait_for_timeout(300)
    assert figure.locator(".alive").inner_html() != chosen


def test_a_still_drawing_has_the_colours_of_its_live_one(folder: Path, tab: Open) -> None:
    """Of each text: black where it is black, and a verdict's colour where it has one."""
    colours = """place => Object.fromEntries([...place.querySelectorAll("text")].filter(text => text.textContent)
        .map(text => [text.textContent, getComputedStyle(text).fill]))"""
    still = tab((folder / "static-pipeline.html").as_uri()).locator(".drawing > .wide").first.evaluate(colours)
    page = tab((folder / "pipeline.html").as_uri())
    place = page.locator(".drawing:has(> .wide)").first
    place.scroll_into_view_if_needed()
    alive(page)
    place.locator(".alive svg").wait_for()
    assert still == place.locator(".alive").evaluate(colours) and len(set(still.values())) >= 3


def test_the_sizes_are_kept(folder: Path) -> None:
    script = len(forms.script().encode())
    for family in EVERY:
        page, still = (folder / name_of(family)).stat().st_size, (folder / f"static-{family}.html").stat().st_size
        assert page + script <= 1_200_000, family
        assert still <= 150_000, (family, still)
    assert (folder / "single.html").stat().st_size <= 3_000_000


def test_the_executive_page_prints_on_three_sheets(folder: Path, browser: Any, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.pdf(path=tmp_path / "x.pdf", prefer_css_page_size=True, print_background=True)
    page.close()
    assert 1 <= len(pypdf.PdfReader(tmp_path / "x.pdf").pages) <= 3
