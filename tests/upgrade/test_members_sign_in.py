"""From before members signed in by a page (0001): what was kept goes on, and what is tallied now is counted for it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from heard.accounts.keys import Scope
from heard.accounts.member import Role
from heard.store import accounts, audit, directory, funnel, migrate, schema, sessions, tallies
from heard.store.days import day_of
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, NOON
from tests.upgrade.undone import back_to_0002, do

ADDED = ("sessions", "invites", "audit")
KEY = "sk_0123456789abcdefghij"


@pytest.fixture
def upgraded(url: str) -> Store:
    """A database of 0001 with a member, a key and a day's decisions, brought to today."""
    desk = Desk(url)
    desk.campaign(throttle="30d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.identify("robin"))
    desk.receive(desk.track("ted"), desk.track("ted"), desk.track("robin"), desk.track("barney"))
    desk.send()
    desk.store.write_now(lambda connection: accounts.add_member(
        connection, ACME, "Barney@Stinson.example", "a hash", Role.OWNER, now=NOON
    ))  # fmt: skip
    desk.store.write_now(lambda connection: accounts.add_key(connection, ACME, "CRM", KEY, now=NOON))
    desk.close()
    do(url, _back_to_0001)
    do(url, migrate.upgrade)
    return Store(url)


def test_members_sign_in_and_keys_work(upgraded: Store):
    def sign_in(connection: Connection) -> Any:
        sessions.begin(connection, "token", "barney@stinson.example", ACME, agent="", now=NOON)
        return sessions.by_token(connection, "token", now=NOON), accounts.key_by_secret(connection, KEY)

    session, key = upgraded.write_now(sign_in)

    assert [(each.email, each.role) for each in session.memberships] == [("Barney@Stinson.example", Role.OWNER)]
    assert (key.name, key.scope) == ("CRM", Scope.FULL)
    upgraded.write_now(partial(audit.note, workspace=ACME, by="a test", what="key.made", subject="CRM", at=NOON))
    assert [each.what for each in upgraded.read_now(partial(audit.newest, workspace=ACME))] == ["key.made"]
    upgraded.close()


def test_what_was_decided_before_is_counted(upgraded: Store):
    found = upgraded.read_now(partial(funnel.read, workspace=ACME, campaigns=(1,), first=None, last=None))

    assert (found.matched, found.waiting, found.invited, found.sent) == (4, 1, 1, 1)
    assert found.held == {"campaign_throttle": 1, "no_address": 1}
    assert upgraded.read_now(partial(tallies.of_day, workspace=ACME, day=day_of(NOON)))["source:1"] == 6
    upgraded.close()


def test_who_was_waited_for_is_moved_not_counted_twice(url: str, upgraded: Store):
    upgraded.close()
    later = Desk.__new__(Desk)
    later.store, later.now = Store(url), NOON + DAY
    assert later.lapse() == 1
    found = later.store.read_now(partial(funnel.read, workspace=ACME, campaigns=(1,), first=None, last=None))

    assert (found.matched, found.waiting, found.held["not_identified"]) == (4, 0, 1)
    assert later.store.read_now(directory.load).campaigns[1].name == "Campaign 1"
    later.close()


def _back_to_0001(connection: Connection) -> None:
    """What 0002 adds is taken away, as if it had never been."""
    back_to_0002(connection)
    for table in ADDED:
        connection.execute(text(f"DROP TABLE {table}"))
    for index in ("decisions_by_campaign", "deliveries_newest", "deliveries_open", "decisions_held_by_user"):
        connection.execute(text(f"DROP INDEX {index}"))
    connection.execute(text("DROP INDEX deliveries_by_campaign"))
    connection.execute(text("CREATE INDEX deliveries_by_campaign ON deliveries (workspace_id, campaign_id, state)"))
    connection.execute(text("ALTER TABLE secret_keys DROP COLUMN scope"))
    connection.execute(text("DELETE FROM tallies WHERE name LIKE 'campaign:%' OR name LIKE 'source:%'"))
    schema.stamp(connection, "0001")
