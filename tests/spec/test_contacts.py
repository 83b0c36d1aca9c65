"""Who somebody is, and what we know of them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from heard.contacts import address, traits
from heard.contacts.contact import Contact, identified
from heard.contacts.standing import Kind, Suppression, standing, status
from tests.examples import DAY, MARSHALL, NOON

NEW = Contact(id=1, workspace=1, user_id="lily", first_seen=NOON)


def said(**values: object) -> bytes:
    return msgspec.json.encode(values)


def test_traits_grow_key_by_key():
    merged = traits.merge(said(plan="Basic", city="Berlin"), said(plan="Premium"))

    assert traits.decode(merged) == {"plan": "Premium", "city": "Berlin"}


def test_an_explicit_null_is_kept_as_null():
    assert traits.decode(traits.merge(said(plan="Basic"), said(plan=None))) == {"plan": None}


def test_nested_objects_and_lists_are_replaced_whole():
    merged = traits.merge(said(address={"city": "Berlin", "street": "Old"}), said(address={"city": "Bonn"}))

    assert traits.decode(merged) == {"address": {"city": "Bonn"}}


def test_the_same_traits_again_change_nothing():
    assert identified(identified(NEW, said(plan="Basic")), said(plan="Basic")) is not NEW
    once = identified(NEW, said(plan="Basic"))
    assert identified(once, said(plan="Basic")) is once


def test_numbers_are_kept_as_they_were_written():
    assert traits.merge(b"{}", b'{"lifetime":12345678901234567890.5}') == b'{"lifetime":12345678901234567890.5}'


def test_the_address_is_the_trait_email():
    assert identified(NEW, said(email=" Lily@Aldrin.example ")).email == "Lily@Aldrin.example"
    assert identified(NEW, said(email=" Lily@Aldrin.example ")).email_key == "lily@aldrin.example"


def test_an_address_that_is_none_is_no_address():
    lily = identified(NEW, said(email="lily@aldrin.example"))

    assert identified(lily, said(email="not an address")).email is None
    assert identified(lily, said(email=None)).email is None
    assert identified(lily, said(plan="x")).email == "lily@aldrin.example"


@pytest.mark.parametrize("spelling", ["createdAt", "created_at"])
@pytest.mark.parametrize("value", ["2020-01-02T00:00:00Z", "2020-01-02", 1577923200, 1577923200000])
def test_created_at_is_read_leniently(spelling: str, value: object):
    contact = identified(NEW, said(**{spelling: value}))

    assert contact.created_at == datetime(2020, 1, 2, tzinfo=UTC)
    assert contact.since == contact.created_at


def test_first_seen_stands_in_for_created_at_and_never_moves():
    assert identified(NEW, said(plan="x")).since == NOON


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"firstName": "Lily"}, "Lily"),
        ({"first_name": "Lily"}, "Lily"),
        ({"name": "Lily Aldrin"}, "Lily"),
        ({"firstName": "", "name": ""}, None),
        ({"firstName": 5}, None),
        ({}, None),
    ],
)
def test_the_first_name_is_read_leniently(known: dict[str, object], name: str | None):
    assert traits.first_name(known) == name


@pytest.mark.parametrize(
    "text", ["a@b", "a b@c.example", "a@b@c.example", ".a@b.example", "a..b@c.example", "a\r\n@b.example", "", 5, None]
)
def test_odd_texts_are_no_addresses(text: object):
    expected = "a@b" if text == "a@b" else None  # a host of one's own network is one
    assert address.read(text) == expected


def test_one_mailbox_is_one_person_whatever_its_case():
    assert address.key("Marshall@Eriksen.example") == MARSHALL.email_key


def test_the_latest_word_counts():
    rows = [
        Suppression(kind=Kind.UNSUBSCRIBED, on=True, at=NOON),
        Suppression(kind=Kind.UNSUBSCRIBED, on=False, at=NOON + DAY),
        Suppression(kind=Kind.BOUNCED, on=True, at=NOON),
    ]

    assert standing(rows) == {Kind.BOUNCED}
    assert status(standing(rows)) == "bounced"
    assert status(frozenset()) == "active"
