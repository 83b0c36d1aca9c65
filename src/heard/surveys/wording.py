"""A kind of survey, put into words for one brand in one language."""

from __future__ import annotations

import msgspec

from heard.surveys.kinds import KINDS
from heard.surveys.locales import locale


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    language: str
    question: str
    low: int
    high: int
    least: str
    most: str
    follow_up: str
    longest: int  # characters of a comment


def worded(kind: str, *, brand: str, language: str = "en") -> Wording:
    """The words of a kind of survey. A language that lacks this kind asks in English: half a question is worse.

    Raises:
        KeyError: there is no such kind.
    """
    asked = KINDS[kind]
    translated = locale(language).questions.get(kind)
    scored, follow_up = (asked.scored, asked.follow_up) if translated is None else translated
    return Wording(
        language=language if translated else "en",
        question=scored.text.replace("{brand}", brand),
        low=asked.scored.low,
        high=asked.scored.high,
        least=scored.least,
        most=scored.most,
        follow_up=follow_up.text.replace("{brand}", brand),
        longest=asked.follow_up.longest,
    )
