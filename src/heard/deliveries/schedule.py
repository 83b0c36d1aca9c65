"""When an invitation is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from heard.campaigns.campaign import Campaign
from heard.campaigns.window import first_moment
from heard.contacts import zone as zones
from heard.contacts.contact import Contact

UTC_ZONE = ZoneInfo("UTC")


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


def zone_of(campaign: Campaign, contact: Contact | None) -> ZoneInfo:
    """The clock that the campaign's window is read on: a named zone, the recipient's when it is known, or UTC."""
    if campaign.window is None:
        return UTC_ZONE
    if campaign.window.zone != "contact":
        return ZoneInfo(campaign.window.zone)
    return (zones.of(contact) if contact else None) or UTC_ZONE
