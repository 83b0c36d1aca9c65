"""From before there were destinations outside (0002): what there was is as it was, and messages go out from now on."""

from __future__ import annotations

from functools import partial

from heard.store import cursors, directory, edits, messages, migrate, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.upgrade.undone import back_to_0002, do


def test_sources_destinations_and_messages_are_as_they_were(url: str):
    desk = Desk(url)
    desk.campaign()
    desk.intake(late_identify="5m")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.close()
    do(url, back_to_0002)
    do(url, migrate.upgrade)

    store = Store(url)
    known = store.read_now(directory.load)
    (destination,) = known.destinations_of(ACME)
    assert (destination.name, destination.enabled, destination.filters) == ("Heard", True, ())
    assert known.intakes[ACME].policy.late_identify.total_seconds() == 300
    assert [each.webhook_secret for each in known.sources.values()] == [None]
    kept = store.read_now(partial(messages.after, position=0))
    assert [(each.kept.type, each.kept.routing) for each in kept] == [("identify", None), ("track", None)]

    hook = {"name": "Hook", "type": "webhook", "settings": {"url": "https://a.example"}, "source_ids": None}
    store.write_now(partial(cursors.take, sequence="destinations"))  # the desk numbered its one by hand
    store.write_now(partial(edits.keep_destination, workspace=ACME, number=None, **hook))
    rows = store.read_now(partial(edits.rows_of, table=tables.destinations, workspace=ACME))
    assert [row["name"] for row in rows] == ["Heard", "Hook"]
    store.close()
