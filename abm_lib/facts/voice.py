"""Voice: what people say themselves, in answers to "how did you hear of us?" and in coded notes. Counted, never quoted."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from . import Base, Cut, Frame, day_number, fact
from .leads import employed
from .opportunities import states

OTHER = "other"  # an answer that no channel's `match` holds; what was said is not shown


@fact(one_row_per=("answer_id",), needs=("people",))
def self_reported_answers(cut: Cut) -> Frame:
    """Answers given at sign-up and for an opportunity: the channel they mean, and that of the first touch before them.

    `first_touch` is null where nothing was tracked. `is_enough` where the window holds `min_n.qualitative` answers.
    """
    base = cut.base
    answers = base.once("self-reported answers", lambda: _answers(base)).join(cut.days, on="day")
    answers = _standing(base, answers)
    number = nw.col("answer_id").count().over("quarter", "window")
    return answers.with_columns(is_enough=number >= base.config.min_n.qualitative)


@fact(one_row_per=("note_id",), needs=("notes",))
def notes(cut: Cut) -> Frame:
    """Coded notes on the day they were taken, without their text."""
    found = cut.tables.notes.select("note_id", "source", "theme", "sentiment", day="noted_on").join(cut.days, on="day")
    return found.with_columns(
        theme=nw.col("theme").fill_null("not stated"), sentiment=nw.col("sentiment").fill_null("not stated")
    )


def _standing(base: Base, answers: Frame) -> Frame:
    """An answer given for an opportunity stands while that does, as known when the quarter had settled."""
    ends = base.windows.moments("end").select("quarter", "known_until")
    answers = answers.join(ends, on="quarter").with_columns(is_gone=nw.col("deleted_at") < nw.col("known_until"))
    if {"opportunities", "opportunity_changes"} <= base.tables.delivered:
        told = states(base, "end").select("quarter", "opportunity_id", "is_deleted")
        answers = answers.join(told, on=["quarter", "opportunity_id"], how="left")
        # One that was merged tells so by its history; where that is silent, by what is known now.
        merged = nw.col("is_deleted").is_null() & nw.col("is_merged")
        answers = answers.with_columns(
            is_gone=nw.col("is_gone").fill_null(False) | nw.col("is_deleted").fill_null(False) | merged
        )
    return answers.filter(~nw.col("is_gone").fill_null(False))


def _answers(base: Base) -> Frame:
    """answer_id, day, asked, channel, first_touch: every answer, whenever it was given, of the account of that day."""
    people = base.tables.people.filter(~nw.col("is_internal").fill_null(False))
    people = employed(base, people.with_columns(day=nw.col("created_on"))).select(
        opportunity_id=nw.lit(None, nw.String), answer_id=nw.concat_str([nw.lit("person "), nw.col("person_id")]), asked=nw.lit("sign-up"),
        who=nw.coalesce("account_id", "person_id"), day="day", said="self_reported_source",
        deleted_at=nw.lit(None, nw.Datetime), is_merged=nw.lit(False),
    )  # fmt: skip
    deals = base.tables.opportunities.select(
        "opportunity_id", answer_id=nw.concat_str([nw.lit("opportunity "), nw.col("opportunity_id")]), asked=nw.lit("opportunity"),
        who="account_id", day="created_on", said="self_reported_source", deleted_at="deleted_at",
        is_merged=~nw.col("survivor_id").is_null(),
    )  # fmt: skip
    word = nw.col("said").str.strip_chars().str.to_lowercase()
    answers = nw.concat([people, deals]).with_columns(word=word).filter(nw.col("word") != "")
    answers = answers.join(_words(base), on="word", how="left").join(
        _first_touches(base, answers), on="answer_id", how="left"
    )
    said = nw.col("channel").fill_null(OTHER)
    return answers.select(
        "answer_id",
        "opportunity_id",
        "deleted_at",
        "is_merged",
        "asked",
        "day",
        "first_touch",
        channel=said,
        source=said,
    )


def _words(base: Base) -> Frame:
    """word, channel: what each channel is called, in small letters; a word that two claim means the first."""
    named = {name.lower(): name for name in base.config.channels}
    matched = {w.strip().lower(): name for name, c in reversed(base.config.channels.items()) for w in c.match}
    words = pd.DataFrame(list((matched | named).items()), columns=["word", "channel"], dtype=object)
    return base.tables.engine.frame(words, {"word": "VARCHAR", "channel": "VARCHAR"})


def _first_touches(base: Base, answers: Frame) -> Frame:
    """answer_id, first_touch: the channel of the account's first touch in the `sourced.look_back_days` up to the answer.

    A person without an account stands for itself. Impressions are no touch, and what our own people did is none.
    """
    touches = base.of_others(base.tables.touches.filter(nw.col("kind") != "impression")).select(
        "touch_id", "touched_at", "touched_on", who=nw.coalesce("account_id", "person_id"), first_touch="channel"
    )
    near = answers.select("answer_id", "who", "day").join(touches, on="who")
    since = day_number("day") - day_number("touched_on")
    near = near.filter(since >= 0, since <= base.config.sourced.look_back_days)
    before = nw.col("touch_id").shift(1).over("answer_id", order_by=("touched_at", "touch_id"))
    return near.with_columns(_before=before).filter(nw.col("_before").is_null()).select("answer_id", "first_touch")
