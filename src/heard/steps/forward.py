"""What goes to a destination outside: load what is its turn, and keep what became of it. The courier does the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import ids
from heard.destinations.kinds import routes_itself
from heard.messages.again import again
from heard.messages.message import OURS
from heard.routing.answer import decode
from heard.routing.destination import Destination
from heard.routing.document import routed
from heard.routing.forward import Forward, State, Try, tried
from heard.routing.latency import latency_class
from heard.routing.plan import Plan
from heard.routing.shape import shaped
from heard.steps.plans import refusal_of_replay
from heard.store import cursors, edits, forwards, messages, replays
from heard.store.forwards import DELIVERED, DISCARDED, LATENCY, RETRIED, hour_of
from heard.store.messages import Placed
from heard.store.replays import Replay

SHOWN = 16_384  # characters of a request and of an answer that are kept


class Parcel(msgspec.Struct, kw_only=True):
    """One message for one destination. `forward` where it was tried before; `replay` where it goes out once more."""

    placed: Placed
    document: dict[str, Any]
    id: str
    forward: Forward | None = None
    replay: Replay | None = None

    @property
    def person(self) -> str:
        """Whose messages keep their order."""
        return self.placed.kept.user_id or self.placed.kept.anonymous_id or self.placed.kept.message_id

    @property
    def is_on_its_first_way(self) -> bool:
        """Neither replayed nor sent again by hand: only then its way from receipt is the time that delivery takes."""
        return self.replay is None and (self.forward is None or not self.forward.is_by_hand)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one try of one parcel came to."""

    parcel: Parcel
    state: State
    made: Try
    next_at: datetime | None
    request: str
    answer: str


class Round(msgspec.Struct, kw_only=True):
    """Messages that go out together. When all are done the cursor, or the replay, stands at `end`."""

    parcels: Sequence[Parcel]
    end: int | None = None
    replay: Replay | None = None
    looked_at: Sequence[int] = ()  # the numbers of what a replay found, in order
    done: set[int] = msgspec.field(default_factory=set)
    sent: int = 0

    def reached(self) -> int | None:
        """Up to where all is done without a gap."""
        if self.end is None:
            return None
        numbers = (each.placed.kept.id for each in self.parcels)
        missing = next((number for number in numbers if number not in self.done), None)
        return self.end if missing is None else missing - 1

    def learn(self, results: Sequence[Result]) -> None:
        self.done.update(each.parcel.placed.kept.id for each in results)
        self.sent += sum(each.state is State.DELIVERED for each in results)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    parcels: list[Parcel]
    lost: list[Forward]  # whose message is kept no longer


def due_again(connection: Connection, destination: Destination, *, now: datetime, limit: int) -> Due:
    """What was tried before and is to be tried now."""
    waiting = forwards.due(connection, destination.id, now=now, limit=limit)
    found = messages.placed(connection, [(each.day, each.message) for each in waiting])
    parcels = [parcel(found[each.message], destination, forward=each) for each in waiting if each.message in found]
    return Due(parcels=parcels, lost=[each for each in waiting if each.message not in found])


def parcel(
    placed: Placed, destination: Destination, *, forward: Forward | None = None, replay: Replay | None = None
) -> Parcel:
    """The message as this destination gets it; its property filters have taken from it what they take.

    Sent once more, its `integrations` say that it was for this one alone. Not where the receiver routes by them itself:
    by our name it would route to nobody, so it gets the sender's own.
    """
    kept = placed.kept
    document = shaped(
        routed(
            kept.body,
            type=kept.type,
            message_id=kept.message_id,
            user_id=kept.user_id,
            anonymous_id=kept.anonymous_id,
            at=kept.at,
            received_at=kept.received_at,
        ),
        destination,
    )
    run = replay.id if replay else forward.run if forward else 0
    if run and not routes_itself(destination.type):
        document["integrations"] = {"All": False, destination.name: True}
    return Parcel(
        placed=placed,
        document=document,
        id=ids.forward_id(destination.id, kept.source, kept.message_id, run),
        forward=forward,
        replay=replay,
    )


def is_for(placed: Placed, destination: Destination) -> bool:
    """Whether routing gave it this message when it came."""
    if placed.workspace != destination.workspace or placed.kept.routing is None:
        return False
    return destination.id in decode(placed.kept.routing).to


def is_for_replay(placed: Placed, destination: Destination, plan: Plan) -> bool:
    """Whether it may have the message now: the sender's wish is "this one alone"; consent and filters hold."""
    if placed.workspace != destination.workspace or placed.kept.verdict == "rejected":
        return False
    if placed.kept.source == OURS:
        return is_for(placed, destination)  # it was addressed
    message = again(placed.kept, placed.kept.message_id)
    return message is not None and refusal_of_replay(message, destination, plan) is None


def keep(
    connection: Connection,
    destination: Destination,
    results: list[Result],
    *,
    position: int | None,
    replay: Replay | None,
    now: datetime,
) -> None:
    """What was tried, and how far the destination has come, in one transaction; nothing of one that was removed."""
    if not edits.has_destination(connection, destination.workspace, destination.id):
        return
    counts: Counter[forwards.Count] = Counter()
    hour = hour_of(now)

    def count(name: str) -> None:
        counts[destination.workspace, destination.id, hour, name] += 1

    changed: list[Forward] = []
    for result in results:
        known = result.parcel.forward
        match result.state:
            case State.DELIVERED:
                count(DELIVERED)
                if result.parcel.is_on_its_first_way:
                    took = now - result.parcel.placed.kept.received_at
                    count(f"{LATENCY}:{latency_class(max(took.total_seconds(), 0.0))}")
            case State.RETRYING:
                count(RETRIED)
            case State.DEAD:
                count(DISCARDED)
        if known is not None or result.state is not State.DELIVERED:
            changed.append(_after(result, known or _first(destination, result, now)))
    forwards.keep(connection, changed)
    forwards.count(connection, counts)
    if position is not None:
        cursors.put(connection, forwards.cursor_of(destination.id), position)
    if replay is not None:
        replays.progress(connection, replay)


def give_up(connection: Connection, lost: list[Forward], *, now: datetime) -> None:
    """Their messages are kept no longer: there is nothing left to send."""
    made = Try(at=now, status=None, reason=forwards.GONE, detail="The message is kept no longer.", seconds=0.0)
    gone = [tried(each, State.DEAD, made, next_at=None, request=each.request, answer=each.answer) for each in lost]
    forwards.keep(connection, gone)
    forwards.count(connection, Counter((each.workspace, each.destination, hour_of(now), DISCARDED) for each in gone))


def _first(destination: Destination, result: Result, now: datetime) -> Forward:
    return Forward(
        workspace=destination.workspace,
        destination=destination.id,
        message=result.parcel.placed.kept.id,
        day=result.parcel.placed.day,
        state=State.RETRYING,
        attempts=0,
        first_at=result.made.at,
        last_at=now,
        next_at=None,
        reason="",
        run=result.parcel.replay.id if result.parcel.replay else 0,
    )


def _after(result: Result, forward: Forward) -> Forward:
    return tried(
        forward,
        result.state,
        result.made,
        next_at=result.next_at,
        request=result.request[:SHOWN],
        answer=result.answer[:SHOWN],
    )
