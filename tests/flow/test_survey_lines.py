"""What Segment promised of the destination that surveys, line by line: identify, track, and the orders of a shop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests.flow.running import RunningHeard

BARE = {
    "workspace": "Acme",
    "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
    "surveys": [{"name": "Relationship NPS", "kind": "nps"}],
}
AFTER_ORDER = {
    "name": "Post-purchase",
    "survey": "Relationship NPS",
    "channel": "email",
    "event": "Order Completed",
    "status": "active",
}
PRODUCTS = [
    {
        "product_id": "507f1f77bcf86cd799439011",
        "sku": "45790-32",
        "category": "Games",
        "name": "Monopoly: 3rd Edition",
        "brand": "Hasbro",
        "variant": "200 pieces",
        "price": 19,
        "quantity": 1,
        "coupon": "MAY_DEALS_3",
        "position": 1,
        "url": "https://shop.example/product/path",
        "image_url": "https://shop.example/product/path.jpg",
    },
    {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "name": "Uno", "price": 3.25, "quantity": 2},
]
ORDER = {
    "checkout_id": "fksdjfsdjfisjf9sdfjsd9f",
    "order_id": "50314b8e9bcf000000000000",
    "affiliation": "Apple Store",
    "subtotal": 22.5,
    "total": 27.5,
    "revenue": 25.0,
    "shipping": 3,
    "tax": 2,
    "discount": 2.5,
    "coupon": "hasbros",
    "currency": "USD",
    "products": PRODUCTS,
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """With a campaign that waits for orders."""
    with_campaign = yaml.safe_dump({**BARE, "campaigns": [AFTER_ORDER]})
    with RunningHeard(tmp_path_factory.mktemp("asks") / "data", workspace=with_campaign) as heard:
        yield heard


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """Without a campaign: nothing waits for anything."""
    with RunningHeard(tmp_path_factory.mktemp("shop") / "data", workspace=yaml.safe_dump(BARE)) as heard:
        yield heard


def kept(heard: RunningHeard, user: str) -> dict[str, Any]:
    """The one message of a user, whole."""
    heard.settle()
    (found,) = heard.get("messages", user_id=user)["data"]
    return found


def asked(heard: RunningHeard, user: str) -> list[tuple[str, list[str]]]:
    heard.settle()
    decisions = heard.get(f"contacts/{user}/why")["decisions"]
    return [(each["outcome"], [no["reason"] for no in each["objections"]]) for each in decisions]


# ── 21: identify makes a contact ──


def test_line_21_an_identify_with_user_id_and_email_makes_a_contact_and_another_one_adds_to_it(heard: RunningHeard):
    said = {"email": "ted@mosbius.example", "firstName": "Ted", "lastName": "Mosby", "plan": "Premium"}
    heard.send("identify", userId="12345", traits=said)
    heard.settle()
    first = heard.get("contacts/12345")
    assert (first["email"], first["traits"]) == ("ted@mosbius.example", said)

    heard.send("identify", userId="12345", traits={"plan": "Enterprise", "seats": 12, "team": {"size": 3}})
    heard.settle()
    again = heard.get("contacts/12345")
    assert again["traits"] == {**said, "plan": "Enterprise", "seats": 12, "team": {"size": 3}}
    assert (again["id"], again["email"], again["first_seen"]) == (first["id"], first["email"], first["first_seen"])


def test_line_21_an_identify_without_a_user_id_makes_nobody(heard: RunningHeard):
    heard.send("identify", anonymousId="somebody", traits={"email": "robin@scherbatsky.example"})
    heard.send("identify", traits={"email": "robin@scherbatsky.example"})
    heard.settle()
    heard.get("contacts/email:robin@scherbatsky.example", status=404)
    heard.get("contacts/somebody", status=404)


def test_line_21_without_an_email_there_is_a_contact_and_a_survey_by_mail_is_declined_for_no_address(
    heard: RunningHeard,
):
    heard.send("identify", userId="lily", traits={"firstName": "Lily"})
    heard.send("track", userId="lily", event="Order Completed", properties=ORDER)
    assert asked(heard, "lily") == [("declined", ["no_address"])]
    assert heard.get("contacts/lily")["email"] is None
    assert heard.get("deliveries", user_id="lily")["data"] == []

    heard.send("identify", userId="lily", traits={"email": "lily@aldrin.example"})
    heard.send("track", userId="lily", event="Order Completed", properties=ORDER)
    assert asked(heard, "lily") == [("invited", []), ("declined", ["no_address"])]


# ── the examples as they were printed ──


def test_an_action_in_the_body_is_not_read_for_the_path_decides(heard: RunningHeard):
    """The printed track said `"action": "identify"` in one of its editions; it is a track where it is posted to one."""
    traits = {"email": "ted@mosbius.example", "firstName": "Ted", "lastName": "Mosby", "plan": "Premium"}
    posted(heard, "identify", {"userId": "printed", "action": "identify", "traits": traits})
    heard.settle()
    assert heard.get("contacts/printed")["traits"] == traits

    invited = {"event": "Friend Invited", "properties": {"category": "viral", "totalInvites": 50}}
    posted(heard, "track", {"userId": "inviting", "action": "identify", **invited})
    found = kept(heard, "inviting")
    assert (found["type"], found["event"], found["verdict"]) == ("track", "Friend Invited", "accepted")
    heard.get("contacts/inviting", status=404)

    posted(heard, "batch", {"batch": [{"type": "identify", "action": "track", "userId": "batched", "traits": traits}]})
    heard.settle()
    assert heard.get("contacts/batched")["traits"] == traits


def test_the_printed_track_that_is_an_identify_in_its_body_asks_nobody(heard: RunningHeard):
    posted(heard, "track", {"userId": "copied", "action": "identify", "traits": {"email": "ted@mosbius.example"}})
    found = kept(heard, "copied")
    assert (found["verdict"], found["reason"].partition(":")[0]) == ("rejected", "event_missing")
    heard.get("contacts/copied", status=404)


def posted(heard: RunningHeard, path: str, body: dict[str, Any]) -> None:
    answer = httpx.post(f"{heard.url}/v1/{path}", json=body, auth=("wk_acme_website", ""), timeout=20)
    assert (answer.status_code, answer.json()) == (200, {"success": True})


# ── 23: orders are kept whole, for later ──


@pytest.mark.parametrize("event", ["Order Completed", "Completed Order"])
def test_line_23_an_order_is_kept_with_all_that_it_says_where_no_campaign_asks_for_it(shop: RunningHeard, event: str):
    user = event.replace(" ", "-")
    shop.send("track", userId=user, event=event, properties=ORDER)
    found = kept(shop, user)
    assert (found["type"], found["event"], found["verdict"]) == ("track", event, "accepted")
    assert found["message"]["properties"] == ORDER
    assert [list(each) for each in found["message"]["properties"]["products"]] == [list(each) for each in PRODUCTS]


def test_line_23_what_was_kept_is_of_use_afterwards_to_an_audience_and_a_dry_run(shop: RunningHeard):
    for user, event in (("ann", "Order Completed"), ("bob", "Completed Order"), ("cy", "Cart Viewed")):
        shop.send("identify", userId=user, traits={"email": f"{user}@example.com"})
        shop.send("track", userId=user, event=event, properties=ORDER)
    shop.settle()
    large = {"event": "Order Completed", "where": "properties.total > 20 and properties.coupon = 'hasbros'"}
    campaign = {**AFTER_ORDER, "where": "properties.total > 20", "status": "draft"}
    shop.apply(yaml.safe_dump({**BARE, "audiences": [{"name": "Buyers", "where": large}], "campaigns": [campaign]}))
    shop.settle()

    assert [shop.get(f"contacts/{user}")["audiences"] for user in ("ann", "bob", "cy")] == [["Buyers"], ["Buyers"], []]
    rehearsed = shop.cli("dry-run", "Post-purchase", "--since", "1d", "--json")
    assert rehearsed["would"]["invited"] == 2
    assert shop.get("deliveries")["data"] == []
