"""Any stream, repeated, cut, delayed or crashed: nobody is asked too often, nothing is decided twice.

The pure rules are walked in tests/spec/test_ledger.py; here the whole of it runs, with its database.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.errors import DeliveryFailed
from heard.steps import route, send
from heard.steps.answer import answer
from heard.store import deliveries, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, MINUTE

THROTTLE, QUIET, FLOOR = 20 * DAY, 7 * DAY, DAY
MAILBOXES = {"ted": "ted@mosby.example", "teddy": "TED@Mosby.example", "lily": "lily@aldrin.example"}
FAILURES = (
    None,
    DeliveryFailed("450 later"),
    DeliveryFailed("550 never", permanent=True),
    DeliveryFailed("reset after the dot", ambiguous=True),
)

users = st.sampled_from(sorted(MAILBOXES))
message = st.one_of(
    st.tuples(st.just("identify"), users),
    st.tuples(st.just("track"), users, st.sampled_from(["Order Completed", "Signed Up"])),
    st.tuples(st.just("repeat"), st.integers(0, 30)),
)
story = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.lists(message, min_size=1, max_size=5), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 24 * 12)),
        st.tuples(st.just("send"), st.sampled_from(FAILURES)),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.just("crash while sending")),
    ),
    min_size=4,
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=story)
def test_nobody_is_asked_too_often_and_nothing_is_decided_twice(story: list[Any]):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(f"sqlite:///{Path(folder) / 'heard.db'}")
        try:
            _walk(desk, story)
            assert asked_too_often(desk, floor=FLOOR, quiet=QUIET, throttle=THROTTLE) == []
            assert decided_twice(desk) == []
            reminded_once_and_not_after_an_answer(desk)
        finally:
            desk.close()


def _walk(desk: Desk, story: list[Any]) -> None:
    desk.campaign(1, throttle="20d", delay="2d", reminder="3d")
    desk.campaign(2, event="Signed Up", throttle="20d", reminder="24h")
    desk.store.write_now(
        lambda connection: connection.execute(
            tables.workspaces.update().values(quiet_period=int(QUIET / timedelta(microseconds=1)))
        )
    )
    sent: list[dict[str, Any]] = []
    for what, *details in story:
        if what == "wait":
            desk.wait(details[0] * HOUR)
            desk.lapse()
        elif what == "send":
            desk.send(failing=details[0])
        elif what == "answer":
            answer_one(desk, details[0])
        elif what == "receive":
            batch = [_message(desk, each, sent) for each in details[0]]
            sent += batch
            record = desk.record({"batch": batch})
            if details[1]:
                _crash(desk, record)
            desk.route([record])
        else:
            _crash_while_sending(desk)


def _message(desk: Desk, what: Any, sent: list[dict[str, Any]]) -> dict[str, Any]:
    if what[0] == "identify":
        return desk.identify(what[1], email=MAILBOXES[what[1]])
    if what[0] == "repeat" and sent:
        return sent[what[1] % len(sent)]
    return desk.track(what[1] if what[0] == "track" else "ted", what[2] if what[0] == "track" else "Order Completed")


def _crash(desk: Desk, record: Any) -> None:
    """Everything was done, and the commit never came."""

    def half(connection: Any) -> None:
        route.route(connection, [record], directory=desk.directory, now=desk.now, days_made=set())
        raise InterruptedError

    try:
        desk.store.write_now(half)
    except InterruptedError:
        return
    raise AssertionError("the crash did not happen")


def answer_one(desk: Desk, number: int) -> None:
    arrived = [row for row in desk.rows(tables.deliveries) if row.kind == "first" and row.state in ("sent", "unknown")]
    if number < len(arrived):
        say = partial(answer, workspace=ACME, delivery_id=arrived[number].id, value=9, comment=None, agent="")
        desk.store.write_now(partial(say, client="", directory=desk.directory, now=desk.now))
        desk.wait(MINUTE)


def _crash_while_sending(desk: Desk) -> None:
    due = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    for ready in desk.store.write_now(partial(send.still_wanted, claimed=due, directory=desk.directory, now=desk.now)):
        desk.store.write_now(partial(send.begin, delivery=ready.delivery))
    desk.store.write_now(partial(send.recover, directory=desk.directory, now=desk.now))


def asked_too_often(desk: Desk, *, floor: timedelta, quiet: timedelta, throttle: timedelta) -> list[Any]:
    """Pairs of asks of one person, by contact or mailbox, that are too near."""
    made = [touch for touch in desk.rows(tables.touches) if touch.state == "made"]
    near: list[Any] = []
    for one, other in itertools.combinations(made, 2):
        if one.email_key != other.email_key and one.contact_id != other.contact_id:
            continue
        is_reminded = "reminder" in (one.kind, other.kind)
        same = one.campaign_id == other.campaign_id
        apart = floor if is_reminded else max(quiet, throttle) if same else max(quiet, floor)
        if abs(one.at - other.at) < apart:
            near.append((one, other))
    return near


def decided_twice(desk: Desk) -> list[Any]:
    """Triggers with more than one decision of a campaign, and decisions with more than one delivery of a kind."""
    decided = Counter((row.campaign_id, row.trigger) for row in desk.rows(tables.decisions))
    sent = Counter((row.decision_id, row.kind) for row in desk.rows(tables.deliveries))
    return [each for counts in (decided, sent) for each, n in counts.items() if n > 1]


def reminded_once_and_not_after_an_answer(desk: Desk) -> None:
    """Whoever was asked, or may have been, and has not answered before the mail server said so, has one reminder."""
    mails = desk.rows(tables.deliveries)
    firsts = {row.decision_id: row for row in mails if row.kind == "first"}
    reminders = {row.decision_id: row for row in mails if row.kind == "reminder"}
    assert {decision for decision, row in firsts.items() if row.sent_at is not None} == reminders.keys()
    answered_at = {row.delivery_id: row.answered_at for row in desk.rows(tables.responses)}
    for decision, reminder in reminders.items():
        answered = answered_at.get(firsts[decision].id)
        if reminder.sent_at is not None:
            assert reminder.sent_at - firsts[decision].sent_at >= FLOOR
            assert answered is None or reminder.sent_at <= answered
        elif answered is not None:
            assert reminder.state in ("cancelled", "failed")
