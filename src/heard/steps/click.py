"""A link of a mail was opened. The click is kept raw; a score that was tapped is a provisional answer, and no more.

It becomes `bot` as soon as the rules take what opened the links for a machine, and `human` when a person sends the form
(`heard.steps.answer`). Nobody is told, no reminder is taken back, and the delivery stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from heard.deliveries.delivery import Delivery, State
from heard.responses.clicks import Click
from heard.responses.response import Response, Verdict
from heard.responses.verdict import MOST_READ, Finding, Visits, findings
from heard.steps import responded
from heard.store import clicks, contacts, deliveries, funnel, responses
from heard.store.directory import Directory

NOT_OPEN = frozenset({State.CANCELLED, State.SCHEDULED, State.EXPIRED})


def clicked(connection: Connection, workspace: int, delivery_id: str, click: Click, *, directory: Directory) -> None:
    """Keep the click, and what it makes of the answer. Of a delivery that is known no more nothing is kept: whoever it
    went to was forgotten; nor of one that was opened hundreds of times, of which all is said."""
    delivery = deliveries.by_id(connection, workspace, delivery_id)
    if delivery is None:
        return
    before = clicks.of_deliveries(connection, workspace, [delivery_id]).get(delivery_id, [])
    if len(before) >= MOST_READ:
        return
    clicks.keep(connection, workspace, delivery_id, click)
    known = responses.of_delivery(connection, workspace, delivery_id)
    is_first = click.opens_the_survey and not any(each.opens_the_survey for each in before)
    if is_first and (known is None or known.verdict is not Verdict.BOT):
        funnel.clicked(connection, delivery, click.at, 1)  # keeping a machine's answer takes it back
    if delivery.state not in NOT_OPEN and click.at < delivery.closes_at and not _is_settled(known):
        _judge(connection, delivery, [*before, click], known, directory=directory)


def against(connection: Connection, delivery: Delivery, opened: Sequence[Click]) -> tuple[Finding, ...]:
    """What speaks for a machine, given everything that was opened of an invitation."""
    reminder = deliveries.reminder_of(connection, delivery)
    mails = (delivery, reminder) if reminder is not None else (delivery,)
    known = [mail.sent_at for mail in mails if mail.sent_at is not None and mail.state is not State.UNKNOWN]
    return findings(Visits(clicks=opened, handed_over=known))


def _is_settled(known: Response | None) -> bool:
    """A person or a member has spoken, or it counts already: what is opened afterwards changes nothing."""
    return known is not None and (known.is_said or known.judged_by is not None)


def _judge(
    connection: Connection, delivery: Delivery, opened: Sequence[Click], known: Response | None, *, directory: Directory
) -> None:
    """Keep what the newest click makes of the response; there is none until a score is tapped."""
    newest = opened[-1]
    if known is None and not newest.is_tap:
        return
    reasons = against(connection, delivery, opened)
    is_changed = newest.is_tap and not reasons and (known is None or known.value != newest.value)
    if known is not None and not is_changed:
        if known.verdict is Verdict.BOT or not reasons:
            return
        response = msgspec.structs.replace(known, updated_at=newest.at)
    else:
        person = contacts.by_id(connection, delivery.workspace, [delivery.contact]).get(delivery.contact)
        assert newest.value is not None
        response = responded.made(
            connection,
            delivery,
            person,
            known,
            value=newest.value,
            comment=None,
            directory=directory,
            now=newest.at,
            verdict=Verdict.PROVISIONAL,
        )
    wait = directory.workspaces[delivery.workspace].unconfirmed_clicks.wait
    response = msgspec.structs.replace(
        response,
        verdict=Verdict.BOT if reasons else Verdict.PROVISIONAL,
        confirmed=False,
        evidence=reasons,
        settles_at=newest.at + wait if wait and not reasons else None,
    )
    responded.keep(connection, response, known, delivery, directory=directory, now=newest.at)
