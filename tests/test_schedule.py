"""Schedules for the company's fiscal calendar, the heartbeat, and telling people once."""

from __future__ import annotations

import ast
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from small_company import SETTINGS, write

from abm_lib import edition as editions
from abm_lib.company import Company, open_company
from abm_lib.errors import InputRefused, NotAnnounced, UsageError
from abm_lib.run import heartbeat, notify, schedule, workflow
from abm_lib.sources import mapfile, mapping

TODAY = date(2026, 3, 20)
CALENDARS = {"months": "", "february": "[fiscal]\nfirst_month = 2\n", "weeks": '[fiscal]\npattern = "445"\n'}


def company(place: Path, calendar: str = "months") -> Company:
    return open_company(write(place / "my firm", base=_base(calendar)))


def _base(calendar: str) -> str:
    return SETTINGS.replace("[sources.crm]", CALENDARS[calendar] + "[sources.crm]").replace(
        'currency = "EUR"', 'currency = "EUR"\ntimezone = "Europe/Berlin"'
    )


def plan(place: Path, calendar: str = "months") -> schedule.Plan:
    return schedule.plan(company(place, calendar), place / "reports", TODAY)


def test_a_calendar_of_months_has_a_provisional_and_a_final_day_that_recur(tmp_path: Path) -> None:
    planned = plan(tmp_path)
    assert planned.days[:2] == [date(2026, 4, 3), date(2026, 4, 13)]  # what was exported on the evening of the 12th
    assert planned.crons == [("17 6 3 1,4,7,10 *", None), ("17 6 13 1,4,7,10 *", None)]
    assert plan(tmp_path / "f", "february").crons == [("17 6 3 2,5,8,11 *", None), ("17 6 13 2,5,8,11 *", None)]


def test_a_calendar_of_weeks_has_its_days_with_their_years(tmp_path: Path) -> None:
    planned = plan(tmp_path, "weeks")
    assert len(planned.days) == 16 and all(year for _, year in planned.crons)
    assert '[ "$(date +\\%Y)" != 2026 ] || { mkdir -p' in schedule.cron(planned)


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ('[sources.web]\nmap = "canonical"\nlook_back_days = 20\n', [date(2026, 4, 3), date(2026, 4, 23)]),
        ('[sources.web]\nmap = "canonical"\nlook_back_days = 3\n', [date(2026, 4, 3), date(2026, 4, 13)]),
        ("[schedule]\nprovisional_days = 5\n", [date(2026, 4, 6), date(2026, 4, 13)]),
    ],
    ids=["a source that looks back for longer", "one that looks back for less", "a later first day"],
)
def test_the_final_day_waits_for_the_source_that_looks_back_longest(
    tmp_path: Path, settings: str, days: list[date]
) -> None:
    firm = write(tmp_path / "firm", settings=settings)
    (firm / "abm.toml").write_text(
        (firm / "abm.toml").read_text().replace("[sources.web]", "[sources.web]\nfolder = 'web'")
    )
    (firm / "web").mkdir()
    assert schedule.plan(open_company(firm), tmp_path, TODAY).days[:2] == days


def test_ad_platforms_look_back_two_weeks_and_web_analytics_three_days() -> None:
    told = {name: system.look_back_days for name, system in mapfile.systems().items() if system.look_back_days}
    assert told == {"ads": 14, "ga4": 3, "google_ads": 14, "linkedin_ads": 14}
    (asked, *_) = (name for name in mapfile.shipped() if name.startswith("google_ads"))
    assert mapping.load_map(Path(), asked, []).look_back_days == 14


def test_a_crontab_names_the_zone_and_quotes_the_folder(tmp_path: Path) -> None:
    text = schedule.cron(plan(tmp_path))
    assert "CRON_TZ=Europe/Berlin" in text.splitlines()
    jobs = [line for line in text.splitlines() if line[0].isdigit()]
    assert len(jobs) == 3 and all(f"'{tmp_path}/my firm'" in job for job in jobs)
    assert jobs[-1].startswith("17 6 * * 1 ") and "--heartbeat" in jobs[-1]


def by_cron(text: str, number: int, place: Path) -> subprocess.CompletedProcess[str]:
    """A crontab's job as cron runs it: by /bin/sh, in a bare environment, elsewhere; `\\%` is a per cent sign."""
    job = [line for line in text.splitlines() if line[0].isdigit()][number]
    command = job.split(" ", 5)[5].replace("\\%", "%")
    (place / "home").mkdir(exist_ok=True)
    bare = [
        "env",
        "-i",
        f"HOME={place / 'home'}",
        "PATH=/usr/bin:/bin",
        f"PYTHONPATH={Path(schedule.__file__).parents[2]}",
    ]
    return subprocess.run([*bare, "/bin/sh", "-c", command], cwd=place / "home", capture_output=True, text=True)


def test_a_crontabs_commands_run_in_crons_bare_shell_and_what_goes_wrong_is_mailed(tmp_path: Path) -> None:
    planned = schedule.plan(open_company(write(tmp_path / "my 100% firm")), tmp_path / "reports", TODAY)
    text, log = schedule.cron(planned), planned.company / ".abm" / "abm.log"
    shutil.rmtree(log.parent)
    ran = by_cron(text, 0, tmp_path)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "E P16 stale-data" in ran.stdout and "data until 2026-04-15" in log.read_text()
    assert not planned.out.exists(), "an older quarter is not published again"
    looked = by_cron(text, -1, tmp_path)
    assert (looked.returncode, looked.stdout) == (5, "")
    assert "E R17 overdue" in looked.stderr and "no edition" in looked.stderr


@pytest.mark.slow
def test_a_crontabs_command_publishes_the_quarter_that_ended_last(tmp_path: Path) -> None:
    from small_company import CHANGES, FILES

    firm = write(tmp_path / "firm")
    ended = open_company(firm).calendar.last_complete(date.today())
    later = CHANGES + f"O2,{ended.end} 08:30:00,offer,500.00,EUR,{ended.end}\n"
    write(firm, FILES | {"opportunity_changes": later})
    text = schedule.cron(schedule.plan(open_company(firm), tmp_path / "reports", TODAY))
    ran = by_cron(text, 0, tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), ran.stdout
    assert (tmp_path / "reports" / ended.label / "index.html").is_file()
    assert "published" in (firm / ".abm" / "abm.log").read_text()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze: not on this machine")
@pytest.mark.parametrize("calendar", CALENDARS)
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path, calendar: str) -> None:
    files = _files(schedule.systemd(plan(tmp_path, calendar)), tmp_path)
    assert [path.name for path in files] == [
        "abm-report.service",
        "abm-report.timer",
        "abm-report-check.service",
        "abm-report-check.timer",
        "abm-report-alarm@.service",
    ]
    for service in (files[0], files[2]):
        assert "OnFailure=abm-report-alarm@%n.service" in service.read_text().splitlines()
        assert f'ReadWritePaths="-{tmp_path}/my firm" "-{tmp_path}/reports"' in service.read_text().splitlines()
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, files)], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "abm-report" in line]
    assert (said, done.returncode) == ([], 0), done.stderr
    for path in files:
        for line in path.read_text().splitlines():
            if line.startswith("OnCalendar="):
                asked = ["systemd-analyze", "calendar", line.removeprefix("OnCalendar=")]
                assert subprocess.run(asked, capture_output=True).returncode == 0, line


def _files(text: str, place: Path) -> list[Path]:
    found: list[Path] = []
    for line in text.splitlines():
        if line.startswith("# "):
            found.append(place / line[2:])
            found[-1].write_text("")
        else:
            found[-1].write_text(found[-1].read_text() + line + "\n")
    return found


@pytest.mark.parametrize("calendar", CALENDARS)
def test_the_other_schedulers_get_what_they_can_read(tmp_path: Path, calendar: str) -> None:
    planned = plan(tmp_path, calendar)
    tree = ast.parse(schedule.airflow(planned))
    assert sum(isinstance(node, ast.With) for node in tree.body) == 2
    assert "dagrun_timeout" in schedule.airflow(planned)
    workflow = schedule.github(planned)
    assert "timezone: Europe/Berlin" in workflow and "workflow_dispatch" in workflow and "concurrency" in workflow
    assert str(tmp_path) not in workflow and "--no-deps --no-build-isolation ." in workflow


def test_jupyter_scheduler_gets_a_job_for_each_day_that_recurs(tmp_path: Path) -> None:
    jobs = json.loads(schedule.jupyter_scheduler(plan(tmp_path)))
    assert [job["schedule"] for job in jobs] == ["17 6 3 1,4,7,10 *", "17 6 13 1,4,7,10 *"]
    assert {ast.literal_eval(job["parameters"]["company"]) for job in jobs} == {str(tmp_path / "my firm")}
    with pytest.raises(UsageError, match="days do not recur"):
        schedule.jupyter_scheduler(plan(tmp_path / "weeks", "weeks"))


@pytest.mark.parametrize(
    ("cron", "passed_over"),
    [("17 6 6 4 *", False), ("17 6 6 4 *", True), ("", False)],
    ids=["the day of this year", "that of another", "by hand"],
)
def test_a_workflow_passes_over_the_days_of_other_years(tmp_path: Path, cron: str, passed_over: bool) -> None:
    year = date.today().year + passed_over
    lines = workflow._passed_over([("17 6 6 4 *", year), ("17 6 16 4 *", year)])
    done = subprocess.run(["sh", "-c", lines + "echo run"], env={"CRON": cron}, capture_output=True, text=True)
    assert ("run" in done.stdout.split()) is not passed_over, done.stdout + done.stderr
    assert workflow._passed_over([("17 6 3 1,4,7,10 *", None)]) == ""


def test_the_addresses_to_tell_stand_in_the_run_and_on_github_in_a_secret(tmp_path: Path) -> None:
    planned = schedule.plan(company(tmp_path), tmp_path / "reports", TODAY, ["mailto://me:secret@mail.example"])
    assert "--notify mailto://me:secret@mail.example" in schedule.cron(planned)
    assert "secret@" not in schedule.github(planned) and "secrets.ABM_NOTIFY" in schedule.github(planned)


def edition(folder: Path, state: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<h1>x</h1>")
    files = {"index.html": sha256((folder / "index.html").read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"edition": {"state": state}, "files": files}))


@pytest.mark.parametrize(
    ("today", "late"),
    [
        (date(2026, 4, 3), "2025Q4"),
        (date(2026, 4, 4), "2026Q1"),
        (date(2026, 6, 30), "2026Q1"),
    ],
)
def test_the_heartbeat_names_the_quarter_that_is_late(tmp_path: Path, today: date, late: str) -> None:
    firm, out = company(tmp_path), tmp_path / "reports"
    (out / late).mkdir(parents=True)
    found = [(fault.rule, fault.where, fault.found) for fault in heartbeat.overdue(firm, out, today)]
    assert found == [("R17", str(out / late), "no edition")], "a folder is no edition"
    edition(out / late, "final")
    assert heartbeat.overdue(firm, out, today) == []
    (out / late / "index.html").write_text("<h1>y</h1>")
    assert [fault.rule for fault in heartbeat.overdue(firm, out, today)] == ["P24"], "nor is a changed one"


@pytest.mark.parametrize(
    ("settings", "last_quiet"), [("", date(2026, 4, 13)), ("[schedule]\noverdue_days = 4\n", date(2026, 4, 16))]
)
def test_a_provisional_edition_is_overdue_once_the_final_day_has_passed(
    tmp_path: Path, settings: str, last_quiet: date
) -> None:
    firm, out = open_company(write(tmp_path / "firm", settings=settings)), tmp_path / "reports"
    edition(out / "2026Q1", "provisional")
    assert heartbeat.overdue(firm, out, last_quiet) == []
    (fault,) = heartbeat.overdue(firm, out, last_quiet + timedelta(days=1))
    assert (fault.found, fault.expected) == ("a provisional edition", "the final one by now")
    edition(out / "2026Q1", "restated")
    assert heartbeat.overdue(firm, out, last_quiet + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("instant", "zone", "ended"),
    [
        ("2026-03-31 23:30", "UTC", "2025Q4"),
        ("2026-03-31 23:30", "Europe/Berlin", "2026Q1"),
        ("2026-04-01 03:00", "America/New_York", "2025Q4"),
        ("2026-04-01 03:00", "Pacific/Apia", "2026Q1"),
    ],
)
def test_the_quarter_that_ended_last_is_that_of_the_companys_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instant: str, zone: str, ended: str
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.fromisoformat(instant).replace(tzinfo=UTC).astimezone(tz)

    firm = open_company(write(tmp_path, base=SETTINGS.replace('"EUR"', f'"EUR"\ntimezone = "{zone}"')))
    monkeypatch.setattr("abm_lib.company.datetime", Clock)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert firm.calendar.last_complete(firm.today).label == ended
    monkeypatch.setitem(firm.__dict__, "known_until", date(2026, 3, 31))
    assert firm.last_ended().label == ended
    monkeypatch.setitem(firm.__dict__, "known_until", date(2025, 12, 30))
    with pytest.raises(InputRefused, match="P16 stale-data"):
        firm.last_ended()


@pytest.mark.parametrize(
    ("known_until", "settings", "state"),
    [
        (date(2026, 3, 30), "", "to_date"),
        (date(2026, 3, 31), "", "provisional"),
        (date(2026, 4, 11), "", "provisional"),  # the tenth day after the end counts to its last hour
        (date(2026, 4, 12), "", "final"),
        (date(2026, 4, 12), "look_back_days = 14\n", "provisional"),
        (date(2026, 4, 15), "look_back_days = 14\n", "provisional"),
        (date(2026, 4, 16), "look_back_days = 14\n", "final"),
        (date(2026, 4, 12), "look_back_days = 3\n", "final"),
        (date(2026, 4, 2), "[as_of]\nsettle_days = 0\n", "final"),
    ],
)
def test_an_edition_is_final_once_the_last_day_that_counts_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_until: date, settings: str, state: str
) -> None:
    firm = open_company(write(tmp_path, settings=settings))
    monkeypatch.setitem(firm.__dict__, "known_until", known_until)
    assert editions.state(firm, firm.calendar.quarter("2026Q1")) == state


# Telling


class Inbox:
    """A mail server on this machine that keeps what it is sent, or refuses it."""

    def __init__(self, refuse: bool = False) -> None:
        self.mails: list[Any] = []
        self.refuse = refuse

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            return "554 no"
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mail() -> Any:
    controllers = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd: not installed")
    pytest.importorskip("apprise", reason="apprise: not installed")
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = controllers.Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    yield inbox, f"mailto://127.0.0.1:{port}?from=abm@firm.example&to=cfo@firm.example&mode=insecure&smtp=127.0.0.1"
    server.stop()


def test_each_address_is_told_once_of_an_edition_and_the_edition_is_left_alone(tmp_path: Path, mail: Any) -> None:
    inbox, address = mail
    edition = told_of(tmp_path / "20260401T000000Z-abcdef")
    before = list(edition.iterdir())
    assert notify.send(edition, [address], "A title", "A text") == (1, 0)
    assert notify.send(edition, [address], "A title", "A text") == (0, 1)
    assert len(inbox.mails) == 1 and b"A text" in inbox.mails[0].content
    assert list(edition.iterdir()) == before
    (book,) = tmp_path.glob("*.sent")
    assert "firm.example" not in book.read_text()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, (0, 1)),
        ({"state": "final"}, (1, 0)),
        ({"readings": "other"}, (1, 0)),
        ({"state": "restated", "restatement": 1}, (1, 0)),
        ({"quarter": "2026Q2"}, (1, 0)),
    ],
    ids=["the same again", "now final", "other numbers", "restated", "another quarter"],
)
def test_a_run_that_published_the_same_again_tells_nobody(
    tmp_path: Path, mail: Any, changed: dict[str, Any], told: tuple[int, int]
) -> None:
    _, address = mail
    assert notify.send(told_of(tmp_path / "first"), [address], "A title", "A text") == (1, 0)
    assert notify.send(told_of(tmp_path / "second", **changed), [address], "A title", "A text") == told


def told_of(folder: Path, readings: str = "digest", **edition: Any) -> Path:
    """An edition's folder with what tells it from others."""
    folder.mkdir()
    said = {"quarter": "2026Q1", "state": "provisional"} | edition
    (folder / "manifest.json").write_text(json.dumps({"edition": said, "files": {"readings.parquet": readings}}))
    return folder


def test_one_who_refuses_is_named_without_the_address_and_asked_again_next_time(tmp_path: Path, mail: Any) -> None:
    inbox, address = mail
    inbox.refuse = True
    edition = told_of(tmp_path / "edition")
    with pytest.raises(NotAnnounced) as caught:
        notify.send(edition, ["nobody://x", address], "A title", "A text")
    assert caught.value.exit_code == 6
    assert [fault.where for fault in caught.value.faults] == ["nobody", "mailto"]
    inbox.refuse = False
    assert notify.send(edition, [address], "A title", "A text") == (1, 0)


class Chat(BaseHTTPRequestHandler):
    """A web hook on this machine that keeps what is posted to it."""

    posted: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, json.loads(said)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a chat server. Slack's and Teams' own hosts are led there, whatever they are asked for."""
    pytest.importorskip("apprise", reason="apprise: not installed")
    requests = pytest.importorskip("requests", reason="apprise: not installed")  # what it posts by
    Chat.posted.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port, send = server.server_address[1], requests.Session.send

    def here(session: Any, request: Any, **options: Any) -> Any:
        request.url = f"http://127.0.0.1:{port}{request.path_url}"
        return send(session, request, **options | {"verify": False})

    monkeypatch.setattr(requests.Session, "send", here)
    yield port
    server.shutdown()
    server.server_close()


SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = "workflows://flow.example:443/number/signature/"


def test_slack_and_teams_get_the_text_alone_and_nothing_from_elsewhere(tmp_path: Path, chat: int) -> None:
    text = notify._harmless("Q3 closed 7% under target <!channel> @here")
    edition = told_of(tmp_path / "edition")
    assert notify.send(edition, [SLACK, TEAMS, f"json://127.0.0.1:{chat}/hook"], "A title", text) == (3, 0)
    assert [path.split("?")[0].split("/")[1] for path, _ in Chat.posted] == ["services", "workflows", "hook"]
    for _, said in Chat.posted:
        written = json.dumps(said, ensure_ascii=False)
        assert "Q3 closed 7% under target" in written and "A title" in written
        assert not set("<@") & set(written) and "apprise" not in written.casefold()
    assert notify.send(edition, [SLACK, TEAMS], "A title", text) == (0, 2)
    (book,) = tmp_path.glob("*.sent")
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in book.read_text()


def test_nobody_to_tell_is_a_fault(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="apprise: not installed")
    with pytest.raises(UsageError):
        notify.send(tmp_path, [], "A title", "A text")


@pytest.mark.parametrize("text", ["<!channel> look", "@here", "a\r\nBcc: x@y.example", "<http://x|y>", "`rm`"])
def test_no_text_of_a_company_is_a_command_a_mention_or_a_header(text: str) -> None:
    line = notify._harmless(text)
    assert not set(line) & set("<>@`\r\n")
