"""Who gets a message and why not the others: the order of the questions, and each of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heard.routing import switches
from heard.routing.answer import Refusal, Routing, decode, encode
from heard.routing.destination import Filter
from heard.routing.plan import MOST_LANES, Plan
from heard.routing.reasons import Reason
from tests.spec.routed import SOURCE, a_destination, a_message, a_surveys, reason, refusal

DROP_ALL = Filter(condition="all", action="drop")
EVERYTHING = {  # of one message and one destination: every objection there is, in the order in which they are asked
    "not_connected": {"sources": frozenset({SOURCE + 1})},
    "disabled": {"enabled": False},
    "method_not_supported": {"methods": frozenset({"identify"})},
    "its_own": {"context": {"heard": {"from": "Warehouse hook"}}},
    "consent_denied": {
        "consent_categories": ("marketing",),
        "context": {"consent": {"categoryPreferences": {"marketing": False}}},
    },
    "integrations_object": {"integrations": {"All": False}},
    "bundled": {"_metadata": {"bundled": ["Warehouse hook"]}},
    "event_switch": {"switches": {"Order Completed": False}},
    "filter_invalid": {"filters": (Filter(condition="event ==", action="drop"),)},
    "sampled_out": {"filters": (DROP_ALL, Filter(condition="all", action="sample", share=0))},
    "filtered": {"filters": (DROP_ALL,)},
}  # fmt: skip
OF_THE_MESSAGE = ("context", "integrations", "_metadata")


def test_every_reason_is_in_the_list():
    assert list(EVERYTHING) == [each.value for each in Reason]


@pytest.mark.parametrize("first", range(len(EVERYTHING)))
def test_of_all_objections_the_first_is_given(first: int):
    said: dict[str, Any] = {}
    for objection in reversed(list(EVERYTHING.values())[first:]):
        for field, value in objection.items():
            said[field] = said[field] | value if field == "context" and field in said else value
    message = a_message(**{field: said.pop(field) for field in OF_THE_MESSAGE if field in said})

    assert reason(a_destination(**said), message) == list(EVERYTHING)[first]


def test_a_message_that_nobody_objects_to_goes_to_everybody_in_order():
    plan = Plan([a_destination(id=3), a_surveys(id=1), a_destination(id=2, name="Other")])

    assert plan.route(a_message()) == Routing(to=(3, 1, 2))


def test_what_is_refused_is_listed_with_its_reason():
    plan = Plan([a_destination(), a_surveys(enabled=False), a_destination(id=3, sources=frozenset({1}))])
    routing = plan.route(a_message())

    assert routing.to == (1,)
    assert [(place, refused.reason) for place, refused in routing.refused] == [(2, "disabled"), (3, "not_connected")]


def test_an_unremarkable_answer_is_made_once():
    plan = Plan([a_destination(), a_surveys(enabled=False)])

    assert plan.route(a_message()) is plan.route(a_message(event="Another", messageId="m2"))


def test_a_workspace_without_destinations_sends_nowhere():
    assert Plan([]).route(a_message()) == Routing()


# ── each question ──


def test_a_destination_that_names_no_source_is_fed_by_every_one():
    assert reason(a_destination(sources=None)) is None
    assert reason(a_destination(sources=frozenset({SOURCE}))) is None
    assert reason(a_destination(sources=frozenset())) == "not_connected"


@pytest.mark.parametrize(("call", "fields"), [("identify", {}), ("group", {"groupId": "g"}), ("page", {})])
def test_a_type_of_call_that_it_cannot_take_is_refused_by_its_name(call: str, fields: dict[str, Any]):
    refused = refusal(a_destination(methods=frozenset({"track"})), a_message(call, **fields))

    assert refused == Refusal("method_not_supported", f"Warehouse hook takes track; this is a call of {call}.")


@pytest.mark.parametrize("name", ["Our surveys", "Heard", "Promoter.io", "Promoter", "SatisMeter"])
def test_what_came_from_a_destination_does_not_return_there(name: str):
    message = a_message(context={"heard": {"from": name}})

    assert reason(a_surveys(), message) == "its_own"
    assert reason(a_destination(), message) is None


@pytest.mark.parametrize(
    "heard", [None, "x", {}, {"from": None}, {"from": ["Warehouse hook"]}, {"from": "warehouse hook"}]
)
def test_only_its_exact_name_means_a_destination(heard: Any):
    assert reason(a_destination(), context={"heard": heard}) is None


def test_an_event_that_is_switched_off_is_refused_by_its_exact_name():
    destination = a_destination(switches={"Page Scrolled": False, "Order Completed": True})

    assert reason(destination, event="Page Scrolled") == "event_switch"
    assert reason(destination, event="page scrolled") is None
    assert reason(destination, event="Order Completed") is None
    assert reason(destination, event="Anything else") is None


@pytest.mark.parametrize(
    ("switch", "from_this", "from_another"),
    [
        ({str(SOURCE): False}, "event_switch", None),
        ({str(SOURCE + 1): False}, None, "event_switch"),
        ({"*": False, str(SOURCE): True}, None, "event_switch"),
        ({"*": False}, "event_switch", "event_switch"),
        ({"*": True, str(SOURCE): False}, "event_switch", None),
    ],
)
def test_a_switch_may_be_for_one_source_and_its_own_word_wins(
    switch: dict[str, bool], from_this: str | None, from_another: str | None
):
    destination, message = a_destination(switches={"Order Completed": switch}), a_message()
    assert reason(destination, message) == from_this
    assert reason(destination, msgspec.structs.replace(message, source=SOURCE + 1)) == from_another
    assert reason(destination, event="Anything else") is None


def test_the_reason_names_the_source_for_which_alone_it_is_off():
    off = a_destination(switches={"Order Completed": {str(SOURCE): False}})
    refused = Plan([off], sources={SOURCE: "Website"}).route(a_message()).refusal(off.id)
    assert refused is not None
    assert refused.detail.startswith('The event "Order Completed" from Website is switched off for Warehouse hook;')
    everywhere = a_destination(switches={"Order Completed": {"*": False}})
    refused = Plan([everywhere], sources={SOURCE: "Website"}).route(a_message()).refusal(off.id)
    assert refused is not None
    assert "Website" not in refused.detail


def test_a_word_for_one_source_is_written_only_where_it_differs():
    off = switches.with_own({"Page Scrolled": False}, "Order Completed", 2, False)
    assert off == {"Page Scrolled": False, "Order Completed": {"2": False}}
    assert switches.with_own(off, "Order Completed", 2, True) == {"Page Scrolled": False}
    assert switches.with_own(off, "Page Scrolled", 3, True)["Page Scrolled"] == {"*": False, "3": True}
    assert switches.with_general(off, "Order Completed", False)["Order Completed"] == {"*": False, "2": False}
    assert switches.with_general(off, "Page Scrolled", True) == {"Order Completed": {"2": False}}


def test_a_switch_is_for_tracks():
    assert reason(a_destination(switches={"Page Scrolled": False}), a_message("page", event="Page Scrolled")) is None


@pytest.mark.parametrize(
    ("integrations", "expected"),
    [
        (None, "event_switch"),
        ({}, "event_switch"),
        ({"All": True}, "event_switch"),
        ({"Other": True}, "event_switch"),
        ({"Segment.io": True}, "event_switch"),
        ({"warehouse hook": True}, "event_switch"),
        ({"Warehouse hook": None}, "event_switch"),
        ({"Warehouse hook": False}, "event_switch"),  # what a browser makes of the switch
        ({"Warehouse hook": True}, None),
        ({"Warehouse hook": {}}, None),
        ({"Warehouse hook": {"list": 5}}, None),
        ({"All": False, "Warehouse hook": True}, None),
        ({"All": False}, "integrations_object"),
    ],
)
def test_line_17_a_switch_never_overrides_a_yes_by_name_in_the_integrations_object(
    integrations: dict[str, Any] | None, expected: str | None
):
    destination = a_destination(switches={"Order Completed": False})

    assert reason(destination, integrations=integrations) == expected


@pytest.mark.parametrize("integrations", [None, {"Warehouse hook": True}, {"All": False, "Warehouse hook": {"a": 1}}])
def test_line_17_a_destination_filter_always_wins(integrations: dict[str, Any] | None):
    destination = a_destination(filters=(Filter(condition="event = 'Order Completed'", action="drop"),))

    assert reason(destination, integrations=integrations) == "filtered"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"bundled": ["Segment.io", "SatisMeter"], "unbundled": [], "bundledIds": ["x"]}, "bundled"),
        ({"bundled": ["Our surveys"]}, "bundled"),
        ({"bundled": ["Segment.io"]}, None),
        ({"bundled": ["satismeter"]}, None),
        ({"bundled": [], "unbundled": ["SatisMeter"]}, None),
        ({"bundled": "SatisMeter"}, None),
        ({"bundled": [5, None, ["SatisMeter"]]}, None),
        ("bundled", None),
    ],
)
def test_line_15_what_the_page_delivered_itself_is_not_delivered_again(metadata: Any, expected: str | None):
    assert reason(a_surveys(), _metadata=metadata) == expected
    assert reason(a_destination(), _metadata=metadata) is None


def test_line_15_only_the_metadata_of_the_message_says_what_was_bundled():
    elsewhere = {"bundled": ["SatisMeter"]}

    assert reason(a_surveys(), properties=elsewhere, context={"_metadata": elsewhere}) is None


def test_an_answer_is_right_however_many_events_came_before():
    plan = Plan(
        [
            a_destination(
                switches={"Switched off": False},
                filters=(
                    Filter(condition="contains(event, 'Debug') and properties.total > 5", action="drop"),
                    Filter(condition="type = 'page' or event = 'Dropped'", action="drop"),
                ),
            )
        ]
    )
    for number in range(MOST_LANES + 5):
        assert plan.route(a_message(event=f"Event {number}")).to == (1,)

    def asked(**fields: Any) -> str | None:
        refused = plan.route(a_message(**fields)).refusal(1)
        return refused.reason if refused else None

    assert asked(event="Debug", properties={"total": 6}) == "filtered"
    assert asked(event="Debug", properties={"total": 5}) is None
    assert asked(event="Dropped") == "filtered"
    assert asked(event="Switched off") == "event_switch"
    assert asked(event="Something else") is None


# ── what is kept with the message ──


def test_an_answer_is_kept_as_a_short_text():
    routing = Routing(to=(1, 3), refused=((2, Refusal("event_switch", "Switched off.")),))

    assert encode(routing) == '{"to":[1,3],"not":{"2":["event_switch","Switched off."]},"unfed":[]}'
    assert decode(encode(routing)) == routing
    assert encode(Routing(to=(1, 3))) == '{"to":[1,3],"unfed":[]}'
    assert decode('{"to":[]}') == Routing(whole=False)
    assert routing.refusal(2) == Refusal("event_switch", "Switched off.")
    assert routing.refusal(1) is None


def test_destinations_that_a_source_does_not_feed_cost_a_message_a_number_each():
    there = [a_destination(id=number, sources=frozenset({99})) for number in range(2, 5)]
    routing = Plan([a_destination(id=1), *there]).route(a_message())

    assert [refusal.reason for _, refusal in routing.refused] == ["not_connected"] * 3
    assert encode(routing) == '{"to":[1],"unfed":[2,3,4]}'
    read = decode(encode(routing))
    assert read.whole
    assert [(place, refusal.reason) for place, refusal in read.refused] == [(n, "not_connected") for n in (2, 3, 4)]


def test_fifty_destinations_that_a_source_does_not_feed_cost_a_message_nothing():
    there = [a_destination(id=number, sources=frozenset({99})) for number in range(2, 52)]
    routing = Plan([a_destination(id=1), *there]).route(a_message())

    assert len(routing.refused) == 50
    assert encode(routing) == '{"to":[1]}'
    assert not decode(encode(routing)).whole


def test_the_same_answer_is_written_and_read_once():
    routing = Routing(to=(1,), refused=((2, Refusal("bundled", "In the page.")),))

    assert encode(routing) is encode(decode(encode(routing)))
    assert decode(encode(routing)) is decode(encode(routing))
