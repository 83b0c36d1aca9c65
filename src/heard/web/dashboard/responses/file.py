"""Answers as a CSV file, page by page, so that a hundred thousand of them need no more room than a thousand."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any, Protocol

from sqlalchemy import Connection

from heard.contacts.contact import Contact
from heard.installation import Installation
from heard.responses.response import Response
from heard.scores.window import rfc3339
from heard.store import contacts, responses
from heard.store.analytics import Page
from heard.store.directory import Directory

AT_ONCE = 1_000
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets run when a cell begins with it
HEAD = (
    "id", "answered_at", "updated_at", "survey", "campaign", "channel", "contact_id", "user_id", "email",
    "metric", "value", "category", "comment", "verdict", "traits", "properties", "campaign_version", "survey_version",
)  # fmt: skip


class Find(Protocol):
    async def __call__(self, *, limit: int, cursor: str | None = None) -> Page: ...


async def as_csv(app: Installation, workspace: int, find: Find, *, empty: bool = False) -> AsyncIterator[bytes]:
    """One row an answer, newest first, UTF-8; traits and properties as JSON, as they were at the answer."""
    yield _lines([HEAD])
    cursor: str | None = None
    while not empty:
        page = await find(limit=AT_ONCE, cursor=cursor)

        def look(connection: Connection, ids: list[int] = page.ids) -> tuple[list[Response], dict[int, Contact]]:
            found = responses.by_ids(connection, workspace, ids)
            return found, contacts.by_id(connection, workspace, {each.contact for each in found})

        found, people = await app.store.read(look)
        yield _lines([_row(each, people.get(each.contact), app.directory) for each in found])
        cursor = page.next
        if cursor is None:
            return


def _row(response: Response, contact: Contact | None, directory: Directory) -> tuple[Any, ...]:
    return (
        response.id,
        rfc3339(response.answered_at),
        rfc3339(response.updated_at),
        directory.surveys[response.survey].name,
        directory.campaigns[response.campaign].name,
        response.channel,
        response.contact,
        response.user_id,
        contact.email if contact else None,
        response.metric,
        response.value,
        response.category,
        response.comment,
        response.verdict.value,
        response.traits.decode(),
        response.properties.decode(),
        response.campaign_version,
        response.survey_version,
    )


def _lines(rows: list[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def safe(cell: Any) -> Any:
    """What a customer wrote must not run as a formula: an apostrophe tells spreadsheets that it is text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell
