"""Sending messages again: a window of history, what was given up, one message by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.messages.again import again
from heard.messages.message import OURS, Message
from heard.operations.kept import gone_before
from heard.operations.meant import workspace_meant
from heard.operations.moments import moment_in
from heard.retention import Kind
from heard.routing.destination import SURVEYS, Destination
from heard.routing.forward import Forward, State
from heard.routing.forward import again as sent_again
from heard.steps.plans import plan_for_replay, refusal_of_replay
from heard.store import audit, cursors, forwards, messages, replays, tail
from heard.store.days import day_of
from heard.store.replays import RUNNING, Replay

LARGEST = 2**62
A_TIME = 1000  # forwards that are taken up again in one transaction


async def begin(
    app: Installation,
    *,
    destination: str,
    since: datetime | str,
    until: datetime | str | None = None,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = audit.COMMAND_LINE,
) -> dict[str, Any]:
    """Everything received from `since` until before `until` (now) goes to the destination once more, in its order.

    The sender's `integrations` become "this one alone"; consent and filters hold; a destination that is switched off
    gets it too. What it already has it gets twice: that is what a replay is for.

    Gives `{"id", "destination", "since", "until", "looked_at", "sent", "left", "state", "kept_since"}`; it goes on by
    itself. `kept_since` is None unless the window begins before what is still there.

    Raises:
        NotFound: no such destination.
        Invalid: `since` is not before `until`, or one is no moment.
        HeardError: the destination is the surveys one.
    """
    number = workspace_meant(app, workspace, workspace_id)
    wanted, now = app.directory.destination(number, destination), app.clock.now()
    _must_be_outside(wanted)
    first, last = moment_in(since, "since", now), now if until is None else moment_in(until, "until", now)
    if first >= last:
        raise Invalid("since: it has to be before until.", field="since")

    # By a reader: the first and the last day are read whole, and nobody waits for that.
    position, end = await app.store.read(lambda connection: messages.received_within(connection, first, last))

    def work(connection: Connection) -> Replay:
        made = replays.begin(
            connection,
            number,
            destination=wanted.id,
            since=first,
            until=last,
            position=position,
            last=end,
            by=by,
            at=now,
        )
        detail = {"since": first.isoformat(), "until": last.isoformat()}
        audit.note(connection, number, by=by, what="replay.begun", subject=wanted.name, at=now, detail=detail)
        return made

    made = await app.store.write(work)
    await app.couriers.refresh()
    app.couriers.by_destination[wanted.id].look()
    if not app.couriers.started:
        await app.couriers.idle()
        made = await app.store.read(lambda connection: replays.one(connection, number, made.id)) or made
    return described(made, wanted.name, gone=await gone_before(app, Kind.MESSAGES, made.since))


async def progress(
    app: Installation,
    *,
    id: int,  # noqa: A002
    workspace: str | None = None,
    workspace_id: int | None = None,
) -> dict[str, Any]:
    """How far a replay is."""
    number = workspace_meant(app, workspace, workspace_id)
    found = await app.store.read(lambda connection: replays.one(connection, number, id))
    if found is None:
        raise NotFound(f"There is no replay {id}.")
    destination = app.directory.destinations.get(found.destination)
    gone = await gone_before(app, Kind.MESSAGES, found.since)
    return described(found, destination.name if destination else "(removed)", gone=gone)


async def cancel(app: Installation, *, workspace: int, id: int, by: str) -> None:  # noqa: A002
    """It goes no further; what was sent was sent."""
    found = await app.store.read(lambda connection: replays.one(connection, workspace, id))
    if found is None:
        raise NotFound(f"There is no replay {id}.")
    if found.state != RUNNING:
        return
    name = _of(app, workspace, found.destination).name

    def work(connection: Connection) -> None:
        replays.cancel(connection, workspace, id)
        audit.note(connection, workspace, by=by, what="replay.cancelled", subject=name, at=app.clock.now())

    await app.store.write(work)


async def dead(
    app: Installation, *, destination: str, reason: str | None = None, workspace: str | None = None
) -> dict[str, Any]:
    """`dead_letters` of a destination by its name. Gives `{"destination", "enabled", "reason", "messages"}`.

    Raises:
        NotFound: no such destination.
        HeardError: the destination is the surveys one.
    """
    number = workspace_meant(app, workspace, None)
    wanted = app.directory.destination(number, destination)
    tried = await dead_letters(app, workspace=number, destination=wanted.id, reason=reason, by=audit.COMMAND_LINE)
    return {"destination": wanted.name, "enabled": wanted.enabled, "reason": reason, "messages": tried}


async def dead_letters(app: Installation, *, workspace: int, destination: int, reason: str | None, by: str) -> int:
    """Try everything again that was given up, or what was for one reason; gives how many."""
    wanted, now = _of(app, workspace, destination), app.clock.now()
    _must_be_outside(wanted)
    before = (now, LARGEST)  # not what is given up once more while we are at it

    def work(connection: Connection) -> int:
        found = forwards.newest(
            connection, workspace, wanted.id, state=State.DEAD, reason=reason, before=before, limit=A_TIME
        )
        forwards.keep(connection, [sent_again(each, now=now) for each in found])
        return len(found)

    total = 0
    while some := await app.store.write(work):
        total += some
    if total:
        detail = {"messages": total, "reason": reason}
        await app.store.write(
            lambda connection: audit.note(
                connection, workspace, by=by, what="deadletters.retried", subject=wanted.name, at=now, detail=detail
            )
        )
        await app.couriers.refresh()
        app.couriers.by_destination[wanted.id].look()
        if not app.couriers.started:
            await app.couriers.idle()
    return total


async def one(app: Installation, *, workspace: int, destination: int, message: int, by: str) -> None:
    """One message to one destination, whether it has it already or not.

    Raises:
        NotFound: no such destination or message.
        HeardError: consent or a filter keeps it from there; the sentence says which.
    """
    wanted, now = _of(app, workspace, destination), app.clock.now()
    _must_be_outside(wanted)

    def work(connection: Connection) -> None:
        kept = tail.by_id(connection, workspace, message)
        if kept is None:
            raise NotFound("There is no such message. It may have been dropped with its day.")
        read = again(kept, kept.message_id) if kept.verdict != "rejected" else None
        if read is None:
            raise HeardError("A rejected message goes nowhere.")
        refusal = refusal_of_replay(read, wanted, plan_for_replay(_fed(wanted, read)))
        if refusal is not None:
            raise HeardError(refusal.detail)
        known = forwards.one(connection, workspace, wanted.id, message)
        if known is not None and known.state is State.RETRYING:
            forwards.keep(connection, [_at_once(known, now)])
        else:
            fresh = Forward(
                workspace=workspace,
                destination=wanted.id,
                message=message,
                day=day_of(kept.received_at),
                state=State.DELIVERED,
                attempts=0,
                first_at=now,
                last_at=now,
                next_at=None,
                reason="by_hand",
            )
            taken = known is None or known.state is State.DELIVERED
            run = cursors.take(connection, "replays") if taken else None
            forwards.keep(connection, [sent_again(known or fresh, now=now, run=run)])
        audit.note(
            connection, workspace, by=by, what="message.sent_again", subject=wanted.name, at=now,
            detail={"message": kept.message_id},
        )  # fmt: skip

    await app.store.write(work)
    app.couriers.by_destination[wanted.id].look()


def described(replay: Replay, destination: str, *, gone: datetime | None = None) -> dict[str, Any]:
    """`left`: how many numbers are still to be looked at, an upper bound. `gone`: since when messages are there, where
    its window begins before."""
    return {
        "id": replay.id,
        "destination": destination,
        "since": replay.since.isoformat(),
        "until": replay.until.isoformat(),
        "looked_at": replay.looked_at,
        "sent": replay.sent,
        "left": max(0, replay.last - replay.position),
        "state": replay.state,
        "kept_since": gone.isoformat() if gone else None,
    }


def _at_once(forward: Forward, now: datetime) -> Forward:
    return msgspec.structs.replace(forward, next_at=now)


def _of(app: Installation, workspace: int, number: int) -> Destination:
    found = app.directory.destinations.get(number)
    if found is None or found.workspace != workspace:
        raise NotFound("There is no such destination in this workspace.")
    return found


def _must_be_outside(destination: Destination) -> None:
    if destination.type == SURVEYS:
        raise HeardError(
            f"{destination.name} is Heard itself: it decided about every message when it came, and keeps to that."
            " `heard dry-run` shows what a campaign would do with the past."
        )


def _fed(wanted: Destination, message: Message) -> Destination:
    """What Heard itself has to tell comes from no source that could feed anybody."""
    return msgspec.structs.replace(wanted, sources=None) if message.source == OURS else wanted
