"""What a look at a campaign's people came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from heard.contacts.contact import Contact
from heard.deliveries.reasons import Objection, Reason
from heard.store.recent import Look

IN_THE_SAMPLE = 6


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `due` is when they would be asked; None when they would not, for `objections`."""

    contact: Contact | None
    user_id: str | None
    happened_at: datetime
    due: datetime | None
    objections: tuple[Objection, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`matched` of the `events` that were found met the conditions; `people` did those, `could` of them be asked.

    `held` counts the others by the first rule that objects, the most first.
    """

    events: int
    matched: int
    look: Look
    people: int
    could: int
    held: dict[Reason, int]
    sample: list[Judged]
    named: int  # how many of those who could be asked have a first name


def sample(judged: Sequence[Judged], held: Counter[Reason]) -> list[Judged]:
    """Some who would be asked, and one for each of the commonest reasons."""
    reasons = [reason for reason, _ in held.most_common(IN_THE_SAMPLE - 2)]
    ones = [next(each for each in judged if _first(each) == reason) for reason in reasons]
    asked = [each for each in judged if each.due][: IN_THE_SAMPLE - len(ones)]
    return [*asked, *ones]


def _first(judged: Judged) -> Reason | None:
    return judged.objections[0].reason if judged.objections else None
