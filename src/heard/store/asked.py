"""Whom a campaign asked, with their traits and whether they answered: what response rates are counted from.

While they are few they are all read. Beyond `MOST` a sample stands for them: ids of deliveries are hashes, so those
below a bound are chosen as if by lot, and lie side by side in the table.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection

from heard.store import dialects

MOST = 8_000  # people asked: read in a tenth of a second, with what is known of them
SAMPLE = 6_000  # of them, when they are more
HANDED_OVER = ("sent", "unknown", "answered", "expired")
HEX = 16**8


class Asked(msgspec.Struct, frozen=True):
    """One invitation. `traits` are today's, `frozen` those kept with the answer; None while nobody answered."""

    campaign: int
    channel: str
    user_id: str | None
    properties: str
    traits: str
    frozen: str | None


class Everybody(msgspec.Struct, frozen=True):
    """Those who were asked; when `about`, a sample of them."""

    asked: list[Asked]
    about: bool


def everybody(
    connection: Connection, workspace: int, campaigns: Collection[int], begins: int, ends: int, *, sent: int
) -> Everybody:
    """Who was asked by these campaigns, their mail due between two moments (microseconds) and handed over by the second
    one; whoever answered after that had not answered yet. `sent` is how many mails the tallies know of, near enough to
    choose by."""
    below = None if sent <= MOST else f"{int(HEX * SAMPLE / sent):08x}"
    states = ", ".join(f"'{state}'" for state in HANDED_OVER)
    # A column behind a plus is no reason to search by it: SQLite keeps no statistics and has to be told what narrows.
    due = "d.due_at" if below is None else "+d.due_at"
    rows = dialects.fetch(
        connection,
        "SELECT d.campaign_id, d.channel, d.user_id, d.properties, c.traits, r.traits"
        " FROM deliveries d JOIN contacts c ON c.workspace_id = d.workspace_id AND c.id = d.contact_id"
        " LEFT JOIN responses r ON r.workspace_id = d.workspace_id AND r.delivery_id = d.id AND r.verdict = 'human'"
        " AND r.answered_at < ?"
        f" WHERE d.workspace_id = ? AND d.state || '' IN ({states}) AND d.kind = 'first'"
        " AND d.channel <> 'link'"  # who was given a link and did not follow it, nobody knows
        f" AND +d.campaign_id {dialects.within(connection)} AND {due} >= ? AND {due} < ?"
        " AND coalesce(d.sent_at, d.due_at) < ?"
        f"{'' if below is None else ' AND d.id < ?'}",
        ends,
        workspace,
        dialects.listed(connection, campaigns),
        begins,
        ends,
        ends,
        *(() if below is None else (below,)),
    )
    return Everybody([Asked(*row) for row in rows], about=below is not None)
