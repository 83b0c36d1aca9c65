"""A message as Heard works with it, and one that it could not take."""

from __future__ import annotations

from datetime import datetime

import msgspec

OURS = 0  # the source of what Heard itself has to tell; it has no write key, so nobody else can
TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias"})


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One Segment call. Absent, null, empty and blank ids are all None; at least one of user and anonymous id is set.

    `traits`, `properties`, `context`, `integrations` and `body` are JSON objects as bytes, `{}` when absent: most
    messages pass through without anybody looking inside.
    """

    source: int
    id: str
    """The messageId; when the sender gave none, one that a second reading of the log makes again."""
    type: str
    at: datetime
    """When it happened, by our clock (see `timestamps.when`)."""
    original_at: datetime | None
    """The `timestamp` as sent; None when absent or not a date."""
    received_at: datetime
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    group_id: str | None
    event: str | None
    name: str | None
    traits: bytes
    """For identify: `traits` over `context.traits`, key by key (some libraries fill only the latter)."""
    properties: bytes
    context: bytes
    """The batch's context under the message's own, key by key; the same for `integrations`."""
    integrations: bytes
    body: bytes
    """The whole message as accepted, with the batch's context and integrations, and with what `lenient` mended."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that was acknowledged with 200 and goes nowhere; the debugger shows `reason` and `detail`.

    `reason` is one of `REASONS`; `detail` names the field and what to do.
    """

    source: int
    id: str | None
    type: str | None
    user_id: str | None
    event: str | None
    received_at: datetime
    reason: str
    detail: str
    body: bytes


REASONS = frozenset(
    {
        "not_an_object",
        "not_json",
        "unknown_type",
        "no_user_anon_id",
        "no_previous_id",
        "no_group_id",
        "event_missing",
        "id_not_text",
        "id_too_long",
        "event_too_long",
        "message_id_too_long",
        "message_too_large",
        "batch_too_long",
        "too_deep",
        "suppressed",
        "blocked_by_plan",
    }
)
