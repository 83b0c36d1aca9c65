"""How long deliveries take: from receipt to delivery, and only where nobody asked for them by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from heard.operations import replay
from heard.routing.latency import percentile
from heard.store import forwards, messages
from tests.contracts.front import Front, front, hook, track
from tests.contracts.receiver import Receiver, answer

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def latencies(heard: Front) -> dict[int, int]:
    """How many deliveries of each class of latency."""
    since = heard.app.clock.now() - timedelta(days=30)
    found = heard.app.store.read_now(lambda connection: forwards.counted(connection, 1, since=since))
    parts = [(name.partition(":"), n) for name, n in found.get(heard.destination("Hook"), {}).items()]
    return {int(rest): n for (kind, _, rest), n in parts if kind == forwards.LATENCY}


def test_what_failed_first_is_counted_from_its_receipt(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(11 * MINUTE)
        assert heard.forwards("Hook") == [("delivered", 2, "http_200")]
        slow = percentile(latencies(heard))
        assert slow is not None
        assert slow >= 600

    with Receiver(answer(500, b"", Retry_After="600")) as receiver:
        front(tmp_path, story)


def test_what_waited_before_its_first_try_is_counted_from_its_receipt(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.app.pipeline.route_once()
        await heard.apply(hook(receiver.url, enabled=False))
        await heard.pass_time(10 * MINUTE)
        await heard.apply(hook(receiver.url))
        await heard.settle()
        await heard.pass_time(MINUTE)
        assert heard.forwards("Hook") == [("delivered", 2, "http_200")]
        slow = percentile(latencies(heard))
        assert slow is not None
        assert slow >= 600  # not from its first try

    with Receiver(500) as receiver:
        front(tmp_path, story)


def test_a_dead_letter_that_is_sent_again_by_hand_is_not_counted_however_often_it_is_tried(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(7 * HOUR)
        assert [state for state, *_ in heard.forwards("Hook")] == ["dead"]
        receiver.script[:] = [500] * 23  # more than the tries that are kept
        await replay.dead(heard.app, destination="Hook")
        await heard.settle()
        await heard.pass_time(3 * HOUR + 50 * MINUTE)
        assert [state for state, *_ in heard.forwards("Hook")] == ["delivered"]
        assert heard.counts("Hook")["delivered"] == 1
        assert latencies(heard) == {}

    with Receiver(*[500] * 500) as receiver:
        front(tmp_path, story)


def test_a_replay_and_a_message_sent_again_change_nothing_with_a_second_try_either(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        before = latencies(heard)
        assert sum(before.values()) == 1

        receiver.script.append(500)
        await replay.begin(heard.app, destination="Hook", since="1d")
        await heard.pass_time(MINUTE)
        receiver.script.append(500)
        (kept,) = heard.app.store.read_now(lambda connection: messages.after(connection, 0))
        await replay.one(heard.app, workspace=1, destination=heard.destination("Hook"), message=kept.kept.id, by="ann")
        await heard.settle()
        await heard.pass_time(MINUTE)
        assert heard.counts("Hook") == {"delivered": 3, "retried": 2}
        assert latencies(heard) == before

    with Receiver() as receiver:
        front(tmp_path, story)
