"""A link of a mail was opened, by whomever: the raw fact, from which verdicts are read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

GET = "GET"


class Link(StrEnum):
    """Which link of the mail."""

    SCORE = "score"  # one of the numbers
    HIDDEN = "hidden"  # the one that no person sees
    LEAVE = "leave"  # to the preferences
    SURVEY = "survey"  # the survey's page without a number


OPENS_THE_SURVEY = frozenset({Link.SCORE, Link.SURVEY})


class Click(msgspec.Struct, frozen=True, kw_only=True):
    """`value`: the score that the link preselects; None where it has none. `agent` and `client`, the browser's name for
    itself and the network address, are empty once they were kept long enough."""

    at: datetime
    method: str  # GET or HEAD
    link: Link
    value: int | None = None
    agent: str = ""
    client: str = ""

    @property
    def is_tap(self) -> bool:
        """Whether a person may have tapped a number: their browser GETs it."""
        return self.link is Link.SCORE and self.method == GET and self.value is not None

    @property
    def opens_the_survey(self) -> bool:
        return self.method == GET and self.link in OPENS_THE_SURVEY
