"""Which traits contacts have, and which of those that a mail's words ask for nobody has."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import replace
from heard.contacts import traits
from heard.replace import Slot
from heard.store import contacts

LOOKED_AT = 500  # of the newest contacts; a page counts no rows
MOST = 60  # traits that are listed
DEEPEST = 2  # `address.city` is listed, what stands below is not


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """A replacement that has nothing to say to some."""

    written: str  # `traits.plan`, as it stands in the text
    lacking: int  # of those looked at
    default: str  # what they read instead; "" = nothing
    meant: str | None = None  # a trait that exists and is spelled nearly so, where nobody has this one


class TraitsSeen(msgspec.Struct, frozen=True, kw_only=True):
    looked_at: int  # contacts
    having: dict[str, int]  # trait -> how many of them have it, most first
    lacks: list[Lack]


def look(connection: Connection, workspace: int, texts: Iterable[str], *, brand: str) -> TraitsSeen:
    """Over the newest 500 contacts."""
    found, _ = contacts.newest(connection, workspace, examined=LOOKED_AT)
    known = [traits.decode(each.traits) for each in found]
    counted = Counter(path for each in known for path in _paths(each))
    having = dict(sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:MOST])
    slots = {piece for text in texts for piece in replace.pieces(text) if isinstance(piece, Slot)}
    lacks = [
        lack
        for slot in sorted(slots, key=lambda slot: slot.path)
        if slot.path[0] in replace.ROOTS and (lack := _lack(slot, known, counted, brand)) is not None
    ]
    return TraitsSeen(looked_at=len(known), having=having, lacks=lacks)


def _lack(slot: Slot, known: list[dict[str, Any]], having: Mapping[str, int], brand: str) -> Lack | None:
    bare = Slot(slot.path, "")
    lacking = sum(replace.value(bare, brand=brand, traits=each) == "" for each in known)
    if not lacking:
        return None
    meant = None
    if lacking == len(known):
        near = difflib.get_close_matches(".".join(slot.path).removeprefix("traits."), having, n=1, cutoff=0.7)
        meant = near[0] if near else None
    return Lack(written=".".join(slot.path), lacking=lacking, default=slot.default, meant=meant)


def _paths(known: Mapping[str, Any], above: str = "", depth: int = 1) -> Iterator[str]:
    """The traits that can be written: those that hold a text, a number or yes and no."""
    for key, value in known.items():
        if isinstance(value, Mapping):
            if depth < DEEPEST:
                yield from _paths(value, f"{above}{key}.", depth + 1)  # pyright: ignore[reportUnknownArgumentType]
        elif replace.one_line(value):
            yield above + key
