"""Files that run the report on its days: two for each fiscal quarter, the provisional edition and the final one.

A scheduler knows months, not fiscal calendars. Where a company's quarters begin on the same days each year the days recur;
where they are made of weeks (4-4-5), the days of the next eight quarters are written out with their years. Every command is
written whole: a scheduler has another PATH and another working directory than the shell in which it was tried.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

from ..company import Company
from ..errors import Fault, UsageError
from ..period import Quarter
from .workflow import github_workflow

QUARTERS = 8
EXPORTED = timedelta(days=1)  # an export of the evening before tells of the day before


@dataclass(frozen=True)
class Plan:
    """When and what: the days of the runs, the time of day in the company's zone, and the commands.

    `told` are the addresses that are told of an edition.
    """

    name: str
    zone: str
    at: time
    days: list[date]
    recurs: bool
    company: Path
    out: Path
    told: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """The run. It asks for the quarter that ended last, so that exports which stopped are no edition of an older one."""
        told = [word for address in self.told for word in ("--notify", address)]
        return [*_abm("run"), str(self.company), "--quarter", "last", "--out", str(self.out), *told]

    @property
    def check(self) -> list[str]:
        return [*_abm("check"), str(self.company), "--heartbeat", "--out", str(self.out)]

    @property
    def weekly(self) -> str:
        """When the heartbeat is looked for, in cron's fields."""
        return f"{self.at.minute} {self.at.hour} * * 1"

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


def _abm(command: str) -> list[str]:
    return [sys.executable, "-m", "abm_lib.cli", command]


def plan(company: Company, out: Path, today: date, told: Sequence[str] = (), at: time = time(6, 17)) -> Plan:
    """The runs of the quarters that end after `today`."""
    running = company.calendar.current(today)
    quarters = [company.calendar.step(running, n) for n in range(QUARTERS)]
    days = sorted(
        {day for quarter in quarters for day in (provisional_day(company, quarter), final_day(company, quarter))}
    )
    recurs = len({(day.month, day.day) for day in days}) <= 8
    zone = company.config.company.timezone
    return Plan("abm-report", zone, at, days, recurs, company.folder, out.resolve(), tuple(told))


def provisional_day(company: Company, quarter: Quarter) -> date:
    return quarter.end + timedelta(days=company.config.schedule.provisional_days)


def final_day(company: Company, quarter: Quarter) -> date:
    """The first morning on which the export of the evening before tells of a day after the last one that counts."""
    return company.settled_on(quarter) + timedelta(days=1) + EXPORTED


def cron(plan: Plan) -> str:
    """A crontab: the report on its days and the heartbeat on Mondays. What stays unsaid in the log, cron mails."""
    kept = plan.company / ".abm"
    log = shlex.quote(str(kept / "abm.log"))
    ready = f"mkdir -p {shlex.quote(str(kept))}"
    lines = [
        f"# {plan.name}: crontab -e. What goes wrong is mailed; MAILTO=name@host says to whom.",
        "# Days are the company's, in its zone, where cron reads CRON_TZ (cronie does); else in the machine's.",
        f"CRON_TZ={plan.zone}",
    ]
    for when, year in plan.crons:
        guard = f'[ "$(date +%Y)" != {year} ] || ' if year else ""
        run = f"{shlex.join(plan.command)} >> {log} 2>&1 || {{ tail -n 20 {log}; exit 1; }}"
        lines.append(f"{when} {_cronned(f'{guard}{{ {ready} && {run}; }}')}")
    lines.append(f"{plan.weekly} {_cronned(f'{ready} && {shlex.join(plan.check)} >> {log}')}")
    return "\n".join([*lines, ""])


def _cronned(command: str) -> str:
    """A per cent sign ends a crontab's command, unless it is escaped."""
    return command.replace("%", "\\%")


def systemd(plan: Plan) -> str:
    """Units and their timers in one text; a line `# FILE` begins each file."""
    if plan.recurs:
        when = sorted({f"*-{day:%m-%d} {plan.at:%H:%M}:00 {plan.zone}" for day in plan.days})
    else:
        when = [f"{day:%Y-%m-%d} {plan.at:%H:%M}:00 {plan.zone}" for day in plan.days]
    weekly = [f"Mon *-*-* {plan.at:%H:%M}:00 {plan.zone}"]
    return "\n".join([
        *_unit(plan, plan.name, "The account-based marketing report", plan.command, when),
        *_unit(plan, f"{plan.name}-check", "Has the report appeared?", plan.check, weekly),
        *_alarm(plan),
    ])  # fmt: skip


def _unit(plan: Plan, name: str, text: str, words: list[str], when: list[str]) -> list[str]:
    return [
        f"# {name}.service", "[Unit]", f"Description={text}", f"OnFailure={plan.name}-alarm@%n.service", "",
        "[Service]", "Type=oneshot", f"ExecStart={' '.join(map(_path, words)).replace('$', '$$')}", "TimeoutStartSec=2h", "MemoryMax=4G",
        "NoNewPrivileges=true", "PrivateTmp=true", "ProtectSystem=strict",
        f"ReadWritePaths={_path(f'-{plan.company}')} {_path(f'-{plan.out}')}", "",
        f"# {name}.timer", "[Unit]", f"Description={text}", "", "[Timer]",
        *(f"OnCalendar={each}" for each in when), "Persistent=true", "RandomizedDelaySec=5min", "",
        "[Install]", "WantedBy=timers.target", "",
    ]  # fmt: skip


def _alarm(plan: Plan) -> list[str]:
    """Started for a unit that failed: its last lines go by this machine's mail to root."""
    return [
        f"# {plan.name}-alarm@.service", "[Unit]", "Description=Mail that %i failed", "", "[Service]", "Type=oneshot",
        """ExecStart=/bin/sh -c 'systemctl status --full --lines=30 "%i" | mail -s "%i failed" root'""", "",
    ]  # fmt: skip


def _path(word: str) -> str:
    """A word as a unit file reads it: per cent signs begin specifiers there, spaces part words."""
    return '"' + word.replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"') + '"'


def github(plan: Plan) -> str:
    """A workflow for a private repository: a schedule in a public one is switched off after sixty days without a commit."""
    return github_workflow(plan.name, plan.zone, plan.crons, plan.weekly, bool(plan.told))


def airflow(plan: Plan) -> str:
    """Two DAGs: the run, then the edition looked for, since a task that ended well is not yet a report; and the heartbeat."""
    days = [
        f"pendulum.datetime({d.year}, {d.month}, {d.day}, {plan.at.hour}, {plan.at.minute}, tz=ZONE)" for d in plan.days
    ]
    dates = ",\n    ".join(days)
    name = plan.name.replace("-", "_")
    return f'''\
"""{plan.name}: in Airflow's folder of DAGs."""

import pendulum
from airflow import DAG
from airflow.providers.standard.operators.bash import BashOperator
from airflow.timetables.events import EventsTimetable
from airflow.timetables.trigger import CronTriggerTimetable

ZONE = "{plan.zone}"
START = pendulum.datetime({plan.days[0].year}, 1, 1, tz=ZONE)
RUN = {shlex.join(plan.command)!r}
CHECK = {shlex.join(plan.check)!r}
DAYS = [
    {dates},
]

with DAG(
    "{name}",
    schedule=EventsTimetable(event_dates=DAYS, restrict_to_events=False, description="provisional and final days"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=pendulum.duration(hours=2),
):
    run = BashOperator(task_id="run", bash_command=RUN, retries=2)
    verify = BashOperator(task_id="verify", bash_command=CHECK)
    run >> verify

with DAG(
    "{name}_check",
    schedule=CronTriggerTimetable("{plan.weekly}", timezone=ZONE),
    start_date=START,
    catchup=False,
):
    BashOperator(task_id="check", bash_command=CHECK)
'''


def jupyter_scheduler(plan: Plan) -> str:
    """Job definitions for POST /scheduler/job_definitions: drafts of the executive page while the server is up.

    Raises UsageError where the days do not recur: its schedules have no years.
    """
    if not plan.recurs:
        found, fix = "quarters of weeks, whose days do not recur", "abm schedule cron, or systemd"
        raise UsageError(Fault("C08", "schedule", "jupyter-scheduler", found, "a calendar of months", fix))
    definitions = [
        {
            "name": plan.name, "input_filename": "notebooks/summary.ipynb", "schedule": when, "timezone": plan.zone,
            "runtime_environment_name": "python3", "output_formats": ["html"],
            # It writes parameters into the notebook as they stand, so a text carries its own quotes.
            "parameters": {"company": repr(str(plan.company)), "quarter": repr("")},
        } for when, _ in plan.crons
    ]  # fmt: skip
    return json.dumps(definitions, indent=1) + "\n"


KINDS: dict[str, Callable[[Plan], str]] = {
    "cron": cron, "systemd": systemd, "github": github, "airflow": airflow, "jupyter-scheduler": jupyter_scheduler,
}  # fmt: skip
