"""The couriers of an installation: one for every destination outside, kept in step with what is edited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard.clock import Clock
from heard.courier import PAUSE_AFTER_FAILURE, Carry, Courier
from heard.routing.destination import SURVEYS
from heard.store import cursors, forwards, messages
from heard.store.directory import Directory
from heard.store.store import Store
from heard.store.windows import Windows

log = structlog.get_logger()


class Couriers:
    """`carry` hands a request to the outside and gives what came back."""

    def __init__(self, *, store: Store, clock: Clock, carry: Carry, directory: Callable[[], Directory]) -> None:
        self._store, self._clock, self._carry, self._directory = store, clock, carry, directory
        self._windows = Windows(store)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.started = False
        self._refreshing = asyncio.Lock()
        self.by_destination: dict[int, Courier] = {}

    async def start(self) -> None:
        self.started = True
        while self.started:
            try:
                await self.refresh()
                break
            except OperationalError as error:  # without a database nobody would start them later
                log.error("couriers_not_started_yet", error=str(error.orig))
                await asyncio.sleep(PAUSE_AFTER_FAILURE)

    async def stop(self) -> None:
        """Requests under way are cut; what they carried is carried again."""
        self.started = False
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def refresh(self) -> None:
        """Somebody edited destinations: there are others, or they are told otherwise."""
        async with self._refreshing:  # two at once would send a destination two couriers
            await self._refresh()

    async def _refresh(self) -> None:
        wanted = {each.id: each for each in self._directory().destinations.values() if each.type != SURVEYS}
        for number in self.by_destination.keys() - wanted.keys():
            del self.by_destination[number]
            if task := self._tasks.pop(number, None):
                task.cancel()
        for number, destination in wanted.items():
            courier = self.by_destination.get(number)
            if courier is None:
                position = await self._store.read(partial(_position, destination=number))
                courier = self.by_destination[number] = Courier(
                    destination,
                    position,
                    store=self._store,
                    windows=self._windows,
                    clock=self._clock,
                    carry=self._carry,
                )
            elif courier.destination != destination:
                courier.destination = destination
                courier.look()
            if self.started and number not in self._tasks:
                self._tasks[number] = asyncio.create_task(courier.run(), name=f"courier {destination.name}")

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """While inside, nothing is on its way, and what was read before is forgotten."""
        async with AsyncExitStack() as held:
            for courier in list(self.by_destination.values()):
                await held.enter_async_context(courier.at_rest())
            self._windows.forget()
            yield
            self._windows.forget()

    def wake(self) -> None:
        """New messages are on record."""
        for courier in self.by_destination.values():
            courier.wake()

    def skip(self, destination: int, to: int) -> None:
        """Its messages up to this number are kept no longer."""
        if courier := self.by_destination.get(destination):
            courier.position = max(courier.position, to)

    async def idle(self) -> bool:
        """Do whatever can be done now; False when there was nothing."""
        busy = False
        for courier in list(self.by_destination.values()):
            while await courier.step():
                busy = True
        return busy

    async def next_moment(self) -> datetime | None:
        moments = [await courier.next_moment() for courier in self.by_destination.values()]
        return min((each for each in moments if each is not None), default=None)


def _position(connection: Connection, destination: int) -> int:
    """Where it stopped. One that never began takes what comes from now on."""
    kept = cursors.known(connection, forwards.cursor_of(destination))
    return messages.last(connection) if kept is None else kept
