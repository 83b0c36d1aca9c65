"""What somebody said of consent, on their page, in the API, in their export and in the answer to why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard
from tests.web.test_contacts import signed_in, text

MINDING = (
    ACME
    + """
destinations:
  - {name: Heard, type: surveys, sources: [Website], settings: {consent_categories: [Research]}}
"""
)
ORDER = {"event": "Order Completed", "properties": {"total": 80}}


class Asked(NamedTuple):
    heard: RunningHeard
    owner: httpx.Client

    def page(self, user: str) -> str:
        found = self.owner.get("/contacts/of", params={"user_id": user}, follow_redirects=True)
        assert found.status_code == 200, found.text
        return text(found.text)


def saying(**preferences: bool) -> dict[str, Any]:
    return {"context": {"consent": {"categoryPreferences": preferences}}}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Lily said yes, no to sale, and then no; her shop's orders carry no consent. Ted never spoke of it."""
    with RunningHeard(tmp_path_factory.mktemp("consent") / "data", workspace=MINDING) as heard:
        heard.send("identify", userId="lily", traits={"email": "lily@aldrin.example"}, **saying(Research=True))
        heard.settle()
        heard.send("track", userId="lily", event="Segment Consent Preference Updated", **saying(Sale=False))
        heard.settle()
        no = saying(Research=False)
        heard.send("track", userId="lily", event="Segment Consent Preference Updated", **no)
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.settle()
        for user in ("lily", "ted"):
            heard.send("track", userId=user, **ORDER)
        heard.settle()
        with signed_in(heard, *heard.owner) as owner:
            yield Asked(heard, owner)


def test_the_api_tells_the_newest_word_about_each_category(asked: Asked):
    assert asked.heard.get("contacts/lily")["consent"] == {"Research": False, "Sale": False}
    assert asked.heard.get("contacts/ted")["consent"] == {}


def test_why_says_since_when_they_refuse(asked: Asked):
    why = asked.heard.get("contacts/lily/why")
    ((objection,), (now,)) = why["decisions"][0]["objections"], why["now"]

    assert objection["reason"] == "consent_denied"
    assert objection["detail"].startswith("No consent to Research since ")
    assert [each["reason"] for each in now["objections"]] == ["consent_denied"]
    assert asked.heard.get("contacts/ted/why")["decisions"][0]["outcome"] == "invited"
    assert "No consent to Research since" in asked.heard.cli("why", "lily")


def test_the_page_shows_what_holds_and_what_changed(asked: Asked):
    page = asked.page("lily")

    assert "Research no, since" in page
    assert "What changed, and when" in page
    assert "Research, over Website yes" in page
    assert "Consent none spoken of" in asked.page("ted")


def test_the_export_holds_the_whole_history(asked: Asked):
    history = asked.heard.get("contacts/lily/export")["consent"]

    assert [(each["category"], each["yes"]) for each in history] == [
        ("Research", False),
        ("Sale", False),
        ("Research", True),
    ]
    assert all(each["at"].endswith("Z") and each["message_id"] for each in history)
