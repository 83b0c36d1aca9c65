"""What holds for every message and every set of destinations."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from heard.messages import Message
from heard.routing import document
from heard.routing.answer import NOT_FED as UNFED
from heard.routing.answer import Refusal, Routing, decode, encode
from heard.routing.destination import Destination, Filter
from heard.routing.plan import Plan
from heard.routing.preview import preview
from heard.routing.reasons import Reason
from tests.spec.routed import SOURCE, a_message

EVENTS = ("Order Completed", "Page Scrolled", "Debug Opened")
NAMES = ("Hook", "Warehouse", "hook", "Segment.io", "Heard", "SatisMeter", "All")
CATEGORIES = ("ad", "analytics")
FILTERED = ("filter_invalid", "sampled_out", "filtered")
CONDITIONS = (
    "all",
    "event = 'Order Completed'",
    "type = 'track' and properties.total > 20",
    "event in ['Page Scrolled', 'Debug Opened'] and match(context.page.path, '/a*')",
    "type = 'page' or event = 'Order Completed'",
    "contains(event, 'Debug')",
    "!(type = 'track')",
    "traits.plan = 'free'",
    "properties = null",
    "userId = 'u1' or anonymousId = 'a1'",
    "'x' in properties.tags",
    "event = null",
    "event = 'Order Completed' and event = 'Page Scrolled'",
    "timestamp = receivedAt",
)

filters = st.builds(
    Filter,
    condition=st.sampled_from((*CONDITIONS, "event ==")),
    action=st.sampled_from(("drop", "sample", "drop_properties", "allow_properties")),
    share=st.sampled_from((0.1, 0.5, 1.0)),
    paths=st.just(("properties.total",)),
)
numbers = st.sampled_from(("*", str(SOURCE), str(SOURCE + 1)))
switch = st.booleans() | st.dictionaries(numbers, st.booleans(), min_size=1)
destinations = st.builds(
    Destination,
    id=st.just(0),
    workspace=st.just(1),
    name=st.sampled_from(NAMES),
    type=st.sampled_from(("webhook", "surveys")),
    sources=st.sampled_from((None, frozenset({SOURCE}), frozenset({SOURCE + 1}))),
    enabled=st.sampled_from((True, True, True, False)),
    methods=st.sampled_from((Destination(id=0, workspace=0, name="", type="").methods, frozenset({"track"}))),
    switches=st.dictionaries(st.sampled_from(EVENTS), switch, max_size=3),
    filters=st.lists(filters, max_size=4).map(tuple),
    consent_categories=st.sampled_from(((), ("ad",), CATEGORIES)),
)
several = st.lists(destinations, max_size=5).map(
    lambda each: [msgspec.structs.replace(one, id=number) for number, one in enumerate(each, 1)]
)

words = st.sampled_from((True, False, None, {}, {"a": 1}, "false", 0, 1))
wishes = st.dictionaries(st.sampled_from(NAMES), words, max_size=3)
consents = st.one_of(
    st.just({}),
    st.dictionaries(st.sampled_from(CATEGORIES), st.booleans()).map(lambda given: {"categoryPreferences": given}),
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "consent": consents,
        "heard": st.sampled_from(NAMES).map(lambda name: {"from": name}),
        "page": st.sampled_from(("/a/b", "/b")).map(lambda path: {"path": path}),
        "traits": st.just({"plan": "free"}),
    },
)


@st.composite
def messages(draw: st.DrawFn, *, integrations: st.SearchStrategy[Any] = wishes) -> Message:
    kind = draw(st.sampled_from(("track", "track", "identify", "page")))
    said: dict[str, Any] = {"userId": draw(st.sampled_from(("u1", "u2", 7, None))), "anonymousId": "a1"}
    said["context"] = draw(contexts)
    said["integrations"] = draw(integrations)
    said["properties"] = draw(st.sampled_from(({"total": 25, "tags": ["x"]}, {"total": "25"}, {}, None)))
    said["traits"] = draw(st.sampled_from(({"plan": "free"}, {"plan": "pro"}, None)))
    if kind == "track" or draw(st.booleans()):
        said["event"] = draw(st.sampled_from((*EVENTS, "Something else")))
    if bundled := draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        said["_metadata"] = {"bundled": bundled}
    return a_message(kind, **said)


def answers(routing: Routing) -> dict[int, str | None]:
    return dict.fromkeys(routing.to) | {place: refusal.reason for place, refusal in routing.refused}


@given(there=several, message=messages())
def test_every_destination_is_answered_once_and_every_refusal_has_its_reason(
    there: list[Destination], message: Message
):
    routing = Plan(there).route(message)

    assert sorted((*routing.to, *(place for place, _ in routing.refused))) == [each.id for each in there]
    for _, refusal in routing.refused:
        assert refusal.reason in set(Reason)
        assert refusal.detail.endswith(".")


@given(there=several, message=messages())
def test_an_answer_is_the_same_whatever_stands_beside_it_and_however_often_it_is_asked(
    there: list[Destination], message: Message
):
    plan = Plan(there)
    shuffled = random.Random(1).sample(there, len(there))

    assert plan.route(message) == plan.route(message)
    assert answers(plan.route(message)) == answers(Plan(shuffled).route(message))
    for each in there:
        assert Plan([each]).route(message).refusal(each.id) == plan.route(message).refusal(each.id)


@given(there=several, message=messages(integrations=st.sampled_from(({"All": False}, {"All": False, "Nobody": True}))))
def test_all_false_with_nobody_named_reaches_nobody(there: list[Destination], message: Message):
    assert Plan(there).route(message).to == ()


@given(there=several, message=messages())
def test_a_false_by_name_is_never_outweighed(there: list[Destination], message: Message):
    said = msgspec.json.decode(message.integrations, type=dict[str, Any])
    to = set(Plan(there).route(message).to)

    for each in there:
        if any(said.get(name) is False for name in each.names if name != "Segment.io"):
            assert each.id not in to


@given(there=several, message=messages())
def test_filters_never_let_through_what_was_refused_before_them(there: list[Destination], message: Message):
    bare = answers(Plan([msgspec.structs.replace(each, filters=()) for each in there]).route(message))
    filtered = answers(Plan(there).route(message))

    for place, reason in bare.items():
        assert filtered[place] == reason if reason else filtered[place] in (None, *FILTERED)


@given(there=several, message=messages())
def test_a_plan_asks_few_filters_and_answers_as_if_it_had_asked_all(there: list[Destination], message: Message):
    whole = document.of(message)
    bare = answers(Plan([msgspec.structs.replace(each, filters=()) for each in there]).route(message))
    routing = Plan(there).route(message)

    for each in there:
        if bare[each.id] is None:
            alone, _ = preview(each.filters, whole, destination=each.id, name=each.name)
            assert routing.refusal(each.id) == alone


@given(there=several, message=messages())
def test_an_answer_is_read_back_as_it_was_kept_but_for_the_sentences_about_those_whom_the_source_does_not_feed(
    there: list[Destination], message: Message
):
    routing = Plan(there).route(message)

    read = decode(encode(routing))
    assert (read.to, read.whole) == (routing.to, True)
    unfed = [(place, Refusal("not_connected", "")) for place, refusal in routing.refused if refusal.reason == UNFED]
    assert read.refused == (*(each for each in routing.refused if each[1].reason != UNFED), *unfed)
