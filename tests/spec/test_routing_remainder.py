"""What is left to ask of a filter once type and event are known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard import fql
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or
from heard.fql.write import text_of
from heard.routing.remainder import remainder

KNOWN = {"type": "track", "event": "Order Completed"}


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("event = 'Order Completed'", "true"),
        ("event = 'Other'", "false"),
        ("event = 'Order Completed' and properties.total > 5", "properties.total > 5"),
        ("event = 'Other' and properties.total > 5", "false"),
        ("event = 'Other' or properties.total > 5", "properties.total > 5"),
        ("event = 'Order Completed' or properties.total > 5", "true"),
        ("!(type = 'track')", "false"),
        ("!(type = 'track' and userId = 'u')", "!(userId = 'u')"),
        ("contains(event, 'Order') and match(event, '*ed')", "true"),
        ("event in ['Order Completed', 5]", "true"),
        ("'x' in event or traits.a", "traits.a"),
        ("event.name = null and length(event) = 15", "true"),
        ("'Order Completed' in [event, properties.a]", "'Order Completed' in ['Order Completed', properties.a]"),
        ("properties.a in [event, 'b']", "properties.a in ['Order Completed', 'b']"),
        ("properties.a = event", "properties.a = 'Order Completed'"),
        ("lowercase(event) = 'order completed' and typeof(type) = 'string'", "true"),
        ("event", "false"),
    ],
)
def test_what_is_known_is_asked_no_more(condition: str, left: str):
    assert fql.parse(text_of(remainder(fql.parse(condition), KNOWN))) == fql.parse(left)


values: st.SearchStrategy[Any] = st.sampled_from(("track", "page", "A", "", "5", 5, 1, 0, True, False, None))
fields = st.sampled_from((("type",), ("event",), ("event", "x"), ("a",), ("b", "c"))).map(Field)
literals = (values | st.lists(values, max_size=3).map(tuple)).map(Literal)
choices = (
    st.lists(values, max_size=3).map(tuple).map(Literal) | fields | st.tuples(fields, values.map(Literal)).map(Listed)
)
functions = st.sampled_from(("length", "string", "bool", "typeof"))
expressions: st.SearchStrategy[Expression] = st.recursive(
    fields | literals,
    lambda inner: (
        st.builds(Compare, st.sampled_from(("=", "!=", ">", "<=")), inner, inner)
        | st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(tuple).map(And)
        | st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or)
        | st.builds(In, inner, choices)
        | st.builds(lambda name, one: Call(name, (one,)), functions, inner)
        | st.builds(lambda one, other: Call("contains", (one, other)), inner, inner)
    ),
    max_leaves=8,
)


@settings(max_examples=1000, deadline=None)
@given(
    condition=expressions,
    type_=st.sampled_from(("track", "page")),
    event=st.sampled_from(("A", "", "5", "track", None)),
    a=values | st.lists(values, max_size=2),
    c=values,
)
def test_what_is_left_is_true_of_the_same_messages(
    condition: Expression, type_: str, event: str | None, a: Any, c: Any
):
    message = {"type": type_, "event": event, "a": a, "b": {"c": c}}
    holds = fql.predicate(condition)(message)

    for known in ({"type": type_}, {"type": type_, "event": event}):
        left = remainder(condition, known)
        assert fql.predicate(left)(message) is holds
        assert fql.predicate(fql.parse(text_of(left)))(message) is holds
        assert not {path[0] for path in fql.fields(left)} & known.keys()
