"""`abm pull` against a real PostgreSQL server that the test starts, and what it says where there is none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from delivering import deliver, written
from small_company import frozen

from abm_lib import config
from abm_lib.company import open_company
from abm_lib.errors import AbmError, EnvironmentFault, InputRefused, UsageError
from abm_lib.sources import mapping, pulling

NO_POSTGRES = "PostgreSQL: its server is not on this machine"
CRM = '\n[sources.crm]\nmap = "salesforce-fivetran"\nconnection = "TEST_CRM_URL"\ndb_schema = "salesforce"\n'
TABLES = """
create schema salesforce;
create table salesforce.account (
    id text, name text, annual_revenue numeric(18, 2), created_date timestamptz, _fivetran_synced timestamptz);
insert into salesforce.account values ('1', 'Älpha, "Ltd"', 1250.50, '2026-03-31 23:30:00+00', '2026-10-01'),
    ('2', null, null, null, '2026-10-01');
insert into salesforce.account select 'b' || i, 'Bulk ' || i, i, '2026-01-01', '2026-10-01' from generate_series(1, 60000) i;
create view salesforce.opportunity as
    select '9' as id, '1' as account_id, 'New Business' as type, 'offer' as stage_name, 5.5 as amount, 'EUR' as currency_iso_code,
        timestamp '2026-01-02 03:04:05' as created_date, date '2026-05-01' as close_date, false as is_closed,
        date '2026-10-01' as _fivetran_synced;
create table salesforce.nobodys (a int);
"""


def unprivileged(*command: object) -> list[str]:
    """The command as a user who may run a server: root may not."""
    words = [str(word) for word in command]
    return ["runuser", "-u", "postgres", "--", *words] if os.geteuid() == 0 else words


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server of its own, which ends with the module."""
    if not shutil.which("initdb") or not shutil.which("pg_ctl"):
        pytest.skip(NO_POSTGRES)
    place = Path(tempfile.mkdtemp(prefix="abm-postgres-"))  # pytest's own folders are closed to other users
    place.chmod(0o755)
    data = place / "data"
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    subprocess.run(
        unprivileged("initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8"), check=True, capture_output=True
    )
    start = unprivileged("pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        execute(url, TABLES)
        yield url
    finally:
        subprocess.run(unprivileged("pg_ctl", "-D", data, "-m", "immediate", "stop"), check=True, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)


def execute(url: str, statements: str) -> None:
    import sqlalchemy as sa

    with sa.create_engine(url).begin() as server:
        server.exec_driver_sql(statements)


def pull(folder: Path) -> list[str]:
    said: list[str] = []
    settings = config.load(folder)
    pulling.pull(folder, settings, mapping.load_maps(folder, settings), said.append)
    return said


def pull_until_it_differs(folder: Path) -> None:
    for _ in range(5):  # two of a thousand counts are the same now and then
        pull(folder)


def test_the_tables_of_a_server_are_fetched_once_and_then_read_like_files(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CRM_URL", address)
    folder = written(tmp_path, CRM)
    assert sorted(pull(folder)) == ["pulled crm.account: 60002 rows", "pulled crm.opportunity: 1 rows"]
    monkeypatch.delenv("TEST_CRM_URL")
    read = deliver(folder)
    assert read.counts["accounts"] == (60002, 60001, 0, 1, 0)
    assert [(f.rule, f.level) for f in read.faults] == [("F087", "Q")]
    found = read.rows(
        "select name, annual_revenue::varchar, created_at::varchar from canonical.accounts where account_id = '1'"
    )
    assert found == [('Älpha, "Ltd"', "1250.5000", "2026-03-31 23:30:00")]
    company = open_company(folder)
    assert frozen(company, "select stage, amount::double, close_on::varchar from opportunity_changes") == [
        ("offer", 5.5, "2026-05-01")
    ]
    assert str(company.known_until) == "2026-10-01"
    assert address not in "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_a_query_of_abm_toml_goes_before_the_table_and_a_table_that_grew_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CRM_URL", address)
    folder = written(
        tmp_path, CRM + "queries.account = \"select id, upper(name) as name from salesforce.account where id = '1'\"\n"
    )
    pull(folder)
    assert deliver(folder).rows("select name from canonical.accounts") == [('ÄLPHA, "LTD"',)]
    growing = 'queries.account = "select id, name from salesforce.account limit (random() * 1000)::int + 5"\n'
    (folder / "abm.toml").write_text((folder / "abm.toml").read_text().split("queries.account")[0] + growing)
    with pytest.raises(InputRefused) as caught:
        pull_until_it_differs(folder)
    assert caught.value.faults[0].rule == "F095"
    assert deliver(folder).rows("select count(*) from canonical.accounts") != [(0,)]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+psycopg://tester:sesame@127.0.0.1:1/postgres", "Operational"), ("nothing", "ArgumentError"),
        ("postgresql+nodriver://x@y/z", "NoSuchModuleError"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_answer_is_an_environment_fault_that_names_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("TEST_CRM_URL", url)
    with pytest.raises(EnvironmentFault) as caught:
        pull(written(tmp_path, CRM))
    (fault,) = caught.value.faults
    assert words in fault.found and "sesame" not in str(fault)


def test_what_was_fetched_before_stays_where_the_next_time_fails(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CRM_URL", address)
    folder = written(tmp_path, CRM)
    pull(folder)
    before = {path.name: path.read_bytes() for path in (folder / ".abm" / "pulled" / "crm").iterdir()}
    (folder / "abm.toml").write_text((folder / "abm.toml").read_text() + 'queries.contact = "select * from nowhere"\n')
    with pytest.raises(AbmError):
        pull(folder)
    assert {path.name: path.read_bytes() for path in (folder / ".abm" / "pulled" / "crm").iterdir()} == before


def test_without_an_address_or_a_connection_the_fix_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_CRM_URL", raising=False)
    with pytest.raises(UsageError) as caught:
        pull(written(tmp_path / "a", CRM))
    assert "set TEST_CRM_URL" in caught.value.faults[0].fix
    with pytest.raises(UsageError) as caught:
        pull(written(tmp_path / "b", "\n[sources.crm]\n"))
    assert caught.value.faults[0].name == "nothing-to-pull"


def test_an_address_may_stand_in_the_keyring_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address leads to no server: what was asked for is told by which one is tried."""
    asked = []

    def get_password(service: str, name: str) -> str:
        asked.append((service, name))
        return "postgresql+psycopg://kept@127.0.0.1:1/base"

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=get_password))
    monkeypatch.delenv("TEST_CRM_URL", raising=False)
    with pytest.raises(EnvironmentFault) as caught:
        pull(written(tmp_path, CRM))
    assert asked == [("abm", "TEST_CRM_URL")]
    assert caught.value.faults[0].name == "server" and "kept" not in str(caught.value)
    monkeypatch.setenv("TEST_CRM_URL", "postgresql+psycopg://said@127.0.0.1:1/base")
    with pytest.raises(EnvironmentFault):
        pull(tmp_path)
    assert len(asked) == 1


def test_a_keyring_that_cannot_be_opened_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=lambda *_: 1 / 0))
    monkeypatch.delenv("TEST_CRM_URL", raising=False)
    with pytest.raises(UsageError) as caught:
        pull(written(tmp_path, CRM))
    assert caught.value.faults[0].fix == "set TEST_CRM_URL, or `keyring set abm TEST_CRM_URL`"


def test_a_source_that_was_not_pulled_yet_is_refused_with_the_command(tmp_path: Path) -> None:
    (fault,) = deliver(written(tmp_path, CRM)).faults
    assert (fault.rule, fault.level) == ("F105", "E") and fault.fix == f"abm pull {tmp_path}"


def test_the_command_ends_as_the_contract_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "abm_lib.cli", "pull", str(written(tmp_path, "\n[sources.crm]\n"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "nothing-to-pull" in done.stderr
