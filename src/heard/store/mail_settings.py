"""How each workspace sends mail: one row, where something is set."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from heard.accounts.mail_settings import NOTHING_SET, MailSettings, Stopped
from heard.store import dialects
from heard.store.tables import mail_settings


def of(connection: Connection, workspace: int) -> MailSettings:
    row = connection.execute(select(mail_settings).where(mail_settings.c.workspace_id == workspace)).first()
    return row.settings if row is not None else NOTHING_SET


def all_(connection: Connection) -> dict[int, MailSettings]:
    return {row.workspace_id: row.settings for row in connection.execute(select(mail_settings))}


def keep(connection: Connection, workspace: int, settings: MailSettings) -> None:
    statement = dialects.insert(mail_settings, connection).values(workspace_id=workspace, settings=settings)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["workspace_id"], set_={"settings": statement.excluded.settings})
    )


def stop(connection: Connection, workspace: int, stopped: Stopped) -> None:
    """Note that a campaign was paused by Heard, or what became of that."""
    was = of(connection, workspace)
    others = tuple(each for each in was.stopped if each.campaign != stopped.campaign)
    keep(connection, workspace, msgspec.structs.replace(was, stopped=(*others, stopped)))


def go_on(connection: Connection, workspace: int, campaign: int, *, now: datetime) -> None:
    """Somebody activated a campaign again: what was before counts no longer."""
    stopped = of(connection, workspace).stop_of(campaign)
    if stopped is not None and not stopped.over:
        stop(connection, workspace, msgspec.structs.replace(stopped, since=now, over=True))
