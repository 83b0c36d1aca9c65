"""One accepted HTTP request, as it lies on the log: everything that cannot be found out again later."""

from __future__ import annotations

import msgspec


class Accepted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`body` is the JSON as sent, inflated; it has passed `glance.glance` and nothing else.

    `received_at` is in microseconds since 1970 UTC (by Heard's clock, so the test clock moves it); `client` is the
    sender's address, "" when unknown; `kind` is "batch", a message type, or "hook": one message that names its type
    and whose `timestamp` was corrected by who passed it on. New fields are added at the end, with a
    default: the log outlives an upgrade.
    """

    source: int
    kind: str
    received_at: int
    client: str
    agent: str
    body: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Accepted)

encode = _ENCODER.encode


def decode(payload: bytes) -> Accepted:
    """The request behind a log record.

    Raises:
        msgspec.MsgspecError: when it is not one (the router sets such a record aside and goes on).
    """
    return _DECODER.decode(payload)
