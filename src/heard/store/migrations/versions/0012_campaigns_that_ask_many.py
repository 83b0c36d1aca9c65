"""campaigns that ask a list or an audience, and the same contact again; which version somebody answered"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("paused_at", sa.BigInteger()))
    for table in ("deliveries", "responses"):
        op.add_column(table, sa.Column("campaign_version", sa.Integer()))
        op.add_column(table, sa.Column("survey_version", sa.Integer()))
    op.create_table(
        "waves",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("everyone", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("invited", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "campaign_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "turns",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "campaign_id", "contact_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("turns_due", "turns", ["campaign_id", "due_at"])
    op.create_index("turns_by_contact", "turns", ["workspace_id", "contact_id"])
