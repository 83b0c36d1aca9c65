"""Any campaigns, events, jumps of the clock, pauses, failures and crashes: the ledger and what people said hold.

An event campaign, a drip over a list that asks again every month, and one over everybody at once compete for the same
few mailboxes.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from heard.campaigns.campaign import Status
from heard.contacts.standing import Kind, standing
from heard.deliveries.delivery import Delivery
from heard.steps import leave, turns, waves
from heard.store import contacts, lists, tables
from heard.store import waves as kept_waves
from heard.store.types import micros
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_ledger_walk import (
    FAILURES,
    FLOOR,
    MAILBOXES,
    QUIET,
    THROTTLE,
    answer_one,
    asked_too_often,
    decided_twice,
    users,
)
from tests.contracts.test_waves import save
from tests.examples import HOUR

LISTED = {"channel": "email", "recipients": "list", "list": "Everybody", "throttle": "20d", "reminder": "3d"}
campaigns = st.sampled_from([1, 2, 3])
story = st.lists(
    st.one_of(
        st.tuples(st.just("track"), users),
        st.tuples(st.just("list"), users),
        st.tuples(st.just("ask"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 24, 24 * 3, 24 * 31])),
        st.tuples(st.just("send"), st.sampled_from(FAILURES)),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.just("leave"), users, st.booleans()),
        st.tuples(st.just("status"), campaigns, st.sampled_from([Status.PAUSED, Status.ACTIVE])),
        st.tuples(st.just("again"), st.sampled_from([2, 3]), st.booleans()),
    ),
    min_size=6,
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=story)
def test_the_ledger_and_what_people_said_hold_whatever_campaigns_do(story: list[Any]):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(f"sqlite:///{Path(folder) / 'heard.db'}")
        try:
            _walk(desk, story)
            assert asked_too_often(desk, floor=FLOOR, quiet=QUIET, throttle=THROTTLE) == []
            assert decided_twice(desk) == []
        finally:
            desk.close()


def _walk(desk: Desk, story: list[Any]) -> None:
    quiet = {"quiet_period": QUIET.days * 24 * 3_600_000_000}
    desk.store.write_now(lambda connection: connection.execute(tables.workspaces.update().values(**quiet)))
    save(desk, 1, Status.READY, {"channel": "email", "event": "Order Completed", "throttle": "20d", "delay": "2d"})
    save(desk, 2, Status.READY, LISTED | {"drip": "5d", "recurring": "30d"})
    save(desk, 3, Status.READY, LISTED)
    desk.receive(*(desk.identify(user, email=email) for user, email in MAILBOXES.items()))
    for what, *details in story:
        match what:
            case "track":
                desk.receive(desk.track(details[0], total=30))
            case "list":
                _put_on_list(desk, details[0])
            case "ask":
                _ask(desk, crashing=details[0])
            case "wait":
                desk.wait(details[0] * HOUR)
            case "send":
                _send(desk, details[0])
            case "answer":
                answer_one(desk, details[0])
            case "leave":
                _leave(desk, details[0], on=details[1])
            case "status":
                save(desk, *details)
            case _:
                again = partial(
                    kept_waves.begin, workspace=ACME, campaign=details[0], everyone=details[1], now=desk.now
                )
                desk.store.write_now(again)


def _contact(desk: Desk, user: str) -> Any:
    return next(row for row in desk.rows(tables.contacts) if row.user_id == user)


def _put_on_list(desk: Desk, user: str) -> None:
    number = _contact(desk, user).id
    desk.store.write_now(lambda connection: lists.put_on(connection, ACME, "Everybody", [number], micros(desk.now)))


def _ask(desk: Desk, *, crashing: bool) -> None:
    """What campaigns ask by themselves; where it crashes, everything was done and the commit never came."""
    for anything, step in ((waves.anything, waves.go_on), (turns.anything, turns.take)):
        known = {"directory": desk.directory, "now": desk.now}
        if not desk.store.read_now(partial(anything, **known)):
            continue

        def half(connection: Connection, step: Any = step, known: dict[str, Any] = known) -> None:
            step(connection, **known)
            raise InterruptedError

        if crashing:
            with suppress(InterruptedError):
                desk.store.write_now(half)
        desk.store.write_now(partial(step, **known))


def _send(desk: Desk, failing: Any) -> None:
    """Nobody who said no, by themselves or by their mailbox, is among those who are written to."""
    sent: list[Delivery] = desk.send(failing=failing)
    for each in sent:
        rows = desk.store.read_now(
            partial(
                contacts.suppressions_of,
                workspace=ACME,
                contacts=[each.contact],
                email_keys=[each.address.casefold()],
            )
        )
        said = {row for row in rows if row.at < desk.now}
        assert Kind.UNSUBSCRIBED not in standing(said)


def _leave(desk: Desk, user: str, *, on: bool) -> None:
    contact = _contact(desk, user)
    now = standing(
        desk.store.read_now(
            partial(contacts.suppressions_of, workspace=ACME, contacts=[contact.id], email_keys=[contact.email_key])
        )
    )
    if (Kind.UNSUBSCRIBED in now) != on:
        desk.wait(HOUR)
        work = partial(
            leave.subscribe,
            workspace=ACME,
            contact=contact.id,
            email_key=contact.email_key,
            on=on,
            cause="said so",
            now=desk.now,
        )
        desk.store.write_now(work)
        desk.wait(HOUR)
