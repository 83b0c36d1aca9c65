"""Messages as pages read them, on both databases: none is skipped, whatever came with it and became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from heard.store import days, dialects, messages, story, tables, tail
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


def test_what_was_routed_to_a_destination_is_found_by_it_and_by_no_number_alike(desk: Desk):
    for number, name in ((3, "Hook"), (13, "Other hook"), (31, "Third hook")):
        desk.add(tables.destinations, workspace_id=ACME, id=number, name=name, type="webhook", settings={})
    desk.receive(
        desk.track("ted", "Everywhere"),
        desk.track("ted", "To 13 alone") | {"integrations": {"All": False, "Other hook": True}},
        desk.track("ted", "Not to 3") | {"integrations": {"Hook": False}},
        desk.track("ted", "To nobody") | {"integrations": {"All": False}},
        desk.track("ted", "Ours alone") | {"integrations": {"All": False, "Heard": True}},
        {"type": "track", "event": "Nobody did it"},
    )
    for _ in range(3):
        desk.receive(desk.track("robin", "Not to 3") | {"integrations": {"Hook": False}})

    assert to(desk, 3) == ["Everywhere"]
    assert to(desk, 31) == ["Not to 3"] * 4 + ["Everywhere"]
    assert to(desk, 13, user_id="ted") == ["Not to 3", "To 13 alone", "Everywhere"]
    assert to(desk, 1, user_id="ted") == ["Ours alone", "Not to 3", "Everywhere"]
    assert to(desk, 13, event="To 13 alone", verdict="accepted") == ["To 13 alone"]
    assert to(desk, 13, verdict="rejected") == to(desk, 1, verdict="rejected") == []

    (nobodys,) = [each for each in accepted(desk) if each.event == "To nobody"]
    row = {"day": 20261122, "state": "delivered", "attempts": 1, "first_at": desk.now, "last_at": desk.now, "tries": ()}
    row |= {"reason": "by_hand", "request": "", "answer": "", "run": 1}
    desk.add(tables.forwards, workspace_id=ACME, destination_id=3, message=nobodys.id, **row)
    assert to(desk, 3) == ["To nobody", "Everywhere"]  # somebody sent it by hand
    assert "To nobody" not in to(desk, 13)


def test_a_rare_destination_is_looked_for_some_way_back_at_a_time(desk: Desk):
    desk.add(tables.destinations, workspace_id=ACME, id=3, name="Hook", type="webhook", settings={})
    desk.receive(desk.track("ted", "Long ago"))
    desk.receive(*(desk.track("ted") | {"integrations": {"Hook": False}} for _ in range(30)))

    wanted = Wanted(to=desk.directory.destinations[3])
    look = partial(tail.back, workspace=ACME, wanted=wanted, most=20)
    first = desk.store.read_now(look)
    assert (first.found, first.further) == ([], 12)
    assert first.reached is not None
    second = desk.store.read_now(partial(look, before=first.further))
    assert [each.event for each in second.found] == ["Long ago"]


def to(desk: Desk, number: int, **more: Any) -> list[str | None]:
    wanted = Wanted(to=desk.directory.destinations[number], **more)
    return [each.event for each in desk.store.read_now(partial(tail.back, workspace=ACME, wanted=wanted)).found]


def held(desk: Desk, *, before: int | None = None, limit: int = 50, type: str | None = None) -> list[Kept]:  # noqa: A002
    wanted = Wanted(verdict="held", type=type)
    return desk.store.read_now(partial(tail.back, workspace=ACME, wanted=wanted, before=before, limit=limit)).found


def accepted(desk: Desk) -> list[Kept]:
    return desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted(verdict="accepted"))).found


def test_what_follows_a_number_is_in_order_though_the_clock_was_set_back_over_midnight(desk: Desk):
    began = desk.now
    for length in (timedelta(), timedelta(days=3), timedelta(days=4), timedelta(days=3), timedelta(days=4)):
        desk.now = began + length
        desk.receive(*(desk.track("ted", f"{length.days} days later") for _ in range(3)))

    def after(position: int, limit: int, until: int | None = None) -> list[int]:
        look = partial(messages.after, position=position, limit=limit, until=until)
        return [each.kept.id for each in desk.store.read_now(look)]

    every = list(range(1, 16))
    assert after(0, 100) == every
    assert after(0, 100, 8) == every[:8]
    for limit in (1, 2, 4, 5, 7):
        walked: list[int] = []
        while some := after(walked[-1] if walked else 0, limit):
            walked += some
        assert walked == every


def test_a_window_of_receipt_is_found_by_the_numbers_at_its_ends(desk: Desk):
    began = desk.now
    for day in range(5):
        desk.now = began + timedelta(days=day)
        desk.receive(desk.track("ted"), desk.track("robin"))

    def within(since: timedelta, until: timedelta) -> tuple[int, int]:
        window = partial(messages.received_within, since=began + since, until=began + until)
        return desk.store.read_now(window)

    hour = timedelta(hours=1)
    assert within(-hour, timedelta(days=9)) == (0, 10)
    assert within(hour, timedelta(days=3)) == (2, 6)
    assert within(timedelta(days=1), timedelta(days=1) + hour) == (2, 4)
    assert within(timedelta(days=6), timedelta(days=9)) == (0, 0)


def test_a_message_is_found_by_its_number_whatever_lies_between(desk: Desk):
    for gap in (1, 5, 1, 2, 30, 1):  # the eve of a day after a gap is made empty
        desk.receive(desk.track("ted"), desk.track("robin"))
        desk.wait(timedelta(days=gap))
    every = desk.store.read_now(partial(messages.after, position=0))

    assert len(every) == 12
    for each in every:
        found = desk.store.read_now(partial(tail.by_id, workspace=ACME, number=each.kept.id))
        assert found is not None
        assert found.message_id == each.kept.message_id
    for number in (0, 13, 9999):
        assert desk.store.read_now(partial(tail.by_id, workspace=ACME, number=number)) is None
    assert desk.store.read_now(partial(tail.by_id, workspace=2, number=3)) is None


def test_days_that_were_made_or_dropped_are_known_at_once(desk: Desk):
    known = desk.store.read_now(days.kept)
    desk.receive(desk.track("ted"))
    day = days.day_of(desk.now)
    assert desk.store.read_now(days.kept) == [day, days.before(day), *known]
    desk.store.write_now(lambda connection: dialects.drop_table(connection, f"messages_{days.before(day)}"))
    assert desk.store.read_now(days.kept) == [day]
