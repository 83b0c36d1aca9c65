"""A member signs in to one workspace, with a role."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    email: str
    role: Role
    created_at: datetime
