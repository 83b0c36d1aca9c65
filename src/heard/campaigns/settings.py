"""A campaign as its author writes it, in the workspace file: names, lengths and shares as text.

Every key is read by name. A key that Heard knows but does not obey yet is refused, not ignored: a campaign that
promised less than it says would ask people it should not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from heard import durations, fql
from heard.campaigns.campaign import (
    GATHERED,
    LATEST_AGAIN,
    LATEST_REMINDER,
    LONGEST_DRIP,
    SOONEST_AGAIN,
    SOONEST_REMINDER,
    Channel,
    LinkIdentity,
    Recipients,
    Status,
    Template,
)
from heard.campaigns.window import Day, Window
from heard.errors import Invalid

NOT_YET = ("language",)
THE_CALLERS = ("name", "survey")
CHANNELS_NOT_YET = ("widget",)
OF_LINKS = frozenset(
    {"channel", "throttle", "quota", "starts", "ends", "list", "status", "link_identity"}
)  # what a campaign by link obeys; it writes to nobody, and nothing leads to it


def read(written: Mapping[str, Any], *, field: str = "campaign") -> dict[str, Any]:
    """The keyword arguments of a `Campaign` that this mapping stands for; name, survey and ids are the caller's.

    Raises:
        Invalid: naming the key (`campaigns[0].throttle`) and the fix, for anything that cannot be obeyed as written.
    """
    refuse_unknown(written, field=field)
    read_as = {
        key: _READERS[key](value, f"{field}.{key}")
        for key, value in written.items()
        if key in _READERS and value is not None
    }
    if read_as.get("channel") is Channel.LINK:
        _refuse_what_is_of_mails(read_as, field)
        return {**read_as, "recipients": Recipients.LINK}
    if read_as.pop("link_identity", None):
        said = "leave it out; only a campaign with the channel link has a link."
        raise Invalid(f"{field}.link_identity: {said}", field=f"{field}.link_identity")
    read_as["recipients"] = _recipients_of(read_as, field)
    return read_as


def _refuse_what_is_of_mails(read_as: Mapping[str, Any], field: str) -> None:
    for key in read_as:
        if key not in OF_LINKS:
            said = f"leave it out; a campaign with the channel link mails nobody and waits for nothing, so `{key}`"
            raise Invalid(f"{field}.{key}: {said} has no meaning.", field=f"{field}.{key}")


def _recipients_of(read_as: Mapping[str, Any], field: str) -> Recipients:
    """Whom it asks, where that can be told; without a word, whoever does the event."""
    api_alone = read_as.get("api") and not read_as.get("event")
    recipients = read_as.get("recipients", Recipients.API if api_alone else Recipients.EVENT)
    needed, why = _NEEDS[recipients]
    if needed and not read_as.get(needed):
        raise Invalid(f"{field}.{needed}: {why}", field=f"{field}.{needed}")
    if recipients is not Recipients.EVENT and read_as.get("event"):
        said = f"leave it out; a campaign with the recipients {recipients} waits for no event."
        raise Invalid(f"{field}.event: {said}", field=f"{field}.event")
    if read_as.get("drip") and recipients not in GATHERED:
        said = "only the recipients list and audience can be spread over days; leave it out."
        raise Invalid(f"{field}.drip: {said}", field=f"{field}.drip")
    return recipients


_NEEDS: Mapping[Recipients, tuple[str | None, str]] = {
    Recipients.EVENT: (
        "event",
        "name the event that leads to the survey, or say whom to ask with `recipients`: list, audience or api.",
    ),
    Recipients.API: (None, ""),
    Recipients.LIST: ("list", "name the list whose contacts are asked."),
    Recipients.AUDIENCE: ("audience", "name the audience whose members are asked."),
}


def refuse_unknown(written: Mapping[str, Any], *, field: str) -> None:
    """Raises Invalid for the first key that has no meaning, or none yet; a typo is named before what it led to."""
    for key, value in written.items():
        where = f"{field}.{key}"
        if key not in (*_READERS, *NOT_YET, *THE_CALLERS):
            known = ", ".join((*THE_CALLERS, *sorted(_READERS)))
            raise Invalid(f"{where}: there is no such key. Known: {known}.", field=where)
        if key in NOT_YET and value is not None:
            raise Invalid(f"{where}: not yet: this version of Heard does not know `{key}`; leave it out.", field=where)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 500 or not value.isprintable():
        raise Invalid(f"{where}: write a text of 1 to 500 characters on one line.", field=where)
    return value


def _length(value: object, where: str) -> Any:
    try:
        return durations.parse(value, field=where)
    except Invalid as error:
        raise Invalid(f"{where}: {error}", field=where) from None


def _reminder(value: object, where: str) -> Any:
    length = _length(value, where)
    if length < SOONEST_REMINDER:
        raise Invalid(f"{where}: write 24h or more, like 3d; nobody is written to twice within a day.", field=where)
    if length > LATEST_REMINDER:
        raise Invalid(f"{where}: write 29d or less; an invitation can be answered for 30 days.", field=where)
    return length


def _again(value: object, where: str) -> Any:
    length = _length(value, where)
    if not SOONEST_AGAIN <= length <= LATEST_AGAIN:
        raise Invalid(f"{where}: write 30d to 365d, like 90d.", field=where)
    return length


def _drip(value: object, where: str) -> Any:
    length = _length(value, where)
    if length.seconds or not timedelta(days=1) <= length <= LONGEST_DRIP:
        raise Invalid(f"{where}: write whole days, 1d to 365d, like 30d.", field=where)
    return length


def _yes(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{where}: write true or false.", field=where)
    return value


def _recipients(value: object, where: str) -> Recipients:
    if value not in tuple(_NEEDS):
        raise Invalid(f"{where}: write one of {', '.join(_NEEDS)}.", field=where)
    return Recipients(str(value))


def _condition(value: object, where: str) -> str:
    text = _text(value, where)
    try:
        fql.predicate(text)
    except Invalid as error:
        raise Invalid(f"{where}: {error}", field=where) from None
    return text


def _share(value: object, where: str) -> float:
    """`25%` or 0.25."""
    try:
        share = float(value[:-1]) / 100 if isinstance(value, str) and value.endswith("%") else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        share = -1.0
    if not 0 < share <= 1 or isinstance(value, bool):
        raise Invalid(f"{where}: write a share above 0% and up to 100%, like 25%.", field=where)
    return share


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Invalid(f"{where}: write a whole number, 1 or more.", field=where)
    return value


def _moment(value: object, where: str) -> datetime:
    """A date means its first moment in UTC; a time without a zone is UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), tzinfo=UTC)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Invalid(f"{where}: write a date like 2027-01-31.", field=where) from None
    if not isinstance(value, datetime):
        raise Invalid(f"{where}: write a date like 2027-01-31.", field=where)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _window(value: object, where: str) -> Window:
    written = _keys(value, where, {"days", "from", "to", "zone"})
    days = written.get("days", [day.name.lower() for day in Day])
    try:
        chosen = tuple(sorted({Day[str(day).upper()] for day in days}))
    except (KeyError, TypeError):
        raise Invalid(f"{where}.days: write a list of mon, tue, wed, thu, fri, sat, sun.", field=where) from None
    start, end = _hour(written.get("from", "00:00"), f"{where}.from"), _hour(written.get("to", "23:59"), f"{where}.to")
    if not chosen or start >= end:
        raise Invalid(f"{where}: the window never opens; `from` comes before `to`, on at least one day.", field=where)
    zone = written.get("zone", "contact")
    if zone != "contact":
        try:
            ZoneInfo(str(zone))
        except (KeyError, ValueError, OSError):
            raise Invalid(f"{where}.zone: write `contact` or a zone like Europe/Berlin.", field=where) from None
    return Window(days=chosen, start=start, end=end, zone=str(zone))


def _keys(value: object, where: str, known: set[str]) -> Mapping[str, Any]:
    """A mapping that has only these keys."""
    if not isinstance(value, Mapping):
        raise Invalid(f"{where}: write {', '.join(sorted(known))}.", field=where)
    written = cast("Mapping[str, Any]", value)
    for key in written:
        if key not in known:
            raise Invalid(f"{where}.{key}: there is no such key. Known: {', '.join(sorted(known))}.", field=where)
    return written


def _hour(value: object, where: str) -> time:
    if isinstance(value, int) and not isinstance(value, bool):  # YAML 1.1 reads 09:30 without quotes as 570 minutes
        value = f"{value // 60:02d}:{value % 60:02d}"
    try:
        hour = time.fromisoformat(str(value))
    except ValueError:
        hour = None
    if hour is None or hour.tzinfo is not None:
        raise Invalid(f'{where}: write a time of day like "09:00"; the zone has a key of its own.', field=where)
    return hour


def _template(value: object, where: str) -> Template:
    written = _keys(value, where, {"subject", "intro", "outro"})
    for key, text in written.items():
        if not isinstance(text, str) or len(text) > 2000:
            raise Invalid(f"{where}.{key}: write a text of at most 2,000 characters.", field=f"{where}.{key}")
    return Template(**written)


def _channel(value: object, where: str) -> Channel:
    if value in CHANNELS_NOT_YET:
        raise Invalid(f"{where}: not yet: this version of Heard asks by email and by link.", field=where)
    try:
        return Channel(str(value))
    except ValueError:
        raise Invalid(f"{where}: write email or link.", field=where) from None


def _link_identity(value: object, where: str) -> LinkIdentity:
    try:
        return LinkIdentity(str(value))
    except ValueError:
        raise Invalid(f"{where}: write known or signed.", field=where) from None


def _status(value: object, where: str) -> Status:
    try:
        return Status(str(value))
    except ValueError:
        raise Invalid(f"{where}: write one of {', '.join(Status)}.", field=where) from None


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "channel": _channel,
    "recipients": _recipients,
    "event": _text,
    "where": _condition,
    "audience": _text,
    "list": _text,
    "api": _yes,
    "delay": _length,
    "throttle": _length,
    "reminder": _reminder,
    "recurring": _again,
    "drip": _drip,
    "older_than": _length,
    "sample": _share,
    "window": _window,
    "daily_cap": _count,
    "quota": _count,
    "starts": _moment,
    "ends": _moment,
    "forward_to": _text,
    "link_identity": _link_identity,
    "template": _template,
    "status": _status,
}
