"""What SMTP's failures mean, over a real server that can be told to misbehave."""

from __future__ import annotations

import asyncio
import time

import pytest

from heard.channels.channel import Channel
from heard.channels.email.refusals import MailboxRefused
from heard.channels.email.relay import relay
from heard.channels.email.smtp import Smtp
from heard.errors import DeliveryFailed, Invalid
from tests.contracts.mail_server import MailServer, free_port, hang_up, in_turn, mail_server, say_nothing
from tests.contracts.test_channels import a_mail, failure, hand_over, use

__all__ = ["mail_server"]  # the fixture

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
    assert (relay(url).port, relay(url).tls) == (port, tls)


@pytest.mark.parametrize(
    "url",
    ["http://relay.example", "relay.example:25", "smtp://", "smtp://a:b@:25", "smtp://x:99999", "smtp://x?tls=no"],
)
def test_a_url_that_names_no_server_is_refused(url: str):
    with pytest.raises(Invalid) as caught:
        relay(url)

    assert caught.value.field == "HEARD_SMTP_URL"
