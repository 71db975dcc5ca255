"""What every test may lean on: tables drawn as text, tools that may be missing, and an account of what was skipped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same cases on every run, and no clock on any of them: another test may have the processor.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent

NO_EXTERNAL_DATA = "external data: not on this machine; ABM_EXTERNAL_DATA names its folder"
NO_JAVA = "Java: version 17 or newer is not on this machine"
NO_CHROMIUM = "Chromium: not on this machine"

CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

# What a fixture needs tells the marker, so that `-m spark` and the like never miss a test.
MARKERS = {"external_data": pytest.mark.external, "spark": pytest.mark.spark, "chromium": pytest.mark.browser}

# Begun first, so that no worker is left alone with one of them at the end.
LONGEST = (
    "test_oracle.py",
    "test_every_metric.py",
    "test_faults.py",
    "test_false_claims.py",
    "test_notebooks.py",
    "test_spark.py",
)


# Tables drawn as text


def rows(drawing: str) -> list[dict[str, Any]]:
    """The rows of a table drawn as text: names in the first line, cells between bars.

    A cell is None when empty, else an int, float, bool (yes, no), date, UTC timestamp (2026-07-01 09:30) or text;
    'quoted' is always text, and so is a number with leading zeros.
    """
    names, *lines = [
        [cell.strip() for cell in line.split("|")] for line in drawing.strip().splitlines() if line.strip()
    ]
    return [dict(zip(names, map(_value, line), strict=True)) for line in lines]


def _value(cell: str) -> Any:
    if cell in ("", "yes", "no"):
        return {"": None, "yes": True, "no": False}[cell]
    if re.fullmatch(r"'.*'", cell):
        return cell[1:-1]
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", cell):
        return float(cell) if "." in cell else int(cell)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
        return date.fromisoformat(cell)
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", cell):
        return datetime.fromisoformat(cell).replace(tzinfo=UTC)
    return cell


# Tools and data that may be missing


def external_data_folder() -> Path:
    """The folder with test data made by others, whether it is there or not."""
    return Path(os.environ.get("ABM_EXTERNAL_DATA") or ROOT.parent / "shared" / "data")


def find_java() -> str | None:
    """The `java` that Spark would start, if it is new enough."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr if java else ""
    version = re.search(r'version "(\d+)', said)
    return java if version and int(version[1]) >= 17 else None


def find_chromium() -> str | None:
    """A Chromium or Chrome on this machine."""
    return next((found for name in CHROMIUMS if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def external_data() -> Path:
    """The folder with test data made by others."""
    return external_data_folder()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome."""
    return find_chromium() or pytest.skip(NO_CHROMIUM)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A small Spark session on this machine: two threads, UTC, no pages of its own."""
    if not find_java():
        pytest.skip(NO_JAVA)
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable  # Spark would take the first python3 on PATH
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    session = SparkSession.builder.master("local[2]").appName("abm tests").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        for fixture in MARKERS.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(MARKERS[fixture])
        if item.get_closest_marker("external") and not external_data_folder().is_dir():
            item.add_marker(pytest.mark.skip(reason=NO_EXTERNAL_DATA))


# The account of what was skipped


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run")
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def skips(config: pytest.Config) -> Counter[str]:
    """How many tests were skipped, by reason; a module skipped whole counts as one."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    reports = terminal.stats.get("skipped", []) if terminal else []
    return Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)


def pytest_sessionfinish(session: pytest.Session) -> None:
    # The summary below is written after this, so that both tell the same story.
    if session.config.getoption("--no-skips") and session.exitstatus == pytest.ExitCode.OK and skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for reason, count in skips(config).most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
    if config.getoption("--no-skips") and skips(config):
        terminalreporter.write_line("failed: --no-skips was asked for", red=True, bold=True)


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--update-golden"))
