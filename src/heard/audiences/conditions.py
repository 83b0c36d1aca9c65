"""What an audience demands of its members, as a tree: events performed, traits, other audiences, combined."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeAlias

import msgspec


class Performed(msgspec.Struct, frozen=True, kw_only=True):
    """An event was performed between `at_least` and `at_most` times (None = any number) within a sliding window.

    `event` is canonical. `within` None = ever. `where`: FQL on the event, None = every one counts.
    """

    event: str
    at_least: int = 1
    at_most: int | None = None
    within: timedelta | None = None
    where: str | None = None


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """FQL over `{"traits", "userId", "email"}` is true."""

    where: str


class MemberOf(msgspec.Struct, frozen=True, kw_only=True):
    """A member of another audience of the workspace, by its name."""

    audience: str


class Every(msgspec.Struct, frozen=True, kw_only=True):
    of: tuple[Condition, ...]


class Either(msgspec.Struct, frozen=True, kw_only=True):
    of: tuple[Condition, ...]


class Opposite(msgspec.Struct, frozen=True, kw_only=True):
    of: Condition


Condition: TypeAlias = Performed | Traits | MemberOf | Every | Either | Opposite


def leaves(condition: Condition) -> Iterator[Performed | Traits | MemberOf]:
    """What is asked in the end, in the order it is written."""
    match condition:
        case Every(of=parts) | Either(of=parts):
            for part in parts:
                yield from leaves(part)
        case Opposite(of=part):
            yield from leaves(part)
        case Performed() | Traits() | MemberOf():
            yield condition


def performed(condition: Condition) -> list[Performed]:
    """The events it counts, by the number under which each is counted."""
    return [leaf for leaf in leaves(condition) if isinstance(leaf, Performed)]
