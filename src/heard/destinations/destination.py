"""What a kind of destination is: a module of this package that says what it needs and makes requests.

    type, title, help     how the workspace file and people call it
    fields                its settings; forms, validation and the reference are made from them
    methods               the types of message it takes
    most_at_once          messages that go into one request at the most,
    most_bytes            and octets of them, as JSON
    request(...)          messages as a request, pure
    routes_itself         optional: True where the receiver routes what it gets by `integrations`, as we do
    check(...)            optional: what the fields by themselves cannot say about settings

A module that is put here is picked up by `kinds.py` and by the contract suite. What an answer means is the same for all
(`outcome.py`), and so is when to try again (`retries.py`). Our own engine (`surveys.py`) is a kind without `request`:
it takes messages where they are routed, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from heard.messages.message import TYPES
from heard.outgoing.exchange import Answer, Request

__all__ = ["CONSENT", "EVERYTHING", "GIVE_UP", "Answer", "Document", "Field", "Kind", "Outcome", "Request"]

Document = dict[str, Any]  # one message as routed

EVERYTHING = TYPES  # the `methods` of a destination that takes every type of message


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. `kind`: text, url, secret, number, switch, length, list (of texts), map (of texts), template,
    categories.

    `default` None = absent. `example` is what a form shows in an empty field. `bounds`: the shortest and the
    longest of a length.
    """

    name: str
    title: str
    help: str
    kind: str = "text"
    required: bool = False
    default: Any = None
    example: str = ""
    bounds: tuple[str, str] | None = None


GIVE_UP = Field(
    name="give_up_after",
    title="Give up after",
    help="How long after its first try a message that fails for now is tried again; then it is kept as not delivered. "
    "What was never tried is not given up.",
    kind="length",
    default="4h",
    bounds=("1m", "7d"),
)
"""Obeyed by couriers, for every kind that is sent to."""

CONSENT = Field(
    name="consent_categories",
    title="Consent",
    help="Categories of consent. Of the messages that carry consent, only those where all of these are true are taken.",
    kind="categories",
    example="Advertising, Analytics",
)
"""Obeyed by routing, for every kind."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt came to.

    `kind` is one of:
        "delivered"
        "retry": later, not before `after` seconds where the receiver says so
        "divide": the request was refused as a whole, and each of its messages may be welcome; halve it and go on
        "discard": never

    `reason` is a word for lists and counts ("timeout", "http_503"); `detail` a sentence.
    """

    kind: str
    reason: str = ""
    detail: str = ""
    after: float | None = None  # seconds, capped


class Kind(Protocol):
    """The module's face."""

    type: str
    title: str
    help: str
    fields: Sequence[Field]
    methods: frozenset[str]
    most_at_once: int
    most_bytes: int

    def request(
        self, messages: Sequence[Document], settings: Mapping[str, Any], *, ids: Sequence[str], now: datetime
    ) -> Request:
        """The request that hands these messages over.

        `ids` are deterministic delivery ids, one a message, the same in every attempt.

        Raises:
            Invalid: the settings cannot make one (the delivery is discarded with the sentence as reason).
        """
        ...
