"""Values as JSON has them: types, equality, and the one text a value is written as.

`canonical` gives equal values one text and different values different texts, so that in SQL strict equality is
equality of text: 5 and 5.0 are both `5`, `"5"` keeps its quotes, keys of objects are sorted. Numbers are exact up to
the 64 bits of an integer; beyond them they are doubles.
"""

from __future__ import annotations

import math
import re
from typing import Any, cast

import msgspec

NUMBER = re.compile(r" *([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?) *")

CONTROL = re.compile(r"\\u00[0-9a-f]{2}|\\.")  # DuckDB writes \u000B where msgspec writes \u000b

PLAIN = frozenset({str, bool, type(None)})  # what Python compares as strictly as we do

_encode = msgspec.json.Encoder().encode


def _large_hex(escape: str) -> str:
    return "\\u" + escape[2:].upper() if len(escape) > 2 else escape


def type_of(value: Any) -> str:
    """`string`, `number`, `list`, `bool`, `null`, or (ours; Segment names none) `object`."""
    if type(value) is str:
        return "string"
    if type(value) is bool:
        return "bool"
    if type(value) is int or type(value) is float:
        return "number"
    if value is None:
        return "null"
    return "list" if isinstance(value, list | tuple) else "object"


def same(left: Any, right: Any) -> bool:
    """Strictly equal: of one type and of one value, all the way down. True is not 1; 5 is 5.0; null is null."""
    if type(left) in PLAIN or type(right) in PLAIN:
        return type(left) is type(right) and left == right
    return canonical(left) == canonical(right)


def canonical(value: Any) -> str:
    """The one JSON text of a value; a number no double can hold is `null`."""
    if type(value) is str:
        text = _encode(value).decode()
        return CONTROL.sub(lambda escape: _large_hex(escape[0]), text) if "\\u" in text else text
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value) if _fits_64_bits(value) else _text_of_double(double(value))
    if type(value) is float:
        return _text_of_double(value)
    if value is None:
        return "null"
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return "{" + ",".join(f"{canonical(key)}:{canonical(mapping[key])}" for key in sorted(mapping)) + "}"
    return "[" + ",".join(canonical(item) for item in value) + "]"


def double(value: Any) -> float | None:
    """A number as a double; None for anything else, and for integers beyond 1.8e308."""
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def number_in(text: str) -> float | None:
    """The number that a text spells, as a double; None when it spells none. Spaces around it do not matter."""
    spelled = NUMBER.fullmatch(text)
    number = float(spelled.group(1)) if spelled else math.inf
    return number if math.isfinite(number) else None


def _text_of_double(value: float | None) -> str:
    """As DuckDB writes it: digits for whole numbers of 64 bits, plain decimals from 1e-6 to 1e21, else exponents."""
    if value is None or not math.isfinite(value):
        return "null"
    if value.is_integer() and _fits_64_bits(int(value)):
        return str(int(value))
    digits = repr(value)
    mantissa, _, exponent = digits.partition("e")
    power = int(exponent or 0)
    if -6 <= power < 0:
        return f"{value:.{len(mantissa.lstrip('-').replace('.', '')) - 1 - power}f}"
    if 0 < power < 21:
        return _padded(mantissa, power)
    return f"{mantissa}e{power}" if power else digits


def _padded(mantissa: str, power: int) -> str:
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}{fraction.ljust(power, '0')}.0"


def _fits_64_bits(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 64
