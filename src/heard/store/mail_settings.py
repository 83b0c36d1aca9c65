"""How each workspace sends mail: one row, where something is set."""

from __future__ import annotations

from sqlalchemy import Connection, select

from heard.accounts.mail_settings import NOTHING_SET, MailSettings
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
