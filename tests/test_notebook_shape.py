"""Notebooks are read as pages: small cells, questions as headings, every number computed."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, 4)


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def test_there_are_notebooks() -> None:
    assert {path.stem for path in PATHS} >= {"summary", "ads", "pipeline", "revenue"}


def test_a_notebook_is_valid_stores_no_output_and_names_the_common_kernel(notebook: Any) -> None:
    nbformat.validate(notebook)
    assert not [cell.id for cell in code(notebook) if cell.outputs or cell.execution_count]
    assert notebook.metadata.kernelspec.name == "python3"


def test_one_cell_holds_the_parameters_as_literals_with_a_comment_on_each_line(notebook: Any) -> None:
    (cell,) = [cell for cell in code(notebook) if "parameters" in tags(cell)]
    lines = cell.source.splitlines()
    assert [line.split(" = ")[0] for line in lines] == ["quarter", "company"]
    assert all(re.search(r'^\w+ = "[^"]+"  # \w', line) for line in lines)


def test_code_cells_are_short_and_hold_no_logic(notebook: Any) -> None:
    refused = (
        ast.FunctionDef,
        ast.ClassDef,
        ast.For,
        ast.While,
        ast.If,
        ast.Try,
        ast.With,
        ast.Lambda,
        ast.comprehension,
    )
    for cell in code(notebook):
        assert len(cell.source.splitlines()) <= 6, cell.id
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, refused)], cell.id


def test_only_abm_lib_is_imported(notebook: Any) -> None:
    trees = [ast.parse(cell.source) for cell in code(notebook)]
    assert not [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = [a.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    assert imported == ["abm_lib"]


def test_the_page_is_that_of_the_file(notebook: Any, request: pytest.FixtureRequest) -> None:
    family = request.node.callspec.params["notebook"].stem
    assert f'abm.page("{family}", quarter, company)' in "\n".join(cell.source for cell in code(notebook))


def test_headings_are_questions_and_at_most_one_is_a_title(notebook: Any) -> None:
    published = [c.source for c in notebook.cells if c.cell_type == "markdown" and "explore" not in tags(c)]
    headings = re.findall(r"^(#+) (.+)$", "\n".join(published), re.MULTILINE)
    assert sum(level == "#" for level, _ in headings) <= 1
    assert all(text.endswith("?") for level, text in headings if level != "#")
    assert {level for level, _ in headings} <= {"#", "##"}


def test_no_number_is_typed_into_prose(notebook: Any) -> None:
    assert not [text for text in markdown(notebook) if re.search(r"\d", text)]
    prose = re.findall(r'page\.(?:answer|say)\("(.*?)"\)', "\n".join(cell.source for cell in code(notebook)))
    assert not [text for text in prose if re.search(r"\d", re.sub(r"\{.*?\}", "", text))]


def test_cell_ids_are_words_and_unique(notebook: Any) -> None:
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


def test_the_analysts_section_comes_last_and_is_tagged(notebook: Any) -> None:
    marked = ["explore" in tags(cell) for cell in notebook.cells]
    assert any(marked) and marked == sorted(marked)


def test_influence_is_never_on_the_executive_page() -> None:
    assert "influence" not in (FOLDER / "summary.ipynb").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "first"), [("demand", 'page.trend("leads")'), ("content", 'page.answer("{form_fills}')]
)
def test_leads_and_forms_come_last_with_how_to_read_them(name: str, first: str) -> None:
    sources = [cell.source for cell in nbformat.read(FOLDER / f"{name}.ipynb", 4).cells]
    headings = [i for i, source in enumerate(sources) if source.startswith("## ")]
    care = next(i for i in headings if sources[i] == "## What should be read with care?")
    section = sources[headings[headings.index(care) - 1] : care]
    assert "page.gated_content()" in section and any(source.startswith(first) for source in section)


def test_pages_say_what_is_not_a_return() -> None:
    for name in ("ads", "pipeline"):
        assert "not a return" in (FOLDER / f"{name}.ipynb").read_text("utf-8")
