"""Where messages went, and why not elsewhere: for the debugger, of a page of messages at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from heard.routing import reasons
from heard.routing.answer import Refusal, Routing, decode
from heard.routing.destination import Destination
from heard.routing.forward import Forward
from heard.store import cursors, forwards
from heard.store.directory import Directory
from heard.store.messages import Kept

TAKEN, WAITING, DELIVERED = "taken", "waiting", "delivered"


class Went(msgspec.Struct, frozen=True, kw_only=True):
    """One destination's part. `state`: "taken" (by surveys), "waiting", "delivered", "retrying", "dead", or "refused".

    `refusal` says why not, where it is "refused"; `forward` what was tried, where it did not go at the first try.
    """

    destination: Destination
    state: str
    refusal: Refusal | None = None
    forward: Forward | None = None


def went(
    connection: Connection, found: Sequence[Kept], directory: Directory, workspace: int
) -> Mapping[int, list[Went]]:
    """By message: every destination of the workspace that was there when it came. Two queries for all of them."""
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
    parts = [_part(each, kept, answer, forwards_of.get(each.id), reached) for each in destinations]
    return [part for part in parts if part is not None]


def _part(
    destination: Destination,
    kept: Kept,
    answer: Routing | None,
    forward: Forward | None,
    reached: Mapping[int, int],
) -> Went | None:
    is_ours = destination.id not in reached
    if forward is not None:  # sent by hand, or replayed, though it was refused when it came
        return Went(destination=destination, state=forward.state.value, forward=forward)
    if answer is None:
        return _without_routing(destination, kept) if is_ours else None
    if destination.id in answer.to:
        if is_ours:
            return Went(destination=destination, state=TAKEN)
        state = DELIVERED if kept.id <= reached[destination.id] else WAITING
        return Went(destination=destination, state=state)
    refusal = answer.refusal(destination.id)
    return None if refusal is None else Went(destination=destination, state="refused", refusal=refusal)


def _without_routing(destination: Destination, kept: Kept) -> Went:
    """Where surveys are alone nothing is written down beyond what they said themselves."""
    if kept.reason == "no_destination":
        return Went(destination=destination, state="refused", refusal=reasons.not_connected(destination))
    if kept.reason == reasons.Reason.INTEGRATIONS_OBJECT.value:
        return Went(destination=destination, state="refused", refusal=reasons.not_named(destination.name))
    return Went(destination=destination, state=TAKEN)
