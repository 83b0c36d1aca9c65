"""A message that was kept, as it was when it was routed: for whatever happens to it later."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from heard.messages.accepted import Accepted
from heard.messages.message import Message
from heard.messages.parse import read
from heard.messages.timestamps import EARLIEST


class Kept(Protocol):
    """What is kept of it."""

    @property
    def source(self) -> int: ...
    @property
    def message_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def body(self) -> bytes: ...


def again(kept: Kept) -> Message | None:
    """The message; None for one that was rejected."""
    received = round((kept.received_at - EARLIEST).total_seconds() * 1_000_000)
    accepted = Accepted(source=kept.source, kind=kept.type, received_at=received, client="", agent="", body=kept.body)
    (message,) = read(accepted, offset=0)
    if not isinstance(message, Message):
        return None
    return msgspec.structs.replace(message, id=kept.message_id, at=kept.at, received_at=kept.received_at)
