"""Schedules for the company's fiscal calendar, the heartbeat, and telling people once."""

from __future__ import annotations

import ast
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from small_company import write

from abm_lib.company import Company, open_company
from abm_lib.errors import NotAnnounced, UsageError
from abm_lib.run import notify, schedule

TODAY = date(2026, 3, 20)
CALENDARS = {"months": "", "february": "[fiscal]\nfirst_month = 2\n", "weeks": '[fiscal]\npattern = "445"\n'}


def company(place: Path, calendar: str = "months") -> Company:
    return open_company(write(place / "my firm", base=_base(calendar)))


def _base(calendar: str) -> str:
    from small_company import SETTINGS

    return SETTINGS.replace("[sources.crm]", CALENDARS[calendar] + "[sources.crm]").replace(
        'currency = "EUR"', 'currency = "EUR"\ntimezone = "Europe/Berlin"'
    )


def plan(place: Path, calendar: str = "months") -> schedule.Plan:
    return schedule.plan(company(place, calendar), place / "reports", TODAY)


def test_a_calendar_of_months_has_a_provisional_and_a_final_day_that_recur(tmp_path: Path) -> None:
    planned = plan(tmp_path)
    assert planned.days[:2] == [date(2026, 4, 3), date(2026, 4, 11)]
    assert planned.crons == [("17 6 3 1,4,7,10 *", None), ("17 6 11 1,4,7,10 *", None)]
    assert plan(tmp_path / "f", "february").crons == [("17 6 3 2,5,8,11 *", None), ("17 6 11 2,5,8,11 *", None)]


def test_a_calendar_of_weeks_has_its_days_with_their_years(tmp_path: Path) -> None:
    planned = plan(tmp_path, "weeks")
    assert len(planned.days) == 16 and all(year for _, year in planned.crons)
    assert '[ "$(date +\\%Y)" = 2026 ] && abm run' in schedule.cron(planned)


def test_a_crontab_names_the_zone_and_quotes_the_folder(tmp_path: Path) -> None:
    text = schedule.cron(plan(tmp_path))
    assert "CRON_TZ=Europe/Berlin" in text.splitlines()
    jobs = [line for line in text.splitlines() if line[0].isdigit()]
    assert len(jobs) == 3 and all(f"'{tmp_path}/my firm'" in job for job in jobs)
    assert jobs[-1].startswith("17 6 * * 1 abm check") and "--heartbeat" in jobs[-1]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze: not on this machine")
@pytest.mark.parametrize("calendar", CALENDARS)
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path, calendar: str) -> None:
    files = _files(schedule.systemd(plan(tmp_path, calendar)), tmp_path)
    assert [path.name for path in files] == [
        "abm-report.service",
        "abm-report.timer",
        "abm-report-check.service",
        "abm-report-check.timer",
    ]
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
    assert sum(isinstance(node, ast.With) for node in tree.body) == 1
    assert "dagrun_timeout" in schedule.airflow(planned)
    jobs = json.loads(schedule.jupyter_scheduler(planned))
    assert all(ast.literal_eval(job["parameters"]["company"]) == str(tmp_path / "my firm") for job in jobs)
    workflow = schedule.github(planned)
    assert "timezone: Europe/Berlin" in workflow and "workflow_dispatch" in workflow and "concurrency" in workflow
    assert str(tmp_path) not in workflow


@pytest.mark.parametrize(
    ("today", "late"),
    [
        (date(2026, 4, 2), "2025Q4"),
        (date(2026, 4, 3), "2025Q4"),
        (date(2026, 4, 4), "2026Q1"),
        (date(2026, 6, 30), "2026Q1"),
    ],
)
def test_the_heartbeat_names_the_quarter_that_is_late(tmp_path: Path, today: date, late: str) -> None:
    firm, out = company(tmp_path), tmp_path / "reports"
    assert schedule.overdue(firm, out, today) == late
    (out / late).mkdir(parents=True)
    assert schedule.overdue(firm, out, today) == late, "a folder is no edition"
    (out / late / "manifest.json").write_text("{}")
    assert schedule.overdue(firm, out, today) == ""


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
    edition = tmp_path / "20260401T000000Z-abcdef"
    edition.mkdir()
    assert notify.send(edition, [address], "A title", "A text") == (1, 0)
    assert notify.send(edition, [address], "A title", "A text") == (0, 1)
    assert len(inbox.mails) == 1 and b"A text" in inbox.mails[0].content
    assert list(edition.iterdir()) == []
    assert "firm.example" not in (tmp_path / "20260401T000000Z-abcdef.sent").read_text()


def test_one_who_refuses_is_named_without_the_address_and_asked_again_next_time(tmp_path: Path, mail: Any) -> None:
    inbox, address = mail
    inbox.refuse = True
    with pytest.raises(NotAnnounced) as caught:
        notify.send(tmp_path, ["nobody://x", address], "A title", "A text")
    assert caught.value.exit_code == 6
    assert [fault.where for fault in caught.value.faults] == ["nobody", "mailto"]
    inbox.refuse = False
    assert notify.send(tmp_path, [address], "A title", "A text") == (1, 0)


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
    assert notify.send(tmp_path, [SLACK, TEAMS, f"json://127.0.0.1:{chat}/hook"], "A title", text) == (3, 0)
    assert [path.split("?")[0].split("/")[1] for path, _ in Chat.posted] == ["services", "workflows", "hook"]
    for _, said in Chat.posted:
        written = json.dumps(said, ensure_ascii=False)
        assert "Q3 closed 7% under target" in written and "A title" in written
        assert not set("<@") & set(written) and "apprise" not in written.casefold()
    assert notify.send(tmp_path, [SLACK, TEAMS], "A title", text) == (0, 2)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in "".join(p.read_text() for p in tmp_path.parent.glob("*.sent"))


def test_nobody_to_tell_is_a_fault(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="apprise: not installed")
    with pytest.raises(UsageError):
        notify.send(tmp_path, [], "A title", "A text")


@pytest.mark.parametrize("text", ["<!channel> look", "@here", "a\r\nBcc: x@y.example", "<http://x|y>", "`rm`"])
def test_no_text_of_a_company_is_a_command_a_mention_or_a_header(text: str) -> None:
    line = notify._harmless(text)
    assert not set(line) & set("<>@`\r\n")
