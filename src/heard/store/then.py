"""What was so at a past moment, from what is only added to: asks with when they were reserved, made and released,
suppressions, memberships, answers; and what was really decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import State
from heard.deliveries.ledger import Postponed, Touch, TouchKind, TouchState, Why
from heard.routing.reasons import KEPT_FROM_SURVEYS
from heard.store import anonymous, days, decisions, dialects
from heard.store import tables as t
from heard.store import touches as stored_touches
from heard.store.messages import COLUMNS, Kept, kept_of
from heard.store.types import micros, moment

Turn = tuple[datetime, str]  # when a delivery was due, and its id: the order in which they are looked at


class PastTouch(msgspec.Struct, frozen=True, kw_only=True):
    """One ask and its life. None = that did not happen."""

    touch: Touch
    decision: int
    decided_at: datetime  # what led to it
    reserved_from: datetime
    postponed: Sequence[Postponed]  # in their order
    due_at: datetime  # in the end
    sent_at: datetime | None
    released_at: datetime | None
    refused: bool  # by a mail server, for good

    def at(self, now: datetime, before: int | None = None, turn: Turn | None = None) -> Touch | None:
        """What of it stood on the ledger then.

        Of that very moment, only what came before: of what was decided, before the decision with the number `before`;
        of what was looked at when it was due, before the `turn`, and nothing where it was nobody's turn.
        """

        def is_past(moment: datetime | None, due_at: datetime) -> bool:
            if moment is None or moment != now:
                return moment is not None and moment < now
            return turn is not None and (due_at, self.touch.delivery) < turn

        if before is not None and self.reserved_from == now and self.decision > before:
            return None
        if now < self.reserved_from:
            return None
        if is_past(self.released_at, self.due_at):
            return self._tried(now) if self.refused and self.released_at == now else None
        if self.sent_at is not None and is_past(self.sent_at, self.due_at):
            return msgspec.structs.replace(self.touch, at=self.sent_at, state=TouchState.MADE)
        if any(each.at == now and each.why is Why.FAILED and is_past(now, each.was) for each in self.postponed):
            return self._tried(now)
        at = next((each.was for each in self.postponed if not is_past(each.at, each.was)), self.due_at)
        return msgspec.structs.replace(self.touch, at=at, state=TouchState.RESERVED)

    def _tried(self, now: datetime) -> Touch:
        """It is handed over just now; what came of that was not known to whoever had their turn in this moment."""
        return msgspec.structs.replace(self.touch, at=now, state=TouchState.RESERVED)


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


def touches(
    connection: Connection, workspace: int, contacts: Collection[int], email_keys: Collection[str]
) -> dict[int | str, list[PastTouch]]:
    """Every ask of these people there ever was, by contact and by mailbox, released ones too."""
    rows = list(_touch_rows(connection, workspace, contacts, email_keys))
    firsts = {(row.campaign_id, row.decision_id): row for row in rows if row.kind == TouchKind.FIRST.value}
    made = decisions.by_id(connection, workspace, {row.decision_id for row in rows})
    put_off = stored_touches.postponements(connection, workspace, [row.id for row in rows])
    found: dict[int | str, list[PastTouch]] = defaultdict(list)
    for row in rows:
        decision = made.get(row.decision_id)
        if decision is None:
            continue
        first = firsts.get((row.campaign_id, row.decision_id))
        past = _past(row, decision, first, put_off.get(row.id, ()))
        if past is None:
            continue
        found[row.contact_id].append(past)
        if row.email_key:
            found[row.email_key].append(past)
    return found


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


class _Row(msgspec.Struct, frozen=True):
    """A touch with its delivery; moments in microseconds."""

    id: str
    contact_id: int
    email_key: str | None
    campaign_id: int
    metric: str
    channel: str
    kind: str
    at: int
    decision_id: int
    due_at: int
    sent_at: int | None
    touch: str  # its state
    state: str


def _touch_rows(
    connection: Connection, workspace: int, contacts: Collection[int], email_keys: Collection[str]
) -> Iterator[_Row]:
    """Each once: by its contact, else by its mailbox."""
    for column, values in (("contact_id", contacts), ("email_key", email_keys)):
        rows = dialects.fetch(
            connection,
            "SELECT t.delivery_id, t.contact_id, t.email_key, t.campaign_id, t.metric, t.channel, t.kind, t.at,"
            " d.decision_id, d.due_at, d.sent_at, t.state, d.state FROM touches t"
            " JOIN deliveries d ON d.workspace_id = t.workspace_id AND d.id = t.delivery_id"
            f" WHERE t.workspace_id = ? AND t.{column} {dialects.within(connection)}",
            workspace,
            dialects.listed(connection, values),
        )
        for row in rows:
            if column == "contact_id" or row[1] not in contacts:
                yield _Row(*row)


def _past(row: _Row, decision: Decision, first: _Row | None, postponed: Sequence[Postponed]) -> PastTouch | None:
    """Its life; None where nobody was ever invited, or the invitation that it reminds of is gone."""
    is_reminder = row.kind == TouchKind.REMINDER.value
    if is_reminder:
        if first is None or first.sent_at is None:
            return None
        begun, ended = moment(first.sent_at), None
    else:
        stretch = _invited(decision)
        if stretch is None:
            return None
        begun, ended = stretch
    due = moment(row.due_at)
    is_released = row.touch == TouchState.RELEASED.value
    if is_released and ended is None:
        ended = moment(row.at)  # the ledger keeps when it was taken back
    return PastTouch(
        touch=Touch(
            contact=row.contact_id,
            email_key=row.email_key,
            campaign=row.campaign_id,
            metric=row.metric,
            channel=row.channel,
            kind=TouchKind(row.kind),
            at=due,
            state=TouchState.RESERVED,
            delivery=row.id,
        ),
        decision=decision.id,
        decided_at=decision.at,
        reserved_from=begun,
        postponed=postponed,
        due_at=due,
        sent_at=None if row.sent_at is None or is_released else moment(row.sent_at),
        released_at=ended,
        refused=is_released and row.state == State.FAILED.value,
    )


def _invited(decision: Decision) -> tuple[datetime, datetime | None] | None:
    """From when to when it was an invitation; None as the end: it still is."""
    begins = [decision.at, *(each.at for each in decision.revisions)]
    was = [*(each.outcome for each in decision.revisions), decision.outcome]
    ends = [*(each.at for each in decision.revisions), None]
    for begin, outcome, end in zip(begins, was, ends, strict=True):
        if outcome is Outcome.INVITED:
            return begin, end
    return None
