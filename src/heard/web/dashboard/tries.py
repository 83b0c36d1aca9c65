"""Checking a password: slow on purpose, two at a time, and slower for whoever guesses.

Argon2id takes tens of milliseconds of a core and 19 MiB, so no more than two checks run at once. After a few wrong
tries each makes the next wait longer, for that address from that client; one client may also be wrong only so often
whatever address it tries. An unknown address costs the same time as a known one.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence

from heard.errors import HeardError

FREE_TRIES = 4
FREE_TRIES_OF_A_CLIENT = 30
LONGEST_WAIT = 60.0  # seconds between two tries after many wrong ones
FORGOTTEN_AFTER = 3600.0  # seconds
REMEMBERED = 10_000


class TooSoon(HeardError):
    """`seconds` until the next try is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many tries. Wait {math.ceil(seconds)} seconds, then try again.")
        self.seconds = math.ceil(seconds)


class Tries:
    def __init__(self) -> None:
        self._wrong: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()  # who -> tries, not before
        self._turns = asyncio.Semaphore(2)

    async def check(self, email: str, client: str, password: str, hashes: Sequence[str]) -> bool:
        """Whether `password` opens one of the accounts of this address.

        Raises:
            TooSoon: nothing was checked; there were too many wrong tries.
        """
        limits = (((email, client), FREE_TRIES), (("client", client), FREE_TRIES_OF_A_CLIENT))
        for who, _ in limits:
            if (wait := self._wrong.get(who, (0, 0.0))[1] - time.monotonic()) > 0:
                raise TooSoon(wait)
        for who, free in limits:  # counted before the check, because guesses can come side by side
            self._count(who, free)
        async with self._turns:
            right = await asyncio.to_thread(_opens, password, hashes)
        if right:
            for who, _ in limits:
                self._wrong.pop(who, None)
        return right

    def _count(self, who: Hashable, free: int) -> None:
        now = time.monotonic()
        tries, not_before = self._wrong.pop(who, (0, 0.0))
        tries = 1 if now - not_before > FORGOTTEN_AFTER else tries + 1
        self._wrong[who] = (tries, now + wait_after(tries, free))
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)


def wait_after(tries: int, free: int) -> float:
    """Seconds before the next try: none after `free` wrong ones, then 2, 4, 8, at most 60."""
    return min(2.0 ** min(tries - free, 10), LONGEST_WAIT) if tries > free else 0.0


def _opens(password: str, hashes: Sequence[str]) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
    if not hashes:
        hasher.hash(password)  # as long as a real check, so that time does not tell who has an account
    for hashed in hashes:
        try:
            if hasher.verify(hashed, password):
                return True
        except (Argon2Error, InvalidHashError):
            continue
    return False
