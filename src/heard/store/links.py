"""The public links of campaigns: how often each was made anew, and what came of following them.

    followed:12:opened     people who opened it on the day, machines left out
    followed:12:unfilled   times it came with a tag that the mail tool had not filled in
    followed:12:nobody     ... naming nobody at all
    followed:12:unsigned   ... with a signature that is wrong, or none where one is needed
    followed:12:unknown    answers from somebody who is no contact here, which were not taken

They are tallied by day. A turn is a version of the link: what is only added to, so that each has its moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from heard.ids import visit_id
from heard.store import dialects, tallies
from heard.store.days import day_of
from heard.store.tables import campaigns, versions

NOUN = "link"


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of following a link, on some days; `last`: the last of them on which a tag was not filled in."""

    opened: int = 0
    unfilled: int = 0
    nobody: int = 0
    unsigned: int = 0
    unknown: int = 0
    last: int | None = None

    @property
    def trouble(self) -> int:
        return self.unfilled + self.nobody + self.unsigned + self.unknown


def turns(connection: Connection) -> dict[int, int]:
    """By campaign: how often its link was made anew; those whose link is the first are left out."""
    table = versions.c
    query = select(table.noun_id, func.max(table.version)).where(table.noun == NOUN).group_by(table.noun_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def turn(connection: Connection, workspace: int, campaign: int, *, now: datetime) -> int:
    """Make the link anew; gives its turn."""
    table = versions.c
    query = select(func.max(table.version)).where(
        table.workspace_id == workspace, table.noun == NOUN, table.noun_id == campaign
    )
    number = (connection.execute(query).scalar() or 0) + 1
    connection.execute(
        versions.insert().values(
            workspace_id=workspace, noun=NOUN, noun_id=campaign, version=number, at=now, settings={}
        )
    )
    return number


def count(connection: Connection, workspace: int, campaign: int, what: str, at: datetime, n: int = 1) -> None:
    """`what`: a field of `Followed`."""
    if n:
        tallies.add(connection, {(workspace, day_of(at), f"followed:{campaign}:{what}"): n})


def followed(connection: Connection, workspace: int, campaign: int, first: int | None, last: int | None) -> Followed:
    """From the day `first` to the day `last`, both counted (20261122); None: all days."""
    names = [f"followed:{campaign}:{what}" for what in Followed.__struct_fields__ if what != "last"]
    rows = dialects.fetch(
        connection,
        f"SELECT name, sum(n), max(day) FROM tallies WHERE workspace_id = ? AND name {dialects.within(connection)}"
        " AND day >= ? AND day <= ? GROUP BY name",
        workspace,
        dialects.listed(connection, names),
        0 if first is None else first,
        99_999_999 if last is None else last,
    )
    found = {name.rpartition(":")[2]: (max(0, int(n)), day) for name, n, day in rows}
    return Followed(
        **{what: n for what, (n, _) in found.items()}, last=found["unfilled"][1] if "unfilled" in found else None
    )


def visits_of(connection: Connection, workspace: int, contacts: Iterable[int]) -> set[str]:
    """Under which is kept what these contacts opened of public links, as long as no answer gave it a delivery."""
    numbers = connection.execute(select(campaigns.c.id).where(campaigns.c.workspace_id == workspace)).scalars().all()
    return {visit_id(campaign, contact) for campaign in numbers for contact in contacts}
