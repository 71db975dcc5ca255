"""Pictures of every page, for a look by eye: `make look` writes build/look/ from the newest edition in reports/.

Desktop in light and dark, tablet, phone, and the printed pages. `--readme` renews the pictures that README.md shows.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
VIEWS = {"desktop": (1280, "light"), "dark": (1280, "dark"), "tablet": (820, "light"), "phone": (390, "light")}
IN_README = {"index": ("summary-desktop", 1660), "pipeline": ("pipeline-desktop", 1480)}  # how far down each is shown


def chromium() -> str:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if not found:
        sys.exit("make look needs Chromium: install the system's package `chromium`")
    return found


def shoot(browser: Browser, page: Path, out: Path) -> None:
    name = "summary" if page.stem == "index" else page.stem
    for view, (width, scheme) in VIEWS.items():
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=1)
        tab.goto(page.as_uri())
        tab.screenshot(path=out / f"{name}-{view}.png", full_page=True)
        tab.close()
    tab = browser.new_page()
    tab.goto(page.as_uri())
    tab.pdf(path=out / f"{name}-print.pdf", prefer_css_page_size=True, print_background=True)
    tab.close()


def shoot_for_readme(browser: Browser, edition: Path) -> None:
    images = ROOT / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    for page, (name, height) in IN_README.items():
        tab = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme="light")
        tab.goto((edition / f"{page}.html").as_uri())
        tab.wait_for_timeout(1500)  # until the charts in sight are live
        tab.screenshot(path=images / f"{name}.png")
        tab.close()


def main() -> None:
    editions = sorted((ROOT / "reports").glob("[0-9]*Q[1-4]"))
    if not editions:
        sys.exit("no edition in reports/: run `make report` first")
    out = ROOT / "build" / "look"
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for page in sorted(editions[-1].glob("*.html")):
            shoot(browser, page, out)
        if "--readme" in sys.argv:
            shoot_for_readme(browser, editions[-1])
    sys.stdout.write(f"{len(list(out.iterdir()))} pictures in {out.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
