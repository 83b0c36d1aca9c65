"""Which mails were opened, on both engines: the first time, machines apart, until it was kept long enough."""

from __future__ import annotations

from functools import partial

from heard.contacts.regulation import SubjectType
from heard.responses.opens import Open, opened
from heard.retention import Kind
from heard.steps import send
from heard.store import deliveries, erasing, keeping, opens, tables
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_funnel import is_what_the_rows_say, of
from tests.examples import DAY, HOUR

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def mails(desk: Desk, *users: str, image: bool = True) -> list[str]:
    """The ids of what goes out to them."""
    for user in users:
        desk.receive(desk.identify(user, email=f"{user}@mosby.example"), desk.track(user))
    sent = []
    for each in desk.store.read_now(partial(deliveries.due, now=desk.now, limit=9)):
        sending = desk.store.write_now(partial(send.begin, delivery=each, counts_opens=image))
        desk.store.write_now(partial(send.sent, delivery=sending, directory=desk.directory, now=desk.now))
        sent.append(each.id)
    return sent


def load(desk: Desk, delivery: str, agent: str) -> None:
    now = opened(desk.now, agent)
    desk.store.write_now(partial(opens.keep, workspace=ACME, delivery_id=delivery, now=now))


def counted(desk: Desk) -> tuple[int, int, int]:
    found = of(desk)
    return found.with_image, found.opened, found.opened_by_machine


def test_the_first_time_counts_and_a_person_after_a_machine(desk: Desk):
    desk.campaign()
    ted, robin, lily = sorted(mails(desk, "ted", "robin", "lily"))
    load(desk, ted, "Mozilla/5.0")
    load(desk, robin, GMAIL)
    load(desk, robin, "")
    assert counted(desk) == (3, 0, 2)

    desk.wait(DAY)
    for delivery in (ted, ted, lily):
        load(desk, delivery, PHONE)
    load(desk, ted, "Mozilla/5.0")

    assert counted(desk) == (3, 2, 1)
    kept = desk.store.read_now(partial(opens.of_deliveries, workspace=ACME, ids=[ted, robin]))
    assert kept[ted] == Open(at=desk.now, agent=PHONE, machine=None)
    assert kept[robin].machine == "Gmail’s image proxy"
    is_what_the_rows_say(desk)


def test_a_mail_without_a_picture_is_not_counted_and_nor_is_anothers(desk: Desk):
    desk.campaign()
    (ted,) = mails(desk, "ted", image=False)
    for delivery in (ted, "0" * 32):
        load(desk, delivery, PHONE)
        assert not desk.store.read_now(
            partial(opens.looked_for, workspace=ACME, delivery_id=delivery, now=opened(desk.now, PHONE))
        )

    assert counted(desk) == (0, 0, 0)
    assert desk.rows(tables.opens) == []
    assert of(desk).sent == 1


def test_the_programs_name_goes_when_it_was_kept_long_enough_and_all_of_it_with_the_person(desk: Desk):
    desk.campaign()
    (ted,) = mails(desk, "ted")
    load(desk, ted, PHONE)
    for before, agent in ((desk.now, PHONE), (desk.now + HOUR, "")):
        desk.store.write_now(partial(keeping.remove, old={Kind.CLICKS: before}, run=desk.now))
        assert [row.agent for row in desk.rows(tables.opens)] == [agent]

    find = partial(erasing.find, workspace=ACME, kind=SubjectType.USER_ID, subjects=["ted"])
    person = desk.store.read_now(find)
    desk.store.write_now(partial(erasing.remove_rest, person=person))
    assert desk.rows(tables.opens) == []
