"""How often the report says that something stands out where the generator made nothing differ: over generated companies.

`python tests/test_false_claims.py 50` counts them over as many companies as asked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from abm_lib import metrics, readings, sample
from abm_lib.company import open_company
from abm_lib.disclosure import PROFILES
from abm_lib.metric import REGISTER
from abm_lib.show.findings import Finding, findings
from abm_lib.show.rows import Readings

COMPANIES, FIRST_SEED = 10, 100
QUARTER = "2026Q3"
# What the generator makes differ. Tiers: staff, teams, reach and care (people.py, target_list.py, waves.py). Indicators: all go
# together with the planted one. The others: one metric each.
MADE_TO_DIFFER = {"tier", "programme", "indicator"}
DIFFERS = {
    ("ad_click_rate", "channel"),
    ("visit_match_rate", "channel"),
    ("win_rate_closed", "segment"),
    ("ad_experiment_difference", "experiment"),
    ("campaign_win_rate_difference", "campaign"),
    ("target_account_lift", "period"),
    ("meeting_to_opportunity_rate", "kind"),
}


def claims(seed: int, folder: Path) -> Iterator[Finding]:
    """What each of the eleven families' pages of one company says stands out."""
    sample.write(folder, seed=seed, scale=0.05)
    company = open_company(folder)
    compared = [
        m.name for m in REGISTER.values() if m.unit == "points" or (m.unit == "share" and m.better != "neither")
    ]
    table = readings.read(
        company, company.quarter(QUARTER), families=["none of them"], also=compared, profile=PROFILES["internal"]
    )
    told = Readings(table, REGISTER, QUARTER)
    for family in metrics.FAMILIES:
        yield from findings(told, [family])


def unplanted(found: Finding) -> bool:
    return found.row.slice_by not in MADE_TO_DIFFER and (found.row.metric, found.row.slice_by) not in DIFFERS


def of_one(seed: int) -> tuple[list[str], int]:
    """Of one company: the claims of differences that nobody made, by name, and how many claims there are."""
    with TemporaryDirectory() as folder:
        found = list(claims(seed, Path(folder) / "firm"))
    wrong = [f"{f.row.metric} by {f.row.slice_by}: {f.row.slice} (seed {seed})" for f in found if unplanted(f)]
    return wrong, len(found)


def counted(companies: int) -> tuple[list[str], int, int]:
    """Claims of differences that nobody made; all claims; and the pages, each of which says one sentence at least."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        told = list(pool.map(of_one, range(FIRST_SEED, FIRST_SEED + companies)))
    return (
        [name for wrong, _ in told for name in wrong],
        sum(said for _, said in told),
        companies * len(metrics.FAMILIES),
    )


@pytest.mark.slow
def test_unplanted_claims_are_at_most_one_sentence_in_twenty() -> None:
    wrong, said, pages = counted(COMPANIES)
    assert said > COMPANIES, "what was planted is found"
    assert len(wrong) <= pages / 20, wrong


if __name__ == "__main__":
    wrong, said, pages = counted(int(sys.argv[1]))
    sys.stdout.write(f"{len(wrong)} of {said} claims unplanted, on {pages} pages\n" + "\n".join(wrong) + "\n")
