"""Not more mails than a workspace wants to send: the rest waits in its order, on both engines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

import pytest

from heard.accounts.mail_settings import MailSettings, Rates
from heard.contacts.standing import Kind, Suppression
from heard.deliveries.delivery import HandedTo
from heard.deliveries.pacing import MICROSECOND
from heard.errors import DeliveryFailed
from heard.steps import send
from heard.store import contacts, deliveries, handed_over, mail_settings, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, MINUTE, NOON


def rates(desk: Desk, **limits: object) -> None:
    settings = MailSettings(rates=Rates(**limits))  # type: ignore[arg-type]
    desk.store.write_now(partial(mail_settings.keep, workspace=ACME, settings=settings))


def ask(desk: Desk, people: Iterable[str]) -> None:
    """One after the other, a second apart."""
    for person in people:
        user = person.partition("@")[0]
        desk.receive(desk.identify(user, email=person), desk.track(user))
        desk.wait(timedelta(seconds=1))


def everybody(n: int) -> list[str]:
    return [f"p{number:03}@d{number}.example" for number in range(n)]


def goes_out(desk: Desk) -> list[str]:
    """Everybody who is asked now, claim after claim as the loop does it."""
    went: list[str] = []
    while desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1)):
        went += [each.address for each in desk.send()]
    return went


def waiting(desk: Desk) -> int:
    return desk.store.read_now(partial(handed_over.waiting, workspace=ACME, now=desk.now))


def to_the_next_hour(desk: Desk) -> None:
    desk.now = desk.now.replace(minute=0, second=1) + HOUR


def test_over_the_hour_they_wait_in_their_order_and_go_out_in_the_next(desk: Desk):
    desk.campaign()
    rates(desk, hour=3)
    people = everybody(8)
    ask(desk, people)

    assert goes_out(desk) == people[:3]
    assert waiting(desk) == 5
    touches = {row.delivery_id: row.at for row in desk.rows(tables.touches) if row.state == "reserved"}
    waits = {row.id: row.due_at for row in desk.rows(tables.deliveries) if row.state == "scheduled"}
    assert touches == waits
    assert sorted(waits.values()) == [NOON + HOUR + n * MICROSECOND for n in range(1, 6)]

    ask(desk, ["late@d9.example"])  # stands behind all of them
    assert goes_out(desk) == []
    to_the_next_hour(desk)
    assert goes_out(desk) == people[3:6]
    to_the_next_hour(desk)
    assert goes_out(desk) == [*people[6:], "late@d9.example"]
    assert waiting(desk) == 0


def test_a_domain_at_its_limit_holds_nobody_else(desk: Desk):
    desk.campaign()
    rates(desk, domain=2)
    ask(desk, ["a@big.example", "b@BIG.example", "c@big.example", "d@small.example", "e@big.example", "f@tiny.example"])

    assert goes_out(desk) == ["a@big.example", "b@BIG.example", "d@small.example", "f@tiny.example"]
    to_the_next_hour(desk)
    assert goes_out(desk) == ["c@big.example", "e@big.example"]


def test_over_the_day_they_wait_for_midnight(desk: Desk):
    desk.campaign()
    rates(desk, day=2)
    people = everybody(3)
    ask(desk, people)

    assert goes_out(desk) == people[:2]
    desk.wait(11 * HOUR)
    assert goes_out(desk) == []
    desk.wait(HOUR)
    assert goes_out(desk) == people[2:]


def test_a_warm_up_over_four_days(desk: Desk):
    desk.campaign()
    rates(desk, day=300, warm_up=NOON.date())
    people = everybody(800)
    desk.receive(*(desk.identify(each.partition("@")[0], email=each) for each in people))
    desk.receive(*(desk.track(each.partition("@")[0]) for each in people))

    went: list[list[str]] = []
    for _ in range(5):
        went.append(goes_out(desk))
        desk.wait(DAY)

    assert [len(each) for each in went] == [50, 100, 200, 300, 150]
    assert sorted(each for day in went for each in day) == sorted(people)


@pytest.mark.parametrize("begun", [False, True])
def test_a_crash_loses_no_mail_and_exceeds_no_rate(desk: Desk, begun: bool):
    desk.campaign()
    rates(desk, hour=2)
    people = everybody(4)
    ask(desk, people)
    due = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=9))
    claim = partial(send.still_wanted, claimed=due, directory=desk.directory, now=desk.now)
    taken = desk.store.write_now(claim)
    if begun:
        for each in taken:
            desk.store.write_now(partial(send.begin, delivery=each.delivery, over=HandedTo.OUTBOX))
    desk.store.write_now(partial(send.recover, directory=desk.directory, now=desk.now))

    assert goes_out(desk) == []  # two may have gone out this hour
    went: list[str] = []
    for _ in range(2):
        to_the_next_hour(desk)
        went += goes_out(desk)
    assert sorted(went) == people
    assert desk.states() == ["sent"] * 4


def test_a_claim_that_is_undone_counts_nothing(desk: Desk):
    desk.campaign()
    rates(desk, hour=1)
    ask(desk, everybody(1))
    due = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=9))

    def fails(connection: object) -> None:
        send.still_wanted(connection, due, directory=directory, now=desk.now)  # type: ignore[arg-type]
        raise RuntimeError("the power is gone")

    directory = desk.directory
    with pytest.raises(RuntimeError):
        desk.store.write_now(fails)
    assert goes_out(desk) == everybody(1)


def test_a_reminder_is_a_mail_and_each_try_counts(desk: Desk):
    desk.campaign(reminder="3d")
    ask(desk, everybody(1))
    goes_out(desk)
    desk.wait(3 * DAY)
    rates(desk, hour=1)
    ask(desk, ["new@d9.example"])

    assert len(goes_out(desk)) == 1
    assert waiting(desk) == 1
    to_the_next_hour(desk)
    desk.send(failing=DeliveryFailed("450 later"))
    desk.wait(MINUTE)
    assert goes_out(desk) == []  # the server was asked once this hour
    to_the_next_hour(desk)
    assert len(goes_out(desk)) == 1
    assert desk.states() == ["scheduled", "sent", "sent", "sent"]  # and the other's reminder


def test_whoever_leaves_takes_no_room_and_waits_no_more(desk: Desk):
    desk.campaign()
    rates(desk, hour=1)
    people = everybody(3)
    ask(desk, people)
    goes_out(desk)
    gone = Suppression(kind=Kind.UNSUBSCRIBED, on=True, at=desk.now, email_key=people[1])
    desk.store.write_now(lambda connection: contacts.suppress(connection, ACME, gone, "test"))
    to_the_next_hour(desk)

    assert goes_out(desk) == people[2:]


def test_days_that_are_over_are_forgotten_and_domains_after_their_hour(desk: Desk):
    desk.campaign()
    rates(desk, hour=2, domain=1)
    ask(desk, everybody(3))
    goes_out(desk)
    assert len(desk.rows(tables.handed_over)) == 4  # the hour, two domains, the hour that one waits for

    desk.wait(HOUR)
    desk.store.write_now(partial(handed_over.forget, now=desk.now))
    assert [(row.domain, row.mails, row.put_off) for row in desk.rows(tables.handed_over)] == [("", 2, 0), ("", 0, 1)]
    desk.wait(DAY)
    desk.store.write_now(partial(handed_over.forget, now=desk.now))
    assert desk.rows(tables.handed_over) == []
