"""What follows from the event tables: touches, and the stage of each account on each day. Slow on purpose and plain.

The same rules stand in SQL in `abm_lib.derive`; a test holds the two equal.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from .history import STAGES
from .shape import Row, Shape, Tables

WINDOW = timedelta(days=90)
HIGH_INTENT = ("form", "meeting", "demo_request", "pricing_visit")
ORDER = tuple(STAGES)
JOURNEY = ("cold", "engaged", "mqa", "demo", "opportunity", "customer", "renewal")


def touches(tables: Tables, own: list[Row]) -> list[Row]:
    """The acts of the event tables beside the file's own ones, in order of time."""
    home = {person["person_id"]: person["account_id"] for person in tables["people"]}
    rows = [
        *own,
        *_visits(tables["page_views"]),
        *_mails(tables["email_events"], home),
        *_forms(tables["cta_events"], home),
        *_meetings(tables["meetings"]),
        *_ad_clicks(tables["ad_account_days"]),
    ]
    return sorted(rows, key=lambda row: (row["touched_at"], row["touch_id"]))


def _visits(views: list[Row]) -> list[Row]:
    """One touch per session with a known account; looking at prices is a response, a visit is not."""
    sessions: dict[str, list[Row]] = {}
    for view in views:
        if not view["is_bot"] and view["account_id"]:
            sessions.setdefault(view["session_id"], []).append(view)
    rows = []
    for session_id, seen in sessions.items():
        first = min(seen, key=lambda view: (view["viewed_at"], view["view_id"]))
        pricing = any(view["page"].startswith("/pricing") for view in seen)
        row = {
            "touch_id": f"page_views:{session_id}",
            "touched_at": first["viewed_at"],
            "account_id": first["account_id"],
        }
        row |= {
            "person_id": first["person_id"],
            "channel": first["channel"] or "website",
            "campaign_id": first["campaign_id"],
        }
        rows.append(row | {"kind": "pricing_visit" if pricing else "visit", "is_response": pricing})
    return rows


def _mails(events: list[Row], home: dict[str, str | None]) -> list[Row]:
    rows = []
    for event in events:
        account_id = home.get(event["person_id"])
        if event["kind"] in ("click", "reply") and not event["is_machine"] and account_id:
            row = {
                "touch_id": f"email_events:{event['event_id']}",
                "touched_at": event["occurred_at"],
                "account_id": account_id,
            }
            row |= {"person_id": event["person_id"], "channel": "email", "campaign_id": event["campaign_id"]}
            rows.append(row | {"kind": f"email_{event['kind']}", "is_response": True})
    return rows


def _forms(events: list[Row], home: dict[str, str | None]) -> list[Row]:
    rows = []
    for event in events:
        account_id = event["account_id"] or home.get(event["person_id"])
        if event["kind"] == "completed" and not event["is_machine"] and account_id:
            row = {
                "touch_id": f"cta_events:{event['event_id']}",
                "touched_at": event["occurred_at"],
                "account_id": account_id,
            }
            row |= {"person_id": event["person_id"], "channel": "website", "is_response": True}
            rows.append(row | {"kind": "demo_request" if event["cta_id"] == "demo_request" else "form"})
    return rows


def _meetings(meetings: list[Row]) -> list[Row]:
    rows = []
    for meeting in meetings:
        if meeting["outcome"] == "held" and not meeting["is_internal"] and meeting.get("account_id"):
            row = {
                "touch_id": f"meetings:{meeting['meeting_id']}",
                "touched_at": meeting["starts_at"],
                "is_response": True,
            }
            row |= {
                "kind": "call" if meeting["kind"] == "call" else "meeting",
                "channel": meeting["channel"] or "outbound",
            }
            rows.append(
                row | {name: meeting.get(name) for name in ("account_id", "person_id", "campaign_id", "opportunity_id")}
            )
    return rows


def _ad_clicks(ad_account_days: list[Row]) -> list[Row]:
    rows = []
    for seen in ad_account_days:
        if seen["account_id"] and seen["clicks"] > 0:
            key = f"{seen['day']}|{seen['platform']}|{seen['campaign_id']}|{seen['account_id']}"
            row = {"touch_id": f"ad_account_days:{key}", "touched_at": datetime.combine(seen["day"], time(12))}
            row |= {"account_id": seen["account_id"], "channel": seen["channel"], "campaign_id": seen["campaign_id"]}
            rows.append(row | {"kind": "ad_click", "is_response": False})
    return rows


def account_stages(shape: Shape, tables: Tables) -> list[Row]:
    """A row for an account's first day, and for each later day on which its stage is another one."""
    accounts = {row["account_id"]: row for row in tables["accounts"]}
    acts, demos = _by_account(tables["touches"]), _by_account([m for m in tables["meetings"] if _is_demo(m)])
    revenue, states = _by_account(tables["subscriptions"]), _states(tables)
    listed = {row["account_id"] for row in tables["account_lists"] if row["is_target"]}
    rows = []
    for account_id in sorted(listed | set(acts) | set(revenue) | set(_by_account(tables["opportunities"]))):
        facts = (
            acts.get(account_id, []),
            demos.get(account_id, []),
            revenue.get(account_id, []),
            states.get(account_id, {}),
        )
        first = accounts[account_id]["created_at"].date()
        before = None
        for day in _days(shape, first, *facts):
            stage = _stage(day, *facts)
            if stage != before:
                at = datetime.combine(day, time())
                rows.append({"account_id": account_id, "stage": stage, "entered_at": at, "recorded_at": at})
                before = stage
    return rows


def _by_account(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("account_id"):
            found.setdefault(row["account_id"], []).append(row)
    return found


def _is_demo(meeting: Row) -> bool:
    return meeting["kind"] == "demo" and meeting["outcome"] == "held" and not meeting["is_internal"]


def _states(tables: Tables) -> dict[str, dict[str, list[Row]]]:
    """The states of each opportunity in order of time, by account and opportunity."""
    account_of = {row["opportunity_id"]: row["account_id"] for row in tables["opportunities"]}
    found: dict[str, dict[str, list[Row]]] = {}
    for row in sorted(tables["opportunity_changes"], key=lambda row: row["changed_at"]):
        found.setdefault(account_of[row["opportunity_id"]], {}).setdefault(row["opportunity_id"], []).append(row)
    return found


def _days(
    shape: Shape, first: date, acts: list[Row], demos: list[Row], revenue: list[Row], states: dict[str, list[Row]]
) -> list[date]:
    """The days on which the stage can change: something happens, or falls out of the window."""
    happened = [row["touched_at"].date() for row in acts] + [row["starts_at"].date() for row in demos]
    days = {first, *happened, *(day + WINDOW for day in happened)}
    days |= {row["effective_on"] for row in revenue}
    days |= {row["changed_at"].date() for rows in states.values() for row in rows}
    return sorted(day for day in days if first <= day <= shape.known)


def _stage(day: date, acts: list[Row], demos: list[Row], revenue: list[Row], states: dict[str, list[Row]]) -> str:
    """The highest stage whose rule holds on a day."""
    past = [row for row in revenue if row["effective_on"] <= day]
    if sum(row["arr_change"] for row in past) > 0:
        return "renewal" if any(row["kind"] == "renewal" for row in past) else "customer"
    if any(_is_open(day, rows) for rows in states.values()):
        return "opportunity"
    if any(day - WINDOW < row["starts_at"].date() <= day for row in demos):
        return "demo"
    recent = [row for row in acts if day - WINDOW < row["touched_at"].date() <= day and row["kind"] != "impression"]
    people = {row["person_id"] for row in recent if row.get("person_id")}
    if len(people) >= 2 and len(recent) >= 5:
        return "mqa"
    return "engaged" if len(people) >= 2 or any(row["kind"] in HIGH_INTENT for row in recent) else "cold"


def _is_open(day: date, rows: list[Row]) -> bool:
    """Whether an opportunity was qualified, open and not deleted at the end of a day."""
    past = [row for row in rows if row["changed_at"].date() <= day]
    if not past or past[-1]["is_deleted"]:
        return False
    return ORDER.index("qualified") <= ORDER.index(past[-1]["stage"]) < ORDER.index("won")
