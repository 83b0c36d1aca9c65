"""Who is meant by an id: whose an anonymous id is, and what an alias may change about it.

An identify or alias that carries both ids says whose the anonymous id is; the latest one counts. A link is one step:
what it leads to is a userId and is never looked up again as an anonymous id, so no chain of links can go in a circle.
Links say whose a message is. They never make one contact of two: a wrong guess about that cannot be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

NOBODYS = frozenset({"-1", "anonymous", "guest", "nil", "none", "null", "undefined", "unknown"})
"""What programs write where they have no id: as an anonymous id it would make one person of many."""
_ZEROS = re.compile(r"[0-]*")


class Unchanged(StrEnum):
    """Why an alias changes nothing."""

    ALIAS_OF_ITSELF = "alias_of_itself"  # what analytics.js makes of every alias once it knows the user
    ALIAS_BETWEEN_CONTACTS = "alias_between_contacts"
    ALIAS_OF_NOBODY = "alias_of_nobody"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    anonymous_id: str
    user_id: str
    at: datetime  # when the message that said so was received
    shared: bool = False  # it was another user's before


class Links:
    """Whose the anonymous ids are, as far as a batch is concerned; it learns from message to message."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._users = dict(known or {})
        self.changed: dict[str, Link] = {}

    def of(self, anonymous_id: str | None) -> str | None:
        """The userId; None when nobody said whose it is."""
        return None if anonymous_id is None else self._users.get(anonymous_id)

    def learn(self, link: Link) -> bool:
        """Whether it was nobody's until now."""
        before = self._users.get(link.anonymous_id)
        if before != link.user_id:
            self._users[link.anonymous_id] = link.user_id
            self.changed[link.anonymous_id] = msgspec.structs.replace(link, shared=before is not None)
        return before is None


def names_nobody(anonymous_id: str) -> bool:
    """Whether it stands for "no id" rather than for a browser or device: `null`, `anonymous`, `00000000-0000-...`."""
    return anonymous_id.strip().casefold() in NOBODYS or _ZEROS.fullmatch(anonymous_id) is not None


def unchanged_by(user_id: str, previous_id: str, contacts: Container[str]) -> Unchanged | None:
    """Why an alias of `previous_id` to `user_id` changes nothing; None when it links them.

    `contacts`: the userIds of contacts. What is no contact's userId may be the anonymous id of a browser.
    """
    if previous_id == user_id:
        return Unchanged.ALIAS_OF_ITSELF
    if previous_id in contacts:
        return Unchanged.ALIAS_BETWEEN_CONTACTS
    return Unchanged.ALIAS_OF_NOBODY if names_nobody(previous_id) else None
