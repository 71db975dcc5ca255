"""What an edition's readings may tell of single people and accounts: the profiles `internal` and `shared`.

Applied where readings are written, before anything is compared with them, so that every page, file and drawing made from
them is safe without knowing of it (settled.md 0.16, reliability.md §A5, S4).

`internal`: people and answers too few to count are hidden one by one; accounts and owners keep their names.
`shared`: no owners, accounts by code, people to the nearest five, account money to three digits. A table with one cell too
small is hidden whole, and with it whatever rolls it up: nothing that is left can be subtracted from a sum.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import intervals
from .errors import ADDRESS
from .keeping import CODES
from .metric import REGISTER, Metric

NUMBERS = ("value", "numerator", "denominator", "n", "low", "high")
ANSWERS = {"answers", "notes"}
# Metrics of which one unit may be one person (a row of a table may); other words count accounts, deals, money or acts.
PEOPLE = {"people", "rows", "invitations", "deliveries", "responses", "roles", "referrals", "downloads"} | ANSWERS
# Metrics that count accounts and add up the people of each.
PEOPLE_ADDED_UP = {"buying_group_penetration", "contacts_per_target_account", "tier_weighted_penetration"}
OF_ACCOUNTS = {"opportunities", "accounts", "changes"}
BESIDE = {"ad_days", "acquisition", "revenue_targets"}  # facts with money that is not of one deal or account
ROLLED_UP = {"year", "window", "quarter"}
# A metric that is one cell of another's table: hidden with it.
ONE_CELL = {"marketing_sourced_pipeline": "source_owner", "marketing_sourced_revenue": "source_owner",
            "marketing_sourced_pipeline_share": "source_owner", "marketing_sourced_revenue_share": "source_owner"}  # fmt: skip
LONGEST = 200  # characters of a slice's name
CONTROLS = {code: f"%{code:02X}" for code in (*range(0x20), *range(0x7F, 0xA0))}  # no page may hold them as they are
K_OF_N = re.compile(r"\b\d[\d,.]* of \d[\d,.]* ")
LARGEST_OF = re.compile(r"(^|; )the largest of [^;]* of it")
IT_WAS = re.compile(r"; it was [^;]*")


@dataclass(frozen=True)
class Profile:
    """How small a cell may be, by what it counts, and how exactly it is told. `said` stands in the foot of every page."""

    name: str
    people: int
    answers: int
    said: str
    deals: int = 0
    base: int = 1
    share_of: int = 0

    @property
    def travels(self) -> bool:
        """Whether the edition may leave the revenue team."""
        return self.base > 1


PROFILES = {
    "internal": Profile(
        "internal", 3, 5,
        "Names accounts and, in win rates, their owners in sales; no other person. Fewer than 3 people or 5 answers are hidden.",
    ),
    "shared": Profile(
        "shared", 5, 10,
        "Accounts by code; people rounded to 5, fewer than 5 people, 10 answers or 3 deals behind an amount are hidden "
        "with all that they could be worked out from. No person is named.", deals=3, base=5, share_of=20,
    ),
}  # fmt: skip


def protected(rows: pd.DataFrame, profile: Profile, key: bytes = b"") -> pd.DataFrame:
    """The rows as the profile may tell them: `value` and its parts of what is too small are empty, with the reason `suppressed`.

    `rows` has the columns of a reading before it is compared; `key` is the company's own, for the codes of accounts.
    """
    rows = rows.assign(slice=_named(rows["slice"].fillna("").astype(str), rows["slice_by"], profile, key))
    rows[list(NUMBERS)] = rows[list(NUMBERS)].astype("float64").replace([np.inf, -np.inf], np.nan)
    if profile.travels:
        rows = rows[~rows["slice_by"].map(lambda by: "owner" in by.split("/"))]
        by_account = rows["slice_by"].str.contains("account") & rows["unit"].isin(["money", "money_per_day"])
        rows = rows[~by_account].reset_index(drop=True)
    people = _parts_of_people(rows)
    hidden = _small_people(rows, people, profile)
    if profile.travels:
        metrics = rows["metric"].map(lambda name: frozenset([name]))
        # Sums of quarters beside the quarters would narrow what rounding leaves open.
        hidden = _with_their_tables(rows, hidden, metrics) | (people.any(axis=1) & _rolls_up(rows))
        money = _small_money(rows, profile)
        hidden |= _with_their_tables(rows, money, rows["metric"].map({name: _facts(name) for name in REGISTER}))
        hidden &= people.any(axis=1) | _is_account_money(rows)
        rows = _rounded(rows, people, profile)
    else:
        hidden &= ~rows["slice_by"].str.contains("account")
    return _without(rows, hidden, profile)


def code_key(folder: Path) -> bytes:
    """The company's own secret, made at first use and kept in FOLDER/.abm: without it no code can be guessed from a name."""
    place = folder / ".abm" / CODES
    if not place.is_file():
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.touch(mode=0o600)
        place.write_bytes(secrets.token_bytes(32))
    return place.read_bytes()


def account_code(name: str, key: bytes) -> str:
    """A name that says nothing: the same for the same account and key, and not to be guessed without the key."""
    digest = hmac.new(key, name.encode(), hashlib.sha256).digest()
    return f"Account {base64.b32encode(digest)[:8].decode()}"


def _named(slices: pd.Series, by: pd.Series, profile: Profile, key: bytes) -> pd.Series:
    """Slices without control characters and mail addresses, cut, each with a name of its own still.

    Accounts go by code where the edition travels.
    """
    slices = slices.str.translate(CONTROLS)
    long = sorted(name for name in slices.unique() if len(name) > LONGEST)
    slices = slices.replace({name: f"{name[:LONGEST]}… {place}" for place, name in enumerate(long, 1)})
    addresses = sorted({name for name in slices.unique() if ADDRESS.search(name)})
    masked = {name: ADDRESS.sub(f"(address hidden {place})", name) for place, name in enumerate(addresses, 1)}
    slices = slices.replace(masked)
    if not profile.travels:
        return slices
    coded = by.str.split("/").map(lambda parts: "account" in parts)

    def code(parts: str, names: str) -> str:
        pairs = zip(parts.split("/"), names.split("/") if "/" in parts else [names], strict=True)
        return "/".join(account_code(name, key) if part == "account" else name for part, name in pairs)

    found = [code(*pair) for pair in zip(by[coded], slices[coded], strict=True)]
    return slices.where(~coded, pd.Series(found, index=slices.index[coded], dtype=object))


def _parts_of_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Which of `numerator`, `denominator` and `n` of each row count people."""
    counts = rows["metric"].map({m.name: m.counts for m in REGISTER.values()})
    counted = counts.isin(PEOPLE)
    whole = rows[["numerator", "denominator"]].mod(1).fillna(0).eq(0).all(axis=1)
    k_of_n = counted & whole.groupby(rows["metric"]).transform("all") & rows["unit"].isin(["share", "count"])
    added_up = rows["metric"].isin(PEOPLE_ADDED_UP - {"tier_weighted_penetration"})
    return pd.DataFrame({
        "numerator": k_of_n | added_up, "denominator": k_of_n | (counted & (rows["unit"] == "money")), "n": counted,
    })  # fmt: skip


def _small_people(rows: pd.DataFrame, people: pd.DataFrame, profile: Profile) -> pd.Series:
    """Rows of which a part counts somebody, but too few; where the edition travels, also those who are left out of it."""
    counts = rows["metric"].map({m.name: m.counts for m in REGISTER.values()})
    least = counts.isin(ANSWERS).map({True: profile.answers, False: profile.people})
    parts = rows[["numerator", "denominator", "n"]].where(people)
    if profile.travels:
        shares = people["numerator"] & people["denominator"] & (rows["unit"] == "share")
        parts = parts.assign(rest=(rows["denominator"] - rows["numerator"]).where(shares))
        few = shares & rows["denominator"].between(0, profile.share_of, inclusive="neither")
    else:
        few = pd.Series(False, index=rows.index)
    return few | ((parts > 0) & parts.lt(least, axis=0)).any(axis=1)


def _is_account_money(rows: pd.DataFrame) -> pd.Series:
    """Rows whose value or parts are money of single deals or accounts."""
    known = {name: metric.counts in OF_ACCOUNTS and _has_money(metric) for name, metric in REGISTER.items()}
    return rows["metric"].map(known)


def _has_money(metric: Metric) -> bool:
    if metric.unit in ("money", "money_per_day") or metric.of:
        return metric.unit in ("money", "money_per_day") or metric.parts_in_money
    return any(term.how == "money" and term.fact not in BESIDE for term in metric.formula.terms())


def _small_money(rows: pd.DataFrame, profile: Profile) -> pd.Series:
    few = rows["n"].between(0, profile.deals, inclusive="neither")
    of_nobody_known = (rows["n"] == 0) & rows["value"].notna() & (rows["value"] != 0)  # deals that name no account
    return _is_account_money(rows) & (few | of_nobody_known)


def _facts(name: str) -> frozenset[str]:
    """The facts behind a metric, through those that it is worked out from."""
    metric = REGISTER[name]
    return frozenset(metric.facts).union(*map(_facts, metric.of)) - BESIDE


def _with_their_tables(rows: pd.DataFrame, small: pd.Series, keys: pd.Series) -> pd.Series:
    """The rows of every table that holds a small one: the same keys, dimension and quarter; and of what rolls such tables up.

    A small whole hides every table under it; over time, one small quarter hides the sums of quarters.
    """
    found = rows[small].assign(key=keys[small]).explode("key")[["key", "slice_by", "quarter"]].drop_duplicates()
    triggers = {tuple(row) for row in found.to_numpy()}
    ever = {(key, "" if by in ROLLED_UP else by) for key, by, _ in triggers}
    rolled = _rolls_up(rows) | (rows["slice_by"] == "quarter")

    def hit(key: frozenset[str], by: str, quarter: str, metric: str, is_rolled: bool) -> bool:
        tables = {by, "", ONE_CELL.get(metric, "")} if len(key) else set()
        if is_rolled:
            tables = {"" if table in ROLLED_UP else table for table in tables}
            return any((each, table) in ever for each in key for table in tables)
        return any((each, table, quarter) in triggers for each in key for table in tables)

    cells = zip(keys, rows["slice_by"], rows["quarter"], rows["metric"], rolled, strict=True)
    return pd.Series([hit(*cell) for cell in cells], index=rows.index, dtype=bool)


def _rolls_up(rows: pd.DataFrame) -> pd.Series:
    """Rows that count several quarters."""
    windows = rows["metric"].map({m.name: m.window for m in REGISTER.values()})
    return rows["slice_by"].isin(ROLLED_UP - {"quarter"}) | windows.str.startswith("trailing")


def _rounded(rows: pd.DataFrame, people: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """People to the profile's base and what follows from them; account money to three digits; no counts in their remarks."""
    rows = rows.copy()
    for part in people:
        nearest = np.floor((rows[part] + profile.base // 2) / profile.base) * profile.base
        rows[part] = rows[part].where(~people[part], nearest)
    touched = people.any(axis=1) | rows["metric"].isin(PEOPLE_ADDED_UP)
    has = rows["value"].notna() & people[["numerator", "denominator"]].any(axis=1)
    quotient = (rows["numerator"] / rows["denominator"].where(rows["denominator"] > 0)).fillna(rows["numerator"])
    rows["value"] = rows["value"].where(~has, quotient)
    rows.loc[touched & ~people["numerator"] & ~people["denominator"], ["numerator", "denominator"]] = np.nan
    wilson = has & rows["method"].fillna("").str.startswith("Wilson")
    low, high = intervals.wilson(rows.loc[wilson, "numerator"].to_numpy(), rows.loc[wilson, "denominator"].to_numpy())
    ends = touched & ~wilson
    rows.loc[ends, "low"], rows.loc[ends, "high"] = _digits(rows["low"], 2, np.floor), _digits(rows["high"], 2, np.ceil)
    rows.loc[wilson, "low"], rows.loc[wilson, "high"] = low, high
    exact = touched & ~has
    rows.loc[exact, "value"] = _digits(rows["value"], 3)
    rows.loc[touched, "caveats"] = rows["caveats"].fillna("").str.replace(K_OF_N, "some ", regex=True)
    for said in (IT_WAS, LARGEST_OF):
        rows["caveats"] = rows["caveats"].fillna("").str.replace(said, "", regex=True)
    rows["caveats"] = rows["caveats"].str.removeprefix("; ")
    for part in NUMBERS:
        is_money = _is_account_money(rows) & (rows[part].abs() >= 1000)
        rows[part] = rows[part].where(~is_money, _digits(rows[part], 3))
    return rows


def _digits(values: pd.Series, digits: int, how: object = np.round) -> pd.Series:
    """Numbers to so many significant digits, by `how` of the last one."""
    with np.errstate(divide="ignore"):
        scale = 10.0 ** (np.floor(np.log10(values.abs().where(values != 0, 1))) - digits + 1)
    assert callable(how)
    return pd.Series(how(values / scale) * scale, index=values.index)


def _without(rows: pd.DataFrame, hidden: pd.Series, profile: Profile) -> pd.DataFrame:
    """The rows with the numbers of the hidden ones taken out; what had none for another reason keeps that reason."""
    hidden = hidden & rows["missing_because"].fillna("").isin(["", "undefined", "withheld"])
    rows = rows.copy()
    rows.loc[hidden, list(NUMBERS)] = np.nan
    rows.loc[hidden, "method"] = ""
    rows.loc[hidden, "missing_because"] = "suppressed"
    rows.loc[hidden, "caveats"] = (
        "too few people or deals to be shared" if profile.travels else "too few people to tell"
    )
    return rows
