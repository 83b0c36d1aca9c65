"""What was so at a past moment, from what is only added to: asks with when they were reserved, made and released,
suppressions, memberships, answers; and what was really decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from heard.deliveries.decision import Decision
from heard.deliveries.delivery import State
from heard.deliveries.ledger import Postponed, TouchState
from heard.routing.reasons import KEPT_FROM_SURVEYS
from heard.store import anonymous, days, decisions, dialects
from heard.store import tables as t
from heard.store import touches as stored_touches
from heard.store.messages import COLUMNS, Kept, kept_of
from heard.store.types import micros, moment


def messages(
    connection: Connection,
    workspace: int,
    day: int,
    names: Collection[str],
    *,
    users: Collection[str],
    since: datetime | None = None,
) -> Iterator[Kept]:
    """Of one day, in their order: the tracks of these names that surveys got, and identifies and aliases.

    `users`: only of these, where they carry a userId.
    """
    marks, kept_from_us = (", ".join("?" * len(some)) for some in (names, KEPT_FROM_SURVEYS))
    rows = dialects.fetch(
        connection,
        f"SELECT {COLUMNS} FROM messages_{day} WHERE workspace_id = ? AND received_at >= ?"
        f" AND verdict <> 'rejected' AND (reason IS NULL OR reason NOT IN ({kept_from_us}))"
        f" AND (type IN ('identify', 'alias') OR (type = 'track' AND event IN ({marks}))) ORDER BY id",
        workspace,
        micros(since) if since else 0,
        *KEPT_FROM_SURVEYS,
        *names,
    )
    for row in rows:
        if row[5] is None or row[5] in users:
            yield kept_of(row)


def asking(
    connection: Connection, workspace: int, day: int, names: Collection[str], since: datetime
) -> tuple[set[str], set[str]]:
    """Who did one of these on a day: userIds, and anonymousIds of what came without one."""
    marks = ", ".join("?" * len(names))
    rows = dialects.fetch(
        connection,
        f"SELECT user_id, anonymous_id FROM messages_{day} WHERE workspace_id = ? AND type = 'track'"
        f" AND event IN ({marks}) AND received_at >= ? AND verdict <> 'rejected' GROUP BY user_id, anonymous_id",
        workspace,
        *names,
        micros(since),
    )
    users = {row[0] for row in rows if row[0] is not None}
    return users, {row[1] for row in rows if row[0] is None and row[1] is not None}


def identified(connection: Connection, workspace: int, day: int) -> list[tuple[str, str | None]]:
    """(userId, anonymousId) of the identifies of a day, each once."""
    rows = dialects.fetch(
        connection,
        f"SELECT DISTINCT user_id, anonymous_id FROM messages_{day} WHERE workspace_id = ? AND type = 'identify'"
        " AND user_id IS NOT NULL AND verdict <> 'rejected'",
        workspace,
    )
    return [(row[0], row[1]) for row in rows]


def days_since(connection: Connection, since: datetime | None = None) -> list[int]:
    """The days that have messages, oldest first."""
    first = days.day_of(since) if since else 0
    return sorted(day for day in days.kept(connection) if day >= first)


def links(connection: Connection, workspace: int, ids: Collection[str]) -> dict[str, tuple[str, datetime]]:
    """Whose anonymous ids are, and since when that is known."""
    found = anonymous.users_of(connection, workspace, ids) if ids else {}
    if not found:
        return {}
    rows = dialects.fetch(
        connection,
        "SELECT anonymous_id, user_id, at FROM anonymous_ids WHERE workspace_id = ?"
        f" AND anonymous_id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, found),
    )
    return {row[0]: (row[1], moment(row[2])) for row in rows}


def really(
    connection: Connection, workspace: int, campaign: int, since: datetime, until: datetime
) -> dict[str, Decision]:
    """What was decided in that time, by trigger."""
    table = t.decisions
    query = select(table.c.id).where(
        table.c.workspace_id == workspace,
        table.c.campaign_id == campaign,
        table.c.at >= since,
        table.c.at <= until,
    )
    ids = [row[0] for row in connection.execute(query)]
    found: dict[str, Decision] = {}
    for start in range(0, len(ids), 5000):
        for decision in decisions.by_id(connection, workspace, ids[start : start + 5000]).values():
            found[decision.trigger] = decision
    return found


def sent_of(connection: Connection, workspace: int, campaign: int, made: Collection[int]) -> dict[str, int]:
    """How many mails these decisions of a campaign led to: `{"sent", "reminded"}`."""
    rows = dialects.fetch(
        connection,
        "SELECT kind, count(*) FROM deliveries WHERE workspace_id = ? AND campaign_id = ? AND sent_at IS NOT NULL"
        f" AND state <> 'cancelled' AND decision_id {dialects.within(connection)} GROUP BY kind",
        workspace,
        campaign,
        dialects.listed(connection, made),
    )
    found = dict(rows)
    return {"sent": found.get("first", 0), "reminded": found.get("reminder", 0)}


class Looks(msgspec.Struct, frozen=True):
    """When a mail that was due was looked at, and what came of it."""

    postponed: Sequence[Postponed] = ()
    over: datetime | None = None  # when it was handed over, or taken back
    taken: bool = True  # by the mail server

    def next(self, now: datetime) -> datetime | None:
        """The first of them from now on."""
        moments = [*(each.at for each in self.postponed), *([] if self.over is None else [self.over])]
        return min((each for each in moments if each >= now), default=None)

    def put_off_at(self, now: datetime) -> Postponed | None:
        return next((each for each in self.postponed if each.at == now and each.until > now), None)


NEVER = Looks()


def looks(connection: Connection, workspace: int, campaign: int, since: datetime) -> dict[str, Looks]:
    """At the campaign's mails that were due from then on."""
    rows = dialects.fetch(
        connection,
        "SELECT d.id, d.state, d.sent_at, t.state, t.at FROM deliveries d"
        " JOIN touches t ON t.workspace_id = d.workspace_id AND t.delivery_id = d.id"
        " WHERE d.workspace_id = ? AND d.campaign_id = ? AND d.due_at >= ?",
        workspace,
        campaign,
        micros(since),
    )
    put_off = stored_touches.postponements(connection, workspace, [row[0] for row in rows])
    found: dict[str, Looks] = {}
    for delivery, state, sent_at, touch, at in rows:
        is_released = touch == TouchState.RELEASED.value
        refused = state == State.FAILED and is_released  # one that came back later had been asked all the same
        over = at if is_released else sent_at
        postponed = put_off.get(delivery, ())
        found[delivery] = Looks(postponed, None if over is None else moment(over), not refused)
    return found


def answers(connection: Connection, workspace: int, campaign: int) -> dict[str, datetime]:
    """When the invitations of a campaign were answered, by delivery."""
    rows = dialects.fetch(
        connection,
        "SELECT delivery_id, answered_at FROM responses WHERE workspace_id = ? AND campaign_id = ?"
        " AND verdict IN ('human', 'test')",
        workspace,
        campaign,
    )
    return {row[0]: moment(row[1]) for row in rows}


def memberships(
    connection: Connection, workspace: int, audience: int, contacts: Collection[int]
) -> dict[int, list[tuple[datetime, datetime | None]]]:
    """From when to when these contacts were in an audience."""
    rows = dialects.fetch(
        connection,
        "SELECT contact_id, entered_at, left_at FROM audience_memberships WHERE workspace_id = ? AND audience_id = ?"
        f" AND contact_id {dialects.within(connection)}",
        workspace,
        audience,
        dialects.listed(connection, contacts),
    )
    found: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for contact, entered, left in rows:
        found[contact].append((moment(entered), None if left is None else moment(left)))
    return found


def changes(connection: Connection, workspace: int, campaign: int, since: datetime) -> list[datetime]:
    """When the campaign was changed since then; being made is no change."""
    table = t.versions
    query = select(table.c.at).where(
        table.c.workspace_id == workspace,
        table.c.noun == "campaign",
        table.c.noun_id == campaign,
        table.c.version > 1,
        table.c.at >= since,
    )
    return [row[0] for row in connection.execute(query.order_by(table.c.version))]
