"""One message to one destination, now, to see what it makes of it. A real request: whoever gets it cannot tell."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

from heard.destinations.destination import Answer, Document, Outcome, Request
from heard.destinations.kinds import KINDS
from heard.destinations.outcome import outcome_of
from heard.destinations.shown import shown_answer, shown_request
from heard.destinations.veiled import veiled, veiled_request
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.messages.message import TYPES
from heard.routing.destination import SURVEYS, Destination
from heard.routing.document import written
from heard.store import audit

MOST, WITHIN = 20, 60.0  # tries of one workspace, in so many seconds
LONGEST = 32 << 10  # octets of a message; what the collector takes


class TooOften(HeardError):
    """`seconds` until the next try."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"{MOST} tries a minute are enough to look. Wait {math.ceil(seconds)} seconds, then try again."
        )
        self.seconds = math.ceil(seconds)


async def try_(
    app: Installation, *, workspace: int, destination: int, message: Mapping[str, Any], by: str
) -> dict[str, Any]:
    """Send `message` there as its kind would, past switches, filters and consent, and also while it is switched off.

    Gives `{"request", "status", "answer", "seconds", "outcome": {"kind", "reason", "detail"}}`: both texts without
    secrets, `status` None where nothing came back, `kind` one of delivered, retry, discard. Nothing is kept of it
    beyond the audit log, and nothing is tried again.

    Raises:
        NotFound: there is no such destination.
        Invalid: `message` is none, or the destination does not take its type; `field` is "message".
        TooOften: the workspace tried often enough for now.
        HeardError: it is the surveys destination.
    """
    wanted, now = _of(app, workspace, destination), app.clock.now()
    kind = KINDS[wanted.type]
    document = _document(message, wanted, at=written(now))
    not_too_often(app.tried_by_hand.setdefault(workspace, deque()))
    delivery = f"msg_try_{uuid4().hex}"
    request: Request | None = None
    answer: Answer | None = None
    try:
        request = kind.request([document], wanted.settings, ids=[delivery], now=now)
    except Invalid as problem:
        outcome = Outcome(kind="discard", reason="settings", detail=str(problem))
    else:
        answer = await app.outgoing.send(request)
        outcome = outcome_of(answer, now=now)
    detail = {"type": document["type"], "outcome": outcome.reason}
    await app.store.write(
        lambda connection: audit.note(
            connection, workspace, by=by, what="destination.tried", subject=wanted.name, at=now, detail=detail
        )
    )
    return {
        "request": veiled_request(shown_request(request), wanted.type, wanted.settings, whole_address=True),
        "status": answer.status if answer else None,
        "answer": veiled(shown_answer(answer), wanted.type, wanted.settings),
        "seconds": round(answer.seconds, 4) if answer else 0.0,
        "outcome": {
            "kind": outcome.kind,
            "reason": outcome.reason,
            "detail": veiled(outcome.detail, wanted.type, wanted.settings),
        },
    }


def _of(app: Installation, workspace: int, number: int) -> Destination:
    found = app.directory.destinations.get(number)
    if found is None or found.workspace != workspace:
        raise NotFound("There is no such destination in this workspace.")
    if found.type == SURVEYS:
        raise HeardError(
            f"{found.name} is Heard itself: send a message to Heard, and Messages shows what became of it."
        )
    return found


def _document(message: Mapping[str, Any], destination: Destination, *, at: str) -> Document:
    """The message with what every message has; what is there stays."""
    kind, said = KINDS[destination.type], message.get("type")
    if not isinstance(said, str) or said not in TYPES:
        raise Invalid(f"Write a type: one of {', '.join(sorted(TYPES))}.", field="message")
    if said not in kind.methods:
        raise Invalid(f"{kind.title} takes {' and '.join(sorted(kind.methods))}, not {said}.", field="message")
    if said == "track" and not (isinstance(message.get("event"), str) and message["event"].strip()):
        raise Invalid("Write the event, a text: a track has one.", field="message")
    if not any(message.get(name) for name in ("userId", "anonymousId")):
        raise Invalid("Write whose it is: a userId or an anonymousId.", field="message")
    whole = {"messageId": f"try-{uuid4().hex}", "timestamp": at, "originalTimestamp": at, "receivedAt": at, **message}
    whole.pop("writeKey", None)
    try:
        size = len(msgspec.json.encode(whole))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        raise Invalid("This is no JSON that can be sent.", field="message") from None
    if size > LONGEST:
        raise Invalid(f"A message has at most {LONGEST >> 10} KB.", field="message")
    return whole


def not_too_often(before: deque[float]) -> None:
    """Note a try. Raises TooOften."""
    now = time.monotonic()
    while before and now - before[0] >= WITHIN:
        before.popleft()
    if len(before) >= MOST:
        raise TooOften(WITHIN - (now - before[0]))
    before.append(now)
