"""A destination as routing knows it: by which names senders mean it, what feeds it, and what it does not want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from heard.routing.switches import Switch, Switches

SURVEYS = "surveys"  # the type of our own engine
ALIASES: Mapping[str, tuple[str, ...]] = {SURVEYS: ("Heard", "Promoter.io", "Promoter", "SatisMeter")}
"""Names beside its own by which a destination of a type is meant in the `integrations` object."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """`action` on every message of which `condition` (FQL, or "all") is true.

    `action` is one of "drop", "sample", "drop_properties", "allow_properties". `share` (0 to 1) is what a sample lets
    through; `paths` are the fields that are dropped or allowed, like ("properties.email", "context.ip").
    """

    condition: str
    action: str
    share: float = 1.0
    paths: tuple[str, ...] = ()


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """What messages are routed to. `sources` None = every source; `switches`: `heard.routing.switches`."""

    id: int
    workspace: int
    name: str
    type: str
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    sources: frozenset[int] | None = None
    enabled: bool = True
    methods: frozenset[str] = frozenset({"identify", "track", "page", "screen", "group", "alias"})
    """The types of message it can take."""
    switches: Switches = msgspec.field(default_factory=dict[str, Switch])
    filters: tuple[Filter, ...] = ()
    consent_categories: tuple[str, ...] = ()
    """Categories of consent that must all be true where a message carries consent."""

    @property
    def judges_consent_itself(self) -> bool:
        """Whether a track without consent goes there all the same: surveys keep a decision that says so."""
        return self.type == SURVEYS

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which senders may mean it, its own first."""
        return (self.name, *(alias for alias in ALIASES.get(self.type, ()) if alias != self.name))
