"""What is wrong with some messages, with the database or with us: a courier goes on, and nobody pays for the others."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from heard.destinations.destination import Answer, Request
from heard.operations import destinations, replay
from heard.store import messages, tables
from tests.contracts.front import Front, front, hook, track
from tests.contracts.receiver import Receiver, answer

MINUTE = timedelta(minutes=1)


class ByBody(list[Any]):
    """A script that goes by what is in a request."""

    def __init__(self, receiver: Receiver, reply: Callable[[bytes], int]) -> None:
        super().__init__([0])
        self._receiver, self._reply = receiver, reply

    def pop(self, _index: Any = -1) -> Any:
        return self._reply(self._receiver.bodies[-1])


def arrived(receiver: Receiver, event: str) -> int:
    return sum(json.loads(body)["event"] == event for body in receiver.bodies)


def test_messages_that_always_fail_do_not_stand_in_the_way_of_new_ones(tmp_path: Path):
    async def story(heard: Front) -> None:
        receiver.script = ByBody(receiver, lambda body: 500 if b"Poison" in body else 200)
        await heard.apply(hook(receiver.url))
        for _ in range(10):  # a receiver that cannot digest every tenth
            names = ["Poison" if n % 10 == 0 else "Sound" for n in range(300)]
            await heard.receive(*(track(f"user {n}", name) for n, name in enumerate(names)))
            await heard.settle()
            await heard.pass_time(3 * MINUTE)
        assert arrived(receiver, "Sound") == 2700

    with Receiver() as receiver:
        front(tmp_path, story)


def test_retry_after_0_gives_a_destination_that_is_down_its_rest(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(*(track(f"user {n}", f"Event {n}") for n in range(300)))
        await heard.settle()
        assert len(receiver.received) < 20

    with Receiver(*[answer(503, b"", Retry_After="0")] * 290) as receiver:
        front(tmp_path, story)


def test_while_outcomes_cannot_be_kept_nothing_is_sent_twice(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(*(track(f"user {n}", note="x" * 8_000) for n in range(60)))
        await heard.app.pipeline.route_once()
        courier = heard.app.couriers.by_destination[heard.destination("Hook")]
        heard.app.store.write_now(lambda found: found.exec_driver_sql("PRAGMA max_page_count = 1"))  # the disk is full
        going = asyncio.create_task(courier.step())
        await asyncio.sleep(2.5)
        assert len(receiver.received) == 60
        assert not going.done()
        heard.app.store.write_now(lambda found: found.exec_driver_sql("PRAGMA max_page_count = 1000000"))
        await going
        await heard.settle()
        assert len(receiver.received) == 60
        assert heard.counts("Hook") == {"discarded": 60}

    with Receiver(*[400] * 60) as receiver:
        front(tmp_path, story)


def test_a_request_that_heard_cannot_make_or_send_costs_its_neighbours_nothing(tmp_path: Path):
    async def story(heard: Front) -> None:
        sending = heard.app.couriers._carry

        async def carry(request: Request) -> Answer:
            if b"Unsendable" in request.body:
                raise ValueError("something that nobody thought of")
            return await sending(request)

        heard.app.couriers._carry = carry
        await heard.apply({"name": "Segment", "type": "segment", "settings": {"write_key": "wk", "host": receiver.url}})
        number = heard.destination("Segment")
        await heard.receive(*(track("ann", f"Event {n}") for n in range(120)), track("ann", "Unsendable"))
        await heard.settle()
        assert heard.counts("Segment")["delivered"] >= 100
        (state, _, reason) = heard.forwards("Segment")[-1]
        assert (state, reason) == ("retrying", "failed")

        broken = msgspec.structs.replace(heard.app.directory.destinations[number], settings={})  # no write key
        heard.app.couriers.by_destination[number].destination = broken
        await heard.receive(track("ann", "Unmakeable"))
        await heard.settle()
        assert heard.forwards("Segment")[-1] == ("dead", 1, "failed")

    with Receiver() as receiver:
        front(tmp_path, story)


def test_what_comes_back_for_a_destination_that_was_removed_is_not_kept(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        number = heard.destination("Hook")
        await heard.receive(*(track(f"user {n}") for n in range(20)))
        await heard.app.pipeline.route_once()
        going = asyncio.create_task(heard.app.couriers.by_destination[number].step())
        await asyncio.sleep(0.1)
        await destinations.remove(heard.app, workspace=1, number=number, by="ann")
        await going
        for table in (tables.forwards, tables.forward_counts):
            of_it = select(table).where(table.c.destination_id == number)
            assert heard.app.store.read_now(lambda found, of_it=of_it: found.execute(of_it).all()) == []

    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.write(answer(400))

    with Receiver(*[late] * 8) as receiver:
        front(tmp_path, story)


def test_a_replay_ends_with_its_destination(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        number = heard.destination("Hook")
        await heard.receive(*(track(f"user {n}") for n in range(20)))
        await heard.settle()
        receiver.script += [503] * 100
        begun = await replay.begin(heard.app, destination="Hook", since="1d")
        assert begun["state"] == "running"
        assert begun["looked_at"] + begun["left"] == 20
        await destinations.remove(heard.app, workspace=1, number=number, by="ann")
        await replay.cancel(heard.app, workspace=1, id=begun["id"], by="ann")
        assert (await replay.progress(heard.app, id=begun["id"]))["state"] == "cancelled"

    with Receiver() as receiver:
        front(tmp_path, story)


def test_what_is_sent_again_keeps_the_delivery_id_of_its_run_however_often_it_is_tried(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        receiver.script.append(500)
        await replay.begin(heard.app, destination="Hook", since="1d")
        await heard.pass_time(MINUTE)
        (kept,) = heard.app.store.read_now(lambda connection: messages.after(connection, 0))
        await replay.one(heard.app, workspace=1, destination=heard.destination("Hook"), message=kept.kept.id, by="ann")
        await heard.settle()
        first, replayed, tried_again, by_hand = [each.headers["webhook-id"] for each in receiver.received]
        assert replayed == tried_again
        assert len({first, replayed, by_hand}) == 3
        assert [json.loads(body).get("integrations") for body in receiver.bodies[1:]] == [
            {"All": False, "Hook": True}
        ] * 3

    with Receiver() as receiver:
        front(tmp_path, story)


def test_segment_gets_the_senders_own_integrations_however_often_it_is_sent_again(tmp_path: Path):
    async def story(heard: Front) -> None:
        wish = {"All": False, "Segment": True, "Mixpanel": True, "Amplitude": {"session_id": 17}}
        settings = {"write_key": "wk", "host": receiver.url}
        await heard.apply({"name": "Segment", "type": "segment", "settings": settings})
        await heard.receive({**track("ann", "Chosen"), "integrations": wish}, track("ann", "Unchosen"))
        await heard.settle()
        receiver.script.append(500)
        await replay.begin(heard.app, destination="Segment", since="1d")
        await heard.pass_time(MINUTE)  # what is tried again was replayed, too
        chosen, _ = heard.app.store.read_now(lambda connection: messages.after(connection, 0))
        number = heard.destination("Segment")
        await replay.one(heard.app, workspace=1, destination=number, message=chosen.kept.id, by="ann")
        await heard.settle()

        sent = [each for body in receiver.bodies for each in json.loads(body)["batch"]]
        assert Counter(each["event"] for each in sent) == {"Chosen": 4, "Unchosen": 3}
        for each in sent:
            assert each.get("integrations") == (wish if each["event"] == "Chosen" else None)

    with Receiver() as receiver:
        front(tmp_path, story)


def test_a_replay_goes_to_segment_whatever_the_sender_said_of_it(tmp_path: Path):
    async def story(heard: Front) -> None:
        settings = {"write_key": "wk", "host": receiver.url}
        await heard.apply({"name": "Segment", "type": "segment", "settings": settings})
        await heard.receive({**track("ann"), "integrations": {"Segment": False}})
        await heard.settle()
        assert receiver.received == []
        await replay.begin(heard.app, destination="Segment", since="1d")
        await heard.settle()
        ((sent,),) = [json.loads(body)["batch"] for body in receiver.bodies]
        assert sent["integrations"] == {"Segment": False}

    with Receiver() as receiver:
        front(tmp_path, story)
