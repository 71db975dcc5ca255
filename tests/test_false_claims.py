"""How often the report says that something differs where the generator made nothing differ: over generated companies.

Counted are findings, the verdicts of rates on the year before, and the titles of charts of slices, each against its own kind.

`python tests/test_false_claims.py 50` counts them over as many companies as asked.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from abm_lib import intervals, metrics, readings, sample
from abm_lib.company import open_company
from abm_lib.disclosure import PROFILES
from abm_lib.metric import REGISTER
from abm_lib.show.findings import NEVER, findings
from abm_lib.show.rates import rates
from abm_lib.show.rows import Readings
from abm_lib.show.verdict import verdict

CLEARLY = re.compile("Clearly (up|down) on ")
COMPANIES, FIRST_SEED = 10, 100
QUARTER = "2026Q3"
# What the generator makes differ, by the constant that does so. All else that a page calls clear is counted as wrong, also what
# follows from these at one remove (win rates, progress and costs by tier, win rates of target accounts).
TIERED = {
    "ad_target_reach_rate",  # ads.REACH
    "buying_group_penetration",  # people.STAFF and target_list.TEAM_SIZE
    "buying_role_penetration",
    "right_contact_share",
    "content_engagement_rate",  # waves.CARED: how often an account is cared for, how many people and acts
    "engaged_target_account_rate",
    "landing_page_reach_rate",
    "multithreaded_account_rate",
    "target_account_visit_rate",
}
MADE_TO_DIFFER = {
    *((metric, by) for metric in TIERED for by in ("tier", "programme")),  # target_list.PROGRAMME: one for each tier
    *(
        ("ad_click_rate", by) for by in ("channel", "ad_type", "programme", "campaign")
    ),  # ads.DELIVERY, by channel and programme
    ("visit_match_rate", "channel"),  # visits._paid: who comes by an ad is nobody in particular
    ("win_rate_closed", "segment"),  # deals.WIN_RATE
    ("market_penetration", "segment"),  # deals.WIN_RATE, and words.ICP_SHARE of whom there is to win
    (
        "addressable_engagement_rate",
        "segment",
    ),  # target_list: enterprises are listed first, and who is listed is cared for
    ("amount_missing_share", "state"),  # history._closed: one lost deal in ten loses its amount, no other does
    ("leading_indicator_lift", "indicator"),  # waves: accounts about to buy do more of everything
    ("ad_experiment_difference", "experiment"),  # ads.LIFT
    ("target_account_lift", "period"),  # deals._choose: half of the deals are of target accounts
}
# Of those, slices for which nothing was made to differ.
ALIKE = {("ad_experiment_difference", "Button: see or book"), ("target_account_lift", "before")}
# What charts put side by side besides: the same rows under other limits.
NO_GROUPS = {*NEVER, "depth", "people", "within_days", "funnel"}


@dataclass
class Count:
    """Claims by kind, those of differences that nobody made by name, and how many there could have been."""

    claims: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=lambda: {"finding": [], "year": [], "chart": []})
    chances: Counter[str] = field(default_factory=Counter)

    def claim(self, kind: str, what: str, made: bool = False) -> None:
        self.claims[kind] += 1
        if not made:
            self.wrong[kind].append(what)


def told_of(seed: int, folder: Path) -> Readings:
    """The shares and differences of one generated company."""
    sample.write(folder, seed=seed, scale=0.05)
    company = open_company(folder)
    compared = [
        m.name for m in REGISTER.values() if m.unit == "points" or (m.unit == "share" and m.better != "neither")
    ]
    table = readings.read(
        company, company.quarter(QUARTER), families=["none of them"], also=compared, profile=PROFILES["internal"]
    )
    return Readings(table, REGISTER, QUARTER)


def planted(metric: str, dimension: str, slice_: str = "") -> bool:
    return (metric, dimension) in MADE_TO_DIFFER and (metric, slice_) not in ALIKE


def of_one(seed: int) -> Count:
    """What one company's report claims."""
    count = Count()
    with TemporaryDirectory() as folder:
        told = told_of(seed, Path(folder) / "firm")
    for family in metrics.FAMILIES:
        count.chances["finding"] += 1  # a page says one sentence at least
        for row in (found.row for found in findings(told, [family])):
            count.claim(
                "finding",
                f"{row.metric} by {row.slice_by}: {row.slice} ({seed})",
                planted(row.metric, row.slice_by, row.slice),
            )
    for metric in REGISTER:
        whole = told.whole(metric)
        if whole and whole.ranged:
            count.chances["year"] += 1
            if CLEARLY.match(verdict(whole).words):
                count.claim("year", f"{metric} ({seed})")
        for dimension, title in titles(told, metric):
            made = planted(metric, dimension)
            count.chances["chart"] += not made
            if title.endswith("clearly apart"):
                count.claim("chart", f"{title} by {dimension} ({seed})", made)
    return count


def titles(told: Readings, metric: str) -> Iterator[tuple[str, str]]:
    """The titles of a metric's charts of groups that say whether they differ."""
    for dimension in (by for by in REGISTER[metric].by if by not in NO_GROUPS):
        rows = told.slices(metric, dimension)
        title = rates(rows, told.whole(metric), dimension).title if rows else ""
        if title.endswith(("clearly apart", "no clear difference")):
            yield dimension, title


def counted(companies: int) -> Count:
    """All companies' claims together."""
    total = Count()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for one in pool.map(of_one, range(FIRST_SEED, FIRST_SEED + companies)):
            total.claims += one.claims
            total.chances += one.chances
            for kind, names in one.wrong.items():
                total.wrong[kind] += names
    return total


@pytest.mark.slow
def test_unplanted_claims_are_at_most_one_sentence_in_twenty() -> None:
    count = counted(COMPANIES)
    assert count.claims["finding"] > COMPANIES, "what was planted is found"
    for kind, wrong in count.wrong.items():
        assert count.chances[kind] and len(wrong) <= count.chances[kind] / 20, wrong


if __name__ == "__main__":
    count = counted(int(sys.argv[1]))
    for kind, wrong in count.wrong.items():
        low, high = intervals.wilson(len(wrong), count.chances[kind])
        head = f"{kind}: {len(wrong)} of {count.claims[kind]} claims unplanted, of {count.chances[kind]} chances"
        head += f" ({len(wrong) / count.chances[kind]:.1%}, 95% range {low:.1%} to {high:.1%})"
        sys.stdout.write("\n".join([head, *wrong]) + "\n")
