"""A group is an account: the company, team or household that contacts belong to.

Its traits grow key by key as a contact's do. Whoever a `group` call names belongs to it from then on; there is no call
that takes them out again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from heard.contacts import traits as known


class Group(msgspec.Struct, frozen=True, kw_only=True):
    id: int  # our own, as a contact's
    workspace: int
    group_id: str  # as it was sent
    traits: bytes = known.EMPTY  # one JSON object
    first_seen: datetime  # when the first call about it happened; never moved
    updated_at: datetime  # when the call was received that last changed its traits


class Member(msgspec.Struct, frozen=True):
    """`id` is a userId; an anonymousId where `anonymous`. Neither need be a contact yet."""

    group: int
    id: str
    anonymous: bool


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    group: Group
    since: datetime


def told(group: Group, said: bytes, *, at: datetime) -> Group:
    """The group after a call that carried these traits. Returns the same object when nothing is new."""
    merged = known.merge(group.traits, said)
    return group if merged is group.traits else msgspec.structs.replace(group, traits=merged, updated_at=at)
