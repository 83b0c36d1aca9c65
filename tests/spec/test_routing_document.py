"""The document of a message as filters see it and destinations get it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from heard.messages import Message, Rejected, limits, parse
from heard.routing import document
from heard.routing.document import routed
from tests.examples import NOON
from tests.spec.routed import a_message, accepted

HELD = {"type": "track", "message_id": "m1", "user_id": "u", "anonymous_id": None, "at": NOON, "received_at": NOON}


def a_document(body: dict[str, Any], **held: Any) -> dict[str, Any]:
    return routed(json.dumps(body).encode(), **HELD | held)


def batch(*items: dict[str, Any], **around: Any) -> list[Message | Rejected]:
    return parse.read(accepted({"batch": list(items)} | around, "batch"), offset=1)


def test_everything_a_sender_says_arrives_as_it_was_sent():
    sent = {
        "userId": "u",
        "event": "Ärger 🎉",
        "properties": {"a": {"b": [1, 2.50, None, {"c": "ü"}]}, "null": None, "products": [], "": ""},
        "context": {"traits": {"x": None}, "library": {"name": "n"}},
        "integrations": {"All": True},
        "version": "1.1",
        "channel": "server",
    }

    got = a_document(sent)

    assert {name: got[name] for name in sent} == sent


def test_times_are_the_corrected_one_the_one_as_sent_and_that_of_receipt():
    got = a_document(
        {"timestamp": "2015-2-02T00:30:08.276Z"}, at=NOON - timedelta(seconds=1, microseconds=1), received_at=NOON
    )

    assert got["timestamp"] == "2026-11-22T11:59:58.999Z"
    assert got["originalTimestamp"] == "2015-2-02T00:30:08.276Z"
    assert got["receivedAt"] == "2026-11-22T12:00:00.000Z"


@pytest.mark.parametrize("sent", ["yesterday", 1_700_000_000])
def test_a_timestamp_that_is_none_is_kept_as_it_was_sent(sent: Any):
    assert a_document({"timestamp": sent})["originalTimestamp"] == sent


@pytest.mark.parametrize("sent", [{}, {"timestamp": None}])
def test_without_a_timestamp_the_original_is_the_corrected_one(sent: dict[str, Any]):
    assert a_document(sent)["originalTimestamp"] == "2026-11-22T12:00:00.000Z"


def test_a_libraries_original_timestamp_is_kept():
    assert a_document({"originalTimestamp": "2026-11-22T11:00:00Z"})["originalTimestamp"] == "2026-11-22T11:00:00Z"


def test_the_write_key_stays_here():
    assert "writeKey" not in a_document({"writeKey": "wk_secret", "userId": "u"})


def test_the_type_and_the_id_are_those_that_heard_knows():
    got = document.of(a_message("identify", messageId=None))

    assert got["type"] == "identify"
    assert got["messageId"].startswith("heard-")


@pytest.mark.parametrize(("sent", "text"), [(123, "123"), (123.0, "123"), (2**70, str(2**70)), ("a", "a")])
def test_ids_that_were_numbers_are_text(sent: Any, text: str):
    got = document.of(a_message("group", userId=sent, anonymousId=sent, groupId=sent, previousId=sent))

    assert (got["userId"], got["anonymousId"], got["groupId"], got["previousId"]) == (text,) * 4


@pytest.mark.parametrize("absent", [None, "", "  "])
def test_ids_that_say_nothing_are_null(absent: str | None):
    message = parse.read(accepted({"userId": "u", "anonymousId": absent, "event": "e", "groupId": absent}), offset=1)[0]
    assert isinstance(message, Message)
    got = document.of(message)

    assert (got["anonymousId"], got["groupId"]) == (None, None)
    assert "previousId" not in got


def test_a_message_that_was_just_read_and_one_that_was_kept_are_the_same_document():
    message = a_message(properties={"total": 5}, timestamp="2026-11-22T11:00:00Z", sentAt="2026-11-22T11:30:00Z")

    assert document.of(message) == routed(
        message.body,
        type="track",
        message_id="m1",
        user_id="marshall",
        anonymous_id=None,
        at=message.at,
        received_at=message.received_at,
    )
    assert document.of(message)["timestamp"] == "2026-11-22T11:30:00.000Z"


# ── what a batch says of all its messages ──


@pytest.mark.parametrize(
    ("own", "context", "integrations"),
    [
        ({}, {"library": {"name": "analytics-go"}, "ip": "0.0.0.0"}, {"All": True, "Heard": True}),
        (
            {"context": {"ip": "1.2.3.4"}, "integrations": {"All": False}},
            {"library": {"name": "analytics-go"}, "ip": "1.2.3.4"},
            {"All": False, "Heard": True},
        ),
        (
            {"context": None, "integrations": None},
            {"library": {"name": "analytics-go"}, "ip": "0.0.0.0"},
            {"All": True, "Heard": True},
        ),
        (
            {"context": {}, "integrations": {}},
            {"library": {"name": "analytics-go"}, "ip": "0.0.0.0"},
            {"All": True, "Heard": True},
        ),
    ],
)
def test_line_07_a_message_carries_its_batchs_context_and_integrations(
    own: dict[str, Any], context: dict[str, Any], integrations: dict[str, Any]
):
    (message,) = batch(
        {"type": "track", "userId": "u", "event": "e", "properties": {"a": 1}} | own,
        context={"library": {"name": "analytics-go"}, "ip": "0.0.0.0"},
        integrations={"All": True, "Heard": True},
    )
    assert isinstance(message, Message)
    got = document.of(message)

    assert (got["context"], got["integrations"]) == (context, integrations)
    assert (json.loads(message.context), json.loads(message.integrations)) == (context, integrations)
    assert (got["userId"], got["properties"]) == ("u", {"a": 1})


@pytest.mark.parametrize("around", [{}, {"context": {}, "integrations": {}}, {"context": None}, {"context": [1]}])
def test_a_message_whose_batch_says_nothing_is_kept_byte_for_byte(around: dict[str, Any]):
    body = b'{ "type":"track","userId":"u" , "event":"e","properties":{"total": 12.50} }'
    whole = json.dumps({"batch": []} | around).encode().replace(b"[]", b"[" + body + b"]", 1)
    (message,) = parse.read(accepted(whole, "batch"), offset=1)

    assert message.body == body


def test_a_batchs_context_that_databases_would_choke_on_is_mended():
    messages = batch(
        {"type": "track", "userId": "u", "event": "e"}, {"type": "track", "userId": 5, "event": "e"},
        context={"odd": "a\0b", "big": 2**70}, integrations={"x\0": True},
    )  # fmt: skip

    for message in messages:
        assert isinstance(message, Message)
        got = document.of(message)
        assert got["context"] == {"odd": "a\ufffdb", "big": str(2**70)}
        assert got["integrations"] == {"x\ufffd": True}
        assert b"\\u0000" not in message.body


def test_a_batch_cannot_grow_without_bound_by_what_it_says_of_all_its_messages():
    items = [{"type": "track", "userId": "u", "event": "e"}] * 2000
    fits = limits.MAX_SHARED_BYTES // len(items) - len('{"a": ""}')

    assert all(isinstance(one, Message) for one in batch(*items, context={"a": "x" * fits}))
    for one in batch(*items, context={"a": "x" * (fits + 1)}):
        assert isinstance(one, Rejected)
        assert one.reason == "message_too_large"
        assert "smaller batches" in one.detail
