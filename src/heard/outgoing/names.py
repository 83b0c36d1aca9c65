"""The addresses of a name, asked of the system's resolver, off the event loop.

A thread for each lookup, so that one that hangs delays neither a stop nor other work that wants threads; one lookup
at a time for a name, and a few in all.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from heard.outgoing.addresses import Address
from heard.outgoing.exchange import NoAnswer

AT_ONCE = 16

Resolver = Callable[[str], Awaitable[Sequence[Address]]]


class SystemResolver:
    """A `Resolver`: every address of a name, in the system's order of preference.

    Raises:
        NoAnswer: "dns": no address is known.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[str, asyncio.Task[Sequence[Address]]] = {}

    async def __call__(self, host: str) -> Sequence[Address]:
        task = self._asked.get(host)
        if task is None:
            task = self._asked[host] = asyncio.create_task(self._ask(host))
            task.add_done_callback(lambda _: self._asked.pop(host, None))
        return await asyncio.shield(task)  # who gives up waiting takes nothing from those who still do

    async def _ask(self, host: str) -> Sequence[Address]:
        async with self._turns:
            answer: asyncio.Future[Sequence[Address]] = asyncio.get_running_loop().create_future()
            threading.Thread(target=_look_up, args=(host, answer), name=f"resolve {host}", daemon=True).start()
            return await answer


def _look_up(host: str, answer: asyncio.Future[Sequence[Address]]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        # A scope (fe80::1%eth0) belongs to link-local addresses only; they are refused with and without it.
        tell = answer.set_result, list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name"
        tell = answer.set_exception, NoAnswer("dns", f"No address is known for {host}: {why}.")

    def hand_back() -> None:
        if not answer.done():
            tell[0](tell[1])  # type: ignore[operator]

    with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
        answer.get_loop().call_soon_threadsafe(hand_back)
