"""Two kinds of key, never interchangeable.

A *write key* (`wk_...`) belongs to a source and stands in web pages: it can only bring messages in. A *secret key*
(`sk_...`) belongs to a workspace and reads everything in it, and changes it unless its scope is `read`; only its
fingerprint is kept, so it is shown once. It has 256 bits of entropy, so a plain SHA-256 keeps it (slow hashes are for
passwords people choose).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

WRITE_KEY = "wk_"
SECRET_KEY = "sk_"


class Scope(StrEnum):
    """What a secret key may do."""

    FULL = "full"
    READ = "read"  # ask, but change nothing


class SecretKey(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    name: str
    hint: str  # the first seven and the last four characters, to recognise it by
    created_at: datetime
    scope: Scope = Scope.FULL
    last_used: datetime | None = None  # known to the hour
    revoked_at: datetime | None = None


def fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def hint(key: str) -> str:
    return f"{key[:7]}…{key[-4:]}"
