"""Files that run the report on its days: two for each fiscal quarter, the provisional edition and the final one.

A scheduler knows months, not fiscal calendars. Where a company's quarters begin on the same days each year the days recur;
where they are made of weeks (4-4-5), the days of the next eight quarters are written out with their years.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

from ..company import Company
from ..period import Quarter

PROVISIONAL = timedelta(days=2)  # after the quarter's last day: the slowest sources are three days late
QUARTERS = 8


@dataclass(frozen=True)
class Plan:
    """When and what: the days of the runs, the time of day in the company's zone, and the command."""

    name: str
    zone: str
    at: time
    days: list[date]
    recurs: bool
    command: list[str]
    check: list[str]

    @property
    def crons(self) -> list[tuple[str, int | None]]:
        """Cron's five fields, and the year that they are for where the days do not recur."""
        head = f"{self.at.minute} {self.at.hour}"
        if not self.recurs:
            return [(f"{head} {day.day} {day.month} *", day.year) for day in self.days]
        months: dict[int, set[int]] = {}
        for day in self.days:
            months.setdefault(day.day, set()).add(day.month)
        return [(f"{head} {day} {','.join(map(str, sorted(each)))} *", None) for day, each in sorted(months.items())]


def plan(company: Company, out: Path, today: date, at: time = time(6, 17)) -> Plan:
    """The runs of the quarters that end after `today`."""
    calendar, settle = company.calendar, timedelta(days=company.config.as_of.settle_days)
    running = calendar.current(today)
    quarters = [calendar.step(running, n) for n in range(QUARTERS)]
    days = sorted({day for quarter in quarters for day in (provisional_day(quarter), quarter.end + settle)})
    recurs = len({(day.month, day.day) for day in days}) <= 8
    command = ["abm", "run", str(company.folder), "--out", str(out.resolve())]
    check = ["abm", "check", str(company.folder), "--heartbeat", "--out", str(out.resolve())]
    return Plan("abm-report", company.config.company.timezone, at, days, recurs, command, check)


def provisional_day(quarter: Quarter) -> date:
    return quarter.end + PROVISIONAL


def cron(plan: Plan) -> str:
    """A crontab: the report on its days and the heartbeat on Mondays."""
    log = f">> {shlex.quote(plan.command[-1] + '/abm.log')} 2>&1"
    lines = [f"# {plan.name}: crontab -e. Days are the company's, in its zone.", f"CRON_TZ={plan.zone}"]
    for when, year in plan.crons:
        guard = f'[ "$(date +\\%Y)" = {year} ] && ' if year else ""
        lines.append(f"{when} {guard}{shlex.join(plan.command)} {log}")
    return "\n".join([*lines, f"{plan.at.minute} {plan.at.hour} * * 1 {shlex.join(plan.check)} {log}", ""])


def systemd(plan: Plan) -> str:
    """Two units and their timers in one text; a line `# FILE` begins each file."""
    if plan.recurs:
        when = sorted({f"*-{day:%m-%d} {plan.at:%H:%M}:00 {plan.zone}" for day in plan.days})
    else:
        when = [f"{day:%Y-%m-%d} {plan.at:%H:%M}:00 {plan.zone}" for day in plan.days]
    return "\n".join([
        *_unit(plan.name, "The account-based marketing report", plan.command, when, plan.command),
        *_unit(f"{plan.name}-check", "Has the report appeared?", plan.check, [f"Mon *-*-* {plan.at:%H:%M}:00 {plan.zone}"], plan.command),
    ])  # fmt: skip


def _unit(name: str, text: str, words: list[str], when: list[str], command: list[str]) -> list[str]:
    company, out = command[2], command[-1]
    return [
        f"# {name}.service", "[Unit]", f"Description={text}", "", "[Service]", "Type=oneshot",
        f"ExecStart=/usr/bin/env {shlex.join(words)}", "TimeoutStartSec=2h", "MemoryMax=4G", "NoNewPrivileges=true",
        "PrivateTmp=true", "ProtectSystem=strict", f"ReadWritePaths={_path(company)} {_path(out)}", "",
        f"# {name}.timer", "[Unit]", f"Description={text}", "", "[Timer]",
        *(f"OnCalendar={each}" for each in when), "Persistent=true", "RandomizedDelaySec=5min", "",
        "[Install]", "WantedBy=timers.target", "",
    ]  # fmt: skip


def _path(path: str) -> str:
    """A path as a unit file reads it: per cent signs begin specifiers there, spaces part words."""
    return '"' + path.replace("%", "%%").replace('"', '\\"') + '"'


def github(plan: Plan) -> str:
    """A workflow for a private repository: a schedule in a public one is switched off after sixty days without a commit."""
    crons = "\n".join(f"    - cron: {json.dumps(when)}\n      timezone: {plan.zone}" for when, _ in plan.crons)
    return f"""\
# .github/workflows/{plan.name}.yml, in a private repository: the pages name accounts.
name: {plan.name}
on:
  schedule:
{crons}
    - cron: "{plan.at.minute} {plan.at.hour} * * 1"
      timezone: {plan.zone}
  workflow_dispatch:
    inputs:
      quarter:
        description: A quarter such as 2026Q3; empty for the last complete one
        default: ""
concurrency: {plan.name}
permissions:
  contents: read
jobs:
  report:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v4
      - run: python3 -m pip install --require-hashes --requirement requirements.lock
      - if: github.event.schedule == '{plan.at.minute} {plan.at.hour} * * 1'
        run: abm check "$COMPANY" --heartbeat --out reports
      - if: github.event.schedule != '{plan.at.minute} {plan.at.hour} * * 1'
        run: abm run "$COMPANY" --out reports ${{QUARTER:+--quarter "$QUARTER"}}
        env:
          QUARTER: ${{{{ inputs.quarter }}}}
      - uses: actions/upload-artifact@v4
        with:
          name: report
          path: reports
    env:
      COMPANY: ${{{{ vars.ABM_COMPANY }}}}
"""


def airflow(plan: Plan) -> str:
    """A DAG: the run, then the edition verified, since a task that ended well is not yet a report."""
    days = [
        f"pendulum.datetime({d.year}, {d.month}, {d.day}, {plan.at.hour}, {plan.at.minute}, tz=ZONE)" for d in plan.days
    ]
    dates = ",\n    ".join(days)
    return f'''\
"""{plan.name}: in Airflow's folder of DAGs."""

import pendulum
from airflow import DAG
from airflow.providers.standard.operators.bash import BashOperator
from airflow.timetables.events import EventsTimetable

ZONE = "{plan.zone}"
DAYS = [
    {dates},
]

with DAG(
    "{plan.name.replace("-", "_")}",
    schedule=EventsTimetable(event_dates=DAYS, restrict_to_events=False, description="provisional and final days"),
    start_date=pendulum.datetime({plan.days[0].year}, 1, 1, tz=ZONE),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=pendulum.duration(hours=2),
) as dag:
    run = BashOperator(task_id="run", bash_command={shlex.join(plan.command)!r}, retries=2)
    verify = BashOperator(task_id="verify", bash_command={shlex.join(plan.check)!r})
    run >> verify
'''


def jupyter_scheduler(plan: Plan) -> str:
    """Job definitions for POST /scheduler/job_definitions: drafts of the executive page while the server is up."""
    definitions = [
        {
            "name": plan.name, "input_filename": "notebooks/summary.ipynb", "schedule": when, "timezone": plan.zone,
            "runtime_environment_name": "python3", "output_formats": ["html"],
            # It writes parameters into the notebook as they stand, so a text carries its own quotes.
            "parameters": {"company": repr(plan.command[2])},
        } for when, year in plan.crons if year is None
    ]  # fmt: skip
    return json.dumps(definitions, indent=1) + "\n"


KINDS: dict[str, Callable[[Plan], str]] = {
    "cron": cron, "systemd": systemd, "github": github, "airflow": airflow, "jupyter-scheduler": jupyter_scheduler,
}  # fmt: skip


def overdue(company: Company, out: Path, today: date) -> str:
    """The newest quarter whose provisional day has passed and that has no edition; empty where there is none."""
    quarter = company.calendar.last_complete(today)
    if provisional_day(quarter) >= today:
        quarter = company.calendar.step(quarter, -1)
    return "" if (out / quarter.label / "manifest.json").is_file() else quarter.label
