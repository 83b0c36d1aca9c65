"""What is known of destinations: how they are set up, how they fare, and what did not get there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from heard.destinations.kinds import secrets_of, with_defaults
from heard.destinations.veiled import HIDDEN, host_alone, veiled, veiled_request
from heard.installation import Installation
from heard.operations.file_destination import with_names
from heard.routing.destination import SURVEYS, Destination
from heard.routing.forward import Forward, State
from heard.routing.lines import written
from heard.store import behind, forwards, messages, waiting
from heard.store.forwards import DELIVERED, DISCARDED, REFUSED, RETRIED
from heard.store.messages import Placed

WINDOW = timedelta(hours=24)
ADDRESS_IS_SECRET = frozenset({"slack"})  # types: who knows the address can write there


async def destinations(app: Installation, *, workspace: int) -> list[dict[str, Any]]:
    """Every destination of a workspace, in the order they were made.

    `last_24_hours` counts from the full hour on. What surveys take is `delivered`; nothing of it is tried again, so
    their `retried` and `discarded` are None, and what waits for them is over their daily limit. `waiting` counts no
    further than a few thousand, `more_wait` says so. `trouble` is what was wrong with the last try, None while nothing
    is.
    """
    now, directory = app.clock.now(), app.directory
    places = {number: courier.position for number, courier in app.couriers.by_destination.items()}

    def look(connection: Connection) -> list[dict[str, Any]]:
        counts = forwards.counted(connection, workspace, since=now - WINDOW)
        told: list[dict[str, Any]] = []
        for each in directory.destinations_of(workspace):
            if each.type == SURVEYS:
                waits, more = waiting.count(connection, workspace), False
            else:
                found = behind.behind(connection, workspace, each.id, places.get(each.id, messages.last(connection)))
                waits, more = found.waiting, found.more
            counted = counts.get(each.id, {})
            told.append({"last_24_hours": _counted(counted, each), "waiting": waits, "more_wait": more})
        return told

    fared = await app.store.read(look)
    wrong = troubles(app, workspace=workspace)
    return [
        {**set_up(each, app), **how, "trouble": wrong.get(each.id)}
        for each, how in zip(directory.destinations_of(workspace), fared, strict=True)
    ]


def troubles(app: Installation, *, workspace: int) -> dict[int, str]:
    """What was wrong with the last try, by destination; nothing of those that fare well."""
    return {
        each.id: hidden(courier.trouble, each)
        for each in app.directory.destinations_of(workspace)
        if (courier := app.couriers.by_destination.get(each.id)) is not None and courier.trouble is not None
    }


def hidden(text: str, destination: Destination) -> str:
    """What a destination said, without what its settings keep secret."""
    return veiled(text, destination.type, destination.settings)


def set_up(destination: Destination, app: Installation) -> dict[str, Any]:
    """As the workspace file says it, with every default, and without its secrets. `sources` None = every source."""
    sources, fed = app.directory.sources, destination.sources
    return {
        "id": destination.id,
        "name": destination.name,
        "type": destination.type,
        "enabled": destination.enabled,
        "sources": None if fed is None else [sources[number].name for number in sorted(fed) if number in sources],
        "settings": _settings(destination),
        "events": with_names(destination.switches, {number: each.name for number, each in sources.items()}),
        "filters": [written(each) for each in destination.filters],
    }


async def troubled(
    app: Installation,
    destination: Destination,
    *,
    state: State | None = None,
    reason: str | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[tuple[Forward, Placed | None]]:
    """What did not get there at the first try, the last tried first, with its message while that is kept."""

    def look(connection: Connection) -> list[tuple[Forward, Placed | None]]:
        found = forwards.newest(
            connection, destination.workspace, destination.id, state=state, reason=reason, before=before, limit=limit
        )
        kept = messages.placed(connection, [(each.day, each.message) for each in found])
        return [(each, kept.get(each.message)) for each in found]

    return await app.store.read(look)


def shown(forward: Forward, placed: Placed | None, destination: Destination) -> dict[str, Any]:
    """One of them. `message_id`, `type` and `event` are None when the message is kept no longer."""
    kept, type_, settings = placed.kept if placed else None, destination.type, destination.settings
    whole = type_ not in ADDRESS_IS_SECRET
    return {
        "message": str(forward.message),
        "message_id": kept.message_id if kept else None,
        "type": kept.type if kept else None,
        "event": kept.event if kept else None,
        "state": forward.state.value,
        "attempts": forward.attempts,
        "reason": forward.reason,
        "first_at": forward.first_at,
        "last_at": forward.last_at,
        "next_at": forward.next_at,
        "tries": [
            {
                "at": each.at,
                "status": each.status,
                "reason": each.reason,
                "detail": hidden(each.detail, destination),
                "seconds": round(each.seconds, 3),
            }
            for each in reversed(forward.tries)
        ],
        "request": veiled_request(forward.request, type_, settings, whole_address=whole),
        "answer": veiled(forward.answer, type_, settings),
    }


def _counted(counts: dict[str, int], destination: Destination) -> dict[str, Any]:
    parts = [(name.partition(":"), n) for name, n in counts.items()]
    goes_out = destination.type != SURVEYS
    return {
        DELIVERED: counts.get(DELIVERED, 0),
        **{name: counts.get(name, 0) if goes_out else None for name in (RETRIED, DISCARDED)},
        "refused": {rest: n for (kind, _, rest), n in parts if kind == REFUSED},
    }


def _settings(destination: Destination) -> dict[str, Any]:
    secrets = secrets_of(destination.type)
    told: dict[str, Any] = {}
    for name, value in with_defaults(destination.type, destination.settings).items():
        if value is not None and name in secrets:
            value = dict.fromkeys(value, HIDDEN) if isinstance(value, dict) else HIDDEN
        elif isinstance(value, str) and name == "url" and destination.type in ADDRESS_IS_SECRET:
            value = host_alone(value)
        told[name] = value
    return told
