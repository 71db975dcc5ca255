"""E-mail to many: how many people each mailing was sent to, reached, and heard from."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from . import Base, Cut, Frame, accounts, fact

BY_PEOPLE, BY_ANYONE = "machines removed", "unfiltered"
KINDS = {"sent": "sent", "delivered": "delivered", "opened": "open", "clicked": "click", "replied": "reply"}
ANSWERS = ("opened", "clicked", "replied")  # what a machine may feign; a server's word on delivery is no feint
TEXT = ("email", "subject", "call_to_action", "asset", "campaign")
FOREVER = date(9999, 1, 1)


@fact(one_row_per=("email_id", "segment", "filter"), needs=("email_events",))
def mailings(cut: Cut) -> Frame:
    """People by mailing and segment, in the window of the day they were sent it: sent, delivered, opened, clicked, replied.

    Twice: in `filter` = machines removed, opens and clicks by machines are left out; unfiltered, they are in. What came
    later counts if it was known when the quarter was.
    """
    ends = cut.base.windows.edges().filter(nw.col("edge") == "end").select("quarter", "known_until")
    at_start = accounts.at_edge(cut.base, "start").select("quarter", "account_id", "segment")
    sent = _sendings(cut.base).join(cut.days, on="day").join(ends, on="quarter")
    sent = sent.join(at_start, on=["quarter", "account_id"], how="left")
    sent = sent.with_columns(segment=nw.col("segment").fill_null(accounts.UNKNOWN))
    both = [_counted(sent, BY_PEOPLE, "_at"), _counted(sent, BY_ANYONE, "_by_anyone_at")]
    return nw.concat(both).join(_described(cut.base), on="email_id", how="left").with_columns(
        email=nw.coalesce(nw.col("email"), nw.col("email_id")), campaign=nw.col("campaign").fill_null("no campaign"),
        **{name: nw.col(name).fill_null("not stated") for name in ("subject", "call_to_action", "asset")},
    )  # fmt: skip


def _counted(sent: Frame, name: str, answered: str) -> Frame:
    """People per mailing and segment. Nobody opens, clicks or answers what was not delivered."""
    sent_on_time, delivered = (nw.col(f"{event}_at") < nw.col("known_until") for event in ("sent", "delivered"))
    counted = {"sent": sent_on_time, "delivered": delivered, "sent_delivered": sent_on_time & delivered}
    counted |= {event: (nw.col(f"{event}{answered}") < nw.col("known_until")) & delivered for event in ANSWERS}
    counts = {event: nw.when(rows).then(1).otherwise(0).sum() for event, rows in counted.items()}
    return sent.group_by("quarter", "window", "email_id", "segment").agg(**counts).with_columns(filter=nw.lit(name))


def _sendings(base: Base) -> Frame:
    """One row per email and person outside the company: the day of sending, the account then, and when each event first came.

    A source that records no sending is dated by the delivery.
    """
    return base.once("sendings", lambda: _sent(base))


def _sent(base: Base) -> Frame:
    by_people, first = ~nw.col("is_machine").fill_null(False), {}
    for event, kind in KINDS.items():
        rows = [nw.col("kind") == kind, *([by_people] if event in ANSWERS else [])]
        first[f"{event}_at"] = nw.when(*rows).then(nw.col("occurred_at")).min()
        first[f"{event}_by_anyone_at"] = nw.when(rows[0]).then(nw.col("occurred_at")).min()
    days = [nw.when(nw.col("kind") == kind).then(nw.col("occurred_on")).min() for kind in ("sent", "delivered")]
    sent = base.tables.email_events.group_by("email_id", "person_id").agg(
        _sent_on=days[0], _delivered_on=days[1], **first
    )
    sent = sent.with_columns(day=nw.coalesce(nw.col("_sent_on"), nw.col("_delivered_on"))).filter(
        ~nw.col("day").is_null()
    )
    people = base.tables.people.select("person_id", "is_internal", _account="account_id")
    sent = sent.join(people, on="person_id", how="left").filter(~nw.col("is_internal").fill_null(False))
    sent = sent.join(_accounts_then(base, sent), on=["email_id", "person_id"], how="left")
    return sent.with_columns(account_id=nw.coalesce(nw.col("_account_then"), nw.col("_account")))


def _accounts_then(base: Base, sent: Frame) -> Frame:
    """Where each person worked on the day of sending, for those whose employers were recorded."""
    spans = base.tables.person_accounts.select(
        "person_id", "valid_from", _account_then="account_id", valid_to=nw.col("valid_to").fill_null(FOREVER)
    )
    then = sent.select("email_id", "person_id", "day").join(spans, on="person_id")
    then = then.filter(nw.col("valid_from") <= nw.col("day"), nw.col("day") < nw.col("valid_to"))
    return then.group_by("email_id", "person_id").agg(_account_then=nw.col("_account_then").max())


def _described(base: Base) -> Frame:
    """One row per email: its name as `email`, subject, call to action, asset and campaign."""
    emails = base.tables.emails.select("email_id", "subject", "call_to_action", "asset_id", "campaign_id", email="name")
    emails = _with_campaigns(base, emails)
    emails = emails.join(base.tables.assets.select("asset_id", asset="title"), on="asset_id", how="left")
    emails = emails.join(base.tables.campaigns.select("campaign_id", campaign="name"), on="campaign_id", how="left")
    return emails.select("email_id", *TEXT)


def _with_campaigns(base: Base, emails: Frame) -> Frame:
    """Every email that was sent or described; its campaign is its own, else that of its events."""
    events = base.tables.email_events.group_by("email_id").agg(_of_events=nw.col("campaign_id").max())
    described = emails.rename({"campaign_id": "_own"})
    both = events.join(described, on="email_id", how="left")
    return both.with_columns(campaign_id=nw.coalesce(nw.col("_own"), nw.col("_of_events")))
