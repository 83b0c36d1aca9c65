"""Answers as destinations outside are told of them: tracks, and an identify with traits of who answered.

A contact without a userId is told of under an anonymousId of ours, with the address in `context.traits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from heard.responses.response import Response
from heard.surveys.send_back import Moment, SendBack


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Names that an answer has only the numbers of."""

    survey: str
    campaign: str
    address: str


def fields(response: Response, about: About) -> dict[str, Any]:
    """Everything that can be said of it, by the names of `send_back.FIELDS`."""
    return {
        "value": response.value,
        "category": response.category,
        "comment": response.comment,
        "survey": about.survey,
        "campaign": about.campaign,
        "channel": response.channel,
        "metric": response.metric,
        "response_id": str(response.id),
        "answered_at": _written(response.answered_at),
    }


def told(
    response: Response, wanted: SendBack, moments: tuple[Moment, ...], *, traits: bool, about: About, now: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what it is, the message) of each; `traits`: whether they may have changed."""
    said = fields(response, about)
    base = _who(response, about)
    if traits and wanted.traits:
        values = {trait: said[field] for trait, field in wanted.traits.items()}
        yield f"traits:{now.isoformat()}", {"type": "identify", "traits": values, **base}
    for moment in moments:
        if (event := wanted.events.get(moment)) is not None:
            properties = {name: said[name] for name in wanted.properties}
            track = {"type": "track", "event": event, "properties": properties}
            yield moment.value, {**track, **base}


def _who(response: Response, about: About) -> dict[str, Any]:
    context: Mapping[str, Any] = {"heard": {"name": about.survey}}
    if response.user_id is not None:
        return {"userId": response.user_id, "context": context}
    traits = {"email": about.address}
    return {"anonymousId": f"heard_contact_{response.contact}", "context": {**context, "traits": traits}}


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
