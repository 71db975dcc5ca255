"""All benchmarks, and the last figures in RESULTS.md: `make bench`, or `python benchmarks/run.py --quick` to see that they run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import imports
import measure
import metrics

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLES = {
    "Metrics": "The three families at 20 million ad rows, 20 million touches, 50,000 accounts and 20,000 opportunities, eight quarters "
    "and every slice, against SQL written by hand (by_hand.sql). Median of three, in turn; each a process of its own.",
    "Imports": "Median of seven processes; of three for the page.",
}


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    parts = {"Imports": imports.main(arguments), "Metrics": metrics.main(arguments)}
    text = "\n\n".join(f"## {name}\n\n{TITLES[name]}\n\n{measure.table(figures)}" for name, figures in parts.items())
    print(text)
    if not quick:
        machine = f"One machine with {os.cpu_count()} cores, Python {sys.version_info.major}.{sys.version_info.minor}."
        RESULTS.write_text(f"# Last figures\n\nWritten by `make bench`. {machine}\n\n{text}\n", encoding="utf-8")
    return 0 if all(figure.is_met for figures in parts.values() for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
