"""Messages and destinations of the routing specs, the smallest of each."""

from __future__ import annotations

import json
from typing import Any

from heard.messages import Accepted, Message, parse
from heard.routing.answer import Refusal
from heard.routing.destination import Destination
from heard.routing.plan import Plan
from tests.examples import NOON

SOURCE = 7


def a_destination(**changes: Any) -> Destination:
    return Destination(**{"id": 1, "workspace": 1, "name": "Warehouse hook", "type": "webhook"} | changes)


def a_surveys(**changes: Any) -> Destination:
    """The surveys destination under a name of its own: it answers to its old names all the same."""
    return Destination(**{"id": 2, "workspace": 1, "name": "Our surveys", "type": "surveys"} | changes)


def a_message(type: str = "track", **fields: Any) -> Message:  # noqa: A002
    """A message as the parser reads it. A field that is None is left out."""
    sent: dict[str, Any] = {"messageId": "m1", "userId": "marshall", "event": "Order Completed"} | fields
    if type != "track" and "event" not in fields:
        del sent["event"]
    kept = {name: value for name, value in sent.items() if value is not None}
    (message,) = parse.read(accepted(kept, type), offset=4096)
    assert isinstance(message, Message), message
    return message


def accepted(body: dict[str, Any] | bytes, kind: str = "track") -> Accepted:
    return Accepted(
        source=SOURCE,
        kind=kind,
        received_at=int(NOON.timestamp()) * 1_000_000,
        client="192.0.2.1",
        agent="",
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def refusal(destination: Destination, message: Message | None = None, **fields: Any) -> Refusal | None:
    """Why this destination alone does not get the message; None when it does."""
    routing = Plan([destination]).route(message or a_message(**fields))
    return routing.refusal(destination.id)


def reason(destination: Destination, message: Message | None = None, **fields: Any) -> str | None:
    refused = refusal(destination, message, **fields)
    return refused.reason if refused else None
