"""What a source sends, and whether it is as its tracking plan has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.errors import Invalid
from heard.messages.accepted import Accepted
from heard.messages.message import Message, Rejected
from heard.messages.parse import read as read_messages
from heard.schema import read
from heard.schema.judge import Judged, judge
from heard.schema.seen import Field, Key, Seen, fields_of, key_of
from heard.schema.tracking_plan import TrackingPlan, Unplanned
from heard.schema.violation import Done, Kind
from tests.examples import NOON

ORDER = {
    "properties": {
        "total": "number",
        "currency": {"type": "string", "enum": ["USD", "EUR"]},
        "shipping": {"properties": {"country": "string"}},
        "products": {"type": "array", "items": {"properties": {"id": "string", "price": "number"}}},
    },
    "required": ["total"],
}


def a_plan(**changes: Any) -> TrackingPlan:
    written = {
        "events": {"Order Completed": ORDER, "Signed Up": {}},
        "identify": {"traits": {"email": "string"}, "required": ["email"]},
    }
    rules = read.rules(written, "plan")
    values: dict[str, Any] = {"events": rules.events, "identify": rules.identify, "group": rules.group, **changes}
    return TrackingPlan(id=1, workspace=1, name="Shop", sources=frozenset({1}), **values)


def sent(**message: Any) -> Message:
    body = msgspec.json.encode({"type": "track", "userId": "ann", "messageId": "m1", **message})
    (read_as,) = read_messages(
        Accepted(source=1, kind=message.get("type", "track"), received_at=0, client="", agent="", body=body), offset=0
    )
    assert isinstance(read_as, Message), read_as
    return read_as


def order(**properties: Any) -> Message:
    return sent(event="Order Completed", properties=properties)


def judged(message: Message, **plan: Any) -> Judged:
    return judge(message, fields_of(message), a_plan(**plan))


def what(found: Judged) -> list[tuple[str, str, str]]:
    return [(each.kind.value, each.field, each.done.value) for each in found.violations]


def test_a_message_as_the_plan_has_it_goes_on_as_it_is():
    message = order(total=20, currency="EUR", products=[{"id": "a", "price": 2.5}], shipping={"country": "FR"})

    assert judged(message) == Judged(message)


def test_a_violation_says_where_and_what_and_quotes_no_value():
    found = judged(order(currency="secret@example.com", total="secret@example.com"))

    assert what(found) == [
        ("wrong_value", "properties.currency", "allowed"),
        ("wrong_type", "properties.total", "allowed"),
    ]
    assert [each.detail for each in found.violations] == [
        "It must be one of USD, EUR.",
        "It must be a number, and a string was sent.",
    ]
    assert not any("secret" in each.detail for each in found.violations)


def test_what_is_required_and_missing_is_named():
    assert what(judged(order(currency="USD"))) == [("missing", "properties.total", "allowed")]
    assert what(judged(sent(type="identify", traits={}))) == [("missing", "traits.email", "allowed")]


@pytest.mark.parametrize("then", list(Unplanned))
def test_an_unplanned_property_is_allowed_taken_out_or_blocks_the_message(then: Unplanned):
    found = judged(order(total=1, colour="red", shipping={"country": "FR", "zip": "1"}), unplanned_properties=then)

    done = {"allow": "allowed", "omit": "omitted", "block": "blocked"}[then.value]
    assert what(found) == [
        ("unplanned_field", "properties.colour", done),
        ("unplanned_field", "properties.shipping.zip", done),
    ]
    if then is Unplanned.BLOCK:
        assert isinstance(found.message, Rejected)
        assert found.message.reason == "blocked_by_plan"
        assert found.message.detail == "Shop blocks it. properties.colour: The plan does not name it."
        return
    assert isinstance(found.message, Message)
    kept = msgspec.json.decode(found.message.properties)
    assert kept == ({"total": 1, "shipping": {"country": "FR"}} if then is Unplanned.OMIT else
                    {"total": 1, "colour": "red", "shipping": {"country": "FR", "zip": "1"}})  # fmt: skip


def test_what_was_taken_out_is_named_in_the_context_as_segment_does():
    found = judged(order(total=1, colour="red"), unplanned_properties=Unplanned.OMIT)

    assert isinstance(found.message, Message)
    assert msgspec.json.decode(found.message.context)["protocols"] == {
        "omitted": ["properties.colour"],
        "violations": [{"field": "properties.colour", "description": "The plan does not name it."}],
    }
    assert msgspec.json.decode(found.message.body)["properties"] == {"total": 1}
    assert (found.message.id, found.message.at) == ("m1", order().at)


def test_a_wrong_value_within_a_list_is_taken_out_of_its_item():
    found = judged(order(total=1, products=[{"id": 7, "price": 1}, {"id": "b"}]), violations=Unplanned.OMIT)

    assert isinstance(found.message, Message)
    assert msgspec.json.decode(found.message.properties)["products"] == [{"price": 1}, {"id": "b"}]
    assert what(found) == [("wrong_type", "properties.products.id", "omitted")]


def test_an_identify_loses_a_trait_in_both_places_it_may_stand():
    message = sent(type="identify", traits={"email": "a@x.example", "ssn": "1"}, context={"traits": {"ssn": "1"}})
    found = judged(message, unplanned_traits=Unplanned.OMIT)

    assert isinstance(found.message, Message)
    assert b"ssn" not in found.message.traits
    body = msgspec.json.decode(found.message.body)
    assert (body["traits"], body["context"]["traits"]) == ({"email": "a@x.example"}, {})


def test_what_is_missing_cannot_be_taken_out_but_can_block():
    assert what(judged(order(), violations=Unplanned.OMIT)) == [("missing", "properties.total", "allowed")]
    assert isinstance(judged(order(), violations=Unplanned.BLOCK).message, Rejected)


def test_an_unplanned_event_is_allowed_or_blocked_by_its_exact_name():
    assert what(judged(sent(event="order completed"))) == [("unplanned_event", "", "allowed")]
    blocked = judged(sent(event="order completed"), unplanned_events=Unplanned.BLOCK)
    assert isinstance(blocked.message, Rejected)
    assert what(blocked) == [("unplanned_event", "", "blocked")]


@pytest.mark.parametrize("kind", ["page", "screen", "alias"])
def test_what_is_not_planned_is_not_judged(kind: str):
    strict = dict.fromkeys(("unplanned_events", "unplanned_properties", "violations"), Unplanned.BLOCK)

    assert judged(sent(type=kind, name="Home", previousId="b", properties={"x": 1}), **strict).violations == ()


def test_a_message_that_is_blocked_has_nothing_taken_out_of_it():
    message = order(colour="red")
    found = judged(message, unplanned_properties=Unplanned.OMIT, violations=Unplanned.BLOCK)

    assert isinstance(found.message, Rejected)
    assert found.message.body == message.body
    assert Done.OMITTED not in {each.done for each in found.violations}


@given(
    st.dictionaries(
        st.sampled_from(["total", "currency", "colour", "shipping", "products"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "country", "z"]), inner),
            max_leaves=6,
        ),
    )
)
def test_what_was_once_made_to_fit_fits(properties: dict[str, Any]):
    """Taking out what is wrong leaves a message in which only something can be missing."""
    plan = {"unplanned_properties": Unplanned.OMIT, "violations": Unplanned.OMIT}
    once = judged(order(**properties), **plan).message
    assert isinstance(once, Message)

    assert {each.kind for each in judged(once, **plan).violations} <= {Kind.MISSING}


# ── reading a plan ──


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"properties": {"total": "numbr"}}, "plan.events.E.properties.total: 'numbr' is no type. Types: string,"),
        (
            {"properties": {"total": {"type": "numbr"}}},
            "plan.events.E: this is no JSON Schema: at properties.total.type",
        ),
        ({"required": "total"}, "plan.events.E: this is no JSON Schema: at required"),
        ({"properties": {"a": {"$ref": "http://169.254.169.254/x"}}}, "plan.events.E.properties.a.$ref: a plan refers"),
        ({"anyOf": [{"$ref": "#/x"}]}, "plan.events.E.anyOf.$ref: a plan refers to nothing outside it."),
        ({"properties": {"a": {"pattern": "("}}}, "plan.events.E: this is no JSON Schema: at properties.a.pattern"),
        ({"properties": []}, "plan.events.E.properties: write keys and values."),
        ("number", "plan.events.E: write keys and values."),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_at_its_place(rule: Any, says: str):
    with pytest.raises(Invalid) as refused:
        read.rules({"events": {"E": rule}}, "plan")

    assert str(refused.value).startswith(says)


def test_a_pattern_that_takes_others_for_ever_takes_no_time():
    plan = a_plan(events=read.rules({"events": {"E": {"properties": {"a": {"pattern": "^(a+)+$"}}}}}, "p").events)
    message = sent(event="E", properties={"a": "a" * 5000 + "!"})

    assert what(judge(message, fields_of(message), plan)) == [("wrong_value", "properties.a", "allowed")]


# ── what was seen ──


def test_events_and_fields_are_counted_with_first_and_last():
    seen = Seen()
    for minute, properties in enumerate(
        [{"total": 1, "coupon": None}, {"total": 2.5}, {"shipping": {"country": "FR"}}]
    ):
        message = order(**properties)
        seen.take(key_of(message), fields_of(message), NOON + timedelta(minutes=minute))
    key = Key(1, "track", "Order Completed")

    assert (seen.events[key].n, seen.events[key].first, seen.events[key].last) == (3, NOON, NOON + timedelta(minutes=2))
    assert {(field.path, field.type): times.n for field, times in seen.fields()} == {
        ("total", "integer"): 1,
        ("coupon", "null"): 1,
        ("total", "number"): 1,
        ("shipping", "object"): 1,
        ("shipping.country", "string"): 1,
    }


def test_pages_go_by_their_name_and_identifies_by_none():
    assert key_of(sent(type="page", name="Pricing")) == Key(1, "page", "Pricing")
    assert key_of(sent(type="identify", traits={"a": 1})) == Key(1, "identify", "")
    assert key_of(sent(type="group", groupId="g")) == Key(1, "group", "")


def test_a_path_that_is_too_long_to_plan_is_not_listed():
    seen = Seen()
    message = order(**{"x" * 300: 1, "a": {"y" * 300: 1, "b": 2}})
    seen.take(key_of(message), fields_of(message), NOON)

    assert {field.path for field, _ in seen.fields()} == {"a", "a.b"}
    assert Field(Key(1, "track", "Order Completed"), "a.b", "integer") in dict(seen.fields())
