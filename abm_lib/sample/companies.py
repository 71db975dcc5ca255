"""The companies Norrvind sells to, with their history, and the people who sell to them."""

from __future__ import annotations

from datetime import date, timedelta

from numpy.random import Generator

from . import words
from .shape import Row, Shape, around, between, chance, moment, one, pick

HISTORY_COLUMNS = (
    "segment",
    "industry",
    "employees",
    "annual_revenue",
    "region",
    "is_icp",
    "is_addressable",
    "owner_id",
    "parent_id",
)
EMPLOYEES = {"enterprise": 3200, "mid_market": 480, "small": 70}


def owners(shape: Shape) -> list[Row]:
    """24 sales representatives in three teams; the last two have left."""
    teams = ("Enterprise", "Mid-market", "Small business")
    regions = ("DACH", "UK", "North America", "Nordics")
    return [
        {"owner_id": f"r{n + 1:02}", "label": label, "team": teams[n % 3], "region": regions[n % 4], "active": n < 22}
        for n, label in enumerate(words.OWNER_NAMES)
    ]


def accounts(shape: Shape) -> tuple[list[Row], list[Row]]:
    """The accounts as they stand today, and every state they went through."""
    rng = shape.rng("accounts")
    count = shape.size(3000, 40)
    names = rng.permutation(len(words.NAME_HEADS) * len(words.NAME_TAILS))
    born = sorted(_birthday(shape, rng) for _ in range(count))
    rows = [_account(rng, number, int(names[number % len(names)]), born[number]) for number in range(count)]
    for row in rows[count // 2 :: 17]:
        row["parent_id"] = one(rng, rows[: count // 4])["account_id"]
    for row in rows[count // 3 :: 150]:
        row["survivor_id"] = one(rng, rows[: count // 4])["account_id"]
    for number, row in enumerate(rows[7 :: max(count // 6, 8)]):
        row.update(is_test=True, name=f"Test Account {number + 1}", is_icp=False, is_addressable=False)
    changes = [change for row in rows for change in _changes(shape, rng, row)]
    return rows, changes


def _birthday(shape: Shape, rng: Generator) -> date:
    if chance(rng, 0.75):
        return shape.begin - timedelta(days=between(rng, 260, 1500))
    return shape.begin + timedelta(days=between(rng, 0, (shape.known - shape.begin).days - 20))


def _account(rng: Generator, number: int, name: int, born: date) -> Row:
    head, tail = divmod(name, len(words.NAME_TAILS))
    country, segment = pick(rng, words.COUNTRIES), pick(rng, words.SEGMENTS)
    label = words.NAME_HEADS[head] + words.NAME_TAILS[tail]
    domain = f"{label.lower()}{number if number >= 2800 else ''}.example"
    employees = round(around(rng, EMPLOYEES[segment], 0.45), -1)
    is_icp = chance(rng, words.ICP_SHARE[segment])
    return {
        "account_id": f"a{number + 1:04}",
        "name": f"{label} {words.LEGAL_FORM[country]}",
        "domain": domain,
        "other_domains": f"{label.lower()}-group.example" if chance(rng, 0.05) else None,
        "industry": pick(rng, words.INDUSTRIES) if chance(rng, 0.97) else None,
        "segment": segment,
        "employees": int(employees),
        "annual_revenue": round(employees * around(rng, 190_000, 0.3), -5),
        "currency": words.DEAL_CURRENCY.get(country, "EUR"),
        "country": country,
        "region": words.REGIONS[country],
        "is_icp": is_icp,
        "is_addressable": is_icp or chance(rng, 0.35),
        "owner_id": f"r{between(rng, 1, 22):02}",
        "created_at": moment(rng, born),
        "is_test": False,
    }


def _changes(shape: Shape, rng: Generator, row: Row) -> list[Row]:
    """The account's first state and, for one in five, what changed later; leaves `row` at the last state."""
    states = [
        {"account_id": row["account_id"], "changed_at": row["created_at"], **{c: row.get(c) for c in HISTORY_COLUMNS}}
    ]
    if not chance(rng, 0.22) or row["is_test"]:
        return states
    earliest = max(row["created_at"].date(), shape.begin) + timedelta(days=30)
    if earliest < shape.end:
        day = shape.spread(rng, 1, earliest, shape.known)[0]
        row.update(_news(rng, row))
        states.append({**states[0], "changed_at": moment(rng, day), **{c: row.get(c) for c in HISTORY_COLUMNS}})
    return states


def _news(rng: Generator, row: Row) -> Row:
    what = pick(rng, {"owner": 0.4, "icp": 0.22, "addressable": 0.2, "growth": 0.1, "segment": 0.08})
    if what == "icp":
        return {"is_icp": not row["is_icp"], "is_addressable": row["is_addressable"] or not row["is_icp"]}
    if what == "addressable" and not row["is_icp"]:
        return {"is_addressable": not row["is_addressable"]}
    if what == "segment" and row["segment"] == "small":
        return {"segment": "mid_market", "employees": row["employees"] * 3}
    if what == "growth":
        return {"employees": round(row["employees"] * 1.3), "annual_revenue": round(row["annual_revenue"] * 1.3, -5)}
    return {"owner_id": f"r{between(rng, 1, 24):02}"}
