"""The sections of abm.toml: each a small typed model whose defaults are the report's own."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import duckdb
from babel.localedata import locale_identifiers
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from .errors import nearest

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0)]
WaitDays = Annotated[int, Field(ge=1)]
Times = Annotated[float, Field(gt=0, allow_inf_nan=False)]
QuarterLabel = Annotated[str, Field(pattern="^[0-9]{4}Q[1-4]$")]
Stages = Annotated[list[str], Field(min_length=1)]
Owner = Literal["marketing", "sales", "partner", "other"]
UtmName = Literal["source", "medium", "campaign", "content", "term"]
Percent = Annotated[int, Field(ge=1, le=100)]
CostKind = Literal["media", "people", "tools", "agency", "overhead", "onboarding", "support"]
Tier = Literal["1", "2", "3"]
Role = Literal["champion", "economic_buyer", "decision_maker", "influencer", "user", "blocker"]
NO_PLACE = {"Factory", "localtime"}  # names that the zone database has and no place on earth


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def expression(pattern: str) -> str:
    """The pattern, if it is a regular expression of RE2, which DuckDB speaks: none takes longer than its text is long (F165)."""
    with duckdb.connect() as con:
        try:
            con.execute("select regexp_matches('', ?)", [pattern])
        except duckdb.Error as error:
            raise ValueError(f"a regular expression of RE2; {str(error).splitlines()[0]}") from None
    return pattern


class Company(Settings):
    """Who reports, in which currency and zone."""

    name: str
    currency: str = Field(pattern="^[A-Z]{3}$")
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, name: str) -> str:
        zones = available_timezones() - NO_PLACE
        if name not in zones:
            raise ValueError(f"no such time zone; {nearest(name, zones)}")
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Fiscal(Settings):
    """The fiscal calendar: whole months from `first_month`, or weeks in a 4-4-5 pattern.

    Week patterns end each year on `weekday`: the last one of the month before `first_month`, or the one `nearest` its end.
    """

    first_month: Annotated[int, Field(ge=1, le=12)] = 1
    pattern: Literal["months", "445", "454", "544"] = "months"
    named_by: Literal["start", "end"] = "end"
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "saturday"
    year_end: Literal["last", "nearest"] = "last"


class AsOf(Settings):
    """Days after the period's end until late records no longer count in it."""

    settle_days: Days = 10


class Schedule(Settings):
    """When editions are due: the provisional one so many days after the period's end, the final one once all late records are in.

    `abm check --heartbeat` alarms when one is `overdue_days` late.
    """

    provisional_days: Days = 2
    overdue_days: WaitDays = 1


class OpportunityStages(Settings):
    """The CRM's stage names in order, and which of them mean qualified, won and lost."""

    order: Stages
    qualified_from: str
    won: Stages
    lost: Stages

    @field_validator("order")
    @classmethod
    def each_once(cls, order: list[str]) -> list[str]:
        if len(set(order)) < len(order):
            raise ValueError("a stage stands in the order once")
        return order

    @field_validator("qualified_from")
    @classmethod
    def in_order(cls, stage: str, known: ValidationInfo) -> str:
        if stage not in (order := known.data.get("order", [stage])):
            raise ValueError(f"one of the stages in order; {nearest(stage, order)}")
        return stage

    @field_validator("lost")
    @classmethod
    def not_won(cls, lost: list[str], known: ValidationInfo) -> list[str]:
        if both := set(lost) & set(known.data.get("won", [])):
            raise ValueError(f"a stage is won or lost, not both: {', '.join(sorted(both))}")
        return lost


class Channel(Settings):
    """One channel: who owns it, whether it is paid and tracked, and the raw source values that mean it (S0-57).

    `tracked = false` says that nobody can count what the channel brings: its share of the budget is told.
    """

    owner: Owner
    paid: bool = False
    tracked: bool = True
    match: list[str] = []


class Sourced(Settings):
    """How an opportunity gets its source: the CRM field (S0-57), or the first qualifying touch as a check."""

    rule: Literal["field", "first_touch"] = "field"
    look_back_days: Days = 365


class Coverage(Settings):
    """When coverage is read and which yardstick stands beside it (S0-66). It colours only when agreed."""

    read_on_day: Annotated[int, Field(ge=1, le=60)] = 5
    yardstick: Times = 3.0
    yardstick_by_quarter: dict[QuarterLabel, Times] = {}
    agreed_by: str = ""


class WinRate(Settings):
    """The one period every headline win rate uses (S0-80), and the loss reasons that were never a contest."""

    canonical_period: Literal["quarter", "year", "trailing_4_quarters"] = "trailing_4_quarters"
    disqualified_reasons: list[str] = []


class InfluenceRule(Settings):
    """An opportunity is influenced when this many touches of this many people fall in the window before it.

    `responses_only` leaves out touches that nobody answered; impressions never qualify (S0-03).
    """

    min_touches: Annotated[int, Field(ge=1)]
    min_people: Annotated[int, Field(ge=0)]
    window_days: Days = 180
    responses_only: bool = True


class Influence(Settings):
    """The named rules of the influence range; `default` is the one quoted."""

    default: InfluenceRule = InfluenceRule(min_touches=3, min_people=2)
    any_touch: InfluenceRule = InfluenceRule(min_touches=1, min_people=0, responses_only=False)
    one_response: InfluenceRule = InfluenceRule(min_touches=1, min_people=0)
    strict: InfluenceRule = InfluenceRule(min_touches=5, min_people=3)


class Attribution(Settings):
    """The rules of credit: how far back it reaches, what is no touch, which touch comes first, and what a Markov chain is fitted on.

    `ties` says what goes first of touches at one instant. `one_per_campaign_and_day` counts eight people at one webinar as one
    touch. `direct` are channels that the last touch is not looked for in while there is another (model `last_non_direct`).
    `half_life_days` is that of time decay. An account without an opportunity is a null of the chain once its first touch is
    `maturity_days` old; a younger one is left out. `markov_order` channels make a state.
    """

    look_back_days: Days = 365
    excluded_kinds: list[str] = ["impression"]
    ties: Literal["touch_id", "channel"] = "touch_id"
    one_per_campaign_and_day: bool = False
    direct: list[str] = ["direct"]
    half_life_days: Times = 90.0
    maturity_days: Days = 180
    markov_order: Annotated[int, Field(ge=1, le=4)] = 1


class Engaged(Settings):
    """An account is engaged when enough people acted in the window, or one act showed high intent."""

    window_days: Days = 90
    min_people: Annotated[int, Field(ge=1)] = 2
    high_intent: list[str] = ["form", "meeting", "demo_request", "pricing_visit"]


class Qualified(Settings):
    """A marketing-qualified account: engaged people and touches in the window (S2-06, S2-07)."""

    min_people: Annotated[int, Field(ge=1)] = 2
    min_touches: Annotated[int, Field(ge=1)] = 5


class Leads(Settings):
    """Raw sources that mean a list was loaded: whoever came with one is no lead. Upper and lower case are alike."""

    imported: list[str] = ["import", "imported", "list import", "data import"]


class Lifetime(Settings):
    """What a customer's lifetime is worth: the gross margin on revenue, and the longest lifespan that is believed.

    `discount_rate` is what a year's wait costs, in the fitted lifetime (method `sbg`) alone.
    """

    gross_margin: Share = 0.75
    longest_years: Times = 7.0
    discount_rate: Share = 0.1


class Acquisition(Settings):
    """Which kinds of cost win a new customer, plainly and in full, and by how many quarters they come before it (S1-33, S1-34)."""

    simple_kinds: list[CostKind] = ["media", "agency", "people", "tools"]
    full_kinds: list[CostKind] = ["media", "people", "tools", "agency", "overhead", "onboarding", "support"]
    lag_quarters: Annotated[int, Field(ge=1, le=8)] = 3


class Health(Settings):
    """A healthy customer: a last recommendation score of at least this, seen lately, and nothing taken back in that time."""

    lowest_score: Annotated[int, Field(ge=0, le=10)] = 7
    active_days: Literal[30, 60, 90] = 90


class Utm(Settings):
    """The house format of UTMs (S0-20): each name in `required` is given and meets `pattern`; no list allows every value."""

    required: list[UtmName] = ["source", "medium", "campaign"]
    pattern: str = "^[a-z0-9][a-z0-9_.-]*$"
    sources: list[str] = []
    mediums: list[str] = []

    @field_validator("pattern")
    @classmethod
    def meant(cls, pattern: str) -> str:
        return expression(pattern)


class Scroll(Settings):
    """The depths that the tag reports, in percent (S0-28), and when a paid landing page does not keep what its ad promised.

    A page is flagged when the median depth of at least `min_views` views is `flagged_at` or less, red at `red_at` (S0-31).
    """

    steps: Annotated[list[Percent], Field(min_length=1)] = [25, 50, 75, 100]
    flagged_at: Percent = 50
    red_at: Percent = 25
    min_views: Annotated[int, Field(ge=1)] = 30


class EngagedVisit(Settings):
    """A visit stayed when it lasted so long, saw so many pages, or held a key event (S0-32)."""

    min_seconds: Annotated[int, Field(ge=0)] = 10
    min_pages: Annotated[int, Field(ge=1)] = 2


class BuyingGroup(Settings):
    """The people who decide at an account of a tier (S2-12): the roles needed, how many there are, the tier's weight (S2-31)."""

    roles: list[Role]
    team_size: Annotated[int, Field(ge=1)]
    weight: Times


BUYING_GROUPS: dict[Tier, BuyingGroup] = {
    "1": BuyingGroup(
        roles=["champion", "economic_buyer", "decision_maker", "influencer", "user"], team_size=12, weight=3.0
    ),
    "2": BuyingGroup(roles=["champion", "economic_buyer", "decision_maker", "user"], team_size=7, weight=2.0),
    "3": BuyingGroup(roles=["champion", "decision_maker"], team_size=3, weight=1.0),
}


def _every_tier(given: Any) -> Any:
    """What a company sets of a tier over the report's own; the tiers that it does not name stay as they are."""
    if not isinstance(given, dict):
        return given
    ours: dict[str, Any] = {tier: group.model_dump() for tier, group in BUYING_GROUPS.items()}
    both = {
        tier: {**ours.get(tier, {}), **group} if isinstance(group, dict) else group for tier, group in given.items()
    }
    return ours | both


BuyingGroups = Annotated[dict[Tier, BuyingGroup], BeforeValidator(_every_tier)]
# The words of a job title that tell its role; a title takes the first role of which it holds a word.
TITLES: dict[Role, list[str]] = {
    "blocker": ["procurement", "purchasing", "legal"],
    "economic_buyer": ["chief", "ceo", "cfo", "coo", "owner", "managing director"],
    "champion": ["head of", "plant manager", "project manager"],
    "influencer": ["it director", "manager", "architect", "consultant"],
    "decision_maker": ["director", "vp", "vice president"],
    "user": ["engineer", "operator", "technician", "specialist"],
}
Bounds = Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=1)]


class Bands(Settings):
    """Where one band of company size ends and the next begins: employees, and yearly revenue in the company's currency (S1-37)."""

    employees: Bounds = [50, 250, 1_000]
    revenue: Bounds = [10_000_000, 50_000_000, 250_000_000]

    @field_validator("employees", "revenue")
    @classmethod
    def rising(cls, bounds: list[int]) -> list[int]:
        if sorted(set(bounds)) != bounds:
            raise ValueError("each bound is above the one before it")
        return bounds


class Derive(Settings):
    """Per table: as the source gives it, or worked out here from its event tables."""

    touches: Literal["given", "derived"] = "given"
    account_stages: Literal["given", "derived"] = "given"


class Identity(Settings):
    """Who belongs to whom: rules for people without an account, for our own people, and for accounts that have a parent.

    `by_domain`: a person without an account is one of the account whose domain is that of their e-mail address, where one
    account alone has it; addresses of free mail and of internet providers lead nowhere, `free_mail` adds to their list.
    `own_domains`: whose address is there is internal. `rollup`: an account counts for itself, or for its topmost parent.
    """

    by_domain: bool = False
    free_mail: list[str] = []
    own_domains: list[str] = []
    rollup: Literal["account", "parent"] = "account"


class Machines(Settings):
    """What tells a machine from a person. Both figures are kept: what machines did is marked, and nothing is taken away.

    `scanner_seconds`: a click so soon after its mail was delivered, or `scanner_clicks` of one mail and person within that
    time, are those of a link scanner; 0 asks for no such rule. `bots` are words of user agents, for `is_bot(…)` in maps.
    """

    scanner_seconds: Days = 0
    scanner_clicks: Annotated[int, Field(ge=2)] = 3
    bots: list[str] = ["bot", "crawl", "spider", "slurp", "headless", "preview", "monitor", "python-requests", "curl"]


class SmallNumbers(Settings):
    """Below these counts there is no colour, no sentence about a trend, and no share of what people say.

    A company known for fewer `quarters`, or for fewer closed `deals` in the last eight, has nothing called better or worse.
    """

    colour: Annotated[int, Field(ge=0)] = 10
    trend: Annotated[int, Field(ge=0)] = 30
    qualitative: Annotated[int, Field(ge=0)] = 30
    quarters: Annotated[int, Field(ge=0)] = 4
    deals: Annotated[int, Field(ge=0)] = 30


class Fx(Settings):
    """How old an exchange rate may be before an amount is counted and not priced."""

    max_age_days: Days = 7


class Thresholds(Settings):
    """The share of a table's rows that may be set aside, of its references that may be unmatched, and of opportunities' money unplaced.

    Unplaced is money in stages that `opportunity_stages` does not name. `changed_columns` are those, such as `ad_days.cost`, that
    may have another unit than in the last edition, or no value any more.
    """

    set_aside_share: Share = 0.01
    unmatched_share: Share = 0.05
    unplaced_money_share: Share = 0.01
    changed_columns: list[str] = Field(default=[])


class Agreement(Settings):
    """Who agreed a metric's definition, and when (S0-34, S2-01); NAME is the metric's id. Printed with the definition."""

    agreed_by: str
    agreed_on: Annotated[date, Field(strict=False)]


class Keeping(Settings):
    """For how many days run folders and rows set aside are kept, and frozen inputs (S8)."""

    run_days: Annotated[int, Field(ge=1)] = 30
    input_days: Annotated[int, Field(ge=1)] = 800


class Remark(Settings):
    """What a reader must know of one day: a tracking outage, a changed list. Charts through time mark it.

    `about` names metrics or pages; without any, every chart through time marks the day.
    """

    on: Annotated[date, Field(strict=False)]
    text: Annotated[str, Field(min_length=1, max_length=40)]
    about: list[str] = []


class Report(Settings):
    """How numbers and dates are written (a locale as in de or en_GB; the words stay English), and remarks on days."""

    locale: str = "en"
    remarks: list[Remark] = []

    @field_validator("locale")
    @classmethod
    def known_locale(cls, name: str) -> str:
        if name not in (known := locale_identifiers()):
            raise ValueError(f"no such locale; {nearest(name, known)}")
        return name


class OwnSlice(Settings):
    """A column of accounts or opportunities that the report does not know: metrics of that table are sliced by it under this name.

    `column` is how it is delivered, the section's name by default; `values` = delivered: shown, `"*"` are all others. It is
    told as it is now, whatever the quarter. Never a column that names people.
    """

    table: Literal["accounts", "opportunities"]
    column: str = ""
    values: dict[str, str] = Field(default={})
