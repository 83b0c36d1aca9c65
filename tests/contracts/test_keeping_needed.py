"""A day that somebody still needs stays, however old it is; for a destination that is down only so long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from heard.errors import Invalid
from heard.retention import Kind
from heard.store import audit, messages, removals, replays, tables
from tests.contracts.front import Front, front, hook, identify, track
from tests.contracts.kept import CAMPAIGN, DAY, KEEP, days_with_messages, receive_daily, rows
from tests.contracts.receiver import Receiver


def test_a_day_with_a_held_track_stays_until_it_is_decided(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        patient = {"name": "Heard", "type": "surveys", "settings": {"late_identify": "20d"}}
        await heard.apply(patient, **CAMPAIGN)
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(15 * DAY)
        assert days_with_messages(heard) == [15]
        (held,) = heard.app.pipeline.house.held_back
        assert (held.need.why, held.until) == ("held", None)

        await heard.receive(identify("ann", email="ann@example.com"))
        await heard.settle()
        assert len(rows(heard, tables.deliveries)) == 1
        await heard.pass_time(DAY)
        assert days_with_messages(heard) == [1]
        assert heard.app.pipeline.house.held_back == ()

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_day_with_messages_over_the_daily_limit_stays_until_they_are_taken(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply({"name": "Heard", "type": "surveys", "settings": {"daily_limit": 1}})
        await heard.receive(*(identify(f"user {n}") for n in range(14)))
        await heard.settle()
        await heard.pass_time(12 * DAY)
        assert days_with_messages(heard) == [12]
        assert heard.app.pipeline.house.held_back[0].need.why == "intake"

        await heard.pass_time(3 * DAY)
        assert days_with_messages(heard) == []
        assert len(rows(heard, tables.contacts)) == 14

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_destination_that_is_down_holds_the_past_back_for_a_week_and_no_longer(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann", "First"), track("bob", "Last"))
        receiver.script[:] = [500] * 10_000
        await heard.settle()
        await heard.apply(hook(receiver.url, enabled=False))  # somebody switches it off while it is down
        await heard.pass_time(DAY)
        await heard.receive(track("ann", "To nobody"))
        await heard.settle()
        assert [each[0] for each in heard.forwards("Hook")] == ["retrying"] * 2
        await heard.pass_time(15 * DAY)

        assert days_with_messages(heard) == [16]
        (held,) = heard.app.pipeline.house.held_back
        assert held.need.destination == heard.destination("Hook")
        assert held.until is not None
        there_from = heard.app.store.read_now(lambda found: removals.gone_before(found, Kind.MESSAGES))
        assert there_from is not None  # the day after is gone, and still it is this one
        assert there_from.date() == heard.app.clock.now().date() - 16 * DAY
        assert timedelta(0) < held.until - heard.app.clock.now() <= 3 * DAY

        await heard.pass_time(2 * DAY)
        assert days_with_messages(heard) == []
        assert heard.forwards("Hook") == []
        assert heard.counts("Hook")["discarded"] == 2
        noted = heard.app.store.read_now(lambda found: audit.newest(found, 1))
        (dropped,) = [each for each in noted if each.what == "messages.dropped"]
        assert (dropped.by, dropped.subject, dropped.detail["messages"]) == ("Heard", "Hook", 2)

    with Receiver() as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_what_a_courier_has_not_come_to_is_counted_when_it_goes_and_the_courier_goes_on(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        courier = heard.app.couriers.by_destination[heard.destination("Hook")]
        async with courier.at_rest():  # as if it hung
            for number in range(3):
                await heard.receive(track("ann", f"Event {number}"))
                await heard.app.pipeline.route_once()
            heard.app.clock.move_to(heard.app.clock.now() + 12 * DAY)
            heard.app.pipeline.house.at_once()
            while await heard.app.pipeline.tidy_once():
                pass
            assert days_with_messages(heard) == [12]

            heard.app.clock.move_to(heard.app.clock.now() + 6 * DAY)
            while await heard.app.pipeline.tidy_once():
                pass
            assert days_with_messages(heard) == []
        assert heard.counts("Hook") == {"discarded": 3}
        await heard.receive(track("ann", "Event 3"))
        await heard.settle()
        assert [b"Event 3" in body for body in receiver.bodies] == [True]

    with Receiver() as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_destination_that_is_switched_off_and_is_given_nothing_holds_nothing_back(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook("https://hooks.example.com/in", enabled=False))
        await receive_daily(heard, 13)

        assert days_with_messages(heard) == list(range(1, 11))

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_replay_that_runs_has_its_messages_until_it_is_done(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await receive_daily(heard, 10)
        await heard.apply(hook(receiver.url))
        courier = heard.app.couriers.by_destination[heard.destination("Hook")]
        now, number = heard.app.clock.now(), heard.destination("Hook")

        def begin(connection: Any) -> None:
            position, last = messages.received_within(connection, now - 11 * DAY, now)
            window = {"since": now - 10 * DAY, "until": now, "position": position, "last": last}
            replays.begin(connection, 1, destination=number, by="ted", at=now, **window)

        async with courier.at_rest():
            heard.app.store.write_now(begin)
            courier.look()
            heard.app.clock.move_to(heard.app.clock.now() + 2 * DAY)
            heard.app.pipeline.house.at_once()
            while await heard.app.pipeline.tidy_once():
                pass
            assert days_with_messages(heard)[-1] == 12
        await heard.pass_time(timedelta(hours=2))
        assert len(receiver.bodies) == 10
        assert days_with_messages(heard)[-1] == 10

    with Receiver() as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_new_audience_counts_all_that_is_there_before_any_of_it_goes(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(identify("ann"), track("ann"))
        await heard.settle()
        buyers = {"name": "Buyers", "where": {"event": "Order Completed", "at_least": 1}}
        heard.app.clock.move_to(heard.app.clock.now() + 12 * DAY)
        await heard.apply(audiences=[buyers])
        heard.app.pipeline.house.at_once()
        while await heard.app.pipeline.tidy_once():
            pass
        assert heard.app.pipeline.house.held_back[0].need.why == "audience"
        await heard.pass_time(DAY)
        assert days_with_messages(heard) == []
        assert [row.members for row in rows(heard, tables.audiences)] == [1]

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_an_audience_that_looks_back_too_far_is_refused_by_the_file_and_at_the_start(tmp_path: Path, url: str):
    buyers = {"name": "Buyers", "where": {"event": "Order Completed", "at_least": 1, "within": "30d"}}

    async def refused(heard: Front) -> None:
        with pytest.raises(Invalid, match=r"Buyers looks back 30 days, and messages are kept 10 days"):
            await heard.apply(audiences=[buyers])
        assert rows(heard, tables.audiences) == []

    async def made(heard: Front) -> None:
        await heard.apply(audiences=[buyers])

    front(tmp_path, refused, HEARD_DATABASE_URL=url, **KEEP)
    front(tmp_path, made, HEARD_DATABASE_URL=url)
    with pytest.raises(Invalid, match="set HEARD_KEEP_MESSAGES to 30d or more"):
        front(tmp_path, made, HEARD_DATABASE_URL=url, **KEEP)
    front(tmp_path, made, HEARD_DATABASE_URL=url, HEARD_KEEP_MESSAGES="30d")
