"""`abm pull` of a REST server that the test starts: pages, counts, refusals, and nobody else who is asked."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from delivering import deliver, written

from abm_lib import cli, config
from abm_lib.company import open_company
from abm_lib.errors import EnvironmentFault, InputRefused, UsageError
from abm_lib.sources import mapping, pulling, rest

COMPANIES = [
    {
        "id": "1",
        "archived": False,
        "properties": {"name": "Älpha", "annualrevenue": 1250.5, "createdate": "2026-03-31T23:30:00Z"},
    },
    {
        "id": "2",
        "archived": False,
        "properties": {"name": "Beta", "annualrevenue": 3, "createdate": "2026-04-01T00:00:00Z"},
    },
    {"id": "3", "archived": False, "properties": {"name": "Gamma", "annualrevenue": None, "tags": ["a", "b"]}},
]
OWN = 'base = "hubspot-dlt"\n'
REST = """
[sources.crm]
map = "crm"

[sources.crm.rest]
base_url = "{base}/v1/"
auth = {{ type = "bearer", secret = "TEST_CRM_TOKEN" }}
paginator = {{ type = "page_number", base_page = 1, total_path = "" }}

[sources.crm.rest.resources.company]
path = "companies"
params = {{ limit = 2 }}
data_selector = "results"
total = "total"
"""


@dataclass
class Server:
    """A server of companies, two a page; `answers` may take the place of its answers, one after the other."""

    base: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.path, request.headers.get("Authorization", "")))
        if self.answers:
            self.answers.pop(0)(request)
        elif request.headers.get("Authorization") != "Bearer sesame":
            send(request, {"message": "who are you, ann@alpha.example?"}, status=401)
        else:
            page = int(parse_qs(urlsplit(request.path).query)["page"][0])
            send(request, {"results": COMPANIES[2 * page - 2 : 2 * page], "total": len(COMPANIES)})


def send(request: BaseHTTPRequestHandler, answer: Any, status: int = 200, cut: int = 0, **headers: str) -> None:
    """The answer; with `cut` so many of its last bytes never come."""
    text = json.dumps(answer).encode()
    request.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(text[: len(text) - cut])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    pytest.importorskip("dlt")
    ours = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ours.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        ours.base = f"http://127.0.0.1:{listening.server_address[1]}"
        monkeypatch.setenv("TEST_CRM_TOKEN", "sesame")
        monkeypatch.setattr(rest, "ATTEMPTS", 2)
        yield ours
        listening.shutdown()


def company(folder: Path, base: str, **changed: str) -> Path:
    """A company folder that asks the server; `changed` are lines of abm.toml, by what they begin with."""
    text = REST.format(base=base)
    for key, line in changed.items():
        text = re.sub(rf"^{key} = .*$", line, text, flags=re.MULTILINE)
    folder = written(folder, text)
    (folder / "crm.toml").write_text(OWN, encoding="utf-8")
    return folder


def pull(folder: Path) -> list[str]:
    said: list[str] = []
    settings = config.load(folder)
    pulling.pull(folder, settings, mapping.load_maps(folder, settings), said.append)
    return said


def test_a_list_is_fetched_page_by_page_and_then_read_like_files(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reached, connect = set(), socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, to: (reached.add(to), connect(self, to))[1])
    monkeypatch.chdir(tmp_path)
    before, folder = dict(os.environ), company(tmp_path / "company", server.base)
    assert pull(folder) == ["pulled crm.company: 3 rows, as the server counts"]
    assert {f"http://{host}:{port}" for host, port in reached} == {server.base}  # no word to dlt's makers
    assert [urlsplit(path).path for path, _ in server.asked] == ["/v1/companies"] * 3 and dict(os.environ) == before
    monkeypatch.delenv("TEST_CRM_TOKEN")
    found = deliver(folder).rows(
        "select account_id, name, annual_revenue::varchar, created_at::varchar from canonical.accounts order by 1"
    )
    assert found == [
        ("1", "Älpha", "1250.5000", "2026-03-31 23:30:00"), ("2", "Beta", "3.0000", "2026-04-01 00:00:00"),
        ("3", "Gamma", None, None),
    ]  # fmt: skip
    assert open_company(folder).known_until is not None
    kept = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet") if "pulled" in path.parts)
    assert kept == [".abm/pulled/crm/company.parquet", ".abm/pulled/crm/company__properties__tags.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["company"]
    told = "".join(capfd.readouterr()) + "".join(
        p.read_text(errors="replace") for p in folder.rglob("*") if p.is_file()
    )
    assert "sesame" not in told


def test_a_server_that_asks_for_patience_gets_it(server: Server, tmp_path: Path) -> None:
    server.answers = [lambda request: send(request, {}, status=429, Retry_After="1")]
    assert pull(company(tmp_path, server.base)) == ["pulled crm.company: 3 rows, as the server counts"]
    assert len(server.asked) == 4


def test_a_page_that_is_cut_is_asked_for_again_and_then_refused(server: Server, tmp_path: Path) -> None:
    folder = company(tmp_path, server.base)
    pull(folder)
    kept = (folder / ".abm/pulled/crm/company.parquet").read_bytes()
    page = {"results": COMPANIES[:2], "total": 3}
    server.answers = [lambda request: send(request, page, cut=20)] * 2
    with pytest.raises(EnvironmentFault) as caught:
        pull(folder)
    assert caught.value.faults[0].rule == "P13" and caught.value.exit_code == 7
    assert (folder / ".abm/pulled/crm/company.parquet").read_bytes() == kept
    assert [path.name for path in (folder / ".abm/pulled").iterdir()] == ["crm"]
    server.answers = [lambda request: send(request, page, cut=20)]
    assert pull(folder) == ["pulled crm.company: 3 rows, as the server counts"]


PAGE, EMPTY = {"results": COMPANIES[:2], "total": 3}, {"results": [], "total": 3}


@pytest.mark.parametrize(
    ("answers", "rule", "name", "found"),
    [
        ([PAGE, EMPTY], "F095", "count-differs", "2 rows read"),
        ([PAGE, {"results": COMPANIES[2:], "total": 4}, EMPTY], "F095", "count-differs", "3 rows read"),
        ([PAGE, PAGE], "F095", "page-twice", "the same page twice"),
        ([{"results": COMPANIES[:2]}, {"results": []}], "F095", "no-count", "nothing at total"),
        ([{"error": "try later, ann@alpha.example"}], "F018", "no-list", "an answer without results"),
    ],
)  # fmt: skip
def test_a_list_that_is_not_whole_is_refused(
    server: Server, tmp_path: Path, answers: list[Any], rule: str, name: str, found: str
) -> None:
    server.answers = [lambda request, answer=answer: send(request, answer) for answer in answers]
    with pytest.raises(InputRefused) as caught:
        pull(company(tmp_path, server.base))
    (fault,) = caught.value.faults
    assert (fault.rule, fault.name, fault.found) == (rule, name, found) and caught.value.exit_code == 3
    assert not (tmp_path / ".abm" / "pulled" / "crm").exists()


def test_without_a_count_of_the_server_that_is_said(server: Server, tmp_path: Path) -> None:
    assert pull(company(tmp_path, server.base, total="")) == [
        "pulled crm.company: 3 rows, which the server does not count"
    ]


def test_an_answer_that_leads_to_another_server_is_not_followed(server: Server, tmp_path: Path) -> None:
    elsewhere = server.base.replace("127.0.0.1", "localhost")
    server.answers = [lambda request: send(request, PAGE | {"next": f"{elsewhere}/v1/companies?page=2"})]
    folder = company(tmp_path, server.base, paginator='paginator = { type = "json_link", next_url_path = "next" }')
    with pytest.raises(InputRefused) as caught:
        pull(folder)
    assert caught.value.faults[0].rule == "S6" and len(server.asked) == 1
    server.answers = [lambda request: send(request, {}, status=302, Location=f"{elsewhere}/v1/companies")]
    with pytest.raises(InputRefused) as caught:
        pull(folder)
    assert caught.value.faults[0].rule == "S6" and len(server.asked) == 2


def test_a_server_that_does_not_know_us_is_told_by_name_of_the_secret(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CRM_TOKEN", "a wrong one")
    with pytest.raises(EnvironmentFault) as caught:
        pull(company(tmp_path, server.base))
    (fault,) = caught.value.faults
    assert fault.found == "HTTP 401 for /v1/companies" and "TEST_CRM_TOKEN" in fault.fix
    assert "wrong one" not in str(fault) and "ann@" not in str(fault)


def test_an_api_key_may_stand_among_the_parameters_and_is_never_said(server: Server, tmp_path: Path) -> None:
    auth = 'auth = { type = "api_key", secret = "TEST_CRM_TOKEN", name = "key", location = "query" }'
    with pytest.raises(EnvironmentFault) as caught:
        pull(company(tmp_path, server.base, auth=auth))
    assert "key=sesame" in server.asked[0][0] and "sesame" not in str(caught.value)


def test_without_a_secret_nobody_is_asked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_CRM_TOKEN")
    with pytest.raises(UsageError) as caught:
        pull(company(tmp_path, server.base))
    assert caught.value.faults[0].name == "no-secret" and "set TEST_CRM_TOKEN" in caught.value.faults[0].fix
    assert server.asked == []


@pytest.mark.parametrize(
    ("key", "line", "words"),
    [
        ("base_url", 'base_url = "http://crm.example/v1/"', "https://"),
        ("base_url", 'base_url = "https://ann:sesame@crm.example/"', "without a user"),
        ("paginator", "", "not guessed"),
        ("paginator", 'paginator = { type = "auto" }', "page_number"),
        ("auth", 'auth = { type = "bearer", secret = "eyJhbGciOi.xyz" }', "pattern"),
        ("auth", 'headers = { authorization = "Bearer sesame" }', "no secret"),
        ("path", 'path = "https://elsewhere.example/"', "pattern"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_usage_errors(tmp_path: Path, key: str, line: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        pull(company(tmp_path, "https://crm.example", **{key: line}))
    assert words in str(caught.value)


def test_a_list_that_no_table_of_the_map_is_called_is_refused_with_the_nearest(tmp_path: Path) -> None:
    folder = company(tmp_path, "https://crm.example")
    (folder / "abm.toml").write_text(
        (folder / "abm.toml").read_text().replace("resources.company", "resources.compnay")
    )
    with pytest.raises(UsageError) as caught:
        pull(folder)
    assert "'company'" in caught.value.faults[0].expected


def test_a_setting_that_dlt_does_not_know_is_a_usage_error(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pull(company(tmp_path, server.base, paginator='paginator = { type = "page_number", pages = 3 }'))
    assert caught.value.faults[0].rule == "C01" and "pages" in caught.value.faults[0].found


def test_without_dlt_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = company(tmp_path, "http://127.0.0.1:1")
    monkeypatch.setenv("TEST_CRM_TOKEN", "sesame")
    monkeypatch.setitem(sys.modules, "dlt", None)
    with pytest.raises(EnvironmentFault) as caught:
        pull(folder)
    assert "abm_lib[pull]" in caught.value.faults[0].fix


def test_a_server_that_is_away_is_an_environment_fault(server: Server, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        pull(company(tmp_path, "http://127.0.0.1:1"))
    assert caught.value.faults[0].found == "ConnectionError"


def test_the_command_says_no_traceback_and_no_secret(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = company(tmp_path, server.base)
    done = subprocess.run([sys.executable, "-m", "abm_lib.cli", "pull", folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "pulled crm.company: 3 rows, as the server counts\n"
    server.answers = [lambda request: send(request, {}, status=403)]
    monkeypatch.setattr(sys, "argv", ["abm", "pull", str(folder)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, err = capfd.readouterr()
    assert left.value.code == 7 and out == "" and err.startswith("E P13 server  source crm\n  found    HTTP 403")
    assert err.count("\n") == 4 and "sesame" not in err
