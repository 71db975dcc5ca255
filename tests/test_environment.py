"""One truth about dependencies: pyproject.toml, environment.yml, the lock files and DECISIONS.md tell the same."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from importlib.metadata import version as installed
from pathlib import Path

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from abm_lib.run.lock import differences

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
BUILD = [Requirement(line) for line in PROJECT["dependency-groups"]["build"]]
REPORT = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
TEST = REPORT + [Requirement(line) for lines in EXTRAS.values() for line in lines]
CARD = {"jupyterlab", "pandas", "altair", "papermill", "nbconvert"}
LOCKS = {"requirements.lock": REPORT + BUILD, "requirements-test.lock": TEST + BUILD}


def pins(lock: str) -> dict[str, set[str]]:
    """Every name pinned in a lock file with its versions: more than one where Pythons differ."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def decided() -> dict[str, dict[str, str]]:
    """The rows of the table of dependencies in DECISIONS.md, by name."""
    section = (ROOT / "DECISIONS.md").read_text(encoding="utf-8").split("\n## Dependencies\n")[1].split("\n## ")[0]
    head, _, *lines = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"
    ]
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines}


def months(label: str) -> int:
    year, month = label.split("-")
    return 12 * int(year) + int(month)


def imported(folder: str) -> set[str]:
    """The packages of others that the modules of a folder import by name."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    own = {
        "abm_lib",
        *(name for path in [*paths, *ROOT.glob("benchmarks/*.py")] for name in (path.stem, path.parent.name)),
    }
    return {name.split(".")[0] for name in names} - own - sys.stdlib_module_names


def test_the_conda_environment_has_the_names_and_bounds_of_pyproject():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    entries = re.findall(r"^  - ([^:\s]+)$", text.split("dependencies:")[1], re.MULTILINE)
    listed = {Requirement(entry).name: Requirement(entry).specifier for entry in entries}
    bounds = {needed.name: needed.specifier for needed in REPORT if needed.name in CARD}
    python = SpecifierSet(PROJECT["project"]["requires-python"])
    assert listed == {**bounds, "python": python, "pip": SpecifierSet()}
    assert len(bounds) == len(CARD)


def test_every_direct_dependency_has_a_lower_bound_of_its_own():
    names = [needed.name for needed in TEST]
    assert len(names) == len(set(names))
    assert [needed.name for needed in TEST if ">=" not in str(needed.specifier)] == []


@pytest.mark.parametrize("folder", ["abm_lib", "tests", "tools", "benchmarks"])
def test_what_is_imported_is_a_direct_dependency(folder):
    plain = {
        name: {owner.lower().replace("_", "-") for owner in owners} for name, owners in packages_distributions().items()
    }
    extras = EXTRAS["notify"] + EXTRAS["pdf"] + EXTRAS["spark"] + EXTRAS["pull"]
    direct = {needed.name for needed in TEST} if folder != "abm_lib" else {needed.name for needed in REPORT}
    direct |= {Requirement(line).name for line in extras}
    assert {name for name in imported(folder) if not plain.get(name, {name}) & direct} == set()


def test_the_build_needs_what_the_lock_files_pin():
    assert [str(needed) for needed in BUILD] == PROJECT["build-system"]["requires"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_of_a_lock_file_is_hashed(lock):
    entries = re.split(r"\n(?=[\w.-]+==)", "\n" + (ROOT / lock).read_text(encoding="utf-8"))[1:]
    assert len(entries) > 100
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_packages_and_hashes_and_no_place(lock):
    line = re.compile(r"[\w.-]+==\S+( ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    # (via|-r|  ).*|")
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [text for text in lines if not line.fullmatch(text) or "://" in text] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_each_direct_dependency_within_its_bounds(lock):
    pinned = pins(lock)
    wrong = [
        f"{needed} but {pinned.get(needed.name)}"
        for needed in LOCKS[lock]
        if not pinned.get(needed.name) or not all(needed.specifier.contains(v) for v in pinned[needed.name])
    ]
    assert wrong == []


def test_the_test_lock_holds_all_of_the_report_lock():
    report, test = pins("requirements.lock"), pins("requirements-test.lock")
    assert {name: versions for name, versions in report.items() if test.get(name) != versions} == {}


def test_each_direct_dependency_is_decided_with_its_bounds_and_pinned_release():
    pinned, rows = pins("requirements-test.lock"), decided()
    assert set(rows) == {needed.name for needed in TEST + BUILD}
    wrong = [
        needed.name
        for needed in TEST + BUILD
        if SpecifierSet(rows[needed.name]["bounds"]) != needed.specifier
        or rows[needed.name]["pinned"] not in pinned[needed.name]
        or not rows[needed.name]["why"]
    ]
    assert wrong == []


def test_a_release_older_than_two_years_says_why_it_stays():
    rows = decided()
    newest = max(months(row["released"]) for row in rows.values())
    old = [name for name, row in rows.items() if newest - months(row["released"]) > 24]
    assert [name for name in old if "; old, but" not in rows[name]["why"]] == []


def test_the_interpreters_that_make_looks_for_are_those_of_pyproject():
    script = (ROOT / "tools" / "with.sh").read_text(encoding="utf-8")
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    wanted = [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}")]
    (accepted,) = re.findall(r"^ +(3\.\d+(?: \| 3\.\d+)*)\)", script, re.MULTILINE)
    (searched,) = re.findall(r"for name in python3 (.+); do", script)
    assert accepted.split(" | ") == wanted
    assert searched.split() == [f"python{version}" for version in reversed(wanted)]


# make and its environment


def stand_in(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A copy of what make needs, in a folder with a space in its name and no environment yet."""
    project = tmp_path / "a project"
    (project / "tools").mkdir(parents=True)
    for name in ("Makefile", "tools/with.sh", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, project / name)
    for tool in ("make", "sh", "awk", "cmp", "env", "cp"):
        stand_in(tmp_path / "bin", tool, f'exec "{shutil.which(tool)}" "$@"')
    return project


def make(project: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make with nothing on PATH but the stand-ins."""
    path = str(project.parent / "bin")
    return subprocess.run(
        [f"{path}/make", *words], cwd=project, env={"PATH": path, **variables}, capture_output=True, text=True
    )


def test_a_python_without_venv_is_told_the_system_package_and_no_traceback(fresh):
    real = f'"{sys.executable}" "$@"'
    stand_in(fresh.parent / "bin", "python3", f'case "$*" in *ensurepip*) exit 1;; esac\nexec {real}')
    said = make(fresh, "report")
    assert said.returncode == 2
    assert "python3-venv" in said.stderr
    assert "(exit 7)" in said.stderr
    assert "Error 7" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("version", ["3.10", "3.14", "2.7"])
def test_a_python_too_old_or_too_new_gets_one_sentence(fresh, version):
    stand_in(fresh.parent / "bin", "python3", f"echo {version}")
    said = make(fresh, "test")
    assert said.returncode == 2
    assert said.stderr.splitlines()[0] == f"Python 3.11, 3.12 or 3.13 is needed; found: {version} (exit 7)"


def test_a_machine_without_python_gets_one_sentence(fresh):
    assert make(fresh, "report").stderr.splitlines()[0] == "Python 3.11, 3.12 or 3.13 is needed; found: none (exit 7)"


@pytest.fixture
def ready(fresh: Path) -> Path:
    """A project whose environment is up to date, with an `abm` that prints its words and fails as told."""
    stand_in(fresh / ".venv", "placeholder", "")
    stand_in(fresh / ".venv" / "bin", "python", "exit 0")
    stand_in(fresh / ".venv" / "bin", "abm", 'for word; do echo "<$word>"; done; echo talk >&2; exit ${FAIL:-0}')
    shutil.copy(fresh / "requirements.lock", fresh / ".venv" / "requirements.lock")
    return fresh


def test_make_report_asks_for_the_sample_and_the_last_complete_quarter(ready):
    assert make(ready, "report").stdout.split("\n")[:-1] == ["<run>", "<data/sample>"]


def test_folders_with_spaces_and_quotes_and_a_quarter_go_through_make(ready):
    said = make(ready, "report", 'DATA=my company\'s "own"; exit 9', "QUARTER=2026Q3")
    assert said.stdout.split("\n")[:-1] == ["<run>", '<my company\'s "own"; exit 9>', "<--quarter>", "<2026Q3>"]


def test_a_failing_report_shows_its_own_message_and_exit_code(ready):
    said = make(ready, "report", FAIL="3")
    assert said.returncode == 2
    assert "talk\n" in said.stderr
    assert "Error 3" in said.stderr


def test_an_environment_is_made_anew_only_when_the_lock_changed(ready):
    with (ready / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    changed = make(ready, "report")
    assert changed.stderr.startswith("Python 3.11, 3.12 or 3.13 is needed")


def test_an_active_conda_environment_is_used_and_conda_base_is_not(ready):
    conda = ready.parent / "conda env"
    conda.mkdir()
    stand_in(conda / "bin", "python", "exit 0")
    stand_in(conda / "bin", "abm", "echo conda")
    assert make(ready, "report", CONDA_PREFIX=str(conda), CONDA_DEFAULT_ENV="abm").stdout == "conda\n"
    assert "<run>" in make(ready, "report", CONDA_PREFIX=str(conda), CONDA_DEFAULT_ENV="base").stdout


def test_make_alone_prints_one_line_of_help_for_each_target(fresh):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"^make ([a-z-]+) +\S", make(fresh).stdout, re.MULTILINE)
    assert told == targets
    assert {"report", "test", "test-all", "lab", "check", "bench", "golden", "docs", "look", "env", "clean"} < set(told)


# What travels in the wheel


def test_the_packages_that_travel_are_those_that_there_are():
    folders = {path.parent for path in (ROOT / "abm_lib").rglob("__init__.py")}
    there = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == there | {"abm_lib.notebooks"}


def test_what_is_installed_is_held_against_the_lock_file(tmp_path):
    lock, pandas = tmp_path / "requirements.lock", installed("pandas")
    lock.write_text(
        f"pandas==0.1 ; python_full_version == '3.10.*' \\\n    --hash=sha256:0\npandas=={pandas} \\\n    --hash=sha256:1\n"
        "duckdb==0.2\nnot-installed-anywhere==1\n"
    )
    assert list(differences(lock)) == [f"duckdb {installed('duckdb')}, and requirements.lock has 0.2"]


@pytest.mark.slow
def test_a_wheel_carries_template_notebooks_and_declarations(tmp_path):
    source = tmp_path / "source"
    for part in ("abm_lib", "notebooks"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source / part)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *options, "--no-build-isolation", "-w", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", *options, wheel], check=True)
    where = subprocess.run(
        [python, "-I", "-c", "import abm_lib; print(*abm_lib.__path__)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    wanted = {
        os.path.relpath(path, source / "abm_lib")
        for pattern in ("**/*.py", "*.toml", "sources/*.toml", "template/**/*")
        for path in (source / "abm_lib").glob(pattern)
        if path.is_file()
    } | {f"notebooks/{path.name}" for path in (source / "notebooks").glob("*.ipynb")}
    assert any(name.startswith("template/") for name in wanted)
    assert any(name.startswith("notebooks/") for name in wanted)
    assert {name for name in wanted if not Path(where, name).is_file()} == set()
    assert not any(name.startswith("tests/") for name in zipfile.ZipFile(wheel).namelist())
