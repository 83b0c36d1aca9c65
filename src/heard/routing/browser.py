"""What Segment's libraries in browsers and phones are told about a source: where messages go, and what they are for.

They ask for it before the first message, at `/v1/projects/<write key>/settings`. Every destination is served by us
("unbundled"), so that a page loads no script for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from heard.routing import switches
from heard.routing.destination import Destination
from heard.sources.source import Source

OURSELVES = "Segment.io"  # what the libraries call the server that they send to
NOT_A_NAME = frozenset({OURSELVES, "All"})
"""Names that mean something else in the `integrations` object: a switch under one of them would drop messages whole."""
EVERY_OTHER_EVENT = "__default"


def settings_of(source: Source, destinations: Iterable[Destination], *, base_url: str) -> dict[str, Any]:
    """The settings of a source, in Segment's words. `base_url`: where browsers reach Heard, path prefix included.

    Without `metrics` the library would report its own health to Segment. `plan` is there where an event is switched
    off, `consentSettings` where a destination has categories: without either the library need not look.
    """
    fed = [each for each in destinations if _is_fed(each, source)]
    place = urlsplit(base_url.rstrip("/"))
    api_host = f"{place.netloc}{place.path}/v1"
    settings: dict[str, Any] = {
        "integrations": {
            OURSELVES: {"apiKey": source.write_key, "apiHost": api_host, "protocol": place.scheme},
            **{each.name: _integration(each) for each in fed if each.name not in NOT_A_NAME},
        },
        "metrics": {"sampleRate": 0, "host": api_host},
    }
    if switched_off := _switched_off(fed, source.id):
        settings["plan"] = {"track": {EVERY_OTHER_EVENT: {"enabled": True, "integrations": {}}, **switched_off}}
    if categories := sorted({category for each in fed for category in each.consent_categories}):
        settings["consentSettings"] = {
            "allCategories": categories,
            "hasUnmappedDestinations": not all(each.consent_categories for each in fed),
        }
    return settings


def _is_fed(destination: Destination, source: Source) -> bool:
    return (
        destination.enabled
        and destination.workspace == source.workspace
        and (destination.sources is None or source.id in destination.sources)
    )


def _integration(destination: Destination) -> dict[str, Any]:
    told: dict[str, Any] = {"bundlingStatus": "unbundled"}
    if destination.consent_categories:
        told["consentSettings"] = {"categories": list(destination.consent_categories)}
    return told


def _switched_off(destinations: Sequence[Destination], source: int) -> dict[str, Any]:
    """By event: who does not want it. The event itself stays enabled, so that it always reaches us and is kept.

    The library writes these into the message's `integrations`, over what the page had said there.
    """
    plan: dict[str, Any] = {}
    for destination in destinations:
        for event in destination.switches:
            on = switches.is_on(destination.switches, event, source)
            if not on and destination.name not in NOT_A_NAME and event != EVERY_OTHER_EVENT:
                plan.setdefault(event, {"enabled": True, "integrations": {}})["integrations"][destination.name] = False
    return plan
