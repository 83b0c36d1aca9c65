"""A source is one place messages come from: a website, a service, an app."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    name: str
    write_key: str  # public; it may stand in a web page, and can only bring messages in
    webhook_secret: str | None = None  # what Segment's Webhook destination signs with; None = it need not sign
