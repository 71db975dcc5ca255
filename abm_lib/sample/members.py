"""Who belonged to which campaign, and when they answered it."""

from __future__ import annotations

from .campaigns import Campaigns
from .shape import Row, Shape, chance
from .waves import Waves


def campaign_members(shape: Shape, campaigns: Campaigns, touches: list[Row], waves: Waves) -> list[Row]:
    """Everyone who touched a campaign, with the first response; a part of them, as CRMs have it."""
    rng = shape.rng("members")
    channel = {row["campaign_id"]: row["channel"] for row in campaigns.rows}
    found: dict[tuple[str, str], Row] = {}
    for touch in touches:
        person, campaign = touch.get("person_id"), touch.get("campaign_id")
        if not person or not campaign or chance(rng, 0.55 if channel[campaign] == "email" else 0.25):
            continue
        row = found.setdefault(
            (person, campaign),
            {"person_id": person, "campaign_id": campaign, "joined_at": touch["touched_at"], "status": "sent"},
        )
        if touch["is_response"] and not row.get("responded_at"):
            row |= {"responded_at": touch["touched_at"], "status": "responded"}
    return sorted(found.values(), key=lambda row: (row["joined_at"], row["person_id"], row["campaign_id"]))
