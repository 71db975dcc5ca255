"""The same numbers as the readings, in SQL written by hand: by_hand.sql makes the rows, the questions here add them up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd

PREPARE = Path(__file__).with_name("by_hand.sql")
# A measure is a metric, its SQL and its slices: "whole" is none, "tier/month" two columns, "statistic" a median.
Measure = tuple[str, str, str]
Question = tuple[str, str, list[Measure]]  # rows, the kind of window they are counted in, measures
LAST = "2026Q3"
LAST_ONLY = {"campaign", "owner"}  # told for the last quarter only
WHEN = ("month", "quarter", "year")


def inside(table: str, day: str, where: str = "true") -> str:
    """Rows of a table of all quarters that fall into the windows of a kind."""
    return f"""(select t.*, w."window" from {table} t join windows w using (quarter)
        where w.kind = '{{kind}}' and t.{day} >= w.start_on and t.{day} < w.end_on and {where})"""


def of_all(part: str, where: str) -> str:
    """The part of one group in all of its quarter."""
    return f"{part} filter ({where}) / sum({part} filter ({where})) over (partition by quarter)"


NEW = "business_type = 'new'"
MARKETING = "source_owner = 'marketing'"
DELIVERED = """(select w.quarter, w."window", d.*, coalesce(c.name, 'no campaign') as campaign,
    coalesce(c.programme, 'no programme') as programme
    from delivery d join windows w on d.month >= w.start_on and d.month < w.end_on left join campaigns c using (campaign_id)
    where w.kind = '{kind}')"""
ADS = "whole channel ad_type campaign"
AD_RATES = f"{ADS} programme month year"
ORIGIN = "whole month year source_owner channel tier segment programme target"
SOURCED = "whole month year channel source_detail segment campaign"
CREATED = inside("states", "qualified_on", f"t.kind = 'end' and {NEW}")
WON = "whole month year segment tier source_owner target"
CLOSED = inside("closed", "closed_on", NEW)
WON_CONTEST, WORTH = "is_contest and is_won", "is_contest and amount_contested > 0"
GOAL = f"join goals on period = due_in and slice = 'new' where {NEW} and shown and horizon"
SEGMENT_GOAL = f"join goals on period = due_in and slice = 'new/' || segment where {NEW} and shown and horizon"
COVERAGE = "sum(amount_open) / any_value(goal)"
HORIZONS = {"current": "pipeline_coverage", "next": "pipeline_coverage_next_quarter",
            "in_two": "pipeline_coverage_in_two_quarters"}  # fmt: skip
IS_SO = "is_influenced and rule = 'default'"
CHANNEL_ROWS = f"""(from judged join (select distinct quarter, opportunity_id, touch_channel from touches_before
    where responses > 0) using (quarter, opportunity_id) where {NEW} and {IS_SO})"""
WON_SHARE = "count(*) filter (is_won) / count(*)"

QUESTIONS: list[Question] = [
    (DELIVERED, "quarter", [
        ("ad_impressions", "sum(impressions)", ADS), ("ad_clicks", "sum(clicks)", ADS), ("ad_spend", "sum(cost_eur)", ADS),
        ("ad_click_rate", "sum(clicks) / sum(impressions)", AD_RATES),
        ("ad_cost_per_thousand", "1000 * sum(cost_eur) / sum(impressions)", AD_RATES),
        ("ad_cost_per_click", "sum(cost_eur) / sum(clicks)", AD_RATES)]),
    (CREATED, "quarter", [
        ("opportunities_created", "count(*)", ORIGIN), ("pipeline_created", "sum(amount_qualified)", ORIGIN),
        ("marketing_sourced_opportunities", f"count(*) filter ({MARKETING})", SOURCED),
        ("marketing_sourced_pipeline", f"sum(amount_qualified) filter ({MARKETING})", SOURCED),
        ("marketing_sourced_pipeline_share", f"sum(amount_qualified) filter ({MARKETING}) / sum(amount_qualified)", "whole month year"),
        ("marketing_sourced_pipeline_share", of_all("sum(amount_qualified)", "true"), "source_owner"),
        ("marketing_sourced_pipeline_share",
         f"sum(amount_qualified) filter ({MARKETING}) / sum(sum(amount_qualified)) over (partition by quarter)", "channel"),
        ("average_deal_size", "avg(amount_qualified)", "whole source_owner tier target segment"),
        ("average_deal_size", "median(amount_qualified)", "statistic source_owner/statistic")]),
    (inside("states", "qualified_on", "t.kind = 'end'"), "quarter", [
        ("opportunities_created", "count(*)", "business_type"), ("pipeline_created", "sum(amount_qualified)", "business_type")]),
    ("open_", "quarter", [
        ("open_pipeline", "sum(amount_open)", "whole stage tier close_quarter business_type segment"),
        ("stale_pipeline_share", "sum(amount_open) filter (is_stale) / sum(amount_open)", "whole stage tier business_type")]),
    ("bridges", "quarter", [("pipeline_movement", "sum(amount)", "bridge/movement")]),
    ("(from bridges where bridge = 'all_open')", "quarter", [
        ("pipeline_movement", "sum(amount)", "movement movement/tier movement/business_type")]),
    *((f"(from due {GOAL} = '{horizon}')", "quarter", [(name, COVERAGE, "whole")]) for horizon, name in HORIZONS.items()),
    *((f"(from due {SEGMENT_GOAL} = '{horizon}')", "quarter", [(name, COVERAGE, "segment")]) for horizon, name in HORIZONS.items()),
    (inside("(from states join goals on period = quarter and slice = 'new')", "close_on",
            f"t.kind = 'as_of_day' and is_open and {NEW}"), "quarter", [("pipeline_coverage", COVERAGE, "moment")]),
    (f"(from due left join won_early using (quarter) {GOAL} = 'current')", "quarter", [
        ("pipeline_coverage_remaining", "sum(amount_open) / (any_value(goal) - coalesce(any_value(won), 0))", "whole")]),
    ("(from past where horizon = 'current')", "quarter", [("quarter_start_conversion", "sum(won) / sum(due)", "whole segment")]),
    ("past", "quarter", [("quarter_start_conversion", "sum(won) / sum(due)", "horizon")]),
    (f"(from judged where {NEW})", "quarter", [
        ("influenced_pipeline", f"sum(amount_qualified) filter ({IS_SO})", "whole"),
        ("influenced_pipeline", "sum(amount_qualified) filter (is_influenced)", "rule"),
        ("influenced_pipeline_share",
         f"sum(amount_qualified) filter ({IS_SO}) / sum(amount_qualified) filter (rule = 'default')", "whole"),
        ("influenced_pipeline_share", "sum(amount_qualified) filter (is_influenced) / sum(amount_qualified)", "rule"),
        ("influenced_target_accounts", f"count(distinct account_id) filter ({IS_SO} and target = 'target')", "whole tier"),
        ("influenced_target_accounts", "count(distinct account_id) filter (is_influenced and target = 'target')", "rule")]),
    (CHANNEL_ROWS, "quarter", [
        ("influenced_pipeline", "sum(amount_qualified)", "touch_channel")]),
    (inside("closed", "closed_on"), "quarter", [
        ("closed_won_revenue", "sum(amount_closed) filter (is_won)", f"{WON} business_type programme"),
        ("deals_won", "count(*) filter (is_won)", f"{WON} business_type programme"),
        ("new_customers", "count(distinct account_id) filter (is_first_win)", WON)]),
    (CLOSED, "quarter", [
        ("marketing_sourced_revenue", f"sum(amount_closed) filter (is_won and {MARKETING})", "whole month year segment channel campaign"),
        ("marketing_sourced_revenue_share",
         f"sum(amount_closed) filter (is_won and {MARKETING}) / sum(amount_closed) filter (is_won)", "whole month year"),
        ("marketing_sourced_revenue_share", of_all("sum(amount_closed)", "is_won"), "source_owner"),
        ("average_selling_price", "avg(amount_closed) filter (is_won)", "whole source_owner tier target month year"),
        ("average_selling_price", "median(amount_closed) filter (is_won)", "statistic"),
        ("average_contract_value", "if(count(yearly) filter (is_won) >= 0.8 * count(*) filter (is_won), avg(yearly) filter (is_won), null)",
         "whole source_owner target segment year"),
        ("average_contract_value", "median(yearly) filter (is_won)", "statistic"),
        ("sales_cycle_days_won", "avg(cycle_days) filter (is_won)", "whole segment source_owner target promotion"),
        ("promotion_wins", "count(distinct account_id) filter (is_won and is_promotion)", "whole promotion"),
        ("promotion_win_share", "count(*) filter (is_won and is_promotion) / count(*) filter (is_won)", "whole"),
        ("promotion_win_share",
         "count(*) filter (is_won and is_promotion) / sum(count(*) filter (is_won)) over (partition by quarter)", "promotion"),
        ("loss_reason_share", of_all("count(*)", "is_contest and is_lost"), "loss_reason competitor"),
        ("win_reason_share", of_all("count(*)", "is_won"), "win_reason")]),
    (CLOSED, "canonical", [
        ("win_rate_closed", f"count(*) filter ({WON_CONTEST}) / count(*) filter (is_contest)",
         "whole month quarter year segment icp competitor source_owner tier target owner"),
        ("sourced_opportunity_win_rate",
         f"count(*) filter ({WON_CONTEST} and {MARKETING}) / count(*) filter (is_contest and {MARKETING})",
         "whole channel month quarter year"),
        ("sourced_opportunity_win_rate", f"count(*) filter ({WON_CONTEST}) / count(*) filter (is_contest)", "source_owner"),
        ("win_rate_closed_value",
         f"""if(count(*) filter ({WORTH} and is_lost) >= 0.9 * count(*) filter (is_contest and is_lost),
             sum(amount_contested) filter ({WORTH} and is_won) / sum(amount_contested) filter ({WORTH}), null)""",
         "whole quarter year segment tier")]),
    ("(from cohorts where is_headline)", "cohort", [("win_rate_cohort", WON_SHARE, "whole")]),
    ("cohorts", "cohort", [("win_rate_cohort", WON_SHARE, "creation_quarter")]),
    ("(from entries where is_headline)", "cohort", [("target_account_conversion_rate", WON_SHARE, "whole tier programme")]),
    ("entries", "cohort", [("target_account_conversion_rate", WON_SHARE, "entry_quarter")]),
]  # fmt: skip
# Aalen and Johansen in SQL: the first day on which half of all that will come has come.
SURVIVAL = """
with days as (select quarter, {keys} age, count(*) filter (is_won) as wins, count(*) filter (is_won or is_lost) as ended,
    count(*) as leaving from {rows} group by all),
left_over as (select *, sum(leaving) over (partition by quarter {partition} order by age desc) as at_risk from days),
waiting as (select *, exp(coalesce(sum(ln(greatest(1 - ended / at_risk, 1e-300))) over (partition by quarter {partition} order by age
    rows between unbounded preceding and 1 preceding), 0)) as waiting from left_over),
curve as (select *, sum(waiting * wins / at_risk) over (partition by quarter {partition} order by age) as share from waiting),
ended as (select *, max(share) over (partition by quarter {partition}) as in_all from curve)
select quarter, {keys} min(age) as {metric} from ended where in_all > 0 and share >= in_all / 2 - 1e-12 group by all"""
FIRST_TOUCH = "(from generation where \"from\" = 'first touch')"
SURVIVORS = [
    ("sales_cycle_days", "ages", "whole segment source_owner target promotion"),
    ("pipeline_generation_days", FIRST_TOUCH, "whole tier channel"),
    ("pipeline_generation_days", "generation", "from"),
]
RENAMED = {"whole": "", "touch_channel": "channel", "moment": "as_of_day"}
ASKED = {(metric, RENAMED.get(by, by)) for _, _, measures in QUESTIONS for metric, _, slices in measures for by in slices.split()} | {
    (metric, RENAMED.get(by, by)) for metric, _, slices in SURVIVORS for by in slices.split()
}  # fmt: skip


def read(store: Path, tables: dict[str, str]) -> pd.DataFrame:
    """Every number as metric, quarter, slice_by, slice and value."""
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    for name, digest in tables.items():
        con.execute(f"create view {name} as from read_parquet('{store / digest}.parquet')")
    con.execute(PREPARE.read_text(encoding="utf-8"))
    found = [tidy(con.execute(sql).df(), by) for question in QUESTIONS for by, sql in queries(*question)]
    for metric, rows, slices in SURVIVORS:
        for by in slices.split():
            columns, partition = ("", "") if by == "whole" else (f'"{by}",', f', "{by}"')
            sql = SURVIVAL.format(keys=columns, partition=partition, rows=rows, metric=metric)
            found.append(tidy(con.execute(sql).df(), by))
    return pd.concat(found, ignore_index=True)


def queries(rows: str, kind: str, measures: list[Measure]) -> Iterator[tuple[str, str]]:
    """One query for each slice, with every measure that has it."""
    for by in dict.fromkeys(by for _, _, slices in measures for by in slices.split()):
        named = ", ".join(f"{sql} as {metric}" for metric, sql, slices in measures if by in slices.split())
        columns = ", ".join(["quarter", *(f'"{column}"' for column in keys(by))])
        given = rows.format(kind=by if by in WHEN else kind)
        only = f"where quarter = '{LAST}'" if by in LAST_ONLY else ""
        yield by, f"select {columns}, {named} from {given} {only} group by {columns}"


def keys(by: str) -> list[str]:
    """The columns beside the quarter that a slice groups by."""
    if by in WHEN:
        return ["window"]
    return [part for part in by.split("/") if part not in ("whole", "statistic")]


def tidy(table: pd.DataFrame, by: str) -> pd.DataFrame:
    columns = keys(by)
    labels = [table[column].astype(str) for column in columns]
    labels += [pd.Series("median", table.index)] if by.endswith("statistic") else []
    names = [c for c in table.columns if c not in (*columns, "quarter")]
    table["slice"] = labels[0].str.cat(labels[1:], sep="/") if labels else ""
    return table.melt(["quarter", "slice"], names, "metric", "value").assign(slice_by=RENAMED.get(by, by))
