"""Where a message went beside surveys, in words: a station of its route for each destination, badges for trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from heard.operations.destinations_seen import hidden
from heard.operations.went import DELIVERED, REFUSED, WAITING, Went
from heard.routing.answer import Refusal
from heard.routing.destination import SURVEYS, Destination
from heard.routing.forward import Forward, State
from heard.routing.reasons import Reason, did_not_feed, was_not_connected, was_not_there
from heard.web.dashboard import say
from heard.web.dashboard.messages.station import Badge, Step, with_code

SOMEBODY_SAID_NO = frozenset(
    {
        Reason.EVENT_SWITCH,
        Reason.FILTERED,
        Reason.FILTER_INVALID,
        Reason.INTEGRATIONS_OBJECT,
        Reason.CONSENT_DENIED,
    }
)
"""Refusals that are worth a word on a closed row: somebody chose them, and may look for the message later."""
MAY_GO_ALL_THE_SAME = frozenset({Reason.EVENT_SWITCH, Reason.INTEGRATIONS_OBJECT, Reason.DISABLED})
"""Refusals that sending by hand overrules."""
TOLD = {
    State.RETRYING: ("On its way", "clock", "Try now"),
    State.DEAD: ("Not delivered", "x", "Send again"),
    State.DELIVERED: ("Delivered", "check", "Send again"),
}
"""What stands there once it was not simply taken: a title, its sign, the button."""
MOST_NAMED = 8  # destinations that it was never for
NEVER_FOR: Mapping[Callable[[Destination], Refusal], str] = {
    did_not_feed: "Its source did not feed them when it came",
    was_not_there: "They were not there yet when it came",
    was_not_connected: "Its source did not feed them when it came, or they were not there yet",
}
"""What is said of several at once. The last is for messages with which it was not written down."""


def badges(told: Sequence[Went]) -> list[Badge]:
    """Only what is off, and each kind once however many destinations it is true of."""
    kept = [each for each in told if each.refusal and each.refusal.reason in SOMEBODY_SAID_NO]
    tried = [each for each in told if each.state == State.RETRYING.value]
    dead = [each for each in told if each.state == State.DEAD.value]
    return [
        Badge(f"{what} · {_whom(some)}", kind, sign)
        for what, some, kind, sign in (
            ("Kept from", kept, "off", "no"),
            ("Being tried again", tried, "warn", "clock"),
            ("Given up", dead, "bad", "x"),
        )
        if some
    ]


def stations(told: Sequence[Went], *, troubles: Mapping[int, str], now: datetime) -> list[Step]:
    """Each destination outside; those that it was never for come last, together. `troubles` by destination."""
    outside = [each for each in told if each.destination.type != SURVEYS]
    unfed = [each for each in outside if each.refusal and each.refusal.reason == Reason.NOT_CONNECTED]
    steps = [_station(each, troubles.get(each.destination.id), now) for each in outside if each not in unfed]
    for made, why in NEVER_FOR.items():
        if some := [each for each in unfed if each.refusal == made(each.destination)]:
            steps.append(_unfed(some, why))
    return steps


def _station(each: Went, trouble: str | None, now: datetime) -> Step:
    name, link = f" to {each.destination.name}", f"/destinations/{each.destination.id}"
    if each.state == REFUSED and each.refusal is not None:
        may_go = each.refusal.reason in MAY_GO_ALL_THE_SAME
        return Step(
            title=f"Kept from {each.destination.name}",
            text=with_code(each.refusal.detail),
            code=each.refusal.reason,
            sign="no",
            stops=True,
            again=_again(each.destination, "Send all the same") if may_go else None,
        )
    forward = each.forward
    if forward is None:
        if each.state == WAITING:
            return Step(title="Waits to be sent", rest=name, text=_behind(trouble), sign="clock", link=link)
        assert each.state == DELIVERED
        return Step(title="Delivered", rest=name, text="Taken at the first try", again=_again(each.destination))
    title, sign, label = TOLD[forward.state]
    return Step(
        title=title,
        rest=name,
        text=_tried(forward, each.destination, now),
        code=forward.reason,
        sign=sign,
        stops=forward.state is not State.DELIVERED,
        link=link,
        again=_again(each.destination, label),
    )


def _unfed(some: Sequence[Went], why: str) -> Step:
    if len(some) == 1 and some[0].refusal:
        text = some[0].refusal.detail
    else:
        names = ", ".join(each.destination.name for each in some[:MOST_NAMED])
        more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
        text = f"{why}: {names}{more}."
    title = f"Not for {_whom(some)}"
    return Step(title=title, text=text, code=Reason.NOT_CONNECTED.value, sign="no", quiet=True)


def _behind(trouble: str | None) -> str:
    if trouble is None:
        return "It is sent in its turn"
    return f"What came before it was not taken yet. {trouble}"


def _tried(forward: Forward, destination: Destination, now: datetime) -> str:
    """ "Tried 3 times. Answered 503. The next try is in 4 minutes." """
    last = forward.tries[-1] if forward.tries else None
    if forward.state is State.RETRYING and (last is None or forward.first_at > last.at):
        parts = ["Somebody sent it again"]
    else:
        times = "once" if forward.attempts == 1 else f"{forward.attempts} times"
        parts = [f"Tried {times}, last {say.ago(forward.last_at, now)}"]
    if last is not None and forward.state is not State.DELIVERED:
        parts.append(hidden(last.detail, destination).rstrip("."))
    if forward.state is State.RETRYING and forward.next_at is not None:
        is_due = forward.next_at <= now
        parts.append("It is tried again now" if is_due else f"The next try is {say.distance(forward.next_at, now)}")
    return ". ".join(parts) + "."


def _again(destination: Destination, label: str = "Send again") -> tuple[int, str]:
    return destination.id, label


def _whom(some: Sequence[Went]) -> str:
    return some[0].destination.name if len(some) == 1 else f"{len(some)} destinations"
