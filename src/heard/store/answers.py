"""What analytics reads from the store: answers with the names they are filtered by, and today's traits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from heard.scores.answered import Answered
from heard.store import dialects, responses
from heard.store.directory import Directory


def changed_since(connection: Connection, revision: int, limit: int, directory: Directory) -> Sequence[Answered]:
    """Answers whose revision is above, in its order."""
    return [
        Answered(
            id=each.id,
            revision=number,
            workspace=each.workspace,
            survey=directory.surveys[each.survey].name,
            survey_id=each.survey,
            campaign=directory.campaigns[each.campaign].name,
            channel=each.channel,
            user_id=each.user_id,
            contact_id=each.contact,
            metric=each.metric,
            value=each.value,
            category=each.category,
            comment=each.comment,
            verdict=each.verdict.value,
            answered_at=each.answered_at,
            traits=each.traits,
            properties=each.properties,
        )
        for each, number in responses.changed_since(connection, revision, limit)
    ]


def more_than(connection: Connection, few: int) -> bool:
    """Whether there are more answers than that, in all workspaces."""
    return bool(dialects.fetch(connection, "SELECT 1 FROM responses LIMIT 1 OFFSET ?", few))


def traits_today(connection: Connection, workspace: int, ids: Iterable[int]) -> dict[int, bytes]:
    rows = dialects.fetch(
        connection,
        f"SELECT id, traits FROM contacts WHERE workspace_id = ? AND id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, ids),
    )
    return {number: traits.encode() for number, traits in rows}
