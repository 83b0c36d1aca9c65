"""What filters would do to a message, before anybody keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from heard import fql
from heard.routing import filters
from heard.routing.answer import Refusal
from heard.routing.destination import Destination, Filter
from heard.routing.shape import shaped


def preview(
    wanted: Sequence[Filter], document: dict[str, Any], *, destination: int = 0, name: str = "this destination"
) -> tuple[Refusal | None, dict[str, Any] | None]:
    """Why the document would be refused and None, or None and the document as it would go out.

    `document` is as `document.routed` makes it. Who is in a sample depends on the id of the `destination`.
    """
    there = Destination(id=destination, workspace=0, name=name, type="", filters=tuple(wanted))
    refusal = filters.problem(there) or _objection(there, document)
    return (refusal, None) if refusal else (None, shaped(document, there))


def _objection(there: Destination, document: dict[str, Any]) -> Refusal | None:
    person = str(document.get("userId") or document.get("anonymousId") or "")
    for each in filters.objectors(there):
        if fql.predicate(each.condition)(document) and each.refuses(person):
            return each.refusal
    return None
