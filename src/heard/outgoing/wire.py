"""One connection's octets, with an end to how many of them wait unread."""

from __future__ import annotations

import asyncio
from typing import cast

MOST_UNREAD = 64 << 10  # octets; the sender has to wait from there on


class Wire(asyncio.Protocol):
    """What asyncio's streams do, but what came before a connection broke can still be read: it may be the answer."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._ended = False
        self._broken: Exception | None = None
        self._changed: asyncio.Future[None] | None = None  # what `read` waits for
        self._writable: asyncio.Future[None] | None = None  # what `write` waits for
        self._transport: asyncio.Transport

    @property
    def has_more(self) -> bool:
        """Something, if only the end, can be read."""
        return bool(self._unread) or self._ended

    async def read(self, most: int) -> bytes:
        """What has come; b"" at the end.

        Raises:
            OSError: the connection broke, and everything before was read.
        """
        while not self.has_more:
            self._changed = asyncio.get_running_loop().create_future()
            await self._changed
        if not self._unread and self._broken is not None:
            raise self._broken
        octets = bytes(self._unread[:most])
        del self._unread[:most]
        if not self._ended and len(self._unread) < MOST_UNREAD:
            self._transport.resume_reading()
        return octets

    async def write(self, octets: bytes) -> None:
        """Hand over; back when there is room for more.

        Raises:
            OSError: the connection is gone.
        """
        if not self._ended:
            self._transport.write(octets)
        if self._writable is not None:
            await self._writable
        if self._ended:
            raise self._broken or ConnectionResetError("the other side has closed the connection")

    def cut(self) -> None:
        """No goodbye: a peer that goes on sending, or does not close its side, is not waited for."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own does not inherit from it

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) >= MOST_UNREAD:
            self._transport.pause_reading()
        _wake(self._changed)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._broken = True, exc
        _wake(self._changed)
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        _wake(self._writable)
        self._writable = None


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
