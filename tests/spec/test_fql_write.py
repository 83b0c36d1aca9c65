"""An expression written back reads as the same expression."""

from __future__ import annotations

import pytest

from heard.fql import parse
from heard.fql.tree import And, Compare, Field, Literal, Or
from heard.fql.write import renamed, text_of


@pytest.mark.parametrize(
    "text",
    [
        "traits.plan = 'Premium'",
        "traits.plan = 'Premium' and traits.country != 'DE' and value <= 6",
        "(traits.a = 1 or traits.b = 2) and traits.c = 3",
        "traits.a = 1 or traits.b = 2 and traits.c = 3",
        "!(traits.a = 1 and traits.b = null)",
        "!contains(traits.name, 'O\\'Neill \\\\ Sons')",
        "traits.country in ['DE', 'AT'] and 3 in traits.list",
        "traits.x in ['DE', traits.country, [1, 2.5, true]]",
        "(traits.a = 1) = true",
        "traits.Net\\ Worth\\€ > -1.5e+20",
        "\\and = 1 and \\9lives = 2 and in_a-row = 3",
        "match(traits.email, '*@example.com') and (traits.a in [1]) = false",
        "traits.enabled",
    ],
)
def test_written_back_it_is_the_same(text: str):
    tree = parse(text)

    assert parse(text_of(tree)) == tree


def test_a_plain_expression_is_written_as_it_was():
    text = "traits.plan = 'Premium' and !contains(comment, 'price') and value >= 9"

    assert text_of(parse(text)) == text


def test_brackets_stand_only_where_they_are_needed():
    one, two = Compare("=", Field(("value",)), Literal(1)), Compare("=", Field(("value",)), Literal(2))

    assert text_of(And((Or((one, two)), one))) == "(value = 1 or value = 2) and value = 1"
    assert text_of(Or((And((one, two)), one))) == "value = 1 and value = 2 or value = 1"


def test_every_field_can_be_read_from_elsewhere():
    tree = parse("traits.plan = 'Free' and (traits.a in [traits.b] or !contains(traits.c, 'x')) and value > 3")

    now = renamed(tree, lambda path: ("now", *path) if path[0] == "traits" else path)

    assert text_of(now) == (
        "now.traits.plan = 'Free' and (now.traits.a in [now.traits.b] or !contains(now.traits.c, 'x')) and value > 3"
    )
