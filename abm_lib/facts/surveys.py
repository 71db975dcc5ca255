"""What customers say: survey answers, invitations, health, and the acts of those who speak for us."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, fact
from .customers import customers_at_end, known_changes
from .opportunities import with_accounts

PROMOTER, DETRACTOR = 9, 6


@fact(one_row_per=("response_id",), needs=("surveys",))
def survey_answers(cut: Cut) -> Frame:
    """Answers given in the window, by the kind of `survey`; `satisfaction` is the score as a share of its scale's maximum.

    Answers of our own people are left out. A score without the maximum of its scale has no satisfaction.
    """
    answers = cut.base.of_others(cut.tables.surveys).join(cut.days, left_on="answered_on", right_on="day")
    answers = answers.select(
        "quarter", "window", "response_id", "account_id", "score", survey="kind", theme=nw.col("theme").fill_null("not stated"),
        top=nw.when(nw.col("scale_max") > 0).then(nw.col("scale_max")),
    )  # fmt: skip
    top_two = (nw.col("score") >= nw.col("top") - 1).fill_null(False)
    answers = answers.with_columns(
        satisfaction=nw.col("score") / nw.col("top"), is_top_two=top_two, measure=nw.lit("top two scores")
    )
    return with_accounts(cut.base, answers)


@fact(one_row_per=("response_id",), needs=("survey_invites", "surveys"))
def survey_invitations(cut: Cut) -> Frame:
    """Invitations sent in the window, and whether each was answered by the time the quarter had settled."""
    known = cut.base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "known_until")
    answers = cut.tables.surveys.select("response_id", "answered_at")
    invited = cut.tables.survey_invites.select("response_id", "account_id", "invited_on", survey="kind")
    invited = invited.join(cut.days, left_on="invited_on", right_on="day").join(known, on="quarter")
    invited = invited.join(answers, on="response_id", how="left")
    in_time = (nw.col("answered_at") < nw.col("known_until")).fill_null(False)
    return with_accounts(cut.base, invited.with_columns(is_answered=in_time).drop("answered_at", "known_until"))


@fact(one_row_per=("account_id",), needs=("subscriptions", "surveys"))
def scored_customers(cut: Cut) -> Frame:
    """Customers at the window's end who ever answered a recommendation survey, judged by the rule `[health]` of abm.toml.

    Healthy: the last score is high enough, somebody met us or visited within `active_days`, and nothing was contracted in them.
    """
    keys = ["quarter", "account_id"]
    scored = customers_at_end(cut).join(_last_scores(cut.base), on=keys)
    scored = scored.join(_active(cut.base), on=keys, how="left").join(_shrunk(cut), on=keys, how="left")
    satisfied = nw.col("last_score") >= cut.config.health.lowest_score
    active, shrunk = nw.col("active").fill_null(False), nw.col("shrunk").fill_null(False)
    return scored.with_columns(is_healthy=satisfied & active & ~shrunk)


def _last_scores(base: Base) -> Frame:
    """quarter, account_id, last_score: the lowest one where several were given at the same moment."""
    ends = base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "edge_at")
    answers = base.of_others(base.tables.surveys).filter(nw.col("kind") == "nps", ~nw.col("account_id").is_null())
    past = ends.join(answers.select("account_id", "answered_at", "score"), how="cross")
    past = past.filter(nw.col("answered_at") < nw.col("edge_at"))
    newest = nw.col("answered_at").max().over("quarter", "account_id")
    last = past.with_columns(_newest=newest).filter(nw.col("answered_at") == nw.col("_newest"))
    return last.group_by("quarter", "account_id").agg(last_score=nw.col("score").min())


def _active(base: Base) -> Frame:
    """quarter, account_id, active: a meeting held or a visit in the last days of the quarter."""
    tables, edges = base.tables, base.windows.edges()
    kind = f"last_{base.config.health.active_days}_days"
    begun = edges.filter(nw.col("edge") == kind).select("quarter", from_at="edge_at")
    spans = edges.filter(nw.col("edge") == "end").select("quarter", "edge_at").join(begun, on="quarter")
    held = tables.meetings.filter(nw.col("outcome") == "held", ~nw.col("is_internal").fill_null(False))
    met = spans.join(held.select("account_id", "starts_at"), how="cross").filter(
        nw.col("starts_at") >= nw.col("from_at"), nw.col("starts_at") < nw.col("edge_at")
    )
    views = base.of_others(tables.page_views.filter(~nw.col("is_bot").fill_null(False)))
    visited = views.select("account_id", day="viewed_on").unique().join(base.windows.days(kind), on="day")
    both = nw.concat([met.select("quarter", "account_id"), visited.select("quarter", "account_id")])
    return both.filter(~nw.col("account_id").is_null()).unique().with_columns(active=nw.lit(True))


def _shrunk(cut: Cut) -> Frame:
    """quarter, account_id, shrunk: a contraction took effect in the last days of the quarter."""
    kind = f"last_{cut.config.health.active_days}_days"
    begun = cut.base.windows.edges().filter(nw.col("edge") == kind).select("quarter", from_on="edge_on")
    changes = known_changes(cut).filter(nw.col("kind") == "contraction").join(begun, on="quarter")
    late = changes.filter(nw.col("effective_on") >= nw.col("from_on")).select("quarter", "account_id")
    return late.unique().with_columns(shrunk=nw.lit(True))


@fact(one_row_per=("touch_id",), needs=("touches",))
def word_of_mouth(cut: Cut) -> Frame:
    """Acts of advocacy and referrals in the window; those of our own people are left out."""
    acts = cut.tables.touches.filter(nw.col("kind").is_in(["advocacy", "referral"]))
    acts = cut.base.of_others(acts).join(cut.days, left_on="touched_on", right_on="day")
    return acts.select("quarter", "window", "touch_id", "account_id", "person_id", "kind")
