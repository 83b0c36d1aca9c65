"""An audience and a computed trait: what is worked out about each contact, and where it is told."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from heard.audiences.aggregates import Aggregate
from heard.audiences.conditions import Condition


class Phase(StrEnum):
    """How far it has come; what is written here is what the store keeps."""

    NEW = "new"  # nothing was looked at yet
    EVENTS = "events"  # goes through the messages that were there before it
    PEOPLE = "people"  # goes through the contacts; whoever was looked at is told
    LIVE = "live"  # every message moves it at once
    LEAVING = "leaving"  # was taken away; goes through the contacts to take its trait off them


class Form(StrEnum):
    """What destinations outside are sent."""

    TRAITS = "traits"  # an identify with the trait
    EVENTS = "events"  # a track: Audience Entered, Audience Exited, Trait Computed


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the trait. `to`: numbers of destinations outside; `on_contact`: contacts have the trait.

    `introduced`: the newest introduction that still goes on (`heard.steps.introduce`); 0 = none does.
    """

    id: int
    workspace: int
    name: str
    key: str
    version: int = 1
    phase: Phase = Phase.NEW
    to: tuple[int, ...] = ()
    on_contact: bool = True
    form: Form = Form.TRAITS
    introduced: int = 0


class Audience(Computed, frozen=True, kw_only=True):
    condition: Condition


class ComputedTrait(Computed, frozen=True, kw_only=True):
    aggregate: Aggregate


def key_of(name: str) -> str:
    """The trait of an audience: "Order Completed Last 30days" is `order_completed_last_30days`."""
    return re.sub(r"[^\w]+", "_", name.strip().lower()).strip("_")
