"""Any campaigns, events, jumps of the clock, pauses, failures and crashes: the ledger and what people said hold.

An event campaign, a drip over a list that asks again every month, and one over everybody at once compete for the same
few mailboxes, each with a window, a daily cap, a quota and a sample or without.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from heard.campaigns.campaign import Status
from heard.contacts.standing import Kind, Suppression, standing, wishes
from heard.deliveries import sampling, schedule
from heard.deliveries.delivery import Delivery
from heard.deliveries.ledger import TouchKind
from heard.steps import leave, turns, waves
from heard.store import contacts, lists, tables
from heard.store import waves as kept_waves
from heard.store.types import micros
from tests.contracts.desk import ACME, SURVEY, WEBSITE, Desk
from tests.contracts.test_ledger_walk import (
    FAILURES,
    FLOOR,
    MAILBOXES,
    QUIET,
    THROTTLE,
    answer_one,
    asked_too_often,
    decided_twice,
    reminded_once_and_not_after_an_answer,
    users,
)
from tests.contracts.test_waves import save
from tests.examples import HOUR

WEEKDAYS = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"}
LISTED = {"channel": "email", "recipients": "list", "list": "Everybody", "throttle": "20d", "reminder": "3d"}
KINDS = [Kind.INACTIVE, Kind.BOUNCED, Kind.COMPLAINED, Kind.SUPPRESSED]
campaigns = st.sampled_from([1, 2, 3])
limits = st.fixed_dictionaries(
    {},
    optional={
        "window": st.just(WEEKDAYS),
        "daily_cap": st.sampled_from([1, 2]),
        "quota": st.sampled_from([1, 4]),
        "sample": st.sampled_from(["30%", "60%"]),
    },
)
story = st.lists(
    st.one_of(
        st.tuples(st.just("track"), users),
        st.tuples(st.just("list"), users),
        st.tuples(st.just("ask"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 24, 24 * 3, 24 * 31])),
        st.tuples(st.just("send"), st.sampled_from(FAILURES)),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.just("leave"), users, st.booleans()),
        st.tuples(st.just("suppress"), users, st.sampled_from(KINDS), st.booleans(), st.booleans()),
        st.tuples(st.just("prefer"), users, st.sampled_from([Kind.LESS_OFTEN, Kind.NOT_THIS_ONE]), st.booleans()),
        st.tuples(st.just("status"), campaigns, st.sampled_from([Status.PAUSED, Status.ACTIVE])),
        st.tuples(st.just("again"), st.sampled_from([2, 3]), st.booleans()),
    ),
    min_size=6,
    max_size=30,
)
AWAY_FOR_DAYS = [("list", "ted"), ("list", "lily"), ("ask", False), ("wait", 72), ("send", None)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(story=AWAY_FOR_DAYS, limited=({}, {"daily_cap": 1}, {}))
@given(story=story, limited=st.tuples(limits, limits, limits))
def test_the_ledger_and_what_people_said_hold_whatever_campaigns_do(
    story: list[Any], limited: tuple[dict[str, Any], ...]
):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(f"sqlite:///{Path(folder) / 'heard.db'}")
        try:
            routed = _walk(desk, story, limited)
            assert asked_too_often(desk, floor=FLOOR, quiet=QUIET, throttle=THROTTLE) == []
            assert decided_twice(desk) == []
            reminded_once_and_not_after_an_answer(desk)
            decided = Counter(row.trigger for row in desk.rows(tables.decisions) if row.trigger in routed)
            assert decided == Counter(routed)
            _limits_hold(desk)
        finally:
            desk.close()


def _limits_hold(desk: Desk) -> None:
    """Nobody is asked outside of a sample, at a time that is shut, over a day's cap or over the quota."""
    made = [row for row in desk.rows(tables.touches) if row.state == "made"]
    for campaign in desk.directory.campaigns.values():
        own = [row for row in made if row.campaign_id == campaign.id]
        firsts = [row for row in own if row.kind == "first"]
        zone = schedule.campaigns_zone(campaign)
        assert all(schedule.in_window(campaign, row.at, zone) == row.at for row in own)
        assert all(sampling.position(campaign.id, row.contact_id) < campaign.sample for row in firsts)
        assert campaign.quota is None or len(firsts) <= campaign.quota
        days = Counter(row.at.date() for row in firsts)
        assert campaign.daily_cap is None or max(days.values(), default=0) <= campaign.daily_cap


def _walk(desk: Desk, story: list[Any], limited: tuple[dict[str, Any], ...]) -> list[str]:
    """Gives the triggers that were routed."""
    quiet = {"quiet_period": QUIET.days * 24 * 3_600_000_000}
    desk.store.write_now(lambda connection: connection.execute(tables.workspaces.update().values(**quiet)))
    event = {"channel": "email", "event": "Order Completed", "throttle": "20d", "delay": "2d", "reminder": "24h"}
    save(desk, 1, Status.READY, event | limited[0])
    save(desk, 2, Status.READY, LISTED | {"drip": "5d", "recurring": "30d"} | limited[1])
    save(desk, 3, Status.READY, LISTED | limited[2])
    desk.receive(*(desk.identify(user, email=email) for user, email in MAILBOXES.items()))
    routed: list[str] = []
    for what, *details in story:
        match what:
            case "track":
                message = desk.track(details[0], total=30)
                desk.receive(message)
                routed.append(f"{WEBSITE}:{message['messageId']}")
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
            case "suppress":
                _suppress(desk, details[0], details[1], on=details[2], mailbox=details[3])
            case "prefer":
                _prefer(desk, details[0], details[1], on=details[2])
            case "status":
                save(desk, *details)
            case _:
                again = partial(
                    kept_waves.begin, workspace=ACME, campaign=details[0], everyone=details[1], now=desk.now
                )
                desk.store.write_now(again)
    return routed


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
    """Nobody who said no, or who may not be asked, by themselves or by their mailbox, is among those written to."""
    for each in desk.send(failing=failing):
        said = {row for row in _said(desk, each) if row.at < desk.now}
        assert standing(said) == frozenset()
        wished = wishes(said)
        assert each.survey not in wished.surveys
        assert not (wished.less_often and each.kind is TouchKind.REMINDER)


def _said(desk: Desk, mail: Delivery) -> list[Suppression]:
    people, keys = [mail.contact], [mail.address.casefold()]
    about = partial(contacts.suppressions_of, workspace=ACME, contacts=people, email_keys=keys)
    return desk.store.read_now(about)


def _suppress(desk: Desk, user: str, kind: Kind, *, on: bool, mailbox: bool) -> None:
    contact = _contact(desk, user)
    desk.wait(HOUR)
    whom = {"email_key": contact.email_key} if mailbox else {"contact": contact.id}
    row = Suppression(kind=kind, on=on, at=desk.now, **whom)
    desk.store.write_now(lambda connection: contacts.suppress(connection, ACME, row, "said so"))
    desk.wait(HOUR)


def _prefer(desk: Desk, user: str, kind: Kind, *, on: bool) -> None:
    contact = _contact(desk, user)
    desk.wait(HOUR)
    person = {"workspace": ACME, "contact": contact.id, "email_key": contact.email_key}
    said = {"on": on, "cause": "said so", "now": desk.now}
    if kind is Kind.LESS_OFTEN:
        desk.store.write_now(partial(leave.less_often, **person, **said))
    else:
        desk.store.write_now(partial(leave.not_this_one, survey=desk.directory.surveys[SURVEY], **person, **said))
    desk.wait(HOUR)


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
