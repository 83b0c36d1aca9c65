"""One writer thread with a queue: grouped commits, read-your-writes, and no fight for the lock.

Whatever waits in the queue when a transaction begins goes into it together; each piece of work has its own savepoint,
so one that fails takes nobody else's with it. `await run(work)` returns after the commit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from heard.store import dialects

T = TypeVar("T")
Work = Callable[[Connection], T]
MOST_AT_ONCE = 64


class Writer:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._alone: set[Future[Any]] = set()  # those whose work wants no transaction
        self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future

    async def run(self, work: Work[T]) -> T:
        return await asyncio.wrap_future(self.submit(work))

    def submit_alone(self, work: Callable[[Engine], T]) -> Future[T]:
        """The same for what a transaction must not be around; everything else waits meanwhile."""
        future: Future[T] = Future()
        self._alone.add(future)
        self._queue.put((work, future))  # type: ignore[arg-type]
        return future

    def close(self) -> None:
        """Finish what is queued, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            jobs, last = [first], False
            if first[1] in self._alone:
                self._do_alone(*first)
                continue
            while len(jobs) < MOST_AT_ONCE:
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    last = True
                    break
                if job[1] in self._alone:
                    self._commit(jobs)
                    jobs = []
                    self._do_alone(*job)
                    break
                jobs.append(job)
            if jobs:
                self._commit(jobs)
            if last:
                return

    def _do_alone(self, work: Callable[[Any], Any], future: Future[Any]) -> None:
        self._alone.discard(future)
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work(self._engine))
        except Exception as error:
            future.set_exception(error)

    def _commit(self, jobs: list[tuple[Work[Any], Future[Any]]]) -> None:
        # Whoever asked may have left before it was begun; once begun, it is finished.
        jobs = [(work, future) for work, future in jobs if future.set_running_or_notify_cancel()]
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self._engine.begin() as connection:
                for work, future in jobs:
                    try:
                        if len(jobs) == 1:
                            done.append((future, work(connection)))
                        else:
                            with dialects.by_itself(connection):
                                done.append((future, work(connection)))
                    except Exception as error:
                        future.set_exception(error)
                        if len(jobs) == 1 or not dialects.goes_on(connection):
                            raise
        except Exception as error:
            for _, future in jobs:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)
