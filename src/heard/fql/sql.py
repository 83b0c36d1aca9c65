"""An expression as SQL for DuckDB, over columns that hold canonical JSON.

Every computed part has one of four forms (`Form`), and appears once in the text whatever is asked of it, so that the
SQL grows with the expression and not with its nesting. Conditions may be NULL, which counts as false: `!` says
`IS NOT TRUE`. Values written in the expression are bound as parameters, never spliced. No Python function is registered
in DuckDB; the price is that the pattern of `match` must be written in quotes here: DuckDB has no glob of this dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

import msgspec

from heard.fql.errors import Invalid
from heard.fql.glob import to_regex
from heard.fql.parse import parse
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or, Path
from heard.fql.values import canonical, double


class Form(Enum):
    """How a part of the SQL holds its value; NULL is null in all of them, and false in a condition."""

    JSON = "canonical JSON text"
    TEXT = "a string, unquoted"
    NUMBER = "a double"
    CONDITION = "a boolean"


class Column(msgspec.Struct, frozen=True):
    """Where a field is found. `sql` must name one column (it may be repeated): JSON, TEXT or NUMBER."""

    sql: str
    form: Form = Form.JSON


class Part(msgspec.Struct, frozen=True):
    sql: str
    form: Form


Columns: TypeAlias = Callable[[Path], "Column | str | None"]


def to_sql(expression: str | Expression, column: Columns, *, prefix: str = "fql") -> tuple[str, dict[str, Any]]:
    """A condition and its parameters, named `$fql1`, `$fql2`, ...

    `column` gives the column of a path: a `Column`, a text for one of canonical JSON, or None when no row has it.
    It may raise `heard.errors.Invalid` for a field that does not belong in this place.

    Raises:
        Invalid: when the text is no expression, or its `match` takes the pattern from a field.
    """
    tree = parse(expression) if isinstance(expression, str) else expression
    writer = _Writer(column, prefix)
    sql = writer.condition(tree)
    return sql, {name: value for name, value in writer.parameters.items() if f"${name}:" in sql}


def key_of(column: Column) -> str:
    """SQL for the canonical JSON text of a column, 'null' for null: what to group by."""
    return _key(Part(column.sql, column.form))


class _Writer:
    """Walks a tree; keeps the parameters it binds. A parameter is written with its type: `$fql1::VARCHAR`."""

    def __init__(self, column: Columns, prefix: str) -> None:
        self.column = column
        self.prefix = prefix
        self.parameters: dict[str, Any] = {}

    def condition(self, expression: Expression) -> str:
        """True, or else false or NULL."""
        match expression:
            case And(operands):
                return "(" + " AND ".join(map(self.condition, operands)) + ")"
            case Or(operands):
                return "(" + " OR ".join(map(self.condition, operands)) + ")"
            case Not(operand):
                return f"({self.condition(operand)} IS NOT TRUE)"
            case Compare("=", left, right):
                return self.equality(left, right)
            case Compare("!=", left, right):
                return f"({self.equality(left, right)} IS NOT TRUE)"
            case Compare(operator, left, right):
                return f"({self.number(left)} {operator} {self.number(right)})"
            case In(item, choices):
                return self.membership(item, choices)
            case Call("contains", (text, part)):
                return self.contains(text, part)
            case Call("match", (text, pattern)):
                return self.match(text, pattern)
            case Call("bool", (value,)):
                return self.truthiness(value)
            case Literal(value):
                return "TRUE" if value is True else "FALSE"
            case _:
                part = self.part(expression)
                return f"({part.sql} = 'true')" if part.form is Form.JSON else "FALSE"

    def part(self, expression: Expression) -> Part:
        """A value, in the form that costs least."""
        match expression:
            case Literal(value):
                return Part("NULL::VARCHAR" if value is None else self.bound(canonical(value)), Form.JSON)
            case Field(path):
                found = self.column(path)
                found = Column(found) if isinstance(found, str) else found or Column("NULL::VARCHAR")
                return Part(found.sql, found.form)
            case Listed(items):
                keys = " || ',' || ".join(self.key(item) for item in items)
                return Part(f"('[' || {keys} || ']')", Form.JSON)
            case Call("length", (value,)):
                return Part(self.length(value), Form.NUMBER)
            case Call("number", (value,)):
                return Part(self.to_number(value), Form.NUMBER)
            case Call("typeof", (value,)):
                return Part(self.type_of(value), Form.TEXT)
            case Call("string", (value,)):
                return Part(self.to_text(value), Form.TEXT)
            case Call(name, (value,)) if name in CASES:
                return Part(CASES[name].format(self.text(value)), Form.TEXT)
            case _:
                return Part(self.condition(expression), Form.CONDITION)

    def key(self, expression: Expression) -> str:
        """The canonical JSON text, 'null' for null: two values are equal when their keys are."""
        return _key(self.part(expression))

    def text(self, expression: Expression) -> str:
        """The string, or NULL for anything that is not one."""
        if isinstance(expression, Literal):
            return self.bound(expression.value) if isinstance(expression.value, str) else "NULL::VARCHAR"
        part = self.part(expression)
        if part.form is Form.TEXT:
            return part.sql
        return _string_in(part.sql) if part.form is Form.JSON else "NULL::VARCHAR"

    def number(self, expression: Expression) -> str:
        """The number as a double, or NULL for anything that is not one."""
        if isinstance(expression, Literal):
            value = double(expression.value)
            return "NULL::DOUBLE" if value is None else self.bound(value, "DOUBLE")
        part = self.part(expression)
        if part.form is Form.NUMBER:
            return part.sql
        return f"TRY_CAST({part.sql} AS DOUBLE)" if part.form is Form.JSON else "NULL::DOUBLE"

    def equality(self, left: Expression, right: Expression) -> str:
        if isinstance(left, Literal):
            left, right = right, left
        part = self.part(left)
        if not isinstance(right, Literal):
            return f"({_key(part)} = {self.key(right)})"
        if right.value is None:
            return f"({part.sql} IS NULL)" if part.form is not Form.CONDITION else "FALSE"
        if part.form is Form.JSON:
            return f"({part.sql} = {self.bound(canonical(right.value))})"
        if part.form is Form.TEXT:
            return f"({part.sql} = {self.bound(right.value)})" if isinstance(right.value, str) else "FALSE"
        return f"({_key(part)} = {self.bound(canonical(right.value))})"

    def membership(self, item: Expression, choices: Literal | Listed | Field) -> str:
        part = self.part(item)
        is_scalar = f"left({_key(part)}, 1) NOT IN ('[', '{{') AND " if part.form is Form.JSON else ""
        if isinstance(choices, Field):
            found = self.part(choices)
            if found.form is not Form.JSON:
                return "FALSE"
            items = f"CASE WHEN starts_with({found.sql}, '[') THEN json_extract({found.sql}, '$[*]')::VARCHAR[] END"
            return f"({is_scalar}list_contains({items}, {_key(part)}))"
        listed = choices.items if isinstance(choices, Listed) else _literals(choices.value)
        if part.form is Form.JSON and all(isinstance(one, Literal) and _is_scalar(one.value) for one in listed):
            return self.one_of(part.sql, [one.value for one in listed if isinstance(one, Literal)])
        keys = ", ".join(
            self.bound(canonical(one.value)) if isinstance(one, Literal) else self.key(one) for one in listed
        )
        return f"({is_scalar}{_key(part)} IN ({keys}))" if listed else "FALSE"

    def one_of(self, column: str, choices: list[Any]) -> str:
        keys = ", ".join(self.bound(canonical(choice)) for choice in choices if choice is not None)
        among = f"{column} IN ({keys})" if keys else "FALSE"
        return f"({column} IS NULL OR {among})" if None in choices else f"({among})"

    def contains(self, text: Expression, part: Expression) -> str:
        whole = f"contains({self.text(text)}, {self.text(part)})"
        if not (isinstance(text, Field) and isinstance(part, Literal) and _is_plain(part.value)):
            return whole
        return self.on_plain(text, f"starts_with({{}}, '\"') AND contains({{}}, {self.text(part)})", whole)

    def match(self, text: Expression, pattern: Expression) -> str:
        if not isinstance(pattern, Literal):
            raise Invalid("in this place the pattern of match must be written in quotes, not be a field", position=1)
        if not isinstance(pattern.value, str):
            return "FALSE"
        whole = f"regexp_full_match({self.text(text)}, {self.bound(to_regex(pattern.value))})"
        if not isinstance(text, Field) or not _is_plain(pattern.value) or set(pattern.value) & set("[]%_"):
            return whole
        like = self.bound('"' + pattern.value.replace("*", "%").replace("?", "_") + '"')
        return self.on_plain(text, f"{{}} LIKE {like}", whole)

    def on_plain(self, field: Field, plain: str, otherwise: str) -> str:
        """`plain` for canonical texts without a backslash, which are strings in quotes as they are: no decoding."""
        part = self.part(field)
        if part.form is not Form.JSON:
            return otherwise
        return f"CASE WHEN contains({part.sql}, '\\') THEN {otherwise} ELSE {plain.replace('{}', part.sql)} END"

    def length(self, expression: Expression) -> str:
        part = self.part(expression)
        if part.form is Form.TEXT:
            return f"coalesce(strlen({part.sql}), 0)::DOUBLE"
        if part.form is not Form.JSON:
            return f"CASE WHEN {part.sql} IS NULL THEN 0::DOUBLE END" if part.form is Form.NUMBER else "NULL::DOUBLE"
        string, items = f"strlen({_string_in('v')})", "json_array_length(v)"
        return _once(
            part.sql,
            f"CASE WHEN v IS NULL THEN 0 WHEN starts_with(v, '\"') THEN {string} "
            f"WHEN starts_with(v, '[') THEN {items} END::DOUBLE",
        )

    def to_number(self, expression: Expression) -> str:
        part = self.part(expression)
        if part.form is Form.NUMBER:
            return part.sql
        if part.form is Form.CONDITION:
            return "NULL::DOUBLE"
        spelled = "nullif(regexp_extract({}, '^ *([+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?) *$', 1), '')"
        if part.form is Form.TEXT:
            read = f"TRY_CAST({spelled.format(part.sql)} AS DOUBLE)"
        else:
            text = spelled.format(_string_in("v"))
            read = _once(part.sql, f"TRY_CAST(CASE WHEN starts_with(v, '\"') THEN {text} ELSE v END AS DOUBLE)")
        return _once(read, "CASE WHEN isfinite(v) THEN v END")

    def to_text(self, expression: Expression) -> str:
        part = self.part(expression)
        if part.form is Form.TEXT:
            return part.sql
        if part.form is Form.JSON:
            return _once(part.sql, f"CASE WHEN starts_with(v, '\"') THEN {_string_in('v')} ELSE v END")
        return f"nullif({_key(part)}, 'null')"

    def type_of(self, expression: Expression) -> str:
        part = self.part(expression)
        if part.form is Form.CONDITION:
            return "'bool'"
        if part.form is Form.JSON:
            return (
                f"CASE coalesce({part.sql}, 'null')[1] WHEN '\"' THEN 'string' WHEN '[' THEN 'list' WHEN 't' THEN "
                "'bool' WHEN 'f' THEN 'bool' WHEN 'n' THEN 'null' WHEN '{' THEN 'object' ELSE 'number' END"
            )
        return f"CASE WHEN {part.sql} IS NULL THEN 'null' ELSE '{'string' if part.form is Form.TEXT else 'number'}' END"

    def truthiness(self, expression: Expression) -> str:
        part = self.part(expression)
        if part.form is Form.CONDITION:
            return part.sql
        if part.form is Form.TEXT:
            return f"(lower({part.sql}) NOT IN ('', 'false', '0'))"
        if part.form is Form.NUMBER:
            return f"({part.sql} <> 0)"
        return f"""(lower({part.sql}) NOT IN ('false', '0', '""', '[]', '{{}}', '"false"', '"0"'))"""

    def bound(self, value: Any, kind: str = "VARCHAR") -> str:
        name = f"{self.prefix}{len(self.parameters) + 1}"
        self.parameters[name] = value
        return f"(${name}::{kind})"


CASES = {
    "lowercase": "lower({})",
    "uppercase": "upper({})",
    "snakecase": "replace({}, ' ', '_')",
    "kebabcase": "replace({}, ' ', '-')",
    "titlecase": (
        "array_to_string(list_transform(string_split({}, ' '), "
        "lambda word: upper(substring(word, 1, 1)) || substring(word, 2)), ' ')"
    ),
}


def _is_plain(value: Any) -> bool:
    """A string that canonical JSON writes as it is."""
    return isinstance(value, str) and canonical(value) == f'"{value}"'


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, tuple)


def _literals(values: Any) -> tuple[Literal, ...]:
    return tuple(map(Literal, values))


def _key(part: Part) -> str:
    match part.form:
        case Form.JSON:
            return f"coalesce({part.sql}, 'null')"
        case Form.TEXT:
            return f"coalesce(to_json({part.sql})::VARCHAR, 'null')"
        case Form.CONDITION:
            return f"CASE WHEN {part.sql} THEN 'true' ELSE 'false' END"
        case Form.NUMBER:
            whole = "v = trunc(v) AND v >= -9223372036854775808 AND v < 18446744073709551616"
            digits = "CAST(CAST(v AS HUGEINT) AS VARCHAR)"
            text = _once(part.sql, f"CASE WHEN {whole} THEN {digits} ELSE to_json(v)::VARCHAR END")
            return f"coalesce({text}, 'null')"


def _string_in(column: str) -> str:
    """The string that a canonical JSON column holds. Most have no backslash: taking the quotes off is enough."""
    decoded = f"json_extract_string({column}, '$')"
    return (
        f"CASE WHEN starts_with({column}, '\"') THEN CASE WHEN contains({column}, '\\') THEN {decoded} "
        f"ELSE substring({column}, 2, length({column}) - 2) END END"
    )


def _once(sql: str, expression: str) -> str:
    """`expression` with `v` standing for `sql`, which is then written, and computed, once."""
    return f"list_transform([{sql}], lambda v: {expression})[1]"
