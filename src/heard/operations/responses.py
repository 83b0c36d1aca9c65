"""One answer with everything its verdict was read from, and a member's word on who it was."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from heard.contacts.contact import Contact
from heard.deliveries.delivery import Delivery
from heard.errors import NotFound
from heard.installation import Installation
from heard.responses.response import Response, Verdict
from heard.steps import click, settle
from heard.store import audit, contacts, deliveries, responses, story
from heard.store.story import AnswerRevision, Opened


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """Clicks and versions newest first. `contact` and `delivery` are None where they were not kept as long."""

    response: Response
    contact: Contact | None
    delivery: Delivery | None
    clicks: list[Opened]
    versions: list[AnswerRevision]


async def whole(app: Installation, *, workspace_id: int, response: int) -> Whole:
    """
    Raises:
        NotFound: there is no such answer in this workspace.
    """

    def look(connection: Connection) -> Whole:
        found = next(iter(responses.by_ids(connection, workspace_id, [response])), None)
        if found is None:
            raise NotFound("There is no such answer in this workspace.")
        delivery = deliveries.by_id(connection, workspace_id, found.delivery)
        opened = story.clicks_of(connection, workspace_id, [found.delivery])
        return Whole(
            response=_as_it_stands(connection, found, delivery, opened),
            contact=contacts.by_id(connection, workspace_id, [found.contact]).get(found.contact),
            delivery=delivery,
            clicks=opened,
            versions=story.revisions_of(connection, workspace_id, [found.id]),
        )

    return await app.store.read(look)


def _as_it_stands(connection: Connection, found: Response, delivery: Delivery | None, opened: list[Opened]) -> Response:
    """A machine's, with everything that spoke for one since it was first taken for it."""
    if found.verdict is not Verdict.BOT or found.judged_by is not None or delivery is None:
        return found
    now = {each.rule: each for each in (*found.evidence, *click.against(connection, delivery, opened[::-1]))}
    return msgspec.structs.replace(found, evidence=tuple(now.values()))


async def judge(app: Installation, *, workspace_id: int, response: int, verdict: Verdict, by: str) -> bool:
    """Say by hand that it was a person (`human`) or a machine (`bot`); scores count it from now on, or no longer. False
    when it is so already. What was told to destinations is not taken back.

    Raises:
        NotFound: there is no such answer in this workspace.
        Invalid: with the field `verdict`, when it is another one.
    """

    def keep(connection: Connection) -> bool:
        now = app.clock.now()
        changed = settle.by_hand(connection, workspace_id, response, verdict, by=by, directory=app.directory, now=now)
        if changed is not None:
            said = {"verdict": verdict.value}
            audit.note(
                connection, workspace_id, by=by, what="response.judged", subject=str(response), at=now, detail=said
            )
        return changed is not None

    is_changed = await app.store.write(keep)
    app.couriers.wake()
    return is_changed
