"""abm.toml: everything a company may define, as typed settings. Code holds none of it.

Unknown keys are errors that name the nearest known one. Every default is the report's own; a company folder needs
only `[company]` and `[sources]`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator

from .errors import Fault, UsageError, setting_faults
from .settings import (
    BUYING_GROUPS,
    TITLES,
    Acquisition,
    Agreement,
    AsOf,
    Attribution,
    Bands,
    BuyingGroups,
    Channel,
    Company,
    Coverage,
    Days,
    Derive,
    Engaged,
    EngagedVisit,
    Fiscal,
    Fx,
    Health,
    Identity,
    Influence,
    Keeping,
    Leads,
    Lifetime,
    Machines,
    OpportunityStages,
    OwnSlice,
    Qualified,
    Report,
    Role,
    Schedule,
    Scroll,
    Settings,
    SmallNumbers,
    Sourced,
    Thresholds,
    Utm,
    WaitDays,
    WinRate,
)
from .source_settings import Source

Model = TypeVar("Model", bound=BaseModel)


class Config(Settings):
    company: Company
    fiscal: Fiscal = Fiscal()
    as_of: AsOf = AsOf()
    schedule: Schedule = Schedule()
    opportunity_stages: OpportunityStages
    channels: dict[str, Channel] = Field(default={})
    sourced: Sourced = Sourced()
    coverage: Coverage = Coverage()
    win_rate: WinRate = WinRate()
    influence: Influence = Influence()
    attribution: Attribution = Attribution()
    engaged: Engaged = Engaged()
    engaged_visit: EngagedVisit = EngagedVisit()
    scroll: Scroll = Scroll()
    utm: Utm = Utm()
    mqa: Qualified = Qualified()
    leads: Leads = Leads()
    mqa_meeting_days: WaitDays = 90
    meeting_to_opportunity_days: WaitDays = 90
    lifetime: Lifetime = Lifetime()
    cac: Acquisition = Acquisition()
    health: Health = Health()
    buying_group: BuyingGroups = BUYING_GROUPS
    titles: dict[Role, list[str]] = TITLES
    bands: Bands = Bands()
    derive: Derive = Derive()
    identity: Identity = Identity()
    machines: Machines = Machines()
    min_n: SmallNumbers = SmallNumbers()
    fx: Fx = Fx()
    thresholds: Thresholds = Thresholds()
    keeping: Keeping = Keeping()
    stale_after_days: Days = 60
    slices: dict[str, OwnSlice] = Field(default={})
    gated_content: bool = False
    offline_kinds: list[str] = Field(default=["event", "direct_mail"])
    report: Report = Report()
    definitions: dict[str, Agreement] = Field(default={})
    switched_off: list[str] = Field(default=[])
    sources: dict[str, Source] = Field(min_length=1)

    @field_validator("slices")
    @classmethod
    def plain_names(cls, given: dict[str, OwnSlice]) -> dict[str, OwnSlice]:
        strange = [
            n for n in given if not re.fullmatch("[a-z][a-z0-9_]{0,39}", n) or re.search("account|owner|person", n)
        ]
        if strange:
            raise ValueError(
                f"names of small letters, figures and _ without account, owner or person; not {strange[0]!r}"
            )
        return given


def load(folder: Path) -> Config:
    """Read FOLDER/abm.toml.

    Raises UsageError listing every unknown key, wrong value and missing key at once.
    """
    path = folder / "abm.toml"
    if not path.is_file():
        expected = "a company folder holds an abm.toml"
        raise UsageError(Fault("C00", "no-abm-toml", str(path), "no such file", expected, f"abm init {folder}"))
    return read_toml(path, Config)


def read_toml(path: Path, model: type[Model]) -> Model:
    """A TOML file as a model of its keys. Raises UsageError for each key that is unknown, wrong or missing."""
    try:
        text = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        return model.model_validate(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fault = Fault("C00", "not-toml", str(path), str(error), "TOML in UTF-8", "mend the place named above")
        raise UsageError(fault) from None
    except ValidationError as error:
        raise UsageError(setting_faults(path, model, error.errors())) from None
