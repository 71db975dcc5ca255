"""What an analyst waits for: `import abm_lib`, and the first page in a fresh kernel.

    python benchmarks/imports.py [--quick]
"""

from __future__ import annotations

import subprocess
import sys
import time
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
import abm_lib as abm
page = abm.page("ads", "2026Q3", "data/sample")
page.scorecard("ad_click_rate", "ad_cost_per_click", "ad_spend")
"""


def main(arguments: list[str]) -> list[Figure]:
    rounds = 3 if "--quick" in arguments else 7
    figures = [Figure("import abm_lib beyond pandas and narwhals", median(seconds(IMPORT) for _ in range(rounds + 1)), "s", 0.3)]
    if "--quick" in arguments:
        return figures
    started, shown = zip(*(kernel() for _ in range(3)), strict=True)
    return [*figures, Figure("kernel started", median(started), "s"), Figure("first page in it, sample frozen", median(shown), "s")]


def seconds(code: str) -> float:
    """What the code prints, run in a fresh process."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=measure.environment(), cwd=PROJECT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def kernel() -> tuple[float, float]:
    """Wall seconds until a kernel answers, and until it has the first page."""
    from jupyter_client.manager import start_new_kernel

    start = time.perf_counter()
    manager, client = start_new_kernel(env=measure.environment(), cwd=str(PROJECT))
    try:
        ready = time.perf_counter()
        reply = client.execute_interactive(PAGE, timeout=300, output_hook=lambda message: None)
        if reply["content"]["status"] != "ok":
            raise SystemExit(f"{reply['content']['ename']}: {reply['content']['evalue']}")
        return ready - start, time.perf_counter() - ready
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    print(measure.table(main(sys.argv[1:])))
