"""Tracking plans: make one, change it, take it away."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import file_plan
from heard.operations.file_changes import Change
from heard.store import audit, edits, tables

PLACE = "plan"


async def save(app: Installation, *, workspace: int, number: int | None, written: dict[str, Any], by: str) -> int:
    """Make a plan, or make one what `written` says, in the form of the workspace file; gives its number.

    Raises:
        NotFound: there is no plan of this number.
        Invalid: naming the field (`events.Order Completed.required`) and the fix.
    """
    now = app.clock.now()

    def work(connection: Connection) -> int:
        rows = edits.rows_of(connection, tables.tracking_plans, workspace)
        if number is not None and not any(row["id"] == number for row in rows):
            raise NotFound("There is no such tracking plan in this workspace.")
        sources = {row["name"]: row["id"] for row in edits.rows_of(connection, tables.sources, workspace)}
        line = file_plan.plan_line(written, PLACE)
        if number is None and any(row["name"] == line.name for row in rows):
            raise Invalid(f"{PLACE}.name: another plan is called so; choose another name.", field=f"{PLACE}.name")
        changes: list[Change] = []
        made = file_plan.keep_one(connection, workspace, line, PLACE, sources, changes, number=number)
        if changes:
            what = "plan.added" if number is None else "plan.changed"
            detail = {"changes": [_noted(each) for each in changes]}
            audit.note(connection, workspace, by=by, what=what, subject=line.name, at=now, detail=detail)
        return made

    try:
        made = await app.store.write(work)
    except Invalid as problem:
        field = (problem.field or "").removeprefix(f"{PLACE}.") or None
        raise Invalid(str(problem).removeprefix(f"{PLACE}."), field=field) from None
    await app.reload()
    return made


async def remove(app: Installation, *, workspace: int, number: int, by: str) -> str:
    """Its sources are judged no longer; what was counted stays. Gives its name.

    Raises:
        NotFound: there is none of this number.
    """
    now = app.clock.now()

    def work(connection: Connection) -> str:
        row = file_plan.removed(connection, workspace, number)
        if row is None:
            raise NotFound("There is no such tracking plan in this workspace.")
        audit.note(connection, workspace, by=by, what="plan.removed", subject=row["name"], at=now)
        return row["name"]

    name = await app.store.write(work)
    await app.reload()
    return name


def _noted(change: Change) -> dict[str, Any]:
    said = msgspec.to_builtins(change)
    return {key: value if isinstance(value, bool | None) else str(value)[:200] for key, value in said.items()}
