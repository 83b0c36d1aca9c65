"""Whether somebody may be asked at all. What they told us outranks every campaign.

Suppressions are kept append-only, each with its time: a row switches a kind on or off, the latest one counts.
They hold for the contact and for its mailbox, so a second account behind the same address is left alone too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    UNSUBSCRIBED = "unsubscribed"  # they asked us to stop
    INACTIVE = "inactive"  # a member set them aside
    BOUNCED = "bounced"  # the mailbox does not take mail
    COMPLAINED = "complained"  # they marked a mail as spam
    SUPPRESSED = "suppressed"  # a privacy request


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    on: bool
    at: datetime
    contact: int | None = None
    email_key: str | None = None


def standing(rows: Iterable[Suppression]) -> frozenset[Kind]:
    """Which kinds hold, given every row about a person or their mailbox."""
    latest: dict[Kind, Suppression] = {}
    for row in sorted(rows, key=lambda row: row.at):
        latest[row.kind] = row
    return frozenset(kind for kind, row in latest.items() if row.on)


def status(kinds: frozenset[Kind]) -> str:
    """One word for the contact's page: `active inactive unsubscribed bounced complained`."""
    for kind in (Kind.COMPLAINED, Kind.UNSUBSCRIBED, Kind.BOUNCED, Kind.INACTIVE):
        if kind in kinds:
            return kind.value
    return "inactive" if Kind.SUPPRESSED in kinds else "active"
