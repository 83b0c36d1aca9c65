"""Destinations that are told of an audience later than others, until all members were told: how far each one has come.

A row is one change of `to`; it is gone when it is done. Its number is never used again: messages are named after it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select

from heard.audiences.introduction import Reach
from heard.store import cursors
from heard.store.tables import introductions


class Introduction(msgspec.Struct, frozen=True, kw_only=True):
    """`to`: numbers of destinations outside; `on_contact`: contacts get the trait. Contacts to `looked_at` are done."""

    workspace: int
    id: int
    audience: int
    to: tuple[int, ...]
    on_contact: bool
    looked_at: int


def begin(connection: Connection, workspace: int, audience: int, new: Reach, now: datetime) -> None:
    connection.execute(
        introductions.insert().values(
            workspace_id=workspace,
            id=cursors.take(connection, "introductions"),
            audience_id=audience,
            told=sorted(new.outside),
            on_contact=int(new.on_contact),
            looked_at=0,
            begun_at=now,
        )
    )


def narrow(connection: Connection, workspace: int, audience: int, reach: Reach, new: Reach) -> None:
    """Those that go on tell only who is still told (`reach`) and is not introduced anew (`new`)."""
    for each in waiting(connection, workspace, audience):
        to = [number for number in each.to if number in reach.outside - new.outside]
        on_contact = each.on_contact and reach.on_contact and not new.on_contact
        if not to and not on_contact:
            end(connection, each)
        else:
            values = {"told": to, "on_contact": int(on_contact)}
            connection.execute(introductions.update().where(*_this(each)).values(**values))


def waiting(connection: Connection, workspace: int | None = None, audience: int | None = None) -> list[Introduction]:
    """Oldest first: of everybody, of a workspace, or of one audience."""
    table = introductions
    query = select(table).order_by(table.c.id)
    if workspace is not None:
        query = query.where(table.c.workspace_id == workspace)
    if audience is not None:
        query = query.where(table.c.audience_id == audience)
    return [
        Introduction(
            workspace=row.workspace_id,
            id=row.id,
            audience=row.audience_id,
            to=tuple(row.told),
            on_contact=bool(row.on_contact),
            looked_at=row.looked_at,
        )
        for row in connection.execute(query)
    ]


def newest(connection: Connection) -> dict[int, int]:
    """By the number of the audience, which is unique in an installation: its last one that still goes on."""
    table = introductions
    query = select(table.c.audience_id, func.max(table.c.id)).group_by(table.c.audience_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def proceed(connection: Connection, one: Introduction, looked_at: int) -> None:
    connection.execute(introductions.update().where(*_this(one)).values(looked_at=looked_at))


def end(connection: Connection, one: Introduction) -> None:
    connection.execute(introductions.delete().where(*_this(one)))


def forget(connection: Connection, workspace: int, audience: int) -> None:
    """The audience is taken away."""
    there = introductions.c.workspace_id == workspace, introductions.c.audience_id == audience
    connection.execute(introductions.delete().where(*there))


def _this(one: Introduction) -> tuple[ColumnElement[bool], ...]:
    return introductions.c.workspace_id == one.workspace, introductions.c.id == one.id
