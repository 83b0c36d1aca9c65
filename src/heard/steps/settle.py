"""A score that was tapped and never sent: after a while it counts, where the workspace lets it and nothing speaks for a
machine. And the last word, which is a member's."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard import durations
from heard.deliveries.delivery import Delivery
from heard.errors import Invalid, NotFound
from heard.responses.response import OF_PEOPLE, Response, Verdict
from heard.responses.verdict import Finding
from heard.steps import click, responded
from heard.store import clicks, contacts, deliveries, responses
from heard.store.directory import Directory

MOST_AT_ONCE = 200
BY_HAND = frozenset({Verdict.HUMAN, Verdict.BOT})


def settle(connection: Connection, *, directory: Directory, now: datetime) -> int:
    """Those whose moment has come; gives how many."""
    due = responses.to_settle(connection, now, MOST_AT_ONCE)
    by_workspace: dict[int, list[Response]] = defaultdict(list)
    for response in due:
        by_workspace[response.workspace].append(response)
    for workspace, some in by_workspace.items():
        wait = directory.workspaces[workspace].unconfirmed_clicks.wait
        responses.never_settle(connection, some)
        if wait is None:  # it was lenient when they tapped, and is strict now
            continue
        ids = [each.delivery for each in some]
        asked = deliveries.by_ids(connection, workspace, ids)
        opened = clicks.of_deliveries(connection, workspace, ids)
        clean = f"Nobody sent the form within {durations.in_words(wait)}, and nothing speaks for a machine."
        for each in some:
            if (delivery := asked.get(each.delivery)) is None:
                continue
            reasons = click.against(connection, delivery, opened.get(each.delivery, []))
            verdict = Verdict.BOT
            if not reasons:
                person = contacts.by_id(connection, workspace, [each.contact]).get(each.contact)
                verdict = responded.of_people(person, delivery, directory)
                reasons = (Finding("nothing_speaks_for_a_machine", clean),)
            _become(connection, each, delivery, verdict, reasons, directory=directory, now=now)
    return len(due)


def by_hand(
    connection: Connection,
    workspace: int,
    response: int,
    verdict: Verdict,
    *,
    by: str,
    directory: Directory,
    now: datetime,
) -> Response | None:
    """A member says who it was; gives the response as it is then, None where it was so already.

    Raises:
        NotFound: there is no such response in this workspace.
        Invalid: with the field `verdict`, when it is none that is given by hand.
    """
    if verdict not in BY_HAND:
        raise Invalid("Choose human or bot.", field="verdict")
    known = next(iter(responses.by_ids(connection, workspace, [response])), None)
    delivery = deliveries.by_id(connection, workspace, known.delivery) if known else None
    if known is None or delivery is None:
        raise NotFound("There is no such answer in this workspace.")
    if known.verdict is verdict:
        return None
    said = "A member said that it was a person." if verdict in OF_PEOPLE else "A member said that it was a machine."
    evidence = (Finding("said_by_a_member", said),)
    return _become(connection, known, delivery, verdict, evidence, directory=directory, now=now, judged_by=by)


def _become(
    connection: Connection,
    known: Response,
    delivery: Delivery,
    verdict: Verdict,
    evidence: tuple[Finding, ...],
    *,
    directory: Directory,
    now: datetime,
    judged_by: str | None = None,
) -> Response:
    response = msgspec.structs.replace(
        known,
        verdict=verdict,
        evidence=evidence,
        judged_by=judged_by,
        updated_at=now,
        settles_at=None,
        completes_at=known.completes_at if verdict in OF_PEOPLE else None,
    )
    return responded.keep(connection, response, known, delivery, directory=directory, now=now)
