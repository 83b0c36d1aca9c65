"""Heard is a destination like the others: switches, filters and consent keep messages from it too, or parts of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from heard.contacts import traits
from heard.store import contacts
from tests.contracts.front import Front, front, identify, track


def surveys(**more: Any) -> dict[str, Any]:
    return {"name": "Heard", "type": "surveys", **more}


def traits_of(heard: Front, user: str) -> dict[str, object] | None:
    found = heard.app.store.read_now(lambda connection: contacts.by_user_id(connection, 1, {user}))
    return traits.decode(found[user].traits) if user in found else None


def test_what_a_filter_takes_away_never_reaches_a_contact(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(surveys(filters=[{"if": "all", "then": {"drop_properties": ["traits.salary"]}}]))
        await heard.receive(identify("ann", plan="Premium", salary=90_000))
        await heard.settle()
        assert traits_of(heard, "ann") == {"plan": "Premium"}

    front(tmp_path, story)


def test_what_is_dropped_makes_no_contact_and_the_message_says_why(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(
            surveys(
                filters=[{"if": "match(traits.email, '*@acme.example')", "then": "drop"}],
                events={"Page Scrolled": False},
            )
        )
        await heard.receive(identify("staff", email="me@acme.example"), identify("ann"), track("ann", "Page Scrolled"))
        await heard.settle()
        assert traits_of(heard, "staff") is None
        assert traits_of(heard, "ann") == {}
        assert heard.verdicts() == [("accepted", "filtered"), ("accepted", None), ("accepted", "event_switch")]

    front(tmp_path, story)


def test_without_consent_an_identify_leaves_nothing_behind(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(surveys(settings={"consent_categories": ["Marketing"]}))
        denied = {"consent": {"categoryPreferences": {"Marketing": False}}}
        await heard.receive({**identify("ann", plan="Premium"), "context": denied}, identify("bob"))
        await heard.settle()
        assert traits_of(heard, "ann") is None
        assert traits_of(heard, "bob") == {}
        assert heard.verdicts()[0] == ("accepted", "consent_denied")

    front(tmp_path, story)
