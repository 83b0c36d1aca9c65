"""The `integrations` object: the sender's own word on who may have a message.

    true, an object, a list, any other number or text     yes, even under `All: false`; an object is options
    false, and the text "false" in any case               no
    null, 0, ""                                           nothing: as if the name were not there

A no under any of a destination's names outweighs a yes under another. Where nothing is said, `All` decides, read by the
same rules, and everything is allowed where it says nothing either. Names are compared exactly, case included.
"Segment.io" names nobody: browsers send it with every message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from heard.routing.destination import ALIASES
from heard.routing.destination import SURVEYS as SURVEYS_TYPE

SURVEYS = ALIASES[SURVEYS_TYPE]  # every name that the surveys destination answers to beside its own
NOBODY = "Segment.io"
ALL = "All"

read = msgspec.json.Decoder(dict[str, Any]).decode


def permits(integrations: bytes, names: Iterable[str]) -> bool:
    """Whether a destination known by these names may have the message."""
    return integrations in (b"{}", b"") or said_of(read(integrations), names)[0] is not False


def names_destinations(integrations: bytes) -> bool:
    """Whether an object says anything but what browsers send with every message."""
    return integrations != b"{}" and any(name != NOBODY for name in read(integrations))


def said_of(wishes: Mapping[str, Any], names: Iterable[str]) -> tuple[bool | None, str]:
    """What an object says of a destination, and under which name: yes, no, or nothing (None) about it.

    A no by `All` is under the name "All"; a yes by `All` is the default, so it is None.
    """
    permission: tuple[bool | None, str] = (None, "")
    for name in names:
        if name in wishes and name != NOBODY:
            word = meant(wishes[name])
            if word is False:
                return False, name
            if word:
                permission = True, name
    if permission[0] is None and meant(wishes.get(ALL)) is False:
        return False, ALL
    return permission


def meant(value: Any) -> bool | None:
    """Yes, no, or nothing (None)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return None if not value else value.lower() != "false"
    return True if isinstance(value, dict | list) or value else None
