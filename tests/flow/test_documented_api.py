"""Every example on the page about the API, sent to a running Heard: it answers, in the shape that the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from heard.channels.email.outbox import opened
from scripts import docs_api
from tests.contracts.receiver import Receiver
from tests.contracts.receiver import answer as refusal
from tests.flow.running import ACME, RunningHeard, answer, links_in

TOLD = yaml.safe_load(docs_api.EXAMPLES.read_text(encoding="utf-8"))
HOOKS = """
destinations:
  - {name: Heard, type: surveys}
  - {name: Shop hook, type: webhook, settings: {url: "%s", secret: shh-shh}}
  - {name: Chat, type: slack, events: {Order Completed: false}, settings: {url: "%s"}}
"""
YEARLY = """
workspace: Acme
campaigns:
  - {name: Yearly, survey: Relationship NPS, channel: email, recipients: list, list: Customers, status: complete}
  - {name: Newsletter, survey: Relationship NPS, channel: link, status: active}
"""
CALLS: dict[str, dict[str, Any]] = TOLD["calls"]
MOVES_TIME = "POST /api/test-clock"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with (
        Receiver(refusal(400, b"no such shop")) as shop,
        Receiver() as chat,
        RunningHeard(
            tmp_path_factory.mktemp("heard") / "data",
            workspace=ACME + HOOKS % (shop.url, chat.url),
            environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
        ) as running,
    ):
        an_order_and_an_answer(running, running.data / "outbox")
        running.post("destinations/Shop%20hook/replay", {"since": "1d"})
        running.settle()
        yield running


def an_order_and_an_answer(heard: RunningHeard, outbox: Path) -> None:
    """Ann orders twice and answers once; Ben answers as well."""
    consent = {"consent": {"categoryPreferences": {"Marketing": True}}}
    for user, name, plan, value in (("ann", "Ann", "Premium", 9), ("ben", "Ben", "Free", 6)):
        heard.send("identify", userId=user, traits={"email": f"{user}@example.com", "firstName": name, "plan": plan})
        heard.send("group", userId=user, groupId="acme", traits={"plan": "Premium"}, context=consent)
        heard.send("track", userId=user, event="Order Completed", properties={"total": 99})
        heard.settle()
        (mail,) = (each for each in outbox.glob("*.eml") if f"{user}@example.com" in each.read_text())
        html = opened(mail.read_bytes()).get_body(("html",))
        assert html is not None
        answer(links_in(html.get_content())[value], comment="Fast, and the parcel was whole." if value == 9 else None)
    yearly = outbox.parent / "yearly.yaml"
    yearly.write_text(YEARLY)
    heard.cli("apply", str(yearly))
    heard.send("track", userId="ann", event="Order Completed", properties={"total": 42})
    heard.settle()


def asked(heard: RunningHeard, call: str) -> httpx.Response:
    example, method = CALLS[call], call.split(" ")[0]
    headers = {"Authorization": f"Bearer {heard.secret_key}"}
    return httpx.request(method, heard.url + example["path"], headers=headers, json=example.get("body"), timeout=60)


def shape(value: Any) -> Any:
    """What is the same in every answer: names of fields and kinds of values. Null stands for anything."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case bool() | None:
            return type(value).__name__
        case int() | float():
            return "number"
        case _:
            return type(value).__name__


def fits(shown: Any, real: Any) -> bool:
    match shown, real:
        case dict(), dict():
            return shown.keys() == real.keys() and all(fits(shown[name], real[name]) for name in shown)
        case list(), list():
            return not shown or not real or fits(shown[0], real[0])
        case _:
            return shown == real or "NoneType" in (shown, real)


@pytest.mark.parametrize("call", [*(each for each in CALLS if each != MOVES_TIME), MOVES_TIME])
def test_an_example_is_answered_as_the_page_shows(heard: RunningHeard, call: str):
    real = asked(heard, call)

    assert real.status_code == 200, real.text
    shown_shape, real_shape = shape(CALLS[call]["answer"]), shape(real.json())
    assert fits(shown_shape, real_shape), f"the page shows {shown_shape}\nit answers {real_shape}"


def test_a_wrong_key_is_answered_as_the_page_says(heard: RunningHeard):
    refused = httpx.get(f"{heard.url}/api/contacts/ann", headers={"Authorization": "Bearer sk_wrong"})

    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")


def test_a_field_that_is_missing_or_of_another_kind_does_not_fit():
    page = shape({"n": 1, "groups": [{"value": "a"}], "next": None})

    assert fits(page, shape({"n": 2, "groups": [], "next": "c"}))
    assert not fits(page, shape({"n": 2, "groups": [{"word": "a"}], "next": None}))
    assert not fits(page, shape({"n": "2", "groups": [], "next": None}))
    assert not fits(page, shape({"n": 2, "groups": []}))
