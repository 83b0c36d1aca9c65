"""People whom somebody names, by address or userId, become contacts, and stand on a list.

A userId makes or finds the contact of that userId. An address alone finds whoever has it, the oldest where there are
several, and makes a contact without userId where there is nobody; an identify adopts that one later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.contacts.contact import Contact, identified
from heard.contacts.written import Person
from heard.destinations.considered import Considered
from heard.destinations.known import Known
from heard.steps import keep, told
from heard.store import contacts, funnel, tallies
from heard.store.directory import Directory


class Enlisted(msgspec.Struct, kw_only=True):
    """How many there were of each; `people` in the order in which they were named, None for whoever is suppressed."""

    made: int = 0
    known: int = 0
    suppressed: int = 0
    people: list[Contact | None] = msgspec.field(default_factory=list)


def enlist(
    connection: Connection,
    workspace: int,
    named: Sequence[Person],
    *,
    name: str | None,
    directory: Directory,
    now: datetime,
) -> Enlisted:
    """Make or update everybody in `named`, and put them on the list `name`. Whoever is suppressed is left out."""
    done, outcome = Enlisted(), Considered()
    suppressed = directory.suppressed.get(workspace)
    known = Known(connection, directory, workspace)
    emails = {each.user_id: each.email for each in named if each.user_id and each.email}
    known.load_contacts({each.user_id for each in named if each.user_id}, emails)
    by_mailbox = _mailboxes(connection, workspace, named)
    known.reserve(contacts=len(named), decisions=0)
    for each in named:
        if suppressed is not None and suppressed.holds([each.user_id], [each.email]):
            done.suppressed += 1
            done.people.append(None)
            continue
        before = _found(each, known, by_mailbox)
        is_new = before is None
        if before is None:
            before = Contact(id=known.next_contact(), workspace=workspace, user_id=each.user_id, first_seen=now)
        said = {**each.traits, **({"email": each.email} if each.email else {})}
        contact = identified(before, msgspec.json.encode(said))
        if is_new or contact is not before or contact.user_id != each.user_id:
            known.learn_contact(contact)
        if contact.email_key:
            by_mailbox.setdefault(contact.email_key, contact)
        done.made += is_new
        done.known += not is_new
        done.people.append(contact)
        if name:
            outcome.listed.append((name, contact.id))
    counts: Counter[funnel.Key] = Counter()
    telling = keep.considered(connection, workspace, known, outcome, counts, now)
    told.keep(connection, telling, now)
    tallies.add(connection, counts)
    # Audiences may have given them traits meanwhile.
    done.people = [known.changed.get(each.id, each) if each else None for each in done.people]
    return done


def _mailboxes(connection: Connection, workspace: int, named: Sequence[Person]) -> dict[str, Contact]:
    """Who is behind the addresses that come without a userId; the oldest of several."""
    keys = {addresses.key(each.email) for each in named if each.email and not each.user_id}
    found = contacts.by_email_key(connection, workspace, keys) if keys else {}
    return {key: people[0] for key, people in found.items()}


def _found(person: Person, known: Known, by_mailbox: dict[str, Contact]) -> Contact | None:
    if person.user_id is None:
        found = by_mailbox.get(addresses.key(person.email or ""))
        return known.changed.get(found.id, found) if found else None
    if (there := known.contacts.get(person.user_id)) is not None:
        return there
    adopted = known.adoptable(person.email)
    if adopted is None:
        return None
    known.adopt(adopted)
    return msgspec.structs.replace(adopted, user_id=person.user_id)
