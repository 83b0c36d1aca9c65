"""`GET /api/messages`: the debugger. What came in, what became of it, where it went, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import get, post
from sqlalchemy import Connection

from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import replay
from heard.operations.destinations_seen import hidden
from heard.operations.went import DELIVERED, REFUSED, Went, went
from heard.routing.destination import SURVEYS, Destination
from heard.routing.forward import State
from heard.store import tail
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.store.tail import Wanted
from heard.web.api import paging
from heard.web.api.deliveries import Limit
from heard.web.api.numbers import Number

VERDICTS = ("accepted", "held", "rejected")


class Resend(msgspec.Struct, forbid_unknown_fields=True):
    """`destination` by its name."""

    destination: str


def routes(app: Installation) -> list[Any]:
    @get("/messages", tags=["messages"])
    async def list_messages(
        workspace: int,
        source: str | None = None,
        user_id: str | None = None,
        event: str | None = None,
        verdict: str | None = None,
        destination: str | None = None,
        cursor: str | None = None,
        limit: Limit = paging.LIMIT,
    ) -> dict[str, Any]:
        """Messages as accepted, newest first. Filters: `source` (its name), `user_id`, `event`, `verdict`,
        `destination` (by name: what was routed to it, or sent to it by hand).

        Of a user it shows also what came without a userId, under an anonymousId that is known to be theirs. What is
        rare (an event, a verdict, a source) is looked for some way back at a time: a page may be empty, and its `next`
        leads on all the same.
        """
        if verdict is not None and verdict not in VERDICTS:
            raise Invalid(f"Write one of {', '.join(VERDICTS)}.", field="verdict")
        directory = app.directory
        chosen = _source(directory, workspace, source) if source else None
        before = paging.after(cursor, int)
        to = _destination(directory, workspace, destination) if destination else None
        wanted = Wanted(user_id=user_id, event=event, source=chosen, verdict=verdict, to=to)

        def look(connection: Connection) -> tuple[list[Kept], int | None, Mapping[int, list[Went]]]:
            looked = tail.back(connection, workspace, wanted, before=before, limit=limit)
            return looked.found, looked.further, went(connection, looked.found, directory, workspace)

        found, further, told = await app.store.read(look)
        return paging.page([_shown(each, told[each.id], directory) for each in found], further)

    @post("/messages/{id:int}/resend", tags=["messages"], status_code=200)
    async def resend_message(
        workspace: int,
        caller: str,
        id: Number,  # noqa: A002
        data: Resend,
    ) -> dict[str, Any]:
        """Send one message to one destination, whether it has it already or not. Consent and filters hold."""
        destination = app.directory.destination(workspace, data.destination)
        await replay.one(app, workspace=workspace, destination=destination.id, message=id, by=caller)
        return {"message": str(id), "destination": destination.name, "state": State.RETRYING.value}

    return [list_messages, resend_message]


def _source(directory: Directory, workspace: int, name: str) -> int:
    for source in directory.sources.values():
        if source.workspace == workspace and source.name == name:
            return source.id
    raise Invalid(f"There is no source {name!r}.", field="source")


def _destination(directory: Directory, workspace: int, name: str) -> Destination:
    try:
        return directory.destination(workspace, name)
    except NotFound as error:
        raise Invalid(str(error), field="destination") from None


def _shown(kept: Kept, told: Sequence[Went], directory: Directory) -> dict[str, Any]:
    source = directory.sources.get(kept.source)
    refused = [(each.destination.name, each.refusal) for each in told if each.refusal is not None]
    return {
        "id": str(kept.id),
        "message_id": kept.message_id,
        "source": source.name if source else None,
        "type": kept.type,
        "event": kept.event,
        "user_id": kept.user_id,
        "anonymous_id": kept.anonymous_id,
        "timestamp": kept.at,
        "received_at": kept.received_at,
        "verdict": kept.verdict,
        "reason": kept.reason,
        "to": [each.destination.name for each in told if each.state != REFUSED],
        "not_to": [{"destination": name, "reason": why.reason, "why": why.detail} for name, why in refused],
        "deliveries": [_delivery(each) for each in told if each.state != REFUSED and each.destination.type != SURVEYS],
        "message": msgspec.Raw(_json(kept.body)),
    }


def _delivery(each: Went) -> dict[str, Any]:
    """Without a forward it was taken at the first try, or stands in the queue."""
    forward, name = each.forward, each.destination.name
    if forward is None:
        attempts = 1 if each.state == DELIVERED else 0
        told = {"attempts": attempts, "reason": None, "detail": None, "next_at": None}
    else:
        last = forward.tries[-1] if forward.tries else None
        detail = hidden(last.detail, each.destination) if last else None
        next_at = forward.next_at if forward.state is State.RETRYING else None
        told = {"attempts": forward.attempts, "reason": forward.reason, "detail": detail, "next_at": next_at}
    return {"destination": name, "state": each.state, **told}


def _json(body: bytes) -> bytes:
    """The message as it stands; one that was no JSON is shown as text."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return msgspec.json.encode(body.decode(errors="replace"))
    return body
