"""The published page: structure, safety, and the faults for which it is refused."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import html5lib
import nbformat
import pandas as pd
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup
from pages import name_of, published_pages
from tiny import sample_readings

from abm_lib import pages as every
from abm_lib.disclosure import PROFILES
from abm_lib.errors import PublishRefused, UsageError
from abm_lib.metric import REGISTER
from abm_lib.pages import ROLES, Page
from abm_lib.run import forms
from abm_lib.run.render import _filled, index_page, parts, render
from abm_lib.show import published
from abm_lib.show.fragment import VEGA
from abm_lib.show.rows import NUMBERS, Readings

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
FAMILIES = (
    "summary",
    "ads",
    "pipeline",
    "quality",
    "for-sales",
)  # the shapes that there are; a slow test publishes all twelve
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></svg></style>\u202e\u200bevil"


def run(family: str, frame: pd.DataFrame, edition: dict[str, Any] = invented.EDITION) -> Any:
    notebook = nbformat.read(NOTEBOOKS / f"{family}.ipynb", 4)
    return invented.run_cells(notebook, Page(family, frame, edition, REGISTER))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return sample_readings(tmp_path_factory)


@pytest.fixture(scope="module")
def executed(sample: pd.DataFrame) -> dict[str, Any]:
    return {family: run(family, sample) for family in FAMILIES}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = published_pages(tmp_path_factory, FAMILIES)
    return {family: (folder / name_of(family)).read_text("utf-8") for family in FAMILIES}


@pytest.fixture(scope="module")
def soups(pages: dict[str, str]) -> dict[str, BeautifulSoup]:
    return {family: BeautifulSoup(text, "html5lib") for family, text in pages.items()}


@pytest.fixture(params=FAMILIES)
def page(request: pytest.FixtureRequest, soups: dict[str, BeautifulSoup]) -> BeautifulSoup:
    return soups[request.param]


def small(*shown: Any, **changes: Any) -> Any:
    """A notebook of one run cell for each thing shown."""
    cells = []
    for i, thing in enumerate(shown):
        cell = nbformat.v4.new_code_cell("page", execution_count=i + 1, id=f"cell-{i}")
        cell.outputs = [invented.output(thing, i + 1)]
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.cells[0].update(changes)
    return notebook


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("Win rate rose to 25% and leads by 1,204.", ["25%", "1,204."]), ("It cost €40 in 2026.", ["€40", "2026."]),
        ("## Did 9 of ten answer?", ["9"]), ("As S0-11 says of GA4 in Q3, three of ten.", []), ("# 12 pages", []),
    ],
)  # fmt: skip
def test_a_number_typed_into_the_prose_of_a_notebook_is_refused_with_its_cell(prose: str, found: list[str]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(prose, id="words")])
    try:
        parts(notebook, "ads")
    except PublishRefused as refused:
        told = [(fault.rule, fault.where, fault.found) for fault in refused.faults]
    else:
        told = []
    assert told == [("typed_number", "cell words", number) for number in found]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_is_html_that_a_strict_parser_accepts(pages: dict[str, str], family: str) -> None:
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(pages[family])


def test_a_page_has_one_title_one_heading_one_main_and_labelled_parts(page: BeautifulSoup) -> None:
    assert page.html["lang"] == "en" and "Q3 2026: Halden Systems" in page.title.get_text()
    assert len(page.select("h1")) == len(page.select("main")) == 1
    assert page.select_one("a.skip")["href"] == "#main" and page.select_one("main")["id"] == "main"
    assert all(nav.get("aria-label") for nav in page.select("nav"))
    marked = {nav["aria-label"]: len(nav.select("[aria-current=page]")) for nav in page.select("nav")}
    assert marked.pop("Quarters") == 1
    assert [a["href"] for a in page.select('nav[aria-label="Quarters"] a')][:2] == [
        "../index.html",
        "../2026Q1/index.html",
    ]
    assert sorted(marked.values()) == [0, 0, 1, 1] and marked["Pages"] == marked["Pages, as a menu"]
    assert all(page.find(id=section["aria-labelledby"]).name == "h2" for section in page.select("section"))


def test_coverage_is_never_said_without_of_what(page: BeautifulSoup) -> None:
    """Pipeline coverage is one thing, how much of a buying group is reached another (C8)."""
    words = re.sub(r"\s+", " ", page.body.get_text(" "))
    assert not re.findall(r"(?i).{0,20}(?<!pipeline )\bcoverage\b(?!\.[a-z])", words)


def test_headings_go_down_one_level_at_a_time(page: BeautifulSoup) -> None:
    levels = [int(heading.name[1]) for heading in page.select("main :is(h1, h2, h3, h4)")]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_ids_are_unique_and_links_inside_the_page_lead_somewhere(page: BeautifulSoup) -> None:
    ids = [found["id"] for found in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.select("a[href^='#']")} <= set(ids)


def test_a_page_has_the_listed_scripts_no_remote_reference_and_a_strict_policy(page: BeautifulSoup) -> None:
    assert not page.select("link, iframe, object, embed, img, base, form, [onclick], [onload]")
    loaded, store = page.select("script")
    assert loaded.attrs == {"src": "abm.js", "defer": ""} and not loaded.string
    assert store.attrs == {"class": ["charts"], "type": "application/json"}
    policy = page.select_one("meta[http-equiv=Content-Security-Policy]")["content"]
    assert policy == (
        "default-src 'none'; script-src 'self'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"https?://|//cdn", str(page))


def test_the_charts_are_packed_with_nothing_that_could_end_an_element(page: BeautifulSoup) -> None:
    text = gzip.decompress(base64.b64decode(page.select("script")[1].string)).decode()
    assert not re.search("[<>&\u2028\u2029]", text)
    drawn = {place["data-chart"] for place in page.select(".drawing")}
    assert json.loads(text).keys() == drawn


def test_text_that_could_end_a_script_or_a_line_is_escaped_before_it_is_packed() -> None:
    hostile = "</script><!--&\u2028\u2029"
    packed = forms.packed({"c": [{"any": {"data": hostile}}]})
    text = gzip.decompress(base64.b64decode(packed)).decode()
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text)["c"][0]["any"]["data"] == hostile


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_without_scripts_says_the_same_in_few_bytes(pages: dict[str, str], family: str) -> None:
    text = forms.without_scripts(pages[family])
    soup, before = (BeautifulSoup(each, "html5lib") for each in (text, pages[family]))
    for control in before.select("label.choice"):
        control.decompose()
    assert not soup.select("script, button, data, select") and "script-src" not in text
    assert soup.main.get_text() == before.main.get_text()
    assert len(text.encode()) <= 150_000
    html5lib.HTMLParser(strict=True).parse(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_without_scripts_draws_with_the_same_strokes_and_texts(pages: dict[str, str], family: str) -> None:
    """Styles that stand in it many times are classes there."""
    text = forms.without_scripts(pages[family])
    rules = {
        name: dict(each.split(":", 1) for each in rule.split(";"))
        for name, rule in re.findall(r"\.(r\d+)\{([^{}]*)\}", text)
    }

    def styles(page: str) -> list[tuple[str | None, ...]]:
        found = []
        for mark in BeautifulSoup(page, "html5lib").select(".drawing :is(path, g, svg)"):
            named = next((rules[each] for each in mark.get("class", []) if each in rules), {})
            round_ends = "round" if "o" in mark.get("class", []) else named.get("stroke-linecap")
            wanted = ("stroke", "stroke-width", "fill", "font-weight", "text-anchor")
            found.append((mark.name, round_ends, *(mark.get(each, named.get(each)) for each in wanted)))
        return found

    assert styles(text) == styles(pages[family]) and len(rules) > 3


def test_a_page_without_scripts_keeps_every_rule_that_may_apply_to_it() -> None:
    css = (
        ":root,.abm{--a:1}.shown .under{b:1.5}.never,.nor a{c:1}@media print{.never{d:1}p,.never{e:1}}"
        "@page{size:A4;@bottom-left{font:9.4px x}}:is(.never,.shown){f:1}section:has(.never){g:1}"
    )
    page = f"<style>{css}</style><main class=shown><p class='x'></main>"
    kept = re.findall(r"\b([a-g]):1", forms.without_scripts(page.replace("'", '"')))
    assert kept == ["a", "b", "e", "f"]
    assert "@page{size:A4;@bottom-left{font:9.4px x}}" in forms.without_scripts(page)


@pytest.mark.parametrize(("kind", "name"), [("figure", "figure"), ("table", "div")])
def test_of_halves_in_a_row_whose_number_is_odd_the_last_is_wide(kind: str, name: str) -> None:
    half = (kind, Markup(f'<{name} class="half">\'"</{name}>'))
    other = ("table", Markup("<table></table>"))
    blocks = [half, other, half, half, other, half, half, half]
    wide = ['class="wide"' in html for _, html in _filled(blocks)]
    assert wide == [True, False, False, False, False, False, False, True]
    assert [html.replace("wide", "half") for _, html in _filled(blocks)] == [html for _, html in blocks]


def test_all_pages_in_one_file_have_their_own_ids_one_heading_and_one_listed_script(pages: dict[str, str]) -> None:
    text = forms.in_one_file(pages)
    soup = BeautifulSoup(text, "html5lib")
    ids = [found["id"] for found in soup.select("[id]")]
    assert len(ids) == len(set(ids)) and len(soup.select("h1")) == len(soup.select("main")) == 1
    assert {a["href"][1:] for a in soup.select("main a[href^='#']")} <= set(ids)
    code = soup.select("script:not([type])")[0].string
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in text and len(soup.select("script")) == len(pages) + 1
    assert [len(soup.select(f"article#{family} figure")) for family in pages] == [
        len(BeautifulSoup(page, "html5lib").select("figure")) for page in pages.values()
    ]


def test_every_figure_has_a_caption_a_text_and_its_numbers(page: BeautifulSoup) -> None:
    for figure in page.select("figure"):
        drawing = figure.select_one(".drawing[role=img]")
        assert figure.figcaption.h3.get_text() and len(drawing["aria-label"]) > 20
        assert figure.select_one("details table")
        assert {room["class"][0] for room in drawing.select("div")} in ({"any"}, {"wide", "narrow"})


def test_every_number_on_a_page_is_in_the_readings(page: BeautifulSoup, sample: pd.DataFrame) -> None:
    keys = sample.set_index(["metric", "quarter", "slice_by", "slice"])[list(NUMBERS)].sort_index()
    found = published.numbers(str(page))
    assert len(found) == len(page.select("data")) > 50
    for number in found:
        row = keys.loc[(number.metric, number.quarter, number.slice_by, number.slice)]
        assert number.value == pytest.approx(float(row[number.field]))


def test_every_number_under_a_chart_is_a_reading_as_it_is_written(page: BeautifulSoup, sample: pd.DataFrame) -> None:
    read = Readings(sample, REGISTER, "2026Q3")
    checked = 0
    for table in page.select("figure details > table"):
        codes = [a.get_text() for a in table.find_parent("details").select(".evidence a")]
        heads = [th.get_text() for th in table.select("thead th")]
        if len(codes) > 1 or "Value" not in heads or table.select("data"):
            continue
        written = {row.text() for quarter in read.quarters for row in read.rows(codes[0], quarter)}
        cells = [line.find_all(["th", "td"])[heads.index("Value")].get_text() for line in table.select("tbody tr")]
        assert set(cells) <= written
        checked += len(cells)
    assert checked > 10 or not page.select("figure")


def test_no_code_for_something_missing_reaches_the_reader(page: BeautifulSoup) -> None:
    shown = page.body.get_text(" ")
    assert not re.search(r"\b(nan|None(?!\s[a-z])|NaT|inf|NULL|Traceback)\b", shown)


def test_code_prompts_and_the_analysts_section_are_left_out(pages: dict[str, str]) -> None:
    for text in pages.values():
        assert "page.facts" not in text and "abm.page" not in text and "For the analyst" not in text
        assert "data/sample" not in text


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_run_gives_the_same_bytes_and_they_are_few(
    pages: dict[str, str], executed: dict[str, Any], family: str
) -> None:
    again = render(executed[family], family, invented.EDITION) if family == "ads" else pages[family]
    share = len(forms.script().encode()) / 12
    assert again == pages[family] and len(again.encode()) + share < 350_000


def test_a_cell_that_failed_or_did_not_run_refuses_the_page_and_all_are_listed(executed: dict[str, Any]) -> None:
    notebook = copy.deepcopy(executed["ads"])
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[3].execution_count = None
    code[4].outputs = [nbformat.v4.new_output("error", ename="KeyError", evalue="'x'", traceback=["…"])]
    with pytest.raises(PublishRefused) as refused:
        render(notebook, "ads", invented.EDITION)
    assert [fault.rule for fault in refused.value.faults] == ["not_run", "error"]
    assert code[3].id in refused.value.faults[0].where


def test_a_table_or_figure_that_gets_lost_refuses_the_page() -> None:
    page = Page("revenue", invented.frame(), invented.EDITION, invented.REGISTER)
    notebook = small(page.table("win_rate_closed"))
    render(notebook, "revenue", invented.EDITION)
    notebook.cells[0].outputs[0].data["application/vnd.abm+json"]["tables"] = 2
    with pytest.raises(PublishRefused, match="tables published differ"):
        render(notebook, "revenue", invented.EDITION)


@pytest.mark.parametrize(
    "bad",
    [
        "<script>x</script>",
        "<p onclick='x'>",
        "<img src='https://example.com/x.png'>",
        "<img src='//example.com/x.png'>",
        "<a href='javascript:x'>",
        "<style>@import 'x'</style>",
        "<p style='background: url(https://example.com/x)'>",
        "<svg><path fill='url(https://example.com/x)'></svg>",
        "<iframe srcdoc='x'></iframe>",
        "<td>nan</td>",
        "<td> None </td>",
    ],
)
def test_bytes_that_load_run_or_show_a_bare_code_are_refused(bad: str) -> None:
    assert published.faults(bad, {})


def test_a_link_an_inline_picture_and_a_word_are_no_faults() -> None:
    fine = "<a href='https://example.com'>x</a><img src='data:image/png;base64,AA'><p style='left:3%'>none of it</p>"
    assert published.faults(fine + "<svg><path fill='url(#clip)'></svg>", {"img": 1}) == []


def hostile(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    texts = {"slice": frame["slice"].where(frame["slice"] == "", frame["slice"] + HOSTILE)}
    keep = frame["slice_by"].isin(
        ["movement", "bridge/movement", "horizon", "as_of_day", "question", "tier", "source_owner"]
    )
    frame["slice"] = texts["slice"].where(~keep, frame["slice"])
    frame["caveats"] = frame["caveats"].where(frame["caveats"] == "", HOSTILE)
    frame["counts"] = HOSTILE
    return frame


@pytest.mark.parametrize("family", ["summary", "pipeline"])
def test_hostile_names_stay_text_wherever_they_are_written(family: str, sample: pd.DataFrame) -> None:
    edition = invented.EDITION | {"company": HOSTILE, "sources": [{"name": HOSTILE, "newest": "2026-10-08", "rows": 1}]}
    text = render(run(family, hostile(sample), edition), family, edition)
    soup = BeautifulSoup(text, "html5lib")
    assert not soup.select("img, [onerror], [onload]") and len(soup.select("script")) == 2
    assert [found.name for found in soup.body.find_all(recursive=False)] == [
        "a", "header", "div", "main", "footer", "script",
    ]  # fmt: skip
    shown = "".join(s for s in soup.find_all(string=True))
    assert "alert(1)" in shown and not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", shown)
    assert all(isinstance(found, Tag) and "style" not in found.parent.name for found in soup.select("main style"))


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profile_and_what_it_hides_stand_in_the_foot_of_the_page_and_of_every_sheet(profile: str) -> None:
    edition = invented.EDITION | {"profile": profile, "disclosure": PROFILES[profile].said}
    text = render(small(Page("ads", invented.frame(), edition, invented.REGISTER)), "ads", edition)
    found = BeautifulSoup(text, "html5lib")
    said = f"{profile.capitalize()}. {PROFILES[profile].said}"
    assert ("their owners in sales; no other person." if profile == "internal" else "No person is named.") in said
    assert said in found.select_one("footer.foot").get_text()
    assert profile.capitalize() in found.select_one("header .state summary").get_text()
    running = re.search(r"--running:'(.*?)'", found.style.string)
    assert running
    printed = re.sub(r"\\([0-9a-f]+) ", lambda escape: chr(int(escape[1], 16)), running[1])
    assert f"{profile.capitalize()}: {PROFILES[profile].said}" in printed
    assert re.search(r"@bottom-left ?\{ ?content: ?var\(--running\)", found.style.string)


def test_hostile_text_in_the_running_foot_cannot_leave_its_string() -> None:
    edition = invented.EDITION | {"company": 'x"; } body { display: none } </style><script>'}
    text = render(small(Page("ads", invented.frame(), edition, invented.REGISTER)), "ads", edition)
    style = BeautifulSoup(text, "html5lib").style.string
    running = re.search(r"--running:'(.*?)'", style)
    assert running and not re.search(r"[{}<>]", running[1])


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (nbformat.v4.new_output("execute_result", {VEGA: {"mark": "point"}, "text/plain": "x"}), "a chart of its own"),
        (
            nbformat.v4.new_output("execute_result", {"text/html": "<b>x</b>", "text/plain": "person_id"}),
            "plain output",
        ),
        (nbformat.v4.new_output("execute_result", {"text/plain": "p1    CFO"}), "plain output"),
        (nbformat.v4.new_output("stream", name="stdout", text="p1"), "plain output"),
    ],
    ids=["a chart", "a frame", "a series", "print"],
)
def test_what_no_reading_is_behind_is_refused_with_its_cell_and_left_out_where_an_analyst_explores(
    output: Any, found: str
) -> None:
    cell = nbformat.v4.new_code_cell("frame", execution_count=1, id="mine")
    cell.outputs = [output, output]
    with pytest.raises(PublishRefused, match=f"cell mine\n  found    {found}") as raised:
        render(nbformat.v4.new_notebook(cells=[cell]), "ads", invented.EDITION)
    assert len(raised.value.faults) == 2
    cell.metadata["tags"] = ["explore"]
    assert "p1" not in render(nbformat.v4.new_notebook(cells=[cell]), "ads", invented.EDITION)


def test_what_a_library_grumbles_is_not_published() -> None:
    cell = nbformat.v4.new_code_cell("frame", execution_count=1, id="mine")
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="DeprecationWarning: p1")]
    assert "p1" not in render(nbformat.v4.new_notebook(cells=[cell]), "ads", invented.EDITION)


def test_the_index_lists_every_quarter_newest_first() -> None:
    older = invented.EDITION | {"quarter": "2026Q2", "state": "to_date"}
    soup = BeautifulSoup(index_page([older, invented.EDITION]), "html5lib")
    assert [a["href"] for a in soup.select("li a")] == ["2026Q3/index.html", "2026Q2/index.html"]
    assert "Quarter to date, data as of 10 Oct 2026" in soup.get_text() and not soup.select("script")
    assert published.faults(index_page([]), {}) == []


@pytest.mark.slow
def test_the_pages_by_role_say_of_a_reading_what_the_other_pages_say(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same readings in another order (S2-30): a number that stands twice stands there with the same text."""
    folder = published_pages(tmp_path_factory, (*every.FAMILIES, *ROLES))
    said: dict[tuple[str, ...], set[str]] = {}
    for family in every.FAMILIES:
        for n in published.numbers((folder / name_of(family)).read_text("utf-8")):
            said.setdefault((n.metric, n.quarter, n.slice_by, n.slice, n.field), set()).add(n.text)
    for role in ROLES:
        numbers = published.numbers((folder / name_of(role)).read_text("utf-8"))
        again = [n for n in numbers if (n.metric, n.quarter, n.slice_by, n.slice, n.field) in said]
        assert len(again) > 30
        assert not [n for n in again if n.text not in said[(n.metric, n.quarter, n.slice_by, n.slice, n.field)]]


def test_only_the_page_for_sales_has_slices_by_owner(sample: pd.DataFrame) -> None:
    by_owner = {name for name in ROLES if '\\"owner\\"' in (NOTEBOOKS / f"{name}.ipynb").read_text("utf-8")}
    assert by_owner == {"for-sales"}
    with pytest.raises(UsageError, match="never names people"):
        Page("for-marketing", sample, invented.EDITION, REGISTER).rates("win_rate_closed", "owner")
