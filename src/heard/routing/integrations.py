"""The `integrations` object: the sender's own word on who may have a message.

Names are compared exactly, case included. An object as a value is permission with options.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

SURVEYS = ("Heard", "Promoter.io", "Promoter", "SatisMeter")  # every name the surveys destination answers to

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def permits(integrations: bytes, names: Iterable[str]) -> bool:
    """Whether a destination known by these names may have the message.

    An exact false under any of its names blocks; an exact truthy value allows, even under `All: false`; otherwise
    `All` decides, and everything is allowed where it is absent.
    """
    if integrations in (b"{}", b""):
        return True
    wishes = _decode(integrations)
    said = [wishes[name] for name in names if name in wishes]
    if any(value is False for value in said):
        return False
    return any(said) or wishes.get("All", True) is not False
