"""what the length of keeping has removed, and the indexes by which old answers and network addresses are found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("gone_before", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
        sqlite_with_rowid=False,
    )
    op.create_index("responses_by_age", "responses", ["answered_at"])
    with_origin = sa.text("(agent <> '' OR client <> '')")
    for table in ("clicks", "response_revisions"):
        op.create_index(f"{table}_with_origin", table, ["at"], sqlite_where=with_origin, postgresql_where=with_origin)
