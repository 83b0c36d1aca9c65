"""Which values of a field an expression needs, so that most filters need not be asked about most messages.

`event = 'A' and properties.total > 5` can only be true of the event A.
"""

from __future__ import annotations

from heard.fql.tree import And, Compare, Expression, Field, In, Literal, Or, Path


def required(expression: Expression, path: Path) -> frozenset[str] | None:
    """The texts of which the field has to be one; None when the expression may be true of any other value, too."""
    match expression:
        case Compare("=", Field(field), Literal(value)) | Compare("=", Literal(value), Field(field)):
            return frozenset({value}) if field == path and isinstance(value, str) else None
        case In(Field(field), Literal(tuple(values))):
            texts = frozenset(value for value in values if isinstance(value, str))
            return texts if field == path and all(isinstance(value, str) for value in values) else None
        case And(operands):
            known = [each for operand in operands if (each := required(operand, path)) is not None]
            return known[0].intersection(*known) if known else None
        case Or(operands):
            each = [required(operand, path) for operand in operands]
            return None if None in each else frozenset[str]().union(*(one for one in each if one is not None))
        case _:
            return None
