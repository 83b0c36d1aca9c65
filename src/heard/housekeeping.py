"""Once an hour: invitations expire, and what was kept long enough is removed, one short piece at a time.

    rows       invitations that are open no longer, messageIds that nobody can repeat, and whatever goes row by row
    messages   whole days, the oldest first, as far as nobody needs them (`heard.store.needed`)
    mails      files of the outbox

Between two pieces everybody else has as much time as the last one took, so that routing and pages go on. Nothing is
marked as being removed: what is too old is, so whatever interrupts it, the next hour finds the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec
import structlog
from sqlalchemy import Connection

from heard.channels.email.outbox import Outbox
from heard.clock import Clock
from heard.couriers import Couriers
from heard.retention import HELD_BACK_AT_MOST, Keep, Kind
from heard.routing.destination import SURVEYS
from heard.steps import lapse
from heard.store import audit, cursors, days, forwards, handed_over, keeping, needed, removals
from heard.store.days import day_of
from heard.store.directory import Directory
from heard.store.needed import Needs
from heard.store.store import Store

log = structlog.get_logger()

EVERY = timedelta(hours=1)
MAILS_AT_ONCE = 200

Chore = Callable[[datetime, datetime], Awaitable[bool]]
"""One piece of work; whether there is more. Given are when the round began, and up to when all is routed."""


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """A day of messages that is old enough to go, and why it is still there."""

    day: int
    need: Needs
    until: datetime | None  # when it goes whatever happens; None = when it is needed no longer


class Housekeeping:
    """`let_go(moment)` is called when answers given before then were removed, for what keeps copies in memory."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        keep: Keep,
        couriers: Couriers,
        directory: Callable[[], Directory],
        outbox: Outbox | None,
        let_go: Callable[[datetime], Awaitable[None]],
    ) -> None:
        self._store, self._clock, self._keep = store, clock, keep
        self._couriers, self._directory = couriers, directory
        self._outbox, self._let_go = outbox, let_go
        self._waiting: list[Chore] = []
        self._began = clock.now()
        self._done_at: datetime | None = None
        self._going: int | None = None  # the day that is being dropped
        self._not_taken: dict[tuple[Needs, int], int] = {}
        self.every = EVERY
        self.took = 0.0  # seconds, the last piece
        self.held_back: tuple[HeldBack, ...] = ()  # as of the last round

    @property
    def is_due(self) -> bool:
        """Whether the next step begins a round."""
        if self._waiting:
            return False
        return self._done_at is None or abs(self._clock.now() - self._done_at) >= self.every

    def at_once(self) -> None:
        """The next step begins a round, whenever the last one was."""
        self._done_at = None

    async def step(self, routed: datetime) -> bool:
        """One piece; False when the round is over and the next one is not due. Everything received up to `routed` is
        routed: days that are not over for the log are left alone."""
        if self.is_due:
            self._began = self._clock.now()
            self._waiting = [self._rows, self._messages, self._mails]
        if not self._waiting:
            return False
        began = time.perf_counter()
        if not await self._waiting[0](self._began, routed):
            self._waiting.pop(0)
        if not self._waiting:
            self._done_at = self._began
        self.took = time.perf_counter() - began
        return bool(self._waiting)

    async def _rows(self, now: datetime, routed: datetime) -> bool:
        """One transaction when there is nothing to do, which is most hours."""
        seen_before = days.before(day_of(routed))
        old = {kind: moment for kind in keeping.STEPS if (moment := self._keep.before(kind, now)) is not None}

        def work(connection: Connection) -> tuple[set[Kind], bool]:
            self._store.days_made.clear()  # in the writer's thread: what is made known again is there
            handed_over.forget(connection, now)
            if lapse.expire(connection, now=now) or keeping.forget_seen(connection, before=seen_before):
                return set(), True
            return keeping.remove(connection, old, run=now)

        removed, more = await self._store.write(work)
        if Kind.ANSWERS in removed:
            await self._let_go(old[Kind.ANSWERS])
        return more

    # ── messages ──

    async def _messages(self, now: datetime, routed: datetime) -> bool:
        length = self._keep.of(Kind.MESSAGES)
        if length is None:
            return False
        if self._going is None:
            self._going = await self._oldest_to_go(now, length, routed)
        return self._going is not None and await self._drop(self._going, now)

    async def _oldest_to_go(self, now: datetime, length: timedelta, routed: datetime) -> int | None:
        places = {number: each.position for number, each in self._couriers.by_destination.items()}
        whose = self._outside()
        old_enough = min(day_of(now - length), days.before(day_of(routed)))

        def look(connection: Connection) -> tuple[list[tuple[int, int]], list[Needs]]:
            old = [day for day in reversed(days.kept(connection)) if day < old_enough]
            ends = [(day, needed.last_of(connection, day)) for day in old]
            return ends, needed.needs(connection, places, whose) if old else []

        ends, needs = await self._store.read(look)
        held: list[HeldBack] = []
        for day, last in ends:
            goes_at = days.end_of(day) + length + HELD_BACK_AT_MOST
            need = await self._needed(day, last, needs, for_destinations=now < goes_at) if last else None
            if need is None:
                return day
            held.append(HeldBack(day=day, need=need, until=goes_at if need.destination else None))
        self._say_what_is_held_back(tuple(held))
        return None

    async def _needed(self, day: int, last: int, needs: list[Needs], *, for_destinations: bool) -> Needs | None:
        """By whom a day is needed; what a destination did not take in time is noted."""
        for need in needs:
            if not need.keeps(day, last):
                continue
            if need.destination is None:
                return need
            n = await self._left(need, day)
            if not for_destinations:
                await self._give_up(need, day, last, n)
            elif n or (need.replayed is not None and last > need.replayed):
                return need
        return None

    async def _left(self, need: Needs, day: int) -> int:
        """How many a destination has yet to take of a day; counted once as long as it does not move."""
        if (need, day) not in self._not_taken:
            self._not_taken[need, day] = await self._store.read(partial(needed.not_taken, need=need, day=day))
        return self._not_taken[need, day]

    async def _give_up(self, need: Needs, day: int, last: int, n: int) -> None:
        """A destination did not take them in time: they count as discarded, and its courier goes on after them."""
        destination = self._directory().destinations.get(need.destination or 0)
        if destination is None:
            return

        def work(connection: Connection) -> None:
            now = self._clock.now()
            if need.after is not None and need.after < last:
                cursors.put(connection, forwards.cursor_of(destination.id), last)
            if not n:
                return
            forwards.give_up_day(connection, destination.workspace, destination.id, day)
            key = destination.workspace, destination.id, forwards.hour_of(now), forwards.DISCARDED
            forwards.count(connection, {key: n})
            detail = {"messages": n, "day": f"{days.end_of(day) - timedelta(days=1):%Y-%m-%d}"}
            audit.note(
                connection,
                destination.workspace,
                by=audit.HEARD,
                what="messages.dropped",
                subject=destination.name,
                at=now,
                detail=detail,
            )

        await self._store.write(work)
        self._couriers.skip(destination.id, last)
        if n:
            log.warning("messages_dropped_before_they_were_taken", destination=destination.name, day=day, messages=n)

    async def _drop(self, day: int, run: datetime) -> bool:
        """A piece of a day; False when somebody else is in the way."""
        whose = self._outside()

        def work(connection: Connection) -> bool:
            self._store.days_made.discard(day)
            return keeping.drop_a_piece(connection, day, whose, run=run)

        if await self._store.write(work):
            return True
        self._going, dropped = None, True
        if not self._store.has_one_writer:
            dropped = await self._store.beside(partial(keeping.drop_at_once, day=day, run=run))
        log.info("day_dropped" if dropped else "day_is_being_read", day=day)
        return dropped

    def _outside(self) -> list[tuple[int, int]]:
        """(workspace, number) of destinations that have a courier."""
        every = self._directory().destinations.values()
        return [(each.workspace, each.id) for each in every if each.type != SURVEYS]

    def _say_what_is_held_back(self, held: tuple[HeldBack, ...]) -> None:
        if held != self.held_back:
            for each in held:
                log.warning("day_held_back", day=each.day, by=each.need.why, destination=each.need.destination)
            self.held_back = held
        if not held:
            self._not_taken.clear()

    # ── mails ──

    async def _mails(self, now: datetime, _routed: datetime) -> bool:
        before = self._keep.before(Kind.MAILS, now)
        if before is None or self._outbox is None:
            return False
        n = await asyncio.to_thread(self._outbox.remove_before, before, MAILS_AT_ONCE)
        if n:
            await self._store.write(partial(removals.note, kind=Kind.MAILS, before=before, run=now, n=n))
        return n > 0
