"""On whose clock somebody lives: by a trait, else by what their browser or app says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heard.contacts import zone
from heard.contacts.contact import Contact, identified
from tests.examples import MARSHALL

TOKYO = msgspec.structs.replace(MARSHALL, zone="Asia/Tokyo")


def context(**said: Any) -> bytes:
    return msgspec.json.encode({"locale": "en-US", **said})


def with_traits(contact: Contact, **traits: Any) -> Contact:
    return msgspec.structs.replace(contact, traits=msgspec.json.encode(traits))


def test_the_zone_is_what_the_context_says():
    assert zone.said_in(context(timezone="America/Los_Angeles")) == "America/Los_Angeles"
    assert zone.said_in(context()) is None
    assert zone.said_in(b"{}") is None


@pytest.mark.parametrize(
    "said",
    [
        "Pacific Time",
        "GMT+02:00",
        "europe/berlin",
        "America",
        "localtime",
        "Factory",
        "../../etc/passwd",
        "",
        "a\0",
        "x" * 9000,
    ],
)
def test_what_is_no_zone_says_nothing(said: str):
    assert zone.said_in(context(timezone=said)) is None
    assert zone.of(with_traits(TOKYO, timezone=said)) == zone.of(TOKYO)


@pytest.mark.parametrize("said", ["1e999", "7", "null", "true", '["Asia/Tokyo"]', '{"id":"Asia/Tokyo"}'])
def test_what_is_no_text_says_nothing(said: str):
    assert zone.said_in(b'{"timezone":%b}' % said.encode()) is None


def test_a_zone_elsewhere_in_the_context_is_a_trait_or_nothing():
    assert zone.said_in(context(traits={"timezone": "Asia/Tokyo"})) is None


def test_the_first_trait_that_names_a_zone_wins_over_the_browser():
    assert zone.of(with_traits(TOKYO, timezone="Mars", tz="Europe/Berlin")) == zone.named("Europe/Berlin")
    assert zone.of(with_traits(TOKYO, timezone=None, tz=7)) == zone.named("Asia/Tokyo")
    assert zone.of(MARSHALL) is None


def test_an_identify_keeps_the_zone_beside_the_traits_and_the_last_one_counts():
    moved = identified(TOKYO, b'{"plan":"Premium"}', "Europe/Berlin")

    assert (moved.zone, b"Berlin" in moved.traits) == ("Europe/Berlin", False)
    assert identified(moved, b'{"plan":"Basic"}').zone == "Europe/Berlin", "a server says none, and takes none away"
    assert identified(moved, b'{"plan":"Premium"}', "Europe/Berlin") is moved
