"""The JSON of a request: read with a cap, inflated with a cap."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from heard.messages.glance import Fault, too_large
from heard.messages.limits import MAX_BODY_BYTES

Receive = Callable[[], Awaitable[Any]]

GZIP = 31
"""zlib's window bits for a gzip member with its header."""


class Disconnected(Exception):
    """The client left before its request was complete."""


async def read_body(receive: Receive) -> bytes | None:
    """The body as it came over the wire; None when it is over `MAX_BODY_BYTES`, the rest of it unread.

    Raises:
        Disconnected: when it will never be complete.
    """
    message = await receive()
    if message["type"] != "http.request":
        raise Disconnected
    body: bytes = message["body"]
    if not message["more_body"]:
        return body if len(body) <= MAX_BODY_BYTES else None
    parts, size = [body], len(body)
    while message["more_body"]:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        parts.append(message["body"])
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            return None
    return b"".join(parts)


def inflate(body: bytes, kind: str) -> bytes | Fault:
    """What one gzip member holds; never makes more than `MAX_BODY_BYTES` of it, whatever it claims to be."""
    member = zlib.decompressobj(GZIP)
    try:
        inflated = member.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        return Fault("invalid_gzip", "The body says Content-Encoding: gzip but is not valid gzip.")
    if len(inflated) > MAX_BODY_BYTES:
        return too_large(kind)
    if not member.eof:
        return Fault("invalid_gzip", "The gzip body ends too early.")
    if member.unused_data:
        return Fault("invalid_gzip", "The gzip body goes on after its end; send one gzip member.")
    return inflated
