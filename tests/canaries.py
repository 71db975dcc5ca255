"""A token of its own in every personal cell of a company, and all that a run leaves as text to look for them in."""

from __future__ import annotations

import base64
import csv
import gzip
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pypdf
import pypdfium2

from abm_lib.run.forms import STORE
from abm_lib.tables import Column, tables

CANARY = re.compile(r"canary|birds\.example", re.IGNORECASE)
ADDRESS = "canary{}@birds.example"
# Text of anybody, in which an address may stand.
FREE = ("utm_content", "utm_term", "source_detail", "recent_source_detail")


def with_canaries(folder: Path) -> int:
    """Put them there, and an address into every campaign's and email's name and every UTM; returns how many.

    What is personal and no address gets a plain word, which no mask of addresses can hide: `CanaryTitle17`.
    """
    count = 0
    for name, table in tables().items():
        path = folder / f"{name}.csv"
        if not path.is_file():
            continue
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        for place, column in [(place, table.columns[c]) for place, c in enumerate(head) if c in table.columns]:
            if column.name == "email_hash":
                continue
            for row in rows:
                count += 1
                row[place] = _canary(name, column, row[place], count)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return count


def _canary(table: str, column: Column, was: str, count: int) -> str:
    if column.personal and column.type == "id":
        return f"canary-{was}" if was else ""  # the same for the same person in every table
    if column.name == "email":
        return ADDRESS.format(count)
    if column.personal and column.type == "text":
        return f"{was} Canary{column.name.title()}{count}".strip()
    named = column.name == "name" and table in ("campaigns", "emails")
    return f"{was} {ADDRESS.format(count)}".strip() if named or column.name in FREE else was


def everything_written(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file as text by its name: workbooks, Parquet, PDF and the charts of pages unpacked, file names among it."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path.name}", path.name
        if path.is_dir() or path.suffix == ".lock":
            continue
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield path.name, "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
        elif path.suffix == ".parquet":
            yield path.name, duckdb.read_parquet(str(path)).df().to_csv()
        elif path.suffix == ".pdf":
            yield path.name, _of_pdf(path)
        else:
            text = path.read_text("utf-8", errors="replace")
            yield path.name, text
            yield f"charts of {path.name}", "\n".join(charts(text))


def charts(page: str) -> Iterator[str]:
    """The data of a page's charts as the script unpacks them, as JSON."""
    for found in STORE.findall(page):
        if held := found.partition(">")[2].partition("<")[0]:
            yield gzip.decompress(base64.b64decode(held)).decode()


def _of_pdf(path: Path) -> str:
    read = pypdf.PdfReader(path)
    texts = [leaf.get_textpage().get_text_range() for leaf in pypdfium2.PdfDocument(path)]
    return "\n".join(
        [*texts, str(read.metadata), str(read.outline), str(read.xmp_metadata and read.xmp_metadata.stream.get_data())]
    )
