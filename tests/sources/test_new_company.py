"""From `abm init --from` to a report of a real export, by nothing but what docs/sources.md says."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

OWN = """
[files.account]
labels.id = ["AccountExtId__c"]

[files.contact]
labels.id = ["ContactExtId__c"]
labels.account_id = ["AccountExtId__c"]

[files.opportunity]
labels.id = ["OpportunityExtId__c"]
labels.account_id = ["AccountExtId__c"]

[tables.accounts]
constants = { currency = "USD" }

[tables.opportunity_changes]
constants = { currency = "USD" }
"""


def abm(*words: object) -> str:
    """What the command says, which ends well."""
    done = subprocess.run(
        [sys.executable, "-m", "abm_lib.cli", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_small_org_is_reported_by_the_lines_of_the_docs(external_data: Path, tmp_path: Path) -> None:
    """Won in the second quarter of 2025: 150,000 on April 12 and 210,000 on May 8."""
    firm = tmp_path / "firm"
    abm("init", firm, "--from", "salesforce-native", "--currency", "USD")
    for name in ("accounts", "contacts", "opportunities"):
        text = (external_data / "agentic_salesforce" / f"{name}.csv").read_text(encoding="utf-8")
        (firm / "salesforce" / f"{name}.csv").write_text(text, encoding="utf-8")
    told = abm("check", firm)
    assert "accounts.csv, 8 rows; not in it: id, " in told and "quarters up to" not in told
    settings = (firm / "abm.toml").read_text(encoding="utf-8")
    (firm / "abm.toml").write_text(settings.replace('# extracted_on = "2026-10-01"', 'extracted_on = "2025-10-01"'))
    with (firm / "salesforce.toml").open("a", encoding="utf-8") as own:
        own.write(OWN)
    told = abm("check", firm)
    assert "quarters up to 2025Q3, known until 2025-10-01" in told and "as now: Salesforce delivered" in told
    reports = tmp_path / "reports"
    abm("run", firm, "--quarter", "2025Q2", "--out", reports)
    assert (reports / "2025Q2" / "index.html").is_file()
    with (reports / "2025Q2" / "readings.csv").open(encoding="utf-8", newline="") as text:
        (won,) = [
            row for row in csv.DictReader(text)
            if (row["metric"], row["quarter"], row["slice_by"]) == ("closed_won_revenue", "2025Q2", "")
        ]  # fmt: skip
    assert (float(won["value"]), won["counts"]) == (360_000, "opportunities")
