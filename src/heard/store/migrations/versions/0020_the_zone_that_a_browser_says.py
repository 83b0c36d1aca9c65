"""the zone that a contact's browser or app said"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("contacts", sa.Column("zone", sa.Text()))
