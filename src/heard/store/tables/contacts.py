"""People: what is known of them, what is worked out about them, and their privacy."""

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

from heard.contacts.regulation import Told
from heard.store.tables.columns import metadata, numbered, of_workspace
from heard.store.types import Bytes, Json, Moment

# ── contacts ──
contacts = Table(
    "contacts",
    metadata,
    of_workspace(),
    numbered(),
    Column("user_id", Text),
    Column("email", Text),
    Column("email_key", Text),
    Column("traits", Bytes, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("created_at", Moment),
    Column("zone", Text),
    Index("contacts_by_user", "workspace_id", "user_id", unique=True, sqlite_where=text("user_id IS NOT NULL")),
    Index("contacts_by_email", "workspace_id", "email_key", sqlite_where=text("email_key IS NOT NULL")),
    sqlite_with_rowid=False,
)
suppressions = Table(
    "suppressions",
    metadata,
    of_workspace(),
    numbered(),
    Column("contact_id", BigInteger),
    Column("email_key", Text),
    Column("kind", String(16), nullable=False),
    Column("on", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("cause", Text, nullable=False),
    Column("survey_id", BigInteger),  # null = it is about all of them
    Index("suppressions_by_contact", "workspace_id", "contact_id"),
    Index("suppressions_by_email", "workspace_id", "email_key"),
    sqlite_with_rowid=False,
)
lists = Table(
    "lists",
    metadata,
    of_workspace(),
    numbered(),
    Column("name", Text, nullable=False),
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
list_members = Table(
    "list_members",
    metadata,
    of_workspace(),
    Column("list_id", BigInteger, primary_key=True),
    Column("contact_id", BigInteger, primary_key=True),
    Column("at", Moment, nullable=False),
    Index("list_members_by_contact", "workspace_id", "contact_id"),
    sqlite_with_rowid=False,
)
groups = Table(  # accounts: what contacts belong to
    "groups",
    metadata,
    of_workspace(),
    numbered(),
    Column("group_id", Text, nullable=False),  # as it was sent
    Column("traits", Bytes, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "group_id"),
    sqlite_with_rowid=False,
)
group_members = Table(  # by the id that the call carried, so that nobody has to be a contact to belong to a group
    "group_members",
    metadata,
    of_workspace(),
    Column("group_id", BigInteger, primary_key=True, autoincrement=False),
    Column("member", Text, primary_key=True),  # a userId, or an anonymousId
    Column("anonymous", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),  # since when
    Index("group_members_by_member", "workspace_id", "member"),
    sqlite_with_rowid=False,
)
anonymous_ids = Table(  # whose they are, by the latest identify or alias that carried both ids
    "anonymous_ids",
    metadata,
    of_workspace(),
    Column("anonymous_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("shared", Integer, nullable=False, server_default="0"),  # it was another user's before
    Index("anonymous_ids_by_user", "workspace_id", "user_id", "at"),
    sqlite_with_rowid=False,
)
consents = Table(  # append-only: what people said of each category of consent, where that changed something
    "consents",
    metadata,
    of_workspace(),
    Column("person", Text, primary_key=True),  # a userId, or an anonymousId
    Column("at", Moment, primary_key=True),
    Column("anonymous", Integer, primary_key=True, autoincrement=False),
    Column("mark", BigInteger, primary_key=True, autoincrement=False),  # of what was said: its hash
    Column("preferences", Json(dict[str, bool]), nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("heard_at", Moment),  # when it came onto this person's record; NULL: before that was kept
    sqlite_with_rowid=False,
)

# ── audiences and computed traits ──
audiences = Table(  # both: what is worked out about each contact
    "audiences",
    metadata,
    of_workspace(),
    numbered(),
    Column("kind", String(8), nullable=False),  # audience, trait
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),  # the trait; never another one's
    Column("settings", Json(dict[str, Any]), nullable=False),  # as in the workspace file
    Column("version", Integer, nullable=False),
    Column("phase", String(8), nullable=False),
    Column("position", BigInteger, nullable=False),  # messages up to here were counted
    Column("last", BigInteger, nullable=False),  # the last message that was there before it
    Column("looked_at", BigInteger, nullable=False),  # contacts up to here were looked at
    Column("members", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "kind", "name"),
    UniqueConstraint("workspace_id", "key"),
    sqlite_with_rowid=False,
)
audience_people = Table(  # what was counted of each person; by userId, who may become a contact later
    "audience_people",
    metadata,
    of_workspace(),
    Column("user_id", Text, primary_key=True),
    Column("entries", Bytes, nullable=False),
    Column("due_at", Moment),  # when time alone may change something
    Index("audience_people_due", "due_at", sqlite_where=text("due_at IS NOT NULL")),
    sqlite_with_rowid=False,
)
audience_memberships = Table(  # append-only: who was a member, from when to when
    "audience_memberships",
    metadata,
    of_workspace(),
    Column("contact_id", BigInteger, primary_key=True),
    Column("audience_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),  # of the change that made them a member
    Column("entered_at", Moment, nullable=False),
    Column("left_at", Moment),
    Index("audience_memberships_of", "workspace_id", "audience_id", "entered_at"),
    sqlite_with_rowid=False,
)
introductions = Table(  # destinations that are told of an audience later than others, until all members were told
    "introductions",
    metadata,
    of_workspace(),
    numbered(),
    Column("audience_id", BigInteger, nullable=False),
    Column("told", Json(list[int]), nullable=False),  # destinations outside
    Column("on_contact", Integer, nullable=False),
    Column("looked_at", BigInteger, nullable=False),  # contacts up to here were looked at
    Column("begun_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# ── privacy ──
regulations = Table(  # privacy requests; who they are about is taken out when they are finished
    "regulations",
    metadata,
    of_workspace(),
    numbered(),
    Column("type", String(32), nullable=False),
    Column("subject_type", String(16), nullable=False),
    Column("subjects", Json(tuple[str, ...]), nullable=True),
    Column("marks", Json(tuple[str, ...]), nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("erased", Integer, nullable=False),  # how many of the subjects
    Column("found", Json(Any), nullable=True),  # under which ids the next ones are known
    Column("tell", Json(tuple[str, ...]), nullable=True),  # userIds that destinations are told of
    Column("told", Json(tuple[Told, ...]), nullable=False),
    Column("removed", Json(dict[str, int]), nullable=False),
    Column("by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    sqlite_with_rowid=False,
)
suppressed = Table(  # of whom nothing is taken: a keyed hash, and nothing that says who
    "suppressed",
    metadata,
    of_workspace(),
    Column("mark", String(32), primary_key=True),
    Column("subject_type", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
