"""Which mails were opened, one row each: the first time, or the first that may have been a person."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from heard.deliveries.delivery import Delivery
from heard.responses.opens import Open, is_news
from heard.store import deliveries, dialects, funnel
from heard.store.tables import opens


def of_deliveries(connection: Connection, workspace: int, ids: Iterable[str]) -> dict[str, Open]:
    query = select(opens).where(opens.c.workspace_id == workspace, dialects.among(opens.c.delivery_id, ids, connection))
    return {row.delivery_id: Open(at=row.at, agent=row.agent, machine=row.machine) for row in connection.execute(query)}


def looked_for(connection: Connection, workspace: int, delivery_id: str, now: Open) -> bool:
    """Whether it would change what is kept; only mails that had a picture count."""
    delivery = deliveries.by_id(connection, workspace, delivery_id)
    if delivery is None or not delivery.counts_opens:
        return False
    return is_news(of_deliveries(connection, workspace, [delivery_id]).get(delivery_id), now)


def keep(connection: Connection, workspace: int, delivery_id: str, now: Open) -> None:
    """What is known of it from now on, and the tallies of its campaign; nothing where it is no news."""
    delivery = deliveries.by_id(connection, workspace, delivery_id)
    before = of_deliveries(connection, workspace, [delivery_id]).get(delivery_id)
    if delivery is None or not delivery.counts_opens or not is_news(before, now):
        return
    row = {"at": now.at, "agent": now.agent[:300], "machine": now.machine}
    statement = dialects.insert(opens, connection).values(workspace_id=workspace, delivery_id=delivery_id, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["workspace_id", "delivery_id"], set_=row))
    if before is not None:
        _tally(connection, delivery, before, -1)
    _tally(connection, delivery, now, 1)


def _tally(connection: Connection, delivery: Delivery, one: Open, n: int) -> None:
    funnel.opened(connection, delivery, one.at, n, by_machine=one.machine is not None)
