"""What the survey pages need to know and to have done; the rest of Heard stands behind this port.

A token that we did not sign, and one whose person was forgotten, are one thing to the pages: nobody.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from heard.accounts.workspace import Brand
from heard.responses.clicks import Link
from heard.surveys.wording import Wording


class Wish(StrEnum):
    """What somebody may want of surveys."""

    NONE = "none"  # no survey at all
    LESS = "less"  # fewer of them
    NOT_THIS = "not_this"  # others, not this one


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that counts now."""

    value: int
    comment: str = ""
    at: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One person's invitation, open to be answered."""

    delivery_id: str
    brand: Brand
    wording: Wording
    first_name: str | None = None
    because: str | None = None  # completes "You are asked because"
    closes_at: datetime | None = None  # until when an answer can be given or changed; None = no end
    answered: Answered | None = None
    quiet_until: datetime | None = None  # this survey does not come again before then; None = no promise is made
    unsubscribed: bool = False
    less_often: bool = False  # they asked for fewer surveys
    not_this_one: bool = False  # they asked for this survey no more
    preview: bool = False  # a member looks at their own survey: nothing that is sent is kept


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """One person's invitation that can no longer be answered. Its way out stays open for ever."""

    delivery_id: str
    brand: Brand
    wording: Wording
    closed_at: datetime | None = None
    answered: Answered | None = None
    unsubscribed: bool = False
    less_often: bool = False  # they asked for fewer surveys
    not_this_one: bool = False  # they asked for this survey no more


class Respondents(Protocol):
    async def find(self, token: str) -> Asked | Closed | None: ...

    async def clicked(
        self, token: str, *, link: Link, method: str, value: int | None = None, agent: str, client: str
    ) -> None:
        """A link of the mail was fetched (`GET` or `HEAD`), by a person or a machine: provisional, never an answer.
        `value` is the score of a link that has one."""
        ...

    async def answer(self, token: str, *, value: int, comment: str, agent: str, client: str) -> Asked | Closed | None:
        """A form was sent: the verdict is `human`, and this version counts from now on. The value is within the scale.

        Returns the invitation as it is afterwards; `Closed` when it came too late and nothing was kept.
        """
        ...

    async def wish(self, token: str, wish: Wish, *, on: bool) -> Asked | Closed | None:
        """What this mailbox wants, at once, reminders that are queued included; `on` False takes it back. Twice is the
        same as once."""
        ...
