"""Destinations outside: each gets its messages in their order, at its own pace, whatever the others do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.contracts.front import Front, front, hook, identify, track
from tests.contracts.receiver import Receiver, answer, hang


def events(receiver: Receiver) -> list[str]:
    return [json.loads(body)["event"] for body in receiver.bodies]


def test_a_destination_gets_its_messages_as_routed_and_in_order(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(identify("ann", plan="Premium"), *(track("ann", f"Event {n}") for n in range(30)))
        await heard.settle()

        first, *rest = [json.loads(body) for body in receiver.bodies]
        assert (first["type"], first["traits"], first["messageId"]) == ("identify", {"plan": "Premium"}, "m1")
        assert [each["event"] for each in rest] == [f"Event {n}" for n in range(30)]
        assert heard.counts("Hook") == {"delivered": 31}
        assert heard.forwards("Hook") == []

    with Receiver() as receiver:
        front(tmp_path, story)


def test_a_new_destination_gets_what_comes_from_then_on(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(track("ann", "Before"))
        await heard.settle()
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann", "After"))
        await heard.settle()
        assert events(receiver) == ["After"]

    with Receiver() as receiver:
        front(tmp_path, story)


def test_line_19_500_500_200_is_one_delivery_after_three_visible_tries(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(timedelta(minutes=1))

        assert heard.forwards("Hook") == [("delivered", 3, "http_200")]
        assert heard.counts("Hook") == {"delivered": 1, "retried": 2}
        assert len({each.headers["webhook-id"] for each in receiver.received}) == 1

    with Receiver(500, 500) as receiver:
        front(tmp_path, story)


def test_line_19_400_is_given_up_at_once_and_its_neighbours_arrive(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann", "One"), track("ann", "Two"))
        await heard.settle()
        assert heard.forwards("Hook") == [("dead", 1, "http_400")]
        assert events(receiver) == ["One", "Two"]

    with Receiver(400) as receiver:
        front(tmp_path, story)


def test_line_19_tries_end_after_four_hours(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        began = heard.app.clock.now()
        await heard.pass_time(timedelta(hours=3, minutes=45))
        assert [state for state, _, _ in heard.forwards("Hook")] == ["retrying"]
        await heard.pass_time(timedelta(hours=1))
        ((state, tries, reason),) = heard.forwards("Hook")
        assert (state, reason) == ("dead", "http_500")
        assert 24 < tries == len(receiver.received)
        assert heard.app.clock.now() - began > timedelta(hours=4)

    with Receiver(*[500] * 500) as receiver:
        front(tmp_path, story)


def test_tries_end_when_the_destination_says_and_a_change_counts_from_the_next_try_on(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(within("10m"))
        await heard.receive(track("ann", "First"))
        await heard.settle()
        await heard.pass_time(timedelta(minutes=21))
        (first,) = heard.forwards("Hook")
        assert first[0] == "dead"
        assert 5 < first[1] < 24  # as many as fit

        await heard.apply(within("2d"))
        await heard.receive(track("ann", "Second"))
        await heard.settle()
        await heard.pass_time(timedelta(hours=5))
        assert [state for state, _, _ in heard.forwards("Hook")] == ["dead", "retrying"]
        await heard.apply(within("1m"))
        await heard.pass_time(timedelta(minutes=21))
        assert [state for state, _, _ in heard.forwards("Hook")] == ["dead", "dead"]

    def within(length: str) -> dict[str, Any]:
        return hook(receiver.url) | {"settings": {"url": receiver.url, "give_up_after": length}}

    with Receiver(*[500] * 1000) as receiver:
        front(tmp_path, story)


def test_a_destination_that_is_down_is_asked_by_one_message_at_a_time_and_catches_up(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(*(track(f"user {n}", f"Event {n}") for n in range(300)))
        await heard.settle()
        assert len(receiver.received) < 20  # it is not hammered with everything that waits
        await heard.pass_time(timedelta(minutes=30))
        arrived = [json.loads(each.body)["messageId"] for each in receiver.received[40:]]
        assert heard.counts("Hook")["delivered"] == 300
        assert len(set(arrived)) == 300

    with Receiver(*[503] * 40) as receiver:
        front(tmp_path, story)


def test_retry_after_is_honoured(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(timedelta(seconds=119))
        assert len(receiver.received) == 1
        await heard.pass_time(timedelta(seconds=2))
        assert heard.counts("Hook") == {"delivered": 1, "retried": 1}

    with Receiver(answer(429, b"", Retry_After="120")) as receiver:
        front(tmp_path, story)


def test_fault_51_one_that_hangs_delays_only_itself(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(slow.url, "Slow"), hook(quick.url, "Quick"))
        await heard.app.couriers.start()
        await heard.receive(*(track(f"user {n}", f"Event {n}") for n in range(50)))
        await heard.app.pipeline.route_once()
        quick_one = heard.app.couriers.by_destination[heard.destination("Quick")]
        while await quick_one.step():
            pass
        assert len(quick.received) == 50
        assert heard.counts("Slow") == {}

    with Receiver(*[hang] * 100) as slow, Receiver() as quick:
        front(tmp_path, story)


def test_what_was_not_kept_before_a_crash_is_sent_again_and_nothing_is_lost(tmp_path: Path):
    async def first(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(*(track("ann", f"Event {n}") for n in range(10)))
        await heard.app.pipeline.route_once()

    async def second(heard: Front) -> None:
        await heard.app.couriers.refresh()
        await heard.settle()
        assert events(receiver) == [f"Event {n}" for n in range(10)]

    with Receiver() as receiver:
        front(tmp_path, first)
        front(tmp_path, second)


def test_switch_filter_and_integrations_object_stop_a_message_with_a_reason(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(
            hook(
                receiver.url,
                events={"Page Scrolled": False},
                filters=[
                    {"if": "contains(event, 'Debug')", "then": "drop"},
                    {"if": "all", "then": {"drop_properties": ["properties.card"]}},
                ],
            )
        )
        await heard.receive(
            track("ann", "Page Scrolled"),
            track("ann", "Debug this"),
            {**track("ann", "Private"), "integrations": {"Hook": False}},
            track("ann", "Order Completed", card="4111", total=9),
        )
        await heard.settle()
        (only,) = [json.loads(body) for body in receiver.bodies]
        assert only["properties"] == {"total": 9}
        assert heard.counts("Hook") == {
            "delivered": 1,
            "refused:event_switch": 1,
            "refused:filtered": 1,
            "refused:integrations_object": 1,
        }

    with Receiver() as receiver:
        front(tmp_path, story)


def test_segment_gets_batches_and_one_bad_message_is_found(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply({"name": "Segment", "type": "segment", "settings": {"write_key": "wk", "host": receiver.url}})
        await heard.receive(*(track("ann", f"Event {n}") for n in range(250)))
        await heard.settle()
        sizes = [len(json.loads(body)["batch"]) for body in receiver.bodies]
        assert sizes[0] == 100
        assert sizes[1:3] == [50, 50]  # what was refused as a whole is halved
        assert heard.counts("Segment")["delivered"] == 250

    with Receiver(400) as receiver:
        front(tmp_path, story)


def test_a_destination_of_another_workspace_gets_nothing(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.apply(hook(receiver.url), workspace="Robin's", sources=[{"name": "Shop", "write_key": "wk_robin"}])
        await heard.receive(track("ann"), source="Website")
        await heard.receive(track("robin", "Sandwich"), source="Shop")
        await heard.settle()
        assert events(receiver) == ["Sandwich"]

    with Receiver() as receiver:
        front(tmp_path, story)


def test_a_destination_that_is_switched_off_gets_what_waits_when_it_is_switched_on_again(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann", "Before"), track("ann", "Refused once"))
        await heard.app.pipeline.route_once()
        await heard.apply(hook(receiver.url, enabled=False))
        await heard.receive(track("ann", "Meanwhile"))
        await heard.settle()
        await heard.pass_time(timedelta(hours=1))
        assert receiver.received == []
        await heard.apply(hook(receiver.url))
        await heard.settle()
        assert events(receiver) == ["Before", "Refused once"]
        assert heard.counts("Hook") == {"delivered": 2, "refused:disabled": 1}

    with Receiver() as receiver:
        front(tmp_path, story)


def test_large_messages_are_taken_a_few_at_a_time(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        for _ in range(20):
            await heard.receive(*(track("ann", note="x" * 30_000) for _ in range(16)))
        await heard.settle()
        assert len(receiver.received) == 320

    with Receiver() as receiver:
        front(tmp_path, story)
