"""Read this first: the loops of the product, on one page.

    loop      reads                      decides                              keeps, in one transaction
    collect   an HTTP body               parse, auth, limits                  the request on the log; only then 200
    route     the log, from its offset   repeats, identity, contacts, asking  all of it and the new offset
    send      deliveries that are due    still wanted? render                 `sending` before, the outcome after
    lapse     what waited long enough    declined, complete, counted after all  the revised decision or answer
    compute   messages and contacts      who is in a new audience             a chunk, and its place
    intake    what a daily limit held    as route does, in its order          all of it
    tidy      what was kept long enough  does anybody need it still?          nothing of it (`heard.housekeeping`)
    deliver   messages, one cursor for   try again, give up, is it down?      the outcome and the cursor
              each destination outside
    answer    the survey page            valid? human?                        the answer, every version of it

`collect` is the other process (`heard.collector`); `answer` runs when somebody posts (`heard.steps.answer`); `deliver`
is a courier for every destination (`heard.courier`), so that nobody waits for anybody; what `send` claims goes out with
the postman (`heard.postman`). The rest is here: each loop takes one step, and when there is nothing to do it waits. All
state goes through one writer, so steps never fight; a step that fails is tried again, and a record that fails by itself
is set aside and passed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard.board import Board
from heard.channels.email.mail import Mail
from heard.channels.lanes import Lanes
from heard.clock import Clock
from heard.couriers import Couriers
from heard.housekeeping import Housekeeping
from heard.log.log import Damage, LogReader, Record
from heard.postman import Postman
from heard.steps import allowance, compute, intake, keep, lapse, moments, route, send, settle, tell_back, turns, waves
from heard.steps.computed import Computed
from heard.steps.send import Ready
from heard.store import audiences, cursors, decisions, responses
from heard.store.directory import Directory
from heard.store.store import Store
from heard.store.types import EPOCH, moment

log = structlog.get_logger()

BATCH_RECORDS, BATCH_BYTES = 2000, 1 << 20  # a few thousand messages: long enough to be cheap, short enough to wait for
IDLE = 0.01  # seconds between two looks at the log's watermark, which costs no syscall
PAUSE_AFTER_FAILURE = 1.0
TRIES_BEFORE_BLAME = 3


class Pipeline:
    """The loops over one installation. `start` runs them; `idle` and `advance` are for the test clock.

    `refused(workspace, campaigns)` is called when a mail server has said that nobody has a mailbox.
    """

    def __init__(
        self,
        *,
        store: Store,
        reader: LogReader,
        board: Board,
        clock: Clock,
        lanes: Lanes,
        couriers: Couriers,
        house: Housekeeping,
        mail: Callable[[Ready, datetime], Mail],
        directory: Callable[[], Directory],
        changed: Callable[[], Awaitable[None]],
        refused: Callable[[int, set[int]], Awaitable[None]] | None = None,
    ) -> None:
        self.store, self.reader, self.board, self.clock, self.couriers = store, reader, board, clock, couriers
        self.house, self._directory, self._changed = house, directory, changed
        self._refused = refused
        self.postman = Postman(store=store, clock=clock, lanes=lanes, mail=mail, directory=directory, done=self.wake)
        self.offset = store.read_now(lambda connection: cursors.get(connection, cursors.ROUTER))
        self.routed = self.repeated = 0
        self.conflicting: Counter[int] = Counter()  # by source: what had the id of another message
        self.lag = 0.0  # seconds between receipt and commit of the newest routed message
        self._failing: dict[str, str] = {}  # loop -> what is wrong, while it is
        self._route_failures = 0
        self._routing, self._claiming = asyncio.Lock(), asyncio.Lock()
        self._lapsing, self._advancing = asyncio.Lock(), asyncio.Lock()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._newest = EPOCH  # when the last message that was routed was received

    @property
    def failing(self) -> dict[str, str]:
        """What does not work just now -> what is wrong with it."""
        return {**self._failing, **self.postman.failing}

    # ── the loops ──

    def start(self) -> None:
        loops = {
            "route": self.route_once,
            "send": self.send_once,
            "lapse": self.lapse_once,
            "intake": self.intake_once,
            "tidy": self.tidy_once,
            "compute": self.compute_once,
            "ask": self.ask_once,
        }
        self._tasks = [asyncio.create_task(self._forever(name, step), name=name) for name, step in loops.items()]
        self._tasks.append(asyncio.create_task(self.couriers.start(), name="couriers"))

    async def stop(self) -> None:
        """Finish what is being handed over, begin nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.couriers.stop(), self.postman.stop())

    async def route_once(self) -> bool:
        """One batch of the log; False when there is none."""
        if self.board.durable <= self.offset:
            return False
        async with self._routing:
            records = await asyncio.to_thread(
                self.reader.read, self.offset, max_records=BATCH_RECORDS, max_bytes=BATCH_BYTES
            )
            if not records:
                return False
            try:
                await self._route(records)
            except Exception as error:
                if isinstance(error, OperationalError) and not await self._records_are_to_blame():
                    raise  # the database is not there: nothing is wrong with the records
                log.exception("batch_failed", offset=self.offset, records=len(records))
                for record in records:
                    await self._route_alone(record)
            self._route_failures = 0
            return True

    async def send_once(self) -> bool:
        """Claim what is due and set it on its way; False when nothing is due."""
        for workspace, campaigns in self.postman.refusals():
            if self._refused is not None:
                await self._refused(workspace, campaigns)
        if not self.postman.has_room:
            await self.postman.some_done()
            return True
        async with self._claiming:
            now, directory = self.clock.now(), self._directory()
            claimed = await self.store.read(partial(self.postman.due, now=now, directory=directory))
            if not claimed:
                return False
            wanted = partial(send.still_wanted, claimed=claimed, directory=directory, now=now)
            for each in await self.store.write(wanted):
                self.postman.take(each)
            return True

    async def lapse_once(self) -> bool:
        """What time alone does; False when nothing lapsed."""
        async with self._lapsing:
            now = self.clock.now()
            await self.postman.look_who_waits()
            if self.board.durable > self.offset:
                return False  # an identify that came in time may still wait on the log
            if await self._slide(now):
                return True
            if await self._complete(now) or await self._settle(now):
                return True
            earliest = await self.store.read(decisions.next_held)
            if earliest is None or moment(earliest) > now:
                return False
            return await self.store.write(partial(lapse.decline_what_waited, now=now)) > 0

    async def intake_once(self) -> bool:
        """What a daily limit held and may be taken now; False when there is none."""
        now, directory = self.clock.now(), self._directory()
        async with self._routing:  # whoever comes meanwhile stands behind
            due = await self.store.read(partial(allowance.next_moment, directory=directory, now=now))
            if due is None or due > now:
                return False
            taken = await self.store.write(partial(intake.take_waiting, directory=directory, now=now))
        if taken.activated:
            await self._changed()
        if taken.due:
            self.wake()
        if taken.forwarded:
            self.couriers.wake()
        return taken.messages > 0

    async def tidy_once(self) -> bool:
        """A piece of the hourly housekeeping; False when there is none to do."""
        async with self._lapsing:  # whoever asks for rest finds no day half gone
            if self.house.is_due:
                await asyncio.to_thread(self.reader.drop_before, self.offset)
            is_drained = self.board.durable <= self.offset
            more = await self.house.step(self.clock.now() if is_drained else self._newest)
        await asyncio.sleep(self.house.took if more else 0)  # as much time for everybody else
        return more

    async def ask_once(self) -> bool:
        """What campaigns ask by themselves: some of a list or an audience, or of those whose turn it is again."""
        async with self._routing:
            for anything, step in ((waves.anything, waves.go_on), (turns.anything, turns.take)):
                known = {"directory": self._directory(), "now": self.clock.now()}
                if not await self.store.read(partial(anything, **known)):
                    continue
                asked: waves.Asked = await self.store.write(partial(step, **known))
                if asked.changed:
                    await self._changed()
                if asked.due:
                    self.wake()
                if asked.told:
                    self.couriers.wake()
                return asked.worked
        return False

    async def compute_once(self) -> bool:
        """A chunk of what a new audience has to catch up with, or one's new destination; False without either."""
        if not await self.store.read(compute.anything):
            return False
        async with self._routing:  # a batch must know who counts, and from which message on
            work = partial(compute.go_on, directory=self._directory(), now=self.clock.now())
            done: Computed = await self.store.write(work)
            if done.moved_on:
                await self._changed()
        if done.told:
            self.couriers.wake()
        return done.worked

    # ── for the test clock ──

    async def idle(self) -> None:
        """Return when everything that could be done now is done."""
        while True:
            while (
                await self.route_once()
                or await self.intake_once()
                or await self.compute_once()
                or await self.lapse_once()
                or await self.tidy_once()
                or await self.ask_once()
                or await self.send_once()
                or await self.couriers.idle()
            ):
                pass
            if not self.postman.holds:
                return
            await self.postman.all_done()

    async def advance(self, to: datetime) -> None:
        """Visit every due moment up to `to` in its order, each until all is idle. Time never goes back."""
        async with self._advancing:
            await self.idle()
            while (due := await self.next_moment()) is not None and due <= to:
                self.clock.move_to(max(due, self.clock.now()))
                await self.idle()
            self.clock.move_to(max(to, self.clock.now()))
            self.house.at_once()
            await self.idle()

    async def next_moment(self) -> datetime | None:
        """When something falls due next; None when nothing waits."""
        look = partial(moments.in_store, directory=self._directory(), now=self.clock.now())
        found = [*await self.store.read(look), await self.couriers.next_moment()]
        return min((each for each in found if each is not None), default=None)

    @contextlib.asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """While inside, nothing is read, decided or on its way: neither mails nor messages to destinations."""
        async with self._routing, self._claiming, self._lapsing, self.couriers.at_rest():
            self.postman.resting = True  # what stands in line would be handed over first
            try:
                while self.postman.holds:
                    await self.postman.all_done()
                yield
            finally:
                self.postman.resting = False

    def wake(self) -> None:
        """Something may be due that was not: look at once."""
        self._wake.set()

    # ── steps ──

    async def _route(self, records: Sequence[Record | Damage]) -> None:
        try:
            routed = await self.store.write(
                lambda connection: route.route(
                    connection,
                    records,
                    directory=self._directory(),
                    now=self.clock.now(),
                    days_made=self.store.days_made,
                )
            )
        except Exception:
            self.store.days_made.clear()  # the tables this transaction made are gone with it
            raise
        self.offset = records[-1].next_offset
        self.routed += routed.messages
        self.repeated += routed.repeated
        self.conflicting += routed.conflicting
        if routed.newest is not None:
            self._newest = routed.newest
            self.lag = (self.clock.now() - routed.newest).total_seconds()
        if routed.activated:
            await self._changed()
        if routed.due:
            self.wake()
        if routed.forwarded:
            self.couriers.wake()

    async def _slide(self, now: datetime) -> bool:
        """Who left an audience because time went by, or entered it."""
        due = await self.store.read(audiences.next_due)
        if due is None or due > now:
            return False
        async with self._routing:
            work = partial(compute.slide, directory=self._directory(), now=now)
            done: Computed = await self.store.write(work)
        if done.told:
            self.couriers.wake()
        return done.worked

    async def _complete(self, now: datetime) -> bool:
        """Answers to which nothing was added for a while: those who wait for them are told."""
        due = await self.store.read(responses.next_to_complete)
        if due is None or due > now:
            return False
        await self.store.write(partial(tell_back.complete, directory=self._directory(), now=now))
        self.couriers.wake()
        return True

    async def _settle(self, now: datetime) -> bool:
        """Scores that were tapped and never sent: they count now, or never."""
        due = await self.store.read(responses.next_to_settle)
        if due is None or due > now:
            return False
        await self.store.write(partial(settle.settle, directory=self._directory(), now=now))
        self.couriers.wake()
        return True

    async def _route_alone(self, record: Record | Damage) -> None:
        """A record of a batch that failed; one that fails by itself too is set aside, and the log goes on."""
        try:
            await self._route([record])
        except Exception as error:
            if isinstance(error, OperationalError) and not await self._records_are_to_blame():
                raise
            log.exception("record_set_aside", offset=record.offset)
            reason = repr(error)
            data = record.payload if isinstance(record, Record) else record.data

            def pass_over(connection: Connection) -> None:
                keep.aside(connection, record.offset, self.clock.now(), reason, data)
                cursors.put(connection, cursors.ROUTER, record.next_offset)

            await self.store.write(pass_over)
            self.offset = record.next_offset

    async def _records_are_to_blame(self) -> bool:
        """Drivers say OperationalError for a database that is away and for a row that it cannot take.

        It is the record when the same place failed three times and something else can be written.
        """
        self._route_failures += 1
        if self._route_failures < TRIES_BEFORE_BLAME:
            return False
        try:
            await self.store.write(lambda connection: cursors.put(connection, "probe", self._route_failures))
        except OperationalError:
            return False
        return True

    async def _forever(self, name: str, step: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                busy = await step()
                self._failing.pop(name, None)
            except Exception as error:
                log.exception("loop_failed", loop=name)
                self._failing[name] = str(error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                continue
            if not busy:
                await self._pause(name)

    async def _pause(self, name: str) -> None:
        if name == "route":
            await asyncio.sleep(IDLE)
        elif name == "send":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=0.5)
            self._wake.clear()
        else:
            await asyncio.sleep(0.5)
