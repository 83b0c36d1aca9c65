"""Glob patterns of `match`, as regular expressions that Python and RE2 (DuckDB) read alike.

    *      zero or more characters          [abc]   one of these        \\x   x itself
    ?      one character                    [a-z]   one of this range   [^a]  one that is not listed

The whole string must match; case counts; `/` and line ends are characters like any other. As in Segment's matcher, `]`
and `-` within brackets are written `\\]` and `\\-`, and a range that runs backwards matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


class Malformed(ValueError):
    """The pattern cannot be read; the message says why."""


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A test for whole strings; one for a malformed pattern matches nothing."""
    try:
        fullmatch = re.compile(to_regex(pattern)).fullmatch
    except Malformed:
        return lambda _: False
    return lambda text: fullmatch(text) is not None


def to_regex(pattern: str) -> str:
    """The regular expression for the whole string.

    Raises:
        Malformed: an open bracket, a bare `-` or `]` within brackets, or a backslash at the end.
    """
    regex, rest = "", pattern
    while rest:
        first = rest[0]
        if first == "*":
            rest = rest.lstrip("*")
            regex += ".*"
        elif first == "?":
            rest = rest[1:]
            regex += "."
        elif first == "[":
            one, rest = _bracket(rest[1:])
            regex += one
        else:
            character, rest = _character(rest)
            regex += _literally(character)
    return f"(?s:{regex})"


def _bracket(rest: str) -> tuple[str, str]:
    """One bracket expression, given what follows its `[`; and what follows its `]`."""
    negated = rest.startswith("^")
    rest = rest[1:] if negated else rest
    ranges = ""
    read = 0
    while not (rest.startswith("]") and read):
        low, rest = _listed(rest)
        high, rest = _listed(rest[1:]) if rest.startswith("-") else (low, rest)
        read += 1
        if low <= high:
            ranges += f"{_literally(low)}-{_literally(high)}"
    if not ranges:  # only ranges that run backwards: nothing is listed
        return ("." if negated else "[^\\x00-\U0010ffff]"), rest[1:]
    return f"[{'^' if negated else ''}{ranges}]", rest[1:]


def _listed(rest: str) -> tuple[str, str]:
    if not rest:
        raise Malformed("expected ] to close the [")
    if rest[0] in "-]":
        raise Malformed(f"within [ ] write `\\{rest[0]}` for a literal {rest[0]}")
    return _character(rest)


def _character(rest: str) -> tuple[str, str]:
    if rest[0] != "\\":
        return rest[0], rest[1:]
    if len(rest) == 1:
        raise Malformed("nothing follows the last backslash; write `\\\\` for a literal one")
    return rest[1], rest[2:]


def _literally(character: str) -> str:
    r"""Letters and digits as they are, `\.` for other ASCII: an escape both dialects take; the rest as it is."""
    return character if character.isalnum() or ord(character) > 127 else f"\\x{ord(character):02x}"
