"""Every link of a mail that was opened, by whomever: raw, and only ever added to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from heard.responses.clicks import OPENS_THE_SURVEY, Click, Link
from heard.store import cursors, dialects
from heard.store.types import micros, moment

COLUMNS = "at, method, link, value, agent, client"
OPENED = f"method = 'GET' AND link IN ({', '.join(repr(each.value) for each in sorted(OPENS_THE_SURVEY))})"


def of_deliveries(connection: Connection, workspace: int, ids: Collection[str]) -> dict[str, list[Click]]:
    """Of each of these invitations that anything was opened of, oldest first."""
    rows = dialects.fetch(
        connection,
        f"SELECT delivery_id, {COLUMNS} FROM {dialects.by('clicks_by_delivery', 'clicks', connection)}"
        f" WHERE workspace_id = ? AND delivery_id {dialects.within(connection)} ORDER BY id",
        workspace,
        dialects.listed(connection, ids),
    )
    found: dict[str, list[Click]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(_click(row[1:]))
    return found


def first_opened(connection: Connection, workspace: int, delivery: str) -> datetime | None:
    """When a survey was first opened; None when it never was."""
    query = f"SELECT min(at) FROM clicks WHERE workspace_id = ? AND delivery_id = ? AND {OPENED}"
    ((first,),) = dialects.fetch(connection, query, workspace, delivery)
    return None if first is None else moment(first)


def keep(connection: Connection, workspace: int, delivery: str, click: Click) -> None:
    number = cursors.take(connection, "clicks")
    said = (micros(click.at), click.method, click.link.value, click.value, click.agent[:300], click.client[:64])
    dialects.many(
        connection,
        f"INSERT INTO clicks (workspace_id, id, delivery_id, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(workspace, number, delivery, *said)],
    )


def move(connection: Connection, workspace: int, visit: str, delivery: str) -> None:
    """What was opened by a public link is of this delivery from now on."""
    dialects.many(
        connection,
        "UPDATE clicks SET delivery_id = ? WHERE workspace_id = ? AND delivery_id = ?",
        [(delivery, workspace, visit)],
    )


def _click(row: tuple[int, str, str, int | None, str, str]) -> Click:
    at, method, link, value, agent, client = row
    return Click(at=moment(at), method=method, link=Link(link), value=value, agent=agent, client=client)
