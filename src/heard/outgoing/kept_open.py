"""Connections between two requests: each host's own, used again for a few seconds, then closed.

httpcore's own pool looks through all its connections, each against all others, twice a request: with 32 side by side
that cost more than the request.
"""

from __future__ import annotations

import asyncio
import ssl

import httpcore

from heard.outgoing.url import Target

KEPT_OPEN = 4.0  # seconds in which an idle connection is used again; many servers close theirs after five
MOST_KEPT_OPEN = 32  # idle connections in all
Place = tuple[str, str, int]  # scheme, host, port


class KeptOpen:
    """Hands out connections, idle ones before new ones. What is taken has to be given back."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, trusted: ssl.SSLContext) -> None:
        self._backend = backend
        self._trusted = trusted
        self._idle: dict[Place, list[httpcore.AsyncHTTPConnection]] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def take(self, target: Target) -> httpcore.AsyncHTTPConnection:
        """The one used last, for its server has had the least time to close it."""
        kept = self._idle.get(_place(target), [])
        while kept:
            connection = kept.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._trusted, keepalive_expiry=KEPT_OPEN, network_backend=self._backend
        )

    async def give_back(self, target: Target, connection: httpcore.AsyncHTTPConnection) -> None:
        """After a request, however it ended. Kept where nothing of it is left on the line."""
        if connection.is_closed() or not connection.is_idle() or self._count() >= MOST_KEPT_OPEN:
            await connection.aclose()
            return
        self._idle.setdefault(_place(target), []).append(connection)
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        idle, self._idle = self._idle, {}
        for connection in (each for kept in idle.values() for each in kept):
            await connection.aclose()

    def _count(self) -> int:
        return sum(len(kept) for kept in self._idle.values())

    async def _sweep(self) -> None:
        """Close what nobody came for, so that no connection outlives its use by more than its time."""
        while self._idle:
            await asyncio.sleep(KEPT_OPEN)
            for place, kept in list(self._idle.items()):
                for connection in [each for each in kept if each.has_expired()]:
                    kept.remove(connection)
                    await connection.aclose()
                if not kept:
                    del self._idle[place]
        self._sweeping = None


def _place(target: Target) -> Place:
    return target.scheme, target.host, target.port
