"""The store of one installation: a writer, some readers, and what both may rely on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from heard.store import dialects
from heard.store.dialects import open_engine
from heard.store.writer import Work, Writer

T = TypeVar("T")


class Store:
    """`write` goes through the one writer thread; `read` sees every commit that was answered before it began."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._writing = open_engine(url, writer=True)
        self._reading = open_engine(url, writer=False)
        self._writer = Writer(self._writing)
        self._readers = ThreadPoolExecutor(max_workers=3, thread_name_prefix="reader")
        self.days_made: set[int] = set()  # day tables that are known to exist

    async def write(self, work: Work[T]) -> T:
        return await self._writer.run(work)

    def submit(self, work: Work[T]) -> Future[T]:
        """Take a place in the queue at once; everything submitted later is committed with it or after it."""
        return self._writer.submit(work)

    async def scrub(self, tables: Collection[str]) -> None:
        """Leave nothing of deleted rows in the database's files; nothing else is written meanwhile."""
        await asyncio.wrap_future(self._writer.submit_alone(partial(dialects.scrub, tables=tables)))

    @property
    def has_one_writer(self) -> bool:
        """Whether nobody can write beside the writer."""
        return self._writing.dialect.name == "sqlite"

    async def beside(self, work: Work[T]) -> T:
        """Write without the writer, in a transaction of its own: what takes long and concerns no row of anybody else.

        For PostgreSQL alone; SQLite has one writer.
        """
        return await self.read(work)

    def write_now(self, work: Work[T]) -> T:
        return self._writer.submit(work).result()

    async def read(self, look: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, look)

    def read_now(self, look: Callable[[Connection], T]) -> T:
        with self._reading.begin() as connection:
            return look(connection)

    def close(self) -> None:
        self._writer.close()
        self._readers.shutdown()
        self._writing.dispose()
        self._reading.dispose()
