"""`/api/audiences` and `/api/computed-traits`: see, make, change and remove what is worked out about contacts."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import delete, get, post, put

from heard.audiences import aggregates
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import audiences_edit, audiences_seen
from heard.operations.audiences_seen import Seen
from heard.operations.places import bare
from heard.store.directory import AUDIENCE, TRAIT
from heard.web.api import names, paging

Kind = Literal[
    "count", "sum", "average", "min", "max", "most_frequent", "first", "last", "unique_list", "unique_count"
]  # fmt: skip
As = Literal["traits", "events"]
NO_AUDIENCE, NO_TRAIT = "There is no audience {!r}.", "There is no computed trait {!r}."


class AudienceChange(msgspec.Struct, forbid_unknown_fields=True):
    """`where` as in the workspace file. `to`: destinations by name; the surveys destination without it."""

    where: dict[str, Any]
    to: list[str] | None = None
    as_: As = msgspec.field(default="traits", name="as")


class NewAudience(AudienceChange, forbid_unknown_fields=True, kw_only=True):
    name: str


class ComputedTraitChange(msgspec.Struct, forbid_unknown_fields=True):
    """All but `count` take a `property`."""

    kind: Kind
    event: str
    property: str | None = None
    where: str | None = None
    within: str | None = None
    to: list[str] | None = None
    as_: As = msgspec.field(default="traits", name="as")


class NewComputedTrait(ComputedTraitChange, forbid_unknown_fields=True, kw_only=True):
    name: str


def routes(app: Installation) -> list[Any]:
    async def number_of(workspace: int, kind: str, name: str) -> int:
        found = await audiences_edit.every(app, workspace, kind)
        number = next((each.id for each in found if each.written["name"] == name), None)
        if number is None:
            raise NotFound((NO_AUDIENCE if kind == AUDIENCE else NO_TRAIT).format(name))
        return number

    async def every(workspace: int, kind: str) -> list[dict[str, Any]]:
        kept = {each.id: each.written for each in await audiences_edit.every(app, workspace, kind)}
        return [
            _shown(each, kept[each.computed.id])
            for each in await audiences_seen.every(app, workspace)
            if each.computed.id in kept
        ]

    async def one(workspace: int, kind: str, name: str) -> dict[str, Any]:
        await number_of(workspace, kind, name)
        return next(each for each in await every(workspace, kind) if each["name"] == name)

    async def save(
        workspace: int, kind: str, written: dict[str, Any], caller: str, number: int | None
    ) -> dict[str, Any]:
        try:
            made = await audiences_edit.save(
                app, workspace=workspace, kind=kind, written=written, by=caller, number=number
            )
        except Invalid as problem:  # a computed trait is sent flat
            raise bare(problem, *(each for each in written if each in aggregates.KINDS)) from None
        return next(each for each in await every(workspace, kind) if each["id"] == made)

    async def change(workspace: int, kind: str, name: str, written: dict[str, Any], caller: str) -> dict[str, Any]:
        number = await number_of(workspace, kind, name)
        return await save(workspace, kind, {"name": name, **written}, caller, number)

    async def remove(workspace: int, kind: str, name: str, caller: str) -> dict[str, str]:
        number = await number_of(workspace, kind, name)
        return {"removed": await audiences_edit.remove(app, workspace=workspace, number=number, by=caller)}

    @get("/audiences", tags=["audiences"])
    async def list_audiences(workspace: int) -> dict[str, Any]:
        """Every audience, in the order they were made, with how many are in it."""
        return paging.page(await every(workspace, AUDIENCE), None)

    @post("/audiences", tags=["audiences"], status_code=200)
    async def make_audience(workspace: int, caller: str, data: NewAudience) -> dict[str, Any]:
        """Make an audience. It counts what is kept first: its `state` is `computing` until all its members are in."""
        return await save(workspace, AUDIENCE, {"name": data.name, **_audience(data)}, caller, None)

    @get("/audiences/{name:str}", tags=["audiences"])
    async def get_audience(workspace: int, name: str) -> dict[str, Any]:
        """One audience."""
        return await one(workspace, AUDIENCE, names.name(name))

    @put("/audiences/{name:str}", tags=["audiences"])
    async def change_audience(workspace: int, caller: str, name: str, data: AudienceChange) -> dict[str, Any]:
        """Put another definition in its place, whole. It is computed anew where its condition means another thing."""
        return await change(workspace, AUDIENCE, names.name(name), _audience(data), caller)

    @delete("/audiences/{name:str}", tags=["audiences"], status_code=200)
    async def remove_audience(workspace: int, caller: str, name: str) -> dict[str, str]:
        """Remove an audience, and its trait from contacts; refused while a campaign or another audience goes by it."""
        return await remove(workspace, AUDIENCE, names.name(name), caller)

    @get("/computed-traits", tags=["audiences"])
    async def list_computed_traits(workspace: int) -> dict[str, Any]:
        """Every computed trait, in the order they were made."""
        return paging.page(await every(workspace, TRAIT), None)

    @post("/computed-traits", tags=["audiences"], status_code=200)
    async def make_computed_trait(workspace: int, caller: str, data: NewComputedTrait) -> dict[str, Any]:
        """Make a computed trait."""
        return await save(workspace, TRAIT, {"name": data.name, **_trait(data)}, caller, None)

    @get("/computed-traits/{name:str}", tags=["audiences"])
    async def get_computed_trait(workspace: int, name: str) -> dict[str, Any]:
        """One computed trait."""
        return await one(workspace, TRAIT, names.name(name))

    @put("/computed-traits/{name:str}", tags=["audiences"])
    async def change_computed_trait(
        workspace: int, caller: str, name: str, data: ComputedTraitChange
    ) -> dict[str, Any]:
        """Put another definition in its place, whole."""
        return await change(workspace, TRAIT, names.name(name), _trait(data), caller)

    @delete("/computed-traits/{name:str}", tags=["audiences"], status_code=200)
    async def remove_computed_trait(workspace: int, caller: str, name: str) -> dict[str, str]:
        """Remove a computed trait, and take it off contacts; refused while a campaign or an audience reads it."""
        return await remove(workspace, TRAIT, names.name(name), caller)

    return [
        list_audiences,
        make_audience,
        get_audience,
        change_audience,
        remove_audience,
        list_computed_traits,
        make_computed_trait,
        get_computed_trait,
        change_computed_trait,
        remove_computed_trait,
    ]


def _audience(data: AudienceChange) -> dict[str, Any]:
    return {"where": data.where, "to": data.to, "as": data.as_}


def _trait(data: ComputedTraitChange) -> dict[str, Any]:
    asked = {"event": data.event, "property": data.property, "where": data.where, "within": data.within}
    return {data.kind: {key: said for key, said in asked.items() if said is not None}, "to": data.to, "as": data.as_}


def _shown(seen: Seen, written: dict[str, Any]) -> dict[str, Any]:
    """`where` as it was written; a trait's definition flat, as it is sent. `progress` 0 to 1 while it is computing."""
    kind = next((each for each in aggregates.KINDS if each in written), None)
    means = {"where": written["where"]} if kind is None else {"kind": kind, **_whole(written[kind])}
    return {
        "id": seen.computed.id,
        "name": seen.computed.name,
        "trait": seen.computed.key,
        **means,
        "to": seen.told,
        "as": seen.computed.form.value,
        "state": "live" if seen.progress is None else "computing",
        "progress": seen.progress,
        **({"members": seen.members} if kind is None else {}),
        "created_at": seen.created_at,
    }


def _whole(asked: dict[str, Any]) -> dict[str, Any]:
    return {key: asked.get(key) for key in ("event", "property", "where", "within")}
