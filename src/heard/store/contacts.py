"""Contacts: loaded by the batch, kept by one upsert."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from heard.contacts.contact import Contact
from heard.contacts.standing import Kind, Suppression
from heard.store import cursors, dialects
from heard.store.types import micros, moment

UPSERT = (
    "INSERT INTO contacts (workspace_id, id, user_id, email, email_key, traits, first_seen, created_at, zone)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, id) DO UPDATE SET user_id = excluded.user_id,"
    " email = excluded.email, email_key = excluded.email_key, traits = excluded.traits,"
    " created_at = excluded.created_at, zone = excluded.zone"
)
LARGEST = 1 << 62
LAST_LETTER = "\U0010ffff"
AMONG = 10  # times as many rows are read where others may stand between those wanted
_COLUMNS = "workspace_id, id, user_id, email, traits, first_seen, created_at, zone"


def count(connection: Connection, workspace: int) -> int:
    """All of them, one by one: about 50 ms a million."""
    return dialects.fetch(connection, "SELECT count(*) FROM contacts WHERE workspace_id = ?", workspace)[0][0]


def by_user_id(
    connection: Connection, workspace: int, user_ids: Iterable[str], *, lock: bool = False
) -> dict[str, Contact]:
    """Those of these users that are known, by userId. `lock`: hold their rows, in the order of id (PostgreSQL)."""
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM {dialects.by('contacts_by_user', 'contacts', connection)}"
        f" WHERE workspace_id = ? AND user_id {dialects.within(connection)}"
        + (" ORDER BY id FOR UPDATE" if lock and not dialects.is_sqlite(connection) else ""),
        workspace,
        dialects.listed(connection, user_ids),
    )
    return {row[2]: _contact(row) for row in rows}


def by_id(connection: Connection, workspace: int, ids: Iterable[int]) -> dict[int, Contact]:
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM contacts WHERE workspace_id = ? AND id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, ids),
    )
    return {row[1]: _contact(row) for row in rows}


def after(connection: Connection, workspace: int, number: int, *, limit: int) -> list[Contact]:
    """Those that follow this number, oldest first."""
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM contacts WHERE workspace_id = ? AND id > ? ORDER BY id LIMIT ?",
        workspace,
        number,
        limit,
    )
    return [_contact(row) for row in rows]


def by_email_key(connection: Connection, workspace: int, keys: Iterable[str]) -> dict[str, list[Contact]]:
    """Everybody behind these mailboxes, oldest first."""
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS}, email_key FROM {dialects.by('contacts_by_email', 'contacts', connection)}"
        f" WHERE workspace_id = ? AND email_key {dialects.within(connection)} ORDER BY id",
        workspace,
        dialects.listed(connection, keys),
    )
    found: dict[str, list[Contact]] = {}
    for row in rows:
        found.setdefault(row[8], []).append(_contact(row))
    return found


def by_prefix(connection: Connection, workspace: int, column: str, prefix: str, *, limit: int) -> list[Contact]:
    """Contacts whose `user_id` or `email_key` begins with `prefix`, in its order."""
    index = {"user_id": "contacts_by_user", "email_key": "contacts_by_email"}[column]
    # PostgreSQL may sort by the alphabet of a language, in which no letter is known to come last, and words that differ
    # by case or accent stand between those that are wanted: so it is read on from the prefix, and further.
    has_letters_in_order = dialects.is_sqlite(connection)
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS}, {column} FROM {dialects.by(index, 'contacts', connection)}"
        f" WHERE workspace_id = ? AND {column} >= ?{f' AND {column} < ?' if has_letters_in_order else ''}"
        f" ORDER BY {column} LIMIT ?",
        workspace,
        prefix,
        *((prefix + LAST_LETTER, limit) if has_letters_in_order else (limit * AMONG,)),
    )
    return [_contact(row) for row in rows if row[8].startswith(prefix)][:limit]


def newest(
    connection: Connection,
    workspace: int,
    *,
    below: int | None = None,
    examined: int,
    holding: Iterable[str] = (),
) -> tuple[list[Contact], int | None]:
    """Of the newest `examined` contacts (with an id below `below`), those whose traits hold these texts.

    Gives them newest first, with the id of the last one examined; None where no older ones are left. `holding` is
    compared without case and loosely: where it matters, look at the traits again.
    """
    top = LARGEST if below is None else below
    edge = dialects.fetch(
        connection,
        "SELECT min(id), count(*) FROM"
        " (SELECT id FROM contacts WHERE workspace_id = ? AND id < ? ORDER BY id DESC LIMIT ?) AS looked_at",
        workspace,
        top,
        examined,
    )[0]
    if not edge[1]:
        return [], None
    like = "LIKE" if dialects.is_sqlite(connection) else "ILIKE"
    wanted = [f"%{text}%" for text in holding]
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM contacts WHERE workspace_id = ? AND id < ? AND id >= ?"
        + f" AND traits {like} ?" * len(wanted)
        + " ORDER BY id DESC",
        workspace,
        top,
        edge[0],
        *wanted,
    )
    return [_contact(row) for row in rows], (edge[0] if edge[1] == examined else None)


def suppressed(
    connection: Connection, workspace: int, kind: Kind, *, below: int | None = None, examined: int
) -> tuple[list[tuple[int, int | None, str | None]], int | None]:
    """Of the newest `examined` suppressions those that switch `kind` on, newest first: (id, contact, mailbox).

    With them the id of the last one examined; None where no older ones are left.
    """
    rows = dialects.fetch(
        connection,
        'SELECT id, contact_id, email_key, kind, "on" FROM suppressions WHERE workspace_id = ? AND id < ?'
        " ORDER BY id DESC LIMIT ?",
        workspace,
        LARGEST if below is None else below,
        examined,
    )
    found = [(row[0], row[1], row[2]) for row in rows if row[3] == kind.value and row[4]]
    return found, (rows[-1][0] if len(rows) == examined else None)


def keep(connection: Connection, contacts: Iterable[Contact]) -> None:
    """Insert or update, whole rows."""
    dialects.many(connection, UPSERT, [_row(contact) for contact in contacts])


def suppressions_of(
    connection: Connection, workspace: int, contacts: Iterable[int], email_keys: Iterable[str]
) -> list[Suppression]:
    """Every suppression row about these contacts or mailboxes."""
    within = dialects.within(connection)
    rows = dialects.fetch(
        connection,
        f'SELECT kind, "on", at, contact_id, email_key, survey_id'
        f" FROM {dialects.by('suppressions_by_contact', 'suppressions', connection)}"
        f" WHERE workspace_id = ? AND contact_id {within}"
        f' UNION SELECT kind, "on", at, contact_id, email_key, survey_id'
        f" FROM {dialects.by('suppressions_by_email', 'suppressions', connection)}"
        f" WHERE workspace_id = ? AND email_key {within}",
        workspace,
        dialects.listed(connection, contacts),
        workspace,
        dialects.listed(connection, email_keys),
    )
    return [
        Suppression(
            kind=Kind(row[0]), on=bool(row[1]), at=moment(row[2]), contact=row[3], email_key=row[4], survey=row[5]
        )
        for row in rows
    ]


def suppress(connection: Connection, workspace: int, suppression: Suppression, cause: str) -> None:
    dialects.many(
        connection,
        'INSERT INTO suppressions (workspace_id, id, contact_id, email_key, kind, "on", at, cause, survey_id)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                workspace,
                cursors.take(connection, "suppressions"),
                suppression.contact,
                suppression.email_key,
                suppression.kind.value,
                int(suppression.on),
                micros(suppression.at),
                cause,
                suppression.survey,
            )
        ],
    )


def _row(contact: Contact) -> tuple[Any, ...]:
    return (
        contact.workspace,
        contact.id,
        contact.user_id,
        contact.email,
        contact.email_key,
        contact.traits.decode(),
        micros(contact.first_seen),
        micros(contact.created_at) if contact.created_at else None,
        contact.zone,
    )


def _contact(row: Any) -> Contact:
    return Contact(
        workspace=row[0],
        id=row[1],
        user_id=row[2],
        email=row[3],
        traits=row[4].encode(),
        first_seen=moment(row[5]),
        created_at=None if row[6] is None else moment(row[6]),
        zone=row[7],
    )
