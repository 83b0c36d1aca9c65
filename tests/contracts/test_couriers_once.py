"""While the process lives, nothing that a receiver took is sent to it again, whatever it asks for in between."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from heard.operations import replay
from heard.steps.ahead import Ahead
from heard.store import cursors, forwards
from heard.store.windows import WINDOW
from tests.contracts.front import Front, front, hook, track
from tests.contracts.receiver import Receiver, Reply, answer

PATIENCE = answer(429, b"", Retry_After="1")
SEVEN = 7  # more than the failures in a row after which a destination is down
MANY = 400


class EachHundredth(list[Reply]):
    """200, and from the 50th request on each hundredth time `bad`, so often in a row."""

    def __init__(self, bad: Reply, *, in_a_row: int = 1, every: int = 100) -> None:
        super().__init__([200])
        self._bad, self._in_a_row, self._every = bad, in_a_row, every
        self._numbers = count(1)
        self.given: list[Reply] = []

    def pop(self, _index: Any = -1) -> Reply:
        is_bad = 0 <= (next(self._numbers) - self._every // 2) % self._every < self._in_a_row
        self.given.append(self._bad if is_bad else 200)
        return self.given[-1]


def messages_of(body: bytes) -> list[str]:
    found = json.loads(body)
    return [each["messageId"] for each in found.get("batch", [found])]


def taken(receiver: Receiver, script: EachHundredth, *, since: int = 0) -> Counter[str]:
    """How often it said yes to each message."""
    pairs = list(zip(receiver.bodies, script.given, strict=True))[since:]
    return Counter(each for body, reply in pairs if reply == 200 for each in messages_of(body))


async def of_a_busy_person_and_others(heard: Front) -> None:
    await heard.receive(*(track("busy" if n % 2 else f"user {n}", f"Event {n}") for n in range(MANY)))


async def until_it_is_quiet(heard: Front) -> None:
    await heard.settle()
    for _ in range(40):
        await heard.pass_time(timedelta(seconds=40))


def ahead_of(heard: Front, name: str) -> Ahead:
    return heard.app.couriers.by_destination[heard.destination(name)]._ahead


def test_who_asks_for_patience_gets_each_message_once(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await of_a_busy_person_and_others(heard)
        await until_it_is_quiet(heard)

        times = taken(receiver, script)
        assert (len(times), set(times.values())) == (MANY, {1})
        refused = script.given.count(PATIENCE)
        assert refused >= 4
        assert len(receiver.received) == MANY + refused
        assert heard.counts("Hook") == {"delivered": MANY, "retried": refused}
        assert ahead_of(heard, "Hook").of(0) == frozenset()  # forgotten as the cursor passed

    script = EachHundredth(PATIENCE)
    with Receiver() as receiver:
        receiver.script = script
        front(tmp_path, story)


def test_one_that_is_down_and_comes_back_gets_each_message_once(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await of_a_busy_person_and_others(heard)
        await until_it_is_quiet(heard)

        times = taken(receiver, script)
        assert (len(times), set(times.values())) == (MANY, {1})
        assert script.given.count(503) >= SEVEN * 3
        assert heard.counts("Hook")["delivered"] == MANY

    script = EachHundredth(503, in_a_row=SEVEN)
    with Receiver() as receiver:
        receiver.script = script
        front(tmp_path, story)


def test_a_replay_hands_each_message_over_once_and_says_how_many(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await of_a_busy_person_and_others(heard)
        await heard.settle()
        assert len(receiver.received) == MANY

        receiver.script = script
        begun = await replay.begin(heard.app, destination="Hook", since="1d")
        await until_it_is_quiet(heard)
        pairs = list(zip(receiver.bodies[MANY:], script.given, strict=True))
        times = Counter(each for body, reply in pairs if reply == 200 for each in messages_of(body))
        assert (len(times), set(times.values())) == (MANY, {1})

        refused = script.given.count(PATIENCE)
        done = await replay.progress(heard.app, id=begun["id"])
        assert (done["state"], done["looked_at"]) == ("done", MANY)
        assert done["sent"] == MANY - refused  # what was tried again went out by its own row
        assert heard.counts("Hook") == {"delivered": 2 * MANY, "retried": refused}

    script = EachHundredth(PATIENCE)
    with Receiver() as receiver:
        front(tmp_path, story)


def test_batches_are_handed_over_once_too(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply({"name": "Segment", "type": "segment", "settings": {"write_key": "wk", "host": receiver.url}})
        await of_a_busy_person_and_others(heard)
        await until_it_is_quiet(heard)

        times = taken(receiver, script)
        assert (len(times), set(times.values())) == (MANY, {1})
        assert script.given.count(PATIENCE) >= 2
        assert heard.counts("Segment")["delivered"] == MANY

    script = EachHundredth(PATIENCE, every=4)
    with Receiver() as receiver:
        receiver.script = script
        front(tmp_path, story)


def test_other_settings_meanwhile_send_nothing_again_and_a_replay_judges_only_what_is_left(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await of_a_busy_person_and_others(heard)
        await heard.settle()
        gap = ahead_of(heard, "Hook").of(0)
        assert gap
        assert len(gap) <= WINDOW

        await heard.apply(hook(f"{receiver.url}/elsewhere"))
        await until_it_is_quiet(heard)
        assert set(taken(receiver, script).values()) == {1}
        assert heard.counts("Hook")["delivered"] == MANY

        since = len(receiver.received)
        await replay.begin(heard.app, destination="Hook", since="1d")
        await heard.settle()
        before = taken(receiver, script, since=since)
        drop = [{"if": "contains(event, 'Event')", "then": "drop"}]
        await heard.apply(hook(receiver.url, filters=drop))
        await until_it_is_quiet(heard)
        after = taken(receiver, script, since=since)
        assert set(after.values()) == {1}
        assert before.keys() <= after.keys()
        assert len(after) < MANY  # nothing new went out once the filter stood, but what was already being tried again

    script = EachHundredth(PATIENCE)
    with Receiver() as receiver:
        receiver.script = script
        front(tmp_path, story)


def test_after_a_start_what_had_trouble_beyond_the_cursor_keeps_its_one_row(tmp_path: Path):
    async def first(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await of_a_busy_person_and_others(heard)
        await heard.settle()
        assert ("retrying", 1, "http_429") in heard.forwards("Hook")
        place = forwards.cursor_of(heard.destination("Hook"))
        heard.app.store.write_now(lambda connection: cursors.put(connection, place, 0))  # as if it had not been kept

    async def second(heard: Front) -> None:
        await heard.app.couriers.refresh()
        await until_it_is_quiet(heard)
        assert {(state, attempts) for state, attempts, _ in heard.forwards("Hook")} == {("delivered", 2)}
        times = Counter(each for body in receiver.bodies[len(script.given) :] for each in messages_of(body))
        assert (len(times), set(times.values())) == (MANY, {1})  # by its row, and not by the cursor as well

    script = EachHundredth(PATIENCE)
    with Receiver() as receiver:
        receiver.script = script
        front(tmp_path, first)
        receiver.script = []
        front(tmp_path, second)


def test_what_is_remembered_is_dropped_as_the_cursor_passes():
    ahead = Ahead()
    assert ahead.of(0) is None
    ahead.learn(0, {3, 5, 8}, position=2)
    ahead.learn(7, {1}, position=0)
    ahead.learn(0, {6}, position=5)
    assert (ahead.of(0), ahead.of(7)) == ({6, 8}, {1})
    ahead.learn(9, (), position=0)  # another replay
    assert (ahead.of(0), ahead.of(7), ahead.of(9)) == ({6, 8}, None, set())
