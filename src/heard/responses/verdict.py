"""Was it a machine that opened the links of this mail? RULES, read top to bottom, is the answer.

Only what was fetched with GET makes a machine of a visit: whoever merely looks links up (HEAD) leaves no score behind,
and a person who comes after them is a person. One finding is enough, since nothing is lost by it: the form that a
person sends counts whatever opened the links before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

import msgspec

from heard.responses.clicks import GET, Click, Link
from heard.responses.scanners import known_as

AT_ONCE = timedelta(seconds=10)  # two different scores within this were not tapped by one finger
LOOKED_UP_FIRST = timedelta(seconds=60)  # between a HEAD and the GET of one link
TOO_SOON = timedelta(seconds=5)  # after the mail server took the mail; no person has opened it by then
MOST_READ = 200  # clicks of one invitation that are kept and judged


class Finding(msgspec.Struct, frozen=True):
    """One rule's reason, with its evidence in a sentence. It names neither a network address nor a browser."""

    rule: str
    said: str


class Visits(msgspec.Struct, frozen=True, kw_only=True):
    """All that was opened of one invitation, oldest first; `handed_over`: when its mail and its reminder were taken."""

    clicks: Sequence[Click]
    handed_over: Sequence[datetime] = ()


def findings(visits: Visits) -> tuple[Finding, ...]:
    """Every rule's reason to take it for a machine; none when nothing speaks for one."""
    return tuple(Finding(rule.__name__, said) for rule in RULES if (said := rule(visits)) is not None)


def hidden_link_was_opened(visits: Visits) -> str | None:
    """The mail holds a link that no person sees; whoever opens it reads the mail's source."""
    if not any(click.link is Link.HIDDEN and click.method == GET for click in visits.clicks):
        return None
    return "The link that no person can see was opened."


def several_scores_at_once(visits: Visits) -> str | None:
    """Two different scores were opened within ten seconds."""
    taps = [click for click in visits.clicks if click.is_tap]
    for place, first in enumerate(taps):
        burst = list(takewhile(lambda click, first=first: click.at - first.at < AT_ONCE, taps[place:]))
        if len(scores := {click.value for click in burst}) > 1:
            return f"{len(scores)} different scores were opened within {_length(burst[-1].at - first.at)}."
    return None


def link_was_looked_up_and_opened(visits: Visits) -> str | None:
    """One link by HEAD and by GET, close together: browsers of people send no HEAD."""
    looked_up: dict[tuple[Link, int | None], list[Click]] = {}
    for click in visits.clicks:
        if click.method != GET:
            looked_up.setdefault((click.link, click.value), []).append(click)
    for click in visits.clicks:
        for head in looked_up.get((click.link, click.value), ()) if click.method == GET else ():
            if (apart := abs(click.at - head.at)) < LOOKED_UP_FIRST:
                return f"One link was looked up (HEAD) and opened within {_length(apart)}."
    return None


def agent_is_a_known_scanner(visits: Visits) -> str | None:
    """The program says who it is, and it is none that people read with."""
    for click in visits.clicks:
        if click.method == GET and (who := known_as(click.agent)) is not None:
            return f"What opened a link calls itself a program: {who}."
    return None


def link_was_opened_too_soon(visits: Visits) -> str | None:
    """Within seconds after the mail server took the mail, or before it had."""
    for moment in visits.handed_over:
        for click in visits.clicks:
            if click.method == GET and moment - TOO_SOON < click.at < moment + TOO_SOON:
                if click.at < moment:
                    return "A link was opened before the mail server had taken the mail."
                return f"A link was opened {_length(click.at - moment)} after the mail server took the mail."
    return None


Rule = Callable[[Visits], str | None]

RULES: tuple[Rule, ...] = (
    hidden_link_was_opened,
    several_scores_at_once,
    link_was_looked_up_and_opened,
    agent_is_a_known_scanner,
    link_was_opened_too_soon,
)


def _length(length: timedelta) -> str:
    """`3 seconds`; whole ones, and at least one."""
    seconds = max(1, round(length.total_seconds()))
    return "a second" if seconds == 1 else f"{seconds} seconds"
