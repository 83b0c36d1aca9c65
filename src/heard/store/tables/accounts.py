"""Workspaces, their members and what those did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from heard.accounts.workspace import Brand
from heard.store.tables.columns import metadata, numbered, of_workspace
from heard.store.types import Json, Moment

workspaces = Table(
    "workspaces",
    metadata,
    numbered(),
    Column("name", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("brand", Json(Brand), nullable=False),
    Column("quiet_period", BigInteger),
    Column("exclude", Text),
    Column("unconfirmed_clicks", String(8), nullable=False, server_default="strict"),
    Column("created_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
members = Table(
    "members",
    metadata,
    of_workspace(),
    numbered(),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "email_key"),
    sqlite_with_rowid=False,
)
secret_keys = Table(
    "secret_keys",
    metadata,
    of_workspace(),
    numbered(),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used", Moment),
    Column("revoked_at", Moment),
    Column("scope", String(16), nullable=False, server_default="full"),
    sqlite_with_rowid=False,
)
sessions = Table(  # who is signed in; of the token only its fingerprint is kept
    "sessions",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("email_key", Text, nullable=False, index=True),
    Column("workspace_id", BigInteger, nullable=False),  # the one being looked at
    Column("created_at", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("agent", Text, nullable=False),
    sqlite_with_rowid=False,
)
invites = Table(  # a link that makes whoever opens it a member, once
    "invites",
    metadata,
    of_workspace(),
    numbered(),
    Column("fingerprint", String(64), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("note", Text, nullable=False),  # whom it is meant for
    Column("invited_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("used_by", Text),
    sqlite_with_rowid=False,
)
audit = Table(  # append-only: who changed what
    "audit",
    metadata,
    of_workspace(),
    numbered(),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),  # a member's address, "key NAME", or "command line"
    Column("what", String(64), nullable=False),  # "campaign.paused"
    Column("subject", Text, nullable=False),  # its name
    Column("detail", Json(dict[str, Any]), nullable=False),
    sqlite_with_rowid=False,
)
