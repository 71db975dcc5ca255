"""Visits: who came and from where, how far landing pages were read, and which target accounts came.

Bots and our own people are no visitors. A session is that of its first view: the day, channel, campaign, landing page and
UTM are those which that view has.
"""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, fact

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
FIRST = ("day", "channel", "campaign_id", "landing_page", *UTM)
BLANK = {"campaign": "no campaign", "goal": "not stated", "programme": "no programme", "channel": accounts.UNKNOWN}


@fact(one_row_per=("session_id",), needs=("page_views",), is_held=False)
def sessions(cut: Cut) -> Frame:
    """Sessions that began in the window, with what their first view says of them and whether the visitor stayed."""
    return begun(cut.base).join(cut.days, on="day")


@fact(one_row_per=("session_id",), needs=("page_views", "accounts"), is_held=False)
def identified_sessions(cut: Cut) -> Frame:
    """Sessions of a known account; `is_right` where it was ICP or a target when the quarter began."""
    known = accounts.at_edge(cut.base, "start").select(
        "quarter", "account_id", "icp", "target", is_right=(nw.col("icp") == "ICP") | nw.col("is_target")
    )
    found = sessions(cut).filter(~nw.col("account_id").is_null()).join(known, on=["quarter", "account_id"], how="left")
    return found.with_columns(is_right=nw.col("is_right").fill_null(False))


@fact(one_row_per=("account_id",), needs=("page_views", "account_lists", "accounts"))
def target_account_visits(cut: Cut) -> Frame:
    """Target accounts at the window's start, and the sessions they had in it."""
    targets = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    visits = sessions(cut).group_by("quarter", "window", "account_id").agg(visits=nw.len())
    every = targets.join(visits, on=["quarter", "window", "account_id"], how="left")
    return every.with_columns(visits=nw.col("visits").fill_null(0))


@fact(one_row_per=("landing_page", "channel", "campaign", "depth"), needs=("page_views",))
def landing_page_depths(cut: Cut) -> Frame:
    """Landing-page views by page and campaign, once for each step of `scroll.steps`: `reached` of `views` came that far.

    A view whose depth the tag did not report is in neither. `is_half` marks the first step at `scroll.flagged_at` or beyond.
    """
    steps, keys = sorted(set(cut.config.scroll.steps)), ("quarter", "window", "landing_page", "channel", "campaign")
    far = {f"reached_{s}": nw.when(nw.col("scroll_percent") >= s).then(1).otherwise(0).sum() for s in steps}
    counted = cut.base.once(
        f"landing pages by {cut.kind}", lambda: _landings(cut).group_by(*keys).agg(views=nw.len(), **far)
    )
    half = min((s for s in steps if s >= cut.config.scroll.flagged_at), default=steps[-1])
    rows = [
        counted.select(*keys, "views", depth=nw.lit(str(s)), reached=f"reached_{s}", is_half=nw.lit(s == half))
        for s in steps
    ]
    return nw.concat(rows)


@fact(one_row_per=("landing_page",), needs=("page_views",))
def paid_landing_pages(cut: Cut) -> Frame:
    """Landing pages that ads lead to, with enough views to be judged by the median depth."""
    return _judged(cut, "landing_page")


@fact(one_row_per=("landing_page", "campaign"), needs=("page_views",))
def campaign_landing_pages(cut: Cut) -> Frame:
    """Landing pages under each paid campaign that leads to them, with enough views of that campaign to be judged."""
    return _judged(cut, "landing_page", "campaign")


def _judged(cut: Cut, *keys: str) -> Frame:
    """`severity` is red or flagged where the median depth says that the page does not keep what the ad promised (S0-31)."""
    limits, depth = cut.config.scroll, nw.col("median_depth")
    paid = _landings(cut).filter(nw.col("is_paid"))
    pages = paid.group_by("quarter", "window", *keys).agg(
        views=nw.len(), median_depth=nw.col("scroll_percent").median()
    )
    severity = nw.when(depth <= limits.red_at).then(nw.lit("red")).otherwise(nw.lit("flagged"))
    return pages.filter(nw.col("views") >= limits.min_views).with_columns(
        is_mismatched=depth <= limits.flagged_at, severity=nw.when(depth <= limits.flagged_at).then(severity)
    )


def _landings(cut: Cut) -> Frame:
    """Views of the page that a session landed on, where the tag reported how far it was read."""
    landed = _views(cut.base).filter(nw.col("is_landing"), ~nw.col("scroll_percent").is_null())
    landed = landed.select("channel", "campaign_id", "utm_campaign", "scroll_percent", "day", landing_page="page")
    paid = cut.tables.channels.select("channel", is_paid="is_paid")
    landed = _attributed(cut.base, landed.join(cut.days, on="day")).join(paid, on="channel", how="left")
    return landed.with_columns(is_paid=nw.col("is_paid").fill_null(False))


def begun(base: Base) -> Frame:
    """One row per session, whenever it began; `stayed` by the rule of `[engaged_visit]`."""
    return base.once("sessions", lambda: _begun(base))


def _begun(base: Base) -> Frame:
    rule, order = base.config.engaged_visit, {"order_by": ("viewed_at", "view_id")}
    views = _views(base).with_columns(
        landing_page="page",
        _before=nw.col("view_id").shift(1).over("session_id", **order),
        next_page=nw.col("page").shift(-1).over("session_id", **order).fill_null("no further page"),
    )
    first = nw.col("_before").is_null()
    found = views.group_by("session_id").agg(
        views=nw.len(), session_number=nw.col("session_number").min(), seconds=nw.col("engaged_seconds").sum(),
        key_events=nw.when(nw.col("is_key_event")).then(1).otherwise(0).sum(), some_account=nw.col("account_id").max(),
        **{name: nw.when(first).then(nw.col(name)).max() for name in (*FIRST, "next_page", "account_id")},
    )  # fmt: skip
    lasted = nw.col("seconds").fill_null(0) >= rule.min_seconds
    return _tagged(base, _attributed(base, found)).with_columns(
        account_id=nw.coalesce("account_id", "some_account"),
        stayed=lasted | (nw.col("views") >= rule.min_pages) | (nw.col("key_events") > 0),
    )


def _views(base: Base) -> Frame:
    views = base.tables.page_views.filter(~nw.col("is_bot").fill_null(False)).with_columns(day="viewed_on")
    return base.of_others(views)


def _attributed(base: Base, frame: Frame) -> Frame:
    """The campaign by its id, else by its name in the UTM, whatever the case; blanks get a word."""
    campaigns = base.tables.campaigns
    tags = campaigns.select("campaign_id", _tag=nw.col("utm_campaign").str.to_lowercase()).filter(
        ~nw.col("_tag").is_null()
    )
    tags = tags.group_by("_tag").agg(_tagged_id=nw.col("campaign_id").min())
    frame = frame.with_columns(_tag=nw.col("utm_campaign").str.to_lowercase()).join(tags, on="_tag", how="left")
    frame = frame.with_columns(campaign_id=nw.coalesce("campaign_id", "_tagged_id")).drop("_tag", "_tagged_id")
    named = campaigns.select("campaign_id", "goal", "programme", campaign="name")
    frame = frame.join(named, on="campaign_id", how="left")
    frame = frame.with_columns(campaign=nw.coalesce("campaign", "campaign_id"))
    return frame.with_columns(**{name: nw.col(name).fill_null(word) for name, word in BLANK.items()})


def _tagged(base: Base, frame: Frame) -> Frame:
    """Whether a session has a UTM, whether it keeps the house format (S0-20), and the faulty ones as they were typed."""
    rule = base.config.utm
    fits = nw.lit(True)
    for part in rule.required:
        fits = fits & nw.col(f"utm_{part}").str.contains(rule.pattern).fill_null(False)
    for name, allowed in (("utm_source", rule.sources), ("utm_medium", rule.mediums)):
        fits = fits & nw.col(name).is_in(allowed).fill_null(False) if allowed else fits
    has = nw.any_horizontal(*(~nw.col(name).is_null() for name in UTM), ignore_nulls=False)
    typed = nw.concat_str([_typed(name) for name in UTM[:3]], separator=" · ")
    frame = frame.with_columns(has_utm=has, fits=has & fits)
    return frame.with_columns(
        source=nw.when(nw.col("has_utm")).then(_typed("utm_source")),
        faulty=nw.when(nw.col("has_utm") & ~nw.col("fits")).then(typed),
    )


def _typed(name: str) -> nw.Expr:
    """A part of a UTM as it was typed. Links in e-mails carry addresses at times: those are counted and never shown."""
    part = nw.col(name)
    has_address = part.str.contains("@", literal=True)
    return nw.when(part.is_null()).then(nw.lit("blank")).otherwise(
        nw.when(has_address).then(nw.lit("an address")).otherwise(part)
    )  # fmt: skip
