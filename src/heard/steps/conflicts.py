"""What was dropped as a repeat and is none: the same messageId, and something else in it.

The first has won; that something was lost is only counted, for the sender made one id for two messages. A library that
sends again stamps `sentAt` anew, so bodies are compared without it. A first that stands under nobody of this name is
another person's.

Only repeats are looked at, and of a storm of them as many as the bounds below allow: what is beyond is dropped as ever,
uncompared. Nor is compared what a tracking plan has taken something from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.messages.message import Message, Rejected
from heard.store import days, messages
from heard.store.directory import Directory

MOST_COMPARED = 100  # repeats of a batch
MOST_LOOKED_THROUGH = 1000  # messages of their persons, for the firsts of a batch's repeats
STAMPED = ("sentAt", "receivedAt")  # anew with each attempt

Key = tuple[int, str]  # source, messageId
_document = msgspec.json.Decoder(dict[str, Any]).decode


def conflicting(
    connection: Connection, repeats: Sequence[Message], fresh: Iterable[Message | Rejected], directory: Directory
) -> Counter[int]:
    """By source: how many of a batch's repeats are not what came first. `fresh`: what the batch goes on with."""
    compared = repeats[:MOST_COMPARED]
    wanted = {(each.source, each.id) for each in compared}
    firsts: dict[Key, bytes | None] = {
        (each.source, each.id): each.body
        for each in fresh
        if isinstance(each, Message) and (each.source, each.id) in wanted
    }
    before = [each for each in compared if (each.source, each.id) not in firsts]
    firsts |= _on_record(connection, before, directory)
    found: Counter[int] = Counter()
    for each in compared:
        key = each.source, each.id
        if key in firsts and is_another(each.body, firsts[key]):
            found[each.source] += 1
    return found


def is_another(body: bytes, first: bytes | None) -> bool:
    """Whether these are two messages; `first` None = it is somebody else's."""
    if first is None:
        return True
    if body == first:
        return False
    try:
        one, other = _document(body), _document(first)
    except (msgspec.MsgspecError, RecursionError):
        return False  # nobody can say
    if _was_taken_from(other):
        return False
    for document in (one, other):
        for name in STAMPED:
            document.pop(name, None)
    return one != other


def _was_taken_from(document: Mapping[str, Any]) -> bool:
    context = document.get("context")
    return isinstance(context, dict) and "protocols" in context


def _on_record(connection: Connection, repeats: Sequence[Message], directory: Directory) -> dict[Key, bytes | None]:
    """What came first, of those where it can be said; None where it came of somebody else."""
    firsts: dict[Key, bytes | None] = {}
    kept, left = frozenset[int](), MOST_LOOKED_THROUGH
    for (workspace, day, anonymous), theirs in _by_place(repeats, directory).items():
        kept = kept or frozenset(days.kept(connection))
        missing = {(each.source, each.id): each for each in theirs}
        is_whole = True
        for table in (day, days.before(day)):
            if not missing or table not in kept or left <= 0:
                is_whole = is_whole and not missing
                continue
            people = {each.anonymous_id if anonymous else each.user_id: None for each in missing.values()}
            seen = messages.of_people(connection, workspace, table, people, anonymous=anonymous, limit=left)
            is_whole = is_whole and len(seen) < left
            left -= len(seen)
            numbers = {number: (source, id_) for number, source, id_ in seen if (source, id_) in missing}
            found = messages.bodies(connection, table, numbers)
            firsts |= {numbers[number]: body for number, body in found.items()}
            for key in numbers.values():
                missing.pop(key, None)
        if is_whole:  # an anonymous one that a plan blocked stands under nobody
            firsts |= {key: None for key in missing if not (anonymous and key[0] in directory.tracking)}
    return firsts


def _by_place(repeats: Iterable[Message], directory: Directory) -> dict[tuple[int, int, bool], list[Message]]:
    """By workspace, day of receipt, and whether nobody knows who it is."""
    places: dict[tuple[int, int, bool], list[Message]] = {}
    for each in repeats:
        place = directory.sources[each.source].workspace, days.day_of(each.received_at), each.user_id is None
        places.setdefault(place, []).append(each)
    return places
