"""Questions, in the two shapes there are: a number on a scale, and words.

`{brand}` in a text stands for the name of whoever asks.
"""

from __future__ import annotations

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True, tag="scale"):
    """Choose one whole number from `low` to `high`. Ascending and never coloured: either would lead the answer."""

    id: str
    text: str
    low: int
    high: int
    least: str  # what `low` means
    most: str  # what `high` means


class Words(msgspec.Struct, frozen=True, kw_only=True, tag="words"):
    """Say it in your own words; never required."""

    id: str
    text: str
    longest: int = 5000  # characters that are kept


Question = Scale | Words
