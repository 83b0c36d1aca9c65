"""What an answer means: delivered, try again, or never.

Segment's list of what is tried again, and the codes by which a CDN says that the server behind it is away. Everything
else is discarded at once: the same request would be answered the same.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from heard.destinations.destination import Answer, Outcome

NOT_TRIED_AGAIN = frozenset({501})  # not implemented, and never will be in an hour
TRIED_AGAIN = frozenset(
    {408, 409, 423, 425, 429, *range(500, 512), *range(520, 531), 598, 599}  # 520 to 530 are Cloudflare's
) - NOT_TRIED_AGAIN  # fmt: skip
REFUSED_AS_A_WHOLE = frozenset({400, 413, 422})
NEVER = frozenset({"forbidden_address", "bad_url", "bad_request"})
LONGEST_WAIT = 3600.0  # seconds; who asks for more is asked again after that
MOST_QUOTED = 200  # characters of an answer's body


def outcome_of(answer: Answer, *, now: datetime, messages: int = 1) -> Outcome:
    """The outcome of an attempt to hand over so many `messages` at once."""
    status = answer.status
    if status is None:
        error = answer.error or "protocol"
        return Outcome(kind="discard" if error in NEVER else "retry", reason=error, detail=answer.detail)
    if 200 <= status < 300:
        return Outcome(kind="delivered", reason=f"http_{status}", detail=f"Answered {status}.")
    if 300 <= status < 400:
        detail = f"Answered {status}: redirects are not followed. Give the address that they lead to."
        return Outcome(kind="discard", reason="redirect", detail=detail)
    if status in TRIED_AGAIN:
        after = wait_asked_for(answer, now=now)
        return Outcome(kind="retry", reason=f"http_{status}", detail=_quoted(answer), after=after)
    kind = "divide" if messages > 1 and status in REFUSED_AS_A_WHOLE else "discard"
    return Outcome(kind=kind, reason=f"http_{status}", detail=_quoted(answer))


def wait_asked_for(answer: Answer, *, now: datetime) -> float | None:
    """The seconds that Retry-After asks for, an hour at the most; None where it asks for none.

    A whole number of seconds or a date, RFC 9110 10.2.3.
    """
    said = (answer.header("retry-after") or "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:20]), LONGEST_WAIT) if len(said) < 20 else LONGEST_WAIT
    with contextlib.suppress(ValueError, OverflowError):
        at = parsedate_to_datetime(said)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return min(max((at - now).total_seconds(), 0.0), LONGEST_WAIT)
    return None


def _quoted(answer: Answer) -> str:
    """The status, and how the answer goes on in its own words."""
    words = " ".join(answer.body[: MOST_QUOTED * 4].decode("utf-8", "replace").split())
    words = "".join(letter for letter in words if letter.isprintable())
    if not words:
        return f"Answered {answer.status}."
    return f"Answered {answer.status}: {words[:MOST_QUOTED]}{'…' if len(words) > MOST_QUOTED else ''}"
