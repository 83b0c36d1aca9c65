"""A mail server that says no, says maybe, or hangs up, and a whole Heard that draws the right conclusion from it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from tests.contracts.mail_server import TAKEN, Answer, MailServer, hang_up, in_turn
from tests.faults.customers import delivery_of, html, orders, outcomes, states
from tests.flow.running import RunningHeard, answer, eventually, links_in

SLOW = "250 2.0.0 taken, at last"
PASSING = {  # customer -> the step at which the server says no for now, and how
    "closing": ("RCPT", "421 4.3.2 closing"),
    "busy": ("RCPT", "450 4.2.1 mailbox busy"),
    "greylisted": ("RCPT", "451 4.7.1 come back later"),
    "shut": ("DATA", "421 4.3.2 closing"),
    "full": ("DATA", "552 the mailbox is full"),
    "troubled": ("DATA", "451 4.3.0 try again"),
}


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def heard(tmp_path: Path, mail_server: MailServer) -> Iterator[RunningHeard]:
    smtp = {"HEARD_SMTP_URL": mail_server.url, "HEARD_SMTP_CONNECTIONS": "4"}
    with RunningHeard(tmp_path / "data", environment=smtp) as running:
        yield running


def test_a_mail_whose_last_answer_was_lost_is_unknown_and_never_sent_again_until_an_answer_settles_it(
    heard: RunningHeard, mail_server: MailServer
):
    mail_server.data = hang_up
    orders(heard, "ted")
    heard.settle()
    unknown = delivery_of(heard, "ted")
    assert (unknown["state"], unknown["attempts"]) == ("unknown", 1)
    assert "Nobody knows" in unknown["error"]

    mail_server.data = TAKEN
    heard.advance("5d")
    heard.stop()
    heard.start()
    orders(heard, "ted")  # and it counts as an ask: the throttle objects
    heard.settle()
    (arrived,) = mail_server.taken
    assert outcomes(heard, "ted") == ["declined", "invited"]

    assert answer(links_in(html(arrived))[8]).status_code == 200
    assert states(heard, "ted") == ["answered"]


def test_a_passing_refusal_is_tried_again_and_sent_once(heard: RunningHeard, mail_server: MailServer):
    mail_server.recipient = each_in_turn({user: no for user, (step, no) in PASSING.items() if step == "RCPT"})
    mail_server.data = each_in_turn({user: no for user, (step, no) in PASSING.items() if step == "DATA"})
    orders(heard, *PASSING)
    heard.settle()
    for user, (_, no) in PASSING.items():
        first = delivery_of(heard, user)
        assert (first["state"], first["attempts"]) == ("scheduled", 1)
        assert no[:3] in first["error"]

    heard.advance("2m")

    for user in PASSING:
        last = delivery_of(heard, user)
        assert (last["state"], last["attempts"], last["error"]) == ("sent", 3, None)
    assert len(mail_server.taken) == len(PASSING)


def test_a_mail_that_is_refused_for_good_gives_its_place_on_the_ledger_back(
    heard: RunningHeard, mail_server: MailServer
):
    mail_server.data = in_turn("554 5.7.1 looks like spam", TAKEN)
    orders(heard, "ted")
    heard.advance("1d")
    failed = delivery_of(heard, "ted")
    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert "554" in failed["error"]

    orders(heard, "ted")
    heard.settle()

    assert states(heard, "ted") == ["sent"]
    assert outcomes(heard, "ted") == ["invited", "invited"]
    assert len(mail_server.taken) == 1


def test_a_mailbox_that_does_not_exist_is_asked_no_more_but_the_persons_next_one_is(
    heard: RunningHeard, mail_server: MailServer
):
    mail_server.recipient = in_turn("550 5.1.1 no such user", "250 OK")
    orders(heard, "ted")
    heard.settle()
    assert states(heard, "ted") == ["failed"]
    assert heard.get("contacts/ted")["status"] == "bounced"

    orders(heard, "ted")
    heard.settle()
    assert outcomes(heard, "ted") == ["declined", "invited"]
    assert mail_server.taken == []

    heard.send("identify", userId="ted", traits={"email": "ted@home.example"})
    heard.send("track", userId="ted", event="Order Completed", properties={"total": 25})
    heard.settle()
    assert [each.rcpt_tos for each in mail_server.taken] == [["ted@home.example"]]


def test_one_slow_hand_over_stops_no_other(heard: RunningHeard, mail_server: MailServer):
    mail_server.data, release = slow_for("slowest")
    others = [f"customer{number}" for number in range(20)]
    orders(heard, "slowest", *others)

    eventually(lambda: len(mail_server.taken) == len(others), what="the other mails")
    assert states(heard, "slowest") == ["sending"]

    release.set()
    eventually(lambda: states(heard, "slowest") == ["sent"], what="the slow mail")
    assert len(mail_server.taken) == len(others) + 1


def test_a_stop_in_the_middle_of_a_hand_over_leaves_it_unknown_and_does_not_wait_for_it(
    heard: RunningHeard, mail_server: MailServer
):
    mail_server.data, release = slow_for("slowest")
    orders(heard, "slowest")
    eventually(lambda: states(heard, "slowest") == ["sending"], what="the hand-over")

    assert heard.stop() == 0  # within 15 seconds, or it raises

    release.set()
    heard.start()
    heard.advance("1d")
    assert states(heard, "slowest") == ["unknown"]
    assert len(mail_server.taken) <= 1


def slow_for(user: str) -> tuple[Answer, threading.Event]:
    """A server that keeps this customer's mail waiting for its answer until the event is set."""
    release = threading.Event()

    async def reply(server: SMTP) -> str:
        if not server.envelope or not server.envelope.rcpt_tos[0].startswith(user):
            return TAKEN
        await asyncio.to_thread(release.wait, 30)
        return SLOW

    return reply, release


def each_in_turn(refusals: dict[str, str]) -> Answer:
    """Every customer's own refusal twice, then a yes; a yes at once to everybody else."""
    turns = {user: in_turn(no, no, TAKEN) for user, no in refusals.items()}

    async def reply(server: SMTP) -> str:
        assert server.envelope is not None
        user = server.envelope.rcpt_tos[-1].partition("@")[0]
        return await turns[user](server) if user in turns else TAKEN

    return reply
