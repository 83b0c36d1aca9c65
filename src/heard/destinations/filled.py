"""A member's template over a message: `{{ event }}`, `{{ properties.total }}`, `{{ traits.email | someone }}`.

{{ who }}     who it is about, in the best words there are: name, address, userId, anonymousId
{{ traits }}  of an identify its traits; of a track what its context says of the person
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heard import replace
from heard.contacts import traits as known

Document = dict[str, Any]

ROOTS = (
    "who", "event", "properties", "traits", "context", "type", "name", "category", "userId", "anonymousId", "groupId",
    "previousId", "messageId", "timestamp",
)  # fmt: skip


def check(text: str, *, field: str | None = None) -> None:
    """Refuse a template that cannot be filled, when it is saved.

    Raises:
        Invalid: see `heard.replace.check`.
    """
    replace.check(text, field=field, roots=ROOTS)


def filled(text: str, document: Document, *, escape: Callable[[str], str] = str) -> str:
    """The template with its slots filled. What fills them goes through `escape`; what members wrote stays as it is."""
    return "".join(
        piece if isinstance(piece, str) else escape(_value(piece.path, document) or piece.default)
        for piece in replace.pieces(text)
    )


def _value(path: tuple[str, ...], document: Document) -> str:
    root, *rest = path
    if root == "who" and not rest:
        found = _who(document)
    elif root == "traits":
        found = replace.walk(_traits(document), tuple(rest))
    else:
        found = replace.walk(document.get(root), tuple(rest)) if root in ROOTS else None
    return replace.one_line(found)[: replace.LONGEST_VALUE]


def _who(document: Document) -> Any:
    traits = _traits(document)
    return (
        known.full_name(traits)
        or known.first(traits, "email")
        or known.first(document, "userId", "anonymousId")
    )  # fmt: skip


def _traits(document: Document) -> Document:
    context = document.get("context")
    beside = context.get("traits") if isinstance(context, dict) else None
    both = [each for each in (beside, document.get("traits")) if isinstance(each, dict)]
    return {key: value for each in both for key, value in each.items()}
