"""Audiences and computed traits of a workspace file: read, compared with what is there, kept, and written back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences import read
from heard.audiences.audience import Audience, Form, key_of
from heard.audiences.conditions import MemberOf, leaves
from heard.audiences.order import in_order
from heard.errors import Invalid
from heard.operations.file_changes import Change, compare
from heard.operations.file_introductions import introduce
from heard.store import audiences, directory, tables
from heard.store.directory import AUDIENCE, TRAIT
from heard.store.edits import Row

LONGEST_NAME = 100
MOST = 200  # audiences and traits of a workspace
SECTIONS = {AUDIENCE: "audiences", TRAIT: "computed_traits"}


class ComputedLine(msgspec.Struct, frozen=True, kw_only=True):
    """`definition` as written: `{"where"}` or `{"count"}` and so on. `to` None = the surveys destination alone."""

    kind: str
    name: str
    key: str
    definition: dict[str, Any]
    to: list[str] | None
    form: Form


def audience_line(line: dict[str, Any], place: str) -> ComputedLine:
    """One audience, as the file or a form writes it; `place` leads what there is to say against it."""
    _only(line, read.KEYS_OF_AUDIENCE, place)
    if line.get("where") is None:
        raise Invalid(f"{place}.where: say who belongs to it.", field=f"{place}.where")
    read.condition(line["where"], f"{place}.where")
    return _line(AUDIENCE, line, place, {"where": line["where"]})


def trait_line(line: dict[str, Any], place: str) -> ComputedLine:
    """One computed trait, likewise."""
    _only(line, read.KEYS_OF_TRAIT, place)
    kind = read.aggregate(line, place).kind
    return _line(TRAIT, line, place, {kind: line[kind]})


def _line(kind: str, line: dict[str, Any], place: str, definition: dict[str, Any]) -> ComputedLine:
    name = line.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_NAME or not name.strip().isprintable():
        raise Invalid(f"{place}.name: write a name of 1 to {LONGEST_NAME} characters.", field=f"{place}.name")
    if not (key := key_of(name)):
        raise Invalid(f"{place}.name: write letters or digits; the trait is named after it.", field=f"{place}.name")
    return ComputedLine(
        kind=kind,
        name=name.strip(),
        key=key,
        definition=definition,
        to=read.to(line.get("to"), f"{place}.to"),
        form=read.form(line.get("as"), f"{place}.as"),
    )


def keep_computed(
    connection: Connection,
    workspace: int,
    wanted: Sequence[ComputedLine],
    traits: Sequence[ComputedLine],
    changes: list[Change],
    now: datetime,
) -> None:
    """Bring the workspace's to what the file says.

    Raises:
        Invalid: a trait is another one's already, a destination or an audience is not there, or they go in a circle.
    """
    if not wanted and not traits:
        return
    rows = audiences.rows(connection, workspace)
    for line in (*traits, *wanted):
        keep_one(connection, workspace, rows, line, changes, now)
    check(connection, workspace)


def keep_one(
    connection: Connection, workspace: int, rows: list[Row], line: ComputedLine, changes: list[Change], now: datetime
) -> int:
    """One of them, new or changed; gives its number. Call `check` when all are kept."""
    place = f"{SECTIONS[line.kind]}[{line.name}]"
    row = next((row for row in rows if (row["kind"], row["name"]) == (line.kind, line.name)), None)
    taken = next((each for each in rows if each["key"] == line.key and each is not row), None)
    if taken is not None:
        raise Invalid(
            f"{place}.name: the trait {line.key} is that of {taken['name']}; choose another name.",
            field=f"{place}.name",
        )
    known = known_names(connection, workspace)
    if row is None and len(rows) >= MOST:
        raise Invalid(f"{place}: a workspace has at most {MOST} audiences and computed traits.", field=place)
    settings: dict[str, Any] = dict(line.definition)
    if line.to is not None:
        settings["to"] = [_destination(known, name, f"{place}.to") for name in line.to]
    if line.form is not Form.TRAITS:
        settings["as"] = line.form.value
    values = {"kind": line.kind, "name": line.name, "key": line.key, "settings": settings}
    if row is None:
        changes.append(Change(place=place, added=True))
        number = audiences.keep(connection, workspace, None, now=now, again=False, **values)
        rows.append({"id": number, **values})
        return number
    names = {number: name for name, number in reversed(known.items())}
    if compare(changes, place, as_written(row, names), as_written(values, names)):
        before = {key: value for key, value in row["settings"].items() if key not in ("to", "as")}
        again = before != line.definition
        audiences.keep(connection, workspace, row, now=now, again=again, **values)
        introduce(connection, workspace, row, settings, now)
        row |= values
    return row["id"]


def check(connection: Connection, workspace: int) -> None:
    """That every audience that is asked for is there, and that they do not go in a circle."""
    computed = directory.computed_of(connection, workspace)
    names = {each.name for each in computed if isinstance(each, Audience)}
    for each in computed:
        if isinstance(each, Audience):
            for leaf in leaves(each.condition):
                if isinstance(leaf, MemberOf):
                    check_audience(names, leaf.audience, f"audiences[{each.name}].where")
    in_order(computed)


def check_audience(names: Collection[str], name: str | None, place: str) -> None:
    """Raises Invalid when there is no such audience."""
    if name is not None and name not in names:
        raise Invalid(
            f"{place}: there is no audience {name!r}. Audiences: {', '.join(sorted(names)) or 'none'}.", field=place
        )


def names_of_audiences(connection: Connection, workspace: int) -> set[str]:
    rows = audiences.rows(connection, workspace)
    return {row["name"] for row in rows if row["kind"] == AUDIENCE}


def known_names(connection: Connection, workspace: int) -> dict[str, int]:
    """Every name by which a destination may be meant, their own first."""
    rows = [directory.destination_of(row) for row in _destination_rows(connection, workspace)]
    own = {each.name: each.id for each in rows}
    return own | {name: each.id for each in rows for name in each.names if name not in own}


def as_written(row: Mapping[str, Any], destinations: Mapping[int, str]) -> dict[str, Any]:
    """As the file has it."""
    settings = dict(row["settings"])
    if settings.get("to") is not None:
        settings["to"] = [destinations[number] for number in settings["to"] if number in destinations]
    return {"name": row["name"], **settings}


def _destination(known: Mapping[str, int], name: str, place: str) -> int:
    if name not in known:
        raise Invalid(f"{place}: there is no destination {name!r}.", field=place)
    return known[name]


def _destination_rows(connection: Connection, workspace: int) -> list[Any]:
    table = tables.destinations
    return list(connection.execute(table.select().where(table.c.workspace_id == workspace).order_by(table.c.id)))


def _only(line: Mapping[str, Any], known: Collection[str], place: str) -> None:
    for key in line:
        if key not in known:
            raise Invalid(f"{place}.{key}: there is no such key. Known: {', '.join(known)}.", field=f"{place}.{key}")
