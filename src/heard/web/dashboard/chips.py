"""A filter as chips: each part of a conjunction one chip, written as FQL and read back from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heard.errors import Invalid
from heard.fql import parse
from heard.fql.errors import Invalid as Unreadable
from heard.fql.tree import And, Call, Compare, Expression, Field, Literal, Path
from heard.fql.write import field_of, text_of
from heard.store.analytics_filters import PLAIN

OPERATORS: Mapping[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "at_least": "is at least",
    "at_most": "is at most",
    "more_than": "is more than",
    "less_than": "is less than",
    "is_set": "is set",
    "is_not_set": "is not set",
}
SIGNS = {"is": "=", "is_not": "!=", "at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<"}
WITHOUT_VALUE = frozenset({"is_set", "is_not_set"})
NUMBERS_ONLY = frozenset({"at_least", "at_most", "more_than", "less_than"})


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter is about: a bare name in it stands below `bare`, unless it is one of `plain`."""

    bare: str
    roots: frozenset[str]
    plain: frozenset[str]
    example: str


ANSWERS = Reads(
    bare="traits", roots=frozenset({"traits", "properties", "now"}), plain=frozenset(PLAIN), example="traits.plan"
)
EVENTS = Reads(
    bare="properties",
    roots=frozenset({"properties", "context"}),
    plain=frozenset({"type", "event", "userId", "anonymousId", "messageId"}),
    example="properties.total",
)
PEOPLE = Reads(bare="traits", roots=frozenset({"traits"}), plain=frozenset({"userId", "email"}), example="traits.plan")


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a filter. `operator` None: an expression that is no plain comparison, `value` its text."""

    field: str
    operator: str | None
    value: str

    @property
    def name(self) -> str:
        """The field as a chip shows it: a trait by its bare name."""
        return self.field.removeprefix("traits.")

    @property
    def says(self) -> str:
        return OPERATORS[self.operator] if self.operator else ""

    @property
    def words(self) -> str:
        return " ".join(each for each in (self.name, self.says, self.shown) if each)

    @property
    def shown(self) -> str:
        """The value without the quotes that only tell a text from a number."""
        quoted = self.operator is not None and len(self.value) > 1 and self.value[0] == self.value[-1] == "'"
        return self.value[1:-1] if quoted else self.value


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote into the filter editor. `replaces` is the place of the chip that is edited."""

    field: str = ""
    operator: str = "is"
    value: str = ""
    replaces: int | None = None


def chips(where: str | None) -> list[Chip]:
    """The parts of a filter; one that cannot be read is one chip."""
    if not where:
        return []
    try:
        tree = parse(where)
    except Unreadable:
        return [Chip(field="FQL", operator=None, value=where)]
    return [_chip(part) for part in _parts(tree)]


def without(where: str, place: int) -> str | None:
    """The filter with one chip less; None when none is left."""
    try:
        parts = _parts(parse(where))
    except Unreadable:
        return None
    return joined([part for index, part in enumerate(parts) if index != place])


def narrowed(where: str | None, part: Expression) -> str:
    """The filter with one part more; one that is there already is not repeated."""
    try:
        parts = _parts(parse(where)) if where else []
    except Unreadable:
        parts = []
    return joined([*(each for each in parts if each != part), part]) or ""


def applied(where: str | None, draft: Draft) -> str:
    """The filter with what was written in the editor.

    Raises:
        Invalid: `field`, `operator` or `value` cannot be used.
    """
    part = written(draft)
    if draft.replaces is None or not where:
        return narrowed(where, part)
    parts = _parts(parse(where))
    return joined([part if index == draft.replaces else each for index, each in enumerate(parts)]) or ""


def value_is(field: str, value: Any) -> Expression:
    """`field = value`, for a value as JSON has it."""
    return Compare("=", Field(_path(field, ANSWERS)), Literal(value))


def drafted(chip: Chip, place: int) -> Draft:
    """A chip, back in the editor."""
    return Draft(field=chip.field, operator=chip.operator or "is", value=chip.value, replaces=place)


def written(draft: Draft, reads: Reads = ANSWERS) -> Expression:
    """One part of a filter.

    Raises:
        Invalid: `field`, `operator` or `value` cannot be used.
    """
    field = Field(_path(draft.field, reads))
    if draft.operator not in OPERATORS:
        raise Invalid("Choose how to compare.", field="operator")
    if draft.operator in WITHOUT_VALUE:
        return Compare("!=" if draft.operator == "is_set" else "=", field, Literal(None))
    if not draft.value.strip():
        raise Invalid("Write a value to compare with.", field="value")
    if draft.operator == "contains":
        value = _text(draft.value)
        return Call("contains", (field, Literal(value)))
    value = _value(draft.value)
    if draft.operator in NUMBERS_ONLY and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Invalid("Write a number, such as 20.", field="value")
    return Compare(SIGNS[draft.operator], field, Literal(value))


def _path(field: str, reads: Reads) -> Path:
    try:
        tree = parse(field.strip())
    except Unreadable as error:
        raise Invalid(f"Write the name of a field, such as {reads.example}: {error}.", field="field") from None
    if not isinstance(tree, Field):
        raise Invalid(f"Write the name of a field, such as {reads.example}.", field="field")
    known = tree.path[0] in reads.roots or (len(tree.path) == 1 and tree.path[0] in reads.plain)
    return tree.path if known else (reads.bare, *tree.path)


def _value(text: str) -> str | int | float | bool | None:
    """5 is a number, true a truth, anything else a text; quotes make a text of a number: '5'."""
    try:
        tree = parse(text.strip())
    except Unreadable:
        return text.strip()
    if isinstance(tree, Literal) and not isinstance(tree.value, tuple):
        return tree.value
    return text.strip()


def _text(text: str) -> str:
    value = _value(text) if text.strip()[:1] in ("'", '"') else text.strip()
    return value if isinstance(value, str) else text.strip()


def _chip(part: Expression) -> Chip:
    match part:
        case Compare("=" | "!=" as sign, Field(path), Literal(None)):
            return Chip(field=field_of(path), operator="is_set" if sign == "!=" else "is_not_set", value="")
        case Compare(sign, Field(path), Literal(value)) if sign in SIGNS.values() and not isinstance(value, tuple):
            operator = next(name for name, each in SIGNS.items() if each == sign)
            return Chip(field=field_of(path), operator=operator, value=_shown(value))
        case Call("contains", (Field(path), Literal(value))) if isinstance(value, str):
            return Chip(field=field_of(path), operator="contains", value=value)
        case _:
            return Chip(field="FQL", operator=None, value=text_of(part))


def _shown(value: Any) -> str:
    """As one would write it in the editor: a text bare, unless bare it would read as something else."""
    if isinstance(value, str):
        return value if _value(value) == value and isinstance(_value(value), str) else text_of(Literal(value))
    return text_of(Literal(value))


def _parts(tree: Expression) -> list[Expression]:
    return list(tree.operands) if isinstance(tree, And) else [tree]


def joined(parts: Sequence[Expression]) -> str | None:
    """All of them are to hold; None for none."""
    if not parts:
        return None
    return text_of(And(tuple(parts)) if len(parts) > 1 else parts[0])
