"""how many mails go out, by the hour"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "handed_over",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("domain", sa.String(16), nullable=False),
        sa.Column("mails", sa.BigInteger(), nullable=False),
        sa.Column("put_off", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "hour", "domain"),
        sqlite_with_rowid=False,
    )
