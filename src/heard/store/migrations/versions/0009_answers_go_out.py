"""when others are told that an answer is complete"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("responses", sa.Column("completes_at", sa.BigInteger()))
    waits = sa.text("completes_at IS NOT NULL")
    op.create_index("responses_completing", "responses", ["completes_at"], sqlite_where=waits, postgresql_where=waits)
