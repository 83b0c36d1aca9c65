"""An expression as a Python function.

The tree is walked once, into closures; the commonest shapes (a field compared to a value) get one of their own, so that
a destination filter costs a fraction of a microsecond a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias, cast

from heard.fql import glob
from heard.fql.functions import FUNCTIONS
from heard.fql.parse import parse
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or, Path
from heard.fql.values import double, same

Document: TypeAlias = Mapping[str, Any]
Evaluate: TypeAlias = Callable[[Document], Any]

EXACT = 1 << 53  # below it an integer and its double are one


def predicate(expression: str | Expression) -> Callable[[Document], bool]:
    """Whether an expression is true of a document: a function to keep and call often. Only `true` itself is true.

    Raises:
        Invalid: when the text is no expression.
    """
    return _predicate_of_text(expression) if isinstance(expression, str) else _truth(expression)


def evaluate(expression: str | Expression) -> Evaluate:
    """The value of an expression for a document, for those that compute one: `titlecase(traits.name)`."""
    return _value(parse(expression) if isinstance(expression, str) else expression)


@lru_cache(maxsize=4096)
def _predicate_of_text(text: str) -> Callable[[Document], bool]:
    return _truth(parse(text))


def _truth(expression: Expression) -> Callable[[Document], bool]:
    match expression:
        case And(operands):
            return _all(tuple(map(_truth, operands)))
        case Or(operands):
            return _any(tuple(map(_truth, operands)))
        case Not(operand):
            inner = _truth(operand)
            return lambda document: not inner(document)
        case Compare("=" | "!=" as operator, left, right):
            return _equality(left, right) if operator == "=" else _not(_equality(left, right))
        case Compare(operator, left, right):
            return _order(operator, left, right)
        case In(item, choices):
            return _membership(item, choices)
        case Call("contains" | "match" | "bool"):
            return _value(expression)
        case _:
            value = _value(expression)
            return lambda document: value(document) is True


def _value(expression: Expression) -> Evaluate:
    match expression:
        case Literal(value):
            return lambda _: value
        case Field(path):
            return _reader(path)
        case Listed(items):
            readers = tuple(map(_value, items))
            return lambda document: [read(document) for read in readers]
        case Call("match", (text, Literal(str(pattern)))):
            read, test = _value(text), glob.matcher(pattern)
            return lambda document: type(found := read(document)) is str and test(found)
        case Call(function, arguments):
            return _call(FUNCTIONS[function].gives, tuple(map(_value, arguments)))
        case _:
            return _truth(expression)


def _all(tests: tuple[Callable[[Document], bool], ...]) -> Callable[[Document], bool]:
    if len(tests) == 2:
        first, second = tests
        return lambda document: first(document) and second(document)
    return lambda document: all(test(document) for test in tests)


def _any(tests: tuple[Callable[[Document], bool], ...]) -> Callable[[Document], bool]:
    if len(tests) == 2:
        first, second = tests
        return lambda document: first(document) or second(document)
    return lambda document: any(test(document) for test in tests)


def _not(test: Callable[[Document], bool]) -> Callable[[Document], bool]:
    return lambda document: not test(document)


def _equality(left: Expression, right: Expression) -> Callable[[Document], bool]:
    if isinstance(left, Literal):
        left, right = right, left
    read = _value(left)
    if not isinstance(right, Literal):
        other = _value(right)
        return lambda document: same(read(document), other(document))
    value = right.value
    if isinstance(value, str):
        return lambda document: read(document) == value
    if value is None or isinstance(value, bool):
        return lambda document: read(document) is value
    if isinstance(value, int | float) and abs(value) < EXACT:
        return lambda document: (found := read(document)) == value and found is not True and found is not False
    return lambda document: same(read(document), value)


def _order(operator: str, left: Expression, right: Expression) -> Callable[[Document], bool]:
    """Numbers only: anything else on either side is neither more nor less. Both are compared as doubles."""
    if operator in ("<", "<="):
        left, right = right, left
    read, other = _value(left), _value(right)
    if isinstance(right, Literal):
        return _more_than(read, double(right.value), or_equal=operator in (">=", "<="))
    if operator in (">", "<"):
        return lambda document: (
            (a := double(read(document))) is not None and (b := double(other(document))) is not None and a > b
        )
    return lambda document: (
        (a := double(read(document))) is not None and (b := double(other(document))) is not None and a >= b
    )


def _more_than(read: Evaluate, limit: float | None, *, or_equal: bool) -> Callable[[Document], bool]:
    if limit is None:
        return lambda _: False
    if or_equal:
        return lambda document: (found := double(read(document))) is not None and found >= limit
    return lambda document: (found := double(read(document))) is not None and found > limit


def _membership(item: Expression, choices: Expression) -> Callable[[Document], bool]:
    read, listed = _value(item), _value(choices)
    if isinstance(choices, Literal) and all(isinstance(choice, str) for choice in _choices(choices.value)):
        texts = frozenset(_choices(choices.value))
        return lambda document: type(found := read(document)) is str and found in texts

    def is_among(document: Document) -> bool:
        found, among = read(document), listed(document)
        if isinstance(found, list | tuple | dict) or not isinstance(among, list | tuple):
            return False
        return any(same(found, choice) for choice in _choices(among))

    return is_among


def _choices(value: Any) -> tuple[Any, ...]:
    return tuple(value)


def _call(function: Callable[..., Any], readers: tuple[Evaluate, ...]) -> Evaluate:
    if len(readers) == 1:
        (only,) = readers
        return lambda document: function(only(document))
    first, second = readers
    return lambda document: function(first(document), second(document))


_get: Callable[[Any, str], Any] = dict[str, Any].get


def _reader(path: Path) -> Evaluate:
    """Reads a field; null when any step of its path is missing or no object."""
    if len(path) == 1:
        (key,) = path
        return lambda document: document.get(key)
    if len(path) == 2:
        outer, inner = path
        return lambda document: _get(found, inner) if type(found := document.get(outer)) is dict else None
    *steps, last = path

    def read(document: Document) -> Any:
        here: Document = document
        for step in steps:
            inner: Any = here.get(step)
            if not isinstance(inner, dict):
                return None
            here = cast(Document, inner)
        return here.get(last)

    return read
