"""From a delivery that is due to the mail it becomes."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import structs

from heard.accounts.workspace import Brand
from heard.campaigns.campaign import Campaign, Template
from heard.channels.email.invitation import Invitation, Reminded
from heard.channels.email.mail import Mail
from heard.channels.email.render import render
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.delivery import Delivery
from heard.ids import OPENED, RESPONDENT, LinkKeys
from heard.surveys.because import because
from heard.surveys.locales import locale
from heard.surveys.spoken import language_for
from heard.surveys.survey import Survey
from heard.surveys.wording import worded


def compose(
    delivery: Delivery,
    contact: Contact,
    *,
    campaign: Campaign,
    survey: Survey,
    brand: Brand,
    at_most: timedelta | None,
    keys: LinkKeys,
    base_url: str,
    now: datetime,
    purpose: bytes = RESPONDENT,
    reminds_of: Delivery | None = None,
    count_opens: bool = False,
) -> Mail:
    """The same delivery gives the same Message-ID and the same links on every try.

    `at_most`: how often this survey comes at the most; None = nothing is promised. `purpose`: what the links are for.
    `reminds_of`: of a reminder, the invitation; its links open that one, since both ask for one answer. `count_opens`:
    whether a picture tells that this mail was opened.
    """
    known = traits.decode(contact.traits)
    opens = reminds_of or delivery
    token = keys.token(delivery.workspace, opens.id, purpose=purpose)
    language = language_for(survey, known)
    invitation = Invitation(
        delivery_id=delivery.id,
        to_address=delivery.address,
        to_name=traits.full_name(known),
        brand=brand if campaign.forward_to is None else structs.replace(brand, reply_to=campaign.forward_to),
        template=_in(language, campaign.template),
        wording=worded(survey.kind, brand=brand.name, language=language),
        traits=known,
        link=f"{base_url}/s/{token}",
        unsubscribe=f"{base_url}/u/{token}",
        logos=f"{base_url}/logo/",
        image=f"{base_url}/o/{keys.token(delivery.workspace, delivery.id, purpose=OPENED)}.gif"
        if count_opens
        else None,
        hidden=f"{base_url}/about/{token}",
        because=because(delivery.event, delivery.event_at, now=now, language=language),
        at_most=at_most,
        reminds_of=Reminded(reminds_of.id, locale(language).on(reminds_of.sent_at or now, now=now))
        if reminds_of
        else None,
    )
    return render(invitation, at=now)


def _in(language: str, template: Template) -> Template:
    """Where nobody wrote words of their own, ours in this language."""
    ours, say = Template(), locale(language).mail
    return Template(
        subject=say.subject if template.subject == ours.subject else template.subject,
        intro=say.intro if template.intro == ours.intro else template.intro,
        outro=template.outro,
    )
