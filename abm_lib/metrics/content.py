"""Content, mail and events: what target accounts took in and answered. Leading, never an outcome."""

from __future__ import annotations

from ..formula import Amount, Columns, Formula, difference, mean, median, ratio, share, total, whole
from ..metric import family

metric = family("content", kind="leading", pillar="reputation", counts="accounts", activity="activity")
SECONDS = "page_views.engaged_seconds"
MAIL = ("email", "subject", "call_to_action", "asset", "campaign", "segment", "month", "quarter", "year")
NO_TARGETS, NO_FORM = "no target accounts", "no form was seen"


def _engaged(taken: Columns) -> Amount:
    return taken.distinct("account_id", where=taken.engagements > 0)


@metric(facts="content_engagements", label="Target accounts engaged by content", unit="count", better="higher", needs=SECONDS,
        by=("asset", "theme", "funnel", "message", "value_proposition", "channel", "segment", "tier", "account/funnel"))  # fmt: skip
def content_engaged_accounts(taken: Columns) -> Formula:
    """Target accounts that took in at least one piece of content in the quarter.

    Source: content_engagements, one row per target account, asset and channel (S1-16, S2-14, S3-06).
    Counts: a page view of ten seconds or more, a download or a webinar watched; accounts on the list when the quarter began, once.
    Missing: no web data for the quarter.
    Beware: an account takes in many pieces, so assets, themes, steps of the funnel and channels do not add up.
    """
    return total(_engaged(taken))


@metric(facts="content_engagements", label="Content engagement rate", unit="share", better="higher",
        needs=SECONDS, by=("segment", "funnel", "tier", "asset", "account", "channel"))  # fmt: skip
def content_engagement_rate(taken: Columns) -> Formula:
    """Target accounts that took in content in the quarter, of all target accounts when it began.

    Source: content_engagements, every target account when the quarter began (S1-16, S1-17, S2-14).
    Counts: as content_engaged_accounts; a segment, tier or account is held against its own target accounts, an asset,
        step of the funnel or channel against all of them.
    Missing: no target accounts.
    """
    engaged, targets = _engaged(taken), taken.distinct("account_id")
    of_all = share(engaged, whole(targets), nothing=NO_TARGETS)
    return share(engaged, targets, nothing=NO_TARGETS).but(funnel=of_all, asset=of_all, channel=of_all)


@metric(facts="content_views", label="Median time on content", unit="seconds", better="higher", counts="views", needs=SECONDS,
        by=("asset", "landing_page", "target"))  # fmt: skip
def content_median_seconds(views: Columns) -> Formula:
    """The median time that a view of content was in front of somebody.

    Source: content_views, one row per view of an asset's page (S1-18).
    Counts: views by anyone but machines and our own people, short ones too; views that were not timed are left out.
    Missing: no view was timed.
    """
    return median(views.total("engaged_seconds"), nothing="no view was timed")


@metric(facts="downloads", label="Content downloads", unit="count", better="higher", counts="downloads",
        by=("asset", "gated", "target"), additive=True)  # fmt: skip
def content_downloads(downloads: Columns) -> Formula:
    """Downloads of content in the quarter, by anyone.

    Source: downloads, touches of that kind (S1-19, S1-23).
    Counts: acts: the same asset twice is two downloads; n are the accounts known to have downloaded.
    Missing: no touches for the quarter.
    """
    accounts = downloads.distinct("account_id", where=downloads.account_id != "")
    return total(downloads.total("downloads"), n=accounts)


@metric(facts="content_views", label="Content consumption rate", unit="share", better="higher", counts="views",
        needs="page_views.scroll_percent", by=("asset",))  # fmt: skip
def content_consumption_rate(views: Columns) -> Formula:
    """Views of content that were read to three quarters of the page or further, of those whose depth is known.

    Source: content_views (S1-39, S3-06).
    Counts: views by anyone but machines and our own people; a view without a depth is unknown, not unread.
    Missing: no view with a depth.
    """
    deep, known = views.count(where=views.scroll_percent >= 75), views.count(where=~views.scroll_percent.is_null())
    return share(deep, known, nothing="no view with a depth")


@metric(facts="content_themes", label="Share of the top content theme", unit="share", better="neither", counts="engagements",
        needs=SECONDS, by=("segment",))  # fmt: skip
def top_theme_share(themes: Columns) -> Formula:
    """Engagements with the theme that was taken in most, of all engagements of target accounts.

    Source: content_themes (S2-15).
    Counts: every view, download and webinar as in content_engaged_accounts; content without a theme is left out.
    Missing: no engagement with a themed asset.
    Beware: one account may engage many times, so the likely range is narrower than it should be.
    """
    every, nothing = themes.total("engagements"), "no engagement with a themed asset"
    of_segment = share(themes.total("engagements", where=themes.is_top_in_segment), every, nothing=nothing)
    return share(themes.total("engagements", where=themes.is_top), every, nothing=nothing).but(segment=of_segment)


@metric(facts="content_themes", label="Effective number of content themes", unit="times", better="neither", counts="engagements",
        needs=SECONDS, by=("segment",))  # fmt: skip
def effective_themes(themes: Columns) -> Formula:
    """How many themes of equal weight would spread engagement as widely: 1 ÷ the sum of the squared shares of themes.

    Source: content_themes (S2-15).
    Counts: as top_theme_share; all pairs of engagements over the pairs with the same theme, which is the same number.
    Missing: no engagement with a themed asset.
    """
    n, nothing = themes.total("engagements"), "no engagement with a themed asset"
    of_segment = ratio(themes.total("pairs_in_segment"), themes.total("alike_in_segment"), nothing=nothing, n=n)
    return ratio(themes.total("pairs"), themes.total("alike"), nothing=nothing, n=n).but(segment=of_segment)


@metric(facts="content_progressions", label="Progression after content, minus without", unit="points", better="higher",
        needs=SECONDS, by=("asset", "theme"))  # fmt: skip
def content_progression_difference(accounts: Columns) -> Formula:
    """The share of accounts that moved up a stage after taking content in, minus that of like accounts that took none in.

    Source: content_progressions, the stage thirty days before the quarter's end and at its end (S2-14, S3-06, S1-40).
    Counts: target accounts thirty days before the end; content taken in earlier in the quarter; those that took none in
        are weighted to the same stages, and n counts them as what they are then worth.
    Missing: nobody took content in, or no account of the same stage did without.
    Beware: an association, not an effect: accounts that are moving anyway read more.
    """

    def of(name: str) -> Formula:
        rows = accounts.of == name
        nothing = "no accounts to compare"
        took = share(accounts.total("took_up", where=rows), accounts.total("took", where=rows), nothing=nothing)
        others = share(accounts.total("alike_up", where=rows), accounts.total("alike", where=rows), nothing=nothing)
        return difference(took, others)

    return of("content").but(asset=of("asset"), theme=of("theme"))


@metric(facts="landing_page_accounts", label="Target accounts reaching landing pages", unit="share", better="higher",
        by=("tier", "campaign"))  # fmt: skip
def landing_page_reach_rate(reached: Columns) -> Formula:
    """Target accounts with at least one view of a landing page, of all target accounts when the quarter began.

    Source: landing_page_accounts, every target account when the quarter began (S1-23).
    Counts: assets of kind landing_page, however short the view; a campaign is the one that brought the visit, and is held
        against all target accounts.
    Missing: no target accounts.
    """
    seen, targets = reached.distinct("account_id", where=reached.views > 0), reached.distinct("account_id")
    return share(seen, targets, nothing=NO_TARGETS).but(campaign=share(seen, whole(targets), nothing=NO_TARGETS))


def _mailed(mail: Columns, part: str, of: str, nothing: str, by_filter: bool = False) -> Formula:
    """People of a part over people of the whole, one per mailing; `filter` apart only where it tells two numbers."""
    by_people = mail.filter == "machines removed"
    rate = share(mail.total(part, where=by_people), mail.total(of, where=by_people), nothing=nothing)
    return rate.but(filter=share(mail.total(part), mail.total(of), nothing=nothing)) if by_filter else rate


@metric(facts="mailings", label="Email delivery rate", unit="share", better="higher", counts="deliveries",
        by=("email", "campaign"))  # fmt: skip
def email_delivery_rate(mail: Columns) -> Formula:
    """Emails that were delivered, of those sent in the quarter.

    Source: mailings (S3-04).
    Counts: one per person and email, by the day of sending; our own people are left out.
    Missing: nothing was sent, or sending is not recorded.
    """
    return _mailed(mail, "sent_delivered", "sent", "nothing was sent")


@metric(
    facts="mailings", label="Email click rate", unit="share", better="higher", counts="deliveries", by=(*MAIL, "filter")
)
def email_click_rate(mail: Columns) -> Formula:
    """Delivered emails that somebody clicked in, of all delivered.

    Source: mailings (S1-20, S3-04, S3-05).
    Counts: one per person and email, by the day of sending; clicks by machines are left out, and in again in the slice `filter`.
    Missing: nothing was delivered.
    """
    return _mailed(mail, "clicked", "delivered", "nothing was delivered", by_filter=True)


@metric(facts="mailings", label="Email reply rate", unit="share", better="higher", counts="deliveries", by=MAIL)
def email_reply_rate(mail: Columns) -> Formula:
    """Delivered emails that somebody replied to, of all delivered.

    Source: mailings (S1-20).
    Counts: one per person and email, by the day of sending; automatic replies flagged as such are left out.
    Missing: nothing was delivered.
    """
    return _mailed(mail, "replied", "delivered", "nothing was delivered")


@metric(
    facts="mailings", label="Email open rate", unit="share", better="neither", counts="deliveries", by=(*MAIL, "filter")
)
def email_open_rate(mail: Columns) -> Formula:
    """Delivered emails that somebody opened, of all delivered, opens by machines removed.

    Source: mailings (S1-20, S3-04, C10).
    Counts: one per person and email, by the day of sending; with machines in the slice `filter`.
    Missing: nothing was delivered.
    Beware: mail programs open by themselves, flagged or not; where a source flags nothing, they are in. Never judged.
    """
    return _mailed(mail, "opened", "delivered", "nothing was delivered", by_filter=True)


def _filled(calls: Columns) -> Amount:
    return calls.distinct("who", where=~calls.form.is_null() & (calls.completions > 0))


@metric(facts="calls_to_action", label="Form fill rate", unit="share", better="higher", counts="views",
        by=("form", "journey_step"))  # fmt: skip
def form_fill_rate(calls: Columns) -> Formula:
    """People who sent a form in, for each time that the form was seen.

    Source: calls_to_action (S3-07).
    Counts: a person counts once however often the form was sent; machines and our own people are left out.
    Missing: no form was seen, or its views are not recorded.
    """
    return share(_filled(calls), calls.total("exposures", where=~calls.form.is_null()), nothing=NO_FORM)


@metric(facts="calls_to_action", label="People who filled in a form", unit="count", better="higher", counts="people",
        by=("form", "journey_step"))  # fmt: skip
def form_fills(calls: Columns) -> Formula:
    """People who sent a form in during the quarter.

    Source: calls_to_action (S3-07).
    Counts: a person, or where nobody is known the visitor, once; forms do not add up where somebody filled in two.
    Missing: no data on forms for the quarter.
    """
    return total(_filled(calls))


@metric(facts="calls_to_action", label="Call-to-action conversion rate", unit="share", better="higher", counts="exposures",
        by=("call_to_action", "journey_step", "position/call_to_action"))  # fmt: skip
def cta_conversion_rate(calls: Columns) -> Formula:
    """Calls to action completed, for each time that one was seen.

    Source: calls_to_action (S3-08, S3-09).
    Counts: acts by anyone but machines and our own people; `position` puts them in the order of the journey. Where nobody
        records who saw a call to action, its completions are left out.
    Missing: no call to action was seen.
    """
    seen = calls.total("exposures", where=calls.is_seen)
    return share(calls.total("completions", where=calls.is_seen), seen, nothing="no call to action was seen")


@metric(facts="social_acts", label="Social engagements", unit="count", better="higher", counts="acts",
        by=("kind", "target"), additive=True)  # fmt: skip
def social_engagements(acts: Columns) -> Formula:
    """Reposts, likes, comments and shares by people of known accounts or none in the quarter.

    Source: social_acts, touches of kind social; `kind` is their detail (S1-24, S1-39).
    Counts: acts, not people; our own people are left out.
    Missing: no touches for the quarter.
    """
    return total(acts.total("acts"))


@metric(facts="offline_acts", label="Offline engagements", unit="count", better="higher", counts="acts",
        by=("kind", "target"), additive=True)  # fmt: skip
def offline_engagements(acts: Columns) -> Formula:
    """Touches that took place offline in the quarter.

    Source: offline_acts, touches of the kinds in `offline_kinds` of abm.toml (S1-39).
    Counts: acts, not people: by default visits to events, and letters and gifts that were sent.
    Missing: no touches for the quarter.
    """
    return total(acts.total("acts"))


@metric(
    facts="engaged_account_channels", label="Channels per engaged account", unit="times", better="higher", by=("tier",)
)
def channels_per_engaged_account(accounts: Columns) -> Formula:
    """The mean number of channels on which an engaged target account was met.

    Source: engaged_account_channels (S1-17).
    Counts: channels with any touch but an impression in the days that `engaged.window_days` looks back on from the quarter's
        end; target accounts when the quarter began that meet the engaged rule.
    Missing: no engaged target account.
    """
    return mean(accounts.total("channels"), accounts.count(), nothing="no engaged target account")
