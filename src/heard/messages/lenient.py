"""The second door: what the fast decoders refuse, but a sender plainly meant.

    ids that are numbers                          text: 123 -> "123"
    numbers that 64 bits cannot hold, NaN,        their text as a string: 1e999 -> "1e999",
      Infinity                                      2^70 -> "1180591620717411303424", NaN -> "NaN"
    half a surrogate pair, NUL                    U+FFFD
    a byte order mark                             left out

So what goes on from here is strict JSON that every database takes. It is slower by ten times, and rare.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

import msgspec

from heard.messages.limits import MAX_DEPTH, MAX_INTEGER, MIN_INTEGER

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"
MAX_DIGITS = 19
"""Of a 64-bit integer; more need not even be converted (which is quadratic in their number)."""


def load(body: bytes) -> Any:
    """`body` as JSON values, mended as above.

    Raises:
        ValueError: it is not JSON, or not UTF-8.
        RecursionError: it is nested beyond the parser's reach.
    """
    return json.loads(body.decode("utf-8-sig"), parse_int=_integer, parse_float=_number, parse_constant=str)


def mend(value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value` with every text in it made storable.

    Raises:
        RecursionError: it is nested more than `depth` deep.
    """
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        if depth == 0:
            raise RecursionError
        return {
            UNSTORABLE.sub(REPLACEMENT, key): mend(item, depth - 1) for key, item in cast(dict[str, Any], value).items()
        }
    if isinstance(value, list):
        if depth == 0:
            raise RecursionError
        return [mend(item, depth - 1) for item in cast(list[Any], value)]
    return value


def id_text(value: Any) -> Any:
    """An id as text: whole numbers without a fraction (123.0 is "123"). What is neither text nor number stays."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value) if isinstance(value, int) else value


def dump(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _integer(text: str) -> int | str:
    if len(text) > MAX_DIGITS + 1:
        return text
    number = int(text)
    return number if MIN_INTEGER <= number <= MAX_INTEGER else text


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text
