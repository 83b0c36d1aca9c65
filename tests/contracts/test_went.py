"""Where messages went, and why not elsewhere, as the debugger tells it of a page of messages at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from heard.operations.went import Went, went
from heard.store import days, tail
from heard.store.tail import Wanted
from tests.contracts.front import Front, front, hook, identify, track
from tests.contracts.receiver import Receiver

HEARD = {"name": "Heard", "type": "surveys"}


def routes(heard: Front) -> list[dict[str, Went]]:
    """What became of every message with whom, the oldest message first."""

    def look(connection: object) -> list[dict[str, Went]]:
        found = sorted(tail.back(connection, 1, Wanted()).found, key=lambda each: each.id)  # pyright: ignore
        told = went(connection, found, heard.app.directory, 1)  # pyright: ignore
        return [{each.destination.name: each for each in told[kept.id]} for kept in found]

    return heard.app.store.read_now(look)


def states(heard: Front) -> list[dict[str, str]]:
    """The state, or the reason where it is refused."""
    return [
        {name: each.refusal.reason if each.refusal else each.state for name, each in route.items()}
        for route in routes(heard)
    ]


def test_every_destination_is_told_with_its_state(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(
            HEARD,
            hook(receiver.url, "Good"),
            hook(broken.url, "Broken"),
            hook(receiver.url, "Switched", events={"Order Completed": False}),
            hook(receiver.url, "Off", enabled=False),
        )
        await heard.receive(track("ann"), {**track("ann"), "integrations": {"Good": False}})
        assert states(heard) == []
        await heard.settle()
        assert states(heard) == [
            {
                "Heard": "taken",
                "Good": good,
                "Broken": "retrying",
                "Switched": "event_switch",
                "Off": "disabled",
            }
            for good in ("delivered", "integrations_object")
        ]
        (first, _) = routes(heard)
        assert first["Broken"].forward is not None
        assert first["Broken"].forward.attempts == 1
        await heard.pass_time(timedelta(hours=5))
        assert [route["Broken"] for route in states(heard)] == ["dead", "dead"]

    with Receiver() as receiver, Receiver(*[500] * 500) as broken:
        front(tmp_path, story)


def test_a_destination_that_was_not_fed_is_told_from_one_that_came_later(tmp_path: Path):
    async def story(heard: Front) -> None:
        sources = [{"name": "Website", "write_key": "wk_acme"}, {"name": "Shop", "write_key": "wk_shop"}]
        await heard.apply(HEARD, hook(receiver.url, "Of the shop", sources=["Shop"]), sources=sources)
        await heard.receive(track("ann"))
        await heard.settle()
        (kept,) = heard.app.store.read_now(lambda connection: tail.back(connection, 1, Wanted()).found)
        assert kept.routing == f'{{"to":[1],"unfed":[{heard.destination("Of the shop")}]}}'
        await heard.apply(
            HEARD, hook(receiver.url, "Of the shop", sources=["Shop"]), hook(receiver.url, "Later"), sources=sources
        )

        (route,) = routes(heard)
        assert {name: each.state for name, each in route.items()} == {
            "Heard": "taken",
            "Of the shop": "refused",
            "Later": "refused",
        }
        assert said(route, "Of the shop") == (
            "Its source did not feed Of the shop when it came; the destination's `sources` say which do."
        )
        assert said(route, "Later") == "Later was not there yet when it came."

        def as_before(connection: Connection) -> None:  # as versions left it that wrote nothing of them
            connection.exec_driver_sql(
                f"UPDATE messages_{days.day_of(kept.received_at)} SET routing = '{{\"to\":[1]}}'"
            )

        heard.app.store.write_now(as_before)
        (route,) = routes(heard)
        for name in ("Of the shop", "Later"):
            assert said(route, name) == f"Its source did not feed {name} when it came, or {name} was not there yet."

    def said(route: dict[str, Went], name: str) -> str:
        refusal = route[name].refusal
        assert refusal is not None
        assert refusal.reason == "not_connected"
        return refusal.detail

    with Receiver() as receiver:
        front(tmp_path, story)


def test_surveys_alone_tell_why_they_do_not_take_a_message(tmp_path: Path):
    async def story(heard: Front) -> None:
        drop = {"if": "event = 'Page Scrolled'", "then": "drop"}
        await heard.apply({**HEARD, "events": {"Signed In": False}, "filters": [drop]})
        named = {"integrations": {"Heard": False}}
        await heard.receive(track("ann"), track("ann", "Page Scrolled"), track("ann", "Signed In"))
        await heard.receive({**track("ann"), **named}, {"type": "track", "userId": ""}, identify("ann"))
        await heard.settle()

        assert states(heard) == [
            {"Heard": "taken"},
            {"Heard": "filtered"},
            {"Heard": "event_switch"},
            {"Heard": "integrations_object"},
            {},
            {"Heard": "taken"},
        ]

    front(tmp_path, story)


def test_surveys_that_a_source_does_not_feed_are_told_so(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply({**HEARD, "sources": []})
        await heard.receive(track("ann"))
        await heard.settle()
        assert states(heard) == [{"Heard": "not_connected"}]

    front(tmp_path, story)


def test_what_is_over_the_daily_limit_waits_and_is_taken_the_next_day(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply({**HEARD, "settings": {"daily_limit": 1}})
        await heard.receive(identify("ann"), track("ann"))
        await heard.settle()
        assert states(heard) == [{"Heard": "taken"}, {"Heard": "waiting"}]
        await heard.pass_time(timedelta(days=1))
        assert states(heard) == [{"Heard": "taken"}, {"Heard": "taken"}]

    front(tmp_path, story)
