"""Every provider whose reports Heard reads. A new one is a file beside this one, and its line here."""

from __future__ import annotations

from collections.abc import Mapping

from heard.channels.email.reports.dsn import DSN
from heard.channels.email.reports.mailgun import MAILGUN
from heard.channels.email.reports.postmark import POSTMARK
from heard.channels.email.reports.provider import Provider
from heard.channels.email.reports.sendgrid import SENDGRID
from heard.channels.email.reports.ses import SES

PROVIDERS: tuple[Provider, ...] = (SES, SENDGRID, POSTMARK, MAILGUN, DSN)
BY_NAME: Mapping[str, Provider] = {each.name: each for each in PROVIDERS} | {"smtp": DSN}
