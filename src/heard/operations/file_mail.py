"""How a workspace sends mail, in its file: how fast, and whether opens are counted. Keys and passwords stay out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.accounts.mail_settings import MailSettings, Rates
from heard.errors import Invalid
from heard.operations.file_changes import Change, compare
from heard.operations.mail import HIGHEST_RATE
from heard.store import mail_settings

SECTION = "mail"
LIMITS: Mapping[str, str] = {"hourly_limit": "hour", "daily_limit": "day", "domain_limit": "domain"}  # key -> of Rates
KEYS = (*LIMITS, "warm_up", "count_opens")
SECRET = ("server", "smtp", "url", "user", "password", "dkim", "secrets")


class MailLine(msgspec.Struct, frozen=True, kw_only=True):
    """The section, whole: what it leaves out is not set."""

    rates: Rates = Rates()
    count_opens: bool = False


def mail_line(value: object) -> MailLine:
    """Raises Invalid naming the key, `mail.daily_limit`, and the fix."""
    if not isinstance(value, dict):
        raise Invalid(f"{SECTION}: write keys and values below it.", field=SECTION)
    said: dict[str, Any] = {str(key): each for key, each in value.items()}
    for key in said:
        if key in SECRET:
            place = f"{SECTION}.{key}"
            raise Invalid(f"{place}: set it in Settings > Mail; keys and passwords are in no file.", field=place)
        if key not in KEYS:
            place = f"{SECTION}.{key}"
            raise Invalid(f"{place}: there is no such key. Known: {', '.join(KEYS)}.", field=place)
    limits = {name: _limit(said.get(key), f"{SECTION}.{key}") for key, name in LIMITS.items()}
    return MailLine(rates=Rates(**limits, warm_up=_day(said.get("warm_up"))), count_opens=_yes(said.get("count_opens")))


def as_written(settings: MailSettings) -> dict[str, Any]:
    """As the file has it; {} where nothing is set that a file could say."""
    rates = settings.rates
    written: dict[str, Any] = {key: getattr(rates, name) for key, name in LIMITS.items()}
    written |= {"warm_up": rates.warm_up and rates.warm_up.isoformat(), "count_opens": settings.count_opens or None}
    return {key: value for key, value in written.items() if value is not None}


def keep_mail(connection: Connection, workspace: int, line: MailLine, changes: list[Change]) -> None:
    """Bring the workspace to what the section says; keys, servers and what was paused stay."""
    was = mail_settings.of(connection, workspace)
    becomes = msgspec.structs.replace(was, rates=line.rates, count_opens=line.count_opens)
    if compare(changes, SECTION, as_written(was), as_written(becomes)):
        mail_settings.keep(connection, workspace, becomes)


def _limit(value: object, place: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= HIGHEST_RATE:
        raise Invalid(f"{place}: write a whole number from 1 on, or leave it out for no limit.", field=place)
    return value


def _day(value: object) -> date | None:
    place = f"{SECTION}.warm_up"
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Invalid(f"{place}: write a day like 2027-01-31, or leave it out for no warm-up.", field=place) from None


def _yes(value: object) -> bool:
    place = f"{SECTION}.count_opens"
    if value is not None and not isinstance(value, bool):
        raise Invalid(f"{place}: write true or false.", field=place)
    return bool(value)
