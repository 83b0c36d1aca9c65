"""From a delivery to its mail: whose words, in which language, and where replies go."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import msgspec

from heard.campaigns.campaign import Template
from heard.channels.email.compose import compose
from heard.contacts.contact import Contact
from heard.ids import LinkKeys
from heard.surveys.survey import Survey
from tests.examples import a_campaign, a_delivery
from tests.spec.test_mail import ACME, NOON


def composed(*, language: str | None = None, **campaign: Any) -> Any:
    """The mail of a delivery to somebody, read."""
    traits = msgspec.json.encode({"firstName": "Ann", **({"language": language} if language else {})})
    mail = compose(
        a_delivery(address="ann@example.com"),
        Contact(id=1, workspace=1, user_id="ann", email="ann@example.com", traits=traits, first_seen=NOON),
        campaign=a_campaign(**campaign),
        survey=Survey(id=1, workspace=1, name="NPS", kind="nps", languages=("en", "de")),
        brand=ACME,
        at_most=None,
        keys=LinkKeys(b"k" * 32),
        base_url="https://heard.example",
        now=NOON,
    )
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(mail.content)


def test_replies_go_where_the_campaign_says_else_where_the_brand_does():
    assert composed()["Reply-To"] == "success@acme.example"
    assert composed(forward_to="Orders <orders@acme.example>")["Reply-To"] == "Orders <orders@acme.example>"


def test_somebody_gets_the_mail_in_their_language_but_a_members_own_words_as_they_are():
    german = composed(language="de-AT")
    assert german["Subject"] == "Acme: eine Frage"
    assert "Wie wahrscheinlich ist es" in german.get_body(("plain",)).get_content()
    assert composed(language="fr")["Subject"] == "Acme: one question"
    assert composed(language="de", template=Template(subject="Hallo {{ firstName }}"))["Subject"] == "Hallo Ann"
