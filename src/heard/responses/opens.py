"""Whether a mail was opened, as far as anybody can tell: its picture was loaded. Unreliable, both ways.

Mail programs load pictures before anybody reads (Apple's Mail Privacy Protection, proxies of providers), and many load
none. So it is only counted, where a workspace wants that, and decides nothing: no rule, verdict or reminder asks it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from heard.responses.scanners import known_as

APPLE = "Mozilla/5.0"  # all that Apple's proxies say of themselves; every browser says more
UNRELIABLE = "Unreliable: many mail programs load pictures before anybody reads, and many load none."


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """The first time a mail's picture was loaded. `machine`: who that was, where it says so; None = maybe a person."""

    at: datetime
    agent: str
    machine: str | None


def opened(at: datetime, agent: str) -> Open:
    return Open(at=at, agent=agent, machine=machine(agent))


def machine(agent: str) -> str | None:
    """Who loads pictures for others, by the name it gives itself."""
    said = agent.strip()
    if not said:
        return "a program without a name"
    if said == APPLE:
        return "Apple Mail Privacy Protection"
    return known_as(said)


def is_news(before: Open | None, now: Open) -> bool:
    """Whether it is to be kept: the first one, or the first that may be a person's after a machine's."""
    return before is None or (before.machine is not None and now.machine is None)
