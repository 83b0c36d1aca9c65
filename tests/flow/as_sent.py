"""One message of each kind that has everything in it, and whether a webhook behind Heard gets it as it was sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.contracts.receiver import Receiver
from tests.flow.running import ACME, RunningHeard, eventually

KEY = "wk_acme_website"
KINDS = ("identify", "track", "page", "screen", "group", "alias")
GIVEN: dict[str, Any] = {
    "email": "björn@ålesund.example",
    "first name": "Björn 🦊 \u2028 \"quoted\" \\ 'single'",
    "middle name": None,
    "address": {"city": "Ålesund", "geo": {"lat": 62.47, "lon": 6.15, "tags": ["øst", None, {"a b": True}]}},
    "orders": [{"order id": "o-1", "total": 49.9}, {"order id": "o-2", "total": 0}],
    "logins": 9_007_199_254_740_991,
    "": "a key without a name",
    "active": False,
    "empty": {},
}
MORE: dict[str, Any] = {
    "context": {"ip": "203.0.113.7", "page": {"a title": "Ålesund"}, "nothing": None},
    "integrations": {"All": True, "Unknown Product": {"an option": [1, None]}, "Another One": False},
}
IDS_AND_TIMES = frozenset({"messageId", "timestamp", "originalTimestamp", "receivedAt", "sentAt"})


def with_hook(hook: Receiver) -> str:
    """The workspace of a server that is allowed to post to it."""
    return ACME + f"\ndestinations:\n  - {{name: Hook, type: webhook, settings: {{url: {hook.url}/in}}}}\n"


def arrived(heard: RunningHeard, user: str) -> dict[str, Any]:
    """What came of a user by kind, once it is all there."""

    def seen() -> dict[str, Any]:
        found = {each["type"]: each for each in heard.get("messages", user_id=user)["data"]}
        return found if set(found) == set(KINDS) else {}

    return eventually(seen, what=f"six messages of {user}")


def arrived_as_given(heard: RunningHeard, user: str) -> dict[str, Any]:
    """Compare every message with what was given; returns the context of the track."""
    found = arrived(heard, user)
    messages = {kind: each["message"] for kind, each in found.items()}

    assert messages["identify"]["traits"] == GIVEN
    assert messages["track"]["event"] == "Order Completed"
    assert messages["track"]["properties"] == GIVEN
    assert (messages["page"]["name"], messages["page"]["category"]) == ("Start here", "Docs")
    assert GIVEN.items() <= messages["page"]["properties"].items()  # some libraries put the name there too
    assert (messages["group"]["groupId"], messages["group"]["traits"]) == ("acme", GIVEN)
    assert (messages["alias"]["previousId"], messages["alias"]["userId"]) == (f"before {user}", user)
    assert {each["verdict"] for each in found.values()} == {"accepted"}
    assert heard.get(f"contacts/{user}")["traits"] == GIVEN
    return messages["track"].get("context", {})


def posted_to(sink: Receiver) -> Iterator[dict[str, Any]]:
    """What a program posted, message by message, with the batch's own words left out: they are about the request.

    Where the path said what a message is, its `type` is written into it.
    """
    for each in sink.received:
        body = gzip.decompress(each.body) if each.headers.get("content-encoding") == "gzip" else each.body
        said = json.loads(body)
        for message in said.get("batch", [said]):
            yield {"type": each.path.rpartition("/")[2]} | message


def of_user(messages: Iterable[dict[str, Any]], user: str) -> dict[str, Any]:
    """What is somebody's, by kind."""
    return {each["type"]: each for each in messages if each.get("userId") == user}


def received(hook: Receiver, user: str) -> dict[str, Any]:
    """What the webhook got of a user, by kind, once it is all there."""

    def seen() -> dict[str, Any]:
        found = of_user(map(json.loads, list(hook.bodies)), user)
        return found if set(found) == set(KINDS) else {}

    return eventually(seen, what=f"six messages of {user} at the webhook")


def arrives_as_sent(hook: Receiver, user: str, posted: Iterable[dict[str, Any]]) -> None:
    """Whole documents, ids and times aside."""
    before, after = of_user(posted, user), received(hook, user)
    assert set(before) == set(KINDS)
    for kind in KINDS:
        assert without(after[kind]) == without(before[kind]), kind


def without(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in IDS_AND_TIMES}
