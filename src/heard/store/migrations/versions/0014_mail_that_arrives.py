"""what became of mails, and how a workspace sends them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "mail_events",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("delivery_id", sa.Text()),
        sa.Column("campaign_id", sa.BigInteger()),
        sa.Column("email_key", sa.Text()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("mail_events_by_delivery", "mail_events", ["workspace_id", "delivery_id"])
    op.create_index("mail_events_by_email", "mail_events", ["workspace_id", "email_key"])
    op.create_index("mail_events_by_campaign", "mail_events", ["workspace_id", "campaign_id", "kind", "at"])
    op.create_index("mail_events_by_age", "mail_events", ["received_at"])
    op.create_table(
        "mail_settings",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id"),
        sqlite_with_rowid=False,
    )
