"""`/api/lists`: who is on them, and whom a program puts there."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.params import Parameter

from heard.contacts import written
from heard.contacts.written import Person
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import lists
from heard.operations.meant import contact_meant
from heard.web.api import names, paging

MOST_PEOPLE = 1000
Limit = Annotated[int, Parameter(ge=1, le=paging.MOST, description="How many, 1 to 200.")]


class NewList(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class NamedPerson(msgspec.Struct, forbid_unknown_fields=True):
    """By `user_id`, by `email`, or by both. `traits` are laid over those that are known."""

    user_id: str | None = None
    email: str | None = None
    traits: dict[str, Any] = msgspec.field(default_factory=dict)


class People(msgspec.Struct, forbid_unknown_fields=True):
    contacts: list[NamedPerson]


def person(said: NamedPerson, place: str = "") -> Person:
    """Raises Invalid with the field below `place`."""
    try:
        return written.person(said.user_id, said.email, said.traits)
    except Invalid as problem:
        raise Invalid(str(problem), field=f"{place}{problem.field}") from None


def routes(app: Installation) -> list[Any]:
    @get("/lists", tags=["lists"])
    async def list_lists(workspace: int) -> dict[str, Any]:
        """Every list, by name, with how many are on it."""
        return paging.page([_shown(each) for each in await lists.every(app, workspace)], None)

    @post("/lists", tags=["lists"], status_code=200)
    async def make_list(workspace: int, caller: str, data: NewList) -> dict[str, Any]:
        """Make a list; the one of that name where there is one already."""
        return _shown(await lists.one(app, workspace, await lists.make(app, workspace, name=data.name, by=caller)))

    @delete("/lists/{name:str}", tags=["lists"], status_code=200)
    async def remove_list(workspace: int, caller: str, name: str) -> dict[str, str]:
        """Take a list away, not its contacts. One that a campaign asks stays."""
        found = await lists.called(app, workspace, names.name(name))
        return {"removed": await lists.remove(app, workspace, number=found.id, by=caller)}

    @get("/lists/{name:str}/contacts", tags=["lists"])
    async def list_members(
        workspace: int, name: str, cursor: str | None = None, limit: Limit = paging.LIMIT
    ) -> dict[str, Any]:
        """Who is on it, in the order in which they became contacts."""
        found = await lists.called(app, workspace, names.name(name))
        after = paging.after(cursor, int)
        people = await lists.members(app, workspace, found.id, after=after or 0, limit=limit)
        shown = [{"id": each.id, "user_id": each.user_id, "email": each.email} for each in people]
        return paging.page(shown, people[-1].id if len(people) == limit else None)

    @post("/lists/{name:str}/contacts", tags=["lists"], status_code=200)
    async def put_on_list(workspace: int, caller: str, name: str, data: People) -> dict[str, int]:
        """Put contacts on it, at most 1,000 at a time; whoever is not known yet is made, and traits are added."""
        found = await lists.called(app, workspace, names.name(name))
        if len(data.contacts) > MOST_PEOPLE:
            raise Invalid(f"Send at most {MOST_PEOPLE:,} contacts at a time.", field="contacts")
        people = [person(each, f"contacts[{index}].") for index, each in enumerate(data.contacts)]
        added = await lists.add(app, workspace, name=found.name, people=people, by=caller)
        return msgspec.structs.asdict(added)

    @delete("/lists/{name:str}/contacts/{user_id:str}", tags=["lists"], status_code=200)
    async def take_off_list(workspace: int, name: str, user_id: str) -> dict[str, str]:
        """Take a contact (`ann`, `email:ann@x`, `id:12`) off it."""
        found, asked = await lists.called(app, workspace, names.name(name)), names.name(user_id)
        contact = await app.store.read(lambda connection: contact_meant(connection, workspace, asked))
        if contact is None:
            raise NotFound(f"Nobody is known as {asked!r}.")
        await lists.take_off(app, workspace, number=found.id, contact=contact.id)
        return {"removed": asked}

    return [list_lists, make_list, remove_list, list_members, put_on_list, take_off_list]


def _shown(each: lists.List) -> dict[str, Any]:
    return {"id": each.id, "name": each.name, "contacts": each.members}
