"""JupyterLab as an analyst has it: a server on this machine, a real browser, Run All to the end, nothing from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

WIDTH = 1440
SETTINGS = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--IdentityProvider.token=",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
# What stands in the notebook that is open.
INDICATOR = ".jp-Notebook-ExecutionIndicator"
PANEL = ".jp-NotebookPanel .jp-WindowedPanel-outer"
PROMPTS = ".jp-Notebook .jp-CodeCell .jp-InputPrompt"
DIRTY = ".lm-DockPanel-tabBar .jp-mod-dirty"
DRAWN = ".jp-Notebook .jp-RenderedVegaCommon5 svg.marks"
TEXTS = """charts => charts.map(svg => {
    const edge = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter(text => text.textContent.trim());
    const cut = texts.map(text => [text, text.getBoundingClientRect()]).filter(
        ([_, box]) => box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1);
    return { texts: texts.map(text => text.textContent), cut: cut.map(([text, _]) => text.textContent) };
})"""
TILES = """rows => rows.map(row => {
    const place = text => {
        const range = document.createRange();
        range.selectNodeContents(text);
        return [text.textContent, range.getBoundingClientRect()];
    };
    const places = [...row.querySelectorAll("dt, dd, .label, .big, .judged")].map(place);
    const common = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
    const meet = (a, b) => common(a, b, "left", "right") > 2 && common(a, b, "top", "bottom") > 5;
    return {
        lefts: [...row.children].map(tile => tile.getBoundingClientRect().left),
        size: parseInt(getComputedStyle(row.querySelector(".big")).fontSize),
        ink: getComputedStyle(row).getPropertyValue("--ink"),
        overlaps: places.filter(([_, a], i) => places.slice(i + 1).some(([_, b]) => meet(a, b))).map(([text, _]) => text),
    };
})"""


@contextmanager
def server(folder: Path, private: Path) -> Iterator[str]:
    """The address of a JupyterLab over `folder`; its settings lie in `private`, and it is ended in any case."""
    places = {f"JUPYTER_{kind}_DIR": str(private / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    lab = {
        "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
    }
    plain = {name: value for name, value in os.environ.items() if name != "ABM_EDITION"}
    quiet = private / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false"}')
    with (private / "server.log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *SETTINGS, f"--ServerApp.root_dir={folder}"],
            env=plain | places | lab | {"IPYTHONDIR": str(private / "ipython")},
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield _address(started, private, seconds=60)
    finally:
        _end(started)


def _address(started: subprocess.Popen[bytes], private: Path, seconds: float) -> str:
    last = time.monotonic() + seconds
    while time.monotonic() < last and started.poll() is None:
        for said in (private / "runtime").glob("jpserver-*.json"):
            if text := said.read_text():
                return str(json.loads(text)["url"])
        time.sleep(0.2)
    raise AssertionError(f"no server in {seconds:.0f} s:\n{(private / 'server.log').read_text()[-2000:]}")


def _end(started: subprocess.Popen[bytes]) -> None:
    """Ask first: it then ends its kernels, which are in process groups of their own."""
    started.send_signal(signal.SIGTERM)
    try:
        started.wait(15)
    except subprocess.TimeoutExpired:
        started.kill()  # a kernel whose parent is gone ends itself
        started.wait(5)


class Lab:
    """A browser on JupyterLab. `outside` are requests to other machines, all refused; `faults` is what the tabs complained of."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.outside: list[str] = []
        self.faults: list[str] = []
        self._context = browser.new_context(viewport={"width": WIDTH, "height": 1000})
        self._context.route("**/*", self._only_here)

    def open(self, name: str) -> Page:
        """A notebook in a tab of its own, with its kernel ready."""
        tab = self._context.new_page()
        tab.on("pageerror", lambda error: self.faults.append(f"{name}: {error}"))
        tab.on("console", lambda said: self.faults.append(f"{name}: {said.text}") if said.type == "error" else None)
        tab.on("websocket", lambda socket: None if _is_here(socket.url) else self.outside.append(socket.url))
        tab.goto(f"{self.address}lab/tree/{name}.ipynb?reset")
        tab.locator(INDICATOR).wait_for(timeout=60_000)
        # The indicator says idle before there is a kernel, and Run All then runs nothing; the server knows better.
        until(tab, f"a kernel for {name}", lambda: self._is_ready(tab, name), seconds=60)
        return tab

    def _is_ready(self, tab: Page, name: str) -> bool:
        sessions = tab.request.get(f"{self.address}api/sessions").json()
        kernels = [session["kernel"] for session in sessions if session["path"] == f"{name}.ipynb"]
        return any(k["connections"] and k["execution_state"] == "idle" for k in kernels) and is_idle(tab)

    def _only_here(self, route: Route) -> None:
        if _is_here(route.request.url):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()


def _is_here(address: str) -> bool:
    return urlsplit(address).hostname in ("127.0.0.1", "localhost", None)


def start(tab: Page) -> None:
    """Run > Run All Cells."""
    for entry in ("Run", "Run All Cells"):
        tab.get_by_role("menuitem", name=entry, exact=True).click(timeout=10_000)
    until(tab, "the run to begin", lambda: prompts(tab)[0] != "[ ]:", seconds=20)


def finish(tab: Page, seconds: float) -> None:
    """Wait for the end of the run, and save the notebook."""
    until(tab, "the run to end", lambda: is_idle(tab) and not any("*" in prompt for prompt in prompts(tab)), seconds)
    tab.bring_to_front()
    tab.keyboard.press("Control+s")
    until(tab, "the notebook to be saved", lambda: tab.locator(DIRTY).count() == 0, seconds=20)


def shoot(tab: Page, path: Path) -> None:
    """A picture of the whole notebook."""
    height = tab.locator(PANEL).evaluate("panel => panel.scrollHeight")
    tab.set_viewport_size({"width": WIDTH, "height": min(height + 160, 16_000)})
    tab.locator(PANEL).evaluate("panel => panel.scrollTo(0, 0)")
    tab.wait_for_timeout(500)
    path.parent.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=path)


def drawings(tab: Page) -> list[dict[str, Any]]:
    """Of each chart that is drawn: `texts`, and those that its edges `cut`."""
    return tab.locator(DRAWN).evaluate_all(TEXTS)


def scorecards(tab: Page) -> list[dict[str, Any]]:
    """Of each row of tiles: `lefts` (where they begin), `size` of the number, `ink` of the style, texts in `overlaps`."""
    return tab.locator(".jp-Notebook .tiles").evaluate_all(TILES)


def is_idle(tab: Page) -> bool:
    return tab.locator(INDICATOR).get_attribute("data-status") == "idle"


def prompts(tab: Page) -> list[str]:
    """What stands left of each code cell: [ ]: before it runs, [*]: while it waits or runs, then its number."""
    return tab.locator(PROMPTS).all_text_contents()


def until(tab: Page, what: str, ask: Callable[[], bool], seconds: float) -> None:
    """Wait until `ask` says yes. Fails with `what` when it never does."""
    last = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < last, f"waited {seconds:.0f} s for {what}: {prompts(tab)}"
        tab.wait_for_timeout(200)
