"""The schema of a source as messages come, and its tracking plan, on both engines."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from heard.schema.seen import Key
from heard.store import days, seen, tables
from heard.store.seen import Broken, Event
from tests.contracts.desk import ACME, WEBSITE, Desk

HOOK = 7


def plan(desk: Desk, *, told: list[int] | None = None, **settings: Any) -> None:
    order = {"properties": {"total": {"type": "number"}}, "required": ["total"]}
    written = {"events": {"Order Completed": order}, **settings}
    row = {"id": 1, "name": "Shop", "source_ids": [WEBSITE], "told": told or [], "settings": written}
    desk.add(tables.tracking_plans, workspace_id=ACME, **row)


def hook(desk: Desk) -> None:
    settings = {"url": "https://93.184.216.34/", "secret": "s"}
    row = {"id": HOOK, "name": "Hook", "type": "webhook", "settings": settings, "source_ids": [], "enabled": 1}
    desk.add(tables.destinations, workspace_id=ACME, switches={}, filters=(), **row)


def events(desk: Desk) -> list[Event]:
    return desk.store.read_now(partial(seen.events_of, workspace=ACME, source=WEBSITE))


def broken(desk: Desk) -> list[Broken]:
    since = days.day_of(desk.now - timedelta(days=7))
    return desk.store.read_now(partial(seen.violations_of, workspace=ACME, source=WEBSITE, since=since))


def fields(desk: Desk, name: str = "Order Completed") -> dict[tuple[str, str], int]:
    found = desk.store.read_now(partial(seen.fields_of, workspace=ACME, source=WEBSITE, type="track", name=name))
    return {(field.path, field.type): times.n for field, times in found}


def rows_of_messages(desk: Desk) -> list[Any]:
    return desk.rows(days.messages_of(days.day_of(desk.now)))


def test_what_a_source_sends_is_counted_over_batches(desk: Desk):
    desk.receive(
        desk.identify("ann", email="ann@example.com"), desk.track("ann", total=1), desk.track("ann", total=2.5)
    )
    began = desk.now
    desk.wait(timedelta(hours=1))
    desk.receive(desk.track("ann", total=3, coupon="X"), desk.track("bob", "Signed Up"))
    found = {each.key: each for each in events(desk)}
    order = found[Key(WEBSITE, "track", "Order Completed")]

    assert {key[1:]: each.n for key, each in found.items()} == {
        ("track", "Order Completed"): 3,
        ("identify", ""): 1,
        ("track", "Signed Up"): 1,
    }
    assert (order.first, order.last, order.blocked) == (began, desk.now, 0)
    assert fields(desk) == {("total", "integer"): 2, ("total", "number"): 1, ("coupon", "string"): 1}


def test_the_newest_message_of_an_event_is_pointed_at(desk: Desk):
    desk.receive(desk.track("ann", total=1), desk.track("ann", "Signed Up"), desk.track("bob", total=2))
    desk.receive(desk.track("cid", total=3), desk.track("ann", "Signed Up"))
    newest = {each.key.name: each.newest for each in events(desk)}
    by_place = {(days.day_of(desk.now), row.id): row for row in rows_of_messages(desk)}

    assert {name: by_place[place].user_id for name, place in newest.items()} == {
        "Order Completed": "cid",
        "Signed Up": "ann",
    }


def test_a_repeat_is_counted_once(desk: Desk):
    message = desk.track("ann", total=1)
    desk.receive(message)
    desk.receive(message, message)

    assert [each.n for each in events(desk)] == [1]


def test_a_blocked_message_is_kept_with_its_reason_and_goes_nowhere(desk: Desk):
    plan(desk, unplanned_events="block")
    desk.campaign(event="Signed Up")
    desk.receive(desk.identify("ann", email="ann@example.com"), desk.track("ann", "Signed Up"))
    (row,) = [row for row in rows_of_messages(desk) if row.type == "track"]

    assert (row.verdict, row.reason) == (
        "rejected",
        "blocked_by_plan: Shop blocks it. The plan does not list this event.",
    )
    assert desk.decisions("ann") == []
    assert {each.key.name: (each.n, each.blocked) for each in events(desk) if each.key.type == "track"} == {
        "Signed Up": (1, 1)
    }


def test_what_the_plan_takes_out_is_neither_kept_nor_routed(desk: Desk):
    plan(
        desk,
        unplanned_properties="omit",
        identify={"properties": {"email": {"type": "string"}}},
        unplanned_traits="omit",
    )
    desk.receive(desk.identify("ann", email="ann@example.com", ssn="123"), desk.track("ann", total=1, note="private"))
    bodies = [msgspec.json.decode(row.body) for row in rows_of_messages(desk)]
    (contact,) = desk.rows(tables.contacts)

    assert bodies[0]["traits"] == {"email": "ann@example.com"}
    assert bodies[1]["properties"] == {"total": 1}
    assert b"ssn" not in (contact.traits if isinstance(contact.traits, bytes) else contact.traits.encode())
    assert ("note", "string") in fields(desk)  # that it was sent is known, so that it can be planned


def test_violations_are_counted_by_day_with_the_newest_message(desk: Desk):
    plan(desk)
    desk.receive(desk.track("ann"), desk.track("bob"), desk.track("bob", total=1))
    desk.wait(timedelta(days=1))
    desk.receive(desk.track("cid"), desk.track("cid", total="1"))
    found = {each.kind.value: each for each in broken(desk)}

    assert {kind: (each.field, each.n, each.done.value) for kind, each in found.items()} == {
        "missing": ("properties.total", 3, "allowed"),
        "wrong_type": ("properties.total", 1, "allowed"),
    }
    assert found["missing"].last == desk.now
    (day, number) = found["missing"].newest
    assert [row.user_id for row in desk.rows(days.messages_of(day)) if row.id == number] == ["cid"]


def test_destinations_that_the_plan_tells_hear_of_each_violation(desk: Desk):
    hook(desk)
    plan(desk, told=[HOOK], violations="block")
    routed = desk.receive(desk.track("ann"), desk.track("ann", total=1))
    told = [row for row in rows_of_messages(desk) if row.source_id == 0]
    said = msgspec.json.decode(told[0].body)

    assert routed.forwarded
    assert len(told) == 1
    assert (told[0].event, told[0].user_id, said["integrations"]) == (
        "Violation Generated", "schema-violations", {"All": False, "Hook": True},
    )  # fmt: skip
    assert {key: said["properties"][key] for key in ("eventName", "violationType", "violationField", "outcome")} == {
        "eventName": "Order Completed",
        "violationType": "Required",
        "violationField": "properties.total",
        "outcome": "blocked",
    }
    assert said["properties"]["sourceName"] == "Website"


def test_a_source_that_makes_up_names_is_listed_up_to_a_bound(desk: Desk):
    desk.receive(*[desk.track("ann", f"E{number}", total=1) for number in range(30)])
    rows = [
        {"workspace_id": ACME, "source_id": WEBSITE, "type": "track", "name": f"old {number}", "n": 1, "blocked": 0}
        | {"first_at": desk.now, "last_at": desk.now, "day": 20261122, "message": 1}
        for number in range(seen.MOST_EVENTS - 30)
    ]
    desk.store.write_now(lambda connection: connection.execute(tables.seen_events.insert(), rows))
    desk.receive(desk.track("ann", "One too many", total=1), desk.track("ann", "E3", total=1))
    found = {each.key.name: each.n for each in events(desk)}

    assert len(found) == seen.MOST_EVENTS
    assert "One too many" not in found
    assert found["E3"] == 2
    assert fields(desk, "One too many") == {}
    assert fields(desk, "E3") == {("total", "integer"): 2}
