"""Accounts: who is on the list, who is engaged, and how much of each buying group we know."""

from __future__ import annotations

from ..formula import Columns, Formula, mean, median, ratio, share, total
from ..metric import Look, family
from ..reading import Reading, Worked, missing

metric = family("accounts", kind="leading", pillar="relationships", counts="accounts", audience=("marketing", "sales"))
NO_TARGETS = "no target accounts"
NO_MARKET = "no addressable account, or none of the customers known"
ADDRESSABLE = "account_changes.is_addressable|accounts.is_addressable"
CUSTOMERS = "subscriptions.arr_change|account_stages.stage"
TITLES = "people.title|people.buying_role"


@metric(facts="target_list", label="Target accounts", unit="count", better="neither", activity="activity",
        by=("tier", "programme", "segment", "region", "employees_band", "revenue_band", "movement"), additive=True)  # fmt: skip
def target_accounts(listed: Columns) -> Formula:
    """Accounts on the target list at the end of the quarter.

    Source: target_list, one row per account on the list at either end of the quarter (S1-36, S1-37).
    Counts: the slice `movement` is no part of them: it has those that joined, left and were re-tiered since the quarter
    began; a list renewed on the first day of a quarter belongs to it.
    Missing: no target list.
    """
    return total(listed.count(where=listed.is_target)).but(movement=total(listed.count()))


@metric(facts="target_account_engagement", label="Engaged target accounts", unit="count", better="higher",
        by=("tier", "industry", "programme"), additive=True)  # fmt: skip
def engaged_target_accounts(targets: Columns) -> Formula:
    """Target accounts that meet the engagement rule at the end of the quarter.

    Source: target_account_engagement; the rule `[engaged]` is in abm.toml (S2-09).
    Counts: accounts on the list when the quarter began where enough people acted, or one act showed high intent, in the days
    before its end; an impression is no act.
    Missing: no touches in the quarter, or no target list.
    """
    return total(targets.count(where=targets.is_engaged))


@metric(facts="target_account_engagement", label="Engaged share of target accounts", unit="share", better="higher",
        by=("tier", "industry", "programme"), core=True)  # fmt: skip
def engaged_target_account_rate(targets: Columns) -> Formula:
    """Target accounts that meet the engagement rule at the end of the quarter, of all on the list when it began.

    Source: target_account_engagement (S2-09).
    Counts: as engaged_target_accounts; those that joined during the quarter are in neither.
    Missing: no target accounts.
    """
    return share(targets.count(where=targets.is_engaged), targets.count(), nothing=NO_TARGETS)


@metric(facts="target_account_engagement", label="Buying-group penetration", unit="share", better="higher",
        by=("tier", "account", "team_size"))  # fmt: skip
def buying_group_penetration(targets: Columns) -> Formula:
    """People of the buying teams who acted, of all the people that the teams have.

    Source: target_account_engagement (S2-11, S2-12, S2-13).
    Counts: people who acted in the days of `[engaged]` before the quarter's end, in no account more than its team; the team's
    size is the list's, else the tier's. The slice `team_size` says how many accounts rest on a size that is stated, assumed, or
    too small for the people who acted.
    Missing: no target accounts of a known team size.
    """
    n = targets.count(where=~targets.team.is_null())
    members, team = targets.total("members"), targets.total("team")
    each = ratio(members, team, nothing=NO_TARGETS, n=n)
    return ratio(members, team, nothing=NO_TARGETS, n=n, spread=True).but(account=each, team_size=each)


@metric(
    of="buying_group_penetration", label="Buying-group penetration, weighted by tier", unit="share", better="higher"
)
def tier_weighted_penetration(read: Look) -> Worked:
    """The penetration of each tier, weighted by what the tier is worth.

    Source: buying_group_penetration by tier, which stands beside it; weights in `buying_group` of abm.toml (S2-31).
    Counts: the mean of the tiers' own rates, never of accounts; a tier without accounts has no weight.
    Missing: no tier has a penetration.
    """
    tiers = [
        (group, read("buying_group_penetration", "tier", tier)) for tier, group in read.config.buying_group.items()
    ]
    told = [(group.weight, rate) for group, rate in tiers if rate.value is not None]
    if not told:
        whole = read("buying_group_penetration")
        return Worked(missing(whole.missing_because or "undefined", whole.caveat or "no tier has a penetration"))
    weights = sum(weight for weight, _ in told)
    weighted = sum(weight * (rate.value or 0.0) for weight, rate in told)
    return Worked(Reading(weighted / weights, weighted, weights, sum(rate.n or 0.0 for _, rate in told)))


@metric(needs=TITLES, facts="needed_roles", label="Buying-role penetration", unit="share", better="higher",
        counts="roles", by=("role", "tier", "role/tier"))  # fmt: skip
def buying_role_penetration(roles: Columns) -> Formula:
    """Roles of the buying groups in which someone acted, of all the roles that the groups need.

    Source: needed_roles, one row per target account and role that its tier needs (S1-08, S3-07).
    Counts: the role that the source gives a person, else the one that `[titles]` reads from the title; the slice `role` shows
    in how many accounts each is missing.
    Missing: no target accounts in a tier.
    """
    return share(roles.count(where=roles.is_engaged), roles.count(), nothing=NO_TARGETS)


@metric(facts="target_account_contacts", label="Contacts per target account", unit="times", better="higher",
        by=("tier", "statistic", "tier/statistic"))  # fmt: skip
def contacts_per_target_account(targets: Columns) -> Formula:
    """The mean number of people known at a target account at the end of the quarter; the median stands beside it.

    Source: target_account_contacts (S1-06).
    Counts: people at accounts on the list when the quarter began, once, by where they worked then; our own people never.
    Missing: no people, or no target accounts.
    """
    middle = median(targets.total("contacts"), nothing=NO_TARGETS)
    average = mean(targets.total("contacts"), targets.count(), nothing=NO_TARGETS)
    return average.but(**{"statistic": middle, "tier/statistic": middle})


@metric(needs=TITLES, facts="target_contacts", label="Right contacts", unit="share", better="higher", counts="people",
        by=("tier", "department"))  # fmt: skip
def right_contact_share(people: Columns) -> Formula:
    """People known at target accounts in a role that the account's tier needs, of all the people known there.

    Source: target_contacts (S1-08, S1-37).
    Counts: roles as buying_role_penetration; a title that tells no role is a contact, and not a right one.
    Missing: nobody is known at a target account.
    """
    return share(people.count(where=people.is_right), people.count(), nothing="nobody known at a target account")


@metric(facts="target_account_threads", label="Multithreaded target accounts", unit="share", better="higher",
        by=("people", "tier"))  # fmt: skip
def multithreaded_account_rate(targets: Columns) -> Formula:
    """Target accounts where at least two people acted; at least three in the slice `people`.

    Source: target_account_threads (S1-10).
    Counts: people who acted in the days of `[engaged]` before the quarter's end, not people known.
    Missing: no target accounts.
    """
    two = targets.people == "2"
    every = share(targets.count(where=targets.is_met), targets.count(), nothing=NO_TARGETS)
    return share(targets.count(where=targets.is_met & two), targets.count(where=two), nothing=NO_TARGETS).but(
        people=every
    )


@metric(needs="opportunity_roles.role|people.buying_role", facts="accounts_in_play", label="Champion known", unit="share",
        better="higher", by="tier")  # fmt: skip
def champion_known_rate(accounts: Columns) -> Formula:
    """Accounts with an open opportunity where a champion is recorded.

    Source: accounts_in_play (S1-09).
    Counts: a champion on an open opportunity, else among the people known at the account; all accounts, on the list or not.
    Missing: no account has an open opportunity.
    """
    return share(accounts.count(where=accounts.has_champion), accounts.count(), nothing="no open opportunity")


@metric(needs="opportunity_roles.role|people.buying_role", facts="accounts_in_play", label="Blocker known", unit="share",
        better="neither", by="tier")  # fmt: skip
def blocker_known_rate(accounts: Columns) -> Formula:
    """Accounts with an open opportunity where a blocker is recorded.

    Source: accounts_in_play (S1-09).
    Counts: as champion_known_rate.
    Missing: no account has an open opportunity.
    Beware: more may mean that we know them better, or that there are more of them.
    """
    return share(accounts.count(where=accounts.has_blocker), accounts.count(), nothing="no open opportunity")


@metric(facts="conversations", label="Sales conversations", unit="count", better="higher", counts="conversations",
        by=("tier", "kind"), additive=True)  # fmt: skip
def sales_conversations(held: Columns) -> Formula:
    """Meetings and demos held in the quarter, and calls in which both sides spoke.

    Source: conversations, one row per meeting (S1-07).
    Counts: by the day on which they began; n is the accounts spoken with, on the list or not; our own meetings never.
    Missing: no meetings data for the quarter.
    """
    return total(held.count(), n=held.distinct("account_id"))


@metric(needs=ADDRESSABLE, facts="market_value", label="Total addressable market", unit="money", better="neither", by="segment",
        pillar="revenue", additive=True)  # fmt: skip
def total_addressable_market(accounts: Columns) -> Formula:
    """What the addressable accounts would be worth in a year if all of them bought.

    Source: market_value; average yearly contract value of new business in the trailing four quarters (S1-12, C6).
    Counts: accounts addressable when the quarter began, each at the price of its segment; at that of all segments where too few
    of the segment's deals have one.
    Missing: nothing won in four quarters has a yearly value.
    """
    addressable = accounts.is_addressable
    return total(accounts.money("price", where=addressable), n=accounts.count(where=addressable))


@metric(needs=CUSTOMERS, facts="market_value", label="Installed base at today's prices", unit="money", better="neither",
        by="segment", pillar="revenue", additive=True)  # fmt: skip
def installed_base_value(accounts: Columns) -> Formula:
    """The number of current customers times what a contract is worth in a year: the articles' formula for the market.

    Source: market_value (S1-12, C6).
    Counts: customers at the end of the quarter, addressable or not, at the prices of total_addressable_market.
    Missing: nothing won in four quarters has a yearly value.
    Beware: this is no market, and no revenue: it is what today's customers would pay at today's prices.
    """
    return total(accounts.money("price", where=accounts.is_customer), n=accounts.count(where=accounts.is_customer))


@metric(needs=(ADDRESSABLE, CUSTOMERS), facts="addressable_customers", label="Market penetration", unit="share", better="higher",
        by="segment", pillar="revenue")  # fmt: skip
def market_penetration(accounts: Columns) -> Formula:
    """Addressable accounts that are customers at the end of the quarter.

    Source: addressable_customers (S1-12).
    Counts: accounts addressable when the quarter began; customers have recurring revenue, or without subscriptions that stage.
    Missing: no addressable account.
    """
    return share(accounts.count(where=accounts.is_customer), accounts.count(), nothing=NO_MARKET)


@metric(needs=ADDRESSABLE, facts="addressable_engagement", label="Engaged share of addressable accounts", unit="share",
        better="higher", by="segment")  # fmt: skip
def addressable_engagement_rate(accounts: Columns) -> Formula:
    """Addressable accounts that meet the engagement rule at the end of the quarter.

    Source: addressable_engagement (S1-15).
    Counts: accounts addressable when the quarter began, on the list or not; the rule of engaged_target_accounts.
    Missing: no addressable account, or no touches in the quarter.
    Beware: this is engagement, not influence on what was sold.
    """
    return share(accounts.count(where=accounts.is_engaged), accounts.count(), nothing="no addressable account")


@metric(needs="account_lists.intent_level", facts="target_list", label="Target accounts of high intent", unit="count",
        better="higher", by=("tier", "industry"), additive=True)  # fmt: skip
def high_intent_accounts(listed: Columns) -> Formula:
    """Target accounts whose intent was given as high at the end of the quarter.

    Source: target_list; the level is taken as the source gives it (S2-35).
    Counts: accounts on the list at the end of the quarter.
    Missing: no target list, or nobody gives an intent level.
    """
    return total(listed.count(where=listed.is_target & (listed.intent_level == "high")))
