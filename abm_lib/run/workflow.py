"""The report as a workflow of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Sequence

INSTALL = """\
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: python -m pip install --require-hashes --requirement requirements.lock
      - run: python -m pip install --no-deps --no-build-isolation ."""


def github_workflow(name: str, zone: str, crons: Sequence[tuple[str, int | None]], weekly: str, tells: bool) -> str:
    """The workflow as YAML: a job for the report, and one that looks for the newest report that was kept.

    GitHub's schedules have no years: where `crons` have, the days of other years are passed over.
    """
    every = [*(when for when, _ in crons), weekly]
    schedule = "\n".join(f"    - cron: {json.dumps(when)}\n      timezone: {zone}" for when in every)
    told = ' --notify "$ABM_NOTIFY"' if tells else ""
    secret = "\n          ABM_NOTIFY: ${{ secrets.ABM_NOTIFY }}" if tells else ""
    return f"""\
# .github/workflows/{name}.yml, in a private clone of abm_lib that holds the company folder: the pages name accounts.
# The variable ABM_COMPANY of the repository is the path of that folder.
name: {name}
on:
  schedule:
{schedule}
  workflow_dispatch:
    inputs:
      quarter:
        description: A quarter such as 2026Q3; empty for the one that ended last
        default: ""
concurrency: {name}
permissions:
  contents: read
  actions: read
env:
  COMPANY: ${{{{ vars.ABM_COMPANY }}}}
jobs:
  report:
    if: github.event.schedule != '{weekly}'
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
{INSTALL}
      - name: Publish
        run: |
{_passed_over(crons)}          python -m abm_lib.cli run "$COMPANY" --out reports --quarter "${{QUARTER:-last}}"{told}
        env:
          QUARTER: ${{{{ inputs.quarter }}}}
          CRON: ${{{{ github.event.schedule }}}}{secret}
      - uses: actions/upload-artifact@v4
        with:
          name: report
          path: reports
          if-no-files-found: ignore
  heartbeat:
    if: github.event.schedule == '{weekly}'
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
{INSTALL}
      - name: Fetch the newest report
        run: mkdir -p reports && gh run download --name report --dir reports || echo "no report was kept"
        env:
          GH_TOKEN: ${{{{ github.token }}}}
      - run: python -m abm_lib.cli check "$COMPANY" --heartbeat --out reports
"""


def _passed_over(crons: Sequence[tuple[str, int | None]]) -> str:
    """Lines of shell that end the step on a day of another year; none where the days recur."""
    days = "|".join(f'"{year} {when}"' for when, year in crons if year)
    if not days:
        return ""
    return f"""\
          case "$(date +%Y) $CRON" in
            {days}) ;;
            *" ") ;;
            *) echo "a day of another year"; exit 0 ;;
          esac
"""
