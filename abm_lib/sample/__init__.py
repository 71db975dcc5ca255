"""Norrvind Controls, an invented company: a complete company folder from a seed.

Everything in it is made up. The numbers behave as a real company's do (long cycles, late records, dirty sources, small
counts), and a few truths are planted in them; truth.json says which.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import (
    activity,
    ads,
    campaigns,
    companies,
    crm,
    customers,
    deals,
    figures,
    history,
    journey,
    mail,
    members,
    money,
    people,
    target_list,
    targets,
    truth,
    visits,
    voice,
    waves,
    web,
    words,
    writing,
)
from .rates import Rates
from .shape import Row, Shape, Tables


def write(
    folder: Path,
    *,
    seed: int = 7,
    scale: float = 1.0,
    first_month: int = 1,
    currency: str = "EUR",
    last_quarter: str = "2026Q3",
) -> None:
    """Write abm.toml, one CSV per canonical table, README.md and truth.json into `folder`.

    `scale` 1 is about 3,000 accounts and 1,800 opportunities. The same arguments give the same bytes.
    Raises UsageError where `last_quarter` is not a quarter's label.
    """
    shape = Shape(seed, scale, currency, first_month, last_quarter)
    folder.mkdir(parents=True, exist_ok=True)
    tables, planted = build(shape)
    writing.write_tables(folder, tables)
    writing.write_settings(folder, shape, {name: list(channel.raw) for name, channel in words.CHANNELS.items()})
    writing.write_dictionary(folder, shape, tables)
    writing.write_truth(folder, planted)


def build(shape: Shape) -> tuple[Tables, dict[str, Any]]:
    """The canonical tables as rows, and the planted truths."""
    rates, tables = Rates(shape), Tables()
    accounts, tables["account_changes"] = companies.accounts(shape)
    tables |= {"accounts": accounts, "owners": companies.owners(shape), "fx": rates.rows()}
    listed = target_list.TargetList(shape, accounts)
    contracts, sold, coming, late = _sales(shape, rates, accounts, listed)
    tables["subscriptions"] = customers.subscription_rows(shape, contracts)
    run = campaigns.Campaigns(shape, rates)
    staff = people.People(shape, accounts, listed, [*sold, *coming])
    flow = waves.Waves(shape, staff, listed, _live(accounts), [*sold, *coming], contracts)
    _crm(shape, tables, run, staff, sold)
    _marketing(shape, rates, tables, run, listed, flow)
    _activity(shape, tables, run, staff, listed, flow, sold)
    _people(shape, tables, staff, sold)
    tables["touches"] = journey.touches(tables, tables["touches"])
    tables["campaign_members"] = members.campaign_members(shape, run, tables["touches"], flow)
    tables["account_stages"] = journey.account_stages(shape, tables)
    tables["surveys"], tables["survey_invites"] = voice.surveys(shape, contracts, staff, listed)
    tables["notes"] = voice.notes(shape, _live(accounts), tables["surveys"])
    _plans(shape, rates, tables)
    return tables, truth.truth(shape, rates, tables, run, flow, sold, late)


def _live(accounts: list[Row]) -> list[Row]:
    """The accounts that can act: those merged into others are only records."""
    return [account for account in accounts if not account.get("survivor_id")]


def _sales(
    shape: Shape, rates: Rates, accounts: list[Row], listed: target_list.TargetList
) -> tuple[list[customers.Contract], list[deals.Deal], list[deals.Deal], list[Row]]:
    """Contracts, numbered deals with their history, deals still to come, and the states that were recorded too late."""
    contracts = customers.opening(shape, rates, accounts)
    new = deals.new_deals(shape, rates, accounts, listed, {contract.account["account_id"] for contract in contracts})
    sold, coming = [d for d in new if d.created <= shape.known], [d for d in new if d.created > shape.known]
    rng = shape.rng("contracts")
    contracts += [customers.from_won(rng, deal) for deal in sold if deal.won and deal.close <= shape.known]
    for contract in contracts:
        customers.live(shape, rng, contract)
        sold += contract.deals
    crm.number_deals(sold)
    written = shape.rng("history")
    for deal in sold:
        history.record(shape, written, deal)
    history.sign_after_midnight(shape, sold)
    return contracts, sold, coming, history.restate(shape, sold)


def _crm(shape: Shape, tables: Tables, run: campaigns.Campaigns, staff: people.People, sold: list[deals.Deal]) -> None:
    tables["opportunities"] = crm.opportunities(shape, run, sold)
    tables["opportunity_changes"] = crm.changes(sold)
    tables["opportunity_sources"] = crm.sources(tables["opportunities"])
    tables["opportunity_roles"] = crm.roles(shape, staff, sold)


def _marketing(
    shape: Shape,
    rates: Rates,
    tables: Tables,
    run: campaigns.Campaigns,
    listed: target_list.TargetList,
    flow: waves.Waves,
) -> None:
    tables["campaigns"], tables["experiments"] = run.rows, campaigns.experiments(shape)
    tables["assets"] = campaigns.assets(shape, run)
    tables["ad_days"] = ads.ad_days(shape, rates, run, tables["experiments"])
    tables["ad_account_days"] = ads.Companies(shape, run, flow).rows(listed, _live(tables["accounts"]))
    tables["ad_title_months"] = ads.ad_title_months(shape, run)
    tables["account_lists"] = target_list.list_rows(shape, listed, flow.warm)


def _activity(
    shape: Shape, tables: Tables, run: campaigns.Campaigns, staff: people.People, listed: target_list.TargetList,
    flow: waves.Waves, sold: list[deals.Deal],
) -> None:  # fmt: skip
    come = visits.Visits(shape, run, tables["assets"]).all(flow, listed, _live(tables["accounts"]))
    site = web.Website(shape, come)
    tables["page_views"], tables["cta_events"] = site.views, site.ctas
    letters = mail.Mail(shape, run, staff, flow, tables["assets"])
    tables["emails"], tables["email_events"] = letters.emails, letters.events
    tables["meetings"] = activity.Meetings(shape, run, staff, flow, sold).rows
    tables["touches"] = activity.own_touches(shape, run, flow, tables["assets"])


def _people(shape: Shape, tables: Tables, staff: people.People, sold: list[deals.Deal]) -> None:
    dated = {"page_views": "viewed_at", "email_events": "occurred_at", "meetings": "booked_at", "touches": "touched_at"}
    acts = [(row.get("person_id"), row[column]) for table, column in dated.items() for row in tables[table]]
    people.meet(staff.rows, acts)
    tables["people"] = staff.rows
    people.praise(staff.rows, tables["touches"])
    tables["person_stages"] = people.finish(shape, staff, acts, crm.buyers(sold, staff))
    tables["person_accounts"] = people.person_accounts(shape, staff)
    tables["suppressions"] = people.suppressions(shape, staff)


def _plans(shape: Shape, rates: Rates, tables: Tables) -> None:
    totals = figures.Figures(shape, rates, tables)
    tables["targets"] = targets.targets(shape, totals)
    tables["promises"] = targets.promises(shape, tables["targets"])
    tables["costs"] = money.costs(shape, rates, tables)
    tables["budgets"] = money.budgets(shape, rates, tables)
    tables["control_totals"] = money.control_totals(shape, totals.booked(), money.spend(shape, tables, "channel"))
    tables["events_log"] = money.events_log(shape)
    tables["loads"] = money.loads(shape, tables)
