"""On whose clock a contact is asked: on their page and in their export, and in the API as it always was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.running import RunningHeard
from tests.web.test_consent import Asked
from tests.web.test_contacts import signed_in


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Lily's browser says where she is, Ted's traits say so too, and nobody ever said it of Mara."""
    with RunningHeard(tmp_path_factory.mktemp("timezone") / "data") as heard:
        browser = {"context": {"timezone": "America/Los_Angeles"}}
        heard.send("identify", userId="lily", traits={"email": "lily@aldrin.example"}, **browser)
        heard.send("identify", userId="ted", traits={"timezone": "Europe/Berlin"}, **browser)
        heard.send("identify", userId="mara", traits={"timezone": "Middle Earth"}, context={"timezone": "Mars"})
        heard.settle()
        heard.send("identify", userId="lily", traits={"plan": "Premium"}, context={"timezone": None})
        heard.settle()
        with signed_in(heard, *heard.owner) as owner:
            yield Asked(heard, owner)


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("lily", "Timezone America/Los_Angeles (said by their browser or app)"),
        ("ted", "Timezone Europe/Berlin, by a trait"),
        ("mara", "Timezone not known, so UTC"),
    ],
)
def test_the_page_says_where_it_comes_from(asked: Asked, user: str, shown: str):
    assert shown in asked.page(user)


def test_the_export_has_it_and_it_is_none_of_the_traits(asked: Asked):
    lily = asked.heard.get("contacts/lily/export")["contact"]

    assert lily["timezone"] == "America/Los_Angeles"
    assert lily["traits"] == {"email": "lily@aldrin.example", "plan": "Premium"}
    assert asked.heard.get("contacts/mara/export")["contact"]["timezone"] is None


def test_the_api_tells_of_a_contact_as_it_did(asked: Asked):
    exported = asked.heard.get("contacts/lily/export")["contact"]

    assert set(exported) - set(asked.heard.get("contacts/lily")) == {"timezone"}
