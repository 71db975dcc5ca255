"""The same numbers as the readings, in SQL written by hand: one query for each fact and slice set, every metric a column."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

PREPARE = Path(__file__).with_name("by_hand.sql")

ADS = """sum(impressions) as ad_impressions, sum(clicks) as ad_clicks, sum(cost_eur) as ad_spend, sum(clicks) / sum(impressions) as
    ad_click_rate, 1000 * sum(cost_eur) / sum(impressions) as ad_cost_per_thousand, sum(cost_eur) / sum(clicks) as ad_cost_per_click"""
AD_ROWS = """(select d.quarter, d."window", a.channel, a.impressions, a.clicks, coalesce(ad_type, 'not stated') as ad_type,
    coalesce(c.name, 'no campaign') as campaign, coalesce(c.programme, 'no programme') as programme, eur(cost, a.currency, rate) as cost_eur
    from ad_days a join days d using (day) left join campaigns c using (campaign_id)
    left join fx_days r on r.currency = a.currency and r.day = a.day where d.kind = '{kind}')"""
CREATED = """count(*) as opportunities_created, sum(amount_qualified) as pipeline_created,
    count(*) filter (source_owner = 'marketing') as marketing_sourced_opportunities,
    sum(amount_qualified) filter (source_owner = 'marketing') as marketing_sourced_pipeline,
    sum(amount_qualified) filter (source_owner = 'marketing') / sum(amount_qualified) as marketing_sourced_pipeline_share,
    avg(amount_qualified) as average_deal_size, median(amount_qualified) as typical_deal_size"""
OPEN = (
    "sum(amount_open) as open_pipeline, sum(amount_open) filter (is_stale) / sum(amount_open) as stale_pipeline_share"
)
CLOSED = """sum(amount_closed) filter (is_won) as closed_won_revenue, count(*) filter (is_won) as deals_won,
    count(distinct account_id) filter (is_first_win) as new_customers"""
CLOSED_NEW = """sum(amount_closed) filter (is_won and source_owner = 'marketing') as marketing_sourced_revenue,
    sum(amount_closed) filter (is_won and source_owner = 'marketing') / sum(amount_closed) filter (is_won) as
    marketing_sourced_revenue_share, avg(amount_closed) filter (is_won) as average_selling_price,
    median(amount_closed) filter (is_won) as typical_selling_price,
    avg(yearly) filter (is_won) as average_contract_value,
    median(yearly) filter (is_won) as typical_contract_value, avg(cycle_days) filter (is_won) as sales_cycle_days_won,
    count(distinct account_id) filter (is_won and is_promotion) as promotion_wins,
    count(*) filter (is_won and is_promotion) / count(*) filter (is_won) as promotion_win_share,
    count(*) filter (is_contest and is_lost)
        / sum(count(*) filter (is_contest and is_lost)) over (partition by quarter) as loss_reason_share,
    count(*) filter (is_won) / sum(count(*) filter (is_won)) over (partition by quarter) as win_reason_share"""
RATES = """count(*) filter (is_contest and is_won) / count(*) filter (is_contest) as win_rate_closed,
    count(*) filter (is_contest and is_won and source_owner = 'marketing') / count(*) filter (is_contest and source_owner = 'marketing')
    as sourced_opportunity_win_rate, sum(amount_contested) filter (is_contest and is_won and amount_contested > 0)
    / sum(amount_contested) filter (is_contest and amount_contested > 0) as win_rate_closed_value"""
JUDGED = """sum(amount_qualified) filter (is_influenced) as influenced_pipeline, sum(amount_qualified) filter (is_influenced)
    / sum(amount_qualified) as influenced_pipeline_share,
    count(distinct account_id) filter (is_influenced and target = 'target') as influenced_target_accounts"""


def inside(table: str, day: str, kind: str = "quarter", where: str = "true") -> str:
    """Rows of a table of all quarters that fall into the windows of a kind."""
    return f"""(select t.*, w."window" from {table} t join windows w using (quarter)
        where w.kind = '{kind}' and t.{day} >= w.start_on and t.{day} < w.end_on and {where})"""


NEW = "business_type = 'new'"
COVERAGE = "sum(amount_open) / any_value(goal)"
HORIZONS = {
    "current": "pipeline_coverage",
    "next": "pipeline_coverage_next_quarter",
    "in_two": "pipeline_coverage_in_two_quarters",
}
CHANNEL_ROWS = """(select t.*, touch_channel from judged t join (select distinct quarter, opportunity_id, touch_channel from touches_before
    where touches_default > 0) using (quarter, opportunity_id))"""
WHO = ("segment", "tier", "source_owner", "programme", "target")
WHEN = ("month", "year")

# (rows, aggregates, slices): one query for each slice. A slice "" is the whole, several columns are joined by "/".
QUESTIONS: list[tuple[str, str, tuple[str, ...]]] = [
    (AD_ROWS.format(kind="quarter"), ADS, ("", "channel", "ad_type", "campaign", "programme")),
    *((AD_ROWS.format(kind=kind), ADS, (kind,)) for kind in WHEN),
    (inside("states", "qualified_on", where=f"t.kind = 'end' and {NEW}"), CREATED,
     ("", *WHO, "channel", "source_detail", "campaign")),
    (inside("states", "qualified_on", where="t.kind = 'end'"), CREATED, ("business_type",)),
    *((inside("states", "qualified_on", kind, f"t.kind = 'end' and {NEW}"), CREATED, (kind,)) for kind in WHEN),
    ("open_", OPEN, ("", "stage", "tier", "close_quarter", "business_type", "segment")),
    ("bridges", "sum(amount) as pipeline_movement", ("bridge/movement",)),
    ("(from bridges where bridge = 'all_open')", "sum(amount) as pipeline_movement",
     ("movement", "movement/tier", "movement/business_type")),
    *((f"(from due join goals on period = due_in and slice = 'new' where {NEW} and horizon = '{horizon}')", f"{COVERAGE} as {name}",
       ("",)) for horizon, name in HORIZONS.items()),
    *((f"(from due join goals on period = due_in and slice = 'new/' || segment where {NEW} and horizon = '{horizon}')",
       f"{COVERAGE} as {name}", ("segment",)) for horizon, name in HORIZONS.items()),
    (inside("(from states join goals on period = quarter and slice = 'new')", "close_on",
        where=f"t.kind = 'as_of_day' and is_open and {NEW}"),
     f"{COVERAGE} as pipeline_coverage", ("moment",)),
    (inside("states", "closed_on", where=f"t.kind = 'read_on_day' and is_won and {NEW}"), "sum(amount_closed) as won_early", ("",)),
    ("(from past where horizon = 'current')", "sum(won) / sum(due) as quarter_start_conversion", ("", "segment")),
    ("past", "sum(won) / sum(due) as quarter_start_conversion", ("horizon",)),
    (inside("judged", "qualified_on", where=f"{NEW} and rule = 'default'"), JUDGED, ("", "tier")),
    (inside("judged", "qualified_on", where=NEW), JUDGED, ("rule",)),
    (inside(CHANNEL_ROWS, "qualified_on", where=f"{NEW} and rule = 'default' and is_influenced"),
     "sum(amount_qualified) as influenced_pipeline", ("touch_channel",)),
    (inside("generation", "qualified_on", where=f"{NEW} and \"from\" = 'first touch'"), "median(days) as pipeline_generation_days",
     ("", "tier", "channel")),
    (inside("generation", "qualified_on", where=NEW), "median(days) as pipeline_generation_days", ("from",)),
    (inside("closed", "closed_on"), CLOSED, ("", *WHO, "business_type")),
    (inside("closed", "closed_on", where=NEW), CLOSED_NEW,
     ("", *WHO, "channel", "campaign", "loss_reason", "win_reason", "competitor", "promotion")),
    *((inside("closed", "closed_on", kind), CLOSED, (kind,)) for kind in WHEN),
    *((inside("closed", "closed_on", kind, NEW), f"{CLOSED_NEW}, {RATES}", (kind,)) for kind in WHEN),
    (inside("closed", "closed_on", where=NEW), RATES, ("quarter",)),
    (inside("closed", "closed_on", "canonical", NEW), RATES,
     ("", "segment", "icp", "competitor", "source_owner", "tier", "target", "owner", "channel")),
    ("(from cohorts where is_headline)", "count(*) filter (is_won) / count(*) as win_rate_cohort", ("",)),
    ("cohorts", "count(*) filter (is_won) / count(*) as win_rate_cohort", ("creation_quarter",)),
    ("(from entries where is_headline)", "count(*) filter (is_won) / count(*) as target_account_conversion_rate",
     ("", "tier", "programme")),
    ("entries", "count(*) filter (is_won) / count(*) as target_account_conversion_rate", ("entry_quarter",)),
]  # fmt: skip
# Kaplan and Meier in SQL: the first day on which half are won.
SURVIVAL = """
with days as (select quarter, {keys} age, count(*) filter (is_won) as wins, count(*) as leaving from ages group by all),
left_over as (select *, sum(leaving) over (partition by quarter {partition} order by age desc) as at_risk from days),
curve as (select *,
    exp(sum(ln(greatest(1 - wins / at_risk, 1e-300))) over (partition by quarter {partition} order by age)) as alive from left_over)
select quarter, {keys} min(age) as sales_cycle_days from curve where alive <= 0.5 + 1e-12 group by all"""
SURVIVORS = ("", "segment", "source_owner", "target", "promotion")
RENAMED = {"touch_channel": "channel", "moment": "as_of_day"}


def read(store: Path, tables: dict[str, str]) -> pd.DataFrame:
    """Every number as metric, quarter, slice_by, slice and value."""
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    for name, digest in tables.items():
        con.execute(f"create view {name} as from read_parquet('{store / digest}.parquet')")
    con.execute(PREPARE.read_text(encoding="utf-8"))
    found = [tidy(con.execute(query(rows, sums, by)).df(), by) for rows, sums, slices in QUESTIONS for by in slices]
    for by in SURVIVORS:
        columns, partition = (f"{by},", f", {by}") if by else ("", "")
        found.append(tidy(con.execute(SURVIVAL.format(keys=columns, partition=partition)).df(), by))
    return pd.concat(found, ignore_index=True)


def query(rows: str, sums: str, by: str) -> str:
    columns = [f'"{column}"' for column in keys(by)]
    return f"select {', '.join(['quarter', *columns])}, {sums} from {rows} group by {', '.join(['quarter', *columns])}"


def keys(by: str) -> list[str]:
    """The columns beside the quarter that a slice groups by."""
    return ["window"] if by in ("quarter", *WHEN) else [column for column in by.split("/") if by]


def tidy(table: pd.DataFrame, by: str) -> pd.DataFrame:
    columns = keys(by)
    labels = [table[column].astype(str) for column in columns]
    table["slice"] = labels[0].str.cat(labels[1:], sep="/") if len(labels) > 1 else (labels[0] if labels else "")
    names = [c for c in table.columns if c not in (*columns, "quarter", "slice")]
    long = table.melt(["quarter", "slice"], names, "metric", "value")
    return long.assign(slice_by=RENAMED.get(by, by))
