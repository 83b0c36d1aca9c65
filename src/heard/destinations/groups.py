"""Group calls: an account's traits, and who belongs to it."""

from __future__ import annotations

from datetime import datetime

from heard.contacts.group import Group, Member, told
from heard.destinations.identity import is_a_sync
from heard.messages.message import Message


class Groups:
    """The groups that a batch speaks of, as far as they are known; they learn from message to message."""

    def __init__(self, known: dict[str, Group] | None = None) -> None:
        self.known = known or {}
        self.changed: dict[str, Group] = {}
        self.joined: dict[Member, datetime] = {}

    def learn(self, group: Group) -> None:
        self.known[group.id] = self.changed[group.id] = group


def grouped(message: Message, groups: Groups, workspace: int) -> str | None:
    """What a group call means; gives the reason where it means nothing.

    Account-level traits and audiences arrive as group calls too: they update, and make neither group nor member.
    """
    assert message.group_id is not None  # such a call was rejected
    sync = is_a_sync(message)
    seen = min(message.at, message.received_at)
    before = groups.known.get(message.group_id)
    if before is None:
        if sync:
            return "sync_of_unknown_group"
        new = Group(workspace=workspace, id=message.group_id, first_seen=seen, updated_at=message.received_at)
        groups.learn(told(new, message.traits, at=message.received_at))
    elif (after := told(before, message.traits, at=message.received_at)) is not before:
        groups.learn(after)
    if not sync:
        groups.joined.setdefault(_member(message, message.group_id), seen)
    return None


def _member(message: Message, group: str) -> Member:
    """By the userId; a browser that nobody identified yet belongs to the group until it is known whose it is."""
    if message.user_id is not None:
        return Member(group, message.user_id, False)
    return Member(group, message.anonymous_id or "", True)
