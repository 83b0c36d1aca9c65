"""The door to pages that only members may see: e-mail and password, asked by the browser itself.

Argon2id is slow on purpose, so at most two checks run at a time, a good one is remembered for five minutes (as a keyed
hash, in memory), and each wrong one makes the next wait longer for that account. An unknown account costs the same.
"""

from __future__ import annotations

import asyncio
import binascii
import hmac
import secrets
import time
from base64 import b64decode
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from sqlalchemy import Connection

from heard.installation import Installation
from heard.store import dialects

REMEMBERED = 300.0  # seconds
LONGEST_WAIT = 60.0  # seconds between two tries after many wrong ones
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Heard", charset="UTF-8"', "Cache-Control": "no-store"}


class Door:
    def __init__(self, app: Installation) -> None:
        self._app = app
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, float] = {}
        self._wrong: dict[str, tuple[int, float]] = {}  # account -> tries, not before
        self._turns = asyncio.Semaphore(2)

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        """A Litestar guard. Raises 401 with a challenge, or 429 with the seconds to wait."""
        email, password = _credentials(connection.headers.get("authorization", ""))
        if not email:
            raise HTTPException("Sign in with your e-mail address and password.", status_code=401, headers=CHALLENGE)
        proof = hmac.digest(self._key, f"{email}\0{password}".encode(), "sha256")
        if self._known.get(proof, 0.0) > time.monotonic():
            return
        tries, not_before = self._wrong.get(email, (0, 0.0))
        if (wait := not_before - time.monotonic()) > 0:
            later = {"Retry-After": str(int(wait) + 1)}
            raise HTTPException("Too many tries; wait a moment.", status_code=429, headers=later)
        async with self._turns:
            stored = await self._app.store.read(lambda found: _hash_of(found, email))
            right = await asyncio.to_thread(_matches, stored, password)
        if not right:
            if len(self._wrong) > 10_000:
                self._wrong.clear()
            self._wrong[email] = (tries + 1, time.monotonic() + min(2.0 ** max(0, tries - 3), LONGEST_WAIT))
            raise HTTPException("Wrong e-mail address or password.", status_code=401, headers=CHALLENGE)
        self._wrong.pop(email, None)
        if len(self._known) > 1000:
            self._known.clear()
        self._known[proof] = time.monotonic() + REMEMBERED


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        email, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return email.strip().casefold(), password


def _hash_of(connection: Connection, email: str) -> str | None:
    rows = dialects.fetch(connection, "SELECT password_hash FROM members WHERE email_key = ?", email)
    return rows[0][0] if rows else None


def _matches(stored: str | None, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
    if stored is None:
        hasher.hash(password)  # as long as a real check, so that time does not tell who has an account
        return False
    try:
        return hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
