"""Files that queries of maps read: what of them is set aside, counted and kept before a query runs."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from delivering import Read, deliver, written

from abm_lib import checklist, sources
from abm_lib.company import open_company
from abm_lib.errors import Fault
from abm_lib.sources import inputs, mapping

ADS = '\n[sources.ads]\nmap = "google_ads-native"\n'
CRM = '\n[sources.crm]\nmap = "hubspot-native"\n'
STATS = "Campaign ID,Day,Clicks,Impr.,Cost,Currency code\n"
DEALS = "Record ID,Deal Name,Deal Type,Amount,Currency,Create Date,Close Date,Deal Stage\n"


def kept(read: Read, place: Path) -> dict[str, list[list[str]]]:
    """The files of rows set aside, by name."""
    sources.keep_set_aside(read.con, place, read.delivery)
    return {path.stem: list(csv.reader(path.open(encoding="utf-8", newline=""))) for path in sorted(place.glob("*"))}


def ad_days(tmp_path: Path, rows: str, settings: str = "") -> Read:
    return deliver(written(tmp_path, ADS + settings, campaign_stats=STATS + rows))


def deals(tmp_path: Path, *rows: str, settings: str = "") -> Read:
    return deliver(written(tmp_path, CRM + settings, deal=DEALS + "".join(f"{row}\n" for row in rows)))


SOUND_DEAL = "1,One,newbusiness,100,EUR,2026-07-01,2026-12-01,offer"


def test_a_cost_that_a_query_cannot_read_is_set_aside_with_its_line_and_not_summed_as_nothing(tmp_path: Path) -> None:
    read = ad_days(tmp_path, '1,2026-07-01,1,10,5.00,EUR\n1,2026-07-01,2,20,"1,234.56",EUR\n1,2026-07-02,1,10,x1,EUR\n')
    assert read.rows("select day::varchar, clicks, cost from canonical.ad_days") == [("2026-07-01", 1, Decimal(5))]
    (fault,) = read.told("F031")
    assert fault == Fault(
        "F031", "wrong-type", 'campaign_stats.csv:3  column "cost"', "1,234.56 (and 1 more)", "a number",
        "correct the value, or declare its marks: `decimal`, `thousands` and `signs` in the source's dialect", level="Q",
    )  # fmt: skip
    assert kept(read, tmp_path / "aside")["ads.campaign_stats"][1][:2] == ["campaign_stats.csv:3", "F031 cost"]
    assert "1,234.56" in kept(read, tmp_path / "aside")["ads.campaign_stats"][1]


def test_declared_marks_and_blanks_of_a_query_are_read_as_declared_and_blanks_counted(tmp_path: Path) -> None:
    dialect = '[sources.ads.dialect]\nthousands = ","\nblanks = ["--"]\n'
    read = ad_days(tmp_path, '1,2026-07-01,2,20,"1,234.56",EUR\n1,2026-07-01,1,--,1,EUR\n', dialect)
    assert read.rows("select cost, impressions from canonical.ad_days") == [(Decimal("1235.56"), 20)]
    assert [(f.rule, f.level, f.where) for f in read.faults] == [
        ("F054", "N", 'campaign_stats.csv  column "impressions"')
    ]


def test_the_dialect_of_one_file_is_spoken_by_its_query(tmp_path: Path) -> None:
    dialect = '[sources.ads.dialects.campaign_stats]\ndates = ["%d.%m.%Y"]\ndecimal = ","\n'
    read = ad_days(tmp_path, '1,01.07.2026,2,20,"4,5",EUR\n', dialect)
    assert read.rows("select day::varchar, cost from canonical.ad_days") == [("2026-07-01", Decimal("4.5"))]
    assert read.faults == []


def test_costs_of_a_query_in_which_every_point_may_stand_in_thousands_are_refused(tmp_path: Path) -> None:
    read = ad_days(tmp_path, "".join(f"1,2026-07-0{i},1,10,1.25{i},EUR\n" for i in range(1, 5)))
    assert [(f.rule, f.level, f.where) for f in read.faults] == [("F051", "E", 'campaign_stats.csv  column "cost"')]


@pytest.mark.parametrize(
    ("row", "column", "found"),
    [
        ("2,Two,newbusiness,€1.2k,EUR,2026-07-02,2026-12-01,offer", "amount", "€1.2k"),
        ("2,Two,newbusiness,7,EUR,July 2,2026-12-01,offer", "createdate", "July 2"),
        ("2,Two,newbusiness,7,EUR,2026-07-02,31/12/2026,offer", "closedate", "31/12/2026"),
    ],
)
def test_a_deal_with_a_value_that_no_query_can_read_is_set_aside(
    tmp_path: Path, row: str, column: str, found: str
) -> None:
    read = deals(tmp_path, SOUND_DEAL, row)
    assert read.rows("select opportunity_id from canonical.opportunity_changes") == [("1",)]
    assert read.rows("select opportunity_id from canonical.opportunities") == [("1",)]
    told = {(f.where, f.found) for f in read.told("F031")}
    assert (f'deal.csv:3  column "{column}"', found) in told
    assert [line[:2] for line in kept(read, tmp_path / "aside")["crm.deal"][1:]] == [["deal.csv:3", f"F031 {column}"]]


def test_a_word_that_is_neither_yes_nor_no_is_not_taken_for_no(tmp_path: Path) -> None:
    settings = '\n[sources.crm]\nmap = "salesforce-native"\n'
    rows = "Id,AccountId,Type,StageName,Amount,CreatedDate,CloseDate,IsDeleted,IsClosed\n"
    rows += "1,A,New Business,offer,5,2026-01-02,2026-05-01,false,false\n2,A,New Business,offer,5,2026-01-02,2026-05-01,false,vielleicht\n"
    read = deliver(written(tmp_path, settings, Opportunity=rows))
    (fault,) = read.told("F031")
    assert (fault.where, fault.found) == ('Opportunity.csv:3  column "is_closed"', "vielleicht")
    assert fault.expected == "true or false"
    assert read.rows("select opportunity_id from canonical.opportunity_changes") == [("1",)]
    assert read.counts["opportunities"] == (2, 1, 0, 1, 0)


def test_more_than_may_be_set_aside_of_a_file_that_only_a_query_reads_is_refused(tmp_path: Path) -> None:
    folder = written(
        tmp_path, ADS, campaign_stats=STATS + "1,2026-07-01,1,10,x,EUR\n" * 2 + "1,2026-07-01,1,10,1,EUR\n"
    )
    settings = (folder / "abm.toml").read_text().replace("set_aside_share = 1.0", "set_aside_share = 0.5")
    (folder / "abm.toml").write_text(settings)
    (fault,) = deliver(folder).told("F092")
    assert (fault.where, fault.found, fault.level) == ("campaign_stats.csv", "2 of 3 rows set aside", "E")


def test_a_column_of_a_query_is_looked_for_in_the_file_that_it_names() -> None:
    way = mapping.TableMap("ad_days", ("stats",), ("names",), """
        with day as (select * from stats) select as_day(d.on[:10]) as day, as_number(coalesce(n.a, n.b)), as_moment("at")
        from day d left join names n using (id)""")  # fmt: skip
    found = inputs.conversions(way, {"stats": ["id", "On", "a", "b", "at"], "names": ["id", "a", "b", "at"]})
    assert {stem: [(c.kind, c.text) for c in each] for stem, each in found.items()} == {
        "stats": [("day", "on[:10]"), ("moment", '"at"')],
        "names": [("number", "coalesce(a, b)"), ("moment", '"at"')],
    }


# What is counted of files that queries read


FIVETRAN = '\n[sources.ads]\nmap = "google_ads-fivetran"\n[sources.ads.dialect]\ntotals = ["^Total"]\n'


def test_every_row_and_line_of_a_querys_file_is_used_or_told_by_the_check(tmp_path: Path) -> None:
    """Of 7 lines: one deleted, one of no number, one broken, one of totals; 3 are used. Of a history: 1 older, 1 used."""
    stats = "id,date,clicks,impressions,cost_micros,currency_code,_fivetran_deleted\n"
    rows = "".join(f"1,2026-07-0{i},1,10,1000000,EUR,{'true' if i == 4 else 'false'}\n" for i in range(1, 5))
    rows += "1,2026-07-05,1,10,one,EUR,false\n1,2026-07-06\nTotal,,4,40,4,EUR,\n"
    names = "id,name,updated_at\n1,Old,2026-01-01\n1,New,2026-02-01\n"
    folder = written(tmp_path, FIVETRAN, campaign_stats=stats + rows, campaign_history=names)
    company = open_company(folder)
    files = company.notes["sources"]["ads"]["files"]
    assert files["campaign_stats"]["rows"] == 5
    assert files["campaign_stats"]["left_out"] == {"deleted": 1, "unreadable": 1, "totals": 1, "broken": 1}
    assert files["campaign_history"]["left_out"] == {"older states": 1}
    assert company.notes["tables"]["ad_days"]["accepted"] == 3
    told = [line.split("; ")[0].split() for line in checklist.lines(company) if line.startswith("  campaign_stats")]
    assert " ".join(told[0]) == (
        "campaign_stats campaign_stats.csv, 5 rows, 1 deleted, 1 unreadable, 1 totals, 1 broken"
    )


def test_broken_lines_of_a_querys_file_are_kept_with_their_text(tmp_path: Path) -> None:
    read = ad_days(tmp_path, "1,2026-07-01,1,10,5.00,EUR\n1,2026-07-02\n")
    (lines,) = kept(read, tmp_path / "aside").values()
    assert lines[1] == ["campaign_stats.csv:3", "F011", "1,2026-07-02"]


def test_broken_lines_of_a_file_that_is_a_table_are_kept_once(tmp_path: Path) -> None:
    settings = '\n[sources.crm]\nmap = "salesforce-native"\n'
    rows = "Id,AccountId,Type,StageName,CreatedDate,CloseDate\n1,A,New Business,offer,2026-01-02,2026-05-01\n2\n"
    read = deliver(written(tmp_path, settings, Opportunity=rows))
    assert list(kept(read, tmp_path / "aside")) == ["opportunities"]


def test_a_row_of_a_query_that_is_set_aside_is_called_by_its_key(tmp_path: Path) -> None:
    read = deals(tmp_path, SOUND_DEAL, "2,Two,mystery,7,EUR,2026-07-02,2026-12-01,offer")
    (fault,) = read.told("F031")
    assert fault.where == 'crm  the query of opportunities, opportunity_id 2  column "business_type"'
    assert kept(read, tmp_path / "aside")["opportunities"][1][0] == "opportunity_id 2"


def test_a_row_of_a_query_whose_key_names_a_person_is_called_by_its_number(tmp_path: Path) -> None:
    contacts = "Record ID,Email,Create Date,HubSpot Score\nP1,ann@a.example,2026-07-01,5\n"
    read = deliver(written(tmp_path, CRM, contact=contacts.replace("2026-07-01", "9999-12-31")))
    (fault,) = read.told("F031")
    assert fault.where == 'crm  the query of people, row 1  column "created_at"'


def test_events_of_nobody_known_and_of_other_kinds_are_counted(tmp_path: Path) -> None:
    """Of 5 events one is of an unknown address, one has no address, one is of a kind that is not read: 2 are left."""
    events = "id,type,created,recipient,email_campaign_id\n" + "".join(
        f"{i},{kind},2026-07-01 10:00:00,{who},m\n"
        for i, (kind, who) in enumerate(
            [
                ("SENT", "Ann@a.example"),
                ("OPEN", "ann@a.example"),
                ("OPEN", "eve@b.example"),
                ("OPEN", ""),
                ("DEFERRED", "ann@a.example"),
            ]
        )
    )
    folder = written(tmp_path, CRM, email_event=events, contact="Record ID,Email\n1,ann@a.example\n")
    read = deliver(folder)
    assert read.counts["email_events"] == (5, 2, 0, 0, 3)
    assert read.delivery.reports["email_events"].excluded == {"of other kinds": 1, "of nobody known": 2}


def test_views_without_a_visitor_or_a_session_are_counted(tmp_path: Path) -> None:
    events = "event_timestamp,event_name,user_pseudo_id,param_ga_session_id,param_page_location\n"
    events += "1782900000000000,page_view,v,1,https://a.example/x\n1782900001000000,page_view,,1,https://a.example/x\n"
    events += "1782900002000000,page_view,v,,https://a.example/x\n1782900003000000,first_visit,,,\n"
    read = deliver(written(tmp_path, '\n[sources.web]\nmap = "ga4-native"\n', events=events))
    assert read.counts["page_views"] == (3, 1, 0, 0, 2)


ONE_BY_ONE = (
    "event_timestamp,event_name,user_pseudo_id,param_ga_session_id,param_ga_session_number,param_percent_scrolled"
)
IN_JSON = "event_timestamp,event_name,user_pseudo_id,event_params"
EVENTS_OF_GA4 = [("1782900000000000", "page_view", "1", ""), ("1782900001000000", "scroll", "1", "75"),
                 ("1782900002000000", "scroll", "1", "< 50"), ("July 1", "page_view", "1", ""), ("1782900009000000", "page_view", "2", ""),
                 ("1782900010000000", "page_view", "second", "")]  # fmt: skip


def events_of_ga4(shape: str) -> str:
    """The events as the shape spells them; in the export an event's parameters are JSON."""
    if shape == "fivetran":
        head = ONE_BY_ONE.replace("event_timestamp,event_name", "timestamp,name")
        return "\n".join([head, *(f"{at},{name},v,{n},{n},{depth}" for at, name, n, depth in EVENTS_OF_GA4), ""])
    rows = []
    for at, name, n, depth in EVENTS_OF_GA4:
        given = {"ga_session_id": n, "ga_session_number": n, "percent_scrolled": depth}
        params = json.dumps([{"key": key, "value": {"string_value": text}} for key, text in given.items() if text])
        rows.append(f'{at},{name},v,"{params.replace(chr(34), chr(34) * 2)}"')
    return "\n".join([IN_JSON, *rows, ""])


@pytest.mark.parametrize("shape", ["native", "bigquery", "fivetran", "airbyte"])
def test_what_of_an_event_cannot_be_read_is_set_aside_with_its_line_and_not_taken_as_blank(
    tmp_path: Path, shape: str
) -> None:
    """Of six events one has no depth, one no moment and one no number of its session: three are read, as two views."""
    folder = written(tmp_path, f'\n[sources.web]\nmap = "ga4-{shape}"\n', event=events_of_ga4(shape))
    read = deliver(folder)
    assert read.rows("select session_number, scroll_percent::int from canonical.page_views order by all") == [
        (1, 75),
        (2, None),
    ]
    depth, moment, number = ("param_percent_scrolled", "event_timestamp", "param_ga_session_number")
    told = {
        (f.where.split("  ")[0], f.where.split('"')[1].split(" or ")[-1], f.found, f.level) for f in read.told("F031")
    }
    assert told == {
        ("event.csv:4", depth, "< 50", "Q"),
        ("event.csv:5", moment, "July 1", "Q"),
        ("event.csv:7", number, "second", "Q"),
    }
    assert [line[0] for line in kept(read, tmp_path / "aside")["web.events"][1:]] == [
        "event.csv:4",
        "event.csv:5",
        "event.csv:7",
    ]
    assert [one.file.unreadable for one in read.delivery.inputs] == [3]


def test_a_deal_closed_on_no_day_is_counted_where_only_todays_table_is_there(tmp_path: Path) -> None:
    read = deals(tmp_path, SOUND_DEAL, "2,Two,newbusiness,7,EUR,2026-07-02,,won")
    assert read.delivery.reports["opportunity_changes"].excluded == {"closed on no day": 1}


def test_a_change_of_a_history_that_is_no_amount_is_set_aside_by_its_key(tmp_path: Path) -> None:
    history = "Id,OpportunityId,Field,OldValue,NewValue,CreatedDate\n1,O1,Amount,500,9OO,2026-03-01T09:00:00Z\n"
    today = "Id,AccountId,Type,StageName,Amount,CurrencyIsoCode,CloseDate,CreatedDate\n"
    today += "O1,A1,New Business,offer,900,EUR,2026-09-01,2026-01-05T10:00:00Z\n"
    settings = '\n[sources.crm]\nmap = "salesforce-native"\n'
    read = deliver(written(tmp_path, settings, Opportunity=today, OpportunityFieldHistory=history))
    assert read.rows("select amount from canonical.opportunity_changes") == [(Decimal(500),)]
    (fault,) = read.told("F031")
    assert fault.found == "9OO" and "opportunity_id O1, changed_at 2026-03-01 09:00:00" in fault.where
