"""destinations outside, with switches and filters; what became of messages there; replays; the daily limit's queue"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index("ix_sources_write_key", table_name="sources")
    _widen("sources", ("name", "write_key", "created_at"), columns=(
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("write_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("webhook_secret", sa.Text(), nullable=True),
    ))  # fmt: skip
    op.create_index("ix_sources_write_key", "sources", ["write_key"])
    _widen("destinations", ("name", "type", "settings", "source_ids"), columns=(
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("source_ids", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("switches", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("filters", sa.Text(), nullable=False, server_default="[]"),
    ))  # fmt: skip
    _create("forwards", "destination_id", "message", columns=(
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
    ))  # fmt: skip
    retrying = sa.text("state = 'retrying'")
    op.create_index(
        "forwards_due", "forwards", ["destination_id", "next_at"], sqlite_where=retrying, postgresql_where=retrying
    )
    op.create_index("forwards_newest", "forwards", ["workspace_id", "destination_id", "state", "last_at"])
    op.create_table(
        "forward_counts",
        _number("workspace_id"),
        _number("destination_id"),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "destination_id", "hour", "name"),
        sqlite_with_rowid=False,
    )
    _create("replays", "id", columns=(
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in (
            "destination_id", "since", "until", "position", "last", "looked_at", "sent"
        )),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    ))  # fmt: skip
    _create("waiting", "message", columns=(sa.Column("day", sa.Integer(), nullable=False),))
    for table in sa.inspect(op.get_bind()).get_table_names():
        if table.startswith("messages_2"):
            op.add_column(table, sa.Column("routing", sa.Text(), nullable=True))


def _widen(table: str, kept: tuple[str, ...], *, columns: tuple[sa.Column, ...]) -> None:  # type: ignore[type-arg]
    """Give a table the columns it lacks. SQLite would write them behind the constraints, so there it is made anew."""
    if op.get_bind().dialect.name != "sqlite":
        for column in columns:
            if column.name not in kept:
                op.add_column(table, column)
        return
    op.rename_table(table, f"{table}_before")
    op.create_table(
        table,
        *map(_number, ("workspace_id", "id")),
        *columns,
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "name"),
        sqlite_with_rowid=False,
    )
    names = ", ".join(("workspace_id", "id", *kept))
    op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_before")
    op.drop_table(f"{table}_before")


def _create(table: str, *keys: str, columns: tuple[sa.Column, ...]) -> None:  # type: ignore[type-arg]
    leading = ("workspace_id", *keys)
    op.create_table(table, *map(_number, leading), *columns, sa.PrimaryKeyConstraint(*leading), sqlite_with_rowid=False)


def _number(name: str) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
