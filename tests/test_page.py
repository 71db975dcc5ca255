"""What a notebook holds: a page of readings, its sentences, its caveats, its definitions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import readings_fixture as invented
from bs4 import BeautifulSoup

import abm_lib
from abm_lib.errors import UsageError
from abm_lib.pages import Page
from abm_lib.show import published
from abm_lib.show.definitions import letter
from abm_lib.show.fragment import Figure, Fragment
from abm_lib.show.rows import NUMBERS

FIELDS = list(NUMBERS)


def page_of(family: str = "revenue", frame: pd.DataFrame | None = None) -> Page:
    return Page(family, invented.frame() if frame is None else frame, invented.EDITION, invented.REGISTER)


def soup(shown: Fragment) -> BeautifulSoup:
    return BeautifulSoup(str(shown.html), "html.parser")


def test_an_unknown_page_quarter_metric_or_dimension_names_the_nearest_known() -> None:
    with pytest.raises(UsageError, match="revenue"):
        page_of("revenues")
    with pytest.raises(UsageError, match="2026Q3"):
        Page("ads", invented.frame(), {**invented.EDITION, "quarter": "2026Q33"}, invented.REGISTER)
    with pytest.raises(UsageError, match="win_rate_closed"):
        page_of().trend("win_rate_close")
    with pytest.raises(UsageError, match="segment"):
        page_of().rates("win_rate_closed", "segments")
    with pytest.raises(UsageError, match="verdict"):
        page_of().say("{win_rate_closed:verdct}")


def test_a_number_typed_into_a_sentence_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        page_of().say("{win_rate_closed} of deals were won, 12% more than ever")
    assert [(fault.rule, fault.found) for fault in caught.value.faults] == [("typed_number", "12%")]


@pytest.mark.parametrize("dimension", ["owner", "owner_id", "person_id"])
def test_a_page_never_names_people(dimension: str) -> None:
    with pytest.raises(UsageError, match="never names people"):
        page_of().rates("win_rate_closed", dimension)


def test_every_number_of_a_page_leads_back_to_its_reading() -> None:
    frame, page = invented.frame(), page_of("summary")
    shown = [page.header(), page.scorecard("closed_won_revenue", "win_rate_closed", "pipeline_coverage")]
    shown += [
        page.table("win_rate_closed", "tier"),
        page.say("{win_rate_closed} {win_rate_closed:likely}"),
        page.definitions(),
    ]
    found = [number for fragment in shown for number in published.numbers(str(fragment.html))]
    assert len(found) > 40
    keys = frame.set_index(["metric", "quarter", "slice_by", "slice"])[FIELDS]
    for number in found:
        read = keys.loc[[(number.metric, number.quarter, number.slice_by, number.slice)], number.field]
        assert number.value == pytest.approx(float(read.iloc[0]))


def test_the_message_is_result_and_consequence_and_the_standfirst_has_three_sentences_at_most() -> None:
    header = soup(page_of("summary").header())
    assert (
        header.h1.get_text()
        == "Q3 closed 18% under target, and pipeline coverage for Q4 2026 is 1.9x where our own record needs 3.1x"
    )
    assert len(header.select("h1")) == 1
    assert 1 <= len(header.select(".standfirst > span")) <= 3


@pytest.mark.parametrize("family", ["summary", "pipeline", "for-sales"])
def test_what_the_standfirst_names_is_one_click_from_its_definition(family: str) -> None:
    page = page_of(family)
    links = soup(page.header()).select(".standfirst a")
    assert len(links) >= 2
    for link in links:
        where, _, name = link["href"].partition("#how-")
        assert where == ("" if family == invented.REGISTER[name].family else f"{invented.REGISTER[name].family}.html")
        owner = page_of(invented.REGISTER[name].family)
        assert soup(owner.definitions()).select_one(f"#how-{name}") is not None


def test_every_chart_says_how_it_is_counted_however_often_its_metric_was_shown() -> None:
    page = page_of()
    for shown in (page.trend("win_rate_closed"), page.rates("win_rate_closed", "tier"), page.trend("win_rate_closed")):
        assert isinstance(shown, Figure)
        assert str(shown.counted).startswith("Win rate, closed deals of the quarter. <a ")


def test_the_lowest_are_told_first_and_of_equals_the_largest() -> None:
    counts = {"a": (0, 3), "b": (2, 4), "c": (0, 8), "d": (1, 8), "e": (None, None)}
    rows = [
        invented.row("win_rate_closed", slice_by="segment", slice=name, numerator=k, denominator=n, n=n,
                     value=k / n if n else None, missing_because="" if n else "no_data")
        for name, (k, n) in counts.items()
    ]  # fmt: skip
    shown = soup(page_of("revenue", pd.DataFrame(rows)).lowest("win_rate_closed", "segment"))
    assert [cell.get_text() for cell in shown.select("tbody th")] == ["C", "A", "D", "B"]


def test_sentences_do_not_claim_a_change_that_the_range_does_not_show() -> None:
    text = page_of().say("{win_rate_closed:verdict}; {win_rate_closed:change}; {win_rate_closed:of}").text
    assert text == "no clear gap to target; up 0.30 points on Q2; 9 of 27"


def test_prose_says_why_a_number_is_missing() -> None:
    assert (
        page_of().answer("A year is {average_contract_value}").text
        == "Average contract value cannot be given: Term missing on 4 of 9 deals"
    )
    assert page_of().answer("It is {pipeline_gap}").text == "It is no reading"


def test_a_card_carries_its_caveat_and_the_list_has_it_under_the_same_letter() -> None:
    page = page_of()
    card = soup(page.scorecard("closed_won_revenue", "win_rate_closed"))
    listed = {
        li.select_one(".letter").get_text(): li.select_one(".letter + span").contents[0].strip()
        for li in soup(page.caveats()).select("li")
    }
    assert [a.get_text() for a in card.select(".label .letter")] == ["a", "b"]
    assert [p.select_one(".letter + span").get_text() for p in card.select(".caveat")] == [listed["a"], listed["b"]]
    assert {a["href"] for a in card.select(".label .letter")} <= {
        f"#{li['id']}" for li in soup(page.caveats()).select("li")
    }


def test_letters_go_on_after_z() -> None:
    assert [letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == ["a", "z", "aa", "az", "ba", "zz", "aaa"]


def test_a_definition_is_the_docstring_as_it_stands_with_its_numbers_in_the_formula() -> None:
    page = page_of()
    page.scorecard("win_rate_closed")
    shown = soup(page.definitions()).select("details")[0]
    assert [b.get_text() for b in shown.select("b")] == ["Source: ", "Counts: ", "Missing: "]
    assert "one row per deal." in shown.get_text()
    assert shown.select_one(".formula").get_text().startswith("9 ÷ 27 = 33%")
    assert shown.code.get_text() == "win_rate_closed"


def test_a_definition_says_who_agreed_it_and_its_target_and_when() -> None:
    page = page_of()
    page.scorecard("win_rate_closed", "deals_won", "new_customers")
    rates, deals, customers = (shown.get_text() for shown in soup(page.definitions()).select("details")[:3])
    assert "Definition agreed by CRO & CFO on 1 Oct 2023." in rates
    assert "Target agreed by CFO on 11 Jun 2026, changed on 21 Jul 2026." in rates
    assert "Target agreed by nobody named." in deals
    assert "agreed" not in customers


def test_the_win_rate_of_closed_deals_never_stands_without_that_of_the_cohort() -> None:
    assert "Win rate of the cohort 25%, 9 of 36" in soup(page_of().scorecard("win_rate_closed")).get_text()


def test_a_metric_that_nobody_collects_leaves_a_line_and_not_an_error() -> None:
    frame = invented.frame()
    frame = frame[(frame["metric"] != "win_rate_closed")]
    absent = [
        invented.row("win_rate_closed", q, missing_because="not_collected", caveats="no such table", status="none")
        for q in invented.QUARTERS
    ]
    page = page_of("revenue", pd.concat([frame, pd.DataFrame(absent)], ignore_index=True))
    for shown in (page.trend("win_rate_closed"), page.rates("win_rate_closed", "tier")):
        assert isinstance(shown, Fragment) and "Not collected by any source. no such table" in soup(shown).get_text()
    assert "Not collected" in soup(page.scorecard("win_rate_closed")).get_text()


def test_slices_stand_quarter_by_quarter_with_a_gap_where_one_has_no_reading() -> None:
    rows = [
        invented.row("new_customers", q, slice_by="segment", slice=segment, value=value)
        for q, segment, value in (("2026Q2", "small", 3.0), ("2026Q3", "small", 4.0), ("2026Q3", "enterprise", 2.0))
    ]
    shown = soup(
        page_of("revenue", pd.concat([invented.frame(), pd.DataFrame(rows)])).quarters("new_customers", "segment")
    )
    assert [head.get_text() for head in shown.select("thead th")] == ["Segment", "Q2 2026", "Q3 2026"]
    assert [[cell.get_text() for cell in line] for line in shown.select("tbody tr")] == [
        ["Small", "3", "4"],
        ["Enterprise", "", "2"],
    ]


def test_a_total_of_whose_parts_none_is_known_leaves_a_line_and_no_empty_drawing() -> None:
    frame = invented.frame()
    gone = (frame["metric"] == "closed_won_revenue") & (frame["slice_by"] == "segment")
    frame.loc[gone, ["value", "missing_because", "caveats"]] = [float("nan"), "no_data", "nothing reached us"]
    shown = soup(page_of("revenue", frame).by("closed_won_revenue", "segment"))
    assert shown.find(class_="absent-figure") and "nothing reached us" in shown.get_text()


def test_a_table_of_slices_of_which_none_is_known_is_a_line_that_says_why() -> None:
    frame = invented.frame()
    where = (frame["metric"] == "win_rate_closed") & (frame["slice_by"] == "segment")
    frame.loc[where, [*FIELDS, "missing_because"]] = [*[None] * len(FIELDS), "suppressed"]
    told = soup(page_of(frame=frame).table("win_rate_closed", "segment"))
    assert not told.find("table") and "by segment" in told.text and "Hidden" in told.text


def at_rates(**values: tuple[float | None, float | None]) -> BeautifulSoup:
    """The table of amounts at the exchange rates of the year before: each metric's value, and that of its slice."""
    rows = []
    for metric, (value, before) in values.items():
        rows.append(invented.row(metric, value=value, year_ago=900))
        of = {"slice_by": "exchange_rates", "slice": "of the year before"}
        lacks = {} if before is not None else {"missing_because": "no_data", "caveats": "none of 3 carries an amount"}
        rows.append(invented.row(metric, value=before, **of, **lacks))
    return soup(page_of("for-finance", pd.DataFrame(rows)).at_earlier_rates())


def test_amounts_stand_beside_the_same_at_the_rates_of_the_year_before_and_what_they_were_then() -> None:
    shown = at_rates(ad_spend=(50, None), pipeline_created=(800, 800), closed_won_revenue=(1000, 950))
    lines = [[cell.get_text() for cell in line.select("th, td")] for line in shown.select("tbody tr")]
    assert lines == [
        ["Ad spend", "€50", "no data", "€900", "none of 3 carries an amount"],
        ["Pipeline created", "€800", "€800", "€900", ""],
        ["Bookings", "€1,000", "€950", "€900", ""],
    ]
    told = [(n.metric, n.slice_by, n.slice, n.value) for n in published.numbers(str(shown))]
    assert told[-2:] == [
        ("closed_won_revenue", "", "", 1000),
        ("closed_won_revenue", "exchange_rates", "of the year before", 950),
    ]


def test_amounts_that_no_exchange_rate_moved_are_a_line() -> None:
    shown = at_rates(closed_won_revenue=(1000, 1000), ad_spend=(None, None))
    assert not shown.find("table") and "No exchange rate has moved" in shown.text


def test_a_quarter_without_any_reading_still_makes_every_page() -> None:
    frame = invented.frame()
    frame[["value", "numerator", "denominator", "n", "low", "high", "target", "previous", "year_ago"]] = float("nan")
    frame["missing_because"], frame["status"] = "no_data", "none"
    page = page_of("pipeline", frame)
    assert soup(page.header()).h1.get_text() == "No reading for Q3 2026 yet"
    assert not isinstance(page.coverage(), Figure) and not isinstance(page.bridge(), Figure)
    assert "No data" in soup(page.scorecard("pipeline_coverage")).get_text()


def test_the_first_quarter_ever_renders_without_comparisons() -> None:
    frame = invented.frame()
    frame = frame[frame["quarter"] == invented.NOW].assign(previous=None, year_ago=None)
    page = page_of("revenue", frame)
    assert "none" in soup(page.scorecard("deals_won")).get_text()
    assert isinstance(page.trend("deals_won"), Figure)


def test_a_page_leaves_its_readings_as_they_were() -> None:
    frame = invented.frame()
    before, page = frame.copy(deep=True), page_of("summary", frame)
    page.header(), page.scorecard("win_rate_closed"), page.trend("win_rate_closed"), page.caveats()
    pd.testing.assert_frame_equal(frame, before)


def test_a_page_opens_the_readings_of_the_run_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = invented.frame()
    with duckdb.connect() as connection:
        connection.register("readings", frame)
        connection.execute(f"copy readings to '{tmp_path / 'readings.parquet'}' (format parquet)")
    (tmp_path / "edition.json").write_text(json.dumps(invented.EDITION), "utf-8")
    monkeypatch.setenv("ABM_EDITION", str(tmp_path))
    page = abm_lib.page("revenue", invented.NOW, "nowhere")
    assert "€2.05M" in page.scorecard("closed_won_revenue").text
    assert "edition-line" not in page.header().html and "edition-line" in page_of().header().html
    with pytest.raises(UsageError, match="2026Q3"):
        abm_lib.page("revenue", "2026Q2", "nowhere")


def test_the_header_brings_its_style_to_jupyterlab_and_only_there() -> None:
    bundle: dict[str, Any] = page_of()._repr_mimebundle_()
    assert "<style>.abm.abm {" in bundle["text/html"]
    assert "<style" not in bundle["application/vnd.abm+json"]["html"]


def credited() -> Page:
    """A pipeline page with the credit of two channels by five models, and how often the rank of each channel changes."""
    given = {"linear": (300, 200), "first": (500, 0), "markov": (250, 250), "j": (100, 400), "time_decay": (150, 350)}
    rows = [
        invented.row("attributed_pipeline", slice_by="model/channel", slice=f"{model}/{channel}", value=amount, n=3.0)
        for model, (one, other) in given.items()
        for channel, amount in (("(none)", 900), ("email", other), ("paid_search", one))
    ]
    distance = replace(
        invented.REGISTER["influenced_pipeline_share"], name="attribution_model_distance", counts="models"
    )
    register = {**invented.REGISTER, "attribution_model_distance": distance}
    apart = invented.row("influenced_pipeline_share", slice_by="channel", slice="email", value=0.6, n=5.0)
    rows.append(apart | {"metric": "attribution_model_distance", "counts": "models"})
    return Page("pipeline", pd.concat([invented.frame(), pd.DataFrame(rows)]), invented.EDITION, register)


@pytest.mark.parametrize(("gated", "told"), [(True, "Content is gated: a lead"), (False, "Content is not gated: few")])
def test_a_page_says_how_to_read_leads_by_whether_content_is_gated(gated: bool, told: str) -> None:
    page = Page("demand", invented.frame(), {**invented.EDITION, "gated_content": gated}, invented.REGISTER)
    assert soup(page.gated_content()).get_text().startswith(told)


def test_models_stand_side_by_side_with_what_nothing_was_done_towards_last() -> None:
    shown = soup(credited().models("attributed_pipeline", "model/channel"))
    assert [head.get_text() for head in shown.select("thead th")] == ["Channel", "First", "Linear", "Markov"]
    assert [name.get_text() for name in shown.select("tbody th")] == ["Paid search", "Email", "(none)"]
    assert [cell.get_text() for cell in shown.select("tbody tr:first-child td")] == ["€500", "€300", "€250"]


def test_the_weights_of_every_model_are_printed_those_without_a_column_in_a_fold() -> None:
    shown = soup(credited().models("attributed_pipeline", "model/channel"))
    folded = shown.details.extract()
    assert [li.get_text() for li in folded.select("li")] == [
        "J: first touch 20 %, last touch 60 %, touches between 20 %",
        "Time decay: every touch half as much for each 90 days before the last one",
    ]
    assert [li.strong.get_text() for li in shown.select(".notes li")] == ["First", "Linear", "Markov"]


def test_by_campaign_the_weights_are_not_printed_again() -> None:
    page = credited()
    told = page.readings.assign(slice_by=page.readings["slice_by"].replace("model/channel", "model/campaign"))
    shown = soup(
        Page("pipeline", told, invented.EDITION, invented.REGISTER).models("attributed_pipeline", "model/campaign")
    )
    assert not shown.select("li, details") and "2 more models in readings.csv" in shown.get_text()


def test_a_channel_whose_rank_depends_on_the_model_is_named() -> None:
    shown = soup(credited().models("attributed_pipeline", "model/channel"))
    assert "Rank depends on the model: Email (60%) of pairs of models." in shown.get_text()


def test_the_rules_of_attribution_are_printed_as_they_were_in_force() -> None:
    shown = soup(page_of("pipeline").attribution_rules())
    told = {row.th.get_text(): row.td.get_text() for row in shown.select("tbody tr")}
    assert told["attribution.look_back_days"] == "365" and told["attribution.excluded_kinds"] == "impression"
    assert told["attribution.one_per_campaign_and_day"] == "no"


def test_each_rule_of_influence_is_printed_from_strict_to_generous_with_what_it_asks_for() -> None:
    page = page_of("pipeline")
    told = [[cell.get_text() for cell in row] for row in soup(page.influence_rules()).select("tbody tr")]
    assert told == [
        ["Strict", "5", "3", "180", "responses"],
        ["Default", "3", "2", "180", "responses"],
        ["One response", "1", "any", "180", "responses"],
        ["Any touch", "1", "any", "180", "any touch but an impression"],
    ]
    drawn = soup(page.range("influenced_pipeline", "rule").table)
    assert [name.get_text() for name in drawn.select("tbody th")][:4] == [row[0] for row in told]
