"""When an invitation is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from heard.campaigns.campaign import Campaign
from heard.campaigns.window import first_moment

UTC_ZONE = ZoneInfo("UTC")
ZONE_TRAITS = ("timezone", "timeZone", "time_zone", "tz")


def due(campaign: Campaign, *, event_at: datetime, now: datetime, zone: ZoneInfo = UTC_ZONE) -> datetime:
    """`delay` after the event's corrected time, never in the past, moved into the send window if there is one."""
    return in_window(campaign, max(event_at + campaign.delay, now), zone)


def in_window(campaign: Campaign, moment: datetime, zone: ZoneInfo) -> datetime:
    """The first moment from here on at which the campaign may send."""
    window = campaign.window
    return first_moment(window, moment, zone) if window else moment


def slices(campaign: Campaign, start: datetime, zone: ZoneInfo = UTC_ZONE) -> tuple[datetime, ...]:
    """The moments at which a drip asks, one a day from `start` on, at the same hour of the clock in `zone`.

    Days on which the send window is closed are left out, so that weekdays share evenly what a weekend does not take. A
    campaign that does not drip has one moment: `start`.
    """
    if campaign.drip is None:
        return (start,)
    here = start.astimezone(zone)
    days = [here.date() + timedelta(days=ahead) for ahead in range(campaign.drip.days)]
    open_ = [day for day in days if campaign.window is None or day.weekday() in campaign.window.days]
    return tuple(
        datetime.combine(day, here.timetz().replace(tzinfo=None), tzinfo=zone).astimezone(start.tzinfo) for day in open_
    ) or (start,)


def campaigns_zone(campaign: Campaign) -> ZoneInfo:
    """The clock on which its days are counted, whoever is asked: that of its window where it names one, or UTC."""
    return UTC_ZONE if campaign.window is None or campaign.window.zone == "contact" else ZoneInfo(campaign.window.zone)


def zone_of(campaign: Campaign, traits: Mapping[str, Any]) -> ZoneInfo:
    """The clock that the campaign's window is read on: a named zone, the recipient's when a trait names it, or UTC."""
    if campaign.window is None:
        return UTC_ZONE
    if campaign.window.zone != "contact":
        return ZoneInfo(campaign.window.zone)
    for name in ZONE_TRAITS:
        value = traits.get(name)
        if isinstance(value, str) and value and (zone := _named(value)) is not None:
            return zone
    return UTC_ZONE


@lru_cache(maxsize=2048)
def _named(name: str) -> ZoneInfo | None:
    """Each is read once; the library keeps eight of them, and reads the others again and again."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # whatever the application calls a zone, a wrong one is no zone
        return None
