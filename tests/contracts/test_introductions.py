"""A destination named later is told of everybody who is in an audience by then, once, and of changes at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heard.audiences.audience import Form
from heard.audiences.introduction import Reach, newcomers
from heard.installation import Installation
from heard.operations import audiences_edit, audiences_seen
from heard.steps import compute, introduce
from heard.store import audiences, messages, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_audiences import KEY, RECENT, TOTAL, compute_all, define, hook, slide, told, traits_of
from tests.contracts.test_pipeline import identify, run
from tests.examples import DAY

ALONE = {**RECENT, "to": ["Hook 2"]}
BOTH = {**RECENT, "to": ["Hook 2", "Hook 3"]}


@pytest.fixture
def five(desk: Desk) -> Desk:
    """Five contacts, of whom three ordered, and a destination that was told so."""
    hook(desk)
    hook(desk, 3)
    define(desk, ALONE)
    compute_all(desk)
    desk.receive(*(desk.identify(f"user {n}") for n in range(5)))
    desk.receive(*(desk.track(f"user {n}") for n in range(3)))
    assert said_to(desk, "Hook 2") == [("user 0", True), ("user 1", True), ("user 2", True)]
    return desk


def said_to(desk: Desk, destination: str, key: str = KEY) -> list[tuple[str, Any]]:
    """(userId, value) as this destination is told, in order."""
    kept = desk.store.read_now(lambda connection: messages.after(connection, 0))
    number = next(row.id for row in desk.rows(tables.destinations) if row.name == destination)
    mine = [each.kept for each in kept if each.kept.source == 0 and number in _to(each.kept.routing)]
    bodies = [msgspec.json.decode(each.body) for each in mine]
    about = [each for each in bodies if each["context"]["personas"]["computation_key"] == key]
    return [(each["userId"], each.get("traits", each.get("properties"))[key]) for each in about]


def _to(routing: str | None) -> list[int]:
    return msgspec.json.decode(routing or "{}").get("to", [])


def in_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introduce, "PEOPLE", 2)


def chunk(desk: Desk) -> bool:
    return desk.store.write_now(partial(compute.go_on, directory=desk.directory, now=desk.now)).worked


def test_who_is_new_to_it():
    traits, events = Reach(outside=frozenset({2})), Reach(outside=frozenset({2}), form=Form.EVENTS)
    assert not newcomers(traits, traits)
    assert newcomers(traits, Reach(outside=frozenset({2, 3}))).outside == {3}
    assert not newcomers(Reach(outside=frozenset({2, 3})), traits)
    assert newcomers(traits, events).outside == {2}
    assert newcomers(Reach(), Reach(on_contact=True)).on_contact
    assert not newcomers(Reach(on_contact=True), Reach(on_contact=True, form=Form.EVENTS))


def test_a_destination_that_is_named_later_gets_one_message_for_each_member(five: Desk):
    define(five, BOTH)
    assert [row.phase for row in five.rows(tables.audiences)] == ["live"]
    compute_all(five)

    assert said_to(five, "Hook 3") == [("user 0", True), ("user 1", True), ("user 2", True)]
    assert len(said_to(five, "Hook 2")) == 3
    late = told(five)[3:]
    assert all(each["integrations"] == {"All": False, "Hook 3": True} for each in late)
    assert len({each["messageId"] for each in told(five)}) == 6
    assert five.rows(tables.introductions) == []

    define(five, BOTH)
    compute_all(five)
    assert len(told(five)) == 6

    slide(five, 30 * DAY)
    assert said_to(five, "Hook 3")[3:] == said_to(five, "Hook 2")[3:] == [(f"user {n}", False) for n in range(3)]


def test_heard_named_later_sets_the_trait_and_what_rests_on_it_follows(five: Desk):
    define(five, {"name": "Asked", "where": {"traits": f"traits.{KEY} = true"}, "to": ["Heard"]})
    compute_all(five)
    assert traits_of(five, "user 0") == {}
    define(five, {**RECENT, "to": ["Hook 2", "Heard"]})
    compute_all(five)

    assert [traits_of(five, f"user {n}") for n in range(5)] == [{KEY: True, "asked": True}] * 3 + [{}, {}]
    assert len(told(five)) == 3


def test_heard_named_again_takes_off_what_is_no_longer_so(desk: Desk):
    hook(desk)
    define(desk, RECENT)
    compute_all(desk)
    desk.receive(desk.identify("ann"), desk.track("ann"))
    define(desk, ALONE)
    slide(desk, 30 * DAY)
    assert traits_of(desk, "ann")[KEY] is True
    define(desk, RECENT)
    compute_all(desk)
    assert traits_of(desk, "ann")[KEY] is False


def test_another_message_is_sent_for_everybody_once(five: Desk):
    define(five, {**ALONE, "as": "events"})
    compute_all(five)
    late = told(five)[3:]
    assert [(each["event"], each["userId"]) for each in late] == [("Audience Entered", f"user {n}") for n in range(3)]
    assert said_to(five, "Hook 3") == []


def test_of_a_computed_trait_everybody_with_a_value_is_told(desk: Desk):
    hook(desk)
    hook(desk, 3)
    define(desk, {**TOTAL, "count": {"event": "Order Completed", "within": "3d"}, "to": ["Hook 2"]})
    compute_all(desk)
    desk.receive(desk.identify("ann"), desk.track("ann"), desk.identify("bob"))
    slide(desk, 5 * DAY)
    desk.receive(desk.identify("cy"), desk.track("cy"), desk.track("cy"))
    define(desk, {**TOTAL, "count": {"event": "Order Completed", "within": "3d"}, "to": ["Hook 2", "Hook 3"]})
    compute_all(desk)
    assert said_to(desk, "Hook 3", "total_orders") == [("ann", 0), ("cy", 2)]


def test_it_goes_on_where_it_was_stopped_and_a_repeat_tells_nobody_twice(five: Desk, url: str, monkeypatch: Any):
    in_twos(monkeypatch)
    define(five, BOTH)
    assert chunk(five)
    assert len(said_to(five, "Hook 3")) == 2

    def die(connection: Any) -> None:
        compute.go_on(connection, directory=five.directory, now=five.now)
        raise RuntimeError("killed before it was kept")

    with pytest.raises(RuntimeError):
        five.store.write_now(die)
    five.store.close()
    five.store = Store(url)
    compute_all(five)
    assert said_to(five, "Hook 3") == [(f"user {n}", True) for n in range(3)]


def test_changes_meanwhile_reach_the_new_one_once_and_the_last_word_is_right(five: Desk, monkeypatch: Any):
    in_twos(monkeypatch)
    five.wait(2 * DAY)
    five.receive(five.track("user 1"))
    define(five, BOTH)
    assert chunk(five)  # users 0 and 1
    slide(five, 28 * DAY)  # 0 and 2 leave: 0 was introduced, 2 was not yet
    five.receive(five.track("user 3"), five.identify("late"), five.track("late"))
    compute_all(five)

    assert said_to(five, "Hook 3") == [
        ("user 0", True), ("user 1", True), ("user 0", False), ("user 2", False), ("late", True), ("user 3", True),
    ]  # fmt: skip
    assert dict(said_to(five, "Hook 3")) == dict(said_to(five, "Hook 2"))


def test_its_page_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story(app: Installation, receive: Any) -> None:
        await receive(*({**identify(f"user {n}"), "traits": {"plan": "Premium"}} for n in range(5)))
        premium = {"name": "Premium", "where": {"traits": "traits.plan = 'Premium'"}, "to": []}
        save = partial(audiences_edit.save, app, workspace=ACME, kind="audience", by="ted")
        number = await save(written=premium)
        while await app.pipeline.route_once() or await app.pipeline.compute_once():
            pass
        monkeypatch.setattr(introduce, "PEOPLE", 2)
        await save(number=number, written={**premium, "to": ["Heard"]})
        shares: list[float] = []
        while (seen := (await audiences_seen.one(app, ACME, number)).seen).introduced is not None:
            assert (seen.introduced.names, seen.progress) == (["Heard"], None)
            shares.append(seen.introduced.progress)
            assert await app.pipeline.compute_once()
        assert shares == [0.0, 0.4, 0.8]
        assert not await app.pipeline.compute_once()

    run(tmp_path, story)


def test_nobody_is_told_before_changes_reach_the_new_one(five: Desk):
    stale = five.directory
    define(five, BOTH)
    done = five.store.write_now(partial(compute.go_on, directory=stale, now=five.now))
    assert done.moved_on
    assert said_to(five, "Hook 3") == []


def test_what_is_taken_out_of_to_again_is_told_nothing_more(five: Desk, monkeypatch: Any):
    in_twos(monkeypatch)
    define(five, BOTH)
    assert chunk(five)
    define(five, ALONE)
    assert five.rows(tables.introductions) == []
    compute_all(five)
    assert len(said_to(five, "Hook 3")) == 2

    define(five, BOTH)
    define(five, ALONE)
    define(five, BOTH)
    compute_all(five)
    assert len(said_to(five, "Hook 3")) == 2 + 3


def test_a_new_definition_tells_changes_first_and_then_who_stayed(five: Desk):
    five.receive(five.track("user 1"))
    define(five, {**BOTH, "where": {"event": "Order Completed", "at_least": 2}})
    compute_all(five)
    assert sorted(said_to(five, "Hook 3")) == [("user 0", False), ("user 1", True), ("user 2", False)]


def test_an_audience_that_is_taken_away_introduces_nobody(five: Desk):
    define(five, BOTH)
    (row,) = five.rows(tables.audiences)
    five.store.write_now(partial(audiences.leave, workspace=ACME, number=row.id))
    compute_all(five)
    assert (said_to(five, "Hook 3"), five.rows(tables.introductions)) == ([], [])


def test_a_destination_that_is_gone_meanwhile_stops_nothing(five: Desk):
    define(five, BOTH)
    gone = tables.destinations.delete().where(tables.destinations.c.id == 3)
    five.store.write_now(lambda connection: connection.execute(gone))
    compute_all(five)
    assert five.rows(tables.introductions) == []
