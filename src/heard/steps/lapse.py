"""What time alone does: a held track that nobody identified is declined, an invitation that nobody answered expires."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, text, update

from heard.deliveries.case import Trigger
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import OPEN_FOR, State
from heard.deliveries.reasons import Objection, Reason
from heard.store import decisions, funnel, messages, tallies
from heard.store.days import day_of, kept
from heard.store.tables import OPEN
from heard.store.tables import decisions as decisions_table
from heard.store.tables import deliveries as deliveries_table

MOST_AT_ONCE = 500


def decline_what_waited(connection: Connection, *, now: datetime) -> int:
    """Held tracks whose time has passed are declined `not_identified`; gives how many.

    Only while the log is drained: an identify that came in time and waits on the log must still find its track.
    """
    waited = decisions.held_past(connection, now, MOST_AT_ONCE)
    counts: Counter[funnel.Key] = Counter()
    settled: dict[int, list[Trigger]] = {}
    for decision in waited:
        if (track := _track_of(connection, decision)) is not None:
            settled.setdefault(decision.workspace, []).append(track)
        declined = not_identified_in_time(decision, now)
        decisions.revise(connection, declined)
        counts.update(funnel.moved(declined))
    there = set(kept(connection)) if settled else set[int]()
    for workspace, tracks in settled.items():
        of_days_kept = [each for each in tracks if day_of(each.received_at) in there]
        messages.settle(connection, workspace, of_days_kept, reason=Reason.NOT_IDENTIFIED.value)
    tallies.add(connection, counts)
    return len(waited)


def not_identified_in_time(decision: Decision, now: datetime) -> Decision:
    """What a held decision becomes when nobody said in time who it is about."""
    which = "userId" if decision.user_id is not None else "anonymousId and a userId"
    nobody = Objection(Reason.NOT_IDENTIFIED, detail=f"No identify with this {which} came in time.")
    return revised(
        decision,
        at=now,
        cause="not identified in time",
        outcome=Outcome.DECLINED,
        objections=(nobody,),
        held_until=None,
    )


def expire(connection: Connection, *, now: datetime) -> int:
    """Some of the invitations that are open no longer; gives how many."""
    table, open_since = deliveries_table, now - OPEN_FOR
    over = select(table.c.workspace_id, table.c.id).where(text(OPEN), table.c.sent_at <= open_since).limit(MOST_AT_ONCE)
    rows = connection.execute(over).all()
    for workspace, delivery in rows:
        connection.execute(
            update(table)
            .where(table.c.workspace_id == workspace, table.c.id == delivery)
            .values(state=State.EXPIRED.value)
        )
    return len(rows)


def _track_of(connection: Connection, decision: Decision) -> Trigger | None:
    """The track that a decision holds."""
    held = select(decisions_table.c.held_body).where(
        decisions_table.c.workspace_id == decision.workspace, decisions_table.c.id == decision.id
    )
    body = connection.execute(held).scalar()
    return None if body is None else msgspec.json.decode(body, type=Trigger)
