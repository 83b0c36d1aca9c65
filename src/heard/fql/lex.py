"""The text of an expression, cut into tokens.

In strings a backslash takes the quote and itself literally (`\\'`, `\\"`, `\\\\`) and is kept before anything else,
because Segment writes glob patterns that way: the string 'ab\\*d' is five characters, and matches ab*d.
"""

from __future__ import annotations

import re

import msgspec

from heard.fql.errors import Invalid
from heard.fql.tree import Path, Scalar

LARGEST_EXPRESSION = 5_120  # bytes of UTF-8: Segment's 5 KB

KEYWORDS = frozenset({"and", "or", "in", "true", "false", "null"})
SYMBOLS = ("!=", ">=", "<=", "=", ">", "<", "!", "(", ")", "[", "]", ",")
WRITE_INSTEAD = {"==": "=", "&&": "and", "||": "or", "<>": "!=", "&": "and", "|": "or"}
WORDS_INSTEAD = {"AND": "and", "OR": "or", "IN": "in", "NOT": "!", "not": "!", "NULL": "null", "TRUE": "true"}

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
NAME = re.compile(r"(?:[A-Za-z0-9_-]|\\.)+", re.DOTALL)
SPACE = re.compile(r"\s*")


class Token(msgspec.Struct, frozen=True):
    """One word of the language. `kind`: symbol, keyword, field, string, number or end."""

    kind: str
    text: str
    position: int
    value: Scalar = None
    path: Path = ()


def tokens(text: str) -> list[Token]:
    """Cut `text` into tokens; the last one is always `end`.

    Raises:
        Invalid: when the text is too long or holds something that is no part of the language.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_EXPRESSION:
        raise Invalid(f"an expression may have {LARGEST_EXPRESSION:,} bytes; this one has more", position=1)
    found: list[Token] = []
    at = 0
    while (at := _after_space(text, at)) < len(text):
        token, at = _next(text, at)
        found.append(token)
    return [*found, Token("end", "the end", len(text) + 1)]


def _after_space(text: str, at: int) -> int:
    space = SPACE.match(text, at)
    return space.end() if space else at


def _next(text: str, at: int) -> tuple[Token, int]:
    character = text[at]
    if character in "'\"":
        return _string(text, at)
    if text[at : at + 2] in WRITE_INSTEAD:
        raise Invalid(f"write `{WRITE_INSTEAD[text[at : at + 2]]}` instead of `{text[at : at + 2]}`", position=at + 1)
    for symbol in SYMBOLS:
        if text.startswith(symbol, at):
            return Token("symbol", symbol, at + 1), at + len(symbol)
    if character in "+-0123456789":
        return _number(text, at)
    if NAME.match(text, at):
        return _field(text, at)
    if character in WRITE_INSTEAD:
        raise Invalid(f"write `{WRITE_INSTEAD[character]}` instead of `{character}`", position=at + 1)
    raise Invalid(
        f"`{character}` is not part of the language; within a field name write `\\{character}`", position=at + 1
    )


def _string(text: str, at: int) -> tuple[Token, int]:
    quote, value, here = text[at], "", at + 1
    while here < len(text):
        character = text[here]
        if character == quote:
            return Token("string", text[at : here + 1], at + 1, value=value), here + 1
        if character == "\\" and text[here + 1 : here + 2] in ("'", '"', "\\"):
            value, here = value + text[here + 1], here + 2
        else:
            value, here = value + character, here + 1
    raise Invalid(f"expected {quote} to close the string that begins at {at + 1}", position=len(text) + 1)


def _number(text: str, at: int) -> tuple[Token, int]:
    number = NUMBER.match(text, at)
    if not number:
        raise Invalid(f"expected a number after `{text[at]}`", position=at + 2)
    if NAME.match(text, number.end()) or text[number.end() : number.end() + 1] == ".":
        raise Invalid(
            f"`{number.group()}` is a number, and what follows it is not; a field whose name begins with a digit "
            f"is written with a backslash: `\\{text[at:].split()[0]}`",
            position=number.end() + 1,
        )
    return Token("number", number.group(), at + 1, value=_value_of(number, at)), number.end()


def _value_of(number: re.Match[str], at: int) -> int | float:
    whole = number.group(1) is None and number.group(2) is None
    value = int(number.group()) if whole else float(number.group())
    if abs(value) > 1.7976931348623157e308:
        raise Invalid("this number is larger than a computer counts (1.8e308)", position=at + 1)
    return value


def _field(text: str, at: int) -> tuple[Token, int]:
    path: list[str] = []
    here = at
    while name := NAME.match(text, here):
        path.append(re.sub(r"\\(.)", r"\1", name.group(), flags=re.DOTALL))
        here = name.end()
        if text[here : here + 1] != ".":
            break
        here += 1
    else:
        raise Invalid("expected a field name after the dot", position=here + 1)
    written = text[at:here]
    if written in WORDS_INSTEAD:
        raise Invalid(f"write `{WORDS_INSTEAD[written]}` instead of `{written}`", position=at + 1)
    kind = "keyword" if written in KEYWORDS else "field"
    return Token(kind, written, at + 1, path=tuple(path)), here
