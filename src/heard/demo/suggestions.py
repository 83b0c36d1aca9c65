"""Whom a newcomer may try things with: somebody who would be asked now, and somebody who was just not asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from heard.demo.folder import Made
from heard.installation import Installation
from heard.operations.why import why

CAMPAIGN = "Post-purchase"
AS_MANY = 12  # of each are kept: whoever tries things uses them up
LOOKED_AT = 150


class Suggestions(msgspec.Struct, frozen=True, kw_only=True):
    """userIds and names; None when there is nobody like that any more."""

    free: tuple[str, str] | None
    refused: tuple[str, str, int] | None  # with how many rules objected


async def found(
    app: Installation, *, quiet: Iterable[str], asked: Iterable[str]
) -> tuple[Sequence[str], Sequence[str]]:
    """(free, refused) out of userIds who were left alone for long, and of those who were asked lately."""
    free: list[str] = []
    for user_id in quiet:
        if len(free) < AS_MANY and _would_be_asked(await why(app, user_id=user_id, campaign=CAMPAIGN)):
            free.append(user_id)
    objections = {user_id: _objections(await why(app, user_id=user_id)) for user_id in list(asked)[:LOOKED_AT]}
    refused = sorted((user_id for user_id, count in objections.items() if count), key=lambda each: -objections[each])
    return free, refused[:AS_MANY]


async def suggestions(app: Installation, made: Made) -> Suggestions:
    """The first of each that is still good."""
    free = refused = None
    for user_id in made.free:
        told = await why(app, user_id=user_id, campaign=CAMPAIGN)
        if _would_be_asked(told):
            free = (user_id, _name(told))
            break
    for user_id in made.refused:
        told = await why(app, user_id=user_id)
        if count := _objections(told):
            refused = (user_id, _name(told), count)
            break
    return Suggestions(free=free, refused=refused)


def _would_be_asked(told: dict[str, Any]) -> bool:
    return told["contact"] is not None and all(each["outcome"] == "invited" for each in told["now"])


def _objections(told: dict[str, Any]) -> int:
    """How many rules objected to the newest decision about them; 0 when it was none, or an invitation."""
    return len(told["decisions"][0]["objections"]) if told["decisions"] else 0


def _name(told: dict[str, Any]) -> str:
    traits = told["contact"]["traits"]
    return f"{traits.get('firstName', '')} {traits.get('lastName', '')}".strip() or told["user_id"]
