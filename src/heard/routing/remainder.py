"""What is left to ask of an expression once the type and the event of a message are known.

of "event = 'A' and properties.total > 5"
the event A leaves    properties.total > 5
the event B leaves    false
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heard import fql
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or

TRUE, FALSE = Literal(True), Literal(False)

Known = Mapping[str, str | None]
"""Fields of the message itself with their values, like {"type": "track", "event": "Order Completed"}."""


def remainder(condition: Expression, known: Known) -> Expression:
    """An expression that is true of the same messages of this kind; `TRUE` or `FALSE` where nothing is left to ask."""
    match condition:
        case Compare("=", Field((name,)), Literal(str(value))) if name in known:  # most filters begin so
            return TRUE if known[name] == value else FALSE
        case And(operands):
            return _joined(operands, known, And, decides=FALSE, otherwise=TRUE)
        case Or(operands):
            return _joined(operands, known, Or, decides=TRUE, otherwise=FALSE)
        case Not(operand):
            left = remainder(operand, known)
            return FALSE if left is TRUE else TRUE if left is FALSE else Not(left)
        case _:
            filled_in = _filled_in(condition, known)
            if fql.fields(filled_in):
                return filled_in
            return TRUE if fql.predicate(filled_in)({}) else FALSE


def _joined(
    operands: Iterable[Expression], known: Known, kind: type[And | Or], *, decides: Literal, otherwise: Literal
) -> Expression:
    left: list[Expression] = []
    for operand in operands:
        each = remainder(operand, known)
        if each is decides:
            return decides
        if each is not otherwise:
            left.append(each)
    if len(left) > 1:
        return kind(tuple(left))
    return left[0] if left else otherwise


def _filled_in(expression: Expression, known: Known) -> Expression:
    """The expression with the known values in place of their fields."""
    match expression:
        case Field((name, *rest)):
            if name not in known:
                return expression
            return Literal(None if rest else known[name])
        case In(_, Field((name, *_))) if name in known:
            return FALSE  # a text is no list
        case Not(operand):
            return Not(_filled_in(operand, known))
        case And(operands) | Or(operands):
            return type(expression)(tuple(_filled_in(each, known) for each in operands))
        case Compare(operator, left, right):
            return Compare(operator, _filled_in(left, known), _filled_in(right, known))
        case In(item, choices):
            return In(_filled_in(item, known), _listed(choices, known))
        case Call(function, arguments):
            return Call(function, tuple(_filled_in(each, known) for each in arguments))
        case Listed():
            return _listed(expression, known)
        case _:
            return expression


def _listed(choices: Literal | Listed | Field, known: Known) -> Literal | Listed | Field:
    if not isinstance(choices, Listed):
        return choices
    items = (_filled_in(each, known) for each in choices.items)
    return Listed(tuple(each for each in items if isinstance(each, Literal | Field)))
