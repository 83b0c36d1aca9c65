"""Privacy requests, carried out one step at a time until nothing is left.

    route      what came before the request: the collector goes on in a new file of the log, so that the old ones,
               once all of them is routed, can be dropped whole
    erase      some subjects at a time: their messages, then everything else, their mails in the outbox
    tell       destinations outside, as long as it takes; see `_tell`
    forget     the ids in the request's own row, copies of the whole folder, what deleted rows left in the database

Where it stands is kept with every step, so a request that was interrupted goes on at the next start. `FINISHED` is
written after everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import structlog
from sqlalchemy.exc import OperationalError

from heard import ids
from heard.board import Board
from heard.clock import Clock
from heard.contacts.regulation import Regulation, State, Told, moved
from heard.courier import Carry
from heard.destinations import webhook
from heard.destinations.outcome import outcome_of
from heard.destinations.retries import next_try
from heard.errors import HeardError
from heard.log.files import DAMAGED, segments
from heard.pipeline import Pipeline
from heard.steps import forget
from heard.store import days, erasing, regulations
from heard.store.directory import Directory
from heard.store.erasing import ROWS_AT_ONCE, Person
from heard.store.store import Store

log = structlog.get_logger()

LOOK_AGAIN = 0.2  # seconds, while something waits
PAUSE_AFTER_FAILURE = 1.0
TOLD_AT_ONCE = 50
TRIES_BEFORE_FAILED = 5
SCRUBBED = ("regulations", "suppressions", "suppressed", *(name for name, _, _ in erasing.NAMED_IN))
ALSO_SCRUBBED = (
    "touches",
    "clicks",
    "opens",
    "list_members",
    "group_members",
    "anonymous_ids",
    "audience_people",
    "audience_memberships",
    "waiting",
    "set_aside",
)


class Forgetting:
    def __init__(
        self,
        *,
        store: Store,
        board: Board,
        clock: Clock,
        pipeline: Pipeline,
        carry: Carry,
        directory: Callable[[], Directory],
        data: Path,
        key: Callable[[int], bytes],
        erased: Callable[[], Awaitable[None]],
    ) -> None:
        """`key`: of a workspace's marks. `erased` is called when something was, for what keeps copies in memory."""
        self._store, self._board, self._clock, self._pipeline = store, board, clock, pipeline
        self._carry, self._directory, self._data, self._erased = carry, directory, data, erased
        self._key = key
        self._asked: dict[int, int] = {}  # by regulation: which rotation of the log it waits for
        self._routed: set[int] = set()  # those before which all is routed
        self._failures: Counter[int] = Counter()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="forgetting")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """There is another request."""
        self._wake.set()

    async def step(self) -> bool | None:
        """Carry each request on; False when all of them wait for something, None when there is none."""
        waiting = await self._store.read(regulations.unfinished)
        busy = False
        for regulation in waiting:
            try:
                busy |= await self._carry_on(regulation)
                self._failures.pop(regulation.id, None)
            except (HeardError, OperationalError) as problem:  # the database is away or busy, the disk is full
                log.warning("regulation_put_off", regulation=regulation.id, problem=str(problem))
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            except Exception:
                log.exception("regulation_failed", regulation=regulation.id)
                self._failures[regulation.id] += 1
                if self._failures[regulation.id] >= TRIES_BEFORE_FAILED and regulation.state is State.RUNNING:
                    await self._keep(moved(regulation, State.FAILED, self._clock.now()))
        return busy if waiting else None

    async def _run(self) -> None:
        for regulation in await self._store.read(regulations.failed):
            await self._keep(moved(regulation, State.RUNNING, self._clock.now()))
        while True:
            busy: bool | None = False
            with contextlib.suppress(Exception):  # the database is away: everything else says so
                busy = await self.step()
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), timeout=None if busy is None else LOOK_AGAIN)
                self._wake.clear()

    async def _carry_on(self, regulation: Regulation) -> bool:
        """One step; False when it waits for something."""
        if regulation.state is State.INITIALIZED:
            await self._keep(moved(regulation, State.RUNNING, self._clock.now()))
            return True
        if regulation.subjects is not None:
            if not await self._is_routed(regulation):
                return False
            if regulation.erased < len(regulation.subjects):
                await self._erase(regulation)
                return True
            if any(each.pending for each in regulation.told):
                return await self._tell(regulation)
            regulation = await self._store.write(partial(forget.forget_whom, regulation=regulation))
        await self._forget_copies(regulation)
        await self._keep(moved(regulation, State.FINISHED, self._clock.now()))
        return True

    # ── route ──

    async def _is_routed(self, regulation: Regulation) -> bool:
        """Whether everything that was taken before the request is routed, and the log holds none of it any more."""
        if regulation.id in self._routed:
            return True
        wanted = self._asked.get(regulation.id)
        if wanted is None:
            wanted = self._asked[regulation.id] = self._board.rotations_wanted + 1
            self._board.rotations_wanted = wanted
        if self._board.rotations_made < wanted:
            return False
        files = segments(self._data / "log")
        if files and self._pipeline.offset < files[-1].base:
            return False
        await asyncio.to_thread(self._pipeline.reader.drop_before, self._pipeline.offset)
        self._routed.add(regulation.id)
        return True

    # ── erase ──

    async def _erase(self, regulation: Regulation) -> None:
        person: Person = await self._store.write(partial(forget.find, regulation=regulation))
        found: dict[int, list[tuple[int, int, str]]] = {}
        for day in await self._store.read(days.kept):
            rows = await self._store.read(partial(erasing.messages_about, person=person, day=day))
            if rows:
                found[day] = rows
        async with self._pipeline.at_rest():
            for day, rows in found.items():
                for first in range(0, len(rows), ROWS_AT_ONCE):
                    some = rows[first : first + ROWS_AT_ONCE]
                    regulation = await self._store.write(
                        partial(forget.remove_messages, regulation=regulation, person=person, day=day, rows=some)
                    )
            await asyncio.to_thread(_remove_mails, self._data / "outbox", person)
            key, now = self._key(regulation.workspace), self._clock.now()
            remove = partial(forget.remove_rest, regulation=regulation, person=person, key=key, now=now)
            await self._store.write(remove)
        await self._erased()

    # ── tell ──

    async def _tell(self, regulation: Regulation) -> bool:
        """Each destination of whom it was given to forget; one that fails is asked again as messages are, and given up
        after four hours. Whom it was about stays in the request's row until then."""
        told, busy = list(regulation.told), False
        for place, each in enumerate(told):
            if each.pending and (each.next_at is None or each.next_at <= self._clock.now()):
                told[place] = await self._tell_one(regulation, each)
                regulation = msgspec.structs.replace(regulation, told=tuple(told))
                await self._keep(regulation)
                busy = True
        return busy

    async def _tell_one(self, regulation: Regulation, told: Told) -> Told:
        whom = regulation.tell or ()
        for number in told.pending[:TOLD_AT_ONCE]:
            now, destination = self._clock.now(), self._directory().destinations.get(told.destination)
            if destination is None or not destination.enabled:
                return _given_up(told, "removed" if destination is None else "disabled")
            document = {"type": "delete", "userId": whom[number], "timestamp": _written(regulation.created_at)}
            name = ids.forward_id(destination.id, 0, f"delete-{regulation.id}-{number}", 0)
            try:
                request = webhook.request([document], destination.settings, ids=[name], now=now)
            except HeardError:
                return _given_up(told, "settings")
            outcome = outcome_of(await self._carry(request), now=now)
            if outcome.kind == "retry":
                attempts, first_at = told.attempts + 1, told.first_at or now
                next_at = next_try(attempts, first_at, now, draw=random.random(), after=outcome.after)
                if next_at is None:
                    return _given_up(told, outcome.reason)
                return msgspec.structs.replace(
                    told, attempts=attempts, first_at=first_at, next_at=next_at, reason=outcome.reason
                )
            is_done = outcome.kind == "delivered"
            told = _settled(
                msgspec.structs.replace(
                    told,
                    pending=tuple(each for each in told.pending if each != number),
                    done=told.done + is_done,
                    given_up=told.given_up + (not is_done),
                    attempts=0,
                    first_at=None,
                    next_at=None,
                    reason="" if is_done else outcome.reason,
                )
            )
        return told

    # ── forget ──

    async def _forget_copies(self, regulation: Regulation) -> None:
        """What cannot be searched goes whole: backups, what a restore put aside, damaged stretches of the log."""
        await asyncio.to_thread(_remove_copies, self._data)
        await self._erased()
        by_day = [f"{name}_{day}" for day in await self._store.read(days.kept) for name in ("messages", "seen")]
        await self._store.scrub((*SCRUBBED, *ALSO_SCRUBBED, *by_day))
        self._asked.pop(regulation.id, None)
        self._routed.discard(regulation.id)

    async def _keep(self, regulation: Regulation) -> None:
        await self._store.write(partial(forget.change, regulation=regulation))


def _settled(told: Told) -> Told:
    if told.pending:
        return told
    return msgspec.structs.replace(told, state=State.FAILED if told.given_up else State.FINISHED)


def _given_up(told: Told, reason: str) -> Told:
    left = msgspec.structs.replace(told, pending=(), given_up=told.given_up + len(told.pending), reason=reason)
    return _settled(msgspec.structs.replace(left, next_at=None))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _remove_mails(folder: Path, person: Person) -> None:
    traces, deliveries = person.traces, set(person.deliveries)
    for path in [*folder.glob("*.eml"), *folder.glob("*.tmp")]:
        if path.suffix == ".tmp" or path.stem.rpartition("-")[2] in deliveries or traces.stand_in(_text(path)):
            path.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _remove_copies(data: Path) -> None:
    for path in [data / "log" / DAMAGED, data / "backups", *data.glob("before-restore-*")]:
        shutil.rmtree(path, ignore_errors=True)
    for path in [*data.glob("heard-*.tar.gz"), *data.glob(".heard-*.partial")]:
        path.unlink(missing_ok=True)
