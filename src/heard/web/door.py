"""The door to pages that only members may see: e-mail and password, asked by the browser itself.

Argon2id is slow on purpose, so at most two checks run at a time, a good one is remembered for five minutes (as a keyed
hash, in memory), and after a few wrong ones each makes the next wait longer, for that account from that client. An
unknown account costs the same.
"""

from __future__ import annotations

import asyncio
import binascii
import hmac
import secrets
import time
from base64 import b64decode
from contextlib import suppress
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from sqlalchemy import Connection

from heard.installation import Installation
from heard.store import dialects

REMEMBERED = 300.0  # seconds
FREE_TRIES = 4
LONGEST_WAIT = 60.0  # seconds between two tries after many wrong ones
MINE = "workspaces"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Heard", charset="UTF-8"', "Cache-Control": "no-store"}


class Door:
    def __init__(self, app: Installation) -> None:
        self._app = app
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[float, frozenset[int]]] = {}  # proof -> until when, workspaces
        self._wrong: dict[tuple[str, str], tuple[int, float]] = {}  # account, client -> tries, not before
        self._turns = asyncio.Semaphore(2)

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        """A Litestar guard; afterwards `workspaces(connection)` are those the member may see.

        Raises:
            HTTPException: 401 with a challenge, or 429 with the seconds to wait.
        """
        email, password = _credentials(connection.headers.get("authorization", ""))
        if not email:
            raise HTTPException("Sign in with your e-mail address and password.", status_code=401, headers=CHALLENGE)
        stored = await self._app.store.read(lambda found: _hashes_of(found, email))
        # The hashes are part of the proof: whoever was removed, or has a new password, is not remembered.
        proof = hmac.digest(self._key, repr((email, password, stored)).encode(), "sha256")
        until, mine = self._known.get(proof, (0.0, frozenset[int]()))
        if until > time.monotonic():
            connection.state[MINE] = mine
            return
        who = (email, connection.headers.get("x-heard-client", ""))  # others must not lock the owner out
        tries, not_before = self._wrong.get(who, (0, 0.0))
        if (wait := not_before - time.monotonic()) > 0:
            later = {"Retry-After": str(int(wait) + 1)}
            raise HTTPException("Too many tries; wait a moment.", status_code=429, headers=later)
        if len(self._wrong) > 10_000:
            self._wrong.clear()
        # Counted before the check, because guesses can come side by side.
        self._wrong[who] = (tries + 1, time.monotonic() + _wait_after(tries + 1))
        async with self._turns:
            mine = await asyncio.to_thread(_workspaces, stored, password)
        if not mine:
            raise HTTPException("Wrong e-mail address or password.", status_code=401, headers=CHALLENGE)
        self._wrong.pop(who, None)
        if len(self._known) > 1000:
            self._known.clear()
        self._known[proof] = (time.monotonic() + REMEMBERED, mine)
        connection.state[MINE] = mine


def _wait_after(tries: int) -> float:
    """Seconds before the next try: none after four wrong ones, then 2, 4, 8, at most 60."""
    return min(2.0 ** (tries - FREE_TRIES), LONGEST_WAIT) if tries > FREE_TRIES else 0.0


def workspaces(connection: ASGIConnection[Any, Any, Any, Any]) -> frozenset[int]:
    """The workspaces of whoever came through the door; none for anybody else."""
    return connection.state.get(MINE, frozenset[int]())


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        email, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return email.strip().casefold(), password


def _hashes_of(connection: Connection, email: str) -> list[tuple[int, str]]:
    """(workspace, hash) of every account with this address."""
    rows = dialects.fetch(connection, "SELECT workspace_id, password_hash FROM members WHERE email_key = ?", email)
    return [(row[0], row[1]) for row in rows]


def _workspaces(stored: list[tuple[int, str]], password: str) -> frozenset[int]:
    """Those of the accounts that this password opens."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
    if not stored:
        hasher.hash(password)  # as long as a real check, so that time does not tell who has an account
    mine: set[int] = set()
    for workspace, hashed in stored:
        with suppress(Argon2Error, InvalidHashError):
            hasher.verify(hashed, password)
            mine.add(workspace)
    return frozenset(mine)
