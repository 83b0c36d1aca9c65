"""How many mails each workspace handed over, by the hour, and how many were put off to an hour.

Counted when they are claimed, in the transaction that says whether they may go: whatever goes wrong after that, there
are at most fewer mails than were counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from heard.deliveries.pacing import HandedOver, Pace, day_of, hour_of
from heard.store import dialects
from heard.store.types import micros, moment

ALL = ""  # the row that counts every domain


def so_far(connection: Connection, workspace: int, now: datetime, to: Iterable[str] = ()) -> HandedOver:
    """Of the hour and the day of `now`; by domain of those in `to`."""
    this_hour = micros(hour_of(now))
    rows = dialects.fetch(
        connection,
        "SELECT hour, domain, mails, put_off FROM handed_over WHERE workspace_id = ? AND hour >= ?"
        f" AND (domain = '{ALL}' OR (hour = ? AND domain {dialects.within(connection)}))",
        workspace,
        micros(day_of(now)),
        this_hour,
        dialects.listed(connection, to),
    )
    every = [(hour, mails, put_off) for hour, domain, mails, put_off in rows if domain == ALL]
    return HandedOver(
        hour=sum(mails for hour, mails, _ in every if hour == this_hour),
        day=sum(mails for _, mails, _ in every),
        to={domain: mails for _, domain, mails, _ in rows if domain != ALL},
        waiting={moment(hour): put_off for hour, _, put_off in every if hour > this_hour},
    )


def count(connection: Connection, workspace: int, pace: Pace) -> None:
    """Add what a claim took and put off."""
    hour = micros(hour_of(pace.now))
    rows = [(workspace, hour, domain, n, 0) for domain, n in {ALL: pace.taken, **pace.taken_to}.items() if n]
    rows += [(workspace, micros(until), ALL, 0, n) for until, n in pace.put_off.items()]
    dialects.many(
        connection,
        "INSERT INTO handed_over (workspace_id, hour, domain, mails, put_off) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, hour, domain) DO UPDATE SET mails = handed_over.mails + excluded.mails,"
        " put_off = handed_over.put_off + excluded.put_off",
        rows,
    )


def waiting(connection: Connection, workspace: int, now: datetime) -> int:
    """How many are put off just now: those that were, less those that were cancelled meanwhile."""
    found = 0
    for hour, n in so_far(connection, workspace, now).waiting.items():
        found += dialects.fetch(
            connection,
            "SELECT count(*) FROM deliveries"
            " WHERE workspace_id = ? AND due_at > ? AND due_at <= ? AND state = 'scheduled'",
            workspace,
            micros(hour),
            micros(hour) + n,
        )[0][0]
    return found


def forget(connection: Connection, now: datetime) -> None:
    """Days that are over; domains as soon as their hour is."""
    connection.exec_driver_sql(f"DELETE FROM handed_over WHERE hour < {micros(day_of(now))}")
    connection.exec_driver_sql(f"DELETE FROM handed_over WHERE hour < {micros(hour_of(now))} AND domain <> '{ALL}'")
