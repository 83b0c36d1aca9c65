"""What came from which source, on both databases: counted by day, with its newest message."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from heard.store import arrivals, days, tables, tallies
from heard.store.arrivals import Arrivals
from tests.contracts.desk import ACME, WEBSITE, Desk
from tests.examples import NOON

SHOP, OTHER = 2, 9


def came(desk: Desk, workspace: int = ACME) -> dict[int, Arrivals]:
    return desk.store.read_now(lambda connection: arrivals.by_source(connection, workspace, now=desk.now))


def test_every_source_is_counted_by_the_day_of_receipt(desk: Desk):
    desk.add(tables.sources, workspace_id=ACME, id=SHOP, name="Shop", write_key="wk_shop", created_at=NOON)
    desk.receive(desk.track("u_1"), desk.track("u_1"))
    desk.now += timedelta(days=1)
    desk.receive(
        desk.track("u_1", event="Pint Ordered"), desk.track(None)
    )  # the second is refused, and came all the same
    desk.receive(desk.identify("u_2"), source=SHOP)

    found = came(desk)

    midnight = datetime(desk.now.year, desk.now.month, desk.now.day, tzinfo=desk.now.tzinfo)
    assert {source: (each.today, each.yesterday, each.last_day) for source, each in found.items()} == {
        WEBSITE: (2, 2, midnight),
        SHOP: (1, 0, midnight),
    }
    newest = found[SHOP].newest
    assert newest is not None
    assert (newest.type, newest.user_id) == ("identify", "u_2")


def test_the_newest_are_those_of_the_last_day_that_had_any(desk: Desk):
    desk.receive(desk.track("u_1", event="Older"))
    desk.now += timedelta(days=3)
    desk.receive(desk.track("u_1", event="Newer"), desk.track("u_1", event="Newest"))

    kept = desk.store.read_now(lambda connection: arrivals.newest(connection, ACME, source=WEBSITE))

    assert [each.event for each in kept] == ["Newest", "Newer"]
    assert desk.store.read_now(lambda connection: arrivals.newest(connection, ACME, source=SHOP)) == []


def test_a_workspace_that_never_heard_anything_is_told_from_one_that_did(desk: Desk):
    def ever(workspace: int) -> bool:
        return desk.store.read_now(lambda connection: arrivals.ever(connection, workspace))

    assert not ever(ACME)
    desk.receive(desk.track("u_1"))
    assert ever(ACME)
    assert not ever(OTHER)
    assert came(desk, OTHER) == {}


def test_what_came_from_a_source_is_no_verdict(desk: Desk):
    desk.receive(desk.track("u_1"), desk.track("u_1"))

    counted = desk.store.read_now(lambda connection: tallies.totals(connection, ACME))

    assert sum(counted.values()) == 2
    assert not any(name.startswith(tallies.SOURCE) for name in counted)


def test_totals_of_days_that_are_over_are_added_up_once(desk: Desk):
    totals = tallies.Totals()

    def counted() -> dict[str, int]:
        yesterday = days.before(days.day_of(desk.now))
        return dict(desk.store.read_now(partial(totals.read, workspaces=[ACME], yesterday=yesterday)))

    desk.receive(desk.track("ted"))
    assert counted() == {"accepted": 1}
    desk.wait(timedelta(days=1))
    desk.receive(desk.track("ted"), desk.track("robin"))
    assert counted() == {"accepted": 3}
    desk.wait(timedelta(days=5))
    desk.receive(desk.track("ted"))
    assert counted() == counted() == {"accepted": 4}
