"""Content: what was viewed, downloaded and watched, by whom, and whether accounts moved on after it.

An account takes an asset in by viewing its page for `READ_SECONDS` or more, by downloading it or by watching it. Machines and
our own people never count.
"""

from __future__ import annotations

import narwhals as nw

from . import Base, Cut, Frame, accounts, engagement, fact, stages

READ_SECONDS = 10  # a shorter view took nothing in
TAKEN_IN = ("download", "webinar")
TAGS = ("theme", "funnel", "message", "value_proposition")
BLANK = "not stated"
NONE = ""  # a key that names nothing: joins and grouped rows would lose a blank
WINDOW = ["quarter", "window"]
PLACE = [*WINDOW, "account_id"]


def described_assets(base: Base) -> Frame:
    """One row per asset: its title, page and tags, blanks in words."""
    named = nw.when(nw.col("is_gated")).then(nw.lit("gated")).otherwise(nw.lit("open"))
    gated = nw.when(nw.col("is_gated").is_null()).then(nw.lit(BLANK)).otherwise(named)
    tags = {tag: nw.col(tag).fill_null(BLANK) for tag in TAGS}
    return base.tables.assets.select("asset_id", "page", "kind", asset="title", gated=gated, **tags)


def _asset_views(cut: Cut) -> Frame:
    """Views of pages that are an asset's, in the windows that hold them, with the asset."""
    views = cut.base.of_others(cut.tables.page_views.filter(~nw.col("is_bot").fill_null(False))).drop(
        "person_id", "visitor_id"
    )
    views = views.with_columns(day=nw.col("viewed_on"), channel=nw.col("channel").fill_null("unknown"))
    return views.join(cut.days, on="day").join(described_assets(cut.base).rename({"kind": "asset_kind"}), on="page")


def _acts(cut: Cut) -> Frame:
    """quarter, window, account_id, asset_id, channel, day, acts: what any account took in, each day of it."""
    return cut.base.once(f"content acts {cut.kind}", lambda: _acted(cut))


def _acted(cut: Cut) -> Frame:
    columns = [*PLACE, "asset_id", "channel", "day"]
    read = _asset_views(cut).filter(nw.col("engaged_seconds") >= READ_SECONDS).select(*columns)
    taken = cut.base.of_others(cut.tables.touches.filter(nw.col("kind").is_in(TAKEN_IN)))
    taken = taken.with_columns(day=nw.col("touched_on"), asset_id=nw.col("asset_id").fill_null(NONE))
    acts = nw.concat([read, taken.join(cut.days, on="day").select(*columns)])
    return acts.filter(~nw.col("account_id").is_null()).group_by(*columns).agg(acts=nw.len())


@fact(one_row_per=("account_id", "asset_id", "channel"), needs=("page_views", "assets", "account_lists", "accounts"))
def content_engagements(cut: Cut) -> Frame:
    """Target accounts at the quarter's start with each asset they took in and the channel that led there: how many times.

    One that took nothing in has one row, without an asset, a channel and tags.
    """
    taken = _acts(cut).group_by(*PLACE, "asset_id", "channel").agg(engagements=nw.col("acts").sum())
    targets = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    rows = targets.join(_with_assets(cut, taken), on=PLACE, how="left")
    return rows.with_columns(nw.col("engagements").fill_null(0))


def _with_assets(cut: Cut, rows: Frame) -> Frame:
    rows = rows.join(described_assets(cut.base).drop("page", "kind"), on="asset_id", how="left")
    return rows.with_columns(nw.col(word).fill_null(BLANK) for word in ("asset", "gated", *TAGS))


@fact(one_row_per=("segment", "theme"), needs=("page_views", "assets", "account_lists", "accounts"))
def content_themes(cut: Cut) -> Frame:
    """Engagements of target accounts by segment and theme, with what a count of alike pairs needs; untagged assets left out.

    `is_top` marks the theme with most engagements of all, `is_top_in_segment` of its segment: of equals the first by name.
    """
    themes = content_engagements(cut).filter(nw.col("theme") != BLANK)
    themes = themes.group_by(*WINDOW, "segment", "theme").agg(engagements=nw.col("engagements").sum())
    count, segment = nw.col("engagements"), [*WINDOW, "segment"]
    themes = themes.with_columns(
        _all=count.sum().over(*WINDOW), _of_theme=count.sum().over(*WINDOW, "theme"),
        _of_segment=count.sum().over(*segment), _most_in_segment=count.max().over(*segment),
    ).with_columns(_most=nw.col("_of_theme").max().over(*WINDOW))  # fmt: skip
    first = nw.when(nw.col("_of_theme") == nw.col("_most")).then(nw.col("theme")).min().over(*WINDOW)
    leads = nw.when(count == nw.col("_most_in_segment")).then(nw.col("theme")).min().over(*segment)
    return themes.with_columns(_first=first, _leads=leads).with_columns(
        is_top=nw.col("theme") == nw.col("_first"), is_top_in_segment=nw.col("theme") == nw.col("_leads"),
        pairs=count * nw.col("_all"), alike=count * nw.col("_of_theme"),
        pairs_in_segment=count * nw.col("_of_segment"), alike_in_segment=count * count,
    )  # fmt: skip


@fact(one_row_per=("view_id", "asset_id"), needs=("page_views", "assets"), is_held=False)
def content_views(cut: Cut) -> Frame:
    """Views of assets' pages by anyone, with how long and how far they were read; `landing_page` for those that are one."""
    at_start = accounts.at_edge(cut.base, "start").select("quarter", "account_id", "target")
    views = _asset_views(cut).join(at_start, on=["quarter", "account_id"], how="left")
    landing = nw.when(nw.col("asset_kind") == "landing_page").then(nw.col("page"))
    return views.with_columns(landing_page=landing, target=nw.col("target").fill_null(accounts.OUTSIDE))


@fact(one_row_per=("account_id", "asset_id", "channel"), needs=("touches",))
def downloads(cut: Cut) -> Frame:
    """Downloads by account, asset and channel; an account that is not known has an empty id."""
    taken = cut.base.of_others(cut.tables.touches.filter(nw.col("kind") == "download")).with_columns(
        day=nw.col("touched_on"), account_id=nw.col("account_id").fill_null(NONE), asset_id=nw.col("asset_id").fill_null(NONE)
    )  # fmt: skip
    counted = taken.join(cut.days, on="day").group_by(*PLACE, "asset_id", "channel").agg(downloads=nw.len())
    at_start = accounts.at_edge(cut.base, "start").select("quarter", "account_id", "target")
    counted = counted.join(at_start, on=["quarter", "account_id"], how="left")
    return _with_assets(cut, counted).with_columns(target=nw.col("target").fill_null(accounts.OUTSIDE))


@fact(one_row_per=("account_id", "campaign_id"), needs=("page_views", "assets", "account_lists", "accounts"))
def landing_page_accounts(cut: Cut) -> Frame:
    """Target accounts at the quarter's start, once for each campaign that brought them to a landing page; others once, bare."""
    seen = _asset_views(cut).filter(nw.col("asset_kind") == "landing_page")
    seen = seen.with_columns(nw.col("campaign_id").fill_null(NONE)).group_by(*PLACE, "campaign_id").agg(views=nw.len())
    campaigns = cut.tables.campaigns.select("campaign_id", campaign="name")
    seen = seen.join(campaigns, on="campaign_id", how="left").with_columns(nw.col("campaign").fill_null("no campaign"))
    targets = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    rows = targets.join(seen, on=PLACE, how="left")
    return rows.with_columns(nw.col("views").fill_null(0))


@fact(
    one_row_per=("of", "name", "stage"), needs=("page_views", "assets", "account_stages", "account_lists", "accounts")
)
def content_progressions(cut: Cut) -> Frame:
    """Target accounts by stage thirty days before the quarter's end: who took content in before then, and who moved up since.

    `of` = content (any), theme, asset. `alike` and `alike_up` are the accounts that did not, weighted so that their stages
    are those of the accounts that did; they add up to as many as they are worth. A stage without both is left out, and so
    are accounts at the last stage.
    """
    every = _moved(cut).group_by("quarter", "stage").agg(_all=nw.len(), _all_up=nw.col("moved_up").sum())
    took = _taken_before(cut).join(_moved(cut), on=["quarter", "account_id"])
    took = took.group_by("quarter", "window", "of", "name", "stage").agg(
        took=nw.len(), took_up=nw.col("moved_up").sum()
    )
    both = took.join(every, on=["quarter", "stage"]).filter(nw.col("_all") > nw.col("took"))
    took_in, others = nw.col("took").cast(nw.Float64), (nw.col("_all") - nw.col("took")).cast(nw.Float64)
    both = both.with_columns(
        _weight=took_in / others, _others_up=(nw.col("_all_up") - nw.col("took_up")).cast(nw.Float64)
    ).with_columns(_others=others, _spread=took_in * nw.col("_weight"))
    group = ["quarter", "window", "of", "name"]
    both = both.with_columns(_size=nw.col("took").sum().over(*group), _spread=nw.col("_spread").sum().over(*group))
    weight = nw.col("_weight") * nw.col("_size").cast(nw.Float64) / nw.col("_spread")
    both = both.with_columns(alike=nw.col("_others") * weight, alike_up=nw.col("_others_up") * weight)
    return both.with_columns(
        nw.when(nw.col("of") == name).then(nw.col("name")).alias(name) for name in ("theme", "asset")
    )


def _taken_before(cut: Cut) -> Frame:
    """quarter, window, of, name, account_id: what each account took in before the quarter's last thirty days."""
    edge = cut.base.windows.edges().filter(nw.col("edge") == "last_30_days").select("quarter", "edge_on")
    acts = _acts(cut).join(edge, on="quarter").filter(nw.col("day") < nw.col("edge_on"))
    acts = _with_assets(cut, acts).with_columns(content=nw.lit("any"))
    taken = [acts.select(*PLACE, of=nw.lit(of), name=nw.col(of)).unique() for of in ("content", "theme", "asset")]
    return nw.concat(taken).filter(nw.col("name") != BLANK)


def _moved(cut: Cut) -> Frame:
    """quarter, account_id, stage, moved_up: target accounts thirty days before the quarter's end, those at the last stage left out."""
    moves = stages.stage_moves(Cut(cut.base, "last_30_days")).filter(nw.col("was") < stages.RENEWAL)
    up = nw.when(nw.col("is_progressed")).then(1).otherwise(0)
    return cut.base.once("moved up", lambda: moves.select("quarter", "account_id", stage="was", moved_up=up))


@fact(one_row_per=("account_id",), needs=("touches", "account_lists", "accounts"))
def engaged_account_channels(cut: Cut) -> Frame:
    """Engaged target accounts with the number of channels they were met on in the days that the rule looks back on."""
    touches = cut.base.of_others(cut.tables.touches.filter(nw.col("kind") != "impression")).with_columns(
        day=nw.col("touched_on")
    )
    met = touches.join(engagement.days_looked_at(cut), on="day").select(*PLACE, "channel").unique()
    met = met.group_by(*PLACE).agg(channels=nw.len())
    targets = accounts.accounts_at_start(cut).filter(nw.col("is_target"))
    return targets.join(engagement.engaged(cut), on=PLACE).join(met, on=PLACE)
