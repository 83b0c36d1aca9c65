"""What every channel promises to whoever commits `sending` before it and the outcome after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec import structs

from heard.channels.channel import Channel
from heard.channels.email.mail import Mail
from heard.channels.email.outbox import Outbox
from heard.channels.email.refusals import MailboxRefused
from heard.channels.email.smtp import Smtp, server
from heard.errors import DeliveryFailed, Invalid
from heard.ids import delivery_id
from tests.contracts.mail_server import MailServer, free_port, hang_up, in_turn, say_nothing

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


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


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


# ---------------------------------------------------------------- SMTP: what a failure means


@pytest.mark.parametrize(
    "refusal", ["421 4.3.2 closing", "450 4.2.0 greylisted", "452 4.2.2 over quota", "552 too much"]
)
def test_a_passing_refusal_of_the_recipient_is_tried_again(mail_server: MailServer, refusal: str):
    mail_server.recipient = refusal

    error = failure(Smtp(mail_server.url))

    assert (error.permanent, error.ambiguous) == (False, False)
    assert refusal[:3] in str(error)


@pytest.mark.parametrize(
    "refusal", ["550 no such user", "550 5.1.1 unknown", "553 5.1.3 bad address", "550 5.2.1 disabled"]
)
def test_an_unknown_mailbox_is_given_up_and_marked(mail_server: MailServer, refusal: str):
    mail_server.recipient = refusal

    error = failure(Smtp(mail_server.url))

    assert isinstance(error, MailboxRefused)
    assert (error.permanent, error.ambiguous) == (True, False)


def test_a_refusal_by_policy_gives_up_the_mail_but_not_the_mailbox(mail_server: MailServer):
    mail_server.recipient = "550 5.7.1 your domain has no DMARC policy"

    error = failure(Smtp(mail_server.url))

    assert error.permanent
    assert not isinstance(error, MailboxRefused)


@pytest.mark.parametrize("refusal", ["554 5.7.1 looks like spam", "550 5.6.0 malformed"])
def test_a_mail_refused_after_the_dot_is_given_up(mail_server: MailServer, refusal: str):
    mail_server.data = refusal

    error = failure(Smtp(mail_server.url))

    assert error.permanent
    assert not isinstance(error, MailboxRefused)


@pytest.mark.parametrize("refusal", ["451 4.3.0 try later", "552 5.2.2 mailbox full"])
def test_a_mail_put_off_after_the_dot_is_tried_again(mail_server: MailServer, refusal: str):
    mail_server.data = refusal

    error = failure(Smtp(mail_server.url))

    assert (error.permanent, error.ambiguous) == (False, False)


def test_a_refused_sender_costs_no_mail_its_life(mail_server: MailServer):
    mail_server.mail = "553 5.7.1 not your domain"

    error = failure(Smtp(mail_server.url))

    assert (error.permanent, error.ambiguous) == (False, False)


def test_a_reset_after_the_dot_is_known_to_nobody(mail_server: MailServer):
    mail_server.data = hang_up

    error = failure(Smtp(mail_server.url))

    assert (error.permanent, error.ambiguous) == (False, True)


def test_silence_after_the_dot_is_known_to_nobody(mail_server: MailServer):
    mail_server.data = say_nothing

    error = failure(Smtp(mail_server.url, patience_for_the_dot=0.2))

    assert error.ambiguous


@pytest.mark.parametrize("step", ["mail", "recipient"])
def test_a_reset_before_the_mail_was_sent_is_tried_again(mail_server: MailServer, step: str):
    setattr(mail_server, step, hang_up)

    error = failure(Smtp(mail_server.url))

    assert (error.permanent, error.ambiguous) == (False, False)


def test_a_tarpit_costs_its_own_connection_only(mail_server: MailServer):
    mail_server.recipient = in_turn(say_nothing, "250 OK")

    async def two_at_once(channel: Channel) -> list[str | BaseException]:
        both = (channel.hand_over(a_mail(number)) for number in (1, 2))
        return await asyncio.gather(*both, return_exceptions=True)

    started = time.monotonic()
    outcomes = use(Smtp(mail_server.url, connections=2, patience=1), two_at_once)

    assert [type(outcome) for outcome in outcomes].count(DeliveryFailed) == 1
    assert len(mail_server.taken) == 1
    assert time.monotonic() - started < 10


def test_a_server_that_is_not_there_is_tried_again():
    error = failure(Smtp(f"smtp://127.0.0.1:{free_port()}"))

    assert (error.permanent, error.ambiguous) == (False, False)
    assert "127.0.0.1" in str(error)


# ---------------------------------------------------------------- SMTP: connections


def test_one_connection_carries_one_mail_after_the_other(mail_server: MailServer):
    hand_over(Smtp(mail_server.url), *(a_mail(number) for number in range(5)))

    assert len(mail_server.taken) == 5
    assert len(mail_server.sessions) == 1


def test_a_connection_is_changed_after_its_share_of_mails(mail_server: MailServer):
    hand_over(Smtp(mail_server.url, mails_per_connection=2), *(a_mail(number) for number in range(5)))

    assert len(mail_server.taken) == 5
    assert len(mail_server.sessions) == 3


def test_a_refused_recipient_leaves_the_connection_usable(mail_server: MailServer):
    mail_server.recipient = in_turn("550 5.1.1 unknown", "250 OK")

    async def two(channel: Channel) -> None:
        with pytest.raises(MailboxRefused):
            await channel.hand_over(a_mail(1))
        await channel.hand_over(a_mail(2))

    use(Smtp(mail_server.url), two)

    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [["marshall2@example.com"]]
    assert len(mail_server.sessions) == 1


@pytest.mark.parametrize("going", [hang_up, "421 4.4.2 idle for too long"], ids=["reset", "421"])
def test_a_kept_connection_that_died_costs_the_next_mail_nothing(mail_server: MailServer, going):
    mail_server.mail = in_turn("250 OK", going, "250 OK")

    hand_over(Smtp(mail_server.url), a_mail(1), a_mail(2))

    assert len(mail_server.taken) == 2


def test_a_hand_over_that_is_cancelled_leaves_no_half_used_connection(mail_server: MailServer):
    mail_server.data = in_turn(say_nothing, "250 OK")

    async def give_up_then_go_on(channel: Channel) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(channel.hand_over(a_mail(1)), timeout=0.3)
        await channel.hand_over(a_mail(2))

    use(Smtp(mail_server.url, connections=1), give_up_then_go_on)

    assert len(mail_server.taken) == 1
    assert len(mail_server.sessions) == 2


# ---------------------------------------------------------------- SMTP: login, letters, URL


def test_a_login_is_used_where_it_is_offered():
    with MailServer(password="p@ss:w/rd") as running:
        hand_over(Smtp(f"smtp://ann%40acme.example:p%40ss%3Aw%2Frd@127.0.0.1:{running.port}"), a_mail())

    assert running.users == ["ann@acme.example"]


def test_a_login_is_left_out_where_it_is_not_offered(mail_server: MailServer):
    hand_over(Smtp(f"smtp://ann:secret@127.0.0.1:{mail_server.port}"), a_mail())

    assert mail_server.users == [None]


def test_a_wrong_password_is_tried_again_and_not_repeated():
    with MailServer(password="right") as running:
        error = failure(Smtp(f"smtp://ann:hunter2@127.0.0.1:{running.port}"))

    assert not error.permanent
    assert "535" in str(error)
    assert "hunter2" not in str(error)


def test_tls_is_used_where_it_is_offered():
    with MailServer(tls="offered") as running:
        hand_over(Smtp(f"{running.url}?verify=no"), a_mail())

    assert running.encrypted == [True]


def test_tls_from_the_start():
    with MailServer(tls="from the start") as running:
        hand_over(Smtp(f"{running.url}?verify=no"), a_mail())

    assert running.taken[0].rcpt_tos == [a_mail().recipient]


@pytest.mark.parametrize("tls", ["offered", "from the start"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls: str):
    with MailServer(tls=tls) as running:
        error = failure(Smtp(running.url))

    assert (error.permanent, error.ambiguous) == (False, False)
    assert "certificate" in str(error).lower()
    assert running.taken == []


def test_an_address_beyond_ascii_goes_to_a_server_that_takes_it():
    with MailServer(utf8=True) as running:
        hand_over(Smtp(running.url), a_mail(recipient="jürgen@example.com", utf8=True))

    assert running.taken[0].rcpt_tos == ["jürgen@example.com"]


def test_an_address_beyond_ascii_is_given_up_where_no_server_takes_it(mail_server: MailServer):
    error = failure(Smtp(mail_server.url), a_mail(recipient="jürgen@example.com", utf8=True))

    assert error.permanent
    assert "SMTPUTF8" in str(error)


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://relay.example", 25, False),
        ("smtp://ann:pw@relay.example", 587, False),
        ("smtps://relay.example", 465, True),
        ("smtp://[::1]:2525", 2525, False),
    ],
)
def test_a_port_follows_from_the_url(url: str, port: int, tls: bool):
    assert (server(url).port, server(url).tls) == (port, tls)


@pytest.mark.parametrize(
    "url",
    ["http://relay.example", "relay.example:25", "smtp://", "smtp://a:b@:25", "smtp://x:99999", "smtp://x?tls=no"],
)
def test_a_url_that_names_no_server_is_refused(url: str):
    with pytest.raises(Invalid) as caught:
        server(url)

    assert caught.value.field == "HEARD_SMTP_URL"


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
