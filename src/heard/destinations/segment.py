"""Messages on to Segment, or to whatever speaks its protocol: another Heard, RudderStack, Jitsu.

They keep their ids, and the time they happened at is the corrected one. Both times that a receiver corrects a clock by
are read off our clock then, so it finds nothing to correct.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from heard.destinations.destination import CONSENT, EVERYTHING, GIVE_UP, Document, Field, Request
from heard.errors import Invalid

HOST = "https://api.segment.io"
# Of our receipt and our sender, not of the message: the receiver has its own.
NOT_PASSED_ON = frozenset({"sentAt", "receivedAt", "writeKey"})

type = "segment"
title = "Segment"
help = "Sends the messages on to Segment, or to another server that speaks its protocol."
fields = (
    Field(
        name="write_key",
        title="Write key",
        help="Of the source that the messages arrive at there.",
        kind="secret",
        required=True,
    ),
    Field(
        name="host",
        title="Host",
        help="Where the messages are sent, to the path /v1/batch. In Europe it is https://events.eu1.segmentapis.com.",
        kind="url",
        default=HOST,
        example="https://events.eu1.segmentapis.com",
    ),
    GIVE_UP,
    CONSENT,
)
methods = EVERYTHING
most_at_once = 100
routes_itself = True
most_bytes = 470_000  # Segment takes 500 KB a batch (Heard 512,000 octets), and something stands around the messages


def check(settings: Mapping[str, Any], place: str) -> None:
    """Refuse a host that no path can stand behind.

    Raises:
        Invalid: it has a query or a fragment.
    """
    if any(mark in settings.get("host", "") for mark in "?#"):
        raise Invalid(f"{place}.host: leave out what begins with ? or #.", field=f"{place}.host")


def request(
    messages: Sequence[Document],
    settings: Mapping[str, Any],
    *,
    ids: Sequence[str],  # noqa: ARG001  a receiver drops repeats by messageId
    now: datetime,
) -> Request:
    """See `Kind.request`. One batch."""
    write_key = settings["write_key"]
    batch = [{name: value for name, value in each.items() if name not in NOT_PASSED_ON} for each in messages]
    body = {"batch": batch, "sentAt": _written(now), "writeKey": write_key}
    return Request(
        url=f"{(settings.get('host') or HOST).rstrip('/')}/v1/batch",
        headers=(
            ("Authorization", f"Basic {b64encode(f'{write_key}:'.encode()).decode()}"),
            ("Content-Type", "application/json"),
            ("User-Agent", "Heard/1"),
        ),
        body=msgspec.json.encode(body),
    )


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
