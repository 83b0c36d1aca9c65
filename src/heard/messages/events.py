"""Which event names mean the same thing."""

from __future__ import annotations

ALIASES = {"Completed Order": "Order Completed"}  # Segment's e-commerce specification, v1 -> v2


def spellings(event: str) -> tuple[str, ...]:
    """Every name that is this canonical one."""
    return (event, *(old for old, new in ALIASES.items() if new == event))


def canonical(event: str) -> str:
    """The name to match by: both spellings of a finished order are one event. Names are otherwise exact."""
    return ALIASES.get(event, event)
