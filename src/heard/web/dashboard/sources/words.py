"""How events of a source are called and where their pages are."""

from __future__ import annotations

from urllib.parse import urlencode

from heard.schema.seen import Key
from heard.schema.violation import Kind

KINDS = {
    Kind.UNPLANNED_EVENT: "Not in the plan",
    Kind.UNPLANNED_FIELD: "Not in the plan",
    Kind.MISSING: "Missing",
    Kind.WRONG_TYPE: "Wrong type",
    Kind.WRONG_VALUE: "Wrong value",
}


def called(key: Key) -> str:
    """`Order Completed`; a page by its name, and what has none by its type."""
    if key.type == "track":
        return key.name or "(no name)"
    return f"{key.type} {key.name}" if key.name else key.type


def address(source: int, key: Key) -> str:
    return f"/sources/{source}/schema/event?{urlencode({'type': key.type, 'name': key.name})}"
