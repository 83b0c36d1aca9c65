"""What group calls leave behind: accounts, and who belongs to them; on both engines."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import event

from heard.contacts.contact import Contact
from heard.operations.contacts import groups_of
from heard.store import contacts, tables, tail
from heard.store.tail import Wanted
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, NOON

SYNC = {"context": {"personas": {"computation_class": "trait"}}}


def group(desk: Desk, user: str | None, group_id: str, **traits: Any) -> dict[str, Any]:
    return desk._message("group", user, None, groupId=group_id, traits=traits)


def kept(desk: Desk) -> dict[str, bytes]:
    return {row.group_id: row.traits for row in desk.rows(tables.groups)}


def of(desk: Desk, user: str) -> list[tuple[str, int]]:
    """(groupId, days since noon) of a contact."""

    def look(connection: Any) -> list[Any]:
        contact: Contact = contacts.by_user_id(connection, ACME, [user])[user]
        return groups_of(connection, contact)

    return [(each.group.group_id, (each.since - NOON).days) for each in desk.store.read_now(look)]


def reasons(desk: Desk) -> list[str | None]:
    return [
        each.reason for each in reversed(desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted())).found)
    ]


def test_a_group_keeps_its_traits_key_by_key_and_when_it_was_first_seen(desk: Desk):
    desk.receive(group(desk, "ted", "acme", plan="Free", seats=3))
    desk.wait(DAY)
    desk.receive(group(desk, "lily", "acme", plan="Premium"), group(desk, "lily", "bank"))
    desk.wait(DAY)
    desk.receive(group(desk, "lily", "acme", plan="Premium"))

    assert kept(desk) == {"acme": b'{"plan":"Premium","seats":3}', "bank": b"{}"}
    seen = {row.group_id: (row.first_seen, row.updated_at) for row in desk.rows(tables.groups)}
    assert seen == {"acme": (NOON, NOON + DAY), "bank": (NOON + DAY, NOON + DAY)}


def test_two_calls_in_one_batch_are_taken_in_order(desk: Desk):
    desk.receive(group(desk, "ted", "acme", plan="Free"), group(desk, "ted", "acme", plan="Premium", seats=1))

    assert kept(desk) == {"acme": b'{"plan":"Premium","seats":1}'}
    assert len(desk.rows(tables.group_members)) == 1


def test_a_member_belongs_since_the_first_call_and_to_as_many_as_were_named(desk: Desk):
    desk.receive(desk.identify("ted"), group(desk, "ted", "bank"))
    desk.wait(DAY)
    desk.receive(group(desk, "ted", "acme"), group(desk, "ted", "bank"), group(desk, "lily", "other"))

    assert of(desk, "ted") == [("bank", 0), ("acme", 1)]


def test_a_member_who_is_identified_later_belongs_by_then(desk: Desk):
    desk.receive(group(desk, "ted", "acme", plan="Free"))
    desk.wait(DAY)
    desk.receive(desk.identify("ted"))

    assert of(desk, "ted") == [("acme", 0)]


def test_an_anonymous_member_belongs_when_it_is_known_whose_browser_it_is(desk: Desk):
    desk.receive(group(desk, None, "acme") | {"anonymousId": "laptop"})
    desk.wait(DAY)
    desk.receive(desk.identify("ted") | {"anonymousId": "laptop"}, group(desk, "ted", "acme"), group(desk, "ted", "x"))

    assert of(desk, "ted") == [("acme", 0), ("x", 1)]


def test_a_sync_updates_a_group_and_makes_neither_group_nor_member(desk: Desk):
    desk.receive(group(desk, "ted", "acme", total=1) | SYNC)
    assert (kept(desk), reasons(desk)) == ({}, ["sync_of_unknown_group"])

    desk.receive(group(desk, "ted", "acme", plan="Free"), group(desk, "lily", "acme", total=2) | SYNC)
    assert kept(desk) == {"acme": b'{"plan":"Free","total":2}'}
    assert [row.member for row in desk.rows(tables.group_members)] == ["ted"]


def test_a_group_call_makes_no_contact_and_asks_nobody(desk: Desk):
    desk.campaign()
    desk.receive(group(desk, "ted", "acme", email="office@acme.example"))

    assert desk.rows(tables.contacts) == []
    assert desk.rows(tables.decisions) == []


def test_what_surveys_may_not_have_makes_no_group(desk: Desk):
    desk.receive(group(desk, "ted", "acme") | {"integrations": {"All": False}})

    assert (kept(desk), reasons(desk)) == ({}, ["integrations_object"])


def test_a_batch_without_group_calls_asks_nothing_about_groups_or_anonymous_ids(desk: Desk):
    said: list[str] = []
    engine = desk.store._writing
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@x.example"), desk.track("ted"), desk.track("ted", "Other"))

    assert [each for each in said if "group" in each.lower().replace("group by", "") or "anonymous_ids" in each] == []
