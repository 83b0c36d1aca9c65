"""What an expression is made of, once it has been read."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Scalar: TypeAlias = "str | int | float | bool | None"
Path: TypeAlias = tuple[str, ...]


class Node(msgspec.Struct, frozen=True):
    """A part of an expression."""


class Literal(Node, frozen=True):
    """A value as written: `'Premium'`, `5`, `true`, `null`, or a list of such values (then a tuple)."""

    value: Scalar | tuple[object, ...]


class Field(Node, frozen=True):
    """A field by its path, `traits.address.city`; missing reads as null."""

    path: Path


class Listed(Node, frozen=True):
    """A list that names at least one field: `['Premium', traits.plan]`."""

    items: tuple[Literal | Field, ...]


class Not(Node, frozen=True):
    operand: Expression


class And(Node, frozen=True):
    operands: tuple[Expression, ...]


class Or(Node, frozen=True):
    operands: tuple[Expression, ...]


class Compare(Node, frozen=True):
    """`left operator right`, where the operator is one of = != > >= < <=."""

    operator: str
    left: Expression
    right: Expression


class In(Node, frozen=True):
    """`item in choices`: choices is a list as written, or a field that holds one."""

    item: Expression
    choices: Literal | Listed | Field


class Call(Node, frozen=True):
    """A function of `functions.py` with its arguments."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Literal | Field | Listed | Not | And | Or | Compare | In | Call


def fields(expression: Expression) -> frozenset[Path]:
    """Every path the expression reads, for saying what a filter looks at and for fetching no more than that."""
    if isinstance(expression, Field):
        return frozenset({expression.path})
    return frozenset[Path]().union(*(fields(part) for part in parts(expression)))


def parts(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside this one, in the order they are written."""
    match expression:
        case Not(operand):
            return (operand,)
        case And(operands) | Or(operands):
            return operands
        case Compare(_, left, right):
            return (left, right)
        case In(item, choices):
            return (item, choices)
        case Listed(items):
            return items
        case Call(_, arguments):
            return arguments
        case _:
            return ()
