"""Lists: who is on them, and whom somebody puts there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Recipients
from heard.contacts.contact import Contact
from heard.contacts.written import Person
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.steps import enlist
from heard.store import audit, lists
from heard.store.lists import List

LONGEST_NAME = 100
AT_ONCE = 1000  # people kept in one transaction


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """How many were named, and what became of them. Whoever is suppressed by a privacy request is not kept."""

    named: int
    made: int
    known: int
    suppressed: int


async def every(app: Installation, workspace: int) -> list[List]:
    return await app.store.read(lambda connection: lists.all_of(connection, workspace))


async def one(app: Installation, workspace: int, number: int) -> List:
    """
    Raises:
        NotFound: there is no such list in this workspace.
    """
    found = await app.store.read(lambda connection: lists.named(connection, workspace, number))
    if found is None:
        raise NotFound("There is no such list in this workspace.")
    return found


async def called(app: Installation, workspace: int, name: str) -> List:
    """
    Raises:
        NotFound: no list has this name.
    """
    found = next((each for each in await every(app, workspace) if each.name == name), None)
    if found is None:
        raise NotFound(f"There is no list {name!r}.")
    return found


async def members(app: Installation, workspace: int, number: int, *, after: int = 0, limit: int) -> list[Contact]:
    """In the order in which they became contacts, those that follow `after`."""
    return await app.store.read(
        lambda connection: lists.members(connection, workspace, number, after=after, limit=limit)
    )


async def make(app: Installation, workspace: int, *, name: str, by: str) -> int:
    """Make a list; gives its number, or that of the one that has this name.

    Raises:
        Invalid: it is no name (field `name`).
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"Write a name of 1 to {LONGEST_NAME} characters.", field="name")

    def keep(connection: Connection) -> int:
        known = lists.number_of(connection, workspace, name)
        if known is not None:
            return known
        audit.note(connection, workspace, by=by, what="list.made", subject=name, at=app.clock.now())
        return lists.make(connection, workspace, name)

    return await app.store.write(keep)


async def add(
    app: Installation,
    workspace: int,
    *,
    name: str,
    people: Sequence[Person],
    by: str,
    progress: Callable[[int], None] | None = None,
) -> Added:
    """Put people on a list, as contacts that are made or updated. Doing it again changes nothing more."""
    made = known = suppressed = 0
    for start in range(0, len(people), AT_ONCE):
        some = people[start : start + AT_ONCE]

        def keep(connection: Connection, some: Sequence[Person] = some) -> enlist.Enlisted:
            return enlist.enlist(connection, workspace, some, name=name, directory=app.directory, now=app.clock.now())

        done = await app.store.write(keep)
        made, known, suppressed = made + done.made, known + done.known, suppressed + done.suppressed
        if progress:
            progress(len(some))
    detail = {"named": len(people), "made": made, "suppressed": suppressed}
    note = {"by": by, "what": "list.filled", "subject": name, "detail": detail}
    await app.store.write(lambda connection: audit.note(connection, workspace, at=app.clock.now(), **note))
    app.couriers.wake()
    return Added(named=len(people), made=made, known=known, suppressed=suppressed)


async def take_off(app: Installation, workspace: int, *, number: int, contact: int) -> None:
    await app.store.write(lambda connection: lists.take_off(connection, workspace, number, contact))


async def remove(app: Installation, workspace: int, *, number: int, by: str) -> str:
    """Take a list away, not its contacts; gives its name.

    Raises:
        NotFound: there is no such list in this workspace.
        HeardError: a campaign asks it.
    """
    found = await one(app, workspace, number)
    if asking := asking_of(app, workspace, found.name):
        raise HeardError(f"The campaign {asking[0]} asks this list; let it ask another one first.")

    def gone(connection: Connection) -> None:
        lists.remove(connection, workspace, number)
        audit.note(connection, workspace, by=by, what="list.removed", subject=found.name, at=app.clock.now())

    await app.store.write(gone)
    return found.name


def asking_of(app: Installation, workspace: int, name: str) -> list[str]:
    """The names of the campaigns whose recipients are on this list."""
    return [
        each.name
        for each in app.directory.campaigns_of(workspace)
        if each.recipients is Recipients.LIST and each.list == name
    ]
