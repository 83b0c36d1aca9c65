"""What became of mails: append-only, each report once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection

from heard.deliveries.delivery import Delivery
from heard.deliveries.notice import Notice, NoticeKind
from heard.store import cursors, dialects
from heard.store.types import between, micros, moment

AT_ONCE = "server"  # the provider of what our own mail server refused while we were talking to it


class MailEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that was kept, and the delivery it is about (None: the mailbox is known, the mail is not)."""

    id: int
    provider: str
    kind: NoticeKind
    delivery: str | None
    email_key: str | None
    at: datetime
    detail: str


def name_of(provider: str, notice: Notice) -> str:
    """Under which it is kept: a provider's own ids are long, and some hold the address."""
    said = msgspec.json.encode((provider, notice.kind, notice.id))
    return blake2b(said, digest_size=16, person=b"heard mailevent").hexdigest()


def known(connection: Connection, workspace: int, names: Iterable[str]) -> set[str]:
    """Which of these are kept already."""
    rows = dialects.fetch(
        connection,
        f"SELECT event_id FROM mail_events WHERE workspace_id = ? AND event_id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, names),
    )
    return {row[0] for row in rows}


def of_campaign(
    connection: Connection, workspace: int, campaign: int, begins: datetime | None, ends: datetime | None
) -> dict[NoticeKind, int]:
    """Of how many of its mails each was reported from `begins` on, before `ends`; one that came back twice is one."""
    rows = dialects.fetch(
        connection,
        "SELECT kind, count(DISTINCT delivery_id) FROM mail_events WHERE workspace_id = ? AND campaign_id = ?"
        " AND kind IN ('hard', 'soft', 'complaint', 'delivered') AND at >= ? AND at < ? GROUP BY kind",
        workspace,
        campaign,
        *between(begins, ends),
    )
    return {NoticeKind(kind): n for kind, n in rows}


def came_back(
    connection: Connection, workspace: int, campaign: int, begins: datetime | None, ends: datetime | None
) -> int:
    """How many of the invitations that were handed over from `begins` on and before `ends` came back for good by then.

    What a mail server refused was not handed over, so it is none of them.
    """
    within = between(begins, ends)
    ((n,),) = dialects.fetch(
        connection,
        "SELECT count(DISTINCT e.delivery_id)"
        f" FROM {dialects.by('mail_events_by_campaign', 'mail_events AS e', connection)}"
        " JOIN deliveries d ON d.workspace_id = e.workspace_id AND d.id = e.delivery_id"
        " WHERE e.workspace_id = ? AND e.campaign_id = ? AND e.kind = 'hard' AND e.at >= ? AND e.at < ?"
        " AND d.kind = 'first' AND d.sent_at >= ? AND d.sent_at < ?",
        workspace,
        campaign,
        *within,
        *within,
    )
    return n


def keep(
    connection: Connection,
    workspace: int,
    events: Sequence[tuple[str, str, Notice, Delivery | None, str | None]],
    *,
    now: datetime,
) -> None:
    """(name, provider, notice, delivery, mailbox) each; none of the names may be known."""
    if not events:
        return
    first = cursors.take(connection, "mail_events", len(events))
    dialects.many(
        connection,
        "INSERT INTO mail_events (workspace_id, id, event_id, provider, kind, delivery_id, campaign_id, email_key, at,"
        " received_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                workspace,
                number,
                name,
                provider,
                notice.kind.value,
                delivery.id if delivery else None,
                delivery.campaign if delivery else None,
                email_key,
                micros(min(notice.at or now, now)),
                micros(now),
                notice.detail,
            )
            for number, (name, provider, notice, delivery, email_key) in enumerate(events, first)
        ],
    )


def told_of(connection: Connection, workspace: int, deliveries: Iterable[str]) -> dict[str, set[NoticeKind]]:
    """What was told of each of these deliveries."""
    found: dict[str, set[NoticeKind]] = defaultdict(set)
    for each in of_deliveries(connection, workspace, deliveries):
        found[each.delivery or ""].add(each.kind)
    return found


def of_deliveries(connection: Connection, workspace: int, deliveries: Iterable[str]) -> list[MailEvent]:
    """Oldest first."""
    rows = dialects.fetch(
        connection,
        "SELECT id, provider, kind, delivery_id, email_key, at, detail"
        f" FROM {dialects.by('mail_events_by_delivery', 'mail_events', connection)}"
        f" WHERE workspace_id = ? AND delivery_id {dialects.within(connection)} ORDER BY id",
        workspace,
        dialects.listed(connection, deliveries),
    )
    return [
        MailEvent(
            id=row[0],
            provider=row[1],
            kind=NoticeKind(row[2]),
            delivery=row[3],
            email_key=row[4],
            at=moment(row[5]),
            detail=row[6],
        )
        for row in rows
    ]


def deliveries_that(connection: Connection, workspace: int, campaign: int, kind: NoticeKind, *, since: datetime) -> int:
    """How many of a campaign's mails came to this, by when it was told."""
    ((n,),) = dialects.fetch(
        connection,
        f"SELECT count(DISTINCT delivery_id) FROM {dialects.by('mail_events_by_campaign', 'mail_events', connection)}"
        " WHERE workspace_id = ? AND campaign_id = ? AND kind = ? AND at >= ?",
        workspace,
        campaign,
        kind.value,
        micros(since),
    )
    return n


def sends(connection: Connection, workspace: int, campaign: int, *, since: datetime, most: int) -> int:
    """How many mails of a campaign were taken, or refused because nobody has the mailbox; counted up to `most`."""
    ((made,),) = dialects.fetch(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {dialects.by('touches_by_campaign', 'touches', connection)}"
        " WHERE workspace_id = ? AND campaign_id = ? AND at >= ? AND state = 'made' LIMIT ?) counted",
        workspace,
        campaign,
        micros(since),
        most,
    )
    ((refused,),) = dialects.fetch(
        connection,
        f"SELECT count(*) FROM {dialects.by('mail_events_by_campaign', 'mail_events', connection)}"
        f" WHERE workspace_id = ? AND campaign_id = ? AND kind = 'hard' AND at >= ? AND provider = '{AT_ONCE}'",
        workspace,
        campaign,
        micros(since),
    )
    return min(made + refused, most)


def last_received(connection: Connection, workspace: int) -> dict[str, datetime]:
    """When each provider told something last, among the newest thousand."""
    rows = dialects.fetch(
        connection,
        "SELECT provider, max(received_at) FROM (SELECT provider, received_at FROM mail_events WHERE workspace_id = ?"
        " ORDER BY id DESC LIMIT 1000) newest GROUP BY provider",
        workspace,
    )
    return {row[0]: moment(row[1]) for row in rows}


def last_sends(
    connection: Connection, workspace: int, email_keys: Iterable[str], *, before: datetime
) -> dict[str, list[tuple[datetime, str]]]:
    """The mails that went to each of these mailboxes: (when, delivery), newest first."""
    rows = dialects.fetch(
        connection,
        f"SELECT email_key, at, delivery_id FROM {dialects.by('touches_by_email', 'touches', connection)}"
        f" WHERE workspace_id = ? AND email_key {dialects.within(connection)} AND state = 'made' AND channel = 'email'"
        " AND at <= ? ORDER BY at DESC",
        workspace,
        dialects.listed(connection, email_keys),
        micros(before),
    )
    found: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in rows:
        found[row[0]].append((moment(row[1]), row[2]))
    return found
