"""What every kind of destination promises to whoever routes to it, over a real receiver. A new kind is found here."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard import durations
from heard.destinations.destination import Field, Kind, Outcome
from heard.destinations.kinds import KINDS, fitting, read_settings, with_defaults, written
from heard.destinations.outcome import outcome_of
from heard.destinations.retries import given_up_after
from heard.errors import Invalid
from heard.messages.message import TYPES
from heard.outgoing.client import Client
from tests.contracts.handed_over import NOON, a_document, hand_over, made
from tests.contracts.receiver import (
    Receiver,
    Reply,
    a_gigabyte,
    answer,
    endless_chunks,
    hang,
    receiver,
    reset,
)

__all__ = ["receiver"]  # the fixture

OUTGOING = [name for name, kind in KINDS.items() if hasattr(kind, "request")]

every_kind = pytest.mark.parametrize("which", KINDS)
every_outgoing = pytest.mark.parametrize("which", OUTGOING)


def sample(field: Field, url: str) -> Any:
    """Something that may stand in a field of its kind."""
    return {
        "url": url,
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "number": 3,
        "switch": True,
        "length": "10m",
        "list": ["one"],
        "map": {"X-Name": "Jürgen"},
        "template": "{{ event | Identify }}",
        "categories": ["Advertising"],
    }.get(field.kind, "some text")


def every_setting(which: str, url: str = "http://127.0.0.1:8080") -> dict[str, Any]:
    given = {field.name: sample(field, url) for field in KINDS[which].fields}
    return read_settings(which, given, allow_private=True)


def needed_settings(which: str, url: str) -> dict[str, Any]:
    """Only what is required, and where it goes to."""
    given = {field.name: sample(field, url) for field in KINDS[which].fields if field.required or field.kind == "url"}
    return read_settings(which, given, allow_private=True)


# ---------------------------------------------------------------- what a file says


@every_kind
def test_a_kind_says_what_it_is(which: str):
    kind = KINDS[which]

    assert kind.type == which
    assert kind.title
    assert kind.help.endswith(".")
    assert kind.methods
    assert kind.methods <= TYPES


@every_kind
def test_every_setting_says_what_it_means(which: str):
    fields = KINDS[which].fields

    assert len({field.name for field in fields}) == len(fields)
    assert [field.name for field in fields if not field.title or not field.help.endswith(".")] == []
    assert [field.name for field in fields if field.required and field.default is not None] == []


@every_outgoing
def test_a_kind_says_how_much_goes_into_a_request(which: str):
    assert KINDS[which].most_at_once >= 1
    assert KINDS[which].most_bytes >= 32_768


def test_the_engine_of_surveys_is_a_kind_that_sends_nothing():
    assert set(KINDS) - set(OUTGOING) == {"surveys"}


# ---------------------------------------------------------------- settings


@every_kind
def test_settings_are_kept_as_they_are_written_and_read_again(which: str):
    kept = every_setting(which)

    assert set(kept) == {field.name for field in KINDS[which].fields}
    assert written(which, kept) == kept
    assert read_settings(which, json.loads(json.dumps(written(which, kept))), allow_private=True) == kept


@every_kind
def test_a_default_is_what_one_could_have_written(which: str):
    defaults = {field.name: field.default for field in KINDS[which].fields if field.default is not None}
    kept = needed_settings(which, "http://127.0.0.1:8080")

    read = read_settings(which, kept | defaults, allow_private=True)

    assert set(read) == set(kept | defaults)
    assert read_settings(which, read, allow_private=True) == read
    assert with_defaults(which, kept) == {field.name: None for field in KINDS[which].fields} | defaults | kept


@every_kind
def test_null_is_as_absent(which: str):
    kept = needed_settings(which, "http://127.0.0.1:8080")
    nothing = {field.name: None for field in KINDS[which].fields if field.name not in kept}

    assert read_settings(which, kept | nothing, allow_private=True) == kept


@every_kind
def test_a_setting_nobody_knows_is_refused_with_those_there_are(which: str):
    with pytest.raises(Invalid, match=r"s\.colour: there is no such key\. Known: .*consent_categories") as caught:
        read_settings(which, every_setting(which) | {"colour": "red"}, "s", allow_private=True)

    assert caught.value.field == "s.colour"


@pytest.mark.parametrize(
    ("which", "name"), [(which, field.name) for which, kind in KINDS.items() for field in kind.fields if field.required]
)
def test_a_setting_that_is_needed_is_asked_for_by_name(which: str, name: str):
    with pytest.raises(Invalid, match=f"{name}: ") as caught:
        read_settings(which, {**every_setting(which), name: None}, "destinations[0].settings", allow_private=True)

    assert caught.value.field == f"destinations[0].settings.{name}"


@pytest.mark.parametrize(
    ("which", "name", "kind"),
    [(which, each.name, each.kind) for which, kind in KINDS.items() for each in kind.fields],
)
def test_what_is_no_such_value_is_refused_by_name(which: str, name: str, kind: str):
    wrong: dict[str, list[Any]] = {
        "url": [" ", 7, "hooks", "http://hooks.acme.example", "https://127.0.0.1", "https://a@hooks.acme.example"],
        "number": [-1, 0.5, "many", True, float("nan"), float("inf")],
        "switch": ["yes", 1],
        "length": [7, "soon", True, -1, "1.5h"],
        "list": ["one", [1], [""], ["x" * 501], ["one"] * 51],
        "categories": ["one", [1]],
        "map": [[], {"a": 1}, "a: b"],
        "template": [7, "x" * 10_001, "{{ nobody.knows }}"],
    }
    for value in wrong.get(kind, [7, [], " ", "two\nlines", "x" * 501]):
        with pytest.raises(Invalid, match=r"\.$") as caught:
            read_settings(which, {**every_setting(which, "https://hooks.acme.example"), name: value}, "s")
        assert caught.value.field == f"s.{name}"
        assert str(caught.value).startswith(f"s.{name}: ")


@every_outgoing
def test_how_long_one_is_tried_lies_between_a_minute_and_a_week(which: str):
    needed = needed_settings(which, "https://hooks.acme.example")
    for value, kept in (("1m", "1m"), ("60s", "1m"), ("90m", "90m"), ("7d", "7d"), ("1w", "7d")):
        read = read_settings(which, {**needed, "give_up_after": value})
        assert read["give_up_after"] == kept
        assert given_up_after(read) == durations.parse(kept)
    for value, told in (("59s", "59s"), ("8d", "8d"), (0, "0d")):
        with pytest.raises(Invalid) as caught:
            read_settings(which, {**needed, "give_up_after": value}, "destinations[0].settings")
        assert str(caught.value) == (
            f"destinations[0].settings.give_up_after: Write a length from 1m to 7d, not {told}."
        )
    assert given_up_after(read_settings(which, needed)) == timedelta(hours=4)


def test_surveys_are_not_tried_again_and_have_no_such_setting():
    with pytest.raises(Invalid, match="there is no such key"):
        read_settings("surveys", {"give_up_after": "4h"})


@pytest.mark.parametrize("given", ["colour", None, 7, []])
def test_settings_are_keys_and_values_of_a_type_there_is(given: object):
    with pytest.raises(Invalid, match="write keys and values"):
        read_settings("webhook", given)
    with pytest.raises(Invalid, match="write one of segment, slack, surveys, webhook"):
        read_settings("telegraph", {})


# ---------------------------------------------------------------- requests


@every_outgoing
def test_a_request_is_the_same_whenever_it_is_made_of_the_same(which: str):
    kept = every_setting(which)
    document = a_document()
    before = json.dumps(document)

    assert made(which, [document], kept) == made(which, [a_document()], kept)
    assert json.dumps(document) == before, "and what it is made of is left alone"


@every_outgoing
def test_what_is_made_is_what_arrives(which: str, receiver: Receiver):
    documents = [a_document(number) for number in range(min(KINDS[which].most_at_once, 5))]
    request = made(which, documents, every_setting(which, receiver.url))

    got = hand_over(request)

    (received,) = receiver.received
    assert outcome_of(got, now=NOON).kind == "delivered"
    assert (received.method, received.body) == (request.method, request.body)
    assert {name.lower(): value for name, value in request.headers}.items() <= received.headers.items()
    assert received.headers["user-agent"] == "Heard/1"


@every_outgoing
@pytest.mark.parametrize("document_type", sorted(TYPES))
def test_every_type_of_message_it_takes_makes_a_request(which: str, document_type: str, receiver: Receiver):
    if document_type not in KINDS[which].methods:
        return
    bare = {"type": document_type, "userId": "u1", "messageId": "m1", "timestamp": "2026-11-22T11:59:59.000Z"}

    assert hand_over(made(which, [bare], needed_settings(which, receiver.url))).status == 200


@every_outgoing
def test_no_more_is_packed_than_one_request_takes(which: str):
    kind: Kind = KINDS[which]
    small = [a_document(number) for number in range(500)]
    large = [a_document(number, properties={"note": "x" * 32_000}) for number in range(500)]

    assert fitting(kind, small) == kind.most_at_once
    assert 1 <= fitting(kind, large) <= kind.most_at_once
    assert len(made(which, large[: fitting(kind, large)], every_setting(which)).body) < 480_000
    assert fitting(kind, large[:1]) == 1


# ---------------------------------------------------------------- receivers, good and bad


@every_outgoing
@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (200, "delivered", "http_200"),
        (204, "delivered", "http_204"),
        (a_gigabyte, "delivered", "http_200"),
        (endless_chunks, "delivered", "http_200"),
        (500, "retry", "http_500"),
        (503, "retry", "http_503"),
        (429, "retry", "http_429"),
        (hang, "retry", "timeout"),
        (reset, "retry", "reset"),
        (400, "discard", "http_400"),
        (401, "discard", "http_401"),
        (410, "discard", "http_410"),
        (answer(302, Location="http://169.254.169.254/"), "discard", "redirect"),
    ],
)
def test_what_a_receiver_does_has_one_meaning(which: str, reply: Reply, kind: str, reason: str, receiver: Receiver):
    receiver.script = [reply]

    got = hand_over(made(which, [a_document()], needed_settings(which, receiver.url)), timeout=1.0)
    outcome = outcome_of(got, now=NOON)

    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert outcome.detail
    assert len(receiver.received) == 1


@every_outgoing
def test_fault_55_who_asks_to_be_left_alone_for_eleven_days_is_asked_again_in_an_hour(which: str, receiver: Receiver):
    receiver.script = [answer(429, b"slow down", Retry_After="999999")]

    got = hand_over(made(which, [a_document()], needed_settings(which, receiver.url)))

    assert outcome_of(got, now=NOON) == Outcome(
        kind="retry", reason="http_429", detail="Answered 429: slow down", after=3600.0
    )


@every_outgoing
def test_fault_54_a_private_address_is_refused_when_saved_and_when_sent_to(which: str, receiver: Receiver):
    kept = needed_settings(which, receiver.url)
    with pytest.raises(Invalid):
        read_settings(which, kept)

    got = hand_over(made(which, [a_document()], kept), client=Client(allow_private=False))
    outcome = outcome_of(got, now=NOON)

    assert (outcome.kind, receiver.received) == ("discard", [])


def test_line_19_two_failures_and_a_success_are_three_attempts_of_one_delivery(receiver: Receiver):
    receiver.script = [500, 500, 200]
    request = made("webhook", [a_document()], needed_settings("webhook", receiver.url))

    kinds = [outcome_of(hand_over(request), now=NOON).kind for _ in range(3)]

    assert kinds == ["retry", "retry", "delivered"]
    assert {each.headers["webhook-id"] for each in receiver.received} == {"msg_m1"}


def test_line_19_a_receiver_has_five_seconds(receiver: Receiver):
    receiver.script = [hang]

    got = hand_over(made("webhook", [a_document()], needed_settings("webhook", receiver.url)))

    assert got.error == "timeout"
    assert 4.9 < got.seconds < 6


# ---------------------------------------------------------------- whatever customers send

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=12), inside, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def one_receiver():
    with Receiver() as running:
        yield running


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(properties=st.dictionaries(st.text(max_size=12), JSON, max_size=5), event=st.text(min_size=1, max_size=30))
@pytest.mark.parametrize("which", ["webhook", "segment"])
def test_any_document_arrives_with_the_values_it_had(
    one_receiver: Receiver, which: str, properties: dict[str, Any], event: str
):
    document = a_document(properties=properties, event=event)

    assert hand_over(made(which, [document], needed_settings(which, one_receiver.url))).status == 200

    body = json.loads(one_receiver.received[-1].body)
    arrived = body["batch"][0] if which == "segment" else body
    assert spelled(arrived) == spelled(document)
    assert list(arrived) == list(document), "in the order they had"


def spelled(value: object) -> str:
    """JSON with every number as it is: 1 is not 1.0, nor true."""
    return json.dumps(value, sort_keys=True)
