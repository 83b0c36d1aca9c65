"""A message to send on, and the way it goes: the real client, on the loop that the product runs on."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import uvloop

from heard.destinations.destination import Document, Request
from heard.destinations.kinds import KINDS
from heard.outgoing.client import TIMEOUT, Client
from heard.outgoing.exchange import Answer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLIENT = Client(allow_private=True)  # one, as in an installation: each loads the certificates anew
LOOP = asyncio.Runner(loop_factory=uvloop.new_event_loop)
atexit.register(LOOP.close)


def a_document(number: int = 1, **changes: Any) -> Document:
    """One message, as routed."""
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "properties": {"total": 49.5, "products": [{"sku": "a b", "quantity": 2}], "Ship To": None},
        "context": {"traits": {"email": "ann@example.com", "name": "Ann & <Lee>"}, "library": {"name": "x"}},
        "integrations": {"All": True, "Slack": {"channel": "#a"}},
        "originalTimestamp": "2026-11-22T12:59:59.000Z",
        "timestamp": "2026-11-22T11:59:59.000Z",
    } | changes


def made(kind: str, documents: Sequence[Document], settings: dict[str, Any]) -> Request:
    """The request of a kind of destination at noon."""
    ids = [f"msg_{each['messageId']}" for each in documents]
    return KINDS[kind].request(documents, settings, ids=ids, now=NOON)


def hand_over(request: Request, *, timeout: float = TIMEOUT, client: Client = CLIENT) -> Answer:
    return LOOP.run(client.send(request, timeout=timeout))
