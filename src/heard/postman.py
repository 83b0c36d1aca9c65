"""The postman: takes a delivery from its intent to its outcome, with as many at a time as the channel has connections.

`sending` is committed before anything is handed over, so a crash in between is known as one; what came of it is kept
however long that takes. A delivery is with the postman at most once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard.channels.channel import Channel
from heard.channels.email.mail import Mail
from heard.channels.email.refusals import MailboxRefused
from heard.clock import Clock
from heard.deliveries.delivery import Delivery, ImpossibleMove
from heard.errors import DeliveryFailed
from heard.steps import send
from heard.steps.send import Ready
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
        channel: Channel,
        mail: Callable[[Ready, datetime], Mail],
        directory: Callable[[], Directory],
        done: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._channel = store, clock, channel
        self._mail, self._directory, self._done = mail, directory, done
        self._places = asyncio.Semaphore(channel.connections)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._freed = asyncio.Event()  # one of them has its outcome
        self._refused: dict[int, set[int]] = {}
        self._stopping = False
        self.failing: dict[str, str] = {}  # what he waits for -> what is wrong with it

    @property
    def holds(self) -> frozenset[str]:
        """The ids of the deliveries between claim and outcome."""
        return frozenset(self._under_way)

    def take(self, ready: Ready) -> None:
        """Set it on its way."""
        self._under_way[ready.delivery.id] = asyncio.create_task(self._hand_over(ready))

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

    def nothing_waits(self) -> None:
        """No delivery waits for the mail server any more, so nobody need know that it is away."""
        self.failing.pop("mail server", None)

    async def _hand_over(self, ready: Ready) -> None:
        """One mail, from intent to outcome. Nobody else has this delivery while it is under way."""
        try:
            async with self._places:
                if self._stopping or ready.delivery.campaign in self._directory().paused():
                    return  # it stays scheduled
                keep_it = await self._outcome(ready)
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
            self._freed.set()
            self._done()

    async def _outcome(self, ready: Ready) -> Callable[[Connection], None]:
        """Hand the mail over; gives what is to be kept of it."""
        try:
            mail = self._mail(ready, self._clock.now())
        except Exception as error:
            log.exception("mail_not_made", delivery=ready.delivery.id)
            broken = DeliveryFailed(f"Heard could not make this mail: {error}", permanent=True)
            return self._failed(ready.delivery, broken)
        sending: Delivery = await self._store.write(partial(send.begin, delivery=ready.delivery))
        try:
            await self._channel.hand_over(mail)
        except DeliveryFailed as error:
            if not error.permanent:
                log.warning("mail_not_taken", delivery=sending.id, error=str(error))
            if error.unreachable:
                self.failing["mail server"] = str(error)
            return self._failed(sending, error)
        except Exception as error:
            log.exception("hand_over_failed", delivery=sending.id)
            puzzling = DeliveryFailed(f"Nobody knows whether it was handed over: {error!r}", ambiguous=True)
            return self._failed(sending, puzzling)
        self.failing.pop("mail server", None)
        return partial(send.sent, delivery=sending, directory=self._directory(), now=self._clock.now())

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
