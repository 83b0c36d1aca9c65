"""Messages as pages read them, on both databases: none is skipped, whatever came with it and became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from heard.store import story, tail
from heard.store.messages import Kept
from heard.store.tail import Wanted
from tests.contracts.desk import ACME, Desk


def theirs(desk: Desk, *, before: datetime | None = None, limit: int = 3) -> list[Kept]:
    return desk.store.read_now(partial(story.messages_of, workspace=ACME, user_id="ted", before=before, limit=limit))


def test_messages_of_one_request_stand_on_one_page_however_many(desk: Desk):
    desk.receive(desk.track("ted", event="Before"))
    desk.wait(timedelta(hours=1))
    desk.receive(*(desk.track("ted", event=f"Together {number}") for number in range(8)), desk.track("robin"))
    desk.wait(timedelta(hours=1))
    desk.receive(desk.track("ted", event="After"))

    first = theirs(desk)
    rest = theirs(desk, before=first[-1].received_at)

    assert [each.event for each in first] == ["After", *(f"Together {number}" for number in reversed(range(8)))]
    assert [each.event for each in rest] == ["Before"]


def test_what_waited_and_was_accepted_then_is_found_as_accepted(desk: Desk):
    desk.campaign()
    desk.receive(desk.track("ted"))
    desk.wait(timedelta(minutes=1))
    assert [each.event for each in accepted(desk)] == []
    desk.wait(timedelta(days=2))
    desk.lapse()

    assert [each.event for each in accepted(desk)] == ["Order Completed"]


def test_what_waits_for_an_identify_and_what_waits_for_the_next_day_are_held_alike(desk: Desk):
    desk.intake(daily_limit=3)
    desk.campaign()
    desk.receive(desk.track("ted"), desk.track("robin", event="Else"), desk.track("robin"))
    desk.receive(desk.track("lily"), desk.identify("lily"), desk.track("ted", event="Else"))

    assert [(each.user_id, each.type, each.reason) for each in held(desk)] == [
        ("ted", "track", "intake_limit"),
        ("lily", "identify", "intake_limit"),
        ("lily", "track", "intake_limit"),
        ("robin", "track", "not_identified"),
        ("ted", "track", "not_identified"),
    ]
    assert desk.store.read_now(partial(tail.waiting, workspace=ACME)) == 5
    whole, some = held(desk), held(desk, limit=2)
    assert [*some, *held(desk, before=some[-1].id)] == whole
    assert [each.type for each in held(desk, type="identify")] == ["identify"]


def test_a_matched_event_that_surveys_do_not_get_is_no_match(desk: Desk):
    desk.campaign()
    desk.receive(desk.track("ted"), desk.track("ted") | {"integrations": {"All": False}})
    wanted = Wanted(events=("Order Completed",))

    found = desk.store.read_now(partial(tail.back, workspace=ACME, wanted=wanted)).found
    assert [each.message_id for each in found] == ["m1"]


def held(desk: Desk, *, before: int | None = None, limit: int = 50, type: str | None = None) -> list[Kept]:  # noqa: A002
    wanted = Wanted(verdict="held", type=type)
    return desk.store.read_now(partial(tail.back, workspace=ACME, wanted=wanted, before=before, limit=limit)).found


def accepted(desk: Desk) -> list[Kept]:
    return desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted(verdict="accepted"))).found
