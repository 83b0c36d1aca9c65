"""sessions, invites, the audit log, scoped keys, and the indexes that pages read by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_email_key", "sessions", ["email_key"])
    op.create_table(
        "invites",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_invites_fingerprint", "invites", ["fingerprint"])
    op.create_table(
        "audit",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sqlite_with_rowid=False,
    )
    op.add_column("secret_keys", sa.Column("scope", sa.String(length=16), nullable=False, server_default="full"))
    op.create_index("decisions_by_campaign", "decisions", ["workspace_id", "campaign_id", "outcome", "id"])
    op.drop_index("deliveries_by_campaign", table_name="deliveries")
    op.create_index("deliveries_by_campaign", "deliveries", ["workspace_id", "campaign_id", "state", "due_at"])
    op.create_index("deliveries_newest", "deliveries", ["workspace_id", "due_at", "id"])
    is_open, is_held = sa.text("state IN ('sent', 'unknown')"), sa.text("held_until IS NOT NULL")
    op.create_index("deliveries_open", "deliveries", ["sent_at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index(
        "decisions_held_by_user",
        "decisions",
        ["workspace_id", "user_id"],
        sqlite_where=is_held,
        postgresql_where=is_held,
    )
    _count_campaigns()
    _count_sources()


def _count_campaigns() -> None:
    """From event to click, by day, out of the rows there are: from now on it is tallied as it happens."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    first = "json_extract(objections, '$[0].reason')" if sqlite else "CAST(objections AS json) -> 0 ->> 'reason'"
    name = (
        "'campaign:' || campaign_id || ':' || outcome || CASE WHEN outcome = 'declined'"
        f" THEN ':' || coalesce({first}, 'unknown') ELSE '' END"
    )
    _tally(f"SELECT workspace_id, {_day('at')} AS day, {name} AS name FROM decisions")
    _tally(
        f"SELECT workspace_id, {_day('sent_at')} AS day, 'campaign:' || campaign_id || ':sent' AS name"
        " FROM deliveries WHERE sent_at IS NOT NULL"
    )
    _tally(
        f"SELECT workspace_id, {_day('at')} AS day, 'campaign:' || campaign_id || ':clicked' AS name FROM"
        " (SELECT d.workspace_id, d.campaign_id, min(c.at) AS at FROM clicks c JOIN deliveries d"
        " ON d.workspace_id = c.workspace_id AND d.id = c.delivery_id WHERE c.method = 'GET'"
        " GROUP BY d.workspace_id, d.campaign_id, d.id) opened"
    )


def _count_sources() -> None:
    """What came from each source, on the days whose messages are still kept."""
    for table in sa.inspect(op.get_bind()).get_table_names():
        day = table.removeprefix("messages_")
        if day != table and day.isdigit():
            _tally(f"SELECT workspace_id, {day} AS day, 'source:' || source_id AS name FROM {table}")


def _tally(rows: str) -> None:
    op.get_bind().exec_driver_sql(  # as it stands: names hold colons
        "INSERT INTO tallies (workspace_id, day, name, n)"
        f" SELECT workspace_id, day, name, count(*) FROM ({rows}) counted GROUP BY workspace_id, day, name"
    )


def _day(moment: str) -> str:
    """The UTC day of a column of microseconds, as a number: 20261122."""
    if op.get_bind().dialect.name == "sqlite":
        return f"CAST(strftime('%Y%m%d', {moment} / 1000000, 'unixepoch') AS INTEGER)"
    return f"CAST(to_char(to_timestamp({moment} / 1000000) AT TIME ZONE 'UTC', 'YYYYMMDD') AS BIGINT)"
