"""What a fault that was told, and not refused, says beside every number that reads its table (R12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# By rule and name. Without counts: they may be of people, and an edition may travel.
SENTENCES = {
    ("F038", "of-1970"): "rows of January 1970 in {table}",
    ("F042", "closed-before-created"): "deals that closed before they were created",
    ("F057", "zeros-lost"): "ids of {table} may have lost their zeros",
    ("F058", "changed-since"): "another unit of {column} than before",
    ("F090", "stopped"): "{table} stops before the data were extracted",
    ("F091", "months-missing"): "months without a row in {table}",
    ("F092", "changed-since"): "far more or fewer rows in {table} than before",
    ("F097", "stage-unknown"): "deals in stages that abm.toml does not place",
    ("F099", "changed-since"): "{column} is blank where it was not before",
    ("F115", "opens-of-machines"): "nearly all mails were opened: machines may be among the readers",
    ("F115", "clicks-unopened"): "more mails clicked than opened",
    ("F120", "cost-unseen"): "ads that cost money and were shown to nobody",
}  # fmt: skip
PLACE = re.compile(r'table (?P<table>\w+)(?:  column "(?P<column>\w+)")?')


def of_tables(notes: Mapping[str, Any]) -> dict[str, list[str]]:
    """The sentences for the numbers of each table, from what was said when the inputs were frozen."""
    found: dict[str, list[str]] = {}
    for table, sentence in _told(notes["faults"]):
        if sentence not in found.setdefault(table, []):
            found[table].append(sentence)
    for table, counts in notes["tables"].items():
        if counts["set_aside"]:
            found.setdefault(table, []).append(f"rows of {table} were set aside")
    return found


def _told(faults: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for fault in faults:
        sentence, place = SENTENCES.get((fault["rule"], fault["name"])), PLACE.match(fault["where"])
        if sentence and place and fault["level"] == "D":
            yield place["table"], sentence.format(**place.groupdict())
