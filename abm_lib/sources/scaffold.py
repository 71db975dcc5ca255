"""`abm init FOLDER --from salesforce-fivetran,…`: a company folder for a company's own systems, with a word on every choice."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .mapfile import FileEntry, systems
from .mapfile import shipped as shipped_maps
from .mapping import Map, load_map

GENERIC = "generic"  # a map of the company's own, from nothing
# Of each CRM its own stages of an open deal: those before it is qualified, and those from then on.
STAGES = {
    "salesforce": (
        ["Prospecting", "Qualification"],
        ["Needs Analysis", "Value Proposition", "Id. Decision Makers", "Perception Analysis", "Proposal/Price Quote",
         "Negotiation/Review"],
    ),
    "hubspot": (
        ["Appointment Scheduled"],
        ["Qualified To Buy", "Presentation Scheduled", "Decision Maker Bought-In", "Contract Sent"],
    ),
}  # fmt: skip
COMPANY = """# What this company defines. Every key is explained in docs/settings.md; those not named here have a default.
# 1. put the files of each system into its folder below   2. abm check {folder}   3. abm run {folder}

[company]
name = "{folder}"
currency = "{currency}"        # every amount of the report is converted to it
timezone = "UTC"        # where a quarter begins and ends at midnight, such as "Europe/Berlin"

[fiscal]
first_month = {first_month}         # the fiscal year begins on the first of this month

# The stages of an opportunity, named and ordered as the CRM has them. `abm check` lists those that it finds and that are not here.
[opportunity_stages]
order = {stages}
qualified_from = "{qualified}"
won = ["Closed Won"]
lost = ["Closed Lost"]

# The CRM gives events and no engagement: touches and account stages are worked out from them.
[derive]
touches = "derived"
account_stages = "derived"

# People whom the CRM leads to no account find theirs by their e-mail domain; your own people are known by theirs.
[identity]
by_domain = true
own_domains = []        # such as ["example.com"]
rollup = "account"      # or "parent": an account counts for its topmost parent

# A click within so many seconds of the mail's delivery is a link scanner's.
[machines]
scanner_seconds = 2

# Who owns each channel, and the source values that mean it. Values found in no list stay unknown.
[channels.linkedin_ads]
owner = "marketing"
paid = true
match = ["LinkedIn"]

[channels.website]
owner = "marketing"
match = ["Web", "Website", "Organic Search"]

[channels.outbound]
owner = "sales"
match = ["Outbound", "Cold Call"]
"""
SOURCE = """
# {title}, {shape}: {proof}
[sources.{name}]
folder = "{name}"              # its files lie here, under the names listed in {name}.toml
map = "{name}"
# files.{stem} = "my-export-*.csv"       # where a file is called otherwise, or its table comes in several
# database = "warehouse.duckdb"         # or: one DuckDB or SQLite file in that folder, its tables named as listed
# connection = "{upper}_URL"             # or: a database server; `abm pull` fetches its tables, see docs/sources.md
# extracted_on = "2026-10-01"           # of which day the data speak, where they do not say so
# [sources.{name}.dialect]              # where it writes otherwise than UTF-8, commas, 1234.56 and 2026-09-30
# delimiter = ";"
# decimal = ","
# thousands = "."
# dates = ["%d.%m.%Y"]
# timezone = "Europe/Berlin"
# A REST server instead of files: `[sources.{name}.rest]` and `abm pull`, see docs/sources.md.
"""
MAP = """# What is this company's own in {title}. The map that ships does the rest: abm_lib/sources/maps/{system}.toml.
base = "{base}"

# It reads these tables; a column that is not delivered is left blank, and what hangs on it is named by `abm check`.
{listing}
# A field that your system calls otherwise, or that you have made yourself: name it as a column, then say what it means.
# [files.{stem}]
# columns = ["my_field"]
# labels.my_field = ["My_Field__c", "My field"]
# labels.name = ["Our_Name__c"]     # a column of the list above that your files call otherwise
#
# [tables.{table}]
# columns = {{ {column} = "my_field" }}
# constants = {{ currency = "EUR" }}
# values.{column} = {{ "as delivered" = "as the report knows it", "*" = "all others" }}
"""
# What a system does not say of itself, and its company's map has to.
HINTS = {
    "ads": """
# Say which platform it is; without that no row counts.
# [tables.ad_days]
# constants = { platform = "bing", channel = "microsoft_ads" }
""",
    "hubspot": """
# Where deals have no type, say what they are; without that no deal counts.
# [tables.opportunities]
# constants = { business_type = "new" }
""",
    "salesforce": """
# Where types of deals are called otherwise than in Salesforce's own list, say what each is: new, expansion or renewal.
# [tables.opportunities.values.business_type]
# "Land" = "new"
# "*" = "expansion"
""",
}
OWN = """# A map of your own: for each canonical table (docs/tables: abm_lib/tables.toml) one file, or one DuckDB query over several.

# [tables.accounts]
# file = "companies"                                  # companies.csv in the source's folder
# columns = { account_id = "id", name = "company" }   # canonical = delivered; columns of the same name need no line
#
# [tables.ad_days]
# files = ["ads"]
# sql = "select as_day(day) as day, platform, channel, sum(as_number(cost)) as cost from ads group by all"
"""


def known() -> list[str]:
    """The names that --from understands: SYSTEM-SHAPE of every map that can be read, and `generic`."""
    return [GENERIC, *(name for name, shape in shipped_maps().items() if not shape.reason)]


def write(folder: Path, wanted: tuple[str, ...], currency: str, first_month: int) -> None:
    """Write abm.toml, and for each system its map and a folder for its files."""
    stages, qualified = _stages(name.partition("-")[0] for name in wanted)
    text = COMPANY.format(
        folder=folder.name, currency=currency, first_month=first_month, stages=stages, qualified=qualified
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, base in _names(wanted).items():
        (folder / name).mkdir(exist_ok=True)
        text += _source(base, name)
        (folder / f"{name}.toml").write_text(OWN if base == GENERIC else _map(folder, base), encoding="utf-8")
    (folder / "abm.toml").write_text(text, encoding="utf-8")


def _names(wanted: Iterable[str]) -> dict[str, str]:
    """What each source is called: its system's name, and from the second of a system on with a number."""
    named = dict[str, str]()
    for base in wanted:
        system = base.partition("-")[0]
        number = sum(other.partition("-")[0] == system for other in named.values()) + 1
        named[system if number == 1 else f"{system}_{number}"] = base
    return named


def _stages(systems: Iterable[str]) -> tuple[str, str]:
    """The stages of every CRM among the systems, those before a deal is qualified first; and the first of the others."""
    found = [STAGES[system] for system in dict.fromkeys(systems) if system in STAGES] or [STAGES["salesforce"]]
    early, later = ([stage for stages in found for stage in stages[part]] for part in (0, 1))
    listed = ", ".join(f'"{stage}"' for stage in [*early, *later, "Closed Won", "Closed Lost"])
    return f"[{listed}]", later[0]


def _source(base: str, name: str) -> str:
    if base == GENERIC:
        return f'\n[sources.{name}]\nfolder = "{name}"\nmap = "{name}"       # {name}.toml: a map of your own\n'
    proven = shipped_maps()[base].proven
    proof = (
        f"the map was tried on {proven}"
        if proven
        else "unproven, no rows of it were at hand; read its first report with care"
    )
    system, _, shape = base.partition("-")
    written = systems()[system]
    return SOURCE.format(
        title=written.title, shape=shape, proof=proof, name=name, stem=next(iter(written.files)), upper=name.upper()
    )


def _map(folder: Path, base: str) -> str:
    system = base.partition("-")[0]
    mapping = load_map(folder, base, [])
    listing = "".join(_listed(stem, entry, mapping) for stem, entry in mapping.files.items())
    first = next(iter(mapping.tables))
    ours = {"accounts": "segment", "ad_days": "variant", "page_views": "channel", "people": "seniority"}
    text = MAP.format(title=mapping.title, system=system, base=base, listing=listing, stem=next(iter(mapping.files)),
                      table=first, column=ours.get(first, "theme"))  # fmt: skip
    return text + HINTS.get(system, "")


def _listed(stem: str, entry: FileEntry, mapping: Map) -> str:
    into = [name for name, ways in mapping.tables.items() if any(stem in (*way.files, *way.also) for way in ways)]
    names = f" (or {', '.join(entry.names)})" if entry.names else ""
    return f"#   {stem}{names}, for {', '.join(into)}: {', '.join(entry.columns)}\n"
