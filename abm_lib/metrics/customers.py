"""Customers: who stays, who grows, what one is worth and what one costs to win."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import narwhals as nw

from .. import lifetime
from ..config import Config
from ..formula import Amount, Columns, Formula, mean, net_score, ratio, share, total
from ..metric import Look, family
from ..reading import Reading, Worked, missing

metric = family(
    "customers", kind="return", pillar="revenue", counts="accounts", audience=("marketing", "sales", "finance")
)
YEAR = "trailing_4_quarters"
NO_CUSTOMERS = "no customers at the start"
NO_COSTS = "no new customers, or no costs recorded"
NO_ANSWERS = "no answers"
BOTH_ENDS = "the ends of both intervals, 95%"


@metric(
    facts="customers_at_end",
    label="Customers",
    unit="count",
    better="higher",
    by=("tier", "segment", "rule"),
    additive=True,
)
def customers(found: Columns) -> Formula:
    """Accounts that pay recurring revenue when the quarter ends.

    Source: customers_at_end (S3-15). The slice `rule` names the rule that was used.
    Counts: accounts with recurring revenue above 0; without subscriptions, those whose last stage is customer or renewal.
    Missing: no subscriptions and no stages for the quarter.
    """
    return total(found.count())


def _of_the_opening(moves: Columns, kept: Amount) -> Formula:
    opening, n = moves.money("amount", where=moves.movement == "opening"), moves.distinct("account_id")
    return ratio(kept, opening, nothing=NO_CUSTOMERS, n=n, spread=True, unit="account_id")


@metric(facts="recurring_revenue", label="Net revenue retention", unit="share", better="higher", by=("segment", "cohort"),
        also_window=YEAR)  # fmt: skip
def net_revenue_retention(moves: Columns) -> Formula:
    """What the customers at the quarter's start pay at its end, growth included, over what they paid then.

    Source: recurring_revenue, yearly amounts at the rate of the quarter's first day (S2-29).
    Counts: opening + expansion − contraction − churn; nobody who was won since. The slice `window` is the last four quarters.
    Missing: no customers at the start.
    """
    return _of_the_opening(moves, moves.money("amount"))


@metric(facts="recurring_revenue", label="Gross revenue retention", unit="share", better="higher", by=("segment", "cohort"),
        also_window=YEAR)  # fmt: skip
def gross_revenue_retention(moves: Columns) -> Formula:
    """What the customers at the quarter's start pay at its end, without any growth, over what they paid then.

    Source: recurring_revenue, as net_revenue_retention (S2-29).
    Counts: opening − contraction − churn; a customer loses at most what it paid at the start.
    Missing: no customers at the start.
    """
    return _of_the_opening(moves, moves.money("gross", where=moves.movement == "opening"))


@metric(facts="recurring_revenue", label="Retained recurring revenue", unit="money", better="higher", by=("movement", "segment"),
        additive=True)  # fmt: skip
def retained_revenue(moves: Columns) -> Formula:
    """What the customers at the quarter's start pay at its end, a year.

    Source: recurring_revenue, at the rate of the quarter's first day (S2-29).
    Counts: opening + expansion − contraction − churn, each in the slice `movement`; nobody who was won since.
    Missing: no subscription data for the quarter.
    """
    return total(moves.money("amount"), n=moves.distinct("account_id"))


@metric(facts="expansions", label="Expansion revenue", unit="money", better="higher", additive=True,
        by=("expansion_kind", "segment", "month", "quarter", "year"))  # fmt: skip
def expansion_revenue(grown: Columns) -> Formula:
    """Yearly recurring revenue that customers added in the quarter: cross-sell and upsell.

    Source: expansions; fx at the day of effect (S1-26, S2-32).
    Counts: changes of kind expansion, not bookings; renewals are apart.
    Missing: no subscription data for the quarter.
    """
    return total(grown.money("amount"), n=grown.distinct("account_id"))


@metric(facts="recurring_revenue", label="Customers kept from year to year", unit="share", better="higher", by=("segment",),
        window=YEAR)  # fmt: skip
def customer_retention_rate(moves: Columns) -> Formula:
    """Customers of a year ago who still are customers when the quarter ends, of all customers of a year ago.

    Source: recurring_revenue over the last four quarters (S3-14, S1-39).
    Counts: accounts; one that pays less is kept.
    Missing: no customers a year ago.
    """
    kept = moves.distinct("account_id", where=moves.is_retained)
    return share(kept, moves.distinct("account_id"), nothing="no customers a year ago")


@metric(of=("average_contract_value", "customer_retention_rate", "net_revenue_retention", "gross_revenue_retention"),
        looks_up="customer_tenures",
        label="Customer lifetime value", unit="money", better="higher", by=("method", "segment"))  # fmt: skip
def customer_lifetime_value(read: Look) -> Worked:
    """The yearly value of a new contract × the average lifespan of a customer in years.

    Source: average_contract_value, customer_retention_rate (S1-31, S1-32). Lifespan = 1 ÷ yearly churn of customers.
    Counts: the slice `method` has margin_churn (revenue per customer at the quarter's start × gross margin × lifespan),
        with_expansion, which adds a year's expansion per customer of a year ago, and two of the shifted-beta-geometric fit to all
        renewals: sbg, a new customer's discounted lifetime × the same margin, and sbg_residual, what is still to come of
        today's customers. `lifetime.gross_margin`, `longest_years` and `discount_rate` stand in abm.toml.
    Missing: no contract won with a yearly value, or no customers a year ago.
    Beware: where hardly anybody left, the lifespan is the longest one that abm.toml allows, and the caveat says so.
    """
    kept, worth = read("customer_retention_rate"), read("average_contract_value")
    paid, year = read("net_revenue_retention"), read("net_revenue_retention", "window", YEAR)
    gross = read("gross_revenue_retention", "window", YEAR)
    margin, most = read.config.lifetime.gross_margin, read.config.lifetime.longest_years
    simple = _lived(worth, kept, most)
    each = _per_customer(paid, paid.denominator, margin)
    grown = None if year.numerator is None or gross.numerator is None else year.numerator - gross.numerator
    more = _per_customer(year, grown, margin)
    both = replace(each, value=each.value + more.value) if each.value is not None and more.value is not None else more
    with_margin, noted = _lived(each, kept, most), _margin(read.config)
    slices = {
        ("method", "simple"): simple,
        ("method", "margin_churn"): replace(with_margin, caveat=_joined(with_margin.caveat, noted)),
        ("method", "with_expansion"): _noted(_lived(both, kept, most), noted),
    } | _renewed(each, read, noted)
    for name in read.values("average_contract_value", "segment"):
        own = read("customer_retention_rate", "segment", name)
        slices["segment", name] = _lived(read("average_contract_value", "segment", name), own, most)
    return Worked(simple, slices)


def _lived(worth: Reading, kept: Reading, most: float) -> Reading:
    """A yearly value over the lifespan that the share of customers kept says."""
    for part in (worth, kept):
        if part.value is None:
            return missing(part.missing_because, part.caveat)
    years, low, high = (_years(rate, most) for rate in (kept.value, kept.low, kept.high))
    capped = f", the longest that abm.toml allows, for {1 - (kept.value or 0):.1%} left" if years == most else ""
    ends = (worth.low * low, worth.high * high) if worth.low is not None and worth.high is not None else (None, None)
    method = BOTH_ENDS if ends[0] is not None else ""
    return Reading((worth.value or 0.0) * years, n=kept.denominator, low=ends[0], high=ends[1], method=method,
                   caveat=_joined(worth.caveat, f"lifespan {years:.1f} years{capped}"))  # fmt: skip


def _renewed(each: Reading, read: Look, noted: str) -> dict[tuple[str, str], Reading]:
    """A new customer's lifetime, and what is left of today's customers', by the fitted chance to renew."""
    tenures, rate = read.rows("customer_tenures"), read.config.lifetime.discount_rate
    model = lifetime.fitted(*([row[name] for row in tenures] for name in ("left_at", "stayed", "seen_from")))
    few = missing(
        "undefined", f"fewer than {lifetime.FEWEST} customers, or fewer than five who left", n=float(len(tenures))
    )
    if model is None or each.value is None:
        return dict.fromkeys((("method", "sbg"), ("method", "sbg_residual")), few if model is None else each)
    said = f"fitted to {len(tenures)} customers, alpha {model.alpha:.2f}, beta {model.beta:.2f}, {rate:.0%} discount"
    alive = Counter(row["stayed"] for row in tenures if not row["left_at"])
    left = sum(count * model.residual(int(years) + 1, rate) for years, count in sorted(alive.items())) / max(
        1, alive.total()
    )
    whole = {"sbg": (model.lifetime(rate), len(tenures)), "sbg_residual": (left, alive.total())}
    return {
        ("method", name): Reading(
            round(each.value * years, 2), n=float(n), caveat=_joined(f"{years:.1f} years, {said}", noted)
        )
        for name, (years, n) in whole.items()
    }


def _years(kept: float | None, most: float) -> float:
    churn = 1 - (kept or 0.0)
    return most if churn * most <= 1 else 1 / churn


def _per_customer(revenue: Reading, amount: float | None, margin: float) -> Reading:
    if amount is None or not revenue.n:
        return missing(revenue.missing_because or "undefined", revenue.caveat or NO_CUSTOMERS)
    return Reading(amount / revenue.n * margin, n=revenue.n)


def _margin(config: Config) -> str:
    assumed = "gross_margin" not in config.lifetime.model_fields_set
    return f"gross margin {config.lifetime.gross_margin:.0%}, {'assumed: not set' if assumed else 'as set'} in abm.toml"


def _joined(*caveats: str) -> str:
    return "; ".join(caveat for caveat in caveats if caveat)


def _noted(reading: Reading, note: str) -> Reading:
    return reading if reading.value is None else replace(reading, caveat=_joined(reading.caveat, note))


def _cost_of_winning(costs: Columns, kinds: str) -> Formula:
    """The company's costs over its new customers, in the same quarter; each timing and each programme in its slice."""
    same, company = costs.timing == "same_quarter", costs.programme.is_null()

    def over(rows: nw.Expr) -> Formula:
        won = costs.total("new_customers", where=rows)
        return ratio(costs.money(kinds, where=rows), won, nothing=NO_COSTS, n=won)

    return over(same & company).but(timing=over(company), programme=over(same & ~company))


@metric(
    facts="acquisition", label="Customer acquisition cost", unit="money", better="lower", by=("programme", "timing")
)
def customer_acquisition_cost(costs: Columns) -> Formula:
    """Sales and marketing cost of the quarter for each new customer won in it.

    Source: acquisition: costs of the kinds `cac.simple_kinds` of abm.toml; fx at the quarter's last day (S1-03, S1-33).
    Counts: new customers as new_customers. The slice `timing` has the costs of `cac.lag_quarters` before; new customers off
    the list stand beside the costs of demand generation.
    Missing: no new customers, or no costs for the quarter.
    """
    return _cost_of_winning(costs, "simple")


@metric(
    facts="acquisition",
    label="Full customer acquisition cost",
    unit="money",
    better="lower",
    by=("programme", "timing"),
)
def customer_acquisition_cost_full(costs: Columns) -> Formula:
    """All that winning cost in the quarter, overheads and support included, for each new customer won in it.

    Source: acquisition: costs of the kinds `cac.full_kinds` of abm.toml; fx at the quarter's last day (S1-34).
    Counts: as customer_acquisition_cost.
    Missing: no new customers, or no costs for the quarter.
    """
    return _cost_of_winning(costs, "full")


@metric(of=("customer_lifetime_value", "customer_acquisition_cost_full"), parts_in_money=True,
        label="Lifetime value to acquisition cost", unit="times",
        better="higher")  # fmt: skip
def lifetime_value_to_acquisition_cost(read: Look) -> Worked:
    """What a customer is worth over its life, for each unit of what winning one cost.

    Source: customer_lifetime_value, the simple method; customer_acquisition_cost_full (S2-33).
    Counts: new customers only; the interval is that of the lifetime value.
    Missing: one of the two is missing.
    """
    worth, cost = read("customer_lifetime_value"), read("customer_acquisition_cost_full")
    for part in (worth, cost):
        if not part.value:
            return Worked(missing(part.missing_because or "undefined", part.caveat or "no cost"))
    value, spent = worth.value or 0.0, cost.value or 1.0
    low, high = (None if end is None else end / spent for end in (worth.low, worth.high))
    return Worked(Reading(value / spent, value, spent, cost.n, low, high, worth.method, "", worth.caveat))


@metric(
    of=("customer_acquisition_cost_full", "average_contract_value"),
    parts_in_money=True,
    label="Payback time",
    unit="months",
    better="lower",
)
def payback_months(read: Look) -> Worked:
    """Months until the gross margin on a new contract has paid for winning it.

    Source: customer_acquisition_cost_full, average_contract_value (S2-33); `lifetime.gross_margin` of abm.toml.
    Counts: full acquisition cost ÷ (yearly contract value ÷ 12 × gross margin).
    Missing: one of the two is missing, or the margin is 0.
    """
    cost, worth = read("customer_acquisition_cost_full"), read("average_contract_value")
    for part in (cost, worth):
        if part.value is None:
            return Worked(missing(part.missing_because, part.caveat))
    monthly = read.config.lifetime.gross_margin / 12
    earned, spent = (worth.value or 0.0) * monthly, cost.value or 0.0
    if earned <= 0:
        return Worked(missing("undefined", "no margin on a new contract", n=cost.n))
    # A low value of the contract takes long to pay back.
    low, high = (spent / (end * monthly) if end else None for end in (worth.high, worth.low))
    caveat, method = _joined(worth.caveat, _margin(read.config)), BOTH_ENDS
    if low is None or high is None:
        low, high, method = None, None, ""
    return Worked(Reading(spent / earned, spent, earned, cost.n, low, high, method, "", caveat))


@metric(facts="survey_answers", label="Net promoter score", unit="score", better="higher", counts="answers", pillar="reputation",
        by=("tier", "segment", "theme"))  # fmt: skip
def net_promoter_score(answers: Columns) -> Formula:
    """Promoters (9 or 10) less detractors (0 to 6) for each hundred answers given in the quarter.

    Source: survey_answers of kind nps (S3-13, S1-05).
    Counts: answers by the day they were given; those of our own people are out.
    Missing: no answers in the quarter.
    """
    nps = answers.survey == "nps"
    promoters, detractors = (
        answers.count(where=nps & (answers.score >= 9)),
        answers.count(where=nps & (answers.score <= 6)),
    )
    return net_score(promoters, detractors, answers.count(where=nps), nothing=NO_ANSWERS)


@metric(facts="survey_invitations", label="Survey response rate", unit="share", better="higher", counts="invitations",
        pillar="reputation", by=("survey", "tier", "segment"))  # fmt: skip
def survey_response_rate(invited: Columns) -> Formula:
    """Invitations sent in the quarter that were answered, of all that were sent.

    Source: survey_invitations (S3-13).
    Counts: every kind of survey, each in the slice `survey`; answered by the time the quarter had settled.
    Missing: no invitations in the quarter.
    """
    return share(invited.count(where=invited.is_answered), invited.count(), nothing="no invitations")


@metric(needs="surveys.scale_max", facts="survey_answers", label="Customer satisfaction", unit="share", better="higher",
        counts="answers", pillar="reputation", by=("tier", "segment", "theme", "survey", "measure"))  # fmt: skip
def customer_satisfaction(answers: Columns) -> Formula:
    """The mean score of the quarter's satisfaction answers, as a share of the highest score of their scale.

    Source: survey_answers of kind csat (S3-13).
    Counts: answers by the day they were given. The slice `measure` has the share of answers with one of the top two scores,
    `survey` every kind of survey, the brand's among them.
    Missing: no answers with the maximum of their scale.
    """
    scored = ~answers.satisfaction.is_null()
    csat = scored & (answers.survey == "csat")
    every = mean(answers.total("satisfaction", where=scored), answers.count(where=scored), nothing=NO_ANSWERS)
    top_two = share(answers.count(where=csat & answers.is_top_two), answers.count(where=csat), nothing=NO_ANSWERS)
    average = mean(answers.total("satisfaction", where=csat), answers.count(where=csat), nothing=NO_ANSWERS)
    return average.but(survey=every, measure=top_two)


@metric(needs="meetings.starts_at|page_views.viewed_at", facts="scored_customers", label="Healthy customers", unit="share",
        better="higher", by=("tier", "segment"))  # fmt: skip
def customer_health(found: Columns) -> Formula:
    """Customers that meet the rule of health, of those who ever answered a recommendation survey.

    Source: scored_customers; `[health]` of abm.toml (S3-13).
    Counts: customers at the quarter's end. Healthy: the last score is 7 or more, a meeting was held or a visit paid in the
    last 90 days, and nothing was contracted in them.
    Missing: no customer has a score.
    """
    return share(found.count(where=found.is_healthy), found.count(), nothing="no customer has a score")


@metric(
    facts="word_of_mouth",
    label="Advocates",
    unit="count",
    better="higher",
    counts="people",
    by=("month", "quarter", "year"),
)
def advocates(acts: Columns) -> Formula:
    """People who spoke for us in the quarter.

    Source: word_of_mouth: touches of kind advocacy (S1-25).
    Counts: each person once; acts that name no person are left out, and so are our own people's.
    Missing: no touches for the quarter.
    """
    return total(acts.distinct("person_id", where=acts.kind == "advocacy"))


@metric(facts="word_of_mouth", label="Referrals", unit="count", better="higher", counts="referrals", additive=True,
        by=("month", "quarter", "year"))  # fmt: skip
def referrals(acts: Columns) -> Formula:
    """Referrals by customers and partners in the quarter.

    Source: word_of_mouth: touches of kind referral (S1-25).
    Counts: each referral.
    Missing: no touches for the quarter.
    """
    return total(acts.count(where=acts.kind == "referral"))


@metric(facts="programme_vintages", label="Return on programmes", unit="share", better="higher", counts="opportunities",
        by=("vintage", "programme", "matured_share"), window="cohort")  # fmt: skip
def programme_return(vintages: Columns) -> Formula:
    """Gross margin won from the accounts on the list, less what their programmes cost, over that cost, by quarter of investment.

    Source: programme_vintages; `lifetime.gross_margin` of abm.toml (S1-03, S1-35, S1-39, C19). The whole is the newest mature vintage.
    Counts: new business and expansions that accounts on the list began in that quarter and that are won by now; all costs of
    the programmes. `matured_share` is the part of a vintage's opportunities that is closed.
    Missing: no vintage is mature, or no costs.
    Beware: a return on these accounts, not caused by the programmes.
    """
    newest = vintages.is_headline
    cost, won = vintages.money("cost"), vintages.total("won")
    matured = share(vintages.total("closed"), vintages.total("opportunities"), nothing="nothing begun")
    headline = ratio(vintages.money("gain", where=newest), vintages.money("cost", where=newest),
                     nothing="no vintage with costs is mature", n=vintages.total("won", where=newest))  # fmt: skip
    each = ratio(vintages.money("gain"), cost, nothing="no costs", n=won)
    return headline.but(vintage=each, matured_share=matured)
