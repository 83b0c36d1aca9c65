"""What a batch of messages showed of their sources: which events, how often, and under which names values came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from heard.messages.message import Message
from heard.schema.shape import TYPES, Shape, shape_of

LONGEST_NAME = 500
NAMED = frozenset({"page", "screen"})

read_fields = msgspec.json.Decoder(dict[str, Any]).decode


class Key(NamedTuple):
    """`name`: of the event, page or screen; of an identify, a group or an alias it is empty."""

    source: int
    type: str
    name: str


class Field(NamedTuple):
    key: Key
    path: str
    type: str


class Times(msgspec.Struct):
    """How often, and when it was received first and last."""

    n: int
    first: datetime
    last: datetime

    def take(self, n: int, at: datetime) -> None:
        self.n += n
        if at is not self.last:
            self.first, self.last = min(self.first, at), max(self.last, at)


class Seen:
    """Counts as messages are taken, one shape at a time: most of a source's messages have the same."""

    def __init__(self) -> None:
        self.events: dict[Key, Times] = {}
        self._shapes: defaultdict[Key, dict[Shape, Times]] = defaultdict(dict)

    def take(self, key: Key, fields: dict[str, Any], at: datetime) -> None:
        if (known := self.events.get(key)) is None:
            self.events[key] = Times(1, at, at)
        else:
            known.take(1, at)
        if fields:
            shapes, shape = self._shapes[key], shape_of(fields)
            if (times := shapes.get(shape)) is None:
                shapes[shape] = Times(1, at, at)
            else:
                times.take(1, at)

    def fields(self) -> Iterator[tuple[Field, Times]]:
        """Each once, with how many messages had it under that type."""
        found: dict[Field, Times] = {}
        for key, shapes in self._shapes.items():
            for (paths, types), times in shapes.items():
                for path, kind in zip(paths, types, strict=True):
                    field = Field(key, path, TYPES[kind])
                    if (known := found.get(field)) is None:
                        found[field] = Times(times.n, times.first, times.last)
                    else:
                        known.take(times.n, times.first)
                        known.take(0, times.last)
        return iter(found.items())


def key_of(message: Message) -> Key:
    name = message.event if message.type == "track" else message.name if message.type in NAMED else None
    return Key(message.source, message.type, name[:LONGEST_NAME] if name else "")


def fields_of(message: Message) -> dict[str, Any]:
    """What it tells: the traits of an identify or a group, the properties of the rest."""
    said = message.traits if message.type in ("identify", "group") else message.properties
    return {} if said == b"{}" else read_fields(said)
