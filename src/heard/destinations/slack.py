"""A line in a Slack channel for each message, over an incoming webhook.

https://api.slack.com/messaging/webhooks; what has to be escaped: https://api.slack.com/reference/surfaces/formatting
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from heard.destinations.destination import CONSENT, GIVE_UP, Document, Field, Request
from heard.destinations.filled import filled
from heard.errors import Invalid

TEXT = "*{{ event | Identify }}* by {{ who | somebody }}"
LONGEST = 4000  # characters; Slack's own advice

type = "slack"
title = "Slack"
help = "Writes a line into a channel of Slack for each message. Switch on only the events somebody wants to read about."
fields = (
    Field(
        name="url",
        title="Webhook URL",
        help="Of an incoming webhook, which Slack makes for one channel. Who knows it can write there.",
        kind="url",
        required=True,
        example="https://hooks.slack.com/services/...",
    ),
    Field(
        name="text",
        title="Text",
        help="What is written. `{{ event }}`, `{{ who }}`, `{{ properties.total }}`, `{{ traits.email | someone }}` "
        "are replaced by what the message says, or by what stands after the | where it says nothing.",
        kind="template",
        default=TEXT,
        example="*{{ event }}* by {{ who }}: {{ properties.total }} {{ properties.currency }}",
    ),
    Field(
        name="channel",
        title="Channel",
        help="Instead of the webhook's own channel; only older webhooks of Slack, and Mattermost, obey it.",
        example="#feedback",
    ),
    Field(
        name="username",
        title="Name",
        help="Under which it is written; only older webhooks of Slack, and Mattermost, obey it.",
        example="Heard",
    ),
    GIVE_UP,
    CONSENT,
)
methods = frozenset({"identify", "track"})
most_at_once = 1
most_bytes = 1 << 20


def request(
    messages: Sequence[Document],
    settings: Mapping[str, Any],
    *,
    ids: Sequence[str],  # noqa: ARG001  Slack knows none
    now: datetime,  # noqa: ARG001
) -> Request:
    """See `Kind.request`.

    Raises:
        Invalid: of this message the text says nothing at all.
    """
    (message,) = messages
    text = filled(settings.get("text") or TEXT, message, escape=escaped).strip()[:LONGEST]
    if not text:
        raise Invalid("The text is empty for this message: give its replacements something to say with `| ...`.")
    said = {"text": text} | {name: settings[name] for name in ("channel", "username") if settings.get(name)}
    return Request(
        url=settings["url"],
        headers=(("Content-Type", "application/json"), ("User-Agent", "Heard/1")),
        body=msgspec.json.encode(said),
    )


def escaped(text: str) -> str:
    """The three letters by which Slack knows links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
