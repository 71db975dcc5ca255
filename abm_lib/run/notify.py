"""Tell people that an edition is there: a short text to mail, Slack, Teams and the like through apprise.

Nothing is sent unless asked for, nobody is told twice of one edition, and what goes wrong here undoes no publication. What
was sent to whom is kept beside the edition, never in it, and addresses are kept as digests alone: they hold passwords.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from ..errors import EnvironmentFault, Fault, NotAnnounced, UsageError
from ..pages import Page
from ..show.html import clean, short
from ..show.numbers import quarter_name

LONGEST = 1500  # characters


def message(folder: Path, link: str) -> tuple[str, str]:
    """The title and the text: the executive page's message, the state of the edition and where it lies."""
    from .. import edition as editions
    from .. import metrics  # noqa: F401  (fills the register)
    from ..metric import REGISTER

    edition = json.loads((folder / "manifest.json").read_text("utf-8"))["edition"]
    readings = editions.read_readings(folder)
    title = f"{short(edition['company'], 60)}: ABM report {quarter_name(edition['quarter'])}, {edition['state']}"
    said = Page("summary", readings, edition, REGISTER).header().text
    text = f"{said}\n\nData as of {edition['as_of']}, {edition['caveats']} caveats.\n{link}"
    return _harmless(title), "\n".join(_harmless(line) for line in text.splitlines())[:LONGEST]


def _harmless(line: str) -> str:
    """One line without what a chat takes for a command, a mention or a link of its own, or a mail for a header."""
    return clean(line).translate({ord("<"): "‹", ord(">"): "›", ord("@"): "(at)", ord("`"): "'", ord("*"): "∗"})


def send(folder: Path, addresses: Sequence[str], title: str, text: str) -> tuple[int, int]:
    """Send to each address that was not told of this edition yet; how many were told now, and how many before.

    Raises NotAnnounced, after all others were told, where one could not be.
    """
    try:
        import apprise
    except ImportError:
        fault = (
            "P21",
            "no-apprise",
            "abm notify",
            "apprise is not installed",
            "the extra `notify`",
            "pip install 'abm_lib[notify]'",
        )
        raise EnvironmentFault(Fault(*fault)) from None
    if not addresses:
        fault = ("P19", "nobody", "abm notify", "no address", "--to, or ABM_NOTIFY", "say whom to tell")
        raise UsageError(Fault(*fault))
    book = _book(folder)
    told: list[str] = json.loads(book.read_text("utf-8")) if book.is_file() else []
    new = [address for address in addresses if _digest(address) not in told]
    faults = []
    plain = apprise.AppriseAsset(app_id="abm", image_url_mask="", image_url_logo="")  # no picture from elsewhere
    for address in new:
        if not (asked := apprise.Apprise(asset=plain)).add(address):
            faults.append(_not_told(address, "an address that apprise does not know"))
        elif not asked.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
            faults.append(_not_told(address, "refused, or nobody answered"))
        else:
            told.append(_digest(address))
            draft = book.with_suffix(".draft")
            draft.write_text(json.dumps(told), encoding="utf-8")
            draft.replace(book)
    if faults:
        raise NotAnnounced(faults)
    return len(new), len(addresses) - len(new)


def _book(folder: Path) -> Path:
    """Where it stands who was told of an edition. A later run that published the same of it is no other edition."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    edition = manifest["edition"]
    said = [edition["quarter"], edition["state"], edition.get("restatement", 0), manifest["files"]["readings.parquet"]]
    return folder.parent / f"{sha256(json.dumps(said).encode()).hexdigest()[:16]}.sent"


def _digest(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:16]


def _not_told(address: str, found: str) -> Fault:
    where = address.partition(":")[0]  # the rest may hold a password
    return Fault(
        "P18", "not-announced", where, found, "a message delivered", "mend the address, then `abm notify` again"
    )
