"""What a workspace file changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`place` was added, or changed from one value to another; None is "not there"."""

    place: str  # `campaigns[Post-purchase].throttle`
    added: bool = False
    before: Any = None
    after: Any = None


def compare(changes: list[Change], place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Note every key that differs; gives whether any does."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    changes += [Change(place=f"{place}.{key}", before=before.get(key), after=after.get(key)) for key in keys]
    return bool(keys)
