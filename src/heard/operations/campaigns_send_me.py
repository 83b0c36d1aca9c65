"""The very mail of a campaign, to look at and to send to oneself. Its links open a preview, which keeps nothing."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs
from sqlalchemy import Connection

from heard import ids
from heard.campaigns.campaign import Campaign
from heard.channels.email.address import reachable
from heard.channels.email.compose import compose
from heard.channels.email.mail import Mail
from heard.contacts import address as addresses
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.ledger import TouchKind
from heard.errors import Invalid
from heard.installation import Installation
from heard.store import contacts, recent
from heard.surveys.spoken import language_for


def mailbox(email: str) -> str:
    """Where a member's mail goes. Raises Invalid when they sign in with what is no address for mails."""
    found = addresses.read(email)
    if found is None or reachable(found) is None:
        raise Invalid(f"{email} is no address a mail can go to; members with a real one can be sent a mail.")
    return found


async def send_me(app: Installation, campaign: Campaign, *, to: str) -> str:
    """Hand the mail to the channel; gives its id. There is no delivery, no touch, and no answer to it counts.

    Raises:
        DeliveryFailed: the mail server did not take it.
        Invalid: the brand's own addresses cannot be used.
    """
    mail = await mail_of(app, campaign, to=to)
    await app.lanes.of(campaign.workspace).channel.hand_over(mail)
    return mail.delivery_id


async def mail_of(
    app: Installation, campaign: Campaign, *, to: str, contact: Contact | None = None, language: str | None = None
) -> Mail:
    """As it would go out now to somebody real: to `to` themselves where they are a contact, else to the newest one.

    `contact`: to whom instead. `language`: one that the survey speaks, whatever theirs is.
    """
    now = app.clock.now()
    if contact is None:
        contact = await app.store.read(lambda connection: _somebody(connection, campaign.workspace, to, now))
    survey = app.directory.surveys[campaign.survey]
    language = language or language_for(survey, traits.decode(contact.traits))
    spoken = survey.languages.index(language)
    composed = compose(
        _delivery(campaign, contact, now, to=to, language=spoken),
        contact,
        campaign=campaign,
        survey=structs.replace(survey, languages=(language,)),
        brand=app.directory.workspaces[campaign.workspace].brand,
        at_most=app.promise(campaign, survey),
        keys=app.keys,
        base_url=app.base_url,
        now=now,
        purpose=ids.PREVIEW,
    )
    return app.signed(campaign.workspace, composed)


def nobody_known(workspace: int, now: datetime) -> Contact:
    """Somebody about whom nothing is known."""
    return Contact(id=0, workspace=workspace, user_id=None, first_seen=now)


def named(connection: Connection, workspace: int, who: str) -> Contact | None:
    """The contact with this userId or address."""
    if found := contacts.by_user_id(connection, workspace, [who]).get(who):
        return found
    key = addresses.key(who)
    same = contacts.by_email_key(connection, workspace, [key]).get(key)
    return same[0] if same else None


def _somebody(connection: Connection, workspace: int, to: str, now: datetime) -> Contact:
    key = addresses.key(to)
    themselves = contacts.by_email_key(connection, workspace, [key]).get(key)
    found = themselves[0] if themselves else recent.newest_contact(connection, workspace)
    return found or nobody_known(workspace, now)


def _delivery(campaign: Campaign, contact: Contact, now: datetime, *, to: str, language: int) -> Delivery:
    """It is written nowhere."""
    return Delivery(
        id=ids.preview_id(campaign.workspace, campaign.id, now, language),
        workspace=campaign.workspace,
        decision=0,
        campaign=campaign.id,
        survey=campaign.survey,
        contact=contact.id,
        user_id=contact.user_id,
        address=to,
        channel=campaign.channel.value,
        kind=TouchKind.FIRST,
        state=State.SENT,
        due_at=now,
        event=campaign.event or "",
        event_at=now - campaign.delay,
    )
