"""What is asked, whom, and how each ask was decided and went out."""

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

from heard.deliveries.decision import Revision
from heard.deliveries.reasons import Objection
from heard.store.tables.columns import OPEN, REMINDERS, metadata, numbered, of_workspace
from heard.store.types import Bytes, Json, Moment

# ── surveys and campaigns ──
surveys = Table(
    "surveys",
    metadata,
    of_workspace(),
    numbered(),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("settings", Json(dict[str, Any]), nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
campaigns = Table(
    "campaigns",
    metadata,
    of_workspace(),
    numbered(),
    Column("survey_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("settings", Json(dict[str, Any]), nullable=False),  # as in the workspace file, `status` left out
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("activated_at", Moment),
    Column("paused_at", Moment),  # since when, while it is
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
waves = Table(  # each time that a campaign asks everybody on its list, or in its audience
    "waves",
    metadata,
    of_workspace(),
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("everyone", Integer, nullable=False),  # also whoever the campaign has asked before
    Column("asked_at", Moment, nullable=False),  # when somebody wanted it
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("position", BigInteger, nullable=False),  # contacts up to here were decided about
    Column("people", BigInteger, nullable=False),  # how many were
    Column("invited", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
turns = Table(  # when a campaign that recurs asks a contact again
    "turns",
    metadata,
    of_workspace(),
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("contact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asked_at", Moment, nullable=False),  # the last time
    Column("due_at", Moment, nullable=False),
    Index("turns_due", "campaign_id", "due_at"),
    Index("turns_by_contact", "workspace_id", "contact_id"),
    sqlite_with_rowid=False,
)
versions = Table(  # append-only: what a survey or campaign was from `at` on
    "versions",
    metadata,
    of_workspace(),
    Column("noun", String(16), primary_key=True),
    Column("noun_id", BigInteger, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("settings", Json(dict[str, Any]), nullable=False),
    sqlite_with_rowid=False,
)

# ── deciding ──
decisions = Table(
    "decisions",
    metadata,
    of_workspace(),
    numbered(),
    Column("campaign_id", BigInteger, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("event_at", Moment, nullable=False),
    Column("user_id", Text),
    Column("contact_id", BigInteger),
    Column("at", Moment, nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("objections", Json(tuple[Objection, ...]), nullable=False),
    Column("revisions", Json(tuple[Revision, ...]), nullable=False),
    Column("delivery_id", Text),
    Column("held_until", Moment),
    Column("held_body", Bytes),  # the message, while its track waits for an identify
    Column("anonymous_id", Text),  # what the message came under, where it had no userId
    Index("decisions_by_trigger", "workspace_id", "campaign_id", "trigger", unique=True),  # one per trigger, for ever
    Index("decisions_by_user", "workspace_id", "user_id"),
    Index("decisions_by_contact", "workspace_id", "contact_id"),
    Index("decisions_by_campaign", "workspace_id", "campaign_id", "outcome", "id"),
    Index("decisions_held", "held_until", sqlite_where=text("held_until IS NOT NULL")),
    Index("decisions_held_by_user", "workspace_id", "user_id", sqlite_where=text("held_until IS NOT NULL")),
    Index("decisions_held_by_anonymous", "workspace_id", "anonymous_id", sqlite_where=text("held_until IS NOT NULL")),
    sqlite_with_rowid=False,
)
touches = Table(
    "touches",
    metadata,
    of_workspace(),
    Column("delivery_id", Text, primary_key=True),
    Column("contact_id", BigInteger, nullable=False),
    Column("email_key", Text),
    Column("campaign_id", BigInteger, nullable=False),
    Column("metric", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String(8), nullable=False),
    Index("touches_by_contact", "workspace_id", "contact_id"),
    Index("touches_by_email", "workspace_id", "email_key"),
    Index("touches_by_campaign", "workspace_id", "campaign_id", "at"),
    sqlite_with_rowid=False,
)
postponements = Table(  # append-only: when an ask that was reserved was put off, and until when
    "postponements",
    metadata,
    of_workspace(),
    Column("delivery_id", Text, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("was", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("why", String(16), nullable=False),
    sqlite_with_rowid=False,
)
deliveries = Table(
    "deliveries",
    metadata,
    of_workspace(),
    Column("id", String(32), primary_key=True),
    Column("decision_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("survey_id", BigInteger, nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("user_id", Text),
    Column("address", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("state", String(10), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("event", Text, nullable=False),
    Column("event_at", Moment, nullable=False),
    Column("properties", Bytes, nullable=False),
    Column("sent_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("campaign_version", Integer),  # of the campaign and the survey, when it was decided
    Column("survey_version", Integer),
    Column("handed_to", String(8)),  # an outbox or a server, the last time
    Column("counts_opens", Integer, nullable=False, server_default="0"),  # its mail has a picture
    Index("deliveries_due", "due_at", sqlite_where=text("state = 'scheduled'")),
    Index("deliveries_sending", "state", sqlite_where=text("state = 'sending'")),
    Index("deliveries_open", "sent_at", sqlite_where=text(OPEN)),
    Index("deliveries_by_contact", "workspace_id", "contact_id"),
    Index("deliveries_by_campaign", "workspace_id", "campaign_id", "state", "due_at"),
    Index("deliveries_newest", "workspace_id", "due_at", "id"),
    Index(  # what is left out where invitations are counted
        "deliveries_reminders",
        *("workspace_id", "campaign_id", "state", "due_at"),
        sqlite_where=text(REMINDERS),
        postgresql_where=text(REMINDERS),
    ),
    sqlite_with_rowid=False,
)
