"""Messages from an image: `GET /v1/pixel/track?data=...`, for mails and pages that can load a picture and nothing else.

Whatever is asked, the answer is 200 and one transparent dot: a mail must not show a broken picture because something of
ours went wrong, nor because an address names no kind of message. What the same message would have been answered with
when posted is counted (`heard_collector_pixels_total`).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from heard.collector.answers import CORS, answer
from heard.messages.limits import MAX_DEPTH
from heard.messages.message import TYPES

KINDS = {f"/v1/pixel/{kind}{slash}": kind for kind in TYPES for slash in ("", "/")}
"""The kind of message by path."""
PATH = "/v1/pixel"

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
DOT = answer(200, GIF, ((b"content-type", b"image/gif"), (b"cache-control", b"no-store"), CORS))

URL_SAFE = bytes.maketrans(b"-_ ", b"+/+")
"""Both alphabets of base64 are read, and a plus sign that a form has made into a blank."""


class Asked(NamedTuple):
    """The message as JSON, and the write key that stands beside it, None when it can only be inside."""

    body: bytes
    write_key: str | None


def is_one(path: str) -> bool:
    """Whether the dot is the answer, also where no kind of message stands behind the path."""
    return path == PATH or path.startswith(f"{PATH}/")


def asked(query: bytes) -> Asked:
    """What a query string says: `data` as base64 of JSON, or the message's fields one by one, `properties.x` nested.

    Values that are no JSON are texts. A `data` that is no base64 gives a body that is refused as every such body is.
    """
    fields = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True)
    keys = [value for name, value in fields if name == "writeKey"]
    key = keys[-1] if keys else None
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"data":
            return Asked(_decoded(unquote_to_bytes(value)), key)
    return Asked(_nested(fields), key)


def _decoded(data: bytes) -> bytes:
    text = data.translate(URL_SAFE).rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _nested(fields: list[tuple[str, str]]) -> bytes:
    message: dict[str, Any] = {}
    for name, value in fields:
        *parents, last = name.split(".")
        if len(parents) >= MAX_DEPTH:
            return b""
        inside = message
        for parent in parents:
            below = inside.get(parent)
            if not isinstance(below, dict):
                below = inside[parent] = {}
            inside = below
        inside[last] = value
    return msgspec.json.encode(message)
