"""An invented readings frame for the tests of what people see: no clock, no randomness, sums that tie."""

from __future__ import annotations

import ast
import copy
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import nbformat
import pandas as pd

from abm_lib.attribution import MODELS
from abm_lib.pages import FAMILIES, ROLES
from abm_lib.settings import Attribution, Influence

QUARTERS = [f"{year}Q{n}" for year in (2024, 2025, 2026) for n in (1, 2, 3, 4)][3:11]
NOW = QUARTERS[-1]
# fmt: off
# ruff: noqa: E501
METRICS = """
# id | label | unit | better | counts | additive or money parts
[ads leading]
ad_impressions | Ad impressions | count | neither | impressions | additive
ad_clicks | Ad clicks | count | neither | clicks | additive
ad_spend | Ad spend | money | neither | ads | additive
ad_click_rate | Ad click-through rate | share | higher | impressions |
ad_cost_per_click | Cost per click | money | lower | clicks |
ad_cost_per_thousand | Cost per thousand impressions | money | lower | impressions |
ad_target_reach_rate | Target accounts reached | share | higher | accounts |
ad_frequency | Impressions per reached account | times | neither | accounts |
ad_target_engagement_rate | Reached accounts that engaged | share | higher | accounts |
ad_engaged_companies | Companies that engaged with ads | count | higher | accounts |
ad_experiment_difference | Advertising experiment difference | points | higher | impressions |
ad_click_share_by_title | Ad clicks by job title | share | neither | clicks |
[pipeline funnel]
opportunities_created | Opportunities created | count | higher | opportunities | additive
pipeline_created | Pipeline created | money | higher | opportunities | additive
marketing_sourced_opportunities | Marketing-sourced opportunities | count | higher | opportunities |
marketing_sourced_pipeline | Marketing-sourced pipeline | money | higher | opportunities |
marketing_sourced_pipeline_share | Marketing share of new pipeline | share | higher | opportunities | money
average_deal_size | Average deal size | money | higher | opportunities |
open_pipeline | Open pipeline | money | higher | opportunities | additive
stale_pipeline_share | Stale pipeline | share | lower | opportunities | money
pipeline_movement | Pipeline movement | money | neither | opportunities |
pipeline_coverage | Pipeline coverage on day five | times | higher | opportunities | money
pipeline_coverage_remaining | Pipeline coverage of what remains | times | higher | opportunities | money
pipeline_coverage_next_quarter | Pipeline coverage for next quarter | times | higher | opportunities | money
pipeline_coverage_in_two_quarters | Pipeline coverage in two quarters | times | higher | opportunities | money
required_pipeline_coverage | Pipeline coverage our record requires | times | neither | opportunities | money
pipeline_gap | Pipeline gap | money | neither | opportunities |
influenced_pipeline | Influenced pipeline | money | neither | opportunities |
influenced_pipeline_share | Influenced share of new pipeline | share | neither | opportunities | money
influenced_target_accounts | Target accounts influenced | count | neither | accounts |
attributed_pipeline | Attributed pipeline | money | neither | opportunities |
attributed_revenue | Attributed revenue | money | neither | opportunities |
pipeline_generation_days | Days to generate an opportunity | days | neither | opportunities |
[revenue return]
closed_won_revenue | Bookings | money | higher | opportunities | additive
deals_won | Deals won | count | higher | opportunities | additive
new_customers | New customers | count | higher | accounts |
marketing_sourced_revenue | Marketing-sourced bookings | money | higher | opportunities |
marketing_sourced_revenue_share | Marketing share of bookings | share | higher | opportunities | money
sourced_opportunity_win_rate | Win rate of sourced deals | share | higher | opportunities |
revenue_target_attainment | Revenue target reached | share | higher | opportunities | money
win_rate_closed | Win rate, closed deals | share | higher | opportunities |
win_rate_closed_value | Win rate by value | share | higher | opportunities | money
win_rate_cohort | Win rate of the cohort | share | higher | opportunities |
win_rate_within_days | Won within 180 days | share | higher | opportunities |
loss_rate_within_days | Lost within 180 days | share | neither | opportunities |
win_rate_mix_effect | Win rate change from mix | points | neither | opportunities |
win_rate_rate_effect | Win rate change within segments | points | neither | opportunities |
loss_reason_share | Reasons for losing | share | neither | opportunities |
win_reason_share | Reasons for winning | share | neither | opportunities |
average_selling_price | Average selling price | money | higher | opportunities |
average_contract_value | Average contract value | money | higher | opportunities |
sales_cycle_days | Sales cycle, open deals included | days | neither | opportunities |
sales_cycle_days_won | Sales cycle of won deals | days | neither | opportunities |
"""

SERIES = """
# id | eight quarters, oldest first | what stands behind the last of them
ad_impressions | 410000 432000 455000 470000 468000 491000 505000 523000 | n=523000
ad_clicks | 2378 2549 2594 2820 2855 2946 3081 3242 | n=3242
ad_spend | 61000 63000 64000 67000 70000 71000 74000 78200 | n=240 target=80000
ad_click_rate | 0.0058 0.0059 0.0057 0.006 0.0061 0.006 0.0061 0.006199 | numerator=3242 denominator=523000 n=523000 width=0.0002 target=0.0058
ad_cost_per_click | 25.6 24.7 24.7 23.8 24.5 24.1 24 24.12 | numerator=78200 denominator=3242 n=3242 target=22
ad_cost_per_thousand | 148.8 145.8 140.7 142.6 149.6 144.6 146.5 149.5 | numerator=78200 denominator=523 n=523000
ad_target_reach_rate | 0.51 0.53 0.55 0.58 0.6 0.61 0.63 0.68 | numerator=109 denominator=160 n=160 width=0.07 target=0.7
ad_frequency | 3.1 3.3 3.2 3.4 3.6 3.5 3.7 3.9 | numerator=425 denominator=109 n=109
ad_target_engagement_rate | 0.2 0.21 0.2 0.23 0.24 0.26 0.29 0.339 | numerator=37 denominator=109 n=109 width=0.088
ad_engaged_companies | 40 44 43 47 52 55 61 66 | n=66 target=60
opportunities_created | 30 31 29 28 27 26 25 23 | n=23 target=28
pipeline_created | 4.9e+06 4.7e+06 4.5e+06 4.4e+06 4.3e+06 4e+06 3.8e+06 3.62e+06 | n=23 target=4.4e+06
marketing_sourced_opportunities | 7 8 9 8 8 7 8 8 | n=8 target=9
marketing_sourced_pipeline | 1.2e+06 1.2e+06 1.3e+06 1.1e+06 1.2e+06 1.1e+06 1.2e+06 1.13e+06 | n=8 target=1.2e+06
marketing_sourced_pipeline_share | 0.25 0.28 0.29 0.31 0.33 0.35 0.36 0.39 | numerator=1.13e+06 denominator=2.9e+06 n=18 width=0.17 target=0.4
average_deal_size | 150000 152000 155000 151000 149000 158000 153000 157000 | numerator=3.62e+06 denominator=23 n=23 width=30000
open_pipeline | 9.9e+06 9.8e+06 9.7e+06 9.6e+06 9.8e+06 9.5e+06 9.4e+06 8.08e+06 | n=59
stale_pipeline_share | 0.1 0.11 0.1 0.12 0.13 0.12 0.14 0.15 | numerator=1.21e+06 denominator=8.08e+06 n=59 width=0.08 target=0.1
pipeline_coverage | 3 2.8 3.1 2.9 3.1 2.9 2.9 2.6 | numerator=6.5e+06 denominator=2.5e+06 n=41 target=3.1
pipeline_coverage_remaining | 3.2 3 3.3 3 3.3 3.1 3 2.7 | numerator=6.1e+06 denominator=2.26e+06 n=39
pipeline_coverage_next_quarter | 2.8 3.1 2.9 3.1 2.9 2.9 2.6 1.9 | numerator=4.94e+06 denominator=2.6e+06 n=33 target=3.1
pipeline_coverage_in_two_quarters | 1.4 1.5 1.4 1.3 1.5 1.2 1.1 0.9 | numerator=2.24e+06 denominator=2.49e+06 n=17
required_pipeline_coverage | 3 3 3.1 3 3.1 3.1 3.1 3.1 | numerator=5e+07 denominator=1.61e+07 n=140 low=2.7 high=3.7
influenced_pipeline | 1.3e+06 1.4e+06 1.4e+06 1.5e+06 1.6e+06 1.5e+06 1.5e+06 1.48e+06 | n=10
influenced_pipeline_share | 0.4 0.41 0.43 0.44 0.46 0.47 0.5 0.51 | numerator=1.48e+06 denominator=2.9e+06 n=18 width=0.2
influenced_target_accounts | 7 7 8 8 9 8 9 9 | n=9
pipeline_generation_days | 120 118 122 119 117 121 118 116 | n=23
closed_won_revenue | 1.7e+06 1.9e+06 2.2e+06 1.92e+06 2.3e+06 2.1e+06 2.27e+06 2.05e+06 | n=9 target=2.5e+06
deals_won | 8 8 10 9 11 9 10 9 | n=9
new_customers | 4 4 6 5 7 6 7 6 | n=6 target=8
marketing_sourced_revenue | 500000 500000 600000 550000 700000 700000 780000 710000 | n=3 target=900000
marketing_sourced_revenue_share | 0.29 0.26 0.27 0.29 0.3 0.33 0.34 0.346 | numerator=710000 denominator=2.05e+06 n=9 width=0.2
sourced_opportunity_win_rate | 0.3 0.32 0.31 0.3 0.34 0.33 0.35 0.333 | numerator=5 denominator=15 n=15 width=0.2
revenue_target_attainment | 0.97 0.88 1.05 0.91 1 0.92 0.95 0.82 | numerator=2.05e+06 denominator=2.5e+06 n=9 target=1
win_rate_closed | 0.31 0.34 0.3 0.31 0.36 0.31 0.33 0.333 | numerator=9 denominator=27 n=27 width=0.165 target=0.35
win_rate_closed_value | 0.4 0.39 0.41 0.4 0.42 0.4 0.41 0.397 | numerator=2.05e+06 denominator=5.17e+06 n=27 width=0.2
win_rate_cohort | 0.24 0.26 0.25 0.24 0.27 0.25 0.26 0.25 | numerator=9 denominator=36 n=36 width=0.14
win_rate_mix_effect | 0.01 -0.01 0 0.01 0.02 -0.02 0.01 -0.004 | n=27
win_rate_rate_effect | 0.01 0.02 -0.04 0 0.03 -0.03 0.01 0.007 | n=27
average_selling_price | 212000 237000 220000 213000 209000 233000 227000 227800 | numerator=2.05e+06 denominator=9 n=9
average_contract_value | 118000 119000 121000 124000 122000 128000 131000 - | n=9 target=130000 missing=withheld
sales_cycle_days | 122 120 119 121 118 120 117 118 | n=140
sales_cycle_days_won | 96 94 95 99 92 93 95 94 | n=9
"""

SLICES = """
# id | dimension | slice value; slice k/n; slice value low high
ad_spend | channel | linkedin_ads 42100; google_ads 21600; display 9200; facebook 5300
ad_spend | exchange_rates | of~the~year~before 78200
ad_clicks | channel | linkedin_ads 1210; google_ads 1450; display 322; facebook 260
ad_impressions | channel | linkedin_ads 181000; google_ads 120000; display 162000; facebook 60000
ad_click_rate | channel | linkedin_ads 1210/181000; google_ads 1450/120000; display 322/162000; facebook 260/60000
ad_target_reach_rate | tier | tier_1 21/24; tier_2 42/56; tier_3 46/80
ad_target_engagement_rate | tier | tier_1 11/21; tier_2 15/42; tier_3 11/46
ad_target_engagement_rate | channel | linkedin_ads 24/80; google_ads 9/41; display 3/62; facebook 1/7
ad_click_share_by_title | title | IT~director 0.31; Head~of~operations 0.22; Plant~manager 0.17; Buyer 0.12
ad_click_share_by_title | title | Remainder 0.18
ad_click_share_by_title | seniority | Director 0.38; Manager 0.34; C-level -; Staff 0.22
ad_experiment_difference | experiment | Headline~with~a~number 0.0012 0.0003 0.0021
ad_experiment_difference | experiment | Video~against~still -0.0004 -0.0013 0.0005
marketing_sourced_pipeline_share | source_owner | marketing 0.39; sales 0.37; partner 0.14; other 0.04; unknown 0.06
pipeline_created | channel | linkedin_ads 800000; events 700000; outbound 1.3e+06; referral 500000; unknown 320000
pipeline_created | source_owner | marketing 1.13e+06; sales 1.57e+06; partner 600000; unknown 320000
pipeline_created | month | 2026-07 1.4e+06; 2026-08 900000; 2026-09 1.32e+06
pipeline_created | exchange_rates | of~the~year~before 3.55e+06
average_deal_size | source_owner | marketing 1.13e+06/8; sales 1.57e+06/9; partner 600000/4; unknown 320000/2
open_pipeline | stage | discovery 2.9e+06; proposal 3.1e+06; negotiation 2.08e+06
stale_pipeline_share | stage | discovery 700000/2.9e+06; proposal 400000/3.1e+06; negotiation 110000/2.08e+06
pipeline_movement | movement | opening 9.4e+06/62; created 3.62e+06/23; reopened 180000/1; pulled_in 0/0
pipeline_movement | movement | amount_up 410000/4; amount_down -360000/3; pushed_out 0/0; won -2.05e+06/9
pipeline_movement | movement | lost -3.12e+06/18; deleted 0/0; merged 0/0; re_tiered 0/0; fx 0/0
pipeline_movement | movement | closing 8.08e+06/59; residual 0/0
pipeline_coverage | as_of_day | 01 2.69; 05 2.65; 10 2.6; 20 2.5; 30 2.4; 45 2.25; 60 2.1; 75 1.95; 90 1.8
pipeline_coverage | segment | enterprise 4.1e+06/1.6e+06; mid_market 2.4e+06/900000
required_pipeline_coverage | horizon | current 3.1 2.7 3.7; next 3.1 2.7 3.7; in_two 1.4 1.1 1.9
pipeline_gap | horizon | current 1.26e+06; next 3.13e+06; in_two 1.18e+06
influenced_pipeline | rule | strict 840000; default 1.48e+06; one_response 2.32e+06; any_touch 2.67e+06
closed_won_revenue | segment | enterprise 1.2e+06; mid_market 650000; small 200000
closed_won_revenue | business_type | new 1.47e+06; expansion 580000; renewal 0
closed_won_revenue | exchange_rates | of~the~year~before 1.98e+06
win_rate_closed | tier | tier_1 4/9; tier_2 3/10; tier_3 2/8
win_rate_closed | segment | enterprise 5/13; mid_market 3/10; small 1/4
win_rate_closed | source_owner | marketing 3/9; sales 5/14; partner 1/4
win_rate_closed | competitor | halvard 2/9; orlin 5/13; vestra 2/5
win_rate_within_days | within_days | 030 1/60; 090 6/60; 180 11/60; 365 15/60
loss_rate_within_days | within_days | 030 4/60; 090 14/60; 180 26/60; 365 36/60
win_rate_cohort | cohort | 2025Q3 9/36; 2025Q4 8/33; 2026Q1 5/31
loss_reason_share | loss_reason | price 0.39; no_decision 0.28; competitor 0.17; unknown 0.16
win_reason_share | win_reason | product_fit 0.44; references 0.33; unknown 0.23
average_contract_value | source_owner | marketing 390000/3; sales 620000/5; partner 118000/1
average_selling_price | source_owner | marketing 710000/3; sales 1.2e+06/5; partner 140000/1
sales_cycle_days | segment | enterprise 141; mid_market 97; small -
sales_cycle_days_won | source_owner | marketing 88; sales 101
"""

# fmt: on
CAVEATS = {
    "closed_won_revenue": "Q2 was reported as €2.34M",
    "win_rate_closed": "3 of 18 losses have no reason",
    "average_contract_value": "Term missing on 4 of 9 deals; this number needs 20% or less",
}
EDITION: dict[str, Any] = {
    "company": "Halden Systems",
    "quarter": NOW,
    "period_start": "2026-07-01",
    "period_end": "2026-09-30",
    "as_of": "2026-10-10",
    "state": "final",
    "profile": "internal",
    "disclosure": "Names accounts; fewer than 3 people or 5 answers are hidden.",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "run": "7f3a91c2",
    "version": "0.1.0",
    "families": [*FAMILIES, *ROLES],
    "quarters": ["2026Q1", "2026Q2", "2026Q3"],
    "attribution": Attribution().model_dump(mode="json"),
    "models": {name: model.told("90 days") for name, model in MODELS.items()},
    "influence": Influence().model_dump(mode="json"),
    "gated_content": True,
    "yardstick": {"current": 3.0, "next": 3.5, "in_two": 3.0},
    "definitions": {"win_rate_closed": {"agreed_by": "CRO & CFO", "agreed_on": "2023-10-01"}},
    "targets": {
        "win_rate_closed": {"agreed_by": "CFO", "agreed_on": "2026-06-11", "amended_on": "2026-07-21"},
        "deals_won": {},
    },
    "caveats": 3,
    "catalogue": "5eed1234",
    "generated": "2026-10-11",
    "sources": [
        {"name": "crm", "newest": "2026-10-09", "rows": 1234},
        {"name": "linkedin_ads", "newest": "2026-10-08", "rows": 52100},
    ],
}


@dataclass(frozen=True)
class FakeMetric:
    """What the show package needs to know of a registered metric."""

    name: str
    family: str
    label: str
    unit: str
    better: str
    kind: str
    counts: str
    additive: bool
    money: bool
    by: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    version: int = 1
    pillar: str = "revenue"
    audience: tuple[str, ...] = ("marketing",)
    core: bool = False
    parts_in_money: bool = False
    window: str = "quarter"

    @property
    def doc(self) -> str:
        return f"{self.label} of the quarter.\n\nSource: an invented table (S0-11).\nCounts: one row\n  per deal.\nMissing: no rows."

    @property
    def formula(self) -> Any:
        how = "money" if self.money or self.unit == "money" else "count"
        return SimpleNamespace(numerator=SimpleNamespace(terms=[SimpleNamespace(how=how)]))


def _register() -> dict[str, FakeMetric]:
    found, family, kind = {}, "", ""
    for line in METRICS.strip().splitlines()[1:]:
        if line.startswith("["):
            family, kind = line.strip("[]").split()
            continue
        name, label, unit, better, counts, flags = (part.strip() for part in f"{line} |".split("|")[:6])
        by = tuple(dict.fromkeys(dimension for metric, dimension, _ in _lines(SLICES) if metric == name))
        made = FakeMetric(name, family, label, unit, better, kind, counts, "additive" in flags, "money" in flags, by)
        found[name] = made
    return found


def frame() -> pd.DataFrame:
    """The whole invented readings frame, with the columns of the contract in order."""
    rows = [row for line in _lines(SERIES) for row in _series(*line)]
    rows += [_slice(name, by, part) for name, by, parts in _lines(SLICES) for part in parts.split("; ")]
    rows += [_slice("ad_spend", "campaign", f"campaign_{n:02} {12000 / n:.2f}") for n in range(1, 15)]
    return pd.DataFrame(rows)


def row(metric: str, quarter: str = NOW, **changes: Any) -> dict[str, Any]:
    """One record of the whole, without a value, and the fields that a test sets."""
    m = REGISTER[metric]
    start = pd.Timestamp(int(quarter[:4]), 3 * int(quarter[5]) - 2, 1)
    texts = {
        "slice_by": "",
        "slice": "",
        "unit": m.unit,
        "currency": "EUR" if m.unit == "money" else "",
        "scope": "new",
    }
    parts = dict.fromkeys(("value", "numerator", "denominator", "n"))
    judged = {"method": "", "missing_because": "", "caveats": "", "target": None, "previous": None, "year_ago": None}
    return {
        "metric": metric, "version": "1", "family": m.family, "quarter": quarter, "period_start": start.date().isoformat(),
        "period_end": (start + pd.DateOffset(months=3)).date().isoformat(), "as_of": "2026-10-10", **texts, **parts,
        "counts": m.counts, "low": None, "high": None, **judged, "as_reported": None, "better": m.better, "status": "no_target",
    } | changes  # fmt: skip


def run_cells(notebook: Any, page: Any) -> Any:
    """A copy of a notebook as a kernel would leave it, without starting one: `abm.page` gives back `page`."""
    done = copy.deepcopy(notebook)
    names: dict[str, Any] = {"abm": SimpleNamespace(page=lambda family, quarter, company: page)}
    for count, cell in enumerate((c for c in done.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
        if "explore" in cell.metadata.get("tags", []):
            continue
        tree = ast.parse(cell.source.replace("import abm_lib as abm", ""))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell.id, "exec"), names)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
            cell.outputs = [output(shown, count)]
    return done


def output(shown: Any, count: int = 1) -> Any:
    """What a kernel stores of a displayed object."""
    data = json.loads(json.dumps(shown._repr_mimebundle_()))
    kind = {"output_type": "execute_result", "metadata": {}, "execution_count": count}
    return nbformat.from_dict({**kind, "data": data})


def _lines(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()[1:]]


REGISTER = _register()


def _number(text: str) -> float | None:
    return None if text == "-" else float(text)


def _series(metric: str, eight: str, behind: str) -> list[dict[str, Any]]:
    values = [_number(text) for text in eight.split()]
    said = dict(item.split("=") for item in behind.split())
    known = {name: float(text) for name, text in said.items() if name != "missing"}
    rows = []
    for i, value in enumerate(values):
        record = row(metric, QUARTERS[i], value=value, n=known.get("n"), target=known.get("target"))
        record |= {"previous": values[i - 1] if i else None, "year_ago": values[i - 4] if i >= 4 else None}
        record |= {"low": known.get("low"), "high": known.get("high")}
        if value is not None and "width" in known:
            record |= {"low": value - known["width"], "high": value + known["width"], "method": "wilson"}
        if i == 7:
            record |= {"numerator": known.get("numerator"), "denominator": known.get("denominator")}
            record["caveats"] = CAVEATS.get(metric, "")
        rows.append(_judged(record | {"missing_because": said.get("missing", "no_data") if value is None else ""}))
    return rows


def _slice(metric: str, by: str, part: str) -> dict[str, Any]:
    name, *numbers = part.split()
    record = row(metric, slice_by=by, slice=name.replace("~", " "), n=40.0)
    if numbers[0] == "-":
        return record | {"n": None, "missing_because": "suppressed", "status": "none"}
    if len(numbers) == 3:
        return _judged(record | dict(zip(("value", "low", "high"), map(float, numbers), strict=True)) | {"n": 2000.0})
    if "/" not in numbers[0]:
        return _judged(record | {"value": float(numbers[0])})
    k, n = map(float, numbers[0].split("/"))
    if metric == "pipeline_movement":
        return record | {"value": k, "n": n}
    return _rate(record, k, n)


def _rate(record: dict[str, Any], k: float, n: float) -> dict[str, Any]:
    value, money = k / n, REGISTER[record["metric"]].money
    spread = 0.2 * value if money or record["unit"] != "share" else 1.96 * (value * (1 - value) / n) ** 0.5
    record |= {"value": value, "numerator": k, "denominator": n, "n": 20.0 if money else n, "previous": value * 0.93}
    return _judged(record | {"low": value - spread, "high": value + spread})


def _judged(record: dict[str, Any]) -> dict[str, Any]:
    """The status column by the rules of the contract."""
    value, target, low, high = (record[name] for name in ("value", "target", "low", "high"))
    if value is None or record["better"] == "neither":
        return record | {"status": "none"}
    if target is None:
        return record | {"status": "no_target"}
    if record["unit"] == "share" and (record["n"] or 99) < 10:
        return record | {"status": "small_n"}
    if low is not None and high is not None and low <= target <= high:
        return record | {"status": "unclear"}
    return record | {"status": "good" if (value >= target) == (record["better"] == "higher") else "bad"}
