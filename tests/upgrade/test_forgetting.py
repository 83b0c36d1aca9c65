"""From before privacy requests (0004): what is there stays, and somebody can be forgotten at once."""

from __future__ import annotations

from heard.store import migrate, regulations, schema, suppressed
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.upgrade.undone import back_to_0004, do


def test_an_older_database_suppresses_nobody_and_keeps_who_is_there(url: str):
    desk = Desk(url)
    desk.receive(desk.identify("ann", email="ann@pawnee.example"))
    desk.close()
    do(url, back_to_0004)
    do(url, migrate.upgrade)

    store = Store(url)
    assert store.read_now(schema.version) == schema.CURRENT
    assert store.read_now(suppressed.everybody) == {}
    assert store.read_now(regulations.unfinished) == []
    assert store.read_now(lambda found: found.exec_driver_sql("SELECT user_id FROM contacts").scalar()) == "ann"
    store.close()
