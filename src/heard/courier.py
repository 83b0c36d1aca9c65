"""A courier for every destination outside: it takes messages from the record in their order, each at its own pace.

Nobody waits for anybody: a courier has a cursor, connections and patience of its own. Its messages go in lanes, those
of one person in one lane, so that they arrive in their order. What fails for now is put aside to be tried again while
the cursor goes on; when try after try fails, it is the destination that is down, and the courier rests: what it has not
taken yet waits in the record, where it costs nothing, and one message at a time asks whether anybody is there again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from zlib import crc32

import msgspec
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard.clock import Clock
from heard.destinations.destination import Answer, Outcome, Request
from heard.destinations.kinds import KINDS, fitting
from heard.destinations.outcome import outcome_of
from heard.destinations.retries import given_up_after, next_try
from heard.destinations.shown import shown_answer, shown_request
from heard.errors import HeardError
from heard.routing.destination import Destination
from heard.routing.forward import State, Try
from heard.steps import forward
from heard.steps.ahead import Ahead
from heard.steps.forward import Parcel, Result, Round
from heard.steps.plans import plan_for_replay
from heard.store import forwards, messages, replays
from heard.store.messages import Placed
from heard.store.replays import DONE
from heard.store.store import Store
from heard.store.windows import WINDOW, Windows

log = structlog.get_logger()

LANES = 8  # requests to one destination at a time
KEEP_EVERY = 0.25  # seconds between two commits of what was handed over
LOOK_AGAIN = 0.5  # seconds, while something waits for its moment
PAUSE_AFTER_FAILURE = 1.0
DOWN_AFTER = 5  # failures in a row
SHORTEST_REST, LONGEST_REST = 1.0, 30.0  # seconds; doubled with every failure while it is down
ASKED_WITH_NEW = 4  # while it is down, each so manieth question, and the first, is a message never tried before

Carry = Callable[[Request], Awaitable[Answer]]


class Courier:
    """One destination's. `position` is the number of the last message that it is done with."""

    def __init__(
        self,
        destination: Destination,
        position: int,
        *,
        store: Store,
        windows: Windows,
        clock: Clock,
        carry: Carry,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.destination, self.position = destination, position
        self._store, self._windows, self._clock = store, windows, clock
        self._carry, self._draw = carry, draw
        self._position_kept = position
        self._ahead = Ahead()
        self._wake, self._stepping = asyncio.Event(), asyncio.Lock()
        self._retry_at: datetime | None = None  # when the first of what failed is to be tried again
        self._look_for_retries = self._look_for_replays = True
        self._tried_again_last = False
        self._asked = 0  # with one message each, since it is down
        self.failures = 0  # in a row
        self.resting_until: datetime | None = None
        self.failing_since: datetime | None = None
        self.trouble: str | None = None  # what was wrong with the last try, while something is

    async def run(self) -> None:
        while True:
            try:
                busy = await self.step()
            except Exception:
                log.exception("courier_failed", destination=self.destination.name)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
                continue
            if not busy:
                waits = self.resting_until is not None or (self._retry_at is not None and self.destination.enabled)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), timeout=LOOK_AGAIN if waits else None)
                self._wake.clear()

    def wake(self) -> None:
        """New messages may have come."""
        self._wake.set()

    def look(self) -> None:
        """Somebody put something in its way by hand: a replay, a message to be sent again, other settings."""
        self._look_for_retries = self._look_for_replays = True
        self.failures, self.failing_since, self.resting_until, self.trouble, self._asked = 0, None, None, None, 0
        self._wake.set()

    async def step(self) -> bool:
        """Whatever can be done now, up to a window's worth; False when there is nothing."""
        async with self._stepping:
            now = self._clock.now()
            if self.resting_until is not None and now < self.resting_until:
                return False
            self.resting_until = None
            if not self.destination.enabled:  # what was on its way waits until it is switched on again
                return await self._replay()
            again = partial(self._try_again, now)
            new_first = (self._go_on, self._replay, again)
            for way in new_first if self._is_turn_of_new else (again, self._go_on, self._replay):
                if await way():
                    return True
            return False

    def at_rest(self) -> asyncio.Lock:
        """Held, it begins nothing; it is given when what was begun is kept."""
        return self._stepping

    async def next_moment(self) -> datetime | None:
        """When it has something to do next; None when nothing waits."""
        await self._know_retries()
        if not self.destination.enabled:
            return self.resting_until if self._look_for_replays else None
        if self.resting_until is None:
            return self._retry_at
        waits = self._retry_at is not None or await self._windows.after(self.position) or self._look_for_replays
        return self.resting_until if waits else None

    # ── the three ways a message comes ──

    async def _try_again(self, now: datetime) -> bool:
        await self._know_retries()
        if self._retry_at is None or self._retry_at > now:
            return False
        limit = 1 if self._is_down else WINDOW
        due = await self._store.read(partial(forward.due_again, destination=self.destination, now=now, limit=limit))
        if due.lost:
            await self._store.write(partial(forward.give_up, lost=due.lost, now=now))
        self._look_for_retries = True
        await self._carry_out(Round(parcels=due.parcels))
        return True

    async def _go_on(self) -> bool:
        found = await self._windows.after(self.position)
        if not found:
            return False
        done = await self._done_of(found, self.position)
        mine = [each for each in found if each.kept.id not in done and forward.is_for(each, self.destination)]
        end = found[-1].kept.id
        if self._is_down and mine:
            mine, end = mine[:1], mine[0].kept.id
        await self._carry_out(Round(parcels=[forward.parcel(each, self.destination) for each in mine], end=end))
        return True

    async def _replay(self) -> bool:
        if not self._look_for_replays:
            return False
        self._look_for_replays = False  # before the look: whoever begins one meanwhile says so after it
        running = await self._store.read(partial(replays.running, destination=self.destination.id))
        if running is None:
            return False
        self._look_for_replays = True
        plan = plan_for_replay(self.destination)
        window = partial(messages.after, position=running.position, until=running.last, limit=WINDOW)
        found: list[Placed] = await self._store.read(window)
        done = await self._done_of(found, running.position, run=running.id)
        rest = [each for each in found if each.kept.id not in done]
        mine = [each for each in rest if forward.is_for_replay(each, self.destination, plan)]
        end = found[-1].kept.id if found else running.last
        if self._is_down and mine:
            mine, end = mine[:1], mine[0].kept.id
        parcels = [forward.parcel(each, self.destination, replay=running) for each in mine]
        numbers = [each.kept.id for each in found]
        await self._carry_out(Round(parcels=parcels, end=end, replay=running, looked_at=numbers))
        return True

    async def _done_of(self, found: Sequence[Placed], position: int, *, run: int = 0) -> frozenset[int]:
        """After a start these are what had trouble: each has its row, and its tries go on from there."""
        done = self._ahead.of(run)
        if done is None and found:
            look = partial(forwards.tried_within, after=position, until=found[-1].kept.id, run=run)
            workspace, destination = self.destination.workspace, self.destination.id
            done = await self._store.read(partial(look, workspace=workspace, destination=destination))
            self._ahead.learn(run, done, position=position)
        return done or frozenset()

    # ── handing over ──

    async def _carry_out(self, round_: Round) -> None:
        """All of it, in lanes, until it is done or the destination turns out to be down; kept as it goes on."""
        lanes: dict[int, list[Parcel]] = {}
        for each in round_.parcels:  # the same person, the same lane
            lanes.setdefault(crc32(each.person.encode()) % LANES, []).append(each)
        results: list[Result] = []
        asking = self._is_down
        if not asking:
            self._tried_again_last = round_.end is None
        elif lanes:
            self._asked += 1
        running = [asyncio.create_task(self._lane(lane, results, asking=asking)) for lane in lanes.values()]
        try:
            while running:
                finished, pending = await asyncio.wait(running, timeout=KEEP_EVERY)
                for task in finished:
                    task.result()
                running = list(pending)
                if running:
                    await self._keep(round_, results)
        finally:
            for task in running:
                task.cancel()
        await self._keep(round_, results)

    async def _lane(self, lane: Sequence[Parcel], results: list[Result], *, asking: bool) -> None:
        kind = KINDS[self.destination.type]
        while lane:
            count = 1 if kind.most_at_once == 1 else fitting(kind, [each.document for each in lane])
            batch, lane = lane[:count], lane[count:]
            if not asking and (self._is_down or self.resting_until is not None):
                return
            results += await self._try(batch)

    async def _try(self, batch: Sequence[Parcel]) -> list[Result]:
        kind, now = KINDS[self.destination.type], self._clock.now()
        request = answer = None
        try:
            request = kind.request(
                [each.document for each in batch],
                self.destination.settings,
                ids=[each.id for each in batch],
                now=now,
            )
        except Exception as problem:
            outcome = self._not_made(problem, len(batch))
        else:
            answer = await self._answer_to(request)
            outcome = outcome_of(answer, now=now, messages=len(batch))
        if outcome.kind == "divide":  # one of them may spoil it for the others: find out which
            half = len(batch) // 2
            return await self._try(batch[:half]) + await self._try(batch[half:])
        if request is not None:
            self._learn(outcome)
        return [self._result(each, outcome, request, answer, now) for each in batch]

    def _not_made(self, problem: Exception, messages: int) -> Outcome:
        """The settings cannot make this request, or we cannot: whatever it is, it would be the same the next time."""
        reason, detail = "settings", str(problem)
        if not isinstance(problem, HeardError):
            log.error("request_not_made", destination=self.destination.name, exc_info=problem)
            reason, detail = "failed", f"Heard could not make this request: {problem!r}"
        return Outcome(kind="divide" if messages > 1 else "discard", reason=reason, detail=detail)

    async def _answer_to(self, request: Request) -> Answer:
        try:
            return await self._carry(request)
        except Exception as problem:
            log.exception("request_failed", destination=self.destination.name)
            return Answer(error="failed", detail=f"Heard could not send this: {problem!r}")

    def _learn(self, outcome: Outcome) -> None:
        """Is it the message, or the destination?"""
        if outcome.kind != "retry":
            self.failures, self.failing_since, self._asked = 0, None, 0
            self.trouble = outcome.detail if outcome.kind == "discard" else None
            return
        self.failures += 1
        self.trouble = outcome.detail
        now = self._clock.now()
        self.failing_since = self.failing_since or now
        rest = outcome.after or 0.0
        if self._is_down:
            longest = min(LONGEST_REST, SHORTEST_REST * 2 ** min(self._asked, 10))
            rest = max(rest, longest * (1 + self._draw()) / 2)
        if rest:
            until = now + timedelta(seconds=rest)
            self.resting_until = max(until, self.resting_until or until)

    def _result(
        self, parcel: Parcel, outcome: Outcome, request: Request | None, answer: Answer | None, at: datetime
    ) -> Result:
        state, next_at = State.DELIVERED, None
        if outcome.kind == "retry":
            known = parcel.forward
            next_at = next_try(
                known.attempts + 1 if known else 1,
                known.first_at if known else at,
                at,
                draw=self._draw(),
                after=outcome.after,
                give_up_after=given_up_after(self.destination.settings),
            )
        if outcome.kind != "delivered":
            state = State.DEAD if next_at is None else State.RETRYING
        return Result(
            parcel=parcel,
            state=state,
            made=Try(
                at=at,
                status=answer.status if answer else None,
                reason=outcome.reason,
                detail=outcome.detail,
                seconds=answer.seconds if answer else 0.0,
            ),
            next_at=next_at,
            request=shown_request(request),
            answer=shown_answer(answer),
        )

    async def _keep(self, round_: Round, results: list[Result]) -> None:
        """What was tried since the last time, and how far that brings the cursor; nothing is written for nothing."""
        made = list(results)
        results.clear()
        round_.learn(made)
        reached, position, replay = round_.reached(), None, None
        if round_.replay is not None and reached is not None:
            replay = msgspec.structs.replace(
                round_.replay,
                position=max(reached, round_.replay.position),
                looked_at=round_.replay.looked_at + sum(number <= reached for number in round_.looked_at),
                sent=round_.replay.sent + round_.sent,
                state=DONE if reached >= round_.replay.last else round_.replay.state,
            )
        elif reached is not None:
            position = max(reached, self.position)
        lazily = not made and replay is None and not self._ahead.of(0)
        if lazily and (position is None or position - self._position_kept < WINDOW * 20):
            self.position = position or self.position
            return
        keep = partial(
            forward.keep,
            destination=self.destination,
            results=made,
            position=position,
            replay=replay,
            now=self._clock.now(),
        )
        await self._written(keep)
        if replay is not None:
            self._ahead.learn(replay.id, round_.done, position=replay.position)
        if position is not None:
            self.position = self._position_kept = position
            self._ahead.learn(0, round_.done, position=position)
        if any(each.state is State.RETRYING for each in made):
            self._look_for_retries = True

    async def _written(self, keep: Callable[[Connection], None]) -> None:
        """However long the database is away: what a receiver has said is not asked of it once more."""
        while True:
            try:
                return await self._store.write(keep)
            except OperationalError as error:
                log.error("outcomes_not_kept_yet", destination=self.destination.name, error=str(error.orig))
                await asyncio.sleep(PAUSE_AFTER_FAILURE)

    @property
    def _is_down(self) -> bool:
        return self.failures >= DOWN_AFTER

    @property
    def _is_turn_of_new(self) -> bool:
        """What is tried again and what is new take turns: messages that always fail must not stand before all others.

        While it is down it is asked with what is tried again, mostly: each question costs a message its first try.
        """
        return self._asked % ASKED_WITH_NEW == 0 if self._is_down else self._tried_again_last

    async def _know_retries(self) -> None:
        if self._look_for_retries:
            self._look_for_retries = False
            self._retry_at = await self._store.read(partial(forwards.next_due, destination=self.destination.id))
