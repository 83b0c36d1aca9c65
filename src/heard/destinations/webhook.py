"""One POST a message, signed twice: as Segment's Webhook destination does, and by the Standard Webhooks rules.

    X-Signature         hex HMAC-SHA1 of the body, keyed by the secret as written
    webhook-id          the delivery's id, the same in every attempt: what a receiver drops repeats by
    webhook-timestamp   seconds since 1970, of this attempt
    webhook-signature   v1,<base64 HMAC-SHA256 of id.timestamp.body>; where the secret is whsec_<base64>, keyed by what
                        it encodes

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from heard.destinations.destination import CONSENT, EVERYTHING, GIVE_UP, Document, Field, Request
from heard.errors import Invalid

type = "webhook"
title = "Webhook"
help = "Posts each message as JSON to an address of yours, signed."
fields = (
    Field(
        name="url",
        title="Address",
        help="Where each message is posted to, over https. It has 5 seconds to answer with a status from 200 to 299.",
        kind="url",
        required=True,
        example="https://hooks.acme.example/in",
    ),
    Field(
        name="secret",
        title="Secret",
        help="Signs each request, so that its receiver knows that it is from here. Without one, nothing is signed.",
        kind="secret",
        example="whsec_...",
    ),
    Field(
        name="headers",
        title="Headers",
        help="Sent with each request, for instance to log in.",
        kind="map",
        example="Authorization: Bearer ...",
    ),
    GIVE_UP,
    CONSENT,
)
methods = EVERYTHING
most_at_once = 1
most_bytes = 1 << 20

OURS = frozenset(
    {
        "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "content-length",
        "content-encoding", "content-type", "user-agent", "x-signature", "webhook-id", "webhook-timestamp",
        "webhook-signature",
    }
)  # fmt: skip
LONGEST_HEADER = 2000  # characters
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # a token, RFC 9110 5.6.2
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def check(settings: Mapping[str, Any], place: str) -> None:
    """Refuse headers that HTTP or we cannot have.

    Raises:
        Invalid: naming the header.
    """
    for name, value in (settings.get("headers") or {}).items():
        here = f"{place}.headers.{name}"
        if name.lower() in OURS or name.lower().startswith("proxy-"):
            raise Invalid(f"{here}: this header is set by Heard; leave it out.", field=here)
        if not _NAME.fullmatch(name):
            raise Invalid(f"{here}: a header is named with letters, digits and dashes.", field=here)
        if len(value) > LONGEST_HEADER or not _VALUE.fullmatch(value):
            raise Invalid(f"{here}: write one line of at most {LONGEST_HEADER:,} characters.", field=here)


def request(messages: Sequence[Document], settings: Mapping[str, Any], *, ids: Sequence[str], now: datetime) -> Request:
    """See `Kind.request`. The body is the message as it is, in compact JSON."""
    (message,), (delivery,) = messages, ids
    body = msgspec.json.encode(message)
    at = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Heard/1",
        "webhook-id": delivery,
        "webhook-timestamp": at,
    }
    if secret := settings.get("secret"):
        headers["webhook-signature"] = signature(secret, delivery, at, body)
        headers["X-Signature"] = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return Request(url=settings["url"], headers=(*headers.items(), *(settings.get("headers") or {}).items()), body=body)


def signature(secret: str, delivery: str, at: str, body: bytes) -> str:
    """By Standard Webhooks, of one attempt."""
    mac = hmac.digest(_key(secret), f"{delivery}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{b64encode(mac).decode()}"


def _key(secret: str) -> bytes:
    """What a secret encodes after whsec_, else its own octets."""
    if secret.startswith("whsec_"):
        try:
            return b64decode(secret.removeprefix("whsec_"), validate=True) or secret.encode()
        except (binascii.Error, ValueError):
            pass
    return secret.encode()
