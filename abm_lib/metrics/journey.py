"""Journey: the stage each target account has reached, how they move, and how long they stay. Funnel impact, not return (S2-16)."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw

from ..formula import Columns, Formula, mean, median, median_to_come, share, survival_median, total
from ..metric import family

metric = family("journey", kind="funnel", pillar="relationships", counts="accounts", audience=("marketing", "sales"))
NO_TARGETS = "no target accounts"
OVER_TIME = ("month", "quarter", "year")


@metric(facts="staged_accounts", label="Target accounts on the journey", unit="count", better="neither",
        by=("stage", "tier", "stage/tier"), additive=True)  # fmt: skip
def accounts_by_stage(accounts: Columns) -> Formula:
    """Target accounts at the end of the quarter, each at the stage it has reached.

    Source: staged_accounts, from account_stages and account_lists (S2-18).
    Counts: one stage for each account, the last one entered; an account that no stage was recorded of is cold.
    Missing: no account stages for the quarter.
    """
    return total(accounts.count())


@metric(facts="stage_moves", label="Target accounts progressed", unit="share", better="higher", by=("tier", "programme", "denominator"),
        window="last_30_days", also_window="quarter")  # fmt: skip
def accounts_progressed_rate(accounts: Columns) -> Formula:
    """Target accounts at a higher stage at the end of the quarter than 30 days before, of all target accounts then.

    Source: stage_moves (S2-17, S2-19). The slice `window` compares with the start of the quarter instead.
    Counts: an account once however many stages it rose; those at the last stage stay in the whole and are out of the slice `denominator`.
    Missing: no target accounts.
    """
    return share(accounts.count(where=accounts.is_progressed), accounts.count(), nothing=NO_TARGETS)


@metric(facts="stage_moves", label="Target accounts fallen back", unit="share", better="lower", by="tier",
        window="last_30_days", also_window="quarter")  # fmt: skip
def accounts_regressed_rate(accounts: Columns) -> Formula:
    """Target accounts at a lower stage at the end of the quarter than 30 days before, of all target accounts then.

    Source: stage_moves (S2-17). The slice `window` compares with the start of the quarter instead.
    Counts: a lost opportunity or a lost customer falls back; from renewal to customer is no step back.
    Missing: no target accounts.
    """
    return share(accounts.count(where=accounts.is_regressed), accounts.count(), nothing=NO_TARGETS)


@metric(facts="stage_cohorts", label="Reached a later stage", unit="share", better="higher", counts="entries",
        by=("stage", "stage/entry_quarter"), window="cohort", has_whole=False)  # fmt: skip
def stage_conversion_rate(cohorts: Columns) -> Formula:
    """Entries into a stage after which the account reached a later stage within 180 days, of all entries in one quarter.

    Source: stage_cohorts (S3-08). The slice `stage` is the newest quarter whose 180 days are all over.
    Counts: target accounts of that quarter's start, every entry; a jump over the next stage counts.
    Missing: nobody entered; in a younger quarter, whose share of entries with all their days is named.
    """
    headline = share(
        cohorts.count(where=cohorts.is_converted & cohorts.is_headline),
        cohorts.count(where=cohorts.is_headline),
        nothing="nobody entered it in the newest quarter that is old enough",
    )
    each = share(cohorts.count(where=cohorts.is_converted), cohorts.count(), nothing="nobody entered it")
    mature = (cohorts.count(where=cohorts.is_mature), cohorts.count(), 1.0, "entries are 180 days old")
    return headline.but(**{"stage/entry_quarter": replace(each, given=mature)})


@metric(facts="stage_stays", label="Days in stage", unit="days", better="neither", counts="stays",
        by=("stage", "stage/source_owner", "stage/naive"), window="trailing_4_quarters", has_whole=False)  # fmt: skip
def stage_median_days(stays: Columns) -> Formula:
    """Median days that target accounts stay in a stage; a stay that still goes on counts for as long as it has been seen.

    Source: stage_stays, stays that began in the trailing four quarters (S0-90, S0-91).
    Counts: every stay, ended by a move up or down; accounts on the list when the four quarters began. The owner is that of the
        account's first opportunity, which most accounts do not have: of the stages before it, those of accounts that came so far.
    Missing: fewer than half have left within the time seen.
    Beware: the slice `stage/naive` has the mean of the stays alone that are over: too short, since the others still go on.
    """
    over, nothing = stays.is_over, "no stay is over"
    naive = mean(stays.total("days", where=over), stays.count(where=over), nothing=nothing)
    return survival_median(stays.total("days"), over, nothing="no stay began").but(**{"stage/naive": naive})


@metric(needs="meetings.requested_at", facts="demos_booked", label="Days from demo request to booking", unit="days", better="lower",
        counts="demos", by=("channel", "source_owner", *OVER_TIME))  # fmt: skip
def demo_request_to_schedule_days(demos: Columns) -> Formula:
    """Median days from the request for a demo to its booking, for demos booked in the quarter.

    Source: demos_booked, from meetings of kind demo (S0-91, S0-92).
    Counts: whole days, demos with a request; moved ones once; our own not. The owner is that of the demo's channel.
    Missing: no demo booked whose request is known.
    """
    return median(demos.total("days"), nothing="no demo with a known request")


@metric(facts="demos_held", label="Days from demo to opportunity", unit="days", better="lower", counts="demos", version=2,
        by=("channel", "source_owner", "naive", *OVER_TIME), scope="new", window="trailing_4_quarters")  # fmt: skip
def demo_to_opportunity_days(demos: Columns) -> Formula:
    """Median days from a demo held to the opportunity created at the account, of those that will come; open waits still count.

    Source: demos_held in the trailing four quarters, by the CRM's date of creation (S0-91, S0-92).
    Counts: half of all that will come has come by that day. New business within `sourced.look_back_days`; a further demo with
        the account ends the wait and begins another. Channel and owner are the demo's.
    Missing: no demo held, or none was followed by an opportunity yet.
    Beware: the slice `naive` has the mean of those alone that came by now. So have month, quarter and year, by the day of
        creation, with the median of the opportunities_after_demo: a month's demos have been seen for too short a time.
    """
    nothing, came, made = "no demo held", demos.is_created, Columns("opportunities_after_demo")
    naive = mean(demos.total("days", where=came), demos.count(where=came), nothing=nothing)
    of_those_created = median(made.total("days"), nothing="no opportunity created after a demo")
    to_come = median_to_come(demos.total("days"), came, nw.lit(False), nothing=nothing)
    return to_come.but(naive=naive, **dict.fromkeys(OVER_TIME, of_those_created))
