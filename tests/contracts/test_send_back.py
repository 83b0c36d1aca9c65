"""Answers flow back out: as events and traits, once each, to the destinations that the survey names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heard.errors import Invalid
from heard.steps import answer
from heard.store import tables
from tests.contracts.front import Front, front, hook, identify, track
from tests.contracts.receiver import Receiver

MINUTE = timedelta(minutes=1)
SENT_BACK = {
    "to": ["Hook"],
    "events": {"answered": "NPS Answered", "completed": "NPS Completed"},
    "properties": ["value", "comment", "campaign"],
    "traits": {"NPS_rating": "value"},
}
CAMPAIGN = {
    "name": "Post-purchase", "survey": "NPS", "channel": "email", "event": "Order Completed", "status": "ready",
}  # fmt: skip


async def asked(heard: Front, url: str, *, back: dict[str, Any] | None = None, **more: Any) -> str:
    """Ann is asked; gives the id of her invitation. The hook gets nothing but what is told."""
    survey = {"name": "NPS", "kind": "nps", "send_back": back or SENT_BACK}
    await heard.apply(
        {"name": "Heard", "type": "surveys"},
        hook(url, sources=[]),
        surveys=[survey],
        campaigns=[CAMPAIGN],
        **more,
    )
    await heard.receive(identify("ann", email="ann@example.com"), track("ann"))
    await heard.settle()
    (delivery,) = heard.app.store.read_now(lambda connection: connection.execute(tables.deliveries.select()).all())
    return delivery.id


async def answered(heard: Front, delivery: str, value: int, comment: str | None = None) -> None:
    def work(connection: Any) -> None:
        answer.answer(
            connection, 1, delivery, value=value, comment=comment, agent="", client="",
            directory=heard.app.directory, now=heard.app.clock.now(),
        )  # fmt: skip

    heard.app.store.write_now(work)
    await heard.settle()


def said(hook_: Receiver) -> list[tuple[str, Any]]:
    return [
        (body.get("event") or body["type"], body.get("properties") or body.get("traits"))
        for body in (msgspec.json.decode(request.body) for request in hook_.received)
    ]


def story(folder: Path, tell: Any) -> None:
    async def live(heard: Front) -> None:
        with Receiver() as there:
            await tell(heard, there)

    front(folder, live)


def test_an_answer_goes_out_as_an_event_and_a_trait(tmp_path: Path):
    async def tell(heard: Front, there: Receiver) -> None:
        delivery = await asked(heard, there.url)
        await answered(heard, delivery, 9)

        assert said(there) == [
            ("identify", {"NPS_rating": 9}),
            ("NPS Answered", {"value": 9, "comment": None, "campaign": "Post-purchase"}),
        ]
        body = msgspec.json.decode(there.received[1].body)
        assert (body["userId"], body["integrations"]) == ("ann", {"All": False, "Hook": True})

    story(tmp_path, tell)


def test_it_is_complete_half_an_hour_after_the_last_answer(tmp_path: Path):
    async def tell(heard: Front, there: Receiver) -> None:
        delivery = await asked(heard, there.url)
        await answered(heard, delivery, 9)
        await heard.pass_time(20 * MINUTE)
        await answered(heard, delivery, 7)
        await heard.pass_time(20 * MINUTE)
        assert [event for event, _ in said(there)].count("NPS Completed") == 0

        await heard.pass_time(10 * MINUTE)
        assert said(there)[-1] == ("NPS Completed", {"value": 7, "comment": None, "campaign": "Post-purchase"})

        await heard.pass_time(90 * MINUTE)
        await answered(heard, delivery, 2, "Changed my mind.")
        await heard.pass_time(90 * MINUTE)
        assert [event for event, _ in said(there)] == [
            "identify", "NPS Answered", "identify", "NPS Completed", "identify",
        ]  # fmt: skip

    story(tmp_path, tell)


def test_with_a_comment_it_is_complete_at_once(tmp_path: Path):
    async def tell(heard: Front, there: Receiver) -> None:
        await answered(heard, await asked(heard, there.url), 10, "Great")
        await heard.pass_time(60 * MINUTE)

        assert [event for event, _ in said(there)] == ["identify", "NPS Answered", "NPS Completed"]
        assert said(there)[2][1]["comment"] == "Great"

    story(tmp_path, tell)


def test_the_same_answer_again_tells_nothing_new(tmp_path: Path):
    async def tell(heard: Front, there: Receiver) -> None:
        delivery = await asked(heard, there.url)
        await answered(heard, delivery, 9, "Fine")
        before = len(there.received)
        await answered(heard, delivery, 9, "Fine")

        assert len(there.received) == before

    story(tmp_path, tell)


def test_answers_of_ones_own_people_are_not_told(tmp_path: Path):
    async def tell(heard: Front, there: Receiver) -> None:
        await answered(heard, await asked(heard, there.url, exclude="match(email, '*@example.com')"), 9)
        await heard.pass_time(60 * MINUTE)

        assert there.received == []

    story(tmp_path, tell)


def test_what_may_be_said_is_all_of_it_without_a_word(tmp_path: Path):
    async def tell(heard: Front, there: Receiver) -> None:
        await answered(
            heard, await asked(heard, there.url, back={"to": ["Hook"], "events": {"viewed": "Seen"}}), 3, "No"
        )
        ((event, properties),) = said(there)

        assert event == "Seen"
        assert {key: properties[key] for key in ("value", "category", "comment", "survey", "metric", "channel")} == {
            "value": 3, "category": "detractor", "comment": "No", "survey": "NPS", "metric": "nps", "channel": "email",
        }  # fmt: skip

    story(tmp_path, tell)


@pytest.mark.parametrize(
    ("back", "field"),
    [
        ({"to": ["Nobody"], "traits": {"a": "value"}}, "surveys[NPS].send_back.to"),
        ({"to": ["Heard"], "traits": {"a": "value"}}, "surveys[NPS].send_back.to"),
        ({"to": ["Hook"]}, "surveys[0].send_back"),
        ({"to": ["Hook"], "events": {"clicked": "x"}}, "surveys[0].send_back.events.clicked"),
        ({"to": ["Hook"], "traits": {"a": "colour"}}, "surveys[0].send_back.traits.a"),
        ({"to": ["Hook"], "events": {"answered": "x"}, "properties": ["colour"]}, "surveys[0].send_back.properties"),
    ],
)
def test_what_cannot_be_sent_back_is_refused_at_its_place(tmp_path: Path, back: dict[str, Any], field: str):
    async def tell(heard: Front) -> None:
        with pytest.raises(Invalid) as refused:
            await asked(heard, "https://hooks.acme.example/", back=back)
        assert refused.value.field == field

    front(tmp_path, tell)


def test_it_is_written_back_as_it_was_read(tmp_path: Path):
    async def tell(heard: Front) -> None:
        from heard.operations import workspace_file

        await asked(heard, "https://hooks.acme.example/")
        written = await workspace_file.export(heard.app)
        assert written["surveys"][0]["send_back"] == SENT_BACK
        assert (await workspace_file.apply(heard.app, content=written))["changes"] == []

    front(tmp_path, tell)
