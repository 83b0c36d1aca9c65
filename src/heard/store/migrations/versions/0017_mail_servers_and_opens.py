"""what a mail was handed to, and which mails were opened"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("handed_to", sa.String(8)))
    op.add_column("deliveries", sa.Column("counts_opens", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "opens",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text()),
        sa.PrimaryKeyConstraint("workspace_id", "delivery_id"),
        sqlite_with_rowid=False,
    )
    named = sa.text("agent <> ''")
    op.create_index("opens_with_agent", "opens", ["at"], sqlite_where=named, postgresql_where=named)
