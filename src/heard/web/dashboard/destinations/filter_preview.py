"""What filters would do to the newest messages: which they would drop, and what they would take from the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from heard.routing.destination import Destination, Filter
from heard.routing.preview import preview
from heard.routing.reasons import Reason
from heard.store.messages import Kept
from heard.web.dashboard.destinations.view import routed
from heard.web.dashboard.messages import said as messages_said

MOST = 20
_NUMBER = re.compile(r"Filter (\d+) ")
MOST_REMOVED = 12  # fields that are named


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`became`: passes, shaped, dropped, sampled_out or withheld (a filter cannot be read)."""

    id: int
    type: str
    label: str
    who: str
    at: datetime
    became: str
    why: str = ""
    removed: tuple[str, ...] = ()
    more: int = 0


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    rows: tuple[Row, ...]

    def count(self, became: str) -> int:
        return sum(each.became == became for each in self.rows)


def look(kept: Sequence[Kept], filters: Sequence[Filter], destination: Destination) -> Preview:
    return Preview(rows=tuple(_row(each, filters, destination) for each in kept))


def _row(kept: Kept, filters: Sequence[Filter], destination: Destination) -> Row:
    document = routed(kept)
    refusal, left = preview(filters, document, destination=destination.id, name=destination.name)
    removed = tuple(gone(document, left)) if left is not None and left is not document else ()
    became = "shaped" if removed else "passes"
    if refusal is not None:
        names = {Reason.SAMPLED_OUT.value: "sampled_out", Reason.FILTERED.value: "dropped"}
        became = names.get(refusal.reason, "withheld")
    return Row(
        id=kept.id,
        type=kept.type,
        label=messages_said.label(kept, document),
        who=kept.user_id or kept.anonymous_id or "",
        at=kept.received_at,
        became=became,
        why=_by(refusal.detail, became) if refusal else "",
        removed=removed[:MOST_REMOVED],
        more=max(0, len(removed) - MOST_REMOVED),
    )


def _by(detail: str, became: str) -> str:
    """ "By filter 2" is enough beside the list of them; one that cannot be read says why."""
    found = _NUMBER.match(detail)
    return f"By filter {found[1]}" if found and became != "withheld" else detail


def gone(before: Any, after: Any, place: str = "") -> list[str]:
    """The paths that are in `before` and not in `after`; what is gone as a whole is named once."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found: list[str] = []
        for name, value in before.items():  # pyright: ignore[reportUnknownVariableType]
            here = f"{place}.{name}" if place else str(name)  # pyright: ignore[reportUnknownArgumentType]
            if name not in after:
                found.append(here)
            else:
                found += gone(value, after[name], here)
        return found
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(before, after, strict=False)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return list(dict.fromkeys(path for one, other in pairs for path in gone(one, other, place)))
    return []
