"""Audiences and computed traits over both databases: who is in, who is told, and that nothing is counted twice."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from heard.deliveries.reasons import Reason
from heard.operations import contacts as people
from heard.operations import file_audience
from heard.steps import compute
from heard.store import audiences, contacts, messages, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, NOON

RECENT = {
    "name": "Order Completed Last 30days",
    "where": {"event": "Order Completed", "at_least": 1, "within": "30d"},
    "to": ["Heard"],
}
TOTAL = {"name": "total_orders", "count": {"event": "Order Completed"}, "to": ["Heard"]}
KEY = "order_completed_last_30days"


def define(desk: Desk, *lines: dict[str, Any]) -> None:
    """As the file does, and no further: nothing is computed yet."""
    read = [
        file_audience.audience_line(line, "audiences[0]") if "where" in line else file_audience.trait_line(line, "t[0]")
        for line in lines
    ]
    desk.store.write_now(lambda connection: file_audience.keep_computed(connection, ACME, read, [], [], desk.now))


def compute_all(desk: Desk) -> int:
    """Until all is live; gives in how many chunks."""
    for chunk in range(1000):
        if not desk.store.write_now(partial(compute.go_on, directory=desk.directory, now=desk.now)).worked:
            return chunk
    raise AssertionError("it never ends")


def slide(desk: Desk, length: timedelta) -> None:
    """Time goes by, and every moment at which somebody moves is visited in order."""
    end = desk.now + length
    while (due := desk.store.read_now(audiences.next_due)) is not None and due <= end:
        desk.now = max(due, desk.now)
        desk.store.write_now(partial(compute.slide, directory=desk.directory, now=desk.now))
    desk.now = end


def traits_of(desk: Desk, user: str) -> dict[str, Any]:
    found = desk.store.read_now(lambda connection: contacts.by_user_id(connection, ACME, [user]))
    return msgspec.json.decode(found[user].traits)


def told(desk: Desk) -> list[dict[str, Any]]:
    """What destinations outside are sent, oldest first."""
    kept = desk.store.read_now(lambda connection: messages.after(connection, 0))
    return [msgspec.json.decode(each.kept.body) for each in kept if each.kept.source == 0]


def described(desk: Desk, user: str) -> dict[str, Any]:
    def look(connection: Connection) -> dict[str, Any]:
        return people.described(connection, contacts.by_user_id(connection, ACME, [user])[user])

    return desk.store.read_now(look)


def hook(desk: Desk, number: int = 2, **more: Any) -> None:
    row = {"name": f"Hook {number}", "type": "webhook", "settings": {"url": "https://hooks.example", "secret": "shh"}}
    desk.add(tables.destinations, workspace_id=ACME, id=number, source_ids=None, **row, **more)


@pytest.fixture
def recent(desk: Desk) -> Desk:
    """A desk with the audience and the trait of the handbook, live before anything came."""
    define(desk, RECENT, TOTAL)
    compute_all(desk)
    return desk


def test_somebody_enters_leaves_by_time_alone_and_enters_again(recent: Desk):
    recent.receive(recent.identify("ann", email="ann@example.com"))
    assert KEY not in traits_of(recent, "ann")

    recent.receive(recent.track("ann"))
    assert traits_of(recent, "ann") == {"email": "ann@example.com", KEY: True, "total_orders": 1}
    assert described(recent, "ann")["audiences"] == ["Order Completed Last 30days"]

    slide(recent, 29 * DAY)
    assert traits_of(recent, "ann")[KEY] is True
    slide(recent, DAY)
    assert traits_of(recent, "ann")[KEY] is False
    assert described(recent, "ann")["audiences"] == []

    recent.receive(recent.track("ann", "Completed Order"))
    assert (traits_of(recent, "ann")[KEY], traits_of(recent, "ann")["total_orders"]) == (True, 2)
    spans = [(row.entered_at, row.left_at) for row in recent.rows(tables.audience_memberships)]
    assert spans == [(NOON, NOON + 30 * DAY), (NOON + 30 * DAY, None)]
    assert {row.name: row.members for row in recent.rows(tables.audiences)} == {RECENT["name"]: 1, "total_orders": 0}


def test_an_order_counts_from_when_it_happened_not_from_when_it_came(recent: Desk):
    recent.receive(
        recent.identify("ann"), recent.track("ann", at=NOON - 20 * DAY), recent.track("bob", at=NOON - 40 * DAY)
    )
    recent.receive(recent.identify("bob"))
    assert traits_of(recent, "ann")[KEY] is True
    assert traits_of(recent, "bob") == {"total_orders": 1}
    slide(recent, 10 * DAY)
    assert traits_of(recent, "ann")[KEY] is False


def test_what_somebody_did_before_they_were_a_contact_counts_when_they_are(recent: Desk):
    recent.receive(recent.track("ann"))
    assert recent.rows(tables.contacts) == []
    slide(recent, DAY)
    recent.receive(recent.identify("ann"))
    assert traits_of(recent, "ann") == {KEY: True, "total_orders": 1}


def test_what_is_read_twice_is_counted_once(recent: Desk):
    record = recent.record({"batch": [recent.identify("ann"), recent.track("ann"), recent.track("ann")]})
    for _ in range(2):
        recent.route([record])
    assert traits_of(recent, "ann")["total_orders"] == 2


def test_a_new_audience_takes_in_what_was_there_before_it(desk: Desk):
    hook(desk)
    desk.receive(*(desk.identify(f"user {n}") for n in range(5)))
    desk.receive(*(desk.track(f"user {n}") for n in range(3)))
    desk.wait(20 * DAY)
    desk.receive(desk.track("user 0"), desk.track("nobody"))
    define(desk, {**RECENT, "to": ["Heard", "Hook 2"]}, TOTAL)
    compute_all(desk)

    assert [traits_of(desk, f"user {n}").get("total_orders") for n in range(5)] == [2, 1, 1, None, None]
    assert [traits_of(desk, f"user {n}").get(KEY) for n in range(5)] == [True, True, True, None, None]
    assert sorted(each["userId"] for each in told(desk)) == ["user 0", "user 1", "user 2"]
    assert len(desk.rows(tables.contacts)) == 5
    slide(desk, 11 * DAY)
    assert [traits_of(desk, f"user {n}")[KEY] for n in range(3)] == [True, False, False]
    compute_all(desk)
    assert len(told(desk)) == 5


def test_what_comes_while_a_new_audience_catches_up_is_counted_once(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compute, "MESSAGES", 3)
    monkeypatch.setattr(compute, "PEOPLE", 2)
    desk.receive(*(desk.identify(f"user {n}") for n in range(7)))
    desk.receive(*(desk.track(f"user {n}") for n in range(7)))
    define(desk, TOTAL)
    for came in range(100):
        if not desk.store.write_now(partial(compute.go_on, directory=desk.directory, now=desk.now)).worked:
            break
        desk.receive(desk.track(f"user {came % 7}"), desk.identify(f"late {came}"), desk.track(f"late {came}"))
    else:
        raise AssertionError("it never ends")
    counted = sum(traits_of(desk, row.user_id)["total_orders"] for row in desk.rows(tables.contacts))
    assert counted == 7 + 2 * came
    assert len(desk.rows(tables.contacts)) == 7 + came


def test_another_definition_is_computed_anew_and_only_changes_are_told(desk: Desk):
    hook(desk)
    define(desk, {**RECENT, "to": ["Hook 2"]})
    compute_all(desk)
    desk.receive(desk.identify("ann"), desk.track("ann"), desk.identify("bob"), desk.track("bob"), desk.track("bob"))
    define(desk, {**RECENT, "where": {"event": "Order Completed", "at_least": 2}, "to": ["Hook 2"]})
    compute_all(desk)

    assert [(each["userId"], each["traits"][KEY]) for each in told(desk)] == [
        ("ann", True), ("bob", True), ("ann", False),
    ]  # fmt: skip
    assert KEY not in traits_of(desk, "ann")
    define(desk, {**RECENT, "where": {"event": "Order Completed", "at_least": 2}, "to": ["Hook 2"]})
    assert [row.phase for row in desk.rows(tables.audiences)] == ["live"]


def test_destinations_outside_are_told_as_segment_tells_them(desk: Desk):
    hook(desk)
    hook(desk, 3, enabled=0)
    define(
        desk,
        {**RECENT, "to": ["Hook 2", "Hook 3"]},
        {**RECENT, "name": "Buyers", "to": ["Hook 2"], "as": "events"},
        {**TOTAL, "to": ["Hook 2"], "as": "events"},
    )
    compute_all(desk)
    desk.receive(desk.identify("ann"), desk.track("ann"))

    by_key = {each["context"]["personas"]["computation_key"]: each for each in told(desk)}
    first = by_key[KEY]
    assert (first["type"], first["userId"], first["traits"]) == ("identify", "ann", {KEY: True})
    assert first["integrations"] == {"All": False, "Hook 2": True, "Hook 3": True}
    assert first["context"]["personas"] == {
        "computation_class": "audience", "computation_id": "aud_1", "computation_key": KEY,
        "namespace": "spa_1", "space_id": "spa_1",
    }  # fmt: skip
    assert by_key["buyers"]["event"] == "Audience Entered"
    assert by_key["buyers"]["properties"] == {"audience_key": "buyers", "buyers": True}
    assert by_key["total_orders"]["event"] == "Trait Computed"
    assert by_key["total_orders"]["properties"] == {"trait_key": "total_orders", "total_orders": 1}
    kept = desk.store.read_now(lambda connection: messages.after(connection, 0))
    (routing,) = [each.kept.routing for each in kept if each.kept.message_id == first["messageId"]]
    assert msgspec.json.decode(routing or "")["to"] == [2]
    assert set(msgspec.json.decode(routing or "")["not"]) == {"3"}


def test_a_campaign_asks_only_the_members_of_its_audience(recent: Desk):
    recent.campaign(event="Support Closed", audience="Order Completed Last 30days")
    recent.receive(recent.identify("ann", email="ann@example.com"), recent.identify("bob", email="bob@example.com"))
    recent.receive(recent.track("ann"))
    recent.receive(recent.track("ann", "Support Closed"), recent.track("bob", "Support Closed"))

    assert recent.decisions("ann") == [("invited", [])]
    assert recent.decisions("bob") == [("declined", [Reason.NOT_IN_AUDIENCE.value])]


def test_the_very_event_that_makes_a_member_may_ask_them(recent: Desk):
    recent.campaign(audience="Order Completed Last 30days")
    recent.receive(recent.identify("ann", email="ann@example.com"), recent.track("ann"))
    assert recent.decisions("ann") == [("invited", [])]


def test_who_left_the_audience_before_the_mail_is_due_gets_none(recent: Desk):
    recent.campaign(audience="Order Completed Last 30days", delay="31d")
    recent.receive(recent.identify("ann", email="ann@example.com"), recent.track("ann"))
    slide(recent, 32 * DAY)
    assert recent.send() == []
    assert recent.states() == ["cancelled"]
    assert recent.decisions("ann") == [("declined", [Reason.NOT_IN_AUDIENCE.value])]


def test_while_an_audience_is_computed_nobody_is_asked_and_told_so(desk: Desk):
    desk.campaign(audience="Order Completed Last 30days")
    desk.receive(desk.identify("ann", email="ann@example.com"))
    define(desk, RECENT)
    desk.receive(desk.track("ann"))
    assert desk.decisions("ann") == [("declined", [Reason.NOT_IN_AUDIENCE.value])]
    (decision,) = desk.rows(tables.decisions)
    assert decision.objections[0].detail == "Order Completed Last 30days is still being computed."


def test_line_24_a_burst_of_first_syncs_costs_no_daily_limit_and_loses_no_later_track(desk: Desk):
    desk.intake(daily_limit=60)
    desk.campaign(event="Support Closed", audience="Order Completed Last 30days")
    desk.receive(*(desk.identify(f"user {n}", email=f"u{n}@example.com") for n in range(25)))
    desk.receive(*(desk.track(f"user {n}") for n in range(25)))
    define(desk, RECENT)
    compute_all(desk)
    assert all(traits_of(desk, f"user {n}")[KEY] is True for n in range(25))

    desk.receive(desk.track("user 7", "Support Closed"))
    assert desk.decisions("user 7") == [("invited", [])]


@pytest.mark.parametrize("to", [["Heard"], ["Hook 2"]])
def test_line_24_a_sync_makes_no_contact(desk: Desk, to: list[str]):
    hook(desk)
    define(desk, {**RECENT, "to": to})
    compute_all(desk)
    desk.receive(desk.track("a stranger"))
    assert desk.rows(tables.contacts) == []
    assert told(desk) == []
