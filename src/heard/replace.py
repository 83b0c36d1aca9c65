"""The text that members write: `{{ traits.firstName | there }}` is replaced, nothing else is understood.

There is no logic, no call and no attribute: a path walks through JSON objects by key and stops there. What it finds is
data and is never read as a template again. Anything that is not such a path stays the text it is, `{{7*7}}`,
`{% if %}` and `${x}` included (a template engine has been escaped through its sandbox often enough).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from heard.contacts import traits as known
from heard.errors import Invalid

LONGEST_TEMPLATE = 10_000  # characters
LONGEST_VALUE = 500  # characters of one replaced value
MOST_SLOTS = 100
DEEPEST = 8  # keys in a path

# Where a path may begin in a mail.
ROOTS = ("brand", "email", "firstName", "first_name", "lastName", "last_name", "name", "traits")

_SLOT = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.[^{}|.\s](?:[^{}|.\n]*[^{}|.\s])?)*)\s*(?:\|([^{}\n]*))?\}\}")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSAFE = re.compile(r"[\ud800-\udfff\u202a-\u202e\u2066-\u2069]")  # lone surrogates; marks that turn text around


class Slot(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    default: str


Piece = str | Slot


def check(text: str, *, field: str | None = None, roots: Collection[str] = ROOTS) -> None:
    """Refuse a template that is beyond our caps, when it is saved. `roots` are what a path may begin with.

    Raises:
        Invalid: too long, too many replacements, or a path that is too deep or cannot lead anywhere.
    """
    slots = [piece for piece in pieces(text) if isinstance(piece, Slot)]
    if len(text) > LONGEST_TEMPLATE:
        raise Invalid(f"Keep it under {LONGEST_TEMPLATE:,} characters.", field=field)
    if len(slots) > MOST_SLOTS:
        raise Invalid(f"Use at most {MOST_SLOTS} replacements.", field=field)
    for slot in slots:
        if len(slot.path) > DEEPEST:
            raise Invalid(f"A path has at most {DEEPEST} parts.", field=field)
        if slot.path[0] not in roots:
            written = ".".join(slot.path)
            if roots is not ROOTS:
                raise Invalid(f"There is no {{{{ {written} }}}}; begin with {', '.join(roots)}.", field=field)
            raise Invalid(f"Write {{{{ traits.{written} }}}}; there is no {{{{ {written} }}}}.", field=field)


@lru_cache(1024)
def pieces(text: str) -> tuple[Piece, ...]:
    """The template as literal text and slots, in order."""
    text = _UNSAFE.sub("", _LINE_END.sub("\n", text))
    found: list[Piece] = []
    at = 0
    for match in _SLOT.finditer(text):
        if literal := text[at : match.start()]:
            found.append(literal)
        found.append(Slot(tuple(match[1].split(".")), (match[2] or "").strip()))
        at = match.end()
    if rest := text[at:]:
        found.append(rest)
    return tuple(found)


def replace(text: str, *, brand: str, traits: Mapping[str, Any], escape: Callable[[str], str] = str) -> str:
    """The template with its slots filled; both its literal text and the values go through `escape`.

    A path that leads nowhere, or to an object or a list, gives its default, or nothing.
    """
    return "".join(
        escape(piece if isinstance(piece, str) else value(piece, brand=brand, traits=traits)) for piece in pieces(text)
    )


def value(slot: Slot, *, brand: str, traits: Mapping[str, Any]) -> str:
    """What a slot stands for: one line of at most 500 characters."""
    root, *rest = slot.path
    if root not in ROOTS:
        return slot.default
    if root == "brand":
        return one_line(brand)
    # `firstName` alone is short for `traits.firstName`; both find `first_name` as well.
    found = walk(traits, tuple(rest) if root == "traits" else slot.path)
    return one_line(found)[:LONGEST_VALUE] or slot.default


def to_html(text: str) -> str:
    return html.escape(text, quote=True).replace("\n", "<br>\n")


def one_line(found: object) -> str:
    """A value as a person would write it, on one line whatever it holds. Objects, lists and nothing are ""."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, float) and found.is_integer() and abs(found) < 1e15:
        found = int(found)
    if not isinstance(found, str | int | float):
        return ""
    if isinstance(found, str) and found.isprintable():
        return found.strip()
    return _UNSAFE.sub("", _BREAKS.sub(" ", str(found)[: LONGEST_VALUE * 2])).strip()


def walk(found: Any, path: tuple[str, ...]) -> Any:
    """Follow the keys through JSON objects; None where they end."""
    if path and not isinstance(found, Mapping):
        return None
    if path in (("firstName",), ("first_name",)):
        return known.first_name(found)
    if path == ("name",):
        return known.full_name(found)
    for part in path[:DEEPEST]:
        if not isinstance(found, Mapping):
            return None
        found = found[part] if part in found else _spelled_otherwise(found, part)
    return found


def _spelled_otherwise(found: Mapping[str, Any], part: str) -> Any:
    """SDKs disagree on `lastName`, `last_name` and `last name`; a template need not."""
    wanted = _bare(part)
    return next((found[key] for key in found if _bare(str(key)) == wanted), None)


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
