"""`/api/regulations` and `/api/suppressions`: privacy requests, in the shapes of Segment's Public API."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import Parameter

from heard.contacts.regulation import SubjectType
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import contacts
from heard.operations import regulations as operations
from heard.operations.meant import contact_meant
from heard.web.api import paging
from heard.web.api.deliveries import Limit
from heard.web.api.names import name


class Asked(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """`regulationType`: SUPPRESS_WITH_DELETE, DELETE_ONLY, SUPPRESS_WITH_DELETE_INTERNAL, DELETE_INTERNAL,
    SUPPRESS_ONLY or UNSUPPRESS. `subjectType`: USER_ID or EMAIL. `subjectIds`: up to 5,000 of them."""

    regulation_type: str
    subject_type: str
    subject_ids: list[str]


def routes(app: Installation) -> list[Any]:
    @post("/regulations", tags=["privacy"], status_code=200)
    async def regulate(workspace: int, caller: str, data: Asked) -> dict[str, Any]:
        """Suppress, delete or unsuppress people. A suppression holds when this answers; ask how far a deletion is."""
        made = await operations.regulate(
            app,
            what=data.regulation_type,
            subject_type=data.subject_type,
            subjects=data.subject_ids,
            workspace_id=workspace,
            by=caller,
        )
        return {"data": {"regulateId": operations.shown_id(made)}}

    @get("/regulations", tags=["privacy"])
    async def list_regulations(
        workspace: int,
        status: Annotated[str | None, Parameter(query="status")] = None,
        cursor: str | None = None,
        limit: Limit = paging.LIMIT,
    ) -> dict[str, Any]:
        """Privacy requests, the newest first. One that is finished names nobody: its subjects are hashes."""
        before = paging.after(cursor, int)
        found, total = await operations.listed(app, workspace_id=workspace, state=status, before=before, limit=limit)
        last = found[-1].id if len(found) == limit else None
        page = paging.page([operations.described(each) for each in found], last)
        pagination = {"current": cursor, "next": page["next"], "totalEntries": total}
        return {"data": {"regulations": page["data"], "pagination": pagination}}

    @get("/regulations/{id:str}", tags=["privacy"])
    async def get_regulation(workspace: int, id: str) -> dict[str, Any]:  # noqa: A002
        """How far a privacy request is, and which destinations were told.

        FINISHED: no byte of its people is left. The same fields stand under `regulation`, where Segment has them.
        """
        found = await operations.regulation(app, number=name(id), workspace_id=workspace)
        return {"data": {**found, "regulation": found}}

    @get("/suppressions", tags=["privacy"])
    async def list_suppressions(
        workspace: int,
        user_id: str | None = None,
        email: str | None = None,
        cursor: str | None = None,
        limit: Limit = paging.LIMIT,
    ) -> dict[str, Any]:
        """Who is suppressed, as hashes: nothing else of them is kept. `user_id` or `email` asks about one."""
        if user_id or email:
            asked = [(SubjectType.USER_ID, user_id), (SubjectType.EMAIL, email)]
            held = [
                {"subjectType": kind.value, "subjectIds": [subject]}
                for kind, subject in asked
                if subject and operations.is_suppressed(app, workspace_id=workspace, kind=kind, subject=subject)
            ]
            pagination = {"current": None, "next": None, "totalEntries": len(held)}
            return {"data": {"suppressions": held, "pagination": pagination}}
        after = paging.after(cursor, str) or ""
        marks, total = await operations.everybody_suppressed(app, workspace_id=workspace, after=after, limit=limit)
        page = paging.page([], marks[-1][0] if len(marks) == limit else None)
        grouped = [
            {"subjectType": kind.value, "subjectIds": ids}
            for kind in SubjectType
            if (ids := [mark for mark, of in marks if of is kind])
        ]
        pagination = {"current": cursor, "next": page["next"], "totalEntries": total}
        return {"data": {"suppressions": grouped, "pagination": pagination}}

    @get("/contacts/{who:str}/export", tags=["privacy"])
    async def export_contact(workspace: int, who: str) -> Any:
        """Everything that is kept about a person: traits, messages, decisions, deliveries, answers, wishes."""
        found = await app.store.read(lambda connection: contact_meant(connection, workspace, name(who)))
        if found is None:
            raise NotFound(f"Nobody is known as {name(who)!r}.")
        return await contacts.whole_story(app, workspace_id=workspace, contact=found.id)

    return [regulate, list_regulations, get_regulation, list_suppressions, export_contact]
