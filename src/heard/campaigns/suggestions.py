"""What somebody probably meant who wrote a setting in another way: a text that reads, to be offered, never assumed."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"\s*(\d{1,5})(?:[.,](\d))?\s*([a-z]*)", re.IGNORECASE)
_UNITS = {"s": "s", "mi": "m", "m": "m", "h": "h", "d": "d", "w": "w"}
_LONGER = {"mo": 30, "y": 365, "q": 90}  # in days
_SMALLER = {"w": ("d", 7), "d": ("h", 24), "h": ("m", 60), "m": ("s", 60)}


def length(text: str) -> str | None:
    """`3 dyas` -> `3d`, `2 months` -> `60d`, `1.5 days` -> `36h`, `90` -> `90d`; None without a number."""
    found = _AMOUNT.match(text)
    if not found:
        return None
    count, tenth, word = int(found[1]), int(found[2] or 0), found[3].lower()
    for start, days in _LONGER.items():
        if word.startswith(start):
            return f"{(count * 10 + tenth) * days // 10}d"
    unit = next((unit for start, unit in _UNITS.items() if word.startswith(start)), "d")
    if not tenth:
        return f"{count}{unit}"
    if unit not in _SMALLER:
        return None
    smaller, times = _SMALLER[unit]
    return f"{(count * 10 + tenth) * times // 10}{smaller}"


def share(text: str) -> str | None:
    """`25` and `25 percent` -> `25%`."""
    found = re.match(r"\s*(\d{1,3}(?:\.\d+)?)", text)
    return f"{float(found[1]):g}%" if found and 0 < float(found[1]) <= 100 else None
