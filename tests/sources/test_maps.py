"""The maps that ship: each can be read, names its pages, and may be extended; and the folder that `abm init --from` writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from delivering import deliver, written

from abm_lib import checklist, cli, config
from abm_lib.company import open_company
from abm_lib.errors import UsageError
from abm_lib.sources import mapfile, mapping, scaffold

SYSTEMS = ["salesforce", "hubspot", "marketo", "ga4", "linkedin_ads", "google_ads"]
SHAPES = ["native", "fivetran", "airbyte", "dlt"]
MAPS = [f"{system}-{shape}" for system in SYSTEMS for shape in SHAPES]
NOT_SUPPORTED = {"ga4-dlt", "google_ads-dlt"}


def test_there_is_a_map_or_a_reason_for_each_of_the_twenty_four() -> None:
    shipped = mapfile.shipped()
    assert set(MAPS) <= shipped.keys()
    assert {name for name in MAPS if shipped[name].reason} == NOT_SUPPORTED


@pytest.mark.parametrize("name", [name for name in mapfile.shipped() if name not in NOT_SUPPORTED])
def test_a_map_names_canonical_tables_and_columns_and_the_pages_it_was_written_from(name: str, tmp_path: Path) -> None:
    found = mapping.load_map(tmp_path, name, [])
    assert found.title and found.tables
    assert found.shape.pages and all(re.match(r"https://\S+", page) for page in found.shape.pages)


@pytest.mark.parametrize("name", sorted(NOT_SUPPORTED))
def test_a_shape_that_cannot_be_read_says_why(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        mapping.load_map(tmp_path, name, [])
    (fault,) = caught.value.faults
    assert fault.name == "map-not-supported" and "dlt's Google" in fault.expected
    assert name not in scaffold.known()


@pytest.mark.parametrize("name", [name for name in mapfile.shipped() if name not in NOT_SUPPORTED])
def test_every_query_of_a_map_reads_empty_tables_without_a_fault(name: str, tmp_path: Path) -> None:
    """Every column that a query names is one that the map declares, or DuckDB would refuse it."""
    found = mapping.load_map(tmp_path, name, [])
    files = {
        stem: f"{','.join(entry.columns)}\n{',' * (len(entry.columns) - 1)}\n" for stem, entry in found.files.items()
    }
    for way in range(4):
        ways = {s for ways in found.tables.values() if len(ways) > way for s in ways[way].files}
        kept = {stem: text for stem, text in files.items() if way == 0 or stem in ways}
        if kept:
            read = deliver(written(tmp_path / str(way), f'\n[sources.crm]\nmap = "{name}"\n', **kept))
            assert not [fault for fault in read.faults if fault.rule in ("C10", "C11", "F096")]


# What a company adds


ACCOUNTS = "Id,Name,OwnerId,My_Segment__c,MasterRecordId,IsDeleted,BillingCountry\n"


def test_columns_are_found_whatever_their_case_and_spacing(tmp_path: Path) -> None:
    settings = '\n[sources.crm]\nmap = "salesforce-native"\n'
    read = deliver(
        written(tmp_path, settings, Account="Account ID,Account Name,Billing Country,ANNUAL REVENUE\n1,A,DE,5\n")
    )
    assert read.rows("select account_id, name, country, annual_revenue from canonical.accounts") == [
        ("1", "A", "DE", 5)
    ]


def test_a_companys_map_adds_a_field_translates_values_and_leaves_the_rest(tmp_path: Path) -> None:
    own = """
base = "salesforce-native"
[files.account]
columns = ["my_segment"]
labels.my_segment = ["My_Segment__c"]
[tables.accounts]
columns = { segment = "my_segment" }
constants = { currency = "EUR" }
values.segment = { ENT = "enterprise", "*" = "other" }
"""
    rows = "1,Alpha,U1,ENT,,false,DE\n2,Beta,U1,SMB,,false,FR\n3,Gone,U1,ENT,,true,FR\n4,Merged,U1,,1,true,FR\n"
    read = deliver(written(tmp_path, '\n[sources.crm]\nmap = "crm"\n', crm__toml=own, account=ACCOUNTS + rows))
    assert read.rows("select account_id, segment, currency, owner_id, survivor_id from canonical.accounts order by 1") == [
        ("1", "enterprise", "EUR", "U1", None), ("2", "other", "EUR", "U1", None), ("4", "other", "EUR", "U1", "1"),
    ]  # fmt: skip
    assert read.counts["accounts"] == (4, 3, 0, 0, 1)


def test_a_map_on_a_base_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        deliver(written(tmp_path, '\n[sources.crm]\nmap = "crm"\n', crm__toml='base = "salesforce-fivtran"\n'))
    assert "did you mean 'salesforce-fivetran'?" in caught.value.faults[0].expected


def test_two_rows_of_one_key_that_differ_are_refused_where_a_query_would_count_them_twice(tmp_path: Path) -> None:
    files = {"deal": "id,dealtype,createdate\n1,newbusiness,2026-01-01\n1,existingbusiness,2026-01-01\n"}
    read = deliver(written(tmp_path, '\n[sources.crm]\nmap = "hubspot-native"\n', **files))
    assert [(f.rule, f.level) for f in read.faults] == [("F074", "E")]


def test_two_platforms_fill_one_table_and_one_record_of_both_is_refused(tmp_path: Path) -> None:
    settings = '\n[sources.a]\nfolder = "a"\nmap = "a"\n[sources.b]\nfolder = "b"\nmap = "b"\n'
    maps = {f"{n}__toml": f'base = "ads-native"\n[tables.ad_days]\nconstants = {{ platform = "{p}", channel = "x" }}\n'
            for n, p in (("a", "bing"), ("b", "meta"))}  # fmt: skip
    ads = "day,campaign_id,clicks,impressions,spend,currency\n2026-01-01,1,2,3,4.5,EUR\n"
    folder = written(tmp_path, settings, **maps)
    for name in "ab":
        written(folder / name, "", ad_stats=ads)
    read = deliver(folder)
    assert read.counts["ad_days"] == (2, 2, 0, 0, 0)
    assert read.rows("select platform from canonical.ad_days order by 1") == [("bing",), ("meta",)]
    (folder / "b.toml").write_text((folder / "a.toml").read_text())
    assert [(f.rule, f.level) for f in deliver(folder).faults] == [("F026", "E")]


# What a source does not say


def test_a_deal_of_several_companies_is_of_the_primary_one_or_of_none(tmp_path: Path) -> None:
    """2 has one marked, 3 a sole one that is not marked, 4 two and none marked, 5 two marked, 6 names its own."""
    deals = "deal_id,dealtype,createdate,company_id\n" + "".join(
        f"{i},newbusiness,2026-01-01,{'B' if i == 6 else ''}\n" for i in range(2, 7)
    )
    links = "deal_id,company_id,type_id\n2,A,341\n2,C,5\n3,A,341\n3,A,279\n4,A,341\n4,B,341\n5,A,5\n5,B,5\n6,A,341\n6,C,341\n"
    read = deliver(written(tmp_path, '\n[sources.crm]\nmap = "hubspot-native"\n', deal=deals, deal_company=links))
    assert read.rows("select opportunity_id, account_id from canonical.opportunities order by 1") == [
        ("2", "C"), ("3", "A"), ("4", None), ("5", None), ("6", "B"),
    ]  # fmt: skip
    (fault,) = read.told("F087")
    assert (fault.level, fault.where) == ("N", "crm  the query of opportunities")
    assert fault.found == "2 of several companies, none marked as the primary one: of no account"


def test_a_meeting_with_several_companies_is_of_the_one_whose_id_comes_first_and_told(tmp_path: Path) -> None:
    files = {
        "engagement_meeting": "engagement_id,start_time,meeting_outcome\n1,2026-07-01 10:00:00,COMPLETED\n",
        "engagement_company": "engagement_id,company_id\n1,B\n1,A\n1,C\n",
    }
    read = deliver(written(tmp_path, '\n[sources.crm]\nmap = "hubspot-native"\n', **files))
    assert read.rows("select account_id from canonical.meetings") == [("A",)]
    assert [f.found for f in read.told("F087")] == ["1 with several companies: of the account whose id comes first"]


def test_a_credit_of_linkedin_is_taken_off_and_a_trace_of_rounding_is_nothing(tmp_path: Path) -> None:
    rows = "campaign_id,day,clicks,impressions,cost_in_local_currency,currency\n1,2026-07-01,1,2,30.00,EUR\n"
    rows += "1,2026-07-01,1,2,-12.50,EUR\n2,2026-07-01,1,2,-2e-18,EUR\n"
    read = deliver(written(tmp_path, '\n[sources.ads]\nmap = "linkedin_ads-native"\n', ad_analytics_by_campaign=rows))
    assert read.rows("select campaign_id, cost::double from canonical.ad_days order by 1") == [("1", 17.5), ("2", 0)]


def test_opens_and_clicks_of_marketo_are_a_machines_where_their_program_says_so(tmp_path: Path) -> None:
    head = "id,lead_id,activity_date,primary_attribute_value_id"
    files = {
        "activity_email_delivered": f"{head}\n1,p,2026-07-01T10:00:00Z,m\n",
        "activity_open_email": f"{head},user_agent\n2,p,2026-07-01T10:01:00Z,m,Some HeadlessChrome\n3,p,2026-07-01T11:00:00Z,m,Firefox\n",
    }
    read = deliver(written(tmp_path, '\n[sources.mail]\nmap = "marketo-native"\n', **files))
    assert read.rows("select event_id, kind, is_machine from canonical.email_events order by 1") == [
        ("1", "delivered", None), ("2", "open", True), ("3", "open", False),
    ]  # fmt: skip


# abm init --from, abm check


@pytest.mark.parametrize("name", scaffold.known())
def test_the_folder_for_a_system_is_one_that_can_be_opened(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    scaffold.write(folder, (name,), "EUR", 4)
    found = mapping.load_maps(folder, settings := config.load(folder))
    assert settings.fiscal.first_month == 4
    assert [one.is_shipped for one in found.values()] == [name != "generic"]
    assert (folder / name.partition("-")[0]).is_dir()


def test_a_folder_for_two_crms_places_the_stages_of_both(tmp_path: Path) -> None:
    scaffold.write(tmp_path / "mine", ("hubspot-native", "salesforce-fivetran"), "EUR", 1)
    stages = config.load(tmp_path / "mine").opportunity_stages
    assert stages.order == [
        "Appointment Scheduled", "Prospecting", "Qualification", "Qualified To Buy", "Presentation Scheduled",
        "Decision Maker Bought-In", "Contract Sent", "Needs Analysis", "Value Proposition", "Id. Decision Makers",
        "Perception Analysis", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost",
    ]  # fmt: skip
    assert stages.qualified_from == "Qualified To Buy"


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (("salesforce-native", "salesforce-fivetran"), ["salesforce", "salesforce_2"]),
        (("ga4-bigquery", "hubspot-native", "ga4-native"), ["ga4", "hubspot", "ga4_2"]),
        (("ads-fivetran", "ads-fivetran", "ads-native"), ["ads", "ads_2", "ads_3"]),
    ],
)
def test_a_system_that_is_named_again_has_a_source_of_its_own(
    wanted: tuple[str, ...], names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    scaffold.write(folder, wanted, "EUR", 1)
    assert list(config.load(folder).sources) == names
    for name, base in zip(names, wanted, strict=True):
        assert f'base = "{base}"' in (folder / f"{name}.toml").read_text() and (folder / name).is_dir()
    first = next(iter(mapping.load_map(folder, names[0], []).files))
    (folder / names[0] / f"{first}.csv").write_text("id,name,date\n1,One,2026-07-01\n")
    said = list(checklist.lines(open_company(folder)))
    assert [line.split()[1].rstrip(":") for line in said if line.startswith("source ")] == names


def test_every_example_in_a_comment_of_the_folder_is_one_that_would_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    scaffold.write(folder, ("salesforce-native",), "EUR", 1)
    for name in ("abm.toml", "salesforce.toml"):
        lines = (folder / name).read_text().splitlines()
        known = (
            "[",
            "columns",
            "labels",
            "values",
            "constants",
            "delimiter",
            "decimal",
            "thousands",
            "dates",
            "timezone",
            "extracted_on",
            "files.",
        )
        (folder / name).write_text(
            "\n".join(line[2:] if line.startswith("# ") and line[2:].startswith(known) else line for line in lines)
        )
    found = mapping.load_maps(folder, config.load(folder))["salesforce"]
    assert found.tables["accounts"][0].columns["segment"] == "my_field"


def test_an_unknown_system_is_answered_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["abm", "init", str(tmp_path / "x"), "--from", "salesforce-fivetrn"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "did you mean 'salesforce-fivetran'?" in capsys.readouterr().err


def test_the_check_says_what_is_mapped_what_is_missing_and_what_it_would_unlock(tmp_path: Path) -> None:
    files = {
        "account": "Id,Name\n1,Alpha\n",
        "opportunity": "Id,AccountId,Type,StageName,Amount,CreatedDate,CloseDate\n9,1,New Business,offer,5,2026-01-02,2026-05-01\n",
    }
    company = open_company(written(tmp_path, '\n[sources.crm]\nmap = "salesforce-dlt"\n', **files))
    said = list(checklist.lines(company))
    assert said[0] == "source crm: Salesforce (salesforce-dlt), unproven: no rows of it were at hand"
    assert any(line.startswith("  account ") and "account.csv, 1 rows; not in it: is_deleted" in line for line in said)
    assert "  campaign                     not delivered" in said
    assert any(line.startswith("as now: Salesforce delivered today's opportunities") for line in said)
    waiting = {one.name: one for one in checklist.missing(company)}
    assert "ad_clicks" in waiting["ad_days"].alone and waiting["ad_days"].questions
    assert "ad_click_rate" in waiting["ad_days"].metrics
    assert "accounts" not in waiting and "opportunities" not in waiting
    assert any(line.startswith("missing ad_days: ") and "for nothing else (" in line for line in said)


def test_files_that_no_table_is_read_from_are_named_with_the_line_that_would_read_them(tmp_path: Path) -> None:
    """Of two whose names hold a table's the shorter one; what is read already is not asked for again."""
    scaffold.write(tmp_path / "firm", ("hubspot-fivetran",), "EUR", 1)
    place = tmp_path / "firm" / "hubspot"
    for name in (
        "company",
        "deal_data",
        "deal_pipeline_data",
        "my contact export (1)",
        "email_event_sent_data",
        "email_event_data",
        "odd",
    ):
        (place / f"{name}.csv").write_text("id,property_name,_fivetran_synced\n1,One,2026-10-01\n")
    (place / "notes.docx").write_text("no table")
    lines = [line.strip() for line in checklist.lines(open_company(tmp_path / "firm")) if "not read" in line]
    assert lines == [
        'not read: deal_data.csv; if it is deal, say files.deal = "deal_data.csv" in abm.toml',
        'not read: email_event_data.csv; if it is email_event, say files.email_event = "email_event_data.csv" in abm.toml',
        'not read: my contact export (1).csv; if it is contact, say files.contact = "my contact export (1).csv" in abm.toml',
        "not read: 3 other files (deal_pipeline_data.csv, email_event_sent_data.csv, odd.csv)",
    ]
