"""Where somebody is named in a text: their ids and addresses as they are, and as JSON, addresses of pages and base64
spell them.

An id counts where it stands by itself: `u-1842` is not in `u-18423`. One that is short or a plain word (`42`, `admin`)
stands for many things, so it counts only as the value of a field that holds an id.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote

DISTINCT, LONG = 5, 8  # characters from which on an id is nobody else's: with a digit or sign in it, and without
SHORT = 3  # characters up to which letters in a row say nothing
ERASED, ERASED_NUMBER = "(erased)", "0"
_ESCAPE = r"|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])"  # what stands before may belong to an escape
_ID_BEGINS, _ID_ENDS = rf"(?:(?<![\w-]){_ESCAPE})", r"(?![\w-])"
_MAIL_BEGINS, _MAIL_ENDS = rf"(?:(?<![\w.+-]){_ESCAPE})", r"(?![\w-])(?!\.\w)"
_FIELDS = "userId|user_id|previousId|previous_id|anonymousId|anonymous_id"


class Traces:
    """How some people are found in texts. `likes` are patterns of SQL's LIKE (escaped by a backslash, any case): what
    holds none of them names none of these people."""

    def __init__(self, *, ids: Iterable[str], addresses: Iterable[str]) -> None:
        likes: dict[str, None] = {}
        parts: list[str] = []
        for each in sorted(set(ids), key=lambda one: (-len(one), one)):
            if is_distinct(each):
                spelled = spellings(each)
                parts.append(f"{_ID_BEGINS}(?:{'|'.join(map(re.escape, spelled))}){_ID_ENDS}")
                likes |= dict.fromkeys(spelled)
            else:
                written = re.escape(json.dumps(each, ensure_ascii=False)[1:-1])
                parts.append(rf'"(?:{_FIELDS})"\s*:\s*"?{written}(?=["\s,}}])')
                likes[each] = None
        for each in sorted(set(addresses)):
            spelled = spellings(each)
            parts.append(f"(?i:{_MAIL_BEGINS}(?:{'|'.join(map(re.escape, spelled))}){_MAIL_ENDS})")
            likes |= dict.fromkeys(spelled)
        self._pattern = re.compile("|".join(parts)) if parts else None
        self._bytes = tuple(each.lower().encode() for each in likes if len(each) > SHORT)
        self.likes = tuple(f"%{_escaped(each)}%" for each in likes)

    def stand_in(self, text: str) -> bool:
        return self._pattern is not None and self._pattern.search(text) is not None

    def may_stand_in(self, data: bytes) -> bool:
        """Of bytes that are no text: whether somebody's letters follow each other there, whatever stands around."""
        lowered = data.lower()
        return any(each in lowered for each in self._bytes) or self.stand_in(data.decode("utf-8", "replace"))

    def taken_from(self, text: str) -> str:
        """The text with something else in their place; JSON stays JSON."""
        return self._pattern.sub(_replaced, text) if self._pattern is not None else text


def is_distinct(user_id: str) -> bool:
    """Whether an id, wherever it stands, can only mean this person."""
    return len(user_id) >= (LONG if user_id.isalpha() else DISTINCT) and not (user_id.isdigit() and len(user_id) < LONG)


def spellings(text: str) -> list[str]:
    """As it is, and otherwise written; the longest first."""
    escaped = json.dumps(text)[1:-1]
    percent = quote(text, safe="")
    found = {text, escaped, percent, quote(text, safe="@"), b64encode(text.encode()).decode().rstrip("=")}
    found |= {escaped.replace("/", "\\/"), escaped.replace("@", "\\u0040"), percent.lower()}
    found |= {json.dumps(text, ensure_ascii=False)[1:-1], text.replace(" ", "+")}
    return sorted(found, key=lambda each: (-len(each), each))


def _replaced(found: re.Match[str]) -> str:
    whole = found[0]
    if whole.startswith('"'):  # a field of ids: its name stays
        name, _, value = whole.partition(":")
        return f'{name}:{value[: len(value) - len(value.lstrip())]}"{ERASED}' if '"' in value else f"{name}: 0"
    return ERASED_NUMBER if whole.isdigit() else ERASED


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
