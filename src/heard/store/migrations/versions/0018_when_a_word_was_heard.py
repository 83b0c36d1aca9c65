"""when a word of consent came onto the record, beside when it was said"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("consents", sa.Column("heard_at", sa.BigInteger()))
