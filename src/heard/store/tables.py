"""Every table, in the order a message meets them. `workspace_id` leads every primary and unique key, so that a cluster
can be split by it. The day tables of messages are made by `heard.store.days`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from heard.accounts.mail_settings import MailSettings
from heard.accounts.workspace import Brand
from heard.contacts.regulation import Told
from heard.deliveries.decision import Revision
from heard.deliveries.reasons import Objection
from heard.responses.response import Answer
from heard.responses.verdict import Finding
from heard.routing.destination import Filter
from heard.routing.forward import Try
from heard.store.types import Bytes, Json, Moment

metadata = MetaData()
# Written out in queries too, since an index is only used where its words stand.
OPEN = "state IN ('sent', 'unknown')"
WITH_ORIGIN = "(agent <> '' OR client <> '')"
REMINDERS = "kind = 'reminder'"


def _id(name: str = "id") -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _workspace() -> Column[int]:
    return Column("workspace_id", BigInteger, primary_key=True, autoincrement=False)


# ── accounts ──
workspaces = Table(
    "workspaces",
    metadata,
    _id(),
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
    _workspace(),
    _id(),
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
    _workspace(),
    _id(),
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
    _workspace(),
    _id(),
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
    _workspace(),
    _id(),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),  # a member's address, "key NAME", or "command line"
    Column("what", String(64), nullable=False),  # "campaign.paused"
    Column("subject", Text, nullable=False),  # its name
    Column("detail", Json(dict[str, Any]), nullable=False),
    sqlite_with_rowid=False,
)

# ── sources and destinations ──
sources = Table(
    "sources",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    _id(),
    Column("name", Text, nullable=False),
    Column("type", String(32), nullable=False),
    Column("settings", Json(dict[str, Any]), nullable=False),
    Column("source_ids", Json(list[int]), nullable=True),  # null = every source
    Column("enabled", Integer, nullable=False, server_default="1"),
    Column("switches", Json(dict[str, bool]), nullable=False, server_default="{}"),
    Column("filters", Json(tuple[Filter, ...]), nullable=False, server_default="[]"),
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
forwards = Table(  # messages that a destination did not take at the first try, or that were sent to it again
    "forwards",
    metadata,
    _workspace(),
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
    _workspace(),
    Column("destination_id", BigInteger, primary_key=True),
    Column("hour", Integer, primary_key=True),  # 2026112217
    Column("name", String(64), primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
replays = Table(  # a window of history that goes to one destination again
    "replays",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    Column("message", BigInteger, primary_key=True),
    Column("day", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# ── what sources send ──
seen_events = Table(  # which events, pages, identifies ... came from a source; their contents are in the messages
    "seen_events",
    metadata,
    _workspace(),
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
    _workspace(),
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
    _workspace(),
    _id(),
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
    _workspace(),
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

# ── contacts ──
contacts = Table(
    "contacts",
    metadata,
    _workspace(),
    _id(),
    Column("user_id", Text),
    Column("email", Text),
    Column("email_key", Text),
    Column("traits", Bytes, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("created_at", Moment),
    Index("contacts_by_user", "workspace_id", "user_id", unique=True, sqlite_where=text("user_id IS NOT NULL")),
    Index("contacts_by_email", "workspace_id", "email_key", sqlite_where=text("email_key IS NOT NULL")),
    sqlite_with_rowid=False,
)
suppressions = Table(
    "suppressions",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    _id(),
    Column("name", Text, nullable=False),
    UniqueConstraint("workspace_id", "name"),
    sqlite_with_rowid=False,
)
list_members = Table(
    "list_members",
    metadata,
    _workspace(),
    Column("list_id", BigInteger, primary_key=True),
    Column("contact_id", BigInteger, primary_key=True),
    Column("at", Moment, nullable=False),
    Index("list_members_by_contact", "workspace_id", "contact_id"),
    sqlite_with_rowid=False,
)
groups = Table(  # accounts: what contacts belong to
    "groups",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
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
    _workspace(),
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
    _workspace(),
    Column("person", Text, primary_key=True),  # a userId, or an anonymousId
    Column("at", Moment, primary_key=True),
    Column("anonymous", Integer, primary_key=True, autoincrement=False),
    Column("mark", BigInteger, primary_key=True, autoincrement=False),  # of what was said: its hash
    Column("preferences", Json(dict[str, bool]), nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    sqlite_with_rowid=False,
)

# ── audiences and computed traits ──
audiences = Table(  # both: what is worked out about each contact
    "audiences",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    Column("user_id", Text, primary_key=True),
    Column("entries", Bytes, nullable=False),
    Column("due_at", Moment),  # when time alone may change something
    Index("audience_people_due", "due_at", sqlite_where=text("due_at IS NOT NULL")),
    sqlite_with_rowid=False,
)
audience_memberships = Table(  # append-only: who was a member, from when to when
    "audience_memberships",
    metadata,
    _workspace(),
    Column("contact_id", BigInteger, primary_key=True),
    Column("audience_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),  # of the change that made them a member
    Column("entered_at", Moment, nullable=False),
    Column("left_at", Moment),
    Index("audience_memberships_of", "workspace_id", "audience_id", "entered_at"),
    sqlite_with_rowid=False,
)

# ── privacy ──
regulations = Table(  # privacy requests; who they are about is taken out when they are finished
    "regulations",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    Column("mark", String(32), primary_key=True),
    Column("subject_type", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# ── surveys and campaigns ──
surveys = Table(
    "surveys",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    _id(),
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
    _workspace(),
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
    _workspace(),
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
    _workspace(),
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
    _workspace(),
    _id(),
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
    _workspace(),
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
deliveries = Table(
    "deliveries",
    metadata,
    _workspace(),
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

# ── answers ──
mail_events = Table(  # append-only: what became of mails, as providers and mail servers report it
    "mail_events",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
    Column("settings", Json(MailSettings), nullable=False),
    sqlite_with_rowid=False,
)
handed_over = Table(  # how many mails went out in an hour, and how many were put off to it
    "handed_over",
    metadata,
    _workspace(),
    Column("hour", Moment, primary_key=True, autoincrement=False),  # its beginning
    Column("domain", String(16), primary_key=True),  # a hash of it; "" = all of them
    Column("mails", BigInteger, nullable=False),
    Column("put_off", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
clicks = Table(  # raw: every GET and HEAD of a mail's links, human or machine
    "clicks",
    metadata,
    _workspace(),
    _id(),
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
responses = Table(
    "responses",
    metadata,
    _workspace(),
    _id(),
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
    _workspace(),
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

# ── bookkeeping ──
cursors = Table(  # the router's offset on the log, and the next number of every sequence
    "cursors",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
tallies = Table(  # counts by day, so that what was dropped on purpose is visible
    "tallies",
    metadata,
    _workspace(),
    Column("day", Integer, primary_key=True),  # 20261122
    Column("name", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
set_aside = Table(  # what could not be handled, whole, with the reason; the loop went on
    "set_aside",
    metadata,
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
removals = Table(  # what the length of keeping has removed, by kind, of all workspaces
    "removals",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("gone_before", Moment, nullable=False),  # nothing older is there
    Column("at", Moment, nullable=False),  # when something was removed last
    Column("n", BigInteger, nullable=False),  # how much, that time
    sqlite_with_rowid=False,
)


def for_postgresql() -> None:
    """Give the partial indexes their condition there too; only when needed, for that dialect is slow to load."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if index.name in PARTIAL:
                index.dialect_kwargs["postgresql_where"] = index.dialect_options["sqlite"]["where"]


PARTIAL = {
    "audience_people_due",
    "clicks_with_origin",
    "decisions_held",
    "decisions_held_by_anonymous",
    "decisions_held_by_user",
    "deliveries_due",
    "deliveries_open",
    "deliveries_sending",
    "forwards_due",
    "responses_completing",
    "responses_settling",
    "response_revisions_with_origin",
}
