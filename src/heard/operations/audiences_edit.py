"""Audiences and computed traits, one at a time: make one, change it, take it away."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import fql
from heard.audiences import order
from heard.audiences.audience import Audience, ComputedTrait
from heard.audiences.looks_back import must_be_kept
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations.file_audience import SECTIONS, as_written, audience_line, check, keep_one, trait_line
from heard.operations.file_changes import Change
from heard.operations.places import without_place
from heard.store import audiences, audit, directory, edits, tables
from heard.store.directory import AUDIENCE
from heard.store.edits import Row

PLACE = "audience"


class ChangedMeanwhile(HeardError):
    """Somebody else saved it since the form was opened."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One as it was last saved. `written` is its line in the workspace file; by `stamp` a change of it is seen."""

    id: int
    kind: str
    written: dict[str, Any]
    stamp: str


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes by an audience or a trait: `noun` is `campaigns` or `audiences`, as in its address."""

    noun: str
    id: int
    name: str

    @property
    def says(self) -> str:
        return f"the {self.noun.removesuffix('s')} {self.name}"


async def kept(app: Installation, workspace: int, number: int) -> Kept:
    """
    Raises:
        NotFound: there is no such audience or trait in this workspace.
    """
    return await app.store.read(lambda connection: _kept(connection, workspace, number))


async def every(app: Installation, workspace: int, kind: str) -> list[Kept]:
    """Those of a kind, in the order they were made."""

    def look(connection: Connection) -> list[Kept]:
        names = _destinations(connection, workspace)
        return [_as_kept(row, names) for row in audiences.rows(connection, workspace) if row["kind"] == kind]

    return await app.store.read(look)


async def save(
    app: Installation,
    *,
    workspace: int,
    kind: str,
    written: dict[str, Any],
    by: str,
    number: int | None = None,
    stamp: str | None = None,
) -> int:
    """Make one, or bring the one of this number to what `written`, a line of the workspace file, says; its number.

    It is computed anew where what it means is another thing now. `stamp` None: whatever it was.

    Raises:
        NotFound: there is none of this number.
        ChangedMeanwhile: it is not as it was when `stamp` was.
        Invalid: naming the field (`where.all[0].event`) and the fix.
    """
    now = app.clock.now()

    def work(connection: Connection) -> int:
        before = None if number is None else _kept(connection, workspace, number)
        if before is not None and stamp not in (None, before.stamp):
            raise ChangedMeanwhile("Somebody saved it while you edited.")
        line = (audience_line if kind == AUDIENCE else trait_line)(written, PLACE)
        rows = audiences.rows(connection, workspace)
        if before is None and any((row["kind"], row["name"]) == (kind, line.name) for row in rows):
            raise Invalid(f"There is one called {line.name!r} already; choose another name.", field="name")
        if before is not None and (before.kind, before.written["name"]) != (kind, line.name):
            raise Invalid("Its name stays: the trait is named after it. Make a copy for another name.", field="name")
        changes: list[Change] = []
        made = without_place(
            lambda: keep_one(connection, workspace, rows, line, changes, now), f"{SECTIONS[kind]}[{line.name}]"
        )
        without_place(lambda: check(connection, workspace), f"{SECTIONS[AUDIENCE]}[{line.name}]")
        must_be_kept(directory.computed_of(connection, workspace), app.settings.keep)
        if changes:
            detail = {"changes": [msgspec.to_builtins(each) for each in changes]}
            what = f"{kind}.made" if before is None else f"{kind}.changed"
            audit.note(connection, workspace, by=by, what=what, subject=line.name, at=now, detail=detail)
        return made

    made = await app.store.write(lambda connection: without_place(lambda: work(connection), PLACE))
    await app.reload()
    return made


async def remove(app: Installation, *, workspace: int, number: int, by: str) -> str:
    """Take one away; gives its name. Its trait is taken off contacts afterwards, some at a time.

    Raises:
        NotFound: there is none of this number.
        HeardError: a campaign or another audience goes by it; the sentence names them.
    """
    now = app.clock.now()

    def work(connection: Connection) -> str:
        it = _kept(connection, workspace, number)
        if asking := asking_by(connection, workspace, number):
            raise HeardError(f"{it.written['name']} stays: {_listed([each.says for each in asking])} goes by it.")
        audiences.leave(connection, workspace, number)
        audit.note(connection, workspace, by=by, what=f"{it.kind}.removed", subject=it.written["name"], at=now)
        return it.written["name"]

    name = await app.store.write(work)
    await app.reload()
    return name


def asking_by(connection: Connection, workspace: int, number: int) -> list[Asking]:
    """What goes by it: by the name of an audience, or by the trait."""
    computed = directory.computed_of(connection, workspace)
    it = next((each for each in computed if each.id == number), None)
    if it is None:
        return []
    return [*_campaigns(connection, workspace, it), *_audiences(computed, it)]


def _campaigns(connection: Connection, workspace: int, it: Audience | ComputedTrait) -> list[Asking]:
    asking: list[Asking] = []
    for row in edits.rows_of(connection, tables.campaigns, workspace):
        asks_it_alone = isinstance(it, Audience) and row["settings"].get("audience") == it.name
        where = row["settings"].get("where")
        if asks_it_alone or (where and ("traits", it.key) in {path[:2] for path in fql.fields(fql.parse(where))}):
            asking.append(Asking(noun="campaigns", id=row["id"], name=row["name"]))
    return asking


def _audiences(computed: Sequence[Audience | ComputedTrait], it: Audience | ComputedTrait) -> list[Asking]:
    mark = f"\0{it.id}"  # by its trait; a computed trait may have the name of an audience
    names = {mark, it.name} if isinstance(it, Audience) else {mark}
    others = [each for each in computed if isinstance(each, Audience) and each.id != it.id]
    asking = [each for each in others if names & set(order.rests_on(each.condition, {it.key: mark}))]
    return [Asking(noun="audiences", id=each.id, name=each.name) for each in asking]


def _kept(connection: Connection, workspace: int, number: int) -> Kept:
    row = next((row for row in audiences.rows(connection, workspace) if row["id"] == number), None)
    if row is None:
        raise NotFound("There is no such audience in this workspace.")
    return _as_kept(row, _destinations(connection, workspace))


def _as_kept(row: Row, destinations: dict[int, str]) -> Kept:
    written = as_written(row, destinations)
    stamp = sha256(msgspec.json.encode(row["settings"], order="sorted")).hexdigest()[:16]
    return Kept(id=row["id"], kind=row["kind"], written=written, stamp=stamp)


def _destinations(connection: Connection, workspace: int) -> dict[int, str]:
    return {row["id"]: row["name"] for row in edits.rows_of(connection, tables.destinations, workspace)}


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
