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
