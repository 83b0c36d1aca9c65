"""A write whose asker has gone, or that fails, or that loses its transaction: what its neighbours are told is true."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard.store import cursors, tables
from heard.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'heard.db'}")
    opened.write_now(tables.metadata.create_all)
    yield opened
    opened.close()


def put(name: str) -> Callable[[Connection], None]:
    return lambda connection: cursors.put(connection, name, 1)


class Busy:
    """Keeps the writer at a work of its own, so that what is asked for meanwhile waits and goes together."""

    def __init__(self, store: Store) -> None:
        self._begun, self._go_on = threading.Event(), threading.Event()
        self.task = asyncio.create_task(store.write(self._work))

    async def begun(self) -> Busy:
        assert await asyncio.to_thread(self._begun.wait, 10)
        return self

    def go_on(self) -> None:
        self._go_on.set()

    def _work(self, connection: Connection) -> None:
        self._begun.set()
        assert self._go_on.wait(10)
        cursors.put(connection, "busy", 1)


async def together(store: Store, *works: Callable[[Connection], None]) -> list[BaseException | None]:
    """What the askers of these works are told, all of them in one transaction."""
    busy = await Busy(store).begun()
    waiting = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)  # each has taken its place in the queue
    busy.go_on()
    return await asyncio.gather(*waiting, return_exceptions=True)


def kept(store: Store, name: str) -> int:
    return store.read_now(lambda connection: cursors.get(connection, name))


async def leave(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_write_that_was_begun_is_finished_although_nobody_waits_and_the_next_ones_are_done(store: Store):
    async def story() -> None:
        busy = await Busy(store).begun()
        queued = asyncio.create_task(store.write(put("queued")))
        await asyncio.sleep(0)
        await leave(busy.task)
        await leave(queued)
        busy.go_on()
        await asyncio.wait_for(store.write(put("next")), timeout=5)

    asyncio.run(story())

    assert (kept(store, "busy"), kept(store, "queued"), kept(store, "next")) == (1, 0, 1)


def test_a_work_that_fails_takes_nobody_elses_with_it(store: Store):
    def fail(connection: Connection) -> None:
        cursors.put(connection, "half", 1)
        raise LookupError("not today")

    said = asyncio.run(together(store, put("first"), fail, put("third")))

    assert [type(each) for each in said] == [type(None), LookupError, type(None)]
    assert [kept(store, name) for name in ("first", "half", "third")] == [1, 0, 1]


def test_when_the_whole_transaction_is_lost_nobody_is_told_that_theirs_was_kept(store: Store):
    def lose(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # what SQLite does by itself when the disk is full
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    said = asyncio.run(together(store, put("first"), lose, put("third")))

    assert [type(each) for each in said] == [OperationalError] * 3
    store.write_now(put("next"))
    assert [kept(store, name) for name in ("first", "third", "next")] == [0, 0, 1]
