"""Who is who on pages and in the API: what was anonymous, groups, and what an alias did not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard
from tests.web.test_contacts import signed_in, text

LILY = {"email": "lily@aldrin.example", "firstName": "Lily"}


class Known(NamedTuple):
    heard: RunningHeard
    owner: httpx.Client

    def messages(self, **asked: Any) -> list[dict[str, Any]]:
        return self.heard.get("messages", **asked)["data"]

    def page(self, path: str) -> str:
        found = self.owner.get(path, follow_redirects=True)
        assert found.status_code == 200, found.text
        return found.text


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    with RunningHeard(tmp_path_factory.mktemp("identity") / "data", workspace=ACME) as heard:
        heard.send("track", anonymousId="laptop", event="Looked Around", properties={"shelf": "lamps"})
        heard.send("group", anonymousId="laptop", groupId="aldrin-art", traits={"plan": "Studio", "seats": 2})
        heard.send("track", anonymousId="laptop", event="Order Completed", properties={"total": 80})
        heard.settle()
        heard.send("identify", userId="lily", anonymousId="laptop", traits=LILY)
        heard.send("group", userId="lily", groupId="kindergarten")
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.send("alias", userId="lily", previousId="lily")
        heard.send("alias", userId="lily", previousId="ted")
        heard.send("track", anonymousId="tablet", event="Order Completed", properties={"total": 80})
        heard.settle()
        with signed_in(heard, *heard.owner) as owner:
            yield Known(heard, owner)


def test_a_guest_who_ordered_and_then_signed_in_is_asked(known: Known):
    (decision,) = known.heard.get("contacts/lily/why")["decisions"]

    assert (decision["outcome"], [each["cause"] for each in decision["revisions"]]) == ("invited", ["identified"])
    assert list((known.heard.data / "outbox").glob("*.eml"))


def test_the_api_tells_the_groups_of_a_contact(known: Known):
    contact = known.heard.get("contacts/lily")

    assert {each["group_id"]: each["traits"] for each in contact["groups"]} == {
        "aldrin-art": {"plan": "Studio", "seats": 2},
        "kindergarten": {},
    }
    assert all(each["since"].endswith("Z") for each in contact["groups"])
    assert known.heard.get("contacts/ted")["groups"] == []


def test_messages_of_a_user_are_those_that_were_anonymous_too(known: Known):
    found = [(each["type"], each["event"], each["user_id"]) for each in reversed(known.messages(user_id="lily"))]

    assert found[:4] == [
        ("track", "Looked Around", None),
        ("group", None, None),
        ("track", "Order Completed", None),
        ("identify", None, "lily"),
    ]
    first = known.heard.get("messages", user_id="lily", limit=5)
    rest = known.heard.get("messages", user_id="lily", limit=5, cursor=first["next"])
    whole = [each["id"] for each in [*first["data"], *rest["data"]]]
    assert whole == [each["id"] for each in known.messages(user_id="lily")]
    assert known.messages(user_id="lily", verdict="rejected") == []


def test_the_contacts_page_shows_groups_and_what_was_anonymous(known: Known):
    page = known.page(f"/contacts/{known.heard.get('contacts/lily')['id']}")
    said = text(page)

    assert "Groups 2" in said
    assert "aldrin-art, since" in said
    assert "plan Studio" in said
    assert "kindergarten, since" in said
    story = said[said.index("Timeline") :]
    assert "Looked Around Anonymous shelf lamps" in story
    assert story.index("identify") < story.index("Looked Around")
    assert "group Anonymous groupId aldrin-art · plan Studio · seats 2" in story
    assert "alias previousId ted · Website · alias between contacts" in story


def test_the_messages_page_says_what_an_alias_did_not_do(known: Known):
    page = known.page("/messages?type=alias")

    assert "Both its ids are the same, so nothing changes." in page
    assert "is a contact of its own. Two contacts are never made one" in text(page)
    opened = known.page(f"/messages/{known.messages(user_id='lily')[0]['id']}")
    assert "Nothing was changed" in text(opened)


def test_the_messages_page_shows_whom_an_anonymous_event_waits_for(known: Known):
    said = text(known.page("/messages?verdict=held"))

    assert "for an identify of whoever this anonymousId is, then is declined" in said
    assert "Order Completed" in said
