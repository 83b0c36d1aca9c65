"""Deliveries for a page, latest due first: each look goes down an index, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, tuple_

from heard.deliveries.delivery import Delivery, State
from heard.store import dialects
from heard.store.deliveries import delivery_of
from heard.store.tables import deliveries
from heard.store.types import micros

MOST_COUNTED = 5_000  # of a campaign in one state
MOST_CAMPAIGNS_COUNTED = 12


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries; None: any."""

    campaign: int | None = None
    state: State | None = None
    contacts: tuple[int, ...] | None = None
    since: datetime | None = None  # due then or later
    until: datetime | None = None  # due before


def latest(
    connection: Connection,
    workspace: int,
    wanted: Wanted,
    *,
    campaigns: Collection[int],
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """`campaigns` are all of the workspace; `before` is (due_at, id) of the last one seen."""
    query = select(deliveries).where(deliveries.c.workspace_id == workspace)
    if wanted.since:
        query = query.where(deliveries.c.due_at >= wanted.since)
    if wanted.until:
        query = query.where(deliveries.c.due_at < wanted.until)
    if before:
        query = query.where(tuple_(deliveries.c.due_at, deliveries.c.id) < before)
    query = query.order_by(deliveries.c.due_at.desc(), deliveries.c.id.desc()).limit(limit)
    if wanted.contacts is not None:
        query = query.where(dialects.among(deliveries.c.contact_id, wanted.contacts, connection))
        if wanted.campaign is not None:
            query = query.where(deliveries.c.campaign_id == wanted.campaign)
        if wanted.state is not None:
            query = query.where(deliveries.c.state == wanted.state.value)
        return _rows(connection, query, "deliveries_by_contact")
    if wanted.campaign is None and wanted.state is None:
        return _rows(connection, query, "deliveries_newest")
    # The index is in order within one campaign and one state: the newest of each, then the newest of those.
    found = [
        each
        for campaign, state in _kinds(wanted, campaigns)
        for each in _rows(
            connection,
            query.where(deliveries.c.campaign_id == campaign, deliveries.c.state == state.value),
            "deliveries_by_campaign",
        )
    ]
    return sorted(found, key=lambda each: (each.due_at, each.id), reverse=True)[:limit]


def totals(
    connection: Connection, workspace: int, wanted: Wanted, *, campaigns: Collection[int]
) -> dict[State, tuple[int, bool]] | None:
    """How many in each state, and whether there are more than were counted; None where counting would take long."""
    if wanted.contacts is not None or (wanted.campaign is None and len(campaigns) > MOST_CAMPAIGNS_COUNTED):
        return None
    period, values = "", []
    if wanted.since:
        period, values = period + " AND due_at >= ?", [*values, micros(wanted.since)]
    if wanted.until:
        period, values = period + " AND due_at < ?", [*values, micros(wanted.until)]
    counted: dict[State, tuple[int, bool]] = {}
    for campaign, state in _kinds(msgspec.structs.replace(wanted, state=None), campaigns):
        ((n,),) = dialects.fetch(
            connection,
            f"SELECT count(*) FROM (SELECT 1 FROM {dialects.by('deliveries_by_campaign', 'deliveries', connection)}"
            f" WHERE workspace_id = ? AND campaign_id = ? AND state = ?{period} LIMIT {MOST_COUNTED + 1}) counted",
            workspace,
            campaign,
            state.value,
            *values,
        )
        so_far, more = counted.get(state, (0, False))
        counted[state] = (so_far + min(n, MOST_COUNTED), more or n > MOST_COUNTED)
    return counted


def _kinds(wanted: Wanted, campaigns: Collection[int]) -> Sequence[tuple[int, State]]:
    return [
        (campaign, state)
        for campaign in (campaigns if wanted.campaign is None else (wanted.campaign,))
        for state in (State if wanted.state is None else (wanted.state,))
    ]


def _rows(connection: Connection, query: Any, index: str) -> list[Delivery]:
    hinted = query.with_hint(deliveries, f"INDEXED BY {index}", "sqlite")
    return [delivery_of(row) for row in connection.execute(hinted)]
