"""FQL as documented: every example of docs/reference/fql.md, and what a table cannot show."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from heard import fql
from heard.errors import Invalid
from heard.fql.functions import FUNCTIONS
from heard.fql.lex import LARGEST_EXPRESSION
from heard.fql.parse import DEEPEST_NESTING

PAGE = (Path(__file__).parents[2] / "docs/reference/fql.md").read_text()
DOCUMENT: dict[str, Any] = json.loads(PAGE.split("```json")[1].split("```")[0])
ANSWERS = re.findall(r"^\| `(.+)` \| (true|false) \|$", PAGE, re.MULTILINE)
ERRORS = re.findall(r"^\| `(.+)` \| (at \d+: .+) \|$", PAGE, re.MULTILINE)


def holds(expression: str, document: dict[str, Any] | None = None) -> bool:
    return fql.predicate(expression)(DOCUMENT if document is None else document)


def test_the_page_has_examples() -> None:
    assert len(ANSWERS) > 50
    assert len(ERRORS) > 4


@pytest.mark.parametrize(("expression", "answer"), ANSWERS)
def test_the_documented_examples_answer_as_documented(expression: str, answer: str) -> None:
    assert holds(expression) is (answer == "true")


@pytest.mark.parametrize(("expression", "error"), ERRORS)
def test_the_documented_errors_are_the_errors(expression: str, error: str) -> None:
    with pytest.raises(fql.Invalid) as refused:
        fql.parse(expression)

    assert str(refused.value) == error.replace("\\`", "`")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name: str) -> None:
    assert f"`{name}({', '.join(FUNCTIONS[name].takes)})`" in PAGE


def test_true_is_not_one_even_within_lists() -> None:
    document = {"a": True, "b": 1, "c": [True], "d": [1.0], "e": {"x": 1, "y": 2}, "f": {"y": 2.0, "x": 1}}

    assert not holds("a = b", document)
    assert not holds("c = d", document)
    assert not holds("a in d", document)
    assert holds("a in c and b in d and e = f", document)


def test_integers_are_exact_to_64_bits() -> None:
    document = {"id": 9007199254740993}

    assert holds("id = 9007199254740993", document)
    assert not holds("id = 9007199254740992", document)


def test_names_with_odd_characters_are_written_with_a_backslash() -> None:
    document = {"a.b": {"größe 1": 5}, "2fa": True, "in": 1, "x-y_z": 2}

    assert holds(r"a\.b.gr\ö\ße\ 1 = 5 and \2fa and \in = 1 and x-y_z = 2", document)


def test_a_word_of_the_language_may_be_part_of_a_path() -> None:
    assert holds("traits.in = 1 and traits.null = 2", {"traits": {"in": 1, "null": 2}})


def test_quotes_and_backslashes_in_strings() -> None:
    assert holds(r"""a = 'it\'s' and b = "say \"x\"" and c = 'back\\slash' and d = 'ab\*d'""", {
        "a": "it's", "b": 'say "x"', "c": "back\\slash", "d": "ab\\*d",
    })  # fmt: skip


def test_a_pattern_may_come_from_a_field_and_a_malformed_one_matches_nothing() -> None:
    assert holds("match(event, pattern)", {"event": "Button Clicked", "pattern": "Button *"})
    assert not holds("match(event, pattern)", {"event": "[", "pattern": "["})


GLOBS = [
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True), ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", False),
    ("a*b?c*x", "abxbbxdbxebxczzx", True), ("a*", "ab/c", True), ("a?b", "a☺b", True), ("a?b", "a\nb", True),
    ("a???b", "a☺b", False), ("[a-ζ]*", "α", True), ("*[a-ζ]", "A", False), ("ab[^c]", "abc", False),
    ("ab[^e-g]", "abc", True), ("[\\]a]", "]", True), ("[x\\-]", "-", True), ("[x\\-]", "z", False),
    ("[z-a]", "m", False), ("a.c", "abc", False), ("(a|b)", "(a|b)", True), ("$^", "$^", True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "matches"), GLOBS)
def test_globs(pattern: str, text: str, matches: bool) -> None:
    assert holds("match(text, pattern)", {"text": text, "pattern": pattern}) is matches


@pytest.mark.parametrize("pattern", ["[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a\\"])
def test_a_malformed_pattern_in_quotes_is_refused_when_it_is_written(pattern: str) -> None:
    quoted = "'" + pattern.replace("\\", "\\\\") + "'"
    with pytest.raises(fql.Invalid, match="in the pattern of match"):
        fql.parse(f"match(a, {quoted})")


def test_more_than_five_kilobytes_are_refused() -> None:
    with pytest.raises(fql.Invalid, match="5,120 bytes"):
        fql.parse(f"a = '{'x' * LARGEST_EXPRESSION}'")


@pytest.mark.parametrize("nested", ["(" * 2000 + "a" + ")" * 2000, "!" * 4000 + "a", "a in " + "[" * 2000])
def test_deep_nesting_is_refused_and_not_a_crash(nested: str) -> None:
    with pytest.raises(fql.Invalid, match=f"more than {DEEPEST_NESTING} levels"):
        fql.parse(nested)


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("", 1),
        ("a and", 6),
        ("a = b = c", 7),
        ("a b", 3),
        ("a.", 3),
        ("#", 1),
        ("['a'", 5),
        ("5x = 1", 2),
        ("a OR b", 3),
    ],
)
def test_an_error_knows_its_place(expression: str, position: int) -> None:
    with pytest.raises(Invalid) as refused:
        fql.parse(expression)

    assert isinstance(refused.value, fql.Invalid)
    assert refused.value.position == position


def test_the_fields_of_an_expression_can_be_told() -> None:
    expression = fql.parse("traits.plan in ['a', traits.b] and !contains(lowercase(event), 'x') or now.traits.c > 1")

    assert fql.fields(expression) == {("traits", "plan"), ("traits", "b"), ("event",), ("now", "traits", "c")}


@pytest.mark.parametrize("value", [10**400, -(10**400), float("1e308"), [10**400]])
def test_a_number_of_any_size_harms_nothing(value: Any) -> None:
    assert not holds("a < 5 and a > 10 and number(a) = 3 and string(a) = 'x' and a in [1]", {"a": value})


def test_an_expression_can_be_asked_for_its_value() -> None:
    assert fql.evaluate("titlecase(traits.name)")({"traits": {"name": "ann lee"}}) == "Ann Lee"
