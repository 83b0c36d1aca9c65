"""Every table, in the order a message meets them. `workspace_id` leads every primary and unique key, so that a cluster
can be split by it. The day tables of messages are made by `heard.store.days`."""

from __future__ import annotations

from heard.store.tables.accounts import audit, invites, members, secret_keys, sessions, workspaces
from heard.store.tables.answers import (
    clicks,
    handed_over,
    mail_events,
    mail_settings,
    opens,
    response_revisions,
    responses,
)
from heard.store.tables.bookkeeping import cursors, removals, set_aside, tallies
from heard.store.tables.campaigns import (
    campaigns,
    decisions,
    deliveries,
    postponements,
    surveys,
    touches,
    turns,
    versions,
    waves,
)
from heard.store.tables.columns import OPEN, REMINDERS, WITH_ORIGIN, metadata
from heard.store.tables.contacts import (
    anonymous_ids,
    audience_memberships,
    audience_people,
    audiences,
    consents,
    contacts,
    group_members,
    groups,
    introductions,
    list_members,
    lists,
    regulations,
    suppressed,
    suppressions,
)
from heard.store.tables.sources import (
    destinations,
    forward_counts,
    forwards,
    replays,
    seen_events,
    seen_fields,
    sources,
    tracking_plans,
    violations,
    waiting,
)

__all__ = [
    "OPEN",
    "REMINDERS",
    "WITH_ORIGIN",
    "anonymous_ids",
    "audience_memberships",
    "audience_people",
    "audiences",
    "audit",
    "campaigns",
    "clicks",
    "consents",
    "contacts",
    "cursors",
    "decisions",
    "deliveries",
    "destinations",
    "for_postgresql",
    "forward_counts",
    "forwards",
    "group_members",
    "groups",
    "handed_over",
    "introductions",
    "invites",
    "list_members",
    "lists",
    "mail_events",
    "mail_settings",
    "members",
    "metadata",
    "opens",
    "postponements",
    "regulations",
    "removals",
    "replays",
    "response_revisions",
    "responses",
    "secret_keys",
    "seen_events",
    "seen_fields",
    "sessions",
    "set_aside",
    "sources",
    "suppressed",
    "suppressions",
    "surveys",
    "tallies",
    "touches",
    "tracking_plans",
    "turns",
    "versions",
    "violations",
    "waiting",
    "waves",
    "workspaces",
]


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
    "opens_with_agent",
    "responses_completing",
    "responses_settling",
    "response_revisions_with_origin",
}
