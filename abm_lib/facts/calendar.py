"""The windows of the quarters reported, as small frames on the engine, and the instants at which each was known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw
import pandas as pd

from ..company import Company
from ..period import Period, Quarter, instant

Frame = nw.LazyFrame[Any]
SHOWN = 8  # quarters that readings show
LAST_DAYS = {f"last_{days}_days": days for days in (30, 60, 90)}
EDGES = (*LAST_DAYS, "trailing_4_quarters")
AS_OF_DAYS = (1, 5, 15, 30, 45, 60, 75, 90)  # days of the quarter on which the coverage track is read


class Windows:
    """Every quarter from `count` back to the last one reported, and the windows inside each.

    A quarter is known as of its own period end plus `as_of.settle_days`; the last one as of `as_of` where that is given,
    and none later than it.
    """

    def __init__(self, company: Company, last: Quarter, as_of: date | None, count: int) -> None:
        self.company, self.calendar = company, company.calendar
        self.zone = company.config.company.zone
        self.settle = timedelta(days=company.config.as_of.settle_days)
        self.cap = as_of
        self.quarters = company.calendar.quarters(last, count)
        self._frames: dict[str, Frame] = {}

    def as_of(self, read_on: date) -> date:
        """The last day whose knowledge counts for a state read at the start of `read_on`."""
        settled = read_on + self.settle
        return min(settled, self.cap) if self.cap else settled

    def until(self, end: date) -> date:
        """The end of a window that looks back, never after the last day known: a running quarter's lies in the future."""
        return min(end, self.company.known_until + timedelta(days=1))

    @property
    def is_running(self) -> bool:
        """Whether the data do not reach to the end of the last quarter yet."""
        last = self.quarters[-1]
        return self.until(last.end) < last.end

    def spans(self, kind: str) -> list[tuple[Quarter, Period]]:
        """(quarter, window) pairs of a kind: the windows of a quarter never reach beyond its end."""
        if kind == "canonical":
            kind = self.company.config.win_rate.canonical_period
        # What is known of the delivery alone is told for the quarter reported, not for those before it.
        quarters = self.quarters[-1:] if kind == "delivery" else self.quarters
        return [(quarter, window) for quarter in quarters for window in self._inside(quarter, kind)]

    def _inside(self, quarter: Quarter, kind: str) -> Sequence[Period]:
        """The windows of one quarter."""
        if kind in ("quarter", "delivery"):
            return [quarter]
        if kind == "year":
            return [Period(str(quarter.year), self.calendar.year(quarter).start, quarter.end)]
        if kind in ("month", "week"):
            return self.calendar.months(quarter) if kind == "month" else self.calendar.weeks(quarter)
        if kind == "day":
            days = [quarter.start + timedelta(days=n) for n in range(quarter.days)]
            return [Period(day.isoformat(), day, day + timedelta(days=1)) for day in days]
        if kind == "cohort":
            return self.calendar.quarters(quarter, 8)
        if kind in LAST_DAYS:
            end = self.until(quarter.end)
            return [Period(quarter.label, end - timedelta(days=LAST_DAYS[kind]), end)]
        return [self.calendar.trailing(quarter, {"trailing_4_quarters": 4, "trailing_8_quarters": 8}[kind])]

    def frame(self, kind: str) -> Frame:
        """quarter, window, start_on, end_on."""
        rows = [(q.label, w.label, w.start, w.end) for q, w in self.spans(kind)]
        return self._frame(
            f"spans {kind}", rows, {"quarter": "VARCHAR", "window": "VARCHAR", "start_on": "DATE", "end_on": "DATE"}
        )

    def days(self, kind: str) -> Frame:
        """day, quarter, window."""
        rows = [(w.start + timedelta(days=n), q.label, w.label) for q, w in self.spans(kind) for n in range(w.days)]
        return self._frame(f"days {kind}", rows, {"day": "DATE", "quarter": "VARCHAR", "window": "VARCHAR"})

    def moments(self, moment: str) -> Frame:
        """quarter, moment, read_at, known_until, rated_on: the instant a state is read at, and the last knowledge used.

        `start`, `end` are the quarter's edges; `read_on_day` is the end of day `coverage.read_on_day`; `as_of_day` is each
        day of the coverage track, named by its number.
        """
        rows = [
            (q.label, name, *self._read(q, moment, day))
            for q in self.quarters
            for name, day in self._days_of(q, moment)
        ]
        types = {
            "quarter": "VARCHAR",
            "moment": "VARCHAR",
            "read_at": "TIMESTAMP",
            "known_until": "TIMESTAMP",
            "rated_on": "DATE",
        }
        return self._frame(f"moments {moment}", rows, types)

    def _days_of(self, quarter: Quarter, moment: str) -> list[tuple[str, date]]:
        """(name, day): a state is read at the instant the day begins, so the end of day n is the start of the next."""
        if moment == "as_of_day":
            return [(f"{n:02}", quarter.start + timedelta(days=n)) for n in AS_OF_DAYS if n <= quarter.days]
        early = quarter.start + timedelta(days=self.company.config.coverage.read_on_day)
        return [(moment, {"start": quarter.start, "end": quarter.end, "read_on_day": early}[moment])]

    def _read(self, quarter: Quarter, moment: str, day: date) -> tuple[datetime, datetime, date]:
        # Both edges of a bridge are seen with the knowledge of its end: else late records would leave a residual.
        known = self.as_of(quarter.end if moment == "start" else day)
        return instant(day, self.zone), instant(known + timedelta(days=1), self.zone), day - timedelta(days=1)

    def edges(self) -> Frame:
        """quarter, edge, edge_on, edge_at, known_until: where accounts are looked at.

        `start` and `end` are the quarter's; a kind of EDGES is the start of that window.
        """
        rows = []
        for q in self.quarters:
            known = instant(self.as_of(q.end) + timedelta(days=1), self.zone)
            days = {"start": q.start, "end": q.end} | {kind: self._inside(q, kind)[0].start for kind in EDGES}
            rows += [(q.label, name, day, instant(day, self.zone), known) for name, day in days.items()]
        types = {
            "quarter": "VARCHAR",
            "edge": "VARCHAR",
            "edge_on": "DATE",
            "edge_at": "TIMESTAMP",
            "known_until": "TIMESTAMP",
        }
        return self._frame("edges", rows, types)

    def ahead(self) -> Frame:
        """quarter, horizon, due_in, due_from, due_to, moment: the quarters whose due pipeline is read in each quarter."""
        rows = []
        for q in self.quarters:
            for steps, horizon in enumerate(("current", "next", "in_two")):
                due = self.calendar.step(q, steps)
                rows.append((q.label, horizon, due.label, due.start, due.end, "end" if steps else "read_on_day"))
        types = {
            "quarter": "VARCHAR",
            "horizon": "VARCHAR",
            "due_in": "VARCHAR",
            "due_from": "DATE",
            "due_to": "DATE",
            "moment": "VARCHAR",
        }
        return self._frame("ahead", rows, types)

    def goals(self, kind: str) -> Frame:
        """quarter, window, horizon, due_in: the periods whose targets a window is held against.

        A quarter is held against its own and the next two; a month against its own; a year to date against its quarters.
        """
        steps = {"current": 0, "next": 1, "in_two": 2}
        rows = []
        for q, window in self.spans(kind):
            if kind == "month":
                rows.append((q.label, window.label, "current", window.label))
            elif kind == "year":
                rows += [(q.label, window.label, "current", f"{q.year}Q{n}") for n in range(1, q.number + 1)]
            else:
                rows += [(q.label, window.label, name, self.calendar.step(q, n).label) for name, n in steps.items()]
        types = dict.fromkeys(("quarter", "window", "horizon", "due_in"), "VARCHAR")
        return self._frame(f"goals {kind}", rows, types)

    def days_back(self, day: str, back: dict[str, int]) -> Frame:
        """`day`, every day of the quarters, and under each name in `back` the day so many days before it."""
        every = [q.start + timedelta(days=n) for q in self.quarters for n in range(q.days)]
        rows = [(on, *(on - timedelta(days=n) for n in back.values())) for on in every]
        return self._frame(f"{day} back {back}", rows, dict.fromkeys((day, *back), "DATE"))

    def quarter_days(self) -> Frame:
        """day, due_in: the quarter of each day, from the first quarter known to two years after the last."""
        every = [*self.quarters, *self.calendar.quarters(self.calendar.step(self.quarters[-1], 8), 8)]
        rows = [(q.start + timedelta(days=n), q.label) for q in every for n in range(q.days)]
        return self._frame("quarter days", rows, {"day": "DATE", "due_in": "VARCHAR"})

    def past(self, count: int) -> Frame:
        """quarter, horizon, past_quarter: the quarters before each one whose due pipeline could be read at that horizon."""
        first, _ = self.company.span("opportunity_changes") or (date.max, date.min)
        rows = []
        for q in self.quarters[-SHOWN:]:
            for past in self.calendar.quarters(self.calendar.step(q, -1), count):
                read_on = {"current": past.start, "next": past.start, "in_two": self.calendar.step(past, -1).start}
                rows += [(q.label, horizon, past.label) for horizon, day in read_on.items() if day > first]
        return self._frame(f"past {count}", rows, dict.fromkeys(("quarter", "horizon", "past_quarter"), "VARCHAR"))

    def _frame(self, name: str, rows: list[tuple[Any, ...]], types: dict[str, str]) -> Frame:
        if name not in self._frames:
            table = pd.DataFrame(rows, columns=list(types), dtype=object)
            self._frames[name] = self.company.tables.engine.frame(table, types)
        return self._frames[name]
