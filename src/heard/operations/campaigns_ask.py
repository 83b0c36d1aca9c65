"""Ask one person, or everybody on a list once more, because somebody said so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import GATHERED, RUNNING, Campaign, Channel, Status
from heard.contacts.contact import Contact
from heard.contacts.written import Person
from heard.deliveries.decision import Decision
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations.why import objections
from heard.scores.window import rfc3339
from heard.steps import enlist
from heard.steps.ask_one import ask_one
from heard.steps.waves import Asked
from heard.store import audit, contacts, deliveries, edits, tables, waves
from heard.store.waves import Wave


async def ask(
    app: Installation,
    *,
    workspace: int,
    campaign: str | None,
    person: Person,
    properties: Mapping[str, Any],
    key: str,
) -> dict[str, Any]:
    """Make or update the contact, and ask the campaign's rules about them now.

    `{"campaign", "outcome", "objections", "delivery_id", "due_at"}`. `key` makes it safe to say twice: the same one
    gives the first answer again. `campaign` None is the one with `api: true`, else the first by e-mail.

    Raises:
        NotFound: there is no such campaign, or none at all.
        Invalid: it asks by a link.
    """
    asked = app.directory.campaign(workspace, campaign) if campaign else meant(app, workspace)
    if asked.channel is Channel.LINK:
        raise Invalid(f"{asked.name} asks whoever follows its link; a program cannot ask somebody by it.")

    def work(connection: Connection) -> tuple[Decision, Asked, dict[str, Any]]:
        now = app.clock.now()
        contact = _contact(connection, app, workspace, person)
        decision, did = ask_one(
            connection,
            asked,
            contact,
            key=key,
            user_id=person.user_id,
            properties=properties,
            directory=app.directory,
            now=now,
        )
        delivery = deliveries.by_id(connection, workspace, decision.delivery) if decision.delivery else None
        return decision, did, {"due_at": rfc3339(delivery.due_at) if delivery else None}

    decision, did, when = await app.store.write(work)
    if did.changed:
        await app.reload()
    if did.told:
        app.couriers.wake()
    return {
        "campaign": asked.name,
        "outcome": decision.outcome.value,
        "objections": objections(decision.objections),
        "delivery_id": decision.delivery,
        **when,
    }


def meant(app: Installation, workspace: int) -> Campaign:
    """The campaign of a call that names none.

    Raises:
        NotFound: there is no campaign.
    """
    ours = app.directory.campaigns_of(workspace)
    by_mail = [each for each in ours if each.channel is Channel.EMAIL]
    found = next((each for each in by_mail if each.api), by_mail[0] if by_mail else None)
    if found is None:
        raise NotFound("There is no campaign by e-mail yet." if ours else "There is no campaign yet.")
    return found


async def send_again(app: Installation, *, workspace: int, number: int, everyone: bool, by: str) -> Campaign:
    """One more wave over the list or the audience: of those whom the campaign never asked, or of everybody.

    Raises:
        NotFound: there is no such campaign here.
        Invalid: it asks neither a list nor an audience.
        HeardError: the last wave is not over, or it is a draft or paused.
    """
    campaign = app.directory.campaigns.get(number)
    if campaign is None or campaign.workspace != workspace:
        raise NotFound("There is no such campaign in this workspace.")
    if campaign.recipients not in GATHERED:
        raise Invalid(f"{campaign.name} asks no list and no audience, so there is nobody to send it to.")
    if campaign.status not in (*RUNNING, Status.COMPLETE):
        raise HeardError(f"{campaign.name} is {campaign.status}; activate it first.")
    now = app.clock.now()

    def keep(connection: Connection) -> None:
        if not waves.begin(connection, workspace, number, everyone=everyone, now=now):
            raise HeardError(
                f"{campaign.name} is still going through its {campaign.recipients}; wait until it is done."
            )
        whom = "everybody" if everyone else "whoever was never asked"
        audit.note(
            connection, workspace, by=by, what="campaign.sent", subject=campaign.name, at=now, detail={"to": whom}
        )
        if campaign.status is Status.COMPLETE:
            row = next(each for each in edits.rows_of(connection, tables.campaigns, workspace) if each["id"] == number)
            edits.keep_campaign(
                connection,
                workspace,
                row,
                survey_name=app.directory.surveys[row["survey_id"]].name,
                now=now,
                name=row["name"],
                survey_id=row["survey_id"],
                settings=row["settings"],
                status=Status.READY.value,
            )

    await app.store.write(keep)
    await app.reload()
    return app.directory.campaigns[number]


async def last_wave(app: Installation, campaign: Campaign) -> Wave | None:
    """How far the newest wave is; None where there was none."""
    return await app.store.read(lambda connection: waves.latest(connection, campaign.workspace, campaign.id))


def _contact(connection: Connection, app: Installation, workspace: int, person: Person) -> Contact | None:
    """Whoever is meant. A userId that comes with nothing else makes nobody: nobody has said who that is."""
    if person.user_id is not None and person.email is None and not person.traits:
        return contacts.by_user_id(connection, workspace, [person.user_id]).get(person.user_id)
    done = enlist.enlist(connection, workspace, [person], name=None, directory=app.directory, now=app.clock.now())
    return done.people[0]
