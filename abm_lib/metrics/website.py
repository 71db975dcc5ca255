"""Website: who came, from where, and whether they stayed. Leading, never an outcome."""

from __future__ import annotations

from ..formula import Columns, Formula, ratio, share, total, whole
from ..metric import family

metric = family("website", kind="leading", pillar="reputation", counts="sessions", activity="activity")
OVER_TIME = ("month", "quarter", "year")
NO_SESSION = "no sessions"
DEPTH = ("page_views.is_landing", "page_views.scroll_percent")


@metric(facts="sessions", label="Website sessions", unit="count", better="higher",
        by=("channel", "campaign", "landing_page", "next_page", *OVER_TIME), additive=True)  # fmt: skip
def website_sessions(sessions: Columns) -> Formula:
    """Sessions that began in the quarter.

    Source: sessions, made of page_views (S0-18, S0-21, S0-22).
    Counts: a session belongs to the day, channel, campaign and landing page of its first view; bots and our own people are out.
    Missing: no page views for the quarter.
    """
    return total(sessions.count())


@metric(facts="sessions", label="Sessions from campaigns", unit="count", better="higher",
        by=("channel", "campaign", "programme", "goal", *OVER_TIME), additive=True, core=True)  # fmt: skip
def campaign_sessions(sessions: Columns) -> Formula:
    """Sessions of the quarter that a campaign brought.

    Source: sessions, campaigns (S0-18, S0-19, S0-21, S0-25).
    Counts: the first view carries a campaign, or a UTM that names one; all else is website_sessions only.
    Missing: no page views for the quarter.
    Beware: a campaign with the goal `on_platform` is not meant to bring visits, so few of them are no failure.
    """
    return total(sessions.count(where=~sessions.campaign_id.is_null()))


@metric(facts="sessions", needs="page_views.session_number", label="New visitors", unit="share", better="neither",
        by=("channel", *OVER_TIME))  # fmt: skip
def new_visitor_share(sessions: Columns) -> Formula:
    """Sessions that were their visitor's first, of all sessions whose number is known.

    Source: sessions; the tag's own session number, never the first one in our file (S0-24).
    Counts: a session without a number is in neither part.
    Missing: the tag does not number sessions, or none of the quarter has a number.
    """
    known = sessions.count(where=~sessions.session_number.is_null())
    return share(sessions.count(where=sessions.session_number == 1), known, nothing="no session with a number")


@metric(facts="sessions", needs="page_views.engaged_seconds", label="Engaged visits", unit="share", better="higher",
        by=("channel", "campaign", "landing_page", *OVER_TIME))  # fmt: skip
def engaged_visit_rate(sessions: Columns) -> Formula:
    """Sessions whose visitor stayed, of all sessions.

    Source: sessions; the rule stands under `[engaged_visit]` in abm.toml (S0-23, S0-29, S0-32).
    Counts: ten seconds or more, or two pages or more, or a key event; bounces are not counted at all.
    Missing: no sessions, or the tag does not measure time.
    """
    return share(sessions.count(where=sessions.stayed), sessions.count(), nothing=NO_SESSION)


@metric(facts="sessions", label="Pages per visit", unit="times", better="neither", by=("channel", *OVER_TIME))
def pages_per_visit(sessions: Columns) -> Formula:
    """Page views in the sessions of the quarter, for each session.

    Source: sessions, page_views (S0-22, S0-23).
    Counts: all views of a session that began in the quarter, also those after midnight of its last day.
    Missing: no sessions.
    """
    return ratio(sessions.total("views"), sessions.count(), nothing=NO_SESSION)


@metric(facts="identified_sessions", label="Sessions of the right accounts", unit="share", better="higher",
        by=("channel", "campaign", *OVER_TIME), pillar="relationships")  # fmt: skip
def right_traffic_share(sessions: Columns) -> Formula:
    """Sessions of ICP or target accounts, of all sessions of a known account.

    Source: identified_sessions; accounts as they stood when the quarter began (S0-26, S2-35).
    Counts: an account is right when it was ICP or on the target list at the start of the quarter.
    Missing: no session of a known account.
    Beware: says nothing of the sessions that no account was found for; their part is visit_match_rate.
    """
    return share(sessions.count(where=sessions.is_right), sessions.count(), nothing="no session of a known account")


@metric(facts="sessions", needs="page_views.utm_source", label="UTMs in the house format", unit="share", better="higher",
        by=("source", "channel", "faulty"))  # fmt: skip
def utm_hygiene_rate(sessions: Columns) -> Formula:
    """Sessions whose UTM keeps the house format, of all sessions with any UTM.

    Source: sessions; the format stands under `[utm]` in abm.toml (S0-20).
    Counts: the UTM of the first view, as it was typed. The slice `faulty` lists what does not fit, as parts of all with a UTM.
    Missing: no session with a UTM.
    """
    tagged, nothing = sessions.count(where=sessions.has_utm), "no session with a UTM"
    faulty = share(sessions.count(where=~sessions.fits), whole(tagged), nothing=nothing)
    return share(sessions.count(where=sessions.fits), tagged, nothing=nothing).but(faulty=faulty)


@metric(facts="landing_page_depths", needs=DEPTH, label="Landing-page scroll depth", unit="share",
        better="higher", counts="views", core=True,
        by=("depth", "channel", "depth/landing_page", "depth/campaign", "depth/channel"))  # fmt: skip
def scroll_depth_rate(pages: Columns) -> Formula:
    """Landing-page views that reached half of the page, of all landing-page views; every step in the slice `depth`.

    Source: landing_page_depths; the steps stand under `[scroll]` in abm.toml (S0-27, S0-28, S0-30).
    Counts: views whose depth the tag reported: where it did not, that is unknown and not 0. Half is the first step at
    `scroll.flagged_at` or beyond; a step that the tag does not report is never guessed.
    Missing: no landing-page view with a depth.
    """
    nothing = "no landing-page view with a depth"
    every = share(pages.total("reached"), pages.total("views"), nothing=nothing)
    half = share(
        pages.total("reached", where=pages.is_half), pages.total("views", where=pages.is_half), nothing=nothing
    )
    return half.but(**dict.fromkeys(("depth", "depth/landing_page", "depth/campaign", "depth/channel"), every))


@metric(facts="paid_landing_pages", needs=DEPTH, label="Landing pages that do not keep what the ad promises",
        unit="count", better="lower", counts="pages", by=("campaign", "severity", "landing_page"))  # fmt: skip
def landing_pages_mismatched(pages: Columns) -> Formula:
    """Landing pages of paid channels whose median view stops at half of the page or before it.

    Source: paid_landing_pages; the limits stand under `[scroll]` in abm.toml (S0-31).
    Counts: pages with at least `scroll.min_views` paid views of known depth; flagged at a median of half, red at a quarter. A page
    counts under each campaign that brought as many, so campaigns do not add up.
    Missing: no page views for the quarter.
    Beware: asks to compare the words of ad and page; it does not prove that they differ.
    """
    under = Columns("campaign_landing_pages")
    by_campaign = total(under.count(where=under.is_mismatched))
    return total(pages.count(where=pages.is_mismatched)).but(campaign=by_campaign)


@metric(facts="target_account_visits", needs="page_views.account_id", label="Target accounts visiting", unit="count", better="higher",
        counts="accounts", by=("tier", "programme", "industry"), pillar="relationships", window="last_60_days",
        also_window="quarter", additive=True)  # fmt: skip
def target_accounts_visiting(accounts: Columns) -> Formula:
    """Target accounts with at least one session in the last sixty days of the quarter; the slice `window` has the whole quarter.

    Source: target_account_visits (S2-09, S2-10, S2-35).
    Counts: accounts on the list when that time began, each once; bots are out.
    Missing: no page views for the quarter.
    Beware: an account that could not be recognised may have come all the same; see visit_match_rate.
    """
    return total(accounts.count(where=accounts.visits > 0))


@metric(facts="target_account_visits", needs="page_views.account_id", label="Share of target accounts visiting", unit="share",
        better="higher", counts="accounts", by=("tier", "programme"), pillar="relationships", window="last_60_days",
        also_window="quarter")  # fmt: skip
def target_account_visit_rate(accounts: Columns) -> Formula:
    """Target accounts with at least one session in the last sixty days of the quarter, of all target accounts.

    Source: target_account_visits (S2-09).
    Counts: as target_accounts_visiting; accounts that joined the list later are in neither part.
    Missing: no target accounts when that time began.
    """
    return share(accounts.count(where=accounts.visits > 0), accounts.count(), nothing="no target accounts")


@metric(facts="sessions", needs="page_views.account_id", label="Sessions matched to an account", unit="share", better="higher",
        by=("channel", *OVER_TIME))  # fmt: skip
def visit_match_rate(sessions: Columns) -> Formula:
    """Sessions for which an account was found, of all sessions.

    Source: sessions (S2-36).
    Counts: an account on any view of the session matches it.
    Missing: no sessions.
    """
    return share(sessions.count(where=~sessions.account_id.is_null()), sessions.count(), nothing=NO_SESSION)
