"""What property filters make of a document."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from heard import fql
from heard.routing.destination import Filter
from heard.routing.shape import shaped
from tests.spec.routed import a_destination

DOCUMENT: dict[str, Any] = {
    "type": "track",
    "messageId": "m1",
    "timestamp": "2026-11-22T12:00:00.000Z",
    "userId": "u",
    "properties": {
        "email": "ann@acme.example",
        "total": 25,
        "product 1": {"price": 5},
        "address": {"city": "Vienna", "street": "Ring 1", "geo": {"lat": 1, "lon": 2}},
        "products": [{"sku": "a", "price": 1}, {"sku": "b", "price": 2}, "gift", None],
        "nothing": None,
    },
    "context": {"ip": "1.2.3.4", "library": {"name": "n", "version": "1"}},
}


def dropping(*paths: str, condition: str = "all") -> Filter:
    return Filter(condition=condition, action="drop_properties", paths=paths)


def allowing(*paths: str, condition: str = "all") -> Filter:
    return Filter(condition=condition, action="allow_properties", paths=paths)


def through(*filters: Filter, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    before = deepcopy(document)
    after = shaped(document, a_destination(filters=filters))
    assert document == before, "the document that others get is as it was"
    return after


def without(*path: str) -> dict[str, Any]:
    copy = deepcopy(DOCUMENT)
    here: Any = copy
    for name in path[:-1]:
        here = here[name]
    del here[path[-1]]
    return copy


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("properties.email", ("properties", "email")),
        ("properties", ("properties",)),
        ("userId", ("userId",)),
        (r"properties.product\ 1.price", ("properties", "product 1", "price")),
        ("properties.address.geo.lat", ("properties", "address", "geo", "lat")),
        ("properties.nothing", ("properties", "nothing")),
    ],
)
def test_a_path_that_is_dropped_is_gone_and_nothing_else_is(written: str, path: tuple[str, ...]):
    assert through(dropping(written)) == without(*path)


@pytest.mark.parametrize(
    "written", ["properties.missing", "properties.email.x", "traits.email", "properties.nothing.a"]
)
def test_a_path_that_leads_nowhere_changes_nothing(written: str):
    assert through(dropping(written)) is DOCUMENT


def test_a_path_leads_through_lists():
    products = [{"sku": "a"}, {"sku": "b"}, "gift", None]

    assert through(dropping("properties.products.price"))["properties"]["products"] == products
    assert through(allowing("properties.products.sku"))["properties"]["products"] == products


def test_a_path_covers_what_lies_beyond_it():
    assert through(dropping("properties.address.city", "properties.address")) == without("properties", "address")
    assert through(allowing("properties.address.city", "properties.address"))["properties"] == {
        "address": DOCUMENT["properties"]["address"]
    }


def test_only_what_changes_is_copied():
    after = through(dropping("properties.address.geo"))

    assert after["context"] is DOCUMENT["context"]
    assert after["properties"]["products"] is DOCUMENT["properties"]["products"]
    assert through() is DOCUMENT


def test_allowed_fields_are_all_that_stays_in_their_object():
    after = through(allowing("properties.total", "context.library.name"))

    assert after == DOCUMENT | {
        "properties": {"total": 25},
        "context": {"ip": "1.2.3.4", "library": {"name": "n"}},
    }


def test_what_leads_to_an_allowed_field_stays():
    assert through(allowing("properties.address.city", "properties.total"))["properties"] == {
        "total": 25,
        "address": {"city": "Vienna"},
    }


def test_an_allowed_field_that_is_missing_leaves_its_object_empty():
    assert through(allowing("properties.missing"))["properties"] == {}


def test_properties_are_dropped_before_others_are_allowed():
    assert through(allowing("properties.total", "properties.email"), dropping("properties.email"))["properties"] == {
        "total": 25
    }


def test_a_filter_acts_only_where_its_condition_is_true_of_the_document_as_it_was():
    after = through(
        dropping("properties.total"),
        dropping("properties.email", condition="properties.total = 25"),
        allowing("context.ip", condition="properties.total = 26"),
    )

    assert after == without("properties", "email") | {
        "properties": {k: v for k, v in DOCUMENT["properties"].items() if k not in ("email", "total")}
    }


@pytest.mark.parametrize("essential", ["type", "messageId", "timestamp"])
def test_what_makes_a_message_is_never_taken_away(essential: str):
    assert through(dropping(essential, f"{essential}.x")) is DOCUMENT
    assert through(allowing("userId")) == {
        name: DOCUMENT[name] for name in ("type", "messageId", "timestamp", "userId")
    }


def test_dropping_and_sampling_whole_messages_is_not_its_business():
    drop = Filter(condition="all", action="drop")

    assert through(drop, Filter(condition="all", action="sample", share=0)) is DOCUMENT


def test_a_filter_that_cannot_be_read_is_never_passed_over():
    with pytest.raises(fql.Invalid):
        through(dropping("properties.email", condition="event =="))
    with pytest.raises(fql.Invalid):
        through(dropping("properties..email"))
