"""A reminder goes with its person, on both engines."""

from __future__ import annotations

from functools import partial

from heard.contacts.regulation import SubjectType
from heard.store import erasing, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY


def test_whoever_is_forgotten_takes_the_reminder_along(desk: Desk):
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    person = desk.store.read_now(partial(erasing.find, workspace=ACME, kind=SubjectType.USER_ID, subjects=["ted"]))
    written = {row.id for row in desk.rows(tables.deliveries)}
    assert len(written) == 2
    assert written <= set(person.deliveries)
    desk.store.write_now(partial(erasing.remove_rest, person=person))
    desk.wait(3 * DAY)

    assert desk.send() == []
    assert desk.rows(tables.deliveries) == desk.rows(tables.touches) == []
