"""A message read once more: as it was kept, or after something was taken from it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from heard.messages.accepted import Accepted
from heard.messages.message import Message
from heard.messages.parse import read


class Kept(Protocol):
    """What is kept of a message; a `Message` itself will do."""

    @property
    def source(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def body(self) -> bytes: ...


def again(kept: Kept, message_id: str, *, body: bytes | None = None) -> Message | None:
    """The message, as it was routed; with this `body` where one is given. None when that is no message (any more)."""
    accepted = Accepted(
        source=kept.source,
        kind=kept.type,
        received_at=0,
        client="",
        agent="",
        body=kept.body if body is None else body,
    )
    (message,) = read(accepted, offset=0)
    if not isinstance(message, Message):
        return None
    return msgspec.structs.replace(message, id=message_id, at=kept.at, received_at=kept.received_at)
