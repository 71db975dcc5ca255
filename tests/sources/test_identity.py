"""One record, one id: Salesforce ids, merges and parents, and who belongs to whom by an address."""

from __future__ import annotations

from pathlib import Path

import pytest
from delivering import SETTINGS, deliver, written
from hypothesis import given, settings
from hypothesis import strategies as st
from small_company import frozen

from abm_lib.company import open_company
from abm_lib.derive.identity import free_mail, registered
from abm_lib.sources import identity
from abm_lib.store import connect

CRM = '\n[sources.crm]\nmap = "salesforce-native"\n'
LOADS = "table,source,extracted_at\naccounts,crm,2027-01-01\n"


# Salesforce ids


def long_id(short: str) -> str:
    """The long form by Salesforce's own description: a letter for each five, counting their upper case in bits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    groups = (short[i : i + 5] for i in (0, 5, 10))
    return short + "".join(letters[sum(2**place for place, c in enumerate(group) if c.isupper())] for group in groups)


@settings(max_examples=50)
@given(st.text("abcXYZ0189", min_size=15, max_size=15))
def test_the_checksum_is_the_one_that_salesforce_describes(short: str) -> None:
    con = connect()
    for macro, sql in identity.MACROS.items():
        con.execute(f"create temp macro {macro} as {sql}")
    assert con.execute("select long_id(?), long_id(?)", [short, long_id(short)]).fetchall() == [(long_id(short),) * 2]


def test_a_short_and_a_long_id_are_one_record_and_case_tells_two_apart(tmp_path: Path) -> None:
    accounts = "Id,Name\n0015500000Xyy06,Alpha\n0015500000xyy06,Beta\n"
    deals = "Id,AccountId,Type\n006q000000HddohAAB,0015500000Xyy06AAB,New Business\n006q000000HdPzp,0015500000xyy06,New Business\n"
    read = deliver(written(tmp_path, CRM, Account=accounts, Opportunity=deals))
    assert read.rows(
        "select name from canonical.opportunities join canonical.accounts using (account_id) order by 1"
    ) == [("Alpha",), ("Beta",)]
    assert read.rows("select account_id from canonical.accounts where name = 'Alpha'") == [("0015500000Xyy06AAB",)]
    assert read.told("F081") == []


def test_an_id_that_contradicts_its_checksum_is_set_aside(tmp_path: Path) -> None:
    read = deliver(written(tmp_path, CRM, Account="Id,Name\n0015500000Xyy06AAA,Alpha\n0015500000Xyy06AAB,Beta\n"))
    (fault,) = read.faults
    assert (fault.rule, fault.level, fault.where) == ("F070", "Q", 'Account.csv:2  column "account_id"')
    assert read.counts["accounts"] == (2, 1, 0, 1, 0)


def test_ids_that_lost_their_case_are_refused_whatever_the_threshold(tmp_path: Path) -> None:
    ids = [long_id(f"0015500000XyY{i:02}").lower() for i in range(5)]
    read = deliver(written(tmp_path, CRM, Account="Id,Name\n" + "".join(f"{one},x\n" for one in ids)))
    assert [(f.rule, f.level) for f in read.faults if f.level == "E"] == [("F072", "E")]


# Merges and parents


@pytest.mark.parametrize(
    ("column", "rule", "lines", "ring"),
    [
        ("survivor_id", "F075", "A,a,B\nB,b,A\nC,c,A\n", "A → B → A"),
        ("survivor_id", "F075", "C,c,D\nA,a,B\nD,d,E\nE,e,C\nB,b,\n", "C → D → E → C"),
        ("parent_id", "F080", "A,a,A\n", "A → A"),
    ],
)
def test_a_ring_is_refused_by_name(tmp_path: Path, column: str, rule: str, lines: str, ring: str) -> None:
    read = deliver(written(tmp_path, "\n[sources.crm]\n", accounts=f"account_id,name,{column}\n{lines}"))
    assert [(f.rule, f.level) for f in read.faults] == [(rule, "E")]
    assert read.faults[0].found.endswith(ring)


def test_a_ring_of_people_names_nobody(tmp_path: Path) -> None:
    read = deliver(written(tmp_path, "\n[sources.crm]\n", people="person_id,survivor_id\nann,bob\nbob,ann\n"))
    assert read.faults[0].found == "2 in a ring: ids that name people"


def test_a_long_chain_is_no_ring(tmp_path: Path) -> None:
    lines = "".join(f"A{i},x,{f'A{i + 1}' if i < 12 else ''}\n" for i in range(13))
    assert deliver(written(tmp_path, "\n[sources.crm]\n", accounts=f"account_id,name,parent_id\n{lines}")).faults == []


def opened(folder: Path, rules: str, **files: str) -> object:
    return open_company(written(folder, f"\n[identity]\n{rules}\n[sources.crm]\n", loads=LOADS, **files))


FAMILY = """account_id,name,parent_id,survivor_id,is_icp
P,Parent,,,true
C,Child,P,,false
G,Grandchild,C,,
O,Old,,G,
X,Other,,,
Y,Lost,Z,,
"""
DEALS = "opportunity_id,account_id,business_type\n" + "".join(f"{name}1,{name},new\n" for name in "PCGOXY")


def test_each_account_counts_for_itself_unless_parents_are_asked_for_and_what_they_would_take_is_told(
    tmp_path: Path,
) -> None:
    company = opened(tmp_path, "", accounts=FAMILY, opportunities=DEALS)
    assert frozen(company, "select distinct account_id from opportunities order by 1") == [
        ("C",),
        ("G",),
        ("P",),
        ("X",),
        ("Y",),
    ]
    assert company.notes["identity"] == {
        "accounts merged into others": 1,
        'accounts that `identity.rollup = "parent"` would count for their parents': 2,
        'opportunities that `identity.rollup = "parent"` would count for a parent': 2,
    }


def test_rolled_up_an_account_counts_for_its_topmost_parent_and_the_effect_is_told(tmp_path: Path) -> None:
    company = opened(tmp_path, 'rollup = "parent"', accounts=FAMILY, opportunities=DEALS)
    found = frozen(company, "select opportunity_id, account_id from opportunities order by 1")
    assert found == [("C1", "P"), ("G1", "P"), ("O1", "P"), ("P1", "P"), ("X1", "X"), ("Y1", "Y")]
    assert frozen(company, "select account_id from accounts order by 1") == [("P",), ("X",), ("Y",)]
    assert company.notes["identity"] == {
        "accounts counted for their parents": 2,
        "opportunities counted for a parent": 2,
        "accounts merged into others": 1,
    }


# Addresses


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("ann@example.com", "example.com"), ("Ann.Lee+x@Mail.EXAMPLE.co.uk. ", "example.co.uk"), ("www.example.com", "example.com"),
        ("ann@bücher.example", "xn--bcher-kva.example"), ("ann@co.uk", ""), ("ann", ""), ("", ""), ("@", ""), ("ann@" + "x" * 300, ""),
        ("a@b@deep.sub.example.de", "example.de"),
    ],
)  # fmt: skip
def test_the_domain_of_an_address_is_the_registered_one(address: str, domain: str) -> None:
    assert registered(address) == domain


def test_free_mail_and_providers_are_known() -> None:
    assert {"gmail.com", "t-online.de", "comcast.net"} <= free_mail()
    assert all(registered(domain) == domain for domain in free_mail())


ACCOUNTS = """account_id,name,domain,other_domains,survivor_id
A,Alpha,https://www.alpha.example,alpha.test; alpha.invalid,
B,Beta,beta.co.uk,,
C,Both,shared.example,,
D,Both too,shared.example,,
E,Gmail,gmail.com,,
F,Was Alpha,old.example,,A
"""
PEOPLE = """person_id,account_id,email
p1,,ann@alpha.example
p2,,bob@eu.alpha.test
p3,,cy@beta.co.uk
p4,,di@other.co.uk
p5,,ed@shared.example
p6,,fe@gmail.com
p7,B,gi@alpha.example
p8,,
p9,,hal@us.example
p10,,ivo@old.example
p11,,joe@alpha.invalid
"""


def test_people_without_an_account_find_theirs_by_domain_and_nothing_is_guessed(tmp_path: Path) -> None:
    company = opened(tmp_path, 'by_domain = true\nown_domains = ["us.example"]', accounts=ACCOUNTS, people=PEOPLE)
    found = frozen(
        company, "select person_id, account_id from people where account_id is not null order by length(person_id), 1"
    )
    assert found == [("p1", "A"), ("p2", "A"), ("p3", "B"), ("p7", "B"), ("p11", "A")]
    assert frozen(company, "select person_id from people where is_internal") == [("p9",)]
    assert company.notes["identity"] == {
        "people marked as internal by their address": 1,
        "people led to an account by their address": 4,
        "people whose domain several accounts have": 1,
        "accounts merged into others": 1,
    }


def test_without_the_rule_nobody_is_led_anywhere(tmp_path: Path) -> None:
    company = opened(tmp_path, "", accounts=ACCOUNTS, people=PEOPLE)
    assert frozen(company, "select count(*) from people where account_id is not null") == [(1,)]


# Machines


def test_clicks_of_link_scanners_are_marked_and_kept(tmp_path: Path) -> None:
    lines = ["event_id,email_id,person_id,occurred_at,kind,is_machine"]
    acts = [
        ("d1", "m", "p", "10:00:00", "delivered"), ("c1", "m", "p", "10:00:01", "click"), ("c2", "m", "p", "10:30:00", "click"),
        ("d2", "m", "q", "10:00:00", "delivered"), ("c3", "m", "q", "11:00:00", "click"), ("c4", "m", "q", "11:00:01", "click"),
        ("c5", "m", "q", "11:00:02", "click"), ("c6", "n", "q", "12:00:00", "click"), ("c7", "n", "q", "12:00:01", "click"),
    ]  # fmt: skip
    lines += [f"{event},{mail},{person},2026-05-01 {time},{kind}," for event, mail, person, time, kind in acts]
    files = {"email_events": "\n".join(lines) + "\n", "people": "person_id\np\nq\n", "loads": LOADS}
    company = open_company(written(tmp_path, "\n[machines]\nscanner_seconds = 2\n[sources.crm]\n", **files))
    assert frozen(company, "select event_id from email_events where is_machine order by 1") == [
        ("c1",),
        ("c3",),
        ("c4",),
        ("c5",),
    ]
    assert frozen(company, "select count(*) from email_events") == [(9,)]
    assert company.notes["identity"] == {"clicks marked as those of link scanners": 4}


def test_user_agents_of_bots_are_known_to_maps(tmp_path: Path) -> None:
    web = """[tables.page_views]
file = "hits"
expressions = { is_bot = "is_bot(user_agent)" }
"""
    agents = {
        "v1": "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "v2": "Mozilla/5.0 (X11; Linux) Firefox/140",
        "v3": "curl/8.5",
    }
    hits = "view_id,session_id,visitor_id,viewed_at,page,user_agent\n" + "".join(
        f"{v},s,x,2026-01-01,/,{a}\n" for v, a in agents.items()
    )
    read = deliver(written(tmp_path, '\n[sources.web]\nmap = "web"\n', web__toml=web, hits=hits))
    assert read.rows("select view_id, is_bot from canonical.page_views order by 1") == [
        ("v1", True),
        ("v2", False),
        ("v3", True),
    ]


def test_the_settings_of_these_tests_are_the_least_that_a_company_has() -> None:
    assert "[identity]" not in SETTINGS and "[machines]" not in SETTINGS
