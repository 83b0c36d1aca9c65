"""Group calls: an account's traits, and who belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from heard.contacts.group import Group, Member, told
from heard.destinations.identity import is_a_sync
from heard.messages.message import Message


class Groups:
    """The groups that a batch speaks of, by groupId, as far as they are known; they learn from message to message.

    `numbers`: ids for those that the batch may make.
    """

    def __init__(self, known: Mapping[str, Group] | None = None, numbers: Iterable[int] = ()) -> None:
        self.known = dict(known or {})
        self._numbers = iter(numbers)
        self.changed: dict[str, Group] = {}
        self.joined: dict[Member, datetime] = {}

    def learn(self, group: Group) -> None:
        self.known[group.group_id] = self.changed[group.group_id] = group

    def next(self) -> int:
        return next(self._numbers)


def grouped(message: Message, groups: Groups, workspace: int) -> str | None:
    """What a group call means; gives the reason where it means nothing.

    Account-level traits and audiences arrive as group calls too: they update, and make neither group nor member.
    """
    assert message.group_id is not None  # such a call was rejected
    sync = is_a_sync(message)
    seen = min(message.at, message.received_at)
    group = groups.known.get(message.group_id)
    if group is None and sync:
        return "sync_of_unknown_group"
    before = group or Group(
        id=groups.next(),
        workspace=workspace,
        group_id=message.group_id,
        first_seen=seen,
        updated_at=message.received_at,
    )
    after = told(before, message.traits, at=message.received_at)
    if after is not group:
        groups.learn(after)
    if not sync:
        groups.joined.setdefault(_member(message, after.id), seen)
    return None


def _member(message: Message, group: int) -> Member:
    """By the userId; a browser that nobody identified yet belongs to the group until it is known whose it is."""
    if message.user_id is not None:
        return Member(group, message.user_id, False)
    return Member(group, message.anonymous_id or "", True)
