"""Whether somebody may be asked at all. What they told us outranks every campaign.

Suppressions are kept append-only, each with its time: a row switches a kind on or off, the latest one counts.
They hold for the contact and for its mailbox, so a second account behind the same address is left alone too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    UNSUBSCRIBED = "unsubscribed"  # they asked us to stop
    INACTIVE = "inactive"  # a member set them aside
    BOUNCED = "bounced"  # the mailbox does not take mail
    COMPLAINED = "complained"  # they marked a mail as spam
    SUPPRESSED = "suppressed"  # a privacy request
    LESS_OFTEN = "less_often"  # they asked to be asked less often
    NOT_THIS_ONE = "not_this_survey"  # they asked us to stop with one survey


LESS_OFTEN = timedelta(days=180)
"""Whoever asks for it gets at most one survey in so long, over all campaigns and channels."""
IN_PART = frozenset({Kind.LESS_OFTEN, Kind.NOT_THIS_ONE})
"""Wishes that leave something to be asked."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for between all surveys and none. `surveys` are those that they want no more."""

    less_often: bool = False
    surveys: frozenset[int] = frozenset()


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    on: bool
    at: datetime
    contact: int | None = None
    email_key: str | None = None
    survey: int | None = None  # which one NOT_THIS_ONE is about


def standing(rows: Iterable[Suppression]) -> frozenset[Kind]:
    """Which kinds hold that leave nothing to be asked, given every row about a person or their mailbox."""
    return frozenset(kind for kind, _ in _that_hold(rows) if kind not in IN_PART)


def wishes(rows: Iterable[Suppression]) -> Wishes:
    """What holds in part, given the same rows."""
    hold = _that_hold(rows)
    return Wishes(
        less_often=(Kind.LESS_OFTEN, None) in hold,
        surveys=frozenset(survey for kind, survey in hold if kind is Kind.NOT_THIS_ONE and survey is not None),
    )


def _that_hold(rows: Iterable[Suppression]) -> frozenset[tuple[Kind, int | None]]:
    latest: dict[tuple[Kind, int | None], Suppression] = {}
    for row in sorted(rows, key=lambda row: row.at):
        latest[row.kind, row.survey] = row
    return frozenset(about for about, row in latest.items() if row.on)


def status(kinds: frozenset[Kind]) -> str:
    """One word for the contact's page: `active inactive unsubscribed bounced complained`."""
    for kind in (Kind.COMPLAINED, Kind.UNSUBSCRIBED, Kind.BOUNCED, Kind.INACTIVE):
        if kind in kinds:
            return kind.value
    return "inactive" if Kind.SUPPRESSED in kinds else "active"
