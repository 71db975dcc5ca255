"""Every number of the catalogue and every slice of it is drawn on a page, or left out for a reason that stands here."""

from __future__ import annotations

import pytest
from drawn import shown

import abm_lib.metrics
from abm_lib.metric import REGISTER
from abm_lib.pages import FAMILIES, ROLES

TIME = {"month", "quarter", "year"}  # the whole is shown with its quarters; the parts of time stand in readings.csv
LEFT_OUT = """
# reason: metric by slice, slice; metric …
a part of a rate that is shown: ad_experiment_control_share by experiment
the same accounts as under tier, industry: ad_target_reach_rate by programme; target_accounts_visiting by programme;
    marketing_qualified_accounts by segment, programme, target; content_engaged_accounts by channel, account/funnel
the headline's own slices say it; the other window moves with it: target_account_visit_rate by window;
    accounts_regressed_rate by window; cost_per_mqa by window, spend; cost_per_lead by window, spend
the click rate by programme says it, costs follow the channel: ad_cost_per_click by programme; ad_cost_per_thousand by programme
campaign sessions are shown by campaign; all others have none: website_sessions by campaign
depth is shown by channel at the median, and by page and campaign in full: scroll_depth_rate by depth/channel
single accounts and assets stand in readings.csv: content_engagement_rate by asset, account
the share of the top theme by segment says it: effective_themes by segment
the rate without the filter is for checking: email_click_rate by filter
the click rate by the same slice says it, with more behind it: email_reply_rate by subject, call_to_action, asset, segment;
    email_open_rate by call_to_action, asset, segment
its rate is shown by the same slice: form_fills by journey_step
few in a quarter: offline_engagements by target; requalified_leads by channel
meetings booked are shown by the same slice, or their share is: meetings_booked by tier;
    meetings_held by paid_or_website, icp, target, tier, week; meeting_held_rate by kind; icp_meeting_share by kind;
    target_account_meeting_share by kind
the ICP share by match says how far it moves: marketing_qualified_leads by account_match; target_account_mql_share by account_match
pipeline in money is shown by the same slice, or by one that says more: opportunities_created by channel, segment, programme,
    target, region; marketing_sourced_opportunities by channel, source_detail, segment, campaign
target accounts are matched with others in target_account_lift; regions are too small: pipeline_created by target, region
credit by campaign stands under the models; segments are in readings.csv: marketing_sourced_pipeline by segment, campaign;
    marketing_sourced_pipeline_share by channel, segment, campaign; marketing_sourced_revenue by campaign;
    marketing_sourced_revenue_share by channel, segment, campaign
the stock is shown by stage, tier and the quarter in which it is due: open_pipeline by business_type, segment, programme;
    stale_pipeline_share by tier, business_type; average_deal_size by segment
the bridge of what is due is read in readings.csv: pipeline_movement by bridge/movement
too far ahead for parts of it: pipeline_coverage_in_two_quarters by segment
what the requirement is worked out from: quarter_start_conversion by horizon, segment; required_pipeline_coverage by segment
the same credit as in money: attributed_opportunities by model/channel
the largest distance is told, the channels that move are named: attribution_model_distance by models;
    attributed_revenue_model_distance by models
the revenue of these deals is shown by the same slice: deals_won by segment, tier, business_type, source_owner, programme, target,
    region; new_customers by tier, source_owner, programme
marketing's part is shown, and regions are too small: closed_won_revenue by source_owner, region
the same deals are shown under those that marketing sourced: win_rate_closed by source_owner
the win rate of closed deals is shown by the same slice: win_rate_closed_value by tier, competitor, icp, owner, source_owner, target;
    win_rate_within_days by segment, source_owner, target
tiers say it: target_account_conversion_rate by programme
the population is shown with its source owner: average_contract_value by population, segment
with open deals included it is shown by the same slice: sales_cycle_days_won by segment, source_owner, target, promotion, business_type
cycles of new business are the question: sales_cycle_days by business_type
wins by promotion are shown: promotion_win_share by promotion
retention by segment is shown: retained_revenue by segment; expansion_revenue by segment
the same in money, or on day five, is shown by the same slice: influenced_pipeline_share by channel;
    pipeline_coverage_remaining by segment; stale_pipeline_share by close_quarter
nearly all first wins are new business: new_customers by business_type
too few answers in a segment: survey_response_rate by segment; customer_satisfaction by tier, segment; customer_health by segment
blanks are shown as a whole: loss_reason_missing_share by segment; term_missing_share by segment
"""


def left_out() -> dict[tuple[str, str], str]:
    """(metric, slice) -> why no page draws it."""
    lines = "\n".join(LEFT_OUT.strip().splitlines()[1:]).replace("\n    ", " ").splitlines()
    told = {}
    for reason, listed in (line.rsplit(": ", 1) for line in lines):
        for metric, slices in (part.split(" by ") for part in listed.split("; ")):
            told |= {(metric, by.strip()): reason for by in slices.split(",")}
    return told


@pytest.fixture(scope="module")
def drawn() -> set[tuple[str, str]]:
    assert abm_lib.metrics.FAMILIES
    return set().union(*(shown(page) for page in (*FAMILIES, *ROLES)))


def test_every_metric_is_shown_on_a_page(drawn: set[tuple[str, str]]) -> None:
    names = {metric for metric, _ in drawn} | {metric for metric, _ in left_out()}
    assert REGISTER.keys() - names == set()


def test_every_slice_is_drawn_or_left_out_for_a_reason(drawn: set[tuple[str, str]]) -> None:
    slices = {(metric.name, by) for metric in REGISTER.values() for by in metric.by if by not in TIME}
    assert slices - drawn - left_out().keys() == set()


def test_what_is_left_out_exists_and_is_not_drawn(drawn: set[tuple[str, str]]) -> None:
    slices = {(metric.name, by) for metric in REGISTER.values() for by in metric.by}
    assert left_out().keys() - slices == set()
    assert left_out().keys() & drawn == set()
