"""Finding contacts among a million: by their names at once, by words and filters in bounded looks.

A userId or an address is found through its index, whole or by how it begins. Names, companies and filters are looked
for among the newest contacts, so many at a time; what was looked at is said, and a cursor goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import fql
from heard.contacts import address as addresses
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.contacts.standing import Kind, standing, status
from heard.errors import Invalid
from heard.fql.tree import And, Compare, Expression, Field, Literal
from heard.installation import Installation
from heard.store import contacts

PAGE = 50
EXAMINED = 8_000  # contacts a look
EXAMINED_AS_TEXT = 80_000  # where the database can leave out most of them by itself
EXAMINED_SUPPRESSIONS = 5_000
BY_NAME = 20  # at most, by userId and by address each
STATUSES = ("active", "unsubscribed", "bounced", "complained", "inactive")
_LITERAL = re.compile(r"[A-Za-z0-9 ]+")  # written in JSON as it is, by everybody
_KIND = {
    "unsubscribed": Kind.UNSUBSCRIBED,
    "bounced": Kind.BOUNCED,
    "complained": Kind.COMPLAINED,
    "inactive": Kind.INACTIVE,
}


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; None = anything. `below` goes on from an earlier look."""

    q: str | None = None
    where: str | None = None
    status: str | None = None
    below: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`further` is the cursor of the next look, None where there is nothing left to look at. `examined` says how many
    were looked at for this page, contacts or, for a status, changes of it; 0 where an index told."""

    contacts: list[Contact]
    status: Mapping[int, str]
    named: frozenset[int] = frozenset()  # those found by userId or address
    further: int | None = None
    examined: int = 0
    full: bool = False  # the page is: it ended because it was full, not because the look was over


async def find(app: Installation, *, workspace_id: int, search: Search) -> Found:
    """One page, newest first; those found by userId or address stand before.

    Raises:
        Invalid: the filter cannot be read (field `where`).
    """
    try:
        tree = fql.parse(search.where) if search.where else None
    except fql.Invalid as error:
        raise Invalid(f"This cannot be read {error}.", field="where") from None
    return await app.store.read(lambda connection: _find(connection, workspace_id, search, tree))


def _find(connection: Connection, workspace: int, search: Search, tree: Expression | None) -> Found:
    fits = fql.predicate(tree) if tree is not None else None

    def is_wanted(contact: Contact) -> bool:
        return fits is None or fits(_document(contact))

    named: list[Contact] = []
    if search.q and search.below is None:
        named = [each for each in by_name(connection, workspace, search.q) if is_wanted(each)]
        kept = _with_status(connection, workspace, named, search.status)
        if any(_is_exactly(each, search.q) for each in kept.contacts):
            return msgspec.structs.replace(kept, named=frozenset(each.id for each in kept.contacts))
        named = kept.contacts
    if search.status in _KIND:
        return _of_status(connection, workspace, search, named, is_wanted)
    words = (search.q or "").casefold().split()
    holding = [*map(_pattern, words), *(required(tree) if tree is not None else ())]
    known = {each.id for each in named}
    most = EXAMINED_AS_TEXT if holding else EXAMINED
    shown: list[Contact] = []
    edge, examined = search.below, 0
    for step in (2 * PAGE, most // 10, most - most // 10 - 2 * PAGE):  # most looks are over after the first
        some, edge = contacts.newest(connection, workspace, below=edge, examined=step, holding=holding)
        wanted = [each for each in some if each.id not in known and is_wanted(each) and _says(each, words)]
        shown += _first_of(connection, workspace, wanted, search.status, PAGE + 1 - len(shown))
        examined += step
        if len(shown) > PAGE or edge is None:
            break
    full = len(shown) > PAGE
    shown = shown[:PAGE]
    plain = not (search.q or search.where or search.status)
    return msgspec.structs.replace(
        _with_status(connection, workspace, [*named, *shown], search.status),
        named=frozenset(known),
        further=shown[-1].id if full else edge,
        examined=0 if plain else examined,
        full=full,
    )


def _first_of(
    connection: Connection, workspace: int, people: list[Contact], status: str | None, most: int
) -> list[Contact]:
    """The first `most` whose standing is this. It is looked up for a page of them at a time, until there are enough."""
    if status is None:
        return people[:most]
    found: list[Contact] = []
    for start in range(0, len(people), 2 * PAGE):
        found += _with_status(connection, workspace, people[start : start + 2 * PAGE], status).contacts
        if len(found) >= most:
            break
    return found[:most]


def _of_status(
    connection: Connection,
    workspace: int,
    search: Search,
    named: list[Contact],
    is_wanted: Callable[[Contact], bool],
) -> Found:
    """By when they left: suppressions are read, not contacts, because few contacts have any."""
    kind = _KIND[search.status or ""]
    rows, edge = contacts.suppressed(connection, workspace, kind, below=search.below, examined=EXAMINED_SUPPRESSIONS)
    people = contacts.by_id(connection, workspace, {row[1] for row in rows if row[1] is not None})
    mailboxes = contacts.by_email_key(connection, workspace, {row[2] for row in rows if row[1] is None and row[2]})
    words = (search.q or "").casefold().split()
    seen = {each.id for each in named}
    shown: list[Contact] = []
    further, full = edge, False
    for number, contact, mailbox in rows:
        if len(shown) >= PAGE:
            full = True
            break
        further = number
        theirs = [people[contact]] if contact in people else mailboxes.get(mailbox or "", [])
        for each in theirs:
            if each.id not in seen and is_wanted(each) and _says(each, words):
                seen.add(each.id)
                shown.append(each)
    found = _with_status(connection, workspace, [*named, *shown], search.status)
    return msgspec.structs.replace(
        found,
        named=frozenset(each.id for each in named),
        further=further if full else edge,
        examined=EXAMINED_SUPPRESSIONS,
        full=full,
    )


def by_name(connection: Connection, workspace: int, q: str) -> list[Contact]:
    """By userId and by address, whole first, then by how they begin; `id:12` is a contact's number."""
    number = q.removeprefix("id:")
    if number != q and number.isascii() and number.isdigit() and len(number) <= 18:
        return list(contacts.by_id(connection, workspace, [int(number)]).values())
    key = addresses.key(q)
    found = [
        *contacts.by_user_id(connection, workspace, [q]).values(),
        *contacts.by_email_key(connection, workspace, [key]).get(key, []),
        *contacts.by_prefix(connection, workspace, "user_id", q, limit=BY_NAME),
        *contacts.by_prefix(connection, workspace, "email_key", key, limit=BY_NAME),
    ]
    return list({each.id: each for each in found}.values())


def _is_exactly(contact: Contact, q: str) -> bool:
    return q in (contact.user_id, f"id:{contact.id}") or contact.email_key == addresses.key(q)


def _with_status(connection: Connection, workspace: int, people: list[Contact], wanted: str | None) -> Found:
    """What each contact's standing is; where one is wanted, only those of it."""
    mailboxes = {each.email_key for each in people if each.email_key}
    rows = contacts.suppressions_of(connection, workspace, [each.id for each in people], mailboxes)
    told = {
        each.id: status(
            standing(
                row for row in rows if row.contact == each.id or (row.email_key and row.email_key == each.email_key)
            )
        )
        for each in people
    }
    return Found(contacts=[each for each in people if wanted in (None, told[each.id])], status=told)


def _says(contact: Contact, words: list[str]) -> bool:
    """Whether every word stands in the name, the company or the address."""
    if not words:
        return True
    said = traits.decode(contact.traits)
    company = said.get("company")
    place = traits.first(company, "name") if isinstance(company, dict) else company  # pyright: ignore[reportUnknownArgumentType]
    text = f"{traits.full_name(said) or ''} {place if isinstance(place, str) else ''} {contact.email or ''}".casefold()
    return all(word in text for word in words)


def _pattern(word: str) -> str:
    """For LIKE: what JSON may write in another way is left open. To LIKE, `_` is any letter, itself among them."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_.-@+") else "%" for letter in word)


def required(tree: Expression) -> list[str]:
    """Texts that stand in the traits of everybody a filter is true of, so that the database can leave out the others.

    `traits.plan = 'Premium' and traits.seats > 5` -> ["Premium"]
    """
    parts = tree.operands if isinstance(tree, And) else (tree,)
    found: list[str] = []
    for part in parts:
        match part:
            case Compare("=", Field(path), Literal(str(value))) | Compare("=", Literal(str(value)), Field(path)):
                if path[0] == "traits" and _LITERAL.fullmatch(value):
                    found.append(value)
            case _:
                pass
    return found


def _document(contact: Contact) -> dict[str, Any]:
    return {"userId": contact.user_id, "email": contact.email, "traits": traits.decode(contact.traits)}
