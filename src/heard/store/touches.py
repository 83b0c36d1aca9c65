"""The ledger's rows. One per delivery; never deleted, only released."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from heard.deliveries.case import Invited
from heard.deliveries.ledger import Postponed, Touch, TouchKind, TouchState, Why
from heard.store import dialects
from heard.store.types import EPOCH, micros, moment

_COLUMNS = "contact_id, email_key, campaign_id, metric, channel, kind, at, state, delivery_id"
_DAY = 86_400_000_000
AGAIN = (  # at that very moment
    "ON CONFLICT (workspace_id, delivery_id, at) DO UPDATE SET until = excluded.until, why = excluded.why"
)


def of(connection: Connection, workspace: int, contacts: Iterable[int], email_keys: Iterable[str]) -> list[Touch]:
    """Every touch of these contacts and of these mailboxes that still counts, oldest first."""
    within = dialects.within(connection)
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM {dialects.by('touches_by_contact', 'touches', connection)}"
        f" WHERE workspace_id = ? AND contact_id {within} AND state <> 'released'"
        f" UNION SELECT {_COLUMNS} FROM {dialects.by('touches_by_email', 'touches', connection)}"
        f" WHERE workspace_id = ? AND email_key {within} AND state <> 'released' ORDER BY at",
        workspace,
        dialects.listed(connection, contacts),
        workspace,
        dialects.listed(connection, email_keys),
    )
    return [_touch(row) for row in rows]


def keep(connection: Connection, workspace: int, touches: Iterable[Touch]) -> None:
    """Insert, or move what the delivery's touch was to what it is now."""
    dialects.many(
        connection,
        "INSERT INTO touches (workspace_id, contact_id, email_key, campaign_id, metric, channel, kind, at, state,"
        " delivery_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, delivery_id) DO UPDATE SET at = excluded.at, state = excluded.state",
        [(workspace, *_row(touch)) for touch in touches],
    )


def mark(connection: Connection, rows: Iterable[tuple[TouchState, datetime, int, str]]) -> None:
    """(state, at, workspace, delivery): reserved -> made or released."""
    dialects.many(
        connection,
        "UPDATE touches SET state = ?, at = ? WHERE workspace_id = ? AND delivery_id = ?",
        [(state.value, micros(at), workspace, delivery) for state, at, workspace, delivery in rows],
    )


def put_off(connection: Connection, workspace: int, delivery: str, postponed: Postponed) -> None:
    """It is to be made later, and the record says so."""
    mark(connection, [(TouchState.RESERVED, postponed.until, workspace, delivery)])
    times = (postponed.at, postponed.was, postponed.until)
    dialects.many(
        connection,
        f"INSERT INTO postponements (workspace_id, delivery_id, at, was, until, why) VALUES (?, ?, ?, ?, ?, ?) {AGAIN}",
        [(workspace, delivery, *(micros(each) for each in times), postponed.why.value)],
    )


def postponements(connection: Connection, workspace: int, asks: Iterable[str]) -> dict[str, list[Postponed]]:
    """Of these deliveries, how each was put off, in order; one that never was is absent."""
    rows = dialects.fetch(
        connection,
        "SELECT delivery_id, at, was, until, why FROM postponements WHERE workspace_id = ?"
        f" AND delivery_id {dialects.within(connection)} ORDER BY at",
        workspace,
        dialects.listed(connection, asks),
    )
    found: dict[str, list[Postponed]] = defaultdict(list)
    for delivery, at, was, until, why in rows:
        put_off = Postponed(at=moment(at), was=moment(was), until=moment(until), why=Why(why))
        found[delivery].append(put_off)
    return found


def readdress(connection: Connection, workspace: int, delivery: str, email_key: str | None) -> None:
    """The mailbox that is asked is another one now."""
    dialects.many(
        connection,
        "UPDATE touches SET email_key = ? WHERE workspace_id = ? AND delivery_id = ?",
        [(email_key, workspace, delivery)],
    )


def invited(connection: Connection, workspace: int, campaign: int, since: datetime) -> Invited:
    """How many a campaign has invited: in all, and by the UTC day they are due, from the day of `since` on."""
    total = dialects.fetch(
        connection,
        "SELECT count(*) FROM touches WHERE workspace_id = ? AND campaign_id = ? AND kind = 'first'"
        " AND state <> 'released'",
        workspace,
        campaign,
    )[0][0]
    begin = micros(since) // _DAY * _DAY
    rows = dialects.fetch(
        connection,
        f"SELECT at / {_DAY}, count(*) FROM touches WHERE workspace_id = ? AND campaign_id = ? AND kind = 'first'"
        f" AND state <> 'released' AND at >= ? GROUP BY at / {_DAY}",
        workspace,
        campaign,
        begin,
    )
    return Invited(total=total, by_day={_day(row[0]): row[1] for row in rows})


def went_out(connection: Connection, workspace: int, campaign: int, now: datetime, claimed: Iterable[str]) -> int:
    """First asks of a campaign that were made on the UTC day of `now`, or are under way; those in `claimed` left out.

    Between claim and hand-over a touch stands at the moment of the claim, which is later than it was due.
    """
    begin = micros(now) // _DAY * _DAY
    return dialects.fetch(
        connection,
        "SELECT count(*) FROM touches t JOIN deliveries d ON d.workspace_id = t.workspace_id AND d.id = t.delivery_id"
        " WHERE t.workspace_id = ? AND t.campaign_id = ? AND t.at >= ? AND t.at < ? AND t.kind = 'first'"
        " AND (t.state = 'made' OR (t.state = 'reserved' AND (d.state = 'sending' OR t.at > d.due_at)))"
        f" AND NOT (t.delivery_id {dialects.within(connection)})",
        workspace,
        campaign,
        begin,
        begin + _DAY,
        dialects.listed(connection, claimed),
    )[0][0]


def _day(number: int) -> date:
    return (EPOCH + timedelta(days=number)).date()


def _row(touch: Touch) -> tuple[Any, ...]:
    return (
        touch.contact,
        touch.email_key,
        touch.campaign,
        touch.metric,
        touch.channel,
        touch.kind.value,
        micros(touch.at),
        touch.state.value,
        touch.delivery,
    )


def _touch(row: Any) -> Touch:
    return Touch(
        contact=row[0],
        email_key=row[1],
        campaign=row[2],
        metric=row[3],
        channel=row[4],
        kind=TouchKind(row[5]),
        at=moment(row[6]),
        state=TouchState(row[7]),
        delivery=row[8],
    )
