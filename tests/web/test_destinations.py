"""Destinations: what became of messages there, its settings, and what sends again; secrets are shown to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.contracts.receiver import Receiver, answer
from tests.flow.running import RunningHeard, eventually
from tests.web.visitors import Visitor, error_at, member, owner

SECRET, TOKEN = "whsec_c2hoIHNlY3JldA", "Bearer of-bad-news"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    data = tmp_path_factory.mktemp("destinations") / "data"
    with RunningHeard(data, environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}) as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


@pytest.fixture(scope="module")
def viewer(heard: RunningHeard) -> Visitor:
    return member(heard, "viewer@acme.example", "viewer")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def hook(ted: Visitor, receiver: Receiver) -> Iterator[str]:
    """The page of a webhook that listens; it is removed afterwards."""
    path = made(ted, receiver)
    yield path
    ted.post(f"{path}/remove")


def made(ted: Visitor, receiver: Receiver, name: str = "Hook", **more: str) -> str:
    form = {
        "type": "webhook",
        "name": name,
        "fed_by": "every",
        "enabled": "1",
        "settings.url": f"{receiver.url}/in/path",
        "settings.secret": SECRET,
        "settings.headers": f"Authorization: {TOKEN}\nX-Team: blue-and-secret",
    }
    return ted.post("/destinations/new", {**form, **more})


def shown(page: str, label: str) -> str:
    """A figure of the deliveries page."""
    found = re.search(rf'<dt>{label}</dt><dd><span class="n">(?:<span[^>]*>)?(.*?)</span>', page)
    assert found is not None, label
    return found[1]


def test_without_another_destination_the_page_says_what_one_is_for(ted: Visitor, viewer: Visitor):
    page = ted.get("/destinations")
    assert "Only Heard so far" in page
    assert "/destinations/new?type=webhook" in page
    assert "/destinations/new" not in viewer.get("/destinations")


def test_a_webhook_is_made_and_gets_what_comes(heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver):
    assert "Nothing yet" in ted.get(hook)
    heard.send("track", userId="ann", event="Order Completed")
    heard.settle()

    assert len(receiver.received) == 1
    assert receiver.received[0].headers["authorization"] == TOKEN
    page = ted.get(hook)
    assert shown(page, "Delivered") == "1"
    assert shown(page, "Not delivered") == "0"
    assert shown(page, "Waiting") == "0"
    assert "Delivering" in ted.get("/destinations")


def test_a_form_that_cannot_be_obeyed_says_so_at_its_field_and_keeps_the_rest(ted: Visitor, receiver: Receiver):
    form = {"type": "webhook", "name": "Shop", "fed_by": "every", "settings.url": "ftp://nowhere"}
    page = ted.post("/destinations/new", form, status=422)
    assert error_at(page, "settings-url") == "Write an address like https://hooks.example.com/in."
    assert 'value="Shop"' in page
    assert 'value="ftp://nowhere"' in page

    page = ted.post("/destinations/new", {**form, "settings.url": receiver.url, "settings.headers": "x"}, status=422)
    assert error_at(page, "settings-headers") == "Write one a line, as Name: value."
    page = ted.post(
        "/destinations/new", {**form, "settings.url": receiver.url, "settings.headers": "Host: x"}, status=422
    )
    assert error_at(page, "settings-headers").startswith("Host: this header is set by Heard")
    page = ted.post("/destinations/new", {**form, "settings.url": receiver.url, "fed_by": "some"}, status=422)
    assert error_at(page, "sources") == "Choose at least one source, or every source."
    page = ted.post("/destinations/new", {**form, "settings.url": receiver.url, "name": "Heard"}, status=422)
    assert error_at(page, "name") == "There is a destination called 'Heard' already."
    assert ted.post("/destinations/new", {"type": "carrier pigeon"}, status=400)


def test_what_is_kept_secret_is_shown_to_nobody_and_stays(
    heard: RunningHeard, ted: Visitor, viewer: Visitor, hook: str, receiver: Receiver
):
    for each in (ted, viewer):
        page = each.get(f"{hook}/settings")
        assert SECRET not in page
        assert "of-bad-news" not in page
        assert "blue-and-secret" not in page
        assert "Authorization" in page
    assert "/in/path" in ted.get(f"{hook}/settings")
    assert "/in/path" not in viewer.get(f"{hook}/settings")

    ted.post(f"{hook}/settings", {"name": "Hook", "fed_by": "every", "enabled": "1", "settings.url": receiver.url,
                                  "settings.headers.drop": "X-Team"})  # fmt: skip
    heard.send("track", userId="ann", event="Signed In")
    heard.settle()
    headers = receiver.received[-1].headers
    assert headers["authorization"] == TOKEN
    assert "webhook-signature" in headers
    assert "x-team" not in headers

    ted.post(f"{hook}/settings", {"name": "Hook", "fed_by": "every", "enabled": "1", "settings.url": receiver.url,
                                  "settings.secret.drop": "secret"})  # fmt: skip
    heard.send("track", userId="ann", event="Signed In")
    heard.settle()
    assert "webhook-signature" not in receiver.received[-1].headers


def test_a_destination_is_fed_by_the_sources_that_are_chosen(
    heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver
):
    other = ted.post("/sources", {"name": "Backend"})
    ted.post(f"{hook}/settings", {"name": "Hook", "fed_by": "some", "sources": "Backend", "enabled": "1",
                                  "settings.url": receiver.url})  # fmt: skip
    assert re.search(r'value="Backend"\s+checked', ted.get(f"{hook}/settings"))
    heard.send("track", userId="ann", event="Order Completed")
    heard.settle()
    assert receiver.received == []
    assert ted.get(other)


def test_failures_are_listed_by_reason_opened_and_tried_again(
    heard: RunningHeard, ted: Visitor, viewer: Visitor, hook: str, receiver: Receiver
):
    receiver.script[:] = [answer(400, f"no {SECRET} here, {TOKEN}".encode())] * 2
    for user in ("ann", "bob"):
        heard.send("track", userId=user, event="Refused")
    heard.settle()

    page = ted.get(hook)
    assert shown(page, "Not delivered") == "2"
    assert "It answered 400" in page
    listed = ted.get(f"{hook}?state=dead&reason=http_400")
    (first, *_) = re.findall(r"open=(\d+)", listed)
    for each in (ted, viewer):
        opened = each.get(f"{hook}?state=dead&reason=http_400&open={first}")
        assert "webhook-id: msg_" in opened
        assert "Authorization: (kept secret)" in opened
        assert "no (kept secret) here, (kept secret)" in opened
        assert SECRET not in opened
        assert TOKEN not in opened
    assert "POST http://127.0.0.1" in opened
    assert "/in/path" not in opened  # to a viewer
    assert f"{hook}/again" not in opened

    ted.post(f"{hook}/again", {"message": first})
    heard.settle()
    assert shown(ted.get(hook), "Not delivered") == "2"  # one is given up still; one was, in this window
    ted.post(f"{hook}/again/all", {"reason": "http_400"})
    heard.settle()
    assert len(receiver.received) == 4
    assert "Nothing is missing" in ted.get(hook)
    assert "had 1 given up messages tried again at Hook" in ted.get("/settings/audit")


def test_a_destination_that_is_down_rests_and_says_what_is_wrong(
    heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver
):
    receiver.script[:] = [503] * 200
    for number in range(12):
        heard.send("track", userId=f"u{number}", event="Order Completed")
    heard.settle()

    page = ted.get("/destinations")
    assert "Resting" in page
    assert "Answered 503" in page
    assert int(shown(ted.get(hook), "Waiting")) == 12


def test_what_is_kept_from_it_is_counted_by_reason(heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver):
    ted.post(f"{hook}/events/add", {"event": "Page Scrolled"})
    heard.send("track", userId="ann", event="Page Scrolled")
    heard.send("track", userId="ann", event="Quiet", integrations={"Hook": False})
    heard.settle()

    page = ted.get(hook)
    assert receiver.received == []
    assert "The event is switched off here" in page
    assert "<code>event_switch</code>" in page
    assert "<code>integrations_object</code>" in page


def test_an_event_is_switched_off_and_on_again(heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver):
    assert error_at(ted.post(f"{hook}/events/add", {"event": " "}, status=422), "event")
    ted.post(f"{hook}/events/add", {"event": "To Come"})
    page = ted.get(f"{hook}/events")
    assert 'value="To Come"' in page
    assert not re.search(r'name="on" value="To Come" checked', page)

    ted.post(f"{hook}/events", {"listed": ["To Come"], "on": ["To Come"]})
    heard.send("track", userId="ann", event="To Come")
    heard.settle()
    assert len(receiver.received) == 1


def test_filters_are_added_changed_moved_removed_and_previewed(
    heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver
):
    heard.send("track", userId="ann", event="Order Completed", properties={"total": 9, "email": "ann@acme.example"})
    heard.settle()

    def stamp() -> str:
        found = re.search(r'name="as_of" value="(\w+)"', ted.get(f"{hook}/filters"))
        assert found is not None
        return found[1]

    def post(path: str = "", status: int = 303, **form: str) -> str:
        return ted.post(f"{hook}/filters{path}", {"as_of": stamp(), **form}, status=status)

    page = post(status=422, condition="event = ", then="drop")
    assert re.search(r"At \d+: ", error_at(page, "condition"))
    page = post(status=422, condition="all", then="drop_properties")
    assert error_at(page, "paths") == "Write at least one field, like properties.email."
    page = post("/preview", 200, condition="all", then="drop_properties", paths="properties.email")
    assert "<del>properties.email</del>" in page
    page = post("/preview", 200, condition="event = 'Order Completed'", then="drop")
    assert "Dropped" in page
    assert "By filter 1" in page

    post(condition="all", then="drop_properties", paths="properties.email")
    post(condition="type = 'page'", then="drop")
    assert ted.get(f"{hook}/filters").index("properties.email") < ted.get(f"{hook}/filters").index("type = 'page'")
    post("/move", place="1")
    page = ted.get(f"{hook}/filters?edit=0")
    assert "Change filter 1" in page
    post(condition="type = 'screen'", then="sample", share="25%", place="0")
    assert "Let 25% of people through" in ted.get(f"{hook}/filters")
    assert ted.post(f"{hook}/filters", {"as_of": "old", "condition": "all", "then": "drop"}, status=409)
    post("/remove", place="0")

    heard.send("track", userId="ann", event="Shaped", properties={"total": 9, "email": "ann@acme.example"})
    heard.settle()
    assert b'"total":9' in receiver.bodies[-1]
    assert b"ann@acme" not in receiver.bodies[-1]


def test_a_message_is_tried_past_filters_and_what_came_is_shown(
    heard: RunningHeard, ted: Visitor, viewer: Visitor, hook: str, receiver: Receiver
):
    found = re.search(r'name="as_of" value="(\w+)"', ted.get(f"{hook}/filters"))
    assert found is not None
    ted.post(f"{hook}/filters", {"as_of": found[1], "condition": "all", "then": "drop"})
    receiver.script[:] = [answer(418, b"a teapot")]

    page = ted.post(f"{hook}/try", {"message": '{"type": "track", "userId": "u", "event": "Tried"}'}, status=200)
    assert "Answered 418" in page
    assert "a teapot" in page
    assert "Would be discarded" in page
    assert b'"event":"Tried"' in receiver.bodies[-1]
    assert TOKEN not in page
    assert error_at(ted.post(f"{hook}/try", {"message": "{"}, status=422), "message").startswith("This is no JSON at")
    assert "Write a type" in error_at(ted.post(f"{hook}/try", {"message": "{}"}, status=422), "message")
    assert "Send it" not in viewer.get(f"{hook}/try")
    assert "tried the destination Hook" in ted.get("/settings/audit")


def test_trying_has_a_limit(ted: Visitor, hook: str, receiver: Receiver):
    message = {"message": '{"type": "track", "userId": "u", "event": "Tried"}', "form_token": ted.token()}
    statuses = [ted.browser.post(f"{hook}/try", data=message).status_code for _ in range(22)]

    assert statuses[-1] == 429
    assert len(receiver.received) <= 20


def test_a_replay_sends_the_past_again(heard: RunningHeard, ted: Visitor, hook: str, receiver: Receiver):
    heard.send("track", userId="ann", event="Before")
    heard.settle()
    before = len(receiver.received)
    assert "written" not in ted.get(f"{hook}/replays")
    page = ted.post(f"{hook}/replays", {"since": "yesterday-ish"}, status=422)
    assert error_at(page, "since").startswith("Write a date")

    ted.post(f"{hook}/replays", {"since": "1h"})
    heard.settle()
    eventually(lambda: "Done" in ted.get(f"{hook}/replays"), what="the replay")
    assert len(receiver.received) > before
    assert "sent of" in ted.get(f"{hook}/replays/look")
    assert "began a replay to Hook" in ted.get("/settings/audit")


def test_a_destination_is_removed_after_a_question_and_heard_is_not(ted: Visitor, receiver: Receiver):
    path = made(ted, receiver, name="Short-lived")
    assert "Remove Short-lived?" in ted.get(f"{path}/remove")
    ted.post(f"{path}/remove")
    ted.get(path, status=404)

    ours = re.search(r'href="(/destinations/\d+)">Heard<', ted.get("/destinations"))
    assert ours is not None
    ted.post(f"{ours[1]}/remove")
    assert "Taking messages" in ted.get(ours[1])
    page = ted.post(f"{ours[1]}/settings", {"name": "Heard", "fed_by": "every", "enabled": "1",
                                            "settings.daily_limit": "many"}, status=422)  # fmt: skip
    assert "Write a whole number" in error_at(page, "settings-daily_limit")


def test_slacks_form_keeps_only_what_is_not_the_default(ted: Visitor, receiver: Receiver):
    form = {"type": "slack", "name": "Chat", "fed_by": "every", "settings.url": f"{receiver.url}/services/T0/secret"}
    path = ted.post("/destinations/new", {**form, "settings.text": "{{ event }} {{ nonsense.x }}"}, status=422)
    assert error_at(path, "settings-text")
    path = ted.post("/destinations/new", {**form, "settings.text": "*{{ event | Identify }}* by {{ who | somebody }}"})
    assert "text:" not in ted.get("/settings/file").partition("name: Chat")[2][:200]
    assert "Switched off" in ted.get(path)
    ted.post(f"{path}/remove")


def test_the_metrics_know_destinations_by_their_number_and_name_none(
    heard: RunningHeard, ted: Visitor, receiver: Receiver
):
    path = made(ted, receiver, "A plan that nobody may know")
    try:
        number = path.rsplit("/", 1)[-1]
        lines = httpx.get(f"{heard.url}/metrics").text.splitlines()
        assert sum(line.startswith(f'heard_destination_behind{{id="{number}"}} ') for line in lines) == 1
        assert not [line for line in lines if "nobody may know" in line]
        told = {str(each["id"]): each["name"] for each in heard.get("destinations")["data"]}
        assert told[number] == "A plan that nobody may know"
    finally:
        ted.post(f"{path}/remove")
