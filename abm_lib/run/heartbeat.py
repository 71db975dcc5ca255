"""Whether the edition that is due is there: asked by a clock of its own, so that a run which never began is noticed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from ..company import Company
from ..errors import Fault
from .gate import verify
from .schedule import final_day, provisional_day


def overdue(company: Company, out: Path, today: date) -> list[Fault]:
    """What is wrong with the newest quarter whose provisional day has passed; nothing where its edition is as it should be.

    It is missing, it is not what was published, or it still is provisional although its final day has passed.
    """
    grace = timedelta(days=company.config.schedule.overdue_days)
    quarter = company.calendar.last_complete(today)
    if provisional_day(company, quarter) + grace > today:
        quarter = company.calendar.step(quarter, -1)
    edition = out / quarter.label
    fix = f"abm run {company.folder} --quarter {quarter.label}"
    if not (edition / "manifest.json").is_file():
        return [Fault("R17", "overdue", str(edition), "no edition", "one by now", fix)]
    if faults := verify(edition):
        return faults
    state = json.loads((edition / "manifest.json").read_text("utf-8"))["edition"]["state"]
    if state in ("final", "restated") or final_day(company, quarter) + grace > today:
        return []
    return [Fault("R17", "overdue", str(edition), f"a {state} edition", "the final one by now", fix)]
