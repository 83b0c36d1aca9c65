"""What every channel promises to whoever commits `sending` before it and the outcome after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec import structs

from heard.channels.channel import Channel
from heard.channels.email.mail import Mail
from heard.channels.email.outbox import Outbox
from heard.channels.email.smtp import Smtp
from heard.errors import DeliveryFailed
from heard.ids import delivery_id
from tests.contracts.mail_server import MailServer, mail_server

__all__ = ["mail_server"]  # the fixture

T = TypeVar("T")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_mail(number: int = 1, **changes) -> Mail:
    mail = Mail(
        delivery_id=delivery_id(1, number, "order", "first"),
        at=NOON + timedelta(seconds=number),
        sender="feedback@acme.example",
        recipient=f"marshall{number}@example.com",
        content=b"To: marshall@example.com\r\nSubject: one question\r\n\r\nHi\r\n.\r\n..two dots\r\nthe end\r\n",
    )
    return structs.replace(mail, **changes)


class Smtps:
    """SMTP, and how to see what arrived."""

    def __init__(self, running: MailServer) -> None:
        self.running = running

    def open(self) -> Channel:
        return Smtp(self.running.url, connections=3)

    def arrived(self) -> list[bytes]:
        return [envelope.content for envelope in self.running.taken if isinstance(envelope.content, bytes)]


class Outboxes:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> Channel:
        return Outbox(self.folder)

    def arrived(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.folder.glob("*.eml"))]


@pytest.fixture(params=["smtp", "outbox"])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Smtps | Outboxes:
    if request.param == "outbox":
        return Outboxes(tmp_path / "outbox")
    return Smtps(request.getfixturevalue("mail_server"))


def use(channel: Channel, work: Callable[[Channel], Awaitable[T]]) -> T:
    """Run `work` and close the channel, all in one event loop."""

    async def run() -> T:
        try:
            return await work(channel)
        finally:
            await channel.close()

    return asyncio.run(run())


def hand_over(channel: Channel, *mails: Mail) -> list[str]:
    async def one_by_one(channel: Channel) -> list[str]:
        return [await channel.hand_over(mail) for mail in mails]

    return use(channel, one_by_one)


def failure(channel: Channel, mail: Mail | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        hand_over(channel, mail or a_mail())
    return caught.value


# ---------------------------------------------------------------- every channel


def test_a_channel_says_what_it_is(carrier: Smtps | Outboxes):
    channel = carrier.open()

    assert channel.title
    assert channel.help.endswith(".")
    assert channel.connections >= 1


def test_a_mail_arrives_octet_for_octet(carrier: Smtps | Outboxes):
    answers = hand_over(carrier.open(), a_mail())

    assert carrier.arrived() == [a_mail().content]
    assert answers[0]


def test_more_mails_than_connections_all_arrive_once(carrier: Smtps | Outboxes):
    mails = [a_mail(number, content=b"Subject: %d\r\n\r\nHi\r\n" % number) for number in range(20)]

    async def at_once(channel: Channel) -> list[str]:
        return await asyncio.gather(*(channel.hand_over(mail) for mail in mails))

    use(carrier.open(), at_once)

    assert sorted(carrier.arrived()) == sorted(mail.content for mail in mails)


def test_a_channel_can_be_closed_twice(carrier: Smtps | Outboxes):
    async def close(channel: Channel) -> None:
        await channel.close()

    use(carrier.open(), close)


# ---------------------------------------------------------------- the outbox


def test_a_mail_has_one_file_named_by_its_time_and_delivery(tmp_path: Path):
    hand_over(Outbox(tmp_path), a_mail(), a_mail())

    assert [path.name for path in tmp_path.iterdir()] == [f"20261122T120001Z-{a_mail().delivery_id}.eml"]


def test_a_delivery_keeps_its_file_after_a_restart(tmp_path: Path):
    hand_over(Outbox(tmp_path), a_mail())
    hand_over(Outbox(tmp_path), a_mail(at=NOON + timedelta(hours=1)))

    assert len(list(tmp_path.iterdir())) == 1


def test_the_newest_mail_is_listed_first(tmp_path: Path):
    outbox = Outbox(tmp_path)
    hand_over(outbox, a_mail(1), a_mail(3), a_mail(2))

    assert [line.delivery_id for line in outbox.listing(2)] == [a_mail(3).delivery_id, a_mail(2).delivery_id]
    assert outbox.listing(1)[0].subject == "one question"
    assert outbox.listing(1)[0].at == NOON + timedelta(seconds=3)


def test_a_mail_can_be_read_again_until_somebody_removes_its_file(tmp_path: Path):
    outbox = Outbox(tmp_path)
    hand_over(outbox, a_mail())

    assert outbox.read(a_mail().delivery_id) == a_mail().content
    next(tmp_path.iterdir()).unlink()
    assert outbox.read(a_mail().delivery_id) is None
    assert outbox.listing() == []


def test_an_outbox_that_cannot_be_written_is_tried_again(tmp_path: Path):
    folder = tmp_path / "outbox"
    outbox = Outbox(folder)
    folder.rmdir()
    folder.write_text("in the way")

    error = failure(outbox)

    assert (error.permanent, error.ambiguous) == (False, False)
