"""A message as a row of its day, and what Heard itself has to tell as a message on record.

What is told goes under a source that nobody can write to, addressed to the destinations that it names; couriers carry
it like any other. Switches and filters of those destinations hold; they do not have to be fed by a source.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from heard.messages.again import again
from heard.messages.message import OURS, Message, Rejected
from heard.routing.answer import encode
from heard.routing.destination import Destination
from heard.routing.document import written
from heard.routing.plan import Plan
from heard.steps.plans import able
from heard.store.types import micros

Row = tuple[Any, ...]
"""What `heard.store.messages.keep` takes."""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    source: int
    type: str
    at: datetime
    received_at: datetime
    body: bytes


def row(
    workspace: int, message: Message | Rejected, received: int, verdict: str, reason: str | None, routing: str | None
) -> Row:
    """`received` in microseconds; `routing` as `encode` writes it."""
    if isinstance(message, Rejected):
        return (
            workspace,
            message.source,
            _said(message.id, 200) or "",
            (message.type or "")[:16],
            _said(message.event, 500),
            _said(message.user_id, 512),
            None,
            received,
            received,
            verdict,
            f"{reason}: {message.detail}"[:500],
            message.body.decode(errors="replace"),
            None,
        )
    return (
        workspace,
        message.source,
        message.id,
        message.type,
        message.event,
        message.user_id,
        message.anonymous_id,
        received if message.at is message.received_at else micros(message.at),
        received,
        verdict,
        reason,
        message.body.decode(),
        routing,
    )


def telling(workspace: int, number: str, said: dict[str, Any], to: Iterable[Destination], *, now: datetime) -> Row:
    """`said` (type, ids, what it is) under the messageId `number`, for these destinations and nobody else."""
    wanted = list(to)
    document = {
        **said,
        "messageId": number,
        "timestamp": written(now),
        "integrations": {"All": False, **dict.fromkeys((each.name for each in wanted), True)},
    }
    kept = _Told(source=OURS, type=said["type"], at=now, received_at=now, body=msgspec.json.encode(document))
    message = again(kept, number)
    assert message is not None
    answer = Plan([msgspec.structs.replace(able(each), sources=None) for each in wanted]).route(message)
    answer = msgspec.structs.replace(answer, whole=False)  # the others were not asked
    return row(workspace, message, micros(now), "accepted", None, encode(answer))


def _said(text: str | None, longest: int) -> str | None:
    """What a message that could not be taken says of itself, as every database can keep and index it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:longest] if text else None
