"""From before it was kept what a mail was handed to, and whether it tells that it was opened (0015)."""

from __future__ import annotations

from functools import partial

from heard.deliveries.delivery import HandedTo
from heard.steps import send
from heard.store import deliveries, directory, migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.upgrade.undone import back_to_0015, do


def test_what_was_under_way_before_the_upgrade_is_unknown_after_it(url: str):
    desk = Desk(url)
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    desk.store.write_now(partial(send.begin, delivery=delivery, over=HandedTo.OUTBOX))
    desk.close()
    do(url, back_to_0015)
    do(url, migrate.upgrade)
    store = Store(url)
    try:
        assert store.read_now(schema.version) == schema.CURRENT
        known = store.read_now(directory.load)
        store.write_now(partial(send.recover, directory=known, now=desk.now))

        (row,) = store.read_now(lambda connection: connection.execute(tables.deliveries.select()).all())
        assert (row.state, row.handed_to, row.counts_opens) == ("unknown", None, 0)
        assert store.read_now(lambda connection: connection.execute(tables.opens.select()).all()) == []
    finally:
        store.close()
