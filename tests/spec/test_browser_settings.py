"""What a page is told about its source before its first message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heard.routing.browser import settings_of
from heard.routing.destination import Destination
from heard.sources.source import Source

WEBSITE = Source(id=1, workspace=1, name="Website", write_key="wk_acme_website")
HOOK = Destination(id=2, workspace=1, name="Warehouse hook", type="webhook")


def a_destination(**changes: Any) -> Destination:
    return msgspec.structs.replace(HOOK, **changes)


def told(*destinations: Destination, base_url: str = "https://feedback.acme.example") -> dict[str, Any]:
    return settings_of(WEBSITE, destinations, base_url=base_url)


@pytest.mark.parametrize(
    ("base_url", "api_host", "protocol"),
    [
        ("https://feedback.acme.example", "feedback.acme.example/v1", "https"),
        ("https://www.acme.example/feedback", "www.acme.example/feedback/v1", "https"),
        ("http://localhost:8800/", "localhost:8800/v1", "http"),
        ("http://[::1]:8800", "[::1]:8800/v1", "http"),
    ],
)
def test_messages_and_the_librarys_own_metrics_come_to_us(base_url: str, api_host: str, protocol: str):
    assert told(base_url=base_url) == {
        "integrations": {"Segment.io": {"apiKey": "wk_acme_website", "apiHost": api_host, "protocol": protocol}},
        "metrics": {"sampleRate": 0, "host": api_host},
    }


def test_a_page_loads_no_script_for_a_destination():
    assert told(HOOK)["integrations"]["Warehouse hook"] == {"bundlingStatus": "unbundled"}


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"workspace": 2}, {"sources": frozenset({7})}, {"sources": frozenset[int]()}]
)
def test_only_destinations_that_the_source_feeds_are_named(changes: dict[str, Any]):
    assert list(told(a_destination(**changes))["integrations"]) == ["Segment.io"]


def test_a_destination_that_names_the_source_is_fed_by_it():
    assert "Warehouse hook" in told(a_destination(sources=frozenset({1, 7})))["integrations"]


def test_an_event_that_is_switched_off_is_named_with_who_does_not_want_it():
    plan = told(
        a_destination(switches={"Page Scrolled": False, "Order Completed": True}),
        a_destination(id=3, name="Chat", switches={"Page Scrolled": False}),
    )["plan"]

    assert plan == {
        "track": {
            "__default": {"enabled": True, "integrations": {}},
            "Page Scrolled": {"enabled": True, "integrations": {"Warehouse hook": False, "Chat": False}},
        }
    }


def test_a_page_is_told_of_the_switches_of_its_own_source():
    switches = {"Page Scrolled": {"1": False}, "Order Completed": {"8": False}, "Cart Viewed": {"*": False, "1": True}}
    plan = told(a_destination(switches=switches))["plan"]["track"]
    assert list(plan) == ["__default", "Page Scrolled"]


def test_without_a_switched_off_event_there_is_no_plan():
    assert "plan" not in told(a_destination(switches={"Order Completed": True}))


def test_an_event_called_like_the_default_does_not_become_it():
    settings = told(a_destination(switches={"__default": False, "Seen": False}))

    assert settings["plan"]["track"]["__default"] == {"enabled": True, "integrations": {}}


@pytest.mark.parametrize("name", ["Segment.io", "All"])
def test_a_destination_with_a_name_of_the_protocol_cannot_silence_the_library(name: str):
    settings = told(a_destination(name=name, switches={"Seen": False}), HOOK)

    assert settings["integrations"]["Segment.io"]["apiKey"] == "wk_acme_website"
    assert list(settings["integrations"]) == ["Segment.io", "Warehouse hook"]
    assert "plan" not in settings


def test_consent_categories_are_told_for_each_destination_and_for_all():
    settings = told(
        a_destination(consent_categories=("analytics", "ads")),
        a_destination(id=3, name="Chat", consent_categories=("analytics",)),
    )

    assert settings["integrations"]["Warehouse hook"]["consentSettings"] == {"categories": ["analytics", "ads"]}
    assert settings["consentSettings"] == {"allCategories": ["ads", "analytics"], "hasUnmappedDestinations": False}


def test_a_destination_without_categories_is_unmapped():
    settings = told(a_destination(consent_categories=("ads",)), a_destination(id=3, name="Chat"))

    assert settings["consentSettings"]["hasUnmappedDestinations"] is True


def test_where_nobody_has_categories_consent_is_not_spoken_of():
    assert "consentSettings" not in told(HOOK)
