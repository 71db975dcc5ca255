"""abm_lib: the quarterly account-based marketing report.

    import abm_lib as abm

    page = abm.page("ads", "2026Q3", "data/sample")     # what a notebook holds in its hand
    abm.read("data/sample", "2026Q3")                   # every number as one tidy pandas frame
    abm.ad_click_rate(my_frame)                         # any metric, on an analyst's own frame

Everything is imported when it is first used.
"""

from __future__ import annotations

import functools
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__version__ = "0.1.0"
__all__ = ["open_company", "page", "read"]


def page(family: str, quarter: str, company: str) -> Any:
    """The page of a family for a quarter of a company folder: see `abm_lib.pages.Page`."""
    return import_module("abm_lib.pages").page(family, quarter, company)


def read(company: str, quarter: str = "") -> Any:
    """Every reading of a quarter (the last complete one by default) and of the seven before it, as a pandas frame."""
    opened = open_company(company)
    return import_module("abm_lib.readings").read(opened, opened.quarter(quarter))


def open_company(company: str, engine: str = "duckdb") -> Any:
    """A company folder with its inputs frozen: see `abm_lib.company.Company`."""
    return import_module("abm_lib.company").open_company(company, engine)


def __getattr__(name: str) -> Any:
    """`abm.<metric id>`: the metric as a function of one frame per fact."""
    if name.startswith("_") or find_spec(f"{__name__}.{name}"):
        raise AttributeError(name)  # a submodule is found by the import that asked for it
    import_module("abm_lib.metrics")
    register = import_module("abm_lib.metric").REGISTER
    if name not in register:
        raise AttributeError(f"abm_lib has no {name!r}, and no metric is called so")
    found = functools.partial(import_module("abm_lib.frames").read_frames, register[name])
    found.__doc__ = register[name].doc
    return found
