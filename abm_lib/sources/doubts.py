"""What can be read and looks wrong: told, and refused where rows are certainly missing or certainly there twice."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime

import duckdb

from ..config import Config
from ..errors import ADDRESS, Fault
from ..period import Calendar
from ..tables import Accepted, Table, last_tender, quoted, tables, tells_until
from .reading import File

# Rows at which exports are known to stop: reports, search interfaces, bulk interfaces, and sheets without their header.
LIMITS = (2_000, 10_000, 50_000, 100_000, 250_000, 1_048_575)
MANY = 30  # rows from which a pattern is no chance
TWICE = 0.9  # so many rows with a twin are a load that ran twice
STOPPED = 7  # days without a row after which a table that had one nearly every day has stopped
ALL_OPENED = 0.9  # more of what was delivered is never opened by people
NAMES = ("name", "label", "title", "company_name", "subject")  # columns in which people write words
# UTF-8 that was read as Windows-1252 and written anew: the first byte of a letter, and what follows it.
GARBLED = r"[ÃÂ][\x{80}-\x{BF}\x{152}-\x{178}\x{2013}-\x{2122}]|â€"


def doubts(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    reports: Mapping[str, Accepted],
    files: Iterable[File],
    moments: Iterable[str],
) -> Iterator[Fault]:
    """Every doubt about these tables and files; `moments` are those of which the sources say that they speak."""
    promised = _promised(con) if "loads" in reports else {}
    yield from _lost(reports, promised)
    yield from _cut_off(files, set(promised.values()))
    yield from _garbled(con, reports)
    yield from _called_by_an_address(con, reports)
    yield from _shortened(con, reports)
    yield from _closed_before_created(con, config, reports)
    yield from _off_the_scale(con, reports)
    known = [tables()[name] for name in sorted(reports) if name != "loads"]
    yield from _doubled(con, [table for table in known if len(table.key) == 1 and _has_moments(table)])
    dated = [table for table in known if _has_moments(table) or table.name in ("ad_days", "ad_account_days")]
    yield from _with_gaps(con, dated)
    yield from _of_1970(con, dated)
    yield from _withdrawn(con, [table for table in known if table.dated])
    yield from _shown_to_nobody(con, reports)
    yield from _opened_by_machines(con, reports)
    yield from _misspelt(con, config, reports)
    if newest := _newest(con, reports, moments):
        yield from _ahead(con, dated, newest)
        yield from _stopped(con, dated, datetime.fromisoformat(newest).date())
        yield from _without_targets(con, config, reports, datetime.fromisoformat(newest).date())
    else:
        yield from _after_today(con, [table for table in known if tells_until(table.name)], _today())


def _has_moments(table: Table) -> bool:
    return bool(table.dated) and table.columns[table.dated].type == "at"


def _promised(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The rows that a delivery of each table should have, where `loads` says so: of several the most."""
    query = 'select "table", max(rows_expected) from canonical.loads where rows_expected is not null group by 1'
    return dict(con.execute(query).fetchall())


def _newest(con: duckdb.DuckDBPyConnection, reports: Mapping[str, Accepted], moments: Iterable[str]) -> str:
    """The moment after which nothing can have been recorded yet; empty where nobody says it."""
    (loaded,) = (
        con.execute("select max(extracted_at)::varchar from canonical.loads").fetchall()[0]
        if "loads" in reports
        else (None,)
    )
    return max([*filter(None, moments), *([loaded] if loaded else [])], default="")


def _lost(reports: Mapping[str, Accepted], promised: Mapping[str, int]) -> Iterator[Fault]:
    """Tables of which fewer rows came than `loads` says that one delivery of them has (F095)."""
    for name, rows in sorted(promised.items()):
        if name in reports and reports[name].read < rows:
            yield Fault("F095", "rows-missing", f"table {name}", f"{reports[name].read:,} rows", f"{rows:,}, as loads says",
                        "export the table again, whole, or correct rows_expected in loads")  # fmt: skip


def _cut_off(files: Iterable[File], promised: set[int]) -> Iterator[Fault]:
    """Files of exactly as many rows as an export is known to stop at, where nobody says that these are all (F094)."""
    for file in files:
        rows = file.last + len(file.broken)
        if rows in LIMITS and rows not in promised:
            fix = f"export it in parts; if it is whole, say rows_expected = {rows} in loads"
            yield Fault("F094", "export-limit", file.label, f"exactly {rows:,} rows, at which exports are known to stop",
                        "a proof that these are all", fix)  # fmt: skip


def _garbled(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[Fault]:
    """Words that went through a wrong encoding before they came here (F005). They stay as they are."""
    for name in sorted(names):
        for column in [column for column in NAMES if column in tables()[name].columns]:
            found = f"regexp_matches(\"{column}\", '{GARBLED}')"
            (count,) = con.execute(f'select count(*) from canonical."{name}" where {found}').fetchall()[0]
            if count:
                yield Fault("F005", "garbled", f'table {name}  column "{column}"', f"{count} values with letters such as Ã©",
                            "text in one encoding", "export again as UTF-8; nothing is mended here", level="D")  # fmt: skip


def _called_by_an_address(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[Fault]:
    """Accounts named by somebody's mail address: the name is personal then, and hidden wherever it would be told (F172)."""
    if "accounts" not in names:
        return
    found = f"regexp_matches(name, {quoted(ADDRESS.pattern)}, 'i')"
    (count,) = con.execute(f"select count(*) from canonical.accounts where {found}").fetchall()[0]
    if count:
        yield Fault("F172", "account-named-by-address", 'table accounts  column "name"', f"{count} names with a mail address",
                    "the name of a company", "name the account; until then its name is hidden", level="D")  # fmt: skip


def _shortened(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[Fault]:
    """Keys of digits of which some begin with zeros and others are shorter by them, as a spreadsheet leaves them (F057)."""
    pointed_at = {column.references for table in tables().values() for column in table.columns.values()}
    for name in sorted(pointed_at & set(names)):
        key = tables()[name].key[0]
        zeros, shorter, others = con.execute(
            f"select count(*) filter (where starts_with(id, '0')), count(*) filter (where length(id) < longest), count(*) filter "
            f"(where not regexp_matches(id, '^[0-9]+$') or (starts_with(id, '0') and length(id) < longest)) "
            f'from (select "{key}" as id, max(length("{key}")) over () as longest from canonical."{name}")'
        ).fetchall()[0]
        if zeros and shorter and not others:
            yield Fault("F057", "zeros-lost", f'table {name}  column "{key}"', f"{zeros} ids with zeros in front, {shorter} shorter ones",
                        "ids of one length", "export again and do not open the file in a spreadsheet", level="D")  # fmt: skip


def _closed_before_created(con: duckdb.DuckDBPyConnection, config: Config, names: Iterable[str]) -> Iterator[Fault]:
    """Opportunities closed on a day before the one on which they were created; a day more or less may be the zone (F042)."""
    if not {"opportunities", "opportunity_changes"} <= set(names):
        return
    closing = ", ".join(map(quoted, [*config.opportunity_stages.won, *config.opportunity_stages.lost]))
    count, example = con.execute(
        "select count(distinct opportunity_id), min(opportunity_id) from canonical.opportunity_changes join "
        "canonical.opportunities using (opportunity_id) "
        f"where stage in ({closing}) and close_on < created_at::date - 1"
    ).fetchall()[0]
    if count:
        where, fix = (
            'table opportunity_changes  column "close_on"',
            "correct close_on, or created_at of what was entered late",
        )
        yield Fault("F042", "closed-before-created", where, f"{count}, such as {example}", "a close on or after the day of creation",
                    fix, level="D")  # fmt: skip


def _off_the_scale(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[Fault]:
    """Survey scores above their own scale, or recommendations that are none of 0 to 10: two scales in one table (F122)."""
    if "surveys" not in names:
        return
    off = "score < 0 or score > scale_max or (kind = 'nps' and score > 10)"
    query = f"select count(*) filter (where {off}), count(*) from canonical.surveys"
    count, answers = con.execute(query).fetchall()[0]
    if count:
        yield Fault("F122", "off-the-scale", 'table surveys  column "score"', f"{count} of {answers} scores",
                    "scores from 0 to scale_max, to 10 of kind nps", "give each answer the scale_max of its own question")  # fmt: skip


def _doubled(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table]) -> Iterator[Fault]:
    """Tables in which nearly every row stands twice under two keys: a load that ran twice (F093)."""
    for table in candidates:
        others = [f'"{column}"' for column in table.columns if column not in table.key]
        # Rows that know only their day may well be alike.
        of_moments = f'from canonical."{table.name}" where "{table.dated}"::TIME <> TIME \'00:00:00\''
        if any(_differ(con, columns, of_moments) for columns in (others[:3], others)):
            continue
        (rows,) = con.execute(f"select count(*) {of_moments}").fetchall()[0]
        exactly = f"select coalesce(sum(n), 0) from (select count(*) as n {of_moments} group by {', '.join(others)} having n > 1)"
        (twins,) = con.execute(exactly).fetchall()[0]
        if twins >= TWICE * rows:
            yield Fault("F093", "load-doubled", f"table {table.name}", f"{twins:,} of {rows:,} rows are there again under another key",
                        "each row once", f"load it once, or take the copies out by everything but {table.key[0]}")  # fmt: skip


def _differ(con: duckdb.DuckDBPyConnection, columns: list[str], relation: str) -> bool:
    """Whether the rows are few, or tell in these columns already that most of them are no twins: near enough."""
    quick = f"select count(*), approx_count_distinct(hash({', '.join(columns)})) {relation}"
    rows, different = con.execute(quick).fetchall()[0]
    return bool(rows < MANY or different > 0.7 * rows)


def _with_gaps(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table]) -> Iterator[Fault]:
    """Months without any row between two that have many (F091)."""
    for table in candidates:
        months = con.execute(
            f"select date_trunc('month', \"{table.dated}\")::date as month, count(*) as n, "
            f'lead(month) over (order by month) as next_month, lead(n) over (order by month) as next_n '
            f'from canonical."{table.name}" where "{table.dated}" is not null group by month order by month'
        ).fetchall()  # fmt: skip
        for month, count, following, after in months:
            if following and min(count, after) >= MANY and (following - month).days > 31:
                found = f"no row between {month:%Y-%m} with {count:,} and {following:%Y-%m} with {after:,}"
                yield Fault("F091", "months-missing", f"table {table.name}", found, "rows in every month",
                            "export the months between again, if anything happened in them", level="D")  # fmt: skip


def _of_1970(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table]) -> Iterator[Fault]:
    """Rows of January 1970: seconds that somebody took for milliseconds, or none at all that became zero (F036, F038)."""
    for table in candidates:
        of_then = f"from canonical.\"{table.name}\" where \"{table.dated}\"::date between '1970-01-01' and '1970-01-31'"
        count, last = con.execute(f'select count(*), max("{table.dated}")::date {of_then}').fetchall()[0]
        if count:
            yield Fault("F038", "of-1970", f'table {table.name}  column "{table.dated}"', f"{count} rows, the last of {last}",
                        "the time at which it happened", "seconds were read as milliseconds, or a blank as 0: correct it in the tool "
                        "that delivers the table", level="D")  # fmt: skip


def _ahead(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table], newest: str) -> Iterator[Fault]:
    """Rows of a day after the data were extracted; a day more may be the zone (F043). No quarter that is over counts them."""
    for table in candidates:
        after = f'from canonical."{table.name}" where "{table.dated}" > {quoted(newest)}::TIMESTAMP + interval 1 day'
        count, first = con.execute(f'select count(*), min("{table.dated}")::date {after}').fetchall()[0]
        if count:
            where, last = (
                f'table {table.name}  column "{table.dated}"',
                f"nothing after {newest[:10]}, when the data were extracted",
            )
            yield Fault("F043", "in-the-future", where, f"{count} rows, the first of {first}", last,
                        "correct the dates in the source", level="D")  # fmt: skip


def _after_today(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table], today: date) -> Iterator[Fault]:
    """Rows of days to come, where nobody says when the data were extracted: they would move the report to their quarter (F046)."""
    for table in candidates:
        later = f'from canonical."{table.name}" where "{table.dated}"::date > {quoted(str(today))}::date + 1'
        count, first = con.execute(f'select count(*), min("{table.dated}")::date {later}').fetchall()[0]
        if count:
            where, found = f'table {table.name}  column "{table.dated}"', f"{count} rows, the first of {first}"
            yield Fault("F046", "after-today", where, found, f"nothing after {today}, the day of this machine",
                        "say extracted_on of the source in abm.toml, the day on which the data were fetched; or correct the dates, "
                        "or the clock of this machine")  # fmt: skip


def _today() -> date:
    return datetime.now(UTC).date()


def _stopped(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table], newest: date) -> Iterator[Fault]:
    """Tables that end long before the data were extracted, though hardly a day went by without a row until then (F090)."""
    for table in candidates:
        days, last, longest = con.execute(
            "select count(*), max(day), max(day - before) from (select distinct "
            f'"{table.dated}"::date as day, lag(day) over (order by day) as before from (select distinct "{table.dated}"::date as '
            f'"{table.dated}" from canonical."{table.name}" where "{table.dated}"::date <= ?)) where day > ?::date - 365',
            [newest, newest],
        ).fetchall()[0]
        quiet = (newest - last).days if days >= MANY else 0
        if quiet > max(STOPPED, 2 * (longest or 0)):
            found = f"no row after {last}, {quiet} days before the data were extracted; before that rows were at most {longest} days apart"
            yield Fault("F090", "stopped", f"table {table.name}", found, f"rows until about {newest}",
                        "see whether its export or connector still runs, and deliver the rest", level="D")  # fmt: skip


def _withdrawn(con: duckdb.DuckDBPyConnection, candidates: Iterable[Table]) -> Iterator[Fault]:
    """Amounts in a currency on days when it was no longer legal tender anywhere; a year more is for what is settled late (F061)."""
    for table in [table for table in candidates if "currency" in table.columns]:
        query = f'select currency, max("{table.dated}")::date from canonical."{table.name}" group by 1 order by 1'
        for currency, newest in con.execute(query).fetchall():
            last = last_tender().get(currency, date.max)
            if newest and newest.year > last.year + 1:
                yield Fault("F061", "currency-withdrawn", f'table {table.name}  column "currency"', f"{currency} on {newest}",
                            f"none after {last}, when it ended", "correct the currency", level="D")  # fmt: skip


def _shown_to_nobody(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[Fault]:
    """Days on which ads cost money and were shown to nobody (F120)."""
    if "ad_days" not in names:
        return
    count, first = con.execute(
        "select count(*), min(day) from canonical.ad_days where cost > 0 and impressions = 0"
    ).fetchall()[0]
    if count:
        yield Fault("F120", "cost-unseen", "table ad_days", f"{count} rows with a cost and no impression, the first of {first}",
                    "impressions wherever money was spent", "deliver the impressions, or see what was billed", level="D")  # fmt: skip


def _opened_by_machines(con: duckdb.DuckDBPyConnection, reports: Mapping[str, Accepted]) -> Iterator[Fault]:
    """Opens that no people can have made, or of which nobody says who made them (F113, F115)."""
    if "email_events" not in reports:
        return
    kinds = ("delivered", "open", "click")
    delivered, opened, clicked = con.execute(
        f"select {', '.join(f'count(*) filter (where {kind})' for kind in kinds)} from (select "
        + ", ".join(f"bool_or(kind = '{kind}') as {kind}" for kind in kinds)
        + " from canonical.email_events where not coalesce(is_machine, false) group by email_id, person_id)"
    ).fetchall()[0]
    where, fix = 'table email_events  column "is_machine"', "deliver which events machines made"
    if opened and "is_machine" in reports["email_events"].missing_columns:
        yield Fault(
            "F113",
            "opens-unfiltered",
            where,
            "no source says which opens are of machines",
            "true or false",
            fix,
            level="D",
        )
    if delivered >= MANY and opened > ALL_OPENED * delivered:
        found = f"{opened:,} of {delivered:,} delivered were opened"
        yield Fault("F115", "opens-of-machines", where, found, "opens by people", fix, level="D")
    if clicked > opened > 0:
        found = f"{clicked:,} were clicked and {opened:,} opened"
        yield Fault("F115", "clicks-unopened", "table email_events", found, "an open for most clicks",
                    "see whether opens or clicks are of machines, or not all delivered", level="D")  # fmt: skip


def _misspelt(con: duckdb.DuckDBPyConnection, config: Config, names: Iterable[str]) -> Iterator[Fault]:
    """Sources of UTMs that are nearly one of the house's own (F118). They are counted as they were typed."""
    allowed = {name.casefold() for name in config.utm.sources}
    if not allowed or "page_views" not in names:
        return
    counts = Counter[str]()
    for source, count in con.execute("select utm_source, count(*) from canonical.page_views group by 1").fetchall():
        counts[(source or "").strip().casefold()] += count
    for typed, count in counts.most_common():
        close = difflib.get_close_matches(typed, allowed, n=1, cutoff=0.8) if typed and typed not in allowed else []
        if close:
            yield Fault("F118", "utm-misspelt", 'table page_views  column "utm_source"', f"{typed} ({count} rows)",
                        f"did you mean {close[0]!r}?", "correct the links; what was typed stays", level="D")  # fmt: skip


def _without_targets(
    con: duckdb.DuckDBPyConnection, config: Config, names: Iterable[str], newest: date
) -> Iterator[Fault]:
    """Targets of which none is for the year of the last complete quarter (C04)."""
    if "targets" not in names:
        return
    quarter = Calendar(**config.fiscal.model_dump()).last_complete(newest)
    periods = {period for (period,) in con.execute("select distinct period from canonical.targets").fetchall()}
    years = {str(quarter.year), str(quarter.start.year), str(quarter.end.year)}
    if periods and not {period[:4] for period in periods} & years:
        yield Fault("C04", "targets-of-other-years", 'table targets  column "period"', f"periods from {min(periods)} to {max(periods)}",
                    f"some of {quarter.year}, as of {quarter.label}", "deliver those of the year, or leave the table away")  # fmt: skip
