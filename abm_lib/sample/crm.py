"""The CRM's opportunity tables: the opportunities, their states, frozen sources and the people in them."""

from __future__ import annotations

from datetime import date, timedelta

from numpy.random import Generator

from . import words
from .campaigns import Campaigns
from .deals import Deal
from .history import OPEN
from .people import People, self_reported
from .shape import Row, Shape, between, chance, moment, one, pick

QUALIFIED = OPEN[1:]


def number_deals(deals: list[Deal]) -> None:
    """Give the deals their ids, in order of creation."""
    deals.sort(key=lambda deal: (deal.created, deal.account["account_id"], deal.business_type, deal.close))
    for number, deal in enumerate(deals):
        deal.opportunity_id = f"o{number + 1:04}"


def opportunities(shape: Shape, campaigns: Campaigns, deals: list[Deal]) -> list[Row]:
    rng = shape.rng("opportunities")
    rows = [_opportunity(shape, rng, campaigns, deal) for deal in deals]
    _merge_and_split(rng, deals, rows)
    return rows


def _opportunity(shape: Shape, rng: Generator, campaigns: Campaigns, deal: Deal) -> Row:
    first, last = deal.changes[0], deal.changes[-1]
    promoted = deal.business_type != "renewal" and chance(rng, 0.13 if last["stage"] == "won" else 0.07)
    idle = timedelta(days=min(between(rng, 0, 95), max(0, (shape.cut - last["changed_at"]).days)))
    row: Row = {
        "opportunity_id": deal.opportunity_id,
        "account_id": deal.account["account_id"],
        "business_type": deal.business_type,
        "expansion_kind": deal.expansion_kind,
        "created_at": first["changed_at"],
        "qualified_at": next((row["changed_at"] for row in deal.changes if row["stage"] in (*QUALIFIED, "won")), None),
        "deleted_at": last["changed_at"] if last["is_deleted"] else None,
        "last_activity_at": shape.cut - idle if last["stage"] in OPEN else last["changed_at"],
        "owner_id": deal.owner_id,
        "is_promotion": promoted,
        "promotion": words.PROMOTIONS[deal.created.month // 5] if promoted else None,
        "product": pick(rng, words.PRODUCTS),
    }
    return row | _source(rng, campaigns, deal) | _outcome(rng, deal, last)


def _source(rng: Generator, campaigns: Campaigns, deal: Deal) -> Row:
    """The raw source as typed, with what little the CRM adds to it."""
    campaign = campaigns.some(rng, deal.channel, deal.created) if chance(rng, 0.7) else None
    if deal.champion and deal.channel == "linkedin_ads":
        campaign = campaigns.champion
    detail = one(rng, tuple(words.THEMES)) if deal.source and chance(rng, 0.3) else None
    asked = deal.business_type == "new" and chance(rng, 0.45)
    return {
        "source": deal.source,
        "source_detail": campaign["name"] if campaign else detail,
        "channel": deal.channel if deal.source and chance(rng, 0.9) else None,
        "campaign_id": campaign["campaign_id"] if campaign else None,
        "self_reported_source": self_reported(rng, deal.channel) if asked else None,
    }


def _outcome(rng: Generator, deal: Deal, last: Row) -> Row:
    """What is filled in when a deal is far enough: terms, competitor, why it was lost or won; some of it never is."""
    known = any(row["stage"] in OPEN[2:] or row["stage"] == "won" for row in deal.changes)
    terms = known and chance(rng, 0.96)
    return {
        "competitor": pick(rng, words.COMPETITORS) if known else None,
        "loss_reason": deal.reason if last["stage"] == "lost" else None,
        "win_reason": pick(rng, words.WIN_REASONS) if last["stage"] == "won" else None,
        "term_months": deal.term if terms and chance(rng, 0.95) else None,
        "annual_value": deal.arr if terms else None,
        "one_off_amount": deal.one_off if known else None,
    }


def _merge_and_split(rng: Generator, deals: list[Deal], rows: list[Row]) -> None:
    """A deleted opportunity may live on in another one of its account; a few expansions were split off a sale."""
    by_account: dict[str, list[Row]] = {}
    for row in rows:
        by_account.setdefault(row["account_id"], []).append(row)
    for row in rows:
        others = [other for other in by_account[row["account_id"]] if other is not row and not other["deleted_at"]]
        if row["deleted_at"] and others:
            row["survivor_id"] = others[-1]["opportunity_id"]
        elif row["business_type"] == "expansion" and chance(rng, 0.02):
            earlier = [other for other in others if other["created_at"] < row["created_at"]]
            row["splits_from"] = earlier[-1]["opportunity_id"] if earlier else None


def changes(deals: list[Deal]) -> list[Row]:
    return [{"opportunity_id": deal.opportunity_id, **row} for deal in deals for row in deal.changes]


def sources(rows: list[Row]) -> list[Row]:
    """The source as it stood at qualification: blank or unreadable text stays unknown."""
    found = {raw: (name, channel.owner) for name, channel in words.CHANNELS.items() for raw in channel.raw}
    frozen = []
    for row in rows:
        if row["qualified_at"]:
            channel, owner = found.get(row["source"], (None, "unknown"))
            frozen.append(
                {
                    "opportunity_id": row["opportunity_id"],
                    "frozen_at": row["qualified_at"],
                    "owner": owner,
                    "channel": channel,
                    "rule": "field",
                }
            )
    return frozen


def roles(shape: Shape, people: People, deals: list[Deal]) -> list[Row]:
    """Who took part: two to five people, the first of them the main contact."""
    rng = shape.rng("roles")
    rows = []
    for deal in deals:
        staff = people.staff[deal.account["account_id"]]
        size = between(rng, 2, 5) if deal.business_type == "new" else between(rng, 1, 2)
        for rank, number in enumerate(rng.permutation(len(staff))[:size]):
            person = staff[int(number)]
            role = words.TITLES.get(person["title"], (None, None, None))[2] or ("champion" if rank == 0 else "user")
            added = moment(rng, deal.created) + timedelta(days=between(rng, 0, 30))
            if added <= shape.cut:
                row = {
                    "opportunity_id": deal.opportunity_id,
                    "person_id": person["person_id"],
                    "role": role if chance(rng, 0.9) else None,
                }
                rows.append(row | {"is_primary": rank == 0, "added_at": added})
    return rows


def buyers(deals: list[Deal], people: People) -> dict[str, date]:
    """The first two people of each account with a new deal, with the day of the deal: they became MQLs before it."""
    return {
        person["person_id"]: deal.created
        for deal in deals
        if deal.business_type == "new"
        for person in people.staff[deal.account["account_id"]][:2]
    }
