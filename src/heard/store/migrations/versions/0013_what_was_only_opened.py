"""which link was opened, answers that nobody confirmed, verdicts by hand, and wishes between all surveys and none"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    strict = sa.Column("unconfirmed_clicks", sa.String(8), nullable=False, server_default="strict")
    op.add_column("workspaces", strict)
    op.add_column("clicks", sa.Column("link", sa.String(8), nullable=False, server_default="score"))
    op.add_column("responses", sa.Column("confirmed", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("responses", sa.Column("evidence", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("responses", sa.Column("judged_by", sa.Text()))
    op.add_column("responses", sa.Column("settles_at", sa.BigInteger()))
    settling = sa.text("settles_at IS NOT NULL")
    op.create_index("responses_settling", "responses", ["settles_at"], sqlite_where=settling, postgresql_where=settling)
    op.add_column("response_revisions", sa.Column("by", sa.Text()))
    op.add_column("suppressions", sa.Column("survey_id", sa.BigInteger()))
