"""The tools whose mails a link stands in, and the tags by which they fill in who gets the mail.

As their manuals and users write them; one real mail shows whether they are filled in. A tag that holds an id of the
tool itself would name nobody here, so `user_id` is left empty where a tool knows only its own. No tag holds a double
quote: it stands in an attribute.
"""

from __future__ import annotations

import msgspec


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """`note`: what has to be so that the tags are filled in."""

    key: str
    name: str
    user_id: str = ""
    email: str = ""
    note: str = ""


OTHER = Tool(
    key="other",
    name="Another tool, or your own",
    user_id="USER_ID",
    email="EMAIL",
    note="Put the tags of your tool in place of USER_ID and EMAIL, or leave out the one that it does not know.",
)
TOOLS = (
    Tool(key="activecampaign", name="ActiveCampaign", email="%EMAIL%"),
    Tool(
        key="braze",
        name="Braze",
        user_id="{{${user_id}}}",
        email="{{${email_address}}}",
        note="The user_id of Braze is its external ID; it has to be the userId that you send to Heard.",
    ),
    Tool(key="brevo", name="Brevo", email="{{ contact.EMAIL }}"),
    Tool(
        key="customerio",
        name="Customer.io",
        user_id="{{customer.id}}",
        email="{{customer.email}}",
        note="The id of Customer.io has to be the userId that you send to Heard.",
    ),
    Tool(key="hubspot", name="HubSpot", email="{{ contact.email }}"),
    Tool(
        key="intercom",
        name="Intercom",
        user_id="{{user_id}}",
        email="{{email}}",
        note="Where your workspace writes these attributes in another way, choose them with Intercom's own button.",
    ),
    Tool(
        key="iterable",
        name="Iterable",
        user_id="{{userId}}",
        email="{{email}}",
    ),
    Tool(
        key="klaviyo",
        name="Klaviyo",
        user_id="{{ person.external_id }}",
        email="{{ email }}",
        note="The external ID has to be the userId that you send to Heard.",
    ),
    Tool(key="mailchimp", name="Mailchimp", email="*|EMAIL|*"),
    Tool(key="mailerlite", name="MailerLite", email="{$email}"),
    Tool(
        key="mailgun",
        name="Mailgun",
        user_id="%recipient.user_id%",
        email="%recipient_email%",
        note="user_id has to be among the recipient variables of the message.",
    ),
    Tool(
        key="postmark",
        name="Postmark",
        user_id="{{user_id}}",
        email="{{email}}",
        note="Both have to be in the template model.",
    ),
    Tool(
        key="segment",
        name="Segment Engage",
        user_id="{{profile.user_id}}",
        email="{{profile.traits.email}}",
    ),
    Tool(
        key="sendgrid",
        name="SendGrid",
        user_id="{{user_id}}",
        email="{{email}}",
        note="In a dynamic template; both have to be in its data.",
    ),
    Tool(
        key="zendesk",
        name="Zendesk",
        user_id="{{ticket.requester.external_id}}",
        email="{{ticket.requester.email}}",
        note="For the mail of a trigger or an automation on tickets.",
    ),
    OTHER,
)
BY_KEY = {each.key: each for each in TOOLS}
