"""The sections of abm.toml: each a small typed model whose defaults are the report's own."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from .errors import nearest

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0)]
Times = Annotated[float, Field(gt=0, allow_inf_nan=False)]
QuarterLabel = Annotated[str, Field(pattern="^[0-9]{4}Q[1-4]$")]
Stages = Annotated[list[str], Field(min_length=1)]
Owner = Literal["marketing", "sales", "partner", "other"]
NO_PLACE = {"Factory", "localtime"}  # names that the zone database has and no place on earth


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
    """One channel: who owns it, whether it is paid, and the raw source values that mean it (S0-57)."""

    owner: Owner
    paid: bool = False
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


class Engaged(Settings):
    """An account is engaged when enough people acted in the window, or one act showed high intent."""

    window_days: Days = 90
    min_people: Annotated[int, Field(ge=1)] = 2
    high_intent: list[str] = ["form", "meeting", "demo_request", "pricing_visit"]


class Qualified(Settings):
    """A marketing-qualified account: engaged people and touches in the window (S2-06, S2-07)."""

    min_people: Annotated[int, Field(ge=1)] = 2
    min_touches: Annotated[int, Field(ge=1)] = 5


class Derive(Settings):
    """Per table: as the source gives it, or worked out here from its event tables."""

    touches: Literal["given", "derived"] = "given"
    account_stages: Literal["given", "derived"] = "given"


class SmallNumbers(Settings):
    """Below these counts there is no colour, and no sentence about a trend."""

    colour: Annotated[int, Field(ge=0)] = 10
    trend: Annotated[int, Field(ge=0)] = 30


class Fx(Settings):
    """How old an exchange rate may be before an amount is counted and not priced."""

    max_age_days: Days = 7


class Thresholds(Settings):
    """The share of a table's rows that may be set aside, and of its references that may be unmatched."""

    set_aside_share: Share = 0.01
    unmatched_share: Share = 0.05


class Agreement(Settings):
    """Who agreed a definition, and when (S0-34, S2-01)."""

    agreed_by: str
    agreed_on: Annotated[date, Field(strict=False)]


class Source(Settings):
    """One system's files: a folder, the map that turns them into canonical tables, and the tables that must be there."""

    folder: str = "."
    map: str = "canonical"
    tables: list[str] = []
