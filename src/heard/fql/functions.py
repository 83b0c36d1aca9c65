"""The functions of the language: what each takes, and what it gives.

Each takes any value: what it cannot use gives null (or false, for the two that ask a question), never an error.
Case is changed letter by letter, one for one, so that both engines agree and lengths stay: `ß` does not become `SS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from heard.fql import glob
from heard.fql.values import canonical, double, number_in, type_of


class Function(msgspec.Struct, frozen=True):
    """`takes` names the arguments, for the message of an error."""

    takes: tuple[str, ...]
    gives: Callable[..., Any]


def contains(text: Any, part: Any) -> bool:
    return type(text) is str and type(part) is str and part in text


def match(text: Any, pattern: Any) -> bool:
    return type(text) is str and type(pattern) is str and glob.matcher(pattern)(text)


def length(value: Any) -> int | None:
    """Bytes of a string in UTF-8, items of a list, 0 for null; null for anything else."""
    if type(value) is str:
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if value is None:
        return 0
    return len(value) if type_of(value) == "list" else None


def lowercase(value: Any) -> str | None:
    if type(value) is not str:
        return None
    return value.lower() if value.isascii() else "".join(map(_lower, value))


def uppercase(value: Any) -> str | None:
    if type(value) is not str:
        return None
    return value.upper() if value.isascii() else "".join(map(_upper, value))


def snakecase(value: Any) -> str | None:
    return value.replace(" ", "_") if type(value) is str else None


def kebabcase(value: Any) -> str | None:
    return value.replace(" ", "-") if type(value) is str else None


def titlecase(value: Any) -> str | None:
    """The first letter of each word large, the others as they are; words are what spaces part."""
    if type(value) is not str:
        return None
    return " ".join((uppercase(word[:1]) or "") + word[1:] for word in value.split(" "))


def to_bool(value: Any) -> bool:
    """False for null, false, 0, an empty text, list or object, and the texts `false` (in any case) and `0`."""
    if type(value) is str:
        return lowercase(value) not in ("", "false", "0")
    return bool(value)


def to_string(value: Any) -> str | None:
    """A text as it is, null as null, anything else as its JSON."""
    if type(value) is str:
        return value
    return None if value is None else canonical(value)


def to_number(value: Any) -> float | None:
    """A number, or the number a text spells, as a double; null for anything else."""
    return number_in(value) if type(value) is str else double(value)


FUNCTIONS: dict[str, Function] = {
    "contains": Function(("text", "part"), contains),
    "match": Function(("text", "pattern"), match),
    "length": Function(("value",), length),
    "lowercase": Function(("text",), lowercase),
    "uppercase": Function(("text",), uppercase),
    "snakecase": Function(("text",), snakecase),
    "kebabcase": Function(("text",), kebabcase),
    "titlecase": Function(("text",), titlecase),
    "typeof": Function(("value",), type_of),
    "bool": Function(("value",), to_bool),
    "string": Function(("value",), to_string),
    "number": Function(("value",), to_number),
}


def _lower(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 else small[0]  # only İ grows: i and a dot above


def _upper(letter: str) -> str:
    for large in (letter.upper(), letter.title()):  # ᾳ has a large form of one letter only as a title
        if len(large) == 1:
            return large
    return "ẞ" if letter == "ß" else letter
