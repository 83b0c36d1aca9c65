"""What came back of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from heard.accounts.mail_settings import MailSettings
from heard.responses.response import Answer
from heard.responses.verdict import Finding
from heard.store.tables.columns import WITH_ORIGIN, metadata, numbered, of_workspace
from heard.store.types import Bytes, Json, Moment

mail_events = Table(  # append-only: what became of mails, as providers and mail servers report it
    "mail_events",
    metadata,
    of_workspace(),
    numbered(),
    Column("event_id", String(32), nullable=False),  # of the provider's own id: one that is told again counts once
    Column("provider", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("delivery_id", Text),
    Column("campaign_id", BigInteger),
    Column("email_key", Text),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("detail", Text, nullable=False),
    UniqueConstraint("workspace_id", "event_id"),
    Index("mail_events_by_delivery", "workspace_id", "delivery_id"),
    Index("mail_events_by_email", "workspace_id", "email_key"),
    Index("mail_events_by_campaign", "workspace_id", "campaign_id", "kind", "at"),
    Index("mail_events_by_age", "received_at"),
    sqlite_with_rowid=False,
)
mail_settings = Table(  # how a workspace sends mail and hears of it
    "mail_settings",
    metadata,
    of_workspace(),
    Column("settings", Json(MailSettings), nullable=False),
    sqlite_with_rowid=False,
)
handed_over = Table(  # how many mails went out in an hour, and how many were put off to it
    "handed_over",
    metadata,
    of_workspace(),
    Column("hour", Moment, primary_key=True, autoincrement=False),  # its beginning
    Column("domain", String(16), primary_key=True),  # a hash of it; "" = all of them
    Column("mails", BigInteger, nullable=False),
    Column("put_off", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
clicks = Table(  # raw: every GET and HEAD of a mail's links, human or machine
    "clicks",
    metadata,
    of_workspace(),
    numbered(),
    Column("delivery_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("method", String(8), nullable=False),
    Column("value", Integer),
    Column("agent", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("link", String(8), nullable=False, server_default="score"),
    Index("clicks_by_delivery", "workspace_id", "delivery_id"),
    Index("clicks_with_origin", "at", sqlite_where=text(WITH_ORIGIN)),
    sqlite_with_rowid=False,
)
opens = Table(  # the first time a mail's picture was loaded, where it has one
    "opens",
    metadata,
    of_workspace(),
    Column("delivery_id", String(32), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("agent", Text, nullable=False),
    Column("machine", Text),  # who loaded it, where that is known not to be a person
    Index("opens_with_agent", "at", sqlite_where=text("agent <> ''")),
    sqlite_with_rowid=False,
)
responses = Table(
    "responses",
    metadata,
    of_workspace(),
    numbered(),
    Column("delivery_id", Text, nullable=False),
    Column("survey_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("user_id", Text),
    Column("channel", String(16), nullable=False),
    Column("metric", String(16), nullable=False),
    Column("value", Float),
    Column("category", String(16)),
    Column("comment", Text),
    Column("answers", Json(tuple[Answer, ...]), nullable=False),
    Column("traits", Bytes, nullable=False),
    Column("properties", Bytes, nullable=False),
    Column("answered_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("revision", BigInteger, nullable=False),  # monotone over the installation; analytics reads from it
    Column("completes_at", Moment),  # when destinations are told that it is complete
    Column("campaign_version", Integer),  # what they were asked by
    Column("survey_version", Integer),
    Column("confirmed", Integer, nullable=False, server_default="1"),  # 0 = links were opened, no form was sent
    Column("evidence", Json(tuple[Finding, ...]), nullable=False, server_default="[]"),
    Column("judged_by", Text),  # the member who set the verdict by hand
    Column("settles_at", Moment),  # when an unconfirmed click counts, where the workspace lets it
    UniqueConstraint("workspace_id", "delivery_id"),  # one response per invitation
    Index("responses_by_revision", "revision"),
    Index("responses_by_contact", "workspace_id", "contact_id"),
    Index("responses_completing", "completes_at", sqlite_where=text("completes_at IS NOT NULL")),
    Index("responses_by_age", "answered_at"),
    Index("responses_settling", "settles_at", sqlite_where=text("settles_at IS NOT NULL")),
    sqlite_with_rowid=False,
)
response_revisions = Table(  # append-only: every version of every answer
    "response_revisions",
    metadata,
    of_workspace(),
    Column("response_id", BigInteger, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("answers", Json(tuple[Answer, ...]), nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("agent", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("by", Text),  # the member who set the verdict; null = it came of what was opened and sent
    Index("response_revisions_with_origin", "at", sqlite_where=text(WITH_ORIGIN)),
    sqlite_with_rowid=False,
)
