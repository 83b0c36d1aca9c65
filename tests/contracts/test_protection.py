"""A campaign whose mails bounce, or are reported as spam, stops by itself; in either database."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pytest

from heard import ids
from heard.channels.email.refusals import MailboxRefused
from heard.deliveries.delivery import Delivery
from heard.deliveries.notice import Notice, NoticeKind
from heard.steps import protect, report
from heard.store import mail_settings, tables
from heard.store.types import micros
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    made = Desk(url)
    made.campaign()
    yield made
    made.close()


def ask(desk: Desk, name: str, n: int, **how: Any) -> list[Delivery]:
    users = [f"{name}{number}" for number in range(n)]
    desk.receive(*(desk.identify(user, email=f"{user}@mosby.example") for user in users))
    desk.receive(*(desk.track(user) for user in users))
    return desk.send(**how)


def tell(desk: Desk, kind: NoticeKind, deliveries: list[Delivery]) -> None:
    notices = [
        Notice(kind=kind, id=each.id, address="", message_id=ids.message_id(each.id, "acme.example").strip("<>"))
        for each in deliveries
    ]
    take = partial(report.take, workspace=ACME, provider="ses", notices=notices, anybody=False, now=desk.now)
    taken = desk.store.write_now(take)
    assert taken.to_judge == {1}
    judge(desk)


def judge(desk: Desk) -> list[int]:
    return desk.store.write_now(partial(protect.stop_what_must, workspace=ACME, campaigns={1}, now=desk.now))


def status(desk: Desk) -> str:
    return desk.rows(tables.campaigns)[0].status


def sent_before(desk: Desk, n: int) -> None:
    """As many went out yesterday, in the ledger's words."""
    (touch,) = desk.rows(tables.touches)[:1]
    at = micros(desk.now - DAY)
    rows = [{**touch._asdict(), "delivery_id": f"{number:032x}", "at": desk.now - DAY} for number in range(n)]
    assert at
    desk.store.write_now(lambda connection: connection.execute(tables.touches.insert(), rows))


def test_over_five_in_a_hundred_that_bounce_it_is_paused_and_the_rest_waits(desk: Desk):
    sent = ask(desk, "a", 100)
    tell(desk, NoticeKind.HARD, sent[:5])
    assert status(desk) == "active"
    tell(desk, NoticeKind.HARD, sent[5:6])

    assert status(desk) == "paused"
    assert judge(desk) == []  # it stands already
    (noted,) = [row for row in desk.rows(tables.audit) if row.what == "campaign.stopped"]
    said = "6 of 100 mails in the last 7 days went to mailboxes that nobody has: more than 5.0%."
    assert (noted.by, noted.subject, noted.detail["why"]) == ("Heard", "Campaign 1", said)
    assert ask(desk, "b", 1) == []
    (stopped,) = desk.store.read_now(partial(mail_settings.of, workspace=ACME)).stopped
    assert (stopped.why, stopped.over) == (said, False)


def test_mails_that_a_server_refuses_at_once_count_too(desk: Desk):
    ask(desk, "a", 95)
    refused = MailboxRefused("The mail server answered 550 5.1.1 no such user", permanent=True)
    ask(desk, "b", 5, failing=refused)
    assert (judge(desk), status(desk)) == ([], "active")
    ask(desk, "c", 1, failing=refused)

    assert (judge(desk), status(desk)) == ([1], "paused")


def test_one_complaint_in_five_hundred_is_too_many_and_in_a_thousand_is_not(desk: Desk):
    first = ask(desk, "a", 1)
    sent_before(desk, 999)
    tell(desk, NoticeKind.COMPLAINT, first)
    assert status(desk) == "active"

    desk.store.write_now(
        lambda connection: connection.execute(
            tables.touches.delete().where(tables.touches.c.delivery_id < f"{400:032x}")
        )
    )
    assert (judge(desk), status(desk)) == ([1], "paused")


def test_what_was_longer_ago_than_a_week_counts_no_longer(desk: Desk):
    sent = ask(desk, "a", 100)
    take = [
        Notice(kind=NoticeKind.HARD, id=each.id, address="", message_id=f"{each.id}@acme.example") for each in sent[:9]
    ]
    desk.store.write_now(
        partial(report.take, workspace=ACME, provider="ses", notices=take, anybody=False, now=desk.now)
    )
    desk.wait(8 * DAY)

    assert judge(desk) == []


def test_activated_again_only_what_goes_out_since_counts(desk: Desk):
    tell(desk, NoticeKind.HARD, ask(desk, "a", 100)[:9])
    assert status(desk) == "paused"
    desk.wait(DAY)
    desk.store.write_now(partial(mail_settings.go_on, workspace=ACME, campaign=1, now=desk.now))
    desk.store.write_now(lambda connection: connection.execute(tables.campaigns.update().values(status="active")))

    assert judge(desk) == []
    (stopped,) = desk.store.read_now(partial(mail_settings.of, workspace=ACME)).stopped
    assert (stopped.since, stopped.over) == (desk.now, True)
    tell(desk, NoticeKind.HARD, ask(desk, "b", 100)[:6])
    assert status(desk) == "paused"
    assert msgspec.json.encode(stopped)
