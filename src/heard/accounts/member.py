"""A member signs in to a workspace with a role; `may` says what a role allows.

Each role may do all that the ones below it may.

    viewer   see everything
    member   ask: surveys, campaigns, who wants no mail
    admin    set up: brand, sources, destinations, audiences, keys, members
    owner    workspaces, and other owners
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Action(StrEnum):
    """What somebody wants to do, as far as roles tell it apart."""

    SEE = "see"
    ASK = "ask"  # surveys and campaigns, a test mail, somebody's wish to get no mail, who gave an answer
    SET_UP = "set_up"  # brand, quiet period, sources, destinations, audiences, the workspace file
    KEYS = "keys"
    MEMBERS = "members"
    AUDIT = "audit"  # read who changed what
    WORKSPACES = "workspaces"  # make another one, make owners


ALLOWED: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.SEE}),
    Role.MEMBER: frozenset({Action.SEE, Action.ASK}),
    Role.ADMIN: frozenset(Action) - {Action.WORKSPACES},
    Role.OWNER: frozenset(Action),
}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    email: str
    role: Role
    created_at: datetime


def may(role: Role, action: Action) -> bool:
    return action in ALLOWED[role]


def who_may(action: Action) -> Role:
    """The lowest role that may: what a page says to somebody whose role is not enough."""
    return next(role for role in reversed(Role) if may(role, action))


def may_give(giver: Role, role: Role) -> bool:
    """Whether `giver` may make somebody a `role`, or take it away: nobody hands out more than they have."""
    return may(giver, Action.MEMBERS) and ALLOWED[role] <= ALLOWED[giver]
