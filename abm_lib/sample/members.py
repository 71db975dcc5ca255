"""Who belonged to which campaign, and when they answered it."""

from __future__ import annotations

from .campaigns import Campaigns
from .shape import Row, Shape, chance
from .waves import Waves


def campaign_members(shape: Shape, campaigns: Campaigns, touches: list[Row], waves: Waves) -> list[Row]:
    """Whoever came by a campaign or touched one, with the first response; a part of them, as CRMs have it."""
    rng = shape.rng("members")
    channel = {row["campaign_id"]: row["channel"] for row in campaigns.rows}
    found = _came_by(shape, campaigns, waves.people.rows)
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


def _came_by(shape: Shape, campaigns: Campaigns, people: list[Row]) -> dict[tuple[str, str], Row]:
    """Six in ten of those whose channel runs campaigns joined one of them on the day on which they became known."""
    rng = shape.rng("came by")
    found: dict[tuple[str, str], Row] = {}
    for person in people:
        at = person["created_at"]
        campaign = campaigns.some(rng, person["channel"], at.date())
        if campaign and chance(rng, 0.6) and not person["is_internal"]:
            key = (person["person_id"], campaign["campaign_id"])
            row = dict(zip(("person_id", "campaign_id"), key, strict=True))
            found[key] = row | {"joined_at": at, "status": "responded", "responded_at": at}
    return found
