"""`GET /api/messages`: the debugger. What came in, what became of it, and why."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get
from sqlalchemy import Connection

from heard.errors import Invalid
from heard.installation import Installation
from heard.store import messages, tail
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.store.tail import Wanted
from heard.web.api import paging
from heard.web.api.deliveries import Limit

VERDICTS = ("accepted", "held", "rejected")
NOT_FOR_US = {
    "integrations_object": "Its integrations object does not permit this destination.",
    "no_destination": "The source does not feed this destination.",
}


def routes(app: Installation) -> list[Any]:
    @get("/messages", tags=["messages"])
    async def list_messages(
        workspace: int,
        source: str | None = None,
        user_id: str | None = None,
        verdict: str | None = None,
        cursor: str | None = None,
        limit: Limit = paging.LIMIT,
    ) -> dict[str, Any]:
        """Messages as accepted, newest first. Filters: `source` (its name), `user_id`, `verdict`.

        Of a user it shows also what came without a userId, under an anonymousId that is known to be theirs.
        """
        if verdict is not None and verdict not in VERDICTS:
            raise Invalid(f"Write one of {', '.join(VERDICTS)}.", field="verdict")
        directory = app.directory
        chosen = _source(directory, workspace, source) if source else None
        before = paging.after(cursor, int)

        def look(connection: Connection) -> list[Kept]:
            if user_id is not None:
                wanted = Wanted(user_id=user_id, source=chosen, verdict=verdict)
                return tail.back(connection, workspace, wanted, before=before, limit=limit).found
            return messages.newest(connection, workspace, before=before, limit=limit, source=chosen, verdict=verdict)

        found = await app.store.read(look)
        last = found[-1].id if len(found) == limit else None
        return paging.page([_shown(each, directory, workspace) for each in found], last)

    return [list_messages]


def _source(directory: Directory, workspace: int, name: str) -> int:
    for source in directory.sources.values():
        if source.workspace == workspace and source.name == name:
            return source.id
    raise Invalid(f"There is no source {name!r}.", field="source")


def _shown(kept: Kept, directory: Directory, workspace: int) -> dict[str, Any]:
    source = directory.sources.get(kept.source)
    intake = directory.intakes.get(workspace)
    name = intake.names[0] if intake else "Heard"
    refused = NOT_FOR_US.get(kept.reason or "")
    went = kept.verdict != "rejected" and refused is None
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
        "to": [name] if went else [],
        "not_to": [{"destination": name, "why": refused}] if refused else [],
        "message": msgspec.Raw(_json(kept.body)),
    }


def _json(body: bytes) -> bytes:
    """The message as it stands; one that was no JSON is shown as text."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return msgspec.json.encode(body.decode(errors="replace"))
    return body
