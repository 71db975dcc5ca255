"""Voice: what customers and buyers say themselves, counted and never read as a rate of all."""

from __future__ import annotations

from dataclasses import replace

from ..formula import Columns, Formula, share, total, whole
from ..metric import family

metric = family("voice", kind="leading", pillar="reputation", counts="answers")
ASKED = "people.self_reported_source|opportunities.self_reported_source"
ENOUGH = "answers stand in a time with enough of them (min_n.qualitative in abm.toml)"


def _of_enough(answers: Columns, formula: Formula) -> Formula:
    """Few answers are counted and make no percentage."""
    return replace(formula, given=(whole(answers.count(where=answers.is_enough)), whole(answers.count()), 1, ENOUGH))


@metric(facts="self_reported_answers", needs=ASKED, label="Where buyers say they heard of us", unit="share", better="neither",
        by="source", has_whole=False)  # fmt: skip
def self_reported_source_share(answers: Columns) -> Formula:
    """Answers that mean one channel, of all answers to "how did you hear of us?".

    Source: self_reported_answers, at sign-up and for an opportunity (S0-93).
    Counts: an answer means the channel whose name or `match` in abm.toml it is; every other one is "other" and not shown.
    Missing: nobody answered, or fewer than `min_n.qualitative` did.
    Beware: those who answer are few and choose themselves.
    """
    return _of_enough(answers, share(answers.count(), whole(answers.count()), nothing="nobody answered"))


@metric(facts="self_reported_answers", needs=ASKED, label="Answers that name the channel of the first touch", unit="share",
        better="neither", by=("channel", "asked", "channel/first_touch"))  # fmt: skip
def self_reported_agreement(answers: Columns) -> Formula:
    """Answers that mean the channel of the first touch we tracked, of all answers with a first touch.

    Source: self_reported_answers, touches (S0-94).
    Counts: the first touch of anyone in the account in the `sourced.look_back_days` up to the answer; an impression is none.
    The slice `channel` is what was said; `channel/first_touch` sets it against what was tracked, as parts of all.
    Missing: no answer with a first touch, or fewer than `min_n.qualitative` answers.
    Beware: neither is the truth; the gap says how much our tracking does not see.
    """
    tracked, nothing = answers.count(where=~answers.first_touch.is_null()), "no answer with a first touch"
    same = answers.count(where=answers.channel == answers.first_touch)
    agreed = _of_enough(answers, share(same, tracked, nothing=nothing))
    return agreed.but(**{"channel/first_touch": _of_enough(answers, share(tracked, whole(tracked), nothing=nothing))})


@metric(facts="notes", label="What was said of us", unit="count", better="neither", counts="notes",
        by=("source", "theme", "sentiment", "month", "source/theme/sentiment"), has_whole=False, additive=True)  # fmt: skip
def note_mentions(notes: Columns) -> Formula:
    """Coded notes of the quarter: communities, social media, podcasts, reviews, word of mouth, ad comments, calls, customers.

    Source: notes, one row per coded note (S0-13, S0-93, S0-94).
    Counts: notes by the day they were taken; a blank theme or sentiment is "not stated". Counted only, never quoted.
    Missing: no notes reach into the quarter.
    Beware: collected where someone listened, so a small number is no small interest.
    """
    return total(notes.count())
