"""How deep JSON is nested, without parsing it: nothing here recurses."""

from __future__ import annotations

import re

from heard.messages.limits import MAX_DEPTH

BRACKETS = b"[]{}"
NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in BRACKETS)
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def is_deep(body: bytes, limit: int = MAX_DEPTH) -> bool:
    """Are there more than `limit` objects and lists inside each other? `body` is valid JSON."""
    if body.count(b"{") + body.count(b"[") <= limit:
        return False
    return may_be_deep(body, limit) and may_be_deep(STRING.sub(b"", body), limit)


def may_be_deep(body: bytes, limit: int = MAX_DEPTH) -> bool:
    """The same in a glance; brackets inside strings can make it say yes wrongly, never no."""
    brackets = body.translate(None, NOT_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return False
        inner = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(inner) == len(brackets):
            return True
        brackets = inner
    return bool(brackets)
