"""On whose clock a person lives: the zone that a trait of theirs names, else the one their browser or app says.

Segment's libraries send the zone of the browser or app with every call, as `context.timezone`. The last one that an
identify said is kept with the contact, beside the traits: those are shown and exported as they were sent.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from heard.contacts import traits
from heard.contacts.contact import Contact

TRAITS = ("timezone", "timeZone", "time_zone", "tz")
NOBODYS = frozenset({"Factory", "localtime"})  # what a machine calls its own, whichever that is


class _Context(msgspec.Struct):
    timezone: str | None = None


_context = msgspec.json.Decoder(_Context)


def said_in(context: bytes) -> str | None:
    """The zone of a message's `context`; None where there is none, or it is no zone."""
    try:
        said = _context.decode(context).timezone
    except msgspec.DecodeError:  # whatever it is, it is no name
        return None
    return said if said in _names() else None


def by_trait(contact: Contact) -> ZoneInfo | None:
    """The first zone that a trait names."""
    known = traits.decode(contact.traits)
    return next((zone for name in TRAITS if (zone := named(known.get(name))) is not None), None)


def of(contact: Contact) -> ZoneInfo | None:
    """None where nobody ever said."""
    return by_trait(contact) or named(contact.zone)


def named(name: object) -> ZoneInfo | None:
    """None where it is no zone."""
    return _named(name) if isinstance(name, str) and name in _names() else None


@cache
def _names() -> frozenset[str]:
    """Looked up once: what is no zone would be searched for on the disk, for longer than the whole message takes."""
    return frozenset(available_timezones()) - NOBODYS


@cache
def _named(name: str) -> ZoneInfo | None:
    """Each is read once; the library keeps eight of them, and reads the others again and again."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # it was there when we looked
        return None
