"""The postman: takes a delivery from its intent to its outcome, in a lane for each mail server, with as many at a time
as that has connections.

`sending` is committed before anything is handed over, so a crash in between is known as one; what came of it is kept
however long that takes. A delivery is with the postman at most once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard.channels.email.mail import Mail
from heard.channels.email.refusals import MailboxRefused
from heard.channels.lanes import Lane, Lanes
from heard.clock import Clock
from heard.deliveries.delivery import Delivery, ImpossibleMove
from heard.errors import DeliveryFailed
from heard.steps import send
from heard.steps.send import Ready
from heard.store import deliveries
from heard.store.directory import Directory
from heard.store.store import Store

log = structlog.get_logger()

PAUSE_AFTER_FAILURE = 1.0


class Postman:
    """`mail` makes what is handed over; `done` is called whenever a delivery has left his hands."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        lanes: Lanes,
        mail: Callable[[Ready, datetime], Mail],
        directory: Callable[[], Directory],
        done: Callable[[], None],
    ) -> None:
        self._store, self._clock, self.lanes = store, clock, lanes
        self._mail, self._directory, self._done = mail, directory, done
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._in_lane: Counter[int] = Counter()  # how many, by the lane's key
        self._freed = asyncio.Event()  # one of them has its outcome
        self._refused: dict[int, set[int]] = {}
        self._stopping = False
        self.resting = False  # nothing more is handed over for a while
        self.failing: dict[str, str] = {}  # what he waits for -> what is wrong with it
        self.failing_apart: dict[int, str] = {}  # workspace -> what is wrong with its own mail server

    @property
    def holds(self) -> frozenset[str]:
        """The ids of the deliveries between claim and outcome."""
        return frozenset(self._under_way)

    @property
    def has_room(self) -> bool:
        """Whether he would take more, in any lane."""
        return any(map(self._has_room, (self.lanes.shared, *self.lanes.apart)))

    def due(self, connection: Connection, now: datetime, directory: Directory) -> list[Delivery]:
        """What every lane has room for. One whose server hangs is full, and the others go on."""
        busy, lanes, paused = self.holds, self.lanes, directory.paused()
        found: list[Delivery] = []
        if self._has_room(lanes.shared):
            apart = [lane.key for lane in lanes.apart]
            limit = lanes.shared.at_once + len(busy)
            found += deliveries.due(connection, now, limit, paused, without=apart)
        for lane in lanes.apart:
            if self._has_room(lane):
                running = {each.id for each in directory.campaigns_of(lane.key)} - set(paused)
                found += deliveries.due_of(connection, lane.key, running, now, 2 * lane.at_once)
        return [each for each in found if each.id not in busy]

    def take(self, ready: Ready) -> None:
        """Set it on its way."""
        lane = self.lanes.of(ready.delivery.workspace)
        self._in_lane[lane.key] += 1
        self._under_way[ready.delivery.id] = asyncio.create_task(self._hand_over(ready, lane))

    def refusals(self) -> list[tuple[int, set[int]]]:
        """(workspace, campaigns) of which a mail server said that nobody has the mailbox, since the last time."""
        refused, self._refused = self._refused, {}
        return list(refused.items())

    async def some_done(self) -> None:
        """Return when one of those under way has its outcome, or none is under way."""
        if self._under_way:
            self._freed.clear()
            await self._freed.wait()

    async def all_done(self, *, within: float | None = None) -> None:
        """Return when those under way have their outcomes, or after `within` seconds."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=within)

    async def stop(self) -> None:
        """Finish what is being handed over, begin nothing more."""
        self._stopping = True
        await self.all_done(within=5)

    async def look_who_waits(self) -> None:
        """A mail server that is away is told of as long as a mail waits for it."""
        if self.failing:
            tried = partial(deliveries.any_tried, without=[lane.key for lane in self.lanes.apart])
            if not await self._store.read(tried):
                self._nothing_waits(self.lanes.shared)
        for lane in self.lanes.apart:
            if lane.key in self.failing_apart:
                tried = partial(deliveries.any_tried, workspace=lane.key)
                if not await self._store.read(tried):
                    self._nothing_waits(lane)

    def _nothing_waits(self, lane: Lane) -> None:
        """No delivery waits for this mail server any more, so nobody need know that it is away."""
        if lane.workspace is None:
            self.failing.pop("mail server", None)
        else:
            self.failing_apart.pop(lane.workspace, None)

    async def _hand_over(self, ready: Ready, lane: Lane) -> None:
        """One mail, from intent to outcome. Nobody else has this delivery while it is under way."""
        try:
            async with lane.places:
                if self._is_to_wait(ready, lane):
                    return  # it stays scheduled
                keep_it = await self._outcome(ready, lane)
                kept = self._store.submit(keep_it)
            # The place is free before the outcome is committed: whoever takes it commits `sending` with it or after it.
            await self._kept(keep_it, kept)
        except ImpossibleMove:
            log.info("delivery_moved_meanwhile", delivery=ready.delivery.id)
        except Exception:  # before `sending` was kept it is taken up again; after it, unknown is the honest word for it
            log.exception("hand_over_put_off", delivery=ready.delivery.id)
            await asyncio.sleep(PAUSE_AFTER_FAILURE)
        finally:
            self._under_way.pop(ready.delivery.id, None)
            self._in_lane[lane.key] -= 1
            self._freed.set()
            self._done()

    def _has_room(self, lane: Lane) -> bool:
        return self._in_lane[lane.key] < lane.at_once

    def _is_to_wait(self, ready: Ready, lane: Lane) -> bool:
        """What may have become of it while it stood in line: a pause, an end, another mail server."""
        if self._stopping or self.resting or self.lanes.of(ready.delivery.workspace) is not lane:
            return True
        return ready.delivery.campaign in self._directory().paused()

    async def _outcome(self, ready: Ready, lane: Lane) -> Callable[[Connection], None]:
        """Hand the mail over; gives what is to be kept of it."""
        try:
            mail = self._mail(ready, self._clock.now())
        except Exception as error:
            log.exception("mail_not_made", delivery=ready.delivery.id)
            broken = DeliveryFailed(f"Heard could not make this mail: {error}", permanent=True)
            return self._failed(ready.delivery, broken)
        begin = partial(send.begin, delivery=ready.delivery, over=lane.over, counts_opens=mail.counts_opens)
        sending: Delivery = await self._store.write(begin)
        try:
            await lane.channel.hand_over(mail)
        except DeliveryFailed as error:
            if not error.permanent:
                log.warning("mail_not_taken", delivery=sending.id, workspace=sending.workspace, error=str(error))
            if error.unreachable:
                self._note(lane, str(error))
            return self._failed(sending, error)
        except Exception as error:
            log.exception("hand_over_failed", delivery=sending.id)
            puzzling = DeliveryFailed(f"Nobody knows whether it was handed over: {error!r}", ambiguous=True)
            return self._failed(sending, puzzling)
        self._nothing_waits(lane)
        return partial(send.sent, delivery=sending, directory=self._directory(), now=self._clock.now())

    def _note(self, lane: Lane, wrong: str) -> None:
        if lane.workspace is None:
            self.failing["mail server"] = wrong
        elif self.lanes.of(lane.workspace) is lane:
            self.failing_apart[lane.workspace] = wrong

    def _failed(self, delivery: Delivery, error: DeliveryFailed) -> Callable[[Connection], None]:
        now, directory = self._clock.now(), self._directory()
        if isinstance(error, MailboxRefused):
            self._refused.setdefault(delivery.workspace, set()).add(delivery.campaign)
        return partial(send.failed, delivery=delivery, error=error, directory=directory, now=now)

    async def _kept(self, keep_it: Callable[[Connection], None], kept: Future[None]) -> None:
        """However long the database is away: what a mail server said is not said twice."""
        while True:
            try:
                await asyncio.wrap_future(kept)
                self.failing.pop("outcomes", None)
                return
            except OperationalError as error:
                log.error("outcome_not_kept_yet", error=str(error.orig))
                self.failing["outcomes"] = str(error.orig)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                kept = self._store.submit(keep_it)
