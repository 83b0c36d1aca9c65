"""Filters: as people write them, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.errors import Invalid
from heard.fql.lex import LARGEST_EXPRESSION
from heard.routing.answer import Refusal
from heard.routing.destination import Filter
from heard.routing.lines import check, read_filter, written
from heard.routing.plan import Plan
from heard.routing.preview import preview
from heard.routing.sampling import sample
from tests.spec.routed import a_destination, a_message, reason, refusal

PLACE = "destinations[0].filters[2]"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ({"if": " type = 'track' ", "then": "drop"}, Filter(condition="type = 'track'", action="drop")),
        ({"if": "all", "then": {"sample": "25%"}}, Filter(condition="all", action="sample", share=0.25)),
        ({"if": "all", "then": {"sample": "33.3 %"}}, Filter(condition="all", action="sample", share=0.333)),
        ({"if": "all", "then": {"sample": 0.25}}, Filter(condition="all", action="sample", share=0.25)),
        ({"if": "all", "then": {"sample": "100%"}}, Filter(condition="all", action="sample", share=1)),
        (
            {"if": "all", "then": {"drop_properties": ["properties.email", r"properties.product\ 1.price"]}},
            Filter(
                condition="all",
                action="drop_properties",
                paths=("properties.email", r"properties.product\ 1.price"),
            ),
        ),
        (
            {"if": "all", "then": {"allow_properties": ["properties.total"]}},
            Filter(condition="all", action="allow_properties", paths=("properties.total",)),
        ),
    ],
)
def test_a_line_of_the_workspace_file_is_a_filter_and_is_written_back(line: dict[str, Any], meant: Filter):
    assert read_filter(line, PLACE) == meant
    assert read_filter(written(meant), PLACE) == meant


@pytest.mark.parametrize(
    ("line", "field", "fix"),
    [
        ("drop", "", "write a filter as {if: \"event = 'Order Completed'\", then: drop}"),
        ({"then": "drop"}, ".if", "write a condition in FQL"),
        ({"if": "", "then": "drop"}, ".if", "write a condition in FQL"),
        ({"if": True, "then": "drop"}, ".if", "write a condition in FQL"),
        ({"if": "all"}, ".then", "write drop, {sample: 25%}"),
        ({"if": "all", "then": "drop", "else": "drop"}, ".else", "there is no such key"),
        ({"if": "event == 'x'", "then": "drop"}, ".if", "at 7: write `=` instead of `==`"),
        ({"if": "a" * (LARGEST_EXPRESSION + 1), "then": "drop"}, ".if", "an expression may have 5,120 bytes"),
        ({"if": "all", "then": "sample"}, ".then", "say what to sample: {sample: 25%}"),
        ({"if": "all", "then": "drop_properties"}, ".then", "{drop_properties: [properties.email]}"),
        ({"if": "all", "then": {"drop": True}}, ".then.drop", "did you mean drop?"),
        ({"if": "all", "then": {"sampel": "5%"}}, ".then.sampel", "did you mean sample?"),
        ({"if": "all", "then": {"sample": "5%", "drop_properties": ["a"]}}, ".then", "write drop, {sample: 25%}"),
        ({"if": "all", "then": {"sample": "0%"}}, ".then.sample", "write a share above 0%"),
        ({"if": "all", "then": {"sample": "101%"}}, ".then.sample", "write a share above 0%"),
        ({"if": "all", "then": {"sample": 25}}, ".then.sample", "write a share above 0%"),
        ({"if": "all", "then": {"sample": "NaN"}}, ".then.sample", "write a share above 0%"),
        ({"if": "all", "then": {"sample": None}}, ".then.sample", "write a share above 0%"),
        ({"if": "all", "then": {"sample": True}}, ".then.sample", "write a share above 0%"),
        ({"if": "all", "then": {"drop_properties": "properties.a"}}, ".then.drop_properties", "write a list of fields"),
        ({"if": "all", "then": {"drop_properties": []}}, ".then.drop_properties", "write a list of fields"),
        ({"if": "all", "then": {"drop_properties": [5]}}, ".then.drop_properties", "write a list of fields"),
        ({"if": "all", "then": {"drop_properties": ["a..b"]}}, ".then.drop_properties", "`a..b` is no field"),
        ({"if": "all", "then": {"drop_properties": ["a b"]}}, ".then.drop_properties", "`a b` is no field"),
        ({"if": "all", "then": {"drop_properties": ["a = 1"]}}, ".then.drop_properties", "`a = 1` is no field"),
        ({"if": "all", "then": {"drop_properties": ["type"]}}, ".then.drop_properties", "`type` cannot be dropped"),
        ({"if": "all", "then": {"allow_properties": ["userId"]}}, ".then.allow_properties", "name fields within"),
    ],
)
def test_a_line_that_cannot_be_obeyed_is_refused_with_its_place_and_the_fix(line: Any, field: str, fix: str):
    with pytest.raises(Invalid) as refused:
        read_filter(line, PLACE)

    assert refused.value.field == PLACE + field
    assert str(refused.value).startswith(f"{PLACE}{field}: ")
    assert fix in str(refused.value)


@given(share=st.floats(min_value=0, max_value=1, exclude_min=True))
def test_every_share_is_written_so_that_it_is_read_again(share: float):
    each = Filter(condition="all", action="sample", share=share)

    assert read_filter(written(each), PLACE) == each


@pytest.mark.parametrize(
    "each",
    [
        Filter(condition="event ==", action="drop"),
        Filter(condition="all", action="explode"),
        Filter(condition="all", action="sample", share=0),
        Filter(condition="all", action="drop_properties"),
    ],
)
def test_a_filter_that_came_another_way_is_checked_alike(each: Filter):
    with pytest.raises(Invalid):
        check(each)


# ── what they refuse ──


@pytest.mark.parametrize(
    "each",
    [
        Filter(condition="event ==", action="drop"),
        Filter(condition="event ==", action="sample"),
        Filter(condition="event ==", action="drop_properties", paths=("properties.a",)),
        Filter(condition="all", action="drop_properties", paths=("a.b", "a ==")),
        Filter(condition="all", action="explode"),
    ],
)
def test_line_18_a_filter_that_cannot_be_read_withholds_everything_and_says_so(each: Filter):
    destination = a_destination(filters=(Filter(condition="type = 'page'", action="drop"), each))
    refused = refusal(destination)

    assert refused is not None
    assert refused.reason == "filter_invalid"
    assert refused.detail.startswith("Filter 2 of Warehouse hook cannot be read")
    assert "at 7: " in refused.detail or "at 3: " in refused.detail or "no action explode" in refused.detail
    assert reason(destination, a_message("page")) == "filter_invalid"
    assert Plan([destination, a_destination(id=5)]).route(a_message()).to == (5,)


def test_a_drop_names_its_number_and_condition():
    destination = a_destination(
        filters=(
            Filter(condition="type = 'page'", action="drop"),
            Filter(condition="contains(event, 'Debug')", action="drop"),
        )
    )

    assert refusal(destination, event="Debug Opened") == Refusal(
        "filtered", "Filter 2 of Warehouse hook drops it: contains(event, 'Debug')."
    )
    assert refusal(destination, event="Opened") is None
    assert reason(destination, a_message("page")) == "filtered"


def test_a_very_long_condition_is_cut_in_the_sentence():
    condition = " or ".join(f"event = 'Event {number}'" for number in range(100))
    refused = refusal(a_destination(filters=(Filter(condition=condition, action="drop"),)), event="Event 7")

    assert refused is not None
    assert len(refused.detail) < 300


def test_samples_are_asked_before_drops():
    destination = a_destination(
        filters=(Filter(condition="all", action="drop"), Filter(condition="all", action="sample", share=1e-9))
    )

    assert reason(destination) == "sampled_out"


def test_property_filters_refuse_nothing():
    paths = ("properties.email",)
    filters = (
        Filter(condition="all", action="drop_properties", paths=paths),
        Filter(condition="all", action="allow_properties", paths=paths),
    )

    assert reason(a_destination(filters=filters)) is None


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ("properties.total > 20", {"properties": {"total": 25}}),
        ("properties = null", {"properties": None}),
        ("context.library.name = 'x'", {"context": {"library": {"name": "x"}}}),
        ("traits.plan = 'a'", {"traits": {"plan": "a"}}),
        ("context.traits.plan = 'a'", {"context": {"traits": {"plan": "a"}}}),
        ("userId = 'marshall'", {}),
        ("userId = '7'", {"userId": 7}),
        ("anonymousId = null", {"anonymousId": ""}),
        ("messageId = 'm1'", {}),
        ("timestamp = '2026-11-22T12:00:00.000Z'", {}),
        ("receivedAt = '2026-11-22T12:00:00.000Z'", {}),
        ("type = 'track' and event = 'Order Completed'", {}),
        ("event in ['Order Completed', 'Other']", {}),
        ("'Order Completed' = event", {}),
        ("event = 'Order Completed' or type = 'page'", {}),
        ("event in ['Order Completed', 5]", {}),
        ("!(event = 'Other')", {}),
        ("channel = 'server'", {"channel": "server"}),
        ("integrations.All = true", {"integrations": {"All": True}}),
        ("all", {}),
    ],
)
def test_a_filter_reads_any_field_of_the_document(condition: str, fields: dict[str, Any]):
    destination = a_destination(filters=(Filter(condition=condition, action="drop"),))

    assert reason(destination, a_message(**fields)) == "filtered"
    assert (reason(destination, a_message(event="Another", userId="x", messageId="y")) == "filtered") is (
        condition in ("all", "anonymousId = null", "properties = null", "!(event = 'Other')")
        or "timestamp" in condition
        or "receivedAt" in condition
    )


def test_an_identifys_traits_are_those_it_sent_itself():
    destination = a_destination(filters=(Filter(condition="traits.plan = 'free'", action="drop"),))

    assert reason(destination, a_message("identify", context={"traits": {"plan": "free"}})) is None
    assert reason(destination, a_message("identify", traits={"plan": "free"})) == "filtered"


def test_the_event_of_a_page_is_whatever_was_sent():
    destination = a_destination(filters=(Filter(condition="event = 5", action="drop"),))

    assert reason(destination, a_message("page", event=5)) == "filtered"
    assert reason(destination, a_message("page", event="5")) is None


# ── samples ──


def test_a_person_is_in_a_sample_or_out_of_it_for_good():
    destination = a_destination(filters=(Filter(condition="all", action="sample", share=0.5),))
    people = [f"user {number}" for number in range(200)]
    first = [reason(destination, userId=person) for person in people]

    assert 60 < first.count("sampled_out") < 140
    assert first == [reason(destination, userId=person, event="Another", messageId="m2") for person in people]
    assert first == [reason(destination, userId=None, anonymousId=person) for person in people]


def test_a_larger_sample_keeps_everybody_of_the_smaller_one():
    people = [f"user {number}" for number in range(500)]
    of = {share: set(filter(sample(1, "all", share), people)) for share in (0.1, 0.25, 0.9, 1.0)}

    assert of[0.1] < of[0.25] < of[0.9] < of[1.0] == set(people)


def test_samples_of_two_destinations_and_of_two_filters_are_not_the_same_people():
    people = [f"user {number}" for number in range(500)]
    first, second, third = (
        set(filter(sample(destination, condition, 0.5), people))
        for destination, condition in ((1, "all"), (2, "all"), (1, "x = 1"))
    )

    assert all(90 < len(one & other) < 160 for one, other in ((first, second), (first, third), (second, third)))


def test_where_a_samples_condition_is_not_true_everybody_is_let_through():
    destination = a_destination(filters=(Filter(condition="event = 'Other'", action="sample", share=1e-9),))

    assert reason(destination) is None
    assert refusal(destination, event="Other") == Refusal(
        "sampled_out", "Filter 1 of Warehouse hook lets 1e-07% of people through, and not this one: event = 'Other'."
    )


# ── preview ──


def test_a_preview_says_what_would_happen():
    document = {"type": "track", "event": "e", "userId": "u", "properties": {"email": "a@b.example", "total": 5}}
    drop = Filter(condition="properties.total > 10", action="drop")
    shorter = Filter(condition="all", action="drop_properties", paths=("properties.email",))

    assert preview([drop, shorter], document) == (None, document | {"properties": {"total": 5}})
    refused, shape = preview([shorter, Filter(condition="properties.total > 1", action="drop")], document)
    assert (refused and refused.reason, shape) == ("filtered", None)
    broken, shape = preview([shorter, Filter(condition="==", action="drop")], document)
    assert (broken and broken.reason, shape) == ("filter_invalid", None)
    assert preview([], document) == (None, document)
