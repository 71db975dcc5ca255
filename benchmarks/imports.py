"""What an analyst waits for: `import abm_lib`, and the first page in a fresh kernel.

python benchmarks/imports.py [--quick]
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

import measure
from measure import PROJECT, Figure

IMPORT = """
import time
import pandas, narwhals
start = time.perf_counter()
import abm_lib
print(time.perf_counter() - start)
"""
PAGE = """
import time
start = time.perf_counter()
import abm_lib as abm
page = abm.page("ads", "2026Q3", "data/sample")
page.scorecard("ad_click_rate", "ad_cost_per_click", "ad_spend")
print(time.perf_counter() - start)
"""


def main(arguments: list[str]) -> list[Figure]:
    rounds = 3 if "--quick" in arguments else 7
    figures = [
        Figure(
            "import abm_lib beyond pandas and narwhals", median(seconds(IMPORT) for _ in range(rounds + 1)), "s", 0.3
        )
    ]
    if "--quick" in arguments:
        return figures
    shown = median(seconds(PAGE) for _ in range(3))
    return [*figures, Figure("first page of a fresh process, sample frozen", shown, "s")]


def seconds(code: str) -> float:
    """What the code prints, run in a fresh process."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=measure.environment(), cwd=PROJECT, capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    print(measure.table(main(sys.argv[1:])))
