"""Contacts as the page finds them, on both databases."""

from __future__ import annotations

from typing import Any

from heard.operations import contacts_found
from heard.operations.contacts_found import Search
from heard.store import tables
from tests.contracts.desk import ACME, Desk
from tests.examples import NOON


def found(desk: Desk, **search: Any) -> list[str | None]:
    look = desk.store.read_now(lambda connection: contacts_found._find(connection, ACME, Search(**search), None))
    return [each.user_id for each in look.contacts]


def test_those_who_are_active_are_found_behind_hundreds_who_are_not(desk: Desk):
    desk.receive(*(desk.identify(f"stays {number}") for number in range(3)))
    desk.receive(*(desk.identify(f"left {number}") for number in range(300)))
    left = [row.id for row in desk.rows(tables.contacts) if row.user_id.startswith("left")]
    for number, contact in enumerate(left, 1):
        desk.add(
            tables.suppressions, workspace_id=ACME, id=number, contact_id=contact, kind="unsubscribed", on=1, at=NOON,
            cause="",
        )  # fmt: skip

    assert found(desk, status="active") == ["stays 2", "stays 1", "stays 0"]
    assert len(found(desk, status="unsubscribed")) == contacts_found.PAGE


def test_somebody_is_found_by_how_their_name_begins(desk: Desk):
    desk.receive(desk.identify("ann", email="ann@x.example"), desk.identify("anna"), desk.identify("bob"))

    assert set(found(desk, q="an")) == {"ann", "anna"}
    assert found(desk, q="ann@x") == ["ann"]
    assert found(desk) == ["bob", "anna", "ann"]
