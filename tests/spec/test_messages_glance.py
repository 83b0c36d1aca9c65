"""What the collector refuses as a whole, before anything is kept."""

from __future__ import annotations

import pytest

from heard.messages.glance import Fault, Glance, glance


def code(body: bytes, kind: str = "batch") -> str | None:
    judged = glance(body, kind)
    return judged.code if isinstance(judged, Fault) else None


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b'{"batch":[}', b"nope", b'{"batch":[1,]}', b'{"batch":[]} x'])
@pytest.mark.parametrize("kind", ["batch", "track"])
def test_line_04_fault_01_what_is_not_json(body: bytes, kind: str):
    assert code(body, kind) == "invalid_json"


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null"])
@pytest.mark.parametrize("kind", ["batch", "track"])
def test_line_04_what_is_no_object(body: bytes, kind: str):
    assert code(body, kind) == "not_an_object"


@pytest.mark.parametrize("body", [b"{}", b'{"batch":null}', b'{"batch":{}}', b'{"batch":"x"}', b'{"batch":NaN}'])
def test_fault_12_a_batch_that_is_no_list(body: bytes):
    assert code(body) == "batch_not_a_list"


@pytest.mark.parametrize("body", [b'{"batch":[],"x":"\xff"}', b'{"batch":[{"\xc3":1}]}', b'{"batch":["\xed\xa0\x80"]}'])
def test_fault_04_invalid_utf_8_anywhere(body: bytes):
    assert code(body) == "invalid_utf8"


def test_line_03_a_body_of_512000_bytes_is_taken():
    assert code(b'{"batch":[]}' + b" " * (512_000 - 12)) is None


def test_line_03_fault_06_a_body_of_512001_bytes_is_not():
    assert code(b'{"batch":[]}' + b" " * (512_001 - 12)) == "body_too_large"


def test_line_03_a_single_message_of_32768_bytes_is_taken():
    assert code(b"{}" + b" " * 32_766, "track") is None


def test_line_03_a_single_message_of_32769_bytes_is_not():
    assert code(b"{}" + b" " * 32_767, "track") == "message_too_large"


def test_fault_09_a_hundred_thousand_brackets_are_refused_and_not_followed():
    assert code(b'{"batch":' + b"[" * 100_000) == "too_deep"


@pytest.mark.parametrize(("lists", "verdict"), [(63, None), (64, "too_deep")])
def test_a_single_message_may_be_64_levels_deep(lists: int, verdict: str | None):
    assert code(b'{"a":' + b"[" * lists + b"]" * lists + b"}", "track") == verdict


def test_one_deep_message_in_a_batch_is_not_the_batchs_fault():
    assert code(b'{"batch":[{"a":' + b"[" * 70 + b"]" * 70 + b"}]}") is None


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"1e999", rb'"\ud800"', b"9" * 500])
def test_what_libraries_write_although_it_is_not_json_is_let_in(value: bytes):
    assert glance(b'{"writeKey":"wk","batch":[{"x":%b}]}' % value, "batch") == Glance("wk")


@pytest.mark.parametrize(("field", "key"), [(b'"wk"', "wk"), (b"null", None), (b"5", None), (b"{}", None)])
def test_the_write_key_of_a_body_is_a_text_or_none(field: bytes, key: str | None):
    assert glance(b'{"writeKey":%b}' % field, "track") == Glance(key)


def test_the_last_of_two_write_keys_is_meant():
    assert glance(b'{"writeKey":"a","writeKey":"b"}', "track") == Glance("b")


def test_fault_11_two_hundred_thousand_equal_keys_are_only_keys():
    assert code(b'{"batch":[{' + b",".join([b'"a":1'] * 80_000) + b"}]}") is None
