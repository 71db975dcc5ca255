"""The report as one PDF (`--pdf`), printed by the Chromium of this machine: tagged, with bookmarks, without the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..errors import EnvironmentFault, Fault

CHROMIUMS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip
LONGEST_SECONDS = 180


def browser() -> str:
    """The Chromium or Chrome of this machine. Raises EnvironmentFault where there is none."""
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    if found is None:
        fix = "install chromium, or run again without --pdf"
        raise EnvironmentFault(Fault("P21", "no-browser", "--pdf", "no Chromium or Chrome", "one on the PATH", fix))
    return found


def write(page: Path, target: Path) -> None:
    """Print an HTML file that needs nothing beside it. Raises EnvironmentFault where the browser gives no PDF."""
    program = browser()
    with tempfile.TemporaryDirectory(prefix="abm-print-") as profile:
        # A copy under a plain name: the file's own place on this machine has no business in the PDF.
        copy = Path(profile) / "report.html"
        shutil.copyfile(page, copy)
        options = [
            "--headless", "--disable-gpu", "--disable-extensions", "--no-first-run", f"--user-data-dir={profile}/browser",
            "--no-pdf-header-footer", "--generate-pdf-document-outline", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--print-to-pdf={target}",
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium has none for root
        try:
            done = subprocess.run(
                [program, *options, copy.as_uri()], capture_output=True, timeout=LONGEST_SECONDS, check=False
            )
            found = f"exit code {done.returncode}" if done.returncode or not target.is_file() else ""
        except subprocess.TimeoutExpired:
            found = f"no answer in {LONGEST_SECONDS} s"
    if found:
        fault = Fault("P21", "no-pdf", program, found, "a PDF", "start the browser by hand, or run without --pdf")
        raise EnvironmentFault(fault)
