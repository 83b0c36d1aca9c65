"""How much there is of each kind in a workspace, counted no further than anybody would read."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from heard.retention import Kind
from heard.store import dialects
from heard.store.tables import WITH_ORIGIN
from heard.store.tail import Wanted, back

MOST_COUNTED = 5_000
MEASURED = 100  # of the newest messages, to tell how large they are
BESIDE_A_BODY = 160  # bytes of a row and its places in indexes

ROWS: Mapping[Kind, str] = {
    Kind.COUNTS: "SELECT 1 FROM forward_counts WHERE workspace_id = ?",
    Kind.VIOLATIONS: "SELECT 1 FROM violations WHERE workspace_id = ?",
    Kind.REPLAYS: "SELECT 1 FROM replays WHERE workspace_id = ?",
    Kind.MAIL_EVENTS: "SELECT 1 FROM mail_events WHERE workspace_id = ?",
    Kind.ANSWERS: "SELECT 1 FROM responses WHERE workspace_id = ?",
    Kind.AUDIT: "SELECT 1 FROM audit WHERE workspace_id = ?",
    Kind.REQUESTS: "SELECT 1 FROM regulations WHERE workspace_id = ? AND state = 'FINISHED'",
    Kind.SIGN_INS: "SELECT 1 FROM invites WHERE workspace_id = ? AND used_at IS NOT NULL",
}


def of(connection: Connection, workspace: int, kind: Kind) -> int | None:
    """At most one more than `MOST_COUNTED`; None where rows do not say whose they are."""
    if kind in ROWS:
        return _count(connection, ROWS[kind], workspace)
    if kind is Kind.DEAD_LETTERS:
        numbers = dialects.fetch(connection, "SELECT id FROM destinations WHERE workspace_id = ?", workspace)
        dead = (
            f"SELECT 1 FROM {dialects.by('forwards_newest', 'forwards', connection)}"
            " WHERE workspace_id = ? AND destination_id = ? AND state = 'dead'"
        )
        return sum(_count(connection, dead, workspace, row[0]) for row in numbers)
    if kind is Kind.CLICKS:  # those that still have one are the newest
        newest = f"SELECT agent, client FROM clicks WHERE workspace_id = ? ORDER BY id DESC LIMIT {MOST_COUNTED + 1}"
        return _count(connection, f"SELECT 1 FROM ({newest}) newest WHERE {WITH_ORIGIN}", workspace)
    return None


def size_of_a_message(connection: Connection, workspace: int) -> float:
    """Bytes that a message takes, indexes included; about right."""
    found = back(connection, workspace, Wanted(), limit=MEASURED, most=MEASURED * 20).found
    return BESIDE_A_BODY + sum(len(each.body) for each in found) / len(found) if found else 0.0


def _count(connection: Connection, rows: str, *values: int) -> int:
    query = f"SELECT count(*) FROM ({rows} LIMIT {MOST_COUNTED + 1}) counted"
    return dialects.fetch(connection, query, *values)[0][0]
