"""A privacy request is taken up and carried out: whoever it is about is found, removed, and in the end not even named.

Each act here is one transaction and can be repeated, so that a request which was interrupted goes on where it stood:
whom it is about stays in its own row until nothing else is left of them, and is taken out of that at last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.contacts.regulation import Regulation, State, SubjectType, Told, Type, moved
from heard.contacts.standing import Kind, Suppression
from heard.deliveries.reasons import Objection, Reason
from heard.destinations import webhook
from heard.routing.destination import Destination
from heard.steps.send import cancel
from heard.store import contacts, decisions, deliveries, erasing, regulations, suppressed
from heard.store.erasing import Person

SUBJECTS_AT_ONCE = 20  # found and removed together; more make the search through messages slower than one by one


def begin(
    connection: Connection, regulation: Regulation, *, destinations: Sequence[Destination], now: datetime
) -> None:
    """Keep it, and let its suppression hold from this transaction on. What only suppresses is over with that."""
    kind, workspace, subjects = regulation.type, regulation.workspace, regulation.subjects or ()
    if kind is Type.UNSUPPRESS:
        suppressed.remove(connection, workspace, regulation.marks)
        suppressed.ask_again(connection, workspace, regulation.marks, at=now)
    elif kind.suppresses:
        suppressed.add(connection, workspace, regulation.marks, regulation.subject_type, at=now)
        for subject, mark in zip(subjects, regulation.marks, strict=True):
            _ask_no_more(connection, workspace, regulation.subject_type, subject, mark, now)
    if not kind.deletes:
        over = moved(regulation, State.FINISHED, now)
        regulations.keep(connection, msgspec.structs.replace(over, subjects=None, tell=None))
        return
    told = tuple(
        Told(
            destination=each.id,
            name=each.name,
            state=State.INITIALIZED,
        )
        for each in destinations
        if kind.is_told and each.type == webhook.type and each.enabled
    )
    regulations.keep(connection, msgspec.structs.replace(regulation, told=told))


def find(connection: Connection, regulation: Regulation) -> Person:
    """Everything that the next subjects are known by, together with what was found before some of it was removed."""
    subjects = (regulation.subjects or ())[regulation.erased :][:SUBJECTS_AT_ONCE]
    now_known = erasing.find(connection, regulation.workspace, regulation.subject_type, subjects)
    before = regulations.found(connection, regulation)
    found = msgspec.convert(before, Person).and_(now_known) if before else now_known
    regulations.keep_found(connection, regulation, msgspec.to_builtins(found))
    return found


def remove_messages(
    connection: Connection, regulation: Regulation, person: Person, day: int, rows: list[tuple[int, int, str]]
) -> Regulation:
    erasing.remove_messages(connection, person.workspace, day, rows)
    return _removed(connection, regulation, {"messages": len(rows)})


def remove_rest(
    connection: Connection, regulation: Regulation, person: Person, *, key: bytes, now: datetime
) -> Regulation:
    """Everything else of these subjects; the next ones are those after them. `key`: of the workspace's marks."""
    suppressed.keep_wishes(connection, person.workspace, key, person.contacts, person.addresses, at=now)
    workspace = regulation.workspace
    suppresses = regulation.type.suppresses and regulation.subject_type is SubjectType.USER_ID
    shared = suppressed.shared_mailboxes(connection, workspace, person.contacts) if suppresses else []
    counts = erasing.remove_rest(connection, person)
    for mailbox, cause, at in shared:
        row = Suppression(kind=Kind.SUPPRESSED, on=True, at=at, email_key=mailbox)
        contacts.suppress(connection, person.workspace, row, cause)
    subjects = regulation.subjects or ()
    tell = tuple(dict.fromkeys((*(regulation.tell or ()), *person.user_ids)))
    regulation = msgspec.structs.replace(
        regulation,
        erased=min(regulation.erased + SUBJECTS_AT_ONCE, len(subjects)),
        tell=tell,
        told=tuple(_also(each, len(regulation.tell or ()), len(tell)) for each in regulation.told),
    )
    regulations.keep_found(connection, regulation, None)
    return _removed(connection, regulation, counts)


def forget_whom(connection: Connection, regulation: Regulation) -> Regulation:
    """Nothing else is left of them: take them out of the request itself."""
    regulation = msgspec.structs.replace(regulation, subjects=None, tell=None)
    regulations.change(connection, regulation)
    regulations.keep_found(connection, regulation, None)
    return regulation


def change(connection: Connection, regulation: Regulation) -> None:
    regulations.change(connection, regulation)


def _removed(connection: Connection, regulation: Regulation, counts: dict[str, int]) -> Regulation:
    added = dict(regulation.removed)
    for name, number in counts.items():
        added[name] = added.get(name, 0) + number
    regulation = msgspec.structs.replace(regulation, removed=added)
    regulations.change(connection, regulation)
    return regulation


def _also(told: Told, first: int, end: int) -> Told:
    """There are more to tell about."""
    pending = (*told.pending, *range(first, end))
    return msgspec.structs.replace(told, pending=pending, state=State.RUNNING if pending else told.state)


def _ask_no_more(
    connection: Connection, workspace: int, kind: SubjectType, subject: str, mark: str, now: datetime
) -> None:
    """Surveys too: what is planned is cancelled. One mailbox is one person, so it holds for their mailbox as well."""
    if kind is SubjectType.EMAIL:
        key = addresses.key(subject)
        people = contacts.by_email_key(connection, workspace, [key]).get(key, [])
    else:
        people = list(contacts.by_user_id(connection, workspace, [subject]).values())
    left = (Objection(Reason.SUPPRESSED, detail="A privacy request suppresses this person."),)
    for person in people:
        row = Suppression(kind=Kind.SUPPRESSED, on=True, at=now, contact=person.id, email_key=person.email_key)
        contacts.suppress(connection, workspace, row, suppressed.cause(mark))
        waiting = deliveries.waiting_for(connection, workspace, person.id, person.email_key)
        told = decisions.by_id(connection, workspace, {delivery.decision for delivery in waiting})
        for delivery in waiting:
            cancel(connection, delivery, told.get(delivery.decision), left, now)
