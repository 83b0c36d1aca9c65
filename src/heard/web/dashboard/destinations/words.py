"""What pages say of a destination: its state, and the reasons that it or routing has, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from heard.courier import Courier
from heard.destinations.veiled import veiled
from heard.routing.destination import SURVEYS, Destination
from heard.routing.reasons import Reason
from heard.web.dashboard import say

REFUSED: Mapping[str, tuple[str, str]] = {
    Reason.NOT_CONNECTED: ("Its source does not feed this destination", "settings"),
    Reason.DISABLED: ("The destination was switched off", "settings"),
    Reason.METHOD_NOT_SUPPORTED: ("It does not take this type of call", ""),
    Reason.ITS_OWN: ("It came from there, and does not go back", ""),
    Reason.CONSENT_DENIED: ("The person did not consent to one of its categories", "settings"),
    Reason.INTEGRATIONS_OBJECT: ("The sender’s integrations object says no", ""),
    Reason.BUNDLED: ("The page delivered it itself", ""),
    Reason.EVENT_SWITCH: ("The event is switched off here", "events"),
    Reason.FILTER_INVALID: ("A filter cannot be read, so everything is withheld", "filters"),
    Reason.SAMPLED_OUT: ("The person is not in the sample of a filter", "filters"),
    Reason.FILTERED: ("A filter drops it", "filters"),
}
"""Why routing kept a message from here, and which page of the destination changes it."""

TROUBLE: Mapping[str, str] = {
    "timeout": "It did not answer in time",
    "refused": "It refused the connection",
    "unreachable": "It cannot be reached",
    "reset": "It broke the connection off",
    "dns": "Its name leads nowhere",
    "tls": "Its certificate cannot be trusted",
    "protocol": "It does not speak HTTP",
    "forbidden_address": "Its address is not on the public internet",
    "bad_url": "Its address cannot be used",
    "bad_request": "A header cannot be sent",
    "redirect": "It answered with a redirect, which is not followed",
    "settings": "The settings made no request of it",
    "message_gone": "The message is kept no longer",
    "failed": "Something went wrong in Heard itself",
    "sent again by hand": "Sent again by hand",
}


MOST_QUOTED = 90  # characters of what was wrong


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A state: its badge (text, kind, sign), and a sentence where there is more to say."""

    badge: tuple[str, str, str]
    sentence: str = ""


def refused(reason: str) -> tuple[str, str]:
    """A sentence for a reason of routing, and the page that changes it ("" where that is not ours to change)."""
    return REFUSED.get(reason, (reason.replace("_", " ").capitalize(), ""))


def trouble(reason: str) -> str:
    """What was wrong with a try, in a few words."""
    if reason.startswith("http_"):
        return f"It answered {reason.removeprefix('http_')}"
    return TROUBLE.get(reason, reason.replace("_", " ").capitalize())


def state(
    destination: Destination,
    courier: Courier | None,
    *,
    ever: bool,
    now: datetime,
    waits: int = 0,
    at_most: timedelta | None = None,
) -> Said:
    """`ever`: something was delivered lately. `waits`: messages that surveys take on the next day. `at_most`: how long
    messages wait for a destination that takes none."""
    if not destination.enabled:
        return Said(badge=("Switched off", "off", "no"), sentence="Nothing is sent there until it is switched on.")
    if destination.type == SURVEYS and waits:
        which = "1 message waits" if waits == 1 else f"{waits:,} messages wait"
        return Said(
            badge=("Full for today", "warn", "clock"), sentence=f"{which} for the next day, from midnight UTC on."
        )
    if destination.type == SURVEYS:
        return Said(badge=("Taking messages", "good", "check"))
    if courier is not None and courier.failing_since is not None:
        wrong = _short(courier.trouble or "", destination)
        if courier.resting_until is None or courier.resting_until <= now:
            return Said(badge=("Failing", "warn", "warn"), sentence=f"{wrong} It is tried again.")
        since = say.moment(courier.failing_since, now)
        return Said(
            badge=("Resting", "bad", "pause"),
            sentence=f"Since {since}: {wrong} It is tried again {say.distance(courier.resting_until, now)}; "
            f"what comes meanwhile waits{f', {say.length(at_most)} at the longest' if at_most else ''}.",
        )
    if courier is not None and courier.trouble:
        wrong = _short(courier.trouble, destination)
        return Said(badge=("Refusing", "warn", "warn"), sentence=f"It refused the last message: {wrong}")
    if ever:
        return Said(badge=("Delivering", "good", "check"))
    return Said(badge=("Nothing yet", "", "clock"))


def _short(trouble: str, destination: Destination) -> str:
    """The beginning of what an answer said: a state is read at a glance, and the tries show the whole."""
    trouble = veiled(trouble, destination.type, destination.settings)
    if len(trouble) > MOST_QUOTED:
        return f"{trouble[:MOST_QUOTED].rstrip()}…"
    return f"{trouble.rstrip('.')}."


def seconds(length: float | None) -> str:
    """0.0841 -> "84 ms", 2.31 -> "2.3 s", 4000 -> "67 min"; nothing where nothing was measured."""
    if length is None:
        return ""
    if length < 1:
        return f"{max(1, round(length * 1000))} ms"
    if length < 120:
        return f"{length:.1f} s" if length < 10 else f"{length:.0f} s"
    return f"{length / 60:,.0f} min" if length < 7200 else f"{length / 3600:,.0f} h"
