"""Where messages come from and go to, and what sources send."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from heard.routing.destination import Filter
from heard.routing.forward import Try
from heard.routing.switches import Switch
from heard.store.tables.columns import metadata, numbered, of_workspace
from heard.store.types import Json, Moment

# ── sources and destinations ──
sources = Table(
    "sources",
    metadata,
    of_workspace(),
    numbered(),
    Column("name", Text, nullable=False),
    Column("write_key", Text, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("webhook_secret", Text),  # what signs messages that another product forwards to this source
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
destinations = Table(
    "destinations",
    metadata,
    of_workspace(),
    numbered(),
    Column("name", Text, nullable=False),
    Column("type", String(32), nullable=False),
    Column("settings", Json(dict[str, Any]), nullable=False),
    Column("source_ids", Json(list[int]), nullable=True),  # null = every source
    Column("enabled", Integer, nullable=False, server_default="1"),
    Column("switches", Json(dict[str, Switch]), nullable=False, server_default="{}"),
    Column("filters", Json(tuple[Filter, ...]), nullable=False, server_default="[]"),
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
forwards = Table(  # messages that a destination did not take at the first try, or that were sent to it again
    "forwards",
    metadata,
    of_workspace(),
    Column("destination_id", BigInteger, primary_key=True),
    Column("message", BigInteger, primary_key=True),  # `id` in the table of its day
    Column("day", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),  # when it was tried first; it is given up so long after
    Column("last_at", Moment, nullable=False),
    Column("next_at", Moment),
    Column("reason", String(64), nullable=False),
    Column("tries", Json(tuple[Try, ...]), nullable=False),  # the newest of them
    Column("request", Text, nullable=False),  # what was sent at last, cut
    Column("answer", Text, nullable=False),
    Column("run", BigInteger, nullable=False),  # 0 as it came, else the number under which it goes out once more
    Index("forwards_due", "destination_id", "next_at", sqlite_where=text("state = 'retrying'")),
    Index("forwards_newest", "workspace_id", "destination_id", "state", "last_at"),
    sqlite_with_rowid=False,
)
forward_counts = Table(  # what became of messages at a destination, by hour
    "forward_counts",
    metadata,
    of_workspace(),
    Column("destination_id", BigInteger, primary_key=True),
    Column("hour", Integer, primary_key=True),  # 2026112217
    Column("name", String(64), primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
replays = Table(  # a window of history that goes to one destination again
    "replays",
    metadata,
    of_workspace(),
    numbered(),
    Column("destination_id", BigInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("position", BigInteger, nullable=False),  # messages up to here were looked at
    Column("last", BigInteger, nullable=False),  # the last one of the window
    Column("looked_at", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
waiting = Table(  # messages over the surveys destination's daily limit; they are taken in their order on the next day
    "waiting",
    metadata,
    of_workspace(),
    Column("message", BigInteger, primary_key=True),
    Column("day", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# ── what sources send ──
seen_events = Table(  # which events, pages, identifies ... came from a source; their contents are in the messages
    "seen_events",
    metadata,
    of_workspace(),
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(16), primary_key=True),
    Column("name", Text, primary_key=True),  # of the event, page or screen; else empty
    Column("n", BigInteger, nullable=False),
    Column("blocked", BigInteger, nullable=False),  # how many of them a tracking plan blocked
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("day", Integer, nullable=False),  # where the newest of them is
    Column("message", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
seen_fields = Table(  # under which names values came with them, and of which types
    "seen_fields",
    metadata,
    of_workspace(),
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(16), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("path", Text, primary_key=True),  # shipping.country
    Column("value_type", String(8), primary_key=True),
    Column("n", BigInteger, nullable=False),  # messages
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
tracking_plans = Table(
    "tracking_plans",
    metadata,
    of_workspace(),
    numbered(),
    Column("name", Text, nullable=False),
    Column("source_ids", Json(list[int]), nullable=False),
    Column("told", Json(list[int]), nullable=False),  # destinations
    Column("settings", Json(dict[str, Any]), nullable=False),  # as in the workspace file, the rest left out
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
violations = Table(  # by day: where messages were not as their plan has it
    "violations",
    metadata,
    of_workspace(),
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("type", String(16), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("field", Text, primary_key=True),  # properties.total; empty = the message
    Column("kind", String(16), primary_key=True),
    Column("done", String(8), primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),  # of the newest; it quotes no value
    Column("last_at", Moment, nullable=False),
    Column("message_day", Integer, nullable=False),  # where the newest of them is
    Column("message", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
