"""Where messages went, and why not elsewhere: for the debugger, of a page of messages at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from heard.deliveries.reasons import Reason
from heard.routing import reasons
from heard.routing.answer import Refusal, Routing, decode
from heard.routing.destination import Destination
from heard.routing.forward import Forward
from heard.store import cursors, forwards
from heard.store.directory import Directory
from heard.store.messages import Kept

TAKEN, WAITING, DELIVERED, REFUSED = "taken", "waiting", "delivered", "refused"


class Went(msgspec.Struct, frozen=True, kw_only=True):
    """One destination's part. `state`: "taken" (by surveys), "waiting", "delivered", "retrying", "dead", or "refused".

    Surveys let a message wait that is over their daily limit; one that waits to be identified they have taken.
    `refusal` says why not, where it is "refused"; `forward` what was tried, where it did not go at the first try.
    """

    destination: Destination
    state: str
    refusal: Refusal | None = None
    forward: Forward | None = None


def went(
    connection: Connection, found: Sequence[Kept], directory: Directory, workspace: int
) -> Mapping[int, list[Went]]:
    """By message: every destination that the workspace has now; none for what was rejected.

    A few queries for all of them, and one for each destination outside.
    """
    destinations = directory.destinations_of(workspace)
    intake = directory.intakes.get(workspace)
    outside = [each for each in destinations if intake is None or each.id != intake.destination]
    numbers = [each.id for each in outside]
    tried = forwards.of(connection, workspace, numbers, [each.id for each in found]) if outside else {}
    reached = {each.id: cursors.get(connection, forwards.cursor_of(each.id)) for each in outside}
    return {each.id: _of(each, destinations, tried.get(each.id, []), reached) for each in found}


def _of(
    kept: Kept, destinations: Sequence[Destination], tried: Sequence[Forward], reached: Mapping[int, int]
) -> list[Went]:
    if kept.verdict == "rejected":
        return []
    answer = decode(kept.routing) if kept.routing else None
    forwards_of = {each.destination: each for each in tried}
    return [_part(each, kept, answer, forwards_of.get(each.id), reached) for each in destinations]


def _part(
    destination: Destination,
    kept: Kept,
    answer: Routing | None,
    forward: Forward | None,
    reached: Mapping[int, int],
) -> Went:
    if forward is not None:  # sent by hand, or replayed, though it was refused when it came
        return Went(destination=destination, state=forward.state.value, forward=forward)
    refusal = _refusal(destination, kept, answer, is_ours=destination.id not in reached)
    if refusal is not None:
        return Went(destination=destination, state=REFUSED, refusal=refusal)
    if destination.id in reached:
        return Went(destination=destination, state=DELIVERED if kept.id <= reached[destination.id] else WAITING)
    waits = kept.verdict == "held" and kept.reason == Reason.INTAKE_LIMIT
    return Went(destination=destination, state=WAITING if waits else TAKEN)


def _refusal(destination: Destination, kept: Kept, answer: Routing | None, *, is_ours: bool) -> Refusal | None:
    if is_ours and kept.reason == reasons.NO_DESTINATION:
        return reasons.did_not_feed(destination)
    if answer is None:  # surveys were alone, so nothing is written down beyond what they said themselves
        if is_ours and kept.reason == reasons.Reason.INTEGRATIONS_OBJECT:
            return reasons.not_named(destination.name)
    elif refusal := answer.refusal(destination.id):
        return reasons.did_not_feed(destination) if refusal.reason == reasons.Reason.NOT_CONNECTED else refusal
    if is_ours:
        return reasons.nothing_left(destination) if kept.reason == reasons.Reason.FILTERED else None
    if answer is None:
        return reasons.was_not_connected(destination)
    if destination.id in answer.to:
        return None
    return reasons.was_not_there(destination) if answer.whole else reasons.was_not_connected(destination)
