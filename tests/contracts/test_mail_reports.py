"""What a report does in either database: the delivery is found, the mailbox left alone, and a repeat counts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import msgspec
import pytest

from heard import ids
from heard.contacts.standing import Kind, standing
from heard.deliveries.delivery import Delivery
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import DeliveryFailed
from heard.retention import Kind as Kept
from heard.steps import report
from heard.steps.report import Taken
from heard.store import contacts, keeping, tables
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_erasing import a_regulation, erase, everything
from tests.examples import DAY, HOUR, MINUTE

TED = "ted@mosby.example"


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    made = Desk(url)
    made.campaign(throttle="1d")
    made.receive(made.identify("ted", email=TED))
    yield made
    made.close()


def ask(desk: Desk, user: str = "ted", **sent: DeliveryFailed) -> Delivery:
    desk.receive(desk.track(user))
    (delivery,) = desk.send(**sent)
    return delivery


def told(kind: NoticeKind, delivery: Delivery | None = None, *, name: str = "1", **rest: object) -> Notice:
    quoted = ids.message_id(delivery.id, "acme.example").strip("<>") if delivery else None
    given = {"address": "forwarded@elsewhere.example" if delivery else TED, "detail": "550 no such user", **rest}
    return Notice(kind=kind, id=name, message_id=quoted, **given)  # pyright: ignore


def take(desk: Desk, *notices: Notice, anybody: bool = False) -> Taken:
    taken = desk.store.write_now(
        partial(report.take, workspace=ACME, provider="ses", notices=notices, anybody=anybody, now=desk.now)
    )
    return msgspec.structs.replace(taken, to_judge=frozenset())


def stands(desk: Desk, key: str = TED, *contact: int) -> set[Kind]:
    rows = desk.store.read_now(partial(contacts.suppressions_of, workspace=ACME, contacts=contact, email_keys=[key]))
    return set(standing(rows))


def test_a_hard_bounce_fails_the_delivery_and_leaves_the_mailbox_alone(desk: Desk):
    first = ask(desk)
    assert take(desk, told(NoticeKind.HARD, first)) == Taken(kept=1)

    (row,) = desk.rows(tables.deliveries)
    assert (row.state, row.error) == ("failed", "It bounced: 550 no such user")
    assert [each.state for each in desk.rows(tables.touches)] == ["made"]  # they were asked, as far as we know
    assert stands(desk) == {Kind.BOUNCED}
    assert stands(desk, "forwarded@elsewhere.example") == set()
    desk.wait(2 * DAY)
    desk.receive(desk.track("ted"))
    assert desk.decisions("ted")[-1] == ("declined", ["bounced"])


def test_a_report_that_is_told_again_counts_once(desk: Desk):
    notice = told(NoticeKind.HARD, ask(desk))

    assert take(desk, notice, notice) == Taken(kept=1, repeated=1)
    assert take(desk, notice) == Taken(repeated=1)
    assert len(desk.rows(tables.mail_events)) == len(desk.rows(tables.suppressions)) == 1


def test_three_in_a_row_that_came_back_are_enough_and_two_are_not(desk: Desk):
    for number in range(3):
        assert stands(desk) == set()
        delivery = ask(desk)
        # A provider may tell the same trouble several times.
        take(desk, *(told(NoticeKind.SOFT, delivery, name=f"{number} {time}") for time in range(2)))
        desk.wait(2 * DAY)

    assert stands(desk) == {Kind.BOUNCED}
    assert desk.states() == ["sent"] * 3
    (row,) = desk.rows(tables.suppressions)
    assert row.cause == "ses reports: 3 mails in a row came back, the last one: It came back: 550 no such user"


@pytest.mark.parametrize("says_so", [True, False])
def test_one_that_arrived_between_them_begins_the_count_again(desk: Desk, says_so: bool):
    for number in range(4):
        delivery = ask(desk)
        arrived = [told(NoticeKind.DELIVERED, delivery, name=f"{number}")] if says_so else []
        take(desk, *(arrived if number == 1 else [told(NoticeKind.SOFT, delivery, name=f"{number}")]))
        desk.wait(2 * DAY)

    assert stands(desk) == set()


def test_a_complaint_holds_for_the_person_whatever_their_address(desk: Desk):
    take(desk, told(NoticeKind.COMPLAINT, ask(desk)))
    desk.wait(2 * DAY)
    desk.receive(desk.identify("ted", email="theodore@mosby.example"), desk.track("ted"))

    assert desk.decisions("ted")[-1] == ("declined", ["complained"])
    (row, _) = [*desk.rows(tables.deliveries), None]
    assert row.state == "sent"


def test_without_our_message_id_the_latest_mail_to_the_address_is_meant(desk: Desk):
    ask(desk)
    desk.wait(2 * DAY)
    second = ask(desk)
    asked = desk.now
    desk.wait(2 * DAY)
    third = ask(desk)

    take(desk, told(NoticeKind.SOFT, name="then", at=asked + MINUTE), told(NoticeKind.SOFT, name="now"))

    assert {row.delivery_id for row in desk.rows(tables.mail_events)} == {second.id, third.id}


def test_what_anybody_could_have_written_is_believed_only_where_it_quotes_our_mail(desk: Desk):
    delivery = ask(desk)
    forged = Notice(kind=NoticeKind.HARD, id="f", address=TED, message_id="ab" * 16 + "@acme.example")

    assert take(desk, forged, told(NoticeKind.COMPLAINT), anybody=True) == Taken(not_ours=2)
    assert stands(desk) == set()
    assert take(desk, told(NoticeKind.HARD, delivery), anybody=True) == Taken(kept=1)


def test_nothing_is_kept_of_mailboxes_that_were_never_written_to(desk: Desk):
    stranger = Notice(kind=NoticeKind.HARD, id="s", address="stranger@mosby.example")
    broken = Notice(kind=NoticeKind.HARD, id="b", address="not an address")

    assert take(desk, stranger, broken) == Taken(not_ours=2)
    assert desk.rows(tables.mail_events) == desk.rows(tables.suppressions) == []


def test_another_workspaces_delivery_is_not_found_by_its_message_id(desk: Desk):
    delivery = ask(desk)
    took = desk.store.write_now(
        partial(
            report.take,
            workspace=2,
            provider="ses",
            notices=[told(NoticeKind.HARD, delivery)],
            anybody=False,
            now=desk.now,
        )
    )

    assert took == Taken(not_ours=1)
    assert desk.states() == ["sent"]


def test_a_delivery_settles_what_nobody_knew(desk: Desk):
    delivery = ask(desk, failing=DeliveryFailed("no answer after the dot", ambiguous=True))
    assert desk.states() == ["unknown"]

    take(desk, told(NoticeKind.DELIVERED, delivery))

    (row,) = desk.rows(tables.deliveries)
    assert (row.state, row.error) == ("sent", None)


def test_whoever_is_erased_leaves_nothing_among_the_reports(desk: Desk):
    desk.receive(desk.identify("robin", email="robin@scherbatsky.example"))
    take(desk, told(NoticeKind.SOFT, ask(desk)))
    take(desk, told(NoticeKind.SOFT, ask(desk, "robin"), name="2", detail=f"forwarded to {TED}, full"))
    take(desk, told(NoticeKind.AUTO_REPLY, name="3", detail="by address"))

    erase(desk, a_regulation(desk, subject := a_regulation(desk).type, "ted"))

    assert subject
    (row,) = desk.rows(tables.mail_events)
    assert row.email_key == "robin@scherbatsky.example"
    assert TED not in everything(desk)


def test_reports_go_when_they_were_kept_long_enough(desk: Desk):
    take(desk, told(NoticeKind.SOFT, ask(desk)))
    desk.wait(2 * DAY)
    take(desk, told(NoticeKind.SOFT, ask(desk), name="2"))

    def remove(before: datetime) -> None:
        desk.store.write_now(partial(keeping.remove, old={Kept.MAIL_EVENTS: before}, run=desk.now))

    remove(desk.now - HOUR)
    assert len(desk.rows(tables.mail_events)) == 1
    remove(desk.now + HOUR)
    assert desk.rows(tables.mail_events) == []
