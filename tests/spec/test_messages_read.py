"""From an accepted body to its messages: what is read, what is mended, what is rejected and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.messages import Accepted, Message, Rejected, accepted, limits, message, parse

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def received(body: bytes | dict[str, Any], kind: str = "track") -> Accepted:
    return Accepted(
        source=7,
        kind=kind,
        received_at=int(NOON.timestamp()) * 1_000_000,
        client="192.0.2.1",
        agent="analytics-python/2.4.0",
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def read(body: bytes | dict[str, Any], kind: str = "track") -> list[Message | Rejected]:
    return parse.read(received(body, kind), offset=4096)


def one(body: bytes | dict[str, Any], kind: str = "track") -> Message:
    (only,) = read(body, kind)
    assert isinstance(only, Message), only
    return only


def refused(body: bytes | dict[str, Any], kind: str = "track") -> Rejected:
    (only,) = read(body, kind)
    assert isinstance(only, Rejected), only
    assert only.reason in message.REASONS
    return only


def a_track(**fields: Any) -> dict[str, Any]:
    return {"userId": "marshall", "event": "Order Completed"} | fields


# ── what is read ──


def test_a_track_keeps_its_fields_and_every_property_as_sent():
    got = one(b'{"userId":"u","event":"Order Completed","messageId":"m1","properties":{"total": 12.50, "a":[1]}}')

    assert (got.type, got.source, got.user_id, got.event, got.id) == ("track", 7, "u", "Order Completed", "m1")
    assert got.properties == b'{"total": 12.50, "a":[1]}'


def test_the_path_says_the_type_of_a_single_message():
    assert one(a_track(type="identify"), "track").type == "track"


def test_messages_of_a_batch_keep_their_order():
    batch = {"batch": [a_track(type="track", messageId=f"m{number}") for number in range(100)]}

    assert [each.id for each in read(batch, "batch")] == [f"m{number}" for number in range(100)]


def test_an_empty_batch_has_no_messages():
    assert read({"batch": []}, "batch") == []


def test_an_accepted_request_survives_the_log():
    request = received(a_track())

    assert accepted.decode(accepted.encode(request)) == request


@pytest.mark.parametrize("absent", [None, "", "  ", "\n\t"])
def test_line_06_null_empty_and_blank_ids_are_absent(absent: str | None):
    got = one(a_track(userId=absent, anonymousId="anon"))

    assert (got.user_id, got.anonymous_id) == (None, "anon")


@pytest.mark.parametrize(("sent", "text"), [(123, "123"), (123.0, "123"), (1.5, "1.5"), (2**70, str(2**70))])
def test_line_06_fault_15_ids_that_are_numbers_are_read_as_text(sent: float, text: str):
    assert one(a_track(userId=sent)).user_id == text


def test_one_numeric_id_does_not_cost_its_neighbours():
    got = read({"batch": [a_track(type="track", userId=number) for number in ("a", 5, "b")]}, "batch")

    assert [each.user_id for each in got] == ["a", "5", "b"]


def test_fault_15_ids_that_look_like_code_are_only_text():
    assert one(a_track(userId="__proto__", anonymousId="../../x")).user_id == "__proto__"


def test_line_10_a_message_without_an_id_gets_one_that_a_second_reading_makes_again():
    batch = {"batch": [a_track(type="track"), a_track(type="track", messageId=" ")]}
    first, second = read(batch, "batch")

    assert first.id != second.id
    assert [each.id for each in read(batch, "batch")] == [first.id, second.id]


def test_line_07_the_batchs_context_and_integrations_lie_under_the_messages_own():
    batch = {
        "batch": [a_track(type="track", context={"ip": "1.2.3.4"}, integrations={"All": False})],
        "context": {"library": {"name": "analytics-go"}, "ip": "0.0.0.0"},
        "integrations": {"All": True, "Heard": True},
    }
    (got,) = read(batch, "batch")

    assert isinstance(got, Message)
    assert json.loads(got.context) == {"library": {"name": "analytics-go"}, "ip": "1.2.3.4"}
    assert json.loads(got.integrations) == {"All": False, "Heard": True}


def test_traits_of_an_identify_are_its_own_over_those_in_its_context():
    got = one({"userId": "u", "traits": {"plan": "pro"}, "context": {"traits": {"plan": "free", "age": 3}}}, "identify")

    assert json.loads(got.traits) == {"plan": "pro", "age": 3}


def test_traits_in_a_tracks_context_stay_there():
    assert one(a_track(context={"traits": {"plan": "free"}})).traits == b"{}"


def test_what_is_absent_or_null_is_an_empty_object():
    got = one(a_track(properties=None, traits=None, context=None, integrations=None))

    assert (got.properties, got.traits, got.context, got.integrations) == (b"{}",) * 4


def test_line_08_the_batchs_sent_at_corrects_every_messages_time():
    batch = {"batch": [a_track(type="track", timestamp="2026-11-22T12:58:00Z")], "sentAt": "2026-11-22T13:00:00Z"}
    (got,) = read(batch, "batch")

    assert isinstance(got, Message)
    assert got.at == NOON - timedelta(minutes=2)
    assert got.original_at == NOON + timedelta(minutes=58)


def test_line_08_a_timestamp_that_is_none_gives_way_to_the_receipt_and_is_kept():
    got = one(a_track(timestamp="yesterday"))

    assert (got.at, got.original_at) == (NOON, None)
    assert b"yesterday" in got.body


# ── what comes through Segment's webhook ──


ROUTED = {
    "timestamp": "2026-11-22T11:00:00Z",
    "originalTimestamp": "2026-11-22T23:00:00Z",
    "sentAt": "2026-11-22T23:00:01Z",
    "receivedAt": "2026-11-22T11:00:01Z",
}
"""As Segment passes it on: the sender's clock was twelve hours ahead, and `timestamp` has been corrected for it."""


def test_a_hooks_message_names_its_own_type():
    assert [one(a_track(type=kind, groupId="g", previousId="p"), "hook").type for kind in sorted(message.TYPES)] == (
        sorted(message.TYPES)
    )


def test_a_hooks_timestamp_was_corrected_already_and_is_taken_as_it_is():
    got = one(a_track(type="track") | ROUTED, "hook")

    assert got.at == NOON - timedelta(hours=1)
    assert one(a_track() | ROUTED).at == NOON - timedelta(hours=12, seconds=1)  # what correcting it again would make


def test_a_hooks_timestamp_that_is_no_moment_gives_way_to_the_receipt_like_any_other():
    assert one(a_track(type="track") | ROUTED | {"timestamp": "9999-01-01T00:00:00Z"}, "hook").at == NOON


def test_the_same_is_true_of_a_hooks_message_that_has_to_be_mended():
    assert one(a_track(type="track", userId=7) | ROUTED, "hook").at == NOON - timedelta(hours=1)


@pytest.mark.parametrize("kind", [None, "delete", "hook"])
def test_a_hooks_message_of_an_unknown_type_is_rejected(kind: object):
    assert refused(a_track(type=kind), "hook").reason == "unknown_type"


# ── what is mended ──


def test_fault_03_half_a_surrogate_pair_becomes_the_replacement_character():
    got = one(rb'{"userId":"u","event":"x","properties":{"a":"b\ud800c"}}')

    assert json.loads(got.properties) == {"a": "b\ufffdc"}


def test_fault_03_a_lone_surrogate_does_not_cost_its_neighbours():
    got = read(rb'{"batch":[{"type":"track","userId":"u","event":"\ud800"},{"type":"page","userId":"u"}]}', "batch")

    assert [type(each) for each in got] == [Message, Message]


def test_fault_02_nul_becomes_the_replacement_character():
    assert json.loads(one(rb'{"userId":"u","event":"x","properties":{"a":"\u0000"}}').properties) == {"a": "\ufffd"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1e999", "1e999"),
        ("-1.5E+400", "-1.5E+400"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("9" * 400, "9" * 400),
        (str(2**70), str(2**70)),
        (str(2**63), str(2**63)),
        (str(2**63 - 1), 2**63 - 1),
        ("1e300", 1e300),
    ],
)
def test_fault_10_numbers_beyond_64_bits_are_kept_as_their_text(sent: str, kept: object):
    got = one(b'{"userId":"u","event":"x","properties":{"a":%b}}' % sent.encode())

    assert json.loads(got.properties) == {"a": kept}
    assert json.loads(got.body)["properties"] == {"a": kept}


def test_a_uuid_that_looks_like_a_huge_number_is_left_alone():
    body = b'{"userId":"u","event":"x",  "messageId":"a-1e999-12e456-2e400"}'

    assert one(body).body == body


# ── what is rejected, and why ──


@pytest.mark.parametrize("item", [None, 1, "x", [], True])
def test_fault_12_a_message_that_is_no_object(item: object):
    assert refused({"batch": [item]}, "batch").reason == "not_an_object"


@pytest.mark.parametrize("kind", [None, "", "Track", "delete", 5])
def test_fault_13_a_type_that_is_missing_or_unknown(kind: object):
    assert refused({"batch": [a_track(type=kind)]}, "batch").reason == "unknown_type"


@pytest.mark.parametrize("nobody", [{}, {"userId": None}, {"userId": " ", "anonymousId": ""}])
def test_line_06_fault_14_nobody(nobody: dict[str, Any]):
    assert refused({"event": "x"} | nobody).reason == "no_user_anon_id"


def test_an_alias_needs_a_user_id():
    assert refused({"previousId": "p", "anonymousId": "a"}, "alias").reason == "no_user_anon_id"


def test_an_alias_needs_a_previous_id():
    assert refused({"userId": "u"}, "alias").reason == "no_previous_id"


def test_a_group_needs_a_group_id():
    assert refused({"userId": "u"}, "group").reason == "no_group_id"


@pytest.mark.parametrize("event", [None, "", " ", 5, ["x"]])
def test_a_track_needs_an_event(event: object):
    assert refused(a_track(event=event)).reason == "event_missing"


def test_line_10_a_message_id_of_100_characters_is_taken():
    assert one(a_track(messageId="m" * 100)).id == "m" * 100


def test_line_10_a_message_id_of_101_characters_is_not():
    assert refused(a_track(messageId="m" * 101)).reason == "message_id_too_long"


def test_fault_15_a_user_id_of_ten_thousand_characters():
    assert refused(a_track(userId="u" * 10_000)).reason == "id_too_long"


def test_an_id_that_is_neither_text_nor_number():
    assert refused(a_track(userId={"$ne": 1})).reason == "id_not_text"


@pytest.mark.parametrize("field", ["properties", "traits", "context", "integrations"])
def test_a_part_that_is_no_object_is_named(field: str):
    got = refused(a_track(**{field: ["x"]}))

    assert got.reason == "not_an_object"
    assert f"`{field}`" in got.detail


def test_a_message_of_32768_bytes_in_a_batch_is_taken():
    assert isinstance(read(b'{"batch":[%b]}' % sized(32_768), "batch")[0], Message)


def test_fault_05_a_message_of_32769_bytes_in_a_batch_is_rejected_and_its_neighbour_is_not():
    large, small = read(b'{"batch":[%b,{"type":"page","userId":"u"}]}' % sized(32_769), "batch")

    assert isinstance(large, Rejected)
    assert large.reason == "message_too_large"
    assert isinstance(small, Message)


def test_a_batch_of_2500_messages_is_taken():
    got = read({"batch": [a_track(type="track")] * limits.MAX_BATCH}, "batch")

    assert {type(each) for each in got} == {Message}


def test_line_03_of_a_batch_of_2501_messages_every_one_is_rejected():
    got = read({"batch": [a_track(type="track")] * (limits.MAX_BATCH + 1)}, "batch")

    assert len(got) == 2501
    assert {getattr(each, "reason", None) for each in got} == {"batch_too_long"}


@pytest.mark.parametrize("depth", [65, 900, 20_000])
def test_fault_09_a_message_that_is_nested_too_deep_is_rejected_without_a_crash(depth: int):
    body = b'{"batch":[{"type":"page","userId":"u","x":%b%b}]}' % (b"[" * depth, b"]" * depth)

    assert {getattr(each, "reason", None) for each in read(body, "batch")} <= {"too_deep", "message_too_large"}


def test_brackets_in_a_text_are_not_depth():
    assert one(a_track(properties={"art": "[{" * 200})).event == "Order Completed"


def test_a_rejected_message_says_whose_it_was():
    got = refused(a_track(messageId="m" * 101))

    assert (got.user_id, got.event, got.type, got.source) == ("marshall", "Order Completed", "track", 7)


def test_a_detail_names_the_field():
    assert "`event`" in refused({"userId": "u"}).detail


@pytest.mark.parametrize("item", [rb'"\u0000"', b'{"userId":["\\u0000"]}', b"[" * 80 + b"]" * 80, b"[1e999]"])
def test_the_body_of_a_rejected_message_is_json_that_databases_take(item: bytes):
    got = refused(b'{"batch":[%b]}' % item, "batch")

    msgspec.json.decode(got.body)
    assert rb"\u0000" not in got.body


def sized(size: int) -> bytes:
    frame = b'{"type":"page","userId":"u","name":""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


# ── whatever comes ──

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["type", "userId", "anonymousId", "messageId", "event", "timestamp", "traits", "properties", "context", "sentAt"]
)


@given(st.lists(st.dictionaries(names, values) | values, max_size=4), st.dictionaries(names, values))
def test_every_message_gets_a_verdict_and_only_json_that_databases_take(items: list[Any], around: dict[str, Any]):
    body = json.dumps(around | {"batch": items}).encode()

    got = read(body, "batch")

    assert len(got) == len(items)
    for each in got:
        msgspec.json.decode(each.body)
        assert rb"\u0000" not in each.body
        if isinstance(each, Message):
            assert isinstance(msgspec.json.decode(each.properties), dict)
            assert isinstance(msgspec.json.decode(each.traits), dict)
