"""Who is suppressed: marks, by workspace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.contacts.regulation import SubjectType
from heard.contacts.standing import Kind, Suppression, standing
from heard.contacts.suppression import mailbox_mark
from heard.store import contacts as stored
from heard.store import cursors, dialects
from heard.store.types import micros, moment


def everybody(connection: Connection) -> dict[int, frozenset[str]]:
    """Marks by workspace, of those that suppress somebody."""
    found: dict[int, set[str]] = {}
    for workspace, mark in dialects.fetch(connection, "SELECT workspace_id, mark FROM suppressed"):
        found.setdefault(workspace, set()).add(mark)
    return {workspace: frozenset(marks) for workspace, marks in found.items()}


def add(
    connection: Connection, workspace: int, marks: Iterable[str], subject_type: SubjectType, *, at: datetime
) -> None:
    dialects.many(
        connection,
        "INSERT INTO suppressed (workspace_id, mark, subject_type, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, mark) DO NOTHING",
        [(workspace, mark, subject_type.value, micros(at)) for mark in marks],
    )


def remove(connection: Connection, workspace: int, marks: Iterable[str]) -> None:
    dialects.many(
        connection,
        "DELETE FROM suppressed WHERE workspace_id = ? AND mark = ?",
        [(workspace, mark) for mark in marks],
    )


def page(connection: Connection, workspace: int, *, after: str = "", limit: int) -> list[tuple[str, SubjectType]]:
    """(mark, what kind of subject), in the order of marks."""
    query = "SELECT mark, subject_type FROM suppressed WHERE workspace_id = ? AND mark > ? ORDER BY mark LIMIT ?"
    return [(row[0], SubjectType(row[1])) for row in dialects.fetch(connection, query, workspace, after, limit)]


def count(connection: Connection, workspace: int) -> int:
    return dialects.fetch(connection, "SELECT count(*) FROM suppressed WHERE workspace_id = ?", workspace)[0][0]


def cause(mark: str) -> str:
    """What a suppression of surveys says that this one led to."""
    return f"regulation {mark}"


def ask_again(connection: Connection, workspace: int, marks: Iterable[str], *, at: datetime) -> None:
    """Surveys too."""
    rows = dialects.fetch(
        connection,
        "SELECT DISTINCT contact_id, email_key, cause FROM suppressions"
        f' WHERE workspace_id = ? AND kind = ? AND "on" = 1 AND cause {dialects.within(connection)}',
        workspace,
        Kind.SUPPRESSED.value,
        dialects.listed(connection, [cause(mark) for mark in marks]),
    )
    dialects.many(
        connection,
        'INSERT INTO suppressions (workspace_id, id, contact_id, email_key, kind, "on", at, cause)'
        " VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
        [
            (
                workspace,
                cursors.take(connection, "suppressions"),
                row[0],
                row[1],
                Kind.SUPPRESSED.value,
                micros(at),
                row[2],
            )
            for row in rows
        ],
    )


def shared_mailboxes(
    connection: Connection, workspace: int, contacts: Sequence[int]
) -> list[tuple[str, str, datetime]]:
    """(mailbox, cause, since): suppressed with somebody who is removed, while another contact has it and keeps it."""
    within = dialects.within(connection)
    rows = dialects.fetch(
        connection,
        "SELECT DISTINCT s.email_key, s.cause, s.at FROM suppressions s JOIN contacts c"
        " ON c.workspace_id = s.workspace_id AND c.email_key = s.email_key"
        f" WHERE s.workspace_id = ? AND s.kind = ? AND s.contact_id {within} AND NOT (c.id {within})",
        workspace,
        Kind.SUPPRESSED.value,
        dialects.listed(connection, contacts),
        dialects.listed(connection, contacts),
    )
    return [(row[0], row[1], moment(row[2])) for row in rows]


# ── wishes that outlive their person ──

HASHED = "#"  # how a mailbox begins that is only known by its mark
OUTLIVE = (Kind.UNSUBSCRIBED, Kind.COMPLAINED, Kind.BOUNCED)


def keep_wishes(
    connection: Connection,
    workspace: int,
    key: bytes,
    contacts: Sequence[int],
    mailboxes: Sequence[str],
    *,
    at: datetime,
) -> None:
    """Before somebody is erased: who wanted no mail gets none when they come back, whoever they were.

    `mailboxes` are theirs alone; what stood against their contact stands against these.
    """
    rows = stored.suppressions_of(connection, workspace, contacts, mailboxes)
    for kind in standing(rows):
        for mailbox in mailboxes if kind in OUTLIVE else ():
            row = Suppression(kind=kind, on=True, at=at, email_key=HASHED + mailbox_mark(key, mailbox))
            stored.suppress(connection, workspace, row, "kept when its person was erased")


def workspaces_with_wishes(connection: Connection) -> list[int]:
    query = "SELECT DISTINCT workspace_id FROM suppressions WHERE substr(email_key, 1, 1) = ?"
    return [row[0] for row in dialects.fetch(connection, query, HASHED)]


def take_up_wishes(connection: Connection, workspace: int, key: bytes, mailboxes: Iterable[str]) -> None:
    """Somebody has these mailboxes now: what was wished for them is said by name again."""
    by_mark = {HASHED + mailbox_mark(key, each): each for each in mailboxes}
    for row in stored.suppressions_of(connection, workspace, [], by_mark):
        assert row.email_key is not None
        again = msgspec.structs.replace(row, email_key=by_mark[row.email_key])
        stored.suppress(connection, workspace, again, "wished before")
    dialects.changed(
        connection,
        f"DELETE FROM suppressions WHERE workspace_id = ? AND email_key {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, by_mark),
    )
