"""What a reader waits for: the sample's pages opened from disk in headless Chromium, and how many bytes they are.

python benchmarks/pages.py [--quick] [--edition FOLDER]

A page is opened in a window of 1280 by 900 pixels, with nothing cached, and goes to its first chart as soon as it is read.
It is interactive when every chart in sight is drawn alive and a mark of one has said what it is to a pointer that was there
from the start.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import measure
from measure import PROJECT, Figure

ROUNDS = 9
SIZE = {"width": 1280, "height": 900}
LONGEST_MS = 15_000
# When a chart came alive and when a tip was first seen, in milliseconds since the page was asked for.
WATCH = """
window.alive = new Map(); window.told = 0;
const watch = new MutationObserver((changes) => {
    for (const { target } of changes) {
        if (target.classList.contains("live") && !alive.has(target)) alive.set(target, performance.now());
        if (target.className === "tip" && !target.hidden) told ||= performance.now();
    }
});
watch.observe(document, { subtree: true, attributes: true, attributeFilter: ["class", "hidden"] });
addEventListener("DOMContentLoaded", () => document.querySelector(".drawing").scrollIntoView({ block: "center" }));
"""
IN_SIGHT = """() => [...document.querySelectorAll(".drawing")].filter((place) => {
    const box = place.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight && box.height;
})"""
SEEN = f"""() => {{
    const places = ({IN_SIGHT})();
    return {{
        paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
        drawn: places.length && places.every((place) => alive.has(place)) ? Math.max(...places.map((place) => alive.get(place))) : 0,
        told,
    }};
}}"""
MARKS = f"""() => ({IN_SIGHT})().flatMap((place) => [...place.querySelectorAll(".alive :is(.mark-symbol, .mark-rect) path")])
    .map((mark) => mark.getBoundingClientRect())
    .filter((box) => box.top > 60 && box.bottom < innerHeight && box.width + box.height > 4)
    .map((box) => [box.left + box.width / 2, box.top + box.height / 2])"""
ALL_DRAWN = """() => {
    const places = [...document.querySelectorAll(".drawing")];
    return places.every((place) => alive.has(place)) ? Math.max(...places.map((place) => alive.get(place))) : 0;
}"""


@dataclass(frozen=True)
class Load:
    """Milliseconds from the asking for a page to its first paint, and to its charts in sight answering the pointer."""

    paint: float
    interactive: float


def main(arguments: list[str]) -> list[Figure]:
    asked = argparse.ArgumentParser()
    asked.add_argument("--quick", action="store_true", help="two pages, twice")
    asked.add_argument("--edition", type=Path, help="a folder of pages with their script and report.html")
    options = asked.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.edition or edition(Path(scratch), options.quick)
        return [*waited(folder.resolve(), 2 if options.quick else ROUNDS), *sizes(folder)]


def edition(scratch: Path, quick: bool) -> Path:
    """The sample published into a folder, with all pages in one file too."""
    command = [sys.executable, "-m", "abm_lib.cli", "run", "data/sample", "--single", "--out", str(scratch)]
    command += ["--only", "ads"] if quick else []
    done = subprocess.run(command, env=measure.environment(), cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return next(scratch.glob("2*")).resolve()


def waited(folder: Path, rounds: int) -> list[Figure]:
    """The executive page, the slowest page and the one file; pages in turn, so that other work falls on all of them."""
    names = sorted(page.name for page in folder.glob("*.html"))
    with browser() as started:
        marks = {name: mark(started, (folder / name).as_uri()) for name in names}
        loads: dict[str, list[Load]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                loads[name].append(load(started, (folder / name).as_uri(), marks[name]))
        paint = {name: median(each.paint for each in found) / 1000 for name, found in loads.items()}
        ready = {name: median(each.interactive for each in found) / 1000 for name, found in loads.items()}
        pages = [name for name in names if name != "report.html"]
        slow = max(pages, key=lambda name: ready[name])
        late = max(pages, key=lambda name: paint[name])
        every = [all_charts(started, folder / slow) for _ in range(3)]
    return [
        Figure("executive page: first contentful paint", paint["index.html"], "s", 0.5),
        Figure("executive page: charts in sight answer", ready["index.html"], "s", 1),
        Figure(f"slowest of {len(pages)} pages, {late}: first contentful paint", paint[late], "s", 0.5),
        Figure(f"slowest of {len(pages)} pages, {slow}: charts in sight answer", ready[slow], "s", 1),
        Figure(f"{slow}, all its charts at once in sight: the last is drawn", median(every) / 1000, "s"),
        Figure("all pages in one file: first contentful paint", paint["report.html"], "s", 0.5),
        Figure("all pages in one file: charts in sight answer", ready["report.html"], "s"),
    ]


def sizes(folder: Path) -> list[Figure]:
    from abm_lib.run import forms

    pages = {page.stem: page.read_text("utf-8") for page in folder.glob("*.html") if page.name != "report.html"}
    largest = max(len(page.encode()) for page in pages.values()) + (folder / forms.SCRIPT).stat().st_size
    still = max(len(forms.without_scripts(page).encode()) for page in pages.values())
    return [
        Figure("largest page with its script", largest / 1000, "kB", 1200),
        Figure("largest page without scripts", still / 1000, "kB", 150),
        Figure("all pages in one file", (folder / "report.html").stat().st_size / 1000, "kB", 3000),
    ]


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from abm_lib.run.pdf import browser as program

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def opened(started: Any, address: str, size: dict[str, int] = SIZE, at: tuple[float, float] = (0, 0)) -> Iterator[Any]:
    """A page in a window that has seen nothing before, the pointer in its place."""
    context = started.new_context(viewport=size)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.mouse.move(*at)
    page.goto(address, wait_until="commit")
    yield page
    context.close()


def mark(started: Any, address: str) -> tuple[float, float]:
    """Where a mark stands that says what it is."""
    with opened(started, address) as page:
        until(page, SEEN, "drawn")
        for x, y in page.evaluate(MARKS):
            page.mouse.move(x, y)
            if page.evaluate("told"):
                return x, y
    raise RuntimeError(f"{address}: no mark says what it is")


def load(started: Any, address: str, place: tuple[float, float]) -> Load:
    with opened(started, address, at=place) as page:
        for step in range(LONGEST_MS):
            page.mouse.move(place[0] + step % 2, place[1])  # a hand is never still
            seen = page.evaluate(SEEN)
            if seen["told"] and seen["drawn"] and seen["paint"]:
                return Load(seen["paint"], max(seen["told"], seen["drawn"]))
    raise RuntimeError(f"{address}: the charts do not answer")


def all_charts(started: Any, path: Path) -> float:
    """Milliseconds until every chart is drawn alive in a window as high as the page."""
    with opened(started, path.as_uri()) as page:
        page.wait_for_load_state()
        height = page.evaluate("document.documentElement.scrollHeight")
    with opened(started, path.as_uri(), SIZE | {"height": height}) as page:
        return float(until(page, ALL_DRAWN))


def until(page: Any, question: str, part: str = "") -> Any:
    """The answer to a question about the page, or a part of it, as soon as it is not 0."""
    for _ in range(LONGEST_MS // 20):
        answer = page.evaluate(question)
        if answer := answer[part] if part else answer:
            return answer
        page.wait_for_timeout(20)
    raise RuntimeError(f"{page.url}: not within {LONGEST_MS / 1000:.0f} s")


if __name__ == "__main__":
    print(measure.table(main(sys.argv[1:])))
