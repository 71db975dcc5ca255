"""Ad delivery as the platforms report it: by day, by company, by title, by planned experiment."""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, fact


def with_campaigns(base: Base, ads: Frame) -> Frame:
    """The rows with `campaign`, its name, and `programme`."""
    campaigns = base.tables.campaigns.select("campaign_id", campaign="name", programme="programme")
    return ads.join(campaigns, on="campaign_id", how="left").with_columns(
        campaign=nw.col("campaign").fill_null("no campaign"), programme=nw.col("programme").fill_null("no programme")
    )  # fmt: skip


@fact(one_row_per=("day", "platform", "channel", "campaign_id", "ad_id", "variant"), needs=("ad_days",),
      by_day=("campaign_id", with_campaigns))  # fmt: skip
def ad_days(cut: Cut) -> Frame:
    """Ad delivery by day, ad and channel; cost in the reporting currency at the day's rate."""
    ads = cut.base.priced(cut.tables.ad_days.join(cut.days, on="day"), "cost", "day", earlier=True)
    return ads.with_columns(ad_type=nw.col("ad_type").fill_null("not stated"))


@fact(one_row_per=("account_id", "channel"), needs=("ad_account_days", "account_lists"))
def target_account_ads(cut: Cut) -> Frame:
    """Target accounts at the quarter's start, once for each channel whose ads reached them; unreached ones once, bare.

    Platforms leave out companies with very few events, so no row means "not measured", not "not reached".
    """
    targets = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    shown = cut.tables.ad_account_days.filter(~nw.col("account_id").is_null()).join(cut.days, on="day")
    shown = shown.group_by("quarter", "window", "account_id", "channel").agg(
        impressions=nw.col("impressions").sum(), clicks=nw.col("clicks").sum(), reactions=nw.col("reactions").sum()
    )
    every = targets.join(shown, on=["quarter", "window", "account_id"], how="left")
    numbers = {c: nw.col(c).fill_null(0) for c in ("impressions", "clicks", "reactions")}
    return every.with_columns(channel=nw.col("channel").fill_null("none measured"), **numbers)


@fact(one_row_per=("company",), needs=("ad_account_days",))
def company_ads(cut: Cut) -> Frame:
    """Companies that the ad platforms named, on the list or not; one that matched no account goes by its own name."""
    shown = cut.tables.ad_account_days.join(cut.days, on="day")
    key = nw.coalesce(nw.col("account_id"), nw.col("company_name"), nw.lit("not named"))
    shown = shown.with_columns(company=key).group_by("quarter", "window", "company", "account_id").agg(
        impressions=nw.col("impressions").sum(), clicks=nw.col("clicks").sum(), reactions=nw.col("reactions").sum(),
        company_name=nw.col("company_name").max())  # fmt: skip
    at_start = accounts.at_edge(cut.base, "start")
    shown = shown.join(at_start, on=["quarter", "account_id"], how="left")
    words = {
        "tier": nw.col("tier").fill_null(accounts.OUTSIDE),
        "industry": nw.col("industry").fill_null(accounts.UNKNOWN),
    }
    return shown.with_columns(
        account=nw.coalesce(nw.col("account"), nw.col("company_name"), nw.lit("not named")), **words
    )


@fact(one_row_per=("platform", "campaign_id", "title", "seniority", "function", "month"), needs=("ad_title_months",))
def ad_titles(cut: Cut) -> Frame:
    """Clicks by job title and seniority; each month counts in the window that holds its first day."""
    titles = cut.tables.ad_title_months.with_columns(day=nw.col("month")).join(cut.days, on="day")
    return titles.with_columns(
        title=nw.col("title").fill_null("not stated"), seniority=nw.col("seniority").fill_null("not stated")
    )


@fact(one_row_per=("experiment", "is_control"), needs=("ad_days", "experiments"))
def experiment_results(cut: Cut) -> Frame:
    """Clicks and impressions of both sides of a planned comparison, from its first day to its last or the window's.

    Of comparisons that were served in the window; `is_control` marks the variant compared against.
    """
    plans = cut.tables.experiments.select("experiment_id", "control_variant", "starts_on", "ends_on", experiment="name")
    ads = cut.tables.ad_days.filter(~nw.col("experiment_id").is_null()).join(plans, on="experiment_id")
    started = nw.col("starts_on").is_null() | (nw.col("day") >= nw.col("starts_on"))
    running = nw.col("ends_on").is_null() | (nw.col("day") <= nw.col("ends_on"))
    ads = ads.filter(started, running)
    served = ads.join(cut.days, on="day").select("quarter", "window", "experiment").unique()
    ads = ads.join(served, on="experiment").join(cut.windows, on=["quarter", "window"])
    ads = ads.filter(nw.col("day") < nw.col("end_on"))
    ads = ads.with_columns(is_control=nw.col("variant") == nw.col("control_variant"))
    key = ("quarter", "window", "experiment", "is_control")
    return ads.group_by(*key).agg(nw.col("clicks").sum(), nw.col("impressions").sum())


@fact(one_row_per=("experiment",), needs=("experiments",))
def experiment_plans(cut: Cut) -> Frame:
    """Planned comparisons in every window: the part of the ads meant for the control (0 where nobody said), and whether they are over."""
    plans = cut.tables.experiments.select(
        "ends_on", experiment="name", planned_split=nw.col("planned_split").fill_null(0.0)
    ).unique()
    known = cut.base.windows.until(cut.base.quarters[-1].end)
    over = (nw.col("ends_on") < nw.col("end_on")) & (nw.col("ends_on") < nw.lit(known))
    return cut.windows.join(plans, how="cross").with_columns(is_over=over.fill_null(False))
