"""All benchmarks, and the last figures in RESULTS.md: `make bench`, or `python benchmarks/run.py --quick` to see that they run.

`python benchmarks/run.py metrics reading` measures these two again; the figures of the others stay as they were.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
from pathlib import Path

import attribution
import duckdb
import imports
import measure
import metrics
import pages
import reading
import report

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLES = {
    "Attribution": """\
`python benchmarks/attribution.py`. A million journeys of four touches in the mean over twelve channels, as one table of path strings
that each side splits and encodes itself; the lowest of three runs of a process. ChannelAttribution and marketing-attribution-models
(MAM, under 20 GB) are installed into environments of their own. The last lines begin with forty million raw touches in no order:
every model from them, as times the sort of their packed keys alone.""",
    "Imports": "`python benchmarks/imports.py`. Median of seven processes; of three for the page.",
    "Metrics": """\
`python benchmarks/metrics.py`. The metrics and slices of ads, pipeline and revenue that by_hand.py asks for, at 20 million ad
rows, 20 million touches, 50,000 accounts and 20,000 opportunities, for eight quarters: readings of abm_lib against SQL written by
hand (by_hand.sql, by_hand.py) over the same frozen Parquet, median of three, in turn. Left out on both sides: what is worked out of
other readings (required coverage, gap, attainment, velocity), credit of attribution, effects on the win rate, differences between
groups, and ads by account and by title.

A figure is a whole process: the imports, the check of the frozen files' sha256 (abm_lib alone), every query, every number in a
pandas frame. Medians and Aalen and Johansen's median are worked out on both sides; intervals only by abm_lib. "Without intervals"
leaves out Wilson's, the resampled and the order-statistic ones, so that both sides do the same; the band around that curve
stays in. Numbers are compared with and without, and each that only one side has must be 0.""",
    "Reading": """\
`python benchmarks/reading.py`. Five million rows of messy CSV (400 MB: decimal commas, days before months, line breaks in quotes,
declared blanks, broken lines, wrong values) into the frozen store, against DuckDB's own reader with types and rejects into
Parquet; median of five, in turn, each a fresh process without its imports. sha256 of the file, every line that is set aside with
its number, and the checks of what looks wrong are in the time; keys and references, which DuckDB's reader does not judge, beside it.""",
    "Pages": """\
`python benchmarks/pages.py`. The sample's pages opened from disk in headless Chromium, 1280 by 900 pixels, nothing cached, medians of
nine, pages in turn. Each goes to its first chart as soon as it is read; its charts answer when all in sight are drawn alive and a mark
of one has said what it is to a pointer that was there from the start. Charts further down are drawn when they come near.""",
    "Report": """\
`python benchmarks/report.py`. The sample's twelve notebooks into twelve pages with the readings present, median of three, in turn; a
figure is the wall time of a fresh process, its imports and the drawing of every chart as SVG included. Pages are compared byte by byte;
Jupyter Book, in an environment of its own, runs the same notebooks in turn and writes pages of its own theme, once.""",
}


PARTS = {
    "Imports": imports,
    "Metrics": metrics,
    "Attribution": attribution,
    "Reading": reading,
    "Pages": pages,
    "Report": report,
}


def main(arguments: list[str]) -> int:
    asked = [name for name in PARTS if name.lower() in arguments] or list(PARTS)
    sections, is_met = written(), True
    for name in asked:
        when = f"{datetime.datetime.now(datetime.UTC).date()}. {machine()}"
        figures = PARTS[name].main([argument for argument in arguments if argument.startswith("--")])
        is_met = is_met and all(figure.is_met for figure in figures)
        sections[name] = f"## {name}\n\n{TITLES[name]}\n\n{when}\n\n{measure.table(figures)}\n"
        print(sections[name])
    if "--quick" not in arguments:
        told = "\n".join(sections[name] for name in PARTS if name in sections)
        RESULTS.write_text(f"# Last figures\n\nWritten by `make bench`.\n\n{told}", encoding="utf-8")
    return 0 if is_met else 1


def written() -> dict[str, str]:
    """The sections of RESULTS.md by their names."""
    sections = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]
    return {section.partition("\n")[0]: f"## {section.rstrip()}\n" for section in sections}


def machine() -> str:
    """The machine in words, and how busy it was: other work on the same cores raises CPU seconds too."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{os.cpu_count()} cores of {processor()}, {memory:.0f} GB of memory, {platform.system()}; Python "
        f"{platform.python_version()}, DuckDB {duckdb.__version__}. {os.getloadavg()[0]:.1f} processes were running at the start."
    )


def processor() -> str:
    """What the processor calls itself, where the system says so."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
