"""reminders, told apart from the invitations that are counted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    reminders = sa.text("kind = 'reminder'")
    op.create_index(
        "deliveries_reminders",
        "deliveries",
        ["workspace_id", "campaign_id", "state", "due_at"],
        sqlite_where=reminders,
        postgresql_where=reminders,
    )
