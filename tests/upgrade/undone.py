"""Databases of earlier releases: what a migration adds is taken away again, as if it had never been."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from heard.store import dialects, schema

TABLES_OF_0012 = ("waves", "turns")
TABLES_OF_0014 = ("mail_events", "mail_settings")
TABLES_OF_0008 = ("seen_events", "seen_fields", "tracking_plans", "violations")
TABLES_OF_0007 = ("consents",)
TABLES_OF_0006 = ("audiences", "audience_people", "audience_memberships")
TABLES_OF_0005 = ("regulations", "suppressed")
TABLES_OF_0004 = ("groups", "group_members", "anonymous_ids")
TABLES_OF_0003 = ("forwards", "forward_counts", "replays", "waiting")
COLUMNS_OF_0003 = {"sources": ("webhook_secret",), "destinations": ("enabled", "switches", "filters")}


COLUMNS_OF_0013 = {
    "workspaces": ("unconfirmed_clicks",),
    "clicks": ("link",),
    "responses": ("confirmed", "evidence", "judged_by", "settles_at"),
    "response_revisions": ('"by"',),
    "suppressions": ("survey_id",),
}


def back_to_0019(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE contacts DROP COLUMN zone"))
    schema.stamp(connection, "0019")


def back_to_0018(connection: Connection) -> None:
    back_to_0019(connection)
    connection.execute(text("DROP TABLE postponements"))
    schema.stamp(connection, "0018")


def back_to_0017(connection: Connection) -> None:
    back_to_0018(connection)
    connection.execute(text("ALTER TABLE consents DROP COLUMN heard_at"))
    schema.stamp(connection, "0017")


def back_to_0016(connection: Connection) -> None:
    back_to_0017(connection)
    connection.execute(text("DROP TABLE opens"))
    for column in ("handed_to", "counts_opens"):
        connection.execute(text(f"ALTER TABLE deliveries DROP COLUMN {column}"))
    schema.stamp(connection, "0016")


def back_to_0015(connection: Connection) -> None:
    back_to_0016(connection)
    connection.execute(text("DROP TABLE introductions"))
    schema.stamp(connection, "0015")


def back_to_0014(connection: Connection) -> None:
    back_to_0015(connection)
    connection.execute(text("DROP TABLE handed_over"))
    schema.stamp(connection, "0014")


def back_to_0013(connection: Connection) -> None:
    back_to_0014(connection)
    for table in TABLES_OF_0014:
        connection.execute(text(f"DROP TABLE {table}"))
    schema.stamp(connection, "0013")


def back_to_0012(connection: Connection) -> None:
    back_to_0013(connection)
    connection.execute(text("DROP INDEX responses_settling"))
    for table, columns in COLUMNS_OF_0013.items():
        for column in columns:
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    schema.stamp(connection, "0012")


def back_to_0011(connection: Connection) -> None:
    back_to_0012(connection)
    for table in TABLES_OF_0012:
        connection.execute(text(f"DROP TABLE {table}"))
    connection.execute(text("ALTER TABLE campaigns DROP COLUMN paused_at"))
    for table in ("deliveries", "responses"):
        for column in ("campaign_version", "survey_version"):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    schema.stamp(connection, "0011")


def back_to_0010(connection: Connection) -> None:
    back_to_0011(connection)
    connection.execute(text("DROP INDEX deliveries_reminders"))
    schema.stamp(connection, "0010")


def back_to_0009(connection: Connection) -> None:
    back_to_0010(connection)
    connection.execute(text("DROP TABLE removals"))
    for index in ("responses_by_age", "clicks_with_origin", "response_revisions_with_origin"):
        connection.execute(text(f"DROP INDEX {index}"))
    schema.stamp(connection, "0009")


def back_to_0008(connection: Connection) -> None:
    back_to_0009(connection)
    connection.execute(text("DROP INDEX responses_completing"))
    connection.execute(text("ALTER TABLE responses DROP COLUMN completes_at"))
    schema.stamp(connection, "0008")


def back_to_0007(connection: Connection) -> None:
    back_to_0008(connection)
    for table in TABLES_OF_0008:
        connection.execute(text(f"DROP TABLE {table}"))
    schema.stamp(connection, "0007")


def back_to_0006(connection: Connection) -> None:
    back_to_0007(connection)
    for table in TABLES_OF_0007:
        connection.execute(text(f"DROP TABLE {table}"))
    connection.execute(text("ALTER TABLE anonymous_ids DROP COLUMN shared"))
    schema.stamp(connection, "0006")


def back_to_0005(connection: Connection) -> None:
    back_to_0006(connection)
    for table in TABLES_OF_0006:
        connection.execute(text(f"DROP TABLE {table}"))
    schema.stamp(connection, "0005")


def back_to_0004(connection: Connection) -> None:
    back_to_0005(connection)
    for table in TABLES_OF_0005:
        connection.execute(text(f"DROP TABLE {table}"))
    schema.stamp(connection, "0004")


def back_to_0003(connection: Connection, *, indexes: bool = True) -> None:
    back_to_0004(connection)
    for table in TABLES_OF_0004:
        connection.execute(text(f"DROP TABLE {table}"))
    connection.execute(text("DROP INDEX decisions_held_by_anonymous"))
    connection.execute(text("ALTER TABLE decisions DROP COLUMN anonymous_id"))
    for table in dialects.table_names(connection, "messages_2") if indexes else ():
        connection.execute(text(f"DROP INDEX {table}_by_anonymous"))
    schema.stamp(connection, "0003")


def back_to_0002(connection: Connection) -> None:
    back_to_0003(connection)
    for table in TABLES_OF_0003:
        connection.execute(text(f"DROP TABLE {table}"))
    days = dialects.table_names(connection, "messages_2")
    for table, columns in {**COLUMNS_OF_0003, **dict.fromkeys(days, ("routing",))}.items():
        for column in columns:
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    schema.stamp(connection, "0002")


def do(url: str, act: Callable[[Connection], Any]) -> None:
    engine = dialects.open_engine(url, writer=True)
    with engine.begin() as connection:
        act(connection)
    engine.dispose()
