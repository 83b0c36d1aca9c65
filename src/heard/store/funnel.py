"""From event to answer, by campaign and day: tallied when it happens, in the same transaction; no page counts rows.

    campaign:12:declined:campaign_throttle   decisions of the day, by the first rule that objected
    campaign:12:held                         ... that wait for an identify
    campaign:12:invited                      ... that led to an invitation
    campaign:12:sent                         invitations handed over on the day, those of unknown outcome among them
    campaign:12:reminded                     ... reminders
    campaign:12:clicked                      invitations whose survey was first opened on the day, machines left out
    campaign:12:with_image               mails handed over that tell when they are opened, reminders among them
    campaign:12:opened                       mails opened for the first time on the day, known machines left out
    campaign:12:opened_by_machine            ... by known machines, and by nobody else so far
    unsubscribed:12                          people who left all surveys by a mail of it, less those who came back

A decision is counted on the day it was first made; a change of mind moves it there, from one name to another. So all
decisions together are what matched. `rebuild` counts everything anew from the rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection, select

from heard.campaigns.campaign import Channel
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import Delivery
from heard.deliveries.ledger import TouchKind
from heard.deliveries.reasons import Objection
from heard.store import clicks, dialects, tallies
from heard.store.days import day_of
from heard.store.tables import decisions, deliveries
from heard.store.types import moment

Key: TypeAlias = tuple[int, int, str]  # workspace, day, name

EVER = (0, 99_999_999)  # the first and the last day there can be


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events that matched. `held` counts by reason, most first; `waiting` waits for an identify."""

    matched: int
    waiting: int
    held: dict[str, int]
    invited: int
    sent: int
    reminded: int
    clicked: int
    unsubscribed: int = 0
    with_image: int = 0
    opened: int = 0
    opened_by_machine: int = 0


NOTHING = Funnel(matched=0, waiting=0, held={}, invited=0, sent=0, reminded=0, clicked=0)


def counted(decision: Decision) -> Key:
    """Where a decision is counted."""
    return _counted(decision, decision.outcome, decision.objections)


def moved(decision: Decision) -> dict[Key, int]:
    """What a decision's last revision does to the tallies."""
    was = decision.revisions[-1]
    before, after = _counted(decision, was.outcome, was.objections), counted(decision)
    return {before: -1, after: 1} if before != after else {}


def handed_over(connection: Connection, delivery: Delivery, at: datetime) -> None:
    """Its mail was handed over, or may have been."""
    counts = {_mailed(delivery.workspace, delivery.campaign, delivery.kind, at): 1}
    if delivery.counts_opens:
        counts[delivery.workspace, day_of(at), f"campaign:{delivery.campaign}:with_image"] = 1
    tallies.add(connection, counts)


def opened(connection: Connection, delivery: Delivery, first: datetime, n: int, *, by_machine: bool) -> None:
    """A mail counts as opened then (`n` 1), or no longer does (-1)."""
    tallies.add(connection, {_opened(delivery.workspace, delivery.campaign, first, by_machine): n})


def clicked(connection: Connection, delivery: Delivery, first: datetime, n: int) -> None:
    """An invitation whose survey was first opened then counts as clicked (`n` 1), or no longer does (-1)."""
    tallies.add(connection, {(delivery.workspace, day_of(first), f"campaign:{delivery.campaign}:clicked"): n})


def unsubscribed(connection: Connection, delivery: Delivery, at: datetime, *, on: bool) -> None:
    """Somebody left all surveys by the link in a mail (`on`), or came back by it."""
    tallies.add(connection, {_left(delivery, at): 1 if on else -1})


def read(
    connection: Connection, workspace: int, campaigns: Collection[int], first: int | None, last: int | None
) -> Funnel:
    """The funnel of these campaigns from the day `first` to the day `last`, both counted (20261122); None: all days."""
    together: Counter[str] = Counter()
    for campaign, counts in _read(connection, workspace, first, last).items():
        if campaign in campaigns:
            together.update(counts)
    return _funnel(together)


def by_campaign(connection: Connection, workspace: int, first: int | None, last: int | None) -> dict[int, Funnel]:
    """The funnel of each campaign that has one, over the same days as `read`."""
    return {campaign: _funnel(counts) for campaign, counts in _read(connection, workspace, first, last).items()}


def _read(connection: Connection, workspace: int, first: int | None, last: int | None) -> dict[int, Counter[str]]:
    rows = dialects.fetch(
        connection,
        "SELECT name, sum(n) FROM tallies WHERE workspace_id = ? AND day >= ? AND day <= ?"
        " AND (substr(name, 1, 9) = 'campaign:' OR substr(name, 1, 13) = 'unsubscribed:') GROUP BY name",
        workspace,
        EVER[0] if first is None else first,
        EVER[1] if last is None else last,
    )
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for name, n in rows:
        kind, campaign, *rest = name.split(":", 2)
        what = rest[0] if rest else kind
        counts[int(campaign)][what] += int(n)
    return counts


def rebuild(connection: Connection) -> None:
    """Forget the tallies of every campaign and count them anew from decisions, deliveries and clicks.

    Who unsubscribed by which mail is noted nowhere else, and stays.
    """
    connection.exec_driver_sql("DELETE FROM tallies WHERE substr(name, 1, 9) = 'campaign:'")
    counts: Counter[Key] = Counter()
    decided = select(
        decisions.c.workspace_id, decisions.c.campaign_id, decisions.c.at, decisions.c.outcome, decisions.c.objections
    ).execution_options(yield_per=10_000)
    for row in connection.execute(decided):
        name = _name(row.campaign_id, Outcome(row.outcome), row.objections)
        counts[row.workspace_id, day_of(row.at), name] += 1
    table = deliveries.c
    mailed = select(table.workspace_id, table.campaign_id, table.kind, table.sent_at, table.counts_opens).where(
        table.sent_at.is_not(None), table.channel != Channel.LINK.value
    )
    for row in connection.execute(mailed.execution_options(yield_per=10_000)):
        counts[_mailed(row.workspace_id, row.campaign_id, TouchKind(row.kind), row.sent_at)] += 1
        if row.counts_opens:
            counts[row.workspace_id, day_of(row.sent_at), f"campaign:{row.campaign_id}:with_image"] += 1
    opened = dialects.fetch(
        connection,
        f"SELECT d.workspace_id, d.campaign_id, min(c.at) FROM clicks c JOIN {deliveries.name} d"
        " ON d.workspace_id = c.workspace_id AND d.id = c.delivery_id"
        " LEFT JOIN responses r ON r.workspace_id = d.workspace_id AND r.delivery_id = d.id"
        f" WHERE {clicks.OPENED} AND (r.verdict IS NULL OR r.verdict <> 'bot')"
        " GROUP BY d.workspace_id, d.campaign_id, d.id",
    )
    for workspace, campaign, at in opened:
        counts[workspace, day_of(moment(at)), f"campaign:{campaign}:clicked"] += 1
    looked_at = dialects.fetch(
        connection,
        "SELECT d.workspace_id, d.campaign_id, o.at, o.machine FROM opens o"
        " JOIN deliveries d ON d.workspace_id = o.workspace_id AND d.id = o.delivery_id",
    )
    for workspace, campaign, at, machine in looked_at:
        counts[_opened(workspace, campaign, moment(at), machine is not None)] += 1
    tallies.add(connection, counts)


def _funnel(counts: Mapping[str, int]) -> Funnel:
    held = {what.removeprefix("declined:"): n for what, n in counts.items() if what.startswith("declined:") and n}
    invited, waiting = counts.get("invited", 0), counts.get("held", 0)
    return Funnel(
        matched=sum(held.values()) + waiting + invited,
        waiting=waiting,
        held=dict(sorted(held.items(), key=lambda each: -each[1])),
        invited=invited,
        sent=counts.get("sent", 0),
        reminded=counts.get("reminded", 0),
        clicked=counts.get("clicked", 0),
        unsubscribed=max(0, counts.get("unsubscribed", 0)),
        with_image=counts.get("with_image", 0),
        opened=counts.get("opened", 0),
        opened_by_machine=counts.get("opened_by_machine", 0),
    )


def _counted(decision: Decision, outcome: Outcome, objections: Iterable[Objection]) -> Key:
    return decision.workspace, day_of(decision.at), _name(decision.campaign, outcome, objections)


def _mailed(workspace: int, campaign: int, kind: TouchKind, at: datetime) -> Key:
    """A reminder is no invitation: no share is ever of it."""
    return workspace, day_of(at), f"campaign:{campaign}:{'sent' if kind == TouchKind.FIRST else 'reminded'}"


def _opened(workspace: int, campaign: int, first: datetime, by_machine: bool) -> Key:
    return workspace, day_of(first), f"campaign:{campaign}:{'opened_by_machine' if by_machine else 'opened'}"


def _left(delivery: Delivery, at: datetime) -> Key:
    return delivery.workspace, day_of(at), f"unsubscribed:{delivery.campaign}"


def _name(campaign: int, outcome: Outcome, objections: Iterable[Objection]) -> str:
    if outcome != Outcome.DECLINED:
        return f"campaign:{campaign}:{outcome.value}"
    first = next(iter(objections), None)
    return f"campaign:{campaign}:declined:{first.reason.value if first else 'unknown'}"
