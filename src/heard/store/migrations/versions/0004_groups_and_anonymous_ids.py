"""groups and who belongs to them, whose anonymous ids are, and finding messages without a userId"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("traits", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "group_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "group_members",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("anonymous", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "group_id", "member", "anonymous"),
        sqlite_with_rowid=False,
    )
    op.create_index("group_members_by_member", "group_members", ["workspace_id", "member"])
    op.create_table(
        "anonymous_ids",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("anonymous_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "anonymous_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("anonymous_ids_by_user", "anonymous_ids", ["workspace_id", "user_id", "at"])
    op.add_column("decisions", sa.Column("anonymous_id", sa.Text(), nullable=True))
    is_held = sa.text("held_until IS NOT NULL")
    op.create_index(
        "decisions_held_by_anonymous",
        "decisions",
        ["workspace_id", "anonymous_id"],
        sqlite_where=is_held,
        postgresql_where=is_held,
    )
    _find_the_anonymous()


def _find_the_anonymous() -> None:
    """On every day that is kept; whoever is identified from now on has a history before that."""
    for table in sa.inspect(op.get_bind()).get_table_names():
        day = table.removeprefix("messages_")
        if day != table and day.isdigit():
            op.execute(  # a restored day may have it
                f"CREATE INDEX IF NOT EXISTS {table}_by_anonymous ON {table} (workspace_id, anonymous_id)"
                " WHERE user_id IS NULL AND anonymous_id IS NOT NULL"
            )
