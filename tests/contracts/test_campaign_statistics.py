"""What a campaign came to in a window: every number is of the same days, and what came later had not happened yet."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from heard import config, ids
from heard.channels.email.refusals import MailboxRefused
from heard.deliveries.notice import Notice, NoticeKind
from heard.installation import Installation
from heard.operations.campaign_statistics import campaign_statistics
from heard.steps import report
from heard.store import tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, NOON

ASKED, ANSWERED, BEFORE, AFTER = NOON, NOON + 2 * DAY, NOON - DAY, NOON + 6 * DAY
NOBODY = {"n": 0, "of": 0, "share": None, "interval": None}


@pytest.fixture
def story(desk: Desk) -> Desk:
    """Four are asked on the first day, Ted answers on the third; on the fifth Lily's mail comes back for good and
    Robin's for now, and Marshall reports his. Zoey's mailbox is refused at once. Barney's waits until the ninth."""
    desk.campaign(throttle="90d")
    people = ("ted", "lily", "robin", "marshall", "zoey")
    desk.receive(*(desk.identify(user, email=f"{user}@mosby.example", plan="Premium") for user in people))
    desk.receive(*(desk.track(user) for user in people[:-1]))
    mails = {each.user_id: each.id for each in desk.send()}
    desk.receive(desk.track("zoey"))
    desk.send(failing=MailboxRefused("550 no such user", permanent=True))
    desk.wait(2 * DAY)
    desk.answer(mails["ted"], 9, "Legendary")
    desk.wait(2 * DAY)
    for number, (user, kind) in enumerate(
        [("lily", NoticeKind.HARD), ("robin", NoticeKind.SOFT), ("marshall", NoticeKind.COMPLAINT)]
    ):
        quoted = ids.message_id(mails[user], "acme.example").strip("<>")
        told = Notice(kind=kind, id=str(number), message_id=quoted, address=f"{user}@mosby.example", detail="said so")
        take = partial(report.take, workspace=ACME, provider="ses", notices=[told], anybody=False, now=desk.now)
        desk.store.write_now(take)
    desk.store.write_now(
        lambda connection: connection.execute(
            tables.campaigns.update().values(settings={"channel": "email", "event": "Order Completed", "delay": "4d"})
        )
    )
    desk.receive(desk.identify("barney", email="barney@stinson.example", plan="Free"), desk.track("barney"))
    desk.wait(2 * DAY)
    return desk


@pytest.fixture
def count(story: Desk, url: str, tmp_path: Path) -> Any:
    """The statistics of a window, as the API gives them."""

    def ask(from_: datetime | str | None = None, to: datetime | str | None = None, by: str | None = None) -> Any:
        async def look() -> dict[str, Any]:
            app = Installation(config.read({"HEARD_DATABASE_URL": url}, data=tmp_path / "data"), test_clock=True)
            app.clock.move_to(story.now)
            try:
                begins, ends = (
                    each if each is None or isinstance(each, str) else each.isoformat() for each in (from_, to)
                )
                return await campaign_statistics(
                    app, campaign="Campaign 1", from_=begins, to=ends, by=by, workspace_id=ACME
                )
            finally:
                await app.close()

        return asyncio.run(look())

    return ask


def some(found: dict[str, Any], *names: str) -> list[Any]:
    return [found[name] for name in names]


def test_before_anything_happened_every_number_is_nothing(count: Any):
    found = count(to=BEFORE.date().isoformat(), by="plan")

    assert found["response_rate"] == NOBODY
    assert found["groups"] == []
    numbers = {name: each for name, each in found.items() if isinstance(each, int)}
    assert len(numbers) >= 14
    assert set(numbers.values()) == {0}, numbers


def test_between_the_mail_and_the_answer_nobody_has_answered(count: Any):
    found = count(to=ASKED.date().isoformat(), by="plan")

    assert some(found, "matched", "invited", "sent", "scored", "completed") == [5, 5, 4, 0, 0]
    assert some(found, "bounced", "bounced_softly", "complained") == [1, 0, 0]  # Zoey's server said so at once
    assert found["delivered"] == 4, "Lily's came back later, and Zoey's was never sent"
    assert found["scheduled"] == 0, "Barney's turn comes later"
    # Lily's mail came back and is no part of it, whenever it is looked at.
    assert some(found["response_rate"], "n", "of") == [0, 3]
    assert [some(each, "value", "asked", "n") for each in found["groups"]] == [["Premium", 3, 0]]
    assert found["groups"][0]["response_rate"]["n"] == 0


def test_between_the_answer_and_what_came_back(count: Any):
    found = count(to=ANSWERED.date().isoformat(), by="plan")

    assert some(found, "sent", "delivered", "bounced", "complained", "scored") == [4, 4, 1, 0, 1]
    assert some(found["response_rate"], "n", "of") == [1, 3]
    assert some(found["groups"][0]["response_rate"], "n", "of") == [1, 3]


@pytest.mark.parametrize("to", [AFTER, None])
def test_after_everything_an_end_changes_nothing(count: Any, to: datetime | None):
    found = count(to=to, by="plan")

    assert some(found, "matched", "invited", "sent", "delivered", "scored") == [6, 6, 4, 3, 1]
    assert some(found, "bounced", "bounced_softly", "complained") == [2, 1, 1]
    assert some(found["response_rate"], "n", "of") == [1, 3]
    assert some(found["groups"][0]["response_rate"], "n", "of") == [1, 3]
    assert found["scheduled"] == (0 if to else 1)


def test_what_waits_is_counted_by_when_its_turn_comes(count: Any):
    assert count(to=NOON + 7 * DAY)["scheduled"] == 0
    assert count(to=NOON + 8 * DAY)["scheduled"] == 1


def test_a_later_window_has_what_happened_in_it_alone(count: Any):
    found = count(from_=ANSWERED - DAY, to=AFTER)

    assert some(found, "sent", "scored", "bounced", "complained") == [0, 1, 1, 1]
    assert found["delivered"] == 0, "what came back was sent before"
    assert found["response_rate"] == NOBODY


def test_a_moment_stands_for_its_whole_day(count: Any):
    """What is tallied by the day can be counted no finer, and the rest is not counted finer than that."""
    found = count(from_=ASKED - HOUR, to=ASKED - HOUR / 2)

    assert some(found, "from", "to") == ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]
    assert some(found, "matched", "sent", "delivered", "bounced") == [5, 4, 4, 1]
    assert found["response_rate"]["of"] == 3
    assert count(to=ASKED.replace(hour=0))["to"] == "2026-11-22T00:00:00Z"  # a midnight is the end of the day before it


def test_a_mail_that_went_out_late_belongs_to_the_day_it_went_out(story: Desk, count: Any):
    story.wait(3 * DAY)  # nobody looked on the ninth, when Barney's was due
    story.send()

    assert some(count(), "sent", "delivered", "scheduled") == [5, 4, 0]
    due = count(to=NOON + 8 * DAY, by="plan")
    assert some(due, "sent", "delivered") == [4, 3]
    assert due["response_rate"]["of"] == 3
    assert [each["value"] for each in due["groups"]] == ["Premium"]
    assert count(to=NOON + 9 * DAY)["response_rate"]["of"] == 4
