"""What a source sends and its tracking plan, on pages: seen, planned, broken, switched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, code_in, error_at, member, owner


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("schema") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


@pytest.fixture(scope="module")
def shop(heard: RunningHeard, ted: Visitor) -> str:
    """The path of a source that has sent something."""
    path = ted.post("/sources", {"name": "Shop"})
    key = code_in(ted.get(path), "Write key")
    send(heard, key, {"type": "identify", "userId": "u_1", "traits": {"email": "ann@example.com", "plan": "Premium"}})
    for total in (1, 2.5):
        send(heard, key, order(total=total, products=[{"id": "a"}], shipping={"country": "FR"}))
    heard.settle()
    return path


def order(**properties: object) -> dict[str, object]:
    return {"type": "track", "userId": "u_1", "event": "Order Completed", "properties": properties}


def send(heard: RunningHeard, key: str, message: dict[str, object]) -> None:
    assert httpx.post(f"{heard.url}/v1/batch", json={"batch": [message]}, auth=(key, "")).status_code == 200


def key_of(ted: Visitor, path: str) -> str:
    return code_in(ted.get(path), "Write key")


EVENT = "/schema/event?type=track&name=Order+Completed"
RULES = """
events:
  Order Completed:
    description: Somebody paid.
    properties: {total: number, shipping: {properties: {country: string}}, products: array}
    required: [total]
"""


def test_a_source_that_sent_nothing_says_what_will_be_here(ted: Visitor):
    path = ted.post("/sources", {"name": "Silent"})

    assert "Nothing came yet" in ted.get(f"{path}/schema")
    assert "Begin from what was seen" not in ted.get(f"{path}/plan")


def test_events_and_traits_are_listed_with_counts_and_types(ted: Visitor, shop: str):
    page = ted.get(f"{shop}/schema")
    assert "Order Completed" in page
    assert "Nothing matches" in ted.get(f"{shop}/schema?q=nosuch")
    assert "Order Completed" not in ted.get(f"{shop}/schema?type=identify")

    page = ted.get(shop + EVENT)
    assert "shipping.country" in page
    assert "integer <span" in page
    assert '"total": 2.5' in code_in(page, "The newest message")


def test_an_event_that_never_came_is_not_found(ted: Visitor, shop: str):
    ted.get(f"{shop}/schema/event?type=track&name=Nothing", status=404)
    ted.get(f"{shop}/schema/event?type=nonsense&name=x", status=404)


def test_a_plan_begins_from_what_was_seen_and_allows_all_of_it(heard: RunningHeard, ted: Visitor, shop: str):
    page = ted.get(f"{shop}/plan?begin=seen")
    for line in ("Order Completed:", "total: number", "country: string", "- total", "email: string"):
        assert line in page

    rules = page.split("<textarea", 1)[1].split(">", 1)[1].split("</textarea>")[0]
    strict = {"unplanned_events": "block", "unplanned_properties": "block", "violations": "block"}
    ted.post(f"{shop}/plan", {"name": "Shop", "source": "Shop", "rules": rules, **strict})
    send(heard, key_of(ted, shop), order(total=3, products=[{"id": "b"}], shipping={"country": "DE"}))
    heard.settle()

    assert "Everything that came in the last seven days was as planned." in ted.get(f"{shop}/plan")
    ted.post(f"{shop}/plan/remove")
    assert "No tracking plan" in ted.get(f"{shop}/plan")


def test_what_breaks_the_plan_is_blocked_and_shown(heard: RunningHeard, ted: Visitor, shop: str):
    written = {"name": "Shop", "source": "Shop", "rules": RULES, "unplanned_events": "block", "violations": "allow"}
    ted.post(f"{shop}/plan", written)
    key = key_of(ted, shop)
    send(heard, key, {"type": "track", "userId": "u_1", "event": "Order  Completed"})
    send(heard, key, order(total="a lot"))
    heard.settle()

    page = ted.get(f"{shop}/plan")
    assert "Not in the plan" in page
    assert "It must be a number, and a string was sent." in page
    assert "a lot" not in page
    assert "blocked_by_plan" in ted.get("/messages?verdict=rejected")
    page = ted.get(shop + EVENT)
    assert "Somebody paid." in page
    assert "properties.total" in page
    assert "Not in the plan" in ted.get(f"{shop}/schema")
    ted.post(f"{shop}/plan/remove")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("events: [", "the file, line"),
        ("nonsense: 1", "nonsense: only events, identify, group stand here."),
        ("events: {A: {properties: {x: numbr}}}", "events.A.properties.x: 'numbr' is no type."),
        ("- a", "Write `events:`"),
    ],
)
def test_rules_that_cannot_be_read_are_refused_at_their_box_and_kept(ted: Visitor, shop: str, rules: str, says: str):
    page = ted.post(f"{shop}/plan", {"name": "Shop", "source": "Shop", "rules": rules}, status=422)

    assert says in error_at(page, "rules")
    assert rules in page


def test_a_plan_holds_for_several_sources_but_a_source_has_one(ted: Visitor, shop: str):
    other = ted.post("/sources", {"name": "Till"})
    ted.post(f"{shop}/plan", {"name": "Both", "source": ["Shop"], "rules": RULES})
    number = ted.get(f"{other}/plan").split('<option value="')[1].split('"')[0]
    ted.post(f"{other}/plan/use", {"plan": number})
    assert "Somebody paid." in ted.get(f"{other}/plan")
    third = ted.post("/sources", {"name": "Kiosk"})
    page = ted.post(f"{third}/plan", {"name": "Other", "source": ["Kiosk", "Shop"], "rules": ""}, status=422)

    assert "Shop has the plan 'Both'; a source has one plan." in error_at(page, "sources")
    ted.post(f"{shop}/plan/remove")


def test_an_event_is_switched_off_for_a_destination_from_here(ted: Visitor, shop: str):
    page = ted.get(shop + EVENT)
    number = page.split('name="listed" value="')[1].split('"')[0]
    ted.post(f"{shop}/schema/switch", {"event": "Order Completed", "listed": number})
    assert "checked" not in ted.get(shop + EVENT).split('id="h-switches"')[1].split("</ul>")[0]

    ted.post(f"{shop}/schema/switch", {"event": "Order Completed", "listed": number, "on": number})
    assert "checked" in ted.get(shop + EVENT).split('id="h-switches"')[1].split("</ul>")[0]


def test_a_switch_on_a_sources_page_is_for_that_source_and_both_words_are_shown(
    heard: RunningHeard, ted: Visitor, shop: str
):
    other = ted.post("/sources", {"name": "App"})
    for path in (shop, other):
        send(heard, key_of(ted, path), order(total=3))
    heard.settle()
    number = ted.get(shop + EVENT).split('name="listed" value="')[1].split('"')[0]
    ted.post(f"{shop}/schema/switch", {"event": "Order Completed", "listed": number})

    here, there = (ted.get(path + EVENT).split('id="h-switches"')[1].split("</form>")[0] for path in (shop, other))
    assert ("checked" in here, "(on for other sources)" in here) == (False, True)
    assert "checked" in there
    assert re.search(r'Off for <a href="[^"]*">Shop</a>', ted.get(f"/destinations/{number}/events"))
    assert "Shop: false" in ted.get("/settings/file")
    assert [refused(heard, ted, path) for path in (shop, other)] == [("event_switch", "Order Completed"), None]
    (off,) = [each for each in heard.get("messages", source="Shop")["data"] if each["not_to"]][:1]
    assert 'The event "Order Completed" from Shop is switched off for Heard' in off["not_to"][0]["why"]

    ted.post(f"/destinations/{number}/events", {"listed": ["Order Completed"]})
    ted.post(f"{other}/schema/switch", {"event": "Order Completed", "listed": number, "on": number})
    assert [refused(heard, ted, path) for path in (shop, other)] == [("event_switch", "Order Completed"), None]
    assert re.search(r'On for <a href="[^"]*">App</a>', ted.get(f"/destinations/{number}/events"))
    ted.post(f"/destinations/{number}/events", {"listed": ["Order Completed"], "on": ["Order Completed"]})
    ted.post(f"{shop}/schema/switch", {"event": "Order Completed", "listed": number, "on": number})
    assert refused(heard, ted, shop) is None


def refused(heard: RunningHeard, ted: Visitor, path: str) -> tuple[str, str] | None:
    """Why the next order from there does not reach the surveys; None when it does."""
    send(heard, key_of(ted, path), order(total=3))
    heard.settle()
    newest = heard.get("messages", limit=1)["data"][0]
    return (newest["not_to"][0]["reason"], newest["event"]) if newest["not_to"] else None


def test_who_may_not_set_up_sees_and_changes_nothing(heard: RunningHeard, ted: Visitor, shop: str):
    robin = member(heard, "robin@example.com", "viewer")
    assert "Save the switches" not in robin.get(shop + EVENT)
    assert "Begin from what was seen" not in robin.get(f"{shop}/plan?begin=seen")
    robin.post(f"{shop}/plan", {"name": "Mine", "rules": ""}, status=403)
    robin.post(f"{shop}/schema/switch", {"event": "x"}, status=403)
