"""Who a message is about, and what identify and alias calls say about anonymous ids."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from heard.contacts.identity import names_nobody
from heard.messages.message import Message

_document = msgspec.json.Decoder(dict[str, Any])


class Claims:
    """What a batch says about who is who, gathered before anything is loaded."""

    def __init__(self) -> None:
        self.linking: dict[str, set[str]] = defaultdict(set)  # anonymous id -> userIds that an identify or alias gives
        self.asking: set[str] = set()  # anonymous ids under which something happened that a campaign waits for
        self.speaking: set[str] = set()  # anonymous ids under which something was said of consent
        self.users: set[str] = set()  # ids in aliases, which may be those of contacts
        self.groups: set[str] = set()

    def take(self, message: Message) -> None:
        """An identify, alias or group call, or a track of somebody anonymous that a campaign waits for."""
        if message.type == "identify":
            if message.user_id is not None and message.anonymous_id is not None:
                self.linking[message.anonymous_id].add(message.user_id)
        elif message.type == "alias":
            if message.user_id is not None and message.previous_id is not None:
                self.linking[message.previous_id].add(message.user_id)
                self.users |= {message.user_id, message.previous_id}
        elif message.type == "group":
            if message.group_id is not None:
                self.groups.add(message.group_id)
        elif message.user_id is None and message.anonymous_id is not None:
            self.asking.add(message.anonymous_id)


def is_a_sync(message: Message) -> bool:
    """Audiences and computed traits arrive as calls about somebody; they never make anybody or anything."""
    return b'"personas"' in message.context and "personas" in _document.decode(message.context)


def may_link(message: Message, anonymous_id: str) -> bool:
    """Whether an identify says whose this anonymous id is."""
    return not names_nobody(anonymous_id) and not is_a_sync(message)


def awaited(message_user: str | None, anonymous_id: str | None) -> bool:
    """Whether an identify may still say who it was: there is an id that it can name."""
    return message_user is not None or (anonymous_id is not None and not names_nobody(anonymous_id))
