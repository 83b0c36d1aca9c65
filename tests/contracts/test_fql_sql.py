"""The two engines of the language, closures and SQL, give one answer for every expression and every document.

The documents lie in DuckDB as the analytics keep them: one column of canonical JSON text a path.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.fql import parse, predicate
from heard.fql.errors import Invalid
from heard.fql.functions import FUNCTIONS, lowercase, uppercase
from heard.fql.sql import Column, Form, to_sql
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or
from heard.fql.values import canonical

PATHS = [("a",), ("b",), ("c", "d"), ("c", "odd key.\\é"), ("c",), ("missing",)]
TEXTS = [
    "",
    "a",
    "A b",
    "ab*d",
    "5",
    "5.0",
    " 12 ",
    "1e3",
    "true",
    "False",
    "0",
    "null",
    "ÄÖ ß",
    "a\\b",
    'q"',
    "é☺",
    "x\x0b",
]
NUMBERS = [0, 1, 5, 5.0, -5, 0.1, 1e22, 1e16, 2**53, 2**53 + 1, 2**63, 2**64 - 1, 2**70, -(2**63), 1e-5, 1.5e-7, -0.0]

texts = st.sampled_from(TEXTS) | st.text(max_size=6)
numbers = st.sampled_from(NUMBERS) | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
scalars = texts | numbers | st.booleans() | st.none()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["d", "k", "z"]), inner, max_size=3),
    max_leaves=6,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "a": values,
        "b": values,
        "c": st.dictionaries(st.sampled_from(["d", "odd key.\\é", "e"]), values, max_size=3) | scalars,
    },
)

fields = st.sampled_from(PATHS[:5] * 3 + PATHS[5:]).map(Field)
literals = (scalars | st.lists(scalars, max_size=3).map(tuple)).map(Literal)
choices = (
    st.lists(scalars, max_size=4).map(tuple).map(Literal)
    | fields
    | st.tuples(fields, literals, literals).map(lambda items: Listed(items))
)
patterns = st.sampled_from(["*", "a*", "?", "*b*", "[a-zÄ]*", "[^a]?", "a\\*b", "5*", "[z-a]", "[^z-a]*"]).map(Literal)


def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    one = st.sampled_from([name for name, function in FUNCTIONS.items() if len(function.takes) == 1])
    return (
        st.builds(Compare, st.sampled_from(["=", "!=", ">", ">=", "<", "<="]), inner, inner)
        | st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(tuple).map(And)
        | st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or)
        | st.builds(In, inner, choices)
        | st.builds(lambda name, value: Call(name, (value,)), one, inner)
        | st.builds(lambda text, part: Call("contains", (text, part)), inner, inner)
        | st.builds(lambda text, pattern: Call("match", (text, pattern)), inner, patterns)
    )


expressions = st.recursive(fields | literals, larger, max_leaves=8)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def read(document: dict[str, Any], path: tuple[str, ...]) -> Any:
    here: Any = document
    for step in path:
        here = here.get(step) if isinstance(here, dict) else None
    return here


def answers_in_sql(
    database: duckdb.DuckDBPyConnection, expression: Expression | str, documents: list[dict[str, Any]]
) -> list[bool]:
    names = {path: f"p{index}" for index, path in enumerate(PATHS[:5])}
    sql, parameters = to_sql(expression, names.get)
    columns = ", ".join(f"{name} VARCHAR" for name in names.values())
    database.execute(f"CREATE OR REPLACE TABLE documents (n INTEGER, {columns})")
    rows = [
        [index, *(None if (value := read(document, path)) is None else canonical(value) for path in names)]
        for index, document in enumerate(documents)
    ]
    database.executemany(f"INSERT INTO documents VALUES (?{', ?' * len(names)})", rows)
    found = database.execute(f"SELECT n, ({sql}) IS TRUE FROM documents ORDER BY n", parameters).fetchall()
    return [answer for _, answer in found]


@settings(max_examples=600, deadline=None)
@given(expression=expressions, documents=st.lists(documents, min_size=1, max_size=5))
def test_closures_and_sql_agree(
    database: duckdb.DuckDBPyConnection, expression: Expression, documents: list[dict[str, Any]]
) -> None:
    test = predicate(expression)

    assert answers_in_sql(database, expression, documents) == [test(document) for document in documents]


def test_letters_of_every_script_change_case_alike_in_both_engines(database: duckdb.DuckDBPyConnection) -> None:
    letters = "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x30000)]))

    found = database.execute("SELECT lower($letters), upper($letters)", {"letters": letters}).fetchone()

    differing = {
        letter
        for small, large, letter in zip(*(found or ("", "")), letters, strict=True)
        if (small, large) != (lowercase(letter), uppercase(letter))
    }
    assert not differing


def test_a_column_may_hold_plain_text_or_a_number(database: duckdb.DuckDBPyConnection) -> None:
    columns = {("comment",): Column("c", Form.TEXT), ("value",): Column("v", Form.NUMBER)}
    sql, parameters = to_sql(
        "value >= 9 and contains(lowercase(comment), 'great') and value = 9 and comment in ['Great', 1] "
        "and typeof(value) = 'number' and string(value) = '9' and value in [9]",
        lambda path: columns.get((path[0],)),
    )

    found = database.execute(f"SELECT {sql} FROM (SELECT 'Great' AS c, 9::DOUBLE AS v)", parameters).fetchone()

    assert found == (True,)


def test_what_is_written_is_bound_and_never_part_of_the_sql() -> None:
    sql, parameters = to_sql("a = 'Robert''); DROP TABLE'".replace("''", "\\'"), lambda path: "p0")

    assert "Robert" not in sql
    assert list(parameters.values()) == ['"Robert\'); DROP TABLE"']


def test_a_pattern_from_a_field_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="must be written in quotes"):
        to_sql("match('Premium', a)", lambda path: "p0")


def test_sql_grows_with_the_expression_and_not_with_its_nesting() -> None:
    inner = "string(a = b)"
    for _ in range(28):
        inner = f"string({inner} = b)"

    sql, _ = to_sql(parse(f"{inner} = 'true'"), lambda path: "p0")

    assert len(sql) < 40_000
