"""Repeats that are none: the same messageId with something else in it is counted, an honest repeat never."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from heard.steps import conflicts
from heard.store import tables
from tests.contracts.desk import ACME, WEBSITE, Desk
from tests.examples import NOON

DAY = timedelta(days=1)


def a_track(**said: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": "m1", "userId": "ted", "event": "Order Completed", **said}


def told(desk: Desk, *later: dict[str, Any]) -> int:
    """How many of these conflict with what came before."""
    routed = desk.receive(*later)
    assert (routed.messages, routed.repeated) == (0, len(later))
    return routed.conflicting[WEBSITE]


FIRST = a_track(properties={"total": 1, "items": [{"sku": "a"}]}, sentAt="2026-11-22T12:00:00Z")
OF_NOBODY = {name: value for name, value in FIRST.items() if name != "userId"} | {"anonymousId": "a1"}


@pytest.mark.parametrize("first", [FIRST, OF_NOBODY], ids=["of ted", "of an anonymous person"])
@pytest.mark.parametrize("later", [timedelta(0), DAY], ids=["at once", "the next day"])
@pytest.mark.parametrize(
    ("change", "conflict"),
    [
        ({}, 0),
        ({"sentAt": "2026-11-22T12:00:07Z"}, 0),
        ({"sentAt": "2026-11-22T12:00:07Z", "receivedAt": "2026-11-22T12:00:08Z"}, 0),
        ({"properties": {"items": [{"sku": "a"}], "total": 1}}, 0),
        ({"properties": {"total": 2, "items": [{"sku": "a"}]}}, 1),
        ({"event": "Order Refunded"}, 1),
        ({"timestamp": "2026-11-22T11:00:00Z"}, 1),
        ({"userId": "marshall"}, 1),
        ({"anonymousId": "a2"}, 1),
    ],
)
def test_what_differs_in_more_than_when_it_was_sent_is_another_message(
    desk: Desk, first: dict[str, Any], later: timedelta, change: dict[str, Any], conflict: int
):
    desk.receive(first)
    desk.now += later
    assert told(desk, first | change) == conflict


def test_two_in_one_batch_are_compared_with_the_first_of_them(desk: Desk):
    routed = desk.receive(a_track(), a_track(), a_track(event="Other"), a_track(messageId="m2", event="Other"))
    assert (routed.messages, routed.repeated, routed.conflicting[WEBSITE]) == (2, 2, 1)


def test_it_is_counted_by_source_and_another_sources_ids_are_its_own(desk: Desk):
    desk.add(tables.sources, workspace_id=ACME, id=2, name="App", write_key="wk_app", created_at=NOON)
    desk.receive(a_track())
    assert desk.receive(a_track(event="Other"), source=2).repeated == 0
    assert desk.receive(a_track(event="A third"), source=2).conflicting == {2: 1}


def test_what_was_rejected_is_no_first(desk: Desk):
    desk.receive({"type": "track", "messageId": "m1", "userId": "ted"})
    assert desk.receive(a_track()).messages == 1


@pytest.mark.parametrize("unplanned", ["omit", "block"])
@pytest.mark.parametrize("first", [FIRST, OF_NOBODY], ids=["of ted", "of an anonymous person"])
def test_an_honest_repeat_of_what_a_tracking_plan_changed_or_blocked_is_none(
    desk: Desk, first: dict[str, Any], unplanned: str
):
    desk.add(
        tables.tracking_plans,
        workspace_id=ACME,
        id=1,
        name="Plan",
        source_ids=[WEBSITE],
        told=[],
        settings={"unplanned_properties": unplanned, "events": {"Order Completed": {"properties": {"items": "array"}}}},
    )
    desk.receive(first)
    assert told(desk, first | {"sentAt": "2026-11-22T12:00:07Z"}) == 0


def test_of_a_storm_only_so_many_are_compared_and_nobodys_long_day_is_read_to_its_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conflicts, "MOST_COMPARED", 10)
    monkeypatch.setattr(conflicts, "MOST_LOOKED_THROUGH", 40)
    desk.receive(*(a_track(messageId=f"m{n}", userId=f"user {n}") for n in range(30)))
    assert told(desk, *(a_track(messageId=f"m{n}", userId=f"user {n}", event="Other") for n in range(30))) == 10

    desk.receive(*(a_track(messageId=f"busy {n}", userId="busy") for n in range(60)))
    # which forty of the sixty are read is the database's; what is not among them is said nothing of
    assert told(desk, *(a_track(messageId=f"busy {n}", userId="busy") for n in range(50, 60))) == 0
