"""From a tree back to text: `parse(text_of(tree))` is the tree again."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from heard.fql.lex import KEYWORDS, WORDS_INSTEAD
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or, Path

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")


def text_of(expression: Expression) -> str:
    """An expression as one would write it, with no more brackets than it needs."""
    match expression:
        case Or(operands):
            return " or ".join(_within(part, And, Compare, In) for part in operands)
        case And(operands):
            return " and ".join(_within(part, Compare, In) for part in operands)
        case Not(operand):
            return f"!{_within(operand)}"
        case Compare(operator, left, right):
            return f"{_within(left)} {operator} {_within(right)}"
        case In(item, choices):
            return f"{_within(item)} in {text_of(choices)}"
        case Call(function, arguments):
            return f"{function}({', '.join(map(text_of, arguments))})"
        case Listed(items):
            return f"[{', '.join(map(text_of, items))}]"
        case Field(path):
            return field_of(path)
        case Literal(value):
            return literal_of(value)


def field_of(path: Path) -> str:
    """traits.address.city; what is no plain letter, digit, _ or - gets a backslash."""
    written = ".".join(_NOT_IN_A_NAME.sub(lambda found: f"\\{found.group()}", name) for name in path)
    is_a_word = written in KEYWORDS or written in WORDS_INSTEAD
    return f"\\{written}" if is_a_word or written[:1] in tuple("-0123456789") else written


def literal_of(value: object) -> str:
    """'Premium', 5, true, null, ['DE', 'AT']."""
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'"
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal_of, value))}]"  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
    return {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool | None) else repr(value)


def renamed(expression: Expression, rename: Callable[[Path], Path]) -> Expression:
    """The same expression over other fields."""
    match expression:
        case Field(path):
            return Field(rename(path))
        case Literal():
            return expression
        case Not(operand):
            return Not(renamed(operand, rename))
        case And(operands):
            return And(tuple(renamed(part, rename) for part in operands))
        case Or(operands):
            return Or(tuple(renamed(part, rename) for part in operands))
        case Compare(operator, left, right):
            return Compare(operator, renamed(left, rename), renamed(right, rename))
        case In(item, choices):
            return msgspec.structs.replace(expression, item=renamed(item, rename), choices=renamed(choices, rename))
        case Call(function, arguments):
            return Call(function, tuple(renamed(part, rename) for part in arguments))
        case Listed(items):
            return msgspec.structs.replace(expression, items=tuple(renamed(part, rename) for part in items))


def _within(expression: Expression, *bare: type) -> str:
    """A part of a larger expression: in brackets, unless it binds tighter or is one of `bare`."""
    written = text_of(expression)
    return written if isinstance(expression, (Not, Call, Listed, Field, Literal, *bare)) else f"({written})"
