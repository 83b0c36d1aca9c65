"""People as somebody writes them down: a table from a spreadsheet, or addresses, one a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from heard.contacts import address as addresses
from heard.errors import Invalid

MOST_ROWS, MOST_COLUMNS = 200_000, 200
LONGEST_ID = 512
EMAIL = ("email", "e-mail", "mail", "email address", "e-mail address")
USER_ID = ("user_id", "userid", "user id")
DELIMITERS = (",", ";", "\t")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """By userId, by address, or by both; at least one is there. `traits` without the two."""

    user_id: str | None = None
    email: str | None = None
    traits: Mapping[str, Any] = {}


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one row; `line` counts from 1, the head included."""

    line: int
    what: str


def person(user_id: object, email: object, traits: object) -> Person:
    """
    Raises:
        Invalid: with `field`: neither is there, or one of them cannot be used.
    """
    if user_id is not None and (not isinstance(user_id, str) or not 0 < len(user_id) <= LONGEST_ID):
        raise Invalid(f"Write a userId of 1 to {LONGEST_ID} characters.", field="user_id")
    address = None
    if email is not None and (address := addresses.read(email)) is None:
        raise Invalid(f"{str(email)[:80]} is no e-mail address.", field="email")
    if user_id is None and address is None:
        raise Invalid("Name somebody by an e-mail address, by a userId, or by both.", field="email")
    if not isinstance(traits, Mapping):
        raise Invalid('Write an object, like {"plan": "Premium"}.', field="traits")
    return Person(user_id=user_id, email=address, traits=cast("Mapping[str, Any]", traits))


def read(text: str) -> tuple[list[Person], list[Fault]]:
    """The people of a table with a head, separated by commas, semicolons or tabs; or of bare addresses, one a line.

    A column `email` or `user_id` says who it is; every other column is a trait of that name, left out where empty.
    Rows that say nothing are passed over. When there is a fault, somebody should mend it before anything is kept.

    Raises:
        Invalid: it is no such table, or too large.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not any(line.strip() for line in lines):
        raise Invalid("There is nobody in it.", field="people")
    first = next(index for index, line in enumerate(lines) if line.strip())
    if addresses.read(lines[first]) is not None:
        rows = [(index + 1, {"email": line.strip()}) for index, line in enumerate(lines) if line.strip()]
        return _people(rows)
    delimiter = max(DELIMITERS, key=lines[first].count)
    table = csv.reader(io.StringIO("\n".join(lines[first:])), delimiter=delimiter)
    head = [name.strip() for name in next(table)]
    known = [_meant(name) for name in head]
    if "email" not in known and "user_id" not in known:
        raise Invalid("The first line names no column `email` or `user_id`, to say who it is.", field="people")
    if len(head) > MOST_COLUMNS:
        raise Invalid(f"It has more than {MOST_COLUMNS} columns.", field="people")
    found: list[tuple[int, dict[str, str]]] = []
    try:
        for cells in table:
            said = {name: cell.strip() for name, cell in zip(known, cells, strict=False) if name and cell.strip()}
            if said:
                found.append((first + table.line_num, said))
            if len(found) > MOST_ROWS:
                raise Invalid(f"It has more than {MOST_ROWS:,} rows; split it.", field="people")
    except csv.Error as problem:
        raise Invalid(f"Line {first + table.line_num} cannot be read: {problem}.", field="people") from None
    return _people(found)


def _people(rows: list[tuple[int, dict[str, str]]]) -> tuple[list[Person], list[Fault]]:
    people: list[Person] = []
    faults: list[Fault] = []
    for line, said in rows:
        traits = {name: value for name, value in said.items() if name not in ("email", "user_id")}
        try:
            people.append(person(said.get("user_id"), said.get("email"), traits))
        except Invalid as problem:
            faults.append(Fault(line=line, what=str(problem)))
    return people, faults


def _meant(name: str) -> str:
    plain = name.casefold()
    return "email" if plain in EMAIL else "user_id" if plain in USER_ID else name
