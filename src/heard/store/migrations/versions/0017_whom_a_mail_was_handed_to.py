"""what a mail was handed to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("handed_to", sa.String(8)))
