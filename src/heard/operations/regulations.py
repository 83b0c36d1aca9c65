"""Privacy requests: ask for one, see how far it is, see who is suppressed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.contacts.regulation import LONGEST_SUBJECT, MOST_SUBJECTS, Regulation, State, SubjectType, Told, Type
from heard.contacts.suppression import mailbox_mark, user_mark
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.scores.window import rfc3339
from heard.steps import forget
from heard.store import audit, regulations, suppressed

PREFIX = "reg_"


async def regulate(
    app: Installation, *, what: str, subject_type: str, subjects: Sequence[str], workspace_id: int, by: str
) -> Regulation:
    """Begin one. When this returns, a suppression holds at the collector; a deletion goes on by itself.

    `subjects` are userIds, or addresses; at most 5,000.

    Raises:
        Invalid: naming the field.
    """
    wanted = _one_of(Type, what, "regulationType")
    kind = _one_of(SubjectType, subject_type, "subjectType")
    whom = _checked(kind, subjects)
    key = app.suppression_key(workspace_id)
    marks = tuple((user_mark if kind is SubjectType.USER_ID else mailbox_mark)(key, each) for each in whom)

    def keep(connection: Connection) -> Regulation:
        now = app.clock.now()
        made = Regulation(
            id=regulations.next_id(connection),
            workspace=workspace_id,
            type=wanted,
            subject_type=kind,
            subjects=whom,
            marks=marks,
            count=len(whom),
            state=State.INITIALIZED,
            erased=0,
            tell=(),
            told=(),
            removed={},
            by=by,
            created_at=now,
            finished_at=None,
        )
        forget.begin(connection, made, destinations=app.directory.destinations_of(workspace_id), now=now)
        detail = {"type": wanted.value, "subjects": len(whom)}
        audit.note(
            connection, workspace_id, by=by, what="privacy.requested", subject=shown_id(made), at=now, detail=detail
        )
        return made

    made = await app.store.write(keep)
    await app.reload()  # the collector is told before whoever asked
    app.forgetting.wake()
    return made


async def regulation(app: Installation, *, number: str, workspace_id: int) -> dict[str, Any]:
    """How far one is, in Segment's words.

    Raises:
        NotFound: there is none of this id.
    """
    digits = number.removeprefix(PREFIX)
    wanted = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0
    found = await app.store.read(lambda connection: regulations.one(connection, workspace_id, wanted))
    if found is None:
        raise NotFound(f"There is no regulation {number}.")
    sources = [each for each in app.directory.sources.values() if each.workspace == workspace_id]
    fed = {
        source.id: [told for told in found.told if _feeds(app, told.destination, source.id)]
        for source in sorted(sources, key=lambda source: source.id)
    }
    return {
        "id": shown_id(found),
        "workspaceId": str(workspace_id),
        "overallStatus": found.state.value,
        "createdAt": rfc3339(found.created_at),
        "finishedAt": _written(found.finished_at),
        "streamStatus": [
            {"id": str(source), "destinationStatus": [_destination(each) for each in told]}
            for source, told in fed.items()
        ],
    }


async def listed(
    app: Installation, *, workspace_id: int, state: str | None, before: int | None, limit: int
) -> tuple[list[Regulation], int]:
    """The newest first, and how many there are."""
    wanted = _one_of(State, state, "status") if state else None

    def look(connection: Connection) -> tuple[list[Regulation], int]:
        found = regulations.newest(connection, workspace_id, state=wanted, before=before, limit=limit)
        return found, regulations.count(connection, workspace_id)

    return await app.store.read(look)


def described(found: Regulation) -> dict[str, Any]:
    """As Segment lists it. `subjects` are marks where the request no longer says who it was about."""
    return {
        "id": shown_id(found),
        "subjectType": found.subject_type.value,
        "subjects": list(found.marks if found.subjects is None else found.subjects),
        "status": found.state.value,
        "createdAt": rfc3339(found.created_at),
        "regulationType": found.type.value,
        "finishedAt": _written(found.finished_at),
    }


async def everybody_suppressed(
    app: Installation, *, workspace_id: int, after: str, limit: int
) -> tuple[list[tuple[str, SubjectType]], int]:
    """Marks in their order, and how many there are."""

    def look(connection: Connection) -> tuple[list[tuple[str, SubjectType]], int]:
        found = suppressed.page(connection, workspace_id, after=after, limit=limit)
        return found, suppressed.count(connection, workspace_id)

    return await app.store.read(look)


def is_suppressed(app: Installation, *, workspace_id: int, kind: SubjectType, subject: str) -> bool:
    """Whether this userId or address is."""
    known = app.directory.suppressed.get(workspace_id)
    if known is None:
        return False
    return known.holds([subject]) if kind is SubjectType.USER_ID else known.holds([], [subject])


def shown_id(found: Regulation) -> str:
    return f"{PREFIX}{found.id}"


def _destination(told: Told) -> dict[str, Any]:
    return {
        "name": told.name,
        "id": str(told.destination),
        "status": told.state.value,
        "told": told.done,
        "givenUp": told.given_up,
        "reason": told.reason or None,
    }


def _feeds(app: Installation, destination: int, source: int) -> bool:
    known = app.directory.destinations.get(destination)
    return known is None or known.sources is None or source in known.sources


def _checked(kind: SubjectType, subjects: Sequence[str]) -> tuple[str, ...]:
    if not subjects or len(subjects) > MOST_SUBJECTS:
        raise Invalid(f"subjectIds: name from 1 to {MOST_SUBJECTS:,} at once.", field="subjectIds")
    for each in subjects:
        if not each.strip() or len(each) > LONGEST_SUBJECT:
            raise Invalid(f"subjectIds: each has from 1 to {LONGEST_SUBJECT} characters.", field="subjectIds")
        if kind is SubjectType.EMAIL and addresses.read(each) is None:
            raise Invalid("subjectIds: with the subjectType EMAIL each is an address.", field="subjectIds")
    return tuple(dict.fromkeys(each.strip() if kind is SubjectType.EMAIL else each for each in subjects))


def _one_of(words: Any, said: str, field: str) -> Any:
    try:
        return words(said)
    except ValueError:
        raise Invalid(f"{field}: write one of {', '.join(each.value for each in words)}.", field=field) from None


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
