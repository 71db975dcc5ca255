"""Sales conversations: meetings and calls in which the other side had its say."""

from __future__ import annotations

import narwhals as nw

from . import Cut, Frame, fact
from .meetings import meetings_by_start


@fact(one_row_per=("meeting_id",), needs=("meetings",))
def conversations(cut: Cut) -> Frame:
    """Meetings and demos held, and calls in which both sides spoke, by the day on which they began; none of our own."""
    two_way = cut.tables.meetings.select("meeting_id", two_way=nw.col("is_two_way").fill_null(False))
    held = meetings_by_start(cut).filter(nw.col("outcome") == "held").join(two_way, on="meeting_id")
    return held.filter((nw.col("kind") != "call") | nw.col("two_way"))
