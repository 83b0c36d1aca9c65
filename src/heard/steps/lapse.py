"""What time alone does: a held track that nobody identified is declined, an invitation that nobody answered expires."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, text, update

from heard.deliveries.case import Trigger
from heard.deliveries.decision import Outcome, revised
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
    for decision in waited:
        which = "userId" if decision.user_id is not None else "anonymousId and a userId"
        nobody = Objection(Reason.NOT_IDENTIFIED, detail=f"No identify with this {which} came in time.")
        _settle_message(connection, decision.workspace, decision.id, decision.trigger)
        declined = revised(
            decision,
            at=now,
            cause="not identified in time",
            outcome=Outcome.DECLINED,
            objections=(nobody,),
            held_until=None,
        )
        decisions.revise(connection, declined)
        counts.update(funnel.moved(declined))
    tallies.add(connection, counts)
    return len(waited)


def expire(connection: Connection, *, now: datetime) -> int:
    """Invitations that are open no longer; gives how many."""
    table, open_since = deliveries_table, now - OPEN_FOR
    over = select(table.c.workspace_id, table.c.id).where(text(OPEN), table.c.sent_at <= open_since).limit(5000)
    rows = connection.execute(over).all()
    for workspace, delivery in rows:
        connection.execute(
            update(table)
            .where(table.c.workspace_id == workspace, table.c.id == delivery)
            .values(state=State.EXPIRED.value)
        )
    return len(rows)


def _settle_message(connection: Connection, workspace: int, decision: int, trigger: str) -> None:
    row = connection.execute(
        select(decisions_table.c.held_body).where(
            decisions_table.c.workspace_id == workspace, decisions_table.c.id == decision
        )
    ).scalar()
    if row is None:
        return
    waiting = msgspec.json.decode(row, type=Trigger)
    day = day_of(waiting.received_at)
    if day in kept(connection):
        source = int(trigger.partition(":")[0])
        reason = Reason.NOT_IDENTIFIED.value
        messages.settle(connection, day, workspace, source, [waiting.message_id], reason=reason)
