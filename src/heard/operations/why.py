"""Why was this person (not) asked? Every kept decision, and what would be decided now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign
from heard.contacts.contact import Contact
from heard.deliveries.decision import Decision, Outcome, Revision
from heard.deliveries.delivery import Delivery
from heard.deliveries.eligibility import Decline, decide
from heard.deliveries.ledger import TouchKind
from heard.deliveries.reasons import Objection
from heard.destinations.known import Known
from heard.installation import Installation
from heard.operations.contacts import described
from heard.operations.meant import contact_meant, workspace_meant
from heard.scores.window import rfc3339
from heard.store import decisions, deliveries
from heard.store.directory import Directory
from heard.store.story import MOST


async def why(
    app: Installation,
    *,
    user_id: str,
    campaign: str | None = None,
    workspace: str | None = None,
    workspace_id: int | None = None,
) -> dict[str, Any]:
    """`{"user_id", "contact", "decisions": [...], "now": [...]}`, decisions newest first. One whose invitation has a
    reminder has a `reminder` too: what became of it.

    `user_id` is a userId, `email:ann@x` or `id:12`. Somebody who was never identified has no contact; what was decided
    about their events is shown all the same.

    Raises:
        NotFound: there is no such campaign.
    """
    number = workspace_meant(app, workspace, workspace_id)
    directory, now = app.directory, app.clock.now()
    asked = [directory.campaign(number, campaign)] if campaign else directory.campaigns_of(number)

    def look(connection: Connection) -> dict[str, Any]:
        contact = contact_meant(connection, number, user_id)
        name = contact.user_id if contact else (None if user_id.startswith(("email:", "id:")) else user_id)
        kept = decisions.about(connection, number, user_id=name, contact=contact.id if contact else None)
        wanted = {each.id for each in asked}
        sent = deliveries.of_contact(connection, number, contact.id, limit=MOST) if contact else []
        reminders = {each.decision: each for each in sent if each.kind == TouchKind.REMINDER}
        return {
            "user_id": name,
            "contact": described(connection, contact) if contact else None,
            "decisions": [
                _decision(each, reminders.get(each.id), directory) for each in kept if each.campaign in wanted
            ],
            "now": [_now(each, Known(connection, directory, number), contact, now) for each in asked],
        }

    return await app.store.read(look)


def _now(campaign: Campaign, known: Known, contact: Contact | None, now: datetime) -> dict[str, Any]:
    """What would be decided if an event that meets the conditions came in now."""
    answer = decide(known.case(campaign, None, contact, now=now))
    why_not = answer.objections if isinstance(answer, Decline) else ()
    outcome = Outcome.DECLINED if why_not else Outcome.INVITED
    return {"campaign": campaign.name, "outcome": outcome.value, "objections": objections(why_not)}


def _decision(decision: Decision, reminder: Delivery | None, directory: Directory) -> dict[str, Any]:
    campaign = directory.campaigns.get(decision.campaign)
    return {
        "at": rfc3339(decision.at),
        "campaign": campaign.name if campaign else None,
        "event": decision.event,
        "message_id": decision.message_id,
        "outcome": decision.outcome.value,
        "objections": objections(decision.objections),
        "revisions": [_revision(each) for each in decision.revisions],
        "delivery_id": decision.delivery,
        **({"reminder": _reminder(reminder)} if reminder else {}),
    }


def _reminder(reminder: Delivery) -> dict[str, Any]:
    return {
        "id": reminder.id,
        "kind": reminder.kind.value,
        "state": reminder.state.value,
        "due_at": rfc3339(reminder.due_at),
        "sent_at": rfc3339(reminder.sent_at) if reminder.sent_at else None,
        "error": reminder.error,
    }


def _revision(revision: Revision) -> dict[str, Any]:
    """What the decision was until `at`, and why it changed."""
    return {
        "at": rfc3339(revision.at),
        "outcome": revision.outcome.value,
        "objections": objections(revision.objections),
        "cause": revision.cause,
    }


def objections(some: Iterable[Objection]) -> list[dict[str, Any]]:
    return [
        {"reason": each.reason.value, "until": rfc3339(each.until) if each.until else None, "detail": each.detail}
        for each in some
    ]
