"""Make a survey, or change one: read as the workspace file is, and kept as a version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations import file_survey
from heard.operations.file_survey import SurveyLine, survey_line
from heard.store import audit, edits, tables

FORM = "survey"
USUAL = ["en"]  # languages, where nothing is written


class SurveyChangedMeanwhile(HeardError):
    """Somebody else saved it since the form was opened; `version` is theirs."""

    def __init__(self, version: int) -> None:
        super().__init__(f"Somebody saved version {version} while you edited.")
        self.version = version


def read(written: Mapping[str, Any]) -> SurveyLine:
    """`written` is a survey of the workspace file. Raises Invalid with `field`, a key of it."""
    try:
        return survey_line(dict(written), FORM)
    except Invalid as problem:
        place = problem.field or FORM
        said = str(problem).removeprefix(f"{place}: ")
        raise Invalid(said[:1].upper() + said[1:], field=place.removeprefix(f"{FORM}.")) from None


async def keep(
    app: Installation, *, workspace: int, by: str, line: SurveyLine, number: int | None = None, version: int = 0
) -> int:
    """Keep a new survey, or a new version of one; gives its number. Nothing is kept when nothing changed.

    Raises:
        NotFound: there is no such survey here.
        Invalid: with `field`: the name belongs to another survey.
        SurveyChangedMeanwhile: `version` is not the latest.
    """
    now = app.clock.now()

    def change(connection: Connection) -> tuple[int, bool]:
        rows = {row["id"]: row for row in edits.rows_of(connection, tables.surveys, workspace)}
        known = rows.get(number) if number is not None else None
        if number is not None and known is None:
            raise NotFound("There is no such survey in this workspace.")
        if known is not None and known["version"] != version:
            raise SurveyChangedMeanwhile(known["version"])
        if any(row["name"] == line.name and row is not known for row in rows.values()):
            raise Invalid("Another survey has this name; choose one of its own.", field="name")
        settings = file_survey.numbered(connection, workspace, line.settings, "send_back.to")
        if known is None or "languages" not in known["settings"]:
            settings = {key: value for key, value in settings.items() if key != "languages" or value != USUAL}
        values = {"name": line.name, "kind": line.kind, "settings": settings}
        if known is not None and all(known[key] == value for key, value in values.items()):
            return known["id"], False
        kept = edits.keep_survey(connection, workspace, known, now=now, **values)
        before = {"name": known["name"], "kind": known["kind"], **known["settings"]} if known else {}
        after = {"name": line.name, "kind": line.kind, **settings}
        changed = {key: [before.get(key), after.get(key)] for key in {**before, **after} if known}
        audit.note(
            connection,
            workspace,
            by=by,
            what="survey.changed" if known else "survey.made",
            subject=line.name,
            at=now,
            detail={key: pair for key, pair in changed.items() if pair[0] != pair[1]},
        )
        return kept, known is not None and known["name"] != line.name

    kept, renamed = await app.store.write(change)
    await app.reload()
    if renamed:
        # answers stand there with the survey's name: they are read anew
        await asyncio.to_thread((await app.answers()).close)
    return kept
