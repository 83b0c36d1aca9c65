"""The asks of the past and their lives: when each was reserved, put off, made and taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import State
from heard.deliveries.ledger import Postponed, Touch, TouchKind, TouchState, Why
from heard.store import decisions, dialects
from heard.store import touches as stored_touches
from heard.store.types import micros, moment

ROWS = (
    "SELECT t.delivery_id, t.contact_id, t.email_key, t.campaign_id, t.metric, t.channel, t.kind, t.at,"
    " d.decision_id, d.due_at, d.sent_at, t.state, d.state FROM touches t"
    " JOIN deliveries d ON d.workspace_id = t.workspace_id AND d.id = t.delivery_id"
)
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


def of(
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


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign had asked, or was to ask, by decisions of before a moment; reminders left out."""

    settled: int = 0  # asks of days that were over; they stand
    open: Sequence[PastTouch] = ()  # the others, released ones too

    def at(self, now: datetime) -> list[Touch]:
        """Which of the others stood on the ledger then."""
        return [touch for each in self.open if (touch := each.at(now)) is not None]


def before(connection: Connection, workspace: int, campaign: int, since: datetime) -> Before:
    """Of everybody. A day is one of UTC."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    earlier = (
        " JOIN decisions e ON e.workspace_id = t.workspace_id AND e.id = d.decision_id"
        " WHERE t.workspace_id = ? AND t.campaign_id = ? AND t.kind = 'first' AND e.at < ?"
    )
    which = (workspace, campaign, micros(since), micros(day))
    ((settled,),) = dialects.fetch(
        connection,
        "SELECT count(*) FROM touches t JOIN deliveries d ON d.workspace_id = t.workspace_id AND d.id = t.delivery_id"
        f"{earlier} AND t.at < ? AND t.state <> 'released'",
        *which,
    )
    rows = [_Row(*row) for row in dialects.fetch(connection, f"{ROWS}{earlier} AND t.at >= ?", *which)]
    made = decisions.by_id(connection, workspace, {row.decision_id for row in rows})
    put_off = stored_touches.postponements(connection, workspace, [row.id for row in rows])
    lives = (_past(row, made[row.decision_id], None, put_off.get(row.id, ())) for row in rows)
    return Before(settled=settled, open=[each for each in lives if each is not None])


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
            f"{ROWS} WHERE t.workspace_id = ? AND t.{column} {dialects.within(connection)}",
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
