"""The `abm` command. stdout is data, stderr is talk; exit codes are those of errors.py, 1 for a bug, 130 when interrupted.

`--json` may stand anywhere in a command: faults are then JSON, one a line.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from . import __version__
from .errors import AbmError, EnvironmentFault, Fault, PublishRefused, UsageError, masked, nearest, printable

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False,
                  help="The quarterly account-based marketing report. With --json, faults are JSON lines.")  # fmt: skip
metrics_app = typer.Typer(no_args_is_help=True, help="The catalogue of metrics.")
app.add_typer(metrics_app, name="metrics")
CompanyFolder = Annotated[str, typer.Argument(help="The company folder, with its abm.toml.", metavar="COMPANY")]


def talk(text: str, longest: int = 200) -> None:
    """One line of progress; with --json a JSON line."""
    typer.echo(json.dumps({"said": text}) if "--json" in sys.argv else printable(text, longest), err=True)


def tell(faults: Iterable[Fault]) -> None:
    """Each fault once, on stderr."""
    for fault in faults:
        typer.echo(json.dumps(fault.as_dict()) if "--json" in sys.argv else fault, err=True)


@app.command()
def run(
    company: CompanyFolder,
    quarter: Annotated[
        str,
        typer.Option(
            help="Such as 2026Q3; `last` for the one that ended last by today; the last in the data by default."
        ),
    ] = "",
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day whose records count.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where editions lie.")] = Path("reports"),
    engine: Annotated[str, typer.Option(help="duckdb or spark.")] = "duckdb",
    only: Annotated[str, typer.Option(help="Pages to make beside the summary, such as ads,revenue.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at once.")] = 2,
    profile: Annotated[
        str, typer.Option(help="internal, or shared for readers outside the revenue team.")
    ] = "internal",
    static: Annotated[bool, typer.Option("--static", help="Pages without any script.")] = False,
    single: Annotated[bool, typer.Option("--single", help="All pages in one file as well.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF as well, by the Chromium of this machine.")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="The readings as a workbook as well.")] = False,
    digest: Annotated[bool, typer.Option("--digest", help="A short mail as well.")] = False,
    cell_limit: Annotated[int, typer.Option(min=1, help="Seconds that one cell may take.")] = 600,
    total_limit: Annotated[
        int, typer.Option(min=1, help="Seconds that reading, computing and all notebooks may take.")
    ] = 3600,
    fail_on: Annotated[str, typer.Option(help="caveat: publish nothing while a number carries one; exit 4.")] = "",
    explained: Annotated[
        bool, typer.Option("--explain", help="First say how each number is read, and which has no input.")
    ] = False,
    to: Annotated[list[str] | None, typer.Option("--notify", help="Addresses to tell once it is published.")] = None,
) -> None:
    """Publish the report of a quarter."""
    from .disclosure import PROFILES
    from .metrics import FAMILIES
    from .run import deliver, publish
    from .run.execute import Limits
    from .run.progress import moving

    pages = tuple(name for name in only.split(",") if name)
    _known("--only", pages, FAMILIES)
    _known("--engine", (engine,), ("duckdb", "spark"))
    _known("--profile", (profile,), tuple(PROFILES))
    _known("--fail-on", (fail_on,) if fail_on else (), ("caveat",))
    asked = zip(deliver.FORMS, (static, single, pdf, xlsx, digest), strict=True)
    forms = tuple(form for form, wanted in asked if wanted)
    day: date | None = as_of.date() if as_of else None
    if explained:
        _explain(company, engine)
    with moving(talk, plain="--json" in sys.argv) as (said, now):
        folder = publish.run(company, quarter=quarter, as_of=day, out=out, engine=engine, only=pages, jobs=jobs, profile=profile,
                             forms=forms, said=said, now=now, limits=Limits(cell_limit, total_limit), fail_on=fail_on)  # fmt: skip
    typer.echo(folder / "index.html")
    if to:
        _announce(folder, to, "")


def _explain(company: str, engine: str) -> None:
    """How the readings of a company are made, a line for each thing."""
    from . import explain
    from .company import open_company

    for line in explain.lines(open_company(company, engine)):
        talk(line, longest=2000)


@app.command()
def check(
    company: CompanyFolder,
    heartbeat: Annotated[
        bool, typer.Option("--heartbeat", help="Only whether the last quarter's edition is there.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where editions lie, for --heartbeat.")] = Path("reports"),
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="For --heartbeat; now by default.")
    ] = None,
) -> None:
    """Read the inputs and say what was accepted and set aside, what is missing, and what that would unlock. Computes nothing."""
    from . import checklist
    from .company import open_company

    opened = open_company(company)
    if heartbeat:
        from .run.heartbeat import overdue

        if faults := overdue(opened, out, today.date() if today else opened.today):
            raise PublishRefused(faults)
        typer.echo("the last edition that is due is there")
        return
    tell(Fault(**fault) for fault in opened.notes["faults"])
    for line in checklist.lines(opened):
        typer.echo(printable(line, longest=1000))


@app.command()
def pull(company: CompanyFolder) -> None:
    """Fetch the tables of the servers that abm.toml names, once; afterwards they are read like files."""
    from . import config
    from .company import find
    from .sources import mapping, pulling

    folder = find(company)
    settings = config.load(folder)
    pulling.pull(folder, settings, mapping.load_maps(folder, settings), talk)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    seed: Annotated[int, typer.Option(help="Another seed is another company.")] = 7,
    scale: Annotated[float, typer.Option(min=0.005, max=10, help="1 is about 3,000 accounts.")] = 1.0,
    first_month: Annotated[int, typer.Option(min=1, max=12, help="First month of the fiscal year.")] = 1,
    currency: Annotated[str, typer.Option(help="Reporting currency: EUR, USD or GBP.")] = "EUR",
    of: Annotated[
        str, typer.Option("--from", help="Your own systems instead, such as salesforce-fivetran,ga4-bigquery.")
    ] = "",
) -> None:
    """Write an invented company folder that runs at once, or with --from one for your own data, with comments."""
    from . import sample
    from .sources import scaffold

    if folder.exists() and any(folder.iterdir()):
        _refuse("init", str(folder), "the folder is not empty", "a new or empty folder", "name another folder")
    if of:
        wanted = tuple(name.strip() for name in of.split(",") if name.strip())
        _known("--from", wanted, tuple(scaffold.known()))
        scaffold.write(folder, wanted, currency, first_month)
        typer.echo(folder)
        return
    sample.write(folder, seed=seed, scale=scale, first_month=first_month, currency=currency)
    typer.echo(folder)


@app.command()
def verify(edition: Annotated[Path, typer.Argument(help="Such as reports/2026Q3.")]) -> None:
    """Check that every file of an edition still is what was published."""
    from .run import gate

    if not (edition / "manifest.json").is_file():
        _refuse(
            "verify", str(edition), "no manifest.json", "an edition's folder", "name a folder such as reports/2026Q3"
        )
    faults = gate.verify(edition)
    if faults:
        raise PublishRefused(faults)
    typer.echo(f"{edition} is as it was published")


@app.command()
def diff(old: Annotated[Path, typer.Argument(help="An edition's folder.")],
         new: Annotated[Path, typer.Argument(help="A later one.")],
         company: Annotated[Path | None, typer.Option(help="The company folder: which rows are new or gone.")] = None) -> None:  # fmt: skip
    """What moved between two editions, and why."""
    from .run import diff

    for folder in (old, new):
        if not (folder / "manifest.json").is_file():
            _refuse(
                "diff", str(folder), "no manifest.json", "an edition's folder", "name a folder such as reports/2026Q3"
            )
    for line in diff.lines(old, new, company):
        typer.echo(line)


@app.command()
def schedule(
    kind: Annotated[str, typer.Argument(help="cron, systemd, github, airflow or jupyter-scheduler.")],
    company: CompanyFolder,
    out: Annotated[Path, typer.Option(help="Where editions lie.")] = Path("reports"),
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day planned for.")] = None,
    to: Annotated[list[str] | None, typer.Option("--notify", help="Addresses that each edition is told to.")] = None,
) -> None:
    """Print files that run the report on its provisional and final days."""
    from .company import open_company
    from .run import schedule

    _known("schedule", (kind,), tuple(schedule.KINDS))
    opened = open_company(company)
    planned = schedule.plan(opened, out, today.date() if today else opened.today, to or ())
    text = schedule.KINDS[kind](planned)
    planned.out.mkdir(parents=True, exist_ok=True)  # a unit may write to what is there, and no further
    typer.echo(text, nl=False)


@app.command()
def notify(
    edition: Annotated[Path, typer.Argument(help="Such as reports/2026Q3.")],
    to: Annotated[
        list[str], typer.Option(envvar="ABM_NOTIFY", help="Addresses as apprise writes them: mailto://…, slack://…")
    ],
    link: Annotated[str, typer.Option(help="Where readers find the edition.")] = "",
    send: Annotated[bool, typer.Option("--send", help="Send it; without, it is only shown.")] = False,
) -> None:
    """Tell people that an edition is there, once."""
    from .run import gate, notify

    if faults := gate.verify(edition):
        raise PublishRefused(faults)
    folder = edition.resolve()
    if not send:
        title, text = notify.message(folder, link or str(edition / "index.html"))
        typer.echo(f"{title}\n\n{text}\n\nnot sent: --send was not given")
        return
    _announce(edition, to, link)


def _announce(edition: Path, to: list[str], link: str) -> None:
    """Tell each address once. Raises NotAnnounced where one could not be told: the edition stays published."""
    from .run import notify

    title, text = notify.message(edition.resolve(), link or str(edition / "index.html"))
    now, before = notify.send(edition.resolve(), to, title, text)
    talk(f"told {now}, {before} had been told before")


@app.command()
def doctor(
    company: Annotated[Path | None, typer.Option(help="A company folder, whose .abm is looked at as well.")] = None,
    out: Annotated[Path, typer.Option(help="Where editions lie.")] = Path("reports"),
) -> None:
    """Print what the report runs on: versions, room, permissions, programs, and what to do where something is missing."""
    import platform
    from importlib.metadata import version

    from .company import PROJECT
    from .run import doctor
    from .run.lock import differences
    from .run.publish import LIBRARIES

    typer.echo(f"abm_lib {__version__}, Python {platform.python_version()}, {platform.system()}")
    for name in LIBRARIES:
        typer.echo(f"{name} {version(name)}")
    if (lock := PROJECT / "requirements.lock").is_file():
        differ = list(differences(lock))
        typer.echo(
            f"{lock.name}: {len(differ)} of what is installed differ from it"
            if differ
            else f"{lock.name}: as installed"
        )
        for line in differ:
            typer.echo(f"  {line}")
    for line in doctor.lines(out, company):
        typer.echo(line)


@app.command()
def forget(
    company: CompanyFolder,
    person: Annotated[str, typer.Argument(help="An e-mail address or a person_id.")],
) -> None:
    """Take a person out of everything kept of a company, and keep them out. Published pages never named them."""
    from . import keeping
    from .company import find

    folder = find(company)
    for place in keeping.forget(folder, person, datetime.now(UTC).date()):
        typer.echo(f"{place.name}: {place.count}, {place.done or 'still there: delete it at its source'}")
    typer.echo(f"{folder.name}/{keeping.FORGOTTEN} keeps them out of every run to come")


@app.command()
def clean(
    company: CompanyFolder,
    pulled: Annotated[bool, typer.Option("--pulled", help="Also what `abm pull` fetched.")] = False,
    codes: Annotated[bool, typer.Option("--codes", help="Also the key of the codes of accounts: they change.")] = False,
) -> None:
    """Remove a company's frozen inputs and run folders (COMPANY/.abm), and say what is left. Editions stay."""
    from . import keeping
    from .company import find

    folder = find(company)
    also = [name for name, asked in ((keeping.PULLED, pulled), (keeping.CODES, codes)) if asked]
    gone, left = keeping.clean(folder, also)
    talk(f"removed of {folder.name}/.abm: {', '.join(gone) or 'nothing'}")
    for name in left:
        talk(f"left {folder.name}/.abm/{name}: {keeping.LEFT[name]}")


@metrics_app.command("list")
def list_metrics() -> None:
    """Every metric: id, family, unit, label."""
    for metric in _register().values():
        typer.echo(f"{metric.name:38} {metric.family:10} {metric.unit:14} {metric.label}")


@metrics_app.command("show")
def show_metric(name: str) -> None:
    """One metric as it is counted."""
    from . import catalogue
    from .metric import find

    _register()
    typer.echo(catalogue.entry(find(name)))


@metrics_app.command("export")
def export_metrics(form: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv") -> None:
    """The whole catalogue on stdout, one record a metric."""
    import csv

    from . import catalogue

    _known("--format", (form,), ("csv", "json"))
    records = catalogue.records(_register())
    if form == "json":
        typer.echo(json.dumps(records, ensure_ascii=False, indent=1))
        return
    writer = csv.DictWriter(sys.stdout, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


@metrics_app.command("docs")
def metric_docs(
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("docs"),
    check_only: Annotated[bool, typer.Option("--check", help="Fail when a file is not fresh.")] = False,
    company: Annotated[str, typer.Option(help="Whose readings are the examples.")] = "data/sample",
) -> None:
    """Write the catalogue of metrics and of settings from the code."""
    from . import catalogue, open_company, readings
    from .show.rows import Readings

    opened, register = open_company(company), _register()
    quarter = opened.quarter()
    told = Readings(readings.read(opened, quarter), register, quarter.label)
    for name, text in catalogue.pages(register, told).items():
        path = folder / name
        if check_only and (not path.is_file() or path.read_text(encoding="utf-8") != text):
            _refuse("metrics docs", str(path), "not what the code says", "a fresh document", "run `make docs`")
        if not check_only:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _register() -> dict[str, Any]:
    from . import metrics
    from .metric import REGISTER

    assert metrics.FAMILIES
    return REGISTER


def _known(option: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    faults = [
        Fault("C01", "unknown-name", option, name, nearest(name, known), "correct the name")
        for name in given
        if name not in known
    ]
    if faults:
        raise UsageError(faults)


def _refuse(command: str, where: str, found: str, expected: str, fix: str) -> None:
    raise UsageError(Fault("C08", command.replace(" ", "-"), where, found, expected, fix))


def main() -> None:
    """Run the command; print each fault once, and never a traceback: a bug's goes to a log file."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, lambda *_: sys.exit(143))  # what was begun is put away on the way out
    try:
        sys.exit(app(words, standalone_mode=False))
    except AbmError as error:
        tell(error.faults)
        sys.exit(error.exit_code)
    except TyperException as error:
        tell(_not_a_command(error))
        sys.exit(UsageError.exit_code)
    except OSError as error:
        place, found = str(error.filename or "a file"), error.strerror or type(error).__name__
        tell([Fault("P07", "no-access", place, found, "a file that this user may use", "free it, or make room")])
        sys.exit(EnvironmentFault.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        with tempfile.NamedTemporaryFile("w", prefix="abm-bug-", suffix=".log", delete=False, encoding="utf-8") as log:
            log.write(masked(traceback.format_exc()))
        fix = f"please report it with {log.name}"
        tell([Fault("B01", "bug", type(error).__name__, "a fault of abm itself", "none", fix)])
        sys.exit(1)


def _not_a_command(error: TyperException) -> list[Fault]:
    """What typer says of a command that it cannot read; nothing where it has shown the help instead."""
    context = getattr(error, "ctx", None)
    where, found = context.command_path if context else "abm", getattr(error, "format_message", str)()
    return [Fault("C08", "usage", where, found, f"see {where} --help", "correct the command")] if found else []


if __name__ == "__main__":
    main()
