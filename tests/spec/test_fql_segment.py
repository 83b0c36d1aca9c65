"""Every expression in the tables of Segment's own FQL reference has the answer that stands beside it there."""

from __future__ import annotations

from typing import Any

import pytest

from heard import fql
from heard.routing.destination import Filter
from tests.spec.routed import a_destination, a_message, refusal

EVENT: dict[str, Any] = {
    "event": "Button Clicked",
    "type": "track",
    "context": {"library": {"name": "analytics.js", "version": "1.0"}},
    "properties": {"features": ["discounts", "dark-mode"]},
}
EXAMPLES = {
    "event = 'Button Clicked'": True,
    "event = 'Screen Tapped'": False,
    "context.path.path = '/login'": False,
    "type = 'identify' or type = 'track'": True,
    "event = 'Button Clicked' and type = 'track'": True,
    "match( context.library.version, '1.*' )": True,
    "match( context.library.version, '2.*' )": False,
    "type = 'track' and ( event = 'Click' or match( event, 'Button *' ) )": True,
    "!contains( context.library.name, 'js' )": False,
    "'dark-mode' in properties.features": True,
    "'blink' in properties.features": False,
}
SUBEXPRESSIONS = {  # no answers stand there; these are of the same event
    "type = 'track' and ( event = 'Click' or match( 'Button *', event ) )": False,
    "( type = 'track' or type = 'identify' ) and "
    "( properties.enabled or match( traits.email, '*@company.com' ) )": False,
    "!( type in ['track', 'identify'] )": False,
}
OF_NULL = {
    "contains( null, 'x' ) = false": True,
    "length( null ) = 0": True,
    "lowercase( null ) = null": True,
    "typeof( null ) = 'null'": True,
    "match( null, '*' ) = false": True,
    "length( userId ) > 0": False,
    "typeof( userId ) = 'string' and length( userId ) > 0": False,
}
FUNCTIONS = {
    "length( 'a' ) = 1": True,
    "length( 'ア' ) = 3": True,
    "length( properties.features ) = 2": True,
    "lowercase( 'ABC' ) = 'abc'": True,
    "uppercase( 'abc' ) = 'ABC'": True,
    "snakecase( 'test string' ) = 'test_string'": True,
    "kebabcase( 'test string' ) = 'test-string'": True,
    "titlecase( 'test string' ) = 'Test String'": True,
    "typeof( event ) = 'string'": True,
    "typeof( properties.features ) = 'list'": True,
    "typeof( 5 ) = 'number'": True,
    "typeof( true ) = 'bool'": True,
    "bool( 1 ) and !bool( 0 ) and !bool( null )": True,
    "string( 5 ) = '5'": True,
    "number( '5' ) = 5": True,
}
GLOBS = {
    "match( 'abcd', 'a*d' )": True,
    "match( '', '*' )": True,
    "match( 'abc', 'ab' )": False,
    "match( 'abcd', 'a??d' )": True,
    "match( 'abcd', '*d' )": True,
    r"match( 'ab*d', 'ab\*d' )": True,
    "match( 'abCd', 'ab[cC]d' )": True,
    "match( 'abcd', 'ab[a-z]d' )": True,
    "match( 'abcd', 'ab[A-Z]d' )": False,
}
OPERATORS = {
    "true and true": True,
    "true and null": False,
    "false or true": True,
    "false or null": False,
    "!false": True,
    "5 = 5": True,
    "5 = '5'": False,
    "5 != '5'": True,
    "['a', 1] = ['a', 1]": True,
    "null = null": True,
    "2 > 1": True,
    "2 >= 2": True,
    "1 < 2": True,
    "2 <= 1": False,
    "'2' > 1": False,
    "null in ['a', null]": True,
    "5 in [1, 5]": True,
    "'5' in [1, 5]": False,
}


@pytest.mark.parametrize(
    ("expression", "answer"), (EXAMPLES | SUBEXPRESSIONS | OF_NULL | FUNCTIONS | GLOBS | OPERATORS).items()
)
def test_line_18_an_expression_of_segments_reference_has_its_answer(expression: str, answer: bool):
    assert fql.predicate(expression)(EVENT) is answer


def test_line_18_an_escaped_field_path_is_read():
    assert fql.predicate(r"properties.product\ 1.price = '19.99'")({"properties": {"product 1": {"price": "19.99"}}})


def test_line_18_what_segments_reference_calls_invalid_withholds_the_event():
    refused = refusal(a_destination(filters=(Filter(condition='userId = oops"', action="drop"),)), a_message())

    assert refused is not None
    assert refused.reason == "filter_invalid"
    assert 'at 15: expected " to close the string that begins at 14' in refused.detail
