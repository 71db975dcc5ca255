"""A small sound company and the ways in which its delivery is broken, each with the class that it must end in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Files = Mapping[str, str | bytes | None]

SOUND: dict[str, str] = {
    "accounts": "account_id,name,domain,segment,country\nA1,Alpha,alpha.example,large,DE\nA2,Beta,beta.example,small,FR\n"
                "A3,Gamma,gamma.example,small,NA\n",
    "people": "person_id,account_id,email,created_at\nP1,A1,ann@alpha.example,2026-07-05\nP2,A2,bob@beta.example,2026-08-03\n",
    "campaigns": "campaign_id,name,channel\nC1,Spring,linkedin_ads\n",
    "opportunities": "opportunity_id,account_id,business_type,created_at\nO1,A1,new,2026-07-10\nO2,A2,new,2026-08-02\n",
    "opportunity_changes": "opportunity_id,changed_at,stage,amount,currency,close_on\n"
                           "O1,2026-07-10 09:00:00,qualified,1000.00,EUR,2026-09-15\n"
                           "O1,2026-09-15 10:00:00,won,1200.00,EUR,2026-09-15\n"
                           "O2,2026-08-02 08:30:00,qualified,500.00,EUR,2026-12-01\n",
    "opportunity_roles": "opportunity_id,person_id,role\nO1,P1,champion\n",
    "ad_days": "day,platform,channel,campaign_id,impressions,clicks,cost,currency\n"
               "2026-07-10,linkedin,linkedin_ads,C1,1000,10,50.00,EUR\n2026-08-11,linkedin,linkedin_ads,C1,1000,10,40.00,EUR\n",
    "page_views": "view_id,session_id,visitor_id,viewed_at,page\nV1,S1,X1,2026-07-12 10:00:00,/\nV2,S1,X1,2026-07-12 10:05:00,/price\n"
                  "V3,S2,X2,2026-09-30 23:58:00,/\n",
    "surveys": "response_id,account_id,answered_at,kind,score,scale_max\nR1,A1,2026-08-01,nps,9,10\nR2,A2,2026-08-02,csat,4,5\n",
    "account_lists": "account_id,is_target,tier,valid_from\nA1,true,1,2026-01-01\n",
    "fx": "currency,day,rate\nUSD,2026-07-10,0.9\n",
    "loads": "table,source,extracted_at\naccounts,crm,2026-10-20 06:00:00\n",
}  # fmt: skip
HEADLINES = {"closed_won_revenue": 1200, "pipeline_created": 1500, "open_pipeline": 500, "opportunities_created": 2,
             "ad_spend": 90, "website_sessions": 2}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One broken delivery: the corpus's rule id, what is wrong, the class it must end in and what must be said.

    Classes: A accepted, N put right and counted, Q row set aside, D told as a caveat, E refused, R refused because too many
    rows were set aside. `rule` is the one told; `counted` stands among the counts; `moved` are headline numbers that the
    case's own rows move; `settings` follow the sound ones, in which `base` names what is replaced; `before` was delivered
    earlier, by the sound settings.
    """

    id: str
    what: str
    ends: str
    files: Files
    rule: str = ""
    where: str = ""
    found: str = ""
    fix: str = ""
    counted: str = ""
    settings: str = ""
    base: tuple[str, str] = ("", "")
    moved: dict[str, float] = field(default_factory=dict)
    before: Files | None = None
    beside: tuple[str, str] = ("", "")
    edition: bool = False

    def __str__(self) -> str:
        return f"{self.id} {self.what}"


def other(table: str, old: str, new: str) -> dict[str, str]:
    assert old in SOUND[table]
    return {table: SOUND[table].replace(old, new)}


def more(table: str, *lines: str) -> dict[str, str]:
    return {table: SOUND[table] + "".join(f"{line}\n" for line in lines)}


def many(table: str, head: str, line: str, count: int) -> dict[str, str]:
    return {table: head + "\n" + "".join(line.format(i=i) + "\n" for i in range(count))}


def wider(text: str, count: int) -> str:
    """The table with so many more columns, all blank."""
    head, *rows = text.splitlines()
    return "\n".join([head + "".join(f",c{i}" for i in range(count)), *(row + "," * count for row in rows), ""])


VIEWS = "view_id,session_id,visitor_id,viewed_at,page"
ACCOUNTS = "account_id,name"
MONTHS = [
    f"{i}-{n},S{i}{n},X,2026-{month}-03 10:{n:02}:00,/" for i, month in enumerate(("05", "07", "08")) for n in range(40)
]
TWICE = [f"{run}{i},S{i},X,2026-07-03 10:{i:02}:00,/" for run in "ab" for i in range(40)]
COSTS = "day,platform,channel,impressions,clicks,cost,currency"
MILLIONTHS = many("ad_days", COSTS, "2026-08-01,linkedin,c{i},10,1,17403000,EUR", 40)
WHOLE = many("ad_days", COSTS, "2026-08-01,linkedin,c{i},10,1,17.4,EUR", 40)
ORDER = 'order = ["new", "qualified", "offer", "won", "lost"]'

DAYS = [f"{i},S{i},X,2026-{7 + i // 28:02}-{1 + i % 28:02} 10:00:00,/" for i in range(40)]
SPARSE = [
    f"{i}-{d},S{i}{d},X,{2024 + i // 12}-{1 + i % 12:02}-{d} 10:00:00,/"
    for i in range(21, 33)
    for d in (10, 11, 12, 13)
]
EVENTS = "event_id,email_id,person_id,occurred_at,kind,is_machine"
MAIL = {"emails": "email_id,name\nN1,News\n"}
OPENS = [f"{kind[0]}{i},N1,P{i},2026-07-10,{kind},false" for i in range(40) for kind in ("delivered", "open")]
READERS = {
    "people": "\n".join(["person_id", *(f"P{i}" for i in range(40)), ""]),
    "email_events": "\n".join([EVENTS, *OPENS[:-1], ""]),
}

BOMB = "dialects.accounts.totals = ['^(a+)+$', '^(a|aa)+$', '([a-z]+)*=']\n"

CASES = [
    Case("F004", "Windows-1252 throughout, declared as nothing", "E",
         {"accounts": "account_id,name\nA1,José\nA2,Renée\nA3,x\n".encode("cp1252")},
         "F004", "accounts.csv:2", "2 lines that are not UTF-8, and no letter beyond ASCII that is; perhaps Windows-1252",
         'encoding = "cp1252"'),
    Case("F005", "UTF-8 encoded twice", "D", other("accounts", "Beta", "JosÃ©"), "F005", 'table accounts  column "name"', "1 values"),
    Case("F172", "an account called by a mail address", "D", other("accounts", "Beta", "Beta bob@beta.example"), "F172",
         'table accounts  column "name"', "1 names with a mail address", "name the account"),
    Case("F023", "300 more columns", "A", {"accounts": wider(SOUND["accounts"], 300)}),
    Case("F023", "one field of 3 MB", "Q", more("accounts", "A4," + "x" * 3_000_000 + ",,,"), "F011", "accounts.csv:5", "more than 2 MB"),
    Case("F024", "a name with spaces and signs", "A", {"accounts": None, "my accounts \U0001f600 (1).csv": SOUND["accounts"]},
         settings='files.accounts = "my accounts \U0001f600 (1).csv"\n'),
    Case("F024", "a path that leads out", "E", {"accounts": None, "../elsewhere.csv": SOUND["accounts"]}, "F024", "./../elsewhere.csv",
         "outside", settings='files.accounts = "../elsewhere.csv"\n'),
    Case("F030", "days before months, not declared", "R", more("account_lists", "A2,true,1,30/04/2026", "A3,true,1,05/04/2026"), "F031",
         'account_lists.csv:3  column "valid_from"', "30/04/2026 (and 1 more)", "declare the order of day and month"),
    Case("F032", "moments with Z, with an offset and without a zone", "N",
         {"page_views": f"{VIEWS}\nV1,S1,X1,2026-07-12T10:00:00Z,/\nV2,S1,X1,2026-07-12 12:05:00+02:00,/price\n"
                        "V3,S2,X2,2026-09-30 23:58:00,/\n"},
         "F032", 'page_views.csv  column "viewed_at"', "1 of 3 moments without an offset", "nothing, if they are of UTC"),
    Case("F038", "milliseconds declared as seconds", "R",
         {"page_views": f"{VIEWS}\nV1,S1,X1,1783850400000,/\nV2,S1,X1,1783850700000,/price\n"},
         "F031", 'page_views.csv:2  column "viewed_at"', "1783850400000", settings='dialects.page_views.times = ["epoch"]\n'),
    Case("F038", "seconds that the tool took for milliseconds", "D", more("page_views", "V9,S9,X9,1970-01-21 13:00:00,/"), "F038",
         'table page_views  column "viewed_at"', "1 rows, the last of 1970-01-21"),
    Case("F041", "another fiscal calendar than before", "D", {}, "F041", "abm.toml  fiscal", settings="\n[fiscal]\nfirst_month = 4\n",
         before={}),
    Case("F042", "closed before it was created", "D", other("opportunities", "2026-07-10", "2026-09-20"), "F042",
         'table opportunity_changes  column "close_on"', "1, such as O1",
         beside=("closed_won_revenue", "deals that closed before they were created")),
    Case("F043", "an act in the future", "D", more("page_views", "V9,S9,X9,2029-01-01 10:00:00,/"), "F043",
         'table page_views  column "viewed_at"', "1 rows, the first of 2029-01-01"),
    Case("F043", "a deal won in the future", "D", more("opportunity_changes", "O2,2027-03-01,won,500,EUR,2027-03-01"), "F043",
         'table opportunity_changes  column "changed_at"', "1 rows, the first of 2027-03-01"),
    Case("F046", "an act in the future, and nobody says when the data were extracted", "E",
         {"loads": None} | more("page_views", "V9,S9,X9,2162-01-01 10:00:00,/"), "F046", 'table page_views  column "viewed_at"',
         "1 rows, the first of 2162-01-01", "say extracted_on"),
    Case("F043", "the same, once the day of extraction is said", "D",
         {"loads": None} | more("page_views", "V9,S9,X9,2162-01-01 10:00:00,/"), "F043",
         'table page_views  column "viewed_at"', "1 rows, the first of 2162-01-01", settings="extracted_on = 2026-10-20\n",
         counted="quarters up to 2026Q3, known until 2026-10-20"),
    Case("F052", "amounts in thousands and millions", "Q",
         more("ad_days", "2026-08-12,linkedin,x,,1,1,€1.2k,EUR", "2026-08-13,linkedin,x,,1,1,$ 3M,EUR"), "F031",
         'ad_days.csv:4  column "cost"', "€1.2k (and 1 more)", "declare its marks"),
    Case("F054", "a bound instead of a share", "Q", {"opportunity_changes": "opportunity_id,changed_at,stage,probability\n"
         "O1,2026-07-10,won,< 10%\n"}, "F031", 'opportunity_changes.csv:2  column "probability"', "< 10%", "declare its unit"),
    Case("F057", "zeros lost in part of the ids", "D", {"accounts": "account_id,name\n001,a\n002,b\n3,c\n120,d\n"}, "F057",
         'table accounts  column "account_id"', "2 ids with zeros in front, 1 shorter"),
    Case("F058", "costs in millionths", "D", MILLIONTHS, "F058",
         'table ad_days  column "cost"', "about 1.74e+07 as a rule, 17.4 before",
         before=WHOLE,
         beside=("ad_spend", "another unit of cost than before")),
    Case("F058", "costs in millionths, unlike in the last edition", "E", MILLIONTHS, "F058", 'table ad_days  column "cost"',
         "about 1.74e+07 as a rule, 17.4 before", "thresholds.changed_columns", before=WHOLE, edition=True),
    Case("F061", "a currency in small letters", "Q", more("ad_days", "2026-08-12,linkedin,x,,1,1,5,eur"), "F031",
         'ad_days.csv:4  column "currency"', "eur"),
    Case("F061", "a sign instead of a currency", "Q", more("ad_days", "2026-08-12,linkedin,x,,1,1,5,€"), "F031",
         'ad_days.csv:4  column "currency"', "€", beside=("ad_spend", "rows of ad_days were set aside")),
    Case("F061", "a code that means no currency", "Q", more("ad_days", "2026-08-12,linkedin,x,,1,1,5,XXX"), "F031",
         'ad_days.csv:4  column "currency"', "XXX"),
    Case("F061", "a currency that ended three years before", "D", more("ad_days", "2026-08-12,linkedin,x,,1,1,5,HRK"), "F061",
         'table ad_days  column "currency"', "HRK on 2026-08-12"),
    Case("F062", "another reporting currency than before", "D", {}, "F062", "abm.toml  currency",
         base=('currency = "EUR"', 'currency = "USD"'), before={}),
    Case("F063", "a credit, and a day without cost", "A", more("ad_days", "2026-08-12,linkedin,linkedin_ads,C1,0,0,-10.00,EUR",
         "2026-08-13,linkedin,linkedin_ads,C1,10,5,0,EUR"), moved={"ad_spend": 80}),
    Case("F064", "half cents, each away from zero", "A", more("ad_days", "2026-08-12,linkedin,linkedin_ads,C1,1,1,0.005,EUR",
         "2026-08-13,linkedin,linkedin_ads,C1,1,1,0.005,EUR"), moved={"ad_spend": 90.02}),
    Case("F073", "every state twice", "N", more("opportunity_changes", *SOUND["opportunity_changes"].splitlines()[1:]),
         counted="opportunity_changes    read 6 = accepted 3 + repeated 3 + set aside 0"),
    Case("F078", "one address, two people", "A", more("people", "P3,A1,ANN@alpha.example. ,2026-08-04",
         "P4,A1,info@alpha.example,2026-08-04")),
    *(Case("F083", f"an account called {name!a}", "A", other("accounts", "Alpha", name))
      for name in ("\u0391lpha GmbH & Co. KG", "ıSTANBUL İ ß SS", "Cafe\u0301 ＡＢＣ", "\u202eשלום \U0001f600")),
    Case("F086", "a role twice", "N", more("opportunity_roles", "O1,P1,champion"),
         counted="opportunity_roles      read 2 = accepted 1 + repeated 1 + set aside 0"),
    Case("F087", "a deal without an account", "A", other("opportunities", "O2,A2", "O2,")),
    Case("F087", "a state without a stage", "Q", more("opportunity_changes", "O2,2026-08-09,,500,EUR,2026-12-01"), "F087",
         'opportunity_changes.csv:5  column "stage"', "blank"),
    Case("F090", "rows that stop though every day had some", "D", {"page_views": "\n".join([VIEWS, *DAYS, ""])}, "F090",
         "table page_views", "no row after 2026-08-12, 69 days before the data were extracted; before that rows were at most 4 days apart"),
    Case("F090", "rows that stop where weeks went by without any before", "A", {"page_views": "\n".join([VIEWS, *SPARSE, ""])},
         moved={"website_sessions": 12}),
    Case("F091", "a month missing in the middle", "D", {"page_views": "\n".join([VIEWS, *MONTHS, ""])}, "F091", "table page_views",
         "no row between 2026-05 with 40 and 2026-07 with 40", beside=("website_sessions", "months without a row in page_views")),
    Case("F093", "a load that ran twice under new keys", "E", {"page_views": "\n".join([VIEWS, *TWICE, ""])}, "F093", "table page_views",
         "80 of 80 rows"),
    *(Case("F094", f"exactly {n:,} rows", "E", many("accounts", ACCOUNTS, "A{i},x", n), "F094", "accounts.csv", f"exactly {n:,} rows",
           "rows_expected") for n in (2_000, 10_000, 50_000)),
    Case("F094", "exactly 2,000 rows, and loads says so", "A", many("accounts", ACCOUNTS, "A{i},x", 2000)
         | {"loads": "table,source,extracted_at,rows_expected\naccounts,crm,2026-10-20 06:00:00,2000\n"}),
    Case("F095", "fewer rows than loads says", "E",
         {"loads": "table,source,extracted_at,rows_expected\naccounts,crm,2026-10-20 06:00:00,512304\n"}, "F095",
         "table accounts", "3 rows", "whole"),
    Case("F097", "most of the money in a stage of another name", "E",
         other("opportunity_changes", "O1,2026-09-15 10:00:00,won", "O1,2026-09-15 10:00:00,Closed Won – Partner"), "F097",
         "table opportunity_changes", "70.6% of the money", "unplaced_money_share"),
    Case("F098", "another order of stages than before", "D", {}, "F098", "abm.toml  opportunity_stages",
         base=(ORDER, 'order = ["new", "qualified", "demo", "offer", "won", "lost"]'), before={}),
    Case("F113", "opens that nobody says are of people", "D",
         MAIL | {"email_events": "event_id,email_id,person_id,occurred_at,kind\nE1,N1,P1,2026-07-10,open\n"}, "F113",
         'table email_events  column "is_machine"', "no source says"),
    Case("F115", "nearly every mail opened", "D", MAIL | READERS, "F115", 'table email_events  column "is_machine"',
         "39 of 40 delivered were opened"),
    Case("F115", "more clicked than opened", "D", MAIL | {"email_events": f"{EVENTS}\nE1,N1,P1,2026-07-10,open,false\n"
         "E2,N1,P1,2026-07-10,click,false\nE3,N1,P2,2026-07-10,click,false\n"}, "F115", "table email_events",
         "2 were clicked and 1 opened"),
    Case("F118", "a source of UTMs typed wrongly", "D",
         {"page_views": f"{VIEWS},utm_source\nV1,S1,X1,2026-07-12 10:00:00,/,linkedln\nV2,S2,X1,2026-07-13 10:00:00,/,LinkedIn\n"},
         "F118", 'table page_views  column "utm_source"', "linkedln (1 rows)", settings='\n[utm]\nsources = ["linkedin"]\n'),
    Case("F119", "a campaign's id used again", "Q", more("campaigns", "C1,Autumn,webinar"), "F074",
         'campaigns.csv:2  column "campaign_id"', "C1"),
    Case("F120", "a cost and no impression", "D", more("ad_days", "2026-08-12,linkedin,linkedin_ads,C1,0,0,10.00,EUR"), "F120",
         "table ad_days", "1 rows with a cost and no impression, the first of 2026-08-12"),
    Case("F165", "a pattern that would try every way to cut a long line", "Q", more("accounts", "a" * 5_000 + "!"), "F011",
         "accounts.csv:5", "too few values", settings=BOMB),
    Case("F165", "the same over a line that it means", "N", more("accounts", "a" * 5_000), settings=BOMB,
         counted="+ 1 totals"),
    Case("C04", "targets of another year alone", "E", {"targets": "metric,period,value\nleads,2025Q3,5\nleads,2025-08,2\n"}, "C04",
         'table targets  column "period"', "periods from 2025-08 to 2025Q3"),
    Case("C04", "targets of this year and the last", "A", {"targets": "metric,period,value\nleads,2025Q3,5\nleads,2026Q3,5\n"}),
    Case("F122", "two scales in one survey", "E", more("surveys", "R3,A1,2026-08-03,csat,9,5"), "F122", 'table surveys  column "score"',
         "1 of 3"),
    Case("F122", "a recommendation of 50", "E", more("surveys", "R3,A1,2026-08-03,nps,50,"), "F122", 'table surveys  column "score"',
         "1 of 3"),
]  # fmt: skip
