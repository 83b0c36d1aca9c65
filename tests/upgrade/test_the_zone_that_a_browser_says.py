"""From before browsers' zones were kept (0019): who was known goes by UTC, and by their zone once it is said."""

from __future__ import annotations

from functools import partial

from heard.store import contacts, migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY
from tests.upgrade.undone import back_to_0019, do


def test_who_was_known_has_a_zone_from_their_next_identify_on(url: str):
    desk = Desk(url)
    desk.campaign(window={"from": "09:00", "to": "10:00", "zone": "contact"})
    desk.receive(desk.identify("ted", email="ted@mosby.example", plan="Premium"))
    desk.close()
    do(url, back_to_0019)
    do(url, migrate.upgrade)
    desk.store = Store(url)
    try:
        assert desk.store.read_now(schema.version) == schema.CURRENT
        (ted,) = desk.store.read_now(partial(contacts.by_id, workspace=ACME, ids=[1])).values()
        assert (ted.user_id, ted.zone) == ("ted", None)

        desk.receive(desk.track("ted"))
        desk.wait(9 * DAY)
        desk.receive(desk.identify("ted") | {"context": {"timezone": "Asia/Tokyo"}}, desk.track("ted"))

        due = sorted(desk.rows(tables.deliveries), key=lambda each: each.due_at)
        assert [each.due_at.hour for each in due] == [9, 0], "nine in UTC, then in Tokyo"
        (ted,) = desk.store.read_now(partial(contacts.by_id, workspace=ACME, ids=[1])).values()
        assert (ted.zone, b"Premium" in ted.traits) == ("Asia/Tokyo", True)
    finally:
        desk.close()
