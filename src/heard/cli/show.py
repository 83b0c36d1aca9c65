"""What commands print: one JSON document, or words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

DAY_SECONDS = 86_400


def document(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def text(value: str) -> None:
    sys.stdout.write(value + "\n")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as what stands in them."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        text("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def console() -> Console:
    """Where colour goes; plain text when nobody looks."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def points(value: float) -> str:
    """A score or a difference, with its sign: `+39`, `−6`, `0`."""
    whole = round(value)
    return f"+{whole}" if whole > 0 else f"−{-whole}" if whole < 0 else "0"


def day(moment: datetime) -> str:
    """`12 Dec 2026`"""
    return f"{moment.day} {moment:%b %Y}"


def size(count: int) -> str:
    """So many bytes: `512 bytes`, `48 kB`, `1.2 MB`."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= length:
            return f"{count / length:.0f} {unit}" if count >= 10 * length else f"{count / length:.1f} {unit}"
    return f"{count} byte" + ("" if count == 1 else "s")


def distance(to: datetime, now: datetime) -> str:
    """How far off a moment is: `in 20 days`, `in 3 hours`; `now` when it has come."""
    seconds = (to - now).total_seconds()
    if seconds <= 0:
        return "now"
    for length, word in ((DAY_SECONDS, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = round(seconds / length)
            return f"in {count} {word}" + ("" if count == 1 else "s")
    return "in less than a minute"
